//! The stores in memory, and opening groups and stores.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use tokio::sync::broadcast::error::RecvError;

use super::model::{NewStore, StoreInfo};
use super::store;
use crate::db::notices::{Notices, Signal};
use crate::db::{By, ConstraintExt, Db, DbError};
use crate::kernel::id::{GroupId, StoreId};

/// Why a group or store was not made.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The code has other characters than `a-z`, `0-9` and `-`, or is too short or long.
    #[error("a store code has 2 to 32 characters of a-z, 0-9 and -")]
    BadCode,
    /// The code is in use.
    #[error("this code is taken")]
    CodeTaken,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// One consistent view of all stores.
#[derive(Debug, Default)]
pub struct Stores {
    by_id: HashMap<StoreId, Arc<StoreInfo>>,
    by_code: HashMap<String, Arc<StoreInfo>>,
}

impl Stores {
    fn new(stores: Vec<StoreInfo>) -> Self {
        let stores: Vec<_> = stores.into_iter().map(Arc::new).collect();
        Self {
            by_id: stores.iter().map(|s| (s.id, Arc::clone(s))).collect(),
            by_code: stores.into_iter().map(|s| (s.code.clone(), s)).collect(),
        }
    }

    /// By id.
    pub fn get(&self, id: StoreId) -> Option<&Arc<StoreInfo>> {
        self.by_id.get(&id)
    }

    /// By code.
    pub fn by_code(&self, code: &str) -> Option<&Arc<StoreInfo>> {
        self.by_code.get(code)
    }

    /// Every store, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<StoreInfo>> {
        self.by_id.values()
    }
}

/// Groups and stores. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Dealers {
    db: Db,
    stores: Arc<RwLock<Arc<Stores>>>,
}

impl Dealers {
    /// Reads the stores and keeps them up to date as the database announces changes.
    pub async fn start(db: Db, notices: &Notices) -> Result<Self, DbError> {
        let dealers = Self { db, stores: Arc::default() };
        let mut signals = notices.subscribe();
        dealers.reload().await?;
        let background = dealers.clone();
        tokio::spawn(async move {
            loop {
                let stale = match signals.recv().await {
                    Ok(Signal::Rules(table)) => table == "store",
                    Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => true,
                    Ok(Signal::Changed(_)) => false,
                    Err(RecvError::Closed) => return,
                };
                if stale
                    && let Err(error) = background.reload().await
                    && !background.db.is_closed()
                {
                    tracing::warn!(error = &error as &dyn std::error::Error, "stores could not be read again; the older ones stay");
                }
            }
        });
        Ok(dealers)
    }

    /// The present view.
    pub fn stores(&self) -> Arc<Stores> {
        self.stores.read().map(|guard| Arc::clone(&guard)).unwrap_or_default()
    }

    /// One store by id.
    pub fn store(&self, id: StoreId) -> Option<Arc<StoreInfo>> {
        self.stores().get(id).cloned()
    }

    /// The day at a store at a moment; in UTC for a store that does not exist.
    pub fn day(&self, store: StoreId, at: DateTime<Utc>) -> NaiveDate {
        self.store(store).map_or_else(|| at.date_naive(), |store| store.day(at))
    }

    /// The day at a store now.
    pub fn today(&self, store: StoreId) -> NaiveDate {
        self.day(store, self.db.now())
    }

    /// One store by code.
    pub fn store_by_code(&self, code: &str) -> Option<Arc<StoreInfo>> {
        self.stores().by_code(code).cloned()
    }

    /// Reads the stores now. Done by itself when the database announces a change.
    pub async fn reload(&self) -> Result<(), DbError> {
        let mut conn = self.db.read().await?;
        let fresh = Arc::new(Stores::new(store::all(&mut conn).await?));
        if let Ok(mut slot) = self.stores.write() {
            *slot = fresh;
        }
        Ok(())
    }

    /// Opens a dealer group. For the command line and the demo.
    pub async fn create_group(&self, code: &str, name: &str) -> Result<GroupId, StoreError> {
        let id: GroupId = self.db.new_id();
        let mut tx = self.db.begin(By::system()).await?;
        let now = tx.now();
        store::insert_group(tx.conn(), id, code, name, now).await.on_constraint("dealer_group_code_key", |_| StoreError::CodeTaken)?;
        tx.commit().await?;
        Ok(id)
    }

    /// Opens a store. For the command line and the demo.
    pub async fn create_store(&self, group: GroupId, new: &NewStore) -> Result<StoreId, StoreError> {
        if !new.code_is_valid() {
            return Err(StoreError::BadCode);
        }
        let id: StoreId = self.db.new_id();
        let mut tx = self.db.begin(By::system()).await?;
        let now = tx.now();
        store::insert_store(tx.conn(), id, group, new, now).await.on_constraint("store_code_key", |_| StoreError::CodeTaken)?;
        tx.commit().await?;
        self.reload().await?;
        Ok(id)
    }

    /// Sets the days from the signature in which the store's contract lets it call off a delivery no lender has paid (1 to 60); none:
    /// the law alone.
    pub async fn set_spot_days(&self, id: StoreId, days: Option<i32>) -> Result<(), StoreError> {
        let mut tx = self.db.begin(By::system()).await?;
        store::set_spot_days(tx.conn(), id, days).await?;
        tx.commit().await?;
        self.reload().await?;
        Ok(())
    }

    /// Sets the shares (percent) beyond which a feed or a price fall is held back.
    pub async fn set_feed_limits(&self, id: StoreId, feed_drop: Decimal, price_drop: Decimal) -> Result<(), StoreError> {
        let mut tx = self.db.begin(By::system()).await?;
        store::set_feed_limits(tx.conn(), id, feed_drop, price_drop).await?;
        tx.commit().await?;
        self.reload().await?;
        Ok(())
    }
}
