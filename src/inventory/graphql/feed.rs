//! A feed import as managers see it.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};

use crate::dealers::StoreNode;
use crate::graphql::GqlResult;
use crate::graphql::context::service;
use crate::graphql::page::{self, Connection, PageArgs};
use crate::inventory::import::{FeedImport, FeedImportStatus, FeedReportLine, FeedReportSeverity};
use crate::inventory::service::Inventory;

/// One import.
#[derive(Debug, Clone)]
pub struct FeedImportNode(pub FeedImport);

/// One run of an inventory feed. `created + updated + unchanged + refused` is `rowsRead`.
#[Object(name = "FeedImport")]
impl FeedImportNode {
    /// Opaque id, `imp_…`.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }
    /// The store.
    async fn store(&self, ctx: &Context<'_>) -> GqlResult<StoreNode> {
        StoreNode::load(ctx, self.0.store_id)
    }
    /// The file's name as its sender gave it.
    async fn source_name(&self) -> &str {
        &self.0.source_name
    }
    /// The layout it was read as; none for an empty or unreadable file.
    async fn layout(&self) -> Option<&str> {
        self.0.layout.as_deref()
    }
    /// How it ended.
    async fn status(&self) -> FeedImportStatus {
        self.0.status
    }
    /// Why it waits for a manager, or why it failed.
    async fn reason(&self) -> Option<&str> {
        self.0.held_reason.as_deref()
    }
    /// When it began.
    async fn started_at(&self) -> DateTime<Utc> {
        self.0.started_at
    }
    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
    /// Rows in the file.
    async fn rows_read(&self) -> i32 {
        self.0.rows_read
    }
    /// Vehicles new on the lot. For a held import: that would be.
    async fn created(&self) -> i32 {
        self.0.created
    }
    /// Vehicles that changed. For a held import: that would.
    async fn updated(&self) -> i32 {
        self.0.updated
    }
    /// Rows that said what the lot already said.
    async fn unchanged(&self) -> i32 {
        self.0.unchanged
    }
    /// Rows that did not land.
    async fn refused(&self) -> i32 {
        self.0.refused
    }
    /// Vehicles newly flagged as missing. For a held import: that would be.
    async fn missing(&self) -> i32 {
        self.0.missing
    }
    /// Lines of the report about rows that landed.
    async fn warnings(&self) -> i32 {
        self.0.warnings
    }
    /// Heads of columns that held something and were read as no fact, at most 200. A mapping file gives them a meaning.
    async fn unread_columns(&self) -> &[String] {
        &self.0.unread_columns
    }
    /// The report, in file order.
    async fn report(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100; 20 when not given.")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> GqlResult<Connection<ReportLineNode, FeedReportTotals>> {
        let args = PageArgs::<i64>::read(first, after.as_deref())?;
        let lines = service::<Inventory>(ctx)?.import_report(self.0.id, args.after, args.limit()).await?;
        let totals = FeedReportTotals { total_count: self.0.refused.saturating_add(self.0.warnings) };
        Ok(page::connection(lines, args.first, totals, |line| line.id, ReportLineNode::from))
    }
}

/// What a report has beyond its lines.
#[derive(Debug, SimpleObject)]
pub struct FeedReportTotals {
    /// How many lines the report has.
    total_count: i32,
}

/// A line of a feed's report.
#[derive(Debug, SimpleObject)]
#[graphql(name = "FeedReportLine")]
pub(super) struct ReportLineNode {
    /// The line in the file, from 1.
    line: i32,
    /// The column's head; empty when the whole row is meant.
    column: String,
    /// The beginning of what was there, at most 200 characters.
    value: String,
    /// Refused or warned.
    severity: FeedReportSeverity,
    /// A stable code, such as `VIN_CHECK_DIGIT`.
    code: String,
    /// For the person who reads it.
    reason: String,
}

impl From<FeedReportLine> for ReportLineNode {
    fn from(line: FeedReportLine) -> Self {
        let FeedReportLine { line, column, value, severity, code, reason, .. } = line;
        Self { line, column, value, severity, code, reason }
    }
}
