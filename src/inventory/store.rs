//! The SQL of the slice's vehicles and their history. The import's SQL is in `import/store.rs`, that of holds in `holds/store.rs`.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::holds::Changed;
use super::model::{Vehicle, VehicleFilter, VehicleKey, VehicleOrder, VehicleStatus};
use crate::auth::Scope;
use crate::db::DbError;
use crate::kernel::id::VehicleId;

/// What a list needs of each vehicle beyond its facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VehicleParts {
    /// The dealer's words.
    pub description: bool,
    /// The photos.
    pub photos: bool,
}

impl VehicleParts {
    /// Everything.
    pub const ALL: Self = Self { description: true, photos: true };
}

/// Vehicles by id, with the parts asked for, in no particular order.
pub(super) async fn find_many(conn: &mut PgConnection, scope: &Scope, ids: &[Uuid], parts: VehicleParts) -> Result<Vec<Vehicle>, DbError> {
    let rows = sqlx::query_as!(
        Vehicle,
        r#"SELECT id AS "id: _", store_id AS "store_id: _", vin, vin_status AS "vin_status: _", stock_number,
             condition AS "condition: _", status AS "status: _", model_year, make, model, "trim", body_style AS "body_style: _",
             drivetrain AS "drivetrain: _", fuel AS "fuel: _", transmission AS "transmission: _", engine, cylinders, doors, seats,
             exterior_color, exterior_color_family AS "exterior_color_family: _", interior_color, odometer_miles,
             price_cents AS "price_cents: _", msrp_cents AS "msrp_cents: _", invoice_cents AS "invoice_cents: _",
             cost_cents AS "cost_cents: _", held_price_cents AS "held_price_cents: _", currency AS "currency: _",
             mpg_city, mpg_highway, mpg_combined, CASE WHEN $3 THEN description END AS description,
             CASE WHEN $4 THEN photo_urls ELSE '{}' END AS "photo_urls!", received_on, missing_since, version, created_at, updated_at
           FROM vehicle WHERE id = ANY($1) AND store_id = ANY($2)"#,
        ids,
        scope.store_ids(),
        parts.description,
        parts.photos,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The ids of vehicles with this VIN; a group may have it in two stores while it is moved.
pub(super) async fn ids_by_vin(conn: &mut PgConnection, scope: &Scope, vin: &str) -> Result<Vec<Uuid>, DbError> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM vehicle WHERE vin = $1 AND store_id = ANY($2)
         ORDER BY status = 'AVAILABLE' DESC, missing_since IS NULL DESC, id DESC LIMIT 10",
        vin,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// The ids of vehicles with this stock number; stores number on their own, so there may be several.
pub(super) async fn ids_by_stock_number(conn: &mut PgConnection, scope: &Scope, stock_number: &str) -> Result<Vec<Uuid>, DbError> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM vehicle WHERE stock_number = $1 AND store_id = ANY($2)
         ORDER BY status = 'AVAILABLE' DESC, missing_since IS NULL DESC, id DESC LIMIT 10",
        stock_number,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// The ids of vehicles with one of these VINs or stock numbers.
pub(super) async fn ids_by_name(conn: &mut PgConnection, scope: &Scope, vins: &[String], stocks: &[String]) -> Result<Vec<Uuid>, DbError> {
    let ids = sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM vehicle WHERE vin = ANY($1) AND store_id = ANY($3)
           UNION SELECT id FROM vehicle WHERE stock_number = ANY($2) AND store_id = ANY($3)"#,
        vins,
        stocks,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// A page of the lot to read.
#[derive(Debug, Clone, Copy)]
pub struct VehiclePage<'a> {
    /// Which vehicles.
    pub filter: &'a VehicleFilter,
    /// In which order.
    pub order: VehicleOrder,
    /// The key after which the page begins.
    pub after: Option<VehicleKey>,
    /// At most so many.
    pub limit: i64,
    /// What of each.
    pub parts: VehicleParts,
    /// Also how many the filter finds in all.
    pub counted: bool,
}

/// A vehicle of a page, and how many the filter finds in all.
#[derive(sqlx::FromRow)]
struct Listed {
    #[sqlx(flatten)]
    vehicle: Vehicle,
    total: Option<i64>,
}

/// A page of the lot in one statement, and the number of vehicles in all when it is counted and the page has any.
pub(super) async fn list(
    conn: &mut PgConnection,
    scope: &Scope,
    page: VehiclePage<'_>,
    now: DateTime<Utc>,
) -> Result<(Vec<Vehicle>, Option<i64>), DbError> {
    let VehiclePage { filter, order, after, limit, parts, counted } = page;
    let mut sql = QueryBuilder::<Postgres>::new(
        "SELECT id, store_id, vin, vin_status, stock_number, condition, status, model_year, make, model, \"trim\", body_style, drivetrain, \
         fuel, transmission, engine, cylinders, doors, seats, exterior_color, exterior_color_family, interior_color, odometer_miles, \
         price_cents, msrp_cents, invoice_cents, cost_cents, held_price_cents, currency, mpg_city, mpg_highway, mpg_combined, ",
    );
    sql.push(if parts.description { "description, " } else { "NULL::text AS description, " });
    sql.push(if parts.photos { "photo_urls, " } else { "'{}'::text[] AS photo_urls, " });
    sql.push("received_on, missing_since, version, created_at, updated_at, ");
    if counted {
        sql.push("(SELECT count(*) FROM vehicle WHERE ");
        push_filter(&mut sql, scope, filter, now);
        sql.push(") AS total ");
    } else {
        sql.push("NULL::bigint AS total ");
    }
    sql.push("FROM vehicle WHERE ");
    push_filter(&mut sql, scope, filter, now);
    let key = order_expression(order);
    let (compare, direction) = if order.descends() { ("<", "DESC") } else { (">", "ASC") };
    if let Some((value, id)) = after {
        sql.push(format_args!(" AND ({key}, id) {compare} ("));
        sql.push_bind(value).push(", ").push_bind(id).push(")");
    }
    sql.push(format_args!(" ORDER BY {key} {direction}, id {direction} LIMIT "));
    sql.push_bind(limit);
    let rows = sql.build_query_as::<Listed>().fetch_all(conn).await?;
    let total = rows.first().and_then(|row| row.total);
    Ok((rows.into_iter().map(|row| row.vehicle).collect(), total))
}

/// How many vehicles the filter finds.
pub(super) async fn count(conn: &mut PgConnection, scope: &Scope, filter: &VehicleFilter, now: DateTime<Utc>) -> Result<i64, DbError> {
    let mut sql = QueryBuilder::<Postgres>::new("SELECT count(*) FROM vehicle WHERE ");
    push_filter(&mut sql, scope, filter, now);
    Ok(sql.build_query_scalar::<i64>().fetch_one(conn).await?)
}

/// Must agree with [`VehicleOrder::key`].
fn order_expression(order: VehicleOrder) -> &'static str {
    match order {
        VehicleOrder::Newest | VehicleOrder::Oldest => "(received_on - date '2000-01-01')::bigint",
        VehicleOrder::PriceAsc => "coalesce(price_cents, 9223372036854775807)",
        VehicleOrder::PriceDesc => "coalesce(price_cents, -1)",
        VehicleOrder::MileageAsc => "coalesce(odometer_miles, 9223372036854775807)",
        VehicleOrder::MileageDesc => "coalesce(odometer_miles, -1)::bigint",
        VehicleOrder::YearDesc | VehicleOrder::YearAsc => "model_year::bigint",
    }
}

/// One value is compared with `=`: a plan that serves every value then knows how few rows to expect, and can use the order of
/// an index.
fn push_filter(sql: &mut QueryBuilder<Postgres>, scope: &Scope, filter: &VehicleFilter, now: DateTime<Utc>) {
    let stores: Vec<Uuid> = if filter.store_ids.is_empty() {
        scope.store_ids().to_vec()
    } else {
        filter.store_ids.iter().filter(|id| scope.contains(**id)).map(|id| id.0).collect()
    };
    push_any(sql, "store_id", stores);
    // Literals, so that the partial indexes of the lot can be used.
    match filter.statuses.as_slice() {
        [] => {
            sql.push(" AND status = 'AVAILABLE'");
        }
        [one] => {
            sql.push(format_args!(" AND status = '{one}'"));
        }
        many => {
            sql.push(" AND ");
            push_any(sql, "status", many.to_vec());
        }
    }
    push_chosen(sql, "condition", &filter.conditions);
    push_chosen(sql, "body_style", &filter.body_styles);
    push_chosen(sql, "drivetrain", &filter.drivetrains);
    push_chosen(sql, "fuel", &filter.fuels);
    push_chosen(sql, "exterior_color_family", &filter.color_families);
    push_chosen(sql, "lower(make)", &lower(&filter.makes));
    push_chosen(sql, "lower(model)", &lower(&filter.models));
    push_bound(sql, "model_year", ">=", filter.year_min);
    push_bound(sql, "model_year", "<=", filter.year_max);
    push_bound(sql, "price_cents", ">=", filter.price_min.map(|c| c.0));
    push_bound(sql, "price_cents", "<=", filter.price_max.map(|c| c.0));
    push_bound(sql, "odometer_miles", ">=", filter.mileage_min);
    push_bound(sql, "odometer_miles", "<=", filter.mileage_max);
    // The day is that of the vehicle's own store.
    let mut push_age = |comparison: &str, days: Option<i32>| {
        if let Some(days) = days {
            sql.push(" AND (SELECT (")
                .push_bind(now)
                .push(" AT TIME ZONE time_zone)::date FROM store WHERE id = vehicle.store_id) - received_on ");
            sql.push(comparison).push_bind(days);
        }
    };
    push_age(">= ", filter.days_in_stock_min);
    push_age("<= ", filter.days_in_stock_max);
    match filter.missing {
        Some(true) => {
            sql.push(" AND missing_since IS NOT NULL");
        }
        Some(false) => {
            sql.push(" AND missing_since IS NULL");
        }
        None => {}
    }
    if let Some(query) = filter.text.as_deref().and_then(text_query) {
        sql.push(" AND search @@ to_tsquery('simple', ").push_bind(query).push(")");
    }
}

fn push_chosen<T>(sql: &mut QueryBuilder<Postgres>, column: &str, values: &[T])
where
    T: Clone + Send + 'static + for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
    Vec<T>: for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
{
    if !values.is_empty() {
        sql.push(" AND ");
        push_any(sql, column, values.to_vec());
    }
}

fn push_any<T>(sql: &mut QueryBuilder<Postgres>, column: &str, mut values: Vec<T>)
where
    T: Send + 'static + for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
    Vec<T>: for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
{
    match (values.pop(), values.is_empty()) {
        (Some(only), true) => {
            sql.push(format_args!("{column} = ")).push_bind(only);
        }
        (last, _) => {
            values.extend(last);
            sql.push(format_args!("{column} = ANY(")).push_bind(values).push(")");
        }
    }
}

fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.trim().to_lowercase()).collect()
}

fn push_bound<T>(sql: &mut QueryBuilder<Postgres>, column: &str, compare: &str, value: Option<T>)
where
    T: Send + 'static + for<'q> sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
{
    if let Some(value) = value {
        sql.push(format_args!(" AND {column} {compare} ")).push_bind(value);
    }
}

/// `f-150 xl` becomes `f & 150 & xl:*`: every word must occur, the last may be unfinished. `None` when there is no word.
fn text_query(text: &str) -> Option<String> {
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).take(12).map(|w| format!("'{}'", w.to_lowercase())).collect();
    (!words.is_empty()).then(|| format!("{}:*", words.join(" & ")))
}

/// Changes the status of a vehicle, and of the same VIN where another store of the group offers it. Empty when it is outside
/// the scope.
pub(super) async fn set_status(
    conn: &mut PgConnection,
    scope: &Scope,
    id: VehicleId,
    status: VehicleStatus,
    now: DateTime<Utc>,
) -> Result<Vec<Changed>, DbError> {
    let changed = sqlx::query_as!(
        Changed,
        "UPDATE vehicle v SET status = $3, version = v.version + 1, updated_at = $4
         FROM vehicle t, store ts, store s
         WHERE t.id = $1 AND t.store_id = ANY($2) AND ts.id = t.store_id
           AND v.vin = t.vin AND s.id = v.store_id AND s.group_id = ts.group_id
           AND (v.id = t.id OR v.status IN ('AVAILABLE', 'ON_HOLD', 'PENDING_SALE'))
         RETURNING v.id, v.store_id, v.version",
        id.0,
        scope.store_ids(),
        status.as_str(),
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(changed)
}

/// Takes over the price that waits for a manager. The old and the new price come back; `None` when there is no such vehicle,
/// none waits, or the version is another.
pub(super) async fn confirm_price(
    conn: &mut PgConnection,
    scope: &Scope,
    id: VehicleId,
    version: i32,
    now: DateTime<Utc>,
) -> Result<Option<Changed>, DbError> {
    let changed = sqlx::query_as!(
        Changed,
        "WITH before AS (
           SELECT id, price_cents, held_price_cents FROM vehicle
           WHERE id = $1 AND store_id = ANY($2) AND version = $3 AND held_price_cents IS NOT NULL FOR NO KEY UPDATE),
         recorded AS (
           INSERT INTO vehicle_price_change (vehicle_id, at, kind, old_cents, new_cents)
           SELECT id, $4, 'PRICE', price_cents, held_price_cents FROM before)
         UPDATE vehicle v SET price_cents = before.held_price_cents, held_price_cents = NULL, version = v.version + 1, updated_at = $4
         FROM before WHERE v.id = before.id RETURNING v.id, v.store_id, v.version",
        id.0,
        scope.store_ids(),
        version,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(changed)
}

/// One change of a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceChange {
    /// The vehicle.
    pub vehicle_id: VehicleId,
    /// When.
    pub at: DateTime<Utc>,
    /// Which price.
    pub kind: super::model::PriceKind,
    /// Before.
    pub old_cents: Option<crate::kernel::money::Cents>,
    /// After.
    pub new_cents: Option<crate::kernel::money::Cents>,
}

/// The newest price changes of vehicles, at most `per_vehicle` each, newest first.
pub(super) async fn price_history(
    conn: &mut PgConnection,
    scope: &Scope,
    ids: &[Uuid],
    per_vehicle: i64,
) -> Result<Vec<PriceChange>, DbError> {
    let rows = sqlx::query_as!(
        PriceChange,
        r#"SELECT v.id AS "vehicle_id: _", p.at, p.kind AS "kind: _", p.old_cents AS "old_cents: _", p.new_cents AS "new_cents: _"
           FROM vehicle v CROSS JOIN LATERAL (
             SELECT * FROM vehicle_price_change c WHERE c.vehicle_id = v.id ORDER BY c.id DESC LIMIT $3) p
           WHERE v.id = ANY($1) AND v.store_id = ANY($2) ORDER BY p.id DESC"#,
        ids,
        scope.store_ids(),
        per_vehicle,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Where feed and VIN disagree about a vehicle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The vehicle.
    pub vehicle_id: VehicleId,
    /// The fact: `modelYear`, `make`, `model`, `bodyStyle`, `drivetrain`, `fuel`.
    pub attribute: String,
    /// What the feed says; the vehicle shows this.
    pub feed_value: String,
    /// What the VIN says.
    pub vin_value: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// The disagreements of vehicles.
pub(super) async fn disagreements(conn: &mut PgConnection, scope: &Scope, ids: &[Uuid]) -> Result<Vec<Disagreement>, DbError> {
    let rows = sqlx::query_as!(
        Disagreement,
        r#"SELECT d.vehicle_id AS "vehicle_id: _", d.attribute, d.feed_value, d.vin_value, d.at
           FROM vehicle_disagreement d JOIN vehicle v ON v.id = d.vehicle_id
           WHERE d.vehicle_id = ANY($1) AND v.store_id = ANY($2) ORDER BY d.vehicle_id, d.attribute"#,
        ids,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_a_query_of_plain_words() {
        assert_eq!(text_query("F-150 xl").as_deref(), Some("'f' & '150' & 'xl':*"));
        assert_eq!(text_query("red | !drop & ' :*").as_deref(), Some("'red' & 'drop':*"));
        assert_eq!(text_query(" -- "), None);
    }
}
