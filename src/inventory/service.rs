//! Use cases around the lot: find, list, change status.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;

use super::holds::{self, Changed};
use super::model::{Hold, Vehicle, VehicleFilter, VehicleStatus};
use super::store::{self, Disagreement, PriceChange, VehiclePage, VehicleParts};
use crate::auth::Scope;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, Db, DbError, Together, Tx, deal_out};
use crate::kernel::id::{DealId, VehicleId};

/// Most price changes shown of one vehicle.
const PRICE_HISTORY_MAX: i64 = 100;

/// The lot. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Inventory {
    pub(super) db: Db,
    /// Vehicles by id.
    vehicles: Together<(Scope, VehicleParts), Vec<Uuid>, Vec<Vehicle>>,
}

/// Why a vehicle cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// There is no such vehicle in the actor's stores.
    #[error("There is no such vehicle in your stores.")]
    NotFound,
    /// Another deal holds this VIN.
    #[error("This vehicle is held for another deal.")]
    VehicleHeld {
        /// The deal that holds it.
        by: DealId,
        /// The vehicle of that hold.
        vehicle: VehicleId,
    },
    /// It is no longer for sale.
    #[error("This vehicle is no longer for sale.")]
    NotForSale {
        /// Where it stands.
        status: VehicleStatus,
    },
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Why a held price was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// There is no such vehicle in the stores the actor manages.
    #[error("There is no such vehicle in the stores you manage.")]
    NotFound,
    /// It has no price that waits for a manager.
    #[error("This vehicle has no price that waits for you.")]
    NothingHeld,
    /// It changed since it was read.
    #[error("This vehicle has changed since you looked. Look again.")]
    OutOfSync,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Inventory {
    /// On this database.
    pub fn new(db: Db) -> Self {
        let vehicles = Together::new(&db, |db: Db, (scope, parts), asked: Vec<Vec<Uuid>>| async move {
            let found = store::find_many(&mut *db.read().await?, &scope, &asked.concat(), parts).await?;
            Ok(deal_out(&asked, found, |vehicle| vehicle.id.0))
        });
        Self { db, vehicles }
    }

    /// One vehicle, or none in the actor's stores.
    pub async fn find(&self, scope: &Scope, id: VehicleId) -> Result<Option<Vehicle>, DbError> {
        Ok(self.find_many(scope, &[id], VehicleParts::ALL).await?.pop())
    }

    /// The vehicles among `ids` that are in the scope, with the parts asked for, in no particular order.
    pub async fn find_many(&self, scope: &Scope, ids: &[VehicleId], parts: VehicleParts) -> Result<Vec<Vehicle>, DbError> {
        if ids.is_empty() || scope.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.vehicles.ask(&(scope.clone(), parts), ids).await
    }

    /// The vehicle with this VIN; the available one first when two stores have it.
    pub async fn find_by_vin(&self, scope: &Scope, vin: &str) -> Result<Option<Vehicle>, DbError> {
        let mut conn = self.db.read().await?;
        let ids = store::ids_by_vin(&mut conn, scope, vin).await?;
        Ok(store::find_many(&mut conn, scope, ids.get(..1).unwrap_or(&[]), VehicleParts::ALL).await?.pop())
    }

    /// The vehicle with this stock number. When several have it: an available one first, then one the feed still names, then
    /// the newest (the last made).
    pub async fn find_by_stock_number(&self, scope: &Scope, stock_number: &str) -> Result<Option<Vehicle>, DbError> {
        let mut conn = self.db.read().await?;
        let ids = store::ids_by_stock_number(&mut conn, scope, stock_number).await?;
        Ok(store::find_many(&mut conn, scope, ids.get(..1).unwrap_or(&[]), VehicleParts::ALL).await?.pop())
    }

    /// A page of the lot; and how many vehicles the filter finds in all, when the page is counted.
    pub async fn list(&self, scope: &Scope, page: VehiclePage<'_>) -> Result<(Vec<Vehicle>, Option<i64>), DbError> {
        if scope.is_empty() {
            return Ok((Vec::new(), Some(0)));
        }
        store::list(&mut *self.db.read().await?, scope, page, self.db.now()).await
    }

    /// How many vehicles the filter finds.
    pub async fn count(&self, scope: &Scope, filter: &VehicleFilter) -> Result<i64, DbError> {
        store::count(&mut *self.db.read().await?, scope, filter, self.db.now()).await
    }

    /// The active holds of vehicles.
    pub async fn holds(&self, scope: &Scope, ids: &[VehicleId]) -> Result<HashMap<VehicleId, Hold>, DbError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let holds = holds::holds_of(&mut *self.db.read().await?, scope, &ids, self.db.now()).await?;
        Ok(holds.into_iter().map(|hold| (hold.vehicle_id, hold)).collect())
    }

    /// The newest price changes of vehicles, newest first, at most 100 each.
    pub async fn price_history(&self, scope: &Scope, ids: &[VehicleId]) -> Result<HashMap<VehicleId, Vec<PriceChange>>, DbError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows = store::price_history(&mut *self.db.read().await?, scope, &ids, PRICE_HISTORY_MAX).await?;
        Ok(group(rows, |row| row.vehicle_id))
    }

    /// Where feed and VIN disagree about vehicles.
    pub async fn disagreements(&self, scope: &Scope, ids: &[VehicleId]) -> Result<HashMap<VehicleId, Vec<Disagreement>>, DbError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows = store::disagreements(&mut *self.db.read().await?, scope, &ids).await?;
        Ok(group(rows, |row| row.vehicle_id))
    }

    /// Takes over a price of a feed that was held because it fell far. `scope` is the stores the actor manages.
    pub async fn confirm_price(&self, scope: &Scope, id: VehicleId, version: i32, by: crate::db::By) -> Result<(), PriceError> {
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        if let Some(changed) = store::confirm_price(tx.conn(), scope, id, version, now).await? {
            tell(&mut tx, &changed);
            tx.audit(AuditEvent {
                store_id: Some(changed.store_id),
                subject: Subject::Vehicle,
                subject_id: changed.id,
                verb: "price_confirmed",
                detail: json!({ "version": changed.version }),
            });
            return Ok(tx.commit().await?);
        }
        match self.find_in(&mut tx, scope, id).await? {
            None => Err(PriceError::NotFound),
            Some(vehicle) if vehicle.held_price_cents.is_none() => Err(PriceError::NothingHeld),
            Some(_) => Err(PriceError::OutOfSync),
        }
    }

    /// One vehicle as the caller's transaction sees it.
    pub async fn find_in(&self, tx: &mut Tx, scope: &Scope, id: VehicleId) -> Result<Option<Vehicle>, DbError> {
        Ok(store::find_many(tx.conn(), scope, &[id.0], VehicleParts::ALL).await?.pop())
    }

    /// Changes the status of a vehicle, inside the caller's transaction, and tells whoever watches the lot. The same VIN offered
    /// by another store of the group follows, so that no VIN shows as available when it is not.
    pub async fn set_status(&self, tx: &mut Tx, scope: &Scope, id: VehicleId, status: VehicleStatus) -> Result<(), InventoryError> {
        let now = tx.now();
        let changed = store::set_status(tx.conn(), scope, id, status, now).await?;
        if changed.is_empty() {
            return Err(InventoryError::NotFound);
        }
        for change in &changed {
            tell(tx, change);
        }
        Ok(())
    }
}

pub(super) fn tell(tx: &mut Tx, change: &Changed) {
    tx.notify(change.store_id, Subject::Vehicle, change.id, change.version);
}

fn group<T>(rows: Vec<T>, key: impl Fn(&T) -> VehicleId) -> HashMap<VehicleId, Vec<T>> {
    let mut map: HashMap<VehicleId, Vec<T>> = HashMap::new();
    for row in rows {
        map.entry(key(&row)).or_default().push(row);
    }
    map
}
