//! Two tablets, one deal: who has it, asking, warning, taking over; and what a stale write is told.

use std::sync::Arc;

use chrono::Duration;
use serde_json::{Value, json};

use crate::helpers::live::{listen, next, next_where};
use crate::helpers::showroom::Showroom;
use crate::helpers::{PASSWORD, Session, TestApp};

const HOLDER: &str = "holder { by { displayName } deviceLabel mine since expiresAt unsaved asked { by { displayName } mine note takeOverFrom kept answerNote } }
  deal { id version } userErrors { code message }";

/// Signs somebody in on a device with a name.
async fn tablet(app: &TestApp, login: &str, label: &str) -> Session {
    let document = "mutation ($input: SignInInput!) { signIn(input: $input) { tokens { accessToken refreshToken } } }";
    let input = json!({ "login": login, "password": PASSWORD, "deviceLabel": label });
    let answer = app.graphql(None, document, json!({ "input": input })).await;
    let token = |name: &str| answer["data"]["signIn"]["tokens"][name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    Session { access: token("accessToken"), refresh: token("refreshToken") }
}

/// A deal, Sam's tablet and Mia's.
async fn two_tablets() -> (Showroom, Value, Session, Session) {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    room.app.person("mia@example.com", &[(room.app.austin, deskless::auth::Role::Salesperson)]).await;
    let sam = tablet(&room.app, "sam@example.com", "Tablet 1").await;
    let mia = tablet(&room.app, "mia@example.com", "Tablet 2").await;
    (room, deal, sam, mia)
}

async fn seat(room: &Showroom, who: &Session, mutation: &str, deal: &Value, more: Value) -> Value {
    let mut input = json!({ "dealId": deal["id"] });
    if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
    room.run(who, mutation, input, HOLDER).await
}

async fn write(room: &Showroom, who: &Session, deal: &Value, version: i64, key: &str, down: &str) -> Value {
    let input = json!({ "dealId": deal["id"], "expectedVersion": version, "idempotencyKey": key, "downPayment": down });
    let selection = "deal { id version downPayment { amount } } outOfSync { expectedVersion version changed { part before after }
      events { verb by { displayName } } } userErrors { code message }";
    room.run(who, "dealStructure", input, selection).await
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("DONE")
}

#[tokio::test]
async fn a_second_tablet_sees_who_has_the_deal_and_takes_it_over_after_a_warning() {
    let (room, deal, sam, mia) = two_tablets().await;
    let taken = seat(&room, &sam, "dealTake", &deal, json!({ "unsaved": "A trade-in of 9,000" })).await;
    assert_eq!((code(&taken), &taken["holder"]["mine"], &taken["holder"]["deviceLabel"]), ("DONE", &json!(true), &json!("Tablet 1")));
    let watch = "subscription ($id: ID!) { dealChanged(id: $id) { version holder { mine by { displayName } asked { by { displayName } takeOverFrom note } } } }";
    let mut screen = listen(&room.app.app, &sam, watch, json!({ "id": deal["id"] })).await;
    assert_eq!(next(&mut screen).await["holder"]["mine"], true);

    let seen = seat(&room, &mia, "dealTake", &deal, json!({})).await;
    assert_eq!(code(&seen), "HELD_ELSEWHERE");
    assert_eq!(seen["userErrors"][0]["message"], "sam@example.com has this deal open on Tablet 1. Watch, ask for it, or take it over.");
    assert_eq!((&seen["holder"]["mine"], &seen["holder"]["unsaved"]), (&json!(false), &json!("A trade-in of 9,000")));
    assert_eq!(code(&write(&room, &mia, &deal, 1, "mia-1", "500").await), "HELD_ELSEWHERE", "no silent interruption");

    let reason = json!({ "reason": "CUSTOMER_WITH_COLLEAGUE", "note": "She came to me" });
    let warned = seat(&room, &mia, "dealTakeOver", &deal, reason.clone()).await;
    assert_eq!((code(&warned), &warned["holder"]["asked"]["takeOverFrom"]), ("HOLDER_WARNED", &json!("2026-11-21T18:00:10+00:00")));
    let warning = next_where(&mut screen, |seen| !seen["holder"]["asked"].is_null()).await;
    assert_eq!(warning["holder"]["asked"]["note"], "She came to me", "the holder is told before it happens");
    room.app.clock.advance(Duration::seconds(9));
    assert_eq!(code(&seat(&room, &mia, "dealTakeOver", &deal, reason.clone()).await), "HOLDER_WARNED");
    let kept = seat(&room, &sam, "dealAnswerAsk", &deal, json!({ "answer": "KEEP", "note": "One minute" })).await;
    assert_eq!(code(&kept), "DONE");
    room.app.clock.advance(Duration::seconds(1));
    let over = seat(&room, &mia, "dealTakeOver", &deal, reason).await;
    assert_eq!(
        (code(&over), &over["holder"]["mine"], &over["holder"]["by"]["displayName"]),
        ("DONE", &json!(true), &json!("mia@example.com"))
    );
    let told = next_where(&mut screen, |seen| seen["holder"]["mine"] == false).await;
    assert_eq!(told["holder"]["by"]["displayName"], "mia@example.com");
    // The key that was refused is not used up.
    assert_eq!(code(&write(&room, &mia, &deal, 1, "mia-1", "500").await), "DONE");
    assert_eq!(code(&write(&room, &sam, &deal, 2, "sam-1", "600").await), "HELD_ELSEWHERE");
    assert_eq!(code(&seat(&room, &sam, "dealHeartbeat", &deal, json!({})).await), "HELD_ELSEWHERE", "a tablet that slept learns of it");
    let signal: Value =
        sqlx::query_scalar("SELECT detail FROM audit_event WHERE verb = 'taken_over'").fetch_one(room.pool()).await.expect("one");
    assert_eq!(
        (&signal["reason"], &signal["heldSeconds"], &signal["unsaved"], &signal["warned"], &signal["kept"]),
        (&json!("CUSTOMER_WITH_COLLEAGUE"), &json!(10), &json!(true), &json!(true), &json!(true))
    );
    assert!(!signal.to_string().contains("9,000"), "the words stay on the tablets");
}

#[tokio::test]
async fn a_deal_is_asked_for_and_handed_over_at_once() {
    let (room, deal, sam, mia) = two_tablets().await;
    assert_eq!(code(&seat(&room, &mia, "dealAsk", &deal, json!({})).await), "NOT_HELD");
    seat(&room, &sam, "dealTake", &deal, json!({})).await;
    assert_eq!(code(&seat(&room, &sam, "dealAnswerAsk", &deal, json!({ "answer": "HAND_OVER" })).await), "NOT_HELD");
    let asked = seat(&room, &mia, "dealAsk", &deal, json!({ "note": "May I?" })).await;
    assert_eq!(
        (code(&asked), &asked["holder"]["asked"]["mine"], &asked["holder"]["asked"]["takeOverFrom"]),
        ("DONE", &json!(true), &Value::Null)
    );
    let max = room.app.person("max@example.com", &[(room.app.austin, deskless::auth::Role::SalesManager)]).await;
    assert_eq!(code(&seat(&room, &max, "dealAsk", &deal, json!({})).await), "ALREADY_ASKED");
    let given = seat(&room, &sam, "dealAnswerAsk", &deal, json!({ "answer": "HAND_OVER" })).await;
    assert_eq!(
        (code(&given), &given["holder"]["by"]["displayName"], &given["holder"]["asked"]),
        ("DONE", &json!("mia@example.com"), &Value::Null)
    );
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE detail ->> 'reason' = 'HANDED_OVER'").await, 1);
    assert_eq!(code(&seat(&room, &mia, "dealRelease", &deal, json!({})).await), "DONE");
    assert_eq!(code(&write(&room, &sam, &deal, 1, "sam-1", "500").await), "DONE", "nobody has it: everybody may write");
}

#[tokio::test]
async fn an_absent_tablet_and_ones_own_other_tablet_need_no_warning() {
    let (room, deal, sam, mia) = two_tablets().await;
    seat(&room, &sam, "dealTake", &deal, json!({ "unsaved": "Typing" })).await;
    room.app.clock.advance(Duration::seconds(59));
    assert_eq!(code(&seat(&room, &mia, "dealTake", &deal, json!({})).await), "HELD_ELSEWHERE");
    room.app.clock.advance(Duration::seconds(1));
    assert_eq!(code(&write(&room, &mia, &deal, 1, "mia-1", "500").await), "DONE", "the minute is over");
    let taken = seat(&room, &mia, "dealTake", &deal, json!({})).await;
    assert_eq!((code(&taken), &taken["holder"]["mine"]), ("DONE", &json!(true)));
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE detail ->> 'reason' = 'HOLDER_AWAY'").await, 1);
    let other = tablet(&room.app, "mia@example.com", "Phone").await;
    assert_eq!(code(&seat(&room, &other, "dealTake", &deal, json!({})).await), "HELD_ELSEWHERE", "not without saying so");
    assert_eq!(code(&seat(&room, &other, "dealTakeOver", &deal, json!({ "reason": "OTHER_DEVICE" })).await), "DONE");
    // Signing out leaves the seat: whoever watches is told by the server itself.
    let upkeep = deskless::upkeep::start(&room.app.app);
    room.app.data(&other, "mutation { signOut { signedOut } }", json!({})).await;
    crate::helpers::until("the seat is free", async || room.number("SELECT count(*) FROM deal_seat").await == 0).await;
    upkeep.abort();
}

#[tokio::test]
async fn another_stores_tablet_learns_nothing_and_bounds_are_kept() {
    let (room, deal, sam, _) = two_tablets().await;
    seat(&room, &sam, "dealTake", &deal, json!({ "unsaved": "secret words" })).await;
    let otto = room.app.stranger().await;
    for (mutation, more) in [
        ("dealTake", json!({})),
        ("dealHeartbeat", json!({})),
        ("dealRelease", json!({})),
        ("dealAsk", json!({})),
        ("dealAnswerAsk", json!({ "answer": "KEEP" })),
        ("dealTakeOver", json!({ "reason": "OTHER" })),
    ] {
        let payload = seat(&room, &otto, mutation, &deal, more).await;
        assert_eq!((code(&payload), &payload["holder"], &payload["deal"]), ("NOT_FOUND", &Value::Null, &Value::Null), "{mutation}");
    }
    let long = json!({ "input": { "dealId": deal["id"], "unsaved": "x".repeat(301) } });
    let answer = room.app.graphql(Some(&sam.access), &crate::helpers::showroom::document("dealTake", "userErrors { code }"), long).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_stale_write_is_told_what_changed_by_whom() {
    let (room, deal, sam, mia) = two_tablets().await;
    assert_eq!(code(&write(&room, &mia, &deal, 1, "mia-1", "500").await), "DONE");
    assert_eq!(code(&write(&room, &mia, &deal, 2, "mia-2", "700").await), "DONE");
    let stale = write(&room, &sam, &deal, 1, "sam-1", "600").await;
    assert_eq!((code(&stale), &stale["deal"]["downPayment"]["amount"]), ("DEAL_OUT_OF_SYNC", &json!("700.00")));
    let told = &stale["outOfSync"];
    assert_eq!((&told["expectedVersion"], &told["version"]), (&json!(1), &json!(3)));
    assert_eq!(
        told["events"],
        json!([{ "verb": "structured", "by": { "displayName": "mia@example.com" } }, { "verb": "structured", "by": { "displayName": "mia@example.com" } }])
    );
    let part = told["changed"].as_array().expect("parts").iter().find(|c| c["part"] == "downPayment").expect("the down payment").clone();
    assert_eq!(part, json!({ "part": "downPayment", "before": "0.00", "after": "700.00" }), "from what this tablet knew to what stands");
    assert!(write(&room, &mia, &deal, 3, "mia-3", "800").await["outOfSync"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_tablets_that_take_a_free_deal_at_once_one_has_it() {
    let (room, _, _, _) = two_tablets().await;
    let long = std::env::var("DESKLESS_CHAOS").is_ok_and(|form| form == "long");
    let (room, rounds) = (Arc::new(room), if long { 100 } else { 5 });
    let mut tablets = Vec::new();
    for n in 0..8 {
        tablets.push(tablet(&room.app, if n % 2 == 0 { "sam@example.com" } else { "mia@example.com" }, &format!("Tablet {n}")).await);
    }
    let (mut taken, mut warned) = (0, 0);
    for round in 0..rounds {
        let deal = room.open_deal(&room.camry, json!({})).await;
        let tries = tablets.iter().cloned().map(|who| {
            let (room, deal) = (Arc::clone(&room), deal.clone());
            tokio::spawn(async move { code(&seat(&room, &who, "dealTake", &deal, json!({})).await).to_owned() })
        });
        let codes: Vec<_> = futures::future::join_all(tries).await.into_iter().map(|code| code.expect("no panic")).collect();
        assert_eq!(codes.iter().filter(|code| *code == "DONE").count(), 1, "round {round}: {codes:?}");
        taken += 1;
        // Everybody wants to take it over at once: one colleague is heard, and one seat is left.
        let tries = tablets.iter().cloned().map(|who| {
            let (room, deal) = (Arc::clone(&room), deal.clone());
            tokio::spawn(async move { code(&seat(&room, &who, "dealTakeOver", &deal, json!({ "reason": "OTHER" })).await).to_owned() })
        });
        let codes: Vec<_> = futures::future::join_all(tries).await.into_iter().map(|code| code.expect("no panic")).collect();
        warned += codes.iter().filter(|code| *code == "HOLDER_WARNED").count();
        assert!(codes.iter().all(|code| ["DONE", "HOLDER_WARNED", "ALREADY_ASKED"].contains(&code.as_str())), "{codes:?}");
        assert_eq!(room.number("SELECT count(DISTINCT deal_id) - count(*) FROM deal_seat").await, 0);
    }
    println!("{taken} free deals taken by one of 8 tablets each; {warned} warnings");
}

#[tokio::test]
async fn the_car_of_a_deal_on_another_tablet_is_neither_held_nor_let_go() {
    let (room, deal, sam, mia) = two_tablets().await;
    seat(&room, &sam, "dealTake", &deal, json!({})).await;
    let act = async |mutation: &str| {
        let input = json!({ "dealId": deal["id"], "idempotencyKey": format!("mia-{mutation}") });
        code(&room.run(&mia, mutation, input, "userErrors { code }").await).to_owned()
    };
    for mutation in ["holdPlace", "holdExtend", "holdRelease", "holdQueueJoin", "holdQueueLeave"] {
        assert_eq!(act(mutation).await, "HELD_ELSEWHERE", "{mutation}");
    }
    let deposit = json!({ "dealId": deal["id"], "amount": "500", "refundable": true, "cardToken": "tok", "idempotencyKey": "d" });
    assert_eq!(code(&room.run(&mia, "depositAuthorize", deposit, "userErrors { code }").await), "HELD_ELSEWHERE");
    assert_eq!(room.number("SELECT count(*) FROM vehicle_hold").await, 0);
    let own = json!({ "dealId": deal["id"], "idempotencyKey": "sam-holds" });
    assert_eq!(code(&room.run(&sam, "holdPlace", own, "userErrors { code }").await), "DONE");
    seat(&room, &sam, "dealRelease", &deal, json!({})).await;
    assert_eq!(act("holdRelease").await, "DONE", "the refusal was not kept under the key");
}
