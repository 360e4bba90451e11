//! A store's facts.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::kernel::id::{GroupId, StoreId};
use crate::kernel::money::Currency;

/// A store (rooftop) of the dealer group.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreInfo {
    /// Its id.
    pub id: StoreId,
    /// The group it belongs to.
    pub group_id: GroupId,
    /// Short name used in paths and on the command line, such as `austin`.
    pub code: String,
    /// The name customers know.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Two-letter state.
    pub state: String,
    /// ZIP.
    pub postal_code: String,
    /// E.164.
    pub phone: Option<String>,
    /// IANA time zone.
    pub time_zone: Tz,
    /// The currency of its prices.
    pub currency: Currency,
    /// The tax jurisdiction of the store itself; buyers are taxed by their own.
    pub tax_jurisdiction: String,
    /// A feed that would drop a larger share of the lot (percent) is held for a manager.
    pub feed_drop_limit_percent: Decimal,
    /// A larger fall of one price (percent) is held back for review.
    pub price_drop_limit_percent: Decimal,
    /// Days without a change after which an open deal is given up.
    pub deal_idle_days: i32,
    /// Days from the signature in which the store's contract lets it call off a delivery no lender has paid; none: the law alone.
    pub spot_delivery_days: Option<i32>,
}

impl StoreInfo {
    /// The day at the store at a moment.
    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.time_zone).date_naive()
    }
}

/// What it takes to open a store.
#[derive(Debug, Clone)]
pub struct NewStore {
    /// Short unique name: lower-case letters, digits, dashes; 2 to 32 characters.
    pub code: String,
    /// The name customers know.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Two-letter state.
    pub state: String,
    /// ZIP.
    pub postal_code: String,
    /// E.164.
    pub phone: Option<String>,
    /// IANA time zone.
    pub time_zone: Tz,
    /// The currency of its prices.
    pub currency: Currency,
    /// The tax jurisdiction of the store.
    pub tax_jurisdiction: String,
}

impl NewStore {
    /// Whether the code may be used in paths.
    pub fn code_is_valid(&self) -> bool {
        (2..=32).contains(&self.code.len()) && self.code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
}
