//! A small GraphQL client: requests over HTTP, one live subscription over WebSocket (`graphql-transport-ws`).
//!
//! It shows what a tablet needs to know and nothing more: send JSON, read `data`, and treat `errors` as a failed request.

use std::fmt;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// What went wrong, for the person who runs the example.
#[derive(Debug)]
pub struct Trouble(pub String);

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// The result of a step.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Talks to one server as one person.
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    /// A client that has not signed in.
    pub fn new(base: &str) -> Self {
        Self { http: reqwest::Client::new(), base: base.trim_end_matches('/').to_owned(), token: None }
    }

    /// Uses an access token from now on.
    pub fn sign_in_with(&mut self, token: String) {
        self.token = Some(token);
    }

    /// Sends one operation and gives its `data`.
    pub async fn send(&self, query: &str, variables: Value) -> Outcome<Value> {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self
            .http
            .post(format!("{}/graphql", self.base))
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json, application/json")
            .body(body.to_string());
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        let answer: Value = serde_json::from_str(&text).map_err(|_| Trouble(format!("the server answered {status} without JSON")))?;
        match answer.get("errors") {
            Some(errors) if !errors.is_null() => Err(Trouble(format!("the server refused the request: {errors}")).into()),
            _ => Ok(answer.get("data").cloned().unwrap_or(Value::Null)),
        }
    }

    /// Sends one mutation and gives its payload. A refusal (`userErrors`) is an error with the text for the salesperson.
    pub async fn act(&self, field: &str, query: &str, input: Value) -> Outcome<Value> {
        let data = self.send(query, json!({ "input": input })).await?;
        let payload = data.get(field).cloned().unwrap_or(Value::Null);
        let refusals: Vec<&str> = payload
            .get("userErrors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|e| e.get("message").and_then(Value::as_str))
            .collect();
        if refusals.is_empty() { Ok(payload) } else { Err(Trouble(format!("{field}: {}", refusals.join(" "))).into()) }
    }

    /// Opens a live subscription.
    pub async fn subscribe(&self, query: &str, variables: Value) -> Outcome<Live> {
        let url = format!("{}/graphql", self.base.replacen("http", "ws", 1));
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        let (mut socket, _) = connect_async(request).await?;
        let token = self.token.clone().unwrap_or_default();
        say(&mut socket, &json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } })).await?;
        let first = hear(&mut socket).await?;
        if first.get("type").and_then(Value::as_str) != Some("connection_ack") {
            return Err(Trouble(format!("expected connection_ack, got {first}")).into());
        }
        let payload = json!({ "query": query, "variables": variables });
        say(&mut socket, &json!({ "id": "1", "type": "subscribe", "payload": payload })).await?;
        Ok(Live { socket })
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// An open subscription.
pub struct Live {
    socket: Socket,
}

impl Live {
    /// The next event's `data`.
    pub async fn next(&mut self) -> Outcome<Value> {
        loop {
            let message = hear(&mut self.socket).await?;
            match message.get("type").and_then(Value::as_str) {
                Some("next") => return Ok(message.pointer("/payload/data").cloned().unwrap_or(Value::Null)),
                Some("ping") => say(&mut self.socket, &json!({ "type": "pong" })).await?,
                Some("pong") => {}
                _ => return Err(Trouble(format!("the subscription ended: {message}")).into()),
            }
        }
    }

    /// Ends the subscription and the connection.
    pub async fn close(mut self) -> Outcome<()> {
        say(&mut self.socket, &json!({ "id": "1", "type": "complete" })).await?;
        self.socket.close(None).await?;
        Ok(())
    }
}

async fn say(socket: &mut Socket, message: &Value) -> Outcome<()> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

async fn hear(socket: &mut Socket) -> Outcome<Value> {
    while let Some(frame) = socket.next().await {
        match frame? {
            Message::Text(text) => return Ok(serde_json::from_str(text.as_str())?),
            Message::Close(reason) => return Err(Trouble(format!("the server closed the connection: {reason:?}")).into()),
            _ => {}
        }
    }
    Err(Trouble("the connection ended".into()).into())
}
