//! Deposits against a hold. The request is written down and committed first; then the partner is asked, with nothing open.

use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::hold::OnCar;
use super::{Answer, DealError, Deals, Refusal, RefusalCode};
use crate::auth::Actor;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, Tx};
use crate::inventory::HoldReason;
use crate::kernel::id::DepositId;
use crate::kernel::money::Cents;
use crate::kernel::seal::sha256;
use crate::payments::{DepositRefused, NewDeposit, RequestKind};

/// The largest deposit, in cents: more is paid at the cashier.
const DEPOSIT_MAX: Cents = Cents(10_000_00);

/// A deposit to take.
#[derive(Debug)]
pub struct TakeDeposit {
    /// Which deal.
    pub on: OnCar,
    /// How much.
    pub amount: Cents,
    /// Given back when the customer does not buy.
    pub refundable: bool,
    /// The one-time token the terminal gave for the card.
    pub token: String,
}

/// What of a deposit tells a retry from a mistake. The token itself is kept nowhere in the clear.
#[derive(Serialize)]
struct Asked<'a> {
    on: &'a OnCar,
    amount: Cents,
    refundable: bool,
    token_sha256: [u8; 32],
}

/// A deposit to capture, to void or to refund.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeDeposit {
    /// Which.
    pub deposit_id: DepositId,
    /// The tablet's key.
    #[serde(skip)]
    pub key: String,
}

impl Deals {
    /// Has the money set aside. The answer comes when the partner has said yes or no, or with the outcome unknown when it did not
    /// say in time; then it is asked about until it is known.
    pub async fn deposit_authorize(&self, actor: &Actor, by: By, wish: TakeDeposit) -> Result<Answer, DealError> {
        let asked = Asked { on: &wish.on, amount: wish.amount, refundable: wish.refundable, token_sha256: sha256(wish.token.as_bytes()) };
        let mut request = None;
        let recorded = async |tx: &mut Tx| {
            let (answer, id) = self.take_in(tx, actor, &wish).await.map_err(|e| e.about(wish.on.deal_id))?;
            request = Some(id);
            Ok(answer)
        };
        let answer = self.once(actor, by, &wish.on.key, "depositAuthorize", &asked, recorded).await?;
        self.send(request).await?;
        Ok(answer)
    }

    async fn take_in(&self, tx: &mut Tx, actor: &Actor, wish: &TakeDeposit) -> Result<(Answer, Uuid), DealError> {
        let before = self.open_deal(tx, actor, wish.on.deal_id).await?;
        let hold = self.own_hold(tx, &before).await?;
        if hold.reason == HoldReason::Offer {
            return Err(Refusal::new(RefusalCode::NoHold, "dealId", "The car is only offered to this deal. Hold it first.").into());
        }
        if wish.amount < Cents(1) || wish.amount > DEPOSIT_MAX {
            return Err(Refusal::new(RefusalCode::OutOfBounds, "amount", format!("A deposit is from 0.01 to {DEPOSIT_MAX}.")).into());
        }
        let deal = &before.deal;
        let new = NewDeposit {
            store: deal.store_id,
            deal: deal.id,
            hold: hold.id,
            amount: wish.amount,
            currency: &deal.terms.currency,
            refundable: wish.refundable,
            token: &wish.token,
            by: actor.user_id().0,
        };
        let (id, request) = self.payments.record(tx, &new).await.map_err(refused)?;
        tx.audit(AuditEvent {
            store_id: Some(deal.store_id.0),
            subject: Subject::Deal,
            subject_id: deal.id.0,
            verb: "deposit_recorded",
            detail: json!({ "depositId": id, "amount": wish.amount, "refundable": wish.refundable }),
        });
        tx.notify(deal.store_id.0, Subject::Deal, deal.id.0, deal.version);
        Ok((Answer { deposit_id: Some(id), ..Answer::done(deal.id) }, request))
    }

    /// Has the money taken that was set aside.
    pub async fn deposit_capture(&self, actor: &Actor, by: By, wish: ChangeDeposit) -> Result<Answer, DealError> {
        self.change_deposit(actor, by, wish, "depositCapture", RequestKind::Capture).await
    }

    /// Has the money given free that was set aside.
    pub async fn deposit_void(&self, actor: &Actor, by: By, wish: ChangeDeposit) -> Result<Answer, DealError> {
        self.change_deposit(actor, by, wish, "depositVoid", RequestKind::Void).await
    }

    /// Has the money given back that was taken. For managers; cancelling, unwinding or returning does it by itself.
    pub async fn deposit_refund(&self, actor: &Actor, by: By, wish: ChangeDeposit) -> Result<Answer, DealError> {
        self.change_deposit(actor, by, wish, "depositRefund", RequestKind::Refund).await
    }

    async fn change_deposit(
        &self,
        actor: &Actor,
        by: By,
        wish: ChangeDeposit,
        operation: &'static str,
        kind: RequestKind,
    ) -> Result<Answer, DealError> {
        let mut request = None;
        let recorded = async |tx: &mut Tx| {
            let scope = actor.selling_scope();
            let deposit = self.payments.find_in(tx, &scope, wish.deposit_id).await?.ok_or(DepositRefused::NotFound).map_err(refused)?;
            let before = self.found_deal(tx, actor, deposit.deal_id).await?;
            if kind == RequestKind::Refund && !actor.manages(before.deal.store_id) {
                let message = "A manager of the store must do this.";
                return Err(DealError::Refused(Refusal::new(RefusalCode::ManagerNeeded, "depositId", message).of(before.deal.id)));
            }
            let (deal, id) = self.payments.ask(tx, &scope, wish.deposit_id, kind).await.map_err(refused)?;
            request = Some(id);
            Ok(Answer { deposit_id: Some(wish.deposit_id), ..Answer::done(deal) })
        };
        let answer = self.once(actor, by, &wish.key, operation, &wish, recorded).await?;
        self.send(request).await?;
        Ok(answer)
    }

    /// Asks the partner about what was written down and committed; nothing when the answer is an earlier one or a refusal. What
    /// comes of it is written down there, and the answer shows the deposit as it then stands.
    async fn send(&self, request: Option<Uuid>) -> Result<(), DealError> {
        if let Some(request) = request {
            self.payments.carry_out(request).await?;
        }
        Ok(())
    }
}

fn refused(error: DepositRefused) -> DealError {
    let words = error.to_string();
    match error {
        DepositRefused::NoPartner => Refusal::new(RefusalCode::PaymentsOff, "", words).into(),
        // Not remembered: the same may be asked again when the partner is back.
        DepositRefused::PartnerSilent => DealError::Undone(Refusal::new(RefusalCode::PartnerSilent, "", words)),
        // Found by a constraint: the transaction is broken and can keep no answer.
        DepositRefused::AlreadyThere => DealError::Undone(Refusal::new(RefusalCode::DepositOpen, "dealId", words)),
        DepositRefused::WrongStatus(_) => Refusal::new(RefusalCode::WrongDepositStatus, "depositId", words).into(),
        DepositRefused::NotFound => Refusal::not_found("depositId", &words).into(),
        DepositRefused::Db(error) => DealError::Db(error),
    }
}
