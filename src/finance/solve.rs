//! Solving backwards: the down payment, price or term that leads to a payment, through tax and fees.
//!
//! No formula is inverted. The payment of the whole quote, tax and rounding included, never rises with money down and never
//! falls with the price; so the amount sought is bracketed and closed in on to the cent, with straight lines between the ends
//! for guesses, and the answer is quoted again to prove it. Where rounding skips the target, both neighbours are told.

use std::sync::Arc;

use crate::kernel::money::Cents;

use super::error::FinanceError;
use super::program::{Candidates, Program, ProgramQuote, QuoteRequest};
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

/// The terms that are tried when a term is sought, in months: those rate sheets are written for.
pub const TERMS_OFFERED: [u16; 16] = [12, 24, 36, 39, 42, 48, 54, 60, 63, 66, 72, 75, 78, 84, 96, 120];

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
    for term in TERMS_OFFERED {
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

/// A down payment or a price: each program is solved alone; of those that take what they found, the best for the customer.
fn by_amount(candidates: &mut Candidates<'_>, sought: SolveFor, target: Cents) -> Result<Solution, FinanceError> {
    let term = candidates.input.worksheet.term_months;
    let rows: Vec<&Arc<Program>> = candidates.rows.clone();
    let mut best: Option<(Cents, Cents, Reached, Option<Reached>)> = None;
    for program in rows {
        if !(program.term_min_months..=program.term_max_months).contains(&term) {
            continue;
        }
        candidates.input.program = Some(Arc::clone(program));
        let Some((at, above)) = bracket(&mut candidates.input, sought, target)? else { continue };
        // The structure at most at the target, or, when the program does not take it, the one just above.
        for value in [at, above].into_iter().flatten() {
            set(&mut candidates.input, sought, value);
            let Some(payment) = taken(&candidates.input, program)? else { continue };
            let distance = Cents((payment - target).0.saturating_abs());
            // Less money down and more car for the same payment are better.
            let worse = if sought == SolveFor::Price { -value } else { value };
            let found = reached(&candidates.input, program, payment);
            if best.as_ref().is_none_or(|(d, w, ..)| (distance, worse) < (*d, *w)) {
                let other = if Some(value) == at { above } else { at };
                let neighbour = match other {
                    Some(value) if distance > Cents::ZERO => {
                        set(&mut candidates.input, sought, value);
                        taken(&candidates.input, program)?.map(|payment| reached(&candidates.input, program, payment))
                    }
                    _ => None,
                };
                best = Some((distance, worse, found, neighbour));
            }
            break;
        }
    }
    let (_, _, found, neighbour) = best.ok_or(FinanceError::NoProgramTakes)?;
    candidates.input.worksheet.price = found.price;
    candidates.input.worksheet.cash_down = found.cash_down;
    let quote = candidates.quote_of(&found.program)?;
    let (below, above) = if found.payment <= target { (Some(found), neighbour) } else { (neighbour, Some(found)) };
    answer(quote, Some(target), below, above)
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

/// The payment, when the program takes the deal.
fn taken(input: &QuoteInput, program: &Program) -> Result<Option<Cents>, FinanceError> {
    if !program.takes(input, input.quiet_buildup()?.financed) {
        return Ok(None);
    }
    Ok(input.payment().ok().filter(|payment| program.affords(input, *payment)))
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

/// The two amounts a cent apart between which the payment passes the target: the one at most at it, and the one above it.
type Bracket = (Option<Cents>, Option<Cents>);

fn bracket(input: &mut QuoteInput, sought: SolveFor, target: Cents) -> Result<Option<Bracket>, FinanceError> {
    // Both are searched as an amount that lowers the payment: money down, or what the price is below its highest.
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
    let value = |x: Cents| if sought == SolveFor::Price { highest - x } else { x };
    let least = if sought == SolveFor::Price { highest - Cents(1) } else { highest };
    let mut eval = |x: Cents| payment_at(input, sought, value(x));
    let (mut low, mut high) = (Cents::ZERO, least);
    let (Some(mut at_low), Some(mut at_high)) = (eval(low), eval(high)) else { return Ok(None) };
    if at_low <= target {
        return Ok(Some((Some(value(low)), None)));
    }
    if at_high > target {
        return Ok(Some((None, Some(value(high)))));
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
        let Some(payment) = eval(middle) else { return Ok(None) };
        let moves_low = payment > target;
        stride = if last_moved_low == Some(moves_low) { stride.saturating_mul(4) } else { 16 };
        last_moved_low = Some(moves_low);
        if moves_low { (low, at_low) = (middle, payment) } else { (high, at_high) = (middle, payment) }
    }
    Ok(Some((Some(value(high)), Some(value(low)))))
}
