//! The key of a row: what names its appointment, also where the row cannot be mapped.

use rstest::rstest;

use super::{COLUMNS, compiled, document, header, map, with};
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::row::{Row, RowNumber};

#[rstest]
#[case::good("A-1", Some("A-1"))]
#[case::padded("  A-1 ", Some("A-1"))]
#[case::like_a_number("12E5", Some("12E5"))]
#[case::shortened("2.02603E+11", None)]
#[case::shortened_and_padded(" 2.02603E+11 ", None)]
#[case::blank("  ", None)]
#[case::too_long(&"x".repeat(201), None)]
fn a_row_that_is_not_mapped_has_the_key_that_it_would_have(#[case] id: &str, #[case] expected: Option<&str>) {
    let campaign = compiled(&document());
    let mapped = map(&campaign, &with("Id", id)).ok();
    assert_eq!(mapped.as_ref().map(|row| row.key.as_str()), expected);

    let undated = COLUMNS.iter().zip(with("Id", id));
    let undated: Vec<&str> =
        undated.map(|(column, value)| if *column == "Date" { "soon" } else { value }).collect();
    assert!(map(&campaign, &undated).is_err());
    let row = Row::new(RowNumber(7), 9, undated.iter().copied());
    let key = campaign.mapper(&header()).unwrap().key(&row);
    assert_eq!(key.as_ref().map(AppointmentKey::as_str), expected);
}
