//! A quote: everything that goes in, every line that comes out, and which rules were used.
//!
//! [`QuoteInput`] holds copies of the rule rows it was calculated with, so that [`QuoteInput::quote`] gives the same bytes
//! again after any later change of the rules. Lines that are financed sum to the amount financed (for a lease the adjusted
//! capitalized cost, for cash the balance due).

mod buildup;
mod disclosure;
mod fee;
mod lease;
mod result;
mod retail;
mod worksheet;

use std::borrow::Cow;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::kernel::money::Cents;

use super::error::FinanceError;
use super::program::{MarkupLaw, Program, VehicleFacts};
use super::retail::Calendar;
use super::tax::{TaxRule, negative_equity};

pub(super) use buildup::Buildup;
pub use disclosure::{PaymentGroup, TruthInLending};
pub use fee::{FeeRule, FeeScope, FeeWaiver};
pub use result::{LeaseDetail, LinePlacement, Quote, QuoteLine, QuoteLineKind, RateStory, RuleUse, SigningLine, TraceStep};
pub use worksheet::{CoSigner, Credit, DEFERRED_MAX, DeferredDown, FEE_WAIVERS_MAX, ProductLine, Purse, Worksheet};

/// Grows when any figure of any quote could come out differently. Stored with every quote.
pub const ENGINE_VERSION: &str = "2.1";
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

/// Everything a quote follows from. Serialised, it is `finance_quote.inputs`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct QuoteInput {
    /// What is on the table.
    #[serde(flatten)]
    pub worksheet: Worksheet,
    /// The day of signing.
    pub contract_date: NaiveDate,
    /// The vehicle, as far as tax and lenders look at it.
    pub vehicle: VehicleFacts,
    /// The buyer's state, which a lender's caps may depend on.
    pub state: String,
    /// The tax rule of the buyer's jurisdiction.
    pub tax_rule: Arc<TaxRule>,
    /// The fees that apply.
    pub fees: Vec<Arc<FeeRule>>,
    /// The lender's program; none for cash.
    pub program: Option<Arc<Program>>,
    /// What the buyer's state lets a dealer add to a lender's rate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markup_laws: Vec<Arc<MarkupLaw>>,
}

impl QuoteInput {
    /// The whole quote.
    pub fn quote(&self) -> Result<Quote, FinanceError> {
        self.quote_from(self.buildup()?)
    }

    /// The whole quote, from a build-up made before.
    pub(super) fn quote_from(&self, buildup: Buildup) -> Result<Quote, FinanceError> {
        match self.worksheet.kind {
            QuoteKind::Cash => Ok(self.cash(buildup)),
            QuoteKind::Retail => self.retail(buildup),
            QuoteKind::Lease => self.lease(buildup),
        }
    }

    /// The payment alone, with no words made: for searches and grids. The same to the cent as the quote's.
    pub fn payment(&self) -> Result<Cents, FinanceError> {
        self.financed_and_payment().map(|(_, payment)| payment)
    }

    /// The amount financed (lease: the adjusted capitalized cost, tax that is capitalized with it) and the payment.
    pub(in crate::finance) fn financed_and_payment(&self) -> Result<(Cents, Cents), FinanceError> {
        let b = self.quiet_buildup()?;
        match self.worksheet.kind {
            QuoteKind::Cash => Ok((b.financed, Cents::ZERO)),
            QuoteKind::Retail => Ok((b.financed, self.retail_payment(b.financed, &mut Calendar::default())?)),
            QuoteKind::Lease => self.lease_payment(b),
        }
    }

    pub(super) fn program(&self) -> Result<&Program, FinanceError> {
        self.program.as_deref().ok_or(FinanceError::NoProgram)
    }

    fn net_trade(&self) -> Cents {
        self.worksheet.allowance() - self.worksheet.payoff(self.contract_date)
    }

    /// Cash paid at signing or later, rebates and trade-in equity; never negative.
    fn down_payment(&self) -> Cents {
        let w = &self.worksheet;
        w.cash_down + w.deferred() + w.manufacturer_rebate + w.dealer_rebate + self.net_trade().at_least_zero()
    }

    /// The figures every kind of quote has.
    fn frame(&self, b: Buildup) -> Quote {
        let w = &self.worksheet;
        let rules = self.rules_used();
        let mut quote = Quote {
            engine_version: Cow::Borrowed(ENGINE_VERSION),
            kind: w.kind,
            currency: w.currency,
            term_months: w.term_months,
            schedule: w.schedule,
            payment_count: 0,
            first_payment_date: None,
            final_payment_date: None,
            tax: b.upfront_tax,
            fees: b.fees,
            products: b.products,
            total_price: w.price + b.products + b.fees + b.upfront_tax,
            down_payment: self.down_payment(),
            deferred_down: w.deferred(),
            prior_balance: (-self.net_trade()).at_least_zero(),
            over_allowance: w.trade_ins.iter().map(super::tax::TradeIn::over_allowance).sum(),
            amount_financed: b.financed,
            prepaid_finance_charge: Cents::ZERO,
            payment: Cents::ZERO,
            final_payment: Cents::ZERO,
            balloon: Cents::ZERO,
            finance_charge: Cents::ZERO,
            total_of_payments: Cents::ZERO,
            total_sale_price: Cents::ZERO,
            due_at_signing: w.cash_down + b.at_signing,
            apr: None,
            sell_rate: None,
            buy_rate: None,
            reserve: Cents::ZERO,
            rate_story: None,
            lease: None,
            verified: rules.iter().all(|r| r.verified),
            lines: b.lines,
            rules,
            trace: Vec::with_capacity(8),
        };
        if w.kind != QuoteKind::Lease {
            let rule = &self.tax_rule;
            quote.step("tax base", format!("{} under {} ({})", b.tax_base, rule.jurisdiction, rule.scheme));
        }
        let financed = quote.amount_financed;
        quote.step("sum of financed lines", financed.to_string());
        quote
    }

    fn rules_used(&self) -> Vec<RuleUse> {
        let (tax, kind) = (&self.tax_rule, self.worksheet.kind);
        let mut rules = Vec::with_capacity(2 + self.fees.len());
        let products_taxed = self.worksheet.products.iter().any(|p| p.price > Cents::ZERO && tax.product_taxable(p.kind));
        let verified = if kind == QuoteKind::Lease { tax.lease_verified } else { tax.verified };
        let verified = verified && (tax.product_verified || !products_taxed);
        rules.push(RuleUse { table: "tax_rule".into(), id: tax.id, label: format!("Tax of {}", tax.jurisdiction), verified });
        rules.extend(self.fees.iter().filter(|f| f.applies(kind)).map(|f| RuleUse {
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
        rules.extend(self.markup_laws.iter().map(|law| RuleUse {
            table: "rate_markup_law".into(),
            id: law.id,
            label: format!("Law on dealers' rates in {}", law.state),
            verified: law.verified,
        }));
        let by_book = self.program.as_ref().is_some_and(|p| p.collateral_basis.is_book());
        rules.extend(self.vehicle.book_row.filter(|_| by_book).map(|row| RuleUse {
            table: "guide_value".into(),
            id: row.id,
            label: "The vehicle's value in the guide book".into(),
            verified: row.verified,
        }));
        rules
    }

    fn cash(&self, b: Buildup) -> Quote {
        let mut quote = self.frame(b);
        quote.term_months = 0;
        quote.due_at_signing = quote.amount_financed + self.worksheet.cash_down;
        quote.total_sale_price = quote.total_price;
        quote
    }

    /// What is owed on trade-ins beyond their worth on the day of signing.
    pub fn prior_balance(&self) -> Cents {
        negative_equity(&self.settled_trade_ins())
    }
}
