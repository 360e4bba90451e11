//! From the deal to the engine and back: the one place where deals meets finance and insurance.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::{DealKind, FigureLine, Figures, LineKind, Structure};
use crate::inventory::{VehicleCondition, VehicleStatus};
use crate::kernel::id::{GroupId, InsurerId, ProductId, ProgramId, StoreId, VehicleId};
use crate::kernel::money::Cents;

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
    /// All inputs and the ids of the rules, for replay.
    pub inputs: Value,
    /// All lines.
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
    /// All inputs, for replay.
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
    /// A product that is not offered by this group on this day.
    UnknownProduct,
    /// The engine refuses, in its words.
    Engine(String),
}

/// A lender program that does not fit, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// The program.
    pub program_id: ProgramId,
    /// Every rule that is not met, in words.
    pub reasons: Vec<String>,
}

/// The engine with the rules of the day. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Desk {}

impl Desk {
    /// Whose taxes apply to a buyer who lives there.
    pub fn jurisdiction_of(&self, state: Option<&str>, _postal_code: Option<&str>) -> Option<String> {
        state.map(str::to_owned)
    }

    /// Whether taxes are known for a place on a day.
    pub fn knows_jurisdiction(&self, _code: &str, _on: NaiveDate) -> bool {
        true
    }

    /// The list price of a product the group offers on a day.
    pub fn product_price(&self, _group: GroupId, _product: ProductId, _on: NaiveDate) -> Option<Cents> {
        Some(Cents::ZERO)
    }

    /// Every figure of a structure.
    pub fn figures(&self, case: &Case<'_>) -> Result<Figures, Unpriced> {
        let s = case.structure;
        let line = |kind, code: &str, label: &str, amount| FigureLine { kind, code: code.into(), label: label.into(), amount };
        let mut lines = vec![line(LineKind::Price, "PRICE", "Price", s.terms.price)];
        lines.push(line(LineKind::DownPayment, "DOWN_PAYMENT", "Down payment", -s.terms.down_payment));
        for (n, trade) in s.trade_ins.iter().enumerate() {
            lines.push(line(LineKind::TradeIn, &format!("TRADE_IN_{n}"), "Trade-in", -trade.equity()));
        }
        let financed = lines.iter().map(|l| l.amount).sum();
        Ok(Figures {
            tax: Cents::ZERO,
            fees: Cents::ZERO,
            total_price: s.terms.price,
            amount_financed: financed,
            payment: None,
            payment_is_estimate: true,
            verified: false,
            lines,
        })
    }

    /// What every lender program says.
    pub fn finance_offers(&self, _case: &Case<'_>) -> Result<(Vec<FinanceOffer>, Vec<Declined>), Unpriced> {
        Ok((Vec::new(), Vec::new()))
    }

    /// What every insurer says.
    pub fn insurance_offers(&self, _case: &Case<'_>) -> Vec<InsuranceOffer> {
        Vec::new()
    }

    /// A stored quote calculated again from its inputs.
    pub fn replay(&self, _inputs: &Value) -> Option<Value> {
        None
    }
}
