//! A directory with a configuration, and workers that run there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use reminderly_core::clock::{Clock as _, SystemClock};
use serde_json::Value;
use tempfile::TempDir;

use crate::database::block_on;

/// So often something is looked at that is waited for.
const LOOKS_EVERY: Duration = Duration::from_millis(200);

/// A directory with a configuration for one company with one campaign.
pub(crate) struct Site {
    directory: TempDir,
    url: String,
    metrics: SocketAddr,
}

impl Site {
    /// On a database of this URL, which need not exist.
    pub(crate) fn new(url: &str) -> Self {
        let metrics = free_address();
        let site = Self { directory: TempDir::new().expect("a directory"), url: url.to_owned(), metrics };
        fs::create_dir(site.path().join("inbox")).expect("an inbox");
        let campaign = include_str!("../../data/reminders.json");
        fs::write(site.path().join("reminders.json"), campaign).expect("a campaign");
        // Of one in twelve nobody says what became of it; some of these were not taken.
        let script = r#"{"default": {"mix": {"delivers": 92, "lost_answer": 5, "server_error": 3}}}"#;
        fs::write(site.path().join("script.json"), script).expect("a script");
        site.configure(&format!("{CONFIGURATION}[metrics]\nlisten = \"{metrics}\"\n"));
        site
    }

    /// Whether a worker has come so far that Prometheus may ask it.
    pub(crate) fn listens(&self) -> bool {
        TcpStream::connect(self.metrics).is_ok()
    }

    /// What Prometheus gets.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.metrics).expect("it listens");
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    pub(crate) fn configure(&self, configuration: &str) {
        fs::write(self.path().join("worker.toml"), configuration).expect("a configuration");
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Puts a file with so many appointments into the inbox, none of which is in a file with another number.
    pub(crate) fn file_arrives(&self, number: usize, rows: usize) {
        let at = (SystemClock::new().now() + TimeDelta::minutes(150)).format("%Y-%m-%d %H:%M").to_string();
        let mut text = "Appt ID,First Name,E-mail,At\n".to_owned();
        for row in 0..rows {
            let line = format!("A-{number}-{row},Ann,person{number}.{row}@example.org,");
            text.push_str(&[&*line, &*at, "\n"].concat());
        }
        let inbox = self.path().join("inbox");
        let name = format!("appointments_{number}.csv");
        fs::write(inbox.join("arriving.part"), text).expect("a file");
        fs::rename(inbox.join("arriving.part"), inbox.join(name)).expect("renamed");
    }

    /// Runs the worker to its end.
    pub(crate) fn worker(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("a worker")
    }

    /// Starts a worker that sends.
    pub(crate) fn start(&self) -> Running {
        Running(self.command(&["--log", "warn"]).stdout(Stdio::null()).spawn().expect("a worker"))
    }

    /// How often the provider accepted each message, by its own log.
    pub(crate) fn accepted(&self) -> BTreeMap<String, usize> {
        let mut accepted = BTreeMap::new();
        let journal = fs::read_to_string(self.path().join("sandbox.jsonl")).unwrap_or_default();
        // The last line may be under way.
        let whole = journal.rfind('\n').map_or("", |end| journal.get(..end).unwrap_or_default());
        for line in whole.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            if let Some(message) = line.pointer("/accepted_v1/message").and_then(Value::as_str) {
                *accepted.entry(message.to_owned()).or_default() += 1;
            }
        }
        accepted
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command.arg("--config").arg(self.path().join("worker.toml")).args(arguments);
        command.env("REMINDERLY_DATABASE_URL", &self.url).env_remove("REMINDERLY_DATABASE_PASSWORD");
        command
    }
}

/// A worker that sends. One that is forgotten is killed.
pub(crate) struct Running(Child);

impl Running {
    /// As `kill -9` does it: it gets no chance to say goodbye.
    pub(crate) fn kill(mut self) {
        assert!(self.0.try_wait().expect("asked").is_none(), "it runs");
        self.0.kill().expect("killed");
        self.0.wait().expect("gone");
    }

    /// Tells it to stop, and waits for the end; answers the code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let told = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).status();
        assert!(told.expect("a signal").success());
        wait_for("it ends", Duration::from_mins(1), || !self.runs());
        self.0.wait().expect("gone").code()
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.0.try_wait().expect("asked").is_none()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be gone.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// An address that nobody uses, and that is not given to connections, which take ports from 32,768 on.
fn free_address() -> SocketAddr {
    let tried = (0..100).map(|_| SocketAddr::from(([127, 0, 0, 1], rand::random_range(20_000..30_000))));
    tried.into_iter().find(|address| TcpListener::bind(address).is_ok()).expect("a free port")
}

/// Waits until something is so; what lasts longer will not be.
pub(crate) fn wait_for(what: &str, longest: Duration, mut is_so: impl FnMut() -> bool) {
    let clock = SystemClock::new();
    let begun = clock.monotonic();
    while !is_so() {
        assert!(clock.monotonic().since(begun) < longest, "{what}: not within {longest:?}");
        block_on(clock.sleep_until(clock.now() + LOOKS_EVERY));
    }
}

pub(crate) const CONFIGURATION: &str = r#"
deployment = "test"
[database]
[sandbox]
journal = "sandbox.jsonl"
script = "script.json"
quiet_after_seconds = 1
[pace]
tick_seconds = 1
copy_lifetime_seconds = 3
claim_margin_seconds = 1
[[companies]]
id = "019ac000-0000-7000-8000-000000000001"
name = "Smith Clinic"
[[companies.campaigns]]
document = "reminders.json"
inbox = "inbox"
"#;
