//! The last days that follow a sale.

use super::super::column::Kind::{Bool, Choice, Choices, Date, Int, Money, State, Text};
use super::super::column::{fact, may, must};
use super::{Spec, anything, close};

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
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
        fact("note", Text(500)),
    ],
    key: &["state", "kind"],
    references: &[],
    check: anything,
    select: "SELECT id, jsonb_build_object('state', state, 'kind', kind, 'from', lower(effective), 'to', upper(effective), 'days', days,
               'counts_from', counts_from, 'conditions', conditions, 'max_price', (max_price_cents / 100.0)::numeric(15,2)::text,
               'max_miles', max_miles, 'source', source, 'read_on', source_read_on, 'verified', verified, 'note', note)
             FROM delivery_law WHERE $1::uuid IS NOT NULL ORDER BY state, kind, effective",
    insert: r#"INSERT INTO delivery_law (id, state, kind, effective, days, counts_from, conditions, max_price_cents, max_miles, source, source_read_on,
               verified, note)
             SELECT md5('delivery_law ' || r.state || r.kind || r."from")::uuid, r.state, r.kind, daterange(r."from", r."to"), r.days, r.counts_from,
               string_to_array(coalesce(r.conditions, ''), ' '), r.max_price * 100, r.max_miles, coalesce(r.source, 'Not said'),
               coalesce(r.read_on, current_date), coalesce(r.verified, false), r.note
             FROM jsonb_to_recordset($1) AS r (state text, kind text, "from" date, "to" date, days int, counts_from text, conditions text,
               max_price numeric, max_miles int, source text, read_on date, verified bool, note text)
             WHERE $2::uuid IS NOT NULL ON CONFLICT DO NOTHING"#,
    close: close!("delivery_law"),
    note: Some(
        "UPDATE delivery_law SET source = coalesce($2->>'source', source), source_read_on = coalesce(($2->>'read_on')::date, source_read_on),
           verified = coalesce(($2->>'verified')::bool, verified), note = coalesce($2->>'note', note) WHERE id = $1",
    ),
};
