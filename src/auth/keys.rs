//! The keys that sign access tokens (Ed25519) and the tokens themselves (JWT, RFC 7519, used as RFC 8725 asks).
//!
//! The algorithm is pinned to EdDSA, the type to `at+jwt` (RFC 9068), every claim is required and checked, `crit` is refused,
//! and the leeway is ten seconds. Keys live in the database, the private half sealed; every server reads them at its start
//! and when it meets an unknown `kid`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::AuthError;
use crate::config::AuthConfig;
use crate::kernel::id::{SessionId, TypedId, UserId, encode, new_uuid};
use crate::kernel::seal::{Sealer, fill_random};

/// The sealing context of private keys.
pub(super) const SEAL_CONTEXT: &str = "signing_key.private";
const TOKEN_TYPE: &str = "at+jwt";
const LEEWAY_SECONDS: u64 = 10;
/// The longest token looked at.
const TOKEN_MAX: usize = 2048;

/// A key as it is stored.
#[derive(Debug, Clone)]
pub(super) struct KeyRow {
    pub kid: String,
    pub public_key: Vec<u8>,
    pub private_sealed: Vec<u8>,
}

impl KeyRow {
    /// A fresh key.
    pub fn generate(sealer: &Sealer, now: DateTime<Utc>) -> Self {
        let mut seed = [0_u8; 32];
        fill_random(&mut seed);
        let key = SigningKey::from_bytes(&seed);
        Self {
            kid: encode(new_uuid(now)),
            public_key: key.verifying_key().to_bytes().to_vec(),
            private_sealed: sealer.seal(SEAL_CONTEXT, &seed),
        }
    }
}

/// What an access token says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// A verified token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verified {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub expires_at: DateTime<Utc>,
}

/// The keys in memory.
pub(super) struct KeyRing {
    signing: (String, EncodingKey),
    verifying: BTreeMap<String, (DecodingKey, String)>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyRing(…)")
    }
}

impl KeyRing {
    /// From the stored keys, newest last; the newest signs, all verify.
    pub fn open(rows: &[KeyRow], sealer: &Sealer) -> Result<Self, AuthError> {
        let broken = |why: &str| AuthError::Keys(why.to_owned());
        let newest = rows.last().ok_or_else(|| broken("there is no signing key"))?;
        let seed = sealer.open(SEAL_CONTEXT, &newest.private_sealed).map_err(|e| AuthError::Keys(e.to_string()))?;
        let seed = <[u8; 32]>::try_from(seed).map_err(|_| broken("a signing key has the wrong length"))?;
        let der = SigningKey::from_bytes(&seed).to_pkcs8_der().map_err(|_| broken("a signing key cannot be encoded"))?;
        let mut verifying = BTreeMap::new();
        for row in rows {
            let x = URL_SAFE_NO_PAD.encode(&row.public_key);
            let key = DecodingKey::from_ed_components(&x).map_err(|_| broken("a public key cannot be read"))?;
            verifying.insert(row.kid.clone(), (key, x));
        }
        Ok(Self { signing: (newest.kid.clone(), EncodingKey::from_ed_der(der.as_bytes())), verifying })
    }

    /// Signs an access token.
    pub fn sign(
        &self,
        config: &AuthConfig,
        user: UserId,
        session: SessionId,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<String, AuthError> {
        let (kid, key) = &self.signing;
        let header = Header { typ: Some(TOKEN_TYPE.into()), kid: Some(kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let claims = Claims {
            iss: config.issuer.clone(),
            aud: config.audience.clone(),
            sub: user.to_string(),
            sid: session.to_string(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        jsonwebtoken::encode(&header, &claims, key).map_err(|e| AuthError::Keys(e.to_string()))
    }

    /// Checks a token completely. `now` is the server's time.
    pub fn verify(&self, config: &AuthConfig, token: &str, now: DateTime<Utc>) -> Result<Verified, AuthError> {
        if token.len() > TOKEN_MAX {
            return Err(AuthError::BadToken);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| AuthError::BadToken)?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TOKEN_TYPE) || has_crit(token) {
            return Err(AuthError::BadToken);
        }
        let kid = header.kid.ok_or(AuthError::BadToken)?;
        let (key, _) = self.verifying.get(&kid).ok_or(AuthError::UnknownKey)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[&config.audience]);
        validation.set_issuer(&[&config.issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        // Times are checked below against the server's own clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|_| AuthError::BadToken)?.claims;
        let leeway = i64::try_from(LEEWAY_SECONDS).unwrap_or(0);
        let now = now.timestamp();
        if claims.exp.saturating_add(leeway) <= now {
            return Err(AuthError::Expired);
        }
        if claims.nbf > now.saturating_add(leeway) || claims.iat > now.saturating_add(leeway) || claims.exp <= claims.iat {
            return Err(AuthError::BadToken);
        }
        Ok(Verified {
            user_id: UserId::parse(&claims.sub).map_err(|_| AuthError::BadToken)?,
            session_id: SessionId::parse(&claims.sid).map_err(|_| AuthError::BadToken)?,
            expires_at: DateTime::from_timestamp(claims.exp, 0).ok_or(AuthError::BadToken)?,
        })
    }

    /// The public keys as a JWK set (RFC 7517, RFC 8037).
    pub fn jwks(&self) -> Value {
        let keys: Vec<_> = self
            .verifying
            .iter()
            .map(|(kid, (_, x))| json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x }))
            .collect();
        json!({ "keys": keys })
    }
}

/// Whether the header names extensions that must be understood; none is (RFC 7515, 4.1.11).
fn has_crit(token: &str) -> bool {
    let header = token.split('.').next().and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header = header.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    header.is_none_or(|header| header.get("crit").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::seal::DataKey;
    use chrono::Duration;
    use uuid::Uuid;

    fn ring() -> KeyRing {
        let key = DataKey::new([1; 32]);
        let sealer = Sealer::new(&key, &[], &key);
        KeyRing::open(&[KeyRow::generate(&sealer, DateTime::UNIX_EPOCH)], &sealer).unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn token(ring: &KeyRing, config: &AuthConfig) -> String {
        ring.sign(config, UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)), now(), now() + Duration::minutes(15)).unwrap()
    }

    #[test]
    fn a_signed_token_verifies_until_it_expires() {
        let (ring, config) = (ring(), AuthConfig::default());
        let token = token(&ring, &config);
        assert_eq!(ring.verify(&config, &token, now()).unwrap().user_id, UserId(Uuid::from_u128(1)));
        assert!(matches!(ring.verify(&config, &token, now() + Duration::minutes(16)), Err(AuthError::Expired)));
        assert!(matches!(ring.verify(&config, &token, now() - Duration::minutes(1)), Err(AuthError::BadToken)));
    }

    #[test]
    fn audience_issuer_and_key_must_be_ours() {
        let (mine, config) = (ring(), AuthConfig::default());
        let token = token(&mine, &config);
        for other in [AuthConfig { audience: "x".into(), ..config.clone() }, AuthConfig { issuer: "x".into(), ..config.clone() }] {
            assert!(matches!(mine.verify(&other, &token, now()), Err(AuthError::BadToken)));
        }
        assert!(matches!(ring().verify(&config, &token, now()), Err(AuthError::UnknownKey)));
    }

    #[test]
    fn other_algorithms_types_and_critical_headers_are_refused() {
        let (ring, config) = (ring(), AuthConfig::default());
        let good = token(&ring, &config);
        let kid = &ring.signing.0;
        let [_, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
        for header in [
            json!({ "alg": "none", "typ": "at+jwt", "kid": kid }),
            json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid }),
            json!({ "alg": "EdDSA", "typ": "JWT", "kid": kid }),
            json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid, "crit": ["b64"] }),
            json!({ "alg": "EdDSA", "typ": "at+jwt" }),
        ] {
            let forged = format!("{}.{body}.{signature}", URL_SAFE_NO_PAD.encode(header.to_string()));
            assert!(ring.verify(&config, &forged, now()).is_err(), "{header}");
        }
        for bad in ["", "a.b.c", &good[..good.len() - 4], &good.replace('.', "")] {
            assert!(ring.verify(&config, bad, now()).is_err());
        }
    }
}
