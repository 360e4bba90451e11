//! What goes back: the body, its media type, its status. The status map is here and nowhere else.

use async_graphql::{ErrorExtensionValues, Pos, Response, ServerError, Value};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::documents::Document;
use crate::graphql::ErrorCode;
use crate::http::limits::Limits;

/// Longest error message sent, in characters.
const MESSAGE_MAX: usize = 400;

/// Why a request is not executed, or how its execution ended without a result.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// For programs.
    pub(crate) code: ErrorCode,
    /// For people.
    pub(crate) message: String,
    /// Where in the document.
    pub(crate) locations: Vec<Pos>,
    /// Set where the cause lies in HTTP, not in GraphQL: then it holds for both media types.
    pub(crate) status: Option<StatusCode>,
}

impl Refusal {
    /// A refusal with the status that belongs to its code.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), locations: Vec::new(), status: None }
    }

    /// A refusal by HTTP.
    pub(crate) fn http(status: StatusCode, message: impl Into<String>) -> Self {
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::LimitExceeded,
            StatusCode::SERVICE_UNAVAILABLE => ErrorCode::Unavailable,
            StatusCode::REQUEST_TIMEOUT => ErrorCode::Timeout,
            _ => ErrorCode::BadRequest,
        };
        Self { code, message: message.into(), locations: Vec::new(), status: Some(status) }
    }
}

/// The media types of GraphQL over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// `application/graphql-response+json`: the status tells how it went.
    Response,
    /// `application/json`: 200 for everything GraphQL can express itself.
    Json,
}

impl Media {
    /// What the client prefers of the two; none when it accepts neither.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        let mut given = false;
        for value in headers.get_all(header::ACCEPT) {
            for range in value.to_str().unwrap_or("").split(',') {
                given = given || !range.trim().is_empty();
                let Some((quality, media)) = Self::of_range(range) else { continue };
                if quality > 0 && best.is_none_or(|(q, _)| quality > q) {
                    best = Some((quality, media));
                }
            }
        }
        if given { best.map(|(_, media)| media) } else { Some(Self::Json) }
    }

    fn of_range(range: &str) -> Option<(u16, Self)> {
        let mut parts = range.split(';').map(str::trim);
        let media = match parts.next()?.to_ascii_lowercase().as_str() {
            "application/graphql-response+json" => Self::Response,
            "application/json" | "application/*" | "*/*" => Self::Json,
            _ => return None,
        };
        let mut quality = 1000;
        for parameter in parts {
            let (name, value) = parameter.split_once('=')?;
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = thousandths(value.trim())?,
                "charset" if !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8") => return None,
                _ => {}
            }
        }
        Some((quality, media))
    }

    const fn content_type(self) -> HeaderValue {
        match self {
            Self::Response => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
            Self::Json => HeaderValue::from_static("application/json; charset=utf-8"),
        }
    }
}

/// A quality value ("0.5") in thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = format!("{fraction:0<3}");
    let value = whole.parse::<u16>().ok()?.checked_mul(1000)?.checked_add(fraction.parse().ok()?)?;
    (value <= 1000 && fraction.len() == 3).then_some(value)
}

/// The outcome of a request, before it is written.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It was executed; there may be errors in it.
    Executed(Response),
    /// It was not, or came to nothing.
    Refused(Vec<ServerError>, ErrorCode, Option<StatusCode>),
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        let mut error = ServerError::new(refusal.message, None);
        error.locations = refusal.locations;
        set_code(&mut error, refusal.code.as_str());
        Self::Refused(vec![error], refusal.code, refusal.status)
    }
}

impl Answer {
    /// Sorts what the schema answered: errors without any data and without a path come from validation.
    pub(crate) fn of(mut response: Response) -> Self {
        let unexecuted = response.data == Value::Null && !response.errors.is_empty() && response.errors.iter().all(|e| e.path.is_empty());
        // Resolvers always give a code. What has none comes from the library: validation before, arguments during execution.
        let code = if unexecuted { ErrorCode::ValidationFailed } else { ErrorCode::BadUserInput };
        for error in response.errors.iter_mut().filter(|e| code_of(e).is_none()) {
            set_code(error, code.as_str());
        }
        if unexecuted { Self::Refused(response.errors, code, None) } else { Self::Executed(response) }
    }

    /// For strangers: that the document does not fit the schema, but not why.
    pub(crate) fn without_details(self) -> Self {
        match self {
            Self::Refused(errors, ErrorCode::ValidationFailed, status) => {
                let mut refusal = Refusal::new(ErrorCode::ValidationFailed, "The document does not fit the schema. Sign in to learn more.");
                refusal.locations = errors.into_iter().flat_map(|error| error.locations).take(1).collect();
                refusal.status = status;
                refusal.into()
            }
            other => other,
        }
    }

    /// Puts the fields where they were asked for.
    pub(crate) fn put_in_order(&mut self, document: &Document, operation: Option<&str>) {
        if let Self::Executed(response) = self {
            document.orders().apply(operation, &mut response.data);
        }
    }

    /// Whether the document fitted the schema.
    pub(crate) fn was_executed(&self) -> bool {
        matches!(self, Self::Executed(_))
    }

    /// Whether it has errors and no data at all.
    pub(crate) fn came_to_nothing(&self) -> bool {
        match self {
            Self::Executed(response) => response.data == Value::Null && !response.errors.is_empty(),
            Self::Refused(..) => true,
        }
    }

    /// The errors alone, for the `error` message of a socket.
    pub(crate) fn into_errors(self, request_id: &str, limits: &Limits) -> Vec<ServerError> {
        match self {
            Self::Executed(response) => finish(response.errors, request_id, limits),
            Self::Refused(errors, ..) => finish(errors, request_id, limits),
        }
    }

    /// The one status map.
    pub(crate) fn status(&self, media: Media) -> StatusCode {
        match self {
            Self::Refused(_, _, Some(status)) => *status,
            Self::Refused(_, code, None) => match (code, media) {
                (ErrorCode::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
                (ErrorCode::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
                (ErrorCode::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
                (ErrorCode::Timeout, _) => StatusCode::GATEWAY_TIMEOUT,
                // The request itself cannot be read: both media types say so.
                (ErrorCode::BadRequest, _) | (_, Media::Response) => StatusCode::BAD_REQUEST,
                (_, Media::Json) => StatusCode::OK,
            },
            Self::Executed(response) if is_empty(&response.data) && !response.errors.is_empty() => {
                let all = |code: ErrorCode| response.errors.iter().all(|e| code_of(e) == Some(code.as_str()));
                if all(ErrorCode::Unavailable) {
                    StatusCode::SERVICE_UNAVAILABLE
                } else if all(ErrorCode::Timeout) {
                    StatusCode::GATEWAY_TIMEOUT
                } else if all(ErrorCode::Unauthenticated) {
                    StatusCode::UNAUTHORIZED
                } else {
                    StatusCode::OK
                }
            }
            Self::Executed(_) => StatusCode::OK,
        }
    }

    /// The body as JSON, with the request id in every error and no more errors than the bound.
    pub(crate) fn body(self, request_id: &str, limits: &Limits) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body {
            #[serde(skip_serializing_if = "Vec::is_empty")]
            errors: Vec<ServerError>,
            #[serde(skip_serializing_if = "Option::is_none")]
            data: Option<Value>,
        }
        let (errors, data) = match self {
            Self::Executed(response) => (response.errors, Some(response.data)),
            Self::Refused(errors, ..) => (errors, None),
        };
        let body = Body { errors: finish(errors, request_id, limits), data };
        serde_json::to_vec(&body).unwrap_or_else(|_| br#"{"errors":[{"message":"The answer cannot be written."}]}"#.to_vec())
    }

    /// The whole HTTP response.
    pub(crate) fn into_http(self, media: Media, request_id: &str, limits: &Limits) -> axum::response::Response {
        let status = self.status(media);
        let mut response = axum::response::Response::new(self.body(request_id, limits).into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, media.content_type());
        headers.insert(header::VARY, HeaderValue::from_static("accept, authorization"));
        match status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"deskless\""));
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // The rest of the body is not read: the connection cannot be used again.
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

/// Bounds the errors and puts the request id into each.
fn finish(mut errors: Vec<ServerError>, request_id: &str, limits: &Limits) -> Vec<ServerError> {
    errors.truncate(limits.errors);
    for error in &mut errors {
        if error.message.len() > MESSAGE_MAX {
            error.message = error.message.chars().take(MESSAGE_MAX).chain(['…']).collect();
        }
        error.locations.truncate(4);
        error.extensions.get_or_insert_default().set("requestId", request_id);
    }
    errors
}

/// Sets `extensions.code`.
fn set_code(error: &mut ServerError, code: &str) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code);
}

fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// Null, or an object with nothing but nulls in it.
fn is_empty(data: &Value) -> bool {
    match data {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(|value| *value == Value::Null),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &str) -> Option<Media> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, value.parse().unwrap());
        Media::negotiate(&headers)
    }

    #[test]
    fn media_type_is_the_one_the_client_prefers() {
        assert_eq!(Media::negotiate(&HeaderMap::new()), Some(Media::Json));
        assert_eq!(accept("*/*"), Some(Media::Json));
        assert_eq!(accept("application/json"), Some(Media::Json));
        assert_eq!(accept("application/graphql-response+json, application/json;q=0.9"), Some(Media::Response));
        assert_eq!(accept("application/graphql-response+json;q=0.5, application/json;q=0.9"), Some(Media::Json));
        assert_eq!(accept("application/graphql-response+json; charset=utf-8"), Some(Media::Response));
        assert_eq!(accept("application/graphql-response+json; charset=latin1"), None);
        assert_eq!(accept("text/html, application/json;q=0"), None);
        assert_eq!(accept("text/html"), None);
        assert_eq!(accept("application/json;q=banana"), None);
    }

    #[test]
    fn status_follows_code_and_media_type() {
        let status = |code, media| Answer::from(Refusal::new(code, "x")).status(media).as_u16();
        assert_eq!(status(ErrorCode::ParseFailed, Media::Response), 400);
        assert_eq!(status(ErrorCode::ParseFailed, Media::Json), 200);
        assert_eq!(status(ErrorCode::ValidationFailed, Media::Response), 400);
        assert_eq!(status(ErrorCode::BadUserInput, Media::Json), 200);
        assert_eq!(status(ErrorCode::BadRequest, Media::Json), 400);
        assert_eq!(status(ErrorCode::Unauthenticated, Media::Json), 401);
        assert_eq!(status(ErrorCode::Internal, Media::Json), 500);
        assert_eq!(status(ErrorCode::Unavailable, Media::Response), 503);
        assert_eq!(status(ErrorCode::Timeout, Media::Response), 504);
    }

    #[test]
    fn error_answers_are_bounded_and_carry_code_and_request_id() {
        let mut response = Response::from_errors((0..1000).map(|_| ServerError::new("x".repeat(10_000), None)).collect());
        response.data = Value::Null;
        let body = Answer::of(response).body("req-1", &Limits::default());
        assert!(body.len() < 20_000, "{}", body.len());
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(body.get("data").is_none());
        for error in body["errors"].as_array().unwrap() {
            assert_eq!(error["extensions"]["requestId"], "req-1");
            assert_eq!(error["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        }
    }
}
