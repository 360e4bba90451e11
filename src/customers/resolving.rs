//! From an incoming person to a customer, inside the caller's transaction.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use uuid::Uuid;

use super::identity::{Candidate, Decision, decide};
use super::model::{Contact, ContactKind, IncomingPerson, LinkReason, Resolution};
use super::records::{Record, contact_context, external_value, index_context, open_contact};
use super::service::Customers;
use super::store;
use super::store::identity::{ContactColumns, CustomerValues};
use super::turns::Turn;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, DbError, Tx};
use crate::kernel::contact::{EmailAddress, PhoneNumber};
use crate::kernel::id::{CustomerId, StoreId};

/// Most contact details of one incoming person that are looked at.
const CONTACTS_MAX: usize = 20;

/// One contact detail, normalised and hashed.
struct Key {
    kind: ContactKind,
    value: String,
    index: Vec<u8>,
    label: Option<String>,
    verified: bool,
}

impl Customers {
    /// Waits until no other request of this server takes in one of these people; to be asked before a transaction is opened,
    /// and kept until it ends. As patient as whoever waits for a connection.
    pub async fn turn(&self, store_id: StoreId, people: &[IncomingPerson]) -> Result<Turn, DbError> {
        let keys: Vec<i64> = people.iter().flat_map(|person| lock_keys(store_id, &self.keys(person))).collect();
        self.turns.wait(keys, self.db.pool().options().get_acquire_timeout()).await
    }

    /// Finds or makes the customer of the store an incoming person is. What is new about a known customer is added.
    ///
    /// Two transactions that bring the same e-mail, phone or id at the same time wait for each other, so that one person is
    /// made once. A transaction resolves one person; resolving several may end in [`DbError::Conflict`], to be repeated.
    pub async fn resolve(&self, tx: &mut Tx, store_id: StoreId, incoming: &IncomingPerson) -> Result<Resolution, DbError> {
        self.resolve_with(tx, store_id, incoming, None).await
    }

    pub(super) async fn resolve_with(
        &self,
        tx: &mut Tx,
        store_id: StoreId,
        incoming: &IncomingPerson,
        credit_tier: Option<&str>,
    ) -> Result<Resolution, DbError> {
        let incoming = IncomingPerson { person: incoming.person.clone().tidy(), ..incoming.clone() };
        let keys = self.keys(&incoming);
        store::identity::lock(tx.conn(), &lock_keys(store_id, &keys)).await?;
        let candidates = self.candidates(tx, store_id, &keys).await?;
        match decide(&incoming, &candidates) {
            Decision::Same(customer, basis) => {
                self.complete(tx, store_id, customer, &incoming, &keys).await?;
                let others: Vec<_> = others(&candidates, customer);
                if !others.is_empty() {
                    let now = tx.now();
                    store::identity::suggest(tx.conn(), store_id, customer, &others, now).await?;
                }
                Ok(Resolution::Matched { customer, basis })
            }
            Decision::New(others) => {
                let customer = self.insert(tx, store_id, &incoming, &keys, credit_tier).await?;
                if others.is_empty() {
                    return Ok(Resolution::Created { customer });
                }
                let now = tx.now();
                store::identity::suggest(tx.conn(), store_id, customer, &others, now).await?;
                Ok(Resolution::Suggested { customer, others: others.into_iter().map(|(id, _)| id).collect() })
            }
        }
    }

    fn keys(&self, incoming: &IncomingPerson) -> Vec<Key> {
        let emails = incoming.emails.iter().map(|e| (ContactKind::Email, e.address.as_str().to_owned(), None, e.verified));
        let phones = incoming.phones.iter().map(|p| (ContactKind::Phone, p.number.as_str().to_owned(), p.label.clone(), false));
        let external = incoming.external_ids.iter().map(|x| (ContactKind::ExternalId, external_value(x), None, false));
        let mut keys: BTreeMap<(ContactKind, String), Key> = BTreeMap::new();
        for (kind, value, label, verified) in emails.chain(phones).chain(external).take(CONTACTS_MAX) {
            let index = self.sealer.blind_index(index_context(kind), &value);
            let label = label.map(|l: String| crate::kernel::text::excerpt(&l, 40)).filter(|l| !l.is_empty());
            keys.entry((kind, value.clone())).and_modify(|k| k.verified |= verified).or_insert(Key { kind, value, index, label, verified });
        }
        keys.into_values().collect()
    }

    async fn candidates(&self, tx: &mut Tx, store_id: StoreId, keys: &[Key]) -> Result<Vec<Candidate>, DbError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let kinds: Vec<String> = keys.iter().map(|k| k.kind.to_string()).collect();
        let indexes: Vec<Vec<u8>> = keys.iter().map(|k| k.index.clone()).collect();
        let rows = store::identity::candidates(tx.conn(), store_id, &kinds, &indexes).await?;
        let candidate = |row: store::identity::CandidateRow| {
            let proven_here = keys.iter().any(|k| k.kind == row.kind && k.index == row.value_index && k.verified);
            let person = Record::open(&self.sealer, row.customer_id, &row.person_sealed)?.person;
            Ok(Candidate { customer: row.customer_id, person, kind: row.kind, proven: row.verified && proven_here })
        };
        rows.into_iter().map(candidate).collect()
    }

    async fn insert(
        &self,
        tx: &mut Tx,
        store_id: StoreId,
        incoming: &IncomingPerson,
        keys: &[Key],
        credit_tier: Option<&str>,
    ) -> Result<CustomerId, DbError> {
        let id: CustomerId = self.db.new_id();
        let record = Record {
            person: incoming.person.clone(),
            email: incoming.emails.first().map(|e| e.address.as_str().to_owned()),
            phone: incoming.phones.first().map(|p| p.number.as_str().to_owned()),
        };
        let emails: Vec<EmailAddress> = incoming.emails.iter().map(|e| e.address.clone()).collect();
        let phones: Vec<PhoneNumber> = incoming.phones.iter().map(|p| p.number.clone()).collect();
        let tokens = record.tokens(&self.sealer, &emails, &phones);
        let sealed = record.seal(&self.sealer, id)?;
        let values = values(&record, &sealed, &tokens);
        let now = tx.now();
        store::identity::insert_customer(tx.conn(), store_id, id, &values, credit_tier, now).await?;
        store::identity::add_contacts(tx.conn(), store_id, id, &self.columns(keys), now).await?;
        changed(tx, store_id, id, 1, "created");
        Ok(id)
    }

    /// Adds what is new about a known customer. Nothing that is known is overwritten.
    async fn complete(
        &self,
        tx: &mut Tx,
        store_id: StoreId,
        customer: CustomerId,
        incoming: &IncomingPerson,
        keys: &[Key],
    ) -> Result<(), DbError> {
        let now = tx.now();
        let locked = store::identity::lock_customers(tx.conn(), &[store_id.0], &[customer.0]).await?.pop();
        let Some(locked) = locked else { return Ok(()) };
        let added = store::identity::add_contacts(tx.conn(), store_id, customer, &self.columns(keys), now).await?;
        let mut record = Record::open(&self.sealer, customer, &locked.person_sealed)?;
        let filled = record.person.fill_from(&incoming.person);
        if added > 0 || filled {
            let version = self.rewrite(tx, store_id, customer, record).await?;
            changed(tx, store_id, customer, version, "completed");
        }
        Ok(())
    }

    /// Writes a record again with what can be called and found now: the display contacts are kept while they are among the
    /// customer's contacts, else the oldest takes their place. The new version.
    pub(super) async fn rewrite(&self, tx: &mut Tx, store_id: StoreId, customer: CustomerId, mut record: Record) -> Result<i32, DbError> {
        let now = tx.now();
        let rows = store::contacts(tx.conn(), &[store_id.0], &[customer.0]).await?;
        let contacts: Vec<Contact> = rows.into_iter().map(|row| open_contact(&self.sealer, row)).collect::<Result<_, _>>()?;
        let of_kind = |kind| contacts.iter().filter(move |c| c.kind == kind).map(|c| c.value.as_str());
        let keep = |shown: &mut Option<String>, kind| {
            let known = shown.as_deref().is_some_and(|value| of_kind(kind).any(|v| v == value));
            if !known {
                *shown = of_kind(kind).next().map(str::to_owned);
            }
        };
        keep(&mut record.email, ContactKind::Email);
        keep(&mut record.phone, ContactKind::Phone);
        let emails: Vec<EmailAddress> = of_kind(ContactKind::Email).filter_map(|v| EmailAddress::parse(v).ok()).collect();
        let phones: Vec<PhoneNumber> = of_kind(ContactKind::Phone).filter_map(|v| PhoneNumber::parse(v).ok()).collect();
        let tokens = record.tokens(&self.sealer, &emails, &phones);
        let sealed = record.seal(&self.sealer, customer)?;
        store::identity::update_customer(tx.conn(), customer, &values(&record, &sealed, &tokens), now).await
    }

    fn columns(&self, keys: &[Key]) -> ContactColumns {
        let mut columns = ContactColumns::default();
        for key in keys {
            let id: Uuid = self.db.new_id();
            columns.ids.push(id);
            columns.kinds.push(key.kind.to_string());
            columns.indexes.push(key.index.clone());
            columns.sealed.push(self.sealer.seal(&contact_context(id), key.value.as_bytes()));
            columns.labels.push(key.label.clone());
            columns.verified.push(key.verified);
        }
        columns
    }
}

/// Writes down and announces a change of a customer.
pub(super) fn changed(tx: &mut Tx, store_id: StoreId, customer: CustomerId, version: i32, verb: &'static str) {
    tx.audit(AuditEvent {
        store_id: Some(store_id.0),
        subject: Subject::Customer,
        subject_id: customer.0,
        verb,
        detail: json!({ "version": version }),
    });
    tx.notify(store_id.0, Subject::Customer, customer.0, version);
}

fn values<'a>(record: &'a Record, sealed: &'a [u8], tokens: &'a [Vec<u8>]) -> CustomerValues<'a> {
    let address = &record.person.address;
    CustomerValues {
        person_sealed: sealed,
        search_tokens: tokens,
        state: address.state_code(),
        postal_code: address.postal_code.as_deref(),
    }
}

/// Advisory lock keys, sorted: the first eight bytes of each hash, different for every store.
fn lock_keys(store_id: StoreId, keys: &[Key]) -> Vec<i64> {
    let store = i64::from_be_bytes(store_id.0.as_bytes().last_chunk::<8>().copied().unwrap_or_default());
    let lock = |key: &Key| i64::from_be_bytes(key.index.first_chunk::<8>().copied().unwrap_or_default()) ^ store;
    keys.iter().map(lock).collect::<BTreeSet<i64>>().into_iter().collect()
}

/// The other customers who share a contact detail.
fn others(candidates: &[Candidate], customer: CustomerId) -> Vec<(CustomerId, LinkReason)> {
    let reason = |kind| match kind {
        ContactKind::Email => LinkReason::SameEmail,
        ContactKind::Phone => LinkReason::SamePhone,
        ContactKind::ExternalId => LinkReason::SameExternalId,
    };
    let shared: BTreeMap<CustomerId, LinkReason> =
        candidates.iter().rev().filter(|c| c.customer != customer).map(|c| (c.customer, reason(c.kind))).collect();
    shared.into_iter().collect()
}
