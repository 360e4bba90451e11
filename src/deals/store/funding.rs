//! The lender's money.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::delivery::Funding;
use crate::kernel::id::{DealId, LenderId, StoreId, UserId};
use crate::kernel::money::Cents;

/// The lender that pays for a deal: the one named, else the one of the accepted quote. None when the deal's group has no such lender.
pub(in crate::deals) async fn lender(conn: &mut PgConnection, deal: DealId, named: Option<LenderId>) -> Result<Option<LenderId>, DbError> {
    let lender = sqlx::query_scalar!(
        r#"SELECT l.id AS "id: LenderId"
           FROM deal d JOIN store s ON s.id = d.store_id
           LEFT JOIN finance_quote q ON q.id = d.accepted_finance_quote_id
           LEFT JOIN lender_program p ON p.id = q.program_id
           JOIN lender l ON l.group_id = s.group_id AND l.id = coalesce($2, p.lender_id)
           WHERE d.id = $1"#,
        deal.0,
        named.map(|lender| lender.0),
    )
    .fetch_optional(conn)
    .await?;
    Ok(lender)
}

/// Records what arrived.
pub(in crate::deals) async fn insert(
    conn: &mut PgConnection,
    store: StoreId,
    deal: DealId,
    (lender, amount, day, reference): (LenderId, Cents, NaiveDate, Option<&str>),
    (at, by): (DateTime<Utc>, UserId),
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO deal_funding (deal_id, store_id, lender_id, amount_cents, funded_on, reference, recorded_at, recorded_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        deal.0,
        store.0,
        lender.0,
        amount.0,
        day,
        reference,
        at,
        by.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What arrived for a deal.
pub(in crate::deals) async fn find(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Option<Funding>, DbError> {
    let funding = sqlx::query_as!(
        Funding,
        r#"SELECT f.lender_id AS "lender_id: _", l.code AS lender_code, l.name AS lender_name, f.amount_cents AS "amount: _", f.funded_on AS day,
             f.reference, f.recorded_at AS at
           FROM deal_funding f JOIN lender l ON l.id = f.lender_id WHERE f.deal_id = $1 AND f.store_id = ANY($2)"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(funding)
}
