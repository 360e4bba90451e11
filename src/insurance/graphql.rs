//! An insurance quote in full as clients see it.

use async_graphql::{Object, SimpleObject};

use super::{Coverage, DemandSubject, InsuranceInput, InsuranceQuoted};
use crate::graphql::{GqlError, GqlResult, MoneyObject};
use crate::kernel::money::{Cents, Currency};

/// A stored insurance quote, read back.
#[derive(Debug, Clone)]
pub struct InsuranceDetailNode {
    input: InsuranceInput,
    quoted: InsuranceQuoted,
    currency: Currency,
}

impl InsuranceDetailNode {
    /// From what is stored.
    pub fn read(inputs: serde_json::Value, result: serde_json::Value, currency: Currency) -> GqlResult<Self> {
        let input = serde_json::from_value(inputs).map_err(GqlError::internal)?;
        let quoted = serde_json::from_value(result).map_err(GqlError::internal)?;
        Ok(Self { input, quoted, currency })
    }

    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.currency)
    }
}

/// A coverage with its premium.
#[derive(Debug, Clone, SimpleObject)]
pub struct InsuranceCoverage {
    /// Which.
    pub coverage: Coverage,
    /// The limit; per person, where there are two.
    pub limit: Option<MoneyObject>,
    /// The limit per accident, where there are two.
    pub limit_per_accident: Option<MoneyObject>,
    /// What the customer bears.
    pub deductible: Option<MoneyObject>,
    /// For the term of the policy.
    pub premium: MoneyObject,
    /// Whether the state or the lender asks for it.
    pub required: bool,
}

/// How the premium can be paid. All payments together are `total`.
#[derive(Debug, Clone, SimpleObject)]
pub struct InsurancePayPlan {
    /// The insurer's code.
    pub code: String,
    /// What the customer reads.
    pub name: String,
    /// How many payments.
    pub payments: i32,
    /// Due with the first day of cover.
    pub first_payment: MoneyObject,
    /// Each further payment with its fee; null when there is none.
    pub further_payment: Option<MoneyObject>,
    /// All fees within.
    pub fees: MoneyObject,
    /// Taken off the premium.
    pub discount: MoneyObject,
    /// Everything paid.
    pub total: MoneyObject,
}

/// What a lender or lessor asks of the policy, against what was quoted.
#[derive(Debug, Clone, SimpleObject)]
pub struct InsuranceDemand {
    /// What.
    pub subject: DemandSubject,
    /// What is asked, in words.
    pub asked: String,
    /// What the policy has, in words.
    pub quoted: String,
    /// Whether that is enough.
    pub met: bool,
}

/// A driver a premium was calculated for.
#[derive(Debug, Clone, SimpleObject)]
pub struct InsuranceDriver {
    /// Age in years.
    pub age_years: i32,
    /// Years with a licence.
    pub years_licensed: i32,
    /// Violations and accidents at fault in three years.
    pub violations: i32,
}

/// Everything behind an insurance quote, as stored with it.
#[Object(name = "InsuranceQuoteDetail")]
impl InsuranceDetailNode {
    /// Every coverage; the premiums sum to the quote's.
    async fn coverages(&self) -> Vec<InsuranceCoverage> {
        let node = |line: &super::CoverageLine| InsuranceCoverage {
            coverage: line.choice.coverage,
            limit: line.choice.limit.map(|cents| self.money(cents)),
            limit_per_accident: line.choice.limit_per_accident.map(|cents| self.money(cents)),
            deductible: line.choice.deductible.map(|cents| self.money(cents)),
            premium: self.money(line.premium),
            required: line.required,
        };
        self.quoted.coverages.iter().map(node).collect()
    }
    /// How it can be paid.
    async fn pay_plans(&self) -> Vec<InsurancePayPlan> {
        let node = |plan: &super::PayPlanQuote| InsurancePayPlan {
            code: plan.code.clone(),
            name: plan.name.clone(),
            payments: i32::from(plan.payments),
            first_payment: self.money(plan.first_payment),
            further_payment: (plan.payments > 1).then(|| self.money(plan.further_payment)),
            fees: self.money(plan.fees),
            discount: self.money(plan.discount),
            total: self.money(plan.total),
        };
        self.quoted.pay_plans.iter().map(node).collect()
    }
    /// What the lender or lessor asks for, each met or not. Empty for cash.
    async fn demands(&self) -> Vec<InsuranceDemand> {
        let node = |check: &super::DemandCheck| InsuranceDemand {
            subject: check.subject,
            asked: check.asked.clone(),
            quoted: check.quoted.clone(),
            met: check.met,
        };
        self.quoted.demands.iter().map(node).collect()
    }
    /// The drivers it was calculated for; the one who costs most is rated.
    async fn drivers(&self) -> Vec<InsuranceDriver> {
        let node = |driver: &super::Driver| InsuranceDriver {
            age_years: i32::from(driver.age),
            years_licensed: i32::from(driver.years_licensed),
            violations: i32::from(driver.violations),
        };
        self.input.request.drivers.iter().map(node).collect()
    }
    /// What was assumed because nobody said it.
    async fn assumptions(&self) -> &[String] {
        &self.quoted.assumptions
    }
    /// Factors of the insurer's sheet that the state bars; they were not used.
    async fn barred_factors(&self) -> Vec<super::FactorSubject> {
        self.input.barred.iter().map(|barred| barred.subject).collect()
    }
    /// What the state and the lender ask for, in words.
    async fn requirements(&self) -> &[String] {
        &self.quoted.raised
    }
    /// The rules nobody has checked yet, in words.
    async fn unverified_rules(&self) -> &[String] {
        &self.quoted.unverified_rules
    }
}
