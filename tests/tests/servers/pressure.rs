//! Servers that refuse, stop for a while, or let transactions collide: slower, and nothing is lost or half done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use rand::RngExt as _;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::ids::{MessageId, PacketId};
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRequest, MessageStore as _, PacketStore as _, SettleVerdict, Settlement, Snooze,
    SnoozeUntil, StoreError, WriteOutcome,
};
use reminderly_mysql::{MySqlConfig, ServerKind};
use rstest::rstest;
use sqlx::{Executor as _, MySqlConnection, query, query_scalar};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::bench::{Bench, batch, claim_terms, sql};
use crate::database::{block_on, connect, database, fresh_url, is_long, migrated, migrated_at, own_database};
use crate::values::{id, now};

/// A primary that becomes a replica while it is written to, and is a primary again.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_server_that_becomes_read_only_loses_nothing(#[case] kind: ServerKind) {
    let Some(database) = own_database(kind) else { return };
    block_on(async {
        let url = fresh_url(&database);
        let store = migrated_at(&url).await;
        let mut root = sql(&url).await;
        // An administrator may write all the same.
        for grant in ["CREATE USER app IDENTIFIED BY 'only-for-tests'", "GRANT ALL ON `reminderly%`.* TO app"]
        {
            query(grant).execute(&mut root).await.expect(grant);
        }
        let config = MySqlConfig::from_url(&url.replace("//root:", "//app:")).expect("a URL");
        let bench = Bench::with(store).await;
        let app = connect(&config).await.expect("connected");
        let file = bench.file(1).await;
        bench.open(&file).await;
        let (mut rows, mut refused) = (0, 0);
        for turn in 0..30 {
            if turn % 10 == 5 {
                query("SET GLOBAL read_only = 1").execute(&mut root).await.expect("read-only");
            }
            match app.append_rows(bench.company, file.id, batch(rows, &[rows + 1], &[])).await {
                Ok(outcome) => {
                    assert_eq!(outcome, WriteOutcome::Applied);
                    rows += 1;
                }
                Err(error) => {
                    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
                    refused += 1;
                    let read =
                        app.rows(bench.company, file.id, RowNumber(0), 100).await.expect("it can be read");
                    assert_eq!(u64::try_from(read.items.len()).expect("few"), rows);
                    query("SET GLOBAL read_only = 0").execute(&mut root).await.expect("writable");
                }
            }
        }
        assert_eq!(refused, 3, "each time it was told");
        assert_eq!(rows, 27, "each time it went on");
        bench.assert_counted(&file).await;
    });
}

/// Every connection is in use, and none comes back.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn who_finds_no_connection_is_told_in_time_and_nothing_is_half_done(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let url = fresh_url(&database);
        let store = migrated_at(&url).await;
        let mut rival = sql(&url).await;
        let bench = Bench::with(store).await;
        let config = MySqlConfig::from_url(&url).expect("a URL");
        let config = config.with_connections_max(2).with_acquire_within(Duration::from_millis(1_500));
        let few = connect(&config).await.expect("connected");
        let mut files = Vec::new();
        for number in 0..6 {
            let file = bench.file(number).await;
            bench.open(&file).await;
            files.push(file);
        }
        rival.execute("BEGIN").await.expect("begun");
        rival.execute("SELECT id FROM data_packet FOR UPDATE").await.expect("locked");
        let append = |number: usize| few.append_rows(bench.company, files[number].id, batch(0, &[1], &[]));
        let refused = Semaphore::new(0);
        let first = async |number: usize| {
            let outcome = append(number).await;
            refused.add_permits(usize::from(outcome.is_err()));
            outcome
        };
        let release = async {
            let all = timeout(Duration::from_secs(30), refused.acquire_many(4)).await;
            all.expect("they were told in time").expect("open").forget();
            rival.execute("ROLLBACK").await.expect("released");
        };
        let (outcomes, ()) = tokio::join!(join_all((0..6).map(first)), release);
        let applied = outcomes.iter().filter(|outcome| matches!(outcome, Ok(WriteOutcome::Applied))).count();
        let told =
            outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Unavailable { .. }))).count();
        assert_eq!((applied, told), (2, 4), "{outcomes:?}");
        for (file, outcome) in files.iter().zip(&outcomes) {
            let read = bench.store.rows(bench.company, file.id, RowNumber(0), 9).await.expect("rows");
            assert_eq!(read.items.len(), usize::from(outcome.is_ok()));
        }
        for (number, outcome) in outcomes.iter().enumerate() {
            let again = append(number).await.expect("there are connections again");
            assert_eq!(again == WriteOutcome::Stale, outcome.is_ok());
        }
    });
}

/// A server that stands still for a moment, again and again, while four files are taken in.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn pauses_of_the_server_lose_nothing(#[case] kind: ServerKind) {
    let Some(database) = own_database(kind) else { return };
    let database = Arc::new(database);
    block_on(async {
        let store = migrated(&database).await;
        let bench = Arc::new(Bench::with(store).await);
        let mut files = Vec::new();
        for number in 0..4 {
            let file = bench.file(number).await;
            bench.open(&file).await;
            files.push(file);
        }
        let paused = Arc::clone(&database);
        let loaded = Arc::new(AtomicU64::new(0));
        let seen = Arc::downgrade(&loaded);
        let pauses: JoinHandle<()> = spawn_blocking(move || {
            let mut wanted = if is_long() { 1_000 } else { 50 };
            // However slow the machine is, it stands still while rows are taken in.
            while wanted > 0 || seen.upgrade().is_some_and(|rows| rows.load(Ordering::Relaxed) < 20) {
                paused.pause(Duration::from_millis(rand::rng().random_range(10..200)));
                wanted = i32::max(wanted - 1, 0);
            }
        });
        let mut rows = 0;
        while !pauses.is_finished() {
            let append =
                |packet| bench.store.append_rows(bench.company, packet, batch(rows, &[rows + 1], &[]));
            for outcome in join_all(files.iter().map(|file| append(file.id))).await {
                assert_eq!(outcome.expect("it only takes longer"), WriteOutcome::Applied);
            }
            rows += 1;
            loaded.store(rows, Ordering::Relaxed);
        }
        pauses.await.expect("paused");
        for file in &files {
            let found = bench.store.packet(bench.company, file.id).await.expect("read").expect("there");
            assert_eq!(found.rows.loaded, rows);
            bench.assert_counted(file).await;
        }
    });
}

/// Transactions that take what the other one has, again and again.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn deadlocks_lose_nothing(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let url = fresh_url(&database);
        let store = migrated_at(&url).await;
        let bench = Arc::new(Bench::with(store).await);
        let (file, messages) = bench.handed_over(2 * PAIRS).await;
        let mut looking = sql(&url).await;
        looking.execute("CREATE TABLE heavy (n INT NOT NULL)").await.expect("a table");
        let set: String = query_scalar(
            "SELECT CONCAT('packet_', campaign_number, '_', DATE_FORMAT(day, '%m%d%Y'), '_', version) FROM data_packet",
        )
        .fetch_one(&mut looking)
        .await
        .expect("a packet");
        let before = deadlocks(kind, &mut looking).await;
        let (wanted, mut turns) = (if is_long() { 10_000 } else { 400 }, 0);
        let mut pairs: Vec<Pair> = Vec::new();
        for (number, ids) in (0..).zip(messages.chunks(2)) {
            let bench = Arc::clone(&bench);
            pairs.push(Pair {
                bench,
                packet: file.id,
                ids: ids.to_vec(),
                rival: sql(&url).await,
                heavy: format!("INSERT INTO heavy VALUES {}", vec!["(1)"; 40].join(", ")),
                locks: [2 * number + 1, 2 * number].map(|slot: u64| {
                    format!(
                        "SELECT slot FROM {set}_messages WHERE packet_number = 1 AND slot = {slot} FOR UPDATE"
                    )
                }),
            });
        }
        while deadlocks(kind, &mut looking).await - before < wanted {
            join_all(pairs.iter_mut().map(Pair::collide)).await;
            turns += 1;
            assert!(turns < 20 * wanted, "they do not meet");
        }
        let mut writes = BTreeMap::new();
        for id in &messages {
            let history = bench.store.history(bench.company, file.id, *id).await.expect("a history");
            // Planned and handed over before.
            *writes.entry(history.len()).or_insert(0) += 1;
        }
        let expected = usize::try_from(turns).expect("few") + 1;
        assert_eq!(
            writes.keys().copied().collect::<Vec<_>>(),
            [expected],
            "each of both, each time: {writes:?}"
        );
        bench.assert_counted(&file).await;
    });
}

/// So many pairs of transactions collide at the same time.
const PAIRS: u64 = 8;

/// A call about two messages, and a rival that locks them in the other order.
struct Pair {
    bench: Arc<Bench>,
    packet: PacketId,
    ids: Vec<MessageId>,
    rival: MySqlConnection,
    /// The server ends the transaction that has written less: that is the call's.
    heavy: String,
    locks: [String; 2],
}

impl Pair {
    async fn collide(&mut self) {
        let [first, second] = &self.locks;
        let rival = async {
            for statement in ["BEGIN", &*self.heavy, first] {
                self.rival.execute(statement).await.expect(statement);
            }
            // Until the call waits for it.
            sleep(Duration::from_millis(8)).await;
            let met = self.rival.execute(second.as_str()).await;
            met.expect("it is the call that the server ends");
            self.rival.execute("ROLLBACK").await.expect("ended");
        };
        let call = async {
            sleep(Duration::from_millis(3)).await;
            let snoozes: Vec<Snooze> = self
                .ids
                .iter()
                .map(|message| Snooze {
                    message: *message,
                    until: SnoozeUntil::Unchanged,
                    reason: "waits".into(),
                    at: now(),
                })
                .collect();
            let outcomes = self.bench.store.snooze(self.bench.company, self.packet, &snoozes).await;
            for outcome in outcomes.expect("it is done anew").into_vec() {
                assert_eq!(outcome, WriteOutcome::Applied);
            }
        };
        tokio::join!(rival, call);
    }
}

/// How many deadlocks the server has found so far.
async fn deadlocks(kind: ServerKind, sql: &mut MySqlConnection) -> u64 {
    let ask = match kind {
        ServerKind::MariaDb => {
            "SELECT CAST(variable_value AS UNSIGNED) FROM information_schema.global_status \
             WHERE variable_name = 'INNODB_DEADLOCKS'"
        }
        ServerKind::MySql => {
            "SELECT CAST(count AS UNSIGNED) FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'"
        }
    };
    query_scalar(ask).fetch_one(sql).await.expect("counted")
}

/// Many who claim at once some of what was handed over together: when all is settled, nothing tells of copies or claims any more.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn claims_of_the_same_copies_leave_nothing_behind(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let url = fresh_url(&database);
        let bench = Bench::with(migrated_at(&url).await).await;
        let (file, ids) = bench.handed_over(600).await;
        let (store, company) = (&bench.store, bench.company);
        let settled = |worker: usize| {
            // Every worker has messages of every part.
            let mine: Vec<MessageId> = ids.iter().skip(worker).step_by(8).copied().collect();
            async move {
                for slice in mine.chunks(25) {
                    let requests: Vec<ClaimRequest> = slice
                        .iter()
                        .map(|message| ClaimRequest { message: *message, attempt: id() })
                        .collect();
                    let claims =
                        store.claim(company, file.id, &requests, &claim_terms()).await.expect("claimed");
                    let accepted = claims.into_iter().map(|claim| match claim {
                        ClaimOutcome::Claimed(claimed) => Settlement {
                            message: claimed.message,
                            epoch: claimed.epoch,
                            verdict: SettleVerdict::Accepted { reference: None },
                            at: now(),
                        },
                        refused @ ClaimOutcome::Refused(_) => panic!("{refused:?}"),
                    });
                    drop(
                        store.settle(company, file.id, &accepted.collect::<Vec<_>>()).await.expect("settled"),
                    );
                }
            }
        };
        join_all((0..8).map(settled)).await;
        let mut sql = sql(&url).await;
        for table in ["packet_copies", "open_claims"] {
            let left: i64 = query_scalar(&format!("SELECT COUNT(*) FROM {table}"))
                .fetch_one(&mut sql)
                .await
                .expect(table);
            assert_eq!(left, 0, "{table}");
        }
    });
}
