//! `node` and `nodes`: any major object by its id, as Relay asks.
//!
//! The prefix of an id tells its type. An object of another store does not exist here either.

use async_graphql::{Context, ID, Interface, Lookahead, Object};

use crate::auth::Actor;
use crate::channels::graphql::LeadNode;
use crate::customers::graphql::CustomerNode;
use crate::dealers::StoreNode;
use crate::deals::graphql::DealNode;
use crate::graphql::context::{actor, service};
use crate::graphql::{GqlError, GqlResult, input};
use crate::inventory::Inventory;
use crate::inventory::graphql::{FeedImportNode, VehicleNode};
use crate::kernel::id::{CustomerId, DealId, FeedImportId, LeadId, StoreId, TypedId, VehicleId};

/// An object with an id of its own.
#[derive(Debug, Interface)]
#[graphql(name = "Node", field(name = "id", ty = "ID", desc = "Opaque, typed id: a prefix that names the type, and 26 characters."))]
pub enum Node {
    /// A vehicle.
    Vehicle(Box<VehicleNode>),
    /// A customer.
    Customer(Box<CustomerNode>),
    /// A lead.
    Lead(Box<LeadNode>),
    /// A deal.
    Deal(Box<DealNode>),
    /// A store.
    Store(StoreNode),
    /// A run of an inventory feed. Managers only.
    FeedImport(Box<FeedImportNode>),
}

/// Any object by id.
#[derive(Debug, Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The vehicle, customer, lead, deal, store or feed import with this id; null when there is none in your stores.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Its id, such as `veh_…`.")] id: ID) -> GqlResult<Option<Node>> {
        load(ctx, actor(ctx)?, "id", &id, &ctx.look_ahead()).await
    }

    /// Several objects by id, in the order asked; null where there is none in your stores.
    async fn nodes(&self, ctx: &Context<'_>, #[graphql(desc = "Their ids; at most 100.")] ids: Vec<ID>) -> GqlResult<Vec<Option<Node>>> {
        let (actor, look) = (actor(ctx)?, ctx.look_ahead());
        let mut found = Vec::new();
        for id in input::list("ids", ids)? {
            found.push(load(ctx, actor, "ids", &id, &look).await?);
        }
        Ok(found)
    }
}

async fn load(ctx: &Context<'_>, actor: &Actor, argument: &str, id: &ID, look: &Lookahead<'_>) -> GqlResult<Option<Node>> {
    let node = match id.split('_').next().unwrap_or_default() {
        VehicleId::PREFIX => {
            let found = service::<Inventory>(ctx)?.find(&actor.selling_scope(), input::id(argument, id)?).await?;
            found.map(|vehicle| Node::Vehicle(Box::new(vehicle.into())))
        }
        CustomerId::PREFIX => CustomerNode::load(ctx, input::id(argument, id)?).await?.map(|node| Node::Customer(Box::new(node))),
        LeadId::PREFIX => LeadNode::load(ctx, input::id(argument, id)?).await?.map(|node| Node::Lead(Box::new(node))),
        DealId::PREFIX => DealNode::load(ctx, input::id(argument, id)?, look).await?.map(|node| Node::Deal(Box::new(node))),
        StoreId::PREFIX => {
            let store: StoreId = input::id(argument, id)?;
            actor.role_in(store).map(|_| StoreNode::load(ctx, store)).transpose()?.map(Node::Store)
        }
        FeedImportId::PREFIX => {
            let found = service::<Inventory>(ctx)?.find_import(&actor.managing_scope(), input::id(argument, id)?).await?;
            found.map(|import| Node::FeedImport(Box::new(FeedImportNode(import))))
        }
        _ => {
            return Err(GqlError::bad_input(format!(
                "{argument}: expected the id of a vehicle, customer, lead, deal, store or feed import"
            )));
        }
    };
    Ok(node)
}
