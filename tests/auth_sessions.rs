//! Signing in, refreshing, signing out.

use chrono::Duration;
use serde_json::json;

use crate::helpers::{PASSWORD, TestApp};

const VIEWER: &str = "{ viewer { displayName stores { role store { code } } } }";
const REFRESH: &str =
    "mutation ($t: String!) { sessionRefresh(input: {refreshToken: $t}) { tokens { accessToken refreshToken } userErrors { code } } }";
const SIGN_IN: &str = "mutation ($login: String!, $password: String!) { signIn(input: {login: $login, password: $password}) { tokens { accessToken } userErrors { code message } } }";

#[tokio::test]
async fn a_signed_in_person_sees_their_stores() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let data = t.data(&sam, VIEWER, json!({})).await;
    assert_eq!(data["viewer"]["stores"], json!([{ "role": "SALESPERSON", "store": { "code": "austin" } }]));
}

#[tokio::test]
async fn without_a_token_nothing_is_shown() {
    let t = TestApp::start().await;
    let answer = t.graphql(None, VIEWER, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
}

#[tokio::test]
async fn wrong_password_and_unknown_login_get_the_same_answer_and_are_throttled() {
    let t = TestApp::start().await;
    t.salesperson().await;
    let try_in = |login: &'static str, password: &'static str| t.graphql(None, SIGN_IN, json!({ "login": login, "password": password }));
    let wrong = try_in("sam@example.com", "wrong password!!").await;
    let unknown = try_in("nobody@example.com", "wrong password!!").await;
    assert_eq!(wrong["data"]["signIn"]["userErrors"][0]["code"], "WRONG_CREDENTIALS");
    assert_eq!(wrong, unknown);
    for _ in 0..8 {
        try_in("sam@example.com", "wrong password!!").await;
    }
    let throttled = try_in("sam@example.com", PASSWORD).await;
    assert_eq!(throttled["data"]["signIn"]["userErrors"][0]["code"], "THROTTLED", "{throttled}");
    t.clock.advance(Duration::seconds(61));
    let again = try_in("sam@example.com", PASSWORD).await;
    assert!(again["data"]["signIn"]["tokens"]["accessToken"].is_string(), "{again}");
}

#[tokio::test]
async fn an_access_token_ends_after_fifteen_minutes() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    t.clock.advance(Duration::minutes(16));
    let answer = t.graphql(Some(&sam.access), VIEWER, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn sign_out_ends_the_session_at_once() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    t.data(&sam, "mutation { signOut { signedOut } }", json!({})).await;
    let answer = t.graphql(Some(&sam.access), VIEWER, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let refreshed = t.graphql(None, REFRESH, json!({ "t": sam.refresh })).await;
    assert_eq!(refreshed["data"]["sessionRefresh"]["userErrors"][0]["code"], "SESSION_ENDED");
}

#[tokio::test]
async fn a_lost_refresh_answer_is_given_again_but_a_stolen_token_ends_the_session() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    let refresh = |token: String| t.graphql(None, REFRESH, json!({ "t": token }));
    let lost = refresh(sam.refresh.clone()).await;
    let again = refresh(sam.refresh.clone()).await;
    let token_of =
        |answer: &serde_json::Value| answer["data"]["sessionRefresh"]["tokens"]["refreshToken"].as_str().expect("a token").to_owned();
    assert_ne!(token_of(&lost), token_of(&again));
    let third = refresh(token_of(&again)).await;
    assert!(third["data"]["sessionRefresh"]["tokens"].is_object());
    // The first token's successor was used: whoever still presents the first one is somebody else.
    let stolen = refresh(sam.refresh.clone()).await;
    assert_eq!(stolen["data"]["sessionRefresh"]["userErrors"][0]["code"], "SESSION_ENDED");
    let ended = refresh(token_of(&third)).await;
    assert_eq!(ended["data"]["sessionRefresh"]["userErrors"][0]["code"], "SESSION_ENDED", "the whole session is over");
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    t.app.auth.disable("sam@example.com").await.expect("disabled");
    let answer = t.graphql(Some(&sam.access), VIEWER, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn key_rotation_keeps_live_tokens_valid() {
    let t = TestApp::start().await;
    let sam = t.salesperson().await;
    t.app.auth.rotate_keys().await.expect("rotated");
    t.data(&sam, VIEWER, json!({})).await;
    let fresh = t.sign_in("sam@example.com").await;
    t.data(&fresh, VIEWER, json!({})).await;
    assert_eq!(t.app.auth.jwks()["keys"].as_array().map(Vec::len), Some(2));
    t.clock.advance(Duration::minutes(17));
    t.app.auth.rotate_keys().await.expect("rotated");
    assert_eq!(t.app.auth.jwks()["keys"].as_array().map(Vec::len), Some(1), "keys older than the longest token life are retired");
}

#[tokio::test]
async fn a_machine_key_acts_with_its_roles_only() {
    let t = TestApp::start().await;
    let key = t.machine("leads-austin", &[(t.austin, deskless::auth::Role::Channel)]).await;
    let known = t.app.auth.authenticate(&key).await.expect("known");
    assert!(known.actor.channel_scope().contains(t.austin) && !known.actor.channel_scope().contains(t.raleigh));
    assert!(known.actor.selling_scope().is_empty());
    assert!(t.app.auth.authenticate("dk_wrong").await.is_err());
}
