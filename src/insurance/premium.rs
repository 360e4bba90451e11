//! The premium: base × factors per coverage, raised to what the law and the lender ask for.

use std::sync::Arc;

use uuid::Uuid;

use crate::kernel::money::Cents;
use crate::kernel::rounding::div_half_up;

use super::model::{
    Coverage, CoverageChoice, Factor, FactorSubject, InsuranceBook, InsuranceRequest, Insurer, LenderInterest, Minimum, Rate, holds,
};

/// Grows when any premium could come out differently. Stored with every quote.
pub const RATING_VERSION: &str = "1.0";
/// A factor of 1.
const UNIT: i128 = 100_000;
/// Between the factors the premium is kept in billionths of a cent.
const FINE: i128 = 1_000_000_000;

/// Why no premium could be calculated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsuranceError {
    /// A policy runs six or twelve months.
    #[error("A policy runs 6 or 12 months.")]
    Term,
    /// The same coverage twice, or a limit or value out of range.
    #[error("{0}")]
    BadRequest(&'static str),
    /// The insurer has no rate for a coverage in this state.
    #[error("{insurer} has no rate for {coverage} in {state}.")]
    NoRate {
        /// Whose.
        insurer: String,
        /// Which.
        coverage: Coverage,
        /// Where.
        state: String,
    },
    /// The figure is too large.
    #[error("The premium is too large to calculate.")]
    Overflow,
}

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
    /// What the state asks for.
    pub minimum: Option<Minimum>,
}

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
    /// What was raised to meet the state's or the lender's demands, in words.
    pub raised: Vec<String>,
    /// Every row used was checked by a person.
    pub verified: bool,
    /// The rows nobody has checked yet.
    pub unverified_rules: Vec<String>,
    /// Ids of the rows used.
    pub rule_ids: Vec<Uuid>,
}

/// What every insurer of a group that writes in the state says; the lowest premium first.
pub fn quote_all<'b>(
    book: &'b InsuranceBook,
    group: crate::kernel::id::GroupId,
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
        let minimum = book.minimum(&request.state, request.on).cloned();
        let mut request = request.clone();
        raise(&mut request, minimum.as_ref());
        let mut rates = Vec::with_capacity(request.coverages.len());
        let mut factors: Vec<Factor> = Vec::new();
        for choice in &request.coverages {
            let rate = book.rate(insurer.id, &request.state, choice.coverage, request.on).ok_or_else(|| InsuranceError::NoRate {
                insurer: insurer.name.clone(),
                coverage: choice.coverage,
                state: request.state.clone(),
            })?;
            rates.push(rate.clone());
            for factor in book.factors(insurer.id).iter().filter(|f| applies(f, &request, choice)) {
                if !factors.iter().any(|known| known.id == factor.id) {
                    factors.push(factor.clone());
                }
            }
        }
        Ok(Self { insurer: insurer.name.clone(), request, rates, factors, minimum })
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
            let premium = self.premium(rate, choice)?;
            coverages.push(CoverageLine {
                choice: *choice,
                premium,
                required: required(choice.coverage, &self.request, self.minimum.as_ref()),
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
            raised: demands(&self.request, self.minimum.as_ref()),
            verified: unverified.is_empty(),
            unverified_rules: unverified,
            rule_ids: self
                .rates
                .iter()
                .map(|r| r.id)
                .chain(self.factors.iter().map(|f| f.id))
                .chain(self.minimum.iter().map(|m| m.id))
                .collect(),
        })
    }

    /// Base × factors × term, kept in billionths of a cent between the factors, then rounded half up to the cent.
    fn premium(&self, rate: &Rate, choice: &CoverageChoice) -> Result<Cents, InsuranceError> {
        let mut value = i128::from(rate.base.0) * FINE * i128::from(self.request.term_months / 6);
        for factor in self.factors.iter().filter(|f| applies(f, &self.request, choice)) {
            let product = value.checked_mul(i128::from(factor.factor)).ok_or(InsuranceError::Overflow)?;
            value = div_half_up(product, UNIT).ok_or(InsuranceError::Overflow)?;
        }
        let cents = div_half_up(value, FINE).and_then(|c| i64::try_from(c).ok()).ok_or(InsuranceError::Overflow)?;
        if cents > Cents::LIMIT.0 { Err(InsuranceError::Overflow) } else { Ok(Cents(cents)) }
    }

    fn unverified(&self) -> Vec<String> {
        let state = &self.request.state;
        let rates = self.rates.iter().filter(|r| !r.verified).map(|r| format!("{} rate for {} in {state}", self.insurer, r.coverage));
        let minimum = match &self.minimum {
            None => Some(format!("No minimum limits on file for {state}")),
            Some(m) if !m.verified => Some(format!("Minimum limits of {state}")),
            Some(_) => None,
        };
        rates.chain(minimum).collect()
    }
}

fn check(request: &InsuranceRequest) -> Result<(), InsuranceError> {
    if request.term_months != 6 && request.term_months != 12 {
        return Err(InsuranceError::Term);
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

/// Whether a factor's band is hit for a coverage, and the state allows it.
fn applies(factor: &Factor, request: &InsuranceRequest, choice: &CoverageChoice) -> bool {
    let value = match factor.subject {
        FactorSubject::DriverAge => i64::from(request.driver_age),
        FactorSubject::Violations => i64::from(request.violations),
        FactorSubject::AnnualMiles => i64::from(request.annual_miles),
        FactorSubject::VehicleValue => request.vehicle_value.0 / 100,
        FactorSubject::VehicleAge => i64::from(request.vehicle_age),
        FactorSubject::PriorLapse => i64::from(request.prior_lapse_days),
        FactorSubject::Deductible => match choice.deductible {
            Some(deductible) => deductible.0 / 100,
            None => return false,
        },
        FactorSubject::Limit => match choice.limit {
            Some(limit) => limit.0 / 100,
            None => return false,
        },
    };
    factor.coverage.is_none_or(|c| c == choice.coverage)
        && (factor.from..factor.to).contains(&value)
        && holds(factor.effective_from, factor.effective_to, request.on)
        && !factor.barred_states.contains(&request.state)
}

/// What a lender or lessor asks for (DOMAIN B7): the deductible at most 1,000; a lessor also 100,000/300,000/50,000.
const DEDUCTIBLE_MAX: Cents = Cents(1_000_00);

fn floors(coverage: Coverage, request: &InsuranceRequest, minimum: Option<&Minimum>) -> (Cents, Cents) {
    let lease = request.interest == LenderInterest::Lease;
    let at_least = |legal: Option<Cents>, lessor: i64| legal.unwrap_or_default().max(if lease { Cents(lessor) } else { Cents::ZERO });
    match coverage {
        Coverage::BodilyInjury => {
            (at_least(minimum.map(|m| m.bodily_injury_person), 100_000_00), at_least(minimum.map(|m| m.bodily_injury_accident), 300_000_00))
        }
        Coverage::PropertyDamage => (at_least(minimum.map(|m| m.property_damage), 50_000_00), Cents::ZERO),
        Coverage::Medical => (minimum.map(|m| m.personal_injury).unwrap_or_default(), Cents::ZERO),
        Coverage::UninsuredMotorist if minimum.is_some_and(|m| m.uninsured_required) => {
            (minimum.map(|m| m.bodily_injury_person).unwrap_or_default(), minimum.map(|m| m.bodily_injury_accident).unwrap_or_default())
        }
        _ => (Cents::ZERO, Cents::ZERO),
    }
}

fn required(coverage: Coverage, request: &InsuranceRequest, minimum: Option<&Minimum>) -> bool {
    if coverage.covers_the_car() { request.interest != LenderInterest::None } else { floors(coverage, request, minimum).0 > Cents::ZERO }
}

/// Adds what is missing and raises what is too low.
fn raise(request: &mut InsuranceRequest, minimum: Option<&Minimum>) {
    for coverage in Coverage::ALL.iter().copied() {
        if required(coverage, request, minimum) && !request.coverages.iter().any(|c| c.coverage == coverage) {
            let deductible = coverage.covers_the_car().then_some(DEDUCTIBLE_MAX);
            request.coverages.push(CoverageChoice { coverage, limit: None, limit_per_accident: None, deductible });
        }
    }
    let asked = request.clone();
    for choice in &mut request.coverages {
        let (person, accident) = floors(choice.coverage, &asked, minimum);
        if person > Cents::ZERO {
            choice.limit = Some(choice.limit.unwrap_or_default().max(person));
        }
        if accident > Cents::ZERO {
            choice.limit_per_accident = Some(choice.limit_per_accident.unwrap_or_default().max(accident));
        }
        if choice.coverage.covers_the_car() && asked.interest != LenderInterest::None {
            choice.deductible = Some(choice.deductible.unwrap_or(DEDUCTIBLE_MAX).min(DEDUCTIBLE_MAX));
        }
    }
}

/// What the state and the lender ask for, in words.
fn demands(request: &InsuranceRequest, minimum: Option<&Minimum>) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(m) = minimum {
        out.push(format!(
            "{} asks for at least {}/{}/{}.",
            request.state, m.bodily_injury_person, m.bodily_injury_accident, m.property_damage
        ));
    }
    match request.interest {
        LenderInterest::None => {}
        LenderInterest::Loan => out.push(format!("The lender asks for comprehensive and collision with a deductible of at most {DEDUCTIBLE_MAX}, and to be named loss payee.")),
        LenderInterest::Lease => out.push(format!(
            "The lessor asks for 100000.00/300000.00/50000.00, comprehensive and collision with a deductible of at most {DEDUCTIBLE_MAX}, and to be named loss payee and additional insured."
        )),
    }
    out
}
