//! Reading deals.

use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use super::{AnyQuote, Deals};
use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::model::Scenario;
use crate::deals::plan::{Opened, PaymentPlan};
use crate::deals::pricing::Declined;
use crate::deals::purse::{Kept, damaged};
use crate::deals::replay::Replay;
use crate::deals::states::DealState;
use crate::deals::store::list::{self, DealKey};
use crate::deals::store::quotes;
use crate::deals::store::room::{self, HistoryEvent, Parts, Room, Which};
use crate::kernel::id::{CustomerId, DealId, FinanceQuoteId, InsuranceQuoteId, StoreId, UserId, VehicleId};

/// Which deals to list. Empty and none ask for nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DealFilter {
    /// Only these states.
    pub states: Vec<DealState>,
    /// Only open (true) or only signed and ended ones (false).
    pub open: Option<bool>,
    /// Of one salesperson.
    pub salesperson: Option<UserId>,
    /// Of one customer.
    pub customer: Option<CustomerId>,
    /// About one car.
    pub vehicle: Option<VehicleId>,
    /// With this number.
    pub number: Option<i64>,
    /// Only ended ones whose deposit the payment partner refused to give back.
    pub refund_refused: bool,
}

crate::text_enum! {
    /// The order of a list of deals.
    pub enum DealOrder {
        /// The last changed first.
        LastChanged = "LAST_CHANGED",
        /// What nobody touched for longest first: stuck deals.
        LongestUntouched = "LONGEST_UNTOUCHED",
    }
}

impl Deals {
    /// Deals with the parts asked for, in no particular order; one statement.
    pub async fn find_many(&self, scope: &Scope, ids: &[DealId], parts: Parts) -> Result<Vec<Room>, DbError> {
        if ids.is_empty() || scope.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        self.rooms.ask(&(scope.clone(), parts), ids).await
    }

    /// One deal with the parts asked for.
    pub async fn find(&self, scope: &Scope, id: DealId, parts: Parts) -> Result<Option<Room>, DbError> {
        Ok(self.find_many(scope, &[id], parts).await?.pop())
    }

    /// Up to `limit` deals in an order, after a key.
    pub async fn list(
        &self,
        scope: &Scope,
        filter: &DealFilter,
        order: DealOrder,
        after: Option<DealKey>,
        limit: i64,
        parts: Parts,
    ) -> Result<Vec<Room>, DbError> {
        if scope.is_empty() {
            return Ok(Vec::new());
        }
        let mut conn = self.db.read().await?;
        let keys = list::keys(&mut conn, scope, filter, order, after, limit).await?;
        let ids: Vec<Uuid> = keys.iter().map(|key| key.1).collect();
        let which = Which { ids: &ids, ..Which::default() };
        let rooms = room::find_many(&mut conn, scope, which, parts, self.db.now()).await?;
        Ok(in_order(&ids, rooms))
    }

    /// How many deals the filter finds.
    pub async fn count(&self, scope: &Scope, filter: &DealFilter) -> Result<i64, DbError> {
        list::count(&mut *self.db.read().await?, scope, filter).await
    }

    /// The deals of customers, the last opened first, at most 100 of each; one statement.
    pub async fn of_customers(&self, scope: &Scope, customers: &[CustomerId], open_only: bool, parts: Parts) -> Result<Vec<Room>, DbError> {
        if customers.is_empty() || scope.is_empty() {
            return Ok(Vec::new());
        }
        let customers: Vec<Uuid> = customers.iter().map(|id| id.0).collect();
        let mut rooms = self.of_customers.ask(&(scope.clone(), parts, open_only), customers).await?;
        rooms.sort_by_key(|room| std::cmp::Reverse((room.deal.opened_at, room.deal.id)));
        Ok(rooms)
    }

    /// The newest events of a deal, newest first.
    pub async fn history(&self, scope: &Scope, deal: DealId, before: Option<i64>, limit: i64) -> Result<Vec<HistoryEvent>, DbError> {
        room::history(&mut *self.db.read().await?, scope, deal, before, limit).await
    }

    /// What was done to a deal since a version, oldest first; at most 100 events.
    pub async fn events_since(&self, scope: &Scope, deal: DealId, version: i32) -> Result<Vec<HistoryEvent>, DbError> {
        room::events_since(&mut *self.db.read().await?, scope, deal, version).await
    }

    /// The scenarios of a deal, oldest first.
    pub async fn scenarios(&self, scope: &Scope, deal: DealId) -> Result<Vec<Scenario>, DbError> {
        let rows = room::scenarios(&mut *self.db.read().await?, scope, deal).await?;
        let corrupt = |e: serde_json::Error| DbError::Corrupt(e.to_string());
        rows.into_iter()
            .map(|row| {
                Ok(Scenario {
                    id: row.id,
                    label: row.label,
                    structure: serde_json::from_value(row.structure).map_err(corrupt)?,
                    figures: serde_json::from_value(row.figures).map_err(corrupt)?,
                    created_by: row.created_by,
                    created_at: row.created_at,
                })
            })
            .collect()
    }

    /// The names of users, for those whose deals are seen.
    pub async fn user_names(&self, ids: &[UserId]) -> Result<HashMap<UserId, String>, DbError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        Ok(room::user_names(&mut *self.db.read().await?, &ids).await?.into_iter().collect())
    }

    /// A quote as it was given, and calculated again from its stored inputs.
    pub async fn replay(&self, scope: &Scope, id: AnyQuote) -> Result<Option<Replay>, DbError> {
        let mut conn = self.db.read().await?;
        let stored = match id {
            AnyQuote::Finance(id) => self.opened(quotes::stored_finance(&mut conn, scope, id).await?)?,
            AnyQuote::Insurance(id) => self.driven(quotes::stored_insurance(&mut conn, scope, id).await?)?,
        };
        Ok(stored.map(|quote| match id {
            AnyQuote::Finance(_) => Replay::of_finance(quote.engine_version, &quote.inputs, quote.result),
            AnyQuote::Insurance(_) => Replay::of_insurance(quote.engine_version, &quote.inputs, quote.result),
        }))
    }
}

impl Deals {
    /// Inputs and result of a finance quote as they were calculated.
    pub async fn stored_finance_quote(&self, scope: &Scope, id: FinanceQuoteId) -> Result<Option<(Value, Value)>, DbError> {
        let mut conn = self.db.read().await?;
        let stored = self.opened(quotes::stored_finance(&mut conn, scope, id).await?)?;
        Ok(stored.map(|quote| (quote.inputs, quote.result)))
    }

    /// A stored insurance quote as it was calculated.
    fn driven(&self, mut stored: Option<quotes::StoredQuote>) -> Result<Option<quotes::StoredQuote>, DbError> {
        if let Some(quote) = &mut stored {
            self.desk.purses().open_drivers(quote.store_id, &mut quote.inputs)?;
        }
        Ok(stored)
    }

    /// A stored finance quote as it was calculated.
    fn opened(&self, mut stored: Option<quotes::StoredQuote>) -> Result<Option<quotes::StoredQuote>, DbError> {
        if let Some(quote) = &mut stored {
            self.desk.purses().open_quote(quote.store_id, &mut quote.inputs, &mut quote.result)?;
        }
        Ok(stored)
    }

    /// The programs that declined, as an answer keeps them.
    pub fn declined(&self, store: StoreId, kept: &Kept<Vec<Declined>>) -> Result<Vec<Declined>, DbError> {
        self.desk.purses().open(store, kept)
    }

    /// What a deal's or a scenario's plan keeps sealed: income, debts, score, credit file, co-signer.
    pub fn opened_plan(&self, store: StoreId, plan: &PaymentPlan) -> Result<Opened, DbError> {
        self.desk.purses().opened(store, plan).map_err(damaged)
    }

    /// Inputs and result of an insurance quote as stored.
    pub async fn stored_insurance_quote(&self, scope: &Scope, id: InsuranceQuoteId) -> Result<Option<(Value, Value)>, DbError> {
        let mut conn = self.db.read().await?;
        let stored = self.driven(quotes::stored_insurance(&mut conn, scope, id).await?)?;
        Ok(stored.map(|quote| (quote.inputs, quote.result)))
    }
}

fn in_order(ids: &[Uuid], rooms: Vec<Room>) -> Vec<Room> {
    let mut by_id: HashMap<Uuid, Room> = rooms.into_iter().map(|room| (room.deal.id.0, room)).collect();
    ids.iter().filter_map(|id| by_id.remove(id)).collect()
}
