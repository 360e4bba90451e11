//! The SQL of the import: stage, compare, merge, report.

use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use rust_decimal::Decimal;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{FeedImport, FeedImportStatus, FeedReportLine};
use crate::auth::Scope;
use crate::db::DbError;
use crate::kernel::id::{FeedImportId, StoreId, UserId};

/// The store's limits in percent.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) feed_drop: Decimal,
    pub(super) price_drop: Decimal,
}

/// The file's own heads of the columns that only the comparison reports.
#[derive(Debug)]
pub(super) struct ReportHeads<'a> {
    pub(super) vin: &'a str,
    pub(super) stock_number: &'a str,
}

/// What a merge would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) unchanged: i64,
    pub(super) refused: i64,
    /// Vehicles not gone, not named by the feed, not flagged before.
    pub(super) missing: i64,
    /// Available vehicles that are not flagged as missing.
    pub(super) available: i64,
    /// Those of them the feed does not name.
    pub(super) gone: i64,
    pub(super) warnings: i64,
}

impl Counts {
    /// Rows that land.
    pub(super) fn landing(&self) -> i64 {
        self.created.saturating_add(self.updated).saturating_add(self.unchanged)
    }
}

/// An import may take longer than a request; the bounds on its file bound it.
pub(super) async fn allow_time(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!(
        "SELECT set_config('statement_timeout', '900s', true) AS statement, set_config('lock_timeout', '120s', true) AS lock,
           set_config('idle_in_transaction_session_timeout', '60s', true) AS idle"
    )
    .fetch_one(conn)
    .await?;
    Ok(())
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    id: FeedImportId,
    store: StoreId,
    name: &str,
    user: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO feed_import (id, store_id, source_name, status, started_at, started_by) VALUES ($1, $2, $3, 'RUNNING', $4, $5)",
        id.0,
        store.0,
        name,
        now,
        user,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// One merge per store at a time, until the transaction ends.
pub(super) async fn lock_lot(conn: &mut PgConnection, store: StoreId) -> Result<(), DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('feed ' || $1::text, 0))", store.0.to_string()).execute(conn).await?;
    Ok(())
}

/// The first row of a VIN may land; later ones are refused.
pub(super) async fn refuse_repeated_vins(conn: &mut PgConnection, id: FeedImportId, vin_head: &str) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE feed_stage s SET kind = 'REFUSED', code = 'VIN_REPEATED', column_name = $2, value = s.vin,
           reason = 'line ' || r.first_line || ' of this feed has the same VIN; the first one counts'
         FROM (SELECT ctid AS row_id, line, first_value(line) OVER w AS first_line, row_number() OVER w AS nth
               FROM feed_stage WHERE import_id = $1 AND kind = 'ROW' WINDOW w AS (PARTITION BY vin ORDER BY line)) r
         WHERE s.ctid = r.row_id AND r.nth > 1",
        id.0,
        vin_head,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds the vehicle of every row and what is to be done with it.
/// CREATE: not on the lot. SAME: nothing changed. UPDATE: changed, or back after it was missing, or bought back after it had
/// left (another stock number). KEEP: sold here; the feed is behind.
pub(super) async fn compare(conn: &mut PgConnection, id: FeedImportId, store: StoreId, limits: &Limits) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE feed_stage s SET vehicle_id = v.id,
           price_held = coalesce(s.price_cents < v.price_cents * (100 - $3::numeric) / 100 AND s.currency = v.currency, false),
           action = CASE
             WHEN v.status IN ('DELIVERED', 'WHOLESALE') AND v.stock_number <> s.stock_number THEN 'UPDATE'
             WHEN v.status IN ('SOLD', 'DELIVERED', 'WHOLESALE') THEN 'KEEP'
             WHEN v.row_hash = s.row_hash AND v.missing_since IS NULL THEN 'SAME'
             ELSE 'UPDATE' END
         FROM vehicle v WHERE s.import_id = $1 AND s.kind = 'ROW' AND v.store_id = $2 AND v.vin = s.vin",
        id.0,
        store.0,
        limits.price_drop,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn count(conn: &mut PgConnection, id: FeedImportId, store: StoreId) -> Result<Counts, DbError> {
    let rows = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE kind = 'ROW' AND action IS NULL) AS "created!",
             count(*) FILTER (WHERE kind = 'ROW' AND action = 'UPDATE') AS "updated!",
             count(*) FILTER (WHERE kind = 'ROW' AND action IN ('SAME', 'KEEP')) AS "unchanged!",
             count(*) FILTER (WHERE kind = 'REFUSED') AS "refused!"
           FROM feed_stage WHERE import_id = $1"#,
        id.0,
    )
    .fetch_one(&mut *conn)
    .await?;
    let lot = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE status = 'AVAILABLE') AS "available!",
             count(*) FILTER (WHERE status = 'AVAILABLE' AND NOT named) AS "gone!",
             count(*) FILTER (WHERE NOT named) AS "missing!"
           FROM (SELECT v.status, EXISTS (
                   SELECT 1 FROM feed_stage s WHERE s.import_id = $1 AND s.kind <> 'WARNING' AND s.vin = v.vin) OR EXISTS (
                   SELECT 1 FROM feed_stage s WHERE s.import_id = $1 AND s.kind = 'REFUSED' AND s.vin IS NULL AND s.stock_number = v.stock_number) AS named
                 FROM vehicle v
                 WHERE v.store_id = $2 AND v.missing_since IS NULL AND v.status NOT IN ('SOLD', 'DELIVERED', 'WHOLESALE')) lot"#,
        id.0,
        store.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(Counts {
        created: rows.created,
        updated: rows.updated,
        unchanged: rows.unchanged,
        refused: rows.refused,
        missing: lot.missing,
        available: lot.available,
        gone: lot.gone,
        warnings: 0,
    })
}

/// Moves the reports out of the stage, and adds what only the comparison could see.
pub(super) async fn write_reports(
    conn: &mut PgConnection,
    id: FeedImportId,
    store: StoreId,
    limits: &Limits,
    heads: &ReportHeads<'_>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO feed_refusal (import_id, line, column_name, value, severity, code, reason)
         SELECT $1, line, column_name, value, severity, code, reason FROM (
           SELECT line, column_name, value, kind AS severity, code, reason FROM feed_stage WHERE import_id = $1 AND kind <> 'ROW'
           UNION ALL
           SELECT s.line, coalesce(s.column_name, 'price'), (s.price_cents / 100.0)::numeric(14, 2)::text, 'WARNING', 'PRICE_FALL',
             'the price fell by more than ' || $2 || ' % from ' || (v.price_cents / 100.0)::numeric(14, 2) || '; it waits for a manager, the rest of the row landed'
           FROM feed_stage s JOIN vehicle v ON v.id = s.vehicle_id
           WHERE s.import_id = $1 AND s.kind = 'ROW' AND s.price_held AND s.action IN ('UPDATE', 'SAME')
           UNION ALL
           SELECT s.line, coalesce(s.column_name, 'price'), s.currency, 'WARNING', 'CURRENCY_CHANGED',
             'the amounts were in ' || v.currency || ' and are now in ' || s.currency || '; the price history compares amounts of two currencies'
           FROM feed_stage s JOIN vehicle v ON v.id = s.vehicle_id
           WHERE s.import_id = $1 AND s.kind = 'ROW' AND s.action = 'UPDATE' AND s.currency <> v.currency
             AND coalesce(s.price_cents, s.msrp_cents, v.price_cents, v.msrp_cents) IS NOT NULL
           UNION ALL
           SELECT line, $5, stock_number, 'WARNING', 'STOCK_NUMBER_REPEATED',
             'line ' || first_line || ' of this feed has the same stock number with another VIN, ' || first_vin
           FROM (SELECT line, stock_number, vin, first_value(line) OVER w AS first_line, first_value(vin) OVER w AS first_vin
                 FROM feed_stage WHERE import_id = $1 AND kind = 'ROW' WINDOW w AS (PARTITION BY stock_number ORDER BY line)) twice
           WHERE vin <> first_vin
           UNION ALL
           SELECT s.line, $5, s.stock_number, 'WARNING', 'STOCK_NUMBER_TAKEN', 'another vehicle on the lot has this stock number, with the VIN ' || min(v.vin)
           FROM feed_stage s JOIN vehicle v ON v.store_id = $3 AND v.stock_number = s.stock_number AND v.vin <> s.vin
           WHERE s.import_id = $1 AND s.kind = 'ROW' AND v.status NOT IN ('SOLD', 'DELIVERED', 'WHOLESALE') AND v.missing_since IS NULL
             AND NOT EXISTS (SELECT 1 FROM feed_stage o WHERE o.import_id = $1 AND o.kind = 'ROW' AND o.vin = v.vin)
           GROUP BY s.line, s.stock_number
           UNION ALL
           SELECT s.line, $4, s.vin, 'WARNING', 'SOLD_HERE', 'this vehicle is ' || lower(v.status) || ' here; the feed is behind and was not followed'
           FROM feed_stage s JOIN vehicle v ON v.id = s.vehicle_id
           WHERE s.import_id = $1 AND s.kind = 'ROW' AND s.action = 'KEEP') report
         ORDER BY line",
        id.0,
        limits.price_drop.normalize().to_string(),
        store.0,
        heads.vin,
        heads.stock_number,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn count_warnings(conn: &mut PgConnection, id: FeedImportId) -> Result<i64, DbError> {
    let n = sqlx::query_scalar!(r#"SELECT count(*) AS "n!" FROM feed_refusal WHERE import_id = $1 AND severity = 'WARNING'"#, id.0)
        .fetch_one(conn)
        .await?;
    Ok(n)
}

/// Makes the lot what the feed says. Every statement touches only what differs.
pub(super) async fn merge(
    conn: &mut PgConnection,
    id: FeedImportId,
    store: StoreId,
    now: DateTime<Utc>,
    counts: Counts,
) -> Result<FeedImportStatus, DbError> {
    if counts.created == 0 && counts.updated == 0 && counts.missing == 0 {
        return Ok(FeedImportStatus::Unchanged);
    }
    // In one order, so that two writers cannot wait for each other.
    sqlx::query_scalar!(
        "SELECT count(*) FROM (SELECT 1 FROM vehicle v JOIN feed_stage s ON s.vehicle_id = v.id
         WHERE s.import_id = $1 AND s.kind = 'ROW' AND s.action = 'UPDATE' ORDER BY v.id FOR NO KEY UPDATE OF v) locked",
        id.0,
    )
    .fetch_one(&mut *conn)
    .await?;
    record_prices(conn, id, now).await?;
    update(conn, id, now).await?;
    create(conn, id, store, now).await?;
    record_disagreements(conn, id, now).await?;
    flag_missing(conn, id, store, now).await?;
    Ok(FeedImportStatus::Landed)
}

async fn record_prices(conn: &mut PgConnection, id: FeedImportId, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO vehicle_price_change (vehicle_id, at, kind, old_cents, new_cents, import_id)
         SELECT v.id, $2, c.kind, c.old_cents, c.new_cents, $1
         FROM feed_stage s JOIN vehicle v ON v.id = s.vehicle_id
         CROSS JOIN LATERAL (VALUES ('PRICE', v.price_cents, CASE WHEN s.price_held THEN v.price_cents ELSE s.price_cents END),
                                    ('MSRP', v.msrp_cents, s.msrp_cents)) AS c (kind, old_cents, new_cents)
         WHERE s.import_id = $1 AND s.kind = 'ROW' AND s.action = 'UPDATE' AND c.old_cents IS DISTINCT FROM c.new_cents
         ORDER BY s.line",
        id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A deal's states beat the feed's; a vehicle that came back after it had left begins anew.
async fn update(conn: &mut PgConnection, id: FeedImportId, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        r#"UPDATE vehicle v SET
             stock_number = s.stock_number, row_hash = s.row_hash, vin_status = s.vin_status, condition = s.condition,
             status = CASE
               WHEN v.status IN ('DELIVERED', 'WHOLESALE') THEN coalesce(s.status, 'AVAILABLE')
               WHEN v.status IN ('ORDERED', 'IN_TRANSIT', 'IN_RECON', 'AVAILABLE') THEN coalesce(s.status, v.status)
               ELSE v.status END,
             model_year = s.model_year, make = s.make, model = s.model, "trim" = s."trim", body_style = s.body_style,
             drivetrain = s.drivetrain, fuel = s.fuel, transmission = s.transmission, engine = s.engine, cylinders = s.cylinders,
             doors = s.doors, seats = s.seats, exterior_color = s.exterior_color, exterior_color_family = s.exterior_color_family,
             interior_color = s.interior_color, odometer_miles = coalesce(s.odometer_miles, v.odometer_miles),
             price_cents = CASE WHEN s.price_held THEN v.price_cents ELSE s.price_cents END,
             held_price_cents = CASE WHEN s.price_held THEN s.price_cents END,
             msrp_cents = s.msrp_cents, invoice_cents = coalesce(s.invoice_cents, v.invoice_cents),
             cost_cents = coalesce(s.cost_cents, v.cost_cents), currency = s.currency,
             mpg_city = s.mpg_city, mpg_highway = s.mpg_highway, mpg_combined = s.mpg_combined, description = s.description,
             photo_urls = s.photo_urls,
             received_on = CASE
               WHEN v.status IN ('DELIVERED', 'WHOLESALE') THEN coalesce(s.received_on, $2::timestamptz::date)
               WHEN s.received_by_age THEN v.received_on
               ELSE coalesce(s.received_on, v.received_on) END,
             missing_since = NULL, last_import_id = $1, version = v.version + 1, updated_at = $2
           FROM feed_stage s WHERE s.import_id = $1 AND s.kind = 'ROW' AND s.action = 'UPDATE' AND v.id = s.vehicle_id"#,
        id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn create(conn: &mut PgConnection, id: FeedImportId, store: StoreId, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        r#"INSERT INTO vehicle (id, store_id, vin, vin_status, stock_number, condition, status, model_year, make, model, "trim", body_style,
             drivetrain, fuel, transmission, engine, cylinders, doors, seats, exterior_color, exterior_color_family, interior_color,
             odometer_miles, price_cents, msrp_cents, invoice_cents, cost_cents, currency, mpg_city, mpg_highway, mpg_combined, description,
             photo_urls, received_on, last_import_id, row_hash, created_at, updated_at)
           SELECT new_id, $2, vin, vin_status, stock_number, condition, coalesce(status, 'AVAILABLE'), model_year, make, model, "trim", body_style,
             drivetrain, fuel, transmission, engine, cylinders, doors, seats, exterior_color, exterior_color_family, interior_color,
             odometer_miles, price_cents, msrp_cents, invoice_cents, cost_cents, currency, mpg_city, mpg_highway, mpg_combined, description,
             photo_urls, coalesce(received_on, $3::timestamptz::date), $1, row_hash, $3, $3
           FROM feed_stage WHERE import_id = $1 AND kind = 'ROW' AND action IS NULL ORDER BY line"#,
        id.0,
        store.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Known disagreements keep their time; settled ones go.
async fn record_disagreements(conn: &mut PgConnection, id: FeedImportId, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "DELETE FROM vehicle_disagreement d USING feed_stage s
         WHERE s.import_id = $1 AND s.kind = 'ROW' AND s.action = 'UPDATE' AND d.vehicle_id = s.vehicle_id
           AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(s.disagreements) e
                           WHERE e ->> 0 = d.attribute AND e ->> 1 = d.feed_value AND e ->> 2 = d.vin_value)",
        id.0,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "INSERT INTO vehicle_disagreement (vehicle_id, attribute, feed_value, vin_value, at)
         SELECT coalesce(s.vehicle_id, s.new_id), e ->> 0, e ->> 1, e ->> 2, $2
         FROM feed_stage s CROSS JOIN LATERAL jsonb_array_elements(s.disagreements) e
         WHERE s.import_id = $1 AND s.kind = 'ROW' AND (s.action IS NULL OR s.action = 'UPDATE')
         ON CONFLICT DO NOTHING",
        id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn flag_missing(conn: &mut PgConnection, id: FeedImportId, store: StoreId, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE vehicle v SET missing_since = $3, last_import_id = $1, version = version + 1, updated_at = $3
         WHERE v.store_id = $2 AND v.missing_since IS NULL AND v.status NOT IN ('SOLD', 'DELIVERED', 'WHOLESALE')
           AND NOT EXISTS (SELECT 1 FROM feed_stage s WHERE s.import_id = $1 AND s.kind <> 'WARNING' AND s.vin = v.vin)
           AND NOT EXISTS (SELECT 1 FROM feed_stage s
                           WHERE s.import_id = $1 AND s.kind = 'REFUSED' AND s.vin IS NULL AND s.stock_number = v.stock_number)",
        id.0,
        store.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Tells whoever watches about each vehicle the import wrote.
pub(super) async fn notify_vehicles(conn: &mut PgConnection, id: FeedImportId, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO change_notice (at, store_id, subject_kind, subject_id, version)
         SELECT $2, store_id, 'VEHICLE', id, version FROM vehicle WHERE last_import_id = $1 AND updated_at = $2",
        id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn clear_stage(conn: &mut PgConnection, id: FeedImportId) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM feed_stage WHERE import_id = $1", id.0).execute(conn).await?;
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "one column each")]
pub(super) async fn finish(
    conn: &mut PgConnection,
    id: FeedImportId,
    status: FeedImportStatus,
    reason: Option<&str>,
    layout: Option<&str>,
    digest: Option<&[u8]>,
    counts: &Counts,
    rows: i32,
    unread: Option<&[String]>,
    now: DateTime<Utc>,
) -> Result<FeedImport, DbError> {
    let import = sqlx::query_as!(
        FeedImport,
        r#"UPDATE feed_import SET status = $2, held_reason = $3, layout = coalesce($4, layout), content_sha256 = coalesce($5, content_sha256),
             rows_read = $6, created = $7::bigint::int, updated = $8::bigint::int, unchanged = $9::bigint::int, refused = $10::bigint::int,
             missing = $11::bigint::int, warnings = $12::bigint::int, finished_at = $13, unread_columns = coalesce($14, unread_columns)
           WHERE id = $1
           RETURNING id AS "id: _", store_id AS "store_id: _", source_name, layout, status AS "status: _", held_reason, started_at, finished_at,
             started_by AS "started_by: _", decided_by AS "decided_by: _", rows_read, created, updated, unchanged, refused, missing, warnings, unread_columns"#,
        id.0,
        status.as_str(),
        reason,
        layout,
        digest,
        rows,
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.refused,
        counts.missing,
        counts.warnings,
        now,
        unread,
    )
    .fetch_one(conn)
    .await?;
    Ok(import)
}

/// Whether a feed that began later has landed.
pub(super) async fn newer_landed(conn: &mut PgConnection, store: StoreId, started_at: DateTime<Utc>) -> Result<bool, DbError> {
    let newer = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM feed_import WHERE store_id = $1 AND started_at > $2 AND status IN ('LANDED', 'UNCHANGED')) AS "newer!""#,
        store.0,
        started_at,
    )
    .fetch_one(conn)
    .await?;
    Ok(newer)
}

pub(super) async fn discard(conn: &mut PgConnection, id: FeedImportId, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!("UPDATE feed_import SET status = 'DISCARDED', finished_at = $2 WHERE id = $1", id.0, now).execute(conn).await?;
    Ok(())
}

pub(super) async fn set_decided(conn: &mut PgConnection, id: FeedImportId, user: Option<UserId>) -> Result<Option<FeedImport>, DbError> {
    let import = sqlx::query_as!(
        FeedImport,
        r#"UPDATE feed_import SET decided_by = $2 WHERE id = $1
           RETURNING id AS "id: _", store_id AS "store_id: _", source_name, layout, status AS "status: _", held_reason, started_at, finished_at,
             started_by AS "started_by: _", decided_by AS "decided_by: _", rows_read, created, updated, unchanged, refused, missing, warnings, unread_columns"#,
        id.0,
        user.map(|u| u.0),
    )
    .fetch_optional(conn)
    .await?;
    Ok(import)
}

/// One import, locked until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, scope: &Scope, id: FeedImportId) -> Result<Option<FeedImport>, DbError> {
    let import = sqlx::query_as!(
        FeedImport,
        r#"SELECT id AS "id: _", store_id AS "store_id: _", source_name, layout, status AS "status: _", held_reason, started_at, finished_at,
             started_by AS "started_by: _", decided_by AS "decided_by: _", rows_read, created, updated, unchanged, refused, missing, warnings, unread_columns
           FROM feed_import WHERE id = $1 AND store_id = ANY($2) FOR UPDATE"#,
        id.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(import)
}

pub(super) async fn find(conn: &mut PgConnection, scope: &Scope, id: FeedImportId) -> Result<Option<FeedImport>, DbError> {
    let import = sqlx::query_as!(
        FeedImport,
        r#"SELECT id AS "id: _", store_id AS "store_id: _", source_name, layout, status AS "status: _", held_reason, started_at, finished_at,
             started_by AS "started_by: _", decided_by AS "decided_by: _", rows_read, created, updated, unchanged, refused, missing, warnings, unread_columns
           FROM feed_import WHERE id = $1 AND store_id = ANY($2)"#,
        id.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(import)
}

/// Newest first. Ids are time-ordered, so the id is the key.
pub(super) async fn list(
    conn: &mut PgConnection,
    scope: &Scope,
    statuses: &[FeedImportStatus],
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<FeedImport>, DbError> {
    let statuses: Vec<String> = statuses.iter().map(ToString::to_string).collect();
    let imports = sqlx::query_as!(
        FeedImport,
        r#"SELECT id AS "id: _", store_id AS "store_id: _", source_name, layout, status AS "status: _", held_reason, started_at, finished_at,
             started_by AS "started_by: _", decided_by AS "decided_by: _", rows_read, created, updated, unchanged, refused, missing, warnings, unread_columns
           FROM feed_import
           WHERE store_id = ANY($1) AND (cardinality($2::text[]) = 0 OR status = ANY($2)) AND ($3::uuid IS NULL OR id < $3)
           ORDER BY id DESC LIMIT $4"#,
        scope.store_ids(),
        &statuses,
        after,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(imports)
}

/// The whole report, streamed.
pub(super) fn report(conn: &mut PgConnection, id: FeedImportId) -> BoxStream<'_, Result<FeedReportLine, sqlx::Error>> {
    sqlx::query_as!(
        FeedReportLine,
        r#"SELECT id, line, column_name AS "column", value, severity AS "severity: _", code, reason
           FROM feed_refusal WHERE import_id = $1 ORDER BY id"#,
        id.0,
    )
    .fetch(conn)
}

pub(super) async fn report_page(
    conn: &mut PgConnection,
    id: FeedImportId,
    after: Option<i64>,
    limit: i64,
) -> Result<Vec<FeedReportLine>, DbError> {
    let lines = sqlx::query_as!(
        FeedReportLine,
        r#"SELECT id, line, column_name AS "column", value, severity AS "severity: _", code, reason
           FROM feed_refusal WHERE import_id = $1 AND id > $2 ORDER BY id LIMIT $3"#,
        id.0,
        after.unwrap_or(0),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(lines)
}
