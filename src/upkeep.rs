//! The background work of a server: what is due by the clock, in small bounded rounds.
//!
//! Every server on a database does it; rows are taken under a condition, so that two never do the same thing. What fails is
//! tried again in the next round.

use std::error::Error;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::app::App;
use crate::db::Db;

/// Between two looks for holds whose time is over, and for payments whose outcome is unknown.
const SECOND: Duration = Duration::from_secs(1);
/// Between two looks for questions nobody answered, and for seats nobody sits on.
const TWO_SECONDS: Duration = Duration::from_secs(2);
/// Between two looks for deals that nobody touched for days.
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// Starts the rounds. They end with the database's pool, or when the handle is aborted.
pub fn start(app: &App) -> JoinHandle<()> {
    let (db, deals, payments) = (app.db.clone(), app.deals.clone(), app.payments.clone());
    tokio::spawn(async move {
        tokio::join!(
            every(SECOND, &db, "holds could not be ended", || deals.sweep_holds()),
            every(SECOND, &db, "payments could not be asked about", || payments.sweep()),
            every(TWO_SECONDS, &db, "questions to managers could not be settled", || deals.settle_approvals()),
            every(TWO_SECONDS, &db, "seats could not be cleared", || deals.clear_seats()),
            every(TEN_MINUTES, &db, "idle deals could not be given up", || deals.expire_idle()),
        );
    })
}

async fn every<F, E>(period: Duration, db: &Db, trouble: &str, round: impl Fn() -> F)
where
    F: Future<Output = Result<usize, E>> + Send,
    E: Error + 'static,
{
    while !db.is_closed() {
        tokio::time::sleep(period).await;
        if let Err(error) = round().await
            && !db.is_closed()
        {
            tracing::warn!(error = &error as &dyn Error, "{trouble}");
        }
    }
}
