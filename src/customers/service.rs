//! Use cases: find, list, create customers; state and withdraw wishes. Identity is in [`super::resolving`], merging in
//! [`super::merging`].

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::model::{
    Consent, ConsentId, ConsentPurpose, Contact, Customer, CustomerEvent, IncomingPerson, LinkSuggestion, Merge, NewPreference, Resolution,
};
use super::person::search_query;
use super::preference::{Preference, PreferenceKind};
use super::records::{open_contact, open_customer};
use super::store;
use super::turns::Turns;
use crate::auth::{Actor, Scope};
use crate::db::idempotency::{Claim, ClaimError};
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, Db, DbError, Together, Tx, deal_out};
use crate::kernel::id::{CustomerId, PreferenceId, StoreId};
use crate::kernel::seal::Sealer;

/// Customers and what they wish for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Customers {
    pub(super) db: Db,
    pub(super) sealer: Arc<Sealer>,
    pub(super) turns: Turns,
    /// Records by id; with preferences or not, with how many events.
    records: Together<(Scope, bool, i64), Vec<Uuid>, Vec<store::CustomerRow>>,
}

/// What can go wrong. No text names a person.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// There is no such customer in the actor's stores.
    #[error("There is no such customer in your stores.")]
    CustomerNotFound,
    /// There is no such store among the actor's stores.
    #[error("There is no such store among your stores.")]
    StoreNotFound,
    /// There is no such preference in the actor's stores.
    #[error("There is no such preference in your stores.")]
    PreferenceNotFound,
    /// There is no such merge in the actor's stores.
    #[error("There is no such merge in your stores.")]
    MergeNotFound,
    /// There is no such suggestion in the actor's stores.
    #[error("There is no such suggestion in your stores.")]
    SuggestionNotFound,
    /// Neither a name nor a way to reach them.
    #[error("Give at least a name, an e-mail address or a phone number.")]
    NobodyNamed,
    /// The record was merged into another.
    #[error("This record was merged into another one; use that one.")]
    AlreadyMerged {
        /// The record that stays.
        into: CustomerId,
    },
    /// A record cannot be merged into itself.
    #[error("These are the same record.")]
    SameRecord,
    /// Records of two stores are never merged.
    #[error("Customers of two stores cannot be merged.")]
    OtherStore,
    /// The merge was undone before.
    #[error("This merge was undone already.")]
    AlreadyUndone,
    /// A later merge moved the same rows on.
    #[error("The surviving record was merged again later; undo that merge first.")]
    LaterMerge {
        /// The record it was merged into.
        into: CustomerId,
    },
    /// The idempotency key was refused.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What is wanted of each customer beyond the record itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CustomerParts {
    /// Live preferences.
    pub preferences: bool,
    /// How many of the newest events; 0 for none.
    pub events: i64,
}

/// A customer with the parts that were asked for.
#[derive(Debug, Clone)]
pub struct CustomerWith {
    /// The record.
    pub customer: Customer,
    /// Live preferences, when asked for.
    pub preferences: Option<Vec<Preference>>,
    /// The newest events, when asked for.
    pub events: Option<Vec<CustomerEvent>>,
}

/// Where a page of customers begins.
pub type CustomerKey = (DateTime<Utc>, CustomerId);

/// The outcome of a mutation that may have been done before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done<T> {
    /// What came of it.
    pub outcome: T,
    /// The answer is the stored one of the first execution.
    pub replayed: bool,
}

/// What became of `customerCreate`, as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateOutcome {
    /// The customer.
    pub customer: CustomerId,
    /// False when it is somebody the store knew already.
    pub created: bool,
}

impl Customers {
    /// On this database, with this sealer.
    pub fn new(db: Db, sealer: Arc<Sealer>) -> Self {
        let records = Together::new(&db, |db: Db, (scope, preferences, events), asked: Vec<Vec<Uuid>>| async move {
            let found = store::find(&mut *db.read().await?, &scope, &asked.concat(), preferences, events).await?;
            Ok(deal_out(&asked, found, |record| record.id.0))
        });
        Self { db, sealer, turns: Turns::default(), records }
    }

    /// The present moment, for judging expiry.
    pub fn now(&self) -> DateTime<Utc> {
        self.db.now()
    }

    /// One customer, or none in the actor's stores.
    pub async fn find(&self, scope: &Scope, id: CustomerId) -> Result<Option<Customer>, DbError> {
        Ok(self.find_with(scope, &[id], CustomerParts::default()).await?.pop().map(|c| c.customer))
    }

    /// One customer.
    pub async fn get(&self, scope: &Scope, id: CustomerId) -> Result<Customer, CustomerError> {
        self.find(scope, id).await?.ok_or(CustomerError::CustomerNotFound)
    }

    /// One customer as the caller's transaction sees it.
    pub async fn find_in(&self, tx: &mut Tx, scope: &Scope, id: CustomerId) -> Result<Option<Customer>, DbError> {
        let mut rows = store::find(tx.conn(), scope, &[id.0], false, 0).await?;
        rows.pop().map(|row| open_customer(&self.sealer, &row)).transpose()
    }

    /// The customers among `ids` that are in the scope, with the parts, in one statement; in no particular order.
    pub async fn find_with(&self, scope: &Scope, ids: &[CustomerId], parts: CustomerParts) -> Result<Vec<CustomerWith>, DbError> {
        if ids.is_empty() || scope.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows = self.records.ask(&(scope.clone(), parts.preferences, parts.events.clamp(0, 100)), ids).await?;
        rows.into_iter().map(|row| self.open(row, parts)).collect()
    }

    fn open(&self, mut row: store::CustomerRow, parts: CustomerParts) -> Result<CustomerWith, DbError> {
        let preferences = std::mem::take(&mut row.preferences).into_iter().map(Preference::from);
        let events = std::mem::take(&mut row.events).into_iter().map(CustomerEvent::from);
        Ok(CustomerWith {
            customer: open_customer(&self.sealer, &row)?,
            preferences: parts.preferences.then(|| preferences.collect()),
            events: (parts.events > 0).then(|| events.collect()),
        })
    }

    /// Up to `limit` customers, the last changed first. `search`: name, beginning of a name, e-mail, phone or its last four
    /// digits; every word must fit. A search without a word finds nobody.
    pub async fn list(
        &self,
        scope: &Scope,
        search: Option<&str>,
        after: Option<CustomerKey>,
        limit: i64,
        parts: CustomerParts,
    ) -> Result<Vec<CustomerWith>, DbError> {
        let tokens = self.search_tokens(search);
        if scope.is_empty() || tokens.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let ids = {
            let mut conn = self.db.read().await?;
            store::page(&mut conn, scope, tokens.as_deref(), after, limit.clamp(1, 101)).await?
        };
        let customers: Vec<CustomerId> = ids.iter().copied().map(CustomerId).collect();
        let mut found: BTreeMap<CustomerId, CustomerWith> =
            self.find_with(scope, &customers, parts).await?.into_iter().map(|c| (c.customer.id, c)).collect();
        Ok(customers.iter().filter_map(|id| found.remove(id)).collect())
    }

    /// How many customers the list has.
    pub async fn count(&self, scope: &Scope, search: Option<&str>) -> Result<i64, DbError> {
        let tokens = self.search_tokens(search);
        if scope.is_empty() || tokens.as_ref().is_some_and(Vec::is_empty) {
            return Ok(0);
        }
        store::count(&mut *self.db.read().await?, scope, tokens.as_deref()).await
    }

    fn search_tokens(&self, search: Option<&str>) -> Option<Vec<Vec<u8>>> {
        search.map(|line| search_query(line).iter().map(|token| self.sealer.blind_index(token.context, &token.text)).collect())
    }

    /// Live preferences of customers, in the order they were made.
    pub async fn preferences(&self, scope: &Scope, ids: &[CustomerId]) -> Result<Vec<Preference>, DbError> {
        let rows = store::preference::list(&mut *self.db.read().await?, scope, &uuids(ids)).await?;
        Ok(rows.into_iter().map(Preference::from).collect())
    }

    /// One preference, withdrawn or not.
    pub async fn preference(&self, scope: &Scope, id: PreferenceId) -> Result<Option<Preference>, DbError> {
        Ok(store::preference::find(&mut *self.db.read().await?, scope, id).await?.map(Preference::from))
    }

    /// Contact details of customers, the oldest first.
    pub async fn contacts(&self, scope: &Scope, ids: &[CustomerId]) -> Result<Vec<(CustomerId, Contact)>, DbError> {
        let rows = store::contacts(&mut *self.db.read().await?, scope.store_ids(), &uuids(ids)).await?;
        rows.into_iter().map(|row| Ok((CustomerId(row.customer_id), open_contact(&self.sealer, row)?))).collect()
    }

    /// Consents of customers, the newest first.
    pub async fn consents(&self, scope: &Scope, ids: &[CustomerId]) -> Result<Vec<(CustomerId, Consent)>, DbError> {
        let rows = store::consents(&mut *self.db.read().await?, scope, &uuids(ids)).await?;
        let consent = |row: store::ConsentRow| {
            let consent = Consent { id: ConsentId(row.id), purpose: row.purpose, granted: row.granted, channel: row.channel, at: row.at };
            (CustomerId(row.customer_id), consent)
        };
        Ok(rows.into_iter().map(consent).collect())
    }

    /// Open suggestions of customers.
    pub async fn link_suggestions(&self, scope: &Scope, ids: &[CustomerId]) -> Result<Vec<(CustomerId, LinkSuggestion)>, DbError> {
        let rows = store::identity::suggestions(&mut *self.db.read().await?, scope, &uuids(ids)).await?;
        let suggestion = |row: store::identity::SuggestionRow| {
            (CustomerId(row.customer_id), LinkSuggestion { other: row.other_id, reason: row.reason, at: row.at })
        };
        Ok(rows.into_iter().map(suggestion).collect())
    }

    /// Merges into these customers that stand, the newest first.
    pub async fn merges(&self, scope: &Scope, survivors: &[CustomerId]) -> Result<Vec<Merge>, DbError> {
        store::merge::list(&mut *self.db.read().await?, scope, &uuids(survivors)).await
    }

    /// A page of a customer's events, the newest first.
    pub async fn events(
        &self,
        scope: &Scope,
        id: CustomerId,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<CustomerEvent>, DbError> {
        let rows = store::events(&mut *self.db.read().await?, scope, id, after, limit.clamp(1, 101)).await?;
        Ok(rows.into_iter().map(CustomerEvent::from).collect())
    }

    /// Enters a person by hand. Somebody the store knows already is recognised, not doubled.
    pub async fn create(
        &self,
        actor: &Actor,
        by: By,
        key: &str,
        store_id: StoreId,
        person: &IncomingPerson,
        credit_tier: Option<&str>,
    ) -> Result<Done<CreateOutcome>, CustomerError> {
        if !actor.selling_scope().contains(store_id) {
            return Err(CustomerError::StoreNotFound);
        }
        if person.is_empty() {
            return Err(CustomerError::NobodyNamed);
        }
        let user = actor.user_id().0;
        let mut tx = self.db.begin(by).await?;
        let request = self.create_fingerprint(store_id, person, credit_tier);
        if let Claim::Replayed(outcome) = tx.claim::<CreateOutcome>(user, key, "customerCreate", &request).await? {
            return Ok(Done { outcome, replayed: true });
        }
        let resolution = self.resolve_with(&mut tx, store_id, person, credit_tier).await?;
        let created = !matches!(resolution, Resolution::Matched { .. });
        let outcome = CreateOutcome { customer: resolution.customer_id(), created };
        tx.remember(user, key, &outcome)?;
        tx.commit().await?;
        Ok(Done { outcome, replayed: false })
    }

    /// A keyed hash of the input, so that the idempotency record tells retries apart without holding a digest that a list of
    /// known e-mail addresses could be tried against.
    fn create_fingerprint(&self, store_id: StoreId, person: &IncomingPerson, credit_tier: Option<&str>) -> Vec<u8> {
        let emails: Vec<_> = person.emails.iter().map(|e| (e.address.as_str(), e.verified)).collect();
        let phones: Vec<_> = person.phones.iter().map(|p| (p.number.as_str(), p.label.as_deref())).collect();
        let external: Vec<_> = person.external_ids.iter().map(|x| (x.source.as_str(), x.id.as_str())).collect();
        let text = json!([store_id, person.person, emails, phones, external, credit_tier]).to_string();
        self.sealer.blind_index("customerCreate.input", &text)
    }

    /// Writes a wish during the talk.
    pub async fn state_preference(
        &self,
        actor: &Actor,
        by: By,
        key: &str,
        customer: CustomerId,
        mut new: NewPreference,
    ) -> Result<Done<PreferenceId>, CustomerError> {
        let scope = actor.selling_scope();
        let user = actor.user_id();
        let mut tx = self.db.begin(by).await?;
        let request =
            json!([customer, new.wish.attribute(), new.wish.operator(), new.wish.value(), new.importance, new.channel, new.expires_at]);
        if let Claim::Replayed(outcome) = tx.claim::<PreferenceId>(user.0, key, "preferenceState", &request).await? {
            return Ok(Done { outcome, replayed: true });
        }
        let found = store::find(tx.conn(), &scope, &[customer.0], false, 0).await?.pop().ok_or(CustomerError::CustomerNotFound)?;
        new.kind = PreferenceKind::Stated;
        new.heard_by = Some(user);
        new.at = tx.now();
        let id = self.record_preference(&mut tx, found.store_id, customer, &new).await?.ok_or(CustomerError::CustomerNotFound)?;
        tx.remember(user.0, key, &id)?;
        tx.commit().await?;
        Ok(Done { outcome: id, replayed: false })
    }

    /// Writes a wish inside the caller's transaction: stated (a lead's words) as a new row, observed or inferred by counting
    /// up. It lands on the record the customer was merged into, if so. None when the store has no such customer.
    pub async fn record_preference(
        &self,
        tx: &mut Tx,
        store_id: StoreId,
        customer: CustomerId,
        new: &NewPreference,
    ) -> Result<Option<PreferenceId>, DbError> {
        let id = self.db.new_id();
        let Some((id, owner)) = store::preference::record(tx.conn(), store_id, customer, id, new).await? else { return Ok(None) };
        let now = tx.now();
        let version = store::preference::touch(tx.conn(), owner, now).await?;
        if new.kind == PreferenceKind::Stated {
            tx.audit(AuditEvent {
                store_id: Some(store_id.0),
                subject: Subject::Customer,
                subject_id: owner.0,
                verb: "preference_stated",
                detail: json!({ "preference": id, "attribute": new.wish.attribute(), "operator": new.wish.operator() }),
            });
        }
        tx.notify(store_id.0, Subject::Customer, owner.0, version);
        Ok(Some(id))
    }

    /// Takes a wish back. It stays in the history and no longer counts. Taking it back twice changes nothing.
    pub async fn withdraw_preference(&self, actor: &Actor, by: By, id: PreferenceId) -> Result<Preference, CustomerError> {
        let scope = actor.selling_scope();
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        let before = store::preference::find(tx.conn(), &scope, id).await?.ok_or(CustomerError::PreferenceNotFound)?;
        let before = Preference::from(before);
        if before.withdrawn_at.is_some() {
            return Ok(before);
        }
        let withdrawn = store::preference::withdraw(tx.conn(), &scope, id, Some(actor.user_id().0), now).await?;
        let (owner, store_id) = withdrawn.ok_or(CustomerError::PreferenceNotFound)?;
        let version = store::preference::touch(tx.conn(), owner, now).await?;
        tx.audit(AuditEvent {
            store_id: Some(store_id.0),
            subject: Subject::Customer,
            subject_id: owner.0,
            verb: "preference_withdrawn",
            detail: json!({ "preference": id, "attribute": before.wish.attribute() }),
        });
        tx.notify(store_id.0, Subject::Customer, owner.0, version);
        tx.commit().await?;
        Ok(Preference { withdrawn_at: Some(now), ..before })
    }

    /// Keeps a consent inside the caller's transaction. None when the store has no such customer.
    #[expect(clippy::too_many_arguments, reason = "a consent is these facts")]
    pub async fn record_consent(
        &self,
        tx: &mut Tx,
        store_id: StoreId,
        customer: CustomerId,
        purpose: ConsentPurpose,
        granted: bool,
        channel: &str,
        source_id: Option<Uuid>,
    ) -> Result<Option<ConsentId>, DbError> {
        let (id, at) = (self.db.new_id(), tx.now());
        let new = store::NewConsent { id, purpose, granted, channel, source_id, at };
        Ok(store::insert_consent(tx.conn(), store_id, customer, &new).await?.map(ConsentId))
    }
}

fn uuids(ids: &[CustomerId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}
