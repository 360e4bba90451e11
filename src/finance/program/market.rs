//! What every lender program of a group says to a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finance::error::FinanceError;
use crate::finance::quote::{Quote, QuoteInput, QuoteKind};
use crate::finance::retail::Calendar;
use crate::finance::rules::RuleBook;
use crate::kernel::id::LenderId;
use crate::kernel::money::Cents;

use super::{Program, QuoteRequest, Refusal, RefusalRule};

/// A quote with what it was calculated from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedQuote {
    /// For `finance_quote.inputs`.
    pub input: QuoteInput,
    /// For `finance_quote.result`.
    pub quote: Quote,
}

/// What one program says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It takes the deal.
    Quoted(Box<PricedQuote>),
    /// It does not; at least one reason.
    Refused(Vec<Refusal>),
}

/// A program and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramQuote {
    /// The program.
    pub program: Arc<Program>,
    /// Its answer.
    pub outcome: Outcome,
}

impl ProgramQuote {
    /// The quote, when there is one.
    pub fn quoted(&self) -> Option<&PricedQuote> {
        match &self.outcome {
            Outcome::Quoted(priced) => Some(priced),
            Outcome::Refused(_) => None,
        }
    }

    /// The reasons, when it refused.
    pub fn refusals(&self) -> &[Refusal] {
        match &self.outcome {
            Outcome::Quoted(_) => &[],
            Outcome::Refused(reasons) => reasons,
        }
    }
}

/// The cash quote, which is also the base of any other: price, taxes, fees, products, credits.
pub fn cash_quote(book: &RuleBook, request: &QuoteRequest) -> Result<PricedQuote, FinanceError> {
    let input = request.as_kind(QuoteKind::Cash).input(book, None)?;
    let quote = input.quote()?;
    Ok(PricedQuote { input, quote })
}

/// The rows of the group's rate sheets for a vehicle, tier and state, and what they would take: for many questions about one
/// worksheet.
pub(in crate::finance) struct Candidates<'b> {
    pub(in crate::finance) rows: Vec<&'b Arc<Program>>,
    /// The inputs, with the last program that was asked.
    pub(in crate::finance) input: QuoteInput,
    calendar: Calendar,
}

impl<'b> Candidates<'b> {
    pub(in crate::finance) fn new(book: &'b RuleBook, request: &QuoteRequest) -> Result<Self, FinanceError> {
        let input = request.input(book, None)?;
        let rows = book.programs(request.group, request.on).filter(|p| p.is_sheet_of(request, &input.state)).collect();
        Ok(Self { rows, input, calendar: Calendar::default() })
    }

    /// The payment each program that takes the present worksheet asks for.
    pub(in crate::finance) fn payments(
        &mut self,
        mut each: impl FnMut(&'b Arc<Program>, &QuoteInput, Cents, Cents),
    ) -> Result<(), FinanceError> {
        let (kind, term) = (self.input.worksheet.kind, self.input.worksheet.term_months);
        self.input.program = None;
        // Retail programs share one build-up; a lease's has the program's acquisition fee in it.
        let shared = self.input.quiet_buildup()?.financed;
        if shared <= Cents::ZERO {
            return Err(FinanceError::NothingToFinance { surplus: -shared });
        }
        for program in &self.rows {
            if !(program.term_min_months..=program.term_max_months).contains(&term) {
                continue;
            }
            self.input.program = Some(Arc::clone(program));
            let figures = if kind == QuoteKind::Lease {
                // The acquisition fee and the tax that is capitalized count towards the limits.
                self.input.financed_and_payment().ok().filter(|(financed, _)| program.takes(&self.input, *financed))
            } else if program.takes(&self.input, shared) {
                self.input.retail_payment(shared, &mut self.calendar).ok().map(|payment| (shared, payment))
            } else {
                None
            };
            if let Some((financed, payment)) = figures
                && program.affords(&self.input, payment)
            {
                each(program, &self.input, financed, payment);
            }
        }
        Ok(())
    }

    /// The program with the lowest payment for the present worksheet, and that payment; of equals the lower rate.
    pub(in crate::finance) fn best(&mut self) -> Result<Option<(&'b Arc<Program>, Cents)>, FinanceError> {
        let mut best: Option<(&Arc<Program>, Cents)> = None;
        self.payments(|program, _, _, payment| {
            let rank = |(p, payment): &(&'b Arc<Program>, Cents)| (*payment, p.buy_rate, p.acquisition_fee, p.id);
            let next = (program, payment);
            if best.as_ref().is_none_or(|b| rank(&next) < rank(b)) {
                best = Some(next);
            }
        })?;
        Ok(best)
    }

    /// The whole quote of the best program.
    pub(in crate::finance) fn best_quote(&mut self) -> Result<Option<ProgramQuote>, FinanceError> {
        let Some((program, _)) = self.best()? else { return Ok(None) };
        self.quote_of(program).map(Some)
    }

    /// The whole quote of one program for the present worksheet.
    pub(in crate::finance) fn quote_of(&self, program: &Arc<Program>) -> Result<ProgramQuote, FinanceError> {
        let input = QuoteInput { program: Some(Arc::clone(program)), ..self.input.clone() };
        let quote = input.quote()?;
        Ok(ProgramQuote { program: Arc::clone(program), outcome: Outcome::Quoted(Box::new(PricedQuote { input, quote })) })
    }
}

/// The quote with the lowest payment, calculated alone; none for cash, and when no program takes the request.
pub fn best_quote(book: &RuleBook, request: &QuoteRequest) -> Result<Option<ProgramQuote>, FinanceError> {
    if request.worksheet.kind == QuoteKind::Cash {
        return Ok(None);
    }
    Candidates::new(book, request)?.best_quote()
}

/// For each lender that takes the request for another term of whole years, all else as it stands: the nearest such term; of two
/// equally near ones the shorter. Empty for cash.
pub fn fitting_terms(book: &RuleBook, request: &QuoteRequest) -> BTreeMap<LenderId, u16> {
    let mut fitting = BTreeMap::new();
    if request.worksheet.kind == QuoteKind::Cash {
        return fitting;
    }
    let Ok(mut candidates) = Candidates::new(book, request) else { return fitting };
    let longest = candidates.rows.iter().map(|program| program.term_max_months).max().unwrap_or_default();
    let asked = request.worksheet.term_months;
    let mut terms: Vec<u16> = (12..=longest).step_by(12).filter(|term| *term != asked).collect();
    terms.sort_by_key(|term| (term.abs_diff(asked), *term));
    for term in terms {
        candidates.input.worksheet.term_months = term;
        // A term that can't be calculated fits nobody; the next may.
        candidates.payments(|program, _, _, _| _ = fitting.entry(program.lender_id).or_insert(term)).ok();
    }
    fitting
}

/// What every program of the group says to a request: quotes first, the lowest payment on top; then the programs for this
/// vehicle, tier and term that refuse it; then, for each lender that has no such program, the closest one.
///
/// # Errors
/// When the request itself cannot be priced (unknown jurisdiction, nothing to finance, an amount out of range).
pub fn quote_all(book: &RuleBook, request: &QuoteRequest) -> Result<Vec<ProgramQuote>, FinanceError> {
    let kind = request.worksheet.kind;
    if kind == QuoteKind::Cash {
        return Ok(Vec::new());
    }
    let base = request.input(book, None)?;
    let buildup = base.buildup()?;
    let shared = buildup.financed;
    if shared <= Cents::ZERO {
        return Err(FinanceError::NothingToFinance { surplus: -shared });
    }
    let with = |program: &Arc<Program>| QuoteInput { program: Some(Arc::clone(program)), ..base.clone() };
    // What the limits of a program are measured on. Contracts share one amount; in a lease's are the program's acquisition fee and the
    // tax that is capitalized. Where a lease has no payment, the sum without that tax.
    let measured = |input: &QuoteInput, figures: Option<(Cents, Cents)>| match figures {
        Some((financed, _)) => financed,
        None if kind == QuoteKind::Lease => input.quiet_buildup().map_or(shared, |b| b.financed),
        None => shared,
    };
    let (mut quoted, mut refused, mut other_rows) = (Vec::new(), Vec::new(), Vec::new());
    for program in book.programs(request.group, request.on).filter(|p| p.kind == kind) {
        if !program.is_row_of(request, &base.state) {
            other_rows.push(program);
            continue;
        }
        let input = with(program);
        let figures = input.financed_and_payment().ok();
        let financed = measured(&input, figures);
        let mut refusals = program.refusals(&input, &request.credit_tier, financed);
        // Also where something else stands against it already: who clears that should not run into the next.
        if let Some((_, payment)) = figures {
            refusals.extend(program.income_refusals(&input, financed, payment));
        }
        let outcome = if refusals.is_empty() {
            // A lease's build-up has the program's acquisition fee in it.
            let buildup = if kind == QuoteKind::Lease { input.buildup()? } else { buildup.clone() };
            match input.quote_from(buildup) {
                Ok(quote) => Outcome::Quoted(Box::new(PricedQuote { input, quote })),
                Err(error) => Outcome::Refused(vec![Refusal {
                    rule: RefusalRule::Figures,
                    message: error.to_string(),
                    change: None,
                    change_amount: None,
                }]),
            }
        } else {
            Outcome::Refused(refusals)
        };
        let answer = ProgramQuote { program: Arc::clone(program), outcome };
        if answer.quoted().is_some() { quoted.push(answer) } else { refused.push(answer) }
    }
    quoted.sort_by(|a, b| {
        let key = |q: &ProgramQuote| q.quoted().map(|p| (p.quote.payment, p.quote.finance_charge));
        key(a).cmp(&key(b)).then_with(|| (&a.program.lender_code, &a.program.code).cmp(&(&b.program.lender_code, &b.program.code)))
    });
    refused.sort_by(|a, b| (&a.program.lender_code, &a.program.code).cmp(&(&b.program.lender_code, &b.program.code)));
    quoted.append(&mut refused);
    // Words are made only for lenders that have not answered yet: the row of their sheet that is closest.
    other_rows.retain(|p| !quoted.iter().any(|q| q.program.lender_id == p.lender_id));
    let mut closest: Vec<((usize, u16, u16), ProgramQuote)> = Vec::new();
    for program in other_rows {
        let input = with(program);
        let figures = if kind == QuoteKind::Lease { input.financed_and_payment().ok() } else { None };
        let refusals = program.refusals(&input, &request.credit_tier, measured(&input, figures));
        let (score, months) = program.distance(&request.worksheet);
        let away = (refusals.len(), score, months);
        let answer = ProgramQuote { program: Arc::clone(program), outcome: Outcome::Refused(refusals) };
        match closest.iter_mut().find(|(_, known)| known.program.lender_id == program.lender_id) {
            Some((nearest, _)) if *nearest <= away => {}
            Some(known) => *known = (away, answer),
            None => closest.push((away, answer)),
        }
    }
    quoted.extend(closest.into_iter().map(|(_, answer)| answer));
    Ok(quoted)
}
