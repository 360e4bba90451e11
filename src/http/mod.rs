//! x
pub mod graphql;
pub mod limits;
