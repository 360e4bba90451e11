//! The transaction of one use case, and what is committed with it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::DbError;
use super::lease::Lease;
use super::notices::{Herald, Subject};

/// Who acts, for the audit trail.
#[derive(Debug, Clone, Default)]
pub struct By {
    /// The signed-in user; none for the program itself.
    pub user_id: Option<Uuid>,
    /// The request that caused it.
    pub request_id: Option<String>,
}

impl By {
    /// The program itself (start-up, expiry jobs, demo data).
    pub fn system() -> Self {
        Self::default()
    }
}

/// One line of the audit trail. `detail` holds figures and ids, never personal data.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// The store it happened in, if any.
    pub store_id: Option<Uuid>,
    /// What it is about.
    pub subject: Subject,
    /// The id of what it is about.
    pub subject_id: Uuid,
    /// What was done, in the API's words: `opened`, `structured`, `contracted`.
    pub verb: &'static str,
    /// The figures before and after.
    pub detail: Value,
}

/// An open transaction. Audit events, notices and the idempotency answer are gathered and written by [`Tx::commit`] in one
/// statement.
#[derive(Debug)]
pub struct Tx {
    conn: Lease,
    herald: Herald,
    now: DateTime<Utc>,
    by: By,
    audits: Vec<AuditEvent>,
    notices: Vec<(Uuid, Subject, Uuid, i32)>,
    pub(super) answer: Option<(Uuid, String, Value)>,
    news: bool,
}

impl Tx {
    pub(super) async fn begin(mut conn: Lease, herald: Herald, now: DateTime<Utc>, by: By) -> Result<Self, DbError> {
        conn.begin().await?;
        Ok(Self { conn, herald, now, by, audits: Vec::new(), notices: Vec::new(), answer: None, news: false })
    }

    /// The moment of this use case: every row it writes carries the same time.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Who acts.
    pub fn by(&self) -> &By {
        &self.by
    }

    /// The connection inside the transaction, for a slice's `store` functions.
    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.conn
    }

    /// Adds a line to the audit trail.
    pub fn audit(&mut self, event: AuditEvent) {
        self.audits.push(event);
    }

    /// Tells every server and subscriber, after the commit, that this object changed.
    pub fn notify(&mut self, store_id: Uuid, subject: Subject, id: Uuid, version: i32) {
        self.notices.push((store_id, subject, id, version));
    }

    /// A statement of this transaction wrote notices itself: the servers are told after the commit.
    pub(crate) fn news(&mut self) {
        self.news = true;
    }

    /// Writes what was gathered and commits.
    pub async fn commit(mut self) -> Result<(), DbError> {
        let news = self.news || !self.notices.is_empty();
        self.flush().await?;
        self.conn.commit().await?;
        if news {
            self.herald.news();
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), DbError> {
        if self.audits.is_empty() && self.notices.is_empty() && self.answer.is_none() {
            return Ok(());
        }
        let store_ids: Vec<Option<Uuid>> = self.audits.iter().map(|a| a.store_id).collect();
        let subjects: Vec<String> = self.audits.iter().map(|a| a.subject.to_string()).collect();
        let subject_ids: Vec<Uuid> = self.audits.iter().map(|a| a.subject_id).collect();
        let verbs: Vec<String> = self.audits.iter().map(|a| a.verb.to_owned()).collect();
        let details: Vec<Value> = self.audits.iter_mut().map(|a| a.detail.take()).collect();
        let notice_stores: Vec<Uuid> = self.notices.iter().map(|n| n.0).collect();
        let notice_subjects: Vec<String> = self.notices.iter().map(|n| n.1.to_string()).collect();
        let notice_ids: Vec<Uuid> = self.notices.iter().map(|n| n.2).collect();
        let notice_versions: Vec<i32> = self.notices.iter().map(|n| n.3).collect();
        let (user, key, answer) = match self.answer.take() {
            Some((user, key, answer)) => (Some(user), Some(key), Some(answer)),
            None => (None, None, None),
        };
        sqlx::query!(
            "WITH audited AS (
               INSERT INTO audit_event (at, store_id, user_id, subject_kind, subject_id, verb, detail, request_id)
               SELECT $1, a.store_id, $2, a.subject_kind, a.subject_id, a.verb, a.detail, $3
               FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::jsonb[]) AS a (store_id, subject_kind, subject_id, verb, detail)),
             noticed AS (
               INSERT INTO change_notice (at, store_id, subject_kind, subject_id, version)
               SELECT $1, n.store_id, n.subject_kind, n.subject_id, n.version
               FROM unnest($9::uuid[], $10::text[], $11::uuid[], $12::int[]) AS n (store_id, subject_kind, subject_id, version))
             UPDATE idempotency_record SET answer = $15 WHERE user_id = $13 AND key = $14",
            self.now,
            self.by.user_id,
            self.by.request_id,
            &store_ids as &[Option<Uuid>],
            &subjects,
            &subject_ids,
            &verbs,
            &details,
            &notice_stores,
            &notice_subjects,
            &notice_ids,
            &notice_versions,
            user,
            key,
            answer,
        )
        .execute(&mut *self.conn)
        .await?;
        Ok(())
    }
}
