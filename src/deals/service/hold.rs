//! Keeping a car for a deal before anything is signed, and waiting for one that somebody else has.
//!
//! A hold changes no figure, so the deal's version stays. Whoever watches a deal on the car hears of it.

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, DealError, Deals, Refusal, RefusalCode};
use crate::auth::{Actor, Scope};
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, DbError, Tx};
use crate::deals::store::open;
use crate::deals::store::table::{self, OnTable};
use crate::inventory::{Freed, Hold, HoldPolicy, HoldReason, InventoryError, PlaceHold, QueuePlace};
use crate::kernel::id::{DealId, DepositId};
use crate::payments::Deposit;

/// Holds ended in one sweep.
const SWEEP_MAX: i64 = 100;

/// A deal about whose car something is wished.
#[derive(Debug, Clone, Serialize)]
pub struct OnCar {
    /// Which deal.
    pub deal_id: DealId,
    /// The tablet's key.
    #[serde(skip)]
    pub key: String,
}

/// A wish to hold a car, or to hold it longer.
#[derive(Debug, Clone, Serialize)]
pub struct HoldCar {
    /// Which deal.
    pub on: OnCar,
    /// For how long; the store's time when not said.
    pub minutes: Option<i32>,
    /// Why, in the salesperson's words.
    pub note: Option<String>,
}

/// The ids of ended holds.
pub(super) fn hold_ids(freed: &[Freed]) -> Vec<Uuid> {
    freed.iter().map(|freed| freed.hold_id).collect()
}

impl Deals {
    /// Holds the deal's car for as long as the store allows. Of many at once exactly one gets it. A deal that holds it keeps its
    /// hold as it is; one that was offered the car as next in line takes it.
    pub async fn hold_place(&self, actor: &Actor, by: By, wish: HoldCar) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.on.key, "holdPlace", &wish, async |tx: &mut Tx| {
            self.place_in(tx, actor, &wish).await.map_err(|e| e.about(wish.on.deal_id))
        })
        .await
    }

    async fn place_in(&self, tx: &mut Tx, actor: &Actor, wish: &HoldCar) -> Result<Answer, DealError> {
        let before = self.open_deal(tx, actor, wish.on.deal_id).await?;
        if self.inventory.hold_of_deal(tx, before.deal.id).await?.is_some_and(|own| own.reason != HoldReason::Offer) {
            return Ok(Answer::done(before.deal.id));
        }
        let policy = self.hold_policy(tx, actor, &before).await?;
        let until = policy.first_end(tx.now(), wish.minutes, actor.manages(before.deal.store_id)).map_err(|limit| too_long(&limit))?;
        let hold = PlaceHold {
            vehicle_id: before.deal.vehicle_id,
            deal_id: before.deal.id,
            reason: HoldReason::Deal,
            placed_by: actor.user_id(),
            expires_at: Some(until),
            note: wish.note.clone(),
        };
        if let Err(error) = self.inventory.place_hold(tx, &actor.selling_scope(), hold).await {
            let taken = match error {
                InventoryError::VehicleHeld { .. } | InventoryError::NotForSale { .. } => {
                    open::holder(tx.conn(), before.group_id, &before.car.vin, before.deal.id.0, before.deal.store_id).await?
                }
                InventoryError::NotFound | InventoryError::Db(_) => None,
            };
            return Err(DealError::from_inventory(error, &before.car.title(), taken.as_ref()));
        }
        self.inventory.leave_queue(tx, before.deal.id).await?;
        self.moved(tx, &before, "hold_placed", json!({ "vehicleId": before.deal.vehicle_id, "until": until })).await
    }

    /// Holds the car longer. A salesperson may do so as often as the store allows, a manager up to the store's most.
    pub async fn hold_extend(&self, actor: &Actor, by: By, wish: HoldCar) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.on.key, "holdExtend", &wish, async |tx: &mut Tx| {
            self.extend_in(tx, actor, &wish).await.map_err(|e| e.about(wish.on.deal_id))
        })
        .await
    }

    async fn extend_in(&self, tx: &mut Tx, actor: &Actor, wish: &HoldCar) -> Result<Answer, DealError> {
        let before = self.found_deal(tx, actor, wish.on.deal_id).await?;
        let hold = self.own_hold(tx, &before).await?;
        let policy = self.hold_policy(tx, actor, &before).await?;
        let until = policy.extended_end(&hold, wish.minutes, actor.manages(before.deal.store_id)).map_err(|limit| too_long(&limit))?;
        self.inventory.extend_hold(tx, &hold, until).await?;
        self.moved(tx, &before, "hold_extended", json!({ "until": until, "extensions": hold.extensions.saturating_add(1) })).await
    }

    /// Lets the car go, to the next in line or to everybody. Money that was only authorized for it is given free.
    pub async fn hold_release(&self, actor: &Actor, by: By, wish: OnCar) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.key, "holdRelease", &wish, async |tx: &mut Tx| {
            self.release_in(tx, actor, &wish).await.map_err(|e| e.about(wish.deal_id))
        })
        .await
    }

    async fn release_in(&self, tx: &mut Tx, actor: &Actor, wish: &OnCar) -> Result<Answer, DealError> {
        let before = self.open_deal(tx, actor, wish.deal_id).await?;
        self.own_hold(tx, &before).await?;
        let freed = self
            .inventory
            .release_holds(tx, before.deal.id, "RELEASED")
            .await
            .map_err(|e| DealError::from_inventory(e, &before.car.title(), None))?;
        self.payments.give_free(tx, &hold_ids(&freed)).await?;
        self.moved(tx, &before, "hold_released", json!({ "vehicleId": before.deal.vehicle_id })).await
    }

    /// Waits for a car that another deal has. When it is freed, the first in line has it for a short while and is told.
    pub async fn hold_queue_join(&self, actor: &Actor, by: By, wish: OnCar) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.key, "holdQueueJoin", &wish, async |tx: &mut Tx| {
            self.join_in(tx, actor, &wish).await.map_err(|e| e.about(wish.deal_id))
        })
        .await
    }

    async fn join_in(&self, tx: &mut Tx, actor: &Actor, wish: &OnCar) -> Result<Answer, DealError> {
        let before = self.open_deal(tx, actor, wish.deal_id).await?;
        if before.car.status.is_gone() {
            return Err(Refusal::vehicle_taken(&before.car.title(), before.taken.as_ref()).into());
        }
        if before.taken.is_none() {
            let message = format!("Nobody has this {}: hold it instead of waiting for it.", before.car.title());
            return Err(Refusal::new(RefusalCode::VehicleFree, "dealId", message).into());
        }
        let (scope, id) = (actor.selling_scope(), before.deal.id);
        let joined = self
            .inventory
            .join_queue(tx, &scope, before.deal.vehicle_id, id, actor.user_id())
            .await
            .map_err(|e| DealError::from_inventory(e, &before.car.title(), None))?;
        if !joined {
            return Err(Refusal::new(RefusalCode::QueueFull, "dealId", "Too many wait for this car already. Choose another one.").into());
        }
        self.moved(tx, &before, "queue_joined", json!({ "vehicleId": before.deal.vehicle_id })).await
    }

    /// Stops waiting.
    pub async fn hold_queue_leave(&self, actor: &Actor, by: By, wish: OnCar) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.key, "holdQueueLeave", &wish, async |tx: &mut Tx| {
            self.leave_in(tx, actor, &wish).await.map_err(|e| e.about(wish.deal_id))
        })
        .await
    }

    async fn leave_in(&self, tx: &mut Tx, actor: &Actor, wish: &OnCar) -> Result<Answer, DealError> {
        let before = self.found_deal(tx, actor, wish.deal_id).await?;
        if !self.inventory.leave_queue(tx, before.deal.id).await? {
            return Ok(Answer::done(before.deal.id));
        }
        self.moved(tx, &before, "queue_left", json!({ "vehicleId": before.deal.vehicle_id })).await
    }

    /// The hold and the place in line of a deal.
    pub async fn standing(&self, scope: &Scope, deal: DealId) -> Result<(Option<Hold>, Option<QueuePlace>), DbError> {
        self.inventory.standing(scope, deal).await
    }

    /// The deposits of a deal, newest first.
    pub async fn deposits(&self, scope: &Scope, deal: DealId) -> Result<Vec<Deposit>, DbError> {
        self.payments.of_deal(scope, deal).await
    }

    /// One deposit.
    pub async fn deposit(&self, scope: &Scope, id: DepositId) -> Result<Option<Deposit>, DbError> {
        self.payments.find(scope, id).await
    }

    /// Ends holds whose time is over, hands their cars to the next in line and tells everybody; at most 100 at a time, each in a
    /// transaction of its own. Several servers may do it at once. Gives how many cars were freed.
    pub async fn sweep_holds(&self) -> Result<usize, DealError> {
        let mut count: usize = 0;
        for (group, vin) in self.inventory.due_holds(SWEEP_MAX).await? {
            let mut tx = self.db.begin(By::system()).await?;
            let freed = self.inventory.lapse_holds(&mut tx, group, &vin).await?;
            if freed.is_empty() {
                continue;
            }
            self.payments.give_free(&mut tx, &hold_ids(&freed)).await?;
            self.tell_all(&mut tx, group, &vin, None).await?;
            tx.commit().await?;
            count = count.saturating_add(freed.len());
        }
        Ok(count)
    }

    /// The deal, locked, unless another device has it open.
    pub(super) async fn found_deal(&self, tx: &mut Tx, actor: &Actor, id: DealId) -> Result<OnTable, DealError> {
        let now = tx.now();
        let found = table::lock(tx.conn(), &actor.selling_scope(), id, now).await?;
        // Nothing to show for what may not be seen.
        let found = found.ok_or_else(|| DealError::Undone(Refusal::no_deal()))?;
        Self::not_elsewhere(&found, actor)?;
        Ok(found)
    }

    /// The deal, locked, still open.
    pub(super) async fn open_deal(&self, tx: &mut Tx, actor: &Actor, id: DealId) -> Result<OnTable, DealError> {
        let before = self.found_deal(tx, actor, id).await?;
        if !before.deal.state.is_open() {
            let message = format!("Deal {} is {}: its car can't be held or let go.", before.deal.number, before.deal.state.spoken());
            return Err(Refusal::new(RefusalCode::WrongState, "dealId", message).into());
        }
        Ok(before)
    }

    /// The hold the deal has on its car.
    pub(super) async fn own_hold(&self, tx: &mut Tx, before: &OnTable) -> Result<Hold, DealError> {
        let own = self.inventory.hold_of_deal(tx, before.deal.id).await?;
        let message = || format!("This deal does not hold its {}. Hold it first.", before.car.title());
        own.ok_or_else(|| Refusal::new(RefusalCode::NoHold, "dealId", message()).into())
    }

    async fn hold_policy(&self, tx: &mut Tx, actor: &Actor, before: &OnTable) -> Result<HoldPolicy, DealError> {
        let policy = self.inventory.hold_policy(tx, &actor.selling_scope(), before.deal.vehicle_id).await?;
        policy.ok_or_else(|| Refusal::not_found("dealId", "The car of this deal is at a store that is not yours.").into())
    }

    /// Writes down what became of the car and tells every tablet on it.
    async fn moved(&self, tx: &mut Tx, before: &OnTable, verb: &'static str, detail: Value) -> Result<Answer, DealError> {
        let deal = &before.deal;
        tx.audit(AuditEvent { store_id: Some(deal.store_id.0), subject: Subject::Deal, subject_id: deal.id.0, verb, detail });
        tx.notify(deal.store_id.0, Subject::Deal, deal.id.0, deal.version);
        self.tell_rivals(tx, before).await?;
        Ok(Answer::done(deal.id))
    }
}

fn too_long(limit: &crate::inventory::HoldLimit) -> Refusal {
    Refusal::new(RefusalCode::HoldLimit, "minutes", limit.to_string())
}
