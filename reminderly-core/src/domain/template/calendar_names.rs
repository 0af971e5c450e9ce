//! The names of weekdays and months by language, from the locales of the GNU C library.

use chrono::format::{Fixed, Item};
use chrono::{Datelike, NaiveDate};
use pure_rust_locales::{Locale, locale_match};

use crate::domain::language::Language;

/// Where a language is looked up that names no region and has no region of the same name (`es_ES`, `fr_FR`): the region with
/// most speakers, as in the [likely subtags of CLDR](https://www.unicode.org/cldr/charts/latest/supplemental/likely_subtags.html).
const LIKELY_REGIONS: [(&str, &str); 31] = [
    ("am", "ET"),
    ("ar", "EG"),
    ("bn", "BD"),
    ("ca", "ES"),
    ("cs", "CZ"),
    ("cy", "GB"),
    ("da", "DK"),
    ("el", "GR"),
    ("en", "US"),
    ("et", "EE"),
    ("eu", "ES"),
    ("fa", "IR"),
    ("fil", "PH"),
    ("ga", "IE"),
    ("gl", "ES"),
    ("gu", "IN"),
    ("he", "IL"),
    ("hi", "IN"),
    ("ja", "JP"),
    ("ko", "KR"),
    ("nb", "NO"),
    ("ne", "NP"),
    ("pa", "IN"),
    ("pt", "BR"),
    ("sl", "SI"),
    ("sq", "AL"),
    ("sv", "SE"),
    ("uk", "UA"),
    ("ur", "PK"),
    ("vi", "VN"),
    ("zh", "CN"),
];

/// The names of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CalendarNames {
    /// Those that `chrono` writes; also for languages that nobody knows.
    English,
    /// Those of another language, each table beginning with Sunday or January.
    Other {
        weekdays: &'static [&'static str],
        short_weekdays: &'static [&'static str],
        months: &'static [&'static str],
        short_months: &'static [&'static str],
    },
}

impl CalendarNames {
    /// The names of a language: of its region, else of the language at large.
    pub(crate) fn of(language: &Language) -> Self {
        let primary = language.primary();
        let regional = language.region().and_then(|region| locale(primary, region));
        let likely = LIKELY_REGIONS.iter().find(|(known, _)| *known == primary).map(|(_, region)| *region);
        let own_region = primary.to_ascii_uppercase();
        let found = regional.or_else(|| locale(primary, likely.unwrap_or(&own_region)));
        let Some(locale) = found.filter(|_| primary != "en") else { return Self::English };
        let (weekdays, short_weekdays) =
            (locale_match!(locale => LC_TIME::DAY), locale_match!(locale => LC_TIME::ABDAY));
        let (months, short_months) =
            (locale_match!(locale => LC_TIME::MON), locale_match!(locale => LC_TIME::ABMON));
        let whole = [weekdays, short_weekdays].iter().all(|days| days.len() == 7)
            && [months, short_months].iter().all(|months| months.len() == 12);
        if whole { Self::Other { weekdays, short_weekdays, months, short_months } } else { Self::English }
    }

    /// The name that a part of a format stands for; `None` if `chrono` writes it. The marks of noon stay English: many languages
    /// have none, and 9:15 without one is two times.
    pub(super) fn of_item(&self, item: &Item<'_>, date: NaiveDate) -> Option<&'static str> {
        let Self::Other { weekdays, short_weekdays, months, short_months } = self else { return None };
        let (names, position) = match item {
            Item::Fixed(Fixed::LongWeekdayName) => (weekdays, weekday(date)),
            Item::Fixed(Fixed::ShortWeekdayName) => (short_weekdays, weekday(date)),
            Item::Fixed(Fixed::LongMonthName) => (months, date.month0()),
            Item::Fixed(Fixed::ShortMonthName) => (short_months, date.month0()),
            _ => return None,
        };
        names.get(usize::try_from(position).ok()?).copied()
    }
}

/// The position in the tables of the C library, whose weeks begin on Sunday.
fn weekday(date: NaiveDate) -> u32 {
    date.weekday().num_days_from_sunday()
}

fn locale(primary: &str, region: &str) -> Option<Locale> {
    format!("{primary}_{region}").parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("es", "miércoles", "mié", "agosto", "ago")]
    #[case("es-MX", "miércoles", "mié", "agosto", "ago")]
    #[case("es-419", "miércoles", "mié", "agosto", "ago")]
    #[case("fr", "mercredi", "mer.", "août", "août")]
    #[case("fr-CA", "mercredi", "mer", "août", "aoû")]
    #[case("pt", "quarta", "qua", "agosto", "ago")]
    #[case("zh-Hant", "星期三", "三", "八月", "8月")]
    fn names_are_those_of_the_language(
        #[case] tag: &str,
        #[case] day: &str,
        #[case] short_day: &str,
        #[case] month: &str,
        #[case] short_month: &str,
    ) {
        let names = CalendarNames::of(&tag.parse().unwrap());
        let date = NaiveDate::from_ymd_opt(2026, 8, 5).unwrap();
        let name = |fixed| names.of_item(&Item::Fixed(fixed), date);
        assert_eq!(name(Fixed::LongWeekdayName), Some(day));
        assert_eq!(name(Fixed::ShortWeekdayName), Some(short_day));
        assert_eq!(name(Fixed::LongMonthName), Some(month));
        assert_eq!(name(Fixed::ShortMonthName), Some(short_month));
        assert_eq!(name(Fixed::UpperAmPm), None);
    }

    #[rstest]
    #[case("en")]
    #[case("en-AU")]
    #[case("tlh")]
    fn unknown_languages_have_english_names(#[case] tag: &str) {
        assert_eq!(CalendarNames::of(&tag.parse().unwrap()), CalendarNames::English);
    }
}
