//! Who may, on which version, under which key.

use deskless::auth::Role;
use serde_json::{Value, json};

use crate::helpers::showroom::{SELECTION, Showroom};

#[tokio::test]
async fn a_stale_version_is_answered_with_the_present_deal() {
    let room = Showroom::open().await;
    let old = room.open_deal(&room.rav4, json!({})).await;
    room.done("dealStructure", &old, json!({ "downPayment": "1000" })).await;
    let payload = room.act("dealStructure", &old, json!({ "downPayment": "9" })).await;
    assert_eq!(payload["userErrors"][0]["code"], "DEAL_OUT_OF_SYNC");
    assert_eq!(payload["userErrors"][0]["field"], json!(["expectedVersion"]));
    assert_eq!((&payload["deal"]["version"], &payload["deal"]["downPayment"]["amount"]), (&json!(2), &json!("1000.00")));
}

#[tokio::test]
async fn a_deal_of_another_store_does_not_exist() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let otto = room.app.stranger().await;
    let seen = room
        .app
        .data(&otto, "query ($id: ID!) { deal(id: $id) { id } deals { nodes { id } totalCount } }", json!({ "id": deal["id"] }))
        .await;
    assert_eq!(seen, json!({ "deal": null, "deals": { "nodes": [], "totalCount": 0 } }));
    for (mutation, more) in [
        ("dealStructure", json!({ "downPayment": "1" })),
        ("dealQuote", json!({})),
        ("dealPresent", json!({})),
        ("dealAgree", json!({})),
        ("dealContract", json!({})),
        ("dealCancel", json!({ "reason": "x" })),
        ("dealLose", json!({ "reason": "x" })),
        ("dealSwapVehicle", json!({ "vehicleId": room.camry })),
        ("dealScenarioSave", json!({ "label": "x" })),
        ("quoteAccept", json!({ "quoteId": "fqt_01jd0000000000000000000000" })),
    ] {
        let mut input = json!({ "dealId": deal["id"], "expectedVersion": 1, "idempotencyKey": room.key() });
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let payload = room.run(&otto, mutation, input.clone(), SELECTION).await;
        assert_eq!((&payload["deal"], &payload["userErrors"][0]["code"]), (&Value::Null, &json!("NOT_FOUND")), "{mutation}");
        // Word for word what an unknown id gets.
        input["dealId"] = json!("deal_01jd0000000000000000000000");
        input["idempotencyKey"] = json!(room.key());
        let unknown = room.run(&otto, mutation, input, SELECTION).await;
        assert_eq!(unknown["userErrors"], payload["userErrors"], "{mutation}");
    }
    let opened = room
        .run(&otto, "dealOpen", json!({ "customerId": room.customer, "vehicleId": room.rav4, "idempotencyKey": room.key() }), SELECTION)
        .await;
    assert_eq!((&opened["deal"], &opened["userErrors"][0]["code"]), (&Value::Null, &json!("NOT_FOUND")));
}

#[tokio::test]
async fn a_machine_and_nobody_may_not_touch_deals() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let key = room.app.machine("leads", &[(room.app.austin, Role::Channel)]).await;
    let query = "query ($id: ID!) { deal(id: $id) { id } }";
    let seen = room.app.graphql(Some(&key), query, json!({ "id": deal["id"] })).await;
    assert!(seen["data"]["deal"].is_null(), "{seen}");
    let seen = room.app.graphql(None, query, json!({ "id": deal["id"] })).await;
    assert_eq!(seen["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{seen}");
}

#[tokio::test]
async fn what_the_trade_in_is_worth_is_for_managers() {
    let room = Showroom::open().await;
    let maria = room.app.manager().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let trade = json!({ "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "10000", "actualCashValue": "9200" });
    let deal = room.done("dealStructure", &deal, json!({ "tradeIns": [trade] })).await;
    let query = "query ($id: ID!) { deal(id: $id) { tradeIns { id actualCashValue { amount } overAllowance { amount } } } }";
    let seen = room.app.data(&maria, query, json!({ "id": deal["id"] })).await;
    assert_eq!(seen["deal"]["tradeIns"][0]["overAllowance"]["amount"], "800.00");
    let id = seen["deal"]["tradeIns"][0]["id"].clone();
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    assert!(seen["deal"]["tradeIns"][0]["actualCashValue"].is_null());
    // A salesperson who sends the trade-in back does not erase what they can't see.
    let trade = json!({ "id": id, "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "10500" });
    let deal = room.done("dealStructure", &deal, json!({ "tradeIns": [trade] })).await;
    let seen = room.app.data(&maria, query, json!({ "id": deal["id"] })).await;
    assert_eq!(
        seen["deal"]["tradeIns"][0],
        json!({ "id": id, "actualCashValue": { "amount": "9200.00" }, "overAllowance": { "amount": "1300.00" } })
    );
}

#[tokio::test]
async fn a_day_is_written_as_iso_8601_says() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let trade = |day: Value| json!({ "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "9000", "payoffGoodThrough": day });
    let deal = room.done("dealStructure", &deal, json!({ "tradeIns": [trade(json!("2026-12-04"))] })).await;
    let query = "query ($id: ID!) { __type(name: \"Date\") { kind specifiedByURL } deal(id: $id) { tradeIns { payoffGoodThrough } vehicle { receivedOn } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    assert_eq!(seen["deal"]["tradeIns"][0]["payoffGoodThrough"], "2026-12-04");
    assert_eq!(seen["deal"]["vehicle"]["receivedOn"], "2026-10-01");
    assert_eq!(seen["__type"]["kind"], "SCALAR");
    assert!(seen["__type"]["specifiedByURL"].as_str().is_some_and(|url| url.contains("rfc3339")), "{seen}");
    for bad in
        [json!("2026-12-4"), json!("12/04/2026"), json!("2026-02-30"), json!("2026-12-04T00:00:00Z"), json!(20_261_204), json!("+20261-01")]
    {
        let input = json!({ "dealId": deal["id"], "expectedVersion": 2, "idempotencyKey": room.key(), "tradeIns": [trade(bad.clone())] });
        let document = crate::helpers::showroom::document("dealStructure", SELECTION);
        let answer = room.app.graphql(Some(&room.sam.access), &document, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{bad}: {answer}");
    }
}

#[tokio::test]
async fn the_same_key_gives_the_stored_answer_and_another_input_is_refused() {
    let room = Showroom::open().await;
    let input = json!({ "customerId": room.customer, "vehicleId": room.rav4, "idempotencyKey": "k" });
    let first = room.run(&room.sam, "dealOpen", input.clone(), SELECTION).await;
    let second = room.run(&room.sam, "dealOpen", input.clone(), SELECTION).await;
    assert_eq!((&first["replayed"], &second["replayed"]), (&json!(false), &json!(true)));
    assert_eq!(first["deal"], second["deal"]);
    assert_eq!(room.number("SELECT count(*) FROM deal").await, 1);
    let other = json!({ "customerId": room.customer, "vehicleId": room.camry, "idempotencyKey": "k" });
    let answer = room
        .app
        .graphql(Some(&room.sam.access), &crate::helpers::showroom::document("dealOpen", SELECTION), json!({ "input": other }))
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "IDEMPOTENCY_KEY_REUSED", "{answer}");
    // Keys belong to their user.
    let maria = room.app.manager().await;
    let hers = room.run(&maria, "dealOpen", input, SELECTION).await;
    assert_eq!(hers["replayed"], false);
    assert_ne!(hers["deal"]["id"], first["deal"]["id"]);
    // A change with trade-ins, whose ids the server makes, is the same input too.
    let deal = &first["deal"];
    let change = json!({ "dealId": deal["id"], "expectedVersion": 1, "idempotencyKey": "t",
        "tradeIns": [{ "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "1000" }] });
    let first = room.run(&room.sam, "dealStructure", change.clone(), SELECTION).await;
    let second = room.run(&room.sam, "dealStructure", change, SELECTION).await;
    assert_eq!((&first["userErrors"], &second["replayed"], &second["deal"]["version"]), (&json!([]), &json!(true), &json!(2)));
}

#[tokio::test]
async fn malformed_and_absurd_inputs_are_told_what_is_right() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    for (more, code) in [
        (json!({ "price": "0" }), "OUT_OF_BOUNDS"),
        (json!({ "termMonths": 0 }), "OUT_OF_BOUNDS"),
        (json!({ "annualMiles": 5 }), "OUT_OF_BOUNDS"),
        (json!({ "firstPaymentDays": 91 }), "OUT_OF_BOUNDS"),
        (json!({ "buyerJurisdiction": "XX" }), "UNKNOWN_JURISDICTION"),
        (json!({ "products": [{ "productId": "prd_01jd0000000000000000000000" }] }), "UNKNOWN_PRODUCT"),
    ] {
        let payload = room.act("dealStructure", &deal, more.clone()).await;
        assert_eq!(payload["userErrors"][0]["code"], code, "{more}");
        assert_eq!(payload["deal"]["version"], 1);
    }
    for more in
        [json!({ "downPayment": "-1" }), json!({ "downPayment": "1.001" }), json!({ "downPayment": 1.5 }), json!({ "price": "1e9" })]
    {
        let mut input = json!({ "dealId": deal["id"], "expectedVersion": 1, "idempotencyKey": room.key() });
        input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let document = crate::helpers::showroom::document("dealStructure", SELECTION);
        let answer = room.app.graphql(Some(&room.sam.access), &document, json!({ "input": input })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{more}: {answer}");
    }
}

#[tokio::test]
async fn pages_of_deals_join_up_across_hours_and_stores() {
    let room = Showroom::open().await;
    for _ in 0..9 {
        room.open_deal(&room.rav4, json!({})).await;
    }
    room.sql("UPDATE deal SET updated_at = updated_at + (number * 7 % 5) * interval '25 minutes'").await;
    room.sql(&format!("UPDATE deal SET store_id = '{}' WHERE number % 3 = 0", room.app.raleigh.0)).await;
    let both = [(room.app.austin, Role::SalesManager), (room.app.raleigh, Role::SalesManager)];
    let gina = room.app.person("gina@example.com", &both).await;
    let query = "query ($order: DealOrder!, $after: String) {
      deals(orderBy: $order, first: 2, after: $after) { nodes { number } pageInfo { endCursor hasNextPage } } }";
    for (order, sql) in [
        ("LAST_CHANGED", "SELECT number::text FROM deal ORDER BY updated_at DESC, id DESC"),
        ("LONGEST_UNTOUCHED", "SELECT number::text FROM deal ORDER BY updated_at, id"),
    ] {
        let expected: Vec<String> = sqlx::query_scalar(sql).fetch_all(room.app.database.pool()).await.expect("deals");
        let (mut got, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = room.app.data(&gina, query, json!({ "order": order, "after": after })).await["deals"].take();
            got.extend(page["nodes"].as_array().expect("nodes").iter().map(|node| node["number"].as_str().expect("a number").to_owned()));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(got, expected, "{order}");
    }
}

#[tokio::test]
async fn deals_are_listed_by_filter_page_by_page() {
    let room = Showroom::open().await;
    for _ in 0..5 {
        room.open_deal(&room.rav4, json!({})).await;
    }
    let lost = room.open_deal(&room.camry, json!({})).await;
    room.done("dealLose", &lost, json!({ "reason": "price" })).await;
    let query = "query ($filter: DealFilterInput, $first: Int, $after: String) {
      deals(filter: $filter, first: $first, after: $after) { nodes { id state salesperson { displayName } } totalCount pageInfo { endCursor hasNextPage } } }";
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = room.app.data(&room.sam, query, json!({ "filter": { "open": true }, "first": 2, "after": after })).await;
        assert_eq!(page["deals"]["totalCount"], 5);
        let nodes = page["deals"]["nodes"].as_array().expect("nodes").clone();
        assert_eq!(nodes[0]["salesperson"]["displayName"], "sam@example.com");
        seen.extend(nodes.iter().map(|node| node["id"].to_string()));
        if page["deals"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["deals"]["pageInfo"]["endCursor"].clone();
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
    // What nobody touched for longest, for the manager who looks for stuck deals: the other way round, also page by page.
    let stuck = "query ($first: Int, $after: String, $order: DealOrder!) { deals(filter: { open: true }, orderBy: $order, first: $first, after: $after) {
      nodes { id } pageInfo { endCursor } } }";
    let ids = |page: &Value| page["deals"]["nodes"].as_array().expect("nodes").iter().map(|n| n["id"].to_string()).collect::<Vec<_>>();
    let newest = room.app.data(&room.sam, stuck, json!({ "order": "LAST_CHANGED" })).await;
    let oldest = room.app.data(&room.sam, stuck, json!({ "order": "LONGEST_UNTOUCHED" })).await;
    assert_eq!(ids(&oldest), ids(&newest).into_iter().rev().collect::<Vec<_>>());
    let first = room.app.data(&room.sam, stuck, json!({ "order": "LONGEST_UNTOUCHED", "first": 2 })).await;
    let after = &first["deals"]["pageInfo"]["endCursor"];
    let rest = room.app.data(&room.sam, stuck, json!({ "order": "LONGEST_UNTOUCHED", "after": after })).await;
    assert_eq!([ids(&first), ids(&rest)].concat(), ids(&oldest));
    let mixed = room.app.graphql(Some(&room.sam.access), stuck, json!({ "order": "LAST_CHANGED", "after": after })).await;
    assert_eq!(mixed["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{mixed}");

    let page = room.app.data(&room.sam, query, json!({ "filter": { "states": ["LOST"], "vehicleId": room.camry } })).await;
    assert_eq!(page["deals"]["nodes"][0]["id"], lost["id"]);
    let page = room.app.data(&room.sam, query, json!({ "filter": { "number": lost["number"] } })).await;
    assert_eq!(page["deals"]["totalCount"], 1);
}
