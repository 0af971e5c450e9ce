//! A data file of any size that takes no room: its rows are made as they are read.

use async_trait::async_trait;
use chrono::{Datelike as _, NaiveDate, Weekday};
use reminderly_core::ports::source::{PacketSource, SourceError, SourceFile, SourceReader};

use crate::example::HEADER;

/// Bytes that are made at a time.
const CHUNK: usize = 64 << 10;

const NAMES: [&str; 16] = [
    "Ann",
    "BOB",
    "maria",
    "José",
    "Chloë",
    "MARY-ANN",
    "Li",
    "Aleksandra",
    "Sam",
    "DMITRI",
    "Zoë",
    "Peter",
    "o'neil",
    "Kim",
    "Fatima",
    "Günther",
];

/// The name of the only file.
pub const FILE: &str = "doctor_smith_generated.csv";

/// A source with one file of so many rows. The same rows on every read: a row depends on its number only.
///
/// One row in a hundred has no cell phone, one in a hundred neither cell phone nor e-mail address, and the spellings of
/// names and numbers vary.
#[derive(Debug, Clone)]
pub struct GeneratedFile {
    rows: u64,
    /// Of so many rows the last is bad.
    bad_every: Option<u64>,
    /// The appointments' dates as the file spells them.
    dates: Vec<String>,
}

impl GeneratedFile {
    /// A file of so many rows.
    pub fn new(rows: u64) -> Self {
        let weekdays = NaiveDate::from_ymd_opt(2026, 3, 9)
            .into_iter()
            .flat_map(|first| first.iter_days())
            .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
        Self {
            rows,
            bad_every: None,
            dates: weekdays.take(40).map(|day| day.format("%m/%d/%Y").to_string()).collect(),
        }
    }

    /// A file of at least so many bytes.
    pub fn of_bytes(bytes: u64) -> Self {
        let mut row = Vec::new();
        let sample = Self::new(0);
        (0..10_000).for_each(|number| sample.push_row(number, &mut row));
        // Numbers have a fixed width, so the average is that of any other ten thousand.
        Self::new(bytes * 10_000 / row.len() as u64 + 1)
    }

    /// The same, but of so many rows the last has too few fields, and is shorter.
    #[must_use]
    pub fn with_bad_rows(self, every: u64) -> Self {
        Self { bad_every: Some(every), ..self }
    }

    /// How many rows it has.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// How many of them have no cell phone. None of these is bad where the bad ones are a multiple of 100 apart.
    pub fn without_cell(&self) -> u64 {
        self.rows / 100 * 2 + (self.rows % 100).min(2)
    }

    fn push_row(&self, number: u64, to: &mut Vec<u8>) {
        to.extend_from_slice(b"A-");
        push_digits(number, 9, to);
        if self.bad_every.is_some_and(|every| (number + 1).is_multiple_of(every)) {
            to.extend_from_slice(b",too few\n");
            return;
        }
        to.push(b',');
        to.extend_from_slice(pick(&NAMES, number).as_bytes());
        to.push(b',');
        to.extend_from_slice(pick(&self.dates, number / 36).as_bytes());
        to.push(b',');
        let quarter = number % 36;
        let hour = 8 + quarter / 4;
        push_digits(if hour > 12 { hour - 12 } else { hour }, 2, to);
        to.push(b':');
        push_digits(quarter % 4 * 15, 2, to);
        to.extend_from_slice(if hour < 12 { b" AM," } else { b" PM," });
        let missing = number % 100;
        if missing > 1 {
            push_cell(number, to);
        }
        to.push(b',');
        if missing > 0 {
            to.extend_from_slice(b"patient.");
            push_digits(number, 9, to);
            to.extend_from_slice(b"@example.com");
        }
        to.extend_from_slice(b",en\n");
    }
}

fn pick<T: AsRef<str>>(from: &[T], number: u64) -> &str {
    let index = usize::try_from(number % from.len().max(1) as u64).unwrap_or_default();
    from.get(index).map_or("", AsRef::as_ref)
}

/// A number of Arizona, in one of four spellings.
fn push_cell(number: u64, to: &mut Vec<u8>) {
    let (exchange, line) = (200 + number / 10_000 % 800, number % 10_000);
    let (before, between): (&[u8], &[u8]) = match number % 4 {
        0 => (b"(520) ", b"-"),
        1 => (b"520-", b"-"),
        2 => (b"+1 520 ", b" "),
        _ => (b"520", b""),
    };
    to.extend_from_slice(before);
    push_digits(exchange, 3, to);
    to.extend_from_slice(between);
    push_digits(line, 4, to);
}

fn push_digits(mut number: u64, width: usize, to: &mut Vec<u8>) {
    let start = to.len();
    to.resize(start + width, b'0');
    for digit in to.iter_mut().skip(start).rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

#[async_trait]
impl PacketSource for GeneratedFile {
    async fn list(&self) -> Result<Vec<SourceFile>, SourceError> {
        // Nobody here asks for the size, which is known after a read only.
        Ok(vec![SourceFile { name: FILE.to_owned(), size: 0, modified: None }])
    }

    async fn open(&self, name: &str, offset: u64) -> Result<Box<dyn SourceReader>, SourceError> {
        if name != FILE {
            return Err(SourceError::Missing { name: name.to_owned() });
        }
        let made = format!("{HEADER}\n").into_bytes();
        let mut reader = Generator { file: self.clone(), next: 0, made, taken: 0 };
        let mut left = usize::try_from(offset).unwrap_or(usize::MAX);
        while left > 0 && reader.make() {
            left -= reader.skip(left);
        }
        Ok(Box::new(reader))
    }
}

#[derive(Debug)]
struct Generator {
    file: GeneratedFile,
    next: u64,
    /// Bytes that were made; the first `taken` are gone.
    made: Vec<u8>,
    taken: usize,
}

impl Generator {
    /// Makes rows if there are none; whether there are any.
    fn make(&mut self) -> bool {
        if self.taken == self.made.len() {
            self.made.clear();
            self.taken = 0;
            while self.made.len() < CHUNK && self.next < self.file.rows {
                self.file.push_row(self.next, &mut self.made);
                self.next += 1;
            }
        }
        self.taken < self.made.len()
    }

    fn skip(&mut self, max: usize) -> usize {
        let bytes = max.min(self.made.len() - self.taken);
        self.taken += bytes;
        bytes
    }
}

#[async_trait]
impl SourceReader for Generator {
    async fn read(&mut self, buffer: &mut Vec<u8>, max: usize) -> Result<usize, SourceError> {
        let before = buffer.len();
        while buffer.len() - before < max && self.make() {
            let from = self.taken;
            let bytes = self.skip(max - (buffer.len() - before));
            buffer.extend_from_slice(self.made.get(from..from + bytes).unwrap_or_default());
        }
        Ok(buffer.len() - before)
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn read(file: &GeneratedFile, offset: u64, max: usize) -> String {
        let mut bytes = Vec::new();
        let mut reader = block_on(file.open(FILE, offset)).unwrap();
        while block_on(reader.read(&mut bytes, max)).unwrap() > 0 {}
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn reads_the_same_wherever_it_starts_and_however_it_is_cut() {
        let file = GeneratedFile::new(3_000);
        let whole = read(&file, 0, 1 << 20);
        assert_eq!(whole.lines().count(), 3_001);
        assert_eq!(read(&file, 0, 1_000), whole);
        assert_eq!(Some(read(&file, 100_001, 7).as_str()), whole.get(100_001..));
    }

    #[test]
    fn a_size_can_be_asked_for() {
        let file = GeneratedFile::of_bytes(1 << 20);
        let bytes = read(&file, 0, 1 << 20).len();
        assert!(((1 << 20)..(1 << 20) + 1_000).contains(&bytes), "{bytes}");
    }
}
