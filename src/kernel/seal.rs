//! Sealing personal data: XChaCha20-Poly1305 with a random 24-byte nonce, and keyed hashes to find it again.
//!
//! A sealed value is `[version 1][key id: 4 bytes][nonce: 24][ciphertext + tag]`. The context string (table and column) is
//! authenticated, so that a value copied into another column does not open. Blind indexes are HMAC-SHA-256 under a second
//! key derived from the same secret.

use std::collections::BTreeMap;
use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;
const KEY_ID_LEN: usize = 4;

/// Why a sealed value did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The value was sealed with a key this server does not have.
    #[error("sealed with a key that is not configured")]
    UnknownKey,
    /// Cut short, changed, or from another column.
    #[error("sealed value is damaged")]
    Damaged,
}

/// A 32-byte secret, from the configuration. Never shown.
#[derive(Clone)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// Wraps the secret.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        mac(&self.0, purpose.as_bytes())
    }

    fn id(&self) -> [u8; KEY_ID_LEN] {
        let digest = self.derive("deskless key id");
        let mut id = [0; KEY_ID_LEN];
        id.iter_mut().zip(digest).for_each(|(slot, byte)| *slot = byte);
        id
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// Seals with the newest key, opens with any of them.
pub struct Sealer {
    current: [u8; KEY_ID_LEN],
    ciphers: BTreeMap<[u8; KEY_ID_LEN], XChaCha20Poly1305>,
    index_key: [u8; 32],
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// `current` seals; `older` keys only open what they sealed before. Blind indexes hang on `index_key`, which is not
    /// rotated with the data keys.
    pub fn new(current: &DataKey, older: &[DataKey], index_key: &DataKey) -> Self {
        let cipher = |key: &DataKey| (key.id(), XChaCha20Poly1305::new(&key.derive("deskless seal").into()));
        let ciphers = older.iter().chain([current]).map(cipher).collect();
        Self { current: current.id(), ciphers, index_key: index_key.derive("deskless blind index") }
    }

    /// Seals `plain` for the column named by `context` ("customer.person").
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0_u8; NONCE_LEN];
        fill_random(&mut nonce);
        let payload = Payload { msg: plain, aad: context.as_bytes() };
        let sealed = self.ciphers.get(&self.current).and_then(|cipher| cipher.encrypt(&XNonce::from(nonce), payload).ok());
        let mut out = Vec::with_capacity(1 + KEY_ID_LEN + NONCE_LEN + plain.len() + 16);
        out.push(VERSION);
        out.extend_from_slice(&self.current);
        out.extend_from_slice(&nonce);
        // Encryption fails only beyond 256 GiB, which no column holds; an empty body then opens as damaged.
        out.extend_from_slice(&sealed.unwrap_or_default());
        out
    }

    /// Opens what [`Sealer::seal`] made for the same context.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (&version, rest) = sealed.split_first().ok_or(SealError::Damaged)?;
        let (key_id, rest) = rest.split_first_chunk::<KEY_ID_LEN>().ok_or(SealError::Damaged)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Damaged)?;
        if version != VERSION {
            return Err(SealError::Damaged);
        }
        let cipher = self.ciphers.get(key_id).ok_or(SealError::UnknownKey)?;
        cipher.decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: context.as_bytes() }).map_err(|_| SealError::Damaged)
    }

    /// Keyed hash of a normalised value, to find it without storing it. `context` separates kinds ("EMAIL", "NAME").
    pub fn blind_index(&self, context: &str, value: &str) -> Vec<u8> {
        let mut message = context.as_bytes().to_vec();
        message.push(0);
        message.extend_from_slice(value.as_bytes());
        mac(&self.index_key, &message).iter().take(16).copied().collect()
    }
}

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Fills the buffer from the operating system's random source.
///
/// # Panics
/// When the operating system has no random source, which [`crate::app`] checks at start-up.
#[expect(clippy::expect_used, reason = "without randomness no key, token or id may be made")]
pub fn fill_random(buffer: &mut [u8]) {
    getrandom::fill(buffer).expect("the operating system gives random bytes");
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(current: u8, older: &[u8]) -> Sealer {
        let older: Vec<_> = older.iter().map(|b| DataKey::new([*b; 32])).collect();
        Sealer::new(&DataKey::new([current; 32]), &older, &DataKey::new([9; 32]))
    }

    #[test]
    fn opens_only_in_its_own_column() {
        let s = sealer(1, &[]);
        let sealed = s.seal("customer.person", b"Ada");
        assert_eq!(s.open("customer.person", &sealed), Ok(b"Ada".to_vec()));
        assert_eq!(s.open("lead.raw", &sealed), Err(SealError::Damaged));
        assert!(!sealed.windows(3).any(|w| w == b"Ada"));
        assert_ne!(sealed, s.seal("customer.person", b"Ada"));
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let s = sealer(1, &[]);
        let sealed = s.seal("c", b"secret");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(s.open("c", &changed).is_err());
            assert!(s.open("c", &sealed[..at]).is_err());
        }
    }

    #[test]
    fn old_keys_open_and_new_keys_seal() {
        let old = sealer(1, &[]).seal("c", b"x");
        let rotated = sealer(2, &[1]);
        assert_eq!(rotated.open("c", &old), Ok(b"x".to_vec()));
        assert_eq!(sealer(1, &[]).open("c", &rotated.seal("c", b"x")), Err(SealError::UnknownKey));
        assert_eq!(rotated.blind_index("EMAIL", "a@b.de"), sealer(1, &[]).blind_index("EMAIL", "a@b.de"));
        assert_ne!(rotated.blind_index("EMAIL", "a@b.de"), rotated.blind_index("PHONE", "a@b.de"));
    }
}
