//! A tablet comes back after hours without a network. RELIABILITY.md row 20: each applied once, conflicts listed, nothing dropped
//! in silence, a second replay changes nothing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::helpers::Session;
use crate::helpers::showroom::{DEAL, Showroom};

const RESULTS: &str =
    "results { id outcome dealId message replayed conflicts { part theirs mine by } } left deals { id version termMonths state
  downPayment { amount } price { amount } annualMiles indicativeQuotes { indicative label rulesAsOf payment { amount } } }";

async fn replay(room: &Showroom, who: &Session, tablet: &str, operations: &[Value]) -> Value {
    let input = json!({ "tabletId": tablet, "operations": operations });
    room.run(who, "dealReplay", input, RESULTS).await
}

/// A change of the structure.
fn structure(id: &str, deal: &Value, parts: &Value) -> Value {
    json!({ "id": id, "verb": "STRUCTURE", "at": "2026-11-21T12:00:00Z", "dealId": deal["id"], "baseVersion": deal["version"], "structure": parts })
}

fn outcomes(payload: &Value) -> Vec<&str> {
    payload["results"].as_array().expect("results").iter().map(|r| r["outcome"].as_str().expect("an outcome")).collect()
}

/// Everything a replay could write twice.
async fn rows(room: &Showroom) -> i64 {
    room.number(
        "SELECT (SELECT count(*) FROM deal) + (SELECT sum(version) FROM deal) + (SELECT count(*) FROM audit_event) + (SELECT count(*) FROM change_notice)
           + (SELECT count(*) FROM deal_scenario) + (SELECT count(*) FROM indicative_quote) + (SELECT count(*) FROM idempotency_record)
           + (SELECT sum(attempt) FROM offline_operation)",
    )
    .await
}

#[tokio::test]
async fn what_a_tablet_did_is_applied_in_order_and_once() {
    let room = Showroom::open().await;
    let operations = [
        json!({ "id": "op-1", "verb": "OPEN", "at": "2026-11-21T09:00:00Z", "open": { "customerId": room.customer, "vehicleId": room.rav4 } }),
        json!({ "id": "op-2", "verb": "STRUCTURE", "at": "2026-11-21T09:01:00Z", "openedBy": "op-1", "structure": { "termMonths": 72 } }),
        json!({ "id": "op-3", "verb": "STRUCTURE", "at": "2026-11-21T09:02:00Z", "openedBy": "op-1", "structure": { "downPayment": "2500.00", "termMonths": 48 } }),
        json!({ "id": "op-4", "verb": "SCENARIO_SAVE", "at": "2026-11-21T09:03:00Z", "openedBy": "op-1",
                "scenario": { "label": "longer", "structure": { "termMonths": 84 } } }),
        json!({ "id": "op-5", "verb": "QUOTE_SHOWN", "at": "2026-11-21T09:04:00Z", "openedBy": "op-1",
                "quoteShown": { "label": "48 months", "payment": "612.34", "termMonths": 48, "rulesAsOf": "2026-11-21T07:30:00Z" } }),
        json!({ "id": "op-6", "verb": "SWAP_VEHICLE", "at": "2026-11-21T09:05:00Z", "openedBy": "op-1", "swap": { "vehicleId": room.camry } }),
    ];
    let first = replay(&room, &room.sam, "ipad-7", &operations).await;
    assert_eq!(outcomes(&first), ["APPLIED"; 6], "{first:#}");
    let deal = &first["deals"][0];
    assert_eq!(
        (&deal["termMonths"], &deal["downPayment"]["amount"], &deal["price"]["amount"], &first["left"]),
        (&json!(48), &json!("2500.00"), &json!("27500.00"), &json!(0))
    );
    assert_eq!(
        deal["indicativeQuotes"],
        json!([{ "indicative": true, "label": "48 months", "rulesAsOf": "2026-11-21T07:30:00+00:00", "payment": { "amount": "612.34" } }])
    );
    let before = rows(&room).await;
    let second = replay(&room, &room.sam, "ipad-7", &operations).await;
    assert_eq!((outcomes(&second), &second["deals"]), (vec!["APPLIED"; 6], &first["deals"]));
    assert!(second["results"].as_array().unwrap().iter().all(|r| r["replayed"] == true), "{second:#}");
    assert_eq!(rows(&room).await, before, "a second replay changes nothing");
    assert_eq!(room.number("SELECT count(*) FROM deal").await, 1);
}

#[tokio::test]
async fn what_others_changed_meanwhile_stays_and_both_are_shown() {
    let room = Showroom::open().await;
    let maria = room.app.manager().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": 1, "idempotencyKey": "m", "downPayment": "3000.00" });
    room.run(&maria, "dealStructure", input, "userErrors { code }").await;
    let operations = [
        structure("a", &deal, &json!({ "downPayment": "1000.00", "termMonths": 72 })),
        structure("b", &deal, &json!({ "downPayment": "1500.00" })),
        structure("c", &deal, &json!({ "annualMiles": 15000 })),
        structure("d", &deal, &json!({ "downPayment": "3000.00" })),
        json!({ "id": "e", "verb": "LOSE", "at": "2026-11-21T12:00:00Z", "dealId": deal["id"], "baseVersion": 1, "reason": "left" }),
    ];
    let told = replay(&room, &room.sam, "t1", &operations).await;
    assert_eq!(outcomes(&told), ["MERGED", "CONFLICT", "APPLIED", "APPLIED", "CONFLICT"], "{told:#}");
    assert_eq!(
        told["results"][0]["conflicts"],
        json!([{ "part": "downPayment", "theirs": "3000.00", "mine": "1000.00", "by": "maria@example.com" }])
    );
    let now = &told["deals"][0];
    assert_eq!(
        (&now["downPayment"]["amount"], &now["termMonths"], &now["annualMiles"], &now["state"]),
        (&json!("3000.00"), &json!(72), &json!(15000), &json!("WORKSHEET"))
    );
    // The answer was lost on the way: the same conflicts come back.
    let before = rows(&room).await;
    let again = replay(&room, &room.sam, "t1", &operations).await;
    let strip = |payload: &Value| {
        let results = payload["results"].as_array().unwrap().iter();
        results.map(|r| (r["id"].clone(), r["outcome"].clone(), r["conflicts"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(strip(&again), strip(&told));
    assert_eq!(rows(&room).await, before);
}

#[tokio::test]
async fn holds_credit_and_contracts_are_never_accepted_offline() {
    let room = Showroom::open().await;
    let deal = room.agreed_cash_deal(&room.rav4).await;
    let verbs = ["PRESENT", "QUOTE_ACCEPT", "AGREE", "HOLD", "DEPOSIT", "CREDIT_SUBMIT", "CONTRACT"];
    let operations: Vec<Value> = verbs
        .iter()
        .map(|verb| json!({ "id": verb, "verb": verb, "at": "2026-11-21T12:00:00Z", "dealId": deal["id"], "baseVersion": deal["version"] }))
        .collect();
    let before = room.number("SELECT count(*) FROM audit_event").await;
    let told = replay(&room, &room.sam, "t1", &operations).await;
    assert_eq!(outcomes(&told), vec!["NOT_OFFLINE"; verbs.len()]);
    assert_eq!(told["results"][6]["message"], "CONTRACT is never done offline. Do it now that you are connected.");
    assert_eq!(room.number("SELECT count(*) FROM audit_event").await, before);
    assert_eq!(room.number("SELECT count(*) FROM vehicle_hold").await, 0);
}

#[tokio::test]
async fn another_store_s_deal_does_not_exist_and_an_id_stands_for_one_operation() {
    let room = Showroom::open().await;
    let stranger = room.app.stranger().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let told = replay(&room, &stranger, "t1", &[structure("x", &deal, &json!({ "termMonths": 72 }))]).await;
    assert_eq!((outcomes(&told), &told["deals"]), (vec!["REFUSED"], &json!([])));
    assert_eq!(told["results"][0]["dealId"], Value::Null);
    let told = replay(&room, &room.sam, "t1", &[structure("x", &deal, &json!({ "termMonths": 72 }))]).await;
    assert_eq!(outcomes(&told), ["APPLIED"]);
    let told = replay(&room, &room.sam, "t1", &[structure("x", &deal, &json!({ "termMonths": 36 }))]).await;
    assert_eq!(outcomes(&told), ["ID_REUSED"]);
    let orphan = json!({ "id": "o", "verb": "LOSE", "at": "2026-11-21T12:00:00Z", "openedBy": "never", "reason": "left" });
    assert_eq!(outcomes(&replay(&room, &room.sam, "t1", &[orphan]).await), ["REFUSED"]);
    assert_eq!(room.number("SELECT term_months::bigint FROM deal").await, 72);
}

/// Two hundred operations of a day on ten deals: five parts turned over and over.
fn a_day(deals: &[Value], prefix: &str, count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| {
            let deal = &deals[n % deals.len()];
            let parts = match n % 3 {
                0 => json!({ "termMonths": 24 + 12 * (n / deals.len() % 5) }),
                1 => json!({ "downPayment": format!("{}.00", 1000 + n) }),
                _ => json!({ "annualMiles": 8000 + n }),
            };
            structure(&format!("{prefix}-{n}"), deal, &parts)
        })
        .collect()
}

async fn ten_deals(room: &Showroom) -> Vec<Value> {
    let mut deals = Vec::new();
    for _ in 0..10 {
        deals.push(room.open_deal(&room.rav4, json!({})).await);
    }
    deals
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_operations_cut_in_the_middle_are_applied_once_each() {
    let room = Arc::new(Showroom::open().await);
    let deals = ten_deals(&room).await;
    let day = a_day(&deals, "cut", 200);
    // Cut eight times, a little later each time, as by a server that is killed or a tablet that loses its Wi-Fi.
    let mut cuts = 0;
    for n in 1..=8_u64 {
        let batch = &day[..100];
        let cut = tokio::time::timeout(Duration::from_millis(n * 25), replay(&room, &room.sam, "t1", batch)).await;
        cuts += u32::from(cut.is_err());
    }
    assert!(cuts > 2, "nothing was cut");
    for batch in day.chunks(100) {
        let told = replay(&room, &room.sam, "t1", batch).await;
        assert_eq!(outcomes(&told), vec!["APPLIED"; batch.len()], "{told:#}");
    }
    assert_eq!(room.number("SELECT count(*) FROM offline_operation").await, 200);
    let twice =
        "SELECT count(*) FROM (SELECT request_id FROM audit_event WHERE request_id LIKE 'offline/%' GROUP BY 1 HAVING count(*) > 1) t";
    assert_eq!(room.number(twice).await, 0);
    let before = rows(&room).await;
    for batch in day.chunks(100) {
        replay(&room, &room.sam, "t1", batch).await;
    }
    assert_eq!(rows(&room).await, before, "a second replay changes nothing");
    // The last word of each part stands, as the tablet had it.
    let last =
        room.app.data(&room.sam, &format!("query ($id: ID!) {{ deal(id: $id) {{ {DEAL} }} }}"), json!({ "id": deals[0]["id"] })).await;
    assert_eq!(last["deal"]["downPayment"]["amount"], "1190.00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tablets_that_come_back_at_once_lose_nothing_in_silence() {
    let room = Arc::new(Showroom::open().await);
    let deals = vec![room.open_deal(&room.rav4, json!({})).await];
    let (mine, yours) = (a_day(&deals, "a", 30), a_day(&deals, "b", 30));
    let one = {
        let (room, mine) = (Arc::clone(&room), mine.clone());
        tokio::spawn(async move { replay(&room, &room.sam, "tablet-a", &mine).await })
    };
    let two = {
        let (room, yours) = (Arc::clone(&room), yours.clone());
        tokio::spawn(async move { replay(&room, &room.sam, "tablet-b", &yours).await })
    };
    let (one, two) = (one.await.unwrap(), two.await.unwrap());
    let all: Vec<&str> = outcomes(&one).into_iter().chain(outcomes(&two)).collect();
    assert!(all.iter().all(|o| ["APPLIED", "MERGED", "CONFLICT"].contains(o)), "{all:?}");
    assert!(all.contains(&"CONFLICT"), "two tablets that set the same parts must meet");
    for result in one["results"].as_array().unwrap().iter().chain(two["results"].as_array().unwrap()) {
        assert_eq!(result["outcome"] == "CONFLICT", !result["conflicts"].as_array().unwrap().is_empty(), "{result}");
    }
    // Every version is one write by one operation, and the chain of figures has no gap.
    assert_eq!(
        room.number("SELECT version::bigint - count(*) FROM deal, audit_event a WHERE a.subject_id = deal.id GROUP BY version").await,
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_operations_come_in_pages_and_each_is_applied_once() {
    let room = Showroom::open().await;
    let deals = ten_deals(&room).await;
    let day = a_day(&deals, "k", 1000);
    let input = json!({ "tabletId": "t1", "operations": &day[..101] });
    let refused = room
        .app
        .graphql(
            Some(&room.sam.access),
            "mutation ($input: DealReplayInput!) { dealReplay(input: $input) { left } }",
            json!({ "input": input }),
        )
        .await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
    for batch in day.chunks(100) {
        let told = replay(&room, &room.sam, "t1", batch).await;
        assert_eq!(outcomes(&told), vec!["APPLIED"; batch.len()]);
    }
    assert_eq!(room.number("SELECT count(*) FROM offline_operation").await, 1000);
    let applied = "SELECT count(*) FROM audit_event WHERE request_id LIKE 'offline/t1/%'";
    assert!(room.number(applied).await >= 990, "an operation that changes nothing writes nothing");
}

#[tokio::test]
async fn what_meets_a_deal_on_another_tablet_waits_and_is_applied_later() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let mia = room.app.person("mia@example.com", &[(room.app.austin, deskless::auth::Role::Salesperson)]).await;
    room.run(&mia, "dealTake", json!({ "dealId": deal["id"] }), "userErrors { code }").await;
    let operations = [
        structure("a", &deal, &json!({ "termMonths": 72 })),
        json!({ "id": "b", "verb": "LOSE", "at": "2026-11-21T12:00:00Z", "dealId": deal["id"], "baseVersion": 1, "reasonCode": "UNDECIDED" }),
    ];
    let first = replay(&room, &room.sam, "t1", &operations).await;
    assert_eq!(outcomes(&first), ["WAITING", "WAITING"], "{first:#}");
    assert!(first["results"][0]["message"].as_str().is_some_and(|said| said.contains("mia@example.com")), "{first:#}");
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE verb IN ('structured', 'lost')").await, 0);
    // What waits is sent again as it is, once the deal is free; then it is done, and only once.
    room.run(&mia, "dealRelease", json!({ "dealId": deal["id"] }), "userErrors { code }").await;
    for replayed in [false, true] {
        let told = replay(&room, &room.sam, "t1", &operations).await;
        assert_eq!(outcomes(&told), ["APPLIED", "APPLIED"], "{told:#}");
        assert_eq!(told["results"][0]["replayed"], replayed);
        assert_eq!((&told["deals"][0]["termMonths"], &told["deals"][0]["state"]), (&json!(72), &json!("LOST")));
    }
    assert_eq!(room.number("SELECT count(*) FROM deal WHERE lost_reason_code = 'UNDECIDED' AND lost_reason IS NULL").await, 1);
}
