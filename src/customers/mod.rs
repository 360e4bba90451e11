//! Customers: who they are, how they are reached, what they wish for.
//!
//! Rules
//! - A customer belongs to one store. Identity is resolved inside a store only ([`identity`]); nothing about a person crosses
//!   to another store.
//! - Names, addresses and contact details are sealed at rest and found again by keyed hashes ([`person::search_tokens`]).
//! - A merge moves rows, records each that moved, and can be undone exactly.
//! - A wish ([`Preference`]) keeps who heard it, when and where. Stated beats observed beats inferred; a contradiction is
//!   shown, never resolved silently ([`contradiction`]).
//!
//! Terms: *wish* is attribute, operator and value; *preference* is a wish with its provenance.

pub mod contradiction;
pub mod graphql;
pub mod identity;
mod merging;
mod model;
pub mod person;
mod preference;
mod recording;
mod records;
mod resolving;
mod service;
mod store;
mod turns;
pub mod wish;

pub use contradiction::{Contradiction, ContradictionKind, contradictions, effective};
pub use merging::MergeOutcome;
pub use model::{
    Consent, ConsentId, ConsentPurpose, Contact, ContactId, ContactKind, Customer, CustomerEvent, ExternalId, IncomingEmail,
    IncomingPerson, IncomingPhone, LinkReason, LinkSuggestion, Merge, MergeId, NewPreference, Resolution,
};
pub use person::{Person, PostalAddress};
pub use preference::{Preference, PreferenceAttribute, PreferenceBehaviour, PreferenceImportance, PreferenceKind, PreferenceOperator};
pub use service::{CreateOutcome, CustomerError, CustomerKey, CustomerParts, CustomerWith, Customers, Done};
pub use turns::Turn;
pub use wish::{Wish, WishError};
