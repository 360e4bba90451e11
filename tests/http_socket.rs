//! graphql-transport-ws: the protocol, its bounds, and the end of a socket.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::helpers::{PATIENCE, until};
use crate::http_kit::Server;

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// A handshake; the status when it is refused.
    async fn handshake(server: &Server, protocol: Option<&str>, origin: Option<&str>) -> Result<Self, u16> {
        let mut request = format!("ws://{}/graphql", server.address).into_client_request().unwrap();
        if let Some(protocol) = protocol {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
        }
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tokio_tungstenite::connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    async fn open(server: &Server) -> Self {
        Self::handshake(server, Some("graphql-transport-ws"), None).await.unwrap()
    }

    async fn signed_in(server: &Server, token: &str) -> Self {
        let mut socket = Self::open(server).await;
        socket.send(json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } })).await;
        assert_eq!(socket.next().await["type"], "connection_ack");
        socket
    }

    async fn send(&mut self, message: Value) {
        self.send_text(message.to_string()).await;
    }

    async fn send_text(&mut self, text: String) {
        self.0.send(Message::Text(text.into())).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({ "id": id, "type": "subscribe", "payload": { "query": query } })).await;
    }

    /// The next message, or `{"closed": code}`.
    async fn next(&mut self) -> Value {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a message");
            match message {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(text.as_str()).unwrap(),
                Some(Ok(Message::Close(frame))) => return json!({ "closed": frame.map_or(0, |f| u16::from(f.code)) }),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return json!({ "closed": "lost" }),
            }
        }
    }

    /// The code with which the server closes, whatever comes before.
    async fn closed(&mut self) -> u64 {
        let close = async {
            loop {
                let message = self.next().await;
                if let Some(code) = message.get("closed") {
                    return code.as_u64().expect("a close frame");
                }
            }
        };
        tokio::time::timeout(PATIENCE, close).await.expect("the server closes")
    }

    /// A signed-in socket, as soon as there is a place for it.
    async fn when_free(server: &Server, token: &str) -> Self {
        let mut found = None;
        until("a place becomes free", async || {
            let Ok(mut socket) = Self::handshake(server, Some("graphql-transport-ws"), None).await else { return false };
            socket.send(json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } })).await;
            let ready = socket.next().await["type"] == "connection_ack";
            found = ready.then_some(socket);
            ready
        })
        .await;
        found.expect("a socket")
    }
}

#[tokio::test]
async fn handshakes_need_the_sub_protocol_and_an_allowed_origin() {
    let server = Server::start().await;
    assert_eq!(Socket::handshake(&server, None, None).await.err(), Some(400));
    assert_eq!(Socket::handshake(&server, Some("graphql-ws"), None).await.err(), Some(400));
    let ours = Some("graphql-transport-ws");
    assert_eq!(Socket::handshake(&server, ours, Some("https://evil.example")).await.err(), Some(403));
    assert_eq!(Socket::handshake(&server, ours, Some("null")).await.err(), Some(403));
    assert!(Socket::handshake(&server, ours, Some("https://app.example")).await.is_ok());
    assert!(Socket::handshake(&server, ours, Some(&format!("http://{}", server.address))).await.is_ok());
}

#[tokio::test]
async fn initialisation_must_come_once_in_time_and_with_a_good_token() {
    let server = Server::with(|limits| limits.init_ms = 300).await;
    assert_eq!(Socket::open(&server).await.closed().await, 4408);
    let init = |token: Value| json!({ "type": "connection_init", "payload": token });
    for (payload, code) in [
        (json!({ "authorization": "Bearer bad" }), 4403),
        (json!({ "authorization": "Bearer expired" }), 4403),
        (json!({}), 4401),
        (Value::Null, 4401),
    ] {
        let mut socket = Socket::open(&server).await;
        socket.send(init(payload.clone())).await;
        assert_eq!(socket.closed().await, code, "{payload}");
    }
    let mut socket = Socket::open(&server).await;
    socket.subscribe("a", "subscription { ticks }").await;
    assert_eq!(socket.closed().await, 4401);
    let mut socket = Socket::signed_in(&server, "good").await;
    socket.send(init(json!({ "authorization": "Bearer good" }))).await;
    assert_eq!(socket.closed().await, 4429);
}

#[tokio::test]
async fn malformed_messages_close_with_4400() {
    let server = Server::start().await;
    for bad in [
        "hello",
        "{}",
        "[]",
        r#"{"type":"nope"}"#,
        r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
        r#"{"type":"subscribe","id":"a"}"#,
        r#"{"type":"subscribe","id":7,"payload":{"query":"{a}"}}"#,
        r#"{"type":"subscribe","id":"a","payload":{}}"#,
    ] {
        let mut socket = Socket::signed_in(&server, "good").await;
        socket.send_text(bad.into()).await;
        assert_eq!(socket.closed().await, 4400, "{bad}");
    }
    let mut socket = Socket::signed_in(&server, "good").await;
    socket.0.send(Message::Binary(vec![0xff, 0xfe, 0].into())).await.unwrap();
    assert_eq!(socket.closed().await, 4400);
    let mut socket = Socket::signed_in(&server, "good").await;
    let _ = socket.0.send(Message::Text("x".repeat(1_000_000).into())).await;
    assert_eq!(socket.closed().await, 1009);
    assert!(server.healthy().await);
}

#[tokio::test]
async fn operations_run_and_end() {
    let server = Server::start().await;
    let mut socket = Socket::signed_in(&server, "good").await;
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await, json!({ "type": "pong" }));
    socket.send(json!({ "type": "pong" })).await;

    socket.subscribe("q", "{ hello }").await;
    assert_eq!(socket.next().await, json!({ "id": "q", "type": "next", "payload": { "data": { "hello": "hello " } } }));
    assert_eq!(socket.next().await, json!({ "id": "q", "type": "complete" }));

    socket.subscribe("three", "subscription { three }").await;
    for n in 0..3 {
        assert_eq!(socket.next().await["payload"]["data"]["three"], n);
    }
    assert_eq!(socket.next().await["type"], "complete");

    socket.subscribe("t", "subscription { ticks }").await;
    assert_eq!(socket.next().await["payload"]["data"]["ticks"], 0);
    socket.send(json!({ "id": "t", "type": "complete" })).await;
    // What is answered after this was asked after the end of the ticks; what still comes of them was on its way.
    socket.subscribe("q", "{ hello }").await;
    while socket.next().await != json!({ "id": "q", "type": "complete" }) {}
    tokio::time::sleep(Duration::from_millis(200)).await;
    socket.subscribe("q", "{ hello }").await;
    assert_eq!(socket.next().await["id"], "q", "no more ticks");
    assert_eq!(socket.next().await, json!({ "id": "q", "type": "complete" }));
    // The id can be used again.
    socket.subscribe("t", "{ hello }").await;
    assert_eq!(socket.next().await["type"], "next");
}

#[tokio::test]
async fn invalid_operations_get_one_error_and_the_socket_stays() {
    let server = Server::start().await;
    let mut socket = Socket::signed_in(&server, "good").await;
    for (query, code) in [
        ("subscription { noSuchField }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("{ noSuchField }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { refused }", "FORBIDDEN"),
        ("subscription { boom }", "INTERNAL"),
        ("subscription { ticks three }", "LIMIT_EXCEEDED"),
    ] {
        socket.subscribe("x", query).await;
        let message = socket.next().await;
        assert_eq!((message["type"].as_str(), message["id"].as_str()), (Some("error"), Some("x")), "{query}: {message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{query}");
        assert!(message["payload"][0]["extensions"]["requestId"].is_string());
    }
    socket.subscribe("q", "{ hello }").await;
    assert_eq!(socket.next().await["type"], "next");
}

#[tokio::test]
async fn an_id_in_use_closes_with_4409() {
    let server = Server::start().await;
    let mut socket = Socket::signed_in(&server, "good").await;
    socket.subscribe("d", "subscription { ticks(ms: 10000) }").await;
    socket.subscribe("d", "subscription { ticks(ms: 10000) }").await;
    assert_eq!(socket.closed().await, 4409);
}

#[tokio::test]
async fn operations_sockets_per_user_and_sockets_are_capped() {
    let server = Server::with(|limits| {
        limits.operations_per_socket = 3;
        limits.sockets_per_user = 2;
        limits.sockets = 4;
    })
    .await;
    let mut first = Socket::signed_in(&server, "good").await;
    for id in ["1", "2", "3", "4"] {
        first.subscribe(id, "subscription { ticks(ms: 10000) }").await;
    }
    let refused = first.next().await;
    assert_eq!((refused["type"].as_str(), refused["id"].as_str()), (Some("error"), Some("4")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "LIMIT_EXCEEDED");

    let second = Socket::signed_in(&server, "good").await;
    let mut third = Socket::open(&server).await;
    third.send(json!({ "type": "connection_init", "payload": { "authorization": "Bearer good" } })).await;
    assert_eq!(third.closed().await, 1013);
    drop(third);
    let (_a, _b) = (Socket::when_free(&server, "other").await, Socket::when_free(&server, "other").await);
    assert_eq!(Socket::handshake(&server, Some("graphql-transport-ws"), None).await.err(), Some(503));
    drop(second);
    let _again = Socket::when_free(&server, "good").await;
}

#[tokio::test]
async fn a_socket_ends_with_its_token_and_with_its_session() {
    let server = Server::with(|limits| limits.session_check_ms = 300).await;
    let mut short = Socket::signed_in(&server, "short").await;
    let mut long = Socket::signed_in(&server, "good").await;
    short.subscribe("t", "subscription { ticks }").await;
    assert_eq!(short.closed().await, 4401);
    long.subscribe("q", "{ hello }").await;
    assert_eq!(long.next().await["type"], "next");
    server.seen.session_over.store(true, Ordering::SeqCst);
    assert_eq!(long.closed().await, 4401);
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_dropped_and_its_place_given_back() {
    let server = Server::with(|limits| {
        limits.socket_write_ms = 500;
        limits.sockets = 1;
    })
    .await;
    let mut socket = Socket::signed_in(&server, "good").await;
    socket.subscribe("l", "subscription { large }").await;
    assert!(server.healthy().await);
    let _next = Socket::when_free(&server, "other").await;
    drop(socket);
}

#[tokio::test]
async fn a_silent_peer_is_dropped() {
    let server = Server::with(|limits| {
        limits.ping_ms = 200;
        limits.sockets = 1;
    })
    .await;
    // It never reads, so it never answers a ping.
    let _silent = Socket::signed_in(&server, "good").await;
    let _next = Socket::when_free(&server, "other").await;
}

#[tokio::test]
async fn stopping_closes_sockets_with_1001() {
    let mut server = Server::start().await;
    let mut socket = Socket::signed_in(&server, "good").await;
    socket.subscribe("t", "subscription { ticks }").await;
    assert_eq!(socket.next().await["type"], "next");
    server.stop.cancel();
    assert_eq!(socket.closed().await, 1001);
    tokio::time::timeout(PATIENCE, &mut server.task).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_close_of_the_client_is_answered() {
    let server = Server::start().await;
    let mut socket = Socket::signed_in(&server, "good").await;
    let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame { code: 1000.into(), reason: "bye".into() };
    socket.0.send(Message::Close(Some(frame))).await.unwrap();
    assert_eq!(socket.closed().await, 1000);
}
