//! Programs, products and tax rules in the API.

use deskless::auth::Role;
use deskless::db::By;
use deskless::finance::seed_rules;
use serde_json::json;

use crate::helpers::TestApp;

async fn seeded() -> TestApp {
    let t = TestApp::start().await;
    let mut tx = t.app.db.begin(By::system()).await.expect("a transaction");
    seed_rules(tx.conn(), t.group).await.expect("seeds");
    tx.commit().await.expect("commit");
    t.app.rules.reload().await.expect("rules");
    t
}

const LISTS: &str = "query ($store: ID!) {
  programs(storeId: $store, kind: RETAIL, creditTier: \"a\") { code lender { name } creditTier buyRate maxMarkup verified }
  products(storeId: $store) { code price { amount } cost { amount } }
  creditTiers(storeId: $store)
}";

#[tokio::test]
async fn rates_and_costs_are_for_managers() {
    let t = seeded().await;
    let (sam, maria) = (t.salesperson().await, t.manager().await);
    let store = json!({ "store": t.austin.to_string() });
    let seen = t.data(&sam, LISTS, store.clone()).await;
    assert_eq!(seen["creditTiers"], json!(["A+", "A", "B", "C", "D"]));
    let programs = seen["programs"].as_array().expect("programs");
    assert!(
        programs.len() > 10 && programs.iter().all(|p| p["creditTier"] == "A" && p["buyRate"].is_null() && p["maxMarkup"].is_null()),
        "{seen}"
    );
    let gap = |data: &serde_json::Value| {
        data["products"].as_array().expect("products").iter().find(|p| p["code"] == "GAP").cloned().expect("GAP")
    };
    assert_eq!(gap(&seen), json!({ "code": "GAP", "price": { "amount": "895.00" }, "cost": null }));
    let all = t.data(&maria, LISTS, store).await;
    assert_eq!(gap(&all)["cost"]["amount"], "310.00");
    let special = all["programs"].as_array().expect("programs").iter().find(|p| p["code"] == "SPECIAL-A-60").expect("the special");
    assert_eq!((&special["buyRate"], &special["lender"]["name"]), (&json!("3.9"), &json!("Summit Motor Finance")));
}

#[tokio::test]
async fn another_store_shows_nothing() {
    let t = seeded().await;
    let stranger = t.stranger().await;
    let seen = t.data(&stranger, LISTS, json!({ "store": t.austin.to_string() })).await;
    assert_eq!(seen, json!({ "programs": null, "products": null, "creditTiers": null }));
}

#[tokio::test]
async fn tax_rules_carry_their_source_and_are_for_managers() {
    let t = seeded().await;
    let query = "{ taxRules(state: \"MI\") { jurisdiction effectiveFrom tradePolicy tradeCap source verified } }";
    let answer = t.graphql(Some(&t.salesperson().await.access), query, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
    let maria = t.person("lead@example.com", &[(t.raleigh, Role::SalesManager)]).await;
    let data = t.data(&maria, query, json!({})).await;
    let rules = data["taxRules"].as_array().expect("rules");
    let of_2026 = rules.iter().find(|r| r["effectiveFrom"] == "2026-01-01").expect("the rule of 2026");
    assert_eq!((&of_2026["tradePolicy"], &of_2026["tradeCap"]), (&json!("CAPPED"), &json!("12000.00")));
    assert!(rules.iter().all(|r| r["jurisdiction"] == "MI" && r["source"].as_str().is_some_and(|s| !s.is_empty())));
}
