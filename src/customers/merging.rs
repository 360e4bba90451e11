//! Two records that are one person become one, and can become two again.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::model::{Merge, MergeId};
use super::records::Record;
use super::resolving::changed;
use super::service::{CustomerError, Customers, Done};
use super::store;
use super::store::identity::LockedRow;
use crate::auth::Actor;
use crate::db::idempotency::Claim;
use crate::db::notices::Subject;
use crate::db::{By, DbError, Tx};
use crate::kernel::id::CustomerId;

/// What became of `customerMerge`, as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeOutcome {
    /// The record of the merge.
    pub merge: MergeId,
    /// The record that stays.
    pub survivor: CustomerId,
}

impl Customers {
    /// Merges `merged` into `survivor`: contacts, consents, preferences, leads, events and deals move, and each that moved is
    /// recorded. The survivor's own name and address stay as they are.
    pub async fn merge(
        &self,
        actor: &Actor,
        by: By,
        key: &str,
        survivor: CustomerId,
        merged: CustomerId,
        reason: &str,
    ) -> Result<Done<MergeOutcome>, CustomerError> {
        let scope = actor.selling_scope();
        let user = actor.user_id();
        let mut tx = self.db.begin(by).await?;
        let request = json!([survivor, merged, reason]);
        if let Claim::Replayed(outcome) = tx.claim::<MergeOutcome>(user.0, key, "customerMerge", &request).await? {
            return Ok(Done { outcome, replayed: true });
        }
        if survivor == merged {
            return Err(CustomerError::SameRecord);
        }
        let rows = store::identity::lock_customers(tx.conn(), scope.store_ids(), &[survivor.0, merged.0]).await?;
        let keep = standing(&rows, survivor)?;
        let gone = standing(&rows, merged)?;
        if keep.store_id != gone.store_id {
            return Err(CustomerError::OtherStore);
        }
        let now = tx.now();
        let moved = store::merge::move_all(tx.conn(), survivor, merged, now).await?;
        let merge = Merge {
            id: self.db.new_id(),
            store_id: keep.store_id,
            survivor,
            merged,
            reason: reason.to_owned(),
            merged_by: Some(user),
            merged_at: now,
            undone_at: None,
        };
        store::merge::insert(tx.conn(), &merge, &moved).await?;
        self.refresh(&mut tx, keep, "merged").await?;
        tx.notify(merge.store_id.0, Subject::Customer, merged.0, 0);
        notify_deals(&mut tx, &merge, &moved).await?;
        let outcome = MergeOutcome { merge: merge.id, survivor };
        tx.remember(user.0, key, &outcome)?;
        tx.commit().await?;
        Ok(Done { outcome, replayed: false })
    }

    /// Undoes a merge: everything it moved goes back. What came in since stays with the survivor.
    pub async fn undo_merge(&self, actor: &Actor, by: By, id: MergeId) -> Result<Merge, CustomerError> {
        let scope = actor.selling_scope();
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        let (merge, moved) = store::merge::find_for_undo(tx.conn(), &scope, id).await?.ok_or(CustomerError::MergeNotFound)?;
        if merge.undone_at.is_some() {
            return Err(CustomerError::AlreadyUndone);
        }
        let rows = store::identity::lock_customers(tx.conn(), scope.store_ids(), &[merge.survivor.0, merge.merged.0]).await?;
        let find = |id| rows.iter().find(|row| row.id == id).ok_or(CustomerError::CustomerNotFound);
        let (survivor, merged) = (find(merge.survivor)?, find(merge.merged)?);
        if let Some(into) = survivor.merged_into {
            return Err(CustomerError::LaterMerge { into });
        }
        store::merge::move_back(tx.conn(), merge.merged, &moved, now).await?;
        store::merge::mark_undone(tx.conn(), id, Some(actor.user_id().0), now).await?;
        self.refresh(&mut tx, survivor, "merge_undone").await?;
        self.refresh(&mut tx, merged, "merge_undone").await?;
        notify_deals(&mut tx, &merge, &moved).await?;
        tx.commit().await?;
        Ok(Merge { undone_at: Some(now), ..merge })
    }

    /// Says that two records are not one person, so that the pair is not suggested again.
    pub async fn dismiss_suggestion(&self, actor: &Actor, by: By, customer: CustomerId, other: CustomerId) -> Result<(), CustomerError> {
        let scope = actor.selling_scope();
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        let pair = (customer, other);
        let store_id = store::identity::dismiss_suggestion(tx.conn(), &scope, pair, Some(actor.user_id().0), now).await?;
        let store_id = store_id.ok_or(CustomerError::SuggestionNotFound)?;
        changed(&mut tx, store_id, customer, 0, "link_suggestion_dismissed");
        tx.commit().await?;
        Ok(())
    }

    async fn refresh(&self, tx: &mut Tx, row: &LockedRow, verb: &'static str) -> Result<(), DbError> {
        let record = Record::open(&self.sealer, row.id, &row.person_sealed)?;
        let version = self.rewrite(tx, row.store_id, row.id, record).await?;
        changed(tx, row.store_id, row.id, version, verb);
        Ok(())
    }
}

fn standing(rows: &[LockedRow], id: CustomerId) -> Result<&LockedRow, CustomerError> {
    let row = rows.iter().find(|row| row.id == id).ok_or(CustomerError::CustomerNotFound)?;
    match row.merged_into {
        Some(into) => Err(CustomerError::AlreadyMerged { into }),
        None => Ok(row),
    }
}

async fn notify_deals(tx: &mut Tx, merge: &Merge, moved: &store::merge::Moved) -> Result<(), DbError> {
    if moved.deals.is_empty() {
        return Ok(());
    }
    for (deal, version) in store::merge::deal_versions(tx.conn(), &moved.deals).await? {
        tx.notify(merge.store_id.0, Subject::Deal, deal, version);
    }
    Ok(())
}
