//! Showing the figures, the customer's yes, and the ends without a sale.

use serde_json::json;

use super::{Answer, Change, DealError, Deals, EndDeal, Operation, Refusal, RefusalCode, Target};
use crate::auth::Actor;
use crate::db::{By, Tx};
use crate::deals::model::LostReason;
use crate::deals::states::{DealState, DealVerb};
use crate::deals::store::quotes;
use crate::deals::store::table::OnTable;
use crate::payments::Owed;

impl Deals {
    /// The customer was shown every line and the total price. The audit event keeps exactly what was shown.
    pub async fn present(&self, actor: &Actor, by: By, target: Target) -> Result<Answer, DealError> {
        let work = |before: &OnTable, now| {
            let mut deal = before.deal.clone();
            deal.state = Self::step(before, DealVerb::Present, false)?;
            deal.presented_at = Some(now);
            let detail = json!({ "figures": before.figures, "quoteId": deal.accepted_finance_quote_id, "vehicleId": deal.vehicle_id });
            Ok(Some(Change::of(deal, "presented", detail)))
        };
        let operation = Operation { name: "dealPresent", of_the_deal_alone: false };
        self.change(actor, by, &target, operation, &target, work).await
    }

    /// The customer says yes to what was shown. Insurance they chose must be what their lender or lessor asks for today.
    pub async fn agree(&self, actor: &Actor, by: By, target: Target) -> Result<Answer, DealError> {
        // Read before the deal: of another version it would not be read at all, and the deal be refused as out of sync.
        let scope = actor.selling_scope();
        let chosen = quotes::chosen_insurance(&mut *self.db.read().await?, &scope, target.deal_id, target.expected_version).await?;
        let work = |before: &OnTable, now| {
            let mut deal = before.deal.clone();
            deal.state = self.step_within_rules(before, DealVerb::Agree, now)?;
            let gap = chosen.as_ref().map(|chosen| self.desk.cover_gap(&Self::case(before, &before.structure), chosen)).transpose()?;
            if let Some(gap) = gap.flatten() {
                return Err(Refusal::new(RefusalCode::InsuranceNotEnough, "dealId", gap).into());
            }
            deal.agreed_at = Some(now);
            let detail = json!({ "figures": before.deal.figures, "quoteId": deal.accepted_finance_quote_id });
            Ok(Some(Change::of(deal, "agreed", detail)))
        };
        let operation = Operation { name: "dealAgree", of_the_deal_alone: false };
        self.change(actor, by, &target, operation, &target, work).await
    }

    /// The customer walks away.
    pub async fn lose(&self, actor: &Actor, by: By, wish: EndDeal) -> Result<Answer, DealError> {
        self.end(actor, by, wish, "dealLose", DealVerb::Lose).await
    }

    /// Called off before delivery; a signed deal gives its car back.
    pub async fn cancel(&self, actor: &Actor, by: By, wish: EndDeal) -> Result<Answer, DealError> {
        self.end(actor, by, wish, "dealCancel", DealVerb::Cancel).await
    }

    async fn end(&self, actor: &Actor, by: By, wish: EndDeal, operation: &'static str, verb: DealVerb) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.target.key, operation, &wish, async |tx: &mut Tx| self.end_in(tx, actor, &wish, verb).await).await
    }

    async fn end_in(&self, tx: &mut Tx, actor: &Actor, wish: &EndDeal, verb: DealVerb) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, &wish.target).await?;
        // A code says enough, but for "something else".
        let said = !wish.reason.trim().is_empty() || wish.code.is_some_and(|code| code != LostReason::Other);
        let state = Self::step(&before, verb, said)?;
        let freed = self
            .inventory
            .release_holds(tx, before.deal.id, state.as_str())
            .await
            .map_err(|e| DealError::from_inventory(e, &before.car.title(), None))?;
        self.payments.give_back(tx, before.deal.id, Owed::AsAgreed).await?;
        if !freed.is_empty() {
            self.tell_rivals(tx, &before).await?;
        }
        let mut deal = before.deal.clone();
        deal.state = state;
        deal.lost_reason = Some(wish.reason.clone()).filter(|words| !words.trim().is_empty());
        deal.lost_reason_code = wish.code;
        deal.ended_at = Some(tx.now());
        let verb = if state == DealState::Lost { "lost" } else { "cancelled" };
        self.write(tx, &before, Change::of(deal, verb, json!({ "vehiclesFreed": freed.len(), "reasonCode": wish.code }))).await
    }
}
