//! What happens when the database goes away under load. The long forms run with `make chaos`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::helpers::TestApp;

/// How often something is cut: a few times in every test run, many times in `make chaos`.
fn rounds(short: u32, long: u32) -> u32 {
    if std::env::var("DESKLESS_CHAOS").is_ok_and(|form| form == "long") { long } else { short }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_do_not_notice_that_every_connection_is_cut() {
    let app = Arc::new(TestApp::start().await);
    let session = app.salesperson().await;
    let (stop, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (app, token, stop, reads) = (Arc::clone(&app), session.access.clone(), Arc::clone(&stop), Arc::clone(&reads));
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
        let before = reads.load(Ordering::Relaxed);
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'deskless'",
        )
        .execute(app.database.pool())
        .await
        .unwrap();
        while reads.load(Ordering::Relaxed) < before + 20 {
            assert!(!readers.iter().any(|reader| reader.is_finished()), "a reader ended");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
}
