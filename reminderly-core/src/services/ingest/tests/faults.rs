//! Crashes, rivals and sources that fail.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use futures::executor::block_on;
use futures::future::join;

use super::*;
use crate::ports::source::SourceReader;

/// A source whose file has other content, or cannot be read to its end, from one opening to the next.
#[derive(Debug)]
struct Scripted(Mutex<VecDeque<(Vec<u8>, bool)>>);

impl Scripted {
    fn new(openings: impl IntoIterator<Item = (Vec<u8>, bool)>) -> Self {
        Self(Mutex::new(openings.into_iter().collect()))
    }
}

#[derive(Debug)]
struct Breaking(Box<dyn SourceReader>, bool);

#[async_trait]
impl PacketSource for Scripted {
    async fn list(&self) -> Result<Vec<SourceFile>, SourceError> {
        Ok(Vec::new())
    }

    async fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SourceReader>, SourceError> {
        let (bytes, breaks) = self.0.lock().unwrap().pop_front().unwrap();
        let file = MemorySource::new().with_file(name, bytes).open(name, offset).await?;
        Ok(Box::new(Breaking(file, breaks)))
    }
}

#[async_trait]
impl SourceReader for Breaking {
    async fn read(&mut self, buffer: &mut Vec<u8>, max: usize) -> Result<usize, SourceError> {
        match self.0.read(buffer, max).await? {
            0 if self.1 => Err(SourceError::Unreadable { name: None, source: "network is down".into() }),
            bytes => Ok(bytes),
        }
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_read_fails_before_its_last_row() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let (whole, cut) = (FILE.as_bytes(), &FILE.as_bytes()[..20]);
    let scripted = Scripted::new([whole, whole, cut].map(|bytes| (bytes.to_vec(), false)));
    assert!(matches!(bench.load(packet.id, &scripted), Err(ServiceError::UnusableFile { .. })));
    let failed = bench.packet(packet.id);
    assert_eq!((failed.stage, failed.failure.unwrap().stage), (PacketStage::Failed, PacketStage::Ingested));
    assert!(bench.stored(packet.id).0.iter().all(|row| row == "1@2:Ann"));
}

/// Whoever replaces the file between two reads of one run mixes nothing in, wherever it differs.
#[test]
fn a_file_that_is_replaced_while_it_is_read_gives_no_row_of_the_other() {
    let rows: Vec<String> = (0..9_000).map(|row| format!("Ann,{row}\n")).collect();
    let file = format!("name,cell\n{}", rows.concat());
    let other = file.replace("Ann,8500", "Abe,8500");
    for openings in [[&file, &other, &file], [&file, &file, &other]] {
        let bench = Bench::new(MemoryStore::new());
        let bench = Bench { ingest: Ingest { rows_per_batch: 1_000, ..bench.ingest.clone() }, ..bench };
        let packet = bench.prepare(&MemorySource::new().with_file("recall_1.csv", &file), "recall_1.csv");
        let scripted = Scripted::new(openings.map(|file| (file.clone().into_bytes(), false)));
        let loaded = bench.load(packet.id, &scripted);
        if openings[1] == &other {
            // Only its first block is read for the header, and that is the same.
            assert_eq!(loaded.unwrap().rows.loaded, 9_000);
            continue;
        }
        assert!(matches!(loaded, Err(ServiceError::UnusableFile { .. })), "{loaded:?}");
        let failed = bench.packet(packet.id);
        assert!((1_000..8_500).contains(&failed.rows.loaded), "{:?}", failed.rows);
        block_on(bench.ingest.resume(&bench.scope(Action::Ingest), packet.id)).unwrap();
        let source = MemorySource::new().with_file("recall_1.csv", &file);
        assert_eq!(bench.load(packet.id, &source).unwrap().rows.loaded, 9_000);
        let rows = block_on(bench.store.rows(bench.company, packet.id, RowNumber(0), 9_999)).unwrap().items;
        assert!(rows.iter().zip(0..).all(|(row, cell)| row.field(1) == Some(&*cell.to_string())));
        assert!(rows.iter().all(|row| row.field(0) == Some("Ann")));
    }
}

#[test]
fn a_fault_that_passes_leaves_the_packet_where_it_is() {
    let bench = Bench::new(MemoryStore::new());
    let packet = bench.prepare(&source(), "recall_1.csv");
    let file = |breaks| (FILE.as_bytes().to_vec(), breaks);
    for (openings, stage) in [
        (vec![file(true)], PacketStage::Prepared),
        (vec![file(false), file(false), file(true)], PacketStage::Ingested),
    ] {
        let error = bench.load(packet.id, &Scripted::new(openings)).unwrap_err();
        assert!(error.is_transient());
        assert_eq!(bench.packet(packet.id).stage, stage);
    }
    bench.load(packet.id, &source()).unwrap();
    bench.assert_loaded(packet.id);
}

#[test]
fn a_crash_at_any_point_loses_and_doubles_no_row() {
    let mut crashes = 0;
    for polls in 0.. {
        let bench = Bench::new(MemoryStore::yielding());
        let packet = bench.prepare(&source(), "recall_1.csv");
        let (scope, source) = (bench.scope(Action::Ingest), source());
        let mut ignore = |_| {};
        let is_done = {
            let mut load = pin!(bench.ingest.load(&scope, packet.id, &source, &mut ignore));
            let mut context = Context::from_waker(Waker::noop());
            (0..polls).any(|_| matches!(load.as_mut().poll(&mut context), Poll::Ready(Ok(_))))
        };
        if is_done {
            break;
        }
        crashes += 1;
        bench.load(packet.id, &source).unwrap();
        bench.assert_loaded(packet.id);
    }
    assert!(crashes > 10, "{crashes}");
}

#[test]
fn two_who_load_the_same_packet_load_each_row_once() {
    for head_start in 0..20 {
        let bench = Bench::new(MemoryStore::yielding());
        let packet = bench.prepare(&source(), "recall_1.csv");
        let (scope, source) = (bench.scope(Action::Ingest), source());
        let (mut ignore, mut ignore_too) = (|_| {}, |_| {});
        let mut first = Box::pin(bench.ingest.load(&scope, packet.id, &source, &mut ignore));
        let second = bench.ingest.load(&scope, packet.id, &source, &mut ignore_too);
        let mut context = Context::from_waker(Waker::noop());
        let done = (0..head_start).find_map(|_| match first.as_mut().poll(&mut context) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        });
        let results = match done {
            Some(result) => (result, block_on(second)),
            None => block_on(join(first, second)),
        };
        for result in <[_; 2]>::from(results) {
            assert!(
                matches!(result, Ok(_) | Err(ServiceError::WrongState { what: "packet", .. })),
                "{result:?}"
            );
        }
        bench.load(packet.id, &source).unwrap();
        bench.assert_loaded(packet.id);
    }
}
