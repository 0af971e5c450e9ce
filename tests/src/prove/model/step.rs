//! What can happen in a state, and what comes of it: feeder, queue, time and commands here; workers, provider and sweeps in modules of
//! their own. Every action is one transaction of the store, one call of the queue or the provider, or a moment that passes.

mod ending;
mod provider;
mod sweeps;
mod worker;

use reminderly_core::domain::message_status::{MessageEvent, MessageStatus};

use super::action::{Action, Deed};
use super::bounds::{Bounds, Faults, Given, Policy};
use super::state::{Age, Command, Fleet, Message, Request, State, Step, Worker};
use super::variant::Wrong;

/// What comes of an action.
pub(super) type Next = Result<State, Wrong>;

/// Tells all that can happen in a state.
pub(super) struct Moves<'a, F> {
    bounds: &'a Bounds,
    state: State,
    tell: F,
}

/// Tells all that can happen in a state. In a packet that has ended nothing does.
pub(super) fn moves(bounds: &Bounds, state: State, tell: impl FnMut(Action, Next)) {
    if state.fleet == Fleet::Ended {
        return;
    }
    let mut moves = Moves { bounds, state, tell };
    for message in (0..2).take(bounds.messages) {
        moves.feeder(message);
        moves.queue(message);
        moves.time(message);
        moves.person(message);
        moves.provider(message);
        moves.sweeps(message);
    }
    for worker in (0..3).take(bounds.workers) {
        moves.worker(worker);
    }
    moves.second();
    moves.operator();
    for sweep in 0..bounds.sweeps {
        moves.write_of_sweep(sweep);
    }
    moves.fleet();
}

impl<F: FnMut(Action, Next)> Moves<'_, F> {
    fn tell(&mut self, action: Action, next: State) {
        self.conclude(action, Ok(next));
    }

    fn conclude(&mut self, action: Action, next: Next) {
        let next = next.and_then(|next| match next.fleet {
            Fleet::Ended if next.is_open() => Err(Wrong::EndedOpen),
            Fleet::Ended if !next.messages.iter().all(is_true) => Err(Wrong::EndedUntrue),
            _ => Ok(next),
        });
        let policy = self.bounds.policy;
        (self.tell)(action, next.map(|next| tidied(next, policy)));
    }

    /// A state in which one fault more has happened, if one more may.
    fn faulty(&self, deed: Deed) -> Option<State> {
        match self.bounds.faults {
            Faults::Any => Some(self.state),
            Faults::CrashesOnly => (deed == Deed::Crash).then_some(self.state),
            Faults::UpTo(most) if self.state.faults < most => {
                Some(State { faults: self.state.faults + 1, ..self.state })
            }
            Faults::UpTo(_) => None,
        }
    }

    fn message(&self, message: u8) -> &Message {
        &self.state.messages[usize::from(message)]
    }

    fn feeder(&mut self, id: u8) {
        let message = *self.message(id);
        let sends = !self.state.is_draining() && self.state.pause == Command::NotGiven;
        let waits_for_copy = message.row.copied && !self.bounds.variant.makes_lost_copies_again();
        if !message.row.waits() || !sends || waits_for_copy {
            return;
        }
        if message.window_is_over {
            let mut again = self.state;
            of(&mut again, id).window_is_over = false;
            of(&mut again, id).row.close(MessageEvent::Snoozed);
            self.tell(Deed::PlanAgain.to(id), again);
            let mut closed = self.state;
            let event = match message.row.status {
                MessageStatus::Planned => MessageEvent::Skipped,
                _ => MessageEvent::Expired,
            };
            of(&mut closed, id).row.close(event);
            self.tell(Deed::Expire.to(id), closed);
            return;
        }
        if message.copies >= self.bounds.copies {
            return;
        }
        // A copy that is only slow is presumed lost as well: that is a fault.
        let (deed, next) = match (message.row.copied, message.copies) {
            (false, _) => (Deed::HandOver, Some(self.state)),
            (true, 0) => (Deed::HandOverAgain, Some(self.state)),
            (true, _) => (Deed::HandOverAgain, self.faulty(Deed::HandOverAgain)),
        };
        let Some(mut next) = next else { return };
        of(&mut next, id).row.hand_over();
        of(&mut next, id).copies += 1;
        self.tell(deed.to(id), next);
    }

    fn queue(&mut self, id: u8) {
        let copies = self.message(id).copies;
        if copies == 0 {
            return;
        }
        if let Some(mut lost) = self.faulty(Deed::LoseCopy) {
            of(&mut lost, id).copies -= 1;
            self.tell(Deed::LoseCopy.to(id), lost);
        }
        if copies < self.bounds.copies
            && let Some(mut doubled) = self.faulty(Deed::DoubleCopy)
        {
            of(&mut doubled, id).copies += 1;
            self.tell(Deed::DoubleCopy.to(id), doubled);
        }
    }

    fn time(&mut self, id: u8) {
        let message = *self.message(id);
        let in_doubt = match message.row.status {
            MessageStatus::Sending => true,
            MessageStatus::Unknown => !message.row.held,
            _ => false,
        };
        let mut next = self.state;
        match message.age {
            Age::Young if in_doubt => {
                of(&mut next, id).age = Age::Overdue;
                late(&mut next, id, Some(message.row.epoch));
                self.tell(Deed::AnswerByPasses.to(id), next);
            }
            // What is on its way has arrived or died by then.
            Age::Overdue if in_doubt && request(&message, message.row.epoch) != Request::OnItsWay => {
                of(&mut next, id).age = Age::Quiet;
                self.tell(Deed::QuietTimePasses.to(id), next);
            }
            _ => {}
        }
    }

    fn person(&mut self, id: u8) {
        let message = *self.message(id);
        let concerns = message.row.waits()
            || matches!(message.row.status, MessageStatus::Sending | MessageStatus::Unknown);
        if !concerns {
            return;
        }
        if self.may(Given::WindowEnds) && !message.window_is_over {
            let mut next = self.state;
            of(&mut next, id).window_is_over = true;
            late(&mut next, id, None);
            self.tell(Deed::WindowEnds.to(id), next);
        }
        if self.may(Given::OptOut) && message.refusal == Command::NotGiven {
            let mut next = self.state;
            of(&mut next, id).refusal = Command::Acknowledged;
            self.tell(Deed::OptOut.to(id), next);
        }
    }

    fn operator(&mut self) {
        let (state, open) = (self.state, self.state.is_open());
        if self.may(Given::Pause) && state.pause == Command::NotGiven && open {
            self.tell(Deed::Pause.to_all(), State { pause: Command::Acknowledged, ..state });
        }
        if state.pause != Command::NotGiven {
            self.tell(Deed::Resume.to_all(), State { pause: Command::NotGiven, ..state });
        }
        if self.may(Given::Cancel) && state.cancel == Command::NotGiven && open {
            let next = State { cancel: Command::Acknowledged, completing: false, ..state };
            self.tell(Deed::Cancel.to_all(), next);
        }
    }

    /// A second passes: what was claimed before is late, and what was acknowledged before is in force.
    fn second(&mut self) {
        let mut next = self.state;
        for worker in &mut next.workers {
            worker.is_late |= matches!(worker.step, Step::Claimed | Step::Unanswered);
        }
        for message in &mut next.messages {
            message.refusal = aged(message.refusal);
        }
        next.pause = aged(next.pause);
        next.cancel = aged(next.cancel);
        if next != self.state {
            self.tell(Deed::SecondPasses.to_all(), next);
        }
    }

    fn may(&self, given: Given) -> bool {
        self.bounds.commands.contains(&given)
    }
}

/// The message of this number.
fn of(state: &mut State, id: u8) -> &mut Message {
    &mut state.messages[usize::from(id)]
}

fn worker_of(state: &mut State, id: u8) -> &mut Worker {
    &mut state.workers[usize::from(id)]
}

/// Whether what is recorded of a message that has ended is what the provider knows.
fn is_true(message: &Message) -> bool {
    match message.row.status {
        MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Undelivered => {
            message.requests.contains(&Request::Accepted)
        }
        MessageStatus::Unknown => true,
        _ => !has_live_request(message),
    }
}

/// Whether a request was accepted, or may yet be, beside which no policy permits another.
fn has_live_request(message: &Message) -> bool {
    message.requests.iter().zip(0..).any(|(request, place)| {
        matches!(request, Request::OnItsWay | Request::Accepted) && message.excused >> place & 1 == 0
    })
}

/// The request of an attempt.
fn request(message: &Message, epoch: u8) -> Request {
    let place = usize::from(epoch).checked_sub(1);
    place.map_or(Request::NotMade, |place| message.requests[place])
}

/// Permits another request beside that of this attempt.
fn excuse(message: &mut Message, epoch: u8) {
    if let Some(place) = epoch.checked_sub(1) {
        message.excused |= 1 << place;
    }
}

fn set_request(message: &mut Message, epoch: u8, request: Request) {
    if let Some(place) = usize::from(epoch).checked_sub(1) {
        message.requests[place] = request;
    }
}

const fn aged(command: Command) -> Command {
    match command {
        Command::NotGiven => Command::NotGiven,
        Command::Acknowledged | Command::InForce => Command::InForce,
    }
}

/// Whoever has this claim of the message, or any, may not start its request any more.
fn late(state: &mut State, id: u8, epoch: Option<u8>) {
    for worker in &mut state.workers {
        let concerned = matches!(worker.step, Step::Claimed | Step::Unanswered) && worker.message == id;
        worker.is_late |= concerned && epoch.is_none_or(|epoch| worker.epoch == epoch);
    }
}

/// Without what makes no difference any more.
fn tidied(mut state: State, policy: Policy) -> State {
    for worker in &mut state.workers {
        worker.is_late &= matches!(worker.step, Step::Claimed | Step::Unanswered);
    }
    for message in &mut state.messages {
        let row = &message.row;
        if !matches!(row.status, MessageStatus::Sending | MessageStatus::Unknown) || row.held {
            message.age = Age::Young;
        }
        // What has ended is over, but for a call that may be made again.
        if !row.is_open() && policy != Policy::Redial {
            message.window_is_over = false;
            message.refusal = Command::NotGiven;
        }
    }
    if !state.is_open() && policy != Policy::Redial {
        state.pause = Command::NotGiven;
    }
    state
}
