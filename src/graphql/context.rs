//! What a resolver may know of its request.

use std::sync::Arc;

use async_graphql::Context;

use super::{GqlError, GqlResult};
use crate::auth::Actor;

/// Facts about the request, put into the context by the transport.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// Also in the `x-request-id` response header and in every error.
    pub request_id: String,
    /// The peer's address, for throttling sign-in.
    pub address: String,
}

/// The signed-in actor, or `UNAUTHENTICATED`.
pub fn actor<'a>(ctx: &Context<'a>) -> GqlResult<&'a Arc<Actor>> {
    ctx.data_opt::<Arc<Actor>>().ok_or_else(GqlError::unauthenticated)
}

/// The request's facts.
pub fn request_info(ctx: &Context<'_>) -> RequestInfo {
    ctx.data_opt::<RequestInfo>().cloned().unwrap_or_else(|| RequestInfo { request_id: "none".into(), address: "unknown".into() })
}

/// For the audit trail: the actor and the request.
pub fn by(ctx: &Context<'_>) -> GqlResult<crate::db::By> {
    Ok(actor(ctx)?.by(Some(request_info(ctx).request_id)))
}

/// A service of the schema's data. Missing is a wiring bug and shows as an internal error.
pub fn service<'a, T: Send + Sync + 'static>(ctx: &Context<'a>) -> GqlResult<&'a T> {
    ctx.data_opt::<T>().ok_or_else(|| GqlError::internal(format!("{} is not in the schema's data", std::any::type_name::<T>())))
}
