//! `deskless import inventory`: a feed from a file or standard input into a store.
//!
//! The exit codes are in [`HELP`].

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::{CliError, Database};
use crate::config::Config;
use crate::db::By;
use crate::inventory::feed::layout::Mapping;
use crate::inventory::{FeedImport, FeedImportStatus, FeedReportLine, FeedReportSeverity, FeedSource, Progress};

/// Exit code when rows were refused.
const REFUSED: u8 = 3;
/// Exit code when a manager has to decide.
const HELD: u8 = 4;
/// Lines of the report shown when no `--report` was asked for.
const SHOWN: usize = 10;

const HELP: &str = "\
A mapping file names the columns where the heads are not recognised:
  delimiter = \";\"            # one character, or \"tab\"
  odometer_unit = \"km\"
  currency = \"CAD\"
  [columns]
  vin = \"Chassis\"
  price = [\"Web price\", \"List\"]   # the first that says something

Exit codes:
  0  every row landed
  1  it could not be read, or something failed
  2  the command line is wrong
  3  rows were refused; the others landed
  4  the feed is held for a manager, and the lot was not touched";

/// What to import.
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// The inventory of a store: CSV or TSV, plain or gzip, an Excel workbook, XML or JSON, in any known layout.
    #[command(after_help = HELP)]
    Inventory(InventoryFeed),
}

/// An inventory feed.
#[derive(Debug, Args)]
pub(super) struct InventoryFeed {
    /// The store's code.
    #[arg(long)]
    store: String,
    /// The file; `-` reads standard input.
    file: PathBuf,
    /// A TOML file that says which column is what, where the layout is not recognised.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Report only; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write every refused row and every warning into this CSV file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Import {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode, CliError> {
        match self {
            Self::Inventory(feed) => feed.run(config).await,
        }
    }
}

impl InventoryFeed {
    async fn run(self, config: Config) -> Result<ExitCode, CliError> {
        // Files first: a mistake in them should not cost a database.
        let mapping = self.mapping()?;
        let (reader, size) = self.open()?;
        let report = self
            .report
            .as_ref()
            .map(|path| csv::Writer::from_path(path).map_err(|e| CliError::Message(format!("{}: {e}", path.display()))));
        let mut report = report.transpose()?;
        if let Some(report) = &mut report {
            report.write_record(["line", "column", "value", "severity", "code", "reason"]).map_err(|e| report_failed(&e))?;
        }
        let database = Database::open(&config).await?;
        let app = database.start_app(config).await?;
        let shop =
            app.dealers.store_by_code(&self.store).ok_or_else(|| CliError::Message(format!("there is no store \"{}\"", self.store)))?;
        let progress = Arc::<Progress>::default();
        let source = FeedSource { reader, name: self.name(), mapping, dry_run: self.dry_run, progress: Arc::clone(&progress) };
        let (mut shown, mut broken) = (Vec::new(), None);
        let started = Instant::now();
        let bar = Bar::start(size, progress);
        let outcome = app
            .inventory
            .import(&shop, source, By::system(), |line| {
                if let Some(report) = &mut report {
                    broken = broken.take().or(report.write_record(cells(line)).err());
                } else if shown.len() < SHOWN {
                    shown.push(line.clone());
                }
            })
            .await;
        bar.end();
        database.close().await;
        let import = outcome.map_err(|e| CliError::Message(format!("{}: {e}", self.name())))?;
        if let Some(error) = broken.or(report.and_then(|mut r| r.flush().err()).map(Into::into)) {
            return Err(report_failed(&error));
        }
        for line in &shown {
            eprintln!("line {}: {}: {} ({:?}): {}", line.line, line.severity.as_str().to_lowercase(), line.column, line.value, line.reason);
        }
        let more = import.refused.saturating_add(import.warnings).saturating_sub(i32::try_from(shown.len()).unwrap_or(0));
        if self.report.is_none() && more > 0 {
            eprintln!("… and {more} more; --report FILE writes them all");
        }
        if !import.unread_columns.is_empty() {
            eprintln!("columns not read: {}", import.unread_columns.join(", "));
        }
        println!("{}", summary(&self.store, &import, self.dry_run, started.elapsed()));
        Ok(exit_code(&import))
    }

    fn name(&self) -> String {
        self.file.file_name().map_or_else(|| "-".into(), |name| name.to_string_lossy().into_owned())
    }

    fn open(&self) -> Result<(Box<dyn Read + Send>, Option<u64>), CliError> {
        if self.file.as_os_str() == "-" {
            return Ok((Box::new(std::io::stdin()), None));
        }
        let failed = |e| CliError::Io(self.file.display().to_string(), e);
        let file = File::open(&self.file).map_err(failed)?;
        let size = file.metadata().map_err(failed)?;
        if size.is_dir() {
            return Err(CliError::Message(format!("{} is a folder", self.file.display())));
        }
        Ok((Box::new(file), Some(size.len())))
    }

    fn mapping(&self) -> Result<Option<Mapping>, CliError> {
        let Some(path) = &self.mapping else { return Ok(None) };
        let text = std::fs::read_to_string(path).map_err(|e| CliError::Io(path.display().to_string(), e))?;
        Mapping::parse(&text).map(Some).map_err(|e| CliError::Message(format!("{}: {e}", path.display())))
    }
}

fn report_failed(error: &csv::Error) -> CliError {
    CliError::Message(format!("the report could not be written: {error}"))
}

fn exit_code(import: &FeedImport) -> ExitCode {
    match import.status {
        FeedImportStatus::Held => ExitCode::from(HELD),
        _ if import.refused > 0 => ExitCode::from(REFUSED),
        _ => ExitCode::SUCCESS,
    }
}

/// One line for people and logs.
fn summary(store: &str, import: &FeedImport, dry_run: bool, took: Duration) -> String {
    let FeedImport { rows_read, created, updated, unchanged, refused, missing, warnings, .. } = import;
    let layout = import.layout.as_deref().unwrap_or("empty");
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let speed = u64::try_from(*rows_read).unwrap_or(0).saturating_mul(1000).checked_div(millis).unwrap_or(0);
    let state = match (&import.status, dry_run) {
        (FeedImportStatus::Held, _) => format!("HELD: {}", import.held_reason.as_deref().unwrap_or("")),
        (_, true) => "dry run, nothing changed".to_owned(),
        (status, false) => status.as_str().to_lowercase(),
    };
    format!(
        "{store}: {} ({layout}): {rows_read} rows: {created} created, {updated} updated, {unchanged} unchanged, {refused} refused; \
         {missing} missing, {warnings} warnings; {}.{:03} s, {speed} rows/s; {state}",
        import.source_name,
        millis.checked_div(1000).unwrap_or(0),
        millis.checked_rem(1000).unwrap_or(0),
    )
}

/// The cells of a report line. A value that a spreadsheet would run as a formula is made text.
fn cells(line: &FeedReportLine) -> [String; 6] {
    let plain = |text: &str| if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    let severity = match line.severity {
        FeedReportSeverity::Refused => "refused",
        FeedReportSeverity::Warning => "warning",
    };
    [line.line.to_string(), plain(&line.column), plain(&line.value), severity.to_owned(), line.code.clone(), plain(&line.reason)]
}

/// A progress bar on a terminal, nothing elsewhere.
struct Bar {
    bar: ProgressBar,
    drawing: tokio::task::JoinHandle<()>,
}

impl Bar {
    fn start(size: Option<u64>, progress: Arc<Progress>) -> Self {
        let bar = if !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else if let Some(size) = size {
            ProgressBar::new(size)
        } else {
            ProgressBar::new_spinner()
        };
        let template =
            if size.is_some() { "{bar:40} {bytes}/{total_bytes} {msg} [{elapsed}]" } else { "{spinner} {bytes} {msg} [{elapsed}]" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let drawn = bar.clone();
        let drawing = tokio::spawn(async move {
            let mut tick = tokio::time::interval(Duration::from_millis(100));
            loop {
                tick.tick().await;
                drawn.set_position(progress.bytes());
                drawn.set_message(format!("{} rows", progress.rows()));
            }
        });
        Self { bar, drawing }
    }

    fn end(self) {
        self.drawing.abort();
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_runs_no_formulas() {
        let line = |value: &str| FeedReportLine {
            id: 1,
            line: 2,
            column: "price".into(),
            value: value.into(),
            severity: FeedReportSeverity::Refused,
            code: "X".into(),
            reason: "r".into(),
        };
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"] {
            assert_eq!(cells(&line(bad))[2], format!("'{bad}"));
        }
        assert_eq!(cells(&line("20000"))[2], "20000");
    }
}
