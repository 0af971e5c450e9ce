use super::encoding::Decoding;
use super::fields::Fields;
use super::followed::Followed;
use super::head::{TextForm, line_break_at};
use super::quotes::Quotes;
use crate::domain::row::{Header, RejectedRow, Row, RowFault, RowNumber};

/// A place between two records, at which reading can start again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The last row before it; 0 before the first.
    pub row: RowNumber,
    /// Where the next record starts, in bytes from the start of the file.
    pub offset: u64,
    /// The line on which the next record starts, from 1.
    pub line: u64,
}

/// What a record of a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A row with a field for every column.
    Good(Row),
    /// One that cannot be taken.
    Bad(RejectedRow),
}

/// Takes a file apart into records as its bytes come in. Where the chunks are cut changes nothing.
///
/// Holds one record and one chunk at most: a record that is larger than allowed is passed over to its end, and rejected
/// with the line on which it began.
#[derive(Debug)]
pub struct RecordReader {
    header: Header,
    form: TextForm,
    max_row_bytes: usize,
    fields: Fields,
    decoding: Decoding,
    /// Bytes that were pushed, decoded; those before `start` are done with.
    buffer: Vec<u8>,
    start: usize,
    /// The record at `start`, followed as far as its bytes are there.
    record: Option<Followed>,
    /// What a rejected line tells of those behind it: as it is read, each of their line breaks lies within quotes.
    before: Option<Followed>,
    /// The record is too large: its bytes are not kept.
    oversized: Option<Quotes>,
    /// The file offset of what the byte at `start` comes from.
    offset: u64,
    next: Position,
    ended: bool,
}

impl RecordReader {
    /// A reader whose first bytes are those at `start`. Rows are as large as `max_row_bytes` of UTF-8 at most, line break aside.
    pub fn new(header: Header, form: TextForm, max_row_bytes: usize, start: Position) -> Self {
        Self {
            header,
            form,
            // Rows keep the ends of their fields in 32 bits.
            max_row_bytes: max_row_bytes.min(u32::MAX as usize),
            fields: Fields::new(form.delimiter),
            decoding: Decoding::new(form.encoding),
            buffer: Vec::new(),
            start: 0,
            record: None,
            before: None,
            oversized: None,
            offset: start.offset,
            next: start,
            ended: false,
        }
    }

    /// Takes the next bytes of the file. Call [`next_record`](Self::next_record) until it has no more before the next chunk.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.start);
        self.start = 0;
        self.decoding.decode(chunk, &mut self.buffer);
    }

    /// Says that the file has ended.
    pub fn finish(&mut self) {
        self.decoding.finish(&mut self.buffer);
        self.ended = true;
    }

    /// Where the next record starts, blank lines perhaps before it.
    pub const fn position(&self) -> Position {
        self.next
    }

    /// The next record; `None` if it is not whole yet, or, after [`finish`](Self::finish), if there are no more.
    pub fn next_record(&mut self) -> Option<Record> {
        if self.oversized.is_some() {
            return self.next_oversized();
        }
        let mut record = match self.record.take() {
            Some(record) => record,
            None => self.begin()?,
        };
        record.follow(self.window());
        if let Some(content) = record.content {
            let Some(line_break) = line_break_at(&self.buffer, self.start + content, self.ended) else {
                self.record = Some(record);
                return None;
            };
            return Some(self.complete(content, line_break));
        }
        if let Some(line) = record.quotes.stray() {
            let detail = format!(
                "line {line}: a quote opens here, and its field goes on after the quote that closes it; \
                 put a value that holds quotes into quotes and double them"
            );
            return self.reject_first_line(record, detail);
        }
        if record.bytes > self.max_row_bytes {
            // Whether a line break at the very end is whole, the next chunk would tell; so it does not count.
            let line = record.quotes.open_since();
            let line = line.filter(|_| self.first_break().is_some_and(|first| first < self.max_row_bytes));
            let Some(line) = line else { return self.begin_oversized() };
            let limit = self.max_row_bytes;
            let detail = format!("line {line}: the quote that opens here is not closed within {limit} bytes");
            return self.reject_first_line(record, detail);
        }
        if !self.ended {
            self.record = Some(record);
            return None;
        }
        match record.quotes.open_since() {
            Some(line) => self.reject_first_line(record, never_closed(line)),
            None => Some(self.complete(record.bytes, 0)),
        }
    }

    #[cfg(test)]
    pub(super) const fn buffered(&self) -> usize {
        self.buffer.len()
    }

    fn pass_blank_lines(&mut self) -> Option<()> {
        while self.start < self.buffer.len() {
            match line_break_at(&self.buffer, self.start, self.ended)? {
                0 => return Some(()),
                bytes => {
                    self.advance(bytes);
                    self.next.offset = self.offset;
                    self.next.line += 1;
                }
            }
        }
        None
    }

    /// What is there of as much as a record may have, and a byte more: it may be the line break.
    fn window(&self) -> &[u8] {
        let end = self.buffer.len().min(self.start.saturating_add(self.max_row_bytes).saturating_add(1));
        self.buffer.get(self.start..end).unwrap_or_default()
    }

    fn first_break(&self) -> Option<usize> {
        self.window().iter().position(|byte| is_break(*byte))
    }

    /// The start of the next record, which is followed from what is known of its bytes: a file in which a quote is missing in
    /// line after line would otherwise be read to its end, or to the limit, for each of them.
    fn begin(&mut self) -> Option<Followed> {
        self.pass_blank_lines()?;
        let mut own = Followed::new(Quotes::new(self.form.delimiter, self.next.line));
        let Some(before) = self.before.take() else { return Some(own) };
        let known = self.buffer.get(self.start..self.start + before.bytes).unwrap_or_default();
        let Some(first) = known.iter().position(|byte| is_break(*byte)) else { return Some(own) };
        own.follow(known.get(..=first).unwrap_or_default());
        if own.is_decided() {
            self.before = Some(before);
            return Some(own);
        }
        // Both are within quotes at this line break, and so find the same from here on.
        Some(Followed { quotes: own.quotes.gone_on(&before.quotes), ..before })
    }

    fn begin_oversized(&mut self) -> Option<Record> {
        self.oversized = Some(Quotes::new(self.form.delimiter, self.next.line));
        self.next_oversized()
    }

    fn next_oversized(&mut self) -> Option<Record> {
        let quotes = self.oversized.as_mut()?;
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let end = quotes.end_in(rest);
        let (passed, open) = (end.unwrap_or(rest.len()), quotes.open_since());
        self.advance(passed);
        let line_break = match end {
            Some(_) => line_break_at(&self.buffer, self.start, self.ended)?,
            None if self.ended => 0,
            None => return None,
        };
        let record = match open {
            Some(line) => self.reject(RowFault::UnbalancedQuote, None, never_closed(line)),
            None => self.too_large(),
        };
        self.move_on(0, line_break);
        Some(record)
    }

    /// Rejects the first line of a record whose quotes are not to be trusted, and reads on at the next line: what a stray quote
    /// has joined are rows of other people.
    fn reject_first_line(&mut self, mut record: Followed, detail: String) -> Option<Record> {
        let (content, line_break) = match self.first_break() {
            Some(first) => (first, line_break_at(&self.buffer, self.start + first, self.ended)),
            None if self.window().len() > self.max_row_bytes => return self.begin_oversized(),
            None => (self.window().len(), self.ended.then_some(0)),
        };
        let Some(line_break) = line_break else {
            self.record = Some(record);
            return None;
        };
        let rejected = self.reject(RowFault::UnbalancedQuote, None, detail);
        self.move_on(content, line_break);
        if let Some(left) = record.bytes.checked_sub(content + line_break) {
            record.bytes = left;
            self.before = Some(record);
        }
        Some(rejected)
    }

    fn complete(&mut self, content: usize, line_break: usize) -> Record {
        let raw = self.buffer.get(self.start..self.start + content).unwrap_or_default();
        self.fields.feed(raw);
        self.fields.feed(b"\n");
        let record = self.row(content);
        self.move_on(content, line_break);
        record
    }

    fn move_on(&mut self, content: usize, line_break: usize) {
        let lines = match self.oversized.take() {
            Some(quotes) => quotes.line() - self.next.line,
            None => line_breaks(self.raw(content)),
        };
        self.advance(content + line_break);
        self.fields.clear();
        self.next = Position {
            row: self.next.row.next(),
            offset: self.offset,
            line: self.next.line + lines + u64::from(line_break > 0),
        };
    }

    fn row(&self, content: usize) -> Record {
        let line = self.next.line;
        let (expected, found) = (self.header.0.len(), self.fields.ends().len());
        if expected != found {
            let detail = format!("line {line}: expected {expected} fields, found {found}");
            return self.reject(RowFault::FieldCount, None, detail);
        }
        let row = str::from_utf8(self.fields.text()).ok().and_then(|text| {
            Row::from_ends(self.next.row.next(), line, text, self.fields.ends().iter().copied())
        });
        row.map_or_else(|| self.not_utf8(content), Record::Good)
    }

    fn not_utf8(&self, content: usize) -> Record {
        let valid = str::from_utf8(self.raw(content)).err().map_or(0, |error| error.valid_up_to());
        let encoding = self.form.encoding;
        let offset = self.offset + encoding.source_len(self.raw(valid));
        let position = self.fields.iter().position(|field| str::from_utf8(field).is_err());
        let column =
            position.and_then(|position| self.header.0.get(position)).filter(|name| !name.is_empty());
        let detail = format!("line {}: not {encoding} at byte {offset} of the file", self.next.line);
        self.reject(RowFault::InvalidUtf8, column.cloned(), detail)
    }

    fn too_large(&self) -> Record {
        let detail = format!(
            "line {}: row is larger than {} bytes; look for a quote that is never closed",
            self.next.line, self.max_row_bytes
        );
        self.reject(RowFault::RowTooLarge, None, detail)
    }

    fn reject(&self, code: RowFault, column: Option<String>, detail: String) -> Record {
        Record::Bad(RejectedRow { row: self.next.row.next(), column, code, detail })
    }

    fn raw(&self, content: usize) -> &[u8] {
        self.buffer.get(self.start..self.start + content).unwrap_or_default()
    }

    fn advance(&mut self, bytes: usize) {
        self.offset += self.form.encoding.source_len(self.raw(bytes));
        self.start += bytes;
        if let Some(before) = &mut self.before {
            before.bytes = before.bytes.saturating_sub(bytes);
        }
    }
}

fn never_closed(line: u64) -> String {
    format!("line {line}: the quote that opens here is never closed")
}

const fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// How many lines end in these bytes.
pub(super) fn line_breaks(bytes: &[u8]) -> u64 {
    let mut after_cr = false;
    bytes.iter().fold(0, |lines, byte| {
        let is_second_half = *byte == b'\n' && after_cr;
        after_cr = *byte == b'\r';
        lines + u64::from(matches!(byte, b'\n' | b'\r') && !is_second_half)
    })
}
