//! What the engine needs beside the deal itself: the car, the group, the day at the store.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::pricing::Car;
use crate::inventory::{VehicleCondition, VehicleStatus};
use crate::kernel::id::{DealId, GroupId, VehicleId};
use crate::kernel::money::Cents;

/// What a calculation needs beside the deal.
#[derive(Debug, Clone)]
pub(in crate::deals) struct Around {
    pub(in crate::deals) car: Car,
    pub(in crate::deals) group_id: GroupId,
    /// The day at the store.
    pub(in crate::deals) today: NaiveDate,
}

/// Reads it without a lock: for questions that change nothing.
pub(in crate::deals) async fn around(
    conn: &mut PgConnection,
    scope: &Scope,
    id: DealId,
    now: DateTime<Utc>,
) -> Result<Option<Around>, DbError> {
    let row = sqlx::query!(
        r#"SELECT v.id AS "id: VehicleId", v.vin, v.stock_number, v.condition AS "condition: VehicleCondition", v.status AS "status: VehicleStatus",
             v.model_year, v.make, v.model, v."trim", v.fuel, v.odometer_miles, v.price_cents AS "price: Cents", v.msrp_cents AS "msrp: Cents",
             v.invoice_cents AS "invoice: Cents", s.group_id AS "group_id: GroupId",
             ($3::timestamptz AT TIME ZONE s.time_zone)::date AS "today!"
           FROM deal d JOIN store s ON s.id = d.store_id JOIN vehicle v ON v.id = d.vehicle_id
           WHERE d.id = $1 AND d.store_id = ANY($2)"#,
        id.0,
        scope.store_ids() as _,
        now
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Around {
        car: Car {
            id: row.id,
            vin: row.vin,
            stock_number: row.stock_number,
            condition: row.condition,
            status: row.status,
            model_year: row.model_year,
            make: row.make,
            model: row.model,
            trim: row.trim,
            fuel: row.fuel,
            odometer_miles: row.odometer_miles,
            price: row.price,
            msrp: row.msrp,
            invoice: row.invoice,
        },
        group_id: row.group_id,
        today: row.today,
    }))
}
