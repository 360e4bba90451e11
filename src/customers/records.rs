//! Sealed records: what goes into the sealed columns, and how a row becomes a [`Customer`].

use serde::{Deserialize, Serialize};

use super::model::{Contact, ContactId, ContactKind, Customer, CustomerEvent, ExternalId};
use super::person::{Person, fold, search_tokens};
use super::store::{ContactRow, CustomerRow, EventRow};
use crate::db::DbError;
use crate::kernel::contact::{EmailAddress, PhoneNumber};
use crate::kernel::id::{CustomerId, EventId, VehicleId};
use crate::kernel::seal::Sealer;

/// What `customer.person_sealed` holds.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    #[serde(flatten)]
    pub(super) person: Person,
    /// The address to write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    /// The number to call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
}

impl Record {
    /// Seals the record for its customer: a value copied to another row does not open.
    pub(super) fn seal(&self, sealer: &Sealer, id: CustomerId) -> Result<Vec<u8>, DbError> {
        let plain = serde_json::to_vec(self).map_err(|_| DbError::Corrupt("customer record cannot be written".to_owned()))?;
        Ok(sealer.seal(&person_context(id), &plain))
    }

    /// Opens a sealed record.
    pub(super) fn open(sealer: &Sealer, id: CustomerId, sealed: &[u8]) -> Result<Self, DbError> {
        let damaged = |what: &str| DbError::Corrupt(format!("customer.person_sealed of {id}: {what}"));
        let plain = sealer.open(&person_context(id), sealed).map_err(|e| damaged(&e.to_string()))?;
        // The parser's message may quote the text, so it is not kept.
        serde_json::from_slice(&plain).map_err(|_| damaged("not a record"))
    }

    /// Keyed hashes of everything the customer can be found by.
    pub(super) fn tokens(&self, sealer: &Sealer, emails: &[EmailAddress], phones: &[PhoneNumber]) -> Vec<Vec<u8>> {
        search_tokens(&self.person, emails.iter(), phones.iter())
            .iter()
            .map(|token| sealer.blind_index(token.context, &token.text))
            .collect()
    }
}

fn person_context(id: CustomerId) -> String {
    format!("customer.person/{id}")
}

/// The authenticated context of a contact's sealed value.
pub(super) fn contact_context(id: uuid::Uuid) -> String {
    format!("customer_contact.value/{}", ContactId(id))
}

/// The context of a contact's keyed hash.
pub(super) const fn index_context(kind: ContactKind) -> &'static str {
    match kind {
        ContactKind::Email => "customer_contact.email",
        ContactKind::Phone => "customer_contact.phone",
        ContactKind::ExternalId => "customer_contact.external_id",
    }
}

/// How an external id is stored and compared: `source:id`, the source in lower case.
pub(super) fn external_value(external: &ExternalId) -> String {
    format!("{}:{}", fold(external.source.trim()), external.id.trim())
}

/// Opens a row of `customer`.
pub(super) fn open_customer(sealer: &Sealer, row: &CustomerRow) -> Result<Customer, DbError> {
    let record = Record::open(sealer, row.id, &row.person_sealed)?;
    Ok(Customer {
        id: row.id,
        store_id: row.store_id,
        email: record.email.as_deref().and_then(|e| EmailAddress::parse(e).ok()),
        phone: record.phone.as_deref().and_then(|p| PhoneNumber::parse(p).ok()),
        person: record.person,
        state: row.state.clone(),
        postal_code: row.postal_code.clone(),
        credit_tier: row.credit_tier.clone(),
        merged_into: row.merged_into,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// Opens a row of `customer_contact`.
pub(super) fn open_contact(sealer: &Sealer, row: ContactRow) -> Result<Contact, DbError> {
    let damaged = || DbError::Corrupt(format!("customer_contact.value_sealed of {}", ContactId(row.id)));
    let plain = sealer.open(&contact_context(row.id), &row.value_sealed).map_err(|_| damaged())?;
    let value = String::from_utf8(plain).map_err(|_| damaged())?;
    Ok(Contact { id: ContactId(row.id), kind: row.kind, value, label: row.label, verified_at: row.verified_at, created_at: row.created_at })
}

impl From<EventRow> for CustomerEvent {
    fn from(row: EventRow) -> Self {
        Self {
            id: EventId(row.id),
            kind: row.kind,
            name: row.name,
            channel: row.channel,
            vehicle_id: row.vehicle_id.map(VehicleId),
            duration_seconds: row.duration_seconds,
            occurred_at: row.occurred_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::seal::DataKey;
    use uuid::Uuid;

    #[test]
    fn a_record_opens_only_in_its_own_row() {
        let sealer = Sealer::new(&DataKey::new([1; 32]), &[], &DataKey::new([2; 32]));
        let record = Record { person: Person::from_full_name("Ada Lovelace"), email: Some("ada@example.com".into()), phone: None };
        let (mine, other) = (CustomerId(Uuid::from_u128(1)), CustomerId(Uuid::from_u128(2)));
        let sealed = record.seal(&sealer, mine).unwrap();
        assert!(Record::open(&sealer, mine, &sealed).unwrap() == record);
        assert!(Record::open(&sealer, other, &sealed).is_err());
    }
}
