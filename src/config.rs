//! Configuration: defaults, then a TOML file, then the environment. The later wins.
//!
//! Environment names are `DESKLESS_` and the path with two underscores: `DESKLESS_SERVER__LISTEN=0.0.0.0:8080`. `DATABASE_URL`
//! is honoured too. `deskless serve --print-config` shows the outcome with secrets masked.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use crate::http::Limits;
use crate::kernel::seal::{DataKey, Sealer, fill_random};

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the embedded database, its keys and sockets live.
    pub data_dir: PathBuf,
    /// Refuses everything that is only good for trying out: the embedded database, generated keys.
    pub production: bool,
    /// HTTP.
    pub server: ServerConfig,
    /// PostgreSQL.
    pub database: DatabaseConfig,
    /// Sign-in and tokens.
    pub auth: AuthConfig,
    /// Bounds of the transport.
    pub limits: Limits,
    /// Bodies of the channel doors.
    pub channels: ChannelsConfig,
    /// The payment partner.
    pub payments: PaymentsConfig,
    /// Logging.
    pub log: LogConfig,
}

/// HTTP.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Origins (scheme://host:port) other than the server's own that browsers may connect from.
    pub allowed_origins: Vec<String>,
}

/// PostgreSQL.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `postgres://…`; without it the embedded server is started in `data_dir`.
    #[serde(serialize_with = "masked_option")]
    pub url: Option<String>,
    /// Connections in the pool.
    pub max_connections: u32,
    /// Milliseconds to wait for a free connection.
    pub acquire_timeout_ms: u64,
    /// Milliseconds after which a statement is cut.
    pub statement_timeout_ms: u64,
    /// Apply migrations at the start.
    pub migrate: bool,
}

/// Sign-in and tokens.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// `iss` of the access tokens.
    pub issuer: String,
    /// `aud` of the access tokens.
    pub audience: String,
    /// Life of an access token, in seconds. At most 3600.
    pub access_seconds: i64,
    /// Life of a session without use, in days.
    pub refresh_days: i64,
    /// Failed sign-ins per minute and login or address before more are refused.
    pub sign_in_attempts_per_minute: i64,
    /// 32 bytes in base64 that seal personal data. Made and kept in `data_dir/keys` when absent (not in production).
    #[serde(serialize_with = "masked_option")]
    pub data_key: Option<String>,
    /// Older data keys, still able to open what they sealed.
    #[serde(serialize_with = "masked_list")]
    pub older_data_keys: Vec<String>,
    /// 32 bytes in base64 for the blind indexes. Never rotated without re-indexing.
    #[serde(serialize_with = "masked_option")]
    pub index_key: Option<String>,
}

/// Bodies of the channel doors.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelsConfig {
    /// Bytes of an ADF lead or an event batch, after inflation.
    pub body_bytes: usize,
    /// Bytes of an inventory feed, after inflation.
    pub feed_bytes: u64,
}

/// The payment partner, see docs/PARTNERS.md.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentsConfig {
    /// Base address, such as `https://payments.example.com`. Without it no deposits are taken.
    pub url: Option<String>,
    /// The key sent as a bearer token.
    #[serde(serialize_with = "masked_option")]
    pub key: Option<String>,
    /// Milliseconds until an answer must have come. Less than a GraphQL operation may take.
    pub timeout_ms: u64,
}

/// Logging.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `tracing` filter, such as `info` or `deskless=debug,info`.
    pub filter: String,
    /// One JSON object per line instead of text for people.
    pub json: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from(".deskless"),
            production: false,
            server: ServerConfig::default(),
            database: DatabaseConfig::default(),
            auth: AuthConfig::default(),
            limits: Limits::default(),
            channels: ChannelsConfig::default(),
            payments: PaymentsConfig::default(),
            log: LogConfig::default(),
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)), allowed_origins: Vec::new() }
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: None, max_connections: 16, acquire_timeout_ms: 2_000, statement_timeout_ms: 4_000, migrate: true }
    }
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            issuer: "deskless".into(),
            audience: "deskless-api".into(),
            access_seconds: 15 * 60,
            refresh_days: 14,
            sign_in_attempts_per_minute: 10,
            data_key: None,
            older_data_keys: Vec::new(),
            index_key: None,
        }
    }
}

impl Default for ChannelsConfig {
    fn default() -> Self {
        Self { body_bytes: 1024 * 1024, feed_bytes: 1024 * 1024 * 1024 }
    }
}

impl Default for PaymentsConfig {
    fn default() -> Self {
        Self { url: None, key: None, timeout_ms: 2_500 }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info,sqlx=warn".into(), json: false }
    }
}

/// Why the configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file or an environment variable is wrong.
    #[error("configuration: {0}")]
    Read(#[from] config::ConfigError),
    /// A value is out of its bounds.
    #[error("configuration: {0}")]
    Invalid(String),
    /// The key file could not be read or written.
    #[error("key file {path}: {source}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Environment variables that begin like ours but are read elsewhere: by the command line, by the search for PostgreSQL's
/// programs, by the example clients and the tests.
const NOT_CONFIGURATION: &[&str] = &[
    "DESKLESS_CONFIG",
    "DESKLESS_PG_BIN",
    "DESKLESS_BIN",
    "DESKLESS_URL",
    "DESKLESS_LOGIN",
    "DESKLESS_SALES_LOGIN",
    "DESKLESS_PASSWORD",
    "DESKLESS_CHAOS",
    "DESKLESS_TEST_CHILD_DIR",
];

impl Config {
    /// Reads the file (if given) and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(path) = file {
            builder = builder.add_source(config::File::from(path).format(config::FileFormat::Toml).required(true));
        }
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let environment = config::Environment::with_prefix("DESKLESS")
            .source(Some(variables.filter(|(name, _)| !NOT_CONFIGURATION.contains(&name.as_str())).collect()))
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("server.allowed_origins")
            .with_list_parse_key("auth.older_data_keys");
        let mut config: Self = builder.add_source(environment).build()?.try_deserialize()?;
        if config.database.url.is_none() {
            config.database.url = std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
        }
        config.check()?;
        Ok(config)
    }

    /// This configuration with the demands of production checked.
    pub fn for_production(mut self) -> Result<Self, ConfigError> {
        self.production = true;
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |text: &str| Err(ConfigError::Invalid(text.to_owned()));
        if !(10..=3600).contains(&self.auth.access_seconds) {
            return wrong("auth.access_seconds must be from 10 to 3600");
        }
        if !(1..=90).contains(&self.auth.refresh_days) {
            return wrong("auth.refresh_days must be from 1 to 90");
        }
        if self.production && self.database.url.is_none() {
            return wrong("production needs an external PostgreSQL: set DATABASE_URL (the embedded database is for trying out)");
        }
        if self.production && (self.auth.data_key.is_none() || self.auth.index_key.is_none()) {
            return wrong(
                "production needs auth.data_key and auth.index_key (each 32 bytes in base64): set DESKLESS_AUTH__DATA_KEY and DESKLESS_AUTH__INDEX_KEY; `deskless keys new` prints fresh ones",
            );
        }
        Ok(())
    }

    /// The sealer of personal data. Without configured keys, keys are made once and kept in `data_dir/keys`.
    pub fn sealer(&self) -> Result<Sealer, ConfigError> {
        let current = self.key("auth.data_key", self.auth.data_key.as_deref(), "data.key")?;
        let index = self.key("auth.index_key", self.auth.index_key.as_deref(), "index.key")?;
        let older = self.auth.older_data_keys.iter().map(|text| parse_key("auth.older_data_keys", text)).collect::<Result<Vec<_>, _>>()?;
        Ok(Sealer::new(&current, &older, &index))
    }

    fn key(&self, name: &str, configured: Option<&str>, file: &str) -> Result<DataKey, ConfigError> {
        if let Some(text) = configured {
            return parse_key(name, text);
        }
        let path = self.data_dir.join("keys").join(file);
        let failed = |source| ConfigError::KeyFile { path: path.clone(), source };
        match std::fs::read_to_string(&path) {
            Ok(text) => parse_key(name, text.trim()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let text = new_key();
                write_private(&path, &text).map_err(failed)?;
                // Another process may have been first: what is on disk counts.
                parse_key(name, std::fs::read_to_string(&path).map_err(failed)?.trim())
            }
            Err(e) => Err(failed(e)),
        }
    }
}

/// A fresh random key in base64.
pub fn new_key() -> String {
    let mut bytes = [0_u8; 32];
    fill_random(&mut bytes);
    STANDARD.encode(bytes)
}

fn parse_key(name: &str, text: &str) -> Result<DataKey, ConfigError> {
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.map(DataKey::new).ok_or_else(|| ConfigError::Invalid(format!("{name} must be 32 bytes in base64")))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}

/// Shows the configuration as TOML with secrets masked.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&toml::to_string_pretty(self).map_err(|_| fmt::Error)?)
    }
}

const MASK: &str = "********";

// serde asks for a reference to the field, so `&Option` it is.
#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn masked_option<S: Serializer>(value: &Option<String>, s: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(_) => s.serialize_some(MASK),
        None => s.serialize_none(),
    }
}

fn masked_list<S: Serializer>(values: &[String], s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(values.iter().map(|_| MASK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_masks_every_secret() {
        let mut config = Config::default();
        config.database.url = Some("postgres://u:hunter2@h/d".into());
        config.auth.data_key = Some("c2VjcmV0".into());
        config.auth.older_data_keys = vec!["b2xk".into()];
        let shown = config.to_string();
        assert!(!shown.contains("hunter2") && !shown.contains("c2VjcmV0") && !shown.contains("b2xk"), "{shown}");
        assert!(shown.contains(MASK) && shown.contains("listen"));
    }

    #[test]
    fn production_refuses_the_embedded_database_and_made_up_keys() {
        let mut config = Config { production: true, ..Config::default() };
        assert!(config.check().is_err_and(|e| e.to_string().contains("DATABASE_URL")));
        config.database.url = Some("postgres://h/d".into());
        assert!(config.check().is_err_and(|e| e.to_string().contains("data_key")));
        config.auth.data_key = Some(new_key());
        config.auth.index_key = Some(new_key());
        assert!(config.check().is_ok());
    }

    #[test]
    fn keys_must_be_thirty_two_bytes() {
        assert!(parse_key("k", &new_key()).is_ok());
        assert!(parse_key("k", "c2hvcnQ=").is_err() && parse_key("k", "not base64!").is_err());
    }
}
