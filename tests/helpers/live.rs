//! Subscriptions and second servers.

use async_graphql::{Request, ValidationMode, Variables};
use deskless::app::App;
use deskless::graphql::RequestInfo;
use futures::{Stream, StreamExt};
use serde_json::Value;

use super::{PATIENCE, Session, TestApp};

/// A subscription as a socket of this server would run it; the value of its one field.
pub async fn listen(app: &App, who: &Session, text: &str, variables: Value) -> std::pin::Pin<Box<dyn Stream<Item = Value> + Send>> {
    let actor = app.auth.authenticate(&who.access).await.expect("somebody").actor;
    let request = Request::new(text)
        .variables(Variables::from_json(variables))
        .data(actor)
        .data(RequestInfo { request_id: "test".into(), address: "test".into() });
    let schema = app.schema(ValidationMode::Strict);
    Box::pin(schema.execute_stream(request).map(|response| {
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        let data = response.data.into_json().expect("JSON");
        data.as_object().and_then(|fields| fields.values().next()).cloned().expect("one field")
    }))
}

/// The next value, in time.
pub async fn next(stream: &mut (impl Stream<Item = Value> + Unpin)) -> Value {
    tokio::time::timeout(PATIENCE, stream.next()).await.expect("told in time").expect("the stream goes on")
}

/// Waits for a value that fits, through those that do not.
pub async fn next_where(stream: &mut (impl Stream<Item = Value> + Unpin), fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let value = next(stream).await;
        if fits(&value) {
            return value;
        }
    }
}

impl TestApp {
    /// Another server on the same database and clock.
    pub async fn second_server(&self) -> App {
        let db = self.database.open(self.clock.clone()).await;
        App::start((*self.app.config).clone(), db).await.expect("a second server")
    }
}
