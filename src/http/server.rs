//! Connections: how many, how long a head may take, and how the server stops.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::Service;

use super::access::Peer;
use super::limits::ms;
use super::patient::Patient;
use super::{Http, metrics};

/// Sent to a connection beyond the limit.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
/// Refusals being written at the same time; further connections are closed without a word.
const REFUSALS: usize = 64;

/// Serves until `stop` resolves; then finishes what is in flight, closes sockets with 1001, and returns within the limit.
pub async fn serve(listener: TcpListener, http: &Http, router: Router, stop: impl Future<Output = ()>) -> io::Result<()> {
    let limits = &http.limits;
    raise_descriptors();
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(ms(limits.head_ms))
        .max_buf_size(limits.head_bytes.max(8192))
        .max_headers(64)
        .half_close(false);
    let (slots, refusals) = (Arc::new(Semaphore::new(limits.connections)), Arc::new(Semaphore::new(REFUSALS)));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or the peer has gone: neither may end the server or spin.
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            refuse(stream, &refusals);
            continue;
        };
        metrics::connections(limits.connections.saturating_sub(slots.available_permits()));
        // Small answers must not wait for more to send.
        let _ = stream.set_nodelay(true);
        let connection = builder
            .serve_connection(TokioIo::new(Patient::new(stream, ms(limits.write_ms))), handler(router.clone(), address))
            .with_upgrades();
        let stopping = http.stopping.clone();
        http.tasks.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let outcome = tokio::select! {
                outcome = connection.as_mut() => outcome,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = outcome {
                tracing::debug!(error = &error as &dyn std::error::Error, "a connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    http.stopping.cancel();
    http.tasks.close();
    if tokio::time::timeout(ms(limits.shutdown_ms), http.tasks.wait()).await.is_err() {
        tracing::warn!("stopped with work still in flight");
    }
    Ok(())
}

fn handler(
    router: Router,
    address: SocketAddr,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send + 'static,
> + Send
+ 'static {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(address));
        // A router is always ready.
        router.clone().call(request.map(Body::new))
    })
}

fn refuse(mut stream: TcpStream, refusals: &Arc<Semaphore>) {
    let Ok(permit) = Arc::clone(refusals).try_acquire_owned() else { return };
    tokio::spawn(async move {
        let _ = tokio::time::timeout(Duration::from_millis(500), async {
            stream.write_all(FULL).await?;
            stream.shutdown().await
        })
        .await;
        drop(permit);
    });
}

/// Allows as many open files as the system lets us: each connection is one, and the usual 1,024 are soon used up.
fn raise_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if setrlimit(Resource::Nofile, limit).is_err() {
        tracing::debug!("the number of open files stays as it is");
    }
}

/// Resolves when the process is asked to stop (SIGTERM, Ctrl-C).
pub async fn stop_signal() {
    let interrupt = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
