//! Files that come again.

use chrono::{TimeDelta, Utc};
use futures::executor::block_on;

use super::*;

/// The names of both files: they match the campaign's pattern, and the older one comes last by name.
const OLDER: &str = "recall_z.csv";
const NEWER: &str = "recall_a.csv";

/// Minutes of a morning long ago.
fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

/// An inbox with these files, each with the minute at which it changed.
fn inbox(files: &[(&str, i64, &str)]) -> MemorySource {
    files.iter().fold(MemorySource::new(), |source, (name, minute, data)| {
        source.with_file_of(*name, at(*minute), data)
    })
}

impl Bench {
    /// Takes in what is new, as a worker does; answers what became packets.
    fn take_in(&self, source: &MemorySource) -> Vec<String> {
        let scope = self.scope(Action::Ingest);
        let files = block_on(self.ingest.discover(&scope, self.campaign, source)).unwrap();
        let is_new = |file: &SourceFile| {
            let prepared = self.ingest.prepare_found(&scope, self.campaign, source, file);
            matches!(block_on(prepared).unwrap(), Prepared::New(_))
        };
        files.into_iter().filter(is_new).map(|file| file.name).collect()
    }

    /// The names of the campaign's files, the newest packet last.
    fn names(&self) -> Vec<String> {
        let packets = block_on(self.store.packets(self.company, self.campaign, None, 99)).unwrap().items;
        let name = |packet: Packet| match packet.origin {
            PacketOrigin::File { name, .. } => name.to_string(),
            other => panic!("{other:?}"),
        };
        packets.into_iter().map(name).collect()
    }
}

#[test]
fn files_count_in_the_order_in_which_they_changed() {
    for _ in 0..20 {
        // Within a millisecond, mostly.
        let bench = Bench::new(MemoryStore::new());
        assert_eq!(
            bench.take_in(&inbox(&[(OLDER, 1, "name\nA\n"), (NEWER, 2, "name\nB\n")])),
            [OLDER, NEWER]
        );
        assert_eq!(bench.names(), [OLDER, NEWER]);
    }
}

#[test]
fn files_that_lie_side_by_side_are_taken_once() {
    let bench = Bench::new(MemoryStore::new());
    let source = inbox(&[(OLDER, 1, "name\nA\n"), (NEWER, 2, "name\nB\n")]);
    assert_eq!(bench.take_in(&source).len(), 2);
    for _ in 0..3 {
        assert_eq!(bench.take_in(&source), [""; 0]);
    }
}

#[test]
fn content_that_is_exported_anew_is_taken_again() {
    let bench = Bench::new(MemoryStore::new());
    for (minute, data) in [(1, "name\nA\n"), (2, "name\nB\n"), (3, "name\nA\n"), (4, "name\nB\n")] {
        let source = inbox(&[(NEWER, minute, data)]);
        assert_eq!(bench.take_in(&source), [NEWER], "minute {minute}");
        assert_eq!(bench.take_in(&source), [""; 0], "minute {minute}");
    }
    assert_eq!(
        bench.take_in(&inbox(&[(NEWER, 5, "name\nB\n")])),
        [""; 0],
        "the newest once more is no other"
    );
}

#[test]
fn of_a_copied_inbox_nothing_is_taken_again() {
    let bench = Bench::new(MemoryStore::new());
    let files = |minute| inbox(&[(OLDER, minute, "name\nA\n"), (NEWER, minute + 1, "name\nB\n")]);
    assert_eq!(bench.take_in(&files(1)).len(), 2);
    assert_eq!(bench.take_in(&files(11)), [""; 0]);
}

#[test]
fn who_has_looked_long_ago_takes_nothing_back() {
    let bench = Bench::new(MemoryStore::new());
    let (before, after) = (inbox(&[(NEWER, 1, "name\nA\n")]), inbox(&[(NEWER, 2, "name\nB\n")]));
    let scope = bench.scope(Action::Ingest);
    let seen = block_on(bench.ingest.discover(&scope, bench.campaign, &before)).unwrap();
    assert_eq!((bench.take_in(&before).len(), bench.take_in(&after).len()), (1, 1));
    let late = block_on(bench.ingest.prepare_found(&scope, bench.campaign, &before, &seen[0])).unwrap();
    assert!(matches!(late, Prepared::AlreadyLoaded(_)), "{late:?}");
    assert_eq!(bench.names().len(), 2);
}

#[test]
fn what_is_handed_in_again_is_another_packet_only_after_another_file() {
    let bench = Bench::new(MemoryStore::new());
    let source = MemorySource::new().with_file("a.csv", "name\nA\n").with_file("b.csv", "name\nB\n");
    let load = |name| bench.load(bench.prepare(&source, name).id, &source).unwrap();
    let scope = bench.scope(Action::Ingest);
    for _ in 0..2 {
        for name in ["a.csv", "b.csv"] {
            let packet = load(name);
            let again = block_on(bench.ingest.prepare(&scope, bench.campaign, &source, name)).unwrap();
            assert_eq!(again, Prepared::AlreadyLoaded(packet));
        }
    }
    assert_eq!(bench.names(), ["a.csv", "b.csv", "a.csv", "b.csv"]);
}
