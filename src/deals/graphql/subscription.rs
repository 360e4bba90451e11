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
use crate::kernel::id::DealId;

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
}

#[Subscription]
impl DealsSubscription {
    /// The deal now, and again after every change of it or of who has its car. Ends when the deal may no longer be seen;
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
        };
        Ok(stream::unfold(Some(watch), |watch| async {
            let mut watch = watch?;
            if !watch.wait().await {
                return None;
            }
            match watch.deals.find(&watch.scope, watch.id, watch.parts).await {
                Ok(Some(room)) => Some((Ok(DealNode::from(room)), Some(watch))),
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

    fn concerns(&self, signal: &Signal) -> bool {
        match signal {
            Signal::Changed(notice) => notice.subject == Subject::Deal && notice.subject_id == self.id.0,
            Signal::Resync => true,
            Signal::Rules(_) => false,
        }
    }
}
