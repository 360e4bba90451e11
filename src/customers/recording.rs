//! Many wishes at once, and who is already known: for channels, which bring leads and batches of events.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::json;

use super::model::{ContactKind, IncomingPerson, NewPreference};
use super::preference::PreferenceKind;
use super::records::{external_value, index_context};
use super::service::Customers;
use super::store;
use super::store::recording::WishColumns;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, DbError, Tx};
use crate::kernel::id::{CustomerId, LeadId, StoreId};

impl Customers {
    /// Writes wishes inside the caller's transaction, in a fixed number of statements. Stated wishes that the customer has
    /// stated already are not written twice; observed ones count up. What `replaced` leads stated and these wishes do not
    /// say any more is taken back. They land on the record the customer was merged into, if so. How many rows changed; none
    /// when the store has no such customer.
    pub async fn record_preferences(
        &self,
        tx: &mut Tx,
        store_id: StoreId,
        customer: CustomerId,
        new: &[NewPreference],
        replaced: &[LeadId],
    ) -> Result<u64, DbError> {
        if new.is_empty() && replaced.is_empty() {
            return Ok(0);
        }
        let Some(owner) = store::recording::owner(tx.conn(), store_id, customer).await? else { return Ok(0) };
        let now = tx.now();
        let wishes = self.folded(new);
        let mut changed = 0;
        if !replaced.is_empty() {
            changed += store::recording::withdraw_of_leads(tx.conn(), owner, replaced, &wishes, now).await?;
        }
        if !wishes.is_empty() {
            changed += store::recording::record_many(tx.conn(), store_id, owner, &wishes).await?;
        }
        if changed == 0 {
            return Ok(0);
        }
        let version = store::preference::touch(tx.conn(), owner, now).await?;
        if new.iter().any(|n| n.kind == PreferenceKind::Stated) || !replaced.is_empty() {
            tx.audit(AuditEvent {
                store_id: Some(store_id.0),
                subject: Subject::Customer,
                subject_id: owner.0,
                verb: "preferences_recorded",
                detail: json!({ "changed": changed }),
            });
        }
        tx.notify(store_id.0, Subject::Customer, owner.0, version);
        Ok(changed)
    }

    /// Equal observations become one that happened more often; a statement said twice is said once.
    fn folded(&self, new: &[NewPreference]) -> WishColumns {
        let mut seen: BTreeMap<String, (NewPreference, i32)> = BTreeMap::new();
        for wish in new {
            let behaviour = wish.behaviour.map(super::preference::PreferenceBehaviour::as_str).unwrap_or_default();
            let (attribute, operator) = (wish.wish.attribute(), wish.wish.operator());
            let key = format!("{} {behaviour} {} {attribute} {operator} {}", wish.kind, wish.channel, wish.wish.value());
            match seen.get_mut(&key) {
                Some((kept, times)) => {
                    if wish.kind != PreferenceKind::Stated {
                        *times = times.saturating_add(1);
                    }
                    if wish.at >= kept.at {
                        *kept = wish.clone();
                    }
                }
                None => {
                    seen.insert(key, (wish.clone(), 1));
                }
            }
        }
        let mut columns = WishColumns::default();
        for (wish, times) in seen.values() {
            columns.push(self.db.new_id(), wish, *times);
        }
        columns
    }

    /// The customer of the store each person is, when one contact detail of theirs names exactly one. E-mail addresses are
    /// asked first, then ids, then phones. Nobody is made; who shares a phone stays unknown.
    pub async fn known_as(&self, store_id: StoreId, people: &[IncomingPerson]) -> Result<Vec<Option<CustomerId>>, DbError> {
        let details: Vec<Vec<(ContactKind, Vec<u8>)>> = people.iter().map(|person| self.details(person)).collect();
        let wanted: HashSet<&(ContactKind, Vec<u8>)> = details.iter().flatten().collect();
        if wanted.is_empty() {
            return Ok(vec![None; people.len()]);
        }
        let (kinds, indexes): (Vec<String>, Vec<Vec<u8>>) =
            wanted.into_iter().map(|(kind, index)| (kind.to_string(), index.clone())).unzip();
        let mut known: HashMap<(ContactKind, Vec<u8>), HashSet<CustomerId>> = HashMap::new();
        // Each part of the question stays below the bound of the answer.
        for (kinds, indexes) in kinds.chunks(50).zip(indexes.chunks(50)) {
            let rows = store::identity::candidates(&mut *self.db.read().await?, store_id, kinds, indexes).await?;
            for row in rows {
                known.entry((row.kind, row.value_index)).or_default().insert(row.customer_id);
            }
        }
        let one = |detail: &(ContactKind, Vec<u8>)| {
            let customers = known.get(detail)?;
            if customers.len() == 1 { customers.iter().next().copied() } else { None }
        };
        Ok(details.iter().map(|details| details.iter().find_map(one)).collect())
    }

    fn details(&self, person: &IncomingPerson) -> Vec<(ContactKind, Vec<u8>)> {
        let emails = person.emails.iter().map(|e| (ContactKind::Email, e.address.as_str().to_owned()));
        let ids = person.external_ids.iter().map(|x| (ContactKind::ExternalId, external_value(x)));
        let phones = person.phones.iter().map(|p| (ContactKind::Phone, p.number.as_str().to_owned()));
        let details = emails.chain(ids).chain(phones).take(10);
        details.map(|(kind, value)| (kind, self.sealer.blind_index(index_context(kind), &value))).collect()
    }
}
