//! A tablet comes back from where there was no network.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::inputs::{StructureInput, amount};
use super::node::{DealNode, parts};
use crate::deals::model::{DealKind, LABEL_MAX, LostReason, REASON_MAX};
use crate::deals::offline::{Conflict, OfflineOutcome, OfflineVerb};
use crate::deals::service::{Deals, OfflineOperation, OfflineWork, OnDeal, OpenDeal, Replayed};
use crate::deals::store::offline::IndicativeQuote;
use crate::graphql::context::{actor, by, service};
use crate::graphql::{DecimalText, GqlError, GqlResult, MoneyObject, input};
use crate::kernel::id::{CustomerId, DealId, TypedId, VehicleId};
use crate::kernel::money::Currency;

/// Longest id of a tablet or an operation, in characters.
const ID_MAX: usize = 64;

/// What a tablet did offline.
#[derive(Debug, InputObject)]
struct DealReplayInput {
    /// The tablet: an id it made once and kept. 1 to 64 letters, digits, `-` and `_`.
    tablet_id: String,
    /// What it did, in its order; at most 100. Send the next ones when these are answered.
    operations: Vec<OfflineOperationInput>,
}

/// Something a tablet did offline. Fill what `verb` asks for.
#[derive(Debug, InputObject)]
struct OfflineOperationInput {
    /// Made by the tablet and kept before it was queued: 1 to 64 letters, digits, `-` and `_`. It is applied once, however often it is sent.
    id: String,
    /// What was done.
    verb: OfflineVerb,
    /// When, by the tablet's clock. Shown, never used for an order.
    at: DateTime<Utc>,
    /// The deal, `deal_…`. Not for `OPEN`.
    deal_id: Option<ID>,
    /// Instead of `dealId`: the id of this tablet's operation that opened the deal.
    opened_by: Option<String>,
    /// The version of the deal the tablet last got from the server; 1 for a deal it opened itself.
    base_version: Option<i32>,
    /// For `OPEN`.
    open: Option<OfflineOpenInput>,
    /// For `STRUCTURE`: the parts that changed, and only those.
    structure: Option<StructureInput>,
    /// For `SWAP_VEHICLE`.
    swap: Option<OfflineSwapInput>,
    /// For `SCENARIO_SAVE`.
    scenario: Option<OfflineScenarioInput>,
    /// For `QUOTE_SHOWN`.
    quote_shown: Option<OfflineQuoteShownInput>,
    /// For `LOSE`: why, in a few words; at most 500 characters. Not needed with `reasonCode`, but for `OTHER`.
    reason: Option<String>,
    /// For `LOSE`: why, as a code.
    reason_code: Option<LostReason>,
}

/// A deal opened offline.
#[derive(Debug, InputObject)]
struct OfflineOpenInput {
    /// Who buys, `cus_…`.
    customer_id: ID,
    /// Which car, `veh_…`.
    vehicle_id: ID,
    /// How the customer pays; `RETAIL` when not given.
    kind: Option<DealKind>,
    /// Another price than the asking price.
    price: Option<DecimalText>,
}

/// Another car, chosen offline.
#[derive(Debug, InputObject)]
struct OfflineSwapInput {
    /// The new car, `veh_…`.
    vehicle_id: ID,
    /// Its price in this deal; the asking price when not given.
    price: Option<DecimalText>,
}

/// A structure set aside offline.
#[derive(Debug, InputObject)]
struct OfflineScenarioInput {
    /// What to call it; 1 to 80 characters.
    label: String,
    /// What is different from the deal.
    structure: StructureInput,
}

/// Figures shown offline, from what the tablet knew.
#[derive(Debug, InputObject)]
struct OfflineQuoteShownInput {
    /// What they were called; 1 to 80 characters.
    label: String,
    /// The monthly payment that was shown.
    payment: Option<DecimalText>,
    /// The total price that was shown.
    total_price: Option<DecimalText>,
    /// Months, from 1 to 120.
    term_months: Option<i32>,
    /// When the tablet fetched the figures it showed.
    rules_as_of: DateTime<Utc>,
}

/// Figures a customer was shown offline. Indicative: they were never checked against the rules of the day and can't be accepted.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "IndicativeQuote")]
pub struct IndicativeQuoteNode {
    /// Always true.
    indicative: bool,
    /// What they were called.
    label: String,
    /// The monthly payment that was shown.
    payment: Option<MoneyObject>,
    /// The total price that was shown.
    total_price: Option<MoneyObject>,
    /// Months.
    term_months: Option<i32>,
    /// The figures are as of this time: when the tablet fetched what it showed.
    rules_as_of: DateTime<Utc>,
    /// When they were shown, by the tablet's clock.
    shown_at: DateTime<Utc>,
    /// When the server heard of it.
    recorded_at: DateTime<Utc>,
}

impl IndicativeQuoteNode {
    pub(super) fn new(quote: IndicativeQuote, currency: Currency) -> Self {
        let money = |cents| MoneyObject::new(cents, currency);
        Self {
            indicative: true,
            label: quote.label,
            payment: quote.payment.map(money),
            total_price: quote.total_price.map(money),
            term_months: quote.term_months,
            rules_as_of: quote.rules_as_of,
            shown_at: quote.shown_at,
            recorded_at: quote.recorded_at,
        }
    }
}

/// What two people did to one part of a deal.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "OfflineConflict")]
struct ConflictNode {
    /// The part: `downPayment`, `termMonths`, `products`, `vehicle`; `deal` when the whole deal moved on.
    part: String,
    /// What stands now, and stays.
    theirs: String,
    /// What the tablet wanted.
    mine: String,
    /// Who changed it meanwhile, as colleagues see them.
    by: Option<String>,
    /// When.
    at: DateTime<Utc>,
}

impl From<Conflict> for ConflictNode {
    fn from(Conflict { part, theirs, mine, by, at }: Conflict) -> Self {
        Self { part, theirs, mine, by, at }
    }
}

/// What became of an operation.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "OfflineResult")]
struct OfflineResultNode {
    /// The operation. Take it out of the queue, whatever the outcome but `WAITING`.
    id: String,
    /// What became of it.
    outcome: OfflineOutcome,
    /// The deal, `deal_…`; of an `OPEN` the new one.
    deal_id: Option<ID>,
    /// Parts that somebody else changed meanwhile; theirs stays. Show both to the salesperson.
    conflicts: Vec<ConflictNode>,
    /// Why nothing was done: a sentence to read aloud.
    message: Option<String>,
    /// True when an earlier replay applied it.
    replayed: bool,
}

impl From<Replayed> for OfflineResultNode {
    fn from(result: Replayed) -> Self {
        Self {
            id: result.id,
            outcome: result.outcome,
            deal_id: result.deal_id.map(ID::from),
            conflicts: result.conflicts.into_iter().map(ConflictNode::from).collect(),
            message: result.message,
            replayed: result.replayed,
        }
    }
}

/// The answer to `dealReplay`. Each operation has its own outcome, so there is no other list of refusals.
#[derive(Debug, SimpleObject)]
struct DealReplayPayload {
    /// One per operation, in the order sent, as far as time allowed.
    results: Vec<OfflineResultNode>,
    /// How many at the end of the list were not looked at, because time ran out: send them again.
    left: i32,
    /// Every deal that was touched, as it stands now.
    deals: Vec<DealNode>,
}

/// Mutations of tablets that were offline.
#[derive(Debug, Default)]
pub struct ReplayMutation;

#[Object]
impl ReplayMutation {
    /// Applies what a tablet did while it was offline, in order, each operation once by its id. What others changed meanwhile stays;
    /// the other parts are merged, and the conflicts come back with the deals as they stand. Sending the same again changes nothing
    /// and gives the same outcomes. Holds, deposits, credit, presenting, agreeing and signing are never accepted offline.
    async fn deal_replay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tablet and its queue.")] input: DealReplayInput,
    ) -> GqlResult<DealReplayPayload> {
        let tablet = plain("input.tabletId", &input.tablet_id)?;
        let operations = input::list("input.operations", input.operations)?;
        let operations = operations.into_iter().map(OfflineOperationInput::read).collect::<GqlResult<Vec<_>>>()?;
        let deals = service::<Deals>(ctx)?;
        let (results, left) = deals.replay_offline(actor(ctx)?, by(ctx)?, &tablet, operations).await?;
        let mut ids: Vec<DealId> = results.iter().filter_map(|result| result.deal_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let selected = ctx.look_ahead().field("deals");
        let rooms =
            if selected.exists() { deals.find_many(&actor(ctx)?.selling_scope(), &ids, parts(&selected)).await? } else { Vec::new() };
        Ok(DealReplayPayload {
            results: results.into_iter().map(OfflineResultNode::from).collect(),
            left: i32::try_from(left).unwrap_or(i32::MAX),
            deals: DealNode::together(rooms),
        })
    }
}

/// An id a tablet made.
fn plain(name: &str, id: &str) -> GqlResult<String> {
    let fits = (1..=ID_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if fits { Ok(id.to_owned()) } else { Err(GqlError::bad_input(format!("{name}: 1 to {ID_MAX} letters, digits, \"-\" and \"_\""))) }
}

impl OfflineOperationInput {
    fn read(self) -> GqlResult<OfflineOperation> {
        let id = plain("input.operations.id", &self.id)?;
        let missing = |part: &str| GqlError::bad_input(format!("input.operations.{part}: needed for {} ({id})", self.verb.as_str()));
        let work = match self.verb {
            OfflineVerb::Open => OfflineWork::Open(self.open.ok_or_else(|| missing("open"))?.read()?),
            OfflineVerb::Structure => OfflineWork::Structure(self.structure.ok_or_else(|| missing("structure"))?.read()?),
            OfflineVerb::SwapVehicle => {
                let swap = self.swap.ok_or_else(|| missing("swap"))?;
                let vehicle_id = input::id::<VehicleId>("input.operations.swap.vehicleId", &swap.vehicle_id)?;
                OfflineWork::Swap { vehicle_id, price: amount("input.operations.swap.price", swap.price)? }
            }
            OfflineVerb::ScenarioSave => {
                let scenario = self.scenario.ok_or_else(|| missing("scenario"))?;
                let label = input::required("input.operations.scenario.label", &scenario.label, LABEL_MAX)?;
                OfflineWork::Scenario { label, change: scenario.structure.read()? }
            }
            OfflineVerb::QuoteShown => self.quote_shown.ok_or_else(|| missing("quoteShown"))?.read()?,
            OfflineVerb::Lose => {
                let reason = input::optional("input.operations.reason", self.reason.as_deref(), REASON_MAX)?;
                if reason.is_none() && self.reason_code.is_none_or(|code| code == LostReason::Other) {
                    return Err(missing("reason"));
                }
                OfflineWork::Lose { reason: reason.unwrap_or_default(), code: self.reason_code }
            }
            verb => OfflineWork::Never(verb),
        };
        let on = match (&work, &self.deal_id, &self.opened_by) {
            (OfflineWork::Open(_), None, None) => OnDeal::New,
            (OfflineWork::Open(_), ..) => return Err(GqlError::bad_input(format!("input.operations: OPEN names no deal ({id})"))),
            (_, Some(deal), None) => {
                OnDeal::Known(DealId::parse(deal).map_err(|e| GqlError::bad_input(format!("input.operations.dealId: {e}")))?)
            }
            (_, None, Some(opening)) => OnDeal::OpenedBy(plain("input.operations.openedBy", opening)?),
            _ => return Err(GqlError::bad_input(format!("input.operations: either dealId or openedBy ({id})"))),
        };
        let base_version = match (&on, self.base_version) {
            (OnDeal::Known(_), Some(version)) if version >= 1 => version,
            (OnDeal::Known(_), _) => {
                return Err(GqlError::bad_input(format!("input.operations.baseVersion: needed with dealId, from 1 ({id})")));
            }
            (_, version) => version.unwrap_or(1).max(1),
        };
        Ok(OfflineOperation { id, at: self.at, on, base_version, work })
    }
}

impl OfflineOpenInput {
    fn read(self) -> GqlResult<OpenDeal> {
        Ok(OpenDeal {
            customer_id: input::id::<CustomerId>("input.operations.open.customerId", &self.customer_id)?,
            vehicle_id: input::id("input.operations.open.vehicleId", &self.vehicle_id)?,
            kind: self.kind,
            price: amount("input.operations.open.price", self.price)?,
            // The key follows from the operation's id.
            key: String::new(),
        })
    }
}

impl OfflineQuoteShownInput {
    fn read(self) -> GqlResult<OfflineWork> {
        if self.term_months.is_some_and(|months| !(1..=120).contains(&months)) {
            return Err(GqlError::bad_input("input.operations.quoteShown.termMonths: from 1 to 120"));
        }
        Ok(OfflineWork::QuoteShown {
            label: input::required("input.operations.quoteShown.label", &self.label, LABEL_MAX)?,
            payment: amount("input.operations.quoteShown.payment", self.payment)?,
            total_price: amount("input.operations.quoteShown.totalPrice", self.total_price)?,
            term_months: self.term_months,
            rules_as_of: self.rules_as_of,
        })
    }
}
