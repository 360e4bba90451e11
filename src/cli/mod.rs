//! The command line. Each subcommand is a file of its own; this one only parses and hands over.

mod admin;
mod database;
mod demo;
mod healthcheck;
mod import;
mod rules;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::StartError;
use crate::auth::AuthError;
use crate::config::{Config, ConfigError, LogConfig};
use crate::db::DbError;
use crate::db::embedded::EmbeddedError;
use crate::dealers::StoreError;
use crate::telemetry;

pub use database::Database;

/// The backend behind a car salesperson's tablet: inventory, stated preferences, finance and insurance in one GraphQL API.
#[derive(Debug, Parser)]
#[command(
    name = "deskless",
    version,
    propagate_version = true,
    after_help = "To see it: `deskless demo`. Without DATABASE_URL a private PostgreSQL runs in the data directory (.deskless)."
)]
pub struct Cli {
    /// Configuration file (TOML). Environment variables such as DESKLESS_SERVER__LISTEN win over it.
    #[arg(long, short, global = true, env = "DESKLESS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API until Ctrl-C or SIGTERM.
    Serve(serve::Serve),
    /// Serve with a demo dealer group: 3 stores, 1,200 vehicles, 400 customers.
    Demo(demo::Demo),
    /// Bring the database schema up to date, and stop.
    Migrate,
    /// Print the GraphQL schema.
    Schema,
    /// Print a page of the documentation that follows from the code.
    Docs {
        /// Which page.
        page: DocsPage,
    },
    /// Succeed when the server on this machine is ready.
    Healthcheck,
    /// Take in files of other systems: `deskless import inventory --store CODE FILE`.
    #[command(subcommand)]
    Import(import::Import),
    /// Taxes, fees, lender programs, products and insurance rows as CSV: `deskless rules export FOLDER`.
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Dealer groups: `deskless group add CODE NAME`.
    #[command(subcommand)]
    Group(admin::Group),
    /// Stores of a group.
    #[command(subcommand)]
    Store(admin::Store),
    /// People and machines that may sign in.
    #[command(subcommand)]
    User(admin::User),
    /// Keys that seal personal data and sign tokens.
    #[command(subcommand)]
    Keys(admin::Keys),
}

/// Pages that are printed from the code.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum DocsPage {
    /// docs/DEAL-STATES.md: what may follow what in a deal, who does it, what must hold.
    DealStates,
}

/// Why a command failed. Its text is for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A service did not start.
    #[error("could not start: {0}")]
    Start(#[from] StartError),
    /// The database failed.
    #[error("database: {}", chain(.0))]
    Db(#[from] DbError),
    /// The embedded database did not start.
    #[error("{}", chain(.0))]
    Embedded(#[from] EmbeddedError),
    /// The schema could not be brought up to date.
    #[error("migrations: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A user or key command failed.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A group or store command failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system refused something.
    #[error("{0}: {1}")]
    Io(String, #[source] std::io::Error),
    /// Anything else, said plainly.
    #[error("{0}")]
    Message(String),
}

/// An error with its causes, for a person who can do something about them.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |e| e.source()).fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Parses the command line, runs it and tells the exit code. Here and not in `main.rs`, so that the whole program is compiled
/// once, with the library, and a program that only links it is built in seconds.
#[tokio::main]
pub async fn main() -> ExitCode {
    Cli::parse().run().await
}

impl Cli {
    /// Runs the command; errors go to standard error, and the exit code tells success (0) from failure (1).
    pub async fn run(self) -> ExitCode {
        match self.execute().await {
            Ok(code) => code,
            Err(error) => {
                eprintln!("deskless: {error}");
                ExitCode::FAILURE
            }
        }
    }

    async fn execute(self) -> Result<ExitCode, CliError> {
        if let Command::Schema = self.command {
            print!("{}", crate::schema::sdl());
            return Ok(ExitCode::SUCCESS);
        }
        if let Command::Docs { page: DocsPage::DealStates } = self.command {
            print!("{}", crate::deals::states_page::page());
            return Ok(ExitCode::SUCCESS);
        }
        let mut config = Config::load(self.config.as_deref())?;
        if let Command::Healthcheck = self.command {
            healthcheck::run(&config).await?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Command::Serve(serve) = &self.command
            && serve.print_config
        {
            print!("{config}");
            return Ok(ExitCode::SUCCESS);
        }
        if matches!(self.command, Command::Demo(_)) && config.log.filter == LogConfig::default().filter {
            // A newcomer's terminal shows the way in, not every request.
            config.log.filter = "warn".into();
        }
        telemetry::start(&config.log);
        match self.command {
            Command::Serve(serve) => serve.run(config).await?,
            Command::Demo(demo) => demo.run(config).await?,
            Command::Migrate => {
                let database = Database::open(&config).await?;
                database.migrate().await?;
                database.close().await;
                println!("The database schema is up to date.");
            }
            Command::Schema | Command::Docs { .. } | Command::Healthcheck => {}
            Command::Import(command) => return command.run(config).await,
            Command::Rules(command) => return command.run(config).await,
            Command::Group(command) => command.run(config).await?,
            Command::Store(command) => command.run(config).await?,
            Command::User(command) => command.run(config).await?,
            Command::Keys(command) => command.run(config).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
