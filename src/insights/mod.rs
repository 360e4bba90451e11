//! Insights: what the store learns from its own conversations.
//!
//! Every step of a conversation is an event with its time and person: greeted, car chosen, presented, swapped, taken over,
//! approved, agreed, signed, lost. The slices write them where they happen (the audit trail); this one reads them and tells
//! managers how the store does. It writes nothing but the signals no other slice has a place for.
//!
//! # Terms
//! *Signal*: an event that says how a conversation went. *Hand-off*: a deal went from one person to another; a second device
//! of the same person is none. *Median*, *p90*: the value at most half, at most nine in ten of the deals lie above of; always
//! one that was measured.

pub mod graphql;
mod model;
mod service;
mod store;

pub use model::{LostCount, Performance, Period, ReasonCount, Spread};
pub use service::Insights;
