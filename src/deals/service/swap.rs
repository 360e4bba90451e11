//! Another car, everything else kept: the answer to "it was just sold".

use serde::Serialize;
use serde_json::json;

use super::hold::hold_ids;
use super::{Answer, Change, DealError, Deals, OnTable, Refusal, RefusalCode, Start, Target};
use crate::auth::Actor;
use crate::db::{By, Tx};
use crate::deals::diff;
use crate::deals::model::StructureChange;
use crate::deals::pricing::Case;
use crate::deals::states::{DealVerb, Guard};
use crate::deals::store::open;
use crate::deals::store::table::Outdated;
use crate::inventory::{HoldReason, PlaceHold};
use crate::kernel::id::VehicleId;
use crate::kernel::money::Cents;

/// A wish to swap the car.
#[derive(Debug, Clone, Serialize)]
pub struct SwapVehicle {
    /// Which deal.
    pub target: Target,
    /// The new car.
    pub vehicle_id: VehicleId,
    /// Its price in this deal; the asking price when not said.
    pub price: Option<Cents>,
}

impl Deals {
    /// Puts another car into the deal. Money down, trade-ins, term, products and tier stay; the figures are calculated anew,
    /// and the answer has every line before and after.
    pub async fn swap_vehicle(&self, actor: &Actor, by: By, wish: SwapVehicle) -> Result<Answer, DealError> {
        let mut tx = match self.start(actor, by, &wish.target.key, "dealSwapVehicle", &wish).await? {
            Start::Work(tx) => tx,
            Start::Replayed(answer) => return Ok(answer),
        };
        let result = self.swap_in(&mut tx, actor, &wish).await;
        self.finish(tx, actor, &wish.target.key, result).await
    }

    async fn swap_in(&self, tx: &mut Tx, actor: &Actor, wish: &SwapVehicle) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, &wish.target).await?;
        let id = before.deal.id;
        let scope = actor.selling_scope();
        let found = open::car(tx.conn(), &scope, before.group_id, wish.vehicle_id)
            .await?
            .ok_or_else(|| Refusal::not_found("vehicleId", "There is no such vehicle in your stores.").of(id))?;
        let taken = open::holder(tx.conn(), before.group_id, &found.car.vin, id.0, before.deal.store_id).await?;
        // The guard asks about the car the deal moves to, not the one it leaves.
        let on_new = super::OnTable { car: found.car, taken, ..before.clone() };
        let free = on_new.taken.is_none() && (on_new.car.status.is_free() || before.deal.vehicle_id == on_new.car.id);
        let state = Self::step(&on_new, DealVerb::SwapVehicle, false)?;
        if !free {
            return Err(Refusal::guard(&on_new, Guard::VehicleFree).into());
        }
        if found.currency != before.deal.terms.currency {
            return Err(Refusal::new(RefusalCode::CurrencyMismatch, "vehicleId", "This car is priced in another currency.").of(id).into());
        }
        let price = wish.price.or(on_new.car.price).ok_or_else(|| {
            let message = format!("This {} has no price yet. Say what it is to cost.", on_new.car.title());
            Refusal::new(RefusalCode::PriceMissing, "price", message).of(id)
        })?;
        let change = StructureChange { price: Some(price), ..StructureChange::default() };
        let structure = before.structure.changed(change).map_err(|out| DealError::from(out).about(id))?;
        let case = Case { car: &on_new.car, ..Self::case(&before, &structure) };
        let after = self.desk.figures(&case).map_err(|problem| Refusal::unpriced(&problem).of(id))?;
        // The figures before, as they would be today without a quote: like is compared with like.
        let old = self.desk.figures(&Self::case(&before, &before.structure)).ok().or_else(|| before.figures.clone());
        let (lines, totals) = old.as_ref().map_or_else(Default::default, |old| (diff::lines(old, &after), diff::totals(old, &after)));

        self.move_hold(tx, actor, &before, &on_new).await?;
        let mut deal = before.deal.clone();
        deal.state = state;
        deal.vehicle_id = on_new.car.id;
        deal.terms = structure.terms;
        deal.presented_at = None;
        deal.agreed_at = None;
        let detail = json!({ "fromVehicleId": before.deal.vehicle_id, "toVehicleId": on_new.car.id, "lines": lines });
        let outdated = Outdated { finance: true, insurance: true };
        let change = Change { deal, figures: Some(after), outdated, lists: None, verb: "vehicle_swapped", detail };
        Ok(Answer { lines, totals, ..self.write(tx, &before, change).await? })
    }

    /// A deal that held the old car holds the new one for the rest of the time, and its deposit goes with it. The old car goes to
    /// the next in line.
    async fn move_hold(&self, tx: &mut Tx, actor: &Actor, before: &OnTable, on_new: &OnTable) -> Result<(), DealError> {
        if on_new.car.vin == before.car.vin {
            return Ok(());
        }
        let held = self.inventory.hold_of_deal(tx, before.deal.id).await?;
        let failed = |e| DealError::from_inventory(e, &on_new.car.title(), None);
        let freed = self.inventory.release_holds(tx, before.deal.id, "SWAPPED").await.map_err(failed)?;
        match held.filter(|held| held.reason == HoldReason::Deal) {
            Some(held) => {
                let wish = PlaceHold {
                    vehicle_id: on_new.car.id,
                    deal_id: before.deal.id,
                    reason: HoldReason::Deal,
                    placed_by: actor.user_id(),
                    expires_at: held.expires_at,
                    note: held.note,
                };
                // Refused only when somebody took the new car this very moment: nothing of the swap may stay.
                let undone = |e| match failed(e) {
                    DealError::Refused(refusal) => DealError::Undone(refusal.of(before.deal.id)),
                    other => other,
                };
                let hold = self.inventory.place_hold(tx, &actor.selling_scope(), wish).await.map_err(undone)?;
                self.payments.follow(tx, before.deal.id, hold.id).await?;
                self.tell_all(tx, on_new.group_id, &on_new.car.vin, Some(before.deal.id)).await?;
            }
            None => self.payments.give_free(tx, &hold_ids(&freed)).await?,
        }
        if !freed.is_empty() {
            self.tell_rivals(tx, before).await?;
        }
        Ok(())
    }
}
