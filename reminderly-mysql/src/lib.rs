//! Storage adapter for MySQL and MariaDB.
