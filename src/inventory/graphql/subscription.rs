//! The lot, live.

use async_graphql::{Context, ID, SimpleObject, Subscription};
use futures::stream::{self, Stream};

use super::vehicle::VehicleNode;
use crate::auth::Scope;
use crate::db::ears::{Ear, Topic};
use crate::db::notices::{Notice, Notices, Signal, Subject};
use crate::graphql::context::{actor, service};
use crate::graphql::{GqlError, input};
use crate::inventory::service::Inventory;
use crate::kernel::id::{StoreId, VehicleId};

/// A change on the lot.
#[derive(Debug, SimpleObject)]
pub(super) struct VehicleChange {
    /// The vehicle as it stands now. Null when `reload` is true.
    vehicle: Option<VehicleNode>,
    /// Too much changed at once (a large feed, a lost connection): read the lot afresh.
    reload: bool,
}

/// Live changes of vehicles.
#[derive(Debug, Default)]
pub struct InventorySubscription;

struct Watch {
    inventory: Inventory,
    scope: Scope,
    ear: Ear,
}

#[Subscription]
impl InventorySubscription {
    /// Every change of a vehicle of one of your stores, as it happens: price, status, facts, missing. Begins with nothing;
    /// read the lot first. Ends at once for a store that is not yours.
    async fn vehicle_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The store, `sto_…`.")] store_id: ID,
    ) -> Result<impl Stream<Item = Result<VehicleChange, GqlError>> + use<>, GqlError> {
        let store: StoreId = input::id("storeId", &store_id)?;
        let watch = Watch {
            inventory: service::<Inventory>(ctx)?.clone(),
            scope: actor(ctx)?.selling_scope().only(store),
            // An import of many vehicles announces itself only.
            ear: service::<Notices>(ctx)?.ear(&[Topic::OfStore(Subject::Vehicle, store.0), Topic::OfStore(Subject::FeedImport, store.0)]),
        };
        let watch = (!watch.scope.is_empty()).then_some(watch);
        Ok(stream::unfold(watch, |watch| async {
            let mut watch = watch?;
            loop {
                let id = match watch.ear.hear().await {
                    Signal::Changed(Notice { subject: Subject::Vehicle, subject_id, .. }) => VehicleId(subject_id),
                    _ => return Some((Ok(VehicleChange { vehicle: None, reload: true }), Some(watch))),
                };
                match watch.inventory.find(&watch.scope, id).await {
                    Ok(Some(vehicle)) => {
                        return Some((Ok(VehicleChange { vehicle: Some(vehicle.into()), reload: false }), Some(watch)));
                    }
                    Ok(None) => {}
                    // One error is told, then the stream ends; the tablet subscribes again.
                    Err(error) => return Some((Err(GqlError::from(error)), None)),
                }
            }
        }))
    }
}
