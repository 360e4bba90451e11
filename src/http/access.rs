//! The outermost layer: a request id, a span, one line in the log, security headers, masked panics.
//!
//! The log line says who asked for which route and how it went. Never a query text, a variable, a query string or a name.

use std::fmt;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tracing::Instrument;

use super::metrics;
use super::problem::Problem;
use crate::kernel::seal::fill_random;

/// The header that carries the request id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: in its log lines, its errors and its response header.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    /// The inbound id when it is short and plain, else a fresh one.
    fn of(headers: &HeaderMap) -> Self {
        let sane = |text: &&str| {
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        };
        match headers.get(REQUEST_ID).and_then(|v| v.to_str().ok()).filter(sane) {
            Some(given) => Self(given.into()),
            None => Self::fresh(),
        }
    }

    fn fresh() -> Self {
        let mut bytes = [0_u8; 12];
        fill_random(&mut bytes);
        let mut text = String::with_capacity(24);
        for byte in bytes {
            use fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
        }
        Self(text.into())
    }
}

/// The address of the peer, put in by the server's accept loop.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

impl Peer {
    /// The address of the client: the peer's, or what the outermost of `proxies` trusted proxies wrote about it.
    pub(super) fn client(peer: Option<Self>, headers: &HeaderMap, proxies: usize) -> String {
        let forwarded = || {
            let all = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
            let all: Vec<&str> = all.map(str::trim).collect();
            // Each proxy appends the address it saw; what stands further left was written by the client.
            let address = all.len().checked_sub(proxies).and_then(|at| all.get(at))?;
            address.parse::<std::net::IpAddr>().ok()
        };
        let address = if proxies > 0 { forwarded() } else { None };
        address.or(peer.map(|peer| peer.0.ip())).map_or_else(|| "unknown".into(), |address| address.to_string())
    }
}

/// What kind of operation was answered; a handler leaves it in the response for the log and the metrics.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind(pub(super) &'static str);

/// Wraps every route.
pub(super) async fn layer(mut request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "none".into(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("http", request_id = %id.0);
    let outcome = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let _entered = span.enter();
    let mut response = outcome.unwrap_or_else(|_| {
        tracing::error!("a handler panicked; the client was told INTERNAL");
        Problem::internal().into_response()
    });
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let (extensions, headers) = (std::mem::take(response.extensions_mut()), std::mem::take(response.headers_mut()));
        response = problem.with_request_id(&id.0).into_response();
        for (name, value) in &headers {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        *response.extensions_mut() = extensions;
    }
    let kind = response.extensions_mut().remove::<Kind>().map_or("none", |kind| kind.0);
    finish(&mut response, &id);
    let elapsed = begin.elapsed();
    let status = response.status().as_u16();
    metrics::request(&route, kind, status, elapsed);
    tracing::info!(%method, route, kind, status, micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX), "answered");
    response
}

fn finish(response: &mut Response, id: &RequestId) {
    let upgrade = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
    if upgrade {
        return;
    }
    // A route that knows better (the page for people, its assets) has said so already.
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_name_the_client() {
        let peer = Some(Peer(SocketAddr::from(([10, 0, 0, 9], 1234))));
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "1.1.1.1, 2.2.2.2".parse().unwrap());
        headers.append("x-forwarded-for", "3.3.3.3".parse().unwrap());
        assert_eq!(Peer::client(peer, &headers, 0), "10.0.0.9");
        assert_eq!(Peer::client(peer, &headers, 1), "3.3.3.3");
        assert_eq!(Peer::client(peer, &headers, 2), "2.2.2.2");
        assert_eq!(Peer::client(peer, &headers, 9), "10.0.0.9");
        assert_eq!(Peer::client(None, &HeaderMap::new(), 1), "unknown");
    }
}
