//! A state of the model: what the store, the queue, the provider, the workers and the sweeps hold at one moment.

use std::cmp::Reverse;

use reminderly_core::domain::message_status::MessageStatus;

use super::attempt::{Outcome, Report};
use super::packed::{Packer, Unpacker};
use super::row::Row;
use super::verdict::Verdict;

/// The most attempts of a message.
pub(super) const ATTEMPTS: usize = 3;
/// The most messages.
pub(super) const MESSAGES: usize = 2;
/// The most workers.
pub(super) const WORKERS: usize = 3;
/// The most sweeps that are under way at a time.
pub(super) const SWEEPS: usize = 2;
/// The most faults that are counted.
pub(super) const FAULTS: u8 = 7;

/// A state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) messages: [Message; MESSAGES],
    pub(super) workers: [Worker; WORKERS],
    pub(super) pause: Command,
    pub(super) cancel: Command,
    /// The packet's mark `completing`.
    pub(super) completing: bool,
    pub(super) fleet: Fleet,
    /// What the sweeps under way are about to write.
    pub(super) sweeps: [Option<Settlement>; SWEEPS],
    /// How many faults there were, if they are counted.
    pub(super) faults: u8,
}

/// A message and what the world knows about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) row: Row<ATTEMPTS>,
    /// Its legal interval is over.
    pub(super) window_is_over: bool,
    pub(super) refusal: Command,
    pub(super) copies: u8,
    /// How long its latest attempt is ago, while that matters.
    pub(super) age: Age,
    /// The attempts beside which a recorded policy permits another request, as bits.
    pub(super) excused: u8,
    /// What the provider knows: the requests, by attempt.
    pub(super) requests: [Request; ATTEMPTS],
}

/// Something that forbids requests from one second after it was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    NotGiven,
    Acknowledged,
    /// More than a second ago.
    InForce,
}

/// How long an attempt is ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    Young,
    /// `answer_by` is past by the margin.
    Overdue,
    /// The quiet time is over: its request is provably dead, if it is not with the provider.
    Quiet,
}

/// A request, as the provider sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    NotMade,
    /// On its way; it may yet be accepted, whatever the worker believes.
    OnItsWay,
    Accepted,
    /// Refused, or lost on its way.
    Dead,
}

/// A worker; at most one message at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Worker {
    pub(super) step: Step,
    pub(super) message: u8,
    /// The number of its attempt; 0 if it has none.
    pub(super) epoch: u8,
    /// `start_by` is past.
    pub(super) is_late: bool,
}

/// Where a worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Idle,
    /// It has a copy.
    Received,
    /// It has asked the guards, outside the claim.
    Checked,
    /// It has asked for a claim, and has no answer.
    Unanswered,
    Claimed,
    /// It has asked the provider.
    Calling,
    SettlesAccepted,
    SettlesRefusedForNow,
    SettlesRefusedForGood,
    SettlesReturned,
    SettlesAmbiguous,
    /// The claim was refused for now.
    Snoozes,
    /// The claim was refused for good.
    Skips,
    Acks,
}

/// Where the fleet stands with ending the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fleet {
    Keeps,
    /// It has read that nothing is open, and is about to mark the packet.
    HasSeen,
    /// It has read it again since the packet is draining, and is about to end it.
    HasChecked,
    /// The packet has ended.
    Ended,
}

/// What a sweep has decided and not written yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settlement {
    pub(super) message: u8,
    pub(super) epoch: u8,
    pub(super) verdict: Verdict,
}

const COMMANDS: [Command; 3] = [Command::NotGiven, Command::Acknowledged, Command::InForce];
const AGES: [Age; 3] = [Age::Young, Age::Overdue, Age::Quiet];
const REQUESTS: [Request; 4] = [Request::NotMade, Request::OnItsWay, Request::Accepted, Request::Dead];
const FLEETS: [Fleet; 4] = [Fleet::Keeps, Fleet::HasSeen, Fleet::HasChecked, Fleet::Ended];
const STEPS: [Step; 14] = [
    Step::Idle,
    Step::Received,
    Step::Checked,
    Step::Unanswered,
    Step::Claimed,
    Step::Calling,
    Step::SettlesAccepted,
    Step::SettlesRefusedForNow,
    Step::SettlesRefusedForGood,
    Step::SettlesReturned,
    Step::SettlesAmbiguous,
    Step::Snoozes,
    Step::Skips,
    Step::Acks,
];

impl Step {
    /// What it is about to settle.
    pub(super) const fn verdict(self) -> Option<Verdict> {
        Some(match self {
            Self::SettlesAccepted => Verdict::Accepted,
            Self::SettlesRefusedForNow => Verdict::RefusedForNow,
            Self::SettlesRefusedForGood => Verdict::RefusedForGood,
            Self::SettlesReturned => Verdict::Returned,
            Self::SettlesAmbiguous => Verdict::Ambiguous,
            _ => return None,
        })
    }
}

impl Worker {
    pub(super) const IDLE: Self = Self { step: Step::Idle, message: 0, epoch: 0, is_late: false };

    /// At another step of the same attempt.
    pub(super) const fn at(self, step: Step) -> Self {
        Self { step, ..self }
    }

    /// Done with the message, but for the copy.
    pub(super) const fn done(self, step: Step) -> Self {
        Self { step, epoch: 0, is_late: false, ..self }
    }
}

impl State {
    /// So many planned messages, and nobody has done anything.
    pub(super) fn initial(messages: usize) -> Self {
        let message = Message {
            row: Row::planned(),
            window_is_over: false,
            refusal: Command::NotGiven,
            copies: 0,
            age: Age::Young,
            excused: 0,
            requests: [Request::NotMade; ATTEMPTS],
        };
        let mut state = Self {
            messages: [message; MESSAGES],
            workers: [Worker::IDLE; WORKERS],
            pause: Command::NotGiven,
            cancel: Command::NotGiven,
            completing: false,
            fleet: Fleet::Keeps,
            sweeps: [None; SWEEPS],
            faults: 0,
        };
        // A message that the packet does not have is one that has ended.
        state
            .messages
            .iter_mut()
            .skip(messages)
            .for_each(|message| message.row.status = MessageStatus::Skipped);
        state
    }

    /// Whether a message is open.
    pub(super) fn is_open(&self) -> bool {
        self.messages.iter().any(|message| message.row.is_open())
    }

    /// The same, but for where the fleet stands.
    pub(super) const fn with(self, fleet: Fleet) -> Self {
        Self { fleet, ..self }
    }

    /// Whether the packet takes no claims any more.
    pub(super) fn is_draining(&self) -> bool {
        self.completing || self.cancel != Command::NotGiven || self.fleet == Fleet::Ended
    }

    /// One number for all states that differ only in which worker is which and which message is which.
    pub(super) fn canonical(mut self, messages: usize) -> u128 {
        if messages < MESSAGES {
            return self.packed_in_order();
        }
        let [one, other] = self.messages.map(Message::packed);
        match one.cmp(&other) {
            std::cmp::Ordering::Less => self.packed_in_order(),
            std::cmp::Ordering::Greater => {
                self.swap_messages();
                self.packed_in_order()
            }
            std::cmp::Ordering::Equal => {
                let mut swapped = self;
                swapped.swap_messages();
                self.packed_in_order().min(swapped.packed_in_order())
            }
        }
    }

    /// All of it in 128 bits.
    pub(super) fn packed(&self) -> u128 {
        let mut packer = Packer::default();
        for message in self.messages {
            packer.put_bits(message.packed(), MESSAGE_BITS);
        }
        for worker in self.workers {
            packer.put(worker.packed(), WORKER_BITS);
        }
        packer.put(self.pause as u8, 2);
        packer.put(self.cancel as u8, 2);
        packer.put(u8::from(self.completing), 1);
        packer.put(self.fleet as u8, 2);
        for sweep in self.sweeps {
            packer.put(sweep.map_or(0, Settlement::packed), SWEEP_BITS);
        }
        packer.put(self.faults, 3);
        packer.finish()
    }

    /// What [`packed`](Self::packed) was made of.
    pub(super) fn unpacked(bits: u128) -> Self {
        let mut from = Unpacker(bits);
        let messages = std::array::from_fn(|_| Message::unpacked(&mut from));
        let workers = std::array::from_fn(|_| Worker::unpacked(&mut from));
        let pause = from.pick(&COMMANDS, 2);
        let cancel = from.pick(&COMMANDS, 2);
        let completing = from.take(1) == 1;
        let fleet = from.pick(&FLEETS, 2);
        let sweeps = std::array::from_fn(|_| Settlement::unpacked(&mut from));
        Self { messages, workers, pause, cancel, completing, fleet, sweeps, faults: from.take(3) }
    }

    fn packed_in_order(mut self) -> u128 {
        // The free places last: those beyond the bounds are never used.
        self.workers.sort_unstable_by_key(|worker| Reverse(worker.packed()));
        self.sweeps.sort_unstable_by_key(|sweep| Reverse(sweep.map_or(0, Settlement::packed)));
        self.packed()
    }

    fn swap_messages(&mut self) {
        self.messages.swap(0, 1);
        for worker in self.workers.iter_mut().filter(|worker| worker.step != Step::Idle) {
            worker.message = 1 - worker.message;
        }
        for settlement in self.sweeps.iter_mut().flatten() {
            settlement.message = 1 - settlement.message;
        }
    }
}

const MESSAGE_BITS: u32 = 40;
const WORKER_BITS: u32 = 8;
const SWEEP_BITS: u32 = 7;

/// What stands for `unknown` and held, beside the statuses.
const HELD: u8 = 11;

/// How often a message was claimed, and how many of these attempts count, by the number of the pair.
const CLAIMS_AND_ATTEMPTS: [(u8, u8); 10] =
    [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1), (3, 2), (3, 3)];

impl Message {
    fn packed(self) -> u128 {
        let mut packer = Packer::default();
        let row = &self.row;
        // Only what is unknown is held, and no more attempts count than were claimed: the pairs of both have numbers below 10.
        let status = if row.held { HELD } else { row.status as u8 };
        packer.put(status * 10 + row.epoch * (row.epoch + 1) / 2 + row.attempts, 7);
        packer.put(u8::from(row.copied), 1);
        packer.put(u8::from(row.redialled), 1);
        for epoch in 1..=3 {
            let found = row.attempt(epoch).unwrap_or_default();
            packer.put(found.outcome as u8, 3);
            packer.put(found.report as u8, 2);
        }
        packer.put(u8::from(self.window_is_over), 1);
        packer.put(self.refusal as u8, 2);
        packer.put(self.copies, 2);
        packer.put(self.age as u8, 2);
        packer.put(self.excused, 3);
        for request in self.requests {
            packer.put(request as u8, 2);
        }
        packer.finish()
    }

    fn unpacked(from: &mut Unpacker) -> Self {
        let mut row = Row::planned();
        let number = from.take(7);
        let status = number / 10;
        row.held = status == HELD;
        row.status = if row.held { MessageStatus::Unknown } else { MessageStatus::ALL[usize::from(status)] };
        (row.epoch, row.attempts) = CLAIMS_AND_ATTEMPTS[usize::from(number % 10)];
        row.copied = from.take(1) == 1;
        row.redialled = from.take(1) == 1;
        for epoch in 1..=3 {
            let (outcome, report) = (from.pick(&Outcome::ALL, 3), from.pick(&Report::ALL, 2));
            if let Some(found) = row.attempt_mut(epoch) {
                (found.outcome, found.report) = (outcome, report);
            }
        }
        let window_is_over = from.take(1) == 1;
        let refusal = from.pick(&COMMANDS, 2);
        let copies = from.take(2);
        let age = from.pick(&AGES, 2);
        let excused = from.take(3);
        let requests = std::array::from_fn(|_| from.pick(&REQUESTS, 2));
        Self { row, window_is_over, refusal, copies, age, excused, requests }
    }
}

impl Worker {
    fn packed(self) -> u8 {
        let step = self.step as u8;
        step << 4 | self.message << 3 | self.epoch << 1 | u8::from(self.is_late)
    }

    fn unpacked(from: &mut Unpacker) -> Self {
        let bits = from.take(8);
        Self {
            step: STEPS[usize::from(bits >> 4)],
            message: bits >> 3 & 1,
            epoch: bits >> 1 & 3,
            is_late: bits & 1 == 1,
        }
    }
}

impl Settlement {
    /// Not 0: that is none.
    fn packed(self) -> u8 {
        self.message << 6 | self.epoch << 4 | (self.verdict as u8 + 1)
    }

    fn unpacked(from: &mut Unpacker) -> Option<Self> {
        let bits = from.take(SWEEP_BITS);
        let verdict = *Verdict::ALL.get(usize::from(bits & 15).checked_sub(1)?)?;
        Some(Self { message: bits >> 6, epoch: bits >> 4 & 3, verdict })
    }
}
