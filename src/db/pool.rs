//! The pool of connections: how many, how patient, and what happens when they are cut.
//!
//! Asking a connection "are you there?" before each use would cost a round trip per read (measured: 3 to 24 %), so it is
//! only asked after it lay idle for a second. When a statement finds its connection dead, [`Suspicion`] is raised: every
//! connection older than that is replaced at its next use, and whoever was reading reads once more. So a restart of the
//! database, or of something on the way to it, does not show.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool};

use super::DbError;

/// A connection that lay idle for longer is asked whether it is still there.
pub(super) const ASK_AFTER: Duration = Duration::from_secs(1);

/// Connections beyond those on loan, for what uses the pool itself: start-up, readiness, listening.
const SPARE: u32 = 2;

/// Sizes and patience of a pool.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    /// What the database shows in `pg_stat_activity`.
    pub application_name: String,
    /// Never more connections than this serve requests.
    pub max_connections: u32,
    /// Never fewer, so that the first requests after a quiet time need not wait for one.
    pub min_connections: u32,
    /// How long a request waits for a free connection before it is told to try again.
    pub acquire_timeout: Duration,
    /// The longest a statement may run.
    pub statement_timeout: Duration,
    /// The longest a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// The longest a transaction may sit without a statement.
    pub idle_in_transaction_timeout: Duration,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            application_name: "deskless".into(),
            max_connections: 16,
            min_connections: 2,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(4),
            lock_timeout: Duration::from_secs(3),
            idle_in_transaction_timeout: Duration::from_secs(10),
        }
    }
}

impl PoolSettings {
    /// Opens the pool and its first connection.
    pub async fn connect(&self, options: PgConnectOptions) -> Result<(PgPool, Suspicion), DbError> {
        let suspicion = Suspicion::default();
        let pool = self.pool_options(&suspicion).connect_with(self.session(options)).await?;
        Ok((pool, suspicion))
    }

    /// The settings every connection begins with.
    fn session(&self, options: PgConnectOptions) -> PgConnectOptions {
        let millis = |time: Duration| time.as_millis().to_string();
        options
            .application_name(&self.application_name)
            // Every statement of the program is prepared once per connection.
            .statement_cache_capacity(512)
            .options([
                ("statement_timeout", millis(self.statement_timeout)),
                ("lock_timeout", millis(self.lock_timeout)),
                ("idle_in_transaction_session_timeout", millis(self.idle_in_transaction_timeout)),
                // Short statements: compiling them costs more than it saves.
                ("jit", "off".to_owned()),
                // The program's statements are written so that one plan serves every value. Left to itself, PostgreSQL would
                // plan the long ones anew at each execution (0.9 ms), because a condition that is false makes a plan look cheap.
                ("plan_cache_mode", "force_generic_plan".to_owned()),
            ])
    }

    fn pool_options(&self, suspicion: &Suspicion) -> PgPoolOptions {
        let suspicion = suspicion.clone();
        PgPoolOptions::new()
            .max_connections(self.max_connections.saturating_add(SPARE))
            .min_connections(self.min_connections)
            .acquire_timeout(self.acquire_timeout)
            .idle_timeout(Duration::from_mins(10))
            .max_lifetime(Duration::from_hours(1))
            .test_before_acquire(false)
            .before_acquire(move |conn, meta| {
                let stale = suspicion.covers(meta.age);
                Box::pin(async move {
                    if stale {
                        return Ok(false);
                    }
                    if meta.idle_for > ASK_AFTER {
                        conn.ping().await?;
                    }
                    Ok(true)
                })
            })
    }
}

/// Reads `postgres://…`, without taking anything from the environment but the password file.
pub fn connect_options(url: &str) -> Result<PgConnectOptions, DbError> {
    Ok(PgConnectOptions::from_str(url)?)
}

/// When connections were last found dead. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub struct Suspicion {
    since: Instant,
    /// Microseconds after `since`; 0 for never.
    raised: Arc<AtomicU64>,
}

impl Default for Suspicion {
    fn default() -> Self {
        Self { since: Instant::now(), raised: Arc::default() }
    }
}

impl Suspicion {
    /// A connection was found dead: none that exists now is trusted any more.
    pub fn raise(&self) {
        let micros = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.raised.fetch_max(micros.max(1), Ordering::Relaxed);
    }

    /// Whether a connection that was vouched for at `then` may be one of those found dead since.
    pub(super) fn raised_after(&self, then: Instant) -> bool {
        self.covers(then.elapsed())
    }

    /// Whether a connection of this age was there when suspicion was last raised.
    fn covers(&self, age: Duration) -> bool {
        let raised = self.raised.load(Ordering::Relaxed);
        raised != 0 && self.since.elapsed().saturating_sub(age) <= Duration::from_micros(raised)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspicion_covers_what_was_there_before_it() {
        let suspicion = Suspicion::default();
        assert!(!suspicion.covers(Duration::ZERO));
        std::thread::sleep(Duration::from_millis(2));
        suspicion.raise();
        assert!(suspicion.covers(Duration::from_secs(1)), "older");
        std::thread::sleep(Duration::from_millis(2));
        assert!(!suspicion.covers(Duration::ZERO), "made after");
        assert!(suspicion.clone().covers(Duration::from_secs(1)), "clones share");
    }
}
