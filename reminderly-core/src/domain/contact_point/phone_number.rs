//! Phone numbers.

use std::fmt;
use std::sync::Arc;

use phonenumber::metadata::DATABASE;
use phonenumber::{PhoneNumber as PlanNumber, country};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::InvalidContactPoint;
use super::area_codes::{PARTLY_VALID, WHOLLY_VALID};
use crate::domain::digits::to_ascii_digit;

/// The longest number: 15 digits ([ITU-T E.164 §6.2.1](https://www.itu.int/rec/T-REC-E.164)).
const DIGITS_MAX: usize = 15;
/// Fewer digits than any subscriber's number with its country code has.
const DIGITS_MIN: usize = 7;
/// A text with this many digits or fewer that is no valid number is a short code or an emergency number.
const SHORT_CODE_DIGITS_MAX: usize = 6;
/// The longest text that is looked at, in bytes: no spelling of 15 digits needs more.
const TEXT_BYTES_MAX: usize = 200;

/// A canonical phone number: `+` and 7 to 15 digits. Personal data: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PhoneNumber(Arc<str>);

impl PhoneNumber {
    /// Reads a number as a person or a file spells it. `default_region` (ISO 3166-1 alpha-2) completes a national number.
    ///
    /// Any digits, dashes, brackets and spaces of Unicode will do, with or without `tel:`. Fictional North American
    /// numbers (555-01xx) are valid, so that examples and tests need no real person's number.
    ///
    /// ```
    /// use reminderly_core::domain::contact_point::{InvalidContactPoint, PhoneNumber};
    ///
    /// let number = PhoneNumber::parse("(520) 555-0100", Some("US"))?;
    /// assert_eq!(number.as_str(), "+15205550100");
    /// assert_eq!(PhoneNumber::parse("+44 (0)20 7946 0018", None)?.as_str(), "+442079460018");
    /// assert_eq!(PhoneNumber::parse("520 555 0100 x12", Some("US")), Err(InvalidContactPoint::PhoneExtension));
    /// # Ok::<(), InvalidContactPoint>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every variant of [`InvalidContactPoint`] but those of e-mail.
    pub fn parse(text: &str, default_region: Option<&str>) -> Result<Self, InvalidContactPoint> {
        let dialled = Dialled::read(text)?;
        if let Some(canonical) = north_american(&dialled, default_region) {
            return Ok(Self(Arc::from(canonical)));
        }
        look_up(&dialled, default_region).map(|canonical| Self(Arc::from(canonical)))
    }

    /// Reads back a canonical number, for adapters.
    ///
    /// Checks the form only: numbering plans change, and a number that was valid when it was stored must stay readable.
    ///
    /// # Errors
    ///
    /// [`Phone`](InvalidContactPoint::Phone) if the text is not `+` and 7 to 15 digits, the first of them not 0.
    pub fn parse_stored(text: &str) -> Result<Self, InvalidContactPoint> {
        let digits = text.strip_prefix('+').ok_or(InvalidContactPoint::Phone)?;
        let canonical = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        if canonical { Ok(Self(Arc::from(text))) } else { Err(InvalidContactPoint::Phone) }
    }

    /// The number in E.164 form, with its `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        Self::from(&*number.0)
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = InvalidContactPoint;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse_stored(&text)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(redacted)")
    }
}

/// What is left of a spelling: ASCII digits, behind a `+` if the spelling had one.
struct Dialled(String);

impl Dialled {
    fn read(text: &str) -> Result<Self, InvalidContactPoint> {
        let trimmed = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        if trimmed.len() > TEXT_BYTES_MAX {
            return Err(InvalidContactPoint::Phone);
        }
        if trimmed.is_ascii() {
            return Self::read_ascii(trimmed);
        }
        let folded: String = trimmed.nfkc().filter(|c| !is_invisible(*c)).map(to_ascii).collect();
        Self::read_ascii(folded.trim())
    }

    fn read_ascii(text: &str) -> Result<Self, InvalidContactPoint> {
        // Spreadsheets show "this is text" with an apostrophe, and some exports keep it.
        let text = text.strip_prefix('\'').unwrap_or(text);
        let text = match text.split_at_checked("tel:".len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel:") => rest,
            _ => text,
        };
        if is_scientific(text) {
            return Err(InvalidContactPoint::SpreadsheetNumber);
        }
        let text = without_zero_fraction(text);
        let mut dialled = String::with_capacity(DIGITS_MAX + 1);
        for (at, c) in text.char_indices() {
            match c {
                '0'..='9' => dialled.push(c),
                '+' if dialled.is_empty() => dialled.push(c),
                ' ' | '\t' | '-' | '(' | ')' | '.' | '/' | '[' | ']' | '~' => {}
                _ => {
                    return Err(refuse_rest(
                        text.split_at_checked(at).map_or("", |(_, rest)| rest),
                        &dialled,
                    ));
                }
            }
        }
        Ok(Self(dialled))
    }
}

/// An extension stands behind a whole number and has digits; anything else is no number.
fn refuse_rest(rest: &str, dialled: &str) -> InvalidContactPoint {
    let introduced = rest.starts_with(['x', 'X', 'e', 'E', '#', ',', ';', '*', 'p', 'P', 'w', 'W']);
    if introduced && dialled.len() >= DIGITS_MIN && rest.contains(|c: char| c.is_ascii_digit()) {
        InvalidContactPoint::PhoneExtension
    } else {
        InvalidContactPoint::Phone
    }
}

/// `1.555E+10`: what spreadsheets make of a column of long numbers.
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    digits(whole.strip_prefix('+').unwrap_or(whole)) && digits(fraction) && digits(exponent)
}

/// `5205550100.0` has lost nothing: some exports write every number as a decimal fraction.
fn without_zero_fraction(text: &str) -> &str {
    match text.strip_suffix(".0") {
        Some(whole) if whole.len() >= DIGITS_MIN && whole.bytes().all(|b| b.is_ascii_digit()) => whole,
        _ => text,
    }
}

/// The canonical number if it is certainly valid in the plan of the United States and Canada: without a look-up, which
/// takes several times as long. Accepts no number that a look-up refuses, but for the fictional ones.
fn north_american(dialled: &Dialled, default_region: Option<&str>) -> Option<String> {
    let national = match dialled.0.strip_prefix('+') {
        Some(international) => international.strip_prefix('1')?,
        None if !default_region
            .is_some_and(|id| id.eq_ignore_ascii_case("US") || id.eq_ignore_ascii_case("CA")) =>
        {
            return None;
        }
        None if dialled.0.len() == 11 => dialled.0.strip_prefix('1')?,
        None => &dialled.0,
    };
    if national.len() != 10 {
        return None;
    }
    let (area, subscriber) = national.split_at_checked(3)?;
    let area: u16 = area.parse().ok()?;
    let fictional = subscriber.starts_with("55501");
    let wholly =
        WHOLLY_VALID.binary_search(&area).is_ok() && subscriber.starts_with(|c| ('2'..='9').contains(&c));
    let valid = wholly || (fictional && PARTLY_VALID.contains(&area));
    valid.then(|| ["+1", national].concat())
}

fn look_up(dialled: &Dialled, default_region: Option<&str>) -> Result<String, InvalidContactPoint> {
    let digits = dialled.0.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 || digits > DIGITS_MAX + 5 {
        return Err(InvalidContactPoint::Phone);
    }
    let short = digits <= SHORT_CODE_DIGITS_MAX;
    let invalid = if short { InvalidContactPoint::ShortCode } else { InvalidContactPoint::Phone };
    let region = default_region.map(region).transpose()?;
    if region.is_none() && !dialled.0.starts_with('+') {
        return Err(if short { InvalidContactPoint::ShortCode } else { InvalidContactPoint::MissingRegion });
    }
    let abroad = region.and_then(|region| dialled_abroad(&dialled.0, region));
    let as_dialled = || match (dialled.0.strip_prefix('+'), region) {
        (Some(digits), _) => international(digits),
        (None, Some(region)) => national(&dialled.0, region),
        (None, None) => None,
    };
    let number = abroad.and_then(|digits| international(&digits)).or_else(as_dialled).ok_or(invalid)?;
    let (code, national) = (number.code().value(), number.national().to_string());
    // The plan has seven-digit numbers that can be dialled inside one country only.
    if code == 1 && national.len() != 10 {
        return Err(InvalidContactPoint::Phone);
    }
    let canonical = format!("+{code}{national}");
    if canonical.len() > DIGITS_MAX + 1 || canonical.len() < DIGITS_MIN + 1 {
        return Err(invalid);
    }
    Ok(canonical)
}

/// The digits behind those that are dialled in `region` before a country code. Of such a number, as of one with a `+`, the crate
/// would strip the trunk prefix of `region`, which is not the other country's: `+33 1 …` would lose its 1 in `US`.
fn dialled_abroad(dialled: &str, region: country::Id) -> Option<String> {
    let prefix = DATABASE.by_id(region.as_ref())?.international_prefix()?.find(dialled)?;
    dialled.get(prefix.end()..).filter(|_| prefix.start() == 0).map(str::to_owned)
}

/// A number with its country code. Some write the trunk prefix of the country behind the code (`+44 (0)20 …`), and the crate leaves
/// it out; but it does so even where the number begins with the same digit: `+7 812 …` is St Petersburg. So the number is tried
/// as it stands too, as it is dialled from a country that has no trunk prefix.
fn international(digits: &str) -> Option<PlanNumber> {
    let from_denmark = || valid(Some(country::DK), &format!("00{digits}"));
    valid(None, &format!("+{digits}")).or_else(from_denmark)
}

/// A number without its country code, with the trunk prefix or without.
fn national(digits: &str, region: country::Id) -> Option<PlanNumber> {
    let plan = DATABASE.by_id(region.as_ref())?;
    let of_code = |digits: &str| international(&format!("{}{digits}", plan.country_code()));
    let behind_trunk = || digits.strip_prefix(plan.national_prefix()?).and_then(of_code);
    valid(Some(region), digits).or_else(|| of_code(digits)).or_else(behind_trunk)
}

fn valid(region: Option<country::Id>, dialled: &str) -> Option<PlanNumber> {
    phonenumber::parse(region, dialled).ok().filter(phonenumber::is_valid)
}

/// The region, if it has a numbering plan: the crate panics on one that has none.
fn region(id: &str) -> Result<country::Id, InvalidContactPoint> {
    let upper = id.to_ascii_uppercase();
    let known = DATABASE.by_id(upper.as_str()).is_some();
    upper.parse().ok().filter(|_| known).ok_or(InvalidContactPoint::UnknownRegion)
}

/// Zero-width characters, soft hyphens and marks of writing direction: pasted along, never meant.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// ASCII for the digits and dashes of other scripts. Full-width forms are gone by now: NFKC folds them.
fn to_ascii(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}' | '\u{2053}' | '\u{223c}' => '-',
        '\u{b7}' | '\u{2022}' | '\u{2024}' | '\u{2044}' => '.',
        _ => to_ascii_digit(c),
    }
}
