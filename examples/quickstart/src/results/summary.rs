//! `summary.json`: all counters and the ledger.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::domain::report::{IncomingCounts, Ledger, PacketCounts};
use reminderly_core::domain::vanished::VanishedAppointments;
use reminderly_core::ids::PacketId;
use reminderly_core::services::Discrepancy;
use serde::Serialize;

use super::json_file::JsonFile;
use super::{Totals, View};
use crate::failure::Failure;
use crate::outcome::{Outcome, PacketOutcome};

#[derive(Serialize)]
struct Summary<'a> {
    command: &'static str,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    seed: u64,
    /// The sum over all packets, follow-ups included.
    counts: PacketCounts,
    ledger: Ledger,
    /// Whether the ledger closes and every row and message is accounted for.
    closes: bool,
    sms_segments: u64,
    calls: u64,
    corrections: u64,
    incoming: IncomingCounts,
    provider: ProviderSummary,
    files: Vec<FileSummary<'a>>,
    packets: Vec<PacketSummary<'a>>,
}

/// What the provider says that it got.
#[derive(Serialize)]
struct ProviderSummary {
    requests: u64,
    accepted: u64,
}

#[derive(Serialize)]
struct FileSummary<'a> {
    name: &'a str,
    packet: Option<PacketId>,
    fault: Option<&'a str>,
}

#[derive(Serialize)]
struct PacketSummary<'a> {
    packet: PacketId,
    /// `null` of follow-ups.
    file: Option<&'a str>,
    stage: PacketStage,
    /// What became of appointments that the file does not name.
    vanished: VanishedAppointments,
    counts: &'a PacketCounts,
    ledger: &'a Ledger,
    unaccounted: &'a [Discrepancy],
}

pub(super) fn write(view: &View<'_>, totals: Totals, path: PathBuf) -> Result<(), Failure> {
    let (scenario, outcome, sandbox) = (view.scenario, view.outcome, &view.host.sandbox);
    let counts = outcome.all();
    let mut file = JsonFile::create(path)?;
    file.pretty(&Summary {
        command: scenario.mode.as_str(),
        start: scenario.start,
        end: outcome.end,
        until: scenario.until,
        seed: scenario.seed,
        ledger: counts.ledger(),
        counts,
        closes: outcome.is_accounted_for(),
        sms_segments: totals.segments,
        calls: totals.calls,
        corrections: totals.corrections,
        incoming: outcome.incoming,
        provider: ProviderSummary { requests: sandbox.requests(), accepted: sandbox.accepted_count() },
        files: files(outcome),
        packets: outcome.packets.iter().map(packet).collect(),
    })?;
    file.finish()
}

fn files(outcome: &Outcome) -> Vec<FileSummary<'_>> {
    let files = outcome.files.iter();
    files
        .map(|file| FileSummary { name: &file.name, packet: file.packet, fault: file.fault.as_deref() })
        .collect()
}

fn packet(outcome: &PacketOutcome) -> PacketSummary<'_> {
    let PacketOutcome { file, report, unaccounted } = outcome;
    PacketSummary {
        packet: report.packet,
        file: file.as_deref(),
        stage: report.stage,
        vanished: report.vanished,
        counts: &report.counts,
        ledger: &report.ledger,
        unaccounted,
    }
}
