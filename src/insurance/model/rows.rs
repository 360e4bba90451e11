//! The rows insurers, states and lenders give.

use chrono::NaiveDate;
use uuid::Uuid;

use super::{Coverage, FactorSubject, LenderInterest};
use crate::kernel::id::{GroupId, InsurerId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate as Percent;

/// An insurer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insurer {
    /// Its id.
    pub id: InsurerId,
    /// Whose list it is on.
    pub group_id: GroupId,
    /// Short code.
    pub code: String,
    /// Name.
    pub name: String,
}

/// A row of `insurance_rate`: the base premium of a coverage for six months.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rate {
    /// The row.
    pub id: Uuid,
    /// Of which coverage.
    pub coverage: Coverage,
    /// Before factors.
    pub base: Cents,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Whether a person checked it.
    pub verified: bool,
}

/// A row of `insurance_factor`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Factor {
    /// The row.
    pub id: Uuid,
    /// What it looks at.
    pub subject: FactorSubject,
    /// For which coverage; none: every one.
    pub coverage: Option<Coverage>,
    /// First value of the band.
    pub from: i64,
    /// First value beyond it.
    pub to: i64,
    /// The factor in hundred-thousandths: 1.25 is 125,000.
    pub factor: i64,
    /// States that bar it.
    pub barred_states: Vec<String>,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
}

/// A row of `insurance_minimum`: what a state asks of every driver.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Minimum {
    /// The row.
    pub id: Uuid,
    /// Which state.
    pub state: String,
    /// Bodily injury, per person.
    pub bodily_injury_person: Cents,
    /// Bodily injury, per accident.
    pub bodily_injury_accident: Cents,
    /// Property damage.
    pub property_damage: Cents,
    /// Medical (no-fault).
    pub personal_injury: Cents,
    /// Whether uninsured motorist cover is compulsory.
    pub uninsured_required: bool,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Whether a person checked it.
    pub verified: bool,
}

/// A row of `insurance_barred`: a factor no insurer may use in a state.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Barred {
    /// The row.
    pub id: Uuid,
    /// Where.
    pub state: String,
    /// Which factor.
    pub subject: FactorSubject,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Whether a person checked it.
    pub verified: bool,
}

/// A row of `insurance_pay_plan`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PayPlan {
    /// The row.
    pub id: Uuid,
    /// Short code.
    pub code: String,
    /// What the customer reads.
    pub name: String,
    /// How many payments.
    pub payments: u16,
    /// The first one, of the premium.
    pub first: Percent,
    /// With each payment after the first.
    pub fee: Cents,
    /// Taken off the premium.
    pub discount: Percent,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
}

/// A row of `insurance_demand`: what a lender or lessor asks of the policy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Demand {
    /// The row.
    pub id: Uuid,
    /// Whose; none: of every lender without a row of its own.
    pub lender_code: Option<String>,
    /// As a lender or as a lessor.
    pub interest: LenderInterest,
    /// The highest deductible of comprehensive and collision.
    pub max_deductible: Cents,
    /// The lowest bodily injury limit per person.
    pub bodily_injury_person: Cents,
    /// The lowest bodily injury limit per accident.
    pub bodily_injury_accident: Cents,
    /// The lowest property damage limit.
    pub property_damage: Cents,
    /// It must be named loss payee.
    pub loss_payee: bool,
    /// It must be named additional insured.
    pub additional_insured: bool,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Whether a person checked it.
    pub verified: bool,
}

/// The rows of the rule tables on insurance.
#[derive(Debug, Default)]
pub struct InsuranceRows {
    /// Insurers.
    pub insurers: Vec<Insurer>,
    /// Base premiums by insurer and state.
    pub rates: Vec<(InsurerId, String, Rate)>,
    /// Factors by insurer.
    pub factors: Vec<(InsurerId, Factor)>,
    /// What states ask of drivers.
    pub minimums: Vec<Minimum>,
    /// What states bar.
    pub barred: Vec<Barred>,
    /// Pay plans by insurer.
    pub pay_plans: Vec<(InsurerId, PayPlan)>,
    /// What lenders ask, by group.
    pub demands: Vec<(GroupId, Demand)>,
}
