//! Another car, everything else kept: the answer to "it was just sold".

use serde::Serialize;
use serde_json::json;

use super::hold::hold_ids;
use super::{Answer, Change, DealError, Deals, OnTable, Refusal, RefusalCode, Target};
use crate::auth::Actor;
use crate::db::{By, Tx};
use crate::deals::diff;
use crate::deals::model::{Figures, Structure, StructureChange};
use crate::deals::pricing::{Case, Unpriced};
use crate::deals::recheck::{HoldConstant, Recheck};
use crate::deals::states::{DealVerb, Guard};
use crate::deals::store::answers::{self, Answers};
use crate::deals::store::open;
use crate::deals::store::table::Outdated;
use crate::finance::ApprovalKind;
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
    /// What the customer holds constant; the money down when not said.
    pub constant: Option<HoldConstant>,
}

/// A deal on its new car.
struct Swapped {
    structure: Structure,
    figures: Figures,
    rechecks: Vec<Recheck>,
}

impl Deals {
    /// Puts another car into the deal. What the customer holds constant is kept (money down, payment or total price), trade-ins,
    /// term and tier stay, and products stay where the car can have them. Everything is calculated and looked at again, and the
    /// answer has every line before and after. One transaction.
    pub async fn swap_vehicle(&self, actor: &Actor, by: By, wish: SwapVehicle) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.target.key, "dealSwapVehicle", &wish, async |tx: &mut Tx| self.swap_in(tx, actor, &wish).await).await
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
        let on_new = super::OnTable { car: found.car, taken, cost: found.cost, markup: None, ..before.clone() };
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
        // The figures before, as they would be today without a quote: like is compared with like.
        let was = Self::case(&before, &before.structure);
        let old = self.desk.figures(&was).ok().or_else(|| before.figures.clone());
        let said = answers::find(tx.conn(), &scope, id).await?.unwrap_or_default();
        let Swapped { structure, figures: after, mut rechecks } = self
            .swapped(&was, &on_new, &structure, wish.constant.unwrap_or(HoldConstant::DownPayment), old.as_ref(), &said)
            .map_err(|problem| Refusal::unpriced(&problem).of(id))?;
        structure.check().map_err(|out| DealError::from(out).about(id))?;
        rechecks.extend(self.asked_again(&before, old.as_ref(), &on_new, &structure, &after));
        let gross = |on: &OnTable, structure: &Structure, figures| on.basis(structure, figures).front_gross();
        let earned = Recheck::front_gross(gross(&before, &before.structure, old.as_ref()), gross(&on_new, &structure, Some(&after)));
        let (lines, totals) = old.as_ref().map_or_else(Default::default, |old| (diff::lines(old, &after), diff::totals(old, &after)));

        self.move_hold(tx, actor, &before, &on_new).await?;
        let mut deal = before.deal.clone();
        deal.state = state;
        deal.vehicle_id = on_new.car.id;
        deal.terms = structure.terms.clone();
        deal.presented_at = None;
        deal.agreed_at = None;
        let detail = json!({ "fromVehicleId": before.deal.vehicle_id, "toVehicleId": on_new.car.id, "lines": lines,
                             "constant": wish.constant, "rechecks": rechecks });
        let outdated = Outdated { finance: true, insurance: true };
        let change = Change { deal, figures: Some(after), outdated, lists: Some(structure), verb: "vehicle_swapped", detail };
        // The history is for everybody: what the store earns is only in the answer, and only in a manager's.
        rechecks.extend(earned.filter(|_| actor.manages(before.deal.store_id)));
        Ok(Answer { lines, totals, rechecks, ..self.write(tx, &before, change).await? })
    }

    /// The structure on the new car: the constant kept, products the car cannot have taken out, everything looked at again. Pure.
    fn swapped(
        &self,
        was: &Case<'_>,
        on_new: &OnTable,
        structure: &Structure,
        constant: HoldConstant,
        old: Option<&Figures>,
        said: &Answers,
    ) -> Result<Swapped, Unpriced> {
        let case = |structure| Case { car: &on_new.car, structure, ..*was };
        let (products, mut rechecks) = self.desk.products_on(was, &case(structure));
        let fitting = Structure { products, ..structure.clone() };
        let structure = self.desk.keeping(&case(&fitting), constant, old.and_then(|old| old.payment), old.map(|old| old.total_price))?;
        let figures = self.desk.figures(&case(&structure))?;
        rechecks.extend(self.desk.recheck(was, &case(&structure), said));
        Ok(Swapped { structure, figures, rechecks })
    }

    /// The rules a manager is asked about: which the deal went beyond, and which it does now. What a new rate earns is looked at when
    /// the customer is to agree.
    fn asked_again(
        &self,
        before: &OnTable,
        old: Option<&Figures>,
        on_new: &OnTable,
        structure: &Structure,
        after: &Figures,
    ) -> Vec<Recheck> {
        let was = self.findings(before, &before.basis(&before.structure, old)).0;
        let now = self.findings(on_new, &on_new.basis(structure, Some(after))).0;
        let beyond = now.iter().map(|finding| {
            let before = was.iter().any(|old| old.kind == finding.kind);
            Recheck::approval(finding.kind.as_str(), before, Some(&finding.say(false)))
        });
        let looked_at = |kind| kind != ApprovalKind::RateMarkup;
        let cleared = was.iter().filter(|old| looked_at(old.kind) && !now.iter().any(|finding| finding.kind == old.kind));
        beyond.chain(cleared.map(|old| Recheck::approval(old.kind.as_str(), true, None))).collect()
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
