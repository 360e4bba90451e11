//! The deal as clients see it.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Lookahead, Object};
use chrono::{DateTime, NaiveDate, Utc};

use super::answers::NeedsNode;
use super::approvals::ApprovalNode;
use super::deliveries::DeliveryNode;
use super::deposits::DepositNode;
use super::desk::{self, ComparisonNode, DealWhatIfInput, GridNode};
use super::fundings::FundingNode;
use super::holds::{DealHoldNode, QueuePlaceNode};
use super::menu::{MenuNode, ProductRefundNode};
use super::menu_decisions::MenuDecisionNode;
use super::parts::{DealProductNode, EventNode, FeeWaiverNode, LineNode, NextStepNode, ScenarioNode, StaffMember, TradeInNode};
use super::plan::PaymentPlanNode;
use super::quotes::{FinanceQuoteNode, InsuranceQuoteNode};
use super::replay::IndicativeQuoteNode;
use super::seat::SeatNode;
use super::siblings::Siblings;
use crate::auth::Actor;
use crate::customers::Customers;
use crate::customers::graphql::CustomerNode;
use crate::dealers::{Dealers, StoreNode};
use crate::deals::delivery::Delivery;
use crate::deals::model::{Deal, DealKind, DealProduct, Headline, LostReason, TradeIn};
use crate::deals::service::{CancelProduct, Deals, taken_words};
use crate::deals::states::DealState;
use crate::deals::steps::{DealFacts, SignedFacts, next_steps};
use crate::deals::store::room::{Parts, Room};
use crate::graphql::context::{actor, service};
use crate::graphql::page::{self, Connection, EmptyFields, PageArgs};
use crate::graphql::{Date, DecimalText, GqlError, GqlResult, MoneyObject, input};
use crate::inventory::Inventory;
use crate::inventory::graphql::VehicleNode;
use crate::kernel::id::{CustomerId, DealId};
use crate::kernel::money::Cents;
use crate::matching::graphql::{MatchNode, MatchesNode, matches_of, replacements_for};
use crate::payments::Deposit;

/// A deal with the parts that were read with it.
#[derive(Debug, Clone)]
pub struct DealNode(Arc<Room>, Arc<Siblings>);

impl From<Room> for DealNode {
    fn from(room: Room) -> Self {
        let siblings = Siblings::of([&room]);
        Self(Arc::new(room), Arc::new(siblings))
    }
}

/// Which parts of a deal a selection needs.
pub(in crate::deals) fn parts(look: &Lookahead<'_>) -> Parts {
    Parts {
        trade_ins: look.field("tradeIns").exists(),
        products: look.field("products").exists(),
        finance_quotes: look.field("financeQuotes").exists() || look.field("acceptedFinanceQuote").exists(),
        insurance_quotes: look.field("insuranceQuotes").exists() || look.field("acceptedInsuranceQuote").exists(),
        lines: look.field("lines").exists(),
        salesperson: look.field("salesperson").exists(),
        steps: look.field("nextSteps").exists() || look.field("vehicleTaken").exists() || look.field("replacements").exists(),
    }
}

impl DealNode {
    /// Deals of one answer, in order.
    pub(in crate::deals) fn together(rooms: Vec<Room>) -> Vec<Self> {
        let siblings = Arc::new(Siblings::of(&rooms));
        rooms.into_iter().map(|room| Self(Arc::new(room), Arc::clone(&siblings))).collect()
    }

    /// The deals of customers with what the selection asks for, the last opened first; one statement for all of them.
    pub async fn of_customers(ctx: &Context<'_>, customers: &[CustomerId], open_only: bool) -> GqlResult<HashMap<CustomerId, Vec<Self>>> {
        let scope = actor(ctx)?.selling_scope();
        let found = service::<Deals>(ctx)?.of_customers(&scope, customers, open_only, parts(&ctx.look_ahead())).await?;
        let mut by_customer: HashMap<CustomerId, Vec<Self>> = HashMap::new();
        for node in Self::together(found) {
            by_customer.entry(node.deal().customer_id).or_default().push(node);
        }
        Ok(by_customer)
    }

    /// One deal, with everything the selection asks for, in one statement. None outside the actor's stores.
    pub async fn load(ctx: &Context<'_>, id: DealId, look: &Lookahead<'_>) -> GqlResult<Option<Self>> {
        let scope = actor(ctx)?.selling_scope();
        Ok(service::<Deals>(ctx)?.find(&scope, id, parts(look)).await?.map(Self::from))
    }

    /// The deal's own row.
    pub fn deal(&self) -> &Deal {
        &self.0.deal
    }

    /// The best cars of the deal's store to put in the place of its own.
    pub(super) async fn replacements(&self, ctx: &Context<'_>, count: usize) -> GqlResult<Vec<MatchNode>> {
        let (Deal { store_id, customer_id, vehicle_id, .. }, scope) = (&self.0.deal, actor(ctx)?.selling_scope());
        let Some(taken) = service::<Inventory>(ctx)?.find(&scope, *vehicle_id).await? else { return Ok(Vec::new()) };
        let wishes = service::<Customers>(ctx)?.preferences(&scope, &[*customer_id]).await?;
        replacements_for(ctx, &scope.only(*store_id), &wishes, &taken, count).await
    }

    /// Why the deal's car can't be had any more, and whether the store's feed no longer names it.
    async fn taken(&self, ctx: &Context<'_>) -> GqlResult<(Option<String>, bool)> {
        let room = self.with(ctx, |r| r.steps.is_some(), Parts { steps: true, ..Parts::default() }).await?;
        let Some(known) = &room.steps else { return Ok((None, false)) };
        Ok((taken_words(known.taken.as_ref(), known.vehicle_gone), known.vehicle_missing))
    }

    /// The hand-over of a deal that got that far.
    async fn handed_over(&self, ctx: &Context<'_>) -> GqlResult<Option<Delivery>> {
        use DealState::{Closed, Delivered, Funded, Returned, Unwound};
        let Deal { id, state, .. } = self.0.deal;
        if !matches!(state, Delivered | Funded | Closed | Unwound | Returned) {
            return Ok(None);
        }
        Ok(service::<Deals>(ctx)?.delivery(&actor(ctx)?.selling_scope(), id).await?)
    }

    /// The last day to call off a spot delivery that no lender has paid yet.
    async fn spot_deadline(&self, ctx: &Context<'_>) -> GqlResult<Option<NaiveDate>> {
        if self.0.deal.state != DealState::Delivered {
            return Ok(None);
        }
        Ok(self.handed_over(ctx).await?.and_then(|delivery| delivery.spot).map(|spot| spot.until.day))
    }

    /// Whether the car of a signed deal needs no odometer statement.
    async fn odometer_exempt(&self, ctx: &Context<'_>) -> GqlResult<bool> {
        let Deal { state: DealState::Contracted, id, .. } = self.0.deal else { return Ok(false) };
        Ok(service::<Deals>(ctx)?.odometer_exempt(&actor(ctx)?.selling_scope(), id).await?)
    }

    /// Whether the customer of a deal that ended should have a deposit back and the partner refused.
    async fn refund_refused(&self, ctx: &Context<'_>) -> GqlResult<bool> {
        let deal = &self.0.deal;
        if deal.ended_at.is_none() {
            return Ok(false);
        }
        let deposits = service::<Deals>(ctx)?.deposits(&actor(ctx)?.selling_scope(), deal.id).await?;
        Ok(deposits.iter().any(Deposit::refund_refused))
    }

    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.0.deal.terms.currency)
    }

    fn figure(&self, pick: impl Fn(&Headline) -> Option<Cents>) -> Option<MoneyObject> {
        self.0.deal.figures.as_ref().and_then(pick).map(|cents| self.money(cents))
    }

    fn manages(&self, actor: &Actor) -> bool {
        actor.manages(self.0.deal.store_id)
    }

    /// The room with `has` read: this one if it was read with it, else a fresh one.
    async fn with(&self, ctx: &Context<'_>, has: impl Fn(&Room) -> bool, parts: Parts) -> GqlResult<Arc<Room>> {
        if has(&self.0) {
            return Ok(Arc::clone(&self.0));
        }
        let scope = actor(ctx)?.selling_scope();
        let room = service::<Deals>(ctx)?.find(&scope, self.0.deal.id, parts).await?;
        room.map(Arc::new).ok_or_else(|| GqlError::internal("a deal left the scope between two reads"))
    }
}

/// A deal: one customer, one car, what was put on the table and what follows from it.
#[Object(name = "Deal")]
impl DealNode {
    /// Opaque id, `deal_…`.
    pub async fn id(&self) -> ID {
        self.0.deal.id.into()
    }
    /// The number people say.
    async fn number(&self) -> String {
        self.0.deal.number.to_string()
    }
    /// Where it stands.
    async fn state(&self) -> DealState {
        self.0.deal.state
    }
    /// Grows by one with every change. Send it back as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.deal.version
    }
    /// The store that sells.
    async fn store(&self, ctx: &Context<'_>) -> GqlResult<StoreNode> {
        StoreNode::load(ctx, self.0.deal.store_id)
    }
    /// Who sells.
    async fn salesperson(&self, ctx: &Context<'_>) -> GqlResult<StaffMember> {
        let room = self.with(ctx, |r| r.salesperson.is_some(), Parts { salesperson: true, ..Parts::default() }).await?;
        Ok(StaffMember { id: room.deal.salesperson_id.into(), display_name: room.salesperson.clone().unwrap_or_default() })
    }
    /// The buyer, with their wishes and whatever else is known. Null when they left your stores.
    async fn customer(&self, ctx: &Context<'_>) -> GqlResult<Option<CustomerNode>> {
        self.1.customer(ctx, self.0.deal.customer_id).await
    }
    /// The car. Null when it is at a store that is not yours.
    async fn vehicle(&self, ctx: &Context<'_>) -> GqlResult<Option<VehicleNode>> {
        self.1.vehicle(ctx, self.0.deal.vehicle_id).await
    }
    /// Cars of the deal's store for its customer, the best first: the same as `customer.matches`, of one store. The deal's own
    /// car is among them while it is available, so that it can be compared.
    async fn matches(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 50; 10 when not given.")] first: Option<i32>,
    ) -> GqlResult<MatchesNode> {
        let scope = actor(ctx)?.selling_scope().only(self.0.deal.store_id);
        let wishes = match self.1.customer(ctx, self.0.deal.customer_id).await? {
            Some(customer) => customer.wishes(ctx).await?,
            None => Vec::new(),
        };
        matches_of(ctx, &scope, &wishes, first).await
    }
    /// Why the deal's car can't be had any more, to be read after its name: "was just sold in another deal …". Null while it can.
    async fn vehicle_taken(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(self.taken(ctx).await?.0)
    }
    /// Once the car can't be had, or the store's feed no longer names it (`vehicle.missingSince`): the best cars of the store to put in
    /// its place with `dealSwapVehicle`, by what the customer said and like the one they chose. Empty while all is well, and once
    /// the deal is signed or ended.
    #[graphql(name = "replacements", complexity = "20 + child_complexity")]
    async fn replacements_offered(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 10.", default = 5)] first: i32,
    ) -> GqlResult<Vec<MatchNode>> {
        let count = usize::try_from(first).ok().filter(|count| (1..=10).contains(count));
        let count = count.ok_or_else(|| GqlError::bad_input("first: from 1 to 10"))?;
        let gone = self.0.deal.state.is_open() && matches!(self.taken(ctx).await?, (Some(_), _) | (_, true));
        if !gone {
            return Ok(Vec::new());
        }
        self.replacements(ctx, count).await
    }
    /// How the customer pays.
    async fn kind(&self) -> DealKind {
        self.0.deal.terms.kind
    }
    /// Price of the vehicle in this deal.
    async fn price(&self) -> MoneyObject {
        self.money(self.0.deal.terms.price)
    }
    /// What the customer pays at signing.
    async fn down_payment(&self) -> MoneyObject {
        self.money(self.0.deal.terms.down_payment)
    }
    /// Rebates paid by the maker.
    async fn manufacturer_rebate(&self) -> MoneyObject {
        self.money(self.0.deal.terms.manufacturer_rebate)
    }
    /// Rebates paid by the store.
    async fn dealer_rebate(&self) -> MoneyObject {
        self.money(self.0.deal.terms.dealer_rebate)
    }
    /// Months; null when none was chosen.
    async fn term_months(&self) -> Option<i32> {
        self.0.deal.terms.term_months
    }
    /// Miles a year the customer will drive.
    async fn annual_miles(&self) -> Option<i32> {
        self.0.deal.terms.annual_miles
    }
    /// The tier the programs are priced for.
    async fn credit_tier(&self) -> &str {
        &self.0.deal.terms.credit_tier
    }
    /// Whose taxes apply: where the buyer will register the vehicle, such as `TX` or `NY-NYC`.
    async fn buyer_jurisdiction(&self) -> &str {
        &self.0.deal.terms.buyer_jurisdiction
    }
    /// Days from signing to the first payment; 30 is one period of the schedule: a month, half a month, two weeks or a week.
    async fn first_payment_days(&self) -> i32 {
        self.0.deal.terms.first_payment_days
    }
    /// How it is paid beside price, money down and term: how often, deferred parts, deposits of a lease, income for ratios.
    async fn payment_plan(&self, ctx: &Context<'_>) -> GqlResult<PaymentPlanNode> {
        let deal = &self.0.deal;
        let opened = service::<Deals>(ctx)?.opened_plan(deal.store_id, &deal.terms.plan)?;
        Ok(PaymentPlanNode::new(&deal.terms, opened, self.manages(actor(ctx)?)))
    }
    /// Fees of the store that are waived or reduced. Each is a line of its own beside the fee's.
    async fn fee_waivers(&self) -> Vec<FeeWaiverNode> {
        FeeWaiverNode::all(&self.0.deal.terms)
    }
    /// All taxes, those within a lease's payments too, which are no line of their own. Null until they can be told.
    async fn tax(&self) -> Option<MoneyObject> {
        self.figure(|f| Some(f.tax))
    }
    /// All fees. Null until they can be told.
    async fn fees(&self) -> Option<MoneyObject> {
        self.figure(|f| Some(f.fees))
    }
    /// Price, products, taxes and fees, before rebates, trade-in and money down. Null until it can be told.
    async fn total_price(&self) -> Option<MoneyObject> {
        self.figure(|f| Some(f.total_price))
    }
    /// What is financed or capitalised; for cash what is left to pay after the money down. Null until it can be told.
    async fn amount_financed(&self) -> Option<MoneyObject> {
        self.figure(|f| Some(f.amount_financed))
    }
    /// The payment, as often as `paymentPlan.schedule` says: of the accepted quote, else of the best program for these figures.
    /// Null for cash.
    async fn payment(&self) -> Option<MoneyObject> {
        self.figure(|f| f.payment)
    }
    /// True while `payment` is not that of an accepted quote.
    async fn payment_is_estimate(&self) -> bool {
        self.0.deal.figures.is_none_or(|f| f.payment_is_estimate)
    }
    /// Every line of the figures, in order. Those placed `FINANCED` sum to `amountFinanced`.
    async fn lines(&self, ctx: &Context<'_>) -> GqlResult<Vec<LineNode>> {
        let room = self.with(ctx, |r| r.lines.is_some(), Parts { lines: true, ..Parts::default() }).await?;
        let currency = room.deal.terms.currency;
        Ok(room.lines.iter().flatten().map(|line| LineNode::new(line.clone(), currency)).collect())
    }
    /// Cars in part payment, in order; at most 4.
    async fn trade_ins(&self, ctx: &Context<'_>) -> GqlResult<Vec<TradeInNode>> {
        let manager = self.manages(actor(ctx)?);
        let room = self.with(ctx, |r| r.trade_ins.is_some(), Parts { trade_ins: true, ..Parts::default() }).await?;
        let currency = room.deal.terms.currency;
        Ok(room.trade_ins.iter().flatten().map(|row| TradeInNode { trade: TradeIn::from(row.clone()), currency, manager }).collect())
    }
    /// Protection products, in the order agreed; at most 20.
    async fn products(&self, ctx: &Context<'_>) -> GqlResult<Vec<DealProductNode>> {
        let room = self.with(ctx, |r| r.products.is_some(), Parts { products: true, ..Parts::default() }).await?;
        let currency = room.deal.terms.currency;
        Ok(room.products.iter().flatten().map(|row| DealProductNode { product: DealProduct::from(row.clone()), currency }).collect())
    }
    /// What the customer answered about how they use a car, as recorded by `dealAnswersRecord`.
    #[graphql(complexity = "10 + child_complexity")]
    async fn customer_needs(&self, ctx: &Context<'_>) -> GqlResult<Option<NeedsNode>> {
        let needs = service::<Deals>(ctx)?.customer_needs(&actor(ctx)?.selling_scope(), self.0.deal.id).await?;
        Ok(needs.map(NeedsNode::from))
    }
    /// Protection products on this car, for this customer: four columns, payments with and without each, suggestions from what
    /// the customer answered. Null while taxes for the buyer's place are not known.
    #[graphql(complexity = "60 + child_complexity")]
    async fn product_menu(&self, ctx: &Context<'_>) -> GqlResult<Option<MenuNode>> {
        let (actor, deal) = (actor(ctx)?, &self.0.deal);
        let menu = service::<Deals>(ctx)?.product_menu(&actor.selling_scope(), deal.id).await?;
        let (store, currency, manager) = (deal.store_id, deal.terms.currency, actor.manages(deal.store_id));
        Ok(menu.map(|menu| MenuNode { menu: Arc::new(menu), currency, store, manager }))
    }
    /// What the customer said to the menu, newest first: every product that was shown, taken or declined, at which price. At most 20
    /// rounds. `dealMenuDecide` records one; a change of the car, the price, the way to pay or the products asks for another.
    #[graphql(complexity = "10 + child_complexity")]
    async fn menu_decisions(&self, ctx: &Context<'_>) -> GqlResult<Vec<MenuDecisionNode>> {
        let deal = &self.0.deal;
        let rounds = service::<Deals>(ctx)?.menu_decisions(&actor(ctx)?.selling_scope(), deal.id).await?;
        Ok(rounds.into_iter().map(|round| MenuDecisionNode::new(round, deal.store_id, deal.terms.currency)).collect())
    }
    /// What a product of the deal gives back when it is cancelled on a day. Null when the deal has no such product.
    #[graphql(complexity = "20 + child_complexity")]
    async fn product_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product, `prd_…`.")] product_id: ID,
        #[graphql(desc = "The day of cancellation.")] on: Date,
        #[graphql(desc = "What the odometer shows then, in miles.")] odometer_miles: Option<i32>,
        #[graphql(desc = "What was paid out in claims; nothing when not given.")] claims: Option<DecimalText>,
    ) -> GqlResult<Option<ProductRefundNode>> {
        if odometer_miles.is_some_and(|miles| !(0..=2_000_000).contains(&miles)) {
            return Err(GqlError::bad_input("odometerMiles: from 0 to 2000000"));
        }
        let claims = claims.map(|amount| input::amount("claims", amount)).transpose()?.unwrap_or_default();
        let ask = CancelProduct { product: input::id("productId", &product_id)?, on: on.0, odometer_miles, claims };
        let refund = service::<Deals>(ctx)?.product_refund(&actor(ctx)?.selling_scope(), self.0.deal.id, ask).await?;
        Ok(refund.map(|refund| ProductRefundNode::new(refund, self.0.deal.terms.currency)))
    }
    /// Quotes of lender programs, newest round first, then by payment; at most 200.
    async fn finance_quotes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only quotes that can be accepted or are accepted. All of them when false.", default = false)] open: bool,
    ) -> GqlResult<Vec<FinanceQuoteNode>> {
        let room = self.with(ctx, |r| r.finance_quotes.is_some(), Parts { finance_quotes: true, ..Parts::default() }).await?;
        let count = room.finance_quotes.as_ref().map_or(0, Vec::len);
        let all = (0..count).map(|position| FinanceQuoteNode::new(&room, position));
        Ok(all.filter(|quote| !open || quote.is_open()).collect())
    }
    /// The finance quote the customer chose.
    async fn accepted_finance_quote(&self, ctx: &Context<'_>) -> GqlResult<Option<FinanceQuoteNode>> {
        let room = self.with(ctx, |r| r.finance_quotes.is_some(), Parts { finance_quotes: true, ..Parts::default() }).await?;
        let Some(id) = room.deal.accepted_finance_quote_id else { return Ok(None) };
        let position = room.finance_quotes.iter().flatten().position(|quote| quote.id == id.0);
        Ok(position.map(|position| FinanceQuoteNode::new(&room, position)))
    }
    /// Quotes of insurers, newest round first, then by premium; at most 200.
    async fn insurance_quotes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only quotes that can be accepted or are accepted. All of them when false.", default = false)] open: bool,
    ) -> GqlResult<Vec<InsuranceQuoteNode>> {
        let room = self.with(ctx, |r| r.insurance_quotes.is_some(), Parts { insurance_quotes: true, ..Parts::default() }).await?;
        let count = room.insurance_quotes.as_ref().map_or(0, Vec::len);
        let all = (0..count).map(|position| InsuranceQuoteNode::new(&room, position));
        Ok(all.filter(|quote| !open || quote.is_open()).collect())
    }
    /// The insurance quote the customer chose.
    async fn accepted_insurance_quote(&self, ctx: &Context<'_>) -> GqlResult<Option<InsuranceQuoteNode>> {
        let room = self.with(ctx, |r| r.insurance_quotes.is_some(), Parts { insurance_quotes: true, ..Parts::default() }).await?;
        let Some(id) = room.deal.accepted_insurance_quote_id else { return Ok(None) };
        let position = room.insurance_quotes.iter().flatten().position(|quote| quote.id == id.0);
        Ok(position.map(|position| InsuranceQuoteNode::new(&room, position)))
    }
    /// What every program asks for each term and down payment, for the deal's structure otherwise unchanged. A cell no program
    /// takes has no offers. Null while the deal cannot be priced.
    #[graphql(complexity = "40 + child_complexity")]
    async fn payment_grid(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Terms in months, 1 to 120 each; at most 12.")] terms: Vec<i32>,
        #[graphql(desc = "Cash at signing; at most 8.")] down_payments: Vec<DecimalText>,
        #[graphql(desc = "What to reckon with beside the structure.")] what_if: Option<DealWhatIfInput>,
    ) -> GqlResult<Option<GridNode>> {
        desk::payment_grid(ctx, self, terms, down_payments, what_if).await
    }
    /// Cash, retail contract and lease for the same customer and car, side by side. Null while the deal cannot be priced.
    #[graphql(complexity = "40 + child_complexity")]
    async fn comparison(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Months of the lease; the deal's term when it is a lease, else 36.")] lease_term_months: Option<i32>,
        #[graphql(desc = "What to reckon with beside the structure.")] what_if: Option<DealWhatIfInput>,
    ) -> GqlResult<Option<ComparisonNode>> {
        desk::comparison(ctx, self, lease_term_months, what_if).await
    }
    /// Structures set aside to compare with, oldest first; at most 20.
    async fn scenarios(&self, ctx: &Context<'_>) -> GqlResult<Vec<ScenarioNode>> {
        let scope = actor(ctx)?.selling_scope();
        let scenarios = service::<Deals>(ctx)?.scenarios(&scope, self.0.deal.id).await?;
        Ok(scenarios.into_iter().map(|scenario| ScenarioNode(scenario, self.0.deal.store_id)).collect())
    }
    /// What was done, by whom, when, with the figures before and after; newest first.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> GqlResult<Connection<EventNode>> {
        let args = PageArgs::<i64>::read(first, after.as_deref())?;
        let scope = actor(ctx)?.selling_scope();
        let events = service::<Deals>(ctx)?.history(&scope, self.0.deal.id, args.after, args.limit()).await?;
        Ok(page::connection(events, args.first, EmptyFields, |event| event.id, EventNode::from))
    }
    /// What stands between now and a signed contract, in order; then the hand-over, the lender's money, and closing
    /// the books. A deal that ended has one step when the partner refused to give a deposit back. Empty once there is nothing to do.
    async fn next_steps(&self, ctx: &Context<'_>) -> GqlResult<Vec<NextStepNode>> {
        let room = self.with(ctx, |r| r.steps.is_some(), Parts { steps: true, ..Parts::default() }).await?;
        let Some(known) = &room.steps else { return Ok(Vec::new()) };
        let taken = taken_words(known.taken.as_ref(), known.vehicle_gone);
        let manager = service::<Deals>(ctx)?.approval_facts(&room);
        let beyond = manager.beyond();
        let insurance = service::<Deals>(ctx)?.insurance_gap(&actor(ctx)?.selling_scope(), &room).await?;
        let asked = service::<Deals>(ctx)?.insurance_asked(&room).await?;
        let facts = DealFacts {
            state: room.deal.state,
            kind: room.deal.terms.kind,
            term_months: room.deal.terms.term_months,
            figures_complete: room.deal.figures.is_some(),
            open_quotes: usize::try_from(known.open_quotes).unwrap_or(0),
            quote_accepted: known.quote_accepted,
            vehicle_taken: taken.as_deref(),
            vehicle_missing: known.vehicle_missing,
            reason_given: false,
            approval: manager.need,
            approver: manager.approver,
            beyond: &beyond,
            signed: SignedFacts {
                spot_deadline: self.spot_deadline(ctx).await?,
                odometer_exempt: self.odometer_exempt(ctx).await?,
                refund_refused: self.refund_refused(ctx).await?,
                ..SignedFacts::default()
            },
            insurance_gap: insurance.as_deref(),
            insurance_asked: asked.as_deref(),
            insurance_chosen: room.deal.accepted_insurance_quote_id.is_some(),
            menu_decided: service::<Deals>(ctx)?.menu_decided_of(&room),
        };
        Ok(next_steps(&facts).into_iter().map(NextStepNode::from).collect())
    }
    /// The hold this deal has on its car. Null when it has none, or it ran out.
    #[graphql(complexity = "10 + child_complexity")]
    async fn hold(&self, ctx: &Context<'_>) -> GqlResult<Option<DealHoldNode>> {
        let (hold, _) = service::<Deals>(ctx)?.standing(&actor(ctx)?.selling_scope(), self.0.deal.id).await?;
        Ok(hold.map(DealHoldNode::from))
    }
    /// The deal's place in the line for its car, when somebody else has it and this deal waits.
    #[graphql(complexity = "10 + child_complexity")]
    async fn queue_place(&self, ctx: &Context<'_>) -> GqlResult<Option<QueuePlaceNode>> {
        let (_, place) = service::<Deals>(ctx)?.standing(&actor(ctx)?.selling_scope(), self.0.deal.id).await?;
        Ok(place.map(QueuePlaceNode::from))
    }
    /// Deposits the customer left, newest first; at most 50. At most one counts at a time.
    #[graphql(complexity = "10 + child_complexity")]
    async fn deposits(&self, ctx: &Context<'_>) -> GqlResult<Vec<DepositNode>> {
        let deposits = service::<Deals>(ctx)?.deposits(&actor(ctx)?.selling_scope(), self.0.deal.id).await?;
        Ok(deposits.into_iter().map(DepositNode::from).collect())
    }
    /// Who has the deal open on which device, since when, and what is unsaved there. Null when nobody has.
    #[graphql(complexity = "10 + child_complexity")]
    async fn holder(&self, ctx: &Context<'_>) -> GqlResult<Option<SeatNode>> {
        let actor = actor(ctx)?;
        let seat = service::<Deals>(ctx)?.seat(&actor.selling_scope(), self.0.deal.id).await?;
        Ok(seat.map(|seat| SeatNode::new(seat, actor.session_id())))
    }
    /// The latest question to a manager about this deal, with the answer. Null when nobody was asked.
    #[graphql(complexity = "10 + child_complexity")]
    async fn approval(&self, ctx: &Context<'_>) -> GqlResult<Option<ApprovalNode>> {
        let actor = actor(ctx)?;
        let latest = service::<Deals>(ctx)?.latest_approval(&actor.selling_scope(), self.0.deal.id).await?;
        Ok(latest.map(|approval| ApprovalNode::new(approval, actor)))
    }
    /// Figures the customer was shown while a tablet was offline, newest first; at most 100. None of them can be accepted.
    #[graphql(complexity = "10 + child_complexity")]
    async fn indicative_quotes(&self, ctx: &Context<'_>) -> GqlResult<Vec<IndicativeQuoteNode>> {
        let quotes = service::<Deals>(ctx)?.indicative_quotes(&actor(ctx)?.selling_scope(), self.0.deal.id).await?;
        Ok(quotes.into_iter().map(|quote| IndicativeQuoteNode::new(quote, self.0.deal.terms.currency)).collect())
    }
    /// When the car was handed over, and until when it can be taken back. Null before.
    #[graphql(complexity = "10 + child_complexity")]
    async fn delivery(&self, ctx: &Context<'_>) -> GqlResult<Option<DeliveryNode>> {
        let currency = self.0.deal.terms.currency;
        Ok(self.handed_over(ctx).await?.map(|delivery| DeliveryNode::new(delivery, currency)))
    }
    /// The last day on which the store may call off a delivery that no lender has paid, at the store. Null when the deal is not such
    /// a one, and once it is paid or taken back. `delivery.spot` says where the day comes from and whether that was checked.
    #[graphql(complexity = "10")]
    async fn spot_delivery_deadline(&self, ctx: &Context<'_>) -> GqlResult<Option<Date>> {
        Ok(self.spot_deadline(ctx).await?.map(Date))
    }
    /// What the lender paid for it. Managers only; null before, and for a cash deal.
    #[graphql(complexity = "10 + child_complexity")]
    async fn funding(&self, ctx: &Context<'_>) -> GqlResult<Option<FundingNode>> {
        let (actor, deal) = (actor(ctx)?, &self.0.deal);
        if !self.manages(actor) {
            return Ok(None);
        }
        let funding = service::<Deals>(ctx)?.funding(&actor.selling_scope(), deal.id).await?;
        Ok(funding.map(|funding| FundingNode::new(funding, deal)))
    }
    /// Why it was lost, called off or unwound, in the words of who did it.
    async fn lost_reason(&self) -> Option<&str> {
        self.0.deal.lost_reason.as_deref()
    }
    /// Why the customer did not buy. Null when it was not lost, or in words only.
    async fn lost_reason_code(&self) -> Option<LostReason> {
        self.0.deal.lost_reason_code
    }
    /// When it is given up (`EXPIRED`) unless somebody changes it before: the store's days without a change. Null once signed or ended.
    async fn expires_at(&self, ctx: &Context<'_>) -> GqlResult<Option<DateTime<Utc>>> {
        let deal = &self.0.deal;
        let days = service::<Dealers>(ctx)?.store(deal.store_id).map(|store| i64::from(store.deal_idle_days));
        let days = days.filter(|_| deal.state.is_open()).and_then(chrono::Duration::try_days);
        Ok(days.and_then(|days| deal.updated_at.checked_add_signed(days)))
    }
    /// When it was opened.
    async fn opened_at(&self) -> DateTime<Utc> {
        self.0.deal.opened_at
    }
    /// When the customer was last shown the full figures; null after they changed.
    async fn presented_at(&self) -> Option<DateTime<Utc>> {
        self.0.deal.presented_at
    }
    /// When the customer said yes to these figures.
    async fn agreed_at(&self) -> Option<DateTime<Utc>> {
        self.0.deal.agreed_at
    }
    /// When it was signed.
    async fn contracted_at(&self) -> Option<DateTime<Utc>> {
        self.0.deal.contracted_at
    }
    /// When it ended without a sale, or was taken back.
    async fn ended_at(&self) -> Option<DateTime<Utc>> {
        self.0.deal.ended_at
    }
    /// The last change.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.deal.updated_at
    }
}
