//! What is asked of the insurers.

use chrono::NaiveDate;

use super::{Coverage, Gender, LenderInterest};
use crate::kernel::money::Cents;

/// A coverage with its limit or deductible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CoverageChoice {
    /// Which.
    pub coverage: Coverage,
    /// The limit, per person where there are two.
    pub limit: Option<Cents>,
    /// The limit per accident, where there are two.
    pub limit_per_accident: Option<Cents>,
    /// What the customer bears.
    pub deductible: Option<Cents>,
}

/// Somebody who will drive the car.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Driver {
    /// Age in years.
    pub age: u16,
    /// Years with a licence.
    pub years_licensed: u16,
    /// Violations and accidents at fault in three years.
    pub violations: u16,
    /// Where it may count and was said.
    pub gender: Option<Gender>,
    /// The insurance score in bands from 1 (best) to 5, where it may count and was said.
    pub credit_band: Option<u16>,
}

/// Most drivers of a request.
pub const DRIVERS_MAX: usize = 6;

impl Driver {
    /// Who is assumed until somebody is named.
    pub const ASSUMED: Self = Self { age: 40, years_licensed: 22, violations: 0, gender: None, credit_band: None };
}

/// What the customer said about cover: what differs from the usual policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InsuranceWish {
    /// Who will drive; empty: not said.
    #[serde(default)]
    pub drivers: Vec<Driver>,
    /// Where the car is kept at night, when not at the buyer's address: two-letter state.
    #[serde(default)]
    pub garaging_state: Option<String>,
    /// The ZIP code there.
    #[serde(default)]
    pub garaging_postal_code: Option<String>,
    /// Days without insurance before this one.
    #[serde(default)]
    pub prior_lapse_days: Option<u16>,
    /// Months: 6 or 12.
    #[serde(default)]
    pub term_months: Option<u16>,
    /// The coverages wanted; empty: the usual policy.
    #[serde(default)]
    pub coverages: Vec<CoverageChoice>,
    /// Do not raise what the lender asks for; only say what is not met.
    #[serde(default)]
    pub keep_below_demands: bool,
}

/// What is asked of the insurers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InsuranceRequest {
    /// Where the car is kept.
    pub state: String,
    /// The ZIP code there, when known.
    pub postal_code: Option<String>,
    /// First day of cover.
    pub on: NaiveDate,
    /// Who drives; at least one.
    pub drivers: Vec<Driver>,
    /// Nobody was named yet: a driver was assumed.
    pub driver_assumed: bool,
    /// Days without insurance before this one.
    pub prior_lapse_days: u16,
    /// Miles a year.
    pub annual_miles: u32,
    /// What the car is worth.
    pub vehicle_value: Cents,
    /// The car's age in model years.
    pub vehicle_age: u16,
    /// Months the policy runs: 6 or 12.
    pub term_months: u16,
    /// Who else has an interest in the car.
    pub interest: LenderInterest,
    /// The lender or lessor, once chosen: who is to be named loss payee.
    pub lender_code: Option<String>,
    /// Whether what the lender asks for is raised (else it is only checked).
    pub meet_demands: bool,
    /// The coverages; raised to what the state asks for.
    pub coverages: Vec<CoverageChoice>,
}

impl InsuranceRequest {
    /// A usual full policy for a car on a deal: 100/300/50 limits, uninsured motorist, medical 10,000, comprehensive and
    /// collision with a deductible of 500; an assumed driver until somebody is named.
    pub fn for_car(
        state: &str,
        on: NaiveDate,
        interest: LenderInterest,
        vehicle_value: Cents,
        vehicle_age: u16,
        annual_miles: Option<u32>,
    ) -> Self {
        let limit = |coverage, limit: i64, accident: Option<i64>| CoverageChoice {
            coverage,
            limit: Some(Cents(limit * 100)),
            limit_per_accident: accident.map(|a| Cents(a * 100)),
            deductible: None,
        };
        let car = |coverage| CoverageChoice { coverage, limit: None, limit_per_accident: None, deductible: Some(Cents(500_00)) };
        Self {
            state: state.to_owned(),
            postal_code: None,
            on,
            drivers: vec![Driver::ASSUMED],
            driver_assumed: true,
            prior_lapse_days: 0,
            annual_miles: annual_miles.unwrap_or(12_000),
            vehicle_value,
            vehicle_age,
            term_months: 6,
            interest,
            lender_code: None,
            meet_demands: true,
            coverages: vec![
                limit(Coverage::BodilyInjury, 100_000, Some(300_000)),
                limit(Coverage::PropertyDamage, 50_000, None),
                limit(Coverage::UninsuredMotorist, 100_000, Some(300_000)),
                limit(Coverage::Medical, 10_000, None),
                car(Coverage::Comprehensive),
                car(Coverage::Collision),
            ],
        }
    }

    /// With what the customer said.
    #[must_use]
    pub fn wished(mut self, wish: &InsuranceWish) -> Self {
        if !wish.drivers.is_empty() {
            self.drivers.clone_from(&wish.drivers);
            self.driver_assumed = false;
        }
        if let Some(state) = &wish.garaging_state {
            self.state.clone_from(state);
            // A ZIP code of another state says nothing about this one.
            self.postal_code = None;
        }
        if let Some(postal_code) = &wish.garaging_postal_code {
            self.postal_code = Some(postal_code.clone());
        }
        self.prior_lapse_days = wish.prior_lapse_days.unwrap_or(self.prior_lapse_days);
        self.term_months = wish.term_months.unwrap_or(self.term_months);
        self.meet_demands = !wish.keep_below_demands;
        if !wish.coverages.is_empty() {
            self.coverages.clone_from(&wish.coverages);
        }
        self
    }
}
