//! A database server, shared by the tests of this process that run at the same time.

use std::env;
use std::io::{self, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use reminderly_core::clock::{Clock, SystemClock};
use reminderly_mysql::{ConnectError, MySqlConfig, MySqlStore, ServerKind};
use testcontainers::core::{IntoContainerPort as _, WaitFor};
use testcontainers::runners::SyncRunner as _;
use testcontainers::{Container, GenericImage, ImageExt as _};
use tokio::runtime::Runtime;
use tokio::time::sleep;

const PASSWORD: &str = "only-for-tests";
const DATABASE: &str = "reminderly";

/// Defaults on which names would garble, values be bent, instants shift and updates be lost: a session that is set up has none of
/// them.
const BAD_DEFAULTS: [&str; 6] = [
    "--character-set-server=latin1",
    "--collation-server=latin1_general_cs",
    "--sql-mode=",
    "--default-time-zone=+05:30",
    "--transaction-isolation=SERIALIZABLE",
    "--autocommit=OFF",
];

/// What is tested here is not whether a commit outlives the server: it need not wait for the disk. Who is interrupted again and again while
/// it connects is not locked out.
const SERVES: [&str; 3] =
    ["--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--max-connect-errors=1000000"];

/// A server that sets itself up first takes its time on a busy machine.
const STARTS_WITHIN: Duration = Duration::from_mins(3);

/// A server that runs until nobody holds it any more.
pub(crate) struct Database {
    pub(crate) config: MySqlConfig,
    url: String,
    container: Option<Container<GenericImage>>,
}

impl Database {
    /// Its address.
    pub(crate) fn address(&self) -> SocketAddr {
        let (_, place) = self.url.split_once('@').expect("a user");
        let (host, _) = place.split_once('/').expect("a database");
        host.to_socket_addrs().expect("a host").next().expect("an address")
    }

    /// Lets the server stand still for a while.
    pub(crate) fn pause(&self, duration: Duration) {
        let container = self.container.as_ref().expect("a server of the test's own");
        docker("pause", container);
        block_on(async { sleep(duration).await });
        docker("unpause", container);
    }

    /// Kills the server as `kill -9` does, and starts it again; its address is another one then.
    pub(crate) fn kill_and_start(&mut self) {
        let container = self.container.as_ref().expect("a server of the test's own");
        docker("kill", container);
        docker("start", container);
        let port = container.get_host_port_ipv4(3306).expect("a port");
        let (before, after) = (self.url.rsplit_once(':'), self.url.rsplit_once('/'));
        let (before, after) = (before.expect("a port").0, after.expect("a database").1);
        self.url = format!("{before}:{port}/{after}");
    }

    /// A database as the server's own tool writes it.
    pub(crate) fn dump(&self, kind: ServerKind, name: &str) -> Vec<u8> {
        let (tool, only): (&str, &[&str]) = match kind {
            ServerKind::MariaDb => ("mariadb-dump", &[]),
            ServerKind::MySql => ("mysqldump", &["--set-gtid-purged=OFF"]),
        };
        let all = ["--single-transaction", "--routines", "--hex-blob", "--databases", name];
        let dump = self.client(tool).args(only).args(all).output().expect("a client");
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        dump.stdout
    }

    /// Makes what is in a dump.
    pub(crate) fn load(&self, kind: ServerKind, dump: &[u8]) {
        let tool = match kind {
            ServerKind::MariaDb => "mariadb",
            ServerKind::MySql => "mysql",
        };
        let mut client = self.client(tool).stdin(Stdio::piped()).spawn().expect("a client");
        client.stdin.take().expect("a pipe").write_all(dump).expect("it reads");
        assert!(client.wait().expect("it ends").success());
    }

    /// A client of the server, in its container; its root comes from outside.
    fn client(&self, tool: &str) -> Command {
        let container = self.container.as_ref().expect("a server of the test's own");
        let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let inspect = Command::new("docker").args(["inspect", "--format", address, container.id()]).output();
        let address = String::from_utf8(inspect.expect("docker").stdout).expect("an address");
        let mut client = Command::new("docker");
        client.args([
            "exec",
            "--interactive",
            "--env",
            &format!("MYSQL_PWD={PASSWORD}"),
            container.id(),
            tool,
        ]);
        client.args([&format!("--host={}", address.trim()), "--user=root"]);
        client
    }

    /// Whether its settings may be changed: those of a server of somebody else may not.
    pub(crate) fn is_of_tests(&self) -> bool {
        let is_ours = self.container.is_some();
        if !is_ours {
            say("SKIPPED: a test that changes the settings of the server");
        }
        is_ours
    }
}

static MYSQL: Mutex<Weak<Database>> = Mutex::new(Weak::new());
static MARIADB: Mutex<Weak<Database>> = Mutex::new(Weak::new());

/// The server of this kind; `None` if there is none and that may be.
pub(crate) fn database(kind: ServerKind) -> Option<Arc<Database>> {
    let running = match kind {
        ServerKind::MySql => &MYSQL,
        ServerKind::MariaDb => &MARIADB,
    };
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(database) = running.upgrade() {
        return Some(database);
    }
    let given = setting("REMINDERLY_TEST_MYSQL_URL").and_then(|url| given(&url, kind));
    let database = Arc::new(given.or_else(|| start(kind, &SERVES))?);
    *running = Arc::downgrade(&database);
    Some(database)
}

/// A server of its own, which may be killed: it keeps what it has acknowledged. `None` if there is none and that may be.
pub(crate) fn own_database(kind: ServerKind) -> Option<Database> {
    start(kind, &["--innodb-flush-log-at-trx-commit=1", "--max-connect-errors=1000000"])
}

fn docker(command: &str, container: &Container<GenericImage>) {
    let done = Command::new("docker").args([command, container.id()]).output().expect("docker");
    assert!(done.status.success(), "docker {command}: {done:?}");
}

/// Says what runs or is skipped. What a test prints otherwise is shown only when it fails.
fn say(what: &str) {
    writeln!(io::stderr().lock(), "{what}").expect("standard error is open");
}

fn setting(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

/// Runs a test to its end.
pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    Runtime::new().expect("a runtime").block_on(test)
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::default())
}

/// The URL of a database on this server that nobody has made yet.
pub(crate) fn fresh_url(database: &Database) -> String {
    let (place, properties) = database.url.split_once('?').unwrap_or((&database.url, ""));
    let (server, _) = place.rsplit_once('/').expect("the URL of a database");
    format!("{server}/reminderly_{:016x}?{properties}", rand::random::<u64>())
}

/// A database of its own on this server, in which there is nothing.
pub(crate) async fn fresh(database: &Database) -> MySqlConfig {
    let config = MySqlConfig::from_url(&fresh_url(database)).expect("a URL");
    MySqlStore::create_database(&config).await.expect("a database");
    config
}

/// A store with its tables, in a database of its own.
pub(crate) async fn migrated(database: &Database) -> MySqlStore {
    migrated_at(&fresh_url(database)).await
}

/// The same, in the database of this URL, which nobody has made yet.
pub(crate) async fn migrated_at(url: &str) -> MySqlStore {
    let config = MySqlConfig::from_url(url).expect("a URL");
    MySqlStore::create_database(&config).await.expect("a database");
    let store = connect(&config).await.expect("connected");
    store.migrate().await.expect("tables");
    store
}

/// Whether as much is to be tried as takes hours.
pub(crate) fn is_long() -> bool {
    setting("REMINDERLY_TEST_LONG").as_deref() == Some("true")
}

pub(crate) async fn connect(config: &MySqlConfig) -> Result<MySqlStore, ConnectError> {
    MySqlStore::connect(config, clock()).await
}

fn given(url: &str, kind: ServerKind) -> Option<Database> {
    let config = MySqlConfig::from_url(url).expect("REMINDERLY_TEST_MYSQL_URL is a URL");
    let store = block_on(connect(&config)).expect("the server of REMINDERLY_TEST_MYSQL_URL answers");
    (store.server().kind == kind).then(|| {
        say(&format!("server: {kind:?} {} of REMINDERLY_TEST_MYSQL_URL", store.server().version));
        Database { config, url: url.to_owned(), container: None }
    })
}

fn start(kind: ServerKind, settings: &[&str]) -> Option<Database> {
    let (variable, family) = match kind {
        ServerKind::MySql => ("REMINDERLY_TEST_MYSQL_IMAGE", "MYSQL"),
        ServerKind::MariaDb => ("REMINDERLY_TEST_MARIADB_IMAGE", "MARIADB"),
    };
    let Some(image) = setting(variable) else {
        let missing = format!("there is no {variable}: tests/run sets it, see tests/servers/prepare --help");
        assert_ne!(setting("CI").as_deref(), Some("true"), "{missing}");
        say(&format!("SKIPPED: {missing}"));
        return None;
    };
    let (name, tag) = image.rsplit_once(':').unwrap_or((&image, "latest"));
    let container = GenericImage::new(name, tag)
        .with_exposed_port(3306.tcp())
        // With two spaces: `port: 33060` is that of another protocol.
        .with_wait_for(WaitFor::message_on_stderr("port: 3306  "))
        .with_env_var(format!("{family}_ROOT_PASSWORD"), PASSWORD)
        .with_env_var(format!("{family}_DATABASE"), DATABASE)
        .with_cmd(BAD_DEFAULTS.iter().chain(settings).copied())
        .with_startup_timeout(STARTS_WITHIN)
        .start()
        .unwrap_or_else(|error| panic!("{image} does not start: {error}"));
    let port = container.get_host_port_ipv4(3306).expect("a port");
    let host = container.get_host().expect("a host").to_string();
    // The port is that of IPv4.
    let host = if host == "localhost" { "127.0.0.1".to_owned() } else { host };
    let url = format!("mysql://root:{PASSWORD}@{host}:{port}/{DATABASE}");
    let config = MySqlConfig::from_url(&url).expect("a URL");
    let store = block_on(connect(&config)).expect("a server that is ready takes connections");
    say(&format!("server: {kind:?} {} of {image}", store.server().version));
    Some(Database { config, url, container: Some(container) })
}
