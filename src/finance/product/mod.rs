//! Protection products: what they cost on a car, who may have them, what they give back, and the menu.
//!
//! A product's price on a car is that of its rate row (vehicle class, condition, age, miles), else its list price. Eligibility
//! and caps come from the product's own row and from the state's law; a product that cannot be of use to this customer is
//! refused (DOMAIN B6, California SB 766). All pure.

mod cancel;
mod eligible;
mod menu;
pub(super) mod store;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use uuid::Uuid;

use super::quote::{ProductLine, QuoteKind};
use super::tax::{ProductKind, SaleCondition};
use crate::kernel::id::{GroupId, ProductId};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

pub use cancel::{Cancellation, Refund, RefundPayee};
pub use eligible::{ProductCase, ProductRefusal, ProductRule};
pub use menu::{CustomerNeeds, DealNeeds, MENU_COLUMNS, MenuEntry, menu};

crate::text_enum! {
    /// How what is left of a product is counted when it is cancelled.
    pub enum CancelMethod {
        /// By the time or the miles left, whichever leaves less.
        ProRata = "PRO_RATA",
        /// By the sum of the months' digits; only where the law allows it, else pro rata.
        RuleOf78 = "RULE_OF_78",
        /// It cannot be cancelled after the free look.
        None = "NONE",
    }
}

/// A row of `product`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The row.
    pub id: ProductId,
    /// Whose list it is on.
    pub group_id: GroupId,
    /// Short code.
    pub code: String,
    /// What it is.
    pub kind: ProductKind,
    /// What the customer reads.
    pub name: String,
    /// Who stands behind it.
    pub provider: String,
    /// How long it runs.
    pub term_months: Option<u16>,
    /// How many miles it covers.
    pub term_miles: Option<u32>,
    /// What the customer bears of each claim.
    pub deductible: Option<Cents>,
    /// What it is sold for, where no rate row says otherwise.
    pub price: Cents,
    /// What it costs the dealer (managers only).
    pub cost: Cents,
    /// Which vehicles; empty: all.
    pub conditions: Vec<SaleCondition>,
    /// Which deals; empty: all.
    pub deal_kinds: Vec<QuoteKind>,
    /// Which states; empty: all.
    pub states: Vec<String>,
    /// Oldest vehicle.
    pub max_age_years: Option<u16>,
    /// Most miles.
    pub max_odometer_miles: Option<u32>,
    /// Most the amount financed may be of the list price.
    pub max_ltv: Option<Rate>,
    /// In how many of the menu's columns it stands.
    pub menu_columns: u8,
    /// The customer says yes or no to it before a deal is signed.
    pub must_decide: bool,
    /// How it is given back.
    pub cancel_method: CancelMethod,
    /// Days in which it can be given back in full.
    pub free_look_days: u16,
    /// Charged for a cancellation after that.
    pub cancel_fee: Cents,
    /// First day it is sold.
    pub effective_from: Option<NaiveDate>,
    /// First day it is no longer sold.
    pub effective_to: Option<NaiveDate>,
}

impl Product {
    /// Whether the list means it for such a deal, whatever else may stand against it.
    pub fn meant_for(&self, kind: QuoteKind, condition: SaleCondition, state: &str) -> bool {
        fn of<T: PartialEq>(all: &[T], one: &T) -> bool {
            all.is_empty() || all.contains(one)
        }
        of(&self.deal_kinds, &kind)
            && of(&self.conditions, &condition)
            && (self.states.is_empty() || self.states.iter().any(|s| s == state))
    }

    /// The product on a deal, at its list price or another.
    pub fn line(&self, price: Option<Cents>) -> ProductLine {
        ProductLine { id: self.id, code: self.code.clone(), kind: self.kind, name: self.name.clone(), price: price.unwrap_or(self.price) }
    }
}

/// A row of `product_rate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductRate {
    /// The row.
    pub id: Uuid,
    /// Whose sheet.
    pub group_id: GroupId,
    /// Of which product.
    pub product_code: String,
    /// For which class of vehicles.
    pub vehicle_class: String,
    /// For which condition; none: each.
    pub condition: Option<SaleCondition>,
    /// Model years, half-open.
    pub age: (i32, i32),
    /// Miles, half-open.
    pub miles: (i32, i32),
    /// What it is sold for.
    pub price: Cents,
    /// What it costs the dealer.
    pub cost: Cents,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
}

/// A row of `product_vehicle_class`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VehicleClass {
    /// Whose sheet.
    pub group_id: GroupId,
    /// The make; `*`: every make.
    pub make: String,
    /// The fuel; none: each.
    pub fuel: Option<String>,
    /// The class.
    pub class: String,
}

/// A row of `product_law`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductLaw {
    /// The row.
    pub id: Uuid,
    /// Where.
    pub state: String,
    /// On what.
    pub kind: ProductKind,
    /// Most the price may be of the amount financed.
    pub price_cap: Option<Rate>,
    /// Not to be sold below this loan to value.
    pub min_ltv: Option<Rate>,
    /// At least so many days to give it back in full.
    pub free_look_days: Option<u16>,
    /// Most that may be charged for a cancellation.
    pub cancel_fee_cap: Option<Cents>,
    /// Whether the rule of 78 may be used.
    pub rule_of_78_allowed: bool,
    /// Where it was read.
    pub source: String,
    /// Whether a person checked it.
    pub verified: bool,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
}

/// The rows on products beside the products.
#[derive(Debug, Clone, Default)]
pub struct ProductRows {
    /// Rate sheets.
    pub rates: Vec<ProductRate>,
    /// Classes of vehicles.
    pub classes: Vec<VehicleClass>,
    /// The law.
    pub laws: Vec<ProductLaw>,
}

/// The vehicle as far as products look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductVehicle {
    /// Make.
    pub make: String,
    /// Fuel, in the words of the vehicle's `fuel`.
    pub fuel: Option<String>,
    /// New, used, certified.
    pub condition: SaleCondition,
    /// Model years.
    pub age: i32,
    /// What the odometer shows.
    pub odometer_miles: Option<i32>,
    /// List price.
    pub msrp: Option<Cents>,
}

fn holds(from: Option<NaiveDate>, to: Option<NaiveDate>, on: NaiveDate) -> bool {
    from.is_none_or(|from| from <= on) && to.is_none_or(|to| on < to)
}

/// A product's price and cost on a vehicle, and the class that led there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPrice {
    /// The vehicle's class.
    pub class: String,
    /// What it is sold for.
    pub price: Cents,
    /// What it costs the dealer.
    pub cost: Cents,
    /// The rate row; none: the product's own price.
    pub rate_id: Option<Uuid>,
}

impl ProductRows {
    /// The class of a vehicle: by make and fuel, by make, by fuel, for every make; else A.
    pub fn class(&self, group: GroupId, vehicle: &ProductVehicle) -> String {
        let rank = |row: &VehicleClass| -> Option<u8> {
            let make = row.make.eq_ignore_ascii_case(&vehicle.make);
            let fuel = row.fuel.is_some() && row.fuel == vehicle.fuel;
            match (row.make.as_str(), row.fuel.is_some()) {
                (_, true) if make && fuel => Some(3),
                (_, false) if make => Some(2),
                ("*", true) if fuel => Some(1),
                ("*", false) => Some(0),
                _ => None,
            }
        };
        let rows = self.classes.iter().filter(|row| row.group_id == group);
        let best = rows.filter_map(|row| Some((rank(row)?, &row.class))).max_by_key(|(rank, _)| *rank);
        best.map_or_else(|| "A".to_owned(), |(_, class)| class.clone())
    }

    /// What a product is sold for on a vehicle on a day. A row for the vehicle's condition comes before one for each.
    pub fn price(&self, product: &Product, vehicle: &ProductVehicle, on: NaiveDate) -> ProductPrice {
        let class = self.class(product.group_id, vehicle);
        let within = |(from, to): (i32, i32), value: i32| (from..to).contains(&value);
        let fits = |row: &&ProductRate| {
            row.group_id == product.group_id
                && row.product_code == product.code
                && row.vehicle_class == class
                && row.condition.is_none_or(|c| c == vehicle.condition)
                && within(row.age, vehicle.age)
                && within(row.miles, vehicle.odometer_miles.unwrap_or(0))
                && holds(row.effective_from, row.effective_to, on)
        };
        let row = self.rates.iter().filter(fits).max_by_key(|row| row.condition.is_some());
        ProductPrice {
            class,
            price: row.map_or(product.price, |row| row.price),
            cost: row.map_or(product.cost, |row| row.cost),
            rate_id: row.map(|row| row.id),
        }
    }

    /// What a state's law says about a kind of product on a day.
    pub fn law(&self, state: &str, kind: ProductKind, on: NaiveDate) -> Option<&ProductLaw> {
        self.laws.iter().find(|law| law.state == state && law.kind == kind && holds(law.effective_from, law.effective_to, on))
    }
}
