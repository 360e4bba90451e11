//! What the customer says to the menu: every product is taken or declined before the signature, at which price and by whom, and
//! nothing of it is lost.

use deskless::finance::RuleTable;
use serde_json::{Value, json};

use crate::deals_products::import;
use crate::helpers::showroom::Showroom;

const PRODUCTS: &str = "code,kind,name,provider,term_months,price,cost,deal_kinds,must_decide,from\n\
GAP,GAP,GAP waiver,Anchor,72,900,300,RETAIL LEASE,false,2020-01-01\n\
KEY,KEY,Key replacement,RoadGuard,60,400,120,,true,2020-01-01\n";

const SEEN: &str =
    "deal { id version state payment { amount } nextSteps { code who ready say } menuDecisions { decidedBy { displayName } stands
    products { code name taken price { amount } paymentWith { amount } paymentWithout { amount } product { id code } } } }
  userErrors { code message field } replayed";

async fn open() -> Showroom {
    let room = Showroom::open().await;
    import(&room, RuleTable::Products, PRODUCTS).await;
    room
}

/// The id of a product by its code.
async fn id(room: &Showroom, deal: &Value, code: &str) -> Value {
    let query = "query ($id: ID!) { deal(id: $id) { productMenu { items { product { id code } } } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    let items = seen["deal"]["productMenu"]["items"].as_array().expect("a menu").iter();
    items.map(|item| &item["product"]).find(|p| p["code"] == code).unwrap_or_else(|| panic!("{code}"))["id"].clone()
}

async fn decide(room: &Showroom, deal: &Value, key: &str, declined: &[&Value]) -> Value {
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": key, "declined": declined });
    room.run(&room.sam, "dealMenuDecide", input, SEEN).await
}

async fn see(room: &Showroom, deal: &Value) -> Value {
    let fields = SEEN.split("userErrors").next().expect("fields").replacen("deal {", "deal(id: $id) {", 1);
    room.app.data(&room.sam, &format!("query ($id: ID!) {{ {fields} }}"), json!({ "id": deal["id"] })).await["deal"].take()
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("DONE")
}

fn message(payload: &Value) -> &str {
    payload["userErrors"][0]["message"].as_str().expect("a message")
}

fn asks(deal: &Value) -> bool {
    deal["nextSteps"].as_array().expect("steps").iter().any(|step| step["code"] == "DECIDE_MENU")
}

fn codes(round: &Value, taken: bool) -> Vec<&str> {
    let products = round["products"].as_array().expect("products").iter().filter(|p| p["taken"] == taken);
    products.map(|p| p["code"].as_str().expect("a code")).collect()
}

#[tokio::test]
async fn every_product_is_taken_or_declined_and_a_change_asks_again() {
    let room = open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "downPayment": "1993.00", "termMonths": 72 })).await;
    let (vsc, gap, keys) = (id(&room, &deal, "VSC").await, id(&room, &deal, "GAP").await, id(&room, &deal, "KEY").await);
    assert!(asks(&see(&room, &deal).await));
    // Silence is no answer, and nobody takes and declines the same.
    let silent = decide(&room, &deal, "silent", &[&gap]).await;
    assert_eq!((code(&silent), message(&silent)), ("MENU_UNDECIDED", "Neither taken nor declined: Key replacement, Service contract."));
    let deal = room.done("dealStructure", &deal, json!({ "products": [{ "productId": vsc }] })).await;
    let twice = decide(&room, &deal, "twice", &[&gap, &keys, &vsc]).await;
    assert_eq!(message(&twice), "On the deal and declined: Service contract. Take it off the deal, or let it stand.");
    let stranger = json!("prd_01jd0000000000000000000000");
    assert_eq!(code(&decide(&room, &deal, "stranger", &[&gap, &keys, &stranger]).await), "UNKNOWN_PRODUCT");
    let done = decide(&room, &deal, "done", &[&gap, &keys]).await;
    assert_eq!((code(&done), asks(&done["deal"])), ("DONE", false), "{done:#}");
    let again = decide(&room, &deal, "done", &[&gap, &keys]).await;
    assert_eq!((&again["replayed"], &again["deal"]["version"]), (&json!(true), &done["deal"]["version"]));
    let rounds = done["deal"]["menuDecisions"].as_array().unwrap();
    let round = &rounds[0];
    assert_eq!(
        (rounds.len(), &round["stands"], codes(round, true), codes(round, false)),
        (1, &json!(true), vec!["VSC"], vec!["GAP", "KEY"])
    );
    assert!(round["decidedBy"]["displayName"].as_str().is_some_and(|name| name.to_lowercase().starts_with("sam")), "{round}");
    // Each at its price and with its payments, as it was shown.
    let declined = round["products"].as_array().unwrap().iter().find(|p| p["code"] == "GAP").unwrap();
    assert_eq!((&declined["price"]["amount"], &declined["name"]), (&json!("900.00"), &json!("GAP waiver")));
    assert_eq!(declined["paymentWithout"], done["deal"]["payment"]);
    assert_eq!((&declined["product"]["id"], declined["paymentWith"]["amount"].is_string()), (&gap, true));
    // What changes neither car, price, way to pay nor products leaves it; each of those asks again, and the record stays.
    let deal = room.done("dealStructure", &done["deal"], json!({ "downPayment": "2500" })).await;
    assert!(!asks(&see(&room, &deal).await));
    for change in [json!({ "price": "29000" }), json!({ "products": [{ "productId": vsc, "price": "1500" }] }), json!({ "products": [] })] {
        let deal = see(&room, &deal).await;
        let deal = room.done("dealStructure", &deal, change.clone()).await;
        let seen = see(&room, &deal).await;
        assert_eq!((asks(&seen), &seen["menuDecisions"][0]["stands"]), (true, &json!(false)), "{change}");
    }
    let deal = see(&room, &deal).await;
    let none = decide(&room, &deal, "none", &[&vsc, &gap, &keys]).await;
    let rounds = none["deal"]["menuDecisions"].as_array().unwrap();
    assert_eq!(rounds.iter().map(|r| r["stands"].as_bool().unwrap()).collect::<Vec<_>>(), [true, false]);
    assert_eq!((codes(&rounds[0], false).len(), codes(&rounds[1], true)), (3, vec!["VSC"]));
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE detail -> 'declined' ? 'KEY'").await, 2);
}

#[tokio::test]
async fn nobody_signs_before_the_menu_is_decided() {
    let room = open().await;
    let deal = room.agreed_cash_deal(&room.rav4).await;
    let steps = see(&room, &deal).await["nextSteps"].clone();
    let first = json!({ "code": "DECIDE_MENU", "who": "CUSTOMER", "ready": true,
        "say": "Go through the menu: the customer takes or declines every product." });
    assert_eq!(steps[0], first);
    let refused = room.act("dealContract", &deal, json!({})).await;
    assert_eq!(code(&refused), "MENU_UNDECIDED");
    // GAP is no product for a cash deal: it is nobody's to decline, and no harm when it is named.
    let (vsc, gap, keys) = (id(&room, &deal, "VSC").await, id(&room, &deal, "GAP").await, id(&room, &deal, "KEY").await);
    let done = decide(&room, &deal, "done", &[&vsc, &gap, &keys]).await;
    assert_eq!((code(&done), &done["deal"]["state"]), ("DONE", &json!("AGREED")), "a yes to the figures stands");
    let round = &done["deal"]["menuDecisions"][0];
    assert_eq!((codes(round, false), &round["products"][0]["paymentWith"]), (vec!["KEY", "VSC"], &Value::Null));
    let signed = room.done("dealContract", &done["deal"], json!({})).await;
    assert_eq!(signed["state"], "CONTRACTED");
    assert_eq!(code(&decide(&room, &signed, "late", &[&vsc, &keys]).await), "WRONG_STATE");
}

#[tokio::test]
async fn a_house_that_wants_nothing_decided_is_asked_for_nothing_but_may_record_it() {
    let room = Showroom::open().await;
    let deal = room.agreed_cash_deal(&room.rav4).await;
    assert!(!asks(&see(&room, &deal).await));
    let vsc = id(&room, &deal, "VSC").await;
    let done = decide(&room, &deal, "done", &[&vsc]).await;
    assert_eq!(codes(&done["deal"]["menuDecisions"][0], false), ["VSC"]);
    let stranger = room.app.person("otto@example.com", &[(room.app.raleigh, deskless::auth::Role::Salesperson)]).await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": 1, "idempotencyKey": "x", "declined": [] });
    assert_eq!(code(&room.run(&stranger, "dealMenuDecide", input, SEEN).await), "NOT_FOUND");
    room.done("dealContract", &done["deal"], json!({})).await;
}
