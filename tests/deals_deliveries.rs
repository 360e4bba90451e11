//! After the signature: the hand-over, calling it off, and bringing the car back.

use std::sync::Arc;

use chrono::Duration;
use deskless::auth::Role;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::helpers::Session;
use crate::helpers::live::{listen, next_where};
use crate::helpers::showroom::{Showroom, handing_over};

const SEEN: &str = "deal { id state version lostReason spotDeliveryDeadline vehicle { id status odometerMiles } nextSteps { code who }
    delivery { odometerMiles spot { reason until { day source verified } } returnRight { until { day verified } maxMiles } } }
  userErrors { code message field } replayed";

/// A store whose state gives both rights: ten days from the signature to call a spot delivery off, three days and 400 miles to
/// bring a used car back.
async fn room() -> (Showroom, Session) {
    let room = Showroom::open().await;
    room.sql(
        "INSERT INTO delivery_law (id, state, kind, effective, days, counts_from, conditions, max_price_cents, max_miles, source, source_read_on, verified)
         VALUES (gen_random_uuid(), 'TX', 'SPOT_CANCEL', '[2020-01-01,)', 10, 'CONTRACT', '{}', NULL, NULL, 'the test''s law', '2026-01-01', false),
                (gen_random_uuid(), 'TX', 'RETURN', '[2026-10-01,)', 3, 'DELIVERY', '{USED}', 5000000, 400, 'the test''s law', '2026-01-01', true)",
    )
    .await;
    room.app.app.rules.reload().await.expect("rules");
    let maria = room.app.person("maria@example.com", &[(room.app.austin, Role::SalesManager)]).await;
    (room, maria)
}

async fn signed_cash(room: &Showroom) -> Value {
    let deal = room.agreed_cash_deal(&room.rav4).await;
    room.done("dealContract", &deal, json!({})).await
}

async fn signed_financed(room: &Showroom) -> Value {
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let quoted = room.done("dealQuote", &deal, json!({})).await;
    let quotes =
        room.app.data(&room.sam, "query ($id: ID!) { deal(id: $id) { financeQuotes(open: true) { id } } }", json!({ "id": deal["id"] }));
    let quote = quotes.await["deal"]["financeQuotes"][0]["id"].clone();
    let deal = room.done("quoteAccept", &quoted, json!({ "quoteId": quote })).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    let deal = room.done("dealAgree", &deal, json!({})).await;
    room.done("dealContract", &deal, json!({})).await
}

/// A hand-over has what the law asks for, unless the test says otherwise.
async fn act(room: &Showroom, who: &Session, mutation: &str, deal: &Value, more: Value) -> Value {
    let more = if mutation == "dealDeliver" { handing_over(more) } else { more };
    let mut input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    room.run(who, mutation, input, SEEN).await
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("DONE")
}

#[tokio::test]
async fn a_financed_car_goes_before_the_lender_pays_only_with_a_reason_and_a_last_day() {
    let (room, _) = room().await;
    let deal = signed_financed(&room).await;
    let steps =
        room.app.data(&room.sam, "query ($id: ID!) { deal(id: $id) { nextSteps { code } delivery { at } } }", json!({ "id": deal["id"] }));
    assert_eq!(
        steps.await["deal"],
        json!({ "nextSteps": [{ "code": "SHOW_INSURANCE" }, { "code": "STATE_ODOMETER" }, { "code": "DELIVER" }], "delivery": null })
    );
    let silent = act(&room, &room.sam, "dealDeliver", &deal, json!({ "odometerMiles": 20_010 })).await;
    assert_eq!((code(&silent), &silent["userErrors"][0]["field"]), ("REASON_NEEDED", &json!(["spotReason"])));
    let low = act(&room, &room.sam, "dealDeliver", &deal, json!({ "odometerMiles": 19_999, "spotReason": "Saturday" })).await;
    assert_eq!(code(&low), "OUT_OF_BOUNDS");

    let watch = "subscription ($id: ID!) { vehicleChanged(storeId: $id) { vehicle { status } } }";
    let mut lot = listen(&room.app.app, &room.sam, watch, json!({ "id": room.app.austin.to_string() })).await;
    // Subscriptions begin when first polled.
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), lot.next()).await.is_err(), "begins with nothing");
    let input = handing_over(json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": "hand-over",
        "odometerMiles": 20_010, "spotReason": "Saturday evening: the lender opens on Monday" }));
    let done = room.run(&room.sam, "dealDeliver", input.clone(), SEEN).await;
    assert_eq!((code(&done), &done["replayed"]), ("DONE", &json!(false)));
    next_where(&mut lot, |told| told["vehicle"]["status"] == "DELIVERED").await;
    let delivered = &done["deal"];
    assert_eq!((&delivered["state"], &delivered["vehicle"]["status"]), (&json!("DELIVERED"), &json!("DELIVERED")));
    // Signed on 21 November at the store, ten days from then; the rule behind it was checked by nobody.
    assert_eq!(delivered["spotDeliveryDeadline"], "2026-12-01");
    assert_eq!(
        delivered["delivery"],
        json!({ "odometerMiles": 20_010,
            "spot": { "reason": "Saturday evening: the lender opens on Monday", "until": { "day": "2026-12-01", "source": "the test's law", "verified": false } },
            "returnRight": { "until": { "day": "2026-11-24", "verified": true }, "maxMiles": 400 } })
    );
    assert_eq!(delivered["nextSteps"], json!([{ "code": "AWAIT_FUNDING", "who": "LENDER" }]));
    let again = room.run(&room.sam, "dealDeliver", input, SEEN).await;
    assert_eq!((code(&again), &again["replayed"], &again["deal"]["version"]), ("DONE", &json!(true), &delivered["version"]));
    assert_eq!(code(&act(&room, &room.sam, "dealDeliver", delivered, json!({ "odometerMiles": 20_010 })).await), "WRONG_STATE");
    assert_eq!(code(&act(&room, &room.sam, "dealCancel", delivered, json!({ "reason": "x" })).await), "WRONG_STATE");
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE verb = 'delivered'").await, 1);
    assert_eq!(room.number("SELECT count(*) FROM vehicle_hold WHERE released_at IS NULL").await, 0, "the car is the customer's");
}

#[tokio::test]
async fn nobody_drives_off_uninsured_or_without_an_odometer_statement() {
    let (room, _) = room().await;
    let deal = signed_cash(&room).await;
    let try_with = async |change: Value| {
        let mut input = json!({ "odometerMiles": 20_000 });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = act(&room, &room.sam, "dealDeliver", &deal, input).await;
        (code(&refused).to_owned(), refused["userErrors"][0]["field"][0].as_str().unwrap_or_default().to_owned())
    };
    let card = |from: &str, until: Option<&str>| json!({ "insurance": { "insurer": "Safe Mutual", "policyNumber": "SM-4711-X", "effectiveFrom": from, "effectiveUntil": until } });
    let uninsured = ("NOT_INSURED".to_owned(), "insurance".to_owned());
    assert_eq!(try_with(json!({ "insurance": null })).await, uninsured);
    assert_eq!(try_with(card("2026-11-22", None)).await, uninsured, "from tomorrow on");
    assert_eq!(try_with(card("2025-11-21", Some("2026-11-20"))).await, uninsured, "until yesterday");
    assert_eq!(try_with(json!({ "odometerBrand": null })).await, ("ODOMETER_NOT_STATED".to_owned(), "odometerBrand".to_owned()));

    let seen =
        "deal { delivery { odometerBrand insurance { insurer policyNumber effectiveFrom effectiveUntil } } } userErrors { code } replayed";
    let mut input =
        handing_over(json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": "once", "odometerMiles": 20_000,
        "odometerBrand": "NOT_ACTUAL" }));
    let done = room.run(&room.sam, "dealDeliver", input.clone(), seen).await;
    assert_eq!(
        done["deal"]["delivery"],
        json!({ "odometerBrand": "NOT_ACTUAL", "insurance": { "insurer": "Safe Mutual", "policyNumber": "SM-4711-X",
            "effectiveFrom": "2026-11-01", "effectiveUntil": "2027-04-30" } })
    );
    assert_eq!(room.run(&room.sam, "dealDeliver", input.clone(), seen).await["replayed"], true);
    // The number is part of what the key stands for, and is in clear nowhere: not in the row, the history or the kept request.
    input["insurance"]["policyNumber"] = json!("SM-4711-Y");
    let document = crate::helpers::showroom::document("dealDeliver", seen);
    let answer = room.app.graphql(Some(&room.sam.access), &document, json!({ "input": input })).await;
    assert!(answer["errors"][0]["extensions"]["code"].is_string(), "{answer}");
    let in_clear = "SELECT count(*) FROM deal_delivery d, audit_event a, idempotency_record i
        WHERE d::text || a::text || i::text LIKE '%4711%' OR encode(d.policy_number_sealed, 'escape') LIKE '%4711%'";
    assert_eq!(room.number(in_clear).await, 0);
}

#[tokio::test]
async fn a_policy_s_number_opens_only_in_the_store_it_was_shown_in() {
    let (room, maria) = room().await;
    let deal = signed_cash(&room).await;
    let delivered = act(&room, &room.sam, "dealDeliver", &deal, json!({ "odometerMiles": 20_000 })).await["deal"].clone();
    let query = "query ($id: ID!) { deal(id: $id) { delivery { insurance { policyNumber } } } }";
    let seen = room.app.data(&maria, query, json!({ "id": delivered["id"] })).await;
    assert_eq!(seen["deal"]["delivery"]["insurance"]["policyNumber"], "SM-4711-X");
    // Somebody with the database moves the row to a store whose people may not see it.
    let raleigh = room.app.raleigh.0;
    room.sql(&format!("UPDATE deal_delivery SET store_id = '{raleigh}'; UPDATE deal SET store_id = '{raleigh}'")).await;
    let elsewhere = room.app.person("raleigh@example.com", &[(room.app.raleigh, Role::SalesManager)]).await;
    let stolen = room.app.graphql(Some(&elsewhere.access), query, json!({ "id": delivered["id"] })).await;
    assert_eq!(
        (&stolen["data"]["deal"]["delivery"], &stolen["errors"][0]["extensions"]["code"]),
        (&Value::Null, &json!("INTERNAL")),
        "{stolen}"
    );
}

#[tokio::test]
async fn an_old_car_needs_no_odometer_statement() {
    let (room, _) = room().await;
    let old = room.add_car("2T3P1RFV8MC000009", "Toyota", "RAV4", 2010, "USED", 9_000_00).await;
    let deal = room.agreed_cash_deal(&old.into()).await;
    let deal = room.done("dealContract", &deal, json!({})).await;
    let id = json!({ "id": deal["id"] });
    let steps = room.app.data(&room.sam, "query ($id: ID!) { deal(id: $id) { nextSteps { code ready } } }", id).await;
    assert_eq!(steps["deal"]["nextSteps"], json!([{ "code": "SHOW_INSURANCE", "ready": true }, { "code": "DELIVER", "ready": true }]));
    let done = act(&room, &room.sam, "dealDeliver", &deal, json!({ "odometerMiles": 120_000, "odometerBrand": null })).await;
    assert_eq!((code(&done), &done["deal"]["state"]), ("DONE", &json!("DELIVERED")));
}

#[tokio::test]
async fn without_a_law_the_store_s_own_days_count_and_without_those_nobody_hands_over() {
    let room = Showroom::open().await;
    let deal = signed_financed(&room).await;
    let spot = json!({ "odometerMiles": 20_000, "spotReason": "Saturday" });
    let refused = act(&room, &room.sam, "dealDeliver", &deal, spot.clone()).await;
    assert_eq!(code(&refused), "SPOT_NOT_ALLOWED");
    room.sql("UPDATE store SET spot_delivery_days = 2").await;
    room.app.app.dealers.reload().await.expect("stores");
    let done = act(&room, &room.sam, "dealDeliver", &deal, spot).await;
    let until = &done["deal"]["delivery"]["spot"]["until"];
    assert_eq!(
        (&until["day"], &until["verified"], &done["deal"]["delivery"]["returnRight"]),
        (&json!("2026-11-23"), &json!(true), &Value::Null)
    );
    // A cash deal waits for no lender.
    let cash = room.agreed_cash_deal(&room.camry).await;
    let cash = room.done("dealContract", &cash, json!({})).await;
    let done = act(&room, &room.sam, "dealDeliver", &cash, json!({ "odometerMiles": 20_000 })).await;
    assert_eq!((&done["deal"]["state"], &done["deal"]["spotDeliveryDeadline"]), (&json!("DELIVERED"), &Value::Null));
    assert_eq!(done["deal"]["nextSteps"], json!([{ "code": "CLOSE", "who": "SALES_MANAGER" }]));
}

#[tokio::test]
async fn a_manager_calls_a_spot_delivery_off_and_the_next_in_line_has_the_car() {
    let (mut room, maria) = room().await;
    let rival = room.open_deal(&room.rav4, json!({})).await;
    let deal = signed_financed(&room).await;
    let waiting = room.open_deal(&room.camry, json!({})).await;
    let joined = json!({ "dealId": rival["id"], "idempotencyKey": room.key() });
    assert_eq!(code(&room.run(&room.sam, "holdQueueJoin", joined, "userErrors { code }").await), "DONE");
    let delivered =
        act(&room, &room.sam, "dealDeliver", &deal, json!({ "odometerMiles": 20_010, "spotReason": "Saturday" })).await["deal"].clone();
    let unwind = json!({ "reason": "No lender takes the contract", "odometerMiles": 20_150, "considerationReturned": true });
    assert_eq!(code(&act(&room, &room.sam, "dealUnwind", &delivered, unwind.clone()).await), "MANAGER_NEEDED");
    let elsewhere = room.app.person("raleigh@example.com", &[(room.app.raleigh, Role::SalesManager)]).await;
    let theirs = act(&room, &elsewhere, "dealUnwind", &delivered, unwind.clone()).await;
    assert_eq!((code(&theirs), &theirs["deal"]), ("NOT_FOUND", &Value::Null));
    let with = |more: Value| {
        let mut input = unwind.clone();
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    assert_eq!(code(&act(&room, &maria, "dealUnwind", &delivered, with(json!({ "reason": " " }))).await), "REASON_NEEDED");
    assert_eq!(
        code(&act(&room, &maria, "dealUnwind", &delivered, with(json!({ "considerationReturned": false }))).await),
        "CONSIDERATION_NOT_RETURNED"
    );
    assert_eq!(code(&act(&room, &maria, "dealUnwind", &delivered, with(json!({ "odometerMiles": 20_009 }))).await), "OUT_OF_BOUNDS");
    assert_eq!(code(&act(&room, &maria, "dealUnwind", &waiting, unwind.clone()).await), "WRONG_STATE");

    // The last day still counts; the day after, the customer must agree.
    room.app.clock.advance(Duration::days(11));
    let maria = room.app.sign_in("maria@example.com").await;
    assert_eq!(code(&act(&room, &maria, "dealUnwind", &delivered, unwind.clone()).await), "CUSTOMER_MUST_AGREE");
    room.app.clock.advance(Duration::days(-1));
    let maria = room.app.sign_in("maria@example.com").await;
    let done = act(&room, &maria, "dealUnwind", &delivered, unwind).await;
    let deal = &done["deal"];
    assert_eq!((code(&done), &deal["state"], &deal["lostReason"]), ("DONE", &json!("UNWOUND"), &json!("No lender takes the contract")));
    assert_eq!(deal["vehicle"], json!({ "id": room.rav4, "status": "ON_HOLD", "odometerMiles": 20_150 }), "offered to who waited");
    assert_eq!((&deal["spotDeliveryDeadline"], &deal["nextSteps"]), (&Value::Null, &json!([])));
    room.sam = room.app.sign_in("sam@example.com").await;
    let held = room.app.data(&room.sam, "query ($id: ID!) { deal(id: $id) { hold { reason } } }", json!({ "id": rival["id"] })).await;
    assert_eq!(held["deal"]["hold"]["reason"], "OFFER");
}

#[tokio::test]
async fn a_delivered_cash_deal_is_unwound_only_when_the_customer_agrees() {
    let (room, maria) = room().await;
    let deal = signed_cash(&room).await;
    let delivered = act(&room, &room.sam, "dealDeliver", &deal, json!({ "odometerMiles": 20_000 })).await["deal"].clone();
    let mut unwind = json!({ "reason": "Wrong car", "odometerMiles": 20_000, "considerationReturned": true });
    assert_eq!(code(&act(&room, &maria, "dealUnwind", &delivered, unwind.clone()).await), "CUSTOMER_MUST_AGREE");
    unwind["customerAgrees"] = json!(true);
    let done = act(&room, &maria, "dealUnwind", &delivered, unwind).await;
    assert_eq!((&done["deal"]["state"], &done["deal"]["vehicle"]["status"]), (&json!("UNWOUND"), &json!("AVAILABLE")));
}

#[tokio::test]
async fn a_car_comes_back_inside_the_law_s_days_and_miles_and_is_looked_over() {
    let (room, maria) = room().await;
    let deal = signed_cash(&room).await;
    let delivered = act(&room, &room.sam, "dealDeliver", &deal, json!({ "odometerMiles": 20_000 })).await["deal"].clone();
    let back = |miles: i32| json!({ "odometerMiles": miles, "considerationReturned": true });
    assert_eq!(code(&act(&room, &room.sam, "dealReturn", &delivered, back(20_100)).await), "MANAGER_NEEDED");
    assert_eq!(code(&act(&room, &maria, "dealReturn", &delivered, back(20_401)).await), "OUTSIDE_RETURN_PERIOD");
    let unpaid = json!({ "odometerMiles": 20_100, "considerationReturned": false });
    assert_eq!(code(&act(&room, &maria, "dealReturn", &delivered, unpaid).await), "CONSIDERATION_NOT_RETURNED");
    room.app.clock.advance(Duration::days(4));
    let maria = room.app.sign_in("maria@example.com").await;
    assert_eq!(code(&act(&room, &maria, "dealReturn", &delivered, back(20_100)).await), "OUTSIDE_RETURN_PERIOD");
    room.app.clock.advance(Duration::days(-1));
    let maria = room.app.sign_in("maria@example.com").await;
    let done = act(&room, &maria, "dealReturn", &delivered, back(20_400)).await;
    assert_eq!(
        (&done["deal"]["state"], &done["deal"]["vehicle"]),
        (&json!("RETURNED"), &json!({ "id": room.rav4, "status": "IN_RECON", "odometerMiles": 20_400 }))
    );
}

const FUNDED: &str = "deal { state version spotDeliveryDeadline nextSteps { code who }
    funding { lender { code } amount { amount } difference { amount } fundedOn reference } }
  userErrors { code message field } replayed";

#[tokio::test]
async fn the_lender_s_money_ends_the_spot_delivery_and_the_books_are_closed() {
    let (room, maria) = room().await;
    let deal = signed_financed(&room).await;
    let money = json!({ "amount": "29000.00", "fundedOn": "2026-11-21", "reference": "WIRE-77" });
    let fund = async |who: &Session, deal: &Value, change: Value| {
        let mut input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
        for more in [&money, &change] {
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        room.run(who, "dealFund", input, FUNDED).await
    };
    assert_eq!(code(&fund(&maria, &deal, json!({})).await), "WRONG_STATE", "the car is still here");
    let delivered =
        act(&room, &room.sam, "dealDeliver", &deal, json!({ "odometerMiles": 20_010, "spotReason": "Saturday" })).await["deal"].clone();
    assert_eq!(code(&act(&room, &maria, "dealClose", &delivered, json!({})).await), "NOT_PAID");

    assert_eq!(code(&fund(&room.sam, &delivered, json!({})).await), "MANAGER_NEEDED");
    let elsewhere = room.app.person("raleigh@example.com", &[(room.app.raleigh, Role::SalesManager)]).await;
    let theirs = fund(&elsewhere, &delivered, json!({})).await;
    assert_eq!((code(&theirs), &theirs["deal"]), ("NOT_FOUND", &Value::Null));
    for day in ["2026-11-20", "2026-11-22"] {
        let refused = fund(&maria, &delivered, json!({ "fundedOn": day })).await;
        assert_eq!((code(&refused), &refused["userErrors"][0]["field"]), ("OUT_OF_BOUNDS", &json!(["fundedOn"])), "{day}");
    }
    let nobody = fund(&maria, &delivered, json!({ "lenderId": "lnd_01hzzzzzzzzzzzzzzzzzzzzzzz" })).await;
    assert_eq!((code(&nobody), &nobody["userErrors"][0]["field"]), ("NOT_FOUND", &json!(["lenderId"])));

    let same_key = json!({ "idempotencyKey": "the lender's money" });
    let done = fund(&maria, &delivered, same_key.clone()).await;
    assert_eq!((code(&done), &done["replayed"]), ("DONE", &json!(false)));
    let financed = room.number("SELECT amount_financed_cents FROM deal WHERE state = 'FUNDED'").await;
    let difference = format!("{}.{:02}", (29_000_00 - financed) / 100, (29_000_00 - financed) % 100);
    assert_eq!(
        done["deal"]["funding"],
        json!({ "lender": { "code": "BETA" }, "amount": { "amount": "29000.00" }, "difference": { "amount": difference },
            "fundedOn": "2026-11-21", "reference": "WIRE-77" })
    );
    assert_eq!(
        (&done["deal"]["state"], &done["deal"]["spotDeliveryDeadline"], &done["deal"]["nextSteps"]),
        (&json!("FUNDED"), &Value::Null, &json!([{ "code": "CLOSE", "who": "SALES_MANAGER" }]))
    );
    let again = fund(&maria, &delivered, same_key).await;
    assert_eq!((code(&again), &again["replayed"], &again["deal"]["version"]), ("DONE", &json!(true), &done["deal"]["version"]));
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE verb = 'funded'").await, 1);
    // What a lender pays is not for salespeople.
    let id = json!({ "id": deal["id"] });
    let seen = room.app.data(&room.sam, "query ($id: ID!) { deal(id: $id) { state funding { reference } } }", id.clone()).await;
    assert_eq!(seen["deal"], json!({ "state": "FUNDED", "funding": null }));

    let funded = json!({ "id": deal["id"], "version": done["deal"]["version"] });
    // The lender has paid: without the customer's agreement nothing is called off any more.
    let unwind = json!({ "reason": "x", "odometerMiles": 20_010, "considerationReturned": true });
    assert_eq!(code(&act(&room, &maria, "dealUnwind", &funded, unwind).await), "CUSTOMER_MUST_AGREE");
    assert_eq!(code(&act(&room, &room.sam, "dealClose", &funded, json!({})).await), "MANAGER_NEEDED");
    assert_eq!(code(&act(&room, &elsewhere, "dealClose", &funded, json!({})).await), "NOT_FOUND");
    let closed = act(&room, &maria, "dealClose", &funded, json!({ "idempotencyKey": "books" })).await;
    assert_eq!((code(&closed), &closed["deal"]["state"], &closed["deal"]["nextSteps"]), ("DONE", &json!("CLOSED"), &json!([])));
    let again = act(&room, &maria, "dealClose", &funded, json!({ "idempotencyKey": "books" })).await;
    assert_eq!((code(&again), &again["replayed"]), ("DONE", &json!(true)));
    assert_eq!(code(&act(&room, &maria, "dealClose", &closed["deal"], json!({})).await), "WRONG_STATE");
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE verb = 'closed'").await, 1);
}

#[tokio::test]
async fn a_cash_deal_waits_for_no_lender_and_comes_back_even_from_closed_books() {
    let (room, maria) = room().await;
    let deal = signed_cash(&room).await;
    let delivered = act(&room, &room.sam, "dealDeliver", &deal, json!({ "odometerMiles": 20_000 })).await["deal"].clone();
    let fund = json!({ "amount": "30000.00", "fundedOn": "2026-11-21" });
    assert_eq!(code(&act(&room, &maria, "dealFund", &delivered, fund).await), "NO_LENDER");
    let closed = act(&room, &maria, "dealClose", &delivered, json!({})).await["deal"].clone();
    assert_eq!(closed["state"], "CLOSED");
    let back = json!({ "odometerMiles": 20_100, "considerationReturned": true });
    assert_eq!(act(&room, &maria, "dealReturn", &closed, back).await["deal"]["state"], "RETURNED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hand_overs_and_two_takings_back_at_once_one_counts() {
    let (room, maria) = room().await;
    let room = Arc::new(room);
    let deal = signed_financed(&room).await;
    let race = async |who: &Session, mutation: &'static str, deal: &Value, more: Value| {
        let tries = (0..2).map(|_| {
            let (room, who, deal, more) =
                (Arc::clone(&room), Session { access: who.access.clone(), refresh: String::new() }, deal.clone(), more.clone());
            tokio::spawn(async move { code(&act(&room, &who, mutation, &deal, more).await).to_owned() })
        });
        let mut outcomes: Vec<String> = futures::future::join_all(tries).await.into_iter().map(|t| t.expect("no panic")).collect();
        outcomes.sort();
        outcomes
    };
    let hand_over = json!({ "odometerMiles": 20_010, "spotReason": "Saturday" });
    assert_eq!(race(&room.sam, "dealDeliver", &deal, hand_over).await, ["DEAL_OUT_OF_SYNC", "DONE"]);
    let delivered = json!({ "id": deal["id"], "version": deal["version"].as_i64().unwrap() + 1 });
    let unwind = json!({ "reason": "No lender", "odometerMiles": 20_010, "considerationReturned": true });
    assert_eq!(race(&maria, "dealUnwind", &delivered, unwind).await, ["DEAL_OUT_OF_SYNC", "DONE"]);
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE verb IN ('delivered', 'unwound')").await, 2);
}
