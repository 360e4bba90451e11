//! Quotes: written once, superseded, accepted, never changed.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::cover::Chosen;
use crate::deals::model::QuoteStatus;
use crate::deals::pricing::{FinanceOffer, InsuranceOffer};
use crate::kernel::id::{DealId, FinanceQuoteId, InsuranceQuoteId, ProgramId, StoreId};

/// What the rows of one round of quoting share.
#[derive(Debug, Clone, Copy)]
pub(in crate::deals) struct Round {
    pub(in crate::deals) deal: DealId,
    /// The version of the deal the quotes fit.
    pub(in crate::deals) deal_version: i32,
    pub(in crate::deals) at: DateTime<Utc>,
    pub(in crate::deals) expires_at: DateTime<Utc>,
}

/// Stores finance quotes, in the order given.
pub(in crate::deals) async fn insert_finance(
    conn: &mut PgConnection,
    round: Round,
    ids: &[Uuid],
    offers: &[FinanceOffer],
) -> Result<(), DbError> {
    if offers.is_empty() {
        return Ok(());
    }
    let programs: Vec<Uuid> = offers.iter().map(|o| o.program_id.0).collect();
    let kinds: Vec<String> = offers.iter().map(|o| o.kind.to_string()).collect();
    let terms: Vec<i32> = offers.iter().map(|o| o.term_months).collect();
    let buy_rates: Vec<Option<Decimal>> = offers.iter().map(|o| o.buy_rate).collect();
    let sell_rates: Vec<Option<Decimal>> = offers.iter().map(|o| o.sell_rate).collect();
    let factors: Vec<Option<Decimal>> = offers.iter().map(|o| o.money_factor).collect();
    let aprs: Vec<Option<Decimal>> = offers.iter().map(|o| o.apr).collect();
    let payments: Vec<i64> = offers.iter().map(|o| o.payment.0).collect();
    let financed: Vec<i64> = offers.iter().map(|o| o.amount_financed.0).collect();
    let charges: Vec<i64> = offers.iter().map(|o| o.finance_charge.0).collect();
    let totals: Vec<i64> = offers.iter().map(|o| o.total_of_payments.0).collect();
    let dues: Vec<i64> = offers.iter().map(|o| o.due_at_signing.0).collect();
    let verified: Vec<bool> = offers.iter().map(|o| o.verified).collect();
    let engines: Vec<String> = offers.iter().map(|o| o.engine_version.clone()).collect();
    let inputs: Vec<Value> = offers.iter().map(|o| o.inputs.clone()).collect();
    let results: Vec<Value> = offers.iter().map(|o| o.result.clone()).collect();
    sqlx::query!(
        "INSERT INTO finance_quote (id, deal_id, deal_version, program_id, kind, status, term_months, sell_rate, money_factor, apr, payment_cents,
           amount_financed_cents, finance_charge_cents, total_of_payments_cents, due_at_signing_cents, verified, engine_version, inputs, result,
           created_at, expires_at, buy_rate)
         SELECT q.id, $1, $2, q.program, q.kind, 'QUOTED', q.term, q.sell_rate, q.factor, q.apr, q.payment, q.financed, q.charge, q.total, q.due,
           q.verified, q.engine, q.inputs, q.result, $3, $4, q.buy_rate
         FROM unnest($5::uuid[], $6::uuid[], $7::text[], $8::int[], $9::numeric[], $10::numeric[], $11::numeric[], $12::bigint[], $13::bigint[],
           $14::bigint[], $15::bigint[], $16::bigint[], $17::bool[], $18::text[], $19::jsonb[], $20::jsonb[], $21::numeric[])
           AS q (id, program, kind, term, sell_rate, factor, apr, payment, financed, charge, total, due, verified, engine, inputs, result, buy_rate)",
        round.deal.0,
        round.deal_version,
        round.at,
        round.expires_at,
        ids,
        &programs,
        &kinds,
        &terms,
        &sell_rates as _,
        &factors as _,
        &aprs as _,
        &payments,
        &financed,
        &charges,
        &totals,
        &dues,
        &verified,
        &engines,
        &inputs,
        &results,
        &buy_rates as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores insurance quotes, in the order given.
pub(in crate::deals) async fn insert_insurance(
    conn: &mut PgConnection,
    round: Round,
    ids: &[Uuid],
    offers: &[InsuranceOffer],
) -> Result<(), DbError> {
    if offers.is_empty() {
        return Ok(());
    }
    let insurers: Vec<Uuid> = offers.iter().map(|o| o.insurer_id.0).collect();
    let terms: Vec<i32> = offers.iter().map(|o| o.term_months).collect();
    let premiums: Vec<i64> = offers.iter().map(|o| o.premium.0).collect();
    let monthly: Vec<i64> = offers.iter().map(|o| o.monthly_premium.0).collect();
    let verified: Vec<bool> = offers.iter().map(|o| o.verified).collect();
    let engines: Vec<String> = offers.iter().map(|o| o.engine_version.clone()).collect();
    let inputs: Vec<Value> = offers.iter().map(|o| o.inputs.clone()).collect();
    let results: Vec<Value> = offers.iter().map(|o| o.result.clone()).collect();
    sqlx::query!(
        "INSERT INTO insurance_quote (id, deal_id, deal_version, insurer_id, status, term_months, premium_cents, monthly_premium_cents, verified,
           engine_version, inputs, result, created_at, expires_at)
         SELECT q.id, $1, $2, q.insurer, 'QUOTED', q.term, q.premium, q.monthly, q.verified, q.engine, q.inputs, q.result, $3, $4
         FROM unnest($5::uuid[], $6::uuid[], $7::int[], $8::bigint[], $9::bigint[], $10::bool[], $11::text[], $12::jsonb[], $13::jsonb[])
           AS q (id, insurer, term, premium, monthly, verified, engine, inputs, result)",
        round.deal.0,
        round.deal_version,
        round.at,
        round.expires_at,
        ids,
        &insurers,
        &terms,
        &premiums,
        &monthly,
        &verified,
        &engines,
        &inputs,
        &results,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What accepting a quote needs to know of it.
#[derive(Debug, Clone)]
pub(in crate::deals) struct Acceptable {
    pub(in crate::deals) status: QuoteStatus,
    pub(in crate::deals) expires_at: DateTime<Utc>,
    /// A finance quote as calculated; of an insurance quote what it was calculated from.
    pub(in crate::deals) content: Value,
    /// The program of a finance quote.
    pub(in crate::deals) program: Option<ProgramId>,
}

/// A finance quote of a deal.
pub(in crate::deals) async fn finance_to_accept(
    conn: &mut PgConnection,
    deal: DealId,
    id: FinanceQuoteId,
) -> Result<Option<Acceptable>, DbError> {
    let row = sqlx::query!(
        r#"SELECT status AS "status: QuoteStatus", expires_at, result, program_id AS "program: ProgramId" FROM finance_quote
           WHERE id = $1 AND deal_id = $2"#,
        id.0,
        deal.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Acceptable { status: row.status, expires_at: row.expires_at, content: row.result, program: Some(row.program) }))
}

/// An insurance quote of a deal.
pub(in crate::deals) async fn insurance_to_accept(
    conn: &mut PgConnection,
    deal: DealId,
    id: InsuranceQuoteId,
) -> Result<Option<Acceptable>, DbError> {
    let row = sqlx::query!(
        r#"SELECT status AS "status: QuoteStatus", expires_at, inputs FROM insurance_quote WHERE id = $1 AND deal_id = $2"#,
        id.0,
        deal.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Acceptable { status: row.status, expires_at: row.expires_at, content: row.inputs, program: None }))
}

/// The program of the deal's accepted finance quote.
pub(in crate::deals) async fn chosen_program(conn: &mut PgConnection, deal: DealId) -> Result<Option<ProgramId>, DbError> {
    let program = sqlx::query_scalar!(
        r#"SELECT q.program_id AS "program: ProgramId" FROM deal d JOIN finance_quote q ON q.id = d.accepted_finance_quote_id WHERE d.id = $1"#,
        deal.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(program)
}

/// The accepted insurance quote of a deal at a version, with the program chosen. None at any other version, or without one.
pub(in crate::deals) async fn chosen_insurance(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: DealId,
    version: i32,
) -> Result<Option<Chosen>, DbError> {
    let row = sqlx::query_as!(
        Chosen,
        r#"SELECT i.inputs, q.program_id AS "program?: ProgramId"
           FROM deal d JOIN insurance_quote i ON i.id = d.accepted_insurance_quote_id
           LEFT JOIN finance_quote q ON q.id = d.accepted_finance_quote_id
           WHERE d.id = $1 AND d.version = $2 AND d.store_id = ANY($3)"#,
        deal.0,
        version,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// The insurance the customer of a deal chose, else every policy they can choose, the cheapest first; with the program chosen.
pub(in crate::deals) async fn covers(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Vec<Chosen>, DbError> {
    let rows = sqlx::query_as!(
        Chosen,
        r#"SELECT i.inputs, q.program_id AS "program?: ProgramId"
           FROM deal d JOIN insurance_quote i ON i.deal_id = d.id
             AND (i.id = d.accepted_insurance_quote_id OR d.accepted_insurance_quote_id IS NULL AND i.status = 'QUOTED')
           LEFT JOIN finance_quote q ON q.id = d.accepted_finance_quote_id
           WHERE d.id = $1 AND d.store_id = ANY($2) ORDER BY i.premium_cents, i.id LIMIT 20"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Accepts one finance quote; the one accepted before is a mere quote again.
pub(in crate::deals) async fn accept_finance(conn: &mut PgConnection, deal: DealId, id: FinanceQuoteId) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE finance_quote SET status = CASE WHEN id = $2 THEN 'ACCEPTED' ELSE 'QUOTED' END
         WHERE deal_id = $1 AND (id = $2 OR status = 'ACCEPTED')",
        deal.0,
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Accepts one insurance quote; the one accepted before is a mere quote again.
pub(in crate::deals) async fn accept_insurance(conn: &mut PgConnection, deal: DealId, id: InsuranceQuoteId) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE insurance_quote SET status = CASE WHEN id = $2 THEN 'ACCEPTED' ELSE 'QUOTED' END
         WHERE deal_id = $1 AND (id = $2 OR status = 'ACCEPTED')",
        deal.0,
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Supersedes the quotes nobody accepted, before a new round.
pub(in crate::deals) async fn supersede_open(conn: &mut PgConnection, deal: DealId) -> Result<(), DbError> {
    sqlx::query!(
        "WITH finance AS (UPDATE finance_quote SET status = 'SUPERSEDED' WHERE deal_id = $1 AND status = 'QUOTED')
         UPDATE insurance_quote SET status = 'SUPERSEDED' WHERE deal_id = $1 AND status = 'QUOTED'",
        deal.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A stored quote with what is needed to calculate it again.
#[derive(Debug)]
pub(in crate::deals) struct StoredQuote {
    pub(in crate::deals) store_id: StoreId,
    pub(in crate::deals) engine_version: String,
    pub(in crate::deals) inputs: Value,
    pub(in crate::deals) result: Value,
}

/// Reads a finance quote for replay; what tells the purse is sealed.
pub(in crate::deals) async fn stored_finance(
    conn: &mut PgConnection,
    scope: &Scope,
    id: FinanceQuoteId,
) -> Result<Option<StoredQuote>, DbError> {
    let row = sqlx::query_as!(
        StoredQuote,
        r#"SELECT d.store_id AS "store_id: StoreId", q.engine_version, q.inputs, q.result FROM finance_quote q JOIN deal d ON d.id = q.deal_id
         WHERE q.id = $1 AND d.store_id = ANY($2)"#,
        id.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Reads an insurance quote for replay.
pub(in crate::deals) async fn stored_insurance(
    conn: &mut PgConnection,
    scope: &Scope,
    id: InsuranceQuoteId,
) -> Result<Option<StoredQuote>, DbError> {
    let row = sqlx::query_as!(
        StoredQuote,
        r#"SELECT d.store_id AS "store_id: StoreId", q.engine_version, q.inputs, q.result FROM insurance_quote q JOIN deal d ON d.id = q.deal_id
         WHERE q.id = $1 AND d.store_id = ANY($2)"#,
        id.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}
