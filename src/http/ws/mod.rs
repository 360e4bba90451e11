//! GraphQL over WebSocket: the protocol graphql-transport-ws, by hand.
//!
//! <https://github.com/enisdenk/graphql-ws/blob/master/PROTOCOL.md>. Whoever breaks the protocol is closed with its code;
//! whoever sends a wrong operation is told so with `error` and may go on. A socket lives no longer than its token and its
//! session, and never holds more than its bounds.

mod message;
mod session;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Extension;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::access::{Peer, RequestId};
use super::{Http, Problem, metrics};

/// The one sub-protocol.
const PROTOCOL: &str = "graphql-transport-ws";

/// Answers a handshake.
pub(super) async fn upgrade(http: Http, id: RequestId, peer: Option<Extension<Peer>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if !origin_allowed(&parts.headers, &http.allowed_origins) {
        return Problem::new(StatusCode::FORBIDDEN, "ORIGIN_NOT_ALLOWED", "Pages of this origin may not open sockets here.")
            .into_response();
    }
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade.protocols([PROTOCOL]),
        Err(_) => return Problem::new(StatusCode::BAD_REQUEST, "BAD_HANDSHAKE", "This is not a WebSocket handshake.").into_response(),
    };
    if upgrade.selected_protocol().is_none() {
        return Problem::new(StatusCode::BAD_REQUEST, "UNKNOWN_SUBPROTOCOL", "Ask for the sub-protocol graphql-transport-ws.")
            .into_response();
    }
    if http.stopping.is_cancelled() {
        return Problem::unavailable().into_response();
    }
    let Some(place) = http.sockets.enter() else {
        return Problem::unavailable().detail("Too many sockets are open.").into_response();
    };
    let address = Peer::client(peer.map(|Extension(peer)| peer), &parts.headers, http.limits.proxies);
    let most = http.limits.body_bytes;
    let tasks = http.tasks.clone();
    upgrade
        .max_message_size(most)
        .max_frame_size(most)
        .read_buffer_size(4096)
        .write_buffer_size(4096)
        .on_upgrade(move |socket| tasks.track_future(session::run(http, socket, place, id, address)))
}

/// Browsers name the page that connects. Programs do not, and need not.
fn origin_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let (Ok(origin), None) = (origin.to_str(), origins.next()) else { return false };
    let own = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    (host.is_some() && host == own) || allowed.iter().any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(origin))
}

/// Counts the open sockets.
#[derive(Debug, Clone)]
pub(super) struct Sockets(Arc<Mutex<Counts>>);

#[derive(Debug)]
struct Counts {
    open: usize,
    users: HashMap<Uuid, usize>,
    most: usize,
    most_per_user: usize,
}

impl Sockets {
    pub(super) fn new(most: usize, most_per_user: usize) -> Self {
        Self(Arc::new(Mutex::new(Counts { open: 0, users: HashMap::new(), most, most_per_user })))
    }

    /// A place for one more socket, if there is one.
    fn enter(&self) -> Option<Place> {
        let mut counts = self.0.lock().ok()?;
        if counts.open >= counts.most {
            return None;
        }
        counts.open = counts.open.saturating_add(1);
        metrics::sockets(counts.open);
        Some(Place { sockets: self.clone(), user: None })
    }
}

/// The place of one socket; given back when dropped.
#[derive(Debug)]
struct Place {
    sockets: Sockets,
    user: Option<Uuid>,
}

impl Place {
    /// Counts the socket as this user's; false when they have too many.
    fn claim(&mut self, user: Uuid) -> bool {
        let Ok(mut counts) = self.sockets.0.lock() else { return false };
        let most = counts.most_per_user;
        let open = counts.users.entry(user).or_insert(0);
        if *open >= most {
            return false;
        }
        *open = open.saturating_add(1);
        self.user = Some(user);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Ok(mut counts) = self.sockets.0.lock() else { return };
        counts.open = counts.open.saturating_sub(1);
        metrics::sockets(counts.open);
        if let Some(user) = self.user
            && let Some(open) = counts.users.get_mut(&user)
        {
            *open = open.saturating_sub(1);
            if *open == 0 {
                counts.users.remove(&user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origin: &str, list: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "tablet.example:8080".parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        origin_allowed(&headers, &list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_our_own_and_listed_pages_may_connect() {
        assert!(origin_allowed(&HeaderMap::new(), &[]));
        assert!(allowed("http://tablet.example:8080", &[]));
        assert!(!allowed("http://tablet.example", &[]));
        assert!(!allowed("https://evil.example", &[]));
        assert!(!allowed("null", &[]));
        assert!(allowed("https://app.example", &["https://app.example/"]));
    }

    #[test]
    fn places_are_counted_and_given_back() {
        let sockets = Sockets::new(3, 1);
        let user = Uuid::from_u128(1);
        let (mut a, mut b, c) = (sockets.enter().unwrap(), sockets.enter().unwrap(), sockets.enter().unwrap());
        assert!(sockets.enter().is_none());
        assert!(a.claim(user));
        assert!(!b.claim(user));
        drop(a);
        assert!(b.claim(user));
        drop((b, c));
        assert_eq!(sockets.0.lock().unwrap().users.len(), 0);
        assert!(sockets.enter().is_some());
    }
}
