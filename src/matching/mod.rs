//! Matching: which cars of the lot are for this customer, why, what is missing, and what would help.
//!
//! # Rules
//! - The score is made of whole points by fixed rules: the same wishes and the same lot give the same answer, in any order of
//!   rows. Every point is shown with its reason and the wish it comes from.
//! - Only wishes about vehicles and money take part. The input types ([`Demand`], [`Lot`]) have no place for a name, an
//!   address, an age or anything else about the person, and a test keeps it so.
//! - A wish weighs by its importance (must 6, should 3, nice 1), by how it is known (stated 4, observed 2, inferred 1) and by
//!   its confidence.
//! - A near miss earns part of the points. A must that is not met is listed as missed; a car that meets every must stands
//!   above every car that does not.
//! - A monthly payment is compared with an estimate, and marked as one: the desk has the exact figure.
//!
//! # Terms
//! *Demand*: the effective wishes of a customer, compiled. *Lot*: the available vehicles of a store in columns, kept in memory
//! and refreshed by change notices. *Relaxation*: one wish let go or widened, and how many cars that unlocks.

mod demand;
mod estimate;
pub mod graphql;
mod lot;
mod relax;
mod score;
mod service;
mod words;

pub use demand::{Demand, Wanted};
pub use estimate::{EstimateTerms, PaymentEstimate};
pub use lot::{Lot, Names};
pub use relax::Relaxation;
pub use score::{Contribution, Match, Matches, rank};
pub use service::{Matching, MatchingError};
