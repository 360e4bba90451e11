//! A deal as it changes, on whichever server and tablet.
#![expect(clippy::unused_async, reason = "the macro of async-graphql wants an async function")]

use async_graphql::{Context, ID, Subscription};
use futures::stream::{self, Stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::node::{DealNode, parts};
use crate::auth::Scope;
use crate::db::notices::{Notices, Signal, Subject};
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
    signals: Receiver<Signal>,
    first: bool,
    /// The deal's car and store, as last read.
    car: Option<(VehicleId, StoreId)>,
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
        let watch = Watch {
            deals: service::<Deals>(ctx)?.clone(),
            scope: actor(ctx)?.selling_scope(),
            id: input::id("id", &id)?,
            parts: parts(&ctx.look_ahead()),
            // Listening begins before the first read, so that no change falls between the two.
            signals: service::<Notices>(ctx)?.subscribe(),
            first: true,
            car: None,
        };
        Ok(stream::unfold(Some(watch), |watch| async {
            let mut watch = watch?;
            if !watch.wait().await {
                return None;
            }
            match watch.deals.find(&watch.scope, watch.id, watch.parts).await {
                Ok(Some(room)) => {
                    watch.car = Some((room.deal.vehicle_id, room.deal.store_id));
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
    /// Waits until the deal is to be read. False when the program stops.
    async fn wait(&mut self) -> bool {
        if std::mem::take(&mut self.first) {
            return true;
        }
        loop {
            match self.signals.recv().await {
                Ok(signal) if self.concerns(&signal) => break,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return false,
            }
        }
        // What has already arrived is answered by the same read.
        while self.signals.try_recv().is_ok() {}
        true
    }

    /// The deal itself, its car, or a feed of its store, which may take many cars at once and says so only once.
    fn concerns(&self, signal: &Signal) -> bool {
        match signal {
            Signal::Changed(notice) => match notice.subject {
                Subject::Deal => notice.subject_id == self.id.0,
                Subject::Vehicle => self.car.is_some_and(|(vehicle, _)| vehicle.0 == notice.subject_id),
                Subject::FeedImport => self.car.is_some_and(|(_, store)| store.0 == notice.store_id),
                _ => false,
            },
            Signal::Resync => true,
            Signal::Rules(_) => false,
        }
    }
}
