//! Worksheets as tables.

use std::io::{Cursor, Write as _};

use rstest::rstest;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::xlsx_file::Cell::{Date, No, Number, Shared, Text};
use super::xlsx_file::{Cell, rows, workbook};
use super::*;
use crate::domain::table::workbook::{Workbook, WorkbookRules};

const WORKBOOK: WorkbookRules =
    WorkbookRules { max_unpacked_bytes: 1 << 20, max_columns: 5, max_row_bytes: MAX_ROW_BYTES };

fn open(file: Vec<u8>) -> Result<(Workbook, Header, Position), TableFault> {
    let mut workbook = Workbook::open(file, None, WORKBOOK)?;
    let (header, start) = workbook.head()?;
    Ok((workbook, header, start))
}

fn records_from(workbook: &mut Workbook, header: &Header, start: Position) -> Result<Records, TableFault> {
    let mut rows = workbook.rows(header, start)?;
    std::iter::from_fn(|| rows.next_record().transpose()).collect()
}

fn described(file: Vec<u8>) -> Result<Vec<String>, TableFault> {
    let (mut workbook, header, start) = open(file)?;
    Ok(records_from(&mut workbook, &header, start)?.iter().map(describe).collect())
}

fn one_sheet(cells: &[&[Cell]]) -> Vec<u8> {
    workbook("shared", &[("Data", false, rows(cells))])
}

#[test]
fn cells_become_text_by_their_kind() {
    let file = one_sheet(&[
        &[Text(" name "), Text("cell"), Text("at")],
        &[Shared, Number(5_205_550_100.0), Date(46_090.395_833_333)],
        &[Text("1.555E+10"), Number(0.3), Date(46_090.0)],
        &[Text(" é\n"), No, Number(46_090.0)],
    ]);
    let (_, header, start) = open(file.clone()).unwrap();
    assert_eq!(header.0, ["name", "cell", "at"]);
    assert_eq!(start, Position { row: RowNumber(0), offset: 0, line: 2 });
    let expected =
        ["1@2:shared|5205550100|2026-03-09T09:30:00", "2@3:1.555E+10|0.3|2026-03-09", "3@4: é\n||46090"];
    assert_eq!(described(file).unwrap(), expected);
}

/// A file of another hand: made with `XlsxWriter` 3 and several number formats, formulas and rich text.
#[test]
fn a_workbook_as_people_have_it() {
    let file = include_bytes!("appointments.xlsx").to_vec();
    let rules = WorkbookRules { max_columns: 8, max_row_bytes: 200, ..WORKBOOK };
    let mut workbook = Workbook::open(file, None, rules).unwrap();
    let (header, start) = workbook.head().unwrap();
    assert_eq!(header.0, ["Key", "Name", "Cell", "Date", "Time", "At", "Due", "Back"]);
    let found: Vec<_> = records_from(&mut workbook, &header, start).unwrap().iter().map(describe).collect();
    let expected = [
        "1@2:1001|Zoë|5205550100|2026-03-09|09:30:00|2026-03-09T09:30:00|1234.5|Key!",
        "2@3:A-2|Ann, “the” one|+1 520 555 0101|2026-12-31|00:00:00|2026-12-31|0.1|Key!",
        "3@5:TRUE|Rich text|5205550102|46090||||",
    ];
    assert_eq!(found, expected);
}

#[test]
fn blank_rows_have_no_number_and_lines_are_those_of_the_sheet() {
    let sheet = vec![
        (2, vec![Text(" "), No]),
        (3, vec![Text("a"), Text("b")]),
        (5, vec![Text("1"), Text("2")]),
        (6, vec![Text(""), Text(" ")]),
        (9, vec![No, Text("4")]),
        (1_048_576, vec![Text("5")]),
    ];
    let found = described(workbook("", &[("Data", false, sheet)])).unwrap();
    assert_eq!(found, ["1@5:1|2", "2@9:|4", "3@1048576:5|"]);
}

#[test]
fn bad_rows_are_rejected_and_their_neighbours_stay() {
    let long: &'static str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    let file = one_sheet(&[
        &[Text("a"), Text("b")],
        &[Text("1"), Text("2"), Text("3")],
        &[Text("1"), Text(long), Text("3")],
        &[Text("1"), Text("2"), Text("")],
    ]);
    assert_eq!(described(file).unwrap(), ["1::field_count@2", "2::row_too_large@3", "3@4:1|2"]);
}

#[test]
fn a_text_that_stands_in_every_cell_does_not_fill_the_memory() {
    let cells = [Shared; 26];
    let sheet = rows(&[&[Text("a")], &cells, &[Text("1")]]);
    let found = described(workbook(&"x".repeat(100_000), &[("Data", false, sheet)])).unwrap();
    assert_eq!(found, ["1::row_too_large@2", "2@3:1"]);
}

#[test]
fn reading_starts_again_after_any_row() {
    let file =
        workbook("", &[("Data", false, (1..30).map(|number| (number * 3, vec![Text("x")])).collect())]);
    let (mut workbook, header, start) = open(file).unwrap();
    let whole = records_from(&mut workbook, &header, start).unwrap();
    assert_eq!(whole.len(), 28);
    for (index, (_, position)) in whole.iter().enumerate() {
        let again = records_from(&mut workbook, &header, *position).unwrap();
        assert_eq!(again, whole[index + 1..]);
    }
}

#[test]
fn the_sheet_is_the_named_one_or_the_first_visible() {
    let sheet = |name, hidden, cell| (name, hidden, rows(&[&[Text(cell)]]));
    let file =
        workbook("", &[sheet("Lists", true, "x"), sheet("March", false, "y"), sheet("April", false, "z")]);
    let header = |name| {
        let mut workbook = Workbook::open(file.clone(), name, WORKBOOK)?;
        workbook.head().map(|(header, _)| header.0.join(""))
    };
    assert_eq!(header(None), Ok("y".to_owned()));
    assert_eq!(header(Some("April")), Ok("z".to_owned()));
    assert_eq!(header(Some("Lists")), Ok("x".to_owned()));
    assert_eq!(header(Some("May")), Err(TableFault::NoSheet));
}

#[rstest]
#[case::no_rows(&[], TableFault::NoHeader)]
#[case::blank(&[Text(" ")], TableFault::NoHeader)]
#[case::unnamed(&[Text("a"), No, Text("c")], TableFault::EmptyName { position: 2 })]
#[case::columns(&[Text("a"); 6], TableFault::TooManyColumns { found: 6, limit: 5 })]
#[case::far_column(&[Text("a"), No, No, No, No, No, No, No, Text("b")], TableFault::TooManyColumns { found: 9, limit: 5 })]
#[case::large(&[Text("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")], TableFault::TooLarge { limit: 40 })]
fn unusable_sheets(#[case] cells: &[Cell], #[case] expected: TableFault) {
    assert_eq!(open(one_sheet(&[cells])).map(|(_, header, _)| header), Err(expected));
}

fn archive(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(name, SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn archives_that_are_no_workbooks_are_refused_before_they_are_read() {
    let broken = TableFault::BrokenWorkbook { line: 0 };
    let refused = |file: Vec<u8>| Workbook::open(file, None, WORKBOOK).map(|_| ()).unwrap_err();
    assert_eq!(refused(archive("readme.txt", b"hello")), broken);
    assert_eq!(refused(b"PK\x03\x04".to_vec()), broken);
    assert_eq!(
        refused(archive("xl/worksheets/sheet1.xml", &vec![0; 900_000])),
        TableFault::Bomb { ratio: 100 }
    );
    let noise: Vec<u8> =
        (0..275_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).rotate_left(7).to_le_bytes()).collect();
    assert_eq!(refused(archive("noise", &noise)), TableFault::WorkbookTooLarge { limit: 1 << 20 });
}

#[test]
fn a_workbook_that_is_cut_or_damaged_anywhere_is_refused_or_read() {
    let file = one_sheet(&[&[Text("a"), Text("b")], &[Shared, Number(1.0)], &[Text("x"), Date(46_090.0)]]);
    for end in (0..file.len()).step_by(5) {
        assert!(described(file[..end].to_vec()).is_err(), "cut at {end}");
        for change in [0x01, 0x80] {
            let mut damaged = file.clone();
            damaged[end] ^= change;
            // Whatever it says, it says it.
            drop(described(damaged));
        }
    }
}
