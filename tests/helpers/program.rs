//! The built program, as a process of its own on the database of a test.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use super::{DATA_KEY, INDEX_KEY, TestApp};

/// The program with this test's database and keys, and nothing else of this process's environment.
pub fn command(app: &TestApp) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deskless"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("DATABASE_URL", app.database.url())
        .env("DESKLESS_AUTH__DATA_KEY", DATA_KEY)
        .env("DESKLESS_AUTH__INDEX_KEY", INDEX_KEY)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs the program to its end. It logs errors only: what a busy machine makes it warn about (a slow statement) is not what it
/// says to its user.
pub async fn run(app: &TestApp, arguments: &[&str], input: Option<&str>) -> Said {
    let mut command = command(app);
    command.env("DESKLESS_LOG__FILTER", "error");
    finish(command, arguments, input).await
}

/// As [`run`], with its log as people get it.
pub async fn run_with_log(app: &TestApp, arguments: &[&str]) -> Said {
    finish(command(app), arguments, None).await
}

async fn finish(mut command: Command, arguments: &[&str], input: Option<&str>) -> Said {
    command.args(arguments);
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().expect("the program starts");
    let (stdin, input) = (child.stdin.take(), input.unwrap_or_default().to_owned());
    tokio::task::spawn_blocking(move || {
        if let Some(mut stdin) = stdin {
            stdin.write_all(input.as_bytes()).expect("the program reads");
        }
        child.wait_with_output().expect("the program ends").into()
    })
    .await
    .expect("the program is waited for")
}
