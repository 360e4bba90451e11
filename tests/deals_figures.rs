//! Figures to the cent, against the hand-checked examples of DOMAIN.md B4 and B13.

use serde_json::{Value, json};

use crate::helpers::showroom::Showroom;

/// The golden deal of B4: price 30,000, trade-in 10,000, assigned rebate 2,000, document fee 85.
async fn golden_tax(jurisdiction: &str) -> Value {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room
        .done(
            "dealStructure",
            &deal,
            json!({ "buyerJurisdiction": jurisdiction, "manufacturerRebate": "2000",
                "tradeIns": [{ "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "10000" }] }),
        )
        .await;
    deal["tax"]["amount"].clone()
}

#[tokio::test]
async fn the_golden_deal_is_taxed_as_each_state_says() {
    assert_eq!(golden_tax("TX").await, "1125.00");
    assert_eq!(golden_tax("CA").await, "2181.16");
    assert_eq!(golden_tax("NC").await, "602.55");
}

#[tokio::test]
async fn the_lease_of_b13_comes_out_to_the_cent() {
    let room = Showroom::open().await;
    let car = room.add_car("5YFB4MDE8PP000009", "Toyota", "Corolla", 2027, "NEW", 40_000_00).await;
    let deal = room.open_deal(&car.into(), json!({ "kind": "LEASE" })).await;
    let deal = room
        .done(
            "dealStructure",
            &deal,
            json!({ "buyerJurisdiction": "QQ", "termMonths": 36, "downPayment": "2000", "manufacturerRebate": "1500",
                "tradeIns": [{ "modelYear": 2019, "make": "Honda", "model": "Fit", "allowance": "9000", "payoff": "6000" }] }),
        )
        .await;
    // Gross 40,735 (value 40,000, acquisition 650, document 85), reduction 6,500, adjusted 34,235, residual 23,100:
    // 309.31 + 71.67 = 380.97; with 8.875 % of the rounded base 414.78.
    assert_eq!(deal["amountFinanced"]["amount"], "34235.00");
    assert_eq!(deal["payment"]["amount"], "414.78");
    let payload = room.act("dealQuote", &deal, json!({})).await;
    assert_eq!(payload["userErrors"], json!([]));
    let query = "query ($id: ID!) { deal(id: $id) { financeQuotes { kind moneyFactor apr payment { amount } financeCharge { amount } } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    let quote = &seen["deal"]["financeQuotes"][0];
    assert_eq!((&quote["kind"], &quote["payment"]["amount"]), (&json!("LEASE"), &json!("414.78")));
    assert_eq!(quote["financeCharge"]["amount"], "2579.92", "the rent charge");
    assert!(quote["apr"].is_null());
}

#[tokio::test]
async fn a_payoff_that_stood_until_earlier_grows_by_the_day() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let trade = |good_through: &str| {
        json!({ "tradeIns": [{ "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "6000", "payoff": "7500",
            "payoffGoodThrough": good_through, "payoffPerDiem": "1.50" }] })
    };
    // Tests begin on 21 November 2026.
    let fresh = room.done("dealStructure", &deal, trade("2026-11-21")).await;
    let stale = room.done("dealStructure", &fresh, trade("2026-11-11")).await;
    assert_eq!(cents(&stale["amountFinanced"]["amount"]) - cents(&fresh["amountFinanced"]["amount"]), 15_00);
}

#[tokio::test]
async fn financed_lines_sum_to_the_amount_financed() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room
        .done(
            "dealStructure",
            &deal,
            json!({ "downPayment": "1234.56", "dealerRebate": "250",
                "products": [{ "productId": product_id() }],
                "tradeIns": [{ "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "8000", "payoff": "9500" },
                             { "modelYear": 2009, "make": "Ford", "model": "Focus", "allowance": "900" }] }),
        )
        .await;
    let query = "query ($id: ID!) { deal(id: $id) { lines { kind code amount { amount } placement } products { price { amount } }
      tradeIns { equity { amount } actualCashValue { amount } } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    let lines = seen["deal"]["lines"].as_array().expect("lines");
    let sum: i64 = lines.iter().filter(|line| line["placement"] == "FINANCED").map(|line| cents(&line["amount"]["amount"])).sum();
    assert_eq!(sum, cents(&deal["amountFinanced"]["amount"]), "{seen:#}");
    // 30,000 + 1,995 + 118 + 6.25 % of (30,000 - 250 - 8,900) - 250 - 8,900 + 9,500 - 1,234.56
    assert_eq!(deal["amountFinanced"]["amount"], "32531.57");
    assert_eq!(seen["deal"]["products"][0]["price"]["amount"], "1995.00", "the list price");
    assert_eq!(seen["deal"]["tradeIns"][0]["equity"]["amount"], "-1500.00");
}

#[tokio::test]
async fn a_swap_keeps_everything_else_and_its_lines_sum_up() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room
        .done(
            "dealStructure",
            &deal,
            json!({ "downPayment": "2000", "termMonths": 48, "products": [{ "productId": product_id(), "price": "1500" }],
                "tradeIns": [{ "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "10000", "payoff": "4000" }] }),
        )
        .await;
    let before = deal.clone();
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key(), "vehicleId": room.camry });
    let selection = "deal { id version state price { amount } downPayment { amount } termMonths amountFinanced { amount } payment { amount }
        tradeIns { allowance { amount } } products { price { amount } } }
      lines { code before { amount } after { amount } change { amount } placement } totals { code before { amount } after { amount } change { amount } }
      userErrors { code } replayed";
    let payload = room.run(&room.sam, "dealSwapVehicle", input.clone(), selection).await;
    assert_eq!(payload["userErrors"], json!([]));
    let deal = &payload["deal"];
    assert_eq!(deal["price"]["amount"], "27500.00");
    assert_eq!((&deal["downPayment"]["amount"], &deal["termMonths"]), (&json!("2000.00"), &json!(48)));
    assert_eq!(deal["tradeIns"][0]["allowance"]["amount"], "10000.00");
    assert_eq!(deal["products"][0]["price"]["amount"], "1500.00");
    // 2,500.00 less price and 6.25 % of it less tax.
    let lines = payload["lines"].as_array().expect("lines");
    let sum: i64 = lines.iter().filter(|l| l["placement"] == "FINANCED").map(|l| cents(&l["change"]["amount"])).sum();
    assert_eq!(sum, -2_656_25);
    assert_eq!(sum, cents(&deal["amountFinanced"]["amount"]) - cents(&before["amountFinanced"]["amount"]));
    let price = lines.iter().find(|line| line["code"] == "PRICE").expect("the price");
    assert_eq!((&price["before"]["amount"], &price["after"]["amount"]), (&json!("30000.00"), &json!("27500.00")));
    let payment = payload["totals"].as_array().expect("totals").iter().find(|t| t["code"] == "PAYMENT").expect("the payment").clone();
    assert_eq!((&payment["before"]["amount"], &payment["after"]["amount"]), (&before["payment"]["amount"], &deal["payment"]["amount"]));
    // The stored answer comes back with the same lines.
    let again = room.run(&room.sam, "dealSwapVehicle", input, selection).await;
    assert_eq!((&again["lines"], &again["replayed"]), (&payload["lines"], &json!(true)));
}

#[tokio::test]
async fn a_quote_replays_to_the_byte_after_the_rules_changed() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    room.done("dealQuote", &deal, json!({})).await;
    room.sql("UPDATE lender_program SET buy_rate = 9.9 WHERE kind = 'RETAIL'; UPDATE tax_rule SET state_rate = 8").await;
    room.app.app.rules.reload().await.expect("rules");
    let query = "query ($id: ID!) { deal(id: $id) { financeQuotes { id } insuranceQuotes { id } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    for quote in [&seen["deal"]["financeQuotes"][0]["id"], &seen["deal"]["insuranceQuotes"][0]["id"]] {
        let replay =
            room.app.data(&room.sam, "query ($id: ID!) { quoteReplay(id: $id) { equal stored replayed } }", json!({ "id": quote })).await;
        assert_eq!(replay["quoteReplay"]["equal"], true, "{replay:#}");
        assert_eq!(replay["quoteReplay"]["stored"], replay["quoteReplay"]["replayed"]);
    }
}

fn product_id() -> String {
    deskless::kernel::id::ProductId(uuid::Uuid::from_u128(0x018f_0000_0000_7000_8000_0000_0000_a001)).to_string()
}

fn cents(amount: &Value) -> i64 {
    amount.as_str().expect("an amount").replace('.', "").parse().expect("cents")
}
