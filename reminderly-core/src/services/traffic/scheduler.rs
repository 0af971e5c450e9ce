//! Waiting for permits.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use chrono::{DateTime, Utc};
use futures::future::{Either, poll_fn, select};

use super::limits::Limit;
use super::permit::Permit;
use super::state::{State, Ticket, TicketId};
use crate::clock::{Clock, Monotonic};
use crate::domain::contact_method::ContactMethod;
use crate::ids::{CompanyId, PacketId};

/// Who asks for permits.
#[derive(Debug, Clone)]
pub(in crate::services) struct Request {
    pub(in crate::services) company: CompanyId,
    pub(in crate::services) packet: PacketId,
    /// By which the messages go: what holds one method of a packet up lets the others pass.
    pub(in crate::services) method: ContactMethod,
    /// The company's share beside others.
    pub(in crate::services) weight: NonZeroU32,
    /// All of the messages' limits; without any, nobody waits.
    pub(in crate::services) limits: Arc<[Limit]>,
    /// When the first of the messages' windows closes.
    pub(in crate::services) closes_at: Option<DateTime<Utc>>,
    /// For how many messages; at least one.
    pub(in crate::services) messages: u64,
}

/// Gives permits to all pollers of a process.
#[derive(Debug)]
pub(in crate::services) struct Scheduler {
    pub(super) clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl Scheduler {
    pub(in crate::services) fn new(clock: Arc<dyn Clock>, workers: NonZeroU32) -> Self {
        Self { clock, state: Mutex::new(State::new(workers)) }
    }

    /// Waits until it is the request's turn and all of its limits have room for at least one message; the permit says for how
    /// many. Dropping the future leaves the line and takes nothing.
    pub(in crate::services) async fn acquire(&self, request: &Request) -> Permit<'_> {
        if request.limits.is_empty() {
            return Permit::new(self, &request.limits, request.messages);
        }
        let place = Place { scheduler: self, id: self.join(request) };
        loop {
            let (granted, watch) = {
                let mut state = self.lock();
                (state.fetch(place.id), state.leads(place.id).then_some(state.next_at).flatten())
            };
            if let Some(granted) = granted {
                return Permit::new(self, &request.limits, granted);
            }
            match watch {
                None => place.called().await,
                Some(at) => {
                    let wake = self.clock.sleep_until(self.clock.now() + at.since(self.clock.monotonic()));
                    match select(Box::pin(place.called()), wake).await {
                        Either::Left(_) => {}
                        Either::Right(_) => self.with(State::pump),
                    }
                }
            }
        }
    }

    /// Does something with the state and then, without the lock, wakes whom it concerns.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut State, Monotonic, &mut Vec<Waker>) -> T) -> T {
        let mut wakers = Vec::new();
        let result = work(&mut self.lock(), self.clock.monotonic(), &mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        result
    }

    fn join(&self, request: &Request) -> TicketId {
        let ticket = Ticket {
            company: request.company,
            packet: request.packet,
            method: request.method,
            weight: request.weight,
            limits: Arc::clone(&request.limits),
            closes_at: request.closes_at,
            wanted: request.messages.max(1),
            granted: 0,
            called: false,
            waker: None,
        };
        self.with(|state, now, wakers| state.join(ticket, now, wakers))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line, given up when it is dropped.
struct Place<'a> {
    scheduler: &'a Scheduler,
    id: TicketId,
}

impl Place<'_> {
    /// Returns when there is something to look at.
    async fn called(&self) {
        poll_fn(|context| {
            let mut state = self.scheduler.lock();
            let Some(ticket) = state.ticket(self.id) else { return Poll::Ready(()) };
            if std::mem::take(&mut ticket.called) {
                return Poll::Ready(());
            }
            ticket.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.scheduler.with(|state, now, wakers| {
            if state.ticket(self.id).is_some() {
                state.abandon(self.id, now, wakers);
            }
        });
    }
}
