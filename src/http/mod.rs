//! HTTP: the doors of the program and everything that must hold before a resolver runs.
//!
//! - [`graphql`]: GraphQL over HTTP. [`ws`]: subscriptions over WebSocket. [`graphiql`]: the page for people.
//! - [`server`]: connections, their timeouts and their end.
//! - Every route passes one layer (request id, log line, headers, masked panics), so that none can forget it.
//!
//! What a stock server on the same libraries leaves open is closed here, and each gap has a test in `tests/http_*.rs`.

mod access;
mod caller;
pub mod channels;
pub mod feeds;
pub mod graphiql;
pub mod graphql;
mod health;
pub mod limits;
mod metrics;
mod patient;
mod problem;
pub mod server;
pub mod ws;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router, middleware};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::timeout::TimeoutBody;

use crate::auth::Auth;
use crate::db::Db;
use crate::db::notices::Notices;
pub use access::{Peer, REQUEST_ID, RequestId};
pub use caller::{Caller, Doorkeeper};
use graphql::{Engine, Executors, Refusal, SchemaError};
pub use limits::Limits;
use limits::ms;
pub use problem::Problem;

/// Smaller answers are sent as they are, in bytes.
const COMPRESS_ABOVE: u64 = 1400;

/// What the transport is built from.
#[derive(Debug)]
pub struct Parts {
    /// The schema.
    pub executors: Executors,
    /// The schema's text.
    pub sdl: String,
    /// Root fields that need no token.
    pub public_fields: &'static [&'static str],
    /// Checks tokens.
    pub doorkeeper: Doorkeeper,
    /// Bounds.
    pub limits: Limits,
    /// Origins, besides the server's own, whose pages may open sockets.
    pub allowed_origins: Vec<String>,
    /// For readiness and metrics.
    pub db: Option<Db>,
    /// To hear of ended sessions.
    pub notices: Option<Notices>,
    /// To publish the keys that verify tokens.
    pub auth: Option<Auth>,
}

/// The transport. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Http(Arc<Inner>);

/// What [`Http`] shares.
#[derive(Debug)]
pub struct Inner {
    engine: Engine,
    doorkeeper: Doorkeeper,
    limits: Arc<Limits>,
    allowed_origins: Vec<String>,
    sockets: ws::Sockets,
    db: Option<Db>,
    notices: Option<Notices>,
    auth: Option<Auth>,
    /// Cancelled when the server begins to stop.
    stopping: CancellationToken,
    /// Work that a stop waits for.
    tasks: TaskTracker,
}

impl std::ops::Deref for Http {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Http {
    /// Builds the transport. Fails when the schema's text cannot be read back.
    pub fn new(parts: Parts) -> Result<Self, SchemaError> {
        metrics::start();
        let (limits, tasks) = (Arc::new(parts.limits), TaskTracker::new());
        let engine = Engine::new(parts.executors, &parts.sdl, parts.public_fields, Arc::clone(&limits), tasks.clone(), parts.db.clone())?;
        Ok(Self(Arc::new(Inner {
            engine,
            doorkeeper: parts.doorkeeper,
            allowed_origins: parts.allowed_origins,
            sockets: ws::Sockets::new(limits.sockets, limits.sockets_per_user),
            limits,
            db: parts.db,
            notices: parts.notices,
            auth: parts.auth,
            stopping: CancellationToken::new(),
            tasks,
        })))
    }

    /// The routes. `more` are those of the slices (channels, feeds); they pass the same layer.
    pub fn router(&self, more: Router) -> Router {
        let own = Router::new()
            .route("/graphql", get(graphql_get).post(graphql::post))
            .route("/livez", get(health::livez))
            .route("/readyz", get(readyz))
            .route("/metrics", get(async |State(http): State<Self>| metrics::page(http.db.as_ref())))
            .route("/.well-known/jwks.json", get(jwks))
            .merge(graphiql::routes())
            .with_state(self.clone());
        let idle = ms(self.limits.body_ms);
        // An upload may take long, but not stand still.
        let patient = move |request: Request| std::future::ready(request.map(|body| Body::new(TimeoutBody::new(idle, body))));
        let more = more.layer(middleware::map_request(patient));
        own.merge(more)
            .fallback(not_found)
            .method_not_allowed_fallback(wrong_method)
            .layer(CompressionLayer::new().compress_when(SizeAbove::new(COMPRESS_ABOVE)))
            .layer(middleware::from_fn(access::layer))
    }

    /// Who sends these headers.
    async fn caller(&self, headers: &HeaderMap) -> Result<Option<Caller>, Refusal> {
        Ok(self.doorkeeper.of(headers).await?)
    }
}

async fn graphql_get(
    State(http): State<Http>,
    Extension(id): Extension<RequestId>,
    peer: Option<Extension<Peer>>,
    request: Request,
) -> Response {
    let upgrade = request.headers().get(header::UPGRADE).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if upgrade { ws::upgrade(http, id, peer, request).await } else { graphql::get(http, id, peer, request).await }
}

async fn readyz(State(http): State<Http>) -> Response {
    health::readyz(http.db.as_ref(), http.notices.as_ref(), http.stopping.is_cancelled()).await
}

async fn jwks(State(http): State<Http>) -> Response {
    match &http.auth {
        Some(auth) => ([(header::CACHE_CONTROL, "public, max-age=300")], Json(auth.jwks())).into_response(),
        None => not_found().await.into_response(),
    }
}

async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "NOT_FOUND", "There is nothing at this address.")
}

async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "This address does not take this method.")
}
