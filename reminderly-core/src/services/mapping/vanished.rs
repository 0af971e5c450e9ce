//! Appointments that a file does not name any more.

use metrics::counter;
use tracing::{info, warn};

use super::{Mapping, stale};
use crate::domain::call::CallKind;
use crate::domain::campaign::definition::Vanished;
use crate::domain::mapping::CompiledCampaign;
use crate::domain::packet::{Packet, PacketOrigin, PacketStage};
use crate::domain::row::{Row, RowNumber};
use crate::domain::vanished::KeptBecause;
use crate::ids::PacketId;
use crate::ports::store::{VanishOutcome, Vanishing, WriteOutcome};
use crate::services::ServiceError;

const PACKETS_PER_PAGE: usize = 500;

/// Messages per transaction.
const MESSAGES_PER_BATCH: usize = 1_000;

/// A file with more rows that cannot be mapped is no evidence of what is missing.
const FAILED_ROWS_MAX: u64 = 1_000;

impl Mapping {
    /// Cancels what vanishes because of a packet whose rows are all mapped, if its campaign says so. May be repeated.
    pub(super) async fn cancel_vanished(
        &self,
        packet: &Packet,
        campaign: &CompiledCampaign,
    ) -> Result<(), ServiceError> {
        // A call names what it is about and says nothing of all others.
        if campaign.definition().mapping.vanished != Vanished::Cancel || !is_file(packet) {
            return Ok(());
        }
        // The counters as they are now that everything is mapped.
        let packet = self.packet(packet.company, packet.id).await?;
        if let Some(because) = self.keeps(&packet, campaign).await? {
            warn!(packet.id = %packet.id, reason = %because, "nothing vanishes: the file was not understood whole");
            return match self.ports.store.keep_vanished(packet.company, packet.id, because).await? {
                WriteOutcome::Applied => Ok(()),
                WriteOutcome::Stale => Err(stale()),
            };
        }
        let mut cancelled = 0;
        let mut after = None;
        loop {
            let page =
                self.ports.store.packets(packet.company, packet.campaign, after, PACKETS_PER_PAGE).await?;
            for earlier in page.items.iter().filter(|other| other.id < packet.id) {
                if self.may_still_send(earlier).await? {
                    cancelled += self.vanish_from(packet.id, earlier).await?.ok_or_else(stale)?;
                }
            }
            after = page.next.filter(|next| *next < packet.id);
            if after.is_none() {
                break;
            }
        }
        info!(packet.id = %packet.id, messages = cancelled, "messages of vanished appointments are cancelled");
        Ok(())
    }

    /// Cancels what later files do not name of a file whose rows are all mapped only now: they have looked, or will look, at
    /// what was there before. May be repeated.
    ///
    /// Not of a call: only files are numbered in the order in which they came, whatever the clocks, so it may be the later one.
    pub(super) async fn cancel_overtaken(&self, packet: &Packet) -> Result<(), ServiceError> {
        if !is_file(packet) {
            return Ok(());
        }
        let mut after = Some(packet.id);
        while after.is_some() {
            let page =
                self.ports.store.packets(packet.company, packet.campaign, after, PACKETS_PER_PAGE).await?;
            for later in &page.items {
                if !self.speaks_for_all(later).await? {
                    continue;
                }
                // If it was cancelled meanwhile, it speaks for nothing any more.
                if let Some(cancelled) = self.vanish_from(later.id, packet).await? {
                    info!(packet.id = %later.id, earlier.id = %packet.id, messages = cancelled, "messages of vanished appointments are cancelled");
                }
            }
            after = page.next;
        }
        Ok(())
    }

    /// Whether a packet has read all its rows, and what it does not name has vanished.
    async fn speaks_for_all(&self, later: &Packet) -> Result<bool, ServiceError> {
        if !is_file(later) || later.is_given_up() {
            return Ok(false);
        }
        let Some(campaign) = self.campaigns.usable(later).await? else { return Ok(false) };
        if campaign.definition().mapping.vanished != Vanished::Cancel {
            return Ok(false);
        }
        match later.stage {
            PacketStage::Mapped | PacketStage::Queued | PacketStage::Complete => {
                Ok(later.vanished.kept.is_none())
            }
            // Once it has mapped the rest it looks at all that is there by then.
            PacketStage::Loaded => {
                let rest = self.ports.store.rows(later.company, later.id, later.mapped_through, 1).await?;
                Ok(rest.items.is_empty() && self.keeps(later, &campaign).await?.is_none())
            }
            _ => Ok(false),
        }
    }

    /// Whether messages about appointments that a packet names may still go.
    async fn may_still_send(&self, earlier: &Packet) -> Result<bool, ServiceError> {
        let names_appointments = match &earlier.origin {
            PacketOrigin::File { .. } => true,
            // A one-liner speaks for no appointment.
            PacketOrigin::OnDemand { kind, .. } => *kind == CallKind::Rows,
            PacketOrigin::FollowUp => false,
        };
        match earlier.stage {
            _ if !names_appointments => Ok(false),
            PacketStage::Cancelled => Ok(false),
            // Its messages are not to be had, and nothing is reported of them any more.
            _ if earlier.offloaded_at.is_some() => Ok(false),
            // A report that comes late opens it again for another call.
            PacketStage::Complete => {
                let campaign = self.campaigns.usable(earlier).await?;
                // A document that is not understood any more may say so: to look at its messages costs little.
                Ok(campaign.is_none_or(|campaign| campaign.definition().messages.calls_again()))
            }
            _ => Ok(true),
        }
    }

    /// How many messages of an earlier packet were cancelled; `None` if the later one does not speak any more.
    async fn vanish_from(&self, later: PacketId, earlier: &Packet) -> Result<Option<u64>, ServiceError> {
        let mut after = None;
        let mut all = 0;
        loop {
            let vanishing = Vanishing {
                missing_in: later,
                earlier: earlier.id,
                after,
                limit: MESSAGES_PER_BATCH,
                now: self.ports.clock.now(),
            };
            match self.ports.store.cancel_vanished(earlier.company, vanishing).await? {
                VanishOutcome::Page { cancelled, next } => {
                    counter!("reminderly_messages_vanished_total").increment(cancelled);
                    all += cancelled;
                    after = next;
                    if after.is_none() {
                        return Ok(Some(all));
                    }
                }
                VanishOutcome::Stale => return Ok(None),
            }
        }
    }

    /// Why the packet makes nothing vanish.
    async fn keeps(
        &self,
        packet: &Packet,
        campaign: &CompiledCampaign,
    ) -> Result<Option<KeptBecause>, ServiceError> {
        let rows = packet.rows;
        if rows.planned + rows.skipped == 0 {
            return Ok(Some(KeptBecause::NothingMapped));
        }
        if rows.rejected > 0 {
            return Ok(Some(KeptBecause::RowsUnread(rows.rejected)));
        }
        if rows.failed > FAILED_ROWS_MAX {
            return Ok(Some(KeptBecause::RowsFailed(rows.failed)));
        }
        // What the failed rows name was recorded with their batch, if their keys could be read.
        let mut after = RowNumber::default();
        loop {
            let page =
                self.ports.store.rejected(packet.company, packet.id, after, MESSAGES_PER_BATCH).await?;
            for failed in &page.items {
                let row = self.ports.store.row(packet.company, packet.id, failed.row).await?;
                if !row.is_some_and(|row| has_key(packet, campaign, &row)) {
                    return Ok(Some(KeptBecause::KeyUnread(failed.row)));
                }
            }
            let Some(next) = page.next else { return Ok(None) };
            after = next;
        }
    }
}

const fn is_file(packet: &Packet) -> bool {
    matches!(packet.origin, PacketOrigin::File { .. })
}

fn has_key(packet: &Packet, campaign: &CompiledCampaign, row: &Row) -> bool {
    campaign.mapper(&packet.ingest.header).is_ok_and(|mapper| mapper.key(row).is_some())
}
