//! A preference: one wish with where it came from, who heard it and when.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::model::ConsentId;
use super::wish::Wish;
use crate::kernel::id::{CustomerId, EventId, LeadId, PreferenceId, StoreId, UserId};

crate::text_enum! {
    /// What a wish is about. Facts of vehicles and figures of a purchase only; nothing about the person.
    pub enum PreferenceAttribute {
        /// New, used or certified.
        Condition = "CONDITION",
        /// The maker, such as Toyota.
        Make = "MAKE",
        /// The model, such as RAV4.
        Model = "MODEL",
        /// The trim level.
        Trim = "TRIM",
        /// The model year, four digits.
        ModelYear = "MODEL_YEAR",
        /// SEDAN, SUV, PICKUP …
        BodyStyle = "BODY_STYLE",
        /// FWD, RWD, AWD, FOUR_WD.
        Drivetrain = "DRIVETRAIN",
        /// GASOLINE, HYBRID, ELECTRIC …
        Fuel = "FUEL",
        /// AUTOMATIC, MANUAL, CVT.
        Transmission = "TRANSMISSION",
        /// Colour family outside: BLACK, WHITE, SILVER …
        ExteriorColor = "EXTERIOR_COLOR",
        /// Colour family inside.
        InteriorColor = "INTERIOR_COLOR",
        /// Miles on the odometer.
        OdometerMiles = "ODOMETER_MILES",
        /// Price of the vehicle, in whole units with two decimals.
        Price = "PRICE",
        /// Payment per month, in whole units with two decimals.
        MonthlyPayment = "MONTHLY_PAYMENT",
        /// Money put down, in whole units with two decimals.
        DownPayment = "DOWN_PAYMENT",
        /// Length of the loan or lease in months.
        TermMonths = "TERM_MONTHS",
        /// Number of seats.
        Seats = "SEATS",
        /// Number of doors.
        Doors = "DOORS",
        /// Combined miles per gallon.
        Mpg = "MPG",
        /// Equipment in the customer's words, such as "sunroof".
        Feature = "FEATURE",
    }
}

crate::text_enum! {
    /// How the value is meant.
    pub enum PreferenceOperator {
        /// This value; several such wishes on one attribute are alternatives.
        Is = "IS",
        /// Anything but this value.
        IsNot = "IS_NOT",
        /// This much or more.
        AtLeast = "AT_LEAST",
        /// This much or less.
        AtMost = "AT_MOST",
    }
}

crate::text_enum! {
    /// How much it matters to the customer.
    pub enum PreferenceImportance {
        /// Not without it.
        Must = "MUST",
        /// Wanted.
        Should = "SHOULD",
        /// Welcome.
        Nice = "NICE",
    }
}

crate::text_enum! {
    /// How it is known. Stated always beats observed, observed beats inferred.
    pub enum PreferenceKind {
        /// The customer said it.
        Stated = "STATED",
        /// The customer did it.
        Observed = "OBSERVED",
        /// Concluded from something else, such as a car owned before.
        Inferred = "INFERRED",
    }
}

crate::text_enum! {
    /// What the customer did when the wish was observed.
    pub enum PreferenceBehaviour {
        /// Looked at such a vehicle.
        Viewed = "VIEWED",
        /// Saved such a vehicle.
        Saved = "SAVED",
        /// Searched for it.
        Searched = "SEARCHED",
        /// Built such a configuration.
        Built = "BUILT",
        /// Calculated a payment.
        PaymentCalculated = "PAYMENT_CALCULATED",
        /// Compared such vehicles.
        Compared = "COMPARED",
        /// Owned such a vehicle.
        Owned = "OWNED",
        /// Something else.
        Other = "OTHER",
    }
}

impl PreferenceBehaviour {
    /// The verb of a sentence: "built".
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Viewed => "looked at",
            Self::Saved => "saved",
            Self::Searched => "searched for",
            Self::Built => "built",
            Self::PaymentCalculated => "calculated",
            Self::Compared => "compared",
            Self::Owned => "owned",
            Self::Other => "showed interest in",
        }
    }
}

impl PreferenceKind {
    /// Stated 2, observed 1, inferred 0.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Stated => 2,
            Self::Observed => 1,
            Self::Inferred => 0,
        }
    }
}

/// One wish of a customer, with its provenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// The id.
    pub id: PreferenceId,
    /// Whose wish.
    pub customer_id: CustomerId,
    /// The store the customer belongs to.
    pub store_id: StoreId,
    /// Attribute, operator and value.
    pub wish: Wish,
    /// How much it matters.
    pub importance: PreferenceImportance,
    /// How it is known.
    pub kind: PreferenceKind,
    /// The channel it came through: `STORE`, `WEB`, `APP`, `ADF` …
    pub channel: String,
    /// What the customer did, for an observed wish.
    pub behaviour: Option<PreferenceBehaviour>,
    /// How often it was observed; 1 for a stated wish.
    pub occurrences: i32,
    /// From 0 to 1.
    pub confidence: Decimal,
    /// The event it was read from.
    pub source_event_id: Option<EventId>,
    /// The lead it was read from.
    pub source_lead_id: Option<LeadId>,
    /// The user who heard it.
    pub heard_by: Option<UserId>,
    /// Their name, as colleagues see it.
    pub heard_by_name: Option<String>,
    /// The consent under which it is kept.
    pub consent_id: Option<ConsentId>,
    /// When it was stated or last observed.
    pub at: DateTime<Utc>,
    /// When it stops to count.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub withdrawn_at: Option<DateTime<Utc>>,
}

impl Preference {
    /// Neither withdrawn nor expired at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.withdrawn_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }
}
