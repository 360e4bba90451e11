//! Solving backwards: the down payment, price or term that leads to a payment, through tax and fees.
//!
//! No formula is inverted. The payment of the whole quote, tax and rounding included, never rises with money down and never
//! falls with the price; so the amount sought is bracketed and closed in on to the cent, with straight lines between the ends
//! for guesses, and the answer is quoted again to prove it. Where rounding skips the target, both neighbours are told.

use std::sync::Arc;

use crate::kernel::money::Cents;

use super::bisect::closed_in;
use super::error::FinanceError;
use super::program::{Candidates, Program, ProgramQuote, QuoteRequest, Standing};
use super::quote::{QuoteInput, QuoteKind};
use super::rules::RuleBook;

crate::text_enum! {
    /// What is to be found.
    pub enum SolveFor {
        /// The payment of the structure as it is.
        Payment = "PAYMENT",
        /// Cash at signing.
        DownPayment = "DOWN_PAYMENT",
        /// The price of the vehicle.
        Price = "PRICE",
        /// The shortest term that is offered.
        Term = "TERM",
    }
}

/// The terms that are tried when a term is sought, in months: every quarter of a year. A rate sheet is for all months of a range.
fn terms_offered() -> impl Iterator<Item = u16> {
    (12..=120).step_by(3)
}

/// A structure and its payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Price.
    pub price: Cents,
    /// Cash at signing.
    pub cash_down: Cents,
    /// Months.
    pub term_months: u16,
    /// Each payment, with tax.
    pub payment: Cents,
    /// With which program.
    pub program: Arc<Program>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// The structure found, quoted again in full.
    pub quote: ProgramQuote,
    /// The same in short.
    pub found: Reached,
    /// Its payment is the one asked for, to the cent.
    pub exact: bool,
    /// Where it is not: the nearest structure whose payment is below the one asked for.
    pub below: Option<Reached>,
    /// Where it is not: the nearest one above.
    pub above: Option<Reached>,
}

/// Finds what is asked for. `target` is the payment to reach; it is not looked at when the payment itself is sought.
///
/// # Errors
/// When the request cannot be priced at all, or no program takes any structure that comes near the target.
pub fn solve(book: &RuleBook, request: &QuoteRequest, sought: SolveFor, target: Cents) -> Result<Solution, FinanceError> {
    if request.worksheet.kind == QuoteKind::Cash {
        return Err(FinanceError::NoProgram);
    }
    if sought != SolveFor::Payment && target == Cents::ZERO {
        return Err(FinanceError::NoTarget);
    }
    if sought != SolveFor::Payment && !(Cents(1)..=Cents::LIMIT).contains(&target) {
        return Err(FinanceError::AmountOutOfRange { what: "The payment" });
    }
    let mut candidates = Candidates::new(book, request)?;
    match sought {
        SolveFor::Payment => {
            let quote = candidates.best_quote()?.ok_or(FinanceError::NoProgramTakes)?;
            answer(quote, None, None, None)
        }
        SolveFor::Term => by_term(&mut candidates, target),
        SolveFor::DownPayment | SolveFor::Price => by_amount(&mut candidates, sought, target),
    }
}

/// The shortest offered term whose payment is at most the target; with none so long, the longest.
fn by_term(candidates: &mut Candidates<'_>, target: Cents) -> Result<Solution, FinanceError> {
    let mut above = None;
    for term in terms_offered() {
        candidates.input.worksheet.term_months = term;
        let Some((program, payment)) = candidates.best()? else { continue };
        let reached = reached(&candidates.input, program, payment);
        if payment <= target {
            let quote = candidates.best_quote()?.ok_or(FinanceError::NoProgramTakes)?;
            return answer(quote, Some(target), Some(reached), above);
        }
        above = Some(reached);
    }
    let longest = above.ok_or(FinanceError::NoProgramTakes)?;
    candidates.input.worksheet.term_months = longest.term_months;
    let quote = candidates.best_quote()?.ok_or(FinanceError::NoProgramTakes)?;
    answer(quote, Some(target), None, Some(longest))
}

/// The least money down, or the highest price, for which the payment of the best program is at most the target. Each program is
/// solved alone; a program may ask for more money down than the target does, and then its payment lies below it.
fn by_amount(candidates: &mut Candidates<'_>, sought: SolveFor, target: Cents) -> Result<Solution, FinanceError> {
    let term = candidates.input.worksheet.term_months;
    let (mut best, mut above): (Option<Cents>, Option<(Cents, Cents)>) = (None, None);
    // Less money down and more car for the same payment are better.
    let better = |a: Cents, b: Cents| if sought == SolveFor::Price { a > b } else { a < b };
    for program in candidates.rows.clone() {
        if !(program.term_min_months..=program.term_max_months).contains(&term) {
            continue;
        }
        candidates.input.program = Some(Arc::clone(program));
        let Some((value, payment)) = within(&mut candidates.input, program, sought, target)? else { continue };
        if payment > target {
            // This lender's lowest payment.
            let lower = |(lowest, at): (Cents, Cents)| payment < lowest || payment == lowest && better(value, at);
            above = above.filter(|known| !lower(*known)).or(Some((payment, value)));
        } else {
            best = best.filter(|known| !better(value, *known)).or(Some(value));
        }
    }
    let value = best.or(above.map(|(_, value)| value)).ok_or(FinanceError::NoProgramTakes)?;
    let mut at = |value: Cents| -> Result<Option<Reached>, FinanceError> {
        set(&mut candidates.input, sought, value);
        Ok(candidates.best()?.map(|(program, payment)| reached(&candidates.input, program, payment)))
    };
    let found = at(value)?.ok_or(FinanceError::NoProgramTakes)?;
    let dearer = value + if sought == SolveFor::Price { Cents(1) } else { Cents(-1) };
    let neighbour = match best {
        Some(_) if found.payment < target && (Cents::ZERO..=Cents::LIMIT).contains(&dearer) => at(dearer)?,
        _ => None,
    };
    set(&mut candidates.input, sought, value);
    let quote = candidates.quote_of(&found.program)?;
    let (below, above) = if found.payment <= target { (Some(found), neighbour) } else { (None, Some(found)) };
    answer(quote, Some(target), below, above)
}

/// The structure nearest to the target that one program takes, and its payment: the dearest one at most at the target, or, where
/// the program takes none so cheap, its cheapest.
fn within(input: &mut QuoteInput, program: &Program, sought: SolveFor, target: Cents) -> Result<Option<(Cents, Cents)>, FinanceError> {
    let axis = Axis::of(input, sought, target)?;
    let Some((reaches, most)) = axis.bracket(input, target) else { return Ok(None) };
    let mut standing = |x: Cents| -> Standing {
        set(input, sought, axis.value(x));
        program.standing(input)
    };
    let found = match standing(reaches) {
        Standing::Taken(_) => Some(reaches),
        // More money down, until the lender takes it.
        Standing::TooMuch => closed_in(reaches, most, |x| standing(x) != Standing::TooMuch).map(|(_, first)| first),
        // Less, until enough is financed: then the payment lies above the target.
        Standing::TooLittle => match standing(Cents::ZERO) {
            Standing::TooLittle => None,
            _ => closed_in(Cents::ZERO, reaches, |x| standing(x) == Standing::TooLittle).map(|(last, _)| last),
        },
        Standing::Never => None,
    };
    let Some(found) = found else { return Ok(None) };
    match standing(found) {
        Standing::Taken(payment) => Ok(Some((axis.value(found), payment))),
        _ => Ok(None),
    }
}

/// The whole quote proves the figure: the answer says what it says.
fn answer(quote: ProgramQuote, target: Option<Cents>, below: Option<Reached>, above: Option<Reached>) -> Result<Solution, FinanceError> {
    let priced = quote.quoted().ok_or(FinanceError::NoProgramTakes)?;
    let found = reached(&priced.input, &quote.program, priced.quote.payment);
    let exact = target.is_none_or(|target| found.payment == target);
    let (below, above) = if exact { (None, None) } else { (below, above) };
    Ok(Solution { quote, found, exact, below, above })
}

fn reached(input: &QuoteInput, program: &Arc<Program>, payment: Cents) -> Reached {
    let w = &input.worksheet;
    Reached { price: w.price, cash_down: w.cash_down, term_months: w.term_months, payment, program: Arc::clone(program) }
}

fn set(input: &mut QuoteInput, sought: SolveFor, value: Cents) {
    if sought == SolveFor::Price { input.worksheet.price = value } else { input.worksheet.cash_down = value }
}

/// The payment of a structure; nothing where there is nothing left to finance. None when it cannot be calculated at all.
fn payment_at(input: &mut QuoteInput, sought: SolveFor, value: Cents) -> Option<Cents> {
    set(input, sought, value);
    match input.payment() {
        Ok(payment) => Some(payment),
        // So much is paid at once that nothing is left: below any target.
        Err(FinanceError::NothingToFinance { .. } | FinanceError::ResidualAboveCost { .. } | FinanceError::BalloonAboveAmount { .. }) => {
            Some(Cents(-1))
        }
        Err(_) => None,
    }
}

/// What is changed, counted as an amount that lowers the payment: money down, or what the price is below its highest.
#[derive(Debug, Clone, Copy)]
struct Axis {
    sought: SolveFor,
    /// The highest price; the most money down.
    highest: Cents,
}

impl Axis {
    /// The highest price is one whose payment is above the target, where there is one.
    fn of(input: &mut QuoteInput, sought: SolveFor, target: Cents) -> Result<Self, FinanceError> {
        let highest = if sought == SolveFor::Price {
            let mut high = Cents(input.worksheet.price.0.clamp(10_000_00, Cents::LIMIT.0));
            while high < Cents::LIMIT && payment_at(input, sought, high).is_some_and(|p| p <= target) {
                high = Cents(high.0.saturating_mul(2)).min(Cents::LIMIT);
            }
            high
        } else {
            // With this much down nothing is left to finance.
            input.worksheet.cash_down = Cents::ZERO;
            input.quiet_buildup()?.financed.max(Cents(1)).min(Cents::LIMIT)
        };
        Ok(Self { sought, highest })
    }

    fn value(self, x: Cents) -> Cents {
        if self.sought == SolveFor::Price { self.highest - x } else { x }
    }

    /// The least amount with which the payment is at most the target, and the most there is. The most twice where it never is; none
    /// where a payment can't be calculated.
    fn bracket(self, input: &mut QuoteInput, target: Cents) -> Option<(Cents, Cents)> {
        let most = if self.sought == SolveFor::Price { self.highest - Cents(1) } else { self.highest };
        let mut eval = |x: Cents| payment_at(input, self.sought, self.value(x));
        let (mut low, mut high) = (Cents::ZERO, most);
        let (mut at_low, mut at_high) = (eval(low)?, eval(high)?);
        if at_low <= target {
            return Some((low, most));
        }
        if at_high > target {
            return Some((most, most));
        }
        let mut stride = 16_i64;
        let mut last_moved_low = None;
        for round in 0_u32.. {
            let width = high.0 - low.0;
            if width <= 1 {
                break;
            }
            let middle = if round % 4 == 3 {
                low.0 + width / 2
            } else {
                // Where a straight line between the ends meets the target, pushed on while the same end keeps moving.
                let (fall, need) = (i128::from(at_low.0 - at_high.0), i128::from(at_low.0 - target.0));
                let along = i64::try_from(i128::from(width) * need / fall.max(1)).unwrap_or(width / 2);
                let push = match last_moved_low {
                    Some(true) => stride,
                    Some(false) => -stride,
                    None => 0,
                };
                low.0.saturating_add(along).saturating_add(push)
            };
            let middle = Cents(middle.clamp(low.0 + 1, high.0 - 1));
            let payment = eval(middle)?;
            let moves_low = payment > target;
            stride = if last_moved_low == Some(moves_low) { stride.saturating_mul(4) } else { 16 };
            last_moved_low = Some(moves_low);
            if moves_low { (low, at_low) = (middle, payment) } else { (high, at_high) = (middle, payment) }
        }
        Some((high, most))
    }
}
