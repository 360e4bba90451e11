//! Somebody is disabled or signs out in the middle: requests and sockets stop, on every server. RELIABILITY.md row 22.

use std::time::{Duration, Instant};

use async_graphql::ValidationMode;
use deskless::app::App;
use deskless::auth::Role;
use deskless::http::server;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

use crate::chaos::rounds;
use crate::helpers::{PATIENCE, TestApp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_disabled_or_signs_out_is_out_on_the_other_server_too() {
    let t = TestApp::start().await;
    let db = t.database.open(t.clock.clone()).await;
    let other = App::start(t.app.config.as_ref().clone(), db).await.expect("a second server");
    let _ = other.schema(ValidationMode::Strict);
    let http = other.http().unwrap();
    let router = other.router(&http);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let serving = tokio::spawn(async move { server::serve(listener, &http, router, stopped).await });
    let client = reqwest::Client::new();
    let (mut slowest_http, mut slowest_socket) = (Duration::ZERO, Duration::ZERO);
    let tries = rounds(6, 100);
    for n in 0..tries {
        let login = format!("p{n}@example.com");
        let person = t.person(&login, &[(t.austin, Role::Salesperson)]).await;
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {}", person.access) } });
        socket.send(Message::Text(init.to_string().into())).await.unwrap();
        let ack = socket.next().await.unwrap().unwrap();
        assert!(ack.to_text().unwrap().contains("connection_ack"), "{ack}");

        let ended = Instant::now();
        if n % 2 == 0 {
            t.app.auth.disable(&login).await.expect("disabled");
        } else {
            t.data(&person, "mutation { signOut { signedOut } }", json!({})).await;
        }
        let code = tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some(Ok(Message::Close(frame))) = socket.next().await {
                    return frame.map(|frame| u16::from(frame.code));
                }
            }
        });
        let code = code.await.expect("the socket ends");
        assert!(matches!(code, Some(4401 | 4403)), "{code:?}");
        slowest_socket = slowest_socket.max(ended.elapsed());
        loop {
            let body = json!({ "query": "{ viewer { displayName } }" }).to_string();
            let answer =
                client.post(format!("http://{address}/graphql")).bearer_auth(&person.access).header("content-type", "application/json");
            let answer: Value = serde_json::from_slice(&answer.body(body).send().await.unwrap().bytes().await.unwrap()).unwrap();
            if answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED" {
                break;
            }
            assert!(ended.elapsed() < PATIENCE, "still let in: {answer}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        slowest_http = slowest_http.max(ended.elapsed());
    }
    println!("{tries} people ended in the middle: slowest socket {slowest_socket:?}, slowest request {slowest_http:?}");
    // The promise of five seconds; all tests run at once, so the short form waits longer.
    let promised = Duration::from_secs(u64::from(rounds(15, 5)));
    assert!(slowest_socket < promised && slowest_http < promised);
    stop.cancel();
    serving.await.unwrap().unwrap();
}
