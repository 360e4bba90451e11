//! What a tablet does, done in-process: the demo's talks and deals go through the API itself.

use std::sync::Arc;

use async_graphql::{Request, Variables};
use serde_json::{Value, json};

use super::LoadError;
use crate::auth::Actor;
use crate::graphql::RequestInfo;
use crate::schema::DesklessSchema;

/// A signed-in tablet.
pub(super) struct Tablet {
    schema: DesklessSchema,
    actor: Arc<Actor>,
}

impl Tablet {
    pub(super) fn new(schema: DesklessSchema, actor: Arc<Actor>) -> Self {
        Self { schema, actor }
    }

    /// Runs one mutation with one input and gives its payload. A refusal is a bug of the demo.
    pub(super) async fn act(&self, field: &str, selection: &str, input: Value) -> Result<Value, LoadError> {
        let kind = format!("{}{}Input", field.get(..1).unwrap_or_default().to_uppercase(), field.get(1..).unwrap_or_default());
        let query = format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ {selection} userErrors {{ message }} }} }}");
        let data = self.send(&query, json!({ "input": input })).await?;
        let payload = data.get(field).cloned().unwrap_or(Value::Null);
        match payload.pointer("/userErrors/0/message").and_then(Value::as_str) {
            Some(message) => Err(LoadError::Refused(format!("{field}: {message}"))),
            None => Ok(payload),
        }
    }

    pub(super) async fn send(&self, query: &str, variables: Value) -> Result<Value, LoadError> {
        let info = RequestInfo { request_id: "demo".into(), address: "demo".into() };
        let request = Request::new(query).variables(Variables::from_json(variables)).data(Arc::clone(&self.actor)).data(info);
        let response = self.schema.execute(request).await;
        match response.errors.first() {
            Some(error) => Err(LoadError::Refused(error.message.clone())),
            None => response.data.into_json().map_err(|e| LoadError::Refused(e.to_string())),
        }
    }
}
