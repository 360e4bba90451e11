//! Quotes as clients see them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::deals::model::{DealKind, QuoteStatus};
use crate::deals::replay::{Replay, ReplayOutcome};
use crate::deals::service::Deals;
use crate::deals::store::record::{FinanceQuoteRow, InsuranceQuoteRow};
use crate::deals::store::room::Room;
use crate::finance::graphql::{Insurer, ProgramNode, QuoteDetailNode, insurer, program};
use crate::graphql::context::{actor, service};
use crate::graphql::{DecimalText, GqlError, GqlResult, MoneyObject, Percentage};
use crate::insurance::graphql::InsuranceDetailNode;
use crate::kernel::id::{FinanceQuoteId, InsuranceQuoteId, InsurerId, ProgramId};
use crate::kernel::money::Cents;

/// A finance quote inside the room it was read with.
#[derive(Debug, Clone)]
pub struct FinanceQuoteNode {
    room: Arc<Room>,
    position: usize,
}

impl FinanceQuoteNode {
    pub(super) fn new(room: &Arc<Room>, position: usize) -> Self {
        Self { room: Arc::clone(room), position }
    }

    fn row(&self) -> GqlResult<&FinanceQuoteRow> {
        let rows = self.room.finance_quotes.as_ref();
        rows.and_then(|rows| rows.get(self.position)).ok_or_else(|| GqlError::internal("a quote without its row"))
    }

    pub(super) fn is_open(&self) -> bool {
        self.row().is_ok_and(|row| matches!(row.status, QuoteStatus::Quoted | QuoteStatus::Accepted))
    }

    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.room.deal.terms.currency)
    }
}

/// What a lender program says to the deal's figures. Never changed, only superseded.
#[Object(name = "FinanceQuote")]
impl FinanceQuoteNode {
    /// Opaque id, `fqt_…`.
    async fn id(&self) -> GqlResult<ID> {
        Ok(FinanceQuoteId(self.row()?.id).into())
    }
    /// The program, `prg_…`.
    async fn program_id(&self) -> GqlResult<ID> {
        Ok(ProgramId(self.row()?.program_id).into())
    }
    /// The program with its lender and credit tier. Null when it is not on file any more.
    async fn program(&self, ctx: &Context<'_>) -> GqlResult<Option<ProgramNode>> {
        program(ctx, ProgramId(self.row()?.program_id), self.room.deal.store_id)
    }
    /// Retail instalment contract or lease.
    async fn kind(&self) -> GqlResult<DealKind> {
        Ok(self.row()?.kind)
    }
    /// Whether it can be accepted.
    async fn status(&self) -> GqlResult<QuoteStatus> {
        Ok(self.row()?.status)
    }
    /// The version of the deal it was made for.
    async fn deal_version(&self) -> GqlResult<i32> {
        Ok(self.row()?.deal_version)
    }
    /// Months.
    async fn term_months(&self) -> GqlResult<i32> {
        Ok(self.row()?.term_months)
    }
    /// The contract rate. Null for a lease.
    async fn rate(&self) -> GqlResult<Option<Percentage>> {
        Ok(self.row()?.sell_rate.map(Percentage))
    }
    /// The annual percentage rate by the actuarial method of Regulation Z. Null for a lease.
    async fn apr(&self) -> GqlResult<Option<Percentage>> {
        Ok(self.row()?.apr.map(Percentage))
    }
    /// The money factor of a lease. Null for a retail contract.
    async fn money_factor(&self) -> GqlResult<Option<DecimalText>> {
        Ok(self.row()?.money_factor.map(DecimalText))
    }
    /// Each payment, with tax, as often as `detail.paymentSchedule` says.
    async fn payment(&self) -> GqlResult<MoneyObject> {
        Ok(self.money(self.row()?.payment))
    }
    /// The amount financed; for a lease the adjusted capitalized cost.
    async fn amount_financed(&self) -> GqlResult<MoneyObject> {
        Ok(self.money(self.row()?.amount_financed))
    }
    /// What the credit costs; for a lease the rent charge.
    async fn finance_charge(&self) -> GqlResult<MoneyObject> {
        Ok(self.money(self.row()?.finance_charge))
    }
    /// All payments together.
    async fn total_of_payments(&self) -> GqlResult<MoneyObject> {
        Ok(self.money(self.row()?.total_of_payments))
    }
    /// What the customer brings on the day.
    async fn due_at_signing(&self) -> GqlResult<MoneyObject> {
        Ok(self.money(self.row()?.due_at_signing))
    }
    /// False when a rule behind it (tax, fee, program) was not verified by a person yet.
    async fn verified(&self) -> GqlResult<bool> {
        Ok(self.row()?.verified)
    }
    /// The version of the engine that calculated it; `quoteReplay` calculates it again.
    async fn engine_version(&self) -> GqlResult<&str> {
        Ok(&self.row()?.engine_version)
    }
    /// Every line, the schedule, a lease's progression and the rules used. Costs one more statement for each quote.
    #[graphql(complexity = "20 + child_complexity")]
    async fn detail(&self, ctx: &Context<'_>) -> GqlResult<Option<QuoteDetailNode>> {
        let (actor, id) = (actor(ctx)?, FinanceQuoteId(self.row()?.id));
        let manager = actor.manages(self.room.deal.store_id);
        let stored = service::<Deals>(ctx)?.stored_finance_quote(&actor.selling_scope(), id).await?;
        stored.map(|(inputs, result)| QuoteDetailNode::read(inputs, result, manager)).transpose()
    }
    /// When it was made.
    async fn created_at(&self) -> GqlResult<DateTime<Utc>> {
        Ok(self.row()?.created_at)
    }
    /// Until when it can be accepted.
    async fn expires_at(&self) -> GqlResult<DateTime<Utc>> {
        Ok(self.row()?.expires_at)
    }
}

/// An insurance quote inside the room it was read with.
#[derive(Debug, Clone)]
pub struct InsuranceQuoteNode {
    room: Arc<Room>,
    position: usize,
}

impl InsuranceQuoteNode {
    pub(super) fn new(room: &Arc<Room>, position: usize) -> Self {
        Self { room: Arc::clone(room), position }
    }

    fn row(&self) -> GqlResult<&InsuranceQuoteRow> {
        let rows = self.room.insurance_quotes.as_ref();
        rows.and_then(|rows| rows.get(self.position)).ok_or_else(|| GqlError::internal("a quote without its row"))
    }

    pub(super) fn is_open(&self) -> bool {
        self.row().is_ok_and(|row| matches!(row.status, QuoteStatus::Quoted | QuoteStatus::Accepted))
    }

    fn money(&self, cents: Cents) -> MoneyObject {
        MoneyObject::new(cents, self.room.deal.terms.currency)
    }
}

/// What an insurer asks for covering the car. An estimate for the customer; advice needs a licence.
#[Object(name = "InsuranceQuote")]
impl InsuranceQuoteNode {
    /// Opaque id, `iqt_…`.
    async fn id(&self) -> GqlResult<ID> {
        Ok(InsuranceQuoteId(self.row()?.id).into())
    }
    /// The insurer, `ins_…`.
    async fn insurer_id(&self) -> GqlResult<ID> {
        Ok(InsurerId(self.row()?.insurer_id).into())
    }
    /// The insurer. Null when it is not on file any more.
    async fn insurer(&self, ctx: &Context<'_>) -> GqlResult<Option<Insurer>> {
        insurer(ctx, InsurerId(self.row()?.insurer_id))
    }
    /// Whether it can be accepted.
    async fn status(&self) -> GqlResult<QuoteStatus> {
        Ok(self.row()?.status)
    }
    /// The version of the deal it was made for.
    async fn deal_version(&self) -> GqlResult<i32> {
        Ok(self.row()?.deal_version)
    }
    /// Months the premium is for.
    async fn term_months(&self) -> GqlResult<i32> {
        Ok(self.row()?.term_months)
    }
    /// The whole premium for the term.
    async fn premium(&self) -> GqlResult<MoneyObject> {
        Ok(self.money(self.row()?.premium))
    }
    /// The premium per month, rounded up so that the months cover the premium.
    async fn monthly_premium(&self) -> GqlResult<MoneyObject> {
        Ok(self.money(self.row()?.monthly_premium))
    }
    /// False when a rule behind it was not verified by a person yet.
    async fn verified(&self) -> GqlResult<bool> {
        Ok(self.row()?.verified)
    }
    /// The version of the engine that calculated it.
    async fn engine_version(&self) -> GqlResult<&str> {
        Ok(&self.row()?.engine_version)
    }
    /// Coverages, pay plans, drivers, and what the lender demands. Costs one more statement for each quote.
    #[graphql(complexity = "20 + child_complexity")]
    async fn detail(&self, ctx: &Context<'_>) -> GqlResult<Option<InsuranceDetailNode>> {
        let (actor, id) = (actor(ctx)?, InsuranceQuoteId(self.row()?.id));
        let stored = service::<Deals>(ctx)?.stored_insurance_quote(&actor.selling_scope(), id).await?;
        stored.map(|(inputs, result)| InsuranceDetailNode::read(inputs, result, self.room.deal.terms.currency)).transpose()
    }
    /// When it was made.
    async fn created_at(&self) -> GqlResult<DateTime<Utc>> {
        Ok(self.row()?.created_at)
    }
    /// Until when it can be accepted.
    async fn expires_at(&self) -> GqlResult<DateTime<Utc>> {
        Ok(self.row()?.expires_at)
    }
}

/// A stored quote and the same calculated again from its stored inputs.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "QuoteReplay")]
pub struct ReplayNode {
    /// Byte for byte the same.
    pub equal: bool,
    /// How the two compare.
    pub outcome: ReplayOutcome,
    /// Why they are not the same, in words. Null when they are.
    pub reason: Option<String>,
    /// The version of the engine that made the stored result.
    pub engine_version: String,
    /// The result as stored.
    pub stored: async_graphql::Json<serde_json::Value>,
    /// The result calculated now; null when this engine can't calculate from the inputs.
    pub replayed: Option<async_graphql::Json<serde_json::Value>>,
}

impl From<Replay> for ReplayNode {
    fn from(replay: Replay) -> Self {
        Self {
            equal: replay.equal(),
            outcome: replay.outcome(),
            reason: replay.reason(),
            engine_version: replay.engine_version,
            stored: async_graphql::Json(replay.stored),
            replayed: replay.replayed.ok().map(async_graphql::Json),
        }
    }
}
