//! Groups, stores, users and keys from the command line: what IT does once.

use std::io::{IsTerminal, Read};

use clap::{Args, Subcommand};
use rust_decimal::Decimal;

use super::{CliError, Database};
use crate::app::App;
use crate::auth::Role;
use crate::config::{Config, new_key};
use crate::dealers::NewStore;
use crate::kernel::id::{GroupId, StoreId, TypedId};
use crate::kernel::money::Currency;

/// Dealer groups.
#[derive(Debug, Subcommand)]
pub(super) enum Group {
    /// Open a dealer group and print its id.
    Add {
        /// Short unique name.
        code: String,
        /// The name people know.
        name: String,
    },
}

/// Stores.
#[derive(Debug, Subcommand)]
pub(super) enum Store {
    /// Open a store and print its id.
    Add(Box<StoreAdd>),
    /// List stores: code, name, place.
    List,
    /// Set how large a share of the lot (or of one price) may vanish in a feed before a manager must agree.
    FeedLimits {
        /// The store's code.
        code: String,
        /// Percent of the lot.
        #[arg(long, default_value = "20")]
        drop: Decimal,
        /// Percent of one price.
        #[arg(long, default_value = "40")]
        price_drop: Decimal,
    },
}

/// A new store.
#[derive(Debug, Args)]
pub(super) struct StoreAdd {
    /// The group's id, as `deskless group add` printed it.
    #[arg(long)]
    group: String,
    /// Short unique name: a-z, 0-9, -.
    #[arg(long)]
    code: String,
    /// The name customers know.
    #[arg(long)]
    name: String,
    /// Street and number.
    #[arg(long)]
    street: String,
    /// City.
    #[arg(long)]
    city: String,
    /// Two-letter state.
    #[arg(long)]
    state: String,
    /// ZIP.
    #[arg(long)]
    postal_code: String,
    /// IANA time zone.
    #[arg(long, default_value = "America/New_York")]
    time_zone: chrono_tz::Tz,
    /// Tax jurisdiction; the state when not given.
    #[arg(long)]
    tax_jurisdiction: Option<String>,
    /// Phone in E.164.
    #[arg(long)]
    phone: Option<String>,
}

/// People and machines.
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Add a person. The password is read from standard input.
    Add {
        /// The login, usually the work e-mail address.
        login: String,
        /// The name colleagues see.
        #[arg(long)]
        name: String,
        /// `STORE=ROLE`, several times: SALESPERSON, SALES_MANAGER, GROUP_ADMIN.
        #[arg(long = "role", required = true, value_parser = parse_role)]
        roles: Vec<(String, Role)>,
    },
    /// Add a machine (channel, feed, partner) and print its key, once.
    AddMachine {
        /// Its unique login.
        login: String,
        /// What it is.
        #[arg(long)]
        name: String,
        /// `STORE=ROLE`, several times: CHANNEL, PARTNER.
        #[arg(long = "role", required = true, value_parser = parse_role)]
        roles: Vec<(String, Role)>,
    },
    /// Disable a user and end their sessions at once.
    Disable {
        /// The login.
        login: String,
    },
}

/// Keys.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Print a fresh 32-byte key for auth.data_key or auth.index_key.
    New,
    /// Sign tokens with a fresh key from now on.
    Rotate,
}

impl Group {
    pub(super) async fn run(self, config: Config) -> Result<(), CliError> {
        let Self::Add { code, name } = self;
        with_app(config, async |app| {
            let id = app.dealers.create_group(&code, &name).await?;
            println!("{id}");
            Ok(())
        })
        .await
    }
}

impl Store {
    pub(super) async fn run(self, config: Config) -> Result<(), CliError> {
        with_app(config, async |app| match self {
            Self::Add(add) => {
                let group = GroupId::parse(&add.group).map_err(|e| CliError::Message(format!("--group: {e}")))?;
                let new = NewStore {
                    tax_jurisdiction: add.tax_jurisdiction.unwrap_or_else(|| add.state.clone()),
                    code: add.code,
                    name: add.name,
                    street: add.street,
                    city: add.city,
                    state: add.state,
                    postal_code: add.postal_code,
                    phone: add.phone,
                    time_zone: add.time_zone,
                    currency: Currency::USD,
                };
                println!("{}", app.dealers.create_store(group, &new).await?);
                Ok(())
            }
            Self::List => {
                let stores = app.dealers.stores();
                let mut rows: Vec<_> = stores.iter().map(|s| format!("{:<16} {:<32} {}, {}", s.code, s.name, s.city, s.state)).collect();
                rows.sort();
                rows.iter().for_each(|row| println!("{row}"));
                Ok(())
            }
            Self::FeedLimits { code, drop, price_drop } => {
                let store = app.dealers.store_by_code(&code).ok_or_else(|| no_store(&code))?;
                app.dealers.set_feed_limits(store.id, drop, price_drop).await?;
                println!("{code}: a feed that drops more than {drop} % of the lot, or a price by more than {price_drop} %, is held.");
                Ok(())
            }
        })
        .await
    }
}

impl User {
    pub(super) async fn run(self, config: Config) -> Result<(), CliError> {
        with_app(config, async |app| match self {
            Self::Add { login, name, roles } => {
                let (group, roles) = resolve(&app, &roles)?;
                let password = read_password()?;
                let id = app.auth.create_person(group, &login, &name, password, &roles).await?;
                println!("{id}");
                Ok(())
            }
            Self::AddMachine { login, name, roles } => {
                let (group, roles) = resolve(&app, &roles)?;
                let (_, key) = app.auth.create_machine(group, &login, &name, &roles).await?;
                println!("{key}");
                eprintln!("Keep this key: it is not stored and cannot be shown again.");
                Ok(())
            }
            Self::Disable { login } => {
                app.auth.disable(&login).await?;
                println!("{login} is disabled; every session has ended.");
                Ok(())
            }
        })
        .await
    }
}

impl Keys {
    pub(super) async fn run(self, config: Config) -> Result<(), CliError> {
        match self {
            Self::New => {
                println!("{}", new_key());
                Ok(())
            }
            Self::Rotate => {
                with_app(config, async |app| {
                    app.auth.rotate_keys().await?;
                    println!("Tokens are signed with a fresh key from now on.");
                    Ok(())
                })
                .await
            }
        }
    }
}

async fn with_app(config: Config, work: impl AsyncFnOnce(App) -> Result<(), CliError>) -> Result<(), CliError> {
    let database = Database::open(&config).await?;
    let app = database.start_app(config).await?;
    let done = work(app).await;
    database.close().await;
    done
}

fn resolve(app: &App, roles: &[(String, Role)]) -> Result<(GroupId, Vec<(StoreId, Role)>), CliError> {
    let stores = app.dealers.stores();
    let mut resolved = Vec::with_capacity(roles.len());
    let mut group = None;
    for (code, role) in roles {
        let store = stores.by_code(code).ok_or_else(|| no_store(code))?;
        if *group.get_or_insert(store.group_id) != store.group_id {
            return Err(CliError::Message("the stores belong to different groups".into()));
        }
        resolved.push((store.id, *role));
    }
    group.map(|group| (group, resolved)).ok_or_else(|| CliError::Message("give at least one --role STORE=ROLE".into()))
}

fn parse_role(text: &str) -> Result<(String, Role), String> {
    let (store, role) = text.split_once('=').ok_or("expected STORE=ROLE")?;
    let role = role
        .parse()
        .map_err(|_| format!("{role} is not a role; use one of {}", Role::ALL.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(", ")))?;
    Ok((store.to_owned(), role))
}

fn read_password() -> Result<String, CliError> {
    if std::io::stdin().is_terminal() {
        eprint!("Password (it will be shown): ");
    }
    let mut text = String::new();
    std::io::stdin().take(1024).read_to_string(&mut text).map_err(|e| CliError::Io("reading the password".into(), e))?;
    Ok(text.lines().next().unwrap_or("").to_owned())
}

fn no_store(code: &str) -> CliError {
    CliError::Message(format!("there is no store {code}; `deskless store list` shows them"))
}
