//! What customers said to the menu. Rows are added, never changed.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::menu::MenuLine;
use crate::kernel::id::{DealId, UserId};

/// A round: what was said to the whole menu at once.
#[derive(Debug, Clone)]
pub struct MenuDecision {
    /// Who recorded it.
    pub decided_by: UserId,
    /// Their name.
    pub decided_by_name: String,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// Whether the car, the way to pay, the price and the products are still those it was made about.
    pub stands: bool,
    /// Every product that was shown.
    pub lines: Json<Vec<MenuLine>>,
}

/// Keeps a round, about the deal as it stands now.
pub(in crate::deals) async fn insert(
    conn: &mut PgConnection,
    deal: DealId,
    by: UserId,
    at: DateTime<Utc>,
    lines: &[MenuLine],
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO menu_decision (deal_id, round, decided_by, decided_at, basis, lines)
         SELECT d.id, coalesce((SELECT max(round) FROM menu_decision WHERE deal_id = d.id), 0) + 1, $2, $3,
                menu_basis(d.id, d.vehicle_id, d.kind, d.price_cents), $4
         FROM deal d WHERE d.id = $1",
        deal.0,
        by.0,
        at,
        Json(lines) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The rounds of a deal, newest first; at most 20. Only the newest can stand.
pub(in crate::deals) async fn list(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Vec<MenuDecision>, DbError> {
    let rows = sqlx::query_as!(
        MenuDecision,
        r#"SELECT m.decided_by AS "decided_by: _", u.display_name AS decided_by_name, m.decided_at, m.lines AS "lines: _",
             m.round = max(m.round) OVER () AND m.basis = menu_basis(d.id, d.vehicle_id, d.kind, d.price_cents) AS "stands!"
           FROM menu_decision m
           JOIN deal d ON d.id = m.deal_id
           JOIN app_user u ON u.id = m.decided_by
           WHERE m.deal_id = $1 AND d.store_id = ANY($2) ORDER BY m.round DESC LIMIT 20"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
