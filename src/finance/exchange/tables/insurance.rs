//! Insurers, their sheets, and what states and lenders ask.

use super::super::column::Kind::{Bool, Choice, Code, Codes, Date, Factor, Int, Money, Percent, State, Text};
use super::super::column::{fact, may, must, or};
use super::{Reference, Spec, anything, close, note, rises};

const COVERAGES: &[&str] = &["BODILY_INJURY", "PROPERTY_DAMAGE", "UNINSURED_MOTORIST", "MEDICAL", "COMPREHENSIVE", "COLLISION"];
const SUBJECTS: &[&str] = &[
    "DRIVER_AGE",
    "YEARS_LICENSED",
    "VIOLATIONS",
    "GENDER",
    "CREDIT_BAND",
    "TERRITORY",
    "ANNUAL_MILES",
    "VEHICLE_VALUE",
    "VEHICLE_AGE",
    "DEDUCTIBLE",
    "LIMIT",
    "PRIOR_LAPSE",
    "TERM",
];

pub(super) static INSURERS: Spec = Spec {
    name: "insurers",
    columns: &[must("code", Code), must("name", Text(120))],
    key: &["code"],
    references: &[],
    check: anything,
    select: "SELECT id, jsonb_build_object('code', code, 'name', name) FROM insurer WHERE group_id = $1 ORDER BY code",
    insert: "INSERT INTO insurer (id, group_id, code, name) SELECT md5('insurer ' || $2::uuid || r.code)::uuid, $2, r.code, r.name
             FROM jsonb_to_recordset($1) AS r (code text, name text) ON CONFLICT DO NOTHING",
    close: None,
    note: None,
};

pub(super) static RATES: Spec = Spec {
    name: "insurance_rates",
    columns: &[
        must("insurer", Code),
        must("state", State),
        must("coverage", Choice(COVERAGES)),
        must("base", Money),
        must("from", Date),
        may("to", Date),
        fact("source", Text(500)),
        fact("verified", Bool),
    ],
    key: &["insurer", "state", "coverage"],
    references: &[("insurer", Reference::Insurer)],
    check: anything,
    select: "SELECT r.id, jsonb_build_object('insurer', i.code, 'state', r.state, 'coverage', r.coverage, 'base', (r.base_cents / 100.0)::numeric(15,2)::text,
               'from', lower(r.effective), 'to', upper(r.effective), 'source', r.source, 'verified', r.verified)
             FROM insurance_rate r JOIN insurer i ON i.id = r.insurer_id WHERE i.group_id = $1 ORDER BY i.code, r.state, r.coverage, r.effective",
    insert: r#"INSERT INTO insurance_rate (id, insurer_id, state, coverage, base_cents, effective, source, verified)
             SELECT md5('insurance_rate ' || i.id || r.state || r.coverage || r."from")::uuid, i.id, r.state, r.coverage, r.base * 100,
               daterange(r."from", r."to"), coalesce(r.source, 'Not said'), coalesce(r.verified, false)
             FROM jsonb_to_recordset($1) AS r (insurer text, state text, coverage text, base numeric, "from" date, "to" date, source text, verified bool)
             JOIN insurer i ON i.group_id = $2 AND i.code = r.insurer
             ON CONFLICT DO NOTHING"#,
    close: close!("insurance_rate"),
    note: Some(
        "UPDATE insurance_rate SET source = coalesce($2->>'source', source), verified = coalesce(($2->>'verified')::bool, verified) WHERE id = $1",
    ),
};

pub(super) static FACTORS: Spec = Spec {
    name: "insurance_factors",
    columns: &[
        must("insurer", Code),
        must("subject", Choice(SUBJECTS)),
        may("coverage", Choice(COVERAGES)),
        must("from_value", Int(0, 1_000_000_000)),
        must("to_value", Int(1, 1_000_000_000)),
        must("factor", Factor),
        may("barred_states", Codes),
        must("from", Date),
        may("to", Date),
        fact("source", Text(500)),
    ],
    key: &["insurer", "subject", "coverage", "from_value"],
    references: &[("insurer", Reference::Insurer)],
    check: |row| (!rises(row, "from_value", "to_value")).then_some(("to_value", "must be above from_value")),
    select: "SELECT f.id, jsonb_build_object('insurer', i.code, 'subject', f.subject, 'coverage', f.coverage, 'from_value', f.from_value,
               'to_value', f.to_value, 'factor', f.factor::text, 'barred_states', f.barred_states, 'from', lower(f.effective),
               'to', upper(f.effective), 'source', f.source)
             FROM insurance_factor f JOIN insurer i ON i.id = f.insurer_id WHERE i.group_id = $1
             ORDER BY i.code, f.subject, f.coverage NULLS FIRST, f.from_value, f.effective",
    insert: r#"INSERT INTO insurance_factor (id, insurer_id, subject, coverage, from_value, to_value, factor, barred_states, effective, source)
             SELECT md5('insurance_factor ' || i.id || r.subject || coalesce(r.coverage, '') || ' ' || r.from_value || r."from")::uuid, i.id, r.subject,
               r.coverage, r.from_value, r.to_value, r.factor, string_to_array(coalesce(r.barred_states, ''), ' '), daterange(r."from", r."to"),
               coalesce(r.source, 'Not said')
             FROM jsonb_to_recordset($1) AS r (insurer text, subject text, coverage text, from_value bigint, to_value bigint, factor numeric,
               barred_states text, "from" date, "to" date, source text)
             JOIN insurer i ON i.group_id = $2 AND i.code = r.insurer
             ON CONFLICT DO NOTHING"#,
    close: close!("insurance_factor"),
    note: Some("UPDATE insurance_factor SET source = coalesce($2->>'source', source) WHERE id = $1"),
};

pub(super) static BARRED: Spec = Spec {
    name: "insurance_barred",
    columns: &[
        must("state", State),
        must("subject", Choice(SUBJECTS)),
        must("from", Date),
        may("to", Date),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
    ],
    key: &["state", "subject"],
    references: &[],
    check: anything,
    select: "SELECT id, jsonb_build_object('state', state, 'subject', subject, 'from', lower(effective), 'to', upper(effective), 'source', source,
               'read_on', source_read_on, 'verified', verified)
             FROM insurance_barred WHERE $1::uuid IS NOT NULL ORDER BY state, subject, effective",
    insert: r#"INSERT INTO insurance_barred (id, state, subject, effective, source, source_read_on, verified)
             SELECT md5('insurance_barred ' || r.state || r.subject || r."from")::uuid, r.state, r.subject, daterange(r."from", r."to"),
               coalesce(r.source, 'Not said'), coalesce(r.read_on, current_date), coalesce(r.verified, false)
             FROM jsonb_to_recordset($1) AS r (state text, subject text, "from" date, "to" date, source text, read_on date, verified bool)
             WHERE $2::uuid IS NOT NULL ON CONFLICT DO NOTHING"#,
    close: close!("insurance_barred"),
    note: note!("insurance_barred"),
};

pub(super) static MINIMUMS: Spec = Spec {
    name: "insurance_minimums",
    columns: &[
        must("state", State),
        must("bodily_injury_person", Money),
        must("bodily_injury_accident", Money),
        must("property_damage", Money),
        or("personal_injury", Money, "0.00"),
        or("uninsured_required", Bool, "false"),
        must("from", Date),
        may("to", Date),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
    ],
    key: &["state"],
    references: &[],
    check: anything,
    select:
        "SELECT id, jsonb_build_object('state', state, 'bodily_injury_person', (bodily_injury_person_cents / 100.0)::numeric(15,2)::text,
               'bodily_injury_accident', (bodily_injury_accident_cents / 100.0)::numeric(15,2)::text,
               'property_damage', (property_damage_cents / 100.0)::numeric(15,2)::text,
               'personal_injury', (personal_injury_cents / 100.0)::numeric(15,2)::text, 'uninsured_required', uninsured_required,
               'from', lower(effective), 'to', upper(effective), 'source', source, 'read_on', source_read_on, 'verified', verified)
             FROM insurance_minimum WHERE $1::uuid IS NOT NULL ORDER BY state, effective",
    insert: r#"INSERT INTO insurance_minimum (id, state, bodily_injury_person_cents, bodily_injury_accident_cents, property_damage_cents,
               personal_injury_cents, uninsured_required, effective, source, source_read_on, verified)
             SELECT md5('insurance_minimum ' || r.state || r."from")::uuid, r.state, r.bodily_injury_person * 100, r.bodily_injury_accident * 100,
               r.property_damage * 100, r.personal_injury * 100, r.uninsured_required, daterange(r."from", r."to"), coalesce(r.source, 'Not said'),
               coalesce(r.read_on, current_date), coalesce(r.verified, false)
             FROM jsonb_to_recordset($1) AS r (state text, bodily_injury_person numeric, bodily_injury_accident numeric, property_damage numeric,
               personal_injury numeric, uninsured_required bool, "from" date, "to" date, source text, read_on date, verified bool)
             WHERE $2::uuid IS NOT NULL ON CONFLICT DO NOTHING"#,
    close: close!("insurance_minimum"),
    note: note!("insurance_minimum"),
};

pub(super) static PAY_PLANS: Spec = Spec {
    name: "insurance_pay_plans",
    columns: &[
        must("insurer", Code),
        must("code", Code),
        must("name", Text(120)),
        must("payments", Int(1, 12)),
        must("first_percent", Percent),
        or("fee", Money, "0.00"),
        or("discount_percent", Percent, "0"),
        must("from", Date),
        may("to", Date),
    ],
    key: &["insurer", "code"],
    references: &[("insurer", Reference::Insurer)],
    check: anything,
    select: "SELECT p.id, jsonb_build_object('insurer', i.code, 'code', p.code, 'name', p.name, 'payments', p.payments,
               'first_percent', p.first_percent::text, 'fee', (p.fee_cents / 100.0)::numeric(15,2)::text,
               'discount_percent', p.discount_percent::text, 'from', lower(p.effective), 'to', upper(p.effective))
             FROM insurance_pay_plan p JOIN insurer i ON i.id = p.insurer_id WHERE i.group_id = $1 ORDER BY i.code, p.code, p.effective",
    insert: r#"INSERT INTO insurance_pay_plan (id, insurer_id, code, name, payments, first_percent, fee_cents, discount_percent, effective)
             SELECT md5('insurance_pay_plan ' || i.id || r.code || r."from")::uuid, i.id, r.code, r.name, r.payments, r.first_percent, r.fee * 100,
               r.discount_percent, daterange(r."from", r."to")
             FROM jsonb_to_recordset($1) AS r (insurer text, code text, name text, payments int, first_percent numeric, fee numeric,
               discount_percent numeric, "from" date, "to" date)
             JOIN insurer i ON i.group_id = $2 AND i.code = r.insurer
             ON CONFLICT DO NOTHING"#,
    close: close!("insurance_pay_plan"),
    note: None,
};

pub(super) static DEMANDS: Spec = Spec {
    name: "insurance_demands",
    columns: &[
        may("lender", Code),
        must("interest", Choice(&["LOAN", "LEASE"])),
        must("max_deductible", Money),
        or("bodily_injury_person", Money, "0.00"),
        or("bodily_injury_accident", Money, "0.00"),
        or("property_damage", Money, "0.00"),
        or("loss_payee", Bool, "true"),
        or("additional_insured", Bool, "false"),
        must("from", Date),
        may("to", Date),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
    ],
    key: &["lender", "interest"],
    references: &[("lender", Reference::Lender)],
    check: anything,
    select: "SELECT id, jsonb_build_object('lender', lender_code, 'interest', interest, 'max_deductible', (max_deductible_cents / 100.0)::numeric(15,2)::text,
               'bodily_injury_person', (bodily_injury_person_cents / 100.0)::numeric(15,2)::text,
               'bodily_injury_accident', (bodily_injury_accident_cents / 100.0)::numeric(15,2)::text,
               'property_damage', (property_damage_cents / 100.0)::numeric(15,2)::text, 'loss_payee', loss_payee,
               'additional_insured', additional_insured, 'from', lower(effective), 'to', upper(effective), 'source', source,
               'read_on', source_read_on, 'verified', verified)
             FROM insurance_demand WHERE group_id = $1 ORDER BY lender_code NULLS FIRST, interest, effective",
    insert: r#"INSERT INTO insurance_demand (id, group_id, lender_code, interest, max_deductible_cents, bodily_injury_person_cents,
               bodily_injury_accident_cents, property_damage_cents, loss_payee, additional_insured, effective, source, source_read_on, verified)
             SELECT md5('insurance_demand ' || $2::uuid || coalesce(r.lender, '') || r.interest || r."from")::uuid, $2, r.lender, r.interest,
               r.max_deductible * 100, r.bodily_injury_person * 100, r.bodily_injury_accident * 100, r.property_damage * 100, r.loss_payee,
               r.additional_insured, daterange(r."from", r."to"), coalesce(r.source, 'Not said'), coalesce(r.read_on, current_date),
               coalesce(r.verified, false)
             FROM jsonb_to_recordset($1) AS r (lender text, interest text, max_deductible numeric, bodily_injury_person numeric,
               bodily_injury_accident numeric, property_damage numeric, loss_payee bool, additional_insured bool, "from" date, "to" date,
               source text, read_on date, verified bool)
             ON CONFLICT DO NOTHING"#,
    close: close!("insurance_demand"),
    note: note!("insurance_demand"),
};
