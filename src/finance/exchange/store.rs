//! The SQL of import and export. The statements themselves stand with their tables.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::column::{Kind, Row};
use super::plan::{Known, Plan, References};
use super::tables::{Reference, Spec};
use crate::db::DbError;
use crate::kernel::id::GroupId;

/// One import at a time: two at once could each close the other's row.
pub(super) async fn lock(conn: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtext('rules'))").fetch_one(conn).await?;
    Ok(())
}

/// All rows of a table, in their one spelling.
pub(super) async fn existing(conn: &mut PgConnection, spec: &'static Spec, group: GroupId) -> Result<Vec<Known>, DbError> {
    let rows = sqlx::query(spec.select).bind(group.0).fetch_all(conn).await?;
    rows.into_iter()
        .map(|found| {
            let (id, cells): (Uuid, Value) = (found.try_get(0)?, found.try_get(1)?);
            let mut row = Row { line: 0, cells: BTreeMap::new() };
            for column in spec.columns {
                let text = match cells.get(column.name) {
                    None | Some(Value::Null) => continue,
                    Some(Value::String(text)) => text.clone(),
                    Some(array @ Value::Array(_)) if matches!(column.kind, Kind::Json(_)) => array.to_string(),
                    Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
                    Some(other) => other.to_string(),
                };
                if text.is_empty() {
                    continue;
                }
                let cell = column.kind.canonical(&text).map_err(|e| DbError::Corrupt(format!("{}.{}: {e}", spec.name, column.name)))?;
                if !cell.is_empty() {
                    row.cells.insert(column.name, cell);
                }
            }
            Ok(Known { id, row })
        })
        .collect()
}

/// The codes a table's rows may refer to.
pub(super) async fn references(conn: &mut PgConnection, spec: &Spec, group: GroupId) -> Result<References, DbError> {
    let mut references = References::new();
    for (_, reference) in spec.references {
        let codes = match reference {
            Reference::Jurisdiction => sqlx::query_scalar!("SELECT code FROM tax_jurisdiction").fetch_all(&mut *conn).await?,
            Reference::Store => sqlx::query_scalar!("SELECT code FROM store WHERE group_id = $1", group.0).fetch_all(&mut *conn).await?,
            Reference::Lender => sqlx::query_scalar!("SELECT code FROM lender WHERE group_id = $1", group.0).fetch_all(&mut *conn).await?,
            Reference::Insurer => {
                sqlx::query_scalar!("SELECT code FROM insurer WHERE group_id = $1", group.0).fetch_all(&mut *conn).await?
            }
            Reference::Product => {
                sqlx::query_scalar!("SELECT DISTINCT code FROM product WHERE group_id = $1", group.0).fetch_all(&mut *conn).await?
            }
        };
        references.insert(*reference, codes.into_iter().collect::<HashSet<_>>());
    }
    Ok(references)
}

/// Adds rows; those that are there or overlap are left out by the database.
pub(super) async fn insert(conn: &mut PgConnection, spec: &'static Spec, group: GroupId, rows: &[Row]) -> Result<u64, DbError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let done = sqlx::query(spec.insert).bind(json(rows)).bind(group.0).execute(conn).await?;
    Ok(done.rows_affected())
}

/// Ends, notes and adds what the plan says.
pub(super) async fn carry_out(conn: &mut PgConnection, spec: &'static Spec, group: GroupId, plan: &Plan) -> Result<(), DbError> {
    if let Some(statement) = spec.close {
        for (id, end) in &plan.close {
            sqlx::query(statement).bind(id).bind(end).execute(&mut *conn).await?;
        }
    }
    if let Some(statement) = spec.note {
        for (id, row) in &plan.note {
            sqlx::query(statement).bind(id).bind(object(row)).execute(&mut *conn).await?;
        }
    }
    insert(conn, spec, group, &plan.add).await?;
    Ok(())
}

fn object(row: &Row) -> Value {
    let cells = row.cells.iter().map(|(name, value)| ((*name).to_owned(), Value::String(value.clone())));
    Value::Object(cells.collect::<Map<_, _>>())
}

fn json(rows: &[Row]) -> Value {
    Value::Array(rows.iter().map(object).collect())
}
