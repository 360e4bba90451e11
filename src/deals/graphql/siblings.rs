//! Deals of one answer: the customers and cars of all of them are read in one statement each.

use std::collections::HashMap;

use async_graphql::Context;
use tokio::sync::OnceCell;

use crate::customers::graphql::{CustomerNode, parts};
use crate::deals::store::room::Room;
use crate::graphql::GqlResult;
use crate::inventory::graphql::VehicleNode;
use crate::kernel::id::{CustomerId, VehicleId};

/// What the deals of one answer point to, and what was read of it since.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    customer_ids: Vec<CustomerId>,
    vehicle_ids: Vec<VehicleId>,
    customers: OnceCell<HashMap<CustomerId, CustomerNode>>,
    vehicles: OnceCell<HashMap<VehicleId, VehicleNode>>,
}

impl Siblings {
    pub(super) fn of<'a>(rooms: impl IntoIterator<Item = &'a Room>) -> Self {
        let (mut customer_ids, mut vehicle_ids): (Vec<_>, Vec<_>) =
            rooms.into_iter().map(|room| (room.deal.customer_id, room.deal.vehicle_id)).unzip();
        customer_ids.sort_unstable();
        customer_ids.dedup();
        vehicle_ids.sort_unstable();
        vehicle_ids.dedup();
        Self { customer_ids, vehicle_ids, ..Self::default() }
    }

    /// One car; the first to ask reads all.
    pub(super) async fn vehicle(&self, ctx: &Context<'_>, id: VehicleId) -> GqlResult<Option<VehicleNode>> {
        let read = || VehicleNode::load_many(ctx, &self.vehicle_ids);
        Ok(self.vehicles.get_or_try_init(read).await?.get(&id).cloned())
    }

    /// One customer; the first to ask reads all.
    pub(super) async fn customer(&self, ctx: &Context<'_>, id: CustomerId) -> GqlResult<Option<CustomerNode>> {
        let read = || async {
            let nodes = CustomerNode::load_many(ctx, &self.customer_ids, parts(&ctx.look_ahead())).await?;
            GqlResult::Ok(nodes.into_iter().map(|node| (node.customer().id, node)).collect())
        };
        Ok(self.customers.get_or_try_init(read).await?.get(&id).cloned())
    }
}
