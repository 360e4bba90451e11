//! One key, one execution, one answer.
//!
//! A use case that creates, moves money or leaves the process claims its key first, in its own transaction. A second
//! request with the same key waits for the first to end: if it committed, its stored answer comes back; if it was rolled
//! back or killed, the second executes. Keys belong to their user; the same key with another input is refused.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::{DbError, Tx};
use crate::kernel::seal::sha256;

/// The longest key accepted, in characters.
pub const KEY_MAX: usize = 200;

/// A key with the operation it stands for, for a statement that does the work and keeps the answer at once.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// Whose key.
    pub user: Uuid,
    /// The key.
    pub key: String,
    /// The operation.
    pub operation: &'static str,
    /// SHA-256 of the whole input.
    pub request_hash: Vec<u8>,
}

impl Keyed {
    /// `request` is the whole input of the operation; its hash tells a retry from a mistake.
    pub fn new(user: Uuid, key: &str, operation: &'static str, request: &impl Serialize) -> Result<Self, ClaimError> {
        if key.is_empty() || key.chars().count() > KEY_MAX || key.chars().any(char::is_control) {
            return Err(ClaimError::BadKey);
        }
        let request = serde_json::to_vec(request).map_err(|e| DbError::Corrupt(e.to_string()))?;
        Ok(Self { user, key: key.to_owned(), operation, request_hash: sha256(&request).to_vec() })
    }
}

/// What a claim found.
#[derive(Debug)]
pub enum Claim<T> {
    /// Nobody used this key before: do the work, then [`Tx::remember`].
    First,
    /// The work was done before; this was its answer.
    Replayed(T),
}

/// Why a claim was refused.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The key is empty or too long.
    #[error("idempotencyKey must have 1 to {KEY_MAX} characters")]
    BadKey,
    /// The key was used with another operation or input.
    #[error("this idempotencyKey was used before with another input; make a new one")]
    Reused,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Tx {
    /// Claims `key` for `user`. `request` is the whole input of the operation; its hash tells a retry from a mistake.
    pub async fn claim<T: DeserializeOwned>(
        &mut self,
        user: Uuid,
        key: &str,
        operation: &'static str,
        request: &impl Serialize,
    ) -> Result<Claim<T>, ClaimError> {
        let Keyed { request_hash: hash, .. } = Keyed::new(user, key, operation, request)?;
        let now = self.now();
        let claimed = sqlx::query!(
            "INSERT INTO idempotency_record (user_id, key, operation, request_hash, answer, created_at)
             VALUES ($1, $2, $3, $4, 'null', $5) ON CONFLICT DO NOTHING",
            user,
            key,
            operation,
            hash,
            now,
        )
        .execute(self.conn())
        .await
        .map_err(DbError::from)?;
        if claimed.rows_affected() == 1 {
            return Ok(Claim::First);
        }
        let stored =
            sqlx::query!("SELECT operation, request_hash, answer FROM idempotency_record WHERE user_id = $1 AND key = $2", user, key)
                .fetch_one(self.conn())
                .await
                .map_err(DbError::from)?;
        if stored.operation != operation || stored.request_hash != hash {
            return Err(ClaimError::Reused);
        }
        let answer = serde_json::from_value(stored.answer).map_err(|e| DbError::Corrupt(e.to_string()))?;
        Ok(Claim::Replayed(answer))
    }

    /// Stores the answer of the claimed key; it becomes visible with the commit.
    pub fn remember(&mut self, user: Uuid, key: &str, answer: &impl Serialize) -> Result<(), DbError> {
        let answer: Value = serde_json::to_value(answer).map_err(|e| DbError::Corrupt(e.to_string()))?;
        self.answer = Some((user, key.to_owned(), answer));
        Ok(())
    }
}
