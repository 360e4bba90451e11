//! Customers of one answer: what is asked of one of them is read for all of them in one statement.

use std::collections::HashMap;
use std::hash::Hash;

use async_graphql::Context;
use tokio::sync::OnceCell;

use crate::channels::{Channels, Lead};
use crate::customers::model::{Consent, Contact, LinkSuggestion, Merge};
use crate::customers::preference::Preference;
use crate::customers::service::{CustomerWith, Customers};
use crate::deals::graphql::DealNode;
use crate::graphql::GqlResult;
use crate::graphql::context::{actor, service};
use crate::inventory::graphql::VehicleNode;
use crate::kernel::id::{CustomerId, VehicleId};

/// Most leads shown of one customer.
pub(super) const LEADS_MAX: i32 = 20;

type Once<T> = OnceCell<HashMap<CustomerId, Vec<T>>>;

/// The ids read together, and what was read of them since.
#[derive(Debug, Default)]
pub(in crate::customers) struct Siblings {
    ids: Vec<CustomerId>,
    /// Vehicles of their events.
    vehicle_ids: Vec<VehicleId>,
    vehicles: OnceCell<HashMap<VehicleId, VehicleNode>>,
    preferences: Once<Preference>,
    contacts: Once<Contact>,
    consents: Once<Consent>,
    suggestions: Once<LinkSuggestion>,
    merges: Once<Merge>,
    deals: Once<DealNode>,
    open_deals: Once<DealNode>,
    leads: Once<Lead>,
}

impl Siblings {
    pub(super) fn of(all: &[CustomerWith]) -> Self {
        let ids = all.iter().map(|with| with.customer.id).collect();
        let mut vehicle_ids: Vec<VehicleId> =
            all.iter().filter_map(|with| with.events.as_ref()).flatten().filter_map(|event| event.vehicle_id).collect();
        vehicle_ids.sort_unstable();
        vehicle_ids.dedup();
        Self { ids, vehicle_ids, ..Self::default() }
    }

    /// A vehicle of an event, read with those of all events of the answer.
    pub(super) async fn vehicle(&self, ctx: &Context<'_>, id: VehicleId) -> GqlResult<Option<VehicleNode>> {
        if !self.vehicle_ids.contains(&id) {
            return VehicleNode::load(ctx, id).await;
        }
        let read = || VehicleNode::load_many(ctx, &self.vehicle_ids);
        Ok(self.vehicles.get_or_try_init(read).await?.get(&id).cloned())
    }

    pub(super) async fn preferences(&self, ctx: &Context<'_>, id: CustomerId) -> GqlResult<Vec<Preference>> {
        let read = || async {
            let scope = actor(ctx)?.selling_scope();
            let rows = service::<Customers>(ctx)?.preferences(&scope, &self.ids).await?;
            group(rows.into_iter().map(|p| (p.customer_id, p)))
        };
        Ok(of(self.preferences.get_or_try_init(read).await?, id))
    }

    pub(super) async fn contacts(&self, ctx: &Context<'_>, id: CustomerId) -> GqlResult<Vec<Contact>> {
        let read = || async {
            let scope = actor(ctx)?.selling_scope();
            group(service::<Customers>(ctx)?.contacts(&scope, &self.ids).await?)
        };
        Ok(of(self.contacts.get_or_try_init(read).await?, id))
    }

    pub(super) async fn deals(&self, ctx: &Context<'_>, id: CustomerId, open_only: bool) -> GqlResult<Vec<DealNode>> {
        let cell = if open_only { &self.open_deals } else { &self.deals };
        let read = || DealNode::of_customers(ctx, &self.ids, open_only);
        Ok(of(cell.get_or_try_init(read).await?, id))
    }

    pub(super) async fn consents(&self, ctx: &Context<'_>, id: CustomerId) -> GqlResult<Vec<Consent>> {
        let read = || async {
            let scope = actor(ctx)?.selling_scope();
            group(service::<Customers>(ctx)?.consents(&scope, &self.ids).await?)
        };
        Ok(of(self.consents.get_or_try_init(read).await?, id))
    }

    pub(super) async fn suggestions(&self, ctx: &Context<'_>, id: CustomerId) -> GqlResult<Vec<LinkSuggestion>> {
        let read = || async {
            let scope = actor(ctx)?.selling_scope();
            group(service::<Customers>(ctx)?.link_suggestions(&scope, &self.ids).await?)
        };
        Ok(of(self.suggestions.get_or_try_init(read).await?, id))
    }

    pub(super) async fn leads(&self, ctx: &Context<'_>, id: CustomerId) -> GqlResult<Vec<Lead>> {
        let read = || async {
            let scope = actor(ctx)?.selling_scope();
            let rows = service::<Channels>(ctx)?.of_customers(&scope, &self.ids, i64::from(LEADS_MAX)).await?;
            group(rows.into_iter().filter_map(|lead| Some((lead.customer_id?, lead))))
        };
        Ok(of(self.leads.get_or_try_init(read).await?, id))
    }

    pub(super) async fn merges(&self, ctx: &Context<'_>, id: CustomerId) -> GqlResult<Vec<Merge>> {
        let read = || async {
            let scope = actor(ctx)?.selling_scope();
            let rows = service::<Customers>(ctx)?.merges(&scope, &self.ids).await?;
            group(rows.into_iter().map(|m| (m.survivor, m)))
        };
        Ok(of(self.merges.get_or_try_init(read).await?, id))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the readers end with it, and need its error type")]
fn group<K: Eq + Hash, T>(rows: impl IntoIterator<Item = (K, T)>) -> GqlResult<HashMap<K, Vec<T>>> {
    let mut groups: HashMap<K, Vec<T>> = HashMap::new();
    for (key, row) in rows {
        groups.entry(key).or_default().push(row);
    }
    Ok(groups)
}

fn of<T: Clone>(groups: &HashMap<CustomerId, Vec<T>>, id: CustomerId) -> Vec<T> {
    groups.get(&id).cloned().unwrap_or_default()
}
