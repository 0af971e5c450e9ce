//! Which server answers.

/// Which server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// MySQL or MariaDB.
    pub kind: ServerKind,
    /// What the server says of its version, such as `10.11.19-MariaDB` or `8.4.3`.
    pub version: String,
}

/// The kinds of servers that the store knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKind {
    /// MySQL, 8.4 or newer.
    MySql,
    /// MariaDB, 10.11 or newer.
    MariaDb,
}

impl Server {
    /// The server that calls its version so; `None` if it is too old, or nobody can tell.
    pub(crate) fn of(version: &str) -> Option<Self> {
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
