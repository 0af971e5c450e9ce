//! What has ended is moved out of the way.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use reminderly_core::domain::attempt::ProviderName;
use reminderly_core::domain::disposition::{AttemptReport, Disposition};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::{Packet, PacketStage};
use reminderly_core::domain::row::RowNumber;
use reminderly_core::ids::{AttemptId, MessageId};
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRequest, DispositionStore as _, LocatedDisposition, MessageStore as _,
    PacketStore as _, SettleOutcome, SettleVerdict, Settlement, Snooze, SnoozeUntil, WriteOutcome,
};
use reminderly_core::testing::VirtualClock;
use reminderly_mysql::{History, HistorySettings, Moved, ServerKind};
use rstest::rstest;
use sqlx::{Executor as _, MySqlConnection, query, query_as, query_scalar};
use tokio::time::{sleep, timeout};

use crate::bench::{Bench, at as at_second, batch, call, claim_terms, packet, sql};
use crate::database::{Database, block_on, database, fresh_url, migrated_at};
use crate::values::{id, now};

/// So many messages a packet has, each with two writes and a report.
const MESSAGES: u64 = 1_000;

/// So many rows are moved at a time: a move takes many steps.
const ROWS_PER_STEP: u32 = 50;

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn what_has_ended_moves_whole_however_often_it_is_interrupted(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        let (ended, open) = (site.filled_file(1).await, site.filled_file(2).await);
        site.cancel(&ended).await;
        let before = [site.contents(&ended).await, site.contents(&open).await];
        let rows = site.rows(&ended).await;
        assert_eq!(site.history(2).move_ended().await.expect("nothing"), Moved::default(), "it is too early");

        let history = site.history(10);
        let mut interrupted = 0_u64;
        // Longer and longer, so that it comes to its end on a busy machine, too.
        let patience = |interrupted: u64| Duration::from_millis(1 + interrupted % 40 + interrupted / 4);
        while timeout(patience(interrupted), history.move_ended()).await.is_err() {
            interrupted += 1;
        }
        // The server may have begun the move for an interrupted call while this one looked what there is.
        history.move_ended().await.expect("moved");
        assert!(interrupted > 5, "it was interrupted {interrupted} times");
        assert_eq!([site.contents(&ended).await, site.contents(&open).await], before);
        assert_eq!(site.rows(&ended).await, rows);
        assert_eq!(site.tables_of(&ended).await, "campaign_data_1_10312024");
        assert_eq!(site.tables_of(&open).await, "packet_1_10042024_2");
        assert_eq!(site.tables_in("packet_1_10042024_1").await, 0, "its own tables are gone");
        assert_eq!(site.tables_in("packet_1_10042024_2").await, 5);
        assert_eq!(history.move_ended().await.expect("nothing"), Moved::default());
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn packets_that_share_tables_move_together(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        let (one, other) = (site.call("one").await, site.call("other").await);
        site.cancel(&one).await;
        assert_eq!(site.history(10).move_ended().await.expect("nothing"), Moved::default(), "one goes on");
        site.cancel(&other).await;
        let (first, second) = (site.history(10), site.history(10));
        let (first, second) = tokio::join!(first.move_ended(), second.move_ended());
        let (first, second) = (first.expect("moved"), second.expect("moved"));
        let moved = Moved {
            sets: first.sets + second.sets,
            packets: first.packets + second.packets,
            rows: first.rows + second.rows,
        };
        assert_eq!(moved, Moved { sets: 1, packets: 2, rows: 4 }, "whoever did it");
        for packet in [&one, &other] {
            assert_eq!(site.rows(packet).await.len(), 2);
        }
        // A call of that day that is late finds tables of its own.
        let late = site.call("late").await;
        assert_eq!(site.rows(&late).await.len(), 2);
    });
}

/// A call that has found its tables while somebody begins to move them.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn nothing_is_put_into_tables_that_are_being_moved(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Arc::new(Site::new(&database).await);
        let one = site.call("one").await;
        assert_eq!(site.tables_of(&one).await, "packet_1_10042024_1");
        let mut mover = sql(&site.url).await;
        mover.execute("BEGIN").await.expect("begun");
        mover.execute("UPDATE packet_table_tracking SET state = 'moving'").await.expect("moving");
        let called = Arc::clone(&site);
        let call = tokio::spawn(async move { called.call("late").await });
        sleep(Duration::from_millis(500)).await;
        assert!(!call.is_finished(), "it waits for whoever moves");
        mover.execute("COMMIT").await.expect("committed");
        let late = call.await.expect("it runs");
        assert_eq!(site.tables_of(&late).await, "packet_1_10042024_2");
        assert_eq!(site.rows(&late).await.len(), 2);
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn views_show_the_month_that_runs(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        let (one, other) = (site.call("one").await, site.filled_file(1).await);
        site.cancel(&one).await;
        site.history(10).move_ended().await.expect("moved");
        assert_eq!(site.count("campaign_data_1").await, 2);
        assert_eq!(site.count("campaign_data_1_10312024").await, 2);
        site.history(40).move_ended().await.expect("closed");
        assert_eq!(site.count("campaign_data_1").await, 0, "that month is over");
        assert_eq!(site.count("campaign_data_1_10312024").await, 2);
        site.cancel(&other).await;
        site.history(40).move_ended().await.expect("moved");
        assert_eq!(site.count("campaign_data_1").await, 3);
        assert_eq!(site.count("campaign_data_1_messages").await, MESSAGES);
        assert_eq!(site.count("campaign_data_1_11302024_transitions").await, 2 * MESSAGES);
        assert_eq!(site.count("campaign_data_1_10312024").await, 2);
        assert_eq!(site.rows(&one).await.len(), 2, "wherever it is");
    });
}

/// A report and a snooze that come when what they change has been copied already.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn what_is_added_during_a_move_moves_with_it(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        // So the month has its tables.
        let other = site.call("other").await;
        site.cancel(&other).await;
        site.history(10).move_ended().await.expect("moved");
        let Bench { store, company, .. } = &site.bench;
        let (file, messages) = site.bench.handed_over(20).await;
        let attempt = site.sent(&file, messages[0]).await;
        let (set, number) = (site.tables_of(&file).await, site.number_of(&file).await);
        let digest = "UNHEX(LEFT(SHA2(slot, 256), 32))";
        let reports = format!(
            "SELECT packet_number, slot, {digest}, 'sandbox', slot FROM {set}_messages WHERE slot > 0"
        );
        site.run(&format!("INSERT INTO {set}_dispositions {reports}")).await;
        site.cancel(&file).await;

        // Somebody holds up the copy of reports in its middle.
        let month = "campaign_data_1_10312024";
        let mut rival = sql(&site.url).await;
        rival.execute("BEGIN").await.expect("begun");
        let hold = format!("INSERT INTO {month}_dispositions {reports} AND slot = 10");
        rival.execute(&*hold).await.expect("held");
        let history = site.history_in_steps(10, 1);
        let mover = tokio::spawn(async move { history.move_ended().await });
        let at = "SELECT COUNT(*) FROM table_moves WHERE step = 'dispositions' AND position = 9";
        while site.number(at).await == 0 {
            assert!(!mover.is_finished(), "it waits for the rival");
            sleep(Duration::from_millis(1)).await;
        }
        let delivered = LocatedDisposition {
            packet: file.id,
            message: messages[0],
            disposition: Disposition {
                provider: ProviderName("sandbox".into()),
                event: "late".into(),
                attempt,
                reference: None,
                report: AttemptReport::Delivered,
                at: at_second(3),
            },
        };
        let outcomes =
            store.record_dispositions(*company, &[delivered], at_second(3)).await.expect("recorded");
        drop(outcomes);
        let snooze = Snooze {
            message: messages[1],
            until: SnoozeUntil::Unchanged,
            reason: "waits".into(),
            at: at_second(4),
        };
        let snoozed = store.snooze(*company, file.id, &[snooze]).await.expect("snoozed");
        assert_eq!(snoozed.into_vec(), [WriteOutcome::Applied]);
        rival.execute("ROLLBACK").await.expect("let go");
        assert_eq!(mover.await.expect("it runs").expect("moved").packets, 1);

        assert_eq!(site.tables_of(&file).await, month);
        let found = store.message(*company, file.id, messages[0]).await.expect("read").expect("there");
        assert_eq!(found.state.status, MessageStatus::Delivered);
        let of_file = format!("packet_number = {number}");
        let reports = format!("SELECT COUNT(*) FROM {month}_dispositions WHERE {of_file}");
        assert_eq!(site.number(&reports).await, 20);
        let due = format!("SELECT COUNT(*) FROM {month}_due WHERE {of_file} AND slot = 1");
        assert_eq!(site.number(&due).await, 1, "it waits again");
        site.bench.assert_counted(&file).await;
    });
}

/// A migrator of a month that was killed before it made any table.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_month_that_was_only_begun_holds_nobody_up(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        let (one, other) = (site.call("one").await, site.filled_file(1).await);
        site.cancel(&one).await;
        site.history(10).move_ended().await.expect("moved");
        site.run(
            "INSERT INTO packet_table_tracking (campaign_number, day, version, purpose, state, server_name) \
             VALUES (1, '2024-11-30', 0, 'month', 'making', '')",
        )
        .await;
        site.cancel(&other).await;
        assert_eq!(site.history(40).move_ended().await.expect("moved").packets, 1);
        assert_eq!(site.count("campaign_data_1").await, 3);
    });
}

/// Tables that were made for a packet that then was not, and rows that nobody knows of.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn tables_that_nobody_uses_go_and_strange_ones_stay(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        site.run(
            "INSERT INTO packet_table_tracking (campaign_number, day, version, purpose, state, server_name) \
             VALUES (1, '2024-10-04', 1, 'file', 'ready', '')",
        )
        .await;
        let moved = site.history(10).move_ended().await.expect("dropped");
        assert_eq!(moved, Moved { sets: 1, ..Moved::default() });
        // In this one there is something.
        site.run(
            "INSERT INTO packet_table_tracking (campaign_number, day, version, purpose, state, server_name) \
             VALUES (1, '2024-10-04', 2, 'file', 'making', '')",
        )
        .await;
        site.run("CREATE TABLE packet_1_10042024_2_data (packet_number INT UNSIGNED NOT NULL)").await;
        site.run("INSERT INTO packet_1_10042024_2_data VALUES (1)").await;
        assert_eq!(site.history(10).move_ended().await.expect("left"), Moved::default());
        assert_eq!(site.count("packet_1_10042024_2_data").await, 1);
        assert_eq!(site.number("SELECT COUNT(*) FROM packet_table_tracking WHERE state = 'left'").await, 1);

        let one = site.call("one").await;
        site.cancel(&one).await;
        site.run("CREATE TABLE campaign_data_1_10312024 (packet_number INT UNSIGNED NOT NULL)").await;
        site.run("INSERT INTO campaign_data_1_10312024 VALUES (1)").await;
        let error = site.history(10).move_ended().await.expect_err("it is not ours");
        let source = std::error::Error::source(&error).expect("a source").to_string();
        assert!(source.starts_with("the tables campaign_data_1_10312024 have rows"), "{source}");
        assert_eq!(site.rows(&one).await.len(), 2, "it is where it was");
        site.run("DROP TABLE campaign_data_1_10312024").await;
        assert_eq!(site.history(10).move_ended().await.expect("moved").packets, 1);
    });
}

/// A database with packets, and a connection to look at it.
struct Site {
    bench: Bench,
    url: String,
    sql: tokio::sync::Mutex<MySqlConnection>,
}

/// How many rows there are of a packet in each table, and a checksum of all that is in them.
type Contents = Vec<(i64, u64)>;

impl Site {
    async fn new(database: &Database) -> Self {
        let url = fresh_url(database);
        let store = migrated_at(&url).await;
        let sql = sql(&url).await;
        Self { bench: Bench::with(store).await, url, sql: sql.into() }
    }

    /// Of a host whose clock is so many days later than the packets.
    fn history(&self, days: u64) -> History {
        self.history_in_steps(days, ROWS_PER_STEP)
    }

    fn history_in_steps(&self, days: u64, rows: u32) -> History {
        let now: DateTime<Utc> = now().checked_add_days(Days::new(days)).expect("a day");
        let clock = Arc::new(VirtualClock::new(now + TimeDelta::hours(3)));
        let settings = HistorySettings::default().with_rows_per_step(rows);
        History::new(self.bench.store.clone(), clock, settings)
    }

    async fn call(&self, key: &str) -> Packet {
        let (new, rows) = (self.bench.new_packet(call(key)), batch(0, &[1, 2], &[]));
        let made = self.bench.store.create_loaded_packet(self.bench.company, new, rows).await;
        packet(&made.expect("made")).clone()
    }

    /// A file with rows, and with messages that are none: what they are does not matter to who moves them.
    async fn filled_file(&self, number: u8) -> Packet {
        let file = self.bench.file(number).await;
        self.bench.open(&file).await;
        let append = self.bench.store.append_rows(self.bench.company, file.id, batch(0, &[1, 3], &[2])).await;
        assert_eq!(append.expect("stored"), WriteOutcome::Applied);
        let (set, of_packet) = (self.tables_of(&file).await, self.number_of(&file).await);
        for (table, columns) in [
            (
                "messages",
                "n, UNHEX(LEFT(SHA2(CONCAT(@packet, '.', n), 256), 32)), NULL, CONCAT('message ', n), 'planned'",
            ),
            ("transitions", "n, 1, CONCAT('claimed ', n), 'sending', NULL"),
            ("transitions", "n, 2, CONCAT('sent ', n), 'sent', CONCAT('attempt ', n)"),
            ("dispositions", "n, UNHEX(LEFT(SHA2(n, 256), 32)), 'sandbox', CONCAT('event ', n)"),
        ] {
            let columns = columns.replace("@packet", &of_packet.to_string());
            let numbers = format!(
                "WITH digits AS (SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 \
                 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9), \
                 numbers AS (SELECT a.d + 10 * b.d + 100 * c.d AS n FROM digits a, digits b, digits c) \
                 SELECT {of_packet}, {columns} FROM numbers WHERE n < {MESSAGES}"
            );
            self.run(&format!("INSERT INTO {set}_{table} {numbers}")).await;
        }
        file
    }

    async fn cancel(&self, packet: &Packet) {
        let found =
            self.bench.store.packet(self.bench.company, packet.id).await.expect("read").expect("there");
        let outcome = self.bench.change(packet.id, found.stage, PacketStage::Cancelled).await;
        assert_eq!(outcome, WriteOutcome::Applied);
    }

    async fn rows(&self, packet: &Packet) -> Vec<String> {
        let rows =
            self.bench.store.rows(self.bench.company, packet.id, RowNumber(0), 100).await.expect("rows");
        rows.items.iter().map(|row| serde_json::to_string(row).expect("JSON")).collect()
    }

    async fn run(&self, statement: &str) {
        let mut sql = self.sql.lock().await;
        query(statement).execute(&mut *sql).await.expect(statement);
    }

    async fn number_of(&self, packet: &Packet) -> u32 {
        let select = query_scalar("SELECT number FROM data_packet WHERE id = ?").bind(packet.id.as_uuid());
        select.fetch_one(&mut *self.sql.lock().await).await.expect("a packet")
    }

    /// The name of the tables in which a packet is.
    async fn tables_of(&self, packet: &Packet) -> String {
        let select = query_as("SELECT campaign_number, day, version FROM data_packet WHERE id = ?");
        let (campaign, day, version): (u32, NaiveDate, u32) =
            select.bind(packet.id.as_uuid()).fetch_one(&mut *self.sql.lock().await).await.expect("a packet");
        match version {
            0 => format!("campaign_data_{campaign}_{}", day.format("%m%d%Y")),
            _ => format!("packet_{campaign}_{}_{version}", day.format("%m%d%Y")),
        }
    }

    /// How many tables there are of a set.
    async fn tables_in(&self, set: &str) -> i64 {
        let select = "SELECT COUNT(*) FROM information_schema.tables \
                      WHERE table_schema = DATABASE() AND LEFT(table_name, ?) = ?";
        let select =
            query_scalar(select).bind(u32::try_from(set.len() + 1).expect("short")).bind(format!("{set}_"));
        select.fetch_one(&mut *self.sql.lock().await).await.expect("a number")
    }

    async fn count(&self, table: &str) -> u64 {
        self.number(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    async fn number(&self, select: &str) -> u64 {
        let found = query_scalar(select);
        let number: i64 = found.fetch_one(&mut *self.sql.lock().await).await.expect(select);
        u64::try_from(number).expect("a number")
    }

    /// Claims a message, and settles it as accepted.
    async fn sent(&self, packet: &Packet, message: MessageId) -> AttemptId {
        let Bench { store, company, .. } = &self.bench;
        let request = ClaimRequest { message, attempt: id() };
        let claimed =
            store.claim(*company, packet.id, &[request], &claim_terms()).await.expect("an answer").into_vec();
        assert!(matches!(claimed[..], [ClaimOutcome::Claimed(_)]), "{claimed:?}");
        let verdict = SettleVerdict::Accepted { reference: None };
        let settlement = Settlement { message, epoch: 1, verdict, at: at_second(2) };
        let settled = store.settle(*company, packet.id, &[settlement]).await.expect("an answer").into_vec();
        assert_eq!(settled, [SettleOutcome::Applied(MessageStatus::Sent)]);
        request.attempt
    }

    async fn contents(&self, packet: &Packet) -> Contents {
        let (set, number) = (self.tables_of(packet).await, self.number_of(packet).await);
        let data = if set.starts_with("packet") { "_data" } else { "" };
        let mut contents = Contents::new();
        for (table, columns) in [
            (data, "row_number_in_packet, fields, rejected"),
            ("_messages", "slot, HEX(id), HEX(below), message, state"),
            ("_transitions", "slot, number, transitions, state, attempts"),
            ("_dispositions", "slot, HEX(digest), provider, event"),
        ] {
            let select = format!(
                "SELECT COUNT(*), CAST(BIT_XOR(CRC32(CONCAT_WS('|', {columns}))) AS UNSIGNED) \
                 FROM {set}{table} WHERE packet_number = {number}"
            );
            let mut sql = self.sql.lock().await;
            contents.push(query_as(&select).fetch_one(&mut *sql).await.expect("counted"));
        }
        contents
    }
}
