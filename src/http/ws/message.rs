//! The messages of graphql-transport-ws, and the codes a socket is closed with.

use async_graphql::ServerError;
use axum::extract::ws::{CloseFrame, Utf8Bytes};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Longest id of an operation, in bytes.
const ID_MAX: usize = 200;

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The server stops.
    GoingAway,
    /// Try again later.
    Busy,
    /// A message larger than the bound.
    TooBig,
    /// A message that the protocol does not know.
    BadRequest,
    /// Not signed in (yet), or not any more.
    Unauthorized,
    /// The token is not valid.
    Forbidden,
    /// `connection_init` did not come in time.
    InitTimeout,
    /// The id is in use.
    IdInUse,
    /// `connection_init` came twice.
    TooManyInits,
}

impl Close {
    /// Code and reason. A reason has at most 123 bytes, or the frame is not valid.
    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::GoingAway => (1001, "The server is stopping"),
            Self::Busy => (1013, "Too many sockets"),
            Self::TooBig => (1009, "Message too big"),
            Self::BadRequest => (4400, "Invalid message"),
            Self::Unauthorized => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::InitTimeout => (4408, "Connection initialisation timeout"),
            Self::IdInUse => (4409, "Subscriber for this id already exists"),
            Self::TooManyInits => (4429, "Too many initialisation requests"),
        };
        CloseFrame { code, reason: Utf8Bytes::from_static(reason) }
    }
}

/// A message of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inbound {
    /// The first message, with the token in its payload.
    Init(Option<String>),
    /// Are you there?
    Ping,
    /// I am here.
    Pong,
    /// Starts an operation: its id and its request as JSON.
    Subscribe(String, String),
    /// Ends an operation.
    Complete(String),
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

impl Inbound {
    /// Reads a message; none when it breaks the protocol.
    pub(super) fn read(text: &str) -> Option<Self> {
        // A sequence would be taken for a struct below.
        if !text.trim_start().starts_with('{') {
            return None;
        }
        let raw: Raw<'_> = serde_json::from_str(text).ok()?;
        let id = raw.id.filter(|id| (1..=ID_MAX).contains(&id.len()));
        let object = raw.payload.map(RawValue::get).filter(|payload| *payload != "null");
        let is_object = object.is_none_or(|payload| payload.starts_with('{'));
        match raw.kind.as_str() {
            "connection_init" if is_object => Some(Self::Init(object.and_then(token))),
            "ping" if is_object => Some(Self::Ping),
            "pong" if is_object => Some(Self::Pong),
            "subscribe" if is_object => Some(Self::Subscribe(id?, object?.to_owned())),
            "complete" => Some(Self::Complete(id?)),
            _ => None,
        }
    }
}

/// The bearer token of a `connection_init`: `{"authorization": "Bearer …"}`, in any case of letters.
fn token(payload: &str) -> Option<String> {
    let payload: serde_json::Map<String, serde_json::Value> = serde_json::from_str(payload).ok()?;
    let (_, value) = payload.iter().find(|(key, _)| key.eq_ignore_ascii_case("authorization"))?;
    crate::http::caller::bearer(value.as_str()?).map(str::to_owned)
}

/// `next`, around a result that is JSON already.
pub(super) fn next(id: &str, result: &[u8]) -> String {
    wrap(id, "next", Some(&String::from_utf8_lossy(result)))
}

/// `error`: the operation did not start.
pub(super) fn error(id: &str, errors: &[ServerError]) -> String {
    wrap(id, "error", Some(&serde_json::to_string(errors).unwrap_or_else(|_| "[]".into())))
}

/// `complete`: there is no more.
pub(super) fn complete(id: &str) -> String {
    wrap(id, "complete", None)
}

fn wrap(id: &str, kind: &str, payload: Option<&str>) -> String {
    let id = serde_json::Value::from(id);
    match payload {
        Some(payload) => format!(r#"{{"id":{id},"type":"{kind}","payload":{payload}}}"#),
        None => format!(r#"{{"id":{id},"type":"{kind}"}}"#),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_protocol_are_read() {
        let init = r#"{"type": "connection_init", "payload": {"Authorization": "Bearer abc"}}"#;
        assert_eq!(Inbound::read(init), Some(Inbound::Init(Some("abc".into()))));
        assert_eq!(Inbound::read(r#"{"type": "connection_init"}"#), Some(Inbound::Init(None)));
        assert_eq!(Inbound::read(r#"{"type": "ping", "payload": null}"#), Some(Inbound::Ping));
        assert_eq!(Inbound::read(r#"{"type": "complete", "id": "a"}"#), Some(Inbound::Complete("a".into())));
        assert!(matches!(Inbound::read(r#"{"type": "subscribe", "id": "a", "payload": {"query": "{a}"}}"#), Some(Inbound::Subscribe(..))));
    }

    #[test]
    fn everything_else_breaks_it() {
        for bad in [
            "hello",
            "{}",
            "[]",
            r#"["ping", null, null]"#,
            r#"{"type": "nope"}"#,
            r#"{"type": "next", "id": "a", "payload": {}}"#,
            r#"{"type": "subscribe", "payload": {"query": "{a}"}}"#,
            r#"{"type": "subscribe", "id": "a"}"#,
            r#"{"type": "subscribe", "id": 7, "payload": {}}"#,
            r#"{"type": "subscribe", "id": "", "payload": {}}"#,
            r#"{"type": "subscribe", "id": "a", "payload": "x"}"#,
            r#"{"type": "ping", "payload": 3}"#,
            r#"{"type": "ping", "type": "pong"}"#,
        ] {
            assert_eq!(Inbound::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn close_reasons_fit_their_frame() {
        for close in [Close::GoingAway, Close::InitTimeout, Close::IdInUse, Close::TooManyInits] {
            assert!(close.frame().reason.as_str().len() <= 123);
        }
    }
}
