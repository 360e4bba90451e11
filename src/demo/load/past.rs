//! The services on a clock of their own, so that the demo has a yesterday: leads that waited, prices that fell, deals that
//! nobody touched for days.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::LoadError;
use crate::app::App;
use crate::auth::Actor;
use crate::db::pool::PoolSettings;
use crate::db::{By, Db};
use crate::demo::group::PASSWORD;
use crate::kernel::clock::{Clock, FixedClock};

/// The application as it was at a moment that can be chosen.
pub(super) struct Past {
    /// Services whose clock is the chosen moment.
    pub(super) app: App,
    clock: Arc<FixedClock>,
    now: DateTime<Utc>,
}

impl Past {
    pub(super) async fn of(app: &App) -> Result<Self, LoadError> {
        let now = app.db.now();
        let clock = Arc::new(FixedClock::new(now));
        // Its commits do not wait for the disk. The step's own mark does, and it is written after them. On a busy machine a
        // whole lot takes longer than a request may.
        let options = (*app.db.pool().connect_options()).clone().options([("synchronous_commit", "off")]);
        let settings =
            PoolSettings { max_connections: 12, statement_timeout: std::time::Duration::from_mins(1), ..PoolSettings::default() };
        let shared: Arc<dyn Clock> = clock.clone();
        let db = Db::connect(options, &settings, shared).await?;
        let config = (*app.config).clone();
        let app = App::start(config, db).await.map_err(|e| LoadError::Refused(e.to_string()))?;
        Ok(Self { app, clock, now })
    }

    /// Gives its connections back.
    pub(super) async fn close(self) {
        self.app.db.close().await;
    }

    /// The moment the load began.
    pub(super) fn present(&self) -> DateTime<Utc> {
        self.now
    }

    /// Goes to a moment, but never beyond the present.
    pub(super) fn go_to(&self, at: DateTime<Utc>) {
        self.clock.advance(at.min(self.now) - self.clock.now());
    }

    /// Lets some time pass.
    pub(super) fn pass(&self, by: Duration) {
        self.go_to(self.clock.now() + by);
    }
}

/// A person of the group, signed in.
pub(super) async fn actor(app: &App, login: &str) -> Result<Arc<Actor>, LoadError> {
    let (_, actor) = app.auth.sign_in(login, PASSWORD.into(), Some("demo"), "demo", By::system()).await?;
    Ok(actor)
}

/// Ends the session of [`actor`].
pub(super) async fn leave(app: &App, actor: &Actor) -> Result<(), LoadError> {
    Ok(app.auth.sign_out(actor, By::system()).await?)
}
