//! Numbers for Prometheus: requests by route and kind of operation, the database pool, sockets.

use std::sync::OnceLock;
use std::time::Duration;

use crate::db::Db;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// The process's recorder, installed by whoever asks first.
fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().set_buckets(&BUCKETS).ok()?.install_recorder().ok()).as_ref()
}

/// Makes sure that what is counted from now on is kept.
pub(super) fn start() {
    let _ = recorder();
}

/// One answered request. `route` is a pattern, never a path, so that the number of series is bounded.
pub(super) fn request(route: &str, kind: &'static str, status: u16, elapsed: Duration) {
    let class = match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    counter!("deskless_http_requests_total", "route" => route.to_owned(), "kind" => kind, "status" => class).increment(1);
    histogram!("deskless_http_request_seconds", "route" => route.to_owned(), "kind" => kind).record(elapsed.as_secs_f64());
}

/// Sockets that are open.
pub(super) fn sockets(open: usize) {
    gauge!("deskless_sockets").set(u32::try_from(open).unwrap_or(u32::MAX));
}

/// TCP connections that are open.
pub(super) fn connections(open: usize) {
    gauge!("deskless_connections").set(u32::try_from(open).unwrap_or(u32::MAX));
}

/// Operations started on sockets.
pub(super) fn socket_operation(kind: &'static str) {
    counter!("deskless_socket_operations_total", "kind" => kind).increment(1);
}

/// The page Prometheus reads.
pub(super) fn page(db: Option<&Db>) -> Response {
    if let Some(db) = db {
        let (open, idle) = db.connections();
        gauge!("deskless_db_connections", "state" => "open").set(open);
        gauge!("deskless_db_connections", "state" => "idle").set(u32::try_from(idle).unwrap_or(u32::MAX));
    }
    let text = recorder().map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
