//! Deals nobody touched for long.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::db::DbError;

/// A deal that was given up.
#[derive(Debug)]
pub(in crate::deals) struct Expired {
    pub(in crate::deals) id: Uuid,
    pub(in crate::deals) store_id: Uuid,
    pub(in crate::deals) from: String,
    pub(in crate::deals) version: i32,
    pub(in crate::deals) idle_days: i32,
}

/// Gives up open deals that nobody touched for as many days as their store allows, a hundred at a time. A deal that holds its car is
/// left alone: its hold has a time of its own. Questions to managers fall with it.
pub(in crate::deals) async fn expire(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Vec<Expired>, DbError> {
    let expired = sqlx::query_as!(
        Expired,
        r#"WITH idle AS (
             SELECT d.id, d.state, s.deal_idle_days FROM deal d JOIN store s ON s.id = d.store_id
             WHERE d.state IN ('DRAFT', 'WORKSHEET', 'PRESENTED', 'AGREED', 'CREDIT_SUBMITTED', 'CREDIT_DECIDED', 'DOCS_READY')
               AND d.updated_at <= $1::timestamptz - make_interval(days => s.deal_idle_days)
               AND NOT EXISTS (SELECT FROM vehicle_hold h WHERE h.deal_id = d.id AND h.released_at IS NULL)
             ORDER BY d.updated_at LIMIT 100 FOR UPDATE OF d SKIP LOCKED),
           fallen AS (
             UPDATE approval a SET status = 'FELL', closed_at = $1 FROM idle
             WHERE a.deal_id = idle.id AND a.status IN ('PENDING', 'APPROVED', 'COUNTERED'))
           UPDATE deal d SET state = 'EXPIRED', version = d.version + 1, ended_at = $1, updated_at = $1 FROM idle WHERE d.id = idle.id
           RETURNING d.id, d.store_id, idle.state AS "from!", d.version, idle.deal_idle_days AS "idle_days!""#,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(expired)
}
