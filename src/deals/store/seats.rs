//! Seats at deals.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::auth::Scope;
use crate::db::DbError;
use crate::deals::seat::{Device, Seat, SeatWish};
use crate::deals::store::record::SeatRow;
use crate::kernel::id::{DealId, SessionId, StoreId, UserId};

impl From<SeatRow> for Seat {
    fn from(row: SeatRow) -> Self {
        let holder = Device {
            user_id: UserId(row.user_id),
            user_name: row.user_name,
            session_id: SessionId(row.session_id),
            label: row.device_label,
        };
        let asker = row.asked_user_id.zip(row.asked_session_id).zip(row.asked_at);
        let wish = asker.map(|((user, session), at)| SeatWish {
            device: Device {
                user_id: UserId(user),
                user_name: row.asked_user_name.unwrap_or_default(),
                session_id: SessionId(session),
                label: row.asked_device_label,
            },
            at,
            note: row.asked_note,
            take_over_from: row.take_over_from,
            kept: row.answer.is_some(),
            answer_note: row.answer_note,
        });
        Self { holder, since: row.since, renewed_at: row.renewed_at, expires_at: row.expires_at, unsaved: row.unsaved, wish }
    }
}

/// A deal with its seat.
#[derive(Debug)]
pub(in crate::deals) struct Found {
    pub(in crate::deals) store_id: StoreId,
    pub(in crate::deals) version: i32,
    pub(in crate::deals) seat: Option<Seat>,
}

/// The seat of a deal, locked together with the deal's row against whoever else moves it. None outside the scope.
pub(in crate::deals) async fn lock(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Option<Found>, DbError> {
    sqlx::query!("SELECT FROM deal WHERE id = $1 AND store_id = ANY($2) FOR UPDATE", deal.0, scope.store_ids()).execute(&mut *conn).await?;
    find(conn, scope, deal).await
}

/// The seat of a deal. None outside the scope.
pub(in crate::deals) async fn find(conn: &mut PgConnection, scope: &Scope, deal: DealId) -> Result<Option<Found>, DbError> {
    let row = sqlx::query!(
        r#"SELECT d.store_id AS "store_id: StoreId", d.version,
             ARRAY(SELECT ROW(s.user_id, s.user_name, s.session_id, s.device_label, s.since, s.renewed_at, s.expires_at, s.unsaved, s.asked_user_id,
                     s.asked_user_name, s.asked_session_id, s.asked_device_label, s.asked_at, s.asked_note, s.take_over_from, s.answer, s.answer_note)
                   FROM deal_seat s WHERE s.deal_id = d.id) AS "seats!: Vec<SeatRow>"
           FROM deal d WHERE d.id = $1 AND d.store_id = ANY($2)"#,
        deal.0,
        scope.store_ids(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Found { store_id: row.store_id, version: row.version, seat: row.seats.into_iter().next().map(Seat::from) }))
}

/// A seat renewed by its device.
#[derive(Debug)]
pub(in crate::deals) struct Renewed {
    pub(in crate::deals) store_id: Uuid,
    pub(in crate::deals) version: i32,
    /// Others see something new: the seat was free before, or what is unsaved changed.
    pub(in crate::deals) news: bool,
}

/// Takes a free seat or renews one's own, in one statement. None when another device has it, or there is no such deal.
pub(in crate::deals) async fn take(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: DealId,
    session: SessionId,
    unsaved: Option<&str>,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<Option<Renewed>, DbError> {
    let renewed = sqlx::query_as!(
        Renewed,
        r#"WITH old AS (SELECT session_id, unsaved, expires_at FROM deal_seat WHERE deal_id = $1)
           INSERT INTO deal_seat AS s (deal_id, store_id, user_id, user_name, session_id, device_label, since, renewed_at, expires_at, unsaved)
           SELECT d.id, d.store_id, u.id, u.display_name, e.id, e.device_label, $5, $5, $6, $4
           FROM deal d, session e JOIN app_user u ON u.id = e.user_id WHERE d.id = $1 AND d.store_id = ANY($2) AND e.id = $3
           ON CONFLICT (deal_id) DO UPDATE SET renewed_at = $5, expires_at = $6, unsaved = $4
             WHERE s.session_id = $3
           RETURNING s.store_id, (SELECT version FROM deal WHERE id = $1) AS "version!",
             NOT EXISTS (SELECT FROM old WHERE old.session_id = $3 AND old.expires_at > $5 AND old.unsaved IS NOT DISTINCT FROM $4) AS "news!""#,
        deal.0,
        scope.store_ids(),
        session.0,
        unsaved,
        now,
        expires_at,
    )
    .fetch_optional(conn)
    .await?;
    Ok(renewed)
}

/// Gives a locked deal's seat to a device, whoever had it.
pub(in crate::deals) async fn give(
    conn: &mut PgConnection,
    deal: DealId,
    session: SessionId,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO deal_seat (deal_id, store_id, user_id, user_name, session_id, device_label, since, renewed_at, expires_at)
         SELECT d.id, d.store_id, u.id, u.display_name, e.id, e.device_label, $3, $3, $4
         FROM deal d, session e JOIN app_user u ON u.id = e.user_id WHERE d.id = $1 AND e.id = $2
         ON CONFLICT (deal_id) DO UPDATE SET user_id = excluded.user_id, user_name = excluded.user_name, session_id = excluded.session_id,
           device_label = excluded.device_label, since = excluded.since, renewed_at = excluded.renewed_at, expires_at = excluded.expires_at,
           unsaved = NULL, asked_user_id = NULL, asked_user_name = NULL, asked_session_id = NULL, asked_device_label = NULL, asked_at = NULL,
           asked_note = NULL, take_over_from = NULL, answer = NULL, answer_note = NULL",
        deal.0,
        session.0,
        now,
        expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes a colleague's wish for a locked deal's seat.
pub(in crate::deals) async fn ask(
    conn: &mut PgConnection,
    deal: DealId,
    session: SessionId,
    note: Option<&str>,
    now: DateTime<Utc>,
    take_over_from: Option<DateTime<Utc>>,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE deal_seat s SET asked_user_id = u.id, asked_user_name = u.display_name, asked_session_id = e.id, asked_device_label = e.device_label,
           asked_at = $3, asked_note = $4, take_over_from = $5, answer = NULL, answer_note = NULL
         FROM session e JOIN app_user u ON u.id = e.user_id WHERE s.deal_id = $1 AND e.id = $2",
        deal.0,
        session.0,
        now,
        note,
        take_over_from,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The holder of a locked deal's seat keeps it.
pub(in crate::deals) async fn keep(conn: &mut PgConnection, deal: DealId, note: Option<&str>) -> Result<(), DbError> {
    sqlx::query!("UPDATE deal_seat SET answer = 'KEEP', answer_note = $2 WHERE deal_id = $1", deal.0, note).execute(conn).await?;
    Ok(())
}

/// A seat that became free.
#[derive(Debug)]
pub(in crate::deals) struct Freed {
    pub(in crate::deals) store_id: Uuid,
    pub(in crate::deals) deal_id: Uuid,
    pub(in crate::deals) version: i32,
}

/// Leaves one's own seat.
pub(in crate::deals) async fn leave(
    conn: &mut PgConnection,
    scope: &Scope,
    deal: DealId,
    session: SessionId,
) -> Result<Option<Freed>, DbError> {
    let freed = sqlx::query_as!(
        Freed,
        "DELETE FROM deal_seat s USING deal d WHERE s.deal_id = $1 AND d.id = s.deal_id AND d.store_id = ANY($2) AND s.session_id = $3
         RETURNING s.store_id, s.deal_id, d.version",
        deal.0,
        scope.store_ids(),
        session.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(freed)
}

/// Clears seats long after their time, and those of devices that signed out.
pub(in crate::deals) async fn clear(conn: &mut PgConnection, expired_before: DateTime<Utc>) -> Result<Vec<Freed>, DbError> {
    let freed = sqlx::query_as!(
        Freed,
        "DELETE FROM deal_seat s USING deal d WHERE d.id = s.deal_id AND s.deal_id IN (
           SELECT o.deal_id FROM deal_seat o JOIN session e ON e.id = o.session_id WHERE o.expires_at <= $1 OR e.ended_at IS NOT NULL
           ORDER BY o.deal_id LIMIT 500 FOR UPDATE OF o SKIP LOCKED)
         RETURNING s.store_id, s.deal_id, d.version",
        expired_before,
    )
    .fetch_all(conn)
    .await?;
    Ok(freed)
}
