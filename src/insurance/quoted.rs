//! What an insurer's rows come to.

use uuid::Uuid;

use super::demand::DemandCheck;
use super::model::CoverageChoice;
use super::plan::PayPlanQuote;
use crate::kernel::money::Cents;

/// One coverage with its premium.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CoverageLine {
    /// The coverage with its limit or deductible.
    #[serde(flatten)]
    pub choice: CoverageChoice,
    /// For the term.
    pub premium: Cents,
    /// Whether the state or the lender asks for it.
    pub required: bool,
}

/// The result. Serialised, it is `insurance_quote.result`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InsuranceQuoted {
    /// The rating that calculated it.
    pub rating_version: String,
    /// Months the premium is for.
    pub term_months: u16,
    /// For the term.
    pub premium: Cents,
    /// A month of it, rounded up so that the months cover the premium.
    pub monthly_premium: Cents,
    /// Per coverage; sums to the premium.
    pub coverages: Vec<CoverageLine>,
    /// How it can be paid.
    #[serde(default)]
    pub pay_plans: Vec<PayPlanQuote>,
    /// What the lender or lessor asks for, each met or not.
    #[serde(default)]
    pub demands: Vec<DemandCheck>,
    /// What was assumed because nobody said it.
    #[serde(default)]
    pub assumptions: Vec<String>,
    /// What the state and the lender ask for, in words.
    pub raised: Vec<String>,
    /// Every row used was checked by a person.
    pub verified: bool,
    /// The rows nobody has checked yet.
    pub unverified_rules: Vec<String>,
    /// Ids of the rows used.
    pub rule_ids: Vec<Uuid>,
}
