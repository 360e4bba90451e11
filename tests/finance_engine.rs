//! The engine by hand: published rates, odd schedules, leases with everything, programs that refuse, solving backwards.

use chrono::NaiveDate;
use deskless::finance::apr::{self, Flow, UnitPeriod};
use deskless::finance::lease::MoneyFactor;
use deskless::finance::retail::{AccrualBasis, PaymentSchedule, RetailTerms, first_payment_date};
use deskless::finance::tax::{LeaseTaxMethod, Taxable};
use deskless::finance::{
    AdderSubject, BackendCaps, CoSigner, CollateralBasis, Credit, DeferredDown, FinanceError, JointScore, LinePlacement, MarkupCap,
    ProductKind, ProductLine, Program, ProgramQuote, Purse, QuoteKind, QuoteRequest, RateAdder, Refusal, RefusalRule, SaleCondition,
    SolveFor, TaxRule, TermMinimum, TradeIn, Worksheet, best_quote, compare, fitting_terms, payment_grid, quote_all, solve,
};
use deskless::kernel::id::ProductId;
use deskless::kernel::money::{Cents, Currency};
use deskless::kernel::rate::Rate;

use super::finance_book::{book, points, program, request, tax_rule};

fn d(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
fn flow(on: &str, cents: i64) -> Flow {
    Flow { date: d(on), amount: Cents(cents) }
}
fn series(schedule: PaymentSchedule, first: &str, count: u16, cents: i64) -> Vec<Flow> {
    (0..count).map(|k| Flow { date: schedule.due_date(d(first), k).unwrap(), amount: Cents(cents) }).collect()
}
/// Every `step` months.
fn months(first: &str, count: u16, step: u32, cents: i64) -> Vec<Flow> {
    (0..u32::from(count)).map(|k| Flow { date: d(first) + chrono::Months::new(k * step), amount: Cents(cents) }).collect()
}
fn rate_of(advances: &[Flow], payments: &[Flow], unit: UnitPeriod) -> String {
    assert_eq!(apr::unit_period(advances, payments), Ok(unit));
    apr::apr(advances, payments).unwrap().round(2).to_string()
}

#[test]
fn appendix_j_on_every_schedule() {
    // Examples of Appendix J (c)(1) to (c)(4) and variations of them, as a library's author checked them.
    use PaymentSchedule::{Biweekly, Semimonthly, Weekly};
    let semi = series(Semimonthly, "1978-03-01", 24, 219_17);
    assert_eq!(rate_of(&[flow("1978-02-23", 5_000_00)], &semi, UnitPeriod::SemiMonth), "10.34");
    let quarters = months("1978-10-01", 40, 3, 385_00);
    assert_eq!(rate_of(&[flow("1978-05-23", 10_000_00)], &quarters, UnitPeriod::Months(3)), "8.97");
    assert_eq!(rate_of(&[flow("1978-07-23", 10_000_00)], &quarters, UnitPeriod::Months(3)), "9.32");
    assert_eq!(rate_of(&[flow("1978-03-20", 500_00)], &series(Weekly, "1978-04-21", 30, 17_60), UnitPeriod::Weeks(1)), "14.96");
    let mut fours: Vec<Flow> = (0..11).map(|k| Flow { date: d("1978-05-18") + chrono::Days::new(28 * k), amount: Cents(38_31) }).collect();
    fours.insert(0, flow("1978-04-20", 39_50));
    assert_eq!(rate_of(&[flow("1978-03-18", 400_00)], &fours, UnitPeriod::Weeks(4)), "28.5");
    let mut twos = series(Biweekly, "1978-04-11", 20, 9_50);
    twos[19].amount = Cents(30_00);
    assert_eq!(rate_of(&[flow("1978-04-03", 200_00)], &twos, UnitPeriod::Weeks(2)), "12.22");
    let mut pairs = months("1978-05-01", 19, 2, 465_00);
    pairs[18].amount = Cents(200_00);
    pairs.insert(0, flow("1978-03-01", 449_36));
    assert_eq!(rate_of(&[flow("1978-01-10", 8_000_00)], &pairs, UnitPeriod::Months(2)), "7.3");
    let days: Vec<Flow> = (0..5).map(|k| Flow { date: d("2023-11-30") + chrono::Days::new(k), amount: Cents(220_00) }).collect();
    assert_eq!(rate_of(&[flow("2023-10-26", 1_000_00)], &days, UnitPeriod::Day), "94.15");
    let week = series(Weekly, "2023-11-30", 5, 250_00);
    assert_eq!(rate_of(&[flow("2023-11-23", 1_000_00)], &week, UnitPeriod::Weeks(1)), "412.4");
    assert_eq!(rate_of(&[flow("2023-11-24", 1_000_00)], &week, UnitPeriod::Weeks(1)), "434.3");
    assert_eq!(
        rate_of(&[flow("1978-01-03", 1_000_00)], &[flow("1978-09-15", 1_080_00)], UnitPeriod::Term { days: 255, months: None }),
        "11.45"
    );
    // Six months, equal to a whole number of months: 12 / 6 unit-periods in a year.
    assert_eq!(
        rate_of(&[flow("1978-07-15", 1_000_00)], &[flow("1979-01-15", 1_044_00)], UnitPeriod::Term { days: 184, months: Some(6) }),
        "8.8"
    );
    assert_eq!(rate_of(&[flow("1978-01-10", 1_000_00)], &[flow("1979-07-10", 1_135_19)], UnitPeriod::Year), "8.76");
}

#[test]
fn several_advances_are_one_transaction() {
    // By hand: 1,000 now and 1,000 in a month, 2,030.10 repaid a month later: x = 1 + i solves 1000 x² + 1000 x = 2030.10.
    let advances = [flow("2026-01-10", 1_000_00), flow("2026-02-10", 1_000_00)];
    let rate = apr::apr_in(UnitPeriod::Months(1), &advances, &[flow("2026-03-10", 2_030_10)]).unwrap();
    assert_eq!(rate.round(3), points("12"));
    // Periods of 31 and 59 days have nothing in common: 45 on average, nearest to six weeks.
    assert_eq!(apr::unit_period(&advances, &[flow("2026-03-10", 2_030_10)]), Ok(UnitPeriod::Weeks(6)));
    assert_eq!(apr::is_irregular(&advances, &[flow("2026-03-10", 2_030_10)]), Ok(true));
    let level = series(PaymentSchedule::Monthly, "2026-02-10", 24, 230_00);
    assert_eq!(apr::is_irregular(&[flow("2026-01-25", 5_000_00)], &level), Ok(false));
    let mut odd = level.clone();
    odd[0].amount = Cents(99_00);
    odd[23].amount = Cents(500_00);
    assert_eq!(apr::is_irregular(&[flow("2026-01-25", 5_000_00)], &odd), Ok(false));
    odd[7].amount = Cents(1_000_00);
    assert_eq!(apr::is_irregular(&[flow("2026-01-25", 5_000_00)], &odd), Ok(true));
}

#[test]
fn month_ends_are_whole_months() {
    // 31 January to 28 February is a month in a series of last days, so this is a regular transaction.
    let last_days = series(PaymentSchedule::Monthly, "2026-02-28", 2, 100_00);
    assert_eq!(last_days[1].date, d("2026-03-28"));
    let ends: Vec<Flow> = ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"].map(|on| flow(on, 510_00)).into();
    let regular: Vec<Flow> = ["2026-01-15", "2026-02-15", "2026-03-15", "2026-04-15"].map(|on| flow(on, 510_00)).into();
    assert_eq!(apr::apr(&[flow("2025-12-31", 2_000_00)], &ends), apr::apr(&[flow("2025-12-15", 2_000_00)], &regular));
    // Semimonthly on the 15th and the last day.
    let halves = series(PaymentSchedule::Semimonthly, "2026-01-15", 24, 219_17);
    let plain = series(PaymentSchedule::Semimonthly, "2026-01-16", 24, 219_17);
    assert_eq!(apr::unit_period(&[flow("2025-12-31", 5_000_00)], &halves), Ok(UnitPeriod::SemiMonth));
    assert_eq!(apr::apr(&[flow("2025-12-31", 5_000_00)], &halves), apr::apr(&[flow("2026-01-01", 5_000_00)], &plain));
}

fn contract(schedule: PaymentSchedule, accrual: AccrualBasis) -> RetailTerms {
    let contract = d("2026-01-15");
    let first = first_payment_date(contract, 30, schedule, 36).unwrap();
    RetailTerms { schedule, ..RetailTerms::new(Cents(20_000_00), points("9"), 36, contract, first, accrual) }
}

#[test]
fn every_schedule_repays_what_was_lent_at_the_contract_rate() {
    for accrual in [AccrualBasis::Thirty360, AccrualBasis::Actual365, AccrualBasis::Actual360] {
        for schedule in PaymentSchedule::ALL.iter().copied() {
            let terms = contract(schedule, accrual);
            let figures = terms.figures().unwrap();
            let lines = terms.schedule().unwrap();
            assert_eq!(lines.len(), usize::from(schedule.count(36)), "{schedule} {accrual}");
            assert_eq!(lines.last().unwrap().balance, Cents::ZERO);
            assert_eq!(figures.total_of_payments - figures.finance_charge, terms.amount_financed);
            let flows: Vec<Flow> = lines.iter().map(|l| Flow { date: l.date, amount: l.payment }).collect();
            let dated = apr::apr(&[Flow { date: terms.contract_date, amount: terms.amount_financed }], &flows).unwrap();
            assert!((dated.0 - figures.apr.0).abs() <= 1, "{schedule} {accrual}: {dated} {}", figures.apr);
            // On equal periods the disclosed rate is the contract's; 366 days in three years and 365/360 move it by less.
            let near = match (accrual, schedule) {
                (_, PaymentSchedule::Single) => 900_000,
                (_, PaymentSchedule::Semimonthly) => 160_000,
                (AccrualBasis::Actual360, _) => 140_000,
                (AccrualBasis::Thirty360, _) => 1_000,
                _ => 30_000,
            };
            assert!((figures.apr.0 - points("9").0).abs() <= near, "{schedule} {accrual}: {}", figures.apr);
        }
    }
    // 36 months of simple interest at 9 %, paid once.
    let once = contract(PaymentSchedule::Single, AccrualBasis::Thirty360).figures().unwrap();
    assert_eq!((once.payment, once.payment_count, once.final_payment_date), (Cents(25_400_00), 1, d("2029-01-15")));
}

#[test]
fn a_balloon_waits_for_the_last_payment() {
    for accrual in [AccrualBasis::Thirty360, AccrualBasis::Actual365] {
        let terms = RetailTerms { balloon: Cents(8_000_00), ..contract(PaymentSchedule::Monthly, accrual) };
        let figures = terms.figures().unwrap();
        // PMT(0.75 %, 36, −20,000, 8,000) = 441.60.
        if accrual == AccrualBasis::Thirty360 {
            assert_eq!(figures.payment, Cents(441_60));
        }
        assert!((figures.final_payment - figures.payment - Cents(8_000_00)).0.abs() < 50, "{figures:?}");
        assert_eq!(terms.schedule().unwrap().last().unwrap().balance, Cents::ZERO);
        assert!((figures.apr.0 - points("9").0).abs() <= 30_000, "{}", figures.apr);
    }
    let above = RetailTerms { balloon: Cents(20_000_01), ..contract(PaymentSchedule::Monthly, AccrualBasis::Thirty360) };
    assert_eq!(above.figures(), Err(FinanceError::BalloonAboveAmount { excess: Cents(1) }));
}

#[test]
fn a_slightly_odd_first_period_may_be_left_out_of_the_rate() {
    let at =
        |first: &str, term: u16| RetailTerms::new(Cents(20_000_00), points("9"), term, d("2026-01-15"), d(first), AccrualBasis::Thirty360);
    // 11 days shorter or 21 longer on terms of one to ten years; 6 and 13 below a year; 20 and 32 from ten years on.
    for (term, shortest, longest, too_short, too_long) in [
        (36, "2026-02-04", "2026-03-05", "2026-02-03", "2026-03-06"),
        (6, "2026-02-09", "2026-02-28", "2026-02-08", "2026-03-01"),
        (120, "2026-01-26", "2026-03-16", "2026-01-25", "2026-03-17"),
    ] {
        let minor = |first: &str| at(first, term).odd_first_period_is_minor().unwrap();
        assert!(minor(shortest) && minor(longest) && !minor(too_short) && !minor(too_long), "{term} months");
    }
    let odd = at("2026-03-01", 36);
    let plain = odd.figures().unwrap();
    let switched = RetailTerms { disregard_odd_first_period: true, ..odd.clone() }.figures().unwrap();
    assert_eq!((switched.payment, switched.finance_charge), (plain.payment, plain.finance_charge));
    assert!(switched.apr > plain.apr, "a longer first period, not seen, makes the same payments look dearer");
    assert!(apr::within_tolerance(plain.apr, plain.apr, false));
    let far = RetailTerms { disregard_odd_first_period: true, ..at("2026-03-20", 36) };
    assert_eq!(far.figures().unwrap().apr, at("2026-03-20", 36).figures().unwrap().apr);
}

fn quoted(programs: Vec<Program>, request: &QuoteRequest) -> ProgramQuote {
    let quotes = quote_all(&book(tax_rule(), programs), request).unwrap();
    quotes.into_iter().next().expect("an answer")
}

#[test]
fn the_truth_in_lending_box_adds_up() {
    let mut asked = request(QuoteKind::Retail);
    asked.worksheet.trade_ins = vec![TradeIn {
        allowance: Cents(6_000_00),
        payoff: Cents(7_500_00),
        payoff_good_through: Some(d("2026-11-15")),
        payoff_per_diem: Cents(1_50),
        actual_cash_value: Some(Cents(5_200_00)),
    }];
    asked.worksheet.deferred_down = vec![DeferredDown { date: d("2026-12-31"), amount: Cents(500_00) }];
    asked.worksheet.products = vec![ProductLine {
        id: ProductId(uuid::Uuid::nil()),
        code: "GAP".into(),
        kind: ProductKind::Gap,
        name: "GAP waiver".into(),
        price: Cents(895_00),
    }];
    let answer = quoted(vec![program(1, QuoteKind::Retail, "6.9")], &asked);
    let priced = answer.quoted().expect("a quote");
    let (input, quote) = (&priced.input, &priced.quote);
    // 7,500 and five days at 1.50: 7,507.50 owed, 1,507.50 more than the car brings.
    assert_eq!((quote.prior_balance, quote.over_allowance), (Cents(1_507_50), Some(Cents(800_00))));
    assert_eq!((quote.down_payment, quote.deferred_down, quote.due_at_signing), (Cents(2_500_00), Cents(500_00), Cents(2_000_00)));
    let told = input.truth_in_lending(quote).unwrap().expect("a contract");
    assert_eq!(told.itemization.iter().map(|l| l.amount).sum::<Cents>(), quote.amount_financed);
    assert_eq!(told.payments.iter().map(|g| Cents(g.amount.0 * i64::from(g.count))).sum::<Cents>(), quote.total_of_payments);
    assert_eq!(told.total_of_payments - told.finance_charge, told.amount_financed);
    assert_eq!(told.total_sale_price, told.total_of_payments + told.down_payment);
    assert_eq!(told.apr, quote.apr.unwrap().round(2));
    assert_eq!(told.debt_cancellation, [("GAP waiver".to_owned(), Cents(895_00))]);
    // The second payment is due on 20 January: a part paid later is credit, not a down payment.
    asked.worksheet.deferred_down[0].date = d("2027-01-21");
    let late = quoted(vec![program(1, QuoteKind::Retail, "6.9")], &asked);
    assert_eq!(late.refusals()[0].message, FinanceError::DeferredTooLate { latest: d("2027-01-20") }.to_string());
}

#[test]
fn a_lease_with_everything_keeps_regulation_ms_sums() {
    let lessor = || program(1, QuoteKind::Lease, "0");
    let plain = quoted(vec![lessor()], &request(QuoteKind::Lease));
    let plain = plain.quoted().expect("a lease").quote.clone();
    for (deposits, one_pay, capitalize_tax, method) in [
        (0, false, false, LeaseTaxMethod::PerPayment),
        (7, false, false, LeaseTaxMethod::PerPayment),
        (0, true, false, LeaseTaxMethod::PerPayment),
        (0, false, true, LeaseTaxMethod::PerPayment),
        (3, false, true, LeaseTaxMethod::UpfrontTotal),
        (0, true, true, LeaseTaxMethod::UpfrontTotal),
        (0, false, true, LeaseTaxMethod::OnPrice),
        (2, false, false, LeaseTaxMethod::None),
    ] {
        let mut asked = request(QuoteKind::Lease);
        (asked.worksheet.deposits, asked.worksheet.one_pay, asked.worksheet.capitalize_tax) = (deposits, one_pay, capitalize_tax);
        asked.worksheet.trade_ins = vec![TradeIn { allowance: Cents(3_000_00), ..TradeIn::default() }];
        let mut rule = tax_rule();
        rule.lease_method = method;
        let quotes = quote_all(&book(rule, vec![lessor()]), &asked).unwrap();
        let priced = quotes[0].quoted().unwrap_or_else(|| panic!("{:?}", quotes[0].refusals()));
        let (q, l) = (&priced.quote, priced.quote.lease.as_ref().unwrap());
        let f = &l.figures;
        let what = format!("{deposits} deposits, one pay {one_pay}, capitalized {capitalize_tax}, {method}");
        assert_eq!(f.gross_cap_cost - f.cap_reduction, f.adjusted_cap_cost, "{what}");
        assert_eq!(q.sum(LinePlacement::Financed), f.adjusted_cap_cost, "{what}");
        assert_eq!(f.depreciation + f.rent_charge, f.total_of_base_payments, "{what}");
        let total = |lines: &[deskless::finance::SigningLine]| lines.iter().map(|l| l.amount).sum::<Cents>();
        assert_eq!(total(&l.due_at_signing), total(&l.paid_by), "{what}");
        assert_eq!(l.paid_by.last().unwrap().amount, q.due_at_signing, "{what}");
        assert_eq!(
            l.total_of_payments,
            total(&l.due_at_signing) + q.total_of_payments - q.payment + l.disposition_fee - l.security_deposit
        );
        assert_eq!(q.payment_count, if one_pay { 1 } else { 36 });
        assert_eq!(l.capitalized_tax, if capitalize_tax { l.upfront_tax } else { Cents::ZERO }, "{what}");
        assert_eq!(priced.input.payment(), Ok(q.payment), "{what}");
        if method == LeaseTaxMethod::UpfrontTotal {
            let rate = points("8.25");
            // Trade-ins get no credit in a lease here; the tax is on what is paid at signing and on all base payments.
            assert_eq!(l.upfront_tax, rate.of(f.total_of_base_payments + Cents(5_000_00)).unwrap(), "{what}");
        }
        if deposits == 7 {
            assert_eq!(l.money_factor, MoneyFactor(125_000 - 7 * 7_000));
            assert!(l.security_deposit.0 % (7 * 50_00) == 0 && l.security_deposit.0 / 7 >= f.base_payment.0);
            assert!(f.rent_charge < plain.lease.as_ref().unwrap().figures.rent_charge);
        }
        assert_eq!(l.purchase_option, f.residual + Cents(300_00));
        assert_eq!(l.ends_on, d("2029-11-20"));
    }
    // More deposits than the lessor takes.
    let mut asked = request(QuoteKind::Lease);
    asked.worksheet.deposits = 11;
    assert_eq!(quoted(vec![lessor()], &asked).refusals()[0].rule, RefusalRule::LeaseOption);
}

fn strict() -> Program {
    Program {
        max_ltv: points("100"),
        max_front_ltv: Some(points("90")),
        collateral_basis: deskless::finance::CollateralBasis::Invoice,
        term_minimums: vec![TermMinimum { above_months: 48, min_financed: Cents(38_500_00) }],
        backend: BackendCaps { total_percent: Some(points("5")), gap: Some(Cents(900_00)), ..BackendCaps::default() },
        max_payment_to_income: Some(points("15")),
        max_debt_to_income: Some(points("40")),
        subvented: true,
        ..program(1, QuoteKind::Retail, "6.9")
    }
}

fn product(kind: ProductKind, price: i64) -> ProductLine {
    ProductLine { id: ProductId(uuid::Uuid::nil()), code: kind.to_string(), kind, name: kind.to_string(), price: Cents(price) }
}

#[test]
fn every_refusal_names_its_rule_and_the_change_that_clears_it() {
    let refused = |asked: &QuoteRequest| -> Vec<Refusal> { quoted(vec![strict()], asked).refusals().to_vec() };
    let of = |refusals: &[Refusal], rule| refusals.iter().find(|r| r.rule == rule).cloned();
    // 40,000 + tax on 40,085 at 8.25 % + 118 − 2,000 = 41,425.01; the invoice is 39,000.
    let mut asked = request(QuoteKind::Retail);
    asked.worksheet.products = vec![product(ProductKind::Gap, 950_00), product(ProductKind::Maintenance, 1_100_00)];
    asked.worksheet.manufacturer_rebate = Cents(1_000_00);
    asked.worksheet.markup = points("1");
    let all = refused(&asked);
    let rules: Vec<RefusalRule> = all.iter().map(|r| r.rule).collect();
    assert_eq!(
        rules,
        [
            RefusalRule::FrontLoanToValue,
            RefusalRule::LoanToValue,
            RefusalRule::Backend,
            RefusalRule::Gap,
            RefusalRule::Rebate,
            RefusalRule::Markup
        ]
    );
    // 5 % of 39,000 is 1,950; the products cost 2,050. No money down clears what is about products and rebates.
    for (rule, change) in [
        (RefusalRule::Gap, "50.00 less for GAP."),
        (RefusalRule::Backend, "100.00 less for products."),
        (RefusalRule::Rebate, "Without the rebate of 1000.00."),
    ] {
        let refusal = of(&all, rule).unwrap();
        assert_eq!((refusal.change.as_deref(), refusal.change_amount), (Some(change), None));
    }
    // Each amount clears its rule, and a cent less does not.
    for rule in [RefusalRule::FrontLoanToValue, RefusalRule::LoanToValue] {
        let more = of(&all, rule).unwrap().change_amount.unwrap();
        let with = |down: Cents| {
            let mut again = asked.clone();
            again.worksheet.cash_down += down;
            of(&refused(&again), rule).is_some()
        };
        assert!(!with(more) && with(more - Cents(1)), "{rule}");
    }
    // Income: 15 % of 3,000 is 450; 40 % less 900 of debts is 300.
    let mut poor = request(QuoteKind::Retail);
    poor.worksheet.cash_down = Cents(9_000_00);
    poor.worksheet.term_months = 48;
    poor.worksheet.purse = Some(Purse { gross_income: Cents(3_000_00), debts: Cents(900_00) });
    let all = refused(&poor);
    assert_eq!(all.iter().map(|r| r.rule).collect::<Vec<_>>(), [RefusalRule::PaymentToIncome, RefusalRule::DebtToIncome]);
    for refusal in &all {
        assert_eq!(refusal.discreet(), "The payment is more than the lender takes of the income.");
        let more = refusal.change_amount.unwrap();
        let with = |down: Cents| {
            let mut again = poor.clone();
            again.worksheet.cash_down += down;
            of(&refused(&again), refusal.rule).is_some()
        };
        assert!(!with(more) && with(more - Cents(1)), "{}", refusal.rule);
    }
    // A long term asks for a larger amount.
    let mut long = request(QuoteKind::Retail);
    long.worksheet.cash_down = Cents(9_000_00);
    let too_little = of(&refused(&long), RefusalRule::TermAmount).unwrap();
    long.worksheet.cash_down += too_little.change_amount.unwrap();
    assert_eq!(of(&refused(&long), RefusalRule::TermAmount), None);
    assert_eq!(format!("{:?}", poor.worksheet.purse), "Some(Purse(..))");
}

#[test]
fn where_no_figure_helps_a_refusal_says_which_vehicle_value_or_state_would() {
    let refusal = |change: &dyn Fn(&mut Program, &mut QuoteRequest)| {
        let mut sheet = program(1, QuoteKind::Retail, "6.9");
        let mut asked = request(QuoteKind::Retail);
        change(&mut sheet, &mut asked);
        quoted(vec![sheet], &asked).refusals().to_vec().remove(0)
    };
    let state = refusal(&|sheet, _| sheet.states = vec!["OK".into(), "AR".into()]);
    assert_eq!((state.rule, state.change.clone()), (RefusalRule::State, None));
    assert_eq!(state.message, "Lender 1 lends in OK, AR, not in XX: nothing the customer can change.");
    let condition = refusal(&|sheet, _| sheet.conditions = vec![SaleCondition::Used, SaleCondition::Certified]);
    assert_eq!((condition.rule, condition.change.as_deref()), (RefusalRule::Condition, Some("A used or certified vehicle.")));
    // 41,425.01 is 115 % of 36,021.75 and 110 % of 37,659.10, rounded up to the cent.
    let front = |sheet: &mut Program, asked: &mut QuoteRequest, limit: Option<&str>| {
        sheet.collateral_basis = CollateralBasis::BookRetail;
        (sheet.max_ltv, sheet.max_front_ltv) = (points("115"), limit.map(points));
        asked.vehicle.book_retail = None;
    };
    let unknown = refusal(&|sheet, asked| front(sheet, asked, None));
    assert_eq!((unknown.rule, unknown.message.as_str()), (RefusalRule::Collateral, "The vehicle's retail book value is not known."));
    let change = "Have its retail book value entered: from 36021.75 on, this amount can be financed.";
    assert_eq!((unknown.change.as_deref(), unknown.change_amount), (Some(change), None));
    let unknown = refusal(&|sheet, asked| front(sheet, asked, Some("110")));
    assert_eq!(unknown.change.as_deref(), Some("Have its retail book value entered: from 37659.10 on, this amount can be financed."));
    // It keeps its word: with that value the lender takes the deal, with a cent less it does not.
    for (value, rules) in [(37_659_10, vec![]), (37_659_09, vec![RefusalRule::FrontLoanToValue])] {
        let mut sheet = program(1, QuoteKind::Retail, "6.9");
        let mut asked = request(QuoteKind::Retail);
        front(&mut sheet, &mut asked, Some("110"));
        asked.vehicle.book_retail = Some(Cents(value));
        let answer = quoted(vec![sheet], &asked);
        assert_eq!(answer.refusals().iter().map(|r| r.rule).collect::<Vec<_>>(), rules, "{value}");
    }
}

#[test]
fn a_lender_who_declines_names_the_nearest_term_it_takes() {
    let fitting = |programs: Vec<Program>, asked: &QuoteRequest| {
        let lender = programs[0].lender_id;
        let book = book(tax_rule(), programs);
        let term = *fitting_terms(&book, asked).get(&lender)?;
        let mut again = asked.clone();
        again.worksheet.term_months = term;
        assert!(quote_all(&book, &again).unwrap()[0].quoted().is_some(), "it takes {term} months");
        Some(term)
    };
    // A long term asks for a larger amount: 48 months are within reach of 72.
    let mut asked = request(QuoteKind::Retail);
    asked.worksheet.term_months = 72;
    asked.worksheet.cash_down = Cents(9_000_00);
    assert_eq!(fitting(vec![strict()], &asked), Some(48));
    // Of an income of 6,000 the payment may take 900: 36 months are too few still.
    asked.worksheet.term_months = 24;
    asked.worksheet.purse = Some(Purse { gross_income: Cents(6_000_00), debts: Cents::ZERO });
    assert_eq!(fitting(vec![strict()], &asked), Some(48));
    // Nothing helps a car whose list price is lent on too far, nor a sheet of another tier, nor cash.
    asked.worksheet.cash_down = Cents(2_000_00);
    assert_eq!(fitting(vec![strict()], &asked), None);
    asked.credit_tier = "Z".into();
    assert_eq!(fitting(vec![strict()], &asked), None);
    assert_eq!(fitting(vec![strict()], &request(QuoteKind::Cash)), None);
}

#[test]
fn adders_make_the_rate_and_levers_say_what_lowers_it() {
    let adder = |label: &str, subject, above, up_to, by: &str| RateAdder { label: label.into(), subject, above, up_to, points: points(by) };
    let sheet = Program {
        adders: vec![
            adder("over 48 months", AdderSubject::Term, Some(48), None, "0.5"),
            adder("more than 95 % of the value", AdderSubject::LoanToValue, Some(95_00), None, "0.75"),
            adder("at most 90 % of the value", AdderSubject::LoanToValue, None, Some(90_00), "-0.25"),
            adder("less than 10,000", AdderSubject::AmountFinanced, None, Some(10_000_00), "1"),
        ],
        ..program(3, QuoteKind::Retail, "6.9")
    };
    let asked = request(QuoteKind::Retail);
    let answer = quoted(vec![sheet.clone()], &asked);
    let priced = answer.quoted().expect("a quote");
    let story = priced.quote.rate_story.as_ref().unwrap();
    assert_eq!(priced.quote.buy_rate, Some(points("8.15")));
    assert_eq!((story.base_rate, story.adders.len(), story.collateral), (Some(points("6.9")), 2, Some(Cents(42_000_00))));
    assert_eq!(priced.quote.amount_financed, Cents(41_425_01));
    assert_eq!(story.total_ltv, Some(points("98.630977")));
    let levers = answer.program.levers(&priced.input, priced.quote.amount_financed);
    let told: Vec<(String, Option<Cents>, Rate)> = levers.into_iter().map(|l| (l.change, l.more_down, l.points)).collect();
    assert_eq!(
        told,
        [
            ("3625.01 more down.".to_owned(), Some(Cents(3_625_01)), points("1")),
            ("1525.01 more down.".to_owned(), Some(Cents(1_525_01)), points("0.75")),
            ("A term of 48 months.".to_owned(), None, points("0.5")),
        ]
    );
    // Each lever keeps its word.
    let mut lower = asked;
    lower.worksheet.cash_down += Cents(3_625_01);
    let again = quoted(vec![sheet], &lower);
    assert_eq!(again.quoted().unwrap().quote.buy_rate, Some(points("7.15")));
}

#[test]
fn a_thin_file_costs_points_once_it_is_known_to_be_thin() {
    let adder = |label: &str, subject, up_to, by: &str| RateAdder {
        label: label.into(),
        subject,
        above: None,
        up_to: Some(up_to),
        points: points(by),
    };
    let sheet = Program {
        adders: vec![
            adder("at most 90 % of the value", AdderSubject::LoanToValue, 90_00, "-0.25"),
            adder("thin credit file", AdderSubject::TradeLines, 3, "2"),
        ],
        ..program(3, QuoteKind::Retail, "6.9")
    };
    let rate = |trade_lines: Option<u16>, down: i64| {
        let mut asked = request(QuoteKind::Retail);
        asked.worksheet.cash_down += Cents(down);
        asked.worksheet.credit = trade_lines.map(|n| Credit { trade_lines: Some(n), ..Credit::default() });
        let answer = quoted(vec![sheet.clone()], &asked);
        let quote = &answer.quoted().expect("a quote").quote;
        assert_eq!(quote.rate_story.as_ref().unwrap().trade_lines, trade_lines);
        quote.buy_rate.unwrap().to_string()
    };
    assert_eq!([rate(None, 0), rate(Some(0), 0), rate(Some(3), 0), rate(Some(4), 0)], ["6.9", "8.9", "8.9", "6.9"]);
    assert_eq!([rate(None, 5_000_00), rate(Some(2), 5_000_00)], ["6.65", "8.65"], "0.25 points less at 90 % of the value");
}

#[test]
fn each_lender_says_what_a_co_signer_is_worth() {
    // Four lenders, each with a row for either band.
    let rules = [JointScore::Primary, JointScore::Average, JointScore::Higher, JointScore::Lower];
    let rows = |joint_income: bool| -> Vec<Program> {
        let row = |(n, joint_score): (u128, &JointScore), least: u16, most: u16, tier: &str, rate: &str| Program {
            code: format!("{joint_score}-{tier}"),
            credit_tier: tier.into(),
            score_min: Some(least),
            score_max: Some(most),
            joint_score: *joint_score,
            joint_income,
            max_payment_to_income: Some(points("15")),
            max_debt_to_income: Some(points("40")),
            ..program(n, QuoteKind::Retail, rate)
        };
        let each = (0..).zip(&rules);
        each.flat_map(|rule| [row(rule, 700, 850, "A", "5.9"), row((rule.0 + 4, rule.1), 600, 699, "C", "9.9")]).collect()
    };
    let taken = |rows: Vec<Program>, asked: &QuoteRequest| -> Vec<String> {
        let quotes = quote_all(&book(tax_rule(), rows), asked).unwrap();
        let mut codes: Vec<String> = quotes.iter().filter(|q| q.quoted().is_some()).map(|q| q.program.code.clone()).collect();
        codes.sort();
        codes
    };
    let mut asked = request(QuoteKind::Retail);
    let signs = |score, gross: i64| CoSigner { score, gross_income: Cents(gross), debts: Cents(100_00) };
    // No score: the tier's name, A.
    assert_eq!(taken(rows(false), &asked), ["AVERAGE-A", "HIGHER-A", "LOWER-A", "PRIMARY-A"]);
    // Alone, the score decides in place of the tier's name.
    asked.worksheet.credit = Some(Credit { score: Some(660), ..Credit::default() });
    assert_eq!(taken(rows(false), &asked), ["AVERAGE-C", "HIGHER-C", "LOWER-C", "PRIMARY-C"]);
    // 660 and 739: the mean, 699.5, is rounded down and stays below 700.
    let with = |other: u16| Some(Credit { score: Some(660), trade_lines: None, co_signer: Some(signs(Some(other), 0)) });
    asked.worksheet.credit = with(739);
    assert_eq!(taken(rows(false), &asked), ["AVERAGE-C", "HIGHER-A", "LOWER-C", "PRIMARY-C"]);
    asked.worksheet.credit = with(740);
    assert_eq!(taken(rows(false), &asked), ["AVERAGE-A", "HIGHER-A", "LOWER-C", "PRIMARY-C"]);
    let quotes = quote_all(&book(tax_rule(), rows(false)), &asked).unwrap();
    let mut stories: Vec<(u16, Option<JointScore>)> =
        quotes.iter().filter_map(|q| q.quoted()?.quote.rate_story.as_ref().map(|s| (s.score.unwrap(), s.joint_score))).collect();
    stories.sort();
    let told = [(660, JointScore::Primary), (660, JointScore::Lower), (700, JointScore::Average), (740, JointScore::Higher)];
    assert_eq!(stories, told.map(|(score, how)| (score, Some(how))));
    // Whoever scores below every band is told which it is, not the score.
    asked.worksheet.credit = Some(Credit { score: Some(580), ..Credit::default() });
    let refusals: Vec<Refusal> =
        quote_all(&book(tax_rule(), rows(false)), &asked).unwrap().iter().flat_map(|q| q.refusals().to_vec()).collect();
    assert!(refusals.iter().all(|r| r.rule == RefusalRule::Tier && !r.sentence().contains("580")), "{refusals:?}");
    // The nearest band of each lender.
    assert!(refusals.iter().all(|r| r.change.as_deref() == Some("A credit score of 600 to 699.")), "{refusals:?}");
    // Incomes: 15 % of the buyer's 3,000 is 450; with the co-signer's 4,000 it is 1,050.
    asked.worksheet.credit = Some(Credit { score: None, trade_lines: None, co_signer: Some(signs(None, 4_000_00)) });
    asked.worksheet.purse = Some(Purse { gross_income: Cents(3_000_00), debts: Cents(200_00) });
    assert_eq!(taken(rows(false), &asked), Vec::<String>::new());
    assert_eq!(taken(rows(true), &asked).len(), 4);
    let quotes = quote_all(&book(tax_rule(), rows(true)), &asked).unwrap();
    let quote = &quotes[0].quoted().unwrap().quote;
    let story = quote.rate_story.as_ref().unwrap();
    let percent =
        |cents: i64| Rate::from_percent((rust_decimal::Decimal::new(cents, 0) / rust_decimal::Decimal::new(7_000, 0)).round_dp(4)).unwrap();
    assert!(story.joint_income);
    assert_eq!(story.payment_to_income.unwrap().round(4), percent(quote.payment.0));
    assert_eq!(story.debt_to_income.unwrap().round(4), percent(quote.payment.0 + 300_00));
    // A co-signer's income says nothing while the buyer's is not known.
    asked.worksheet.purse = None;
    assert_eq!(taken(rows(false), &asked).len(), 4);
    assert_eq!(format!("{:?} {:?}", asked.worksheet.credit, signs(Some(1), 1)), "Some(Credit(..)) CoSigner(..)");
}

#[test]
fn markup_is_capped_by_law_and_reserve_by_the_lender() {
    let sheet = Program {
        max_markup: points("2.5"),
        markup_caps: vec![MarkupCap { states: vec!["XX".into()], above_months: 60, points: points("2") }],
        flat_reserve_percent: points("1"),
        max_reserve: Some(Cents(1_000_00)),
        ..program(3, QuoteKind::Retail, "5.9")
    };
    assert_eq!(
        (sheet.markup_cap("XX", 60), sheet.markup_cap("XX", 61), sheet.markup_cap("YY", 72)),
        (points("2.5"), points("2"), points("2.5"))
    );
    let mut asked = request(QuoteKind::Retail);
    let flat = quoted(vec![sheet.clone()], &asked).quoted().unwrap().quote.reserve;
    assert_eq!(flat, Cents(200_00 + 414_25));
    asked.worksheet.markup = points("1.5");
    let marked = quoted(vec![sheet.clone()], &asked);
    let quote = &marked.quoted().unwrap().quote;
    assert_eq!((quote.buy_rate, quote.sell_rate, quote.reserve), (Some(points("5.9")), Some(points("7.4")), Cents(1_000_00)));
    asked.worksheet.term_months = 72;
    asked.worksheet.markup = points("2.25");
    assert_eq!(quoted(vec![sheet], &asked).refusals()[0].rule, RefusalRule::Markup);
}

#[test]
fn a_special_rate_stands_against_the_rebate() {
    let special = Program { subvented: true, ..program(2, QuoteKind::Retail, "0.9") };
    let book = book(tax_rule(), vec![program(1, QuoteKind::Retail, "6.9"), special, program(3, QuoteKind::Lease, "0")]);
    let mut asked = request(QuoteKind::Retail);
    asked.worksheet.manufacturer_rebate = Cents(2_500_00);
    let told = compare(&book, &asked, 60, 36).unwrap();
    assert_eq!(told.retail.as_ref().unwrap().program.code, "P1");
    assert_eq!(told.special_rate.as_ref().unwrap().program.code, "P2");
    assert_eq!(told.special_rate_costs_less(), Some(true));
    assert_eq!(told.cash.quote.due_at_signing, told.cash.quote.total_price - Cents(2_500_00));
    // Each way to pay is of its kind and term, also where the deal itself is another.
    let of = |way: &Option<ProgramQuote>| way.as_ref().and_then(|q| q.quoted()).map(|p| (p.quote.kind, p.quote.term_months));
    let lease =
        QuoteRequest { worksheet: Worksheet { kind: QuoteKind::Lease, term_months: 24, ..asked.worksheet.clone() }, ..asked.clone() };
    for told in [&told, &compare(&book, &lease, 60, 36).unwrap()] {
        assert_eq!((told.cash.quote.kind, of(&told.retail)), (QuoteKind::Cash, Some((QuoteKind::Retail, 60))));
        assert_eq!((of(&told.special_rate), of(&told.lease)), (Some((QuoteKind::Retail, 60)), Some((QuoteKind::Lease, 36))));
    }
    // Without a rebate there is nothing that a special rate would stand against.
    let mut without = asked.clone();
    without.worksheet.manufacturer_rebate = Cents::ZERO;
    let told = compare(&book, &without, 60, 36).unwrap();
    assert_eq!((told.special_rate.is_none(), told.special_rate_costs_less()), (true, None));
    asked.worksheet.manufacturer_rebate = Cents(9_000_00);
    assert_eq!(compare(&book, &asked, 60, 36).unwrap().special_rate_costs_less(), Some(false));
}

#[test]
fn solving_backwards_hits_the_cent_or_tells_both_neighbours() {
    let book = book(
        tax_rule(),
        vec![program(1, QuoteKind::Retail, "6.9"), program(2, QuoteKind::Retail, "7.4"), program(3, QuoteKind::Lease, "0")],
    );
    for kind in [QuoteKind::Retail, QuoteKind::Lease] {
        for (sought, target) in [
            (SolveFor::DownPayment, 500_00),
            (SolveFor::DownPayment, 612_34),
            (SolveFor::Price, 700_00),
            (SolveFor::Price, 455_55),
            (SolveFor::Price, 1_234_56),
        ] {
            let asked = request(kind);
            let Ok(solution) = solve(&book, &asked, sought, Cents(target)) else {
                // A lease of 36 months at 2,000 down may already be below.
                panic!("{kind} {sought} {target}");
            };
            let found = &solution.found;
            let mut again = asked.clone();
            (again.worksheet.price, again.worksheet.cash_down) = (found.price, found.cash_down);
            let best = best_quote(&book, &again).unwrap().expect("a quote");
            assert_eq!(best.quoted().unwrap().quote.payment, found.payment, "{kind} {sought} {target}");
            if solution.exact {
                assert_eq!((found.payment, &solution.below, &solution.above), (Cents(target), &None, &None));
            } else {
                let (below, above) = (solution.below.as_ref(), solution.above.as_ref());
                assert!(below.is_none_or(|b| b.payment < Cents(target)) && above.is_none_or(|a| a.payment > Cents(target)));
                assert!(below.is_some() || above.is_some());
            }
            let reachable = kind == QuoteKind::Retail || found.cash_down > Cents::ZERO;
            assert!(solution.exact || !reachable || kind == QuoteKind::Lease, "{kind} {sought} {target}: {found:?}");
        }
    }
    // The shortest offered term at most at the target, and the one before it above.
    let by_term = solve(&book, &request(QuoteKind::Retail), SolveFor::Term, Cents(700_00)).unwrap();
    assert!(by_term.found.payment <= Cents(700_00) && !by_term.exact);
    let above = by_term.above.unwrap();
    assert!(above.payment > Cents(700_00) && above.term_months < by_term.found.term_months);
    // A payment no down payment can make: each cent down moves a payment due once by more than a cent.
    let mut once = request(QuoteKind::Retail);
    (once.worksheet.schedule, once.worksheet.term_months) = (PaymentSchedule::Single, 60);
    let mut skipped = 0;
    for target in 30_000_00..30_000_40 {
        let solution = solve(&book, &once, SolveFor::DownPayment, Cents(target)).unwrap();
        if !solution.exact {
            skipped += 1;
            let (below, above) = (solution.below.unwrap(), solution.above.unwrap());
            assert!(below.payment < Cents(target) && Cents(target) < above.payment);
            assert_eq!(below.cash_down - above.cash_down, Cents(1));
        }
    }
    assert!(skipped > 0);
    let nobody = deskless::finance::RuleBook::default();
    assert!(solve(&nobody, &request(QuoteKind::Retail), SolveFor::Price, Cents(1)).is_err());
}

/// Cheap lenders that ask for money down, dear ones that do not, and one that lends large amounts only.
#[test]
fn nobody_pays_more_money_down_than_the_best_lender_asks_for() {
    let limited = |n: u128, rate: &str, ltv: &str, least: i64| Program {
        max_ltv: points(ltv),
        min_financed: Cents(least),
        ..program(n, QuoteKind::Retail, rate)
    };
    let lenders = book(
        tax_rule(),
        vec![
            limited(1, "3.9", "80", 0),
            limited(2, "5.9", "95", 30_000_00),
            limited(3, "9.9", "130", 0),
            limited(4, "7.4", "100", 20_000_00),
        ],
    );
    let mut asked = request(QuoteKind::Retail);
    asked.worksheet.cash_down = Cents::ZERO;
    let pays = |price: Cents, down: Cents| {
        let mut asked = asked.clone();
        (asked.worksheet.price, asked.worksheet.cash_down) = (price, down);
        best_quote(&lenders, &asked).ok().flatten().map(|q| q.quoted().unwrap().quote.payment)
    };
    let (mut exact, mut below) = (0, 0);
    for target in (300_00..950_00).step_by(1_733).map(Cents) {
        let solved = solve(&lenders, &asked, SolveFor::DownPayment, target).unwrap();
        let (price, down) = (asked.worksheet.price, solved.found.cash_down);
        assert_eq!(pays(price, down), Some(solved.found.payment), "the deal pays what was found");
        assert!(solved.found.payment <= target);
        if solved.exact {
            exact += 1;
        } else {
            below += 1;
        }
        for less in [1, 2, 50_00, 500_00, 2_000_00, 5_000_00, 9_000_00].map(Cents).into_iter().filter(|less| *less <= down) {
            assert!(pays(price, down - less).is_none_or(|payment| payment > target), "{target}: {less} less than {down} would do");
        }
        let solved = solve(&lenders, &asked, SolveFor::Price, target).unwrap();
        assert_eq!(pays(solved.found.price, Cents::ZERO), Some(solved.found.payment));
        for more in [1, 2, 50_00, 500_00, 2_000_00, 5_000_00].map(Cents) {
            assert!(pays(solved.found.price + more, Cents::ZERO).is_none_or(|payment| payment > target), "{target}: {more} more would do");
        }
    }
    assert!(exact > 5 && below > 5, "{exact} {below}");
    // A payment that is lower than any of a lender with a least amount: the lowest there is.
    let only = book(tax_rule(), vec![limited(2, "5.9", "95", 30_000_00)]);
    let lowest = solve(&only, &asked, SolveFor::DownPayment, Cents(100_00)).unwrap();
    assert_eq!((lowest.exact, &lowest.below), (false, &None));
    assert_eq!(lowest.above.as_ref().map(|a| (a.payment, a.cash_down)), Some((lowest.found.payment, lowest.found.cash_down)));
    assert_eq!(lowest.quote.quoted().unwrap().quote.amount_financed, Cents(30_000_00));
    // Of several lowest payments the lowest, whichever lender is asked first.
    let mut rows = vec![limited(2, "5.9", "95", 30_000_00), limited(4, "7.4", "100", 20_000_00), limited(1, "6.9", "95", 25_000_00)];
    for _ in 0..3 {
        rows.rotate_left(1);
        let lowest = solve(&book(tax_rule(), rows.clone()), &asked, SolveFor::DownPayment, Cents(100_00)).unwrap();
        assert_eq!(lowest.quote.quoted().unwrap().quote.amount_financed, Cents(20_000_00));
    }
    // A target is asked for, within bounds, except for the payment as it is.
    let target = |sought, target| solve(&book(tax_rule(), rows.clone()), &asked, sought, Cents(target)).err();
    for sought in [SolveFor::DownPayment, SolveFor::Price, SolveFor::Term] {
        assert_eq!(target(sought, 0), Some(FinanceError::NoTarget));
        let out = Some(FinanceError::AmountOutOfRange { what: "The payment" });
        assert_eq!((target(sought, -1), target(sought, Cents::LIMIT.0 + 1)), (out.clone(), out));
    }
    let asked = request(QuoteKind::Retail);
    assert!((0..2).all(|target| solve(&book(tax_rule(), rows.clone()), &asked, SolveFor::Payment, Cents(target)).is_ok()));
}

/// What is over a lessor's limit only with the tax that is capitalized is over it.
#[test]
fn capitalized_tax_counts_towards_the_limits_of_a_lease() {
    let rule = TaxRule { lease_method: LeaseTaxMethod::UpfrontTotal, ..tax_rule() };
    let mut asked = request(QuoteKind::Lease);
    asked.worksheet.capitalize_tax = true;
    let sheet = |most: Cents| Program { max_financed: most, ..program(1, QuoteKind::Lease, "0") };
    let answer = |most: Cents, asked: &QuoteRequest| quote_all(&book(rule.clone(), vec![sheet(most)]), asked).unwrap().remove(0);
    let quote = answer(Cents(100_000_00), &asked).quoted().unwrap().quote.clone();
    let tax = quote.lease.as_ref().unwrap().capitalized_tax;
    assert!(tax > Cents(500_00), "{tax}");
    let grid = payment_grid(&book(rule.clone(), vec![sheet(quote.amount_financed)]), &asked, &[36], &[asked.worksheet.cash_down]).unwrap();
    assert_eq!(grid[0].best().map(|o| (o.amount_financed, o.payment)), Some((quote.amount_financed, quote.payment)));
    // A cent less, and the lessor says so, with the money down that clears it: less than what is over, for the tax falls with it.
    let most = quote.amount_financed - Cents(1_000_00);
    let refusal = answer(most, &asked).refusals()[0].clone();
    let more = refusal.change_amount.unwrap();
    assert_eq!((refusal.rule, refusal.message.contains(&quote.amount_financed.to_string())), (RefusalRule::MaxFinanced, true));
    assert!(more < Cents(1_000_00) && more > Cents(900_00), "{more}");
    for (down, taken) in [(more, true), (more - Cents(1), false)] {
        let mut again = asked.clone();
        again.worksheet.cash_down += down;
        assert_eq!(answer(most, &again).quoted().is_some(), taken, "{down} more down");
    }
}

#[test]
fn what_no_money_clears_is_not_asked_for() {
    let refused = |sheet: &Program, asked: &QuoteRequest| quoted(vec![sheet.clone()], asked).refusals().to_vec();
    let told =
        |refusals: Vec<Refusal>| refusals.into_iter().map(|r| (r.rule, r.change.is_some(), r.change_amount.is_some())).collect::<Vec<_>>();
    // 40 % of 3,000 are 1,200: other debts of 1,600 leave nothing for a car.
    let sheet = Program { max_debt_to_income: Some(points("40")), min_financed: Cents(15_000_00), ..program(1, QuoteKind::Retail, "6.9") };
    let mut asked = request(QuoteKind::Retail);
    asked.worksheet.purse = Some(Purse { gross_income: Cents(3_000_00), debts: Cents(1_600_00) });
    assert_eq!(told(refused(&sheet, &asked)), [(RefusalRule::DebtToIncome, false, false)]);
    // Debts of 1,100 leave 100 a month, for which the lender does not lend as little as it takes.
    asked.worksheet.purse = Some(Purse { gross_income: Cents(3_000_00), debts: Cents(1_100_00) });
    assert_eq!(told(refused(&sheet, &asked)), [(RefusalRule::DebtToIncome, true, false)]);
    // Who clears one rule is not surprised by the next.
    asked.worksheet.price = Cents(12_000_00);
    asked.worksheet.cash_down = Cents(500_00);
    assert_eq!(told(refused(&sheet, &asked)), [(RefusalRule::MinFinanced, false, false), (RefusalRule::DebtToIncome, true, false)]);
    (asked.worksheet.price, asked.worksheet.cash_down) = (Cents(21_500_00), Cents(9_000_00));
    assert_eq!(told(refused(&sheet, &asked))[0], (RefusalRule::MinFinanced, true, true));
}

#[test]
fn a_grid_cell_is_the_quote_of_its_term_and_down_payment() {
    let programs: Vec<Program> = (0..6).map(|n| program(n, QuoteKind::Retail, &format!("{}.9", 4 + n))).collect();
    let book = book(tax_rule(), programs);
    let (terms, downs) = ([24, 36, 48, 60, 72, 84], [Cents::ZERO, Cents(2_500_00), Cents(60_000_00)]);
    let cells = payment_grid(&book, &request(QuoteKind::Retail), &terms, &downs).unwrap();
    assert_eq!(cells.len(), 18);
    for cell in &cells {
        let mut asked = request(QuoteKind::Retail);
        (asked.worksheet.term_months, asked.worksheet.cash_down) = (cell.term_months, cell.cash_down);
        if cell.cash_down == Cents(60_000_00) {
            assert!(cell.offers.is_empty() && quote_all(&book, &asked).is_err());
            continue;
        }
        let quotes = quote_all(&book, &asked).unwrap();
        let want: Vec<_> =
            quotes.iter().map(|q| (q.program.id, q.quoted().unwrap().quote.payment, q.quoted().unwrap().quote.apr)).collect();
        let got: Vec<_> = cell.offers.iter().map(|o| (o.program.id, o.payment, o.apr)).collect();
        assert_eq!(got, want);
        assert_eq!(cell.best().map(|o| o.payment), want.iter().map(|offer| offer.1).min());
    }
    let cells = |terms: &[u16], downs: &[Cents]| payment_grid(&book, &request(QuoteKind::Retail), terms, downs).map(|cells| cells.len());
    assert_eq!(cells(&[36; 12], &[Cents::ZERO; 8]), Ok(96));
    assert!(cells(&[36; 13], &[Cents::ZERO; 8]).is_err() && cells(&[36; 12], &[Cents::ZERO; 9]).is_err());
}

/// Half of a service contract's price is taxed, GAP is not; at the car's rate, or at one of their own.
#[test]
fn products_are_taxed_by_their_kind_and_by_a_rate_of_their_own_where_there_is_one() {
    let products = [(ProductKind::ServiceContract, Cents(1_995_00)), (ProductKind::Gap, Cents(800_00)), (ProductKind::Key, Cents(200_00))];
    let sale = Taxable { price: Cents(20_000_00), products: &products, ..Taxable::default() };
    let rule = TaxRule { service_contract_taxed: points("50"), ..tax_rule() };
    let of = |rule: &TaxRule| {
        let lines = rule.on_purchase(&sale).unwrap();
        let line = lines.into_iter().find(|line| line.code == "TAX_PRODUCTS").unwrap();
        (line.base, line.amount)
    };
    // 997.50 and 200.00 at 8.25 %, or at 6.75 %.
    assert_eq!(of(&rule), (Cents(1_197_50), Cents(98_79)));
    assert_eq!(of(&TaxRule { product_rate: Some(points("6.75")), ..rule.clone() }), (Cents(1_197_50), Cents(80_83)));
    assert_eq!(rule.purchase_amount(&sale).unwrap(), Cents(1_650_00 + 98_79));
}

#[test]
fn a_contract_takes_amounts_up_to_the_limit() {
    let terms = |amount| {
        let (contract, first) = ("2026-03-15".parse().unwrap(), "2026-04-15".parse().unwrap());
        RetailTerms::new(amount, points("6.9"), 60, contract, first, AccrualBasis::Thirty360).payment()
    };
    assert!(terms(Cents::LIMIT).is_ok());
    assert_eq!(terms(Cents::LIMIT + Cents(1)), Err(FinanceError::AmountOutOfRange { what: "The amount financed" }));
}

#[test]
fn a_contract_takes_rates_and_balloons_up_to_their_limits() {
    let terms = contract(PaymentSchedule::Monthly, AccrualBasis::Thirty360);
    let rate = |rate| RetailTerms { rate, ..terms.clone() }.payment();
    assert!(rate(Rate::LIMIT).is_ok() && rate(Rate::ZERO).is_ok());
    assert_eq!(rate(Rate(Rate::LIMIT.0 + 1)), Err(FinanceError::RateOutOfRange));
    assert_eq!(rate(Rate(-1)), Err(FinanceError::RateOutOfRange));
    // The whole loan as a balloon: interest only, 9 % of 20,000 a twelfth at a time.
    let interest_only = RetailTerms { balloon: Cents(20_000_00), ..terms.clone() }.figures().unwrap();
    assert_eq!((interest_only.payment, interest_only.final_payment), (Cents(150_00), Cents(20_150_00)));
    // One payment within the first month, with a balloon: 20 of 30 days.
    let short = RetailTerms { term_months: 1, balloon: Cents(5_000_00), first_payment_date: d("2026-02-04"), ..terms };
    let figures = short.figures().unwrap();
    assert_eq!((figures.payment, figures.final_payment), (Cents(15_100_00), Cents(20_100_00)));
    assert!((figures.apr.0 - points("9").0).abs() < 10, "{}", figures.apr);
}

/// Six months and ten days are 190 of 360.
#[test]
fn each_kind_of_product_is_taxed_by_its_own_word_of_the_row() {
    let row = |service_contract_taxable, gap_taxable, maintenance_taxable, other_product_taxable| TaxRule {
        service_contract_taxable,
        gap_taxable,
        maintenance_taxable,
        other_product_taxable,
        ..tax_rule()
    };
    let taxed = |rule: TaxRule| ProductKind::ALL.iter().copied().filter(|kind| rule.product_taxable(*kind)).collect::<Vec<_>>();
    assert_eq!(taxed(row(true, false, false, false)), [ProductKind::ServiceContract]);
    assert_eq!(taxed(row(false, true, false, false)), [ProductKind::Gap]);
    assert_eq!(taxed(row(false, false, true, false)), [ProductKind::Maintenance]);
    assert_eq!(taxed(row(false, false, false, true)).len(), ProductKind::ALL.len() - 3);
}

/// 500.00 with a charge of 10,000.00 in it: twelve payments of 900 are far beyond a thousand percent a year.
#[test]
fn a_rate_beyond_a_thousand_percent_is_refused_by_name() {
    let mut dear = program(0, QuoteKind::Retail, "6.9");
    dear.acquisition_fee = Cents(10_000_00);
    let mut asked = request(QuoteKind::Retail);
    asked.worksheet = Worksheet { term_months: 12, ..Worksheet::new(QuoteKind::Retail, Currency::USD, Cents(500_00)) };
    let rules = book(tax_rule(), vec![]);
    let quote = |program| asked.input(&rules, Some(&std::sync::Arc::new(program))).unwrap().quote();
    assert_eq!(quote(dear.clone()).map(|q| q.apr), Err(FinanceError::RateOutOfRange));
    dear.acquisition_fee = Cents(1_000_00);
    assert!(quote(dear).unwrap().apr.is_some_and(|apr| apr < Rate::LIMIT));
}

#[test]
fn a_single_payment_counts_months_of_thirty_days_and_the_days_left() {
    let terms = RetailTerms { first_payment_date: d("2026-07-25"), ..contract(PaymentSchedule::Single, AccrualBasis::Thirty360) };
    assert_eq!(terms.payment(), Ok(Cents(20_950_00)));
}

/// What a line says and what the search for a price reckons with are one amount.
#[test]
fn lines_of_tax_and_their_amount_agree() {
    let rule = TaxRule { minimum_tax: Cents(75_00), ..tax_rule() };
    let products = [(ProductKind::ServiceContract, Cents(1_000_00)), (ProductKind::Gap, Cents(500_00))];
    for price in [0, 1, 500_00, 909_08, 909_09, 30_000_00] {
        let sale = Taxable { price: Cents(price), products: &products, ..Taxable::default() };
        let lines = rule.on_purchase(&sale).unwrap();
        assert_eq!(rule.purchase_amount(&sale), Ok(deskless::finance::tax::total(&lines)), "{price}");
    }
    let amount = |price| rule.purchase_amount(&Taxable { price: Cents(price), ..Taxable::default() }).unwrap();
    // The least tax is due on a sale, not on nothing; 8.25 % of 909.09 are 75.00.
    assert_eq!((amount(0), amount(1), amount(909_09), amount(1_000_00)), (Cents::ZERO, Cents(75_00), Cents(75_00), Cents(82_50)));
    // A state that takes nothing has no line; one whose base is nothing has a line of nothing.
    let codes = |rule: &TaxRule, base| -> Vec<_> { rule.on_base(Cents(base), false, "").unwrap().iter().map(|l| l.code).collect() };
    assert_eq!(codes(&rule, 0), ["TAX_STATE"]);
    assert_eq!(codes(&rule, 100_00), ["TAX_STATE", "TAX_LOCAL"]);
    let counties_only = TaxRule { state_rate: Rate::ZERO, ..tax_rule() };
    assert_eq!(codes(&counties_only, 100_00), ["TAX_LOCAL"]);
    let state_only = TaxRule { local_rate: Rate::ZERO, ..tax_rule() };
    assert_eq!(codes(&state_only, 100_00), ["TAX_STATE"]);
}

#[test]
fn what_lowers_a_leases_cost_is_taxed_as_the_rule_says() {
    let base = |change: fn(&mut TaxRule)| {
        let mut rule = TaxRule {
            manufacturer_rebate_reduces_base: true,
            dealer_rebate_reduces_base: true,
            lease_trade_credit: true,
            lease_reduction_taxable: true,
            ..tax_rule()
        };
        change(&mut rule);
        rule.lease_reduction_base(Cents(1_000_00), Cents(200_00), Cents(30_00), Cents(4_00))
    };
    assert_eq!(base(|_| ()), Cents(1_000_00));
    assert_eq!(base(|r| r.manufacturer_rebate_reduces_base = false), Cents(1_200_00));
    assert_eq!(base(|r| r.dealer_rebate_reduces_base = false), Cents(1_030_00));
    assert_eq!(base(|r| r.lease_trade_credit = false), Cents(1_004_00));
    assert_eq!(base(|r| r.lease_reduction_taxable = false), Cents::ZERO);
}
