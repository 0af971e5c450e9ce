//! All that waits and all that counts, and who is next.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::Waker;

use chrono::{DateTime, Utc};

use super::fair_line::{FairLine, Turn};
use super::limits::{Counted, Limit, LimitOf};
use super::sliding_window::SlidingWindow;
use crate::clock::Monotonic;
use crate::domain::contact_method::ContactMethod;
use crate::ids::{CompanyId, PacketId};
use crate::ports::provider::RateScope;

/// How many windows are kept before idle ones are dropped; again when they have doubled.
const KEPT_WINDOWS: usize = 1_024;

pub(super) type TicketId = u64;

/// What companies share: the first of a provider's scopes. Without one, only limits of their own hold anybody up.
pub(super) type PoolKey = Option<RateScope>;

/// A slice that waits.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) company: CompanyId,
    pub(super) packet: PacketId,
    pub(super) method: ContactMethod,
    pub(super) weight: NonZeroU32,
    pub(super) limits: Arc<[Limit]>,
    pub(super) closes_at: Option<DateTime<Utc>>,
    pub(super) wanted: u64,
    pub(super) granted: u64,
    /// There is something to look at.
    pub(super) called: bool,
    pub(super) waker: Option<Waker>,
}

/// The lines in front of one account.
#[derive(Debug, Default)]
struct Pool {
    companies: FairLine<CompanyId>,
    packets: HashMap<CompanyId, FairLine<PacketId>>,
    /// Those that wait, by packet and method, which may have limits of their own: the window that closes first, then who came
    /// first.
    tickets: BTreeSet<(PacketId, ContactMethod, DateTime<Utc>, TicketId)>,
}

#[derive(Debug)]
pub(super) struct State {
    workers: NonZeroU32,
    windows: HashMap<Counted, SlidingWindow>,
    tidy_at: usize,
    pools: BTreeMap<PoolKey, Pool>,
    tickets: HashMap<TicketId, Ticket>,
    last_ticket: TicketId,
    /// The pool that was served last: those that share a limit of a company or campaign take turns.
    last_pool: Option<PoolKey>,
    /// Of those that wait, the one that watches the clock.
    leader: Option<TicketId>,
    /// When somebody might get room, by what is known.
    pub(super) next_at: Option<Monotonic>,
}

/// Why a ticket gets nothing now.
#[derive(Clone, Copy)]
enum Blocked {
    /// By what its pool shares: nobody in it gets anything.
    Pool,
    /// By another limit of the provider.
    Shared,
    /// By limits of its company or campaign only.
    Own,
}

fn pool_of(limits: &[Limit]) -> PoolKey {
    limits.iter().find_map(|limit| match &limit.of {
        LimitOf::Provider(scope) => Some(scope.clone()),
        _ => None,
    })
}

fn place_of(ticket: &Ticket, id: TicketId) -> (PacketId, ContactMethod, DateTime<Utc>, TicketId) {
    (ticket.packet, ticket.method, ticket.closes_at.unwrap_or(DateTime::<Utc>::MAX_UTC), id)
}

impl State {
    pub(super) fn new(workers: NonZeroU32) -> Self {
        Self {
            workers,
            windows: HashMap::new(),
            tidy_at: KEPT_WINDOWS,
            pools: BTreeMap::new(),
            tickets: HashMap::new(),
            last_ticket: 0,
            last_pool: None,
            leader: None,
            next_at: None,
        }
    }

    pub(super) fn ticket(&mut self, id: TicketId) -> Option<&mut Ticket> {
        self.tickets.get_mut(&id)
    }

    pub(super) fn leads(&self, id: TicketId) -> bool {
        self.leader == Some(id)
    }

    /// Puts a ticket into its line; whoever can go now goes.
    pub(super) fn join(&mut self, ticket: Ticket, now: Monotonic, wakers: &mut Vec<Waker>) -> TicketId {
        self.last_ticket += 1;
        let id = self.last_ticket;
        let pool = self.pools.entry(pool_of(&ticket.limits)).or_default();
        pool.companies.join(ticket.company, ticket.weight);
        pool.packets.entry(ticket.company).or_default().join(ticket.packet, NonZeroU32::MIN);
        pool.tickets.insert(place_of(&ticket, id));
        self.tickets.insert(id, ticket);
        self.pump(now, wakers);
        id
    }

    /// Takes a ticket out of its line. What it was given and has not fetched is there for others.
    pub(super) fn abandon(&mut self, id: TicketId, now: Monotonic, wakers: &mut Vec<Waker>) {
        self.leave_line(id);
        let Some(ticket) = self.tickets.remove(&id) else { return };
        if self.leader == Some(id) {
            self.leader = None;
        }
        if ticket.granted > 0 {
            self.each_window(&ticket.limits, |window| window.give_back(ticket.granted));
        }
        self.pump(now, wakers);
    }

    /// Hands a ticket what it was given, and forgets it.
    pub(super) fn fetch(&mut self, id: TicketId) -> Option<u64> {
        let granted = self.tickets.get(&id).map(|ticket| ticket.granted).filter(|granted| *granted > 0)?;
        self.tickets.remove(&id);
        Some(granted)
    }

    /// Changes the windows of these limits; whoever can go by that goes.
    pub(super) fn change(
        &mut self,
        limits: &[Limit],
        now: Monotonic,
        wakers: &mut Vec<Waker>,
        change: impl FnMut(&mut SlidingWindow),
    ) {
        self.each_window(limits, change);
        if !self.tickets.is_empty() {
            self.pump(now, wakers);
        }
    }

    /// Gives out what there is room for, each time to whose turn it is, and sees to it that somebody watches the clock.
    pub(super) fn pump(&mut self, now: Monotonic, wakers: &mut Vec<Waker>) {
        let before = self.next_at.take();
        let mut keys: Vec<PoolKey> = self
            .pools
            .iter()
            .filter(|(_, pool)| !pool.companies.is_empty())
            .map(|(key, _)| key.clone())
            .collect();
        let served = keys.partition_point(|key| self.last_pool.as_ref().is_some_and(|last| key <= last));
        keys.rotate_left(served);
        for key in keys {
            self.pump_pool(&key, now, wakers);
        }
        self.tidy(now);
        self.appoint(before, wakers);
    }

    /// What was blocked once stays so: room only shrinks meanwhile. So nobody is looked at twice without having been served.
    fn pump_pool(&mut self, key: &PoolKey, now: Monotonic, wakers: &mut Vec<Waker>) {
        let mut passed = None;
        loop {
            let Some(pool) = self.pools.get_mut(key) else { return };
            let Some(turn @ Turn(_, company)) = pool.companies.next_after(passed) else { return };
            match self.next_of(key, company, now) {
                Ok((packet, id, room)) => self.serve(key, (company, packet, id), room, wakers),
                Err(Blocked::Pool) => return,
                Err(Blocked::Shared) => passed = Some(turn),
                Err(Blocked::Own) => {
                    passed = Some(turn);
                    if let Some(pool) = self.pools.get_mut(key) {
                        pool.companies.hold_up(company);
                    }
                }
            }
        }
    }

    /// The next ticket of a company for which there is room, and how much.
    fn next_of(
        &mut self,
        key: &PoolKey,
        company: CompanyId,
        now: Monotonic,
    ) -> Result<(PacketId, TicketId, u64), Blocked> {
        let (mut passed, mut why) = (None, Blocked::Own);
        loop {
            let Some(pool) = self.pools.get(key) else { return Err(why) };
            let line = pool.packets.get(&company);
            let Some(turn @ Turn(_, packet)) = line.and_then(|line| line.next_after(passed)) else {
                return Err(why);
            };
            passed = Some(turn);
            let firsts = pool.firsts_of(packet);
            match self.first_with_room(key, firsts, now) {
                Ok(Some((id, room))) => return Ok((packet, id, room)),
                Ok(None) => {}
                Err(Blocked::Pool) => return Err(Blocked::Pool),
                Err(Blocked::Shared) => why = Blocked::Shared,
                Err(Blocked::Own) => {
                    if let Some(line) =
                        self.pools.get_mut(key).and_then(|pool| pool.packets.get_mut(&company))
                    {
                        line.hold_up(packet);
                    }
                }
            }
        }
    }

    /// Of a packet's tickets, one of each method, the first for which there is room, and how much; or why there is none.
    fn first_with_room(
        &mut self,
        key: &PoolKey,
        tickets: impl Iterator<Item = TicketId>,
        now: Monotonic,
    ) -> Result<Option<(TicketId, u64)>, Blocked> {
        let mut blocked = None;
        for id in tickets {
            let Some(limits) = self.tickets.get(&id).map(|ticket| Arc::clone(&ticket.limits)) else {
                continue;
            };
            match self.room(key, &limits, now) {
                Ok(room) => return Ok(Some((id, room))),
                Err(Blocked::Pool) => return Err(Blocked::Pool),
                Err(Blocked::Shared) => blocked = Some(Blocked::Shared),
                Err(Blocked::Own) => blocked = blocked.or(Some(Blocked::Own)),
            }
        }
        blocked.map_or(Ok(None), Err)
    }

    /// Gives the ticket what there is room for, unless its company or packet loses its turn by having been held up.
    fn serve(
        &mut self,
        key: &PoolKey,
        (company, packet, id): (CompanyId, PacketId, TicketId),
        room: u64,
        wakers: &mut Vec<Waker>,
    ) {
        let Some(pool) = self.pools.get_mut(key) else { return };
        let Some(line) = pool.packets.get_mut(&company) else { return };
        if line.go_on(packet) | pool.companies.go_on(company) {
            return;
        }
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        if self.last_pool.as_ref() != Some(key) {
            self.last_pool = Some(key.clone());
        }
        let granted = room.min(ticket.wanted);
        ticket.granted = granted;
        ticket.called = true;
        wakers.extend(ticket.waker.take());
        let limits = Arc::clone(&ticket.limits);
        line.serve(packet, granted);
        pool.companies.serve(company, granted);
        self.each_window(&limits, |window| window.reserve(granted));
        self.leave_line(id);
        if self.leader == Some(id) {
            self.leader = None;
        }
    }

    /// For how many messages every one of these limits has room.
    fn room(&mut self, pool: &PoolKey, limits: &[Limit], now: Monotonic) -> Result<u64, Blocked> {
        let (mut room, mut blocked, mut at) = (u64::MAX, None, Some(now));
        for limit in limits {
            let rate = limit.rate.share_of(self.workers);
            let window =
                self.windows.entry(limit.counted()).or_insert_with(|| SlidingWindow::new(limit.rate.per));
            let has = window.room(u64::from(rate.messages.get()), now);
            room = room.min(has);
            if has > 0 {
                continue;
            }
            let next = window.next_room();
            match &limit.of {
                LimitOf::Provider(scope) if pool.as_ref() == Some(scope) => {
                    self.next_at = self.next_at.into_iter().chain(next).min();
                    return Err(Blocked::Pool);
                }
                LimitOf::Provider(_) => blocked = Some(Blocked::Shared),
                LimitOf::Company(_) | LimitOf::Campaign(_) => blocked = blocked.or(Some(Blocked::Own)),
            }
            at = at.zip(next).map(|(at, next)| at.max(next));
        }
        match blocked {
            None => Ok(room),
            Some(blocked) => {
                self.next_at = self.next_at.into_iter().chain(at).min();
                Err(blocked)
            }
        }
    }

    fn leave_line(&mut self, id: TicketId) {
        let Some(ticket) = self.tickets.get(&id) else { return };
        let Some(pool) = self.pools.get_mut(&pool_of(&ticket.limits)) else { return };
        pool.tickets.remove(&place_of(ticket, id));
        if pool.firsts_of(ticket.packet).next().is_some() {
            return;
        }
        let Some(line) = pool.packets.get_mut(&ticket.company) else { return };
        line.leave(ticket.packet);
        if line.is_empty() {
            pool.companies.leave(ticket.company);
        }
    }

    fn each_window(&mut self, limits: &[Limit], mut change: impl FnMut(&mut SlidingWindow)) {
        for limit in limits {
            if let Some(window) = self.windows.get_mut(&limit.counted()) {
                change(window);
            }
        }
    }

    /// One of those that wait watches the clock; it is called when what it waits for has changed.
    fn appoint(&mut self, before: Option<Monotonic>, wakers: &mut Vec<Waker>) {
        let sooner = self.next_at.is_some_and(|next| before.is_none_or(|before| next < before));
        if self.leader.is_none() {
            self.leader = self.pools.values().find_map(|pool| pool.tickets.iter().map(|(.., id)| *id).next());
        } else if !sooner {
            return;
        }
        if let Some(ticket) = self.leader.and_then(|leader| self.tickets.get_mut(&leader)) {
            ticket.called = true;
            wakers.extend(ticket.waker.take());
        }
    }

    /// Drops windows in which nothing happened lately, and lines in which nobody has stood since.
    fn tidy(&mut self, now: Monotonic) {
        if self.windows.len() < self.tidy_at {
            return;
        }
        self.windows.retain(|_, window| !window.is_idle(now));
        self.tidy_at = KEPT_WINDOWS.max(2 * self.windows.len());
        for pool in self.pools.values_mut() {
            pool.packets.retain(|_, line| !line.is_empty());
        }
        self.pools.retain(|_, pool| !pool.companies.is_empty());
    }
}

impl Pool {
    /// The first ticket of each method of a packet, the window that closes first before the others.
    fn firsts_of(&self, packet: PacketId) -> impl Iterator<Item = TicketId> + use<> {
        let mut firsts = ContactMethod::ALL.map(|method| {
            let from = (packet, method, DateTime::<Utc>::MIN_UTC, TicketId::MIN);
            let to = (packet, method, DateTime::<Utc>::MAX_UTC, TicketId::MAX);
            self.tickets.range(from..=to).next().map(|(.., closes_at, id)| (*closes_at, *id))
        });
        firsts.sort_unstable();
        firsts.into_iter().flatten().map(|(_, id)| id)
    }
}
