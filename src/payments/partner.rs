//! The payment partner over HTTP, as docs/PARTNERS.md describes it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{Ask, PaymentPort, Pending, Reply, What};
use crate::config::PaymentsConfig;

/// Bytes of an answer that are read. A clear answer has a few hundred.
const ANSWER_MAX: usize = 16 * 1024;
/// Requests to the partner at a time.
const AT_ONCE: usize = 16;
/// How long a request waits for its turn.
const PLACE_WAIT: Duration = Duration::from_secs(1);
/// Longest code or reference taken over.
const WORD_MAX: usize = 100;

/// Why the partner cannot be reached with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum PartnerSetupError {
    /// The address is no URL, or no http one.
    #[error("payments.url must begin with https:// (or http:// on this machine)")]
    Address,
    /// A URL without a key.
    #[error("payments.url needs payments.key")]
    NoKey,
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// The adapter. Cheap to clone.
#[derive(Clone)]
pub struct HttpPartner {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Without a slash at the end.
    base: Arc<str>,
    key: Arc<str>,
    timeout: Duration,
    places: Arc<Semaphore>,
}

impl std::fmt::Debug for HttpPartner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpPartner({})", self.base)
    }
}

/// The partner's answer about a request.
#[derive(Debug, Deserialize)]
struct Answer {
    request_id: Uuid,
    outcome: Outcome,
    authorization: Option<String>,
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Done,
    Refused,
    /// The partner is still at it.
    Pending,
}

impl HttpPartner {
    /// None when no partner is configured.
    pub fn new(config: &PaymentsConfig) -> Result<Option<Self>, PartnerSetupError> {
        let Some(url) = config.url.as_deref().filter(|url| !url.is_empty()) else { return Ok(None) };
        let base: Uri = url.parse().map_err(|_| PartnerSetupError::Address)?;
        let local = matches!(base.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
        match base.scheme_str() {
            Some("https") => {}
            Some("http") if local => {}
            _ => return Err(PartnerSetupError::Address),
        }
        let key = config.key.as_deref().filter(|key| !key.is_empty()).ok_or(PartnerSetupError::NoKey)?;
        let timeout = Duration::from_millis(config.timeout_ms.clamp(100, 30_000));
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(timeout.min(Duration::from_secs(1))));
        // No proxy of the environment and no redirects: an address the partner sends us to is not one we chose.
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls()?).https_or_http().enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(AT_ONCE).build(connector);
        let base = url.trim_end_matches('/').into();
        Ok(Some(Self { client, base, key: key.into(), timeout, places: Arc::new(Semaphore::new(AT_ONCE)) }))
    }

    /// One exchange within the time it may take. `request_id` is what the answer must be about.
    async fn send(&self, method: Method, path: String, body: Option<Value>, request_id: Uuid) -> Reply {
        let Ok(Ok(_place)) = tokio::time::timeout(PLACE_WAIT, self.places.acquire()).await else {
            return Reply::Unknown("BUSY".into());
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "deskless")
            .header("idempotency-key", request_id.to_string())
            .body(Full::from(body.map(|body| body.to_string()).unwrap_or_default()));
        // A key or an address with control characters in it.
        let Ok(request) = request else { return Reply::Unknown("MISCONFIGURED".into()) };
        match tokio::time::timeout(self.timeout, self.exchange(request)).await {
            Ok(Ok((status, body))) => judge(status, &body, request_id),
            Ok(Err(problem)) => Reply::Unknown(problem.into()),
            Err(_elapsed) => Reply::Unknown("TIMEOUT".into()),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), &'static str> {
        let reached = |e: Error| if e.is_connect() { "UNREACHABLE" } else { "CONNECTION" };
        let response = self.client.request(request).await.map_err(reached)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
        let read = |e: Box<dyn std::error::Error + Send + Sync>| if e.is::<LengthLimitError>() { "TOO_LONG" } else { "CONNECTION" };
        Ok((status, body.map_err(read)?.to_bytes()))
    }
}

impl PaymentPort for HttpPartner {
    fn carry_out<'a>(&'a self, ask: &'a Ask) -> Pending<'a> {
        Box::pin(async move {
            let (path, body) = match &ask.what {
                What::Authorize { amount, currency, token } => {
                    let body = json!({ "amount": amount.0, "currency": currency.as_str(), "token": token });
                    ("/v1/authorizations".to_owned(), body)
                }
                // A reference is a word (see `is_word`), so it can stand in an address as it is.
                What::Capture { reference } => (format!("/v1/authorizations/{reference}/capture"), json!({})),
                What::Void { reference } => (format!("/v1/authorizations/{reference}/void"), json!({})),
                What::Refund { reference } => (format!("/v1/authorizations/{reference}/refund"), json!({})),
            };
            self.send(Method::POST, path, Some(body), ask.request_id).await
        })
    }

    fn look_up(&self, request_id: Uuid) -> Pending<'_> {
        Box::pin(self.send(Method::GET, format!("/v1/requests/{request_id}"), None, request_id))
    }
}

/// What an answer means. Whatever does not clearly say what became of this very request leaves the outcome unknown. Pure.
fn judge(status: StatusCode, body: &[u8], request_id: Uuid) -> Reply {
    let answer = serde_json::from_slice::<Answer>(body).ok().filter(|answer| answer.request_id == request_id);
    match (status.as_u16(), answer) {
        (200 | 201 | 402 | 409 | 422, Some(Answer { outcome: Outcome::Done, authorization: Some(reference), .. }))
            if is_word(&reference) =>
        {
            Reply::Done { reference }
        }
        (200 | 201 | 402 | 409 | 422, Some(Answer { outcome: Outcome::Refused, code, .. })) => {
            Reply::Refused { code: code.filter(|code| is_word(code)).unwrap_or_else(|| "refused".into()) }
        }
        (200..=202, Some(Answer { outcome: Outcome::Pending, .. })) => Reply::Unknown("PENDING".into()),
        (404, _) if never_seen(body, request_id) => Reply::NeverSeen,
        (200..=299, _) => Reply::Unknown("UNREADABLE".into()),
        (other, _) => Reply::Unknown(format!("STATUS_{other}")),
    }
}

/// A 404 counts only when the partner says that it does not know this request; a proxy in between says less.
fn never_seen(body: &[u8], request_id: Uuid) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body.get("outcome").and_then(Value::as_str) == Some("never_seen")
        && body.get("request_id").and_then(Value::as_str) == Some(&request_id.to_string())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= WORD_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// TLS with the roots browsers trust, so that it does not hang on what the machine has installed.
fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    fn said(status: u16, body: &Value) -> Reply {
        judge(StatusCode::from_u16(status).unwrap(), body.to_string().as_bytes(), ID)
    }

    #[test]
    fn only_a_clear_answer_about_this_request_counts() {
        let done = json!({ "request_id": ID, "outcome": "done", "authorization": "auth_1" });
        assert_eq!(said(201, &done), Reply::Done { reference: "auth_1".into() });
        assert_eq!(said(500, &done), Reply::Unknown("STATUS_500".into()));
        let others = json!({ "request_id": Uuid::from_u128(8), "outcome": "done", "authorization": "auth_1" });
        assert_eq!(said(201, &others), Reply::Unknown("UNREADABLE".into()));
        assert_eq!(said(201, &json!({ "request_id": ID, "outcome": "done" })), Reply::Unknown("UNREADABLE".into()));
        assert_eq!(
            said(402, &json!({ "request_id": ID, "outcome": "refused", "code": "no_funds" })),
            Reply::Refused { code: "no_funds".into() }
        );
        let odd = json!({ "request_id": ID, "outcome": "refused", "code": "<script>" });
        assert_eq!(said(402, &odd), Reply::Refused { code: "refused".into() });
        assert_eq!(said(404, &json!({ "request_id": ID, "outcome": "never_seen" })), Reply::NeverSeen);
        assert_eq!(said(404, &json!({ "error": "no such page" })), Reply::Unknown("STATUS_404".into()));
        assert_eq!(judge(StatusCode::OK, b"<html>", ID), Reply::Unknown("UNREADABLE".into()));
        for status in [301, 400, 401, 403, 408, 429, 502, 503] {
            assert!(matches!(said(status, &json!({ "request_id": ID, "outcome": "refused" })), Reply::Unknown(_)), "{status}");
        }
    }

    #[test]
    fn the_partner_is_reached_over_tls_or_on_this_machine() {
        let at = |url: &str, key: Option<&str>| {
            HttpPartner::new(&PaymentsConfig { url: Some(url.into()), key: key.map(Into::into), timeout_ms: 100 })
        };
        assert!(matches!(at("https://pay.example.com/api", Some("k")), Ok(Some(_))));
        assert!(matches!(at("http://127.0.0.1:9", Some("k")), Ok(Some(_))));
        assert!(matches!(at("http://pay.example.com", Some("k")), Err(PartnerSetupError::Address)));
        assert!(matches!(at("https://pay.example.com", None), Err(PartnerSetupError::NoKey)));
        assert!(matches!(HttpPartner::new(&PaymentsConfig::default()), Ok(None)));
        let partner = at("https://pay.example.com/api/", Some("k")).unwrap().unwrap();
        assert_eq!(&*partner.base, "https://pay.example.com/api");
    }
}
