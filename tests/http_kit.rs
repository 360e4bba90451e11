//! A small schema behind the real transport, on a real socket: for everything that must hold whatever the product's schema is.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::{Context, InputObject, Object, Schema, SimpleObject, Subscription, ValidationMode};
use deskless::auth::AuthError;
use deskless::graphql::{ErrorCode, GqlError, GqlResult};
use deskless::http::graphql::Executors;
use deskless::http::{Caller, Doorkeeper, Http, Limits, Parts, server};
use futures::{Stream, StreamExt};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::helpers::PATIENCE;

/// What resolvers did.
#[derive(Debug, Default)]
pub struct Seen {
    pub begun: AtomicUsize,
    pub finished: AtomicUsize,
    pub session_over: AtomicBool,
}

type Shared = Arc<Seen>;

#[derive(SimpleObject)]
struct Car {
    vin: String,
    miles: i32,
}

#[derive(InputObject)]
struct SignInInput {
    login: String,
    age: Option<i32>,
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self, name: Option<String>) -> String {
        format!("hello {}", name.unwrap_or_default())
    }
    async fn nothing(&self) -> Option<i32> {
        None
    }
    async fn me(&self) -> &Query {
        self
    }
    async fn cars(&self, first: Option<i32>) -> Connection<String, Car, EmptyFields, EmptyFields> {
        let _ = first;
        Connection::new(false, false)
    }
    async fn sleep(&self, ms: u64) -> bool {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        true
    }
    async fn boom(&self, #[graphql(default)] not: bool) -> bool {
        assert!(not, "secret text of a panic");
        not
    }
    async fn database(&self) -> GqlResult<bool> {
        Err(GqlError::internal("relation \"secret_table\" does not exist"))
    }
    async fn large(&self) -> String {
        "x".repeat(20_000_000)
    }
    async fn any(&self, _list: Option<Vec<i32>>) -> bool {
        true
    }
    async fn busy(&self) -> GqlResult<bool> {
        Err(GqlError::new(ErrorCode::Unavailable, "busy"))
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn sign_in(&self, input: SignInInput) -> String {
        format!("{} {}", input.login, input.age.unwrap_or(0))
    }
    async fn write(&self, ctx: &Context<'_>, ms: u64) -> bool {
        let seen = ctx.data_unchecked::<Shared>();
        seen.begun.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(ms)).await;
        seen.finished.fetch_add(1, Ordering::SeqCst);
        true
    }
}

pub struct Sub;

#[Subscription]
impl Sub {
    async fn ticks(&self, #[graphql(default = 20)] ms: u64) -> impl Stream<Item = i32> {
        futures::stream::unfold(0, move |n| async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Some((n, n + 1))
        })
    }
    async fn large(&self) -> impl Stream<Item = String> {
        futures::stream::repeat_with(|| "x".repeat(100_000))
    }
    async fn three(&self) -> impl Stream<Item = i32> {
        futures::stream::iter(0..3)
    }
    async fn refused(&self) -> Result<futures::stream::Empty<i32>, GqlError> {
        Err(GqlError::forbidden("not for you"))
    }
    async fn boom(&self) -> impl Stream<Item = i32> {
        futures::stream::once(async { panic!("secret text of a panic") }).map(|(): ()| 0)
    }
}

/// A server on a free port; it stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub seen: Shared,
    pub stop: CancellationToken,
    pub task: JoinHandle<std::io::Result<()>>,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn schema(mode: ValidationMode, seen: &Shared) -> Schema<Query, Mutation, Sub> {
    Schema::build(Query, Mutation, Sub).data(Arc::clone(seen)).validation_mode(mode).finish()
}

fn doorkeeper(seen: &Shared) -> Doorkeeper {
    let seen = Arc::clone(seen);
    Doorkeeper::new(move |token| {
        let over = seen.session_over.load(Ordering::SeqCst);
        async move {
            let caller = |user: u128, life| Ok(Caller { user: Uuid::from_u128(user), actor: None, life });
            match token.as_str() {
                "good" if over => Err(AuthError::SessionEnded),
                "good" => caller(1, Some(Duration::from_secs(600))),
                "other" => caller(2, None),
                "short" => caller(3, Some(Duration::from_millis(700))),
                "expired" => Err(AuthError::Expired),
                _ => Err(AuthError::BadToken),
            }
        }
    })
}

impl Server {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        static QUIET: LazyLock<()> = LazyLock::new(|| {
            // Panics of this schema are expected.
            let usual = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                if !info.payload_as_str().is_some_and(|text| text.contains("secret text of a panic")) {
                    usual(info);
                }
            }));
        });
        LazyLock::force(&QUIET);
        let seen = Shared::default();
        let mut limits = Limits::default();
        change(&mut limits);
        let strict = schema(ValidationMode::Strict, &seen);
        let parts = Parts {
            sdl: strict.sdl(),
            executors: Executors::new(strict, schema(ValidationMode::Fast, &seen)),
            public_fields: &["__typename", "signIn"],
            doorkeeper: doorkeeper(&seen),
            limits,
            allowed_origins: vec!["https://app.example".into()],
            db: None,
            notices: None,
            auth: None,
        };
        let http = Http::new(parts).unwrap();
        let router =
            http.router(axum::Router::new().route("/panics", axum::routing::get(async || -> String { panic!("secret text of a panic") })));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move { server::serve(listener, &http, router, stopped.cancelled_owned()).await });
        Self { address, seen, stop, task, client: reqwest::Client::new() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// A `POST /graphql` with a good token, preferring the new media type.
    pub fn post(&self, body: &Value) -> reqwest::RequestBuilder {
        self.request(reqwest::Method::POST, "/graphql")
            .header("authorization", "Bearer good")
            .header("accept", "application/graphql-response+json")
            .json(body)
    }

    pub async fn ask(&self, query: &str) -> (StatusCode, Value) {
        read(self.post(&json!({ "query": query })).send().await.unwrap()).await
    }

    pub async fn ask_with(&self, query: &str, variables: Value) -> (StatusCode, Value) {
        read(self.post(&json!({ "query": query, "variables": variables })).send().await.unwrap()).await
    }

    /// Whether the server still answers.
    pub async fn healthy(&self) -> bool {
        let answer = tokio::time::timeout(PATIENCE, self.ask("{ __typename }")).await;
        answer.is_ok_and(|(status, body)| status == 200 && body["data"]["__typename"] == "Query")
    }

    /// Sends bytes as they are and reads until the server closes or the time is over.
    pub async fn raw(&self, bytes: &[u8], wait: Duration) -> (String, bool) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut got = Vec::new();
        let closed = tokio::time::timeout(wait, stream.read_to_end(&mut got)).await.is_ok();
        (String::from_utf8_lossy(&got).into_owned(), closed)
    }
}

pub async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    (status, response.json().await.unwrap())
}

/// The code of the first error.
pub fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

/// For judges written in other languages: `cargo test --test api http_kit -- --ignored` serves this schema for two minutes
/// and prints its address; the token is `good`.
#[tokio::test]
#[ignore = "serves until the time is over"]
async fn serve_the_small_schema() {
    let server = Server::start().await;
    println!("http://{}/graphql", server.address);
    tokio::time::sleep(Duration::from_secs(120)).await;
}
