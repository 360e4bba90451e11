//! Fees: the store's own and the government's, as dated rows.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::id::StoreId;
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;
use crate::kernel::rounding::div_floor;

use super::QuoteKind;

crate::text_enum! {
    /// Which deals a fee belongs to.
    pub enum FeeScope {
        /// Every deal.
        All = "ALL",
        /// Cash and retail.
        Purchase = "PURCHASE",
        /// Leases.
        Lease = "LEASE",
    }
}

/// A row of `fee_rule`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FeeRule {
    /// The row.
    pub id: Uuid,
    /// The jurisdiction, for a government fee.
    pub jurisdiction: Option<String>,
    /// The store, for its own fee.
    pub store_id: Option<StoreId>,
    /// `DOC`, `TITLE`, `REGISTRATION` …
    pub code: String,
    /// What the customer reads.
    pub label: String,
    /// How much.
    pub amount: Cents,
    /// The law's ceiling.
    pub cap: Option<Cents>,
    /// The law's ceiling as a share of the price; with `cap` the lesser holds.
    #[serde(default)]
    pub cap_percent: Option<Rate>,
    /// An average: the authority's own figure depends on the car.
    #[serde(default)]
    pub estimate: bool,
    /// Which deals.
    pub applies_to: FeeScope,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Where it was read.
    pub source: String,
    /// When.
    pub source_read_on: NaiveDate,
    /// Whether a person checked it.
    pub verified: bool,
}

/// A fee of the store that the customer does not pay, or not in full.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FeeWaiver {
    /// Which fee: its code.
    pub code: String,
    /// How much of it is waived; at most the fee.
    pub amount: Cents,
}

impl FeeRule {
    /// What of it is waived on a car of a price. The government waives nothing.
    pub fn waived(&self, waivers: &[FeeWaiver], price: Cents) -> Cents {
        let own = waivers.iter().find(|waiver| self.store_id.is_some() && waiver.code == self.code);
        own.map_or(Cents::ZERO, |waiver| waiver.amount.min(self.charged(price)))
    }

    /// What is charged on a car of a price: never more than the law allows.
    pub fn charged(&self, price: Cents) -> Cents {
        let share = self.cap_percent.and_then(|cap| div_floor(i128::from(price.0) * i128::from(cap.0), Rate::WHOLE));
        let share = share.and_then(|share| i64::try_from(share).ok()).map(Cents);
        [self.cap, share].into_iter().flatten().fold(self.amount, Cents::min)
    }

    /// Whether it belongs to such a deal.
    pub const fn applies(&self, kind: QuoteKind) -> bool {
        match self.applies_to {
            FeeScope::All => true,
            FeeScope::Purchase => !matches!(kind, QuoteKind::Lease),
            FeeScope::Lease => matches!(kind, QuoteKind::Lease),
        }
    }
}
