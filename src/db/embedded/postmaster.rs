//! The server process: started, found again, stopped.

use std::fmt::Write as _;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::binaries::Binaries;
use super::home::{Home, plain_environment};
use super::{Durability, EmbeddedError, EmbeddedOptions};

/// Recovery after a crash may take a while on a slow disk.
const START_PATIENCE: Duration = Duration::from_secs(90);
const STOP_PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// A server that takes connections.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    /// Present when this process started it. Another's child, or an orphan, otherwise.
    child: Option<Child>,
    pub(super) socket_dir: PathBuf,
}

impl Postmaster {
    /// Adopts the server that runs on this cluster, or starts one. The caller holds the start lock.
    pub(super) fn ensure(home: &Home, binaries: &Binaries, options: &EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let since = Instant::now();
        loop {
            let patient = since.elapsed() < START_PATIENCE;
            match PidFile::read(&home.data()) {
                Some(file) if is_server_of(file.pid, &home.data()) => {
                    if file.ready {
                        return Ok(Self { pid: file.pid, child: None, socket_dir: file.socket_dir });
                    }
                    // Starting or stopping: it will be one or the other in a moment.
                }
                // Its workers notice within moments that the server was killed; until then they hold the shared memory.
                _ if has_processes(&home.data()) => {}
                found => {
                    clear_stale(home, found.as_ref());
                    match start(home, binaries, options)? {
                        Ok(postmaster) => return Ok(postmaster),
                        Err(said) if patient && is_passing(&said) => {}
                        Err(said) => return Err(EmbeddedError::Refused { said, log: home.log() }),
                    }
                }
            }
            if !patient {
                return Err(EmbeddedError::Refused { said: "it neither starts nor stops".into(), log: home.log() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it still runs. Collects it when it was our child and has ended.
    pub(super) fn is_alive(&mut self, home: &Home) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => is_server_of(self.pid, &home.data()),
        }
    }

    /// Asks it to end at once but orderly: open transactions are rolled back, everything committed is written.
    pub(super) fn ask_to_stop(&mut self, home: &Home) {
        if self.is_alive(home) {
            let _ = rustix::process::kill_process(self.pid, Signal::INT);
        }
    }

    /// Stops it and waits. After some patience it is ended hard, which costs a recovery at the next start but no data.
    pub(super) fn stop(mut self, home: &Home) {
        self.ask_to_stop(home);
        let since = Instant::now();
        while self.is_alive(home) {
            if since.elapsed() > STOP_PATIENCE {
                let _ = rustix::process::kill_process(self.pid, Signal::QUIT);
                std::thread::sleep(Duration::from_millis(500));
                return;
            }
            std::thread::sleep(POLL);
        }
    }

    /// Whether this process started it.
    pub(super) fn is_ours(&self) -> bool {
        self.child.is_some()
    }

    /// The server's process id.
    pub(super) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }
}

/// Spawns the server and waits until it takes connections. The inner error is what it said before it ended.
fn start(home: &Home, binaries: &Binaries, options: &EmbeddedOptions) -> Result<Result<Postmaster, String>, EmbeddedError> {
    let socket_dir = home.socket_dir();
    home.account.private_dir(&socket_dir)?;
    let mut log = home.open_log()?;
    let begin = log.seek(SeekFrom::End(0)).unwrap_or(0);
    let err = log.try_clone().map_err(|e| EmbeddedError::io("open", &home.log(), e))?;

    let mut command = Command::new(binaries.postgres());
    command.arg("-D").arg(home.data()).arg("-k").arg(&socket_dir);
    for (name, value) in settings(options) {
        let mut setting = String::new();
        let _ = write!(setting, "{name}={value}");
        command.arg("-c").arg(setting);
    }
    plain_environment(&mut command);
    home.account.apply(&mut command);
    // A group of its own: Ctrl-C on the terminal reaches us, and we end the server after the last request.
    command.process_group(0).stdin(Stdio::null()).stdout(log).stderr(err);
    let mut child = command.spawn().map_err(|e| EmbeddedError::io("run", &binaries.postgres(), e))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(EmbeddedError::NoAccount)?;

    let since = Instant::now();
    loop {
        if PidFile::read(&home.data()).is_some_and(|file| file.pid == pid && file.ready) {
            return Ok(Ok(Postmaster { pid, child: Some(child), socket_dir }));
        }
        if child.try_wait().map_err(|e| EmbeddedError::io("watch", &home.data(), e))?.is_some() {
            return Ok(Err(said_since(&home.log(), begin)));
        }
        if since.elapsed() > START_PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(Err("it did not become ready in time".into()));
        }
        std::thread::sleep(POLL);
    }
}

fn settings(options: &EmbeddedOptions) -> Vec<(&'static str, String)> {
    let on = |yes: bool| if yes { "on".to_owned() } else { "off".to_owned() };
    let durable = options.durability == Durability::Durable;
    vec![
        ("listen_addresses", String::new()),
        ("port", "5432".into()),
        ("unix_socket_permissions", "0700".into()),
        ("max_connections", options.max_connections.to_string()),
        ("fsync", on(durable)),
        ("synchronous_commit", on(durable)),
        ("full_page_writes", on(durable)),
        ("timezone", "UTC".into()),
        ("log_timezone", "UTC".into()),
        ("lc_messages", "C".into()),
        ("jit", "off".into()),
        ("logging_collector", "off".into()),
        ("log_destination", "stderr".into()),
        // Neither statements nor the values of violated keys: they may be personal data.
        ("log_statement", "none".into()),
        ("log_min_error_statement", "panic".into()),
        ("log_error_verbosity", "terse".into()),
        ("cluster_name", "deskless".into()),
    ]
}

/// What `postmaster.pid` says.
#[derive(Debug)]
struct PidFile {
    pid: Pid,
    socket_dir: PathBuf,
    ready: bool,
}

impl PidFile {
    fn read(data: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let line = |n: usize| text.lines().nth(n).map(str::trim);
        let pid = Pid::from_raw(line(0)?.parse().ok().filter(|pid| *pid > 0)?)?;
        let socket_dir = PathBuf::from(line(4).unwrap_or_default());
        Some(Self { pid, socket_dir, ready: line(7) == Some("ready") })
    }
}

/// Whether the process of that number is alive and is the server of `data`: numbers are used again.
fn is_server_of(pid: Pid, data: &Path) -> bool {
    let alive = !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH));
    if !alive || !Path::new("/proc/self/stat").exists() {
        return alive;
    }
    // A zombie has no working directory any more; the server's is its data directory.
    std::fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero())).is_ok_and(|dir| dir == data)
}

/// Whether any process works in the data directory: the server's workers, after the server itself was killed.
fn has_processes(data: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir("/proc") else { return false };
    entries.flatten().any(|entry| {
        entry.file_name().to_string_lossy().starts_with(|c: char| c.is_ascii_digit())
            && std::fs::read_link(entry.path().join("cwd")).is_ok_and(|dir| dir == data)
    })
}

/// Removes a `postmaster.pid` whose number now belongs to a stranger, which PostgreSQL would take for a running server (in
/// a container the same numbers come again at every start), or that a crash left empty.
fn clear_stale(home: &Home, found: Option<&PidFile>) {
    let file = home.data().join("postmaster.pid");
    let strangers = found.is_some_and(|file| rustix::process::test_kill_process(file.pid).is_ok());
    let empty = std::fs::metadata(&file).is_ok_and(|meta| meta.len() == 0);
    if (strangers || empty) && Path::new("/proc/self/stat").exists() {
        let _ = std::fs::remove_file(&file);
        let _ = std::fs::remove_file(home.socket_dir().join(".s.PGSQL.5432.lock"));
    }
}

/// Whether the server refused only because a dead one is not quite gone.
fn is_passing(said: &str) -> bool {
    ["lock file", "shared memory block", "is another postmaster"].iter().any(|sign| said.contains(sign))
}

fn said_since(log: &Path, begin: u64) -> String {
    let mut said = String::new();
    if let Ok(mut file) = std::fs::File::open(log)
        && file.seek(SeekFrom::Start(begin)).is_ok()
    {
        let _ = file.take(8192).read_to_string(&mut said);
    }
    said.trim().to_owned()
}
