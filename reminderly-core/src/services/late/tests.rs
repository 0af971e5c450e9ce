use chrono::TimeDelta;

use super::*;
use crate::domain::appointment::Appointment;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, EmailAddress};
use crate::domain::held_appointment::RowPlace;
use crate::domain::mapping::check;
use crate::domain::message::{Message, MessageState, PlanVerdict};
use crate::domain::row::RowNumber;
use crate::ids::{IdSourceExt as _, SeededIds};

/// A message that was planned at the epoch, about an appointment two days later.
fn record(origin: impl FnOnce(RowPlace) -> Origin) -> MessageRecord {
    let (ids, at) = (SeededIds::new(1), DateTime::UNIX_EPOCH);
    let packet = ids.next(at);
    let message = Message {
        id: ids.next(at),
        packet,
        campaign: ids.next(at),
        origin: origin(RowPlace { packet, row: RowNumber(1) }),
        key: AppointmentKey::new("1").unwrap(),
        person: None,
        method: ContactMethod::Email,
        contact: Some(ContactPoint::Email(EmailAddress::parse("ann@example.com").unwrap())),
        appointment: Some(Appointment::new((at + TimeDelta::hours(48)).naive_utc(), chrono_tz::UTC)),
        contact_zone: chrono_tz::UTC,
        language: None,
        content: None,
        ladder: None,
        trace: None,
        created_at: at,
    };
    let legal = LegalInterval { from: at, until: at + TimeDelta::hours(1) };
    MessageRecord { message, state: MessageState::planned(PlanVerdict::Send { at, legal }) }
}

#[test]
fn a_correction_is_late_only_by_its_appointment() {
    let campaign = check(
        r#"{ "name": "Ready", "time_zone": "UTC",
             "mapping": { "key": "row['Order']", "fields": {
                 "appointment_at": "row['At'] | datetime('%Y-%m-%d %H:%M')", "email": "row['Mail']" } },
             "messages": { "email": { "subject": "Soon", "text": "See you." } },
             "schedule": { "send": "now", "max_lateness": "2h" } }"#,
    )
    .unwrap();
    let goes = |record: &MessageRecord, hours| {
        plan_again(&campaign, record, DateTime::UNIX_EPOCH + TimeDelta::hours(hours)).is_some()
    };
    let planned = record(|_| Origin::Row { row: RowNumber(1), entry: 0 });
    assert_eq!([1, 3, 49].map(|hours| goes(&planned, hours)), [true, false, false]);
    let correction = record(|of| Origin::Correction { row: RowNumber(2), of });
    assert_eq!([1, 3, 49].map(|hours| goes(&correction, hours)), [true, true, false]);
}
