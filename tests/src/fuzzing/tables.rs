//! Data files.

use reminderly_core::domain::campaign::definition::{Delimiter, Encoding};
use reminderly_core::domain::row::RowNumber;
use reminderly_core::domain::table::workbook::{Workbook, WorkbookRules};
use reminderly_core::domain::table::{Position, Record, RecordReader, TableHead, TableRules};

/// The largest row, so that inputs of a fuzzer reach it.
const ROW_BYTES_MAX: usize = 200;
const COLUMNS_MAX: usize = 40;

/// A file is the same table however its bytes come in, and wherever reading is taken up again.
pub(super) fn delimited_text(bytes: &[u8]) {
    let Some((chunk, file)) = bytes.split_first() else { return };
    check_text(file, usize::from(*chunk).max(1), Encoding::Auto);
}

/// The same in every encoding that can be declared.
pub(super) fn encodings(bytes: &[u8]) {
    let Some((declared, file)) = bytes.split_first() else { return };
    let encoding = Encoding::ALL[usize::from(*declared) % Encoding::ALL.len()];
    check_text(file, usize::from(*declared >> 3).max(1), encoding);
}

fn check_text(file: &[u8], chunk: usize, encoding: Encoding) {
    let delimiter = Delimiter::default();
    let rules = TableRules { encoding, delimiter, max_head_bytes: ROW_BYTES_MAX, max_columns: COLUMNS_MAX };
    let Ok(head) = TableHead::read(file, true, &rules) else { return };
    let head = head.expect("a whole file says what it is");
    let columns = head.header.0.len();
    assert!(columns <= COLUMNS_MAX);
    let start = usize::try_from(head.start.offset).expect("within the file");
    assert!(start <= file.len());

    let read = |from: Position, chunk: usize| {
        let rest = &file[usize::try_from(from.offset).expect("within the file")..];
        let mut reader = RecordReader::new(head.header.clone(), head.form, ROW_BYTES_MAX, from);
        let mut records = Vec::new();
        for part in rest.chunks(chunk) {
            reader.push(part);
            while let Some(record) = reader.next_record() {
                records.push((record, reader.position()));
            }
        }
        reader.finish();
        while let Some(record) = reader.next_record() {
            records.push((record, reader.position()));
        }
        records
    };
    let whole = read(head.start, file.len().max(1));
    let mut number = RowNumber(0);
    let mut last = head.start;
    for (record, position) in &whole {
        number = number.next();
        let found = match record {
            Record::Good(row) => {
                assert_eq!(row.fields().count(), columns);
                row.number
            }
            Record::Bad(row) => row.row,
        };
        assert_eq!((found, position.row), (number, number));
        assert!(position.offset >= last.offset && position.line >= last.line);
        assert!(position.offset <= file.len() as u64);
        last = *position;
    }
    // The offsets of records that end at the end of the file may differ by a line break that has not come yet.
    let records =
        |read: Vec<(Record, Position)>| read.into_iter().map(|(record, _)| record).collect::<Vec<_>>();
    let expected = records(whole.clone());
    assert!(records(read(head.start, chunk)) == expected, "in chunks of {chunk}");
    if let Some((_, middle)) = whole.get(whole.len() / 2) {
        let behind = records(read(*middle, chunk));
        assert!(behind == expected[whole.len() / 2 + 1..], "taken up again at {middle:?}");
    }
}

/// A workbook is read to its end within its limits, or told why it cannot be. What panics in its reader is caught there.
pub(super) fn workbook(bytes: &[u8]) {
    let rules =
        WorkbookRules { max_unpacked_bytes: 1 << 20, max_columns: COLUMNS_MAX, max_row_bytes: ROW_BYTES_MAX };
    let Ok(mut workbook) = Workbook::open(bytes.to_vec(), None, rules) else { return };
    let Ok((header, start)) = workbook.head() else { return };
    assert!(header.0.len() <= COLUMNS_MAX);
    let Ok(mut rows) = workbook.rows(&header, start) else { return };
    let mut number = RowNumber(0);
    while let Ok(Some((record, position))) = rows.next_record() {
        number = number.next();
        if let Record::Good(row) = record {
            assert_eq!((row.fields().count(), row.number), (header.0.len(), number));
        }
        assert_eq!(position.row, number);
    }
}
