//! Cells of worksheets as text.

use calamine::{DataRef, ExcelDateTime};
use chrono::{DurationRound as _, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// The cell as text; no more than `limit` bytes of it, because one text may stand in many cells.
pub(super) fn cell_text(cell: &DataRef<'_>, limit: usize) -> String {
    match cell {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::SharedString(text) => cut(text, limit),
        DataRef::Bool(true) => "TRUE".to_owned(),
        DataRef::Bool(false) => "FALSE".to_owned(),
        DataRef::DateTime(value) => date_text(value),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => cut(text, limit),
        DataRef::Error(error) => error.to_string(),
    }
}

fn cut(text: &str, limit: usize) -> String {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text).to_owned()
}

/// Spreadsheets keep 15 digits
/// ([Excel's limits](https://support.microsoft.com/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3));
/// what a file has beyond them is the remainder of binary fractions.
fn number_text(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    // Without the sign of nothing.
    format!("{}", rounded + 0.0)
}

fn date_text(value: &ExcelDateTime) -> String {
    let days = value.as_f64();
    if value.is_duration() {
        return duration_text(days).unwrap_or_else(|| number_text(days));
    }
    let Some(local) = local(value) else { return number_text(days) };
    if (0.0..1.0).contains(&days) {
        return local.format("%H:%M:%S").to_string();
    }
    let form = if local.time() == NaiveTime::MIN { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S" };
    local.format(form).to_string()
}

/// To the second: the fractions of spreadsheets do not hit milliseconds.
fn local(value: &ExcelDateTime) -> Option<NaiveDateTime> {
    let (year, month, day, hour, minute, second, milli) = value.to_ymd_hms_milli();
    let date = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into())?;
    let time = NaiveTime::from_hms_milli_opt(hour.into(), minute.into(), second.into(), milli.into())?;
    date.and_time(time).duration_round(TimeDelta::seconds(1)).ok()
}

fn duration_text(days: f64) -> Option<String> {
    let seconds = (days * 86_400.0).round();
    if !(0.0..1e12).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10^12")]
    let seconds = seconds as u64;
    Some(format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60))
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, ExcelDateTimeType};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(5_205_550_100.0, "5205550100")]
    #[case(15_205_550_100.0, "15205550100")]
    #[case(1e15, "1000000000000000")]
    #[case(1.5e300, &format!("15{}", "0".repeat(299)))]
    #[case(0.1 + 0.2, "0.3")]
    #[case(1_234.5, "1234.5")]
    #[case(-0.0, "0")]
    #[case(-12.0, "-12")]
    #[case(1e-7, "0.0000001")]
    fn numbers_have_no_exponent(#[case] number: f64, #[case] text: &str) {
        assert_eq!(cell_text(&DataRef::Float(number), 999), text);
    }

    #[rstest]
    #[case(46_090.0, ExcelDateTimeType::DateTime, "2026-03-09")]
    #[case(46_090.604_166_666_7, ExcelDateTimeType::DateTime, "2026-03-09T14:30:00")]
    #[case(46_090.999_999_9, ExcelDateTimeType::DateTime, "2026-03-10")]
    #[case(0.604_166_666_7, ExcelDateTimeType::DateTime, "14:30:00")]
    #[case(0.0, ExcelDateTimeType::DateTime, "00:00:00")]
    #[case(1.104_166_666_7, ExcelDateTimeType::TimeDelta, "26:30:00")]
    #[case(-1.0, ExcelDateTimeType::TimeDelta, "-1")]
    fn dates_are_iso(#[case] days: f64, #[case] kind: ExcelDateTimeType, #[case] text: &str) {
        let value = ExcelDateTime::new(days, kind, false);
        assert_eq!(cell_text(&DataRef::DateTime(value), 999), text);
    }

    #[test]
    fn other_cells_are_what_the_sheet_shows() {
        assert_eq!(cell_text(&DataRef::Bool(true), 9), "TRUE");
        assert_eq!(cell_text(&DataRef::Error(CellErrorType::NA), 9), "#N/A");
        assert_eq!(cell_text(&DataRef::SharedString("né né"), 5), "né n");
        let epoch_1904 = ExcelDateTime::new(44_628.0, ExcelDateTimeType::DateTime, true);
        assert_eq!(cell_text(&DataRef::DateTime(epoch_1904), 9), "2026-03-09");
    }
}
