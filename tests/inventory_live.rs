//! The lot, live: `vehicleChanged`, and who holds a car.

use std::time::Duration;

use async_graphql::{ID, Request, ValidationMode, Variables};
use deskless::auth::Role;
use deskless::db::By;
use deskless::graphql::RequestInfo;
use deskless::inventory::{HoldReason, InventoryError, PlaceHold};
use deskless::kernel::id::{DealId, StoreId, VehicleId};
use futures::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::helpers::Session;
use crate::helpers::showroom::{RAV4_VIN, Showroom};

/// A subscription as the socket would run it.
async fn watch(room: &Showroom, who: &Session, store: StoreId) -> impl Stream<Item = Value> + Unpin + use<> {
    let actor = room.app.app.auth.authenticate(&who.access).await.expect("a session").actor;
    let query =
        "subscription ($id: ID!) { vehicleChanged(storeId: $id) { reload vehicle { id status price { amount } hold { dealId reason } } } }";
    let request = Request::new(query)
        .variables(Variables::from_json(json!({ "id": store.to_string() })))
        .data(actor)
        .data(RequestInfo { request_id: "test".into(), address: "test".into() });
    let stream = room.app.app.schema(ValidationMode::Strict).execute_stream(request);
    Box::pin(stream.map(|response| response.data.into_json().expect("JSON")["vehicleChanged"].take()))
}

/// The next change for which `wanted` holds; a busy machine may take its time.
async fn next(stream: &mut (impl Stream<Item = Value> + Unpin), wanted: impl Fn(&Value) -> bool) -> Value {
    let found = async {
        loop {
            let change = stream.next().await.expect("the stream goes on");
            if wanted(&change) {
                return change;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found).await.expect("told in time")
}

/// Subscriptions begin when first polled: this makes sure that one listens before anything happens.
async fn listening(stream: &mut (impl Stream<Item = Value> + Unpin)) {
    assert!(tokio::time::timeout(Duration::from_millis(50), stream.next()).await.is_err(), "begins with nothing");
}

#[tokio::test]
async fn a_tablet_on_the_lot_hears_of_a_sale_and_of_its_end() {
    let room = Showroom::open().await;
    let mut lot = watch(&room, &room.sam, room.app.austin).await;
    listening(&mut lot).await;
    let deal = room.agreed_cash_deal(&room.rav4).await;
    let signed = room.done("dealContract", &deal, json!({})).await;
    let told = next(&mut lot, |change| change["vehicle"]["status"] == "PENDING_SALE").await;
    assert_eq!(
        told,
        json!({ "reload": false, "vehicle": { "id": room.rav4, "status": "PENDING_SALE", "price": { "amount": "30000.00" },
            "hold": { "dealId": deal["id"], "reason": "CONTRACT" } } })
    );
    room.done("dealCancel", &signed, json!({ "reason": "the lender said no" })).await;
    let told = next(&mut lot, |change| change["vehicle"]["status"] == "AVAILABLE").await;
    assert_eq!((&told["vehicle"]["id"], &told["vehicle"]["hold"]), (&json!(room.rav4), &Value::Null));
}

#[tokio::test]
async fn a_feed_tells_the_lot_to_read_itself_afresh() {
    let room = Showroom::open().await;
    let mut lot = watch(&room, &room.sam, room.app.austin).await;
    listening(&mut lot).await;
    let shop = room.app.app.dealers.store(room.app.austin).expect("the store");
    let feed = format!("stock,vin,year,make,model,price\nMC000001,{RAV4_VIN},2023,Toyota,RAV4,29500\n");
    let source = deskless::inventory::FeedSource::new(std::io::Cursor::new(feed.into_bytes()), "feed.csv");
    room.app.app.inventory.import(&shop, source, By::system(), |_| {}).await.expect("lands");
    next(&mut lot, |change| change["reload"] == true || change["vehicle"]["price"]["amount"] == "29500.00").await;
}

#[tokio::test]
async fn the_lot_of_another_store_is_silent_and_ends_at_once() {
    let room = Showroom::open().await;
    let otto = room.app.stranger().await;
    for (who, store) in [(&otto, room.app.austin), (&room.sam, room.app.raleigh)] {
        let mut lot = watch(&room, who, store).await;
        assert!(tokio::time::timeout(Duration::from_secs(20), lot.next()).await.expect("ends").is_none());
    }
    // One's own lot says nothing of another's.
    let mut own = watch(&room, &otto, room.app.raleigh).await;
    listening(&mut own).await;
    let there = room.add_car_of(room.app.raleigh.0, "2T3P1RFV8MC000077", "Toyota", "RAV4", 2023, "USED", 29_000_00).await;
    let deal = room.agreed_cash_deal(&room.rav4).await;
    room.done("dealContract", &deal, json!({})).await;
    let mut tx = room.app.app.db.begin(By::system()).await.expect("a transaction");
    tx.notify(room.app.raleigh.0, deskless::db::notices::Subject::Vehicle, there.0, 2);
    tx.commit().await.expect("commits");
    let told = next(&mut own, |_| true).await;
    assert_eq!(told["vehicle"]["id"], json!(ID::from(there)), "the first it hears of is its own car");
}

/// Tries to hold a car for a deal as the service does it for its callers.
async fn hold(room: &Showroom, vehicle: &ID, deal: DealId, minutes: Option<i64>) -> Result<(), InventoryError> {
    let actor = room.app.app.auth.authenticate(&room.sam.access).await.expect("Sam").actor;
    let mut tx = room.app.app.db.begin(By::system()).await.expect("a transaction");
    let wish = PlaceHold {
        vehicle_id: vehicle.parse::<VehicleId>().expect("an id"),
        deal_id: deal,
        reason: HoldReason::Deal,
        placed_by: actor.user_id(),
        expires_at: minutes.map(|m| tx.now() + chrono::Duration::minutes(m)),
        note: None,
    };
    room.app.app.inventory.place_hold(&mut tx, &actor.selling_scope(), wish).await?;
    tx.commit().await.expect("commits");
    Ok(())
}

const HELD: &str = "query ($id: ID!) { vehicle(id: $id) { status hold { dealId reason expiresAt } } }";

#[tokio::test]
async fn a_hold_keeps_others_out_until_it_expires() {
    let mut room = Showroom::open().await;
    let deal = |deal: &Value| deal["id"].as_str().expect("an id").parse::<DealId>().expect("an id");
    let (first, second) = (room.open_deal(&room.rav4, json!({})).await, room.agreed_cash_deal(&room.rav4).await);
    hold(&room, &room.rav4, deal(&first), Some(30)).await.expect("free");
    let seen = room.app.data(&room.sam, HELD, json!({ "id": room.rav4 })).await;
    assert_eq!((&seen["vehicle"]["status"], &seen["vehicle"]["hold"]["dealId"]), (&json!("ON_HOLD"), &first["id"]));
    assert!(
        matches!(hold(&room, &room.rav4, deal(&second), None).await, Err(InventoryError::VehicleHeld { by, .. }) if by == deal(&first))
    );
    let told = room.act("dealContract", &second, json!({})).await;
    assert_eq!(told["userErrors"][0]["code"], "VEHICLE_TAKEN");
    assert!(told["userErrors"][0]["message"].as_str().is_some_and(|m| m.contains("put on hold in another deal")), "{told}");
    // Who holds it may hold it longer; half an hour later it is free for whoever comes.
    hold(&room, &room.rav4, deal(&first), Some(30)).await.expect("it is theirs");
    room.app.clock.advance(chrono::Duration::minutes(31));
    room.sam = room.app.sign_in("sam@example.com").await;
    room.done("dealContract", &second, json!({})).await;
    let seen = room.app.data(&room.sam, HELD, json!({ "id": room.rav4 })).await;
    assert_eq!((&seen["vehicle"]["status"], &seen["vehicle"]["hold"]["dealId"]), (&json!("PENDING_SALE"), &second["id"]));
    assert_eq!(room.number("SELECT count(*) FROM vehicle_hold WHERE released_at IS NULL").await, 1);
}

#[tokio::test]
async fn a_held_car_is_held_at_every_store_of_the_group_and_beats_the_feed() {
    let room = Showroom::open().await;
    let bo = room.app.person("bo@example.com", &[(room.app.raleigh, Role::Salesperson)]).await;
    let there = room.add_car_of(room.app.raleigh.0, RAV4_VIN, "Toyota", "RAV4", 2023, "USED", 29_000_00).await;
    let deal = room.agreed_cash_deal(&room.rav4).await;
    room.done("dealContract", &deal, json!({})).await;
    // The same VIN elsewhere in the group is not available either, and tells nobody which deal of another store has it.
    let seen = room.app.data(&bo, HELD, json!({ "id": ID::from(there) })).await;
    assert_ne!(seen["vehicle"]["status"], "AVAILABLE", "{seen}");
    assert!(!seen.to_string().contains(deal["id"].as_str().expect("an id")), "{seen}");
    // A feed that still offers it changes nothing about that.
    let shop = room.app.app.dealers.store(room.app.austin).expect("the store");
    let feed = format!("stock,vin,year,make,model,price\nMC000001,{RAV4_VIN},2023,Toyota,RAV4,30000\n");
    let source = deskless::inventory::FeedSource::new(std::io::Cursor::new(feed.into_bytes()), "feed.csv");
    room.app.app.inventory.import(&shop, source, By::system(), |_| {}).await.expect("lands");
    let seen = room.app.data(&room.sam, HELD, json!({ "id": room.rav4 })).await;
    assert_eq!((&seen["vehicle"]["status"], &seen["vehicle"]["hold"]["reason"]), (&json!("PENDING_SALE"), &json!("CONTRACT")));
}
