//! What the customer answered, the menu of products made for them, and what a product gives back.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;

use super::{Answer, Change, DealError, Deals, Refusal, RefusalCode, Target};
use crate::auth::{Actor, Scope};
use crate::db::{By, DbError, Tx};
use crate::deals::menu::Menu;
use crate::deals::model::Structure;
use crate::deals::states::DealVerb;
use crate::deals::store::affected::{self, Affected};
use crate::deals::store::answers;
use crate::deals::store::room::{Parts, Room};
use crate::deals::store::table::{self, OnTable, Outdated};
use crate::finance::{Cancellation, CustomerNeeds, Refund};
use crate::insurance::InsuranceWish;
use crate::kernel::id::{DealId, ProductId};
use crate::kernel::money::Cents;
use uuid::Uuid;

/// What the customer answered.
#[derive(Debug, Clone, Serialize)]
pub struct RecordAnswers {
    /// Which deal.
    pub target: Target,
    /// For suggestions of products.
    pub needs: Option<CustomerNeeds>,
    /// For insurers.
    pub insurance: Option<InsuranceWish>,
}

/// What a cancellation is asked about.
#[derive(Debug, Clone, Copy)]
pub struct CancelProduct {
    /// Which product of the deal.
    pub product: ProductId,
    /// The day of cancellation.
    pub on: NaiveDate,
    /// What the odometer shows then.
    pub odometer_miles: Option<i32>,
    /// What was paid out in claims.
    pub claims: Cents,
}

impl Deals {
    /// Records what the customer answered. Insurance quotes nobody can rely on any more become `SUPERSEDED`.
    pub async fn record_answers(&self, actor: &Actor, by: By, wish: RecordAnswers) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.target.key, "dealAnswersRecord", &wish, async |tx: &mut Tx| self.record_in(tx, actor, &wish).await).await
    }

    async fn record_in(&self, tx: &mut Tx, actor: &Actor, wish: &RecordAnswers) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, &wish.target).await?;
        // Answers may come whenever the structure may change; the state stays.
        Self::step(&before, DealVerb::Structure, false)?;
        let json = |e: serde_json::Error| DbError::Corrupt(e.to_string());
        let needs = wish.needs.map(serde_json::to_value).transpose().map_err(json)?;
        // Who drives, how old they are and what they did is nobody's business but the insurers'.
        let kept = wish.insurance.as_ref().map(|said| self.desk.purses().keep(before.deal.store_id, said)).transpose()?;
        let insurance = kept.map(serde_json::to_value).transpose().map_err(json)?;
        let detail = json!({ "needs": needs.is_some(), "insurance": insurance.is_some() });
        let now = tx.now();
        answers::keep(tx.conn(), before.deal.id, needs, insurance, now).await?;
        let outdated = Outdated { finance: false, insurance: wish.insurance.is_some() };
        let change = Change { outdated, ..Change::of(before.deal.clone(), "answers_recorded", detail) };
        self.write(tx, &before, change).await?;
        Ok(Answer::done(before.deal.id))
    }

    /// Refuses products that this customer cannot have or could not use, where products or the way to pay changed. Pure.
    pub(super) fn check_products(&self, before: &OnTable, after: &Structure) -> Result<(), DealError> {
        if after.products.is_empty() || (after.products == before.structure.products && after.terms.kind == before.structure.terms.kind) {
            return Ok(());
        }
        match self.desk.product_refusal(&Self::case(before, after)) {
            Some(words) => Err(Refusal::new(RefusalCode::ProductNotEligible, "products", words).into()),
            None => Ok(()),
        }
    }

    async fn looked_at(&self, scope: &Scope, deal: DealId) -> Result<Option<(OnTable, answers::Answers)>, DbError> {
        let mut conn = self.db.read().await?;
        let Some(on_table) = table::read(&mut conn, scope, deal, self.db.now()).await? else { return Ok(None) };
        let answers = answers::find(&mut conn, scope, deal).await?.unwrap_or_default();
        Ok(Some((on_table, answers)))
    }

    /// The menu of a deal: every product with its payment with and without it. None outside the scope, or while the figures of
    /// the deal can't be told.
    pub async fn product_menu(&self, scope: &Scope, deal: DealId) -> Result<Option<Menu>, DbError> {
        let Some((on_table, answers)) = self.looked_at(scope, deal).await? else { return Ok(None) };
        Ok(self.desk.menu(&Self::case(&on_table, &on_table.structure), answers.needs).ok())
    }

    /// What the customer answered about how they use a car. None outside the scope.
    pub async fn customer_needs(&self, scope: &Scope, deal: DealId) -> Result<Option<CustomerNeeds>, DbError> {
        Ok(answers::find(&mut *self.db.read().await?, scope, deal).await?.map(|answers| answers.needs))
    }

    /// What a product of a deal gives back when it is cancelled. None when the deal has no such product.
    pub async fn product_refund(&self, scope: &Scope, deal: DealId, ask: CancelProduct) -> Result<Option<Refund>, DbError> {
        let Some((on_table, _)) = self.looked_at(scope, deal).await? else { return Ok(None) };
        let Some(sold) = on_table.structure.products.iter().find(|p| p.product_id == ask.product) else { return Ok(None) };
        let from = on_table.deal.contracted_at.map_or(on_table.today, |at| self.dealers.day(on_table.deal.store_id, at));
        let driven = ask.odometer_miles.map(|now| now.saturating_sub(on_table.car.odometer_miles.unwrap_or(0)).max(0));
        let cancel = Cancellation {
            price: sold.price,
            from,
            on: ask.on,
            miles_driven: driven.and_then(|miles| u32::try_from(miles).ok()),
            claims: ask.claims,
            owed_months: on_table.structure.terms.owed_months(),
        };
        Ok(self.desk.refund(ask.product, &on_table.structure.terms.buyer_jurisdiction, &cancel))
    }

    /// Deals that were told figures by a rule, with the parts asked for, by id.
    pub async fn affected(
        &self,
        scope: &Scope,
        rule: Uuid,
        after: Option<Uuid>,
        limit: i64,
        parts: Parts,
    ) -> Result<Vec<(Affected, Room)>, DbError> {
        let rows = affected::by_rule(&mut *self.db.read().await?, scope, rule, after, limit).await?;
        let ids: Vec<DealId> = rows.iter().map(|row| row.deal_id).collect();
        let mut rooms = self.find_many(scope, &ids, parts).await?;
        let mut out = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(position) = rooms.iter().position(|room| room.deal.id == row.deal_id) {
                out.push((row, rooms.swap_remove(position)));
            }
        }
        Ok(out)
    }

    /// How many deals were told figures by a rule.
    pub async fn count_affected(&self, scope: &Scope, rule: Uuid) -> Result<i64, DbError> {
        affected::count_by_rule(&mut *self.db.read().await?, scope, rule).await
    }
}
