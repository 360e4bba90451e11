//! Insurance: what an insurer's rate rows say about a car, its driver and the coverages asked for.
//!
//! Premium per coverage = base × factors, in whole numbers, rounded half up to the cent per coverage; then the sum. Rates,
//! factors and state minimums are dated rows. A factor a state bars is not used there. Sex and credit are no factors anywhere.
//! These are quotes for a customer to look at; only a licensed producer or the customer may bind one (DOMAIN B7).

mod model;
mod premium;

pub use model::{
    Coverage, CoverageChoice, Factor, FactorSubject, InsuranceBook, InsuranceRequest, Insurer, LenderInterest, Minimum,
    Rate as InsuranceRate,
};
pub use premium::{CoverageLine, InsuranceError, InsuranceInput, InsuranceQuoted, RATING_VERSION, quote_all};
