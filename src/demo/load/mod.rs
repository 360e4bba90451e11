//! Loading the demo through the services that load the real thing. Steps are remembered: an interrupted load goes on, and a
//! loaded demo is left as it is.

mod group;

use std::time::Instant;

use super::{group as facts, store};
use crate::app::App;
use crate::auth::AuthError;
use crate::db::{By, DbError};
use crate::dealers::StoreError;

/// Why the demo was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database holds somebody's real group.
    #[error(
        "this database already holds the dealer group \"{0}\"; the demo needs a database of its own (unset DATABASE_URL, or name another)"
    )]
    NotOurs(String),
    /// The configuration says production.
    #[error("the demo is not for production: its passwords are printed")]
    Production,
    /// A store was not opened.
    #[error("stores: {0}")]
    Store(#[from] StoreError),
    /// A person was not added, or could not sign in.
    #[error("people: {0}")]
    Auth(#[from] AuthError),
    /// A service refused what the demo generates, which is a bug of the demo.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error("database: {0}")]
    Db(#[from] DbError),
}

/// Tells the person at the terminal what is being done. One line per step.
pub trait Progress {
    /// A step begins.
    fn begin(&mut self, what: &str);
    /// The step is done; what came of it.
    fn done(&mut self, outcome: &str, elapsed: std::time::Duration);
}

/// Loads what is missing. True when anything was loaded, false when everything was there.
pub async fn load(app: &App, progress: &mut dyn Progress) -> Result<bool, LoadError> {
    if app.config.production {
        return Err(LoadError::Production);
    }
    if let Some(code) = store::foreign_group(&mut *app.db.read().await?, facts::GROUP_CODE).await? {
        return Err(LoadError::NotOurs(code));
    }
    let mut loader = Loader { app, progress, loaded: false };
    loader.step("group", "Opening the group, its stores and its people", async || group::load(app).await).await?;
    Ok(loader.loaded)
}

struct Loader<'a> {
    app: &'a App,
    progress: &'a mut dyn Progress,
    loaded: bool,
}

impl Loader<'_> {
    async fn step(&mut self, name: &str, what: &str, work: impl AsyncFnOnce() -> Result<String, LoadError>) -> Result<(), LoadError> {
        if store::is_done(&mut *self.app.db.read().await?, name).await? {
            return Ok(());
        }
        self.progress.begin(what);
        let begun = Instant::now();
        let outcome = work().await?;
        let mut tx = self.app.db.begin(By::system()).await?;
        let now = tx.now();
        store::mark_done(tx.conn(), name, now).await?;
        tx.commit().await?;
        self.loaded = true;
        self.progress.done(&outcome, begun.elapsed());
        Ok(())
    }
}
