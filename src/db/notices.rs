//! Change notices: what changed, heard by every server on the database within milliseconds.
//!
//! A [`Tx`](super::Tx) writes rows into `change_notice`; a trigger announces each to the channel `deskless_change` when the
//! transaction commits. One listener per server hands them to whoever subscribed. Notices carry ids only; a client is sent
//! a fresh read through its own permissions. After a lost connection the listener reads the rows it missed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::{Db, DbError};

/// The PostgreSQL channel of [`Notice`]s.
pub const CHANGE_CHANNEL: &str = "deskless_change";
/// The PostgreSQL channel that says that rule rows changed.
pub const RULES_CHANNEL: &str = "deskless_rules";

crate::text_enum! {
    /// What a notice or an audit event is about.
    pub enum Subject {
        /// A deal.
        Deal = "DEAL",
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
    listening: Arc<AtomicBool>,
}

impl Notices {
    /// Starts listening in a background task, which ends with the runtime.
    pub async fn start(db: &Db) -> Result<Self, DbError> {
        let (sender, _) = broadcast::channel(4096);
        let last = newest(db).await?;
        let listener = connect(db).await?;
        let listening = Arc::new(AtomicBool::new(true));
        tokio::spawn(listen(db.clone(), listener, sender.clone(), last, Arc::clone(&listening)));
        Ok(Self { sender, listening })
    }

    /// A receiver of every signal from now on. When it lags, it is told `Lagged`; treat that as [`Signal::Resync`].
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.sender.subscribe()
    }
}

impl Notices {
    /// Whether changes are heard now. False while the connection is lost; what happened meanwhile is caught up later.
    pub fn listening(&self) -> bool {
        self.listening.load(Ordering::Relaxed)
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

async fn listen(db: Db, mut listener: PgListener, sender: broadcast::Sender<Signal>, mut last: i64, listening: Arc<AtomicBool>) {
    loop {
        match listener.try_recv().await {
            Ok(Some(message)) if message.channel() == RULES_CHANNEL => {
                let _ = sender.send(Signal::Rules(message.payload().to_owned()));
            }
            Ok(Some(message)) => {
                if let Some(notice) = parse(message.payload()) {
                    last = last.max(notice.id);
                    let _ = sender.send(Signal::Changed(notice));
                } else {
                    tracing::warn!("a change notice could not be read");
                }
            }
            Ok(None) | Err(_) if db.pool().is_closed() => return,
            // The connection was lost. Listen again first, then read what was missed: the other way round, a change between
            // the two would be lost.
            Ok(None) | Err(_) => {
                listening.store(false, Ordering::Relaxed);
                let caught_up = match connect(&db).await {
                    Ok(fresh) => {
                        listener = fresh;
                        catch_up(&db, &sender, last).await
                    }
                    Err(error) => Err(error),
                };
                match caught_up {
                    Ok(newest) => {
                        last = newest;
                        listening.store(true, Ordering::Relaxed);
                    }
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "change notices: database unavailable");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            }
        }
    }
}

async fn catch_up(db: &Db, sender: &broadcast::Sender<Signal>, last: i64) -> Result<i64, DbError> {
    let mut conn = db.read().await?;
    let rows = sqlx::query!(
        r#"SELECT id, store_id, subject_kind AS "subject: Subject", subject_id, version FROM change_notice WHERE id > $1 ORDER BY id LIMIT 10000"#,
        last
    )
    .fetch_all(&mut *conn)
    .await?;
    let newest = rows.last().map_or(last, |row| row.id);
    for row in rows {
        let notice = Notice { id: row.id, store_id: row.store_id, subject: row.subject, subject_id: row.subject_id, version: row.version };
        let _ = sender.send(Signal::Changed(notice));
    }
    let _ = sender.send(Signal::Resync);
    Ok(newest)
}

fn parse(payload: &str) -> Option<Notice> {
    let mut parts = payload.split(' ');
    let notice = Notice {
        id: parts.next()?.parse().ok()?,
        store_id: parts.next()?.parse().ok()?,
        subject: parts.next()?.parse().ok()?,
        subject_id: parts.next()?.parse().ok()?,
        version: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(notice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_trigger_writes() {
        let id = Uuid::from_u128(7);
        let notice = parse(&format!("12 {id} DEAL {id} 3"));
        assert_eq!(notice, Some(Notice { id: 12, store_id: id, subject: Subject::Deal, subject_id: id, version: 3 }));
        assert_eq!(parse("12 x"), None);
        assert_eq!(parse(&format!("12 {id} DEAL {id} 3 4")), None);
    }
}
