//! Price, fees, products, taxes and credits: what is financed, and what is paid at signing.

use std::borrow::Cow;

use uuid::Uuid;

use crate::finance::error::FinanceError;
use crate::finance::tax::{LeaseTaxMethod, ProductKind, TaxLine, TaxRule, Taxable, TradeIn, TradePolicy, total};
use crate::kernel::money::Cents;
use crate::kernel::rate::Rate;

use super::result::{LinePlacement, QuoteLine, QuoteLineKind, Words};
use super::{FEES_MAX, FeeRule, QuoteInput, QuoteKind};

use LinePlacement::{AtSigning, Financed};

/// The lines and their sums, before any lender is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::finance) struct Buildup {
    /// No lines are wanted, only the sums.
    quiet: bool,
    pub(in crate::finance) lines: Vec<QuoteLine>,
    /// The sum of the financed lines.
    pub(in crate::finance) financed: Cents,
    /// The sum of the lines paid at signing.
    pub(in crate::finance) at_signing: Cents,
    pub(in crate::finance) fees: Cents,
    pub(in crate::finance) products: Cents,
    pub(in crate::finance) upfront_tax: Cents,
    /// What of the tax at signing is capitalized.
    pub(in crate::finance) capitalized_tax: Cents,
    /// What the tax on a purchase was taken on.
    pub(in crate::finance) tax_base: Cents,
    /// The tax rule, to be named on its lines.
    tax_rule: Option<Cited>,
    /// The same for what it says of products.
    product_tax: Option<Cited>,
}

/// A rule row to be named on a line: its id, and its source while nobody has checked it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cited(Uuid, Option<String>);

impl Cited {
    fn new(id: Uuid, verified: bool, source: &str) -> Self {
        Self(id, (!verified).then(|| source.to_owned()))
    }
}

impl Buildup {
    fn add(&mut self, kind: QuoteLineKind, amount: Cents, placement: LinePlacement, words: impl FnOnce() -> (Words, Words)) {
        self.add_cited(kind, amount, placement, || (words(), None));
    }

    fn add_cited(
        &mut self,
        kind: QuoteLineKind,
        amount: Cents,
        placement: LinePlacement,
        words: impl FnOnce() -> ((Words, Words), Option<Cited>),
    ) {
        if amount == Cents::ZERO {
            return;
        }
        match placement {
            Financed => self.financed += amount,
            AtSigning => self.at_signing += amount,
        }
        if !self.quiet {
            let ((code, label), cited) = words();
            let (rule_id, unverified_source) = cited.map_or((None, None), |Cited(id, source)| (Some(id), source));
            self.lines.push(QuoteLine { kind, code, label, amount, placement, rule_id, unverified_source });
        }
    }

    fn push(&mut self, kind: QuoteLineKind, code: &'static str, label: &'static str, amount: Cents) {
        self.add(kind, amount, Financed, || (code.into(), label.into()));
    }

    /// Taxes taken at signing: paid then, or capitalized with the rest.
    pub(super) fn taxes(&mut self, lines: Vec<TaxLine>, placement: LinePlacement) {
        self.upfront_tax += total(&lines);
        for line in lines {
            let cited = if line.code == "TAX_PRODUCTS" { self.product_tax.clone() } else { self.tax_rule.clone() };
            self.add_cited(QuoteLineKind::Tax, line.amount, placement, || ((line.code.into(), line.label.into()), cited));
        }
    }

    /// The amount of a tax whose lines nobody will read.
    pub(super) fn tax_amount(&mut self, amount: Cents, placement: LinePlacement) {
        self.upfront_tax += amount;
        self.add(QuoteLineKind::Tax, amount, placement, || ("TAX".into(), "Tax".into()));
    }

    pub(super) const fn is_quiet(&self) -> bool {
        self.quiet
    }
}

impl QuoteInput {
    fn check(&self) -> Result<(), FinanceError> {
        self.worksheet.check()?;
        for (what, amount) in [
            ("The list price", self.vehicle.msrp),
            ("The invoice", self.vehicle.invoice),
            ("The book value", self.vehicle.book_wholesale),
            ("The book value", self.vehicle.book_retail),
        ] {
            if amount.is_some_and(|a| !(Cents::ZERO..=Cents::LIMIT).contains(&a)) {
                return Err(FinanceError::AmountOutOfRange { what });
            }
        }
        if self.worksheet.trade_ins.iter().any(|t| t.payoff_on(self.contract_date) > Cents::LIMIT) {
            return Err(FinanceError::AmountOutOfRange { what: "A trade-in's payoff with its daily interest" });
        }
        let within = |amount: Cents| (Cents::ZERO..=Cents::LIMIT).contains(&amount);
        if self.fees.iter().any(|fee| {
            !within(fee.amount) || fee.cap.is_some_and(|cap| cap < Cents::ZERO) || fee.cap_percent.is_some_and(|cap| cap < Rate::ZERO)
        }) {
            return Err(FinanceError::AmountOutOfRange { what: "A fee" });
        }
        // Rows come from lenders' and states' papers: a slip of the pen must not become a figure.
        let rule = &self.tax_rule;
        let limits = [rule.local_base_cap, rule.trade_cap, rule.maximum_tax, rule.first_base];
        if !limits.into_iter().flatten().chain([rule.minimum_tax, rule.first_tax]).all(within) {
            return Err(FinanceError::AmountOutOfRange { what: "An amount of the tax rule" });
        }
        if [rule.state_rate, rule.local_rate, rule.product_rate.unwrap_or_default()]
            .into_iter()
            .any(|rate| !(Rate::ZERO..=Rate::LIMIT).contains(&rate))
        {
            return Err(FinanceError::RateOutOfRange);
        }
        if let Some(p) = &self.program {
            let amounts = [p.acquisition_fee, p.disposition_fee, p.purchase_option_fee, p.deposit_step, p.flat_reserve];
            if !amounts.into_iter().chain(p.max_reserve).all(within) {
                return Err(FinanceError::AmountOutOfRange { what: "An amount of the lender's program" });
            }
        }
        if self.fees.len() > FEES_MAX {
            return Err(FinanceError::TooMany { what: "fees", max: FEES_MAX });
        }
        Ok(())
    }

    fn doc_fee(&self) -> Cents {
        let (price, waivers) = (self.worksheet.price, &self.worksheet.fee_waivers);
        self.fees.iter().filter(|f| f.code == "DOC").map(|f| f.charged(price) - f.waived(waivers, price)).sum()
    }

    /// The store's own fees are capitalized in a lease, the government's are paid at signing.
    fn fee_placement(&self, fee: &FeeRule) -> LinePlacement {
        if self.worksheet.kind == QuoteKind::Lease && fee.store_id.is_none() { AtSigning } else { Financed }
    }

    /// Trade-ins with their payoffs brought forward to the day of signing.
    pub(in crate::finance) fn settled_trade_ins(&self) -> Cow<'_, [TradeIn]> {
        let trades = &self.worksheet.trade_ins;
        if trades.iter().all(|t| t.payoff_per_diem == Cents::ZERO) {
            return Cow::Borrowed(trades);
        }
        Cow::Owned(trades.iter().map(|t| t.settled(self.contract_date)).collect())
    }

    /// Price, fees, products and credits; taxes too, except those that depend on a lease's payments.
    pub(in crate::finance) fn buildup(&self) -> Result<Buildup, FinanceError> {
        self.build(Buildup { lines: Vec::with_capacity(16), ..Buildup::default() })
    }

    /// The sums of [`QuoteInput::buildup`], without its lines.
    pub(in crate::finance) fn quiet_buildup(&self) -> Result<Buildup, FinanceError> {
        self.build(Buildup { quiet: true, ..Buildup::default() })
    }

    fn build(&self, mut b: Buildup) -> Result<Buildup, FinanceError> {
        self.check()?;
        let w = &self.worksheet;
        let lease = w.kind == QuoteKind::Lease;
        if !b.quiet {
            let rule = &self.tax_rule;
            let verified = if lease { rule.lease_verified } else { rule.verified };
            b.tax_rule = Some(Cited::new(rule.id, verified, &rule.source));
            b.product_tax = Some(Cited::new(rule.id, verified && rule.product_verified, &rule.source));
        }
        b.push(QuoteLineKind::Price, "PRICE", if lease { "Agreed value of the vehicle" } else { "Price of the vehicle" }, w.price);
        for product in &w.products {
            b.products += product.price;
            b.add(QuoteLineKind::Product, product.price, Financed, || {
                (format!("PRODUCT_{}", product.code).into(), product.name.clone().into())
            });
        }
        for fee in self.fees.iter().filter(|f| f.applies(w.kind)) {
            let charged = fee.charged(w.price);
            b.fees += charged;
            b.add_cited(QuoteLineKind::Fee, charged, self.fee_placement(fee), || {
                ((format!("FEE_{}", fee.code).into(), fee.label.clone().into()), Some(Cited::new(fee.id, fee.verified, &fee.source)))
            });
            // A line of its own: the customer sees what the store gives up.
            let waived = fee.waived(&w.fee_waivers, w.price);
            b.fees -= waived;
            b.add(QuoteLineKind::Fee, -waived, self.fee_placement(fee), || {
                (format!("FEE_{}_WAIVED", fee.code).into(), format!("{} waived", fee.label).into())
            });
        }
        if let (true, Some(program)) = (lease, &self.program) {
            b.fees += program.acquisition_fee;
            b.push(QuoteLineKind::Fee, "FEE_ACQUISITION", "Lease acquisition fee", program.acquisition_fee);
        }
        self.build_taxes(&mut b)?;
        b.push(QuoteLineKind::Rebate, "REBATE_MANUFACTURER", "Manufacturer's rebate", -w.manufacturer_rebate);
        b.push(QuoteLineKind::Rebate, "REBATE_DEALER", "Dealer's rebate", -w.dealer_rebate);
        for trade in &w.trade_ins {
            b.push(QuoteLineKind::TradeIn, "TRADE_ALLOWANCE", "Trade-in allowance", -trade.allowance);
            let owed = trade.payoff_on(self.contract_date);
            b.add(QuoteLineKind::TradeIn, owed, Financed, || {
                let label: Words = match trade.payoff_good_through {
                    Some(day) if owed != trade.payoff => format!("Still owed on the trade-in, with daily interest since {day}").into(),
                    Some(day) if day < self.contract_date => format!("Still owed on the trade-in (a figure that stood until {day})").into(),
                    _ => "Still owed on the trade-in".into(),
                };
                ("TRADE_PAYOFF".into(), label)
            });
        }
        b.push(QuoteLineKind::DownPayment, "CASH_DOWN", "Cash down", -w.cash_down);
        for part in &w.deferred_down {
            b.add(QuoteLineKind::DownPayment, -part.amount, Financed, || {
                ("DEFERRED_DOWN".into(), format!("Down payment due on {}", part.date).into())
            });
        }
        Ok(b)
    }

    fn build_taxes(&self, b: &mut Buildup) -> Result<(), FinanceError> {
        let w = &self.worksheet;
        let trades = self.settled_trade_ins();
        let products: Vec<(ProductKind, Cents)> = w.products.iter().map(|p| (p.kind, p.price)).collect();
        let sale = self.taxable(&products, &trades);
        let (mut rule, mut placement) = (Cow::Borrowed(self.tax_rule.as_ref()), Financed);
        if w.kind == QuoteKind::Lease {
            // Only a lease taxed on its price (TX, VA) is taxed here: as a purchase, with credit for trade-ins where the row
            // gives it to leases.
            if rule.lease_method != LeaseTaxMethod::OnPrice {
                return Ok(());
            }
            if !rule.lease_trade_credit && rule.trade_policy != TradePolicy::None {
                rule.to_mut().trade_policy = TradePolicy::None;
            }
            placement = self.lease_tax_placement();
        }
        if b.is_quiet() {
            b.tax_amount(rule.purchase_amount(&sale)?, placement);
        } else {
            b.tax_base = rule.vehicle_base(&sale)?;
            b.taxes(rule.on_purchase(&sale)?, placement);
        }
        if w.kind == QuoteKind::Lease && placement == Financed {
            b.capitalized_tax = b.upfront_tax;
        }
        Ok(())
    }

    fn lease_tax_placement(&self) -> LinePlacement {
        if self.worksheet.capitalize_tax { Financed } else { AtSigning }
    }

    fn taxable<'a>(&self, products: &'a [(ProductKind, Cents)], trade_ins: &'a [TradeIn]) -> Taxable<'a> {
        let w = &self.worksheet;
        Taxable {
            price: w.price,
            assessed_value: None,
            new_vehicle: self.vehicle.is_new(),
            doc_fee: self.doc_fee(),
            trade_ins,
            manufacturer_rebate: w.manufacturer_rebate,
            dealer_rebate: w.dealer_rebate,
            products,
        }
    }

    /// Tax on one amount of a lease: its lines, or, where no lines are wanted, its amount.
    pub(super) fn lease_tax(
        &self,
        b: &mut Buildup,
        base: Cents,
        minimum: bool,
        what: &str,
        placement: LinePlacement,
    ) -> Result<(), FinanceError> {
        let rule: &TaxRule = &self.tax_rule;
        if b.is_quiet() {
            let split = rule.split(base, minimum)?;
            b.tax_amount(split.state + split.local, placement);
        } else {
            b.taxes(rule.on_base(base, minimum, what)?, placement);
        }
        Ok(())
    }
}
