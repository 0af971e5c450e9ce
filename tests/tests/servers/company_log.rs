//! The logs of companies, in a table for each day.

use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::domain::access::Actor;
use reminderly_core::domain::log_entry::{CampaignDeed, Deed, LogEntry};
use reminderly_core::ports::store::{AccessStore as _, LogStore as _};
use reminderly_mysql::{MySqlConfig, ServerKind};
use rstest::rstest;
use sqlx::{query, query_scalar};

use crate::bench::sql;
use crate::database::{block_on, connect, database, fresh_url, migrated_at};
use crate::values::{company, id, now};

fn entry(at: DateTime<Utc>) -> LogEntry {
    LogEntry { id: id(), at, actor: Actor::Worker, deed: Deed::Campaign(id(), CampaignDeed::Pause) }
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn each_day_has_a_table_whoever_writes_first(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let url = fresh_url(&database);
        let one = migrated_at(&url).await;
        let other = connect(&MySqlConfig::from_url(&url).expect("a URL")).await.expect("connected");
        let owner = company();
        one.save_company_across_companies(&owner).await.expect("saved");
        let days = [0, 1].map(|days| now() + TimeDelta::days(days));
        let mut entries = Vec::new();
        for day in [days[0], days[1], days[0]] {
            let (first, second) = (entry(day), entry(day));
            let (one, other) = (one.append_to_log(owner.id, first), other.append_to_log(owner.id, second));
            let (one, other) = futures::join!(one, other);
            one.and(other).expect("written");
            entries.extend([first, second]);
        }
        entries.sort_by_key(LogEntry::place);
        let read = other.log(owner.id, days[0]..days[1] + TimeDelta::days(1), None, 100).await;
        assert_eq!(read.expect("read").items, entries);
        let mut sql = sql(&url).await;
        for (day, count) in [(days[0], 4), (days[1], 2)] {
            let select = format!("SELECT COUNT(*) FROM company_log_{}", day.format("%m%d%Y"));
            let found: i64 = query_scalar(&select).fetch_one(&mut sql).await.expect("a table of the day");
            assert_eq!(found, count);
        }
    });
}

/// A backup was loaded, or another server took over, while the host went on: nothing may keep it from going on.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_table_that_is_gone_is_made_again(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let url = fresh_url(&database);
        let (store, owner) = (migrated_at(&url).await, company());
        store.save_company_across_companies(&owner).await.expect("saved");
        store.append_to_log(owner.id, entry(now())).await.expect("written");
        let mut sql = sql(&url).await;
        for gone in [
            format!("DROP TABLE company_log_{}", now().format("%m%d%Y")),
            "DELETE FROM log_tables".to_owned(),
        ] {
            query(&gone).execute(&mut sql).await.expect("gone");
        }
        let written = entry(now());
        store.append_to_log(owner.id, written).await.expect("written");
        let read = store.log(owner.id, now()..now() + TimeDelta::days(1), None, 9).await.expect("read");
        assert_eq!(read.items, [written]);
    });
}
