//! A manager's answer, the list of questions, and what happens when nobody answers.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::approve::minutes_after;
use super::{Answer, DealError, Deals, Refusal, RefusalCode};
use crate::auth::{Actor, Role, Scope};
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, ConstraintExt, DbError, Tx};
use crate::deals::approval::{ApprovalDecision, ApprovalLevel, ApprovalStatus, CounterOffer};
use crate::deals::store::approvals::{self, Approval, ApprovalFilter, Decided};
use crate::deals::store::table;
use crate::kernel::id::{ApprovalId, DealId};

/// A manager's answer.
#[derive(Debug, Clone, Serialize)]
pub struct DecideApproval {
    /// Which question.
    pub approval_id: ApprovalId,
    /// Yes, no, other figures, or somebody higher.
    pub decision: ApprovalDecision,
    /// What the manager says to it.
    pub note: Option<String>,
    /// The figures of a counter-offer.
    pub counter: Option<CounterOffer>,
    /// The key.
    #[serde(skip)]
    pub key: String,
}

fn own_request() -> Refusal {
    Refusal::new(RefusalCode::OwnRequest, "approvalId", "Nobody approves what they asked for, or their own deal: ask another manager.")
}

impl Deals {
    /// Answers a question. Of several managers who answer at once one is heard, the others are told who was first.
    pub async fn decide_approval(&self, actor: &Actor, by: By, wish: DecideApproval) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.key, "approvalDecide", &wish, async |tx: &mut Tx| self.decide_approval_in(tx, actor, &wish).await).await
    }

    async fn decide_approval_in(&self, tx: &mut Tx, actor: &Actor, wish: &DecideApproval) -> Result<Answer, DealError> {
        let now = tx.now();
        let asked = approvals::lock(tx.conn(), &actor.managing_scope(), wish.approval_id)
            .await?
            .ok_or_else(|| Refusal::not_found("approvalId", "There is no such question in your stores."))?;
        let about = |refusal: Refusal| DealError::from(refusal.of(asked.deal_id));
        may_answer(actor, &asked, wish, now).map_err(about)?;
        if let Some(offer) = &wish.counter {
            self.check_counter(tx, actor, asked.deal_id, offer, now).await?;
        }
        let (status, verb) = match wish.decision {
            ApprovalDecision::Approve => (ApprovalStatus::Approved, "approved"),
            ApprovalDecision::Decline => (ApprovalStatus::Declined, "approval_declined"),
            ApprovalDecision::Counter => (ApprovalStatus::Countered, "counter_offered"),
            ApprovalDecision::Escalate => (ApprovalStatus::Pending, "approval_escalated"),
        };
        if wish.decision == ApprovalDecision::Escalate {
            approvals::escalate(tx.conn(), asked.id, wish.note.as_deref(), now).await?;
        } else {
            let decided = Decided {
                status,
                by: actor.user_id(),
                at: now,
                note: wish.note.as_deref(),
                counter: wish.counter.as_ref(),
                expires_at: minutes_after(now, asked.valid_minutes),
            };
            approvals::decide(tx.conn(), asked.id, &decided)
                .await
                .on_constraint("approval_two_people", |_| DealError::Undone(own_request().of(asked.deal_id)))?;
        }
        let waited = now.signed_duration_since(asked.requested_at).num_seconds();
        tx.audit(AuditEvent {
            store_id: Some(asked.store_id.0),
            subject: Subject::Deal,
            subject_id: asked.deal_id.0,
            verb,
            detail: json!({ "approvalId": asked.id, "counter": wish.counter, "waitedSeconds": waited }),
        });
        tx.notify(asked.store_id.0, Subject::Approval, asked.id.0, 0);
        tx.notify(asked.store_id.0, Subject::Deal, asked.deal_id.0, asked.deal_version);
        Ok(Answer { approval_id: Some(asked.id), ..Answer::done(asked.deal_id) })
    }

    /// Whether the offered figures can be put into the deal: then taking them is one call.
    async fn check_counter(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        deal: DealId,
        offer: &CounterOffer,
        now: DateTime<Utc>,
    ) -> Result<(), DealError> {
        let before = table::read(tx.conn(), &actor.managing_scope(), deal, now).await?;
        let before = before.ok_or_else(|| Refusal::not_found("approvalId", "There is no such question in your stores."))?;
        let field = |message: &str| DealError::from(Refusal::new(RefusalCode::OutOfBounds, "counterOffer", message).of(deal));
        let change = offer.change(&before.structure).ok_or_else(|| field("The deal has no such trade-in."))?;
        match self.restructured(&before, change).map_err(|e| e.about(deal))? {
            (_, Some(_)) => Ok(()),
            (_, None) => Err(field("The offer is what was asked for: say yes to it instead.")),
        }
    }

    /// Questions of the stores the actor manages, the newest first.
    pub async fn approvals(
        &self,
        scope: &Scope,
        filter: &ApprovalFilter,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Approval>, DbError> {
        approvals::list(&mut *self.db.read().await?, scope, filter, after, limit).await
    }

    /// How many there are.
    pub async fn count_approvals(&self, scope: &Scope, filter: &ApprovalFilter) -> Result<i64, DbError> {
        approvals::count(&mut *self.db.read().await?, scope, filter).await
    }

    /// One question.
    pub async fn approval(&self, scope: &Scope, id: ApprovalId) -> Result<Option<Approval>, DbError> {
        approvals::find(&mut *self.db.read().await?, scope, id).await
    }

    /// The latest question about a deal.
    pub async fn latest_approval(&self, scope: &Scope, deal: DealId) -> Result<Option<Approval>, DbError> {
        approvals::latest(&mut *self.db.read().await?, scope, deal).await
    }

    /// Gives up what nobody answered in time, and tells the group's admins of what waits for long. Any server may do it at any
    /// time; nothing depends on it but that people are told.
    pub async fn settle_approvals(&self) -> Result<usize, DbError> {
        let mut tx = self.db.begin(By::system()).await?;
        let now = tx.now();
        let due = approvals::settle_due(tx.conn(), now).await?;
        for question in &due {
            tx.audit(AuditEvent {
                store_id: Some(question.store_id),
                subject: Subject::Deal,
                subject_id: question.deal_id,
                verb: if question.expired { "approval_expired" } else { "approval_escalated" },
                detail: json!({ "approvalId": ApprovalId(question.id) }),
            });
            tx.notify(question.store_id, Subject::Approval, question.id, 0);
            tx.notify(question.store_id, Subject::Deal, question.deal_id, question.deal_version);
        }
        tx.commit().await?;
        Ok(due.len())
    }
}

/// Whether this manager may give this answer now.
fn may_answer(actor: &Actor, asked: &Approval, wish: &DecideApproval, now: DateTime<Utc>) -> Result<(), Refusal> {
    let refuse = |code, field: &str, message: String| Err(Refusal::new(code, field, message));
    match asked.status {
        ApprovalStatus::Pending if asked.expires_at > now => {}
        ApprovalStatus::Pending | ApprovalStatus::Expired => {
            return refuse(RefusalCode::TooLate, "approvalId", "Nobody answered in time: the salesperson must ask again.".into());
        }
        ApprovalStatus::Fell => {
            return refuse(RefusalCode::DealOutOfSync, "approvalId", "The figures changed since you were asked.".into());
        }
        ApprovalStatus::Approved | ApprovalStatus::Declined | ApprovalStatus::Countered => {
            let who = asked.decided_by_name.as_deref().unwrap_or("Somebody else");
            return refuse(RefusalCode::AlreadyDecided, "approvalId", format!("{who} has answered already."));
        }
    }
    if actor.user_id() == asked.requested_by || actor.user_id() == asked.salesperson_id {
        return Err(own_request());
    }
    let admin = actor.role_in(asked.store_id) == Some(Role::GroupAdmin);
    if asked.level == ApprovalLevel::GroupAdmin && !admin && wish.decision != ApprovalDecision::Decline {
        return refuse(RefusalCode::AdminNeeded, "approvalId", "Only an admin of the group may say yes to this.".into());
    }
    match wish.decision {
        ApprovalDecision::Decline if wish.note.is_none() => refuse(RefusalCode::ReasonNeeded, "note", "Say in a few words why not.".into()),
        ApprovalDecision::Counter if wish.counter.is_none() => {
            refuse(RefusalCode::OutOfBounds, "counterOffer", "Say which figures you would agree to.".into())
        }
        ApprovalDecision::Approve | ApprovalDecision::Decline | ApprovalDecision::Escalate if wish.counter.is_some() => {
            refuse(RefusalCode::OutOfBounds, "counterOffer", "Other figures belong to a counter-offer only.".into())
        }
        _ => Ok(()),
    }
}
