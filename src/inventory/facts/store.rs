//! SQL of the facts. The store is chosen by the caller's scope; the facts themselves hold nothing that a colleague of the
//! store may not see.

use sqlx::PgConnection;
use uuid::Uuid;

use super::VehicleFacts;
use crate::db::DbError;
use crate::kernel::id::{StoreId, VehicleId};

/// Facts of available vehicles of a store, all or some.
pub(super) async fn available(conn: &mut PgConnection, store: StoreId, ids: Option<&[Uuid]>) -> Result<Vec<VehicleFacts>, DbError> {
    let rows = sqlx::query_as!(
        VehicleFacts,
        r#"SELECT id AS "id: _", store_id AS "store_id: _", condition AS "condition: _", model_year, make, model, "trim",
                  body_style AS "body_style: _", drivetrain AS "drivetrain: _", fuel AS "fuel: _", transmission AS "transmission: _",
                  exterior_color_family AS "exterior_color: _", interior_color, odometer_miles, price_cents AS "price: _", doors, seats, mpg_combined
           FROM vehicle
           WHERE store_id = $1 AND status = 'AVAILABLE' AND missing_since IS NULL AND ($2::uuid[] IS NULL OR id = ANY($2))"#,
        store.0,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Ids of available vehicles whose listing has every word.
pub(super) async fn with_words(conn: &mut PgConnection, store: StoreId, words: &str) -> Result<Vec<VehicleId>, DbError> {
    let ids = sqlx::query_scalar!(
        r#"SELECT id AS "id: VehicleId" FROM vehicle
           WHERE store_id = $1 AND status = 'AVAILABLE' AND missing_since IS NULL AND search @@ plainto_tsquery('simple', $2)"#,
        store.0,
        words,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}
