//! The store.

use std::fmt;
use std::sync::Arc;

use reminderly_core::clock::Clock;
use reminderly_core::ports::BoxError;
use reminderly_core::ports::store::StoreError;
use sqlx::mysql::{MySqlConnection, MySqlPool, MySqlPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, query_scalar};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::warn;

use crate::config::MySqlConfig;
use crate::session::{self, SessionError};

/// A store on one server.
#[derive(Clone)]
pub struct MySqlStore {
    pool: MySqlPool,
    server: Server,
}

/// Which server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// MySQL or MariaDB.
    pub kind: ServerKind,
    /// What the server says of its version, such as `10.11.19-MariaDB` or `8.4.3`.
    pub version: String,
}

/// The kinds of servers that this store knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// MySQL, 8.4 or newer.
    MySql,
    /// MariaDB, 10.11 or newer.
    MariaDb,
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server cannot be reached, or refuses the user.
    #[error(
        "the server cannot be reached, or refuses the user: check host, port, user, password and database"
    )]
    Unreachable {
        /// What the server or the network said.
        #[source]
        source: BoxError,
    },
    /// Its sessions are not what they were set to.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The server is too old.
    #[error("{version} is too old: MySQL 8.4 or MariaDB 10.11 is the oldest that the store runs on")]
    TooOld {
        /// What it says of its version.
        version: String,
    },
}

impl MySqlStore {
    /// Connects, and checks the session that it gets; every later session is set up and checked too. Needs a runtime of tokio.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the server or the way to it. Nothing is retried: whether a host waits for its
    /// database is its own matter.
    pub async fn connect(config: &MySqlConfig, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        let apart_max = config.clocks_apart_max;
        // A pool tries again until nobody waits any more; what is wrong is told by a connection of its own.
        let mut first = timeout(config.acquire_within, config.options.connect()).await??;
        session::set_up(&mut first, &*clock, apart_max).await?;
        let version: String = query_scalar("SELECT VERSION()").fetch_one(&mut first).await?;
        first.close().await?;
        let server = Server::of(&version).ok_or(ConnectError::TooOld { version })?;
        let pool = MySqlPoolOptions::new()
            .max_connections(config.connections_max)
            .acquire_timeout(config.acquire_within)
            .after_connect(move |connection: &mut MySqlConnection, _| {
                let clock = Arc::clone(&clock);
                Box::pin(async move {
                    let set_up = session::set_up(connection, &*clock, apart_max).await;
                    set_up.inspect_err(|error| warn!(%error, "a session could not be set up"))
                })
            })
            .connect_lazy_with(config.options.clone());
        Ok(Self { pool, server })
    }

    /// Which server answers.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Asks the server for a sign of life: for the health checks of hosts.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if no connection can be had, or its session is not what it was set to, within the time that
    /// [`MySqlConfig::with_acquire_within`] gives.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let unavailable = |error: sqlx::Error| StoreError::Unavailable { source: error.into() };
        self.pool.acquire().await.map_err(unavailable)?.ping().await.map_err(unavailable)
    }

    /// Closes all connections, once they are not in use any more. Calls that come later find the store unavailable.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl fmt::Debug for MySqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlStore").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Server {
    /// The server that calls its version so; `None` if it is too old.
    fn of(version: &str) -> Option<Self> {
        let is_maria = version.to_ascii_lowercase().contains("mariadb");
        let (kind, oldest) =
            if is_maria { (ServerKind::MariaDb, (10, 11)) } else { (ServerKind::MySql, (8, 4)) };
        // Old drivers are told that MariaDB is MySQL 5.5.5, and then the truth.
        let own = version.strip_prefix("5.5.5-").filter(|_| is_maria).unwrap_or(version);
        let mut numbers = own.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().ok());
        let found = (numbers.next()??, numbers.next()??);
        (found >= oldest).then(|| Self { kind, version: version.to_owned() })
    }
}

impl From<sqlx::Error> for ConnectError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Configuration(error) => match error.downcast::<SessionError>() {
                Ok(error) => Self::Session(*error),
                Err(error) => Self::Unreachable { source: error },
            },
            source => Self::Unreachable { source: source.into() },
        }
    }
}

impl From<Elapsed> for ConnectError {
    fn from(elapsed: Elapsed) -> Self {
        Self::Unreachable { source: elapsed.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        let kind = |version| Server::of(version).map(|server| server.kind);
        for version in ["10.11.19-MariaDB-0+deb12u1", "5.5.5-11.4.2-MariaDB", "12.0.1-MariaDB-log"] {
            assert_eq!(kind(version), Some(ServerKind::MariaDb), "{version}");
        }
        for version in ["8.4.3", "9.7.4-2", "8.4.0-commercial"] {
            assert_eq!(kind(version), Some(ServerKind::MySql), "{version}");
        }
        for version in ["8.0.36", "5.5.5-10.6.1-MariaDB", "10.5.8-MariaDB", "5.7.44-log", "", "x"] {
            assert_eq!(kind(version), None, "{version}");
        }
    }
}
