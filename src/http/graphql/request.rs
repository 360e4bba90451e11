//! Reading a GraphQL request: from a JSON body, from a query string, from a socket message.

use async_graphql::Variables;
use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Refusal, variables};
use crate::graphql::ErrorCode;
use crate::http::limits::Limits;

/// A request as it came, within bounds.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    /// The document; empty when only a hash was sent.
    pub(crate) query: String,
    /// Which of the document's operations.
    pub(crate) operation_name: Option<String>,
    /// Values for the operation's variables.
    pub(crate) variables: Variables,
    /// The SHA-256 of the document (Apollo's persisted operations), in lower-case hexadecimal.
    pub(crate) hash: Option<String>,
}

/// The parameters of GraphQL over HTTP. Unknown ones are ignored, doubled ones refused.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters<'a> {
    query: Option<String>,
    operation_name: Option<String>,
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    #[serde(borrow)]
    extensions: Option<&'a RawValue>,
}

/// The same in a query string, where maps are JSON texts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryString {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    persisted_query: Option<PersistedQuery>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PersistedQuery {
    version: u8,
    sha256_hash: String,
}

/// Reads a JSON object.
pub(crate) fn from_json(body: &[u8], limits: &Limits) -> Result<Envelope, Refusal> {
    // A sequence would be taken for a struct below; batches are not offered.
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(bad("The body is empty; send a JSON object with \"query\".")),
        Some(b'[') => return Err(bad("Batches are not offered: send one JSON object for each operation.")),
        Some(_) => {}
    }
    let parameters: Parameters<'_> = serde_json::from_slice(body).map_err(|e| json_error(&e))?;
    let (variables, extensions) = (parameters.variables.map(RawValue::get), parameters.extensions.map(RawValue::get));
    envelope(parameters.query, parameters.operation_name, variables, extensions, limits)
}

/// Reads a URL's query.
pub(crate) fn from_uri(uri: &Uri, limits: &Limits) -> Result<Envelope, Refusal> {
    let Query(parameters) = Query::<QueryString>::try_from_uri(uri).map_err(|_| bad("The query string cannot be read."))?;
    let (variables, extensions) = (parameters.variables.as_deref(), parameters.extensions.as_deref());
    envelope(parameters.query, parameters.operation_name, variables, extensions, limits)
}

fn envelope(
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<&str>,
    extensions: Option<&str>,
    limits: &Limits,
) -> Result<Envelope, Refusal> {
    let hash = match extensions.filter(|text| *text != "null") {
        None => None,
        Some(text) if !text.trim_start().starts_with('{') => return Err(bad("\"extensions\" must be an object.")),
        Some(text) => serde_json::from_str::<Extensions>(text)
            .map_err(|_| bad("\"extensions\" cannot be read; persistedQuery needs version and sha256Hash."))?
            .persisted_query
            .map(persisted_hash)
            .transpose()?,
    };
    let query = query.unwrap_or_default();
    if query.is_empty() && hash.is_none() {
        return Err(bad("\"query\" is missing: send the GraphQL document as a string."));
    }
    let operation_name = operation_name.filter(|name| !name.is_empty());
    if operation_name.as_ref().is_some_and(|name| name.len() > 200) {
        return Err(bad("\"operationName\" is longer than 200 bytes."));
    }
    let variables = match variables {
        None | Some("null" | "") => Variables::default(),
        Some(text) => variables::read(text, limits).map_err(|why| bad(format!("\"variables\" cannot be read: {why}.")))?,
    };
    Ok(Envelope { query, operation_name, variables, hash })
}

fn persisted_hash(given: PersistedQuery) -> Result<String, Refusal> {
    let well_formed = given.sha256_hash.len() == 64 && given.sha256_hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if given.version != 1 || !well_formed {
        return Err(bad("persistedQuery must have version 1 and a SHA-256 in lower-case hexadecimal."));
    }
    Ok(given.sha256_hash)
}

fn json_error(error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Data => {
            let text = error.to_string();
            let text = if text.contains("duplicate field") { "a parameter appears twice" } else { "a parameter has the wrong type" };
            bad(format!("The body is not a GraphQL request: {text} (line {line}, column {column})."))
        }
        _ => bad(format!("The body is not JSON in UTF-8 (line {line}, column {column}).")),
    }
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::BadRequest, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Result<Envelope, String> {
        from_json(body, &Limits::default()).map_err(|r| r.message)
    }

    #[test]
    fn well_formed_requests_are_read() {
        let full =
            read(br#"{"query": "{ a }", "operationName": null, "variables": {"a": [1]}, "extensions": {"other": 1}, "id": 3}"#).unwrap();
        assert_eq!(full.query, "{ a }");
        assert_eq!(full.variables.len(), 1);
        let hash = "a".repeat(64);
        let only_hash = format!(r#"{{"extensions": {{"persistedQuery": {{"version": 1, "sha256Hash": "{hash}"}}}}}}"#);
        assert_eq!(read(only_hash.as_bytes()).unwrap().hash, Some(hash));
        let got =
            from_uri(&"/graphql?query=%7Ba%7D&variables=%7B%22x%22%3A1%7D&operationName=".parse().unwrap(), &Limits::default()).unwrap();
        assert_eq!((got.query.as_str(), got.variables.len(), got.operation_name), ("{a}", 1, None));
    }

    #[test]
    fn malformed_requests_are_refused() {
        for (body, says) in [
            (&b""[..], "empty"),
            (b"[]", "Batches"),
            (b"[\"{ a }\", null, null, null]", "Batches"),
            (b"{\"query\": \"\xff\"}", "not JSON in UTF-8"),
            (b"{\"query\": 1}", "wrong type"),
            (b"{\"query\": \"{a}\", \"query\": \"{b}\"}", "twice"),
            (b"{\"query\": \"{a}\", \"variables\": [1]}", "variables"),
            (b"{\"query\": \"{a}\", \"variables\": {\"a\": 1, \"a\": 2}}", "twice"),
            (b"{\"query\": \"{a}\", \"extensions\": [1]}", "extensions"),
            (b"{\"query\": \"{a}\"} x", "not JSON"),
            (b"{\"notquery\": 1}", "missing"),
            (b"\"{a}\"", "wrong type"),
        ] {
            assert!(read(body).unwrap_err().contains(says), "{} → {:?}", String::from_utf8_lossy(body), read(body));
        }
        assert!(from_uri(&"/graphql?query=%7Ba%7D&query=%7Bb%7D".parse().unwrap(), &Limits::default()).is_err());
        let deep = format!("{{\"query\": {}", "[".repeat(100_000));
        assert!(read(deep.as_bytes()).is_err());
    }
}
