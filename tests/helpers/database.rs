//! A database of its own for every test: a copy of a migrated template.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::OnceCell;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// Removed when dropped.
pub struct TestDatabase {
    name: String,
    pool: PgPool,
}

impl TestDatabase {
    pub async fn create() -> Self {
        let template = TEMPLATE.get_or_init(make_template).await;
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        admin(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let pool = PgPoolOptions::new().max_connections(20).connect_with(server().database(&name)).await.expect("the test's database");
        Self { name, pool }
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // The test's runtime is ending: use one of our own.
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(admin(&drop));
        })
        .join()
        .ok();
    }
}

async fn make_template() -> String {
    let name = format!("template_{}", uuid::Uuid::new_v4().simple());
    admin(&format!("CREATE DATABASE {name}")).await;
    let pool = PgPoolOptions::new().max_connections(1).connect_with(server().database(&name)).await.expect("the template");
    deskless::db::MIGRATOR.run(&pool).await.expect("migrations");
    pool.close().await;
    name
}

async fn admin(sql: &str) {
    use sqlx::{ConnectOptions, Connection, Executor};
    let mut conn = server().connect().await.expect("the test server; set DATABASE_URL");
    conn.execute(AssertSqlSafe(sql.to_owned())).await.expect("admin statement");
    conn.close().await.ok();
}

fn server() -> PgConnectOptions {
    let url = std::env::var("DATABASE_URL").expect("set DATABASE_URL");
    PgConnectOptions::from_str(&url).expect("a postgres:// URL")
}
