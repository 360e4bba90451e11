//! All the SQL of the slice. Everything that is read takes a [`Scope`](crate::auth::Scope).
//!
//! Reads join the rows of the car, the store and the hold by key, because a deal without them is a second statement, and
//! the count of statements is the cost of a screen. Writes to a vehicle go through `inventory`.

pub(super) mod affected;
pub(super) mod answers;
pub(super) mod approvals;
pub(super) mod delivery;
pub(super) mod funding;
pub(super) mod idle;
pub(super) mod list;
pub(super) mod menu;
pub(super) mod offline;
pub(super) mod open;
pub(super) mod quotes;
pub(super) mod record;
pub(super) mod room;
pub(super) mod seats;
pub(super) mod table;
