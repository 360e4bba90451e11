//! The manager's questions.

use serde_json::json;

use super::model::{Performance, Period};
use super::store;
use crate::auth::{Actor, Scope};
use crate::customers::Customers;
use crate::db::idempotency::{Claim, ClaimError};
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, Db, DbError};
use crate::kernel::id::{CustomerId, StoreId};

/// Why something was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// There is no such customer in the actor's stores.
    #[error("there is no such customer in your stores")]
    NotFound,
    /// The idempotency key is bad or was used otherwise.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Signals and what they say. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Insights {
    db: Db,
    customers: Customers,
}

impl Insights {
    /// On these services.
    pub fn new(db: Db, customers: Customers) -> Self {
        Self { db, customers }
    }

    /// Records that somebody greeted a customer: the conversation begins before there is a deal. True when the key was used before.
    pub async fn greet(&self, actor: &Actor, by: By, customer: CustomerId, key: &str) -> Result<bool, SignalError> {
        let mut tx = self.db.begin(by).await?;
        if let Claim::Replayed(()) = tx.claim::<()>(actor.user_id().0, key, "customerGreet", &customer).await? {
            return Ok(true);
        }
        let found = self.customers.find_in(&mut tx, &actor.selling_scope(), customer).await?.ok_or(SignalError::NotFound)?;
        tx.audit(AuditEvent {
            store_id: Some(found.store_id.0),
            subject: Subject::Customer,
            subject_id: customer.0,
            verb: "greeted",
            detail: json!({}),
        });
        tx.remember(actor.user_id().0, key, &())?;
        tx.commit().await?;
        Ok(false)
    }

    /// How a store did in a period; none outside the scope.
    pub async fn performance(&self, scope: &Scope, store: StoreId, period: Period) -> Result<Option<Performance>, DbError> {
        if !scope.contains(store) {
            return Ok(None);
        }
        let mut conn = self.db.read().await?;
        Ok(Some(store::performance(&mut conn, store, period).await?))
    }
}
