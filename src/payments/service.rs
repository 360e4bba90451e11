//! Use cases of deposits. The deal's use cases open the transaction; the partner is asked after its commit.

use std::sync::Arc;

use chrono::Duration;
use futures::{StreamExt, TryStreamExt, stream};
use metrics::gauge;
use serde_json::json;
use uuid::Uuid;

use super::breaker::Breaker;
use super::model::{Deposit, DepositStatus, RequestKind, RequestState, patience};
use super::store::{self, NewRow, Taken};
use super::{Ask, PaymentPort, Reply, What};
use crate::auth::Scope;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, ConstraintExt, Db, DbError, Tx};
use crate::kernel::clock::later;
use crate::kernel::id::{DealId, DepositId, StoreId};
use crate::kernel::money::{Cents, Currency};
use crate::kernel::seal::Sealer;

/// What a card's token is sealed for.
const TOKEN: &str = "payment_request.token";
/// How long a try has before another may begin: longer than any answer may take.
const TRY_SECONDS: i64 = 45;
/// Requests asked about in one sweep.
const SWEEP_MAX: i64 = 50;
/// How many of them at a time.
const SWEEP_AT_ONCE: usize = 8;

/// Deposits. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Payments {
    db: Db,
    sealer: Arc<Sealer>,
    port: Option<Arc<dyn PaymentPort>>,
    breaker: Arc<Breaker>,
}

/// A deposit to be authorized.
#[derive(Debug)]
pub struct NewDeposit<'a> {
    /// The deal's store.
    pub store: StoreId,
    /// The deal.
    pub deal: DealId,
    /// The hold it keeps.
    pub hold: Uuid,
    /// How much.
    pub amount: Cents,
    /// In which currency.
    pub currency: &'a Currency,
    /// Given back when the customer does not buy.
    pub refundable: bool,
    /// The one-time token of the card.
    pub token: &'a str,
    /// Who takes it.
    pub by: Uuid,
}

/// What a customer gets back of money that was taken when a sale ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed {
    /// What was agreed to be refundable: they do not buy.
    AsAgreed,
    /// Everything: a delivered car is taken back.
    Everything,
}

/// Why a deposit stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum DepositRefused {
    /// No partner is configured.
    #[error("This server has no payment partner: take deposits at the cashier.")]
    NoPartner,
    /// The partner did not answer the last times and is not asked now. Nothing was written down.
    #[error("The payment partner does not answer. Try again in a moment, or take the money at the cashier.")]
    PartnerSilent,
    /// The deal has a deposit already.
    #[error("This deal has a deposit already.")]
    AlreadyThere,
    /// It does not stand where this is possible.
    #[error("This deposit is {} and can't be changed like this.", .0.spoken())]
    WrongStatus(DepositStatus),
    /// There is no such deposit.
    #[error("There is no such deposit in your stores.")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Payments {
    /// With this partner; none takes no deposits.
    pub fn new(db: Db, sealer: Arc<Sealer>, port: Option<Arc<dyn PaymentPort>>) -> Self {
        Self { db, sealer, port, breaker: Arc::default() }
    }

    /// Whether deposits can be taken at all.
    pub fn has_partner(&self) -> bool {
        self.port.is_some()
    }

    /// Records a deposit and the request to authorize it, inside the caller's transaction. After its commit the caller calls
    /// [`Payments::carry_out`] with the request's id.
    pub async fn record(&self, tx: &mut Tx, new: &NewDeposit<'_>) -> Result<(DepositId, Uuid), DepositRefused> {
        self.has_answering_partner(tx)?;
        let (id, at): (DepositId, _) = (self.db.new_id(), tx.now());
        let row = NewRow {
            id,
            store: new.store,
            deal: new.deal,
            hold: new.hold,
            amount: new.amount,
            currency: new.currency,
            refundable: new.refundable,
            by: new.by,
            at,
        };
        store::insert(tx.conn(), &row).await.on_constraint("deposit_open_key", |_| DepositRefused::AlreadyThere)?;
        let request = self.db.new_id();
        let sealed = self.sealer.seal(TOKEN, new.token.as_bytes());
        store::insert_request(tx.conn(), request, id, RequestKind::Authorize, Some(&sealed), at).await?;
        Ok((id, request))
    }

    fn has_answering_partner(&self, tx: &Tx) -> Result<(), DepositRefused> {
        if self.port.is_none() {
            return Err(DepositRefused::NoPartner);
        }
        if self.breaker.is_open(tx.now()) { Err(DepositRefused::PartnerSilent) } else { Ok(()) }
    }

    /// Records the request to capture, void or refund a deposit, inside the caller's transaction. Gives the request's id.
    pub async fn ask(&self, tx: &mut Tx, scope: &Scope, id: DepositId, kind: RequestKind) -> Result<(DealId, Uuid), DepositRefused> {
        self.has_answering_partner(tx)?;
        let found = self.find_in(tx, scope, id).await?.ok_or(DepositRefused::NotFound)?;
        let Some(request) = self.request_in(tx, id, kind).await? else {
            let present = self.find_in(tx, scope, id).await?.unwrap_or(found);
            return Err(DepositRefused::WrongStatus(present.status));
        };
        Ok((found.deal_id, request))
    }

    /// Records the request, unless the deposit does not stand where it begins, or not any more.
    async fn request_in(&self, tx: &mut Tx, id: DepositId, kind: RequestKind) -> Result<Option<Uuid>, DbError> {
        let at = tx.now();
        let Some(from) = kind.begins_at() else { return Ok(None) };
        if !store::advance(tx.conn(), id, from, kind.under_way(), at).await? {
            return Ok(None);
        }
        let request = self.db.new_id();
        store::insert_request(tx.conn(), request, id, kind, None, at).await?;
        Ok(Some(request))
    }

    /// Holds ended without a sale: what was only authorized for them is to be voided, inside the caller's transaction. The sweep
    /// sends it.
    pub async fn give_free(&self, tx: &mut Tx, holds: &[Uuid]) -> Result<(), DbError> {
        if holds.is_empty() {
            return Ok(());
        }
        let at = tx.now();
        for id in store::unwanted(tx.conn(), holds, at).await? {
            self.request_in(tx, id, RequestKind::Void).await?;
        }
        Ok(())
    }

    /// A sale ended: what is set aside is to be voided, what was taken refunded, inside the caller's transaction. The sweep sends it;
    /// what the partner has not answered yet follows when it does.
    pub async fn give_back(&self, tx: &mut Tx, deal: DealId, owed: Owed) -> Result<(), DbError> {
        let at = tx.now();
        for (id, status) in store::ended(tx.conn(), deal, owed == Owed::Everything, at).await? {
            let kind = if status == DepositStatus::Captured { RequestKind::Refund } else { RequestKind::Void };
            self.request_in(tx, id, kind).await?;
        }
        Ok(())
    }

    /// The deal's deposit now keeps another hold, inside the caller's transaction.
    pub async fn follow(&self, tx: &mut Tx, deal: DealId, hold: Uuid) -> Result<(), DbError> {
        store::follow(tx.conn(), deal, hold).await
    }

    /// The deposits of a deal, newest first.
    pub async fn of_deal(&self, scope: &Scope, deal: DealId) -> Result<Vec<Deposit>, DbError> {
        store::of_deal(&mut *self.db.read().await?, scope, Some(deal), None).await
    }

    /// One deposit, as the caller's transaction sees it.
    pub async fn find_in(&self, tx: &mut Tx, scope: &Scope, id: DepositId) -> Result<Option<Deposit>, DbError> {
        Ok(store::of_deal(tx.conn(), scope, None, Some(id)).await?.pop())
    }

    /// One deposit.
    pub async fn find(&self, scope: &Scope, id: DepositId) -> Result<Option<Deposit>, DbError> {
        Ok(store::of_deal(&mut *self.db.read().await?, scope, None, Some(id)).await?.pop())
    }

    /// One try of a recorded request: takes it, asks the partner with no transaction open, writes down what came of it. True when
    /// the outcome is known. Harmless when it is settled or somebody else is at it.
    pub async fn carry_out(&self, request: Uuid) -> Result<bool, DbError> {
        let Some(port) = &self.port else { return Ok(false) };
        let now = self.db.now();
        if !self.breaker.admits(now) {
            return Ok(false);
        }
        let until = later(now, Duration::seconds(TRY_SECONDS));
        let taken = store::take(&mut *self.db.read().await?, request, now, until).await?;
        let Some(taken) = taken else { return Ok(false) };
        // Whoever sends for the first time knows that nothing was sent. Later tries ask first.
        let heard = if taken.tries > 1 { port.look_up(request).await } else { Reply::NeverSeen };
        let reply = match heard {
            Reply::NeverSeen => match self.what(&taken) {
                Some(what) => port.carry_out(&Ask { request_id: request, what }).await,
                None => Reply::Unknown("INCOMPLETE".into()),
            },
            known => known,
        };
        self.breaker.heard(&reply, self.db.now());
        self.settle(request, &taken, reply).await
    }

    fn what(&self, taken: &Taken) -> Option<What> {
        Some(match taken.kind {
            RequestKind::Authorize => {
                let token = self.sealer.open(TOKEN, taken.token_sealed.as_deref()?).ok()?;
                What::Authorize { amount: taken.amount, currency: taken.currency, token: String::from_utf8(token).ok()? }
            }
            RequestKind::Capture => What::Capture { reference: taken.reference.clone()? },
            RequestKind::Void => What::Void { reference: taken.reference.clone()? },
            RequestKind::Refund => What::Refund { reference: taken.reference.clone()? },
        })
    }

    async fn settle(&self, request: Uuid, taken: &Taken, reply: Reply) -> Result<bool, DbError> {
        let mut tx = self.db.begin(By::system()).await?;
        let at = tx.now();
        let Some(status) = taken.kind.after(&reply) else {
            let problem = if let Reply::Unknown(problem) = reply { problem } else { "NEVER_SEEN".into() };
            let again = later(at, patience(taken.tries));
            tracing::warn!(%request, kind = %taken.kind, tries = taken.tries, problem, "the outcome of a payment request is not known");
            store::note_unknown(tx.conn(), request, &problem, again).await?;
            tx.notify(taken.store_id, Subject::Deal, taken.deal_id.0, 0);
            tx.commit().await?;
            return Ok(false);
        };
        let (state, reference, refused) = match &reply {
            Reply::Done { reference } => (RequestState::Done, Some(reference.as_str()), None),
            Reply::Refused { code } => (RequestState::Refused, None, Some(code.as_str())),
            Reply::NeverSeen | Reply::Unknown(_) => return Ok(false),
        };
        if !store::settle(tx.conn(), request, state, at).await? {
            return Ok(true);
        }
        let reference = reference.filter(|_| taken.kind == RequestKind::Authorize);
        let wanted = store::conclude(tx.conn(), taken.deposit_id, status, reference, refused, at).await?;
        // A refused void or refund is for people to look at, not for trying for ever.
        let next = match (taken.kind, status) {
            (RequestKind::Authorize | RequestKind::Capture, DepositStatus::Authorized) if wanted.void => Some(RequestKind::Void),
            (RequestKind::Capture, DepositStatus::Captured) if wanted.refund => Some(RequestKind::Refund),
            _ => None,
        };
        if let Some(next) = next {
            self.request_in(&mut tx, taken.deposit_id, next).await?;
        }
        tx.audit(AuditEvent {
            store_id: Some(taken.store_id),
            subject: Subject::Deal,
            subject_id: taken.deal_id.0,
            verb: "deposit_settled",
            detail: json!({ "depositId": taken.deposit_id, "status": status, "amount": taken.amount, "tries": taken.tries, "code": refused }),
        });
        tx.notify(taken.store_id, Subject::Deal, taken.deal_id.0, 0);
        tx.commit().await?;
        Ok(true)
    }

    /// Asks about requests whose outcome is not known, and sends those that wait; at most 50 at a time. Several servers may do it
    /// at once. Gives how many were settled.
    pub async fn sweep(&self) -> Result<usize, DbError> {
        if self.port.is_none() {
            return Ok(0);
        }
        let now = self.db.now();
        let mut conn = self.db.read().await?;
        gauge!("deskless_payment_requests_unknown").set(u32::try_from(store::unknown(&mut conn).await?).unwrap_or(u32::MAX));
        gauge!("deskless_refunds_refused").set(u32::try_from(store::refunds_refused(&mut conn).await?).unwrap_or(u32::MAX));
        let silent = self.breaker.is_open(now);
        gauge!("deskless_payment_partner_silent").set(u8::from(silent));
        if silent {
            return Ok(0);
        }
        let due = store::due(&mut conn, now, SWEEP_MAX).await?;
        drop(conn);
        let tries = stream::iter(due).map(|request| self.carry_out(request)).buffer_unordered(SWEEP_AT_ONCE);
        tries.try_fold(0_usize, |settled, known| async move { Ok(settled.saturating_add(usize::from(known))) }).await
    }
}
