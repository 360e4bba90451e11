//! The 31-minute deal of PRODUCT.md, replayed against a running server by two tablets and a manager: the car is sold away under
//! the deal and no work is lost, the manager's yes travels to the tablet while the customer watches, nobody is handed over.
//!
//! ```sh
//! make demo                                  # in one terminal
//! cargo run --example thirty_one_minutes     # in another
//! ```
//! Prints the timeline: what people take (simulated minutes, as the reporter wrote them down) and what the machine takes (measured).

#[path = "../one_conversation/client.rs"]
mod client;
mod story;

use std::process::ExitCode;

use clap::Parser;

/// Replays the 31-minute deal against a running server.
#[derive(Debug, Parser)]
struct Options {
    /// The server's address.
    #[arg(long, env = "DESKLESS_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    /// Who sells, on the first tablet.
    #[arg(long, default_value = "sales.austin@example.com")]
    login: String,
    /// Who sells the same car to somebody else, on the second tablet.
    #[arg(long, default_value = "sales.austin2@example.com")]
    rival: String,
    /// Their manager.
    #[arg(long, default_value = "manager.austin@example.com")]
    manager: String,
    /// The password of all; the default is the demo's.
    #[arg(long, env = "DESKLESS_PASSWORD", default_value = "showroom-demo-2026", hide_env_values = true)]
    password: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let people = story::People { seller: &options.login, rival: &options.rival, manager: &options.manager, password: &options.password };
    match story::play(&options.url, &people).await {
        Ok(timeline) => {
            println!("{timeline}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("thirty_one_minutes: {error}");
            ExitCode::FAILURE
        }
    }
}
