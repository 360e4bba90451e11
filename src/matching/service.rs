//! The lots in memory and the use case: the best cars for a customer.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, RwLock};

use rust_decimal::Decimal;
use tokio::sync::Mutex;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use super::demand::{Demand, FeatureHits, Wanted};
use super::estimate::{EstimateTerms, PaymentEstimate};
use super::lot::{Lot, Names};
use super::score::{Matches, rank};
use crate::auth::Scope;
use crate::customers::{Preference, PreferenceAttribute, effective};
use crate::db::notices::{Notices, Signal, Subject};
use crate::db::{Db, DbError};
use crate::inventory::{Inventory, Vehicle};
use crate::kernel::id::{StoreId, VehicleId};
use crate::kernel::money::Cents;

/// More changed vehicles than this and the lot is read anew.
const PATCH_MAX: usize = 2000;
/// Most cars of one answer.
const TOP_MAX: usize = 100;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum MatchingError {
    /// The estimate's terms make no sense.
    #[error("the payment estimate has no sensible terms")]
    Estimate,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Finds the best cars. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Matching {
    db: Db,
    inventory: Inventory,
    defaults: EstimateTerms,
    lots: Arc<Lots>,
}

#[derive(Debug)]
struct Lots {
    memory: RwLock<Memory>,
    /// What changed since the lots were read. Taken while refreshing, so that one refresh runs at a time.
    changes: Mutex<Changes>,
}

#[derive(Debug, Default)]
struct Memory {
    names: Names,
    stores: HashMap<StoreId, Lot>,
}

#[derive(Debug)]
struct Changes {
    signals: Receiver<Signal>,
    vehicles: HashMap<StoreId, BTreeSet<VehicleId>>,
    /// Lots that must be read anew; others that are not in memory yet are read when first asked for.
    stale: HashSet<StoreId>,
}

impl Matching {
    /// Hears of changes through `notices`; lots are read when first asked for.
    pub fn new(db: Db, inventory: Inventory, notices: &Notices) -> Self {
        let changes = Changes { signals: notices.subscribe(), vehicles: HashMap::new(), stale: HashSet::new() };
        let lots = Lots { memory: RwLock::default(), changes: Mutex::new(changes) };
        let defaults = EstimateTerms { annual_rate: Decimal::new(799, 2), term_months: 72, down: Cents::ZERO, uplift_percent: 8 };
        Self { db, inventory, defaults, lots: Arc::new(lots) }
    }

    /// The best `top` cars (at most 100) in the scope's stores for these preferences of one customer. The car they chose
    /// before, if one is given, speaks where they do not.
    pub async fn best(
        &self,
        scope: &Scope,
        preferences: &[Preference],
        chosen: Option<&Vehicle>,
        top: usize,
    ) -> Result<Matches, MatchingError> {
        let now = self.db.now();
        let mut wanted: Vec<Wanted> = effective(preferences, now).into_iter().map(Wanted::from).collect();
        if let Some(chosen) = chosen {
            wanted.extend(Wanted::like(chosen, &wanted));
        }
        let estimate = PaymentEstimate::new(self.terms(&wanted)).ok_or(MatchingError::Estimate)?;
        let stores: Vec<StoreId> = scope.store_ids().iter().copied().map(StoreId).collect();
        self.refresh(&stores).await?;
        let features = self.features(&stores, &wanted).await?;
        let memory = self.lots.memory.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let demand = Demand::compile(&wanted, &memory.names, estimate, &features);
        let lots: Vec<&Lot> = stores.iter().filter_map(|store| memory.stores.get(store)).collect();
        Ok(rank(&demand, &lots, &memory.names, top.min(TOP_MAX)))
    }

    /// The estimate's terms: what the customer said about money down and months, else the defaults.
    fn terms(&self, wanted: &[Wanted]) -> EstimateTerms {
        let said = |attribute| wanted.iter().filter(|w| w.wish.attribute() == attribute).filter_map(|w| w.wish.number()).max();
        let months = said(PreferenceAttribute::TermMonths).and_then(|n| u32::try_from(n).ok());
        EstimateTerms {
            term_months: months.unwrap_or(self.defaults.term_months),
            down: said(PreferenceAttribute::DownPayment).map_or(self.defaults.down, Cents),
            ..self.defaults
        }
    }

    async fn features(&self, stores: &[StoreId], wanted: &[Wanted]) -> Result<FeatureHits, DbError> {
        let mut hits = BTreeMap::new();
        for w in wanted.iter().filter(|w| w.wish.attribute() == PreferenceAttribute::Feature).take(10) {
            let mut ids = HashSet::new();
            for store in stores {
                ids.extend(self.inventory.available_with_words(*store, w.wish.value()).await?);
            }
            hits.insert(w.wish.key(), ids);
        }
        Ok(hits)
    }

    /// Brings the lots of these stores up to what was announced so far.
    async fn refresh(&self, stores: &[StoreId]) -> Result<(), DbError> {
        let mut changes = self.lots.changes.lock().await;
        changes.hear(&self.lots.memory);
        for store in stores {
            let known = self.lots.memory.read().unwrap_or_else(std::sync::PoisonError::into_inner).stores.contains_key(store);
            let touched = changes.vehicles.get(store).cloned().unwrap_or_default();
            if !known || changes.stale.contains(store) || touched.len() > PATCH_MAX {
                let facts = self.inventory.available_facts(*store).await?;
                let mut memory = self.lots.memory.write().unwrap_or_else(std::sync::PoisonError::into_inner);
                let lot = Lot::build(&facts, &mut memory.names);
                memory.stores.insert(*store, lot);
            } else if !touched.is_empty() {
                let ids: Vec<VehicleId> = touched.iter().copied().collect();
                let facts = self.inventory.available_facts_of(*store, &ids).await?;
                let mut memory = self.lots.memory.write().unwrap_or_else(std::sync::PoisonError::into_inner);
                let Memory { names, stores: lots } = &mut *memory;
                if let Some(lot) = lots.get_mut(store) {
                    for id in &ids {
                        lot.remove(*id);
                    }
                    for facts in &facts {
                        lot.put(facts, names);
                    }
                }
            }
            // Only after the read succeeded: a failed one is tried again.
            changes.vehicles.remove(store);
            changes.stale.remove(store);
        }
        Ok(())
    }
}

impl Changes {
    /// Takes note of every signal that has arrived.
    fn hear(&mut self, memory: &RwLock<Memory>) {
        loop {
            match self.signals.try_recv() {
                Ok(Signal::Changed(notice)) if notice.subject == Subject::Vehicle => {
                    self.vehicles.entry(StoreId(notice.store_id)).or_default().insert(VehicleId(notice.subject_id));
                }
                // A feed changes many vehicles and announces itself once.
                Ok(Signal::Changed(notice)) if notice.subject == Subject::FeedImport => {
                    self.stale.insert(StoreId(notice.store_id));
                }
                Ok(Signal::Changed(_) | Signal::Rules(_)) => {}
                Ok(Signal::Resync) | Err(TryRecvError::Lagged(_)) => {
                    let memory = memory.read().unwrap_or_else(std::sync::PoisonError::into_inner);
                    self.stale.extend(memory.stores.keys().copied());
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}
