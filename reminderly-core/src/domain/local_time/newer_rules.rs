//! Rules of zones that are newer than the data of chrono-tz, which is that of 2025b.
//!
//! From the release notes of the [tz database](https://data.iana.org/time-zones/tzdb/NEWS) up to 2026e; what only corrects history
//! is left out. Goes when chrono-tz carries them: a test says so.

use chrono_tz::Tz;

/// A clock that goes like another one from an instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NewerRule {
    /// The instant, seconds since 1970. Best where both show the same, so that nothing changes then.
    pub(super) from: i64,
    /// The other clock.
    pub(super) like: Tz,
}

/// 2022-01-15T00:00:00Z, in the winter before the change.
const JANUARY_2022: i64 = 1_642_204_800;
/// 2026-07-15T00:00:00Z, in the summer before the change.
const JULY_2026: i64 = 1_784_073_600;
/// 2026-09-20T01:00:00Z, when the clocks of Morocco go back.
const SEPTEMBER_2026: i64 = 1_789_866_000;

impl NewerRule {
    /// What chrono-tz does not know of a zone.
    pub(super) const fn of(zone: Tz) -> Option<Self> {
        let (from, like) = match zone {
            // 2026a: Moldova changes its clocks when the European Union does.
            Tz::Europe__Chisinau | Tz::Europe__Tiraspol => (JANUARY_2022, Tz::Europe__Bucharest),
            // 2026b: British Columbia stays 7 hours behind UTC.
            Tz::America__Vancouver | Tz::Canada__Pacific => (JULY_2026, Tz::America__Phoenix),
            // 2026c and 2026d: so do Alberta and the Northwest Territories 6 hours behind.
            Tz::America__Edmonton | Tz::America__Inuvik | Tz::America__Yellowknife | Tz::Canada__Mountain => {
                (JULY_2026, Tz::America__Regina)
            }
            // 2026c: Morocco goes back to UTC for good.
            Tz::Africa__Casablanca | Tz::Africa__El_Aaiun => (SEPTEMBER_2026, Tz::Africa__Abidjan),
            // 2026e: Manitoba stays 5 hours behind UTC.
            Tz::America__Winnipeg | Tz::America__Rainy_River | Tz::Canada__Central => {
                (JULY_2026, Tz::America__Panama)
            }
            _ => return None,
        };
        Some(Self { from, like })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn these_rules_are_still_newer() {
        let message = "take out what chrono-tz knows by now; the proof `time` tells what differs";
        assert_eq!(chrono_tz::IANA_TZDB_VERSION, "2025b", "{message}");
    }
}
