//! What the customer said when asked, and what of the buyer insurers look at.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::purse::Kept;
use crate::finance::CustomerNeeds;
use crate::insurance::InsuranceWish;
use crate::kernel::id::{DealId, ProgramId};

/// The answers of a deal with what else insurers ask about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::deals) struct Answers {
    /// For suggestions of products.
    pub(in crate::deals) needs: CustomerNeeds,
    /// For insurers; who drives is sealed.
    pub(in crate::deals) insurance: Option<Kept<InsuranceWish>>,
    /// The buyer's state.
    pub(in crate::deals) state: Option<String>,
    /// The buyer's ZIP code.
    pub(in crate::deals) postal_code: Option<String>,
    /// The program of the accepted finance quote.
    pub(in crate::deals) program: Option<ProgramId>,
}

/// Reads them. None outside the scope.
pub(in crate::deals) async fn find(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Option<Answers>, DbError> {
    let row = sqlx::query!(
        r#"SELECT a.needs AS "needs?", a.insurance AS "insurance?", c.state, c.postal_code, q.program_id AS "program?: ProgramId"
           FROM deal d
           JOIN customer c ON c.id = d.customer_id
           LEFT JOIN deal_answer a ON a.deal_id = d.id
           LEFT JOIN finance_quote q ON q.id = d.accepted_finance_quote_id
           WHERE d.id = $1 AND d.store_id = ANY($2)"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let corrupt = |e: serde_json::Error| DbError::Corrupt(format!("deal_answer: {e}"));
    Ok(Some(Answers {
        needs: row.needs.map(serde_json::from_value).transpose().map_err(corrupt)?.unwrap_or_default(),
        insurance: row.insurance.map(serde_json::from_value).transpose().map_err(corrupt)?,
        state: row.state,
        postal_code: row.postal_code,
        program: row.program,
    }))
}

/// Keeps answers; those not given stay as they were.
pub(in crate::deals) async fn keep(
    conn: &mut PgConnection,
    deal: DealId,
    needs: Option<Value>,
    insurance: Option<Value>,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO deal_answer (deal_id, needs, insurance, updated_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (deal_id) DO UPDATE SET needs = coalesce($2, deal_answer.needs), insurance = coalesce($3, deal_answer.insurance), updated_at = $4",
        deal.0,
        needs,
        insurance,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
