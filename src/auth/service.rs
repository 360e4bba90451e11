//! Signing in, refreshing, signing out, and telling who acts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

use super::actor::{Actor, ActorKind, Role};
use super::keys::{KeyRing, KeyRow};
use super::{password, store};
use crate::config::AuthConfig;
use crate::db::notices::{Notices, Signal, Subject};
use crate::db::{By, ConstraintExt, Db, DbError, Tx};
use crate::kernel::id::{GroupId, SessionId, StoreId, UserId};
use crate::kernel::seal::{Sealer, fill_random, sha256};

/// What a machine's key begins with.
pub const MACHINE_KEY_PREFIX: &str = "dk_";
const REFRESH_PREFIX: &str = "rt_";
/// How long a session is believed without asking the database again. An end is announced and heard at once; this bounds
/// the delay when the announcement is lost.
const BELIEVE_SECONDS: i64 = 2;
/// Sessions and keys remembered at most.
const REMEMBER_MAX: usize = 10_000;

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Login or password is wrong. Which of the two is not told.
    #[error("login or password is wrong")]
    WrongCredentials,
    /// Too many failed attempts.
    #[error("too many attempts; wait a minute")]
    Throttled,
    /// The token is malformed, forged or not for us.
    #[error("the token is not valid")]
    BadToken,
    /// Signed by a key this server does not know.
    #[error("the token is not valid")]
    UnknownKey,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The session has ended.
    #[error("the session has ended; sign in again")]
    SessionEnded,
    /// A password that is too short or too long.
    #[error("a password has 12 to 256 characters")]
    WeakPassword,
    /// The login is in use.
    #[error("this login is taken")]
    LoginTaken,
    /// No such user.
    #[error("there is no such user")]
    NoSuchUser,
    /// The machine is too busy to hash passwords.
    #[error("busy")]
    Busy,
    /// The signing keys cannot be used.
    #[error("signing keys: {0}")]
    Keys(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What a sign-in or refresh gives.
#[derive(Clone)]
pub struct Tokens {
    /// Send as `Authorization: Bearer …`.
    pub access: String,
    /// When the access token ends.
    pub access_expires_at: DateTime<Utc>,
    /// Exchange it once for new tokens.
    pub refresh: String,
    /// When the session ends without a refresh.
    pub refresh_expires_at: DateTime<Utc>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// Who acts, and until when this is certain.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The actor.
    pub actor: Arc<Actor>,
    /// When the access token ends; none for a machine's key.
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Credential {
    Session(SessionId),
    Key([u8; 32]),
}

type Remembered = HashMap<Credential, (Arc<Actor>, DateTime<Utc>)>;

/// Sign-in and tokens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Auth {
    db: Db,
    config: Arc<AuthConfig>,
    sealer: Arc<Sealer>,
    ring: Arc<RwLock<Arc<KeyRing>>>,
    remembered: Arc<Mutex<Remembered>>,
    verified: Arc<Mutex<HashMap<String, super::keys::Verified>>>,
    reloaded_at: Arc<Mutex<Option<DateTime<Utc>>>>,
}

impl Auth {
    /// Opens the signing keys (making the first one) and listens for ended sessions.
    pub async fn start(db: Db, config: AuthConfig, sealer: Arc<Sealer>, notices: &Notices) -> Result<Self, AuthError> {
        let ring = Arc::new(first_ring(&db, &sealer).await?);
        let auth = Self {
            db,
            config: Arc::new(config),
            sealer,
            ring: Arc::new(RwLock::new(ring)),
            remembered: Arc::default(),
            verified: Arc::default(),
            reloaded_at: Arc::default(),
        };
        let (listener, mut signals) = (auth.clone(), notices.subscribe());
        tokio::spawn(async move {
            loop {
                match signals.recv().await {
                    Ok(Signal::Changed(notice)) if notice.subject == Subject::Session => {
                        listener.forget(&Credential::Session(SessionId(notice.subject_id)));
                    }
                    Ok(Signal::Changed(notice)) if notice.subject == Subject::User => listener.forget_all(),
                    Ok(Signal::Resync) | Err(RecvError::Lagged(_)) => listener.forget_all(),
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        Ok(auth)
    }

    /// Checks login and password and opens a session.
    pub async fn sign_in(
        &self,
        login: &str,
        password: String,
        device: Option<&str>,
        address: &str,
        by: By,
    ) -> Result<(Tokens, Arc<Actor>), AuthError> {
        let login = login.trim().to_lowercase();
        let now = self.db.now();
        {
            let mut conn = self.db.read().await?;
            let failures = store::failures_since(&mut conn, &login, address, now - Duration::minutes(1)).await?;
            if failures >= self.config.sign_in_attempts_per_minute {
                return Err(AuthError::Throttled);
            }
        }
        let found = store::password_of(&mut *self.db.read().await?, &login).await?;
        let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), Some(hash)));
        let fits = password::verify(password, hash).await?;
        let mut tx = self.db.begin(By { user_id: user.filter(|_| fits).map(|u| u.0), ..by }).await?;
        store::record_attempt(tx.conn(), &login, address, fits, now).await?;
        let Some(user) = user.filter(|_| fits) else {
            tx.commit().await?;
            return Err(AuthError::WrongCredentials);
        };
        let session: SessionId = self.db.new_id();
        let refresh_expires_at = now + Duration::days(self.config.refresh_days);
        store::insert_session(tx.conn(), session, user, device, now, refresh_expires_at).await?;
        let tokens = self.give_tokens(&mut tx, user, session, None).await?;
        let actor = user_of_session(&mut tx, session).await?;
        tx.commit().await?;
        Ok((tokens, actor))
    }

    /// Exchanges a refresh token. A token that was exchanged before gives new ones once more while none of its successors
    /// was used (the answer was lost); otherwise two parties hold it, and the session ends.
    pub async fn refresh(&self, token: &str, by: By) -> Result<(Tokens, Arc<Actor>), AuthError> {
        let hash = token.starts_with(REFRESH_PREFIX).then(|| sha256(token.as_bytes())).ok_or(AuthError::BadToken)?;
        let mut tx = self.db.begin(by).await?;
        let now = tx.now();
        let row = store::lock_refresh(tx.conn(), &hash).await?.ok_or(AuthError::BadToken)?;
        if row.session_ended || row.user_disabled || row.expires_at <= now {
            return Err(AuthError::SessionEnded);
        }
        if row.superseded_at.is_some() || (row.used_at.is_some() && row.successor_used) {
            self.end(&mut tx, row.session_id, "REFRESH_REUSED").await?;
            tx.commit().await?;
            tracing::warn!(session = %row.session_id, "a refresh token was used twice; the session is ended");
            return Err(AuthError::SessionEnded);
        }
        store::exchange_refresh(tx.conn(), &hash, now).await?;
        store::extend_session(tx.conn(), row.session_id, now + Duration::days(self.config.refresh_days)).await?;
        let tokens = self.give_tokens(&mut tx, row.user_id, row.session_id, Some(&hash)).await?;
        let actor = user_of_session(&mut tx, row.session_id).await?;
        tx.commit().await?;
        Ok((tokens, actor))
    }

    /// Ends the actor's session at once, on every server.
    pub async fn sign_out(&self, actor: &Actor, by: By) -> Result<(), AuthError> {
        let Some(session) = actor.session_id() else { return Ok(()) };
        let mut tx = self.db.begin(by).await?;
        self.end(&mut tx, session, "SIGNED_OUT").await?;
        tx.commit().await?;
        self.forget(&Credential::Session(session));
        Ok(())
    }

    /// Who presents this bearer token: an access token, or a machine's key.
    pub async fn authenticate(&self, bearer: &str) -> Result<Authenticated, AuthError> {
        let now = self.db.now();
        if bearer.starts_with(MACHINE_KEY_PREFIX) {
            let credential = Credential::Key(sha256(bearer.as_bytes()));
            return Ok(Authenticated { actor: self.known(credential, now).await?, expires_at: None });
        }
        let verified = self.verified_before(bearer, now)?;
        let verified = match verified {
            Some(verified) => verified,
            None => self.verify(bearer, now).await?,
        };
        let actor = self.known(Credential::Session(verified.session_id), now).await?;
        if actor.user_id() != verified.user_id {
            return Err(AuthError::BadToken);
        }
        Ok(Authenticated { actor, expires_at: Some(verified.expires_at) })
    }

    /// The public keys, for `/.well-known/jwks.json`.
    pub fn jwks(&self) -> serde_json::Value {
        self.ring().jwks()
    }

    /// Signs from now on with a fresh key; keys older than the longest life of a token stop verifying.
    pub async fn rotate_keys(&self) -> Result<(), AuthError> {
        let mut tx = self.db.begin(By::system()).await?;
        let now = tx.now();
        store::lock_signing_keys(tx.conn()).await?;
        store::retire_signing_keys(tx.conn(), now - Duration::seconds(self.config.access_seconds) - Duration::minutes(1), now).await?;
        store::insert_signing_key(tx.conn(), &KeyRow::generate(&self.sealer, now), now).await?;
        tx.commit().await?;
        self.reload_keys().await
    }

    /// Adds a person. For the command line and the demo.
    pub async fn create_person(
        &self,
        group: GroupId,
        login: &str,
        name: &str,
        password: String,
        roles: &[(StoreId, Role)],
    ) -> Result<UserId, AuthError> {
        let hash = password::hash(password).await?;
        self.create(group, ActorKind::Person, login, name, Some(&hash), None, roles).await
    }

    /// Adds a machine and gives its key, which is not kept.
    pub async fn create_machine(
        &self,
        group: GroupId,
        login: &str,
        name: &str,
        roles: &[(StoreId, Role)],
    ) -> Result<(UserId, String), AuthError> {
        let key = random_token(MACHINE_KEY_PREFIX);
        let id = self.create(group, ActorKind::Machine, login, name, None, Some(&sha256(key.as_bytes())), roles).await?;
        Ok((id, key))
    }

    /// Disables a user and ends their sessions at once.
    pub async fn disable(&self, login: &str) -> Result<(), AuthError> {
        let mut tx = self.db.begin(By::system()).await?;
        let now = tx.now();
        let user = store::disable_user(tx.conn(), &login.to_lowercase(), now).await?.ok_or(AuthError::NoSuchUser)?;
        for session in store::end_sessions_of(tx.conn(), user, "USER_DISABLED", now).await? {
            tx.notify(Uuid::nil(), Subject::Session, session.0, 0);
        }
        tx.notify(Uuid::nil(), Subject::User, user.0, 0);
        tx.commit().await?;
        self.forget_all();
        Ok(())
    }

    /// Removes sign-in attempts older than a day and sessions that ended a month ago.
    pub async fn sweep(&self) -> Result<(), AuthError> {
        let now = self.db.now();
        store::sweep(&mut *self.db.read().await?, now - Duration::days(1), now - Duration::days(30)).await?;
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one private constructor for both kinds of user")]
    async fn create(
        &self,
        group: GroupId,
        kind: ActorKind,
        login: &str,
        name: &str,
        password_hash: Option<&str>,
        key_hash: Option<&[u8]>,
        roles: &[(StoreId, Role)],
    ) -> Result<UserId, AuthError> {
        let id: UserId = self.db.new_id();
        let mut tx = self.db.begin(By::system()).await?;
        let now = tx.now();
        store::insert_user(tx.conn(), id, group, kind, &login.trim().to_lowercase(), name, password_hash, key_hash, now)
            .await
            .on_constraint("app_user_login_key", |_| AuthError::LoginTaken)?;
        for (store, role) in roles {
            store::grant(tx.conn(), id, *store, *role).await?;
        }
        tx.commit().await?;
        Ok(id)
    }

    async fn give_tokens(&self, tx: &mut Tx, user: UserId, session: SessionId, parent: Option<&[u8]>) -> Result<Tokens, AuthError> {
        let now = tx.now();
        let (access_expires_at, refresh_expires_at) =
            (now + Duration::seconds(self.config.access_seconds), now + Duration::days(self.config.refresh_days));
        let refresh = random_token(REFRESH_PREFIX);
        store::insert_refresh(tx.conn(), &sha256(refresh.as_bytes()), session, parent, now, refresh_expires_at).await?;
        let access = self.ring().sign(&self.config, user, session, now, access_expires_at)?;
        Ok(Tokens { access, access_expires_at, refresh, refresh_expires_at })
    }

    async fn end(&self, tx: &mut Tx, session: SessionId, reason: &str) -> Result<(), AuthError> {
        let now = tx.now();
        if store::end_session(tx.conn(), session, reason, now).await? {
            tx.notify(Uuid::nil(), Subject::Session, session.0, 0);
        }
        Ok(())
    }

    async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<super::keys::Verified, AuthError> {
        let verified = match self.ring().verify(&self.config, token, now) {
            // Another server may have rotated the keys since. Forged tokens name unknown keys too: they must not keep the
            // database busy.
            Err(AuthError::UnknownKey) if self.may_reload(now) => {
                self.reload_keys().await?;
                self.ring().verify(&self.config, token, now)
            }
            other => other,
        }?;
        if let Ok(mut known) = self.verified.lock() {
            if known.len() >= REMEMBER_MAX {
                known.clear();
            }
            known.insert(token.to_owned(), verified);
        }
        Ok(verified)
    }

    /// A token whose signature was checked before, letter by letter the same: only its time is looked at again. Checking an
    /// Ed25519 signature costs more than a small query.
    fn verified_before(&self, token: &str, now: DateTime<Utc>) -> Result<Option<super::keys::Verified>, AuthError> {
        let Ok(mut known) = self.verified.lock() else { return Ok(None) };
        let Some(verified) = known.get(token).copied() else { return Ok(None) };
        if verified.expires_at <= now {
            known.remove(token);
            return Err(AuthError::Expired);
        }
        Ok(Some(verified))
    }

    async fn known(&self, credential: Credential, now: DateTime<Utc>) -> Result<Arc<Actor>, AuthError> {
        match self.look_up(credential.clone(), now).await {
            // The connection was cut: with a fresh one nobody notices.
            Err(AuthError::Db(error)) if error.is_cut() => {
                self.db.suspect_connections();
                self.look_up(credential, now).await
            }
            outcome => outcome,
        }
    }

    async fn look_up(&self, credential: Credential, now: DateTime<Utc>) -> Result<Arc<Actor>, AuthError> {
        if let Ok(remembered) = self.remembered.lock()
            && let Some((actor, asked_at)) = remembered.get(&credential)
            && now - *asked_at < Duration::seconds(BELIEVE_SECONDS)
        {
            return Ok(Arc::clone(actor));
        }
        let mut conn = self.db.read().await?;
        let (row, session) = match &credential {
            Credential::Session(id) => (store::user_of_session(&mut conn, *id, now).await?, Some(*id)),
            Credential::Key(hash) => (store::user_of_key(&mut conn, hash).await?, None),
        };
        drop(conn);
        let Some(row) = row else {
            self.forget(&credential);
            return Err(if session.is_some() { AuthError::SessionEnded } else { AuthError::BadToken });
        };
        let actor = Arc::new(actor_of(row, session));
        if let Ok(mut remembered) = self.remembered.lock() {
            if remembered.len() >= REMEMBER_MAX {
                remembered.retain(|_, (_, asked_at)| now - *asked_at < Duration::seconds(BELIEVE_SECONDS));
            }
            remembered.insert(credential, (Arc::clone(&actor), now));
        }
        Ok(actor)
    }

    fn forget(&self, credential: &Credential) {
        if let Ok(mut remembered) = self.remembered.lock() {
            remembered.remove(credential);
        }
    }

    fn forget_all(&self) {
        if let Ok(mut remembered) = self.remembered.lock() {
            remembered.clear();
        }
    }

    #[expect(clippy::expect_used, reason = "the lock is held for a pointer copy that cannot panic")]
    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().expect("not poisoned"))
    }

    /// True at most once a second.
    fn may_reload(&self, now: DateTime<Utc>) -> bool {
        let Ok(mut last) = self.reloaded_at.lock() else { return false };
        let due = last.is_none_or(|at| now - at >= Duration::seconds(1) || now < at);
        if due {
            *last = Some(now);
        }
        due
    }

    async fn reload_keys(&self) -> Result<(), AuthError> {
        let rows = store::signing_keys(&mut *self.db.read().await?).await?;
        let fresh = Arc::new(KeyRing::open(&rows, &self.sealer)?);
        if let Ok(mut slot) = self.ring.write() {
            *slot = fresh;
        }
        // What a retired key has signed must not be believed longer.
        if let Ok(mut known) = self.verified.lock() {
            known.clear();
        }
        Ok(())
    }
}

async fn user_of_session(tx: &mut Tx, session: SessionId) -> Result<Arc<Actor>, AuthError> {
    let now = tx.now();
    let row = store::user_of_session(tx.conn(), session, now).await?.ok_or(AuthError::SessionEnded)?;
    Ok(Arc::new(actor_of(row, Some(session))))
}

fn actor_of(row: store::UserRow, session_id: Option<SessionId>) -> Actor {
    Actor {
        user_id: row.user_id,
        group_id: row.group_id,
        kind: row.kind,
        session_id,
        display_name: row.display_name,
        roles: row.roles.into_iter().collect(),
    }
}

async fn first_ring(db: &Db, sealer: &Sealer) -> Result<KeyRing, AuthError> {
    let mut rows = store::signing_keys(&mut *db.read().await?).await?;
    if rows.is_empty() {
        let mut tx = db.begin(By::system()).await?;
        let now = tx.now();
        store::lock_signing_keys(tx.conn()).await?;
        rows = store::signing_keys(tx.conn()).await?;
        if rows.is_empty() {
            let key = KeyRow::generate(sealer, now);
            store::insert_signing_key(tx.conn(), &key, now).await?;
            rows.push(key);
        }
        tx.commit().await?;
    }
    KeyRing::open(&rows, sealer)
}

fn random_token(prefix: &str) -> String {
    let mut bytes = [0_u8; 32];
    fill_random(&mut bytes);
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))
}
