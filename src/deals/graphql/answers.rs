//! What the customer answered, as clients send and read it.

use async_graphql::{ID, InputObject, SimpleObject};

use super::inputs::{key, target};
use crate::deals::service::RecordAnswers;
use crate::finance::CustomerNeeds;
use crate::graphql::{DecimalText, GqlError, GqlResult, input};
use crate::insurance::{Coverage, CoverageChoice, DRIVERS_MAX, Driver, Gender, InsuranceWish};
use crate::kernel::money::Cents;

/// What to record, and the key and version that guard it.
#[derive(Debug, InputObject)]
pub(super) struct DealAnswersRecordInput {
    /// The deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key of your own for this operation: the same key again gives the first answer again.
    idempotency_key: String,
    /// For suggestions of products. What is given replaces all earlier answers of this kind.
    needs: Option<CustomerNeedsInput>,
    /// For the insurers. What is given replaces all earlier answers of this kind, and asks for new insurance quotes.
    insurance: Option<InsuranceWishInput>,
}

/// What the customer said about how they use a car. Leave out what was not asked.
#[derive(Debug, InputObject)]
pub(super) struct CustomerNeedsInput {
    /// Years they keep a car, 1 to 40.
    keeps_years: Option<i32>,
    /// Miles they drive in a year, up to 200,000.
    miles_per_year: Option<i32>,
    /// A repair of 2,500 would be a burden.
    repair_is_burden: Option<bool>,
    /// They drive on bad or unpaved roads.
    rough_roads: Option<bool>,
    /// The car stands in the street.
    street_parking: Option<bool>,
    /// Children or animals ride along.
    children_or_pets: Option<bool>,
    /// Keys get lost in the household.
    loses_keys: Option<bool>,
}

/// What the customer said about insurance. No names: only what a premium follows from.
#[derive(Debug, InputObject)]
pub(super) struct InsuranceWishInput {
    /// Who will drive, at most 6. Empty: one driver of 40 is assumed, and every quote says so.
    #[graphql(default)]
    drivers: Vec<DriverInput>,
    /// Where the car is kept at night, when not at the buyer's address: two-letter state.
    garaging_state: Option<String>,
    /// The ZIP code there.
    garaging_postal_code: Option<String>,
    /// Days without insurance before this one.
    prior_lapse_days: Option<i32>,
    /// Months of the policy: 6 or 12.
    term_months: Option<i32>,
    /// The coverages wanted. Empty: 100/300/50, uninsured motorist, medical, comprehensive and collision with 500.
    #[graphql(default)]
    coverages: Vec<CoverageChoiceInput>,
    /// Raise what is below the lender's demands (the usual), or only say what is not met.
    #[graphql(default = true)]
    meet_lender_demands: bool,
}

/// A driver, as far as a premium follows from it.
#[derive(Debug, InputObject)]
pub(super) struct DriverInput {
    /// Age in years, 14 to 120.
    age_years: i32,
    /// Years with a licence.
    years_licensed: i32,
    /// Violations and accidents at fault in three years.
    #[graphql(default)]
    violations: i32,
    /// Where it may count and was said. Not used in states that bar it.
    gender: Option<Gender>,
    /// The insurance score in bands from 1 (best) to 5, where it may count and was said. Not used in states that bar it.
    credit_band: Option<i32>,
}

/// A coverage with its limit or deductible, in dollars.
#[derive(Debug, InputObject)]
pub(super) struct CoverageChoiceInput {
    /// Which.
    coverage: Coverage,
    /// The limit; per person, where there are two.
    limit: Option<DecimalText>,
    /// The limit per accident, where there are two.
    limit_per_accident: Option<DecimalText>,
    /// What the customer bears, of comprehensive and collision.
    deductible: Option<DecimalText>,
}

fn within(name: &str, value: i32, least: i32, most: i32) -> GqlResult<u16> {
    let fits = (least..=most).contains(&value);
    let value = u16::try_from(value).ok().filter(|_| fits);
    value.ok_or_else(|| GqlError::bad_input(format!("{name}: from {least} to {most}")))
}

fn opt_within(name: &str, value: Option<i32>, least: i32, most: i32) -> GqlResult<Option<u16>> {
    value.map(|value| within(name, value, least, most)).transpose()
}

impl DealAnswersRecordInput {
    pub(super) fn read(self) -> GqlResult<RecordAnswers> {
        Ok(RecordAnswers {
            target: target(&self.deal_id, self.expected_version, key(&self.idempotency_key))?,
            needs: self.needs.map(CustomerNeedsInput::read).transpose()?,
            insurance: self.insurance.map(InsuranceWishInput::read).transpose()?,
        })
    }
}

impl CustomerNeedsInput {
    fn read(self) -> GqlResult<CustomerNeeds> {
        let miles = self.miles_per_year.map(|miles| {
            u32::try_from(miles)
                .ok()
                .filter(|miles| *miles <= 200_000)
                .ok_or_else(|| GqlError::bad_input("input.needs.milesPerYear: from 0 to 200000"))
        });
        Ok(CustomerNeeds {
            keeps_years: opt_within("input.needs.keepsYears", self.keeps_years, 1, 40)?,
            miles_per_year: miles.transpose()?,
            repair_is_burden: self.repair_is_burden,
            rough_roads: self.rough_roads,
            street_parking: self.street_parking,
            children_or_pets: self.children_or_pets,
            loses_keys: self.loses_keys,
        })
    }
}

impl InsuranceWishInput {
    fn read(self) -> GqlResult<InsuranceWish> {
        if self.drivers.len() > DRIVERS_MAX {
            return Err(GqlError::bad_input(format!("input.insurance.drivers: at most {DRIVERS_MAX} items")));
        }
        if self.coverages.len() > Coverage::ALL.len() {
            return Err(GqlError::bad_input("input.insurance.coverages: each coverage once"));
        }
        let state = input::optional("input.insurance.garagingState", self.garaging_state.as_deref(), 2)?;
        if state.as_deref().is_some_and(|s| s.len() != 2 || !s.bytes().all(|b| b.is_ascii_uppercase())) {
            return Err(GqlError::bad_input("input.insurance.garagingState: two capital letters, such as TX"));
        }
        let postal_code = input::optional("input.insurance.garagingPostalCode", self.garaging_postal_code.as_deref(), 10)?;
        if postal_code.as_deref().is_some_and(|code| code.len() < 5 || !code.bytes().all(|b| b.is_ascii_digit() || b == b'-')) {
            return Err(GqlError::bad_input("input.insurance.garagingPostalCode: a ZIP code such as 78701"));
        }
        let term_months = opt_within("input.insurance.termMonths", self.term_months, 6, 12)?;
        if term_months.is_some_and(|months| months != 6 && months != 12) {
            return Err(GqlError::bad_input("input.insurance.termMonths: 6 or 12"));
        }
        Ok(InsuranceWish {
            drivers: self.drivers.into_iter().map(DriverInput::read).collect::<GqlResult<_>>()?,
            garaging_state: state,
            garaging_postal_code: postal_code,
            prior_lapse_days: opt_within("input.insurance.priorLapseDays", self.prior_lapse_days, 0, 20_000)?,
            term_months,
            coverages: self.coverages.into_iter().map(CoverageChoiceInput::read).collect::<GqlResult<_>>()?,
            keep_below_demands: !self.meet_lender_demands,
        })
    }
}

impl DriverInput {
    fn read(self) -> GqlResult<Driver> {
        let age = within("input.insurance.drivers.ageYears", self.age_years, 14, 120)?;
        Ok(Driver {
            age,
            years_licensed: within("input.insurance.drivers.yearsLicensed", self.years_licensed, 0, i32::from(age) - 14)?,
            violations: within("input.insurance.drivers.violations", self.violations, 0, 50)?,
            gender: self.gender,
            credit_band: opt_within("input.insurance.drivers.creditBand", self.credit_band, 1, 5)?,
        })
    }
}

impl CoverageChoiceInput {
    fn read(self) -> GqlResult<CoverageChoice> {
        let amount = |name: &str, value: Option<DecimalText>| -> GqlResult<Option<Cents>> {
            value.map(|value| input::amount(&format!("input.insurance.coverages.{name}"), value)).transpose()
        };
        Ok(CoverageChoice {
            coverage: self.coverage,
            limit: amount("limit", self.limit)?,
            limit_per_accident: amount("limitPerAccident", self.limit_per_accident)?,
            deductible: amount("deductible", self.deductible)?,
        })
    }
}

/// What the customer answered, for suggestions of products.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "CustomerNeeds")]
pub struct NeedsNode {
    /// Years they keep a car.
    keeps_years: Option<i32>,
    /// Miles they drive in a year.
    miles_per_year: Option<i32>,
    /// A repair of 2,500 would be a burden.
    repair_is_burden: Option<bool>,
    /// They drive on bad or unpaved roads.
    rough_roads: Option<bool>,
    /// The car stands in the street.
    street_parking: Option<bool>,
    /// Children or animals ride along.
    children_or_pets: Option<bool>,
    /// Keys get lost in the household.
    loses_keys: Option<bool>,
}

impl From<CustomerNeeds> for NeedsNode {
    fn from(needs: CustomerNeeds) -> Self {
        Self {
            keeps_years: needs.keeps_years.map(i32::from),
            miles_per_year: needs.miles_per_year.and_then(|miles| i32::try_from(miles).ok()),
            repair_is_burden: needs.repair_is_burden,
            rough_roads: needs.rough_roads,
            street_parking: needs.street_parking,
            children_or_pets: needs.children_or_pets,
            loses_keys: needs.loses_keys,
        }
    }
}
