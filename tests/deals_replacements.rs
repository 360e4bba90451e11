//! The car was sold away under the deal: no work is lost, and the next car is one call away.

use async_graphql::ID;
use serde_json::{Value, json};

use crate::helpers::showroom::Showroom;

const OFFERED: &str = "deal { id version state matches(first: 5) { nodes { vehicle { id } } considered } }
  replacements { score vehicle { id stockNumber } reasons { sentence preferenceId } missed { attribute } } userErrors { code message } replayed";

/// Two customers agree on one car; the first signs. Gives what the second is told, asking for it twice.
async fn beaten(room: &Showroom) -> Value {
    let second = room.agreed_cash_deal(&room.rav4).await;
    let first = room.agreed_cash_deal(&room.rav4).await;
    room.done("dealContract", &first, json!({})).await;
    let input = json!({ "dealId": second["id"], "expectedVersion": second["version"], "idempotencyKey": room.key() });
    let told = room.run(&room.sam, "dealContract", input.clone(), OFFERED).await;
    assert_eq!(told["userErrors"][0]["code"], "VEHICLE_TAKEN", "{told}");
    assert_eq!(told["deal"]["state"], "AGREED");
    // A retry of the lost answer offers cars as they stand now.
    let again = room.run(&room.sam, "dealContract", input, OFFERED).await;
    assert_eq!(again["userErrors"], told["userErrors"]);
    assert_eq!(again["replacements"], told["replacements"]);
    told
}

fn stocks(told: &Value) -> Vec<&str> {
    told["replacements"].as_array().unwrap().iter().map(|n| n["vehicle"]["stockNumber"].as_str().unwrap()).collect()
}

async fn more_cars(room: &Showroom) {
    room.add_car("2T3P1RFV8MC000009", "Toyota", "RAV4", 2023, "USED", 30_400_00).await;
    room.add_car("1FTFW1E50MF000003", "Ford", "F-150", 2022, "NEW", 52_000_00).await;
    room.add_car_of(room.app.raleigh.0, "2T3P1RFV8MC000010", "Toyota", "RAV4", 2023, "USED", 29_000_00).await;
}

#[tokio::test]
async fn who_loses_the_car_is_offered_the_most_like_it_and_swaps_in_one_call() {
    let room = Showroom::open().await;
    more_cars(&room).await;
    let told = beaten(&room).await;
    // Nobody stated a wish: the car they chose speaks. Not the sold one, and none of the other store.
    assert_eq!(stocks(&told), ["MC000009", "MU000002", "MF000003"]);
    let best = &told["replacements"][0];
    assert_eq!(best["missed"], json!([{ "attribute": "PRICE" }]));
    assert!(best["reasons"].as_array().unwrap().iter().all(|r| r["preferenceId"].is_null()), "{best}");
    assert!(best["reasons"].as_array().unwrap().iter().any(|r| r["sentence"] == "Toyota, like what they looked at"), "{best}");
    assert!(
        best["reasons"].as_array().unwrap().iter().any(|r| r["sentence"] == "$30,400, $400 off: what they looked at was at most $30,000"),
        "{best}"
    );
    let swapped = room.done("dealSwapVehicle", &told["deal"], json!({ "vehicleId": best["vehicle"]["id"] })).await;
    assert_eq!(
        (&swapped["state"], &swapped["price"]["amount"], &swapped["kind"]),
        (&json!("WORKSHEET"), &json!("30400.00"), &json!("CASH"))
    );
    let signed = room.done("dealPresent", &swapped, json!({})).await;
    let signed = room.done("dealAgree", &signed, json!({})).await;
    assert_eq!(room.done("dealContract", &signed, json!({})).await["state"], "CONTRACTED");
}

#[tokio::test]
async fn what_the_customer_said_weighs_more_than_the_car_they_lost() {
    let room = Showroom::open().await;
    more_cars(&room).await;
    room.state_wish(room.customer.parse().unwrap(), "MODEL", "Camry").await;
    let told = beaten(&room).await;
    assert_eq!(stocks(&told)[0], "MU000002");
    // `deal.matches` is what the customer's own wishes find, in the deal's store.
    let ids: Vec<ID> =
        told["deal"]["matches"]["nodes"].as_array().unwrap().iter().map(|n| ID::from(n["vehicle"]["id"].as_str().unwrap())).collect();
    assert_eq!(ids[0], room.camry);
    assert_eq!(told["deal"]["matches"]["considered"], 3);
}

#[tokio::test]
async fn presenting_and_agreeing_offer_other_cars_too() {
    let room = Showroom::open().await;
    let late = room.open_deal(&room.rav4, json!({ "kind": "CASH" })).await;
    let asked = room.open_deal(&room.rav4, json!({ "kind": "CASH" })).await;
    let asked = room.done("dealPresent", &asked, json!({})).await;
    let first = room.agreed_cash_deal(&room.rav4).await;
    room.done("dealContract", &first, json!({})).await;
    for (mutation, deal) in [("dealPresent", &late), ("dealAgree", &asked)] {
        let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
        let told = room.run(&room.sam, mutation, input, "replacements { vehicle { stockNumber } } userErrors { code }").await;
        assert_eq!(
            told,
            json!({ "replacements": [{ "vehicle": { "stockNumber": "MU000002" } }], "userErrors": [{ "code": "VEHICLE_TAKEN" }] })
        );
    }
    // What went well offers nothing.
    let deal = room.open_deal(&room.camry, json!({ "kind": "CASH" })).await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
    assert_eq!(
        room.run(&room.sam, "dealPresent", input, "replacements { score } userErrors { code }").await,
        json!({ "replacements": [], "userErrors": [] })
    );
}

#[tokio::test]
async fn the_matches_of_a_deal_are_those_of_its_customer_in_its_store() {
    let room = Showroom::open().await;
    more_cars(&room).await;
    room.state_wish(room.customer.parse().unwrap(), "MAKE", "Toyota").await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let query = "query ($id: ID!) { deal(id: $id) { matches(first: 2) { considered meetingAll nodes { score vehicle { id } } } customer { matches(first: 2) {
      considered meetingAll nodes { score vehicle { id } } } } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    assert_eq!(seen["deal"]["matches"], seen["deal"]["customer"]["matches"]);
    assert_eq!((&seen["deal"]["matches"]["considered"], &seen["deal"]["matches"]["meetingAll"]), (&json!(4), &json!(3)));
    // Somebody who also sells in the other store: their customer's matches grow, the deal's do not.
    let both = room
        .app
        .person(
            "bo@example.com",
            &[(room.app.austin, deskless::auth::Role::Salesperson), (room.app.raleigh, deskless::auth::Role::Salesperson)],
        )
        .await;
    let seen = room.app.data(&both, query, json!({ "id": deal["id"] })).await;
    assert_eq!((&seen["deal"]["matches"]["considered"], &seen["deal"]["customer"]["matches"]["considered"]), (&json!(4), &json!(5)));
    let bad = room
        .app
        .graphql(Some(&room.sam.access), &query.replace("matches(first: 2)", "matches(first: 0)"), json!({ "id": deal["id"] }))
        .await;
    assert_eq!(bad["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}
