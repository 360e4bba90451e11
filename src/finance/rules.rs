//! The rule book: every dated row in memory, as one immutable snapshot; and the service that keeps it fresh.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::NaiveDate;
use tokio::sync::broadcast::error::RecvError;

use crate::db::notices::{Notices, Signal};
use crate::db::{Db, DbError};
use crate::insurance::InsuranceBook;
use crate::kernel::id::{GroupId, ProductId, ProgramId, StoreId};

use super::approval::ApprovalRule;
use super::delivery::{DeliveryLaw, DeliveryRight};
use super::error::FinanceError;
use super::product::{Product, ProductRows};
use super::program::{GuideValue, MarkupLaw, Program};
use super::quote::FeeRule;
use super::store;
use super::tax::TaxRule;

/// A place with taxes of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jurisdiction {
    /// `TX`, `FL-MIAMI-DADE`.
    pub code: String,
    /// Two letters.
    pub state: String,
    /// What people call it.
    pub name: String,
}

/// Everything the database holds on rules.
#[derive(Debug, Default)]
pub struct RuleRows {
    /// Jurisdictions.
    pub jurisdictions: Vec<Jurisdiction>,
    /// ZIP prefixes and their jurisdictions.
    pub postal: Vec<(String, String)>,
    /// Tax rules.
    pub tax_rules: Vec<TaxRule>,
    /// Fees.
    pub fees: Vec<FeeRule>,
    /// What states let dealers add to a lender's rate.
    pub markup_laws: Vec<MarkupLaw>,
    /// What guide books say vehicles are worth.
    pub guide_values: Vec<GuideValue>,
    /// Programs with the group of their lender.
    pub programs: Vec<(GroupId, Program)>,
    /// Products.
    pub products: Vec<Product>,
    /// Their rate sheets, and the law on them.
    pub product_rows: ProductRows,
    /// Insurers and their rows.
    pub insurance: InsuranceBook,
    /// What a salesperson may not decide alone.
    pub approval_rules: Vec<ApprovalRule>,
    /// The last days that follow a sale.
    pub delivery_laws: Vec<DeliveryLaw>,
}

/// One consistent view of all rules.
#[derive(Debug, Default)]
pub struct RuleBook {
    jurisdictions: HashMap<String, Arc<Jurisdiction>>,
    postal: HashMap<String, String>,
    tax_rules: HashMap<String, Vec<Arc<TaxRule>>>,
    place_fees: HashMap<String, Vec<Arc<FeeRule>>>,
    store_fees: HashMap<StoreId, Vec<Arc<FeeRule>>>,
    markup_laws: HashMap<String, Vec<Arc<MarkupLaw>>>,
    guide_values: HashMap<(GroupId, String), Vec<GuideValue>>,
    programs: HashMap<GroupId, Vec<Arc<Program>>>,
    program_by_id: HashMap<ProgramId, Arc<Program>>,
    products: HashMap<GroupId, Vec<Arc<Product>>>,
    product_by_id: HashMap<ProductId, Arc<Product>>,
    product_rows: ProductRows,
    insurance: InsuranceBook,
    approval_rules: HashMap<GroupId, Vec<Arc<ApprovalRule>>>,
    delivery_laws: Vec<DeliveryLaw>,
}

fn holds(from: Option<NaiveDate>, to: Option<NaiveDate>, on: NaiveDate) -> bool {
    from.is_none_or(|from| from <= on) && to.is_none_or(|to| on < to)
}

impl RuleBook {
    /// Sorts rows into a book.
    pub fn new(rows: RuleRows) -> Self {
        let mut book =
            Self { insurance: rows.insurance, product_rows: rows.product_rows, delivery_laws: rows.delivery_laws, ..Self::default() };
        book.jurisdictions = rows.jurisdictions.into_iter().map(|j| (j.code.clone(), Arc::new(j))).collect();
        book.postal = rows.postal.into_iter().collect();
        for rule in rows.tax_rules {
            book.tax_rules.entry(rule.jurisdiction.clone()).or_default().push(Arc::new(rule));
        }
        for fee in rows.fees.into_iter().map(Arc::new) {
            match (&fee.jurisdiction, fee.store_id) {
                (Some(place), _) => book.place_fees.entry(place.clone()).or_default().push(fee),
                (None, Some(store)) => book.store_fees.entry(store).or_default().push(fee),
                (None, None) => {}
            }
        }
        for law in rows.markup_laws {
            book.markup_laws.entry(law.state.clone()).or_default().push(Arc::new(law));
        }
        for value in rows.guide_values {
            book.guide_values.entry((value.group_id, value.vin.clone())).or_default().push(value);
        }
        for rule in rows.approval_rules {
            book.approval_rules.entry(rule.group_id).or_default().push(Arc::new(rule));
        }
        for (group, program) in rows.programs {
            let program = Arc::new(program);
            book.program_by_id.insert(program.id, Arc::clone(&program));
            book.programs.entry(group).or_default().push(program);
        }
        for product in rows.products.into_iter().map(Arc::new) {
            book.product_by_id.insert(product.id, Arc::clone(&product));
            book.products.entry(product.group_id).or_default().push(product);
        }
        book
    }

    /// A jurisdiction by code.
    pub fn jurisdiction(&self, code: &str) -> Option<&Arc<Jurisdiction>> {
        self.jurisdictions.get(code)
    }

    /// The jurisdiction of an address: the longest ZIP prefix on file for the state, else the state itself.
    pub fn jurisdiction_at(&self, state: &str, postal_code: &str) -> Option<&Arc<Jurisdiction>> {
        let digits: Vec<char> = postal_code.chars().take(10).collect();
        let by_prefix = (1..=digits.len()).rev().find_map(|length| {
            let prefix: String = digits.iter().take(length).collect();
            self.jurisdictions.get(self.postal.get(&prefix)?).filter(|j| j.state == state)
        });
        by_prefix.or_else(|| self.jurisdictions.get(state))
    }

    /// The state of a jurisdiction.
    pub fn state_of(&self, jurisdiction: &str) -> Result<&str, FinanceError> {
        self.jurisdiction(jurisdiction).map(|j| j.state.as_str()).ok_or_else(|| FinanceError::UnknownJurisdiction(jurisdiction.to_owned()))
    }

    /// The tax rule of a place on a day; its state's where the place has none of its own.
    pub fn tax_rule(&self, jurisdiction: &str, on: NaiveDate) -> Result<&Arc<TaxRule>, FinanceError> {
        let state = self.state_of(jurisdiction)?;
        let of = |code: &str| self.tax_rules.get(code)?.iter().find(|r| holds(r.effective_from, r.effective_to, on));
        of(jurisdiction).or_else(|| of(state)).ok_or_else(|| FinanceError::NoTaxRule { jurisdiction: jurisdiction.to_owned(), day: on })
    }

    /// All tax rules, by jurisdiction and day.
    pub fn tax_rules(&self) -> Vec<&Arc<TaxRule>> {
        let mut rules: Vec<_> = self.tax_rules.values().flatten().collect();
        rules.sort_by(|a, b| (&a.jurisdiction, a.effective_from).cmp(&(&b.jurisdiction, b.effective_from)));
        rules
    }

    /// The store's own fees and the fees of the place and its state on a day.
    pub fn fees(&self, jurisdiction: &str, store: StoreId, on: NaiveDate) -> impl Iterator<Item = &Arc<FeeRule>> {
        let state = self.jurisdiction(jurisdiction).map(|j| j.state.as_str()).filter(|state| *state != jurisdiction);
        let own = self.store_fees.get(&store).into_iter().flatten();
        let place = self.place_fees.get(jurisdiction).into_iter().flatten();
        let whole_state = state.and_then(|s| self.place_fees.get(s)).into_iter().flatten();
        own.chain(place).chain(whole_state).filter(move |f| holds(f.effective_from, f.effective_to, on))
    }

    /// What a state lets dealers add to a lender's rate on a day.
    pub fn markup_laws(&self, state: &str, on: NaiveDate) -> impl Iterator<Item = &Arc<MarkupLaw>> {
        self.markup_laws.get(state).into_iter().flatten().filter(move |law| holds(law.effective_from, law.effective_to, on))
    }

    /// What a guide book says a vehicle is worth on a day.
    pub fn guide_value(&self, group: GroupId, vin: &str, on: NaiveDate) -> Option<&GuideValue> {
        let values = self.guide_values.get(&(group, vin.to_owned()))?;
        values.iter().find(|value| holds(value.effective_from, value.effective_to, on))
    }

    /// The programs of a group's lenders on a day.
    pub fn programs(&self, group: GroupId, on: NaiveDate) -> impl Iterator<Item = &Arc<Program>> {
        self.programs.get(&group).into_iter().flatten().filter(move |p| holds(p.effective_from, p.effective_to, on))
    }

    /// A program by id, also one that has ended.
    pub fn program(&self, id: ProgramId) -> Option<&Arc<Program>> {
        self.program_by_id.get(&id)
    }

    /// The credit tiers a group's programs are priced for, best first as the rate sheets list them.
    pub fn credit_tiers(&self, group: GroupId, on: NaiveDate) -> Vec<String> {
        let mut tiers: Vec<(Option<u16>, String)> = Vec::new();
        for program in self.programs(group, on) {
            if !tiers.iter().any(|(_, tier)| *tier == program.credit_tier) {
                tiers.push((program.score_min, program.credit_tier.clone()));
            }
        }
        tiers.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        tiers.into_iter().map(|(_, tier)| tier).collect()
    }

    /// The products a group sells on a day.
    pub fn products(&self, group: GroupId, on: NaiveDate) -> impl Iterator<Item = &Arc<Product>> {
        self.products.get(&group).into_iter().flatten().filter(move |p| holds(p.effective_from, p.effective_to, on))
    }

    /// A product by id, also one that is no longer sold.
    pub fn product(&self, id: ProductId) -> Option<&Arc<Product>> {
        self.product_by_id.get(&id)
    }

    /// The rate sheets of products, and the law on them.
    pub fn product_rows(&self) -> &ProductRows {
        &self.product_rows
    }

    /// What a salesperson of a store may not decide alone on a day. A store's own row stands in for its group's.
    pub fn approval_rules(&self, group: GroupId, store: StoreId, on: NaiveDate) -> impl Iterator<Item = &Arc<ApprovalRule>> {
        let rules = self.approval_rules.get(&group).map(Vec::as_slice).unwrap_or_default();
        let today = move |rule: &&Arc<ApprovalRule>| holds(rule.effective_from, rule.effective_to, on);
        rules.iter().filter(today).filter(move |rule| match rule.store_id {
            Some(own) => own == store,
            None => !rules.iter().filter(today).any(|other| other.store_id == Some(store) && other.kind == rule.kind),
        })
    }

    /// The right to take a sale back that a state's law gives on a day, if any.
    pub fn delivery_law(&self, state: &str, kind: DeliveryRight, on: NaiveDate) -> Option<&DeliveryLaw> {
        let laws = self.delivery_laws.iter().filter(|law| law.state == state && law.kind == kind);
        laws.into_iter().find(|law| holds(law.effective_from, law.effective_to, on))
    }

    /// Insurers, their rates and the states' minimums.
    pub fn insurance(&self) -> &InsuranceBook {
        &self.insurance
    }
}

/// Holds the present [`RuleBook`] and swaps it when the database announces a change. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rules {
    db: Db,
    book: Arc<RwLock<Arc<RuleBook>>>,
    /// Held while the rules are read and swapped.
    reading: Arc<tokio::sync::Mutex<()>>,
}

impl Rules {
    /// Reads the rules and keeps them fresh in a background task, which ends with the runtime.
    pub async fn start(db: Db, notices: &Notices) -> Result<Self, DbError> {
        let rules = Self { db, book: Arc::default(), reading: Arc::default() };
        // Listen before reading: a change in between is heard.
        let mut signals = notices.subscribe();
        rules.reload().await?;
        let background = rules.clone();
        tokio::spawn(async move {
            loop {
                let stale = match signals.recv().await {
                    Ok(Signal::Rules(_) | Signal::Resync) | Err(RecvError::Lagged(_)) => true,
                    Ok(Signal::Changed(_)) => false,
                    Err(RecvError::Closed) => return,
                };
                if !stale {
                    continue;
                }
                // An import changes many rows: read once after the last of a burst.
                while let Ok(signal) = tokio::time::timeout(Duration::from_millis(20), signals.recv()).await {
                    if matches!(signal, Err(RecvError::Closed)) {
                        return;
                    }
                    if matches!(signal, Ok(Signal::Changed(_))) {
                        break;
                    }
                }
                while let Err(error) = background.reload().await {
                    if background.db.is_closed() {
                        return;
                    }
                    tracing::warn!(error = &error as &dyn std::error::Error, "rules could not be read again; the older ones stay");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        });
        Ok(rules)
    }

    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    /// The present view. Take it once per calculation, so that all its figures come from one book.
    pub fn book(&self) -> Arc<RuleBook> {
        Arc::clone(&self.book.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the rules now. Done by itself when the database announces a change.
    pub async fn reload(&self) -> Result<(), DbError> {
        // One after the other: of two that overlap, the one that read earlier must not be kept last.
        let _turn = self.reading.lock().await;
        let mut conn = self.db.read().await?;
        let fresh = Arc::new(RuleBook::new(store::all(&mut conn).await?));
        *self.book.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}
