//! Who acts, and what they may see: sign-in, tokens, sessions, roles.
//!
//! - People sign in with a password (argon2id) and get a short-lived access token (EdDSA, 15 minutes) and a rotating refresh
//!   token. Machines (channels, feeds, partners) present a key.
//! - [`Actor`] is who acts; it comes from a verified token or key and nowhere else.
//! - [`Scope`] is the list of stores a read may touch. Its constructor is private to this module: a query that wants a
//!   `Scope` cannot be called without an actor.

pub mod actor;

pub use actor::{Actor, ActorKind, Role, Scope};
