//! Rule rows to begin with, from `seeds/rules/*.csv`: taxes, fees, minimums; simulated lenders, insurers, products.
//!
//! Ids follow from the natural keys, so that loading twice changes nothing; a row that is already there, or whose dates
//! overlap one that is, stays as it is.

use serde_json::{Map, Value};
use sqlx::PgConnection;

use crate::db::DbError;
use crate::kernel::id::GroupId;

/// Loads what is missing for a dealer group and its present stores. Returns how many rows were added.
pub async fn seed_rules(conn: &mut PgConnection, group: GroupId) -> Result<u64, DbError> {
    let mut added = places(conn).await?;
    added += tax_rules(conn).await?;
    added += fees(conn, group).await?;
    added += minimums(conn).await?;
    added += lenders(conn, group).await?;
    added += insurers(conn, group).await?;
    added += products(conn, group).await?;
    Ok(added)
}

/// A CSV file as a JSON array of objects; empty cells are null.
fn rows(text: &str) -> Result<Value, DbError> {
    let bad = |_| DbError::Corrupt("a seed file cannot be read".into());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head = reader.headers().map_err(bad)?.clone();
    let mut out = Vec::new();
    for record in reader.records() {
        let record = record.map_err(bad)?;
        let cells = head.iter().zip(record.iter());
        let object: Map<String, Value> = cells
            .map(|(name, cell)| (name.to_owned(), if cell.is_empty() { Value::Null } else { Value::String(cell.to_owned()) }))
            .collect();
        out.push(Value::Object(object));
    }
    Ok(Value::Array(out))
}

async fn places(conn: &mut PgConnection) -> Result<u64, DbError> {
    let rows = rows(include_str!("../../seeds/rules/jurisdictions.csv"))?;
    let places = sqlx::query!(
        "INSERT INTO tax_jurisdiction (code, state, name)
         SELECT r.code, r.state, r.name FROM jsonb_to_recordset($1) AS r (code text, state text, name text) ON CONFLICT DO NOTHING",
        rows
    )
    .execute(&mut *conn)
    .await?;
    let prefixes = sqlx::query!(
        "INSERT INTO tax_jurisdiction_postal (postal_prefix, jurisdiction)
         SELECT unnest(string_to_array(r.postal_prefixes, ' ')), r.code
         FROM jsonb_to_recordset($1) AS r (code text, postal_prefixes text) ON CONFLICT DO NOTHING",
        rows
    )
    .execute(conn)
    .await?;
    Ok(places.rows_affected() + prefixes.rows_affected())
}

async fn tax_rules(conn: &mut PgConnection) -> Result<u64, DbError> {
    let done = sqlx::query!(
        r#"INSERT INTO tax_rule (id, jurisdiction, effective, scheme, state_rate, local_rate, local_rule, local_base_cap_cents, trade_policy, trade_cap_cents,
             trade_cap_count, manufacturer_rebate_reduces_base, dealer_rebate_reduces_base, doc_fee_taxable, service_contract_taxable, gap_taxable,
             other_product_taxable, lease_method, lease_reduction_taxable, lease_trade_credit, minimum_tax_cents, negative_equity_in_base,
             source, source_read_on, verified, lease_verified, note)
           SELECT md5('tax_rule ' || r.jurisdiction || r."from")::uuid, r.jurisdiction, daterange(r."from", r."to"), r.scheme, r.state_rate, r.local_rate,
             r.local_rule, r.local_base_cap * 100, r.trade_policy, r.trade_cap * 100, r.trade_cap_count, r.mfr_rebate, r.dealer_rebate, r.doc_fee,
             r.service_contract, r.gap, r.other_product, r.lease_method, r.lease_reduction, r.lease_trade_credit, r.minimum_tax * 100, r.negative_equity,
             r.source, r.read_on, r.verified, r.lease_verified, r.note
           FROM jsonb_to_recordset($1) AS r (jurisdiction text, "from" date, "to" date, scheme text, state_rate numeric, local_rate numeric,
             local_rule text, local_base_cap numeric, trade_policy text, trade_cap numeric, trade_cap_count int, mfr_rebate bool, dealer_rebate bool,
             doc_fee bool, service_contract bool, gap bool, other_product bool, lease_method text, lease_reduction bool, lease_trade_credit bool,
             minimum_tax numeric, negative_equity bool, source text, read_on date, verified bool, lease_verified bool, note text)
           ON CONFLICT DO NOTHING"#,
        rows(include_str!("../../seeds/rules/tax_rules.csv"))?
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

async fn fees(conn: &mut PgConnection, group: GroupId) -> Result<u64, DbError> {
    let government = sqlx::query!(
        r#"INSERT INTO fee_rule (id, jurisdiction, code, label, amount_cents, cap_cents, applies_to, effective, source, source_read_on, verified)
           SELECT md5('fee_rule ' || r.jurisdiction || r.code || r."from")::uuid, r.jurisdiction, r.code, r.label, r.amount * 100, r.cap * 100,
             r.applies_to, daterange(r."from", NULL), r.source, r.read_on, r.verified
           FROM jsonb_to_recordset($1) AS r (jurisdiction text, code text, label text, amount numeric, cap numeric, applies_to text, "from" date,
             source text, read_on date, verified bool)
           ON CONFLICT DO NOTHING"#,
        rows(include_str!("../../seeds/rules/government_fees.csv"))?
    )
    .execute(&mut *conn)
    .await?;
    let own = sqlx::query!(
        r#"INSERT INTO fee_rule (id, store_id, code, label, amount_cents, cap_cents, applies_to, effective, source, source_read_on, verified)
           SELECT md5('fee_rule ' || s.id || r.code || r."from")::uuid, s.id, r.code, r.label, r.amount * 100, r.cap * 100,
             r.applies_to, daterange(r."from", NULL), r.source, r.read_on, r.verified
           FROM jsonb_to_recordset($1) AS r (state text, code text, label text, amount numeric, cap numeric, applies_to text, "from" date,
             source text, read_on date, verified bool)
           JOIN store s ON s.state = r.state AND s.group_id = $2
           ON CONFLICT DO NOTHING"#,
        rows(include_str!("../../seeds/rules/store_fees.csv"))?,
        group.0
    )
    .execute(conn)
    .await?;
    Ok(government.rows_affected() + own.rows_affected())
}

async fn minimums(conn: &mut PgConnection) -> Result<u64, DbError> {
    let done = sqlx::query!(
        r#"INSERT INTO insurance_minimum (id, state, bodily_injury_person_cents, bodily_injury_accident_cents, property_damage_cents, personal_injury_cents,
             uninsured_required, effective, source, source_read_on, verified)
           SELECT md5('insurance_minimum ' || r.state || r."from")::uuid, r.state, r.bodily_injury_person * 100, r.bodily_injury_accident * 100,
             r.property_damage * 100, r.personal_injury * 100, r.uninsured_required, daterange(r."from", NULL), r.source, r.read_on, r.verified
           FROM jsonb_to_recordset($1) AS r (state text, bodily_injury_person numeric, bodily_injury_accident numeric, property_damage numeric,
             personal_injury numeric, uninsured_required bool, "from" date, source text, read_on date, verified bool)
           ON CONFLICT DO NOTHING"#,
        rows(include_str!("../../seeds/rules/insurance_minimums.csv"))?
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

async fn lenders(conn: &mut PgConnection, group: GroupId) -> Result<u64, DbError> {
    let lenders = sqlx::query!(
        "INSERT INTO lender (id, group_id, code, name, accrual_basis)
         SELECT md5('lender ' || $2::uuid || r.code)::uuid, $2, r.code, r.name, r.accrual_basis
         FROM jsonb_to_recordset($1) AS r (code text, name text, accrual_basis text) ON CONFLICT DO NOTHING",
        rows(include_str!("../../seeds/rules/lenders.csv"))?,
        group.0
    )
    .execute(&mut *conn)
    .await?;
    let programs = sqlx::query!(
        r#"INSERT INTO lender_program (id, lender_id, code, name, kind, effective, states, conditions, max_age_years, max_odometer_miles, credit_tier,
             score_min, score_max, term_min_months, term_max_months, min_financed_cents, max_financed_cents, max_ltv_percent, collateral_basis,
             buy_rate, max_markup, flat_reserve_cents, money_factor, residual_percent, residual_step_percent, acquisition_fee_cents,
             disposition_fee_cents, excess_mile_cents, source, verified)
           SELECT md5('lender_program ' || l.id || r.code || r."from")::uuid, l.id, r.code, r.name, r.kind, daterange(r."from", NULL),
             string_to_array(coalesce(r.states, ''), ' '), string_to_array(r.conditions, ' '), r.max_age, r.max_miles, r.tier, r.score_min, r.score_max,
             r.term_min, r.term_max, r.min_financed * 100, r.max_financed * 100, r.max_ltv, r.collateral_basis, r.buy_rate,
             r.max_markup, r.flat_reserve * 100, r.money_factor, r.residual, r.residual_step, r.acquisition_fee * 100,
             r.disposition_fee * 100, (r.excess_mile * 100)::int, 'Simulated', true
           FROM jsonb_to_recordset($1) AS r (lender text, code text, name text, kind text, "from" date, states text, conditions text, max_age int,
             max_miles int, tier text, score_min int, score_max int, term_min int, term_max int, min_financed numeric, max_financed numeric,
             max_ltv numeric, collateral_basis text, buy_rate numeric, max_markup numeric, flat_reserve numeric, money_factor numeric,
             residual numeric, residual_step numeric, acquisition_fee numeric, disposition_fee numeric, excess_mile numeric)
           JOIN lender l ON l.group_id = $2 AND l.code = r.lender
           ON CONFLICT DO NOTHING"#,
        rows(include_str!("../../seeds/rules/programs.csv"))?,
        group.0
    )
    .execute(conn)
    .await?;
    Ok(lenders.rows_affected() + programs.rows_affected())
}

async fn insurers(conn: &mut PgConnection, group: GroupId) -> Result<u64, DbError> {
    let insurers = sqlx::query!(
        "INSERT INTO insurer (id, group_id, code, name)
         SELECT md5('insurer ' || $2::uuid || r.code)::uuid, $2, r.code, r.name
         FROM jsonb_to_recordset($1) AS r (code text, name text) ON CONFLICT DO NOTHING",
        rows(include_str!("../../seeds/rules/insurers.csv"))?,
        group.0
    )
    .execute(&mut *conn)
    .await?;
    let rates = sqlx::query!(
        r#"INSERT INTO insurance_rate (id, insurer_id, state, coverage, base_cents, effective, source, verified)
           SELECT md5('insurance_rate ' || i.id || r.state || r.coverage || r."from")::uuid, i.id, r.state, r.coverage, r.base * 100,
             daterange(r."from", NULL), r.source, r.verified
           FROM jsonb_to_recordset($1) AS r (insurer text, state text, coverage text, base numeric, "from" date, source text, verified bool)
           JOIN insurer i ON i.group_id = $2 AND i.code = r.insurer
           ON CONFLICT DO NOTHING"#,
        rows(include_str!("../../seeds/rules/insurance_rates.csv"))?,
        group.0
    )
    .execute(&mut *conn)
    .await?;
    let factors = sqlx::query!(
        r#"INSERT INTO insurance_factor (id, insurer_id, subject, coverage, from_value, to_value, factor, barred_states, effective, source)
           SELECT md5('insurance_factor ' || i.id || r.subject || coalesce(r.coverage, '') || ' ' || r.from_value || r."from")::uuid, i.id, r.subject,
             r.coverage, r.from_value, r.to_value, r.factor, string_to_array(coalesce(r.barred_states, ''), ' '), daterange(r."from", NULL), r.source
           FROM jsonb_to_recordset($1) AS r (insurer text, subject text, coverage text, from_value bigint, to_value bigint, factor numeric,
             barred_states text, "from" date, source text)
           JOIN insurer i ON i.group_id = $2 AND i.code = r.insurer
           ON CONFLICT DO NOTHING"#,
        rows(include_str!("../../seeds/rules/insurance_factors.csv"))?,
        group.0
    )
    .execute(conn)
    .await?;
    Ok(insurers.rows_affected() + rates.rows_affected() + factors.rows_affected())
}

async fn products(conn: &mut PgConnection, group: GroupId) -> Result<u64, DbError> {
    let done = sqlx::query!(
        r#"INSERT INTO product (id, group_id, code, kind, name, provider, term_months, term_miles, price_cents, cost_cents, effective)
           SELECT md5('product ' || $2::uuid || r.code || r."from")::uuid, $2, r.code, r.kind, r.name, r.provider, r.term_months, r.term_miles, r.price * 100,
             r.cost * 100, daterange(r."from", NULL)
           FROM jsonb_to_recordset($1) AS r (code text, kind text, name text, provider text, term_months int, term_miles int, price numeric,
             cost numeric, "from" date)
           ON CONFLICT DO NOTHING"#,
        rows(include_str!("../../seeds/rules/products.csv"))?,
        group.0
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
