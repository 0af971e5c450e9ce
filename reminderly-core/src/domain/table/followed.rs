use super::quotes::Quotes;

/// A record whose end is looked for.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) quotes: Quotes,
    /// How many bytes from its start these have read.
    pub(super) bytes: usize,
    /// The bytes before the line break that ends it, once that was seen.
    pub(super) content: Option<usize>,
}

impl Followed {
    pub(super) const fn new(quotes: Quotes) -> Self {
        Self { quotes, bytes: 0, content: None }
    }

    /// Whether nothing that comes changes what becomes of its first line: it has ended, or a quote is none.
    pub(super) const fn is_decided(&self) -> bool {
        self.content.is_some() || self.quotes.stray().is_some()
    }

    /// Reads on in the record's bytes, which begin at its start, until it is decided.
    pub(super) fn follow(&mut self, bytes: &[u8]) {
        if self.is_decided() {
            return;
        }
        let rest = bytes.get(self.bytes..).unwrap_or_default();
        match self.quotes.decided_in(rest) {
            Some(at) if self.quotes.stray().is_none() => self.content = Some(self.bytes + at),
            Some(at) => self.bytes += at + 1,
            None => self.bytes += rest.len(),
        }
    }
}
