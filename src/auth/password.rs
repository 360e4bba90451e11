//! Passwords: argon2id (RFC 9106) with the crate's defaults (19 MiB, two passes), as the OWASP cheat sheet asks.
//!
//! Hashing is slow on purpose, so it runs on a blocking thread, and at most a few at a time.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use super::AuthError;

/// Shortest password accepted for a new user (NIST SP 800-63B asks for 8; longer is better).
pub const PASSWORD_MIN: usize = 12;
/// Longest password looked at, in bytes.
pub const PASSWORD_MAX: usize = 256;

static AT_A_TIME: Semaphore = Semaphore::const_new(2);
/// Verified when the login is unknown, so that the answer takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

/// Hashes a new password.
pub(super) async fn hash(password: String) -> Result<String, AuthError> {
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        return Err(AuthError::WeakPassword);
    }
    let _permit = AT_A_TIME.acquire().await.map_err(|_| AuthError::Busy)?;
    tokio::task::spawn_blocking(move || hash_now(&password)).await.map_err(|_| AuthError::Busy)?
}

/// Whether the password fits the stored hash. Without a hash it takes as long and is false.
pub(super) async fn verify(password: String, stored: Option<String>) -> Result<bool, AuthError> {
    if password.len() > PASSWORD_MAX {
        return Ok(false);
    }
    let _permit = AT_A_TIME.acquire().await.map_err(|_| AuthError::Busy)?;
    let check = move || {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| NOBODY.clone());
        let fits = PasswordHash::new(&stored).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        fits && known
    };
    tokio::task::spawn_blocking(check).await.map_err(|_| AuthError::Busy)
}

fn hash_now(password: &str) -> Result<String, AuthError> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|e| AuthError::Keys(e.to_string()))
}
