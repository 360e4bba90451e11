//! Errors of the routes that are not GraphQL: `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal of an HTTP route. The outermost layer adds the request id.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    request_id: Option<String>,
}

impl Problem {
    /// `code` is for programs and never changes; `title` says the same in words.
    pub const fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title, detail: None, request_id: None }
    }

    /// What is wrong with this very request. May be shown: no personal data, nothing internal.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// A bug or an outage.
    pub const fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "Something went wrong on our side. Quote the request id when you report it.",
        )
    }

    /// No or no valid credentials.
    pub const fn unauthenticated() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "Send a valid key: \"Authorization: Bearer …\".")
    }

    /// Try again in a moment.
    pub const fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "The server is busy or restarting. Try again in a moment.")
    }

    pub(super) fn with_request_id(mut self, id: &str) -> Self {
        self.request_id = Some(id.to_owned());
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({ "type": "about:blank", "title": self.title, "status": self.status.as_u16(), "code": self.code });
        if let Some(fields) = body.as_object_mut() {
            fields.extend(self.detail.clone().map(|detail| ("detail".to_owned(), detail.into())));
            fields.extend(self.request_id.clone().map(|id| ("requestId".to_owned(), id.into())));
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json; charset=utf-8"));
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"deskless\""));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        if self.request_id.is_none() {
            response.extensions_mut().insert(self);
        }
        response
    }
}
