//! The partner: what it did (the ledger), how it answers, and how it fails to.
//!
//! HTTP/1.1 is spoken by hand, because a partner that misbehaves does what no HTTP library lets it do: it answers twice, hangs up
//! after the work is done, sends bytes without end.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex as AsyncMutex;

/// Most bytes of a request.
const REQUEST_MAX: usize = 64 * 1024;
/// How long a slow answer takes.
const SLOW: Duration = Duration::from_secs(8);

/// A way to misbehave once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should be.
    Well,
    /// Does it, answers after eight seconds.
    Slow,
    /// Answers 503 and does nothing.
    Error,
    /// Does it, then answers 500.
    ErrorAfter,
    /// Hangs up before doing anything.
    Drop,
    /// Does it, then hangs up.
    DropAfter,
    /// Does it and answers twice.
    Duplicate,
    /// Does it and answers with a web page.
    Garbage,
    /// Does it and sends bytes without end.
    Endless,
    /// Sends the caller to another address.
    Redirect,
    /// Does it, but says that it is still at it.
    Pending,
}

impl Mood {
    /// By the name used in `POST /control/next`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "well" => Self::Well,
            "slow" => Self::Slow,
            "error" => Self::Error,
            "error_after" => Self::ErrorAfter,
            "drop" => Self::Drop,
            "drop_after" => Self::DropAfter,
            "duplicate" => Self::Duplicate,
            "garbage" => Self::Garbage,
            "endless" => Self::Endless,
            "redirect" => Self::Redirect,
            "pending" => Self::Pending,
            _ => return None,
        })
    }

    fn does_the_work(self) -> bool {
        !matches!(self, Self::Error | Self::Drop | Self::Redirect)
    }
}

/// An authorization in the books.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Authorization {
    /// In cents.
    pub amount: i64,
    /// Three letters.
    pub currency: String,
    /// `authorized`, `captured`, `voided`, `refunded`.
    pub status: String,
    /// The card's token.
    pub token: String,
}

/// What the partner knows.
#[derive(Debug, Default)]
struct Books {
    /// Every request that was executed: what was asked and what was answered.
    requests: BTreeMap<String, (String, u16, Value)>,
    authorizations: BTreeMap<String, Authorization>,
    moods: VecDeque<Mood>,
    heard: u64,
}

/// A running partner. Clones share.
#[derive(Debug, Clone)]
pub struct Sim {
    /// Where it listens.
    pub address: SocketAddr,
    key: Arc<str>,
    books: Arc<Mutex<Books>>,
    listener: Arc<AsyncMutex<TcpListener>>,
}

struct Asked {
    method: String,
    path: String,
    authorization: String,
    idempotency_key: String,
    body: String,
}

impl Sim {
    /// Listens; [`Sim::serve`] answers.
    pub async fn start(listen: SocketAddr, key: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self { address, key: key.into(), books: Arc::default(), listener: Arc::new(AsyncMutex::new(listener)) })
    }

    /// Answers for ever.
    pub async fn serve(&self) {
        let listener = self.listener.lock().await;
        loop {
            if let Ok((stream, _)) = listener.accept().await {
                let sim = self.clone();
                tokio::spawn(async move {
                    // Whoever hangs up is not waited for.
                    let _ = sim.converse(stream).await;
                });
            }
        }
    }

    /// How the next answers go wrong, one mood each.
    pub fn misbehave(&self, moods: &[Mood]) {
        self.books().moods.extend(moods);
    }

    /// Every authorization there is.
    pub fn authorizations(&self) -> Vec<Authorization> {
        self.books().authorizations.values().cloned().collect()
    }

    /// How many requests arrived.
    pub fn heard(&self) -> u64 {
        self.books().heard
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn converse(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut buffer = Vec::new();
        while let Some(asked) = read(&mut stream, &mut buffer).await? {
            if asked.path.starts_with("/control/") {
                let (status, body) = self.control(&asked);
                stream.write_all(&answer(status, &body)).await?;
                continue;
            }
            let mood = {
                let mut books = self.books();
                books.heard += 1;
                books.moods.pop_front().unwrap_or(Mood::Well)
            };
            let done = mood.does_the_work().then(|| self.work(&asked));
            match (mood, done) {
                (Mood::Drop | Mood::DropAfter, _) => return Ok(()),
                (Mood::Error, _) => stream.write_all(&answer(503, &json!({ "error": "down for a moment" }))).await?,
                (Mood::ErrorAfter, _) => stream.write_all(&answer(500, &json!({ "error": "something broke" }))).await?,
                (Mood::Garbage, _) => {
                    let page = "<html>Welcome to nginx!</html>";
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}", page.len());
                    stream.write_all(head.as_bytes()).await?;
                }
                (Mood::Endless, _) => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"request_id\": \"").await?;
                    loop {
                        stream.write_all(&[b'x'; 4096]).await?;
                    }
                }
                (Mood::Redirect, _) => {
                    let away =
                        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://169.254.169.254/latest/meta-data\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(away.as_bytes()).await?;
                }
                (Mood::Pending, _) => {
                    stream.write_all(&answer(202, &json!({ "request_id": request_of(&asked), "outcome": "pending" }))).await?;
                }
                (Mood::Duplicate, Some((status, body))) => {
                    let once = answer(status, &body);
                    stream.write_all(&[once.as_slice(), once.as_slice()].concat()).await?;
                }
                (Mood::Slow, Some((status, body))) => {
                    tokio::time::sleep(SLOW).await;
                    stream.write_all(&answer(status, &body)).await?;
                }
                (_, Some((status, body))) => stream.write_all(&answer(status, &body)).await?,
                (_, None) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Only the simulator has this: moods and the ledger.
    fn control(&self, asked: &Asked) -> (u16, Value) {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/control/next") => {
                let names: Vec<String> = serde_json::from_str(&asked.body).unwrap_or_default();
                let moods: Option<Vec<Mood>> = names.iter().map(|name| Mood::named(name)).collect();
                match moods {
                    Some(moods) if !moods.is_empty() => {
                        self.misbehave(&moods);
                        (200, json!({ "next": names }))
                    }
                    _ => (400, json!({ "error": "a JSON list of moods, such as [\"drop_after\"]" })),
                }
            }
            ("GET", "/control/ledger") => {
                let requests = self.books().requests.len();
                (200, json!({ "authorizations": self.authorizations(), "requests": requests, "heard": self.heard() }))
            }
            _ => (404, json!({ "error": "no such control" })),
        }
    }

    /// Does what is asked, once per request id.
    fn work(&self, asked: &Asked) -> (u16, Value) {
        if asked.authorization != format!("Bearer {}", self.key) {
            return (401, json!({ "error": "wrong key" }));
        }
        let mut books = self.books();
        let path: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        if let ("GET", ["v1", "requests", id]) = (asked.method.as_str(), path.as_slice()) {
            return match books.requests.get(*id) {
                Some((_, _, body)) => (200, body.clone()),
                None => (404, json!({ "request_id": id, "outcome": "never_seen" })),
            };
        }
        let id = asked.idempotency_key.clone();
        if asked.method != "POST" || id.is_empty() {
            return (400, json!({ "error": "POST with an idempotency-key" }));
        }
        let question = format!("{} {}", asked.path, asked.body);
        if let Some((first, status, body)) = books.requests.get(&id) {
            return if *first == question {
                (*status, body.clone())
            } else {
                (400, json!({ "error": "this key was used for something else" }))
            };
        }
        let (status, body) = match path.as_slice() {
            ["v1", "authorizations"] => books.authorize(&id, &asked.body),
            ["v1", "authorizations", reference, "capture"] => books.finish(&id, reference, "authorized", "captured"),
            ["v1", "authorizations", reference, "void"] => books.finish(&id, reference, "authorized", "voided"),
            ["v1", "authorizations", reference, "refund"] => books.finish(&id, reference, "captured", "refunded"),
            _ => return (404, json!({ "error": "no such address" })),
        };
        if status != 400 {
            books.requests.insert(id, (question, status, body.clone()));
        }
        (status, body)
    }
}

impl Books {
    fn authorize(&mut self, id: &str, body: &str) -> (u16, Value) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (amount, currency, token) = (body.get("amount").and_then(Value::as_i64).unwrap_or(0), text("currency"), text("token"));
        if amount <= 0 || currency.len() != 3 || token.is_empty() {
            return (400, json!({ "error": "amount in cents, currency, token" }));
        }
        if let Some(code) = token.strip_prefix("tok_declined_") {
            return (402, json!({ "request_id": id, "outcome": "refused", "code": code }));
        }
        let reference = format!("auth_{:06}", self.authorizations.len() + 1);
        self.authorizations.insert(reference.clone(), Authorization { amount, currency, token, status: "authorized".into() });
        (201, json!({ "request_id": id, "outcome": "done", "authorization": reference }))
    }

    fn finish(&mut self, id: &str, reference: &str, from: &str, to: &str) -> (u16, Value) {
        match self.authorizations.get_mut(reference) {
            Some(authorization) if to == "refunded" && authorization.token == "tok_no_refund" => {
                (409, json!({ "request_id": id, "outcome": "refused", "code": "card_closed" }))
            }
            Some(authorization) if authorization.status == from => {
                to.clone_into(&mut authorization.status);
                (200, json!({ "request_id": id, "outcome": "done", "authorization": reference }))
            }
            Some(authorization) => {
                (409, json!({ "request_id": id, "outcome": "refused", "code": format!("already_{}", authorization.status) }))
            }
            None => (422, json!({ "request_id": id, "outcome": "refused", "code": "no_such_authorization" })),
        }
    }
}

fn request_of(asked: &Asked) -> &str {
    if asked.idempotency_key.is_empty() { asked.path.rsplit('/').next().unwrap_or_default() } else { &asked.idempotency_key }
}

fn answer(status: u16, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The next request of a connection. None when it was closed or is not one.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Asked>> {
    let mut chunk = [0_u8; 4096];
    loop {
        if let Some((asked, length)) = parse(buffer) {
            buffer.drain(..length);
            return Ok(Some(asked));
        }
        let read = stream.read(&mut chunk).await?;
        if read == 0 || buffer.len() > REQUEST_MAX {
            return Ok(None);
        }
        buffer.extend(chunk.iter().take(read));
    }
}

/// A whole request at the beginning of the buffer, and its length.
fn parse(buffer: &[u8]) -> Option<(Asked, usize)> {
    let text = String::from_utf8_lossy(buffer);
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> =
        lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let length: usize = header("content-length").parse().unwrap_or(0);
    let body = rest.get(..length)?.to_owned();
    let whole = head.len() + 4 + length;
    Some((Asked { method, path, authorization: header("authorization"), idempotency_key: header("idempotency-key"), body }, whole))
}
