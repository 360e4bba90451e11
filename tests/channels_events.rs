//! Batches of events through the door, and leads as GraphQL shows them.

use deskless::auth::Role;
use deskless::kernel::id::{CustomerId, LeadId};
use http::StatusCode;
use serde_json::{Value, json};

use crate::channels_leads::post;
use crate::helpers::TestApp;

const PATH: &str = "/channels/events?store=austin";

async fn send(app: &TestApp, key: &str, events: Value) -> Value {
    let (status, answer) = post(app, key, PATH, "application/json", serde_json::to_vec(&events).unwrap()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    answer
}

/// A customer with an e-mail address and a phone, by way of a lead.
async fn customer(app: &TestApp, key: &str, name: &str, email: &str, phone: &str) -> CustomerId {
    let adf = format!(
        "<adf><prospect><customer><contact><name>{name}</name><email>{email}</email><phone>{phone}</phone></contact></customer></prospect></adf>"
    );
    let (_, answer) = post(app, key, "/channels/adf?store=austin", "text/xml", adf).await;
    let id: LeadId = answer["leads"][0]["id"].as_str().unwrap().parse().unwrap();
    let id: uuid::Uuid =
        sqlx::query_scalar("SELECT customer_id FROM lead WHERE id = $1").bind(id.0).fetch_one(app.app.db.pool()).await.unwrap();
    CustomerId(id)
}

async fn observed(app: &TestApp, customer: CustomerId) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT attribute || ' ' || operator || ' ' || value || ' ' || behaviour || ' x' || occurrences || ' ' || confidence FROM preference
         WHERE customer_id = $1 AND kind = 'OBSERVED' AND withdrawn_at IS NULL ORDER BY 1",
    )
    .bind(customer.0)
    .fetch_all(app.app.db.pool())
    .await
    .unwrap()
}

#[tokio::test]
async fn behaviour_counts_once_and_becomes_observed_wishes() {
    let app = TestApp::start().await;
    let key = app.machine("web", &[(app.austin, Role::Channel)]).await;
    let grace = customer(&app, &key, "Grace Hopper", "grace@example.com", "512-555-0142").await;
    let view = |id: &str, make: &str| json!({"id": id, "name": "asc_item_pageview", "params": {"item_make": make, "item_type": "suv", "email": "GRACE@example.com"}});
    let batch = json!({"source": "site", "events": [
        view("1", "Honda"), view("2", "Toyota"), view("3", "Honda"), view("3", "Honda"),
        {"id": "4", "name": "asc_retail_process", "params": {"item_payment": "520.00", "term": 72}, "user_data": {"ph": "+1 512 555 0142"}},
        {"id": "5", "name": "asc_retail_process", "params": {"item_payment": "520", "term": 72}, "user_data": {"em": "grace@example.com"}},
        {"id": "6", "name": "asc_item_pageview", "params": {"item_make": "Kia"}},
        {"name": "Search"},
        7,
    ]});
    let answer = send(&app, &key, batch.clone()).await;
    assert_eq!((&answer["accepted"], &answer["duplicates"], &answer["refused"]), (&json!(6), &json!(1), &json!(2)), "{answer:#}");
    assert_eq!(answer["events"][7]["status"], "REFUSED");
    assert!(answer["events"][7]["reason"].as_str().unwrap().contains("needs a time"));
    let wishes = observed(&app, grace).await;
    assert_eq!(
        wishes,
        [
            "BODY_STYLE IS SUV VIEWED x3 0.300",
            "MAKE IS Honda VIEWED x2 0.300",
            "MAKE IS Toyota VIEWED x1 0.300",
            "MONTHLY_PAYMENT AT_MOST 520.00 PAYMENT_CALCULATED x2 0.800",
            "TERM_MONTHS IS 72 PAYMENT_CALCULATED x2 0.800",
        ]
    );
    // The same batch again, and twenty times at once: nothing counts twice.
    let again = futures::future::join_all((0..20).map(|_| send(&app, &key, batch.clone()))).await;
    assert!(again.iter().all(|a| a["accepted"] == 0 && a["duplicates"] == 7));
    assert_eq!(observed(&app, grace).await, wishes);
    // The same ids of another source are other events.
    let other = send(&app, &key, json!([{"id": "1", "name": "Search", "source": "app", "channel": "app"}])).await;
    assert_eq!(other["accepted"], 1);
    // No contact detail is kept in the clear.
    let kept: Vec<String> = sqlx::query_scalar("SELECT properties::text FROM channel_event").fetch_all(app.app.db.pool()).await.unwrap();
    assert!(kept.len() == 7 && !kept.iter().any(|p| p.to_lowercase().contains("grace") || p.contains("0142")), "{kept:?}");
}

#[tokio::test]
async fn a_shared_phone_and_a_refused_profile_leave_no_wish() {
    let app = TestApp::start().await;
    let key = app.machine("web", &[(app.austin, Role::Channel)]).await;
    let grace = customer(&app, &key, "Grace Hopper", "grace@example.com", "512-555-0142").await;
    let alan = customer(&app, &key, "Alan Turing", "alan@example.com", "512-555-0142").await;
    assert_ne!(grace, alan, "who shares a phone is not one person");
    let saved = |id: &str, user: Value| json!([{"id": id, "name": "AddToWishlist", "make": "Ford", "user_data": user}]);
    send(&app, &key, saved("1", json!({"ph": "512-555-0142"}))).await;
    assert!(observed(&app, grace).await.is_empty() && observed(&app, alan).await.is_empty());
    let mut tx = app.app.db.begin(deskless::db::By::system()).await.unwrap();
    let purpose = deskless::customers::ConsentPurpose::Profiling;
    app.app.customers.record_consent(&mut tx, app.austin, alan, purpose, false, "WEB", None).await.unwrap();
    tx.commit().await.unwrap();
    send(&app, &key, saved("2", json!({"em": "alan@example.com"}))).await;
    send(&app, &key, saved("3", json!({"em": "grace@example.com"}))).await;
    assert!(observed(&app, alan).await.is_empty());
    assert_eq!(observed(&app, grace).await, ["MAKE IS Ford SAVED x1 0.700"]);
}

#[tokio::test]
async fn bad_batches_and_strangers_are_refused() {
    let app = TestApp::start().await;
    let key = app.machine("web", &[(app.austin, Role::Channel)]).await;
    let other = app.machine("other", &[(app.raleigh, Role::Channel)]).await;
    let many = serde_json::to_vec(&vec![json!({"id": "1", "name": "Search"}); 501]).unwrap();
    for (key, media, body, status) in [
        (key.as_str(), "application/json", b"nonsense".to_vec(), 400),
        (key.as_str(), "application/json", b"{\"events\": 3}".to_vec(), 400),
        (key.as_str(), "application/json", "[".repeat(100_000).into_bytes(), 400),
        (key.as_str(), "application/json", many, 400),
        (key.as_str(), "application/xml", b"[]".to_vec(), 415),
        (key.as_str(), "application/json", vec![b' '; (1 << 20) + 1], 413),
        (other.as_str(), "application/json", b"[]".to_vec(), 404),
        ("dk_x", "application/json", b"[]".to_vec(), 401),
    ] {
        let (got, problem) = post(&app, key, PATH, media, body).await;
        assert_eq!(got.as_u16(), status, "{problem}");
    }
    assert_eq!(send(&app, &key, json!([])).await["accepted"], 0);
}

const LEADS: &str = "query ($filter: LeadFilterInput, $first: Int, $after: String) { leads(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { id status statusReason needsPerson source externalId customerId provider duplicateOf { id }
      vehicles { wanted interest condition year make model vin priceAmount priceCurrency odometer odometerUnit } consents { purpose granted } warnings } } }";

#[tokio::test]
async fn leads_are_listed_read_and_settled_by_their_store_only() {
    let app = TestApp::start().await;
    let key = app.machine("web", &[(app.austin, Role::Channel)]).await;
    let adf = |name: &str| {
        format!(
            "<adf><prospect><id source=\"AutoMarket\">AM-77</id><vehicle interest=\"buy\" status=\"used\"><year>2021</year><make>Honda</make><model>CR-V</model>\
             <price type=\"asking\" currency=\"USD\">$26,995</price></vehicle><vehicle interest=\"trade-in\"><make>Ford</make><odometer unit=\"MILES\">18,000</odometer></vehicle>\
             <customer><contact><name>{name}</name><phone>512-555-0142</phone></contact><comments>Email Opt-In: No. SSN 123-45-6789</comments></customer></prospect></adf>"
        )
    };
    for body in [adf("Grace Hopper"), adf("Grace Hopper"), adf("{{name}}"), "<adf><broken></adf>".to_owned()] {
        post(&app, &key, "/channels/adf?store=austin", "application/xml", body).await;
        app.clock.advance(chrono::Duration::seconds(1));
    }
    let (sam, otto) = (app.salesperson().await, app.stranger().await);
    let page = app.data(&sam, LEADS, json!({"first": 3})).await;
    let leads = &page["leads"];
    assert_eq!((&leads["totalCount"], &leads["pageInfo"]["hasNextPage"]), (&json!(4), &json!(true)));
    let rest = app.data(&sam, LEADS, json!({"after": leads["pageInfo"]["endCursor"]})).await;
    let first = &rest["leads"]["nodes"][0];
    assert_eq!(
        (&first["status"], &first["vehicles"][0]["priceAmount"], &first["vehicles"][1]["odometer"]),
        (&json!("ACCEPTED"), &json!("26995.00"), &json!(18_000))
    );
    assert_eq!((&first["vehicles"][1]["wanted"], &first["vehicles"][1]["interest"]), (&json!(false), &json!("TRADE_IN")));
    assert_eq!(first["consents"], json!([{"purpose": "EMAIL", "granted": false}]));
    let repeated = leads["nodes"].as_array().unwrap().iter().find(|l| l["status"] == "DUPLICATE").unwrap();
    assert_eq!(repeated["duplicateOf"]["id"], first["id"]);
    assert!(!format!("{page}{rest}").contains("123-45"), "free text is sealed");

    let both = "query ($id: ID!) { lead(id: $id) { customer { displayName leads(first: 5) { id status customer { id } } } } }";
    let grace = app.data(&sam, both, json!({"id": first["id"]})).await["lead"]["customer"].clone();
    assert_eq!((&grace["displayName"], grace["leads"].as_array().unwrap().len()), (&json!("Grace Hopper"), 2));
    assert_eq!(grace["leads"][1]["customer"]["id"], first["customerId"]);

    let waiting = app.data(&sam, LEADS, json!({"filter": {"needsPerson": true}})).await;
    assert_eq!(waiting["leads"]["totalCount"], 2);
    let id = waiting["leads"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["statusReason"].as_str().unwrap().contains("{{name}}"))
        .unwrap()["id"]
        .clone();
    let one = "query ($id: ID!) { lead(id: $id) { needsPerson rawText resolution resolvedAt } }";
    let raw = app.data(&sam, one, json!({"id": id})).await;
    assert!(raw["lead"]["rawText"].as_str().unwrap().contains("123-45-6789"), "its store may read what came");
    assert_eq!(app.data(&otto, one, json!({"id": id})).await["lead"], Value::Null);
    assert_eq!(app.data(&otto, LEADS, json!({})).await["leads"]["totalCount"], 0);

    let resolve = "mutation ($input: LeadResolveInput!) { leadResolve(input: $input) { lead { needsPerson resolution customerId } userErrors { code message field } } }";
    let code = async |session, input: Value| {
        app.data(session, resolve, json!({"input": input})).await["leadResolve"]["userErrors"][0]["code"].clone()
    };
    assert_eq!(code(&otto, json!({"leadId": id, "resolution": "DISMISSED", "reason": "x"})).await, "NOT_FOUND");
    assert_eq!(code(&sam, json!({"leadId": id, "resolution": "DISMISSED"})).await, "REASON_MISSING");
    assert_eq!(code(&sam, json!({"leadId": id, "resolution": "ATTACHED"})).await, "CUSTOMER_MISSING");
    let nobody = CustomerId(uuid::Uuid::nil()).to_string();
    assert_eq!(code(&sam, json!({"leadId": id, "resolution": "ATTACHED", "customerId": nobody})).await, "CUSTOMER_NOT_FOUND");
    assert_eq!(code(&sam, json!({"leadId": first["id"], "resolution": "DISMISSED", "reason": "x"})).await, "NOT_WAITING");
    let done = app.data(&sam, resolve, json!({"input": {"leadId": id, "resolution": "ATTACHED", "customerId": first["customerId"]}})).await;
    assert_eq!(done["leadResolve"]["lead"], json!({"needsPerson": false, "resolution": "ATTACHED", "customerId": first["customerId"]}));
    assert_eq!(code(&sam, json!({"leadId": id, "resolution": "DISMISSED", "reason": "x"})).await, "NOT_WAITING");
}
