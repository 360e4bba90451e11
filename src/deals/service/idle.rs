//! Giving up what nobody touched for long.

use serde_json::json;

use super::Deals;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, DbError};
use crate::deals::states::{DealState, DealVerb, decide};
use crate::deals::store::idle;
use crate::kernel::id::DealId;
use crate::payments::Owed;

impl Deals {
    /// Expires open deals that nobody touched for as many days as their store allows. Any server may do it at any time.
    pub async fn expire_idle(&self) -> Result<usize, DbError> {
        let mut tx = self.db.begin(By::system()).await?;
        let now = tx.now();
        let expired = idle::expire(tx.conn(), now).await?;
        for deal in &expired {
            let from = deal.from.parse::<DealState>().map_err(|e| DbError::Corrupt(e.to_string()))?;
            // The statement follows the table of states; should the two part, nothing is written.
            if decide(from, DealVerb::Expire, |_| true) != Ok(DealState::Expired) {
                return Err(DbError::Corrupt(format!("a deal that is {from} does not expire")));
            }
            tx.audit(AuditEvent {
                store_id: Some(deal.store_id),
                subject: Subject::Deal,
                subject_id: deal.id,
                verb: "expired",
                detail: json!({ "from": from, "to": DealState::Expired, "version": deal.version, "idleDays": deal.idle_days }),
            });
            self.payments.give_back(&mut tx, DealId(deal.id), Owed::AsAgreed).await?;
            tx.notify(deal.store_id, Subject::Deal, deal.id, deal.version);
        }
        tx.commit().await?;
        Ok(expired.len())
    }
}
