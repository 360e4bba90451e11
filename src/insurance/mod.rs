//! Insurance: what an insurer's rate rows say about a car, its drivers, where it is kept and the coverages asked for.
//!
//! Premium per coverage = base × factors, in whole numbers, rounded half up to the cent per coverage; then the sum. Of several
//! drivers the one who costs most is rated. Rates, factors, state minimums, pay plans and what lenders demand are dated rows.
//! A factor a state bars is not used there, whatever the insurer's sheet says.
//! These are quotes for a customer to look at; only a licensed producer or the customer may bind one (DOMAIN B7).

mod demand;
pub mod graphql;
mod model;
mod plan;
mod premium;
mod quoted;
mod store;

pub use demand::{CardCover, DemandCheck, DemandSubject, Named, UnmetDemand};
pub use model::{
    Barred, Coverage, CoverageChoice, DRIVERS_MAX, Demand, Driver, Factor, FactorSubject, Gender, InsuranceBook, InsuranceRequest,
    InsuranceRows, InsuranceWish, Insurer, LenderInterest, Minimum, PayPlan, Rate as InsuranceRate,
};
pub use plan::PayPlanQuote;
pub use premium::{InsuranceInput, quote_all};
pub use quoted::{CoverageLine, InsuranceQuoted};
pub use store::load;

/// Grows when any premium could come out differently. Stored with every quote.
pub const RATING_VERSION: &str = "2.0";

/// Why no premium could be calculated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InsuranceError {
    /// A policy runs six or twelve months.
    #[error("A policy runs 6 or 12 months.")]
    Term,
    /// The same coverage twice, or a limit, value or driver out of range.
    #[error("{0}")]
    BadRequest(&'static str),
    /// The insurer has no rate for a coverage in this state.
    #[error("{insurer} has no rate for {coverage} in {state}.")]
    NoRate {
        /// Whose.
        insurer: String,
        /// Which.
        coverage: Coverage,
        /// Where.
        state: String,
    },
    /// The figure is too large.
    #[error("The premium is too large to calculate.")]
    Overflow,
}
