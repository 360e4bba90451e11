//! What a salesperson may not decide alone.

use super::super::column::Kind::{Choice, Code, Date, Int, Money};
use super::super::column::{Row, may, must};
use super::{Reference, Spec, close};

const KINDS: &[&str] = &["DISCOUNT", "FRONT_GROSS", "OVER_ALLOWANCE", "RATE_MARKUP", "TERM", "LOAN_TO_VALUE", "BACK_END", "FEE_WAIVER"];
/// A week.
const WAIT_MAX: i64 = 10_080;
/// A year.
const VALID_MAX: i64 = 525_600;

fn rule(row: &Row) -> Option<(&'static str, &'static str)> {
    let number = |column: &str| row.get(column).and_then(|text| text.parse::<rust_decimal::Decimal>().ok());
    let (limit, admin) = (number("limit")?, number("admin_limit")?);
    let floor = row.get("kind") == Some("FRONT_GROSS");
    match floor {
        true if admin > limit => Some(("admin_limit", "must not be above limit: below it only a group admin may say yes")),
        false if admin < limit => Some(("admin_limit", "must not be below limit: beyond it only a group admin may say yes")),
        _ => None,
    }
}

pub(super) static RULES: Spec = Spec {
    name: "approval_rules",
    columns: &[
        must("kind", Choice(KINDS)),
        // Empty: every store of the group that has no row of its own.
        may("store", Code),
        must("from", Date),
        may("to", Date),
        // In the kind's unit: dollars, percent points or months.
        must("limit", Money),
        may("admin_limit", Money),
        must("escalate_minutes", Int(1, WAIT_MAX)),
        must("answer_minutes", Int(1, WAIT_MAX)),
        must("valid_minutes", Int(1, VALID_MAX)),
    ],
    key: &["kind", "store"],
    references: &[("store", Reference::Store)],
    check: rule,
    select: "SELECT a.id, jsonb_build_object('kind', a.kind, 'store', s.code, 'from', lower(a.effective), 'to', upper(a.effective),
               'limit', (a.limit_hundredths / 100.0)::numeric(15,2)::text, 'admin_limit', (a.admin_limit_hundredths / 100.0)::numeric(15,2)::text,
               'escalate_minutes', a.escalate_minutes, 'answer_minutes', a.answer_minutes, 'valid_minutes', a.valid_minutes)
             FROM approval_rule a LEFT JOIN store s ON s.id = a.store_id WHERE a.group_id = $1 ORDER BY a.kind, s.code NULLS FIRST, a.effective",
    insert: r#"INSERT INTO approval_rule (id, group_id, store_id, kind, effective, limit_hundredths, admin_limit_hundredths, escalate_minutes,
               answer_minutes, valid_minutes)
             SELECT md5('approval_rule ' || coalesce(s.id, $2::uuid) || r.kind || r."from")::uuid, $2, s.id, r.kind, daterange(r."from", r."to"),
               r."limit" * 100, r.admin_limit * 100, r.escalate_minutes, r.answer_minutes, r.valid_minutes
             FROM jsonb_to_recordset($1) AS r (kind text, store text, "from" date, "to" date, "limit" numeric, admin_limit numeric,
               escalate_minutes int, answer_minutes int, valid_minutes int)
             LEFT JOIN store s ON s.code = r.store AND s.group_id = $2
             ON CONFLICT DO NOTHING"#,
    close: close!("approval_rule"),
    note: None,
};
