//! All tests that go through the product's doors or need a database, in one binary.

mod helpers;

mod auth_sessions;
mod embedded;
