//! Asking a manager, and taking the manager's offer.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use serde_json::json;

use super::{Answer, Change, DealError, Deals, Refusal, RefusalCode, Target};
use crate::auth::Actor;
use crate::db::notices::Subject;
use crate::db::{By, Tx};
use crate::deals::approval::{self, ApprovalLevel, ApprovalNeed, ApprovalStatus, AskedFigures, Basis, Finding, Patience};
use crate::deals::model::{Figures, Structure};
use crate::deals::states::{DealState, DealVerb};
use crate::deals::steps::DealFacts;
use crate::deals::store::approvals::{self, NewApproval};
use crate::deals::store::room::Room;
use crate::deals::store::table::OnTable;
use crate::kernel::clock::later;
use crate::kernel::id::ApprovalId;

/// A question to a manager.
#[derive(Debug, Clone, Serialize)]
pub struct AskApproval {
    /// Which deal.
    pub target: Target,
    /// What the salesperson says to it.
    pub note: Option<String>,
}

/// A wish to take the manager's offer.
#[derive(Debug, Clone, Serialize)]
pub struct TakeCounter {
    /// Which deal.
    pub target: Target,
    /// Whose counter-offer.
    pub approval_id: ApprovalId,
}

/// What a deal still needs of a manager, for its next steps.
#[derive(Debug, Clone)]
pub(in crate::deals) struct ApprovalFacts {
    pub(in crate::deals) need: ApprovalNeed,
    /// Who may say yes.
    pub(in crate::deals) approver: ApprovalLevel,
    pub(in crate::deals) findings: Vec<Finding>,
}

impl ApprovalFacts {
    /// The rules it goes beyond, in words a salesperson may read.
    pub(in crate::deals) fn beyond(&self) -> String {
        self.findings.iter().map(|finding| finding.say(false)).collect::<Vec<_>>().join(" ")
    }
}

/// A moment so many minutes later.
pub(super) fn minutes_after(at: DateTime<Utc>, minutes: i32) -> DateTime<Utc> {
    later(at, Duration::minutes(minutes.into()))
}

impl OnTable {
    /// What the rules look at, for a structure of this deal and its figures.
    pub(super) fn basis(&self, structure: &Structure, figures: Option<&Figures>) -> Basis {
        Basis {
            kind: structure.terms.kind,
            price: structure.terms.price,
            dealer_rebate: structure.terms.dealer_rebate,
            term_months: structure.terms.term_months,
            amount_financed: figures.map(|figures| figures.amount_financed),
            asking: self.car.price,
            msrp: self.car.msrp,
            cost: self.cost,
            condition: self.car.condition,
            over_allowance: structure.over_allowance(),
            products: structure.products_total(),
            fees_waived: structure.fees_waived(),
            markup: self.markup,
        }
    }

    fn figures_hash(&self) -> Vec<u8> {
        approval::figures_hash(self.deal.vehicle_id, &self.structure)
    }

    fn asked_figures(&self, basis: &Basis) -> AskedFigures {
        let terms = &self.deal.terms;
        AskedFigures {
            vehicle_id: self.deal.vehicle_id,
            title: self.car.title(),
            kind: terms.kind,
            price: terms.price,
            asking: self.car.price,
            dealer_rebate: terms.dealer_rebate,
            down_payment: terms.down_payment,
            term_months: terms.term_months,
            trade_allowance: self.structure.trade_allowance(),
            over_allowance: basis.over_allowance,
            products: basis.products,
            total_price: self.deal.figures.map(|figures| figures.total_price),
            amount_financed: self.deal.figures.map(|figures| figures.amount_financed),
            payment: self.deal.figures.and_then(|figures| figures.payment),
            front_gross: basis.front_gross(),
        }
    }
}

impl Deals {
    /// Which rules a deal's figures go beyond, and how long a question about them may wait.
    pub(super) fn findings(&self, on_table: &OnTable, basis: &Basis) -> (Vec<Finding>, Option<Patience>) {
        let book = self.desk.book();
        let rules = book.approval_rules(on_table.group_id, on_table.deal.store_id, on_table.today);
        basis.findings(rules.map(AsRef::as_ref))
    }

    /// What a read deal still needs of a manager; nothing when its next steps were not read.
    pub(in crate::deals) fn approval_facts(&self, room: &Room) -> ApprovalFacts {
        let Some(known) = &room.steps else {
            return ApprovalFacts { need: ApprovalNeed::Nothing, approver: ApprovalLevel::SalesManager, findings: Vec::new() };
        };
        let book = self.desk.book();
        let rules = book.approval_rules(known.group_id, room.deal.store_id, known.today);
        let findings = known.basis.findings(rules.map(AsRef::as_ref)).0;
        let need = approval::need(&findings, known.approval.as_ref(), None, self.db.now());
        // A manager may have handed on what a manager could decide.
        let asked = known.approval.as_ref().filter(|_| need == ApprovalNeed::Waiting).map(|asked| asked.level);
        ApprovalFacts { need, approver: asked.unwrap_or_else(|| approval::level_of(&findings)), findings }
    }

    /// What the deal on the table still needs of a manager.
    pub(super) fn approval_need(&self, on_table: &OnTable, now: DateTime<Utc>) -> ApprovalNeed {
        let basis = on_table.basis(&on_table.structure, on_table.figures.as_ref());
        let (findings, _) = self.findings(on_table, &basis);
        if findings.is_empty() {
            return ApprovalNeed::Nothing;
        }
        approval::need(&findings, on_table.approval.as_ref(), Some(&on_table.figures_hash()), now)
    }

    /// The state after a step that a manager may have to agree to.
    pub(super) fn step_within_rules(&self, on_table: &OnTable, verb: DealVerb, now: DateTime<Utc>) -> Result<DealState, DealError> {
        let taken = on_table.taken_words();
        let facts = DealFacts { approval: self.approval_need(on_table, now), ..Self::facts(on_table, taken.as_deref(), false) };
        Self::decided(on_table, verb, facts.step(verb))
    }

    /// Puts the present figures before a manager. Whatever was asked before is closed.
    pub async fn ask_approval(&self, actor: &Actor, by: By, wish: AskApproval) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.target.key, "approvalRequest", &wish, async |tx: &mut Tx| self.ask_approval_in(tx, actor, &wish).await)
            .await
    }

    async fn ask_approval_in(&self, tx: &mut Tx, actor: &Actor, wish: &AskApproval) -> Result<Answer, DealError> {
        let (before, now) = (self.table(tx, actor, &wish.target).await?, tx.now());
        let deal_id = before.deal.id;
        let state = Self::step(&before, DealVerb::AskApproval, false)?;
        let basis = before.basis(&before.structure, before.figures.as_ref());
        let (findings, patience) = self.findings(&before, &basis);
        let hash = before.figures_hash();
        let need = approval::need(&findings, before.approval.as_ref(), Some(&hash), now);
        let (Some(patience), true) = (patience, need != ApprovalNeed::Nothing) else {
            let message = "These figures need no manager: go on.";
            return Err(Refusal::new(RefusalCode::ApprovalNotNeeded, "dealId", message).of(deal_id).into());
        };
        if need == ApprovalNeed::Waiting {
            let message = "A manager was asked about exactly these figures already.";
            return Err(Refusal::new(RefusalCode::AlreadyAsked, "dealId", message).of(deal_id).into());
        }
        for closed in approvals::close_live(tx.conn(), deal_id, now).await? {
            tx.notify(before.deal.store_id.0, Subject::Approval, closed, 0);
        }
        let id: ApprovalId = self.db.new_id();
        let new = NewApproval {
            id,
            store_id: before.deal.store_id,
            deal_id,
            level: approval::level_of(&findings),
            figures_hash: &hash,
            findings: &findings,
            figures: &before.asked_figures(&basis),
            note: wish.note.as_deref(),
            requested_by: actor.user_id(),
            salesperson_id: before.deal.salesperson_id,
            requested_at: now,
            escalates_at: minutes_after(now, patience.escalate_minutes),
            expires_at: minutes_after(now, patience.answer_minutes),
            valid_minutes: patience.valid_minutes,
        };
        approvals::insert(tx.conn(), &new).await?;
        tx.notify(new.store_id.0, Subject::Approval, id.0, 0);
        let mut deal = before.deal.clone();
        deal.state = state;
        let kinds: Vec<_> = findings.iter().map(|finding| finding.kind).collect();
        let detail = json!({ "approvalId": id, "beyond": kinds, "level": new.level });
        let answer = self.write(tx, &before, Change::of(deal, "approval_requested", detail)).await?;
        Ok(Answer { approval_id: Some(id), ..answer })
    }

    /// Takes the manager's offer: the structure changes to it, and the yes counts for the new figures.
    pub async fn take_counter(&self, actor: &Actor, by: By, wish: TakeCounter) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.target.key, "approvalTakeCounter", &wish, async |tx: &mut Tx| {
            self.take_counter_in(tx, actor, &wish).await
        })
        .await
    }

    async fn take_counter_in(&self, tx: &mut Tx, actor: &Actor, wish: &TakeCounter) -> Result<Answer, DealError> {
        let (before, now) = (self.table(tx, actor, &wish.target).await?, tx.now());
        let deal_id = before.deal.id;
        let scope = actor.selling_scope();
        let asked = approvals::lock(tx.conn(), &scope, wish.approval_id).await?.filter(|asked| asked.deal_id == deal_id);
        let asked = asked.ok_or_else(|| Refusal::not_found("approvalId", "This deal has no such question to a manager.").of(deal_id))?;
        let offer = asked.counter.as_ref().filter(|_| asked.status == ApprovalStatus::Countered && asked.expires_at > now);
        let Some(offer) = offer else {
            let message = "There is no offer of a manager that still stands.";
            return Err(Refusal::new(RefusalCode::TooLate, "approvalId", message).of(deal_id).into());
        };
        let change = offer.change(&before.structure).unwrap_or_default();
        let (after, change) = self.restructured(&before, change).map_err(|e| e.about(deal_id))?;
        let Some(mut change) = change else {
            let message = "The deal has these figures already.";
            return Err(Refusal::new(RefusalCode::OutOfBounds, "approvalId", message).of(deal_id).into());
        };
        change.verb = "counter_taken";
        let basis = before.basis(&after, change.figures.as_ref());
        let (findings, _) = self.findings(&before, &basis);
        let answer = self.write(tx, &before, change).await?;
        let hash = approval::figures_hash(before.deal.vehicle_id, &after);
        approvals::take_counter(tx.conn(), asked.id, &hash, &findings).await?;
        tx.notify(asked.store_id.0, Subject::Approval, asked.id.0, 0);
        Ok(Answer { approval_id: Some(asked.id), ..answer })
    }
}
