//! Columns, and a cell's one spelling: so that rows can be compared as text, whoever wrote them.

use std::collections::BTreeMap;
use std::io::Read;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::tables::Spec;
use super::{ExchangeError, ROWS_MAX, RuleReportLine};
use crate::kernel::money::Cents;
use crate::kernel::text;

/// What a cell may hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Words, at most so many characters.
    Text(usize),
    /// A short code: letters, digits and `- _ + .`, at most 40.
    Code,
    /// Two capital letters.
    State,
    /// `2026-11-22`.
    Date,
    /// `true` or `false`.
    Bool,
    /// Dollars with at most two decimals, not negative.
    Money,
    /// Percent points from 0 to 1,000 with at most six decimals.
    Percent,
    /// A factor: more than 0, less than 1,000, with at most eight decimals.
    Factor,
    /// A whole number.
    Int(i64, i64),
    /// Codes with spaces between.
    Codes,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Any of these, with spaces between.
    Choices(&'static [&'static str]),
    /// A list in JSON, read and written again by this.
    Json(fn(&str) -> Result<String, String>),
}

/// How a column behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Must be filled.
    Must,
    /// May be empty.
    May,
    /// What a person found out about the row: may change in place.
    Fact,
}

/// A column of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) usage: Use,
    /// What an empty cell means, where that is not "nothing".
    pub(super) default: Option<&'static str>,
}

pub(super) const fn must(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, usage: Use::Must, default: None }
}
pub(super) const fn may(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, usage: Use::May, default: None }
}
pub(super) const fn fact(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, usage: Use::Fact, default: None }
}
pub(super) const fn or(name: &'static str, kind: Kind, default: &'static str) -> Column {
    Column { name, kind, usage: Use::May, default: Some(default) }
}

/// A row of a file or of the database: its cells in their one spelling; empty ones are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::finance) struct Row {
    pub(super) line: u64,
    pub(super) cells: BTreeMap<&'static str, String>,
}

impl Row {
    pub(in crate::finance) fn get(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    /// The same row with another cell.
    pub(in crate::finance) fn with(&self, column: &'static str, value: String) -> Self {
        let mut row = self.clone();
        row.cells.insert(column, value);
        row
    }

    /// The columns of its natural key, joined.
    pub(super) fn key(&self, spec: &Spec) -> String {
        spec.key.iter().map(|column| self.get(column).unwrap_or_default()).collect::<Vec<_>>().join("\u{1f}")
    }

    pub(super) fn from(&self) -> Option<NaiveDate> {
        self.get("from").and_then(|text| text.parse().ok())
    }

    pub(super) fn to(&self) -> Option<NaiveDate> {
        self.get("to").and_then(|text| text.parse().ok())
    }

    pub(super) fn refuse(&self, column: &str, reason: impl Into<String>) -> RuleReportLine {
        RuleReportLine {
            line: self.line,
            column: column.to_owned(),
            value: self.get(column).unwrap_or_default().to_owned(),
            reason: reason.into(),
        }
    }
}

impl Kind {
    /// The one spelling of a cell, or why it is none.
    pub(super) fn canonical(self, cell: &str) -> Result<String, String> {
        let cell = cell.trim();
        match self {
            Self::Text(most) => {
                let plain = text::clean(cell);
                if plain.chars().count() > most { Err(format!("at most {most} characters")) } else { Ok(plain) }
            }
            Self::Code => code(cell).map(ToOwned::to_owned),
            Self::State => {
                if cell.len() == 2 && cell.bytes().all(|b| b.is_ascii_uppercase()) {
                    Ok(cell.to_owned())
                } else {
                    Err("two capital letters, such as TX".into())
                }
            }
            Self::Date => match cell.parse::<NaiveDate>() {
                Ok(day) => Ok(day.to_string()),
                Err(_) => Err("a date such as 2026-11-22".into()),
            },
            Self::Bool => match cell.to_ascii_lowercase().as_str() {
                "true" | "yes" | "t" => Ok("true".into()),
                "false" | "no" | "f" => Ok("false".into()),
                _ => Err("true or false".into()),
            },
            Self::Money => {
                let amount = Decimal::from_str_exact(cell).ok().and_then(Cents::from_decimal_exact);
                match amount {
                    Some(cents) if cents >= Cents::ZERO => Ok(cents.to_string()),
                    _ => Err(format!("dollars from 0.00 to {} with at most two decimals", Cents::LIMIT)),
                }
            }
            Self::Percent => number(cell, Decimal::ZERO, Decimal::ONE_THOUSAND, 6)
                .ok_or_else(|| "percent points from 0 to 1000 with at most six decimals".into()),
            Self::Factor => number(cell, Decimal::new(1, 8), Decimal::ONE_THOUSAND, 8)
                .ok_or_else(|| "a factor above 0 and at most 1000 with at most eight decimals".into()),
            Self::Int(least, most) => match cell.parse::<i64>() {
                Ok(value) if (least..=most).contains(&value) => Ok(value.to_string()),
                _ => Err(format!("a whole number from {least} to {most}")),
            },
            Self::Codes => cell.split_whitespace().map(code).collect::<Result<Vec<_>, _>>().map(|codes| codes.join(" ")),
            Self::Choice(choices) => choice(choices, cell).map(ToOwned::to_owned),
            Self::Json(spell) => spell(cell),
            Self::Choices(choices) => {
                cell.split_whitespace().map(|word| choice(choices, word)).collect::<Result<Vec<_>, _>>().map(|words| words.join(" "))
            }
        }
    }
}

fn code(cell: &str) -> Result<&str, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_+.*".contains(c);
    if cell.is_empty() || cell.len() > 40 || !cell.chars().all(fits) {
        return Err("a code of at most 40 letters, digits and - _ + .".into());
    }
    Ok(cell)
}

fn choice<'a>(choices: &[&'static str], cell: &'a str) -> Result<&'a str, String> {
    if choices.contains(&cell) { Ok(cell) } else { Err(format!("one of {}", choices.join(", "))) }
}

fn number(cell: &str, least: Decimal, most: Decimal, decimals: u32) -> Option<String> {
    let value = Decimal::from_str_exact(cell).ok()?.normalize();
    (value >= least && value <= most && value.scale() <= decimals).then(|| value.to_string())
}

/// The one spelling of a JSON list of such things; nothing for an empty one.
pub(super) fn list<T: serde::de::DeserializeOwned + serde::Serialize>(cell: &str) -> Result<String, String> {
    let items: Vec<T> = serde_json::from_str(cell).map_err(|e| format!("a JSON list: {e}"))?;
    if items.len() > 50 {
        return Err("at most 50 items".into());
    }
    if items.is_empty() { Ok(String::new()) } else { serde_json::to_string(&items).map_err(|e| e.to_string()) }
}

/// Reads a file. Cells that are not what their column holds are refused, each with its reason; rows without any such cell
/// come back.
pub(super) fn read(spec: &Spec, file: impl Read) -> Result<(Vec<Row>, Vec<RuleReportLine>), ExchangeError> {
    let bad = |error: csv::Error| ExchangeError::File(format!("not a CSV file: {error}"));
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).flexible(false).from_reader(file);
    let head = reader.headers().map_err(bad)?.clone();
    let mut columns = Vec::with_capacity(head.len());
    for name in &head {
        let name = name.trim_start_matches('\u{feff}');
        let known = spec.columns.iter().find(|column| column.name == name);
        columns
            .push(known.ok_or_else(|| ExchangeError::File(format!("{} has no column \"{name}\"; it has {}", spec.name, spec.heading())))?);
    }
    if let Some(column) = spec.columns.iter().find(|c| c.usage == Use::Must && !columns.iter().any(|known| known.name == c.name)) {
        return Err(ExchangeError::File(format!("the column \"{}\" is missing", column.name)));
    }
    let (mut rows, mut refused) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(bad)?;
        let line = record.position().map_or(0, csv::Position::line);
        if rows.len() >= ROWS_MAX {
            return Err(ExchangeError::File(format!("more than {ROWS_MAX} rows")));
        }
        let cells: Vec<(&Column, &str)> = columns.iter().copied().zip(record.iter()).collect();
        let before = refused.len();
        let row = row(spec, line, &cells, &mut refused);
        if refused.len() == before
            && let Some((column, reason)) = (spec.check)(&row)
        {
            refused.push(row.refuse(column, reason));
        }
        if refused.len() == before {
            rows.push(row);
        }
    }
    Ok((rows, refused))
}

fn row(spec: &Spec, line: u64, cells: &[(&Column, &str)], refused: &mut Vec<RuleReportLine>) -> Row {
    let mut row = Row { line, cells: BTreeMap::new() };
    for column in spec.columns {
        let cell = cells.iter().find(|(known, _)| known.name == column.name).map_or("", |(_, cell)| *cell).trim();
        let mut refuse = |reason: String| {
            refused.push(RuleReportLine { line, column: column.name.to_owned(), value: cell.chars().take(80).collect(), reason });
        };
        if cell.is_empty() {
            match (column.usage, column.default) {
                (Use::Must, _) => refuse("must be filled".into()),
                (_, Some(default)) => drop(row.cells.insert(column.name, default.to_owned())),
                (_, None) => {}
            }
            continue;
        }
        match column.kind.canonical(cell) {
            Ok(value) if value.is_empty() => {}
            Ok(value) => drop(row.cells.insert(column.name, value)),
            Err(reason) => refuse(reason),
        }
    }
    if row.from().zip(row.to()).is_some_and(|(from, to)| to <= from) {
        refused.push(row.refuse("to", "the first day it no longer holds must come after the first day"));
    }
    row
}

/// Rows as a file.
pub(super) fn write<'a>(spec: &Spec, rows: impl Iterator<Item = &'a Row>) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(spec.columns.iter().map(|column| column.name)).map_err(|e| e.to_string())?;
    for row in rows {
        let cells = spec.columns.iter().map(|column| row.get(column.name).unwrap_or_default());
        writer.write_record(cells).map_err(|e| e.to_string())?;
    }
    String::from_utf8(writer.into_inner().map_err(|e| e.to_string())?).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_one_spelling() {
        assert_eq!(Kind::Money.canonical(" 85 "), Ok("85.00".into()));
        assert_eq!(Kind::Percent.canonical("8.87500"), Ok("8.875".into()));
        assert_eq!(Kind::Bool.canonical("TRUE"), Ok("true".into()));
        assert_eq!(Kind::Codes.canonical(" NEW   USED "), Ok("NEW USED".into()));
        for (kind, cell) in [
            (Kind::Money, "1.005"),
            (Kind::Money, "-1"),
            (Kind::Money, "=1+1"),
            (Kind::Percent, "1e3"),
            (Kind::Percent, "1000.1"),
            (Kind::Factor, "0"),
            (Kind::Date, "2026-02-30"),
            (Kind::State, "Texas"),
            (Kind::Int(1, 12), "13"),
            (Kind::Choice(&["NEW"]), "new"),
        ] {
            assert!(kind.canonical(cell).is_err(), "{kind:?} {cell}");
        }
    }

    use proptest::prelude::*;

    const KINDS: &[Kind] = &[
        Kind::Text(20),
        Kind::Code,
        Kind::State,
        Kind::Date,
        Kind::Bool,
        Kind::Money,
        Kind::Percent,
        Kind::Factor,
        Kind::Int(-5, 500),
        Kind::Codes,
        Kind::Choice(&["NEW", "USED"]),
        Kind::Choices(&["NEW", "USED"]),
        Kind::Json(list::<String>),
    ];

    proptest! {
        #[test]
        fn spelling_a_cell_twice_changes_nothing(
            kind in 0..KINDS.len(),
            cell in prop_oneof![
                "\\PC{0,25}", "-?[0-9]{1,12}(\\.[0-9]{0,9})?", "(NEW|USED| )*", "[A-Z]{2}", "20[0-9]{2}-[01][0-9]-[0-3][0-9]", "\\[(\"[a-z]\",?)*\\]",
            ],
        ) {
            if let Ok(once) = KINDS[kind].canonical(&cell) {
                prop_assert!(once.is_empty() || KINDS[kind].canonical(&once) == Ok(once.clone()), "{:?} {once:?}", KINDS[kind]);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(table in 0..super::super::RuleTable::ALL.len(), bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let table = super::super::RuleTable::ALL[table];
            let _ = table.check(bytes.as_slice());
            // Below the right heading the same bytes are cells.
            let heading = table.spec().heading().replace(", ", ",");
            let file = [heading.as_bytes(), b"\n", bytes.as_slice()].concat();
            if let Ok((rows, refused)) = table.check(file.as_slice()) {
                prop_assert!(rows <= bytes.len() + 1);
                prop_assert!(refused.iter().all(|line| line.line > 1 && !line.reason.is_empty()));
            }
        }
    }
}
