//! How a contract or lease is paid, as clients say and see it.

use async_graphql::{InputObject, SimpleObject};

use crate::deals::model::Terms;
use crate::deals::plan::{MARKUP_MAX, PlanChange, PurseChange, SECURITY_DEPOSITS_MAX};
use crate::finance::retail::PaymentSchedule;
use crate::finance::{DEFERRED_MAX, DeferredDown, Purse};
use crate::graphql::{Date, DecimalText, GqlError, GqlResult, MoneyObject, input};
use crate::kernel::money::Cents;

/// A part of the down payment that is paid after signing, without a charge.
#[derive(Debug, InputObject)]
pub(super) struct DeferredDownInput {
    /// When it is due; at the latest with the second payment (12 CFR 1026.2(a)(18)).
    date: Date,
    /// How much; more than nothing.
    amount: DecimalText,
}

/// How a contract or lease is paid, beside price, money down and term; what is not given stays.
#[derive(Debug, Default, InputObject)]
pub(super) struct PaymentPlanInput {
    /// How often a contract is paid.
    schedule: Option<PaymentSchedule>,
    /// All parts of a contract's down payment that are paid later; replaces those before. At most 6.
    deferred_down: Option<Vec<DeferredDownInput>>,
    /// A contract whose last payment is a balloon: only programs of this kind are asked.
    balloon: Option<bool>,
    /// Multiple security deposits of a lease; 0 to 20.
    security_deposits: Option<i32>,
    /// A lease that is paid at once.
    one_pay: Option<bool>,
    /// Tax at signing of a lease is capitalized instead of paid.
    capitalize_tax: Option<bool>,
    /// Leave a slightly odd first period out of the annual percentage rate (12 CFR 1026.17(c)(4)).
    disregard_odd_first_period: Option<bool>,
    /// Gross monthly income, for lenders' ratios; they are not tested without it. Zero forgets it and the debts.
    gross_monthly_income: Option<DecimalText>,
    /// Debts and housing per month. Looked at only with an income.
    monthly_debts: Option<DecimalText>,
    /// What a contract's rate lies above the lender's, in hundredths of a percent point; 0 to 1000. A lender whose limit, or the
    /// law's, it goes beyond refuses. Only managers are shown it; everybody else sees the contract rate.
    markup_basis_points: Option<i32>,
}

impl PaymentPlanInput {
    /// `at` is where it stands in the input: `input` or `whatIf`.
    pub(super) fn read(self, at: &str) -> GqlResult<PlanChange> {
        let amount = |name: &str, value: DecimalText| -> GqlResult<Cents> {
            let amount = input::amount(&format!("{at}.{name}"), value)?;
            if amount < Cents::ZERO { Err(GqlError::bad_input(format!("{at}.{name}: not below zero"))) } else { Ok(amount) }
        };
        if self.deferred_down.as_ref().is_some_and(|parts| parts.len() > DEFERRED_MAX) {
            return Err(GqlError::bad_input(format!("{at}.deferredDown: at most {DEFERRED_MAX} items")));
        }
        let part =
            |part: DeferredDownInput| amount("deferredDown.amount", part.amount).map(|amount| DeferredDown { date: part.date.0, amount });
        let deposits = |count: i32| {
            let count = u8::try_from(count).ok().filter(|count| *count <= SECURITY_DEPOSITS_MAX);
            count.ok_or_else(|| GqlError::bad_input(format!("{at}.securityDeposits: 0 to {SECURITY_DEPOSITS_MAX}")))
        };
        let markup = |points: i32| {
            let points = u16::try_from(points).ok().filter(|points| *points <= MARKUP_MAX);
            points.ok_or_else(|| GqlError::bad_input(format!("{at}.markupBasisPoints: 0 to {MARKUP_MAX}")))
        };
        Ok(PlanChange {
            markup_basis_points: self.markup_basis_points.map(markup).transpose()?,
            schedule: self.schedule,
            deferred_down: self.deferred_down.map(|parts| parts.into_iter().map(part).collect()).transpose()?,
            balloon: self.balloon,
            security_deposits: self.security_deposits.map(deposits).transpose()?,
            one_pay: self.one_pay,
            capitalize_tax: self.capitalize_tax,
            disregard_odd_first_period: self.disregard_odd_first_period,
            purse: PurseChange {
                gross_income: self.gross_monthly_income.map(|value| amount("grossMonthlyIncome", value)).transpose()?,
                debts: self.monthly_debts.map(|value| amount("monthlyDebts", value)).transpose()?,
            },
            kept_purse: None,
        })
    }
}

/// A part of the down payment that is paid after signing, without a charge.
#[derive(Debug, SimpleObject)]
#[graphql(name = "DeferredDown")]
pub(super) struct DeferredDownNode {
    /// When it is due.
    date: Date,
    /// How much.
    amount: MoneyObject,
}

/// How a contract or lease is paid, beside price, money down and term. A part that another kind of payment has is kept and
/// not looked at.
#[derive(Debug, SimpleObject)]
#[graphql(name = "PaymentPlan")]
pub(super) struct PaymentPlanNode {
    /// How often a contract is paid.
    schedule: PaymentSchedule,
    /// Parts of a contract's down payment that are paid later; at most 6.
    deferred_down: Vec<DeferredDownNode>,
    /// A contract whose last payment is a balloon.
    balloon: bool,
    /// Multiple security deposits of a lease.
    security_deposits: i32,
    /// A lease that is paid at once.
    one_pay: bool,
    /// Tax at signing of a lease is capitalized instead of paid.
    capitalize_tax: bool,
    /// A slightly odd first period is left out of the annual percentage rate (12 CFR 1026.17(c)(4)).
    disregard_odd_first_period: bool,
    /// Gross monthly income as the customer stated it. Null when not known: lenders' ratios are not tested then.
    gross_monthly_income: Option<MoneyObject>,
    /// Debts and housing per month. Null while no income is known.
    monthly_debts: Option<MoneyObject>,
    /// What a contract's rate lies above the lender's, in hundredths of a percent point. Managers of the store only.
    markup_basis_points: Option<i32>,
}

impl PaymentPlanNode {
    pub(super) fn new(terms: &Terms, purse: Option<Purse>, manager: bool) -> Self {
        let (plan, money) = (&terms.plan, |cents: Cents| MoneyObject::new(cents, terms.currency));
        Self {
            schedule: plan.schedule,
            deferred_down: plan
                .deferred_down
                .iter()
                .map(|part| DeferredDownNode { date: Date(part.date), amount: money(part.amount) })
                .collect(),
            balloon: plan.balloon,
            security_deposits: i32::from(plan.security_deposits),
            one_pay: plan.one_pay,
            capitalize_tax: plan.capitalize_tax,
            disregard_odd_first_period: plan.disregard_odd_first_period,
            gross_monthly_income: purse.map(|purse| money(purse.gross_income)),
            monthly_debts: purse.map(|purse| money(purse.debts)),
            markup_basis_points: manager.then(|| i32::from(plan.markup_basis_points)),
        }
    }
}
