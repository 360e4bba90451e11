//! An embedded PostgreSQL: real server programs, run by us as a private cluster in the data directory.
//!
//! For trying Deskless out, for development and for tests. A dealer group's showroom runs on a server of its own
//! (`DATABASE_URL`); `serve --production` refuses this one.
//!
//! - **Reached** through a unix socket in a directory that only the server's account may enter. There is no port.
//! - **Programs**: `DESKLESS_PG_BIN`, the newest under `/usr/lib/postgresql`, `PATH`, then the cache that `make postgres`
//!   fills. Version 15 or newer. A data directory made by another major version is refused with advice.
//! - **Accounts**: PostgreSQL refuses to run as root, so as root the directory is handed to `postgres`, else `nobody`. In
//!   the database the program is [`OWNER`], who owns its database and is no superuser.
//! - **Life**: any number of processes may use one data directory. The first starts the server, the last stops it. When
//!   they were killed the server lives on and is adopted by the next. When the server was killed a user starts it again.

mod account;
mod binaries;
mod home;
mod postmaster;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection};

use binaries::Binaries;
pub use binaries::Lookup;
use home::Home;
use postmaster::Postmaster;

/// The oldest PostgreSQL whose SQL we write.
pub const OLDEST_MAJOR: u32 = 15;
/// The role of the program: owns its database, is no superuser.
pub const OWNER: &str = "deskless";
/// The database of the program.
pub const DATABASE: &str = "deskless";
const SUPERUSER: &str = "postgres";
const PORT: u16 = 5432;
/// How often a user looks whether the server is still there.
const WATCH: Duration = Duration::from_millis(250);

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was acknowledged.
    Durable,
    /// Everything: for tests, which need no disk.
    Throwaway,
}

/// How the cluster is run.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// What a crash of the machine may cost.
    pub durability: Durability,
    /// The most connections of all users together.
    pub max_connections: u32,
    /// Where the programs are looked for.
    pub lookup: Lookup,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self { durability: Durability::Durable, max_connections: 100, lookup: Lookup::from_env() }
    }
}

/// Why there is no embedded server. The texts are for the person who started the program.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No server programs anywhere.
    #[error("found no PostgreSQL {OLDEST_MAJOR} or newer. Run: {command}")]
    NoBinaries {
        /// What helps on this machine.
        command: &'static str,
    },
    /// `DESKLESS_PG_BIN` is wrong.
    #[error("DESKLESS_PG_BIN is {0}, which has no working \"postgres\" and \"initdb\" of version {OLDEST_MAJOR} or newer")]
    BadBinDir(PathBuf),
    /// The data directory needs another server.
    #[error(
        "{data} was made by PostgreSQL {data_major}, but {bin} is PostgreSQL {bin_major}. Set DESKLESS_PG_BIN to the programs of \
         version {data_major}; or dump with them, move the directory away and restore into the new version"
    )]
    OtherVersion {
        /// The data directory.
        data: PathBuf,
        /// Who made it.
        data_major: u32,
        /// What was found.
        bin: PathBuf,
        /// The version of what was found.
        bin_major: u32,
    },
    /// Root has no account to hand the server to.
    #[error("PostgreSQL does not run as root, and this system has neither the account \"postgres\" nor \"nobody\"")]
    NoAccount,
    /// The server's account may not enter the directory of the programs.
    #[error("PostgreSQL does not run as root, and its account may not enter {dir} on the way to {bin}")]
    Blocked {
        /// The closed directory.
        dir: PathBuf,
        /// Where the programs are.
        bin: PathBuf,
    },
    /// Somebody else could listen in.
    #[error("{0} belongs to somebody else or is open to others. Remove it, or choose another data directory")]
    NotPrivate(PathBuf),
    /// Neither empty nor a cluster.
    #[error("{0} is not a PostgreSQL data directory, or a damaged one. Restore it, or move it away to begin anew")]
    Damaged(PathBuf),
    /// Another process holds the start lock.
    #[error("another process has been starting or stopping the database in {0} for too long")]
    Busy(PathBuf),
    /// `initdb` failed.
    #[error("the database could not be created: {said}")]
    Initdb {
        /// What it said.
        said: String,
    },
    /// The server ended at once.
    #[error("the database server did not start: {said} (log: {log})")]
    Refused {
        /// What it said.
        said: String,
        /// Where there is more.
        log: PathBuf,
    },
    /// The role or the database could not be made.
    #[error("the database could not be set up")]
    Setup(#[from] sqlx::Error),
    /// A file or process operation failed.
    #[error("cannot {what} {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl EmbeddedError {
    fn io(what: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { what, path: path.to_owned(), source }
    }
}

/// A use of the embedded server. [`Embedded::stop`] ends the use, and the server with the last one; dropping it does the
/// same without waiting.
#[derive(Debug)]
pub struct Embedded {
    cluster: Arc<Cluster>,
    watcher: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Cluster {
    home: Home,
    binaries: Binaries,
    options: EmbeddedOptions,
    socket_dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The shared lock that says "in use".
    in_use: Option<File>,
    server: Option<Postmaster>,
}

impl Embedded {
    /// Starts or joins the server of `data_dir`, creating the cluster, the role and the database at the first start.
    pub async fn start(data_dir: &Path, options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let dir = data_dir.to_owned();
        let (cluster, start_lock) = blocking(move || Cluster::open(&dir, options)).await?;
        let cluster = Arc::new(cluster);
        let watcher = tokio::spawn(watch(Arc::clone(&cluster)));
        let embedded = Self { cluster, watcher };
        embedded.set_up().await?;
        drop(start_lock);
        Ok(embedded)
    }

    /// How the program connects: as [`OWNER`] to [`DATABASE`].
    pub fn connect_options(&self) -> PgConnectOptions {
        self.options_for(OWNER, DATABASE)
    }

    /// How a set-up step connects: as the superuser, to a database of the cluster.
    pub fn superuser_options(&self, database: &str) -> PgConnectOptions {
        self.options_for(SUPERUSER, database)
    }

    /// The process id of the server, for those who want to look at it, or kill it.
    pub fn server_pid(&self) -> Option<i32> {
        self.cluster.lock().server.as_ref().map(Postmaster::pid)
    }

    /// The directory of the cluster: its files, locks and log.
    pub fn dir(&self) -> &Path {
        self.cluster.home.dir()
    }

    /// Whether this use started the server, rather than finding it running.
    pub fn started_server(&self) -> bool {
        self.cluster.lock().server.as_ref().is_some_and(Postmaster::is_ours)
    }

    /// The major version of the server.
    pub fn major_version(&self) -> u32 {
        self.cluster.binaries.major
    }

    /// Ends this use; the last one stops the server and waits for it.
    pub async fn stop(self) {
        self.watcher.abort();
        let cluster = Arc::clone(&self.cluster);
        let _ = tokio::task::spawn_blocking(move || cluster.leave(true)).await;
    }

    fn options_for(&self, role: &str, database: &str) -> PgConnectOptions {
        let dir = self.cluster.socket_dir.to_string_lossy();
        PgConnectOptions::new_without_pgpass()
            .host(&dir)
            .socket(&self.cluster.socket_dir)
            .port(PORT)
            .username(role)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    /// Makes the role and the database where they are missing. The caller holds the start lock.
    async fn set_up(&self) -> Result<(), EmbeddedError> {
        if let Ok(conn) = self.connect_options().connect().await {
            conn.close().await?;
            return Ok(());
        }
        let mut conn = self.superuser_options("postgres").connect().await?;
        let role_missing = "SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'deskless')";
        if sqlx::query_scalar::<_, bool>(role_missing).fetch_one(&mut conn).await? {
            sqlx::query("CREATE ROLE deskless LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").execute(&mut conn).await?;
        }
        let database_missing = "SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = 'deskless')";
        if sqlx::query_scalar::<_, bool>(database_missing).fetch_one(&mut conn).await? {
            sqlx::query("CREATE DATABASE deskless OWNER deskless").execute(&mut conn).await?;
        }
        conn.close().await?;
        Ok(())
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.watcher.abort();
        self.cluster.leave(false);
    }
}

impl Cluster {
    /// Everything but the first connection. Gives the start lock back for the set-up.
    fn open(data_dir: &Path, options: EmbeddedOptions) -> Result<(Self, File), EmbeddedError> {
        let home = Home::open(data_dir)?;
        let start_lock = home.lock_start()?;
        let existing = home.existing_major()?;
        let binaries = options.lookup.find(existing, &home.data())?;
        if let Some(dir) = home.account.blocked_at(&binaries.dir) {
            return Err(EmbeddedError::Blocked { dir, bin: binaries.dir });
        }
        let in_use = home.lock_use()?;
        if existing.is_none() {
            home.initialise(&binaries, options.durability)?;
        }
        let server = match Postmaster::ensure(&home, &binaries, &options) {
            Err(EmbeddedError::Refused { .. }) if options.durability == Durability::Throwaway => {
                home.wipe()?;
                home.initialise(&binaries, options.durability)?;
                Postmaster::ensure(&home, &binaries, &options)?
            }
            outcome => outcome?,
        };
        let socket_dir = server.socket_dir.clone();
        let state = Mutex::new(State { in_use: Some(in_use), server: Some(server) });
        Ok((Self { home, binaries, options, socket_dir, state }, start_lock))
    }

    /// Starts the server again when it is gone and nobody else did. Errors are tried again by the next look.
    fn revive(&self) {
        if self.lock().server.as_mut().is_none_or(|server| server.is_alive(&self.home)) {
            return;
        }
        tracing::warn!("the database server has ended; starting it again");
        let Ok(_start_lock) = self.home.lock_start() else { return };
        // While we waited the use may have been ended.
        if self.lock().in_use.is_none() {
            return;
        }
        match Postmaster::ensure(&self.home, &self.binaries, &self.options) {
            Ok(server) => {
                self.lock().server = Some(server);
                tracing::info!("the database server is back");
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the database server does not come back");
            }
        }
    }

    /// Ends the use; stops the server if it was the last.
    fn leave(&self, wait: bool) {
        if self.lock().in_use.is_none() {
            return;
        }
        // Without the start lock somebody is just joining, and will be the last instead of us.
        let start_lock = self.home.lock_start();
        let (in_use, server) = {
            let mut state = self.lock();
            (state.in_use.take(), state.server.take())
        };
        drop(in_use);
        if start_lock.is_ok()
            && self.home.is_unused()
            && let Some(mut server) = server
        {
            if wait { server.stop(&self.home) } else { server.ask_to_stop(&self.home) }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks after the server for as long as it is used.
async fn watch(cluster: Arc<Cluster>) {
    loop {
        tokio::time::sleep(WATCH).await;
        let cluster = Arc::clone(&cluster);
        let _ = tokio::task::spawn_blocking(move || cluster.revive()).await;
    }
}

async fn blocking<T: Send + 'static>(f: impl FnOnce() -> Result<T, EmbeddedError> + Send + 'static) -> Result<T, EmbeddedError> {
    match tokio::task::spawn_blocking(f).await {
        Ok(outcome) => outcome,
        Err(error) => Err(EmbeddedError::Io { what: "run", path: PathBuf::new(), source: std::io::Error::other(error) }),
    }
}

/// Where the product keeps its data when nobody says otherwise. Root's is where the server's account may enter.
pub fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/lib/deskless");
    }
    let base = std::env::var_os("XDG_DATA_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    base.unwrap_or_else(std::env::temp_dir).join("deskless")
}
