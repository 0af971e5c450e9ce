//! What every session is set to, and that it is.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use reminderly_core::clock::Clock;
use sqlx::mysql::MySqlConnection;
use sqlx::{Executor as _, FromRow, query_as};

/// Sets a session up. Of the statements that change what is stored, none may bend a value to fit; and nobody waits longer than
/// the shortest promise allows: an attempt is shown as unknown within two minutes.
///
/// What READ COMMITTED is for: every change of state names the state that it expects, so a snapshot of something older would only
/// hide that another was first. (A read, then a write, loses updates under REPEATABLE READ without an error.)
const SET_UP: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', \
     autocommit = 1, time_zone = '+00:00', lock_wait_timeout = 10, innodb_lock_wait_timeout = 5, default_storage_engine = InnoDB, \
     sql_select_limit = 18446744073709551615; \
     SET SESSION TRANSACTION READ WRITE; \
     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// The modes that are set: none of them bends a value.
const MODES: [&str; 5] = [
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "NO_ENGINE_SUBSTITUTION",
];

/// What is asked of a session: both kinds of server know these names.
const ASK: &str = "SELECT @@character_set_client AS client, @@character_set_connection AS connection, @@character_set_results AS results, \
     @@sql_mode AS mode, CAST(@@autocommit AS SIGNED) AS autocommit, @@time_zone AS zone, \
     CAST(@@lock_wait_timeout AS SIGNED) AS lock_wait, CAST(@@innodb_lock_wait_timeout AS SIGNED) AS row_wait, \
     @@default_storage_engine AS engine, CAST(@@max_allowed_packet AS SIGNED) AS packet, UTC_TIMESTAMP(6) AS now";

/// And this: each kind has a name of its own for it.
const ASK_ISOLATION: &str =
    "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')";

/// How far the clocks of the host and the server may be apart.
const CLOCKS_APART_MAX: TimeDelta = TimeDelta::seconds(2);

/// The longest statement that there may be: a row of a data file, which has a mebibyte by default, as JSON with every character escaped
/// and in hexadecimal digits.
const PACKET_MIN: i64 = 16 << 20;

/// A session on which reminders would be at risk.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError {
    /// A setting is not what it was set to: a proxy or an `init_connect` changes it.
    #[error(
        "the session has {setting} = '{found}' where '{expected}' was set: is there a proxy or an init_connect that changes it?"
    )]
    Setting {
        /// The variable of the server.
        setting: &'static str,
        /// What the session has.
        found: String,
        /// What it was set to.
        expected: &'static str,
    },
    /// Statements that are longer than the server takes would be refused when they come.
    #[error(
        "the session has {setting} = {found}, and needs at least {least}: raise it on the server, and on a proxy before it"
    )]
    TooSmall {
        /// The variable of the server.
        setting: &'static str,
        /// What the session has.
        found: i64,
        /// What it needs.
        least: i64,
    },
    /// The clocks of the host and the server differ. Hosts decide by their own clocks what is due and who is late.
    #[error(
        "the server's clock is {apart} from this host's, more than the {allowed} that are allowed: check time synchronisation on both"
    )]
    ClocksApart {
        /// By how much the server is ahead.
        apart: TimeDelta,
        /// What is allowed.
        allowed: TimeDelta,
    },
}

#[derive(FromRow)]
struct Answer {
    client: String,
    connection: String,
    results: String,
    mode: String,
    autocommit: i64,
    zone: String,
    lock_wait: i64,
    row_wait: i64,
    engine: String,
    packet: i64,
    now: NaiveDateTime,
}

/// Sets a session up and checks it.
pub(crate) async fn set_up(connection: &mut MySqlConnection, clock: &dyn Clock) -> Result<(), sqlx::Error> {
    connection.execute(SET_UP).await?;
    let (_, isolation): (String, String) = query_as(ASK_ISOLATION).fetch_one(&mut *connection).await?;
    let asked_at = clock.now();
    let answer: Answer = query_as(ASK).fetch_one(connection).await?;
    let checked = check(&answer, &isolation).and_then(|()| check_clock(&answer, asked_at, clock.now()));
    checked.map_err(|error| sqlx::Error::Configuration(Box::new(error)))
}

fn check(answer: &Answer, isolation: &str) -> Result<(), SessionError> {
    let is = |setting, found: &str, expected: &'static str| {
        let error = || SessionError::Setting { setting, found: found.to_owned(), expected };
        found.eq_ignore_ascii_case(expected).then_some(()).ok_or_else(error)
    };
    is("character_set_client", &answer.client, "utf8mb4")?;
    is("character_set_connection", &answer.connection, "utf8mb4")?;
    is("character_set_results", &answer.results, "utf8mb4")?;
    is("time_zone", &answer.zone, "+00:00")?;
    is("lock_wait_timeout", &answer.lock_wait.to_string(), "10")?;
    is("innodb_lock_wait_timeout", &answer.row_wait.to_string(), "5")?;
    is("default_storage_engine", &answer.engine, "InnoDB")?;
    is("autocommit", &answer.autocommit.to_string(), "1")?;
    is("transaction_isolation", isolation, "READ-COMMITTED")?;
    if answer.packet < PACKET_MIN {
        let (setting, found) = ("max_allowed_packet", answer.packet);
        return Err(SessionError::TooSmall { setting, found, least: PACKET_MIN });
    }
    let has = |wanted: &str| answer.mode.split(',').any(|mode| mode == wanted);
    match MODES.into_iter().find(|mode| !has(mode)) {
        Some(expected) => {
            Err(SessionError::Setting { setting: "sql_mode", found: answer.mode.clone(), expected })
        }
        None => Ok(()),
    }
}

fn check_clock(
    answer: &Answer,
    asked_at: DateTime<Utc>,
    answered_at: DateTime<Utc>,
) -> Result<(), SessionError> {
    // The server looked at its clock at some instant in between.
    let now = answer.now.and_utc();
    let apart = if now < asked_at { now - asked_at } else { (now - answered_at).max(TimeDelta::zero()) };
    if apart.abs() > CLOCKS_APART_MAX {
        return Err(SessionError::ClocksApart { apart, allowed: CLOCKS_APART_MAX });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Answer);

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn answer() -> Answer {
        let utf8mb4 = || "utf8mb4".to_owned();
        Answer {
            client: utf8mb4(),
            connection: utf8mb4(),
            results: utf8mb4(),
            mode: MODES.join(","),
            autocommit: 1,
            zone: "+00:00".to_owned(),
            lock_wait: 10,
            row_wait: 5,
            engine: "InnoDB".to_owned(),
            packet: PACKET_MIN,
            now: START.naive_utc(),
        }
    }

    #[test]
    fn a_session_with_another_setting_is_refused_by_its_name() {
        assert_eq!(check(&answer(), "READ-COMMITTED"), Ok(()));
        let changes: [(&str, Change); 9] = [
            ("autocommit", |answer| answer.autocommit = 0),
            ("character_set_client", |answer| answer.client = "latin1".to_owned()),
            ("character_set_connection", |answer| answer.connection = "utf8mb3".to_owned()),
            ("character_set_results", |answer| answer.results = "latin1".to_owned()),
            ("sql_mode", |answer| answer.mode = "STRICT_TRANS_TABLES".to_owned()),
            ("time_zone", |answer| answer.zone = "SYSTEM".to_owned()),
            ("lock_wait_timeout", |answer| answer.lock_wait = 86_400),
            ("innodb_lock_wait_timeout", |answer| answer.row_wait = 50),
            ("default_storage_engine", |answer| answer.engine = "MyISAM".to_owned()),
        ];
        for (named, change) in changes {
            let mut answer = answer();
            change(&mut answer);
            let Err(SessionError::Setting { setting, .. }) = check(&answer, "READ-COMMITTED") else {
                panic!("{named}")
            };
            assert_eq!(setting, named);
        }
        assert!(check(&answer(), "REPEATABLE-READ").is_err());
        let small = Answer { packet: PACKET_MIN - 1, ..answer() };
        assert!(matches!(check(&small, "READ-COMMITTED"), Err(SessionError::TooSmall { .. })));
        for mode in MODES {
            let others: Vec<&str> = MODES.into_iter().filter(|other| *other != mode).collect();
            assert!(
                check(&Answer { mode: others.join(","), ..answer() }, "READ-COMMITTED").is_err(),
                "{mode}"
            );
        }
    }

    #[test]
    fn clocks_may_be_two_seconds_apart_and_the_time_of_the_question_counts_for_nobody() {
        for (at, apart) in
            [(-2_000, None), (-2_001, Some(-2_001)), (3_000, None), (5_000, None), (5_001, Some(2_001))]
        {
            let now = START + TimeDelta::milliseconds(at);
            let answer = Answer { now: now.naive_utc(), ..answer() };
            let found = check_clock(&answer, START, START + TimeDelta::seconds(3));
            let (apart, allowed) = (apart.map(TimeDelta::milliseconds), CLOCKS_APART_MAX);
            assert_eq!(found.err(), apart.map(|apart| SessionError::ClocksApart { apart, allowed }), "{at}");
        }
    }
}
