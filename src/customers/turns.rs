//! Turns: one person who arrives many times at once is taken in one after the other.
//!
//! The advisory lock in the database keeps two transactions from making one person twice. But whoever waits there holds a
//! connection, and fifty leads of one person would hold all of them while the rest of the store waits. Here they wait before
//! they take one. What arrives at another server still meets at the advisory lock.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

use crate::db::DbError;

/// Two people who share a slot wait for each other in vain; that costs a few milliseconds, a lock per person would cost a map.
const SLOTS: i64 = 1024;

/// The slots. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub(super) struct Turns(Arc<[Arc<Mutex<()>>]>);

/// While it lives, no other request of this server takes in somebody with one of the same contact details.
#[derive(Debug)]
#[must_use = "the turn ends when this is dropped"]
pub struct Turn {
    _slots: Vec<OwnedMutexGuard<()>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self((0..SLOTS).map(|_| Arc::default()).collect())
    }
}

impl Turns {
    /// Waits for the slots of these keys, in order, so that two requests do not wait for each other crosswise.
    pub(super) async fn wait(&self, keys: impl IntoIterator<Item = i64>, patience: Duration) -> Result<Turn, DbError> {
        let places: BTreeSet<i64> = keys.into_iter().map(|key| key.rem_euclid(SLOTS)).collect();
        let mutexes = places.iter().filter_map(|place| self.0.get(usize::try_from(*place).ok()?)).cloned();
        let all = async {
            let mut slots = Vec::new();
            for mutex in mutexes {
                slots.push(mutex.lock_owned().await);
            }
            slots
        };
        match timeout(patience, all).await {
            Ok(slots) => Ok(Turn { _slots: slots }),
            Err(_) => Err(DbError::Unavailable(sqlx::Error::PoolTimedOut)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn who_shares_a_detail_waits_and_others_do_not() {
        let turns = Turns::default();
        let first = turns.wait([7, -3], SOON).await.unwrap();
        assert!(matches!(turns.clone().wait([1, 7], SOON).await, Err(DbError::Unavailable(_))));
        assert!(turns.wait([SLOTS - 3], SOON).await.is_err(), "the slot of -3");
        let _other = turns.wait([1, 2], SOON).await.unwrap();
        drop(first);
        let _again = turns.wait([7, -3], SOON).await.unwrap();
    }

    #[tokio::test]
    async fn crossed_keys_do_not_lock_each_other_out() {
        let turns = Turns::default();
        let run = |keys: [i64; 2]| {
            let turns = turns.clone();
            async move {
                for _ in 0..200 {
                    let _turn = turns.wait(keys, Duration::from_mins(1)).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::join!(run([1, 2]), run([2, 1]), run([2, 2]));
    }
}
