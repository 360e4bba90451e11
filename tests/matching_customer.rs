//! Cars for a customer, through the API: ranking, freshness, what other stores have.

use deskless::db::By;
use deskless::db::notices::Subject;
use deskless::kernel::id::{CustomerId, StoreId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::customers_identity::{incoming, resolve};
use crate::helpers::{Session, TestApp};

/// A car on a lot, made in the database as a feed would leave it.
#[derive(Clone, Copy)]
struct Car {
    stock: &'static str,
    make: &'static str,
    model: &'static str,
    body: &'static str,
    color: &'static str,
    price_dollars: i64,
    description: &'static str,
}

const RAV4: Car = Car {
    stock: "A1",
    make: "Toyota",
    model: "RAV4",
    body: "SUV",
    color: "SILVER",
    price_dollars: 28_000,
    description: "Sunroof, one owner",
};

async fn put(t: &TestApp, store: StoreId, car: Car) -> Uuid {
    let id = Uuid::new_v4();
    sqlx::query!(
        "INSERT INTO vehicle (id, store_id, vin, vin_status, stock_number, condition, status, model_year, make, model, body_style,
                              exterior_color, exterior_color_family, odometer_miles, price_cents, currency, description, received_on, created_at, updated_at)
         VALUES ($1, $2, $3, 'UNCHECKED', $4, 'USED', 'AVAILABLE', 2021, $5, $6, $7, $8, $8, 30000, $9, 'USD', $10, '2026-11-01', now(), now())",
        id,
        store.0,
        format!("VIN{}", car.stock),
        car.stock,
        car.make,
        car.model,
        car.body,
        car.color,
        car.price_dollars * 100,
        car.description,
    )
    .execute(t.app.db.pool())
    .await
    .unwrap();
    id
}

async fn wish(t: &TestApp, who: &Session, customer: CustomerId, wish: (&str, &str, &str, &str)) {
    let key = format!("{}{}{}", wish.0, wish.1, wish.2);
    let input = json!({ "customerId": customer.to_string(), "idempotencyKey": key, "attribute": wish.0, "operator": wish.1, "value": wish.2, "importance": wish.3 });
    let done = t
        .data(
            who,
            "mutation ($input: PreferenceStateInput!) { preferenceState(input: $input) { userErrors { code } } }",
            json!({ "input": input }),
        )
        .await;
    assert_eq!(done["preferenceState"]["userErrors"], json!([]));
}

const MATCHES: &str = "query ($id: ID!) { customer(id: $id) { matches(first: 5) { considered meetingAll
  nodes { score vehicle { stockNumber } reasons { sentence points maxPoints preferenceId } missed { sentence must } }
  relaxations { sentence unlocks attribute } } } }";

async fn matches(t: &TestApp, who: &Session, customer: CustomerId) -> Value {
    t.data(who, MATCHES, json!({ "id": customer.to_string() })).await["customer"]["matches"].take()
}

fn stocks(matches: &Value) -> Vec<&str> {
    matches["nodes"].as_array().unwrap().iter().map(|n| n["vehicle"]["stockNumber"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_best_car_comes_first_with_reasons_and_what_to_relax() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    put(&t, t.austin, RAV4).await;
    put(&t, t.austin, Car { stock: "A2", body: "SEDAN", model: "Camry", ..RAV4 }).await;
    put(&t, t.austin, Car { stock: "A3", price_dollars: 31_200, description: "Clean", ..RAV4 }).await;
    put(&t, t.raleigh, Car { stock: "R1", price_dollars: 20_000, ..RAV4 }).await;
    let ada = resolve(&t, t.austin, &incoming("Ada", None, None)).await.customer_id();
    let empty = matches(&t, &sam, ada).await;
    assert_eq!((empty["nodes"].as_array().unwrap().len(), &empty["considered"]), (0, &json!(3)));

    wish(&t, &sam, ada, ("BODY_STYLE", "IS", "crossover", "MUST")).await;
    wish(&t, &sam, ada, ("PRICE", "AT_MOST", "30k", "MUST")).await;
    wish(&t, &sam, ada, ("FEATURE", "IS", "sunroof", "NICE")).await;
    let found = matches(&t, &sam, ada).await;
    assert_eq!(stocks(&found), ["A1", "A3", "A2"]);
    assert_eq!((&found["considered"], &found["meetingAll"]), (&json!(3), &json!(1)));
    let best = &found["nodes"][0];
    assert_eq!((&best["score"], &best["missed"]), (&json!(100), &json!([])));
    let reasons: Vec<_> = best["reasons"].as_array().unwrap().iter().map(|r| r["sentence"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["An SUV, as they said", "$28,000, as they said", "The listing mentions sunroof, as they said"]);
    assert_eq!(found["nodes"][1]["missed"][0], json!({ "sentence": "$31,200, $1,200 off: they said at most $30,000", "must": true }));
    let relax: Vec<_> = found["relaxations"].as_array().unwrap().iter().map(|r| r["sentence"].as_str().unwrap()).collect();
    assert_eq!(relax, ["any body style: 1 car", "$1,500 more: 1 car"]);
    let bad = t.graphql(Some(&sam.access), &MATCHES.replace("first: 5", "first: 51"), json!({ "id": ada.to_string() })).await;
    assert_eq!(bad["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_car_sold_or_repriced_a_moment_ago_is_seen_as_it_is() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let first = put(&t, t.austin, RAV4).await;
    let second = put(&t, t.austin, Car { stock: "A2", price_dollars: 35_000, ..RAV4 }).await;
    let ada = resolve(&t, t.austin, &incoming("Ada", None, None)).await.customer_id();
    wish(&t, &sam, ada, ("PRICE", "AT_MOST", "30k", "MUST")).await;
    assert_eq!(stocks(&matches(&t, &sam, ada).await), ["A1", "A2"]);
    // Sold without a notice: the fresh read leaves it out.
    sqlx::query!("UPDATE vehicle SET status = 'SOLD' WHERE id = $1", first).execute(t.app.db.pool()).await.unwrap();
    assert_eq!(stocks(&matches(&t, &sam, ada).await), ["A2"]);
    // Repriced with a notice: the lot in memory follows, and so does a new car.
    sqlx::query!("UPDATE vehicle SET price_cents = 2500000 WHERE id = $1", second).execute(t.app.db.pool()).await.unwrap();
    let third = put(&t, t.austin, Car { stock: "A3", price_dollars: 26_000, ..RAV4 }).await;
    let mut tx = t.app.db.begin(By::system()).await.unwrap();
    for id in [first, second, third] {
        tx.notify(t.austin.0, Subject::Vehicle, id, 2);
    }
    tx.commit().await.unwrap();
    let mut found = Value::Null;
    crate::helpers::until("the lot in memory follows", async || {
        found = matches(&t, &sam, ada).await;
        found["meetingAll"] == 2
    })
    .await;
    assert_eq!((stocks(&found), &found["considered"]), (vec!["A2", "A3"], &json!(2)));
}

#[tokio::test]
async fn events_show_their_vehicle_and_another_stores_vehicle_is_hidden() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let (here, there) = (put(&t, t.austin, RAV4).await, put(&t, t.raleigh, Car { stock: "R1", ..RAV4 }).await);
    let ada = resolve(&t, t.austin, &incoming("Ada", None, None)).await.customer_id();
    for (n, vehicle) in [(1, Some(here)), (2, Some(there)), (3, None)] {
        sqlx::query!(
            "INSERT INTO channel_event (id, store_id, customer_id, channel, name, kind, source, external_id, vehicle_id, occurred_at, received_at)
             VALUES (gen_random_uuid(), $1, $2, 'WEB', 'asc_item_pageview', 'VIEWED', 'site', $3, $4, now() + $5 * interval '1 minute', now())",
            t.austin.0,
            ada.0,
            format!("e{n}"),
            vehicle,
            f64::from(n),
        )
        .execute(t.app.db.pool())
        .await
        .unwrap();
    }
    let read = "query ($id: ID!, $first: Int) { customer(id: $id) { recentEvents(first: $first) { kind name vehicle { stockNumber } } } }";
    let seen = t.data(&sam, read, json!({ "id": ada.to_string(), "first": 5 })).await;
    let vehicles: Vec<_> = seen["customer"]["recentEvents"].as_array().unwrap().iter().map(|e| e["vehicle"].clone()).collect();
    assert_eq!(vehicles, [Value::Null, Value::Null, json!({ "stockNumber": "A1" })]);
    let one = t.data(&sam, read, json!({ "id": ada.to_string(), "first": 1 })).await;
    assert_eq!(one["customer"]["recentEvents"].as_array().unwrap().len(), 1);
}
