//! What is for managers only, and for whom it is null.

use serde_json::{Value, json};

use crate::helpers::Session;
use crate::helpers::showroom::Showroom;

const DETAIL: &str = "query ($id: ID!) { deal(id: $id) { financeQuotes { id rate detail { buyRate reserve { amount } trace { step value }
  lines { code label amount { amount } } rules { label } finalPayment { amount } } } insuranceQuotes { id } } }";
const REPLAY: &str = "query ($id: ID!) { quoteReplay(id: $id) { equal stored replayed } }";

/// A quoted deal whose lender pays 1,234.56 for the contract.
async fn quoted(room: &Showroom) -> Value {
    room.sql("UPDATE lender_program SET flat_reserve_cents = 123456 WHERE code = 'A84'").await;
    room.app.app.rules.reload().await.expect("rules");
    let deal = room.open_deal(&room.rav4, json!({ "kind": "RETAIL" })).await;
    let deal = room.done("dealStructure", &deal, json!({ "termMonths": 72 })).await;
    room.done("dealQuote", &deal, json!({})).await
}

async fn seen(room: &Showroom, who: &Session, deal: &Value) -> Value {
    room.app.data(who, DETAIL, json!({ "id": deal["id"] })).await["deal"].take()
}

/// Every name of a JSON value, however deep.
fn names(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            into.push(name.clone());
            names(value, into);
        }),
        Value::Array(items) => items.iter().for_each(|item| names(item, into)),
        _ => {}
    }
}

#[tokio::test]
async fn the_lenders_rate_the_reserve_and_the_trace_are_null_for_salespeople() {
    let room = Showroom::open().await;
    let (maria, deal) = (room.app.manager().await, quoted(&room).await);
    let hers = seen(&room, &maria, &deal).await;
    let detail = &hers["financeQuotes"][0]["detail"];
    assert_eq!((&detail["buyRate"], &detail["reserve"]["amount"]), (&json!("6.9"), &json!("1234.56")));
    assert!(detail["trace"].as_array().is_some_and(|trace| !trace.is_empty()), "{detail}");
    let his = seen(&room, &room.sam, &deal).await;
    let detail = &his["financeQuotes"][0]["detail"];
    assert_eq!((&detail["buyRate"], &detail["reserve"], &detail["trace"]), (&Value::Null, &Value::Null, &Value::Null));
    // Nothing of it stands in a line or in the name of a rule either.
    assert!(!his.to_string().contains("1234.56"), "{his}");
    // The rest is the same for both.
    assert_eq!(detail["lines"], hers["financeQuotes"][0]["detail"]["lines"]);
    assert_eq!(detail["finalPayment"], hers["financeQuotes"][0]["detail"]["finalPayment"]);
}

#[tokio::test]
async fn a_replay_shows_salespeople_no_figure_of_the_store() {
    let room = Showroom::open().await;
    let (maria, deal) = (room.app.manager().await, quoted(&room).await);
    let ids = seen(&room, &room.sam, &deal).await;
    let id = &ids["financeQuotes"][0]["id"];
    let hers = room.app.data(&maria, REPLAY, json!({ "id": id })).await["quoteReplay"].take();
    let his = room.app.data(&room.sam, REPLAY, json!({ "id": id })).await["quoteReplay"].take();
    assert_eq!((&hers["equal"], &his["equal"]), (&json!(true), &json!(true)));
    for which in ["stored", "replayed"] {
        let (mut for_her, mut for_him) = (Vec::new(), Vec::new());
        names(&hers[which], &mut for_her);
        names(&his[which], &mut for_him);
        for secret in ["buy_rate", "reserve", "trace"] {
            assert!(for_her.iter().any(|name| name == secret), "the manager sees {secret}");
        }
        let leaked: Vec<_> = for_him
            .iter()
            .filter(|name| {
                ["buy", "reserve", "markup", "trace", "cost", "gross", "split"].iter().any(|word| name.split('_').any(|part| part == *word))
            })
            .filter(|name| !["gross_cap_cost", "adjusted_cap_cost"].contains(&name.as_str()))
            .collect();
        assert!(leaked.is_empty(), "{leaked:?}");
        assert!(hers[which].to_string().contains("123456") && !his[which].to_string().contains("123456"), "{}", his[which]);
    }
    // An insurance quote has no such figure; both see all of it.
    let id = &ids["insuranceQuotes"][0]["id"];
    assert_eq!(room.app.data(&maria, REPLAY, json!({ "id": id })).await, room.app.data(&room.sam, REPLAY, json!({ "id": id })).await);
    // A manager of another store is nobody here.
    let paul = room.app.person("paul@example.com", &[(room.app.raleigh, deskless::auth::Role::SalesManager)]).await;
    assert_eq!(room.app.data(&paul, REPLAY, json!({ "id": id })).await["quoteReplay"], Value::Null);
}

#[tokio::test]
async fn a_manager_of_one_store_sees_as_a_salesperson_in_another() {
    let room = Showroom::open().await;
    let deal = quoted(&room).await;
    use deskless::auth::Role::{SalesManager, Salesperson};
    let both = room.app.person("bo@example.com", &[(room.app.raleigh, SalesManager), (room.app.austin, Salesperson)]).await;
    let his = seen(&room, &both, &deal).await;
    assert_eq!(his["financeQuotes"][0]["detail"]["reserve"], Value::Null);
    let replay = room.app.data(&both, REPLAY, json!({ "id": his["financeQuotes"][0]["id"] })).await;
    assert!(replay["quoteReplay"]["stored"].get("reserve").is_none() && replay["quoteReplay"]["stored"].is_object(), "{replay}");
}
