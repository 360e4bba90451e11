//! Everything has a limit. One struct, so that a test can tighten one and an operator can read all.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Bounds of the transport. Each refusal names the bound it met.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest body of a GraphQL request and of a socket message, in bytes.
    pub body_bytes: usize,
    /// Longest GraphQL document, in bytes.
    pub document_bytes: usize,
    /// Most tokens in a document.
    pub tokens: usize,
    /// Deepest nesting of brackets in a document's text; protects the parser's stack.
    pub brackets: usize,
    /// Deepest nesting of fields.
    pub depth: usize,
    /// Deepest nesting of fields below `__schema` and `__type`.
    pub introspection_depth: usize,
    /// Most fields after every fragment is written out.
    pub fields: usize,
    /// Most fields at the root of a query.
    pub root_fields: usize,
    /// Most fields at the root of a mutation. One: a mutation is one business action, and passwords cannot be guessed in bulk.
    pub mutation_fields: usize,
    /// Most aliases in a document.
    pub aliases: usize,
    /// How often one field may be selected, under different names, in one place.
    pub same_field: usize,
    /// Most directives in a document.
    pub directives: usize,
    /// Most fragments in a document.
    pub fragments: usize,
    /// Most operations in a document.
    pub operations: usize,
    /// Most objects and values an answer may hold, estimated from page sizes before anything runs.
    pub cost: u64,
    /// Most values inside `variables`, and inside one literal argument.
    pub input_values: usize,
    /// Deepest nesting inside `variables`.
    pub input_depth: usize,
    /// Most entries in the `errors` of an answer.
    pub errors: usize,
    /// Tokens of parsed documents kept in memory; about 200 bytes each.
    pub cached_tokens: usize,
    /// Requests executed at the same time; more are refused with 503.
    pub executions: usize,
    /// Longest execution of one operation, in milliseconds.
    pub execution_ms: u64,
    /// Longest wait for a complete request head, in milliseconds. Also closes idle connections.
    pub head_ms: u64,
    /// Longest wait for a complete GraphQL body, and between two pieces of any other body, in milliseconds.
    pub body_ms: u64,
    /// Longest wait for a client that does not read its answer, in milliseconds.
    pub write_ms: u64,
    /// Proxies in front of the server whose `X-Forwarded-For` is believed; sign-in is throttled by the client's address.
    pub proxies: usize,
    /// Largest request head, in bytes.
    pub head_bytes: usize,
    /// TCP connections at the same time; more are refused with 503.
    pub connections: usize,
    /// Time for requests in flight to end after the signal to stop, in milliseconds.
    pub shutdown_ms: u64,
    /// WebSockets at the same time.
    pub sockets: usize,
    /// WebSockets of one user at the same time.
    pub sockets_per_user: usize,
    /// Operations running on one WebSocket.
    pub operations_per_socket: usize,
    /// Messages waiting for a slow reader before its subscriptions are paused.
    pub socket_backlog: usize,
    /// Time for `connection_init`, in milliseconds.
    pub init_ms: u64,
    /// Time between keep-alive pings; a socket silent for twice as long is closed. In milliseconds.
    pub ping_ms: u64,
    /// Longest wait for a reader that does not read, in milliseconds.
    pub socket_write_ms: u64,
    /// Time between two checks that a socket's session still lives, in milliseconds.
    pub session_check_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            document_bytes: 96 * 1024,
            tokens: 10_000,
            brackets: 60,
            depth: 15,
            introspection_depth: 20,
            fields: 4_000,
            root_fields: 20,
            mutation_fields: 1,
            aliases: 200,
            same_field: 10,
            directives: 60,
            fragments: 60,
            operations: 20,
            cost: 40_000,
            input_values: 5_000,
            input_depth: 12,
            errors: 20,
            cached_tokens: 250_000,
            executions: 256,
            execution_ms: 3_700,
            head_ms: 10_000,
            body_ms: 10_000,
            write_ms: 30_000,
            proxies: 0,
            head_bytes: 16 * 1024,
            connections: 2_500,
            shutdown_ms: 8_000,
            sockets: 1_100,
            sockets_per_user: 32,
            operations_per_socket: 24,
            socket_backlog: 32,
            init_ms: 5_000,
            ping_ms: 20_000,
            socket_write_ms: 10_000,
            session_check_ms: 2_000,
        }
    }
}

/// Milliseconds of the configuration as a [`Duration`].
pub(super) const fn ms(value: u64) -> Duration {
    Duration::from_millis(value)
}
