//! How far everything is: counts only, no name, number or text of anybody.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Table};
use reminderly_core::domain::access::Action;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::services::{PacketReport, Reports};

use crate::config::Config;
use crate::failure::Failure;
use crate::host::Host;
use crate::office::Office;

/// How far every packet is, and whether the ledger closes: at each stage, in = advanced + skipped + failed + open.
pub(crate) struct Status {
    pub(crate) text: String,
    pub(crate) closes: bool,
}

impl Status {
    pub(crate) async fn of(config: &Config, host: &Host, office: &Office) -> Result<Self, Failure> {
        let reports = Reports::new(&host.ports);
        let (mut lines, mut closes) = (Vec::new(), true);
        for company in &config.companies {
            for entry in &company.campaigns {
                let campaign = office.stored(company.id, entry).await?;
                let scope = office.scope(company.id, Action::ViewReports).await?;
                let report = reports.campaign(&scope, campaign.id).await?;
                let name = &campaign.definition.name;
                lines.push(format!("{name} ({}), {} packets", report.state, report.packets.len()));
                lines.push(packets(&report.packets));
                let gaps = report.ledger.gaps();
                closes &= gaps.is_empty();
                let verdict = if gaps.is_empty() {
                    "the ledger closes at every stage".to_owned()
                } else {
                    format!("THE LEDGER DOES NOT CLOSE: {gaps:?}")
                };
                lines.push(verdict + "\n");
            }
        }
        Ok(Self { text: lines.join("\n"), closes })
    }
}

fn packets(packets: &[PacketReport]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    let statuses = MessageStatus::ALL;
    let numbers = ["rows", "rejected", "failed", "messages"].into_iter();
    let heads = ["packet", "stage"].into_iter().chain(numbers).chain(statuses.map(MessageStatus::as_str));
    table.set_header(heads.chain(["open"]));
    for PacketReport { packet, stage, counts, .. } in packets {
        let rows = [counts.rows.read, counts.rows.rejected, counts.rows.failed, counts.planned];
        let of_status = statuses.into_iter().map(|status| counts.in_status(status));
        let numbers = rows.into_iter().chain(of_status).chain([counts.open]);
        let number = |number: u64| Cell::new(number).set_alignment(CellAlignment::Right);
        let cells = [Cell::new(packet), Cell::new(stage)].into_iter();
        table.add_row(cells.chain(numbers.map(number)));
    }
    table.to_string()
}
