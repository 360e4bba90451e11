//! Hand-overs.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::delivery::{Delivery, InsuranceCard, LastDay, OdometerBrand, PolicyNumber, ReturnRight, Spot};
use crate::inventory::VehicleStatus;
use crate::kernel::id::{DealId, StoreId};
use crate::kernel::seal::Sealer;

/// What the number of a policy is sealed for.
const POLICY: &str = "deal_delivery.policy_number";

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

/// The model year of a deal's car, and what day it is at the deal's store.
pub(in crate::deals) async fn car_and_day(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: DealId,
    now: DateTime<Utc>,
) -> Result<Option<(i32, NaiveDate)>, DbError> {
    let row = sqlx::query!(
        r#"SELECT v.model_year, ($3::timestamptz AT TIME ZONE s.time_zone)::date AS "today!"
           FROM deal d JOIN vehicle v ON v.id = d.vehicle_id JOIN store s ON s.id = d.store_id WHERE d.id = $1 AND d.store_id = ANY($2)"#,
        deal.0,
        scope.store_ids(),
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.model_year, row.today)))
}

/// Records a hand-over.
pub(in crate::deals) async fn insert(
    conn: &mut PgConnection,
    sealer: &Sealer,
    store: StoreId,
    deal: DealId,
    delivery: &Delivery,
) -> Result<(), DbError> {
    let card = delivery.insurance.as_ref();
    let (spot, back) = (delivery.spot.as_ref(), delivery.return_right.as_ref());
    sqlx::query!(
        "INSERT INTO deal_delivery (deal_id, store_id, delivered_at, odometer_miles, status_before, spot_reason, spot_deadline, spot_source,
           spot_verified, return_until, return_max_miles, return_source, return_verified, odometer_brand, insurer, policy_number_sealed, insured_from,
           insured_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
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
        delivery.odometer_brand.map(OdometerBrand::as_str),
        card.map(|c| c.insurer.as_str()),
        card.map(|c| sealer.seal(POLICY, c.policy.0.as_bytes())),
        card.map(|c| c.from),
        card.and_then(|c| c.until),
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
    odometer_brand: Option<OdometerBrand>,
    insurer: Option<String>,
    policy_number_sealed: Option<Vec<u8>>,
    insured_from: Option<NaiveDate>,
    insured_until: Option<NaiveDate>,
}

/// The hand-over of a deal.
pub(in crate::deals) async fn find(
    conn: &mut PgConnection,
    sealer: &Sealer,
    scope: &Scope,
    deal: DealId,
) -> Result<Option<Delivery>, DbError> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT delivered_at, odometer_miles, status_before AS "status_before: _", spot_reason, spot_deadline, spot_source, spot_verified,
             return_until, return_max_miles, return_source, return_verified, odometer_brand AS "odometer_brand: _", insurer, policy_number_sealed,
             insured_from, insured_until
           FROM deal_delivery WHERE deal_id = $1 AND store_id = ANY($2)"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| row.open(sealer)).transpose()
}

impl Row {
    fn open(self, sealer: &Sealer) -> Result<Delivery, DbError> {
        let row = self;
        let insurance = match (row.insurer, row.policy_number_sealed, row.insured_from) {
            (Some(insurer), Some(sealed), Some(from)) => {
                let corrupt = || DbError::Corrupt("a policy's number does not open".into());
                let plain = sealer.open(POLICY, &sealed).map_err(|_| corrupt())?;
                let policy = PolicyNumber(String::from_utf8(plain).map_err(|_| corrupt())?);
                Some(InsuranceCard { insurer, policy, from, until: row.insured_until })
            }
            _ => None,
        };
        let last = |day: Option<NaiveDate>, source: Option<String>, verified: Option<bool>| {
            Some(LastDay { day: day?, source: source?, verified: verified? })
        };
        let until = last(row.spot_deadline, row.spot_source, row.spot_verified);
        let back = last(row.return_until, row.return_source, row.return_verified);
        Ok(Delivery {
            at: row.delivered_at,
            odometer_miles: row.odometer_miles,
            odometer_brand: row.odometer_brand,
            insurance,
            status_before: row.status_before,
            spot: row.spot_reason.zip(until).map(|(reason, until)| Spot { reason, until }),
            return_right: back.map(|until| ReturnRight { until, max_miles: row.return_max_miles }),
        })
    }
}
