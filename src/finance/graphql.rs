//! Programs, products and tax rules as clients see them. All from memory: no statement is run here.

mod detail;
mod disclosure;

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::product::{CancelMethod, Product};
use super::program::{CollateralBasis, JointScore, Program};
use super::quote::QuoteKind;
use super::rules::Rules;
use super::tax::{LeaseTaxMethod, LocalTaxRule, ProductKind, SaleCondition, TaxRule, TaxScheme, TradePolicy};
use crate::auth::Actor;
use crate::dealers::{Dealers, StoreInfo};
use crate::graphql::context::{actor, service};
use crate::graphql::{Date, DecimalText, GqlError, GqlResult, MoneyObject, Percentage, input};
use crate::kernel::id::{InsurerId, ProductId, ProgramId, RuleVersionId, StoreId};
use crate::kernel::money::{Cents, Currency};

pub use detail::{LeaseProgression, QuoteDetailNode, QuoteInstallment, QuoteLine, QuoteRule, QuoteTraceStep};
pub use disclosure::{DisclosureLine, PaymentGroupNode, RateAdderNode, RateLeverNode, TruthInLendingNode, WhyThisRate};

/// A lender whose programs the group sells.
#[derive(Debug, Clone, SimpleObject)]
pub struct Lender {
    /// Opaque id, `lnd_…`.
    pub id: ID,
    /// Short code.
    pub code: String,
    /// Name.
    pub name: String,
}

/// An insurer on the group's list.
#[derive(Debug, Clone, SimpleObject)]
pub struct Insurer {
    /// Opaque id, `ins_…`.
    pub id: ID,
    /// Short code.
    pub code: String,
    /// Name.
    pub name: String,
}

/// The insurer with this id; none when it is not known any more.
pub fn insurer(ctx: &Context<'_>, id: InsurerId) -> GqlResult<Option<Insurer>> {
    let book = service::<Rules>(ctx)?.book();
    Ok(book.insurance().insurer(id).map(|i| Insurer { id: i.id.into(), code: i.code.clone(), name: i.name.clone() }))
}

/// The program with this id; none when it is not known any more. Rates and caps show only to managers of the store.
pub fn program(ctx: &Context<'_>, id: ProgramId, store: StoreId) -> GqlResult<Option<ProgramNode>> {
    let manager = actor(ctx)?.manages(store);
    let currency = currency(ctx, store)?;
    let book = service::<Rules>(ctx)?.book();
    Ok(book.program(id).map(|program| ProgramNode { program: Arc::clone(program), currency, manager }))
}

/// The product with this id; none when it is not known any more. Cost shows only to managers of the store.
pub fn product(ctx: &Context<'_>, id: ProductId, store: StoreId) -> GqlResult<Option<ProductNode>> {
    let manager = actor(ctx)?.manages(store);
    let currency = currency(ctx, store)?;
    let book = service::<Rules>(ctx)?.book();
    Ok(book.product(id).map(|product| ProductNode { product: Arc::clone(product), currency, manager }))
}

fn currency(ctx: &Context<'_>, store: StoreId) -> GqlResult<Currency> {
    Ok(service::<Dealers>(ctx)?.store(store).map_or(Currency::USD, |s| s.currency))
}

/// A lender's program: one row of its rate sheet.
#[derive(Debug, Clone)]
pub struct ProgramNode {
    program: Arc<Program>,
    currency: Currency,
    manager: bool,
}

impl ProgramNode {
    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.currency)
    }
}

/// A lender's program: one row of its rate sheet.
#[Object(name = "LenderProgram")]
impl ProgramNode {
    /// Opaque id, `prg_…`.
    async fn id(&self) -> ID {
        self.program.id.into()
    }
    /// Short code, unique per lender.
    async fn code(&self) -> &str {
        &self.program.code
    }
    /// Name.
    async fn name(&self) -> &str {
        &self.program.name
    }
    /// Whose program it is.
    async fn lender(&self) -> Lender {
        let p = &self.program;
        Lender { id: p.lender_id.into(), code: p.lender_code.clone(), name: p.lender_name.clone() }
    }
    /// Retail instalment contract or lease.
    async fn kind(&self) -> QuoteKind {
        self.program.kind
    }
    /// The credit tier it is priced for, such as `A+`.
    async fn credit_tier(&self) -> &str {
        &self.program.credit_tier
    }
    /// Which score the lender goes by when somebody signs with the buyer.
    async fn joint_score(&self) -> JointScore {
        self.program.joint_score
    }
    /// Whether a co-signer's income and debts count with the buyer's.
    async fn co_signer_income_counts(&self) -> bool {
        self.program.joint_income
    }
    /// Two-letter states it is offered in. Empty: everywhere.
    async fn states(&self) -> &[String] {
        &self.program.states
    }
    /// Conditions of vehicles it takes.
    async fn conditions(&self) -> &[SaleCondition] {
        &self.program.conditions
    }
    /// Oldest vehicle it takes, in model years.
    async fn max_age_years(&self) -> Option<i32> {
        self.program.max_age_years.map(i32::from)
    }
    /// Most miles it takes.
    async fn max_odometer_miles(&self) -> Option<i32> {
        self.program.max_odometer_miles.and_then(|m| i32::try_from(m).ok())
    }
    /// Shortest term, in months.
    async fn term_min_months(&self) -> i32 {
        i32::from(self.program.term_min_months)
    }
    /// Longest term, in months.
    async fn term_max_months(&self) -> i32 {
        i32::from(self.program.term_max_months)
    }
    /// Least amount financed.
    async fn min_financed(&self) -> MoneyObject {
        self.money(self.program.min_financed)
    }
    /// Largest amount financed.
    async fn max_financed(&self) -> MoneyObject {
        self.money(self.program.max_financed)
    }
    /// Most the amount financed may be of the collateral's value, in percent.
    async fn max_loan_to_value(&self) -> Percentage {
        Percentage(self.program.max_ltv.to_percent())
    }
    /// What that value is.
    async fn collateral_basis(&self) -> CollateralBasis {
        self.program.collateral_basis
    }
    /// The lender's rate of a retail program. Managers only.
    async fn buy_rate(&self) -> Option<Percentage> {
        self.program.buy_rate.filter(|_| self.manager).map(|r| Percentage(r.to_percent()))
    }
    /// Most points the dealer may add to it. Managers only.
    async fn max_markup(&self) -> Option<Percentage> {
        self.manager.then(|| Percentage(self.program.max_markup.to_percent()))
    }
    /// What the lender pays the dealer per contract. Managers only.
    async fn flat_reserve(&self) -> Option<MoneyObject> {
        self.manager.then(|| self.money(self.program.flat_reserve))
    }
    /// The money factor of a lease program. Managers only.
    async fn money_factor(&self) -> Option<DecimalText> {
        self.program.money_factor.filter(|_| self.manager).map(|f| DecimalText(f.to_decimal()))
    }
    /// The residual of a lease program at 12,000 miles a year, in percent of the list price.
    async fn residual(&self) -> Option<Percentage> {
        self.program.residual_percent.map(|r| Percentage(r.to_percent()))
    }
    /// A lease's acquisition fee (capitalized), or a contract's origination fee (a prepaid finance charge).
    async fn acquisition_fee(&self) -> MoneyObject {
        self.money(self.program.acquisition_fee)
    }
    /// A lease's fee when the car is given back.
    async fn disposition_fee(&self) -> MoneyObject {
        self.money(self.program.disposition_fee)
    }
    /// First day it holds.
    async fn effective_from(&self) -> Option<Date> {
        self.program.effective_from.map(Date)
    }
    /// First day it no longer holds; null while open.
    async fn effective_to(&self) -> Option<Date> {
        self.program.effective_to.map(Date)
    }
    /// False until a person compared it with the lender's sheet.
    async fn verified(&self) -> bool {
        self.program.verified
    }
}

/// A protection product the group sells.
#[derive(Debug, Clone)]
pub struct ProductNode {
    product: Arc<Product>,
    currency: Currency,
    manager: bool,
}

/// A protection product the group sells.
#[Object(name = "Product")]
impl ProductNode {
    /// Opaque id, `prd_…`.
    async fn id(&self) -> ID {
        self.product.id.into()
    }
    /// Short code.
    async fn code(&self) -> &str {
        &self.product.code
    }
    /// What it is.
    async fn kind(&self) -> ProductKind {
        self.product.kind
    }
    /// What the customer reads.
    async fn name(&self) -> &str {
        &self.product.name
    }
    /// Who stands behind it.
    async fn provider(&self) -> &str {
        &self.product.provider
    }
    /// How long it runs, in months.
    async fn term_months(&self) -> Option<i32> {
        self.product.term_months.map(i32::from)
    }
    /// How many miles it covers.
    async fn term_miles(&self) -> Option<i32> {
        self.product.term_miles.and_then(|m| i32::try_from(m).ok())
    }
    /// What the customer bears of each claim. Null where there is none.
    async fn deductible(&self) -> Option<MoneyObject> {
        self.product.deductible.map(|cents| MoneyObject::new(cents, self.currency))
    }
    /// List price, where no rate sheet says otherwise for the car: `deal.productMenu` has the price on a car.
    async fn price(&self) -> MoneyObject {
        MoneyObject::new(self.product.price, self.currency)
    }
    /// Conditions of vehicles it is for. Empty: every one.
    async fn conditions(&self) -> &[SaleCondition] {
        &self.product.conditions
    }
    /// Oldest vehicle it takes, in model years.
    async fn max_age_years(&self) -> Option<i32> {
        self.product.max_age_years.map(i32::from)
    }
    /// Most miles it takes.
    async fn max_odometer_miles(&self) -> Option<i32> {
        self.product.max_odometer_miles.and_then(|m| i32::try_from(m).ok())
    }
    /// How it is given back; the law of the buyer's state may say otherwise.
    async fn cancel_method(&self) -> CancelMethod {
        self.product.cancel_method
    }
    /// Days in which it can be given back in full; the law of the buyer's state may give more.
    async fn free_look_days(&self) -> i32 {
        i32::from(self.product.free_look_days)
    }
    /// Charged for a cancellation after that; the law of the buyer's state may allow less.
    async fn cancel_fee(&self) -> MoneyObject {
        MoneyObject::new(self.product.cancel_fee, self.currency)
    }
    /// What it costs the dealer. Managers only.
    async fn cost(&self) -> Option<MoneyObject> {
        self.manager.then(|| MoneyObject::new(self.product.cost, self.currency))
    }
}

/// A dated tax rule of a jurisdiction.
#[derive(Debug, Clone)]
pub struct TaxRuleNode(Arc<TaxRule>);

/// A dated tax rule of a jurisdiction.
#[Object(name = "TaxRule")]
impl TaxRuleNode {
    /// This version of the rule, `rul_…`: for `quotesAffectedBy`.
    async fn version(&self) -> ID {
        RuleVersionId(self.0.id).into()
    }
    /// The jurisdiction's code, such as `TX` or `FL-MIAMI-DADE`.
    async fn jurisdiction(&self) -> &str {
        &self.0.jurisdiction
    }
    /// First day it holds.
    async fn effective_from(&self) -> Option<Date> {
        self.0.effective_from.map(Date)
    }
    /// First day it no longer holds; null while open.
    async fn effective_to(&self) -> Option<Date> {
        self.0.effective_to.map(Date)
    }
    /// What kind of tax.
    async fn scheme(&self) -> TaxScheme {
        self.0.scheme
    }
    /// The state's rate.
    async fn state_rate(&self) -> Percentage {
        Percentage(self.0.state_rate.to_percent())
    }
    /// All local rates together.
    async fn local_rate(&self) -> Percentage {
        Percentage(self.0.local_rate.to_percent())
    }
    /// How the local rate applies.
    async fn local_rule(&self) -> LocalTaxRule {
        self.0.local_rule
    }
    /// What the local rate applies to at most, in dollars.
    async fn local_base_cap(&self) -> Option<DecimalText> {
        self.0.local_base_cap.map(|c| DecimalText(c.to_decimal()))
    }
    /// How trade-ins lower the taxable amount.
    async fn trade_policy(&self) -> TradePolicy {
        self.0.trade_policy
    }
    /// The most of a trade-in that counts, in dollars.
    async fn trade_cap(&self) -> Option<DecimalText> {
        self.0.trade_cap.map(|c| DecimalText(c.to_decimal()))
    }
    /// Whether a manufacturer's rebate lowers the taxable amount.
    async fn manufacturer_rebate_reduces_base(&self) -> bool {
        self.0.manufacturer_rebate_reduces_base
    }
    /// Whether a dealer's rebate lowers the taxable amount.
    async fn dealer_rebate_reduces_base(&self) -> bool {
        self.0.dealer_rebate_reduces_base
    }
    /// Whether service contracts are taxed.
    async fn service_contract_taxable(&self) -> bool {
        self.0.service_contract_taxable
    }
    /// How much of a service contract's price is taxed where it is, in percent.
    async fn service_contract_taxed(&self) -> Percentage {
        Percentage(self.0.service_contract_taxed.to_percent())
    }
    /// Whether GAP is taxed.
    async fn gap_taxable(&self) -> bool {
        self.0.gap_taxable
    }
    /// Whether prepaid maintenance is taxed.
    async fn maintenance_taxable(&self) -> bool {
        self.0.maintenance_taxable
    }
    /// Whether other products are taxed.
    async fn other_product_taxable(&self) -> bool {
        self.0.other_product_taxable
    }
    /// The least tax, in dollars.
    async fn minimum_tax(&self) -> DecimalText {
        DecimalText(self.0.minimum_tax.to_decimal())
    }
    /// The most tax, in dollars. Null where there is no ceiling.
    async fn maximum_tax(&self) -> Option<DecimalText> {
        self.0.maximum_tax.map(|cents| DecimalText(cents.to_decimal()))
    }
    /// Whether money still owed on a trade-in adds to the taxable amount.
    async fn negative_equity_in_base(&self) -> bool {
        self.0.negative_equity_in_base
    }
    /// Whether the document fee is taxed.
    async fn doc_fee_taxable(&self) -> bool {
        self.0.doc_fee_taxable
    }
    /// How leases are taxed.
    async fn lease_method(&self) -> LeaseTaxMethod {
        self.0.lease_method
    }
    /// Where it was read.
    async fn source(&self) -> &str {
        &self.0.source
    }
    /// When it was read.
    async fn source_read_on(&self) -> Date {
        Date(self.0.source_read_on)
    }
    /// False until a person compared what concerns purchases with the law.
    async fn verified(&self) -> bool {
        self.0.verified
    }
    /// False until a person compared what concerns leases with the law.
    async fn lease_verified(&self) -> bool {
        self.0.lease_verified
    }
    /// What to know about it.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }
}

/// Queries about programs, products and rules.
#[derive(Debug, Default)]
pub struct FinanceQuery;

fn visible(ctx: &Context<'_>, store: &ID) -> GqlResult<Option<(Arc<Actor>, Arc<StoreInfo>)>> {
    let id: StoreId = input::id("storeId", store)?;
    let actor = actor(ctx)?;
    if !actor.selling_scope().contains(id) {
        return Ok(None);
    }
    Ok(service::<Dealers>(ctx)?.store(id).map(|store| (Arc::clone(actor), store)))
}

#[Object]
impl FinanceQuery {
    /// The lender programs a store can offer today, by lender and code; a rate sheet has some 200 rows. Null for a store you
    /// do not work in.
    async fn programs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The store, `sto_…`.")] store_id: ID,
        #[graphql(desc = "Only retail contracts or only leases.")] kind: Option<QuoteKind>,
        #[graphql(desc = "Only this credit tier.")] credit_tier: Option<String>,
    ) -> GqlResult<Option<Vec<ProgramNode>>> {
        let Some((actor, store)) = visible(ctx, &store_id)? else { return Ok(None) };
        let rules = service::<Rules>(ctx)?;
        let (book, manager) = (rules.book(), actor.manages(store.id));
        let fits = |p: &&Arc<Program>| {
            kind.is_none_or(|k| p.kind == k) && credit_tier.as_deref().is_none_or(|tier| p.credit_tier.eq_ignore_ascii_case(tier))
        };
        let node = |p: &Arc<Program>| ProgramNode { program: Arc::clone(p), currency: store.currency, manager };
        Ok(Some(book.programs(store.group_id, service::<Dealers>(ctx)?.today(store.id)).filter(fits).map(node).collect()))
    }

    /// The credit tiers a store's programs are priced for, best first. Null for a store you do not work in.
    async fn credit_tiers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The store, `sto_…`.")] store_id: ID,
    ) -> GqlResult<Option<Vec<String>>> {
        let Some((_, store)) = visible(ctx, &store_id)? else { return Ok(None) };
        let rules = service::<Rules>(ctx)?;
        Ok(Some(rules.book().credit_tiers(store.group_id, service::<Dealers>(ctx)?.today(store.id))))
    }

    /// The protection products a store sells today, by code. Null for a store you do not work in.
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The store, `sto_…`.")] store_id: ID,
    ) -> GqlResult<Option<Vec<ProductNode>>> {
        let Some((actor, store)) = visible(ctx, &store_id)? else { return Ok(None) };
        let rules = service::<Rules>(ctx)?;
        let (book, manager) = (rules.book(), actor.manages(store.id));
        let node = |p: &Arc<Product>| ProductNode { product: Arc::clone(p), currency: store.currency, manager };
        Ok(Some(book.products(store.group_id, service::<Dealers>(ctx)?.today(store.id)).map(node).collect()))
    }

    /// Every tax rule on file with its source, by jurisdiction and day. Managers only.
    async fn tax_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only rules of this two-letter state.")] state: Option<String>,
    ) -> GqlResult<Vec<TaxRuleNode>> {
        if actor(ctx)?.managing_scope().is_empty() {
            return Err(GqlError::forbidden("Tax rules are shown to managers."));
        }
        let book = service::<Rules>(ctx)?.book();
        let of_state = |rule: &&Arc<TaxRule>| state.as_deref().is_none_or(|s| book.state_of(&rule.jurisdiction).is_ok_and(|own| own == s));
        Ok(book.tax_rules().into_iter().filter(of_state).map(|rule| TaxRuleNode(Arc::clone(rule))).collect())
    }
}
