//! GraphQL over HTTP: what is accepted, what is refused, and how each answer looks.

use std::sync::atomic::Ordering;
use std::time::Instant;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::helpers::{PATIENCE, until};
use crate::http_kit::{Server, code, read};

#[tokio::test]
async fn answers_in_the_media_type_the_client_prefers() {
    let server = Server::start().await;
    for (accept, content_type) in [
        ("application/graphql-response+json", "application/graphql-response+json; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json; charset=utf-8"),
    ] {
        let response = server.post(&json!({ "query": "{ hello }" })).header("accept", accept).send().await.unwrap();
        // reqwest keeps the first value too: build the request anew.
        drop(response);
        let response = server
            .request(Method::POST, "/graphql")
            .header("authorization", "Bearer good")
            .header("accept", accept)
            .json(&json!({ "query": "{ hello }" }))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], content_type);
    }
    let response =
        server.request(Method::POST, "/graphql").header("accept", "text/html").json(&json!({ "query": "{ hello }" })).send().await;
    assert_eq!(response.unwrap().status(), StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn every_answer_is_not_stored_not_sniffed_and_has_a_request_id() {
    let server = Server::start().await;
    for path in ["/graphql?query=%7B__typename%7D", "/livez", "/nothing-here", "/graphql", "/panics"] {
        let response = server.request(Method::GET, path).header("x-request-id", "tablet-4.77").send().await.unwrap();
        let header = |name: &str| response.headers().get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("x-request-id"), "tablet-4.77", "{path}");
    }
    let long = "x".repeat(65);
    for given in ["", "has space", long.as_str(), "a\"b"] {
        let response = server.request(Method::GET, "/livez").header("x-request-id", given).send().await.unwrap();
        let id = response.headers()["x-request-id"].to_str().unwrap();
        assert_ne!(id, given);
        assert_eq!(id.len(), 24);
    }
}

#[tokio::test]
async fn only_json_may_be_posted() {
    let server = Server::start().await;
    let body = r#"{"query":"mutation { write(ms: 0) }"}"#;
    for kind in [
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/graphql"),
        Some("application/json; charset=utf-16"),
        Some("application/jsonx"),
        None,
    ] {
        let mut request = server.request(Method::POST, "/graphql").header("authorization", "Bearer good").body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let (status, answer) = read(request.send().await.unwrap()).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind:?}");
        assert_eq!(code(&answer), "BAD_REQUEST");
    }
    let zipped = server.post(&json!({ "query": "{ hello }" })).header("content-encoding", "gzip").send().await.unwrap();
    assert_eq!(zipped.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(server.seen.begun.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn get_runs_queries_only() {
    let server = Server::start().await;
    let get = async |query: &str| {
        let path = format!("/graphql?query={}", query.replace(' ', "%20").replace('{', "%7B").replace('}', "%7D"));
        server.request(Method::GET, &path).header("authorization", "Bearer good").send().await.unwrap()
    };
    assert_eq!(get("{ hello }").await.status(), 200);
    for query in ["mutation { write(ms: 0) }", "subscription { ticks }"] {
        let response = get(query).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "POST");
    }
    assert_eq!(server.seen.begun.load(Ordering::SeqCst), 0);
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let response = server.request(method, "/graphql").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert!(response.headers().get("access-control-allow-origin").is_none());
    }
}

#[tokio::test]
async fn status_tells_what_went_wrong() {
    let server = Server::start().await;
    for (query, status, expected) in [
        ("{", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ noSuchField }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($x: Int!) { sleep(ms: $x) }", 400, "BAD_USER_INPUT"),
        ("subscription { ticks }", 400, "BAD_REQUEST"),
        ("{ database }", 200, "INTERNAL"),
        ("{ busy }", 503, "UNAVAILABLE"),
    ] {
        let (got, body) = server.ask(query).await;
        assert_eq!(got, status, "{query}");
        assert_eq!(code(&body), expected, "{query}");
        assert!(body["errors"][0]["extensions"]["requestId"].is_string());
        let legacy = server.request(Method::POST, "/graphql").bearer_auth("good").json(&json!({ "query": query })).send().await.unwrap();
        let legacy_status = if expected == "BAD_REQUEST" || status == 503 { status } else { 200 };
        assert_eq!(legacy.status(), legacy_status, "{query}");
    }
    assert!(server.ask("{ noSuchField }").await.1.get("data").is_none());
}

#[tokio::test]
async fn malformed_bodies_are_refused() {
    let server = Server::start().await;
    for body in [
        &b"{"[..],
        b"[]",
        b"null",
        b"{\"query\":\"\xff\xfe\"}",
        b"{\"query\":\"{a}\",\"query\":\"{b}\"}",
        b"[{\"query\":\"{hello}\"},{\"query\":\"{hello}\"}]",
    ] {
        let request = server.request(Method::POST, "/graphql").header("content-type", "application/json").bearer_auth("good");
        let (status, answer) = read(request.body(body.to_vec()).send().await.unwrap()).await;
        assert_eq!(status, 400, "{}", String::from_utf8_lossy(body));
        assert_eq!(code(&answer), "BAD_REQUEST");
    }
}

#[tokio::test]
async fn without_a_token_only_sign_in_runs_and_nothing_can_be_learnt() {
    let server = Server::start().await;
    let ask = async |query: &str| {
        let request = server.request(Method::POST, "/graphql").header("accept", "application/graphql-response+json");
        read(request.json(&json!({ "query": query })).send().await.unwrap()).await
    };
    for query in [
        "{ hello }",
        "{ __schema { types { name } } }",
        "{ __type(name: \"Query\") { name } }",
        "{ noSuchField }",
        "{ helo }",
        "{ ...f } fragment f on Query { hello }",
        "mutation { write(ms: 0) }",
        "mutation { signIn(input: {login: \"a\"}) write(ms: 0) }",
    ] {
        let (status, body) = ask(query).await;
        assert_eq!((status.as_u16(), code(&body)), (401, "UNAUTHENTICATED"), "{query}");
        assert!(!body.to_string().contains("Did you mean"));
    }
    let (status, body) = ask("mutation { signIn(input: {login: \"a\"}) }").await;
    assert_eq!((status.as_u16(), &body["data"]["signIn"]), (200, &json!("a 0")));
    let (_, body) = ask("mutation { signIn(input: {logn: \"a\"}) }").await;
    assert!(!body.to_string().contains("login"), "{body}");
}

#[tokio::test]
async fn a_bad_token_is_refused_whatever_is_asked() {
    let server = Server::start().await;
    for header in ["Bearer bad", "Bearer expired", "Bearer", "Basic Z29vZA==", "good", "Bearer good good"] {
        let request = server.request(Method::POST, "/graphql").header("authorization", header);
        let response = request.json(&json!({ "query": "{ __typename }" })).send().await.unwrap();
        assert!(response.headers().contains_key("www-authenticate"));
        let (status, body) = read(response).await;
        assert_eq!((status.as_u16(), code(&body)), (401, "UNAUTHENTICATED"), "{header}");
    }
    let twice = server.post(&json!({ "query": "{ hello }" })).header("authorization", "Bearer other").send().await.unwrap();
    assert_eq!(twice.status(), 401);
}

#[tokio::test]
async fn abuse_is_refused_before_it_costs_anything() {
    let server = Server::start().await;
    let mut amplified = String::from("{ ...f0 }");
    for i in 0..25 {
        amplified.push_str(&format!(" fragment f{i} on Query {{ ...f{} ...f{} }}", i + 1, i + 1));
    }
    amplified.push_str(" fragment f25 on Query { hello }");
    let aliases: String = (0..1000).map(|i| format!("a{i}: hello ")).collect();
    let nested = format!("{}hello{}", "{ me ".repeat(20), " }".repeat(20)).replacen("hello", "{ hello }", 1);
    let pages = "{ cars(first: 100) { nodes { vin } } me { cars(first: 100) { edges { node { vin miles } } } } }";
    let introspection = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    for query in [
        amplified.as_str(),
        &format!("{{ {aliases} }}"),
        &nested,
        &format!("{{ hello {} }}", "@skip(if: false) ".repeat(500)),
        &format!("{{ {} }}", "hello ".repeat(20_000)),
        &format!("{{ hello(name: {}1{}) }}", "[".repeat(5_000), "]".repeat(5_000)),
        introspection,
        "{ ...a } fragment a on Query { me { ...a } }",
        "mutation { a: signIn(input: {login: \"a\"}) b: signIn(input: {login: \"b\"}) }",
        "mutation { a: write(ms: 0) b: write(ms: 0) }",
    ] {
        let begin = Instant::now();
        let (status, body) = server.ask(query).await;
        assert_eq!(status, 400, "{} → {body}", &query[..query.len().min(60)]);
        assert!(begin.elapsed() < PATIENCE, "refused before it is measured out, which would take minutes");
        assert!(body.to_string().len() < 4_000);
        assert!(body.get("data").is_none());
    }
    assert_eq!(server.ask(pages).await.0, 200);
    assert_eq!(server.seen.begun.load(Ordering::SeqCst), 0);
    assert!(server.healthy().await);
}

/// The parser recurses: its deepest allowed input must fit the stack, also of an unoptimised build.
#[tokio::test]
async fn odd_documents_never_harm_the_parser() {
    let server = Server::start().await;
    let lists = format!("{{ any(list: {}1{}) }}", "[".repeat(58), "]".repeat(58));
    let objects = format!("{{ any(list: {}1{}) }}", "{a:".repeat(58), "}".repeat(58));
    let types = format!("query ($a: {}Int{}) {{ any }}", "[".repeat(58), "]".repeat(58));
    for query in [
        lists.as_str(),
        &objects,
        &types,
        "{ any(list: 1e999) }",
        "{ any(list: 99999999999999999999999) }",
        "{ hello(name: \"\\ud83d\\ude00\") }",
        "{ hello(name: \"\\u{1F600}\") }",
        "{ hello(name: \"\"\"\n  é\n é\"\"\") }",
        "{ hello(name: \"\\u0000\") }",
        "{ __typename @include(if: $a) }",
        "query ($a: Nope!) { hello }",
        "query ($a: Query!) { hello }",
        "query ($a: Int, $a: Int) { hello }",
        "fragment a on Query { hello }",
        "{ ...missing }",
        "\u{feff}{ hello }",
        "{ hello } { hello }",
        "query",
        "{}",
        "#",
        " ",
        "type Query { a: Int }",
        "{ hello(name: $missing) }",
        "{ cars(first: -1) { nodes { vin } } }",
    ] {
        let (status, body) = server.ask(query).await;
        assert!(matches!(status.as_u16(), 200 | 400), "{query}: {status} {body}");
        assert!(!body.to_string().contains("INTERNAL"), "{query}: {body}");
    }
    assert!(server.healthy().await);
}

#[tokio::test]
async fn large_answers_are_compressed_for_those_who_ask() {
    let server = Server::start().await;
    let ask = async |query: &str| {
        let response = server.post(&json!({ "query": query })).header("accept-encoding", "gzip").send().await.unwrap();
        response.headers().get("content-encoding").map(|v| v.to_str().unwrap().to_owned())
    };
    assert_eq!(ask("{ large }").await.as_deref(), Some("gzip"));
    assert_eq!(ask("{ hello }").await, None);
}

#[tokio::test]
async fn fields_stand_where_they_were_asked_for_however_long_each_takes() {
    let server = Server::start().await;
    let ask = async |query: &str| server.post(&json!({ "query": query })).send().await.unwrap().text().await.unwrap();
    // New, and known.
    for _ in 0..2 {
        let text = ask("{ slow: sleep(ms: 30) hello me { slow: sleep(ms: 20) ...H } nothing } fragment H on Query { hello }").await;
        let wanted = r#"{"data":{"slow":true,"hello":"hello ","me":{"slow":true,"hello":"hello "},"nothing":null}}"#;
        assert_eq!(text, wanted);
    }
}

#[tokio::test]
async fn bodies_are_bounded_with_and_without_a_length() {
    let server = Server::start().await;
    let large = format!("{{\"query\": \"{{ hello }}\", \"x\": \"{}\"}}", "x".repeat(300_000));
    let post = || server.request(Method::POST, "/graphql").bearer_auth("good").header("content-type", "application/json");
    let (status, body) = read(post().body(large.clone()).send().await.unwrap()).await;
    assert_eq!((status.as_u16(), code(&body)), (413, "LIMIT_EXCEEDED"));
    let pieces = futures::stream::iter(large.into_bytes().chunks(1000).map(|c| Ok::<_, std::io::Error>(c.to_vec())).collect::<Vec<_>>());
    // The server may close while the client still sends.
    if let Ok(response) = post().body(reqwest::Body::wrap_stream(pieces)).send().await {
        assert_eq!(response.status(), 413);
    }
    assert!(server.healthy().await);
}

#[tokio::test]
async fn variables_are_checked_alike_for_new_and_known_documents() {
    let server = Server::start().await;
    let query = "mutation ($input: SignInInput!) { signIn(input: $input) }";
    let good = json!({ "input": { "login": "a", "age": 7 } });
    let bad = [
        json!({}),
        json!({ "input": null }),
        json!({ "input": {} }),
        json!({ "input": { "login": 1 } }),
        json!({ "input": { "login": "a", "age": 1.5 } }),
        json!({ "input": { "login": "a", "age": 3_000_000_000_u64 } }),
        json!({ "input": { "login": "a", "more": 1 } }),
        json!({ "input": [1, 2] }),
    ];
    for round in 0..3 {
        for variables in &bad {
            let (status, body) = server.ask_with(query, variables.clone()).await;
            assert_eq!((status.as_u16(), code(&body)), (400, "BAD_USER_INPUT"), "round {round}: {variables}");
        }
        let (status, body) = server.ask_with(query, good.clone()).await;
        assert_eq!((status.as_u16(), &body["data"]["signIn"]), (200, &json!("a 7")));
    }
}

#[tokio::test]
async fn persisted_operations_are_known_by_their_hash() {
    let server = Server::start().await;
    let (text, hash) = ("{ __typename }", "7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b");
    let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let send = async |body: Value| read(server.post(&body).send().await.unwrap()).await;
    let (_, body) = send(json!({ "extensions": extensions })).await;
    assert_eq!(code(&body), "PERSISTED_QUERY_NOT_FOUND");
    let (status, body) = send(json!({ "query": "{ hello }", "extensions": extensions })).await;
    assert_eq!((status.as_u16(), code(&body)), (400, "BAD_REQUEST"));
    assert_eq!(send(json!({ "query": text, "extensions": extensions })).await.0, 200);
    let (status, body) = send(json!({ "extensions": extensions })).await;
    assert_eq!((status.as_u16(), &body["data"]["__typename"]), (200, &json!("Query")));
}

#[tokio::test]
async fn panics_and_database_texts_are_masked_and_the_process_lives() {
    let server = Server::start().await;
    let (status, body) = server.ask("{ hello boom }").await;
    assert_eq!((status.as_u16(), code(&body)), (500, "INTERNAL"));
    let (status, database) = server.ask("{ database }").await;
    assert_eq!((status.as_u16(), code(&database)), (200, "INTERNAL"));
    let response = server.request(Method::GET, "/panics").send().await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(response.headers()["content-type"], "application/problem+json; charset=utf-8");
    let problem: Value = response.json().await.unwrap();
    assert!(problem["requestId"].is_string());
    for text in [body.to_string(), database.to_string(), problem.to_string()] {
        assert!(!text.contains("secret"), "{text}");
    }
    assert!(server.healthy().await);
}

#[tokio::test]
async fn an_operation_that_takes_too_long_is_given_up() {
    let server = Server::with(|limits| limits.execution_ms = 200).await;
    let begin = Instant::now();
    let (status, body) = server.ask("{ sleep(ms: 60000) }").await;
    assert_eq!((status.as_u16(), code(&body)), (504, "TIMEOUT"));
    assert!(begin.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_mutation_runs_to_its_end_when_the_client_has_gone() {
    let server = Server::start().await;
    let client = tokio::spawn(server.post(&json!({ "query": "mutation { write(ms: 2000) }" })).send());
    until("it begins", async || server.seen.begun.load(Ordering::SeqCst) == 1).await;
    client.abort();
    assert!(client.await.is_err_and(|gone| gone.is_cancelled()));
    until("it ends", async || server.seen.finished.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn more_work_than_allowed_is_refused_at_once_but_sign_in_runs() {
    let server = Server::with(|limits| limits.executions = 2).await;
    let slow = || server.post(&json!({ "query": "mutation { write(ms: 3000) }" })).send();
    let (first, second) = (tokio::spawn(slow()), tokio::spawn(slow()));
    until("both work", async || server.seen.begun.load(Ordering::SeqCst) == 2).await;
    let response = server.post(&json!({ "query": "{ hello }" })).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(server.ask("mutation { signIn(input: {login: \"a\"}) }").await.0, 200);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(second.await.unwrap().unwrap().status(), 200);
    assert!(server.healthy().await);
}
