//! Keeping a car for a deal: one at a time, for so long, then the next in line.

use async_graphql::{Request, ValidationMode, Variables};
use chrono::Duration;
use deskless::auth::Role;
use deskless::graphql::RequestInfo;
use futures::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::helpers::showroom::{Showroom, document};
use crate::helpers::{PATIENCE, Session};

const HELD: &str =
    "deal { id version hold { reason expiresAt extensions note } queuePlace { position length } } userErrors { code message }";

async fn act(room: &Showroom, who: &Session, mutation: &str, deal: &Value, more: Value) -> Value {
    let mut input = json!({ "dealId": deal["id"], "idempotencyKey": room.key() });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    room.run(who, mutation, input, HELD).await
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("DONE")
}

/// What a tablet on a deal hears.
async fn watch(room: &Showroom, deal: &Value) -> impl Stream<Item = Value> + Unpin + use<> {
    let actor = room.app.app.auth.authenticate(&room.sam.access).await.expect("a session").actor;
    let query = "subscription ($id: ID!) { dealChanged(id: $id) { version hold { reason } queuePlace { position } nextSteps { say } } }";
    let request = Request::new(query)
        .variables(Variables::from_json(json!({ "id": deal["id"] })))
        .data(actor)
        .data(RequestInfo { request_id: "test".into(), address: "test".into() });
    let stream = room.app.app.schema(ValidationMode::Strict).execute_stream(request);
    Box::pin(stream.map(|response| response.data.into_json().expect("JSON")["dealChanged"].take()))
}

async fn until(stream: &mut (impl Stream<Item = Value> + Unpin), holds: impl Fn(&Value) -> bool) -> Value {
    tokio::time::timeout(PATIENCE, async {
        loop {
            let told = stream.next().await.expect("the stream goes on");
            if holds(&told) {
                return told;
            }
        }
    })
    .await
    .expect("told in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_deals_that_hold_one_car_exactly_one_gets_it() {
    let room = std::sync::Arc::new(Showroom::open().await);
    let mut deals = Vec::new();
    for _ in 0..20 {
        deals.push(room.open_deal(&room.rav4, json!({})).await);
    }
    let tries: Vec<_> = deals
        .into_iter()
        .map(|deal| {
            let room = std::sync::Arc::clone(&room);
            tokio::spawn(async move { code(&act(&room, &room.sam, "holdPlace", &deal, json!({})).await).to_owned() })
        })
        .collect();
    let mut outcomes: Vec<String> = futures::future::join_all(tries).await.into_iter().map(|t| t.expect("no panic")).collect();
    outcomes.sort();
    assert_eq!((outcomes[0].as_str(), outcomes.iter().filter(|o| *o == "VEHICLE_TAKEN").count()), ("DONE", 19));
    assert_eq!(room.number("SELECT count(*) FROM vehicle_hold WHERE released_at IS NULL").await, 1);
}

#[tokio::test]
async fn a_hold_ends_where_the_store_says_and_a_manager_may_go_further() {
    let room = Showroom::open().await;
    let boss = room.app.person("boss@example.com", &[(room.app.austin, Role::SalesManager)]).await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    assert_eq!(code(&act(&room, &room.sam, "holdExtend", &deal, json!({})).await), "NO_HOLD");
    assert_eq!(code(&act(&room, &room.sam, "holdPlace", &deal, json!({ "minutes": 121 })).await), "HOLD_LIMIT");
    let held = act(&room, &room.sam, "holdPlace", &deal, json!({ "note": "comes back with his wife" })).await;
    assert_eq!(
        held["deal"]["hold"],
        json!({ "reason": "DEAL", "expiresAt": "2026-11-21T20:00:00+00:00", "extensions": 0, "note": "comes back with his wife" })
    );
    assert_eq!(held["deal"]["version"], deal["version"], "a hold changes no figure");
    // Holding again is not a way to hold longer.
    room.app.clock.advance(Duration::minutes(10));
    let again = act(&room, &room.sam, "holdPlace", &deal, json!({})).await;
    assert_eq!(again["deal"]["hold"]["expiresAt"], "2026-11-21T20:00:00+00:00");
    let longer = act(&room, &room.sam, "holdExtend", &deal, json!({})).await;
    assert_eq!(
        (&longer["deal"]["hold"]["expiresAt"], &longer["deal"]["hold"]["extensions"]),
        (&json!("2026-11-21T22:00:00+00:00"), &json!(1))
    );
    let refused = act(&room, &room.sam, "holdExtend", &deal, json!({})).await;
    assert_eq!(code(&refused), "HOLD_LIMIT");
    assert!(refused["userErrors"][0]["message"].as_str().unwrap().contains("A manager can"), "{refused}");
    let longest = act(&room, &boss, "holdExtend", &deal, json!({ "minutes": 72 * 60 })).await;
    assert_eq!(longest["deal"]["hold"]["expiresAt"], "2026-11-24T18:00:00+00:00", "three days after it was placed, not more");
    assert_eq!(code(&act(&room, &boss, "holdExtend", &deal, json!({})).await), "HOLD_LIMIT");
}

#[tokio::test]
async fn a_freed_car_goes_to_the_next_in_line_who_is_told() {
    let mut room = Showroom::open().await;
    let (first, second, third) = (
        room.open_deal(&room.rav4, json!({})).await,
        room.open_deal(&room.rav4, json!({})).await,
        room.open_deal(&room.rav4, json!({})).await,
    );
    assert_eq!(code(&act(&room, &room.sam, "holdQueueJoin", &second, json!({})).await), "VEHICLE_FREE");
    act(&room, &room.sam, "holdPlace", &first, json!({})).await;
    let joined = act(&room, &room.sam, "holdQueueJoin", &second, json!({})).await;
    assert_eq!(joined["deal"]["queuePlace"], json!({ "position": 1, "length": 1 }));
    room.app.clock.advance(Duration::seconds(1));
    let joined = act(&room, &room.sam, "holdQueueJoin", &third, json!({})).await;
    assert_eq!(joined["deal"]["queuePlace"], json!({ "position": 2, "length": 2 }));
    let joined = act(&room, &room.sam, "holdQueueJoin", &second, json!({})).await;
    assert_eq!(joined["deal"]["queuePlace"]["position"], 1, "who waits keeps the place");

    let mut tablet = watch(&room, &second).await;
    until(&mut tablet, |told| told["queuePlace"]["position"] == 1).await;
    act(&room, &room.sam, "holdRelease", &first, json!({})).await;
    until(&mut tablet, |told| told["hold"]["reason"] == "OFFER" && told["queuePlace"].is_null()).await;
    assert_eq!(code(&act(&room, &room.sam, "holdPlace", &first, json!({})).await), "VEHICLE_TAKEN", "it is offered, not free");
    // The offer runs out: the next one has it, without anybody asking for it.
    let mut tablet = watch(&room, &third).await;
    room.app.clock.advance(Duration::minutes(16));
    assert_eq!(room.app.app.deals.sweep_holds().await.unwrap(), 1);
    assert_eq!(room.app.app.deals.sweep_holds().await.unwrap(), 0);
    until(&mut tablet, |told| told["hold"]["reason"] == "OFFER").await;
    room.sam = room.app.sign_in("sam@example.com").await;
    let taken = act(&room, &room.sam, "holdPlace", &third, json!({})).await;
    assert_eq!((code(&taken), &taken["deal"]["hold"]["reason"]), ("DONE", &json!("DEAL")));
    // Nobody waits any more: after its time the car is free for all, and the lot says so.
    room.app.clock.advance(Duration::minutes(121));
    assert_eq!(room.app.app.deals.sweep_holds().await.unwrap(), 1);
    assert_eq!(room.number("SELECT count(*) FROM vehicle WHERE status = 'AVAILABLE'").await, 2);
    assert_eq!(room.number("SELECT count(*) FROM vehicle_hold WHERE released_at IS NULL").await, 0);
}

#[tokio::test]
async fn a_deal_that_ends_leaves_the_line_and_lets_its_car_go() {
    let room = Showroom::open().await;
    let (first, second, third) = (
        room.open_deal(&room.rav4, json!({})).await,
        room.open_deal(&room.rav4, json!({})).await,
        room.open_deal(&room.rav4, json!({})).await,
    );
    act(&room, &room.sam, "holdPlace", &first, json!({})).await;
    act(&room, &room.sam, "holdQueueJoin", &second, json!({})).await;
    act(&room, &room.sam, "holdQueueJoin", &third, json!({})).await;
    room.done("dealLose", &second, json!({ "reason": "went elsewhere" })).await;
    room.done("dealLose", &first, json!({ "reason": "went elsewhere" })).await;
    let seen = room.app.data(&room.sam, "query ($id: ID!) { deal(id: $id) { hold { reason } } }", json!({ "id": third["id"] })).await;
    assert_eq!(seen["deal"]["hold"]["reason"], "OFFER");
    assert_eq!(code(&act(&room, &room.sam, "holdPlace", &first, json!({})).await), "WRONG_STATE");
}

#[tokio::test]
async fn a_swap_takes_the_hold_along_and_the_old_car_goes_to_the_next() {
    let room = Showroom::open().await;
    let (first, second) = (room.open_deal(&room.rav4, json!({})).await, room.open_deal(&room.rav4, json!({})).await);
    act(&room, &room.sam, "holdPlace", &first, json!({ "minutes": 60 })).await;
    act(&room, &room.sam, "holdQueueJoin", &second, json!({})).await;
    room.done("dealSwapVehicle", &first, json!({ "vehicleId": room.camry })).await;
    let holds = "SELECT count(*) FROM vehicle_hold h JOIN vehicle v ON v.id = h.vehicle_id WHERE released_at IS NULL AND ";
    assert_eq!(room.number(&format!("{holds} v.model = 'Camry' AND h.reason = 'DEAL'")).await, 1);
    assert_eq!(room.number(&format!("{holds} v.model = 'RAV4' AND h.reason = 'OFFER'")).await, 1);
}

#[tokio::test]
async fn another_store_s_deal_has_no_hold_to_see_or_to_change() {
    let room = Showroom::open().await;
    let stranger = room.app.stranger().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    act(&room, &room.sam, "holdPlace", &deal, json!({})).await;
    for mutation in ["holdPlace", "holdExtend", "holdRelease", "holdQueueJoin", "holdQueueLeave"] {
        let input = json!({ "dealId": deal["id"], "idempotencyKey": room.key() });
        let told = room.app.data(&stranger, &document(mutation, "deal { id } userErrors { code }"), json!({ "input": input })).await;
        assert_eq!(told[mutation], json!({ "deal": null, "userErrors": [{ "code": "NOT_FOUND" }] }), "{mutation}");
    }
}
