//! What a lender makes of the credit of those who sign: which tier, by which score, and whose income counts.
//!
//! A score, once known, decides by the lender's own bands; rows without a band, and every row while no score is known, go by
//! the tier's name. A co-signer's score, income and debts count only as far as the lender's row says: a quote promises nothing
//! that the lender has not said it gives. Whether a file is thin is asked of the buyer's alone.

use crate::finance::quote::{Credit, Purse, Worksheet};

use super::{JointScore, Program};

/// What lenders that say nothing of co-signers do.
impl Default for JointScore {
    fn default() -> Self {
        Self::Primary
    }
}

impl JointScore {
    /// Whether a co-signer's score is not looked at.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(super) fn is_primary(&self) -> bool {
        *self == Self::Primary
    }

    /// The score that counts. Without the buyer's there is none: the co-signer's alone is not the buyer's tier.
    pub fn of(self, credit: &Credit) -> Option<u16> {
        let own = credit.score?;
        let Some(other) = credit.co_signer.and_then(|co| co.score) else { return Some(own) };
        Some(match self {
            Self::Primary => own,
            Self::Average => own.midpoint(other),
            Self::Higher => own.max(other),
            Self::Lower => own.min(other),
        })
    }
}

impl Program {
    /// The score this lender goes by, and whether it came from two.
    pub(super) fn score(&self, w: &Worksheet) -> Option<(u16, Option<JointScore>)> {
        let credit = w.credit.as_ref()?;
        let two = credit.co_signer.is_some_and(|co| co.score.is_some());
        Some((self.joint_score.of(credit)?, two.then_some(self.joint_score)))
    }

    /// Whether the row is for the customer: by the score where both it and the row's band are known, else by the tier's name.
    pub(super) fn is_for(&self, w: &Worksheet, credit_tier: &str) -> bool {
        match self.score(w).filter(|_| self.has_band()) {
            Some((score, _)) => self.score_min.is_none_or(|least| score >= least) && self.score_max.is_none_or(|most| score <= most),
            None => self.credit_tier.eq_ignore_ascii_case(credit_tier),
        }
    }

    /// Whether the row says which scores it is for.
    pub(super) const fn has_band(&self) -> bool {
        self.score_min.is_some() || self.score_max.is_some()
    }

    /// Whether a co-signer's income and debts are counted.
    pub(super) fn counts_both(&self, w: &Worksheet) -> bool {
        self.joint_income && w.credit.is_some_and(|credit| credit.co_signer.is_some())
    }

    /// The income and debts this lender counts. Not known while the buyer's are not.
    pub(super) fn purse(&self, w: &Worksheet) -> Option<Purse> {
        let own = w.purse?;
        let other = w.credit.and_then(|credit| credit.co_signer).filter(|_| self.joint_income).unwrap_or_default();
        Some(Purse { gross_income: own.gross_income + other.gross_income, debts: own.debts + other.debts })
    }
}
