//! How a contract or lease is paid, beside price, money down and term. Pure.
//!
//! A part that belongs to another kind of payment is kept and not looked at: a deal that is tried as a lease and becomes a
//! contract again is what it was.

use serde::{Deserialize, Serialize};

use super::model::{OutOfBounds, out, within};
use super::purse::Kept;
use crate::finance::retail::PaymentSchedule;
use crate::finance::{CoSigner, Credit, DEFERRED_MAX, DeferredDown, Purse, Worksheet};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

/// Most security deposits of a lease that can be asked for.
pub const SECURITY_DEPOSITS_MAX: u8 = 20;
/// Most that can be asked for above a lender's rate, in hundredths of a percent point; lenders and laws allow less.
pub const MARKUP_MAX: u16 = 1_000;

/// Most accounts on a credit report that can be said.
pub const TRADE_LINES_MAX: u16 = 1_000;

/// How a contract or lease is paid. The usual way is the default, and the only one that is stored as nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaymentPlan {
    /// How often a contract is paid.
    pub schedule: PaymentSchedule,
    /// Parts of a contract's down payment that are paid later.
    pub deferred_down: Vec<DeferredDown>,
    /// A contract with a balloon at the end.
    pub balloon: bool,
    /// Multiple security deposits of a lease.
    pub security_deposits: u8,
    /// A lease that is paid at once.
    pub one_pay: bool,
    /// Tax at signing of a lease is capitalized.
    pub capitalize_tax: bool,
    /// A slightly odd first period is left out of the disclosed rate (12 CFR 1026.17(c)(4)).
    pub disregard_odd_first_period: bool,
    /// Income and debts, for lenders' ratios; not known: they are not tested. Kept sealed.
    pub purse: Option<Kept<Purse>>,
    /// Score, credit file and co-signer. Kept sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credit: Option<Kept<Credit>>,
    /// What a contract's rate lies above the lender's, in hundredths of a percent point. Only managers see it.
    pub markup_basis_points: u16,
}

/// What a plan keeps sealed, opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opened {
    /// Income and debts; none while they are not known.
    pub purse: Option<Purse>,
    /// Score, credit file and co-signer; none while nothing of them is known.
    pub credit: Option<Credit>,
}

/// Parts of a plan to change; `None` leaves a part as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlanChange {
    /// How often a contract is paid.
    pub schedule: Option<PaymentSchedule>,
    /// All parts of the down payment that are paid later; replaces those before.
    pub deferred_down: Option<Vec<DeferredDown>>,
    /// A contract with a balloon at the end.
    pub balloon: Option<bool>,
    /// Multiple security deposits of a lease.
    pub security_deposits: Option<u8>,
    /// A lease that is paid at once.
    pub one_pay: Option<bool>,
    /// Tax at signing of a lease is capitalized.
    pub capitalize_tax: Option<bool>,
    /// A slightly odd first period is left out of the disclosed rate.
    pub disregard_odd_first_period: Option<bool>,
    /// Income and debts as they were said. A plan changes with `kept_purse`, which is made of it.
    pub purse: PurseChange,
    /// Income and debts as they are kept.
    #[serde(skip)]
    pub kept_purse: Option<Option<Kept<Purse>>>,
    /// Score, credit file and co-signer as they were said.
    #[serde(skip_serializing_if = "CreditChange::is_empty")]
    pub credit: CreditChange,
    /// The same as they are kept.
    #[serde(skip)]
    pub kept_credit: Option<Option<Kept<Credit>>>,
    /// What a contract's rate lies above the lender's, in hundredths of a percent point.
    pub markup_basis_points: Option<u16>,
}

/// Income and debts to change; `None` leaves them as they are. No income at all is said as zero.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PurseChange {
    /// Gross income per month.
    pub gross_income: Option<Cents>,
    /// Debts and housing per month.
    pub debts: Option<Cents>,
}

/// Incomes are nobody's business in a log.
impl std::fmt::Debug for PurseChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PurseChange(..)")
    }
}

impl PurseChange {
    /// Income and debts with the change made.
    pub(super) fn of(self, old: Option<Purse>) -> Option<Purse> {
        let gross_income = self.gross_income.or(old.map(|purse| purse.gross_income))?;
        let debts = self.debts.or(old.map(|purse| purse.debts)).unwrap_or_default();
        (gross_income != Cents::ZERO).then_some(Purse { gross_income, debts })
    }
}

/// Score, credit file and co-signer to change; `None` leaves a part as it is. A score of zero forgets it, and a co-signer without
/// score and income is none.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CreditChange {
    /// The buyer's score.
    pub score: Option<u16>,
    /// Accounts on the buyer's credit report; `Some(None)` forgets them.
    pub trade_lines: Option<Option<u16>>,
    /// The co-signer's score.
    pub co_score: Option<u16>,
    /// The co-signer's income and debts.
    pub co_purse: PurseChange,
}

/// Scores are nobody's business in a log.
impl std::fmt::Debug for CreditChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CreditChange(..)")
    }
}

impl CreditChange {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Score, file and co-signer with the change made; none when nothing of them is known.
    pub(super) fn of(self, old: Option<Credit>) -> Option<Credit> {
        let old = old.unwrap_or_default();
        let score = |said: Option<u16>, old: Option<u16>| said.map_or(old, |score| (score > 0).then_some(score));
        let co = old.co_signer;
        let purse = self.co_purse.of(co.map(|co| Purse { gross_income: co.gross_income, debts: co.debts })).unwrap_or_default();
        let co = CoSigner { score: score(self.co_score, co.and_then(|co| co.score)), gross_income: purse.gross_income, debts: purse.debts };
        let new = Credit {
            score: score(self.score, old.score),
            trade_lines: self.trade_lines.unwrap_or(old.trade_lines),
            co_signer: (co != CoSigner::default()).then_some(co),
        };
        (new != Credit::default()).then_some(new)
    }
}

impl PaymentPlan {
    /// The plan with the change made.
    #[must_use]
    pub fn changed(&self, change: PlanChange) -> Self {
        Self {
            schedule: change.schedule.unwrap_or(self.schedule),
            deferred_down: change.deferred_down.unwrap_or_else(|| self.deferred_down.clone()),
            balloon: change.balloon.unwrap_or(self.balloon),
            security_deposits: change.security_deposits.unwrap_or(self.security_deposits),
            one_pay: change.one_pay.unwrap_or(self.one_pay),
            capitalize_tax: change.capitalize_tax.unwrap_or(self.capitalize_tax),
            disregard_odd_first_period: change.disregard_odd_first_period.unwrap_or(self.disregard_odd_first_period),
            purse: change.kept_purse.unwrap_or_else(|| self.purse.clone()),
            credit: change.kept_credit.unwrap_or_else(|| self.credit.clone()),
            markup_basis_points: change.markup_basis_points.unwrap_or(self.markup_basis_points),
        }
    }

    /// As it is stored: the usual way is nothing.
    pub fn stored(&self) -> Option<&Self> {
        (*self != Self::default()).then_some(self)
    }

    pub(super) fn check(&self) -> Result<(), OutOfBounds> {
        if self.deferred_down.len() > DEFERRED_MAX {
            return Err(out("deferredDown", format!("At most {DEFERRED_MAX} parts of a down payment can be paid later.")));
        }
        for part in &self.deferred_down {
            within("deferredDown", part.amount, Cents(1))?;
        }
        if self.security_deposits > SECURITY_DEPOSITS_MAX {
            return Err(out("securityDeposits", format!("A lease takes at most {SECURITY_DEPOSITS_MAX} security deposits.")));
        }
        if self.markup_basis_points > MARKUP_MAX {
            return Err(out("markupBasisPoints", format!("At most {MARKUP_MAX} basis points can be added to a lender's rate.")));
        }
        Ok(())
    }

    /// Puts the plan on an engine's worksheet, with what is sealed opened.
    pub(super) fn lay(&self, opened: Opened, w: &mut Worksheet) {
        w.schedule = self.schedule;
        w.deferred_down.clone_from(&self.deferred_down);
        w.balloon = self.balloon;
        w.deposits = self.security_deposits;
        w.one_pay = self.one_pay;
        w.capitalize_tax = self.capitalize_tax;
        w.disregard_odd_first_period = self.disregard_odd_first_period;
        w.purse = opened.purse;
        w.credit = opened.credit;
        // A basis point is ten thousand millionths of a percent point.
        w.markup = Rate(i64::from(self.markup_basis_points).saturating_mul(10_000));
    }

    /// Its parts by their names in the API, as texts for the audit trail. Without what is sealed, and without the markup.
    pub(super) fn shown(&self) -> [(&'static str, String); 7] {
        let deferred = self.deferred_down.iter().map(|part| format!("{} on {}", part.amount, part.date));
        [
            ("schedule", self.schedule.to_string()),
            ("deferredDown", deferred.collect::<Vec<_>>().join("; ")),
            ("balloon", self.balloon.to_string()),
            ("securityDeposits", self.security_deposits.to_string()),
            ("onePay", self.one_pay.to_string()),
            ("capitalizeTax", self.capitalize_tax.to_string()),
            ("disregardOddFirstPeriod", self.disregard_odd_first_period.to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let plan = PaymentPlan::default().changed(PlanChange { one_pay: Some(true), ..PlanChange::default() });
        let plan = plan.changed(PlanChange { balloon: Some(true), ..PlanChange::default() });
        assert!(plan.one_pay && plan.balloon && plan.stored().is_some());
        let plan = plan.changed(PlanChange { one_pay: Some(false), balloon: Some(false), ..PlanChange::default() });
        assert_eq!(plan.stored(), None, "the usual way is stored as nothing");
    }

    #[test]
    fn incomes_are_in_no_text() {
        let purse = PurseChange { gross_income: Some(Cents(5_432_10)), debts: Some(Cents(1)) };
        let change = PlanChange { purse, ..PlanChange::default() };
        assert!(!format!("{purse:?} {change:?}").contains("5432"));
    }
}
