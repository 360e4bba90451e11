//! Change notices: what changed, heard by every server on the database within milliseconds.
//!
//! A [`Tx`](super::Tx) writes rows into `change_notice` with the change itself. After the commit its server says on the channel
//! `deskless_change` that there is something to read, and every server reads the rows it has not seen. So a notice is never
//! told before its change can be read, and never lost: should a server die between commit and telling, the others look by
//! themselves every second. Rows carry ids only; a client is sent a fresh read through its own permissions.
//!
//! The telling is not part of the transaction, because PostgreSQL lets only one transaction that notifies commit at a time,
//! which would queue all writes behind each other's write to the disk (measured: half the writes per second).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

use super::ears::{Ear, Ears, Topic};
use super::{Db, DbError};

/// The PostgreSQL channel that says that there are new rows in `change_notice`.
pub const CHANGE_CHANNEL: &str = "deskless_change";
/// The PostgreSQL channel that says that rule rows changed.
pub const RULES_CHANNEL: &str = "deskless_rules";

/// Under load the news is told no more often than this.
const TELL_EVERY: Duration = Duration::from_millis(10);
/// How often servers look without having been told.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A number that was skipped belongs to a transaction that is still open, or was rolled back. None stays open for longer.
const OPEN_MAX: Duration = Duration::from_secs(60);
/// Most skipped numbers kept in mind.
const SKIPPED_MAX: i64 = 10_000;
/// Rows of one read.
const READ_MAX: usize = 5_000;

crate::text_enum! {
    /// What a notice or an audit event is about.
    pub enum Subject {
        /// A deal.
        Deal = "DEAL",
        /// A question to a manager.
        Approval = "APPROVAL",
        /// A vehicle.
        Vehicle = "VEHICLE",
        /// A customer.
        Customer = "CUSTOMER",
        /// A lead.
        Lead = "LEAD",
        /// An inventory feed run.
        FeedImport = "FEED_IMPORT",
        /// The rules of a dealer group.
        Rules = "RULES",
        /// A sign-in session that ended.
        Session = "SESSION",
        /// A user or their roles.
        User = "USER",
    }
}

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// Position in the row order; grows with time.
    pub id: i64,
    /// The store it belongs to.
    pub store_id: Uuid,
    /// What kind of object changed.
    pub subject: Subject,
    /// Which one.
    pub subject_id: Uuid,
    /// Its version after the change; 0 where there is none.
    pub version: i32,
}

/// What a subscriber hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// An object changed.
    Changed(Notice),
    /// Rule rows changed; the table's name.
    Rules(String),
    /// Something may have been missed: read afresh.
    Resync,
}

/// Hands changes to subscribers in this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Notices {
    sender: broadcast::Sender<Signal>,
    ears: Ears,
    listening: Arc<AtomicBool>,
}

impl Notices {
    /// Starts listening in a background task, which ends with the runtime.
    pub async fn start(db: &Db) -> Result<Self, DbError> {
        let (sender, _) = broadcast::channel(4096);
        let last = newest(db).await?;
        let listener = connect(db).await?;
        let notices = Self { sender, ears: Ears::default(), listening: Arc::new(AtomicBool::new(true)) };
        tokio::spawn(listen(db.clone(), listener, notices.clone(), last));
        Ok(notices)
    }

    /// A receiver of every signal from now on, for the few services that keep something in memory. When it lags, it is told
    /// `Lagged`; treat that as [`Signal::Resync`].
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.sender.subscribe()
    }

    /// Hears of these from now on: for the many who watch little.
    pub fn ear(&self, topics: &[Topic]) -> Ear {
        self.ears.open(topics)
    }

    fn tell(&self, notice: Notice) {
        let _ = self.sender.send(Signal::Changed(notice));
        self.ears.tell(notice);
    }

    fn resync(&self) {
        let _ = self.sender.send(Signal::Resync);
        self.ears.resync();
    }

    /// Whether changes are heard now. False while the connection is lost; what happened meanwhile is caught up later.
    pub fn listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
    }
}

/// Tells the servers, after a commit, that there is something to read. Clones share.
#[derive(Debug, Clone, Default)]
pub(super) struct Herald(Arc<News>);

#[derive(Debug, Default)]
struct News {
    waiting: AtomicBool,
    wake: Notify,
}

impl Herald {
    /// Starts telling in a background task, which ends when the pool is closed.
    pub(super) fn start(pool: PgPool) -> Self {
        let herald = Self::default();
        let news = herald.clone();
        tokio::spawn(async move {
            while !pool.is_closed() {
                news.0.wake.notified().await;
                news.tell(&pool).await;
                tokio::time::sleep(TELL_EVERY).await;
            }
        });
        herald
    }

    /// There is something new.
    pub(super) fn news(&self) {
        self.0.waiting.store(true, Ordering::Release);
        self.0.wake.notify_one();
    }

    /// Tells what waits. A failure costs the others a second at most: they look by themselves.
    pub(super) async fn tell(&self, pool: &PgPool) {
        if self.0.waiting.swap(false, Ordering::AcqRel)
            && let Err(error) = sqlx::query!("SELECT pg_notify($1, '')", CHANGE_CHANNEL).execute(pool).await
        {
            tracing::debug!(error = &error as &dyn std::error::Error, "news could not be told");
        }
    }
}

/// Which rows have been read: all up to `newest` but the `skipped` ones.
#[derive(Debug)]
struct Seen {
    newest: i64,
    skipped: BTreeMap<i64, Instant>,
}

impl Seen {
    fn new(newest: i64) -> Self {
        Self { newest, skipped: BTreeMap::new() }
    }

    /// Notes a row that was read; rows come in order.
    fn note(&mut self, id: i64, now: Instant) {
        let first_skipped = self.newest.saturating_add(1).max(id.saturating_sub(SKIPPED_MAX));
        self.skipped.extend((first_skipped..id).map(|skipped| (skipped, now)));
        self.skipped.remove(&id);
        self.newest = self.newest.max(id);
    }

    /// Forgets skipped numbers that nobody will use any more.
    fn forget(&mut self, now: Instant) {
        self.skipped.retain(|_, since| now.duration_since(*since) < OPEN_MAX);
        while i64::try_from(self.skipped.len()).is_ok_and(|n| n > SKIPPED_MAX) {
            self.skipped.pop_first();
        }
    }
}

async fn connect(db: &Db) -> Result<PgListener, DbError> {
    let mut listener = PgListener::connect_with(db.pool()).await?;
    listener.listen_all([CHANGE_CHANNEL, RULES_CHANNEL]).await?;
    Ok(listener)
}

async fn newest(db: &Db) -> Result<i64, DbError> {
    let mut conn = db.read().await?;
    let newest = sqlx::query_scalar!(r#"SELECT coalesce(max(id), 0) AS "id!" FROM change_notice"#).fetch_one(&mut *conn).await?;
    Ok(newest)
}

async fn listen(db: Db, mut listener: PgListener, notices: Notices, newest: i64) {
    let mut seen = Seen::new(newest);
    loop {
        let read = match tokio::time::timeout(LOOK_EVERY, listener.try_recv()).await {
            Ok(Ok(Some(message))) if message.channel() == RULES_CHANNEL => {
                let _ = notices.sender.send(Signal::Rules(message.payload().to_owned()));
                Ok(())
            }
            Ok(Ok(Some(_))) | Err(_) => read(&db, &notices, &mut seen).await,
            Ok(Ok(None) | Err(_)) if db.is_closed() => return,
            // The connection was lost. Listen again first, then read what was missed: the other way round, a change between
            // the two would be lost.
            Ok(Ok(None) | Err(_)) => {
                notices.listening.store(false, Ordering::Relaxed);
                match connect(&db).await {
                    Ok(fresh) => {
                        listener = fresh;
                        let read = read(&db, &notices, &mut seen).await;
                        notices.resync();
                        read
                    }
                    Err(error) => Err(error),
                }
            }
        };
        match read {
            Ok(()) => notices.listening.store(true, Ordering::Relaxed),
            Err(_) if db.is_closed() => return,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "change notices: database unavailable");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Reads the rows that were not seen yet and hands them on.
async fn read(db: &Db, notices: &Notices, seen: &mut Seen) -> Result<(), DbError> {
    let mut conn = db.read().await?;
    loop {
        seen.forget(Instant::now());
        let skipped: Vec<i64> = seen.skipped.keys().copied().collect();
        let rows = sqlx::query!(
            // Two reads by the key. As one condition with OR it walks all notices there are.
            r#"SELECT id AS "id!", store_id AS "store_id!", subject_kind AS "subject!: Subject", subject_id AS "subject_id!", version AS "version!"
               FROM ((SELECT * FROM change_notice WHERE id > $1 ORDER BY id LIMIT 5000)
                     UNION ALL (SELECT * FROM change_notice WHERE id = ANY($2))) unseen
               ORDER BY id"#,
            seen.newest,
            &skipped,
        )
        .fetch_all(&mut *conn)
        .await?;
        let full = rows.len() >= READ_MAX;
        for row in rows {
            seen.note(row.id, Instant::now());
            notices.tell(Notice {
                id: row.id,
                store_id: row.store_id,
                subject: row.subject,
                subject_id: row.subject_id,
                version: row.version,
            });
        }
        if !full {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_were_skipped_are_asked_for_until_nobody_can_use_them() {
        let (begin, mut seen) = (Instant::now(), Seen::new(10));
        for id in [11, 14, 15] {
            seen.note(id, begin);
        }
        assert_eq!((seen.newest, seen.skipped.keys().copied().collect::<Vec<_>>()), (15, vec![12, 13]));
        seen.note(12, begin);
        assert_eq!((seen.newest, seen.skipped.len()), (15, 1), "a transaction that committed late");
        seen.forget(begin + OPEN_MAX);
        assert!(seen.skipped.is_empty());
    }

    #[test]
    fn a_great_jump_is_not_kept_in_mind_whole() {
        let mut seen = Seen::new(0);
        seen.note(10_000_000, Instant::now());
        assert!(seen.skipped.len() <= 10_000);
    }
}
