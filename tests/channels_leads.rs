//! Leads through the door: every real lead, duplicates, resends, crowds, strangers, hostile documents.

use std::collections::BTreeMap;

use axum::body::Body;
use deskless::auth::Role;
use deskless::customers::CustomerParts;
use deskless::kernel::id::{CustomerId, LeadId};
use http::StatusCode;
use serde_json::{Value, json};

use crate::helpers::{PATIENCE, TestApp, until};

pub async fn post(app: &TestApp, key: &str, path: &str, media: &str, body: impl Into<Body>) -> (StatusCode, Value) {
    let request = http::Request::post(path).header("content-type", media).header("authorization", format!("Bearer {key}"));
    let response = app.send(request.body(body.into()).unwrap()).await;
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 4 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))))
}

async fn lead(app: &TestApp, key: &str, body: impl Into<Body>) -> Vec<Value> {
    let (status, answer) = post(app, key, "/channels/adf?store=austin", "application/xml", body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    answer["leads"].as_array().unwrap().clone()
}

async fn channel(app: &TestApp) -> String {
    app.machine("web", &[(app.austin, Role::Channel)]).await
}

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(app.app.db.pool()).await.unwrap()
}

fn folder() -> Option<std::path::PathBuf> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    ["../shared/data/adf", "../../shared/data/adf"].iter().map(|f| root.join(f)).find(|f| f.join("expected.json").exists())
}

fn statuses(leads: &[Value]) -> Vec<&str> {
    leads.iter().map(|l| l["status"].as_str().unwrap()).collect()
}

/// `attribute operator value` of what a lead's customer wishes.
async fn wishes(app: &TestApp, lead: &Value) -> (CustomerId, Vec<String>) {
    let actor = app.app.auth.authenticate(&app.salesperson_or_sign_in().await).await.unwrap().actor;
    let scope = actor.selling_scope();
    let id: LeadId = lead["id"].as_str().unwrap().parse().unwrap();
    let customer = app.app.channels.find(&scope, id).await.unwrap().unwrap().customer_id.unwrap();
    let preferences = app.app.customers.preferences(&scope, &[customer]).await.unwrap();
    let said = preferences.iter().map(|p| format!("{} {} {}", p.wish.attribute(), p.wish.operator(), p.wish.value()));
    (customer, said.collect())
}

impl TestApp {
    async fn salesperson_or_sign_in(&self) -> String {
        let known: i64 = sqlx::query_scalar("SELECT count(*) FROM app_user WHERE login = 'sam@example.com'")
            .fetch_one(self.app.db.pool())
            .await
            .unwrap();
        if known == 0 { self.salesperson().await.access } else { self.sign_in("sam@example.com").await.access }
    }
}

#[tokio::test]
async fn every_real_lead_becomes_its_customer_or_waits_for_a_person() {
    let Some(folder) = folder() else {
        println!("skipped: no ../shared/data/adf");
        return;
    };
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let mut seen: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "xml")).collect();
    files.sort();
    for file in &files {
        seen.insert(file.file_name().unwrap().to_str().unwrap().to_owned(), lead(&app, &key, std::fs::read(file).unwrap()).await);
    }
    assert_eq!(seen.len(), 18);
    for (file, leads) in &seen {
        let want: &[&str] = match file.as_str() {
            "malformed-broken-tag.xml" | "unfilled-template.xml" => &["NEEDS_PERSON"],
            "two-prospects-one-resend.xml" => &["NEEDS_PERSON", "NEEDS_PERSON"],
            _ => &["ACCEPTED"],
        };
        assert_eq!(statuses(leads), want, "{file}: {leads:?}");
    }
    assert!(seen["unfilled-template.xml"][0]["reason"].as_str().unwrap().contains("[first_name]"));
    assert!(seen["malformed-broken-tag.xml"][0]["reason"].as_str().unwrap().contains("not well formed"));

    // 15 accepted leads; the two that name one "John Doe" with one phone are the same person.
    assert_eq!(count(&app, "SELECT count(*) FROM lead").await, 19);
    assert_eq!(
        count(&app, "SELECT count(DISTINCT customer_id) FROM lead WHERE status = 'ACCEPTED'").await,
        count(&app, "SELECT count(*) FROM customer").await
    );
    let (one, _) = wishes(&app, &seen["spec-minimal.xml"][0]).await;
    assert_eq!(one, wishes(&app, &seen["sendadf-one-line.xml"][0]).await.0);

    let (_, said) = wishes(&app, &seen["preferences-colours-finance-terms.xml"][0]).await;
    for wish in [
        "CONDITION IS NEW",
        "MAKE IS Volvo",
        "MODEL IS XC90",
        "TRIM IS R-Design",
        "MODEL_YEAR IS 2020",
        "BODY_STYLE IS SUV",
        "DOORS IS 5",
        "TRANSMISSION IS AUTOMATIC",
        "EXTERIOR_COLOR IS BLACK",
        "EXTERIOR_COLOR IS GRAY",
        "INTERIOR_COLOR IS RED",
        "FEATURE IS sport seats",
        "DOWN_PAYMENT AT_MOST 10000.00",
        "TERM_MONTHS IS 24",
    ] {
        assert!(said.contains(&wish.to_owned()), "{wish} is missing in {said:?}");
    }
    // 425.25 every two weeks is no monthly payment.
    assert!(!said.iter().any(|wish| wish.starts_with("MONTHLY_PAYMENT")), "{said:?}");
    // The vehicle somebody offers is never what they want, and a price of 0.00 is none.
    assert!(wishes(&app, &seen["trade-in-is-the-only-vehicle.xml"][0]).await.1.is_empty());
    let (_, traded) = wishes(&app, &seen["trade-in-empty-odometer.xml"][0]).await;
    assert!(
        traded.contains(&"MODEL IS Street Glide Special".to_owned()) && !traded.iter().any(|w| w.contains("FLHCS") || w.contains("PRICE")),
        "{traded:?}"
    );
    assert_eq!(count(&app, "SELECT count(*) FROM consent WHERE granted").await, 3);

    let actor = app.app.auth.authenticate(&app.sign_in("sam@example.com").await.access).await.unwrap().actor;
    let (jose, _) = wishes(&app, &seen["latin1-accents.xml"][0]).await;
    let found = app.app.customers.find_with(&actor.selling_scope(), &[jose], CustomerParts::default()).await.unwrap();
    assert_eq!(found[0].customer.display_name(), "José Núñez");

    // Personal and credit data of the free text is nowhere in the clear.
    let clear: Vec<String> =
        sqlx::query_scalar("SELECT summary::text || coalesce(source, '') || coalesce(status_reason, '') FROM lead UNION ALL SELECT detail::text FROM audit_event")
            .fetch_all(app.app.db.pool())
            .await
            .unwrap();
    for secret in ["1980-11-17", "5500", "EmployerName", "Marlon", "555", "@example.com", "Priya"] {
        assert!(!clear.iter().any(|text| text.contains(secret)), "{secret}");
    }

    // Everything once more: nobody new, nothing new to do.
    let (customers, preferences) =
        (count(&app, "SELECT count(*) FROM customer").await, count(&app, "SELECT count(*) FROM preference").await);
    for file in &files {
        for again in lead(&app, &key, std::fs::read(file).unwrap()).await {
            assert!(matches!(again["status"].as_str(), Some("DUPLICATE" | "RESEND")), "{file:?}: {again}");
            assert!(again["duplicateOf"].is_string());
        }
    }
    assert_eq!(customers, count(&app, "SELECT count(*) FROM customer").await);
    assert_eq!(preferences, count(&app, "SELECT count(*) FROM preference").await);
    // What came is kept as it came.
    let kept = seen["credit-fields-in-comments.xml"][0]["id"].as_str().unwrap().parse().unwrap();
    let raw = app.app.channels.raw_text(&actor, kept).await.unwrap().unwrap();
    assert_eq!(raw.into_bytes(), std::fs::read(folder.join("credit-fields-in-comments.xml")).unwrap());
}

fn adf(id: &str, status: &str, phone: &str, extra: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><adf><prospect status=\"{status}\"><id source=\"AutoMarket\">{id}</id><requestdate>2026-11-20T10:00:00-06:00</requestdate>\
         <vehicle status=\"used\"><year>2021</year><make>Honda</make><model>CR-V</model>{extra}</vehicle><customer><contact>\
         <name part=\"first\">Grace</name><name part=\"last\">Hopper</name><phone>{phone}</phone></contact></customer></prospect></adf>"
    )
}

#[tokio::test]
async fn a_changed_lead_sent_again_updates_the_customer() {
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let monthly = |amount: &str| format!("<finance><amount type=\"monthly\" limit=\"maximum\">{amount}</amount></finance>");
    let first = lead(&app, &key, adf("AM-1001", "new", "512-555-0142", &monthly("450"))).await.remove(0);
    assert_eq!(first["status"], "ACCEPTED");
    let again = lead(&app, &key, adf("AM-1001", "resend", "512-555-0142", &monthly("450"))).await.remove(0);
    assert_eq!((&again["status"], &again["duplicateOf"]), (&json!("RESEND"), &first["id"]));
    // The phone was corrected, the payment changed: the same id and name are the same person.
    let changed = lead(&app, &key, adf("AM-1001", "new", "512-555-0143", &monthly("500"))).await.remove(0);
    assert_eq!((&changed["status"], &changed["duplicateOf"]), (&json!("RESEND"), &first["id"]));
    let (_, said) = wishes(&app, &changed).await;
    assert!(
        said.contains(&"MONTHLY_PAYMENT AT_MOST 500.00".to_owned()) && !said.contains(&"MONTHLY_PAYMENT AT_MOST 450.00".to_owned()),
        "{said:?}"
    );
    assert_eq!(said.iter().filter(|w| *w == "MAKE IS Honda").count(), 1);
    assert_eq!(count(&app, "SELECT count(*) FROM customer").await, 1);
    // Marked as sent again, without an id, by the same person.
    let anonymous = adf("x", "resend", "512-555-0142", "").replace("AutoMarket", "web");
    let unknown = lead(&app, &key, anonymous).await.remove(0);
    assert_eq!(unknown["status"], "ACCEPTED", "another sender: {unknown}");
}

#[tokio::test]
async fn two_wanted_vehicles_of_one_lead_are_no_change_of_mind() {
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let extra = "<price type=\"offer\">21k</price></vehicle><vehicle><year>2019</year><make>Toyota</make><doors>2</doors><price type=\"offer\">26,000</price>";
    let sent = lead(&app, &key, adf("AM-2", "new", "512-555-0142", extra)).await.remove(0);
    let (customer, said) = wishes(&app, &sent).await;
    for wish in ["PRICE AT_MOST 26000.00", "MODEL_YEAR AT_LEAST 2019", "MODEL_YEAR AT_MOST 2021", "MAKE IS Honda", "MAKE IS Toyota"] {
        assert!(said.contains(&wish.to_owned()), "{wish} is missing in {said:?}");
    }
    assert!(!said.contains(&"PRICE AT_MOST 21000.00".to_owned()));
    let sam = app.sign_in("sam@example.com").await;
    let asked = "query($id: ID!) { customer(id: $id) { contradictions { sentence } } }";
    let told = app.data(&sam, asked, json!({ "id": customer.to_string() })).await;
    assert_eq!(told["customer"]["contradictions"], json!([]));
}

#[tokio::test]
async fn an_id_used_for_two_people_does_not_mix_them_up() {
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let grace = lead(&app, &key, adf("1001", "new", "512-555-0142", "")).await.remove(0);
    let other =
        lead(&app, &key, adf("1001", "new", "512-555-0199", "").replace("Grace", "Alan").replace("Hopper", "Turing")).await.remove(0);
    assert_eq!((&grace["status"], &other["status"]), (&json!("ACCEPTED"), &json!("ACCEPTED")));
    assert!(other["reason"].as_str().unwrap().contains("another person"));
    let again = lead(&app, &key, adf("1001", "new", "512-555-0142", "<doors>5</doors>")).await.remove(0);
    assert_eq!((&again["status"], &again["duplicateOf"]), (&json!("RESEND"), &grace["id"]), "the first person's next version");
    assert_eq!(count(&app, "SELECT count(*) FROM customer").await, 2);
}

#[tokio::test]
async fn a_request_changed_back_is_no_repetition() {
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let of = |model: &str| adf("AM-9", "new", "512-555-0142", "").replace("CR-V", model);
    let mut seen = Vec::new();
    for model in ["Accord", "Civic", "Civic", "Accord", "Accord", "Civic", "Odyssey"] {
        app.clock.advance(chrono::Duration::seconds(1));
        seen.push(lead(&app, &key, of(model)).await.remove(0));
        let (_, said) = wishes(&app, seen.last().unwrap()).await;
        let models: Vec<&String> = said.iter().filter(|wish| wish.starts_with("MODEL IS")).collect();
        assert_eq!(models, [&format!("MODEL IS {model}")], "{}", seen.len());
    }
    assert_eq!(statuses(&seen), ["ACCEPTED", "RESEND", "DUPLICATE", "RESEND", "DUPLICATE", "RESEND", "RESEND"]);
    // What the sender dates before the change is an old delivery that came late.
    let old = of("Accord").replace("2026-11-20T10:00", "2026-11-19T10:00");
    let mut late = Vec::new();
    for body in [old.replace("AM-9", "AM-8"), of("Civic").replace("AM-9", "AM-8"), old.replace("AM-9", "AM-8")] {
        app.clock.advance(chrono::Duration::seconds(1));
        late.push(lead(&app, &key, body).await.remove(0));
    }
    assert_eq!(statuses(&late), ["ACCEPTED", "RESEND", "DUPLICATE"]);
}

#[tokio::test]
async fn a_lead_tells_what_the_sender_wrote_and_finds_the_vehicle_by_any_spelling() {
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let body = "<adf><prospect><requestdate>2026-11-20 10:00 AM</requestdate><vehicle><make>Jeep</make><vin>1C4 1JECT1 KC193295</vin><stock>#AU10235</stock>\
         <finance><method>finance</method></finance><comments>the blue one</comments></vehicle><vehicle interest=\"trade-in\"><make>Ford</make>\
         <condition>Rough</condition><finance><balance currency=\"USD\">7,500</balance></finance></vehicle><customer><contact><name>Ada King</name>\
         <phone preferredcontact=\"1\">512-555-0142</phone></contact><timeframe><description>before Christmas</description>\
         <earliestdate>2026-12-01</earliestdate></timeframe><comments>Is it there?</comments></customer></prospect></adf>";
    let sent = lead(&app, &key, body).await.remove(0);
    let sam = app.salesperson().await;
    let asked = "query($id: ID!) { lead(id: $id) { requestedAt earliest preferredContact warnings words { comments timeframe vehicleComments } \
         vehicles { vin stockNumber statedCondition financeMethod balanceAmount balanceCurrency } } }";
    let told = app.data(&sam, asked, json!({ "id": sent["id"] })).await;
    let told = &told["lead"];
    assert_eq!((&told["preferredContact"], &told["warnings"]), (&json!("PHONE"), &json!([])));
    assert_eq!(
        told["words"],
        json!({ "comments": "Is it there?", "timeframe": "before Christmas", "vehicleComments": ["the blue one", null] })
    );
    let wanted = &told["vehicles"][0];
    assert_eq!((&wanted["vin"], &wanted["stockNumber"]), (&json!("1C4 1JECT1 KC193295"), &json!("#AU10235")));
    assert_eq!(wanted["financeMethod"], "finance");
    let traded = &told["vehicles"][1];
    assert_eq!((&traded["statedCondition"], &traded["balanceAmount"]), (&json!("Rough"), &json!("7500.00")));
    assert_eq!(traded["balanceCurrency"], "USD");
    let earliest: chrono::DateTime<chrono::Utc> = told["earliest"].as_str().unwrap().parse().unwrap();
    let requested: chrono::DateTime<chrono::Utc> = told["requestedAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(earliest.to_rfc3339(), "2026-12-01T06:00:00+00:00", "midnight in Austin");
    assert_eq!(requested.to_rfc3339(), "2026-11-20T16:00:00+00:00");
}

#[tokio::test]
async fn a_lead_is_read_from_the_mail_it_came_in_and_other_mail_is_kept() {
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let path = "/channels/adf?store=austin";
    let body = adf("AM-11", "new", "512-555-0142", "").replace('=', "=3D").replace("<customer>", "<cust=\r\nomer>");
    let head = "From: a@b.de\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    let (_, answer) = post(&app, &key, path, "message/rfc822", format!("{head}{body}")).await;
    assert_eq!(answer["leads"][0]["status"], "ACCEPTED", "{answer}");
    let (_, answer) = post(&app, &key, path, "text/plain", body).await;
    assert_eq!(answer["leads"][0]["status"], "DUPLICATE", "the same without its headers: {answer}");
    for (media, body) in [("message/rfc822", format!("{head}Hello!")), ("text/html", "<html><body>Hello!</body></html>".to_owned())] {
        let (status, answer) = post(&app, &key, path, media, body).await;
        assert_eq!((status, &answer["leads"][0]["status"]), (StatusCode::ACCEPTED, &json!("NEEDS_PERSON")), "{answer}");
        assert!(answer["leads"][0]["reason"].as_str().unwrap().contains("no <adf>"));
    }
}

#[tokio::test]
async fn a_hundred_copies_at_once_are_one_lead_and_one_customer() {
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let copies = (0..100).map(|_| lead(&app, &key, adf("AM-7", "new", "512-555-0142", "")));
    let answers: Vec<Value> = futures::future::join_all(copies).await.into_iter().flatten().collect();
    let accepted: Vec<&Value> = answers.iter().filter(|l| l["status"] == "ACCEPTED").collect();
    assert_eq!((answers.len(), accepted.len()), (100, 1));
    assert!(answers.iter().filter(|l| l["status"] == "DUPLICATE").all(|l| l["duplicateOf"] == accepted[0]["id"]));
    assert_eq!(count(&app, "SELECT count(*) FROM customer").await, 1);
    assert_eq!(count(&app, "SELECT count(*) FROM lead WHERE customer_id IS NULL").await, 0);
    // Fifty different leads of one person at once are one customer too.
    let leads = (0..50).map(|n| lead(&app, &key, adf(&format!("B-{n}000"), "new", "512-555-0142", "")));
    futures::future::join_all(leads).await;
    assert_eq!(count(&app, "SELECT count(*) FROM customer").await, 1);
    assert_eq!(count(&app, "SELECT count(*) FROM lead WHERE status = 'ACCEPTED'").await, 51);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leads_of_one_person_that_wait_leave_the_connections_to_others() {
    let app = std::sync::Arc::new(TestApp::start().await);
    let (key, sam) = (channel(&app).await, app.salesperson().await);
    lead(&app, &key, adf("W-0000", "new", "512-555-0142", "")).await;
    // Somebody works on the customer's record, longer than usual.
    let mut busy = app.database.pool().begin().await.unwrap();
    sqlx::query("SELECT id FROM customer FOR UPDATE").fetch_all(&mut *busy).await.unwrap();
    // More leads than the program has connections.
    let leads: Vec<_> = (1..=40)
        .map(|n| {
            let (app, key) = (std::sync::Arc::clone(&app), key.clone());
            tokio::spawn(async move { lead(&app, &key, adf(&format!("W-{n}000"), "new", "512-555-0142", "")).await })
        })
        .collect();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waits = async || sqlx::query_scalar::<_, i64>(waiting).fetch_one(app.database.pool()).await.unwrap();
    until("one waits in the database", async || waits().await > 0).await;
    let others = app.data(&sam, "{ vehicles { totalCount } customers { totalCount } }", json!({}));
    let others = tokio::time::timeout(PATIENCE, others).await.expect("others are served meanwhile");
    assert_eq!(others["customers"]["totalCount"], 1);
    assert_eq!(waits().await, 1, "and the rest of the crowd before it");
    busy.rollback().await.unwrap();
    for done in futures::future::join_all(leads).await {
        assert_eq!(done.unwrap()[0]["status"], "ACCEPTED");
    }
    assert_eq!(count(&app, "SELECT count(*) FROM customer").await, 1);
    assert_eq!(count(&app, "SELECT count(*) FROM lead").await, 41);
}

#[tokio::test]
async fn strangers_and_other_formats_are_refused_before_anything_is_kept() {
    let app = TestApp::start().await;
    let (key, other) = (channel(&app).await, app.machine("other", &[(app.raleigh, Role::Channel)]).await);
    let (sam, partner) = (app.salesperson().await.access, app.machine("lender", &[(app.austin, Role::Partner)]).await);
    let path = "/channels/adf?store=austin";
    let xml = "application/xml";
    for (key, path, media, body, status, code) in [
        ("", path, xml, "<adf/>", 401, "UNAUTHENTICATED"),
        ("dk_nonsense", path, xml, "<adf/>", 401, "UNAUTHENTICATED"),
        (other.as_str(), path, xml, "<adf/>", 404, "STORE_NOT_FOUND"),
        (sam.as_str(), path, xml, "<adf/>", 404, "STORE_NOT_FOUND"),
        (partner.as_str(), path, xml, "<adf/>", 404, "STORE_NOT_FOUND"),
        (key.as_str(), "/channels/adf?store=nowhere", xml, "<adf/>", 404, "STORE_NOT_FOUND"),
        (key.as_str(), "/channels/adf", xml, "<adf/>", 400, "STORE_MISSING"),
        (key.as_str(), path, "image/png", "<adf/>", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (key.as_str(), path, xml, " \n", 400, "EMPTY_BODY"),
    ] {
        let (got, problem) = post(&app, key, path, media, body).await;
        assert_eq!((got.as_u16(), &problem["code"]), (status, &json!(code)), "{path} {media}");
        assert!(problem["requestId"].is_string() && problem["title"].is_string());
    }
    let (status, _) = post(&app, &key, path, xml, vec![b'x'; (1 << 20) + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let get = http::Request::get(path).header("authorization", format!("Bearer {key}")).body(Body::empty()).unwrap();
    assert_eq!(app.send(get).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(count(&app, "SELECT count(*) FROM lead").await, 0);
}

#[tokio::test]
async fn compressed_leads_are_read_and_bombs_are_cut() {
    use std::io::Write;
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let send = async |body: Vec<u8>| {
        let request = http::Request::post("/channels/adf?store=austin")
            .header("content-encoding", "gzip")
            .header("authorization", format!("Bearer {key}"));
        app.send(request.body(Body::from(body)).unwrap()).await.status()
    };
    assert_eq!(send(gzip(adf("1", "new", "512-555-0142", "").as_bytes())).await, StatusCode::ACCEPTED);
    let bomb = gzip(&vec![b'<'; 32 << 20]);
    assert_eq!(send(bomb).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(send(b"nonsense".to_vec()).await, StatusCode::BAD_REQUEST);
    assert_eq!(count(&app, "SELECT count(*) FROM lead").await, 1);
}

#[tokio::test]
async fn hostile_documents_are_kept_for_a_person_and_never_expanded() {
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let customer = "<adf><prospect><customer><contact><name>&x;</name><phone>512-555-0142</phone></contact></customer></prospect></adf>";
    for (body, reason) in [
        (format!("<!DOCTYPE adf [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>{customer}"), "declarations are refused"),
        (format!("<!DOCTYPE adf [<!ENTITY a \"aaaa\"><!ENTITY x \"&a;&a;\">]>{customer}"), "declarations are refused"),
        ("<adf>".repeat(50_000), "nested deeper"),
        ("<".repeat(64 << 10), "no <adf>"),
        ("no lead at all".to_owned(), "no <adf>"),
    ] {
        let leads = lead(&app, &key, body.clone()).await;
        assert_eq!(statuses(&leads), ["NEEDS_PERSON"]);
        assert!(leads[0]["reason"].as_str().unwrap().contains(reason), "{}", leads[0]);
    }
    assert_eq!(count(&app, "SELECT count(*) FROM customer").await, 0);
    // An entity nobody declared stays the text it is.
    assert_eq!(statuses(&lead(&app, &key, customer).await), ["ACCEPTED"]);
}

#[tokio::test]
async fn a_waiting_lead_is_attached_or_dismissed_once_by_its_store() {
    use deskless::channels::{ChannelsError, LeadDecision};
    let app = TestApp::start().await;
    let key = channel(&app).await;
    let waiting = |phone: &str| adf("", "new", phone, "").replace("Grace", "[first_name]");
    let one: LeadId = lead(&app, &key, waiting("512-555-0150")).await[0]["id"].as_str().unwrap().parse().unwrap();
    let two: LeadId = lead(&app, &key, waiting("512-555-0151")).await[0]["id"].as_str().unwrap().parse().unwrap();
    let known = lead(&app, &key, adf("AM-1", "new", "512-555-0142", "").replace("Honda", "Ford")).await.remove(0);
    let (customer, _) = wishes(&app, &known).await;
    let sam = app.app.auth.authenticate(&app.sign_in("sam@example.com").await.access).await.unwrap().actor;
    let otto = app.app.auth.authenticate(&app.stranger().await.access).await.unwrap().actor;
    let channels = &app.app.channels;
    let by = || sam.by(None);
    assert!(matches!(channels.resolve(&otto, by(), one, LeadDecision::Dismiss("x".into())).await, Err(ChannelsError::LeadNotFound)));
    assert!(channels.raw_text(&otto, one).await.unwrap().is_none());
    assert!(matches!(channels.resolve(&sam, by(), one, LeadDecision::Dismiss(" ".into())).await, Err(ChannelsError::BadReason)));
    let attached = channels.resolve(&sam, by(), one, LeadDecision::Attach(customer, None)).await.unwrap();
    assert_eq!((attached.customer_id, attached.resolved_by), (Some(customer), Some(sam.user_id())));
    assert!(matches!(channels.resolve(&sam, by(), one, LeadDecision::Dismiss("x".into())).await, Err(ChannelsError::NotWaiting)));
    let dismissed = channels.resolve(&sam, by(), two, LeadDecision::Dismiss("a test of the sender".into())).await.unwrap();
    assert_eq!(dismissed.resolution_note.as_deref(), Some("a test of the sender"));
    let (_, said) = wishes(&app, &known).await;
    assert!(said.contains(&"MAKE IS Honda".to_owned()), "what the attached lead wished is known now: {said:?}");
}
