//! Finance: retail instalment contracts and leases, tax and fees, lender programs, quotes.
//!
//! The engine (`fixed`, `calendar`, `apr`, `retail`, `lease`, `tax`, `quote`, `program`, `grid`, `solve`, `comparison`) is pure: inputs in, result out, no
//! clock, no database, no floating point; every function gives a result or a named [`FinanceError`]. Laws, taxes, programs and
//! fees are dated rows, held in memory as a [`RuleBook`]; the [`Rules`] service swaps it when the database announces a change.

mod approval;
pub mod apr;
mod bisect;
pub mod calendar;
mod comparison;
mod delivery;
pub mod error;
mod exchange;
pub mod fixed;
pub mod graphql;
mod grid;
pub mod lease;
mod product;
mod program;
mod quote;
pub mod retail;
mod rules;
mod seed;
mod solve;
mod store;
pub mod tax;

pub use approval::{ApprovalKind, ApprovalRule, ApprovalUnit};
pub use comparison::{Comparison, compare};
pub use delivery::{CountsFrom, DeliveryLaw, DeliveryRight, MileageFee, RestockingFee, ReturnFees, days_after};
pub use error::FinanceError;
pub use exchange::{ExchangeError, RuleImport, RuleReportLine, RuleTable};
pub use grid::{GRID_MAX, GridCell, GridOffer, payment_grid};
pub use product::{
    CancelMethod, Cancellation, CustomerNeeds, DealNeeds, MENU_COLUMNS, MenuEntry, Product, ProductCase, ProductLaw, ProductPrice,
    ProductRate, ProductRefusal, ProductRows, ProductRule, ProductVehicle, Refund, RefundPayee, VehicleClass, menu,
};
pub use program::{
    AdderSubject, BackendCaps, BookRow, CollateralBasis, GuideValue, JointScore, LateCharge, MarkupCap, MarkupLaw, Outcome, PricedQuote,
    Program, ProgramQuote, QuoteRequest, RateAdder, RateLever, Refusal, RefusalRule, Stipulation, TermMinimum, VehicleFacts, best_quote,
    cash_quote, fitting_terms, quote_all,
};
pub use quote::{
    CoSigner, Credit, DEFERRED_MAX, DeferredDown, ENGINE_VERSION, FEE_WAIVERS_MAX, FeeRule, FeeScope, FeeWaiver, LeaseDetail,
    LinePlacement, ProductLine, Purse, Quote, QuoteInput, QuoteKind, QuoteLine, QuoteLineKind, RateStory, RuleUse, SigningLine, TraceStep,
    TruthInLending, Worksheet,
};
pub use rules::{Jurisdiction, RuleBook, RuleRows, Rules};
pub use seed::seed_rules;
pub use solve::{Reached, Solution, SolveFor, solve};
pub use tax::{ProductKind, SaleCondition, TaxRule, TradeIn};
