//! What binds a contact besides its campaign's schedule: where the person may be, and the rules that hold there.

use std::ops::Deref;

use chrono_tz::Tz;

use crate::domain::contact_point::ContactPoint;
use crate::domain::number_area::zones_of;
use crate::domain::rules::BoundRule;
use crate::domain::schedule::{AreaCodeZones, Schedule};

/// Where a person may be, and the rules that hold for contacting them. Made in the same way whenever a message is looked at, so
/// that planning, catching up, delivery and answers agree.
#[derive(Debug, Clone)]
pub struct ContactTerms<'a> {
    /// The zones in which the person may be, the contact zone first.
    pub zones: ContactZones,
    /// The rules that bind.
    pub rules: Vec<BoundRule<'a>>,
}

/// The zones in which a person may be, the contact zone first. Empty if nobody can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactZones(Zones);

/// Nearly everybody is in one zone, and a row is planned without an allocation for it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Zones {
    One([Tz; 1]),
    Several(Vec<Tz>),
}

impl Deref for ContactZones {
    type Target = [Tz];

    fn deref(&self) -> &[Tz] {
        match &self.0 {
            Zones::One(zones) => zones,
            Zones::Several(zones) => zones,
        }
    }
}

/// The candidate zones of a contact: its contact zone and, if the schedule asks for it, every zone of its number's area.
///
/// Fails closed: a number whose country nobody knows has no zones, so no instant is legal. An e-mail address tells no area.
///
/// ```
/// use chrono_tz::America::{Chicago, Denver, New_York};
/// use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
/// use reminderly_core::domain::plan::contact_zones;
/// use reminderly_core::domain::schedule::{AreaCodeZones, Schedule};
///
/// let mut schedule = Schedule::default();
/// let kentucky = ContactPoint::Sms(PhoneNumber::parse("(270) 555-0100", Some("US"))?);
/// assert_eq!(*contact_zones(&schedule, Denver, &kentucky), [Denver]);
/// schedule.area_code_zones = AreaCodeZones::Candidates;
/// assert_eq!(*contact_zones(&schedule, Denver, &kentucky), [Denver, Chicago, New_York]);
/// # Ok::<(), reminderly_core::domain::contact_point::InvalidContactPoint>(())
/// ```
pub fn contact_zones(schedule: &Schedule, contact_zone: Tz, contact: &ContactPoint) -> ContactZones {
    let number = match contact {
        ContactPoint::Sms(number) | ContactPoint::Phone(number) => number,
        ContactPoint::Email(_) => return ContactZones(Zones::One([contact_zone])),
    };
    if schedule.area_code_zones == AreaCodeZones::Ignored {
        return ContactZones(Zones::One([contact_zone]));
    }
    match zones_of(number) {
        [] => ContactZones(Zones::Several(Vec::new())),
        [zone] if *zone == contact_zone => ContactZones(Zones::One([contact_zone])),
        area => {
            let others = area.iter().copied().filter(|zone| *zone != contact_zone);
            ContactZones(Zones::Several(std::iter::once(contact_zone).chain(others).collect()))
        }
    }
}
