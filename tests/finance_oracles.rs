//! Figures other people published: Regulation Z, lenders, textbooks, a lessor's own tests. Every case of a file is calculated
//! and compared within its own tolerance; the table is printed.
//!
//! Two files: the published cases, which lie beside the project (`FINANCE_ORACLES` names another file of cases), and more
//! of every family in `tests/data/finance_variations.json`, printed elsewhere or computed by `finance_variations.py` beside it.

use std::str::FromStr;

use chrono::NaiveDate;
use deskless::finance::apr::{self, Flow, Offset, Stream, UnitPeriod};
use deskless::finance::fixed::Fixed;
use deskless::finance::lease::{LeaseTerms, MoneyFactor};
use deskless::finance::retail::{self, AccrualBasis, RetailTerms};
use deskless::finance::tax::{LocalTaxRule, Taxable, TradePolicy, total};
use deskless::finance::{TaxRule, TradeIn};
use deskless::kernel::money::Cents;
use deskless::kernel::rate::Rate;
use rust_decimal::Decimal;
use serde_json::Value;

use super::finance_book::tax_rule;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/finance/finance_oracles.json");
/// Names another file of cases.
const FILE_VARIABLE: &str = "FINANCE_ORACLES";
/// More cases of every family.
const VARIATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/finance_variations.json");

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
/// An amount that a case may leave out.
fn opt(input: &Value, name: &str) -> Cents {
    if input[name].is_null() { Cents::ZERO } else { cents(&input[name]) }
}
/// An amount that a law may lack.
fn some(input: &Value, name: &str) -> Option<Cents> {
    (!input[name].is_null()).then(|| cents(&input[name]))
}
/// A row for each figure a case expects; one that is not among `got` is said to be missing.
fn expected_rows(expected: &Value, got: &[(&str, Decimal)]) -> Vec<Row> {
    for name in expected.as_object().expect("figures").keys() {
        assert!(got.iter().any(|(known, _)| known == name), "the figure {name} is not known");
    }
    got.iter().filter(|(name, _)| !expected[*name].is_null()).map(|(name, got)| row(name, &expected[*name], *got)).collect()
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
    RetailTerms {
        balloon: opt(input, "balloon"),
        ..RetailTerms::new(
            cents(&input["principal"]),
            rate(&input[percent]),
            small(&input["term_months"]),
            contract,
            first,
            AccrualBasis::Thirty360,
        )
    }
}

fn apr_case(input: &Value, expected: &Value) -> Vec<Row> {
    let unit = match (input["unit_period"]["interval"].as_str(), input["unit_period"]["multiple"].as_u64()) {
        (None, _) => None,
        (Some("month"), Some(12)) | (Some("year"), _) => Some(UnitPeriod::Year),
        (Some("month"), Some(n)) => Some(UnitPeriod::Months(u8::try_from(n).unwrap())),
        (Some("week"), Some(n)) => Some(UnitPeriod::Weeks(u8::try_from(n).unwrap())),
        (Some("semimonth" | "semi-month" | "half-month" | "half month"), _) => Some(UnitPeriod::SemiMonth),
        (Some("day"), _) => Some(UnitPeriod::Day),
        other => panic!("unit-period {other:?}"),
    };
    let (advances, payments) = (flows(&input["advances"]), flows(&input["payments"]));
    if let Some(unit) = unit {
        assert_eq!(apr::unit_period(&advances, &payments), Ok(unit), "the unit-period is found by Appendix J (b)(4)");
    }
    vec![row("apr", &expected["apr_percent"], apr::apr(&advances, &payments).unwrap().to_percent())]
}

fn single_payment(input: &Value, expected: &Value) -> Vec<Row> {
    let begin: NaiveDate = "2025-01-10".parse().unwrap();
    let end = match (input["term_days"].as_u64(), input["term_months"].as_u64()) {
        (Some(days), _) => begin + chrono::Days::new(days),
        (None, Some(months)) => begin + chrono::Months::new(u32::try_from(months).unwrap()),
        _ => match (input["term_weeks"].as_u64(), input["term_years"].as_u64()) {
            (Some(weeks), _) => begin + chrono::Days::new(weeks * 7),
            (None, Some(years)) => begin + chrono::Months::new(u32::try_from(years * 12).unwrap()),
            _ => panic!("a term"),
        },
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
        if input["day_count"].as_str().unwrap_or_default().contains("360") { AccrualBasis::Actual360 } else { AccrualBasis::Actual365 },
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
    if !expected["interest_total"].is_null() {
        rows.push(row("interest_total", &expected["interest_total"], money(lines.iter().map(|l| l.interest).sum())));
    }
    rows
}

/// The level payment before it is rounded. A house is paid off for longer than any car: beyond a contract's terms by the factor
/// alone.
fn exact_payment(input: &Value, percent: &str) -> Decimal {
    let n = small(&input["term_months"]);
    if retail::TERM.contains(&n) {
        return Decimal::from_i128_with_scale(contract(input, percent).exact_payment().unwrap(), 8);
    }
    assert_eq!(opt(input, "balloon"), Cents::ZERO, "no balloon beyond {n} months");
    fraction(retail::level_factor(retail::monthly(rate(&input[percent])).unwrap(), n).unwrap()) * dec(&input["principal"])
}

fn level_payment(input: &Value, expected: &Value) -> Vec<Row> {
    let terms = contract(input, "apr_percent");
    let exact = exact_payment(input, "apr_percent");
    let mut rows = vec![row("payment", &expected["payment"], exact)];
    if !expected["total_interest"].is_null() {
        // The lender's own: of the payment before it is rounded.
        let paid = exact * Decimal::from(terms.term_months) + money(terms.balloon);
        rows.push(row("total_interest", &expected["total_interest"], paid - money(terms.amount_financed)));
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
    let opt = |name: &str| opt(input, name);
    let reduction = opt("down") + opt("cash_down") + opt("trade") + opt("rebate");
    let residual = if input["residual"].is_null() {
        rate(&input["residual_percent"]).of(cents(&input["msrp"])).unwrap()
    } else {
        cents(&input["residual"])
    };
    // A publisher's factor may have more digits than any lender's; ours hold eight.
    let factor =
        if input["money_factor"].is_null() { dec(&input["apr_percent"]) / Decimal::from(2400) } else { dec(&input["money_factor"]) };
    let gross = opt("price") + opt("acquisition_fee") + opt("doc_fee") + opt("fees");
    let gross = match (some(input, "gross_cap_cost"), some(input, "adjusted_cap_cost")) {
        (Some(gross), _) => gross,
        (None, Some(adjusted)) if gross == Cents::ZERO => adjusted + reduction,
        (None, _) => gross,
    };
    let terms = LeaseTerms {
        gross_cap_cost: gross,
        cap_reduction: reduction,
        residual,
        money_factor: MoneyFactor::from_decimal(factor.round_dp(8)).unwrap(),
        term_months: small(&input["term_months"]),
    };
    let f = terms.figures().unwrap();
    if !input["adjusted_cap_cost"].is_null() {
        assert_eq!(f.adjusted_cap_cost, cents(&input["adjusted_cap_cost"]));
    }
    let tax = if input["monthly_tax_percent"].is_null() { Rate::ZERO } else { rate(&input["monthly_tax_percent"]) };
    let monthly_tax = tax.of(f.base_payment).unwrap();
    let payment = f.base_payment + monthly_tax;
    expected_rows(
        expected,
        &[
            ("gross_cap_cost", money(f.gross_cap_cost)),
            ("cap_reduction", money(f.cap_reduction)),
            ("money_factor", terms.money_factor.to_decimal()),
            ("apr_percent", terms.money_factor.equivalent_rate().to_percent()),
            ("monthly_depreciation", money(f.monthly_depreciation)),
            ("monthly_rent", money(f.monthly_rent)),
            ("adjusted_cap_cost", money(f.adjusted_cap_cost)),
            ("residual", money(f.residual)),
            ("depreciation", money(f.monthly_depreciation)),
            ("rent", money(f.monthly_rent)),
            ("base_payment", money(f.base_payment)),
            ("monthly_tax", money(monthly_tax)),
            ("payment", money(payment)),
            ("total_depreciation", money(f.depreciation)),
            ("total_rent", money(f.rent_charge)),
            ("upfront_tax_on_down", money(tax.of(opt("down")).unwrap())),
            ("total_of_base_payments", money(f.total_of_base_payments)),
            ("total_of_payments", money(Cents(payment.0 * i64::from(terms.term_months)))),
        ],
    )
}

/// A rule with the rates of a case; the shape of each state's law is set by the caller.
fn rule(rates: &[Rate]) -> TaxRule {
    let local = rates.iter().skip(1).fold(Rate::ZERO, |sum, r| sum.plus(*r));
    TaxRule {
        state_rate: rates.first().copied().unwrap_or_default(),
        local_rate: local,
        service_contract_taxable: false,
        maintenance_taxable: false,
        lease_trade_credit: true,
        ..tax_rule()
    }
}

fn lease_tax(input: &Value, expected: &Value) -> Vec<Row> {
    let rates: Vec<Rate> = input["rates_percent"].as_array().unwrap().iter().map(rate).collect();
    let mut rule = rule(&rates);
    match input["state"].as_str().unwrap_or_default() {
        "CA" | "AL" | "OH" => rule.lease_trade_credit = false,
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
    let of = |base: Cents| total(&rule.on_base(base, true, "").unwrap());
    let opt = |name: &str| opt(input, name);
    let on_signing = || rule.lease_reduction_base(opt("cash_down"), Cents::ZERO, Cents::ZERO, opt("gross_trade_in"));
    let tax = if !input["base_payment"].is_null() {
        // Ohio: on all payments together as well.
        of(on_signing()) + of(Cents(opt("base_payment").0 * i64::from(small(&input["term_months"]))))
    } else if input["state"] == "TN" {
        // The whole rate on cash; and a single article's: 2.75 % for the state on the second 1,600 of the price, the county's
        // rate on the first.
        let price = opt("sale_price");
        let article = |rate: Rate, part: Cents| rate.of(part.at_least_zero()).unwrap();
        of(on_signing())
            + article("2.75".parse().unwrap(), price.min(Cents(3_200_00)) - Cents(1_600_00))
            + article(rule.local_rate, price.min(Cents(1_600_00)))
    } else if !input["cash_down"].is_null() {
        of(on_signing())
    } else {
        let trades = [TradeIn { allowance: opt("gross_trade_in"), ..TradeIn::default() }];
        let sale = Taxable {
            price: opt("sale_price") + opt("freight_setup"),
            assessed_value: (!input["ga_tavt_value"].is_null()).then(|| opt("ga_tavt_value")),
            doc_fee: opt("doc_fee"),
            trade_ins: &trades,
            ..Taxable::default()
        };
        of(rule.vehicle_base(&sale).unwrap())
    };
    vec![row("upfront_tax", &expected["upfront_tax"], money(tax))]
}

fn sales_tax(input: &Value, expected: &Value) -> Vec<Row> {
    let opt = |name: &str| opt(input, name);
    let mut rates = vec![rate(&input["rate_percent"])];
    if !input["local_rate_percent"].is_null() {
        rates.push(rate(&input["local_rate_percent"]));
    }
    let mut rule = rule(&rates);
    if input["trade_in_reduces_base"] == false {
        rule.trade_policy = TradePolicy::None;
    } else if !input["trade_in_cap"].is_null() {
        (rule.trade_policy, rule.trade_cap) = (TradePolicy::Capped, Some(opt("trade_in_cap")));
        rule.trade_cap_count = (!input["trade_in_cap_count"].is_null()).then(|| small(&input["trade_in_cap_count"]));
    } else if input["trade_in_new_only"] == true {
        rule.trade_policy = TradePolicy::NewOnly;
    }
    if !input["local_base_cap"].is_null() {
        (rule.local_rule, rule.local_base_cap) = (LocalTaxRule::CappedBase, Some(opt("local_base_cap")));
    }
    rule.doc_fee_taxable = input["doc_fee_taxable"] != false;
    rule.minimum_tax = opt("minimum_tax");
    rule.maximum_tax = some(input, "maximum_tax");
    (rule.first_base, rule.first_tax) = (some(input, "first_base"), opt("first_tax"));
    rule.negative_equity_in_base = input["negative_equity_in_base"] == true;
    let mut trades = vec![TradeIn { allowance: opt("trade_in"), payoff: opt("trade_in_payoff"), ..TradeIn::default() }];
    trades.extend(input["trade_ins"].as_array().into_iter().flatten().map(|each| TradeIn { allowance: cents(each), ..TradeIn::default() }));
    let mut sale = Taxable {
        price: cents(&input["price"]),
        assessed_value: some(input, "assessed_value"),
        doc_fee: opt("doc_fee"),
        trade_ins: &trades,
        new_vehicle: input["condition"] != "used",
        ..Taxable::default()
    };
    if input["rebate_from"] == "dealer" {
        sale.dealer_rebate = opt("rebate");
        rule.dealer_rebate_reduces_base = input["rebate_reduces_base"] != false;
    } else {
        sale.manufacturer_rebate = opt("rebate");
        rule.manufacturer_rebate_reduces_base = input["rebate_reduces_base"] == true;
    }
    let got = [("taxable", money(rule.vehicle_base(&sale).unwrap())), ("tax", money(total(&rule.on_purchase(&sale).unwrap())))];
    expected_rows(expected, &got)
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
            let exact = exact_payment(input, "apr_percent");
            let interest = money(terms.amount_financed) * terms.rate.to_percent() / Decimal::from(1200);
            vec![row("first_principal", &expected["first_principal"], exact - interest)]
        }
        "rate" => {
            let advance = [Stream { amount: cents(&input["principal"]), count: 1, first: Offset::START }];
            let first = Offset { full: 1, num: 0, den: 30 };
            let payments = [Stream { amount: cents(&input["payment"]), count: u32::from(small(&input["term_months"])), first }];
            let got = apr::rate_of(UnitPeriod::Months(1), &advance, &payments).unwrap();
            expected_rows(expected, &[("apr_fraction", got.to_percent() / Decimal::ONE_HUNDRED), ("apr_percent", got.to_percent())])
        }
        "payment_odd_first" => {
            // 36 days: a month and six days.
            let days = u64::from(small(&input["days_to_first_payment"]));
            let mut terms = contract(input, "apr_percent");
            let months = chrono::Months::new(u32::try_from(days / 30).unwrap());
            terms.contract_date = terms.first_payment_date - months - chrono::Days::new(days % 30);
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

/// Calculates every case of a file, prints the table, and gives what is wrong or not known, and how many cases there are.
fn compare(path: &str) -> Option<(usize, Vec<String>)> {
    let text = std::fs::read_to_string(path).ok()?;
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let cases = file["cases"].as_array().expect("cases");
    let (mut figures, mut wrong) = (0, Vec::new());
    for case in cases {
        let id = case["id"].as_str().expect("an id");
        let tolerance = dec(&case["tolerance"]);
        let kind = case["kind"].as_str().expect("a kind");
        // One case that cannot be calculated does not hide the others.
        let rows = match std::panic::catch_unwind(|| rows_of(kind, &case["inputs"], &case["expected"])) {
            Ok(Some(rows)) if !rows.is_empty() => rows,
            Ok(Some(_)) => {
                wrong.push(format!("{id}: none of its figures is known"));
                continue;
            }
            Ok(None) => {
                wrong.push(format!("{id}: the kind {kind} is not known"));
                continue;
            }
            Err(why) => {
                let why = why.downcast_ref::<String>().map(String::as_str).or(why.downcast_ref::<&str>().copied());
                wrong.push(format!("{id}: cannot be calculated: {}", why.unwrap_or("no reason")));
                continue;
            }
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
    println!("{} cases, {figures} figures, {} wrong or not known", cases.len(), wrong.len());
    Some((cases.len(), wrong))
}

#[test]
fn published_figures_come_out_within_their_tolerance() {
    let path = std::env::var(FILE_VARIABLE).unwrap_or_else(|_| FILE.to_owned());
    let Some((cases, wrong)) = compare(&path) else {
        println!("skipped: {path} is not there");
        return;
    };
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases > 0);
}

#[test]
fn variations_of_published_figures_come_out_within_their_tolerance() {
    let (cases, wrong) = compare(VARIATIONS).expect("the file of variations");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases >= 150);
}
