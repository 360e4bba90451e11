//! How a store does, from the signals of its conversations; every figure reckoned by hand.

use chrono::Duration;
use deskless::auth::Role;
use serde_json::{Value, json};

use crate::helpers::Session;
use crate::helpers::showroom::Showroom;

const QUERY: &str = "query ($s: ID!, $from: Date!, $until: Date!) { storePerformance(storeId: $s, from: $from, until: $until) {
  from until greeted opened presented agreed contracted lost cancelled
  minutesToAgreement { count total median p90 average } handOffsPerDeal { count total median p90 average } swapsPerDeal { total average }
  minutesFromGreetingToAgreement { count total median } lostReasons { reason count } minutesToManagerAnswer { count median p90 } takeovers { reason count withUnsavedWork againstTheHolder } } }";

async fn performance(room: &Showroom, who: &Session, from: &str, until: &str) -> Value {
    let variables = json!({ "s": room.app.austin.to_string(), "from": from, "until": until });
    room.app.data(who, QUERY, variables).await["storePerformance"].take()
}

/// A cash deal agreed so many minutes after its car was chosen. Tokens last a quarter of an hour, so Sam signs in again.
async fn agreed_after(room: &mut Showroom, minutes: i64, swapped: bool) {
    let mut deal = room.open_deal(&room.rav4, json!({ "kind": "CASH" })).await;
    room.app.clock.advance(Duration::minutes(minutes));
    room.sam = room.app.sign_in("sam@example.com").await;
    if swapped {
        deal = room.done("dealSwapVehicle", &deal, json!({ "vehicleId": room.camry })).await;
    }
    let deal = room.done("dealPresent", &deal, json!({})).await;
    let deal = room.done("dealAgree", &deal, json!({})).await;
    // A second yes after a change of mind does not count again.
    let deal = room.done("dealStructure", &deal, json!({ "dealerRebate": "1" })).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    room.done("dealAgree", &deal, json!({})).await;
}

#[tokio::test]
async fn minutes_hand_offs_swaps_and_takeovers_are_reckoned_from_the_signals() {
    let mut room = Showroom::open().await;
    room.app.person("maria@example.com", &[(room.app.austin, Role::SalesManager)]).await;
    for (minutes, swapped) in [(10, false), (20, true), (31, false), (45, false), (120, false)] {
        agreed_after(&mut room, minutes, swapped).await;
    }
    // Mia takes a deal over from Sam's tablet, which was away; it is agreed after 30 minutes.
    let mia = room.app.person("mia@example.com", &[(room.app.austin, Role::Salesperson)]).await;
    let deal = room.open_deal(&room.camry, json!({ "kind": "CASH" })).await;
    let seat = json!({ "dealId": deal["id"], "unsaved": "the trade-in" });
    room.run(&room.sam, "dealTake", seat, "userErrors { code }").await;
    room.app.clock.advance(Duration::seconds(60));
    room.run(&mia, "dealTake", json!({ "dealId": deal["id"] }), "userErrors { code }").await;
    room.app.clock.advance(Duration::seconds(29 * 60));
    room.sam = room.app.sign_in("sam@example.com").await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    room.done("dealAgree", &deal, json!({})).await;
    let lost = room.open_deal(&room.rav4, json!({})).await;
    room.done("dealLose", &lost, json!({ "reason": "Bought elsewhere" })).await;
    let greet = json!({ "customerId": room.customer, "idempotencyKey": "hello" });
    for replayed in [false, true] {
        let payload = room.run(&room.sam, "customerGreet", greet.clone(), "replayed customer { id } userErrors { code }").await;
        assert_eq!((&payload["replayed"], &payload["userErrors"]), (&json!(replayed), &json!([])));
    }

    let maria = room.app.sign_in("maria@example.com").await;
    let seen = performance(&room, &maria, "2026-11-21", "2026-11-22").await;
    assert_eq!(
        (&seen["greeted"], &seen["opened"], &seen["agreed"], &seen["lost"], &seen["contracted"]),
        (&json!(1), &json!(7), &json!(6), &json!(1), &json!(0))
    );
    // 10, 20, 30, 31, 45, 120: the third of six is the middle one, the sixth the one nine in ten do not exceed.
    assert_eq!(seen["minutesToAgreement"], json!({ "count": 6, "total": 256, "median": 30, "p90": 120, "average": "42.67" }));
    assert_eq!(seen["handOffsPerDeal"], json!({ "count": 6, "total": 1, "median": 0, "p90": 1, "average": "0.17" }));
    assert_eq!(seen["swapsPerDeal"], json!({ "total": 1, "average": "0.17" }));
    assert_eq!(seen["takeovers"], json!([{ "reason": "HOLDER_AWAY", "count": 1, "withUnsavedWork": 1, "againstTheHolder": 0 }]));
    assert_eq!(seen["minutesToManagerAnswer"], json!({ "count": 0, "median": null, "p90": null }));
    // Another day has nothing, and nothing is not zero.
    let empty = performance(&room, &maria, "2026-11-23", "2026-11-24").await;
    assert_eq!(empty["minutesToAgreement"], json!({ "count": 0, "total": 0, "median": null, "p90": null, "average": null }));
}

#[tokio::test]
async fn performance_is_for_the_stores_own_managers_and_bounded() {
    let room = Showroom::open().await;
    let maria = room.app.manager().await;
    let elsewhere = room.app.person("raleigh@example.com", &[(room.app.raleigh, Role::SalesManager)]).await;
    assert!(!performance(&room, &maria, "2026-11-01", "2026-12-01").await.is_null());
    assert!(performance(&room, &room.sam, "2026-11-01", "2026-12-01").await.is_null());
    assert!(performance(&room, &elsewhere, "2026-11-01", "2026-12-01").await.is_null());
    for (from, until) in [("2026-11-02", "2026-11-01"), ("2026-11-01", "2026-11-01"), ("2025-01-01", "2026-12-01")] {
        let variables = json!({ "s": room.app.austin.to_string(), "from": from, "until": until });
        let answer = room.app.graphql(Some(&maria.access), QUERY, variables).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{from} {until}");
    }
}

#[tokio::test]
async fn lost_reasons_are_counted_by_code_and_a_visit_begins_with_its_greeting() {
    let mut room = Showroom::open().await;
    room.app.person("maria@example.com", &[(room.app.austin, Role::SalesManager)]).await;
    // Noon at the store: greeted, fifteen minutes of talk, a car chosen, ten minutes to the yes.
    let greet = async |room: &Showroom, key: &str| {
        let input = json!({ "customerId": room.customer, "idempotencyKey": key });
        room.run(&room.sam, "customerGreet", input, "userErrors { code }").await;
    };
    greet(&room, "first").await;
    room.app.clock.advance(Duration::minutes(15));
    room.sam = room.app.sign_in("sam@example.com").await;
    greet(&room, "again").await;
    let deal = room.open_deal(&room.rav4, json!({ "kind": "CASH" })).await;
    room.app.clock.advance(Duration::minutes(10));
    let deal = room.done("dealPresent", &deal, json!({})).await;
    room.done("dealAgree", &deal, json!({})).await;
    // Somebody who was greeted by nobody today is not measured.
    let walked_in = room.add_customer("TX", "78701").await;
    let deal = room.open_deal(&room.camry, json!({ "kind": "CASH", "customerId": walked_in.to_string() })).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    room.done("dealAgree", &deal, json!({})).await;

    for (code, words) in
        [("PRICE", None), ("PRICE", Some("2,000 less across the street")), ("TOOK_TOO_LONG", None), ("OTHER", Some("moves away"))]
    {
        let deal = room.open_deal(&room.camry, json!({})).await;
        let payload = room.act("dealLose", &deal, json!({ "reasonCode": code, "reason": words })).await;
        assert_eq!((&payload["userErrors"], &payload["deal"]["state"]), (&json!([]), &json!("LOST")), "{code}");
        let seen =
            room.app.data(&room.sam, "query ($id: ID!) { deal(id: $id) { lostReason lostReasonCode } }", json!({ "id": deal["id"] })).await;
        assert_eq!(seen["deal"], json!({ "lostReason": words, "lostReasonCode": code }));
    }
    // Words alone still do, as for older tablets; nothing at all, and "other" without words, do not.
    let deal = room.open_deal(&room.camry, json!({})).await;
    for nothing in [json!({}), json!({ "reasonCode": "OTHER" }), json!({ "reason": " " })] {
        assert_eq!(room.act("dealLose", &deal, nothing).await["userErrors"][0]["code"], "REASON_NEEDED");
    }
    room.done("dealLose", &deal, json!({ "reason": "in words" })).await;
    // Tokens last a quarter of an hour.
    let maria = room.app.sign_in("maria@example.com").await;
    let seen = performance(&room, &maria, "2026-11-21", "2026-11-22").await;
    assert_eq!(seen["minutesFromGreetingToAgreement"], json!({ "count": 1, "total": 25, "median": 25 }));
    assert_eq!(
        seen["lostReasons"],
        json!([{ "reason": "PRICE", "count": 2 }, { "reason": "OTHER", "count": 1 }, { "reason": "TOOK_TOO_LONG", "count": 1 }, { "reason": null, "count": 1 }])
    );
    let empty = performance(&room, &maria, "2026-11-23", "2026-11-24").await;
    assert_eq!((&empty["lostReasons"], &empty["minutesFromGreetingToAgreement"]["count"]), (&json!([]), &json!(0)));
}
