//! The door of feeds: `PUT /stores/{code}/inventory-feed`.

use std::io::Write as _;

use axum::body::Body;
use deskless::auth::Role;
use serde_json::{Value, json};

use crate::helpers::TestApp;

const FEED: &str = "stock,vin,year,make,model,price\n\
    A1,1HGCV1F49MA038035,2021,Honda,Accord,28500\n\
    A2,JTEZU5JR3C5043790,2012,Toyota,4Runner,23541\n\
    A3,JTEZU5JR3C5043791,2012,Toyota,4Runner,23541\n";

async fn put(app: &TestApp, path: &str, token: Option<&str>, body: impl Into<Body>) -> (u16, String, Value) {
    let mut request = http::Request::put(path).header("content-type", "text/csv");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = app.send(request.body(body.into()).unwrap()).await;
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    let bytes = axum::body::to_bytes(response.into_body(), 16 << 20).await.unwrap();
    (status, kind, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

const PATH: &str = "/stores/austin/inventory-feed";

#[tokio::test]
async fn a_machine_delivers_a_feed_and_gets_the_report() {
    let app = TestApp::start().await;
    let key = app.machine("feeds-austin", &[(app.austin, Role::Channel)]).await;
    let (status, _, answer) = put(&app, &format!("{PATH}?name=lot.csv"), Some(&key), FEED).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        (&answer["import"]["created"], &answer["import"]["refused"], &answer["import"]["sourceName"]),
        (&json!(2), &json!(1), &json!("lot.csv"))
    );
    let line = &answer["report"][0];
    assert_eq!(
        (&line["line"], &line["column"], &line["value"], &line["code"]),
        (&json!(4), &json!("vin"), &json!("JTEZU5JR3C5043791"), &json!("VIN_CHECK_DIGIT"))
    );
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(FEED.as_bytes()).unwrap();
    let (status, _, again) = put(&app, PATH, Some(&key), gz.finish().unwrap()).await;
    assert_eq!((status, &again["import"]["status"], &again["import"]["unchanged"]), (200, &json!("UNCHANGED"), &json!(2)));
}

#[tokio::test]
async fn an_import_is_a_node_for_managers_only() {
    let app = TestApp::start().await;
    let (sam, maria) = (app.salesperson().await, app.manager().await);
    put(&app, PATH, Some(&maria.access), FEED).await;
    let list = "{ feedImports { edges { cursor node { id } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } }";
    let seen = app.data(&maria, list, json!({})).await;
    let edge = &seen["feedImports"]["edges"][0];
    assert_eq!(
        seen["feedImports"]["pageInfo"],
        json!({ "startCursor": edge["cursor"], "endCursor": edge["cursor"], "hasNextPage": false, "hasPreviousPage": false })
    );
    let query = "query ($id: ID!) { node(id: $id) { id __typename ... on FeedImport { created } } }";
    let id = edge["node"]["id"].clone();
    let seen = app.data(&maria, query, json!({ "id": id })).await;
    assert_eq!(seen["node"], json!({ "id": id, "__typename": "FeedImport", "created": 2 }));
    assert_eq!(app.data(&sam, query, json!({ "id": id })).await["node"], Value::Null);
}

#[tokio::test]
async fn only_the_stores_machines_and_managers_may_deliver() {
    let app = TestApp::start().await;
    let (sam, maria) = (app.salesperson().await, app.manager().await);
    let other = app.machine("feeds-raleigh", &[(app.raleigh, Role::Channel)]).await;
    for (token, want) in [
        (None, 401),
        (Some("nonsense"), 401),
        (Some(other.as_str()), 404),
        (Some(sam.access.as_str()), 404),
        (Some(maria.access.as_str()), 200),
    ] {
        let (status, kind, answer) = put(&app, PATH, token, FEED).await;
        assert_eq!(status, want, "{answer}");
        assert!(want == 200 || kind.starts_with("application/problem+json"), "{kind}");
    }
    assert_eq!(put(&app, "/stores/nowhere/inventory-feed", Some(&maria.access), FEED).await.0, 404);
    assert_eq!(put(&app, &format!("{PATH}?x=1"), Some(&maria.access), FEED).await.0, 400);
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing_and_says_why() {
    let app = TestApp::start().await;
    let maria = app.manager().await;
    let (status, kind, answer) = put(&app, PATH, Some(&maria.access), "a,b,c\n1,2,3\n").await;
    assert_eq!((status, &answer["code"]), (422, &json!("UNKNOWN_LAYOUT")), "{kind} {answer}");
    // A connection that breaks must not be taken for a short file.
    let pieces = [Ok(bytes::Bytes::from(FEED)), Err(std::io::Error::other("broken"))];
    let (status, _, answer) = put(&app, PATH, Some(&maria.access), Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!((status, &answer["code"]), (422, &json!("UNREADABLE")), "{answer}");
    let (status, _, answer) = put(&app, &format!("{PATH}?dryRun=true"), Some(&maria.access), FEED).await;
    assert_eq!((status, &answer["import"]["created"], &answer["dryRun"]), (200, &json!(2), &json!(true)));
    let total = app.data(&maria, "{ vehicles { totalCount } }", json!({})).await["vehicles"]["totalCount"].clone();
    assert_eq!(total, 0);
}

#[tokio::test]
async fn a_shrunk_feed_is_accepted_and_held() {
    let app = TestApp::start().await;
    let maria = app.manager().await;
    put(&app, PATH, Some(&maria.access), FEED).await;
    let (status, _, answer) = put(&app, PATH, Some(&maria.access), "stock,vin,year,make,model,price\n").await;
    assert_eq!((status, &answer["import"]["status"]), (202, &json!("HELD")));
    assert!(answer["import"]["heldReason"].as_str().unwrap().contains("2 available"));
}
