//! SQL of users, roles, sessions, tokens and keys.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::actor::{ActorKind, Role};
use super::keys::KeyRow;
use crate::db::DbError;
use crate::kernel::id::{GroupId, SessionId, StoreId, UserId};

/// A user with their roles, as one read gives them.
#[derive(Debug)]
pub(super) struct UserRow {
    pub user_id: UserId,
    pub group_id: GroupId,
    pub kind: ActorKind,
    pub display_name: String,
    pub roles: Vec<(StoreId, Role)>,
}

fn roles(stores: Vec<Uuid>, names: &[String]) -> Result<Vec<(StoreId, Role)>, DbError> {
    let parse = |name: &String| name.parse::<Role>().map_err(|_| DbError::Corrupt("user_role.role".into()));
    stores.into_iter().zip(names).map(|(store, name)| Ok((StoreId(store), parse(name)?))).collect()
}

pub(super) async fn signing_keys(conn: &mut PgConnection) -> Result<Vec<KeyRow>, DbError> {
    let rows = sqlx::query_as!(
        KeyRow,
        "SELECT kid, public_key, private_sealed FROM signing_key WHERE retired_at IS NULL ORDER BY created_at, kid"
    )
    .fetch_all(conn)
    .await?;
    Ok(rows)
}

/// Only the first server that starts on a database makes the first key.
pub(super) async fn lock_signing_keys(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}

pub(super) async fn insert_signing_key(conn: &mut PgConnection, key: &KeyRow, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO signing_key (kid, public_key, private_sealed, created_at) VALUES ($1, $2, $3, $4)",
        key.kid,
        key.public_key,
        key.private_sealed,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keys signed before `before` stop verifying.
pub(super) async fn retire_signing_keys(conn: &mut PgConnection, before: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64, DbError> {
    let done = sqlx::query!("UPDATE signing_key SET retired_at = $2 WHERE retired_at IS NULL AND created_at < $1", before, now)
        .execute(conn)
        .await?;
    Ok(done.rows_affected())
}

#[expect(clippy::too_many_arguments, reason = "one column each")]
pub(super) async fn insert_user(
    conn: &mut PgConnection,
    id: UserId,
    group: GroupId,
    kind: ActorKind,
    login: &str,
    name: &str,
    password_hash: Option<&str>,
    key_hash: Option<&[u8]>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO app_user (id, group_id, kind, login, display_name, password_hash, key_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.0,
        group.0,
        kind.as_str(),
        login,
        name,
        password_hash,
        key_hash,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn grant(conn: &mut PgConnection, user: UserId, store: StoreId, role: Role) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO user_role (user_id, store_id, role) VALUES ($1, $2, $3) ON CONFLICT (user_id, store_id) DO UPDATE SET role = excluded.role",
        user.0,
        store.0,
        role.as_str()
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn disable_user(conn: &mut PgConnection, login: &str, now: DateTime<Utc>) -> Result<Option<UserId>, DbError> {
    let id = sqlx::query_scalar!("UPDATE app_user SET disabled_at = $2 WHERE login = $1 AND disabled_at IS NULL RETURNING id", login, now)
        .fetch_optional(conn)
        .await?;
    Ok(id.map(UserId))
}

pub(super) async fn end_sessions_of(
    conn: &mut PgConnection,
    user: UserId,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Vec<SessionId>, DbError> {
    let ids = sqlx::query_scalar!(
        "UPDATE session SET ended_at = $2, end_reason = $3 WHERE user_id = $1 AND ended_at IS NULL RETURNING id",
        user.0,
        now,
        reason
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(SessionId).collect())
}

/// Password hash of an enabled person.
pub(super) async fn password_of(conn: &mut PgConnection, login: &str) -> Result<Option<(UserId, String)>, DbError> {
    let row = sqlx::query!(
        r#"SELECT id, password_hash AS "hash!" FROM app_user WHERE login = $1 AND kind = 'PERSON' AND disabled_at IS NULL"#,
        login
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (UserId(row.id), row.hash)))
}

pub(super) async fn failures_since(conn: &mut PgConnection, login: &str, address: &str, since: DateTime<Utc>) -> Result<i64, DbError> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM sign_in_attempt WHERE login = $1 AND at > $3 AND NOT success) AS "by_login!",
                  (SELECT count(*) FROM sign_in_attempt WHERE address = $2 AND at > $3 AND NOT success) AS "by_address!""#,
        login,
        address,
        since
    )
    .fetch_one(conn)
    .await?;
    Ok(row.by_login.max(row.by_address))
}

pub(super) async fn record_attempt(
    conn: &mut PgConnection,
    login: &str,
    address: &str,
    success: bool,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!("INSERT INTO sign_in_attempt (login, address, at, success) VALUES ($1, $2, $3, $4)", login, address, now, success)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn insert_session(
    conn: &mut PgConnection,
    id: SessionId,
    user: UserId,
    device: Option<&str>,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO session (id, user_id, device_label, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        id.0,
        user.0,
        device,
        now,
        expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn extend_session(conn: &mut PgConnection, id: SessionId, expires_at: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!("UPDATE session SET expires_at = $2 WHERE id = $1", id.0, expires_at).execute(conn).await?;
    Ok(())
}

/// Ends a session; false when it had ended before.
pub(super) async fn end_session(conn: &mut PgConnection, id: SessionId, reason: &str, now: DateTime<Utc>) -> Result<bool, DbError> {
    let done = sqlx::query!("UPDATE session SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at IS NULL", id.0, now, reason)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn insert_refresh(
    conn: &mut PgConnection,
    hash: &[u8],
    session: SessionId,
    parent: Option<&[u8]>,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO refresh_token (token_hash, session_id, parent_hash, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        hash,
        session.0,
        parent,
        now,
        expires_at
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A refresh token and its session, locked for the rotation.
#[derive(Debug)]
pub(super) struct RefreshRow {
    pub session_id: SessionId,
    pub user_id: UserId,
    pub expires_at: DateTime<Utc>,
    pub used_at: Option<DateTime<Utc>>,
    pub superseded_at: Option<DateTime<Utc>>,
    pub session_ended: bool,
    pub user_disabled: bool,
    /// Whether a successor of this token was itself exchanged.
    pub successor_used: bool,
}

pub(super) async fn lock_refresh(conn: &mut PgConnection, hash: &[u8]) -> Result<Option<RefreshRow>, DbError> {
    // The session row is the lock: two exchanges in one session run one after the other.
    let Some(session) = sqlx::query_scalar!(
        "SELECT s.id FROM session s JOIN refresh_token r ON r.session_id = s.id WHERE r.token_hash = $1 FOR UPDATE OF s",
        hash
    )
    .fetch_optional(&mut *conn)
    .await?
    else {
        return Ok(None);
    };
    let row = sqlx::query_as!(
        RefreshRow,
        r#"SELECT s.id AS "session_id: SessionId", s.user_id AS "user_id: UserId", r.expires_at, r.used_at, r.superseded_at,
                  (s.ended_at IS NOT NULL) AS "session_ended!", (u.disabled_at IS NOT NULL) AS "user_disabled!",
                  EXISTS (SELECT 1 FROM refresh_token c WHERE c.parent_hash = r.token_hash AND c.used_at IS NOT NULL) AS "successor_used!"
           FROM refresh_token r JOIN session s ON s.id = r.session_id JOIN app_user u ON u.id = s.user_id
           WHERE r.token_hash = $1 AND s.id = $2"#,
        hash,
        session
    )
    .fetch_optional(conn)
    .await?;
    Ok(row)
}

/// Marks the token exchanged and takes back successors whose answer was lost.
pub(super) async fn exchange_refresh(conn: &mut PgConnection, hash: &[u8], now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!(
        "WITH taken_back AS (UPDATE refresh_token SET superseded_at = $2 WHERE parent_hash = $1 AND superseded_at IS NULL)
         UPDATE refresh_token SET used_at = coalesce(used_at, $2) WHERE token_hash = $1",
        hash,
        now
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The user behind a live session.
pub(super) async fn user_of_session(conn: &mut PgConnection, id: SessionId, now: DateTime<Utc>) -> Result<Option<UserRow>, DbError> {
    let row = sqlx::query!(
        r#"SELECT u.id AS "user_id: UserId", u.group_id AS "group_id: GroupId", u.kind AS "kind: ActorKind", u.display_name,
                  ARRAY(SELECT r.store_id FROM user_role r WHERE r.user_id = u.id ORDER BY r.store_id) AS "stores!",
                  ARRAY(SELECT r.role FROM user_role r WHERE r.user_id = u.id ORDER BY r.store_id) AS "roles!"
           FROM session s JOIN app_user u ON u.id = s.user_id
           WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND u.disabled_at IS NULL"#,
        id.0,
        now
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(UserRow {
            user_id: row.user_id,
            group_id: row.group_id,
            kind: row.kind,
            display_name: row.display_name,
            roles: roles(row.stores, &row.roles)?,
        })
    })
    .transpose()
}

/// The machine with this key.
pub(super) async fn user_of_key(conn: &mut PgConnection, key_hash: &[u8]) -> Result<Option<UserRow>, DbError> {
    let row = sqlx::query!(
        r#"SELECT u.id AS "user_id: UserId", u.group_id AS "group_id: GroupId", u.kind AS "kind: ActorKind", u.display_name,
                  ARRAY(SELECT r.store_id FROM user_role r WHERE r.user_id = u.id ORDER BY r.store_id) AS "stores!",
                  ARRAY(SELECT r.role FROM user_role r WHERE r.user_id = u.id ORDER BY r.store_id) AS "roles!"
           FROM app_user u WHERE u.key_hash = $1 AND u.disabled_at IS NULL"#,
        key_hash
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(UserRow {
            user_id: row.user_id,
            group_id: row.group_id,
            kind: row.kind,
            display_name: row.display_name,
            roles: roles(row.stores, &row.roles)?,
        })
    })
    .transpose()
}

/// Sign-in attempts and idempotency answers older than these moments are of no more use.
pub(super) async fn sweep(conn: &mut PgConnection, attempts_before: DateTime<Utc>, sessions_before: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!("DELETE FROM sign_in_attempt WHERE at < $1", attempts_before).execute(&mut *conn).await?;
    sqlx::query!("DELETE FROM session WHERE expires_at < $1", sessions_before).execute(conn).await?;
    Ok(())
}
