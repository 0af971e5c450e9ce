//! How to reach a server.

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use sqlx::mysql::MySqlConnectOptions;

/// How to reach a server, and how patient to be with it.
///
/// ```
/// use std::time::Duration;
/// use reminderly_mysql::MySqlConfig;
///
/// let config = MySqlConfig::from_url("mysql://reminderly:secret@db.example.com:3306/reminders")?
///     .with_connections_max(20)
///     .with_acquire_within(Duration::from_secs(5));
/// assert!(!format!("{config:?}").contains("secret"));
/// # Ok::<(), reminderly_mysql::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct MySqlConfig {
    pub(crate) options: MySqlConnectOptions,
    pub(crate) connections_max: u32,
    pub(crate) acquire_within: Duration,
    pub(crate) clocks_apart_max: TimeDelta,
}

/// A URL that names no database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no URL of a database. The text itself is not shown: it may hold a password.
    #[error("not a URL of the form mysql://user:password@host:port/database")]
    NotAUrl,
    /// The URL names a server, but no database on it.
    #[error("the URL names no database: mysql://user:password@host:port/database")]
    NoDatabase,
}

impl MySqlConfig {
    /// A server by its URL, `mysql://user:password@host:port/database`, with the
    /// [properties](sqlx::mysql::MySqlConnectOptions) of sqlx behind a `?`, such as `ssl-mode` and `ssl-ca`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the text is no such URL.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        let is_ours = url.starts_with("mysql://") || url.starts_with("mariadb://");
        let options: MySqlConnectOptions =
            url.parse().ok().filter(|_| is_ours).ok_or(ConfigError::NotAUrl)?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err(ConfigError::NoDatabase);
        }
        Ok(Self {
            options,
            connections_max: 10,
            acquire_within: Duration::from_secs(10),
            clocks_apart_max: TimeDelta::seconds(2),
        })
    }

    /// Another password than that of the URL: where it comes from a safe of secrets.
    pub fn with_password(self, password: &str) -> Self {
        Self { options: self.options.password(password), ..self }
    }

    /// The most connections of the pool; 10 by default.
    pub fn with_connections_max(self, connections_max: u32) -> Self {
        Self { connections_max: connections_max.max(1), ..self }
    }

    /// How long a call waits for a connection before the store counts as unavailable; 10 s by default.
    pub fn with_acquire_within(self, acquire_within: Duration) -> Self {
        Self { acquire_within, ..self }
    }
}

impl fmt::Debug for MySqlConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlConfig")
            .field("host", &self.options.get_host())
            .field("port", &self.options.get_port())
            .field("database", &self.options.get_database())
            .field("connections_max", &self.connections_max)
            .field("acquire_within", &self.acquire_within)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_url_of_a_database_is_one() {
        for url in
            ["", "reminders", "postgres://root@localhost/reminders", "mysql://root:p@host:99999/reminders"]
        {
            assert!(matches!(MySqlConfig::from_url(url), Err(ConfigError::NotAUrl)), "{url}");
        }
        for url in ["mysql://root@localhost", "mysql://root@localhost/"] {
            assert!(matches!(MySqlConfig::from_url(url), Err(ConfigError::NoDatabase)), "{url}");
        }
        let config = MySqlConfig::from_url("mysql://root@localhost:3307/reminders").unwrap();
        assert_eq!((config.options.get_port(), config.options.get_database()), (3307, Some("reminders")));
    }

    #[test]
    fn neither_user_nor_password_is_shown() {
        let config = MySqlConfig::from_url("mysql://keeper:hush@localhost/reminders").unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("keeper") && !shown.contains("hush"), "{shown}");
    }
}
