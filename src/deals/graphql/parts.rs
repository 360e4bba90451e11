//! The parts of a deal as clients see them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::plan::PaymentPlanNode;
use crate::deals::diff::Difference;
use crate::deals::model::{DealProduct, FigureLine, Figures, Scenario, Terms, TradeIn};
use crate::deals::recheck::{Recheck, RecheckOutcome, RecheckSubject};
use crate::deals::service::Deals;
use crate::deals::steps::{Clearer, NextStep, StepCode};
use crate::deals::store::room::HistoryEvent;
use crate::finance::{FeeWaiver, LinePlacement, Product, ProductKind, QuoteLineKind, Rules};
use crate::graphql::context::service;
use crate::graphql::{Date, GqlResult, MoneyObject};
use crate::kernel::id::{RuleVersionId, StoreId};
use crate::kernel::money::{Cents, Currency};

/// A colleague, as far as everybody may see.
#[derive(Debug, Clone, SimpleObject)]
pub struct StaffMember {
    /// Opaque id, `usr_…`.
    pub id: ID,
    /// The name colleagues see.
    pub display_name: String,
}

/// A car the customer gives in part payment.
#[derive(Debug, Clone)]
pub struct TradeInNode {
    pub(super) trade: TradeIn,
    pub(super) currency: Currency,
    pub(super) manager: bool,
}

impl TradeInNode {
    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.currency)
    }
}

/// A car the customer gives in part payment.
#[Object(name = "TradeIn")]
impl TradeInNode {
    /// Opaque id, `trd_…`. Send it back with `dealStructure` to change this trade-in.
    async fn id(&self) -> ID {
        self.trade.id.into()
    }
    /// The VIN, when known.
    async fn vin(&self) -> Option<&str> {
        self.trade.vin.as_deref()
    }
    /// Model year.
    async fn model_year(&self) -> i32 {
        self.trade.model_year
    }
    /// Make.
    async fn make(&self) -> &str {
        &self.trade.make
    }
    /// Model.
    async fn model(&self) -> &str {
        &self.trade.model
    }
    /// What the odometer shows, in miles.
    async fn odometer_miles(&self) -> Option<i32> {
        self.trade.odometer_miles
    }
    /// What the store allows for it.
    async fn allowance(&self) -> MoneyObject {
        self.money(self.trade.allowance)
    }
    /// What is still owed on it.
    async fn payoff(&self) -> MoneyObject {
        self.money(self.trade.payoff)
    }
    /// Until when the payoff figure stands.
    async fn payoff_good_through(&self) -> Option<Date> {
        self.trade.payoff_good_through.map(Date)
    }
    /// Interest its lender adds to the payoff for each later day.
    async fn payoff_per_diem(&self) -> MoneyObject {
        self.money(self.trade.payoff_per_diem)
    }
    /// Allowance less payoff; negative when more is owed than it brings.
    async fn equity(&self) -> MoneyObject {
        self.money(self.trade.equity())
    }
    /// What it is worth to the store. Managers only.
    async fn actual_cash_value(&self) -> Option<MoneyObject> {
        self.trade.actual_cash_value.filter(|_| self.manager).map(|value| self.money(value))
    }
    /// What the store allows beyond its worth. Managers only.
    async fn over_allowance(&self) -> Option<MoneyObject> {
        self.trade.over_allowance().filter(|_| self.manager).map(|value| self.money(value))
    }
}

/// A line of the figures. The lines placed `FINANCED` sum to the amount financed, for cash to the amount due.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DealLine")]
pub struct LineNode {
    /// What kind of line.
    pub kind: QuoteLineKind,
    /// Stable code, such as `TAX_STATE` or `FEE_DOC`.
    pub code: String,
    /// In words a customer understands.
    pub label: String,
    /// The amount; negative when it lowers what is to be paid.
    pub amount: MoneyObject,
    /// When it is paid.
    pub placement: LinePlacement,
    /// The version of the rule behind it, `rul_…`: for `quotesAffectedBy`. Null where no rule is behind it.
    pub rule_version: Option<ID>,
    /// False while no person has checked the tax or fee behind it against the law.
    pub verified: bool,
    /// Where an unverified figure comes from. Null when it was verified, or when no rule is behind it.
    pub unverified_source: Option<String>,
}

impl LineNode {
    pub(super) fn new(line: FigureLine, currency: Currency) -> Self {
        Self {
            kind: line.kind,
            code: line.code,
            label: line.label,
            amount: MoneyObject::new(line.amount, currency),
            placement: line.placement,
            rule_version: line.rule_id.map(|id| RuleVersionId(id).into()),
            verified: line.unverified_source.is_none(),
            unverified_source: line.unverified_source,
        }
    }
}

/// A fee of the store that the customer does not pay, or not in full.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "FeeWaiver")]
pub struct FeeWaiverNode {
    /// Which fee: the code of its line without `FEE_`.
    pub code: String,
    /// How much of it is waived.
    pub amount: MoneyObject,
}

impl FeeWaiverNode {
    pub(super) fn all(terms: &Terms) -> Vec<Self> {
        let node = |waiver: &FeeWaiver| Self { code: waiver.code.clone(), amount: MoneyObject::new(waiver.amount, terms.currency) };
        terms.fee_waivers.iter().map(node).collect()
    }
}

/// A figure before and after a change.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DealDifference")]
pub struct DifferenceNode {
    /// Stable code, such as `PRICE`, `TAX_STATE`, `PAYMENT`.
    pub code: String,
    /// In words.
    pub label: String,
    /// Before; null where the line did not exist.
    pub before: Option<MoneyObject>,
    /// After; null where the line is gone.
    pub after: Option<MoneyObject>,
    /// After less before.
    pub change: MoneyObject,
    /// When the line is paid; null for a sum.
    pub placement: Option<LinePlacement>,
}

impl DifferenceNode {
    pub(super) fn new(difference: Difference, currency: Currency) -> Self {
        let money = |cents: Cents| MoneyObject::new(cents, currency);
        let change = money(difference.change());
        Self {
            code: difference.code,
            label: difference.label,
            before: difference.before.map(money),
            after: difference.after.map(money),
            change,
            placement: difference.placement,
        }
    }
}

/// What became of something that hangs on the car when the car changed.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DealRecheck")]
pub struct RecheckNode {
    /// What was looked at again.
    pub subject: RecheckSubject,
    /// Its name.
    pub label: String,
    /// What came of it.
    pub outcome: RecheckOutcome,
    /// The payment, price or monthly premium before.
    pub before: Option<MoneyObject>,
    /// After.
    pub after: Option<MoneyObject>,
    /// For reading aloud.
    pub sentence: String,
}

impl RecheckNode {
    pub(super) fn new(line: Recheck, currency: Currency) -> Self {
        let money = |cents: Cents| MoneyObject::new(cents, currency);
        Self {
            subject: line.subject,
            label: line.label,
            outcome: line.outcome,
            before: line.before.map(money),
            after: line.after.map(money),
            sentence: line.sentence,
        }
    }
}

/// A step between now and a signed contract.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DealNextStep")]
pub struct NextStepNode {
    /// Which step.
    pub code: StepCode,
    /// Who can clear it.
    pub who: Clearer,
    /// Can be done now; the steps after it wait.
    pub ready: bool,
    /// A sentence to say.
    pub say: String,
}

impl From<NextStep> for NextStepNode {
    fn from(step: NextStep) -> Self {
        Self { code: step.code, who: step.who, ready: step.ready, say: step.say }
    }
}

/// An event of a deal's history. Never changed, never deleted.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "DealEvent")]
pub struct EventNode {
    /// When.
    pub at: DateTime<Utc>,
    /// Who; null for the program itself.
    pub by: Option<StaffMember>,
    /// What was done: `opened`, `structured`, `quoted`, `quote_accepted`, `presented`, `agreed`, `contracted`, `vehicle_swapped`,
    /// `scenario_saved`, `approval_requested`, `approved`, `approval_declined`, `counter_offered`, `counter_taken`, `approval_escalated`,
    /// `approval_expired`, `taken_over`, `lost`, `cancelled`, `expired`, `delivered`, `unwound`, `returned`.
    pub verb: String,
    /// Figures and ids before and after, as JSON. Amounts in cents.
    pub detail: async_graphql::Json<serde_json::Value>,
}

impl From<HistoryEvent> for EventNode {
    fn from(event: HistoryEvent) -> Self {
        let by = event.user_id.map(|id| StaffMember { id: id.into(), display_name: event.user_name.unwrap_or_default() });
        Self { at: event.at, by, verb: event.verb, detail: async_graphql::Json(event.detail) }
    }
}

/// A structure set aside to compare with.
#[derive(Debug, Clone)]
pub struct ScenarioNode(pub(super) Scenario, pub(super) StoreId);

impl ScenarioNode {
    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.0.structure.terms.currency)
    }
    fn figures(&self) -> &Figures {
        &self.0.figures
    }
}

/// A structure set aside to compare with, and its figures at that time.
#[Object(name = "DealScenario")]
impl ScenarioNode {
    /// Opaque id, `scn_…`.
    async fn id(&self) -> ID {
        self.0.id.into()
    }
    /// What it was called: "with the trade", "longer term".
    async fn label(&self) -> &str {
        &self.0.label
    }
    /// Cash, retail instalment or lease.
    async fn kind(&self) -> crate::deals::model::DealKind {
        self.0.structure.terms.kind
    }
    /// Price of the vehicle.
    async fn price(&self) -> MoneyObject {
        self.money(self.0.structure.terms.price)
    }
    /// Paid at signing.
    async fn down_payment(&self) -> MoneyObject {
        self.money(self.0.structure.terms.down_payment)
    }
    /// Months; null for cash.
    async fn term_months(&self) -> Option<i32> {
        self.0.structure.terms.term_months
    }
    /// How it is paid beside that. Its markup stands on the deal only.
    async fn payment_plan(&self, ctx: &Context<'_>) -> GqlResult<PaymentPlanNode> {
        let terms = &self.0.structure.terms;
        let opened = service::<Deals>(ctx)?.opened_plan(self.1, &terms.plan)?;
        Ok(PaymentPlanNode::new(terms, opened, false))
    }
    /// Fees of the store that are waived or reduced.
    async fn fee_waivers(&self) -> Vec<FeeWaiverNode> {
        FeeWaiverNode::all(&self.0.structure.terms)
    }
    /// What all trade-ins bring after what is owed on them.
    async fn trade_equity(&self) -> MoneyObject {
        self.money(self.0.structure.trade_equity())
    }
    /// All taxes.
    async fn tax(&self) -> MoneyObject {
        self.money(self.figures().tax)
    }
    /// All fees.
    async fn fees(&self) -> MoneyObject {
        self.money(self.figures().fees)
    }
    /// Price, products, taxes and fees.
    async fn total_price(&self) -> MoneyObject {
        self.money(self.figures().total_price)
    }
    /// What would be financed; for cash what would be due.
    async fn amount_financed(&self) -> MoneyObject {
        self.money(self.figures().amount_financed)
    }
    /// The monthly payment of the best program at that time.
    async fn payment(&self) -> Option<MoneyObject> {
        self.figures().payment.map(|payment| self.money(payment))
    }
    /// Every line.
    async fn lines(&self) -> Vec<LineNode> {
        self.figures().lines.iter().map(|line| LineNode::new(line.clone(), self.0.structure.terms.currency)).collect()
    }
    /// When it was saved.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// A protection product on the deal.
#[derive(Debug, Clone)]
pub struct DealProductNode {
    pub(super) product: DealProduct,
    pub(super) currency: Currency,
}

/// A protection product on the deal.
#[Object(name = "DealProduct")]
impl DealProductNode {
    /// Which product, `prd_…`.
    async fn product_id(&self) -> ID {
        self.product.product_id.into()
    }
    /// Its code on the list. Null when it is no longer on file; so are the next three.
    async fn code(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(self.listed(ctx)?.map(|product| product.code.clone()))
    }
    /// What it is called.
    async fn name(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(self.listed(ctx)?.map(|product| product.name.clone()))
    }
    /// What it protects.
    async fn kind(&self, ctx: &Context<'_>) -> GqlResult<Option<ProductKind>> {
        Ok(self.listed(ctx)?.map(|product| product.kind))
    }
    /// Who stands behind it.
    async fn provider(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(self.listed(ctx)?.map(|product| product.provider.clone()))
    }
    /// What the customer pays for it.
    async fn price(&self) -> MoneyObject {
        MoneyObject::new(self.product.price, self.currency)
    }
}

impl DealProductNode {
    fn listed(&self, ctx: &Context<'_>) -> GqlResult<Option<Arc<Product>>> {
        Ok(service::<Rules>(ctx)?.book().product(self.product.product_id).cloned())
    }
}
