//! The desk through the API: grid, comparison, solving backwards, disclosures. Nothing of it changes the deal.

use serde_json::{Value, json};

use crate::helpers::showroom::Showroom;

const GRID: &str = "query ($id: ID!, $terms: [Int!]!, $downs: [Decimal!]!, $whatIf: DealWhatIfInput) { deal(id: $id) { version
  paymentGrid(terms: $terms, downPayments: $downs, whatIf: $whatIf) { termMonths downPayments { amount }
    cells { termMonths downPayment { amount } best { payment { amount } apr program { code buyRate } } offers { programId payment { amount } } } } } }";

const OFFER: &str = "{ kind termMonths paymentCount payment { amount } apr rate dueAtSigning { amount } totalOfPayments { amount }
  totalSalePrice { amount } amountFinanced { amount } financeCharge { amount } verified program { code }
  detail { lines { code amount { amount } placement } buyRate reserve { amount } trace { step }
    truthInLending { annualPercentageRate amountFinanced { amount } itemization { code amount { amount } } payments { count amount { amount } } tolerance }
    whyThisRate { creditTier loanToValue baseRate whatWouldLowerIt { change points } }
    lease { dueAtSigning { amount { amount } } paidBy { amount { amount } } totalOfPayments { amount } endOfTerm } } }";

fn cents(value: &Value) -> i64 {
    value["amount"].as_str().expect("an amount").replace('.', "").parse().expect("cents")
}

#[tokio::test]
async fn a_grid_shows_every_program_and_its_cells_are_the_deals_own_payment() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "downPayment": "2000", "termMonths": 60 })).await;
    let asked = json!({ "id": deal["id"], "terms": [36, 60], "downs": ["0", "2000", "3500.50"] });
    let seen = room.app.data(&room.sam, GRID, asked.clone()).await;
    let grid = &seen["deal"]["paymentGrid"];
    let cells = grid["cells"].as_array().expect("cells");
    assert_eq!((cells.len(), &grid["termMonths"], seen["deal"]["version"].clone()), (6, &json!([36, 60]), deal["version"].clone()));
    let own = cells.iter().find(|c| c["termMonths"] == 60 && c["downPayment"]["amount"] == "2000.00").expect("the deal's own cell");
    assert_eq!(own["best"]["payment"], json!({ "amount": deal["payment"]["amount"] }));
    assert!(own["best"]["program"]["buyRate"].is_null(), "the lender's rate is for managers");
    let all = cents(&cells[0]["best"]["payment"]) > cents(&cells[2]["best"]["payment"]);
    assert!(all, "more down, less to pay: {cells:#?}");
    // What is asked beyond the limits, and nonsense.
    for (name, bad) in [
        ("terms", json!([0])),
        ("terms", json!([121])),
        ("terms", json!(vec![24; 13])),
        ("downs", json!(vec!["0"; 9])),
        ("downs", json!(["1.005"])),
    ] {
        let mut wrong = asked.clone();
        wrong[name] = bad;
        let answer = room.app.graphql(Some(&room.sam.access), GRID, wrong).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
    let mut weekly = asked;
    weekly["whatIf"] = json!({ "schedule": "WEEKLY" });
    let seen = room.app.data(&room.sam, GRID, weekly).await;
    let week = cents(&seen["deal"]["paymentGrid"]["cells"][0]["best"]["payment"]);
    let month = cents(&cells[0]["best"]["payment"]);
    assert!((week * 52 - month * 12).abs() < month / 5, "{week} a week, {month} a month");
}

#[tokio::test]
async fn ways_to_pay_stand_side_by_side_with_their_disclosures() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room
        .done(
            "dealStructure",
            &deal,
            json!({ "downPayment": "2000", "termMonths": 60,
                "tradeIns": [{ "modelYear": 2016, "make": "Honda", "model": "Civic", "allowance": "8000", "payoff": "9500" }] }),
        )
        .await;
    let query = format!(
        "query ($id: ID!, $whatIf: DealWhatIfInput) {{ deal(id: $id) {{ comparison(whatIf: $whatIf) {{ specialRateCostsLess
           cash {OFFER} retail {OFFER} lease {OFFER} specialRate {{ kind }} }} }} }}"
    );
    let whatif = json!({ "id": deal["id"], "whatIf": { "grossMonthlyIncome": "9000", "monthlyDebts": "700" } });
    let seen = room.app.data(&room.sam, &query, whatif.clone()).await;
    let told = &seen["deal"]["comparison"];
    assert!(told["cash"]["payment"].is_null() && told["cash"]["detail"]["truthInLending"].is_null());
    let retail = &told["retail"];
    assert_eq!(retail["payment"]["amount"], deal["payment"]["amount"]);
    let box_ = &retail["detail"]["truthInLending"];
    let itemized: i64 = box_["itemization"].as_array().expect("lines").iter().map(|l| cents(&l["amount"])).sum();
    assert_eq!(itemized, cents(&retail["amountFinanced"]));
    let paid: i64 =
        box_["payments"].as_array().expect("payments").iter().map(|g| cents(&g["amount"]) * g["count"].as_i64().expect("a count")).sum();
    assert_eq!(paid, cents(&retail["totalOfPayments"]));
    assert_eq!(cents(&retail["totalOfPayments"]) - cents(&retail["financeCharge"]), cents(&retail["amountFinanced"]));
    assert_eq!(box_["tolerance"], "0.125");
    assert!(retail["detail"]["whyThisRate"]["loanToValue"].is_string());
    // The lender's side and the steps are for managers.
    for hidden in [
        &retail["detail"]["buyRate"],
        &retail["detail"]["reserve"],
        &retail["detail"]["trace"],
        &retail["detail"]["whyThisRate"]["baseRate"],
    ] {
        assert!(hidden.is_null(), "{retail:#}");
    }
    let maria = room.app.manager().await;
    let seen = room.app.data(&maria, &query, whatif).await;
    let detail = &seen["deal"]["comparison"]["retail"]["detail"];
    assert!(detail["buyRate"].is_string() && detail["trace"].as_array().is_some_and(|t| t.len() >= 3), "{detail:#}");
}

const SOLVE: &str = "query ($input: DealSolveInput!) { dealSolve(input: $input) { exact problem
  found { price { amount } downPayment { amount } termMonths payment { amount } programId } below { payment { amount } } above { payment { amount } }
  offer { payment { amount } detail { trace { step } } } } }";

#[tokio::test]
async fn what_solving_finds_is_the_deals_payment_once_taken() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "downPayment": "1000", "termMonths": 72 })).await;
    for (sought, payment, part) in [("DOWN_PAYMENT", "450.00", "downPayment"), ("PRICE", "475.25", "price")] {
        let asked = json!({ "input": { "dealId": deal["id"], "solveFor": sought, "payment": payment } });
        let seen = room.app.data(&room.sam, SOLVE, asked).await;
        let answer = &seen["dealSolve"];
        assert_eq!((&answer["exact"], &answer["found"]["payment"]["amount"]), (&json!(true), &json!(payment)), "{answer:#}");
        assert_eq!(answer["offer"]["payment"], answer["found"]["payment"]);
        assert!(answer["offer"]["detail"]["trace"].is_null());
        // A fresh deal, so that each takes only its own change.
        let fresh = room.open_deal(&room.rav4, json!({})).await;
        let mut change = json!({ "downPayment": "1000", "termMonths": 72 });
        change[part] = answer["found"][part]["amount"].clone();
        let taken = room.done("dealStructure", &fresh, change).await;
        assert_eq!(taken["payment"]["amount"], payment, "{sought}");
    }
    let by_term = json!({ "input": { "dealId": deal["id"], "solveFor": "TERM", "payment": "520" } });
    let answer = room.app.data(&room.sam, SOLVE, by_term).await["dealSolve"].clone();
    assert!(cents(&answer["found"]["payment"]) <= 520_00, "{answer:#}");
    let as_is = json!({ "input": { "dealId": deal["id"], "solveFor": "PAYMENT" } });
    let answer = room.app.data(&room.sam, SOLVE, as_is).await["dealSolve"].clone();
    assert_eq!(answer["found"]["payment"]["amount"], deal["payment"]["amount"]);
}

#[tokio::test]
async fn the_desk_answers_only_those_who_sell_there_and_only_good_questions() {
    let room = Showroom::open().await;
    let deal = room.open_deal(&room.rav4, json!({})).await;
    let deal = room.done("dealStructure", &deal, json!({ "termMonths": 60 })).await;
    let ask = |input: Value| json!({ "input": input });
    let good = json!({ "dealId": deal["id"], "solveFor": "PRICE", "payment": "400" });
    let stranger = room.app.stranger().await;
    assert!(room.app.data(&stranger, SOLVE, ask(good.clone())).await["dealSolve"].is_null());
    let answer = room.app.graphql(None, SOLVE, ask(good.clone())).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
    for (name, bad) in [
        ("dealId", json!("veh_00000000000000000000000000")),
        ("payment", json!("-1")),
        ("payment", json!("1.001")),
        ("payment", Value::Null),
        ("whatIf", json!({ "termMonths": 0 })),
        ("whatIf", json!({ "securityDeposits": 21 })),
        ("whatIf", json!({ "grossMonthlyIncome": "-5" })),
    ] {
        let mut wrong = good.clone();
        wrong[name] = bad.clone();
        let answer = room.app.graphql(Some(&room.sam.access), SOLVE, ask(wrong)).await;
        let refused = answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT" || answer["data"]["dealSolve"]["problem"].is_string();
        assert!(refused, "{name} {bad}: {answer}");
    }
    // Nobody takes a payment of a cent; it says so.
    let mut nothing = good;
    nothing["payment"] = json!("0.01");
    nothing["solveFor"] = json!("TERM");
    let answer = room.app.data(&room.sam, SOLVE, ask(nothing)).await["dealSolve"].clone();
    assert_eq!(answer["exact"], false, "{answer:#}");
}
