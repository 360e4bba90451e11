//! The cluster's directory: where everything lies, who may use it, how it is made.

use std::fs::{File, TryLockError};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::account::Account;
use super::binaries::Binaries;
use super::{Durability, EmbeddedError, SUPERUSER};

/// A socket's path has at most 107 bytes.
const SOCKET_PATH_LIMIT: usize = 107;
/// How long to wait for another process that is starting or stopping the server.
const LOCK_PATIENCE: Duration = Duration::from_secs(90);

/// `DATA_DIR/db` and what is in it.
#[derive(Debug, Clone)]
pub(super) struct Home {
    dir: PathBuf,
    pub(super) account: Account,
}

impl Home {
    /// Makes `data_dir/db` where needed.
    pub(super) fn open(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let account = Account::for_server()?;
        // The server's account must be able to pass through; it cannot list what is there.
        let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
        std::fs::DirBuilder::new().recursive(true).mode(mode).create(data_dir).map_err(|e| EmbeddedError::io("create", data_dir, e))?;
        let data_dir = data_dir.canonicalize().map_err(|e| EmbeddedError::io("find", data_dir, e))?;
        let dir = match account.blocked_at(&data_dir) {
            None => data_dir.join("db"),
            Some(_) => elsewhere(&data_dir)?.join("db"),
        };
        account.private_dir(&dir)?;
        Ok(Self { dir, account })
    }

    /// The directory of everything of the cluster.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// PostgreSQL's own data directory.
    pub(super) fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// What the server says.
    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("server.log")
    }

    /// The directory of the socket: here, or a short one when the path here is too long for a socket.
    pub(super) fn socket_dir(&self) -> PathBuf {
        let here = self.dir.join("run");
        let longest_file = "/.s.PGSQL.5432".len();
        if here.as_os_str().len() + longest_file <= SOCKET_PATH_LIMIT {
            return here;
        }
        Path::new("/tmp").join(format!("deskless-{}", short_name(&self.dir)))
    }

    /// Held while the server is started or stopped.
    pub(super) fn lock_start(&self) -> Result<File, EmbeddedError> {
        let file = self.lock_file("start.lock")?;
        let since = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if since.elapsed() < LOCK_PATIENCE => std::thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::WouldBlock) => return Err(EmbeddedError::Busy(self.dir.clone())),
                Err(TryLockError::Error(error)) => return Err(EmbeddedError::io("lock", &self.dir, error)),
            }
        }
    }

    /// Held by every process that uses the server, for as long as it does. The system frees it even after kill -9.
    pub(super) fn lock_use(&self) -> Result<File, EmbeddedError> {
        let file = self.lock_file("users.lock")?;
        file.lock_shared().map_err(|e| EmbeddedError::io("lock", &self.dir, e))?;
        Ok(file)
    }

    /// Whether nobody uses the server. Ask only while holding [`Home::lock_start`], or the answer is old already.
    pub(super) fn is_unused(&self) -> bool {
        self.lock_file("users.lock").is_ok_and(|file| file.try_lock().is_ok())
    }

    fn lock_file(&self, name: &str) -> Result<File, EmbeddedError> {
        let path = self.dir.join(name);
        File::options().create(true).truncate(false).write(true).open(&path).map_err(|e| EmbeddedError::io("open", &path, e))
    }

    /// The major version of the data directory, if there is one.
    pub(super) fn existing_major(&self) -> Result<Option<u32>, EmbeddedError> {
        let file = self.data().join("PG_VERSION");
        match std::fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| EmbeddedError::Damaged(self.data())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !self.data().exists() => Ok(None),
            Err(_) => Err(EmbeddedError::Damaged(self.data())),
        }
    }

    /// Makes the data directory under a temporary name and renames it, so that a half-made one is never taken for whole.
    pub(super) fn initialise(&self, binaries: &Binaries, durability: Durability) -> Result<(), EmbeddedError> {
        let fresh = self.dir.join("data.new");
        remove_dir(&fresh)?;
        let mut outcome = self.initdb(binaries, durability, &fresh, binaries.major >= 17, "C.UTF-8")?;
        if outcome.is_err() {
            // Some systems have no locale of that name. In "C" only ASCII letters have cases; everything else is the same.
            remove_dir(&fresh)?;
            outcome = self.initdb(binaries, durability, &fresh, false, "C")?;
        }
        outcome.map_err(|said| EmbeddedError::Initdb { said })?;
        // No network rules at all; the socket lies in a directory that only the server's account may enter.
        let hba = fresh.join("pg_hba.conf");
        std::fs::write(&hba, "local all all trust\n").map_err(|e| EmbeddedError::io("write", &hba, e))?;
        let parent = File::open(&self.dir).map_err(|e| EmbeddedError::io("open", &self.dir, e))?;
        std::fs::rename(&fresh, self.data()).map_err(|e| EmbeddedError::io("rename", &fresh, e))?;
        parent.sync_all().map_err(|e| EmbeddedError::io("write", &self.dir, e))
    }

    fn initdb(
        &self,
        binaries: &Binaries,
        durability: Durability,
        into: &Path,
        builtin_locale: bool,
        locale: &str,
    ) -> Result<Result<(), String>, EmbeddedError> {
        let mut command = Command::new(binaries.initdb());
        command.arg("-D").arg(into).args(["-U", SUPERUSER, "-E", "UTF8", "-T", "simple", "-A", "trust", "--data-checksums"]);
        if builtin_locale {
            // The same order and the same letter cases on every system, whatever its C library.
            command.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]);
        } else {
            command.arg(format!("--locale={locale}"));
        }
        if durability == Durability::Throwaway {
            command.arg("--no-sync");
        }
        plain_environment(&mut command);
        self.account.apply(&mut command);
        let output = command.output().map_err(|e| EmbeddedError::io("run", &binaries.initdb(), e))?;
        Ok(if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) })
    }

    /// The log, opened for appending; begun anew when it has grown large.
    pub(super) fn open_log(&self) -> Result<File, EmbeddedError> {
        let path = self.log();
        let large = std::fs::metadata(&path).is_ok_and(|meta| meta.len() > 8 << 20);
        if large {
            let _ = std::fs::rename(&path, self.dir.join("server.log.old"));
        }
        let file = File::options().create(true).append(true).open(&path).map_err(|e| EmbeddedError::io("open", &path, e))?;
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
        Ok(file)
    }

    /// Forgets everything. Only for a throwaway cluster that cannot be started any more.
    pub(super) fn wipe(&self) -> Result<(), EmbeddedError> {
        remove_dir(&self.data())
    }
}

/// As root, in a data directory that the server's account may not enter (root's home, say): the database lies where it may.
fn elsewhere(data_dir: &Path) -> Result<PathBuf, EmbeddedError> {
    let dir = super::default_data_dir().join("clusters").join(short_name(data_dir));
    std::fs::DirBuilder::new().recursive(true).mode(0o711).create(&dir).map_err(|e| EmbeddedError::io("create", &dir, e))?;
    tracing::info!(dir = %dir.display(), "the database server's account may not enter the data directory; its files are elsewhere");
    Ok(dir)
}

/// A short name for a path, the same at every start.
fn short_name(path: &Path) -> String {
    let digest = crate::kernel::seal::sha256(path.as_os_str().as_bytes());
    digest.iter().take(8).fold(String::new(), |name, byte| format!("{name}{byte:02x}"))
}

/// The server sees nothing of our environment: no locale, no time zone, no `PG…` settings.
pub(super) fn plain_environment(command: &mut Command) {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    command.env_clear().env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC");
}

fn remove_dir(dir: &Path) -> Result<(), EmbeddedError> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(EmbeddedError::io("remove", dir, error)),
        _ => Ok(()),
    }
}
