use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::domain::appointment::Appointment;
use crate::domain::attempt::{Attempt, AttemptLocation, ProviderName, ProviderReference, ReturnReason};
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::ContactPoint;
use crate::domain::content::Content;
use crate::domain::message_status::MessageStatus;
#[cfg(doc)]
use crate::domain::unsubscribe::UnsubscribeSource;
use crate::ids::{AttemptId, MessageId};

/// Terms of handing due messages to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandOver {
    /// Messages whose `not_before` has come by now are due.
    pub now: DateTime<Utc>,
    /// The copies that the caller is about to make are presumed lost at this instant.
    pub copy_until: DateTime<Utc>,
    /// The most messages of this call, due and late ones together.
    pub limit: usize,
    /// The most messages of the packet that may have a live copy in the queue: back-pressure.
    pub max_copies: MaxCopies,
}

/// A number of messages for each method: one that is slow leaves the others theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxCopies {
    /// Text messages.
    pub sms: usize,
    /// E-mails.
    pub email: usize,
    /// Calls.
    pub phone: usize,
}

impl MaxCopies {
    /// What each method may have.
    pub fn by(mut of: impl FnMut(ContactMethod) -> usize) -> Self {
        Self { sms: of(ContactMethod::Sms), email: of(ContactMethod::Email), phone: of(ContactMethod::Phone) }
    }

    /// The same number for each method.
    pub const fn each(messages: usize) -> Self {
        Self { sms: messages, email: messages, phone: messages }
    }

    /// What a method may have.
    pub const fn of(&self, method: ContactMethod) -> usize {
        match method {
            ContactMethod::Sms => self.sms,
            ContactMethod::Email => self.email,
            ContactMethod::Phone => self.phone,
        }
    }
}

/// A due message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueMessage {
    /// The message.
    pub id: MessageId,
    /// The method by which it goes.
    pub method: ContactMethod,
    /// When its legal interval ends.
    pub closes_at: DateTime<Utc>,
}

/// Due messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandedOver {
    /// Recorded as handed over; the caller now sends slices that name them. Those with lost copies come first.
    pub due: Vec<DueMessage>,
    /// Due, but outside their legal interval: to be planned again or closed. Nothing was recorded.
    pub late: Vec<MessageId>,
    /// Of some method more messages are due than may have copies, and no more than the limit may: ask again soon.
    pub held_back: bool,
}

/// A message to claim, with the id that its attempt gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The message.
    pub message: MessageId,
    /// The id of the attempt.
    pub attempt: AttemptId,
}

/// Terms of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTerms {
    /// The instant of the guards.
    pub now: DateTime<Utc>,
    /// The request starts before this instant; at most a second after `now`.
    pub start_by: DateTime<Utc>,
    /// The answer comes before this instant.
    pub answer_by: DateTime<Utc>,
    /// The provider that will be called.
    pub provider: ProviderName,
    /// The method that it serves.
    pub method: ContactMethod,
}

/// The exclusive right to send a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The message.
    pub message: MessageId,
    /// The attempt.
    pub attempt: AttemptId,
    /// The number of the attempt.
    pub epoch: u32,
    /// How many attempts counted before this one.
    pub attempts: u32,
    /// Where it goes.
    pub contact: ContactPoint,
    /// What it says.
    pub content: Content,
    /// The end of the legal interval: the request starts before it.
    pub legal_until: DateTime<Utc>,
    /// The appointment that it is about, if any.
    pub appointment: Option<Appointment>,
    /// The zone of the person.
    pub contact_zone: Tz,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// Claimed: the caller and nobody else may send it, once.
    Claimed(Box<Claimed>),
    /// Not to be sent now.
    Refused(ClaimRefusal),
}

/// Why a message was not claimed. The guards are checked in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimRefusal {
    /// There is no such message in the packet.
    Missing,
    /// It is not queued (claimed, sent or closed by somebody else), goes by another method, or the attempt's id was used
    /// before.
    NotQueued(MessageStatus),
    /// The store was restored since its packet was reconciled. The message stays queued; the caller snoozes it.
    Fenced,
    /// Its packet is draining or has ended.
    PacketClosed,
    /// Its campaign is not active. The message stays queued; the caller snoozes it.
    CampaignNotActive,
    /// The person refused contact.
    Unsubscribed,
    /// The person has cancelled the appointment or wants to move it, or has answered a rung below at all. Follow-ups go all
    /// the same. Rungs of one entry are one another's whomever they name: an answer about the appointment counts that any of
    /// their persons gave, and a campaign's own answer to a rung below.
    Answered,
    /// A newer packet says something else about the appointment, or does not name it any more.
    Superseded,
    /// A rung below may still bring an answer until this instant: the first one down that has not ended with nothing waits to be
    /// sent, or was sent less than the wait ago.
    RungBelow(DateTime<Utc>),
    /// Its instant lies ahead.
    NotYet,
    /// Its legal interval is over.
    OutsideWindow,
    /// The person has had as many reminders today, or in seven days, as the campaign allows.
    NoSlot,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The message.
    pub message: MessageId,
    /// The number of the attempt: only the holder of the latest claim settles, but for proof that an earlier one was accepted.
    pub epoch: u32,
    /// What became of it.
    pub verdict: SettleVerdict,
    /// When.
    pub at: DateTime<Utc>,
}

/// What became of an attempt, and so of its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettleVerdict {
    /// Accepted → sent.
    Accepted {
        /// The provider's id, where it said it.
        reference: Option<ProviderReference>,
    },
    /// Definitely refused → queued, not before the given instant.
    RefusedForNow {
        /// The provider's code.
        code: String,
        /// When it may be tried again.
        not_before: DateTime<Utc>,
    },
    /// Definitely refused → failed.
    RefusedForGood {
        /// The provider's code.
        code: String,
    },
    /// Definitely refused because the person has told the provider or the carrier that they want nothing more → failed. In the
    /// same transaction the refusal of the contact point is recorded, as what the [provider](UnsubscribeSource::Provider) said at that
    /// instant; so it is where the settlement is [stale](SettleOutcome::Stale).
    OptedOut {
        /// The provider's code.
        code: String,
    },
    /// No request was made → queued; the attempt does not count.
    Returned {
        /// Why.
        reason: ReturnReason,
        /// When it may be tried again.
        not_before: DateTime<Utc>,
    },
    /// May or may not have been accepted → unknown.
    Ambiguous {
        /// What was seen.
        code: String,
    },
    /// The claim ran out → unknown.
    Reaped,
    /// Evidence of acceptance → sent.
    Found {
        /// The provider's id.
        reference: ProviderReference,
        /// When it was accepted.
        accepted_at: DateTime<Utc>,
    },
    /// Proof of absence → queued.
    ProvenAbsent,
    /// The campaign's policy permits another try without proof → queued.
    ResendPermitted,
    /// The call reached nobody, and the campaign's rule permits one more → queued for that instant; the attempt counts. Only while
    /// the packet is `mapped` or `queued` and not draining, and while no message on a rung above may have reached the person
    /// ([`SettleOutcome::RungAboveWent`]). From then on the message is
    /// [`redialled`](crate::domain::message::MessageState::redialled): whatever would skip, expire, cancel or fail it is the event
    /// `redial_dropped`, and leaves it undelivered.
    RedialPermitted {
        /// Not before this instant.
        not_before: DateTime<Utc>,
        /// Not at or after this instant.
        legal_until: DateTime<Utc>,
    },
    /// Nothing will decide it → stays unknown, closed.
    GivenUp,
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleOutcome {
    /// Applied; this is the status now.
    Applied(MessageStatus),
    /// Another attempt is the latest (and in work, or this is no proof of acceptance), the status does not allow it (evidence came
    /// first), the attempt is a call after which another was permitted, its packet takes no call any more, or the message was given up and this is
    /// no evidence. Nothing changed, but that an acceptance is kept with its attempt, and the provider's id with it if none was known.
    Stale(MessageStatus),
    /// The call is not to be made again: a message that goes only when this one has brought nothing has an attempt that is not
    /// proven not to have arrived. Nothing changed.
    RungAboveWent,
    /// There is no such message in the packet.
    Missing,
}

/// An attempt that nobody has settled, or that is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAttempt {
    /// Where it is stored.
    pub location: AttemptLocation,
    /// The attempt.
    pub attempt: Attempt,
    /// How many attempts of the message counted, this one included.
    pub attempts: u32,
    /// When the appointment is, if there is one.
    pub appointment_at: Option<DateTime<Utc>>,
}
