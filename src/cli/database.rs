//! Opening the database a command works on: the configured one, else the embedded one.

use std::sync::Arc;
use std::time::Duration;

use super::CliError;
use crate::app::App;
use crate::config::Config;
use crate::db::embedded::{Embedded, EmbeddedOptions};
use crate::db::pool::{PoolSettings, connect_options};
use crate::db::{Db, MIGRATOR};
use crate::kernel::clock::SystemClock;

/// An open database.
#[derive(Debug)]
pub struct Database {
    db: Db,
    embedded: Option<Embedded>,
}

impl Database {
    /// Connects to `database.url`, or starts the embedded server in the data directory.
    pub async fn open(config: &Config) -> Result<Self, CliError> {
        let (options, embedded) = if let Some(url) = config.database.url.as_deref() {
            (connect_options(url)?, None)
        } else {
            let embedded = Embedded::start(&config.data_dir.join("postgres"), EmbeddedOptions::default()).await?;
            (embedded.connect_options(), Some(embedded))
        };
        let settings = PoolSettings {
            max_connections: config.database.max_connections,
            acquire_timeout: Duration::from_millis(config.database.acquire_timeout_ms),
            statement_timeout: Duration::from_millis(config.database.statement_timeout_ms),
            ..PoolSettings::default()
        };
        let db = Db::connect(options, &settings, Arc::new(SystemClock)).await?;
        Ok(Self { db, embedded })
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), CliError> {
        MIGRATOR.run(self.db.pool()).await?;
        Ok(())
    }

    /// The application on this database, its schema brought up to date first when the configuration says so.
    pub async fn start_app(&self, config: Config) -> Result<App, CliError> {
        if config.database.migrate {
            self.migrate().await?;
        }
        Ok(App::start(config, self.db.clone()).await?)
    }

    /// Closes the connections and leaves the embedded server, which stops with its last user.
    pub async fn close(self) {
        self.db.close().await;
        if let Some(embedded) = self.embedded {
            embedded.stop().await;
        }
    }
}
