//! A company that takes a file in.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::executor::block_on;
use reminderly_core::domain::access::Action;
use reminderly_core::domain::message::MessageRecord;
use reminderly_core::domain::message_status::MessageStatus;
use reminderly_core::domain::packet::{Packet, PacketStage};
use reminderly_core::domain::row::RowNumber;
use reminderly_core::ids::CompanyId;
use reminderly_core::ports::store::PacketStore as _;
use reminderly_core::services::{CompiledCampaigns, Ingest, Mapping, Prepared, ServiceError};
use reminderly_core::sources::MemorySource;
use serde_json::Value;

use super::expected::{Limit, with_limits};
use crate::prove::Failure;
use crate::world::{Setup, World};

const FILE: &str = "visits";
/// More rows than a file of the corpus has.
const ROWS_MAX: usize = 1_000;

/// What became of a file.
#[derive(Debug)]
pub(super) enum Found {
    /// It cannot be used.
    Refused(String),
    /// Every row was told.
    Taken(Rows),
}

/// What became of its rows.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) read: u64,
    /// What each row became that is good.
    pub(super) good: BTreeMap<u64, Reminder>,
    /// `row:column:code`.
    pub(super) rejected: Vec<String>,
    /// `row:reason`.
    pub(super) skipped: Vec<String>,
}

/// A message that would go.
#[derive(Debug)]
pub(super) struct Reminder {
    /// What it shows.
    pub(super) text: String,
    /// Where it goes.
    pub(super) contact: String,
    /// When it is planned.
    pub(super) instant: String,
}

/// Loads and maps a file for a campaign of this document.
///
/// # Errors
///
/// Whatever has nothing to do with the file.
pub(super) fn take_in(file: &[u8], document: &Value, limits: &[Limit]) -> Result<Found, Failure> {
    let mut world = World::new(&Setup::default());
    world.settings = with_limits(world.settings.clone(), limits)?;
    let company = world.company();
    let campaign = world.campaign(company, document);
    let source = MemorySource::new().with_file(FILE, file);
    let ingest = Ingest::new(&world.ports, &world.settings);
    let scope = world.scope(company, Action::Ingest);
    let campaigns = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
    let mapping = Mapping::new(&world.ports, &world.settings, campaigns);
    let taken = block_on(async {
        let (Prepared::New(packet) | Prepared::AlreadyLoaded(packet)) =
            ingest.prepare(&scope, campaign.id, &source, FILE).await?;
        ingest.load(&scope, packet.id, &source, &mut |_| {}).await?;
        mapping.map(&world.worker_scope(company), packet.id, &mut |_| {}).await
    });
    match taken {
        Ok(packet) if packet.stage == PacketStage::Mapped => {
            Ok(Found::Taken(rows(&world, company, &packet)?))
        }
        Ok(packet) => Err(format!("the packet stays {}", packet.stage).into()),
        Err(ServiceError::UnusableFile { reason }) => Ok(Found::Refused(reason)),
        Err(error) => Err(error.into()),
    }
}

fn rows(world: &World, company: CompanyId, packet: &Packet) -> Result<Rows, Failure> {
    let rejected = block_on(world.store.rejected(company, packet.id, RowNumber(0), ROWS_MAX))?.items;
    let mut rows = Rows {
        read: packet.rows.read,
        good: BTreeMap::new(),
        rejected: rejected
            .iter()
            .map(|row| format!("{}:{}:{}", row.row, row.column.as_deref().unwrap_or_default(), row.code))
            .collect(),
        skipped: Vec::new(),
    };
    for MessageRecord { message, state } in world.messages(company, packet.id) {
        let row = message.origin.row().ok_or("a message of no row")?.0;
        if state.status == MessageStatus::Skipped {
            let reason = state.detail.as_ref().map(ToString::to_string).unwrap_or_default();
            rows.skipped.push(format!("{row}:{reason}"));
            continue;
        }
        let reminder = Reminder {
            text: message.content.as_ref().map(|content| content.text().to_owned()).unwrap_or_default(),
            contact: message.contact.as_ref().map(|contact| contact.address().to_owned()).unwrap_or_default(),
            instant: state
                .planned_at
                .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
                .unwrap_or_default(),
        };
        if rows.good.insert(row, reminder).is_some() {
            return Err(format!("row {row} has two messages").into());
        }
    }
    Ok(rows)
}
