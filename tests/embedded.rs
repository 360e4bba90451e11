//! The embedded PostgreSQL, with the real programs: what happens when things are killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use deskless::db::embedded::{Embedded, EmbeddedError, EmbeddedOptions, Lookup};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{ConnectOptions, Connection, PgConnection};

/// A data directory that is gone after the test.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new(name: &str) -> Self {
        // Not under target/: the server's account may not be allowed to enter the checkout.
        let dir = std::env::temp_dir().join(format!("deskless-embedded-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn options() -> EmbeddedOptions {
    EmbeddedOptions { max_connections: 20, ..EmbeddedOptions::default() }
}

/// The tests of this file need server programs, which CI always has.
fn have_programs() -> bool {
    let found = Lookup::from_env().finds_programs();
    assert!(found || std::env::var_os("CI").is_none(), "CI must have PostgreSQL programs: make postgres");
    if !found {
        eprintln!("skipped: no PostgreSQL programs; run: make postgres");
    }
    found
}

async fn connect(embedded: &Embedded) -> PgConnection {
    let since = Instant::now();
    loop {
        match embedded.connect_options().connect().await {
            Ok(conn) => return conn,
            Err(error) if since.elapsed() > Duration::from_secs(20) => panic!("{error:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn write(embedded: &Embedded, value: i32) {
    let mut conn = connect(embedded).await;
    sqlx::query("CREATE TABLE IF NOT EXISTS kept (value integer)").execute(&mut conn).await.unwrap();
    sqlx::query("INSERT INTO kept VALUES ($1)").bind(value).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

async fn read(embedded: &Embedded) -> Vec<i32> {
    let mut conn = connect(embedded).await;
    let values = sqlx::query_scalar("SELECT value FROM kept ORDER BY value").fetch_all(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    values
}

fn is_running(pid: i32) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok()
}

async fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < Duration::from_secs(20), "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_outlives_a_restart_and_the_last_user_stops_the_server() {
    if !have_programs() {
        return;
    }
    let dir = Dir::new("restart");
    let first = Embedded::start(&dir.0, options()).await.unwrap();
    write(&first, 1).await;
    let second = Embedded::start(&dir.0, options()).await.unwrap();
    let pid = first.server_pid().unwrap();
    assert_eq!(second.server_pid(), Some(pid), "one server for both");
    first.stop().await;
    write(&second, 2).await;
    second.stop().await;
    assert!(!is_running(pid));

    let again = Embedded::start(&dir.0, options()).await.unwrap();
    assert_eq!(read(&again).await, [1, 2]);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_is_no_superuser_and_there_is_no_port() {
    if !have_programs() {
        return;
    }
    let dir = Dir::new("rights");
    let embedded = Embedded::start(&dir.0, options()).await.unwrap();
    let mut conn = connect(&embedded).await;
    let superuser: String = sqlx::query_scalar("SHOW is_superuser").fetch_one(&mut conn).await.unwrap();
    let addresses: String = sqlx::query_scalar("SHOW listen_addresses").fetch_one(&mut conn).await.unwrap();
    let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(&mut conn).await.unwrap();
    assert_eq!((superuser.as_str(), addresses.as_str(), fsync.as_str()), ("off", "", "on"));
    sqlx::query("CREATE EXTENSION btree_gist").execute(&mut conn).await.expect("a trusted extension is the owner's to create");
    let read_file = sqlx::query("SELECT pg_read_file('/etc/passwd')").execute(&mut conn).await;
    assert!(read_file.is_err(), "files of the machine are out of reach");
    conn.close().await.unwrap();
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_while_it_is_used() {
    if !have_programs() {
        return;
    }
    let dir = Dir::new("server-killed");
    let embedded = Embedded::start(&dir.0, options()).await.unwrap();
    for round in 0..3 {
        write(&embedded, round).await;
        let pid = embedded.server_pid().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        wait_until("a new server", || embedded.server_pid().is_some_and(|new| new != pid)).await;
        assert_eq!(read(&embedded).await, (0..=round).collect::<Vec<_>>());
    }
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_of_a_killed_program_is_adopted_with_its_data() {
    if !have_programs() {
        return;
    }
    let dir = Dir::new("parent-killed");
    let (mut child, pid) = child_that_serves(&dir.0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_running(pid), "the server outlives its parent");
    let adopted = Embedded::start(&dir.0, options()).await.unwrap();
    assert_eq!(adopted.server_pid(), Some(pid));
    assert_eq!(read(&adopted).await, [7]);
    adopted.stop().await;
    assert!(!is_running(pid), "the last user stops an adopted server too");
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_program_and_server_together_keeps_the_data() {
    if !have_programs() {
        return;
    }
    let dir = Dir::new("both-killed");
    let (mut child, pid) = child_that_serves(&dir.0);
    child.kill().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    child.wait().unwrap();
    // At once: the dead server's workers and files are still there.
    let embedded = Embedded::start(&dir.0, options()).await.unwrap();
    assert_ne!(embedded.server_pid(), Some(pid));
    assert_eq!(read(&embedded).await, [7]);
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_pid_file_with_a_strangers_number_is_no_obstacle() {
    if !have_programs() {
        return;
    }
    let dir = Dir::new("stale");
    let embedded = Embedded::start(&dir.0, options()).await.unwrap();
    write(&embedded, 3).await;
    embedded.stop().await;
    let data = dir.0.canonicalize().unwrap().join("db/data");
    let stranger = std::process::id();
    std::fs::write(data.join("postmaster.pid"), format!("{stranger}\n{}\n0\n5432\n/tmp\n\n0 0\nready\n", data.display())).unwrap();
    let embedded = Embedded::start(&dir.0, options()).await.unwrap();
    assert_eq!(read(&embedded).await, [3]);
    embedded.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_starters_at_once_share_one_server() {
    if !have_programs() {
        return;
    }
    let dir = Dir::new("many");
    let starts = (0..6).map(|_| Embedded::start(&dir.0, options()));
    let all: Vec<Embedded> = futures::future::join_all(starts).await.into_iter().map(Result::unwrap).collect();
    let pid = all[0].server_pid();
    assert!(all.iter().all(|embedded| embedded.server_pid() == pid));
    futures::future::join_all(all.into_iter().map(Embedded::stop)).await;
    assert!(!is_running(pid.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_too_long_for_a_socket_gets_a_short_one() {
    if !have_programs() {
        return;
    }
    let dir = Dir::new("long");
    let deep = dir.0.join("a-directory-with-a-rather-long-name".repeat(3)).join("and-another-one");
    let embedded = Embedded::start(&deep, options()).await.unwrap();
    write(&embedded, 5).await;
    let socket_dir = embedded.connect_options().get_socket().unwrap().clone();
    assert!(socket_dir.as_os_str().len() < 60, "{socket_dir:?}");
    embedded.stop().await;
    let _ = std::fs::remove_dir_all(socket_dir);
}

#[tokio::test]
async fn another_major_versions_data_is_refused_with_advice() {
    if !have_programs() {
        return;
    }
    let dir = Dir::new("version");
    let embedded = Embedded::start(&dir.0, options()).await.unwrap();
    let bin_major = embedded.major_version();
    embedded.stop().await;
    std::fs::write(dir.0.join("db/data/PG_VERSION"), "14\n").unwrap();
    let refused = Embedded::start(&dir.0, options()).await.unwrap_err().to_string();
    assert!(refused.contains("made by PostgreSQL 14") && refused.contains(&format!("PostgreSQL {bin_major}")), "{refused}");
    assert!(refused.contains("DESKLESS_PG_BIN"), "{refused}");
}

#[tokio::test]
async fn without_programs_the_error_names_what_helps() {
    let dir = Dir::new("nothing");
    let nowhere = dir.0.join("nowhere");
    let lookup = Lookup { pg_bin: None, versions: nowhere.clone(), path: nowhere.clone().into(), cache: nowhere };
    let error = Embedded::start(&dir.0, EmbeddedOptions { lookup, ..options() }).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NoBinaries { .. }), "{error:?}");
    assert!(error.to_string().contains("Run: "), "{error}");
}

/// Not a test: the program that [`child_that_serves`] runs and kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by other tests as a program of its own"]
async fn child_serves_until_killed() {
    let Some(dir) = std::env::var_os("DESKLESS_TEST_CHILD_DIR") else { return };
    let embedded = Embedded::start(Path::new(&dir), options()).await.unwrap();
    write(&embedded, 7).await;
    std::fs::write(Path::new(&dir).join("child-ready"), embedded.server_pid().unwrap().to_string()).unwrap();
    std::future::pending::<()>().await;
}

fn child_that_serves(dir: &Path) -> (Child, i32) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::child_serves_until_killed", "--ignored"])
        .env("DESKLESS_TEST_CHILD_DIR", dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let since = Instant::now();
    loop {
        if let Ok(text) = std::fs::read_to_string(dir.join("child-ready"))
            && let Ok(pid) = text.parse()
        {
            return (child, pid);
        }
        assert!(since.elapsed() < Duration::from_secs(30), "the child did not become ready");
        std::thread::sleep(Duration::from_millis(20));
    }
}
