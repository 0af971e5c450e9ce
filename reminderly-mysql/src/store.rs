//! The store.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::NaiveDate;
use reminderly_core::clock::Clock;
use reminderly_core::ports::BoxError;
use reminderly_core::ports::store::StoreError;
use sqlx::mysql::{MySqlConnection, MySqlPool, MySqlPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, query_scalar};
use tokio::time::timeout;

use crate::config::MySqlConfig;
use crate::error::ConnectError;
use crate::server::Server;
use crate::session::{self, SessionError};

/// A store on one server.
#[derive(Clone)]
pub struct MySqlStore {
    pub(crate) pool: MySqlPool,
    server: Server,
    pub(crate) acquire_within: Duration,
    /// Days whose logs are known to have a table.
    pub(crate) log_days: Arc<Mutex<BTreeSet<NaiveDate>>>,
    /// Why the last session was refused: the pool, which tries again until nobody waits any more, only says that it took too long.
    refused: Arc<Mutex<Option<SessionError>>>,
}

impl MySqlStore {
    /// Connects, and checks the session that it gets; every later session is set up and checked when it is opened. Needs a runtime
    /// of tokio.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says what is wrong with the server or the way to it, within
    /// [the time for a connection](MySqlConfig::with_acquire_within). Nothing is retried: whether a host waits for its database is
    /// its own matter.
    pub async fn connect(config: &MySqlConfig, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        let late = |elapsed| ConnectError::Unreachable { source: BoxError::from(elapsed) };
        let version = timeout(config.acquire_within, first_session(config, &*clock)).await.map_err(late)?;
        let version = version.map_err(ConnectError::of)?;
        let server = Server::of(&version).ok_or(ConnectError::Unsupported { version })?;
        let refused = Arc::new(Mutex::new(None));
        let of_pool = Arc::clone(&refused);
        let pool = MySqlPoolOptions::new()
            .max_connections(config.connections_max)
            .acquire_timeout(config.acquire_within)
            .after_connect(move |connection, _| {
                let (clock, refused) = (Arc::clone(&clock), Arc::clone(&of_pool));
                Box::pin(async move { set_up(connection, &*clock, &refused).await })
            })
            .connect_lazy_with(config.options.clone());
        let log_days = Arc::default();
        Ok(Self { pool, server, acquire_within: config.acquire_within, log_days, refused })
    }

    /// Which server answers.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Asks the server for a sign of life: for the health checks of hosts.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if no connection answers within [the time for one](MySqlConfig::with_acquire_within); its source is
    /// a [`SessionError`] if sessions are not what they were set to.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let ping = async { self.pool.acquire().await?.ping().await };
        match timeout(self.acquire_within, ping).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.unavailable(error.into())),
            Err(elapsed) => Err(self.unavailable(elapsed.into())),
        }
    }

    /// Closes all connections, once they are not in use any more. Calls that come later find the store unavailable.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The error of a call that could not reach the server.
    pub(crate) fn unavailable(&self, error: BoxError) -> StoreError {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        StoreError::Unavailable { source: refused.map_or(error, BoxError::from) }
    }
}

impl fmt::Debug for MySqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlStore").field("server", &self.server).finish_non_exhaustive()
    }
}

/// What the server says of its version, in a session that is set up and checked.
async fn first_session(config: &MySqlConfig, clock: &dyn Clock) -> Result<String, sqlx::Error> {
    let mut connection = config.options.connect().await?;
    session::set_up(&mut connection, clock).await?;
    let version = query_scalar("SELECT VERSION()").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(version)
}

/// Sets a session of the pool up, and keeps why it is refused.
async fn set_up(
    connection: &mut MySqlConnection,
    clock: &dyn Clock,
    refused: &Mutex<Option<SessionError>>,
) -> Result<(), sqlx::Error> {
    let outcome = session::set_up(connection, clock).await;
    let reason = match &outcome {
        Err(sqlx::Error::Configuration(error)) => error.downcast_ref::<SessionError>().cloned(),
        _ => None,
    };
    *refused.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    outcome
}
