//! The background work of a server: what is due by the clock, in small bounded rounds.
//!
//! Every server on a database does it; rows are taken under a condition, so that two never do the same thing. What fails is
//! tried again in the next round.

use std::time::Duration;

use tokio::task::JoinHandle;

use crate::app::App;

/// Time between two rounds.
const ROUND: Duration = Duration::from_secs(1);

/// Starts the rounds. They end with the database's pool, or when the handle is aborted.
pub fn start(app: &App) -> JoinHandle<()> {
    let (db, deals, payments) = (app.db.clone(), app.deals.clone(), app.payments.clone());
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(ROUND);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !db.pool().is_closed() {
            ticks.tick().await;
            if let Err(error) = deals.sweep_holds().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "holds could not be ended");
            }
            if let Err(error) = payments.sweep().await {
                tracing::warn!(error = &error as &dyn std::error::Error, "payments could not be asked about");
            }
        }
    })
}
