//! One socket from its handshake to its end.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tracing::Instrument;

use super::Place;
use super::message::{self, Close, Inbound};
use crate::auth::AuthError;
use crate::db::ears::{Ear, Topic};
use crate::db::notices::Subject;
use crate::graphql::{ErrorCode, RequestInfo};
use crate::http::access::RequestId;
use crate::http::caller::Caller;
use crate::http::graphql::{Answer, Prepared, Refusal, Via, from_json, kind};
use crate::http::limits::ms;
use crate::http::{Http, metrics};
use async_graphql::parser::types::OperationType;

/// How long a closed socket may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// The longest life of a socket; the client connects anew.
const LIFE_MAX: Duration = Duration::from_hours(24);

/// Serves one socket.
pub(super) async fn run(http: Http, socket: WebSocket, place: Place, id: RequestId, address: String) {
    let span = tracing::info_span!("socket", request_id = %id.0);
    let (sink, mut stream) = socket.split();
    let (sender, results) = mpsc::channel(http.limits.socket_backlog);
    let now = Instant::now();
    let mut session = Session {
        sink,
        sender,
        operations: HashMap::new(),
        started: 0,
        signed_in: None,
        deadline: now + ms(http.limits.init_ms),
        heard: now,
        place,
        id,
        address,
        http,
    };
    async {
        let end = session.serve(&mut stream, results).await;
        session.stop_all();
        tracing::debug!(?end, "a socket ends");
        session.goodbye(stream, end).await;
    }
    .instrument(span)
    .await;
}

/// What ends a socket.
#[derive(Debug, Clone, Copy)]
enum End {
    /// We close it.
    Close(Close),
    /// The client closed it.
    ByClient,
    /// The connection is lost, or the client does not read.
    Lost,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// A message on its way to the client, from the operation `id` as it was started the `run`th time.
struct Outbound {
    id: String,
    run: u64,
    text: String,
    last: bool,
}

struct Session {
    http: Http,
    sink: SplitSink<WebSocket, Message>,
    sender: mpsc::Sender<Outbound>,
    operations: HashMap<String, (u64, AbortHandle)>,
    started: u64,
    /// The caller and their token, after `connection_init`.
    signed_in: Option<(Caller, String)>,
    /// When the socket must be closed: first for `connection_init`, then for the token.
    deadline: Instant,
    heard: Instant,
    place: Place,
    id: RequestId,
    address: String,
}

impl Session {
    async fn serve(&mut self, stream: &mut SplitStream<WebSocket>, mut results: mpsc::Receiver<Outbound>) -> End {
        let limits = std::sync::Arc::clone(&self.http.limits);
        let stopping = self.http.stopping.clone();
        let endings = [Topic::Kind(Subject::Session), Topic::Kind(Subject::User)];
        let mut endings = self.http.notices.as_ref().map(|notices| notices.ear(&endings));
        let mut ping = every(limits.ping_ms);
        let mut check = every(limits.session_check_ms);
        loop {
            let step = tokio::select! {
                biased;
                () = stopping.cancelled() => Err(Close::GoingAway.into()),
                () = tokio::time::sleep_until(self.deadline) => Err(self.overdue().into()),
                _ = check.tick() => self.check_session().await,
                () = session_ended(endings.as_mut()) => self.check_session().await,
                _ = ping.tick() => self.keep_alive().await,
                Some(result) = results.recv() => self.deliver(result).await,
                message = stream.next() => match message {
                    Some(Ok(message)) => self.receive(message).await,
                    Some(Err(error)) => Err(of_error(&error)),
                    None => Err(End::Lost),
                },
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// The time for `connection_init` is over, or the token's.
    fn overdue(&self) -> Close {
        if self.signed_in.is_some() { Close::Unauthorized } else { Close::InitTimeout }
    }

    /// Whether token and session still hold. An outage of the database does not end the socket; the token's end will.
    async fn check_session(&mut self) -> Result<(), End> {
        let Some((_, token)) = &self.signed_in else { return Ok(()) };
        match self.http.doorkeeper.check(token).await {
            Ok(_) | Err(AuthError::Db(_) | AuthError::Busy) => Ok(()),
            Err(_) => Err(Close::Unauthorized.into()),
        }
    }

    async fn keep_alive(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > ms(self.http.limits.ping_ms).saturating_mul(2) {
            return Err(End::Lost);
        }
        self.send(Message::Ping(bytes::Bytes::new())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(ms(self.http.limits.socket_write_ms), self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Lost),
        }
    }

    async fn deliver(&mut self, result: Outbound) -> Result<(), End> {
        // A result of an operation that was ended meanwhile is not sent.
        if self.operations.get(&result.id).is_none_or(|(run, _)| *run != result.run) {
            return Ok(());
        }
        if result.last {
            self.operations.remove(&result.id);
        }
        self.send(Message::Text(result.text.into())).await
    }

    async fn receive(&mut self, message: Message) -> Result<(), End> {
        self.heard = Instant::now();
        let inbound = match &message {
            Message::Text(text) => Inbound::read(text.as_str()).ok_or(Close::BadRequest)?,
            Message::Binary(_) => return Err(Close::BadRequest.into()),
            Message::Close(_) => return Err(End::ByClient),
            // The library answers pings of the protocol below.
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        match inbound {
            Inbound::Ping => self.send(Message::Text(r#"{"type":"pong"}"#.into())).await,
            Inbound::Pong => Ok(()),
            Inbound::Init(token) => self.init(token).await,
            Inbound::Subscribe(id, request) => self.subscribe(id, &request).await,
            Inbound::Complete(id) => {
                if let Some((_, task)) = self.operations.remove(&id) {
                    task.abort();
                }
                Ok(())
            }
        }
    }

    async fn init(&mut self, token: Option<String>) -> Result<(), End> {
        if self.signed_in.is_some() {
            return Err(Close::TooManyInits.into());
        }
        let token = token.ok_or(Close::Unauthorized)?;
        let caller = self.http.doorkeeper.check(&token).await.map_err(|error| match error {
            AuthError::Db(_) | AuthError::Busy => Close::Busy,
            _ => Close::Forbidden,
        })?;
        if !self.place.claim(caller.user) {
            return Err(Close::Busy.into());
        }
        self.deadline = Instant::now() + caller.life.unwrap_or(LIFE_MAX).min(LIFE_MAX);
        self.signed_in = Some((caller, token));
        self.send(Message::Text(r#"{"type":"connection_ack"}"#.into())).await
    }

    async fn subscribe(&mut self, id: String, request: &str) -> Result<(), End> {
        let Some((caller, _)) = &self.signed_in else { return Err(Close::Unauthorized.into()) };
        if self.operations.contains_key(&id) {
            return Err(Close::IdInUse.into());
        }
        self.started = self.started.saturating_add(1);
        let request_id = format!("{}.{}", self.id.0, self.started);
        let info = RequestInfo { request_id: request_id.clone(), address: self.address.clone() };
        let most = self.http.limits.operations_per_socket;
        let prepared = if self.operations.len() >= most {
            Err(Refusal::new(ErrorCode::LimitExceeded, format!("At most {most} operations may run on one socket.")))
        } else {
            let envelope = from_json(request.as_bytes(), &self.http.limits).map_err(|_| Close::BadRequest)?;
            self.http.engine.prepare(envelope, Some(caller), info, Via::Socket)
        };
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(refusal) => {
                let errors = Answer::from(refusal).into_errors(&request_id, &self.http.limits);
                return self.send(Message::Text(message::error(&id, &errors).into())).await;
            }
        };
        metrics::socket_operation(kind(prepared.ty));
        let operation = Operation { http: self.http.clone(), sender: self.sender.clone(), id: id.clone(), run: self.started, request_id };
        let span = tracing::info_span!("operation", request_id = operation.request_id);
        let task = tokio::spawn(operation.run(prepared).instrument(span));
        self.operations.insert(id, (self.started, task.abort_handle()));
        Ok(())
    }

    fn stop_all(&mut self) {
        for (_, (_, task)) in self.operations.drain() {
            task.abort();
        }
    }

    /// Says why, and waits a moment for the client to have read it: a connection that is cut with unread bytes in it
    /// loses what was sent last.
    async fn goodbye(mut self, mut stream: SplitStream<WebSocket>, end: End) {
        if let End::Lost = end {
            return;
        }
        let _ = timeout(GOODBYE, async {
            if let End::Close(close) = end
                && self.sink.send(Message::Close(Some(close.frame()))).await.is_err()
            {
                return;
            }
            if let End::Close(Close::TooBig) = end {
                // The rest of the message stays unread; the time alone ends this.
                std::future::pending::<()>().await;
            }
            while let Some(Ok(_)) = stream.next().await {}
        })
        .await;
    }
}

/// Resolves when a session has ended or may have.
async fn session_ended(endings: Option<&mut Ear>) {
    match endings {
        Some(ear) => _ = ear.hear().await,
        None => std::future::pending().await,
    }
}

/// A tick each `period_ms`, the first after one period: a fresh socket has been heard and its token checked.
fn every(period_ms: u64) -> Interval {
    let mut ticks = interval_at(Instant::now() + ms(period_ms), ms(period_ms));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn of_error(error: &axum::Error) -> End {
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    // The library has no typed way through axum's error.
    if text.contains("too long") || text.contains("too big") { Close::TooBig.into() } else { End::Lost }
}

/// One operation of a socket.
struct Operation {
    http: Http,
    sender: mpsc::Sender<Outbound>,
    id: String,
    run: u64,
    request_id: String,
}

impl Operation {
    async fn run(self, prepared: Prepared) {
        if prepared.ty != OperationType::Subscription {
            let answer = self.http.engine.execute(prepared).await;
            if self.give(answer, true).await {
                self.complete().await;
            }
            return;
        }
        let mut first = true;
        let mut events = AssertUnwindSafe(self.http.engine.subscribe(prepared)).catch_unwind();
        while let Some(event) = events.next().await {
            let answer = match event {
                Ok(answer) => answer,
                Err(_panic) => {
                    tracing::error!("a subscription panicked; the client was told INTERNAL");
                    Answer::from(crate::http::graphql::internal())
                }
            };
            if !self.give(answer, first).await {
                return;
            }
            first = false;
        }
        self.complete().await;
    }

    /// Sends a result; false when the operation has ended with it. Waits while the client is slow to read.
    async fn give(&self, answer: Answer, first: bool) -> bool {
        let limits = &self.http.limits;
        if answer.was_executed() && !(first && answer.came_to_nothing()) {
            let text = message::next(&self.id, &answer.body(&self.request_id, limits));
            return self.send(text, false).await;
        }
        let text = message::error(&self.id, &answer.into_errors(&self.request_id, limits));
        self.send(text, true).await;
        false
    }

    async fn complete(&self) {
        self.send(message::complete(&self.id), true).await;
    }

    async fn send(&self, text: String, last: bool) -> bool {
        self.sender.send(Outbound { id: self.id.clone(), run: self.run, text, last }).await.is_ok()
    }
}
