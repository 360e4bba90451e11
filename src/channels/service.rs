//! What the slice does for the rest of the program: take in documents and events, show leads, settle those that wait.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::events::BatchError;
use super::model::{ADF_CHANNEL, Lead, LeadFilter, LeadKey, LeadResolution, LeadWords};
use super::{adf, reading, store};
use crate::auth::{Actor, Scope};
use crate::customers::Customers;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, Db, DbError};
use crate::dealers::{Dealers, StoreInfo};
use crate::inventory::Inventory;
use crate::kernel::id::{CustomerId, LeadId};
use crate::kernel::seal::Sealer;
use crate::kernel::text;

/// How often a transaction that met another one is tried.
pub(super) const ATTEMPTS: u32 = 6;

/// Why something was refused.
#[derive(Debug, thiserror::Error)]
pub enum ChannelsError {
    /// No such store, or the sender may not deliver to it.
    #[error("there is no store with this code for this key")]
    StoreNotFound,
    /// The batch of events could not be read.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// No such lead in the actor's stores.
    #[error("this lead does not exist")]
    LeadNotFound,
    /// No such customer in the lead's store.
    #[error("this customer does not exist in the lead's store")]
    CustomerNotFound,
    /// The lead waits for nobody.
    #[error("this lead does not wait for a decision")]
    NotWaiting,
    /// The reason is missing or too long.
    #[error("a reason of 1 to 500 characters is needed")]
    BadReason,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What a person decides about a lead that waits for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeadDecision {
    /// It belongs to this customer; a note may say how it was found.
    Attach(CustomerId, Option<String>),
    /// Nothing to follow, with the reason.
    Dismiss(String),
}

/// Leads and events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Channels {
    pub(super) db: Db,
    pub(super) sealer: Arc<Sealer>,
    pub(super) dealers: Dealers,
    pub(super) customers: Customers,
    pub(super) inventory: Inventory,
}

impl Channels {
    /// On this database.
    pub fn new(db: Db, sealer: Arc<Sealer>, dealers: Dealers, customers: Customers, inventory: Inventory) -> Self {
        Self { db, sealer, dealers, customers, inventory }
    }

    /// The store a sender names, when it may deliver there. Another group's store is no store.
    pub fn door(&self, actor: &Actor, code: &str) -> Result<Arc<StoreInfo>, ChannelsError> {
        let store = self.dealers.store_by_code(code).ok_or(ChannelsError::StoreNotFound)?;
        if actor.channel_scope().contains(store.id) { Ok(store) } else { Err(ChannelsError::StoreNotFound) }
    }

    /// One lead, or none in the scope.
    pub async fn find(&self, scope: &Scope, id: LeadId) -> Result<Option<Lead>, DbError> {
        Ok(self.find_many(scope, &[id]).await?.pop())
    }

    /// The leads among `ids` that are in the scope, in no particular order.
    pub async fn find_many(&self, scope: &Scope, ids: &[LeadId]) -> Result<Vec<Lead>, DbError> {
        if ids.is_empty() || scope.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        store::find_many(&mut *self.db.read().await?, scope, &ids).await
    }

    /// Up to `limit` leads, newest first.
    pub async fn list(&self, scope: &Scope, filter: &LeadFilter, after: Option<LeadKey>, limit: i64) -> Result<Vec<Lead>, DbError> {
        store::page(&mut *self.db.read().await?, scope, filter, after, limit).await
    }

    /// How many leads a filter has.
    pub async fn count(&self, scope: &Scope, filter: &LeadFilter) -> Result<i64, DbError> {
        store::count(&mut *self.db.read().await?, scope, filter).await
    }

    /// The newest leads of each of these customers, at most `limit` each.
    pub async fn of_customers(&self, scope: &Scope, customers: &[CustomerId], limit: i64) -> Result<Vec<Lead>, DbError> {
        if customers.is_empty() || scope.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = customers.iter().map(|id| id.0).collect();
        store::of_customers(&mut *self.db.read().await?, scope, &ids, limit).await
    }

    /// The document a lead came in, as text. Only for those who sell in its store: it holds whatever the sender put in.
    pub async fn raw_text(&self, actor: &Actor, id: LeadId) -> Result<Option<String>, DbError> {
        let bytes = self.raw(&actor.selling_scope(), id).await?;
        Ok(bytes.map(|bytes| super::encoding::decode(&bytes, None).text.into_owned()))
    }

    /// What people wrote in a lead. Only for those who sell in its store.
    pub async fn words(&self, actor: &Actor, id: LeadId) -> Result<Option<LeadWords>, DbError> {
        let Some(sealed) = store::parsed(&mut *self.db.read().await?, &actor.selling_scope(), id).await? else { return Ok(None) };
        let plain = self.sealer.open(&parsed_context(id), &sealed).map_err(|e| DbError::Corrupt(e.to_string()))?;
        let said: serde_json::Value = serde_json::from_slice(&plain).map_err(|e| DbError::Corrupt(e.to_string()))?;
        let text = |place: &str| said.pointer(place).and_then(serde_json::Value::as_str).map(str::to_owned);
        let vehicles = said.get("vehicles").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
        Ok(Some(LeadWords {
            comments: text("/customer/comments"),
            timeframe: text("/customer/timeframe/description"),
            vehicles: (0..vehicles.min(20)).map(|at| text(&format!("/vehicles/{at}/comments"))).collect(),
        }))
    }

    async fn raw(&self, scope: &Scope, id: LeadId) -> Result<Option<Vec<u8>>, DbError> {
        let Some((holder, sealed)) = store::raw(&mut *self.db.read().await?, scope, id).await? else { return Ok(None) };
        let bytes = self.sealer.open(&raw_context(holder), &sealed).map_err(|e| DbError::Corrupt(e.to_string()))?;
        Ok(Some(bytes))
    }

    /// Settles a lead that waits for a person. Attached to a customer, what it says about their wishes is recorded too.
    pub async fn resolve(&self, actor: &Actor, by: By, id: LeadId, decision: LeadDecision) -> Result<Lead, ChannelsError> {
        let scope = actor.selling_scope();
        let lead = self.find(&scope, id).await?.ok_or(ChannelsError::LeadNotFound)?;
        let (resolution, customer, note) = match decision {
            LeadDecision::Attach(customer, note) => {
                let note = text::optional(note.as_deref().unwrap_or_default(), 500).map_err(|_| ChannelsError::BadReason)?;
                (LeadResolution::Attached, Some(customer), note)
            }
            LeadDecision::Dismiss(why) => {
                let why = text::required(&why, 500).map_err(|_| ChannelsError::BadReason)?;
                (LeadResolution::Dismissed, None, Some(why))
            }
        };
        let wishes = match customer {
            Some(_) => self.wishes_of(&scope, &lead).await?,
            None => Vec::new(),
        };
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        if let Some(customer) = customer {
            let found = self.customers.find_in(&mut tx, &scope, customer).await?.ok_or(ChannelsError::CustomerNotFound)?;
            if found.store_id != lead.store_id {
                return Err(ChannelsError::CustomerNotFound);
            }
        }
        let settled = store::Settled { resolution, customer, note: note.as_deref(), by: actor.user_id(), at: now };
        match store::resolve_lead(tx.conn(), &scope, id, &settled).await? {
            None => return Err(ChannelsError::LeadNotFound),
            Some(false) => return Err(ChannelsError::NotWaiting),
            Some(true) => {}
        }
        if let Some(customer) = customer {
            self.customers.record_preferences(&mut tx, lead.store_id, customer, &wishes, &[]).await?;
        }
        tx.audit(AuditEvent {
            store_id: Some(lead.store_id.0),
            subject: Subject::Lead,
            subject_id: id.0,
            verb: "resolved",
            detail: json!({ "resolution": resolution, "customer": customer }),
        });
        tx.notify(lead.store_id.0, Subject::Lead, id.0, 0);
        tx.commit().await?;
        self.find(&scope, id).await?.ok_or(ChannelsError::LeadNotFound)
    }

    async fn wishes_of(&self, scope: &Scope, lead: &Lead) -> Result<Vec<crate::customers::NewPreference>, DbError> {
        let Some(raw) = self.raw(scope, lead.id).await? else { return Ok(Vec::new()) };
        let document = adf::parse(&raw, None);
        let prospect = usize::try_from(lead.ordinal).ok().and_then(|at| document.prospects.get(at));
        let store = self.dealers.store(lead.store_id);
        let (Some(prospect), Some(store)) = (prospect, store) else { return Ok(Vec::new()) };
        let mut wishes = reading::read(prospect, ADF_CHANNEL, store.as_ref().into(), lead.received_at).wishes;
        for wish in &mut wishes {
            wish.source_lead_id = Some(lead.id);
        }
        Ok(wishes)
    }

    /// The moment it is.
    pub fn now(&self) -> DateTime<Utc> {
        self.db.now()
    }
}

/// What a document is sealed for: the lead that holds it.
pub(super) fn raw_context(id: LeadId) -> String {
    format!("lead.raw:{}", id.0)
}

/// What the understood content is sealed for.
pub(super) fn parsed_context(id: LeadId) -> String {
    format!("lead.parsed:{}", id.0)
}

/// A body as the transport hands it over.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The bytes as they came, after any transfer compression.
    pub body: Bytes,
    /// The `charset` of the content type, if any.
    pub charset: Option<String>,
}
