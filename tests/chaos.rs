//! What happens when the database goes away under load. The long forms run with `make chaos`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use deskless::db::embedded::{Embedded, EmbeddedOptions};
use deskless::db::idempotency::{Claim, ClaimError};
use deskless::db::notices::Subject;
use deskless::db::pool::PoolSettings;
use deskless::db::{AuditEvent, By, Db, DbError};
use deskless::kernel::clock::SystemClock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use uuid::Uuid;

use crate::embedded::Dir;
use crate::helpers::TestApp;

/// How often something is cut: a few times in every test run, many times in `make chaos`.
pub fn rounds(short: u32, long: u32) -> u32 {
    if std::env::var("DESKLESS_CHAOS").is_ok_and(|form| form == "long") { long } else { short }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_do_not_notice_that_every_connection_is_cut() {
    let app = Arc::new(TestApp::start().await);
    let session = app.salesperson().await;
    let stop = Arc::new(AtomicBool::new(false));
    let reads: Vec<_> = (0..8).map(|_| Arc::new(AtomicU32::new(0))).collect();
    let readers: Vec<_> = reads
        .iter()
        .map(|reads| {
            let (app, token, stop, reads) = (Arc::clone(&app), session.access.clone(), Arc::clone(&stop), Arc::clone(reads));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = app.graphql(Some(&token), "{ deals(first: 5) { nodes { id } } }", json!({})).await;
                    assert!(answer.get("errors").is_none(), "a read noticed: {answer:#}");
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..rounds(10, 200) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let before: Vec<u32> = reads.iter().map(|reads| reads.load(Ordering::Relaxed)).collect();
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'deskless'",
        )
        .execute(app.database.pool())
        .await
        .unwrap();
        // A read is promised one cut, not two: every reader ends the one that was cut, and another, before the next cut.
        while reads.iter().zip(&before).any(|(reads, before)| reads.load(Ordering::Relaxed) < before + 2) {
            assert!(!readers.iter().any(|reader| reader.is_finished()), "a reader ended");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn service_is_back_within_seconds_of_a_database_crash() {
    let dir = Dir::new("crash");
    let embedded = Embedded::start(&dir.0, EmbeddedOptions::default()).await.unwrap();
    let settings = PoolSettings { max_connections: 4, ..PoolSettings::default() };
    let db = Db::connect(embedded.connect_options(), &settings, Arc::new(SystemClock)).await.unwrap();
    for _ in 0..rounds(2, 20) {
        let pid = Pid::from_raw(embedded.server_pid().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        let since = Instant::now();
        loop {
            match ask(&db).await {
                Ok(()) if embedded.server_pid() != Some(pid.as_raw_nonzero().get()) => break,
                Ok(()) | Err(DbError::Unavailable(_)) => {}
                Err(other) => panic!("a crash must look like an outage, which clients may retry: {other:?}"),
            }
            // The promise of five seconds is held by `make chaos`, which has the machine for itself.
            let promised = Duration::from_secs(rounds(30, 5).into());
            assert!(since.elapsed() < promised, "no full service {promised:?} after the crash");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
    db.close().await;
    embedded.stop().await;
}

async fn ask(db: &Db) -> Result<(), DbError> {
    let mut conn = db.read().await?;
    sqlx::query("SELECT 1").execute(&mut *conn).await?;
    Ok(())
}

/// Who writes in the kill test.
const WRITER: Uuid = Uuid::from_u128(7);

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_and_none_is_half_done_by_kill_9() {
    let dir = Dir::new("kill-9");
    let mut acknowledged = Vec::new();
    for round in 0..rounds(4, 50) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "chaos::child_writes_until_killed", "--ignored", "--nocapture"])
            .env("DESKLESS_TEST_CHILD_DIR", &dir.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Another number of writes in each round, so that every moment of a write is hit in time.
        let enough = 40 + usize::try_from(round * 7 % 23).unwrap();
        let mut heard = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("wrote ").map(str::to_owned));
        acknowledged.extend(heard.by_ref().take(enough));
        if round % 2 == 1 {
            let pid = std::fs::read_to_string(dir.0.join("db/data/postmaster.pid")).unwrap();
            kill_process(Pid::from_raw(pid.lines().next().unwrap().parse().unwrap()).unwrap(), Signal::KILL).unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(heard);
    }
    let embedded = Embedded::start(&dir.0, EmbeddedOptions::default()).await.unwrap();
    let db = Db::connect(embedded.connect_options(), &PoolSettings::default(), Arc::new(SystemClock)).await.unwrap();
    let keys: Vec<String> = sqlx::query_scalar("SELECT key FROM idempotency_record").fetch_all(db.pool()).await.unwrap();
    let lost: Vec<_> = acknowledged.iter().filter(|key| !keys.contains(key)).collect();
    assert!(lost.is_empty() && acknowledged.len() >= 100, "{} acknowledged, lost {lost:?}", acknowledged.len());
    // The key, its answer, the audit event and the notice of a write are there together or not at all.
    let halves: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM idempotency_record i
         FULL JOIN audit_event a ON a.detail ->> 'key' = i.key
         FULL JOIN change_notice n ON n.subject_id = a.subject_id
         WHERE i.key IS NULL OR a.id IS NULL OR n.id IS NULL OR i.answer::text = 'null'",
    )
    .fetch_one(db.pool())
    .await
    .unwrap();
    assert_eq!(halves, 0);
    // A retry with the same key gets the first answer.
    for key in acknowledged.iter().step_by(10) {
        assert_eq!(write(&db, key).await.unwrap(), Some(key.clone()), "the retry must be a replay");
    }
    db.close().await;
    embedded.stop().await;
}

/// One use case: claims its key, writes audit and notice, remembers the answer. Gives the first answer when it was done before.
async fn write(db: &Db, key: &str) -> Result<Option<String>, ClaimError> {
    let mut tx = db.begin(By::system()).await?;
    if let Claim::Replayed(answer) = tx.claim::<String>(WRITER, key, "chaos", &key).await? {
        return Ok(Some(answer));
    }
    let (store, subject) = (Uuid::nil(), db.new_id());
    tx.audit(AuditEvent { store_id: None, subject: Subject::Deal, subject_id: subject, verb: "tried", detail: json!({ "key": key }) });
    tx.notify(store, Subject::Deal, subject, 1);
    tx.remember(WRITER, key, &key)?;
    tx.commit().await?;
    Ok(None)
}

/// Not a test: the program that the kill test runs and kills. Says "wrote KEY" after each commit.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by another test as a program of its own"]
async fn child_writes_until_killed() {
    let Some(dir) = std::env::var_os("DESKLESS_TEST_CHILD_DIR") else { return };
    let embedded = Embedded::start(std::path::Path::new(&dir), EmbeddedOptions::default()).await.unwrap();
    let db = Db::connect(embedded.connect_options(), &PoolSettings::default(), Arc::new(SystemClock)).await.unwrap();
    deskless::db::MIGRATOR.run(db.pool()).await.unwrap();
    let writers = (0..4).map(|_| async {
        loop {
            let key = db.new_id::<Uuid>().to_string();
            if write(&db, &key).await.is_err() {
                return;
            }
            println!("wrote {key}");
        }
    });
    futures::future::join_all(writers).await;
    // The database was killed first: wait for our own turn.
    std::future::pending::<()>().await;
}
