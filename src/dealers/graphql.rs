//! The store as clients see it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Dealers, StoreInfo};
use crate::graphql::context::{actor, service};
use crate::graphql::scalar::CurrencyCode;
use crate::graphql::{GqlError, GqlResult};
use crate::kernel::id::StoreId;

/// A store as a GraphQL object.
#[derive(Debug, Clone)]
pub struct StoreNode(pub Arc<StoreInfo>);

impl StoreNode {
    /// The store with this id, from memory.
    pub fn load(ctx: &Context<'_>, id: StoreId) -> GqlResult<Self> {
        service::<Dealers>(ctx)?.store(id).map(Self).ok_or_else(|| GqlError::internal("a row names a store that does not exist"))
    }
}

/// A store (rooftop) of the dealer group.
#[Object(name = "Store")]
impl StoreNode {
    /// Opaque id, `sto_…`.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }
    /// Short name used in feed paths and on the command line.
    async fn code(&self) -> &str {
        &self.0.code
    }
    /// The name customers know.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// Street and number.
    async fn street(&self) -> &str {
        &self.0.street
    }
    /// City.
    async fn city(&self) -> &str {
        &self.0.city
    }
    /// Two-letter state.
    async fn state(&self) -> &str {
        &self.0.state
    }
    /// ZIP code.
    async fn postal_code(&self) -> &str {
        &self.0.postal_code
    }
    /// Phone number in E.164.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }
    /// IANA time zone, such as `America/Chicago`.
    async fn time_zone(&self) -> &str {
        self.0.time_zone.name()
    }
    /// The currency of the store's prices.
    async fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency)
    }
    /// Tax jurisdiction of the store itself. A buyer is taxed by their own.
    async fn tax_jurisdiction(&self) -> &str {
        &self.0.tax_jurisdiction
    }
}

/// Queries about stores.
#[derive(Debug, Default)]
pub struct DealersQuery;

#[Object]
impl DealersQuery {
    /// The stores you work in, by code.
    async fn stores(&self, ctx: &Context<'_>) -> GqlResult<Vec<StoreNode>> {
        let actor = actor(ctx)?;
        let stores = service::<Dealers>(ctx)?.stores();
        let mut mine: Vec<_> = actor.roles().filter_map(|(id, _)| stores.get(id).cloned()).map(StoreNode).collect();
        mine.sort_by(|a, b| a.0.code.cmp(&b.0.code));
        Ok(mine)
    }
}
