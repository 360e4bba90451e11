//! Fills the product's tables from the load bench's (schema `app`) in the database of `DATABASE_URL`.
//!
//! `cargo run --release --example bench_seed`, with the same keys in the environment as the server that is measured.
#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "a tool of the bench: it stops with a message")]

use argon2::Argon2;
use argon2::password_hash::PasswordHasher;
use deskless::config::Config;
use deskless::db::MIGRATOR;
use deskless::kernel::id::CustomerId;
use deskless::kernel::seal::Sealer;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use uuid::Uuid;

/// What the bench signs in with, as "rep0".
const PASSWORD: &[u8] = b"bench bench bench";
const BATCH: usize = 2000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let config = Config::load(None).expect("the configuration");
    let sealer = config.sealer().expect("the keys");
    let url = config.database.url.as_deref().expect("DATABASE_URL");
    let mut conn = PgConnection::connect(url).await.expect("the database");
    MIGRATOR.run(&mut conn).await.expect("migrations");

    let hash = Argon2::default().hash_password(PASSWORD).expect("a hash").to_string();
    let sql = include_str!("seed.sql").replace("@PASSWORD_HASH@", &hash);
    let (before, after) = sql.split_once("\n-- CUSTOMERS\n").expect("the marker");
    let mut tx = conn.begin().await.expect("a transaction");
    sqlx::raw_sql(AssertSqlSafe(before.to_owned())).execute(&mut *tx).await.expect("stores and vehicles");
    let customers = customers(&mut tx, &sealer).await;
    sqlx::raw_sql(AssertSqlSafe(after.to_owned())).execute(&mut *tx).await.expect("deals");
    tx.commit().await.expect("commits");
    sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut conn).await.expect("vacuum");
    println!("seeded; {customers} customers sealed");
}

async fn customers(conn: &mut PgConnection, sealer: &Sealer) -> usize {
    let rows = sqlx::query(
        "SELECT id, app.pid(5, id) AS pid, first_name, last_name, email, phone, city, state, postal_code FROM app.customers ORDER BY id",
    )
    .fetch_all(&mut *conn)
    .await
    .expect("customers");
    for batch in rows.chunks(BATCH) {
        let ids: Vec<i32> = batch.iter().map(|row| row.get("id")).collect();
        let sealed: Vec<Vec<u8>> = batch.iter().map(|row| seal(sealer, row)).collect();
        sqlx::query(
            "INSERT INTO customer (id, store_id, person_sealed, state, postal_code, credit_tier, created_at, updated_at)
             SELECT app.pid(5, c.id), app.pid(2, c.dealer_id), s.sealed, c.state, c.postal_code, c.credit_tier, c.created_at, c.created_at
             FROM unnest($1::int[], $2::bytea[]) AS s (id, sealed) JOIN app.customers c ON c.id = s.id",
        )
        .bind(ids)
        .bind(sealed)
        .execute(&mut *conn)
        .await
        .expect("customers are inserted");
    }
    rows.len()
}

/// As `customers::records` does it. If that changes, reading fails loudly and this must follow.
fn seal(sealer: &Sealer, row: &sqlx::postgres::PgRow) -> Vec<u8> {
    let text = |column: &str| row.get::<String, _>(column);
    let record = json!({
        "given_name": text("first_name"),
        "family_name": text("last_name"),
        "address": { "city": text("city"), "state": text("state"), "postal_code": text("postal_code") },
        "email": text("email"),
        "phone": text("phone"),
    });
    let id = CustomerId(row.get::<Uuid, _>("pid"));
    sealer.seal(&format!("customer.person/{id}"), record.to_string().as_bytes())
}
