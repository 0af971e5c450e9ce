//! A restore in the middle of mapping, when a household was told at once.

use reminderly_core::domain::message::Detail;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::domain::skip_reason::SkipReason;
use reminderly_core::memory::MemoryStore;
use reminderly_core::services::Settings;
use reminderly_tests::world::{Setup, World, instant};
use reminderly_tests::{judge, material};

use super::households::{accepted, document};
use super::restores::{raise, release, restore, run_to_end};

/// Ben and Tom are mapped before the backup, Ann is not. Her appointment brings Ben's message forward; Tom's is of another day.
#[test]
fn who_was_told_with_a_forgotten_row_is_not_told_again() {
    let tune = |settings: &mut Settings| settings.rows_per_batch = 2;
    let mut world = World::new(&Setup { store: MemoryStore::yielding, tune, ..Setup::default() });
    let company = world.company();
    let campaign = world.campaign(company, &document());
    let (cell, other) = (material::number(0), material::number(1));
    let rows = format!(
        "K0,Ben,{cell},,2026-03-04 15:00,P0\nK1,Tom,{other},,2026-03-05 15:00,P1\nK2,Ann,{cell},,2026-03-04 14:00,P2\n"
    );
    let packet = world.load(company, campaign.id, &format!("{}{rows}", material::HEADER));
    world.start_worker();
    while world.packet(company, packet).mapped_through < RowNumber(2) {
        assert!(world.step(), "mapping goes on");
    }
    let backup = world.store.back_up();
    world.run_until(instant("2026-03-04T18:30:00Z"));
    let told = accepted(&world, 0);
    assert!(matches!(told.as_slice(), [text] if text.contains("Ann") && text.contains("Ben")), "{told:?}");
    restore(&mut world, &backup);
    raise(&world);
    world.start_worker();
    world.run_until(instant("2026-03-04T18:40:00Z"));
    release(&world);
    run_to_end(&mut world);
    judge::everything_ended(&world, &campaign);
    assert_eq!(accepted(&world, 0), told, "nobody is told again");
    assert_eq!(accepted(&world, 1).len(), 1, "what was planned for another day goes");
    let past_due = Some(Detail::Skip(SkipReason::PastDue));
    let records = world.messages(company, packet);
    let skipped = records.iter().filter(|record| record.state.detail == past_due).count();
    assert_eq!((skipped, records.len()), (2, 3));
    assert!(records.iter().any(|record| record.state.status == MessageStatus::Delivered));
}
