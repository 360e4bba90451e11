//! SQL of identity: locks, candidates, records and their contacts, suggestions.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Scope;
use crate::customers::model::{ContactKind, LinkReason};
use crate::db::DbError;
use crate::kernel::id::{CustomerId, StoreId};

/// Until the transaction ends, nobody else resolves a person with one of these contact details. Sorted by the caller, so that
/// two transactions that share several details wait for each other instead of deadlocking.
pub(in crate::customers) async fn lock(conn: &mut PgConnection, keys: &[i64]) -> Result<(), DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k", keys).fetch_all(conn).await?;
    Ok(())
}

/// A customer who has one of the contact details.
pub(in crate::customers) struct CandidateRow {
    pub(in crate::customers) customer_id: CustomerId,
    pub(in crate::customers) kind: ContactKind,
    pub(in crate::customers) value_index: Vec<u8>,
    pub(in crate::customers) verified: bool,
    pub(in crate::customers) person_sealed: Vec<u8>,
}

/// Customers of the store who have one of the contact details.
pub(in crate::customers) async fn candidates(
    conn: &mut PgConnection,
    store: StoreId,
    kinds: &[String],
    indexes: &[Vec<u8>],
) -> Result<Vec<CandidateRow>, DbError> {
    let rows = sqlx::query_as!(
        CandidateRow,
        r#"SELECT u.id AS "customer_id: CustomerId", c.kind AS "kind: ContactKind", c.value_index, c.verified_at IS NOT NULL AS "verified!",
                  u.person_sealed
           FROM unnest($2::text[], $3::bytea[]) AS w (kind, value_index)
           JOIN customer_contact c ON c.store_id = $1 AND c.kind = w.kind AND c.value_index = w.value_index
           JOIN customer u ON u.id = c.customer_id AND u.store_id = $1 AND u.merged_into IS NULL
           ORDER BY u.id LIMIT 200"#,
        store.0,
        kinds,
        indexes,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// What is written of a customer.
pub(in crate::customers) struct CustomerValues<'a> {
    pub(in crate::customers) person_sealed: &'a [u8],
    pub(in crate::customers) search_tokens: &'a [Vec<u8>],
    pub(in crate::customers) state: Option<&'a str>,
    pub(in crate::customers) postal_code: Option<&'a str>,
}

pub(in crate::customers) async fn insert_customer(
    conn: &mut PgConnection,
    store: StoreId,
    id: CustomerId,
    values: &CustomerValues<'_>,
    credit_tier: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO customer (id, store_id, person_sealed, search_tokens, state, postal_code, credit_tier, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        id.0,
        store.0,
        values.person_sealed,
        values.search_tokens,
        values.state,
        values.postal_code,
        credit_tier,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A record locked for a change.
pub(in crate::customers) struct LockedRow {
    pub(in crate::customers) id: CustomerId,
    pub(in crate::customers) store_id: StoreId,
    pub(in crate::customers) person_sealed: Vec<u8>,
    pub(in crate::customers) merged_into: Option<CustomerId>,
}

/// Locks records in the order of their ids.
pub(in crate::customers) async fn lock_customers(
    conn: &mut PgConnection,
    stores: &[Uuid],
    ids: &[Uuid],
) -> Result<Vec<LockedRow>, DbError> {
    let rows = sqlx::query_as!(
        LockedRow,
        r#"SELECT id AS "id: CustomerId", store_id AS "store_id: StoreId", person_sealed, merged_into AS "merged_into: CustomerId"
           FROM customer WHERE id = ANY($1) AND store_id = ANY($2) ORDER BY id FOR UPDATE"#,
        ids,
        stores,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Replaces what is written of a customer; its new version.
pub(in crate::customers) async fn update_customer(
    conn: &mut PgConnection,
    id: CustomerId,
    values: &CustomerValues<'_>,
    now: DateTime<Utc>,
) -> Result<i32, DbError> {
    let version = sqlx::query_scalar!(
        "UPDATE customer SET person_sealed = $2, search_tokens = $3, state = coalesce($4, state), postal_code = coalesce($5, postal_code),
                             updated_at = $6, version = version + 1
         WHERE id = $1 RETURNING version",
        id.0,
        values.person_sealed,
        values.search_tokens,
        values.state,
        values.postal_code,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(version)
}

/// Contact details to be written, one per position.
#[derive(Default)]
pub(in crate::customers) struct ContactColumns {
    pub(in crate::customers) ids: Vec<Uuid>,
    pub(in crate::customers) kinds: Vec<String>,
    pub(in crate::customers) indexes: Vec<Vec<u8>>,
    pub(in crate::customers) sealed: Vec<Vec<u8>>,
    pub(in crate::customers) labels: Vec<Option<String>>,
    pub(in crate::customers) verified: Vec<bool>,
}

#[expect(clippy::as_conversions, reason = "how a checked query is told that an array may hold nulls")]
/// Adds details the customer does not have yet, and marks known ones as proven. How many rows changed.
pub(in crate::customers) async fn add_contacts(
    conn: &mut PgConnection,
    store: StoreId,
    customer: CustomerId,
    contacts: &ContactColumns,
    now: DateTime<Utc>,
) -> Result<u64, DbError> {
    let done = sqlx::query!(
        "INSERT INTO customer_contact AS old (id, customer_id, store_id, kind, value_index, value_sealed, label, verified_at, created_at)
         SELECT n.id, $1, $2, n.kind, n.value_index, n.value_sealed, n.label, CASE WHEN n.verified THEN $9::timestamptz END, $9
         FROM unnest($3::uuid[], $4::text[], $5::bytea[], $6::bytea[], $7::text[], $8::boolean[])
              AS n (id, kind, value_index, value_sealed, label, verified)
         ON CONFLICT (customer_id, kind, value_index) DO UPDATE SET verified_at = excluded.verified_at
         WHERE old.verified_at IS NULL AND excluded.verified_at IS NOT NULL",
        customer.0,
        store.0,
        &contacts.ids,
        &contacts.kinds,
        &contacts.indexes,
        &contacts.sealed,
        &contacts.labels as &[Option<String>],
        &contacts.verified,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Notes that the customer may be the same person as `others`. A dismissed pair stays dismissed.
pub(in crate::customers) async fn suggest(
    conn: &mut PgConnection,
    store: StoreId,
    customer: CustomerId,
    others: &[(CustomerId, LinkReason)],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let ids: Vec<Uuid> = others.iter().map(|(id, _)| id.0).collect();
    let reasons: Vec<String> = others.iter().map(|(_, reason)| reason.to_string()).collect();
    sqlx::query!(
        "INSERT INTO customer_link_suggestion (customer_id, other_id, store_id, reason, at)
         SELECT least($1, o.id), greatest($1, o.id), $2, o.reason, $5 FROM unnest($3::uuid[], $4::text[]) AS o (id, reason)
         ON CONFLICT DO NOTHING",
        customer.0,
        store.0,
        &ids,
        &reasons,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A pair that is still open, seen from one of its customers.
pub(in crate::customers) struct SuggestionRow {
    pub(in crate::customers) customer_id: Uuid,
    pub(in crate::customers) other_id: CustomerId,
    pub(in crate::customers) reason: LinkReason,
    pub(in crate::customers) at: DateTime<Utc>,
}

/// Open suggestions of customers: neither dismissed nor settled by a merge.
pub(in crate::customers) async fn suggestions(
    conn: &mut PgConnection,
    scope: &Scope,
    customers: &[Uuid],
) -> Result<Vec<SuggestionRow>, DbError> {
    let rows = sqlx::query_as!(
        SuggestionRow,
        r#"SELECT s.customer_id AS "customer_id!", s.other_id AS "other_id!: CustomerId", s.reason AS "reason!: LinkReason", s.at AS "at!"
           FROM (SELECT customer_id, other_id, reason, at FROM customer_link_suggestion
                 WHERE customer_id = ANY($1) AND store_id = ANY($2) AND dismissed_at IS NULL
                 UNION ALL
                 SELECT other_id, customer_id, reason, at FROM customer_link_suggestion
                 WHERE other_id = ANY($1) AND store_id = ANY($2) AND dismissed_at IS NULL) s
           JOIN customer o ON o.id = s.other_id AND o.merged_into IS NULL
           ORDER BY s.at DESC, s.other_id"#,
        customers,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Dismisses a pair; the store it belongs to, or none when there is no such pair in scope.
pub(in crate::customers) async fn dismiss_suggestion(
    conn: &mut PgConnection,
    scope: &Scope,
    pair: (CustomerId, CustomerId),
    by: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Option<StoreId>, DbError> {
    let store = sqlx::query_scalar!(
        r#"UPDATE customer_link_suggestion SET dismissed_at = coalesce(dismissed_at, $4), dismissed_by = coalesce(dismissed_by, $5)
           WHERE customer_id = least($1::uuid, $2::uuid) AND other_id = greatest($1::uuid, $2::uuid) AND store_id = ANY($3)
           RETURNING store_id AS "store_id: StoreId""#,
        pair.0.0,
        pair.1.0,
        scope.store_ids(),
        now,
        by,
    )
    .fetch_optional(conn)
    .await?;
    Ok(store)
}
