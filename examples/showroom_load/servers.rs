//! A database with the demo, people for every tablet, and two servers as processes of their own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use deskless::auth::{AuthError, Role};
use deskless::cli::Database;
use deskless::config::Config;
use deskless::demo::group;
use deskless::demo::load::{Progress, load};
use futures::stream::{self, StreamExt, TryStreamExt};
use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, setrlimit};

use crate::client::{Outcome, Trouble};

/// Who signs for the cars.
pub const SELLER: &str = "sales.austin@example.com";
/// Everybody's password.
pub const PASSWORD: &str = group::PASSWORD;
/// How long a server may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who has a tablet.
pub fn login(tablet: usize) -> String {
    format!("tablet.{tablet}@example.com")
}

/// Two servers on one database. Ends them when dropped.
pub struct Servers {
    /// Where they answer.
    pub addresses: [String; 2],
    processes: Vec<Child>,
    _dir: Dir,
}

impl Servers {
    /// Makes the database and the people, and starts the servers with the configuration everybody gets.
    pub async fn start(database: Option<String>, people: usize) -> Outcome<Self> {
        more_files();
        let dir = Dir(std::env::temp_dir().join(format!("deskless-showroom-{}", std::process::id())));
        let mut config = Config { data_dir: dir.0.clone(), ..Config::default() };
        config.database.url = database;
        let opened = Database::open(&config).await?;
        fill(&opened, config.clone(), people).await?;
        let (first, second) = (Server::start(&config)?, Server::start(&config)?);
        first.ready().await?;
        second.ready().await?;
        // The servers have the database now; the last of them stops it.
        opened.close().await;
        Ok(Self { addresses: [first.address, second.address], processes: vec![first.process, second.process], _dir: dir })
    }

    /// Asks the servers to stop and waits until they have.
    pub async fn stop(mut self) {
        let mut processes = std::mem::take(&mut self.processes);
        processes.iter().for_each(terminate);
        let _ = tokio::task::spawn_blocking(move || processes.iter_mut().for_each(|process| drop(process.wait()))).await;
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.processes.iter().for_each(terminate);
        self.processes.iter_mut().for_each(|process| drop(process.wait()));
    }
}

struct Server {
    address: String,
    process: Child,
}

impl Server {
    fn start(config: &Config) -> Outcome<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(program()?);
        command
            .arg("serve")
            .env_remove("DATABASE_URL")
            .env("DESKLESS_DATA_DIR", &config.data_dir)
            .env("DESKLESS_SERVER__LISTEN", port.to_string())
            .env("DESKLESS_LOG__FILTER", "warn");
        if let Some(url) = &config.database.url {
            command.env("DATABASE_URL", url);
        }
        Ok(Self { address: format!("http://{port}"), process: command.spawn()? })
    }

    async fn ready(&self) -> Outcome<()> {
        let http = reqwest::Client::new();
        let asked = async {
            loop {
                if http.get(format!("{}/readyz", self.address)).send().await.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let ready = tokio::time::timeout(PATIENCE, asked).await;
        ready.map_err(|_| Trouble(format!("the server at {} did not become ready", self.address)).into())
    }
}

/// The program of the same build: beside the folder of the examples.
fn program() -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own.parent().and_then(Path::parent).map(|dir| dir.join("deskless")).filter(|path| path.exists());
    found.ok_or_else(|| Trouble("build the program first: cargo build (with the same profile)".into()).into())
}

fn terminate(process: &Child) {
    if let Some(pid) = i32::try_from(process.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

async fn fill(database: &Database, config: Config, people: usize) -> Outcome<()> {
    let app = database.start_app(config).await?;
    load(&app, &mut Quiet).await?;
    let store = app.dealers.store_by_code("austin").ok_or_else(|| Trouble("the demo has no store austin".into()))?;
    let (app, store) = (&app, &store);
    stream::iter((0..people).map(|n| async move {
        let (login, role) = (login(n), [(store.id, Role::Salesperson)]);
        match app.auth.create_person(store.group_id, &login, &login, PASSWORD.into(), &role).await {
            Ok(_) | Err(AuthError::LoginTaken) => Outcome::Ok(()),
            Err(error) => Err(error.into()),
        }
    }))
    .buffer_unordered(4)
    .try_collect::<()>()
    .await
}

struct Quiet;

impl Progress for Quiet {
    fn begin(&mut self, _: &str) {}
    fn done(&mut self, _: &str, _: Duration) {}
}

/// Two connections per tablet; the shell's limit is often 1,024.
fn more_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Removed when dropped.
struct Dir(PathBuf);

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
