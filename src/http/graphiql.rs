//! GraphiQL for people, from this server alone: the bundle of `web/` is inside the program, nothing is loaded from elsewhere.
//!
//! The assets carry a hash in their names and may be kept for a year; the page itself is asked for again each time. Without
//! Node the folder `web/dist` is empty: the program still builds, and the page says what to run.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `make web` wrote. In development builds the files are read from the folder, in release builds they are in the program.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Bundle;

/// Only this server may be reached, nothing inline may run. Styles may be inline: the editor's dialogs write them.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The page and its assets.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/graphiql", get(page))
        .route("/graphiql/", get(async || Redirect::permanent("/graphiql")))
        .route("/graphiql/assets/{name}", get(asset))
}

async fn page(headers: HeaderMap) -> Response {
    match Bundle::get("index.html") {
        Some(file) => answer(file, "text/html; charset=utf-8", "no-cache", &headers),
        None => (StatusCode::SERVICE_UNAVAILABLE, secured("no-store"), Html(NOT_BUILT)).into_response(),
    }
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    // The folder is flat; a name that would leave it is not a name.
    let flat = !name.contains(['/', '\\']) && !name.starts_with('.');
    match flat.then(|| Bundle::get(&format!("assets/{name}"))).flatten() {
        Some(file) => {
            let kind = file.metadata.mimetype().to_owned();
            let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind };
            answer(file, &kind, "public, max-age=31536000, immutable", &headers)
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn answer(file: EmbeddedFile, content_type: &str, cache: &'static str, request: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", hex(&file.metadata.sha256_hash()));
    let known = request.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok()).is_some_and(|seen| names(seen, &tag));
    if known {
        return (StatusCode::NOT_MODIFIED, secured(cache), [(header::ETAG, tag)]).into_response();
    }
    let headers = [(header::CONTENT_TYPE, content_type.to_owned()), (header::ETAG, tag)];
    (secured(cache), headers, file.data.into_owned()).into_response()
}

/// True when an `If-None-Match` header names `tag` (RFC 9110 §13.1.2: a list, compared weakly, or `*`).
fn names(header: &str, tag: &str) -> bool {
    header.split(',').map(str::trim).any(|seen| seen == "*" || seen.strip_prefix("W/").unwrap_or(seen) == tag)
}

fn secured(cache: &'static str) -> [(header::HeaderName, &'static str); 5] {
    [
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ]
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Deskless · GraphiQL is not built</title>\
<body style=\"font-family:system-ui;max-width:40rem;margin:4rem auto;line-height:1.5\"><h1>GraphiQL is not built</h1>\
<p>This program was built without Node, so the page for people is not inside it. The API at <code>/graphql</code> works.</p>\
<p>With Node 20 or newer and npm, run <code>make web</code> in the project's folder and build the program again.</p></body></html>";

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{Request, StatusCode, header};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn get_with(path: &str, tag: Option<&str>) -> Response {
        let mut request = Request::builder().uri(path);
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        routes::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn page_answers_html_with_a_policy_built_or_not() {
        let response = get_with("/graphiql", None).await;
        let built = Bundle::get("index.html").is_some();
        assert_eq!(response.status(), if built { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE });
        assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
        assert!(response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("script-src 'self';"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body);
        assert!(if built { text.contains("id=\"root\"") } else { text.contains("make web") });
    }

    #[tokio::test]
    async fn assets_are_immutable_and_known_ones_are_not_sent_again() {
        let Some(name) = Bundle::iter().find(|name| name.ends_with(".js")) else {
            println!("skipped: web/dist is empty");
            return;
        };
        let path = format!("/graphiql/{name}");
        let first = get_with(&path, None).await;
        assert_eq!(first.status(), StatusCode::OK);
        assert!(first.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert!(first.headers()[header::CONTENT_TYPE].to_str().unwrap().contains("javascript"));
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let again = get_with(&path, Some(&format!("\"other\", W/{tag}"))).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn nothing_outside_the_bundle_is_served() {
        for path in ["/graphiql/assets/none.js", "/graphiql/assets/../index.html", "/graphiql/assets/..%2f..%2fpackage.json"] {
            assert_eq!(get_with(path, None).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn the_page_asks_for_nothing_elsewhere() {
        for name in Bundle::iter().filter(|name| name.ends_with(".html") || name.ends_with(".css")) {
            let file = Bundle::get(&name).unwrap();
            let text = String::from_utf8_lossy(&file.data);
            assert!(!text.contains("src=\"http") && !text.contains("url(http") && !text.contains("@import \"http"), "{name}");
        }
    }
}
