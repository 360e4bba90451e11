//! Reading deals.

use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::desk::{self, DealSolveInput, SolutionNode};
use super::inputs::quote_id;
use super::node::{DealNode, parts};
use super::quotes::ReplayNode;
use crate::deals::service::{DealFilter, DealOrder, Deals};
use crate::deals::states::DealState;
use crate::graphql::context::{actor, service};
use crate::graphql::page::{self, Connection, PageArgs};
use crate::graphql::{GqlError, GqlResult, input};

/// Which deals to list. Everything given must hold.
#[derive(Debug, Default, InputObject)]
pub(super) struct DealFilterInput {
    /// Only these states; at most 100.
    states: Option<Vec<DealState>>,
    /// Only deals that may still be signed (true), or only signed and ended ones (false).
    open: Option<bool>,
    /// Of one salesperson, `usr_…`.
    salesperson_id: Option<ID>,
    /// Of one customer, `cus_…`.
    customer_id: Option<ID>,
    /// About one car, `veh_…`.
    vehicle_id: Option<ID>,
    /// With this number.
    number: Option<String>,
    /// True: only ended deals whose deposit the payment partner refused to give back, which a manager settles (`SETTLE_REFUND` in
    /// `nextSteps`). False asks for nothing.
    #[graphql(default)]
    refund_refused: bool,
}

impl DealFilterInput {
    fn read(self) -> GqlResult<DealFilter> {
        let number = self
            .number
            .map(|text| text.trim().parse::<i64>().map_err(|_| GqlError::bad_input("filter.number: a deal's number has digits only")));
        Ok(DealFilter {
            states: input::list("filter.states", self.states.unwrap_or_default())?,
            open: self.open,
            salesperson: input::opt_id("filter.salespersonId", self.salesperson_id.as_ref())?,
            customer: input::opt_id("filter.customerId", self.customer_id.as_ref())?,
            vehicle: input::opt_id("filter.vehicleId", self.vehicle_id.as_ref())?,
            number: number.transpose()?,
            refund_refused: self.refund_refused,
        })
    }
}

/// What a list of deals has beyond its items.
#[derive(Debug)]
pub struct DealTotals(DealFilter);

/// What a list of deals has beyond its items.
#[Object]
impl DealTotals {
    /// How many deals the filter finds in all your stores. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        Ok(service::<Deals>(ctx)?.count(&actor(ctx)?.selling_scope(), &self.0).await?)
    }
}

/// Queries about deals.
#[derive(Debug, Default)]
pub struct DealsQuery;

#[Object]
impl DealsQuery {
    /// One deal with everything around it: the deal room. Null when there is none in your stores.
    async fn deal(&self, ctx: &Context<'_>, #[graphql(desc = "The deal's id, `deal_…`.")] id: ID) -> GqlResult<Option<DealNode>> {
        DealNode::load(ctx, input::id("id", &id)?, &ctx.look_ahead()).await
    }

    /// Deals of your stores.
    async fn deals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deals; all when not given.")] filter: Option<DealFilterInput>,
        #[graphql(desc = "In which order; `LAST_CHANGED` when not given.")] order_by: Option<DealOrder>,
        #[graphql(desc = "How many, from 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before, in the same order.")] after: Option<String>,
    ) -> GqlResult<Connection<DealNode, DealTotals>> {
        let order = order_by.unwrap_or(DealOrder::LastChanged);
        let args = PageArgs::<(DealOrder, (DateTime<Utc>, Uuid))>::read(first, after.as_deref())?;
        if args.after.is_some_and(|(of, _)| of != order) {
            return Err(GqlError::bad_input("after: this cursor belongs to another order"));
        }
        let after = args.after.map(|(_, key)| key);
        let filter = filter.unwrap_or_default().read()?;
        let look = ctx.look_ahead();
        let wanted = parts(&look.field("nodes")).or(parts(&look.field("edges").field("node")));
        let scope = actor(ctx)?.selling_scope();
        let rooms = service::<Deals>(ctx)?.list(&scope, &filter, order, after, args.limit(), wanted).await?;
        let key = |node: &DealNode| (order, (node.deal().updated_at, node.deal().id.0));
        Ok(page::connection(DealNode::together(rooms), args.first, DealTotals(filter), key, |node| node))
    }

    /// Solves a deal backwards: the down payment, price or term that leads to a payment, through tax and fees, to the cent; or the
    /// nearest that can be reached, with both neighbours. Changes nothing. Null when there is no such deal in your stores.
    #[graphql(complexity = "40 + child_complexity")]
    async fn deal_solve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deal, and what to find.")] input: DealSolveInput,
    ) -> GqlResult<Option<SolutionNode>> {
        desk::solve(ctx, input).await
    }

    /// A finance or insurance quote calculated again from its stored inputs: the same to the cent, whatever the rules say today. The
    /// lender's rate, the reserve and the trace are in it for managers only. Null when there is none in your stores.
    async fn quote_replay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The quote's id, `fqt_…` or `iqt_…`.")] id: ID,
    ) -> GqlResult<Option<ReplayNode>> {
        let (actor, deals, quote) = (actor(ctx)?, service::<Deals>(ctx)?, quote_id("id", &id)?);
        if let Some(replay) = deals.replay(&actor.managing_scope(), quote).await? {
            return Ok(Some(replay.into()));
        }
        Ok(deals.replay(&actor.selling_scope(), quote).await?.map(|replay| replay.for_salespeople().into()))
    }
}
