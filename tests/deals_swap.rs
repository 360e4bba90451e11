//! Swap the car, keep the deal: what the customer holds constant, and how soon every tablet knows that the car is gone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::{Request, ValidationMode, Variables};
use deskless::app::App;
use deskless::graphql::RequestInfo;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::chaos::rounds;
use crate::helpers::PATIENCE;
use crate::helpers::showroom::Showroom;

const SWAPPED: &str = "deal { id version price { amount } downPayment { amount } payment { amount } totalPrice { amount } amountFinanced { amount }
    products { code } } lines { code placement before { amount } after { amount } change { amount } } totals { code before { amount } after { amount } }
  rechecks { subject label outcome before { amount } after { amount } sentence } userErrors { code message }";

async fn swap(room: &Showroom, deal: &Value, more: Value) -> Value {
    let mut input =
        json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key(), "vehicleId": room.camry });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    room.run(&room.sam, "dealSwapVehicle", input, SWAPPED).await
}

fn cents(amount: &Value) -> i64 {
    amount["amount"].as_str().expect("an amount").replace('.', "").parse().expect("cents")
}

#[tokio::test]
async fn the_constant_of_the_customer_is_kept_to_the_cent() {
    let room = Showroom::open().await;
    for constant in ["DOWN_PAYMENT", "PAYMENT", "TOTAL_PRICE"] {
        let deal = room.open_deal(&room.rav4, json!({})).await;
        let deal = room.done("dealStructure", &deal, json!({ "downPayment": "6000.00", "termMonths": 60 })).await;
        let swapped = swap(&room, &deal, json!({ "holdConstant": constant })).await;
        assert_eq!(swapped["userErrors"], json!([]), "{constant}");
        let now = &swapped["deal"];
        let kept = |part: &str| (cents(&deal[part]), cents(&now[part]));
        let (same, other) = match constant {
            "DOWN_PAYMENT" => ("downPayment", "payment"),
            "PAYMENT" => ("payment", "downPayment"),
            _ => ("totalPrice", "price"),
        };
        assert!((kept(same).0 - kept(same).1).abs() <= 1, "{constant}: {:?}", kept(same));
        if constant == "TOTAL_PRICE" {
            assert_ne!(now["price"]["amount"], "27500.00", "not the asking price");
        } else {
            assert_ne!(kept(other).0, kept(other).1, "{constant}: something must give");
        }
        // Line by line: what is financed changes by what its lines change.
        let financed: i64 =
            swapped["lines"].as_array().unwrap().iter().filter(|l| l["placement"] == "FINANCED").map(|l| cents(&l["change"])).sum();
        let total = swapped["totals"].as_array().unwrap().iter().find(|t| t["code"] == "AMOUNT_FINANCED").unwrap();
        assert_eq!(financed, cents(&total["after"]) - cents(&total["before"]), "{constant}");
        // Every program and insurer is said.
        let of = |subject: &str| swapped["rechecks"].as_array().unwrap().iter().filter(|r| r["subject"] == subject).count();
        assert_eq!(of("PROGRAM"), 2, "{constant}: {:#}", swapped["rechecks"]);
        assert!(of("INSURANCE") >= 1, "{constant}: {:#}", swapped["rechecks"]);
        assert!(swapped["rechecks"].as_array().unwrap().iter().all(|r| !r["sentence"].as_str().unwrap().is_empty()));
    }
}

#[tokio::test]
async fn a_cash_deal_has_no_payment_to_keep_and_one_price_is_enough() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({ "kind": "CASH" })).await;
    let told = swap(&room, &deal, json!({ "holdConstant": "PAYMENT" })).await;
    assert_eq!(told["userErrors"][0]["code"], "NOT_PRICEABLE");
    let input = json!({ "dealId": deal["id"], "expectedVersion": 1, "idempotencyKey": "x", "vehicleId": room.camry, "price": "1.00", "holdConstant": "TOTAL_PRICE" });
    let query = "mutation ($input: DealSwapVehicleInput!) { dealSwapVehicle(input: $input) { replayed } }";
    let told = room.app.graphql(Some(&room.sam.access), query, json!({ "input": input })).await;
    assert_eq!(told["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    let swapped = swap(&room, &deal, json!({ "holdConstant": "TOTAL_PRICE" })).await;
    assert!((cents(&swapped["deal"]["totalPrice"]) - cents(&deal["totalPrice"])).abs() <= 1, "{swapped:#}");
}

/// A hundred tablets on two servers watch deals on one car; somebody signs for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tablet_on_a_car_is_told_and_offered_others_when_it_goes() {
    let room = Showroom::open().await;
    room.add_car("2T3P1RFV8MC000009", "Toyota", "RAV4", 2023, "USED", 30_400_00).await;
    // A second server on the same database.
    let db = room.app.database.open(room.app.clock.clone()).await;
    let other = App::start(room.app.app.config.as_ref().clone(), db).await.expect("a second server");
    let actor = room.app.app.auth.authenticate(&room.sam.access).await.expect("Sam").actor;
    let schemas = [room.app.app.schema(ValidationMode::Strict), other.schema(ValidationMode::Strict)];
    let long = rounds(0, 1) == 1;
    let tablets = if long { 100 } else { 20 };
    let mut times: Vec<Duration> = Vec::new();
    for round in 0..if long { 10 } else { 2 } {
        let deals: Vec<Value> = {
            let mut deals = Vec::new();
            for _ in 0..5 {
                deals.push(room.open_deal(&room.rav4, json!({})).await);
            }
            deals
        };
        let winner = room.agreed_cash_deal(&room.rav4).await;
        let query =
            "subscription ($id: ID!) { dealChanged(id: $id) { id state vehicleTaken replacements(first: 3) { vehicle { stockNumber } } } }";
        let ready = Arc::new(tokio::sync::Semaphore::new(0));
        let watching: Vec<_> = (0..tablets)
            .map(|n| {
                let request = Request::new(query)
                    .variables(Variables::from_json(json!({ "id": deals[n % deals.len()]["id"] })))
                    .data(Arc::clone(&actor))
                    .data(RequestInfo { request_id: "test".into(), address: "test".into() });
                let (mut stream, ready) = (Box::pin(schemas[n % 2].execute_stream(request)), Arc::clone(&ready));
                tokio::spawn(async move {
                    let first = stream.next().await.expect("the deal now").data.into_json().expect("JSON");
                    assert_eq!(first["dealChanged"]["vehicleTaken"], Value::Null);
                    ready.add_permits(1);
                    loop {
                        let told = stream.next().await.expect("the stream goes on").data.into_json().expect("JSON");
                        if told["dealChanged"]["vehicleTaken"].is_string() {
                            return (Instant::now(), told["dealChanged"].clone());
                        }
                    }
                })
            })
            .collect();
        let _ = ready.acquire_many(u32::try_from(tablets).unwrap()).await.expect("all watch");
        room.done("dealContract", &winner, json!({})).await;
        let signed = Instant::now();
        for tablet in watching {
            let (at, told) = tokio::time::timeout(PATIENCE, tablet).await.expect("told").expect("no panic");
            times.push(at.saturating_duration_since(signed));
            assert!(told["vehicleTaken"].as_str().unwrap().starts_with("was just sold in another deal"), "{told}");
            assert_eq!(told["replacements"][0]["vehicle"]["stockNumber"], "MC000009", "round {round}: {told}");
        }
        // The car comes back for the next round.
        room.sql("UPDATE deal SET state = 'AGREED' WHERE state = 'CONTRACTED'").await;
        room.sql("UPDATE vehicle_hold SET released_at = now(), release_reason = 'TEST' WHERE released_at IS NULL; UPDATE vehicle SET status = 'AVAILABLE'").await;
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("car taken to tablet told, {} tablets on two servers: p50 {:?}, p99 {:?}, worst {:?}", times.len(), at(50), at(99), at(100));
    // The promise of a second is held by the long form, which has the machine for itself.
    let promised = Duration::from_secs(if long { 1 } else { 10 });
    assert!(at(99) <= promised, "{:?}", at(99));
}

#[tokio::test]
async fn a_car_that_leaves_the_lot_otherwise_is_told_too() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let actor = room.app.app.auth.authenticate(&room.sam.access).await.expect("Sam").actor;
    let request =
        Request::new("subscription ($id: ID!) { dealChanged(id: $id) { vehicleTaken replacements { vehicle { stockNumber } } } }")
            .variables(Variables::from_json(json!({ "id": deal["id"] })))
            .data(Arc::clone(&actor))
            .data(RequestInfo { request_id: "test".into(), address: "test".into() });
    let mut stream = Box::pin(room.app.app.schema(ValidationMode::Strict).execute_stream(request));
    stream.next().await.expect("the deal now");
    // Sent to auction by the office: no deal took it, the lot did.
    let mut tx = room.app.app.db.begin(deskless::db::By::system()).await.unwrap();
    let scope = actor.selling_scope();
    let vehicle = room.rav4.parse().unwrap();
    room.app.app.inventory.set_status(&mut tx, &scope, vehicle, deskless::inventory::VehicleStatus::Wholesale).await.unwrap();
    tx.commit().await.unwrap();
    let told = tokio::time::timeout(PATIENCE, stream.next()).await.expect("told").expect("goes on").data.into_json().unwrap();
    assert_eq!(told["dealChanged"]["vehicleTaken"], "is no longer for sale");
    assert_eq!(told["dealChanged"]["replacements"][0]["vehicle"]["stockNumber"], "MU000002");
}

#[tokio::test]
async fn a_manager_sees_what_the_store_earns_on_either_car_and_nobody_else_does() {
    let room = Showroom::open().await;
    room.sql("UPDATE vehicle SET cost_cents = 2800000 WHERE model = 'RAV4'; UPDATE vehicle SET cost_cents = 2800000 WHERE model = 'Camry'")
        .await;
    room.sql(&format!(
        "INSERT INTO approval_rule (id, group_id, kind, effective, limit_hundredths, escalate_minutes, answer_minutes, valid_minutes)
         VALUES (gen_random_uuid(), '{}', 'FRONT_GROSS', '[2020-01-01,)', 0, 10, 60, 600)",
        room.app.group.0
    ))
    .await;
    room.app.app.rules.reload().await.expect("rules");
    let maria = room.app.manager().await;
    let earned = |payload: &Value| {
        payload["rechecks"].as_array().unwrap().iter().filter(|r| r["subject"] == "FRONT_GROSS").cloned().collect::<Vec<_>>()
    };
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let told = swap(&room, &deal, json!({})).await;
    assert_eq!(earned(&told), [] as [Value; 0], "a salesperson is not told");
    // 27,500 for a car that cost 28,000: the rule looks at the new car at once.
    let asked = told["rechecks"].as_array().unwrap().iter().find(|r| r["subject"] == "APPROVAL").expect("a manager is needed");
    assert_eq!((&asked["label"], &asked["outcome"]), (&json!("FRONT_GROSS"), &json!("NEW")));
    let history =
        room.app.data(&maria, "query ($id: ID!) { deal(id: $id) { history(first: 1) { nodes { detail } } } }", json!({ "id": deal["id"] }));
    assert!(!history.await.to_string().contains("Front gross"), "the history is for everybody");
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": "m", "vehicleId": room.camry });
    let told = room.run(&maria, "dealSwapVehicle", input, SWAPPED).await;
    assert_eq!(
        earned(&told),
        [
            json!({ "subject": "FRONT_GROSS", "label": "Front gross", "outcome": "CHANGED", "before": { "amount": "2000.00" }, "after": { "amount": "-500.00" },
            "sentence": "Front gross: -500.00, before it was 2000.00." })
        ]
    );
}
