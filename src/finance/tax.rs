//! Tax on a purchase or a lease from a dated rule row. The laws are rows; this only knows their shapes.
//!
//! Named roundings: where state and local tax share one base, the combined rate is applied once and rounded half up; the
//! local line is what remains after the state line. Where local tax has a base of its own (capped), each line is rounded.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::error::FinanceError;

crate::text_enum! {
    /// What kind of tax a state takes when a vehicle changes hands.
    pub enum TaxScheme {
        /// Sales or use tax.
        Sales = "SALES",
        /// Highway use tax, instead of sales tax.
        HighwayUse = "HIGHWAY_USE",
        /// One-time tax on the title by value.
        TitleAdValorem = "TITLE_AD_VALOREM",
        /// Excise tax on titling.
        Excise = "EXCISE",
        /// No tax.
        None = "NONE",
    }
}
impl TaxScheme {
    /// What customers call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sales => "Sales tax",
            Self::HighwayUse => "Highway use tax",
            Self::TitleAdValorem => "Title ad valorem tax",
            Self::Excise => "Excise tax",
            Self::None => "Tax",
        }
    }
}

crate::text_enum! {
    /// How counties and cities join in.
    pub enum LocalTaxRule {
        /// They do not.
        None = "NONE",
        /// Their rate is added to the state's, on the same base.
        Stacked = "STACKED",
        /// Their rate applies to the first part of the base only.
        CappedBase = "CAPPED_BASE",
    }
}
crate::text_enum! {
    /// How a trade-in lowers the taxable amount. The gross allowance counts, never the equity.
    pub enum TradePolicy {
        /// Not at all.
        None = "NONE",
        /// By its whole allowance.
        Full = "FULL",
        /// Up to an amount, for so many trade-ins.
        Capped = "CAPPED",
        /// Only when a new vehicle is bought.
        NewOnly = "NEW_ONLY",
    }
}
crate::text_enum! {
    /// How a lease is taxed.
    pub enum LeaseTaxMethod {
        /// On each payment, and on what lowers the capitalized cost at signing.
        PerPayment = "PER_PAYMENT",
        /// On all payments together, at signing.
        UpfrontTotal = "UPFRONT_TOTAL",
        /// On the price, at signing.
        OnPrice = "ON_PRICE",
        /// Not at all.
        None = "NONE",
    }
}
crate::text_enum! {
    /// Whether a vehicle is sold as new.
    pub enum SaleCondition {
        /// Never titled.
        New = "NEW",
        /// Used.
        Used = "USED",
        /// Used, inspected and warranted by its maker.
        Certified = "CERTIFIED",
    }
}
crate::text_enum! {
    /// What a protection product is.
    pub enum ProductKind {
        /// Vehicle service contract.
        ServiceContract = "SERVICE_CONTRACT",
        /// Pays what insurance does not after a total loss.
        Gap = "GAP",
        /// Prepaid maintenance.
        Maintenance = "MAINTENANCE",
        /// Tires and wheels.
        TireAndWheel = "TIRE_AND_WHEEL",
        /// Paint, fabric, dents.
        Appearance = "APPEARANCE",
        /// Theft deterrent.
        Theft = "THEFT",
        /// Key replacement.
        Key = "KEY",
        /// Wear and tear at the end of a lease.
        LeaseWear = "LEASE_WEAR",
    }
}

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
    /// Whether GAP is taxed.
    pub gap_taxable: bool,
    /// Whether other products are taxed.
    pub other_product_taxable: bool,
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

/// A trade-in, as far as money goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TradeIn {
    /// What the dealer gives for it.
    pub allowance: Cents,
    /// What the customer still owes on it, until `payoff_good_through`.
    pub payoff: Cents,
    /// The last day the payoff figure stands.
    pub payoff_good_through: Option<NaiveDate>,
    /// Interest the lender adds to the payoff for each later day.
    pub payoff_per_diem: Cents,
    /// What it is worth to the store (managers only).
    pub actual_cash_value: Option<Cents>,
}

impl TradeIn {
    /// What is owed on a day: after the day the figure stands, a day's interest for every day.
    pub fn payoff_on(&self, day: NaiveDate) -> Cents {
        let late = self.payoff_good_through.map_or(0, |good| day.signed_duration_since(good).num_days()).max(0);
        self.payoff + Cents(self.payoff_per_diem.0.saturating_mul(late))
    }

    /// The trade-in as it stands on a day: its payoff brought forward.
    #[must_use]
    pub fn settled(self, day: NaiveDate) -> Self {
        Self { payoff: self.payoff_on(day), payoff_good_through: None, payoff_per_diem: Cents::ZERO, ..self }
    }

    /// What the store allows beyond the car's worth to it; lowers the store's gross.
    pub fn over_allowance(&self) -> Option<Cents> {
        self.actual_cash_value.map(|worth| self.allowance - worth)
    }
}

/// What tax is taken on.
#[derive(Debug, Clone, Default)]
pub struct Taxable<'a> {
    /// The agreed price.
    pub price: Cents,
    /// The value on the state's books, where the tax goes by the higher of the two.
    pub assessed_value: Option<Cents>,
    /// Whether the vehicle is new.
    pub new_vehicle: bool,
    /// Document fee.
    pub doc_fee: Cents,
    /// Trade-ins.
    pub trade_ins: &'a [TradeIn],
    /// Paid by the manufacturer.
    pub manufacturer_rebate: Cents,
    /// Given by the dealer.
    pub dealer_rebate: Cents,
    /// Products with their prices.
    pub products: &'a [(ProductKind, Cents)],
}

/// Tax on one amount, by who takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxSplit {
    /// The state's.
    pub state: Cents,
    /// Counties' and cities'.
    pub local: Cents,
    /// What the local tax was taken on.
    pub local_base: Cents,
}

/// One line of tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxLine {
    /// `TAX_STATE`, `TAX_LOCAL`, `TAX_PRODUCTS`.
    pub code: &'static str,
    /// What the customer reads.
    pub label: String,
    /// What it was taken on.
    pub base: Cents,
    /// At what rate.
    pub rate: Rate,
    /// How much.
    pub amount: Cents,
}

impl TaxRule {
    /// The rate on every further dollar below any cap.
    pub const fn combined_rate(&self) -> Rate {
        match self.local_rule {
            LocalTaxRule::None => self.state_rate,
            LocalTaxRule::Stacked | LocalTaxRule::CappedBase => self.state_rate.plus(self.local_rate),
        }
    }

    fn product_taxable(&self, kind: ProductKind) -> bool {
        match kind {
            ProductKind::ServiceContract => self.service_contract_taxable,
            ProductKind::Gap => self.gap_taxable,
            _ => self.other_product_taxable,
        }
    }

    /// How much of the trade-ins' allowances leaves the taxable amount.
    pub fn trade_credit(&self, new_vehicle: bool, trade_ins: &[TradeIn]) -> Result<Cents, FinanceError> {
        let all = || trade_ins.iter().map(|t| t.allowance).sum::<Cents>();
        Ok(match self.trade_policy {
            TradePolicy::Full => all(),
            TradePolicy::NewOnly if new_vehicle => all(),
            TradePolicy::None | TradePolicy::NewOnly => Cents::ZERO,
            TradePolicy::Capped => {
                let cap = self.trade_cap.ok_or_else(|| FinanceError::IncompleteRule(self.jurisdiction.clone()))?;
                let mut allowances: Vec<Cents> = trade_ins.iter().map(|t| t.allowance).collect();
                // The customer may choose which trade-in counts: the largest.
                allowances.sort_unstable_by(|a, b| b.cmp(a));
                allowances.into_iter().take(usize::from(self.trade_cap_count.unwrap_or(u16::MAX))).sum::<Cents>().min(cap)
            }
        })
    }

    /// The taxable amount of the vehicle (never negative).
    pub fn vehicle_base(&self, sale: &Taxable<'_>) -> Result<Cents, FinanceError> {
        let value = sale.assessed_value.map_or(sale.price, |v| v.max(sale.price));
        let mut base = value;
        if self.doc_fee_taxable {
            base += sale.doc_fee;
        }
        if self.manufacturer_rebate_reduces_base {
            base -= sale.manufacturer_rebate;
        }
        if self.dealer_rebate_reduces_base {
            base -= sale.dealer_rebate;
        }
        base -= self.trade_credit(sale.new_vehicle, sale.trade_ins)?;
        if self.negative_equity_in_base {
            base += negative_equity(sale.trade_ins);
        }
        Ok(base.at_least_zero())
    }

    /// The tax on a purchase, line by line.
    pub fn on_purchase(&self, sale: &Taxable<'_>) -> Result<Vec<TaxLine>, FinanceError> {
        if self.scheme == TaxScheme::None {
            return Ok(Vec::new());
        }
        let mut lines = self.on_base(self.vehicle_base(sale)?, sale.price > Cents::ZERO, "")?;
        lines.extend(self.on_products(sale.products)?);
        Ok(lines)
    }

    /// The tax on taxable products: the combined rate, rounded once.
    fn on_products(&self, products: &[(ProductKind, Cents)]) -> Result<Option<TaxLine>, FinanceError> {
        let (base, rate, amount) = (self.products_base(products), self.combined_rate(), self.products_amount(products)?);
        if base <= Cents::ZERO {
            return Ok(None);
        }
        Ok(Some(TaxLine { code: "TAX_PRODUCTS", label: format!("{} on products", self.scheme.label()), base, rate, amount }))
    }

    fn products_base(&self, products: &[(ProductKind, Cents)]) -> Cents {
        products.iter().filter(|(kind, _)| self.product_taxable(*kind)).map(|(_, price)| *price).sum()
    }

    fn products_amount(&self, products: &[(ProductKind, Cents)]) -> Result<Cents, FinanceError> {
        self.combined_rate().of(self.products_base(products).at_least_zero()).ok_or(FinanceError::Overflow)
    }

    /// State and local tax on one amount, with the rule's minimum, maximum and fixed first part.
    pub fn on_base(&self, base: Cents, minimum_applies: bool, what: &str) -> Result<Vec<TaxLine>, FinanceError> {
        let TaxSplit { state, local, local_base } = self.split(base, minimum_applies)?;
        let label = |who: &str, rate: Rate| format!("{who} {} {rate} %{what}", self.scheme.label().to_lowercase());
        let mut lines = Vec::with_capacity(2);
        if state != Cents::ZERO || self.state_rate > Rate::ZERO {
            lines.push(TaxLine { code: "TAX_STATE", label: label("State", self.state_rate), base, rate: self.state_rate, amount: state });
        }
        if local != Cents::ZERO {
            lines.push(TaxLine {
                code: "TAX_LOCAL",
                label: label("Local", self.local_rate),
                base: local_base,
                rate: self.local_rate,
                amount: local,
            });
        }
        Ok(lines)
    }

    /// The amounts of [`TaxRule::on_base`], without words.
    pub fn split(&self, base: Cents, minimum_applies: bool) -> Result<TaxSplit, FinanceError> {
        let first = self.first_base.unwrap_or(Cents::ZERO).min(base);
        let rated = base - first;
        let fixed = if first > Cents::ZERO { self.first_tax } else { Cents::ZERO };
        let of = |rate: Rate, amount: Cents| rate.of(amount).ok_or(FinanceError::Overflow);
        let mut state = of(self.state_rate, rated)? + fixed;
        let (local_base, mut local) = match self.local_rule {
            LocalTaxRule::None => (Cents::ZERO, Cents::ZERO),
            LocalTaxRule::Stacked => (base, of(self.state_rate.plus(self.local_rate), rated)? + fixed - state),
            LocalTaxRule::CappedBase => {
                let cap = self.local_base_cap.ok_or_else(|| FinanceError::IncompleteRule(self.jurisdiction.clone()))?;
                (base.min(cap), of(self.local_rate, base.min(cap))?)
            }
        };
        if minimum_applies && state + local < self.minimum_tax {
            state = self.minimum_tax - local;
        }
        if let Some(most) = self.maximum_tax
            && state + local > most
        {
            state = state.min(most);
            local = most - state;
        }
        Ok(TaxSplit { state, local, local_base })
    }

    /// The amount of [`TaxRule::on_purchase`], without words: for searching and for grids.
    pub fn purchase_amount(&self, sale: &Taxable<'_>) -> Result<Cents, FinanceError> {
        if self.scheme == TaxScheme::None {
            return Ok(Cents::ZERO);
        }
        let TaxSplit { state, local, .. } = self.split(self.vehicle_base(sale)?, sale.price > Cents::ZERO)?;
        Ok(state + local + self.products_amount(sale.products)?)
    }

    /// What is taxed at signing of a lease because it lowers the capitalized cost: cash, rebates that do not lower the base,
    /// and trade-ins where the rule gives no credit.
    pub fn lease_reduction_base(&self, cash: Cents, manufacturer_rebate: Cents, dealer_rebate: Cents, trade_allowance: Cents) -> Cents {
        if !self.lease_reduction_taxable {
            return Cents::ZERO;
        }
        let mut base = cash;
        if !self.manufacturer_rebate_reduces_base {
            base += manufacturer_rebate;
        }
        if !self.dealer_rebate_reduces_base {
            base += dealer_rebate;
        }
        if !self.lease_trade_credit {
            base += trade_allowance;
        }
        base.at_least_zero()
    }
}

/// What the customer owes on trade-ins beyond what they are worth, all together (zero when there is equity).
pub fn negative_equity(trade_ins: &[TradeIn]) -> Cents {
    let payoff: Cents = trade_ins.iter().map(|t| t.payoff).sum();
    let allowance: Cents = trade_ins.iter().map(|t| t.allowance).sum();
    (payoff - allowance).at_least_zero()
}

/// All lines of tax together.
pub fn total(lines: &[TaxLine]) -> Cents {
    lines.iter().map(|l| l.amount).sum()
}
