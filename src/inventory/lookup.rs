//! Many vehicles by the names others know them by: VINs and stock numbers, in two statements.

use std::collections::HashMap;

use super::model::Vehicle;
use super::service::Inventory;
use super::store::{self, VehicleParts};
use crate::auth::Scope;
use crate::db::DbError;

/// Vehicles found by their names. When two share a stock number, the one for sale counts.
#[derive(Debug, Default)]
pub struct Named {
    vehicles: Vec<Vehicle>,
    vins: HashMap<String, usize>,
    stocks: HashMap<String, usize>,
}

impl Named {
    fn new(mut vehicles: Vec<Vehicle>) -> Self {
        // The last one written wins: those for sale come last.
        vehicles.sort_by_key(|v| (v.status.is_free(), v.id));
        let vins = vehicles.iter().enumerate().map(|(at, v)| (v.vin.clone(), at)).collect();
        let stocks = vehicles.iter().enumerate().map(|(at, v)| (v.stock_number.clone(), at)).collect();
        Self { vehicles, vins, stocks }
    }

    /// The vehicle with this VIN, in capitals.
    pub fn by_vin(&self, vin: &str) -> Option<&Vehicle> {
        self.vins.get(vin).and_then(|at| self.vehicles.get(*at))
    }

    /// The vehicle with this stock number.
    pub fn by_stock(&self, stock_number: &str) -> Option<&Vehicle> {
        self.stocks.get(stock_number).and_then(|at| self.vehicles.get(*at))
    }
}

impl Inventory {
    /// The vehicles of the scope with one of these VINs (in capitals) or stock numbers.
    pub async fn find_named(&self, scope: &Scope, vins: &[String], stock_numbers: &[String]) -> Result<Named, DbError> {
        if scope.is_empty() || (vins.is_empty() && stock_numbers.is_empty()) {
            return Ok(Named::default());
        }
        let mut conn = self.db.read().await?;
        let ids = store::ids_by_name(&mut conn, scope, vins, stock_numbers).await?;
        if ids.is_empty() {
            return Ok(Named::default());
        }
        Ok(Named::new(store::find_many(&mut conn, scope, &ids, VehicleParts::ALL).await?))
    }
}
