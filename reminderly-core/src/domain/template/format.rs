//! Reading and writing of dates and times by `chrono` formats.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::format::{DelayedFormat, Item, Parsed, StrftimeItems, parse};
use chrono::{NaiveDate, NaiveTime, Timelike};

use super::calendar_names::CalendarNames;
use super::function::{Datum, ValueFault};
use super::local::year_is_plausible;
use super::serial::Serial;

/// What a format reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatKind {
    Date,
    Time,
    DateTime,
}

/// A format that has been taken apart once.
#[derive(Debug)]
pub(crate) struct Format {
    kind: FormatKind,
    items: Vec<Item<'static>>,
}

impl Format {
    /// The format; `None` if it is none.
    pub(crate) fn new(kind: FormatKind, text: &str) -> Option<Self> {
        let items = StrftimeItems::new(text).parse_to_owned().ok()?;
        let format = Self { kind, items };
        // Zones and the like can be parsed, but no local time has them.
        format.apply(sample()).ok().map(|_| format)
    }

    /// Whether what it writes can be read back; if not, it lacks a part, such as the year or AM and PM.
    pub(crate) fn reads_what_it_writes(&self) -> bool {
        self.apply(sample()).and_then(|written| self.apply(written)).is_ok()
    }

    /// Reads a text, or writes a value that has been read, with English names.
    ///
    /// # Errors
    ///
    /// [`ValueFault::Date`] if the text is not of the format, or the value lacks what the format writes;
    /// [`ValueFault::Serial`] if it is the number of a spreadsheet.
    pub(crate) fn apply<'a>(&self, datum: Datum<'a>) -> Result<Datum<'a>, ValueFault> {
        apply(self.kind, datum, self.items.iter(), &CalendarNames::English)
    }
}

/// Formats that were taken apart before: texts name theirs, so they are few.
#[derive(Default)]
pub(crate) struct KnownFormats(RwLock<HashMap<Box<str>, Arc<[Item<'static>]>>>);

impl KnownFormats {
    /// A text may make its formats of a row's values: no more than this many are kept.
    const MAX: usize = 64;

    /// The same as [`apply_once`].
    ///
    /// # Errors
    ///
    /// [`ValueFault::Date`], also if the text is no format.
    pub(crate) fn apply<'a>(
        &self,
        kind: FormatKind,
        datum: Datum<'a>,
        format: &str,
        names: &CalendarNames,
    ) -> Result<Datum<'a>, ValueFault> {
        match self.items(format) {
            Some(items) => apply(kind, datum, items.iter(), names),
            None => apply_once(kind, datum, format, names),
        }
    }

    /// `None` if it is no format, or too many are known.
    fn items(&self, format: &str) -> Option<Arc<[Item<'static>]>> {
        {
            let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let known = all.get(format);
            if known.is_some() || all.len() >= Self::MAX {
                return known.cloned();
            }
        }
        let items: Arc<[Item<'static>]> = StrftimeItems::new(format).parse_to_owned().ok()?.into();
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() < Self::MAX {
            all.insert(format.into(), Arc::clone(&items));
        }
        Some(items)
    }
}

/// The same as [`Format::apply`] for a format that is not kept, and with names of any language.
///
/// # Errors
///
/// [`ValueFault::Date`], also if the text is no format.
pub(crate) fn apply_once<'a>(
    kind: FormatKind,
    datum: Datum<'a>,
    format: &str,
    names: &CalendarNames,
) -> Result<Datum<'a>, ValueFault> {
    apply(kind, datum, StrftimeItems::new(format), names)
}

fn apply<'a, 'f, I, B>(
    kind: FormatKind,
    datum: Datum<'a>,
    items: I,
    names: &CalendarNames,
) -> Result<Datum<'a>, ValueFault>
where
    I: Iterator<Item = B> + Clone,
    B: Borrow<Item<'f>>,
{
    match datum {
        Datum::Empty => Ok(Datum::Empty),
        Datum::Text(text) if text.trim().is_empty() => Ok(Datum::Text(text)),
        Datum::Text(text) => read(kind, text.trim(), items)
            .map_err(|fault| Serial::find(&text).map_or(fault, ValueFault::Serial)),
        Datum::DateTime(value) => write(Some(value.date()), Some(value.time()), items, names),
        Datum::Date(value) => write(Some(value), None, items, names),
        Datum::Time(value) => write(None, Some(value), items, names),
        Datum::Phone(_) | Datum::Email(_) => Err(ValueFault::Date),
    }
}

fn read<'a, 'f, I, B>(kind: FormatKind, text: &str, items: I) -> Result<Datum<'a>, ValueFault>
where
    I: Iterator<Item = B>,
    B: Borrow<Item<'f>>,
{
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, items).map_err(|_| ValueFault::Date)?;
    let datum = match kind {
        FormatKind::Date => Datum::Date(plausible_date(&parsed)?),
        FormatKind::Time => Datum::Time(plausible_time(&parsed)?),
        FormatKind::DateTime => {
            let value = parsed.to_naive_datetime_with_offset(0).map_err(|_| ValueFault::Date)?;
            let plausible = year_is_plausible(value.date()) && value.nanosecond() < LEAP;
            plausible.then_some(Datum::DateTime(value)).ok_or(ValueFault::Date)?
        }
    };
    Ok(datum)
}

/// From here on the nanoseconds of `chrono` mean a leap second, which no appointment has.
const LEAP: u32 = 1_000_000_000;

fn plausible_date(parsed: &Parsed) -> Result<NaiveDate, ValueFault> {
    parsed.to_naive_date().ok().filter(|date| year_is_plausible(*date)).ok_or(ValueFault::Date)
}

fn plausible_time(parsed: &Parsed) -> Result<NaiveTime, ValueFault> {
    parsed.to_naive_time().ok().filter(|time| time.nanosecond() < LEAP).ok_or(ValueFault::Date)
}

fn write<'a, 'f, I, B>(
    date: Option<NaiveDate>,
    time: Option<NaiveTime>,
    items: I,
    names: &CalendarNames,
) -> Result<Datum<'a>, ValueFault>
where
    I: Iterator<Item = B> + Clone,
    B: Borrow<Item<'f>>,
{
    let mut text = String::with_capacity(32);
    if matches!(names, CalendarNames::English) {
        write!(text, "{}", DelayedFormat::new(date, time, items)).map_err(|_| ValueFault::Date)?;
        return Ok(Datum::Text(text.into()));
    }
    for item in items {
        let item = item.borrow();
        if let Some(name) = date.and_then(|date| names.of_item(item, date)) {
            text.push_str(name);
        } else {
            let part = DelayedFormat::new(date, time, std::iter::once(item));
            write!(text, "{part}").map_err(|_| ValueFault::Date)?;
        }
    }
    Ok(Datum::Text(text.into()))
}

/// A value that has everything a format of local times can write.
fn sample() -> Datum<'static> {
    let date = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap_or_default();
    Datum::DateTime(date.and_time(NaiveTime::from_hms_opt(14, 35, 59).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_formats_works_and_few_are_kept() {
        let known = KnownFormats::default();
        let written = |format: &str| known.apply(FormatKind::Date, sample(), format, &CalendarNames::English);
        for round in 0..2 * KnownFormats::MAX {
            let text = written(&format!("%d/%m {round}")).expect("a format").into_text();
            assert_eq!(text, format!("23/11 {round}"));
        }
        assert_eq!(known.0.read().expect("no panic").len(), KnownFormats::MAX);
        assert_eq!(written("%d/%m 1").expect("a format").into_text(), "23/11 1");
    }

    #[test]
    fn what_is_no_format_is_a_fault_and_not_kept() {
        let known = KnownFormats::default();
        let written = known.apply(FormatKind::Date, sample(), "%!", &CalendarNames::English);
        assert!(matches!(written, Err(ValueFault::Date)));
        assert!(known.0.read().expect("no panic").is_empty());
    }
}
