//! The dealer group and its stores: code, address, time zone, tax place, limits.
//!
//! Stores are few and read by nearly every request, so they live in memory as one snapshot ([`Stores`]), read again when
//! the database announces a change. The lowest slice: every other may use it.

pub mod graphql;
mod model;
mod service;
mod store;

pub use graphql::StoreNode;
pub use model::{NewStore, StoreInfo};
pub use service::{Dealers, StoreError, Stores};
