//! The 31-minute deal of PRODUCT.md against a running server: two tablets, a manager, real sockets.

use deskless::auth::Role;
use deskless::http::server;
use tokio_util::sync::CancellationToken;

use crate::helpers::PASSWORD;
use crate::helpers::showroom::Showroom;
use crate::thirty_one_minutes::{People, play};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_car_is_sold_away_and_no_work_is_lost() {
    let room = Showroom::open().await;
    room.add_car("2T3P1RFV8MC000009", "Toyota", "RAV4", 2023, "USED", 30_400_00).await;
    room.app.person("jun@example.com", &[(room.app.austin, Role::Salesperson)]).await;
    room.app.manager().await;
    // Whoever allows more than 500 above what a trade-in is worth asks.
    room.sql(&format!(
        "INSERT INTO approval_rule (id, group_id, kind, effective, limit_hundredths, escalate_minutes, answer_minutes, valid_minutes)
         VALUES (gen_random_uuid(), '{}', 'OVER_ALLOWANCE', '[2020-01-01,)', 50000, 10, 60, 600)",
        room.app.group.0
    ))
    .await;
    room.app.app.rules.reload().await.expect("the rule book");
    let http = room.app.app.http().unwrap();
    let router = room.app.app.router(&http);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let serving = tokio::spawn(async move { server::serve(listener, &http, router, stopped).await });

    let people = People { seller: "sam@example.com", rival: "jun@example.com", manager: "maria@example.com", password: PASSWORD };
    let timeline = play(&url, &people).await.unwrap_or_else(|error| panic!("{error}"));
    println!("{timeline}");
    assert_eq!((timeline.work_lost, timeline.hand_offs, timeline.minutes()), (0, 0, 31));
    assert_eq!(room.number("SELECT count(*) FROM deal WHERE state = 'CONTRACTED'").await, 2, "both customers drive home");
    assert_eq!(room.number("SELECT count(*) FROM vehicle WHERE status = 'PENDING_SALE'").await, 2);
    stop.cancel();
    serving.await.unwrap().unwrap();
}
