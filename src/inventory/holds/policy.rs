//! How long a hold may last, and who may make it longer. Pure.

use chrono::{DateTime, Duration, Utc};

use crate::inventory::model::{Hold, HoldReason};
use crate::kernel::clock::later;

/// What a store allows. Rows of `store`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldPolicy {
    /// Minutes of a hold, and of each extension, by a salesperson.
    pub minutes: i32,
    /// How often a salesperson may extend a hold.
    pub extensions: i32,
    /// The most hours from placing to end, whoever extends.
    pub max_hours: i32,
}

/// Why a hold may not last as long as wished. In words to say aloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HoldLimit {
    /// More minutes than this person may hold a car at once.
    #[error("You can hold a car for at most {most} minutes at a time.")]
    TooLong {
        /// The most.
        most: i64,
    },
    /// A salesperson has extended it as often as they may.
    #[error("This hold was extended as often as a salesperson may. A manager can extend it further.")]
    NoMoreExtensions,
    /// Nobody may hold it longer.
    #[error("A car is held for at most {hours} hours. This hold can't be extended.")]
    AtItsEnd {
        /// The most.
        hours: i32,
    },
    /// A signed deal holds its car without an end.
    #[error("The deal is signed: its car is kept without an end.")]
    Signed,
}

impl HoldPolicy {
    /// When a new hold ends. Managers may ask for longer than salespeople.
    pub fn first_end(&self, now: DateTime<Utc>, minutes: Option<i32>, manager: bool) -> Result<DateTime<Utc>, HoldLimit> {
        Ok(later(now, Duration::minutes(self.span(minutes, manager)?)))
    }

    /// When a hold ends after an extension: at most `max_hours` after it was placed.
    pub fn extended_end(&self, hold: &Hold, minutes: Option<i32>, manager: bool) -> Result<DateTime<Utc>, HoldLimit> {
        let Some(end) = hold.expires_at.filter(|_| hold.reason != HoldReason::Contract) else { return Err(HoldLimit::Signed) };
        if !manager && hold.extensions >= self.extensions {
            return Err(HoldLimit::NoMoreExtensions);
        }
        let wished = later(end, Duration::minutes(self.span(minutes, manager)?));
        let longer = wished.min(later(hold.placed_at, Duration::hours(self.max_hours.into())));
        if longer <= end { Err(HoldLimit::AtItsEnd { hours: self.max_hours }) } else { Ok(longer) }
    }

    fn span(&self, minutes: Option<i32>, manager: bool) -> Result<i64, HoldLimit> {
        let most = if manager { i64::from(self.max_hours).saturating_mul(60) } else { self.minutes.into() };
        let wished = minutes.unwrap_or(self.minutes).into();
        if (1..=most).contains(&wished) { Ok(wished) } else { Err(HoldLimit::TooLong { most }) }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::kernel::id::{DealId, StoreId, UserId, VehicleId};

    const POLICY: HoldPolicy = HoldPolicy { minutes: 120, extensions: 1, max_hours: 5 };

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::minutes(minutes)
    }

    fn hold(end: Option<i64>, extensions: i32) -> Hold {
        Hold {
            id: Uuid::nil(),
            vehicle_id: VehicleId(Uuid::nil()),
            store_id: StoreId(Uuid::nil()),
            deal_id: DealId(Uuid::nil()),
            reason: HoldReason::Deal,
            placed_by: UserId(Uuid::nil()),
            placed_at: at(0),
            expires_at: end.map(at),
            extensions,
            note: None,
        }
    }

    #[test]
    fn a_salesperson_holds_for_the_house_s_time_and_a_manager_longer() {
        assert_eq!(POLICY.first_end(at(0), None, false), Ok(at(120)));
        assert_eq!(POLICY.first_end(at(0), Some(121), false), Err(HoldLimit::TooLong { most: 120 }));
        assert_eq!(POLICY.first_end(at(0), Some(121), true), Ok(at(121)));
        assert_eq!(POLICY.first_end(at(0), Some(301), true), Err(HoldLimit::TooLong { most: 300 }));
        assert_eq!(POLICY.first_end(at(0), Some(0), true), Err(HoldLimit::TooLong { most: 300 }));
    }

    #[test]
    fn extensions_are_counted_for_salespeople_and_bounded_for_all() {
        assert_eq!(POLICY.extended_end(&hold(Some(120), 0), None, false), Ok(at(240)));
        assert_eq!(POLICY.extended_end(&hold(Some(240), 1), None, false), Err(HoldLimit::NoMoreExtensions));
        assert_eq!(POLICY.extended_end(&hold(Some(240), 1), None, true), Ok(at(300)), "cut to the most");
        assert_eq!(POLICY.extended_end(&hold(Some(300), 2), None, true), Err(HoldLimit::AtItsEnd { hours: 5 }));
        assert_eq!(POLICY.extended_end(&hold(None, 0), None, true), Err(HoldLimit::Signed));
    }
}
