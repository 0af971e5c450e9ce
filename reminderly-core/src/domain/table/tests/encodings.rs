//! Files in other encodings than UTF-8, and files that lie about theirs.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// A text as a file in an encoding.
pub(crate) fn encoded(text: &str, encoding: TextEncoding) -> Vec<u8> {
    match encoding {
        TextEncoding::Utf8 => text.as_bytes().to_vec(),
        TextEncoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        TextEncoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        TextEncoding::Windows1252 => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
    }
}

fn declared(encoding: Encoding) -> TableRules {
    TableRules { encoding, ..RULES }
}

fn read_as(file: &[u8], encoding: Encoding) -> Result<Vec<String>, TableFault> {
    let head = TableHead::read(file, true, &declared(encoding))?.unwrap();
    let mut evidence = TextEvidence::default();
    evidence.take(file);
    evidence.finish();
    evidence.check(&head, encoding)?;
    let records = read(&head.header, head.form, head.start, &[rest(file, head.start)]);
    Ok(records.iter().map(describe).collect())
}

const ROWS: [&str; 2] = ["1@2:José|€ 1", "2@3:Zoë|“2”"];
const TEXT: &str = "a,b\r\nJosé,€ 1\r\nZoë,“2”\r\n";

#[rstest]
#[case::utf_8(TextEncoding::Utf8, &[Encoding::Auto, Encoding::Utf8])]
#[case::utf_16_le(TextEncoding::Utf16Le, &[Encoding::Auto, Encoding::Utf16, Encoding::Utf16Le])]
#[case::utf_16_be(TextEncoding::Utf16Be, &[Encoding::Auto, Encoding::Utf16, Encoding::Utf16Be])]
#[case::windows_1252(TextEncoding::Windows1252, &[Encoding::Windows1252])]
fn a_file_is_read_as_what_it_is_and_refused_as_anything_else(
    #[case] encoding: TextEncoding,
    #[case] fitting: &[Encoding],
) {
    let plain = encoded(TEXT, encoding);
    let marked = encoded(&format!("\u{feff}{TEXT}"), encoding);
    for declared in Encoding::ALL {
        let expected =
            if fitting.contains(&declared) { Some(ROWS.map(str::to_owned).to_vec()) } else { None };
        let found = read_as(&plain, declared);
        if declared == Encoding::Utf8 && encoding == TextEncoding::Windows1252 {
            // Who says that it is UTF-8 is told of every row that is not.
            assert_eq!(found.unwrap(), ["1:a:invalid_utf8@2", "2:a:invalid_utf8@3"]);
            continue;
        }
        assert_eq!(found.as_ref().ok(), expected.as_ref(), "{encoding} as {declared}: {found:?}");
        if encoding != TextEncoding::Windows1252 {
            let found = read_as(&marked, declared);
            assert_eq!(
                found.as_ref().ok(),
                expected.as_ref(),
                "{encoding} with mark as {declared}: {found:?}"
            );
        }
    }
}

#[rstest]
#[case::nothing_declared(b"a,b\nM\xfcller,1\n", Encoding::Auto, TableFault::UnknownEncoding { offset: 5 })]
#[case::shift_jis(b"a,b\n\x8e\x52\x93\x63,1\n", Encoding::Auto, TableFault::UnknownEncoding { offset: 4 })]
#[case::utf_8_as_windows(
    "a,b\nx,1\nMüller,1\n".as_bytes(),
    Encoding::Windows1252,
    TableFault::NotAsDeclared { declared: Encoding::Windows1252, found: Some(TextEncoding::Utf8), offset: 9 }
)]
#[case::marked_utf_8_as_windows(
    b"\xef\xbb\xbfa,b\n",
    Encoding::Windows1252,
    TableFault::NotAsDeclared { declared: Encoding::Windows1252, found: Some(TextEncoding::Utf8), offset: 0 }
)]
#[case::utf_16_as_utf_8(
    b"a\0,\0b\0\n\0",
    Encoding::Utf8,
    TableFault::NotAsDeclared { declared: Encoding::Utf8, found: Some(TextEncoding::Utf16Le), offset: 1 }
)]
#[case::other_order(
    b"\0a\0,\0b\0\n",
    Encoding::Utf16Le,
    TableFault::NotAsDeclared { declared: Encoding::Utf16Le, found: Some(TextEncoding::Utf16Be), offset: 0 }
)]
#[case::utf_8_as_utf_16(
    b"a,b\n1,2\n",
    Encoding::Utf16,
    TableFault::NotAsDeclared { declared: Encoding::Utf16, found: None, offset: 0 }
)]
#[case::open_byte_in_header(
    b"a,\x81b\n",
    Encoding::Windows1252,
    TableFault::Undecodable { encoding: TextEncoding::Windows1252, offset: 2 }
)]
fn what_is_refused_is_told_with_its_byte(
    #[case] file: &[u8],
    #[case] encoding: Encoding,
    #[case] expected: TableFault,
) {
    assert!(expected.to_string().contains("byte"), "{expected}");
    assert_eq!(read_as(file, encoding), Err(expected));
}

#[test]
fn a_fault_costs_its_row_only() {
    let windows = b"a,b\nM\xfcller,1\nB\x81,2\nC,\x9d3\n";
    let expected = ["1@2:Müller|1", "2:a:invalid_utf8@3", "3:b:invalid_utf8@4"];
    assert_eq!(read_as(windows, Encoding::Windows1252).unwrap(), expected);

    let mut utf_16 = encoded("a,b\nAnn,1\nB#,2\nCid,3\n", TextEncoding::Utf16Le);
    let half = utf_16.iter().position(|byte| *byte == b'#').unwrap();
    utf_16[half..half + 2].copy_from_slice(&[0x3d, 0xd8]);
    utf_16.extend_from_slice(b"D\0,");
    let expected = ["1@2:Ann|1", "2:a:invalid_utf8@3", "3@4:Cid|3", "4::field_count@5"];
    assert_eq!(read_as(&utf_16, Encoding::Auto).unwrap(), expected);

    let mixed = "a,b\nJosé,1\nM\u{1},2\nAnn,3\n".replace('\u{1}', "#").into_bytes();
    let mixed: Vec<u8> = mixed.into_iter().map(|byte| if byte == b'#' { 0xfc } else { byte }).collect();
    let expected = ["1@2:José|1", "2:a:invalid_utf8@3", "3@4:Ann|3"];
    assert_eq!(read_as(&mixed, Encoding::Auto).unwrap(), expected, "one broken character is not an encoding");
}

#[test]
fn the_place_of_a_fault_is_a_byte_of_the_file() {
    let mut file = encoded("\u{feff}a,b\nJosé 😀,1\n", TextEncoding::Utf16Be);
    let place = file.len() + 2;
    file.extend_from_slice(&encoded("x", TextEncoding::Utf16Be));
    file.extend_from_slice(&[0xde, 0x00]);
    file.extend_from_slice(&encoded(",1\n", TextEncoding::Utf16Be));
    let head = head(&file).unwrap();
    let records = read(&head.header, head.form, head.start, &[rest(&file, head.start)]);
    let (Record::Bad(bad), _) = &records[1] else { panic!("{records:?}") };
    assert_eq!(bad.detail, format!("line 3: not UTF-16BE at byte {place} of the file"));
}

#[test]
fn a_header_without_ascii_still_shows_utf_16() {
    for (encoding, declared) in
        [(TextEncoding::Utf16Le, Encoding::Auto), (TextEncoding::Utf16Be, Encoding::Utf16)]
    {
        let file = encoded("名前;電話\r\n山田;1\r\n", encoding);
        assert_eq!(read_as(&file, declared).unwrap(), ["1@2:山田|1"]);
    }
}

/// Texts of characters that matter, that Windows-1252 has.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("x"), 4 => Just(","), 3 => Just("\n"), 2 => Just("\r"), 2 => Just("\r\n"), 3 => Just("\""), 2 => Just("é"), 1 => Just("€"),
        1 => Just("xxxxxxxxxxxxxxxxxxxxxxxx"),
    ];
    proptest::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_encoding_gives_the_same_records_wherever_it_is_cut_and_resumed(text in texts(), cuts in proptest::collection::vec(0usize..400, 0..6)) {
        let (header, start) = two_columns();
        let described = |records: &Records| records.iter().map(describe).collect::<Vec<_>>();
        let expected = described(&read(&header, COMMAS, start, &[text.as_bytes()]));
        for encoding in TextEncoding::ALL {
            let form = TextForm { encoding, delimiter: b',' };
            let file = encoded(&text, encoding);
            let whole = read(&header, form, start, &[&file]);
            prop_assert_eq!(&described(&whole), &expected);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| (*cut).min(file.len())).chain([0, file.len()]).collect();
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|cut| &file[cut[0]..cut[1]]).collect();
            prop_assert_eq!(&read(&header, form, start, &chunks), &whole);
            for (index, (_, position)) in whole.iter().enumerate() {
                let again = read(&header, form, *position, &[rest(&file, *position)]);
                prop_assert_eq!(&again, &whole[index + 1..]);
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused_and_places_lie_in_the_file(bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(b'\n'), Just(b','), Just(0xd8), Just(0xff), Just(b'a'), any::<u8>()], 0..60)) {
        for encoding in Encoding::ALL {
            if let Ok(Some(head)) = TableHead::read(&bytes, true, &declared(encoding)) {
                prop_assert!(head.start.offset <= bytes.len() as u64);
                let records = read(&head.header, head.form, head.start, &[rest(&bytes, head.start)]);
                for (_, position) in records {
                    prop_assert!(position.offset <= bytes.len() as u64);
                }
            }
        }
    }
}
