//! Killed in the middle and started again.

use std::time::Duration;

use reminderly_mysql::ServerKind;

use crate::database::{database, fresh_url};
use crate::site::{Running, Site, wait_for};

const ROWS: usize = 3_000;

/// Copies that were in the killed process's queues are made again after ten seconds, and silent claims looked up after a dozen.
const LONGEST: Duration = Duration::from_mins(5);

fn nothing_is_lost_and_nothing_is_sent_twice(kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    let site = Site::new(&fresh_url(&database));
    let early = site.worker(&["--status"]);
    assert!(String::from_utf8_lossy(&early.stderr).contains("worker --init"), "{early:?}");
    for _ in 0..2 {
        let made = site.worker(&["--init"]);
        assert!(made.status.success(), "{made:?}");
    }
    site.file_arrives(ROWS);
    // In the middle of taking the file in, or soon after, then again and again in the middle of sending.
    until(&site, "the file is a packet", |site| status(site).contains(" 1 packets")).kill();
    let mut in_flight = 0;
    for sent in [ROWS / 10, ROWS / 3, ROWS * 2 / 3] {
        until(&site, "messages are sent", |site| site.accepted().len() >= sent).kill();
        assert!(site.accepted().len() < ROWS, "it was killed in the middle");
        in_flight += column(&status(&site), "sending");
    }
    assert!(in_flight > 0, "some were killed between claim and answer");

    // Rows, messages, and those that are delivered: what the provider calls back outlives the process too.
    let worker = until(&site, "everything has ended", |site| {
        let status = status(site);
        status.contains(" complete ")
            && ["rows", "messages", "delivered"].map(|of| column(&status, of)) == [ROWS; 3]
    });
    let metrics = site.metrics();
    assert!(metrics.contains("reminderly_packets_running"), "{metrics}");
    assert_eq!(worker.stop(), Some(0));

    let accepted = site.accepted();
    let twice: Vec<_> = accepted.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(accepted.len(), ROWS, "none is lost");
    assert!(status(&site).contains("the ledger closes at every stage"));
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

/// The number in a column of the only packet.
fn column(status: &str, name: &str) -> usize {
    let cells = |line: &str| line.replace('│', " ").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = status.lines().filter(|line| line.starts_with('│')).map(cells).collect();
    let [heads, packet] = &lines[..] else { panic!("one packet: {status}") };
    let position = heads.iter().position(|head| head == name).expect("a column");
    packet.get(position).expect("a cell").parse().expect("a number")
}

#[test]
fn on_mariadb() {
    nothing_is_lost_and_nothing_is_sent_twice(ServerKind::MariaDb);
}

#[test]
fn on_mysql() {
    nothing_is_lost_and_nothing_is_sent_twice(ServerKind::MySql);
}
