//! The last days that follow a sale: dated rows of the selling store's state. Pure.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
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

/// What a seller may keep for taking a car back: a share of its price, between a least and a most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestockingFee {
    /// Percent points of the car's price.
    pub percent: Decimal,
    /// At least this.
    pub min: Option<Cents>,
    /// At most this.
    pub max: Option<Cents>,
}

impl RestockingFee {
    /// The share alone, rounded down to the cent: the law says how much at most.
    pub fn share(&self, price: Cents) -> Cents {
        price.at_least_zero().percent_down(self.percent).unwrap_or_default()
    }

    /// The fee on a car at such a price. The most counts before the least.
    pub fn on(&self, price: Cents) -> Cents {
        let at_least = self.share(price).max(self.min.unwrap_or_default());
        self.max.map_or(at_least, |most| at_least.min(most))
    }
}

/// What a seller may ask for the miles driven with a car that comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MileageFee {
    /// For each mile beyond the free ones.
    pub per_mile: Cents,
    /// So many miles cost nothing.
    pub free_miles: i32,
    /// At most this in all.
    pub max: Option<Cents>,
    /// Whether a person checked this part of the row.
    pub verified: bool,
}

impl MileageFee {
    /// For so many miles.
    pub fn on(&self, driven: i32) -> Cents {
        let beyond = driven.saturating_sub(self.free_miles).max(0);
        let fee = Cents(self.per_mile.0.saturating_mul(i64::from(beyond)));
        self.max.map_or(fee, |most| fee.min(most))
    }
}

/// What a seller may keep when a buyer brings a car back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReturnFees {
    /// For taking it back.
    pub restocking: Option<RestockingFee>,
    /// For the miles.
    pub mileage: Option<MileageFee>,
}

impl ReturnFees {
    /// From the columns that keep them: share, least and most of the one; fee, free miles, most and "checked" of the other.
    pub fn stored(
        (percent, min, max_restocking): (Option<Decimal>, Option<Cents>, Option<Cents>),
        (per_mile, free_miles, max, verified): (Option<Cents>, Option<i32>, Option<Cents>, Option<bool>),
    ) -> Self {
        Self {
            restocking: percent.map(|percent| RestockingFee { percent, min, max: max_restocking }),
            mileage: per_mile.map(|per_mile| MileageFee {
                per_mile,
                free_miles: free_miles.unwrap_or_default(),
                max,
                verified: verified.unwrap_or_default(),
            }),
        }
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
    /// What the seller may keep of what was paid; nothing of a sale the seller calls off.
    pub fees: ReturnFees,
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
            fees: ReturnFees::default(),
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

    #[test]
    fn a_restocking_fee_is_a_share_between_its_least_and_its_most_and_rounded_down() {
        let fee = RestockingFee { percent: Decimal::new(15, 1), min: Some(Cents(200_00)), max: Some(Cents(600_00)) };
        for (price, expected) in [
            (0, 200_00),
            (9_000_00, 200_00),
            (13_333_33, 200_00), // 199.99995
            (13_333_34, 200_00), // 200.0001
            (13_400_00, 201_00),
            (30_000_00, 450_00),
            (31_333_33, 469_99), // 469.99995: never more than the law allows
            (40_000_00, 600_00),
            (40_000_67, 600_00), // 600.01005
            (50_000_00, 600_00),
            (-5, 200_00),
        ] {
            assert_eq!(fee.on(Cents(price)), Cents(expected), "{price}");
        }
        let bare = RestockingFee { min: None, max: None, ..fee };
        assert_eq!((bare.on(Cents(1_00)), bare.on(Cents(100_000_00))), (Cents(1), Cents(1_500_00)));
        // A least above the most can't be stored; the customer would pay no more than the most.
        assert_eq!(RestockingFee { min: Some(Cents(700_00)), ..fee }.on(Cents(1)), Cents(600_00));
    }

    #[test]
    fn miles_cost_from_the_first_beyond_the_free_ones_up_to_a_most() {
        let fee = MileageFee { per_mile: Cents(1_00), free_miles: 250, max: Some(Cents(150_00)), verified: false };
        for (driven, expected) in [(-10, 0), (0, 0), (250, 0), (251, 1_00), (320, 70_00), (400, 150_00), (401, 150_00), (i32::MAX, 150_00)]
        {
            assert_eq!(fee.on(driven), Cents(expected), "{driven}");
        }
        assert_eq!(MileageFee { max: None, ..fee }.on(1_250), Cents(1_000_00));
    }
}
