//! Places, taxes, fees.

use super::super::column::Kind::{Bool, Choice, Code, Codes, Date, Int, Money, Percent, State, Text};
use super::super::column::{Row, fact, may, must, or};
use super::{Reference, Spec, anything, close, note};

pub(super) static JURISDICTIONS: Spec = Spec {
    name: "jurisdictions",
    columns: &[must("code", Code), must("state", State), fact("name", Text(120)), fact("postal_prefixes", Codes)],
    key: &["code"],
    references: &[],
    check: |row| {
        let (code, state) = (row.get("code").unwrap_or_default(), row.get("state").unwrap_or_default());
        if row.get("name").is_none() {
            return Some(("name", "must be filled"));
        }
        (!code.starts_with(state)).then_some(("code", "must begin with its state"))
    },
    select: "SELECT md5('place ' || code)::uuid, jsonb_build_object('code', code, 'state', state, 'name', name, 'postal_prefixes',
               (SELECT jsonb_agg(p.postal_prefix ORDER BY p.postal_prefix) FROM tax_jurisdiction_postal p WHERE p.jurisdiction = code))
             FROM tax_jurisdiction WHERE $1::uuid IS NOT NULL ORDER BY code",
    insert: "WITH r AS (SELECT * FROM jsonb_to_recordset($1) AS r (code text, state text, name text, postal_prefixes text) WHERE $2::uuid IS NOT NULL),
             places AS (INSERT INTO tax_jurisdiction (code, state, name) SELECT code, state, name FROM r ON CONFLICT DO NOTHING RETURNING 1),
             prefixes AS (INSERT INTO tax_jurisdiction_postal (postal_prefix, jurisdiction)
               SELECT unnest(string_to_array(postal_prefixes, ' ')), code FROM r ON CONFLICT DO NOTHING RETURNING 1)
             SELECT 1 FROM places UNION ALL SELECT 1 FROM prefixes",
    close: None,
    note: Some(
        "WITH place AS (UPDATE tax_jurisdiction SET name = coalesce($2->>'name', name) WHERE md5('place ' || code)::uuid = $1)
         INSERT INTO tax_jurisdiction_postal (postal_prefix, jurisdiction)
         SELECT unnest(string_to_array($2->>'postal_prefixes', ' ')), $2->>'code' ON CONFLICT DO NOTHING",
    ),
};

const SCHEMES: &[&str] = &["SALES", "HIGHWAY_USE", "TITLE_AD_VALOREM", "EXCISE", "NONE"];
const LOCAL: &[&str] = &["NONE", "STACKED", "CAPPED_BASE"];
const TRADE: &[&str] = &["NONE", "FULL", "CAPPED", "NEW_ONLY"];
const LEASE: &[&str] = &["PER_PAYMENT", "UPFRONT_TOTAL", "ON_PRICE", "NONE"];

fn tax_rule(row: &Row) -> Option<(&'static str, &'static str)> {
    let is = |column: &str, value: &str| row.get(column) == Some(value);
    let none = |column: &str| row.get(column).is_none();
    if is("local_rule", "CAPPED_BASE") && none("local_base_cap") {
        return Some(("local_base_cap", "must be filled for CAPPED_BASE"));
    }
    if is("trade_policy", "CAPPED") && none("trade_cap") {
        return Some(("trade_cap", "must be filled for CAPPED"));
    }
    if is("scheme", "NONE") && !is("state_rate", "0") {
        return Some(("state_rate", "must be 0 where the scheme is NONE"));
    }
    if is("local_rule", "NONE") && !is("local_rate", "0") {
        return Some(("local_rate", "must be 0 where local_rule is NONE"));
    }
    None
}

pub(super) static TAX_RULES: Spec = Spec {
    name: "tax_rules",
    columns: &[
        must("jurisdiction", Code),
        must("from", Date),
        may("to", Date),
        must("scheme", Choice(SCHEMES)),
        must("state_rate", Percent),
        or("local_rate", Percent, "0"),
        must("local_rule", Choice(LOCAL)),
        may("local_base_cap", Money),
        must("trade_policy", Choice(TRADE)),
        may("trade_cap", Money),
        may("trade_cap_count", Int(1, 8)),
        must("mfr_rebate", Bool),
        must("dealer_rebate", Bool),
        must("doc_fee", Bool),
        must("service_contract", Bool),
        or("service_contract_percent", Percent, "100"),
        must("gap", Bool),
        must("maintenance", Bool),
        must("other_product", Bool),
        may("product_rate", Percent),
        must("lease_method", Choice(LEASE)),
        must("lease_reduction", Bool),
        must("lease_trade_credit", Bool),
        or("minimum_tax", Money, "0.00"),
        may("maximum_tax", Money),
        may("first_base", Money),
        or("first_tax", Money, "0.00"),
        or("negative_equity", Bool, "false"),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
        fact("lease_verified", Bool),
        fact("product_verified", Bool),
        fact("note", Text(500)),
    ],
    key: &["jurisdiction"],
    references: &[("jurisdiction", Reference::Jurisdiction)],
    check: tax_rule,
    select: "SELECT id, jsonb_build_object('jurisdiction', jurisdiction, 'from', lower(effective), 'to', upper(effective), 'scheme', scheme,
               'state_rate', state_rate::text, 'local_rate', local_rate::text, 'local_rule', local_rule,
               'local_base_cap', (local_base_cap_cents / 100.0)::numeric(15,2)::text, 'trade_policy', trade_policy,
               'trade_cap', (trade_cap_cents / 100.0)::numeric(15,2)::text, 'trade_cap_count', trade_cap_count,
               'mfr_rebate', manufacturer_rebate_reduces_base, 'dealer_rebate', dealer_rebate_reduces_base, 'doc_fee', doc_fee_taxable,
               'service_contract', service_contract_taxable, 'service_contract_percent', service_contract_taxed_percent::text,
               'gap', gap_taxable, 'maintenance', maintenance_taxable, 'other_product', other_product_taxable, 'product_rate', product_rate::text, 'lease_method', lease_method)
             || jsonb_build_object('lease_reduction', lease_reduction_taxable, 'lease_trade_credit', lease_trade_credit,
               'minimum_tax', (minimum_tax_cents / 100.0)::numeric(15,2)::text, 'maximum_tax', (maximum_tax_cents / 100.0)::numeric(15,2)::text,
               'first_base', (first_base_cents / 100.0)::numeric(15,2)::text, 'first_tax', (first_tax_cents / 100.0)::numeric(15,2)::text,
               'negative_equity', negative_equity_in_base, 'source', source, 'read_on', source_read_on, 'verified', verified,
               'lease_verified', lease_verified, 'product_verified', product_verified, 'note', note)
             FROM tax_rule WHERE $1::uuid IS NOT NULL ORDER BY jurisdiction, effective",
    insert: r#"INSERT INTO tax_rule (id, jurisdiction, effective, scheme, state_rate, local_rate, local_rule, local_base_cap_cents, trade_policy,
               trade_cap_cents, trade_cap_count, manufacturer_rebate_reduces_base, dealer_rebate_reduces_base, doc_fee_taxable,
               service_contract_taxable, service_contract_taxed_percent, gap_taxable, maintenance_taxable, other_product_taxable, lease_method,
               lease_reduction_taxable, lease_trade_credit, minimum_tax_cents, maximum_tax_cents, first_base_cents, first_tax_cents,
               negative_equity_in_base, source, source_read_on, verified, lease_verified, note, product_rate, product_verified)
             SELECT md5('tax_rule ' || r.jurisdiction || r."from")::uuid, r.jurisdiction, daterange(r."from", r."to"), r.scheme, r.state_rate,
               r.local_rate, r.local_rule, r.local_base_cap * 100, r.trade_policy, r.trade_cap * 100, r.trade_cap_count, r.mfr_rebate,
               r.dealer_rebate, r.doc_fee, r.service_contract, r.service_contract_percent, r.gap, r.maintenance, r.other_product, r.lease_method,
               r.lease_reduction, r.lease_trade_credit, r.minimum_tax * 100, r.maximum_tax * 100, r.first_base * 100, r.first_tax * 100,
               r.negative_equity, coalesce(r.source, 'Not said'), coalesce(r.read_on, current_date), coalesce(r.verified, false),
               coalesce(r.lease_verified, false), r.note, r.product_rate, coalesce(r.product_verified, r.verified, false)
             FROM jsonb_to_recordset($1) AS r (jurisdiction text, "from" date, "to" date, scheme text, state_rate numeric, local_rate numeric,
               local_rule text, local_base_cap numeric, trade_policy text, trade_cap numeric, trade_cap_count int, mfr_rebate bool,
               dealer_rebate bool, doc_fee bool, service_contract bool, service_contract_percent numeric, gap bool, maintenance bool,
               other_product bool, lease_method text, lease_reduction bool, lease_trade_credit bool, minimum_tax numeric, maximum_tax numeric,
               first_base numeric, first_tax numeric, negative_equity bool, source text, read_on date, verified bool, lease_verified bool, note text,
               product_rate numeric, product_verified bool)
             WHERE $2::uuid IS NOT NULL ON CONFLICT DO NOTHING"#,
    close: close!("tax_rule"),
    note: Some(
        "UPDATE tax_rule SET source = coalesce($2->>'source', source), source_read_on = coalesce(($2->>'read_on')::date, source_read_on),
           verified = coalesce(($2->>'verified')::bool, verified), lease_verified = coalesce(($2->>'lease_verified')::bool, lease_verified),
           product_verified = coalesce(($2->>'product_verified')::bool, product_verified),
           note = coalesce($2->>'note', note) WHERE id = $1",
    ),
};

const SCOPES: &[&str] = &["ALL", "PURCHASE", "LEASE"];

pub(super) static GOVERNMENT_FEES: Spec = Spec {
    name: "government_fees",
    columns: &[
        must("jurisdiction", Code),
        must("code", Code),
        must("label", Text(120)),
        must("amount", Money),
        may("cap", Money),
        may("cap_percent", Percent),
        or("applies_to", Choice(SCOPES), "ALL"),
        or("estimate", Bool, "false"),
        must("from", Date),
        may("to", Date),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
    ],
    key: &["jurisdiction", "code"],
    references: &[("jurisdiction", Reference::Jurisdiction)],
    check: anything,
    select: "SELECT id, jsonb_build_object('jurisdiction', jurisdiction, 'code', code, 'label', label, 'amount', (amount_cents / 100.0)::numeric(15,2)::text,
               'cap', (cap_cents / 100.0)::numeric(15,2)::text, 'cap_percent', cap_percent::text, 'applies_to', applies_to, 'estimate', estimate,
               'from', lower(effective), 'to', upper(effective), 'source', source, 'read_on', source_read_on, 'verified', verified)
             FROM fee_rule WHERE jurisdiction IS NOT NULL AND $1::uuid IS NOT NULL ORDER BY jurisdiction, code, effective",
    insert: r#"INSERT INTO fee_rule (id, jurisdiction, code, label, amount_cents, cap_cents, cap_percent, applies_to, estimate, effective, source,
               source_read_on, verified)
             SELECT md5('fee_rule ' || r.jurisdiction || r.code || r."from")::uuid, r.jurisdiction, r.code, r.label, r.amount * 100, r.cap * 100,
               r.cap_percent, r.applies_to, r.estimate, daterange(r."from", r."to"), coalesce(r.source, 'Not said'),
               coalesce(r.read_on, current_date), coalesce(r.verified, false)
             FROM jsonb_to_recordset($1) AS r (jurisdiction text, code text, label text, amount numeric, cap numeric, cap_percent numeric,
               applies_to text, estimate bool, "from" date, "to" date, source text, read_on date, verified bool)
             WHERE $2::uuid IS NOT NULL ON CONFLICT DO NOTHING"#,
    close: close!("fee_rule"),
    note: note!("fee_rule"),
};

pub(super) static STORE_FEES: Spec = Spec {
    name: "store_fees",
    columns: &[
        must("store", Code),
        must("code", Code),
        must("label", Text(120)),
        must("amount", Money),
        may("cap", Money),
        may("cap_percent", Percent),
        or("applies_to", Choice(SCOPES), "ALL"),
        must("from", Date),
        may("to", Date),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
    ],
    key: &["store", "code"],
    references: &[("store", Reference::Store)],
    check: anything,
    select: "SELECT f.id, jsonb_build_object('store', s.code, 'code', f.code, 'label', f.label, 'amount', (f.amount_cents / 100.0)::numeric(15,2)::text,
               'cap', (f.cap_cents / 100.0)::numeric(15,2)::text, 'cap_percent', f.cap_percent::text, 'applies_to', f.applies_to,
               'from', lower(f.effective), 'to', upper(f.effective), 'source', f.source, 'read_on', f.source_read_on, 'verified', f.verified)
             FROM fee_rule f JOIN store s ON s.id = f.store_id WHERE s.group_id = $1 ORDER BY s.code, f.code, f.effective",
    insert: r#"INSERT INTO fee_rule (id, store_id, code, label, amount_cents, cap_cents, cap_percent, applies_to, effective, source, source_read_on, verified)
             SELECT md5('fee_rule ' || s.id || r.code || r."from")::uuid, s.id, r.code, r.label, r.amount * 100, r.cap * 100, r.cap_percent,
               r.applies_to, daterange(r."from", r."to"), coalesce(r.source, 'Not said'), coalesce(r.read_on, current_date),
               coalesce(r.verified, false)
             FROM jsonb_to_recordset($1) AS r (store text, code text, label text, amount numeric, cap numeric, cap_percent numeric,
               applies_to text, "from" date, "to" date, source text, read_on date, verified bool)
             JOIN store s ON s.code = r.store AND s.group_id = $2
             ON CONFLICT DO NOTHING"#,
    close: close!("fee_rule"),
    note: note!("fee_rule"),
};
