use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::executor::block_on;
use reminderly_core::clock::Clock as _;
use reminderly_core::testing::VirtualClock;
use tempfile::TempDir;

use super::super::*;
use crate::fixtures::{company, deadline, message, sms, start};

/// A clock, and a place for a journal.
fn place() -> (Arc<VirtualClock>, TempDir) {
    (Arc::new(VirtualClock::new(start())), TempDir::new().unwrap())
}

fn open(clock: &Arc<VirtualClock>, path: &Path) -> Result<Sandbox, JournalError> {
    Sandbox::open(Arc::clone(clock) as _, SandboxSettings::default(), path)
}

fn send(clock: &VirtualClock, sandbox: &Sandbox, messages: &[OutboundMessage]) -> Vec<ProviderOutcome> {
    let provider = sandbox.provider(ContactMethod::Sms);
    let outcomes = block_on(provider.send(messages, deadline(clock.monotonic()))).unwrap();
    outcomes.into_iter().collect()
}

#[test]
fn what_was_accepted_outlives_the_sandbox() {
    let (clock, directory) = place();
    let path = directory.path().join("journal");
    let before = open(&clock, &path).unwrap();
    send(&clock, &before, &[message(1, sms("+12025550100")), message(2, sms("+12025550110"))]);
    let (accepted, callbacks) = (before.accepted(), before.next_callback_at());
    assert_eq!(accepted.len(), 2);
    let accepted_attempt = accepted[1].attempt;
    drop(before);
    clock.advance(Duration::from_millis(10));
    let after = open(&clock, &path).unwrap();
    assert_eq!(
        (after.accepted(), after.accepted_count(), after.next_callback_at()),
        (accepted, 2, callbacks)
    );
    let found = block_on(after.lookup().find(&[accepted_attempt])).unwrap();
    assert!(matches!(found.iter().next(), Some(Finding::Accepted { .. })));
    // Its answer was lost once, and it is remembered that it was.
    let again = send(&clock, &after, &[message(3, sms("+12025550110"))]);
    assert!(matches!(again[..], [ProviderOutcome::Accepted { .. }]), "{again:?}");
    assert_eq!(after.accepted_count(), 3);
}

#[test]
fn what_was_not_confirmed_is_called_back_again() {
    let (clock, directory) = place();
    let path = directory.path().join("journal");
    let sandbox = open(&clock, &path).unwrap();
    send(&clock, &sandbox, &[message(1, sms("+12025550100"))]);
    clock.advance(Duration::from_mins(1));
    let taken = sandbox.take_callbacks(clock.now());
    assert_eq!(taken.len(), 2);
    sandbox.confirm(&taken[0].event);
    drop(sandbox);
    let sandbox = open(&clock, &path).unwrap();
    let again = sandbox.take_callbacks(clock.now());
    assert_eq!(again, taken[1..]);
}

#[test]
fn who_told_the_carrier_to_stop_is_remembered() {
    let (clock, directory) = place();
    let path = directory.path().join("journal");
    let sandbox = open(&clock, &path).unwrap();
    sandbox.opt_out(company(1), sms("+12025550100"));
    drop(sandbox);
    let sandbox = open(&clock, &path).unwrap();
    let outcomes = send(&clock, &sandbox, &[message(1, sms("+12025550100"))]);
    let rejection = Rejection::OptedOut;
    assert_eq!(outcomes, [ProviderOutcome::Rejected { code: "opted_out".to_owned(), rejection }]);
}

#[test]
fn a_line_that_was_cut_off_goes() {
    let (clock, directory) = place();
    let path = directory.path().join("journal");
    let sandbox = open(&clock, &path).unwrap();
    send(&clock, &sandbox, &[message(1, sms("+12025550100"))]);
    drop(sandbox);
    let whole = fs::read(&path).unwrap();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(br#"{"accepted_v1":{"comp"#).unwrap();
    let sandbox = open(&clock, &path).unwrap();
    assert_eq!(sandbox.accepted_count(), 1);
    assert_eq!(fs::read(&path).unwrap(), whole);
    send(&clock, &sandbox, &[message(2, sms("+12025550101"))]);
    drop(sandbox);
    assert_eq!(open(&clock, &path).unwrap().accepted_count(), 2);
}

#[test]
fn what_is_no_journal_is_left_alone() {
    let (clock, directory) = place();
    let path = directory.path().join("journal");
    for end in ["Appt ID,Name\n", "{\"default\": \"delivers\"}", "{}"] {
        let text = format!("{{\"called_back_v1\":{{\"event\":\"1\"}}}}\n{end}");
        fs::write(&path, &text).unwrap();
        let error = open(&clock, &path).unwrap_err();
        assert!(matches!(error, JournalError::Corrupt { line: 2, .. }), "{error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let error = open(&clock, &directory.path().join("nowhere/journal")).unwrap_err();
    assert!(matches!(error, JournalError::Unusable { .. }), "{error:?}");
}

#[test]
fn two_sandboxes_do_not_share_a_journal() {
    let (clock, directory) = place();
    let path = directory.path().join("journal");
    let _first = open(&clock, &path).unwrap();
    let error = open(&clock, &path).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error:?}");
}

#[test]
fn what_cannot_be_written_down_is_not_accepted() {
    let (clock, directory) = place();
    let sandbox = open(&clock, &directory.path().join("journal")).unwrap();
    sandbox.state().keep(Journal::unwritable(&directory.path().join("unwritable")));
    let outcomes = send(&clock, &sandbox, &[message(1, sms("+12025550100"))]);
    assert_eq!(outcomes, [ProviderOutcome::Deferred { retry_after: None }]);
    assert_eq!((sandbox.accepted_count(), sandbox.next_callback_at()), (0, None));
}
