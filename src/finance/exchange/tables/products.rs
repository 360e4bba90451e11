//! Protection products, their rate sheets, and the law on them.

use super::super::column::Kind::{Bool, Choice, Choices, Code, Codes, Date, Int, Money, Percent, State, Text};
use super::super::column::{fact, may, must, or};
use super::{Reference, Spec, anything, close, rises};

const KINDS: &[&str] = &["SERVICE_CONTRACT", "GAP", "MAINTENANCE", "TIRE_AND_WHEEL", "APPEARANCE", "THEFT", "KEY", "LEASE_WEAR"];
const CONDITIONS: &[&str] = &["NEW", "USED", "CERTIFIED"];
const DEALS: &[&str] = &["CASH", "RETAIL", "LEASE"];
const FUELS: &[&str] = &["GASOLINE", "DIESEL", "HYBRID", "PLUG_IN_HYBRID", "ELECTRIC", "FLEX_FUEL", "HYDROGEN", "NATURAL_GAS", "OTHER"];

pub(super) static PRODUCTS: Spec = Spec {
    name: "products",
    columns: &[
        must("code", Code),
        must("kind", Choice(KINDS)),
        must("name", Text(120)),
        must("provider", Text(120)),
        may("term_months", Int(1, 180)),
        may("term_miles", Int(1, 1_000_000)),
        may("deductible", Money),
        must("price", Money),
        must("cost", Money),
        may("conditions", Choices(CONDITIONS)),
        may("deal_kinds", Choices(DEALS)),
        may("states", Codes),
        may("max_age", Int(0, 50)),
        may("max_miles", Int(0, 1_000_000)),
        may("max_ltv", Percent),
        or("menu_columns", Int(1, 4), "2"),
        or("must_decide", Bool, "false"),
        or("cancel_method", Choice(&["PRO_RATA", "RULE_OF_78", "NONE"]), "PRO_RATA"),
        or("free_look_days", Int(0, 365), "30"),
        or("cancel_fee", Money, "0.00"),
        must("from", Date),
        may("to", Date),
    ],
    key: &["code"],
    references: &[],
    check: |row| {
        let none = row.get("term_months").is_none() && row.get("cancel_method") != Some("NONE");
        none.then_some(("term_months", "must be filled where the product can be cancelled"))
    },
    select: "SELECT id, jsonb_build_object('code', code, 'kind', kind, 'name', name, 'provider', provider, 'term_months', term_months,
               'term_miles', term_miles, 'deductible', (deductible_cents / 100.0)::numeric(15,2)::text,
               'price', (price_cents / 100.0)::numeric(15,2)::text, 'cost', (cost_cents / 100.0)::numeric(15,2)::text, 'conditions', conditions,
               'deal_kinds', deal_kinds, 'states', states, 'max_age', max_age_years, 'max_miles', max_odometer_miles, 'max_ltv', max_ltv_percent::text,
               'menu_columns', menu_columns, 'must_decide', must_decide, 'cancel_method', cancel_method, 'free_look_days', free_look_days,
               'cancel_fee', (cancel_fee_cents / 100.0)::numeric(15,2)::text, 'from', lower(effective), 'to', upper(effective))
             FROM product WHERE group_id = $1 ORDER BY code, effective",
    insert: r#"INSERT INTO product (id, group_id, code, kind, name, provider, term_months, term_miles, deductible_cents, price_cents, cost_cents, conditions,
               deal_kinds, states, max_age_years, max_odometer_miles, max_ltv_percent, menu_columns, cancel_method, free_look_days, cancel_fee_cents,
               effective, must_decide)
             SELECT md5('product ' || $2::uuid || r.code || r."from")::uuid, $2, r.code, r.kind, r.name, r.provider, r.term_months, r.term_miles,
               r.deductible * 100, r.price * 100, r.cost * 100, string_to_array(coalesce(r.conditions, ''), ' '),
               string_to_array(coalesce(r.deal_kinds, ''), ' '), string_to_array(coalesce(r.states, ''), ' '), r.max_age, r.max_miles, r.max_ltv,
               r.menu_columns, r.cancel_method, r.free_look_days, r.cancel_fee * 100, daterange(r."from", r."to"), r.must_decide
             FROM jsonb_to_recordset($1) AS r (code text, kind text, name text, provider text, term_months int, term_miles int, deductible numeric,
               price numeric, cost numeric, conditions text, deal_kinds text, states text, max_age int, max_miles int, max_ltv numeric,
               menu_columns int, cancel_method text, free_look_days int, cancel_fee numeric, "from" date, "to" date,
               must_decide bool)
             ON CONFLICT DO NOTHING"#,
    close: close!("product"),
    note: None,
};

pub(super) static CLASSES: Spec = Spec {
    name: "product_vehicle_classes",
    columns: &[must("make", Text(60)), may("fuel", Choice(FUELS)), must("class", Code)],
    key: &["make", "fuel"],
    references: &[],
    check: anything,
    select: "SELECT id, jsonb_build_object('make', make, 'fuel', fuel, 'class', class) FROM product_vehicle_class WHERE group_id = $1
             ORDER BY make, fuel",
    insert: "INSERT INTO product_vehicle_class (id, group_id, make, fuel, class)
             SELECT md5('product_vehicle_class ' || $2::uuid || r.make || coalesce(r.fuel, ''))::uuid, $2, r.make, r.fuel, r.class
             FROM jsonb_to_recordset($1) AS r (make text, fuel text, class text) ON CONFLICT DO NOTHING",
    close: None,
    note: None,
};

pub(super) static RATES: Spec = Spec {
    name: "product_rates",
    columns: &[
        must("product", Code),
        must("class", Code),
        may("condition", Choice(CONDITIONS)),
        or("age_from", Int(0, 100), "0"),
        or("age_to", Int(1, 1000), "1000"),
        or("miles_from", Int(0, 1_000_000), "0"),
        or("miles_to", Int(1, 10_000_000), "10000000"),
        must("price", Money),
        must("cost", Money),
        must("from", Date),
        may("to", Date),
    ],
    key: &["product", "class", "condition", "age_from", "miles_from"],
    references: &[("product", Reference::Product)],
    check: |row| {
        if !rises(row, "age_from", "age_to") {
            return Some(("age_to", "must be above age_from"));
        }
        (!rises(row, "miles_from", "miles_to")).then_some(("miles_to", "must be above miles_from"))
    },
    select: "SELECT id, jsonb_build_object('product', product_code, 'class', vehicle_class, 'condition', condition, 'age_from', age_from, 'age_to', age_to,
               'miles_from', miles_from, 'miles_to', miles_to, 'price', (price_cents / 100.0)::numeric(15,2)::text,
               'cost', (cost_cents / 100.0)::numeric(15,2)::text, 'from', lower(effective), 'to', upper(effective))
             FROM product_rate WHERE group_id = $1 ORDER BY product_code, vehicle_class, condition NULLS FIRST, age_from, miles_from, effective",
    insert: r#"INSERT INTO product_rate (id, group_id, product_code, vehicle_class, condition, age_from, age_to, miles_from, miles_to, price_cents, cost_cents,
               effective)
             SELECT md5('product_rate ' || $2::uuid || r.product || ' ' || r.class || ' ' || coalesce(r.condition, '') || ' ' || r.age_from || ' '
               || r.miles_from || r."from")::uuid, $2, r.product, r.class, r.condition, r.age_from, r.age_to, r.miles_from, r.miles_to,
               r.price * 100, r.cost * 100, daterange(r."from", r."to")
             FROM jsonb_to_recordset($1) AS r (product text, class text, condition text, age_from int, age_to int, miles_from int, miles_to int,
               price numeric, cost numeric, "from" date, "to" date)
             ON CONFLICT DO NOTHING"#,
    close: close!("product_rate"),
    note: None,
};

pub(super) static LAWS: Spec = Spec {
    name: "product_laws",
    columns: &[
        must("state", State),
        must("kind", Choice(KINDS)),
        must("from", Date),
        may("to", Date),
        may("price_cap_percent", Percent),
        may("min_ltv", Percent),
        may("free_look_days", Int(0, 365)),
        may("cancel_fee_cap", Money),
        or("rule_of_78_allowed", Bool, "false"),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
        fact("note", Text(500)),
    ],
    key: &["state", "kind"],
    references: &[],
    check: anything,
    select: "SELECT id, jsonb_build_object('state', state, 'kind', kind, 'from', lower(effective), 'to', upper(effective),
               'price_cap_percent', price_cap_percent::text, 'min_ltv', min_ltv_percent::text, 'free_look_days', free_look_days,
               'cancel_fee_cap', (cancel_fee_cap_cents / 100.0)::numeric(15,2)::text, 'rule_of_78_allowed', rule_of_78_allowed, 'source', source,
               'read_on', source_read_on, 'verified', verified, 'note', note)
             FROM product_law WHERE $1::uuid IS NOT NULL ORDER BY state, kind, effective",
    insert: r#"INSERT INTO product_law (id, state, kind, effective, price_cap_percent, min_ltv_percent, free_look_days, cancel_fee_cap_cents,
               rule_of_78_allowed, source, source_read_on, verified, note)
             SELECT md5('product_law ' || r.state || r.kind || r."from")::uuid, r.state, r.kind, daterange(r."from", r."to"), r.price_cap_percent,
               r.min_ltv, r.free_look_days, r.cancel_fee_cap * 100, r.rule_of_78_allowed, coalesce(r.source, 'Not said'),
               coalesce(r.read_on, current_date), coalesce(r.verified, false), r.note
             FROM jsonb_to_recordset($1) AS r (state text, kind text, "from" date, "to" date, price_cap_percent numeric, min_ltv numeric,
               free_look_days int, cancel_fee_cap numeric, rule_of_78_allowed bool, source text, read_on date, verified bool, note text)
             WHERE $2::uuid IS NOT NULL ON CONFLICT DO NOTHING"#,
    close: close!("product_law"),
    note: Some(
        "UPDATE product_law SET source = coalesce($2->>'source', source), source_read_on = coalesce(($2->>'read_on')::date, source_read_on),
           verified = coalesce(($2->>'verified')::bool, verified), note = coalesce($2->>'note', note) WHERE id = $1",
    ),
};
