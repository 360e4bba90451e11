//! SQL of groups and stores.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::PgConnection;

use super::model::{NewStore, StoreInfo};
use crate::db::DbError;
use crate::kernel::id::{GroupId, StoreId};

pub(super) async fn all(conn: &mut PgConnection) -> Result<Vec<StoreInfo>, DbError> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id: StoreId", group_id AS "group_id: GroupId", code, name, street, city, state, postal_code, phone, time_zone, currency,
                  tax_jurisdiction, feed_drop_limit_percent, price_drop_limit_percent, deal_idle_days, spot_delivery_days
           FROM store ORDER BY code"#
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(StoreInfo {
                id: row.id,
                group_id: row.group_id,
                code: row.code,
                name: row.name,
                street: row.street,
                city: row.city,
                state: row.state,
                postal_code: row.postal_code,
                phone: row.phone,
                time_zone: row.time_zone.parse().map_err(|_| DbError::Corrupt("store.time_zone".into()))?,
                currency: row.currency.parse().map_err(|_| DbError::Corrupt("store.currency".into()))?,
                tax_jurisdiction: row.tax_jurisdiction,
                feed_drop_limit_percent: row.feed_drop_limit_percent,
                price_drop_limit_percent: row.price_drop_limit_percent,
                deal_idle_days: row.deal_idle_days,
                spot_delivery_days: row.spot_delivery_days,
            })
        })
        .collect()
}

pub(super) async fn insert_group(conn: &mut PgConnection, id: GroupId, code: &str, name: &str, now: DateTime<Utc>) -> Result<(), DbError> {
    sqlx::query!("INSERT INTO dealer_group (id, code, name, created_at) VALUES ($1, $2, $3, $4)", id.0, code, name, now)
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn insert_store(
    conn: &mut PgConnection,
    id: StoreId,
    group: GroupId,
    new: &NewStore,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    sqlx::query!(
        "INSERT INTO store (id, group_id, code, name, street, city, state, postal_code, phone, time_zone, currency, tax_jurisdiction, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        id.0,
        group.0,
        new.code,
        new.name,
        new.street,
        new.city,
        new.state,
        new.postal_code,
        new.phone,
        new.time_zone.name(),
        new.currency.as_str(),
        new.tax_jurisdiction,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn set_spot_days(conn: &mut PgConnection, store: StoreId, days: Option<i32>) -> Result<(), DbError> {
    sqlx::query!("UPDATE store SET spot_delivery_days = $2 WHERE id = $1", store.0, days).execute(conn).await?;
    Ok(())
}

pub(super) async fn set_feed_limits(
    conn: &mut PgConnection,
    store: StoreId,
    feed_drop: Decimal,
    price_drop: Decimal,
) -> Result<(), DbError> {
    sqlx::query!(
        "UPDATE store SET feed_drop_limit_percent = $2, price_drop_limit_percent = $3 WHERE id = $1",
        store.0,
        feed_drop,
        price_drop
    )
    .execute(conn)
    .await?;
    Ok(())
}
