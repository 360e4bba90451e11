//! What a customer gets back for a product that is cancelled.
//!
//! Pro rata: what is left of the time or of the miles, whichever is less, of the price (a service contract's usual words:
//! "the greater of the days in force or the miles driven"). Rule of 78: t(t+1) / n(n+1) of the price for t of n months left,
//! only where the law allows it. Then claims and the fee come off, never below zero. Within the free look everything comes
//! back as long as nothing was claimed. Where the product was financed the lender is paid, until the contract is over. A GAP waiver
//! is over with its contract: there is nothing left to waive.

use chrono::NaiveDate;

use super::{CancelMethod, Product, ProductLaw};
use crate::finance::tax::ProductKind;
use crate::kernel::money::Cents;
use crate::kernel::rounding::div_half_up;

crate::text_enum! {
    /// Who gets the money.
    pub enum RefundPayee {
        /// The customer.
        Customer = "CUSTOMER",
        /// The lender, against the balance.
        Lender = "LENDER",
    }
}

/// What is cancelled, when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancellation {
    /// What the customer paid.
    pub price: Cents,
    /// The first day of cover.
    pub from: NaiveDate,
    /// The day of cancellation.
    pub on: NaiveDate,
    /// Miles driven since, when known.
    pub miles_driven: Option<u32>,
    /// What was paid out in claims.
    pub claims: Cents,
    /// For how many months its price is owed to a lender, from the first day; none where it was paid at once.
    pub owed_months: Option<u16>,
}

/// A refund, step by step. Refund = unearned − claims − fee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The method that was used.
    pub method: CancelMethod,
    /// Within the days in which it can be given back in full.
    pub free_look: bool,
    /// The part of the price that was not used up.
    pub unearned: Cents,
    /// Taken off for claims.
    pub claims: Cents,
    /// Taken off for the cancellation.
    pub fee: Cents,
    /// What comes back.
    pub refund: Cents,
    /// Who gets it.
    pub payee: RefundPayee,
    /// How it came about, in words.
    pub words: String,
}

impl Product {
    /// Days in which it can be given back in full: the product's own, at least the law's.
    pub fn free_look(&self, law: Option<&ProductLaw>) -> u16 {
        self.free_look_days.max(law.and_then(|law| law.free_look_days).unwrap_or(0))
    }

    /// What a cancellation costs: the product's fee, at most the law's.
    pub fn cancel_fee(&self, law: Option<&ProductLaw>) -> Cents {
        law.and_then(|law| law.cancel_fee_cap).map_or(self.cancel_fee, |cap| self.cancel_fee.min(cap))
    }

    /// The method that may be used.
    pub fn cancel_method(&self, law: Option<&ProductLaw>) -> CancelMethod {
        match self.cancel_method {
            CancelMethod::RuleOf78 if !law.is_some_and(|law| law.rule_of_78_allowed) => CancelMethod::ProRata,
            method => method,
        }
    }

    /// What comes back. Total: whatever goes in, the refund lies between zero and the price.
    pub fn refund(&self, law: Option<&ProductLaw>, cancel: &Cancellation) -> Refund {
        let price = cancel.price.at_least_zero();
        let days = cancel.on.signed_duration_since(cancel.from).num_days().max(0);
        let claims = cancel.claims.at_least_zero();
        let owed = cancel.owed_months.and_then(|months| end(cancel.from, months)).is_some_and(|end| cancel.on <= end);
        let payee = if owed { RefundPayee::Lender } else { RefundPayee::Customer };
        let method = self.cancel_method(law);
        let free_look = days <= i64::from(self.free_look(law)) && claims == Cents::ZERO;
        if free_look {
            let words = format!("Given back after {days} days, within {} days: everything.", self.free_look(law));
            return Refund { method, free_look, unearned: price, claims: Cents::ZERO, fee: Cents::ZERO, refund: price, payee, words };
        }
        let (unearned, how) = match method {
            CancelMethod::None => (Cents::ZERO, "It cannot be given back after the free look.".to_owned()),
            CancelMethod::RuleOf78 => self.rule_of_78(price, cancel),
            CancelMethod::ProRata => self.pro_rata(price, cancel, days),
        };
        let claimed = claims.min(unearned);
        let fee = self.cancel_fee(law).at_least_zero().min(unearned - claimed);
        let refund = unearned - claimed - fee;
        Refund { method, free_look, unearned, claims: claimed, fee, refund, payee, words: how }
    }

    /// How long it covers.
    fn months_of_cover(&self, cancel: &Cancellation) -> Option<u16> {
        match cancel.owed_months.filter(|_| self.kind == ProductKind::Gap) {
            Some(owed) => Some(self.term_months.map_or(owed, |own| own.min(owed))),
            None => self.term_months,
        }
    }

    fn pro_rata(&self, price: Cents, cancel: &Cancellation, days: i64) -> (Cents, String) {
        let term_days = self
            .months_of_cover(cancel)
            .and_then(|months| Some(end(cancel.from, months)?.signed_duration_since(cancel.from).num_days().max(1)));
        let by_time = term_days.map(|term| (left(price, term - days.min(term), term), format!("{days} of {term} days used")));
        let miles = self.term_miles.zip(cancel.miles_driven).filter(|(term, _)| *term > 0);
        let by_miles = miles.map(|(term, driven)| {
            let (term, driven) = (i64::from(term), i64::from(driven));
            (left(price, term - driven.min(term), term), format!("{driven} of {term} miles used"))
        });
        match (by_time, by_miles) {
            (Some(time), Some(miles)) => {
                if miles.0 < time.0 {
                    miles
                } else {
                    time
                }
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => (Cents::ZERO, "It has no term.".to_owned()),
        }
    }

    fn rule_of_78(&self, price: Cents, cancel: &Cancellation) -> (Cents, String) {
        let cover = self.months_of_cover(cancel).unwrap_or(0);
        let months = i64::from(cover);
        // Begun months count as used.
        let used = (0..cover).take_while(|used| end(cancel.from, *used).is_some_and(|begins| begins < cancel.on));
        let left_months = months - i64::try_from(used.count()).unwrap_or(months);
        let (t, n) = (i128::from(left_months), i128::from(months));
        let unearned =
            div_half_up(i128::from(price.0) * t * (t + 1), n * (n + 1)).and_then(|c| i64::try_from(c).ok()).map_or(Cents::ZERO, Cents);
        (unearned, format!("{left_months} of {months} months left, by the rule of 78"))
    }
}

/// So many months later.
fn end(from: NaiveDate, months: u16) -> Option<NaiveDate> {
    from.checked_add_months(chrono::Months::new(u32::from(months)))
}

/// The share of a price that is left, rounded half up to the cent.
fn left(price: Cents, rest: i64, of: i64) -> Cents {
    div_half_up(i128::from(price.0) * i128::from(rest.max(0)), i128::from(of))
        .and_then(|c| i64::try_from(c).ok())
        .map_or(Cents::ZERO, Cents)
}
