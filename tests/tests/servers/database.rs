//! A database server, shared by the tests of this process that run at the same time.

use std::env;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use reminderly_core::clock::{Clock, SystemClock};
use reminderly_mysql::{ConnectError, MySqlConfig, MySqlStore, ServerKind};
use testcontainers::core::{IntoContainerPort as _, WaitFor};
use testcontainers::runners::SyncRunner as _;
use testcontainers::{Container, GenericImage, ImageExt as _};
use tokio::runtime::Runtime;

const PASSWORD: &str = "only-for-tests";
const DATABASE: &str = "reminderly";

/// Defaults on which names would garble, values be bent and instants shift: a session that is set up has none of them.
const BAD_DEFAULTS: [&str; 4] = [
    "--character-set-server=latin1",
    "--collation-server=latin1_general_cs",
    "--sql-mode=",
    "--default-time-zone=+05:30",
];

/// A server that runs until nobody holds it any more.
pub(crate) struct Database {
    pub(crate) config: MySqlConfig,
    _container: Option<Container<GenericImage>>,
}

static RUNNING: Mutex<[Weak<Database>; 2]> = Mutex::new([Weak::new(), Weak::new()]);

/// The server of this kind; `None` if there is none and that may be.
pub(crate) fn database(kind: ServerKind) -> Option<Arc<Database>> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let [mysql, mariadb] = &mut *running;
    let running = if kind == ServerKind::MySql { mysql } else { mariadb };
    if let Some(database) = running.upgrade() {
        return Some(database);
    }
    let database = Arc::new(match env::var("REMINDERLY_TEST_MYSQL_URL") {
        Ok(url) => given(&url, kind)?,
        Err(_) => start(kind)?,
    });
    *running = Arc::downgrade(&database);
    Some(database)
}

/// Runs a test to its end.
pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    Runtime::new().expect("a runtime").block_on(test)
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::default())
}

pub(crate) async fn connect(config: &MySqlConfig) -> Result<MySqlStore, ConnectError> {
    MySqlStore::connect(config, clock()).await
}

fn given(url: &str, kind: ServerKind) -> Option<Database> {
    let config = MySqlConfig::from_url(url).expect("REMINDERLY_TEST_MYSQL_URL is a URL");
    let store = block_on(connect(&config)).expect("the server of REMINDERLY_TEST_MYSQL_URL answers");
    if store.server().kind != kind {
        eprintln!("SKIPPED: the server of REMINDERLY_TEST_MYSQL_URL is no {kind:?}");
        return None;
    }
    eprintln!("server: {:?} {} of REMINDERLY_TEST_MYSQL_URL", kind, store.server().version);
    Some(Database { config, _container: None })
}

fn start(kind: ServerKind) -> Option<Database> {
    let (variable, family) = match kind {
        ServerKind::MySql => ("REMINDERLY_TEST_MYSQL_IMAGE", "MYSQL"),
        ServerKind::MariaDb => ("REMINDERLY_TEST_MARIADB_IMAGE", "MARIADB"),
    };
    let Ok(image) = env::var(variable) else {
        let missing = format!("there is no {variable}: use tests/run, or eval \"$(tests/servers/prepare)\"");
        assert!(env::var("CI").is_err(), "{missing}");
        eprintln!("SKIPPED: {missing}");
        return None;
    };
    let (name, tag) = image.rsplit_once(':').unwrap_or((&image, "latest"));
    let container = GenericImage::new(name, tag)
        .with_exposed_port(3306.tcp())
        // With two spaces: without, it is the server that an official image starts to set itself up.
        .with_wait_for(WaitFor::message_on_stderr("port: 3306  "))
        .with_env_var(format!("{family}_ROOT_PASSWORD"), PASSWORD)
        .with_env_var(format!("{family}_DATABASE"), DATABASE)
        .with_cmd(BAD_DEFAULTS)
        .start()
        .unwrap_or_else(|error| panic!("{image} does not start: {error}"));
    let (host, port) = (container.get_host(), container.get_host_port_ipv4(3306));
    let (host, port) = (host.expect("a host"), port.expect("a port"));
    let config = MySqlConfig::from_url(&format!("mysql://root:{PASSWORD}@{host}:{port}/{DATABASE}"));
    let config = config.expect("a URL");
    let store = block_on(connect(&config)).expect("a server that is ready takes connections");
    eprintln!("server: {:?} {} of {image}", kind, store.server().version);
    Some(Database { config, _container: Some(container) })
}
