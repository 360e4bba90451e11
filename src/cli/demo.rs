//! `deskless demo`: the product with the demo dealer group, for somebody who sees it for the first time.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::net::TcpListener;

use super::{CliError, Database};
use crate::config::Config;
use crate::demo::group::{DemoPerson, PASSWORD, PEOPLE, STORES};
use crate::demo::load::{self, Progress};
use crate::http::server;

/// Serve the API with a demo dealer group until Ctrl-C or SIGTERM.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Load the demo and stop, without serving.
    #[arg(long)]
    load_only: bool,
}

impl Demo {
    pub(super) async fn run(self, config: Config) -> Result<(), CliError> {
        let begun = Instant::now();
        let mut terminal = Terminal { quiet: false };
        let embedded = config.database.url.is_none();
        terminal.begin(if embedded { "Starting the embedded database" } else { "Connecting to the database" });
        let database = Database::open(&config).await?;
        let app = database.start_app(config).await?;
        terminal.done("ready", begun.elapsed());
        let address = app.config.server.listen;
        // Bound before the work, so that a port in use is known at once.
        let listener = if self.load_only {
            None
        } else {
            Some(TcpListener::bind(address).await.map_err(|e| CliError::Io(format!("cannot listen on {address}"), e))?)
        };
        let fresh = load::load(&app, &mut terminal).await.map_err(|e| CliError::Message(format!("demo: {e}")))?;
        if !fresh {
            terminal.begin("The demo data is already there");
            terminal.done("nothing to load", Duration::ZERO);
        }
        if let Some(listener) = listener {
            let http = app.http()?;
            let router = app.router(&http);
            let upkeep = crate::upkeep::start(&app);
            println!("{}", welcome(listener.local_addr().unwrap_or(address), begun.elapsed()));
            server::serve(listener, &http, router, server::stop_signal()).await.map_err(|e| CliError::Io("serving".into(), e))?;
            upkeep.abort();
        }
        database.close().await;
        Ok(())
    }
}

/// Steps on standard output: the step at once, its outcome behind it.
struct Terminal {
    quiet: bool,
}

impl Progress for Terminal {
    fn begin(&mut self, what: &str) {
        print!("{what} … ");
        // A pipe that nobody reads is no reason to stop.
        self.quiet = std::io::stdout().flush().is_err();
    }

    fn done(&mut self, outcome: &str, elapsed: Duration) {
        if !self.quiet {
            println!("{outcome} ({}.{:01} s)", elapsed.as_secs(), elapsed.subsec_millis() / 100);
        }
    }
}

fn welcome(address: SocketAddr, elapsed: Duration) -> String {
    let base = if address.ip().is_unspecified() { format!("http://127.0.0.1:{}", address.port()) } else { format!("http://{address}") };
    let (bold, plain) = if std::io::stdout().is_terminal() { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
    let line = |p: &DemoPerson| format!("  {:<32} {:<15} {}", p.login, p.role.as_str(), names(p.stores));
    let people = PEOPLE.iter().map(line).collect::<Vec<_>>().join("\n");
    format!(
        "\n{bold}Deskless is ready{plain} after {}.{:01} s.\n\n\
         GraphiQL    {bold}{base}/graphiql{plain}\n\
         API         {base}/graphql\n\n\
         Sign in with any of these; the password of all is {bold}{PASSWORD}{plain}\n{people}\n\n\
         A first query, after signing in as a salesperson:\n\n  \
         {{ vehicles(first: 3) {{ nodes {{ modelYear make model trim price {{ amount }} status }} }} }}\n\n\
         A whole sale, from another terminal: cargo run --example one_conversation -- --url {base}\n\
         Ctrl-C stops.\n",
        elapsed.as_secs(),
        elapsed.subsec_millis() / 100,
    )
}

fn names(codes: &[&str]) -> String {
    STORES.iter().filter(|at| codes.contains(&at.code)).map(|at| at.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_names_what_a_newcomer_needs() {
        let text = welcome(SocketAddr::from(([0, 0, 0, 0], 8099)), Duration::from_millis(4_250));
        assert!(text.contains("http://127.0.0.1:8099/graphiql") && text.contains("4.2 s"), "{text}");
        for person in &PEOPLE {
            assert!(text.contains(person.login), "{}", person.login);
        }
        assert!(text.contains(PASSWORD) && text.contains("vehicles(first: 3)"));
    }
}
