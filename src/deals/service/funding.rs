//! After the hand-over: the lender's money, and closing the books.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::json;

use super::{Answer, Change, DealError, Deals, Operation, Refusal, RefusalCode, Target};
use crate::auth::{Actor, Scope};
use crate::db::{By, DbError, Tx};
use crate::deals::delivery::Funding;
use crate::deals::states::DealVerb;
use crate::deals::steps::{DealFacts, SignedFacts};
use crate::deals::store::{delivery, funding};
use crate::kernel::id::{DealId, LenderId};
use crate::kernel::money::Cents;

/// A lender's payment, as a manager states it.
#[derive(Debug, Clone, Serialize)]
pub struct FundDeal {
    /// Which deal.
    pub target: Target,
    /// Who paid; the lender of the accepted quote when not said.
    pub lender: Option<LenderId>,
    /// How much arrived.
    pub amount: Cents,
    /// The day it arrived, at the store.
    pub day: NaiveDate,
    /// The payment's number at the lender or the bank.
    pub reference: Option<String>,
}

impl Deals {
    /// The lender's money arrived. A spot delivery is then no longer one: its last day is over.
    pub async fn fund(&self, actor: &Actor, by: By, wish: FundDeal) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.target.key, "dealFund", &wish, async |tx: &mut Tx| self.fund_in(tx, actor, &wish).await).await
    }

    async fn fund_in(&self, tx: &mut Tx, actor: &Actor, wish: &FundDeal) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, &wish.target).await?;
        let id = before.deal.id;
        let signed = SignedFacts { by_manager: actor.manages(before.deal.store_id), ..SignedFacts::default() };
        let facts = DealFacts { signed, ..Self::facts(&before, None, false) };
        let state = Self::decided(&before, DealVerb::Fund, facts.step(DealVerb::Fund))?;
        let signed_on = delivery::contracted_on(tx.conn(), id).await?.unwrap_or(before.today);
        if !(signed_on..=before.today).contains(&wish.day) {
            let message = format!("The money came between the signature on {signed_on} and today.");
            return Err(Refusal::new(RefusalCode::OutOfBounds, "fundedOn", message).of(id).into());
        }
        let lender = funding::lender(tx.conn(), id, wish.lender).await?;
        let lender = lender.ok_or_else(|| Refusal::not_found("lenderId", "There is no such lender in your group.").of(id))?;
        let (at, by) = (tx.now(), actor.user_id());
        let paid = (lender, wish.amount, wish.day, wish.reference.as_deref());
        funding::insert(tx.conn(), before.deal.store_id, id, paid, (at, by)).await?;
        let mut deal = before.deal.clone();
        deal.state = state;
        let detail = json!({ "lenderId": lender, "amount": wish.amount, "fundedOn": wish.day });
        self.write(tx, &before, Change::of(deal, "funded", detail)).await
    }

    /// Closes the books: everything is paid. What is left is the buyer's right to bring the car back.
    pub async fn close(&self, actor: &Actor, by: By, target: Target) -> Result<Answer, DealError> {
        let operation = Operation { name: "dealClose", of_the_deal_alone: false };
        self.change(actor, by, &target, operation, &target, |before, _| {
            let signed = SignedFacts { by_manager: actor.manages(before.deal.store_id), ..SignedFacts::default() };
            let facts = DealFacts { signed, ..Self::facts(before, None, false) };
            let state = Self::decided(before, DealVerb::Close, facts.step(DealVerb::Close))?;
            let deal = crate::deals::model::Deal { state, ..before.deal.clone() };
            Ok(Some(Change::of(deal, "closed", json!({}))))
        })
        .await
    }

    /// What a lender paid for a deal.
    pub async fn funding(&self, scope: &Scope, deal: DealId) -> Result<Option<Funding>, DbError> {
        funding::find(&mut *self.db.read().await?, scope, deal).await
    }
}
