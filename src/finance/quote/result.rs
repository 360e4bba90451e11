//! What a quote says: its lines, its totals, the rules behind it and the steps that led there.

use std::borrow::Cow;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::finance::lease::{LeaseFigures, MoneyFactor};
use crate::finance::program::JointScore;
use crate::finance::retail::PaymentSchedule;
use crate::kernel::money::{Cents, Currency};
use crate::kernel::rate::Rate;

use super::QuoteKind;

/// Words of a line: most are known when the program is built.
pub type Words = Cow<'static, str>;

crate::text_enum! {
    /// What a line of a quote is.
    pub enum QuoteLineKind {
        /// The vehicle's price.
        Price = "PRICE",
        /// A rebate, negative.
        Rebate = "REBATE",
        /// A protection product.
        Product = "PRODUCT",
        /// A tax.
        Tax = "TAX",
        /// A fee of the store, the lender or the government.
        Fee = "FEE",
        /// A trade-in's allowance (negative) or what is owed on it (positive).
        TradeIn = "TRADE_IN",
        /// What the customer pays at signing, negative.
        DownPayment = "DOWN_PAYMENT",
    }
}
crate::text_enum! {
    /// When a line is paid.
    pub enum LinePlacement {
        /// Part of what is financed, capitalized or, for cash, of the balance due.
        Financed = "FINANCED",
        /// Paid at signing, beside the money down.
        AtSigning = "AT_SIGNING",
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QuoteLine {
    /// What kind.
    pub kind: QuoteLineKind,
    /// Stable code: `PRICE`, `TAX_STATE`, `FEE_DOC`.
    pub code: Words,
    /// What the customer reads.
    pub label: Words,
    /// Negative when it lowers what is to be paid.
    pub amount: Cents,
    /// When it is paid.
    pub placement: LinePlacement,
    /// The rule row behind it: of a tax, of a fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<Uuid>,
    /// Where the figure comes from, while no person has checked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unverified_source: Option<String>,
}

/// A rule row that was used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RuleUse {
    /// `tax_rule`, `fee_rule`, `lender_program`.
    pub table: Words,
    /// The row.
    pub id: Uuid,
    /// In words.
    pub label: String,
    /// Whether a person checked it.
    pub verified: bool,
}

/// A step of the calculation, for managers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TraceStep {
    /// What was calculated.
    pub step: Words,
    /// How, with the figures.
    pub value: String,
}

/// How the customer's rate came about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RateStory {
    /// The tier it is priced for.
    pub tier: String,
    /// The row's own rate; none for a lease (managers only).
    pub base_rate: Option<Rate>,
    /// What this deal adds to it or takes off it: label and points.
    pub adders: Vec<(String, Rate)>,
    /// What the dealer adds (managers only).
    pub markup: Rate,
    /// The collateral's value by the lender's basis.
    pub collateral: Option<Cents>,
    /// Amount financed without products, of the collateral's value.
    pub front_ltv: Option<Rate>,
    /// Amount financed of the collateral's value.
    pub total_ltv: Option<Rate>,
    /// Payment of the gross income.
    pub payment_to_income: Option<Rate>,
    /// Debts with the payment of the gross income.
    pub debt_to_income: Option<Rate>,
    /// The score the lender goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u16>,
    /// How it came from two; none when only one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joint_score: Option<JointScore>,
    /// Accounts on the buyer's credit report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_lines: Option<u16>,
    /// A co-signer's income and debts are in the ratios.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joint_income: bool,
}

/// A part of what is paid at signing of a lease, or of how it is paid (Regulation M, 1013.4(b)).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SigningLine {
    /// Stable code.
    pub code: Words,
    /// What the customer reads.
    pub label: Words,
    /// How much.
    pub amount: Cents,
}

/// What a lease has beyond a contract.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeaseDetail {
    /// The progression of Regulation M.
    #[serde(flatten)]
    pub figures: LeaseFigures,
    /// The money factor.
    pub money_factor: MoneyFactor,
    /// Tax on each payment.
    pub monthly_tax: Cents,
    /// Tax taken at signing, paid or capitalized.
    pub upfront_tax: Cents,
    /// Tax that is capitalized instead of paid at signing.
    pub capitalized_tax: Cents,
    /// Multiple security deposits together; given back at the end.
    pub security_deposit: Cents,
    /// All payments are made at signing.
    pub one_pay: bool,
    /// What is due at signing, item by item.
    pub due_at_signing: Vec<SigningLine>,
    /// How it is paid: trade-in, rebates, cash. Both lists have the same sum.
    pub paid_by: Vec<SigningLine>,
    /// All payments and everything else paid, less what comes back: Regulation M's total of payments (1013.4(e)).
    pub total_of_payments: Cents,
    /// Miles a year that are free.
    pub annual_miles: u32,
    /// Charge per mile beyond.
    pub excess_mile: Option<Cents>,
    /// Charge at the end when the car is given back.
    pub disposition_fee: Cents,
    /// What the car can be bought for at the end, with the lessor's fee.
    pub purchase_option: Cents,
    /// The lessor's fee within it.
    pub purchase_option_fee: Cents,
    /// The last day of the lease.
    pub ends_on: NaiveDate,
}

impl LeaseDetail {
    /// What the customer may do at the end, and what ending early or wearing the car means (1013.4(f) to (i)).
    pub fn end_of_term(&self) -> Vec<String> {
        let mut told = vec![
            format!("On {} you may buy the vehicle as it is for {}.", self.ends_on, self.purchase_option),
            format!("You may give it back and pay a disposition fee of {}.", self.disposition_fee),
            "You may have to pay a substantial charge if you end this lease early.".to_owned(),
            "You may be charged for excessive wear by the lessor's standards for normal use.".to_owned(),
        ];
        let free = u64::from(self.annual_miles);
        told.extend(self.excess_mile.map(|each| format!("Each mile beyond {free} a year costs {each}.")));
        told
    }
}

/// The result. Serialised, it is `finance_quote.result`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Quote {
    /// The engine that calculated it.
    pub engine_version: Words,
    /// How the customer pays.
    pub kind: QuoteKind,
    /// Of every amount.
    pub currency: Currency,
    /// Months; 0 for cash.
    pub term_months: u16,
    /// How often is paid.
    pub schedule: PaymentSchedule,
    /// How many payments; 0 for cash.
    pub payment_count: u16,
    /// The day the first payment is due.
    pub first_payment_date: Option<NaiveDate>,
    /// The day the last payment is due.
    pub final_payment_date: Option<NaiveDate>,
    /// Every line.
    pub lines: Vec<QuoteLine>,
    /// All taxes, with those on a lease's payments.
    pub tax: Cents,
    /// All fees.
    pub fees: Cents,
    /// All products.
    pub products: Cents,
    /// Price, products, taxes and fees, before credits.
    pub total_price: Cents,
    /// Regulation Z's down payment: cash, rebates and trade-in equity; never negative.
    pub down_payment: Cents,
    /// What of it is paid later.
    pub deferred_down: Cents,
    /// What is still owed on trade-ins beyond their worth, carried into this deal.
    pub prior_balance: Cents,
    /// What the store allows for trade-ins beyond their worth to it (managers only); none when a worth is not known.
    pub over_allowance: Option<Cents>,
    /// Amount financed; lease: adjusted capitalized cost; cash: balance due.
    pub amount_financed: Cents,
    /// A charge for the credit beside the interest.
    pub prepaid_finance_charge: Cents,
    /// Each payment, with tax.
    pub payment: Cents,
    /// The last payment; of a balloon contract with the balloon.
    pub final_payment: Cents,
    /// What of the last payment is a balloon.
    pub balloon: Cents,
    /// Finance charge; lease: rent charge.
    pub finance_charge: Cents,
    /// All payments, with tax.
    pub total_of_payments: Cents,
    /// Retail: total of payments and down payment. Lease: all payments and what is due at signing beside the first one.
    pub total_sale_price: Cents,
    /// What the customer brings on the day.
    pub due_at_signing: Cents,
    /// Annual percentage rate; none for leases and cash.
    pub apr: Option<Rate>,
    /// The customer's rate; for a lease the money factor's equivalent.
    pub sell_rate: Option<Rate>,
    /// The lender's rate for this deal (managers only).
    pub buy_rate: Option<Rate>,
    /// What the lender pays the dealer for the contract (managers only).
    pub reserve: Cents,
    /// How the rate came about; none for cash.
    pub rate_story: Option<RateStory>,
    /// What a lease has beyond.
    pub lease: Option<LeaseDetail>,
    /// Every rule used was checked by a person.
    pub verified: bool,
    /// The rules used.
    pub rules: Vec<RuleUse>,
    /// How it came about (managers only).
    pub trace: Vec<TraceStep>,
}

impl Quote {
    /// The rules nobody has checked yet.
    pub fn unverified_rules(&self) -> impl Iterator<Item = &RuleUse> {
        self.rules.iter().filter(|r| !r.verified)
    }

    /// The sum of the lines paid at one time.
    pub fn sum(&self, placement: LinePlacement) -> Cents {
        self.lines.iter().filter(|l| l.placement == placement).map(|l| l.amount).sum()
    }

    pub(super) fn step(&mut self, what: &'static str, value: String) {
        self.trace.push(TraceStep { step: Cow::Borrowed(what), value });
    }
}
