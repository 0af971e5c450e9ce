mod encodings;
#[cfg(feature = "xlsx")]
mod workbooks;
#[cfg(feature = "xlsx")]
pub(crate) mod xlsx_file;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::domain::campaign::definition::{Delimiter, Encoding};
use crate::domain::row::{Header, RejectedRow, RowFault, RowNumber};

const MAX_ROW_BYTES: usize = 40;

const RULES: TableRules = TableRules {
    encoding: Encoding::Auto,
    delimiter: Delimiter::Auto,
    max_head_bytes: MAX_ROW_BYTES,
    max_columns: 6,
};

const COMMAS: TextForm = TextForm { encoding: TextEncoding::Utf8, delimiter: b',' };

/// Records with the place after each.
type Records = Vec<(Record, Position)>;

fn read(header: &Header, form: TextForm, start: Position, chunks: &[&[u8]]) -> Records {
    let mut reader = RecordReader::new(header.clone(), form, MAX_ROW_BYTES, start);
    let mut records = Vec::new();
    for chunk in chunks {
        reader.push(chunk);
        while let Some(record) = reader.next_record() {
            records.push((record, reader.position()));
        }
    }
    reader.finish();
    while let Some(record) = reader.next_record() {
        records.push((record, reader.position()));
    }
    records
}

fn head(file: &[u8]) -> Result<TableHead, TableFault> {
    TableHead::read(file, true, &RULES).map(Option::unwrap)
}

fn rest(file: &[u8], from: Position) -> &[u8] {
    &file[usize::try_from(from.offset).unwrap()..]
}

fn read_file(file: &[u8]) -> Records {
    let head = head(file).unwrap();
    read(&head.header, head.form, head.start, &[rest(file, head.start)])
}

/// `row@line:field|field` for good rows, `row:column:code@line` for bad ones.
fn describe((record, _): &(Record, Position)) -> String {
    match record {
        Record::Good(row) => {
            format!("{}@{}:{}", row.number, row.line, row.fields().collect::<Vec<_>>().join("|"))
        }
        Record::Bad(RejectedRow { row, column, code, detail }) => {
            let line = detail.strip_prefix("line ").and_then(|rest| rest.split_once(':')).unwrap().0;
            format!("{row}:{}:{code}@{line}", column.as_deref().unwrap_or_default())
        }
    }
}

#[rstest]
#[case::plain(b"a,b\n1,2\n3,4\n", &["1@2:1|2", "2@3:3|4"])]
#[case::header_only(b"a,b\n", &[])]
#[case::header_without_line_break(b"a,b", &[])]
#[case::no_final_line_break(b"a,b\n1,2\n3,4", &["1@2:1|2", "2@3:3|4"])]
#[case::crlf(b"a,b\r\n1,2\r\n3,4\r\n", &["1@2:1|2", "2@3:3|4"])]
#[case::cr(b"a,b\r1,2\r3,4\r", &["1@2:1|2", "2@3:3|4"])]
#[case::mixed_line_breaks(b"a,b\r\n1,2\r3,4\n5,6", &["1@2:1|2", "2@3:3|4", "3@4:5|6"])]
#[case::byte_order_mark(b"\xef\xbb\xbfa,b\n1,2\n", &["1@2:1|2"])]
#[case::byte_order_mark_before_quote(b"\xef\xbb\xbf\"a\",b\n1,2\n", &["1@2:1|2"])]
#[case::blank_lines(b"\n\r\na,b\n\n\r\n1,2\n\r\r3,4\n\n", &["1@6:1|2", "2@9:3|4"])]
#[case::blanks_are_no_blank_line(b"a,b\n \n1,2\n", &["1::field_count@2", "2@3:1|2"])]
#[case::quoted(b"a,b\n\"1,\"\"x\"\"\",2\n", &["1@2:1,\"x\"|2"])]
#[case::quoted_line_breaks(b"a,b\n\"1\n\r\n\r1\",2\n3,4\n", &["1@2:1\n\r\n\r1|2", "2@6:3|4"])]
#[case::inches(b"a,b\n1\",2\n3,4\n", &["1@2:1\"|2", "2@3:3|4"])]
#[case::field_goes_on_after_its_quote(b"a,b\n1,\"2\"x\n3,4\n", &["1::unbalanced_quote@2", "2@3:3|4"])]
#[case::stray_quote_closed_rows_later(
    b"a,b\n1,\"x\n2,y\n3,\"z\"\n4,w\n",
    &["1::unbalanced_quote@2", "2@3:2|y", "3@4:3|z", "4@5:4|w"]
)]
#[case::stray_quote_before_a_name(
    b"a,b\n1,\"Ann\n2,\"Bob\"\n3,Cy\n",
    &["1::unbalanced_quote@2", "2@3:2|Bob", "3@4:3|Cy"]
)]
#[case::empty_fields(b"a,b\n,\n\"\",\n", &["1@2:|", "2@3:|"])]
#[case::one_column(b"a\n1\n\"\"\n2", &["1@2:1", "2@3:", "3@4:2"])]
#[case::nul(b"a,b\n1\0,2\n", &["1@2:1\0|2"])]
#[case::semicolon(b"a;b,c;d\n1;2;3\n", &["1@2:1|2|3"])]
#[case::tab(b"a\tb\n1\t2\n", &["1@2:1|2"])]
#[case::bar(b"a|b\n1|2,\n", &["1@2:1|2,"])]
#[case::tie_is_comma(b"a,b;c\n1,2\n", &["1@2:1|2"])]
#[case::quoted_delimiters_do_not_count(b"\"a;b;c\",d\n1,2\n", &["1@2:1|2"])]
#[case::trailing_blank_columns(b"a,b,,\n1,2,,\n3,4\n", &["1@2:1|2||", "2::field_count@3"])]
#[case::header_over_lines(b"\"a\nx\",b\n1,2\n", &["1@3:1|2"])]
#[case::too_few(b"a,b\n1\n1,2\n", &["1::field_count@2", "2@3:1|2"])]
#[case::too_many(b"a,b\n1,2,3\n1,2\n", &["1::field_count@2", "2@3:1|2"])]
#[case::latin_1(b"a,b\n1,M\xfcller\n1,2\n", &["1:b:invalid_utf8@2", "2@3:1|2"])]
#[case::latin_1_in_unnamed_column(b"a,\n1,M\xfcller\n1,2\n", &["1::invalid_utf8@2", "2@3:1|2"])]
#[case::character_cut_by_delimiter(b"a,b\n1\xc3,\xa9\n1,2\n", &["1:a:invalid_utf8@2", "2@3:1|2"])]
#[case::truncated_in_character(b"a,b\n1,2\n3,\xc3", &["1@2:1|2", "2:b:invalid_utf8@3"])]
#[case::truncated_in_row(b"a,b\n1,2\n3", &["1@2:1|2", "2::field_count@3"])]
#[case::truncated_in_quote(b"a,b\n1,2\n3,\"4", &["1@2:1|2", "2::unbalanced_quote@3"])]
#[case::quote_opened_later_in_row(b"a,b\n\"1\n1\",\"4\n5,6\n", &["1::unbalanced_quote@3", "2::unbalanced_quote@3", "3@4:5|6"])]
#[case::quote_swallows_the_rest(
    b"a,b\n1,2\n3,\"4\n1,2222222222222\n1,2222222222222\n1,2222222222222\n",
    &["1@2:1|2", "2::unbalanced_quote@3", "3@4:1|2222222222222", "4@5:1|2222222222222", "5@6:1|2222222222222"]
)]
#[case::as_large_as_allowed(
    b"a,b\n123456789,123456789012345678901234567890\r\n1,2\n",
    &["1@2:123456789|123456789012345678901234567890", "2@3:1|2"]
)]
#[case::too_large(b"a,b\n123456789,1234567890123456789012345678901\n1,2\n", &["1::row_too_large@2", "2@3:1|2"])]
#[case::too_large_at_the_end(b"a,b\n1,2\n123456789,1234567890123456789012345678901", &["1@2:1|2", "2::row_too_large@3"])]
#[case::too_large_over_lines(
    b"a,b\n1,\"22222222222222\r\n2222222222222222\n\n222222222222\"\r\n3,4\n",
    &["1::unbalanced_quote@2", "2::field_count@3", "3::field_count@5", "4@6:3|4"]
)]
#[case::too_large_with_quoted_quotes(
    b"a,b\n1,\"\"\"2222222222222222222222222222222222222\"\"\n\"\n3,4\n",
    &["1::row_too_large@2", "2@4:3|4"]
)]
#[case::many_fields_too_large(b"a,b\n,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n3,4\n", &["1::row_too_large@2", "2@3:3|4"])]
fn corpus(#[case] file: &[u8], #[case] expected: &[&str]) {
    let records: Vec<_> = read_file(file).iter().map(describe).collect();
    assert_eq!(records, expected);
}

#[rstest]
#[case::empty(b"", TableFault::Empty)]
#[case::byte_order_mark_only(b"\xef\xbb\xbf", TableFault::Empty)]
#[case::blank_lines_only(b"\n\r\n", TableFault::NoHeader)]
#[case::blank_names_only(b",,\n1,2,3\n", TableFault::NoHeader)]
#[case::utf_32_with_mark(b"\xff\xfe\0\0a\0\0\0,\0\0\0", TableFault::NotText { offset: 2 })]
#[case::utf_32(b"a\0\0\0,\0\0\0b\0\0\0\n\0\0\0", TableFault::NotText { offset: 1 })]
#[case::zero_in_utf_16(b"\xff\xfea\0,\0b\0\0\0\n\0", TableFault::NotText { offset: 8 })]
#[case::half_a_pair_in_utf_16(b"\xff\xfea\0,\0\x3d\xd8\n\0", TableFault::Undecodable { encoding: TextEncoding::Utf16Le, offset: 6 })]
#[case::old_workbook(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", TableFault::OldWorkbook)]
#[case::workbook(b"PK\x03\x04\x14\0\x06\0", TableFault::Archive)]
#[case::latin_1(b"\na,M\xfcller\n", TableFault::Undecodable { encoding: TextEncoding::Utf8, offset: 4 })]
#[case::columns(b"a,b,c,d,e,f,g\n", TableFault::TooManyColumns { found: 7, limit: 6 })]
#[case::empty_name(b"a, ,c,\n", TableFault::EmptyName { position: 2 })]
#[case::too_large(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n1\n", TableFault::TooLarge { limit: 40 })]
#[case::quote(b"\na,\"b\nc\n", TableFault::UnbalancedQuote { line: 2 })]
fn unusable_heads(#[case] file: &[u8], #[case] expected: TableFault) {
    assert_eq!(head(file), Err(expected));
}

#[test]
fn columns_are_limited() {
    let file = |columns: usize| (0..columns).map(|column| column.to_string()).collect::<Vec<_>>().join(",");
    let rules = TableRules { max_columns: MAX_COLUMNS, max_head_bytes: 1 << 20, ..RULES };
    let read = |columns| TableHead::read(file(columns).as_bytes(), true, &rules);
    assert_eq!(read(MAX_COLUMNS).unwrap().unwrap().header.0.len(), MAX_COLUMNS);
    assert_eq!(
        read(MAX_COLUMNS + 1),
        Err(TableFault::TooManyColumns { found: MAX_COLUMNS + 1, limit: MAX_COLUMNS })
    );
}

#[test]
fn a_declared_delimiter_is_obeyed() {
    let head = TableHead::read(b"a,b;c,d", true, &TableRules { delimiter: Delimiter::Byte(b';'), ..RULES })
        .unwrap()
        .unwrap();
    assert_eq!(head.header.0, ["a,b", "c,d"]);
}

#[test]
fn blank_lines_without_end_are_no_header() {
    assert_eq!(TableHead::read(&[b'\n'; 200], false, &RULES), Err(TableFault::NoHeader));
}

#[test]
fn details_say_what_was_expected_and_where() {
    let details: Vec<_> = read_file(b"a,b\n1\n1,\xff\n")
        .into_iter()
        .map(|(record, _)| match record {
            Record::Bad(bad) => bad.detail,
            Record::Good(_) => String::new(),
        })
        .collect();
    assert_eq!(details, ["line 2: expected 2 fields, found 1", "line 3: not UTF-8 at byte 8 of the file"]);
}

#[test]
fn a_row_without_end_is_not_kept() {
    let header = Header(vec!["a".to_owned()]);
    let start = Position { row: RowNumber(0), offset: 0, line: 1 };
    let mut reader = RecordReader::new(header, COMMAS, MAX_ROW_BYTES, start);
    for _ in 0..1_000 {
        reader.push(&[b'x'; 1_000]);
        assert_eq!(reader.next_record(), None);
        assert!(reader.buffered() <= MAX_ROW_BYTES + 1_000);
    }
    reader.push(b"\nx\n");
    assert!(matches!(reader.next_record(), Some(Record::Bad(bad)) if bad.code == RowFault::RowTooLarge));
    assert!(matches!(reader.next_record(), Some(Record::Good(_))));
    assert_eq!(reader.position(), Position { row: RowNumber(2), offset: 1_000_003, line: 3 });
}

#[rstest]
#[case::stray(b"\"x\",\"\n")]
#[case::never_closed(b"\",x\",\"\n")]
fn a_quote_that_is_missing_in_every_line_does_not_make_the_file_read_for_each(#[case] line: &[u8]) {
    const LINES: usize = 200_000;
    // Reached behind a line break, where the quote of the second file is open.
    const MAX_BYTES: usize = 7 * 150_000 - 1;
    let (header, start) = two_columns();
    let mut reader = RecordReader::new(header, COMMAS, MAX_BYTES, start);
    reader.push(&line.repeat(LINES));
    reader.finish();
    // Takes a second; it would be days.
    for number in 1..=LINES {
        let Some(Record::Bad(bad)) = reader.next_record() else { panic!("row {number}") };
        assert_eq!((bad.row.0, bad.code), (number as u64, RowFault::UnbalancedQuote));
    }
    assert_eq!(reader.next_record(), None);
}

/// Files of bytes that matter.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"x".to_vec()),
        4 => Just(b",".to_vec()),
        3 => Just(b"\n".to_vec()),
        2 => Just(b"\r".to_vec()),
        2 => Just(b"\r\n".to_vec()),
        3 => Just(b"\"".to_vec()),
        1 => Just("é".as_bytes().to_vec()),
        1 => Just(b"\xff".to_vec()),
        1 => Just(b"\xef\xbb\xbf".to_vec()),
        1 => Just(b"xxxxxxxxxxxxxxxxxxxxxxxx".to_vec()),
        // Lines at whose end a quote is open, whether one was at their start or not; the second without a stray one.
        2 => Just(b"\"x\",\"\n".to_vec()),
        2 => Just(b"\",x\",\"\n".to_vec()),
    ];
    proptest::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat())
}

fn two_columns() -> (Header, Position) {
    (Header(vec!["a".to_owned(), "b".to_owned()]), Position { row: RowNumber(0), offset: 0, line: 1 })
}

proptest! {
    #[test]
    fn cuts_between_chunks_change_nothing(file in files(), cuts in proptest::collection::vec(0usize..400, 0..8)) {
        let (header, start) = two_columns();
        let whole = read(&header, COMMAS, start, &[&file]);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(file.len())).chain([0, file.len()]).collect();
        cuts.sort_unstable();
        let chunks: Vec<_> = cuts.windows(2).map(|cut| &file[cut[0]..cut[1]]).collect();
        prop_assert_eq!(&read(&header, COMMAS, start, &chunks), &whole);
        let bytes: Vec<_> = file.chunks(1).collect();
        prop_assert_eq!(&read(&header, COMMAS, start, &bytes), &whole);
    }

    #[test]
    fn reading_starts_again_after_any_record(file in files()) {
        let (header, start) = two_columns();
        let whole = read(&header, COMMAS, start, &[&file]);
        for (index, (_, position)) in whole.iter().enumerate() {
            let again = read(&header, COMMAS, *position, &[rest(&file, *position)]);
            prop_assert_eq!(&again, &whole[index + 1..]);
        }
    }

    #[test]
    fn rows_are_numbered_without_gaps_and_the_file_is_used_up(file in files()) {
        let (header, start) = two_columns();
        let records = read(&header, COMMAS, start, &[&file]);
        for (index, (record, position)) in records.iter().enumerate() {
            let row = match record {
                Record::Good(row) => row.number,
                Record::Bad(bad) => bad.row,
            };
            prop_assert_eq!(row.0, index as u64 + 1);
            prop_assert_eq!(position.row, row);
        }
        let end = records.last().map_or(start, |(_, position)| *position);
        prop_assert!(rest(&file, end).iter().all(|byte| matches!(byte, b'\n' | b'\r')));
    }

    #[test]
    fn heads_of_any_prefix_agree_with_the_whole(file in files()) {
        let whole = TableHead::read(&file, true, &RULES);
        for end in 0..file.len() {
            match TableHead::read(&file[..end], false, &RULES) {
                Ok(None) => {}
                decided => {
                    prop_assert_eq!(&decided, &whole);
                    break;
                }
            }
        }
    }

    #[test]
    fn our_quotes_end_records_where_the_parser_does(file in files()) {
        let begin = file.iter().position(|byte| !matches!(byte, b'\n' | b'\r')).unwrap_or(file.len());
        let file = &file[begin..];
        let (taken, is_record) = fields::Fields::new(b',').feed(file);
        let end = quotes::Quotes::new(b',', 1).end_in(file);
        prop_assert_eq!(end, is_record.then(|| taken - 1));
    }
}
