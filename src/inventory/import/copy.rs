//! Parsed rows as text for PostgreSQL's `COPY … FROM STDIN` (text format: tab between columns, `\N` for null).

use std::fmt::Write;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::inventory::feed::row::{FeedRow, Outcome, Report};
use crate::inventory::model::{BodyStyle, ColorFamily, Drivetrain, FuelType, Transmission, VehicleStatus};
use crate::kernel::id::new_uuid;
use crate::kernel::seal::sha256;

/// The statement; its columns in the order of [`Encoder`].
pub const STATEMENT: &str = "COPY feed_stage (import_id, line, kind, column_name, value, code, reason, new_id, vin, stock_number, \
     row_hash, vin_status, condition, status, model_year, make, model, trim, body_style, drivetrain, fuel, transmission, engine, cylinders, \
     doors, seats, exterior_color, exterior_color_family, interior_color, odometer_miles, price_cents, msrp_cents, invoice_cents, cost_cents, \
     currency, mpg_city, mpg_highway, mpg_combined, description, photo_urls, disagreements, received_by_age, received_on) FROM STDIN";
/// Columns after the first ten, which a report leaves empty.
const FACT_COLUMNS: usize = 33;

/// Gathers lines of COPY text.
#[derive(Debug)]
pub struct Encoder {
    import_id: Uuid,
    now: DateTime<Utc>,
    currency: String,
    buffer: String,
    facts: String,
}

impl Encoder {
    /// For one import into a store with this currency.
    pub fn new(import_id: Uuid, now: DateTime<Utc>, currency: &str) -> Self {
        Self { import_id, now, currency: currency.to_owned(), buffer: String::new(), facts: String::new() }
    }

    /// How much is gathered.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Takes what is gathered.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer).into_bytes()
    }

    /// Adds the outcome of a line.
    pub fn push(&mut self, line: u32, outcome: &Outcome) {
        match &outcome.row {
            Ok(row) => self.row(line, row),
            Err(report) => {
                // What the feed calls sold is not on the lot any more; every other refused row still names its vehicle.
                let named = report.code != "SOLD_IN_FEED";
                let vin = outcome.vin.as_deref().filter(|_| named);
                let stock_number = outcome.stock_number.as_deref().filter(|_| named);
                self.report(line, "REFUSED", report, vin, stock_number);
            }
        }
        outcome.warnings.iter().for_each(|warning| self.report(line, "WARNING", warning, None, None));
    }

    fn head(&mut self, line: u32, kind: &str) {
        let _ = write!(self.buffer, "{}\t{}\t{kind}", self.import_id, i32::try_from(line).unwrap_or(i32::MAX));
    }

    fn report(&mut self, line: u32, kind: &str, report: &Report, vin: Option<&str>, stock_number: Option<&str>) {
        self.head(line, kind);
        for text in [&report.column, &report.value, report.code, &report.reason] {
            field(&mut self.buffer, Some(text));
        }
        self.buffer.push_str("\t\\N");
        field(&mut self.buffer, vin);
        field(&mut self.buffer, stock_number);
        (0..FACT_COLUMNS).for_each(|_| self.buffer.push_str("\t\\N"));
        self.buffer.push('\n');
    }

    fn row(&mut self, line: u32, row: &FeedRow) {
        let mut facts = std::mem::take(&mut self.facts);
        facts.clear();
        write_facts(&mut facts, row, &self.currency);
        // The hash leaves out the line number, so that a row that only moved is unchanged, and a day counted back from an
        // age, so that the same file is the same tomorrow.
        let mut hashed = format!("{}\t{}{facts}", row.vin, row.stock_number);
        if !row.received_by_age {
            let _ = write!(hashed, "\t{:?}", row.received_on);
        }
        let hash = sha256(hashed.as_bytes());
        self.head(line, "ROW");
        // The column of a row is that of its price, for what only the comparison with the lot can say about it.
        field(&mut self.buffer, row.price_column.as_deref());
        self.buffer.push_str("\t\\N\t\\N\t\\N\t");
        let _ = write!(self.buffer, "{}", new_uuid(self.now));
        field(&mut self.buffer, Some(row.vin.as_str()));
        field(&mut self.buffer, Some(&row.stock_number));
        self.buffer.push_str("\t\\\\x");
        for byte in hash {
            let _ = write!(self.buffer, "{byte:02x}");
        }
        self.buffer.push_str(&facts);
        self.buffer.push_str(if row.received_by_age { "\tt" } else { "\tf" });
        field(&mut self.buffer, row.received_on.map(|day| day.to_string()).as_deref());
        self.buffer.push('\n');
        self.facts = facts;
    }
}

fn write_facts(out: &mut String, row: &FeedRow, store_currency: &str) {
    field(out, Some(row.vin.status().as_str()));
    field(out, Some(row.condition.as_str()));
    field(out, row.status.map(VehicleStatus::as_str));
    number(out, Some(row.model_year));
    field(out, Some(&row.make));
    field(out, Some(&row.model));
    field(out, row.trim.as_deref());
    field(out, row.body_style.map(BodyStyle::as_str));
    field(out, row.drivetrain.map(Drivetrain::as_str));
    field(out, row.fuel.map(FuelType::as_str));
    field(out, row.transmission.map(Transmission::as_str));
    field(out, row.engine.as_deref());
    number(out, row.cylinders);
    number(out, row.doors);
    number(out, row.seats);
    field(out, row.exterior_color.as_deref());
    field(out, row.exterior_color_family.map(ColorFamily::as_str));
    field(out, row.interior_color.as_deref());
    number(out, row.odometer_miles);
    for amount in [row.price, row.msrp, row.invoice, row.cost] {
        number(out, amount.map(|c| c.0));
    }
    field(out, Some(row.currency.as_ref().map_or(store_currency, |c| c.as_str())));
    number(out, row.mpg.0);
    number(out, row.mpg.1);
    number(out, row.mpg.2);
    field(out, row.description.as_deref());
    field(out, Some(&array(&row.photos)));
    let disagreements = serde_json::to_string(&row.disagreements).unwrap_or_else(|_| "[]".into());
    field(out, Some(&disagreements));
}

fn number<N: std::fmt::Display>(out: &mut String, value: Option<N>) {
    match value {
        Some(value) => {
            let _ = write!(out, "\t{value}");
        }
        None => out.push_str("\t\\N"),
    }
}

fn field(out: &mut String, value: Option<&str>) {
    out.push('\t');
    let Some(value) = value else {
        out.push_str("\\N");
        return;
    };
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // PostgreSQL's text has no NUL; cleaned texts never hold one.
            '\0' => {}
            c => out.push(c),
        }
    }
}

/// An array literal: `{"a","b"}`.
fn array(items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|i| format!("\"{}\"", i.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("{{{}}}", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_columns_counted() {
        let mut encoder = Encoder::new(Uuid::nil(), DateTime::UNIX_EPOCH, "USD");
        let report = Report { column: "a\tb".into(), value: "\\N\n\0".into(), code: "X", reason: "r".into() };
        encoder.push(7, &Outcome { row: Err(report), vin: None, stock_number: None, warnings: Vec::new() });
        let text = String::from_utf8(encoder.take()).unwrap();
        assert!(text.contains("\ta\\tb\t\\\\N\\n\tX\tr\t"), "{text:?}");
        let columns = STATEMENT.split(['(', ')']).nth(1).unwrap().split(',').count();
        assert_eq!(text.trim_end_matches('\n').split('\t').count(), columns);
    }
}
