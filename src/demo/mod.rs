//! The demo dealer group: three stores in three states with different tax schemes, a lot of 1,200 vehicles, 400 customers with
//! leads and wishes, and people for every role.
//!
//! Everything here is generated: the same seed gives the same group every time. Vehicles are built from facts of the vPIC tables
//! (NHTSA) and of EPA's fuel economy data, both works of the US Government; names are fictional, mail addresses are under
//! `example.com` (RFC 2606), telephone numbers are of the fictional range 555-0100 to 555-0199.
//!
//! [`dice`], [`catalogue`], [`lot`], [`people`], [`leads`] and [`events`] are pure. The vehicles travel as an inventory feed and the customers
//! as ADF leads, so that [`load`] takes the ways of the real thing.

pub mod catalogue;
pub mod dice;
pub mod events;
pub mod group;
pub mod leads;
pub mod load;
pub mod lot;
pub mod people;
mod store;
