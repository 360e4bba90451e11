//! The payment partner over HTTP, as docs/PARTNERS.md describes it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
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
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be built: {0}")]
    Client(String),
}

/// The adapter. Cheap to clone.
#[derive(Clone)]
pub struct HttpPartner {
    client: Client,
    base: Url,
    key: Arc<str>,
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
        let base = Url::parse(url).map_err(|_| PartnerSetupError::Address)?;
        let local = matches!(base.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if !(base.scheme() == "https" || base.scheme() == "http" && local) {
            return Err(PartnerSetupError::Address);
        }
        let key = config.key.as_deref().filter(|key| !key.is_empty()).ok_or(PartnerSetupError::NoKey)?;
        let timeout = Duration::from_millis(config.timeout_ms.clamp(100, 30_000));
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(1)))
            // An address the partner sends us to is not one we chose.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent("deskless")
            .build()
            .map_err(|e| PartnerSetupError::Client(e.to_string()))?;
        Ok(Some(Self { client, base, key: key.into(), places: Arc::new(Semaphore::new(AT_ONCE)) }))
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    async fn send(&self, request: RequestBuilder, request_id: Uuid) -> Reply {
        let Ok(Ok(_place)) = tokio::time::timeout(Duration::from_secs(1), self.places.acquire()).await else {
            return Reply::Unknown("BUSY".into());
        };
        let response = match request.bearer_auth(&self.key).header("accept", "application/json").send().await {
            Ok(response) => response,
            Err(error) => return Reply::Unknown(problem(&error).into()),
        };
        let status = response.status();
        match read(response).await {
            Ok(body) => judge(status, &body, request_id),
            Err(problem) => Reply::Unknown(problem.into()),
        }
    }
}

impl PaymentPort for HttpPartner {
    fn carry_out<'a>(&'a self, ask: &'a Ask) -> Pending<'a> {
        Box::pin(async move {
            let (url, body) = match &ask.what {
                What::Authorize { amount, currency, token } => {
                    let body = json!({ "amount": amount.0, "currency": currency.as_str(), "token": token });
                    (self.url(&["v1", "authorizations"]), body)
                }
                What::Capture { reference } => (self.url(&["v1", "authorizations", reference, "capture"]), json!({})),
                What::Void { reference } => (self.url(&["v1", "authorizations", reference, "void"]), json!({})),
            };
            let request = self
                .client
                .post(url)
                .header("idempotency-key", ask.request_id.to_string())
                .header("content-type", "application/json")
                .body(body.to_string());
            self.send(request, ask.request_id).await
        })
    }

    fn look_up(&self, request_id: Uuid) -> Pending<'_> {
        let url = self.url(&["v1", "requests", &request_id.to_string()]);
        Box::pin(self.send(self.client.get(url), request_id))
    }
}

/// The body, if it is of a size an answer may have.
async fn read(mut response: Response) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| problem(&e))? {
        if body.len().saturating_add(chunk.len()) > ANSWER_MAX {
            return Err("TOO_LONG");
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
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

fn problem(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "TIMEOUT"
    } else if error.is_connect() {
        "UNREACHABLE"
    } else {
        "CONNECTION"
    }
}

/// TLS with the roots browsers trust, so that it does not hang on what the machine has installed.
fn tls() -> Result<rustls::ClientConfig, PartnerSetupError> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| PartnerSetupError::Client(e.to_string()))?;
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
        assert_eq!(partner.url(&["v1", "requests", "x/y"]).as_str(), "https://pay.example.com/api/v1/requests/x%2Fy");
    }
}
