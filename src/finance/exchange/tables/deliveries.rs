//! The last days that follow a sale.

use super::super::column::Kind::{Bool, Choice, Choices, Date, Int, Money, Percent, State, Text};
use super::super::column::{Row, fact, may, must};
use super::{Spec, close};

/// What a buyer is charged for a return: the parts of each fee belong together, and a sale that the seller calls off costs nothing.
fn fees(row: &Row) -> Option<(&'static str, &'static str)> {
    let number = |column: &str| row.get(column).and_then(|text| text.parse::<rust_decimal::Decimal>().ok());
    let has = |column: &str| row.get(column).is_some();
    let stray = |whole: &str, parts: &[&'static str]| parts.iter().copied().find(|part| !has(whole) && has(part));
    if row.get("kind") != Some("RETURN")
        && let Some(column) = ["restock_percent", "mile_fee"].into_iter().find(|column| has(column))
    {
        return Some((column, "only for a RETURN: a sale the seller calls off costs the buyer nothing"));
    }
    if let Some(column) = stray("restock_percent", &["restock_min", "restock_max"]) {
        return Some((column, "needs restock_percent"));
    }
    if let Some(column) = stray("mile_fee", &["mile_free", "mile_fee_max", "mile_verified"]) {
        return Some((column, "needs mile_fee"));
    }
    if has("mile_fee") && !has("mile_free") {
        return Some(("mile_free", "must be filled with mile_fee: 0 when the first mile already costs"));
    }
    if number("restock_percent").is_some_and(|percent| percent > rust_decimal::Decimal::ONE_HUNDRED) {
        return Some(("restock_percent", "at most 100"));
    }
    if number("restock_min").zip(number("restock_max")).is_some_and(|(min, max)| min > max) {
        return Some(("restock_max", "must not be below restock_min"));
    }
    ["mile_fee", "mile_fee_max"]
        .into_iter()
        .find(|column| number(column).is_some_and(|fee| fee.is_zero()))
        .map(|column| (column, "more than 0.00"))
}

pub(super) static LAWS: Spec = Spec {
    name: "delivery_laws",
    columns: &[
        must("state", State),
        must("kind", Choice(&["SPOT_CANCEL", "RETURN"])),
        must("from", Date),
        may("to", Date),
        must("days", Int(1, 60)),
        must("counts_from", Choice(&["CONTRACT", "DELIVERY"])),
        may("conditions", Choices(&["NEW", "USED", "CERTIFIED"])),
        may("max_price", Money),
        may("max_miles", Int(1, 2_000_000)),
        // What the seller may keep of a return: percent points of the price between a least and a most …
        may("restock_percent", Percent),
        may("restock_min", Money),
        may("restock_max", Money),
        // … and so much for each mile beyond the free ones, at most so much. Checked by a person apart from the rest of the row.
        may("mile_fee", Money),
        may("mile_free", Int(0, 2_000_000)),
        may("mile_fee_max", Money),
        fact("mile_verified", Bool),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
        fact("note", Text(500)),
    ],
    key: &["state", "kind"],
    references: &[],
    check: fees,
    select: "SELECT id, jsonb_build_object('state', state, 'kind', kind, 'from', lower(effective), 'to', upper(effective), 'days', days,
               'counts_from', counts_from, 'conditions', conditions, 'max_price', (max_price_cents / 100.0)::numeric(15,2)::text,
               'max_miles', max_miles, 'restock_percent', trim_scale(restock_percent)::text,
               'restock_min', (restock_min_cents / 100.0)::numeric(15,2)::text, 'restock_max', (restock_max_cents / 100.0)::numeric(15,2)::text,
               'mile_fee', (mile_fee_cents / 100.0)::numeric(15,2)::text, 'mile_free', mile_fee_free,
               'mile_fee_max', (mile_fee_max_cents / 100.0)::numeric(15,2)::text, 'mile_verified', mile_fee_verified, 'source', source, 'read_on', source_read_on, 'verified', verified, 'note', note)
             FROM delivery_law WHERE $1::uuid IS NOT NULL ORDER BY state, kind, effective",
    insert: r#"INSERT INTO delivery_law (id, state, kind, effective, days, counts_from, conditions, max_price_cents, max_miles, restock_percent,
               restock_min_cents, restock_max_cents, mile_fee_cents, mile_fee_free, mile_fee_max_cents, mile_fee_verified, source, source_read_on,
               verified, note)
             SELECT md5('delivery_law ' || r.state || r.kind || r."from")::uuid, r.state, r.kind, daterange(r."from", r."to"), r.days, r.counts_from,
               string_to_array(coalesce(r.conditions, ''), ' '), r.max_price * 100, r.max_miles, r.restock_percent, r.restock_min * 100,
               r.restock_max * 100, r.mile_fee * 100, r.mile_free, r.mile_fee_max * 100,
               CASE WHEN r.mile_fee IS NOT NULL THEN coalesce(r.mile_verified, false) END, coalesce(r.source, 'Not said'),
               coalesce(r.read_on, current_date), coalesce(r.verified, false), r.note
             FROM jsonb_to_recordset($1) AS r (state text, kind text, "from" date, "to" date, days int, counts_from text, conditions text,
               max_price numeric, max_miles int, restock_percent numeric, restock_min numeric, restock_max numeric, mile_fee numeric, mile_free int,
               mile_fee_max numeric, mile_verified bool, source text, read_on date, verified bool, note text)
             WHERE $2::uuid IS NOT NULL ON CONFLICT DO NOTHING"#,
    close: close!("delivery_law"),
    note: Some(
        "UPDATE delivery_law SET source = coalesce($2->>'source', source), source_read_on = coalesce(($2->>'read_on')::date, source_read_on),
           verified = coalesce(($2->>'verified')::bool, verified),
           mile_fee_verified = CASE WHEN mile_fee_cents IS NOT NULL THEN coalesce(($2->>'mile_verified')::bool, mile_fee_verified) END, note = coalesce($2->>'note', note) WHERE id = $1",
    ),
};
