//! SQL that writes many wishes of one customer at once.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::customers::model::NewPreference;
use crate::db::DbError;
use crate::kernel::id::{CustomerId, LeadId, PreferenceId, StoreId};

/// Wishes, column by column.
#[derive(Default)]
pub(in crate::customers) struct WishColumns {
    ids: Vec<Uuid>,
    attributes: Vec<String>,
    operators: Vec<String>,
    values: Vec<String>,
    importances: Vec<String>,
    kinds: Vec<String>,
    channels: Vec<String>,
    behaviours: Vec<Option<String>>,
    occurrences: Vec<i32>,
    confidences: Vec<i32>,
    events: Vec<Option<Uuid>>,
    leads: Vec<Option<Uuid>>,
    at: Vec<DateTime<Utc>>,
    expires: Vec<Option<DateTime<Utc>>>,
}

impl WishColumns {
    /// Adds a wish that was made or seen `occurrences` times.
    pub(in crate::customers) fn push(&mut self, id: PreferenceId, new: &NewPreference, occurrences: i32) {
        self.ids.push(id.0);
        self.attributes.push(new.wish.attribute().to_string());
        self.operators.push(new.wish.operator().to_string());
        self.values.push(new.wish.value().to_owned());
        self.importances.push(new.importance.to_string());
        self.kinds.push(new.kind.to_string());
        self.channels.push(new.channel.clone());
        self.behaviours.push(new.behaviour.map(|b| b.to_string()));
        self.occurrences.push(occurrences);
        self.confidences.push(i32::from(new.confidence_permille.min(1000)));
        self.events.push(new.source_event_id.map(Uuid::from));
        self.leads.push(new.source_lead_id.map(Uuid::from));
        self.at.push(new.at);
        self.expires.push(new.expires_at);
    }

    pub(in crate::customers) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

/// The record a customer is now: itself, or the one it was merged into. None when the store has no such customer.
pub(in crate::customers) async fn owner(
    conn: &mut PgConnection,
    store: StoreId,
    customer: CustomerId,
) -> Result<Option<CustomerId>, DbError> {
    let id = sqlx::query_scalar!(
        r#"SELECT coalesce(merged_into, id) AS "id!: CustomerId" FROM customer WHERE id = $1 AND store_id = $2"#,
        customer.0,
        store.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(id)
}

/// Takes back what these leads stated and `keep` does not state any more.
pub(in crate::customers) async fn withdraw_of_leads(
    conn: &mut PgConnection,
    owner: CustomerId,
    leads: &[LeadId],
    keep: &WishColumns,
    now: DateTime<Utc>,
) -> Result<u64, DbError> {
    let leads: Vec<Uuid> = leads.iter().map(|id| id.0).collect();
    let done = sqlx::query!(
        "UPDATE preference p SET withdrawn_at = $3
         WHERE p.customer_id = $1 AND p.source_lead_id = ANY($2) AND p.kind = 'STATED' AND p.withdrawn_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM unnest($4::text[], $5::text[], $6::text[]) AS n (attribute, operator, value)
                           WHERE n.attribute = p.attribute AND n.operator = p.operator AND n.value = p.value)",
        owner.0,
        &leads,
        now,
        &keep.attributes,
        &keep.operators,
        &keep.values,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Writes wishes. What the customer has stated already is not written again; what was observed before counts up.
pub(in crate::customers) async fn record_many(
    conn: &mut PgConnection,
    store: StoreId,
    owner: CustomerId,
    wishes: &WishColumns,
) -> Result<u64, DbError> {
    let done = sqlx::query!(
        "INSERT INTO preference AS old (id, customer_id, store_id, attribute, operator, value, importance, kind, channel, behaviour, occurrences,
                                        confidence, source_event_id, source_lead_id, at, expires_at)
         SELECT n.id, $1, $2, n.attribute, n.operator, n.value, n.importance, n.kind, n.channel, n.behaviour, n.occurrences,
                n.confidence / 1000.0, n.event_id, n.lead_id, n.at, n.expires_at
         FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::int[], $12::int[],
                     $13::uuid[], $14::uuid[], $15::timestamptz[], $16::timestamptz[])
           AS n (id, attribute, operator, value, importance, kind, channel, behaviour, occurrences, confidence, event_id, lead_id, at, expires_at)
         WHERE n.kind <> 'STATED' OR NOT EXISTS (
           SELECT 1 FROM preference p WHERE p.customer_id = $1 AND p.kind = 'STATED' AND p.withdrawn_at IS NULL
             AND p.attribute = n.attribute AND p.operator = n.operator AND p.value = n.value)
         ON CONFLICT (customer_id, attribute, operator, value, channel, kind, coalesce(behaviour, ''))
           WHERE kind <> 'STATED' AND withdrawn_at IS NULL
         DO UPDATE SET occurrences = old.occurrences + excluded.occurrences,
                       source_event_id = CASE WHEN excluded.at >= old.at THEN coalesce(excluded.source_event_id, old.source_event_id)
                                         ELSE old.source_event_id END,
                       at = greatest(old.at, excluded.at),
                       expires_at = CASE WHEN old.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
                                    ELSE greatest(old.expires_at, excluded.expires_at) END,
                       confidence = greatest(old.confidence, excluded.confidence)",
        owner.0,
        store.0,
        &wishes.ids,
        &wishes.attributes,
        &wishes.operators,
        &wishes.values,
        &wishes.importances,
        &wishes.kinds,
        &wishes.channels,
        &wishes.behaviours as &[Option<String>],
        &wishes.occurrences,
        &wishes.confidences,
        &wishes.events as &[Option<Uuid>],
        &wishes.leads as &[Option<Uuid>],
        &wishes.at,
        &wishes.expires as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
