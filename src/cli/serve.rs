//! `deskless serve`.

use clap::Args;
use tokio::net::TcpListener;

use super::{CliError, Database};
use crate::config::Config;
use crate::http::server;

/// Serve the API until Ctrl-C or SIGTERM.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Print the configuration with secrets masked, and stop.
    #[arg(long)]
    pub print_config: bool,
    /// Refuse what is only good for trying out (the embedded database, keys made by the program).
    #[arg(long)]
    production: bool,
}

impl Serve {
    pub(super) async fn run(self, mut config: Config) -> Result<(), CliError> {
        if self.production && !config.production {
            config = config.for_production()?;
        }
        let database = Database::open(&config).await?;
        let app = database.start_app(config).await?;
        let address = app.config.server.listen;
        let listener = TcpListener::bind(address).await.map_err(|e| CliError::Io(format!("cannot listen on {address}"), e))?;
        tracing::info!(%address, "serving");
        let http = app.http()?;
        let router = app.router(&http);
        let upkeep = crate::upkeep::start(&app);
        server::serve(listener, &http, router, server::stop_signal()).await.map_err(|e| CliError::Io("serving".into(), e))?;
        upkeep.abort();
        database.close().await;
        Ok(())
    }
}
