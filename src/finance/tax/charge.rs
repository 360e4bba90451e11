//! Tax on a purchase, a lease or one amount.

use super::{LocalTaxRule, ProductKind, TaxRule, TaxScheme, TradeIn, TradePolicy, negative_equity};
use crate::finance::error::FinanceError;
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

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

    /// The rate on taxed products.
    fn product_rate(&self) -> Rate {
        self.product_rate.unwrap_or_else(|| self.combined_rate())
    }

    /// Whether a kind of product is taxed.
    pub const fn product_taxable(&self, kind: ProductKind) -> bool {
        match kind {
            ProductKind::ServiceContract => self.service_contract_taxable,
            ProductKind::Gap => self.gap_taxable,
            ProductKind::Maintenance => self.maintenance_taxable,
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

    /// The tax on taxable products: one rate, rounded once.
    fn on_products(&self, products: &[(ProductKind, Cents)]) -> Result<Option<TaxLine>, FinanceError> {
        let (base, rate, amount) = (self.products_base(products), self.product_rate(), self.products_amount(products)?);
        if base <= Cents::ZERO {
            return Ok(None);
        }
        let tax = if self.product_rate.is_some() { TaxScheme::Sales } else { self.scheme };
        Ok(Some(TaxLine { code: "TAX_PRODUCTS", label: format!("{} on products", tax.label()), base, rate, amount }))
    }

    fn products_base(&self, products: &[(ProductKind, Cents)]) -> Cents {
        let taxed = |kind: ProductKind, price: Cents| match kind {
            // Of an amount within the limits a share always fits.
            ProductKind::ServiceContract => self.service_contract_taxed.of(price).unwrap_or(price),
            _ => price,
        };
        products.iter().filter(|(kind, _)| self.product_taxable(*kind)).map(|(kind, price)| taxed(*kind, *price)).sum()
    }

    fn products_amount(&self, products: &[(ProductKind, Cents)]) -> Result<Cents, FinanceError> {
        self.product_rate().of(self.products_base(products).at_least_zero()).ok_or(FinanceError::Overflow)
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

/// All lines of tax together.
pub fn total(lines: &[TaxLine]) -> Cents {
    lines.iter().map(|l| l.amount).sum()
}
