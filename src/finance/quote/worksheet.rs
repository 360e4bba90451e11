//! The worksheet: what people put on the table. Everything else of a quote follows from it, the rules and the day.

use chrono::NaiveDate;

use crate::finance::error::FinanceError;
use crate::finance::lease::RESIDUAL_MILES;
use crate::finance::retail::{PaymentSchedule, first_payment_date};
use crate::finance::tax::{ProductKind, TradeIn};
use crate::kernel::id::ProductId;
use crate::kernel::money::{Cents, Currency};
use crate::kernel::rate::Rate;

use super::{FeeWaiver, QuoteKind};

/// Most trade-ins of a quote.
pub const TRADE_INS_MAX: usize = 8;
/// Most products of a quote.
pub const PRODUCTS_MAX: usize = 20;
/// Most parts of a down payment that are paid later.
pub const DEFERRED_MAX: usize = 6;
/// Most waived fees of a quote.
pub const FEE_WAIVERS_MAX: usize = 10;

/// A product on the deal at the price agreed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProductLine {
    /// Which.
    pub id: ProductId,
    /// Its code.
    pub code: String,
    /// What it is, for tax and for lenders' caps.
    pub kind: ProductKind,
    /// What the customer reads.
    pub name: String,
    /// What the customer pays.
    pub price: Cents,
}

/// A part of the down payment that is paid after signing ("pickup payment").
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeferredDown {
    /// When it is due.
    pub date: NaiveDate,
    /// How much.
    pub amount: Cents,
}

/// What a lender asks about the customer's purse, per month.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Purse {
    /// Gross income.
    pub gross_income: Cents,
    /// Debts the credit bureau reports, and housing.
    pub debts: Cents,
}

/// Incomes are nobody's business in a log.
impl std::fmt::Debug for Purse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Purse(..)")
    }
}

/// What is known of the credit of those who sign.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Credit {
    /// The buyer's score, 250 to 900.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u16>,
    /// Accounts on the buyer's credit report: few make a thin file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_lines: Option<u16>,
    /// Who signs with the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub co_signer: Option<CoSigner>,
}

/// Somebody who signs with the buyer and owes as much.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CoSigner {
    /// The score, 250 to 900.
    pub score: Option<u16>,
    /// Gross income per month.
    pub gross_income: Cents,
    /// Debts and housing per month.
    pub debts: Cents,
}

/// Scores are nobody's business in a log.
impl std::fmt::Debug for Credit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credit(..)")
    }
}

/// Nor are those of others.
impl std::fmt::Debug for CoSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CoSigner(..)")
    }
}

/// What is on the table.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Worksheet {
    /// How the customer pays.
    pub kind: QuoteKind,
    /// Of every amount.
    pub currency: Currency,
    /// The agreed price.
    pub price: Cents,
    /// What the customer pays at signing towards the price.
    pub cash_down: Cents,
    /// Further parts of the down payment, paid later without a charge.
    pub deferred_down: Vec<DeferredDown>,
    /// Paid by the manufacturer.
    pub manufacturer_rebate: Cents,
    /// Given by the dealer.
    pub dealer_rebate: Cents,
    /// Cars given in part payment.
    pub trade_ins: Vec<TradeIn>,
    /// Protection products.
    pub products: Vec<ProductLine>,
    /// Fees of the store that are waived or reduced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fee_waivers: Vec<FeeWaiver>,
    /// Months. Ignored for cash.
    pub term_months: u16,
    /// Days to the first payment; 30 means one month. A lease's first payment is due at signing.
    pub first_payment_days: u16,
    /// How often a retail contract is paid.
    pub schedule: PaymentSchedule,
    /// A contract whose last payment is a balloon. Only programs of this kind are asked, and others are without it.
    #[serde(default)]
    pub balloon: bool,
    /// Disregard a slightly odd first period in the disclosed rate, as Regulation Z allows (1026.17(c)(4)).
    pub disregard_odd_first_period: bool,
    /// What the customer's rate lies above the buy rate; nothing unless a manager says so.
    pub markup: Rate,
    /// Miles a year, for a lease's residual.
    pub annual_miles: u32,
    /// Multiple security deposits of a lease.
    pub deposits: u8,
    /// A lease whose payments are all made at signing.
    pub one_pay: bool,
    /// Whether a lease's tax at signing is capitalized instead of paid.
    pub capitalize_tax: bool,
    /// What the lender may ask about the customer's purse; not known: the ratios are not tested.
    pub purse: Option<Purse>,
    /// Score, credit file and co-signer; not known: programs are found by the tier's name and no adder looks at the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<Credit>,
}

impl Worksheet {
    /// A worksheet with nothing but a price on it.
    pub fn new(kind: QuoteKind, currency: Currency, price: Cents) -> Self {
        Self {
            kind,
            currency,
            price,
            cash_down: Cents::ZERO,
            deferred_down: Vec::new(),
            manufacturer_rebate: Cents::ZERO,
            dealer_rebate: Cents::ZERO,
            trade_ins: Vec::new(),
            products: Vec::new(),
            fee_waivers: Vec::new(),
            term_months: 0,
            first_payment_days: 30,
            schedule: PaymentSchedule::Monthly,
            balloon: false,
            disregard_odd_first_period: false,
            markup: Rate::ZERO,
            annual_miles: RESIDUAL_MILES,
            deposits: 0,
            one_pay: false,
            capitalize_tax: false,
            purse: None,
            credit: None,
        }
    }

    /// Amounts and counts within their bounds.
    pub(super) fn check(&self) -> Result<(), FinanceError> {
        let within = |what, amount: Cents| {
            if (Cents::ZERO..=Cents::LIMIT).contains(&amount) { Ok(()) } else { Err(FinanceError::AmountOutOfRange { what }) }
        };
        within("The price", self.price)?;
        within("The down payment", self.cash_down)?;
        within("The manufacturer's rebate", self.manufacturer_rebate)?;
        within("The dealer's rebate", self.dealer_rebate)?;
        for trade in &self.trade_ins {
            within("A trade-in's allowance", trade.allowance)?;
            within("A trade-in's payoff", trade.payoff)?;
            within("A payoff's daily interest", trade.payoff_per_diem)?;
            within("A trade-in's worth", trade.actual_cash_value.unwrap_or_default())?;
        }
        for product in &self.products {
            within("A product's price", product.price)?;
        }
        for waiver in &self.fee_waivers {
            within("A waived fee", waiver.amount)?;
        }
        for part in &self.deferred_down {
            within("A deferred down payment", part.amount)?;
        }
        if let Some(purse) = self.purse {
            within("The income", purse.gross_income)?;
            within("The debts", purse.debts)?;
        }
        if let Some(other) = self.credit.and_then(|credit| credit.co_signer) {
            within("The co-signer's income", other.gross_income)?;
            within("The co-signer's debts", other.debts)?;
        }
        for (what, count, max) in [
            ("trade-ins", self.trade_ins.len(), TRADE_INS_MAX),
            ("products", self.products.len(), PRODUCTS_MAX),
            ("waived fees", self.fee_waivers.len(), FEE_WAIVERS_MAX),
            ("deferred parts of a down payment", self.deferred_down.len(), DEFERRED_MAX),
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

    /// A part of a contract's down payment that is paid later counts as one only until the second payment is due (12 CFR
    /// 1026.2(a)(18)(i)).
    pub fn check_deferred(&self, contract_date: NaiveDate) -> Result<(), FinanceError> {
        if self.deferred_down.is_empty() {
            return Ok(());
        }
        let first = first_payment_date(contract_date, self.first_payment_days, self.schedule, self.term_months)?;
        let second = self.schedule.count(self.term_months).min(2).saturating_sub(1);
        let latest = self.schedule.due_date(first, second)?;
        if self.deferred_down.iter().any(|part| part.date > latest) {
            return Err(FinanceError::DeferredTooLate { latest });
        }
        if self.deferred_down.iter().any(|part| part.date < contract_date) {
            return Err(FinanceError::BadDates("a deferred down payment is due before the contract"));
        }
        Ok(())
    }

    /// Gross allowance of all trade-ins.
    pub fn allowance(&self) -> Cents {
        self.trade_ins.iter().map(|t| t.allowance).sum()
    }

    /// What is owed on all trade-ins on a day.
    pub fn payoff(&self, on: NaiveDate) -> Cents {
        self.trade_ins.iter().map(|t| t.payoff_on(on)).sum()
    }

    /// The parts of the down payment that are paid later.
    pub fn deferred(&self) -> Cents {
        self.deferred_down.iter().map(|part| part.amount).sum()
    }

    /// All products.
    pub fn backend(&self) -> Cents {
        self.products.iter().map(|p| p.price).sum()
    }

    /// The products of one kind.
    pub fn products_of(&self, kind: ProductKind) -> Cents {
        self.products.iter().filter(|p| p.kind == kind).map(|p| p.price).sum()
    }
}
