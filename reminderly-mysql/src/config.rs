//! How to reach a server.

use std::fmt;
use std::time::Duration;

use sqlx::ConnectOptions as _;
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
}

/// The properties that a URL may have.
const PROPERTIES: [&str; 6] =
    ["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "socket", "statement-cache-capacity"];

/// A text that is no URL of a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no URL of a database. The text itself is not shown: it may hold a password.
    #[error("not a URL of the form mysql://user:password@host:port/database")]
    NotAUrl,
    /// The URL names a server, but no database on it.
    #[error("the URL names no database: mysql://user:password@host:port/database")]
    NoDatabase,
    /// The URL has a property that there is not, or that a session is not free to choose.
    #[error(
        "the URL has the property '{name}', but may only have ssl-mode, ssl-ca, ssl-cert, ssl-key, socket and statement-cache-capacity"
    )]
    Property {
        /// Its name.
        name: String,
    },
}

impl MySqlConfig {
    /// A server by its URL, `mysql://user:password@host:port/database`. What is special in a URL is written `%40` and so on.
    ///
    /// Behind a `?` it may have properties: `ssl-ca`, `ssl-cert` and `ssl-key` (files), `socket`, `statement-cache-capacity`, and
    /// `ssl-mode`: `PREFERRED` where nothing is said, which encrypts if the server can and checks no certificate. Across a network say
    /// `VERIFY_IDENTITY`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the text is no such URL.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        let is_ours = url.starts_with("mysql://") || url.starts_with("mariadb://");
        let options: Option<MySqlConnectOptions> = url.parse().ok().filter(|_| is_ours);
        let options = options.ok_or(ConfigError::NotAUrl)?;
        let properties = url.split_once('?').map(|(_, properties)| properties).unwrap_or_default();
        let mut names = properties.split('&').filter_map(|property| property.split('=').next());
        if let Some(name) = names.find(|name| !name.is_empty() && !PROPERTIES.contains(name)) {
            return Err(ConfigError::Property { name: name.to_owned() });
        }
        match options.get_database() {
            None | Some("") => return Err(ConfigError::NoDatabase),
            // The end of a password that was not written as a URL wants it.
            Some(database) if database.contains(['/', '@', ':']) => return Err(ConfigError::NotAUrl),
            Some(_) => {}
        }
        // The brackets of an IPv6 address are the URL's.
        let host = options.get_host().trim_matches(['[', ']']).to_owned();
        // The driver would log slow statements with the values in them, which are about persons.
        let options = options.host(&host).disable_statement_logging();
        Ok(Self { options, connections_max: 10, acquire_within: Duration::from_secs(10) })
    }

    /// Another password than that of the URL: where it comes from a safe of secrets.
    pub fn with_password(self, password: &str) -> Self {
        Self { options: self.options.password(password), ..self }
    }

    /// Another database than that of the URL.
    pub fn with_database(self, database: &str) -> Self {
        Self { options: self.options.database(database), ..self }
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

/// `host:port/database`: what an operator looks for in a log.
impl fmt::Display for MySqlConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (self.options.get_host(), self.options.get_port());
        write!(f, "{host}:{port}/{}", self.options.get_database().unwrap_or_default())
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
        for url in [
            "",
            "reminders",
            "postgres://root@localhost/reminders",
            "mysql://root:p@host:99999/reminders",
            "mysql://root:12/34@host/reminders",
        ] {
            assert!(matches!(MySqlConfig::from_url(url), Err(ConfigError::NotAUrl)), "{url}");
        }
        for url in ["mysql://root@localhost", "mysql://root@localhost/"] {
            assert!(matches!(MySqlConfig::from_url(url), Err(ConfigError::NoDatabase)), "{url}");
        }
        let config = MySqlConfig::from_url("mariadb://root:a%2Fb@[::1]:3307/reminders").unwrap().options;
        assert_eq!((config.get_host(), config.get_port()), ("::1", 3307));
        assert_eq!(config.get_database(), Some("reminders"));
    }

    #[test]
    fn what_sqlx_would_overlook_or_a_session_may_not_choose_is_refused() {
        for (property, named) in [
            ("ssl_mode=REQUIRED", "ssl_mode"),
            ("ssl-mode=REQUIRED&charset=latin1", "charset"),
            ("timezone=%2B05:00", "timezone"),
            ("tls", "tls"),
        ] {
            let url = format!("mysql://root@localhost/reminders?{property}");
            let Err(ConfigError::Property { name }) = MySqlConfig::from_url(&url) else { panic!("{url}") };
            assert_eq!(name, named);
        }
        assert!(
            MySqlConfig::from_url("mysql://root@localhost/reminders?ssl-mode=VERIFY_CA&ssl-ca=ca.pem")
                .is_ok()
        );
    }

    #[test]
    fn neither_user_nor_password_is_shown() {
        let config = MySqlConfig::from_url("mysql://keeper:hush@localhost/reminders").unwrap();
        let shown = format!("{config:?} {config}");
        assert!(!shown.contains("keeper") && !shown.contains("hush"), "{shown}");
        assert_eq!(config.to_string(), "localhost:3306/reminders");
    }
}
