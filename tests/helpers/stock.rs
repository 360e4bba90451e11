//! Cars and rules to test with.

use chrono::NaiveDate;
use deskless::kernel::id::{StoreId, VehicleId};

use super::TestApp;

/// A car to put on a lot.
#[derive(Debug, Clone, Copy)]
pub struct Car<'a> {
    pub vin: &'a str,
    pub stock_number: &'a str,
    pub model_year: i32,
    pub make: &'a str,
    pub model: &'a str,
    pub body_style: &'a str,
    pub price_cents: i64,
}

impl Default for Car<'_> {
    /// A new 2026 RAV4 for 31,000.00.
    fn default() -> Self {
        Self {
            vin: "1M8GDM9AXKP042788",
            stock_number: "S-1",
            model_year: 2026,
            make: "Toyota",
            model: "RAV4",
            body_style: "SUV",
            price_cents: 3_100_000,
        }
    }
}

impl TestApp {
    /// Loads the taxes, lenders, insurers and products of the demo.
    #[allow(dead_code)]
    pub async fn seed_rules(&self) {
        let mut conn = self.app.db.read().await.expect("a connection");
        deskless::finance::seed_rules(&mut conn, self.group).await.expect("rules");
        drop(conn);
        self.app.rules.reload().await.expect("the rule book");
    }

    /// Puts a car on a lot.
    #[allow(dead_code)]
    pub async fn car(&self, store: StoreId, car: Car<'_>) -> VehicleId {
        let id: VehicleId = self.app.db.new_id();
        let mut conn = self.app.db.read().await.expect("a connection");
        sqlx::query(
            "INSERT INTO vehicle (id, store_id, vin, vin_status, stock_number, condition, status, model_year, make, model, body_style, drivetrain, fuel,
                                  exterior_color, exterior_color_family, odometer_miles, price_cents, msrp_cents, invoice_cents, cost_cents, currency,
                                  received_on, created_at, updated_at)
             VALUES ($1, $2, $3, 'VALID', $4, 'NEW', 'AVAILABLE', $5, $6, $7, $8, 'AWD', 'HYBRID', 'Silver Sky', 'SILVER', 12, $9, $9, $9 - 150000,
                     $9 - 200000, 'USD', $10, $11, $11)",
        )
        .bind(id.0)
        .bind(store.0)
        .bind(car.vin)
        .bind(car.stock_number)
        .bind(car.model_year)
        .bind(car.make)
        .bind(car.model)
        .bind(car.body_style)
        .bind(car.price_cents)
        .bind(NaiveDate::from_ymd_opt(2026, 11, 1))
        .bind(self.app.db.now())
        .execute(&mut *conn)
        .await
        .expect("a car");
        id
    }
}
