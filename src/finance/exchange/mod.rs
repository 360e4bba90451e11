//! Rules in and out as CSV: taxes, fees, programs, products, insurance. One file per table, named like it.
//!
//! Rows are dated. A row that is there is never overwritten: new figures come with a later first day (`from`), which closes
//! the row before them; so a quote can always be told which row it used. Only what a person found out about a row (its
//! source, whether it was verified, a note) may change in place, and an end (`to`) may be given to an open row. Overlapping
//! dates are refused by the database. A file with a refused row changes nothing: half a rate sheet is worse than none.

mod column;
mod plan;
mod store;
mod tables;

use std::io::Read;

use serde_json::json;

use crate::db::notices::Subject;
use crate::db::{AuditEvent, By, DbError};
use crate::kernel::id::GroupId;

use super::rules::Rules;
use column::Row;
use plan::Plan;

pub use tables::RuleTable;

/// Longest file, in rows.
pub const ROWS_MAX: usize = 20_000;

/// A cell that was not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleReportLine {
    /// Line in the file; the heading is line 1.
    pub line: u64,
    /// Which column; empty when it is about the whole row.
    pub column: String,
    /// What stood there.
    pub value: String,
    /// Why it was refused.
    pub reason: String,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleImport {
    /// Rows read.
    pub read: usize,
    /// Rows added.
    pub added: usize,
    /// Rows that ended because a later one was added, or because the file gave them an end.
    pub closed: usize,
    /// Rows whose source, verification or note changed.
    pub noted: usize,
    /// Rows that were there already.
    pub unchanged: usize,
    /// Cells that were refused. When there are any, nothing was changed.
    pub refused: Vec<RuleReportLine>,
}

/// Why a file could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Not a CSV file, or not with these columns.
    #[error("{0}")]
    File(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Rules {
    /// Takes in a CSV file. `dry_run` only reports.
    pub async fn import(
        &self,
        group: GroupId,
        table: RuleTable,
        file: impl Read,
        by: By,
        dry_run: bool,
    ) -> Result<RuleImport, ExchangeError> {
        let spec = table.spec();
        let (rows, refused) = column::read(spec, file)?;
        let mut tx = self.db().begin(by).await?;
        store::lock(tx.conn()).await?;
        let known = store::existing(tx.conn(), spec, group).await?;
        let references = store::references(tx.conn(), spec, group).await?;
        let mut plan = Plan::new(spec, known, &references, rows, refused);
        if plan.refused.is_empty() {
            store::carry_out(tx.conn(), spec, group, &plan).await?;
            let present = store::existing(tx.conn(), spec, group).await?;
            plan.refuse_missing(&present);
        }
        let import = plan.outcome();
        // What was written to find out is undone with the transaction.
        if import.refused.is_empty() && !dry_run && import.added + import.closed + import.noted > 0 {
            tx.audit(AuditEvent {
                store_id: None,
                subject: Subject::Rules,
                subject_id: group.0,
                verb: "rules_imported",
                detail: json!({ "table": table.name(), "added": import.added, "closed": import.closed, "noted": import.noted }),
            });
            tx.commit().await?;
            self.reload().await?;
        }
        Ok(import)
    }

    /// Writes a table as CSV, in the layout [`Rules::import`] reads. Importing it again changes nothing.
    pub async fn export(&self, group: GroupId, table: RuleTable) -> Result<String, ExchangeError> {
        let spec = table.spec();
        let mut conn = self.db().read().await?;
        let rows = store::existing(&mut conn, spec, group).await?;
        column::write(spec, rows.iter().map(|known| &known.row)).map_err(ExchangeError::File)
    }
}

impl RuleTable {
    /// Reads a file without a database: how many rows are well formed, and which cells are not. Total over any bytes.
    pub fn check(self, file: impl Read) -> Result<(usize, Vec<RuleReportLine>), ExchangeError> {
        let (rows, refused) = column::read(self.spec(), file)?;
        Ok((rows.len(), refused))
    }
}

/// The rows of a file that belongs to the program itself.
pub(super) fn seed_rows(table: RuleTable, text: &str) -> Result<Vec<Row>, DbError> {
    let (rows, refused) = column::read(table.spec(), text.as_bytes()).map_err(|e| DbError::Corrupt(format!("{}: {e}", table.name())))?;
    match refused.first() {
        Some(line) => Err(DbError::Corrupt(format!("{} line {}: {}: {}", table.name(), line.line, line.column, line.reason))),
        None => Ok(rows),
    }
}

/// Adds rows that are missing; a row that is there, or whose dates overlap one that is, stays as it is.
pub(super) async fn add_missing(conn: &mut sqlx::PgConnection, group: GroupId, table: RuleTable, rows: &[Row]) -> Result<u64, DbError> {
    store::insert(conn, table.spec(), group, rows).await
}
