//! RELIABILITY.md 33: whatever the program says at its most talkative (logs, errors, metrics), it names nobody.

use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use deskless::auth::Role;
use reqwest::{Client, Response};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::helpers::program::command;
use crate::helpers::{PASSWORD, TestApp};

/// Seeded into everything that is sent. Written so that none of it can occur by chance.
const SECRETS: &[&str] = &[
    "Zebulon",
    "Quackenbush",
    "zebulon.q@privatemail.example",
    "512-555-0187",
    "5125550187",
    "+15125550187",
    "Wisteria Hollow",
    "78799",
    "078-05-1120",
    "078051120",
    "1949-03-17",
    "Frankenmuth",
    "hunter2hunter2",
];

const LEAD: &str = r#"<?xml version="1.0"?><adf><prospect><id source="site">Z-1</id><requestdate>2026-11-20T10:00:00-06:00</requestdate>
  <vehicle interest="buy"><year>2023</year><make>Toyota</make><model>RAV4</model></vehicle>
  <customer><contact><name part="first">Zebulon</name><name part="last">Quackenbush</name><email>zebulon.q@privatemail.example</email>
  <phone type="cellphone">512-555-0187</phone><address><street line="1">9 Wisteria Hollow</street><city>Frankenmuth</city>
  <regioncode>TX</regioncode><postalcode>78799</postalcode></address></contact>
  <comments>My SSN is 078-05-1120, born 1949-03-17. Call Zebulon Quackenbush at 512-555-0187. hunter2hunter2</comments></customer>
  <vendor><vendorname>Austin Motors</vendorname></vendor></prospect></adf>"#;

/// The program as it serves, at the log level debug, with everything it says kept.
struct Serving {
    child: std::process::Child,
    base: String,
    client: Client,
}

impl Serving {
    async fn start(app: &TestApp) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = |name| std::fs::File::create(log_file(name)).unwrap();
        let child = command(app)
            .arg("serve")
            .env("DESKLESS_SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("DESKLESS_LOG__FILTER", "debug")
            .stdout(log("out"))
            .stderr(log("err"))
            .spawn()
            .unwrap();
        let serving = Self { child, base: format!("http://127.0.0.1:{port}"), client: Client::new() };
        let since = Instant::now();
        while !serving.client.get(format!("{}/readyz", serving.base)).send().await.is_ok_and(|r| r.status().is_success()) {
            assert!(since.elapsed() < Duration::from_secs(60), "the program is not ready: {}", said("err"));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        serving
    }

    async fn post(&self, token: &str, path: &str, media: &str, body: String) -> Response {
        let request = self.client.post(format!("{}{path}", self.base)).header("content-type", media).body(body);
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        request.send().await.unwrap()
    }

    async fn graphql(&self, token: &str, body: Value) -> Value {
        self.post(token, "/graphql", "application/json", body.to_string()).await.json().await.unwrap()
    }

    /// Ends it as an operator would, and gives all it said.
    async fn end(mut self) -> String {
        kill_process(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap(), Signal::TERM).unwrap();
        let status = tokio::task::block_in_place(|| self.child.wait().unwrap());
        assert!(status.success(), "{status}");
        said("out") + &said("err")
    }
}

/// A test that fails leaves no program behind.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_file(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("deskless-privacy-{}-{name}", std::process::id()))
}

fn said(name: &str) -> String {
    let mut text = Vec::new();
    std::fs::File::open(log_file(name)).unwrap().read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

fn secrets_in(text: &str) -> Vec<&'static str> {
    let text = text.to_lowercase();
    SECRETS.iter().copied().filter(|secret| text.contains(&secret.to_lowercase())).collect()
}

#[test]
fn the_scan_finds_what_it_looks_for() {
    assert_eq!(secrets_in("customer ZEBULON, +15125550187"), ["Zebulon", "5125550187", "+15125550187"]);
    assert!(SECRETS.iter().filter(|secret| !secret.starts_with(['+', '5', '0'])).all(|secret| LEAD.contains(secret)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_names_nobody_in_its_logs_errors_and_metrics() {
    let app = TestApp::start().await;
    let channel = app.machine("web", &[(app.austin, Role::Channel)]).await;
    app.salesperson().await;
    let serving = Serving::start(&app).await;

    // Leads: one that lands, again, broken, in another encoding than it says; and every real one, when they are here.
    let adf = "/channels/adf?store=austin";
    let answer: Value = serving.post(&channel, adf, "application/xml", LEAD.into()).await.json().await.unwrap();
    assert_eq!(answer["leads"][0]["status"], "ACCEPTED", "{answer}");
    for broken in [
        LEAD.to_owned(),
        LEAD.replace("</contact>", ""),
        LEAD.replace("Z-1", "Z-2").replace("1.0\"", "1.0\" encoding=\"utf-16\""),
        LEAD.replace("<adf>", "<!DOCTYPE adf [<!ENTITY z \"Zebulon\">]><adf>"),
    ] {
        serving.post(&channel, adf, "application/xml", broken).await;
    }
    // Refused at the door: their answers are errors too.
    let mut errors = String::new();
    for (path, media, body) in [
        ("/channels/adf?store=Quackenbush", "application/xml", LEAD.to_owned()),
        (adf, "text/Zebulon", LEAD.to_owned()),
        ("/channels/events?store=austin", "application/json", LEAD.to_owned()),
        ("/channels/events?store=austin", "application/json", json!({ "events": "zebulon.q@privatemail.example" }).to_string()),
        ("/nowhere/zebulon.q@privatemail.example?phone=5125550187", "application/json", LEAD.to_owned()),
    ] {
        let response = serving.post(&channel, path, media, body).await;
        assert!(response.status().is_client_error(), "{path}: {}", response.status());
        errors += &response.text().await.unwrap();
    }
    let events = json!({ "events": [
        { "id": "e-1", "name": "asc_item_pageview", "occurredAt": "2026-11-20T10:00:00Z", "channel": "WEB", "source": "site",
          "visitor": { "email": "zebulon.q@privatemail.example", "phone": "512-555-0187" }, "properties": { "note": "Zebulon Quackenbush" } },
        { "id": "e-2", "name": "Zebulon Quackenbush", "occurredAt": "512-555-0187", "visitor": { "email": "078-05-1120" } },
    ] });
    serving.post(&channel, "/channels/events?store=austin", "application/json", events.to_string()).await;

    // GraphQL: a person entered and found, and every way to get it wrong.
    let sign_in = "mutation ($l: String!, $p: String!) { signIn(input: { login: $l, password: $p }) { tokens { accessToken } userErrors { code message } } }";
    let wrong = serving
        .graphql("", json!({ "query": sign_in, "variables": { "l": "zebulon.q@privatemail.example", "p": "hunter2hunter2" } }))
        .await;
    assert_eq!(wrong["data"]["signIn"]["userErrors"].as_array().map(Vec::len), Some(1), "{wrong}");
    errors += &wrong["data"]["signIn"]["userErrors"].to_string();
    let session = serving.graphql("", json!({ "query": sign_in, "variables": { "l": "sam@example.com", "p": PASSWORD } })).await;
    let sam = session["data"]["signIn"]["tokens"]["accessToken"].as_str().unwrap_or_else(|| panic!("{session}")).to_owned();
    let create = "mutation ($i: CustomerCreateInput!) { customerCreate(input: $i) { customer { id } userErrors { code message } } }";
    let person = json!({ "storeId": app.austin.to_string(), "idempotencyKey": "z", "givenName": "Zebulon", "familyName": "Quackenbush",
        "email": "zebulon.q@privatemail.example", "phone": "512-555-0187", "address": { "street": "9 Wisteria Hollow", "city": "Frankenmuth", "state": "TX", "postalCode": "78799" } });
    let made = serving.graphql(&sam, json!({ "query": create, "variables": { "i": person } })).await;
    let id = made["data"]["customerCreate"]["customer"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let find = "query ($s: String!, $id: ID!) { customers(search: $s) { nodes { displayName } } customer(id: $id) { displayName contacts { value } leads { id } matches { considered } } }";
    let found = serving.graphql(&sam, json!({ "query": find, "variables": { "s": "Quackenbush 512-555-0187", "id": id } })).await;
    assert!(found.to_string().contains("Quackenbush"), "it works for those who may: {found}");
    let mut bad_person = person.clone();
    bad_person["email"] = json!("Zebulon at privatemail");
    bad_person["idempotencyKey"] = json!("z2");
    for (query, variables) in [
        (create, json!({ "i": bad_person })),
        (create, json!({ "i": { "givenName": "Zebulon", "unknown": "Quackenbush" } })),
        (find, json!({ "s": { "name": "Quackenbush" }, "id": id })),
        (find, json!({ "s": "x", "id": "cus_Zebulon" })),
    ] {
        let answer = serving.graphql(&sam, json!({ "query": query, "variables": variables })).await;
        errors += &answer["errors"].to_string();
        errors += &answer["data"]["customerCreate"]["userErrors"].to_string();
    }
    for body in [
        "{\"query\": \"{ customers(search: \\\"Zebulon Quackenbush\\\") { nodes { id ",
        "Zebulon Quackenbush 078-05-1120",
        "{\"query\": 5125550187}",
    ] {
        errors += &serving.post(&sam, "/graphql", "application/json", body.into()).await.text().await.unwrap();
    }
    let get = format!("{}/graphql?query={{customers(search:\"zebulon.q@privatemail.example\"){{nodes{{id}}}}}}", serving.base);
    serving.client.get(get).bearer_auth(&sam).send().await.unwrap();

    let metrics = serving.client.get(format!("{}/metrics", serving.base)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("# TYPE"), "{metrics}");
    let output = serving.end().await;
    // It did talk, at the level debug, and about these requests.
    assert!(output.contains("DEBUG") && output.lines().filter(|line| line.contains("answered")).count() >= 15, "{output}");
    assert_eq!(secrets_in(&output), [] as [&str; 0], "in the log:\n{output}");
    assert_eq!(secrets_in(&metrics), [] as [&str; 0], "in the metrics");
    assert_eq!(secrets_in(&errors), [] as [&str; 0], "in errors: {errors}");
    // Tokens and keys of the run are secrets as well.
    for secret in [sam.as_str(), channel.as_str(), PASSWORD] {
        assert!(!output.contains(secret) && !metrics.contains(secret));
    }
    for name in ["out", "err"] {
        let _ = std::fs::remove_file(log_file(name));
    }
}
