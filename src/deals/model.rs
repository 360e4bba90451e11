//! What a deal is: its structure (what was put on the table), its figures (what follows from it), and their bounds.
//! Pure: no database, no clock.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::plan::{PaymentPlan, PlanChange};
use super::states::DealState;
use crate::finance::{FEE_WAIVERS_MAX, FeeWaiver, LinePlacement, QuoteLineKind};
use crate::kernel::id::{
    CustomerId, DealId, FinanceQuoteId, InsuranceQuoteId, ProductId, ScenarioId, StoreId, TradeInId, UserId, VehicleId,
};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::text;

/// Most trade-ins of a deal.
pub const TRADE_INS_MAX: usize = 4;
/// Most products of a deal.
pub const PRODUCTS_MAX: usize = 20;
/// Most saved scenarios of a deal.
pub const SCENARIOS_MAX: i64 = 20;
/// Longest label of a scenario, and longest reason for losing or cancelling a deal, in characters.
pub const LABEL_MAX: usize = 80;
/// Longest reason for losing or cancelling a deal, in characters.
pub const REASON_MAX: usize = 500;

crate::text_enum! {
    /// How the customer pays.
    pub enum DealKind {
        /// The whole price at once.
        Cash = "CASH",
        /// A retail instalment contract.
        Retail = "RETAIL",
        /// A lease.
        Lease = "LEASE",
    }
}

crate::text_enum! {
    /// What became of a quote. A quote is never changed, only replaced.
    pub enum QuoteStatus {
        /// Fits the deal's figures and can be accepted.
        Quoted = "QUOTED",
        /// The customer chose it.
        Accepted = "ACCEPTED",
        /// The figures changed, or another quote was asked for.
        Superseded = "SUPERSEDED",
        /// Too old to be accepted.
        Expired = "EXPIRED",
    }
}

crate::text_enum! {
    /// Why a customer did not buy.
    pub enum LostReason {
        /// The price of the car.
        Price = "PRICE",
        /// The monthly payment, or the money down.
        Payment = "PAYMENT",
        /// What was offered for the trade-in.
        TradeIn = "TRADE_IN",
        /// No lender said yes, or not at a rate the customer takes.
        Credit = "CREDIT",
        /// The store has no car that fits.
        Vehicle = "VEHICLE",
        /// The car was sold or held away.
        VehicleTaken = "VEHICLE_TAKEN",
        /// Bought from somebody else.
        BoughtElsewhere = "BOUGHT_ELSEWHERE",
        /// It took too long.
        TookTooLong = "TOOK_TOO_LONG",
        /// Has not decided, or does not answer any more.
        Undecided = "UNDECIDED",
        /// Something else: the words say what.
        Other = "OTHER",
    }
}

/// The scalar part of a structure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Cash, retail instalment or lease.
    pub kind: DealKind,
    /// The currency of every amount.
    pub currency: Currency,
    /// The agreed price of the vehicle.
    pub price: Cents,
    /// What the customer pays at signing.
    pub down_payment: Cents,
    /// Rebates paid by the maker.
    pub manufacturer_rebate: Cents,
    /// Rebates paid by the store.
    pub dealer_rebate: Cents,
    /// Number of months; none for cash.
    pub term_months: Option<i32>,
    /// Miles a year the customer will drive; decides a lease's residual and enters insurance.
    pub annual_miles: Option<i32>,
    /// The tier the lender programs are priced for, as the customer stated or a lender said.
    pub credit_tier: String,
    /// Where the buyer will register the vehicle: whose taxes apply.
    pub buyer_jurisdiction: String,
    /// Days from signing to the first payment.
    pub first_payment_days: i32,
    /// How it is paid beside that.
    #[serde(default)]
    pub plan: PaymentPlan,
    /// Fees of the store that are waived or reduced. Not written when there are none: an approval's hash stays what it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fee_waivers: Vec<FeeWaiver>,
}

impl Terms {
    /// For how many months what is financed is owed; none where it is paid at once.
    pub fn owed_months(&self) -> Option<u16> {
        self.term_months.filter(|_| self.kind != DealKind::Cash).and_then(|months| u16::try_from(months).ok())
    }

    /// What of the store's fees is waived.
    pub fn fees_waived(&self) -> Cents {
        self.fee_waivers.iter().map(|waiver| waiver.amount).sum()
    }
}

/// A car the customer gives in part payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeIn {
    /// Its id.
    pub id: TradeInId,
    /// The VIN, when known.
    pub vin: Option<String>,
    /// Model year.
    pub model_year: i32,
    /// Make.
    pub make: String,
    /// Model.
    pub model: String,
    /// What the odometer shows.
    pub odometer_miles: Option<i32>,
    /// What the store allows for it.
    pub allowance: Cents,
    /// What it is worth to the store (managers only).
    pub actual_cash_value: Option<Cents>,
    /// What is still owed on it.
    pub payoff: Cents,
    /// Until when the payoff figure stands.
    pub payoff_good_through: Option<NaiveDate>,
    /// Interest its lender adds for each later day.
    #[serde(default)]
    pub payoff_per_diem: Cents,
}

impl TradeIn {
    /// Allowance less payoff; negative when more is owed than it brings.
    pub fn equity(&self) -> Cents {
        self.allowance - self.payoff
    }

    /// What the store allows beyond the car's worth; lowers the store's gross.
    pub fn over_allowance(&self) -> Option<Cents> {
        self.actual_cash_value.map(|value| self.allowance - value)
    }
}

/// A protection product on the deal, at the price agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealProduct {
    /// Which product.
    pub product_id: ProductId,
    /// What the customer pays for it.
    pub price: Cents,
}

/// Everything that was put on the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    /// Price, money down, term …
    pub terms: Terms,
    /// Cars in part payment, in order.
    pub trade_ins: Vec<TradeIn>,
    /// Protection products.
    pub products: Vec<DealProduct>,
}

/// Parts of a structure to change; `None` leaves a part as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StructureChange {
    /// Cash, retail instalment or lease.
    pub kind: Option<DealKind>,
    /// Price of the vehicle.
    pub price: Option<Cents>,
    /// Paid at signing.
    pub down_payment: Option<Cents>,
    /// Paid by the maker.
    pub manufacturer_rebate: Option<Cents>,
    /// Paid by the store.
    pub dealer_rebate: Option<Cents>,
    /// Months.
    pub term_months: Option<i32>,
    /// Miles a year.
    pub annual_miles: Option<i32>,
    /// Tier.
    pub credit_tier: Option<String>,
    /// Where the buyer registers the vehicle.
    pub buyer_jurisdiction: Option<String>,
    /// Days to the first payment.
    pub first_payment_days: Option<i32>,
    /// How it is paid beside that.
    pub plan: PlanChange,
    /// All waived fees; replaces those before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_waivers: Option<Vec<FeeWaiver>>,
    /// All trade-ins, in order; replaces those before.
    pub trade_ins: Option<Vec<TradeIn>>,
    /// All products; replaces those before.
    pub products: Option<Vec<DealProduct>>,
}

impl StructureChange {
    /// Nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A value outside its bounds: which part, and a sentence that says what is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfBounds {
    /// The part, in the API's words: `downPayment`.
    pub field: &'static str,
    /// A sentence for the salesperson.
    pub message: String,
}

pub(super) fn out(field: &'static str, message: impl Into<String>) -> OutOfBounds {
    OutOfBounds { field, message: message.into() }
}

impl Structure {
    /// The structure with the change made, checked.
    pub fn changed(&self, change: StructureChange) -> Result<Self, OutOfBounds> {
        let old = &self.terms;
        let kind = change.kind.unwrap_or(old.kind);
        let terms = Terms {
            kind,
            currency: old.currency,
            price: change.price.unwrap_or(old.price),
            down_payment: change.down_payment.unwrap_or(old.down_payment),
            manufacturer_rebate: change.manufacturer_rebate.unwrap_or(old.manufacturer_rebate),
            dealer_rebate: change.dealer_rebate.unwrap_or(old.dealer_rebate),
            term_months: change.term_months.or(old.term_months),
            annual_miles: change.annual_miles.or(old.annual_miles),
            credit_tier: change.credit_tier.unwrap_or_else(|| old.credit_tier.clone()),
            buyer_jurisdiction: change.buyer_jurisdiction.unwrap_or_else(|| old.buyer_jurisdiction.clone()),
            first_payment_days: change.first_payment_days.unwrap_or(old.first_payment_days),
            plan: old.plan.changed(change.plan),
            fee_waivers: change.fee_waivers.unwrap_or_else(|| old.fee_waivers.clone()),
        };
        let next = Self {
            terms,
            trade_ins: change.trade_ins.unwrap_or_else(|| self.trade_ins.clone()),
            products: change.products.unwrap_or_else(|| self.products.clone()),
        };
        next.check()?;
        Ok(next)
    }

    /// Checks every bound that can be known without the rules.
    pub fn check(&self) -> Result<(), OutOfBounds> {
        let terms = &self.terms;
        within("price", terms.price, Cents(1))?;
        within("downPayment", terms.down_payment, Cents::ZERO)?;
        within("manufacturerRebate", terms.manufacturer_rebate, Cents::ZERO)?;
        within("dealerRebate", terms.dealer_rebate, Cents::ZERO)?;
        if terms.manufacturer_rebate + terms.dealer_rebate > terms.price {
            return Err(out("manufacturerRebate", format!("The rebates together can't be more than the price of {}.", terms.price)));
        }
        between("termMonths", terms.term_months, 1, 120, "months")?;
        between("annualMiles", terms.annual_miles, 1_000, 100_000, "miles a year")?;
        between("firstPaymentDays", Some(terms.first_payment_days), 0, 90, "days")?;
        terms.plan.check()?;
        check_waivers(&terms.fee_waivers)?;
        if text::required(&terms.credit_tier, 20).as_ref() != Ok(&terms.credit_tier) {
            return Err(out("creditTier", "The credit tier is a short name such as \"A\"."));
        }
        if text::required(&terms.buyer_jurisdiction, 40).as_ref() != Ok(&terms.buyer_jurisdiction) {
            return Err(out("buyerJurisdiction", "The buyer's jurisdiction is a code such as \"TX\" or \"NY-NYC\"."));
        }
        if self.trade_ins.len() > TRADE_INS_MAX {
            return Err(out("tradeIns", format!("A deal takes at most {TRADE_INS_MAX} trade-ins.")));
        }
        for trade in &self.trade_ins {
            trade.check()?;
        }
        if self.products.len() > PRODUCTS_MAX {
            return Err(out("products", format!("A deal takes at most {PRODUCTS_MAX} products.")));
        }
        for (position, product) in self.products.iter().enumerate() {
            within("products", product.price, Cents::ZERO)?;
            if self.products.iter().take(position).any(|before| before.product_id == product.product_id) {
                return Err(out("products", "The same product is on the list twice."));
            }
        }
        Ok(())
    }

    /// Gross allowance of all trade-ins: what the trade-in tax credit is reckoned from.
    pub fn trade_allowance(&self) -> Cents {
        self.trade_ins.iter().map(|trade| trade.allowance).sum()
    }

    /// Equity of all trade-ins; negative when more is owed than they bring.
    pub fn trade_equity(&self) -> Cents {
        self.trade_ins.iter().map(TradeIn::equity).sum()
    }

    /// What all trade-ins are allowed beyond their worth; none when no trade-in's worth is known.
    pub fn over_allowance(&self) -> Option<Cents> {
        self.trade_ins.iter().filter_map(TradeIn::over_allowance).reduce(|a, b| a + b)
    }

    /// What of the store's fees is waived.
    pub fn fees_waived(&self) -> Cents {
        self.terms.fees_waived()
    }

    /// Price of all products.
    pub fn products_total(&self) -> Cents {
        self.products.iter().map(|product| product.price).sum()
    }
}

impl TradeIn {
    fn check(&self) -> Result<(), OutOfBounds> {
        within("tradeIns", self.allowance, Cents::ZERO)?;
        within("tradeIns", self.payoff, Cents::ZERO)?;
        within("tradeIns", self.payoff_per_diem, Cents::ZERO)?;
        within("tradeIns", self.actual_cash_value.unwrap_or_default(), Cents::ZERO)?;
        between("tradeIns", Some(self.model_year), 1886, 2100, "as the model year")?;
        between("tradeIns", self.odometer_miles, 0, 2_000_000, "miles")?;
        for (value, what) in [(&self.make, "make"), (&self.model, "model")] {
            if text::required(value, 60).as_ref() != Ok(value) {
                return Err(out("tradeIns", format!("The trade-in's {what} must have 1 to 60 characters.")));
            }
        }
        match &self.vin {
            Some(vin) if !(vin.len() == 17 && vin.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())) => {
                Err(out("tradeIns", "The trade-in's VIN must have 17 letters and digits."))
            }
            _ => Ok(()),
        }
    }
}

fn check_waivers(waivers: &[FeeWaiver]) -> Result<(), OutOfBounds> {
    if waivers.len() > FEE_WAIVERS_MAX {
        return Err(out("feeWaivers", format!("At most {FEE_WAIVERS_MAX} fees can be waived.")));
    }
    for (position, waiver) in waivers.iter().enumerate() {
        within("feeWaivers", waiver.amount, Cents(1))?;
        if waivers.iter().take(position).any(|before| before.code == waiver.code) {
            return Err(out("feeWaivers", "The same fee is on the list twice."));
        }
    }
    Ok(())
}

pub(super) fn within(field: &'static str, amount: Cents, least: Cents) -> Result<(), OutOfBounds> {
    if (least..=Cents::LIMIT).contains(&amount) {
        Ok(())
    } else {
        Err(out(field, format!("The amount must be from {least} to {}.", Cents::LIMIT)))
    }
}

fn between(field: &'static str, value: Option<i32>, least: i32, most: i32, unit: &str) -> Result<(), OutOfBounds> {
    match value {
        Some(value) if !(least..=most).contains(&value) => Err(out(field, format!("Give {least} to {most} {unit}."))),
        _ => Ok(()),
    }
}

/// A line of the figures, in words a customer understands. The lines that are financed sum to the amount financed (for cash
/// to what is due).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureLine {
    /// What kind of line.
    #[serde(rename = "k")]
    pub kind: QuoteLineKind,
    /// Stable code: `TAX_STATE`, `FEE_DOC`.
    #[serde(rename = "c")]
    pub code: String,
    /// In words.
    #[serde(rename = "l")]
    pub label: String,
    /// The amount; negative when it lowers what is to be paid.
    #[serde(rename = "a")]
    pub amount: Cents,
    /// When it is paid.
    #[serde(rename = "p")]
    pub placement: LinePlacement,
    /// The rule row behind it: of a tax, of a fee.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<uuid::Uuid>,
    /// Where the figure comes from, while no person has checked it.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub unverified_source: Option<String>,
}

/// What follows from a structure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// All taxes.
    pub tax: Cents,
    /// All fees.
    pub fees: Cents,
    /// Price, products, taxes and fees, before rebates, trade-in and money down.
    pub total_price: Cents,
    /// What is financed or capitalised; for cash what is due at signing.
    pub amount_financed: Cents,
    /// The monthly payment of the chosen quote, else of the best program for these terms; none for cash.
    pub payment: Option<Cents>,
    /// False once it is the payment of an accepted quote.
    pub payment_is_estimate: bool,
    /// Every rule behind the figures was verified by a person.
    pub verified: bool,
    /// Every line.
    pub lines: Vec<FigureLine>,
}

/// A deal as it is stored, without its lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    /// Its id.
    pub id: DealId,
    /// The number people say.
    pub number: i64,
    /// The store that sells.
    pub store_id: StoreId,
    /// The buyer.
    pub customer_id: CustomerId,
    /// The car.
    pub vehicle_id: VehicleId,
    /// Who sells.
    pub salesperson_id: UserId,
    /// Where it stands.
    pub state: DealState,
    /// Grows by one with every change.
    pub version: i32,
    /// What is on the table.
    pub terms: Terms,
    /// What follows from it; none until it could be priced.
    pub figures: Option<Headline>,
    /// The chosen finance quote.
    pub accepted_finance_quote_id: Option<FinanceQuoteId>,
    /// The chosen insurance quote.
    pub accepted_insurance_quote_id: Option<InsuranceQuoteId>,
    /// Why it was lost or called off, in words.
    pub lost_reason: Option<String>,
    /// Why it was lost, as a code.
    pub lost_reason_code: Option<LostReason>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When the figures were shown.
    pub presented_at: Option<DateTime<Utc>>,
    /// When the customer said yes.
    pub agreed_at: Option<DateTime<Utc>>,
    /// When it was signed.
    pub contracted_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The last change.
    pub updated_at: DateTime<Utc>,
}

/// The figures a list shows: [`Figures`] without the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headline {
    /// All taxes.
    pub tax: Cents,
    /// All fees.
    pub fees: Cents,
    /// Price, products, taxes and fees.
    pub total_price: Cents,
    /// What is financed, or due for cash.
    pub amount_financed: Cents,
    /// Monthly.
    pub payment: Option<Cents>,
    /// Not of an accepted quote.
    pub payment_is_estimate: bool,
}

impl Figures {
    /// Without the lines.
    pub fn headline(&self) -> Headline {
        Headline {
            tax: self.tax,
            fees: self.fees,
            total_price: self.total_price,
            amount_financed: self.amount_financed,
            payment: self.payment,
            payment_is_estimate: self.payment_is_estimate,
        }
    }
}

/// A structure set aside to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Its id.
    pub id: ScenarioId,
    /// "with the trade", "longer term".
    pub label: String,
    /// What was on the table.
    pub structure: Structure,
    /// What followed from it.
    pub figures: Figures,
    /// Who set it aside.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use uuid::Uuid;

    pub(in crate::deals) fn structure() -> Structure {
        Structure {
            terms: Terms {
                kind: DealKind::Retail,
                currency: Currency::USD,
                price: Cents(30_000_00),
                down_payment: Cents(2_000_00),
                manufacturer_rebate: Cents::ZERO,
                dealer_rebate: Cents::ZERO,
                term_months: Some(60),
                annual_miles: Some(12_000),
                credit_tier: "A".into(),
                buyer_jurisdiction: "TX".into(),
                first_payment_days: 30,
                plan: PaymentPlan::default(),
                fee_waivers: Vec::new(),
            },
            trade_ins: Vec::new(),
            products: Vec::new(),
        }
    }

    pub(in crate::deals) fn trade(allowance: i64, payoff: i64) -> TradeIn {
        TradeIn {
            id: TradeInId(Uuid::from_u128(1)),
            vin: None,
            model_year: 2016,
            make: "Honda".into(),
            model: "Civic".into(),
            odometer_miles: Some(80_000),
            allowance: Cents(allowance),
            actual_cash_value: Some(Cents(allowance - 500_00)),
            payoff: Cents(payoff),
            payoff_good_through: None,
            payoff_per_diem: Cents::ZERO,
        }
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let old = structure();
        let new = old.changed(StructureChange { down_payment: Some(Cents(3_000_00)), ..Default::default() }).unwrap();
        assert_eq!(new.terms, Terms { down_payment: Cents(3_000_00), ..old.terms });
        assert_eq!((new.trade_ins, new.products), (old.trade_ins, old.products));
    }

    #[test]
    fn bounds_name_the_part_that_is_wrong() {
        let refused = |change: StructureChange| structure().changed(change).unwrap_err().field;
        assert_eq!(refused(StructureChange { price: Some(Cents::ZERO), ..Default::default() }), "price");
        assert_eq!(refused(StructureChange { down_payment: Some(Cents(-1)), ..Default::default() }), "downPayment");
        assert_eq!(refused(StructureChange { dealer_rebate: Some(Cents(30_000_01)), ..Default::default() }), "manufacturerRebate");
        assert_eq!(refused(StructureChange { term_months: Some(121), ..Default::default() }), "termMonths");
        assert_eq!(refused(StructureChange { annual_miles: Some(999), ..Default::default() }), "annualMiles");
        assert_eq!(refused(StructureChange { first_payment_days: Some(91), ..Default::default() }), "firstPaymentDays");
        assert_eq!(refused(StructureChange { credit_tier: Some(" ".into()), ..Default::default() }), "creditTier");
        assert_eq!(refused(StructureChange { trade_ins: Some(vec![trade(0, 0); 5]), ..Default::default() }), "tradeIns");
        let plan = |plan: PlanChange| refused(StructureChange { plan, ..Default::default() });
        let part = crate::finance::DeferredDown { date: NaiveDate::default(), amount: Cents::ZERO };
        assert_eq!(plan(PlanChange { deferred_down: Some(vec![part]), ..Default::default() }), "deferredDown");
        assert_eq!(plan(PlanChange { security_deposits: Some(21), ..Default::default() }), "securityDeposits");
        let product = DealProduct { product_id: ProductId(Uuid::from_u128(9)), price: Cents(100) };
        assert_eq!(refused(StructureChange { products: Some(vec![product; 2]), ..Default::default() }), "products");
    }

    #[test]
    fn equity_is_allowance_less_payoff_and_over_allowance_is_beyond_the_cars_worth() {
        let trade = trade(10_000_00, 12_500_00);
        assert_eq!(trade.equity(), Cents(-2_500_00));
        assert_eq!(trade.over_allowance(), Some(Cents(500_00)));
    }
}
