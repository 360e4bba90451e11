//! Leads and events as the slice hands them out.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::kernel::id::{CustomerId, LeadId, StoreId, UserId};

/// The channel of leads that came as ADF.
pub const ADF_CHANNEL: &str = "ADF";

crate::text_enum! {
    /// What became of a lead.
    pub enum LeadStatus {
        /// Understood; it belongs to a customer.
        Accepted = "ACCEPTED",
        /// Came before with the same content; changed nothing.
        Duplicate = "DUPLICATE",
        /// Came before and was changed or marked as sent again; the customer was updated.
        Resend = "RESEND",
        /// Could not be understood, or has nothing to act on; kept for a person with the reason.
        NeedsPerson = "NEEDS_PERSON",
    }
}

crate::text_enum! {
    /// What a person decided about a lead that waited for one.
    pub enum LeadResolution {
        /// It belongs to a customer.
        Attached = "ATTACHED",
        /// Nothing to follow: an advertisement, a test, a sender's mistake.
        Dismissed = "DISMISSED",
    }
}

/// A lead without its sealed parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead {
    /// The id.
    pub id: LeadId,
    /// The store it was sent to.
    pub store_id: StoreId,
    /// `ADF`.
    pub channel: String,
    /// Position of the prospect in its document, from 0.
    pub ordinal: i32,
    /// Whose id `external_id` is, or who sent it.
    pub source: Option<String>,
    /// The sender's id.
    pub external_id: Option<String>,
    /// What became of it.
    pub status: LeadStatus,
    /// Why, when there is something to say.
    pub status_reason: Option<String>,
    /// The lead this one repeats.
    pub duplicate_of: Option<LeadId>,
    /// Whose it is.
    pub customer_id: Option<CustomerId>,
    /// What is not personal: provider, vehicles, warnings.
    pub summary: Value,
    /// When the person asked, as far as the sender says.
    pub requested_at: Option<DateTime<Utc>>,
    /// When it came in.
    pub received_at: DateTime<Utc>,
    /// When a person decided about it.
    pub resolved_at: Option<DateTime<Utc>>,
    /// Who did.
    pub resolved_by: Option<UserId>,
    /// What they decided.
    pub resolution: Option<LeadResolution>,
    /// Their reason.
    pub resolution_note: Option<String>,
}

/// Which leads a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Only these states; empty means all.
    pub statuses: Vec<LeadStatus>,
    /// Only those that wait for a person (true), or only the others (false).
    pub needs_person: Option<bool>,
}

/// The sort key of a lead in lists: newest first.
pub type LeadKey = (DateTime<Utc>, uuid::Uuid);

/// The answer to one prospect of a document.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ReceivedLead {
    /// The lead as it was kept.
    pub id: LeadId,
    /// What became of it.
    pub status: LeadStatus,
    /// Why, when there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The lead this one repeats.
    #[serde(rename = "duplicateOf", skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<LeadId>,
}

/// What a lead's summary says. Written by the intake, read for showing.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LeadSummary {
    /// Who sent it.
    pub provider: Option<String>,
    /// The service of the provider.
    pub service: Option<String>,
    /// The dealer it was addressed to.
    pub vendor: Option<String>,
    /// Vehicles wanted and offered.
    pub vehicles: Vec<LeadVehicle>,
    /// `EMAIL` or `PHONE`, when the sender marks one.
    pub preferred_contact: Option<String>,
    /// They do not buy before.
    pub earliest: Option<DateTime<Utc>>,
    /// They do not buy after.
    pub latest: Option<DateTime<Utc>>,
    /// The person wrote something.
    pub has_comments: bool,
    /// What they allow or forbid.
    pub consents: std::collections::BTreeMap<String, bool>,
    /// Oddities of the document.
    pub warnings: Vec<String>,
}

/// A vehicle of a lead.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LeadVehicle {
    /// Wanted, rather than offered in trade or for sale.
    pub wanted: bool,
    /// What the person wants with it.
    pub interest: Option<super::adf::VehicleInterest>,
    /// New, used, certified.
    pub condition: Option<String>,
    /// Model year.
    pub year: Option<i32>,
    /// Make.
    pub make: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Trim.
    pub trim: Option<String>,
    /// VIN as sent.
    pub vin: Option<String>,
    /// Stock number as sent.
    pub stock: Option<String>,
    /// Price named in the lead.
    pub price: Option<LeadPrice>,
    /// Odometer.
    pub odometer: Option<LeadOdometer>,
    /// Its state in the sender's words, such as `excellent`.
    pub stated_condition: Option<String>,
    /// How it is to be paid, in the sender's word.
    pub finance_method: Option<String>,
    /// What is still owed on it.
    pub balance: Option<LeadPrice>,
    /// The vehicle of the lot, when it was there.
    pub vehicle_id: Option<crate::kernel::id::VehicleId>,
}

/// What people wrote in a lead, in their own words. Opened from its seal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeadWords {
    /// What the person wrote.
    pub comments: Option<String>,
    /// When they want to buy.
    pub timeframe: Option<String>,
    /// What was written about each vehicle, in the order of the vehicles.
    pub vehicles: Vec<Option<String>>,
}

/// A price named in a lead.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
pub struct LeadPrice {
    /// The amount in whole units with two decimals.
    pub amount: Option<rust_decimal::Decimal>,
    /// ISO 4217 code, when the sender gives one.
    pub currency: Option<String>,
    /// `asking`, `offer`, `msrp` …
    pub kind: Option<String>,
}

/// An odometer reading in a lead.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[serde(default)]
pub struct LeadOdometer {
    /// The reading.
    pub reading: i32,
    /// Its unit.
    pub units: Option<super::adf::OdometerUnit>,
}

impl Lead {
    /// The summary, read.
    pub fn read_summary(&self) -> LeadSummary {
        serde_json::from_value(self.summary.clone()).unwrap_or_default()
    }
}
