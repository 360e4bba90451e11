//! Asking a manager and answering: what both see, and the manager's live list.
#![expect(clippy::unused_async, reason = "the macro of async-graphql wants an async function")]

use std::collections::{HashMap, VecDeque};

use async_graphql::{Context, ID, InputObject, Lookahead, Object, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use futures::stream::{self, Stream};
use uuid::Uuid;

use super::node::{DealNode, parts};
use super::parts::StaffMember;
use crate::auth::{Actor, Scope};
use crate::db::ears::{Ear, Topic};
use crate::db::notices::{Notices, Signal, Subject};
use crate::deals::approval::{ApprovalLevel, ApprovalStatus, CounterOffer, Finding};
use crate::deals::model::DealKind;
use crate::deals::service::Deals;
use crate::deals::store::approvals::{Approval, ApprovalFilter};
use crate::finance::{ApprovalKind, ApprovalUnit};
use crate::graphql::context::{actor, service};
use crate::graphql::page::{self, Connection, PageArgs};
use crate::graphql::{DecimalText, GqlError, GqlResult, MoneyObject, input};
use crate::kernel::id::{ApprovalId, RuleVersionId, StoreId};
use crate::kernel::money::{Cents, Currency};

/// A question to a manager, as somebody may see it.
#[derive(Debug, Clone)]
pub struct ApprovalNode {
    approval: Approval,
    manager: bool,
    deal: Option<DealNode>,
}

impl ApprovalNode {
    pub(super) fn new(approval: Approval, actor: &Actor) -> Self {
        Self { manager: actor.manages(approval.store_id), approval, deal: None }
    }

    /// One question of the actor's stores.
    pub(super) async fn load(ctx: &Context<'_>, id: ApprovalId) -> GqlResult<Option<Self>> {
        let actor = actor(ctx)?;
        let found = service::<Deals>(ctx)?.approval(&actor.selling_scope(), id).await?;
        Ok(found.map(|approval| Self::new(approval, actor)))
    }

    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.approval.currency)
    }

    fn for_managers(&self, cents: Option<Cents>) -> Option<MoneyObject> {
        cents.filter(|_| self.manager).map(|cents| self.money(cents))
    }
}

/// A question to a manager about exactly these figures, and the answer. After any change of the figures it has fallen.
#[Object(name = "Approval")]
impl ApprovalNode {
    /// Opaque id, `apv_…`.
    async fn id(&self) -> ID {
        self.approval.id.into()
    }
    /// The deal as it stands now. Null when it left your stores.
    async fn deal(&self, ctx: &Context<'_>) -> GqlResult<Option<DealNode>> {
        match &self.deal {
            Some(deal) => Ok(Some(deal.clone())),
            None => DealNode::load(ctx, self.approval.deal_id, &ctx.look_ahead()).await,
        }
    }
    /// The deal's number.
    async fn deal_number(&self) -> String {
        self.approval.deal_number.to_string()
    }
    /// What became of it.
    async fn status(&self) -> ApprovalStatus {
        self.approval.status
    }
    /// The least role that may say yes.
    async fn level(&self) -> ApprovalLevel {
        self.approval.level
    }
    /// Which rules of the house the figures go beyond.
    async fn findings(&self) -> Vec<FindingNode> {
        let node = |finding: &Finding| FindingNode { finding: finding.clone(), currency: self.approval.currency, manager: self.manager };
        self.approval.findings.iter().map(node).collect()
    }
    /// What the salesperson said to it.
    async fn note(&self) -> Option<&str> {
        self.approval.note.as_deref()
    }
    /// Who asked.
    async fn requested_by(&self) -> StaffMember {
        StaffMember { id: self.approval.requested_by.into(), display_name: self.approval.requested_by_name.clone() }
    }
    /// When.
    async fn requested_at(&self) -> DateTime<Utc> {
        self.approval.requested_at
    }
    /// When the group's admins are told too, if nobody has answered by then.
    async fn escalates_at(&self) -> DateTime<Utc> {
        self.approval.escalates_at
    }
    /// When they were told.
    async fn escalated_at(&self) -> Option<DateTime<Utc>> {
        self.approval.escalated_at
    }
    /// Until when the question waits; once answered, until when the answer stands.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.approval.expires_at
    }
    /// Who answered.
    async fn decided_by(&self) -> Option<StaffMember> {
        let id = self.approval.decided_by?;
        Some(StaffMember { id: id.into(), display_name: self.approval.decided_by_name.clone().unwrap_or_default() })
    }
    /// When.
    async fn decided_at(&self) -> Option<DateTime<Utc>> {
        self.approval.decided_at
    }
    /// What the manager said to it.
    async fn decision_note(&self) -> Option<&str> {
        self.approval.decision_note.as_deref()
    }
    /// What the manager offers instead: `approvalTakeCounter` takes it.
    async fn counter_offer(&self) -> Option<CounterOfferNode> {
        let offer = self.approval.counter.as_ref()?;
        let money = |cents: Option<Cents>| cents.map(|cents| self.money(cents));
        Some(CounterOfferNode {
            price: money(offer.price),
            down_payment: money(offer.down_payment),
            dealer_rebate: money(offer.dealer_rebate),
            term_months: offer.term_months,
            trade_in_allowances: offer
                .allowances
                .iter()
                .map(|(id, cents)| TradeInAllowanceNode { trade_in_id: (*id).into(), allowance: self.money(*cents) })
                .collect(),
        })
    }
    /// The car when it was asked, such as "2023 Toyota RAV4".
    async fn vehicle_title(&self) -> &str {
        &self.approval.figures.title
    }
    /// How the customer pays.
    async fn kind(&self) -> DealKind {
        self.approval.figures.kind
    }
    /// Price in the deal when it was asked; so are all figures below.
    async fn price(&self) -> MoneyObject {
        self.money(self.approval.figures.price)
    }
    /// The asking price.
    async fn asking_price(&self) -> Option<MoneyObject> {
        self.approval.figures.asking.map(|cents| self.money(cents))
    }
    /// The store's own rebate.
    async fn dealer_rebate(&self) -> MoneyObject {
        self.money(self.approval.figures.dealer_rebate)
    }
    /// What the customer pays at signing.
    async fn down_payment(&self) -> MoneyObject {
        self.money(self.approval.figures.down_payment)
    }
    /// Months; null for cash.
    async fn term_months(&self) -> Option<i32> {
        self.approval.figures.term_months
    }
    /// What all trade-ins are allowed.
    async fn trade_allowance(&self) -> MoneyObject {
        self.money(self.approval.figures.trade_allowance)
    }
    /// What they are allowed beyond their worth. Managers only; null when their worth is not on file.
    async fn over_allowance(&self) -> Option<MoneyObject> {
        self.for_managers(self.approval.figures.over_allowance)
    }
    /// Price of all protection products.
    async fn products_total(&self) -> MoneyObject {
        self.money(self.approval.figures.products)
    }
    /// Price, products, taxes and fees.
    async fn total_price(&self) -> Option<MoneyObject> {
        self.approval.figures.total_price.map(|cents| self.money(cents))
    }
    /// What is financed; for cash what is due.
    async fn amount_financed(&self) -> Option<MoneyObject> {
        self.approval.figures.amount_financed.map(|cents| self.money(cents))
    }
    /// Monthly.
    async fn payment(&self) -> Option<MoneyObject> {
        self.approval.figures.payment.map(|cents| self.money(cents))
    }
    /// What the store earns on the car: price after its own rebate, less cost and over-allowance. Managers only; null when the cost
    /// is not on file.
    async fn front_gross(&self) -> Option<MoneyObject> {
        self.for_managers(self.approval.figures.front_gross)
    }
}

/// A rule of the house that figures go beyond.
#[derive(Debug)]
pub(super) struct FindingNode {
    finding: Finding,
    currency: Currency,
    manager: bool,
}

impl FindingNode {
    fn hundredths(&self, value: i64) -> Option<DecimalText> {
        let shown = self.manager || !self.finding.kind.is_confidential();
        shown.then(|| DecimalText(rust_decimal::Decimal::new(value, 2)))
    }
}

/// A rule of the house that figures go beyond.
#[Object(name = "ApprovalFinding")]
impl FindingNode {
    /// What the rule looks at.
    async fn kind(&self) -> ApprovalKind {
        self.finding.kind
    }
    /// A sentence. What only managers may see is left out for others.
    async fn say(&self) -> String {
        self.finding.say(self.manager)
    }
    /// What `measured` and `limit` are counted in; `MONEY` is the deal's currency.
    async fn unit(&self) -> ApprovalUnit {
        self.finding.kind.unit()
    }
    /// The currency, where the unit is money.
    async fn currency(&self) -> Option<String> {
        (self.finding.kind.unit() == ApprovalUnit::Money).then(|| self.currency.to_string())
    }
    /// What was found. Managers only where it shows cost, a trade-in's worth or the lender's rate.
    async fn measured(&self) -> Option<DecimalText> {
        self.hundredths(self.finding.measured)
    }
    /// What a salesperson may decide alone. Managers only, as `measured`.
    async fn limit(&self) -> Option<DecimalText> {
        self.hundredths(self.finding.limit)
    }
    /// Who may say yes to it.
    async fn level(&self) -> ApprovalLevel {
        self.finding.level
    }
    /// The version of the rule, `rul_…`.
    async fn rule_version(&self) -> ID {
        RuleVersionId(self.finding.rule_id).into()
    }
}

/// What a manager offers instead. What is null stays as it is.
#[derive(Debug, SimpleObject)]
#[graphql(name = "CounterOffer")]
pub(super) struct CounterOfferNode {
    /// Price of the vehicle.
    price: Option<MoneyObject>,
    /// What the customer pays at signing.
    down_payment: Option<MoneyObject>,
    /// The store's own rebate.
    dealer_rebate: Option<MoneyObject>,
    /// Months.
    term_months: Option<i32>,
    /// What is allowed for trade-ins.
    trade_in_allowances: Vec<TradeInAllowanceNode>,
}

/// What is offered for one trade-in.
#[derive(Debug, SimpleObject)]
#[graphql(name = "TradeInAllowance")]
pub(super) struct TradeInAllowanceNode {
    /// Which, `trd_…`.
    trade_in_id: ID,
    /// How much.
    allowance: MoneyObject,
}

/// Figures a manager would agree to. What is not given stays.
#[derive(Debug, InputObject)]
pub(super) struct CounterOfferInput {
    /// Price of the vehicle.
    price: Option<DecimalText>,
    /// What the customer pays at signing.
    down_payment: Option<DecimalText>,
    /// The store's own rebate.
    dealer_rebate: Option<DecimalText>,
    /// Months, from 1 to 120.
    term_months: Option<i32>,
    /// What to allow for trade-ins of the deal; at most 4.
    #[graphql(default)]
    trade_in_allowances: Vec<TradeInAllowanceInput>,
}

/// What to allow for one trade-in.
#[derive(Debug, InputObject)]
pub(super) struct TradeInAllowanceInput {
    /// Which, `trd_…`.
    trade_in_id: ID,
    /// How much.
    allowance: DecimalText,
}

impl CounterOfferInput {
    pub(super) fn read(self) -> GqlResult<CounterOffer> {
        let amount =
            |name: &str, value: Option<DecimalText>| value.map(|v| input::amount(&format!("input.counterOffer.{name}"), v)).transpose();
        if self.trade_in_allowances.len() > crate::deals::model::TRADE_INS_MAX {
            return Err(GqlError::bad_input("input.counterOffer.tradeInAllowances: at most 4 items"));
        }
        let allowance = |one: TradeInAllowanceInput| -> GqlResult<_> {
            let id = input::id("input.counterOffer.tradeInAllowances.tradeInId", &one.trade_in_id)?;
            Ok((id, input::amount("input.counterOffer.tradeInAllowances.allowance", one.allowance)?))
        };
        Ok(CounterOffer {
            price: amount("price", self.price)?,
            down_payment: amount("downPayment", self.down_payment)?,
            dealer_rebate: amount("dealerRebate", self.dealer_rebate)?,
            term_months: self.term_months,
            allowances: self.trade_in_allowances.into_iter().map(allowance).collect::<GqlResult<_>>()?,
        })
    }
}

/// Which questions to list. Everything given must hold.
#[derive(Debug, Default, InputObject)]
pub(super) struct ApprovalFilterInput {
    /// Only these; at most 100.
    statuses: Option<Vec<ApprovalStatus>>,
    /// Of one store, `sto_…`.
    store_id: Option<ID>,
    /// Only those the group's admins were told of.
    #[graphql(default)]
    escalated: bool,
}

/// What a list of questions has beyond its items.
#[derive(Debug)]
pub struct ApprovalTotals(ApprovalFilter);

/// What a list of questions has beyond its items.
#[Object]
impl ApprovalTotals {
    /// How many the filter finds in all stores you manage. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        Ok(service::<Deals>(ctx)?.count_approvals(&actor(ctx)?.managing_scope(), &self.0).await?)
    }
}

/// Queries about what managers are asked.
#[derive(Debug, Default)]
pub struct ApprovalsQuery;

#[Object]
impl ApprovalsQuery {
    /// What the managers of your stores are and were asked, the newest first. Managers only.
    async fn approvals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; all when not given.")] filter: Option<ApprovalFilterInput>,
        #[graphql(desc = "How many, from 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> GqlResult<Connection<ApprovalNode, ApprovalTotals>> {
        let scope = actor(ctx)?.managing_scope();
        if scope.is_empty() {
            return Err(GqlError::forbidden("What managers are asked is shown to managers. `deal.approval` shows a deal's own."));
        }
        let filter = filter.unwrap_or_default();
        let filter = ApprovalFilter {
            statuses: input::list("filter.statuses", filter.statuses.unwrap_or_default())?,
            store: input::opt_id("filter.storeId", filter.store_id.as_ref())?,
            escalated: filter.escalated,
        };
        let args = PageArgs::<Uuid>::read(first, after.as_deref())?;
        let found = service::<Deals>(ctx)?.approvals(&scope, &filter, args.after, args.limit()).await?;
        let look = ctx.look_ahead();
        let deals = [look.field("nodes").field("deal"), look.field("edges").field("node").field("deal")];
        let nodes = with_deals(ctx, found, &deals).await?;
        Ok(page::connection(nodes, args.first, ApprovalTotals(filter), |node: &ApprovalNode| node.approval.id.0, |node| node))
    }
}

/// The deals of a page of questions in one statement, when they are selected.
async fn with_deals(ctx: &Context<'_>, found: Vec<Approval>, selected: &[Lookahead<'_>]) -> GqlResult<Vec<ApprovalNode>> {
    let actor = actor(ctx)?;
    let mut deals = HashMap::new();
    if selected.iter().any(Lookahead::exists) {
        let wanted = selected.iter().map(parts).reduce(|a, b| a.or(b)).unwrap_or_default();
        let ids: Vec<_> = found.iter().map(|approval| approval.deal_id).collect();
        let rooms = service::<Deals>(ctx)?.find_many(&actor.selling_scope(), &ids, wanted).await?;
        deals = DealNode::together(rooms).into_iter().map(|node| (node.deal().id, node)).collect();
    }
    let node = |approval: Approval| {
        let deal = deals.get(&approval.deal_id).cloned();
        ApprovalNode { deal, ..ApprovalNode::new(approval, actor) }
    };
    Ok(found.into_iter().map(node).collect())
}

/// Subscriptions to what managers are asked.
#[derive(Debug, Default)]
pub struct ApprovalsSubscription;

struct Watch {
    deals: Deals,
    actor: std::sync::Arc<Actor>,
    scope: Scope,
    ear: Ear,
    /// Read already, not told yet.
    waiting: VecDeque<Approval>,
    /// Everything that waits is to be read: at the beginning, and when something may have been missed.
    all: bool,
}

/// Most questions told at the beginning.
const WAITING_MAX: i64 = 100;

#[Subscription]
impl ApprovalsSubscription {
    /// What the managers of a store are asked: first everything that waits, the oldest first, then every question as it is asked,
    /// answered, escalated, fallen or expired. For managers; ends at once for a store you do not manage.
    async fn approvals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The store, `sto_…`.")] store_id: ID,
    ) -> Result<impl Stream<Item = Result<ApprovalNode, GqlError>> + use<>, GqlError> {
        let store: StoreId = input::id("storeId", &store_id)?;
        let actor = std::sync::Arc::clone(actor(ctx)?);
        let watch = Watch {
            deals: service::<Deals>(ctx)?.clone(),
            scope: actor.managing_scope().only(store),
            actor,
            ear: service::<Notices>(ctx)?.ear(&[Topic::OfStore(Subject::Approval, store.0)]),
            waiting: VecDeque::new(),
            all: true,
        };
        let watch = (!watch.scope.is_empty()).then_some(watch);
        Ok(stream::unfold(watch, |watch| async {
            let mut watch = watch?;
            match watch.next().await {
                Ok(approval) => Some((Ok(ApprovalNode::new(approval, &watch.actor)), Some(watch))),
                // One error is told, then the stream ends; the client subscribes again.
                Err(error) => Some((Err(error), None)),
            }
        }))
    }
}

impl Watch {
    /// The next question to tell of.
    async fn next(&mut self) -> GqlResult<Approval> {
        loop {
            if std::mem::take(&mut self.all) {
                let pending = ApprovalFilter { statuses: vec![ApprovalStatus::Pending], ..ApprovalFilter::default() };
                self.waiting = self.deals.approvals(&self.scope, &pending, None, WAITING_MAX).await?.into_iter().rev().collect();
            }
            if let Some(approval) = self.waiting.pop_front() {
                return Ok(approval);
            }
            match self.ear.hear().await {
                Signal::Changed(notice) => {
                    if let Some(approval) = self.deals.approval(&self.scope, ApprovalId(notice.subject_id)).await? {
                        return Ok(approval);
                    }
                }
                Signal::Resync | Signal::Rules(_) => self.all = true,
            }
        }
    }
}
