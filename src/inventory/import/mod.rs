//! Importing a feed: the whole file in one transaction, or nothing of it.
//!
//! 1. A blocking task reads and parses ([`super::feed`]) and hands COPY text through a bounded channel, so that memory does
//!    not grow with the file.
//! 2. The rows are staged, and one set-based merge compares them with the lot by VIN: new vehicles are created, changed ones
//!    updated, unchanged ones not touched, absent ones flagged as missing.
//! 3. A merge that would flag more of the lot than the store allows (or a feed without a single good row) is held: the rows
//!    stay staged until a manager releases or discards them.
//!
//! One merge per store at a time (advisory lock). The report, the price history, the audit line and the change notices
//! commit with the merge.

mod copy;
mod service;
mod store;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};

use super::feed::FeedError;
use super::feed::layout::Mapping;
use crate::db::DbError;
use crate::kernel::id::{FeedImportId, StoreId, UserId};

crate::text_enum! {
    /// How a feed import ended.
    pub enum FeedImportStatus {
        /// Being read. Never seen: an import is one transaction.
        Running = "RUNNING",
        /// The lot was changed.
        Landed = "LANDED",
        /// The lot already was what the feed says.
        Unchanged = "UNCHANGED",
        /// A manager has to release or discard it; the lot was not touched.
        Held = "HELD",
        /// A manager decided against it.
        Discarded = "DISCARDED",
        /// The file could not be read; the lot was not touched.
        Failed = "FAILED",
    }
}

crate::text_enum! {
    /// How serious a line of the report is.
    pub enum FeedReportSeverity {
        /// The row did not land.
        Refused = "REFUSED",
        /// The row landed, but somebody should look.
        Warning = "WARNING",
    }
}

/// One import and its counts. `created + updated + unchanged + refused` is `rows_read`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedImport {
    /// Its id.
    pub id: FeedImportId,
    /// The store.
    pub store_id: StoreId,
    /// The file's name, or `-`.
    pub source_name: String,
    /// The layout it was read as; none for an empty file.
    pub layout: Option<String>,
    /// How it ended.
    pub status: FeedImportStatus,
    /// Why it is held, or why it failed.
    pub held_reason: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Who sent it; none for the command line.
    pub started_by: Option<UserId>,
    /// Who released or discarded it.
    pub decided_by: Option<UserId>,
    /// Rows in the file.
    pub rows_read: i32,
    /// Vehicles that are new on the lot.
    pub created: i32,
    /// Vehicles that changed.
    pub updated: i32,
    /// Rows that say what the lot already says.
    pub unchanged: i32,
    /// Rows that did not land.
    pub refused: i32,
    /// Vehicles newly flagged as missing from the feed.
    pub missing: i32,
    /// Lines of the report about rows that landed.
    pub warnings: i32,
    /// Heads of columns that held something and were not read as any fact.
    pub unread_columns: Vec<String>,
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedReportLine {
    /// Its place in the report.
    #[serde(skip)]
    pub id: i64,
    /// The line in the file, from 1.
    pub line: i32,
    /// The column's head; empty when the whole row is meant.
    pub column: String,
    /// The beginning of what was there.
    pub value: String,
    /// Refused or warned.
    pub severity: FeedReportSeverity,
    /// A stable code.
    pub code: String,
    /// For the person who reads it.
    pub reason: String,
}

/// How far a running import has come.
#[derive(Debug, Default)]
pub struct Progress {
    rows: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Rows parsed.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Bytes read from the source, as sent (packed).
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// A feed to import.
pub struct FeedSource {
    /// The bytes, read in a blocking task.
    pub reader: Box<dyn Read + Send>,
    /// The file's name for the record.
    pub name: String,
    /// How to read it, where it is not recognised.
    pub mapping: Option<Mapping>,
    /// Report only; nothing is kept.
    pub dry_run: bool,
    /// Watched by the progress bar.
    pub progress: Arc<Progress>,
}

impl FeedSource {
    /// A feed to be recognised and kept.
    pub fn new(reader: impl Read + Send + 'static, name: impl Into<String>) -> Self {
        Self { reader: Box::new(reader), name: name.into(), mapping: None, dry_run: false, progress: Arc::default() }
    }
}

impl std::fmt::Debug for FeedSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeedSource").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why an import did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read as an inventory. The lot was not touched; the failure is on record.
    #[error("{0}")]
    Feed(FeedError),
    /// No such import in the actor's stores.
    #[error("There is no such feed import in the stores you manage.")]
    NotFound,
    /// It is not (or no longer) held.
    #[error("This feed import is not waiting for a decision.")]
    NotHeld,
    /// A newer feed has landed since.
    #[error("A newer feed of this store has landed since; releasing this one would set the lot back. Discard it.")]
    Superseded,
    /// The reader died.
    #[error("the reading task failed")]
    Reader,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}
