//! What people with a SQL client find: lists of unsubscribed contact points, and reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::unsubscribe::{RefusalKey, Unsubscribe, UnsubscribeChange, UnsubscribeSource};
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{AccessStore as _, ReportStore as _, UnsubscribeStore as _};
use reminderly_core::testing::VirtualClock;
use reminderly_mysql::{History, HistorySettings, MySqlStore, ServerKind};
use rstest::rstest;
use sqlx::{MySqlConnection, Row as _, query_as, raw_sql};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::bench::sql;
use crate::database::{Database, block_on, database, fresh_url, migrated_at};
use crate::simulated::carry_out;
use crate::values::{company, id, now};

/// A schedule in which people answer, and a packet is cancelled.
const SEED: u64 = 5;

/// A store, and a connection to its database.
async fn opened(database: &Database) -> (MySqlStore, MySqlConnection) {
    let url = fresh_url(database);
    (migrated_at(&url).await, sql(&url).await)
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn lists_show_who_wants_nothing_now(#[case] kind: ServerKind) {
    use UnsubscribeChange::{OptedIn, OptedOut};
    let Some(database) = database(kind) else { return };
    block_on(async {
        let (store, mut sql) = opened(&database).await;
        let owner = company();
        store.save_company_across_companies(&owner).await.expect("saved");
        let number = |number| RefusalKey::Number(PhoneNumber::parse_stored(number).expect("a number"));
        let address = ContactPoint::parse_stored(ContactMethod::Email, "ann@example.org");
        let address = address.expect("an address").refusal_key();
        let person = RefusalKey::Person(PersonKey::new("P-7").expect("a person"));
        let said = [
            (number("+15203334444"), OptedOut, 0),
            (number("+15203335555"), OptedOut, 0),
            (number("+15203335555"), OptedIn, 1),
            (address, OptedOut, 2),
            (person, OptedOut, 3),
        ];
        for (key, change, seconds) in said {
            let at = now() + TimeDelta::seconds(seconds);
            let event = Unsubscribe { key, change, source: UnsubscribeSource::Operator(id()), at };
            drop(store.record_unsubscribes(owner.id, &[event], now()).await.expect("recorded"));
        }
        for (list, column, listed) in [
            ("sms_unsubscribe", "phone_number", "+15203334444"),
            ("phone_unsubscribe", "phone_number", "+15203334444"),
            ("email_unsubscribe", "address", "ann@example.org"),
            ("person_unsubscribe", "person", "P-7"),
        ] {
            let select = format!("SELECT company_id, CONVERT({column} USING utf8mb4) FROM {list}");
            let found: Vec<(Uuid, String)> = query_as(&select).fetch_all(&mut sql).await.expect(list);
            assert_eq!(found, [(owner.id.as_uuid(), listed.to_owned())], "{list}");
        }
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn reports_count_what_the_counters_count_wherever_it_is(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let (store, mut sql) = runtime.block_on(opened(&database));
    let store = Arc::new(store);
    carry_out(SEED, &store, &runtime);
    runtime.block_on(async {
        let before = assert_reports(&store, &mut sql).await;
        let clock = Arc::new(VirtualClock::new(DateTime::UNIX_EPOCH + TimeDelta::days(50_000)));
        let history = History::new(MySqlStore::clone(&store), clock, HistorySettings::default());
        assert!(history.move_ended().await.expect("moved").packets > 0);
        assert_eq!(assert_reports(&store, &mut sql).await, before);
        let nothing = called(&mut sql, "report_of_packet('019ac000-0000-7000-8000-000000000001')").await;
        assert!(nothing.expect_err("an error").to_string().contains("there is no packet with this id"));
    });
}

/// Compares the reports of all packets and campaigns with the counters; answers how many messages there are.
async fn assert_reports(store: &MySqlStore, sql: &mut MySqlConnection) -> u64 {
    let packets: Vec<(Uuid, Uuid, u32)> = query_as(
        "SELECT data_packet.company_id, data_packet.id, company_campaigns.number FROM data_packet \
         JOIN company_campaigns ON company_campaigns.id = campaign_id",
    )
    .fetch_all(&mut *sql)
    .await
    .expect("packets");
    assert!(packets.len() > 3, "{packets:?}");
    let mut of_campaigns: BTreeMap<u32, BTreeMap<MessageStatus, u64>> = BTreeMap::new();
    let mut messages = 0;
    for (company, packet, campaign) in packets {
        let counts = store.packet_counts(CompanyId::from(company), PacketId::from(packet)).await;
        let counts = counts.expect("counted").messages;
        let report = called(sql, &format!("report_of_packet('{packet}')")).await.expect("a report");
        assert_eq!(report, counts);
        let listed = called(sql, &format!("recipients_of_packet('{packet}')")).await.expect("a list");
        assert_eq!(listed, counts);
        messages += counts.values().sum::<u64>();
        for (status, count) in counts {
            *of_campaigns.entry(campaign).or_default().entry(status).or_default() += count;
        }
    }
    for (campaign, counts) in of_campaigns {
        let call = format!("report_of_campaign({campaign}, '2000-01-01', '2100-01-01')");
        assert_eq!(called(sql, &call).await.expect("a report"), counts);
        let call = format!("report_of_campaign({campaign}, '2000-01-01', '2000-12-31')");
        assert_eq!(called(sql, &call).await.expect("a report"), BTreeMap::new());
    }
    messages
}

/// What a procedure shows, by status; a row without a number is one message.
async fn called(
    sql: &mut MySqlConnection,
    procedure: &str,
) -> Result<BTreeMap<MessageStatus, u64>, sqlx::Error> {
    let rows = raw_sql(&format!("CALL {procedure}")).fetch_all(sql).await?;
    let mut counts = BTreeMap::new();
    for row in rows {
        let status: String = row.try_get_unchecked("status")?;
        let status = MessageStatus::ALL.into_iter().find(|known| known.as_str() == status).expect(&status);
        let messages: i64 = row.try_get("messages").unwrap_or(1);
        *counts.entry(status).or_insert(0) += u64::try_from(messages).expect("a number");
    }
    Ok(counts)
}
