//! What guide books say vehicles are worth, by VIN: a new file closes the values before it.

use super::super::column::Kind::{Bool, Date, Money, Text};
use super::super::column::{fact, may, must};
use super::{Spec, close, note};
use crate::finance::exchange::column::Row;

fn value(row: &Row) -> Option<(&'static str, &'static str)> {
    let vin = row.get("vin").unwrap_or_default();
    if vin.len() != 17 || !vin.chars().all(|c| c.is_ascii_digit() || (c.is_ascii_uppercase() && !matches!(c, 'I' | 'O' | 'Q'))) {
        return Some(("vin", "must be a VIN of 17 capital letters and digits"));
    }
    let neither = row.get("wholesale").is_none() && row.get("retail").is_none();
    neither.then_some(("wholesale", "one of the two values must be filled"))
}

pub(super) static VALUES: Spec = Spec {
    name: "guide_values",
    columns: &[
        must("vin", Text(17)),
        may("wholesale", Money),
        may("retail", Money),
        must("from", Date),
        may("to", Date),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
    ],
    key: &["vin"],
    references: &[],
    check: value,
    select: "SELECT id, jsonb_build_object('vin', vin, 'wholesale', (wholesale_cents / 100.0)::numeric(15,2)::text,
               'retail', (retail_cents / 100.0)::numeric(15,2)::text, 'from', lower(effective), 'to', upper(effective), 'source', source,
               'read_on', source_read_on, 'verified', verified)
             FROM guide_value WHERE group_id = $1 ORDER BY vin, effective",
    insert: r#"INSERT INTO guide_value (id, group_id, vin, wholesale_cents, retail_cents, effective, source, source_read_on, verified)
             SELECT md5('guide_value ' || $2::uuid || r.vin || r."from")::uuid, $2, r.vin, r.wholesale * 100, r.retail * 100,
               daterange(r."from", r."to"), coalesce(r.source, 'Not said'), coalesce(r.read_on, current_date), coalesce(r.verified, false)
             FROM jsonb_to_recordset($1) AS r (vin text, wholesale numeric, retail numeric, "from" date, "to" date, source text, read_on date,
               verified bool)
             ON CONFLICT DO NOTHING"#,
    close: close!("guide_value"),
    note: note!("guide_value"),
};
