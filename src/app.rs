//! The application: every service, built once by `main` and by every test.

use std::sync::Arc;

use sqlx::PgPool;

use crate::auth::{Auth, AuthError};
use crate::config::{Config, ConfigError};
use crate::db::notices::Notices;
use crate::db::{Db, DbError};
use crate::dealers::Dealers;
use crate::finance::Rules;
use crate::kernel::clock::Clock;
use crate::kernel::seal::Sealer;
use crate::schema::{self, DesklessSchema};

/// Everything the doors (HTTP, command line) need. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App {
    /// The configuration it was built with.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    /// Seals personal data.
    pub sealer: Arc<Sealer>,
    /// Change notices of every server on the database.
    pub notices: Notices,
    /// Sign-in.
    pub auth: Auth,
    /// Groups and stores.
    pub dealers: Dealers,
    /// Taxes, fees, programs, products, insurance rates.
    pub rules: Rules,
}

/// Why the application did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The signing keys cannot be used.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl App {
    /// Builds every service on a migrated database.
    pub async fn start(config: Config, pool: PgPool, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let sealer = Arc::new(config.sealer()?);
        let db = Db::new(pool, clock);
        let notices = Notices::start(&db).await?;
        let dealers = Dealers::start(db.clone(), &notices).await?;
        let rules = Rules::start(db.clone(), &notices).await?;
        let auth = Auth::start(db.clone(), config.auth.clone(), Arc::clone(&sealer), &notices).await?;
        Ok(Self { config: Arc::new(config), db, sealer, notices, auth, dealers, rules })
    }

    /// The schema with every service in its data.
    pub fn schema(&self) -> DesklessSchema {
        schema::builder().data(self.notices.clone()).data(self.auth.clone()).data(self.dealers.clone()).data(self.rules.clone()).finish()
    }
}
