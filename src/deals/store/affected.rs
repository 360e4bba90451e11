//! Which deals were told figures by a rule.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Scope;
use crate::db::DbError;
use crate::kernel::id::DealId;

/// A deal with quotes or figures that used a rule row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// The deal.
    pub deal_id: DealId,
    /// How many of its quotes used it; none when only its present figures do (a cash deal).
    pub quotes: i64,
    /// One of them was accepted.
    pub accepted: bool,
    /// The first time.
    pub first_at: DateTime<Utc>,
    /// The last time.
    pub last_at: DateTime<Utc>,
}

/// Deals of a scope by id. The indexes on the rules of quotes find them; the figures of a deal without quotes are searched.
pub(in crate::deals) async fn by_rule(
    conn: &mut PgConnection,
    scope: &Scope,
    rule: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Affected>, DbError> {
    let rows = sqlx::query_as!(
        Affected,
        r#"WITH hit AS (
             SELECT q.deal_id, q.created_at AS at, q.status = 'ACCEPTED' AS accepted, 1 AS quotes FROM finance_quote q
             WHERE jsonb_path_query_array(q.result, '$.rules[*].id') @> $3
             UNION ALL
             SELECT q.deal_id, q.created_at, q.status = 'ACCEPTED', 1 FROM insurance_quote q WHERE (q.result -> 'rule_ids') @> $3
             UNION ALL
             SELECT d.id, d.updated_at, false, 0 FROM deal d WHERE d.store_id = ANY($1) AND d.figure_lines::jsonb @> $4)
           SELECT d.id AS "deal_id: DealId", sum(hit.quotes) AS "quotes!", bool_or(hit.accepted) AS "accepted!", min(hit.at) AS "first_at!",
             max(hit.at) AS "last_at!"
           FROM hit JOIN deal d ON d.id = hit.deal_id
           WHERE d.store_id = ANY($1) AND ($2::uuid IS NULL OR d.id > $2)
           GROUP BY d.id ORDER BY d.id LIMIT $5"#,
        scope.store_ids(),
        after,
        json!([rule]),
        json!([{ "r": rule }]),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// How many deals [`by_rule`] finds.
pub(in crate::deals) async fn count_by_rule(conn: &mut PgConnection, scope: &Scope, rule: Uuid) -> Result<i64, DbError> {
    let count = sqlx::query_scalar!(
        r#"SELECT count(DISTINCT d.id) AS "count!" FROM deal d
           WHERE d.store_id = ANY($1) AND (d.figure_lines::jsonb @> $3
             OR d.id IN (SELECT q.deal_id FROM finance_quote q WHERE jsonb_path_query_array(q.result, '$.rules[*].id') @> $2)
             OR d.id IN (SELECT q.deal_id FROM insurance_quote q WHERE (q.result -> 'rule_ids') @> $2))"#,
        scope.store_ids(),
        json!([rule]),
        json!([{ "r": rule }]),
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}
