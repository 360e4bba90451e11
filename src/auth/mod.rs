//! Who acts, and what they may see: sign-in, tokens, sessions, roles.
//!
//! - People sign in with a password (argon2id) and get a short-lived access token (EdDSA, 15 minutes) and a rotating refresh
//!   token. Machines (channels, feeds, partners) present a key that begins with `dk_`.
//! - [`Actor`] is who acts; it comes from a verified token or key and nowhere else.
//! - [`Scope`] is the list of stores a read may touch. Its constructor is private to this module: a query that wants a
//!   `Scope` cannot be called without an actor.
//! - A session that ends is forgotten on every server at once, by a change notice, and after two seconds without one.

mod actor;
pub mod graphql;
mod keys;
mod password;
mod service;
mod store;

pub use actor::{Actor, ActorKind, Role, Scope};
pub use password::{PASSWORD_MAX, PASSWORD_MIN};
pub use service::{Auth, AuthError, Authenticated, MACHINE_KEY_PREFIX, Tokens};
