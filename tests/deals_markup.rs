//! What a contract's rate lies above the lender's: asked for on the deal, bounded by lender and law, shown to managers alone. And
//! what a guide book says of a car's worth.

use deskless::finance::RuleTable;
use serde_json::{Value, json};

use crate::helpers::Session;
use crate::helpers::showroom::{RAV4_VIN, Showroom};

const PLAN: &str =
    "paymentPlan { markupBasisPoints } financeQuotes(open: true) { id rate program { code } detail { whyThisRate { markup baseRate } } }";

async fn open() -> Showroom {
    let room = Showroom::open().await;
    room.sql("UPDATE lender_program SET max_markup = 2 WHERE kind = 'RETAIL'").await;
    room.app.app.rules.reload().await.unwrap();
    room
}

async fn see(room: &Showroom, who: &Session, deal: &Value, selection: &str) -> Value {
    let query = format!("query ($id: ID!) {{ deal(id: $id) {{ id version {selection} }} }}");
    room.app.data(who, &query, json!({ "id": deal["id"] })).await["deal"].take()
}

async fn structured(room: &Showroom, points: i64) -> Value {
    let deal = room.open_deal(&room.rav4, json!({})).await;
    room.done("dealStructure", &deal, json!({ "termMonths": 60, "downPayment": "2000", "markupBasisPoints": points })).await
}

async fn quoted(room: &Showroom, deal: &Value) -> (Value, String) {
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
    let payload = room.run(&room.sam, "dealQuote", input, "deal { id version } declined { reasons } userErrors { code }").await;
    (payload["deal"].clone(), payload["declined"].to_string())
}

async fn import(room: &Showroom, table: RuleTable, text: &str) {
    let by = deskless::db::By::system();
    let done = room.app.app.rules.import(room.app.group, table, text.as_bytes(), by, false).await.expect("a readable file");
    assert_eq!(done.refused, []);
}

#[tokio::test]
async fn the_customer_sees_the_contract_rate_and_a_manager_what_it_is_made_of() {
    let room = open().await;
    let maria = room.app.manager().await;
    let deal = structured(&room, 150).await;
    let (deal, _) = quoted(&room, &deal).await;
    let (sam, maria) = (see(&room, &room.sam, &deal, PLAN).await, see(&room, &maria, &deal, PLAN).await);
    assert_eq!((&sam["paymentPlan"]["markupBasisPoints"], &maria["paymentPlan"]["markupBasisPoints"]), (&Value::Null, &json!(150)));
    let best = |seen: &Value| seen["financeQuotes"][0].clone();
    // BETA buys at 5.90 %.
    assert_eq!((&best(&sam)["program"]["code"], &best(&sam)["rate"]), (&json!("B60"), &json!("7.4")));
    assert_eq!(best(&sam)["detail"]["whyThisRate"], json!({ "markup": null, "baseRate": null }));
    assert_eq!(best(&maria)["detail"]["whyThisRate"], json!({ "markup": "1.5", "baseRate": "5.9" }));
    // The history names the change, not the points.
    let history = see(&room, &room.sam, &deal, "history { nodes { verb detail } }").await;
    let events = history["history"]["nodes"].as_array().unwrap();
    let changed = &events.iter().find(|event| event["verb"] == "structured").unwrap()["detail"]["changed"];
    let markup = changed.as_array().unwrap().iter().find(|part| part["part"] == "markup");
    assert_eq!(markup, Some(&json!({ "part": "markup", "before": "", "after": "set" })));
}

#[tokio::test]
async fn lender_and_law_cap_it_and_a_manager_is_asked_beyond_the_stores_limit() {
    let room = open().await;
    let deal = structured(&room, 201).await;
    let (deal, declined) = quoted(&room, &deal).await;
    assert!(declined.contains("above what BETA Bank or the law allows") && !declined.contains("2.01"), "{declined}");
    let too_much =
        json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key(), "markupBasisPoints": 1_001 });
    let query = "mutation ($input: DealStructureInput!) { dealStructure(input: $input) { userErrors { code } } }";
    let refused = room.app.graphql(Some(&room.sam.access), query, json!({ "input": too_much })).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused:#}");
    // The law of the buyer's state comes before the lender's limit.
    import(&room, RuleTable::MarkupLaws, "state,above_months,points,from,source,verified\nTX,0,1.25,2020-01-01,Test,true\n").await;
    let deal = room.done("dealStructure", &deal, json!({ "markupBasisPoints": 126 })).await;
    let (deal, declined) = quoted(&room, &deal).await;
    assert!(declined.contains("the law allows"), "{declined}");
    let deal = room.done("dealStructure", &deal, json!({ "markupBasisPoints": 125 })).await;
    let (deal, _) = quoted(&room, &deal).await;
    // What the store lets a salesperson add alone.
    room.sql(&format!(
        "INSERT INTO approval_rule (id, group_id, kind, effective, limit_hundredths, escalate_minutes, answer_minutes, valid_minutes)
         VALUES (gen_random_uuid(), '{}', 'RATE_MARKUP', '[2020-01-01,)', 100, 10, 60, 600)",
        room.app.group.0
    ))
    .await;
    room.app.app.rules.reload().await.unwrap();
    let seen = see(&room, &room.sam, &deal, PLAN).await;
    let deal = room.done("quoteAccept", &deal, json!({ "quoteId": seen["financeQuotes"][0]["id"] })).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    let refused = room.act("dealAgree", &deal, json!({})).await;
    assert_eq!(refused["userErrors"][0]["code"], "APPROVAL_NEEDED");
    assert!(!refused["userErrors"][0]["message"].to_string().contains("1.25"), "{refused:#}");
}

#[tokio::test]
async fn a_lender_that_lends_by_the_guide_book_takes_its_value() {
    let room = open().await;
    room.sql("UPDATE lender_program SET collateral_basis = 'BOOK_RETAIL', max_ltv_percent = 100 WHERE code = 'B60'").await;
    room.app.app.rules.reload().await.unwrap();
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "termMonths": 60, "downPayment": "2000" })).await;
    let (deal, declined) = quoted(&room, &deal).await;
    assert!(declined.contains("retail book value is not known"), "{declined}");
    let file = format!("vin,wholesale,retail,from,source,verified\n{RAV4_VIN},25000,29000,2020-01-01,A guide book,true\n");
    import(&room, RuleTable::GuideValues, &file).await;
    // 30,000 with tax and fees less 2,000 is more than 29,000.
    let (deal, declined) = quoted(&room, &deal).await;
    assert!(declined.contains("retail book value of 29000.00"), "{declined}");
    let deal = room.done("dealStructure", &deal, json!({ "downPayment": "4000" })).await;
    let (deal, _) = quoted(&room, &deal).await;
    let why = "financeQuotes(open: true) { program { code } detail { whyThisRate { collateral { amount } } } }";
    let seen = see(&room, &room.sam, &deal, why).await;
    assert_eq!(seen["financeQuotes"][0]["program"]["code"], "B60");
    assert_eq!(seen["financeQuotes"][0]["detail"]["whyThisRate"]["collateral"]["amount"], "29000.00");
    // Whom to tell when the book was wrong.
    let rule = room.number("SELECT count(*) FROM finance_quote q, guide_value g WHERE q.result::text LIKE '%' || g.id || '%'").await;
    assert_eq!(rule, 1);
}
