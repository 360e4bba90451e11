//! Insurers, their rows, and what is asked of them.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::id::{GroupId, InsurerId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate as Percent;

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
        /// Years the driver has had a licence.
        YearsLicensed = "YEARS_LICENSED",
        /// Moving violations and accidents at fault in three years.
        Violations = "VIOLATIONS",
        /// The driver's gender: 1 female, 2 male, 3 other. Barred in many states.
        Gender = "GENDER",
        /// The driver's insurance score in bands from 1 (best) to 5. Barred in many states.
        CreditBand = "CREDIT_BAND",
        /// Where the car is kept: the first three digits of the ZIP code as a number.
        Territory = "TERRITORY",
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
        /// Months the policy runs.
        Term = "TERM",
    }
}
impl FactorSubject {
    /// Whether it looks at a driver rather than at the car or the policy.
    pub const fn is_driver(self) -> bool {
        matches!(self, Self::DriverAge | Self::YearsLicensed | Self::Violations | Self::Gender | Self::CreditBand)
    }
}
crate::text_enum! {
    /// A driver's gender, where the insurer asks and the state lets it count.
    pub enum Gender {
        /// Female.
        Female = "FEMALE",
        /// Male.
        Male = "MALE",
        /// Neither, or not on the licence.
        Other = "OTHER",
    }
}
crate::text_enum! {
    /// Who besides the customer has an interest in the car.
    pub enum LenderInterest {
        /// Nobody.
        None = "NONE",
        /// A lender, who asks for comprehensive and collision.
        Loan = "LOAN",
        /// A lessor, who asks for the same and for high limits.
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
    barred: HashMap<String, Vec<Barred>>,
    pay_plans: HashMap<InsurerId, Vec<PayPlan>>,
    demands: HashMap<GroupId, Vec<Demand>>,
}

impl InsuranceBook {
    /// Sorts rows into a book.
    pub fn new(rows: InsuranceRows) -> Self {
        let mut book = Self { insurers: rows.insurers.into_iter().map(Arc::new).collect(), ..Self::default() };
        for (insurer, state, rate) in rows.rates {
            book.rates.entry((insurer, state)).or_default().push(rate);
        }
        for (insurer, factor) in rows.factors {
            book.factors.entry(insurer).or_default().push(factor);
        }
        for minimum in rows.minimums {
            book.minimums.entry(minimum.state.clone()).or_default().push(minimum);
        }
        for barred in rows.barred {
            book.barred.entry(barred.state.clone()).or_default().push(barred);
        }
        for (insurer, plan) in rows.pay_plans {
            book.pay_plans.entry(insurer).or_default().push(plan);
        }
        for (group, demand) in rows.demands {
            book.demands.entry(group).or_default().push(demand);
        }
        book
    }

    /// The factors a state bars on a day.
    pub fn barred<'b>(&'b self, state: &str, on: NaiveDate) -> impl Iterator<Item = &'b Barred> + use<'b> {
        self.barred.get(state).into_iter().flatten().filter(move |b| holds(b.effective_from, b.effective_to, on))
    }

    /// How an insurer's premiums can be paid on a day.
    pub fn pay_plans(&self, insurer: InsurerId, on: NaiveDate) -> impl Iterator<Item = &PayPlan> {
        self.pay_plans.get(&insurer).into_iter().flatten().filter(move |p| holds(p.effective_from, p.effective_to, on))
    }

    /// What a lender asks: its own row, else the one for every lender.
    pub fn demand(&self, group: GroupId, lender: Option<&str>, interest: LenderInterest, on: NaiveDate) -> Option<&Demand> {
        let holding = |demand: &&Demand| demand.interest == interest && holds(demand.effective_from, demand.effective_to, on);
        let rows = || self.demands.get(&group).into_iter().flatten().filter(holding);
        rows().find(|d| lender.is_some() && d.lender_code.as_deref() == lender).or_else(|| rows().find(|d| d.lender_code.is_none()))
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
