//! Signing: the one moment when a car is taken.

use serde_json::json;

use super::{Answer, Change, DealError, Deals, Target};
use crate::auth::Actor;
use crate::db::notices::Subject;
use crate::db::{By, Tx};
use crate::deals::states::DealVerb;
use crate::deals::steps::DealFacts;
use crate::deals::store::open;
use crate::deals::store::table::{self, OnTable};
use crate::inventory::{HoldReason, InventoryError, PlaceHold};
use crate::kernel::id::{DealId, GroupId};

impl Deals {
    /// Signs the deal. Of many deals that sign for one VIN at once exactly one gets it; the others are told by whom and when.
    pub async fn contract(&self, actor: &Actor, by: By, target: Target) -> Result<Answer, DealError> {
        self.once(actor, by, &target.key, "dealContract", &target, async |tx: &mut Tx| {
            self.contract_in(tx, actor, &target).await.map_err(|e| e.about(target.deal_id))
        })
        .await
    }

    async fn contract_in(&self, tx: &mut Tx, actor: &Actor, target: &Target) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, target).await.map_err(|e| match e {
            // Nothing to show for what may not be seen.
            DealError::Refused(refusal) if refusal.deal_id.is_none() => DealError::Undone(refusal),
            other => other,
        })?;
        let taken = before.taken_words();
        let facts = DealFacts { menu_decided: self.menu_decided(&before), ..Self::facts(&before, taken.as_deref(), false) };
        let state = Self::decided(&before, DealVerb::Contract, facts.step(DealVerb::Contract))?;
        let wish = PlaceHold {
            vehicle_id: before.deal.vehicle_id,
            deal_id: before.deal.id,
            reason: HoldReason::Contract,
            placed_by: actor.user_id(),
            expires_at: None,
            note: None,
        };
        if let Err(error) = self.inventory.place_hold(tx, &actor.selling_scope(), wish).await {
            let title = before.car.title();
            let taken = match error {
                InventoryError::VehicleHeld { .. } | InventoryError::NotForSale { .. } => {
                    open::holder(tx.conn(), before.group_id, &before.car.vin, before.deal.id.0, before.deal.store_id).await?
                }
                InventoryError::NotFound | InventoryError::Db(_) => None,
            };
            return Err(DealError::from_inventory(error, &title, taken.as_ref()));
        }
        self.tell_rivals(tx, &before).await?;
        let mut deal = before.deal.clone();
        deal.state = state;
        deal.contracted_at = Some(tx.now());
        let detail = json!({ "vehicleId": deal.vehicle_id, "figures": before.figures, "quoteId": deal.accepted_finance_quote_id,
                             "insuranceQuoteId": deal.accepted_insurance_quote_id });
        self.write(tx, &before, Change::of(deal, "contracted", detail)).await
    }

    /// Every open deal on this VIN hears, after the commit, that the car went or came back.
    pub(super) async fn tell_rivals(&self, tx: &mut Tx, before: &OnTable) -> Result<(), DealError> {
        self.tell_all(tx, before.group_id, &before.car.vin, Some(before.deal.id)).await
    }

    /// Every open deal on a VIN, but one, hears after the commit that the car went or came back.
    pub(super) async fn tell_all(&self, tx: &mut Tx, group: GroupId, vin: &str, except: Option<DealId>) -> Result<(), DealError> {
        for (id, store, version) in table::rivals(tx.conn(), group, vin, except).await? {
            tx.notify(store, Subject::Deal, id, version);
        }
        Ok(())
    }
}
