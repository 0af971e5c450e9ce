//! Check: is the campaign wise, and does the data fit it? Asked before anything is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::domain::access::{Action, CompanyScope};
use crate::domain::check::{Finding, Sample, SampleReport, Severity, check_campaign};
use crate::domain::contact_method::ContactMethod;
use crate::domain::content::Content;
use crate::domain::household::Membership;
use crate::domain::message::MessageRecord;
use crate::domain::packet::Packet;
use crate::domain::report::PacketCounts;
use crate::domain::row::RowNumber;
use crate::ids::{CompanyId, PacketId};
use crate::ports::store::Store;
use crate::services::compiled::CompiledCampaigns;
use crate::services::offloaded::{refuse_if_offloaded, refuse_offloaded};
use crate::services::{Ports, ServiceError};

const PAGE: usize = 1_000;

/// What would go out of a packet by one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Volume {
    /// Messages with an instant.
    pub messages: u64,
    /// Their parts, of text messages; what providers charge for.
    pub segments: u64,
}

/// What people should know of a campaign and a packet of sample data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// The packet.
    pub packet: PacketId,
    /// Its counters, as planning left them.
    pub counts: PacketCounts,
    /// What the rows and their texts say.
    pub sample: SampleReport,
    /// What would go out, by method.
    pub volume: BTreeMap<ContactMethod, Volume>,
    /// What people should know, the worst first.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Whether the campaign can do its job with this data.
    pub fn is_usable(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Error)
    }
}

/// Checks packets of campaigns, best while these are drafts: nothing is sent then.
#[derive(Debug, Clone)]
pub struct Check {
    ports: Ports,
    campaigns: Arc<CompiledCampaigns>,
}

impl Check {
    /// The service over these ports.
    pub fn new(ports: &Ports, campaigns: Arc<CompiledCampaigns>) -> Self {
        Self { ports: ports.clone(), campaigns }
    }

    /// What people should know of a mapped packet. Reads it page by page, and keeps counts and row numbers only.
    ///
    /// # Errors
    ///
    /// [`ServiceError::UnusableFile`] if the file lacks columns that the campaign reads. [`ServiceError::NotFound`],
    /// [`ServiceError::WrongState`] if it was offloaded, [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn packet(&self, scope: &CompanyScope, id: PacketId) -> Result<CheckReport, ServiceError> {
        let company = scope.require(Action::ViewMessages)?;
        let missing = ServiceError::NotFound { what: "packet" };
        let packet = self.ports.store.packet(company, id).await?.ok_or(missing)?;
        refuse_offloaded(&packet)?;
        let campaign = self.campaigns.of(&packet).await?;
        let mut findings = check_campaign(&campaign, self.ports.clock.now());
        let mut sample = Sample::new(campaign, &packet.ingest.header)
            .map_err(|missing| ServiceError::UnusableFile { reason: missing.to_string() })?;
        self.rows(company, &packet, &mut sample).await?;
        let volume = self.messages(company, &packet, &mut sample).await?;
        refuse_if_offloaded(&*self.ports.store, company, id).await?;
        let counts = self.ports.store.packet_counts(company, id).await?;
        let sample = sample.finish(&counts);
        findings.extend(sample.findings.iter().cloned());
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Ok(CheckReport { packet: id, counts, sample, volume, findings })
    }

    async fn rows(
        &self,
        company: CompanyId,
        packet: &Packet,
        sample: &mut Sample,
    ) -> Result<(), ServiceError> {
        let store: &dyn Store = &*self.ports.store;
        let mut after = Some(RowNumber::default());
        while let Some(start) = after {
            let page = store.rows(company, packet.id, start, PAGE).await?;
            sample.add_rows(&page.items);
            after = page.next;
        }
        let mut after = Some(RowNumber::default());
        while let Some(start) = after {
            let page = store.rejected(company, packet.id, start, PAGE).await?;
            page.items.iter().for_each(|row| sample.reject(row));
            after = page.next;
        }
        Ok(())
    }

    async fn messages(
        &self,
        company: CompanyId,
        packet: &Packet,
        sample: &mut Sample,
    ) -> Result<BTreeMap<ContactMethod, Volume>, ServiceError> {
        let mut volume: BTreeMap<ContactMethod, Volume> = BTreeMap::new();
        let (mut after, mut first) = (None, FirstOfRow::default());
        loop {
            let page = self.ports.store.messages(company, packet.id, after, PAGE).await?;
            for record in &page.items {
                if first.is_first(record) {
                    sample.add_message(&record.message);
                }
                // What another message tells of is not sent beside it.
                let is_told = matches!(record.state.household, Some(Membership::In(_)));
                if record.state.planned_at.is_some() && !is_told {
                    let of_method = volume.entry(record.message.method).or_default();
                    of_method.messages += 1;
                    let segments = record.message.content.as_ref().map_or(0, Content::segments);
                    of_method.segments += u64::from(segments);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(volume);
            }
        }
    }
}

/// Tells the first message of each row and method: the texts of all entries are the same.
#[derive(Default)]
struct FirstOfRow {
    row: RowNumber,
    methods: Vec<ContactMethod>,
}

impl FirstOfRow {
    fn is_first(&mut self, record: &MessageRecord) -> bool {
        let Some(row) = record.message.origin.row() else { return false };
        if row != self.row {
            self.row = row;
            self.methods.clear();
        }
        let method = record.message.method;
        let first = record.message.content.is_some() && !self.methods.contains(&method);
        if first {
            self.methods.push(method);
        }
        first
    }
}
