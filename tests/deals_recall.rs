//! A rule was wrong: quotes stay what they were, and whoever was quoted is found.

use deskless::auth::Role;
use deskless::finance::RuleTable;
use serde_json::{Value, json};

use crate::deals_products::import;
use crate::helpers::showroom::Showroom;

const QUOTES: &str = "deal { id version financeQuotes { id detail { rules { version label verified } } } insuranceQuotes { id } }
  userErrors { code message }";

async fn quoted(room: &Showroom, vehicle: &async_graphql::ID, jurisdiction: &str) -> Value {
    let deal = room.open_deal(vehicle, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "termMonths": 48, "buyerJurisdiction": jurisdiction })).await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
    let payload = room.run(&room.sam, "dealQuote", input, QUOTES).await;
    assert_eq!(payload["userErrors"], json!([]));
    payload["deal"].clone()
}

#[tokio::test]
async fn quotes_replay_to_the_byte_after_every_rule_has_changed() {
    let room = Showroom::open().await;
    let deal = quoted(&room, &room.rav4, "TX").await;
    let ids: Vec<Value> = deal["financeQuotes"]
        .as_array()
        .unwrap()
        .iter()
        .chain(deal["insuranceQuotes"].as_array().unwrap())
        .map(|q| q["id"].clone())
        .collect();
    assert!(ids.len() >= 3, "{deal:#}");
    let replay = "query ($id: ID!) { quoteReplay(id: $id) { equal stored replayed } }";
    let mut before = Vec::new();
    for id in &ids {
        before.push(room.app.data(&room.sam, replay, json!({ "id": id })).await);
    }
    // Every rule gets a later row, taxes, fees, programs and premiums too; then what is left is wiped out.
    let tax = room.app.app.rules.export(room.app.group, RuleTable::TaxRules).await.unwrap();
    let later = tax.replace("2020-01-01,", "2026-11-01,").replace(",SALES,6.25,", ",SALES,9.99,");
    import(&room, RuleTable::TaxRules, &later).await;
    let programs = room.app.app.rules.export(room.app.group, RuleTable::Programs).await.unwrap();
    import(&room, RuleTable::Programs, &programs.replace("2020-01-01,", "2026-11-01,").replace(",6.9,", ",8.9,")).await;
    let rates = room.app.app.rules.export(room.app.group, RuleTable::InsuranceRates).await.unwrap();
    import(&room, RuleTable::InsuranceRates, &rates.replace("2020-01-01,", "2026-11-01,").replace(",100.00,", ",150.00,")).await;
    room.sql("DELETE FROM fee_rule; UPDATE insurer SET name = 'Another'; UPDATE lender SET name = 'Another', accrual_basis = 'ACTUAL_360'")
        .await;
    room.app.app.rules.reload().await.unwrap();
    for (id, before) in ids.iter().zip(before) {
        let after = room.app.data(&room.sam, replay, json!({ "id": id })).await;
        assert_eq!(after["quoteReplay"]["equal"], true, "{id}");
        assert_eq!(after, before, "{id}");
        assert_eq!(
            serde_json::to_string(&after["quoteReplay"]["stored"]).unwrap(),
            serde_json::to_string(&after["quoteReplay"]["replayed"]).unwrap()
        );
    }
    // A new quote follows the new rules: 9.99 % of 30,000.00.
    let fresh = room.open_deal(&room.camry, json!({ "price": "30000" })).await;
    assert_eq!(fresh["tax"]["amount"], "2997.00");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

const AFFECTED: &str =
    "query ($rule: ID!, $first: Int, $after: String) { quotesAffectedBy(ruleVersion: $rule, first: $first, after: $after) {
  totalCount pageInfo { hasNextPage endCursor } nodes { quotes accepted firstUsedAt deal { id customer { id } } } } }";

#[tokio::test]
async fn deals_quoted_with_a_rule_are_found_for_managers_of_their_store() {
    let room = Showroom::open().await;
    let texan = quoted(&room, &room.rav4, "TX").await;
    let other = quoted(&room, &room.camry, "NC").await;
    let cash = room.open_deal(&room.camry, json!({ "kind": "CASH" })).await;
    let rule = |deal: &Value, label: &str| {
        let rules = deal["financeQuotes"][0]["detail"]["rules"].as_array().unwrap();
        rules.iter().find(|r| r["label"] == label).unwrap_or_else(|| panic!("{rules:?}"))["version"].clone()
    };
    let (texas, carolina, document) = (rule(&texan, "Tax of TX"), rule(&other, "Tax of NC"), rule(&texan, "Document fee"));
    let maria = room.app.manager().await;
    let ask = async |rule: &Value| room.app.data(&maria, AFFECTED, json!({ "rule": rule })).await["quotesAffectedBy"].clone();
    let deals = |found: &Value| -> Vec<String> { found["nodes"].as_array().unwrap().iter().map(|n| text(&n["deal"]["id"])).collect() };
    // In the order of their ids.
    let sorted = |deals: &[&Value]| -> Vec<String> {
        let mut ids: Vec<String> = deals.iter().map(|deal| text(&deal["id"])).collect();
        ids.sort();
        ids
    };
    let node =
        |found: &Value, deal: &Value| found["nodes"].as_array().unwrap().iter().find(|n| n["deal"]["id"] == deal["id"]).unwrap().clone();

    // The cash deal has no quotes, but its customer was told figures too.
    let found = ask(&texas).await;
    assert_eq!(deals(&found), sorted(&[&texan, &cash]));
    assert_eq!((&found["totalCount"], &node(&found, &cash)["quotes"]), (&json!(2), &json!(0)));
    assert_eq!(node(&found, &texan)["quotes"], json!(texan["financeQuotes"].as_array().unwrap().len()));
    assert_eq!(node(&found, &texan)["deal"]["customer"]["id"], json!(room.customer.to_string()));
    assert_eq!(deals(&ask(&carolina).await), sorted(&[&other]));
    let all = sorted(&[&texan, &other, &cash]);
    assert_eq!(deals(&ask(&document).await), all);
    // Pages.
    let first = room.app.data(&maria, AFFECTED, json!({ "rule": document, "first": 2 })).await;
    assert_eq!(first["quotesAffectedBy"]["pageInfo"]["hasNextPage"], true);
    let rest =
        room.app.data(&maria, AFFECTED, json!({ "rule": document, "after": first["quotesAffectedBy"]["pageInfo"]["endCursor"] })).await;
    assert_eq!([deals(&first["quotesAffectedBy"]), deals(&rest["quotesAffectedBy"])].concat(), all);
    // An accepted quote shows.
    let quote = &texan["financeQuotes"][0]["id"];
    room.done("quoteAccept", &texan, json!({ "quoteId": quote })).await;
    assert_eq!(node(&ask(&texas).await, &texan)["accepted"], true);

    // A manager of another store finds nothing, a salesperson may not ask, an id of something else is no rule.
    let stranger = room.app.person("mona@example.com", &[(room.app.raleigh, Role::SalesManager)]).await;
    let none = room.app.data(&stranger, AFFECTED, json!({ "rule": texas })).await;
    assert_eq!((&none["quotesAffectedBy"]["totalCount"], &none["quotesAffectedBy"]["nodes"]), (&json!(0), &json!([])));
    let refused = room.app.graphql(Some(&room.sam.access), AFFECTED, json!({ "rule": texas })).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let wrong = room.app.graphql(Some(&maria.access), AFFECTED, json!({ "rule": texan["id"] })).await;
    assert_eq!(wrong["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_buyer_from_a_state_without_rows_is_not_taxed_by_ours() {
    let room = Showroom::open().await;
    let customer = room.add_customer("WY", "82001").await;
    let deal = room.open_deal(&room.rav4, json!({ "customerId": customer.to_string() })).await;
    assert_eq!((&deal["buyerJurisdiction"], &deal["tax"]), (&json!("WY"), &Value::Null));
    let customer = room.add_customer("NC", "27601").await;
    let deal = room.open_deal(&room.camry, json!({ "customerId": customer.to_string() })).await;
    // 27,500.00 and the document fee of 85.00 at North Carolina's 3 %.
    assert_eq!((&deal["buyerJurisdiction"], &deal["tax"]["amount"]), (&json!("NC"), &json!("827.55")));
}
