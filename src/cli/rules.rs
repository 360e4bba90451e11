//! `deskless rules export|import`: taxes, fees, programs, products and insurance rows as CSV files.
//!
//! Exit codes: 0 everything is in; 1 a file could not be read or something failed; 3 rows were refused and nothing of that
//! file was taken.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{CliError, Database};
use crate::app::App;
use crate::config::Config;
use crate::db::By;
use crate::finance::{RuleImport, RuleReportLine, RuleTable};
use crate::kernel::id::GroupId;

/// Exit code when rows were refused.
const REFUSED: u8 = 3;
/// Lines of the report shown when no `--report` was asked for.
const SHOWN: usize = 10;

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Write every table of rules into a folder, one CSV file each.
    Export(Export),
    /// Take in CSV files named like their tables: `tax_rules.csv`, `programs.csv` …
    Import(Import),
}

/// Where to write.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The folder; made when it is not there.
    folder: PathBuf,
    /// Only these tables.
    #[arg(long, value_name = "TABLE")]
    table: Vec<RuleTable>,
    /// The dealer group's id; not needed when there is only one.
    #[arg(long)]
    group: Option<GroupId>,
}

/// What to take in.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The files. A folder stands for all the tables in it.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The table, where the file is not named like it.
    #[arg(long)]
    table: Option<RuleTable>,
    /// The dealer group's id; not needed when there is only one.
    #[arg(long)]
    group: Option<GroupId>,
    /// Report only; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Write every refused cell into this CSV file: file, row, column, value, reason.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl RulesCommand {
    pub(super) async fn run(self, config: Config) -> Result<ExitCode, CliError> {
        let database = Database::open(&config).await?;
        let app = database.start_app(config).await?;
        let done = match self {
            Self::Export(export) => export.run(&app).await,
            Self::Import(import) => import.run(&app).await,
        };
        database.close().await;
        done
    }
}

/// The group meant: the one named, else the only one.
fn group(app: &App, named: Option<GroupId>) -> Result<GroupId, CliError> {
    if let Some(group) = named {
        return Ok(group);
    }
    let stores = app.dealers.stores();
    let mut groups: Vec<GroupId> = stores.iter().map(|store| store.group_id).collect();
    groups.sort_unstable();
    groups.dedup();
    match groups.as_slice() {
        [only] => Ok(*only),
        [] => Err(CliError::Message("there is no store yet: add a group and a store first".into())),
        _ => Err(CliError::Message("there are several dealer groups: say which with --group".into())),
    }
}

impl Export {
    async fn run(self, app: &App) -> Result<ExitCode, CliError> {
        let group = group(app, self.group)?;
        let failed = |path: &Path| {
            let path = path.display().to_string();
            move |e| CliError::Io(path, e)
        };
        std::fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        for table in RuleTable::ALL.iter().copied().filter(|table| self.table.is_empty() || self.table.contains(table)) {
            let text = app.rules.export(group, table).await.map_err(|e| CliError::Message(format!("{}: {e}", table.name())))?;
            let path = self.folder.join(table.name()).with_extension("csv");
            File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed(&path))?;
            println!("{}: {} rows", path.display(), text.lines().count().saturating_sub(1));
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Import {
    async fn run(self, app: &App) -> Result<ExitCode, CliError> {
        let group = group(app, self.group)?;
        let mut report = self
            .report
            .as_ref()
            .map(|path| csv::Writer::from_path(path).map_err(|e| CliError::Message(format!("{}: {e}", path.display()))))
            .transpose()?;
        let broken = |e: csv::Error| CliError::Message(format!("the report could not be written: {e}"));
        if let Some(report) = &mut report {
            report.write_record(["file", "row", "column", "value", "reason"]).map_err(broken)?;
        }
        let mut refused = false;
        for (path, table) in self.tables()? {
            let name = path.display().to_string();
            let file = File::open(&path).map_err(|e| CliError::Io(name.clone(), e))?;
            let import = app.rules.import(group, table, file, By::system(), self.dry_run).await;
            let import = import.map_err(|e| CliError::Message(format!("{name}: {e}")))?;
            match &mut report {
                Some(report) => {
                    for line in &import.refused {
                        report.write_record(cells(&name, line)).map_err(broken)?;
                    }
                }
                None => show(&name, &import.refused),
            }
            refused |= !import.refused.is_empty();
            println!("{}", summary(&name, &import, self.dry_run));
        }
        if let Some(mut report) = report {
            report.flush().map_err(|e| broken(e.into()))?;
        }
        Ok(if refused { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS })
    }

    /// The files with their tables; what others refer to comes first.
    fn tables(&self) -> Result<Vec<(PathBuf, RuleTable)>, CliError> {
        let mut found = Vec::new();
        for path in &self.files {
            if path.is_dir() {
                let inside = RuleTable::ALL.iter().map(|table| (path.join(table.name()).with_extension("csv"), *table));
                found.extend(inside.filter(|(file, _)| file.is_file()));
                continue;
            }
            let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let table =
                self.table.map_or_else(|| stem.parse(), Ok).map_err(|e: String| CliError::Message(format!("{}: {e}", path.display())))?;
            found.push((path.clone(), table));
        }
        found.sort_by_key(|(_, table)| *table);
        Ok(found)
    }
}

fn show(name: &str, refused: &[RuleReportLine]) {
    for line in refused.iter().take(SHOWN) {
        eprintln!("{name}: row {}: {} ({:?}): {}", line.line, line.column, line.value, line.reason);
    }
    if refused.len() > SHOWN {
        eprintln!("… and {} more; --report FILE writes them all", refused.len().saturating_sub(SHOWN));
    }
}

/// The cells of a report line. A value that a spreadsheet would run as a formula is made text.
fn cells(name: &str, line: &RuleReportLine) -> [String; 5] {
    let plain = |text: &str| if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    [plain(name), line.line.to_string(), plain(&line.column), plain(&line.value), plain(&line.reason)]
}

fn summary(name: &str, import: &RuleImport, dry_run: bool) -> String {
    let RuleImport { read, added, closed, noted, unchanged, refused } = import;
    let state = match (refused.is_empty(), dry_run) {
        (false, _) => format!("{} cells refused, nothing changed", refused.len()),
        (true, true) => "dry run, nothing changed".to_owned(),
        (true, false) => "done".to_owned(),
    };
    format!("{name}: {read} rows: {added} added, {closed} closed, {noted} noted, {unchanged} unchanged; {state}")
}
