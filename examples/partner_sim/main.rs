//! A payment partner to try Deskless with: a real server that speaks the protocol of docs/PARTNERS.md, and misbehaves on command.
//!
//! ```sh
//! cargo run --example partner_sim -- --listen 127.0.0.1:8099 --key secret
//! DESKLESS_PAYMENTS__URL=http://127.0.0.1:8099 DESKLESS_PAYMENTS__KEY=secret make demo
//! curl -d '["drop_after", "garbage"]' http://127.0.0.1:8099/control/next     # the next two answers
//! curl http://127.0.0.1:8099/control/ledger                                 # what was really done
//! ```

mod sim;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;

/// A payment partner that misbehaves on command.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8099")]
    listen: SocketAddr,
    /// The key callers must send.
    #[arg(long, default_value = "secret")]
    key: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match sim::Sim::start(options.listen, &options.key).await {
        Ok(sim) => {
            println!("partner_sim listens on http://{}", sim.address);
            sim.serve().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("partner_sim: {error}");
            ExitCode::FAILURE
        }
    }
}
