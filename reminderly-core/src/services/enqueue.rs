//! Enqueue: due messages, handed to the queue of their packet in slices.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::counter;
use tracing::warn;

use crate::domain::access::{Action, CompanyScope};
use crate::domain::contact_method::ContactMethod;
use crate::domain::envelope::{Envelope, MAX_SLICE, Slice};
use crate::domain::mapping::CompiledCampaign;
use crate::domain::message::MessageRecord;
use crate::domain::message_status::MessageStatus;
use crate::domain::packet::Packet;
use crate::domain::rate::Rate;
use crate::domain::skip_reason::SkipReason;
use crate::domain::window::LegalInterval;
use crate::ids::{MessageId, PacketId};
use crate::ports::queue::{Outgoing, QueueError, QueueName, SendOutcome};
use crate::ports::store::{Close, CloseVerdict, DueMessage, HandOver, MaxCopies, Snooze, SnoozeUntil};
use crate::services::compiled::CompiledCampaigns;
use crate::services::late::plan_again;
use crate::services::packet_queue::ensure_queue;
use crate::services::traffic::limits_of;
use crate::services::{Ports, ServiceError, Settings};

/// Messages per transaction of handing over.
const HAND_OVER_BATCH: usize = 1_000;

/// For how long the pollers have enough in the queue when a limit slows them down; they have a slice in reserve in any case.
const FEED_AHEAD: Duration = Duration::from_secs(10);

/// What feeding a packet's queue did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fed {
    /// Messages that were handed to the queue.
    pub handed_over: u64,
    /// Messages that came up outside their legal interval and were planned again.
    pub planned_again: u64,
    /// Messages that came up too late and were closed.
    pub closed: u64,
    /// More is due than the queue may hold for now.
    pub held_back: bool,
}

/// Whether a packet has had its last turn for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeedTurn {
    /// More may be due that may be handed over.
    More,
    /// All is handed over that is due and fits.
    Last,
}

/// Hands due messages to the queue of their packet, a bounded number ahead of the pollers.
#[derive(Debug, Clone)]
pub struct Enqueue {
    ports: Ports,
    settings: Settings,
    campaigns: Arc<CompiledCampaigns>,
}

impl Enqueue {
    /// The service over these ports.
    pub fn new(ports: &Ports, settings: &Settings, campaigns: Arc<CompiledCampaigns>) -> Self {
        Self { ports: ports.clone(), settings: settings.clone(), campaigns }
    }

    /// Hands over what is due now and fits; the rest follows when the pollers have taken some. Copies that are presumed lost
    /// are made again. Several feeders of one packet do no harm.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Queue`] if the queue did not take a slice: its messages are due again at once. A queue that somebody has
    /// deleted is made again for the next call.
    /// [`ServiceError::NotFound`], [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn feed(&self, scope: &CompanyScope, packet: PacketId) -> Result<Fed, ServiceError> {
        let mut fed = Fed::default();
        while self.feed_turn(scope, packet, &mut fed).await? == FeedTurn::More {}
        Ok(fed)
    }

    /// One turn of feeding, so that a packet with much to feed does not keep one with little waiting; adds to `fed`.
    ///
    /// # Errors
    ///
    /// As [`feed`](Self::feed).
    pub(super) async fn feed_turn(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
        fed: &mut Fed,
    ) -> Result<FeedTurn, ServiceError> {
        let company = scope.require(Action::Operate)?;
        let missing = ServiceError::NotFound { what: "packet" };
        let packet = self.ports.store.packet(company, packet).await?.ok_or(missing)?;
        let max_copies = self.max_copies(&packet).await?;
        let now = self.ports.clock.now();
        let copy_until = now + self.settings.copy_lifetime;
        let terms = HandOver { now, copy_until, limit: HAND_OVER_BATCH, max_copies };
        let handed = self.ports.store.hand_over(company, packet.id, terms).await?;
        fed.held_back = handed.held_back;
        fed.handed_over += u64::try_from(handed.due.len()).unwrap_or(u64::MAX);
        self.send(&packet, &handed.due, now).await?;
        self.judge_late(&packet, &handed.late, fed).await?;
        let is_last = handed.due.len() + handed.late.len() < HAND_OVER_BATCH;
        Ok(if is_last { FeedTurn::Last } else { FeedTurn::More })
    }

    /// How many turns fill an empty queue.
    pub(super) fn turns_to_fill(&self) -> usize {
        (ContactMethod::ALL.len() * self.settings.max_copies).div_ceil(HAND_OVER_BATCH).max(1)
    }

    /// No more copies than the tightest limit of the method lets out in [`FEED_AHEAD`]: what comes up meanwhile and is more urgent
    /// would stand behind them, and copies that wait for long are made again.
    async fn max_copies(&self, packet: &Packet) -> Result<MaxCopies, ServiceError> {
        let campaign = self.campaigns.usable(packet).await?;
        let per_minute = campaign.and_then(|campaign| campaign.definition().limits.per_minute);
        let busy = MAX_SLICE * (self.settings.slices_at_once.max(1) + 1);
        Ok(MaxCopies::by(|method| {
            let route = self.ports.providers.route(packet.company, method);
            let Some(provider) = route.map(|provider| provider.limits()) else {
                return self.settings.max_copies;
            };
            let limits =
                limits_of(&provider, packet.company, (packet.campaign, per_minute), &self.settings.sharing);
            let most = limits.iter().map(|limit| ahead(limit.rate)).min().unwrap_or(usize::MAX);
            self.settings.max_copies.min(most.max(busy))
        }))
    }

    /// When the next message of a packet is due; `None` if none is.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn next_due(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
    ) -> Result<Option<DateTime<Utc>>, ServiceError> {
        let company = scope.require(Action::Operate)?;
        Ok(self.ports.store.next_due(company, packet).await?)
    }

    async fn send(
        &self,
        packet: &Packet,
        due: &[DueMessage],
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let slices = slices(packet, due);
        if slices.is_empty() {
            return Ok(());
        }
        let items: Vec<Outgoing> =
            slices.iter().map(|slice| Envelope::Outbound(slice.clone()).into()).collect();
        let queue = QueueName::of_packet(packet.id);
        let outcomes = match self.ports.queue.send(&queue, &items).await {
            Ok(outcomes) => outcomes.into_vec(),
            Err(error) => {
                // The queue may have taken some; those copies are harmless, and the messages are due again.
                self.forget_copies(packet, slices.iter(), now).await?;
                if matches!(error, QueueError::NoSuchQueue(_)) {
                    self.make_queue_again(packet).await?;
                }
                return Err(error.into());
            }
        };
        let not_taken = slices.iter().zip(&outcomes).filter(|(_, outcome)| **outcome != SendOutcome::Sent);
        let not_taken: Vec<&Slice> = not_taken.map(|(slice, _)| slice).collect();
        let taken = slices.len() - not_taken.len();
        counter!("reminderly_slices_sent_total").increment(u64::try_from(taken).unwrap_or(u64::MAX));
        if !not_taken.is_empty() {
            warn!(packet.id = %packet.id, slices = not_taken.len(), "queue did not take slices; they are due again");
        }
        self.forget_copies(packet, not_taken.into_iter(), now).await
    }

    /// Somebody has deleted the queue. Whether the packet still needs one is asked anew: it may have been taken down meanwhile,
    /// and for a minute from then on the name cannot be used, so that none is made for a packet that ends just now.
    async fn make_queue_again(&self, packet: &Packet) -> Result<(), ServiceError> {
        let current = self.ports.store.packet(packet.company, packet.id).await?;
        if current.is_some_and(|current| current.needs_queue())
            && ensure_queue(&self.ports, &self.settings, packet).await?
        {
            warn!(packet.id = %packet.id, "queue was deleted while in use; it was made again");
        }
        Ok(())
    }

    async fn forget_copies(
        &self,
        packet: &Packet,
        slices: impl Iterator<Item = &Slice> + Send,
        now: DateTime<Utc>,
    ) -> Result<(), ServiceError> {
        let snoozes: Vec<Snooze> = slices
            .flat_map(|slice| &slice.messages)
            .map(|message| Snooze {
                message: *message,
                until: SnoozeUntil::Unchanged,
                reason: Cow::Borrowed("queue did not take it"),
                at: now,
            })
            .collect();
        // Whoever was claimed meanwhile is not put back, and need not be.
        let _claimed_meanwhile = self.ports.store.snooze(packet.company, packet.id, &snoozes).await?;
        Ok(())
    }

    /// Plans messages again that came up outside their legal interval, or closes them.
    async fn judge_late(
        &self,
        packet: &Packet,
        late: &[MessageId],
        fed: &mut Fed,
    ) -> Result<(), ServiceError> {
        if late.is_empty() {
            return Ok(());
        }
        let campaign = self.campaigns.of(packet).await?;
        let now = self.ports.clock.now();
        let (mut snoozes, mut closes) = (Vec::new(), Vec::new());
        for id in late {
            let Some(record) = self.ports.store.message(packet.company, packet.id, *id).await? else {
                continue;
            };
            match judge(&campaign, &record, now) {
                Judgement::Again(until) => {
                    let reason = Cow::Borrowed("outside its contact window");
                    snoozes.push(Snooze { message: *id, until, reason, at: now });
                }
                Judgement::Close(verdict) => closes.push(Close { message: *id, verdict, at: now }),
            }
        }
        fed.planned_again += u64::try_from(snoozes.len()).unwrap_or(u64::MAX);
        fed.closed += u64::try_from(closes.len()).unwrap_or(u64::MAX);
        // Who lost a race against a claim or a cancellation is in other hands already.
        let _raced = self.ports.store.snooze(packet.company, packet.id, &snoozes).await?;
        let _raced = self.ports.store.close(packet.company, packet.id, &closes).await?;
        Ok(())
    }
}

/// How many messages a rate lets out in [`FEED_AHEAD`].
fn ahead(rate: Rate) -> usize {
    let stretches = FEED_AHEAD.as_nanos().div_ceil(rate.per.as_nanos().max(1));
    let messages = u128::from(rate.messages.get()).saturating_mul(stretches);
    usize::try_from(messages).unwrap_or(usize::MAX)
}

enum Judgement {
    Again(SnoozeUntil),
    Close(CloseVerdict),
}

/// Rule 4 of planning, for a message that comes up late.
fn judge(campaign: &CompiledCampaign, record: &MessageRecord, now: DateTime<Utc>) -> Judgement {
    let too_late = if record.state.status == MessageStatus::Planned {
        CloseVerdict::Skipped(SkipReason::PastDue)
    } else {
        CloseVerdict::Expired
    };
    match plan_again(campaign, record, now) {
        Some(LegalInterval { from: not_before, until: legal_until }) => {
            Judgement::Again(SnoozeUntil::Planned { not_before, legal_until })
        }
        None => Judgement::Close(too_late),
    }
}

/// Cuts due messages into slices of one method each, in their order.
fn slices(packet: &Packet, due: &[DueMessage]) -> Vec<Slice> {
    let slice = |method, messages: &[&DueMessage]| Slice {
        company: packet.company,
        campaign: packet.campaign,
        packet: packet.id,
        method,
        closes_at: messages.iter().map(|message| message.closes_at).min(),
        messages: messages.iter().map(|message| message.id).collect(),
    };
    ContactMethod::ALL
        .into_iter()
        .flat_map(|method| {
            let of_method: Vec<&DueMessage> = due.iter().filter(|message| message.method == method).collect();
            of_method.chunks(MAX_SLICE).map(|messages| slice(method, messages)).collect::<Vec<_>>()
        })
        .collect()
}
