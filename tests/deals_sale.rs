//! A whole sale through the API, and the ends without one.

use serde_json::json;

use crate::helpers::showroom::{DEAL, Showroom};

#[tokio::test]
async fn a_financed_sale_goes_from_the_first_figure_to_the_signature() {
    let room = Showroom::open().await;
    // 30,000.00 + 6.25 % tax 1,875.00 + document fee 85.00 + title 33.00
    let deal = room.open_deal(&room.rav4, json!({})).await;
    assert_eq!(deal["state"], "DRAFT");
    assert_eq!((&deal["tax"]["amount"], &deal["fees"]["amount"]), (&json!("1875.00"), &json!("118.00")));
    assert_eq!(deal["totalPrice"]["amount"], "31993.00");

    let deal = room.done("dealStructure", &deal, json!({ "downPayment": "1993.00", "termMonths": 72 })).await;
    assert_eq!((&deal["state"], &deal["version"]), (&json!("WORKSHEET"), &json!(2)));
    assert_eq!(deal["amountFinanced"]["amount"], "30000.00");
    // DOMAIN.md B13: 30,000 at 6.9 % over 72 months is 510.03 a month. BETA would be cheaper but ends at 60.
    assert_eq!((&deal["payment"]["amount"], &deal["paymentIsEstimate"]), (&json!("510.03"), &json!(true)));

    let payload = room
        .run(
            &room.sam,
            "dealQuote",
            json!({ "dealId": deal["id"], "expectedVersion": 2, "idempotencyKey": room.key() }),
            "deal { id version state
               financeQuotes { id status termMonths rate apr payment { amount } amountFinanced { amount } financeCharge { amount }
                 totalOfPayments { amount } dealVersion verified }
               insuranceQuotes { id status premium { amount } }
               nextSteps { code who ready say } }
             declined { programId program { lender { name } } reasons refusals { rule change changeAmount { amount } } fittingTermMonths }
             userErrors { code }",
        )
        .await;
    assert_eq!(payload["userErrors"], json!([]));
    let quotes = payload["deal"]["financeQuotes"].as_array().expect("quotes");
    assert_eq!(quotes.len(), 1, "{payload:#}");
    let quote = &quotes[0];
    assert_eq!(quote["payment"]["amount"], "510.03");
    assert_eq!(quote["amountFinanced"]["amount"], "30000.00");
    assert_eq!(quote["totalOfPayments"]["amount"], "36722.23");
    assert_eq!(quote["financeCharge"]["amount"], "6722.23");
    assert_eq!((&quote["rate"], &quote["dealVersion"]), (&json!("6.9"), &json!(3)));
    let declined = payload["declined"].as_array().expect("declined");
    assert_eq!(declined.len(), 1, "BETA ends at 60 months");
    assert_eq!(declined[0]["refusals"], json!([{ "rule": "TERM", "change": "A term of 60 months.", "changeAmount": null }]));
    assert_eq!((&declined[0]["fittingTermMonths"], &declined[0]["program"]["lender"]["name"]), (&json!(60), &json!("BETA Bank")));
    // Six coverages at 100.00 each for six months.
    assert_eq!(payload["deal"]["insuranceQuotes"][0]["premium"]["amount"], "600.00");
    assert_eq!(payload["deal"]["nextSteps"][0]["code"], "CHOOSE_QUOTE");

    let deal = payload["deal"].clone();
    let deal = room.done("quoteAccept", &deal, json!({ "quoteId": quote["id"] })).await;
    assert_eq!((&deal["payment"]["amount"], &deal["paymentIsEstimate"]), (&json!("510.03"), &json!(false)));
    let insurance = &payload["deal"]["insuranceQuotes"][0]["id"];
    let deal = room.done("quoteAccept", &deal, json!({ "quoteId": insurance })).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    assert_eq!(deal["state"], "PRESENTED");
    let deal = room.done("dealAgree", &deal, json!({})).await;
    assert_eq!(deal["state"], "AGREED");
    let deal = room.done("dealContract", &deal, json!({})).await;
    assert_eq!((&deal["state"], &deal["version"]), (&json!("CONTRACTED"), &json!(8)));
    assert_eq!(room.number("SELECT count(*) FROM vehicle WHERE model = 'RAV4' AND status = 'PENDING_SALE'").await, 1);

    let query = "query ($id: ID!) { deal(id: $id) { nextSteps { code } acceptedFinanceQuote { status payment { amount } } acceptedInsuranceQuote { status }
      history(first: 20) { nodes { verb by { displayName } detail } } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    let verbs: Vec<&str> = seen["deal"]["history"]["nodes"].as_array().expect("events").iter().filter_map(|e| e["verb"].as_str()).collect();
    assert_eq!(verbs, ["contracted", "agreed", "presented", "quote_accepted", "quote_accepted", "quoted", "structured", "opened"]);
    assert_eq!(seen["deal"]["nextSteps"], json!([{ "code": "SHOW_INSURANCE" }, { "code": "STATE_ODOMETER" }, { "code": "DELIVER" }]));
    assert_eq!(seen["deal"]["acceptedFinanceQuote"]["status"], "ACCEPTED");
    // What was presented is kept with every line.
    let presented = &seen["deal"]["history"]["nodes"][2]["detail"]["figures"];
    assert_eq!(presented["total_price"], 31_993_00);
    assert!(presented["lines"].as_array().is_some_and(|lines| lines.len() >= 5), "{presented}");
}

#[tokio::test]
async fn a_deal_opens_with_what_the_customer_said() {
    let room = Showroom::open().await;
    let customer = room.add_customer("TX", "78701").await;
    room.state_wish(customer, "DOWN_PAYMENT", "2500.00").await;
    room.state_wish(customer, "TERM_MONTHS", "48").await;
    let deal = room.open_deal(&room.rav4, json!({ "customerId": async_graphql::ID::from(customer) })).await;
    assert_eq!((&deal["downPayment"]["amount"], &deal["termMonths"]), (&json!("2500.00"), &json!(48)));
    assert_eq!((&deal["kind"], &deal["creditTier"], &deal["buyerJurisdiction"]), (&json!("RETAIL"), &json!("A"), &json!("TX")));
}

#[tokio::test]
async fn changing_a_figure_supersedes_the_quotes_and_takes_back_the_yes() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealQuote", &deal, json!({})).await;
    let seen = room
        .app
        .data(
            &room.sam,
            "query ($id: ID!) { deal(id: $id) { financeQuotes { id payment { amount } } insuranceQuotes { id } } }",
            json!({ "id": deal["id"] }),
        )
        .await;
    assert_eq!(seen["deal"]["financeQuotes"].as_array().map(Vec::len), Some(2), "both lend for 60 months");
    let first = seen["deal"]["financeQuotes"][0]["id"].clone();
    let deal = room.done("quoteAccept", &deal, json!({ "quoteId": first })).await;
    let deal = room.done("dealPresent", &deal, json!({})).await;
    let deal = room.done("dealAgree", &deal, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "downPayment": "500" })).await;
    assert_eq!((&deal["state"], &deal["paymentIsEstimate"]), (&json!("WORKSHEET"), &json!(true)));
    let query = "query ($id: ID!) { deal(id: $id) { presentedAt agreedAt acceptedFinanceQuote { id } financeQuotes { status } insuranceQuotes { status } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await;
    assert_eq!(seen["deal"]["financeQuotes"], json!([{ "status": "SUPERSEDED" }, { "status": "SUPERSEDED" }]));
    assert_eq!(seen["deal"]["insuranceQuotes"], json!([{ "status": "QUOTED" }]), "the premium does not follow the money");
    assert!(seen["deal"]["acceptedFinanceQuote"].is_null() && seen["deal"]["agreedAt"].is_null());
    let payload = room.act("quoteAccept", &deal, json!({ "quoteId": first })).await;
    assert_eq!(payload["userErrors"][0]["code"], "QUOTE_SUPERSEDED");
}

#[tokio::test]
async fn a_signed_deal_that_is_called_off_gives_its_car_back() {
    let room = Showroom::open().await;
    let deal = room.agreed_cash_deal(&room.rav4).await;
    let deal = room.done("dealContract", &deal, json!({})).await;
    let refused = room.act("dealCancel", &deal, json!({ "reason": "  " })).await;
    assert_eq!(refused["userErrors"][0]["code"], "REASON_NEEDED");
    let deal = room.done("dealCancel", &deal, json!({ "reason": "The bank called" })).await;
    assert_eq!(deal["state"], "CANCELLED");
    assert_eq!(room.number("SELECT count(*) FROM vehicle WHERE model = 'RAV4' AND status = 'AVAILABLE'").await, 1);
    assert_eq!(room.number("SELECT count(*) FROM vehicle_hold WHERE released_at IS NULL").await, 0);
    let again = room.agreed_cash_deal(&room.rav4).await;
    assert_eq!(room.done("dealContract", &again, json!({})).await["state"], "CONTRACTED");
}

#[tokio::test]
async fn a_lost_deal_keeps_its_reason_and_takes_no_more_changes() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealLose", &deal, json!({ "reason": "Wanted a hybrid" })).await;
    let payload = room.act("dealStructure", &deal, json!({ "downPayment": "1" })).await;
    assert_eq!(payload["userErrors"][0]["code"], "WRONG_STATE");
    assert!(payload["userErrors"][0]["message"].as_str().is_some_and(|m| m.ends_with("is lost and can't be changed.")), "{payload}");
    let seen = room
        .app
        .data(&room.sam, &format!("query ($id: ID!) {{ deal(id: $id) {{ {DEAL} lostReason endedAt }} }}"), json!({ "id": deal["id"] }))
        .await;
    assert_eq!((&seen["deal"]["lostReason"], &seen["deal"]["state"]), (&json!("Wanted a hybrid"), &json!("LOST")));
    assert!(seen["deal"]["endedAt"].is_string());
}

#[tokio::test]
async fn the_table_of_steps_is_kept_through_the_api() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let code = |payload: &serde_json::Value| payload["userErrors"][0]["code"].clone();
    assert_eq!(code(&room.act("dealAgree", &deal, json!({})).await), "WRONG_STATE");
    assert_eq!(code(&room.act("dealContract", &deal, json!({})).await), "WRONG_STATE");
    let deal = room.done("dealPresent", &deal, json!({})).await;
    assert_eq!(code(&room.act("dealAgree", &deal, json!({})).await), "QUOTE_NEEDED");
    assert_eq!(code(&room.act("dealContract", &deal, json!({})).await), "WRONG_STATE");
}

#[tokio::test]
async fn scenarios_are_set_aside_with_their_figures_and_leave_the_deal_alone() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": 1, "idempotencyKey": room.key(), "label": "with the trade",
        "tradeIns": [{ "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "10000.00", "payoff": "4000.00" }] });
    let selection = "deal { version downPayment { amount } tax { amount } scenarios { label tax { amount } tradeEquity { amount } } }
      scenario { label tax { amount } amountFinanced { amount } } userErrors { code }";
    let payload = room.run(&room.sam, "dealScenarioSave", input, selection).await;
    // Tax on 20,000 instead of 30,000; 31,368.00 - 10,000.00 + 4,000.00.
    assert_eq!(
        payload["scenario"],
        json!({ "label": "with the trade", "tax": { "amount": "1250.00" }, "amountFinanced": { "amount": "25368.00" } })
    );
    assert_eq!(payload["deal"]["tax"]["amount"], "1875.00");
    assert_eq!(payload["deal"]["version"], 2);
    assert_eq!(payload["deal"]["scenarios"][0]["tradeEquity"]["amount"], "6000.00");
}
