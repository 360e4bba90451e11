//! Why a figure could not be calculated. Every function of the engine is total: a result or one of these.

use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

/// A named reason, in words a salesperson can read aloud.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FinanceError {
    /// A figure left the range the engine calculates in.
    #[error("A figure is too large to calculate with.")]
    Overflow,
    /// An amount from outside is negative or beyond [`Cents::LIMIT`].
    #[error("{what} must be between 0.00 and {limit}.", limit = Cents::LIMIT)]
    AmountOutOfRange {
        /// Which amount.
        what: &'static str,
    },
    /// Down payment, rebates and trade-in cover everything.
    #[error("There is nothing left to finance: credits {}.", beyond(*surplus))]
    NothingToFinance {
        /// How much more than needed.
        surplus: Cents,
    },
    /// The term is outside what the engine offers.
    #[error("The term must be between {min} and {max} months.")]
    TermOutOfRange {
        /// Shortest.
        min: u16,
        /// Longest.
        max: u16,
    },
    /// The rate is negative or absurd, or no rate solves the equation within 0 % and the limit.
    #[error("The rate must be between 0 and {limit} percent.", limit = Rate::LIMIT)]
    RateOutOfRange,
    /// A date lies outside the calendar the engine works with, or a payment is due before its advance.
    #[error("The dates do not fit: {0}.")]
    BadDates(&'static str),
    /// More payments, trade-ins, products or fees than the engine takes.
    #[error("At most {max} {what}.")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// An annual percentage rate needs at least one advance and one payment.
    #[error("There are no payments.")]
    NoPayments,
    /// The payments do not even return what was advanced.
    #[error("The payments are {shortfall} less than the amount financed.")]
    PaymentsBelowAdvance {
        /// How much is missing.
        shortfall: Cents,
    },
    /// The payment is so small that the balance would grow.
    #[error("The payment does not cover the interest.")]
    PaymentBelowInterest,
    /// A balloon larger than the loan.
    #[error("The balloon is {excess} above the amount financed.")]
    BalloonAboveAmount {
        /// By how much.
        excess: Cents,
    },
    /// A part of the down payment is deferred for longer than the law counts it as one.
    #[error("A deferred down payment must be paid by {latest}, when the second payment is due.")]
    DeferredTooLate {
        /// The last day.
        latest: chrono::NaiveDate,
    },
    /// The lender does not offer this.
    #[error("{lender} does not offer {what}.")]
    NotOffered {
        /// Who.
        lender: String,
        /// What.
        what: &'static str,
    },
    /// A quote that needs a lender's program has none.
    #[error("A financed quote needs a lender's program.")]
    NoProgram,
    /// Solving for something needs a payment to reach.
    #[error("Say which payment to reach.")]
    NoTarget,
    /// No program takes the structure, or any near it.
    #[error("No lender's program takes these figures.")]
    NoProgramTakes,
    /// A lease whose residual is above its adjusted capitalized cost has no depreciation.
    #[error("The residual value is {excess} above the adjusted capitalized cost.")]
    ResidualAboveCost {
        /// By how much.
        excess: Cents,
    },
    /// A lease needs the manufacturer's suggested retail price.
    #[error("The vehicle has no list price (MSRP), which the residual is a percentage of.")]
    MsrpUnknown,
    /// No such tax jurisdiction is on file.
    #[error("The tax jurisdiction {0} is not on file.")]
    UnknownJurisdiction(String),
    /// The jurisdiction has no tax rule for the day.
    #[error("There is no tax rule for {jurisdiction} on {day}.")]
    NoTaxRule {
        /// Its code.
        jurisdiction: String,
        /// The day asked for.
        day: chrono::NaiveDate,
    },
    /// A tax rule says CAPPED without saying the cap.
    #[error("The tax rule for {0} is incomplete.")]
    IncompleteRule(String),
}

fn beyond(surplus: Cents) -> String {
    if surplus == Cents::ZERO {
        "cover the price, taxes and fees".to_owned()
    } else {
        format!("exceed the price, taxes and fees by {surplus}")
    }
}
