//! What a tablet did while it was offline, and how it is merged with what others did meanwhile. Pure.
//!
//! - A tablet names the version of the deal it last got from the server. Whatever others changed after it is *theirs*.
//! - A part of the structure that both changed, to different values, is a conflict: theirs stays, and both are shown. The other
//!   parts are applied.
//! - Holds, deposits, credit, choosing a quote, presenting, agreeing and signing are never done offline: they depend on what is
//!   true at this very moment (who has the car, what a lender says, every fee as of today).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::plan::PlanChange;
use super::service::StructureWish;

crate::text_enum! {
    /// What a tablet did offline.
    pub enum OfflineVerb {
        /// Opened a deal. Fill `open`.
        Open = "OPEN",
        /// Changed the structure. Fill `structure`.
        Structure = "STRUCTURE",
        /// Took another car. Fill `swap`.
        SwapVehicle = "SWAP_VEHICLE",
        /// Set a structure aside. Fill `scenario`.
        ScenarioSave = "SCENARIO_SAVE",
        /// Showed figures from what it knew. Fill `quoteShown`. They are kept as indicative.
        QuoteShown = "QUOTE_SHOWN",
        /// The customer left. Fill `reason`.
        Lose = "LOSE",
        /// Never accepted offline.
        Present = "PRESENT",
        /// Never accepted offline.
        QuoteAccept = "QUOTE_ACCEPT",
        /// Never accepted offline.
        Agree = "AGREE",
        /// Never accepted offline.
        Hold = "HOLD",
        /// Never accepted offline.
        Deposit = "DEPOSIT",
        /// Never accepted offline.
        CreditSubmit = "CREDIT_SUBMIT",
        /// Never accepted offline.
        Contract = "CONTRACT",
    }
}

impl OfflineVerb {
    /// Whether a tablet may do it without the server.
    pub const fn possible_offline(self) -> bool {
        matches!(self, Self::Open | Self::Structure | Self::SwapVehicle | Self::ScenarioSave | Self::QuoteShown | Self::Lose)
    }
}

crate::text_enum! {
    /// What became of an operation.
    pub enum OfflineOutcome {
        /// Done as it was meant.
        Applied = "APPLIED",
        /// Done but for the parts in conflict.
        Merged = "MERGED",
        /// Nothing done: somebody else decided otherwise meanwhile.
        Conflict = "CONFLICT",
        /// Nothing done, for the reason in the message.
        Refused = "REFUSED",
        /// Nothing done yet: another device writes this deal now. Keep it, and send it again once you have the deal.
        Waiting = "WAITING",
        /// Never done offline: do it now, with its own mutation.
        NotOffline = "NOT_OFFLINE",
        /// The id was used for another operation. Nothing done.
        IdReused = "ID_REUSED",
    }
}

/// What two did to one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The part: `downPayment`, `termMonths`, `vehicle`, `deal` …
    pub part: String,
    /// What stands now.
    pub theirs: String,
    /// What the tablet wanted.
    pub mine: String,
    /// Who changed it, as colleagues see them.
    pub by: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Somebody else's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub by: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What others did since: the last change of each part. `vehicle` and `deal` are parts too.
pub type Theirs = BTreeMap<String, Change>;

/// Which of my parts others changed to something else. `mine` is every part that would change now: name, what stands, what I
/// want.
pub fn conflicts(mine: Vec<(&'static str, String, String)>, theirs: &Theirs) -> Vec<Conflict> {
    let both = mine.into_iter().filter_map(|(part, stands, wanted)| theirs.get(part).map(|change| (part, stands, wanted, change)));
    both.map(|(part, theirs, mine, change)| Conflict { part: part.into(), theirs, mine, by: change.by.clone(), at: change.at }).collect()
}

/// The wish without the parts named. A part of how it is paid takes the others of its kind along: they hang together.
#[must_use]
pub fn without(mut wish: StructureWish, parts: &[String]) -> StructureWish {
    for part in parts {
        match part.as_str() {
            "kind" => wish.terms.kind = None,
            "price" => wish.terms.price = None,
            "downPayment" => wish.terms.down_payment = None,
            "manufacturerRebate" => wish.terms.manufacturer_rebate = None,
            "dealerRebate" => wish.terms.dealer_rebate = None,
            "termMonths" => wish.terms.term_months = None,
            "annualMiles" => wish.terms.annual_miles = None,
            "creditTier" => wish.terms.credit_tier = None,
            "buyerJurisdiction" => wish.terms.buyer_jurisdiction = None,
            "firstPaymentDays" => wish.terms.first_payment_days = None,
            "feeWaivers" => wish.fee_waivers = None,
            "tradeIns" => wish.trade_ins = None,
            "products" => wish.products = None,
            _ => wish.terms.plan = PlanChange::default(),
        }
    }
    wish
}

/// Whether nothing is left of a wish.
pub fn is_empty(wish: &StructureWish) -> bool {
    wish.terms.is_empty() && wish.trade_ins.is_none() && wish.products.is_none() && wish.fee_waivers.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deals::model::StructureChange;
    use crate::kernel::money::Cents;

    fn theirs(parts: &[&str]) -> Theirs {
        parts.iter().map(|part| ((*part).to_owned(), Change { by: Some("Maria".into()), at: DateTime::UNIX_EPOCH })).collect()
    }

    #[test]
    fn only_what_both_changed_to_different_values_is_a_conflict() {
        let mine = vec![("downPayment", "3000.00".to_owned(), "2000.00".to_owned()), ("termMonths", "60".to_owned(), "72".to_owned())];
        let found = conflicts(mine.clone(), &theirs(&["downPayment", "price"]));
        assert_eq!(
            found.iter().map(|c| (c.part.as_str(), c.theirs.as_str(), c.mine.as_str())).collect::<Vec<_>>(),
            [("downPayment", "3000.00", "2000.00")]
        );
        assert_eq!(found[0].by.as_deref(), Some("Maria"));
        assert!(conflicts(mine, &theirs(&["price"])).is_empty());
        assert!(conflicts(Vec::new(), &theirs(&["price"])).is_empty(), "what both set to the same value is none");
    }

    #[test]
    fn the_parts_in_conflict_are_left_out_and_the_others_kept() {
        let wish = StructureWish {
            terms: StructureChange { price: Some(Cents(1)), term_months: Some(72), ..StructureChange::default() },
            trade_ins: Some(Vec::new()),
            products: None,
            fee_waivers: None,
        };
        let left = without(wish, &["price".into(), "tradeIns".into()]);
        assert_eq!((left.terms.price, left.terms.term_months, left.trade_ins.is_none()), (None, Some(72), true));
        assert!(!is_empty(&left));
        assert!(is_empty(&without(left, &["termMonths".into()])));
    }

    #[test]
    fn what_hangs_on_this_moment_is_never_done_offline() {
        for verb in ["PRESENT", "QUOTE_ACCEPT", "AGREE", "HOLD", "DEPOSIT", "CREDIT_SUBMIT", "CONTRACT"] {
            assert!(OfflineVerb::ALL.iter().any(|v| v.as_str() == verb && !v.possible_offline()), "{verb}");
        }
    }
}
