//! The register of who wants no contact.

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use reminderly_core::domain::contact_point::EmailAddress;
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::{AccessStore as _, StoreError, UnsubscribeStore as _, WriteOutcome};
use reminderly_mysql::{MySqlStore, ServerKind};
use rstest::rstest;

use crate::database::{Database, block_on, database, migrated};
use crate::values::{company, id, now};

const OUT: UnsubscribeChange = UnsubscribeChange::OptedOut;
const IN: UnsubscribeChange = UnsubscribeChange::OptedIn;

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn the_latest_will_of_a_key_counts_in_whatever_order_they_come(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let (store, owner) = with_company(&database).await;
        let key = RefusalKey::Person(PersonKey::new("P-1").expect("a key"));
        let steps = [
            (event(&key, OUT, 10), WriteOutcome::Applied, true),
            (event(&key, OUT, 10), WriteOutcome::Stale, true),
            (event(&key, IN, 5), WriteOutcome::Stale, true),
            (event(&key, IN, 20), WriteOutcome::Applied, false),
            (event(&key, OUT, 15), WriteOutcome::Stale, false),
            (event(&key, OUT, 30), WriteOutcome::Applied, true),
        ];
        for (event, expected, refused) in &steps {
            assert_eq!(record(&store, owner, std::slice::from_ref(event)).await, [*expected], "{event:?}");
            assert_eq!(
                store.refused(owner, &[email("ann"), key.clone()]).await.expect("read"),
                [false, *refused]
            );
        }
        let applied: Vec<Unsubscribe> = steps
            .iter()
            .filter(|(_, outcome, _)| *outcome == WriteOutcome::Applied)
            .map(|(event, ..)| event.clone())
            .collect();
        assert_eq!(store.unsubscribe_events(owner, &key).await.expect("read"), applied);
        assert_eq!(
            store.refused(id(), std::slice::from_ref(&key)).await.expect("read"),
            [false],
            "another company's"
        );
        let nobody = store.record_unsubscribes(id(), &[event(&key, OUT, 40)], now()).await;
        assert!(matches!(nobody, Err(StoreError::Missing { what: "company" })), "{nobody:?}");
    });
}

/// Whoever says it first: of many at the same time one is kept.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_refusal_is_kept_once_whoever_records_it(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let (store, owner) = with_company(&database).await;
        for round in 0..5 {
            let events: Vec<Unsubscribe> =
                (0..10).map(|number| event(&email(&format!("p{number}.{round}")), OUT, 1)).collect();
            let mut backwards = events.clone();
            backwards.reverse();
            let recorded = [&events, &backwards, &events].map(|events| record(&store, owner, events));
            let applied = join_all(recorded).await.concat();
            let applied = applied.iter().filter(|outcome| **outcome == WriteOutcome::Applied).count();
            assert_eq!(applied, 10);
            for event in events {
                assert_eq!(store.unsubscribe_events(owner, &event.key).await.expect("read"), [event]);
            }
        }
    });
}

async fn with_company(database: &Database) -> (MySqlStore, CompanyId) {
    let (store, owner) = (migrated(database).await, company());
    store.save_company_across_companies(&owner).await.expect("saved");
    (store, owner.id)
}

async fn record(store: &MySqlStore, company: CompanyId, events: &[Unsubscribe]) -> Vec<WriteOutcome> {
    store.record_unsubscribes(company, events, at(1_000)).await.expect("an answer").into_vec()
}

fn at(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

fn email(name: &str) -> RefusalKey {
    RefusalKey::Email(EmailAddress::parse(&format!("{name}@example.org")).expect("an address"))
}

fn event(key: &RefusalKey, change: UnsubscribeChange, seconds: i64) -> Unsubscribe {
    Unsubscribe { key: key.clone(), change, source: UnsubscribeSource::Provider, at: at(seconds) }
}
