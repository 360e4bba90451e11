//! Loading the demo through the services that load the real thing. Steps are remembered: an interrupted load goes on, and a
//! loaded demo is left as it is.

mod api;
mod deals;
mod group;
mod leads;
mod lot;
mod past;

use std::time::Instant;

use past::Past;

use super::{group as facts, store};
use crate::app::App;
use crate::auth::AuthError;
use crate::db::{By, DbError};
use crate::dealers::StoreError;
use crate::finance::seed_rules;
use crate::kernel::id::GroupId;

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
    loader.step("rules", "Filling the rule book: taxes, fees, lenders, insurers, products", async || rules(app).await).await?;
    if !loader.everything_done(&["lot", "leads", "events", "deals"]).await? {
        let past = Past::of(app).await?;
        loader.step("lot", "Importing the lots as feeds", async || lot::load(&past).await).await?;
        loader.step("leads", "Taking in leads", async || leads::load(&past).await).await?;
        loader.step("events", "Taking in what people did on the web site", async || leads::browse(&past).await).await?;
        loader.step("deals", "Opening deals", async || deals::load(&past).await).await?;
        past.close().await;
    }
    Ok(loader.loaded)
}

async fn rules(app: &App) -> Result<String, LoadError> {
    let group = store::group_id(&mut *app.db.read().await?, facts::GROUP_CODE).await?.map(GroupId);
    let group = group.ok_or_else(|| LoadError::Refused("the demo group is missing".into()))?;
    let mut tx = app.db.begin(By::system()).await?;
    let rows = seed_rules(tx.conn(), group).await?;
    tx.commit().await?;
    app.rules.reload().await?;
    Ok(format!("{rows} rows"))
}

struct Loader<'a> {
    app: &'a App,
    progress: &'a mut dyn Progress,
    loaded: bool,
}

impl Loader<'_> {
    async fn everything_done(&self, steps: &[&str]) -> Result<bool, LoadError> {
        let mut conn = self.app.db.read().await?;
        for step in steps {
            if !store::is_done(&mut conn, step).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

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
