use super::encoding::TextEncoding;
use super::fault::TableFault;
use super::head::TableHead;
use crate::domain::campaign::definition::Encoding;

/// What a whole file tells about being UTF-8, gathered chunk by chunk.
///
/// One character beyond ASCII that is well-formed UTF-8 hardly comes about by chance, so a file without any, and with bytes
/// that are none, is in another encoding; which one, nobody can know from its bytes.
///
/// ```
/// use reminderly_core::domain::campaign::definition::Encoding;
/// use reminderly_core::domain::table::{TableFault, TableHead, TableRules, TextEvidence};
///
/// let file = b"Name\nM\xfcller\nRoy\n";
/// let rules = TableRules::default();
/// let head = TableHead::read(file, true, &rules)?.ok_or("not whole")?;
/// let mut evidence = TextEvidence::default();
/// evidence.take(file);
/// evidence.finish();
/// assert_eq!(evidence.check(&head, rules.encoding), Err(TableFault::UnknownEncoding { offset: 6 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextEvidence {
    /// Where the first bytes are that are no UTF-8.
    bad: Option<u64>,
    /// Where the first character beyond ASCII is that is well-formed.
    good: Option<u64>,
    /// The bytes of a character that is not whole yet.
    kept: Vec<u8>,
    /// The offset after the last byte, without those that are kept.
    offset: u64,
}

impl TextEvidence {
    /// Takes the next bytes of the file.
    pub fn take(&mut self, chunk: &[u8]) {
        if self.bad.is_some() && self.good.is_some() {
            return;
        }
        if self.kept.is_empty() {
            return self.look_at(chunk);
        }
        let mut joined = std::mem::take(&mut self.kept);
        joined.extend_from_slice(chunk);
        self.look_at(&joined);
    }

    /// Says that the file has ended. A character that is cut at the end says nothing: the file was cut.
    pub fn finish(&mut self) {
        self.offset += self.kept.len() as u64;
        self.kept.clear();
    }

    /// Whether the file may be read as its head says.
    ///
    /// A byte order mark, or a declared UTF-8, is believed: then a bad byte costs its row only. So it is if the file has well-formed
    /// characters too.
    ///
    /// # Errors
    ///
    /// - [`TableFault::UnknownEncoding`] if nothing is declared and the file is certainly not UTF-8.
    /// - [`TableFault::NotAsDeclared`] if Windows-1252 is declared and the file is certainly UTF-8: each `é` would become `Ã©`.
    pub fn check(&self, head: &TableHead, declared: Encoding) -> Result<(), TableFault> {
        match (head.form.encoding, declared, self.bad, self.good) {
            (TextEncoding::Utf8, Encoding::Auto, Some(offset), None) if !head.marked => {
                Err(TableFault::UnknownEncoding { offset })
            }
            (TextEncoding::Windows1252, _, None, Some(offset)) => {
                Err(TableFault::NotAsDeclared { declared, found: Some(TextEncoding::Utf8), offset })
            }
            _ => Ok(()),
        }
    }

    fn look_at(&mut self, mut bytes: &[u8]) {
        loop {
            match str::from_utf8(bytes) {
                Ok(text) => {
                    self.note_good(text.as_bytes());
                    self.offset += text.len() as u64;
                    return;
                }
                Err(error) => {
                    let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
                    self.note_good(valid);
                    self.offset += valid.len() as u64;
                    let Some(bad) = error.error_len() else {
                        self.kept = rest.to_vec();
                        return;
                    };
                    self.bad = self.bad.or(Some(self.offset));
                    if self.good.is_some() {
                        return;
                    }
                    self.offset += bad as u64;
                    bytes = rest.get(bad..).unwrap_or_default();
                }
            }
        }
    }

    fn note_good(&mut self, valid: &[u8]) {
        if self.good.is_none() && !valid.is_ascii() {
            let place = valid.iter().position(|byte| !byte.is_ascii()).unwrap_or_default();
            self.good = Some(self.offset + place as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn evidence(chunks: &[&[u8]]) -> (Option<u64>, Option<u64>) {
        let mut evidence = TextEvidence::default();
        for chunk in chunks {
            evidence.take(chunk);
        }
        evidence.finish();
        (evidence.bad, evidence.good)
    }

    #[test]
    fn says_where_the_first_of_each_kind_is() {
        assert_eq!(evidence(&[b"plain"]), (None, None));
        assert_eq!(evidence(&["né".as_bytes()]), (None, Some(1)));
        assert_eq!(evidence(&[b"a\xfcb\xfc"]), (Some(1), None));
        assert_eq!(evidence(&[b"a\xfcb\xc3", b"\xa9"]), (Some(1), Some(3)));
        assert_eq!(evidence(&[b"abc\xc3"]), (None, None), "a cut file is no evidence");
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(bytes in proptest::collection::vec(prop_oneof![Just(b'a'), Just(0xc3), Just(0xa9), Just(0xf0), Just(0x9f), Just(0xfc)], 0..20), cut in 0usize..20) {
            let (front, back) = bytes.split_at(cut.min(bytes.len()));
            prop_assert_eq!(evidence(&[front, back]), evidence(&[&bytes]));
            let single: Vec<_> = bytes.chunks(1).collect();
            prop_assert_eq!(evidence(&single), evidence(&[&bytes]));
        }
    }
}
