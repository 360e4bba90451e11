//! Insurers, their rows, and what is asked of them.

mod book;
mod kinds;
mod request;
mod rows;

pub use book::InsuranceBook;
pub(in crate::insurance) use book::holds;
pub use kinds::{Coverage, FactorSubject, Gender, LenderInterest};
pub use request::{CoverageChoice, DRIVERS_MAX, Driver, InsuranceRequest, InsuranceWish};
pub use rows::{Barred, Demand, Factor, InsuranceRows, Insurer, Minimum, PayPlan, Rate};
