//! The use cases: import a feed, release or discard a held one, read reports.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use chrono::NaiveDate;
use futures::TryStreamExt;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::copy::{self, Encoder};
use super::store::{self, Counts, Limits, ReportHeads};
use super::{FeedImport, FeedImportStatus, FeedReportLine, FeedSource, ImportError, Progress};
use crate::auth::Scope;
use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, DbError, Tx};
use crate::dealers::StoreInfo;
use crate::inventory::feed::layout::Mapping;
use crate::inventory::feed::{self, FeedError, FeedSummary};
use crate::inventory::service::Inventory;
use crate::kernel::id::{FeedImportId, UserId};
use crate::kernel::text;

/// COPY text per message, and messages on their way: together the memory of an import.
const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 8;
/// Up to this many changed vehicles each gets a notice; beyond, the import itself is the notice.
const NOTICES_MAX: i64 = 500;

impl Inventory {
    /// Imports a feed into a store. `each` gets every line of the report before the import commits. Nothing of a file that
    /// fails halfway is seen by anybody; the failure is recorded.
    ///
    /// The caller has checked that `by` may deliver feeds to this store.
    pub async fn import(
        &self,
        shop: &StoreInfo,
        source: FeedSource,
        by: By,
        each: impl FnMut(&FeedReportLine) + Send,
    ) -> Result<FeedImport, ImportError> {
        let (name, dry_run) = (text::excerpt(&source.name, 200), source.dry_run);
        match self.run_import(shop, source, by.clone(), &name, each).await {
            Err(ImportError::Feed(error)) => {
                if !dry_run {
                    self.record_failure(shop, by, &name, &error).await?;
                }
                Err(ImportError::Feed(error))
            }
            other => other,
        }
    }

    async fn run_import(
        &self,
        shop: &StoreInfo,
        source: FeedSource,
        by: By,
        name: &str,
        mut each: impl FnMut(&FeedReportLine) + Send,
    ) -> Result<FeedImport, ImportError> {
        let id: FeedImportId = self.db.new_id();
        let dry_run = source.dry_run;
        let mut tx = self.db.begin(by).await?;
        let (now, user) = (tx.now(), tx.by().user_id);
        store::allow_time(tx.conn()).await?;
        store::insert(tx.conn(), id, shop.id, name, user, now).await?;
        let hash = Arc::new(Mutex::new(Sha256::new()));
        let encoder = Encoder::new(id.0, now, shop.currency.as_str());
        let (summary, digest) = stage(&mut tx, source, encoder, shop.day(now), hash).await?;
        store::lock_lot(tx.conn(), shop.id).await?;
        store::refuse_repeated_vins(tx.conn(), id, &summary.vin_head).await?;
        let limits = Limits { feed_drop: shop.feed_drop_limit_percent, price_drop: shop.price_drop_limit_percent };
        store::compare(tx.conn(), id, shop.id, &limits).await?;
        let mut counts = store::count(tx.conn(), id, shop.id).await?;
        let held = held_reason(&counts, &limits);
        let heads = ReportHeads { vin: &summary.vin_head, stock_number: &summary.stock_number_head };
        store::write_reports(tx.conn(), id, shop.id, &limits, &heads).await?;
        counts.warnings = store::count_warnings(tx.conn(), id).await?;
        let status = match &held {
            Some(_) => FeedImportStatus::Held,
            None => store::merge(tx.conn(), id, shop.id, now, counts).await?,
        };
        let import = store::finish(
            tx.conn(),
            id,
            status,
            held.as_deref(),
            summary.layout,
            Some(digest.as_slice()),
            &counts,
            i32_of(summary.rows),
            Some(&summary.unread),
            now,
        )
        .await?;
        {
            let mut lines = store::report(tx.conn(), id);
            while let Some(line) = lines.try_next().await.map_err(DbError::from)? {
                each(&line);
            }
        }
        if dry_run {
            return Ok(import);
        }
        if status != FeedImportStatus::Held {
            store::clear_stage(tx.conn(), id).await?;
        }
        announce(&mut tx, &import).await?;
        tx.commit().await?;
        Ok(import)
    }

    async fn record_failure(&self, shop: &StoreInfo, by: By, name: &str, error: &FeedError) -> Result<(), ImportError> {
        let id: FeedImportId = self.db.new_id();
        let mut tx = self.db.begin(by).await?;
        let (now, user) = (tx.now(), tx.by().user_id);
        store::insert(tx.conn(), id, shop.id, name, user, now).await?;
        let reason = text::excerpt(&error.to_string(), 500);
        let counts = Counts::default();
        let import = store::finish(tx.conn(), id, FeedImportStatus::Failed, Some(&reason), None, None, &counts, 0, None, now).await?;
        announce(&mut tx, &import).await?;
        Ok(tx.commit().await?)
    }

    /// Applies a held import after all. For managers of its store.
    pub async fn release_import(
        &self,
        scope: &Scope,
        id: FeedImportId,
        shop: impl Fn(crate::kernel::id::StoreId) -> Option<Arc<StoreInfo>>,
        by: By,
    ) -> Result<FeedImport, ImportError> {
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        store::allow_time(tx.conn()).await?;
        let held = self.held(&mut tx, scope, id).await?;
        let shop = shop(held.store_id).ok_or(ImportError::NotFound)?;
        store::lock_lot(tx.conn(), shop.id).await?;
        if store::newer_landed(tx.conn(), shop.id, held.started_at).await? {
            return Err(ImportError::Superseded);
        }
        let limits = Limits { feed_drop: shop.feed_drop_limit_percent, price_drop: shop.price_drop_limit_percent };
        // The lot may have changed while the rows waited.
        store::compare(tx.conn(), id, shop.id, &limits).await?;
        let mut counts = store::count(tx.conn(), id, shop.id).await?;
        counts.warnings = i64::from(held.warnings);
        let status = store::merge(tx.conn(), id, shop.id, now, counts).await?;
        store::clear_stage(tx.conn(), id).await?;
        let digest = None;
        store::finish(tx.conn(), id, status, None, None, digest, &counts, held.rows_read, None, now).await?;
        let import = self.decided(&mut tx, id).await?;
        announce(&mut tx, &import).await?;
        tx.commit().await?;
        Ok(import)
    }

    /// Throws a held import away. For managers of its store.
    pub async fn discard_import(&self, scope: &Scope, id: FeedImportId, by: By) -> Result<FeedImport, ImportError> {
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        self.held(&mut tx, scope, id).await?;
        store::clear_stage(tx.conn(), id).await?;
        store::discard(tx.conn(), id, now).await?;
        let import = self.decided(&mut tx, id).await?;
        announce(&mut tx, &import).await?;
        tx.commit().await?;
        Ok(import)
    }

    async fn held(&self, tx: &mut Tx, scope: &Scope, id: FeedImportId) -> Result<FeedImport, ImportError> {
        let import = store::lock(tx.conn(), scope, id).await?.ok_or(ImportError::NotFound)?;
        if import.status == FeedImportStatus::Held { Ok(import) } else { Err(ImportError::NotHeld) }
    }

    async fn decided(&self, tx: &mut Tx, id: FeedImportId) -> Result<FeedImport, ImportError> {
        let user = tx.by().user_id.map(UserId);
        store::set_decided(tx.conn(), id, user).await?.ok_or(ImportError::NotFound)
    }

    /// Imports of the scope's stores, newest first, after the given one.
    pub async fn imports(
        &self,
        scope: &Scope,
        statuses: &[FeedImportStatus],
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<FeedImport>, DbError> {
        store::list(&mut *self.db.read().await?, scope, statuses, after, limit).await
    }

    /// One import.
    pub async fn find_import(&self, scope: &Scope, id: FeedImportId) -> Result<Option<FeedImport>, DbError> {
        store::find(&mut *self.db.read().await?, scope, id).await
    }

    /// A page of an import's report, in file order.
    pub async fn import_report(&self, id: FeedImportId, after: Option<i64>, limit: i64) -> Result<Vec<FeedReportLine>, DbError> {
        store::report_page(&mut *self.db.read().await?, id, after, limit).await
    }
}

/// Reads the source in a blocking task and copies its rows into the stage.
async fn stage(
    tx: &mut Tx,
    source: FeedSource,
    encoder: Encoder,
    today: NaiveDate,
    hash: Arc<Mutex<Sha256>>,
) -> Result<(FeedSummary, [u8; 32]), ImportError> {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(CHUNKS);
    let FeedSource { reader, mapping, progress, .. } = source;
    let watched = Watched { inner: reader, hash: Arc::clone(&hash), progress: Arc::clone(&progress) };
    let parsing = tokio::task::spawn_blocking(move || parse(watched, mapping.as_ref(), today, encoder, &sender, &progress));
    let mut copying = tx.conn().copy_in_raw(copy::STATEMENT).await.map_err(DbError::from)?;
    while let Some(chunk) = receiver.recv().await {
        copying.send(chunk).await.map_err(DbError::from)?;
    }
    let summary = match parsing.await {
        Ok(Ok(summary)) => summary,
        Ok(Err(error)) => {
            copying.abort("the feed could not be read").await.map_err(DbError::from)?;
            return Err(ImportError::Feed(error));
        }
        Err(_) => {
            copying.abort("the reader failed").await.map_err(DbError::from)?;
            return Err(ImportError::Reader);
        }
    };
    copying.finish().await.map_err(DbError::from)?;
    let digest = hash.lock().map_or([0; 32], |h| h.clone().finalize().into());
    Ok((summary, digest))
}

fn parse(
    reader: Watched,
    mapping: Option<&Mapping>,
    today: NaiveDate,
    mut encoder: Encoder,
    sender: &mpsc::Sender<Vec<u8>>,
    progress: &Progress,
) -> Result<FeedSummary, FeedError> {
    let summary = feed::read(reader, mapping, today, |line, outcome| {
        encoder.push(line, &outcome);
        progress.rows.fetch_add(1, Ordering::Relaxed);
        // A closed channel means that the other side gave up; its error is the one to tell.
        if encoder.len() >= CHUNK && sender.blocking_send(encoder.take()).is_err() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let _ = sender.blocking_send(encoder.take());
    Ok(summary)
}

/// Counts and hashes what passes.
struct Watched {
    inner: Box<dyn Read + Send>,
    hash: Arc<Mutex<Sha256>>,
    progress: Arc<Progress>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Ok(mut hash) = self.hash.lock() {
            hash.update(buffer.get(..read).unwrap_or(&[]));
        }
        self.progress.bytes.fetch_add(u64::try_from(read).unwrap_or(0), Ordering::Relaxed);
        Ok(read)
    }
}

/// Whether a manager has to look: no good row at all, or too many vehicles of the lot not named. One missing vehicle never
/// holds a feed, or the smallest lots would always be held.
fn held_reason(counts: &Counts, limits: &Limits) -> Option<String> {
    let Counts { available, gone, .. } = *counts;
    if counts.landing() == 0 && available > 0 {
        return Some(format!("The feed has no usable row; all {available} available vehicles would be flagged as missing."));
    }
    let share = rust_decimal::Decimal::from(gone).saturating_mul(rust_decimal::Decimal::ONE_HUNDRED);
    let limit = limits.feed_drop.saturating_mul(rust_decimal::Decimal::from(available));
    (gone > 1 && share > limit).then(|| {
        format!("The feed does not name {gone} of {available} available vehicles; the store's limit is {} %.", limits.feed_drop.normalize())
    })
}

async fn announce(tx: &mut Tx, import: &FeedImport) -> Result<(), ImportError> {
    let changed = i64::from(import.created) + i64::from(import.updated) + i64::from(import.missing);
    let landed = import.status == FeedImportStatus::Landed;
    if landed && changed <= NOTICES_MAX {
        let now = tx.now();
        store::notify_vehicles(tx.conn(), import.id, now).await?;
    }
    tx.notify(import.store_id.0, Subject::FeedImport, import.id.0, 0);
    tx.audit(AuditEvent {
        store_id: Some(import.store_id.0),
        subject: Subject::FeedImport,
        subject_id: import.id.0,
        verb: match import.status {
            FeedImportStatus::Held => "held",
            FeedImportStatus::Discarded => "discarded",
            FeedImportStatus::Failed => "failed",
            _ => "imported",
        },
        detail: json!({
            "rows": import.rows_read, "created": import.created, "updated": import.updated, "unchanged": import.unchanged,
            "refused": import.refused, "missing": import.missing, "warnings": import.warnings,
        }),
    });
    Ok(())
}

fn i32_of(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    #[test]
    fn a_shrinking_feed_is_held_beyond_the_limit() {
        let limits = Limits { feed_drop: Decimal::from(20), price_drop: Decimal::from(40) };
        let reason = |available, gone, created| held_reason(&Counts { created, available, gone, ..Counts::default() }, &limits);
        assert!(reason(100, 20, 5).is_none());
        assert!(reason(100, 21, 5).is_some());
        assert!(reason(100, 0, 0).is_some());
        assert!(reason(0, 0, 0).is_none());
        assert!(reason(3, 1, 2).is_none());
    }
}
