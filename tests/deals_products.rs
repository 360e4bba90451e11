//! Products through the API: the menu, what is refused, what comes back.

use deskless::db::By;
use deskless::finance::RuleTable;
use serde_json::{Value, json};

use crate::helpers::showroom::{SELECTION, Showroom};

const PRODUCTS: &str = "code,kind,name,provider,term_months,term_miles,price,cost,deal_kinds,menu_columns,free_look_days,cancel_fee,from\n\
GAP,GAP,GAP waiver,Anchor,72,,900,300,RETAIL LEASE,3,30,0,2020-01-01\n\
MAINT,MAINTENANCE,Prepaid maintenance,Harbor,36,36000,800,500,,2,30,50,2020-01-01\n\
KEY,KEY,Key replacement,RoadGuard,60,,400,120,,4,30,25,2020-01-01\n";

pub async fn import(room: &Showroom, table: RuleTable, text: &str) {
    let app = &room.app;
    let done = app.app.rules.import(app.group, table, text.as_bytes(), By::system(), false).await.expect("a readable file");
    assert_eq!(done.refused, [], "{}", table.name());
}

/// A deal of 30,000.00 financed over 72 months at 6.9 %: 510.03 a month.
async fn deal(room: &Showroom) -> Value {
    let deal = room.open_deal(&room.rav4, json!({})).await;
    room.done("dealStructure", &deal, json!({ "downPayment": "1993.00", "termMonths": 72 })).await
}

const MENU: &str = "query ($id: ID!) { deal(id: $id) { productMenu { vehicleClass paymentWithoutProducts { amount }
  amountFinancedWithoutProducts { amount }
  items { product { id code kind } price { amount } priceCap { amount } cost { amount } selected eligible refusals { rule message } columns
    suggestedBecause paymentWith { amount } paymentWithout { amount } paymentDifference { amount } costOverTerm { amount } freeLookDays }
  columns { number productIds price { amount } payment { amount } amountFinanced { amount } paymentDifference { amount }
    costOverTerm { amount } } } } }";

async fn menu(room: &Showroom, deal: &Value) -> Value {
    room.app.data(&room.sam, MENU, json!({ "id": deal["id"] })).await["deal"]["productMenu"].take()
}

fn item<'a>(menu: &'a Value, code: &str) -> &'a Value {
    menu["items"].as_array().unwrap().iter().find(|item| item["product"]["code"] == code).unwrap_or_else(|| panic!("{code}: {menu:#}"))
}

#[tokio::test]
async fn the_menu_shows_every_product_with_and_without() {
    let room = Showroom::open().await;
    import(&room, RuleTable::Products, PRODUCTS).await;
    let deal = deal(&room).await;
    let shown = menu(&room, &deal).await;
    assert_eq!(shown["paymentWithoutProducts"]["amount"], "510.03");
    let gap = item(&shown, "GAP");
    // 30,900 at 6.9 % over 72 months is 525.33; GAP is not taxed here. 15.30 more for 72 months are 1,101.60.
    assert_eq!((&gap["paymentWith"]["amount"], &gap["paymentWithout"]["amount"]), (&json!("525.33"), &json!("510.03")));
    assert_eq!((&gap["paymentDifference"]["amount"], &gap["costOverTerm"]["amount"]), (&json!("15.30"), &json!("1101.60")));
    // Maintenance is taxed: 850.00 more are financed.
    assert_eq!(item(&shown, "MAINT")["paymentWith"]["amount"], "524.48");
    assert_eq!((&gap["eligible"], &gap["selected"], &gap["cost"]), (&json!(true), &json!(false), &Value::Null));
    // The fullest column has everything, the last one the keys alone.
    let columns = shown["columns"].as_array().unwrap();
    let sizes: Vec<usize> = columns.iter().map(|c| c["productIds"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [4, 4, 2, 1]);
    assert_eq!(columns[3]["price"]["amount"], "400.00");
    assert_eq!(columns[0]["price"]["amount"], "4095.00");
    // On the deal now: the payment without it is the old one, with it the deal's own.
    let chosen = room.done("dealStructure", &deal, json!({ "products": [{ "productId": gap["product"]["id"] }] })).await;
    assert_eq!(chosen["payment"]["amount"], "525.33");
    let shown = menu(&room, &chosen).await;
    let gap = item(&shown, "GAP");
    assert_eq!(
        (&gap["selected"], &gap["paymentWith"]["amount"], &gap["paymentWithout"]["amount"]),
        (&json!(true), &json!("525.33"), &json!("510.03"))
    );
    assert_eq!(item(&shown, "KEY")["paymentWithout"]["amount"], "525.33", "everything else stays as agreed");
}

#[tokio::test]
async fn suggestions_come_from_the_customers_own_answers() {
    let room = Showroom::open().await;
    import(&room, RuleTable::Products, PRODUCTS).await;
    let deal = deal(&room).await;
    assert_eq!(item(&menu(&room, &deal).await, "KEY")["suggestedBecause"], json!([]));
    let needs = json!({ "keepsYears": 8, "milesPerYear": 9000, "repairIsBurden": true, "losesKeys": true });
    let deal = room.done("dealAnswersRecord", &deal, json!({ "needs": needs })).await;
    let shown = menu(&room, &deal).await;
    assert_eq!(
        item(&shown, "VSC")["suggestedBecause"],
        json!([
            "You keep a car 8 years; most makers' warranties end after 3.",
            "You will drive about 72000 miles in that time; most makers' warranties end at 36000.",
            "You said a repair of 2500 would be a burden."
        ])
    );
    assert_eq!(item(&shown, "KEY")["suggestedBecause"], json!(["You said keys get lost in your household."]));
    // From the deal itself: all of the price is financed, over more than 60 months.
    assert_eq!(item(&shown, "GAP")["suggestedBecause"].as_array().map(Vec::len), Some(2));
    assert_eq!(item(&shown, "MAINT")["suggestedBecause"], json!([]), "9,000 miles a year are few");
    // A later answer replaces the earlier ones; the state of the deal stays.
    let again = room.done("dealAnswersRecord", &deal, json!({ "needs": { "milesPerYear": 20000 } })).await;
    assert_eq!(again["state"], deal["state"]);
    let shown = menu(&room, &again).await;
    assert_eq!(item(&shown, "KEY")["suggestedBecause"], json!([]));
    assert_eq!(item(&shown, "MAINT")["suggestedBecause"], json!(["You drive 20000 miles a year: services come often."]));
}

#[tokio::test]
async fn products_without_a_benefit_cannot_be_sold() {
    let room = Showroom::open().await;
    import(&room, RuleTable::Products, PRODUCTS).await;
    room.sql("UPDATE vehicle SET fuel = 'ELECTRIC' WHERE model = 'RAV4'").await;
    let deal = deal(&room).await;
    let shown = menu(&room, &deal).await;
    let maintenance = item(&shown, "MAINT");
    assert_eq!((&maintenance["eligible"], &maintenance["refusals"][0]["rule"]), (&json!(false), &json!("NO_BENEFIT")));
    assert_eq!((&maintenance["columns"], &maintenance["paymentWith"]), (&json!([]), &Value::Null));
    let payload = room.act("dealStructure", &deal, json!({ "products": [{ "productId": maintenance["product"]["id"] }] })).await;
    assert_eq!(payload["userErrors"][0]["code"], "PRODUCT_NOT_ELIGIBLE");
    assert!(payload["userErrors"][0]["message"].as_str().unwrap().contains("no oil changes"), "{payload}");
    // GAP goes onto the contract; paying cash with it on the deal is refused until it is taken off.
    let gap = item(&shown, "GAP")["product"]["id"].clone();
    let deal = room.done("dealStructure", &deal, json!({ "products": [{ "productId": gap }] })).await;
    let payload = room.act("dealStructure", &deal, json!({ "kind": "CASH" })).await;
    assert_eq!(payload["userErrors"][0]["code"], "PRODUCT_NOT_ELIGIBLE");
    let cash = room.done("dealStructure", &deal, json!({ "kind": "CASH", "products": [] })).await;
    assert_eq!(cash["kind"], "CASH");
}

#[tokio::test]
async fn a_states_law_caps_what_gap_may_cost() {
    let room = Showroom::open().await;
    import(&room, RuleTable::Products, PRODUCTS).await;
    import(
        &room,
        RuleTable::ProductLaws,
        "state,kind,from,price_cap_percent,min_ltv,source,verified\nTX,GAP,2020-01-01,2,70,Test law,true\n",
    )
    .await;
    let deal = deal(&room).await;
    let shown = menu(&room, &deal).await;
    let gap = item(&shown, "GAP");
    // 2 % of 30,000.00; the list price of 42,000.00 makes 30,000.00 more than 70 %.
    assert_eq!((&gap["priceCap"]["amount"], &gap["refusals"][0]["rule"]), (&json!("600.00"), &json!("PRICE_CAP")));
    let cheaper = json!({ "products": [{ "productId": gap["product"]["id"], "price": "600.00" }] });
    let deal = room.done("dealStructure", &deal, cheaper).await;
    assert_eq!(item(&menu(&room, &deal).await, "GAP")["eligible"], true);
    let payload = room.act("dealStructure", &deal, json!({ "products": [{ "productId": gap["product"]["id"], "price": "600.01" }] })).await;
    assert_eq!(payload["userErrors"][0]["code"], "PRODUCT_NOT_ELIGIBLE");
}

#[tokio::test]
async fn the_price_follows_the_rate_sheet_of_the_car() {
    let room = Showroom::open().await;
    import(&room, RuleTable::Products, PRODUCTS).await;
    import(&room, RuleTable::ProductClasses, "make,class\nToyota,B\n").await;
    let sheet = "product,class,condition,age_from,age_to,miles_from,miles_to,price,cost,from\n\
                 MAINT,B,,0,10,0,20001,720,450,2020-01-01\nMAINT,B,,0,10,20001,60000,950,600,2020-01-01\n";
    import(&room, RuleTable::ProductRates, sheet).await;
    let deal = deal(&room).await;
    let shown = menu(&room, &deal).await;
    assert_eq!(shown["vehicleClass"], "B");
    // The car has 20,000 miles.
    assert_eq!(item(&shown, "MAINT")["price"]["amount"], "720.00");
    let chosen = room.done("dealStructure", &deal, json!({ "products": [{ "productId": item(&shown, "MAINT")["product"]["id"] }] })).await;
    let lines = room
        .app
        .data(&room.sam, "query ($id: ID!) { deal(id: $id) { lines { code amount { amount } } } }", json!({ "id": chosen["id"] }))
        .await;
    let line = lines["deal"]["lines"].as_array().unwrap().iter().find(|l| l["code"] == "PRODUCT_MAINT").unwrap().clone();
    assert_eq!(line["amount"]["amount"], "720.00");
}

#[tokio::test]
async fn a_cancellation_is_quoted_to_the_cent() {
    let room = Showroom::open().await;
    import(&room, RuleTable::Products, PRODUCTS).await;
    let deal = deal(&room).await;
    let maintenance = item(&menu(&room, &deal).await, "MAINT")["product"]["id"].clone();
    let deal = room.done("dealStructure", &deal, json!({ "products": [{ "productId": maintenance }] })).await;
    let ask = |on: &str, miles: Option<i32>, claims: Option<&str>| json!({ "id": deal["id"], "product": maintenance, "on": on, "miles": miles, "claims": claims });
    let query = "query ($id: ID!, $product: ID!, $on: Date!, $miles: Int, $claims: Decimal) { deal(id: $id) {
      productRefund(productId: $product, on: $on, odometerMiles: $miles, claims: $claims) {
        refund { amount } unearned { amount } claims { amount } fee { amount } method freeLook payee explanation } } }";
    let refund = |data: Value| data["deal"]["productRefund"].clone();
    // Today is 2026-11-21; three years are 1,096 days. 800.00 · 731 / 1,096 = 533.58 after a year, less 50.00.
    let year = refund(room.app.data(&room.sam, query, ask("2027-11-21", Some(25_000), None)).await);
    assert_eq!(
        (&year["unearned"]["amount"], &year["refund"]["amount"], &year["payee"]),
        (&json!("533.58"), &json!("483.58"), &json!("LENDER"))
    );
    // 24,000 of 36,000 miles are gone: 266.67 are left, 100.00 were claimed.
    let driven = refund(room.app.data(&room.sam, query, ask("2027-11-21", Some(44_000), Some("100"))).await);
    assert_eq!((&driven["unearned"]["amount"], &driven["refund"]["amount"]), (&json!("266.67"), &json!("116.67")));
    let early = refund(room.app.data(&room.sam, query, ask("2026-12-21", None, None)).await);
    assert_eq!((&early["refund"]["amount"], &early["freeLook"]), (&json!("800.00"), &json!(true)));
    // A product that is not on the deal, and a deal of another store.
    let other =
        room.app.data(&room.sam, query, json!({ "id": deal["id"], "product": "prd_01h2xcejqtf2nbrexx3vqjhp41", "on": "2027-01-01" })).await;
    assert_eq!(refund(other), Value::Null);
    let stranger = room.app.stranger().await;
    assert_eq!(room.app.data(&stranger, query, ask("2027-11-21", None, None)).await["deal"], Value::Null);
}

/// The payload of a mutation that is refused leaves the deal as it was.
#[tokio::test]
async fn answers_ask_for_the_version_like_every_change() {
    let room = Showroom::open().await;
    let deal = deal(&room).await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": 1, "idempotencyKey": room.key(), "needs": { "losesKeys": true } });
    let payload = room.run(&room.sam, "dealAnswersRecord", input.clone(), SELECTION).await;
    assert_eq!(payload["userErrors"][0]["code"], "DEAL_OUT_OF_SYNC");
    let again = room.run(&room.sam, "dealAnswersRecord", input, SELECTION).await;
    assert_eq!((&again["replayed"], &again["userErrors"][0]["code"]), (&json!(true), &json!("DEAL_OUT_OF_SYNC")));
    let input = json!({ "dealId": deal["id"], "expectedVersion": 2, "idempotencyKey": room.key(),
        "insurance": { "drivers": [{ "ageYears": 20, "yearsLicensed": 7 }] } });
    let answer = room
        .app
        .graphql(Some(&room.sam.access), &crate::helpers::showroom::document("dealAnswersRecord", SELECTION), json!({ "input": input }))
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
}
