//! Deposits, against a partner that misbehaves. Counted: what the partner really did.

use std::sync::Arc;

use chrono::Duration;
use deskless::auth::Role;
use serde_json::{Value, json};

use crate::helpers::showroom::{Showroom, handing_over};
use crate::helpers::{Session, TestApp, until};
use crate::partner_sim::{Mood, Sim};

const SEEN: &str = "deposit { id status outcomeKnown problem tries amount { amount } refusedCode partnerReference }
  userErrors { code message } replayed";

/// A showroom with a partner, and a deal that holds its car.
async fn with_partner() -> (Showroom, Sim, Value) {
    let sim = Sim::start(([127, 0, 0, 1], 0).into(), "partner-key").await.expect("the partner");
    let serving = sim.clone();
    tokio::spawn(async move { serving.serve().await });
    let url = format!("http://{}", sim.address);
    let app = TestApp::start_with(|config| {
        config.payments.url = Some(url);
        config.payments.key = Some("partner-key".into());
        config.payments.timeout_ms = 700;
    })
    .await;
    let room = Showroom::on(app).await;
    let deal = held(&room, &room.rav4).await;
    (room, sim, deal)
}

/// A deal that holds its car.
async fn held(room: &Showroom, car: &async_graphql::ID) -> Value {
    let deal = room.open_deal(car, json!({})).await;
    let held = room.run(&room.sam, "holdPlace", json!({ "dealId": deal["id"], "idempotencyKey": room.key() }), "userErrors { code }").await;
    assert_eq!(held["userErrors"], json!([]));
    deal
}

async fn authorize(room: &Showroom, deal: &Value, key: &str, token: &str) -> Value {
    let input = json!({ "dealId": deal["id"], "amount": "500.00", "refundable": true, "cardToken": token, "idempotencyKey": key });
    room.run(&room.sam, "depositAuthorize", input, SEEN).await
}

async fn change(room: &Showroom, mutation: &str, deposit: &Value) -> Value {
    room.run(&room.sam, mutation, json!({ "depositId": deposit["id"], "idempotencyKey": room.key() }), SEEN).await
}

async fn deposits(room: &Showroom, deal: &Value) -> Value {
    let query = "query ($id: ID!) { deal(id: $id) { deposits { id status outcomeKnown problem tries } } }";
    room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await["deal"]["deposits"].take()
}

/// Sweeps as a server would, until nothing is unknown any more; at most ten rounds.
async fn clear(room: &Showroom) {
    for _ in 0..10 {
        room.app.clock.advance(Duration::minutes(6));
        room.app.app.payments.sweep().await.expect("sweeps");
        if room.number("SELECT count(*) FROM payment_request WHERE settled_at IS NULL").await == 0 {
            return;
        }
    }
    panic!("an outcome stayed unknown");
}

#[tokio::test]
async fn money_is_set_aside_taken_or_given_free() {
    let (room, sim, deal) = with_partner().await;
    let taken = authorize(&room, &deal, "one", "tok_visa").await;
    assert_eq!((&taken["deposit"]["status"], &taken["deposit"]["outcomeKnown"]), (&json!("AUTHORIZED"), &json!(true)));
    assert_eq!(taken["deposit"]["amount"]["amount"], "500.00");
    // The same key gives the same deposit; another key finds that there is one.
    let again = authorize(&room, &deal, "one", "tok_visa").await;
    assert_eq!((&again["deposit"]["id"], &again["replayed"]), (&taken["deposit"]["id"], &json!(true)));
    assert_eq!(authorize(&room, &deal, "two", "tok_visa").await["userErrors"][0]["code"], "DEPOSIT_OPEN");
    let captured = change(&room, "depositCapture", &taken["deposit"]).await;
    assert_eq!(captured["deposit"]["status"], "CAPTURED");
    let stranger = room.app.stranger().await;
    for mutation in ["depositCapture", "depositVoid"] {
        let input = json!({ "depositId": taken["deposit"]["id"], "idempotencyKey": mutation });
        let told = room.run(&stranger, mutation, input, "deal { id } deposit { id } userErrors { code }").await;
        assert_eq!(told, json!({ "deal": null, "deposit": null, "userErrors": [{ "code": "NOT_FOUND" }] }), "{mutation}");
    }
    let refused = change(&room, "depositVoid", &taken["deposit"]).await;
    assert_eq!(refused["userErrors"][0]["code"], "WRONG_DEPOSIT_STATUS");
    assert_eq!(refused["userErrors"][0]["message"], "This deposit is taken and can't be changed like this.");
    let books = sim.authorizations();
    assert_eq!((books.len(), books[0].amount, books[0].status.as_str(), sim.heard()), (1, 50_000, "captured", 2));
    // The card's token is forgotten, and was never in the clear.
    assert_eq!(room.number("SELECT count(*) FROM payment_request WHERE token_sealed IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_declined_card_leaves_room_for_another() {
    let (room, sim, deal) = with_partner().await;
    let declined = authorize(&room, &deal, "one", "tok_declined_insufficient_funds").await;
    assert_eq!((&declined["deposit"]["status"], &declined["deposit"]["refusedCode"]), (&json!("DECLINED"), &json!("insufficient_funds")));
    assert_eq!(authorize(&room, &deal, "two", "tok_visa").await["deposit"]["status"], "AUTHORIZED");
    assert_eq!(sim.authorizations().len(), 1);
}

#[tokio::test]
async fn whatever_the_partner_does_nobody_is_charged_twice_and_every_outcome_becomes_known() {
    for mood in [
        Mood::Slow,
        Mood::Error,
        Mood::ErrorAfter,
        Mood::Drop,
        Mood::DropAfter,
        Mood::Duplicate,
        Mood::Garbage,
        Mood::Endless,
        Mood::Redirect,
        Mood::Pending,
    ] {
        let (mut room, sim, deal) = with_partner().await;
        sim.misbehave(&[mood]);
        let first = authorize(&room, &deal, "one", "tok_visa").await;
        assert_eq!(first["userErrors"], json!([]), "{mood:?}");
        if mood == Mood::Duplicate {
            assert_eq!(first["deposit"]["status"], "AUTHORIZED", "the first of two answers counts");
        } else {
            let seen = &first["deposit"];
            assert_eq!((&seen["status"], &seen["outcomeKnown"]), (&json!("AUTHORIZING"), &json!(false)), "{mood:?}: {seen}");
            assert!(seen["problem"].is_string(), "{mood:?}: {seen}");
        }
        // The tablet tries again, and again: the same deposit.
        for _ in 0..3 {
            assert_eq!(authorize(&room, &deal, "one", "tok_visa").await["deposit"]["id"], first["deposit"]["id"], "{mood:?}");
        }
        // Asked about, with the partner failing in the same way once more.
        sim.misbehave(&[mood]);
        clear(&room).await;
        room.sam = room.app.sign_in("sam@example.com").await;
        let now = deposits(&room, &deal).await;
        // Slow, or gone: six minutes later the hold still stands.
        assert_eq!((now.as_array().unwrap().len(), &now[0]["outcomeKnown"]), (1, &json!(true)), "{mood:?}: {now}");
        let books = sim.authorizations();
        assert_eq!((books.len(), books[0].amount), (1, 50_000), "{mood:?}: charged {books:?}");
        assert_eq!(now[0]["status"], "AUTHORIZED", "{mood:?}");
        // Taking it goes wrong too: it is taken once.
        sim.misbehave(&[mood, mood]);
        change(&room, "depositCapture", &now[0]).await;
        clear(&room).await;
        let statuses: Vec<_> = sim.authorizations().into_iter().map(|a| a.status).collect();
        assert_eq!(statuses, ["captured"], "{mood:?}");
        assert_eq!(room.number("SELECT count(*) FROM deposit WHERE status = 'CAPTURED'").await, 1, "{mood:?}");
    }
}

#[tokio::test]
async fn a_server_that_dies_between_writing_and_hearing_charges_once() {
    let (room, sim, deal) = with_partner().await;
    sim.misbehave(&[Mood::Slow]);
    // Dropped while the partner is at it, as by a client that hangs up or a server that is killed.
    let cut = tokio::time::timeout(std::time::Duration::from_millis(300), authorize(&room, &deal, "one", "tok_visa")).await;
    assert!(cut.is_err(), "cut in the middle");
    until("the partner did it", async || sim.authorizations().len() == 1).await;
    assert_eq!(room.number("SELECT count(*) FROM payment_request WHERE state = 'UNKNOWN' AND tries = 1").await, 1);
    assert_eq!(room.app.app.payments.sweep().await.unwrap(), 0, "somebody may still be at it");
    clear(&room).await;
    assert_eq!(sim.authorizations().len(), 1);
    assert_eq!(room.number("SELECT count(*) FROM deposit WHERE status = 'AUTHORIZED' AND partner_reference = 'auth_000001'").await, 1);
}

#[tokio::test]
async fn no_connection_of_the_database_waits_for_the_partner() {
    let (room, sim, deal) = with_partner().await;
    sim.misbehave(&[Mood::Slow]);
    let room = Arc::new(room);
    let asking = {
        let (room, deal) = (Arc::clone(&room), deal.clone());
        tokio::spawn(async move { authorize(&room, &deal, "one", "tok_visa").await })
    };
    until("the partner is asked", async || sim.heard() == 1).await;
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
    assert_eq!(room.number(open).await, 0);
    asking.await.expect("answers");
}

#[tokio::test]
async fn when_a_hold_ends_without_a_sale_the_money_is_given_free() {
    let (mut room, sim, deal) = with_partner().await;
    let taken = authorize(&room, &deal, "one", "tok_visa").await;
    assert_eq!(taken["deposit"]["status"], "AUTHORIZED");
    // The hold runs out; nobody is there.
    room.app.clock.advance(Duration::minutes(121));
    assert_eq!(room.app.app.deals.sweep_holds().await.unwrap(), 1);
    assert_eq!(room.app.app.payments.sweep().await.unwrap(), 1);
    room.sam = room.app.sign_in("sam@example.com").await;
    assert_eq!(deposits(&room, &deal).await[0]["status"], "VOIDED");
    assert_eq!(sim.authorizations()[0].status, "voided");
}

#[tokio::test]
async fn money_whose_hold_ended_while_the_bank_was_silent_is_given_free_as_soon_as_it_speaks() {
    let (room, sim, deal) = with_partner().await;
    sim.misbehave(&[Mood::DropAfter]);
    authorize(&room, &deal, "one", "tok_visa").await;
    room.done("dealLose", &deal, json!({ "reason": "went elsewhere" })).await;
    clear(&room).await;
    assert_eq!(sim.authorizations()[0].status, "voided");
    assert_eq!(room.number("SELECT count(*) FROM deposit WHERE status = 'VOIDED'").await, 1);
}

#[tokio::test]
async fn a_swap_keeps_the_deposit() {
    let (room, sim, deal) = with_partner().await;
    authorize(&room, &deal, "one", "tok_visa").await;
    room.done("dealSwapVehicle", &deal, json!({ "vehicleId": room.camry })).await;
    let kept = "SELECT count(*) FROM deposit d JOIN vehicle_hold h ON h.id = d.hold_id JOIN vehicle v ON v.id = h.vehicle_id
      WHERE d.status = 'AUTHORIZED' AND h.released_at IS NULL AND v.model = 'Camry'";
    assert_eq!(room.number(kept).await, 1);
    assert_eq!(sim.authorizations()[0].status, "authorized");
}

#[tokio::test]
async fn without_a_partner_or_a_hold_no_deposit_is_taken() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    assert_eq!(authorize(&room, &deal, "one", "tok_visa").await["userErrors"][0]["code"], "NO_HOLD");
    room.run(&room.sam, "holdPlace", json!({ "dealId": deal["id"], "idempotencyKey": room.key() }), "userErrors { code }").await;
    assert_eq!(authorize(&room, &deal, "two", "tok_visa").await["userErrors"][0]["code"], "PAYMENTS_OFF");
    let stranger = room.app.stranger().await;
    let input = json!({ "dealId": deal["id"], "amount": "1.00", "refundable": true, "cardToken": "tok_visa", "idempotencyKey": "x" });
    let told = room.run(&stranger, "depositAuthorize", input, "deal { id } userErrors { code }").await;
    assert_eq!(told, json!({ "deal": null, "userErrors": [{ "code": "NOT_FOUND" }] }));
}

/// A deposit that was taken.
async fn captured(room: &Showroom, deal: &Value, refundable: bool) -> Value {
    let input = json!({ "dealId": deal["id"], "amount": "500.00", "refundable": refundable, "cardToken": "tok_visa", "idempotencyKey": room.key() });
    let taken = room.run(&room.sam, "depositAuthorize", input, SEEN).await;
    let captured = change(room, "depositCapture", &taken["deposit"]).await;
    assert_eq!(captured["deposit"]["status"], "CAPTURED");
    captured["deposit"].clone()
}

#[tokio::test]
async fn a_sale_that_is_called_off_gives_back_what_was_agreed_to_be_refundable() {
    for (refundable, status, books) in [(true, "REFUNDED", "refunded"), (false, "CAPTURED", "captured")] {
        let (room, sim, deal) = with_partner().await;
        captured(&room, &deal, refundable).await;
        room.done("dealCancel", &deal, json!({ "reason": "changed their mind" })).await;
        room.app.app.payments.sweep().await.expect("sweeps");
        assert_eq!(deposits(&room, &deal).await[0]["status"], status);
        assert_eq!(sim.authorizations()[0].status, books);
    }
}

#[tokio::test]
async fn a_refund_the_partner_refuses_is_put_before_a_manager() {
    let (room, sim, deal) = with_partner().await;
    let input =
        json!({ "dealId": deal["id"], "amount": "500.00", "refundable": true, "cardToken": "tok_no_refund", "idempotencyKey": room.key() });
    let taken = room.run(&room.sam, "depositAuthorize", input, SEEN).await;
    change(&room, "depositCapture", &taken["deposit"]).await;
    let steps = async || {
        let query = "query ($id: ID!) { deal(id: $id) { nextSteps { code who } deposits { status refusedCode } } }";
        room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await["deal"].clone()
    };
    room.done("dealCancel", &deal, json!({ "reason": "changed their mind" })).await;
    assert_eq!(steps().await["nextSteps"], json!([]), "the partner was not asked yet");
    room.app.app.payments.sweep().await.expect("sweeps");
    assert_eq!(
        steps().await,
        json!({ "nextSteps": [{ "code": "SETTLE_REFUND", "who": "SALES_MANAGER" }],
            "deposits": [{ "status": "CAPTURED", "refusedCode": "card_closed" }] })
    );
    assert_eq!(sim.authorizations()[0].status, "captured");
    // Nothing is tried again by itself; the metric sees it on the next round.
    assert_eq!(room.app.app.payments.sweep().await.expect("sweeps"), 0);
    let page = room.app.send(http::Request::get("/metrics").body(axum::body::Body::empty()).expect("a request")).await;
    let page = axum::body::to_bytes(page.into_body(), 1 << 20).await.expect("a body");
    assert!(String::from_utf8_lossy(&page).contains("deskless_refunds_refused"));
}

#[tokio::test]
async fn a_delivery_that_is_taken_back_gives_back_everything() {
    let (room, sim, deal) = with_partner().await;
    captured(&room, &deal, false).await;
    let mut deal = room.done("dealStructure", &deal, json!({ "kind": "CASH" })).await;
    for step in ["dealPresent", "dealAgree", "dealContract"] {
        deal = room.done(step, &deal, json!({})).await;
    }
    let deal = room.done("dealDeliver", &deal, handing_over(json!({ "odometerMiles": 20_000 }))).await;
    let maria = room.app.manager().await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": "back", "reason": "The wrong car", "odometerMiles": 20_000,
        "customerAgrees": true, "considerationReturned": true });
    let done = room.run(&maria, "dealUnwind", input, "deal { state deposits { status } } userErrors { code }").await;
    assert_eq!(done, json!({ "deal": { "state": "UNWOUND", "deposits": [{ "status": "REFUNDING" }] }, "userErrors": [] }));
    room.app.app.payments.sweep().await.expect("sweeps");
    assert_eq!(sim.authorizations()[0].status, "refunded");
}

#[tokio::test]
async fn a_refund_with_an_unknown_outcome_is_asked_about_and_done_once() {
    for mood in [Mood::Slow, Mood::Error, Mood::ErrorAfter, Mood::DropAfter, Mood::Garbage, Mood::Pending] {
        let (mut room, sim, deal) = with_partner().await;
        let deposit = captured(&room, &deal, true).await;
        let maria = room.app.manager().await;
        sim.misbehave(&[mood, mood]);
        let input = json!({ "depositId": deposit["id"], "idempotencyKey": "back" });
        let asked = room.run(&maria, "depositRefund", input.clone(), SEEN).await;
        assert_eq!((&asked["deposit"]["status"], &asked["deposit"]["outcomeKnown"]), (&json!("REFUNDING"), &json!(false)), "{mood:?}");
        let again = room.run(&maria, "depositRefund", input, SEEN).await;
        assert_eq!((&again["replayed"], &again["deposit"]["status"]), (&json!(true), &json!("REFUNDING")), "{mood:?}");
        clear(&room).await;
        room.sam = room.app.sign_in("sam@example.com").await;
        assert_eq!(deposits(&room, &deal).await[0]["status"], "REFUNDED", "{mood:?}");
        assert_eq!(sim.authorizations()[0].status, "refunded", "{mood:?}");
        assert_eq!(room.number("SELECT count(*) FROM payment_request WHERE kind = 'REFUND'").await, 1, "{mood:?}");
        // The deal may leave another one.
        let deal = json!({ "id": deal["id"] });
        room.run(&room.sam, "holdPlace", json!({ "dealId": deal["id"], "idempotencyKey": room.key() }), "userErrors { code }").await;
        assert_eq!(authorize(&room, &deal, "new", "tok_visa").await["deposit"]["status"], "AUTHORIZED", "{mood:?}");
    }
}

#[tokio::test]
async fn money_whose_taking_was_unknown_when_the_sale_ended_goes_back_once_it_is_known() {
    let (room, sim, deal) = with_partner().await;
    let taken = authorize(&room, &deal, "one", "tok_visa").await;
    sim.misbehave(&[Mood::DropAfter]);
    assert_eq!(change(&room, "depositCapture", &taken["deposit"]).await["deposit"]["status"], "CAPTURING");
    room.done("dealLose", &deal, json!({ "reason": "went elsewhere" })).await;
    clear(&room).await;
    assert_eq!(sim.authorizations()[0].status, "refunded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manager_refunds_and_of_two_at_once_one_does() {
    let (room, sim, deal) = with_partner().await;
    let room = Arc::new(room);
    let deposit = captured(&room, &deal, false).await;
    assert_eq!(change(&room, "depositRefund", &deposit).await["userErrors"][0]["code"], "MANAGER_NEEDED");
    let elsewhere = room.app.person("raleigh@example.com", &[(room.app.raleigh, deskless::auth::Role::SalesManager)]).await;
    let input = json!({ "depositId": deposit["id"], "idempotencyKey": "x" });
    assert_eq!(room.run(&elsewhere, "depositRefund", input, SEEN).await["userErrors"][0]["code"], "NOT_FOUND");
    let maria = room.app.manager().await;
    let tries = (0..2).map(|n| {
        let (room, id, access) = (Arc::clone(&room), deposit["id"].clone(), maria.access.clone());
        tokio::spawn(async move {
            let who = crate::helpers::Session { access, refresh: String::new() };
            let input = json!({ "depositId": id, "idempotencyKey": format!("refund-{n}") });
            room.run(&who, "depositRefund", input, SEEN).await["userErrors"][0]["code"].as_str().unwrap_or("DONE").to_owned()
        })
    });
    let mut outcomes: Vec<String> = futures::future::join_all(tries).await.into_iter().map(|t| t.expect("no panic")).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["DONE", "WRONG_DEPOSIT_STATUS"]);
    assert_eq!(sim.authorizations()[0].status, "refunded");
}

#[tokio::test]
async fn a_silent_partner_is_not_waited_for_and_one_try_finds_it_back() {
    let (room, sim, deal) = with_partner().await;
    let other = room.open_deal(&room.camry, json!({})).await;
    room.run(&room.sam, "holdPlace", json!({ "dealId": other["id"], "idempotencyKey": room.key() }), "userErrors { code }").await;
    sim.misbehave(&[Mood::Error; 5]);
    authorize(&room, &deal, "one", "tok_visa").await;
    for _ in 0..4 {
        room.app.clock.advance(Duration::seconds(20));
        room.app.app.payments.sweep().await.expect("sweeps");
    }
    assert_eq!(sim.heard(), 5);
    let refused = authorize(&room, &other, "two", "tok_visa").await;
    assert_eq!(
        (&refused["userErrors"][0]["code"], &refused["userErrors"][0]["message"]),
        (&json!("PARTNER_SILENT"), &json!("The payment partner does not answer. Try again in a moment, or take the money at the cashier."))
    );
    room.app.app.payments.sweep().await.expect("sweeps");
    assert_eq!((sim.heard(), room.number("SELECT count(*) FROM deposit").await), (5, 1), "nobody was asked, nothing was written");
    // The rest is over: one goes through, and all is well again. The same key was not used up.
    room.app.clock.advance(Duration::seconds(16));
    assert_eq!(authorize(&room, &other, "two", "tok_visa").await["deposit"]["status"], "AUTHORIZED");
    clear(&room).await;
    assert_eq!(sim.authorizations().len(), 2);
    let request = axum::http::Request::get("/metrics").body(axum::body::Body::empty()).unwrap();
    let page = axum::body::to_bytes(room.app.send(request).await.into_body(), 1 << 20).await.unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(page.contains("deskless_payment_requests_unknown") && page.contains("deskless_payment_partner_silent"), "{page}");
}

#[tokio::test]
async fn a_deposit_of_a_deal_that_sits_on_another_tablet_is_left_alone() {
    let (room, sim, deal) = with_partner().await;
    let taken = authorize(&room, &deal, "one", "tok_visa").await;
    let maria = room.app.manager().await;
    room.run(&room.sam, "dealTake", json!({ "dealId": deal["id"] }), "userErrors { code }").await;
    let asked = sim.heard();
    for mutation in ["depositCapture", "depositVoid", "depositRefund"] {
        let input = json!({ "depositId": taken["deposit"]["id"], "idempotencyKey": format!("elsewhere-{mutation}") });
        let told = room.run(&maria, mutation, input, SEEN).await;
        assert_eq!(told["userErrors"][0]["code"], "HELD_ELSEWHERE", "{mutation}");
    }
    assert_eq!(sim.heard(), asked);
    room.run(&room.sam, "dealRelease", json!({ "dealId": deal["id"] }), "userErrors { code }").await;
    let input = json!({ "depositId": taken["deposit"]["id"], "idempotencyKey": "elsewhere-depositCapture" });
    assert_eq!(
        room.run(&maria, "depositCapture", input, SEEN).await["deposit"]["status"],
        "CAPTURED",
        "the same key, once the deal is free"
    );
}

#[tokio::test]
async fn managers_list_the_refunds_the_partner_refused() {
    let (room, _, deal) = with_partner().await;
    let mut refused = vec![deal];
    for _ in 0..2 {
        let car = room.add_car(&format!("4T1G11AK5MU00010{}", refused.len()), "Toyota", "Camry", 2022, "USED", 20_000_00).await;
        refused.push(held(&room, &car.into()).await);
    }
    for deal in &refused {
        let input = json!({ "dealId": deal["id"], "amount": "500.00", "refundable": true, "cardToken": "tok_no_refund", "idempotencyKey": room.key() });
        let taken = room.run(&room.sam, "depositAuthorize", input, SEEN).await;
        assert_eq!(change(&room, "depositCapture", &taken["deposit"]).await["deposit"]["status"], "CAPTURED");
    }
    let list = async |who: &Session, more: Value| {
        let query = "query ($filter: DealFilterInput!, $order: DealOrder, $first: Int, $after: String) {
          deals(filter: $filter, orderBy: $order, first: $first, after: $after) {
            nodes { id nextSteps { code } } totalCount pageInfo { endCursor hasNextPage } } }";
        let mut variables = json!({ "filter": { "refundRefused": true } });
        for (name, value) in more.as_object().unwrap() {
            variables[name] = value.clone();
        }
        room.app.data(who, query, variables).await["deals"].take()
    };
    let maria = room.app.manager().await;
    assert_eq!(list(&maria, json!({})).await["totalCount"], 0, "nothing was refused yet");
    for deal in &refused {
        let present = room.app.data(&room.sam, "query ($id: ID!) { deal(id: $id) { id version } }", json!({ "id": deal["id"] })).await;
        room.done("dealCancel", &present["deal"], json!({ "reason": "changed their mind" })).await;
        room.app.clock.advance(Duration::seconds(1));
    }
    room.app.app.payments.sweep().await.expect("sweeps");
    let all = list(&maria, json!({})).await;
    assert_eq!((&all["totalCount"], all["nodes"].as_array().unwrap().len()), (&json!(3), 3));
    for node in all["nodes"].as_array().unwrap() {
        assert_eq!(node["nextSteps"], json!([{ "code": "SETTLE_REFUND" }]));
    }
    // The last that was called off first; the other way round; page by page.
    let ids = |page: &Value| page["nodes"].as_array().unwrap().iter().map(|n| n["id"].clone()).collect::<Vec<_>>();
    let expected: Vec<Value> = refused.iter().rev().map(|deal| deal["id"].clone()).collect();
    assert_eq!(ids(&all), expected);
    let mut turned = ids(&list(&maria, json!({ "order": "LONGEST_UNTOUCHED" })).await);
    turned.reverse();
    assert_eq!(turned, expected);
    let first = list(&maria, json!({ "first": 2 })).await;
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let rest = list(&maria, json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(([ids(&first), ids(&rest)].concat(), &rest["pageInfo"]["hasNextPage"]), (expected, &json!(false)));
    // Together with the other filters, and only in one's own stores.
    assert_eq!(list(&maria, json!({ "filter": { "refundRefused": true, "states": ["LOST"] } })).await["totalCount"], 0);
    let other = room.open_deal(&room.camry, json!({})).await;
    assert_eq!(list(&maria, json!({ "filter": { "refundRefused": false } })).await["totalCount"], 4, "{other}");
    let elsewhere = room.app.person("raleigh@example.com", &[(room.app.raleigh, Role::SalesManager)]).await;
    assert_eq!(ids(&list(&elsewhere, json!({})).await), Vec::<Value>::new());
    assert_eq!(list(&room.sam, json!({})).await["totalCount"], 3, "whoever sells there tells the customer");
    // Once the money went back another way and the partner agrees, the deal leaves the list.
    room.sql(
        "UPDATE deposit SET status = 'REFUNDED' WHERE deal_id = (SELECT id FROM deal WHERE ended_at IS NOT NULL ORDER BY number LIMIT 1)",
    )
    .await;
    assert_eq!(list(&maria, json!({})).await["totalCount"], 2);
}
