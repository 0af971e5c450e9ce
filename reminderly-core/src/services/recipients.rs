//! Recipients: what became of messages, one by one and in numbers.

mod csv;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures::stream::{self, Stream};

use crate::batch::Page;
use crate::domain::access::{Action, CompanyScope};
use crate::domain::recipient::{Breakdown, Recipient, RecipientGroup};
use crate::ids::{CampaignId, CompanyId, MessageId, PacketId};
use crate::ports::store::Store;
use crate::services::offloaded::refuse_offloaded;
use crate::services::{Ports, ServiceError};

/// So many messages are read at a time.
const PAGE: usize = 500;

const PACKETS_PER_PAGE: usize = 100;

/// Makes reports of single messages: of packets that go on and of those that ended, wherever they are stored.
#[derive(Debug, Clone)]
pub struct Recipients {
    store: Arc<dyn Store>,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportOn {
    /// One packet.
    Packet(PacketId),
    /// All packets of a campaign.
    Campaign(CampaignId),
}

/// Behind which message a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecipientCursor {
    /// The packet of the message.
    pub packet: PacketId,
    /// Its position in the packet; `None`: behind none of the packet.
    pub position: Option<u64>,
}

impl Recipients {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { store: Arc::clone(&ports.store) }
    }

    /// A page of messages, packet by packet and within them in the order of their making; at least one, if there is one. Shows personal
    /// data, so it is for [`Action::ViewMessages`]. The cursor is that of a page of the same report; behind the last page there may be an empty one.
    ///
    /// Packets that were offloaded are left out of the report on a campaign; [`Reports`](super::Reports) counts them.
    ///
    /// What changes between two pages is on the later one with what it has become; no message is on two.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`], [`ServiceError::WrongState`] for a packet that was offloaded, [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn page(
        &self,
        scope: &CompanyScope,
        on: ReportOn,
        after: Option<RecipientCursor>,
        limit: usize,
    ) -> Result<Page<Recipient, RecipientCursor>, ServiceError> {
        let company = scope.require(Action::ViewMessages)?;
        let mut walk = self.walk(company, on, after).await?;
        let (limit, mut items) = (limit.max(1), Vec::new());
        while items.len() < limit && walk.read((limit - items.len()).min(PAGE), &mut items).await? {}
        Ok(Page { items, next: walk.at })
    }

    /// All messages as CSV (RFC 4180, UTF-8, a header), in the order of [`page`](Self::page): a piece for each page that was read, so that a report of
    /// any size takes little memory. Instants are in UTC. What a spreadsheet would take for a formula has an apostrophe in front, telephone numbers
    /// too: <https://owasp.org/www-community/attacks/CSV_Injection>.
    ///
    /// After an error nothing comes any more.
    ///
    /// # Errors
    ///
    /// Pieces: as [`page`](Self::page). For [`Action::ViewMessages`].
    pub fn csv(
        &self,
        scope: CompanyScope,
        on: ReportOn,
    ) -> impl Stream<Item = Result<Vec<u8>, ServiceError>> + Send + use<> {
        enum At {
            Beginning,
            Behind(Option<RecipientCursor>),
        }
        let service = self.clone();
        stream::try_unfold(At::Beginning, move |at| {
            let service = service.clone();
            async move {
                let (after, mut piece) = match at {
                    At::Beginning => (None, csv::header()),
                    At::Behind(None) => return Ok(None),
                    At::Behind(after) => (after, Vec::new()),
                };
                let page = service.page(&scope, on, after, PAGE).await?;
                page.items.iter().for_each(|recipient| csv::write(recipient, &mut piece));
                Ok(Some((piece, At::Behind(page.next))))
            }
        })
    }

    /// How many messages there are of each kind, by day, method, status, disposition, reason and response. Looks at every message, some hundred
    /// at a time; [`Reports`](super::Reports) costs the same however many there are.
    ///
    /// # Errors
    ///
    /// As [`page`](Self::page), but for [`Action::ViewReports`].
    pub async fn breakdown(&self, scope: &CompanyScope, on: ReportOn) -> Result<Breakdown, ServiceError> {
        let company = scope.require(Action::ViewReports)?;
        let mut walk = self.walk(company, on, None).await?;
        let mut counts: BTreeMap<RecipientGroup, u64> = BTreeMap::new();
        let mut items = Vec::new();
        while walk.read(PAGE, &mut items).await? {
            for recipient in items.drain(..) {
                *counts.entry(recipient.group).or_default() += 1;
            }
        }
        Ok(counts.into())
    }

    async fn walk(
        &self,
        company: CompanyId,
        on: ReportOn,
        after: Option<RecipientCursor>,
    ) -> Result<Walk<'_>, ServiceError> {
        let (at, campaign) = match on {
            ReportOn::Packet(id) => {
                let found = self.store.packet(company, id).await?;
                found.ok_or(ServiceError::NotFound { what: "packet" })?;
                let after = after.unwrap_or(RecipientCursor { packet: id, position: None });
                // Behind a message of another packet there is nothing.
                (Some(after).filter(|after| after.packet == id), None)
            }
            ReportOn::Campaign(id) => {
                let found = self.store.campaign(company, id).await?;
                found.ok_or(ServiceError::NotFound { what: "campaign" })?;
                (after, Some(id))
            }
        };
        let mut walk =
            Walk { store: &*self.store, company, campaign, at, packets: VecDeque::new(), is_last: false };
        if walk.at.is_none() && campaign.is_some() {
            walk.next_packet(None).await?;
        }
        Ok(walk)
    }
}

/// A walk over the messages of packets.
struct Walk<'a> {
    store: &'a dyn Store,
    company: CompanyId,
    /// Whose packets follow each other; `None`: there is one.
    campaign: Option<CampaignId>,
    /// Behind which message it is; `None` at its end.
    at: Option<RecipientCursor>,
    /// The next packets that are known.
    packets: VecDeque<PacketId>,
    /// Whether there are no others.
    is_last: bool,
}

impl Walk<'_> {
    /// Reads up to `limit` messages, perhaps none; `false` at the end.
    async fn read(&mut self, limit: usize, items: &mut Vec<Recipient>) -> Result<bool, ServiceError> {
        let Some(RecipientCursor { packet, position }) = self.at else { return Ok(false) };
        if self.is_offloaded(packet, position).await? {
            self.next_packet(Some(packet)).await?;
            return Ok(true);
        }
        let page = self.store.messages(self.company, packet, position, limit).await?;
        let ids: Vec<MessageId> = page.items.iter().map(|record| record.message.id).collect();
        let latest = if ids.is_empty() {
            Vec::new()
        } else {
            self.store.latest_attempts(self.company, packet, &ids).await?
        };
        // Once more: it may have been led away meanwhile.
        if self.is_offloaded(packet, position).await? {
            self.next_packet(Some(packet)).await?;
            return Ok(true);
        }
        let latest = latest.iter().map(Option::as_ref);
        items.extend(page.items.iter().zip(latest).map(|(record, latest)| Recipient::of(record, latest)));
        match page.next {
            Some(position) => self.at = Some(RecipientCursor { packet, position: Some(position) }),
            None => self.next_packet(Some(packet)).await?,
        }
        Ok(true)
    }

    /// Whether a packet is left out, because its messages are in files. One that is asked for alone, or of which some were shown, is not left out: that
    /// is an error.
    async fn is_offloaded(&self, packet: PacketId, position: Option<u64>) -> Result<bool, ServiceError> {
        let found = self.store.packet(self.company, packet).await?;
        let is_offloaded = found.as_ref().is_some_and(|found| found.offloaded_at.is_some());
        if self.campaign.is_none() || position.is_some() {
            found.as_ref().map_or(Ok(()), refuse_offloaded)?;
        }
        Ok(is_offloaded)
    }

    async fn next_packet(&mut self, after: Option<PacketId>) -> Result<(), ServiceError> {
        let campaign = self.campaign.filter(|_| self.packets.is_empty() && !self.is_last);
        if let Some(campaign) = campaign {
            let page = self.store.packets(self.company, campaign, after, PACKETS_PER_PAGE).await?;
            self.is_last = page.next.is_none();
            self.packets.extend(page.items.into_iter().map(|packet| packet.id));
        }
        self.at = self.packets.pop_front().map(|packet| RecipientCursor { packet, position: None });
        Ok(())
    }
}
