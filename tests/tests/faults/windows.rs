//! Windows that close while messages wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::message::Detail;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::services::Settings;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};
use serde_json::{Value, json};

fn slow(settings: &mut Settings) {
    settings.tick = Duration::from_mins(10);
}

struct Outcome {
    accepted: Vec<DateTime<Utc>>,
    status: MessageStatus,
    detail: Option<Detail>,
}

/// One message of a campaign that is paused from `from` to `to`.
fn paused(changes: &[(&str, Value)], at: &str, (from, to): (&str, &str)) -> Outcome {
    let mut world = World::new(&Setup { tune: slow, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &material::document_with(changes));
    let packet = world.load(company, campaign.id, &material::csv(1, at));
    world.start_worker();
    let run = world.scope(company, Action::RunCampaign);
    world.run_until(instant(from));
    block_on(world.campaigns().pause(&run, campaign.id)).unwrap();
    world.run_until(instant(to));
    block_on(world.campaigns().resume(&run, campaign.id)).unwrap();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    let state = world.messages(company, packet)[0].state.clone();
    Outcome {
        accepted: world.sandbox.accepted().iter().map(|request| request.at).collect(),
        status: state.status,
        detail: state.detail,
    }
}

#[test]
fn a_message_that_is_held_up_within_its_window_goes_late() {
    let outcome = paused(&[], "2026-03-04 14:00", ("2026-03-04T17:59:00Z", "2026-03-04T18:30:00Z"));
    assert_eq!(outcome.status, MessageStatus::Delivered);
    let at = outcome.accepted[0];
    assert!(at >= instant("2026-03-04T18:30:00Z") && at < instant("2026-03-04T18:41:00Z"), "{at}");
}

#[test]
fn a_message_whose_window_closes_goes_in_the_next_one() {
    // Planned for Wednesday 16:00 and held up until 17:00.
    let send = ("/schedule/send", json!([{ "days_before": 1, "at": "16:00" }]));
    let late = ("/schedule/max_lateness", json!("24h"));
    let outcome = paused(&[send, late], "2026-03-05 14:00", ("2026-03-04T22:50:00Z", "2026-03-05T00:00:00Z"));
    assert_eq!(outcome.accepted, [instant("2026-03-05T15:00:00Z")]);
}

#[test]
fn a_message_that_was_never_queued_and_comes_too_late_is_past_due() {
    let send = ("/schedule/send", json!([{ "days_before": 1, "at": "16:00" }]));
    let outcome = paused(&[send], "2026-03-05 14:00", ("2026-03-04T22:50:00Z", "2026-03-05T00:00:00Z"));
    assert!(outcome.accepted.is_empty());
    assert_eq!(outcome.status, MessageStatus::Skipped);
    assert_eq!(outcome.detail, Some(Detail::Skip(SkipReason::PastDue)));
}

#[test]
fn a_message_that_was_queued_and_comes_too_late_is_expired() {
    // Its only try is asked to wait until the window has closed.
    let script = json!({ "default": { "request": { "throttle": { "retry_after": "15m", "times": 99 } } } });
    let mut world = World::new(&Setup { script, tune: slow, ..Setup::default() });
    let company = world.company();
    let document =
        material::document_with(&[("/schedule/send", json!([{ "days_before": 1, "at": "16:10" }]))]);
    let campaign = world.campaign(company, &document);
    world.load(company, campaign.id, &material::csv(2, "2026-03-05 14:00"));
    world.start_worker();
    world.run_to_end();
    judge::all_is_well(&world, &campaign);
    assert_eq!(world.sandbox.accepted(), []);
    assert_eq!(judge::statuses(&world, &campaign), [(MessageStatus::Expired, 2)].into());
}

#[test]
fn days_on_which_clocks_change_keep_their_windows() {
    for (start, appointment, base, sent) in [
        // 02:30 does not exist, 03:30 is closed, and Monday's window opens at 08:00 of daylight saving time.
        ("2026-03-07T12:00:00Z", "2026-03-09 09:15", "02:30", "2026-03-09T12:00:00Z"),
        ("2026-10-31T12:00:00Z", "2026-11-02 09:15", "01:30", "2026-11-02T13:00:00Z"),
    ] {
        let mut world = World::new(&Setup { start: instant(start), tune: slow, ..Setup::default() });
        let company = world.company();
        let document = material::document_with(&[
            ("/time_zone", json!("America/New_York")),
            ("/schedule/send", json!([{ "days_before": 1, "at": base }])),
        ]);
        let campaign = world.campaign(company, &document);
        world.load(company, campaign.id, &material::csv(3, appointment));
        world.start_worker();
        world.run_until(instant(sent) + chrono::TimeDelta::hours(1));
        world.run_to_end();
        judge::all_is_well(&world, &campaign);
        let at: Vec<_> = world.sandbox.accepted().iter().map(|request| request.at).collect();
        assert_eq!(at, [instant(sent); 3]);
    }
}
