//! A line that is cut at every packet of what is written: nothing that was acknowledged is lost, and nothing is half done.

use reminderly_core::batch::Outcomes;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::Packet;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::ids::MessageId;
use reminderly_core::ports::store::{
    ClaimOutcome, ClaimRequest, MessageStore as _, PacketStore as _, SettleVerdict, Settlement, StoreError,
    WriteOutcome,
};
use reminderly_mysql::{MySqlConfig, MySqlStore, ServerKind};
use rstest::rstest;
use tokio::task::spawn_blocking;

use crate::bench::{Bench, at, batch, claim_terms};
use crate::database::{Database, block_on, connect, database, fresh_url, migrated_at};
use crate::proxy::{self, Fault, Proxy};
use crate::values::id;

/// More than there are packets to cut.
const MESSAGES: u64 = 200;

/// Nothing that is written takes so many packets: it would never end.
const PACKETS_MOST: u64 = 90;

/// A database, and two ways to it.
struct Site {
    /// Over the direct way.
    bench: Bench,
    proxy: Proxy,
    cut: MySqlStore,
}

/// What became of something that was written over a line that was cut.
enum Written<T> {
    Acknowledged(T),
    /// The caller was told to find out.
    Unknown,
    /// The caller was told that nothing was written.
    Not,
}

impl Site {
    async fn new(database: &Database) -> Self {
        let url = fresh_url(database);
        let store = migrated_at(&url).await;
        let (before, after) = url.split_once('@').expect("a user");
        let (_, after) = after.split_once('/').expect("a database");
        let server = database.address();
        let proxy = spawn_blocking(move || Proxy::new(server)).await.expect("a proxy");
        // The proxy is to see where a transaction begins. MySQL knows the password from the connection before.
        let open = format!("{before}@{}/{after}ssl-mode=disabled", proxy.address);
        let config = MySqlConfig::from_url(&open).expect("a URL");
        let cut = connect(&config.with_connections_max(1)).await.expect("connected");
        Self { bench: Bench::with(store).await, proxy, cut }
    }

    /// Writes something while the line is cut at this packet; `None` if it took no such packet.
    async fn written<T>(
        &self,
        packet: u64,
        fault: Fault,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Option<Written<T>> {
        // A new connection takes the same packets each time: it has prepared no statement yet.
        self.proxy.cut_all();
        for _ in 0..10 {
            // The first one may meet the connection that is about to go.
            if self.cut.ping().await.is_ok() {
                break;
            }
        }
        self.proxy.plan(proxy::Packet::OfTransaction(packet), fault);
        let outcome = write.await;
        let has_happened = self.proxy.clear();
        has_happened.then(|| match outcome {
            Ok(done) => Written::Acknowledged(done),
            Err(StoreError::CommitUnknown { .. }) => Written::Unknown,
            Err(StoreError::Unavailable { .. }) => Written::Not,
            Err(other) => panic!("{packet}: {other:?}"),
        })
    }
}

/// Each fault at each packet.
fn faults() -> impl Iterator<Item = (u64, Fault)> {
    (1..=PACKETS_MOST).flat_map(|packet| [Fault::LostBefore, Fault::LostAfter].map(|fault| (packet, fault)))
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn rows_are_taken_in_once_wherever_the_line_is_cut(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        let Bench { store, company, .. } = &site.bench;
        let file = site.bench.file(1).await;
        site.bench.open(&file).await;
        let (mut rows, mut unknown) = (0, Vec::new());
        for (packet, fault) in faults() {
            let append = || batch(rows, &[rows + 1, rows + 2], &[rows + 3]);
            let write = site.cut.append_rows(*company, file.id, append());
            let Some(written) = site.written(packet, fault, write).await else { break };
            let found = store.packet(*company, file.id).await.expect("read").expect("there");
            let page = store.rows(*company, file.id, RowNumber(rows), 9).await.expect("rows");
            let is_there = found.ingest.through == RowNumber(rows + 3);
            assert_eq!(page.items.len(), if is_there { 2 } else { 0 }, "{packet} {fault:?}: half done");
            match written {
                Written::Acknowledged(outcome) => {
                    assert_eq!((outcome, is_there), (WriteOutcome::Applied, true), "{packet} {fault:?}");
                }
                Written::Unknown => unknown.push(is_there),
                Written::Not => assert!(!is_there, "{packet} {fault:?}: it was not to be"),
            }
            let again = store.append_rows(*company, file.id, append()).await.expect("stored");
            assert_eq!(again == WriteOutcome::Stale, is_there, "{packet} {fault:?}");
            rows += 3;
        }
        assert!(rows > 30, "only {rows} rows");
        assert!(unknown.contains(&true) && unknown.contains(&false), "the commit was cut: {unknown:?}");
        site.bench.assert_counted(&file).await;
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_claim_is_made_once_wherever_the_line_is_cut(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let site = Site::new(&database).await;
        let Bench { store, company, .. } = &site.bench;
        let (file, messages) = site.bench.handed_over(MESSAGES).await;
        let (mut claimed, mut unknown) = (Vec::new(), Vec::new());
        for ((packet, fault), message) in faults().zip(messages) {
            let request = ClaimRequest { message, attempt: id() };
            let (requests, terms) = ([request], claim_terms());
            let claim = site.cut.claim(*company, file.id, &requests, &terms);
            let Some(written) = site.written(packet, fault, claim).await else { break };
            let attempt = store.attempt(*company, file.id, request.attempt).await.expect("read");
            let found = store.message(*company, file.id, message).await.expect("read").expect("there");
            let is_there = attempt.is_some();
            let is_sending = found.state.status == MessageStatus::Sending;
            assert_eq!(
                (is_there, is_there),
                (is_sending, found.state.epoch == 1),
                "{packet} {fault:?}: half done"
            );
            match written {
                Written::Acknowledged(outcome) => {
                    assert!(is_claimed(outcome) && is_there, "{packet} {fault:?}");
                }
                Written::Unknown => unknown.push(is_there),
                Written::Not => assert!(!is_there, "{packet} {fault:?}: it was not to be"),
            }
            // Who does not know asks again with the same attempt.
            let again = store.claim(*company, file.id, &requests, &terms).await.expect("an answer");
            assert!(is_claimed(again), "{packet} {fault:?}");
            claimed.push(message);
        }
        assert!(claimed.len() > 10, "only {} claims", claimed.len());
        assert!(unknown.contains(&true) && unknown.contains(&false), "the commit was cut: {unknown:?}");
        site.bench.assert_counted(&file).await;
        settle_wherever_the_line_is_cut(&site, &file, &claimed).await;
    });
}

/// Settles what was claimed.
async fn settle_wherever_the_line_is_cut(site: &Site, file: &Packet, messages: &[MessageId]) {
    let Bench { store, company, .. } = &site.bench;
    let (mut settled, mut unknown) = (0, Vec::new());
    for ((packet, fault), message) in faults().zip(messages) {
        let verdict = SettleVerdict::Accepted { reference: None };
        let settlement = [Settlement { message: *message, epoch: 1, verdict, at: at(2) }];
        let settle = site.cut.settle(*company, file.id, &settlement);
        let Some(written) = site.written(packet, fault, settle).await else { break };
        let attempts = store.attempts(*company, file.id, *message).await.expect("read");
        let found = store.message(*company, file.id, *message).await.expect("read").expect("there");
        let is_there = found.state.status == MessageStatus::Sent;
        let is_settled = attempts.iter().all(|attempt| attempt.outcome.is_some());
        assert_eq!((attempts.len(), is_settled), (1, is_there), "{packet} {fault:?}: half done");
        match written {
            Written::Acknowledged(_) => assert!(is_there, "{packet} {fault:?}: it is lost"),
            Written::Unknown => unknown.push(is_there),
            Written::Not => assert!(!is_there, "{packet} {fault:?}: it was not to be"),
        }
        let again = store.settle(*company, file.id, &settlement).await;
        drop(again.expect("an answer"));
        let found = store.message(*company, file.id, *message).await.expect("read").expect("there");
        assert_eq!(found.state.status, MessageStatus::Sent, "{packet} {fault:?}");
        settled += 1;
    }
    assert!(settled > 10, "only {settled}");
    assert!(unknown.contains(&true) && unknown.contains(&false), "the commit was cut: {unknown:?}");
    site.bench.assert_counted(file).await;
}

fn is_claimed(outcomes: Outcomes<ClaimOutcome>) -> bool {
    outcomes.into_vec().iter().all(|outcome| matches!(outcome, ClaimOutcome::Claimed(_)))
}
