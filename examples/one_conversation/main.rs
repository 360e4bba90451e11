//! A whole sale in one conversation, played against a running server by a small client of its own.
//!
//! ```sh
//! make demo                                # in one terminal
//! cargo run --example one_conversation     # in another
//! ```
//! It signs in, finds the customer a lead created, reads what they want, takes the best match, opens the deal, structures it,
//! asks lenders and insurers, and closes. A live subscription shows what a second tablet would see. Each step is printed with
//! its time.

mod client;
mod sale;

use std::process::ExitCode;

use clap::Parser;

/// Plays a whole sale against a running server.
#[derive(Debug, Parser)]
struct Options {
    /// The server's address.
    #[arg(long, env = "DESKLESS_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Who sells.
    #[arg(long, default_value = "sales.austin@example.com")]
    login: String,
    /// Their password; the default is the demo's.
    #[arg(long, env = "DESKLESS_PASSWORD", default_value = "showroom-demo-2026", hide_env_values = true)]
    password: String,
    /// Which of the newest leads, of those whose customers have wishes; 0 is the newest.
    #[arg(long, default_value_t = 0)]
    lead: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match sale::play(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("one_conversation: {error}");
            ExitCode::FAILURE
        }
    }
}
