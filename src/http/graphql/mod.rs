//! x
mod guard;
mod scan;
mod types;
mod variables;
use crate::graphql::ErrorCode;
#[derive(Debug, Clone)]
pub(crate) struct Refusal { pub(crate) code: ErrorCode, pub(crate) message: String }
impl Refusal { pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self { Self { code, message: message.into() } } }
