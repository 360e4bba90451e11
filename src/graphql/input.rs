//! Reading arguments: ids, amounts, texts. Everything wrong becomes `BAD_USER_INPUT` with a text that says what is right.

use async_graphql::ID;

use super::{DecimalText, GqlError, GqlResult};
use crate::kernel::id::TypedId;
use crate::kernel::money::Cents;
use crate::kernel::text;

/// Most items an input list may hold.
pub const LIST_MAX: usize = 100;

/// An id of type `T`.
pub fn id<T: TypedId>(name: &str, id: &ID) -> GqlResult<T> {
    T::parse(id.as_str()).map_err(|e| GqlError::bad_input(format!("{name}: {e}")))
}

/// An optional id of type `T`.
pub fn opt_id<T: TypedId>(name: &str, value: Option<&ID>) -> GqlResult<Option<T>> {
    value.map(|v| id(name, v)).transpose()
}

/// An amount of at least zero, with at most two decimals, at most [`Cents::LIMIT`].
pub fn amount(name: &str, value: DecimalText) -> GqlResult<Cents> {
    match Cents::from_decimal_exact(value.0) {
        Some(cents) if cents >= Cents::ZERO => Ok(cents),
        _ => Err(GqlError::bad_input(format!("{name}: expected an amount from 0.00 to {} with at most two decimals", Cents::LIMIT))),
    }
}

/// A text of 1 to `max` characters.
pub fn required(name: &str, value: &str, max: usize) -> GqlResult<String> {
    text::required(value, max).map_err(|e| GqlError::bad_input(format!("{name}: {e}")))
}

/// A text of at most `max` characters; empty means none.
pub fn optional(name: &str, value: Option<&str>, max: usize) -> GqlResult<Option<String>> {
    text::optional(value.unwrap_or(""), max).map_err(|e| GqlError::bad_input(format!("{name}: {e}")))
}

/// A list of at most [`LIST_MAX`] items.
pub fn list<T>(name: &str, items: Vec<T>) -> GqlResult<Vec<T>> {
    if items.len() > LIST_MAX { Err(GqlError::bad_input(format!("{name}: at most {LIST_MAX} items"))) } else { Ok(items) }
}
