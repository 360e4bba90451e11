//! Who somebody is: create, find, resolve, merge, undo. Through the router where the API offers it, else through the service
//! that channels use.

use deskless::auth::Role;
use deskless::customers::{
    IncomingEmail, IncomingPerson, IncomingPhone, NewPreference, Person, PreferenceAttribute, PreferenceBehaviour, PreferenceOperator,
    Resolution, Wish,
};
use deskless::db::By;
use deskless::kernel::contact::{EmailAddress, PhoneNumber};
use deskless::kernel::id::{CustomerId, StoreId, TypedId};
use serde_json::{Value, json};

use crate::helpers::{Session, TestApp};

const CREATE: &str = "mutation ($input: CustomerCreateInput!) { customerCreate(input: $input) {
  created replayed customer { id displayName givenName familyName email phone city state postalCode version store { code }
    contacts { kind value } linkSuggestions { reason customer { id displayName } } }
  userErrors { code message field } } }";

async fn create(t: &TestApp, who: &Session, key: &str, mut fields: Value) -> Value {
    fields["storeId"] = json!(t.austin.to_string());
    fields["idempotencyKey"] = json!(key);
    t.data(who, CREATE, json!({ "input": fields })).await["customerCreate"].take()
}

pub(crate) fn incoming(name: &str, email: Option<(&str, bool)>, phone: Option<&str>) -> IncomingPerson {
    IncomingPerson {
        person: Person::from_full_name(name),
        emails: email.map(|(e, verified)| IncomingEmail { address: EmailAddress::parse(e).unwrap(), verified }).into_iter().collect(),
        phones: phone.map(|p| IncomingPhone { number: PhoneNumber::parse(p).unwrap(), label: None }).into_iter().collect(),
        external_ids: vec![],
    }
}

pub(crate) async fn resolve(t: &TestApp, store: StoreId, who: &IncomingPerson) -> Resolution {
    let mut tx = t.app.db.begin(By::system()).await.unwrap();
    let resolution = t.app.customers.resolve(&mut tx, store, who).await.unwrap();
    tx.commit().await.unwrap();
    resolution
}

#[tokio::test]
async fn entering_a_known_person_completes_the_record_instead_of_doubling_it() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let first = create(
        &t,
        &sam,
        "k1",
        json!({ "givenName": " Zoë ", "familyName": "Quillfeather", "email": "Zoe@Example.com",
                "address": { "city": "Austin", "state": "texas", "postalCode": "78701" } }),
    )
    .await;
    assert_eq!(first["created"], true, "{first}");
    let zoe = &first["customer"];
    assert_eq!((&zoe["displayName"], &zoe["email"], &zoe["state"]), (&json!("Zoë Quillfeather"), &json!("zoe@example.com"), &json!("TX")));
    assert_eq!((&zoe["city"], &zoe["postalCode"], &zoe["store"]["code"]), (&json!("Austin"), &json!("78701"), &json!("austin")));

    let again = create(
        &t,
        &sam,
        "k2",
        json!({ "givenName": "ZOE", "familyName": "quillfeather", "email": "zoe@example.com", "phone": "512 555 0100" }),
    )
    .await;
    assert_eq!(again["created"], false);
    assert_eq!(again["customer"]["id"], zoe["id"]);
    assert_eq!(again["customer"]["displayName"], "Zoë Quillfeather");
    assert_eq!(again["customer"]["phone"], "+15125550100");
    assert_eq!(again["customer"]["contacts"].as_array().unwrap().len(), 2);

    let replay = create(
        &t,
        &sam,
        "k1",
        json!({ "givenName": " Zoë ", "familyName": "Quillfeather", "email": "Zoe@Example.com",
                "address": { "city": "Austin", "state": "texas", "postalCode": "78701" } }),
    )
    .await;
    assert_eq!((&replay["replayed"], &replay["created"], &replay["customer"]["id"]), (&json!(true), &json!(true), &zoe["id"]));
    let input = json!({ "input": { "storeId": t.austin.to_string(), "idempotencyKey": "k1", "givenName": "Other" } });
    let reused = t.graphql(Some(&sam.access), CREATE, input).await;
    assert_eq!(reused["errors"][0]["extensions"]["code"], "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn refusals_can_be_read_aloud() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let nobody = create(&t, &sam, "k1", json!({ "givenName": " " })).await;
    assert_eq!(nobody["userErrors"][0]["code"], "NOBODY_NAMED");
    let bad = create(&t, &sam, "k2", json!({ "givenName": "Ada", "email": "ada at home" })).await;
    assert_eq!(
        bad["userErrors"][0],
        json!({ "code": "CONTACT_INVALID", "message": "This is not an e-mail address.", "field": ["input", "email"] })
    );
    let other = json!({ "input": { "storeId": t.raleigh.to_string(), "idempotencyKey": "k3", "givenName": "Ada" } });
    let other = t.data(&sam, CREATE, other).await;
    assert_eq!(other["customerCreate"]["userErrors"][0]["code"], "NOT_FOUND");
}

#[tokio::test]
async fn customers_are_found_by_name_email_and_phone() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    for (key, given, family, email, phone) in [
        ("a", "José", "Núñez", "jose@example.com", "5125550142"),
        ("b", "Josephine", "O'Neil", "jo@example.com", "5125550143"),
        ("c", "Wei", "Li", "wei@example.com", "5125550199"),
    ] {
        create(&t, &sam, key, json!({ "givenName": given, "familyName": family, "email": email, "phone": phone })).await;
    }
    let search = "query ($search: String) { customers(search: $search) { totalCount nodes { displayName } } }";
    for (line, want) in [
        ("jos", vec!["Josephine O'Neil", "José Núñez"]),
        ("nunez", vec!["José Núñez"]),
        ("Jos oneil", vec!["Josephine O'Neil"]),
        ("wei@example.com", vec!["Wei Li"]),
        ("(512) 555-0142", vec!["José Núñez"]),
        ("0143", vec!["Josephine O'Neil"]),
        ("zz", vec![]),
        ("--", vec![]),
    ] {
        let found = t.data(&sam, search, json!({ "search": line })).await;
        let mut names: Vec<_> =
            found["customers"]["nodes"].as_array().unwrap().iter().map(|n| n["displayName"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, want, "{line}");
        assert_eq!(found["customers"]["totalCount"], want.len(), "{line}");
    }
    let everybody = t.data(&sam, search, json!({})).await;
    assert_eq!(everybody["customers"]["totalCount"], 3);
}

#[tokio::test]
async fn pages_cover_everybody_once() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    for i in 0..7 {
        create(
            &t,
            &sam,
            &format!("k{i}"),
            json!({ "givenName": "Pat", "familyName": format!("Number{}", ["a", "b", "c", "d", "e", "f", "g"][i]) }),
        )
        .await;
    }
    let (mut after, mut seen) = (Value::Null, Vec::new());
    loop {
        let page = t
            .data(
                &sam,
                "query ($after: String) { customers(search: \"pat\", first: 3, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }",
                json!({ "after": after }),
            )
            .await;
        seen.extend(page["customers"]["nodes"].as_array().unwrap().iter().map(|n| n["id"].as_str().unwrap().to_owned()));
        if page["customers"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["customers"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen.len(), 7);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7);
}

#[tokio::test]
async fn another_stores_customer_does_not_exist() {
    let t = TestApp::start().await;
    let (sam, otto) = (t.salesperson().await, t.stranger().await);
    let ada = create(&t, &sam, "k", json!({ "givenName": "Ada", "email": "ada@example.com" })).await["customer"]["id"].clone();
    let read = "query ($id: ID!) { customer(id: $id) { id } customers(search: \"ada\") { totalCount nodes { id } } }";
    let seen = t.data(&otto, read, json!({ "id": ada })).await;
    assert_eq!(seen, json!({ "customer": null, "customers": { "totalCount": 0, "nodes": [] } }));
    let unknown = CustomerId(uuid::Uuid::from_u128(7)).to_string();
    for id in [ada.as_str().unwrap(), &unknown] {
        let input = json!({ "customerId": id, "idempotencyKey": format!("p{id}"), "attribute": "MAKE", "operator": "IS", "value": "Ford" });
        let answer = t
            .data(
                &otto,
                "mutation ($input: PreferenceStateInput!) { preferenceState(input: $input) { userErrors { code message } } }",
                json!({ "input": input }),
            )
            .await;
        assert_eq!(
            answer["preferenceState"]["userErrors"],
            json!([{ "code": "NOT_FOUND", "message": "There is no such customer in your stores." }])
        );
    }
    // The same e-mail in the other store is another customer.
    let there = resolve(&t, t.raleigh, &incoming("Ada", Some(("ada@example.com", true)), None)).await;
    assert!(matches!(there, Resolution::Created { customer } if customer.to_string() != ada.as_str().unwrap()));
    let bad = t.graphql(Some(&sam.access), "{ customer(id: \"veh_00000000000000000000000000\") { id } }", json!({})).await;
    assert_eq!(bad["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn couples_who_share_a_phone_stay_two_and_are_suggested() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let john = create(&t, &sam, "k1", json!({ "givenName": "John", "familyName": "Smith", "phone": "5125550100" })).await;
    let jane = create(&t, &sam, "k2", json!({ "givenName": "Jane", "familyName": "Smith", "phone": "5125550100" })).await;
    assert_eq!(jane["created"], true);
    assert_eq!(
        jane["customer"]["linkSuggestions"],
        json!([{ "reason": "SAME_PHONE", "customer": { "id": john["customer"]["id"], "displayName": "John Smith" } }])
    );
    let dismiss = t
        .data(
            &sam,
            "mutation ($input: LinkSuggestionDismissInput!) { linkSuggestionDismiss(input: $input) { customer { linkSuggestions { reason } } userErrors { code } } }",
            json!({ "input": { "customerId": john["customer"]["id"], "otherId": jane["customer"]["id"] } }),
        )
        .await;
    assert_eq!(dismiss["linkSuggestionDismiss"], json!({ "customer": { "linkSuggestions": [] }, "userErrors": [] }));
    // Dismissed stays dismissed when she comes again, and she is recognised.
    let again = resolve(&t, t.austin, &incoming("Jane Smith", None, Some("5125550100"))).await;
    assert_eq!(again.customer_id().to_string(), jane["customer"]["id"].as_str().unwrap());
    let seen = t
        .data(&sam, "query ($id: ID!) { customer(id: $id) { linkSuggestions { reason } } }", json!({ "id": jane["customer"]["id"] }))
        .await;
    assert_eq!(seen["customer"]["linkSuggestions"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_leads_of_one_new_person_at_once_make_one_customer() {
    let t = TestApp::start().await;
    let mut tasks = Vec::new();
    for i in 0..16 {
        let (db, customers, store) = (t.app.db.clone(), t.app.customers.clone(), t.austin);
        // Half of them also bring the phone, in another order of details.
        let who = incoming("Ada Lovelace", Some(("ada@example.com", false)), (i % 2 == 0).then_some("5125550100"));
        tasks.push(tokio::spawn(async move {
            let mut tx = db.begin(By::system()).await.unwrap();
            let resolution = customers.resolve(&mut tx, store, &who).await.unwrap();
            tx.commit().await.unwrap();
            resolution
        }));
    }
    let mut ids = Vec::new();
    let mut created = 0;
    for task in tasks {
        let resolution = task.await.unwrap();
        created += usize::from(matches!(resolution, Resolution::Created { .. }));
        ids.push(resolution.customer_id());
    }
    ids.dedup();
    assert_eq!((ids.len(), created), (1, 1));
    let rows = sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM customer"#).fetch_one(t.app.db.pool()).await.unwrap();
    let contacts = sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM customer_contact"#).fetch_one(t.app.db.pool()).await.unwrap();
    assert_eq!((rows, contacts), (1, 2));
}

/// Everything a merge may touch, as text, without versions and times of change.
async fn snapshot(t: &TestApp) -> String {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT line FROM (
           SELECT 'contact ' || id || ' ' || customer_id || ' ' || coalesce(verified_at::text, '-') AS line FROM customer_contact
           UNION ALL SELECT 'preference ' || id || ' ' || customer_id || ' ' || occurrences FROM preference
           UNION ALL SELECT 'consent ' || id || ' ' || customer_id FROM consent
           UNION ALL SELECT 'event ' || id || ' ' || customer_id FROM channel_event
           UNION ALL SELECT 'customer ' || id || ' ' || coalesce(merged_into::text, '-') || ' ' || search_tokens::text FROM customer) s
         ORDER BY line",
    )
    .fetch_all(t.app.db.pool())
    .await
    .unwrap();
    rows.join("\n")
}

async fn observe(t: &TestApp, customer: CustomerId, raw: &str, times: usize) {
    let wish = Wish::parse(PreferenceAttribute::BodyStyle, PreferenceOperator::Is, raw).unwrap();
    let new = NewPreference::observed(wish, PreferenceBehaviour::Viewed, "WEB", t.app.db.now());
    for _ in 0..times {
        let mut tx = t.app.db.begin(By::system()).await.unwrap();
        t.app.customers.record_preference(&mut tx, t.austin, customer, &new).await.unwrap().unwrap();
        tx.commit().await.unwrap();
    }
}

const MERGE: &str = "mutation ($input: CustomerMergeInput!) { customerMerge(input: $input) {
  mergeId replayed customer { id displayName phone email preferences { value occurrences } mergedFrom { id reason mergedCustomerId } }
  userErrors { code message } } }";
const UNDO: &str = "mutation ($input: CustomerMergeUndoInput!) { customerMergeUndo(input: $input) {
  survivor { id phone mergedFrom { id } preferences { value occurrences } } restored { id displayName mergedIntoId preferences { value occurrences } }
  userErrors { code } } }";

async fn merge(t: &TestApp, who: &Session, key: &str, survivor: CustomerId, merged: CustomerId) -> Value {
    let input =
        json!({ "survivorId": survivor.to_string(), "mergedId": merged.to_string(), "idempotencyKey": key, "reason": "same person" });
    t.data(who, MERGE, json!({ "input": input })).await["customerMerge"].take()
}

async fn undo(t: &TestApp, who: &Session, merge: &Value) -> Value {
    t.data(who, UNDO, json!({ "input": { "mergeId": merge } })).await["customerMergeUndo"].take()
}

#[tokio::test]
async fn a_merge_moves_everything_and_undo_brings_it_back_exactly() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let a = resolve(&t, t.austin, &incoming("Bob Dole", Some(("bob@example.com", true)), None)).await.customer_id();
    let b = resolve(&t, t.austin, &incoming("Robert Dole", Some(("bob@example.com", false)), Some("5125550100"))).await;
    assert!(matches!(&b, Resolution::Suggested { others, .. } if others == &[a]), "{b:?}");
    let b = b.customer_id();
    for (customer, body, times) in [(a, "suv", 2), (b, "suv", 3), (b, "sedan", 1)] {
        observe(&t, customer, body, times).await;
    }
    sqlx::query!(
        "INSERT INTO channel_event (id, store_id, customer_id, channel, name, kind, source, external_id, occurred_at, received_at)
         VALUES (gen_random_uuid(), $1, $2, 'WEB', 'asc_item_pageview', 'VIEWED', 'site', 'e1', now(), now())",
        t.austin.0,
        b.0
    )
    .execute(t.app.db.pool())
    .await
    .unwrap();
    let before = snapshot(&t).await;

    let done = merge(&t, &sam, "m1", a, b).await;
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(done["customer"]["displayName"], "Bob Dole");
    assert_eq!(done["customer"]["phone"], "+15125550100");
    assert_eq!(done["customer"]["mergedFrom"][0]["mergedCustomerId"], b.to_string());
    let mut wishes: Vec<_> = done["customer"]["preferences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["value"].as_str().unwrap(), p["occurrences"].as_i64().unwrap()))
        .collect();
    wishes.sort_unstable();
    assert_eq!(wishes, [("SEDAN", 1), ("SUV", 5)]);
    // The merged name finds the survivor; what comes in for the merged record lands on the survivor.
    let found = t.data(&sam, "{ customers(search: \"robert\") { totalCount nodes { id } } }", json!({})).await;
    assert_eq!(found["customers"], json!({ "totalCount": 1, "nodes": [{ "id": a.to_string() }] }));
    let replay = merge(&t, &sam, "m1", a, b).await;
    assert_eq!((&replay["replayed"], &replay["mergeId"]), (&json!(true), &done["mergeId"]));
    assert_eq!(merge(&t, &sam, "m2", a, b).await["userErrors"][0]["code"], "ALREADY_MERGED");
    assert_eq!(merge(&t, &sam, "m3", a, a).await["userErrors"][0]["code"], "SAME_RECORD");

    let undone = undo(&t, &sam, &done["mergeId"]).await;
    assert_eq!(undone["userErrors"], json!([]));
    assert_eq!((&undone["survivor"]["phone"], &undone["survivor"]["mergedFrom"]), (&Value::Null, &json!([])));
    assert_eq!(undone["restored"]["displayName"], "Robert Dole");
    assert_eq!(snapshot(&t).await, before);
    assert_eq!(undo(&t, &sam, &done["mergeId"]).await["userErrors"][0]["code"], "ALREADY_UNDONE");
}

#[tokio::test]
async fn chains_of_merges_are_undone_last_first() {
    let t = TestApp::start().await;
    let (sam, otto) = (t.salesperson().await, t.stranger().await);
    let mut ids = Vec::new();
    for name in ["Ann Lee", "Anne Lee", "Annie Lee"] {
        let email = format!("{}@example.com", name.split(' ').next().unwrap().to_lowercase());
        let id = resolve(&t, t.austin, &incoming(name, Some((&email, false)), None)).await.customer_id();
        observe(&t, id, "suv", 1).await;
        ids.push(id);
    }
    let (a, b, c) = (ids[0], ids[1], ids[2]);
    let start = snapshot(&t).await;
    let first = merge(&t, &sam, "m1", b, a).await["mergeId"].clone();
    let between = snapshot(&t).await;
    let second = merge(&t, &sam, "m2", c, b).await["mergeId"].clone();
    // Ann was merged into Anne, who was merged into Annie: a wish heard for Ann lands on Annie.
    observe(&t, a, "suv", 1).await;
    let annie = t.app.customers.preferences(&scope(&t).await, &[c]).await.unwrap();
    assert_eq!(annie.iter().map(|p| p.occurrences).collect::<Vec<_>>(), [4]);
    assert_eq!(undo(&t, &sam, &first).await["userErrors"][0]["code"], "LATER_MERGE");
    assert_eq!(undo(&t, &otto, &second).await["userErrors"][0]["code"], "NOT_FOUND");
    undo(&t, &sam, &second).await;
    // What came in since stays with the survivor: Annie keeps the extra view.
    let c_views = |text: String, n: u32| text.replace(&format!("{} {n}", c.uuid()), &format!("{} 1", c.uuid()));
    assert_eq!(c_views(snapshot(&t).await, 2), between);
    undo(&t, &sam, &first).await;
    assert_eq!(c_views(snapshot(&t).await, 2), start);
}

async fn scope(t: &TestApp) -> deskless::auth::Scope {
    let machine = t.machine("scope-machine", &[(t.austin, Role::SalesManager)]).await;
    t.app.auth.authenticate(&machine).await.expect("the machine").actor.selling_scope()
}

#[tokio::test]
async fn personal_data_is_nowhere_in_the_clear() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let made = create(
        &t,
        &sam,
        "k1",
        json!({ "givenName": "Xanthippe", "familyName": "Wolfeschlegel", "email": "xanthippe@secret-mail.example", "phone": "+15125559876",
                "address": { "street": "7 Hidden Hollow", "city": "Marfa", "state": "TX", "postalCode": "79843" } }),
    )
    .await;
    let other = create(&t, &sam, "k2", json!({ "givenName": "Xan", "familyName": "Wolfeschlegel", "phone": "+15125559876" })).await;
    let ids = [&made, &other].map(|m| CustomerId::parse(m["customer"]["id"].as_str().unwrap()).unwrap());
    merge(&t, &sam, "m", ids[0], ids[1]).await;
    let tables: Vec<String> = sqlx::query_scalar("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_all(t.app.db.pool())
        .await
        .unwrap();
    assert!(tables.len() > 20);
    for table in tables {
        // Every row as text; bytea shows as hex, so the hex of the needle is looked for as well.
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT lower(r::text) FROM {table} r")))
            .fetch_all(t.app.db.pool())
            .await
            .unwrap();
        for needle in ["xanthippe", "wolfeschlegel", "secret-mail", "5125559876", "hidden hollow", "marfa"] {
            let hex: String = needle.bytes().map(|b| format!("{b:02x}")).collect();
            assert!(!rows.iter().any(|row| row.contains(needle) || row.contains(&hex)), "{needle} in {table}");
        }
    }
    let customer = t.app.customers.find(&scope(&t).await, ids[0]).await.unwrap().unwrap();
    assert!(customer.display_name().contains("Xanthippe"));
    let shown = format!("{customer:?} {:?}", t.app.customers);
    assert!(
        !shown.contains("Xanthippe") && !shown.contains("secret-mail") && !shown.contains("9876") && !shown.contains("Marfa"),
        "{shown}"
    );
}
