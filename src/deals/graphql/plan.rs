//! How a contract or lease is paid, as clients say and see it.

use async_graphql::{InputObject, MaybeUndefined, SimpleObject};

use crate::deals::model::Terms;
use crate::deals::plan::{CreditChange, MARKUP_MAX, Opened, PlanChange, PurseChange, SECURITY_DEPOSITS_MAX, TRADE_LINES_MAX};
use crate::deals::purse::{SCORE_MAX, SCORE_MIN};
use crate::finance::retail::PaymentSchedule;
use crate::finance::{DEFERRED_MAX, DeferredDown};
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

/// Somebody who signs with the buyer; what is not given stays. Zero for both score and income: nobody does.
#[derive(Debug, Default, InputObject)]
pub(super) struct CoSignerInput {
    /// The credit score, 250 to 900. Zero forgets it.
    credit_score: Option<i32>,
    /// Gross monthly income. Counted by lenders whose program says so. Zero forgets it and the debts.
    gross_monthly_income: Option<DecimalText>,
    /// Debts and housing per month. Looked at only with an income.
    monthly_debts: Option<DecimalText>,
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
    /// The buyer's credit score, 250 to 900. Once it is known it decides by each lender's own bands, in place of `creditTier`. Zero
    /// forgets it.
    credit_score: Option<i32>,
    /// Accounts (trade lines) on the buyer's credit report, 0 to 1000: lenders may add to the rate of a thin file. Null forgets
    /// them; then nothing is added.
    credit_trade_lines: MaybeUndefined<i32>,
    /// Who signs with the buyer. Each lender's program says which score counts, and whether both incomes do.
    co_signer: Option<CoSignerInput>,
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
        let score = |name: &str, score: i32| {
            let score = u16::try_from(score).ok().filter(|score| *score == 0 || (SCORE_MIN..=SCORE_MAX).contains(score));
            score.ok_or_else(|| GqlError::bad_input(format!("{at}.{name}: {SCORE_MIN} to {SCORE_MAX}, or 0 to forget it")))
        };
        let trade_lines = |count: i32| {
            let count = u16::try_from(count).ok().filter(|count| *count <= TRADE_LINES_MAX);
            count.ok_or_else(|| GqlError::bad_input(format!("{at}.creditTradeLines: 0 to {TRADE_LINES_MAX}")))
        };
        let co = self.co_signer.unwrap_or_default();
        Ok(PlanChange {
            credit: CreditChange {
                score: self.credit_score.map(|value| score("creditScore", value)).transpose()?,
                trade_lines: match self.credit_trade_lines {
                    MaybeUndefined::Undefined => None,
                    MaybeUndefined::Null => Some(None),
                    MaybeUndefined::Value(count) => Some(Some(trade_lines(count)?)),
                },
                co_score: co.credit_score.map(|value| score("coSigner.creditScore", value)).transpose()?,
                co_purse: PurseChange {
                    gross_income: co.gross_monthly_income.map(|value| amount("coSigner.grossMonthlyIncome", value)).transpose()?,
                    debts: co.monthly_debts.map(|value| amount("coSigner.monthlyDebts", value)).transpose()?,
                },
            },
            kept_credit: None,
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

/// Somebody who signs with the buyer.
#[derive(Debug, SimpleObject)]
#[graphql(name = "CoSigner")]
pub(super) struct CoSignerNode {
    /// The credit score. Null when not known.
    credit_score: Option<i32>,
    /// Gross monthly income. Null when not known.
    gross_monthly_income: Option<MoneyObject>,
    /// Debts and housing per month. Null while no income is known.
    monthly_debts: Option<MoneyObject>,
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
    /// The buyer's credit score. Null when not known: lenders' programs are found by `creditTier` then.
    credit_score: Option<i32>,
    /// Accounts (trade lines) on the buyer's credit report. Null when not known: nothing is added for a thin file then.
    credit_trade_lines: Option<i32>,
    /// Who signs with the buyer. Null when nobody does.
    co_signer: Option<CoSignerNode>,
    /// What a contract's rate lies above the lender's, in hundredths of a percent point. Managers of the store only.
    markup_basis_points: Option<i32>,
}

impl PaymentPlanNode {
    pub(super) fn new(terms: &Terms, opened: Opened, manager: bool) -> Self {
        let Opened { purse, credit } = opened;
        let credit = credit.unwrap_or_default();
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
            credit_score: credit.score.map(i32::from),
            credit_trade_lines: credit.trade_lines.map(i32::from),
            co_signer: credit.co_signer.map(|co| {
                let earns = |amount: Cents| (co.gross_income > Cents::ZERO).then(|| money(amount));
                CoSignerNode {
                    credit_score: co.score.map(i32::from),
                    gross_monthly_income: earns(co.gross_income),
                    monthly_debts: earns(co.debts),
                }
            }),
            markup_basis_points: manager.then(|| i32::from(plan.markup_basis_points)),
        }
    }
}
