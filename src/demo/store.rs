//! The demo's own memory: which steps are done, and whether the database is somebody else's.

use sqlx::PgConnection;

use crate::db::DbError;

pub(super) async fn is_done(conn: &mut PgConnection, step: &str) -> Result<bool, DbError> {
    let done = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM demo_step WHERE name = $1) AS "done!""#, step).fetch_one(conn).await?;
    Ok(done)
}

pub(super) async fn mark_done(conn: &mut PgConnection, step: &str, now: chrono::DateTime<chrono::Utc>) -> Result<(), DbError> {
    sqlx::query!("INSERT INTO demo_step (name, done_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", step, now).execute(conn).await?;
    Ok(())
}

/// The code of a group that is not the demo's.
pub(super) async fn foreign_group(conn: &mut PgConnection, demo: &str) -> Result<Option<String>, DbError> {
    Ok(sqlx::query_scalar!("SELECT code FROM dealer_group WHERE code <> $1 LIMIT 1", demo).fetch_optional(conn).await?)
}

/// The demo group's id.
pub(super) async fn group_id(conn: &mut PgConnection, code: &str) -> Result<Option<uuid::Uuid>, DbError> {
    Ok(sqlx::query_scalar!("SELECT id FROM dealer_group WHERE code = $1", code).fetch_optional(conn).await?)
}

/// Whether somebody signs in under this name.
pub(super) async fn user_exists(conn: &mut PgConnection, login: &str) -> Result<bool, DbError> {
    let known = sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM app_user WHERE login = $1) AS "known!""#, login).fetch_one(conn).await?;
    Ok(known)
}
