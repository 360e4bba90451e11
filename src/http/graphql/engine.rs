//! From a request to an answer: find the document, check it, run it, and never let a failure out unmasked.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Data, Executor, Request, Response, Variables};
use axum::http::StatusCode;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::answer::{Answer, Refusal};
use super::documents::{Document, Documents, hash};
use super::request::Envelope;
use super::types::{SchemaError, Types};
use super::{guard, variables};
use crate::db::Db;
use crate::graphql::{ConnectionCut, ErrorCode, RequestInfo};
use crate::http::caller::Caller;
use crate::http::limits::{Limits, ms};

/// Sign-ins that may run while everything else is refused.
const PUBLIC_EXECUTIONS: usize = 32;

/// Two forms of one schema, without their type.
///
/// `strict` validates each document completely. `known` is built from the same parts with fast validation; it runs documents
/// that `strict` has already accepted, whose variables the transport has checked.
#[derive(Clone)]
pub struct Executors {
    strict: Run,
    known: Run,
    stream: Stream,
}

type Run = Arc<dyn Fn(Request) -> BoxFuture<'static, Response> + Send + Sync>;
type Stream = Arc<dyn Fn(Request) -> BoxStream<'static, Response> + Send + Sync>;

impl Executors {
    /// Takes the two forms; give the same twice to validate always.
    pub fn new<E: Executor>(strict: E, known: E) -> Self {
        let streaming = strict.clone();
        Self {
            strict: run(strict),
            known: run(known),
            stream: Arc::new(move |r| streaming.execute_stream(r, Some(Arc::new(Data::default())))),
        }
    }
}

fn run<E: Executor>(executor: E) -> Run {
    Arc::new(move |request| {
        let executor = executor.clone();
        async move { executor.execute(request).await }.boxed()
    })
}

impl std::fmt::Debug for Executors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Executors(…)")
    }
}

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// `GET`: queries only.
    Get,
    /// `POST`: queries and mutations.
    Post,
    /// A socket: everything.
    Socket,
}

/// A checked request, ready to run.
pub(crate) struct Prepared {
    pub(crate) ty: OperationType,
    request: Request,
    /// To make a query's request once more. Everything in it is shared or small.
    again: Option<Again>,
    document: Arc<Document>,
    hash: Option<String>,
    known: bool,
    public: bool,
    signed_in: bool,
}

/// What a request is made of, beside its document.
#[derive(Clone)]
struct Again {
    variables: Variables,
    operation_name: Option<String>,
    info: RequestInfo,
    caller: Option<Caller>,
}

impl Again {
    fn request(self, document: &Document) -> Request {
        let mut request = Request::new(String::new()).variables(self.variables).data(self.info);
        request.operation_name = self.operation_name;
        request.set_parsed_query(document.parsed.clone());
        match self.caller {
            Some(Caller { actor: Some(actor), .. }) => request.data(actor),
            Some(_) => request,
            None => request.disable_introspection(),
        }
    }
}

/// Executes GraphQL. One per server.
#[derive(Debug)]
pub(crate) struct Engine {
    executors: Executors,
    types: Types,
    documents: Documents,
    public_fields: &'static [&'static str],
    permits: Arc<Semaphore>,
    public_permits: Arc<Semaphore>,
    pub(crate) limits: Arc<Limits>,
    /// Mutations in flight; a shutdown waits for them.
    pub(crate) tasks: TaskTracker,
    /// Told when a connection turns out to have been cut.
    db: Option<Db>,
}

impl Engine {
    /// `public_fields` are the root fields that need no token.
    pub(crate) fn new(
        executors: Executors,
        sdl: &str,
        public_fields: &'static [&'static str],
        limits: Arc<Limits>,
        tasks: TaskTracker,
        db: Option<Db>,
    ) -> Result<Self, SchemaError> {
        Ok(Self {
            executors,
            types: Types::read(sdl)?,
            documents: Documents::new(limits.cached_tokens),
            public_fields,
            permits: Arc::new(Semaphore::new(limits.executions)),
            public_permits: Arc::new(Semaphore::new(PUBLIC_EXECUTIONS)),
            limits,
            tasks,
            db,
        })
    }

    /// Checks a request completely, short of running it.
    pub(crate) fn prepare(&self, envelope: Envelope, caller: Option<&Caller>, info: RequestInfo, via: Via) -> Result<Prepared, Refusal> {
        let (document, known) = self.document(&envelope)?;
        let operation = document.operation(envelope.operation_name.as_deref())?;
        let ty = operation.ty;
        match (via, ty) {
            (Via::Get, OperationType::Mutation | OperationType::Subscription) => {
                return Err(Refusal::http(StatusCode::METHOD_NOT_ALLOWED, "Only queries may be sent with GET; use POST."));
            }
            (Via::Post, OperationType::Subscription) => {
                return Err(Refusal::new(
                    ErrorCode::BadRequest,
                    "Subscriptions need a WebSocket with the sub-protocol graphql-transport-ws.",
                ));
            }
            _ => {}
        }
        let roots = guard::roots(&document.parsed, operation);
        let public = roots.iter().all(|name| self.public_fields.contains(&name.as_str()));
        if caller.is_none() && !public {
            return Err(Refusal::new(ErrorCode::Unauthenticated, "Sign in first: send \"Authorization: Bearer …\" with an access token."));
        }
        guard::root_fields(ty, &roots, self.public_fields, &self.limits)?;
        let variables = variables::check(operation, envelope.variables, &self.types)?;
        guard::cost(&document.parsed, operation, &variables, &self.types, &self.limits)?;

        let parts = Again { variables, operation_name: envelope.operation_name, info, caller: caller.cloned() };
        let again = (ty == OperationType::Query && self.db.is_some()).then(|| parts.clone());
        let request = parts.request(&document);
        Ok(Prepared { ty, request, again, document, hash: envelope.hash, known, public, signed_in: caller.is_some() })
    }

    /// The document of a request, and whether it is known to be valid.
    fn document(&self, envelope: &Envelope) -> Result<(Arc<Document>, bool), Refusal> {
        if envelope.query.is_empty() {
            let found = envelope.hash.as_deref().and_then(|hash| self.documents.find(hash));
            let unknown = || Refusal::new(ErrorCode::PersistedQueryNotFound, "PersistedQueryNotFound");
            return found.map(|document| (document, true)).ok_or_else(unknown);
        }
        if let Some(given) = &envelope.hash
            && *given != hash(&envelope.query)
        {
            return Err(Refusal::new(ErrorCode::BadRequest, "The SHA-256 of the persisted operation is not the one of its text."));
        }
        match self.documents.find(&envelope.query) {
            Some(document) => Ok((document, true)),
            None => Ok((Arc::new(Document::read(&envelope.query, &self.limits)?), false)),
        }
    }

    /// Runs a query or a mutation.
    pub(crate) async fn execute(&self, prepared: Prepared) -> Answer {
        let permit = match self.permit(prepared.public) {
            Ok(permit) => permit,
            Err(refusal) => return refusal.into(),
        };
        let Prepared { ty, request, again, document, hash, known, signed_in, .. } = prepared;
        let run = if known { &self.executors.known } else { &self.executors.strict };
        let operation = request.operation_name.clone();
        let deadline = ms(self.limits.execution_ms);
        let outcome = if ty == OperationType::Mutation {
            // A mutation that has begun runs to its end, whether or not the client still waits for the answer.
            let guarded = AssertUnwindSafe(run(request)).catch_unwind();
            let work = async move {
                let outcome = guarded.await;
                drop(permit);
                outcome
            };
            let task = self.tasks.spawn(work.in_current_span());
            tokio::time::timeout(deadline, task).await.map(|joined| joined.unwrap_or_else(|e| Err(Box::new(e))))
        } else {
            let read = async {
                let response = run(request).await;
                match (again, &self.db) {
                    // The database was restarted, or something on the way to it: with fresh connections nobody notices.
                    (Some(again), Some(db)) if was_cut(&response) => {
                        db.suspect_connections();
                        run(again.request(&document)).await
                    }
                    _ => response,
                }
            };
            let outcome = tokio::time::timeout(deadline, AssertUnwindSafe(read).catch_unwind()).await;
            drop(permit);
            outcome
        };
        let mut answer = match outcome {
            Ok(Ok(response)) if signed_in => Answer::of(response),
            // Messages of validation name what the schema has.
            Ok(Ok(response)) => Answer::of(response).without_details(),
            Ok(Err(_panic)) => {
                tracing::error!("a resolver panicked; the client was told INTERNAL");
                internal().into()
            }
            Err(_elapsed) => {
                tracing::warn!(kind = super::documents::kind(ty), "an operation was given up after {} ms", self.limits.execution_ms);
                Refusal::new(ErrorCode::Timeout, "This took too long and was stopped. Ask for less, or try again.").into()
            }
        };
        answer.put_in_order(&document, operation.as_deref());
        // Strangers cannot fill the store.
        if signed_in && answer.was_executed() {
            self.remember(&document, hash, known);
        }
        answer
    }

    /// Starts a subscription.
    pub(crate) fn subscribe(&self, prepared: Prepared) -> BoxStream<'static, Answer> {
        let Prepared { request, document, .. } = prepared;
        let operation = request.operation_name.clone();
        let answers = (self.executors.stream)(request).map(move |response| {
            let mut answer = Answer::of(response);
            answer.put_in_order(&document, operation.as_deref());
            answer
        });
        answers.boxed()
    }

    fn remember(&self, document: &Arc<Document>, hash: Option<String>, known: bool) {
        if !known {
            self.documents.keep(Arc::clone(&document.text), document);
        }
        if let Some(hash) = hash
            && self.documents.find(&hash).is_none()
        {
            self.documents.keep(hash.into(), document);
        }
    }

    fn permit(&self, public: bool) -> Result<OwnedSemaphorePermit, Refusal> {
        let permits = if public { &self.public_permits } else { &self.permits };
        let busy = |_| Refusal::http(StatusCode::SERVICE_UNAVAILABLE, "The server is busy. Try again in a moment.");
        Arc::clone(permits).try_acquire_owned().map_err(busy)
    }
}

/// Whether something could not be read because its connection was gone.
fn was_cut(response: &Response) -> bool {
    response.errors.iter().any(|error| error.source::<ConnectionCut>().is_some())
}

/// What a client is told of a bug.
pub(crate) fn internal() -> Refusal {
    Refusal::new(ErrorCode::Internal, "Something went wrong on our side. Quote the request id when you report it.")
}
