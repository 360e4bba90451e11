//! Connections on loan: handed on quiet, never in the middle of something, never more than there are.

use std::time::{Duration, Instant};

use deskless::db::pool::PoolSettings;
use deskless::db::{By, Db, DbError};

use crate::helpers::database::TestDatabase;

async fn backend(db: &Db) -> i32 {
    let mut conn = db.read().await.unwrap();
    // `fetch_one` leaves the end of the answer unread.
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *conn).await.unwrap()
}

#[tokio::test]
async fn a_quiet_connection_serves_the_next_user() {
    let database = TestDatabase::create().await;
    let db = database.open_with(PoolSettings::default()).await;
    let first = backend(&db).await;
    for _ in 0..20 {
        assert_eq!(backend(&db).await, first);
    }
}

#[tokio::test]
async fn a_connection_given_up_in_the_middle_is_not_handed_on() {
    let database = TestDatabase::create().await;
    let db = database.open_with(PoolSettings { max_connections: 2, ..PoolSettings::default() }).await;
    for _ in 0..2 {
        let mut conn = db.read().await.unwrap();
        let slow = sqlx::query("SELECT pg_sleep(2)").execute(&mut *conn);
        assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err(), "it was given up");
        drop(conn);
        let begin = Instant::now();
        backend(&db).await;
        assert!(begin.elapsed() < Duration::from_millis(1500), "waited for the statement of somebody else");
        // One of two connections sleeps: let it come back.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing() {
    let database = TestDatabase::create().await;
    let db = database.open_with(PoolSettings { max_connections: 1, ..PoolSettings::default() }).await;
    for _ in 0..5 {
        let mut tx = db.begin(By::system()).await.unwrap();
        sqlx::query("INSERT INTO dealer_group VALUES (gen_random_uuid(), 'lost', 'Lost Motors', now())").execute(tx.conn()).await.unwrap();
        drop(tx);
        let mut conn = db.read().await.unwrap();
        let (groups, open): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM dealer_group WHERE code = 'lost'), count(*) FROM pg_stat_activity
                            WHERE datname = current_database() AND state = 'idle in transaction'",
        )
        .fetch_one(&mut *conn)
        .await
        .unwrap();
        assert_eq!(groups, 0);
        assert!(open <= 1, "a rolled back transaction stayed open");
    }
}

#[tokio::test]
async fn nobody_gets_more_connections_than_there_are() {
    let database = TestDatabase::create().await;
    let patience = Duration::from_millis(300);
    let db = database.open_with(PoolSettings { max_connections: 2, acquire_timeout: patience, ..PoolSettings::default() }).await;
    let both = (db.read().await.unwrap(), db.read().await.unwrap());
    assert!(matches!(db.read().await, Err(DbError::Unavailable(_))), "a third");
    drop(both);
    let _again = (db.read().await.unwrap(), db.read().await.unwrap());
}

#[tokio::test]
async fn closing_waits_for_the_last_user_and_lends_nothing_more() {
    let database = TestDatabase::create().await;
    let db = database.open_with(PoolSettings::default()).await;
    backend(&db).await;
    let lent = db.read().await.unwrap();
    let closing = tokio::spawn({
        let db = db.clone();
        async move { db.close().await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!closing.is_finished());
    assert!(db.read().await.is_err());
    drop(lent);
    tokio::time::timeout(Duration::from_secs(10), closing).await.expect("closes").unwrap();
}
