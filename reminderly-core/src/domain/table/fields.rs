use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The fields of one record after the other, without quotes, in buffers that are used again.
#[derive(Debug)]
pub(super) struct Fields {
    csv: Reader,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
}

impl Fields {
    pub(super) fn new(delimiter: u8) -> Self {
        let mut csv = ReaderBuilder::new().delimiter(delimiter).build();
        // csv-core drops a byte order mark from its first input; ours may be the middle of a file.
        let _blank_line = csv.read_record(b"\n", &mut [0], &mut [0]);
        Self { csv, text: vec![0; 1_024], text_len: 0, ends: vec![0; 64], ends_len: 0 }
    }

    /// Takes bytes up to the end of the record. Says how many it took, and whether the last of them ended the record.
    pub(super) fn feed(&mut self, input: &[u8]) -> (usize, bool) {
        let mut taken = 0;
        // An empty input would tell csv-core that the file has ended.
        while let Some(rest) = input.get(taken..).filter(|rest| !rest.is_empty()) {
            let text = self.text.get_mut(self.text_len..).unwrap_or_default();
            let ends = self.ends.get_mut(self.ends_len..).unwrap_or_default();
            let (result, read, written, ended) = self.csv.read_record(rest, text, ends);
            taken += read;
            self.text_len += written;
            self.ends_len += ended;
            match result {
                ReadRecordResult::Record => return (taken, true),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => break,
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
        (taken, false)
    }

    /// Forgets the record.
    pub(super) const fn clear(&mut self) {
        self.text_len = 0;
        self.ends_len = 0;
    }

    pub(super) fn text(&self) -> &[u8] {
        self.text.get(..self.text_len).unwrap_or_default()
    }

    pub(super) fn ends(&self) -> &[usize] {
        self.ends.get(..self.ends_len).unwrap_or_default()
    }

    /// The fields one by one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends().iter().copied());
        starts.zip(self.ends()).map(|(start, end)| self.text().get(start..*end).unwrap_or_default())
    }
}
