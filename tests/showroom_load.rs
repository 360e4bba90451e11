//! The showroom bench in small, so that it does not rot: two servers, six tablets, real sockets. No figure is judged here.

use std::time::Duration;

use deskless::app::App;
use deskless::auth::Role;
use deskless::http::server;
use tokio_util::sync::CancellationToken;

use crate::figures::{Figures, Operation, Table};
use crate::helpers::PASSWORD;
use crate::helpers::showroom::Showroom;
use crate::showroom::{Plan, play};

/// Serves on a port of its own until the token is cancelled.
async fn serve(app: &App, stop: &CancellationToken) -> (String, tokio::task::JoinHandle<std::io::Result<()>>) {
    let http = app.http().unwrap();
    let router = app.router(&http);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stopped = stop.clone().cancelled_owned();
    (address, tokio::spawn(async move { server::serve(listener, &http, router, stopped).await }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tablet_on_the_other_server_is_told_that_its_car_went() {
    let room = Showroom::open().await;
    let people: Vec<String> = (0..6).map(|n| format!("tablet.{n}@example.com")).collect();
    for login in &people {
        room.app.person(login, &[(room.app.austin, Role::Salesperson)]).await;
    }
    let (second, stop) = (room.app.second_server().await, CancellationToken::new());
    let servers = [serve(&room.app.app, &stop).await, serve(&second, &stop).await];
    let plan = Plan {
        servers: servers.each_ref().map(|(address, _)| address.clone()),
        people,
        seller: "sam@example.com".into(),
        password: PASSWORD.into(),
        sales: 2,
        duration: Duration::from_secs(2),
        read_every: Duration::from_millis(400),
        write_every: Duration::from_millis(800),
    };
    let figures = play(&plan, "short").await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(figures.failures(), 0, "{:?}", figures.said);
    // Two cars for three pairs: the first car is on four screens, two of them on the other server.
    assert_eq!((figures.count(Operation::Sign), figures.count(Operation::ToldFromTap)), (2, 3));
    assert!(figures.count(Operation::DealRoom) >= 12 && figures.count(Operation::Write) >= 6, "{figures:?}");
    assert_eq!(room.number("SELECT count(*) FROM vehicle WHERE status = 'PENDING_SALE'").await, 2);
    stop.cancel();
    for (_, serving) in servers {
        serving.await.unwrap().unwrap();
    }
}

#[test]
fn a_percentile_is_the_smallest_time_that_covers_its_share() {
    let mut figures = Figures::default();
    assert_eq!(figures.percentile(Operation::Write, 99), Duration::ZERO, "nothing was measured");
    for time in (1..=200).rev() {
        figures.took(Operation::Write, Duration::from_millis(time));
    }
    let [p50, p99, max] = [50, 99, 100].map(|percent| figures.percentile(Operation::Write, percent).as_millis());
    assert_eq!((p50, p99, max), (100, 198, 200));
    figures.failed(Operation::Sign, "no");
    let mut both = Figures::default();
    both.took(Operation::Write, Duration::from_millis(300));
    both.add(figures);
    assert_eq!((both.count(Operation::Write), both.failures()), (201, 1));
    let table = Table(&[(100, both)]).to_string();
    assert!(table.contains("100     201     101.0     199.0     300.0"), "{table}");
}
