//! Packets, their tables and their rows.

use futures::future::join_all;
use reminderly_core::domain::call::{CallKey, CallKind};
use reminderly_core::domain::campaign::lifecycle::{Campaign, CampaignState};
use reminderly_core::domain::file_arrival::FileArrival;
use reminderly_core::domain::packet::{Digest, Draining, IngestProgress, Packet, PacketOrigin, PacketStage};
use reminderly_core::domain::row::{RejectedRow, Row, RowFault, RowNumber};
use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::{
    AccessStore as _, CampaignChange, CampaignStore as _, NewPacket, PacketCreation, PacketStore as _,
    RowBatch, StageChange, StoreError, WriteOutcome,
};
use reminderly_mysql::{MySqlStore, ServerKind};
use rstest::rstest;

use crate::database::{Database, block_on, database, migrated};
use crate::values::{campaign, company, id, now};

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_packet_is_made_once_whoever_makes_it(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let bench = Bench::new(&database).await;
        let makes = (0..6).map(|_| bench.make(call("order-17")));
        let made: Vec<PacketCreation> = join_all(makes).await;
        let created = made.iter().filter(|made| matches!(made, PacketCreation::Created(_))).count();
        assert_eq!(created, 1, "{made:?}");
        let ids: Vec<PacketId> = made.iter().map(|made| packet(made).id).collect();
        assert!(ids.iter().all(|id| *id == ids[0]));
        let key = CallKey::new("order-17").expect("a key");
        let of_call = bench.store.packet_of_call(bench.company, bench.campaign.id, &key).await.expect("read");
        assert_eq!(of_call.map(|packet| packet.id), Some(ids[0]));
        let strange = bench.store.packet(id(), ids[0]).await.expect("read");
        assert_eq!(strange, None, "another company sees nothing");
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_file_is_read_into_rows_of_its_own_tables(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let bench = Bench::new(&database).await;
        let (one, other) = (bench.file(1).await, bench.file(2).await);
        for packet in [&one, &other] {
            bench.open(packet).await;
        }
        let batch = batch(0, &[1, 3], &[2]);
        let append = || bench.store.append_rows(bench.company, one.id, batch.clone());
        assert_eq!(append().await.expect("stored"), WriteOutcome::Applied);
        assert_eq!(append().await.expect("an answer"), WriteOutcome::Stale, "repeated");
        let found = bench.store.packet(bench.company, one.id).await.expect("read").expect("there");
        assert_eq!((found.rows.read, found.rows.loaded, found.rows.rejected), (3, 2, 1));
        assert_eq!(found.ingest, batch.progress);
        let first = bench.store.rows(bench.company, one.id, RowNumber(0), 1).await.expect("rows");
        assert_eq!((first.items, first.next), (vec![batch.rows[0].clone()], Some(RowNumber(1))));
        let rest = bench.store.rows(bench.company, one.id, RowNumber(1), 9).await.expect("rows");
        assert_eq!((rest.items, rest.next), (vec![batch.rows[1].clone()], None));
        let rejected = bench.store.rejected(bench.company, one.id, RowNumber(0), 9).await.expect("rows");
        assert_eq!(rejected.items, batch.rejected);
        let row = |number| bench.store.row(bench.company, one.id, RowNumber(number));
        assert_eq!(row(3).await.expect("read"), Some(batch.rows[1].clone()));
        assert_eq!(row(2).await.expect("read"), None, "it was rejected");
        let others = bench.store.rows(bench.company, other.id, RowNumber(0), 9).await.expect("rows");
        assert_eq!(others.items, []);
        let strange = bench.store.rows(id(), one.id, RowNumber(0), 9).await.expect("rows");
        assert_eq!(strange.items, []);
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_call_is_stored_whole_or_not_at_all(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let bench = Bench::new(&database).await;
        let rows = batch(0, &[1, 2], &[]);
        let make = |new| bench.store.create_loaded_packet(bench.company, new, rows.clone());
        let made = make(bench.new_packet(call("a"))).await.expect("made");
        let PacketCreation::Created(made) = made else { panic!("{made:?}") };
        assert_eq!((made.stage, made.rows.loaded), (PacketStage::Loaded, 2));
        let again = make(bench.new_packet(call("a"))).await.expect("found");
        assert_eq!(again, PacketCreation::Exists(made.clone()));
        let second = make(bench.new_packet(call("b"))).await.expect("made");
        for packet in [&made, packet(&second)] {
            let found = bench.store.rows(bench.company, packet.id, RowNumber(0), 9).await.expect("rows");
            assert_eq!(found.items, rows.rows, "in the tables that they share");
        }
        let nowhere = NewPacket { campaign: id(), ..bench.new_packet(call("c")) };
        let error = make(nowhere).await.expect_err("there is no campaign");
        assert!(matches!(error, StoreError::Missing { what: "campaign" }), "{error:?}");
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn of_all_who_change_a_stage_one_does(#[case] kind: ServerKind) {
    use PacketStage::{Cancelled, Ingested, Loaded, Mapped, Prepared};
    let Some(database) = database(kind) else { return };
    block_on(async {
        let bench = Bench::new(&database).await;
        let (one, other) = (bench.file(1).await, bench.file(2).await);
        for (from, to, times) in
            [(Prepared, Ingested, 1), (Prepared, Ingested, 0), (Ingested, Mapped, 0), (Ingested, Loaded, 1)]
        {
            let outcomes = join_all((0..5).map(|_| bench.change(one.id, from, to))).await;
            let applied = outcomes.iter().filter(|outcome| **outcome == WriteOutcome::Applied).count();
            assert_eq!(applied, times, "{from} to {to}");
        }
        assert_eq!(bench.open_packets().await, [one.id, other.id]);
        assert_eq!(bench.change(one.id, Loaded, Cancelled).await, WriteOutcome::Applied);
        assert_eq!(bench.open_packets().await, [other.id]);
        let ended = bench.store.ended_across_companies(&[other.id, one.id, id()]).await.expect("read");
        assert_eq!(ended, [false, true, false]);
        let drain = bench.store.set_draining(bench.company, other.id, Draining::Cancelling).await;
        assert_eq!(drain.expect("set"), WriteOutcome::Applied);
        let found = bench.store.packet(bench.company, other.id).await.expect("read").expect("there");
        assert_eq!(found.draining, Draining::Cancelling);
        let strange = bench.store.set_draining(id(), other.id, Draining::Off).await;
        assert!(matches!(strange, Err(StoreError::Missing { what: "packet" })), "{strange:?}");
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_restarted_store_goes_on(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let bench = Bench::new(&database).await;
        let made = bench.file(1).await;
        let page = bench.store.packets(bench.company, bench.campaign.id, None, 1).await.expect("a page");
        assert_eq!((page.items, page.next), (vec![made.clone()], None));
        let same = bench.make(file(1)).await;
        assert_eq!(same, PacketCreation::Exists(made), "the same content is the same packet");
    });
}

/// Each has tables of its own, whoever makes them at the same time.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn two_files_never_share_tables(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let bench = Bench::new(&database).await;
        let files = join_all((1..=4).map(|number| bench.file(number))).await;
        for (number, packet) in (1..).zip(&files) {
            bench.open(packet).await;
            let rows = batch(0, &[number], &[]);
            let appended = bench.store.append_rows(bench.company, packet.id, rows).await;
            assert_eq!(appended.expect("stored"), WriteOutcome::Applied);
        }
        for (number, packet) in (1..).zip(&files) {
            let rows = bench.store.rows(bench.company, packet.id, RowNumber(0), 9).await.expect("rows");
            assert_eq!(rows.items.iter().map(|row| row.number.0).collect::<Vec<_>>(), [number]);
        }
    });
}

pub(crate) struct Bench {
    pub(crate) store: MySqlStore,
    pub(crate) company: CompanyId,
    pub(crate) campaign: Campaign,
}

impl Bench {
    async fn new(database: &Database) -> Self {
        Self::with(migrated(database).await).await
    }

    pub(crate) async fn with(store: MySqlStore) -> Self {
        let owner = company();
        store.save_company_across_companies(&owner).await.expect("saved");
        let campaign = store.create_campaign(owner.id, campaign("Visits")).await.expect("made");
        Self { store, company: owner.id, campaign }
    }

    pub(crate) fn new_packet(&self, origin: PacketOrigin) -> NewPacket {
        NewPacket { id: id(), campaign: self.campaign.id, campaign_version: 1, origin, created_at: now() }
    }

    async fn make(&self, origin: PacketOrigin) -> PacketCreation {
        self.store.create_packet(self.company, self.new_packet(origin)).await.expect("an answer")
    }

    pub(crate) async fn file(&self, number: u8) -> Packet {
        loop {
            // Files count in the order of their ids, which are drawn.
            match self.make(file(number)).await {
                PacketCreation::NotNewest(_) => {}
                made => return packet(&made).clone(),
            }
        }
    }

    pub(crate) async fn open(&self, packet: &Packet) {
        let progress = IngestProgress::default();
        let opened = self.store.open_ingest(self.company, packet.id, progress, now()).await;
        assert_eq!(opened.expect("opened"), WriteOutcome::Applied);
    }

    pub(crate) async fn change(&self, packet: PacketId, from: PacketStage, to: PacketStage) -> WriteOutcome {
        let change = StageChange { packet, from, to, failure: None, at: now() };
        self.store.change_stage(self.company, change).await.expect("an answer")
    }

    pub(crate) async fn activate(&self) {
        let (from, to) = (CampaignState::Draft, CampaignState::Active);
        let change = self.store.change_campaign_state(self.company, self.campaign.id, from, to).await;
        assert!(matches!(change.expect("an answer"), CampaignChange::Changed(_)));
    }

    async fn open_packets(&self) -> Vec<PacketId> {
        let page = self.store.open_packets_across_companies(None, 9).await.expect("a page");
        page.items.iter().map(|packet| packet.id).collect()
    }
}

pub(crate) fn packet(made: &PacketCreation) -> &Packet {
    match made {
        PacketCreation::Created(packet) | PacketCreation::Exists(packet) => packet,
        other => panic!("{other:?}"),
    }
}

fn file(number: u8) -> PacketOrigin {
    let (name, digest) = (format!("{number}.csv").into(), Digest([number; 32]));
    PacketOrigin::File { name, digest, arrival: FileArrival::default() }
}

pub(crate) fn call(key: &str) -> PacketOrigin {
    let key = CallKey::new(key).expect("a key");
    PacketOrigin::OnDemand { key, digest: Digest([0; 32]), kind: CallKind::Rows }
}

/// Good and bad rows, after the row with this number.
pub(crate) fn batch(after: u64, good: &[u64], bad: &[u64]) -> RowBatch {
    let fields = ["Ann", "Zoë 🦷", ""];
    let through = good.iter().chain(bad).max().copied().unwrap_or(after);
    RowBatch {
        after: RowNumber(after),
        progress: IngestProgress { through: RowNumber(through), ..IngestProgress::default() },
        rows: good.iter().map(|number| Row::new(RowNumber(*number), number + 1, fields)).collect(),
        rejected: bad.iter().map(|number| rejected(*number)).collect(),
    }
}

fn rejected(number: u64) -> RejectedRow {
    let (column, detail) = (Some("Phone".to_owned()), format!("line {}: too short", number + 1));
    RejectedRow { row: RowNumber(number), column, code: RowFault::FieldCount, detail }
}
