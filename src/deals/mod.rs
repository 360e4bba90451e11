//! Deals: from the first figure to the signed contract, in one conversation.
//!
//! A deal joins a customer, a car and a *structure* (what was put on the table: price, money down, trade-ins, term,
//! products). *Figures* follow from the structure and the rules: taxes, fees, amount financed, payment. *Quotes* are what
//! lender programs and insurers say to these figures; a quote is never changed, only superseded.
//!
//! # Rules
//! - [`states`] is the one place that says what may follow what.
//! - Every change asks for the version it was made on; a stale one is answered with the current deal.
//! - Whatever changes a figure sends a shown or agreed deal back to the worksheet.
//! - Signing takes the car: the unique index `vehicle_hold_active_key` decides between two deals, not this code.
//! - Change, audit event, notices and idempotent answer commit together.
//! - Reads join the rows of car, store, hold and customer by key, so that a screen costs one statement; writes to a vehicle
//!   go through [`crate::inventory`].

pub mod approval;
mod cover;
mod delivery;
pub mod diff;
pub mod graphql;
mod menu;
pub mod model;
pub mod offline;
pub mod plan;
pub mod pricing;
pub mod purse;
pub mod recheck;
mod replay;
mod seat;
mod service;
mod settlement;
pub mod states;
pub mod states_page;
pub mod steps;
mod store;

pub use delivery::{Delivery, Funding, InsuranceCard, LastDay, OdometerBrand, PolicyNumber, ReturnRight, Spot};
pub use menu::{Menu, MenuColumn, MenuItem};
pub use pricing::Desk;
pub use replay::{Replay, ReplayOutcome};
pub use seat::{SeatAnswer, TakeoverReason};
pub use service::{
    AcceptQuote, Answer, AnyQuote, AskApproval, CancelProduct, ChangeDeposit, ChangeStructure, DealError, DealFilter, DealOrder, Deals,
    DecideApproval, DeliverDeal, EndDeal, FeeWaiverDraft, FundDeal, HoldCar, OfflineOperation, OfflineWork, OnCar, OnDeal, OpenDeal,
    ProductDraft, RecordAnswers, Refusal, RefusalCode, Replayed, ReturnDeal, SaveScenario, SeatOutcome, StructureWish, SwapVehicle,
    TakeCounter, TakeDeposit, TakeOver, Target, TradeInDraft, UnwindDeal,
};
pub use settlement::{CarReturned, ReturnCharges, ReturnLine, ReturnLineCode, Settlement};
pub use store::affected::Affected;
pub use store::approvals::{Approval, ApprovalFilter};
pub use store::room::{HistoryEvent, Parts, Room};
