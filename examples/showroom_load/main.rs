//! How the desk holds up when a store is full of tablets: p50 and p99 of the deal room, of a write, and of the time from a car being taken
//! to the other tablets being told, on two servers with one database.
//!
//! ```sh
//! make bench-showroom                                       # 100 and 1,000 tablets, three rounds of half a minute each
//! cargo run --example showroom_load -- --tablets 10 --seconds 5 --rounds 1
//! ```
//! It fails when any request does. It starts a private database with the demo dealer group and two `deskless serve` beside it, and ends both. The figures count the client's
//! own work too: it runs on the same machine.

#[path = "../one_conversation/client.rs"]
mod client;
mod figures;
mod servers;
mod showroom;

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;
use clap::builder::RangedU64ValueParser;

use client::{Outcome, Trouble};
use figures::{Figures, Table};
use servers::{PASSWORD, SELLER, Servers, login};
use showroom::Plan;

/// Fills a showroom with tablets and measures how long they wait.
#[derive(Debug, Parser)]
struct Options {
    /// How many tablets, one run after the other: 100,1000.
    #[arg(long, value_delimiter = ',', default_value = "100,1000", value_parser = RangedU64ValueParser::<usize>::new().range(2..=1_100))]
    tablets: Vec<usize>,
    /// Seconds of each run. A tablet's token lives for 15 minutes.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Runs of each size, counted together.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds between two looks of a tablet at its deal room, on average.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    read_every: u32,
    /// Seconds between two changes on a tablet, on average.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    write_every: u32,
    /// Cars signed for in each round; none of them comes back, and the demo's store has 400.
    #[arg(long, default_value_t = 50, value_parser = RangedU64ValueParser::<usize>::new().range(0..=100))]
    sales: usize,
    /// A PostgreSQL database to fill instead of a private one; it must be empty, or the demo's.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("showroom_load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Outcome<()> {
    let most = options.tablets.iter().copied().max().unwrap_or_default();
    eprintln!("a database with the demo, {most} people, two servers ...");
    let servers = Servers::start(options.database, most).await?;
    #[expect(clippy::disallowed_methods, reason = "a client has a clock of its own; it only makes the keys unique")]
    let run = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
    let plan = |tablets: usize, sales: usize, seconds: u32| Plan {
        servers: servers.addresses.clone(),
        people: (0..tablets).map(login).collect(),
        seller: SELLER.into(),
        password: PASSWORD.into(),
        sales,
        duration: Duration::from_secs(seconds.into()),
        read_every: Duration::from_secs(options.read_every.into()),
        write_every: Duration::from_secs(options.write_every.into()),
    };
    // Nobody opens a showroom with cold servers: a small round that is not counted.
    showroom::play(&plan(most.min(20), 2, 5), &format!("{run}-warm")).await?;
    let mut runs = Vec::new();
    for &tablets in &options.tablets {
        let mut figures = Figures::default();
        for round in 1..=options.rounds {
            eprintln!("{tablets} tablets, round {round}: everybody signs in and opens a deal, then {} s ...", options.seconds);
            let plan = plan(tablets, options.sales, options.seconds);
            figures.add(showroom::play(&plan, &format!("{run}-{tablets}-{round}")).await?);
        }
        runs.push((tablets, figures));
    }
    println!(
        "one store, two servers, one database; {} rounds of {} s; a tablet reads every {} s and writes every {} s on average (open loop)\n\n{}",
        options.rounds,
        options.seconds,
        options.read_every,
        options.write_every,
        Table(&runs)
    );
    servers.stop().await;
    match runs.iter().map(|(_, figures)| figures.failures()).sum() {
        0 => Ok(()),
        failures => Err(Trouble(format!("{failures} failures, see above")).into()),
    }
}
