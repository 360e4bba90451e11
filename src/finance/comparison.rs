//! Cash, a contract and a lease side by side, for the same customer and car; and the rebate against the special rate.

use super::error::FinanceError;
use super::program::{PricedQuote, ProgramQuote, QuoteRequest, best_quote, cash_quote};
use super::quote::{QuoteKind, Worksheet};
use super::rules::RuleBook;
use crate::kernel::money::Cents;

/// The ways to pay for one structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// All at once.
    pub cash: PricedQuote,
    /// The retail contract with the lowest payment, with every rebate; none when no program takes it.
    pub retail: Option<ProgramQuote>,
    /// A special rate in place of the manufacturer's rebate; none without a rebate or such a program.
    pub special_rate: Option<ProgramQuote>,
    /// The lease with the lowest payment; none when no lessor takes it.
    pub lease: Option<ProgramQuote>,
}

impl Comparison {
    /// Whether the special rate beats the rebate over the whole term; none when there is nothing to compare.
    pub fn special_rate_costs_less(&self) -> Option<bool> {
        let total = |quote: &ProgramQuote| quote.quoted().map(|p| p.quote.total_of_payments + p.quote.due_at_signing);
        Some(total(self.special_rate.as_ref()?)? < total(self.retail.as_ref()?)?)
    }
}

/// Every way to pay for a structure. A term that no lessor offers is replaced by `lease_term_months`.
///
/// # Errors
/// When the structure cannot be priced at all: an unknown jurisdiction, an amount out of range.
pub fn compare(book: &RuleBook, request: &QuoteRequest, retail_term: u16, lease_term: u16) -> Result<Comparison, FinanceError> {
    let cash = cash_quote(book, &request.as_kind(QuoteKind::Cash).fitted())?;
    let with = |kind: QuoteKind, term_months: u16, manufacturer_rebate: Cents| QuoteRequest {
        worksheet: Worksheet { kind, manufacturer_rebate, term_months, ..request.worksheet.clone() },
        ..request.clone()
    };
    let with = |kind, term, rebate| with(kind, term, rebate).fitted();
    let rebate = request.worksheet.manufacturer_rebate;
    let best = |kind, term, rebate| match best_quote(book, &with(kind, term, rebate)) {
        Ok(best) => Ok(best),
        // Paid for already.
        Err(FinanceError::NothingToFinance { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    let retail = best(QuoteKind::Retail, retail_term, rebate)?;
    let special_rate = if rebate > Cents::ZERO {
        best(QuoteKind::Retail, retail_term, Cents::ZERO)?.filter(|quote| quote.program.subvented)
    } else {
        None
    };
    let lease = best(QuoteKind::Lease, lease_term, rebate)?;
    Ok(Comparison { cash, retail, special_rate, lease })
}
