//! The SQL of replays: the plans of operations, what others did meanwhile, figures shown offline.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::offline::{Change, Theirs};
use crate::kernel::id::DealId;
use crate::kernel::money::Cents;

/// Whose operation.
#[derive(Debug, Clone, Copy)]
pub(in crate::deals) struct Whose<'a> {
    pub(in crate::deals) user: Uuid,
    pub(in crate::deals) tablet: &'a str,
    pub(in crate::deals) id: &'a str,
}

/// An operation that was planned before.
pub(in crate::deals) struct Planned {
    pub(in crate::deals) content_sha256: Vec<u8>,
    pub(in crate::deals) deal_id: Option<DealId>,
    pub(in crate::deals) attempt: i32,
    pub(in crate::deals) plan: Value,
}

/// The plan of an operation; none when it is new.
pub(in crate::deals) async fn find(conn: &mut PgConnection, whose: Whose<'_>) -> Result<Option<Planned>, DbError> {
    let row = sqlx::query_as!(
        Planned,
        r#"SELECT content_sha256, deal_id AS "deal_id: _", attempt, plan FROM offline_operation
           WHERE user_id = $1 AND tablet_id = $2 AND id = $3"#,
        whose.user,
        whose.tablet,
        whose.id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Keeps the first plan of an operation; one that is there stays.
pub(in crate::deals) async fn insert(
    conn: &mut PgConnection,
    whose: Whose<'_>,
    content: &[u8],
    deal: Option<DealId>,
    plan: &Value,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO offline_operation (user_id, tablet_id, id, content_sha256, deal_id, attempt, plan, created_at)
         VALUES ($1, $2, $3, $4, $5, 1, $6, $7) ON CONFLICT DO NOTHING",
        whose.user,
        whose.tablet,
        whose.id,
        content,
        deal.map(|id| id.0),
        plan,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Replaces a plan whose try came too late, unless somebody else did.
pub(in crate::deals) async fn replan(conn: &mut PgConnection, whose: Whose<'_>, attempt: i32, plan: &Value) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE offline_operation SET attempt = attempt + 1, plan = $5 WHERE user_id = $1 AND tablet_id = $2 AND id = $3 AND attempt = $4",
        whose.user,
        whose.tablet,
        whose.id,
        attempt,
        plan,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The deal an operation opened.
pub(in crate::deals) async fn opened(conn: &mut PgConnection, whose: Whose<'_>, deal: DealId) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE offline_operation SET deal_id = $4 WHERE user_id = $1 AND tablet_id = $2 AND id = $3 AND deal_id IS NULL",
        whose.user,
        whose.tablet,
        whose.id,
        deal.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What others than this tablet did to a deal after a version, part by part. `source` is how this tablet's own events begin.
pub(in crate::deals) async fn since(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: DealId,
    version: i32,
    source: &str,
) -> Result<Theirs, DbError> {
    let rows = sqlx::query!(
        r#"SELECT part AS "part!", a.at, u.display_name AS "by?"
           FROM audit_event a LEFT JOIN app_user u ON u.id = a.user_id
           CROSS JOIN LATERAL (
             SELECT c ->> 'part' FROM jsonb_array_elements(CASE WHEN jsonb_typeof(a.detail -> 'changed') = 'array' THEN a.detail -> 'changed' ELSE '[]' END) c
             UNION ALL SELECT unnest(ARRAY['vehicle', 'price']) WHERE a.verb = 'vehicle_swapped'
             UNION ALL SELECT 'deal') AS touched (part)
           WHERE a.subject_id = $1 AND a.subject_kind = 'DEAL' AND a.store_id = ANY($2)
             AND (a.detail ->> 'version')::int > $3 AND NOT starts_with(coalesce(a.request_id, ''), $4)
           ORDER BY a.id LIMIT 5000"#,
        deal.0,
        scope.store_ids(),
        version,
        source,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.part, Change { by: row.by, at: row.at })).collect())
}

/// Figures shown offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndicativeQuote {
    /// Its id.
    pub id: Uuid,
    /// What it was called.
    pub label: String,
    /// Monthly.
    pub payment: Option<Cents>,
    /// Everything together.
    pub total_price: Option<Cents>,
    /// Months.
    pub term_months: Option<i32>,
    /// When the tablet fetched the rules or figures it showed.
    pub rules_as_of: DateTime<Utc>,
    /// By the tablet's clock.
    pub shown_at: DateTime<Utc>,
    /// When the server heard of it.
    pub recorded_at: DateTime<Utc>,
}

/// Keeps figures that were shown offline.
pub(in crate::deals) async fn insert_quote(
    conn: &mut PgConnection,
    deal: DealId,
    by: Uuid,
    quote: &IndicativeQuote,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO indicative_quote (id, deal_id, label, payment_cents, total_price_cents, term_months, rules_as_of, shown_at, recorded_by, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        quote.id,
        deal.0,
        quote.label,
        quote.payment.map(|c| c.0),
        quote.total_price.map(|c| c.0),
        quote.term_months,
        quote.rules_as_of,
        quote.shown_at,
        by,
        quote.recorded_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Figures of a deal that were shown offline, newest first.
pub(in crate::deals) async fn quotes(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Vec<IndicativeQuote>, DbError> {
    let rows = sqlx::query_as!(
        IndicativeQuote,
        r#"SELECT q.id, q.label, q.payment_cents AS "payment: _", q.total_price_cents AS "total_price: _", q.term_months, q.rules_as_of, q.shown_at,
             q.recorded_at
           FROM indicative_quote q JOIN deal d ON d.id = q.deal_id
           WHERE q.deal_id = $1 AND d.store_id = ANY($2) ORDER BY q.shown_at DESC, q.id DESC LIMIT 100"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
