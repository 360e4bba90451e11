//! SQL of leads and events.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Lead, LeadFilter, LeadKey, LeadResolution, LeadStatus};
use crate::auth::Scope;
use crate::db::DbError;
use crate::kernel::id::{CustomerId, EventId, LeadId, StoreId, UserId};

/// A lead to be kept.
pub(super) struct NewLead<'a> {
    pub(super) id: LeadId,
    pub(super) store_id: StoreId,
    pub(super) channel: &'a str,
    pub(super) ordinal: i32,
    pub(super) source: Option<&'a str>,
    pub(super) external_id: Option<&'a str>,
    pub(super) content: &'a [u8],
    pub(super) status: LeadStatus,
    pub(super) reason: Option<&'a str>,
    /// The first lead of the document, which holds its raw bytes.
    pub(super) document_id: Option<LeadId>,
    pub(super) raw_sealed: Option<&'a [u8]>,
    pub(super) parsed_sealed: Option<&'a [u8]>,
    pub(super) summary: &'a Value,
    pub(super) requested_at: Option<DateTime<Utc>>,
    pub(super) received_at: DateTime<Utc>,
    /// Set for a lead whose content came before.
    pub(super) repeats: Option<&'a Known>,
}

/// A lead that came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: LeadId,
    pub(super) customer_id: Option<CustomerId>,
}

/// Keeps a lead. False when its content came before and it is not marked as a repetition: a concurrent insert of the same
/// content is waited for.
pub(super) async fn insert_lead(conn: &mut PgConnection, new: &NewLead<'_>) -> Result<bool, DbError> {
    let done = sqlx::query!(
        "INSERT INTO lead (id, store_id, channel, ordinal, source, external_id, content_sha256, status, status_reason, document_id, raw_sealed,
                           parsed_sealed, summary, requested_at, received_at, repeats_content, duplicate_of, customer_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (store_id, content_sha256) WHERE NOT repeats_content DO NOTHING",
        new.id.0,
        new.store_id.0,
        new.channel,
        new.ordinal,
        new.source,
        new.external_id,
        new.content,
        new.status.as_str(),
        new.reason,
        new.document_id.map(|id| id.0),
        new.raw_sealed,
        new.parsed_sealed,
        new.summary,
        new.requested_at,
        new.received_at,
        new.repeats.is_some(),
        new.repeats.map(|known| known.id.0),
        new.repeats.and_then(|known| known.customer_id).map(|id| id.0),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The first lead with this content.
pub(super) async fn first_with_content(conn: &mut PgConnection, store: StoreId, content: &[u8]) -> Result<Option<Known>, DbError> {
    let row = sqlx::query_as!(
        Known,
        r#"SELECT id AS "id: LeadId", customer_id AS "customer_id: CustomerId" FROM lead
           WHERE store_id = $1 AND content_sha256 = $2 AND NOT repeats_content"#,
        store.0,
        content,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// An earlier lead with the sender's id.
#[derive(Debug)]
pub(super) struct Version {
    /// The first lead of its family.
    pub(super) root: LeadId,
    pub(super) customer_id: Option<CustomerId>,
    pub(super) content: Vec<u8>,
    pub(super) requested_at: Option<DateTime<Utc>>,
}

/// The newest other lead with the sender's id: the customer's own before any other's.
pub(super) async fn newest_with_external_id(
    conn: &mut PgConnection,
    store: StoreId,
    source: &str,
    external_id: &str,
    customer: CustomerId,
    not: LeadId,
) -> Result<Option<Version>, DbError> {
    let row = sqlx::query_as!(
        Version,
        r#"SELECT coalesce(before.duplicate_of, l.duplicate_of, l.id) AS "root!: LeadId", l.customer_id AS "customer_id: CustomerId",
             l.content_sha256 AS content, l.requested_at
           FROM lead l LEFT JOIN lead before ON before.id = l.duplicate_of
           WHERE l.store_id = $1 AND l.source = $2 AND l.external_id = $3 AND l.id <> $4
           ORDER BY coalesce(l.customer_id = $5, false) DESC, l.received_at DESC, l.id DESC LIMIT 1"#,
        store.0,
        source,
        external_id,
        not.0,
        customer.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// The newest other lead of the customer from the same sender since a moment.
pub(super) async fn newest_of_customer(
    conn: &mut PgConnection,
    customer: CustomerId,
    source: Option<&str>,
    since: DateTime<Utc>,
    not: LeadId,
) -> Result<Option<Known>, DbError> {
    let row = sqlx::query_as!(
        Known,
        r#"SELECT coalesce(duplicate_of, id) AS "id!: LeadId", customer_id AS "customer_id: CustomerId" FROM lead
           WHERE customer_id = $1 AND source IS NOT DISTINCT FROM $2 AND received_at >= $3 AND id <> $4
           ORDER BY received_at DESC, id DESC LIMIT 1"#,
        customer.0,
        source,
        since,
        not.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// The lead and every lead that repeats it, or repeats one that does.
pub(super) async fn family(conn: &mut PgConnection, root: LeadId) -> Result<Vec<Uuid>, DbError> {
    Ok(sqlx::query_scalar!(
        "SELECT id FROM lead WHERE id = $1 OR duplicate_of = $1 OR duplicate_of IN (SELECT id FROM lead WHERE duplicate_of = $1)",
        root.0
    )
    .fetch_all(conn)
    .await?)
}

/// Says whose a lead is and what it repeats.
pub(super) async fn settle_lead(
    conn: &mut PgConnection,
    id: LeadId,
    status: LeadStatus,
    reason: Option<&str>,
    duplicate_of: Option<LeadId>,
    customer: CustomerId,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE lead SET status = $2, status_reason = $3, duplicate_of = $4, customer_id = $5 WHERE id = $1",
        id.0,
        status.as_str(),
        reason,
        duplicate_of.map(|id| id.0),
        customer.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person's decision.
pub(super) struct Settled<'a> {
    pub(super) resolution: LeadResolution,
    pub(super) customer: Option<CustomerId>,
    pub(super) note: Option<&'a str>,
    pub(super) by: UserId,
    pub(super) at: DateTime<Utc>,
}

/// Writes a decision. None when the lead is outside the scope; false when it does not wait for one.
pub(super) async fn resolve_lead(
    conn: &mut PgConnection,
    scope: &Scope,
    id: LeadId,
    settled: &Settled<'_>,
) -> Result<Option<bool>, DbError> {
    let row = sqlx::query!(
        r#"WITH target AS (SELECT id FROM lead WHERE id = $1 AND store_id = ANY($2)),
           done AS (
             UPDATE lead SET resolution = $3, resolution_note = $4, customer_id = coalesce($5, customer_id), resolved_by = $6, resolved_at = $7
             WHERE id IN (SELECT id FROM target) AND status = 'NEEDS_PERSON' AND resolved_at IS NULL RETURNING id)
           SELECT EXISTS (SELECT 1 FROM target) AS "found!", EXISTS (SELECT 1 FROM done) AS "done!""#,
        id.0,
        scope.store_ids(),
        settled.resolution.as_str(),
        settled.note,
        settled.customer.map(|id| id.0),
        settled.by.0,
        settled.at,
    )
    .fetch_one(conn)
    .await?;
    Ok(row.found.then_some(row.done))
}

/// Leads by id.
pub(super) async fn find_many(conn: &mut PgConnection, scope: &Scope, ids: &[Uuid]) -> Result<Vec<Lead>, DbError> {
    let rows = sqlx::query_as!(
        Lead,
        r#"SELECT id AS "id: _", store_id AS "store_id: _", channel, ordinal, source, external_id, status AS "status: _", status_reason,
             duplicate_of AS "duplicate_of: _", customer_id AS "customer_id: _", summary, requested_at, received_at, resolved_at,
             resolved_by AS "resolved_by: _", resolution AS "resolution: _", resolution_note
           FROM lead WHERE id = ANY($1) AND store_id = ANY($2)"#,
        ids,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Newest first.
pub(super) async fn page(
    conn: &mut PgConnection,
    scope: &Scope,
    filter: &LeadFilter,
    after: Option<LeadKey>,
    limit: i64,
) -> Result<Vec<Lead>, DbError> {
    let statuses = names(filter);
    let rows = sqlx::query_as!(
        Lead,
        r#"SELECT id AS "id: _", store_id AS "store_id: _", channel, ordinal, source, external_id, status AS "status: _", status_reason,
             duplicate_of AS "duplicate_of: _", customer_id AS "customer_id: _", summary, requested_at, received_at, resolved_at,
             resolved_by AS "resolved_by: _", resolution AS "resolution: _", resolution_note
           FROM lead
           WHERE store_id = ANY($1) AND (cardinality($2::text[]) = 0 OR status = ANY($2))
             AND ($3::bool IS NULL OR (status = 'NEEDS_PERSON' AND resolved_at IS NULL) = $3)
             AND ($4::timestamptz IS NULL OR (received_at, id) < ($4, $5))
           ORDER BY received_at DESC, id DESC LIMIT $6"#,
        scope.store_ids(),
        &statuses,
        filter.needs_person,
        after.map(|key| key.0),
        after.map(|key| key.1),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// How many a filter has.
pub(super) async fn count(conn: &mut PgConnection, scope: &Scope, filter: &LeadFilter) -> Result<i64, DbError> {
    let statuses = names(filter);
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM lead
           WHERE store_id = ANY($1) AND (cardinality($2::text[]) = 0 OR status = ANY($2))
             AND ($3::bool IS NULL OR (status = 'NEEDS_PERSON' AND resolved_at IS NULL) = $3)"#,
        scope.store_ids(),
        &statuses,
        filter.needs_person,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}

fn names(filter: &LeadFilter) -> Vec<String> {
    filter.statuses.iter().map(|s| s.as_str().to_owned()).collect()
}

/// The newest leads of each customer.
pub(super) async fn of_customers(conn: &mut PgConnection, scope: &Scope, customers: &[Uuid], limit: i64) -> Result<Vec<Lead>, DbError> {
    let rows = sqlx::query_as!(
        Lead,
        r#"SELECT l.id AS "id: _", l.store_id AS "store_id: _", l.channel, l.ordinal, l.source, l.external_id, l.status AS "status: _", l.status_reason,
             l.duplicate_of AS "duplicate_of: _", l.customer_id AS "customer_id: _", l.summary, l.requested_at, l.received_at, l.resolved_at,
             l.resolved_by AS "resolved_by: _", l.resolution AS "resolution: _", l.resolution_note
           FROM unnest($1::uuid[]) AS wanted (customer_id)
           CROSS JOIN LATERAL (
             SELECT * FROM lead WHERE lead.customer_id = wanted.customer_id AND lead.store_id = ANY($2)
             ORDER BY received_at DESC, id DESC LIMIT $3) AS l
           ORDER BY l.received_at DESC, l.id DESC"#,
        customers,
        scope.store_ids(),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// The sealed document a lead came in, and the lead that holds it.
pub(super) async fn raw(conn: &mut PgConnection, scope: &Scope, id: LeadId) -> Result<Option<(LeadId, Vec<u8>)>, DbError> {
    let row = sqlx::query!(
        r#"SELECT coalesce(document_id, id) AS "holder!: LeadId",
             coalesce(raw_sealed, (SELECT first.raw_sealed FROM lead first WHERE first.id = lead.document_id)) AS "raw!"
           FROM lead WHERE id = $1 AND store_id = ANY($2)"#,
        id.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.holder, row.raw)))
}

/// The sealed content of a lead, as it was understood.
pub(super) async fn parsed(conn: &mut PgConnection, scope: &Scope, id: LeadId) -> Result<Option<Vec<u8>>, DbError> {
    let sealed = sqlx::query_scalar!("SELECT parsed_sealed FROM lead WHERE id = $1 AND store_id = ANY($2)", id.0, scope.store_ids())
        .fetch_optional(conn)
        .await?;
    Ok(sealed.flatten())
}

/// Events to be kept, column by column.
#[derive(Default)]
pub(super) struct EventColumns {
    pub(super) ids: Vec<Uuid>,
    pub(super) customers: Vec<Option<Uuid>>,
    pub(super) channels: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) kinds: Vec<String>,
    pub(super) sources: Vec<String>,
    pub(super) external_ids: Vec<String>,
    pub(super) vehicles: Vec<Option<Uuid>>,
    pub(super) durations: Vec<Option<i32>>,
    pub(super) properties: Vec<Value>,
    pub(super) occurred: Vec<DateTime<Utc>>,
}

/// Keeps those that are new, in one statement; their ids.
pub(super) async fn insert_events(
    conn: &mut PgConnection,
    store: StoreId,
    events: &EventColumns,
    now: DateTime<Utc>,
) -> Result<Vec<EventId>, DbError> {
    let ids = sqlx::query_scalar!(
        r#"INSERT INTO channel_event (id, store_id, customer_id, channel, name, kind, source, external_id, vehicle_id, duration_seconds, properties,
                                      occurred_at, received_at)
           SELECT e.id, $1, e.customer_id, e.channel, e.name, e.kind, e.source, e.external_id, e.vehicle_id, e.duration_seconds, e.properties,
                  e.occurred_at, $2
           FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[], $11::int[], $12::jsonb[],
                       $13::timestamptz[])
             AS e (id, customer_id, channel, name, kind, source, external_id, vehicle_id, duration_seconds, properties, occurred_at)
           ORDER BY e.source, e.external_id
           ON CONFLICT (store_id, source, external_id) DO NOTHING RETURNING id AS "id: EventId""#,
        store.0,
        now,
        &events.ids,
        &events.customers as &[Option<Uuid>],
        &events.channels,
        &events.names,
        &events.kinds,
        &events.sources,
        &events.external_ids,
        &events.vehicles as &[Option<Uuid>],
        &events.durations as &[Option<i32>],
        &events.properties,
        &events.occurred,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}
