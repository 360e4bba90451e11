//! The database: one pool, one way to write, one way to hear of changes.
//!
//! - Reads take a connection from [`Db::read`].
//! - A use case that writes opens exactly one [`Tx`]. Its audit events, change notices and idempotency answer are written
//!   with the change in the same commit, or not at all. Dropping a `Tx` rolls back.
//! - Time and ids come from here ([`Db::now`], [`Db::new_id`]), never from the machine directly.
//! - PostgreSQL decides about conflicts: constraint names map to outcomes ([`ConstraintExt::on_constraint`]), never
//!   check-then-act.

pub mod ears;
pub mod embedded;
pub mod idempotency;
mod lease;
pub mod notices;
pub mod pool;
mod record;
mod together;
mod tx;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::kernel::clock::Clock;
use crate::kernel::id::new_uuid;

pub use lease::Lease;
pub(crate) use record::record;
pub(crate) use together::{Together, deal_out};
pub use tx::{AuditEvent, By, Tx};

/// The schema's history, applied by `deskless migrate` and at the start of `serve`.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Handle on the database, the clock and the source of ids. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    pool: PgPool,
    leases: lease::Leases,
    suspicion: pool::Suspicion,
    herald: notices::Herald,
    clock: Arc<dyn Clock>,
}

impl Db {
    /// Opens a pool whose cut connections are replaced unseen.
    pub async fn connect(options: PgConnectOptions, settings: &pool::PoolSettings, clock: Arc<dyn Clock>) -> Result<Self, DbError> {
        let (pool, suspicion) = settings.connect(options).await?;
        let leases = lease::Leases::new(pool.clone(), suspicion.clone(), settings.max_connections, settings.acquire_timeout);
        let herald = notices::Herald::start(pool.clone());
        Ok(Self { pool, leases, suspicion, herald, clock })
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A new time-ordered id.
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        T::from(new_uuid(self.now()))
    }

    /// A connection for reading. It goes to the next user when dropped.
    pub async fn read(&self) -> Result<Lease, DbError> {
        self.leases.take().await
    }

    /// Rows were written into `change_notice` by a statement of its own: tell the servers.
    pub(crate) fn tell_news(&self) {
        self.herald.news();
    }

    /// A statement found its connection cut: trust none that exists now.
    pub fn suspect_connections(&self) {
        self.suspicion.raise();
    }

    /// Opens the transaction of a use case. Nothing has happened yet, so a cut connection is simply replaced.
    pub async fn begin(&self, by: By) -> Result<Tx, DbError> {
        match Tx::begin(self.leases.take().await?, self.herald.clone(), self.now(), by.clone()).await {
            Err(error) if error.is_cut() => {
                self.suspicion.raise();
                Tx::begin(self.leases.take().await?, self.herald.clone(), self.now(), by).await
            }
            outcome => outcome,
        }
    }

    /// Waits for every user of a connection and closes them all.
    pub async fn close(&self) {
        self.herald.tell(&self.pool).await;
        self.leases.close().await;
    }

    /// Whether it was closed: what runs in the background ends, and what fails because of it is no trouble to tell of.
    pub fn is_closed(&self) -> bool {
        self.pool.is_closed()
    }

    /// How many connections are open, and how many of them nobody uses.
    pub fn connections(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle().saturating_add(self.leases.resting()))
    }

    /// The pool itself, for start-up, health checks and listening.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }
}

/// What went wrong below. Its text is for the log; clients are told only "unavailable" or "internal error".
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database cannot be reached, is restarting, or has no free connection: try again.
    #[error("database unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// The statement took too long and was cut.
    #[error("database statement timed out")]
    Timeout(#[source] sqlx::Error),
    /// Two transactions got in each other's way: try again.
    #[error("transaction must be repeated")]
    Conflict(#[source] sqlx::Error),
    /// Anything else is a bug.
    #[error("database statement failed")]
    Statement(#[source] sqlx::Error),
    /// A stored value could not be read back.
    #[error("stored value is damaged: {0}")]
    Corrupt(String),
}

impl DbError {
    /// Whether the connection was lost under the statement, by a restart or on the way. Another one may well work.
    pub fn is_cut(&self) -> bool {
        match self {
            Self::Unavailable(sqlx::Error::Database(e)) => e.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08")),
            Self::Unavailable(sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_)) => true,
            _ => false,
        }
    }

    /// The name of the constraint that was violated, if that is what happened.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Statement(sqlx::Error::Database(e)) => e.constraint(),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let sql_state = match &error {
            E::Database(e) => e.code().map(std::borrow::Cow::into_owned),
            _ => None,
        };
        match (&error, sql_state.as_deref()) {
            (E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed | E::Protocol(_), _) => Self::Unavailable(error),
            // Class 08: connection; 53: resources; 57P0x: shutdown, crash, starting up; 25006: read-only standby.
            (_, Some(code)) if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") || code == "25006" => {
                Self::Unavailable(error)
            }
            (_, Some("57014" | "55P03")) => Self::Timeout(error),
            (_, Some("40001" | "40P01")) => Self::Conflict(error),
            _ => Self::Statement(error),
        }
    }
}

/// Turns the violation of a named constraint into a business outcome.
pub trait ConstraintExt<T> {
    /// `insert(…).await.on_constraint("vehicle_hold_active_key", |_| DealError::VehicleHeld)?`
    fn on_constraint<E: From<DbError>>(self, name: &str, outcome: impl FnOnce(DbError) -> E) -> Result<T, E>;
}

impl<T, F: Into<DbError>> ConstraintExt<T> for Result<T, F> {
    fn on_constraint<E: From<DbError>>(self, name: &str, outcome: impl FnOnce(DbError) -> E) -> Result<T, E> {
        self.map_err(|error| {
            let error: DbError = error.into();
            if error.constraint() == Some(name) { outcome(error) } else { E::from(error) }
        })
    }
}
