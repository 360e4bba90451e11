//! What the mutations of a deal take.

use async_graphql::{ID, InputObject};

use super::plan::PaymentPlanInput;
use crate::deals::model::{DealKind, LABEL_MAX, LostReason, PRODUCTS_MAX, REASON_MAX, StructureChange, TRADE_INS_MAX};
use crate::deals::recheck::HoldConstant;
use crate::deals::service::{AnyQuote, EndDeal, FeeWaiverDraft, ProductDraft, StructureWish, Target, TradeInDraft};
use crate::finance::FEE_WAIVERS_MAX;
use crate::graphql::{Date, DecimalText, GqlError, GqlResult, input};
use crate::kernel::id::{FinanceQuoteId, InsuranceQuoteId, TypedId};
use crate::kernel::money::Cents;
use crate::kernel::text;

/// A customer and a car.
#[derive(Debug, InputObject)]
pub(super) struct DealOpenInput {
    /// Who buys, `cus_…`.
    pub(super) customer_id: ID,
    /// Which car, `veh_…`.
    pub(super) vehicle_id: ID,
    /// How the customer pays; `RETAIL` when not given.
    pub(super) kind: Option<DealKind>,
    /// Another price than the asking price.
    pub(super) price: Option<DecimalText>,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    pub(super) idempotency_key: String,
}

/// Declares the input of a mutation that names nothing but the deal.
macro_rules! step_input {
    ($(#[$meta:meta])* $input:ident) => {
        $(#[$meta])*
        #[derive(Debug, InputObject)]
        pub(super) struct $input {
            /// Which deal, `deal_…`.
            deal_id: ID,
            /// The version the tablet shows.
            expected_version: i32,
            /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
            idempotency_key: String,
        }

        impl $input {
            pub(super) fn read(self) -> GqlResult<crate::deals::service::Target> {
                target(&self.deal_id, self.expected_version, key(&self.idempotency_key))
            }
        }
    };
}

pub(super) use step_input;

step_input!(
    /// The deal to ask quotes for.
    DealQuoteInput
);
step_input!(
    /// The deal that was shown to the customer.
    DealPresentInput
);
step_input!(
    /// The deal the customer said yes to.
    DealAgreeInput
);
step_input!(
    /// The deal to sign.
    DealContractInput
);

/// The deal to call off, and why.
#[derive(Debug, InputObject)]
pub(super) struct DealCancelInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
    /// Why, in a few words; at most 500 characters.
    reason: String,
}

impl DealCancelInput {
    pub(super) fn read(self) -> GqlResult<EndDeal> {
        // An empty reason is a refusal in words, not a malformed input.
        let reason = input::optional("input.reason", Some(&self.reason), REASON_MAX)?.unwrap_or_default();
        Ok(EndDeal { target: target(&self.deal_id, self.expected_version, key(&self.idempotency_key))?, reason, code: None })
    }
}

/// The deal the customer walked away from, and why.
#[derive(Debug, InputObject)]
pub(super) struct DealLoseInput {
    /// Which deal, `deal_…`.
    deal_id: ID,
    /// The version the tablet shows.
    expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    idempotency_key: String,
    /// Why, as a code that is counted (`storePerformance`). One of code and words must be given.
    reason_code: Option<LostReason>,
    /// Why, in a few words; at most 500 characters. `OTHER` needs them.
    reason: Option<String>,
}

impl DealLoseInput {
    pub(super) fn read(self) -> GqlResult<EndDeal> {
        let reason = input::optional("input.reason", self.reason.as_deref(), REASON_MAX)?.unwrap_or_default();
        let target = target(&self.deal_id, self.expected_version, key(&self.idempotency_key))?;
        Ok(EndDeal { target, reason, code: self.reason_code })
    }
}

/// A car in part payment.
#[derive(Debug, InputObject)]
pub(super) struct TradeInInput {
    /// The trade-in it replaces, `trd_…`; keeps its worth to the store, which only managers see.
    id: Option<ID>,
    /// The VIN, when known: 17 letters and digits.
    vin: Option<String>,
    /// Model year.
    model_year: i32,
    /// Make; 1 to 60 characters.
    make: String,
    /// Model; 1 to 60 characters.
    model: String,
    /// What the odometer shows, in miles.
    odometer_miles: Option<i32>,
    /// What the store allows for it.
    allowance: DecimalText,
    /// What it is worth to the store.
    actual_cash_value: Option<DecimalText>,
    /// What is still owed on it; nothing when not given.
    payoff: Option<DecimalText>,
    /// Until when the payoff figure stands.
    payoff_good_through: Option<Date>,
    /// Interest its lender adds for each later day; nothing when not given.
    payoff_per_diem: Option<DecimalText>,
}

/// A protection product.
#[derive(Debug, InputObject)]
pub(super) struct DealProductInput {
    /// Which product, `prd_…`.
    product_id: ID,
    /// Another price than the list's.
    price: Option<DecimalText>,
}

/// A fee of the store that the customer does not pay, or not in full.
#[derive(Debug, InputObject)]
pub(super) struct FeeWaiverInput {
    /// Which fee: the code of its line without `FEE_`, such as `DOC`. Never one of the government's.
    code: String,
    /// How much of it; all of it when not given.
    amount: Option<DecimalText>,
}

/// Any part of the structure; what is not given stays.
#[derive(Debug, InputObject)]
pub(super) struct DealStructureInput {
    /// Which deal, `deal_…`.
    pub(super) deal_id: ID,
    /// The version the tablet shows.
    pub(super) expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    pub(super) idempotency_key: String,
    /// What to change.
    #[graphql(flatten)]
    pub(super) structure: StructureInput,
}

/// A structure to set aside: the deal's, with the parts given here instead.
#[derive(Debug, InputObject)]
pub(super) struct DealScenarioSaveInput {
    /// Which deal, `deal_…`.
    pub(super) deal_id: ID,
    /// The version the tablet shows.
    pub(super) expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    pub(super) idempotency_key: String,
    /// What to call it, such as "with the trade"; 1 to 80 characters.
    label: String,
    /// What is different from the deal.
    #[graphql(flatten)]
    pub(super) structure: StructureInput,
}

/// The parts of a structure.
#[derive(Debug, InputObject)]
pub(super) struct StructureInput {
    /// Cash, retail instalment or lease.
    kind: Option<DealKind>,
    /// Price of the vehicle.
    price: Option<DecimalText>,
    /// What the customer pays at signing.
    down_payment: Option<DecimalText>,
    /// Rebates paid by the maker.
    manufacturer_rebate: Option<DecimalText>,
    /// Rebates paid by the store.
    dealer_rebate: Option<DecimalText>,
    /// Months, from 1 to 120.
    term_months: Option<i32>,
    /// Miles a year, from 1,000 to 100,000.
    annual_miles: Option<i32>,
    /// Credit tier, such as "A"; at most 20 characters.
    credit_tier: Option<String>,
    /// Where the buyer will register the vehicle, such as "TX" or "NY-NYC".
    buyer_jurisdiction: Option<String>,
    /// Days from signing to the first payment, from 0 to 90. 30, where nothing was said, is one period of the schedule: a month,
    /// half a month, two weeks or a week.
    first_payment_days: Option<i32>,
    /// How it is paid beside that.
    #[graphql(flatten)]
    plan: PaymentPlanInput,
    /// All trade-ins, in order; replaces those before. At most 4.
    trade_ins: Option<Vec<TradeInInput>>,
    /// All products, in order; replaces those before. At most 20.
    products: Option<Vec<DealProductInput>>,
    /// All fees of the store that are waived or reduced; replaces those before. At most 10. Beyond the house's rule a manager must say yes.
    fee_waivers: Option<Vec<FeeWaiverInput>>,
}

/// A quote of the deal.
#[derive(Debug, InputObject)]
pub(super) struct QuoteAcceptInput {
    /// Which deal, `deal_…`.
    pub(super) deal_id: ID,
    /// Which quote: `fqt_…` or `iqt_…`.
    pub(super) quote_id: ID,
    /// The version the tablet shows.
    pub(super) expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    pub(super) idempotency_key: String,
}

/// Another car for the deal.
#[derive(Debug, InputObject)]
pub(super) struct DealSwapVehicleInput {
    /// Which deal, `deal_…`.
    pub(super) deal_id: ID,
    /// The new car, `veh_…`.
    pub(super) vehicle_id: ID,
    /// Its price in this deal; the asking price when not given. Not with `TOTAL_PRICE`.
    pub(super) price: Option<DecimalText>,
    /// What the customer holds constant: `DOWN_PAYMENT` when not given.
    pub(super) hold_constant: Option<HoldConstant>,
    /// The version the tablet shows.
    pub(super) expected_version: i32,
    /// A key made by the tablet and kept until the answer arrives; 1 to 200 characters.
    pub(super) idempotency_key: String,
}

/// Reads what every change of a deal brings.
pub(super) fn target(deal_id: &ID, expected_version: i32, key: String) -> GqlResult<Target> {
    if expected_version < 1 {
        return Err(GqlError::bad_input("input.expectedVersion: versions begin at 1"));
    }
    Ok(Target { deal_id: input::id("input.dealId", deal_id)?, expected_version, key })
}

impl DealScenarioSaveInput {
    pub(super) fn label(&self) -> GqlResult<String> {
        input::required("input.label", &self.label, LABEL_MAX)
    }
}

pub(super) fn amount(name: &str, value: Option<DecimalText>) -> GqlResult<Option<Cents>> {
    value.map(|value| input::amount(name, value)).transpose()
}

impl StructureInput {
    pub(super) fn read(self) -> GqlResult<StructureWish> {
        let count = self.trade_ins.as_ref().map_or(0, Vec::len);
        if count > TRADE_INS_MAX {
            return Err(GqlError::bad_input(format!("input.tradeIns: at most {TRADE_INS_MAX} items")));
        }
        let count = self.products.as_ref().map_or(0, Vec::len);
        if count > PRODUCTS_MAX {
            return Err(GqlError::bad_input(format!("input.products: at most {PRODUCTS_MAX} items")));
        }
        let count = self.fee_waivers.as_ref().map_or(0, Vec::len);
        if count > FEE_WAIVERS_MAX {
            return Err(GqlError::bad_input(format!("input.feeWaivers: at most {FEE_WAIVERS_MAX} items")));
        }
        let short = |name: &str, value: Option<String>, max| value.map(|v| input::required(name, &v, max)).transpose();
        Ok(StructureWish {
            terms: StructureChange {
                kind: self.kind,
                price: amount("input.price", self.price)?,
                down_payment: amount("input.downPayment", self.down_payment)?,
                manufacturer_rebate: amount("input.manufacturerRebate", self.manufacturer_rebate)?,
                dealer_rebate: amount("input.dealerRebate", self.dealer_rebate)?,
                term_months: self.term_months,
                annual_miles: self.annual_miles,
                credit_tier: short("input.creditTier", self.credit_tier, 20)?,
                buyer_jurisdiction: short("input.buyerJurisdiction", self.buyer_jurisdiction, 40)?,
                first_payment_days: self.first_payment_days,
                plan: self.plan.read("input")?,
                trade_ins: None,
                products: None,
                fee_waivers: None,
            },
            trade_ins: self.trade_ins.map(|list| list.into_iter().map(TradeInInput::read).collect()).transpose()?,
            products: self.products.map(|list| list.into_iter().map(DealProductInput::read).collect()).transpose()?,
            fee_waivers: self.fee_waivers.map(|list| list.into_iter().map(FeeWaiverInput::read).collect()).transpose()?,
        })
    }
}

impl TradeInInput {
    fn read(self) -> GqlResult<TradeInDraft> {
        Ok(TradeInDraft {
            id: input::opt_id("input.tradeIns.id", self.id.as_ref())?,
            vin: input::optional("input.tradeIns.vin", self.vin.as_deref(), 17)?.map(|vin| vin.to_ascii_uppercase()),
            model_year: self.model_year,
            make: input::required("input.tradeIns.make", &self.make, 60)?,
            model: input::required("input.tradeIns.model", &self.model, 60)?,
            odometer_miles: self.odometer_miles,
            allowance: input::amount("input.tradeIns.allowance", self.allowance)?,
            actual_cash_value: amount("input.tradeIns.actualCashValue", self.actual_cash_value)?,
            payoff: amount("input.tradeIns.payoff", self.payoff)?.unwrap_or_default(),
            payoff_good_through: self.payoff_good_through.map(|day| day.0),
            payoff_per_diem: amount("input.tradeIns.payoffPerDiem", self.payoff_per_diem)?.unwrap_or_default(),
        })
    }
}

impl FeeWaiverInput {
    fn read(self) -> GqlResult<FeeWaiverDraft> {
        Ok(FeeWaiverDraft {
            code: input::required("input.feeWaivers.code", &self.code, 40)?,
            amount: amount("input.feeWaivers.amount", self.amount)?,
        })
    }
}

impl DealProductInput {
    fn read(self) -> GqlResult<ProductDraft> {
        Ok(ProductDraft {
            product_id: input::id("input.products.productId", &self.product_id)?,
            price: amount("input.products.price", self.price)?,
        })
    }
}

/// The id of a finance or an insurance quote.
pub(super) fn quote_id(name: &str, id: &ID) -> GqlResult<AnyQuote> {
    match (FinanceQuoteId::parse(id), InsuranceQuoteId::parse(id)) {
        (Ok(id), _) => Ok(AnyQuote::Finance(id)),
        (_, Ok(id)) => Ok(AnyQuote::Insurance(id)),
        _ => Err(GqlError::bad_input(format!("{name}: expected an id that begins with \"fqt_\" or \"iqt_\""))),
    }
}

/// A key may hold no control characters and nothing else than text; its bounds are checked where it is claimed.
pub(super) fn key(raw: &str) -> String {
    text::clean(raw)
}
