//! A server, with databases that come and go.

use std::sync::Arc;

use reminderly_core::clock::SystemClock;
use reminderly_mysql::{MySqlConfig, MySqlStore};
use reminderly_tests::report::Failure;
use sqlx::Executor as _;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};

/// A server.
pub(crate) struct Site {
    /// What it is.
    pub(crate) version: String,
    url: String,
    /// Its own client.
    pub(crate) client: Option<String>,
}

/// A database of one run, which is dropped with its tables when the run is over.
pub(crate) struct Place {
    url: String,
    /// Its name.
    pub(crate) name: String,
}

impl Site {
    pub(crate) async fn new(url: &str, client: Option<String>) -> Result<Self, Failure> {
        let url = url.trim_end_matches('/').to_owned();
        let pool = MySqlPool::connect(&url).await?;
        let version = sqlx::query_scalar("SELECT VERSION()").fetch_one(&pool).await?;
        Ok(Self { version, url, client })
    }

    /// A database in which there is nothing.
    pub(crate) async fn place(&self) -> Result<Place, Failure> {
        let name = format!("bench_{:016x}", rand::random::<u64>());
        let config = MySqlConfig::from_url(&format!("{}/{name}", self.url))?;
        MySqlStore::create_database(&config).await?;
        Ok(Place { url: format!("{}/{name}", self.url), name })
    }
}

impl Place {
    /// A store with its tables.
    pub(crate) async fn store(&self, connections: u32) -> Result<MySqlStore, Failure> {
        let config = MySqlConfig::from_url(&self.url)?.with_connections_max(connections);
        let store = MySqlStore::connect(&config, Arc::new(SystemClock::new())).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Connections without anything around them, set up as those of the store are.
    pub(crate) async fn pool(&self, connections: u32) -> Result<MySqlPool, Failure> {
        let options = MySqlPoolOptions::new().max_connections(connections).min_connections(connections);
        let options = options.after_connect(|connection, _| {
            Box::pin(async move {
                let set_up = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
                connection.execute(set_up).await.map(drop)
            })
        });
        Ok(options.connect(&self.url).await?)
    }

    /// Takes the database away.
    pub(crate) async fn clear(self) -> Result<(), Failure> {
        let pool = self.pool(1).await?;
        pool.execute(&*format!("DROP DATABASE `{}`", self.name)).await?;
        Ok(())
    }
}
