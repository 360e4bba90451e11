//! What every test of the API needs: a fresh database, the application on it, people who are signed in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeZone, Utc};
use deskless::app::App;
use deskless::auth::Role;
use deskless::config::Config;
use deskless::db::Db;
use deskless::dealers::NewStore;
use deskless::kernel::clock::FixedClock;
use deskless::kernel::id::{GroupId, StoreId};
use deskless::kernel::money::Currency;
use serde_json::{Value, json};

pub mod database;
pub mod live;
pub mod program;

pub mod showroom;
pub mod statements;
pub mod stock;

pub use database::TestDatabase;
#[allow(unused_imports)]
pub use stock::Car;

/// The password of everybody in tests.
pub const PASSWORD: &str = "correct horse battery";

/// What seals people in tests.
pub const DATA_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
/// What finds them.
pub const INDEX_KEY: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";

/// The application on a database of its own.
///
/// Two stores: `austin` (TX) and `raleigh` (NC), of one group. People are made with [`TestApp::person`].
pub struct TestApp {
    pub app: App,
    pub clock: Arc<FixedClock>,
    pub group: GroupId,
    pub austin: StoreId,
    pub raleigh: StoreId,
    router: axum::Router,
    // Dropped last: removes the database.
    pub database: TestDatabase,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    pub access: String,
    pub refresh: String,
}

impl TestApp {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With a changed configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::create().await;
        let clock = Arc::new(FixedClock::new(start_of_tests()));
        let db = database.open(clock.clone()).await;
        Self::build(database, db, clock, change).await
    }

    async fn build(database: TestDatabase, db: Db, clock: Arc<FixedClock>, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        // On a busy machine and in a debug build an operation may take longer than a client waits.
        config.limits.execution_ms = 60_000;
        config.auth.data_key = Some(DATA_KEY.into());
        config.auth.index_key = Some(INDEX_KEY.into());
        change(&mut config);
        let app = App::start(config, db).await.expect("the application starts");
        let group = app.dealers.create_group("lone-star", "Lone Star Motors").await.expect("group");
        let austin = app.dealers.create_store(group, &store("austin", "Austin", "TX", "78701", "America/Chicago")).await.expect("store");
        let raleigh =
            app.dealers.create_store(group, &store("raleigh", "Raleigh", "NC", "27601", "America/New_York")).await.expect("store");
        let router = app.router(&app.http().expect("the transport"));
        Self { app, clock, group, austin, raleigh, router, database }
    }

    /// Adds a person and signs them in.
    pub async fn person(&self, login: &str, roles: &[(StoreId, Role)]) -> Session {
        self.app.auth.create_person(self.group, login, login, PASSWORD.into(), roles).await.expect("person");
        self.sign_in(login).await
    }

    /// Signs an existing person in.
    pub async fn sign_in(&self, login: &str) -> Session {
        let answer = self
            .graphql(
                None,
                "mutation ($login: String!, $password: String!) { signIn(input: {login: $login, password: $password}) { tokens { accessToken refreshToken } userErrors { code } } }",
                json!({ "login": login, "password": PASSWORD }),
            )
            .await;
        let tokens = &answer["data"]["signIn"]["tokens"];
        let text = |name: &str| tokens[name].as_str().unwrap_or_else(|| panic!("signIn: {answer}")).to_owned();
        Session { access: text("accessToken"), refresh: text("refreshToken") }
    }

    /// Adds a machine and gives its key.
    pub async fn machine(&self, login: &str, roles: &[(StoreId, Role)]) -> String {
        self.app.auth.create_machine(self.group, login, login, roles).await.expect("machine").1
    }

    /// A salesperson of the Austin store.
    pub async fn salesperson(&self) -> Session {
        self.person("sam@example.com", &[(self.austin, Role::Salesperson)]).await
    }

    /// A manager of the Austin store.
    #[allow(dead_code)]
    pub async fn manager(&self) -> Session {
        self.person("maria@example.com", &[(self.austin, Role::SalesManager)]).await
    }

    /// A salesperson of the other store.
    #[allow(dead_code)]
    pub async fn stranger(&self) -> Session {
        self.person("otto@example.com", &[(self.raleigh, Role::Salesperson)]).await
    }

    /// Sends a request through the router.
    pub async fn send(&self, request: axum::extract::Request) -> axum::response::Response {
        use tower::ServiceExt;
        self.router.clone().oneshot(request).await.expect("the router answers")
    }

    /// Runs an operation over HTTP and gives the whole answer.
    pub async fn graphql(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let body = serde_json::to_vec(&json!({ "query": query, "variables": variables })).expect("JSON");
        let mut request = http::Request::post("/graphql").header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self.send(request.body(axum::body::Body::from(body)).expect("a request")).await;
        let bytes = axum::body::to_bytes(response.into_body(), 16 << 20).await.expect("a body");
        serde_json::from_slice(&bytes).unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&bytes)))
    }

    /// Runs an operation that must not have errors, and gives its `data`.
    pub async fn data(&self, session: &Session, query: &str, variables: Value) -> Value {
        let mut answer = self.graphql(Some(&session.access), query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }
}

/// How long a test waits for what must happen, before it says that it did not. Much longer than it takes: all tests run at once.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < PATIENCE, "this did not happen: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// When tests begin: a Saturday noon.
pub fn start_of_tests() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, 18, 0, 0).single().expect("a moment")
}

fn store(code: &str, city: &str, state: &str, postal_code: &str, time_zone: &str) -> NewStore {
    NewStore {
        code: code.into(),
        name: format!("{city} Motors"),
        street: "100 Main Street".into(),
        city: city.into(),
        state: state.into(),
        postal_code: postal_code.into(),
        phone: None,
        time_zone: time_zone.parse().expect("a time zone"),
        currency: Currency::USD,
        tax_jurisdiction: state.into(),
    }
}
