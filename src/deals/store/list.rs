//! Lists of deals: ids in order; the rows are read with [`super::room::find_many`].
//!
//! The index goes by store and hour of the last change. Each store is read along it, and no further than the page needs.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::service::{DealFilter, DealOrder};
use crate::deals::states::DealState;

/// The key of a deal in a list: the last change and the id.
pub(in crate::deals) type DealKey = (DateTime<Utc>, Uuid);

/// Up to `limit` deals in an order, after a key.
pub(in crate::deals) async fn keys(
    conn: &mut PgConnection,
    scope: &Scope,
    filter: &DealFilter,
    order: DealOrder,
    after: Option<DealKey>,
    limit: i64,
) -> Result<Vec<DealKey>, DbError> {
    if filter.refund_refused {
        let mut keys = refund_refused(conn, scope, filter).await?;
        match order {
            DealOrder::LastChanged => keys.sort_unstable_by(|a, b| b.cmp(a)),
            DealOrder::LongestUntouched => keys.sort_unstable(),
        }
        let beyond = |key: &DealKey| after.is_none_or(|after| if order == DealOrder::LastChanged { *key < after } else { *key > after });
        return Ok(keys.into_iter().filter(beyond).take(usize::try_from(limit).unwrap_or_default()).collect());
    }
    match order {
        DealOrder::LastChanged => last_changed(conn, scope, filter, after, limit).await,
        DealOrder::LongestUntouched => longest_untouched(conn, scope, filter, after, limit).await,
    }
}

/// Every ended deal whose deposit the payment partner refused to give back ([`crate::payments::Deposit::refund_refused`]), in no order:
/// read from the index that holds such deposits alone, which are few.
async fn refund_refused(conn: &mut PgConnection, scope: &Scope, filter: &DealFilter) -> Result<Vec<DealKey>, DbError> {
    let states = states(filter);
    let rows = sqlx::query!(
        "SELECT id, updated_at FROM deal
         WHERE id IN (SELECT deal_id FROM deposit WHERE status = 'CAPTURED' AND refused_code IS NOT NULL) AND ended_at IS NOT NULL
           AND store_id = ANY($1) AND ($2::text[] IS NULL OR state = ANY($2)) AND ($3::uuid IS NULL OR salesperson_id = $3)
           AND ($4::uuid IS NULL OR customer_id = $4) AND ($5::uuid IS NULL OR vehicle_id = $5) AND ($6::bigint IS NULL OR number = $6)",
        scope.store_ids(),
        states as _,
        filter.salesperson.map(Uuid::from),
        filter.customer.map(Uuid::from),
        filter.vehicle.map(Uuid::from),
        filter.number,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.updated_at, row.id)).collect())
}

async fn longest_untouched(
    conn: &mut PgConnection,
    scope: &Scope,
    filter: &DealFilter,
    after: Option<DealKey>,
    limit: i64,
) -> Result<Vec<DealKey>, DbError> {
    let states = states(filter);
    let rows = sqlx::query!(
        "SELECT d.id, d.updated_at FROM unnest($1::uuid[]) s (id)
         CROSS JOIN LATERAL (
           SELECT id, updated_hour, updated_at FROM deal
           WHERE store_id = s.id AND ($2::text[] IS NULL OR state = ANY($2)) AND ($3::uuid IS NULL OR salesperson_id = $3)
             AND ($4::uuid IS NULL OR customer_id = $4) AND ($5::uuid IS NULL OR vehicle_id = $5) AND ($6::bigint IS NULL OR number = $6)
             AND updated_hour >= coalesce(date_trunc('hour', $7::timestamptz AT TIME ZONE 'UTC'), '-infinity')
             AND ($7 IS NULL OR (updated_at, id) > ($7, $8))
           ORDER BY updated_hour, updated_at, id LIMIT $9) d
         ORDER BY d.updated_at, d.id LIMIT $9",
        scope.store_ids(),
        states as _,
        filter.salesperson.map(Uuid::from),
        filter.customer.map(Uuid::from),
        filter.vehicle.map(Uuid::from),
        filter.number,
        after.map(|key| key.0),
        after.map(|key| key.1),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.updated_at, row.id)).collect())
}

async fn last_changed(
    conn: &mut PgConnection,
    scope: &Scope,
    filter: &DealFilter,
    after: Option<DealKey>,
    limit: i64,
) -> Result<Vec<DealKey>, DbError> {
    let states = states(filter);
    let rows = sqlx::query!(
        "SELECT d.id, d.updated_at FROM unnest($1::uuid[]) s (id)
         CROSS JOIN LATERAL (
           SELECT id, updated_hour, updated_at FROM deal
           WHERE store_id = s.id AND ($2::text[] IS NULL OR state = ANY($2)) AND ($3::uuid IS NULL OR salesperson_id = $3)
             AND ($4::uuid IS NULL OR customer_id = $4) AND ($5::uuid IS NULL OR vehicle_id = $5) AND ($6::bigint IS NULL OR number = $6)
             AND updated_hour <= coalesce(date_trunc('hour', $7::timestamptz AT TIME ZONE 'UTC'), 'infinity')
             AND ($7 IS NULL OR (updated_at, id) < ($7, $8))
           ORDER BY updated_hour DESC, updated_at DESC, id DESC LIMIT $9) d
         ORDER BY d.updated_at DESC, d.id DESC LIMIT $9",
        scope.store_ids(),
        states as _,
        filter.salesperson.map(Uuid::from),
        filter.customer.map(Uuid::from),
        filter.vehicle.map(Uuid::from),
        filter.number,
        after.map(|key| key.0),
        after.map(|key| key.1),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.updated_at, row.id)).collect())
}

/// How many deals the filter finds.
pub(in crate::deals) async fn count(conn: &mut PgConnection, scope: &Scope, filter: &DealFilter) -> Result<i64, DbError> {
    if filter.refund_refused {
        return Ok(i64::try_from(refund_refused(conn, scope, filter).await?.len()).unwrap_or(i64::MAX));
    }
    let states = states(filter);
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM deal
           WHERE store_id = ANY($1) AND ($2::text[] IS NULL OR state = ANY($2)) AND ($3::uuid IS NULL OR salesperson_id = $3)
             AND ($4::uuid IS NULL OR customer_id = $4) AND ($5::uuid IS NULL OR vehicle_id = $5) AND ($6::bigint IS NULL OR number = $6)"#,
        scope.store_ids(),
        states as _,
        filter.salesperson.map(Uuid::from),
        filter.customer.map(Uuid::from),
        filter.vehicle.map(Uuid::from),
        filter.number,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

fn states(filter: &DealFilter) -> Option<Vec<String>> {
    let states: Vec<String> = match (filter.states.is_empty(), filter.open) {
        (true, None) => return None,
        (true, Some(open)) => DealState::ALL.iter().filter(|s| s.is_open() == open).map(ToString::to_string).collect(),
        (false, open) => filter.states.iter().filter(|s| open.is_none_or(|open| s.is_open() == open)).map(ToString::to_string).collect(),
    };
    Some(states)
}
