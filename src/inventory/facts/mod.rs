//! The facts of every vehicle that is for sale, for comparing the whole lot in memory. Nothing about people, nothing that only
//! managers may see.

mod store;

use uuid::Uuid;

use super::model::{BodyStyle, ColorFamily, Drivetrain, FuelType, Transmission, VehicleCondition};
use super::service::Inventory;
use crate::db::DbError;
use crate::kernel::id::{StoreId, VehicleId};
use crate::kernel::money::Cents;

/// What a vehicle is and costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VehicleFacts {
    /// Its id.
    pub id: VehicleId,
    /// The store that has it.
    pub store_id: StoreId,
    /// New, used or certified.
    pub condition: VehicleCondition,
    /// The model year.
    pub model_year: i32,
    /// The make.
    pub make: String,
    /// The model.
    pub model: String,
    /// The trim level.
    pub trim: Option<String>,
    /// The shape of the body.
    pub body_style: Option<BodyStyle>,
    /// Which wheels are driven.
    pub drivetrain: Option<Drivetrain>,
    /// What it runs on.
    pub fuel: Option<FuelType>,
    /// How gears are changed.
    pub transmission: Option<Transmission>,
    /// The outer colour as a customer would say it.
    pub exterior_color: Option<ColorFamily>,
    /// The maker's name of the inner colour.
    pub interior_color: Option<String>,
    /// Miles driven.
    pub odometer_miles: Option<i32>,
    /// The asking price.
    pub price: Option<Cents>,
    /// Number of doors.
    pub doors: Option<i32>,
    /// Number of seats.
    pub seats: Option<i32>,
    /// Miles per gallon, combined.
    pub mpg_combined: Option<i32>,
}

impl Inventory {
    /// Facts of every vehicle of a store that is available and named by its newest feed.
    pub async fn available_facts(&self, store: StoreId) -> Result<Vec<VehicleFacts>, DbError> {
        store::available(&mut *self.db.read().await?, store, None).await
    }

    /// The same for some vehicles of a store; those that are no longer available are left out.
    pub async fn available_facts_of(&self, store: StoreId, ids: &[VehicleId]) -> Result<Vec<VehicleFacts>, DbError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        store::available(&mut *self.db.read().await?, store, Some(&ids)).await
    }

    /// Available vehicles of a store whose listing (trim, engine, description …) has every word of `words`.
    pub async fn available_with_words(&self, store: StoreId, words: &str) -> Result<Vec<VehicleId>, DbError> {
        store::with_words(&mut *self.db.read().await?, store, words).await
    }
}
