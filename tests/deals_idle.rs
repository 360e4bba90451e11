//! Deals nobody touched for long expire by the clock, and say before when they will.

use chrono::Duration;
use serde_json::json;

use crate::helpers::showroom::Showroom;

#[tokio::test]
async fn an_open_deal_expires_after_the_stores_days_and_tells_when() {
    let mut room = Showroom::open().await;
    let idle = room.open_deal(&room.rav4, json!({})).await;
    let signed = room.agreed_cash_deal(&room.camry).await;
    room.done("dealContract", &signed, json!({})).await;
    let query =
        "query ($id: ID!) { deal(id: $id) { state version expiresAt endedAt history(first: 1) { nodes { verb by { displayName } } } } }";
    let seen = room.app.data(&room.sam, query, json!({ "id": idle["id"] })).await;
    assert_eq!(seen["deal"]["expiresAt"], "2026-12-21T18:00:00+00:00");
    let other = room.app.data(&room.sam, query, json!({ "id": signed["id"] })).await;
    assert!(other["deal"]["expiresAt"].is_null(), "a signed deal does not expire");
    let deals = room.app.app.deals.clone();
    room.app.clock.advance(Duration::days(30) - Duration::seconds(1));
    assert_eq!(deals.expire_idle().await.expect("looks"), 0);
    room.sam = room.app.sign_in("sam@example.com").await;
    let fresh = room.open_deal(&room.rav4, json!({})).await;
    room.app.clock.advance(Duration::seconds(1));
    let seconds = deals.clone();
    let (one, two) = tokio::join!(deals.expire_idle(), seconds.expire_idle());
    assert_eq!(one.expect("looks") + two.expect("looks"), 1, "two servers, once");
    let seen = room.app.data(&room.sam, query, json!({ "id": idle["id"] })).await;
    assert_eq!(
        (&seen["deal"]["state"], &seen["deal"]["version"], &seen["deal"]["expiresAt"]),
        (&json!("EXPIRED"), &json!(2), &json!(null))
    );
    assert_eq!(seen["deal"]["history"]["nodes"][0], json!({ "verb": "expired", "by": null }));
    let seen = room.app.data(&room.sam, query, json!({ "id": fresh["id"] })).await;
    assert_eq!(seen["deal"]["state"], "DRAFT");
    assert_eq!(room.number("SELECT count(*) FROM deal WHERE state = 'CONTRACTED'").await, 1);
}
