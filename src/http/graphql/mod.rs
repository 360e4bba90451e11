//! GraphQL over HTTP, by hand on the library's schema: what is accepted, what is refused, and how the answer looks.
//!
//! The order of checks is the order of their price: media types, token, size, text, measure, variables, estimate — and only
//! then validation and execution. See `docs/API-DESIGN.md` for the rules clients can rely on.
//!
//! - `POST` with `application/json` only, which no form and no foreign page can send without asking first (CSRF).
//! - `GET` for queries only.
//! - Without a token only the public fields (sign-in) run; nothing else of the schema can be learnt.
//! - A token that is not valid is refused whatever was asked.

mod answer;
mod documents;
mod engine;
mod guard;
mod order;
mod request;
mod scan;
mod types;
mod variables;

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::access::{Kind, Peer, RequestId};
use super::caller::Caller;
use super::limits::ms;
use crate::auth::AuthError;
use crate::graphql::{ErrorCode, RequestInfo};
pub(crate) use answer::{Answer, Media, Refusal};
pub(crate) use documents::kind;
pub use engine::Executors;
pub(crate) use engine::{Engine, Prepared, Via, internal};
pub(crate) use request::{Envelope, from_json};
pub use types::SchemaError;

use super::Http;

/// `POST /graphql`.
pub(super) async fn post(
    State(http): State<Http>,
    Extension(RequestId(id)): Extension<RequestId>,
    peer: Option<Extension<Peer>>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let media = Media::negotiate(&parts.headers);
    let envelope = async {
        json_body(&parts.headers)?;
        let caller = http.caller(&parts.headers).await?;
        let body = read(body, &parts.headers, &http).await?;
        Ok((from_json(&body, &http.limits)?, caller))
    };
    let read = match media {
        Some(_) => envelope.await,
        None => Err(not_acceptable()),
    };
    let address = Peer::client(peer.map(|Extension(peer)| peer), &parts.headers, http.limits.proxies);
    answer(&http, read, Via::Post, media, &id, address).await
}

/// `GET /graphql`.
pub(super) async fn get(http: Http, id: RequestId, peer: Option<Extension<Peer>>, request: Request<Body>) -> Response {
    let (parts, _) = request.into_parts();
    let media = Media::negotiate(&parts.headers);
    let read = async {
        media.ok_or_else(not_acceptable)?;
        let caller = http.caller(&parts.headers).await?;
        Ok((request::from_uri(&parts.uri, &http.limits)?, caller))
    };
    let read = read.await;
    let address = Peer::client(peer.map(|Extension(peer)| peer), &parts.headers, http.limits.proxies);
    answer(&http, read, Via::Get, media, &id.0, address).await
}

async fn answer(
    http: &Http,
    read: Result<(Envelope, Option<Caller>), Refusal>,
    via: Via,
    media: Option<Media>,
    id: &Arc<str>,
    address: String,
) -> Response {
    let info = RequestInfo { request_id: id.to_string(), address };
    let mut label = Kind("none");
    let answer = match read.and_then(|(envelope, caller)| http.engine.prepare(envelope, caller.as_ref(), info, via)) {
        Ok(prepared) => {
            label = Kind(kind(prepared.ty));
            http.engine.execute(prepared).await
        }
        Err(refusal) => refusal.into(),
    };
    let mut response = answer.into_http(media.unwrap_or(Media::Json), id, &http.limits);
    response.extensions_mut().insert(label);
    response
}

fn not_acceptable() -> Refusal {
    Refusal::http(StatusCode::NOT_ACCEPTABLE, "Accept application/graphql-response+json or application/json.")
}

/// Refuses every body that is not JSON in UTF-8, as it is.
fn json_body(headers: &HeaderMap) -> Result<(), Refusal> {
    let wrong = |message: &str| Err(Refusal::http(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(given), None) = (types.next(), types.next()) else {
        return wrong("Send one Content-Type: application/json.");
    };
    let mut parts = given.to_str().unwrap_or("").split(';').map(str::trim);
    if !parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return wrong("Send the request as application/json.");
    }
    let utf8 = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    };
    if !parts.all(utf8) {
        return wrong("Send the request in UTF-8.");
    }
    if headers.get(header::CONTENT_ENCODING).is_some_and(|v| !v.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return wrong("Send the request without Content-Encoding.");
    }
    Ok(())
}

async fn read(body: Body, headers: &HeaderMap, http: &Http) -> Result<bytes::Bytes, Refusal> {
    let most = http.limits.body_bytes;
    let too_large = || Refusal::http(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is larger than {most} bytes."));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    match tokio::time::timeout(ms(http.limits.body_ms), Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Refusal::http(StatusCode::BAD_REQUEST, "The body could not be read.")),
        Err(_) => Err(Refusal::http(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.")),
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Db(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a token could not be checked");
                Self::new(ErrorCode::Unavailable, "The server is busy. Try again in a moment.")
            }
            AuthError::Busy => Self::new(ErrorCode::Unavailable, "The server is busy. Try again in a moment."),
            AuthError::Expired => Self::new(ErrorCode::Unauthenticated, "The access token has expired: refresh the session."),
            AuthError::SessionEnded => Self::new(ErrorCode::Unauthenticated, "The session has ended: sign in again."),
            _ => Self::new(ErrorCode::Unauthenticated, "The access token is not valid."),
        }
    }
}
