//! How a deal is paid (how often, what is paid later, deposits of a lease, income for ratios) is kept with it: figures, quotes,
//! contracts and replays follow it.

use serde_json::{Value, json};

use crate::helpers::showroom::Showroom;

const PLAN: &str = "paymentPlan { schedule deferredDown { date amount { amount } } balloon securityDeposits onePay capitalizeTax
  disregardOddFirstPeriod grossMonthlyIncome { amount } monthlyDebts { amount } }";

const QUOTED: &str = "deal { id version state payment { amount } paymentPlan { schedule } financeQuotes(open: true) { id payment { amount } totalOfPayments { amount }
    dueAtSigning { amount } program { code } detail { paymentSchedule paymentCount firstPaymentOn schedule { dueOn payment { amount } }
      deferredDownPayment { amount } whyThisRate { paymentToIncome debtToIncome } lease { onePay securityDeposit { amount } moneyFactor annualMiles } } } }
  declined { programId reasons } userErrors { code message field }";

async fn structured(room: &Showroom, vehicle: &async_graphql::ID, change: Value) -> Value {
    let deal = room.open_deal(vehicle, json!({})).await;
    room.done("dealStructure", &deal, change).await
}

async fn quoted(room: &Showroom, deal: &Value) -> Value {
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": room.key() });
    let payload = room.run(&room.sam, "dealQuote", input, QUOTED).await;
    assert_eq!(payload["userErrors"], json!([]));
    payload
}

async fn seen(room: &Showroom, deal: &Value) -> Value {
    let query = format!("query ($id: ID!) {{ deal(id: $id) {{ payment {{ amount }} {PLAN} }} }}");
    room.app.data(&room.sam, &query, json!({ "id": deal["id"] })).await["deal"].clone()
}

async fn replays(room: &Showroom, quote: &Value) {
    let replay = "query ($id: ID!) { quoteReplay(id: $id) { equal } }";
    assert_eq!(room.app.data(&room.sam, replay, json!({ "id": quote["id"] })).await["quoteReplay"]["equal"], true);
}

fn cents(value: &Value) -> i64 {
    value["amount"].as_str().expect("an amount").replace('.', "").parse().expect("cents")
}

#[tokio::test]
async fn a_weekly_contract_is_quoted_accepted_and_replayed_as_it_was_structured() {
    let room = Showroom::open().await;
    let deal = structured(&room, &room.rav4, json!({ "downPayment": "2000", "termMonths": 60 })).await;
    assert_eq!(seen(&room, &deal).await["paymentPlan"]["schedule"], "MONTHLY");
    let monthly = cents(&deal["payment"]);
    let deal = room.done("dealStructure", &deal, json!({ "schedule": "WEEKLY", "firstPaymentDays": 10 })).await;
    let weekly = cents(&deal["payment"]);
    assert!((weekly * 52 - monthly * 12).abs() < monthly / 5, "{weekly} a week, {monthly} a month");
    let payload = quoted(&room, &deal).await;
    let best = &payload["deal"]["financeQuotes"][0];
    assert_eq!((&best["payment"], &payload["deal"]["paymentPlan"]["schedule"]), (&deal["payment"], &json!("WEEKLY")));
    let detail = &best["detail"];
    assert_eq!((&detail["paymentSchedule"], &detail["paymentCount"]), (&json!("WEEKLY"), &json!(260)));
    let paid: i64 = detail["schedule"].as_array().unwrap().iter().map(|line| cents(&line["payment"])).sum();
    assert_eq!(paid, cents(&best["totalOfPayments"]));
    let accept = json!({ "quoteId": best["id"] });
    let accepted = room.done("quoteAccept", &payload["deal"], accept).await;
    assert_eq!((&accepted["payment"], &accepted["paymentIsEstimate"]), (&best["payment"], &json!(false)));
    replays(&room, best).await;
    // Another rhythm is another contract: the accepted quote no longer fits.
    let deal = room.done("dealStructure", &accepted, json!({ "schedule": "SEMIMONTHLY" })).await;
    assert_eq!(deal["paymentIsEstimate"], true);
    assert_eq!(seen(&room, &deal).await["paymentPlan"]["schedule"], "SEMIMONTHLY");
}

#[tokio::test]
async fn income_and_debts_are_kept_and_tested_against_the_lenders_ratios() {
    let room = Showroom::open().await;
    room.sql("UPDATE lender_program SET max_pti_percent = 12, max_dti_percent = 40 WHERE code = 'B60'").await;
    room.app.app.rules.reload().await.unwrap();
    let structure = json!({ "downPayment": "2000", "termMonths": 60, "grossMonthlyIncome": "4000", "monthlyDebts": "900" });
    let deal = structured(&room, &room.rav4, structure).await;
    let plan = seen(&room, &deal).await["paymentPlan"].clone();
    assert_eq!((&plan["grossMonthlyIncome"]["amount"], &plan["monthlyDebts"]["amount"]), (&json!("4000.00"), &json!("900.00")));
    let payload = quoted(&room, &deal).await;
    let quotes = payload["deal"]["financeQuotes"].as_array().unwrap();
    assert_eq!(quotes.len(), 1, "BETA asks for 12 % of the income: {payload:#}");
    assert_eq!((&quotes[0]["program"]["code"], &deal["payment"]), (&json!("A84"), &quotes[0]["payment"]));
    let reasons = payload["declined"][0]["reasons"].to_string();
    assert!(reasons.contains("of the gross income; at most 12 %") && reasons.contains("more down."), "{reasons}");
    let ratios = &quotes[0]["detail"]["whyThisRate"];
    let payment = f64::from(i32::try_from(cents(&quotes[0]["payment"])).unwrap());
    let percent = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    assert!((percent(&ratios["paymentToIncome"]) - payment / 4000.0).abs() < 0.01, "{ratios}");
    assert!((percent(&ratios["debtToIncome"]) - (payment + 90_000.0) / 4000.0).abs() < 0.01, "{ratios}");
    replays(&room, &quotes[0]).await;
    // What is stored tells none of it: not the plan, not the quote's inputs, not the shares of the income.
    let sealed =
        "SELECT count(*) FROM finance_quote WHERE inputs -> 'purse' ? 'sealed' AND result #> '{rate_story,payment_to_income}' ? 'sealed'
                  AND result #> '{rate_story,debt_to_income}' ? 'sealed' AND NOT inputs::text ~ 'gross_income'";
    assert_eq!((room.number(sealed).await, room.number("SELECT count(*) FROM finance_quote").await), (1, 1));
    let deal = room.done("dealScenarioSave", &payload["deal"], json!({ "label": "as it is" })).await;
    let open = "SELECT (SELECT count(*) FROM deal WHERE payment_plan::text ~ 'gross_income')
                     + (SELECT count(*) FROM deal_scenario WHERE structure::text ~ 'gross_income')";
    assert_eq!(room.number(open).await, 0);
    // A larger income clears it; zero forgets it.
    let deal = room.done("dealStructure", &deal, json!({ "grossMonthlyIncome": "9000" })).await;
    let payload = quoted(&room, &deal).await;
    assert_eq!(payload["deal"]["financeQuotes"].as_array().unwrap().len(), 2);
    let deal = room.done("dealStructure", &payload["deal"], json!({ "grossMonthlyIncome": "0" })).await;
    assert!(seen(&room, &deal).await["paymentPlan"]["monthlyDebts"].is_null());
    // Nobody reads an income in the trail of what was done.
    let trail = room.number("SELECT count(*) FROM audit_event WHERE detail::text ~ '(4000|9000|400000|900000)'").await;
    assert_eq!(trail, 0);
    let said = room.number("SELECT count(*) FROM audit_event WHERE detail::text LIKE '%incomeAndDebts%'").await;
    assert_eq!(said, 3);
}

#[tokio::test]
async fn why_a_lender_declined_is_remembered_sealed_and_told_again() {
    let room = Showroom::open().await;
    room.sql("UPDATE lender_program SET max_pti_percent = 12 WHERE code = 'B60'").await;
    room.app.app.rules.reload().await.unwrap();
    let structure = json!({ "downPayment": "2000", "termMonths": 60, "grossMonthlyIncome": "4000" });
    let deal = structured(&room, &room.rav4, structure).await;
    let input = json!({ "dealId": deal["id"], "expectedVersion": deal["version"], "idempotencyKey": "once" });
    let first = room.run(&room.sam, "dealQuote", input.clone(), QUOTED).await;
    assert!(first["declined"][0]["reasons"][0].as_str().unwrap().contains("of the gross income"), "{first:#}");
    let again = room.run(&room.sam, "dealQuote", input, QUOTED).await;
    assert_eq!(again["declined"], first["declined"]);
    assert_eq!(room.number("SELECT count(*) FROM idempotency_record WHERE (answer -> 'declined')::jsonb ? 'sealed'").await, 1);
    assert_eq!(room.number("SELECT count(*) FROM idempotency_record WHERE answer::text ~ '(income|more down)'").await, 0);
    // A car on which it is no longer possible: the history says so without the ratio.
    room.sql(&format!(
        "UPDATE lender_program SET max_pti_percent = 16 WHERE code = 'B60'; UPDATE vehicle SET price_cents = 5200000 WHERE id <> '{}'",
        room.rav4.parse::<deskless::kernel::id::VehicleId>().unwrap().0
    ))
    .await;
    room.app.app.rules.reload().await.unwrap();
    let swap = json!({ "vehicleId": room.camry });
    let input = json!({ "dealId": deal["id"], "expectedVersion": again["deal"]["version"], "idempotencyKey": "swap", "vehicleId": swap["vehicleId"] });
    let swapped =
        room.run(&room.sam, "dealSwapVehicle", input, "deal { id } rechecks { label outcome sentence } userErrors { code message }").await;
    let line = swapped["rechecks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["label"] == "BETA Bank B60 program")
        .unwrap_or_else(|| panic!("{swapped:#}"));
    assert_eq!(line["sentence"], "BETA Bank B60 program: no longer possible. The payment is more than the lender takes of the income.");
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE detail::text ~ 'of the gross income'").await, 0);
}

#[tokio::test]
async fn a_co_signer_and_the_credit_file_are_kept_sealed_and_count_as_each_lender_says() {
    let room = Showroom::open().await;
    room.sql(
        r#"UPDATE lender_program SET score_min = 700, score_max = 850, joint_score = 'AVERAGE', joint_income = true, max_pti_percent = 15,
             adders = '[{"label": "thin credit file", "subject": "TRADE_LINES", "up_to": 3, "points": "2"}]' WHERE code = 'B60'"#,
    )
    .await;
    room.app.app.rules.reload().await.unwrap();
    let structure =
        json!({ "downPayment": "2000", "termMonths": 60, "grossMonthlyIncome": "3000", "creditScore": 661, "creditTradeLines": 2 });
    let deal = structured(&room, &room.rav4, structure).await;
    let codes = |payload: &Value| -> Vec<String> {
        let quotes = payload["deal"]["financeQuotes"].as_array().unwrap().iter();
        quotes.map(|quote| quote["program"]["code"].as_str().unwrap().to_owned()).collect()
    };
    let alone = quoted(&room, &deal).await;
    assert_eq!(codes(&alone), ["A84"], "BETA asks for 700");
    // Their mean is 721, their incomes 8,000 together.
    let co = json!({ "creditScore": 781, "grossMonthlyIncome": "5000", "monthlyDebts": "250" });
    let deal = room.done("dealStructure", &alone["deal"], json!({ "coSigner": co })).await;
    let both = quoted(&room, &deal).await;
    assert_eq!(codes(&both).len(), 2, "{both:#}");
    let query = "query ($id: ID!) { deal(id: $id) { paymentPlan { creditScore creditTradeLines coSigner { creditScore grossMonthlyIncome { amount }
        monthlyDebts { amount } } } financeQuotes(open: true) { id program { code jointScore coSignerIncomeCounts } detail { whyThisRate { creditScore jointScore
        creditTradeLines coSignerIncomeCounted adders { label points } paymentToIncome } } payment { amount } } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": deal["id"] })).await["deal"].clone();
    let shown = json!({ "creditScore": 781, "grossMonthlyIncome": { "amount": "5000.00" }, "monthlyDebts": { "amount": "250.00" } });
    assert_eq!(seen["paymentPlan"], json!({ "creditScore": 661, "creditTradeLines": 2, "coSigner": shown }));
    let quotes = seen["financeQuotes"].as_array().unwrap();
    let quote = quotes.iter().find(|quote| quote["program"]["code"] == "B60").unwrap();
    assert_eq!((&quote["program"]["jointScore"], &quote["program"]["coSignerIncomeCounts"]), (&json!("AVERAGE"), &json!(true)));
    let why = &quote["detail"]["whyThisRate"];
    assert_eq!((&why["creditScore"], &why["jointScore"], &why["creditTradeLines"]), (&json!(721), &json!("AVERAGE"), &json!(2)));
    assert_eq!((&why["coSignerIncomeCounted"], &why["adders"]), (&json!(true), &json!([{ "label": "thin credit file", "points": "2" }])));
    let share: f64 = why["paymentToIncome"].as_str().unwrap().parse().unwrap();
    assert!((share - f64::from(i32::try_from(cents(&quote["payment"])).unwrap()) / 8000.0).abs() < 0.01, "{share}");
    for quote in quotes {
        replays(&room, quote).await;
    }
    // Neither the deal nor a quote nor the trail tells a score, a file or an income.
    let open = r#"SELECT (SELECT count(*) FROM deal WHERE payment_plan::text ~ '(co_signer|trade_lines|"score")')
          + (SELECT count(*) FROM finance_quote WHERE inputs::text ~ '(co_signer|trade_lines|"score":)'
               OR result::text ~ '(thin credit|"score": 721|"trade_lines": 2)')
          + (SELECT count(*) FROM audit_event WHERE detail::text ~ '\m(661|781|5000)\M')"#;
    assert_eq!(room.number(open).await, 0);
    assert_eq!(room.number("SELECT count(*) FROM audit_event WHERE detail::text LIKE '%creditAndCoSigner%'").await, 2);
    // Zeros and null forget; scores have bounds.
    let forget = json!({ "creditScore": 0, "creditTradeLines": null, "coSigner": { "creditScore": 0, "grossMonthlyIncome": "0" } });
    room.done("dealStructure", &both["deal"], forget).await;
    assert_eq!(room.number("SELECT count(*) FROM deal WHERE payment_plan ? 'credit'").await, 0);
}

#[tokio::test]
async fn parts_of_the_down_payment_are_paid_later_but_not_after_the_second_payment() {
    let room = Showroom::open().await;
    let today = chrono::Utc::now().with_timezone(&chrono::FixedOffset::west_opt(6 * 3600).unwrap()).date_naive();
    let day = |days: u64| today.checked_add_days(chrono::Days::new(days)).unwrap().to_string();
    let deal = structured(&room, &room.rav4, json!({ "downPayment": "2000", "termMonths": 48 })).await;
    let before = cents(&deal["amountFinanced"]);
    let parts = json!([{ "date": day(14), "amount": "300" }, { "date": day(28), "amount": "200.50" }]);
    let deal = room.done("dealStructure", &deal, json!({ "deferredDown": parts })).await;
    assert_eq!(cents(&deal["amountFinanced"]), before - 500_50);
    let payload = quoted(&room, &deal).await;
    let quote = &payload["deal"]["financeQuotes"][0];
    assert_eq!(
        (&quote["detail"]["deferredDownPayment"]["amount"], &quote["dueAtSigning"]["amount"]),
        (&json!("500.50"), &json!("2000.00"))
    );
    replays(&room, quote).await;
    for (parts, code) in
        [(json!([{ "date": day(120), "amount": "300" }]), "NOT_PRICEABLE"), (json!([{ "date": day(14), "amount": "0" }]), "OUT_OF_BOUNDS")]
    {
        let refused = room.act("dealStructure", &payload["deal"], json!({ "deferredDown": parts })).await;
        assert_eq!(refused["userErrors"][0]["code"], code, "{refused}");
    }
    // A lease has no such part: it is kept, not looked at, and there again when the deal is a contract again.
    let cash = room.done("dealStructure", &payload["deal"], json!({ "kind": "CASH" })).await;
    assert_eq!(cents(&cash["amountFinanced"]), before);
    let contract = room.done("dealStructure", &cash, json!({ "kind": "RETAIL" })).await;
    assert_eq!(cents(&contract["amountFinanced"]), before - 500_50);
    let none = room.done("dealStructure", &contract, json!({ "deferredDown": [] })).await;
    assert_eq!(cents(&none["amountFinanced"]), before);
}

#[tokio::test]
async fn a_lease_is_quoted_with_its_deposits_and_paid_at_once_where_the_lessor_offers_it() {
    let room = Showroom::open().await;
    room.sql(
        "UPDATE lender_program SET max_deposits = 7, deposit_factor = 0.00007, deposit_step_cents = 5000, one_pay_factor = 0.0005 WHERE code = 'L36'",
    )
    .await;
    room.app.app.rules.reload().await.unwrap();
    let car = room.add_car("2T3P1RFV8MC000099", "Toyota", "RAV4", 2026, "NEW", 40_000_00).await;
    let lease = json!({ "kind": "LEASE", "termMonths": 36, "downPayment": "2000" });
    let deal = structured(&room, &car.into(), lease).await;
    let plain = cents(&deal["payment"]);
    let deal = room.done("dealStructure", &deal, json!({ "securityDeposits": 5, "annualMiles": 12000 })).await;
    assert!(cents(&deal["payment"]) < plain);
    let payload = quoted(&room, &deal).await;
    let quote = &payload["deal"]["financeQuotes"][0];
    let told = &quote["detail"]["lease"];
    assert_eq!((&quote["payment"], &told["moneyFactor"]), (&deal["payment"], &json!("0.0009")), "{quote:#}");
    // Five deposits, each the base payment rounded up to fifty dollars.
    assert_eq!(cents(&told["securityDeposit"]) % (5 * 50_00), 0, "{told}");
    replays(&room, quote).await;
    let deal = room.done("dealStructure", &payload["deal"], json!({ "securityDeposits": 8 })).await;
    let payload = quoted(&room, &deal).await;
    assert_eq!(payload["deal"]["financeQuotes"], json!([]));
    assert!(payload["declined"][0]["reasons"].to_string().contains("at most 7 security deposits"), "{payload}");
    let once = json!({ "securityDeposits": 0, "onePay": true, "capitalizeTax": true });
    let deal = room.done("dealStructure", &payload["deal"], once).await;
    let payload = quoted(&room, &deal).await;
    let quote = &payload["deal"]["financeQuotes"][0];
    assert_eq!((&quote["detail"]["lease"]["onePay"], &quote["detail"]["paymentCount"]), (&json!(true), &json!(1)));
    assert_eq!(quote["payment"], quote["totalOfPayments"]);
    replays(&room, quote).await;
}

#[tokio::test]
async fn a_balloon_is_quoted_only_to_those_who_asked_for_one() {
    let room = Showroom::open().await;
    room.sql(
        "INSERT INTO lender_program (id, lender_id, code, name, kind, effective, conditions, credit_tier, term_min_months, term_max_months,
           max_financed_cents, max_ltv_percent, collateral_basis, buy_rate, balloon_percent, source, verified)
         VALUES (gen_random_uuid(), (SELECT id FROM lender WHERE code = 'BETA'), 'BAL', 'Balloon', 'RETAIL', '[2020-01-01,)',
           '{NEW,USED,CERTIFIED}', 'A', 24, 60, 10000000, 150, 'PRICE', 5.9, 30, 'test', true)",
    )
    .await;
    room.app.app.rules.reload().await.unwrap();
    let deal = structured(&room, &room.rav4, json!({ "termMonths": 48 })).await;
    let payload = quoted(&room, &deal).await;
    let codes = |payload: &Value| -> Vec<String> {
        payload["deal"]["financeQuotes"].as_array().unwrap().iter().map(|q| q["program"]["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((codes(&payload), &deal["payment"]), (vec!["B60".to_owned(), "A84".to_owned()], &payload["deal"]["payment"]));
    let level = cents(&deal["payment"]);
    let deal = room.done("dealStructure", &payload["deal"], json!({ "balloon": true })).await;
    assert!(cents(&deal["payment"]) < level);
    let payload = quoted(&room, &deal).await;
    assert_eq!(codes(&payload), ["BAL"]);
    let schedule = payload["deal"]["financeQuotes"][0]["detail"]["schedule"].as_array().unwrap().clone();
    // 30 % of the list price of 42,000.00 is due with the last payment.
    let last = cents(&schedule.last().unwrap()["payment"]) - cents(&schedule[0]["payment"]);
    assert!((last - 12_600_00).abs() <= 100, "{last}");
    assert!(payload["declined"].to_string().contains("has no balloon"), "{payload:#}");
}

#[tokio::test]
async fn a_what_if_starts_from_the_plan_of_the_deal_and_leaves_it_as_it_is() {
    let room = Showroom::open().await;
    let deal = structured(&room, &room.rav4, json!({ "termMonths": 60, "schedule": "BIWEEKLY" })).await;
    let query = "query ($id: ID!, $whatIf: DealWhatIfInput) { deal(id: $id) { paymentGrid(terms: [60], downPayments: [\"0\"], whatIf: $whatIf) {
        cells { best { payment { amount } } } } comparison(whatIf: $whatIf) { cash { dueAtSigning { amount } } retail { payment { amount } } } } }";
    let ask = async |what_if: Value| room.app.data(&room.sam, query, json!({ "id": deal["id"], "whatIf": what_if })).await["deal"].clone();
    let own = ask(Value::Null).await;
    assert_eq!(own["paymentGrid"]["cells"][0]["best"]["payment"], deal["payment"]);
    assert_eq!(own["comparison"]["retail"]["payment"], deal["payment"]);
    let monthly = ask(json!({ "schedule": "MONTHLY" })).await;
    assert!(cents(&monthly["comparison"]["retail"]["payment"]) > 2 * cents(&deal["payment"]));
    assert_eq!(monthly["comparison"]["cash"], own["comparison"]["cash"]);
    assert_eq!(seen(&room, &deal).await["paymentPlan"]["schedule"], "BIWEEKLY");
    for bad in [
        json!({ "annualMiles": 999 }),
        json!({ "firstPaymentDays": 91 }),
        json!({ "deferredDown": [{ "date": "2026-12-01", "amount": "-1" }] }),
    ] {
        let answer = room.app.graphql(Some(&room.sam.access), query, json!({ "id": deal["id"], "whatIf": bad })).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
}
