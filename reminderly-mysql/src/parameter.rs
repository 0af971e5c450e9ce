//! Values that stand for the placeholders of a statement.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use reminderly_core::ports::BoxError;
use serde::Serialize;
use sqlx::Arguments as _;
use sqlx::mysql::MySqlArguments;
use sqlx::types::Uuid;

use crate::digest::Digest;

/// A value. It has no `Debug`: most are about persons.
#[derive(Clone)]
pub(crate) enum Parameter {
    Null,
    Unsigned(u64),
    Signed(i64),
    Bytes(Vec<u8>),
    Text(String),
    Instant(DateTime<Utc>),
    Day(NaiveDate),
    Unwritable(Arc<serde_json::Error>),
}

/// The first and the last day that a column can have: the second is the end of what does not end.
const DAYS: [NaiveDate; 2] = [day(1_000, 1, 1), day(9_999, 12, 31)];

const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(day) => day,
        None => NaiveDate::MAX,
    }
}

impl Parameter {
    /// As text in the form in which the domain writes it.
    pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_string(value) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Unwritable(Arc::new(error)),
        }
    }

    /// About how many bytes it takes in the text of a statement.
    pub(crate) const fn size(&self) -> usize {
        match self {
            Self::Null | Self::Unwritable(_) => 6,
            Self::Unsigned(_) | Self::Signed(_) => 12,
            Self::Bytes(bytes) => 2 * bytes.len() + 5,
            Self::Text(text) => 2 * text.len() + 14,
            Self::Instant(_) | Self::Day(_) => 40,
        }
    }

    /// Writes it into the text of a statement, so that nothing in it can be taken for a part of the statement.
    pub(crate) fn write_to(self, text: &mut String) -> Result<(), BoxError> {
        match self {
            Self::Null => text.push_str("NULL"),
            Self::Unsigned(value) => write!(text, "{value}")?,
            Self::Signed(value) => write!(text, "{value}")?,
            Self::Bytes(value) => write_hexadecimal(text, "x", &value),
            Self::Text(value) => write_text(text, &value),
            Self::Instant(value) => write!(text, "TIMESTAMP'{}'", value.format("%Y-%m-%d %H:%M:%S%.6f"))?,
            Self::Day(value) => write!(text, "DATE'{}'", value.format("%Y-%m-%d"))?,
            Self::Unwritable(error) => return Err(error.into()),
        }
        Ok(())
    }

    pub(crate) fn add_to(self, arguments: &mut MySqlArguments) -> Result<(), BoxError> {
        match self {
            Self::Null => arguments.add(None::<u64>),
            Self::Unsigned(value) => arguments.add(value),
            Self::Signed(value) => arguments.add(value),
            Self::Bytes(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value),
            // As what the columns are: a `TIMESTAMP` ends with its 32 bits.
            Self::Instant(value) => arguments.add(value.naive_utc()),
            Self::Day(value) => arguments.add(value),
            Self::Unwritable(error) => Err(error.into()),
        }
    }
}

/// What a server takes for the beginning of something else in a text depends on its settings. Where there is none of it, doubled quotes are
/// all that a text needs, whatever the settings.
fn write_text(text: &mut String, value: &str) {
    if value.contains(['\\', '\0']) {
        return write_hexadecimal(text, "_utf8mb4 x", value.as_bytes());
    }
    text.push_str("_utf8mb4'");
    for (position, part) in value.split('\'').enumerate() {
        if position > 0 {
            text.push_str("''");
        }
        text.push_str(part);
    }
    text.push('\'');
}

fn write_hexadecimal(text: &mut String, kind: &str, bytes: &[u8]) {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or('0');
    text.push_str(kind);
    text.push('\'');
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text.push('\'');
}

macro_rules! from_numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for Parameter {
            fn from(value: $number) -> Self {
                Self::Unsigned(value.into())
            }
        }
    )*};
}

from_numbers!(bool, u8, u16, u32, u64);

impl From<i64> for Parameter {
    fn from(value: i64) -> Self {
        Self::Signed(value)
    }
}

impl From<Uuid> for Parameter {
    fn from(id: Uuid) -> Self {
        Self::Bytes(id.as_bytes().to_vec())
    }
}

impl From<Digest> for Parameter {
    fn from(digest: Digest) -> Self {
        Self::Bytes(digest.as_bytes().to_vec())
    }
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Parameter {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<DateTime<Utc>> for Parameter {
    /// What lies outside of the days of a column is the nearest of them.
    fn from(instant: DateTime<Utc>) -> Self {
        let [first, last] = DAYS.map(|day| day.and_time(NaiveTime::MIN).and_utc());
        Self::Instant(instant.clamp(first, last))
    }
}

impl From<NaiveDate> for Parameter {
    fn from(day: NaiveDate) -> Self {
        let [first, last] = DAYS;
        Self::Day(day.clamp(first, last))
    }
}

impl<T: Into<Self>> From<Option<T>> for Parameter {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, T::into)
    }
}
