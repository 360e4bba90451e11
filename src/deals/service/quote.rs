//! Asking for quotes and choosing one.

use chrono::Duration;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Change, DealError, Deals, Refusal, RefusalCode, Target};
use crate::auth::{Actor, Scope};
use crate::db::{By, DbError, Tx};
use crate::deals::cover::Chosen;
use crate::deals::model::{DealKind, Figures, QuoteStatus};
use crate::deals::states::{DealState, DealVerb};
use crate::deals::store::answers;
use crate::deals::store::quotes::{self, Acceptable, Round};
use crate::deals::store::room::Room;
use crate::deals::store::table::OnTable;
use crate::finance::Quote;
use crate::kernel::clock::later;
use crate::kernel::id::{FinanceQuoteId, InsuranceQuoteId, ProgramId};

/// How long a quote can be accepted.
const QUOTE_DAYS: i64 = 7;

/// A finance or an insurance quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AnyQuote {
    /// Of a lender's program.
    Finance(FinanceQuoteId),
    /// Of an insurer.
    Insurance(InsuranceQuoteId),
}

/// A wish to accept a quote.
#[derive(Debug, Clone, Serialize)]
pub struct AcceptQuote {
    /// Which deal.
    pub target: Target,
    /// Which quote.
    pub quote: AnyQuote,
}

impl Deals {
    /// Asks every eligible lender program and every insurer. Quotes nobody accepted are superseded by the new round.
    pub async fn quote(&self, actor: &Actor, by: By, target: Target) -> Result<Answer, DealError> {
        self.once(actor, by, &target.key, "dealQuote", &target, async |tx: &mut Tx| self.quote_in(tx, actor, &target).await).await
    }

    async fn quote_in(&self, tx: &mut Tx, actor: &Actor, target: &Target) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, target).await?;
        let id = before.deal.id;
        let state = Self::step(&before, DealVerb::Quote, false)?;
        let case = Self::case(&before, &before.structure);
        let unpriced = |problem| DealError::from(Refusal::unpriced(&problem).of(id));
        let (offers, declined) = match before.deal.terms.kind {
            DealKind::Cash => (Vec::new(), Vec::new()),
            DealKind::Retail | DealKind::Lease => self.desk.finance_offers(&case).map_err(unpriced)?,
        };
        let said = answers::find(tx.conn(), &actor.selling_scope(), id).await?.unwrap_or_default();
        let premiums = self.desk.insurance_offers(&case, &said);
        let now = tx.now();
        let round = Round {
            deal: id,
            deal_version: before.deal.version.saturating_add(1),
            at: now,
            expires_at: later(now, Duration::days(QUOTE_DAYS)),
        };
        quotes::supersede_open(tx.conn(), id).await?;
        let ids: Vec<Uuid> = offers.iter().map(|_| self.db.new_id()).collect();
        quotes::insert_finance(tx.conn(), round, &ids, &offers).await?;
        let ids: Vec<Uuid> = premiums.iter().map(|_| self.db.new_id()).collect();
        quotes::insert_insurance(tx.conn(), round, &ids, &premiums).await?;
        let mut deal = before.deal.clone();
        deal.state = state;
        let detail = json!({ "financeQuotes": offers.len(), "insuranceQuotes": premiums.len(), "declined": declined.len() });
        let kept = if declined.is_empty() { None } else { Some(self.desk.purses().keep(before.deal.store_id, &declined)?) };
        let answer = self.write(tx, &before, Change::of(deal, "quoted", detail)).await?;
        Ok(Answer { declined: kept, ..answer })
    }

    /// Chooses a quote. A finance quote's payment becomes the deal's. Insurance that was chosen before and is not what this lender
    /// asks for stays chosen: the next steps say what is missing, and the customer cannot agree before it is there.
    pub async fn accept_quote(&self, actor: &Actor, by: By, wish: AcceptQuote) -> Result<Answer, DealError> {
        self.once(actor, by, &wish.target.key, "quoteAccept", &wish, async |tx: &mut Tx| self.accept_in(tx, actor, &wish).await).await
    }

    async fn accept_in(&self, tx: &mut Tx, actor: &Actor, wish: &AcceptQuote) -> Result<Answer, DealError> {
        let before = self.table(tx, actor, &wish.target).await?;
        let id = before.deal.id;
        let verb = match wish.quote {
            AnyQuote::Finance(_) => DealVerb::AcceptFinance,
            AnyQuote::Insurance(_) => DealVerb::AcceptInsurance,
        };
        let state = Self::step(&before, verb, false)?;
        let found = match wish.quote {
            AnyQuote::Finance(quote) => quotes::finance_to_accept(tx.conn(), id, quote).await?,
            AnyQuote::Insurance(quote) => quotes::insurance_to_accept(tx.conn(), id, quote).await?,
        };
        let quote = acceptable(found, tx.now()).map_err(|refusal| refusal.of(id))?;
        if let AnyQuote::Insurance(_) = wish.quote {
            let chosen = Chosen { inputs: quote.content.clone(), program: quotes::chosen_program(tx.conn(), id).await? };
            if let Some(gap) = self.desk.cover_gap(&Self::case(&before, &before.structure), &chosen)? {
                return Err(Refusal::new(RefusalCode::InsuranceNotEnough, "quoteId", gap).of(id).into());
            }
        }
        let mut deal = before.deal.clone();
        deal.state = state;
        let mut figures = None;
        let detail = match wish.quote {
            AnyQuote::Finance(quote_id) => {
                quotes::accept_finance(tx.conn(), id, quote_id).await?;
                deal.accepted_finance_quote_id = Some(quote_id);
                let (mut inputs, mut result) = (Value::Null, quote.content);
                self.desk.purses().open_quote(before.deal.store_id, &mut inputs, &mut result)?;
                let result: Quote = serde_json::from_value(result).map_err(|e| DbError::Corrupt(e.to_string()))?;
                let new = Figures { payment_is_estimate: false, ..Figures::of(&result) };
                let payment = new.payment;
                figures = Some(new);
                if state != before.deal.state {
                    deal.agreed_at = None;
                }
                let gap = self.gap_to(tx, actor, &before, quote.program).await?;
                json!({ "quoteId": quote_id, "payment": payment, "insuranceGap": gap })
            }
            AnyQuote::Insurance(quote_id) => {
                quotes::accept_insurance(tx.conn(), id, quote_id).await?;
                deal.accepted_insurance_quote_id = Some(quote_id);
                json!({ "quoteId": quote_id })
            }
        };
        self.write(tx, &before, Change { figures, ..Change::of(deal, "quote_accepted", detail) }).await
    }
}

impl Deals {
    /// What stands between the insurance chosen before and the demands of a program's lender.
    async fn gap_to(&self, tx: &mut Tx, actor: &Actor, before: &OnTable, program: Option<ProgramId>) -> Result<Option<String>, DealError> {
        if before.deal.accepted_insurance_quote_id.is_none() {
            return Ok(None);
        }
        let chosen = quotes::chosen_insurance(tx.conn(), &actor.selling_scope(), before.deal.id, before.deal.version).await?;
        let case = Self::case(before, &before.structure);
        Ok(chosen.map(|chosen| self.desk.cover_gap(&case, &Chosen { program, ..chosen })).transpose()?.flatten())
    }

    /// What stands between the insurance of a deal that is not agreed yet and the demands of its lender or lessor: of the policy
    /// chosen, or, before one is, when none of those quoted would do. Looked at once a lender or a policy is chosen: until then
    /// nobody's demands are known, and a deal that is only read costs no statement more.
    pub(in crate::deals) async fn insurance_gap(&self, scope: &Scope, room: &Room) -> Result<Option<String>, DealError> {
        let (deal, Some(known)) = (&room.deal, &room.steps) else { return Ok(None) };
        let early = matches!(deal.state, DealState::Draft | DealState::Worksheet | DealState::Presented);
        let chosen = known.quote_accepted || deal.accepted_insurance_quote_id.is_some();
        if !early || deal.terms.kind == DealKind::Cash || !chosen {
            return Ok(None);
        }
        let covers = quotes::covers(&mut *self.db.read().await?, scope, deal.id).await?;
        let mut first = None;
        for cover in &covers {
            let Some(gap) = self.desk.gap(deal.store_id, (known.group_id, deal.terms.kind, known.today), cover)? else { return Ok(None) };
            first.get_or_insert(gap);
        }
        Ok(first)
    }
}

impl Deals {
    /// What the insurance card of a signed deal's customer must show, in a sentence; none when no lender asks for anything.
    pub(in crate::deals) async fn insurance_asked(&self, room: &Room) -> Result<Option<String>, DealError> {
        let (deal, Some(known)) = (&room.deal, &room.steps) else { return Ok(None) };
        if deal.state != DealState::Contracted || deal.terms.kind == DealKind::Cash {
            return Ok(None);
        }
        let program = quotes::chosen_program(&mut *self.db.read().await?, deal.id).await?;
        Ok(self.desk.cover_asked((known.group_id, deal.terms.kind, known.today), program))
    }
}

fn acceptable(found: Option<Acceptable>, now: chrono::DateTime<chrono::Utc>) -> Result<Acceptable, Refusal> {
    let quote = found.ok_or_else(|| Refusal::not_found("quoteId", "This deal has no such quote."))?;
    match quote.status {
        QuoteStatus::Superseded => {
            Err(Refusal::new(RefusalCode::QuoteSuperseded, "quoteId", "The figures changed since this quote: ask for new ones."))
        }
        QuoteStatus::Expired => Err(Refusal::new(RefusalCode::QuoteExpired, "quoteId", "This quote is too old: ask for a new one.")),
        QuoteStatus::Quoted | QuoteStatus::Accepted if quote.expires_at <= now => {
            Err(Refusal::new(RefusalCode::QuoteExpired, "quoteId", "This quote is too old: ask for a new one."))
        }
        QuoteStatus::Quoted | QuoteStatus::Accepted => Ok(quote),
    }
}
