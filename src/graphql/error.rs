//! Errors of the GraphQL protocol itself. Business refusals are user errors in the payload, not these.

use std::error::Error as StdError;
use std::sync::Arc;

use async_graphql::ErrorExtensions;

use crate::db::{DbError, idempotency::ClaimError};

/// The result of a resolver.
pub type GqlResult<T> = Result<T, GqlError>;

/// `extensions.code` of an entry in `errors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// No token, or one that is expired, revoked or wrong.
    Unauthenticated,
    /// The role may not call this field. Never used for an id, which would confirm that it exists.
    Forbidden,
    /// The HTTP request or the socket message is malformed.
    BadRequest,
    /// The document is not GraphQL.
    ParseFailed,
    /// The document does not fit the schema.
    ValidationFailed,
    /// The hash of a persisted operation is unknown: send the text once.
    PersistedQueryNotFound,
    /// An argument or a variable is malformed.
    BadUserInput,
    /// The same idempotency key came with another input.
    IdempotencyKeyReused,
    /// Too much was asked for (size, depth, rate).
    LimitExceeded,
    /// Try again in a moment.
    Unavailable,
    /// It took too long and was stopped.
    Timeout,
    /// A bug. The request id finds it in the log.
    Internal,
}

impl ErrorCode {
    /// The code as clients see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadRequest => "BAD_REQUEST",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::PersistedQueryNotFound => "PERSISTED_QUERY_NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::IdempotencyKeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Timeout => "TIMEOUT",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error on its way to a client: a code and a text made for people, and the cause for the log.
#[derive(Debug, Clone)]
pub struct GqlError {
    code: ErrorCode,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl GqlError {
    /// An error with a text that may be shown.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), source: None }
    }

    /// A malformed argument; the text says what would be right.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadUserInput, message)
    }

    /// The role may not do this at all.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }

    /// No valid sign-in.
    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "Sign in first: send \"Authorization: Bearer …\" with an access token.")
    }

    /// A bug or an outage: the client learns nothing of `source`, the log learns everything.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            code: ErrorCode::Internal,
            message: "Something went wrong on our side. Quote the request id when you report it.".into(),
            source: Some(Arc::from(source.into())),
        }
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }
}

impl From<DbError> for GqlError {
    fn from(error: DbError) -> Self {
        let (code, message) = match &error {
            DbError::Unavailable(_) | DbError::Conflict(_) => {
                (ErrorCode::Unavailable, "The database is busy or restarting. Try again in a moment.")
            }
            DbError::Timeout(_) => (ErrorCode::Timeout, "This took too long and was stopped. Ask for less, or try again."),
            DbError::Statement(_) | DbError::Corrupt(_) => return Self::internal(error),
        };
        Self { code, message: message.into(), source: Some(Arc::new(error)) }
    }
}

impl From<sqlx::Error> for GqlError {
    fn from(error: sqlx::Error) -> Self {
        DbError::from(error).into()
    }
}

impl From<ClaimError> for GqlError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::BadKey => Self::bad_input(error.to_string()),
            ClaimError::Reused => Self::new(ErrorCode::IdempotencyKeyReused, error.to_string()),
            ClaimError::Db(error) => error.into(),
        }
    }
}

/// Marks an error whose cause is a connection that was cut: a query is worth a second try.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionCut;

impl From<GqlError> for async_graphql::Error {
    /// Logs once, with the whole chain, inside the request's span; shows the client the code and the made text.
    fn from(error: GqlError) -> Self {
        if let Some(source) = &error.source {
            tracing::error!(code = error.code.as_str(), error = &**source as &dyn StdError, "resolver failed");
        }
        let cut = error.source.as_deref().and_then(|source| source.downcast_ref::<DbError>()).is_some_and(DbError::is_cut);
        let mut shown = Self::new(error.message).extend_with(|_, e| e.set("code", error.code.as_str()));
        shown.source = cut.then(|| Arc::new(ConnectionCut) as _);
        shown
    }
}
