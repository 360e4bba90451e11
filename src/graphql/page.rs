//! Relay paging: `first` and `after`, keyset cursors with an id tie-break.

use std::borrow::Cow;

pub use async_graphql::connection::EmptyFields;
use async_graphql::connection::PageInfo;
use async_graphql::{Object, ObjectType, OutputType, TypeName};
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

/// One page of a list, in the shape Relay asks for. `F` is what the list has beyond its items.
#[derive(Debug)]
pub struct Connection<N, F = EmptyFields> {
    edges: Vec<Edge<N>>,
    more: bool,
    fields: F,
}

/// One page of a list: as many items as `first` asks for, and where the next page begins.
#[Object(name_type)]
impl<N: OutputType, F: ObjectType> Connection<N, F> {
    /// The items of this page, each with its cursor.
    async fn edges(&self) -> &[Edge<N>] {
        &self.edges
    }
    /// The items of this page.
    async fn nodes(&self) -> Vec<&N> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }
    /// Whether there are more items, and the cursor to ask for them with.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_previous_page: false,
            has_next_page: self.more,
            start_cursor: self.edges.first().map(|edge| edge.cursor.0.clone()),
            end_cursor: self.edges.last().map(|edge| edge.cursor.0.clone()),
        }
    }
    #[graphql(flatten)]
    async fn fields(&self) -> &F {
        &self.fields
    }
}

impl<N: OutputType, F: ObjectType> TypeName for Connection<N, F> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

/// An item of a page and its cursor.
#[derive(Debug)]
pub struct Edge<N> {
    cursor: Cursor,
    node: N,
}

/// An item of a list and where it stands in it.
#[Object(name_type)]
impl<N: OutputType> Edge<N> {
    /// Where the item stands: pass it as `after` to get what follows.
    async fn cursor(&self) -> &str {
        &self.cursor.0
    }
    /// The item.
    async fn node(&self) -> &N {
        &self.node
    }
}

impl<N: OutputType> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

/// Builds the connection from the fetched rows (one more than `first` when there is a next page).
pub fn connection<T, N, F, K: Serialize>(
    rows: Vec<T>,
    first: usize,
    fields: F,
    key: impl Fn(&T) -> K,
    node: impl Fn(T) -> N,
) -> Connection<N, F> {
    let more = rows.len() > first;
    let edge = |row| {
        let cursor = Cursor::encode(&key(&row));
        Edge { cursor, node: node(row) }
    };
    Connection { edges: rows.into_iter().take(first).map(edge).collect(), more, fields }
}
