/// Follows the quotes of one record by the rules of csv-core, without keeping anything of it: to find the end of a record
/// that is too large to be kept, the columns of a header, and the line of a quote that nobody closed.
#[derive(Debug, Clone)]
pub(super) struct Quotes {
    delimiter: u8,
    state: State,
    /// How many delimiters stood outside quotes.
    pub(super) delimiters: usize,
    line: u64,
    after_cr: bool,
    opened: u64,
    /// The line of a quote after whose end the field went on.
    stray: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    QuoteInQuoted,
}

impl Quotes {
    /// The start of a record on `line`.
    pub(super) const fn new(delimiter: u8, line: u64) -> Self {
        Self {
            delimiter,
            state: State::FieldStart,
            delimiters: 0,
            line,
            after_cr: false,
            opened: line,
            stray: None,
        }
    }

    /// Reads on. Says at which of the bytes the record's line ends; `None` if at none.
    pub(super) fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| self.ends_with(*byte))
    }

    /// As [`end_in`](Self::end_in), or at which of the bytes a field goes on after its quote was closed.
    pub(super) fn decided_in(&mut self, bytes: &[u8]) -> Option<usize> {
        bytes.iter().position(|byte| self.ends_with(*byte) || self.stray.is_some())
    }

    /// These quotes, read on as far as others that were within quotes where these are now, at a line break. Delimiters are not
    /// counted on.
    pub(super) fn gone_on(&self, others: &Self) -> Self {
        // What was open then had opened elsewhere for the others.
        let opened = |line| if line < self.line { self.opened } else { line };
        Self { opened: opened(others.opened), stray: others.stray.map(opened), ..others.clone() }
    }

    /// The line on which the quote opened that is open now.
    pub(super) fn open_since(&self) -> Option<u64> {
        (self.state == State::Quoted).then_some(self.opened)
    }

    /// The line on which a quote opened whose field goes on after it was closed: it, or the one that closed it, is not meant as
    /// a quote.
    pub(super) const fn stray(&self) -> Option<u64> {
        self.stray
    }

    /// The line that was reached.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    fn ends_with(&mut self, byte: u8) -> bool {
        let is_break = matches!(byte, b'\n' | b'\r');
        self.state = match (self.state, byte) {
            (State::Quoted, b'"') => State::QuoteInQuoted,
            (State::Quoted, _) | (State::QuoteInQuoted, b'"') => State::Quoted,
            (State::FieldStart, b'"') => {
                self.opened = self.line;
                State::Quoted
            }
            _ if is_break => return true,
            _ if byte == self.delimiter => {
                self.delimiters += 1;
                State::FieldStart
            }
            (State::QuoteInQuoted, _) => {
                self.stray = self.stray.or(Some(self.opened));
                State::Bare
            }
            _ => State::Bare,
        };
        if is_break && !(byte == b'\n' && self.after_cr) {
            self.line += 1;
        }
        self.after_cr = byte == b'\r';
        false
    }
}
