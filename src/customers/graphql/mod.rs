//! Customers as clients see them.

mod inputs;
mod mutation;
mod parts;
mod preference;
mod siblings;

use std::sync::Arc;

use async_graphql::{Context, ID, Lookahead, Object, SelectionField, Value};
use chrono::{DateTime, Utc};

use super::model::{ContactKind, Customer};
use super::preference::Preference;
use super::service::{CustomerError, CustomerKey, CustomerParts, CustomerWith, Customers};
use super::{contradictions, effective};
use crate::channels::graphql::LeadNode;
use crate::dealers::StoreNode;
use crate::deals::graphql::DealNode;
use crate::graphql::context::{actor, service};
use crate::graphql::page::{self, Connection, PageArgs};
use crate::graphql::{GqlError, GqlResult, input};
use crate::kernel::id::CustomerId;
use crate::matching::graphql::{MatchesNode, matches_of};

pub use mutation::CustomersMutation;
use parts::{AddressNode, ConsentNode, ContactNode, EventNode, LinkSuggestionNode, MergeNode};
pub use preference::{ContradictionNode, PreferenceNode};
use siblings::Siblings;

/// Most events shown of one customer.
const EVENTS_MAX: i32 = 50;
/// Longest search line.
const SEARCH_MAX: usize = 200;

impl From<CustomerError> for GqlError {
    /// Only what no mutation turns into a user error.
    fn from(error: CustomerError) -> Self {
        match error {
            CustomerError::Db(error) => error.into(),
            CustomerError::Claim(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

/// A customer with the parts that were read with it, and those read beside it.
#[derive(Debug, Clone)]
pub struct CustomerNode {
    with: Arc<CustomerWith>,
    siblings: Arc<Siblings>,
}

/// Which parts a selection needs.
pub fn parts(look: &Lookahead<'_>) -> CustomerParts {
    let preferences = ["preferences", "contradictions", "matches"].iter().any(|field| look.field(field).exists());
    let events = look.field("recentEvents").selection_fields().iter().map(asked_events).max().unwrap_or(0);
    CustomerParts { preferences, events }
}

fn asked_events(field: &SelectionField<'_>) -> i64 {
    let first = field.arguments().unwrap_or_default().into_iter().find(|(name, _)| name == "first").map(|(_, value)| value);
    match first {
        Some(Value::Number(n)) => n.as_i64().unwrap_or(0).clamp(0, i64::from(EVENTS_MAX)),
        _ => i64::from(EVENTS_DEFAULT),
    }
}

/// Leads shown when `first` is not given.
const LEADS_DEFAULT: i32 = 10;
/// Events shown when `first` is not given.
const EVENTS_DEFAULT: i32 = 10;

impl CustomerNode {
    /// One customer with everything the selection asks for, in one statement. None outside the actor's stores.
    pub async fn load(ctx: &Context<'_>, id: CustomerId) -> GqlResult<Option<Self>> {
        Ok(Self::load_many(ctx, &[id], parts(&ctx.look_ahead())).await?.pop())
    }

    /// Several customers in one statement; what else is asked of them is read for all at once. In the order of `ids`, without
    /// those outside the actor's stores.
    pub async fn load_many(ctx: &Context<'_>, ids: &[CustomerId], parts: CustomerParts) -> GqlResult<Vec<Self>> {
        let scope = actor(ctx)?.selling_scope();
        let mut found = service::<Customers>(ctx)?.find_with(&scope, ids, parts).await?;
        found.sort_by_key(|c| ids.iter().position(|id| *id == c.customer.id));
        Ok(Self::together(found))
    }

    fn together(all: Vec<CustomerWith>) -> Vec<Self> {
        let siblings = Arc::new(Siblings::of(&all));
        all.into_iter().map(|with| Self { with: Arc::new(with), siblings: Arc::clone(&siblings) }).collect()
    }

    /// The record.
    pub fn customer(&self) -> &Customer {
        &self.with.customer
    }

    /// What they want, as far as is known, from all channels.
    pub async fn wishes(&self, ctx: &Context<'_>) -> GqlResult<Vec<Preference>> {
        match &self.with.preferences {
            Some(read) => Ok(read.clone()),
            None => self.siblings.preferences(ctx, self.customer().id).await,
        }
    }
}

/// A person of one store: one thread across all channels. Names and contact details are personal data; salespeople and
/// managers of the store see them.
#[Object(name = "Customer")]
impl CustomerNode {
    /// Opaque id, `cus_…`.
    pub async fn id(&self) -> ID {
        self.customer().id.into()
    }
    /// Grows with every change.
    async fn version(&self) -> i32 {
        self.customer().version
    }
    /// The store the customer belongs to.
    async fn store(&self, ctx: &Context<'_>) -> GqlResult<StoreNode> {
        StoreNode::load(ctx, self.customer().store_id)
    }
    /// The name as it is said.
    async fn display_name(&self) -> String {
        self.customer().display_name()
    }
    /// Given name.
    async fn given_name(&self) -> Option<&str> {
        self.customer().person.given_name.as_deref()
    }
    /// Middle name or initial.
    async fn middle_name(&self) -> Option<&str> {
        self.customer().person.middle_name.as_deref()
    }
    /// Family name.
    async fn family_name(&self) -> Option<&str> {
        self.customer().person.family_name.as_deref()
    }
    /// The e-mail address to write to, in lower case.
    async fn email(&self) -> Option<&str> {
        self.customer().email.as_ref().map(crate::kernel::contact::EmailAddress::as_str)
    }
    /// The number to call, in E.164.
    async fn phone(&self) -> Option<&str> {
        self.customer().phone.as_ref().map(crate::kernel::contact::PhoneNumber::as_str)
    }
    /// Every e-mail address and phone number, the oldest first.
    async fn contacts(&self, ctx: &Context<'_>) -> GqlResult<Vec<ContactNode>> {
        let contacts = self.siblings.contacts(ctx, self.customer().id).await?;
        Ok(contacts.into_iter().filter(|c| c.kind != ContactKind::ExternalId).map(ContactNode).collect())
    }
    /// Where mail goes; null when nothing is known.
    async fn address(&self) -> Option<AddressNode> {
        let address = &self.customer().person.address;
        (!address.is_empty()).then(|| AddressNode(address.clone()))
    }
    /// City of the address.
    async fn city(&self) -> Option<&str> {
        self.customer().person.address.city.as_deref()
    }
    /// Two-letter state of residence; decides the taxes.
    async fn state(&self) -> Option<&str> {
        self.customer().state.as_deref()
    }
    /// ZIP or postal code of the residence.
    async fn postal_code(&self) -> Option<&str> {
        self.customer().postal_code.as_deref()
    }
    /// The credit tier used for quotes until a lender decides, such as `A`.
    async fn credit_tier(&self) -> Option<&str> {
        self.customer().credit_tier.as_deref()
    }
    /// What they wish for: stated, observed and inferred, in the order they came. Withdrawn ones are left out.
    async fn preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "True: only those that count now (stated before observed before inferred, none expired).", default = false)]
        effective_only: bool,
    ) -> GqlResult<Vec<PreferenceNode>> {
        let now = service::<Customers>(ctx)?.now();
        let all = self.wishes(ctx).await?;
        let counting: Vec<_> = effective(&all, now).iter().map(|p| p.id).collect();
        let nodes = all.into_iter().map(|p| PreferenceNode { effective: counting.contains(&p.id), preference: p });
        Ok(nodes.filter(|node| node.effective || !effective_only).collect())
    }
    /// Where what they said and what they said or did elsewhere do not go together. Shown, never resolved silently.
    async fn contradictions(&self, ctx: &Context<'_>) -> GqlResult<Vec<ContradictionNode>> {
        let now = service::<Customers>(ctx)?.now();
        Ok(contradictions(&self.wishes(ctx).await?, now).into_iter().map(ContradictionNode).collect())
    }
    /// Cars of your stores for this customer, the best first, with reasons, what is missed, and what one relaxation would
    /// unlock. Only wishes about cars and money take part.
    async fn matches(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 50; 10 when not given.")] first: Option<i32>,
    ) -> GqlResult<MatchesNode> {
        matches_of(ctx, &actor(ctx)?.selling_scope(), &self.wishes(ctx).await?, first).await
    }
    /// What they did last on the web, in the app, in the store; the newest first.
    async fn recent_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 50; 10 when not given.")] first: Option<i32>,
    ) -> GqlResult<Vec<EventNode>> {
        let first = first.unwrap_or(EVENTS_DEFAULT);
        if !(1..=EVENTS_MAX).contains(&first) {
            return Err(GqlError::bad_input(format!("first: must be from 1 to {EVENTS_MAX}")));
        }
        let wanted = usize::try_from(first).unwrap_or(0);
        let events = if let Some(read) = &self.with.events {
            read.clone()
        } else {
            let scope = actor(ctx)?.selling_scope();
            service::<Customers>(ctx)?.events(&scope, self.customer().id, None, i64::from(first)).await?
        };
        let node = |event| EventNode { event, siblings: Arc::clone(&self.siblings) };
        Ok(events.into_iter().take(wanted).map(node).collect())
    }
    /// Their deals, the last opened first; at most 200.
    async fn deals(&self, ctx: &Context<'_>) -> GqlResult<Vec<DealNode>> {
        self.siblings.deals(ctx, self.customer().id, false).await
    }
    /// Their deals that may still be signed, the last opened first.
    async fn open_deals(&self, ctx: &Context<'_>) -> GqlResult<Vec<DealNode>> {
        self.siblings.deals(ctx, self.customer().id, true).await
    }
    /// Leads that brought them here, the newest first.
    async fn leads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 20; 10 when not given.")] first: Option<i32>,
    ) -> GqlResult<Vec<LeadNode>> {
        let first = first.unwrap_or(LEADS_DEFAULT);
        if !(1..=siblings::LEADS_MAX).contains(&first) {
            return Err(GqlError::bad_input(format!("first: must be from 1 to {}", siblings::LEADS_MAX)));
        }
        let mut leads = self.siblings.leads(ctx, self.customer().id).await?;
        leads.truncate(usize::try_from(first).unwrap_or(0));
        Ok(LeadNode::many(leads))
    }
    /// What they allowed and refused, the newest first; the newest per purpose counts.
    async fn consents(&self, ctx: &Context<'_>) -> GqlResult<Vec<ConsentNode>> {
        Ok(self.siblings.consents(ctx, self.customer().id).await?.into_iter().map(ConsentNode).collect())
    }
    /// Other records that may be the same person. The program never merges them by itself.
    async fn link_suggestions(&self, ctx: &Context<'_>) -> GqlResult<Vec<LinkSuggestionNode>> {
        Ok(self.siblings.suggestions(ctx, self.customer().id).await?.into_iter().map(LinkSuggestionNode).collect())
    }
    /// Records that were merged into this one; each merge can be undone.
    async fn merged_from(&self, ctx: &Context<'_>) -> GqlResult<Vec<MergeNode>> {
        Ok(self.siblings.merges(ctx, self.customer().id).await?.into_iter().map(MergeNode).collect())
    }
    /// The record this one was merged into, `cus_…`; null when it stands by itself.
    async fn merged_into_id(&self) -> Option<ID> {
        self.customer().merged_into.map(ID::from)
    }
    /// When the record was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.customer().created_at
    }
    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.customer().updated_at
    }
}

/// What a list of customers has beyond its items.
#[derive(Debug)]
pub struct CustomerTotals(Option<String>);

/// What a list of customers has beyond its items.
#[Object]
impl CustomerTotals {
    /// How many customers are found in all your stores. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> GqlResult<i64> {
        Ok(service::<Customers>(ctx)?.count(&actor(ctx)?.selling_scope(), self.0.as_deref()).await?)
    }
}

/// Queries about customers.
#[derive(Debug, Default)]
pub struct CustomersQuery;

#[Object]
impl CustomersQuery {
    /// One customer. Null when there is none in your stores.
    async fn customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The customer's id, `cus_…`.")] id: ID,
    ) -> GqlResult<Option<CustomerNode>> {
        CustomerNode::load(ctx, input::id("id", &id)?).await
    }

    /// Customers of your stores, the last changed first.
    async fn customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Names or their beginnings, an e-mail address, a phone number or its last four digits; every word must fit. \
                          At most 200 characters; everybody when empty or not given.")]
        search: Option<String>,
        #[graphql(desc = "How many, from 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> GqlResult<Connection<CustomerNode, CustomerTotals>> {
        let page = PageArgs::<CustomerKey>::read(first, after.as_deref())?;
        let search = input::optional("search", search.as_deref(), SEARCH_MAX)?;
        let look = ctx.look_ahead();
        let (nodes, edges) = (parts(&look.field("nodes")), parts(&look.field("edges").field("node")));
        let wanted = CustomerParts { preferences: nodes.preferences || edges.preferences, events: nodes.events.max(edges.events) };
        let scope = actor(ctx)?.selling_scope();
        let rows = service::<Customers>(ctx)?.list(&scope, search.as_deref(), page.after, page.limit(), wanted).await?;
        let nodes = CustomerNode::together(rows);
        let key = |node: &CustomerNode| -> CustomerKey { (node.customer().updated_at, node.customer().id) };
        Ok(page::connection(nodes, page.first, CustomerTotals(search), key, |node| node))
    }
}
