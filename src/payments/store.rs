//! The SQL of deposits and of requests to the partner.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Deposit, DepositStatus, RequestKind, RequestState};
use crate::auth::Scope;
use crate::db::DbError;
use crate::kernel::id::{DealId, DepositId, StoreId};
use crate::kernel::money::{Cents, Currency};

/// A deposit to be recorded.
pub(super) struct NewRow<'a> {
    pub(super) id: DepositId,
    pub(super) store: StoreId,
    pub(super) deal: DealId,
    pub(super) hold: Uuid,
    pub(super) amount: Cents,
    pub(super) currency: &'a Currency,
    pub(super) refundable: bool,
    pub(super) by: Uuid,
    pub(super) at: DateTime<Utc>,
}

/// Records a deposit that is about to be authorized.
pub(super) async fn insert(conn: &mut PgConnection, row: &NewRow<'_>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO deposit (id, store_id, deal_id, hold_id, amount_cents, currency, refundable, status, created_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'AUTHORIZING', $8, $9, $9)",
        row.id.0,
        row.store.0,
        row.deal.0,
        row.hold,
        row.amount.0,
        row.currency.as_str(),
        row.refundable,
        row.by,
        row.at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Records a request before it is sent.
pub(super) async fn insert_request(
    conn: &mut PgConnection,
    id: Uuid,
    deposit: DepositId,
    kind: RequestKind,
    token: Option<&[u8]>,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO payment_request (id, deposit_id, kind, state, token_sealed, next_try_at, created_at)
         VALUES ($1, $2, $3, 'WAITING', $4, $5, $5)",
        id,
        deposit.0,
        kind.as_str(),
        token,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves a deposit from one status to another. False when it is not there.
pub(super) async fn advance(
    conn: &mut PgConnection,
    deposit: DepositId,
    from: DepositStatus,
    to: DepositStatus,
    at: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE deposit SET status = $3, updated_at = $4 WHERE id = $1 AND status = $2",
        deposit.0,
        from.as_str(),
        to.as_str(),
        at
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A request taken for one try.
pub(super) struct Taken {
    pub(super) deposit_id: DepositId,
    pub(super) store_id: Uuid,
    pub(super) deal_id: DealId,
    pub(super) kind: RequestKind,
    pub(super) tries: i32,
    pub(super) amount: Cents,
    pub(super) currency: Currency,
    pub(super) token_sealed: Option<Vec<u8>>,
    pub(super) reference: Option<String>,
}

/// Takes a request for one try, until `until`: it counts as sent from here on. None when it is settled or somebody else is at it.
pub(super) async fn take(
    conn: &mut PgConnection,
    request: Uuid,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Taken>, DbError> {
    let row = sqlx::query_as!(
        Taken,
        r#"UPDATE payment_request r SET state = 'UNKNOWN', tries = tries + 1, next_try_at = $3
           FROM deposit d
           WHERE r.id = $1 AND r.settled_at IS NULL AND r.next_try_at <= $2 AND d.id = r.deposit_id
           RETURNING d.id AS "deposit_id: _", d.store_id, d.deal_id AS "deal_id: _", r.kind AS "kind: _", r.tries,
             d.amount_cents AS "amount: _", d.currency AS "currency: _", r.token_sealed, d.partner_reference AS reference"#,
        request,
        now,
        until,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Requests to be asked about now, the longest waiting first.
pub(super) async fn due(conn: &mut PgConnection, now: DateTime<Utc>, limit: i64) -> Result<Vec<Uuid>, DbError> {
    let ids = sqlx::query_scalar!(
        "SELECT id FROM payment_request WHERE settled_at IS NULL AND next_try_at <= $1 ORDER BY next_try_at LIMIT $2",
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// Notes that the outcome of a try is not known, and when to ask again.
pub(super) async fn note_unknown(conn: &mut PgConnection, request: Uuid, problem: &str, again: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!("UPDATE payment_request SET problem = $2, next_try_at = $3 WHERE id = $1 AND settled_at IS NULL", request, problem, again)
        .execute(conn)
        .await?;
    Ok(())
}

/// Settles a request. False when it was settled before; two answers to one question count once.
pub(super) async fn settle(conn: &mut PgConnection, request: Uuid, state: RequestState, at: DateTime<Utc>) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "UPDATE payment_request SET state = $2, settled_at = $3, next_try_at = NULL, token_sealed = NULL, problem = NULL
         WHERE id = $1 AND settled_at IS NULL",
        request,
        state.as_str(),
        at,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What is to become of a deposit as soon as possible.
pub(super) struct Wanted {
    pub(super) void: bool,
    pub(super) refund: bool,
}

/// Writes what a settled request makes of its deposit. Returns what is to become of it next.
pub(super) async fn conclude(
    conn: &mut PgConnection,
    deposit: DepositId,
    status: DepositStatus,
    reference: Option<&str>,
    refused: Option<&str>,
    at: DateTime<Utc>,
) -> Result<Wanted, DbError> {
    let wanted = sqlx::query_as!(
        Wanted,
        "UPDATE deposit SET status = $2, partner_reference = coalesce($3, partner_reference), refused_code = $4, updated_at = $5
         WHERE id = $1 RETURNING void_wanted AS void, refund_wanted AS refund",
        deposit.0,
        status.as_str(),
        reference,
        refused,
        at,
    )
    .fetch_one(conn)
    .await?;
    Ok(wanted)
}

/// The deposits of holds that ended are no longer wanted; gives those whose money can be given free now.
pub(super) async fn unwanted(conn: &mut PgConnection, holds: &[Uuid], at: DateTime<Utc>) -> Result<Vec<DepositId>, DbError> {
    let rows = sqlx::query!(
        r#"UPDATE deposit SET void_wanted = true, updated_at = $2 WHERE hold_id = ANY($1) AND status IN ('AUTHORIZING', 'AUTHORIZED')
           RETURNING id AS "id: DepositId", status AS "status: DepositStatus""#,
        holds,
        at,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter(|row| row.status == DepositStatus::Authorized).map(|row| row.id).collect())
}

/// The deposits of a sale that ended are no longer wanted, and what was taken goes back as far as it was agreed, or all of it. Gives
/// those that can be given free or back now.
pub(super) async fn ended(
    conn: &mut PgConnection,
    deal: DealId,
    everything: bool,
    at: DateTime<Utc>,
) -> Result<Vec<(DepositId, DepositStatus)>, DbError> {
    let rows = sqlx::query!(
        r#"UPDATE deposit SET void_wanted = true, refund_wanted = refundable OR $2, updated_at = $3
           WHERE deal_id = $1 AND status IN ('AUTHORIZING', 'AUTHORIZED', 'CAPTURING', 'CAPTURED')
           RETURNING id AS "id: DepositId", status AS "status: DepositStatus", refund_wanted"#,
        deal.0,
        everything,
        at,
    )
    .fetch_all(conn)
    .await?;
    let now = rows.into_iter().filter(|row| match row.status {
        DepositStatus::Authorized => true,
        DepositStatus::Captured => row.refund_wanted,
        _ => false,
    });
    Ok(now.map(|row| (row.id, row.status)).collect())
}

/// How many requests were sent and have no clear answer yet.
pub(super) async fn unknown(conn: &mut PgConnection) -> Result<i64, DbError> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM payment_request WHERE settled_at IS NULL AND state = 'UNKNOWN'"#)
        .fetch_one(conn)
        .await?;
    Ok(count)
}

/// How many deposits the partner refused to give back ([`Deposit::refund_refused`]).
pub(super) async fn refunds_refused(conn: &mut PgConnection) -> Result<i64, DbError> {
    let count = sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM deposit WHERE status = 'CAPTURED' AND refused_code IS NOT NULL"#)
        .fetch_one(conn)
        .await?;
    Ok(count)
}

/// A deposit follows its deal to another hold.
pub(super) async fn follow(conn: &mut PgConnection, deal: DealId, hold: Uuid) -> Result<(), DbError> {
    sqlx::query!("UPDATE deposit SET hold_id = $2 WHERE deal_id = $1 AND status NOT IN ('DECLINED', 'VOIDED', 'REFUNDED')", deal.0, hold)
        .execute(conn)
        .await?;
    Ok(())
}

/// The deposits of a deal the actor may see, newest first; or the one asked for.
pub(super) async fn of_deal(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: Option<DealId>,
    one: Option<DepositId>,
) -> Result<Vec<Deposit>, DbError> {
    let rows = sqlx::query_as!(
        Deposit,
        r#"SELECT d.id AS "id: _", d.deal_id AS "deal_id: _", d.amount_cents AS "amount: _", d.currency AS "currency: _", d.refundable,
             d.status AS "status: _", d.refused_code, d.partner_reference, r.state AS "request_state?: _", r.problem, r.tries AS "tries?",
             r.next_try_at, d.created_at, d.updated_at
           FROM deposit d LEFT JOIN payment_request r ON r.deposit_id = d.id AND r.settled_at IS NULL
           WHERE d.store_id = ANY($1) AND (d.deal_id = $2 OR d.id = $3) ORDER BY d.id DESC LIMIT 50"#,
        scope.store_ids(),
        deal.map(|id| id.0),
        one.map(|id| id.0),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
