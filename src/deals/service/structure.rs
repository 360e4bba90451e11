//! Changing any part of the structure.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{Answer, Change, DealError, Deals, Operation, Refusal, RefusalCode, Target};
use crate::auth::Actor;
use crate::db::{By, Tx};
use crate::deals::diff;
use crate::deals::model::{DealKind, DealProduct, Structure, StructureChange, TradeIn};
use crate::deals::pricing::Unpriced;
use crate::deals::states::DealVerb;
use crate::deals::store::table::{self, OnTable, Outdated};
use crate::finance::FeeWaiver;
use crate::kernel::id::{ProductId, TradeInId};
use crate::kernel::money::Cents;

/// A trade-in as the tablet sends it.
#[derive(Debug, Clone, Serialize)]
pub struct TradeInDraft {
    /// The trade-in it replaces, to keep its id and what only managers see.
    pub id: Option<TradeInId>,
    /// The VIN, when known.
    pub vin: Option<String>,
    /// Model year.
    pub model_year: i32,
    /// Make.
    pub make: String,
    /// Model.
    pub model: String,
    /// Miles driven.
    pub odometer_miles: Option<i32>,
    /// What the store allows.
    pub allowance: Cents,
    /// What it is worth to the store.
    pub actual_cash_value: Option<Cents>,
    /// What is owed on it.
    pub payoff: Cents,
    /// Until when the payoff stands.
    pub payoff_good_through: Option<NaiveDate>,
    /// Interest its lender adds for each later day.
    pub payoff_per_diem: Cents,
}

/// A product as the tablet sends it.
#[derive(Debug, Clone, Serialize)]
pub struct ProductDraft {
    /// Which product.
    pub product_id: ProductId,
    /// Another price than the list's.
    pub price: Option<Cents>,
}

/// A waived fee as the tablet sends it.
#[derive(Debug, Clone, Serialize)]
pub struct FeeWaiverDraft {
    /// Which fee: its code.
    pub code: String,
    /// How much of it; all of it when not said.
    pub amount: Option<Cents>,
}

/// A change as the tablet sends it: scalars, and whole lists of drafts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StructureWish {
    /// The scalar parts.
    pub terms: StructureChange,
    /// All trade-ins, in order.
    pub trade_ins: Option<Vec<TradeInDraft>>,
    /// All products.
    pub products: Option<Vec<ProductDraft>>,
    /// All waived fees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_waivers: Option<Vec<FeeWaiverDraft>>,
}

/// A wish to change the structure.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeStructure {
    /// Which deal.
    pub target: Target,
    /// What to change.
    pub change: StructureWish,
}

impl Deals {
    /// Changes the structure and recomputes every figure. Quotes that no longer fit become `SUPERSEDED`.
    pub async fn structure(&self, actor: &Actor, by: By, wish: ChangeStructure) -> Result<Answer, DealError> {
        let work = |before: &OnTable, _| {
            let change = self.resolve(before, wish.change.clone())?;
            Ok(self.restructured(before, change)?.1)
        };
        let operation = Operation { name: "dealStructure", of_the_deal_alone: true };
        self.change(actor, by, &wish.target, operation, &wish, work).await
    }

    /// Gives drafts their ids, prices and what they keep.
    pub(super) fn resolve(&self, before: &OnTable, wish: StructureWish) -> Result<StructureChange, DealError> {
        let mut change = wish.terms;
        if let Some(code) = &change.buyer_jurisdiction
            && !self.desk.knows_jurisdiction(code, before.today)
        {
            return Err(Refusal::unpriced(&Unpriced::UnknownJurisdiction(code.clone())).into());
        }
        let (plan, purses, store) = (&before.structure.terms.plan, self.desk.purses(), before.deal.store_id);
        change.plan.kept_purse = Some(purses.changed(store, plan, change.plan.purse)?);
        change.plan.kept_credit = Some(purses.changed_credit(store, plan, change.plan.credit)?);
        change.trade_ins = wish.trade_ins.map(|drafts| drafts.into_iter().map(|draft| self.trade_in(before, draft)).collect());
        if let Some(drafts) = wish.products {
            let mut products = Vec::with_capacity(drafts.len());
            for draft in drafts {
                let list_price = self.desk.product_price(&Self::case(before, &before.structure), draft.product_id);
                // A product that was agreed on stays possible after the list dropped it.
                let kept = before.structure.products.iter().find(|p| p.product_id == draft.product_id).map(|p| p.price);
                let known = kept.or(list_price).ok_or_else(|| Refusal::unpriced(&Unpriced::UnknownProduct))?;
                products.push(DealProduct { product_id: draft.product_id, price: draft.price.unwrap_or(known) });
            }
            change.products = Some(products);
        }
        if let Some(drafts) = wish.fee_waivers {
            change.fee_waivers = Some(self.waivers(before, &change, drafts)?);
        }
        Ok(change)
    }

    /// Waived fees with their amounts, each one of the store's own and no more than it is.
    fn waivers(&self, before: &OnTable, change: &StructureChange, drafts: Vec<FeeWaiverDraft>) -> Result<Vec<FeeWaiver>, DealError> {
        let after = before.structure.changed(change.clone())?;
        let case = Self::case(before, &after);
        let refused = |message: String| Refusal::new(RefusalCode::FeeNotWaivable, "feeWaivers", message);
        let waiver = |draft: FeeWaiverDraft| -> Result<FeeWaiver, DealError> {
            let fee = self.desk.waivable_fee(&case, &draft.code).map_err(refused)?;
            match draft.amount {
                Some(amount) if amount > fee => Err(refused(format!("That fee is {fee}: no more than it can be waived.")).into()),
                amount => Ok(FeeWaiver { code: draft.code, amount: amount.unwrap_or(fee) }),
            }
        };
        drafts.into_iter().map(waiver).collect()
    }

    fn trade_in(&self, before: &OnTable, draft: TradeInDraft) -> TradeIn {
        let old = before.structure.trade_ins.iter().find(|trade| Some(trade.id) == draft.id);
        TradeIn {
            id: old.map_or_else(|| self.db.new_id(), |trade| trade.id),
            vin: draft.vin,
            model_year: draft.model_year,
            make: draft.make,
            model: draft.model,
            odometer_miles: draft.odometer_miles,
            allowance: draft.allowance,
            actual_cash_value: draft.actual_cash_value.or_else(|| old.and_then(|trade| trade.actual_cash_value)),
            payoff: draft.payoff,
            payoff_good_through: draft.payoff_good_through,
            payoff_per_diem: draft.payoff_per_diem,
        }
    }

    /// The structure after a change and what to write; no change when everything stays as it is. Pure.
    pub(super) fn restructured(&self, before: &OnTable, change: StructureChange) -> Result<(Structure, Option<Change>), DealError> {
        let state = Self::step(before, DealVerb::Structure, false)?;
        let after = before.structure.changed(change)?;
        if after == before.structure {
            return Ok((after, None));
        }
        self.check_products(before, &after)?;
        let figures = self.desk.figures(&Self::case(before, &after)).map_err(|problem| Refusal::unpriced(&problem))?;
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
        let lists = (before.structure.trade_ins != after.trade_ins || before.structure.products != after.products).then(|| after.clone());
        let detail = json!({ "changed": changed });
        let change = Change { deal, figures: Some(figures), outdated, lists, verb: "structured", detail };
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
