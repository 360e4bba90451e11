//! Changing any part of the structure.

use serde::Serialize;
use serde_json::json;

use super::{Answer, Change, DealError, Deals, Refusal, Start, Target};
use crate::auth::Actor;
use crate::db::{By, Tx};
use crate::deals::diff;
use crate::deals::model::{DealKind, Structure, StructureChange};
use crate::deals::states::DealVerb;
use crate::deals::store::table::{self, OnTable, Outdated};
use uuid::Uuid;

/// A wish to change the structure.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeStructure {
    /// Which deal.
    pub target: Target,
    /// What to change.
    pub change: StructureChange,
}

impl Deals {
    /// Changes the structure and recomputes every figure. Quotes that no longer fit become `SUPERSEDED`.
    pub async fn structure(&self, actor: &Actor, by: By, wish: ChangeStructure) -> Result<Answer, DealError> {
        let key = wish.target.key.clone();
        let mut tx = match self.start(actor, by, &key, "dealStructure", &wish).await? {
            Start::Work(tx) => tx,
            Start::Replayed(answer) => return Ok(answer),
        };
        let result = self.structure_in(&mut tx, actor, wish).await;
        self.finish(tx, actor, &key, result).await
    }

    async fn structure_in(&self, tx: &mut Tx, actor: &Actor, wish: ChangeStructure) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, &wish.target).await?;
        let id = before.deal.id;
        let (after, change) = self.restructured(&before, wish.change).map_err(|e| e.about(id))?;
        let Some(change) = change else { return Ok(Answer::done(id)) };
        self.write_lists(tx, &before, &after).await?;
        self.write(tx, &before, change).await?;
        Ok(Answer::done(id))
    }

    /// The structure after a change and what to write; no change when everything stays as it is. Pure.
    pub(super) fn restructured(&self, before: &OnTable, change: StructureChange) -> Result<(Structure, Option<Change>), DealError> {
        let state = self.step(before, DealVerb::Structure, false)?;
        let after = before.structure.changed(change)?;
        if after == before.structure {
            return Ok((after, None));
        }
        let figures = self.desk.figures(&self.case(before, &after)).map_err(|problem| Refusal::unpriced(&problem))?;
        let mut deal = before.deal.clone();
        deal.state = state;
        deal.terms = after.terms.clone();
        deal.presented_at = None;
        deal.agreed_at = None;
        let changed: Vec<_> = diff::structure(&before.structure, &after)
            .into_iter()
            .map(|(part, old, new)| json!({ "part": part, "before": old, "after": new }))
            .collect();
        let outdated = Outdated { finance: true, insurance: insurance_outdated(&before.structure, &after) };
        let change = Change { deal, figures: Some(figures), outdated, verb: "structured", detail: json!({ "changed": changed }) };
        Ok((after, Some(change)))
    }

    /// Writes trade-ins and products where they changed.
    pub(super) async fn write_lists(&self, tx: &mut Tx, before: &OnTable, after: &Structure) -> Result<(), DealError> {
        if before.structure.trade_ins != after.trade_ins {
            table::replace_trade_ins(tx.conn(), before.deal.id, &after.trade_ins).await?;
        }
        if before.structure.products != after.products {
            let ids: Vec<Uuid> = after.products.iter().map(|_| self.db.new_id()).collect();
            table::replace_products(tx.conn(), before.deal.id, &ids, &after.products).await?;
        }
        Ok(())
    }
}

/// A premium depends on the car, the place, the miles and on whether somebody else (lender, lessor) asks for cover; not on
/// the money.
fn insurance_outdated(before: &Structure, after: &Structure) -> bool {
    let (b, a) = (&before.terms, &after.terms);
    let owed = |kind: DealKind| kind != DealKind::Cash;
    b.annual_miles != a.annual_miles
        || b.buyer_jurisdiction != a.buyer_jurisdiction
        || owed(b.kind) != owed(a.kind)
        || (b.kind == DealKind::Lease) != (a.kind == DealKind::Lease)
}
