//! The last days that follow a sale: dated rows of the selling store's state. Pure.

use chrono::{Days, NaiveDate};
use uuid::Uuid;

use super::tax::SaleCondition;
use crate::kernel::money::Cents;

crate::text_enum! {
    /// Whose right it is to take a sale back.
    pub enum DeliveryRight {
        /// The seller's, while no lender has paid.
        SpotCancel = "SPOT_CANCEL",
        /// The buyer's, without a reason.
        Return = "RETURN",
    }
}

crate::text_enum! {
    /// From which day on days are counted.
    pub enum CountsFrom {
        /// The day of signing.
        Contract = "CONTRACT",
        /// The day of the hand-over.
        Delivery = "DELIVERY",
    }
}

/// A row of `delivery_law`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryLaw {
    /// The row.
    pub id: Uuid,
    /// Two letters.
    pub state: String,
    /// Whose right.
    pub kind: DeliveryRight,
    /// How many days.
    pub days: i32,
    /// From which day.
    pub counts_from: CountsFrom,
    /// Which cars; empty for every one.
    pub conditions: Vec<SaleCondition>,
    /// Only up to this price.
    pub max_price: Option<Cents>,
    /// Only while the car was driven no further.
    pub max_miles: Option<i32>,
    /// Where it was read.
    pub source: String,
    /// Whether a person checked it.
    pub verified: bool,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
}

/// So many days later; the same day where time ends.
pub fn days_after(day: NaiveDate, days: i32) -> NaiveDate {
    u64::try_from(days).ok().and_then(|days| day.checked_add_days(Days::new(days))).unwrap_or(day)
}

impl DeliveryLaw {
    /// Whether it is about such a car at such a price.
    pub fn covers(&self, condition: SaleCondition, price: Cents) -> bool {
        (self.conditions.is_empty() || self.conditions.contains(&condition)) && self.max_price.is_none_or(|most| price <= most)
    }

    /// The last day of the right.
    pub fn last_day(&self, contracted: NaiveDate, delivered: NaiveDate) -> NaiveDate {
        let first = match self.counts_from {
            CountsFrom::Contract => contracted,
            CountsFrom::Delivery => delivered,
        };
        days_after(first, self.days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_the_day_the_law_says_and_only_for_the_cars_it_names() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 11, d).unwrap();
        let law = DeliveryLaw {
            id: Uuid::nil(),
            state: "CA".into(),
            kind: DeliveryRight::Return,
            days: 3,
            counts_from: CountsFrom::Delivery,
            conditions: vec![SaleCondition::Used],
            max_price: Some(Cents(50_000_00)),
            max_miles: Some(400),
            source: "test".into(),
            verified: false,
            effective_from: None,
            effective_to: None,
        };
        assert_eq!(law.last_day(day(1), day(5)), day(8));
        assert_eq!(DeliveryLaw { counts_from: CountsFrom::Contract, ..law.clone() }.last_day(day(1), day(5)), day(4));
        assert!(law.covers(SaleCondition::Used, Cents(50_000_00)));
        assert!(!law.covers(SaleCondition::Used, Cents(50_000_01)) && !law.covers(SaleCondition::New, Cents(1)));
        assert_eq!(days_after(NaiveDate::MAX, 3), NaiveDate::MAX);
    }
}
