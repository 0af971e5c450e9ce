//! Stores that are brought back from a backup, in worlds that went on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use reminderly_core::clock::Clock;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::message::Detail;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::domain::unsubscribe::{RefusalKey, UnsubscribeChange};
use reminderly_core::memory::Backup;
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::store::WriteOutcome;
use reminderly_core::services::{Ports, RestoreFence, RestoreRelease, Settings, Unsubscribes};
use reminderly_core::sources::MemorySource;
use reminderly_core::testing::{SkewedClock, VirtualClock};
use reminderly_tests::world::{Setup, World, callers, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

/// Everything that goes wrong at a provider, and people who answer.
fn mixed(seed: u64) -> Setup {
    let script = json!({ "default": { "mix": {
        "delivers": 3, "confirms": 2, "cancels": 1, "time_out": 3, "time_out_accepted": 1, "lost_answer": 1,
        "throttled": 2, "server_error": 1, "server_error_accepted": 1, "accepted_late": 1, "duplicate_reports": 1
    } } });
    let tune = |settings: &mut Settings| settings.tick = Duration::from_mins(2);
    Setup { seed, store: MemoryStore::yielding, script, tune, ..Setup::default() }
}

/// Some go in five minutes, some in two hours, the others in four and more.
fn appointments() -> String {
    let mut text = material::HEADER.to_owned();
    let times = ["2026-03-04 14:00", "2026-03-04 16:00", "2026-03-04 18:00", "2026-03-04 18:30"];
    for index in 0..16 {
        text.push_str(&material::line(index, &material::number(index), times[index % times.len()]));
    }
    text
}

/// A deployment with a file in its inbox.
fn deployment(setup: &Setup) -> (World, Campaign) {
    let mut world = World::new(setup);
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let source = MemorySource::new().with_file("today.csv", appointments());
    world.with_inbox(company, campaign.id, Arc::new(source));
    world.start_worker();
    (world, campaign)
}

/// The store is lost and brought back; all processes start anew. The provider and the queues know nothing of it.
pub(crate) fn restore(world: &mut World, backup: &Backup) {
    for process in world.workers() {
        world.kill(process);
    }
    world.store.restore(backup);
}

pub(crate) fn raise(world: &World) {
    let (fence, scope) = (RestoreFence::new(&world.ports), world.operator_scope());
    block_on(async {
        let last = fence.last(&scope).await.unwrap();
        fence.raise(&scope, last.epoch).await.unwrap();
    });
}

pub(crate) fn release(world: &World) -> RestoreRelease {
    let (fence, scope) = (RestoreFence::new(&world.ports), world.operator_scope());
    let release = block_on(fence.release_all(&scope)).unwrap();
    assert_eq!((release.failed, &release.discrepant), (0, &Vec::new()));
    assert!(block_on(fence.fenced(&scope, None, 10)).unwrap().items.is_empty());
    release
}

/// How often each text reached each contact point: rows that are mapped again get other ids, and the person does not care.
fn times_told(world: &World) -> BTreeMap<(ContactPoint, String), usize> {
    let mut times = BTreeMap::new();
    for request in world.sandbox.accepted() {
        *times.entry((request.contact, request.content.text().to_owned())).or_default() += 1;
    }
    times
}

/// Runs until every packet has ended. Reports about forgotten attempts wait for longer.
pub(crate) fn run_to_end(world: &mut World) {
    for _ in 0..100 {
        if world.open_packets().is_empty() {
            return;
        }
        world.run_for(Duration::from_mins(30));
    }
    panic!("not everything ended: {:?}", world.open_packets());
}

fn told_twice(world: &World) -> usize {
    times_told(world).values().filter(|times| **times > 1).count()
}

/// Runs to `crash`, takes a backup on the way, restores it, and runs to the end; answers how many messages the fence closed.
fn crash_and_restore(seed: u64, backup_at: DateTime<Utc>, crash_at: DateTime<Utc>) -> u64 {
    let (mut world, campaign) = deployment(&mixed(seed));
    world.run_until(backup_at);
    let backup = world.store.back_up();
    world.run_until(crash_at);
    restore(&mut world, &backup);
    world.run_for(Duration::from_mins(3));
    raise(&world);
    let before = world.sandbox.accepted().len();
    world.start_worker();
    let fenced = !world.packets(&campaign).is_empty();
    // Nothing of what the backup holds goes, whatever comes due: and nothing else could, but rows that it does not hold yet.
    world.run_for(Duration::from_mins(50));
    if fenced {
        assert_eq!(world.sandbox.accepted().len(), before, "{backup_at} {crash_at}: something was sent");
    }
    let release = release(&world);
    run_to_end(&mut world);
    assert_eq!(told_twice(&world), 0, "seed {seed}, backup {backup_at}, crash {crash_at}: told twice");
    judge::everything_ended(&world, &campaign);
    judge::accounted_for(&world, &campaign);
    judge::inside_windows(&world, &campaign);
    // The last go in any case.
    let reached = times_told(&world)
        .keys()
        .filter(|(contact, _)| {
            (0..16).any(|index| index % 4 == 3 && contact.address() == material::number(index))
        })
        .count();
    assert!(reached >= 4, "seed {seed}: {reached} of the last went");
    release.expired
}

#[test]
fn nothing_is_told_twice_whenever_the_backup_was_taken() {
    let start = Setup::default().start;
    let backups = [0, 2, 240, 300, 301, 303, 320, 600, 3_600, 7_502];
    let crashes = [10, 303, 420, 3_700, 7_501];
    let (mut expired, mut runs) = (0, 0);
    for (seed, backup) in (1..).zip(backups) {
        for crash in crashes.into_iter().filter(|crash| *crash >= backup) {
            expired += crash_and_restore(
                seed,
                start + TimeDelta::seconds(backup),
                start + TimeDelta::seconds(crash),
            );
            runs += 1;
        }
    }
    println!("{runs} restores, {expired} messages closed");
    assert!(expired > 60, "{expired}");
}

#[test]
fn without_the_fence_people_are_told_twice() {
    let mut twice = 0;
    for seed in 1..4 {
        let (mut world, _) = deployment(&mixed(seed));
        world.run_until(instant("2026-03-04T17:58:00Z"));
        let backup = world.store.back_up();
        world.run_until(instant("2026-03-04T18:02:00Z"));
        restore(&mut world, &backup);
        world.start_worker();
        run_to_end(&mut world);
        twice += told_twice(&world);
    }
    assert!(twice > 5, "the restore is no danger, so the other tests prove nothing: {twice}");
}

/// Found by the simulation (seed 652): what was due a moment after the raise had gone by the clock of the worker.
#[test]
fn what_a_worker_sent_whose_clock_was_ahead_is_not_told_twice() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    world.load(company, campaign.id, &appointments());
    let true_clock: Arc<dyn Clock> = Arc::<VirtualClock>::clone(&world.clock);
    let ahead = Arc::new(SkewedClock::new(true_clock, TimeDelta::seconds(1)));
    let ports = Ports { clock: ahead, ..world.ports.clone() };
    world.start_worker_over(&ports);
    world.run_until(instant("2026-03-04T17:58:00Z"));
    let backup = world.store.back_up();
    world.run_until(instant("2026-03-04T17:59:59.500Z"));
    assert_eq!(world.sandbox.accepted().len(), 4, "those that go at six");
    restore(&mut world, &backup);
    raise(&world);
    world.start_worker();
    assert_eq!(release(&world).expired, 4);
    run_to_end(&mut world);
    assert_eq!(told_twice(&world), 0);
}

/// The five seconds for fast clocks are about what was due, not about what comes in.
#[test]
fn what_comes_in_right_after_a_restore_goes() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::on_demand());
    let backup = world.store.back_up();
    restore(&mut world, &backup);
    raise(&world);
    let worker = world.start_worker();
    world.run_for(Duration::from_secs(2));
    let scope = world.scope(company, Action::SendOnDemand);
    let on_demand = world.on_demand(worker);
    world.drive(on_demand.send(&scope, campaign.id, &callers::line(0))).unwrap();
    run_to_end(&mut world);
    assert_eq!(world.sandbox.accepted().len(), 1);
}

#[test]
fn a_file_that_came_after_the_backup_is_not_told_twice() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    let backup = world.store.back_up();
    let source = Arc::new(MemorySource::new().with_file("today.csv", appointments()));
    world.with_inbox(company, campaign.id, source);
    world.start_worker();
    world.run_until(instant("2026-03-04T18:02:00Z"));
    let before = world.sandbox.accepted().len();
    assert!(before >= 4);
    restore(&mut world, &backup);
    raise(&world);
    world.start_worker();
    world.run_for(Duration::from_mins(30));
    // The file is taken in anew, and is no fenced packet: but what was to go before the restore is past due.
    assert_eq!(world.sandbox.accepted().len(), before);
    let skipped = |record: &&reminderly_core::domain::message::MessageRecord| {
        let past_due = Detail::Skip(SkipReason::PastDue);
        record.state.detail == Some(past_due)
    };
    let records = judge::records(&world, &campaign);
    let late: Vec<_> = records.iter().filter(skipped).collect();
    assert_eq!(late.len(), 4);
    let sentences = late[0].message.trace.as_ref().expect("a trace").to_string();
    assert!(sentences.contains("the store was restored"), "{sentences}");
    run_to_end(&mut world);
    assert_eq!(told_twice(&world), 0);
    assert_eq!(times_told(&world).len(), 16);
}

/// The text message failed for good and the e-mail jumped, both after the backup: neither goes again, whether the backup knows
/// of them or the file is taken in anew.
#[test]
fn a_rung_that_jumped_after_the_backup_does_not_go_again() {
    for backed_up_at in ["2026-03-04T17:55:00Z", "2026-03-04T17:59:00Z"] {
        let number = material::number(0);
        let script = json!({ "contact_points": { (number.clone()): "invalid" } });
        let mut world = World::new(&Setup { script, ..Setup::default() });
        let company = world.company();
        let methods = json!({ "order": ["sms", "email"], "use": "ladder", "ladder_wait": "30m" });
        let campaign = world.campaign(company, &material::document_with(&[("/methods", methods)]));
        let file = format!("{}K0,Ann,{number},ann@example.com,2026-03-04 14:00,P0\n", material::HEADER);
        let source = Arc::new(MemorySource::new().with_file("today.csv", file));
        world.with_inbox(company, campaign.id, source);
        if backed_up_at > "2026-03-04T17:55:00Z" {
            world.start_worker();
        }
        world.run_until(instant(backed_up_at));
        let backup = world.store.back_up();
        world.start_worker();
        world.run_until(instant("2026-03-04T18:05:00Z"));
        assert_eq!(world.sandbox.accepted().len(), 1, "the e-mail");
        restore(&mut world, &backup);
        raise(&world);
        release(&world);
        world.start_worker();
        world.run_for(Duration::from_hours(1));
        run_to_end(&mut world);
        assert_eq!(world.sandbox.accepted().len(), 1, "{backed_up_at}");
        let past_due = Some(Detail::Skip(SkipReason::PastDue));
        let records = judge::records(&world, &campaign);
        assert_eq!(records.len(), 2);
        assert!(records.iter().all(|record| record.state.detail == past_due), "{backed_up_at}");
    }
}

#[test]
fn a_release_is_resumed_and_a_second_restore_fences_again() {
    let (mut world, campaign) = deployment(&Setup::default());
    world.run_until(instant("2026-03-04T17:58:00Z"));
    let backup = world.store.back_up();
    world.run_until(instant("2026-03-04T18:02:00Z"));
    restore(&mut world, &backup);
    raise(&world);
    assert_eq!(release(&world).expired, 4);
    assert_eq!(release(&world), RestoreRelease::default(), "nothing is left to do");
    world.start_worker();
    world.run_until(instant("2026-03-04T20:02:00Z"));
    assert_eq!(world.sandbox.accepted().len(), 8);
    // The same backup once more: it does not know that it was restored.
    restore(&mut world, &backup);
    raise(&world);
    world.start_worker();
    world.run_until(instant("2026-03-04T20:30:00Z"));
    assert_eq!(world.sandbox.accepted().len(), 8);
    assert_eq!(release(&world).expired, 8);
    run_to_end(&mut world);
    assert_eq!((told_twice(&world), times_told(&world).len()), (0, 16));
    judge::everything_ended(&world, &campaign);
}

#[test]
fn a_report_about_a_forgotten_attempt_is_kept_for_72_hours() {
    let tune = |settings: &mut Settings| settings.tick = Duration::from_mins(1);
    let (mut world, campaign) = deployment(&Setup { tune, ..Setup::default() });
    let backup = world.store.back_up();
    world.run_until(instant("2026-03-04T18:00:00.5Z"));
    let lost = world.sandbox.accepted()[0].attempt;
    restore(&mut world, &backup);
    raise(&world);
    let worker = world.start_worker();
    let dispositions = world.settings.queues.dispositions.clone();
    let waiting = |world: &World| world.depth(&dispositions).expect("a queue").total();
    world.run_for(Duration::from_hours(71));
    assert!(waiting(&world) > 0, "a report about {lost} was dropped");
    let statuses = judge::statuses(&world, &campaign);
    assert_eq!(statuses.get(&MessageStatus::Delivered).copied().unwrap_or_default() % 4, 0, "{statuses:?}");
    world.run_for(Duration::from_hours(2));
    assert_eq!(waiting(&world), 0);
    let dead = world.depth(&world.settings.queues.dead_letters).expect("a queue").total();
    assert!(dead > 0, "they are set aside, not dropped");
    world.kill(worker);
}

const ANN: &str = "K0,Ann,+15202340000,ann@example.com,";

/// A file with one appointment.
fn file(at: &str) -> String {
    format!("{}{ANN}{at},P0\n", material::HEADER)
}

/// Loads a file whose rows the backup holds unmapped, lets its messages go until `crash`, loses them, and goes on to the end.
fn lose_what_was_mapped(mut world: World, campaign: &Campaign, at: &str, crash: &str) -> World {
    world.load(campaign.company, campaign.id, &file(at));
    let (backup, before) = (world.store.back_up(), world.sandbox.accepted().len());
    world.start_worker();
    world.run_until(instant(crash));
    assert!(world.sandbox.accepted().len() > before);
    restore(&mut world, &backup);
    raise(&world);
    world.start_worker();
    world.run_for(Duration::from_mins(1));
    release(&world);
    run_to_end(&mut world);
    judge::everything_ended(&world, campaign);
    world
}

/// How many messages went in all when the first file of a campaign is mapped, lost and mapped again.
fn sent_of_one_row(document: &Value, script: Value, crash: &str) -> usize {
    let world = World::new(&Setup { script, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, document);
    lose_what_was_mapped(world, &campaign, "2026-03-04 14:00", crash).sandbox.accepted().len()
}

#[test]
fn what_is_sent_at_once_is_not_sent_again_when_its_rows_are_mapped_again() {
    assert_eq!(sent_of_one_row(&material::on_demand(), json!({}), "2026-03-04T17:57:00Z"), 1);
}

#[test]
fn nobody_is_corrected_again_when_the_rows_are_mapped_again() {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &material::document());
    world.load(company, campaign.id, &file("2026-03-04 14:00"));
    let worker = world.start_worker();
    world.run_until(instant("2026-03-04T18:01:00Z"));
    world.kill(worker);
    let world = lose_what_was_mapped(world, &campaign, "2026-03-05 14:00", "2026-03-04T18:03:00Z");
    assert_eq!(
        world.sandbox.accepted().len(),
        3,
        "a reminder, a correction and the reminder of the new time"
    );
}

/// A ladder of a text message three hours before the appointment and an e-mail.
fn ladder(wait: &str) -> Value {
    let methods = json!({ "order": ["sms", "email"], "use": "ladder", "ladder_wait": wait });
    material::document_with(&[("/methods", methods), ("/schedule/max_lateness", json!("5m"))])
}

#[test]
fn a_rung_that_jumped_does_not_go_again_when_its_row_is_mapped_again() {
    let script = json!({ "contact_points": { "+15202340000": "landline" } });
    // Each method once: the number takes no text messages, which is reported later.
    assert_eq!(sent_of_one_row(&ladder("30m"), script, "2026-03-04T18:10:00Z"), 2);
}

#[test]
fn a_rung_that_was_moved_forward_does_not_go_again_when_its_row_is_mapped_again() {
    // The text message goes at once, because the e-mail would come too late otherwise.
    assert_eq!(sent_of_one_row(&ladder("150m"), json!({}), "2026-03-04T17:57:00Z"), 1);
}

#[test]
fn another_method_that_is_first_after_a_restore_tells_nobody_again() {
    for choice in ["ladder", "first_available"] {
        // Text messages from one o'clock on, e-mails all day: due at eleven, and nobody knows who had refused what.
        let mut document = material::document_with(&[
            ("/methods", json!({ "order": ["sms", "email"], "use": choice })),
            ("/schedule/send", json!([{ "days_before": 1, "at": "11:00" }])),
        ]);
        document["schedule"]["windows"]["sms"] =
            json!({ "days": ["wed", "thu", "fri"], "from": "13:00", "to": "16:30" });
        let mut world = World::new(&Setup::default());
        let company = world.company();
        let campaign = world.campaign(company, &document);
        let line = format!("K0,Ann,{},ann@example.com,2026-03-05 14:00,P0\n", material::number(0));
        let file = MemorySource::new().with_file("today.csv", material::HEADER.to_owned() + &line);
        world.with_inbox(company, campaign.id, Arc::new(file));
        let backup = world.store.back_up();
        let scope = world.scope(company, Action::ManageUnsubscribes);
        let number = RefusalKey::Number(PhoneNumber::parse_stored(&material::number(0)).unwrap());
        let unsubscribes = Unsubscribes::new(&world.ports);
        let opted_out = block_on(unsubscribes.change(&scope, number, UnsubscribeChange::OptedOut)).unwrap();
        assert_eq!(opted_out, WriteOutcome::Applied);
        world.start_worker();
        world.run_until(instant("2026-03-04T18:30:00Z"));
        assert_eq!(world.sandbox.accepted().len(), 1, "{choice}: by e-mail, at eleven");
        restore(&mut world, &backup);
        raise(&world);
        world.start_worker();
        world.run_for(Duration::from_mins(5));
        run_to_end(&mut world);
        let packets = world.packets(&campaign);
        let again = world.messages(company, packets[0].id);
        let past = Some(Detail::Skip(SkipReason::PastDue));
        assert!(!again.is_empty() && again.iter().all(|record| record.state.detail == past), "{again:?}");
        assert_eq!(world.sandbox.accepted().len(), 1, "{choice}: told twice");
    }
}
