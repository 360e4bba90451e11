//! All the SQL of the slice. Personal data goes in and out sealed; the service opens it.

pub(super) mod identity;
pub(super) mod merge;
pub(super) mod preference;
pub(super) mod recording;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Scope;
use crate::db::{DbError, record};
use crate::kernel::id::{CustomerId, StoreId};

use super::model::ConsentPurpose;

/// A row of `customer`, still sealed, with the parts that were asked for.
#[derive(Clone)]
pub(super) struct CustomerRow {
    pub(super) id: CustomerId,
    pub(super) store_id: StoreId,
    pub(super) person_sealed: Vec<u8>,
    pub(super) state: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) credit_tier: Option<String>,
    pub(super) merged_into: Option<CustomerId>,
    pub(super) version: i32,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) preferences: Vec<preference::PreferenceRow>,
    pub(super) events: Vec<EventRow>,
}

record!(
    /// A row of `channel_event`.
    #[derive(Clone)]
    pub(super) struct EventRow {
        id: Uuid,
        kind: String,
        name: String,
        channel: String,
        vehicle_id: Option<Uuid>,
        duration_seconds: Option<i32>,
        occurred_at: DateTime<Utc>,
    }
);

/// Customers by id, with their live preferences and newest events when asked for, in one statement.
pub(super) async fn find(
    conn: &mut PgConnection,
    scope: &Scope,
    ids: &[Uuid],
    preferences: bool,
    events: i64,
) -> Result<Vec<CustomerRow>, DbError> {
    let rows = sqlx::query_as!(
        CustomerRow,
        r#"SELECT c.id AS "id: CustomerId", c.store_id AS "store_id: StoreId", c.person_sealed, c.state, c.postal_code, c.credit_tier,
                  c.merged_into AS "merged_into: CustomerId", c.version, c.created_at, c.updated_at,
                  ARRAY(SELECT ROW(p.id, p.customer_id, p.store_id, p.attribute, p.operator, p.value, p.importance, p.kind, p.channel, p.behaviour,
                          p.occurrences, (p.confidence * 1000)::int, p.source_event_id, p.source_lead_id, p.heard_by,
                          (SELECT u.display_name FROM app_user u WHERE u.id = p.heard_by), p.consent_id, p.at, p.expires_at, p.withdrawn_at)
                        FROM preference p WHERE $3 AND p.customer_id = c.id AND p.withdrawn_at IS NULL ORDER BY p.id LIMIT 500
                  ) AS "preferences!: Vec<preference::PreferenceRow>",
                  ARRAY(SELECT ROW(e.id, e.kind, e.name, e.channel, e.vehicle_id, e.duration_seconds, e.occurred_at)
                        FROM channel_event e WHERE e.customer_id = c.id ORDER BY e.occurred_at DESC, e.id DESC LIMIT $4
                  ) AS "events!: Vec<EventRow>"
           FROM customer c WHERE c.id = ANY($1) AND c.store_id = ANY($2)"#,
        ids,
        scope.store_ids(),
        preferences,
        events,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Where a page of customers begins: the key of the last one before it.
pub(super) type AfterKey = (DateTime<Utc>, CustomerId);

/// Ids of customers, the last changed first. `tokens`: all must be found; a merged record stands for its survivor.
pub(super) async fn page(
    conn: &mut PgConnection,
    scope: &Scope,
    tokens: Option<&[Vec<u8>]>,
    after: Option<AfterKey>,
    limit: i64,
) -> Result<Vec<Uuid>, DbError> {
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(at), Some(id.0)));
    let ids = match tokens {
        None => {
            sqlx::query_scalar!(
                "SELECT id FROM customer
                 WHERE store_id = ANY($1) AND merged_into IS NULL AND ($2::timestamptz IS NULL OR (updated_at, id) < ($2, $3))
                 ORDER BY updated_at DESC, id DESC LIMIT $4",
                scope.store_ids(),
                at,
                id,
                limit,
            )
            .fetch_all(conn)
            .await?
        }
        Some(tokens) => {
            sqlx::query_scalar!(
                "SELECT id FROM customer
                 WHERE store_id = ANY($1) AND merged_into IS NULL AND ($2::timestamptz IS NULL OR (updated_at, id) < ($2, $3))
                   AND id IN (SELECT coalesce(m.merged_into, m.id) FROM customer m WHERE m.search_tokens @> $5 AND m.store_id = ANY($1))
                 ORDER BY updated_at DESC, id DESC LIMIT $4",
                scope.store_ids(),
                at,
                id,
                limit,
                tokens,
            )
            .fetch_all(conn)
            .await?
        }
    };
    Ok(ids)
}

/// How many customers the list has.
pub(super) async fn count(conn: &mut PgConnection, scope: &Scope, tokens: Option<&[Vec<u8>]>) -> Result<i64, DbError> {
    let count = match tokens {
        None => {
            sqlx::query_scalar!(
                r#"SELECT count(*) AS "n!" FROM customer WHERE store_id = ANY($1) AND merged_into IS NULL"#,
                scope.store_ids()
            )
            .fetch_one(conn)
            .await?
        }
        Some(tokens) => sqlx::query_scalar!(
            r#"SELECT count(DISTINCT coalesce(merged_into, id)) AS "n!" FROM customer WHERE search_tokens @> $2 AND store_id = ANY($1)"#,
            scope.store_ids(),
            tokens,
        )
        .fetch_one(conn)
        .await?,
    };
    Ok(count)
}

/// One page of a customer's events, the newest first.
pub(super) async fn events(
    conn: &mut PgConnection,
    scope: &Scope,
    customer: CustomerId,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<EventRow>, DbError> {
    let (at, id) = after.map_or((None, None), |(at, id)| (Some(at), Some(id)));
    let rows = sqlx::query_as!(
        EventRow,
        "SELECT id, kind, name, channel, vehicle_id, duration_seconds, occurred_at FROM channel_event
         WHERE customer_id = $1 AND store_id = ANY($2) AND ($3::timestamptz IS NULL OR (occurred_at, id) < ($3, $4))
         ORDER BY occurred_at DESC, id DESC LIMIT $5",
        customer.0,
        scope.store_ids(),
        at,
        id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// A row of `customer_contact`, sealed.
pub(super) struct ContactRow {
    pub(super) id: Uuid,
    pub(super) customer_id: Uuid,
    pub(super) kind: super::model::ContactKind,
    pub(super) value_sealed: Vec<u8>,
    pub(super) label: Option<String>,
    pub(super) verified_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
}

/// Contacts of customers, the oldest first.
pub(super) async fn contacts(conn: &mut PgConnection, stores: &[Uuid], customers: &[Uuid]) -> Result<Vec<ContactRow>, DbError> {
    let rows = sqlx::query_as!(
        ContactRow,
        r#"SELECT id, customer_id, kind AS "kind: super::model::ContactKind", value_sealed, label, verified_at, created_at
           FROM customer_contact WHERE customer_id = ANY($1) AND store_id = ANY($2) ORDER BY created_at, id"#,
        customers,
        stores,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// A row of `consent`.
pub(super) struct ConsentRow {
    pub(super) id: Uuid,
    pub(super) customer_id: Uuid,
    pub(super) purpose: ConsentPurpose,
    pub(super) granted: bool,
    pub(super) channel: String,
    pub(super) at: DateTime<Utc>,
}

/// Consents of customers, the newest first.
pub(super) async fn consents(conn: &mut PgConnection, scope: &Scope, customers: &[Uuid]) -> Result<Vec<ConsentRow>, DbError> {
    let rows = sqlx::query_as!(
        ConsentRow,
        r#"SELECT id, customer_id, purpose AS "purpose: ConsentPurpose", granted, channel, at FROM consent
           WHERE customer_id = ANY($1) AND store_id = ANY($2) ORDER BY at DESC, id DESC"#,
        customers,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// A consent to be kept.
pub(super) struct NewConsent<'a> {
    pub(super) id: Uuid,
    pub(super) purpose: ConsentPurpose,
    pub(super) granted: bool,
    pub(super) channel: &'a str,
    pub(super) source_id: Option<Uuid>,
    pub(super) at: DateTime<Utc>,
}

/// Keeps a consent for the customer, or for the record it was merged into. None when the store has no such customer.
pub(super) async fn insert_consent(
    conn: &mut PgConnection,
    store: StoreId,
    customer: CustomerId,
    new: &NewConsent<'_>,
) -> Result<Option<Uuid>, DbError> {
    let id = sqlx::query_scalar!(
        "INSERT INTO consent (id, customer_id, store_id, purpose, granted, channel, source_id, at)
         SELECT $3, coalesce(c.merged_into, c.id), c.store_id, $4, $5, $6, $7, $8 FROM customer c WHERE c.id = $1 AND c.store_id = $2
         RETURNING id",
        customer.0,
        store.0,
        new.id,
        new.purpose.as_str(),
        new.granted,
        new.channel,
        new.source_id,
        new.at,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id)
}
