//! Rows.

use super::bench::{Answered as _, Bench};
use super::values::{rejected, row};
use crate::domain::caps::Caps;
use crate::domain::packet::{FileFormat, IngestProgress, PacketStage, RowCounts};
use crate::domain::row::{Header, Row, RowFault, RowNumber};
use crate::domain::table::TextEncoding;
use crate::ids::PacketId;
use crate::ports::store::{PlanBatch, PlanOutcome, RowBatch, StoreError, WriteOutcome};

/// The header is recorded once, for a packet that is prepared.
pub async fn ingest_opens_from_prepared_only(bench: &Bench) {
    for stage in PacketStage::ALL {
        let packet = bench.packet_in(stage).await;
        let before = bench.packet(packet).await;
        let opened = bench.store.open_ingest(bench.company, packet, opening(), bench.at(9)).await.answered();
        let after = bench.packet(packet).await;
        if stage == PacketStage::Prepared {
            assert_eq!(opened, WriteOutcome::Applied);
            assert_eq!((after.stage, after.stage_changed_at), (PacketStage::Ingested, bench.at(9)));
            assert_eq!(after.ingest, opening());
        } else {
            assert_eq!((opened, after), (WriteOutcome::Stale, before), "{stage}");
        }
    }
}

/// Rows and rejections are stored, counted and the progress is kept.
pub async fn appended_rows_are_counted(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Ingested).await;
    let batch = Bench::row_batch(
        0,
        vec![row(1), row(3)],
        vec![rejected(2, RowFault::FieldCount), rejected(4, RowFault::InvalidUtf8)],
    );
    let progress = batch.progress.clone();
    assert_eq!(append(bench, packet, batch).await, WriteOutcome::Applied);
    let found = bench.packet(packet).await;
    let rows = RowCounts { read: 4, rejected: 2, loaded: 2, ..RowCounts::default() };
    assert_eq!((found.rows, found.ingest), (rows, progress));
    let counts = bench.store.packet_counts(bench.company, packet).await.answered();
    assert_eq!(counts.rows, rows);
    let faults: Vec<_> = counts.faults.into_iter().collect();
    assert_eq!(faults, [(RowFault::FieldCount, 1), (RowFault::InvalidUtf8, 1)]);
}

/// Whoever repeats a batch is told so, and nothing is stored twice.
pub async fn a_repeated_batch_of_rows_is_stale(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Ingested).await;
    let batch = || Bench::row_batch(0, vec![row(1)], vec![rejected(2, RowFault::FieldCount)]);
    assert_eq!(append(bench, packet, batch()).await, WriteOutcome::Applied);
    assert_eq!(append(bench, packet, batch()).await, WriteOutcome::Stale);
    assert_eq!(bench.packet(packet).await.rows.read, 2);
    let next = Bench::row_batch(2, vec![row(3)], Vec::new());
    assert_eq!(append(bench, packet, next).await, WriteOutcome::Applied);
    assert_eq!(bench.packet(packet).await.rows.read, 3);
}

/// No batch is left out.
pub async fn a_batch_after_a_gap_is_stale(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Ingested).await;
    let ahead = Bench::row_batch(1, vec![row(2)], Vec::new());
    assert_eq!(append(bench, packet, ahead).await, WriteOutcome::Stale);
    assert_eq!(bench.packet(packet).await.rows, RowCounts::default());
}

/// Rows come in while the packet is ingested.
pub async fn rows_are_stored_while_ingested_only(bench: &Bench) {
    for stage in PacketStage::ALL.into_iter().filter(|stage| *stage != PacketStage::Ingested) {
        let packet = bench.packet_in(stage).await;
        let batch = Bench::row_batch(0, vec![row(1)], Vec::new());
        assert_eq!(append(bench, packet, batch).await, WriteOutcome::Stale, "{stage}");
        assert_eq!(bench.store.row(bench.company, packet, RowNumber(1)).await.answered(), None);
    }
}

/// Every field reads back, empty ones too.
pub async fn a_row_is_read_back(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Ingested).await;
    let long = "né ".repeat(2_000);
    let odd = Row::new(RowNumber(2), 7, ["", "a,b\"\n", "日本", &long, ""]);
    let batch = Bench::row_batch(0, vec![row(1), odd.clone()], Vec::new());
    assert_eq!(append(bench, packet, batch).await, WriteOutcome::Applied);
    for (number, expected) in [(1, Some(row(1))), (2, Some(odd)), (3, None)] {
        assert_eq!(bench.store.row(bench.company, packet, RowNumber(number)).await.answered(), expected);
    }
}

/// Pages by row: full, full, rest.
pub async fn rows_are_paged(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Ingested).await;
    let good: Vec<Row> = [1, 2, 4, 5, 7].map(row).to_vec();
    let bad = vec![rejected(3, RowFault::FieldCount), rejected(6, RowFault::FieldCount)];
    let batch = Bench::row_batch(0, good.clone(), bad);
    assert_eq!(append(bench, packet, batch).await, WriteOutcome::Applied);
    let page = async |after| bench.store.rows(bench.company, packet, RowNumber(after), 2).await.answered();
    for (after, items, next) in [(0, &good[..2], Some(2)), (2, &good[2..4], Some(5)), (5, &good[4..], None)] {
        let page = page(after).await;
        assert_eq!((&page.items[..], page.next), (items, next.map(RowNumber)));
    }
    assert!(page(7).await.items.is_empty());
    let all = bench.store.rows(bench.company, packet, RowNumber(0), 5).await.answered();
    assert_eq!((all.items, all.next), (good, None), "nothing follows a last page that is full");
}

/// Rows that could not be read and rows that could not be mapped stand in one list.
pub async fn rejected_rows_are_paged(bench: &Bench) {
    let packet = bench.packet_in(PacketStage::Ingested).await;
    let unread = rejected(2, RowFault::FieldCount);
    let rows = vec![row(1), row(3), row(4)];
    let batch = Bench::row_batch(0, rows, vec![unread.clone()]);
    assert_eq!(append(bench, packet, batch).await, WriteOutcome::Applied);
    bench.raise(packet, PacketStage::Loaded).await;
    let failed = [rejected(1, RowFault::InvalidDate), rejected(4, RowFault::MissingValue)];
    let batch = PlanBatch {
        after: RowNumber(0),
        through: RowNumber(4),
        messages: vec![bench.message(packet, 3, 1)],
        appointments: Vec::new(),
        expected: Vec::new(),
        failed: failed.to_vec(),
        named: Vec::new(),
        caps: Caps::default(),
        at: bench.now,
    };
    let outcome = bench.store.plan(bench.company, packet, batch).await.answered();
    assert_eq!(outcome, PlanOutcome::Stored { duplicates: 0 });
    let page =
        async |after| bench.store.rejected(bench.company, packet, RowNumber(after), 2).await.answered();
    let first = page(0).await;
    assert_eq!((first.items, first.next), (vec![failed[0].clone(), unread], Some(RowNumber(2))));
    let last = page(2).await;
    assert_eq!((last.items, last.next), (vec![failed[1].clone()], None));
    assert!(bench.store.row(bench.company, packet, RowNumber(1)).await.answered().is_some());
}

/// Writes to a packet that does not exist say so; reads find nothing.
pub async fn rows_of_a_missing_packet_are_missing(bench: &Bench) {
    let (company, packet) = (bench.company, bench.id::<PacketId>());
    let opened = bench.store.open_ingest(company, packet, opening(), bench.now).await;
    assert!(matches!(opened, Err(StoreError::Missing { .. })), "{opened:?}");
    let batch = Bench::row_batch(0, vec![row(1)], Vec::new());
    let appended = bench.store.append_rows(company, packet, batch).await;
    assert!(matches!(appended, Err(StoreError::Missing { .. })), "{appended:?}");
    assert!(bench.store.rows(company, packet, RowNumber(0), 9).await.answered().items.is_empty());
    assert!(bench.store.rejected(company, packet, RowNumber(0), 9).await.answered().items.is_empty());
    assert_eq!(bench.store.row(company, packet, RowNumber(1)).await.answered(), None);
}

fn opening() -> IngestProgress {
    IngestProgress {
        header: Header(vec!["Name".to_owned(), "Note".to_owned(), "Date".to_owned()]),
        format: FileFormat::Text(TextEncoding::Utf16Le),
        delimiter: Some(b';'),
        through: RowNumber(0),
        offset: 15,
        line: 2,
    }
}

async fn append(bench: &Bench, packet: PacketId, batch: RowBatch) -> WriteOutcome {
    bench.store.append_rows(bench.company, packet, batch).await.answered()
}
