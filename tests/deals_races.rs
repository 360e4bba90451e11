//! Many at once: one car, one key, one version, a client that hangs up. RELIABILITY.md rows 1 to 4, 18, 19.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{ID, Request, ValidationMode, Variables};
use deskless::graphql::RequestInfo;
use deskless::kernel::id::DealId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::helpers::showroom::{SELECTION, Showroom, document};
use crate::helpers::until;

/// Copies an agreed deal until there are `count`; gives all their ids.
async fn copies(room: &Showroom, deal: &Value, count: u32) -> Vec<ID> {
    room.sql(&format!(
        "INSERT INTO deal (id, store_id, customer_id, vehicle_id, salesperson_id, state, version, kind, currency, price_cents, credit_tier,
           buyer_jurisdiction, tax_cents, fees_cents, amount_financed_cents, total_price_cents, opened_at, updated_at)
         SELECT gen_random_uuid(), store_id, customer_id, vehicle_id, salesperson_id, state, version, kind, currency, price_cents, credit_tier,
           buyer_jurisdiction, tax_cents, fees_cents, amount_financed_cents, total_price_cents, opened_at, updated_at
         FROM deal, generate_series(2, {count}) WHERE number = {}",
        deal["number"].as_str().expect("a number")
    ))
    .await;
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM deal").fetch_all(room.pool()).await.expect("ids");
    ids.into_iter().map(|id| ID::from(DealId(id))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_200_deals_that_sign_for_one_car_exactly_one_gets_it() {
    let room = Arc::new(Showroom::open().await);
    let deal = room.agreed_cash_deal(&room.rav4).await;
    let ids = copies(&room, &deal, 200).await;
    assert_eq!(ids.len(), 200);
    let started = std::time::Instant::now();
    let tries: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let (room, version) = (Arc::clone(&room), deal["version"].clone());
            tokio::spawn(async move {
                let input = json!({ "dealId": id, "expectedVersion": version, "idempotencyKey": room.key() });
                room.app.graphql(Some(&room.sam.access), &document("dealContract", SELECTION), json!({ "input": input })).await
            })
        })
        .collect();
    let mut outcomes: HashMap<String, usize> = HashMap::new();
    for answer in futures::future::join_all(tries).await {
        let answer = answer.expect("no panic");
        assert!(answer.get("errors").is_none(), "{answer}");
        let payload = &answer["data"]["dealContract"];
        let outcome = payload["userErrors"][0]["code"].as_str().unwrap_or("WON").to_owned();
        if outcome == "VEHICLE_TAKEN" {
            let message = payload["userErrors"][0]["message"].as_str().expect("a sentence");
            assert!(message.starts_with("This 2023 Toyota RAV4 was just sold in another deal (number "), "{message}");
            assert!(message.contains(") at 12:0") && message.ends_with("Choose another car; everything else is kept."), "{message}");
            assert_eq!(payload["deal"]["state"], "AGREED", "nothing is lost");
        }
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("200 contracts on one VIN: {outcomes:?} in {:?}", started.elapsed());
    assert_eq!(outcomes, HashMap::from([("WON".to_owned(), 1), ("VEHICLE_TAKEN".to_owned(), 199)]));
    assert_eq!(room.number("SELECT count(*) FROM deal WHERE state = 'CONTRACTED'").await, 1);
    assert_eq!(room.number("SELECT count(*) FROM vehicle_hold WHERE released_at IS NULL").await, 1);
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE verb = 'contracted'").await, 1);
    // Every loser's tablet was told.
    assert_eq!(room.number("SELECT count(DISTINCT subject_id) FROM change_notice WHERE subject_kind = 'DEAL' AND version > 2").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_200_retries_with_one_key_one_is_executed() {
    let room = Arc::new(Showroom::open().await);
    let tries: Vec<_> = (0..200)
        .map(|_| {
            let room = Arc::clone(&room);
            tokio::spawn(async move {
                let input = json!({ "customerId": room.customer, "vehicleId": room.rav4, "idempotencyKey": "one" });
                room.app.graphql(Some(&room.sam.access), &document("dealOpen", SELECTION), json!({ "input": input })).await
            })
        })
        .collect();
    let mut executed = 0;
    let mut deals = std::collections::HashSet::new();
    for answer in futures::future::join_all(tries).await {
        let answer = answer.expect("no panic");
        assert!(answer.get("errors").is_none(), "{answer}");
        let payload = &answer["data"]["dealOpen"];
        executed += usize::from(payload["replayed"] == false);
        deals.insert(payload["deal"].to_string());
    }
    assert_eq!((executed, deals.len()), (1, 1));
    assert_eq!(room.number("SELECT count(*) FROM deal").await, 1);
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE subject_kind = 'DEAL'").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_update_is_lost_when_tablets_edit_one_deal() {
    let room = Arc::new(Showroom::open().await);
    let deal = room.open_deal(&room.rav4, json!({})).await;
    // More tablets at once than the server executes at a time are told to come again, which is another test's.
    let (tablets, edits) = (crate::chaos::rounds(20, 40), crate::chaos::rounds(1, 25));
    let races = tablets * edits;
    let tries: Vec<_> = (1..=tablets)
        .map(|tablet| {
            let (room, id) = (Arc::clone(&room), deal["id"].clone());
            tokio::spawn(async move {
                let (mut version, mut left) = (1, edits);
                while left > 0 {
                    let down = (tablet * edits + left).to_string();
                    let input = json!({ "dealId": id, "expectedVersion": version, "idempotencyKey": room.key(), "downPayment": down });
                    let payload = room.run(&room.sam, "dealStructure", input, SELECTION).await;
                    version = payload["deal"]["version"].as_i64().expect("the present version");
                    match payload["userErrors"][0]["code"].as_str() {
                        None => left -= 1,
                        Some("DEAL_OUT_OF_SYNC") => {}
                        Some(other) => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    for done in futures::future::join_all(tries).await {
        done.expect("no panic");
    }
    assert_eq!(room.number("SELECT version::bigint FROM deal").await, i64::from(races) + 1);
    // Each write saw the one before: the chain of figures has no gap.
    let chain =
        "SELECT count(*) FROM (SELECT detail -> 'before' AS before, lag(detail -> 'after') OVER (ORDER BY id) AS was FROM audit_event
      WHERE subject_kind = 'DEAL') c WHERE before IS NOT NULL AND before IS DISTINCT FROM was";
    assert_eq!(room.number(chain).await, 0);
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE verb = 'structured'").await, i64::from(races));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_60_deals_written_at_once_gets_its_own_figures_and_its_own_answer() {
    let room = Arc::new(Showroom::open().await);
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let ids = copies(&room, &deal, 60).await;
    let write = |id: &ID, key: String, version: i64, down: usize| {
        let (room, id) = (Arc::clone(&room), id.clone());
        tokio::spawn(async move {
            let input = json!({ "dealId": id, "expectedVersion": version, "idempotencyKey": key, "downPayment": down.to_string() });
            room.run(&room.sam, "dealStructure", input, SELECTION).await
        })
    };
    // Among them one key that was used before, one tablet that is behind, and two that write the same deal.
    let old = write(&ids[0], "again".into(), 1, 1).await.expect("no panic");
    assert_eq!(old["deal"]["version"], 2);
    let mut tries: Vec<_> = ids.iter().enumerate().skip(1).map(|(n, id)| write(id, room.key(), 1, n + 1)).collect();
    tries.insert(20, write(&ids[0], "again".into(), 1, 1));
    tries.insert(30, write(&ids[0], room.key(), 1, 999));
    tries.insert(41, write(&ids[40], room.key(), 1, 41));
    let answers: Vec<Value> = futures::future::join_all(tries).await.into_iter().map(|answer| answer.expect("no panic")).collect();
    let refused: Vec<_> = answers.iter().filter_map(|a| Some((a["userErrors"][0]["code"].as_str()?, a["deal"]["id"].clone()))).collect();
    assert_eq!(refused.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["DEAL_OUT_OF_SYNC"; 2], "{refused:?}");
    assert!(refused.iter().any(|(_, id)| *id == json!(ids[0])) && refused.iter().any(|(_, id)| *id == json!(ids[40])));
    assert_eq!(answers.iter().filter(|a| a["replayed"] == true).count(), 1);
    for (n, id) in ids.iter().enumerate() {
        let mine = answers.iter().chain([&old]).filter(|a| a["deal"]["id"] == json!(id) && a["userErrors"] == json!([]));
        for answer in mine {
            assert_eq!(
                (&answer["deal"]["version"], &answer["deal"]["downPayment"]["amount"]),
                (&json!(2), &json!(format!("{}.00", n + 1)))
            );
        }
    }
    assert_eq!(room.number("SELECT count(*) FROM deal WHERE version = 2").await, 60);
    assert_eq!(room.number("SELECT count(DISTINCT down_payment_cents) FROM deal").await, 60);
    assert_eq!(room.number("SELECT count(DISTINCT subject_id) FROM audit_event WHERE verb = 'structured'").await, 60);
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE verb = 'structured'").await, 60);
    assert_eq!(room.number("SELECT count(DISTINCT subject_id) FROM change_notice WHERE subject_kind = 'DEAL' AND version = 2").await, 60);
    assert_eq!(room.number("SELECT count(*) FROM idempotency_record WHERE operation = 'dealStructure'").await, 62);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_leaves_all_or_nothing() {
    let room = Arc::new(Showroom::open().await);
    let deal = room.agreed_cash_deal(&room.rav4).await;
    let cuts = crate::chaos::rounds(120, 480);
    let ids = copies(&room, &deal, cuts).await;
    let schema = room.app.app.schema(ValidationMode::Strict);
    let actor = room.app.app.auth.authenticate(&room.sam.access).await.expect("Sam").actor;
    for (n, id) in ids.iter().enumerate() {
        let input = json!({ "dealId": id, "expectedVersion": deal["version"], "idempotencyKey": format!("cut-{n}"), "reason": "cut" });
        let request = Request::new(document("dealLose", SELECTION))
            .variables(Variables::from_json(json!({ "input": input })))
            .data(Arc::clone(&actor))
            .data(RequestInfo { request_id: "cut".into(), address: "test".into() });
        // Dropping the future ends the mutation wherever it is, as a program that is stopped would.
        let n = u64::try_from(n % 120).expect("small");
        let _ = tokio::time::timeout(Duration::from_micros(n * n * 8), schema.execute(request)).await;
    }
    // Rollbacks of cut transactions reach the database a moment later.
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()";
    until("every cut transaction ends", async || room.number(open).await == 0).await;
    let lost = room.number("SELECT count(*) FROM deal WHERE state = 'LOST'").await;
    println!("cut after 0 to 113 ms: {lost} of {cuts} were done");
    assert!(lost < i64::from(cuts), "no cut was early enough to test anything");
    let halves = "SELECT count(*) FROM deal d WHERE (d.state = 'LOST')
      <> EXISTS (SELECT FROM audit_event a WHERE a.subject_id = d.id AND a.verb = 'lost')
      OR (d.state = 'LOST') <> (d.version = 4)
      OR (d.state = 'LOST') <> EXISTS (SELECT FROM change_notice n WHERE n.subject_id = d.id AND n.version = 4)";
    assert_eq!(room.number(halves).await, 0);
    assert_eq!(room.number("SELECT count(*) FROM idempotency_record WHERE operation = 'dealLose'").await, lost);
    assert_eq!(room.number("SELECT count(*) FROM idempotency_record WHERE answer::text = 'null'").await, 0);
    // A retry with the same key finishes what was cut and repeats what was done.
    for (n, id) in ids.iter().enumerate().step_by(10) {
        let input = json!({ "dealId": id, "expectedVersion": deal["version"], "idempotencyKey": format!("cut-{n}"), "reason": "cut" });
        let payload = room.run(&room.sam, "dealLose", input, SELECTION).await;
        assert_eq!((&payload["deal"]["state"], &payload["userErrors"]), (&json!("LOST"), &json!([])));
    }
}
