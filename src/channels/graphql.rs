//! Leads as clients see them.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use tokio::sync::OnceCell;

use super::adf::{OdometerUnit, VehicleInterest};
use super::model::{Lead, LeadFilter, LeadKey, LeadResolution, LeadStatus, LeadSummary, LeadVehicle, LeadWords};
use super::service::{Channels, ChannelsError, LeadDecision};
use crate::customers::ConsentPurpose;
use crate::customers::graphql::{CustomerNode, parts};
use crate::dealers::StoreNode;
use crate::graphql::context::{actor, by, service};
use crate::graphql::page::{self, Connection, PageArgs};
use crate::graphql::{DecimalText, GqlError, GqlResult, input};
use crate::inventory::VehicleCondition;
use crate::kernel::id::{CustomerId, LeadId, TypedId};

impl From<ChannelsError> for GqlError {
    /// Only what no mutation turns into a user error.
    fn from(error: ChannelsError) -> Self {
        match error {
            ChannelsError::Db(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

/// What is asked of one lead of an answer is read for all of them at once.
#[derive(Debug, Default)]
struct Siblings {
    first_ids: Vec<LeadId>,
    firsts: OnceCell<HashMap<LeadId, Lead>>,
    customer_ids: Vec<CustomerId>,
    customers: OnceCell<HashMap<CustomerId, CustomerNode>>,
}

/// A lead as a GraphQL object.
#[derive(Debug, Clone)]
pub struct LeadNode {
    lead: Arc<Lead>,
    summary: Arc<LeadSummary>,
    siblings: Arc<Siblings>,
}

impl LeadNode {
    /// Leads read together.
    pub fn many(leads: Vec<Lead>) -> Vec<Self> {
        let first_ids = leads.iter().filter_map(|l| l.duplicate_of).collect();
        let mut customer_ids: Vec<CustomerId> = leads.iter().filter_map(|l| l.customer_id).collect();
        customer_ids.sort_unstable();
        customer_ids.dedup();
        let siblings = Arc::new(Siblings { first_ids, customer_ids, ..Siblings::default() });
        let node = |lead: Lead| Self { summary: Arc::new(lead.read_summary()), lead: Arc::new(lead), siblings: Arc::clone(&siblings) };
        leads.into_iter().map(node).collect()
    }

    /// One lead; none outside the actor's stores.
    pub async fn load(ctx: &Context<'_>, id: LeadId) -> GqlResult<Option<Self>> {
        let lead = service::<Channels>(ctx)?.find(&actor(ctx)?.selling_scope(), id).await?;
        Ok(Self::many(lead.into_iter().collect()).pop())
    }
}

/// A request of a person as a web site, app or lead provider sent it. Kept as it came, whatever became of it. For those who
/// sell in its store.
#[Object(name = "Lead")]
impl LeadNode {
    /// Opaque id, `lead_…`.
    pub async fn id(&self) -> ID {
        self.lead.id.into()
    }
    /// The store it was sent to.
    async fn store(&self, ctx: &Context<'_>) -> GqlResult<StoreNode> {
        StoreNode::load(ctx, self.lead.store_id)
    }
    /// How it came: `ADF`.
    async fn channel(&self) -> &str {
        &self.lead.channel
    }
    /// What became of it.
    async fn status(&self) -> LeadStatus {
        self.lead.status
    }
    /// Why, in words, when there is something to say.
    async fn status_reason(&self) -> Option<&str> {
        self.lead.status_reason.as_deref()
    }
    /// True while it waits for a person to attach or dismiss it.
    async fn needs_person(&self) -> bool {
        self.lead.status == LeadStatus::NeedsPerson && self.lead.resolved_at.is_none()
    }
    /// Who sent it, or whose id `externalId` is.
    async fn source(&self) -> Option<&str> {
        self.lead.source.as_deref()
    }
    /// The sender's id.
    async fn external_id(&self) -> Option<&str> {
        self.lead.external_id.as_deref()
    }
    /// The lead this one repeats or sends again.
    async fn duplicate_of(&self, ctx: &Context<'_>) -> GqlResult<Option<LeadNode>> {
        let Some(first) = self.lead.duplicate_of else { return Ok(None) };
        let read = || async {
            let scope = actor(ctx)?.selling_scope();
            let leads = service::<Channels>(ctx)?.find_many(&scope, &self.siblings.first_ids).await?;
            Ok::<_, GqlError>(leads.into_iter().map(|lead| (lead.id, lead)).collect())
        };
        let firsts = self.siblings.firsts.get_or_try_init(read).await?;
        Ok(LeadNode::many(firsts.get(&first).cloned().into_iter().collect()).pop())
    }
    /// Whose it is, `cus_…`. Null while it waits for a person, or when it was dismissed.
    async fn customer_id(&self) -> Option<ID> {
        self.lead.customer_id.map(ID::from)
    }
    /// The customer it belongs to.
    async fn customer(&self, ctx: &Context<'_>) -> GqlResult<Option<CustomerNode>> {
        let Some(id) = self.lead.customer_id else { return Ok(None) };
        let wanted = parts(&ctx.look_ahead());
        let read = || async {
            let customers = CustomerNode::load_many(ctx, &self.siblings.customer_ids, wanted).await?;
            Ok::<_, GqlError>(customers.into_iter().map(|node| (node.customer().id, node)).collect())
        };
        Ok(self.siblings.customers.get_or_try_init(read).await?.get(&id).cloned())
    }
    /// The lead provider's name.
    async fn provider(&self) -> Option<&str> {
        self.summary.provider.as_deref()
    }
    /// The provider's service, such as "Used Car Classifieds".
    async fn service(&self) -> Option<&str> {
        self.summary.service.as_deref()
    }
    /// The dealer the sender addressed it to, in the sender's words.
    async fn vendor(&self) -> Option<&str> {
        self.summary.vendor.as_deref()
    }
    /// Vehicles the person wants and vehicles they offer, in the sender's order; at most 20.
    async fn vehicles(&self) -> Vec<LeadVehicleNode> {
        self.summary.vehicles.iter().cloned().map(LeadVehicleNode).collect()
    }
    /// What the person allowed or forbade outright.
    async fn consents(&self) -> Vec<LeadConsent> {
        let consent = |(purpose, granted): (&String, &bool)| Some(LeadConsent { purpose: purpose.parse().ok()?, granted: *granted });
        self.summary.consents.iter().filter_map(consent).collect()
    }
    /// `EMAIL` or `PHONE`, when the sender marks how the person wants to be reached.
    async fn preferred_contact(&self) -> Option<&str> {
        self.summary.preferred_contact.as_deref()
    }
    /// What the person wrote, in their own words. Null when nothing of the document could be read. May hold personal and credit
    /// data: only for those who sell in the lead's store. Opened from its seal for each lead: ask for it with `lead(id)`, not in
    /// lists.
    async fn words(&self, ctx: &Context<'_>) -> GqlResult<Option<LeadWordsNode>> {
        Ok(service::<Channels>(ctx)?.words(actor(ctx)?, self.lead.id).await?.map(LeadWordsNode::from))
    }
    /// True when the person wrote something; it stands in `words` and `rawText`.
    async fn has_comments(&self) -> bool {
        self.summary.has_comments
    }
    /// They do not buy before this moment.
    async fn earliest(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        self.summary.earliest
    }
    /// They do not buy after this moment.
    async fn latest(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        self.summary.latest
    }
    /// Oddities of the document, such as a date that names no moment. Without personal data.
    async fn warnings(&self) -> &[String] {
        &self.summary.warnings
    }
    /// When the person asked, as far as the sender says.
    async fn requested_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        self.lead.requested_at
    }
    /// When it came in.
    async fn received_at(&self) -> chrono::DateTime<chrono::Utc> {
        self.lead.received_at
    }
    /// What a person decided, once it no longer waits.
    async fn resolution(&self) -> Option<LeadResolution> {
        self.lead.resolution
    }
    /// Their reason or note.
    async fn resolution_note(&self) -> Option<&str> {
        self.lead.resolution_note.as_deref()
    }
    /// When they decided.
    async fn resolved_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        self.lead.resolved_at
    }
    /// The document as it came, with everything the sender put in, also personal and credit data. Only for those who sell in
    /// the lead's store. Opened from its seal for each lead: ask for it with `lead(id)`, not in lists.
    async fn raw_text(&self, ctx: &Context<'_>) -> GqlResult<Option<String>> {
        Ok(service::<Channels>(ctx)?.raw_text(actor(ctx)?, self.lead.id).await?)
    }
}

/// A vehicle of a lead.
#[derive(Debug, Clone)]
pub struct LeadVehicleNode(LeadVehicle);

/// A vehicle a lead speaks of, in the sender's words.
#[Object(name = "LeadVehicle")]
impl LeadVehicleNode {
    /// True when the person wants it, false when they offer it in trade or for sale.
    async fn wanted(&self) -> bool {
        self.0.wanted
    }
    /// What the person wants with it; null when the sender's word is not known.
    async fn interest(&self) -> Option<VehicleInterest> {
        self.0.interest
    }
    /// New, used, certified.
    async fn condition(&self) -> Option<VehicleCondition> {
        self.0.condition.as_deref().and_then(|c| c.parse().ok())
    }
    /// Model year.
    async fn year(&self) -> Option<i32> {
        self.0.year
    }
    /// Make.
    async fn make(&self) -> Option<&str> {
        self.0.make.as_deref()
    }
    /// Model.
    async fn model(&self) -> Option<&str> {
        self.0.model.as_deref()
    }
    /// Trim.
    async fn trim(&self) -> Option<&str> {
        self.0.trim.as_deref()
    }
    /// VIN as sent; not checked.
    async fn vin(&self) -> Option<&str> {
        self.0.vin.as_deref()
    }
    /// Stock number as sent.
    async fn stock_number(&self) -> Option<&str> {
        self.0.stock.as_deref()
    }
    /// Price named in the lead, in whole units; a price of zero is none.
    async fn price_amount(&self) -> Option<DecimalText> {
        self.0.price.as_ref().and_then(|p| p.amount).map(DecimalText)
    }
    /// ISO 4217 code of the price, when the sender gives one.
    async fn price_currency(&self) -> Option<&str> {
        self.0.price.as_ref().and_then(|p| p.currency.as_deref())
    }
    /// `asking`, `offer`, `msrp`, `quote` …: whose price it is, in the sender's word.
    async fn price_kind(&self) -> Option<&str> {
        self.0.price.as_ref().and_then(|p| p.kind.as_deref())
    }
    /// Odometer reading in its own unit.
    async fn odometer(&self) -> Option<i32> {
        self.0.odometer.as_ref().map(|o| o.reading)
    }
    /// Unit of the odometer, when the sender gives one.
    async fn odometer_unit(&self) -> Option<OdometerUnit> {
        self.0.odometer.as_ref().and_then(|o| o.units)
    }
    /// Its state in the sender's word, such as `excellent`; for a vehicle in trade, what the person says of it.
    async fn stated_condition(&self) -> Option<&str> {
        self.0.stated_condition.as_deref()
    }
    /// `cash`, `finance` or `lease`: how it is to be paid, in the sender's word.
    async fn finance_method(&self) -> Option<&str> {
        self.0.finance_method.as_deref()
    }
    /// What is still owed on it, in whole units; for a vehicle in trade, its payoff.
    async fn balance_amount(&self) -> Option<DecimalText> {
        self.0.balance.as_ref().and_then(|p| p.amount).map(DecimalText)
    }
    /// ISO 4217 code of the balance, when the sender gives one.
    async fn balance_currency(&self) -> Option<&str> {
        self.0.balance.as_ref().and_then(|p| p.currency.as_deref())
    }
    /// The vehicle of the lot, `veh_…`, when it was there as the lead came in.
    async fn vehicle_id(&self) -> Option<ID> {
        self.0.vehicle_id.map(ID::from)
    }
}

/// What people wrote in a lead, in their own words.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "LeadWords")]
pub struct LeadWordsNode {
    /// What the person wrote to the dealer.
    comments: Option<String>,
    /// When they want to buy.
    timeframe: Option<String>,
    /// What was written about each vehicle, in the order of `vehicles`; null where nothing was.
    vehicle_comments: Vec<Option<String>>,
}

impl From<LeadWords> for LeadWordsNode {
    fn from(words: LeadWords) -> Self {
        Self { comments: words.comments, timeframe: words.timeframe, vehicle_comments: words.vehicles }
    }
}

/// What a person allowed or forbade in a lead.
#[derive(Debug, Clone, Copy, SimpleObject)]
pub struct LeadConsent {
    /// What for.
    purpose: ConsentPurpose,
    /// Given or refused.
    granted: bool,
}

/// Which leads to list. Everything given must hold.
#[derive(Debug, Default, InputObject)]
pub struct LeadFilterInput {
    /// Only these states; at most 100.
    status: Option<Vec<LeadStatus>>,
    /// Only leads that wait for a person (true), or only the others (false).
    needs_person: Option<bool>,
}

/// What a list of leads has beyond its items.
#[derive(Debug)]
pub struct LeadTotals(LeadFilter);

/// What a list of leads has beyond its items.
#[Object]
impl LeadTotals {
    /// How many leads the filter finds in all your stores. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        Ok(service::<Channels>(ctx)?.count(&actor(ctx)?.selling_scope(), &self.0).await?)
    }
}

/// Queries about leads.
#[derive(Debug, Default)]
pub struct ChannelsQuery;

#[Object]
impl ChannelsQuery {
    /// One lead. Null when there is none in the stores you sell in.
    async fn lead(&self, ctx: &Context<'_>, #[graphql(desc = "The lead's id, `lead_…`.")] id: ID) -> GqlResult<Option<LeadNode>> {
        LeadNode::load(ctx, input::id("id", &id)?).await
    }

    /// Leads of the stores you sell in, newest first.
    async fn leads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which leads; all when not given.")] filter: Option<LeadFilterInput>,
        #[graphql(desc = "How many, from 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> GqlResult<Connection<LeadNode, LeadTotals>> {
        let args = PageArgs::<LeadKey>::read(first, after.as_deref())?;
        let filter = filter.unwrap_or_default();
        let statuses = input::list("filter.status", filter.status.unwrap_or_default())?;
        let filter = LeadFilter { statuses, needs_person: filter.needs_person };
        let leads = service::<Channels>(ctx)?.list(&actor(ctx)?.selling_scope(), &filter, args.after, args.limit()).await?;
        let key = |node: &LeadNode| (node.lead.received_at, node.lead.id.uuid());
        Ok(page::connection(LeadNode::many(leads), args.first, LeadTotals(filter), key, |node| node))
    }
}

/// A decision about a lead that waits for a person.
#[derive(Debug, InputObject)]
pub struct LeadResolveInput {
    /// The lead, `lead_…`.
    lead_id: ID,
    /// Attach it to a customer, or dismiss it.
    resolution: LeadResolution,
    /// Whose it is, `cus_…`; needed to attach it.
    customer_id: Option<ID>,
    /// Why it is dismissed, or a note; needed to dismiss it. No personal data. At most 500 characters.
    reason: Option<String>,
}

/// Why `leadResolve` was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum LeadResolveErrorCode {
    /// There is no such lead in the stores you sell in.
    NotFound,
    /// There is no such customer in the lead's store.
    CustomerNotFound,
    /// To attach a lead, name the customer.
    CustomerMissing,
    /// To dismiss a lead, give a reason of 1 to 500 characters.
    ReasonMissing,
    /// It does not wait for a decision: somebody decided, or nobody has to.
    NotWaiting,
}

/// A refusal of `leadResolve`.
#[derive(Debug, Clone, SimpleObject)]
pub struct LeadResolveUserError {
    /// For programs.
    code: LeadResolveErrorCode,
    /// For people: a sentence to read aloud.
    message: String,
    /// Path into the input.
    field: Option<Vec<String>>,
}

/// The answer of `leadResolve`.
#[derive(Debug, SimpleObject)]
pub struct LeadResolvePayload {
    /// The lead as it stands now; null when it was refused because there is none.
    lead: Option<LeadNode>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<LeadResolveUserError>,
}

impl LeadResolvePayload {
    fn refused(lead: Option<LeadNode>, code: LeadResolveErrorCode, message: &str, field: Option<&str>) -> Self {
        let field = field.map(|name| vec!["input".to_owned(), name.to_owned()]);
        Self { lead, user_errors: vec![LeadResolveUserError { code, message: message.to_owned(), field }] }
    }
}

/// Mutations of leads.
#[derive(Debug, Default)]
pub struct ChannelsMutation;

#[Object]
impl ChannelsMutation {
    /// Settles a lead that waits for a person: attaches it to a customer, whose wishes then include what it says, or
    /// dismisses it with the reason.
    async fn lead_resolve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which lead, and what becomes of it.")] input: LeadResolveInput,
    ) -> GqlResult<LeadResolvePayload> {
        use LeadResolveErrorCode as Code;
        let id: LeadId = input::id("input.leadId", &input.lead_id)?;
        let customer = input::opt_id("input.customerId", input.customer_id.as_ref())?;
        let reason = input::optional("input.reason", input.reason.as_deref(), 500)?;
        let decision = match (input.resolution, customer, reason) {
            (LeadResolution::Attached, Some(customer), note) => LeadDecision::Attach(customer, note),
            (LeadResolution::Attached, None, _) => {
                let lead = LeadNode::load(ctx, id).await?;
                return Ok(LeadResolvePayload::refused(lead, Code::CustomerMissing, "Say whose lead it is.", Some("customerId")));
            }
            (LeadResolution::Dismissed, _, Some(why)) => LeadDecision::Dismiss(why),
            (LeadResolution::Dismissed, _, None) => {
                let lead = LeadNode::load(ctx, id).await?;
                return Ok(LeadResolvePayload::refused(lead, Code::ReasonMissing, "Say why it is dismissed.", Some("reason")));
            }
        };
        match service::<Channels>(ctx)?.resolve(actor(ctx)?, by(ctx)?, id, decision).await {
            Ok(lead) => Ok(LeadResolvePayload { lead: LeadNode::many(vec![lead]).pop(), user_errors: Vec::new() }),
            Err(ChannelsError::LeadNotFound) => {
                Ok(LeadResolvePayload::refused(None, Code::NotFound, "There is no such lead in your stores.", Some("leadId")))
            }
            Err(ChannelsError::CustomerNotFound) => {
                let lead = LeadNode::load(ctx, id).await?;
                let message = "There is no such customer in the lead's store.";
                Ok(LeadResolvePayload::refused(lead, Code::CustomerNotFound, message, Some("customerId")))
            }
            Err(ChannelsError::NotWaiting) => {
                let lead = LeadNode::load(ctx, id).await?;
                Ok(LeadResolvePayload::refused(lead, Code::NotWaiting, "This lead does not wait for a decision any more.", None))
            }
            Err(other) => Err(other.into()),
        }
    }
}
