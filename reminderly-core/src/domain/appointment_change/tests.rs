use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::row::RowNumber;

fn packet(number: u128) -> PacketId {
    PacketId::from(Uuid::from_u128(number))
}

fn appointment(hour: i64) -> Appointment {
    let start: DateTime<Utc> = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    Appointment::new((start + TimeDelta::hours(hour)).naive_utc(), chrono_tz::UTC)
}

fn held(of: u128, row: u64, digest: u8, hour: i64) -> HeldAppointment {
    HeldAppointment {
        place: RowPlace { packet: packet(of), row: RowNumber(row) },
        fingerprint: RowFingerprint([digest; 16]),
        appointment: appointment(hour),
        seen_in: packet(of),
        standing: Standing::Live,
        told: Vec::new(),
    }
}

fn facts(row: u64, digest: u8, hour: i64) -> RowFacts {
    RowFacts {
        place: RowPlace { packet: packet(2), row: RowNumber(row) },
        fingerprint: RowFingerprint([digest; 16]),
        appointment: appointment(hour),
    }
}

fn old(row: u64) -> RowPlace {
    RowPlace { packet: packet(1), row: RowNumber(row) }
}

#[test]
fn one_row_is_new_unchanged_amended_or_moved() {
    let compared = |held: &[HeldAppointment], row| compare(packet(2), held, &[row]);
    assert_eq!(compared(&[], facts(1, 1, 0)), [AppointmentChange::New]);
    assert_eq!(compared(&[held(1, 7, 1, 0)], facts(1, 1, 0)), [AppointmentChange::Unchanged(old(7))]);
    assert_eq!(compared(&[held(1, 7, 1, 0)], facts(1, 2, 0)), [AppointmentChange::Amended(old(7))]);
    assert_eq!(compared(&[held(1, 7, 1, 0)], facts(1, 2, 3)), [AppointmentChange::Moved(old(7))]);
}

#[test]
fn a_newer_packet_speaks_for_the_appointment_unless_it_was_cancelled() {
    let newer = held(3, 7, 1, 0);
    assert_eq!(
        compare(packet(2), std::slice::from_ref(&newer), &[facts(1, 1, 0)]),
        [AppointmentChange::Stale(newer.place)]
    );
    let confirmed = HeldAppointment { seen_in: packet(3), ..held(1, 7, 1, 0) };
    assert_eq!(compare(packet(2), &[confirmed], &[facts(1, 2, 0)]), [AppointmentChange::Stale(old(7))]);
    let cancelled = HeldAppointment { standing: Standing::Cancelled, ..newer.clone() };
    assert_eq!(
        compare(packet(2), &[cancelled], &[facts(1, 1, 0)]),
        [AppointmentChange::Amended(newer.place)],
        "and what it planned is planned again"
    );
}

#[test]
fn what_does_not_stand_any_more_is_planned_again() {
    for standing in [Standing::Lapsed, Standing::Vanished, Standing::Cancelled] {
        let row = HeldAppointment { standing, ..held(1, 7, 1, 0) };
        let changes = compare(packet(2), &[row], &[facts(1, 1, 0)]);
        assert_eq!(changes, [AppointmentChange::Amended(old(7))], "{standing:?}");
    }
}

#[test]
fn rows_of_one_key_find_those_that_are_most_like_them() {
    let before = [held(1, 1, 1, 0), held(1, 2, 2, 48)];
    let rows = [facts(1, 3, 50), facts(2, 1, 0)];
    let changes = compare(packet(2), &before, &rows);
    assert_eq!(changes, [AppointmentChange::Moved(old(2)), AppointmentChange::Unchanged(old(1))]);
    let rows = [facts(1, 9, 48), facts(2, 2, 48), facts(3, 1, 0)];
    let changes = compare(packet(2), &before, &rows);
    let expected =
        [AppointmentChange::New, AppointmentChange::Unchanged(old(2)), AppointmentChange::Unchanged(old(1))];
    assert_eq!(changes, expected, "a second contact point for one appointment takes nobody's place");
}

#[test]
fn a_row_that_stands_twice_in_a_file_counts_once() {
    let changes = compare(packet(2), &[], &[facts(1, 1, 0), facts(2, 1, 0), facts(3, 2, 5)]);
    let first = RowPlace { packet: packet(2), row: RowNumber(1) };
    assert_eq!(
        changes,
        [AppointmentChange::New, AppointmentChange::Unchanged(first), AppointmentChange::New]
    );
    let own = held(2, 1, 1, 0);
    let changes = compare(packet(2), &[own], &[facts(9, 1, 0), facts(10, 2, 5)]);
    assert_eq!(changes, [AppointmentChange::Unchanged(first), AppointmentChange::New]);
}

proptest! {
    /// No earlier row is taken twice, and none is passed over while a row of the file is called new.
    #[test]
    fn earlier_rows_are_paired_once(
        before in proptest::collection::vec((0_u8..4, 0_i64..4), 0..5),
        after in proptest::collection::vec((0_u8..4, 0_i64..4), 0..5),
    ) {
        let before: Vec<_> = (1..).zip(before).map(|(row, (digest, hour))| held(1, row, digest, hour)).collect();
        let rows: Vec<_> = (1..).zip(after).map(|(row, (digest, hour))| facts(row, digest, hour)).collect();
        let changes = compare(packet(2), &before, &rows);
        let mut taken: Vec<_> = changes
            .iter()
            .filter_map(|change| match change {
                AppointmentChange::Unchanged(place) if place.packet == packet(2) => None,
                AppointmentChange::Unchanged(place) => Some(*place),
                change => change.replaces(),
            })
            .collect();
        let count = taken.len();
        taken.sort();
        taken.dedup();
        prop_assert_eq!(taken.len(), count);
        prop_assert!(!changes.contains(&AppointmentChange::New) || count == before.len());
    }
}
