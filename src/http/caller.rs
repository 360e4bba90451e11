//! Who sends a request: nobody, or the owner of a valid token.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use futures::FutureExt;
use futures::future::BoxFuture;
use uuid::Uuid;

use crate::auth::{Actor, Auth, AuthError};
use crate::db::Db;

/// Longest wait for the check of a token.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// The owner of a valid token.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Counts the sockets of one user.
    pub user: Uuid,
    /// Given to resolvers.
    pub actor: Option<Arc<Actor>>,
    /// How long the token still holds; none for a machine's key.
    pub life: Option<Duration>,
}

/// Tells who presents a bearer token. A function, so that the transport can be tested without a database.
#[derive(Clone)]
pub struct Doorkeeper(Arc<dyn Fn(String) -> BoxFuture<'static, Result<Caller, AuthError>> + Send + Sync>);

impl std::fmt::Debug for Doorkeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doorkeeper(…)")
    }
}

impl Doorkeeper {
    /// Wraps any way of checking tokens.
    pub fn new<F, T>(check: F) -> Self
    where
        F: Fn(String) -> T + Send + Sync + 'static,
        T: Future<Output = Result<Caller, AuthError>> + Send + 'static,
    {
        Self(Arc::new(move |token| check(token).boxed()))
    }

    /// Asks the sign-in service; `db` tells the time.
    pub fn of_auth(auth: Auth, db: Db) -> Self {
        Self::new(move |token| {
            let (auth, db) = (auth.clone(), db.clone());
            async move {
                let known = auth.authenticate(&token).await?;
                let life = known.expires_at.map(|end| (end - db.now()).to_std().unwrap_or_default());
                Ok(Caller { user: known.actor.user_id().0, actor: Some(known.actor), life })
            }
        })
    }

    /// Checks the token.
    pub(super) async fn check(&self, token: &str) -> Result<Caller, AuthError> {
        // With the execution's own bound, no answer takes longer than five seconds, whatever the database does.
        tokio::time::timeout(PATIENCE, (self.0)(token.to_owned())).await.unwrap_or(Err(AuthError::Busy))
    }

    /// Whoever the headers name: nobody when there is no `Authorization`.
    pub(super) async fn of(&self, headers: &HeaderMap) -> Result<Option<Caller>, AuthError> {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = given.next() else { return Ok(None) };
        let token = value.to_str().ok().and_then(bearer).filter(|_| given.next().is_none()).ok_or(AuthError::BadToken)?;
        self.check(token).await.map(Some)
    }
}

/// The token of `Bearer …`.
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' ')).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_tokens_are_read() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for bad in ["", "abc", "Basic abc", "Bearer", "Bearer ", "Bearer a b"] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }
}
