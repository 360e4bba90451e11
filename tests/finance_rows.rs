//! The book of rules: which row answers, by day, place and group. No database.

use chrono::NaiveDate;
use deskless::finance::retail::PaymentSchedule;
use deskless::finance::{
    ApprovalKind, ApprovalRule, BookRow, CancelMethod, CollateralBasis, CountsFrom, DeliveryLaw, DeliveryRight, FinanceError, Jurisdiction,
    LinePlacement, Product, ProductKind, ProductLaw, ProductLine, ProductRows, Program, QuoteKind, QuoteRequest, ReturnFees, RuleBook,
    RuleRows, TaxRule, TradeIn, cash_quote, quote_all,
};
use deskless::insurance::{InsuranceBook, InsuranceRows, Insurer};
use deskless::kernel::id::{GroupId, InsurerId, ProductId, StoreId};
use deskless::kernel::money::Cents;
use uuid::Uuid;

use super::finance_book::{book, group, points, program, request, store, tax_rule, today};

fn tomorrow() -> NaiveDate {
    today() + chrono::Days::new(1)
}
fn yesterday() -> NaiveDate {
    today() - chrono::Days::new(1)
}
/// From today until before tomorrow, all days around it.
const DAYS: [fn() -> NaiveDate; 3] = [yesterday, today, tomorrow];

fn product(id: u128) -> Product {
    Product {
        id: ProductId(Uuid::from_u128(id)),
        group_id: group(),
        code: "GAP".into(),
        kind: ProductKind::Gap,
        name: "GAP".into(),
        provider: "Anchor".into(),
        term_months: None,
        term_miles: None,
        deductible: None,
        price: Cents(800_00),
        cost: Cents(200_00),
        conditions: vec![],
        deal_kinds: vec![],
        states: vec![],
        max_age_years: None,
        max_odometer_miles: None,
        max_ltv: None,
        menu_columns: 2,
        must_decide: false,
        cancel_method: CancelMethod::ProRata,
        free_look_days: 30,
        cancel_fee: Cents::ZERO,
        effective_from: Some(today()),
        effective_to: Some(tomorrow()),
    }
}

#[test]
fn a_row_holds_from_its_first_day_until_before_the_day_it_ends() {
    let sheet = Program { effective_from: Some(today()), effective_to: Some(tomorrow()), ..program(1, QuoteKind::Retail, "5") };
    let rule = TaxRule { effective_from: Some(today()), effective_to: Some(tomorrow()), ..tax_rule() };
    let law = ProductLaw {
        id: Uuid::nil(),
        state: "XX".into(),
        kind: ProductKind::Gap,
        price_cap: None,
        min_ltv: None,
        free_look_days: None,
        cancel_fee_cap: None,
        rule_of_78_allowed: false,
        source: "by hand".into(),
        verified: true,
        effective_from: Some(today()),
        effective_to: Some(tomorrow()),
    };
    let back = DeliveryLaw {
        id: Uuid::nil(),
        state: "XX".into(),
        kind: DeliveryRight::Return,
        days: 3,
        counts_from: CountsFrom::Delivery,
        conditions: vec![],
        max_price: None,
        max_miles: None,
        fees: ReturnFees::default(),
        source: "by hand".into(),
        verified: true,
        effective_from: Some(today()),
        effective_to: Some(tomorrow()),
    };
    let id = sheet.id;
    let book = RuleBook::new(RuleRows {
        jurisdictions: vec![Jurisdiction { code: "XX".into(), state: "XX".into(), name: "Somewhere".into() }],
        tax_rules: vec![rule],
        programs: vec![(group(), sheet)],
        products: vec![product(7)],
        product_rows: ProductRows { laws: vec![law], ..ProductRows::default() },
        delivery_laws: vec![back],
        ..RuleRows::default()
    });
    let held = |answers: &dyn Fn(NaiveDate) -> bool| DAYS.map(|day| answers(day()));
    let once = [false, true, false];
    assert_eq!(held(&|day| book.programs(group(), day).count() == 1), once);
    assert_eq!(held(&|day| book.products(group(), day).count() == 1), once);
    assert_eq!(held(&|day| book.tax_rule("XX", day).is_ok()), once);
    assert_eq!(held(&|day| book.product_rows().law("XX", ProductKind::Gap, day).is_some()), once);
    assert_eq!(held(&|day| book.delivery_law("XX", DeliveryRight::Return, day).is_some()), once);
    // Of another state, of another kind.
    assert!(book.delivery_law("YY", DeliveryRight::Return, today()).is_none());
    assert!(
        DeliveryRight::ALL
            .iter()
            .filter(|kind| **kind != DeliveryRight::Return)
            .all(|kind| book.delivery_law("XX", *kind, today()).is_none())
    );
    assert!(book.product_rows().law("YY", ProductKind::Gap, today()).is_none());
    assert!(book.product_rows().law("XX", ProductKind::Key, today()).is_none());
    // By id they are known for ever: a deal may have been sold with them.
    assert_eq!(book.program(id).map(|p| p.id), Some(id));
    assert_eq!(book.product(ProductId(Uuid::from_u128(7))).map(|p| p.price), Some(Cents(800_00)));
    assert!(book.product(ProductId(Uuid::from_u128(8))).is_none());
    // Of another group.
    assert_eq!(book.products(GroupId(Uuid::from_u128(99)), today()).count(), 0);
    assert_eq!(book.tax_rules().len(), 1);
}

#[test]
fn an_address_belongs_to_the_longest_prefix_of_its_own_state() {
    let place = |code: &str, state: &str| Jurisdiction { code: code.into(), state: state.into(), name: code.into() };
    let book = RuleBook::new(RuleRows {
        jurisdictions: vec![place("NY", "NY"), place("NY-NYC", "NY"), place("NY-UP", "NY"), place("CT", "CT")],
        postal: vec![("100".into(), "NY-NYC".into()), ("1".into(), "NY-UP".into()), ("06390".into(), "NY-UP".into())],
        tax_rules: vec![TaxRule { jurisdiction: "NY-NYC".into(), ..tax_rule() }, TaxRule { jurisdiction: "CT".into(), ..tax_rule() }],
        ..RuleRows::default()
    });
    let at = |state, postal| book.jurisdiction_at(state, postal).map(|j| j.code.clone()).unwrap_or_default();
    assert_eq!(at("NY", "10001"), "NY-NYC");
    assert_eq!(at("NY", "12207-1234"), "NY-UP");
    assert_eq!(at("NY", "06390"), "NY-UP", "an island with another state's ZIP code");
    assert_eq!(at("CT", "06390"), "CT");
    assert_eq!((at("NY", "99999"), at("NY", ""), at("TX", "10001")), ("NY".into(), "NY".into(), String::new()));
    let listed: Vec<&str> = book.tax_rules().into_iter().map(|rule| rule.jurisdiction.as_str()).collect();
    assert_eq!(listed, ["CT", "NY-NYC"]);
}

#[test]
fn tiers_are_listed_once_and_the_best_first() {
    let tier = |n, name: &str, least| Program { credit_tier: name.into(), score_min: least, ..program(n, QuoteKind::Retail, "5") };
    let rows =
        vec![tier(1, "B", Some(640)), tier(2, "A", Some(720)), tier(3, "B", Some(640)), tier(4, "STUDENT", None), tier(5, "C", Some(580))];
    let book = book(tax_rule(), rows);
    assert_eq!(book.credit_tiers(group(), today()), ["A", "B", "C", "STUDENT"]);
    assert!(book.credit_tiers(GroupId(Uuid::from_u128(99)), today()).is_empty());
}

#[test]
fn a_stores_own_rule_stands_in_for_its_groups() {
    let rule = |id: u128, kind, of: Option<StoreId>, limit| ApprovalRule {
        id: Uuid::from_u128(id),
        group_id: group(),
        store_id: of,
        kind,
        effective_from: None,
        effective_to: None,
        limit,
        admin_limit: None,
        escalate_minutes: 10,
        answer_minutes: 60,
        valid_minutes: 60,
    };
    let other = StoreId(Uuid::from_u128(77));
    let ended = ApprovalRule { effective_to: Some(today()), ..rule(5, ApprovalKind::Term, Some(store()), 60_00) };
    let book = RuleBook::new(RuleRows {
        approval_rules: vec![
            rule(1, ApprovalKind::Discount, None, 5_00),
            rule(2, ApprovalKind::Discount, Some(store()), 3_00),
            rule(3, ApprovalKind::FrontGross, None, 500_00),
            rule(4, ApprovalKind::Term, None, 84_00),
            ended,
        ],
        ..RuleRows::default()
    });
    let of = |store| {
        let mut ids: Vec<u128> = book.approval_rules(group(), store, today()).map(|rule| rule.id.as_u128()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(of(store()), [2, 3, 4]);
    assert_eq!(of(other), [1, 3, 4]);
    assert_eq!(book.approval_rules(GroupId(Uuid::from_u128(99)), store(), today()).count(), 0);
    // What less of is worse, and what only managers see.
    let which = |is: fn(ApprovalKind) -> bool| ApprovalKind::ALL.iter().copied().filter(|kind| is(*kind)).collect::<Vec<_>>();
    assert_eq!(which(ApprovalKind::is_floor), [ApprovalKind::FrontGross]);
    assert_eq!(which(ApprovalKind::is_confidential), [ApprovalKind::FrontGross, ApprovalKind::OverAllowance, ApprovalKind::RateMarkup]);
}

#[test]
fn insurers_are_in_the_book() {
    let insurer = Insurer { id: InsurerId(Uuid::from_u128(5)), group_id: group(), code: "SAFE".into(), name: "Safe".into() };
    let insurance = InsuranceBook::new(InsuranceRows { insurers: vec![insurer], ..InsuranceRows::default() });
    let book = RuleBook::new(RuleRows { insurance, ..RuleRows::default() });
    assert_eq!(book.insurance().insurers(group()).map(|i| i.code.as_str()).collect::<Vec<_>>(), ["SAFE"]);
}

/// A quote is as sure as the parts of the rule that it uses.
#[test]
fn a_quote_is_marked_for_what_it_uses_of_a_rule() {
    let contract = |kind, price| {
        let mut asked = request(QuoteKind::Retail);
        asked.worksheet.products =
            vec![ProductLine { id: ProductId(Uuid::nil()), code: "P".into(), kind, name: "P".into(), price: Cents(price) }];
        asked
    };
    let verified = |rule: TaxRule, asked: &QuoteRequest| cash_quote(&book(rule, vec![]), asked).unwrap().quote.verified;
    let unsure = || TaxRule { product_verified: false, ..tax_rule() };
    assert!(verified(unsure(), &request(QuoteKind::Retail)), "no product");
    assert!(verified(unsure(), &contract(ProductKind::Gap, 800_00)), "GAP is not taxed");
    assert!(verified(unsure(), &contract(ProductKind::Key, 0)), "nothing is taxed");
    assert!(!verified(unsure(), &contract(ProductKind::Key, 200_00)));
    assert!(verified(tax_rule(), &contract(ProductKind::Key, 200_00)));
    assert!(!verified(TaxRule { verified: false, ..tax_rule() }, &request(QuoteKind::Retail)));
    let lease = |rule| {
        let answers = quote_all(&book(rule, vec![program(1, QuoteKind::Lease, "0")]), &request(QuoteKind::Lease)).unwrap();
        let quote = answers[0].quoted().unwrap().quote.clone();
        (quote.verified, quote.trace.iter().any(|step| step.step == "tax base"))
    };
    assert_eq!(lease(TaxRule { lease_verified: false, ..tax_rule() }), (false, false));
    assert_eq!(lease(TaxRule { verified: false, ..tax_rule() }), (true, false));
    let bought = cash_quote(&book(tax_rule(), vec![]), &request(QuoteKind::Retail)).unwrap().quote;
    assert!(bought.trace.iter().any(|step| step.step == "tax base"));
    // Rows of before products had a mark of their own.
    let mut old = serde_json::to_value(tax_rule()).unwrap();
    old.as_object_mut().unwrap().remove("product_verified");
    assert!(serde_json::from_value::<TaxRule>(old).unwrap().product_verified);
}

/// The guide book is behind a quote only where the lender measures against it.
#[test]
fn a_guide_book_counts_for_those_who_go_by_it() {
    let mut asked = request(QuoteKind::Retail);
    asked.vehicle.book_retail = Some(Cents(41_000_00));
    asked.vehicle.book_row = Some(BookRow { id: Uuid::from_u128(9), verified: false });
    let used = |basis| {
        let sheet = Program { collateral_basis: basis, ..program(1, QuoteKind::Retail, "5") };
        let quote = quote_all(&book(tax_rule(), vec![sheet]), &asked).unwrap().remove(0).quoted().unwrap().quote.clone();
        (quote.rules.iter().any(|rule| rule.table == "guide_value"), quote.verified)
    };
    assert_eq!(used(CollateralBasis::Msrp), (false, true));
    assert_eq!(used(CollateralBasis::BookRetail), (true, false));
}

#[test]
fn what_is_owed_beyond_a_trade_ins_worth_is_a_prior_balance() {
    let mut asked = request(QuoteKind::Retail);
    let trade = |allowance, payoff| TradeIn { allowance: Cents(allowance), payoff: Cents(payoff), ..TradeIn::default() };
    asked.worksheet.trade_ins = vec![trade(5_000_00, 9_000_00), trade(2_000_00, 500_00)];
    let priced = cash_quote(&book(tax_rule(), vec![]), &asked).unwrap();
    assert_eq!(priced.quote.prior_balance, Cents(2_500_00));
    assert_eq!(priced.input.prior_balance(), priced.quote.prior_balance);
    assert!(priced.quote.lines.iter().any(|line| line.placement == LinePlacement::Financed));
}

#[test]
fn a_contract_outside_its_limits_says_which() {
    use deskless::finance::retail::{AccrualBasis, RetailTerms};
    let of = |schedule, days: u64| {
        let terms =
            RetailTerms::new(Cents(20_000_00), points("9"), 36, today(), today() + chrono::Days::new(days), AccrualBasis::Actual365);
        RetailTerms { schedule, ..terms }
    };
    let (monthly, single) = (PaymentSchedule::Monthly, PaymentSchedule::Single);
    let too_late = Err(FinanceError::BadDates("the first payment must be due within a year"));
    assert!(of(monthly, 366).payment().is_ok() && of(monthly, 0).payment().is_ok());
    assert_eq!(of(monthly, 367).payment(), too_late);
    assert!(of(single, 367).payment().is_ok() && of(single, 3_700).payment().is_ok());
    assert_eq!(of(single, 3_701).payment(), Err(FinanceError::BadDates("the payment must be due within ten years")));
    assert_eq!(of(single, 0).payment(), Err(FinanceError::BadDates("the only payment is due on the day of the contract")));
    let nothing = RetailTerms { amount_financed: Cents(-5), ..of(monthly, 30) };
    assert_eq!(nothing.payment(), Err(FinanceError::NothingToFinance { surplus: Cents(5) }));
}
