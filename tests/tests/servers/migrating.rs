//! How tables come to be.

use std::time::Duration;

use reminderly_core::ports::store::{AccessStore as _, StoreError};
use reminderly_mysql::{MySqlConfig, ServerKind};
use rstest::rstest;
use tokio::time::timeout;

use crate::database::{block_on, connect, database, fresh};
use crate::values::company;

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn tables_are_made_once(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let store = connect(&fresh(&database).await).await.expect("connected");
        let before = store.company(company().id).await.expect_err("there is no table");
        assert!(matches!(before, StoreError::Unavailable { .. }), "{before:?}");
        let steps = store.steps_to_migrate().await.expect("counted");
        assert!(steps > 0);
        assert_eq!(store.migrate().await.expect("migrated"), steps);
        assert_eq!(store.steps_to_migrate().await.expect("counted"), 0);
        assert_eq!(store.migrate().await.expect("migrated again"), 0);
        assert_eq!(store.company(company().id).await.expect("there is a table"), None);
    });
}

/// Hosts that start at the same time may each migrate.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn migrators_wait_for_each_other(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let config = fresh(&database).await;
        let store = connect(&config).await.expect("connected");
        let other = connect(&config).await.expect("connected");
        let (one, two, three) = tokio::join!(store.migrate(), other.migrate(), store.migrate());
        let steps = [one, two, three].map(|outcome| outcome.expect("migrated"));
        assert_eq!(steps.iter().filter(|steps| **steps > 0).count(), 1, "{steps:?}");
    });
}

/// A migrator that is killed anywhere leaves what another one takes up.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn whoever_is_killed_migrates_again(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let config = fresh(&database).await;
        let mut killed = 0;
        while migrate_within(&config, Duration::from_millis(killed)).await.is_none() {
            killed += 1;
        }
        assert!(killed > 0);
        let (store, saved) = (connect(&config).await.expect("connected"), company());
        assert_eq!(store.migrate().await.expect("migrated"), 0);
        store.save_company_across_companies(&saved).await.expect("saved");
        assert_eq!(store.company(saved.id).await.expect("read"), Some(saved));
    });
}

/// How many steps it took; `None` if it was killed before its end.
async fn migrate_within(config: &MySqlConfig, time: Duration) -> Option<usize> {
    let store = connect(config).await.expect("connected");
    let outcome = timeout(time, store.migrate()).await.ok()?;
    Some(outcome.expect("migrated"))
}
