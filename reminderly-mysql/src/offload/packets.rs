//! The packets of a month that is on its way.

use std::collections::BTreeMap;

use reminderly_core::ids::{CompanyId, PacketId};
use reminderly_core::ports::store::StoreError;
use sqlx::mysql::MySqlRow;
use sqlx::types::Uuid;

use super::leaving::Month;
use crate::statement::{Statement, statement};
use crate::store::MySqlStore;
use crate::values::Values as _;

const IN_TABLES: Statement = statement(
    "SELECT number, id, company_id FROM data_packet WHERE tables_number = ? AND number > ? ORDER BY number LIMIT 2000",
);
const OFFLOADED: Statement = statement(
    "SELECT number, id, company_id FROM offloaded_packets JOIN data_packet ON number = packet_number \
     WHERE offloaded_packets.tables_number = ? AND packet_number > ? ORDER BY packet_number LIMIT 2000",
);

/// A packet: whose it is, and what stands for its id in tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct MonthPacket {
    pub(super) number: u32,
    pub(super) company: CompanyId,
    id: PacketId,
}

/// The packets of a month.
#[derive(Debug, Default)]
pub(super) struct MonthPackets {
    by_number: BTreeMap<u32, MonthPacket>,
    by_id: BTreeMap<PacketId, u32>,
}

impl MonthPackets {
    pub(super) fn iter(&self) -> impl Iterator<Item = MonthPacket> + '_ {
        self.by_number.values().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn id(&self, number: u32) -> Option<PacketId> {
        self.by_number.get(&number).map(|packet| packet.id)
    }

    pub(super) fn number(&self, id: PacketId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    fn add(&mut self, row: &MySqlRow) -> Result<u32, StoreError> {
        let uuid = |column| row.value::<Uuid>("data_packet", column);
        let (number, id) = (row.value("data_packet", "number")?, uuid("id")?.into());
        let company = uuid("company_id")?.into();
        self.by_number.insert(number, MonthPacket { number, company, id });
        self.by_id.insert(id, number);
        Ok(number)
    }
}

impl MySqlStore {
    /// The packets that are in the tables of a month.
    pub(super) async fn packets_in(&self, month: Month) -> Result<MonthPackets, StoreError> {
        self.packets_by(IN_TABLES, month).await
    }

    /// Those that were led away from it.
    pub(super) async fn packets_led_away(&self, month: Month) -> Result<MonthPackets, StoreError> {
        self.packets_by(OFFLOADED, month).await
    }

    async fn packets_by(&self, select: Statement, month: Month) -> Result<MonthPackets, StoreError> {
        let (mut packets, mut after) = (MonthPackets::default(), 0);
        loop {
            let rows = self.all(select.bind(month.number).bind(after)).await?;
            for row in &rows {
                after = packets.add(row)?;
            }
            if rows.is_empty() {
                return Ok(packets);
            }
        }
    }
}
