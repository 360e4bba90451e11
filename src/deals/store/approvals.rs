//! Questions to managers and their answers.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::approval::{ApprovalLevel, ApprovalStatus, AskedFigures, CounterOffer, Finding};
use crate::kernel::id::{ApprovalId, DealId, StoreId, UserId};
use crate::kernel::money::Currency;

/// A question to a manager with its answer.
#[derive(Debug, Clone)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// The deal it is about.
    pub deal_id: DealId,
    /// That deal's number.
    pub deal_number: i64,
    /// That deal's version now.
    pub deal_version: i32,
    /// The store.
    pub store_id: StoreId,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What became of it.
    pub status: ApprovalStatus,
    /// The least role that may answer.
    pub level: ApprovalLevel,
    /// The hash of the figures it is about.
    pub figures_hash: Vec<u8>,
    /// Which rules the figures go beyond.
    pub findings: Json<Vec<Finding>>,
    /// The figures as they stood.
    pub figures: Json<AskedFigures>,
    /// What the salesperson said.
    pub note: Option<String>,
    /// Who asked.
    pub requested_by: UserId,
    /// Their name.
    pub requested_by_name: String,
    /// Who sells.
    pub salesperson_id: UserId,
    /// When it was asked.
    pub requested_at: DateTime<Utc>,
    /// When the group's admins are told too.
    pub escalates_at: DateTime<Utc>,
    /// When they were.
    pub escalated_at: Option<DateTime<Utc>>,
    /// Until when it waits or its answer stands.
    pub expires_at: DateTime<Utc>,
    /// Minutes an answer stands.
    pub valid_minutes: i32,
    /// Who answered.
    pub decided_by: Option<UserId>,
    /// Their name.
    pub decided_by_name: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// What they said.
    pub decision_note: Option<String>,
    /// What they offered instead.
    pub counter: Option<Json<CounterOffer>>,
}

/// Which questions to list. Empty and none ask for nothing.
#[derive(Debug, Clone, Default)]
pub struct ApprovalFilter {
    /// Only these.
    pub statuses: Vec<ApprovalStatus>,
    /// Of one store.
    pub store: Option<StoreId>,
    /// Only those the group's admins were told of.
    pub escalated: bool,
}

/// A new question.
pub(in crate::deals) struct NewApproval<'a> {
    pub(in crate::deals) id: ApprovalId,
    pub(in crate::deals) store_id: StoreId,
    pub(in crate::deals) deal_id: DealId,
    pub(in crate::deals) level: ApprovalLevel,
    pub(in crate::deals) figures_hash: &'a [u8],
    pub(in crate::deals) findings: &'a [Finding],
    pub(in crate::deals) figures: &'a AskedFigures,
    pub(in crate::deals) note: Option<&'a str>,
    pub(in crate::deals) requested_by: UserId,
    pub(in crate::deals) salesperson_id: UserId,
    pub(in crate::deals) requested_at: DateTime<Utc>,
    pub(in crate::deals) escalates_at: DateTime<Utc>,
    pub(in crate::deals) expires_at: DateTime<Utc>,
    pub(in crate::deals) valid_minutes: i32,
}

/// Stores a question.
pub(in crate::deals) async fn insert(conn: &mut PgConnection, new: &NewApproval<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO approval (id, store_id, deal_id, status, level, figures_hash, findings, figures, note, requested_by, salesperson_id, requested_at,
           escalates_at, expires_at, valid_minutes)
         VALUES ($1, $2, $3, 'PENDING', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        new.id.0,
        new.store_id.0,
        new.deal_id.0,
        new.level.as_str(),
        new.figures_hash,
        Json(new.findings) as _,
        Json(new.figures) as _,
        new.note,
        new.requested_by.0,
        new.salesperson_id.0,
        new.requested_at,
        new.escalates_at,
        new.expires_at,
        new.valid_minutes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends whatever question or answer of a deal still counts. Returns which.
pub(in crate::deals) async fn close_live(conn: &mut PgConnection, deal: DealId, now: DateTime<Utc>) -> Result<Vec<Uuid>, DbError> {
    let closed = sqlx::query_scalar!(
        "UPDATE approval SET status = CASE WHEN expires_at <= $2 THEN 'EXPIRED' ELSE 'FELL' END, closed_at = $2
         WHERE deal_id = $1 AND status IN ('PENDING', 'APPROVED', 'COUNTERED') RETURNING id",
        deal.0,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(closed)
}

macro_rules! approvals {
    ($where:literal, $($arg:expr),*) => {
        sqlx::query_as!(
            Approval,
            r#"SELECT a.id AS "id: _", a.deal_id AS "deal_id: _", d.number AS deal_number, d.version AS deal_version, a.store_id AS "store_id: _",
                 d.currency AS "currency: _", a.status AS "status: _", a.level AS "level: _", a.figures_hash, a.findings AS "findings: _",
                 a.figures AS "figures: _", a.note, a.requested_by AS "requested_by: _", r.display_name AS requested_by_name,
                 a.salesperson_id AS "salesperson_id: _", a.requested_at, a.escalates_at, a.escalated_at, a.expires_at, a.valid_minutes,
                 a.decided_by AS "decided_by: _", m.display_name AS "decided_by_name?", a.decided_at, a.decision_note, a.counter AS "counter: _"
               FROM approval a JOIN deal d ON d.id = a.deal_id JOIN app_user r ON r.id = a.requested_by LEFT JOIN app_user m ON m.id = a.decided_by
               "# + $where,
            $($arg),*
        )
    };
}

/// Locks a question, which waits for whoever changes its deal or answers it, then reads it as it stands.
pub(in crate::deals) async fn lock(conn: &mut PgConnection, scope: &Scope, id: ApprovalId) -> Result<Option<Approval>, DbError> {
    sqlx::query!("SELECT FROM approval WHERE id = $1 AND store_id = ANY($2) FOR UPDATE", id.0, scope.store_ids())
        .execute(&mut *conn)
        .await?;
    find(conn, scope, id).await
}

/// One question.
pub(in crate::deals) async fn find(conn: &mut PgConnection, scope: &Scope, id: ApprovalId) -> Result<Option<Approval>, DbError> {
    Ok(approvals!("WHERE a.id = $1 AND a.store_id = ANY($2)", id.0, scope.store_ids()).fetch_optional(conn).await?)
}

/// The latest question about a deal.
pub(in crate::deals) async fn latest(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Option<Approval>, DbError> {
    Ok(approvals!("WHERE a.deal_id = $1 AND a.store_id = ANY($2) ORDER BY a.ordinal DESC LIMIT 1", deal.0, scope.store_ids())
        .fetch_optional(conn)
        .await?)
}

/// The newest questions first, after an id.
pub(in crate::deals) async fn list(
    conn: &mut PgConnection,
    scope: &Scope,
    filter: &ApprovalFilter,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Approval>, DbError> {
    let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
    Ok(approvals!(
        "WHERE a.store_id = ANY($1) AND ($2::uuid IS NULL OR a.store_id = $2) AND (cardinality($3::text[]) = 0 OR a.status = ANY($3))
           AND (NOT $4 OR a.escalated_at IS NOT NULL) AND ($5::uuid IS NULL OR a.id < $5)
         ORDER BY a.id DESC LIMIT $6",
        scope.store_ids(),
        filter.store.map(Uuid::from),
        &statuses as _,
        filter.escalated,
        after,
        limit
    )
    .fetch_all(conn)
    .await?)
}

/// How many questions a filter finds.
pub(in crate::deals) async fn count(conn: &mut PgConnection, scope: &Scope, filter: &ApprovalFilter) -> Result<i64, DbError> {
    let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM approval a
           WHERE a.store_id = ANY($1) AND ($2::uuid IS NULL OR a.store_id = $2) AND (cardinality($3::text[]) = 0 OR a.status = ANY($3))
             AND (NOT $4 OR a.escalated_at IS NOT NULL)"#,
        scope.store_ids(),
        filter.store.map(Uuid::from),
        &statuses as _,
        filter.escalated,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// An answer as it is written.
pub(in crate::deals) struct Decided<'a> {
    pub(in crate::deals) status: ApprovalStatus,
    pub(in crate::deals) by: UserId,
    pub(in crate::deals) at: DateTime<Utc>,
    pub(in crate::deals) note: Option<&'a str>,
    pub(in crate::deals) counter: Option<&'a CounterOffer>,
    pub(in crate::deals) expires_at: DateTime<Utc>,
}

/// Writes the answer to a locked question.
pub(in crate::deals) async fn decide(conn: &mut PgConnection, id: ApprovalId, decided: &Decided<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE approval SET status = $2, decided_by = $3, decided_at = $4, decision_note = $5, counter = $6, expires_at = $7
         WHERE id = $1 AND status = 'PENDING'",
        id.0,
        decided.status.as_str(),
        decided.by.0,
        decided.at,
        decided.note,
        decided.counter.map(Json) as _,
        decided.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Hands a question to the group's admins.
pub(in crate::deals) async fn escalate(
    conn: &mut PgConnection,
    id: ApprovalId,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE approval SET level = 'GROUP_ADMIN', escalated_at = $2, decision_note = $3 WHERE id = $1 AND status = 'PENDING'",
        id.0,
        now,
        note,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The salesperson took the manager's offer: the answer is now a yes to these figures.
pub(in crate::deals) async fn take_counter(
    conn: &mut PgConnection,
    id: ApprovalId,
    figures_hash: &[u8],
    findings: &[Finding],
) -> Result<(), DbError> {
    // The change of the figures made it fall a moment ago, in this very transaction.
    sqlx::query!(
        "UPDATE approval SET status = 'APPROVED', figures_hash = $2, findings = $3, closed_at = NULL WHERE id = $1",
        id.0,
        figures_hash,
        Json(findings) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A question whose time came.
#[derive(Debug)]
pub(in crate::deals) struct Due {
    pub(in crate::deals) id: Uuid,
    pub(in crate::deals) store_id: Uuid,
    pub(in crate::deals) deal_id: Uuid,
    pub(in crate::deals) deal_version: i32,
    pub(in crate::deals) expired: bool,
}

/// Gives up questions and offers whose time is over, and marks those of which the group's admins are told now.
pub(in crate::deals) async fn settle_due(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Due>, DbError> {
    let due = sqlx::query_as!(
        Due,
        r#"WITH due AS (
             SELECT id FROM approval
             WHERE (status IN ('PENDING', 'COUNTERED') AND expires_at <= $1) OR (status = 'PENDING' AND escalates_at <= $1 AND escalated_at IS NULL)
             ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED)
           UPDATE approval a SET status = CASE WHEN a.expires_at <= $1 THEN 'EXPIRED' ELSE a.status END,
             closed_at = CASE WHEN a.expires_at <= $1 THEN $1 END, escalated_at = coalesce(a.escalated_at, CASE WHEN a.escalates_at <= $1 THEN $1 END)
           FROM due, deal d WHERE a.id = due.id AND d.id = a.deal_id
           RETURNING a.id, a.store_id, a.deal_id, d.version AS deal_version, (a.status = 'EXPIRED') AS "expired!""#,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(due)
}
