//! Reconcile: is everything accounted for?

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::access::{Action, CompanyScope};
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::{Packet, PacketStage};
use crate::domain::report::LedgerStage;
use crate::domain::row::RowNumber;
use crate::ids::{CompanyId, MessageId, PacketId};
use crate::ports::store::Store;
use crate::services::offloaded::{refuse_if_offloaded, refuse_offloaded};
use crate::services::{Ports, ServiceError};

const PAGE: usize = 1_000;

/// Something that is not accounted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Discrepancy {
    /// A good row has neither a message nor a fault, although the packet is mapped.
    RowWithoutOutcome(RowNumber),
    /// A message is claimed or was sent and has no attempt.
    MessageWithoutAttempt(MessageId),
    /// A message is still open although its packet has ended.
    OpenAfterEnd(MessageId),
    /// The counters that are kept differ from what is there.
    Counters,
    /// The ledger does not close at a stage.
    Ledger(LedgerStage),
}

/// Accounts for every row and message.
#[derive(Debug, Clone)]
pub struct Reconcile {
    store: Arc<dyn Store>,
}

impl Reconcile {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { store: Arc::clone(&ports.store) }
    }

    /// What is not accounted for in a packet: nothing, or the exact rows and messages. Reads the whole packet, page by page.
    /// While the packet is in work, counters may differ for the moment between two reads.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`], [`ServiceError::WrongState`] if it was offloaded, [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn packet(&self, scope: &CompanyScope, id: PacketId) -> Result<Vec<Discrepancy>, ServiceError> {
        let company = scope.require(Action::ViewMessages)?;
        let missing = ServiceError::NotFound { what: "packet" };
        let packet = self.store.packet(company, id).await?.ok_or(missing)?;
        refuse_offloaded(&packet)?;
        let found = self.discrepancies(company, &packet).await?;
        refuse_if_offloaded(&*self.store, company, id).await?;
        Ok(found)
    }

    /// What is not accounted for in a packet.
    pub(super) async fn discrepancies(
        &self,
        company: CompanyId,
        packet: &Packet,
    ) -> Result<Vec<Discrepancy>, ServiceError> {
        let id = packet.id;
        let mut found = Vec::new();
        let counts = self.store.packet_counts(company, id).await?;
        if counts != self.store.recount_packet(company, id).await? {
            found.push(Discrepancy::Counters);
        }
        found.extend(counts.ledger().gaps().into_iter().map(Discrepancy::Ledger));
        let mapped = self.messages(company, packet, &mut found).await?;
        self.rows(company, packet, mapped, &mut found).await?;
        Ok(found)
    }

    /// Looks at every message; answers the rows that have one, in order.
    async fn messages(
        &self,
        company: CompanyId,
        packet: &Packet,
        found: &mut Vec<Discrepancy>,
    ) -> Result<Vec<RowNumber>, ServiceError> {
        let mut rows: Vec<RowNumber> = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.messages(company, packet.id, after, PAGE).await?;
            for record in &page.items {
                let (message, state) = (&record.message, &record.state);
                if let Some(row) = message.origin.row()
                    && rows.last() != Some(&row)
                {
                    rows.push(row);
                }
                let tried = matches!(
                    state.status,
                    MessageStatus::Sending
                        | MessageStatus::Sent
                        | MessageStatus::Delivered
                        | MessageStatus::Undelivered
                        | MessageStatus::Unknown
                );
                if tried && state.epoch == 0 {
                    found.push(Discrepancy::MessageWithoutAttempt(message.id));
                }
                if packet.stage.is_closed() && state.is_open() {
                    found.push(Discrepancy::OpenAfterEnd(message.id));
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(rows);
            }
        }
    }

    /// Compares the good rows that are mapped with those that have messages or faults.
    async fn rows(
        &self,
        company: CompanyId,
        packet: &Packet,
        mut accounted: Vec<RowNumber>,
        found: &mut Vec<Discrepancy>,
    ) -> Result<(), ServiceError> {
        let mut after = RowNumber::default();
        loop {
            let page = self.store.rejected(company, packet.id, after, PAGE).await?;
            accounted.extend(page.items.iter().map(|row| row.row));
            let Some(next) = page.next else { break };
            after = next;
        }
        accounted.sort_unstable();
        // A packet may also fail or be cancelled before it is mapped, or half way.
        let all = matches!(packet.stage, PacketStage::Mapped | PacketStage::Queued | PacketStage::Complete);
        let is_due = |row: RowNumber| all || row <= packet.mapped_through;
        let mut after = RowNumber::default();
        loop {
            let page = self.store.rows(company, packet.id, after, PAGE).await?;
            let due = page.items.iter().map(|row| row.number).filter(|row| is_due(*row));
            let lost = due.filter(|row| accounted.binary_search(row).is_err());
            found.extend(lost.map(Discrepancy::RowWithoutOutcome));
            let Some(next) = page.next else { return Ok(()) };
            after = next;
        }
    }
}
