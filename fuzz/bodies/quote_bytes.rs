//! A whole quote input, made of bytes or read from JSON as quotes store it, and the laws every quote of it must keep. The body of
//! the fuzz target `quote`, and of a bounded random test.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "bytes become numbers however they can; a broken law stops the run"
)]

use chrono::NaiveDate;
use deskless::finance::lease::{MileageStep, MoneyFactor};
use deskless::finance::retail::{AccrualBasis, PaymentSchedule};
use deskless::finance::tax::{LeaseTaxMethod, LocalTaxRule, TaxScheme, TradePolicy};
use deskless::finance::{
    AdderSubject, BackendCaps, CoSigner, CollateralBasis, Credit, DeferredDown, FeeRule, FeeScope, JointScore, LinePlacement, MarkupCap,
    ProductKind, ProductLine, Program, Purse, Quote, QuoteInput, QuoteKind, RateAdder, SaleCondition, TaxRule, TermMinimum, TradeIn,
    VehicleFacts, Worksheet,
};
use deskless::kernel::id::{LenderId, ProductId, ProgramId, StoreId};
use deskless::kernel::money::{Cents, Currency};
use deskless::kernel::rate::Rate;
use uuid::Uuid;

/// Takes bytes one after the other; after the last it reads zeros.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }
    fn wide(&mut self) -> i64 {
        (0..8).fold(0, |sum: i64, _| (sum << 8) | i64::from(self.byte()))
    }
    fn yes(&mut self) -> bool {
        self.byte() & 1 == 1
    }
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.byte()) % of.len()]
    }
    /// Mostly what occurs, sometimes what does not.
    fn number(&mut self, usual: i64) -> i64 {
        match self.byte() % 16 {
            0 => 0,
            1 => self.pick(&[-1, 1, i64::MAX, i64::MIN, 10_000_000_000, 10_000_000_001]),
            2 => self.wide(),
            _ => self.wide().unsigned_abs() as i64 % usual.max(1),
        }
    }
    fn cents(&mut self, usual: i64) -> Cents {
        Cents(self.number(usual))
    }
    fn rate(&mut self, usual: i64) -> Rate {
        Rate(self.number(usual).clamp(-Rate::LIMIT.0, Rate::LIMIT.0))
    }
    fn factor(&mut self, usual: i64) -> MoneyFactor {
        MoneyFactor(self.number(usual).clamp(0, 99_999_999))
    }
    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.yes().then(|| value(self))
    }
    fn some<T>(&mut self, most: u8, mut value: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.byte() % (most + 1)).map(|_| value(self)).collect()
    }
    fn date(&mut self) -> NaiveDate {
        match self.byte() % 8 {
            0 => self.pick(&[NaiveDate::MIN, NaiveDate::MAX]),
            _ => NaiveDate::from_num_days_from_ce_opt(738_000 + (self.wide().unsigned_abs() % 3_000) as i32).unwrap_or(NaiveDate::MAX),
        }
    }
}

fn tax_rule(b: &mut Bytes<'_>) -> TaxRule {
    TaxRule {
        id: Uuid::nil(),
        jurisdiction: "XX".into(),
        effective_from: None,
        effective_to: None,
        scheme: b.pick(TaxScheme::ALL),
        state_rate: b.rate(12_000_000),
        local_rate: b.rate(5_000_000),
        local_rule: b.pick(LocalTaxRule::ALL),
        local_base_cap: b.maybe(|b| b.cents(500_000)),
        trade_policy: b.pick(TradePolicy::ALL),
        trade_cap: b.maybe(|b| b.cents(1_200_000)),
        trade_cap_count: b.maybe(|b| u16::from(b.byte() % 3)),
        manufacturer_rebate_reduces_base: b.yes(),
        dealer_rebate_reduces_base: b.yes(),
        doc_fee_taxable: b.yes(),
        service_contract_taxable: b.yes(),
        gap_taxable: b.yes(),
        service_contract_taxed: b.rate(100_000_000),
        maintenance_taxable: b.yes(),
        other_product_taxable: b.yes(),
        product_rate: b.maybe(|b| b.rate(20_000_000)),
        product_verified: b.yes(),
        lease_method: b.pick(LeaseTaxMethod::ALL),
        lease_reduction_taxable: b.yes(),
        lease_trade_credit: b.yes(),
        minimum_tax: b.cents(10_000),
        maximum_tax: b.maybe(|b| b.cents(60_000)),
        first_base: b.maybe(|b| b.cents(150_000)),
        first_tax: b.cents(2_000),
        negative_equity_in_base: b.yes(),
        source: String::new(),
        source_read_on: NaiveDate::MIN,
        verified: b.yes(),
        lease_verified: b.yes(),
        note: None,
    }
}

fn program(b: &mut Bytes<'_>) -> Program {
    Program {
        id: ProgramId(Uuid::nil()),
        lender_id: LenderId(Uuid::nil()),
        lender_code: "L".into(),
        lender_name: "Lender".into(),
        accrual: b.pick(AccrualBasis::ALL),
        code: "P".into(),
        name: "Program".into(),
        kind: b.pick(&[QuoteKind::Retail, QuoteKind::Lease]),
        effective_from: None,
        effective_to: None,
        states: vec![],
        conditions: SaleCondition::ALL.to_vec(),
        max_age_years: b.maybe(|b| u16::from(b.byte())),
        max_odometer_miles: b.maybe(|b| u32::from(b.byte()) * 1_000),
        credit_tier: "A".into(),
        score_min: None,
        score_max: None,
        joint_score: b.pick(JointScore::ALL),
        joint_income: b.yes(),
        term_min_months: u16::from(b.byte() % 48),
        term_max_months: u16::from(b.byte()),
        min_financed: b.cents(1_000_000),
        max_financed: b.cents(10_000_000),
        term_minimums: b.some(2, |b| TermMinimum { above_months: u16::from(b.byte()), min_financed: b.cents(2_000_000) }),
        max_ltv: b.rate(150_000_000),
        max_front_ltv: b.maybe(|b| b.rate(130_000_000)),
        collateral_basis: b.pick(CollateralBasis::ALL),
        max_payment_to_income: b.maybe(|b| b.rate(20_000_000)),
        max_debt_to_income: b.maybe(|b| b.rate(60_000_000)),
        backend: BackendCaps {
            total: b.maybe(|b| b.cents(600_000)),
            total_percent: b.maybe(|b| b.rate(20_000_000)),
            service_contract: b.maybe(|b| b.cents(400_000)),
            service_contract_percent: b.maybe(|b| b.rate(20_000_000)),
            gap: b.maybe(|b| b.cents(150_000)),
        },
        buy_rate: b.maybe(|b| b.rate(25_000_000)),
        adders: b.some(3, |b| RateAdder {
            label: "adder".into(),
            subject: b.pick(AdderSubject::ALL),
            above: b.maybe(|b| b.number(12_000)),
            up_to: b.maybe(|b| b.number(12_000)),
            points: b.rate(2_000_000),
        }),
        subvented: b.yes(),
        max_markup: b.rate(2_500_000),
        markup_caps: b.some(2, |b| MarkupCap { states: vec![], above_months: u16::from(b.byte()), points: b.rate(2_500_000) }),
        flat_reserve: b.cents(50_000),
        flat_reserve_percent: b.rate(2_000_000),
        reserve_split: b.rate(100_000_000),
        max_reserve: b.maybe(|b| b.cents(200_000)),
        balloon_percent: b.maybe(|b| b.rate(40_000_000)),
        late: None,
        stipulations: vec![],
        money_factor: b.maybe(|b| b.factor(400_000)),
        residual_percent: b.maybe(|b| b.rate(70_000_000)),
        residual_step: b.maybe(|b| b.rate(2_000_000)),
        mileage_steps: b.some(3, |b| MileageStep { annual_miles: u32::from(b.byte()) * 100, points: b.rate(3_000_000) }),
        max_deposits: b.byte() % 12,
        deposit_factor: b.factor(9_000),
        deposit_step: b.cents(5_000),
        one_pay_factor: b.maybe(|b| b.factor(50_000)),
        purchase_option_fee: b.cents(40_000),
        acquisition_fee: b.cents(90_000),
        disposition_fee: b.cents(40_000),
        excess_mile: b.maybe(|b| b.cents(30)),
        source: String::new(),
        verified: b.yes(),
    }
}

fn worksheet(b: &mut Bytes<'_>) -> Worksheet {
    let kind = b.pick(QuoteKind::ALL);
    Worksheet {
        cash_down: b.cents(1_000_000),
        deferred_down: b.some(2, |b| DeferredDown { date: b.date(), amount: b.cents(100_000) }),
        manufacturer_rebate: b.cents(300_000),
        dealer_rebate: b.cents(200_000),
        trade_ins: b.some(4, |b| TradeIn {
            allowance: b.cents(2_000_000),
            payoff: b.cents(2_500_000),
            payoff_good_through: b.maybe(Bytes::date),
            payoff_per_diem: b.cents(500),
            actual_cash_value: b.maybe(|b| b.cents(2_000_000)),
        }),
        products: b.some(5, |b| ProductLine {
            id: ProductId(Uuid::nil()),
            code: "P".into(),
            kind: b.pick(ProductKind::ALL),
            name: "Product".into(),
            price: b.cents(300_000),
        }),
        term_months: if b.byte().is_multiple_of(16) { u16::from(b.byte()) * 257 } else { u16::from(b.byte() % 90) },
        first_payment_days: if b.yes() { 30 } else { u16::from(b.byte() % 100) },
        schedule: b.pick(PaymentSchedule::ALL),
        disregard_odd_first_period: b.yes(),
        markup: b.rate(2_500_000),
        annual_miles: u32::from(b.byte()) * 200,
        deposits: b.byte() % 12,
        one_pay: b.yes(),
        capitalize_tax: b.yes(),
        purse: b.maybe(|b| Purse { gross_income: b.cents(2_000_000), debts: b.cents(500_000) }),
        credit: b.maybe(|b| Credit {
            score: b.maybe(|b| u16::from(b.byte()) * 4),
            trade_lines: b.maybe(|b| u16::from(b.byte())),
            co_signer: b.maybe(|b| CoSigner {
                score: b.maybe(|b| u16::from(b.byte()) * 4),
                gross_income: b.cents(2_000_000),
                debts: b.cents(500_000),
            }),
        }),
        ..Worksheet::new(kind, b.pick(&[Currency::USD, Currency::CAD]), b.cents(8_000_000))
    }
}

/// A whole input: stored JSON, else any bytes. None when the JSON is no input.
pub fn input(bytes: &[u8]) -> Option<QuoteInput> {
    if bytes.first() == Some(&b'{') { serde_json::from_slice(bytes).ok() } else { Some(made(bytes)) }
}

fn made(bytes: &[u8]) -> QuoteInput {
    let b = &mut Bytes(bytes);
    let fee = |code: &str, store: bool, b: &mut Bytes<'_>| FeeRule {
        id: Uuid::nil(),
        jurisdiction: (!store).then(|| "XX".to_owned()),
        store_id: store.then(|| StoreId(Uuid::nil())),
        code: code.into(),
        label: code.into(),
        amount: b.cents(90_000),
        cap: b.maybe(|b| b.cents(50_000)),
        cap_percent: b.maybe(|b| b.rate(9_000_000)),
        estimate: false,
        applies_to: b.pick(FeeScope::ALL),
        effective_from: None,
        effective_to: None,
        source: String::new(),
        source_read_on: NaiveDate::MIN,
        verified: true,
    };
    QuoteInput {
        worksheet: worksheet(b),
        contract_date: b.date(),
        vehicle: VehicleFacts {
            condition: b.pick(SaleCondition::ALL),
            model_year: b.number(2_027) as i32,
            odometer_miles: b.maybe(|b| u32::from(b.byte()) * 700),
            msrp: b.maybe(|b| b.cents(8_000_000)),
            invoice: b.maybe(|b| b.cents(8_000_000)),
            book_wholesale: b.maybe(|b| b.cents(8_000_000)),
            book_retail: b.maybe(|b| b.cents(8_000_000)),
            book_row: None,
        },
        state: "XX".into(),
        tax_rule: tax_rule(b).into(),
        fees: vec![fee("DOC", true, b).into(), fee("TITLE", false, b).into()],
        program: b.maybe(program).map(Into::into),
        markup_laws: vec![],
    }
}

/// Quotes it, and checks every law that needs no other quote. Tells whether there was one.
pub fn run(bytes: &[u8]) -> bool {
    let Some(input) = input(bytes) else { return false };
    let quiet = input.payment();
    let Ok(quote) = input.quote() else { return false };
    assert_eq!(quote.currency, input.worksheet.currency);
    assert_eq!(quote.sum(LinePlacement::Financed), quote.amount_financed);
    let taxes: Cents = quote.lines.iter().filter(|l| l.code.starts_with("TAX")).map(|l| l.amount).sum();
    let w = &input.worksheet;
    let payoff = w.payoff(input.contract_date);
    let credits = w.cash_down + w.deferred() + w.manufacturer_rebate + w.dealer_rebate + w.allowance() - payoff;
    assert_eq!(quote.down_payment - quote.prior_balance, credits);
    if quote.kind != QuoteKind::Lease {
        assert_eq!(taxes, quote.tax);
        assert_eq!(quote.amount_financed, quote.total_price - credits);
    }
    if quote.kind != QuoteKind::Cash {
        assert_eq!(quiet, Ok(quote.payment), "the payment alone is the quote's");
    }
    if quote.kind == QuoteKind::Retail {
        assert_eq!(quote.total_of_payments - quote.finance_charge, quote.amount_financed);
        let terms = input.retail_terms().expect("the contract of a quote");
        let lines = terms.schedule().expect("its schedule");
        assert_eq!(lines.iter().map(|l| l.payment).sum::<Cents>(), quote.total_of_payments);
        assert_eq!(lines.last().map(|l| l.balance), Some(Cents::ZERO));
        let told = input.truth_in_lending(&quote).expect("disclosures").expect("of a contract");
        assert_eq!(told.itemization.iter().map(|l| l.amount).sum::<Cents>(), quote.amount_financed);
    }
    if let Some(lease) = &quote.lease {
        assert_eq!(lease.figures.gross_cap_cost - lease.figures.cap_reduction, lease.figures.adjusted_cap_cost);
        let sum = |lines: &[deskless::finance::SigningLine]| lines.iter().map(|l| l.amount).sum::<Cents>();
        assert_eq!(sum(&lease.due_at_signing), sum(&lease.paid_by));
    }
    if let Some(program) = &input.program {
        let _ = program.refusals(&input, "A", quote.amount_financed);
        let _ = program.levers(&input, quote.amount_financed);
    }
    let stored = serde_json::to_string(&input).expect("inputs are stored");
    let again: QuoteInput = serde_json::from_str(&stored).expect("and read back");
    assert_eq!(again, input);
    let replayed = again.quote().expect("and quoted again");
    assert_eq!(serde_json::to_string(&replayed).expect("JSON"), serde_json::to_string(&quote).expect("JSON"));
    let read: Quote = serde_json::from_str(&serde_json::to_string(&quote).expect("JSON")).expect("a stored quote is read");
    assert_eq!(read, quote);
    true
}
