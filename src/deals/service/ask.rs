//! Questions to the desk that change nothing: a payment grid, ways to pay side by side, solving backwards.

use super::Deals;
use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::model::{DealProduct, Structure, TradeIn};
use crate::deals::pricing::{Case, Unpriced, WhatIf};
use crate::deals::store::case::{self, Around};
use crate::deals::store::room::{Parts, Room};
use crate::finance::{Comparison, GridCell, Solution, SolveFor};
use crate::kernel::id::DealId;
use crate::kernel::money::Cents;

/// The parts of a room that a question to the desk needs.
pub(in crate::deals) const ASKED: Parts = Parts {
    trade_ins: true,
    products: true,
    finance_quotes: false,
    insurance_quotes: false,
    lines: false,
    salesperson: false,
    steps: false,
};

/// A question about a deal, and the answer or why there is none.
pub type Asked<T> = Result<Option<Result<T, Unpriced>>, DbError>;

impl Deals {
    /// Every program for every term and down payment. None outside the scope.
    pub async fn payment_grid(&self, scope: &Scope, room: &Room, what_if: WhatIf, terms: &[u16], downs: &[Cents]) -> Asked<Vec<GridCell>> {
        self.ask(scope, room, |case| self.desk.grid(case, what_if, terms, downs)).await
    }

    /// Cash, contract and lease side by side. None outside the scope.
    pub async fn comparison(&self, scope: &Scope, room: &Room, what_if: WhatIf, lease_term: Option<u16>) -> Asked<Comparison> {
        self.ask(scope, room, |case| self.desk.compare(case, what_if, lease_term)).await
    }

    /// The payment, down payment, price or term that leads to a payment. None when there is no such deal in the scope.
    pub async fn solve(&self, scope: &Scope, id: DealId, what_if: WhatIf, sought: SolveFor, target: Cents) -> Asked<(Room, Solution)> {
        let Some(room) = self.find(scope, id, ASKED).await? else { return Ok(None) };
        let answer = self.ask(scope, &room, |case| self.desk.solve(case, what_if, sought, target)).await?;
        Ok(answer.map(|answer| answer.map(|solution| (room, solution))))
    }

    async fn ask<T>(&self, scope: &Scope, room: &Room, question: impl FnOnce(&Case<'_>) -> Result<T, Unpriced>) -> Asked<T> {
        let now = self.db.now();
        let found = case::around(&mut *self.db.read().await?, scope, room.deal.id, now).await?;
        let Some(Around { car, group_id, today }) = found else { return Ok(None) };
        let structure = Structure {
            terms: room.deal.terms.clone(),
            trade_ins: room.trade_ins.iter().flatten().cloned().map(TradeIn::from).collect(),
            products: room.products.iter().flatten().cloned().map(DealProduct::from).collect(),
        };
        let case = Case { store_id: room.deal.store_id, group_id, car: &car, structure: &structure, today };
        Ok(Some(question(&case)))
    }
}
