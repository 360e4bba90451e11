//! Change notices: every committed row is heard by every server, whoever died or committed late.

use std::time::Duration;

use deskless::db::notices::{Notices, Signal, Subject};
use deskless::db::pool::PoolSettings;
use deskless::db::{By, Db};
use tokio::sync::broadcast::Receiver;
use uuid::Uuid;

use crate::helpers::database::TestDatabase;

const ROW: &str = "INSERT INTO change_notice (at, store_id, subject_kind, subject_id) VALUES (now(), $1, 'DEAL', $1)";

async fn servers() -> (TestDatabase, Db, [Receiver<Signal>; 2]) {
    let database = TestDatabase::create().await;
    let writer = database.open_with(PoolSettings::default()).await;
    let other = database.open_with(PoolSettings::default()).await;
    let ears = [Notices::start(&writer).await.unwrap().subscribe(), Notices::start(&other).await.unwrap().subscribe()];
    (database, writer, ears)
}

/// The subjects of the next `count` notices.
async fn heard(ear: &mut Receiver<Signal>, count: usize) -> Vec<Uuid> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let signal = tokio::time::timeout(Duration::from_secs(20), ear.recv()).await.expect("a notice").unwrap();
        if let Signal::Changed(notice) = signal {
            ids.push(notice.subject_id);
        }
    }
    ids
}

#[tokio::test]
async fn both_servers_hear_what_is_committed_and_nothing_else() {
    let (_database, db, mut ears) = servers().await;
    let mut expected = Vec::new();
    for n in 0..50 {
        let id: Uuid = db.new_id();
        let mut tx = db.begin(By::system()).await.unwrap();
        tx.notify(id, Subject::Deal, id, 1);
        if n % 5 == 0 {
            drop(tx);
        } else {
            tx.commit().await.unwrap();
            expected.push(id);
        }
    }
    for ear in &mut ears {
        assert_eq!(heard(ear, expected.len()).await, expected);
        assert!(ear.try_recv().is_err(), "once each");
    }
}

#[tokio::test]
async fn a_row_whose_writer_died_before_telling_is_heard() {
    let (database, db, mut ears) = servers().await;
    let id: Uuid = db.new_id();
    sqlx::query(ROW).bind(id).execute(database.pool()).await.unwrap();
    for ear in &mut ears {
        assert_eq!(heard(ear, 1).await, [id]);
    }
}

#[tokio::test]
async fn a_row_with_an_earlier_number_that_is_committed_later_is_heard() {
    let (database, db, mut ears) = servers().await;
    let (late, early): (Uuid, Uuid) = (db.new_id(), db.new_id());
    let mut open = database.pool().begin().await.unwrap();
    sqlx::query(ROW).bind(late).execute(&mut *open).await.unwrap();
    let mut tx = db.begin(By::system()).await.unwrap();
    tx.notify(early, Subject::Deal, early, 1);
    tx.commit().await.unwrap();
    for ear in &mut ears {
        assert_eq!(heard(ear, 1).await, [early]);
    }
    open.commit().await.unwrap();
    for ear in &mut ears {
        assert_eq!(heard(ear, 1).await, [late]);
    }
}

#[tokio::test]
async fn a_look_touches_only_what_is_new_however_many_notices_there_are() {
    const OLD: i64 = 50_000;
    let database = TestDatabase::create().await;
    let many =
        "INSERT INTO change_notice (at, store_id, subject_kind, subject_id) SELECT now(), $1, 'DEAL', $1 FROM generate_series(1, $2)";
    sqlx::query(many).bind(Uuid::nil()).bind(OLD).execute(database.pool()).await.unwrap();
    sqlx::query("ANALYZE change_notice").execute(database.pool()).await.unwrap();
    let db = database.open_with(PoolSettings::default()).await;
    let mut ear = Notices::start(&db).await.unwrap().subscribe();
    let before = rows_read(&database).await;
    for _ in 0..4 {
        let id: Uuid = db.new_id();
        let mut tx = db.begin(By::system()).await.unwrap();
        tx.notify(id, Subject::Deal, id, 1);
        tx.commit().await.unwrap();
        assert_eq!(heard(&mut ear, 1).await, [id]);
        // PostgreSQL counts at most once a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    let read = rows_read(&database).await - before;
    assert!((1..OLD / 10).contains(&read), "{read} rows read to hear 4 notices");
}

/// Rows of the table that PostgreSQL has touched so far.
async fn rows_read(database: &TestDatabase) -> i64 {
    sqlx::query_scalar("SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'change_notice'")
        .fetch_one(database.pool())
        .await
        .unwrap()
}
