//! Payments: deposits that keep a car for a customer, and what was asked of the payment partner about them.
//!
//! # Rules
//! - What is asked of the partner is a row with an id of its own, committed before anything is sent. Every try carries that id,
//!   and the partner executes it once; so nothing is ever charged twice.
//! - The partner is never talked to inside a database transaction.
//! - An answer that did not come, or cannot be read, is not a no: the outcome is *unknown*, everybody sees that, and it is asked
//!   about until it is known ([`Payments::sweep`]). Only an answer that says so is a yes or a no.
//! - A card's number never comes here: the terminal gives a one-time token, which is kept sealed until the outcome is known.
//! - When a hold ends without a sale, money that was only authorized is given free again. When the sale itself ends, money that
//!   was taken is refunded: as agreed when the customer does not buy, always when a delivered car is taken back.
//! - A partner that does not answer is not asked for a while (`breaker`), and people are told so at once.
//!
//! # Terms
//! *Authorize*: the bank sets the money aside. *Capture*: it is taken. *Void*: what was set aside is free again. *Refund*: what was
//! taken is given back.

mod breaker;
mod model;
mod partner;
mod service;
mod store;

pub use model::{Deposit, DepositStatus, RequestKind, RequestState};
pub use partner::{HttpPartner, PartnerSetupError};
pub use service::{DepositRefused, NewDeposit, Owed, Payments};

use std::fmt::Debug;
use std::pin::Pin;

use uuid::Uuid;

use crate::kernel::money::{Cents, Currency};

/// What the partner is asked to do.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Our id of this request; the same in every try.
    pub request_id: Uuid,
    /// What to do.
    pub what: What,
}

/// What to do about money.
#[derive(Clone)]
pub enum What {
    /// Set money aside.
    Authorize {
        /// How much.
        amount: Cents,
        /// In which currency.
        currency: Currency,
        /// The one-time token of the card.
        token: String,
    },
    /// Take what was set aside.
    Capture {
        /// The partner's id of the authorization.
        reference: String,
    },
    /// Give it free again.
    Void {
        /// The partner's id of the authorization.
        reference: String,
    },
    /// Give back what was taken.
    Refund {
        /// The partner's id of the authorization.
        reference: String,
    },
}

// A token does not belong into a log.
impl Debug for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Authorize { .. } => "Authorize",
            Self::Capture { .. } => "Capture",
            Self::Void { .. } => "Void",
            Self::Refund { .. } => "Refund",
        })
    }
}

/// What the partner says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Done; the partner's id of the authorization.
    Done {
        /// Its id.
        reference: String,
    },
    /// Not done, and it will not be.
    Refused {
        /// The partner's code, such as `insufficient_funds`.
        code: String,
    },
    /// The partner never saw this request.
    NeverSeen,
    /// No clear answer; a short word of our own, such as `TIMEOUT`.
    Unknown(String),
}

/// A reply that is on its way.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// The door to whoever moves the money.
pub trait PaymentPort: Debug + Send + Sync {
    /// Asks for something. The same id asked again is executed once.
    fn carry_out<'a>(&'a self, ask: &'a Ask) -> Pending<'a>;
    /// Asks what became of a request.
    fn look_up(&self, request_id: Uuid) -> Pending<'_>;
}
