//! What happens by itself when its time comes. Every server looks; a row is settled once, whoever is first.

use std::time::Duration;

use super::service::Deals;
use crate::db::DbError;

/// How often a server looks for questions and seats.
const EVERY: Duration = Duration::from_secs(2);
/// How often a server looks for deals that nobody touched for days.
const IDLE_EVERY: Duration = Duration::from_secs(600);

impl Deals {
    /// Starts looking in background tasks, which end when the database's connections are closed.
    pub fn start_clockwork(&self) {
        let (short, long) = (self.clone(), self.clone());
        tokio::spawn(async move {
            while !short.is_closed() {
                tokio::time::sleep(EVERY).await;
                told(short.settle_approvals().await.and(short.clear_seats().await));
            }
        });
        tokio::spawn(async move {
            while !long.is_closed() {
                tokio::time::sleep(IDLE_EVERY).await;
                told(long.expire_idle().await);
            }
        });
    }
}

fn told(settled: Result<usize, DbError>) {
    if let Err(error) = settled {
        tracing::debug!(error = &error as &dyn std::error::Error, "what is due could not be settled; the next look does it");
    }
}
