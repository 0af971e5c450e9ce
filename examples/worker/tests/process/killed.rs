//! Killed in the middle and started again: the worker, and its server.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_mysql::ServerKind;
use tokio::time::timeout;

use crate::database::{block_on, database, fresh_url, is_long, own_database};
use crate::proxy::{Fault, Packet, Proxy};
use crate::site::{Running, Site, wait_for};

/// So many files arrive, one after the other.
const FILES: usize = 8;

const ROWS_OF_FILE: usize = 100;

const ROWS: usize = FILES * ROWS_OF_FILE;

/// Copies that were in the killed process's queues are made again after three seconds, and silent claims looked up after some more.
const LONGEST: Duration = Duration::from_mins(5);

/// A worker that has sent nothing to the server for so long waits for something.
const IDLE: Duration = Duration::from_millis(1_200);

/// However busy it is.
const LONGEST_LIFE: Duration = Duration::from_secs(3);

/// A life of a worker has so many packets at most: those of its start, and some of its work.
const LIFE: u64 = 200;

/// A life in which much may be sent.
const LONG_LIFE: u64 = 1_500;

/// So many packets lie between two deaths of a server, at most.
const PACKETS: u64 = 250;

/// The worker is killed when it sends its n-th packet, which its server does not get; and started again.
fn a_killed_worker_loses_nothing_and_sends_nothing_twice(kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let proxy = Proxy::new(database.address());
    let site = Site::new(&proxy.in_front_of(&fresh_url(&database)));
    let early = site.worker(&["--status"]);
    assert!(String::from_utf8_lossy(&early.stderr).contains("worker --init"), "{early:?}");
    for _ in 0..2 {
        let made = site.worker(&["--init"]);
        assert!(made.status.success(), "{made:?}");
    }
    let lives = if is_long() { 1_000 } else { 150 };
    let mut random = StdRng::seed_from_u64(lives);
    for life in 0..lives {
        arrive(&site, life, lives);
        // Most do not live to send anything, and some long.
        let longest = if life.is_multiple_of(4) { LONG_LIFE } else { LIFE };
        let packets = random.random_range(1..=longest);
        proxy.plan(Packet::FromNow(packets), Fault::Held);
        let worker = site.start();
        let death = proxy.fault_happens_unless_idle(IDLE);
        block_on(async { timeout(LONGEST_LIFE, death).await }).ok();
        worker.kill();
        proxy.clear();
        if life.is_multiple_of(25) {
            status(&site);
        }
    }
    assert!(proxy.faults() > lives / 3, "it was killed at a packet {} times", proxy.faults());
    assert!(!site.accepted().is_empty(), "some were sent between two deaths");
    ends_well(&site);
}

/// The server is killed while the worker works, and started again.
fn a_killed_server_loses_nothing_and_nothing_is_sent_twice(kind: ServerKind, kills: u32) {
    let Some(mut database) = own_database(kind) else { return };
    let proxy = Proxy::new(database.address());
    let site = Site::new(&proxy.in_front_of(&fresh_url(&database)));
    assert!(site.worker(&["--init"]).status.success());
    let mut worker = until(&site, "it has started", Site::listens);
    let mut random = StdRng::seed_from_u64(kills.into());
    for kill in 0..kills {
        arrive(&site, kill.into(), kills.into());
        // At a packet, whichever it is.
        proxy.plan(Packet::FromNow(random.random_range(1..=PACKETS)), Fault::Held);
        block_on(async { timeout(IDLE, proxy.fault_happens()).await }).ok();
        database.kill_and_start();
        proxy.lead_to(database.address());
        proxy.cut_all();
        proxy.clear();
        assert!(worker.runs(), "it outlives its server");
    }
    drop(worker);
    wait_for("the server is back", LONGEST, || site.worker(&["--status"]).status.success());
    ends_well(&site);
}

/// Lets the next file arrive, if it is its turn: the last ones come when the others are done.
fn arrive(site: &Site, turn: u64, turns: u64) {
    let between = (turns / 10).max(1);
    let file = usize::try_from(turn / between).expect("few");
    if turn.is_multiple_of(between) && file < FILES {
        site.file_arrives(file, ROWS_OF_FILE);
    }
}

/// Everything that was to be sent has been, once, and everybody agrees about it.
fn ends_well(site: &Site) {
    // Rows, messages, and those that are delivered: what the provider calls back outlives the process too.
    let worker = until(site, "everything has ended", |site| {
        let status = status(site);
        status.matches(" complete ").count() == FILES
            && ["rows", "messages", "delivered"].map(|of| column(&status, of)) == [ROWS; 3]
    });
    let metrics = site.metrics();
    assert!(metrics.contains("reminderly_packets_running"), "{metrics}");
    assert_eq!(worker.stop(), Some(0));

    let accepted = site.accepted();
    let twice: Vec<_> = accepted.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(accepted.len(), ROWS, "none is lost");
    assert!(status(site).contains("the ledger closes at every stage"));
}

/// Runs a worker until something is so.
fn until(site: &Site, what: &str, is_so: impl Fn(&Site) -> bool) -> Running {
    let mut worker = site.start();
    wait_for(what, LONGEST, || {
        assert!(worker.runs(), "{what}: the worker has ended");
        is_so(site)
    });
    worker
}

fn status(site: &Site) -> String {
    let shown = site.worker(&["--status", "--log", "off"]);
    assert!(shown.status.success(), "the ledger closes at any time: {shown:?}");
    String::from_utf8_lossy(&shown.stdout).into_owned()
}

/// The sum of a column of all packets.
fn column(status: &str, name: &str) -> usize {
    let cells = |line: &str| line.replace('│', " ").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut lines = status.lines().filter(|line| line.starts_with('│')).map(cells);
    let heads = lines.next().expect("a heading");
    let position = heads.iter().position(|head| head == name).expect("a column");
    lines.map(|packet| packet.get(position).expect("a cell").parse::<usize>().expect("a number")).sum()
}

#[test]
fn worker_on_mariadb() {
    a_killed_worker_loses_nothing_and_sends_nothing_twice(ServerKind::MariaDb);
}

#[test]
fn worker_on_mysql() {
    a_killed_worker_loses_nothing_and_sends_nothing_twice(ServerKind::MySql);
}

#[test]
fn mariadb() {
    a_killed_server_loses_nothing_and_nothing_is_sent_twice(
        ServerKind::MariaDb,
        if is_long() { 400 } else { 40 },
    );
}

#[test]
fn mysql() {
    a_killed_server_loses_nothing_and_nothing_is_sent_twice(
        ServerKind::MySql,
        if is_long() { 100 } else { 10 },
    );
}
