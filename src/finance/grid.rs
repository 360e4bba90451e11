//! A payment grid: every program for every term and down payment.

use std::sync::Arc;

use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::error::FinanceError;
use super::program::{Candidates, Program, QuoteRequest};
use super::quote::QuoteKind;
use super::rules::RuleBook;

/// Most terms and most down payments of a grid.
pub const GRID_MAX: (usize, usize) = (12, 8);

/// What one program asks in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridOffer {
    /// The program.
    pub program: Arc<Program>,
    /// Each payment, with tax.
    pub payment: Cents,
    /// Amount financed; lease: adjusted capitalized cost.
    pub amount_financed: Cents,
    /// The annual percentage rate; none for a lease.
    pub apr: Option<Rate>,
}

/// A cell of a payment grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridCell {
    /// Months.
    pub term_months: u16,
    /// Cash at signing.
    pub cash_down: Cents,
    /// Every program that takes it, the lowest payment first; empty when none does.
    pub offers: Vec<GridOffer>,
}

impl GridCell {
    /// The lowest payment.
    pub fn best(&self) -> Option<&GridOffer> {
        self.offers.first()
    }
}

/// Every program for every down payment and term, down payments outside. A cell that no program takes is empty.
pub fn payment_grid(book: &RuleBook, request: &QuoteRequest, terms: &[u16], downs: &[Cents]) -> Result<Vec<GridCell>, FinanceError> {
    if terms.len() > GRID_MAX.0 {
        return Err(FinanceError::TooMany { what: "terms", max: GRID_MAX.0 });
    }
    if downs.len() > GRID_MAX.1 {
        return Err(FinanceError::TooMany { what: "down payments", max: GRID_MAX.1 });
    }
    let mut candidates = Candidates::new(book, request)?;
    let mut cells = Vec::with_capacity(terms.len() * downs.len());
    for &cash_down in downs {
        candidates.input.worksheet.cash_down = cash_down;
        for &term_months in terms {
            candidates.input.worksheet.term_months = term_months;
            let mut offers = Vec::new();
            let mut failed = None;
            let outcome = candidates.payments(|program, input, amount_financed, payment| {
                let apr = match input.worksheet.kind {
                    QuoteKind::Retail => input.contract(amount_financed).and_then(|c| c.figures()).map(|f| Some(f.apr)),
                    QuoteKind::Lease | QuoteKind::Cash => Ok(None),
                };
                match apr {
                    Ok(apr) => offers.push(GridOffer { program: Arc::clone(program), payment, amount_financed, apr }),
                    Err(error) => failed = Some(error),
                }
            });
            match outcome.err().or(failed) {
                None | Some(FinanceError::NothingToFinance { .. }) => {}
                Some(error) => return Err(error),
            }
            offers.sort_by_key(|o| (o.payment, o.apr, o.program.id));
            cells.push(GridCell { term_months, cash_down, offers });
        }
    }
    Ok(cells)
}
