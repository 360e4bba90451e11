//! The application: every service, built once by `main` and by every test.

use std::sync::Arc;

use async_graphql::ValidationMode;
use axum::Router;

use crate::auth::{Auth, AuthError};
use crate::channels::Channels;
use crate::config::{Config, ConfigError};
use crate::customers::Customers;
use crate::db::notices::Notices;
use crate::db::{Db, DbError};
use crate::dealers::Dealers;
use crate::deals::purse::Purses;
use crate::deals::{Deals, Desk};
use crate::finance::Rules;
use crate::http::graphql::{Executors, SchemaError};
use crate::http::{Doorkeeper, Http, Parts, channels, feeds};
use crate::insights::Insights;
use crate::inventory::Inventory;
use crate::kernel::seal::Sealer;
use crate::matching::Matching;
use crate::payments::{HttpPartner, PartnerSetupError, PaymentPort, Payments};
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
    /// People and their wishes.
    pub customers: Customers,
    /// Leads and events.
    pub channels: Channels,
    /// Cars for a customer.
    pub matching: Matching,
    /// Deposits.
    pub payments: Payments,
    /// Deals.
    pub deals: Deals,
    /// What the store learns from its conversations.
    pub insights: Insights,
    /// The lot and its feeds.
    pub inventory: Inventory,
    /// Taxes, fees, programs, products, insurance rates.
    pub rules: Rules,
}

/// Root fields that need no token.
const PUBLIC_FIELDS: &[&str] = &["signIn", "sessionRefresh", "__typename"];

/// Why the application did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The signing keys cannot be used.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The schema cannot be served.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The payment partner cannot be reached with this configuration.
    #[error(transparent)]
    Payments(#[from] PartnerSetupError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl App {
    /// Builds every service on a migrated database.
    pub async fn start(config: Config, db: Db) -> Result<Self, StartError> {
        let sealer = Arc::new(config.sealer()?);
        let notices = Notices::start(&db).await?;
        let dealers = Dealers::start(db.clone(), &notices).await?;
        let rules = Rules::start(db.clone(), &notices).await?;
        let auth = Auth::start(db.clone(), config.auth.clone(), Arc::clone(&sealer), &notices).await?;
        let customers = Customers::new(db.clone(), Arc::clone(&sealer));
        let inventory = Inventory::new(db.clone());
        let channels = Channels::new(db.clone(), Arc::clone(&sealer), dealers.clone(), customers.clone(), inventory.clone());
        let matching = Matching::new(db.clone(), inventory.clone(), &notices);
        let port = HttpPartner::new(&config.payments)?.map(|partner| Arc::new(partner) as Arc<dyn PaymentPort>);
        let payments = Payments::new(db.clone(), Arc::clone(&sealer), port);
        let deals = Deals::new(
            db.clone(),
            inventory.clone(),
            dealers.clone(),
            payments.clone(),
            Desk::new(rules.clone(), Purses::new(Arc::clone(&sealer))),
            Arc::clone(&sealer),
        );
        let insights = Insights::new(db.clone(), customers.clone());
        Ok(Self {
            config: Arc::new(config),
            db,
            sealer,
            notices,
            auth,
            dealers,
            inventory,
            customers,
            channels,
            matching,
            rules,
            payments,
            deals,
            insights,
        })
    }

    /// The schema with every service in its data. `known` documents were validated before and need it less.
    pub fn schema(&self, validation: ValidationMode) -> DesklessSchema {
        schema::builder()
            .validation_mode(validation)
            .data(self.notices.clone())
            .data(self.auth.clone())
            .data(self.dealers.clone())
            .data(self.channels.clone())
            .data(self.inventory.clone())
            .data(self.deals.clone())
            .data(self.insights.clone())
            .data(self.customers.clone())
            .data(self.matching.clone())
            .data(self.rules.clone())
            .finish()
    }

    /// The schema for calls from inside the program, with an actor in the request's data.
    pub fn schema_for_people(&self) -> DesklessSchema {
        self.schema(ValidationMode::Strict)
    }

    /// The transport in front of the schema.
    pub fn http(&self) -> Result<Http, StartError> {
        let parts = Parts {
            executors: Executors::new(self.schema(ValidationMode::Strict), self.schema(ValidationMode::Fast)),
            sdl: schema::sdl(),
            public_fields: PUBLIC_FIELDS,
            doorkeeper: Doorkeeper::of_auth(self.auth.clone(), self.db.clone()),
            limits: self.config.limits.clone(),
            allowed_origins: self.config.server.allowed_origins.clone(),
            db: Some(self.db.clone()),
            notices: Some(self.notices.clone()),
            auth: Some(self.auth.clone()),
        };
        Ok(Http::new(parts)?)
    }

    /// Every route: the transport's and those of the slices.
    pub fn router(&self, http: &Http) -> Router {
        let doorkeeper = Doorkeeper::of_auth(self.auth.clone(), self.db.clone());
        let feeds = feeds::routes(self.inventory.clone(), self.dealers.clone(), doorkeeper.clone());
        http.router(channels::routes(self.channels.clone(), doorkeeper).merge(feeds))
    }
}
