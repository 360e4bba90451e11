//! Fees the store gives up: a line of their own, a manager's yes, and never the government's.

use std::sync::Arc;

use deskless::auth::Role;
use serde_json::{Value, json};

use crate::helpers::Session;
use crate::helpers::showroom::Showroom;

const SEEN: &str = "deal { id version state fees { amount } tax { amount } totalPrice { amount } feeWaivers { code amount { amount } }
    lines { kind code label amount { amount } placement verified } nextSteps { code say } }
  userErrors { code message field } replayed";

async fn waive(room: &Showroom, who: &Session, deal: &Value, key: &str, waivers: Value) -> Value {
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": key, "feeWaivers": waivers });
    room.run(who, "dealStructure", input, SEEN).await
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("DONE")
}

fn fee_lines(deal: &Value) -> Vec<(String, String)> {
    let lines = deal["lines"].as_array().expect("lines").iter().filter(|line| line["kind"] == "FEE");
    lines.map(|line| (line["code"].as_str().unwrap().to_owned(), line["amount"]["amount"].as_str().unwrap().to_owned())).collect()
}

/// A salesperson may waive nothing alone.
async fn rule(room: &Showroom) {
    room.sql(&format!(
        "INSERT INTO approval_rule (id, group_id, kind, effective, limit_hundredths, escalate_minutes, answer_minutes, valid_minutes)
         VALUES (gen_random_uuid(), '{}', 'FEE_WAIVER', '[2020-01-01,)', 0, 10, 60, 600)",
        room.app.group.0
    ))
    .await;
    room.app.app.rules.reload().await.expect("rules");
}

#[tokio::test]
async fn a_waived_fee_is_a_line_of_its_own_and_is_not_taxed() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({ "kind": "CASH" })).await;
    assert_eq!(deal["fees"]["amount"], "118.00", "document fee 85, title 33");
    let whole = waive(&room, &room.sam, &deal, "whole", json!([{ "code": "DOC" }])).await;
    let seen = &whole["deal"];
    assert_eq!((code(&whole), &seen["fees"]["amount"]), ("DONE", &json!("33.00")));
    assert_eq!(seen["feeWaivers"], json!([{ "code": "DOC", "amount": { "amount": "85.00" } }]));
    let pair = |code: &str, amount: &str| (code.to_owned(), amount.to_owned());
    assert_eq!(fee_lines(seen), [pair("FEE_DOC", "85.00"), pair("FEE_DOC_WAIVED", "-85.00"), pair("FEE_TITLE", "33.00")]);
    // Texas does not tax the document fee: 30,000 at 6.25 %.
    assert_eq!((&seen["tax"]["amount"], &seen["totalPrice"]["amount"]), (&json!("1875.00"), &json!("31908.00")));
    let again = waive(&room, &room.sam, &deal, "whole", json!([{ "code": "DOC" }])).await;
    assert_eq!((&again["replayed"], &again["deal"]["version"]), (&json!(true), &seen["version"]));
    // North Carolina does: 30,000 and the 45 that are left of it at 3 %.
    let input = json!({ "dealId": deal["id"], "expectedVersion": seen["version"], "idempotencyKey": "part", "buyerJurisdiction": "NC",
        "feeWaivers": [{ "code": "DOC", "amount": "40" }] });
    let part = room.run(&room.sam, "dealStructure", input, SEEN).await;
    assert_eq!(fee_lines(&part["deal"]), [pair("FEE_DOC", "85.00"), pair("FEE_DOC_WAIVED", "-40.00")]);
    assert_eq!((&part["deal"]["fees"]["amount"], &part["deal"]["tax"]["amount"]), (&json!("45.00"), &json!("901.35")));
    let none = waive(&room, &room.sam, &part["deal"], "none", json!([])).await;
    assert_eq!((&none["deal"]["feeWaivers"], &none["deal"]["tax"]["amount"]), (&json!([]), &json!("902.55")));
}

#[tokio::test]
async fn the_government_s_fees_and_more_than_a_fee_are_never_waived() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    for (waivers, field) in [
        (json!([{ "code": "TITLE" }]), "feeWaivers"),
        (json!([{ "code": "WASH" }]), "feeWaivers"),
        (json!([{ "code": "DOC", "amount": "85.01" }]), "feeWaivers"),
    ] {
        let refused = waive(&room, &room.sam, &deal, &room.key(), waivers.clone()).await;
        assert_eq!((code(&refused), &refused["userErrors"][0]["field"]), ("FEE_NOT_WAIVABLE", &json!([field])), "{waivers}");
    }
    for waivers in [json!([{ "code": "DOC", "amount": "0" }]), json!([{ "code": "DOC", "amount": "1" }, { "code": "DOC", "amount": "2" }])]
    {
        assert_eq!(code(&waive(&room, &room.sam, &deal, &room.key(), waivers.clone()).await), "OUT_OF_BOUNDS", "{waivers}");
    }
    let stranger = room.app.person("otto@example.com", &[(room.app.raleigh, Role::Salesperson)]).await;
    assert_eq!(code(&waive(&room, &stranger, &deal, "x", json!([{ "code": "DOC" }])).await), "NOT_FOUND");
}

#[tokio::test]
async fn a_waived_fee_waits_for_a_manager_and_its_quote_replays_to_the_byte() {
    let room = Showroom::open().await;
    rule(&room).await;
    let maria = room.app.manager().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = waive(&room, &room.sam, &deal, "w", json!([{ "code": "DOC", "amount": "40" }])).await["deal"].clone();
    assert_eq!(
        (&deal["nextSteps"][0]["code"], &deal["nextSteps"][0]["say"]),
        (&json!("GET_APPROVAL"), &json!("Ask a manager: Fees of 40.00 are waived, more than the 0.00 a salesperson may waive."))
    );
    let quoted = room.done("dealQuote", &deal, json!({})).await;
    let query =
        "query ($id: ID!) { deal(id: $id) { financeQuotes(open: true) { id amountFinanced { amount } } amountFinanced { amount } } }";
    let quotes = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await["deal"].take();
    assert_eq!(quotes["financeQuotes"][0]["amountFinanced"], quotes["amountFinanced"]);
    let quote = &quotes["financeQuotes"][0]["id"];
    let replay = "query ($id: ID!) { quoteReplay(id: $id) { outcome engineVersion } }";
    let replayed = room.app.data(&room.sam, replay, json!({ "id": quote })).await;
    assert_eq!(replayed["quoteReplay"], json!({ "outcome": "EQUAL", "engineVersion": deskless::finance::ENGINE_VERSION }));
    let deal = room.done("quoteAccept", &quoted, json!({ "quoteId": quote })).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    let refused = room.act("dealAgree", &deal, json!({})).await;
    assert_eq!(code(&refused), "APPROVAL_NEEDED");
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": "ask" });
    let asked = room
        .run(
            &room.sam,
            "approvalRequest",
            input,
            "approval { id findings { kind measured limit } } deal { id version } userErrors { code }",
        )
        .await;
    assert_eq!(asked["approval"]["findings"], json!([{ "kind": "FEE_WAIVER", "measured": "40.00", "limit": "0.00" }]));
    let input = json!({ "approvalId": asked["approval"]["id"], "decision": "APPROVE", "idempotencyKey": "yes" });
    room.run(&maria, "approvalDecide", input, "userErrors { code }").await;
    room.done("dealAgree", &asked["deal"], json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_tablets_that_waive_at_once_one_is_told_to_look_again() {
    let room = Arc::new(Showroom::open().await);
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let tries = (0..2).map(|n| {
        let (room, deal) = (Arc::clone(&room), deal.clone());
        let amount = format!("{}", 10 + n);
        tokio::spawn(async move {
            code(&waive(&room, &room.sam, &deal, &room.key(), json!([{ "code": "DOC", "amount": amount }])).await).to_owned()
        })
    });
    let mut outcomes: Vec<String> = futures::future::join_all(tries).await.into_iter().map(|t| t.expect("no panic")).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["DEAL_OUT_OF_SYNC", "DONE"]);
}
