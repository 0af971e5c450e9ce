//! The course of sending, as if messages were a liquid.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::share::{Claim, share};
use super::{Load, WindowForecast};
use crate::ids::{CampaignId, CompanyId};

/// Less than this of a message is none.
const NOTHING: f64 = 1e-6;

/// What becomes of the windows of each load, by position, when the provider takes `capacity` messages a second from `now` on
/// and sending goes as dispatch does it: companies share by weight, a company's packets equally, nobody gets more than its own
/// limits, and within a packet the window that closes first goes first.
///
/// Messages are divisible here, and a limit lets out the same in every moment: the truth differs by no more than the limit lets
/// out at once.
///
/// ```
/// # use std::num::NonZeroU32;
/// # use chrono::{DateTime, TimeDelta};
/// # use uuid::Uuid;
/// use reminderly_core::domain::contact_method::ContactMethod;
/// use reminderly_core::domain::forecast::{Load, WaitingWindow, forecast};
///
/// # let now = DateTime::UNIX_EPOCH;
/// # let id = Uuid::from_u128(1);
/// let window = WaitingWindow {
///     method: ContactMethod::Sms,
///     opens_at: now,
///     closes_at: now + TimeDelta::minutes(10),
///     messages: 1_000,
/// };
/// let load = Load {
///     company: id.into(),
///     weight: NonZeroU32::MIN,
///     company_rate: f64::INFINITY,
///     campaign: id.into(),
///     campaign_rate: 1.0,
///     packet: id.into(),
///     windows: vec![window],
/// };
/// // 600 of them go in ten minutes at one a second.
/// assert_eq!(forecast(now, 50.0, &[load])[0][0].unsent, 400);
/// ```
pub fn forecast(now: DateTime<Utc>, capacity: f64, loads: &[Load]) -> Vec<Vec<WindowForecast>> {
    let mut course = Course::new(now, loads);
    while course.step(capacity) {}
    let sent = course.streams.into_iter().zip(loads);
    sent.map(|(stream, load)| {
        load.windows
            .iter()
            .zip(stream.parts)
            .map(|(window, part)| WindowForecast {
                method: window.method,
                opens_at: window.opens_at,
                closes_at: window.closes_at,
                waiting: window.messages,
                rate: part.rate(),
                unsent: whole(part.left),
            })
            .collect()
    })
    .collect()
}

/// Where sending stands at one moment; times are seconds from the beginning.
struct Course<'a> {
    at: f64,
    loads: &'a [Load],
    streams: Vec<Stream>,
}

/// What a load has left.
struct Stream {
    parts: Vec<Part>,
}

/// A window's messages.
struct Part {
    opens: f64,
    closes: f64,
    messages: f64,
    left: f64,
    gone_at: Option<f64>,
}

impl Part {
    fn is_open(&self, at: f64) -> bool {
        self.left > NOTHING && self.opens <= at && at < self.closes
    }

    fn rate(&self) -> f64 {
        let seconds = self.gone_at.unwrap_or(self.closes) - self.opens;
        if seconds > 0.0 { (self.messages - self.left) / seconds } else { 0.0 }
    }
}

impl Stream {
    /// Of those that are open, the one that closes first.
    fn next(&mut self, at: f64) -> Option<&mut Part> {
        let open = self.parts.iter_mut().filter(|part| part.is_open(at));
        open.min_by(|a, b| a.closes.total_cmp(&b.closes))
    }

    fn is_busy(&self, at: f64) -> bool {
        self.parts.iter().any(|part| part.is_open(at))
    }

    /// When something begins or ends of itself.
    fn turns(&self, at: f64) -> impl Iterator<Item = f64> {
        let waiting = self.parts.iter().filter(|part| part.left > NOTHING);
        waiting.flat_map(|part| [part.opens, part.closes]).filter(move |turn| *turn > at)
    }
}

impl<'a> Course<'a> {
    fn new(now: DateTime<Utc>, loads: &'a [Load]) -> Self {
        let after = |instant: DateTime<Utc>| (instant - now).to_std().unwrap_or(Duration::ZERO).as_secs_f64();
        let stream = |load: &Load| Stream {
            parts: load
                .windows
                .iter()
                .map(|window| {
                    let messages = float(window.messages);
                    let (opens, closes) = (after(window.opens_at), after(window.closes_at));
                    Part { opens, closes, messages, left: messages, gone_at: None }
                })
                .collect(),
        };
        Self { at: 0.0, loads, streams: loads.iter().map(stream).collect() }
    }

    /// Goes on to the next moment at which anything changes; `false` at the end.
    fn step(&mut self, capacity: f64) -> bool {
        let at = self.at;
        let rates = self.rates(capacity);
        let turns = self.streams.iter().flat_map(|stream| stream.turns(at)).min_by(f64::total_cmp);
        let mut until = turns.unwrap_or(f64::INFINITY);
        for (stream, rate) in self.streams.iter_mut().zip(&rates) {
            if let Some(part) = stream.next(at)
                && *rate > 0.0
            {
                until = until.min(at + part.left / rate);
            }
        }
        if !until.is_finite() {
            return false;
        }
        for (stream, rate) in self.streams.iter_mut().zip(&rates) {
            let Some(part) = stream.next(at) else { continue };
            part.left = if rate.is_finite() { part.left - rate * (until - at) } else { 0.0 };
            if part.left <= NOTHING {
                part.left = 0.0;
                part.gone_at = Some(until);
            }
        }
        self.at = until;
        true
    }

    /// At how many messages a second each load goes now.
    fn rates(&self, capacity: f64) -> Vec<f64> {
        let busy: Vec<bool> = self.streams.iter().map(|stream| stream.is_busy(self.at)).collect();
        let mut of_campaign: BTreeMap<CampaignId, f64> = BTreeMap::new();
        let mut of_company: BTreeMap<CompanyId, Vec<usize>> = BTreeMap::new();
        for (index, (load, _)) in self.loads.iter().zip(&busy).enumerate().filter(|(_, (_, busy))| **busy) {
            *of_campaign.entry(load.campaign).or_default() += 1.0;
            of_company.entry(load.company).or_default().push(index);
        }
        // A campaign's limit is shared by those of its packets that are busy.
        let most = |load: &Load| load.campaign_rate / of_campaign.get(&load.campaign).copied().unwrap_or(1.0);
        let load = |index: usize| self.loads.get(index);
        let companies: Vec<Claim> = of_company
            .values()
            .filter_map(|members| {
                let first = load(*members.first()?)?;
                let together: f64 = members.iter().filter_map(|index| load(*index)).map(most).sum();
                let weight = f64::from(first.weight.get());
                Some(Claim { weight, most: together.min(first.company_rate) })
            })
            .collect();
        let mut rates = vec![0.0; self.loads.len()];
        for (members, whole) in of_company.values().zip(share(capacity, &companies)) {
            let claims: Vec<Claim> = members
                .iter()
                .filter_map(|index| load(*index))
                .map(|load| Claim { weight: 1.0, most: most(load) })
                .collect();
            for (index, rate) in members.iter().zip(share(whole, &claims)) {
                if let Some(place) = rates.get_mut(*index) {
                    *place = rate;
                }
            }
        }
        rates
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody waits with 2^53 messages")]
fn float(messages: u64) -> f64 {
    messages as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is not negative and no more than what was a whole number"
)]
fn whole(messages: f64) -> u64 {
    (messages - NOTHING * 10.0).ceil().max(0.0) as u64
}
