//! The use cases of a deal, one room per subject. Each is one transaction: claim the key, lock the deal, compare the
//! version, ask the table of states, compute in memory, write back, and commit with audit event, notices and answer.
//!
//! Order inside a use case: everything that can refuse comes before anything that writes, because a refusal is remembered
//! under its key and committed.

mod agree;
mod answers;
mod contract;
mod open;
mod quote;
mod read;
mod refusal;
mod scenario;
mod structure;
mod swap;

use serde::Serialize;
use serde_json::{Value, json};

use super::model::{Deal, Figures, Structure};
use super::pricing::{Case, Desk};
use super::states::{DealState, DealVerb, Refusal as StateRefusal};
use super::steps::DealFacts;
use super::store::table::{self, OnTable, Outdated};
use crate::auth::Actor;
use crate::db::idempotency::Claim;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, Db, Tx};
use crate::dealers::Dealers;
use crate::inventory::Inventory;
use crate::kernel::id::DealId;

pub use answers::{CancelProduct, RecordAnswers};
pub use open::OpenDeal;
pub use quote::{AcceptQuote, AnyQuote};
pub use read::{DealFilter, DealOrder, Replay};
pub(in crate::deals) use refusal::taken_words;
pub use refusal::{Answer, DealError, Refusal, RefusalCode};
pub use scenario::SaveScenario;
pub use structure::{ChangeStructure, ProductDraft, StructureWish, TradeInDraft};
pub use swap::SwapVehicle;

/// Deals. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Deals {
    db: Db,
    inventory: Inventory,
    dealers: Dealers,
    desk: Desk,
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

/// A change that needs nothing but a reason.
#[derive(Debug, Clone, Serialize)]
pub struct EndDeal {
    /// Which deal.
    pub target: Target,
    /// Why, in the salesperson's words.
    pub reason: String,
}

enum Start {
    Work(Tx),
    Replayed(Answer),
}

/// What a use case writes.
struct Change {
    deal: Deal,
    /// New figures; none leaves those stored.
    figures: Option<Figures>,
    outdated: Outdated,
    verb: &'static str,
    detail: Value,
}

impl Deals {
    /// On these services.
    pub fn new(db: Db, inventory: Inventory, dealers: Dealers, desk: Desk) -> Self {
        Self { db, inventory, dealers, desk }
    }

    /// Opens the transaction and claims the key.
    async fn start(&self, actor: &Actor, by: By, key: &str, operation: &'static str, request: &impl Serialize) -> Result<Start, DealError> {
        let mut tx = self.db.begin(by).await?;
        match tx.claim::<Answer>(actor.user_id().0, key, operation, request).await? {
            Claim::First => Ok(Start::Work(tx)),
            Claim::Replayed(answer) => Ok(Start::Replayed(Answer { replayed: true, ..answer })),
        }
    }

    /// Remembers the outcome, also a refusal, and commits. Any other error rolls back everything, the key too.
    async fn finish(&self, mut tx: Tx, actor: &Actor, key: &str, result: Result<Answer, DealError>) -> Result<Answer, DealError> {
        let answer = match result {
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
        let on_table = found.ok_or_else(|| Refusal::not_found("dealId", "There is no such deal in your stores."))?;
        if on_table.deal.version != target.expected_version {
            return Err(Refusal::out_of_sync(&on_table.deal, target.expected_version).into());
        }
        Ok(on_table)
    }

    /// Writes a changed deal, its audit event and its notice.
    async fn write(&self, tx: &mut Tx, before: &OnTable, change: Change) -> Result<i32, DealError> {
        let now = tx.now();
        let mut deal = change.deal;
        deal.updated_at = now;
        if let Some(figures) = &change.figures {
            deal.figures = Some(figures.headline());
        }
        if change.outdated.finance {
            deal.accepted_finance_quote_id = None;
        }
        if change.outdated.insurance {
            deal.accepted_insurance_quote_id = None;
        }
        let version = table::save(tx.conn(), &deal, change.figures.as_ref(), change.outdated).await?;
        let mut detail = change.detail;
        if let Value::Object(map) = &mut detail {
            map.insert("version".into(), json!(version));
            if before.deal.state != deal.state {
                map.insert("from".into(), json!(before.deal.state));
                map.insert("to".into(), json!(deal.state));
            }
            if before.deal.figures != deal.figures {
                map.insert("before".into(), json!(before.deal.figures));
                map.insert("after".into(), json!(deal.figures));
            }
        }
        tx.audit(AuditEvent { store_id: Some(deal.store_id.0), subject: Subject::Deal, subject_id: deal.id.0, verb: change.verb, detail });
        tx.notify(deal.store_id.0, Subject::Deal, deal.id.0, version);
        Ok(version)
    }

    /// The state after `verb`, or the refusal in words.
    fn step(on_table: &OnTable, verb: DealVerb, reason_given: bool) -> Result<DealState, DealError> {
        let taken = on_table.taken_words();
        let facts = DealFacts {
            state: on_table.deal.state,
            kind: on_table.deal.terms.kind,
            term_months: on_table.deal.terms.term_months,
            figures_complete: on_table.figures.is_some(),
            open_quotes: 0,
            quote_accepted: on_table.quote_accepted,
            vehicle_taken: taken.as_deref(),
            reason_given,
        };
        facts.step(verb).map_err(|refused| match refused {
            StateRefusal::NotFromHere => Refusal::wrong_state(&on_table.deal, verb).into(),
            StateRefusal::Guard(guard) => Refusal::guard(on_table, guard).into(),
        })
    }

    /// The engine's question for a structure of this deal.
    fn case<'a>(on_table: &'a OnTable, structure: &'a Structure) -> Case<'a> {
        Case { store_id: on_table.deal.store_id, group_id: on_table.group_id, car: &on_table.car, structure, today: on_table.today }
    }
}
