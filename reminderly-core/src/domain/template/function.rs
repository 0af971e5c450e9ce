//! The message functions, as they work on single values; `minijinja` and the fast path of mappings share them.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use minijinja::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::format::{Format, FormatKind};
use super::local::{LocalDate, LocalDateTime, LocalTime};
use super::money::money;
use super::name::tidy_name;
use super::serial::Serial;
use crate::domain::contact_point::{EmailAddress, InvalidContactPoint, PhoneNumber};

/// The symbol of `money` without an argument.
pub(crate) const DEFAULT_SYMBOL: &str = "$";

/// The most characters that `truncate` may be asked to keep.
pub(crate) const TRUNCATE_MAX: usize = 1_000;

/// A value on its way through message functions.
#[derive(Debug, Clone)]
pub(crate) enum Datum<'a> {
    /// There is none.
    Empty,
    /// A text, which may be empty.
    Text(Cow<'a, str>),
    /// A local date and time.
    DateTime(NaiveDateTime),
    /// A date.
    Date(NaiveDate),
    /// A local time of day.
    Time(NaiveTime),
    /// A phone number.
    Phone(PhoneNumber),
    /// An e-mail address.
    Email(EmailAddress),
}

/// Why a message function does not take a value. Never carries the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// No date or time of the format.
    #[error("not a date or time of the declared format, or one that does not exist (years 2000 to 2100)")]
    Date,
    /// No date or time of the format, but the number in which spreadsheets count days. What it would mean is said, and never
    /// taken: a workbook may count from 1904, and an identifier may look the same.
    #[error(
        "the bare number of a spreadsheet, which would be {0}: format the column as a date and export it again"
    )]
    Serial(Serial),
    /// No contact point.
    #[error("{0}")]
    Contact(InvalidContactPoint),
    /// No amount of money.
    #[error("not an amount: expected digits, with a point before the cents")]
    Amount,
    /// Larger than allowed.
    #[error("longer than allowed")]
    TooLong,
    /// The function cannot be used like this.
    #[error("wrong arguments of {0}")]
    Arguments(&'static str),
}

impl ValueFault {
    /// The fault that a template error carries, if a message function has caused it.
    pub(crate) fn of(error: &minijinja::Error) -> Option<Self> {
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<Self>()).copied()
    }
}

/// A message function with its arguments.
#[derive(Debug)]
pub(crate) enum Function {
    Name,
    Phone(Option<Box<str>>),
    Email,
    Format(Format),
    Money(Box<str>),
    Trim,
    Digits,
    Truncate(usize),
    Default(Arc<str>),
}

impl Function {
    /// Applies it.
    ///
    /// # Errors
    ///
    /// The value is not of the kind that the function takes. Empty values pass.
    pub(crate) fn apply<'a>(&self, datum: Datum<'a>) -> Result<Datum<'a>, ValueFault> {
        match self {
            Self::Name => Ok(name(datum)),
            Self::Phone(region) => phone(datum, region.as_deref()),
            Self::Email => email(datum),
            Self::Format(format) => format.apply(datum),
            Self::Money(symbol) => amount(datum, symbol),
            Self::Trim => Ok(trim(datum)),
            Self::Digits => Ok(digits(datum)),
            Self::Truncate(count) => Ok(truncate(datum, *count)),
            Self::Default(value) => {
                Ok(if datum.is_blank() { Datum::Text(Cow::Owned(value.as_ref().to_owned())) } else { datum })
            }
        }
    }
}

impl<'a> Datum<'a> {
    /// A value of a template.
    pub(crate) fn from_value(value: &'a Value) -> Self {
        if let Some(text) = value.as_str() {
            return Self::Text(Cow::Borrowed(text));
        }
        if value.is_undefined() || value.is_none() {
            return Self::Empty;
        }
        if let Some(local) = value.downcast_object_ref::<LocalDateTime>() {
            return Self::DateTime(local.0);
        }
        if let Some(local) = value.downcast_object_ref::<LocalDate>() {
            return Self::Date(local.0);
        }
        if let Some(local) = value.downcast_object_ref::<LocalTime>() {
            return Self::Time(local.0);
        }
        Self::Text(Cow::Owned(value.to_string()))
    }

    /// The same for templates.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Empty => Value::UNDEFINED,
            Self::Text(text) => Value::from(text.as_ref()),
            Self::DateTime(local) => Value::from_object(LocalDateTime(local)),
            Self::Date(local) => Value::from_object(LocalDate(local)),
            Self::Time(local) => Value::from_object(LocalTime(local)),
            Self::Phone(number) => Value::from(number.as_str()),
            Self::Email(address) => Value::from(address.as_str()),
        }
    }

    /// Whether there is nothing to see.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// The value as text.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Empty => Cow::Borrowed(""),
            Self::Text(text) => text,
            Self::Phone(number) => Cow::Owned(number.as_str().to_owned()),
            Self::Email(address) => Cow::Owned(address.as_str().to_owned()),
            local => Cow::Owned(local.into_value().to_string()),
        }
    }

    /// Maps a text; `None` keeps the value.
    fn map_text(self, change: impl Fn(&str) -> Cow<'_, str>) -> Self {
        match self {
            Self::Empty => Self::Empty,
            Self::Text(Cow::Borrowed(text)) => Self::Text(change(text)),
            other => {
                let text = other.into_text();
                let changed = change(&text).into_owned();
                Self::Text(Cow::Owned(changed))
            }
        }
    }
}

pub(crate) fn name(datum: Datum<'_>) -> Datum<'_> {
    datum.map_text(tidy_name)
}

pub(crate) fn phone<'a>(datum: Datum<'a>, region: Option<&str>) -> Result<Datum<'a>, ValueFault> {
    if datum.is_blank() || matches!(datum, Datum::Phone(_)) {
        return Ok(datum);
    }
    PhoneNumber::parse(&datum.into_text(), region).map(Datum::Phone).map_err(ValueFault::Contact)
}

pub(crate) fn email(datum: Datum<'_>) -> Result<Datum<'_>, ValueFault> {
    if datum.is_blank() || matches!(datum, Datum::Email(_)) {
        return Ok(datum);
    }
    EmailAddress::parse(&datum.into_text()).map(Datum::Email).map_err(ValueFault::Contact)
}

pub(crate) fn amount<'a>(datum: Datum<'a>, symbol: &str) -> Result<Datum<'a>, ValueFault> {
    if datum.is_blank() {
        return Ok(datum);
    }
    money(&datum.into_text(), symbol).map(|text| Datum::Text(text.into())).ok_or(ValueFault::Amount)
}

pub(crate) fn trim(datum: Datum<'_>) -> Datum<'_> {
    datum.map_text(|text| Cow::Borrowed(text.trim()))
}

pub(crate) fn digits(datum: Datum<'_>) -> Datum<'_> {
    datum.map_text(|text| text.chars().filter(char::is_ascii_digit).collect())
}

pub(crate) fn truncate(datum: Datum<'_>, count: usize) -> Datum<'_> {
    datum.map_text(|text| {
        let end = text.grapheme_indices(true).nth(count).map_or(text.len(), |(position, _)| position);
        Cow::Borrowed(text.get(..end).unwrap_or(text))
    })
}

/// The date functions by name.
pub(crate) fn format_kind(name: &str) -> Option<FormatKind> {
    match name {
        "date" => Some(FormatKind::Date),
        "time" => Some(FormatKind::Time),
        "datetime" => Some(FormatKind::DateTime),
        _ => None,
    }
}
