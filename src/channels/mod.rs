//! Channels: leads and events as web sites, apps and lead providers send them.
//!
//! - [`adf`] reads ADF/XML leads: tolerant of every way in which real senders break the format, closed to document types
//!   and entities, bounded in every dimension.
//! - Whatever comes in is kept as it came, sealed; what cannot be understood is kept with the reason, for a person.

pub mod adf;
mod encoding;
pub mod events;
mod model;
mod observe;
mod reading;
mod xml;

pub use model::{ADF_CHANNEL, Lead, LeadStatus, ReceivedLead};
