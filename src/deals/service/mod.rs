//! The use cases of a deal, one room per subject. Each is one transaction: claim the key, lock the deal, compare the
//! version, ask the table of states, compute in memory, write back, and commit with audit event, notices and answer.
//!
//! What changes nothing but the deal itself ([`Deals::change`]) is tried in two statements first: read without a lock, and
//! write everything at once under the condition that the deal is still at that version. Whatever comes in between (a refusal,
//! a retry, another tablet) is decided the long way.
//!
//! Order inside a use case: everything that can refuse comes before anything that writes, because a refusal is remembered
//! under its key and committed.

mod agree;
mod answers;
mod approve;
mod ask;
mod contract;
mod decide;
mod delivery;
mod deposit;
mod funding;
mod hold;
mod idle;
mod menu;
mod open;
mod quote;
mod read;
mod refusal;
mod replay;
mod scenario;
mod seat;
mod structure;
mod swap;
mod written;

use std::slice;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::approval::{ApprovalLevel, ApprovalNeed};
use super::model::{Deal, Figures, LostReason, Structure};
use super::pricing::{Case, Desk};
use super::states::{DealState, DealVerb, Refusal as StateRefusal};
use super::steps::{DealFacts, SignedFacts};
use super::store::room::{self, Parts, Room, Which};
use super::store::table::{self, Basis, OnTable, Outdated, Saved};
use crate::auth::{Actor, Scope};
use crate::db::idempotency::{Claim, Keyed};
use crate::db::{By, Db, DbError, Together, Tx, deal_out};
use crate::dealers::Dealers;
use crate::inventory::Inventory;
use crate::kernel::id::DealId;
use crate::kernel::seal::Sealer;
use crate::payments::Payments;

pub use answers::{CancelProduct, RecordAnswers};
pub use approve::{AskApproval, TakeCounter};
pub use decide::DecideApproval;
pub use delivery::{DeliverDeal, ReturnDeal, UnwindDeal};
pub use deposit::{ChangeDeposit, TakeDeposit};
pub use funding::FundDeal;
pub use hold::{HoldCar, OnCar};
pub use menu::DecideMenu;
pub use open::OpenDeal;
pub use quote::{AcceptQuote, AnyQuote};
pub use read::{DealFilter, DealOrder};
pub(in crate::deals) use refusal::taken_words;
pub use refusal::{Answer, DealError, Refusal, RefusalCode};
pub use replay::{OfflineOperation, OfflineWork, OnDeal, Replayed};
pub use scenario::SaveScenario;
pub use seat::{SeatOutcome, TakeOver};
pub use structure::{ChangeStructure, FeeWaiverDraft, ProductDraft, StructureWish, TradeInDraft};
pub use swap::SwapVehicle;
use written::Written;

/// Deals. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deals {
    db: Db,
    inventory: Inventory,
    dealers: Dealers,
    payments: Payments,
    desk: Desk,
    sealer: Arc<Sealer>,
    /// Deals by id, as rooms.
    rooms: Together<(Scope, Parts), Vec<Uuid>, Vec<Room>>,
    /// Deals by customer, as rooms; all, or only those that may still be signed.
    of_customers: Together<(Scope, Parts, bool), Vec<Uuid>, Vec<Room>>,
    /// Deals as a change needs them.
    tables: Together<Scope, DealId, Option<OnTable>>,
    /// Changes of deals: the new version, or none when it must be done under a lock.
    saves: Together<(), Arc<Saved>, Option<i32>>,
    /// Deals as this server wrote them last.
    written: Written,
}

/// Which deal, at which version, under which key: what every change of a deal brings.
#[derive(Debug, Clone, Serialize)]
pub struct Target {
    /// The deal.
    pub deal_id: DealId,
    /// The version the tablet shows.
    pub expected_version: i32,
    /// The tablet's key for this operation.
    #[serde(skip)]
    pub key: String,
}

/// A deal that ends without a sale.
#[derive(Debug, Clone, Serialize)]
pub struct EndDeal {
    /// Which deal.
    pub target: Target,
    /// Why, in the salesperson's words.
    pub reason: String,
    /// Why the customer does not buy. Not for a deal that is called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<LostReason>,
}

/// A use case that changes nothing but the deal.
#[derive(Clone, Copy)]
struct Operation {
    /// The mutation's name.
    name: &'static str,
    /// It asks nothing about holds, quotes or approvals, so that it can go by the deal as this server wrote it last.
    of_the_deal_alone: bool,
}

/// What a use case writes.
struct Change {
    deal: Deal,
    /// New figures; none leaves those stored.
    figures: Option<Figures>,
    outdated: Outdated,
    /// The structure, when its trade-ins or products changed too.
    lists: Option<Structure>,
    verb: &'static str,
    detail: Value,
}

impl Change {
    /// A change of the deal's own row, with the figures as they were.
    fn of(deal: Deal, verb: &'static str, detail: Value) -> Self {
        Self { deal, figures: None, outdated: Outdated::default(), lists: None, verb, detail }
    }

    fn saved(self, by: By, remember: Option<(Keyed, Value)>, basis: Option<Basis>) -> Arc<Saved> {
        let Self { deal, figures, outdated, verb, detail, lists: _ } = self;
        Arc::new(Saved { deal, figures, outdated, verb, detail, by, remember, basis })
    }

    /// Finishes the deal and the figures of its audit event.
    fn complete(&mut self, before: &OnTable, now: DateTime<Utc>) {
        let deal = &mut self.deal;
        deal.updated_at = now;
        if let Some(figures) = &self.figures {
            deal.figures = Some(figures.headline());
        }
        if self.outdated.finance {
            deal.accepted_finance_quote_id = None;
        }
        if self.outdated.insurance {
            deal.accepted_insurance_quote_id = None;
        }
        if let Value::Object(map) = &mut self.detail {
            map.insert("version".into(), json!(before.deal.version.saturating_add(1)));
            if before.deal.state != deal.state {
                map.insert("from".into(), json!(before.deal.state));
                map.insert("to".into(), json!(deal.state));
            }
            if before.deal.figures != deal.figures {
                map.insert("before".into(), json!(before.deal.figures));
                map.insert("after".into(), json!(deal.figures));
            }
        }
    }
}

impl Deals {
    /// On these services.
    pub fn new(db: Db, inventory: Inventory, dealers: Dealers, payments: Payments, desk: Desk, sealer: Arc<Sealer>) -> Self {
        let rooms = Together::new(&db, |db: Db, (scope, parts), asked: Vec<Vec<Uuid>>| async move {
            let ids = asked.concat();
            let which = Which { ids: &ids, ..Which::default() };
            let found = room::find_many(&mut *db.read().await?, &scope, which, parts, db.now()).await?;
            Ok(deal_out(&asked, found, |room| room.deal.id.0))
        });
        let of_customers = Together::new(&db, |db: Db, (scope, parts, open_only), asked: Vec<Vec<Uuid>>| async move {
            let customers = asked.concat();
            let which = Which { customers: &customers, open_only, ..Which::default() };
            let found = room::find_many(&mut *db.read().await?, &scope, which, parts, db.now()).await?;
            Ok(deal_out(&asked, found, |room| room.deal.customer_id.0))
        });
        let tables = Together::new(&db, |db: Db, scope, asked: Vec<DealId>| async move {
            let ids: Vec<Uuid> = asked.iter().map(|id| id.0).collect();
            let found = table::read_many(&mut *db.read().await?, &scope, &ids, db.now()).await?;
            Ok(asked.iter().map(|id| found.iter().find(|on_table| on_table.deal.id == *id).cloned()).collect())
        });
        let saves =
            Together::new(&db, |db: Db, (), changes: Vec<Arc<Saved>>| async move { table::save(&mut *db.read().await?, &changes).await });
        Self { db, inventory, dealers, payments, desk, sealer, rooms, of_customers, tables, saves, written: Written::default() }
    }

    /// A use case: one transaction under one key. A key that was used before gives the first answer. The outcome is remembered
    /// with the work, also a refusal; any other error rolls back everything, the key too.
    async fn once(
        &self,
        actor: &Actor,
        by: By,
        key: &str,
        operation: &'static str,
        request: &(impl Serialize + Sync),
        work: impl AsyncFnOnce(&mut Tx) -> Result<Answer, DealError>,
    ) -> Result<Answer, DealError> {
        let mut tx = self.db.begin(by).await?;
        if let Claim::Replayed(answer) = tx.claim::<Answer>(actor.user_id().0, key, operation, request).await? {
            return Ok(Answer { replayed: true, ..answer });
        }
        let answer = match work(&mut tx).await {
            Ok(answer) => answer,
            Err(DealError::Refused(refusal)) => Answer::refused(refusal),
            Err(DealError::Undone(refusal)) => return Ok(Answer::refused(refusal)),
            Err(error) => return Err(error),
        };
        tx.remember(actor.user_id().0, key, &answer)?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Locks the deal and compares the version.
    async fn table(&self, tx: &mut Tx, actor: &Actor, target: &Target) -> Result<OnTable, DealError> {
        let now = tx.now();
        let found = table::lock(tx.conn(), &actor.selling_scope(), target.deal_id, now).await?;
        let on_table = found.ok_or_else(Refusal::no_deal)?;
        Self::not_elsewhere(&on_table, actor)?;
        if on_table.deal.version != target.expected_version {
            return Err(Refusal::out_of_sync(&on_table.deal, target.expected_version).into());
        }
        Ok(on_table)
    }

    /// Refuses while another device has the deal open. Not remembered: the same operation may be sent again once the device has it.
    fn not_elsewhere(on_table: &OnTable, actor: &Actor) -> Result<(), DealError> {
        match on_table.holder.as_ref().filter(|_| on_table.held_from(actor)) {
            Some(holder) => Err(DealError::Undone(seat::held(on_table.deal.id, &holder.user_name, holder.device_label.as_deref()))),
            None => Ok(()),
        }
    }

    /// A use case that changes nothing but the deal: `work` tells from the deal what to write; nothing when it stays as it is.
    async fn change(
        &self,
        actor: &Actor,
        by: By,
        target: &Target,
        operation: Operation,
        request: &(impl Serialize + Sync),
        work: impl Fn(&OnTable, DateTime<Utc>) -> Result<Option<Change>, DealError> + Send + Sync,
    ) -> Result<Answer, DealError> {
        let keyed = Keyed::new(actor.user_id().0, &target.key, operation.name, request)?;
        if let Some(answer) = self.change_at_once(actor, &by, target, keyed, operation.of_the_deal_alone, &work).await? {
            return Ok(answer);
        }
        self.once(actor, by, &target.key, operation.name, request, async |tx: &mut Tx| self.change_in(tx, actor, target, &work).await).await
    }

    /// Two statements, or one for a deal that is known from memory; no lock. `None` when there is more to it.
    async fn change_at_once(
        &self,
        actor: &Actor,
        by: &By,
        target: &Target,
        keyed: Keyed,
        from_memory: bool,
        work: &(impl Fn(&OnTable, DateTime<Utc>) -> Result<Option<Change>, DealError> + Sync),
    ) -> Result<Option<Answer>, DealError> {
        let now = self.db.now();
        let scope = actor.selling_scope();
        let known = if from_memory { self.written.find(&scope, target, now) } else { None };
        let before = match known {
            Some(known) => known,
            None => match self.tables.ask(&scope, target.deal_id).await? {
                Some(read) => Arc::new(read),
                None => return Ok(None),
            },
        };
        if before.deal.version != target.expected_version || before.held_from(actor) {
            return Ok(None);
        }
        let Ok(Some(mut change)) = work(&before, now) else { return Ok(None) };
        if change.lists.is_some() {
            return Ok(None);
        }
        change.complete(&before, now);
        let answer = Answer::done(before.deal.id);
        let kept = serde_json::to_value(&answer).map_err(|e| DbError::Corrupt(e.to_string()))?;
        let basis = Basis { vehicle_version: before.vehicle_version, session: actor.session_id() };
        let saved = change.saved(by.clone(), Some((keyed, kept)), Some(basis));
        let version = match self.saves.ask(&(), Arc::clone(&saved)).await {
            // The key was used before.
            Err(error) if error.constraint() == Some("idempotency_record_pkey") => return Ok(None),
            version => version?,
        };
        let Some(version) = version else { return Ok(None) };
        self.written.keep(before.written(&saved, version));
        self.db.tell_news();
        Ok(Some(answer.with(Deal { version, ..saved.deal.clone() })))
    }

    async fn change_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        target: &Target,
        work: &(impl Fn(&OnTable, DateTime<Utc>) -> Result<Option<Change>, DealError> + Sync),
    ) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, target).await?;
        let id = before.deal.id;
        match work(&before, tx.now()).map_err(|e| e.about(id))? {
            Some(change) => self.write(tx, &before, change).await,
            None => Ok(Answer::done(id)),
        }
    }

    /// Writes a changed deal with its lists, its audit event and its notice.
    async fn write(&self, tx: &mut Tx, before: &OnTable, mut change: Change) -> Result<Answer, DealError> {
        if let Some(after) = &change.lists {
            self.write_lists(tx, before, after).await?;
        }
        change.complete(before, tx.now());
        let by = tx.by().clone();
        let saved = change.saved(by, None, None);
        let version = table::save(tx.conn(), slice::from_ref(&saved)).await?.pop().flatten();
        let version = version.ok_or_else(|| DbError::Corrupt("a locked deal changed its version".into()))?;
        tx.news();
        Ok(Answer::done(before.deal.id).with(Deal { version, ..saved.deal.clone() }))
    }

    /// The state after `verb`, or the refusal in words.
    fn step(on_table: &OnTable, verb: DealVerb, reason_given: bool) -> Result<DealState, DealError> {
        let taken = on_table.taken_words();
        Self::decided(on_table, verb, Self::facts(on_table, taken.as_deref(), reason_given).step(verb))
    }

    /// What the table of states asks about. Whether a manager must agree is for those steps alone that depend on it
    /// (`step_within_rules`).
    fn facts<'a>(on_table: &OnTable, taken: Option<&'a str>, reason_given: bool) -> DealFacts<'a> {
        DealFacts {
            state: on_table.deal.state,
            kind: on_table.deal.terms.kind,
            term_months: on_table.deal.terms.term_months,
            figures_complete: on_table.figures.is_some(),
            open_quotes: 0,
            quote_accepted: on_table.quote_accepted,
            vehicle_taken: taken,
            reason_given,
            approval: ApprovalNeed::Nothing,
            approver: ApprovalLevel::SalesManager,
            beyond: "",
            signed: SignedFacts::default(),
            insurance_gap: None,
            insurance_asked: None,
            insurance_chosen: on_table.deal.accepted_insurance_quote_id.is_some(),
            menu_decided: on_table.menu_decided,
            vehicle_missing: false,
        }
    }

    fn decided(on_table: &OnTable, verb: DealVerb, outcome: Result<DealState, StateRefusal>) -> Result<DealState, DealError> {
        outcome.map_err(|refused| match refused {
            StateRefusal::NotFromHere => Refusal::wrong_state(&on_table.deal, verb).into(),
            StateRefusal::Guard(guard) => Refusal::guard(on_table, guard).into(),
        })
    }

    /// The engine's question for a structure of this deal.
    fn case<'a>(on_table: &'a OnTable, structure: &'a Structure) -> Case<'a> {
        Case { store_id: on_table.deal.store_id, group_id: on_table.group_id, car: &on_table.car, structure, today: on_table.today }
    }
}
