//! Hand-overs.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::delivery::{Delivery, LastDay, ReturnRight, Spot};
use crate::inventory::VehicleStatus;
use crate::kernel::id::{DealId, StoreId};

/// The day a deal was signed, at its store.
pub(in crate::deals) async fn contracted_on(conn: &mut PgConnection, deal: DealId) -> Result<Option<NaiveDate>, DbError> {
    let day = sqlx::query_scalar!(
        "SELECT (d.contracted_at AT TIME ZONE s.time_zone)::date FROM deal d JOIN store s ON s.id = d.store_id WHERE d.id = $1",
        deal.0
    )
    .fetch_optional(conn)
    .await?;
    Ok(day.flatten())
}

/// Records a hand-over.
pub(in crate::deals) async fn insert(conn: &mut PgConnection, store: StoreId, deal: DealId, delivery: &Delivery) -> Result<(), DbError> {
    let (spot, back) = (delivery.spot.as_ref(), delivery.return_right.as_ref());
    sqlx::query!(
        "INSERT INTO deal_delivery (deal_id, store_id, delivered_at, odometer_miles, status_before, spot_reason, spot_deadline, spot_source,
           spot_verified, return_until, return_max_miles, return_source, return_verified)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        deal.0,
        store.0,
        delivery.at,
        delivery.odometer_miles,
        delivery.status_before.as_str(),
        spot.map(|s| s.reason.as_str()),
        spot.map(|s| s.until.day),
        spot.map(|s| s.until.source.as_str()),
        spot.map(|s| s.until.verified),
        back.map(|r| r.until.day),
        back.and_then(|r| r.max_miles),
        back.map(|r| r.until.source.as_str()),
        back.map(|r| r.until.verified),
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    delivered_at: DateTime<Utc>,
    odometer_miles: i32,
    status_before: VehicleStatus,
    spot_reason: Option<String>,
    spot_deadline: Option<NaiveDate>,
    spot_source: Option<String>,
    spot_verified: Option<bool>,
    return_until: Option<NaiveDate>,
    return_max_miles: Option<i32>,
    return_source: Option<String>,
    return_verified: Option<bool>,
}

/// The hand-over of a deal.
pub(in crate::deals) async fn find(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Option<Delivery>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT delivered_at, odometer_miles, status_before AS "status_before: _", spot_reason, spot_deadline, spot_source, spot_verified,
             return_until, return_max_miles, return_source, return_verified
           FROM deal_delivery WHERE deal_id = $1 AND store_id = ANY($2)"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Delivery::from))
}

impl From<Row> for Delivery {
    fn from(row: Row) -> Self {
        let last = |day: Option<NaiveDate>, source: Option<String>, verified: Option<bool>| {
            Some(LastDay { day: day?, source: source?, verified: verified? })
        };
        let until = last(row.spot_deadline, row.spot_source, row.spot_verified);
        let back = last(row.return_until, row.return_source, row.return_verified);
        Self {
            at: row.delivered_at,
            odometer_miles: row.odometer_miles,
            status_before: row.status_before,
            spot: row.spot_reason.zip(until).map(|(reason, until)| Spot { reason, until }),
            return_right: back.map(|until| ReturnRight { until, max_miles: row.return_max_miles }),
        }
    }
}
