//! The doors of leads and events: `POST /channels/adf` and `POST /channels/events`, each with `?store=CODE` and a machine's key.
//!
//! What is refused here is refused before it is kept: no key, another store, another format, too large. Everything else is
//! kept, understood or not, and answered `202` with what became of it.

use std::io::Read;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde_json::json;

use super::access::RequestId;
use super::caller::Doorkeeper;
use super::problem::Problem;
use crate::auth::{Actor, AuthError};
use crate::channels::{Channels, ChannelsError, Delivery, EventStatus};
use crate::db::{By, DbError};

/// Largest body, as sent and after inflating.
const BODY_MAX: usize = 1 << 20;

/// Longest time for a whole body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Media types in which leads come. Mail gateways and form scripts say `text/plain`.
const ADF_TYPES: &[&str] =
    &["application/xml", "text/xml", "application/adf+xml", "application/x-adf+xml", "text/plain", "text/html", "message/rfc822"];
/// Media types in which events come.
const EVENT_TYPES: &[&str] = &["application/json", "application/cloudevents-batch+json"];

#[derive(Debug, Clone)]
struct Door {
    channels: Channels,
    doorkeeper: Doorkeeper,
}

/// The routes.
pub fn routes(channels: Channels, doorkeeper: Doorkeeper) -> Router {
    Router::new().route("/channels/adf", post(adf)).route("/channels/events", post(events)).with_state(Door { channels, doorkeeper })
}

/// A request that may come in.
struct Admitted {
    actor: std::sync::Arc<Actor>,
    by: By,
    store: String,
    body: Bytes,
    charset: Option<String>,
}

async fn adf(State(door): State<Door>, Extension(id): Extension<RequestId>, request: Request) -> Result<Response, Problem> {
    let admitted = door.admit(&id, request, ADF_TYPES).await?;
    let delivery = Delivery { body: admitted.body, charset: admitted.charset };
    let leads = door.channels.receive_adf(&admitted.actor, admitted.by, &admitted.store, delivery).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "leads": leads }))).into_response())
}

async fn events(State(door): State<Door>, Extension(id): Extension<RequestId>, request: Request) -> Result<Response, Problem> {
    let admitted = door.admit(&id, request, EVENT_TYPES).await?;
    let events = door.channels.receive_events(&admitted.actor, admitted.by, &admitted.store, &admitted.body).await?;
    let count = |status: EventStatus| events.iter().filter(|e| e.status == status).count();
    let answer = json!({
        "accepted": count(EventStatus::Accepted),
        "duplicates": count(EventStatus::Duplicate),
        "refused": count(EventStatus::Refused),
        "events": events,
    });
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

impl Door {
    /// Asks for the key, the store and the format before the body is read.
    async fn admit(&self, id: &RequestId, request: Request, types: &[&str]) -> Result<Admitted, Problem> {
        let (parts, body) = request.into_parts();
        let caller = self.doorkeeper.of(&parts.headers).await.map_err(refused)?.ok_or_else(Problem::unauthenticated)?;
        let actor = caller.actor.ok_or_else(Problem::unauthenticated)?;
        let store = store_code(&parts.uri)?;
        self.channels.door(&actor, &store)?;
        let charset = content_type(&parts.headers, types)?;
        let gzip = compressed(&parts.headers)?;
        let body = match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect()).await {
            Ok(Ok(collected)) => collected.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
            Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "BODY_TIMEOUT", "The body took too long.")),
            Ok(Err(_)) => return Err(Problem::new(StatusCode::BAD_REQUEST, "INCOMPLETE_BODY", "The body ended before it was complete.")),
        };
        let body = if gzip { inflate(&body)? } else { body };
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "EMPTY_BODY", "The body is empty."));
        }
        Ok(Admitted { by: actor.by(Some(id.0.to_string())), actor, store, body, charset })
    }
}

fn store_code(uri: &Uri) -> Result<String, Problem> {
    #[derive(Deserialize)]
    struct Named {
        store: String,
    }
    match Query::<Named>::try_from_uri(uri) {
        Ok(Query(named)) if (1..=64).contains(&named.store.len()) => Ok(named.store),
        _ => Err(Problem::new(StatusCode::BAD_REQUEST, "STORE_MISSING", "Name the store: add \"?store=CODE\" to the address.")),
    }
}

/// Checks the media type; gives its charset. Without a content type, the body is taken for what the route expects.
fn content_type(headers: &HeaderMap, types: &[&str]) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(None) };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    if !parts.next().is_some_and(|media| types.contains(&media)) {
        let detail = format!("Send one of: {}.", types.join(", "));
        return Err(
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "This format is not read here.").detail(detail)
        );
    }
    let charset = parts.find_map(|p| p.strip_prefix("charset=")).map(|c| c.trim_matches('"').to_owned());
    Ok(charset.filter(|c| (1..=40).contains(&c.len())))
}

fn compressed(headers: &HeaderMap) -> Result<bool, Problem> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(false) };
    match value.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        _ => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_ENCODING", "Send the body plain or with gzip.")),
    }
}

/// Never more than the bound is inflated, however much the bytes promise.
fn inflate(body: &[u8]) -> Result<Bytes, Problem> {
    let mut out = Vec::new();
    let limit = u64::try_from(BODY_MAX).unwrap_or(u64::MAX).saturating_add(1);
    match MultiGzDecoder::new(body).take(limit).read_to_end(&mut out) {
        Ok(length) if length > BODY_MAX => Err(too_large()),
        Ok(_) => Ok(out.into()),
        Err(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "BAD_GZIP", "The body is not valid gzip.")),
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", "The body is larger than 1 MiB.")
}

pub(super) fn refused(error: AuthError) -> Problem {
    match error {
        AuthError::Db(error) => database(&error),
        _ => Problem::unauthenticated(),
    }
}

pub(super) fn database(error: &DbError) -> Problem {
    let problem = match error {
        DbError::Unavailable(_) | DbError::Conflict(_) | DbError::Timeout(_) => Problem::unavailable(),
        DbError::Statement(_) | DbError::Corrupt(_) => Problem::internal(),
    };
    tracing::error!(error = error as &dyn std::error::Error, "channel request failed");
    problem
}

impl From<ChannelsError> for Problem {
    fn from(error: ChannelsError) -> Self {
        match error {
            ChannelsError::Batch(refused) => {
                Self::new(StatusCode::BAD_REQUEST, "BAD_BATCH", "The batch could not be read.").detail(refused.to_string())
            }
            ChannelsError::Db(error) => database(&error),
            // A store of somebody else does not exist, in the same words.
            _ => Self::new(StatusCode::NOT_FOUND, "STORE_NOT_FOUND", "There is no store with this code for this key."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gzip_bomb_is_cut_at_the_bound() {
        use std::io::Write;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        for _ in 0..64 {
            encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
        }
        let bomb = encoder.finish().unwrap();
        assert!(bomb.len() < BODY_MAX && inflate(&bomb).is_err());
        assert!(inflate(b"nonsense").is_err());
    }
}
