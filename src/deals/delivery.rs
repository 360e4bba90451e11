//! The hand-over of a car, and until when it can be taken back. Pure.
//!
//! A car that is handed over before a lender has paid is a *spot delivery*: until its last day the store may call it off, and
//! gives back everything. Nobody drives off uninsured, and what the odometer shows is stated in writing (49 CFR 580). Some states let the buyer bring a car back. Both last days are rows ([`DeliveryLaw`], and the store's own
//! days), and what was told to the customer is kept with the hand-over.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::settlement::CarReturned;
use crate::finance::{DeliveryLaw, ReturnFees, days_after};
use crate::insurance::CardCover;
use crate::inventory::VehicleStatus;
use crate::kernel::id::LenderId;
use crate::kernel::money::Cents;

/// A last day, and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastDay {
    /// The day at the store.
    pub day: NaiveDate,
    /// Where it comes from.
    pub source: String,
    /// A person checked the rule behind it.
    pub verified: bool,
}

/// A car handed over before a lender has paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Why, in the salesperson's words.
    pub reason: String,
    /// Until when the store may call it off.
    pub until: LastDay,
}

/// The buyer's right to bring the car back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnRight {
    /// Until when.
    pub until: LastDay,
    /// Driven no further than this.
    pub max_miles: Option<i32>,
    /// The car's price, of which the store may keep a share.
    pub price: Cents,
    /// What the customer paid when the deal was signed.
    pub paid: Cents,
    /// What the store may keep of it.
    pub fees: ReturnFees,
}

crate::text_enum! {
    /// What the seller says about the odometer's reading (49 CFR 580.5(e)).
    pub enum OdometerBrand {
        /// The actual mileage, to the best of the seller's knowledge.
        Actual = "ACTUAL",
        /// More than the odometer can show: the miles are in excess of its mechanical limits.
        ExceedsLimits = "EXCEEDS_LIMITS",
        /// Not the actual mileage: not to be relied upon.
        NotActual = "NOT_ACTUAL",
    }
}

/// Whether the law asks for an odometer statement when such a car changes hands on a day: for model years from 2011 on until twenty
/// years after the first of January of the model year; older ones are exempt (49 CFR 580.17(a)(3)). Vehicles above 16,000 lb are
/// exempt too, but their weight is not known here: for them the statement is asked for all the same.
pub fn odometer_statement_needed(model_year: i32, day: NaiveDate) -> bool {
    model_year >= 2011 && day.year() < model_year.saturating_add(20)
}

/// A policy's number. Not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PolicyNumber(pub String);

impl fmt::Debug for PolicyNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PolicyNumber(…)")
    }
}

/// The customer's insurance card, as the salesperson saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsuranceCard {
    /// The company.
    pub insurer: String,
    /// The policy.
    pub policy: PolicyNumber,
    /// The first day it counts.
    pub from: NaiveDate,
    /// The last day; none when the card does not say.
    pub until: Option<NaiveDate>,
    /// What it says of what a lender may ask for.
    pub cover: CardCover,
}

impl InsuranceCard {
    /// Whether it counts on a day.
    pub fn active_on(&self, day: NaiveDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// A hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// When.
    pub at: DateTime<Utc>,
    /// What the odometer showed.
    pub odometer_miles: i32,
    /// What the seller says about that reading; none for a car that needs no statement.
    pub odometer_brand: Option<OdometerBrand>,
    /// The insurance card; none for hand-overs before it was asked for.
    pub insurance: Option<InsuranceCard>,
    /// Where the vehicle stood before the sale.
    pub status_before: VehicleStatus,
    /// Before a lender has paid.
    pub spot: Option<Spot>,
    /// The buyer's right.
    pub return_right: Option<ReturnRight>,
    /// The car came back.
    pub returned: Option<CarReturned>,
}

/// What a lender paid for a delivered deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funding {
    /// Who paid.
    pub lender_id: LenderId,
    /// The lender's short code.
    pub lender_code: String,
    /// The lender's name.
    pub lender_name: String,
    /// How much arrived.
    pub amount: Cents,
    /// The day it arrived, at the store.
    pub day: NaiveDate,
    /// The payment's number.
    pub reference: Option<String>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
}

/// The last day to call off a spot delivery: the earlier of the law's and the store's. None when neither says one.
pub fn spot_deadline(law: Option<&DeliveryLaw>, store_days: Option<i32>, contracted: NaiveDate, delivered: NaiveDate) -> Option<LastDay> {
    let lawful = law.map(|law| LastDay { day: law.last_day(contracted, delivered), source: law.source.clone(), verified: law.verified });
    let own =
        store_days.map(|days| LastDay { day: days_after(contracted, days), source: "The store's own contract".into(), verified: true });
    [lawful, own].into_iter().flatten().min_by_key(|last| last.day)
}

impl Delivery {
    /// Whether the store may call it off on a day.
    pub fn may_be_called_off(&self, today: NaiveDate) -> bool {
        self.spot.as_ref().is_some_and(|spot| today <= spot.until.day)
    }

    /// How far it was driven since, with this on the odometer.
    pub fn driven(&self, odometer_miles: i32) -> i32 {
        odometer_miles.saturating_sub(self.odometer_miles)
    }

    /// Whether the buyer may bring it back on a day with this on the odometer.
    pub fn may_be_returned(&self, today: NaiveDate, odometer_miles: i32) -> bool {
        let driven = self.driven(odometer_miles);
        self.return_right.as_ref().is_some_and(|right| today <= right.until.day && right.max_miles.is_none_or(|most| driven <= most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, d).unwrap()
    }

    fn last(d: u32) -> LastDay {
        LastDay { day: day(d), source: "test".into(), verified: true }
    }

    #[test]
    fn the_last_day_is_part_of_the_right_and_the_last_mile_too() {
        let delivery = Delivery {
            at: DateTime::UNIX_EPOCH,
            odometer_miles: 1_000,
            odometer_brand: Some(OdometerBrand::Actual),
            insurance: None,
            status_before: VehicleStatus::Available,
            spot: Some(Spot { reason: "Saturday".into(), until: last(10) }),
            return_right: Some(ReturnRight {
                until: last(3),
                max_miles: Some(400),
                price: Cents(30_000_00),
                paid: Cents(1_000_00),
                fees: ReturnFees::default(),
            }),
            returned: None,
        };
        assert!(delivery.may_be_called_off(day(10)) && !delivery.may_be_called_off(day(11)));
        assert!(
            delivery.may_be_returned(day(3), 1_400) && !delivery.may_be_returned(day(3), 1_401) && !delivery.may_be_returned(day(4), 1_000)
        );
        let plain = Delivery { spot: None, return_right: None, ..delivery };
        assert!(!plain.may_be_called_off(day(1)) && !plain.may_be_returned(day(1), 1_000));
    }

    #[test]
    fn the_odometer_law_begins_with_model_year_2011_and_ends_after_twenty_years() {
        let on = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();
        assert!(!odometer_statement_needed(2010, on(2026, 11, 1)), "exempt since its tenth year");
        assert!(odometer_statement_needed(2011, on(2026, 11, 1)) && odometer_statement_needed(2027, on(2026, 11, 1)));
        assert!(odometer_statement_needed(2011, on(2030, 12, 31)) && !odometer_statement_needed(2011, on(2031, 1, 1)));
    }

    #[test]
    fn a_card_counts_from_its_first_to_its_last_day_and_does_not_print_its_number() {
        let card = InsuranceCard {
            insurer: "Safe".into(),
            policy: PolicyNumber("P-123".into()),
            from: day(2),
            until: Some(day(4)),
            cover: CardCover::default(),
        };
        assert!(card.active_on(day(2)) && card.active_on(day(4)) && !card.active_on(day(1)) && !card.active_on(day(5)));
        assert!(InsuranceCard { until: None, ..card.clone() }.active_on(NaiveDate::MAX));
        assert!(!format!("{card:?}").contains("P-123"));
    }

    #[test]
    fn the_store_s_own_days_stand_where_no_law_does_and_the_earlier_day_wins() {
        assert_eq!(spot_deadline(None, None, day(1), day(2)), None);
        let own = spot_deadline(None, Some(7), day(1), day(2)).unwrap();
        assert_eq!((own.day, own.verified), (day(8), true));
    }
}
