//! PostgreSQL refuses to run as root. When we are root, its files and processes belong to an account without rights.

use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::EmbeddedError;

/// Who the server runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    uid: u32,
    gid: u32,
    /// We are root and the server is not.
    drop_rights: bool,
}

impl Account {
    /// This process' own account, or `postgres`, else `nobody`, when it is root's.
    pub(super) fn for_server() -> Result<Self, EmbeddedError> {
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        if !uid.is_root() {
            return Ok(Self { uid: uid.as_raw(), gid: gid.as_raw(), drop_rights: false });
        }
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let account = ["postgres", "nobody"].iter().find_map(|name| look_up(&passwd, name));
        let (uid, gid) = account.ok_or(EmbeddedError::NoAccount)?;
        Ok(Self { uid, gid, drop_rights: true })
    }

    /// Lets `command` run as this account.
    pub(super) fn apply(self, command: &mut Command) {
        if self.drop_rights {
            command.uid(self.uid).gid(self.gid);
        }
        // Where we are may be closed to the server's account.
        command.current_dir("/");
    }

    /// Makes `dir`, closed to everybody but this account, or checks that it is so already.
    pub(super) fn private_dir(self, dir: &Path) -> Result<(), EmbeddedError> {
        match std::fs::DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => self.give(dir),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                // Somebody else may have made it first, to listen in. Links are not followed.
                let meta = std::fs::symlink_metadata(dir).map_err(|e| EmbeddedError::io("look at", dir, e))?;
                // Root's own is one that another starter has just made and is about to give away.
                let ungiven = self.drop_rights && meta.uid() == 0;
                if !meta.is_dir() || !(meta.uid() == self.uid || ungiven) || meta.permissions().mode() & 0o077 != 0 {
                    return Err(EmbeddedError::NotPrivate(dir.to_owned()));
                }
                if ungiven { self.give(dir) } else { Ok(()) }
            }
            Err(error) => Err(EmbeddedError::io("create", dir, error)),
        }
    }

    /// Hands a file or directory to this account.
    pub(super) fn give(self, path: &Path) -> Result<(), EmbeddedError> {
        if self.drop_rights {
            chown(path, Some(self.uid), Some(self.gid)).map_err(|e| EmbeddedError::io("hand over", path, e))?;
        }
        Ok(())
    }

    /// Finds the first directory on the way to `path` that this account may not enter.
    pub(super) fn blocked_at(self, path: &Path) -> Option<PathBuf> {
        if !self.drop_rights {
            return None;
        }
        let blocked = |dir: &&Path| {
            std::fs::metadata(dir).is_ok_and(|meta| {
                let shift = if meta.uid() == self.uid {
                    6
                } else if meta.gid() == self.gid {
                    3
                } else {
                    0
                };
                (meta.mode() >> shift) & 0o1 == 0
            })
        };
        let mut dirs: Vec<&Path> = path.ancestors().collect();
        dirs.reverse();
        dirs.iter().find(|dir| blocked(dir)).map(|dir| (*dir).to_owned())
    }
}

/// `name:x:uid:gid:…` of the account file.
fn look_up(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_an_account_by_its_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres2:x:9:9::/:/bin/sh\npostgres:x:104:112:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(look_up(passwd, "postgres"), Some((104, 112)));
        assert_eq!(look_up(passwd, "nobody"), None);
        assert_eq!(look_up("nobody:x:many:1::", "nobody"), None);
    }

    #[test]
    fn a_directory_open_to_others_is_not_taken_for_private() {
        let account = Account::for_server().unwrap();
        let dir = std::env::temp_dir().join(format!("deskless-private-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        account.private_dir(&dir).unwrap();
        account.private_dir(&dir).unwrap();
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(account.private_dir(&dir), Err(EmbeddedError::NotPrivate(_))));
        std::fs::remove_dir_all(&dir).unwrap();
        std::os::unix::fs::symlink("/tmp", &dir).unwrap();
        assert!(matches!(account.private_dir(&dir), Err(EmbeddedError::NotPrivate(_))));
        std::fs::remove_file(&dir).unwrap();
    }
}
