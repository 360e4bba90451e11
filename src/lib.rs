//! Deskless: the backend behind the tablet a car salesperson holds.
//!
//! One GraphQL API joins what the dealer has (inventory), what this customer said they want (preferences) and what it will
//! cost (finance, lease, tax, insurance), so that one person closes the deal in one conversation.
//!
//! # Reading order
//! [`kernel`] (money, ids, clock), [`db`] (one way to write), then one slice from `model` to `graphql`: [`dealers`] is the
//! smallest that has every room.
//!
//! # Who may use whom
//! `cli → app → http → schema → slice::graphql → slice::service → {model, store} → {kernel, db}`. A slice uses another only
//! through what its `mod.rs` re-exports. A test over the `use crate::…` lines keeps these arrows one-way.

pub mod app;
pub mod auth;
pub mod channels;
pub mod cli;
pub mod config;
pub mod customers;
pub mod db;
pub mod dealers;
pub mod deals;
pub mod demo;
pub mod finance;
pub mod graphql;
pub mod http;
pub mod insights;
pub mod insurance;
pub mod inventory;
pub mod kernel;
pub mod matching;
pub mod node;
pub mod payments;
pub mod schema;
pub mod telemetry;
pub mod upkeep;
