//! Connections: slow heads and bodies, too many of them, and the end of the server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::helpers::{PATIENCE, until};
use crate::http_kit::Server;

#[tokio::test]
async fn a_slow_head_is_closed() {
    let server = Server::with(|limits| limits.head_ms = 300).await;
    let (_, closed) = server.raw(b"POST /graphql HTTP/1.1\r\nhost: x\r\nx-slow: ", PATIENCE).await;
    assert!(closed);
    let (_, closed) = server.raw(b"", PATIENCE).await;
    assert!(closed, "a connection that says nothing is closed too");
    assert!(server.healthy().await);
}

#[tokio::test]
async fn a_slow_body_is_answered_and_closed() {
    let server = Server::with(|limits| limits.body_ms = 300).await;
    let head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{\"query\"";
    let (got, closed) = server.raw(head, PATIENCE).await;
    assert!(closed && got.starts_with("HTTP/1.1 408"), "{got}");
}

#[tokio::test]
async fn a_large_head_is_refused() {
    let server = Server::start().await;
    let head = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(100_000));
    let (got, closed) = server.raw(head.as_bytes(), PATIENCE).await;
    assert!(closed && (got.starts_with("HTTP/1.1 431") || got.is_empty()), "{got}");
    assert!(server.healthy().await);
}

/// Whether there is a place for one more connection.
async fn free(server: &Server) -> bool {
    let asked = b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    server.raw(asked, Duration::from_secs(2)).await.0.contains("200 OK")
}

#[tokio::test]
async fn a_client_that_never_reads_its_answer_is_dropped() {
    use tokio::io::AsyncWriteExt;
    let server = Server::with(|limits| {
        limits.write_ms = 3_000;
        limits.connections = 1;
    })
    .await;
    let mut greedy = TcpStream::connect(server.address).await.unwrap();
    let body = r#"{"query":"{ large }"}"#;
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer good\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    greedy.write_all(request.as_bytes()).await.unwrap();
    assert!(!free(&server).await, "it holds the only place");
    until("its place becomes free", async || free(&server).await).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused() {
    let server = Server::with(|limits| limits.connections = 5).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(TcpStream::connect(server.address).await.unwrap());
    }
    let mut extra = TcpStream::connect(server.address).await.unwrap();
    let mut got = String::new();
    extra.read_to_string(&mut got).await.unwrap();
    assert!(got.starts_with("HTTP/1.1 503") && got.contains("retry-after"), "{got}");
    drop(held);
    until("the places are given back", async || free(&server).await).await;
}

#[tokio::test]
async fn stopping_finishes_what_is_in_flight_and_takes_nothing_new() {
    let mut server = Server::start().await;
    let write = || tokio::spawn(server.post(&json!({ "query": "mutation { write(ms: 2000) }" })).send());
    let (stays, gone) = (write(), write());
    until("both work", async || server.seen.begun.load(Ordering::SeqCst) == 2).await;
    gone.abort();
    server.stop.cancel();
    until("nothing new is taken", async || TcpStream::connect(server.address).await.is_err()).await;
    assert_eq!(stays.await.unwrap().unwrap().status(), 200);
    tokio::time::timeout(PATIENCE, &mut server.task).await.unwrap().unwrap().unwrap();
    assert_eq!(server.seen.finished.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn stopping_ends_in_time_whatever_hangs() {
    let mut server = Server::with(|limits| limits.shutdown_ms = 500).await;
    let hanging = tokio::spawn(server.post(&json!({ "query": "mutation { write(ms: 120000) }" })).send());
    until("it works", async || server.seen.begun.load(Ordering::SeqCst) == 1).await;
    server.stop.cancel();
    tokio::time::timeout(PATIENCE, &mut server.task).await.unwrap().unwrap().unwrap();
    hanging.abort();
}

#[tokio::test]
async fn health_metrics_and_unknown_addresses_answer() {
    let server = Server::start().await;
    server.ask("{ hello }").await;
    let get = async |path: &str| {
        let response = server.request(Method::GET, path).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(get("/livez").await.0, 200);
    assert!(get("/readyz").await.1.contains("\"accepting\":\"ok\""));
    let (status, metrics) = get("/metrics").await;
    assert_eq!(status, 200);
    assert!(metrics.contains("deskless_http_requests_total{route=\"/graphql\",kind=\"query\",status=\"2xx\"}"), "{metrics}");
    let (status, problem) = get("/.git/config").await;
    assert_eq!(status, 404);
    assert!(problem.contains("\"code\":\"NOT_FOUND\"") && problem.contains("requestId"));
    assert!(!metrics.contains(".git"), "paths must not become series");
}
