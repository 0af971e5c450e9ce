use super::encoding::Decoding;
use super::fields::Fields;
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
    /// How many bytes after `start` were given to `fields`.
    fed: usize,
    /// The bytes of the record before its line break, once that was seen.
    content: Option<usize>,
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
            fed: 0,
            content: None,
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
        if self.fed == 0 && self.oversized.is_none() {
            self.pass_blank_lines()?;
        }
        if self.content.is_none() && self.oversized.is_none() {
            self.feed();
        }
        if self.content.is_none() && self.oversized.is_none() && self.fed > self.max_row_bytes {
            if let Some(record) = self.unclosed_within_limit() {
                return Some(record);
            }
            self.fed = 0;
            self.oversized = Some(Quotes::new(self.form.delimiter, self.next.line));
        }
        if self.content.is_none() && self.oversized.is_some() {
            self.pass_oversized();
        }
        match self.content {
            Some(content) => {
                let line_break = line_break_at(&self.buffer, self.start + content, self.ended)?;
                Some(self.complete(content, line_break))
            }
            None if self.ended => Some(self.complete_at_end()),
            None => None,
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

    fn feed(&mut self) {
        // One byte more than allowed: it may be the line break.
        let limit = self.buffer.len().min(self.start.saturating_add(self.max_row_bytes).saturating_add(1));
        let input = self.buffer.get(self.start + self.fed..limit).unwrap_or_default();
        let (taken, is_record) = self.fields.feed(input);
        self.fed += taken;
        if is_record {
            self.content = Some(self.fed - 1);
        }
    }

    fn pass_oversized(&mut self) {
        let Some(quotes) = &mut self.oversized else { return };
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let end = quotes.end_in(rest);
        let passed = end.unwrap_or(rest.len());
        self.content = end.map(|_| 0);
        self.advance(passed);
    }

    /// The file ended without a line break.
    fn complete_at_end(&mut self) -> Record {
        let content = self.fed;
        let open_quote = match &self.oversized {
            Some(quotes) => quotes.open_since(),
            // Anywhere but within quotes, a line break ends the record.
            None if self.fields.feed(b"\n").1 => None,
            None => {
                let mut quotes = Quotes::new(self.form.delimiter, self.next.line);
                quotes.end_in(self.raw(content));
                quotes.open_since()
            }
        };
        match open_quote {
            Some(line) if self.oversized.is_none() => {
                let detail = format!("line {line}: the quote that opens here is never closed");
                self.reject_first_line(content, 0, RowFault::UnbalancedQuote, detail)
            }
            Some(line) => {
                let detail = format!("line {line}: the quote that opens here is never closed");
                let record = self.reject(RowFault::UnbalancedQuote, None, detail);
                self.move_on(content, 0);
                record
            }
            None => self.complete(content, 0),
        }
    }

    /// A quote that swallows line after line up to the limit: only the line of the record's start is lost.
    fn unclosed_within_limit(&mut self) -> Option<Record> {
        let raw = self.raw(self.fed);
        let mut quotes = Quotes::new(self.form.delimiter, self.next.line);
        quotes.end_in(raw);
        let first_break = raw.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        // Whether a line break at the very end is whole, the next chunk would tell; so it does not count.
        let line = quotes.open_since().filter(|_| first_break + 1 < raw.len())?;
        let limit = self.max_row_bytes;
        let detail = format!("line {line}: the quote that opens here is not closed within {limit} bytes");
        Some(self.reject_first_line(self.fed, 0, RowFault::UnbalancedQuote, detail))
    }

    /// Rejects the first line of a record whose quotes are not to be trusted, and reads on at the next line: what a stray quote
    /// has joined are rows of other people.
    fn reject_first_line(
        &mut self,
        content: usize,
        line_break: usize,
        code: RowFault,
        detail: String,
    ) -> Record {
        let record = self.reject(code, None, detail);
        let first_break = self.raw(content).iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (content, line_break) = match first_break {
            Some(first) => {
                let bytes = line_break_at(&self.buffer, self.start + first, true);
                (first, bytes.unwrap_or(1))
            }
            None => (content, line_break),
        };
        self.fields = Fields::new(self.form.delimiter);
        self.move_on(content, line_break);
        record
    }

    fn complete(&mut self, content: usize, line_break: usize) -> Record {
        if let Some(line) = self.stray_quote(content) {
            let detail = format!(
                "line {line}: a quote opens here, and its field goes on after the quote that closes it; \
                 put a value that holds quotes into quotes and double them"
            );
            return self.reject_first_line(content, line_break, RowFault::UnbalancedQuote, detail);
        }
        let record = if self.oversized.is_some() { self.too_large() } else { self.row(content) };
        self.move_on(content, line_break);
        record
    }

    /// The line of a quote of the record that cannot be meant as one.
    fn stray_quote(&self, content: usize) -> Option<u64> {
        let raw = self.raw(content);
        if self.oversized.is_some() || !raw.contains(&b'"') {
            return None;
        }
        let mut quotes = Quotes::new(self.form.delimiter, self.next.line);
        quotes.end_in(raw);
        quotes.stray()
    }

    fn move_on(&mut self, content: usize, line_break: usize) {
        let lines = match &self.oversized {
            Some(quotes) => quotes.line() - self.next.line,
            None => line_breaks(self.raw(content)),
        };
        if self.oversized.take().is_some() {
            self.fields = Fields::new(self.form.delimiter);
        }
        self.advance(content + line_break);
        self.fields.clear();
        self.fed = 0;
        self.content = None;
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
    }
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
