//! Customers, their contacts, consents, merges; what the slice hands out.

use std::fmt;

use chrono::{DateTime, Utc};

use super::person::Person;
use super::preference::{PreferenceBehaviour, PreferenceImportance, PreferenceKind};
use super::wish::Wish;
use crate::kernel::contact::{EmailAddress, PhoneNumber};
use crate::kernel::id::{CustomerId, EventId, LeadId, StoreId, UserId, VehicleId};

crate::typed_id!(/// A contact detail of a customer.
    ContactId, "con");
crate::typed_id!(/// A consent given or refused.
    ConsentId, "cst");
crate::typed_id!(/// A merge of two customer records.
    MergeId, "mrg");

/// A customer of one store, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id.
    pub id: CustomerId,
    /// The store it belongs to.
    pub store_id: StoreId,
    /// Names and address.
    pub person: Person,
    /// The e-mail address to write to.
    pub email: Option<EmailAddress>,
    /// The number to call.
    pub phone: Option<PhoneNumber>,
    /// Two letters of the state of residence, for taxes.
    pub state: Option<String>,
    /// Postal code of the residence, for taxes.
    pub postal_code: Option<String>,
    /// The credit tier used for quotes until a lender decides.
    pub credit_tier: Option<String>,
    /// The record this one was merged into.
    pub merged_into: Option<CustomerId>,
    /// Grows with every change.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Customer {
    /// The name as it is said, or "Unnamed customer".
    pub fn display_name(&self) -> String {
        self.person.display_name().unwrap_or_else(|| "Unnamed customer".to_owned())
    }
}

crate::text_enum! {
    /// The kind of a contact detail.
    pub enum ContactKind {
        /// An e-mail address.
        Email = "EMAIL",
        /// A phone number.
        Phone = "PHONE",
        /// The id of the customer in another system.
        ExternalId = "EXTERNAL_ID",
    }
}

/// One contact detail.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// The id.
    pub id: ContactId,
    /// What it is.
    pub kind: ContactKind,
    /// The address, the number in E.164, or `source:id`.
    pub value: String,
    /// Such as `cell`, `work`.
    pub label: Option<String>,
    /// When it was proven to be theirs (a link or code came back).
    pub verified_at: Option<DateTime<Utc>>,
    /// When it was heard first.
    pub created_at: DateTime<Utc>,
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contact({}, …)", self.kind)
    }
}

/// A person as a channel or a salesperson describes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncomingPerson {
    /// Names and address.
    pub person: Person,
    /// E-mail addresses, the preferred one first.
    pub emails: Vec<IncomingEmail>,
    /// Phone numbers, the preferred one first.
    pub phones: Vec<IncomingPhone>,
    /// Ids in other systems.
    pub external_ids: Vec<ExternalId>,
}

/// An e-mail address as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingEmail {
    /// The address.
    pub address: EmailAddress,
    /// The sender has proven that it is theirs (signed in, confirmed a link).
    pub verified: bool,
}

/// A phone number as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingPhone {
    /// The number.
    pub number: PhoneNumber,
    /// Such as `cell`, `work`.
    pub label: Option<String>,
}

/// The id of a person in another system.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ExternalId {
    /// The system, such as the web site's name.
    pub source: String,
    /// Their id there.
    pub id: String,
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalId(…)")
    }
}

impl IncomingPerson {
    /// Somebody known only by an address of theirs.
    pub fn with_email(person: Person, address: EmailAddress, verified: bool) -> Self {
        Self { person, emails: vec![IncomingEmail { address, verified }], ..Self::default() }
    }

    /// Nothing by which a person could be told or reached.
    pub fn is_empty(&self) -> bool {
        self.person == Person::default() && self.emails.is_empty() && self.phones.is_empty() && self.external_ids.is_empty()
    }
}

crate::text_enum! {
    /// Why two records may be one person.
    pub enum LinkReason {
        /// The same e-mail address under another name.
        SameEmail = "SAME_EMAIL",
        /// The same phone number under another or no name: couples share phones.
        SamePhone = "SAME_PHONE",
        /// The same id in another system under another name.
        SameExternalId = "SAME_EXTERNAL_ID",
    }
}

/// What became of an incoming person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It is a customer we know; what was new about them was added.
    Matched {
        /// Who.
        customer: CustomerId,
        /// By what.
        basis: LinkReason,
    },
    /// Nobody like that was known.
    Created {
        /// The new record.
        customer: CustomerId,
    },
    /// A new record, and people who may be the same person: shown to the salesperson, never merged by the program.
    Suggested {
        /// The new record.
        customer: CustomerId,
        /// Who it may be.
        others: Vec<CustomerId>,
    },
}

impl Resolution {
    /// The customer the incoming data belongs to.
    pub fn customer_id(&self) -> CustomerId {
        match self {
            Self::Matched { customer, .. } | Self::Created { customer } | Self::Suggested { customer, .. } => *customer,
        }
    }
}

/// Two records that may be one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkSuggestion {
    /// The other record.
    pub other: CustomerId,
    /// Why.
    pub reason: LinkReason,
    /// Since when.
    pub at: DateTime<Utc>,
}

crate::text_enum! {
    /// What a consent is for.
    pub enum ConsentPurpose {
        /// Writing e-mails.
        Email = "EMAIL",
        /// Calling.
        Phone = "PHONE",
        /// Text messages.
        Text = "TEXT",
        /// Postal mail.
        Mail = "MAIL",
        /// Keeping observed behaviour as preferences.
        Profiling = "PROFILING",
    }
}

/// A consent given or refused. The newest per purpose counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The id.
    pub id: ConsentId,
    /// What for.
    pub purpose: ConsentPurpose,
    /// Given or refused.
    pub granted: bool,
    /// Where it was said.
    pub channel: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A merge of one record into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// The id.
    pub id: MergeId,
    /// The store of both.
    pub store_id: StoreId,
    /// The record that stays.
    pub survivor: CustomerId,
    /// The record that was merged into it.
    pub merged: CustomerId,
    /// Why, in the words of whoever did it.
    pub reason: String,
    /// Who did it.
    pub merged_by: Option<UserId>,
    /// When.
    pub merged_at: DateTime<Utc>,
    /// When it was undone.
    pub undone_at: Option<DateTime<Utc>>,
}

/// A wish to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPreference {
    /// Attribute, operator, value.
    pub wish: Wish,
    /// How much it matters.
    pub importance: PreferenceImportance,
    /// How it is known.
    pub kind: PreferenceKind,
    /// The channel: `STORE`, `WEB`, `APP`, `ADF` … (upper case, at most 40 characters).
    pub channel: String,
    /// What the customer did; for observed wishes.
    pub behaviour: Option<PreferenceBehaviour>,
    /// From 0 to 1000: 1000 is certain.
    pub confidence_permille: u16,
    /// The event it was read from.
    pub source_event_id: Option<EventId>,
    /// The lead it was read from.
    pub source_lead_id: Option<LeadId>,
    /// The user who heard it.
    pub heard_by: Option<UserId>,
    /// The consent under which it is kept.
    pub consent_id: Option<ConsentId>,
    /// When it was said or done.
    pub at: DateTime<Utc>,
    /// When it stops to count.
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewPreference {
    /// Something the customer said.
    pub fn stated(wish: Wish, importance: PreferenceImportance, channel: &str, at: DateTime<Utc>) -> Self {
        Self {
            wish,
            importance,
            kind: PreferenceKind::Stated,
            channel: channel.to_owned(),
            behaviour: None,
            confidence_permille: 1000,
            source_event_id: None,
            source_lead_id: None,
            heard_by: None,
            consent_id: None,
            at,
            expires_at: None,
        }
    }

    /// Something the customer did. Counts less than what they say, and is welcome rather than demanded.
    pub fn observed(wish: Wish, behaviour: PreferenceBehaviour, channel: &str, at: DateTime<Utc>) -> Self {
        let stated = Self::stated(wish, PreferenceImportance::Should, channel, at);
        Self { kind: PreferenceKind::Observed, behaviour: Some(behaviour), confidence_permille: 700, ..stated }
    }
}

/// Something a customer did on the web, in the app or in the store.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct CustomerEvent {
    /// The id.
    pub id: EventId,
    /// VIEWED, SAVED, BUILT …
    pub kind: String,
    /// The name the sender gave it.
    pub name: String,
    /// Where.
    pub channel: String,
    /// The vehicle it was about.
    pub vehicle_id: Option<VehicleId>,
    /// How long it took.
    pub duration_seconds: Option<i32>,
    /// When.
    pub occurred_at: DateTime<Utc>,
}
