//! The report for people: counts only, no name, number or text of anybody.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Table};
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::local_time::reading;
use reminderly_core::domain::message_status::MessageStatus as Status;
use reminderly_core::domain::report::{LedgerLine, LedgerStage, PacketCounts};

use crate::outcome::Outcome;
use crate::results::Totals;
use crate::scenario::{Mode, Scenario};

/// Statuses of which the report speaks, with what they are called there. The others are zero once nothing is open.
const STATUSES: [(Status, &str); 10] = [
    (Status::Planned, "planned"),
    (Status::Queued, "queued"),
    (Status::Sending, "being sent"),
    (Status::Delivered, "delivered"),
    (Status::Undelivered, "undelivered"),
    (Status::Sent, "sent, no report came"),
    (Status::Unknown, "unknown"),
    (Status::Failed, "failed"),
    (Status::Expired, "expired"),
    (Status::Cancelled, "cancelled"),
];

/// The report of a run.
pub(crate) fn of(scenario: &Scenario, campaign: &Campaign, outcome: &Outcome, totals: Totals) -> String {
    let zone = campaign.definition.time_zone;
    let local = |at: DateTime<Utc>| reading(at, zone).format("%a %b %-d %Y, %H:%M");
    let heading = format!(
        "{}: {} – {} ({zone}), seed {}",
        campaign.definition.name,
        local(scenario.start),
        local(outcome.end),
        scenario.seed
    );
    let parts = [heading, counters(scenario.mode, outcome, totals), ledger(outcome), verdict(outcome)];
    parts.join("\n\n")
}

/// What became of rows and messages, and what people answered.
fn counters(mode: Mode, outcome: &Outcome, totals: Totals) -> String {
    let Outcome { from_files, follow_ups, incoming, .. } = outcome;
    let mut table = Counters::new();
    table.section("Rows in", from_files.rows.read);
    table.lines(&from_files.faults, |code| format!("rejected: {code}"));
    table.section("Messages to people in the files", total(from_files));
    statuses(&mut table, from_files);
    if mode == Mode::Run {
        table.section("Follow-ups to what people wrote", total(follow_ups));
        statuses(&mut table, follow_ups);
        table.section("Replies", incoming.total());
        let kinds = [
            ("confirm", incoming.confirm),
            ("cancel", incoming.cancel),
            ("reschedule", incoming.reschedule),
            ("opt-out", incoming.opt_out),
            ("opt-in", incoming.opt_in),
            ("help", incoming.help),
            ("answer to the campaign", incoming.answer),
            ("unclear", incoming.unclear),
            ("for a human to look at", incoming.needs_review),
        ];
        for (kind, count) in kinds {
            table.line(kind, count);
        }
        answers(&mut table, from_files);
    }
    later_files(&mut table, outcome, totals);
    let is_run = mode == Mode::Run;
    table.section(if is_run { "SMS segments sent" } else { "SMS segments planned" }, totals.segments);
    if totals.calls > 0 {
        table.section("Calls made", totals.calls);
    }
    table.table.to_string()
}

/// What people said about their appointments, and what else the campaign asked them.
fn answers(table: &mut Counters, from_files: &PacketCounts) {
    let (appointments, others): (Vec<_>, Vec<_>) =
        from_files.responses.iter().partition(|(kind, _)| kind.is_about_appointment());
    for (name, kinds) in [("Appointments answered", appointments), ("Answers to the campaign", others)] {
        let total: u64 = kinds.iter().map(|(_, count)| **count).sum();
        if total > 0 {
            table.section(name, total);
            table.lines(kinds, ToString::to_string);
        }
    }
}

/// What later files changed. What they superseded stands among the messages that were skipped.
fn later_files(table: &mut Counters, outcome: &Outcome, totals: Totals) {
    let vanished = outcome.packets.iter().map(|packet| packet.report.vanished);
    let (appointments, cancelled) = vanished.fold((0, 0), |(appointments, cancelled), packet| {
        (appointments + packet.appointments, cancelled + packet.cancelled)
    });
    if totals.corrections > 0 {
        table.section("People told of another time", totals.corrections);
    }
    if appointments > 0 {
        table.section("Appointments that later files dropped", appointments);
        table.line("their messages cancelled", cancelled);
    }
}

fn statuses(table: &mut Counters, counts: &PacketCounts) {
    for (status, name) in STATUSES {
        table.line(name, counts.in_status(status));
    }
    table.lines(&counts.skipped, |reason| format!("skipped: {reason}"));
}

/// The ledger: at every stage, in = advanced + skipped + failed + open.
fn ledger(outcome: &Outcome) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header(["Ledger", "in", "= advanced", "+ skipped", "+ failed", "+ open", ""]);
    let stages = outcome.from_files.ledger().lines.into_iter().map(|line| (name_of(line.stage), line));
    let follow_ups = outcome.follow_ups.ledger().lines.into_iter().filter_map(|line| match line.stage {
        LedgerStage::Plan if line.entered > 0 => Some(("follow-ups → planned", line)),
        LedgerStage::Send if line.entered > 0 => Some(("follow-ups → sent", line)),
        _ => None,
    });
    for (name, line) in stages.chain(follow_ups) {
        let LedgerLine { entered, advanced, skipped, failed, open, .. } = line;
        let closes = if line.closes() { "closes" } else { "DOES NOT CLOSE" };
        let numbers = [entered, advanced, skipped, failed, open];
        let numbers = numbers.map(number_cell);
        table.add_row([Cell::new(name)].into_iter().chain(numbers).chain([Cell::new(closes)]));
    }
    table.to_string()
}

const fn name_of(stage: LedgerStage) -> &'static str {
    match stage {
        LedgerStage::Load => "rows in files → rows loaded",
        LedgerStage::Map => "rows loaded → rows with a message",
        LedgerStage::Plan => "messages → planned",
        LedgerStage::Send => "planned → sent",
    }
}

/// Whether everything is accounted for, and if not, what is missing.
fn verdict(outcome: &Outcome) -> String {
    let mut lines = Vec::new();
    for packet in &outcome.packets {
        if let (Some(file), Some(kept)) = (&packet.file, packet.report.vanished.kept) {
            lines.push(format!("Nothing is cancelled because {file} does not name it: {kept}."));
        }
    }
    let notes = lines.len();
    for packet in &outcome.packets {
        for discrepancy in &packet.unaccounted {
            let of = packet.file.as_deref().unwrap_or("follow-ups");
            lines.push(format!("Not accounted for, in {of}: {discrepancy:?}"));
        }
    }
    if lines.len() == notes {
        lines.push("Reconciled: nothing is unaccounted for.".to_owned());
    }
    lines.join("\n")
}

fn total(counts: &PacketCounts) -> u64 {
    counts.messages.values().sum()
}

/// A table of counters in sections; counters that are zero are left out.
struct Counters {
    table: Table,
}

impl Counters {
    fn new() -> Self {
        let mut table = Table::new();
        table.load_style(UTF8_BORDERS_ONLY);
        Self { table }
    }

    fn section(&mut self, name: &str, count: u64) {
        self.table.add_row([Cell::new(name), number_cell(count)]);
    }

    fn line(&mut self, name: &str, count: u64) {
        if count > 0 {
            self.table.add_row([Cell::new(format!("    {name}")), number_cell(count)]);
        }
    }

    fn lines<'a, K: 'a>(
        &mut self,
        counts: impl IntoIterator<Item = (&'a K, &'a u64)>,
        name: impl Fn(&K) -> String,
    ) {
        for (key, count) in counts {
            self.line(&name(key), *count);
        }
    }
}

fn number_cell(number: impl Display) -> Cell {
    Cell::new(number).set_alignment(CellAlignment::Right)
}
