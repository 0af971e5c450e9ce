//! The tables, and how they come to be.

use std::time::Duration;

use reminderly_core::ports::BoxError;
use sqlx::mysql::{MySqlConnection, MySqlDatabaseError};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, query, query_scalar};
use tokio::time::timeout;

use crate::config::MySqlConfig;
use crate::error::ConnectError;
use crate::reference;
use crate::store::MySqlStore;

/// Every step, in order: one statement each, which does no harm a second time.
const MIGRATIONS: [Migration; 56] = [
    Migration { number: 1, name: "company", statement: include_str!("../migrations/0001_company.sql") },
    Migration { number: 2, name: "users", statement: include_str!("../migrations/0002_users.sql") },
    Migration { number: 3, name: "roles", statement: include_str!("../migrations/0003_roles.sql") },
    Migration { number: 4, name: "user_roles", statement: include_str!("../migrations/0004_user_roles.sql") },
    Migration {
        number: 5,
        name: "role_companies",
        statement: include_str!("../migrations/0005_role_companies.sql"),
    },
    Migration {
        number: 6,
        name: "user_company_access",
        statement: include_str!("../migrations/0006_user_company_access.sql"),
    },
    Migration {
        number: 7,
        name: "company_campaigns",
        statement: include_str!("../migrations/0007_company_campaigns.sql"),
    },
    Migration {
        number: 8,
        name: "campaign_documents",
        statement: include_str!("../migrations/0008_campaign_documents.sql"),
    },
    Migration { number: 9, name: "restores", statement: include_str!("../migrations/0009_restores.sql") },
    Migration {
        number: 10,
        name: "company_locks",
        statement: include_str!("../migrations/0010_company_locks.sql"),
    },
    Migration {
        number: 11,
        name: "packet_table_tracking",
        statement: include_str!("../migrations/0011_packet_table_tracking.sql"),
    },
    Migration {
        number: 12,
        name: "data_packet",
        statement: include_str!("../migrations/0012_data_packet.sql"),
    },
    Migration {
        number: 13,
        name: "packet_keys",
        statement: include_str!("../migrations/0013_packet_keys.sql"),
    },
    Migration {
        number: 14,
        name: "appointments",
        statement: include_str!("../migrations/0014_appointments.sql"),
    },
    Migration {
        number: 15,
        name: "appointments_named",
        statement: include_str!("../migrations/0015_appointments_named.sql"),
    },
    Migration {
        number: 16,
        name: "natural_keys",
        statement: include_str!("../migrations/0016_natural_keys.sql"),
    },
    Migration {
        number: 17,
        name: "person_days",
        statement: include_str!("../migrations/0017_person_days.sql"),
    },
    Migration {
        number: 18,
        name: "message_days",
        statement: include_str!("../migrations/0018_message_days.sql"),
    },
    Migration { number: 19, name: "answers", statement: include_str!("../migrations/0019_answers.sql") },
    Migration { number: 20, name: "questions", statement: include_str!("../migrations/0020_questions.sql") },
    Migration { number: 21, name: "incoming", statement: include_str!("../migrations/0021_incoming.sql") },
    Migration {
        number: 22,
        name: "contact_messages",
        statement: include_str!("../migrations/0022_contact_messages.sql"),
    },
    Migration {
        number: 23,
        name: "person_contacts",
        statement: include_str!("../migrations/0023_person_contacts.sql"),
    },
    Migration { number: 24, name: "refusals", statement: include_str!("../migrations/0024_refusals.sql") },
    Migration {
        number: 25,
        name: "unsubscribe_events",
        statement: include_str!("../migrations/0025_unsubscribe_events.sql"),
    },
    Migration { number: 26, name: "attempts", statement: include_str!("../migrations/0026_attempts.sql") },
    Migration {
        number: 27,
        name: "packet_counts",
        statement: include_str!("../migrations/0027_packet_counts.sql"),
    },
    Migration {
        number: 28,
        name: "packet_windows",
        statement: include_str!("../migrations/0028_packet_windows.sql"),
    },
    Migration {
        number: 29,
        name: "packet_asking",
        statement: include_str!("../migrations/0029_packet_asking.sql"),
    },
    Migration {
        number: 30,
        name: "packet_copies",
        statement: include_str!("../migrations/0030_packet_copies.sql"),
    },
    Migration {
        number: 31,
        name: "open_claims",
        statement: include_str!("../migrations/0031_open_claims.sql"),
    },
    Migration {
        number: 32,
        name: "unknown_attempts",
        statement: include_str!("../migrations/0032_unknown_attempts.sql"),
    },
    Migration {
        number: 33,
        name: "first_restore",
        statement: include_str!("../migrations/0033_first_restore.sql"),
    },
    Migration {
        number: 34,
        name: "incoming_counts",
        statement: include_str!("../migrations/0034_incoming_counts.sql"),
    },
    Migration {
        number: 35,
        name: "contact_methods",
        statement: include_str!("../migrations/0035_contact_methods.sql"),
    },
    Migration {
        number: 36,
        name: "contact_status",
        statement: include_str!("../migrations/0036_contact_status.sql"),
    },
    Migration {
        number: 37,
        name: "data_ingest_source",
        statement: include_str!("../migrations/0037_data_ingest_source.sql"),
    },
    Migration {
        number: 38,
        name: "data_ingest_stage",
        statement: include_str!("../migrations/0038_data_ingest_stage.sql"),
    },
    Migration {
        number: 39,
        name: "message_functions",
        statement: include_str!("../migrations/0039_message_functions.sql"),
    },
    Migration {
        number: 40,
        name: "data_packet_moving_to",
        statement: include_str!("../migrations/0040_data_packet_moving_to.sql"),
    },
    Migration {
        number: 41,
        name: "table_moves",
        statement: include_str!("../migrations/0041_table_moves.sql"),
    },
    Migration {
        number: 42,
        name: "packet_table_tracking_by_state",
        statement: include_str!("../migrations/0042_packet_table_tracking_by_state.sql"),
    },
    Migration {
        number: 43,
        name: "sms_unsubscribe",
        statement: include_str!("../migrations/0043_sms_unsubscribe.sql"),
    },
    Migration {
        number: 44,
        name: "phone_unsubscribe",
        statement: include_str!("../migrations/0044_phone_unsubscribe.sql"),
    },
    Migration {
        number: 45,
        name: "email_unsubscribe",
        statement: include_str!("../migrations/0045_email_unsubscribe.sql"),
    },
    Migration {
        number: 46,
        name: "person_unsubscribe",
        statement: include_str!("../migrations/0046_person_unsubscribe.sql"),
    },
    Migration {
        number: 47,
        name: "begin_recipients",
        statement: include_str!("../migrations/0047_begin_recipients.sql"),
    },
    Migration {
        number: 48,
        name: "collect_recipients",
        statement: include_str!("../migrations/0048_collect_recipients.sql"),
    },
    Migration {
        number: 49,
        name: "collect_packet",
        statement: include_str!("../migrations/0049_collect_packet.sql"),
    },
    Migration {
        number: 50,
        name: "recipients_of_packet",
        statement: include_str!("../migrations/0050_recipients_of_packet.sql"),
    },
    Migration {
        number: 51,
        name: "report_of_packet",
        statement: include_str!("../migrations/0051_report_of_packet.sql"),
    },
    Migration {
        number: 52,
        name: "report_of_campaign",
        statement: include_str!("../migrations/0052_report_of_campaign.sql"),
    },
    Migration {
        number: 53,
        name: "log_tables",
        statement: include_str!("../migrations/0053_log_tables.sql"),
    },
    Migration {
        number: 54,
        name: "offloaded_packets",
        statement: include_str!("../migrations/0054_offloaded_packets.sql"),
    },
    Migration {
        number: 55,
        name: "packet_table_tracking_offloads",
        statement: include_str!("../migrations/0055_packet_table_tracking_offloads.sql"),
    },
    Migration {
        number: 56,
        name: "contact_persons",
        statement: include_str!("../migrations/0056_contact_persons.sql"),
    },
];

struct Migration {
    number: u32,
    name: &'static str,
    statement: &'static str,
}

/// What was done before. In a table of its own, so that an older binary sees what it does not know.
const DONE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    number INT UNSIGNED NOT NULL,
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    applied_at DATETIME(6) NOT NULL,
    PRIMARY KEY (number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";

/// One migrator at a time, of this database: names of locks are the server's.
const LOCK: &str = "SELECT GET_LOCK(CONCAT('reminderly.', LEFT(SHA2(DATABASE(), 256), 40)), ?)";

/// How long to wait for another migrator.
const WAIT: Duration = Duration::from_mins(1);

/// A server that takes longer says nothing any more.
const ENDS_WITHIN: Duration = Duration::from_mins(10);

/// Why there are no tables.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// Another migrator holds the lock, and has not come to its end within a minute.
    #[error(
        "another migrator is at work on this database and does not come to its end: is it still running?"
    )]
    Busy,
    /// The server cannot be reached, or the connection was lost. What was done stays; run it again.
    #[error("the server was lost")]
    Lost {
        /// What the server or the network said.
        #[source]
        source: BoxError,
    },
    /// A step failed. Those before it were done; run it again when the cause is mended.
    #[error("migration {number} ({name}) failed: may the user create tables, views and procedures?")]
    Failed {
        /// Its number.
        number: u32,
        /// What it makes.
        name: &'static str,
        /// What the server said.
        #[source]
        source: BoxError,
    },
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Lost { source: error.into() }
    }
}

impl MySqlStore {
    /// Creates the database that the configuration names, unless it is there. The user must be allowed to.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Unreachable`] if the server does not let us in, or does not let the user create it.
    pub async fn create_database(config: &MySqlConfig) -> Result<(), ConnectError> {
        let name = config.options.get_database().unwrap_or_default().replace('`', "``");
        let create =
            format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        let work = async {
            // Every server has this one.
            let mut connection = config.options.clone().database("information_schema").connect().await?;
            // A name that the operator chose, quoted.
            connection.execute(&*create).await?;
            connection.close().await
        };
        let late = |elapsed| ConnectError::Unreachable { source: BoxError::from(elapsed) };
        timeout(config.acquire_within, work).await.map_err(late)?.map_err(ConnectError::of)
    }

    /// How many steps [`migrate`](Self::migrate) would take. To be asked by a host that starts: with tables of an older version it would
    /// fail here and there.
    ///
    /// # Errors
    ///
    /// [`MigrateError::Lost`].
    pub async fn steps_to_migrate(&self) -> Result<usize, MigrateError> {
        let mut connection = self.pool.acquire().await?;
        let work = async {
            match done(&mut connection).await {
                Ok(done) => Ok(MIGRATIONS.iter().filter(|step| !done.contains(&step.number)).count()),
                Err(error) if is_no_table(&error) => Ok(MIGRATIONS.len()),
                Err(error) => Err(error.into()),
            }
        };
        timeout(ENDS_WITHIN, work).await.map_err(|late| MigrateError::Lost { source: late.into() })?
    }

    /// Creates the tables that are not there yet, and answers how many steps it took. To be run before the first start of a new
    /// version; the old one goes on beside it. Nothing is taken away, so steps of a newer version than this do no harm.
    ///
    /// Two at a time wait for each other. Whoever is killed in between runs it again: each step does no harm a second time.
    ///
    /// # Errors
    ///
    /// [`MigrateError`] says which step failed, and why.
    pub async fn migrate(&self) -> Result<usize, MigrateError> {
        // Not of the pool: the lock ends with the connection, however this ends.
        let mut connection = self.pool.acquire().await?.detach();
        let work = async {
            let locked: Option<i64> =
                query_scalar(LOCK).bind(WAIT.as_secs()).fetch_one(&mut connection).await?;
            if locked != Some(1) {
                return Err(MigrateError::Busy);
            }
            let steps = migrate(&mut connection).await?;
            connection.close().await?;
            Ok(steps)
        };
        timeout(ENDS_WITHIN, work).await.map_err(|late| MigrateError::Lost { source: late.into() })?
    }
}

/// The steps that were taken.
async fn done(connection: &mut MySqlConnection) -> Result<Vec<u32>, sqlx::Error> {
    query_scalar("SELECT number FROM schema_migrations").fetch_all(connection).await
}

/// Whether a table is not there: the SQLSTATE of `ER_NO_SUCH_TABLE`.
fn is_no_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().is_some_and(|state| state == "42S02"))
}

/// Whether a column or an index is there already: `ER_DUP_FIELDNAME`, `ER_DUP_KEYNAME`. MySQL has no `IF NOT EXISTS` for them.
fn is_done_already(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
    error.is_some_and(|error| matches!(error.number(), 1060 | 1061))
}

async fn migrate(connection: &mut MySqlConnection) -> Result<usize, MigrateError> {
    connection.execute(DONE).await?;
    let done = done(connection).await?;
    let mut steps = 0;
    for Migration { number, name, statement } in MIGRATIONS {
        if done.contains(&number) {
            continue;
        }
        let failed = |error: sqlx::Error| MigrateError::Failed { number, name, source: error.into() };
        match connection.execute(statement).await {
            Err(error) if !is_done_already(&error) => return Err(failed(error)),
            _ => {}
        }
        query("INSERT INTO schema_migrations (number, name, applied_at) VALUES (?, ?, UTC_TIMESTAMP(6))")
            .bind(number)
            .bind(name)
            .execute(&mut *connection)
            .await?;
        steps += 1;
    }
    reference::write(connection).await?;
    Ok(steps)
}
