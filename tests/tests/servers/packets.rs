//! Packets, their tables and their rows.

use futures::future::join_all;
use reminderly_core::domain::call::CallKey;
use reminderly_core::domain::packet::{Draining, IngestProgress, PacketStage};
use reminderly_core::domain::row::{Row, RowNumber};
use reminderly_core::ids::PacketId;
use reminderly_core::ports::store::{
    NewPacket, PacketCreation, PacketStore as _, RowBatch, StoreError, WriteOutcome,
};
use reminderly_mysql::ServerKind;
use rstest::rstest;

use crate::bench::{Bench, batch, call, file, packet};
use crate::database::{block_on, database};
use crate::values::id;

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

/// Whatever is in a text, it is read as it was written, and no part of a statement.
#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_text_is_stored_as_it_is(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let bench = Bench::new(&database).await;
        let file = bench.file(1).await;
        bench.open(&file).await;
        let every: String = (0..=0x7f_u8).map(char::from).collect();
        let texts =
            [every.as_str(), "', '', x'27'); -- ?", "\\' OR 1 = 1 #", "''", "\u{a0}\u{2019}Zoë 🦷\u{ff07}"];
        let rows: Vec<Row> =
            (1..).zip(texts).map(|(number, text)| Row::new(RowNumber(number), number, [text])).collect();
        let progress = IngestProgress { through: RowNumber(5), ..IngestProgress::default() };
        let batch = RowBatch { after: RowNumber(0), progress, rows: rows.clone(), rejected: Vec::new() };
        let written = bench.store.append_rows(bench.company, file.id, batch).await;
        assert_eq!(written.expect("stored"), WriteOutcome::Applied);
        let read = bench.store.rows(bench.company, file.id, RowNumber(0), 9).await.expect("read");
        assert_eq!(read.items, rows);
    });
}
