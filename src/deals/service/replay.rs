//! A tablet comes back: what it did offline is applied in order, each operation once.
//!
//! An operation is planned first (which parts are in conflict, to which version it is applied), the plan is committed, and then
//! the ordinary use case runs under a key that follows from the operation's id and the plan's number. Whatever is cut in
//! between, the next replay finds the plan, runs the same use case with the same key, and gets the same answer.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Answer, ChangeStructure, DealError, Deals, EndDeal, OpenDeal, Refusal, RefusalCode, SaveScenario, StructureWish, SwapVehicle, Target,
};
use crate::auth::{Actor, Scope};
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, DbError, Tx};
use crate::deals::diff;
use crate::deals::model::LostReason;
use crate::deals::offline::{self, Conflict, OfflineOutcome, OfflineVerb, Theirs};
use crate::deals::store::offline::{self as plans, IndicativeQuote, Whose};
use crate::deals::store::table::{self, OnTable};
use crate::kernel::id::{DealId, VehicleId};
use crate::kernel::money::Cents;
use crate::kernel::seal::sha256;

/// How long one call goes on; what is left comes with the next.
const BUDGET: Duration = Duration::milliseconds(2_000);
/// How often an operation is planned anew because the deal moved in between.
const TRIES: i32 = 8;

/// What a tablet did, in its order.
#[derive(Debug, Clone, Serialize)]
pub struct OfflineOperation {
    /// Made by the tablet and kept before it was queued.
    pub id: String,
    /// By the tablet's clock. Shown, never used for an order.
    pub at: DateTime<Utc>,
    /// On which deal.
    pub on: OnDeal,
    /// The version of the deal the tablet last got from the server.
    pub base_version: i32,
    /// What it did.
    pub work: OfflineWork,
}

/// A deal the server knows, or one that an operation of this tablet opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OnDeal {
    /// None: it opens one.
    New,
    /// The server's id.
    Known(DealId),
    /// The operation that opened it.
    OpenedBy(String),
}

/// What it did.
#[derive(Debug, Clone, Serialize)]
pub enum OfflineWork {
    /// Opened a deal.
    Open(OpenDeal),
    /// Changed the structure.
    Structure(StructureWish),
    /// Took another car.
    Swap {
        /// Which.
        vehicle_id: VehicleId,
        /// Its price; the asking price when not said.
        price: Option<Cents>,
    },
    /// Set a structure aside.
    Scenario {
        /// Its name.
        label: String,
        /// What is different.
        change: StructureWish,
    },
    /// Showed figures.
    QuoteShown {
        /// What they were called.
        label: String,
        /// Monthly.
        payment: Option<Cents>,
        /// Everything together.
        total_price: Option<Cents>,
        /// Months.
        term_months: Option<i32>,
        /// When the tablet fetched what it showed.
        rules_as_of: DateTime<Utc>,
    },
    /// The customer left.
    Lose {
        /// Why, in words.
        reason: String,
        /// Why, as a code.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<LostReason>,
    },
    /// What is never done offline.
    Never(OfflineVerb),
}

/// What became of an operation.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The operation.
    pub id: String,
    /// In a word.
    pub outcome: OfflineOutcome,
    /// The deal, when there is one to be seen.
    pub deal_id: Option<DealId>,
    /// What both did.
    pub conflicts: Vec<Conflict>,
    /// Why nothing was done.
    pub message: Option<String>,
    /// It was applied by an earlier replay.
    pub replayed: bool,
}

/// How an operation is applied.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Plan {
    /// The version it is applied to.
    version: i32,
    /// What both did; these parts are left out.
    conflicts: Vec<Conflict>,
    /// Nothing is left to do.
    nothing: bool,
}

/// What a replay needs throughout.
struct Replaying<'a> {
    actor: &'a Actor,
    by: By,
    tablet: &'a str,
}

impl Deals {
    /// Applies what a tablet did offline, in order. Gives what became of each, and how many were left because time ran out: they
    /// come with the next call. Bounded by the caller's list and by time.
    pub async fn replay_offline(
        &self,
        actor: &Actor,
        by: By,
        tablet: &str,
        operations: Vec<OfflineOperation>,
    ) -> Result<(Vec<Replayed>, usize), DealError> {
        let (begun, all) = (self.db.now(), operations.len());
        let replaying = Replaying { actor, by, tablet };
        let mut results = Vec::with_capacity(all);
        let mut waiting: Vec<OnDeal> = Vec::new();
        for operation in operations {
            if self.db.now().signed_duration_since(begun) > BUDGET {
                break;
            }
            // What hangs on an operation that waits, waits too: the order of a deal is kept.
            let on = operation.on.clone();
            let result = if waiting.contains(&on) { held_up(operation) } else { self.replay_one(&replaying, operation).await? };
            if result.outcome == OfflineOutcome::Waiting {
                waiting.push(on);
            }
            results.push(result);
        }
        let left = all.saturating_sub(results.len());
        Ok((results, left))
    }

    /// Figures of a deal that were shown offline, newest first.
    pub async fn indicative_quotes(&self, scope: &Scope, deal: DealId) -> Result<Vec<IndicativeQuote>, DbError> {
        plans::quotes(&mut *self.db.read().await?, scope, deal).await
    }

    async fn replay_one(&self, r: &Replaying<'_>, operation: OfflineOperation) -> Result<Replayed, DealError> {
        let result = |outcome, deal_id| Replayed {
            id: operation.id.clone(),
            outcome,
            deal_id,
            conflicts: Vec::new(),
            message: None,
            replayed: false,
        };
        if let OfflineWork::Never(verb) = operation.work {
            let message = format!("{} is never done offline. Do it now that you are connected.", verb.as_str());
            return Ok(Replayed { message: Some(message), ..result(OfflineOutcome::NotOffline, None) });
        }
        let whose = Whose { user: r.actor.user_id().0, tablet: r.tablet, id: &operation.id };
        let content = sha256(&serde_json::to_vec(&operation).map_err(|e| DbError::Corrupt(e.to_string()))?);
        let Some(deal) = self.deal_of(whose, &operation.on).await? else {
            let message = "The deal this belongs to was never opened.".to_owned();
            return Ok(Replayed { message: Some(message), ..result(OfflineOutcome::Refused, None) });
        };
        for _ in 0..TRIES {
            let found = plans::find(&mut *self.db.read().await?, whose).await?;
            let Some(planned) = found else {
                let Some(plan) = self.plan(r, &operation, deal).await? else {
                    let message = Refusal::no_deal().message;
                    return Ok(Replayed { message: Some(message), ..result(OfflineOutcome::Refused, None) });
                };
                let (plan, now) = (encoded(&plan)?, self.db.now());
                plans::insert(&mut *self.db.read().await?, whose, &content, deal, &plan, now).await?;
                continue;
            };
            if planned.content_sha256 != content {
                let message = "This id was used for another operation: make a new one for each.".to_owned();
                return Ok(Replayed { message: Some(message), ..result(OfflineOutcome::IdReused, None) });
            }
            let plan: Plan = serde_json::from_value(planned.plan).map_err(|e| DbError::Corrupt(e.to_string()))?;
            if plan.nothing {
                return Ok(Replayed { conflicts: plan.conflicts, ..result(OfflineOutcome::Conflict, deal) });
            }
            let key = format!("offline/{}/{}/{}", r.tablet, operation.id, planned.attempt);
            let answer = self.apply(r, &operation, planned.deal_id.or(deal), &plan, key).await?;
            if answer.refused.iter().any(|refusal| refusal.code == RefusalCode::DealOutOfSync) {
                if let Some(plan) = self.plan(r, &operation, deal).await? {
                    plans::replan(&mut *self.db.read().await?, whose, planned.attempt, &encoded(&plan)?).await?;
                }
                continue;
            }
            if let (OfflineWork::Open(_), Some(opened), None) = (&operation.work, answer.deal_id, planned.deal_id) {
                plans::opened(&mut *self.db.read().await?, whose, opened).await?;
            }
            let message = answer.refused.first().map(|refusal| refusal.message.clone());
            let held = answer.refused.iter().any(|refusal| refusal.code == RefusalCode::HeldElsewhere);
            let outcome = match (&message, plan.conflicts.is_empty()) {
                (Some(_), _) if held => OfflineOutcome::Waiting,
                (Some(_), _) => OfflineOutcome::Refused,
                (None, true) => OfflineOutcome::Applied,
                (None, false) => OfflineOutcome::Merged,
            };
            let deal_id = answer.deal_id.or(deal);
            return Ok(Replayed { conflicts: plan.conflicts, message, replayed: answer.replayed, ..result(outcome, deal_id) });
        }
        let message = "This deal is being changed all the time. Send it again in a moment.".to_owned();
        Ok(Replayed { message: Some(message), ..result(OfflineOutcome::Refused, deal) })
    }

    /// The deal an operation is about: `Some(None)` when it opens one, none when the one it hangs on was never opened.
    async fn deal_of(&self, whose: Whose<'_>, on: &OnDeal) -> Result<Option<Option<DealId>>, DbError> {
        Ok(match on {
            OnDeal::New => Some(None),
            OnDeal::Known(id) => Some(Some(*id)),
            OnDeal::OpenedBy(id) => {
                let opening = plans::find(&mut *self.db.read().await?, Whose { id, ..whose }).await?;
                opening.and_then(|planned| planned.deal_id).map(Some)
            }
        })
    }

    /// How an operation is applied to the deal as it stands. None when there is no such deal in the actor's stores.
    async fn plan(&self, r: &Replaying<'_>, operation: &OfflineOperation, deal: Option<DealId>) -> Result<Option<Plan>, DealError> {
        let Some(id) = deal else { return Ok(Some(Plan::default())) };
        let (scope, now) = (r.actor.selling_scope(), self.db.now());
        let mut conn = self.db.read().await?;
        let Some(before) = table::read(&mut conn, &scope, id, now).await? else { return Ok(None) };
        let theirs = plans::since(&mut conn, &scope, id, operation.base_version, &format!("offline/{}/", r.tablet)).await?;
        drop(conn);
        let conflicts = self.conflicts(&operation.work, &before, &theirs);
        let parts: Vec<String> = conflicts.iter().map(|conflict| conflict.part.clone()).collect();
        let nothing = !conflicts.is_empty()
            && match &operation.work {
                OfflineWork::Structure(wish) => offline::is_empty(&offline::without(wish.clone(), &parts)),
                _ => true,
            };
        Ok(Some(Plan { version: before.deal.version, conflicts, nothing }))
    }

    fn conflicts(&self, work: &OfflineWork, before: &OnTable, theirs: &Theirs) -> Vec<Conflict> {
        let whole = |part: &'static str, stands: String, wanted: String| offline::conflicts(vec![(part, stands, wanted)], theirs);
        match work {
            OfflineWork::Structure(wish) => {
                // What cannot be read as a structure is refused by the use case, in its own words.
                let after = self.resolve(before, wish.clone()).and_then(|change| Ok(before.structure.changed(change)?));
                after.map(|after| offline::conflicts(diff::structure(&before.structure, &after), theirs)).unwrap_or_default()
            }
            OfflineWork::Swap { vehicle_id, .. } if *vehicle_id != before.deal.vehicle_id => {
                whole("vehicle", before.car.title(), vehicle_id.to_string())
            }
            OfflineWork::Lose { reason, code } => {
                let mine = code.filter(|_| reason.is_empty()).map_or_else(|| reason.clone(), |code| code.as_str().to_owned());
                whole("deal", before.deal.state.as_str().to_owned(), mine)
            }
            _ => Vec::new(),
        }
    }

    /// Runs the ordinary use case.
    async fn apply(
        &self,
        r: &Replaying<'_>,
        operation: &OfflineOperation,
        deal: Option<DealId>,
        plan: &Plan,
        key: String,
    ) -> Result<Answer, DealError> {
        // Which tablet's queue it came from: this is how its own events are told from those of others.
        let request = format!("offline/{}/{}", r.tablet, operation.id);
        let by = By { request_id: Some(request), ..r.by.clone() };
        let target = |key| deal.map(|deal_id| Target { deal_id, expected_version: plan.version, key });
        match (operation.work.clone(), target(key.clone())) {
            (OfflineWork::Open(wish), _) => self.open(r.actor, by, OpenDeal { key, ..wish }).await,
            (OfflineWork::Structure(wish), Some(target)) => {
                let parts: Vec<String> = plan.conflicts.iter().map(|conflict| conflict.part.clone()).collect();
                self.structure(r.actor, by, ChangeStructure { target, change: offline::without(wish, &parts) }).await
            }
            (OfflineWork::Swap { vehicle_id, price }, Some(target)) => {
                self.swap_vehicle(r.actor, by, SwapVehicle { target, vehicle_id, price, constant: None }).await
            }
            (OfflineWork::Scenario { label, change }, Some(target)) => {
                self.save_scenario(r.actor, by, SaveScenario { target, label, change }).await
            }
            (OfflineWork::Lose { reason, code }, Some(target)) => self.lose(r.actor, by, EndDeal { target, reason, code }).await,
            (OfflineWork::QuoteShown { .. }, Some(target)) => self.keep_shown(r.actor, by, operation, &target).await,
            _ => Ok(Answer::refused(Refusal::no_deal())),
        }
    }

    /// Keeps figures that were shown offline. The deal itself stays as it is.
    async fn keep_shown(&self, actor: &Actor, by: By, operation: &OfflineOperation, target: &Target) -> Result<Answer, DealError> {
        self.once(actor, by, &target.key, "quoteShownOffline", operation, async |tx: &mut Tx| {
            self.keep_shown_in(tx, actor, operation, target.deal_id).await
        })
        .await
    }

    async fn keep_shown_in(&self, tx: &mut Tx, actor: &Actor, operation: &OfflineOperation, deal: DealId) -> Result<Answer, DealError> {
        let now = tx.now();
        let found = table::lock(tx.conn(), &actor.selling_scope(), deal, now).await?;
        let before = found.ok_or_else(Refusal::no_deal)?;
        let OfflineWork::QuoteShown { label, payment, total_price, term_months, rules_as_of } = &operation.work else {
            return Ok(Answer::done(deal));
        };
        let quote = IndicativeQuote {
            id: self.db.new_id(),
            label: label.clone(),
            payment: *payment,
            total_price: *total_price,
            term_months: *term_months,
            rules_as_of: *rules_as_of,
            shown_at: operation.at,
            recorded_at: now,
        };
        plans::insert_quote(tx.conn(), deal, actor.user_id().0, &quote).await?;
        tx.audit(AuditEvent {
            store_id: Some(before.deal.store_id.0),
            subject: Subject::Deal,
            subject_id: deal.0,
            verb: "quote_shown_offline",
            detail: json!({ "indicative": true, "rulesAsOf": rules_as_of, "shownAt": operation.at, "payment": payment, "totalPrice": total_price }),
        });
        tx.notify(before.deal.store_id.0, Subject::Deal, deal.0, before.deal.version);
        Ok(Answer::done(deal))
    }
}

/// An operation on a deal whose earlier one waits.
fn held_up(operation: OfflineOperation) -> Replayed {
    let deal_id = if let OnDeal::Known(id) = operation.on { Some(id) } else { None };
    let message = Some("An earlier operation on this deal waits.".to_owned());
    Replayed { id: operation.id, outcome: OfflineOutcome::Waiting, deal_id, conflicts: Vec::new(), message, replayed: false }
}

fn encoded(plan: &Plan) -> Result<serde_json::Value, DbError> {
    serde_json::to_value(plan).map_err(|e| DbError::Corrupt(e.to_string()))
}
