//! Insurers, their rows, and what is asked of them.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::id::{GroupId, InsurerId};
use crate::kernel::money::Cents;

crate::text_enum! {
    /// What is insured.
    pub enum Coverage {
        /// Injuries the driver causes to others, per person and per accident.
        BodilyInjury = "BODILY_INJURY",
        /// Damage the driver causes to things.
        PropertyDamage = "PROPERTY_DAMAGE",
        /// Injuries by a driver without insurance.
        UninsuredMotorist = "UNINSURED_MOTORIST",
        /// The driver's and passengers' medical costs (no-fault, PIP or medical payments).
        Medical = "MEDICAL",
        /// The car: theft, hail, fire, animals.
        Comprehensive = "COMPREHENSIVE",
        /// The car: collision.
        Collision = "COLLISION",
    }
}
impl Coverage {
    /// Whether it has a deductible rather than a limit.
    pub const fn covers_the_car(self) -> bool {
        matches!(self, Self::Comprehensive | Self::Collision)
    }
}

crate::text_enum! {
    /// What a factor looks at.
    pub enum FactorSubject {
        /// Age of the driver, in years.
        DriverAge = "DRIVER_AGE",
        /// Moving violations and accidents at fault in three years.
        Violations = "VIOLATIONS",
        /// Miles a year.
        AnnualMiles = "ANNUAL_MILES",
        /// What the car is worth, in whole dollars.
        VehicleValue = "VEHICLE_VALUE",
        /// The car's age in model years.
        VehicleAge = "VEHICLE_AGE",
        /// The deductible, in whole dollars.
        Deductible = "DEDUCTIBLE",
        /// The limit (per person, where there are two), in whole dollars.
        Limit = "LIMIT",
        /// Days without insurance before this one.
        PriorLapse = "PRIOR_LAPSE",
    }
}
crate::text_enum! {
    /// Who besides the customer has an interest in the car.
    pub enum LenderInterest {
        /// Nobody.
        None = "NONE",
        /// A lender: comprehensive and collision, deductible at most 1,000.
        Loan = "LOAN",
        /// A lessor: the same, and limits of at least 100,000/300,000/50,000.
        Lease = "LEASE",
    }
}

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

/// Whether a half-open range of days contains a day.
pub(super) fn holds(from: Option<NaiveDate>, to: Option<NaiveDate>, on: NaiveDate) -> bool {
    from.is_none_or(|from| from <= on) && to.is_none_or(|to| on < to)
}

/// Every insurer with its rows, by insurer and state. Part of the rule snapshot.
#[derive(Debug, Clone, Default)]
pub struct InsuranceBook {
    insurers: Vec<Arc<Insurer>>,
    rates: HashMap<(InsurerId, String), Vec<Rate>>,
    factors: HashMap<InsurerId, Vec<Factor>>,
    minimums: HashMap<String, Vec<Minimum>>,
}

impl InsuranceBook {
    /// Sorts rows into a book.
    pub fn new(
        insurers: Vec<Insurer>,
        rates: Vec<(InsurerId, String, Rate)>,
        factors: Vec<(InsurerId, Factor)>,
        minimums: Vec<Minimum>,
    ) -> Self {
        let mut book = Self { insurers: insurers.into_iter().map(Arc::new).collect(), ..Self::default() };
        for (insurer, state, rate) in rates {
            book.rates.entry((insurer, state)).or_default().push(rate);
        }
        for (insurer, factor) in factors {
            book.factors.entry(insurer).or_default().push(factor);
        }
        for minimum in minimums {
            book.minimums.entry(minimum.state.clone()).or_default().push(minimum);
        }
        book
    }

    /// The insurers of a group, by code.
    pub fn insurers(&self, group: GroupId) -> impl Iterator<Item = &Arc<Insurer>> {
        self.insurers.iter().filter(move |i| i.group_id == group)
    }

    /// One insurer.
    pub fn insurer(&self, id: InsurerId) -> Option<&Arc<Insurer>> {
        self.insurers.iter().find(|i| i.id == id)
    }

    /// What a state asks of every driver on a day.
    pub fn minimum(&self, state: &str, on: NaiveDate) -> Option<&Minimum> {
        self.minimums.get(state)?.iter().find(|m| holds(m.effective_from, m.effective_to, on))
    }

    pub(super) fn rate(&self, insurer: InsurerId, state: &str, coverage: Coverage, on: NaiveDate) -> Option<&Rate> {
        let rates = self.rates.get(&(insurer, state.to_owned()))?;
        rates.iter().find(|r| r.coverage == coverage && holds(r.effective_from, r.effective_to, on))
    }

    pub(super) fn factors(&self, insurer: InsurerId) -> &[Factor] {
        self.factors.get(&insurer).map_or(&[], Vec::as_slice)
    }
}

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

/// What is asked of the insurers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InsuranceRequest {
    /// Where the car is kept.
    pub state: String,
    /// First day of cover.
    pub on: NaiveDate,
    /// Age of the driver in years.
    pub driver_age: u16,
    /// Violations and accidents at fault in three years.
    pub violations: u16,
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
    /// The coverages; raised to what the state and the lender ask for.
    pub coverages: Vec<CoverageChoice>,
}

impl InsuranceRequest {
    /// A usual full policy for a car on a deal: 100/300/50 limits, uninsured motorist, medical 10,000, comprehensive and
    /// collision with a deductible of 500; a driver of 40 without violations unless said otherwise.
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
            on,
            driver_age: 40,
            violations: 0,
            prior_lapse_days: 0,
            annual_miles: annual_miles.unwrap_or(12_000),
            vehicle_value,
            vehicle_age,
            term_months: 6,
            interest,
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
}
