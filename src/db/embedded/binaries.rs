//! Where the PostgreSQL programs are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{EmbeddedError, OLDEST_MAJOR};

/// The places that are searched, in order. Built from the environment by [`Lookup::from_env`].
#[derive(Debug, Clone)]
pub struct Lookup {
    /// `DESKLESS_PG_BIN`: when set, nothing else is searched.
    pub pg_bin: Option<PathBuf>,
    /// Debian's home of versions, `/usr/lib/postgresql`.
    pub versions: PathBuf,
    /// `PATH`.
    pub path: OsString,
    /// The cache that `make postgres` fills from the npm registry.
    pub cache: PathBuf,
}

impl Lookup {
    /// What this process' environment says.
    pub fn from_env() -> Self {
        Self {
            pg_bin: std::env::var_os("DESKLESS_PG_BIN").filter(|dir| !dir.is_empty()).map(PathBuf::from),
            versions: PathBuf::from("/usr/lib/postgresql"),
            path: std::env::var_os("PATH").unwrap_or_default(),
            cache: cache_dir(),
        }
    }

    /// Whether there are programs for a new cluster.
    pub fn finds_programs(&self) -> bool {
        !self.candidates().is_empty()
    }

    /// The directories that hold a server of a version we can use, best first.
    fn candidates(&self) -> Vec<Binaries> {
        if let Some(dir) = &self.pg_bin {
            return Binaries::probe(dir).into_iter().collect();
        }
        let mut found = newest_first(&self.versions);
        found.extend(std::env::split_paths(&self.path).filter_map(|dir| Binaries::probe(&dir)));
        found.extend(newest_first(&self.cache));
        found.retain(|candidate| candidate.major >= OLDEST_MAJOR);
        found
    }

    /// The programs for a data directory of version `existing`, or for a new one.
    pub(super) fn find(&self, existing: Option<u32>, data: &Path) -> Result<Binaries, EmbeddedError> {
        let candidates = self.candidates();
        let Some(first) = candidates.first().cloned() else {
            return Err(match &self.pg_bin {
                Some(dir) => EmbeddedError::BadBinDir(dir.clone()),
                None => EmbeddedError::NoBinaries { command: advice(&self.path) },
            });
        };
        match existing {
            None => Ok(first),
            Some(major) => candidates.into_iter().find(|candidate| candidate.major == major).ok_or_else(|| EmbeddedError::OtherVersion {
                data: data.to_owned(),
                data_major: major,
                bin: first.dir,
                bin_major: first.major,
            }),
        }
    }
}

/// A directory with `initdb` and `postgres`, and their major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    fn probe(dir: &Path) -> Option<Self> {
        if !dir.join("postgres").is_file() || !dir.join("initdb").is_file() {
            return None;
        }
        let output = Command::new(dir.join("initdb")).arg("--version").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { dir: dir.to_owned(), major })
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }
}

/// `initdb (PostgreSQL) 15.18 (Debian …)` → 15.
fn major_of(version: &str) -> Option<u32> {
    let word = version.split_whitespace().nth(2)?;
    let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// `HOME/NAME/bin` for every NAME, highest version first.
fn newest_first(home: &Path) -> Vec<Binaries> {
    let Ok(entries) = std::fs::read_dir(home) else { return Vec::new() };
    let mut found: Vec<Binaries> = entries.flatten().filter_map(|entry| Binaries::probe(&entry.path().join("bin"))).collect();
    found.sort_by(|a, b| b.major.cmp(&a.major).then_with(|| b.dir.cmp(&a.dir)));
    found
}

/// Root's cache is where the unprivileged server account can read it; others' is their own.
fn cache_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return PathBuf::from("/var/cache/deskless");
    }
    let base = std::env::var_os("XDG_CACHE_HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let base = base.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    base.unwrap_or_else(std::env::temp_dir).join("deskless")
}

/// The one command that helps on this machine.
fn advice(path: &std::ffi::OsStr) -> &'static str {
    let has = |program: &str| std::env::split_paths(path).any(|dir| dir.join(program).is_file());
    if Path::new("Makefile").is_file() && has("npm") {
        "make postgres"
    } else if has("brew") {
        "brew install postgresql@17"
    } else if has("apt-get") {
        "apt-get install postgresql"
    } else {
        "export DATABASE_URL=postgres://USER:PASSWORD@HOST/DATABASE"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn fake(dir: &Path, version: &str) {
        std::fs::create_dir_all(dir).unwrap();
        for program in ["initdb", "postgres"] {
            let file = dir.join(program);
            std::fs::write(&file, format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    struct Place(PathBuf);
    impl Place {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("deskless-lookup-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&dir);
            std::fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }
        fn lookup(&self) -> Lookup {
            Lookup { pg_bin: None, versions: self.0.join("lib"), path: self.0.join("path").into(), cache: self.0.join("cache") }
        }
    }
    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn reads_the_major_version() {
        assert_eq!(major_of("initdb (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major_of("initdb (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major_of("initdb"), None);
    }

    #[test]
    fn takes_the_first_place_and_the_newest_version_in_it() {
        let place = Place::new("order");
        let (lookup, root) = (place.lookup(), &place.0);
        fake(&root.join("cache/postgres-18.4/bin"), "18.4");
        assert_eq!(lookup.find(None, root).unwrap().dir, root.join("cache/postgres-18.4/bin"));
        fake(&root.join("path"), "16.1");
        assert_eq!(lookup.find(None, root).unwrap().major, 16);
        fake(&root.join("lib/9.6/bin"), "9.6.24");
        assert_eq!(lookup.find(None, root).unwrap().major, 16, "a version before 15 is passed over");
        fake(&root.join("lib/15/bin"), "15.18");
        fake(&root.join("lib/17/bin"), "17.5");
        assert_eq!(lookup.find(None, root).unwrap().major, 17);
        fake(&root.join("own"), "15.2");
        let own = Lookup { pg_bin: Some(root.join("own")), ..lookup };
        assert_eq!(own.find(None, root).unwrap().dir, root.join("own"));
    }

    #[test]
    fn an_existing_data_directory_gets_its_own_version_or_advice() {
        let place = Place::new("existing");
        let (lookup, root) = (place.lookup(), &place.0);
        fake(&root.join("lib/17/bin"), "17.5");
        fake(&root.join("lib/15/bin"), "15.18");
        assert_eq!(lookup.find(Some(15), root).unwrap().major, 15);
        let refused = lookup.find(Some(16), root).unwrap_err().to_string();
        assert!(refused.contains("PostgreSQL 16") && refused.contains("DESKLESS_PG_BIN"), "{refused}");
    }

    #[test]
    fn says_what_helps_when_nothing_is_there() {
        let place = Place::new("nothing");
        let nothing = place.lookup().find(None, &place.0).unwrap_err();
        assert!(matches!(nothing, EmbeddedError::NoBinaries { .. }));
        let wrong = Lookup { pg_bin: Some(place.0.join("nowhere")), ..place.lookup() };
        assert!(matches!(wrong.find(None, &place.0).unwrap_err(), EmbeddedError::BadBinDir(_)));
    }
}
