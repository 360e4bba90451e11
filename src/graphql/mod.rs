//! The GraphQL kit: errors, scalars, ids, paging, user errors. Knows no slice.
//!
//! Rules: a resolver is thin. It reads its input, calls one service method, and shapes the answer. Its error type is
//! [`GqlError`], which has no `Display`, so that a stray `?` cannot show an internal text to a client.

pub mod context;
pub mod error;
pub mod input;
pub mod page;
pub mod scalar;

pub use context::{RequestInfo, actor, request_info};
pub use error::{ConnectionCut, ErrorCode, GqlError, GqlResult};
pub use scalar::{Date, DecimalText, MoneyObject, Percentage};
