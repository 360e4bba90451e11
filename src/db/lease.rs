//! Connections on loan: handed from one user to the next without asking the database each time.
//!
//! sqlx's pool asks every connection that comes back whether it is well: a round trip and a task for each read. Here a
//! connection that comes back quiet (nothing unread, no transaction) waits for the next user as it is. Only one that was
//! given up in the middle of something takes the pool's own way back, where it is waited for, rolled back or replaced.
//!
//! Who may have a connection is decided before, by a fair queue as long as the pool is wide, so that the pool itself is never
//! waited for.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor, PgPool, Postgres};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::DbError;
use super::pool::{ASK_AFTER, Suspicion};

/// Lends connections of a pool. Clones share.
#[derive(Debug, Clone)]
pub(super) struct Leases(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    suspicion: Suspicion,
    /// One permit per connection that may be on loan.
    queue: Arc<Semaphore>,
    patience: Duration,
    /// Connections between two users; the last used is the first to go out again.
    warm: Mutex<Vec<Warm>>,
}

#[derive(Debug)]
struct Warm {
    conn: PoolConnection<Postgres>,
    /// When it left the pool: what it was then, the pool has vouched for.
    vouched: Instant,
    idle_since: Instant,
}

/// A connection on loan. It goes to the next user when dropped.
#[derive(Debug)]
pub struct Lease {
    /// `None` only inside `drop`.
    conn: Option<PoolConnection<Postgres>>,
    in_transaction: bool,
    vouched: Instant,
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
}

impl Leases {
    /// Lends at most `most` connections of the pool at once; the pool should have a few more for those who use it directly.
    pub(super) fn new(pool: PgPool, suspicion: Suspicion, most: u32, patience: Duration) -> Self {
        let queue = Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS)));
        Self(Arc::new(Shared { pool, suspicion, queue, patience, warm: Mutex::default() }))
    }

    /// The next free connection, in the order of asking.
    pub(super) async fn take(&self) -> Result<Lease, DbError> {
        let place = tokio::time::timeout(self.0.patience, Arc::clone(&self.0.queue).acquire_owned()).await;
        let place = match place {
            Ok(Ok(place)) => place,
            Ok(Err(_closed)) => return Err(sqlx::Error::PoolClosed.into()),
            Err(_elapsed) => return Err(sqlx::Error::PoolTimedOut.into()),
        };
        // One that lay idle for longer, or is suspected, goes back to the pool, which asks it whether it is still there.
        while let Some(warm) = self.0.pop() {
            if warm.idle_since.elapsed() <= ASK_AFTER && !self.0.suspicion.raised_after(warm.vouched) {
                return Ok(self.lend(warm.conn, warm.vouched, place));
            }
        }
        // Boxed: rare, and with it inline every future that reads would carry four kilobytes, down to each field of an answer.
        let conn = Box::pin(self.0.pool.acquire()).await?;
        Ok(self.lend(conn, Instant::now(), place))
    }

    fn lend(&self, conn: PoolConnection<Postgres>, vouched: Instant, place: OwnedSemaphorePermit) -> Lease {
        Lease { conn: Some(conn), in_transaction: false, vouched, shared: Arc::clone(&self.0), _place: place }
    }

    /// How many connections lie between two users.
    pub(super) fn resting(&self) -> usize {
        self.0.warm().len()
    }

    /// Lends nothing more, gives back what rests, and closes the pool when the last user is done.
    pub(super) async fn close(&self) {
        self.0.queue.close();
        drop(std::mem::take(&mut *self.0.warm()));
        self.0.pool.close().await;
    }
}

impl Shared {
    fn warm(&self) -> MutexGuard<'_, Vec<Warm>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self) -> Option<Warm> {
        self.warm().pop()
    }
}

impl Lease {
    /// Opens a transaction; dropping the lease before [`Lease::commit`] rolls it back.
    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        self.in_transaction = true;
        self.execute("BEGIN").await?;
        Ok(())
    }

    /// Commits what [`Lease::begin`] opened.
    pub(super) async fn commit(&mut self) -> Result<(), DbError> {
        self.execute("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut conn) = self.conn.take() else { return };
        if self.in_transaction {
            tokio::spawn(async move {
                if let Err(error) = conn.execute("ROLLBACK").await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "a transaction ended with its connection");
                }
            });
            return;
        }
        // Ready at once when nothing is unsent and nothing unread; tests/db_connections.rs keeps `flush` to this promise.
        let quiet = matches!(conn.flush().now_or_never(), Some(Ok(())));
        let mut warm = self.shared.warm();
        // Asked under the lock: what is laid down after the closing would never be given back.
        if quiet && !self.shared.queue.is_closed() {
            warm.push(Warm { conn, vouched: self.vouched, idle_since: Instant::now() });
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;
    #[expect(clippy::expect_used, reason = "only `drop` takes the connection")]
    fn deref(&self) -> &PgConnection {
        self.conn.as_ref().expect("a lease has its connection until it is dropped")
    }
}

impl DerefMut for Lease {
    #[expect(clippy::expect_used, reason = "only `drop` takes the connection")]
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.conn.as_mut().expect("a lease has its connection until it is dropped")
    }
}
