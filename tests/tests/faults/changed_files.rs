//! The next file of a campaign, while the first is being sent: what it moves, amends, keeps, adds and no longer names.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::message::{MessageRecord, Origin};
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::domain::vanished::KeptBecause;
use reminderly_core::ids::{MessageId, PacketId};
use reminderly_core::memory::MemoryStore;
use reminderly_core::services::{Explain, Reports, Settings};
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

/// The reminder goes three hours before: at eleven in Phoenix, five minutes after a world begins.
const AT: &str = "2026-03-04 14:00";
const LATER: &str = "2026-03-04 16:30";
const TOMORROW: &str = "2026-03-05 14:00";

const ROWS: usize = 24;

/// Each runs for more than a day, so they are fewer than elsewhere.
const SEEDS: u64 = 30;

const TICK: Duration = Duration::from_mins(2);

/// What the second file says about a row of the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unchanged,
    Amended,
    LaterToday,
    Tomorrow,
    Vanished,
    New,
}

fn fate(index: usize) -> Fate {
    match index {
        ROWS.. => Fate::New,
        _ if index % 6 == 1 => Fate::Amended,
        _ if index % 6 == 2 => Fate::LaterToday,
        _ if index % 6 == 3 => Fate::Tomorrow,
        _ if index % 6 == 4 => Fate::Vanished,
        _ => Fate::Unchanged,
    }
}

/// The second file, in another order.
fn second_file() -> String {
    let mut text = material::HEADER.to_owned();
    for index in (0..ROWS + 3).rev() {
        let at = match fate(index) {
            Fate::Vanished => continue,
            Fate::LaterToday => LATER,
            Fate::Tomorrow => TOMORROW,
            Fate::Unchanged | Fate::Amended | Fate::New => AT,
        };
        let line = material::line(index, &material::number(index), at);
        text.push_str(&if fate(index) == Fate::Amended { line.replace("Name", "Miss ") } else { line });
    }
    text
}

fn cancelling() -> Value {
    material::document_with(&[("/mapping/vanished", json!("cancel"))])
}

/// The number of a row, from its key.
fn index_of(record: &MessageRecord) -> usize {
    record.message.key.as_str().trim_start_matches('K').parse().unwrap()
}

/// A world in which both files went out, with all that it said.
struct Told {
    world: World,
    campaign: Campaign,
    packets: [PacketId; 2],
    /// When the second file was planned.
    planned: DateTime<Utc>,
}

impl Told {
    fn judge(&self) {
        let (world, campaign) = (&self.world, &self.campaign);
        judge::all_is_well(world, campaign);
        let records: BTreeMap<MessageId, MessageRecord> =
            judge::records(world, campaign).into_iter().map(|record| (record.message.id, record)).collect();
        let mut went: BTreeMap<usize, Vec<(&MessageRecord, DateTime<Utc>)>> = BTreeMap::new();
        for request in world.sandbox.accepted() {
            let record = &records[&request.message];
            went.entry(index_of(record)).or_default().push((record, request.at));
        }
        for index in 0..ROWS + 3 {
            let of_row = went.remove(&index).unwrap_or_default();
            let unresolved = records
                .values()
                .any(|record| index_of(record) == index && record.state.status == MessageStatus::Unknown);
            self.judge_row(index, &of_row, unresolved, &records);
        }
    }

    /// `unresolved`: nobody will ever know about one of its messages, so fewer may have gone.
    fn judge_row(
        &self,
        index: usize,
        went: &[(&MessageRecord, DateTime<Utc>)],
        unresolved: bool,
        records: &BTreeMap<MessageId, MessageRecord>,
    ) {
        let fate = fate(index);
        let is_old = |record: &MessageRecord| record.message.packet == self.packets[0];
        let old: Vec<_> = went.iter().filter(|(record, _)| is_old(record)).collect();
        let new: Vec<_> = went.iter().filter(|(record, _)| !is_old(record)).collect();
        let corrections: Vec<&MessageRecord> = records
            .values()
            .filter(|record| index_of(record) == index)
            .filter(|record| matches!(record.message.origin, Origin::Correction { .. }))
            .collect();
        let tried = records
            .values()
            .any(|record| index_of(record) == index && is_old(record) && record.state.epoch > 0);
        let stop = self.planned + TimeDelta::seconds(1);
        match fate {
            Fate::Unchanged | Fate::Amended | Fate::New => {
                assert_eq!(corrections, [] as [&MessageRecord; 0], "row {index} names the same time");
                assert!(went.len() == 1 || (unresolved && went.is_empty()), "row {index} {fate:?}: {went:?}");
            }
            Fate::Vanished => {
                assert!(new.is_empty());
                assert!(old.iter().all(|(_, at)| *at <= stop), "row {index} went after it had vanished");
            }
            Fate::LaterToday | Fate::Tomorrow => {
                assert!(old.iter().all(|(_, at)| *at <= stop), "row {index}: the old time at {old:?}");
                let corrected = new
                    .iter()
                    .filter(|(record, _)| matches!(record.message.origin, Origin::Correction { .. }));
                let corrected = corrected.count();
                if !old.is_empty() {
                    assert_eq!(corrections.len(), 1, "row {index}: whoever was told is corrected once");
                    let unknown = corrections[0].state.status == MessageStatus::Unknown;
                    assert!(corrected == 1 || unknown, "row {index}: {:?}", corrections[0].state);
                }
                if !tried {
                    assert_eq!(corrections.len(), 0, "row {index}: nobody was told anything");
                }
                assert!(!new.is_empty() || unresolved, "row {index} is not reminded of its new time");
                let scheduled = new.len() - corrected;
                let expected = usize::from(fate == Fate::Tomorrow || corrections.is_empty());
                assert!(
                    scheduled == expected || unresolved,
                    "row {index} {fate:?}: {scheduled} of {expected}"
                );
            }
        }
    }
}

/// Runs a world in which the second file comes after `steps` of its tasks, counted from eleven o'clock less `early`; kills workers
/// on the way.
fn run(seed: u64, setup: &Setup, crashes: usize) -> Told {
    let mut random = SmallRng::seed_from_u64(seed ^ 0xf11e);
    let mut world = World::new(setup);
    world.shuffle(seed);
    let company = world.company();
    let campaign = world.campaign(company, &cancelling());
    let first = world.load(company, campaign.id, &material::csv(ROWS, AT));
    world.start_worker();
    world.start_worker();
    let due = instant("2026-03-04T18:00:00Z");
    world.run_until(due + TimeDelta::seconds(random.random_range(-200..20)));
    let limit = due + TimeDelta::minutes(20);
    for _ in 0..random.random_range(0..600) {
        if !world.step() && !world.advance(limit) {
            break;
        }
    }
    let second = world.load(company, campaign.id, &second_file());
    let mut left = crashes;
    let planned = loop {
        if left > 0 && random.random_bool(0.02) {
            let workers = world.workers();
            world.kill(workers[random.random_range(0..workers.len())]);
            world.start_worker();
            left -= 1;
        }
        if !world.step() {
            assert!(world.advance(limit + TimeDelta::hours(1)), "the second file was not planned");
        }
        let stage = world.packet(company, second).stage;
        if matches!(stage, PacketStage::Mapped | PacketStage::Queued | PacketStage::Complete) {
            break world.now();
        }
    };
    world.run_to_end();
    Told { world, campaign, packets: [first, second], planned }
}

#[test]
fn a_second_file_at_any_moment_moves_cancels_and_corrects() {
    let script = json!({ "default": { "mix": { "delivers": 6, "time_out_accepted": 1, "time_out": 1, "throttled": 1 } } });
    let mut corrected = 0;
    for seed in super::seeds(SEEDS) {
        super::with_seed(seed, || {
            let tune = |settings: &mut Settings| settings.tick = TICK;
            let setup = Setup { seed, script: script.clone(), tune, ..Setup::default() };
            let told = run(seed, &setup, 0);
            told.judge();
            corrected += corrections(&told);
        });
    }
    assert!(super::seeds(SEEDS).count() < 2 || corrected > 30, "only {corrected} were corrected");
}

#[test]
fn a_second_file_is_planned_whole_by_workers_that_crash() {
    let script = json!({ "default": { "mix": { "delivers": 5, "time_out_accepted": 1, "lost_answer": 1 } } });
    for seed in super::seeds(SEEDS) {
        super::with_seed(seed, || {
            let tune = |settings: &mut Settings| {
                settings.rows_per_batch = 5;
                settings.tick = TICK;
            };
            let setup = Setup {
                seed,
                store: MemoryStore::yielding,
                script: script.clone(),
                tune,
                ..Setup::default()
            };
            run(seed, &setup, 8).judge();
        });
    }
}

fn corrections(told: &Told) -> usize {
    let records = judge::records(&told.world, &told.campaign);
    records.iter().filter(|record| matches!(record.message.origin, Origin::Correction { .. })).count()
}

/// When the first file has been sent, and when it has not.
const SENT: &str = "2026-03-04T18:01:00Z";
const UNSENT: &str = "2026-03-04T17:57:00Z";

/// A world in which a second file came at this instant, and has been mapped.
fn after_two(document: &Value, second: &str, at: &str) -> (World, Campaign, [PacketId; 2]) {
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, document);
    let first = world.load(company, campaign.id, &material::csv(3, AT));
    world.start_worker();
    world.run_until(instant(at));
    let second = world.load(company, campaign.id, second);
    world.run_until(world.now() + TimeDelta::minutes(2));
    (world, campaign, [first, second])
}

fn statuses(world: &World, campaign: &Campaign, packet: PacketId) -> Vec<MessageStatus> {
    world.messages(campaign.company, packet).iter().map(|record| record.state.status).collect()
}

#[test]
fn who_was_told_is_corrected_at_once() {
    let second = format!("{}{}", material::HEADER, material::line(1, &material::number(1), TOMORROW));
    let (mut world, campaign, [first, second]) = after_two(&material::document(), &second, SENT);
    let messages = world.messages(campaign.company, second);
    let Origin::Correction { of, .. } = messages[0].message.origin else { panic!("{:?}", messages[0]) };
    assert_eq!(of.packet, first);
    let accepted = world.sandbox.accepted();
    let correction = accepted.iter().find(|request| request.message == messages[0].message.id).unwrap();
    assert!(correction.at < instant("2026-03-04T18:03:00Z"), "{}", correction.at);
    assert!(correction.content.text().contains("Thu 2:00 PM"), "it names the new time");
    let view = world.scope(campaign.company, Action::ViewMessages);
    let explained =
        block_on(Explain::new(&world.ports).message(&view, second, messages[0].message.id)).unwrap();
    assert!(explained.to_string().contains(&format!("packet {first}")), "{explained}");
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(
        world.sandbox.accepted().len(),
        5,
        "three reminders, a correction and the reminder of the new time"
    );
}

#[test]
fn a_correction_waits_for_its_window() {
    // The file comes at half past four, when the window has closed; the appointment moves from tomorrow to the day after.
    let document =
        material::document_with(&[("/schedule/send", json!([{ "days_before": 1, "at": "11:00" }]))]);
    let mut world = World::new(&Setup::default());
    let company = world.company();
    let campaign = world.campaign(company, &document);
    world.load(company, campaign.id, &material::csv(1, TOMORROW));
    world.start_worker();
    world.run_until(instant("2026-03-04T23:35:00Z"));
    let moved =
        format!("{}{}", material::HEADER, material::line(0, &material::number(0), "2026-03-06 14:00"));
    world.load(company, campaign.id, &moved);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let at: Vec<_> = world.sandbox.accepted().iter().map(|request| request.at).collect();
    assert_eq!(at[0], instant("2026-03-04T18:00:00Z"));
    assert_eq!(at[1], instant("2026-03-05T15:00:00Z"), "at eight, before the old time");
    assert_eq!(at.len(), 2, "who is corrected on a day is not reminded of the same on that day");
}

#[test]
fn without_cancel_nothing_vanishes() {
    let second = format!("{}{}", material::HEADER, material::line(1, &material::number(1), AT));
    let (mut world, campaign, _) = after_two(&material::document(), &second, UNSENT);
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(world.sandbox.accepted().len(), 3);
}

#[test]
fn what_vanishes_is_told_in_the_report() {
    let second = format!("{}{}", material::HEADER, material::line(1, &material::number(1), AT));
    let (mut world, campaign, [first, second]) = after_two(&cancelling(), &second, UNSENT);
    let report = world.scope(campaign.company, Action::ViewReports);
    let vanished = block_on(Reports::new(&world.ports).packet(&report, second)).unwrap().vanished;
    assert_eq!((vanished.appointments, vanished.cancelled, vanished.kept), (2, 2, None));
    assert_eq!(
        statuses(&world, &campaign, first),
        [MessageStatus::Cancelled, MessageStatus::Planned, MessageStatus::Cancelled]
    );
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(world.sandbox.accepted().len(), 1);
}

#[test]
fn a_file_that_is_not_understood_whole_makes_nothing_vanish() {
    let good = material::line(1, &material::number(1), AT);
    let keyless = format!(",Name2,{},,{AT},P2\n", material::number(2));
    let unread = "K2,Name2,too few\n".to_owned();
    let undated = format!("K2,Name2,{},,soon,P2\n", material::number(2));
    // What a spreadsheet leaves of many keys is nobody's.
    let shortened = format!("2.02603E+11,Name2,{},,{AT},P2\n", material::number(2));
    for (bad, kept, cancelled) in [
        (keyless, Some("row 2"), 0),
        (shortened, Some("row 2"), 0),
        (unread, Some("1 rows"), 0),
        // Its key can be read: it names its appointment, and only the others vanish.
        (undated, None, 1),
    ] {
        let file = format!("{}{good}{bad}", material::HEADER);
        let (mut world, campaign, [_, second]) = after_two(&cancelling(), &file, UNSENT);
        let vanished = world.packet(campaign.company, second).vanished;
        assert_eq!(vanished.kept.is_some(), kept.is_some(), "{vanished:?}");
        if let (Some(because), Some(words)) = (vanished.kept, kept) {
            assert!(because.to_string().contains(words), "{because}");
        }
        assert_eq!(vanished.cancelled, cancelled);
        world.run_to_end();
        judge::all_is_well(&world, &campaign);
        assert_eq!(world.sandbox.accepted().len(), 3 - usize::try_from(cancelled).unwrap());
    }
}

#[test]
fn a_file_of_which_nothing_can_be_mapped_makes_nothing_vanish() {
    let file = format!("{}K9,Name9,{},,soon,P9\n", material::HEADER, material::number(9));
    let (world, campaign, [first, second]) = after_two(&cancelling(), &file, UNSENT);
    let vanished = world.packet(campaign.company, second).vanished;
    assert_eq!(vanished.kept, Some(KeptBecause::NothingMapped));
    assert_eq!(statuses(&world, &campaign, first), [MessageStatus::Planned; 3]);
}
