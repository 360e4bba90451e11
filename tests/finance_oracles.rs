//! Figures other people published: Regulation Z, lenders, textbooks, a lessor's own tests. Every case of the file is
//! calculated and compared within its own tolerance; the table is printed.

use std::str::FromStr;

use chrono::NaiveDate;
use deskless::finance::apr::{self, Flow, Offset, Stream, UnitPeriod};
use deskless::finance::fixed::Fixed;
use deskless::finance::lease::{LeaseTerms, MoneyFactor};
use deskless::finance::retail::{self, AccrualBasis, RetailTerms};
use deskless::finance::tax::{LeaseTaxMethod, LocalTaxRule, TaxScheme, Taxable, TradePolicy, total};
use deskless::finance::{TaxRule, TradeIn};
use deskless::kernel::money::Cents;
use deskless::kernel::rate::Rate;
use rust_decimal::Decimal;
use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/finance/finance_oracles.json");

/// What was expected, what came out.
struct Row {
    figure: String,
    expected: Decimal,
    got: Decimal,
}

fn dec(value: &Value) -> Decimal {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Decimal::from_str(&text).unwrap_or_else(|_| panic!("a number: {value}"))
}
fn cents(value: &Value) -> Cents {
    Cents::from_decimal_exact(dec(value)).expect("an amount")
}
fn rate(value: &Value) -> Rate {
    Rate::from_percent(dec(value)).expect("a rate")
}
fn date(value: &Value) -> NaiveDate {
    value.as_str().expect("a date").parse().expect("a date")
}
fn small(value: &Value) -> u16 {
    u16::try_from(value.as_u64().expect("a number")).expect("a small number")
}
fn flows(list: &Value) -> Vec<Flow> {
    list.as_array().expect("a list").iter().map(|f| Flow { date: date(&f["date"]), amount: cents(&f["amount"]) }).collect()
}
fn row(figure: &str, expected: &Value, got: Decimal) -> Row {
    Row { figure: figure.to_owned(), expected: dec(expected), got }
}
fn money(amount: Cents) -> Decimal {
    amount.to_decimal()
}
fn fraction(f: Fixed) -> Decimal {
    Decimal::new(f.scaled(10_000_000_000_000_000).expect("in range"), 16)
}

/// A contract whose first payment is one month away.
fn contract(input: &Value, percent: &str) -> RetailTerms {
    let (contract, first) = ("2025-01-15".parse().unwrap(), "2025-02-15".parse().unwrap());
    RetailTerms::new(
        cents(&input["principal"]),
        rate(&input[percent]),
        small(&input["term_months"]),
        contract,
        first,
        AccrualBasis::Thirty360,
    )
}

fn apr_case(input: &Value, expected: &Value) -> Vec<Row> {
    let unit = match (input["unit_period"]["interval"].as_str(), input["unit_period"]["multiple"].as_u64()) {
        (Some("month"), Some(n)) => UnitPeriod::Months(u8::try_from(n).unwrap()),
        (Some("week"), Some(n)) => UnitPeriod::Weeks(u8::try_from(n).unwrap()),
        (Some("semimonth"), Some(1)) => UnitPeriod::SemiMonth,
        (Some("day"), Some(1)) => UnitPeriod::Day,
        (Some("year"), Some(1)) => UnitPeriod::Year,
        other => panic!("unit-period {other:?}"),
    };
    let (advances, payments) = (flows(&input["advances"]), flows(&input["payments"]));
    assert_eq!(apr::unit_period(&advances, &payments), Ok(unit), "the unit-period is found by Appendix J (b)(4)");
    vec![row("apr", &expected["apr_percent"], apr::apr(&advances, &payments).unwrap().to_percent())]
}

fn single_payment(input: &Value, expected: &Value) -> Vec<Row> {
    let begin: NaiveDate = "2025-01-10".parse().unwrap();
    let end = match (input["term_days"].as_u64(), input["term_months"].as_u64()) {
        (Some(days), _) => begin + chrono::Days::new(days),
        (None, Some(months)) => begin + chrono::Months::new(u32::try_from(months).unwrap()),
        _ => panic!("a term"),
    };
    let at = |on, amount: &Value| [Flow { date: on, amount: cents(amount) }];
    let got = apr::apr(&at(begin, &input["advance"]), &at(end, &input["payment"])).unwrap();
    vec![row("apr", &expected["apr_percent"], got.to_percent())]
}

fn actual365(input: &Value, expected: &Value) -> Vec<Row> {
    let terms = RetailTerms::new(
        cents(&input["principal"]),
        rate(&input["rate_percent"]),
        small(&input["term"]),
        date(&input["loan_date"]),
        date(&input["first_payment"]),
        AccrualBasis::Actual365,
    );
    let mut rows = vec![row("payment", &input["payment"], money(terms.payment().unwrap()))];
    let lines = terms.schedule_with(cents(&input["payment"])).unwrap();
    for want in expected["rows"].as_array().unwrap() {
        let line = &lines[usize::from(small(&want["n"])) - 1];
        assert_eq!(line.date, date(&want["date"]));
        rows.push(row("interest", &want["interest"], money(line.interest)));
        // Theirs leaves 0.03 after the last payment; ours adds it to the last payment.
        let level_principal = cents(&input["payment"]) - line.interest;
        rows.push(row("principal", &want["principal"], money(level_principal)));
        rows.push(row("end", &want["end"], money(line.balance + (line.principal - level_principal))));
    }
    rows.push(row("interest_total", &expected["interest_total"], money(lines.iter().map(|l| l.interest).sum())));
    rows
}

fn level_payment(input: &Value, expected: &Value) -> Vec<Row> {
    let terms = contract(input, "apr_percent");
    let exact = Decimal::from_i128_with_scale(terms.exact_payment().unwrap(), 8);
    let mut rows = vec![row("payment", &expected["payment"], exact)];
    if !expected["total_interest"].is_null() {
        rows.push(row(
            "total_interest",
            &expected["total_interest"],
            exact * Decimal::from(terms.term_months) - money(terms.amount_financed),
        ));
    }
    if let Some(want) = expected["schedule"].as_array() {
        for (line, want) in terms.schedule().unwrap().iter().zip(want) {
            rows.push(row("principal", &want[0], money(line.principal)));
            // Theirs forces the last interest so that the payment stays level; ours lets the last payment take the cent.
            let forced = if line.balance == Cents::ZERO { terms.payment().unwrap() - line.principal } else { line.interest };
            rows.push(row("interest", &want[1], money(forced)));
            rows.push(row("balance", &want[2], money(line.balance)));
        }
    }
    rows
}

fn schedule_cents(input: &Value, expected: &Value) -> Vec<Row> {
    let terms = contract(input, "apr_percent");
    let (figures, lines) = (terms.figures().unwrap(), terms.schedule().unwrap());
    let mut rows = vec![
        row("payment", &expected["payment"], money(figures.payment)),
        row("last_payment", &expected["last_payment"], money(figures.final_payment)),
        row("total_interest", &expected["total_interest"], money(figures.finance_charge)),
    ];
    for want in expected["rows"].as_array().unwrap() {
        let line = &lines[usize::from(small(&want[0])) - 1];
        for (column, got) in [line.payment, line.interest, line.principal, line.balance].into_iter().enumerate() {
            rows.push(row("row", &want[column + 1], money(got)));
        }
    }
    rows
}

fn prepaid_fee(input: &Value, expected: &Value) -> Vec<Row> {
    let fee = cents(&input["prepaid_finance_charge"]);
    let (contract, first) = (date(&input["loan_date"]), date(&input["first_payment"]));
    let rate = rate(&input["contract_rate_percent"]);
    let amount = cents(&input["amount_with_fee"]) - fee;
    let terms = RetailTerms {
        prepaid_finance_charge: fee,
        ..RetailTerms::new(amount, rate, small(&input["term_months"]), contract, first, AccrualBasis::Thirty360)
    };
    let payment = terms.payment().unwrap();
    let n = i64::from(terms.term_months);
    let first = terms.first_offset().unwrap();
    let level = |skip: u32, count| Stream { amount: payment, count, first: Offset { full: first.full + skip, ..first } };
    let streams = if first.full == 0 {
        vec![level(0, 1), level(1, u32::from(terms.term_months) - 1)]
    } else {
        vec![level(0, u32::from(terms.term_months))]
    };
    let advance = [Stream { amount: terms.amount_financed, count: 1, first: Offset::START }];
    let apr = apr::rate_of(UnitPeriod::Months(1), &advance, &streams).unwrap();
    // The last payment differs by cents: the rate of the whole contract must agree all the same.
    assert!(terms.figures().unwrap().apr.0.abs_diff(apr.0) < 1_000);
    vec![
        row("payment", &input["payment"], money(payment)),
        row("apr", &expected["apr_percent"], apr.to_percent()),
        row("finance_charge", &expected["finance_charge"], money(Cents(payment.0 * n) - terms.amount_financed)),
    ]
}

fn lease(input: &Value, expected: &Value) -> Vec<Row> {
    let reduction = cents(&input["down"]) + cents(&input["trade"]);
    // The publisher's factor has more digits than any lender's; ours hold eight.
    let factor = MoneyFactor::from_decimal(dec(&input["money_factor"]).round_dp(8)).unwrap();
    let terms = LeaseTerms {
        gross_cap_cost: cents(&input["price"]),
        cap_reduction: reduction,
        residual: cents(&input["residual"]),
        money_factor: factor,
        term_months: small(&input["term_months"]),
    };
    let f = terms.figures().unwrap();
    assert_eq!(f.adjusted_cap_cost, cents(&input["adjusted_cap_cost"]));
    let tax = rate(&input["monthly_tax_percent"]);
    let monthly_tax = tax.of(f.base_payment).unwrap();
    let payment = f.base_payment + monthly_tax;
    vec![
        row("depreciation", &expected["depreciation"], money(f.monthly_depreciation)),
        row("rent", &expected["rent"], money(f.monthly_rent)),
        row("monthly_tax", &expected["monthly_tax"], money(monthly_tax)),
        row("payment", &expected["payment"], money(payment)),
        row("upfront_tax_on_down", &expected["upfront_tax_on_down"], money(tax.of(cents(&input["down"])).unwrap())),
        row("total_of_payments", &expected["total_of_payments"], money(Cents(payment.0 * i64::from(terms.term_months)))),
    ]
}

/// A rule with the rates of a case; the shape of each state's law is set by the caller.
fn rule(rates: &[Rate]) -> TaxRule {
    let local = rates.iter().skip(1).fold(Rate::ZERO, |sum, r| sum.plus(*r));
    TaxRule {
        id: uuid::Uuid::nil(),
        jurisdiction: "XX".into(),
        effective_from: None,
        effective_to: None,
        scheme: TaxScheme::Sales,
        state_rate: rates.first().copied().unwrap_or_default(),
        local_rate: local,
        local_rule: LocalTaxRule::Stacked,
        local_base_cap: None,
        trade_policy: TradePolicy::Full,
        trade_cap: None,
        trade_cap_count: None,
        manufacturer_rebate_reduces_base: false,
        dealer_rebate_reduces_base: true,
        doc_fee_taxable: true,
        service_contract_taxable: false,
        service_contract_taxed: "100".parse().unwrap(),
        maintenance_taxable: false,
        gap_taxable: false,
        other_product_taxable: true,
        lease_method: LeaseTaxMethod::PerPayment,
        lease_reduction_taxable: true,
        lease_trade_credit: true,
        minimum_tax: Cents::ZERO,
        maximum_tax: None,
        first_base: None,
        first_tax: Cents::ZERO,
        negative_equity_in_base: false,
        source: "test".into(),
        source_read_on: NaiveDate::MIN,
        verified: false,
        lease_verified: false,
        note: None,
    }
}

fn lease_tax(input: &Value, expected: &Value) -> Vec<Row> {
    let rates: Vec<Rate> = input["rates_percent"].as_array().unwrap().iter().map(rate).collect();
    let mut rule = rule(&rates);
    match input["state"].as_str().unwrap() {
        "CA" => rule.lease_trade_credit = false,
        "FL" => {
            rule.local_rule = LocalTaxRule::CappedBase;
            rule.local_base_cap = Some(Cents(5_000_00));
        }
        "SC" => rule.maximum_tax = Some(Cents(500_00)),
        "OK" => {
            rule.first_base = Some(Cents(1_500_00));
            rule.first_tax = Cents(20_00);
        }
        _ => {}
    }
    let base = if input["sale_price"].is_null() {
        rule.lease_reduction_base(cents(&input["cash_down"]), Cents::ZERO, Cents::ZERO, cents(&input["gross_trade_in"]))
    } else {
        let fee = |name: &str| if input[name].is_null() { Cents::ZERO } else { cents(&input[name]) };
        let sale = Taxable { price: cents(&input["sale_price"]) + fee("freight_setup"), doc_fee: fee("doc_fee"), ..Taxable::default() };
        rule.vehicle_base(&sale).unwrap()
    };
    vec![row("upfront_tax", &expected["upfront_tax"], money(total(&rule.on_base(base, true, "").unwrap())))]
}

fn sales_tax(input: &Value, expected: &Value) -> Vec<Row> {
    let mut rule = rule(&[rate(&input["rate_percent"])]);
    if input["trade_in_reduces_base"] == false {
        rule.trade_policy = TradePolicy::None;
    }
    let opt = |name: &str| if input[name].is_null() { Cents::ZERO } else { cents(&input[name]) };
    let trades = [TradeIn { allowance: opt("trade_in"), ..TradeIn::default() }];
    let sale = Taxable { price: cents(&input["price"]), trade_ins: &trades, manufacturer_rebate: opt("rebate"), ..Taxable::default() };
    vec![
        row("taxable", &expected["taxable"], money(rule.vehicle_base(&sale).unwrap())),
        row("tax", &expected["tax"], money(total(&rule.on_purchase(&sale).unwrap()))),
    ]
}

fn rows_of(kind: &str, input: &Value, expected: &Value) -> Option<Vec<Row>> {
    Some(match kind {
        "apr" => apr_case(input, expected),
        "apr_single_payment" => single_payment(input, expected),
        "actual365_schedule" => actual365(input, expected),
        "level_payment" => level_payment(input, expected),
        "monthly_schedule_cents" => schedule_cents(input, expected),
        "apr_with_prepaid_fee" => prepaid_fee(input, expected),
        "lease_money_factor" => lease(input, expected),
        "lease_upfront_tax" => lease_tax(input, expected),
        "vehicle_sales_tax" => sales_tax(input, expected),
        "first_period_split" => {
            // The textbook splits the payment before it is rounded to the cent; a contract splits the rounded one.
            let terms = contract(input, "apr_percent");
            let exact = Decimal::from_i128_with_scale(terms.exact_payment().unwrap(), 8);
            let interest = money(terms.amount_financed) * terms.rate.to_percent() / Decimal::from(1200);
            vec![row("first_principal", &expected["first_principal"], exact - interest)]
        }
        "rate" => {
            let advance = [Stream { amount: cents(&input["principal"]), count: 1, first: Offset::START }];
            let first = Offset { full: 1, num: 0, den: 30 };
            let payments = [Stream { amount: cents(&input["payment"]), count: u32::from(small(&input["term_months"])), first }];
            let got = apr::rate_of(UnitPeriod::Months(1), &advance, &payments).unwrap();
            vec![row("apr_fraction", &expected["apr_fraction"], got.to_percent() / Decimal::ONE_HUNDRED)]
        }
        "payment_odd_first" => {
            // 36 days: a month and six days.
            assert_eq!(input["days_to_first_payment"], 36);
            let mut terms = contract(input, "apr_percent");
            terms.contract_date = "2025-01-09".parse().unwrap();
            vec![row("payment", &expected["payment"], Decimal::from_i128_with_scale(terms.exact_payment().unwrap(), 8))]
        }
        "payment_advance" => {
            let factor =
                retail::factor_in_advance(rate(&input["apr_percent"]), small(&input["term_months"]), small(&input["payments_in_advance"]));
            vec![row("payment", &expected["payment"], fraction(factor.unwrap()) * dec(&input["principal"]))]
        }
        "payment_factors" => {
            let pairs = input["apr_percent"].as_array().unwrap().iter().zip(expected["payment_per_dollar"].as_array().unwrap());
            pairs
                .map(|(percent, want)| {
                    let factor = retail::level_factor(retail::monthly(rate(percent)).unwrap(), small(&input["term_months"])).unwrap();
                    row("factor", want, fraction(factor))
                })
                .collect()
        }
        "effective_annual_to_monthly" => {
            let monthly = retail::monthly_of_effective(rate(&input["effective_annual_percent"])).unwrap();
            vec![row("monthly_percent", &expected["monthly_percent"], fraction(monthly) * Decimal::ONE_HUNDRED)]
        }
        _ => return None,
    })
}

#[test]
fn published_figures_come_out_within_their_tolerance() {
    let Ok(text) = std::fs::read_to_string(FILE) else {
        println!("skipped: {FILE} is not there");
        return;
    };
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let cases = file["cases"].as_array().expect("cases");
    let (mut figures, mut wrong, mut unknown) = (0, Vec::new(), Vec::new());
    for case in cases {
        let id = case["id"].as_str().expect("an id");
        let tolerance = dec(&case["tolerance"]);
        let Some(rows) = rows_of(case["kind"].as_str().expect("a kind"), &case["inputs"], &case["expected"]) else {
            unknown.push(id);
            continue;
        };
        for Row { figure, expected, got } in rows {
            let ok = (expected - got).abs() <= tolerance;
            println!("{id:24} {figure:20} expected {expected:>16} got {got:>22} ± {tolerance:<12} {}", if ok { "ok" } else { "WRONG" });
            figures += 1;
            if !ok {
                wrong.push(format!("{id} {figure}: expected {expected}, got {got}"));
            }
        }
    }
    println!("{} cases, {figures} figures, {} wrong, {} of unknown kind", cases.len(), wrong.len(), unknown.len());
    assert!(unknown.is_empty(), "cases of a kind this test does not know: {unknown:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases.len() >= 51);
}
