//! The transport in front of the whole product: its schema is read back, sessions and sockets end together.

use deskless::http::server;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

use crate::helpers::{PATIENCE, TestApp};

#[tokio::test]
async fn a_socket_closes_when_its_session_is_signed_out() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let http = t.app.http().unwrap();
    let router = t.app.router(&http);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let serving = tokio::spawn(async move { server::serve(listener, &http, router, stopped).await });

    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {}", sam.access) } });
    socket.send(Message::Text(init.to_string().into())).await.unwrap();
    let ack = loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            break text;
        }
    };
    assert!(ack.as_str().contains("connection_ack"), "{ack}");

    t.data(&sam, "mutation { signOut { signedOut } }", json!({})).await;
    let closed = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(Ok(Message::Close(frame))) = socket.next().await {
                return frame.map(|f| u16::from(f.code));
            }
        }
    });
    assert_eq!(closed.await.expect("soon"), Some(4401));
    stop.cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn bad_variables_are_refused_alike_before_and_after_a_document_is_known() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let query = "query ($first: Int, $filter: VehicleFilterInput) { vehicles(first: $first, filter: $filter) { nodes { id } } }";
    for round in 0..3 {
        for variables in
            [json!({ "first": "x" }), json!({ "first": 1.5 }), json!({ "filter": { "nope": 1 } }), json!({ "first": 1_u64 << 40 })]
        {
            let answer = t.graphql(Some(&sam.access), query, variables.clone()).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "round {round}: {variables}: {answer}");
            assert_eq!(answer.get("data"), None);
        }
        let good = t.graphql(Some(&sam.access), query, json!({ "first": 1 })).await;
        assert_eq!(good["data"]["vehicles"]["nodes"], json!([]), "{good}");
    }
}

#[tokio::test]
async fn the_whole_schema_can_be_introspected_and_read_back() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let query = "{ __schema { types { name fields(includeDeprecated: true) { name args { name type { ...T } } type { ...T } } inputFields { name type { ...T } } enumValues { name } } } }
        fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
    let data = t.data(&sam, query, json!({})).await;
    assert!(data["__schema"]["types"].as_array().unwrap().len() > 50);
    let anonymous = t.graphql(None, query, json!({})).await;
    assert_eq!(anonymous["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(anonymous.get("data"), None::<&Value>);
}
