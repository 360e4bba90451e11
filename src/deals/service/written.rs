//! Deals as this server wrote them last, so that the next change of the same deal need not read it.
//!
//! A customer who plays with the down payment changes one deal many times in a row. What was written is what would be read, as
//! long as the deal is at the same version and its car's record too: the write says both as its condition, and that no other
//! device has the deal open ([`Basis`](crate::deals::store::table::Basis)). When any of it does not hold, nothing is written and
//! the change is done again from what is read under a lock.
//!
//! Only for changes that ask nothing about holds, quotes or approvals: they change without a new version of the deal.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use lru::LruCache;

use super::Target;
use crate::auth::Scope;
use crate::deals::store::table::OnTable;
use crate::kernel::id::DealId;

/// So many deals are remembered; about 3 KB each. A store has a few dozen on its tables.
const MOST: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// The deals written last. Clones share.
#[derive(Debug, Clone)]
pub(super) struct Written(Arc<Mutex<LruCache<DealId, Arc<OnTable>>>>);

impl Default for Written {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(MOST))))
    }
}

impl Written {
    /// The deal at the version the tablet names, if this server wrote that one today and the scope sees it.
    pub(super) fn find(&self, scope: &Scope, target: &Target, now: DateTime<Utc>) -> Option<Arc<OnTable>> {
        let known = Arc::clone(self.deals().get(&target.deal_id)?);
        let fits = known.deal.version == target.expected_version && known.today_ends > now && scope.contains(known.deal.store_id);
        fits.then_some(known)
    }

    /// Remembers a deal as it was just written.
    pub(super) fn keep(&self, written: OnTable) {
        self.deals().put(written.deal.id, Arc::new(written));
    }

    fn deals(&self) -> MutexGuard<'_, LruCache<DealId, Arc<OnTable>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
