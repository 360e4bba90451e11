//! Lenders and their sheets.

use super::super::column::Kind::{Bool, Choice, Choices, Code, Codes, Date, Factor, Int, Json, Money, Percent, State, Text};
use super::super::column::{Row, fact, list, may, must, or};
use super::{Reference, Spec, anything, close, note, rises};
use crate::finance::lease::MileageStep;
use crate::finance::program::{MarkupCap, RateAdder, TermMinimum};

const ACCRUAL: &[&str] = &["ACTUAL_365", "ACTUAL_360", "THIRTY_360"];
const CONDITIONS: &[&str] = &["NEW", "USED", "CERTIFIED"];
const JOINT_SCORES: &[&str] = &["PRIMARY", "AVERAGE", "HIGHER", "LOWER"];
const BASES: &[&str] = &["INVOICE", "MSRP", "PRICE", "BOOK_WHOLESALE", "BOOK_RETAIL"];

pub(super) static LENDERS: Spec = Spec {
    name: "lenders",
    columns: &[must("code", Code), must("name", Text(120)), must("accrual_basis", Choice(ACCRUAL))],
    key: &["code"],
    references: &[],
    check: anything,
    select: "SELECT id, jsonb_build_object('code', code, 'name', name, 'accrual_basis', accrual_basis) FROM lender WHERE group_id = $1 ORDER BY code",
    insert: "INSERT INTO lender (id, group_id, code, name, accrual_basis)
             SELECT md5('lender ' || $2::uuid || r.code)::uuid, $2, r.code, r.name, r.accrual_basis
             FROM jsonb_to_recordset($1) AS r (code text, name text, accrual_basis text) ON CONFLICT DO NOTHING",
    close: None,
    note: None,
};

fn program(row: &Row) -> Option<(&'static str, &'static str)> {
    let there = |column: &str| row.get(column).is_some();
    let lease = row.get("kind") == Some("LEASE");
    if lease && !(there("money_factor") && there("residual")) {
        return Some(("money_factor", "a lease program has a money factor and a residual"));
    }
    if lease && there("buy_rate") {
        return Some(("buy_rate", "a lease program has a money factor instead"));
    }
    if !lease && !there("buy_rate") {
        return Some(("buy_rate", "a retail program has a buy rate"));
    }
    if !lease && (there("money_factor") || there("residual")) {
        return Some(("money_factor", "a retail program has a buy rate instead"));
    }
    if there("late_after_days") != there("late_percent") {
        return Some(("late_percent", "a late charge has days and a percentage"));
    }
    let equal = |a: &str, b: &str| row.get(a) == row.get(b);
    if !rises(row, "term_min", "term_max") && !equal("term_min", "term_max") {
        return Some(("term_max", "must not be shorter than term_min"));
    }
    if !rises(row, "score_min", "score_max") && !equal("score_min", "score_max") {
        return Some(("score_max", "must not be lower than score_min"));
    }
    None
}

const STIPULATIONS: &[&str] =
    &["PROOF_OF_IDENTITY", "PROOF_OF_INCOME", "PROOF_OF_EMPLOYMENT", "PROOF_OF_RESIDENCE", "PROOF_OF_INSURANCE", "REFERENCES"];

pub(super) static PROGRAMS: Spec = Spec {
    name: "programs",
    columns: &[
        must("lender", Code),
        must("code", Code),
        must("name", Text(120)),
        must("kind", Choice(&["RETAIL", "LEASE"])),
        must("from", Date),
        may("to", Date),
        may("states", Codes),
        must("conditions", Choices(CONDITIONS)),
        may("max_age", Int(0, 50)),
        may("max_miles", Int(0, 1_000_000)),
        must("tier", Code),
        may("score_min", Int(250, 900)),
        may("score_max", Int(250, 900)),
        or("joint_score", Choice(JOINT_SCORES), "PRIMARY"),
        or("joint_income", Bool, "false"),
        must("term_min", Int(1, 120)),
        must("term_max", Int(1, 120)),
        or("min_financed", Money, "0.00"),
        must("max_financed", Money),
        must("max_ltv", Percent),
        must("collateral_basis", Choice(BASES)),
        may("buy_rate", Percent),
        may("max_front_ltv", Percent),
        may("max_pti", Percent),
        may("max_dti", Percent),
        may("adders", Json(list::<RateAdder>)),
        may("term_minimums", Json(list::<TermMinimum>)),
        or("subvented", Bool, "false"),
        may("max_backend", Money),
        may("max_backend_percent", Percent),
        may("max_service_contract", Money),
        may("max_service_contract_percent", Percent),
        may("max_gap", Money),
        or("max_markup", Percent, "0"),
        may("markup_caps", Json(list::<MarkupCap>)),
        or("flat_reserve_percent", Percent, "0"),
        may("max_reserve", Money),
        may("balloon", Percent),
        may("late_after_days", Int(0, 90)),
        may("late_percent", Percent),
        may("late_max", Money),
        may("stipulations", Choices(STIPULATIONS)),
        or("flat_reserve", Money, "0.00"),
        or("reserve_split", Percent, "75"),
        may("money_factor", Factor),
        may("residual", Percent),
        may("residual_step", Percent),
        may("mileage_steps", Json(list::<MileageStep>)),
        or("max_deposits", Int(0, 20), "0"),
        may("deposit_factor", Factor),
        or("deposit_step", Money, "0.00"),
        may("one_pay_factor", Factor),
        or("purchase_option_fee", Money, "0.00"),
        or("acquisition_fee", Money, "0.00"),
        or("disposition_fee", Money, "0.00"),
        may("excess_mile", Money),
        fact("source", Text(500)),
        fact("verified", Bool),
    ],
    key: &["lender", "code"],
    references: &[("lender", Reference::Lender)],
    check: program,
    select: "SELECT p.id, jsonb_build_object('lender', l.code, 'code', p.code, 'name', p.name, 'kind', p.kind, 'from', lower(p.effective),
               'to', upper(p.effective), 'states', p.states, 'conditions', p.conditions, 'max_age', p.max_age_years, 'max_miles', p.max_odometer_miles,
               'tier', p.credit_tier, 'score_min', p.score_min, 'score_max', p.score_max, 'term_min', p.term_min_months, 'term_max', p.term_max_months,
               'min_financed', (p.min_financed_cents / 100.0)::numeric(15,2)::text, 'max_financed', (p.max_financed_cents / 100.0)::numeric(15,2)::text,
               'max_ltv', p.max_ltv_percent::text, 'collateral_basis', p.collateral_basis)
             || jsonb_build_object('buy_rate', p.buy_rate::text, 'max_markup', p.max_markup::text,
               'flat_reserve', (p.flat_reserve_cents / 100.0)::numeric(15,2)::text, 'reserve_split', p.reserve_split_percent::text,
               'money_factor', p.money_factor::text, 'residual', p.residual_percent::text, 'residual_step', p.residual_step_percent::text,
               'acquisition_fee', (p.acquisition_fee_cents / 100.0)::numeric(15,2)::text,
               'disposition_fee', (p.disposition_fee_cents / 100.0)::numeric(15,2)::text,
               'excess_mile', (p.excess_mile_cents / 100.0)::numeric(15,2)::text, 'source', p.source, 'verified', p.verified)
             || jsonb_build_object('max_front_ltv', p.max_front_ltv_percent::text, 'max_pti', p.max_pti_percent::text, 'max_dti', p.max_dti_percent::text,
               'adders', p.adders, 'term_minimums', p.term_minimums, 'subvented', p.subvented,
               'max_backend', (p.max_backend_cents / 100.0)::numeric(15,2)::text, 'max_backend_percent', p.max_backend_percent::text,
               'max_service_contract', (p.max_service_contract_cents / 100.0)::numeric(15,2)::text,
               'max_service_contract_percent', p.max_service_contract_percent::text, 'max_gap', (p.max_gap_cents / 100.0)::numeric(15,2)::text,
               'markup_caps', p.markup_caps, 'flat_reserve_percent', p.flat_reserve_percent::text,
               'max_reserve', (p.max_reserve_cents / 100.0)::numeric(15,2)::text, 'balloon', p.balloon_percent::text)
             || jsonb_build_object('late_after_days', p.late_after_days, 'late_percent', p.late_percent::text,
               'late_max', (p.late_max_cents / 100.0)::numeric(15,2)::text, 'mileage_steps', p.mileage_steps, 'max_deposits', p.max_deposits,
               'joint_score', p.joint_score, 'joint_income', p.joint_income, 'deposit_factor', nullif(p.deposit_factor, 0)::text, 'deposit_step', (p.deposit_step_cents / 100.0)::numeric(15,2)::text,
               'stipulations', p.stipulations, 'one_pay_factor', p.one_pay_factor::text, 'purchase_option_fee', (p.purchase_option_fee_cents / 100.0)::numeric(15,2)::text)
             FROM lender_program p JOIN lender l ON l.id = p.lender_id WHERE l.group_id = $1 ORDER BY l.code, p.code, p.effective",
    insert: r#"INSERT INTO lender_program (id, lender_id, code, name, kind, effective, states, conditions, max_age_years, max_odometer_miles, credit_tier,
               score_min, score_max, term_min_months, term_max_months, min_financed_cents, max_financed_cents, max_ltv_percent, collateral_basis,
               buy_rate, max_markup, flat_reserve_cents, reserve_split_percent, money_factor, residual_percent, residual_step_percent,
               acquisition_fee_cents, disposition_fee_cents, excess_mile_cents, source, verified, max_front_ltv_percent, max_pti_percent,
               max_dti_percent, adders, term_minimums, subvented, max_backend_cents, max_backend_percent, max_service_contract_cents,
               max_service_contract_percent, max_gap_cents, markup_caps, flat_reserve_percent, max_reserve_cents, balloon_percent,
               late_after_days, late_percent, late_max_cents, mileage_steps, max_deposits, deposit_factor, deposit_step_cents, one_pay_factor,
               purchase_option_fee_cents, stipulations, joint_score, joint_income)
             SELECT md5('lender_program ' || l.id || r.code || r."from")::uuid, l.id, r.code, r.name, r.kind, daterange(r."from", r."to"),
               string_to_array(coalesce(r.states, ''), ' '), string_to_array(r.conditions, ' '), r.max_age, r.max_miles, r.tier, r.score_min, r.score_max,
               r.term_min, r.term_max, r.min_financed * 100, r.max_financed * 100, r.max_ltv, r.collateral_basis, r.buy_rate,
               r.max_markup, r.flat_reserve * 100, r.reserve_split, r.money_factor, r.residual, r.residual_step, r.acquisition_fee * 100,
               r.disposition_fee * 100, (r.excess_mile * 100)::int, coalesce(r.source, 'Not said'), coalesce(r.verified, false), r.max_front_ltv,
               r.max_pti, r.max_dti, coalesce(r.adders, '[]')::jsonb, coalesce(r.term_minimums, '[]')::jsonb, r.subvented, r.max_backend * 100,
               r.max_backend_percent, r.max_service_contract * 100, r.max_service_contract_percent, r.max_gap * 100,
               coalesce(r.markup_caps, '[]')::jsonb, r.flat_reserve_percent, r.max_reserve * 100, r.balloon, r.late_after_days, r.late_percent,
               r.late_max * 100, coalesce(r.mileage_steps, '[]')::jsonb, r.max_deposits, coalesce(r.deposit_factor, 0), r.deposit_step * 100,
               r.one_pay_factor, r.purchase_option_fee * 100, string_to_array(coalesce(r.stipulations, ''), ' '), r.joint_score, r.joint_income
             FROM jsonb_to_recordset($1) AS r (lender text, code text, name text, kind text, "from" date, "to" date, states text, conditions text,
               max_age int, max_miles int, tier text, score_min int, score_max int, term_min int, term_max int, min_financed numeric,
               max_financed numeric, max_ltv numeric, collateral_basis text, buy_rate numeric, max_markup numeric, flat_reserve numeric,
               reserve_split numeric, money_factor numeric, residual numeric, residual_step numeric, acquisition_fee numeric,
               disposition_fee numeric, excess_mile numeric, source text, verified bool, max_front_ltv numeric, max_pti numeric, max_dti numeric,
               adders text, term_minimums text, subvented bool, max_backend numeric, max_backend_percent numeric, max_service_contract numeric,
               max_service_contract_percent numeric, max_gap numeric, markup_caps text, flat_reserve_percent numeric, max_reserve numeric,
               balloon numeric, late_after_days int, late_percent numeric, late_max numeric, mileage_steps text, max_deposits int,
               deposit_factor numeric, deposit_step numeric, one_pay_factor numeric, purchase_option_fee numeric, stipulations text, joint_score text,
               joint_income bool)
             JOIN lender l ON l.group_id = $2 AND l.code = r.lender
             ON CONFLICT DO NOTHING"#,
    close: close!("lender_program"),
    note: Some(
        "UPDATE lender_program SET source = coalesce($2->>'source', source), verified = coalesce(($2->>'verified')::bool, verified) WHERE id = $1",
    ),
};

pub(super) static MARKUP_LAWS: Spec = Spec {
    name: "rate_markup_laws",
    columns: &[
        must("state", State),
        must("above_months", Int(0, 119)),
        must("points", Percent),
        must("from", Date),
        may("to", Date),
        fact("source", Text(500)),
        fact("read_on", Date),
        fact("verified", Bool),
    ],
    key: &["state", "above_months"],
    references: &[],
    check: anything,
    select: "SELECT id, jsonb_build_object('state', state, 'above_months', above_months, 'points', points::text, 'from', lower(effective),
               'to', upper(effective), 'source', source, 'read_on', source_read_on, 'verified', verified)
             FROM rate_markup_law WHERE $1::uuid IS NOT NULL ORDER BY state, above_months, effective",
    insert: r#"INSERT INTO rate_markup_law (id, state, above_months, points, effective, source, source_read_on, verified)
             SELECT md5('rate_markup_law ' || r.state || r.above_months || ' ' || r."from")::uuid, r.state, r.above_months, r.points,
               daterange(r."from", r."to"), coalesce(r.source, 'Not said'), coalesce(r.read_on, current_date), coalesce(r.verified, false)
             FROM jsonb_to_recordset($1) AS r (state text, above_months int, points numeric, "from" date, "to" date, source text, read_on date,
               verified bool)
             WHERE $2::uuid IS NOT NULL ON CONFLICT DO NOTHING"#,
    close: close!("rate_markup_law"),
    note: note!("rate_markup_law"),
};
