//! A deal as it changes, on whichever server and tablet.
#![expect(clippy::unused_async, reason = "the macro of async-graphql wants an async function")]

use async_graphql::{Context, ID, Subscription};
use futures::stream::{self, Stream};

use super::node::{DealNode, parts};
use crate::auth::Scope;
use crate::db::ears::{Ear, Topic};
use crate::db::notices::{Notices, Subject};
use crate::deals::service::Deals;
use crate::deals::store::room::Parts;
use crate::graphql::context::{actor, service};
use crate::graphql::{GqlError, input};
use crate::kernel::id::{DealId, StoreId, VehicleId};

/// Subscriptions to deals.
#[derive(Debug, Default)]
pub struct DealsSubscription;

/// Where a stream stands.
struct Watch {
    deals: Deals,
    scope: Scope,
    id: DealId,
    parts: Parts,
    ear: Ear,
    first: bool,
}

#[Subscription]
impl DealsSubscription {
    /// The deal now, and again after every change of it, of its car or of who has it: select `vehicleTaken` and `replacements` to be
    /// offered other cars at once. Ends when the deal may no longer be seen;
    /// an unknown deal ends at once. Several quick changes may come as one.
    async fn deal_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deal's id, `deal_…`.")] id: ID,
    ) -> Result<impl Stream<Item = Result<DealNode, GqlError>> + use<>, GqlError> {
        let id: DealId = input::id("id", &id)?;
        let watch = Watch {
            deals: service::<Deals>(ctx)?.clone(),
            scope: actor(ctx)?.selling_scope(),
            id,
            parts: parts(&ctx.look_ahead()),
            // Listening begins before the first read, so that no change falls between the two.
            ear: service::<Notices>(ctx)?.ear(&[Topic::Object(Subject::Deal, id.0)]),
            first: true,
        };
        Ok(stream::unfold(Some(watch), |watch| async {
            let mut watch = watch?;
            watch.wait().await;
            let since = watch.ear.moment();
            match watch.deals.find(&watch.scope, watch.id, watch.parts).await {
                Ok(Some(room)) => {
                    watch.ear.turn_to(&topics(watch.id, room.deal.vehicle_id, room.deal.store_id), since);
                    Some((Ok(DealNode::from(room)), Some(watch)))
                }
                Ok(None) => None,
                // One error is told, then the stream ends; the tablet subscribes again.
                Err(error) => Some((Err(GqlError::from(error)), None)),
            }
        }))
    }
}

impl Watch {
    /// Waits until the deal is to be read.
    async fn wait(&mut self) {
        if std::mem::take(&mut self.first) {
            return;
        }
        self.ear.hear().await;
        // What has already arrived is answered by the same read.
        self.ear.forget_what_waits();
    }
}

/// The deal itself, its car, and the feeds of its store, which may take many cars at once and say so only once.
fn topics(deal: DealId, car: VehicleId, store: StoreId) -> [Topic; 3] {
    [Topic::Object(Subject::Deal, deal.0), Topic::Object(Subject::Vehicle, car.0), Topic::OfStore(Subject::FeedImport, store.0)]
}
