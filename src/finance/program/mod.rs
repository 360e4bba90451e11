//! Lender programs: who qualifies, at what price. Every refusal names its rule and the smallest change that clears it.

mod credit;
mod market;
mod rate;
mod refusal;
mod request;
mod why;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::id::{GroupId, LenderId, ProgramId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::lease::{MileageStep, MoneyFactor};
use super::quote::QuoteKind;
use super::retail::AccrualBasis;
use super::tax::SaleCondition;

pub(super) use market::Candidates;
pub use market::{Outcome, PricedQuote, ProgramQuote, best_quote, cash_quote, fitting_terms, quote_all};
pub(super) use refusal::Standing;
pub use refusal::{Refusal, RefusalRule};
pub use request::{BookRow, QuoteRequest, VehicleFacts};
pub use why::RateLever;

crate::text_enum! {
    /// What a loan-to-value ratio is measured against.
    pub enum CollateralBasis {
        /// The manufacturer's invoice.
        Invoice = "INVOICE",
        /// The list price.
        Msrp = "MSRP",
        /// The selling price.
        Price = "PRICE",
        /// A guide book's wholesale value.
        BookWholesale = "BOOK_WHOLESALE",
        /// A guide book's retail value.
        BookRetail = "BOOK_RETAIL",
    }
}
impl CollateralBasis {
    /// Whether a guide book says it.
    pub const fn is_book(self) -> bool {
        matches!(self, Self::BookWholesale | Self::BookRetail)
    }

    /// In words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Msrp => "list price",
            Self::Price => "selling price",
            Self::BookWholesale => "wholesale book value",
            Self::BookRetail => "retail book value",
        }
    }
}
crate::text_enum! {
    /// What of a deal an adder looks at.
    pub enum AdderSubject {
        /// Months.
        Term = "TERM",
        /// Amount financed of the collateral's value, in hundredths of a percent.
        LoanToValue = "LOAN_TO_VALUE",
        /// Amount financed, in cents.
        AmountFinanced = "AMOUNT_FINANCED",
        /// Model years.
        VehicleAge = "VEHICLE_AGE",
        /// Miles driven.
        Odometer = "ODOMETER",
        /// Accounts on the buyer's credit report: up to a few of them is a thin file. Where they are not known nothing is added.
        TradeLines = "TRADE_LINES",
    }
}

crate::text_enum! {
    /// Which score a lender goes by when somebody signs with the buyer.
    pub enum JointScore {
        /// The buyer's.
        Primary = "PRIMARY",
        /// The mean of the two, rounded down.
        Average = "AVERAGE",
        /// The higher of the two.
        Higher = "HIGHER",
        /// The lower of the two.
        Lower = "LOWER",
    }
}

crate::text_enum! {
    /// A stipulation: what a lender wants of the customer before it pays for a contract.
    pub enum Stipulation {
        /// A driver's licence or another photo id.
        ProofOfIdentity = "PROOF_OF_IDENTITY",
        /// Pay stubs, tax returns or bank statements.
        ProofOfIncome = "PROOF_OF_INCOME",
        /// The employer says so.
        ProofOfEmployment = "PROOF_OF_EMPLOYMENT",
        /// A utility bill or a rental contract with the customer's address.
        ProofOfResidence = "PROOF_OF_RESIDENCE",
        /// The policy, with the lender named.
        ProofOfInsurance = "PROOF_OF_INSURANCE",
        /// People who can be asked.
        References = "REFERENCES",
    }
}

/// Points a deal adds to the rate, or takes off it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RateAdder {
    /// In words: "over 72 months".
    pub label: String,
    /// What it looks at.
    pub subject: AdderSubject,
    /// It counts above this.
    #[serde(default)]
    pub above: Option<i64>,
    /// It counts up to and with this.
    #[serde(default)]
    pub up_to: Option<i64>,
    /// Percent points; negative: a discount.
    pub points: Rate,
}

/// Longer terms ask for a larger amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TermMinimum {
    /// For terms above this.
    pub above_months: u16,
    /// The least amount financed, in cents.
    pub min_financed: Cents,
}

/// A limit on the markup.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MarkupCap {
    /// Where it holds; empty: everywhere.
    #[serde(default)]
    pub states: Vec<String>,
    /// For terms above this.
    pub above_months: u16,
    /// Most points.
    pub points: Rate,
}

/// A row of `rate_markup_law`: the most a state lets a dealer add to a lender's rate.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MarkupLaw {
    /// The row.
    pub id: Uuid,
    /// Where: two letters.
    pub state: String,
    /// For terms above this.
    pub above_months: u16,
    /// Most points.
    pub points: Rate,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Whether a person checked it.
    pub verified: bool,
}

/// A row of `guide_value`: what a guide book says a vehicle is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuideValue {
    /// The row.
    pub id: Uuid,
    /// Whose subscription it comes from.
    pub group_id: GroupId,
    /// Which vehicle.
    pub vin: String,
    /// What a dealer pays for such a one.
    pub wholesale: Option<Cents>,
    /// What a customer pays for such a one.
    pub retail: Option<Cents>,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Whether a person checked it.
    pub verified: bool,
}

/// What may be financed for products. None: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BackendCaps {
    /// All products together.
    pub total: Option<Cents>,
    /// All products, of the collateral's value.
    pub total_percent: Option<Rate>,
    /// Service contracts.
    pub service_contract: Option<Cents>,
    /// Service contracts, of the collateral's value.
    pub service_contract_percent: Option<Rate>,
    /// GAP.
    pub gap: Option<Cents>,
}

/// What a late payment costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LateCharge {
    /// More days late than this.
    pub after_days: u16,
    /// Of the late payment.
    pub percent: Rate,
    /// At most.
    pub at_most: Option<Cents>,
}

/// A row of `lender_program` with its lender.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Program {
    /// The row.
    pub id: ProgramId,
    /// Whose.
    pub lender_id: LenderId,
    /// The lender's short code.
    pub lender_code: String,
    /// The lender's name.
    pub lender_name: String,
    /// How the lender accrues interest.
    pub accrual: AccrualBasis,
    /// Short code.
    pub code: String,
    /// Name.
    pub name: String,
    /// `RETAIL` or `LEASE`.
    pub kind: QuoteKind,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Two-letter states; empty: every state.
    pub states: Vec<String>,
    /// Which vehicles.
    pub conditions: Vec<SaleCondition>,
    /// Oldest vehicle, in model years.
    pub max_age_years: Option<u16>,
    /// Most miles.
    pub max_odometer_miles: Option<u32>,
    /// `A+`, `A` …
    pub credit_tier: String,
    /// Lowest score of the tier.
    pub score_min: Option<u16>,
    /// Highest score of the tier.
    pub score_max: Option<u16>,
    /// Which score counts when somebody signs with the buyer.
    #[serde(default, skip_serializing_if = "JointScore::is_primary")]
    pub joint_score: JointScore,
    /// A co-signer's income and debts count with the buyer's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joint_income: bool,
    /// Shortest term.
    pub term_min_months: u16,
    /// Longest term.
    pub term_max_months: u16,
    /// Least amount financed.
    pub min_financed: Cents,
    /// Largest amount financed.
    pub max_financed: Cents,
    /// Longer terms ask for a larger amount.
    pub term_minimums: Vec<TermMinimum>,
    /// Most the amount financed may be of the collateral's value.
    pub max_ltv: Rate,
    /// The same without products.
    pub max_front_ltv: Option<Rate>,
    /// What that value is.
    pub collateral_basis: CollateralBasis,
    /// Most of the gross income the payment may take.
    pub max_payment_to_income: Option<Rate>,
    /// Most of the gross income all debts with the payment may take.
    pub max_debt_to_income: Option<Rate>,
    /// What may be financed for products.
    pub backend: BackendCaps,
    /// Retail: the lender's rate, before adders.
    pub buy_rate: Option<Rate>,
    /// What a deal's looks add to the rate or take off it.
    pub adders: Vec<RateAdder>,
    /// A special rate, given in place of the manufacturer's rebate and without markup.
    pub subvented: bool,
    /// Most the dealer may add.
    pub max_markup: Rate,
    /// Tighter limits on it by state and term.
    pub markup_caps: Vec<MarkupCap>,
    /// Paid to the dealer per contract.
    pub flat_reserve: Cents,
    /// Paid to the dealer beside it: of the amount financed.
    pub flat_reserve_percent: Rate,
    /// The dealer's share of the markup's present value.
    pub reserve_split: Rate,
    /// Most the lender pays the dealer.
    pub max_reserve: Option<Cents>,
    /// Retail: what of the list price is due with the last payment.
    pub balloon_percent: Option<Rate>,
    /// What a late payment costs.
    pub late: Option<LateCharge>,
    /// What the lender wants of the customer before it pays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stipulations: Vec<Stipulation>,
    /// Lease.
    pub money_factor: Option<MoneyFactor>,
    /// Lease: at 12,000 miles a year.
    pub residual_percent: Option<Rate>,
    /// Lease: per 3,000 miles a year more or less.
    pub residual_step: Option<Rate>,
    /// Lease: residual by miles a year; replaces the step where there is any.
    pub mileage_steps: Vec<MileageStep>,
    /// Lease: most security deposits.
    pub max_deposits: u8,
    /// Lease: what each deposit takes off the money factor.
    pub deposit_factor: MoneyFactor,
    /// Lease: a deposit is the payment rounded up to a multiple of this.
    pub deposit_step: Cents,
    /// Lease: what paying all at once takes off the money factor; none: not offered.
    pub one_pay_factor: Option<MoneyFactor>,
    /// Lease: the lessor's fee when the customer buys the car.
    pub purchase_option_fee: Cents,
    /// Lease: capitalized. Retail: an origination fee, a prepaid finance charge.
    pub acquisition_fee: Cents,
    /// Lease: when the car is given back.
    pub disposition_fee: Cents,
    /// Lease: per mile beyond.
    pub excess_mile: Option<Cents>,
    /// Where it comes from.
    pub source: String,
    /// Whether a person checked it.
    pub verified: bool,
}
