//! The insurance a customer chooses is what their lender asks for, or the refusal says what would be.

use serde_json::{Value, json};

use crate::helpers::showroom::Showroom;

const QUOTES: &str = "deal { id version state financeQuotes(open: true) { id program { code } } insuranceQuotes(open: true) { id detail { demands { subject met } } } }
  userErrors { code message }";

async fn open() -> Showroom {
    let room = Showroom::open().await;
    let group = room.app.group.0;
    room.sql(&format!(
        "INSERT INTO insurance_demand VALUES
           (gen_random_uuid(), '{group}', NULL, 'LOAN', 100000, 0, 0, 0, true, false, '[2020-01-01,)', 'test', '2026-01-01', true),
           (gen_random_uuid(), '{group}', 'BETA', 'LOAN', 50000, 10000000, 30000000, 0, true, false, '[2020-01-01,)', 'test', '2026-01-01', true)"
    ))
    .await;
    room.app.app.rules.reload().await.unwrap();
    room
}

/// A policy below what BETA asks for, if the customer insists.
fn wish(deductible: &str, person: &str) -> Value {
    json!({ "meetLenderDemands": false, "coverages": [
        { "coverage": "BODILY_INJURY", "limit": person, "limitPerAccident": "300000" },
        { "coverage": "COLLISION", "deductible": deductible }, { "coverage": "COMPREHENSIVE", "deductible": "250" }] })
}

async fn quote(room: &Showroom, deal: &Value) -> Value {
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
    let payload = room.run(&room.sam, "dealQuote", input, QUOTES).await;
    assert_eq!(payload["userErrors"], json!([]));
    payload["deal"].clone()
}

fn of(deal: &Value, program: &str) -> Value {
    let quotes = deal["financeQuotes"].as_array().unwrap();
    json!({ "quoteId": quotes.iter().find(|q| q["program"]["code"] == program).unwrap()["id"] })
}

/// What the next steps say about the insurance.
async fn step(room: &Showroom, deal: &Value) -> Option<String> {
    let query = "query ($id: ID!) { deal(id: $id) { nextSteps { code say } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    let steps = seen["deal"]["nextSteps"].as_array().unwrap().iter();
    steps.filter(|s| s["code"] == "INSURANCE_NOT_ENOUGH").map(|s| s["say"].as_str().unwrap().to_owned()).next()
}

fn refused(payload: &Value) -> String {
    assert_eq!(payload["userErrors"][0]["code"], "INSURANCE_NOT_ENOUGH", "{payload:#}");
    payload["userErrors"][0]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_policy_below_the_lenders_demands_cannot_be_accepted_and_the_refusal_says_what_can() {
    let room = open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "termMonths": 60 })).await;
    let deal = room.done("dealAnswersRecord", &deal, json!({ "insurance": wish("1000", "50000") })).await;
    let quoted = quote(&room, &deal).await;
    let deal = room.done("quoteAccept", &quoted, of(&quoted, "B60")).await;
    assert!(step(&room, &deal).await.unwrap().contains("BETA Bank asks for"), "before anybody tries to accept it");
    let policy = json!({ "quoteId": quoted["insuranceQuotes"][0]["id"] });
    let message = refused(&room.act("quoteAccept", &deal, policy).await);
    assert!(message.contains("not what BETA Bank asks for"), "{message}");
    assert!(message.contains("again for collision cover with a deductible of at most 500.00."), "{message}");
    assert!(message.contains("again for bodily injury limits of at least 100000.00 per person and 300000.00 per accident."), "{message}");
    assert!(!message.contains("comprehensive"), "250.00 is low enough: {message}");
    // What the refusal says clears it.
    let deal = room.done("dealAnswersRecord", &deal, json!({ "insurance": wish("500", "100000") })).await;
    let quoted = quote(&room, &deal).await;
    let policy = json!({ "quoteId": quoted["insuranceQuotes"][0]["id"] });
    let deal = room.done("quoteAccept", &quoted, policy).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    assert_eq!(room.done("dealAgree", &deal, json!({})).await["state"], "AGREED");
}

#[tokio::test]
async fn another_lender_or_a_stricter_rule_is_noticed_before_the_customer_agrees() {
    let room = open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "termMonths": 60 })).await;
    let deal = room.done("dealAnswersRecord", &deal, json!({ "insurance": wish("1000", "100000") })).await;
    let quoted = quote(&room, &deal).await;
    // A thousand is enough for ALPHA, and the policy of the same round will name it.
    let deal = room.done("quoteAccept", &quoted, of(&quoted, "A84")).await;
    let deal = room.done("quoteAccept", &deal, json!({ "quoteId": quoted["insuranceQuotes"][0]["id"] })).await;
    let shown = room.done("dealPresent", &deal, json!({})).await;
    // The customer takes BETA after all. What is missing is said at once, not only when they agree.
    assert_eq!(step(&room, &shown).await, None);
    let deal = room.done("quoteAccept", &shown, of(&quoted, "B60")).await;
    assert!(step(&room, &deal).await.unwrap().contains("at most 500.00"));
    let deal = room.done("dealPresent", &deal, json!({})).await;
    let message = refused(&room.act("dealAgree", &deal, json!({})).await);
    assert!(message.contains("at most 500.00"), "{message}");
    // Asked again, the policy names BETA; with ALPHA it is the wrong name.
    let deal = room.done("dealAnswersRecord", &deal, json!({ "insurance": wish("500", "100000") })).await;
    let again = quote(&room, &deal).await;
    let named = &again["insuranceQuotes"][0];
    assert_eq!(named["detail"]["demands"].as_array().unwrap().iter().filter(|d| d["met"] == false).count(), 0, "{named:#}");
    let deal = room.done("quoteAccept", &again, json!({ "quoteId": named["id"] })).await;
    let deal = room.done("quoteAccept", &deal, of(&again, "A84")).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    let message = refused(&room.act("dealAgree", &deal, json!({})).await);
    assert!(message.contains("so that the policy names ALPHA Bank loss payee"), "{message}");
    let deal = room.done("quoteAccept", &deal, of(&again, "B60")).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    // The lender asks for more from today on.
    room.sql("UPDATE insurance_demand SET max_deductible_cents = 25000 WHERE lender_code = 'BETA'").await;
    room.app.app.rules.reload().await.unwrap();
    assert!(refused(&room.act("dealAgree", &deal, json!({})).await).contains("at most 250.00"));
    // A deal paid in cash has no lender to ask.
    let cash = room.done("dealStructure", &deal, json!({ "kind": "CASH" })).await;
    let cash = room.done("dealPresent", &cash, json!({})).await;
    assert_eq!(room.done("dealAgree", &cash, json!({})).await["state"], "AGREED");
}
