//! A migrated database of its own for every test, in about 20 ms.
//!
//! All tests share one private cluster without fsync, under `target/`; the first test starts it, and a few seconds after
//! the last it is stopped. With `DATABASE_URL` set the databases are made on that server instead. Each is a copy of a
//! template whose name carries a hash of the migrations, and is dropped with the [`TestDatabase`].

use std::future::Future;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use deskless::db::embedded::{Durability, Embedded, EmbeddedOptions, OWNER};
use deskless::db::pool::PoolSettings;
use deskless::db::{Db, MIGRATOR};
use deskless::kernel::clock::{Clock, SystemClock};
use deskless::kernel::seal::sha256;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::runtime::Runtime;

/// A database that is dropped with this value.
pub struct TestDatabase {
    name: String,
    options: PgConnectOptions,
    pool: PgPool,
}

impl TestDatabase {
    /// A copy of the migrated template.
    pub async fn create() -> Self {
        let (name, options) = aside(|| async {
            let server = Server::get().await;
            let mut admin = server.admin.connect().await.expect("the test server takes connections");
            server.template(&mut admin).await;
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let name = format!("deskless_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            run(&mut admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            run(&mut admin, &format!("CREATE DATABASE {name} TEMPLATE {} OWNER {}", template_name(), server.owner)).await;
            admin.close().await.expect("closes");
            let options = server.app.clone().database(&name);
            (name, options)
        })
        .await;
        let pool = PgPoolOptions::new().max_connections(4).connect_with(options.clone()).await.expect("the test's database");
        Self { name, options, pool }
    }

    /// The database as the program opens it, with the program's rights. Waits much longer than a client would: all tests run at
    /// once, and a slow machine is not an outage.
    pub async fn open(&self, clock: Arc<dyn Clock>) -> Db {
        let patience = std::time::Duration::from_secs(60);
        let settings = PoolSettings {
            max_connections: 20,
            min_connections: 0,
            acquire_timeout: patience,
            statement_timeout: patience,
            lock_timeout: patience,
            ..PoolSettings::default()
        };
        Db::connect(self.options.clone(), &settings, clock).await.expect("the test's database")
    }

    /// The address, for a program of its own.
    pub fn url(&self) -> String {
        self.options.to_url_lossy().to_string()
    }

    /// Connections as the program, with other settings.
    pub async fn open_with(&self, settings: PoolSettings) -> Db {
        Db::connect(self.options.clone(), &settings, Arc::new(SystemClock)).await.expect("the test's database")
    }

    /// Connections of the test's own, to look and to meddle.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = self.name.clone();
        let drop_it = async move {
            if let Ok(mut admin) = Server::get().await.admin.connect().await {
                run(&mut admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                let _ = admin.close().await;
            }
        };
        let _ = std::thread::spawn(|| side().block_on(drop_it)).join();
    }
}

/// Where the databases are made.
struct Server {
    /// May create databases.
    admin: PgConnectOptions,
    /// What the program connects as.
    app: PgConnectOptions,
    owner: String,
    embedded: Option<Embedded>,
}

impl Server {
    async fn get() -> &'static Self {
        static SERVER: tokio::sync::OnceCell<Server> = tokio::sync::OnceCell::const_new();
        SERVER.get_or_init(Self::start).await
    }

    async fn start() -> Self {
        if let Ok(url) = std::env::var("DATABASE_URL")
            && !url.is_empty()
        {
            let options: PgConnectOptions = url.parse().expect("DATABASE_URL is a PostgreSQL URL");
            let owner = options.get_username().to_owned();
            return Self { admin: options.clone(), app: options, owner, embedded: None };
        }
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("database");
        let options = EmbeddedOptions { durability: Durability::Throwaway, max_connections: 250, ..EmbeddedOptions::default() };
        let embedded = Embedded::start(&dir, options).await.unwrap_or_else(|error| panic!("{error}"));
        if embedded.started_server() {
            stop_after_the_last_test(embedded.dir());
        }
        let admin = embedded.superuser_options("postgres");
        Self { admin, app: embedded.connect_options(), owner: OWNER.to_owned(), embedded: Some(embedded) }
    }

    /// Makes the template unless it is there. One test at a time, of all test processes.
    async fn template(&self, admin: &mut PgConnection) {
        static READY: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
        READY
            .get_or_init(|| async {
                sqlx::query("SELECT pg_advisory_lock(7340)").execute(&mut *admin).await.expect("locks");
                if self.embedded.is_some() {
                    drop_leftovers(admin).await;
                }
                let name = template_name();
                // A database that takes no connections is whole; one that still does was left half-made.
                let whole = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND NOT datallowconn)";
                if !sqlx::query_scalar::<_, bool>(whole).bind(&name).fetch_one(&mut *admin).await.expect("looks") {
                    run(admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                    run(admin, &format!("CREATE DATABASE {name} OWNER {}", self.owner)).await;
                    let mut conn = self.app.clone().database(&name).connect().await.expect("connects to the template");
                    MIGRATOR.run(&mut conn).await.expect("migrations apply to an empty database");
                    conn.close().await.expect("closes");
                    run(admin, &format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")).await;
                }
                sqlx::query("SELECT pg_advisory_unlock(7340)").execute(&mut *admin).await.expect("unlocks");
            })
            .await;
    }
}

/// Databases of test processes that are gone, and templates of other migrations.
async fn drop_leftovers(admin: &mut PgConnection) {
    let names: Vec<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE 'deskless\\_%'")
        .fetch_all(&mut *admin)
        .await
        .expect("lists");
    for name in names {
        let pid = name.strip_prefix("deskless_test_").and_then(|rest| rest.split('_').next());
        let gone = match pid {
            Some(pid) => !Path::new("/proc").join(pid).exists(),
            None => name.starts_with("deskless_template_") && name != template_name(),
        };
        if gone {
            let _ =
                sqlx::query(sqlx::AssertSqlSafe(format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"))).execute(&mut *admin).await;
            run(admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

fn template_name() -> String {
    let checksums: Vec<u8> = MIGRATOR.iter().flat_map(|migration| migration.checksum.to_vec()).collect();
    sha256(&checksums).iter().take(6).fold(String::from("deskless_template_"), |name, byte| format!("{name}{byte:02x}"))
}

async fn run(conn: &mut PgConnection, sql: &str) {
    sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Test processes end without a word, so a shell outlives them: once no process uses the cluster, it stops the server.
fn stop_after_the_last_test(dir: &Path) {
    let script = r#"
        while sleep 3; do
          flock "$0/start.lock" flock -n "$0/users.lock" sh -c '
            pid=$(head -n 1 "$0/data/postmaster.pid") || exit 0
            kill -INT "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done' "$0" && exit
        done"#;
    // Without flock(1) the server keeps running and the next test run adopts it.
    let _ = std::os::unix::process::CommandExt::process_group(&mut Command::new("sh"), 0)
        .args(["-c", script])
        .arg(dir)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}

/// Runs beside the tests: their runtimes end with them, the server's watcher must not.
async fn aside<T: Send + 'static, F: Future<Output = T>>(work: impl FnOnce() -> F + Send + 'static) -> T {
    tokio::task::spawn_blocking(move || side().block_on(work())).await.expect("the work beside the test does not panic")
}

fn side() -> &'static Runtime {
    static SIDE: OnceLock<Runtime> = OnceLock::new();
    SIDE.get_or_init(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime"))
}
