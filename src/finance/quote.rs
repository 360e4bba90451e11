//! A quote: everything that goes in, every line that comes out, and which rules were used.
//!
//! [`QuoteInput`] holds copies of the rule rows it was calculated with, so that [`QuoteInput::quote`] gives the same bytes
//! again after any later change of the rules. Lines that are financed sum to the amount financed (for a lease the adjusted
//! capitalized cost, for cash the balance due).

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::id::{ProductId, StoreId};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::rate::Rate;

use super::error::FinanceError;
use super::lease::{self, LeaseFigures, LeaseTerms, MoneyFactor};
use super::program::Program;
use super::retail::{self, RetailTerms};
use super::tax::{LeaseTaxMethod, ProductKind, TaxLine, TaxRule, Taxable, TradeIn, TradePolicy, negative_equity, total};

/// Grows when any figure of any quote could come out differently. Stored with every quote.
pub const ENGINE_VERSION: &str = "1.0";
/// Most trade-ins of a quote.
pub const TRADE_INS_MAX: usize = 8;
/// Most products of a quote.
pub const PRODUCTS_MAX: usize = 20;
/// Most fees of a quote.
pub const FEES_MAX: usize = 40;

crate::text_enum! {
    /// How the customer pays.
    pub enum QuoteKind {
        /// All at once.
        Cash = "CASH",
        /// Retail instalment contract.
        Retail = "RETAIL",
        /// Lease.
        Lease = "LEASE",
    }
}
crate::text_enum! {
    /// What a line of a quote is.
    pub enum QuoteLineKind {
        /// The vehicle's price.
        Price = "PRICE",
        /// A rebate, negative.
        Rebate = "REBATE",
        /// A protection product.
        Product = "PRODUCT",
        /// A tax.
        Tax = "TAX",
        /// A fee of the store, the lender or the government.
        Fee = "FEE",
        /// A trade-in's allowance (negative) or what is owed on it (positive).
        TradeIn = "TRADE_IN",
        /// What the customer pays at signing, negative.
        DownPayment = "DOWN_PAYMENT",
    }
}
crate::text_enum! {
    /// When a line is paid.
    pub enum LinePlacement {
        /// Part of what is financed, capitalized or, for cash, of the balance due.
        Financed = "FINANCED",
        /// Paid at signing, beside the money down.
        AtSigning = "AT_SIGNING",
    }
}
crate::text_enum! {
    /// Which deals a fee belongs to.
    pub enum FeeScope {
        /// Every deal.
        All = "ALL",
        /// Cash and retail.
        Purchase = "PURCHASE",
        /// Leases.
        Lease = "LEASE",
    }
}

/// A row of `fee_rule`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FeeRule {
    /// The row.
    pub id: Uuid,
    /// The jurisdiction, for a government fee.
    pub jurisdiction: Option<String>,
    /// The store, for its own fee.
    pub store_id: Option<StoreId>,
    /// `DOC`, `TITLE`, `REGISTRATION` …
    pub code: String,
    /// What the customer reads.
    pub label: String,
    /// How much.
    pub amount: Cents,
    /// The law's ceiling.
    pub cap: Option<Cents>,
    /// Which deals.
    pub applies_to: FeeScope,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// Where it was read.
    pub source: String,
    /// When.
    pub source_read_on: NaiveDate,
    /// Whether a person checked it.
    pub verified: bool,
}

impl FeeRule {
    /// What is charged: never more than the law allows.
    pub fn charged(&self) -> Cents {
        self.cap.map_or(self.amount, |cap| self.amount.min(cap))
    }

    /// Whether it belongs to such a deal.
    pub const fn applies(&self, kind: QuoteKind) -> bool {
        match self.applies_to {
            FeeScope::All => true,
            FeeScope::Purchase => !matches!(kind, QuoteKind::Lease),
            FeeScope::Lease => matches!(kind, QuoteKind::Lease),
        }
    }
}

/// A product on the deal at the price agreed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProductLine {
    /// Which.
    pub id: ProductId,
    /// Its code.
    pub code: String,
    /// What it is, for tax.
    pub kind: ProductKind,
    /// What the customer reads.
    pub name: String,
    /// What the customer pays.
    pub price: Cents,
}

/// Everything a quote follows from. Serialised, it is `finance_quote.inputs`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QuoteInput {
    /// How the customer pays.
    pub kind: QuoteKind,
    /// Of every amount.
    pub currency: Currency,
    /// The day of signing.
    pub contract_date: NaiveDate,
    /// Days to the first payment; 30 means one month. A lease's first payment is due at signing.
    pub first_payment_days: u16,
    /// The agreed price.
    pub price: Cents,
    /// What the customer pays at signing towards the price.
    pub cash_down: Cents,
    /// Paid by the manufacturer.
    pub manufacturer_rebate: Cents,
    /// Given by the dealer.
    pub dealer_rebate: Cents,
    /// Cars given in part payment.
    pub trade_ins: Vec<TradeIn>,
    /// Protection products.
    pub products: Vec<ProductLine>,
    /// Whether the vehicle is new, for tax.
    pub new_vehicle: bool,
    /// List price, for a residual.
    pub msrp: Option<Cents>,
    /// Miles a year, for a residual.
    pub annual_miles: u32,
    /// Months; 0 for cash.
    pub term_months: u16,
    /// What the customer's rate lies above the buy rate.
    pub markup: Rate,
    /// The tax rule of the buyer's jurisdiction.
    pub tax_rule: TaxRule,
    /// The fees that apply.
    pub fees: Vec<FeeRule>,
    /// The lender's program; none for cash.
    pub program: Option<Program>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QuoteLine {
    /// What kind.
    pub kind: QuoteLineKind,
    /// Stable code: `PRICE`, `TAX_STATE`, `FEE_DOC`.
    pub code: String,
    /// What the customer reads.
    pub label: String,
    /// Negative when it lowers what is to be paid.
    pub amount: Cents,
    /// When it is paid.
    pub placement: LinePlacement,
}

/// A rule row that was used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RuleUse {
    /// `tax_rule`, `fee_rule`, `lender_program`.
    pub table: String,
    /// The row.
    pub id: Uuid,
    /// In words.
    pub label: String,
    /// Whether a person checked it.
    pub verified: bool,
}

/// A step of the calculation, for managers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TraceStep {
    /// What was calculated.
    pub step: String,
    /// How, with the figures.
    pub value: String,
}

/// What a lease has beyond a contract.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeaseDetail {
    /// The progression of Regulation M.
    #[serde(flatten)]
    pub figures: LeaseFigures,
    /// The money factor.
    pub money_factor: MoneyFactor,
    /// Tax on each payment.
    pub monthly_tax: Cents,
    /// Tax taken at signing.
    pub upfront_tax: Cents,
    /// Miles a year that are free.
    pub annual_miles: u32,
    /// Charge per mile beyond.
    pub excess_mile: Option<Cents>,
    /// Charge at the end when the car is given back.
    pub disposition_fee: Cents,
}

/// The result. Serialised, it is `finance_quote.result`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Quote {
    /// The engine that calculated it.
    pub engine_version: String,
    /// How the customer pays.
    pub kind: QuoteKind,
    /// Of every amount.
    pub currency: Currency,
    /// Months; 0 for cash.
    pub term_months: u16,
    /// The day the first payment is due.
    pub first_payment_date: Option<NaiveDate>,
    /// Every line.
    pub lines: Vec<QuoteLine>,
    /// All taxes, with those on a lease's payments.
    pub tax: Cents,
    /// All fees.
    pub fees: Cents,
    /// All products.
    pub products: Cents,
    /// Price, products, taxes and fees, before credits.
    pub total_price: Cents,
    /// Regulation Z's down payment: cash, rebates and trade-in equity; never negative.
    pub down_payment: Cents,
    /// What is still owed on trade-ins beyond their worth, carried into this deal.
    pub prior_balance: Cents,
    /// Amount financed; lease: adjusted capitalized cost; cash: balance due.
    pub amount_financed: Cents,
    /// A charge for the credit beside the interest.
    pub prepaid_finance_charge: Cents,
    /// Each month, with tax.
    pub payment: Cents,
    /// The last month.
    pub final_payment: Cents,
    /// Finance charge; lease: rent charge.
    pub finance_charge: Cents,
    /// All payments, with tax.
    pub total_of_payments: Cents,
    /// Retail: total of payments and down payment. Lease: all payments and what is due at signing beside the first one.
    pub total_sale_price: Cents,
    /// What the customer brings on the day.
    pub due_at_signing: Cents,
    /// Annual percentage rate; none for leases and cash.
    pub apr: Option<Rate>,
    /// The customer's rate; for a lease the money factor's equivalent.
    pub sell_rate: Option<Rate>,
    /// The lender's rate (managers only).
    pub buy_rate: Option<Rate>,
    /// What the lender pays the dealer for the contract (managers only).
    pub reserve: Cents,
    /// What a lease has beyond.
    pub lease: Option<LeaseDetail>,
    /// Every rule used was checked by a person.
    pub verified: bool,
    /// The rules used.
    pub rules: Vec<RuleUse>,
    /// How it came about (managers only).
    pub trace: Vec<TraceStep>,
}

impl Quote {
    /// The rules nobody has checked yet.
    pub fn unverified_rules(&self) -> impl Iterator<Item = &RuleUse> {
        self.rules.iter().filter(|r| !r.verified)
    }

    /// The sum of the lines paid at one time.
    pub fn sum(&self, placement: LinePlacement) -> Cents {
        self.lines.iter().filter(|l| l.placement == placement).map(|l| l.amount).sum()
    }
}

/// Price, taxes, fees, products and credits, before any lender is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Buildup {
    pub(super) lines: Vec<QuoteLine>,
    pub(super) fees: Cents,
    pub(super) products: Cents,
    pub(super) upfront_tax: Cents,
}

impl Buildup {
    fn push(&mut self, kind: QuoteLineKind, code: impl Into<String>, label: impl Into<String>, amount: Cents, placement: LinePlacement) {
        if amount != Cents::ZERO {
            self.lines.push(QuoteLine { kind, code: code.into(), label: label.into(), amount, placement });
        }
    }

    fn taxes(&mut self, lines: Vec<TaxLine>, placement: LinePlacement) {
        self.upfront_tax += total(&lines);
        for line in lines {
            self.push(QuoteLineKind::Tax, line.code, line.label, line.amount, placement);
        }
    }

    pub(super) fn sum(&self, placement: LinePlacement) -> Cents {
        self.lines.iter().filter(|l| l.placement == placement).map(|l| l.amount).sum()
    }
}

use LinePlacement::{AtSigning, Financed};

impl QuoteInput {
    fn check(&self) -> Result<(), FinanceError> {
        let amounts = [
            ("The price", self.price),
            ("The down payment", self.cash_down),
            ("The manufacturer's rebate", self.manufacturer_rebate),
            ("The dealer's rebate", self.dealer_rebate),
            ("The list price", self.msrp.unwrap_or_default()),
        ];
        let trades = self.trade_ins.iter().flat_map(|t| [("A trade-in's allowance", t.allowance), ("A trade-in's payoff", t.payoff)]);
        let products = self.products.iter().map(|p| ("A product's price", p.price));
        let fees = self.fees.iter().map(|f| ("A fee", f.amount));
        for (what, amount) in amounts.into_iter().chain(trades).chain(products).chain(fees) {
            if amount < Cents::ZERO || amount > Cents::LIMIT {
                return Err(FinanceError::AmountOutOfRange { what });
            }
        }
        for (what, count, max) in [
            ("trade-ins", self.trade_ins.len(), TRADE_INS_MAX),
            ("products", self.products.len(), PRODUCTS_MAX),
            ("fees", self.fees.len(), FEES_MAX),
        ] {
            if count > max {
                return Err(FinanceError::TooMany { what, max });
            }
        }
        if self.markup < Rate::ZERO || self.markup > Rate::LIMIT {
            return Err(FinanceError::RateOutOfRange);
        }
        Ok(())
    }

    fn allowance(&self) -> Cents {
        self.trade_ins.iter().map(|t| t.allowance).sum()
    }

    fn payoff(&self) -> Cents {
        self.trade_ins.iter().map(|t| t.payoff).sum()
    }

    fn doc_fee(&self) -> Cents {
        self.fees.iter().filter(|f| f.code == "DOC").map(FeeRule::charged).sum()
    }

    /// Whether a fee is the store's own (capitalized in a lease) rather than the government's (paid at signing of a lease).
    fn fee_placement(&self, fee: &FeeRule) -> LinePlacement {
        if self.kind == QuoteKind::Lease && fee.store_id.is_none() { AtSigning } else { Financed }
    }

    /// Price, fees, products and credits; taxes too, except those on a lease's payments.
    pub(super) fn buildup(&self) -> Result<Buildup, FinanceError> {
        self.check()?;
        let mut b = Buildup { lines: Vec::with_capacity(16), fees: Cents::ZERO, products: Cents::ZERO, upfront_tax: Cents::ZERO };
        let label = if self.kind == QuoteKind::Lease { "Agreed value of the vehicle" } else { "Price of the vehicle" };
        b.push(QuoteLineKind::Price, "PRICE", label, self.price, Financed);
        for product in &self.products {
            b.products += product.price;
            b.push(QuoteLineKind::Product, format!("PRODUCT_{}", product.code), product.name.clone(), product.price, Financed);
        }
        for fee in self.fees.iter().filter(|f| f.applies(self.kind)) {
            b.fees += fee.charged();
            b.push(QuoteLineKind::Fee, format!("FEE_{}", fee.code), fee.label.clone(), fee.charged(), self.fee_placement(fee));
        }
        if let (QuoteKind::Lease, Some(program)) = (self.kind, &self.program) {
            b.fees += program.acquisition_fee;
            b.push(QuoteLineKind::Fee, "FEE_ACQUISITION", "Lease acquisition fee", program.acquisition_fee, Financed);
        }
        let products: Vec<(ProductKind, Cents)> = self.products.iter().map(|p| (p.kind, p.price)).collect();
        if self.kind == QuoteKind::Lease {
            let lines = self.lease_tax_on_price(&products)?;
            b.taxes(lines, AtSigning);
        } else {
            let lines = self.tax_rule.on_purchase(&self.taxable(&products, &self.trade_ins))?;
            b.taxes(lines, Financed);
        }
        b.push(QuoteLineKind::Rebate, "REBATE_MANUFACTURER", "Manufacturer's rebate", -self.manufacturer_rebate, Financed);
        b.push(QuoteLineKind::Rebate, "REBATE_DEALER", "Dealer's rebate", -self.dealer_rebate, Financed);
        for trade in &self.trade_ins {
            b.push(QuoteLineKind::TradeIn, "TRADE_ALLOWANCE", "Trade-in allowance", -trade.allowance, Financed);
            b.push(QuoteLineKind::TradeIn, "TRADE_PAYOFF", "Still owed on the trade-in", trade.payoff, Financed);
        }
        b.push(QuoteLineKind::DownPayment, "CASH_DOWN", "Cash down", -self.cash_down, Financed);
        Ok(b)
    }

    fn taxable<'a>(&self, products: &'a [(ProductKind, Cents)], trade_ins: &'a [TradeIn]) -> Taxable<'a> {
        Taxable {
            price: self.price,
            assessed_value: None,
            new_vehicle: self.new_vehicle,
            doc_fee: self.doc_fee(),
            trade_ins,
            manufacturer_rebate: self.manufacturer_rebate,
            dealer_rebate: self.dealer_rebate,
            products,
        }
    }

    /// A lease taxed on the price (TX, VA): as a purchase, with trade-in credit only where the row gives it to leases.
    fn lease_tax_on_price(&self, products: &[(ProductKind, Cents)]) -> Result<Vec<TaxLine>, FinanceError> {
        if self.tax_rule.lease_method != LeaseTaxMethod::OnPrice {
            return Ok(Vec::new());
        }
        let mut rule = self.tax_rule.clone();
        if !rule.lease_trade_credit {
            rule.trade_policy = TradePolicy::None;
        }
        rule.on_purchase(&self.taxable(products, &self.trade_ins))
    }

    /// The whole quote.
    pub fn quote(&self) -> Result<Quote, FinanceError> {
        let buildup = self.buildup()?;
        match self.kind {
            QuoteKind::Cash => Ok(self.cash(buildup)),
            QuoteKind::Retail => self.retail(buildup),
            QuoteKind::Lease => self.lease(buildup),
        }
    }

    fn frame(&self, b: Buildup) -> Quote {
        let net_trade = self.allowance() - self.payoff();
        let rules = self.rules_used();
        let mut quote = Quote {
            engine_version: ENGINE_VERSION.to_owned(),
            kind: self.kind,
            currency: self.currency,
            term_months: self.term_months,
            first_payment_date: None,
            tax: b.upfront_tax,
            fees: b.fees,
            products: b.products,
            total_price: self.price + b.products + b.fees + b.upfront_tax,
            down_payment: self.cash_down + self.manufacturer_rebate + self.dealer_rebate + net_trade.at_least_zero(),
            prior_balance: negative_equity(&self.trade_ins),
            amount_financed: b.sum(Financed),
            prepaid_finance_charge: Cents::ZERO,
            payment: Cents::ZERO,
            final_payment: Cents::ZERO,
            finance_charge: Cents::ZERO,
            total_of_payments: Cents::ZERO,
            total_sale_price: Cents::ZERO,
            due_at_signing: self.cash_down + b.sum(AtSigning),
            apr: None,
            sell_rate: None,
            buy_rate: None,
            reserve: Cents::ZERO,
            lease: None,
            verified: rules.iter().all(|r| r.verified),
            lines: b.lines,
            rules,
            trace: Vec::with_capacity(8),
        };
        let base = self.tax_rule.vehicle_base(&self.taxable(&[], &self.trade_ins)).unwrap_or_default();
        if self.kind != QuoteKind::Lease {
            step(&mut quote.trace, "tax base", format!("{base} under {} ({})", self.tax_rule.jurisdiction, self.tax_rule.scheme));
        }
        let financed = quote.amount_financed;
        step(&mut quote.trace, "sum of financed lines", format!("{financed}"));
        quote
    }

    fn rules_used(&self) -> Vec<RuleUse> {
        let tax = &self.tax_rule;
        let mut rules = Vec::with_capacity(2 + self.fees.len());
        let verified = if self.kind == QuoteKind::Lease { tax.lease_verified } else { tax.verified };
        rules.push(RuleUse { table: "tax_rule".into(), id: tax.id, label: format!("Tax of {}", tax.jurisdiction), verified });
        rules.extend(self.fees.iter().filter(|f| f.applies(self.kind)).map(|f| RuleUse {
            table: "fee_rule".into(),
            id: f.id,
            label: f.label.clone(),
            verified: f.verified,
        }));
        rules.extend(self.program.as_ref().map(|p| RuleUse {
            table: "lender_program".into(),
            id: p.id.0,
            label: format!("{} {}", p.lender_name, p.name),
            verified: p.verified,
        }));
        rules
    }

    fn cash(&self, b: Buildup) -> Quote {
        let mut quote = self.frame(b);
        quote.term_months = 0;
        quote.due_at_signing = quote.amount_financed + self.cash_down;
        quote.total_sale_price = quote.total_price;
        quote
    }

    fn program(&self) -> Result<&Program, FinanceError> {
        self.program.as_ref().ok_or(FinanceError::BadDates("a financed quote needs a program"))
    }

    /// The contract behind a retail quote: for its schedule.
    pub fn retail_terms(&self) -> Result<RetailTerms, FinanceError> {
        Ok(self.contract(self.buildup()?.sum(Financed))?.0)
    }

    fn contract(&self, amount_financed: Cents) -> Result<(RetailTerms, Rate), FinanceError> {
        let program = self.program()?;
        let buy = program.buy_rate.ok_or(FinanceError::RateOutOfRange)?;
        let terms = RetailTerms {
            amount_financed,
            prepaid_finance_charge: program.acquisition_fee,
            rate: buy.plus(self.markup),
            term_months: self.term_months,
            contract_date: self.contract_date,
            first_payment_date: retail::first_payment_date(self.contract_date, self.first_payment_days)?,
            accrual: program.accrual,
        };
        Ok((terms, buy))
    }

    fn retail(&self, b: Buildup) -> Result<Quote, FinanceError> {
        let mut quote = self.frame(b);
        if quote.amount_financed <= Cents::ZERO {
            return Err(FinanceError::NothingToFinance { surplus: -quote.amount_financed });
        }
        let (terms, buy) = self.contract(quote.amount_financed)?;
        let figures = terms.figures()?;
        let program = self.program()?;
        quote.first_payment_date = Some(terms.first_payment_date);
        quote.prepaid_finance_charge = terms.prepaid_finance_charge;
        quote.payment = figures.payment;
        quote.final_payment = figures.final_payment;
        quote.finance_charge = figures.finance_charge;
        quote.total_of_payments = figures.total_of_payments;
        quote.total_sale_price = figures.total_of_payments + quote.down_payment;
        quote.apr = Some(figures.apr);
        quote.sell_rate = Some(terms.rate);
        quote.buy_rate = Some(buy);
        quote.reserve = program.reserve(&terms, figures.payment)?;
        let exact = terms.exact_payment()?;
        step(&mut quote.trace, "payment before rounding, in millionths of a cent", exact.to_string());
        step(&mut quote.trace, "rate", format!("{} % = {buy} % + {} %, {}", terms.rate, self.markup, terms.accrual));
        Ok(quote)
    }

    fn lease(&self, mut b: Buildup) -> Result<Quote, FinanceError> {
        let program = self.program()?;
        let msrp = self.msrp.ok_or(FinanceError::MsrpUnknown)?;
        let money_factor = program.money_factor.ok_or(FinanceError::RateOutOfRange)?;
        let percent = program.residual_percent.ok_or(FinanceError::RateOutOfRange)?;
        let residual = lease::residual(msrp, percent, program.residual_step.unwrap_or_default(), self.annual_miles)?;
        let net_trade = self.allowance() - self.payoff();
        let reduction = self.cash_down + self.manufacturer_rebate + self.dealer_rebate + net_trade.at_least_zero();
        let gross = b.sum(Financed) + reduction;
        let terms = LeaseTerms { gross_cap_cost: gross, cap_reduction: reduction, residual, money_factor, term_months: self.term_months };
        let figures = terms.figures()?;
        let rule = &self.tax_rule;
        let reduction_base = rule.lease_reduction_base(self.cash_down, self.manufacturer_rebate, self.dealer_rebate, self.allowance());
        let (mut monthly_tax, mut at_signing) = (Cents::ZERO, Vec::new());
        match rule.lease_method {
            LeaseTaxMethod::PerPayment => {
                monthly_tax = total(&rule.on_base(figures.base_payment, false, "")?);
                if reduction_base > Cents::ZERO {
                    at_signing = rule.on_base(reduction_base, false, " on what is paid at signing")?;
                }
            }
            LeaseTaxMethod::UpfrontTotal => {
                at_signing = rule.on_base(figures.total_of_base_payments + reduction_base, true, " on all payments")?;
            }
            // On the price: already among the lines.
            LeaseTaxMethod::OnPrice | LeaseTaxMethod::None => {}
        }
        b.taxes(at_signing, AtSigning);
        let upfront_tax = b.upfront_tax;
        let mut quote = self.frame(b);
        let n = i64::from(self.term_months);
        let payment = figures.base_payment + monthly_tax;
        let all_monthly_tax = Cents(monthly_tax.0.saturating_mul(n));
        quote.tax += all_monthly_tax;
        quote.total_price += all_monthly_tax;
        quote.first_payment_date = Some(self.contract_date);
        quote.payment = payment;
        quote.final_payment = payment;
        quote.finance_charge = figures.rent_charge;
        quote.total_of_payments = Cents(payment.0.saturating_mul(n));
        quote.due_at_signing += payment;
        quote.total_sale_price = quote.total_of_payments + quote.due_at_signing - payment;
        quote.sell_rate = Some(money_factor.equivalent_rate());
        quote.buy_rate = quote.sell_rate;
        quote.reserve = program.flat_reserve;
        step(&mut quote.trace, "residual", format!("{percent} % of {msrp} at {} miles a year = {residual}", self.annual_miles));
        step(
            &mut quote.trace,
            "base payment",
            format!("({} - {residual}) / {n} + ({} + {residual}) x {money_factor}", figures.adjusted_cap_cost, figures.adjusted_cap_cost),
        );
        quote.lease = Some(LeaseDetail {
            figures,
            money_factor,
            monthly_tax,
            upfront_tax,
            annual_miles: self.annual_miles,
            excess_mile: program.excess_mile,
            disposition_fee: program.disposition_fee,
        });
        Ok(quote)
    }
}

fn step(trace: &mut Vec<TraceStep>, what: &str, value: String) {
    trace.push(TraceStep { step: what.to_owned(), value });
}
