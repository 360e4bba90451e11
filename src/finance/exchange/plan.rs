//! What a file means for the rows that are there. Pure.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use uuid::Uuid;

use super::column::{Row, Use};
use super::tables::{Reference, Spec};
use super::{RuleImport, RuleReportLine};

/// A row of the database.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) id: Uuid,
    pub(super) row: Row,
}

/// Codes that exist, by what they are codes of.
pub(super) type References = HashMap<Reference, HashSet<String>>;

/// What to do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    spec: Option<&'static Spec>,
    read: usize,
    unchanged: usize,
    /// Rows to add.
    pub(super) add: Vec<Row>,
    /// Rows to end, and on which day they no longer hold.
    pub(super) close: Vec<(Uuid, NaiveDate)>,
    /// Rows whose facts change.
    pub(super) note: Vec<(Uuid, Row)>,
    /// What was refused.
    pub(super) refused: Vec<RuleReportLine>,
}

impl Plan {
    pub(super) fn new(
        spec: &'static Spec,
        known: Vec<Known>,
        references: &References,
        rows: Vec<Row>,
        refused: Vec<RuleReportLine>,
    ) -> Self {
        let mut by_key: HashMap<String, Vec<Known>> = HashMap::new();
        for row in known {
            by_key.entry(row.row.key(spec)).or_default().push(row);
        }
        let refused_lines = refused.iter().map(|line| line.line).collect::<HashSet<_>>().len();
        let mut plan = Self { spec: Some(spec), read: rows.len() + refused_lines, refused, ..Self::default() };
        let mut seen = HashSet::new();
        for row in rows {
            if !seen.insert((row.key(spec), row.from())) {
                plan.refused.push(row.refuse("", "the same row stands in the file twice"));
                continue;
            }
            let unknown = spec.references.iter().find(|(column, reference)| {
                row.get(column).is_some_and(|code| !references.get(reference).is_some_and(|codes| codes.contains(code)))
            });
            if let Some((column, reference)) = unknown {
                plan.refused.push(row.refuse(column, format!("there is no such {}", reference.noun())));
                continue;
            }
            let there = by_key.get(&row.key(spec)).map_or(&[][..], Vec::as_slice);
            plan.place(spec, there, row);
        }
        plan
    }

    fn place(&mut self, spec: &Spec, there: &[Known], row: Row) {
        if let Some(same) = there.iter().find(|known| known.row.from() == row.from()) {
            return self.meet(spec, same, row);
        }
        // The row before, still open: the new one ends it.
        let before = there.iter().filter(|known| known.row.from() < row.from() && known.row.to().is_none());
        if let (Some(before), Some(from)) = (before.max_by_key(|known| known.row.from()), row.from()) {
            self.close.push((before.id, from));
        }
        self.add.push(row);
    }

    /// A row that begins on the same day.
    fn meet(&mut self, spec: &Spec, same: &Known, row: Row) {
        let figure = spec
            .columns
            .iter()
            .find(|column| column.usage != Use::Fact && column.name != "to" && same.row.get(column.name) != row.get(column.name));
        if let Some(column) = figure {
            let reason = match same.row.get(column.name) {
                Some(old) => format!("the row on file has {old} and is kept: give the new figures a later first day"),
                None => "the row on file has nothing here and is kept: give the new figures a later first day".to_owned(),
            };
            self.refused.push(row.refuse(column.name, reason));
            return;
        }
        let mut changed = false;
        match (same.row.to(), row.to()) {
            (None, Some(end)) => {
                self.close.push((same.id, end));
                changed = true;
            }
            (Some(old), Some(end)) if old != end => {
                self.refused.push(row.refuse("to", format!("the row on file ends on {old} and is kept")));
                return;
            }
            // A row that was ended by a later one stays ended.
            _ => {}
        }
        // An empty fact says nothing: it does not wipe out what is known.
        let facts = spec.columns.iter().filter(|column| column.usage == Use::Fact);
        if facts.into_iter().any(|c| row.get(c.name).is_some() && same.row.get(c.name) != row.get(c.name)) {
            self.note.push((same.id, row));
            changed = true;
        }
        self.unchanged += usize::from(!changed);
    }

    /// Rows the database did not take: their dates overlap another row's.
    pub(super) fn refuse_missing(&mut self, present: &[Known]) {
        let Some(spec) = self.spec else { return };
        let there: HashSet<_> = present.iter().map(|known| (known.row.key(spec), known.row.from())).collect();
        for row in self.add.iter().filter(|row| !there.contains(&(row.key(spec), row.from()))) {
            let other = present.iter().find(|known| {
                known.row.key(spec) == row.key(spec)
                    && known.row.from().is_none_or(|from| row.to().is_none_or(|to| from < to))
                    && known.row.to().is_none_or(|to| row.from().is_none_or(|from| from < to))
            });
            let reason = match other.map(|known| (known.row.get("from").unwrap_or("the beginning"), known.row.get("to"))) {
                Some((from, Some(to))) => format!("overlaps the row from {from} to {to}"),
                Some((from, None)) => format!("overlaps the row from {from}"),
                None => "overlaps another row".to_owned(),
            };
            self.refused.push(row.refuse("from", reason));
        }
    }

    pub(super) fn outcome(self) -> RuleImport {
        let mut refused = self.refused;
        refused.sort_by_key(|line| line.line);
        RuleImport {
            read: self.read,
            added: self.add.len(),
            closed: self.close.len(),
            noted: self.note.len(),
            unchanged: self.unchanged,
            refused,
        }
    }
}
