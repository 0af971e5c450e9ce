//! Files of every format: killed anywhere, changed under the reader, larger than allowed.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use futures::executor::block_on;
use rstest::rstest;

use super::*;
use crate::domain::packet::FileFormat;
use crate::domain::table::TextEncoding;

const NAME: &str = "recall_1.csv";

/// Rows that are good, bad, over several lines and beyond ASCII; `\u{1}` cannot be encoded.
const TEXT: &str =
    "name,cell\r\nAnn,1\r\n\"B\r\nob\",2\r\nonly one\r\n\"Cid \"\"C\"\"\n\",3\r\nJosé,4\r\n\r\nEve,5";
const ROWS: [&str; 5] = ["1@2:Ann", "2@3:B\r\nob", "4@6:Cid \"C\"\n", "5@8:José", "6@10:Eve"];
const REJECTED: [&str; 1] = ["3:field_count"];

fn utf_16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A file, what it is known to be, and its rows.
struct Sample {
    bytes: Vec<u8>,
    format: FileFormat,
    rows: Vec<&'static str>,
    rejected: Vec<&'static str>,
}

impl Sample {
    fn text(bytes: Vec<u8>, encoding: TextEncoding) -> Self {
        Self { bytes, format: FileFormat::Text(encoding), rows: ROWS.to_vec(), rejected: REJECTED.to_vec() }
    }

    fn all() -> Vec<Self> {
        let big_endian: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let broken = {
            let mut bytes = utf_16(TEXT);
            let four = bytes.windows(2).position(|unit| unit == [b'4', 0]).unwrap();
            bytes[four..four + 2].copy_from_slice(&[0x3d, 0xd8]);
            let mut sample = Self::text(bytes, TextEncoding::Utf16Le);
            sample.rows.remove(3);
            sample.rejected.push("5:invalid_utf8");
            sample
        };
        vec![
            Self::text(TEXT.as_bytes().to_vec(), TextEncoding::Utf8),
            Self::text(utf_16(TEXT), TextEncoding::Utf16Le),
            Self::text(big_endian, TextEncoding::Utf16Be),
            broken,
            #[cfg(feature = "xlsx")]
            workbook(),
        ]
    }

    fn assert_loaded(&self, bench: &Bench, id: PacketId) {
        let packet = bench.packet(id);
        assert_eq!((packet.stage, packet.ingest.format), (PacketStage::Loaded, self.format));
        let (rows, rejected) = bench.stored(id);
        assert_eq!((rows, rejected), (owned(&self.rows), owned(&self.rejected)), "{}", self.format);
        let counts = (packet.rows.read, packet.rows.loaded, packet.rows.rejected);
        let (good, bad) = (self.rows.len() as u64, self.rejected.len() as u64);
        assert_eq!(counts, (good + bad, good, bad));
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[cfg(feature = "xlsx")]
fn workbook() -> Sample {
    use crate::domain::table::tests::xlsx_file::Cell::{No, Number, Text};
    use crate::domain::table::tests::xlsx_file::workbook;

    let rows = vec![
        (1, vec![Text("name"), Text("cell")]),
        (2, vec![Text("Ann"), Number(1.0)]),
        (3, vec![Text("B\nob"), Number(2.0)]),
        (4, vec![Text("x"), No, Text("too many")]),
        (7, vec![Text("Cid"), Number(3.0)]),
        (8, vec![Text("José")]),
        (9, vec![Text("Eve"), Number(5.0)]),
    ];
    Sample {
        bytes: workbook("", &[("Data", false, rows)]),
        format: FileFormat::Workbook,
        rows: vec!["1@2:Ann", "2@3:B\nob", "4@7:Cid", "5@8:José", "6@9:Eve"],
        rejected: REJECTED.to_vec(),
    }
}

/// Polls a loading so often at most, then drops it. Whether it is done.
fn load_for(bench: &Bench, packet: PacketId, source: &MemorySource, polls: usize) -> bool {
    let scope = bench.scope(Action::Ingest);
    let mut ignore = |_| {};
    let mut load = pin!(bench.ingest.load(&scope, packet, source, &mut ignore));
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).any(|_| matches!(load.as_mut().poll(&mut context), Poll::Ready(Ok(_))))
}

#[test]
fn a_kill_at_any_poll_loses_and_doubles_no_row_of_any_format() {
    for sample in Sample::all() {
        let source = MemorySource::new().with_file(NAME, &sample.bytes);
        let mut kills = 0;
        for polls in 0.. {
            let bench = Bench::new(MemoryStore::yielding());
            let packet = bench.prepare(&source, NAME);
            if load_for(&bench, packet.id, &source, polls) {
                break;
            }
            kills += 1;
            bench.load(packet.id, &source).unwrap();
            sample.assert_loaded(&bench, packet.id);
        }
        assert!(kills > 10, "{}: {kills}", sample.format);
    }
}

#[test]
fn one_kill_after_the_other_loses_and_doubles_no_row_of_any_format() {
    for sample in Sample::all() {
        let source = MemorySource::new().with_file(NAME, &sample.bytes);
        for polls in 9..40 {
            let bench = Bench::new(MemoryStore::yielding());
            let packet = bench.prepare(&source, NAME);
            // A run that is killed too early to store a batch comes no further than the one before.
            let done = (0..20).any(|_| load_for(&bench, packet.id, &source, polls));
            if !done {
                bench.load(packet.id, &source).unwrap();
            }
            sample.assert_loaded(&bench, packet.id);
        }
    }
}

/// Stops a loading after each batch in turn.
#[test]
fn a_kill_at_any_batch_goes_on_with_the_next_row() {
    for sample in Sample::all() {
        let source = MemorySource::new().with_file(NAME, &sample.bytes);
        let whole = {
            let bench = Bench::new(MemoryStore::new());
            let packet = bench.prepare(&source, NAME);
            let (mut heard, scope) = (Vec::new(), bench.scope(Action::Ingest));
            let mut listen = |at: LoadProgress| heard.push(at.rows_read);
            block_on(bench.ingest.load(&scope, packet.id, &source, &mut listen)).unwrap();
            heard
        };
        assert_eq!(whole, [2, 4, 6, 6], "{}", sample.format);
        for stop in [2, 4] {
            let killed = (1..200).find_map(|polls| {
                let bench = Bench::new(MemoryStore::yielding());
                let packet = bench.prepare(&source, NAME).id;
                load_for(&bench, packet, &source, polls);
                (bench.packet(packet).rows.read == stop).then_some((bench, packet))
            });
            let (bench, packet) = killed.unwrap();
            bench.load(packet, &source).unwrap();
            sample.assert_loaded(&bench, packet);
        }
    }
}

/// Many blocks, so that rows and characters are cut by them.
#[test]
fn a_large_file_in_utf_16_goes_on_in_the_middle_of_a_block() {
    let rows: Vec<String> = (0..4_000).map(|row| format!("\"Zoë\n{row}\",{row} é😀\r\n")).collect();
    let source = MemorySource::new().with_file(NAME, utf_16(&format!("name,cell\r\n{}", rows.concat())));
    let bench = Bench::new(MemoryStore::yielding());
    let bench = Bench { ingest: Ingest { rows_per_batch: 700, ..bench.ingest.clone() }, ..bench };
    let packet = bench.prepare(&source, NAME);
    let kills = (1..200).find(|polls| {
        load_for(&bench, packet.id, &source, *polls);
        bench.packet(packet.id).rows.read >= 1_400
    });
    let killed = bench.packet(packet.id);
    assert!(kills.is_some() && killed.stage == PacketStage::Ingested, "{killed:?}");
    assert!(!killed.ingest.offset.is_multiple_of(65_536));
    bench.load(packet.id, &source).unwrap();
    let stored = block_on(bench.store.rows(bench.company, packet.id, RowNumber(0), 9_999)).unwrap().items;
    assert_eq!(stored.len(), 4_000);
    for (row, number) in stored.iter().zip(0..) {
        assert_eq!(row.number.0, number + 1);
        assert_eq!((row.field(0).unwrap(), row.line), (&*format!("Zoë\n{number}"), 2 + 2 * number));
        assert_eq!(row.field(1).unwrap(), format!("{number} é😀"));
    }
}

#[rstest]
#[case::rows(FileLimits { max_rows: 5, ..FileLimits::default() }, "file has more than 5 rows: split it into several files")]
#[case::columns(
    FileLimits { max_columns: 1, ..FileLimits::default() },
    "header has 2 columns, and 1 are allowed: remove those that nobody needs"
)]
fn limits_refuse_a_file_with_their_number(#[case] limits: FileLimits, #[case] expected: &str) {
    for sample in Sample::all() {
        let bench = Bench::new(MemoryStore::new());
        let ingest = Ingest { file_limits: limits, ..bench.ingest.clone() };
        let source = MemorySource::new().with_file(NAME, &sample.bytes);
        let packet = bench.prepare(&source, NAME);
        let scope = bench.scope(Action::Ingest);
        let error = block_on(ingest.load(&scope, packet.id, &source, &mut |_| {})).unwrap_err();
        assert!(matches!(&error, ServiceError::UnusableFile { reason } if reason == expected), "{error:?}");
        let failed = bench.packet(packet.id);
        assert_eq!((failed.stage, failed.failure.unwrap().reason.as_str()), (PacketStage::Failed, expected));

        // With a higher limit it goes on where it stopped.
        block_on(bench.ingest.resume(&scope, packet.id)).unwrap();
        bench.load(packet.id, &source).unwrap();
        sample.assert_loaded(&bench, packet.id);
    }
}

#[test]
fn as_many_rows_as_allowed_are_fine() {
    let bench = Bench::new(MemoryStore::new());
    let limits = FileLimits { max_rows: 6, max_bytes: TEXT.len() as u64, ..FileLimits::default() };
    let bench = Bench { ingest: Ingest { file_limits: limits, ..bench.ingest.clone() }, ..bench };
    let source = MemorySource::new().with_file(NAME, TEXT);
    let packet = bench.prepare(&source, NAME);
    assert_eq!(bench.load(packet.id, &source).unwrap().rows.read, 6);
}

#[test]
fn a_file_that_is_too_large_gets_no_packet() {
    let bench = Bench::new(MemoryStore::new());
    let limits = FileLimits { max_bytes: TEXT.len() as u64 - 1, ..FileLimits::default() };
    let bench = Bench { ingest: Ingest { file_limits: limits, ..bench.ingest.clone() }, ..bench };
    let small = MemorySource::new().with_file("recall_0.csv", "name,cell\n");
    bench.prepare(&small, "recall_0.csv");
    let source = small.with_file(NAME, TEXT);
    assert_eq!(bench.discover(&source), [NAME], "whoever prepares it is told");
    let scope = bench.scope(Action::Ingest);
    let refused = block_on(bench.ingest.prepare(&scope, bench.campaign, &source, NAME)).unwrap_err();
    assert!(!refused.is_transient());
    let expected = format!("file cannot be used: file is larger than {} bytes", TEXT.len() - 1);
    assert!(refused.to_string().starts_with(&expected), "{refused}");
    let packets = block_on(bench.store.packets(bench.company, bench.campaign, None, 9)).unwrap().items;
    assert_eq!(packets.len(), 1);
}

#[rstest]
#[case::windows_1252(
    b"name,cell\nAnn,1\nJos\xe9,2\n",
    "file is not UTF-8 at byte 19: save it as \"CSV UTF-8\""
)]
#[case::old_workbook(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "file is an old Excel workbook")]
#[cfg_attr(
    not(feature = "xlsx"),
    case::workbook(
        b"PK\x03\x04rest",
        "file is an Excel workbook or another ZIP archive: save it as \"CSV UTF-8\"; workbooks are read where the feature `xlsx`"
    )
)]
#[cfg_attr(feature = "xlsx", case::archive(b"PK\x03\x04rest", "file is no Excel workbook that can be read:"))]
fn files_of_other_formats_are_refused_before_a_row_is_read(#[case] bytes: &[u8], #[case] expected: &str) {
    let bench = Bench::new(MemoryStore::new());
    let source = MemorySource::new().with_file(NAME, bytes);
    let packet = bench.prepare(&source, NAME);
    let error = bench.load(packet.id, &source).unwrap_err();
    assert!(
        matches!(&error, ServiceError::UnusableFile { reason } if reason.starts_with(expected)),
        "{error}"
    );
    let failed = bench.packet(packet.id);
    assert_eq!((failed.stage, failed.rows.read), (PacketStage::Failed, 0));
}

#[cfg(feature = "xlsx")]
#[test]
fn a_workbook_may_not_be_larger_than_allowed() {
    let sample = workbook();
    for max_workbook_bytes in [sample.bytes.len() as u64 - 1, sample.bytes.len() as u64] {
        let bench = Bench::new(MemoryStore::new());
        let limits = FileLimits { max_workbook_bytes, ..FileLimits::default() };
        let bench = Bench { ingest: Ingest { file_limits: limits, ..bench.ingest.clone() }, ..bench };
        let source = MemorySource::new().with_file(NAME, &sample.bytes);
        let packet = bench.prepare(&source, NAME);
        let error = bench.load(packet.id, &source).unwrap_err().to_string();
        assert!(
            error.contains(&format!("more than {max_workbook_bytes} bytes when it is unpacked")),
            "{error}"
        );
    }
}
