//! Searching the lot and looking at its vehicles through the API.

use chrono::TimeDelta;
use deskless::auth::Role;
use deskless::db::By;
use deskless::inventory::FeedSource;
use serde_json::{Value, json};

use crate::helpers::{Session, TestApp};

const LOT: &str = "Stock,VIN,Year,Make,Model,Trim,Condition,Price,MSRP,Invoice,Mileage,Body,Drivetrain,Fuel,Exterior Color,Date in Stock,Images,Description\n\
    A1,1HGCV1F49MA038035,2021,Honda,Accord,Sport,Used,28500,,,10598,Sedan,FWD,Gasoline,Modern Steel Metallic,2026-11-01,https://p.example/1.jpg|https://p.example/2.jpg,One owner\n\
    A2,JTEZU5JR3C5043790,2012,Toyota,4Runner,SR5,Used,23541,,,105469,SUV,4WD,Gasoline,Black,2026-10-01,,\n\
    A3,3CZRU5H32HG703897,2017,Honda,HR-V,LX,Certified,20995,,,10458,SUV,FWD,Gasoline,Lunar Blue Metallic,2026-11-20,,\n\
    A4,WDDHF5KB3EA778099,2014,Mercedes-Benz,E-Class,E 350,Used,Not Priced,,,58157,Sedan,RWD,Gasoline,White,2026-11-10,,\n\
    A5,5XXGM4A73FG353538,2015,Kia,Optima,LX,New,21995,24000,20500,5,Sedan,FWD,Gasoline,Red,2026-11-21,,\n";

async fn lot(app: &TestApp) {
    for store in [app.austin, app.raleigh] {
        let shop = app.app.dealers.store(store).expect("the store");
        let text = if store == app.austin { LOT.to_owned() } else { LOT.lines().take(2).map(|l| format!("{l}\n")).collect() };
        let source = FeedSource::new(std::io::Cursor::new(text.into_bytes()), "lot.csv");
        app.app.inventory.import(&shop, source, By::system(), |line| panic!("{line:?}")).await.expect("the lot");
    }
}

async fn stocks(app: &TestApp, who: &Session, filter: Value, order: &str) -> Vec<String> {
    let query =
        "query ($f: VehicleFilterInput, $o: VehicleOrder) { vehicles(filter: $f, orderBy: $o) { nodes { stockNumber } totalCount } }";
    let data = app.data(who, query, json!({ "f": filter, "o": order })).await;
    let nodes = data["vehicles"]["nodes"].as_array().expect("nodes").clone();
    assert_eq!(data["vehicles"]["totalCount"], nodes.len());
    nodes.iter().map(|n| n["stockNumber"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_filter_narrows_the_lot() {
    let app = TestApp::start().await;
    lot(&app).await;
    let sam = app.salesperson().await;
    for (filter, want) in [
        (json!({}), vec!["A1", "A2", "A3", "A4", "A5"]),
        (json!({ "makes": ["honda"] }), vec!["A1", "A3"]),
        (json!({ "makes": ["Honda"], "models": ["hr-v"] }), vec!["A3"]),
        (json!({ "conditions": ["NEW", "CERTIFIED"] }), vec!["A3", "A5"]),
        (json!({ "modelYear": { "min": 2015, "max": 2017 } }), vec!["A3", "A5"]),
        (json!({ "price": { "min": "21000", "max": "25000.00" } }), vec!["A2", "A5"]),
        (json!({ "odometerMiles": { "max": 20000 } }), vec!["A1", "A3", "A5"]),
        (json!({ "bodyStyles": ["SUV"] }), vec!["A2", "A3"]),
        (json!({ "drivetrains": ["FOUR_WD", "RWD"] }), vec!["A2", "A4"]),
        (json!({ "fuels": ["ELECTRIC"] }), vec![]),
        (json!({ "colorFamilies": ["GRAY", "BLUE"] }), vec!["A1", "A3"]),
        (json!({ "text": "honda spo" }), vec!["A1"]),
        (json!({ "text": "a5" }), vec!["A5"]),
        (json!({ "text": "'; DROP TABLE vehicle; --" }), vec![]),
        (json!({ "daysInStock": { "min": 11 } }), vec!["A1", "A2", "A4"]),
        (json!({ "daysInStock": { "max": 1 } }), vec!["A3", "A5"]),
        (json!({ "statuses": ["SOLD"] }), vec![]),
        (json!({ "storeIds": [app.raleigh.to_string()] }), vec![]),
    ] {
        let mut got = stocks(&app, &sam, filter.clone(), "NEWEST").await;
        got.sort();
        assert_eq!(got, want, "{filter}");
    }
}

#[tokio::test]
async fn days_on_the_lot_are_those_of_the_stores_calendar() {
    let app = TestApp::start().await;
    lot(&app).await;
    app.salesperson().await;
    // Eight hours later it is the next day in Greenwich and still the same in Austin; twelve hours later it is not.
    for (hours, days) in [(8, 20), (4, 21)] {
        app.clock.advance(TimeDelta::hours(hours));
        let sam = app.sign_in("sam@example.com").await;
        let car = app.data(&sam, "{ vehicle(stockNumber: \"A1\") { daysInStock } }", json!({})).await["vehicle"].take();
        assert_eq!(car["daysInStock"], days);
        let exactly = json!({ "daysInStock": { "min": days, "max": days }, "makes": ["Honda"], "models": ["Accord"] });
        assert_eq!(stocks(&app, &sam, exactly, "NEWEST").await, ["A1"]);
    }
}

#[tokio::test]
async fn orders_put_vehicles_without_the_value_last_and_pages_join_up() {
    let app = TestApp::start().await;
    lot(&app).await;
    let sam = app.salesperson().await;
    let orders = [
        ("PRICE_ASC", ["A3", "A5", "A2", "A1", "A4"]),
        ("PRICE_DESC", ["A1", "A2", "A5", "A3", "A4"]),
        ("MILEAGE_ASC", ["A5", "A3", "A1", "A4", "A2"]),
        ("MILEAGE_DESC", ["A2", "A4", "A1", "A3", "A5"]),
        ("YEAR_DESC", ["A1", "A3", "A5", "A4", "A2"]),
        ("YEAR_ASC", ["A2", "A4", "A5", "A3", "A1"]),
        ("NEWEST", ["A5", "A3", "A4", "A1", "A2"]),
        ("DAYS_IN_STOCK_DESC", ["A2", "A1", "A4", "A3", "A5"]),
    ];
    let query = "query ($o: VehicleOrder, $a: String) { vehicles(orderBy: $o, first: 2, after: $a) { nodes { stockNumber } pageInfo { hasNextPage endCursor } } }";
    for (order, want) in orders {
        assert_eq!(stocks(&app, &sam, json!({}), order).await, want, "{order}");
        let (mut got, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = app.data(&sam, query, json!({ "o": order, "a": after })).await["vehicles"].take();
            got.extend(page["nodes"].as_array().unwrap().iter().map(|n| n["stockNumber"].as_str().unwrap().to_owned()));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(got, want, "{order} in pages");
    }
}

#[tokio::test]
async fn a_vehicle_shows_all_its_facts_and_cost_to_managers_only() {
    let app = TestApp::start().await;
    lot(&app).await;
    let (sam, maria) = (app.salesperson().await, app.manager().await);
    let query = "query ($n: String) { vehicle(stockNumber: $n) { vin title modelYear make model trim bodyStyle drivetrain fuel cylinders doors
        exteriorColorFamily odometerMiles daysInStock receivedOn photos { position url } description store { code } disagreements { attribute }
        invoice { amount } msrp { amount } vinStatus fuelEconomy { combinedMpg } hold { dealId } } }";
    let car = app.data(&sam, query, json!({ "n": "A1" })).await["vehicle"].take();
    assert_eq!(car["title"], "2021 Honda Accord Sport");
    assert_eq!((&car["cylinders"], &car["doors"], &car["vinStatus"]), (&json!(4), &json!(4), &json!("VALID")));
    assert_eq!((&car["daysInStock"], &car["receivedOn"]), (&json!(20), &json!("2026-11-01")));
    assert_eq!(car["photos"][1], json!({ "position": 2, "url": "https://p.example/2.jpg" }));
    assert_eq!((&car["store"]["code"], &car["description"], &car["hold"]), (&json!("austin"), &json!("One owner"), &Value::Null));
    assert_eq!(car["disagreements"], json!([]));
    let of = |who| app.data(who, query, json!({ "n": "A5" }));
    assert_eq!(of(&sam).await["vehicle"]["invoice"], Value::Null);
    assert_eq!(of(&maria).await["vehicle"]["invoice"]["amount"], "20500.00");
    assert_eq!(of(&sam).await["vehicle"]["msrp"]["amount"], "24000.00");
}

#[tokio::test]
async fn another_stores_vehicles_do_not_exist() {
    let app = TestApp::start().await;
    lot(&app).await;
    let (sam, otto) = (app.salesperson().await, app.stranger().await);
    let id = app.data(&sam, "{ vehicle(stockNumber: \"A2\") { id } }", json!({})).await["vehicle"]["id"].clone();
    let by_id = "query ($id: ID) { vehicle(id: $id) { id } }";
    assert_eq!(app.data(&otto, by_id, json!({ "id": id })).await["vehicle"], Value::Null);
    assert_eq!(app.data(&sam, by_id, json!({ "id": id })).await["vehicle"]["id"], id);
    assert_eq!(stocks(&app, &otto, json!({}), "NEWEST").await, ["A1"]);
    let both = app.person("both@example.com", &[(app.austin, Role::Salesperson), (app.raleigh, Role::Salesperson)]).await;
    assert_eq!(stocks(&app, &both, json!({}), "NEWEST").await.len(), 6);
    let machine = app.machine("feed-machine", &[(app.austin, Role::Channel)]).await;
    let answer = app.graphql(Some(&machine), "{ vehicles { totalCount } }", json!({})).await;
    assert_ne!(answer["data"]["vehicles"]["totalCount"], 5, "{answer}");
}

#[tokio::test]
async fn arguments_out_of_bounds_are_refused_with_what_would_be_right() {
    let app = TestApp::start().await;
    let sam = app.salesperson().await;
    for query in [
        "{ vehicles(first: 0) { totalCount } }",
        "{ vehicles(first: 101) { nodes { id } } }",
        "{ vehicles(after: \"x\") { nodes { id } } }",
        "{ vehicles(filter: {modelYear: {min: 5, max: 4}}) { totalCount } }",
        "{ vehicles(filter: {odometerMiles: {min: -1}}) { totalCount } }",
        "{ vehicles(filter: {price: {min: \"2\", max: \"1\"}}) { totalCount } }",
        "{ vehicles(filter: {storeIds: [\"veh_x\"]}) { totalCount } }",
        "{ vehicle(id: \"deal_00000000000000000000000000\") { id } }",
        "{ vehicle(vin: \"1HGCV1F49MA038036\") { id } }",
    ] {
        let answer = app.graphql(Some(&sam.access), query, json!({})).await;
        assert!(answer["errors"][0]["message"].is_string(), "{query}: {answer}");
        assert_ne!(answer["errors"][0]["extensions"]["code"], "INTERNAL", "{query}: {answer}");
    }
    let unsigned = app.graphql(None, "{ vehicles { totalCount } }", json!({})).await;
    assert_eq!(unsigned["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}
