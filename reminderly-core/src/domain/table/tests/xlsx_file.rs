//! Workbooks for tests, as small as they can be.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A cell of a sheet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell {
    /// Nothing.
    No,
    /// Text in the sheet.
    Text(&'static str),
    /// Text of the table of shared texts: the only one there is.
    Shared,
    /// A number.
    Number(f64),
    /// A number with a date format.
    Date(f64),
}

/// A sheet: its name, whether it is hidden, and its rows by their number.
pub(crate) type Sheet<'s> = (&'s str, bool, Vec<(u32, Vec<Cell>)>);

/// Rows from number 1 on.
pub(crate) fn rows(rows: &[&[Cell]]) -> Vec<(u32, Vec<Cell>)> {
    (1..).zip(rows.iter().map(|row| row.to_vec())).collect()
}

/// A workbook whose shared text is this.
pub(crate) fn workbook(shared: &str, sheets: &[Sheet<'_>]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, text: &str| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    add(
        "_rels/.rels",
        &format!(
            r#"<Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
        ),
    );
    add(
        "xl/styles.xml",
        &format!(
            r#"<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>"#
        ),
    );
    add(
        "xl/sharedStrings.xml",
        &format!(r#"<sst xmlns="{main}" count="1" uniqueCount="1"><si><t>{shared}</t></si></sst>"#),
    );
    let (mut list, mut relations) = (String::new(), String::new());
    for (index, (name, hidden, rows)) in sheets.iter().enumerate() {
        let state = if *hidden { r#" state="hidden""# } else { "" };
        write!(list, r#"<sheet name="{name}" sheetId="{}" r:id="s{index}"{state}/>"#, index + 1).unwrap();
        write!(
            relations,
            r#"<Relationship Id="s{index}" Type="{office}/worksheet" Target="worksheets/sheet{index}.xml"/>"#
        )
        .unwrap();
        let data: String = rows.iter().map(|(number, cells)| row(*number, cells)).collect();
        let sheet = format!(r#"<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>"#);
        add(&format!("xl/worksheets/sheet{index}.xml"), &sheet);
    }
    add(
        "xl/workbook.xml",
        &format!(r#"<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{list}</sheets></workbook>"#),
    );
    add(
        "xl/_rels/workbook.xml.rels",
        &format!(
            r#"<Relationships xmlns="{package}">{relations}<Relationship Id="x" Type="{office}/styles" Target="styles.xml"/><Relationship Id="y" Type="{office}/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#
        ),
    );
    zip.finish().unwrap().into_inner()
}

fn row(number: u32, cells: &[Cell]) -> String {
    let mut xml = format!(r#"<row r="{number}">"#);
    for (column, cell) in cells.iter().enumerate() {
        let place = format!("{}{number}", char::from(b'A' + u8::try_from(column).unwrap()));
        match cell {
            Cell::No => Ok(()),
            Cell::Text(text) => {
                write!(xml, r#"<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>"#)
            }
            Cell::Shared => write!(xml, r#"<c r="{place}" t="s"><v>0</v></c>"#),
            Cell::Number(number) => write!(xml, r#"<c r="{place}"><v>{number:e}</v></c>"#),
            Cell::Date(days) => write!(xml, r#"<c r="{place}" s="1"><v>{days}</v></c>"#),
        }
        .unwrap();
    }
    xml + "</row>"
}
