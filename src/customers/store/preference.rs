//! SQL of preferences.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Scope;
use crate::customers::model::{ConsentId, NewPreference};
use crate::customers::preference::{
    Preference, PreferenceAttribute, PreferenceBehaviour, PreferenceImportance, PreferenceKind, PreferenceOperator,
};
use crate::customers::wish::Wish;
use crate::db::{DbError, record};
use crate::kernel::id::{CustomerId, EventId, LeadId, PreferenceId, StoreId, UserId};

record!(
    /// A row of `preference`, also read as a record inside the customer's statement.
    #[derive(Clone)]
    pub(in crate::customers) struct PreferenceRow {
        id: Uuid,
        customer_id: Uuid,
        store_id: Uuid,
        attribute: PreferenceAttribute,
        operator: PreferenceOperator,
        value: String,
        importance: PreferenceImportance,
        kind: PreferenceKind,
        channel: String,
        behaviour: Option<PreferenceBehaviour>,
        occurrences: i32,
        confidence_permille: i32,
        source_event_id: Option<Uuid>,
        source_lead_id: Option<Uuid>,
        heard_by: Option<Uuid>,
        heard_by_name: Option<String>,
        consent_id: Option<Uuid>,
        at: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
        withdrawn_at: Option<DateTime<Utc>>,
    }
);

impl From<PreferenceRow> for Preference {
    fn from(row: PreferenceRow) -> Self {
        Self {
            id: PreferenceId(row.id),
            customer_id: CustomerId(row.customer_id),
            store_id: StoreId(row.store_id),
            wish: Wish::from_stored(row.attribute, row.operator, row.value),
            importance: row.importance,
            kind: row.kind,
            channel: row.channel,
            behaviour: row.behaviour,
            occurrences: row.occurrences,
            confidence: Decimal::new(i64::from(row.confidence_permille), 3),
            source_event_id: row.source_event_id.map(EventId),
            source_lead_id: row.source_lead_id.map(LeadId),
            heard_by: row.heard_by.map(UserId),
            heard_by_name: row.heard_by_name,
            consent_id: row.consent_id.map(ConsentId),
            at: row.at,
            expires_at: row.expires_at,
            withdrawn_at: row.withdrawn_at,
        }
    }
}

/// Live preferences of customers in the order they were made.
pub(in crate::customers) async fn list(conn: &mut PgConnection, scope: &Scope, customers: &[Uuid]) -> Result<Vec<PreferenceRow>, DbError> {
    let rows = sqlx::query_as!(
        PreferenceRow,
        r#"SELECT id, customer_id, store_id, attribute AS "attribute: PreferenceAttribute", operator AS "operator: PreferenceOperator", value,
                  importance AS "importance: PreferenceImportance", kind AS "kind: PreferenceKind", channel,
                  behaviour AS "behaviour: PreferenceBehaviour", occurrences, (confidence * 1000)::int AS "confidence_permille!",
                  source_event_id, source_lead_id, heard_by, (SELECT u.display_name FROM app_user u WHERE u.id = heard_by) AS heard_by_name,
                  consent_id, at, expires_at, withdrawn_at
           FROM preference WHERE customer_id = ANY($1) AND store_id = ANY($2) AND withdrawn_at IS NULL
           ORDER BY customer_id, id LIMIT 20000"#,
        customers,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// One preference by id, withdrawn or not.
pub(in crate::customers) async fn find(conn: &mut PgConnection, scope: &Scope, id: PreferenceId) -> Result<Option<PreferenceRow>, DbError> {
    let row = sqlx::query_as!(
        PreferenceRow,
        r#"SELECT id, customer_id, store_id, attribute AS "attribute: PreferenceAttribute", operator AS "operator: PreferenceOperator", value,
                  importance AS "importance: PreferenceImportance", kind AS "kind: PreferenceKind", channel,
                  behaviour AS "behaviour: PreferenceBehaviour", occurrences, (confidence * 1000)::int AS "confidence_permille!",
                  source_event_id, source_lead_id, heard_by, (SELECT u.display_name FROM app_user u WHERE u.id = heard_by) AS heard_by_name,
                  consent_id, at, expires_at, withdrawn_at
           FROM preference WHERE id = $1 AND store_id = ANY($2)"#,
        id.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Writes a preference for the customer, or for the record it was merged into. An observation made before counts up; its
/// newest time and source stay. None when the store has no such customer.
pub(in crate::customers) async fn record(
    conn: &mut PgConnection,
    store: StoreId,
    customer: CustomerId,
    id: PreferenceId,
    new: &NewPreference,
) -> Result<Option<(PreferenceId, CustomerId)>, DbError> {
    let row = sqlx::query!(
        r#"INSERT INTO preference AS old (id, customer_id, store_id, attribute, operator, value, importance, kind, channel, behaviour, occurrences,
                                          confidence, source_event_id, source_lead_id, heard_by, consent_id, at, expires_at)
           SELECT $3, coalesce(c.merged_into, c.id), c.store_id, $4, $5, $6, $7, $8, $9, $10, 1, $11::int / 1000.0, $12, $13, $14, $15, $16, $17
           FROM customer c WHERE c.id = $1 AND c.store_id = $2
           ON CONFLICT (customer_id, attribute, operator, value, channel, kind, coalesce(behaviour, ''))
             WHERE kind <> 'STATED' AND withdrawn_at IS NULL
           DO UPDATE SET occurrences = old.occurrences + 1,
                         source_event_id = CASE WHEN excluded.at >= old.at THEN coalesce(excluded.source_event_id, old.source_event_id)
                                           ELSE old.source_event_id END,
                         at = greatest(old.at, excluded.at),
                         expires_at = CASE WHEN old.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
                                      ELSE greatest(old.expires_at, excluded.expires_at) END,
                         confidence = greatest(old.confidence, excluded.confidence)
           RETURNING old.id AS "id: PreferenceId", old.customer_id AS "customer_id: CustomerId""#,
        customer.0,
        store.0,
        id.0,
        new.wish.attribute().as_str(),
        new.wish.operator().as_str(),
        new.wish.value(),
        new.importance.as_str(),
        new.kind.as_str(),
        new.channel,
        new.behaviour.map(PreferenceBehaviour::as_str),
        i32::from(new.confidence_permille.min(1000)),
        new.source_event_id.map(Uuid::from),
        new.source_lead_id.map(Uuid::from),
        new.heard_by.map(Uuid::from),
        new.consent_id.map(Uuid::from),
        new.at,
        new.expires_at,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.id, row.customer_id)))
}

/// Takes a preference back; whose it was. None when it is not in scope. Taking it back twice changes nothing.
pub(in crate::customers) async fn withdraw(
    conn: &mut PgConnection,
    scope: &Scope,
    id: PreferenceId,
    by: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Option<(CustomerId, StoreId)>, DbError> {
    let row = sqlx::query!(
        r#"UPDATE preference SET withdrawn_at = coalesce(withdrawn_at, $3), withdrawn_by = coalesce(withdrawn_by, $4)
           WHERE id = $1 AND store_id = ANY($2) RETURNING customer_id AS "customer_id: CustomerId", store_id AS "store_id: StoreId""#,
        id.0,
        scope.store_ids(),
        now,
        by,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.customer_id, row.store_id)))
}

/// Marks the customer as changed; the new version.
pub(in crate::customers) async fn touch(conn: &mut PgConnection, customer: CustomerId, now: DateTime<Utc>) -> Result<i32, DbError> {
    let version =
        sqlx::query_scalar!("UPDATE customer SET version = version + 1, updated_at = $2 WHERE id = $1 RETURNING version", customer.0, now)
            .fetch_one(conn)
            .await?;
    Ok(version)
}
