//! SQL of merging and undoing. This is the one place that writes the `customer_id` of leads, events and deals: whose they are
//! is this slice's to say (docs/adr/0003-customers-belong-to-a-store.md).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::auth::Scope;
use crate::customers::model::{Merge, MergeId};
use crate::db::DbError;
use crate::kernel::id::{CustomerId, StoreId, UserId};

/// Everything a merge moved, so that it comes back exactly. Ids and counts only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::customers) struct Moved {
    /// Contact details the survivor did not have.
    pub(in crate::customers) contacts: Vec<Uuid>,
    /// Contact details of the survivor that became proven because the merged record had proven them.
    pub(in crate::customers) proven: Vec<Uuid>,
    /// Consents.
    pub(in crate::customers) consents: Vec<Uuid>,
    /// Preferences.
    pub(in crate::customers) preferences: Vec<Uuid>,
    /// Observations both had: the survivor's row and how much was added to it.
    pub(in crate::customers) folded: Vec<Folded>,
    /// Leads.
    pub(in crate::customers) leads: Vec<Uuid>,
    /// Web and app events.
    pub(in crate::customers) events: Vec<Uuid>,
    /// Deals.
    pub(in crate::customers) deals: Vec<Uuid>,
    /// Records that had been merged into the merged one before.
    pub(in crate::customers) repointed: Vec<Uuid>,
}

/// An observation that was added to the same one of the survivor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::customers) struct Folded {
    /// The survivor's row.
    pub(in crate::customers) into: Uuid,
    /// How many occurrences were added.
    pub(in crate::customers) added: i32,
}

/// Moves everything of `merged` to `survivor`.
pub(in crate::customers) async fn move_all(
    conn: &mut PgConnection,
    survivor: CustomerId,
    merged: CustomerId,
    now: DateTime<Utc>,
) -> Result<Moved, DbError> {
    let row = sqlx::query!(
        r#"WITH twins AS (
             SELECT m.id AS merged_row, s.id AS survivor_row, m.verified_at
             FROM customer_contact m JOIN customer_contact s ON s.customer_id = $1 AND s.kind = m.kind AND s.value_index = m.value_index
             WHERE m.customer_id = $2),
           contacts AS (
             UPDATE customer_contact SET customer_id = $1 WHERE customer_id = $2 AND id NOT IN (SELECT merged_row FROM twins) RETURNING id),
           proven AS (
             UPDATE customer_contact s SET verified_at = t.verified_at FROM twins t
             WHERE s.id = t.survivor_row AND s.verified_at IS NULL AND t.verified_at IS NOT NULL RETURNING s.id),
           consents AS (UPDATE consent SET customer_id = $1 WHERE customer_id = $2 RETURNING id),
           same AS (
             SELECT m.id AS merged_row, s.id AS survivor_row, m.occurrences
             FROM preference m JOIN preference s
               ON s.customer_id = $1 AND s.attribute = m.attribute AND s.operator = m.operator AND s.value = m.value AND s.channel = m.channel
              AND s.kind = m.kind AND coalesce(s.behaviour, '') = coalesce(m.behaviour, '') AND s.withdrawn_at IS NULL
             WHERE m.customer_id = $2 AND m.kind <> 'STATED' AND m.withdrawn_at IS NULL),
           folded AS (
             UPDATE preference s SET occurrences = s.occurrences + same.occurrences FROM same
             WHERE s.id = same.survivor_row RETURNING s.id, same.occurrences),
           preferences AS (
             UPDATE preference SET customer_id = $1 WHERE customer_id = $2 AND id NOT IN (SELECT merged_row FROM same) RETURNING id),
           leads AS (UPDATE lead SET customer_id = $1 WHERE customer_id = $2 RETURNING id),
           events AS (UPDATE channel_event SET customer_id = $1 WHERE customer_id = $2 RETURNING id),
           deals AS (UPDATE deal SET customer_id = $1, version = version + 1, updated_at = $3 WHERE customer_id = $2 RETURNING id),
           repointed AS (UPDATE customer SET merged_into = $1 WHERE merged_into = $2 RETURNING id)
           SELECT (SELECT coalesce(array_agg(id), '{}') FROM contacts) AS "contacts!",
                  (SELECT coalesce(array_agg(id), '{}') FROM proven) AS "proven!",
                  (SELECT coalesce(array_agg(id), '{}') FROM consents) AS "consents!",
                  (SELECT coalesce(array_agg(id), '{}') FROM preferences) AS "preferences!",
                  (SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM folded) AS "folded_ids!",
                  (SELECT coalesce(array_agg(occurrences ORDER BY id), '{}') FROM folded) AS "folded_counts!",
                  (SELECT coalesce(array_agg(id), '{}') FROM leads) AS "leads!",
                  (SELECT coalesce(array_agg(id), '{}') FROM events) AS "events!",
                  (SELECT coalesce(array_agg(id), '{}') FROM deals) AS "deals!",
                  (SELECT coalesce(array_agg(id), '{}') FROM repointed) AS "repointed!""#,
        survivor.0,
        merged.0,
        now,
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query!("UPDATE customer SET merged_into = $1, version = version + 1 WHERE id = $2", survivor.0, merged.0).execute(conn).await?;
    let folded = row.folded_ids.into_iter().zip(row.folded_counts).map(|(into, added)| Folded { into, added }).collect();
    Ok(Moved {
        contacts: row.contacts,
        proven: row.proven,
        consents: row.consents,
        preferences: row.preferences,
        folded,
        leads: row.leads,
        events: row.events,
        deals: row.deals,
        repointed: row.repointed,
    })
}

/// Brings back what [`move_all`] moved.
pub(in crate::customers) async fn move_back(
    conn: &mut PgConnection,
    merged: CustomerId,
    moved: &Moved,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let folded_ids: Vec<Uuid> = moved.folded.iter().map(|f| f.into).collect();
    let folded_counts: Vec<i32> = moved.folded.iter().map(|f| f.added).collect();
    sqlx::query!(
        "WITH contacts AS (UPDATE customer_contact SET customer_id = $1 WHERE id = ANY($2)),
              proven AS (UPDATE customer_contact SET verified_at = NULL WHERE id = ANY($3)),
              consents AS (UPDATE consent SET customer_id = $1 WHERE id = ANY($4)),
              preferences AS (UPDATE preference SET customer_id = $1 WHERE id = ANY($5)),
              folded AS (
                UPDATE preference p SET occurrences = p.occurrences - f.added FROM unnest($6::uuid[], $7::int[]) AS f (id, added)
                WHERE p.id = f.id),
              leads AS (UPDATE lead SET customer_id = $1 WHERE id = ANY($8)),
              events AS (UPDATE channel_event SET customer_id = $1 WHERE id = ANY($9)),
              deals AS (UPDATE deal SET customer_id = $1, version = version + 1, updated_at = $12 WHERE id = ANY($10)),
              repointed AS (UPDATE customer SET merged_into = $1 WHERE id = ANY($11))
         UPDATE customer SET merged_into = NULL, version = version + 1, updated_at = $12 WHERE id = $1",
        merged.0,
        &moved.contacts,
        &moved.proven,
        &moved.consents,
        &moved.preferences,
        &folded_ids,
        &folded_counts,
        &moved.leads,
        &moved.events,
        &moved.deals,
        &moved.repointed,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Versions of deals, for their notices.
pub(in crate::customers) async fn deal_versions(conn: &mut PgConnection, deals: &[Uuid]) -> Result<Vec<(Uuid, i32)>, DbError> {
    let rows = sqlx::query!("SELECT id, version FROM deal WHERE id = ANY($1) ORDER BY id", deals).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.version)).collect())
}

/// Keeps the record of a merge.
pub(in crate::customers) async fn insert(conn: &mut PgConnection, merge: &Merge, moved: &Moved) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO customer_merge (id, store_id, survivor_id, merged_id, reason, merged_by, merged_at, moved)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        merge.id.0,
        merge.store_id.0,
        merge.survivor.0,
        merge.merged.0,
        merge.reason,
        merge.merged_by.map(Uuid::from),
        merge.merged_at,
        Json(moved) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The record of a merge, locked, with what it moved.
pub(in crate::customers) async fn find_for_undo(
    conn: &mut PgConnection,
    scope: &Scope,
    id: MergeId,
) -> Result<Option<(Merge, Moved)>, DbError> {
    let row = sqlx::query!(
        r#"SELECT id AS "id: MergeId", store_id AS "store_id: StoreId", survivor_id AS "survivor: CustomerId", merged_id AS "merged: CustomerId",
                  reason, merged_by AS "merged_by: UserId", merged_at, undone_at, moved AS "moved: Json<Moved>"
           FROM customer_merge WHERE id = $1 AND store_id = ANY($2) FOR UPDATE"#,
        id.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let merge = Merge {
            id: row.id,
            store_id: row.store_id,
            survivor: row.survivor,
            merged: row.merged,
            reason: row.reason,
            merged_by: row.merged_by,
            merged_at: row.merged_at,
            undone_at: row.undone_at,
        };
        (merge, row.moved.0)
    }))
}

/// Marks a merge as undone.
pub(in crate::customers) async fn mark_undone(
    conn: &mut PgConnection,
    id: MergeId,
    by: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!("UPDATE customer_merge SET undone_at = $2, undone_by = $3 WHERE id = $1", id.0, now, by).execute(conn).await?;
    Ok(())
}

/// Merges into these customers that stand.
pub(in crate::customers) async fn list(conn: &mut PgConnection, scope: &Scope, survivors: &[Uuid]) -> Result<Vec<Merge>, DbError> {
    let rows = sqlx::query_as!(
        Merge,
        r#"SELECT id AS "id: MergeId", store_id AS "store_id: StoreId", survivor_id AS "survivor: CustomerId", merged_id AS "merged: CustomerId",
                  reason, merged_by AS "merged_by: UserId", merged_at, undone_at
           FROM customer_merge WHERE survivor_id = ANY($1) AND store_id = ANY($2) AND undone_at IS NULL ORDER BY merged_at DESC, id"#,
        survivors,
        scope.store_ids(),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}
