//! What a connection promises.

use std::error::Error as _;
use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;
use reminderly_core::ports::store::{AccessStore as _, StoreError};
use reminderly_core::testing::SkewedClock;
use reminderly_mysql::{ConnectError, MySqlConfig, MySqlStore, ServerKind, SessionError};
use rstest::rstest;

use crate::database::{block_on, clock, connect, database, migrated};
use crate::values::company;

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn sessions_are_set_up_whatever_the_defaults_of_the_server(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let store = connect(&database.config).await.expect("connected");
        assert_eq!(store.server().kind, kind);
        store.ping().await.expect("a session of the pool");
        store.close().await;
        let error = store.ping().await.expect_err("closed");
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    });
}

/// A session that the pool opens later is checked as the first one was, and who waits for it learns what is wrong.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_session_that_is_opened_after_a_clock_has_jumped_is_refused(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let clock = Arc::new(SkewedClock::new(clock(), TimeDelta::zero()));
    block_on(async {
        let config = database.config.clone().with_acquire_within(Duration::from_secs(2));
        let store = MySqlStore::connect(&config, Arc::<SkewedClock>::clone(&clock)).await.expect("connected");
        clock.jump_to(TimeDelta::minutes(5));
        let error = store.ping().await.expect_err("the clocks are apart");
        let reason = error.source().and_then(|source| source.downcast_ref());
        assert!(matches!(reason, Some(SessionError::ClocksApart { .. })), "{error:?}");
        clock.jump_to(TimeDelta::zero());
        store.ping().await.expect("the clocks agree again");
    });
}

/// Neither a health check nor a host that starts waits for ever.
#[test]
fn a_server_that_says_nothing_is_unreachable_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let config = MySqlConfig::from_url(&format!("mysql://root@{address}/reminderly")).expect("a URL");
    let config = config.with_acquire_within(Duration::from_millis(200));
    let error = block_on(connect(&config)).expect_err("it says nothing");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_server_with_another_clock_is_refused(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        for (seconds, is_refused) in [(-10, true), (-1, false), (1, false), (10, true)] {
            let clock = Arc::new(SkewedClock::new(clock(), TimeDelta::seconds(seconds)));
            match MySqlStore::connect(&database.config, clock).await {
                Ok(_) => assert!(!is_refused, "{seconds}"),
                Err(ConnectError::Session(SessionError::ClocksApart { apart, .. })) => {
                    assert!(is_refused, "{seconds}");
                    let wrong_by = (apart + TimeDelta::seconds(seconds)).abs();
                    assert!(wrong_by < TimeDelta::seconds(2), "{apart} for {seconds}");
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn who_is_refused_learns_where_to_look_and_no_password_is_shown(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let wrong = database.config.clone().with_password("no-such-password");
    let nobody =
        MySqlConfig::from_url("mysql://root:no-such-password@127.0.0.1:1/reminderly").expect("a URL");
    block_on(async {
        for config in [wrong, nobody.with_acquire_within(Duration::from_millis(300))] {
            let error = connect(&config).await.expect_err("refused");
            assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
            assert!(error.source().is_some() && error.to_string().contains("password"), "{error}");
            assert!(!format!("{error:?}").contains("no-such-password"), "{error:?}");
        }
    });
}

/// Statements of varying text carry what people are called.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn no_statement_is_logged(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.finish(), || {
        tracing::info!("what is said is kept");
        block_on(async {
            let store = migrated(&database).await;
            let company = company();
            store.save_company_across_companies(&company).await.expect("saved");
            assert_eq!(store.company(company.id).await.expect("read"), Some(company));
        });
    });
    let said = log.said();
    assert!(said.contains("what is said is kept"));
    assert!(!said.contains("SELECT") && !said.contains("INSERT"), "{said}");
}

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn said(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
