//! The SQL of holds and of the line for a car.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{HoldPolicy, HoldTarget, QueuePlace};
use crate::auth::Scope;
use crate::db::DbError;
use crate::inventory::model::{Hold, HoldReason, VehicleStatus};
use crate::kernel::id::{DealId, GroupId, UserId, VehicleId};

/// A vehicle that changed, for the change notice.
pub(in crate::inventory) struct Changed {
    pub(in crate::inventory) id: Uuid,
    pub(in crate::inventory) store_id: Uuid,
    pub(in crate::inventory) version: i32,
}

/// A vehicle that became free, and the hold that ended.
pub(super) struct FreedRow {
    id: Uuid,
    store_id: Uuid,
    version: i32,
    pub(super) hold_id: Uuid,
    pub(super) deal_id: DealId,
    pub(super) group_id: GroupId,
    pub(super) vin: String,
}

impl FreedRow {
    pub(super) fn changed(&self) -> Changed {
        Changed { id: self.id, store_id: self.store_id, version: self.version }
    }
}

/// The vehicle a hold is for.
pub(super) async fn hold_target(conn: &mut PgConnection, scope: &Scope, id: VehicleId) -> Result<Option<HoldTarget>, DbError> {
    let row = sqlx::query_as!(
        HoldTarget,
        r#"SELECT v.store_id AS "store_id: _", s.group_id AS "group_id: _", v.vin, v.status AS "status: _"
           FROM vehicle v JOIN store s ON s.id = v.store_id WHERE v.id = $1 AND v.store_id = ANY($2)"#,
        id.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// What the store of a vehicle allows.
pub(super) async fn policy(conn: &mut PgConnection, scope: &Scope, id: VehicleId) -> Result<Option<HoldPolicy>, DbError> {
    let row = sqlx::query_as!(
        HoldPolicy,
        "SELECT s.hold_minutes AS minutes, s.hold_extensions AS extensions, s.hold_max_hours AS max_hours
         FROM vehicle v JOIN store s ON s.id = v.store_id WHERE v.id = $1 AND v.store_id = ANY($2)",
        id.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Ends holds of this VIN whose time is over. Their vehicles become free again.
pub(super) async fn expire_holds(conn: &mut PgConnection, group: GroupId, vin: &str, now: DateTime<Utc>) -> Result<Vec<FreedRow>, DbError> {
    let freed = sqlx::query_as!(
        FreedRow,
        r#"WITH ended AS (
             UPDATE vehicle_hold SET released_at = $3, release_reason = 'EXPIRED'
             WHERE group_id = $1 AND vin = $2 AND released_at IS NULL AND expires_at <= $3
             RETURNING id, deal_id, vehicle_id, status_before)
           UPDATE vehicle v
           SET status = CASE WHEN v.id = ended.vehicle_id THEN ended.status_before ELSE 'AVAILABLE' END, version = v.version + 1, updated_at = $3
           FROM ended, store s
           WHERE v.vin = $2 AND s.id = v.store_id AND s.group_id = $1 AND v.status = 'ON_HOLD'
           RETURNING v.id, v.store_id, v.version, ended.id AS hold_id, ended.deal_id AS "deal_id: _", s.group_id AS "group_id: _", v.vin"#,
        group.0,
        vin,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(freed)
}

/// VINs with a hold whose time is over.
pub(super) async fn due(conn: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> Result<Vec<(GroupId, String)>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT group_id AS "group_id: GroupId", vin FROM vehicle_hold
           WHERE released_at IS NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2"#,
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.group_id, row.vin)).collect())
}

/// Takes the one active hold of a VIN. False when somebody has it; waits for a transaction that is just taking it.
pub(super) async fn insert_hold(conn: &mut PgConnection, hold: &Hold, target: &HoldTarget) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "INSERT INTO vehicle_hold (id, group_id, store_id, vehicle_id, vin, deal_id, reason, status_before, placed_by, placed_at, expires_at, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (group_id, vin) WHERE released_at IS NULL DO NOTHING",
        hold.id,
        target.group_id.0,
        target.store_id.0,
        hold.vehicle_id.0,
        target.vin,
        hold.deal_id.0,
        hold.reason.as_str(),
        target.status.as_str(),
        hold.placed_by.0,
        hold.placed_at,
        hold.expires_at,
        hold.note,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The active hold of a VIN in a group.
pub(super) async fn active_hold(conn: &mut PgConnection, group: GroupId, vin: &str) -> Result<Option<Hold>, DbError> {
    let hold = sqlx::query_as!(
        Hold,
        r#"SELECT id, vehicle_id AS "vehicle_id: _", store_id AS "store_id: _", deal_id AS "deal_id: _", reason AS "reason: _",
             placed_by AS "placed_by: _", placed_at, expires_at, extensions, note
           FROM vehicle_hold WHERE group_id = $1 AND vin = $2 AND released_at IS NULL"#,
        group.0,
        vin,
    )
    .fetch_optional(conn)
    .await?;
    Ok(hold)
}

/// The active hold of a deal, locked until the transaction ends.
pub(super) async fn of_deal(conn: &mut PgConnection, deal: DealId, now: DateTime<Utc>) -> Result<Option<Hold>, DbError> {
    let hold = sqlx::query_as!(
        Hold,
        r#"SELECT id, vehicle_id AS "vehicle_id: _", store_id AS "store_id: _", deal_id AS "deal_id: _", reason AS "reason: _",
             placed_by AS "placed_by: _", placed_at, expires_at, extensions, note
           FROM vehicle_hold WHERE deal_id = $1 AND released_at IS NULL AND (expires_at IS NULL OR expires_at > $2) FOR UPDATE"#,
        deal.0,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(hold)
}

/// The active hold of a deal, for showing it to whoever may see the deal.
pub(super) async fn seen_of_deal(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: DealId,
    now: DateTime<Utc>,
) -> Result<Option<Hold>, DbError> {
    let hold = sqlx::query_as!(
        Hold,
        r#"SELECT h.id, h.vehicle_id AS "vehicle_id: _", h.store_id AS "store_id: _", h.deal_id AS "deal_id: _", h.reason AS "reason: _",
             h.placed_by AS "placed_by: _", h.placed_at, h.expires_at, h.extensions, h.note
           FROM vehicle_hold h JOIN deal d ON d.id = h.deal_id
           WHERE h.deal_id = $1 AND d.store_id = ANY($2) AND h.released_at IS NULL AND (h.expires_at IS NULL OR h.expires_at > $3)"#,
        deal.0,
        scope.store_ids(),
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(hold)
}

/// The active holds of vehicles, for showing them.
pub(in crate::inventory) async fn holds_of(
    conn: &mut PgConnection,
    scope: &Scope,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Hold>, DbError> {
    let holds = sqlx::query_as!(
        Hold,
        r#"SELECT id, vehicle_id AS "vehicle_id: _", store_id AS "store_id: _", deal_id AS "deal_id: _", reason AS "reason: _",
             placed_by AS "placed_by: _", placed_at, expires_at, extensions, note
           FROM vehicle_hold
           WHERE vehicle_id = ANY($1) AND store_id = ANY($2) AND released_at IS NULL AND (expires_at IS NULL OR expires_at > $3)"#,
        ids,
        scope.store_ids(),
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(holds)
}

/// Renews a deal's own hold: a later reason and expiry replace the earlier.
pub(super) async fn renew_hold(
    conn: &mut PgConnection,
    id: Uuid,
    reason: HoldReason,
    expires_at: Option<DateTime<Utc>>,
    note: Option<&str>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE vehicle_hold SET reason = $2, expires_at = $3, note = coalesce($4, note) WHERE id = $1",
        id,
        reason.as_str(),
        expires_at,
        note,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a hold a later end.
pub(super) async fn extend_hold(conn: &mut PgConnection, id: Uuid, until: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!("UPDATE vehicle_hold SET expires_at = $2, extensions = extensions + 1, reason = 'DEAL' WHERE id = $1", id, until)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends the holds of a deal and its place in a line, and gives the vehicles back the status they had, unless they have gone on
/// (sale). The same VIN in other stores of the group becomes available again too.
pub(super) async fn release_holds(
    conn: &mut PgConnection,
    deal: DealId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Vec<FreedRow>, DbError> {
    let freed = sqlx::query_as!(
        FreedRow,
        r#"WITH waiting AS (
             UPDATE vehicle_hold_queue SET left_at = $3, left_reason = $2 WHERE deal_id = $1 AND left_at IS NULL),
           ended AS (
             UPDATE vehicle_hold SET released_at = $3, release_reason = $2 WHERE deal_id = $1 AND released_at IS NULL
             RETURNING id, deal_id, vehicle_id, group_id, vin, status_before)
           UPDATE vehicle v
           SET status = CASE WHEN v.id = ended.vehicle_id THEN ended.status_before ELSE 'AVAILABLE' END, version = v.version + 1, updated_at = $3
           FROM ended, store s
           WHERE v.vin = ended.vin AND s.id = v.store_id AND s.group_id = ended.group_id AND v.status IN ('ON_HOLD', 'PENDING_SALE')
           RETURNING v.id, v.store_id, v.version, ended.id AS hold_id, ended.deal_id AS "deal_id: _", s.group_id AS "group_id: _", v.vin"#,
        deal.0,
        reason,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(freed)
}

/// Ends the hold of a signed deal whose buyer has the car. Gives the status the vehicle had before.
pub(super) async fn end_sold(
    conn: &mut PgConnection,
    deal: DealId,
    vehicle: VehicleId,
    now: DateTime<Utc>,
) -> Result<Option<VehicleStatus>, DbError> {
    let before = sqlx::query_scalar!(
        r#"UPDATE vehicle_hold SET released_at = $3, release_reason = 'DELIVERED'
           WHERE deal_id = $1 AND vehicle_id = $2 AND reason = 'CONTRACT' AND released_at IS NULL RETURNING status_before AS "before: VehicleStatus""#,
        deal.0,
        vehicle.0,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(before)
}

/// A delivered vehicle is on the lot again. Nothing when it is not delivered any more.
pub(super) async fn take_back(
    conn: &mut PgConnection,
    scope: &Scope,
    vehicle: VehicleId,
    status: VehicleStatus,
    odometer_miles: i32,
    now: DateTime<Utc>,
) -> Result<Option<Changed>, DbError> {
    let changed = sqlx::query_as!(
        Changed,
        "UPDATE vehicle SET status = $3, odometer_miles = $4, version = version + 1, updated_at = $5
         WHERE id = $1 AND store_id = ANY($2) AND status = 'DELIVERED' RETURNING id, store_id, version",
        vehicle.0,
        scope.store_ids(),
        status.as_str(),
        odometer_miles,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(changed)
}

/// Takes back a hold that was placed in this very transaction.
pub(super) async fn delete_hold(conn: &mut PgConnection, id: Uuid) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM vehicle_hold WHERE id = $1", id).execute(conn).await?;
    Ok(())
}

/// Gives a freed car to the first deal in the line, for as long as its store offers one. Nothing when nobody waits.
pub(super) async fn offer_to_next(
    conn: &mut PgConnection,
    group: GroupId,
    vin: &str,
    hold: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Changed>, DbError> {
    let changed = sqlx::query_as!(
        Changed,
        "WITH next AS (
           SELECT q.id, q.vehicle_id, q.deal_id, q.joined_by, v.store_id, v.status, s.hold_offer_minutes
           FROM vehicle_hold_queue q JOIN vehicle v ON v.id = q.vehicle_id JOIN store s ON s.id = v.store_id
           WHERE q.group_id = $1 AND q.vin = $2 AND q.left_at IS NULL AND v.status IN ('ORDERED', 'IN_TRANSIT', 'IN_RECON', 'AVAILABLE')
           ORDER BY q.joined_at, q.id LIMIT 1 FOR UPDATE OF q),
         held AS (
           INSERT INTO vehicle_hold (id, group_id, store_id, vehicle_id, vin, deal_id, reason, status_before, placed_by, placed_at, expires_at)
           SELECT $3, $1, store_id, vehicle_id, $2, deal_id, 'OFFER', status, joined_by, $4::timestamptz, $4::timestamptz + make_interval(mins => hold_offer_minutes) FROM next
           ON CONFLICT (group_id, vin) WHERE released_at IS NULL DO NOTHING RETURNING vehicle_id),
         offered AS (
           UPDATE vehicle_hold_queue q SET left_at = $4::timestamptz, left_reason = 'OFFERED' FROM next, held WHERE q.id = next.id)
         UPDATE vehicle v SET status = 'ON_HOLD', version = v.version + 1, updated_at = $4::timestamptz FROM held, store s
         WHERE v.vin = $2 AND s.id = v.store_id AND s.group_id = $1 AND (v.id = held.vehicle_id OR v.status = 'AVAILABLE')
         RETURNING v.id, v.store_id, v.version",
        group.0,
        vin,
        hold,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(changed)
}

/// A place in the line to be taken.
pub(super) struct NewPlace {
    pub(super) id: Uuid,
    pub(super) vehicle: VehicleId,
    pub(super) deal: DealId,
    pub(super) who: UserId,
    pub(super) at: DateTime<Utc>,
}

/// Puts a deal at the end of the line, or leaves it where it stands. False when `most` wait already.
pub(super) async fn join_queue(conn: &mut PgConnection, target: &HoldTarget, place: &NewPlace, most: i64) -> Result<bool, DbError> {
    let waits = sqlx::query_scalar!(
        r#"WITH joined AS (
             INSERT INTO vehicle_hold_queue (id, group_id, vehicle_id, vin, deal_id, joined_by, joined_at)
             SELECT $1, $2, $3, $4, $5, $6, $7
             WHERE (SELECT count(*) FROM vehicle_hold_queue WHERE group_id = $2 AND vin = $4 AND left_at IS NULL) < $8
             ON CONFLICT (deal_id) WHERE left_at IS NULL DO NOTHING RETURNING id)
           SELECT EXISTS (SELECT FROM joined) OR EXISTS (SELECT FROM vehicle_hold_queue WHERE deal_id = $5 AND left_at IS NULL) AS "waits!""#,
        place.id,
        target.group_id.0,
        place.vehicle.0,
        target.vin,
        place.deal.0,
        place.who.0,
        place.at,
        most,
    )
    .fetch_one(conn)
    .await?;
    Ok(waits)
}

/// Takes a deal out of the line.
pub(super) async fn leave_queue(conn: &mut PgConnection, deal: DealId, now: DateTime<Utc>) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE vehicle_hold_queue SET left_at = $2, left_reason = 'LEFT' WHERE deal_id = $1 AND left_at IS NULL",
        deal.0,
        now
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Where a deal stands in the line.
pub(super) async fn place(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Option<QueuePlace>, DbError> {
    let place = sqlx::query_as!(
        QueuePlace,
        r#"SELECT count(*) FILTER (WHERE (o.joined_at, o.id) <= (q.joined_at, q.id)) AS "position!", count(*) AS "length!", q.joined_at
           FROM vehicle_hold_queue q JOIN deal d ON d.id = q.deal_id
           JOIN vehicle_hold_queue o ON o.group_id = q.group_id AND o.vin = q.vin AND o.left_at IS NULL
           WHERE q.deal_id = $1 AND d.store_id = ANY($2) AND q.left_at IS NULL GROUP BY q.id"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(place)
}
