//! The report of a check, for people: counts, row numbers and characters; no name, number or text of anybody.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Table};
use reminderly_core::domain::check::{FaultUse, SampleReport, TextUse};
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::domain::segments::SmsEncoding;
use reminderly_core::services::CheckReport;

use crate::prices::{Prices, units};
use crate::scenario::Scenario;

/// How many rows are named after each fault and character.
const ROWS_SHOWN: usize = 10;

/// The report of a check.
pub(crate) fn of(scenario: &Scenario, report: &CheckReport, prices: &Prices) -> String {
    let rows = report.counts.rows;
    let file = scenario.data.first().map_or("the data", |file| file.name.as_str());
    let mut text = format!(
        "{} with {file}, planned at {}: {} rows read, {} usable\n\n",
        scenario.campaign.name,
        scenario.start.format("%F %T UTC"),
        rows.read,
        rows.loaded.saturating_sub(rows.failed)
    );
    let parts = [
        faults(&report.sample),
        fields(&report.sample),
        texts(&report.sample),
        volume(report, prices),
        findings(report),
    ];
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        text.push_str(&part);
        text.push_str("\n\n");
    }
    text.push_str(if report.is_usable() { "Usable.\n" } else { "Not usable: see the errors.\n" });
    text
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header(header);
    table
}

fn number(number: impl std::fmt::Display) -> Cell {
    Cell::new(number).set_alignment(CellAlignment::Right)
}

fn faults(sample: &SampleReport) -> String {
    if sample.faults.is_empty() {
        return String::new();
    }
    let mut table = table(["Rejected rows", "column", "rows", "which"]);
    for FaultUse { code, column, rows, first_rows, .. } in &sample.faults {
        let column = column.as_deref().unwrap_or("");
        let which = which(first_rows, *rows);
        table.add_row([Cell::new(code.as_str()), Cell::new(column), number(rows), Cell::new(which)]);
    }
    let first = sample.faults.iter().map(|fault| format!("{}: {}", fault.code.as_str(), fault.example));
    format!("{table}\n{}", first.collect::<Vec<_>>().join("\n"))
}

fn fields(sample: &SampleReport) -> String {
    let mut table = table(["Field", "made from", "empty", "share"]);
    for field in &sample.fields {
        let share = format!("{:.1} %", field.empty_share() * 100.0);
        let columns = field.columns.join(" + ");
        table.add_row([Cell::new(&field.field), Cell::new(columns), number(field.empty), number(share)]);
    }
    let unused = match sample.unused_columns.as_slice() {
        [] => "Every column of the file is used.".to_owned(),
        columns => format!("Columns that the campaign does not read: {}", columns.join(", ")),
    };
    format!("{table}\n{unused}")
}

fn texts(sample: &SampleReport) -> String {
    let mut text = String::new();
    if let Some(sms) = sample.texts.get(&ContactMethod::Sms) {
        text.push_str(&segments(sms));
    }
    text
}

fn segments(sms: &TextUse) -> String {
    let mut text = String::new();
    let parts: Vec<String> = sms.segments.iter().map(|(count, rows)| format!("{rows} of {count}")).collect();
    // Writing to a string does not fail.
    write!(text, "Text messages by segments: {}", parts.join(", ")).ok();
    if let Some((size, row)) = &sms.worst {
        let coded = match size.encoding {
            SmsEncoding::Gsm7 => "GSM-7",
            SmsEncoding::Ucs2 => "UCS-2",
        };
        write!(text, "\nLongest: {} segments, {} units of {coded}, row {row}", size.count, size.units).ok();
    }
    if let Some((size, row)) = &sms.worst_of_two {
        write!(text, "\nLongest for a household of two: {} segments, row {row}", size.count).ok();
    }
    for (character, found) in &sms.non_gsm {
        let which = which(&found.first_rows, found.rows);
        let code = u32::from(*character);
        write!(text, "\nNot in the GSM alphabet: {character} U+{code:04X} in {} rows: {which}", found.rows)
            .ok();
    }
    text
}

fn volume(report: &CheckReport, prices: &Prices) -> String {
    let mut table = table(["What would go", "messages", "charged units", "at", "estimate"]);
    let mut total = 0.0;
    for (method, volume) in &report.volume {
        let cost = prices.cost(*method, *volume);
        total += cost;
        table.add_row([
            Cell::new(method),
            number(volume.messages),
            number(units(*method, *volume)),
            number(prices.of(*method)),
            number(format!("{cost:.2}")),
        ]);
    }
    for (reason, messages) in &report.counts.skipped_at_planning {
        table.add_row([Cell::new(format!("skipped: {reason}")), number(messages)]);
    }
    format!(
        "{table}\nEstimated cost: {total:.2} (prices are assumptions; give yours with --price METHOD=AMOUNT)"
    )
}

fn findings(report: &CheckReport) -> String {
    report.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The first rows, and how many more there are.
fn which(first: &[RowNumber], rows: u64) -> String {
    let shown: Vec<String> = first.iter().take(ROWS_SHOWN).map(ToString::to_string).collect();
    let more = rows.saturating_sub(u64::try_from(shown.len()).unwrap_or(u64::MAX));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
