//! Smaller objects around a customer.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};

use super::CustomerNode;
use super::siblings::Siblings;
use crate::customers::model::{Consent, ConsentPurpose, Contact, ContactKind, CustomerEvent, LinkReason, LinkSuggestion, Merge};
use crate::customers::person::PostalAddress;
use crate::graphql::{GqlError, GqlResult};
use crate::inventory::graphql::VehicleNode;

/// A postal address.
#[derive(Debug, Clone)]
pub(super) struct AddressNode(pub(super) PostalAddress);

/// A postal address as the customer gave it.
#[Object(name = "CustomerAddress")]
impl AddressNode {
    /// Street and number.
    async fn street(&self) -> Option<&str> {
        self.0.street.as_deref()
    }
    /// Apartment, suite.
    async fn street2(&self) -> Option<&str> {
        self.0.street2.as_deref()
    }
    /// City.
    async fn city(&self) -> Option<&str> {
        self.0.city.as_deref()
    }
    /// State or province; two letters where it is known by them.
    async fn state(&self) -> Option<&str> {
        self.0.state.as_deref()
    }
    /// ZIP or postal code.
    async fn postal_code(&self) -> Option<&str> {
        self.0.postal_code.as_deref()
    }
    /// Country as given.
    async fn country(&self) -> Option<&str> {
        self.0.country.as_deref()
    }
}

/// One contact detail.
#[derive(Debug, Clone)]
pub(super) struct ContactNode(pub(super) Contact);

/// An e-mail address or phone number of a customer.
#[Object(name = "CustomerContact")]
impl ContactNode {
    /// Opaque id, `con_…`.
    async fn id(&self) -> ID {
        self.0.id.into()
    }
    /// What it is.
    async fn kind(&self) -> ContactKind {
        self.0.kind
    }
    /// The address in lower case, or the number in E.164.
    async fn value(&self) -> &str {
        &self.0.value
    }
    /// Such as `cell` or `work`.
    async fn label(&self) -> Option<&str> {
        self.0.label.as_deref()
    }
    /// When it was proven to be theirs; null when it was not.
    async fn verified_at(&self) -> Option<DateTime<Utc>> {
        self.0.verified_at
    }
}

/// A consent.
#[derive(Debug, Clone)]
pub(super) struct ConsentNode(pub(super) Consent);

/// Something the customer allowed or refused.
#[Object(name = "CustomerConsent")]
impl ConsentNode {
    /// Opaque id, `cst_…`.
    async fn id(&self) -> ID {
        self.0.id.into()
    }
    /// What for.
    async fn purpose(&self) -> ConsentPurpose {
        self.0.purpose
    }
    /// Allowed (true) or refused.
    async fn granted(&self) -> bool {
        self.0.granted
    }
    /// Where it was said.
    async fn channel(&self) -> &str {
        &self.0.channel
    }
    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
}

/// A pair that may be one person.
#[derive(Debug, Clone)]
pub(super) struct LinkSuggestionNode(pub(super) LinkSuggestion);

/// Another record that may be the same person.
#[Object(name = "CustomerLinkSuggestion")]
impl LinkSuggestionNode {
    /// The other record.
    async fn customer(&self, ctx: &Context<'_>) -> GqlResult<CustomerNode> {
        CustomerNode::load(ctx, self.0.other).await?.ok_or_else(|| GqlError::internal("a suggestion names a customer of another store"))
    }
    /// What they share.
    async fn reason(&self) -> LinkReason {
        self.0.reason
    }
    /// Since when it is suggested.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at
    }
}

/// A merge that stands.
#[derive(Debug, Clone)]
pub(super) struct MergeNode(pub(super) Merge);

/// A record that was merged into this one.
#[Object(name = "CustomerMerge")]
impl MergeNode {
    /// Opaque id, `mrg_…`, for `customerMergeUndo`.
    async fn id(&self) -> ID {
        self.0.id.into()
    }
    /// The record that was merged, `cus_…`.
    async fn merged_customer_id(&self) -> ID {
        self.0.merged.into()
    }
    /// Why, in the words of whoever did it.
    async fn reason(&self) -> &str {
        &self.0.reason
    }
    /// Who did it, `usr_…`.
    async fn merged_by_id(&self) -> Option<ID> {
        self.0.merged_by.map(ID::from)
    }
    /// When.
    async fn merged_at(&self) -> DateTime<Utc> {
        self.0.merged_at
    }
}

/// Something the customer did.
#[derive(Debug, Clone)]
pub(super) struct EventNode {
    pub(super) event: CustomerEvent,
    pub(super) siblings: Arc<Siblings>,
}

/// Something the customer did on the web, in the app or in the store.
#[Object(name = "CustomerEvent")]
impl EventNode {
    /// Opaque id, `evt_…`.
    async fn id(&self) -> ID {
        self.event.id.into()
    }
    /// What they did: `VIEWED`, `SAVED`, `SEARCHED`, `BUILT`, `PAYMENT_CALCULATED`, `COMPARED`, `FORM_SUBMITTED`, `CONTACTED`
    /// or `OTHER`.
    async fn kind(&self) -> &str {
        &self.event.kind
    }
    /// The name the sender gave it, such as `asc_item_pageview`.
    async fn name(&self) -> &str {
        &self.event.name
    }
    /// Where: `WEB`, `APP`, `STORE` …
    async fn channel(&self) -> &str {
        &self.event.channel
    }
    /// The vehicle it was about, `veh_…`.
    async fn vehicle_id(&self) -> Option<ID> {
        self.event.vehicle_id.map(ID::from)
    }
    /// The vehicle it was about, as it is now; null when there was none, or when it is not in your stores.
    async fn vehicle(&self, ctx: &Context<'_>) -> GqlResult<Option<VehicleNode>> {
        let Some(id) = self.event.vehicle_id else { return Ok(None) };
        self.siblings.vehicle(ctx, id).await
    }
    /// How long it took, in seconds.
    async fn duration_seconds(&self) -> Option<i32> {
        self.event.duration_seconds
    }
    /// When.
    async fn occurred_at(&self) -> DateTime<Utc> {
        self.event.occurred_at
    }
}
