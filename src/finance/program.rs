//! Lender programs: who qualifies, at what price. Every refusal names its rule and the smallest change that clears it.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate};

use crate::kernel::id::{GroupId, LenderId, ProgramId, StoreId};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::rate::Rate;
use crate::kernel::rounding::div_floor;

use super::error::FinanceError;
use super::lease::MoneyFactor;
use super::quote::{LinePlacement, ProductLine, Quote, QuoteInput, QuoteKind};
use super::retail::{AccrualBasis, RetailTerms, reserve_spread};
use super::rules::RuleBook;
use super::tax::{SaleCondition, TradeIn};

crate::text_enum! {
    /// What a loan-to-value ratio is measured against.
    pub enum CollateralBasis {
        /// The manufacturer's invoice.
        Invoice = "INVOICE",
        /// The list price.
        Msrp = "MSRP",
        /// The selling price.
        Price = "PRICE",
    }
}
crate::text_enum! {
    /// Which rule of a program refused.
    pub enum RefusalRule {
        /// The buyer's state.
        State = "STATE",
        /// New, used or certified.
        Condition = "CONDITION",
        /// The vehicle's age.
        Age = "AGE",
        /// The vehicle's mileage.
        Mileage = "MILEAGE",
        /// The customer's credit tier.
        Tier = "TIER",
        /// The term.
        Term = "TERM",
        /// The least amount financed.
        MinFinanced = "MIN_FINANCED",
        /// The largest amount financed.
        MaxFinanced = "MAX_FINANCED",
        /// Loan to value.
        LoanToValue = "LOAN_TO_VALUE",
        /// The value the ratio needs is not known.
        Collateral = "COLLATERAL",
        /// The markup on the buy rate.
        Markup = "MARKUP",
        /// The figures could not be calculated.
        Figures = "FIGURES",
    }
}

/// A row of `lender_program` with its lender.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Program {
    /// The row.
    pub id: ProgramId,
    /// Whose.
    pub lender_id: LenderId,
    /// The lender's short code.
    pub lender_code: String,
    /// The lender's name.
    pub lender_name: String,
    /// How the lender accrues interest.
    pub accrual: AccrualBasis,
    /// Short code.
    pub code: String,
    /// Name.
    pub name: String,
    /// `RETAIL` or `LEASE`.
    pub kind: QuoteKind,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Two-letter states; empty: every state.
    pub states: Vec<String>,
    /// Which vehicles.
    pub conditions: Vec<SaleCondition>,
    /// Oldest vehicle, in model years.
    pub max_age_years: Option<u16>,
    /// Most miles.
    pub max_odometer_miles: Option<u32>,
    /// `A+`, `A` …
    pub credit_tier: String,
    /// Lowest score of the tier.
    pub score_min: Option<u16>,
    /// Highest score of the tier.
    pub score_max: Option<u16>,
    /// Shortest term.
    pub term_min_months: u16,
    /// Longest term.
    pub term_max_months: u16,
    /// Least amount financed.
    pub min_financed: Cents,
    /// Largest amount financed.
    pub max_financed: Cents,
    /// Most the amount financed may be of the collateral's value.
    pub max_ltv: Rate,
    /// What that value is.
    pub collateral_basis: CollateralBasis,
    /// Retail: the lender's rate.
    pub buy_rate: Option<Rate>,
    /// Most the dealer may add.
    pub max_markup: Rate,
    /// Paid to the dealer per contract.
    pub flat_reserve: Cents,
    /// The dealer's share of the markup's present value.
    pub reserve_split: Rate,
    /// Lease.
    pub money_factor: Option<MoneyFactor>,
    /// Lease: at 12,000 miles a year.
    pub residual_percent: Option<Rate>,
    /// Lease: per 3,000 miles a year more or less.
    pub residual_step: Option<Rate>,
    /// Lease: capitalized. Retail: an origination fee, a prepaid finance charge.
    pub acquisition_fee: Cents,
    /// Lease: when the car is given back.
    pub disposition_fee: Cents,
    /// Lease: per mile beyond.
    pub excess_mile: Option<Cents>,
    /// Where it comes from.
    pub source: String,
    /// Whether a person checked it.
    pub verified: bool,
}

impl Program {
    /// The dealer's reserve: the flat amount, and the share of the markup's present value at the buy rate.
    pub(super) fn reserve(&self, terms: &RetailTerms, payment: Cents) -> Result<Cents, FinanceError> {
        let Some(buy) = self.buy_rate else { return Ok(self.flat_reserve) };
        if terms.rate <= buy {
            return Ok(self.flat_reserve);
        }
        let spread = reserve_spread(terms.amount_financed + terms.prepaid_finance_charge, buy, payment, terms.term_months)?;
        let share = self.reserve_split.of(spread.at_least_zero()).ok_or(FinanceError::Overflow)?;
        Ok(self.flat_reserve + share)
    }
}

/// The vehicle, as far as lenders and tax look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VehicleFacts {
    /// New, used, certified.
    pub condition: SaleCondition,
    /// Model year.
    pub model_year: i32,
    /// What the odometer shows.
    pub odometer_miles: Option<u32>,
    /// List price.
    pub msrp: Option<Cents>,
    /// The manufacturer's invoice.
    pub invoice: Option<Cents>,
}

/// What is asked: a structure, a customer's tier and place, and the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteRequest {
    /// Whose lenders and products.
    pub group: GroupId,
    /// Whose fees.
    pub store: StoreId,
    /// How the customer pays.
    pub kind: QuoteKind,
    /// The day of signing.
    pub on: NaiveDate,
    /// Of every amount.
    pub currency: Currency,
    /// The buyer's tax jurisdiction, such as `TX` or `FL-MIAMI-DADE`.
    pub jurisdiction: String,
    /// The vehicle.
    pub vehicle: VehicleFacts,
    /// The agreed price.
    pub price: Cents,
    /// Cash at signing.
    pub cash_down: Cents,
    /// Paid by the manufacturer.
    pub manufacturer_rebate: Cents,
    /// Given by the dealer.
    pub dealer_rebate: Cents,
    /// Trade-ins.
    pub trade_ins: Vec<TradeIn>,
    /// Products.
    pub products: Vec<ProductLine>,
    /// Months. Ignored for cash.
    pub term_months: u16,
    /// Miles a year, for leases; 12,000 when not said.
    pub annual_miles: Option<u32>,
    /// The tier to price for.
    pub credit_tier: String,
    /// Days to the first payment; 30 is one month.
    pub first_payment_days: u16,
    /// What to add to the buy rate; nothing unless a manager says so.
    pub markup: Rate,
}

/// Why a program does not take the deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule.
    pub rule: RefusalRule,
    /// In words a salesperson can read aloud.
    pub message: String,
    /// The smallest change that clears it, in words, when there is one.
    pub change: Option<String>,
    /// That change as money, when it is money (more down is positive).
    pub change_amount: Option<Cents>,
}

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

impl QuoteRequest {
    /// The inputs of a quote under the rules of the day, for one program (or cash).
    pub fn input(&self, book: &RuleBook, program: Option<&Program>) -> Result<QuoteInput, FinanceError> {
        let tax_rule = book.tax_rule(&self.jurisdiction, self.on)?;
        Ok(QuoteInput {
            kind: self.kind,
            currency: self.currency,
            contract_date: self.on,
            first_payment_days: self.first_payment_days,
            price: self.price,
            cash_down: self.cash_down,
            manufacturer_rebate: self.manufacturer_rebate,
            dealer_rebate: self.dealer_rebate,
            trade_ins: self.trade_ins.clone(),
            products: self.products.clone(),
            new_vehicle: self.vehicle.condition == SaleCondition::New,
            msrp: self.vehicle.msrp,
            annual_miles: self.annual_miles.unwrap_or(super::lease::RESIDUAL_MILES),
            term_months: if self.kind == QuoteKind::Cash { 0 } else { self.term_months },
            markup: if self.kind == QuoteKind::Retail { self.markup } else { Rate::ZERO },
            tax_rule: tax_rule.as_ref().clone(),
            fees: book.fees(&self.jurisdiction, self.store, self.on).map(|f| f.as_ref().clone()).filter(|f| f.applies(self.kind)).collect(),
            program: program.cloned(),
        })
    }
}

/// The cash quote, which is also the base of any other: price, taxes, fees, products, credits.
pub fn cash_quote(book: &RuleBook, request: &QuoteRequest) -> Result<PricedQuote, FinanceError> {
    let request = QuoteRequest { kind: QuoteKind::Cash, ..request.clone() };
    let input = request.input(book, None)?;
    let quote = input.quote()?;
    Ok(PricedQuote { input, quote })
}

/// What every program of the group says to a request: quotes first, the lowest payment on top; then the programs for this
/// vehicle, tier and term that refuse it; then, for each lender that has no such program, the closest one.
///
/// # Errors
/// When the request itself cannot be priced (unknown jurisdiction, nothing to finance, an amount out of range).
pub fn quote_all(book: &RuleBook, request: &QuoteRequest) -> Result<Vec<ProgramQuote>, FinanceError> {
    if request.kind == QuoteKind::Cash {
        return Ok(Vec::new());
    }
    let base = request.input(book, None)?;
    let state = book.state_of(&request.jurisdiction)?;
    // Retail programs share one build-up; a lease's depends on the program's acquisition fee.
    let financed = base.buildup()?.sum(LinePlacement::Financed);
    if financed <= Cents::ZERO {
        return Err(FinanceError::NothingToFinance { surplus: -financed });
    }
    let mut quoted = Vec::new();
    let mut refused: Vec<ProgramQuote> = Vec::new();
    let mut other_rows: Vec<&Arc<Program>> = Vec::new();
    for program in book.programs(request.group, request.on).filter(|p| p.kind == request.kind) {
        if !program.is_row_of(request, state) {
            other_rows.push(program);
            continue;
        }
        let lease_fee = if request.kind == QuoteKind::Lease { program.acquisition_fee } else { Cents::ZERO };
        let mut refusals = program.refusals(request, state, financed + lease_fee);
        if refusals.is_empty() {
            let input = QuoteInput { program: Some(program.as_ref().clone()), ..base.clone() };
            match input.quote() {
                Ok(quote) => {
                    let outcome = Outcome::Quoted(Box::new(PricedQuote { input, quote }));
                    quoted.push(ProgramQuote { program: Arc::clone(program), outcome });
                    continue;
                }
                Err(error) => {
                    refusals.push(Refusal { rule: RefusalRule::Figures, message: error.to_string(), change: None, change_amount: None });
                }
            }
        }
        refused.push(ProgramQuote { program: Arc::clone(program), outcome: Outcome::Refused(refusals) });
    }
    quoted.sort_by_key(|q| {
        (q.quoted().map(|p| (p.quote.payment, p.quote.finance_charge)), q.program.lender_code.clone(), q.program.code.clone())
    });
    refused.sort_by(|a, b| (&a.program.lender_code, &a.program.code).cmp(&(&b.program.lender_code, &b.program.code)));
    quoted.append(&mut refused);
    // Words are made only for lenders that have not answered yet: the row of their sheet that is closest.
    other_rows.retain(|p| !quoted.iter().any(|q| q.program.lender_id == p.lender_id));
    let mut closest: Vec<ProgramQuote> = Vec::new();
    for program in other_rows {
        let refusals = program.refusals(request, state, financed);
        match closest.iter_mut().find(|q| q.program.lender_id == program.lender_id) {
            Some(best) if best.refusals().len() <= refusals.len() => {}
            Some(best) => *best = ProgramQuote { program: Arc::clone(program), outcome: Outcome::Refused(refusals) },
            None => closest.push(ProgramQuote { program: Arc::clone(program), outcome: Outcome::Refused(refusals) }),
        }
    }
    quoted.append(&mut closest);
    Ok(quoted)
}

impl Program {
    /// Whether this is the row of the lender's sheet for such a vehicle, tier, term and state. A sheet has a row for each;
    /// those of others are no refusals of this deal.
    fn is_row_of(&self, request: &QuoteRequest, state: &str) -> bool {
        (self.term_min_months..=self.term_max_months).contains(&request.term_months)
            && self.credit_tier.eq_ignore_ascii_case(&request.credit_tier)
            && self.conditions.contains(&request.vehicle.condition)
            && (self.states.is_empty() || self.states.iter().any(|s| s == state))
    }

    /// Every rule that stands against a request; empty when the program takes it.
    pub fn refusals(&self, request: &QuoteRequest, state: &str, financed: Cents) -> Vec<Refusal> {
        let mut out = Vec::new();
        let mut refuse = |rule, message: String, change: Option<String>, change_amount| {
            out.push(Refusal { rule, message, change, change_amount });
        };
        let vehicle = &request.vehicle;
        if !self.states.is_empty() && !self.states.iter().any(|s| s == state) {
            refuse(RefusalRule::State, format!("{} does not lend in {state}.", self.lender_name), None, None);
        }
        if !self.conditions.contains(&vehicle.condition) {
            let taken = self.conditions.iter().map(|c| c.as_str().to_lowercase()).collect::<Vec<_>>().join(" or ");
            refuse(RefusalRule::Condition, format!("{} is for {taken} vehicles.", self.name), None, None);
        }
        if let Some(max) = self.max_age_years {
            let age = (request.on.year() - vehicle.model_year).max(0);
            if age > i32::from(max) {
                let oldest = request.on.year() - i32::from(max);
                refuse(
                    RefusalRule::Age,
                    format!("The vehicle is {age} model years old; at most {max} are taken."),
                    Some(format!("A {oldest} or newer vehicle.")),
                    None,
                );
            }
        }
        if let (Some(max), Some(miles)) = (self.max_odometer_miles, vehicle.odometer_miles)
            && miles > max
        {
            refuse(
                RefusalRule::Mileage,
                format!("The vehicle has {miles} miles; at most {max} are taken."),
                Some(format!("A vehicle with at most {max} miles.")),
                None,
            );
        }
        if !self.credit_tier.eq_ignore_ascii_case(&request.credit_tier) {
            refuse(
                RefusalRule::Tier,
                format!("{} is for tier {}.", self.name, self.credit_tier),
                Some(format!("Credit tier {}.", self.credit_tier)),
                None,
            );
        }
        if request.term_months < self.term_min_months || request.term_months > self.term_max_months {
            let nearest = request.term_months.clamp(self.term_min_months, self.term_max_months);
            let message = format!("{} is for {} to {} months.", self.name, self.term_min_months, self.term_max_months);
            refuse(RefusalRule::Term, message, Some(format!("A term of {nearest} months.")), None);
        }
        if financed < self.min_financed {
            let less = self.min_financed - financed;
            refuse(
                RefusalRule::MinFinanced,
                format!("At least {} must be financed; this is {financed}.", self.min_financed),
                Some(format!("Finance {less} more.")),
                Some(-less),
            );
        }
        if financed > self.max_financed {
            let more = financed - self.max_financed;
            refuse(
                RefusalRule::MaxFinanced,
                format!("At most {} can be financed; this is {financed}.", self.max_financed),
                Some(format!("{more} more down.")),
                Some(more),
            );
        }
        match self.collateral(request) {
            None => refuse(
                RefusalRule::Collateral,
                format!("The vehicle's {} is not known.", self.collateral_basis.as_str().to_lowercase()),
                None,
                None,
            ),
            Some(value) => {
                let most = div_floor(i128::from(value.0) * i128::from(self.max_ltv.0), Rate::WHOLE)
                    .and_then(|n| i64::try_from(n).ok())
                    .map_or(Cents::ZERO, Cents);
                if financed > most {
                    let more = financed - most;
                    let message = format!("{financed} is more than {} % of the vehicle's value of {value}.", self.max_ltv);
                    refuse(RefusalRule::LoanToValue, message, Some(format!("{more} more down.")), Some(more));
                }
            }
        }
        if request.kind == QuoteKind::Retail && request.markup > self.max_markup {
            let message = format!("The markup of {} points is above the {} points allowed.", request.markup, self.max_markup);
            refuse(RefusalRule::Markup, message, Some(format!("A markup of at most {} points.", self.max_markup)), None);
        }
        out
    }

    fn collateral(&self, request: &QuoteRequest) -> Option<Cents> {
        match self.collateral_basis {
            CollateralBasis::Price => Some(request.price),
            CollateralBasis::Msrp => request.vehicle.msrp,
            CollateralBasis::Invoice => request.vehicle.invoice,
        }
    }
}

/// The quote with the lowest payment, calculated alone: for one amount and term that is the contract with the lowest rate.
pub fn best_quote(book: &RuleBook, request: &QuoteRequest) -> Result<Option<ProgramQuote>, FinanceError> {
    if request.kind != QuoteKind::Retail {
        return Ok(quote_all(book, request)?.into_iter().find(|q| q.quoted().is_some()));
    }
    let mut input = request.input(book, None)?;
    let state = book.state_of(&request.jurisdiction)?;
    let financed = input.buildup()?.sum(LinePlacement::Financed);
    if financed <= Cents::ZERO {
        return Err(FinanceError::NothingToFinance { surplus: -financed });
    }
    let mut rows: Vec<&Arc<Program>> = book
        .programs(request.group, request.on)
        .filter(|p| p.kind == request.kind && p.is_row_of(request, state) && p.refusals(request, state, financed).is_empty())
        .collect();
    // A fee is financed with the amount, and day counts differ: the few that could win are calculated, the others not.
    rows.sort_by_key(|p| (p.buy_rate, p.acquisition_fee, p.id));
    let mut best: Option<ProgramQuote> = None;
    for program in rows.into_iter().take(3) {
        input.program = Some(program.as_ref().clone());
        let quote = input.quote()?;
        if best.as_ref().and_then(ProgramQuote::quoted).is_none_or(|b| quote.payment < b.quote.payment) {
            let outcome = Outcome::Quoted(Box::new(PricedQuote { input: input.clone(), quote }));
            best = Some(ProgramQuote { program: Arc::clone(program), outcome });
        }
    }
    Ok(best)
}

/// A cell of a payment grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridCell {
    /// Months.
    pub term_months: u16,
    /// Cash at signing.
    pub cash_down: Cents,
    /// The best quote, by payment; none when no program takes this cell.
    pub best: Option<ProgramQuote>,
}

/// Most terms and most down payments of a grid.
pub const GRID_MAX: (usize, usize) = (12, 8);

/// The best quote for every term and down payment.
pub fn payment_grid(book: &RuleBook, request: &QuoteRequest, terms: &[u16], downs: &[Cents]) -> Result<Vec<GridCell>, FinanceError> {
    if terms.len() > GRID_MAX.0 {
        return Err(FinanceError::TooMany { what: "terms", max: GRID_MAX.0 });
    }
    if downs.len() > GRID_MAX.1 {
        return Err(FinanceError::TooMany { what: "down payments", max: GRID_MAX.1 });
    }
    let mut cells = Vec::with_capacity(terms.len() * downs.len());
    for &cash_down in downs {
        for &term_months in terms {
            let cell = QuoteRequest { cash_down, term_months, ..request.clone() };
            let best = match best_quote(book, &cell) {
                Ok(best) => best,
                Err(FinanceError::NothingToFinance { .. }) => None,
                Err(error) => return Err(error),
            };
            cells.push(GridCell { term_months, cash_down, best });
        }
    }
    Ok(cells)
}
