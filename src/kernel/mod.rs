//! The leaves everything else stands on: money, rates, ids, clock, text, contact details, sealing.
//!
//! Rules: no I/O, no database, no GraphQL, no ambient time or randomness. Whatever comes from outside is parsed here into
//! a type that cannot hold a wrong value.

pub mod clock;
pub mod contact;
pub mod id;
pub mod money;
pub mod rate;
pub mod rounding;
pub mod seal;
pub mod spoken_money;
pub mod text;
pub mod token;
