//! A row: one line of a packet.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The position of a row in its packet: 1 is the first data row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RowNumber(pub u64);

impl RowNumber {
    /// The row after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for RowNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The column names of a packet, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Header(pub Vec<String>);

impl Header {
    /// The position of a column.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.0.iter().position(|name| name == column)
    }
}

/// A good row, as it was read. Holds personal data: `Debug` shows its place only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its position.
    pub number: RowNumber,
    /// The line of the file on which it starts, from 1.
    pub line: u64,
    /// All fields, one after the other.
    text: Box<str>,
    /// Where each field ends in `text`.
    ends: Box<[u32]>,
}

impl Row {
    /// A row of these fields.
    pub fn new<'a>(number: RowNumber, line: u64, fields: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        let mut ends = Vec::new();
        for field in fields {
            text.push_str(field);
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self { number, line, text: text.into(), ends: ends.into() }
    }

    /// A row whose fields stand one after the other in `text`; `ends` says where each ends, in bytes. `None` if an end lies
    /// beside a character of the text, before the end of the field before it, or if text is left over.
    ///
    /// ```
    /// use reminderly_core::domain::row::{Row, RowNumber};
    ///
    /// let row = Row::from_ends(RowNumber(1), 2, "AnnRoy", [3, 6]).ok_or("no row")?;
    /// assert_eq!(row.fields().collect::<Vec<_>>(), ["Ann", "Roy"]);
    /// assert_eq!(Row::from_ends(RowNumber(1), 2, "é", [1, 2]), None);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn from_ends(
        number: RowNumber,
        line: u64,
        text: &str,
        ends: impl IntoIterator<Item = usize>,
    ) -> Option<Self> {
        let mut last = 0;
        let ends = ends.into_iter().map(|end| {
            let fits = end >= last && text.is_char_boundary(end);
            last = end;
            if fits { u32::try_from(end).ok() } else { None }
        });
        let ends: Box<[u32]> = ends.collect::<Option<_>>()?;
        if last == text.len() { Some(Self { number, line, text: text.into(), ends }) } else { None }
    }

    /// The bytes of all fields.
    pub const fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// The field at a position of the header.
    pub fn field(&self, position: usize) -> Option<&str> {
        let end = *self.ends.get(position)? as usize;
        let start = if position == 0 { 0 } else { *self.ends.get(position - 1)? as usize };
        self.text.get(start..end)
    }

    /// The fields in order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|position| self.field(position))
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("number", &self.number).field("line", &self.line).finish_non_exhaustive()
    }
}

/// A row that was not taken, with its place. The detail says what was expected; it never quotes the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRow {
    /// Its position.
    pub row: RowNumber,
    /// The column, or the columns joined by ` + `, that the fault is in; `None` if it is in the row as a whole.
    pub column: Option<String>,
    /// What is wrong, for machines.
    pub code: RowFault,
    /// What is wrong and what to do, for people; begins with the line of the file.
    pub detail: String,
}

/// What is wrong with a row. A closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFault {
    /// More or fewer fields than the header.
    FieldCount,
    /// A field has bytes that are not of the file's encoding, UTF-8 or another.
    InvalidUtf8,
    /// The row, or one field of it, is larger than allowed; an unbalanced quote does that.
    RowTooLarge,
    /// A quote was opened and not closed, or its field goes on after it was closed. Only the first line of what it swallowed is
    /// lost: reading goes on at the next.
    UnbalancedQuote,
    /// The key, the appointment or a field that a text needs is empty.
    MissingValue,
    /// A date or time is not of the declared format, or does not exist.
    InvalidDate,
    /// A number, amount or other value is not of the declared form.
    InvalidValue,
    /// A spreadsheet has shortened a phone number or an identifier (`1.555E+10`): its last digits are lost.
    ExcelNumber,
    /// A date or time is the bare number in which spreadsheets count days.
    ExcelDate,
    /// The row names a zone that nobody knows.
    UnknownTimeZone,
    /// The row names a method that does not exist or that the campaign does not use.
    UnknownMethod,
    /// A value is longer than allowed.
    ValueTooLong,
    /// An expression failed for another reason.
    MappingFailed,
    /// The text could not be made from the row: limits, or a line break in a subject.
    TemplateFailed,
}

impl RowFault {
    /// Every fault, in the order of reports.
    pub const ALL: [Self; 14] = [
        Self::FieldCount,
        Self::InvalidUtf8,
        Self::RowTooLarge,
        Self::UnbalancedQuote,
        Self::MissingValue,
        Self::InvalidDate,
        Self::InvalidValue,
        Self::ExcelNumber,
        Self::ExcelDate,
        Self::UnknownTimeZone,
        Self::UnknownMethod,
        Self::ValueTooLong,
        Self::MappingFailed,
        Self::TemplateFailed,
    ];

    /// The code in reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FieldCount => "field_count",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::RowTooLarge => "row_too_large",
            Self::UnbalancedQuote => "unbalanced_quote",
            Self::MissingValue => "missing_value",
            Self::InvalidDate => "invalid_date",
            Self::InvalidValue => "invalid_value",
            Self::ExcelNumber => "excel_number",
            Self::ExcelDate => "excel_date",
            Self::UnknownTimeZone => "unknown_time_zone",
            Self::UnknownMethod => "unknown_method",
            Self::ValueTooLong => "value_too_long",
            Self::MappingFailed => "mapping_failed",
            Self::TemplateFailed => "template_failed",
        }
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
