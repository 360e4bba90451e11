//! Is the process alive, and can it work?

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::db::notices::Notices;
use crate::db::{Db, MIGRATOR};

/// Longest wait for the database.
const PATIENCE: Duration = Duration::from_millis(1500);

/// `GET /livez`: the process answers. Touches nothing else.
pub(super) async fn livez() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// `GET /readyz`: the database answers, its schema is the one of this program, changes are heard, and the server is not stopping.
pub(super) async fn readyz(db: Option<&Db>, notices: Option<&Notices>, stopping: bool) -> Response {
    let (database, migrations) = match db {
        None => (true, true),
        Some(db) => tokio::time::timeout(PATIENCE, look(db)).await.unwrap_or((false, false)),
    };
    let listener = notices.is_none_or(Notices::listening);
    let ready = database && migrations && listener && !stopping;
    let word = |ok: bool| if ok { "ok" } else { "failing" };
    let body = json!({
        "status": word(ready),
        "checks": { "database": word(database), "migrations": word(migrations), "listener": word(listener), "accepting": word(!stopping) },
    });
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body)).into_response()
}

async fn look(db: &Db) -> (bool, bool) {
    let Ok(mut conn) = db.read().await else { return (false, false) };
    // The table is sqlx's own and may be missing: hence not a checked query.
    let applied =
        sqlx::query_scalar::<_, i64>("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version").fetch_all(&mut *conn).await;
    match applied {
        Ok(applied) => (true, MIGRATOR.iter().all(|migration| applied.contains(&migration.version))),
        Err(sqlx::Error::Database(_)) => (true, false),
        Err(_) => (false, false),
    }
}
