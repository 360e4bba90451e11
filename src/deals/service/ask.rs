//! Questions to the desk that change nothing: a payment grid, ways to pay side by side, solving backwards.

use super::Deals;
use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::model::Deal;
use crate::deals::pricing::{Case, Unpriced, WhatIf};
use crate::deals::store::table;
use crate::finance::{Comparison, GridCell, Solution, SolveFor};
use crate::kernel::id::DealId;
use crate::kernel::money::Cents;

/// A question about a deal, and the answer or why there is none.
pub type Asked<T> = Result<Option<Result<T, Unpriced>>, DbError>;

impl Deals {
    /// Every program for every term and down payment. None outside the scope.
    pub async fn payment_grid(&self, scope: &Scope, id: DealId, what_if: &WhatIf, terms: &[u16], downs: &[Cents]) -> Asked<Vec<GridCell>> {
        Ok(self.ask(scope, id, |case| self.desk.grid(case, what_if, terms, downs)).await?.map(|(_, answer)| answer))
    }

    /// Cash, contract and lease side by side. None outside the scope.
    pub async fn comparison(&self, scope: &Scope, id: DealId, what_if: &WhatIf, lease_term: Option<u16>) -> Asked<Comparison> {
        Ok(self.ask(scope, id, |case| self.desk.compare(case, what_if, lease_term)).await?.map(|(_, answer)| answer))
    }

    /// The payment, down payment, price or term that leads to a payment. None when there is no such deal in the scope.
    pub async fn solve(&self, scope: &Scope, id: DealId, what_if: &WhatIf, sought: SolveFor, target: Cents) -> Asked<(Deal, Solution)> {
        let answer = self.ask(scope, id, |case| self.desk.solve(case, what_if, sought, target)).await?;
        Ok(answer.map(|(deal, answer)| answer.map(|solution| (deal, solution))))
    }

    /// Reads the deal without a lock and asks.
    async fn ask<T>(
        &self,
        scope: &Scope,
        id: DealId,
        question: impl FnOnce(&Case<'_>) -> Result<T, Unpriced>,
    ) -> Result<Option<(Deal, Result<T, Unpriced>)>, DbError> {
        let found = table::read(&mut *self.db.read().await?, scope, id, self.db.now()).await?;
        Ok(found.map(|on_table| {
            let answer = question(&Self::case(&on_table, &on_table.structure));
            (on_table.deal, answer)
        }))
    }
}
