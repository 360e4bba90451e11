//! The premium: base × factors per coverage, by the rows that hold.

use std::sync::Arc;

use crate::kernel::id::GroupId;
use crate::kernel::money::Cents;
use crate::kernel::rounding::div_half_up;

use super::demand::{self, DemandCheck};
use super::model::{
    Barred, CoverageChoice, DRIVERS_MAX, Demand, Driver, Factor, FactorSubject, InsuranceBook, InsuranceRequest, Insurer, Minimum, PayPlan,
    Rate, holds,
};
use super::plan::PayPlanQuote;
use super::quoted::{CoverageLine, InsuranceQuoted};
use super::{InsuranceError, RATING_VERSION};

/// A factor of 1.
const UNIT: i128 = 100_000;
/// Between the factors the premium is kept in billionths of a cent.
const FINE: i128 = 1_000_000_000;

/// Everything a premium follows from, with copies of the rows used. Serialised, it is `insurance_quote.inputs`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InsuranceInput {
    /// The insurer's name.
    pub insurer: String,
    /// What was asked, raised to what is required.
    pub request: InsuranceRequest,
    /// The rates, one per coverage asked for.
    pub rates: Vec<Rate>,
    /// The factors whose bands were hit.
    pub factors: Vec<Factor>,
    /// Factors of the insurer's sheet the state bars; they are not used.
    pub barred: Vec<Barred>,
    /// What the state asks for.
    pub minimum: Option<Minimum>,
    /// What the lender or lessor asks for.
    pub demand: Option<Demand>,
    /// How it can be paid.
    pub pay_plans: Vec<PayPlan>,
}

/// What every insurer of a group that writes in the state says; the lowest premium first.
pub fn quote_all<'b>(
    book: &'b InsuranceBook,
    group: GroupId,
    request: &InsuranceRequest,
) -> Result<Vec<(&'b Arc<Insurer>, InsuranceInput, InsuranceQuoted)>, InsuranceError> {
    let mut quotes = Vec::new();
    for insurer in book.insurers(group) {
        match InsuranceInput::gather(book, insurer, request) {
            Ok(input) => {
                let quoted = input.quote()?;
                quotes.push((insurer, input, quoted));
            }
            // An insurer that does not write here simply has no quote.
            Err(InsuranceError::NoRate { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    quotes.sort_by(|a, b| a.2.premium.cmp(&b.2.premium).then_with(|| a.0.code.cmp(&b.0.code)));
    Ok(quotes)
}

impl InsuranceInput {
    /// The rows of one insurer for a request.
    pub fn gather(book: &InsuranceBook, insurer: &Insurer, request: &InsuranceRequest) -> Result<Self, InsuranceError> {
        check(request)?;
        let mut request = request.clone();
        let minimum = book.minimum(&request.state, request.on).cloned();
        let demand = book.demand(insurer.group_id, request.lender_code.as_deref(), request.interest, request.on).cloned();
        demand::raise(&mut request, minimum.as_ref(), demand.as_ref());
        let (mut rates, mut factors, mut barred) =
            (Vec::with_capacity(request.coverages.len()), Vec::<Factor>::new(), Vec::<Barred>::new());
        for choice in &request.coverages {
            let rate = book.rate(insurer.id, &request.state, choice.coverage, request.on).ok_or_else(|| InsuranceError::NoRate {
                insurer: insurer.name.clone(),
                coverage: choice.coverage,
                state: request.state.clone(),
            })?;
            rates.push(rate.clone());
            for factor in book.factors(insurer.id).iter().filter(|f| applies(f, &request, choice)) {
                // The law comes before the insurer's sheet.
                if let Some(law) = book.barred(&request.state, request.on).find(|law| law.subject == factor.subject) {
                    if !barred.iter().any(|known| known.id == law.id) {
                        barred.push(law.clone());
                    }
                } else if !factors.iter().any(|known| known.id == factor.id) {
                    factors.push(factor.clone());
                }
            }
        }
        let pay_plans = book.pay_plans(insurer.id, request.on).cloned().collect();
        Ok(Self { insurer: insurer.name.clone(), request, rates, factors, barred, minimum, demand, pay_plans })
    }

    /// The premium. Pure: the same input gives the same bytes.
    pub fn quote(&self) -> Result<InsuranceQuoted, InsuranceError> {
        check(&self.request)?;
        let mut coverages = Vec::with_capacity(self.request.coverages.len());
        for choice in &self.request.coverages {
            let rate = self.rates.iter().find(|r| r.coverage == choice.coverage).ok_or_else(|| InsuranceError::NoRate {
                insurer: self.insurer.clone(),
                coverage: choice.coverage,
                state: self.request.state.clone(),
            })?;
            coverages.push(CoverageLine {
                choice: *choice,
                premium: self.premium(rate, choice)?,
                required: demand::required(choice.coverage, &self.request, self.minimum.as_ref(), self.demand.as_ref()),
            });
        }
        let premium: Cents = coverages.iter().map(|c| c.premium).sum();
        let months = i64::from(self.request.term_months);
        let unverified = self.unverified();
        Ok(InsuranceQuoted {
            rating_version: RATING_VERSION.to_owned(),
            term_months: self.request.term_months,
            premium,
            monthly_premium: Cents(premium.0.saturating_add(months - 1) / months),
            coverages,
            pay_plans: self
                .pay_plans
                .iter()
                .map(|plan| PayPlanQuote::of(plan, premium))
                .collect::<Option<_>>()
                .ok_or(InsuranceError::Overflow)?,
            demands: DemandCheck::all(&self.request, self.demand.as_ref()),
            assumptions: self.assumptions(),
            raised: demand::words(&self.request, self.minimum.as_ref(), self.demand.as_ref()),
            verified: unverified.is_empty(),
            unverified_rules: unverified,
            rule_ids: self
                .rates
                .iter()
                .map(|r| r.id)
                .chain(self.factors.iter().map(|f| f.id))
                .chain(self.barred.iter().map(|b| b.id))
                .chain(self.minimum.iter().map(|m| m.id))
                .chain(self.demand.iter().map(|d| d.id))
                .chain(self.pay_plans.iter().map(|p| p.id))
                .collect(),
        })
    }

    /// Base × the car's factors × those of the driver who costs most × term, kept in billionths of a cent between the factors,
    /// then rounded half up to the cent.
    fn premium(&self, rate: &Rate, choice: &CoverageChoice) -> Result<Cents, InsuranceError> {
        let usable: Vec<&Factor> = self.factors.iter().filter(|f| !self.barred.iter().any(|law| law.subject == f.subject)).collect();
        let mut value = i128::from(rate.base.0) * FINE * i128::from(self.request.term_months / 6);
        for factor in usable.iter().filter(|f| !f.subject.is_driver() && applies(f, &self.request, choice)) {
            value = times(value, factor)?;
        }
        let mut highest = None;
        for driver in &self.request.drivers {
            let mut of_driver = value;
            for factor in usable.iter().filter(|f| f.subject.is_driver() && fits(f, &self.request, choice) && hits_driver(f, driver)) {
                of_driver = times(of_driver, factor)?;
            }
            highest = highest.max(Some(of_driver));
        }
        let value = highest.unwrap_or(value);
        let cents = div_half_up(value, FINE).and_then(|c| i64::try_from(c).ok()).ok_or(InsuranceError::Overflow)?;
        if cents > Cents::LIMIT.0 { Err(InsuranceError::Overflow) } else { Ok(Cents(cents)) }
    }

    fn assumptions(&self) -> Vec<String> {
        let driver = Driver::ASSUMED;
        let mut out = Vec::new();
        if self.request.driver_assumed {
            out.push(format!(
                "One driver of {} with {} years of licence and no violations: nobody was named yet.",
                driver.age, driver.years_licensed
            ));
        }
        if self.factors.iter().any(|f| f.subject == FactorSubject::Territory) || self.request.postal_code.is_some() {
            return out;
        }
        out.push(format!("Kept somewhere in {}: no ZIP code was given.", self.request.state));
        out
    }

    fn unverified(&self) -> Vec<String> {
        let state = &self.request.state;
        let rates = self.rates.iter().filter(|r| !r.verified).map(|r| format!("{} rate for {} in {state}", self.insurer, r.coverage));
        let minimum = match &self.minimum {
            None => Some(format!("No minimum limits on file for {state}")),
            Some(m) if !m.verified => Some(format!("Minimum limits of {state}")),
            Some(_) => None,
        };
        let barred = self.barred.iter().filter(|b| !b.verified).map(|b| format!("Factor {} barred in {state}", b.subject));
        let demand = self.demand.iter().filter(|d| !d.verified).map(|d| format!("What a {} asks for", d.interest.as_str().to_lowercase()));
        rates.chain(minimum).chain(barred).chain(demand).collect()
    }
}

fn times(value: i128, factor: &Factor) -> Result<i128, InsuranceError> {
    let product = value.checked_mul(i128::from(factor.factor)).ok_or(InsuranceError::Overflow)?;
    div_half_up(product, UNIT).ok_or(InsuranceError::Overflow)
}

fn check(request: &InsuranceRequest) -> Result<(), InsuranceError> {
    if request.term_months != 6 && request.term_months != 12 {
        return Err(InsuranceError::Term);
    }
    if request.drivers.is_empty() || request.drivers.len() > DRIVERS_MAX {
        return Err(InsuranceError::BadRequest("Name one to six drivers."));
    }
    for driver in &request.drivers {
        if !(14..=120).contains(&driver.age) || driver.years_licensed > driver.age - 14 || driver.violations > 50 {
            return Err(InsuranceError::BadRequest("A driver's age, years of licence or violations do not fit."));
        }
    }
    let amounts =
        request.coverages.iter().flat_map(|c| [c.limit, c.limit_per_accident, c.deductible]).flatten().chain([request.vehicle_value]);
    if amounts.into_iter().any(|a| a < Cents::ZERO || a > Cents::LIMIT) {
        return Err(InsuranceError::BadRequest("A limit, deductible or value is out of range."));
    }
    for (position, choice) in request.coverages.iter().enumerate() {
        if request.coverages.iter().take(position).any(|before| before.coverage == choice.coverage) {
            return Err(InsuranceError::BadRequest("A coverage is on the list twice."));
        }
    }
    Ok(())
}

/// Whether a factor is for this coverage, day and state, whatever its band.
fn fits(factor: &Factor, request: &InsuranceRequest, choice: &CoverageChoice) -> bool {
    factor.coverage.is_none_or(|c| c == choice.coverage)
        && holds(factor.effective_from, factor.effective_to, request.on)
        && !factor.barred_states.contains(&request.state)
}

fn hits_driver(factor: &Factor, driver: &Driver) -> bool {
    let value = match factor.subject {
        FactorSubject::DriverAge => Some(driver.age),
        FactorSubject::YearsLicensed => Some(driver.years_licensed),
        FactorSubject::Violations => Some(driver.violations),
        FactorSubject::Gender => driver.gender.map(|gender| match gender {
            super::model::Gender::Female => 1,
            super::model::Gender::Male => 2,
            super::model::Gender::Other => 3,
        }),
        FactorSubject::CreditBand => driver.credit_band,
        _ => None,
    };
    value.is_some_and(|value| (factor.from..factor.to).contains(&i64::from(value)))
}

/// Whether a factor's band is hit for a coverage (by any driver, for a driver's factor), and the insurer's sheet allows it.
fn applies(factor: &Factor, request: &InsuranceRequest, choice: &CoverageChoice) -> bool {
    if !fits(factor, request, choice) {
        return false;
    }
    if factor.subject.is_driver() {
        return request.drivers.iter().any(|driver| hits_driver(factor, driver));
    }
    let value = match factor.subject {
        FactorSubject::AnnualMiles => Some(i64::from(request.annual_miles)),
        FactorSubject::VehicleValue => Some(request.vehicle_value.0 / 100),
        FactorSubject::VehicleAge => Some(i64::from(request.vehicle_age)),
        FactorSubject::PriorLapse => Some(i64::from(request.prior_lapse_days)),
        FactorSubject::Term => Some(i64::from(request.term_months)),
        FactorSubject::Deductible => choice.deductible.map(|deductible| deductible.0 / 100),
        FactorSubject::Limit => choice.limit.map(|limit| limit.0 / 100),
        FactorSubject::Territory => request.postal_code.as_deref().and_then(territory),
        _ => None,
    };
    value.is_some_and(|value| (factor.from..factor.to).contains(&value))
}

/// The first three digits of a ZIP code.
fn territory(postal_code: &str) -> Option<i64> {
    let digits: String = postal_code.chars().take(3).collect();
    (digits.len() == 3).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::model::{Coverage, LenderInterest};
    use super::*;
    use uuid::Uuid;

    fn asked() -> InsuranceRequest {
        InsuranceRequest::for_car("TX", "2026-11-20".parse().unwrap(), LenderInterest::None, Cents(30_000_00), 3, None)
    }

    fn factor() -> Factor {
        Factor {
            id: Uuid::nil(),
            subject: FactorSubject::DriverAge,
            coverage: Some(Coverage::Collision),
            from: 0,
            to: 25,
            factor: 150_000,
            barred_states: vec!["CA".into()],
            effective_from: Some("2026-01-01".parse().unwrap()),
            effective_to: Some("2027-01-01".parse().unwrap()),
        }
    }

    #[test]
    fn a_factor_is_for_its_coverage_its_days_and_the_states_that_do_not_bar_it() {
        let (request, factor) = (asked(), factor());
        let [collision, injury] = [Coverage::Collision, Coverage::BodilyInjury].map(|coverage| CoverageChoice {
            coverage,
            limit: None,
            limit_per_accident: None,
            deductible: None,
        });
        assert!(fits(&factor, &request, &collision));
        assert!(!fits(&factor, &request, &injury));
        assert!(fits(&Factor { coverage: None, ..factor.clone() }, &request, &injury));
        for day in ["2025-12-31", "2027-01-01"] {
            assert!(!fits(&factor, &InsuranceRequest { on: day.parse().unwrap(), ..request.clone() }, &collision));
        }
        assert!(!fits(&factor, &InsuranceRequest { state: "CA".into(), ..request }, &collision));
    }

    #[test]
    fn every_row_nobody_has_checked_is_named() {
        let rate = |verified| Rate {
            id: Uuid::nil(),
            coverage: Coverage::Collision,
            base: Cents(100_00),
            effective_from: None,
            effective_to: None,
            verified,
        };
        let input = |verified| InsuranceInput {
            insurer: "Safe".into(),
            request: asked(),
            rates: vec![rate(verified)],
            factors: vec![],
            barred: vec![],
            minimum: None,
            demand: None,
            pay_plans: vec![],
        };
        assert_eq!(input(true).unverified(), ["No minimum limits on file for TX"]);
        assert_eq!(input(false).unverified(), ["Safe rate for COLLISION in TX", "No minimum limits on file for TX"]);
    }

    #[test]
    fn a_request_out_of_range_is_refused() {
        let refused = |change: &dyn Fn(&mut InsuranceRequest)| {
            let mut request = asked();
            change(&mut request);
            check(&request).is_err()
        };
        assert!(!refused(&|_| {}));
        assert!(refused(&|r| r.term_months = 9));
        assert!(refused(&|r| r.drivers.clear()));
        assert!(refused(&|r| r.drivers = vec![Driver::ASSUMED; DRIVERS_MAX + 1]));
        assert!(refused(&|r| r.drivers[0].age = 13));
        assert!(refused(&|r| r.drivers[0].years_licensed = 27));
        assert!(!refused(&|r| r.drivers[0].years_licensed = 26));
        assert!(refused(&|r| r.drivers[0].violations = 51));
        assert!(refused(&|r| r.vehicle_value = Cents(-1)));
        assert!(!refused(&|r| r.vehicle_value = Cents::LIMIT));
        assert!(refused(&|r| r.vehicle_value = Cents::LIMIT + Cents(1)));
        assert!(refused(&|r| r.coverages.push(r.coverages[0])));
    }
}
