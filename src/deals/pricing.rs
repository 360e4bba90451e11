//! From the deal to the engine and back: the one place where deals meets finance and insurance.
//!
//! The rules of the day are one snapshot in memory; nothing here touches the database. Copies of every rule used stay in a
//! quote's inputs, so that it can be calculated again after any change.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::{DealKind, FigureLine, Figures, Structure};
use super::plan::{Opened, PlanChange};
use super::purse::Purses;
use super::store::answers::Answers;
use crate::finance::{
    self, Comparison, FinanceError, GridCell, Quote, QuoteInput, QuoteKind, QuoteRequest, RuleBook, Rules, SaleCondition, Solution,
    SolveFor, Worksheet, best_quote, cash_quote,
};
use crate::insurance::{self, InsuranceRequest};
use crate::inventory::{VehicleCondition, VehicleStatus};
use crate::kernel::id::{GroupId, InsurerId, ProgramId, StoreId, VehicleId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

/// A car as far as a deal needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Car {
    /// Its id.
    pub id: VehicleId,
    /// The VIN.
    pub vin: String,
    /// The store's number.
    pub stock_number: String,
    /// New, used, certified.
    pub condition: VehicleCondition,
    /// Where it stands.
    pub status: VehicleStatus,
    /// Model year.
    pub model_year: i32,
    /// Make.
    pub make: String,
    /// Model.
    pub model: String,
    /// Trim.
    pub trim: Option<String>,
    /// Its fuel, as the lot has it.
    pub fuel: Option<String>,
    /// Miles driven.
    pub odometer_miles: Option<i32>,
    /// The asking price.
    pub price: Option<Cents>,
    /// The maker's suggested retail price.
    pub msrp: Option<Cents>,
    /// The maker's invoice.
    pub invoice: Option<Cents>,
}

impl Car {
    /// "2023 Toyota RAV4".
    pub fn title(&self) -> String {
        format!("{} {} {}", self.model_year, self.make, self.model)
    }
}

/// What a lender program offers for a structure.
#[derive(Debug, Clone)]
pub struct FinanceOffer {
    /// The program.
    pub program_id: ProgramId,
    /// Retail or lease.
    pub kind: DealKind,
    /// Months.
    pub term_months: i32,
    /// Retail: the customer's rate in percent.
    pub sell_rate: Option<Decimal>,
    /// Retail: the lender's rate behind it in percent (managers only).
    pub buy_rate: Option<Decimal>,
    /// Lease: the money factor.
    pub money_factor: Option<Decimal>,
    /// Retail: the annual percentage rate (Regulation Z).
    pub apr: Option<Decimal>,
    /// Monthly.
    pub payment: Cents,
    /// Amount financed; for a lease the adjusted capitalized cost.
    pub amount_financed: Cents,
    /// Finance charge; for a lease the rent charge.
    pub finance_charge: Cents,
    /// All payments together.
    pub total_of_payments: Cents,
    /// What the customer brings on the day.
    pub due_at_signing: Cents,
    /// Every rule behind it was verified by a person.
    pub verified: bool,
    /// The engine that calculated it.
    pub engine_version: String,
    /// All inputs and the ids of the rules, for replay; the purse is sealed.
    pub inputs: Value,
    /// All lines; what tells the purse is sealed.
    pub result: Value,
}

/// What an insurer offers.
#[derive(Debug, Clone)]
pub struct InsuranceOffer {
    /// The insurer.
    pub insurer_id: InsurerId,
    /// Months the premium is for.
    pub term_months: i32,
    /// The whole premium.
    pub premium: Cents,
    /// Per month.
    pub monthly_premium: Cents,
    /// Every rule behind it was verified by a person.
    pub verified: bool,
    /// The engine that calculated it.
    pub engine_version: String,
    /// All inputs, for replay; who drives is sealed.
    pub inputs: Value,
    /// Premium per coverage.
    pub result: Value,
}

/// What the engine is asked about: a structure for a car at a store on a day.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The selling store.
    pub store_id: StoreId,
    /// Its group.
    pub group_id: GroupId,
    /// The car.
    pub car: &'a Car,
    /// What is on the table.
    pub structure: &'a Structure,
    /// The day at the store.
    pub today: NaiveDate,
}

/// Why figures can't be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpriced {
    /// No tax rule for the buyer's place on this day.
    UnknownJurisdiction(String),
    /// A product that is not on the group's list.
    UnknownProduct,
    /// The engine refuses, in a sentence.
    Engine(String),
}

impl From<FinanceError> for Unpriced {
    fn from(error: FinanceError) -> Self {
        match error {
            FinanceError::UnknownJurisdiction(code) | FinanceError::NoTaxRule { jurisdiction: code, .. } => Self::UnknownJurisdiction(code),
            other => Self::Engine(other.to_string()),
        }
    }
}

/// A lender program that does not fit, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// The program.
    pub program_id: ProgramId,
    /// Every rule that is not met, with the smallest change that clears it.
    pub refusals: Vec<finance::Refusal>,
    /// The nearest term in months for which the lender takes the deal as it stands.
    pub fitting_term: Option<u16>,
}

/// The engine with the rules of the day. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    rules: Rules,
    purses: Purses,
}

impl Desk {
    /// With these rules, and what opens customers' incomes.
    pub fn new(rules: Rules, purses: Purses) -> Self {
        Self { rules, purses }
    }

    /// What seals and opens customers' incomes.
    pub fn purses(&self) -> &Purses {
        &self.purses
    }

    /// The rules of the day: take them once per calculation.
    pub(in crate::deals) fn book(&self) -> std::sync::Arc<RuleBook> {
        self.rules.book()
    }

    /// Whose taxes apply to a buyer who lives there. A state without rows of its own is still the one that taxes: its code,
    /// whose taxes are not known, rather than another state's.
    pub fn jurisdiction_of(&self, state: Option<&str>, postal_code: Option<&str>) -> Option<String> {
        let (book, state) = (self.rules.book(), state?);
        let place = book.jurisdiction_at(state, postal_code.unwrap_or_default());
        Some(place.map_or_else(|| state.to_owned(), |place| place.code.clone()))
    }

    /// What a fee of the store comes to in a case; why not, when it is none that the store may waive.
    pub(in crate::deals) fn waivable_fee(&self, case: &Case<'_>, code: &str) -> Result<Cents, String> {
        let (book, terms) = (self.rules.book(), &case.structure.terms);
        let named = |fee: &&std::sync::Arc<finance::FeeRule>| fee.code == code && fee.applies(quote_kind(terms.kind));
        // The store's own come first.
        match book.fees(&terms.buyer_jurisdiction, case.store_id, case.today).find(named) {
            Some(fee) if fee.store_id.is_some() => Ok(fee.charged(terms.price)),
            Some(fee) => Err(format!("{} goes to the government: the store can't waive it.", fee.label)),
            None => Err(format!("The store has no fee \"{code}\" on such a deal.")),
        }
    }

    /// Whether taxes are known for a place on a day.
    pub fn knows_jurisdiction(&self, code: &str, on: NaiveDate) -> bool {
        self.rules.book().tax_rule(code, on).is_ok()
    }

    /// Every figure of a structure. The payment of a retail contract or lease is that of the best program that takes it.
    pub fn figures(&self, case: &Case<'_>) -> Result<Figures, Unpriced> {
        let book = self.rules.book();
        let request = self.request(&book, case)?.fitted();
        if request.worksheet.term_months > 0 {
            request.worksheet.check_deferred(request.on)?;
        }
        let best = best_quote(&book, &request).ok().flatten();
        match best.as_ref().and_then(finance::ProgramQuote::quoted) {
            Some(priced) => Ok(Figures::of(&priced.quote)),
            // What no program takes, or what leaves nothing to finance, still has a price and taxes.
            None => Ok(Figures::of(&cash_quote(&book, &request)?.quote)),
        }
    }

    /// What every lender program says: the lowest payment first, then those that do not fit.
    pub fn finance_offers(&self, case: &Case<'_>) -> Result<(Vec<FinanceOffer>, Vec<Declined>), Unpriced> {
        let book = self.rules.book();
        let request = self.request(&book, case)?.fitted();
        let (mut offers, mut declined) = (Vec::new(), Vec::new());
        let answers = finance::quote_all(&book, &request)?;
        let all_quote = answers.iter().all(|answer| answer.quoted().is_some());
        let fitting = if all_quote { BTreeMap::new() } else { finance::fitting_terms(&book, &request) };
        for answer in answers {
            match answer.quoted() {
                Some(priced) => {
                    let mut offer = finance_offer(answer.program.id, case.structure.terms.kind, &priced.input, &priced.quote)?;
                    self.purses.seal_quote(case.store_id, &mut offer.inputs, &mut offer.result).map_err(unread)?;
                    offers.push(offer);
                }
                None => declined.push(Declined {
                    program_id: answer.program.id,
                    refusals: answer.refusals().to_vec(),
                    fitting_term: fitting.get(&answer.program.lender_id).copied(),
                }),
            }
        }
        Ok((offers, declined))
    }

    /// What every insurer says, the lowest premium first. An insurer that does not write here says nothing.
    pub(in crate::deals) fn insurance_offers(&self, case: &Case<'_>, said: &Answers) -> Vec<InsuranceOffer> {
        let book = self.rules.book();
        let terms = &case.structure.terms;
        let Ok(state) = book.state_of(&terms.buyer_jurisdiction) else { return Vec::new() };
        // The premium follows what the car is worth on the lot, not what was haggled.
        let value = case.car.price.unwrap_or(terms.price);
        let age = case.today.year().saturating_sub(case.car.model_year).max(0);
        let age = u16::try_from(age).unwrap_or(u16::MAX);
        let miles = terms.annual_miles.and_then(|miles| u32::try_from(miles).ok());
        let mut request = InsuranceRequest::for_car(state, case.today, terms.kind.interest(), value, age, miles);
        // The buyer's ZIP code says where the car is kept, as long as it lies in the state of registration.
        request.postal_code = said.postal_code.clone().filter(|_| said.state.as_deref() == Some(state));
        request.lender_code = said.program.and_then(|id| book.program(id)).map(|program| program.lender_code.clone());
        let wish = match said.insurance.as_ref().map(|kept| self.purses.open(case.store_id, kept)).transpose() {
            Ok(wish) => wish.unwrap_or_default(),
            Err(error) => {
                tracing::error!(%error, "what insurers are told");
                return Vec::new();
            }
        };
        let request = request.wished(&wish);
        let quotes = match insurance::quote_all(book.insurance(), case.group_id, &request) {
            Ok(quotes) => quotes,
            Err(error) => {
                tracing::warn!(%error, "insurers could not be asked");
                return Vec::new();
            }
        };
        quotes
            .into_iter()
            .filter_map(|(insurer, input, quoted)| {
                let mut inputs = serde_json::to_value(&input).ok()?;
                self.purses.seal_drivers(case.store_id, &mut inputs).ok()?;
                Some(InsuranceOffer {
                    insurer_id: insurer.id,
                    term_months: i32::from(quoted.term_months),
                    premium: quoted.premium,
                    monthly_premium: quoted.monthly_premium,
                    verified: quoted.verified,
                    engine_version: quoted.rating_version.clone(),
                    inputs,
                    result: serde_json::to_value(&quoted).ok()?,
                })
            })
            .collect()
    }
}

/// What to reckon with in place of the structure's own. Nothing of it is stored.
#[derive(Debug, Clone, Default)]
pub struct WhatIf {
    /// Cash, retail or lease.
    pub kind: Option<DealKind>,
    /// Months.
    pub term_months: Option<u16>,
    /// Miles a year.
    pub annual_miles: Option<u32>,
    /// Days from signing to the first payment.
    pub first_payment_days: Option<u16>,
    /// How it is paid beside that.
    pub plan: PlanChange,
}

/// The terms a comparison uses where the structure has none of its kind, in months.
const USUAL_TERMS: (u16, u16) = (60, 36);

impl Desk {
    fn asked(&self, book: &RuleBook, case: &Case<'_>, what_if: &WhatIf) -> Result<QuoteRequest, Unpriced> {
        let mut asked = self.request(book, case)?;
        let w = &mut asked.worksheet;
        if let Some(kind) = what_if.kind {
            w.kind = quote_kind(kind);
        }
        w.term_months = what_if.term_months.unwrap_or(w.term_months);
        w.annual_miles = what_if.annual_miles.unwrap_or(w.annual_miles);
        w.first_payment_days = what_if.first_payment_days.unwrap_or(w.first_payment_days);
        let opened = Opened { purse: what_if.plan.purse.of(w.purse), credit: what_if.plan.credit.of(w.credit) };
        case.structure.terms.plan.changed(what_if.plan.clone()).lay(opened, w);
        Ok(asked)
    }

    /// Every program for every term and down payment.
    pub fn grid(&self, case: &Case<'_>, what_if: &WhatIf, terms: &[u16], downs: &[Cents]) -> Result<Vec<GridCell>, Unpriced> {
        let book = self.rules.book();
        Ok(finance::payment_grid(&book, &self.asked(&book, case, what_if)?.fitted(), terms, downs)?)
    }

    /// Cash, contract and lease side by side.
    pub fn compare(&self, case: &Case<'_>, what_if: &WhatIf, lease_term: Option<u16>) -> Result<Comparison, Unpriced> {
        let book = self.rules.book();
        let asked = self.asked(&book, case, what_if)?;
        let own =
            |kind: QuoteKind| (asked.worksheet.kind == kind && asked.worksheet.term_months > 0).then_some(asked.worksheet.term_months);
        let retail_term = what_if.term_months.or(own(QuoteKind::Retail)).unwrap_or(USUAL_TERMS.0);
        let lease_term = lease_term.or(own(QuoteKind::Lease)).unwrap_or(USUAL_TERMS.1);
        Ok(finance::compare(&book, &asked, retail_term, lease_term)?)
    }

    /// The payment, or the down payment, price or term that leads to one.
    pub fn solve(&self, case: &Case<'_>, what_if: &WhatIf, sought: SolveFor, target: Cents) -> Result<Solution, Unpriced> {
        let book = self.rules.book();
        Ok(finance::solve(&book, &self.asked(&book, case, what_if)?.fitted(), sought, target)?)
    }
}

impl Unpriced {
    /// In words a salesperson can read aloud.
    pub fn words(&self) -> String {
        match self {
            Self::UnknownJurisdiction(code) => format!("No taxes are known for \"{code}\" today."),
            Self::UnknownProduct => "A product is not offered here now.".to_owned(),
            Self::Engine(text) => text.clone(),
        }
    }
}

const fn quote_kind(kind: DealKind) -> QuoteKind {
    match kind {
        DealKind::Cash => QuoteKind::Cash,
        DealKind::Retail => QuoteKind::Retail,
        DealKind::Lease => QuoteKind::Lease,
    }
}

impl Figures {
    /// The figures of a quote. The payment is an estimate until the quote is accepted.
    pub fn of(quote: &Quote) -> Self {
        Self {
            tax: quote.tax,
            fees: quote.fees,
            total_price: quote.total_price,
            amount_financed: quote.amount_financed,
            payment: (quote.kind != QuoteKind::Cash && quote.term_months > 0).then_some(quote.payment),
            payment_is_estimate: true,
            verified: quote.verified,
            lines: quote
                .lines
                .iter()
                .map(|line| FigureLine {
                    kind: line.kind,
                    code: line.code.clone().into_owned(),
                    label: line.label.clone().into_owned(),
                    amount: line.amount,
                    placement: line.placement,
                    rule_id: line.rule_id,
                    unverified_source: line.unverified_source.clone(),
                })
                .collect(),
        }
    }
}

fn unread(error: crate::kernel::seal::SealError) -> Unpriced {
    tracing::error!(%error, "a deal's income and debts");
    Unpriced::Engine("The income kept for this deal cannot be read.".to_owned())
}

impl Desk {
    fn request(&self, book: &RuleBook, case: &Case<'_>) -> Result<QuoteRequest, Unpriced> {
        let opened = self.purses.opened(case.store_id, &case.structure.terms.plan).map_err(unread)?;
        request(book, case, opened)
    }
}

fn request(book: &RuleBook, case: &Case<'_>, opened: Opened) -> Result<QuoteRequest, Unpriced> {
    let Case { car, structure, today, .. } = case;
    let terms = &structure.terms;
    let mut products = Vec::with_capacity(structure.products.len());
    for product in &structure.products {
        let listed = book.product(product.product_id).filter(|p| p.group_id == case.group_id).ok_or(Unpriced::UnknownProduct)?;
        products.push(listed.line(Some(product.price)));
    }
    let unsigned = |value: Option<i32>| value.and_then(|v| u32::try_from(v).ok());
    let kind = quote_kind(terms.kind);
    let mut worksheet = Worksheet {
        cash_down: terms.down_payment,
        manufacturer_rebate: terms.manufacturer_rebate,
        dealer_rebate: terms.dealer_rebate,
        trade_ins: structure.trade_ins.iter().map(trade_in).collect(),
        products,
        fee_waivers: terms.fee_waivers.clone(),
        term_months: terms.term_months.and_then(|months| u16::try_from(months).ok()).unwrap_or(0),
        annual_miles: unsigned(terms.annual_miles).unwrap_or(finance::lease::RESIDUAL_MILES),
        first_payment_days: u16::try_from(terms.first_payment_days).unwrap_or(0),
        ..Worksheet::new(kind, terms.currency, terms.price)
    };
    terms.plan.lay(opened, &mut worksheet);
    let guide = book.guide_value(case.group_id, &car.vin, *today);
    Ok(QuoteRequest {
        group: case.group_id,
        store: case.store_id,
        on: *today,
        jurisdiction: terms.buyer_jurisdiction.clone(),
        vehicle: finance::VehicleFacts {
            condition: sale_condition(car.condition),
            model_year: car.model_year,
            odometer_miles: unsigned(car.odometer_miles),
            msrp: car.msrp,
            invoice: car.invoice,
            book_wholesale: guide.and_then(|value| value.wholesale),
            book_retail: guide.and_then(|value| value.retail),
            book_row: guide.map(|value| finance::BookRow { id: value.id, verified: value.verified }),
        },
        credit_tier: terms.credit_tier.clone(),
        worksheet,
    })
}

/// A car's condition as the law and the lenders know it.
pub(in crate::deals) const fn sale_condition(condition: VehicleCondition) -> SaleCondition {
    match condition {
        VehicleCondition::New => SaleCondition::New,
        VehicleCondition::Used => SaleCondition::Used,
        VehicleCondition::Certified => SaleCondition::Certified,
    }
}

fn trade_in(trade: &crate::deals::model::TradeIn) -> finance::TradeIn {
    finance::TradeIn {
        allowance: trade.allowance,
        payoff: trade.payoff,
        payoff_good_through: trade.payoff_good_through,
        payoff_per_diem: trade.payoff_per_diem,
        actual_cash_value: trade.actual_cash_value,
    }
}

fn finance_offer(program: ProgramId, kind: DealKind, input: &QuoteInput, quote: &Quote) -> Result<FinanceOffer, Unpriced> {
    let json = |error: serde_json::Error| Unpriced::Engine(error.to_string());
    Ok(FinanceOffer {
        program_id: program,
        kind,
        term_months: i32::from(quote.term_months),
        sell_rate: quote.sell_rate.filter(|_| kind == DealKind::Retail).map(Rate::to_percent),
        buy_rate: quote.buy_rate.filter(|_| kind == DealKind::Retail).map(Rate::to_percent),
        money_factor: quote.lease.as_ref().map(|lease| lease.money_factor.to_decimal()),
        apr: quote.apr.map(|rate| rate.round(4).to_percent()),
        payment: quote.payment,
        amount_financed: quote.amount_financed,
        finance_charge: quote.finance_charge,
        total_of_payments: quote.total_of_payments,
        due_at_signing: quote.due_at_signing,
        verified: quote.verified,
        engine_version: quote.engine_version.clone().into_owned(),
        inputs: serde_json::to_value(input).map_err(json)?,
        result: serde_json::to_value(quote).map_err(json)?,
    })
}
