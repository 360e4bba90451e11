//! Relay paging: `first` and `after`, keyset cursors with an id tie-break.

use async_graphql::connection::{Connection, CursorType, Edge, EmptyFields};
use async_graphql::{ObjectType, OutputType};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{GqlError, GqlResult};

/// Items on a page when `first` is not given.
pub const FIRST_DEFAULT: i32 = 20;
/// Most items on a page.
pub const FIRST_MAX: i32 = 100;

/// An opaque cursor: the sort key and id of a row, as base64url of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Makes a cursor from a row's sort key.
    pub fn encode(key: &impl Serialize) -> Self {
        Self(URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default()))
    }

    /// Reads a cursor that [`Cursor::encode`] made for the same order.
    pub fn decode<K: DeserializeOwned>(text: &str) -> GqlResult<K> {
        let bytes = if text.len() <= 1024 { URL_SAFE_NO_PAD.decode(text).ok() } else { None };
        bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| GqlError::bad_input("after: not a cursor of this list; pass pageInfo.endCursor of the page before"))
    }
}

impl CursorType for Cursor {
    type Error = std::convert::Infallible;
    fn decode_cursor(s: &str) -> Result<Self, Self::Error> {
        Ok(Self(s.to_owned()))
    }
    fn encode_cursor(&self) -> String {
        self.0.clone()
    }
}

/// What a list was asked for, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageArgs<K> {
    /// How many items; at most [`FIRST_MAX`].
    pub first: usize,
    /// The key after which the page begins.
    pub after: Option<K>,
}

impl<K: DeserializeOwned> PageArgs<K> {
    /// Checks `first` and `after`.
    pub fn read(first: Option<i32>, after: Option<&str>) -> GqlResult<Self> {
        let first = first.unwrap_or(FIRST_DEFAULT);
        if !(1..=FIRST_MAX).contains(&first) {
            return Err(GqlError::bad_input(format!("first: must be from 1 to {FIRST_MAX}")));
        }
        Ok(Self { first: usize::try_from(first).unwrap_or(0), after: after.map(Cursor::decode).transpose()? })
    }

    /// Rows to fetch: one more than asked for, to know whether there is a next page.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.first).unwrap_or(0).saturating_add(1)
    }
}

/// Builds the connection from the fetched rows (one more than `first` when there is a next page).
pub fn connection<T, N, F, K: Serialize>(
    rows: Vec<T>,
    first: usize,
    fields: F,
    key: impl Fn(&T) -> K,
    node: impl Fn(T) -> N,
) -> Connection<Cursor, N, F, EmptyFields>
where
    N: OutputType,
    F: ObjectType,
{
    let more = rows.len() > first;
    let mut connection = Connection::with_additional_fields(false, more, fields);
    connection.edges = rows
        .into_iter()
        .take(first)
        .map(|row| {
            let cursor = Cursor::encode(&key(&row));
            Edge::new(cursor, node(row))
        })
        .collect();
    connection
}
