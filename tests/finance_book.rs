//! A rule book made by hand: one place, one store, programs as a test wants them. No database.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, reason = "shared by tests and benches; each uses a part")]

use chrono::NaiveDate;
use deskless::finance::lease::MoneyFactor;
use deskless::finance::retail::AccrualBasis;
use deskless::finance::tax::{LeaseTaxMethod, LocalTaxRule, TaxScheme, TradePolicy};
use deskless::finance::{
    BackendCaps, CollateralBasis, FeeRule, FeeScope, JointScore, Jurisdiction, Program, QuoteKind, QuoteRequest, RuleBook, RuleRows,
    SaleCondition, TaxRule, VehicleFacts, Worksheet,
};
use deskless::kernel::id::{GroupId, LenderId, ProgramId, StoreId};
use deskless::kernel::money::{Cents, Currency};
use deskless::kernel::rate::Rate;
use uuid::Uuid;

/// The only dealer group.
pub fn group() -> GroupId {
    GroupId(Uuid::from_u128(1))
}
/// The only store.
pub fn store() -> StoreId {
    StoreId(Uuid::from_u128(2))
}
/// The day of every deal.
pub fn today() -> NaiveDate {
    "2026-11-20".parse().unwrap()
}
/// Percent points from text.
pub fn points(text: &str) -> Rate {
    text.parse().unwrap()
}

/// 6.25 % and 2 % local on everything; full credit for trade-ins.
pub fn tax_rule() -> TaxRule {
    TaxRule {
        id: Uuid::from_u128(3),
        jurisdiction: "XX".into(),
        effective_from: None,
        effective_to: None,
        scheme: TaxScheme::Sales,
        state_rate: points("6.25"),
        local_rate: points("2"),
        local_rule: LocalTaxRule::Stacked,
        local_base_cap: None,
        trade_policy: TradePolicy::Full,
        trade_cap: None,
        trade_cap_count: None,
        manufacturer_rebate_reduces_base: false,
        dealer_rebate_reduces_base: true,
        doc_fee_taxable: true,
        service_contract_taxable: true,
        gap_taxable: false,
        service_contract_taxed: points("100"),
        maintenance_taxable: true,
        other_product_taxable: true,
        product_rate: None,
        product_verified: true,
        lease_method: LeaseTaxMethod::PerPayment,
        lease_reduction_taxable: true,
        lease_trade_credit: false,
        minimum_tax: Cents::ZERO,
        maximum_tax: None,
        first_base: None,
        first_tax: Cents::ZERO,
        negative_equity_in_base: false,
        source: "by hand".into(),
        source_read_on: today(),
        verified: true,
        lease_verified: true,
        note: None,
    }
}

/// A document fee of the store or a title fee of the state.
pub fn fee(code: &str, amount: i64, of_store: bool) -> FeeRule {
    FeeRule {
        id: Uuid::from_u128(4),
        jurisdiction: (!of_store).then(|| "XX".to_owned()),
        store_id: of_store.then(store),
        code: code.into(),
        label: code.to_lowercase(),
        amount: Cents(amount),
        cap: None,
        cap_percent: None,
        estimate: false,
        applies_to: FeeScope::All,
        effective_from: None,
        effective_to: None,
        source: "by hand".into(),
        source_read_on: today(),
        verified: true,
    }
}

/// A row of a rate sheet that takes almost everything.
pub fn program(number: u128, kind: QuoteKind, rate: &str) -> Program {
    let retail = kind == QuoteKind::Retail;
    Program {
        id: ProgramId(Uuid::from_u128(100 + number)),
        lender_id: LenderId(Uuid::from_u128(50 + number % 4)),
        lender_code: format!("L{}", number % 4),
        lender_name: format!("Lender {}", number % 4),
        accrual: AccrualBasis::ALL[usize::try_from(number % 3).unwrap()],
        code: format!("P{number}"),
        name: format!("Program {number}"),
        kind,
        effective_from: None,
        effective_to: None,
        states: vec![],
        conditions: SaleCondition::ALL.to_vec(),
        max_age_years: None,
        max_odometer_miles: None,
        credit_tier: "A".into(),
        score_min: None,
        score_max: None,
        joint_score: JointScore::Primary,
        joint_income: false,
        term_min_months: 1,
        term_max_months: 120,
        min_financed: Cents::ZERO,
        max_financed: Cents(20_000_000),
        term_minimums: vec![],
        max_ltv: points("400"),
        max_front_ltv: None,
        collateral_basis: CollateralBasis::Msrp,
        max_payment_to_income: None,
        max_debt_to_income: None,
        backend: BackendCaps::default(),
        buy_rate: retail.then(|| points(rate)),
        adders: vec![],
        subvented: false,
        max_markup: points("2.5"),
        markup_caps: vec![],
        flat_reserve: Cents(200_00),
        flat_reserve_percent: Rate::ZERO,
        reserve_split: points("75"),
        max_reserve: None,
        balloon_percent: None,
        late: None,
        stipulations: vec![],
        money_factor: (!retail).then_some(MoneyFactor(125_000)),
        residual_percent: (!retail).then(|| points("55")),
        residual_step: (!retail).then_some(Rate::POINT),
        mileage_steps: vec![],
        max_deposits: 10,
        deposit_factor: MoneyFactor(7_000),
        deposit_step: Cents(50_00),
        one_pay_factor: Some(MoneyFactor(40_000)),
        purchase_option_fee: Cents(300_00),
        acquisition_fee: if retail { Cents::ZERO } else { Cents(650_00) },
        disposition_fee: if retail { Cents::ZERO } else { Cents(395_00) },
        excess_mile: (!retail).then_some(Cents(25)),
        source: "by hand".into(),
        verified: true,
    }
}

/// A book with this tax rule and these programs.
pub fn book(rule: TaxRule, programs: Vec<Program>) -> RuleBook {
    RuleBook::new(RuleRows {
        jurisdictions: vec![Jurisdiction { code: "XX".into(), state: "XX".into(), name: "Somewhere".into() }],
        tax_rules: vec![rule],
        fees: vec![fee("DOC", 85_00, true), fee("TITLE", 33_00, false)],
        programs: programs.into_iter().map(|p| (group(), p)).collect(),
        ..RuleRows::default()
    })
}

/// A new car with a list price of 42,000.
pub fn vehicle() -> VehicleFacts {
    VehicleFacts {
        condition: SaleCondition::New,
        model_year: 2026,
        odometer_miles: Some(12),
        msrp: Some(Cents(42_000_00)),
        invoice: Some(Cents(39_000_00)),
        book_wholesale: None,
        book_retail: None,
        book_row: None,
    }
}

/// A price of 40,000 over 60 months (a lease: 36), 2,000 down, tier A.
pub fn request(kind: QuoteKind) -> QuoteRequest {
    QuoteRequest {
        group: group(),
        store: store(),
        on: today(),
        jurisdiction: "XX".into(),
        vehicle: vehicle(),
        credit_tier: "A".into(),
        worksheet: Worksheet {
            cash_down: Cents(2_000_00),
            term_months: if kind == QuoteKind::Lease { 36 } else { 60 },
            ..Worksheet::new(kind, Currency::USD, Cents(40_000_00))
        },
    }
}
