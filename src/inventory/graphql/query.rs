//! Reading the lot and the feeds.

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::feed::FeedImportNode;
use super::filter::VehicleFilterInput;
use super::vehicle::{VehicleNode, VinText, parts_of};
use crate::graphql::context::{actor, service};
use crate::graphql::page::{self, Connection, EmptyFields, PageArgs};
use crate::graphql::{GqlError, GqlResult, input};
use crate::inventory::import::FeedImportStatus;
use crate::inventory::model::{VehicleFilter, VehicleKey, VehicleOrder};
use crate::inventory::service::Inventory;
use crate::inventory::store::VehiclePage;

/// What a list of vehicles has beyond its items.
#[derive(Debug)]
pub struct VehicleTotals {
    filter: VehicleFilter,
    /// As counted with the page.
    total: Option<i64>,
}

/// What a list of vehicles has beyond its items.
#[Object]
impl VehicleTotals {
    /// How many vehicles the filter finds in all your stores. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        match self.total {
            Some(total) => Ok(total),
            None => Ok(service::<Inventory>(ctx)?.count(&actor(ctx)?.selling_scope(), &self.filter).await?),
        }
    }
}

/// Queries about vehicles and feeds.
#[derive(Debug, Default)]
pub struct InventoryQuery;

#[Object]
impl InventoryQuery {
    /// The lot, now: vehicles of your stores, newest first unless told otherwise.
    async fn vehicles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which vehicles; all available ones when not given.")] filter: Option<VehicleFilterInput>,
        #[graphql(desc = "In which order; `NEWEST` when not given.")] order_by: Option<VehicleOrder>,
        #[graphql(desc = "How many, from 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before, in the same order.")] after: Option<String>,
    ) -> GqlResult<Connection<VehicleNode, VehicleTotals>> {
        let order = order_by.unwrap_or(VehicleOrder::Newest);
        // The cursor names its order, so that it is not read in another.
        let args = PageArgs::<(VehicleOrder, VehicleKey)>::read(first, after.as_deref())?;
        if args.after.is_some_and(|(of, _)| of != order) {
            return Err(GqlError::bad_input("after: this cursor belongs to another order"));
        }
        let filter = filter.unwrap_or_default().read()?;
        let look = ctx.look_ahead();
        let looks = [look.field("nodes"), look.field("edges").field("node")];
        let scope = actor(ctx)?.selling_scope();
        // Only a page that shows something is read: `{ totalCount }` alone costs one count.
        let shows = looks.iter().any(|l| l.exists()) || look.field("edges").exists() || look.field("pageInfo").exists();
        let (vehicles, total) = if shows {
            let page = VehiclePage {
                filter: &filter,
                order,
                after: args.after.map(|(_, key)| key),
                limit: args.limit(),
                parts: parts_of(&looks),
                counted: look.field("totalCount").exists(),
            };
            service::<Inventory>(ctx)?.list(&scope, page).await?
        } else {
            (Vec::new(), None)
        };
        let nodes = VehicleNode::of_list(ctx, vehicles, &looks).await?;
        let totals = VehicleTotals { filter, total };
        Ok(page::connection(nodes, args.first, totals, |node| (order, order.key(node.vehicle())), |node| node))
    }

    /// One vehicle of your stores by one of id, VIN or stock number. Null when there is none, or none of them is given. When several
    /// vehicles have the VIN or stock number: an available one first, then one the feed still names, then the newest.
    async fn vehicle(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id, `veh_…`.")] id: Option<ID>,
        #[graphql(desc = "Its VIN.")] vin: Option<VinText>,
        #[graphql(desc = "The store's own number.")] stock_number: Option<String>,
    ) -> GqlResult<Option<VehicleNode>> {
        let (scope, inventory) = (actor(ctx)?.selling_scope(), service::<Inventory>(ctx)?);
        let found = match (id, vin, stock_number) {
            (Some(id), None, None) => inventory.find(&scope, input::id("id", &id)?).await?,
            (None, Some(vin), None) => inventory.find_by_vin(&scope, &vin.0).await?,
            (None, None, Some(number)) => inventory.find_by_stock_number(&scope, &input::required("stockNumber", &number, 64)?).await?,
            (None, None, None) => None,
            _ => return Err(GqlError::bad_input("give exactly one of id, vin and stockNumber")),
        };
        Ok(found.map(VehicleNode::from))
    }

    /// Feed imports of the stores you manage, newest first. Salespeople see none.
    async fn feed_imports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these states, such as `[HELD]`.")] statuses: Option<Vec<FeedImportStatus>>,
        #[graphql(desc = "How many, from 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> GqlResult<Connection<FeedImportNode>> {
        let args = PageArgs::<Uuid>::read(first, after.as_deref())?;
        let statuses = input::list("statuses", statuses.unwrap_or_default())?;
        let scope = actor(ctx)?.managing_scope();
        let imports = service::<Inventory>(ctx)?.imports(&scope, &statuses, args.after, args.limit()).await?;
        Ok(page::connection(imports, args.first, EmptyFields, |import| import.id.0, FeedImportNode))
    }

    /// One feed import of a store you manage. Null when there is none.
    async fn feed_import(&self, ctx: &Context<'_>, #[graphql(desc = "Its id, `imp_…`.")] id: ID) -> GqlResult<Option<FeedImportNode>> {
        let scope = actor(ctx)?.managing_scope();
        Ok(service::<Inventory>(ctx)?.find_import(&scope, input::id("id", &id)?).await?.map(FeedImportNode))
    }
}
