//! What a customer gets back with a car they return: what was paid, less what the law of the store's state lets the store keep.

use deskless::auth::Role;
use deskless::db::By;
use deskless::finance::RuleTable;
use serde_json::{Value, json};

use crate::helpers::Session;
use crate::helpers::showroom::{Showroom, handing_over};

const HEAD: &str = "state,kind,from,to,days,counts_from,conditions,max_price,max_miles,restock_percent,restock_min,restock_max,mile_fee,mile_free,\
mile_fee_max,mile_verified,source,read_on,verified,note";
/// As in California, but in Texas.
const LAW: &str =
    "TX,RETURN,2026-10-01,,3,DELIVERY,USED,50000.00,400,1.5,200.00,600.00,1.00,250,150.00,false,The test's law,2026-11-01,true,";
const SETTLEMENT: &str =
    "odometerMiles milesDriven lines { code label amount { amount } verified } refund { amount } due { amount } settledAt";

async fn room(law: &str) -> (Showroom, Session) {
    let room = Showroom::open().await;
    import(&room, law).await;
    let maria = room.app.person("maria@example.com", &[(room.app.austin, Role::SalesManager)]).await;
    (room, maria)
}

async fn import(room: &Showroom, law: &str) {
    let file = format!("{HEAD}\n{law}\n");
    let done =
        room.app.app.rules.import(room.app.group, RuleTable::DeliveryLaws, file.as_bytes(), By::system(), false).await.expect("a file");
    assert_eq!((done.added, done.refused), (1, vec![]));
}

/// A cash deal whose car was handed over with 20,000 miles.
async fn delivered(room: &Showroom, vin: &str, price: i64) -> Value {
    let car = room.add_car(vin, "Toyota", "RAV4", 2023, "USED", price).await;
    let deal = room.agreed_cash_deal(&car.into()).await;
    let deal = room.done("dealContract", &deal, json!({})).await;
    room.done("dealDeliver", &deal, handing_over(json!({ "odometerMiles": 20_000 }))).await
}

async fn give_back(room: &Showroom, who: &Session, deal: &Value, miles: i32) -> Value {
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key(), "odometerMiles": miles,
        "considerationReturned": true });
    let seen = format!("deal {{ state delivery {{ returned {{ {SETTLEMENT} }} }} }} userErrors {{ code message }} replayed");
    room.run(who, "dealReturn", input, &seen).await
}

async fn preview(room: &Showroom, deal: &Value, miles: i32) -> Value {
    let query = format!(
        "query ($id: ID!, $miles: Int!) {{ deal(id: $id) {{ delivery {{ returned {{ settledAt }} returnRight {{
           restockingFee {{ percent min {{ amount }} max {{ amount }} amount {{ amount }} verified }}
           mileageFee {{ perMile {{ amount }} freeMiles max {{ amount }} verified }}
           settlement(odometerMiles: $miles) {{ {SETTLEMENT} }} }} }} }} }}"
    );
    room.app.data(&room.sam, &query, json!({ "id": deal["id"], "miles": miles })).await["deal"]["delivery"].take()
}

fn words(settlement: &Value) -> Vec<(&str, &str, bool)> {
    let lines = settlement["lines"].as_array().expect("lines");
    lines
        .iter()
        .map(|l| (l["label"].as_str().unwrap(), l["amount"]["amount"].as_str().unwrap(), l["verified"].as_bool().unwrap()))
        .collect()
}

const PAID: &str = "What you paid when you signed";

#[tokio::test]
async fn the_fee_is_a_share_of_the_price_between_its_least_and_its_most() {
    let (room, maria) = room(LAW).await;
    // The price with 6.25 % tax, 85 for papers and 33 for the title is what a cash customer paid.
    for (vin, price, miles, lines, refund) in [
        (
            "2T3P1RFV8MC000011",
            9_000_00,
            20_010,
            vec![(PAID, "9680.50", true), ("Fee for taking the car back: 1.5 % of its price of 9000.00, at least 200.00", "-200.00", true)],
            "9480.50",
        ),
        (
            "2T3P1RFV8MC000012",
            31_333_33,
            20_250,
            // 469.99995: rounded down, because the law says how much at most.
            vec![(PAID, "33409.66", true), ("Fee for taking the car back: 1.5 % of its price of 31333.33", "-469.99", true)],
            "32939.67",
        ),
        (
            "2T3P1RFV8MC000013",
            45_000_00,
            20_320,
            vec![
                (PAID, "47930.50", true),
                ("Fee for taking the car back: 1.5 % of its price of 45000.00, at most 600.00", "-600.00", true),
                // Nobody has checked what a mile costs.
                ("For 320 miles driven: 1.00 for each mile beyond 250, at most 150.00", "-70.00", false),
            ],
            "47260.50",
        ),
    ] {
        let deal = delivered(&room, vin, price).await;
        let before = preview(&room, &deal, miles).await;
        assert_eq!(before["returned"], Value::Null);
        let foreseen = &before["returnRight"]["settlement"];
        assert_eq!((words(foreseen), &foreseen["settledAt"]), (lines.clone(), &Value::Null));
        assert_eq!(foreseen["milesDriven"], miles - 20_000);
        let done = give_back(&room, &maria, &deal, miles).await;
        assert_eq!(done["userErrors"], json!([]));
        let settled = &done["deal"]["delivery"]["returned"];
        assert_eq!((words(settled), &settled["refund"]["amount"], &settled["due"]["amount"]), (lines, &json!(refund), &json!("0.00")));
        assert!(settled["settledAt"].is_string());
        let kept = room
            .number("SELECT (detail->>'refund')::bigint FROM audit_event WHERE verb = 'returned' ORDER BY at DESC, id DESC LIMIT 1")
            .await;
        assert_eq!(format!("{}.{:02}", kept / 100, kept % 100), refund);
    }
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE verb = 'returned'").await, 3);
}

#[tokio::test]
async fn of_a_financed_car_the_money_down_goes_back_less_the_fee() {
    let (room, maria) = room(LAW).await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "downPayment": "400.00" })).await;
    let quoted = room.done("dealQuote", &deal, json!({})).await;
    let quotes = room.app.data(
        &room.sam,
        "query ($id: ID!) { deal(id: $id) { financeQuotes(open: true) { id dueAtSigning { amount } } } }",
        json!({ "id": deal["id"] }),
    );
    let quote = quotes.await["deal"]["financeQuotes"][0].take();
    assert_eq!(quote["dueAtSigning"]["amount"], "400.00");
    let mut deal = room.done("quoteAccept", &quoted, json!({ "quoteId": quote["id"] })).await;
    for step in ["dealPresent", "dealAgree", "dealContract"] {
        deal = room.done(step, &deal, json!({})).await;
    }
    room.sql("UPDATE store SET spot_delivery_days = 10").await;
    room.app.app.dealers.reload().await.expect("stores");
    let deal = room.done("dealDeliver", &deal, handing_over(json!({ "odometerMiles": 20_000, "spotReason": "Saturday" }))).await;
    let done = give_back(&room, &maria, &deal, 20_400).await;
    let settled = &done["deal"]["delivery"]["returned"];
    // 450 for taking it back and 150 for the miles: 200 more than was paid.
    assert_eq!(words(settled).iter().map(|(_, amount, _)| *amount).collect::<Vec<_>>(), ["400.00", "-450.00", "-150.00"]);
    assert_eq!((&settled["refund"]["amount"], &settled["due"]["amount"]), (&json!("0.00"), &json!("200.00")));
}

#[tokio::test]
async fn where_the_law_names_no_fee_everything_goes_back() {
    let (room, maria) = room("TX,RETURN,2026-10-01,,3,DELIVERY,USED,,,,,,,,,,The test's law,2026-11-01,false,").await;
    let deal = delivered(&room, "2T3P1RFV8MC000014", 30_000_00).await;
    let right = preview(&room, &deal, 20_100).await["returnRight"].take();
    assert_eq!((&right["restockingFee"], &right["mileageFee"]), (&Value::Null, &Value::Null));
    let done = give_back(&room, &maria, &deal, 25_000).await;
    let settled = &done["deal"]["delivery"]["returned"];
    assert_eq!((words(settled), &settled["refund"]["amount"]), (vec![(PAID, "31993.00", true)], &json!("31993.00")));
}

#[tokio::test]
async fn the_fees_are_those_of_the_hand_over_and_say_whether_they_were_checked() {
    let (room, maria) = room(LAW).await;
    let deal = delivered(&room, "2T3P1RFV8MC000015", 30_000_00).await;
    let right = preview(&room, &deal, 20_000).await["returnRight"].take();
    assert_eq!(
        right["restockingFee"],
        json!({ "percent": "1.5", "min": { "amount": "200.00" }, "max": { "amount": "600.00" }, "amount": { "amount": "450.00" }, "verified": true })
    );
    assert_eq!(
        right["mileageFee"],
        json!({ "perMile": { "amount": "1.00" }, "freeMiles": 250, "max": { "amount": "150.00" }, "verified": false })
    );
    // Another rule from then on: the customer was told the old one.
    import(&room, "TX,RETURN,2026-11-21,,3,DELIVERY,USED,,400,10,,,,,,,A later law,2026-11-02,true,").await;
    let settled = give_back(&room, &maria, &deal, 20_000).await["deal"]["delivery"]["returned"].take();
    assert_eq!(settled["refund"]["amount"], "31543.00");
    // Who brings the next car back has the new one.
    let next = delivered(&room, "2T3P1RFV8MC000016", 30_000_00).await;
    assert_eq!(preview(&room, &next, 20_300).await["returnRight"]["settlement"]["refund"]["amount"], "28993.00");
}

#[tokio::test]
async fn an_odometer_that_ran_backwards_settles_nothing() {
    let (room, _) = room(LAW).await;
    let deal = delivered(&room, "2T3P1RFV8MC000017", 30_000_00).await;
    let query =
        "query ($id: ID!) { deal(id: $id) { delivery { returnRight { settlement(odometerMiles: 19999) { refund { amount } } } } } }";
    let answer = room.app.graphql(Some(&room.sam.access), query, json!({ "id": deal["id"] })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    // A customer is not charged for a sale that is unwound.
    let maria = room.app.person("mara@example.com", &[(room.app.austin, Role::SalesManager)]).await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key(), "reason": "x", "odometerMiles": 20_300,
        "considerationReturned": true, "customerAgrees": true });
    let done = room.run(&maria, "dealUnwind", input, "deal { state delivery { returned { settledAt } } } userErrors { code }").await;
    assert_eq!(done["deal"], json!({ "state": "UNWOUND", "delivery": { "returned": null } }));
}
