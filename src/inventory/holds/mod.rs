//! Who has a car, for how long, and who is next in line.
//!
//! - One active hold per VIN in a dealer group: the unique index `vehicle_hold_active_key` decides, not this code.
//! - A hold of a deal ends by itself; a contract's does not. How long and how often extended is the store's [`HoldPolicy`].
//! - A car that frees goes to the first deal that waits for it, as a short hold of its own (`OFFER`), in the same transaction.
//!   So nobody else can take it in between, and when the offer runs out the next one has it.

mod policy;
mod store;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{Hold, HoldReason, VehicleStatus};
use super::service::{Inventory, InventoryError, tell};
use crate::auth::Scope;
use crate::db::{DbError, Tx};
use crate::kernel::id::{DealId, GroupId, StoreId, UserId, VehicleId};

pub use policy::{HoldLimit, HoldPolicy};
pub(super) use store::{Changed, holds_of};

/// How often a hold is tried again when its holder let go in between.
const HOLD_TRIES: usize = 5;
/// Most deals that may wait for one car.
const QUEUE_MAX: i64 = 50;

/// A wish to hold a vehicle for a deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceHold {
    /// The vehicle.
    pub vehicle_id: VehicleId,
    /// The deal.
    pub deal_id: DealId,
    /// Why.
    pub reason: HoldReason,
    /// Who asks.
    pub placed_by: UserId,
    /// When it ends by itself; never for a contract.
    pub expires_at: Option<DateTime<Utc>>,
    /// Why, in the salesperson's words.
    pub note: Option<String>,
}

/// A hold that ended without a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freed {
    /// The hold.
    pub hold_id: Uuid,
    /// The deal that had the car.
    pub deal_id: DealId,
    /// The group the VIN is unique in.
    pub group_id: GroupId,
    /// The car.
    pub vin: String,
}

/// A place in the line for a car.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// 1 is next.
    pub position: i64,
    /// How many wait.
    pub length: i64,
    /// Since when this deal waits.
    pub joined_at: DateTime<Utc>,
}

impl Inventory {
    /// Holds a vehicle for a deal, inside the caller's transaction. Of many at once exactly one gets it: the unique index on
    /// the active hold of a VIN in the group decides, and the others learn who has it. A deal that already holds it keeps
    /// it, with the newer reason and expiry. The vehicle becomes `ON_HOLD` (or `PENDING_SALE` for a contract).
    pub async fn place_hold(&self, tx: &mut Tx, scope: &Scope, wish: PlaceHold) -> Result<Hold, InventoryError> {
        let now = tx.now();
        let status = match wish.reason {
            HoldReason::Deal | HoldReason::Offer => VehicleStatus::OnHold,
            HoldReason::Contract => VehicleStatus::PendingSale,
        };
        for _ in 0..HOLD_TRIES {
            let target = store::hold_target(tx.conn(), scope, wish.vehicle_id).await?.ok_or(InventoryError::NotFound)?;
            self.lapse_holds(tx, target.group_id, &target.vin).await?;
            if let Some(held) = store::active_hold(tx.conn(), target.group_id, &target.vin).await? {
                if held.deal_id != wish.deal_id || held.vehicle_id != wish.vehicle_id {
                    return Err(InventoryError::VehicleHeld { by: held.deal_id, vehicle: held.vehicle_id });
                }
                store::renew_hold(tx.conn(), held.id, wish.reason, wish.expires_at, wish.note.as_deref()).await?;
                if target.status != status && !target.status.is_gone() {
                    self.set_status(tx, scope, wish.vehicle_id, status).await?;
                }
                return Ok(Hold { reason: wish.reason, expires_at: wish.expires_at, note: wish.note.or(held.note.clone()), ..held });
            }
            let target = store::hold_target(tx.conn(), scope, wish.vehicle_id).await?.ok_or(InventoryError::NotFound)?;
            if !target.status.is_free() {
                return Err(InventoryError::NotForSale { status: target.status });
            }
            let hold = Hold {
                id: self.db.new_id(),
                vehicle_id: wish.vehicle_id,
                store_id: target.store_id,
                deal_id: wish.deal_id,
                reason: wish.reason,
                placed_by: wish.placed_by,
                placed_at: now,
                expires_at: wish.expires_at,
                extensions: 0,
                note: wish.note.clone(),
            };
            if store::insert_hold(tx.conn(), &hold, &target).await? {
                // The winner may have waited for another that let go after selling: look once more.
                let seen = store::hold_target(tx.conn(), scope, wish.vehicle_id).await?.ok_or(InventoryError::NotFound)?;
                if !seen.status.is_free() {
                    store::delete_hold(tx.conn(), hold.id).await?;
                    return Err(InventoryError::NotForSale { status: seen.status });
                }
                self.set_status(tx, scope, wish.vehicle_id, status).await?;
                return Ok(hold);
            }
        }
        Err(InventoryError::NotForSale { status: VehicleStatus::OnHold })
    }

    /// What the store of a vehicle allows. None outside the scope.
    pub async fn hold_policy(&self, tx: &mut Tx, scope: &Scope, vehicle: VehicleId) -> Result<Option<HoldPolicy>, DbError> {
        store::policy(tx.conn(), scope, vehicle).await
    }

    /// The hold a deal has now, inside the caller's transaction.
    pub async fn hold_of_deal(&self, tx: &mut Tx, deal: DealId) -> Result<Option<Hold>, DbError> {
        let now = tx.now();
        store::of_deal(tx.conn(), deal, now).await
    }

    /// Gives a hold a later end, inside the caller's transaction.
    pub async fn extend_hold(&self, tx: &mut Tx, hold: &Hold, until: DateTime<Utc>) -> Result<(), DbError> {
        store::extend_hold(tx.conn(), hold.id, until).await
    }

    /// Ends every hold of a deal and its place in a line, inside the caller's transaction. Freed vehicles go to the next in line,
    /// or are free again, unless they were sold. `reason` is a stable word such as `CANCELLED` or `SWAPPED`.
    pub async fn release_holds(&self, tx: &mut Tx, deal: DealId, reason: &str) -> Result<Vec<Freed>, InventoryError> {
        let now = tx.now();
        let changed = store::release_holds(tx.conn(), deal, reason, now).await?;
        Ok(self.hand_on(tx, changed).await?)
    }

    /// The buyer drives off, inside the caller's transaction: the deal's hold ends and the vehicle is `DELIVERED`. Gives the status
    /// the vehicle had before the sale.
    pub async fn hand_over(&self, tx: &mut Tx, scope: &Scope, deal: DealId, vehicle: VehicleId) -> Result<VehicleStatus, InventoryError> {
        let now = tx.now();
        let before = store::end_sold(tx.conn(), deal, vehicle, now).await?.ok_or(InventoryError::NotFound)?;
        self.set_status(tx, scope, vehicle, VehicleStatus::Delivered).await?;
        Ok(before)
    }

    /// A delivered vehicle is back, inside the caller's transaction: it takes this status and goes to the first who waits for it.
    /// One that a feed took in anew meanwhile keeps what the feed says.
    pub async fn take_back(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        vehicle: VehicleId,
        status: VehicleStatus,
        odometer_miles: i32,
    ) -> Result<(), InventoryError> {
        let now = tx.now();
        let target = store::hold_target(tx.conn(), scope, vehicle).await?.ok_or(InventoryError::NotFound)?;
        let Some(changed) = store::take_back(tx.conn(), scope, vehicle, status, odometer_miles, now).await? else { return Ok(()) };
        tell(tx, &changed);
        for changed in store::offer_to_next(tx.conn(), target.group_id, &target.vin, self.db.new_id(), now).await? {
            tell(tx, &changed);
        }
        Ok(())
    }

    /// Ends holds of a VIN whose time is over, inside the caller's transaction, and hands the car on.
    pub async fn lapse_holds(&self, tx: &mut Tx, group: GroupId, vin: &str) -> Result<Vec<Freed>, DbError> {
        let now = tx.now();
        let changed = store::expire_holds(tx.conn(), group, vin, now).await?;
        self.hand_on(tx, changed).await
    }

    /// VINs with a hold whose time is over, the longest overdue first.
    pub async fn due_holds(&self, limit: i64) -> Result<Vec<(GroupId, String)>, DbError> {
        store::due(&mut *self.db.read().await?, self.db.now(), limit).await
    }

    /// Tells whoever watches the lot about freed vehicles, and gives each to the first who waits for it.
    async fn hand_on(&self, tx: &mut Tx, changed: Vec<store::FreedRow>) -> Result<Vec<Freed>, DbError> {
        let mut freed: Vec<Freed> = Vec::new();
        let now = tx.now();
        for row in changed {
            tell(tx, &row.changed());
            if freed.iter().any(|known| known.hold_id == row.hold_id) {
                continue;
            }
            for changed in store::offer_to_next(tx.conn(), row.group_id, &row.vin, self.db.new_id(), now).await? {
                tell(tx, &changed);
            }
            freed.push(Freed { hold_id: row.hold_id, deal_id: row.deal_id, group_id: row.group_id, vin: row.vin });
        }
        Ok(freed)
    }

    /// Puts a deal at the end of the line for a car that somebody else has, inside the caller's transaction. A deal that waits
    /// already keeps its place. False when the line is as long as it may be.
    pub async fn join_queue(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        vehicle: VehicleId,
        deal: DealId,
        who: UserId,
    ) -> Result<bool, InventoryError> {
        let target = store::hold_target(tx.conn(), scope, vehicle).await?.ok_or(InventoryError::NotFound)?;
        let now = tx.now();
        let place = store::NewPlace { id: self.db.new_id(), vehicle, deal, who, at: now };
        Ok(store::join_queue(tx.conn(), &target, &place, QUEUE_MAX).await?)
    }

    /// Takes a deal out of the line. False when it was in none.
    pub async fn leave_queue(&self, tx: &mut Tx, deal: DealId) -> Result<bool, DbError> {
        let now = tx.now();
        store::leave_queue(tx.conn(), deal, now).await
    }

    /// What a deal has of its car: its own hold, and its place in the line.
    pub async fn standing(&self, scope: &Scope, deal: DealId) -> Result<(Option<Hold>, Option<QueuePlace>), DbError> {
        let (mut conn, now) = (self.db.read().await?, self.db.now());
        Ok((store::seen_of_deal(&mut conn, scope, deal, now).await?, store::place(&mut conn, scope, deal).await?))
    }
}

/// The vehicle a hold is for.
struct HoldTarget {
    store_id: StoreId,
    group_id: GroupId,
    vin: String,
    status: VehicleStatus,
}
