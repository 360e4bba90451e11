//! Channels: leads and events as web sites, apps and lead providers send them.
//!
//! - [`adf`] reads ADF/XML leads: tolerant of every way in which real senders break the format, closed to document types
//!   and entities, bounded in every dimension.
//! - Whatever comes in is kept as it came, sealed; what cannot be understood is kept with the reason, for a person.

pub mod adf;
mod encoding;
mod event_intake;
pub mod events;
pub mod graphql;
mod intake;
mod model;
mod observe;
mod reading;
mod service;
mod store;
mod xml;

pub use event_intake::{EventStatus, ReceivedEvent};
pub use model::{
    ADF_CHANNEL, Lead, LeadFilter, LeadKey, LeadOdometer, LeadPrice, LeadResolution, LeadStatus, LeadSummary, LeadVehicle, LeadWords,
    ReceivedLead,
};
pub use service::{Channels, ChannelsError, Delivery, LeadDecision};
