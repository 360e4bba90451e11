//! The checked figures of the trade's rules: each has a test that fails when the figure differs. Here are those that need no
//! database and stood nowhere else; the table says where every other one is.
//!
//! | what | figures | test |
//! |---|---|---|
//! | Level payment, last payment, total | 30,000 at 6.9 % for 72: 510.03, 510.10, 36,722.23 | `finance_laws::golden_contract_of_thirty_thousand` |
//! | Odd first period | 45 days: 511.40; the rate of 510.03 is 6.8062 % | the same; `apr::tests::a_long_first_period_lowers_the_rate` |
//! | Regulation Z, Appendix J | 9.69, 11.82, 10.34 %, every unit-period | `apr::tests`, `finance_engine::appendix_j_on_every_schedule`, `finance_oracles` |
//! | Tolerances | 1/8 and 1/4 point; 5 and 10 dollars | `apr::tests::tolerance_is_an_eighth_and_a_quarter` |
//! | Minor irregularities of the first period | 11 days short, 21 long | `finance_engine::a_slightly_odd_first_period_may_be_left_out_of_the_rate` |
//! | Days to the first payment | 0 to 90, 30 by default | `retail::schedule::tests::thirty_days_are_one_period` |
//! | Reserve | 495.77, 517.25, spread 1,299.69, 75 % 974.77 | `finance_laws::golden_contract_of_thirty_thousand`; here: the naive 1,546.56 is not it |
//! | Amount financed for 500.00 | 29,409.99 | `finance_laws::golden_contract_of_thirty_thousand` |
//! | Markup caps | California 2.5 points to 60 months, 2 beyond | here, on the seeded law row, and `deals_markup` |
//! | Loan to value, payment and debt to income | 130, 15, 45 % | here |
//! | Amounts by term; products' caps | 72 months 15,000, 84 months 25,000; 20 % and 6,000; 1,500 | here; `finance_engine::every_refusal_names_its_rule_and_the_change_that_clears_it` |
//! | Adders | −0.25 up to 90 % | here |
//! | Golden lease | 40,735, 34,235, 309.31, 71.67, 380.97, 13,714.92, 2,579.92, 414.78 | `lease::tests::golden_lease`, `deals_figures::the_lease_of_b13_comes_out_to_the_cent`; here: 414.79 is the other rounding |
//! | Money factor | 1/2400 of the rate; a deposit takes off .00007 | `lease::tests` |
//! | Golden tax of each state | 2,181.16 1,125.00 1,255.10 602.55 1,248.53 1,205.10 1,775.00 | `finance_rules::golden_deal_of_every_state_comes_out_to_the_cent`; here: Virginia's other reading 1,165.53 |
//! | Michigan's real deal | 22,154.00 at 6 %: 1,329.24 | here |
//! | Trade-ins | equity, over-allowance, negative equity; the tax credit is the allowance | here |
//! | GAP: 4 % and 70 % (CA), 5 % (TX), 30 days of free look (CA, SC) | | `product::tests`; here on the seeded law rows |
//! | State minimums of liability | CA 30/60/15, VA 50/100/25, NC 50/100/50 … | here, on the seeded rows |
//! | Lenders' demands | deductible 1,000, lease 100/300/50 | `finance_rules::premiums_are_base_times_factors_and_meet_the_demands`; here |
//! | Price from a payment | the closed form and the search agree to the cent | `finance_laws::solving_for_a_payment_and_quoting_again_hits_it`; here |

use std::collections::HashMap;

use deskless::finance::retail::{self, AccrualBasis, RetailTerms};
use deskless::finance::tax::{LocalTaxRule, Taxable, TradePolicy, negative_equity, total};
use deskless::finance::{
    BookRow, CollateralBasis, GuideValue, Jurisdiction, MarkupLaw, ProductKind, ProductLine, Purse, QuoteInput, QuoteKind, RefusalRule,
    RuleBook, RuleRows, TaxRule, TradeIn, quote_all,
};
use deskless::kernel::id::{GroupId, ProductId};
use deskless::kernel::money::Cents;
use deskless::kernel::rate::Rate;

use super::finance_book::{book, group, points, program, request, tax_rule, today};

/// The rows of a seeded table, by the names of its columns.
fn seeded(table: &str) -> Vec<HashMap<String, String>> {
    let path = format!("{}/seeds/rules/{table}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("a seeded table");
    let mut lines = text.lines().map(cells);
    let names = lines.next().expect("names");
    lines.map(|row| names.iter().cloned().zip(row).collect()).collect()
}

/// The cells of a line, quotes taken off.
fn cells(line: &str) -> Vec<String> {
    let (mut out, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    out.push(cell);
    out
}

fn level(amount: i64, rate: &str) -> Cents {
    let (contract, first) = ("2026-03-15".parse().unwrap(), "2026-04-15".parse().unwrap());
    RetailTerms::new(Cents(amount), points(rate), 72, contract, first, AccrualBasis::Thirty360).payment().unwrap()
}

/// The reserve is what the difference is worth today, not the sum of the differences.
#[test]
fn the_reserve_is_a_present_value() {
    let (bought, sold) = (level(30_000_00, "5.9"), level(30_000_00, "7.4"));
    let naive = Cents((sold - bought).0 * 72);
    assert_eq!(naive, Cents(1_546_56));
    assert_eq!(retail::reserve_spread(Cents(30_000_00), points("5.9"), sold, 72), Ok(Cents(1_299_69)));
    // Through a program: three quarters of it, beside the flat amount.
    let sheet =
        deskless::finance::Program { flat_reserve: Cents::ZERO, accrual: AccrualBasis::Thirty360, ..program(1, QuoteKind::Retail, "5.9") };
    let mut asked = request(QuoteKind::Retail);
    let rule = TaxRule { scheme: deskless::finance::tax::TaxScheme::None, ..tax_rule() };
    // 30,000 financed: the fees of the book are 118.
    asked.worksheet.price = Cents(31_882_00);
    asked.worksheet.term_months = 72;
    asked.worksheet.markup = points("1.5");
    let answers = quote_all(&book(rule, vec![sheet]), &asked).unwrap();
    let quote = &answers[0].quoted().expect("a quote").quote;
    assert_eq!((quote.amount_financed, quote.payment, quote.reserve), (Cents(30_000_00), Cents(517_25), Cents(974_77)));
}

/// Monthly tax is taken on the rounded payment; on the unrounded one it would be a cent more.
#[test]
fn the_other_rounding_of_the_golden_lease_is_a_cent_more() {
    let rate = points("8.875");
    assert_eq!(Cents(380_97) + rate.of(Cents(380_97)).unwrap(), Cents(414_78));
    // (34,235 − 23,100)/36 + 57,335 × .00125 = 380.974305…, and 8.875 % more: 414.7858…
    let exact = rust_decimal::Decimal::from(11_135) / rust_decimal::Decimal::from(36) + rust_decimal::Decimal::new(7_166_875, 5);
    assert_eq!((exact * rust_decimal::Decimal::new(108_875, 5)).round_dp(2).to_string(), "414.79");
}

/// A dealer's export: cash price 23,900 and document fee 230 and 24, less a trade-in of 2,000; the service contract is not taxed.
#[test]
fn michigans_real_deal() {
    let rule = TaxRule {
        state_rate: points("6"),
        local_rule: LocalTaxRule::None,
        trade_policy: TradePolicy::Capped,
        trade_cap: Some(Cents(11_000_00)),
        trade_cap_count: Some(1),
        service_contract_taxable: false,
        ..tax_rule()
    };
    let trade_ins = [TradeIn { allowance: Cents(2_000_00), ..TradeIn::default() }];
    let products = [(ProductKind::ServiceContract, Cents(2_195_00))];
    let sale =
        Taxable { price: Cents(23_900_00), doc_fee: Cents(254_00), trade_ins: &trade_ins, products: &products, ..Taxable::default() };
    assert_eq!(rule.vehicle_base(&sale), Ok(Cents(22_154_00)));
    assert_eq!(total(&rule.on_purchase(&sale).unwrap()), Cents(1_329_24));
}

/// The statute and the old manual differ on Virginia's rebates: a row of its own for each reading, and both come out.
#[test]
fn virginias_two_readings() {
    let rule = |deducted| TaxRule {
        state_rate: points("4.15"),
        local_rule: LocalTaxRule::None,
        trade_policy: TradePolicy::None,
        manufacturer_rebate_reduces_base: deducted,
        minimum_tax: Cents(75_00),
        ..tax_rule()
    };
    let trade_ins = [TradeIn { allowance: Cents(10_000_00), ..TradeIn::default() }];
    let sale = Taxable {
        price: Cents(30_000_00),
        doc_fee: Cents(85_00),
        trade_ins: &trade_ins,
        manufacturer_rebate: Cents(2_000_00),
        new_vehicle: true,
        ..Taxable::default()
    };
    let tax = |deducted| total(&rule(deducted).on_purchase(&sale).unwrap());
    assert_eq!((tax(false), tax(true)), (Cents(1_248_53), Cents(1_165_53)));
}

#[test]
fn trade_ins_count_gross_for_tax_and_net_for_the_deal() {
    let owed =
        TradeIn { allowance: Cents(10_000_00), payoff: Cents(12_500_00), actual_cash_value: Some(Cents(9_200_00)), ..TradeIn::default() };
    assert_eq!(owed.over_allowance(), Some(Cents(800_00)));
    assert_eq!(negative_equity(&[owed]), Cents(2_500_00));
    assert_eq!(tax_rule().trade_credit(true, &[owed]), Ok(Cents(10_000_00)), "the allowance, not the equity");
    // Another trade-in with equity makes up for it.
    let own = TradeIn { allowance: Cents(3_000_00), ..TradeIn::default() };
    assert_eq!(negative_equity(&[owed, own]), Cents::ZERO);
}

/// 15 and 45 percent of the income, 130 percent of the value; to the cent.
#[test]
fn a_lenders_ratios_hold_to_the_cent() {
    let sheet = |f: &dyn Fn(&mut deskless::finance::Program)| {
        let mut sheet = program(1, QuoteKind::Retail, "6.9");
        f(&mut sheet);
        book(TaxRule { scheme: deskless::finance::tax::TaxScheme::None, ..tax_rule() }, vec![sheet])
    };
    let rules = |book: &deskless::finance::RuleBook, asked: &deskless::finance::QuoteRequest| -> Vec<RefusalRule> {
        quote_all(book, asked).unwrap()[0].refusals().iter().map(|r| r.rule).collect()
    };
    let mut asked = request(QuoteKind::Retail);
    // 1,300 of 1,000: 42,000 at 130 % are 54,600.
    let ltv = sheet(&|s| s.max_ltv = points("130"));
    let financed = |cents: i64| Cents(cents + 2_000_00 - 118_00);
    asked.worksheet.price = financed(54_600_00);
    assert_eq!(rules(&ltv, &asked), []);
    asked.worksheet.price = financed(54_600_01);
    assert_eq!(rules(&ltv, &asked), [RefusalRule::LoanToValue]);
    // The payment of 30,000 over 72 months is 510.03 on equal periods: 15 % of 3,400.20.
    asked.worksheet.price = financed(30_000_00);
    asked.worksheet.term_months = 72;
    let income = sheet(&|s| {
        (s.accrual, s.max_payment_to_income, s.max_debt_to_income) = (AccrualBasis::Thirty360, Some(points("15")), Some(points("45")));
    });
    let mut with = |gross: i64, debts: i64| {
        asked.worksheet.purse = Some(Purse { gross_income: Cents(gross), debts: Cents(debts) });
        rules(&income, &asked)
    };
    assert_eq!(with(3_400_20, 0), []);
    assert_eq!(with(3_400_19, 0), [RefusalRule::PaymentToIncome]);
    // 45 % of 4,000 are 1,800: 1,289.97 of other debts are the most.
    assert_eq!(with(4_000_00, 1_289_97), []);
    assert_eq!(with(4_000_00, 1_289_98), [RefusalRule::DebtToIncome]);
    // A quarter point less where at most 90 % of the value is lent.
    let adder = sheet(&|s| {
        s.adders = vec![deskless::finance::RateAdder {
            label: "loan to value up to 90 %".into(),
            subject: deskless::finance::AdderSubject::LoanToValue,
            above: None,
            up_to: Some(9_000),
            points: Rate(-250_000),
        }];
    });
    let mut at = |cents: i64| {
        asked.worksheet.purse = None;
        asked.worksheet.price = financed(cents);
        quote_all(&adder, &asked).unwrap()[0].quoted().unwrap().quote.sell_rate
    };
    assert_eq!((at(37_800_00), at(37_800_01)), (Some(points("6.65")), Some(points("6.9"))));
}

/// 72 months need 15,000, 84 months 25,000; a service contract at most 20 % and 6,000, GAP at most 1,500.
#[test]
fn a_credit_unions_amounts_and_caps() {
    let mut sheet = program(1, QuoteKind::Retail, "6.9");
    sheet.term_minimums = [(60, 15_000_00), (72, 25_000_00)]
        .map(|(above_months, cents)| deskless::finance::TermMinimum { above_months, min_financed: Cents(cents) })
        .into();
    sheet.backend.service_contract = Some(Cents(6_000_00));
    sheet.backend.service_contract_percent = Some(points("20"));
    sheet.backend.gap = Some(Cents(1_500_00));
    let book = book(TaxRule { scheme: deskless::finance::tax::TaxScheme::None, ..tax_rule() }, vec![sheet]);
    let mut asked = request(QuoteKind::Retail);
    let mut rules = |financed: i64, term: u16, msrp: i64, product: Option<(ProductKind, i64)>| -> Vec<RefusalRule> {
        asked.worksheet.term_months = term;
        asked.vehicle.msrp = Some(Cents(msrp));
        asked.worksheet.products = product
            .map(|(kind, cents)| ProductLine {
                id: ProductId(uuid::Uuid::nil()),
                code: "P".into(),
                name: "P".into(),
                kind,
                price: Cents(cents),
            })
            .into_iter()
            .collect();
        let products = product.map_or(0, |(_, cents)| cents);
        asked.worksheet.price = Cents(financed - products + 2_000_00 - 118_00);
        quote_all(&book, &asked).unwrap()[0].refusals().iter().map(|r| r.rule).collect()
    };
    assert_eq!((rules(15_000_00, 72, 42_000_00, None), rules(14_999_99, 72, 42_000_00, None)), (vec![], vec![RefusalRule::TermAmount]));
    assert_eq!((rules(25_000_00, 84, 42_000_00, None), rules(24_999_99, 84, 42_000_00, None)), (vec![], vec![RefusalRule::TermAmount]));
    assert_eq!(rules(14_999_99, 60, 42_000_00, None), []);
    let contract = |cents| Some((ProductKind::ServiceContract, cents));
    assert_eq!(rules(20_000_00, 60, 42_000_00, contract(6_000_00)), []);
    // The taxed price is not the point here: the scheme is none.
    assert_eq!(rules(20_000_00, 60, 42_000_00, contract(6_000_01)), [RefusalRule::ServiceContract]);
    assert_eq!(rules(20_000_00, 60, 25_000_00, contract(5_000_00)), []);
    assert_eq!(rules(20_000_00, 60, 25_000_00, contract(5_000_01)), [RefusalRule::ServiceContract]);
    let gap = |cents| Some((ProductKind::Gap, cents));
    assert_eq!(
        (rules(20_000_00, 60, 42_000_00, gap(1_500_00)), rules(20_000_00, 60, 42_000_00, gap(1_500_01))),
        (vec![], vec![RefusalRule::Gap])
    );
}

/// The closed form `P·(1 − (1 + i)^−n)/i` and the payment are inverse to the cent.
#[test]
fn the_amount_behind_a_payment() {
    let amount = retail::principal_for_payment(Cents(500_00), points("6.9"), 72).unwrap();
    assert_eq!(amount, Cents(29_409_99));
    assert_eq!(level(amount.0, "6.9"), Cents(500_00));
}

/// What states ask of every driver today: bodily injury per person and accident, property damage, in thousands.
#[test]
fn state_minimums_are_seeded() {
    let rows = seeded("insurance_minimums");
    let today = |row: &&HashMap<String, String>| row["to"].is_empty();
    for (state, limits, personal, from) in [
        ("CA", "30/60/15", "0.00", "2025-01-01"),
        ("VA", "50/100/25", "0.00", "2025-01-01"),
        ("NC", "50/100/50", "0.00", "2025-07-01"),
        ("FL", "0/0/10", "10000.00", ""),
        ("TX", "30/60/25", "0.00", ""),
        ("MI", "50/100/10", "50000.00", ""),
        ("NY", "25/50/10", "50000.00", ""),
    ] {
        let row = rows.iter().filter(today).find(|r| r["state"] == state).unwrap_or_else(|| panic!("{state}"));
        let thousands = |name: &str| row[name].strip_suffix("000.00").or(row[name].strip_suffix(".00")).unwrap().to_owned();
        let got = ["bodily_injury_person", "bodily_injury_accident", "property_damage"].map(thousands).join("/");
        assert_eq!((got.as_str(), row["personal_injury"].as_str()), (limits, personal), "{state}");
        if !from.is_empty() {
            assert_eq!(row["from"], from, "{state}");
        }
    }
}

/// At most 4 % of the amount financed and not below 70 % of the value in California, 5 % in Texas; a month of free look.
#[test]
fn gap_laws_are_seeded() {
    let rows = seeded("product_laws");
    let of = |state: &str, name: &str| rows.iter().find(|r| r["state"] == state && r["kind"] == "GAP").unwrap()[name].clone();
    assert_eq!((of("CA", "price_cap_percent"), of("CA", "min_ltv"), of("CA", "free_look_days")), ("4".into(), "70".into(), "30".into()));
    assert_eq!((of("CA", "cancel_fee_cap"), of("TX", "price_cap_percent")), ("0.00".into(), "5".into()));
    assert_eq!((of("SC", "free_look_days"), of("SC", "cancel_fee_cap")), ("30".into(), "0.00".into()));
}

/// A lender takes a deductible of at most 1,000; a lessor asks for 100/300/50.
#[test]
fn lenders_demands_are_seeded() {
    let rows = seeded("insurance_demands");
    let every = |interest: &str| rows.iter().find(|r| r["interest"] == interest && r["lender"].is_empty()).unwrap().clone();
    assert_eq!(every("LOAN")["max_deductible"], "1000.00");
    let lease = every("LEASE");
    assert_eq!(
        ["max_deductible", "bodily_injury_person", "bodily_injury_accident", "property_damage"].map(|name| lease[name].as_str()),
        ["1000.00", "100000.00", "300000.00", "50000.00"]
    );
}

/// California lets dealers add 2.5 points to 60 months and 2 beyond, whatever the lender allows.
#[test]
fn the_law_caps_what_a_dealer_adds() {
    let rows = seeded("rate_markup_laws");
    let laws: Vec<MarkupLaw> = rows
        .iter()
        .map(|row| MarkupLaw {
            id: uuid::Uuid::from_u128(700 + row["above_months"].parse::<u128>().unwrap()),
            // The book of these tests has one place.
            state: if row["state"] == "CA" { "XX".into() } else { row["state"].clone() },
            above_months: row["above_months"].parse().unwrap(),
            points: points(&row["points"]),
            effective_from: Some(row["from"].parse().unwrap()),
            effective_to: None,
            verified: row["verified"] == "true",
        })
        .collect();
    let generous = deskless::finance::Program { max_markup: points("5"), ..program(1, QuoteKind::Retail, "5.9") };
    let book = RuleBook::new(RuleRows {
        jurisdictions: vec![Jurisdiction { code: "XX".into(), state: "XX".into(), name: "Somewhere".into() }],
        tax_rules: vec![tax_rule()],
        programs: vec![(group(), generous)],
        markup_laws: laws,
        ..RuleRows::default()
    });
    let answer = |markup: &str, term: u16| {
        let mut asked = request(QuoteKind::Retail);
        (asked.worksheet.markup, asked.worksheet.term_months) = (points(markup), term);
        quote_all(&book, &asked).unwrap().remove(0)
    };
    let refused = |markup, term| answer(markup, term).refusals().iter().map(|r| r.rule).collect::<Vec<_>>();
    assert_eq!((refused("2.5", 60), refused("2.51", 60)), (vec![], vec![RefusalRule::Markup]));
    assert_eq!((refused("2", 61), refused("2.01", 61)), (vec![], vec![RefusalRule::Markup]));
    // Nothing customers read says how far the rate lies above the lender's.
    let said = &answer("2.51", 60).refusals()[0].message.clone();
    assert!(!said.contains("2.5"), "{said}");
    // The quote names the law it was held against, with a markup or without: customers see which rules were used.
    let used = |markup| answer(markup, 60).quoted().unwrap().quote.rules.iter().filter(|r| r.table == "rate_markup_law").count();
    assert_eq!((used("1"), used("0")), (2, 2));
    let marked = answer("1", 60);
    let quote = &marked.quoted().unwrap().quote;
    assert_eq!((quote.sell_rate, quote.buy_rate, quote.verified), (Some(points("6.9")), Some(points("5.9")), true));
    // What was stored replays without the rows.
    let json = serde_json::to_string(&marked.quoted().unwrap().input).unwrap();
    assert_eq!(serde_json::from_str::<QuoteInput>(&json).unwrap().quote().as_ref(), Ok(quote));
}

/// A lender that measures against a guide book takes its value of the day, and refuses by name where there is none.
#[test]
fn loan_to_value_against_a_guide_book() {
    let mut asked = request(QuoteKind::Retail);
    let sheet =
        |basis| deskless::finance::Program { collateral_basis: basis, max_ltv: points("100"), ..program(1, QuoteKind::Retail, "6.9") };
    let answer =
        |basis, asked: &deskless::finance::QuoteRequest| quote_all(&book(tax_rule(), vec![sheet(basis)]), asked).unwrap().remove(0);
    assert_eq!(answer(CollateralBasis::BookRetail, &asked).refusals()[0].rule, RefusalRule::Collateral);
    let value = GuideValue {
        id: uuid::Uuid::from_u128(800),
        group_id: group(),
        vin: "1M8GDM9AXKP042788".into(),
        wholesale: Some(Cents(38_000_00)),
        retail: Some(Cents(45_000_00)),
        effective_from: Some(today()),
        effective_to: None,
        verified: true,
    };
    let rules = RuleBook::new(RuleRows { guide_values: vec![value.clone()], ..RuleRows::default() });
    assert_eq!(rules.guide_value(group(), "1M8GDM9AXKP042788", today()), Some(&value));
    assert_eq!(rules.guide_value(group(), "1M8GDM9AXKP042788", today().pred_opt().unwrap()), None);
    assert_eq!(rules.guide_value(GroupId(uuid::Uuid::from_u128(9)), "1M8GDM9AXKP042788", today()), None);
    (asked.vehicle.book_wholesale, asked.vehicle.book_retail) = (value.wholesale, value.retail);
    asked.vehicle.book_row = Some(BookRow { id: value.id, verified: value.verified });
    // 40,000 and 8.25 % on it and the document fee, 85 and 33, less 2,000: about 41,425.
    let taken = answer(CollateralBasis::BookRetail, &asked);
    let quote = &taken.quoted().expect("within 45,000").quote;
    assert_eq!(quote.rate_story.as_ref().unwrap().collateral, value.retail);
    assert!(quote.rules.iter().any(|r| r.table == "guide_value" && r.id == value.id));
    assert_eq!(answer(CollateralBasis::BookWholesale, &asked).refusals()[0].rule, RefusalRule::LoanToValue);
    let other = answer(CollateralBasis::Price, &asked);
    assert!(other.refusals().iter().all(|r| r.rule == RefusalRule::LoanToValue), "the price is not the book's");
}
