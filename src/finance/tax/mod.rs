//! Tax on a purchase or a lease from a dated rule row. The laws are rows; this only knows their shapes.
//!
//! Named roundings: where state and local tax share one base, the combined rate is applied once and rounded half up; the
//! local line is what remains after the state line. Where local tax has a base of its own (capped), each line is rounded.

mod charge;
mod kinds;
mod trade;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

pub use charge::{TaxLine, TaxSplit, Taxable, total};
pub use kinds::{LeaseTaxMethod, LocalTaxRule, ProductKind, SaleCondition, TaxScheme, TradePolicy};
pub use trade::{TradeIn, negative_equity};

/// A row of `tax_rule`.
#[expect(clippy::struct_excessive_bools, reason = "each is a yes or no of the law, a column of the row")]
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaxRule {
    /// The row.
    pub id: Uuid,
    /// `TX`, `FL-MIAMI-DADE`.
    pub jurisdiction: String,
    /// First day it holds.
    pub effective_from: Option<NaiveDate>,
    /// First day it no longer holds.
    pub effective_to: Option<NaiveDate>,
    /// What kind of tax.
    pub scheme: TaxScheme,
    /// The state's rate.
    pub state_rate: Rate,
    /// All local rates together.
    pub local_rate: Rate,
    /// How the local rate applies.
    pub local_rule: LocalTaxRule,
    /// For `CAPPED_BASE`: what the local rate applies to at most.
    pub local_base_cap: Option<Cents>,
    /// How trade-ins count.
    pub trade_policy: TradePolicy,
    /// For `CAPPED`: the most that counts.
    pub trade_cap: Option<Cents>,
    /// For `CAPPED`: how many trade-ins count.
    pub trade_cap_count: Option<u16>,
    /// Whether a manufacturer's rebate lowers the base.
    pub manufacturer_rebate_reduces_base: bool,
    /// Whether a dealer's rebate lowers the base.
    pub dealer_rebate_reduces_base: bool,
    /// Whether the document fee is taxed.
    pub doc_fee_taxable: bool,
    /// Whether service contracts are taxed.
    pub service_contract_taxable: bool,
    /// How much of a service contract's price is taxed where it is (VA: half).
    #[serde(default = "whole")]
    pub service_contract_taxed: Rate,
    /// Whether GAP is taxed.
    pub gap_taxable: bool,
    /// Whether prepaid maintenance is taxed.
    #[serde(default)]
    pub maintenance_taxable: bool,
    /// Whether other products are taxed.
    pub other_product_taxable: bool,
    /// The rate on taxed products where another tax than the vehicle's is due on them (NC: general sales tax).
    #[serde(default)]
    pub product_rate: Option<Rate>,
    /// Whether a person checked what concerns products.
    #[serde(default = "yes")]
    pub product_verified: bool,
    /// How leases are taxed.
    pub lease_method: LeaseTaxMethod,
    /// Whether what lowers the capitalized cost at signing is taxed.
    pub lease_reduction_taxable: bool,
    /// Whether a trade-in's allowance escapes that tax.
    pub lease_trade_credit: bool,
    /// The least tax.
    pub minimum_tax: Cents,
    /// The most tax, where the law has a ceiling (SC).
    pub maximum_tax: Option<Cents>,
    /// A first part of the base with a fixed tax instead of the rate (OK, used vehicles): how much of the base.
    pub first_base: Option<Cents>,
    /// The fixed tax on that first part.
    pub first_tax: Cents,
    /// Whether money still owed on a trade-in adds to the base.
    pub negative_equity_in_base: bool,
    /// Where it was read.
    pub source: String,
    /// When.
    pub source_read_on: NaiveDate,
    /// Whether a person checked what concerns purchases against the law.
    pub verified: bool,
    /// Whether a person checked what concerns leases.
    pub lease_verified: bool,
    /// What to know about it.
    pub note: Option<String>,
}

const fn yes() -> bool {
    true
}

const fn whole() -> Rate {
    Rate(100_000_000)
}
