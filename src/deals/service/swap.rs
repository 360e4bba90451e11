//! Another car, everything else kept: the answer to "it was just sold".

use serde::Serialize;
use serde_json::json;

use super::{Answer, Change, DealError, Deals, Refusal, RefusalCode, Start, Target};
use crate::auth::Actor;
use crate::db::{By, Tx};
use crate::deals::diff;
use crate::deals::model::StructureChange;
use crate::deals::pricing::Case;
use crate::deals::states::{DealVerb, Guard};
use crate::deals::store::open;
use crate::deals::store::table::Outdated;
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

        self.inventory.release_holds(tx, id, "SWAPPED").await.map_err(|e| DealError::from_inventory(e, &before.car.title(), None))?;
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
}
