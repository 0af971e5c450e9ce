//! Forecasts: whether what waits goes before its window closes, while something can still be done about it.

mod board;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use metrics::gauge;
use tracing::{info, warn};

use crate::domain::access::{Action, CompanyScope, PlatformScope};
use crate::domain::attempt::ProviderName;
use crate::domain::campaign::lifecycle::CampaignState;
use crate::domain::forecast::{Load, WaitingWindow, WindowForecast, forecast};
use crate::domain::packet::{Draining, Packet, PacketStage};
use crate::ids::{CampaignId, CompanyId, PacketId};
use crate::ports::provider::RateScope;
use crate::services::compiled::CompiledCampaigns;
use crate::services::traffic::{Limit, LimitOf, limits_of};
use crate::services::{Ports, ServiceError, Settings};

use board::{Board, Change};

const PACKETS_PER_PAGE: usize = 500;

/// How far ahead a forecast looks: messages that may not go before do not count.
const HORIZON: TimeDelta = TimeDelta::hours(24);

/// How many windows of one packet are looked at; those that close first.
const WINDOWS_OF_A_PACKET: usize = 100;

/// How many windows that share a provider are looked at; those of the packets whose first window closes first.
const WINDOWS_OF_A_POOL: usize = 2_000;

/// A forecast is taken back only when it would be good even if a twentieth less went: else it would come and go.
const DOUBT: f64 = 0.95;

/// What becomes of a packet's windows.
#[derive(Debug, Clone, PartialEq)]
pub struct PacketForecast {
    /// The company of the packet.
    pub company: CompanyId,
    /// The packet.
    pub packet: PacketId,
    /// Its windows, those of one method after those of another, and of them those that close first.
    pub windows: Vec<WindowForecast>,
}

/// Tells in time which windows will close on messages that have not gone.
///
/// What a provider takes is the least of its limits and what went lately while messages waited. Packets whose provider has no
/// limit are left out until something was seen to go, or not to go, for a minute.
#[derive(Debug, Clone)]
pub struct Forecasts {
    ports: Ports,
    settings: Settings,
    campaigns: Arc<CompiledCampaigns>,
    board: Arc<Mutex<Board>>,
}

/// What packets share: the first scope of a provider, or the provider itself.
type Pool = (Option<RateScope>, Option<ProviderName>);

/// Packets of one pool.
#[derive(Debug, Default)]
struct Crowd {
    /// By the pool's limits, messages a second.
    capacity: Option<f64>,
    loads: Vec<Load>,
}

impl Forecasts {
    /// The service over these ports. A clone has seen the same.
    pub fn new(ports: &Ports, settings: &Settings, campaigns: Arc<CompiledCampaigns>) -> Self {
        Self { ports: ports.clone(), settings: settings.clone(), campaigns, board: Arc::default() }
    }

    /// What becomes of the windows of a packet, beside everything else that waits for the same providers.
    ///
    /// # Errors
    ///
    /// [`ServiceError::NotFound`], [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn packet(
        &self,
        scope: &CompanyScope,
        packet: PacketId,
    ) -> Result<Vec<WindowForecast>, ServiceError> {
        let company = scope.require(Action::ViewReports)?;
        let missing = ServiceError::NotFound { what: "packet" };
        self.ports.store.packet(company, packet).await?.ok_or(missing)?;
        let crowds = self.crowds(self.ports.clock.now()).await?;
        let found = self.evaluate(&crowds, self.ports.clock.now(), 1.0);
        let found = found.into_iter().filter(|found| found.packet == packet);
        Ok(found.flat_map(|found| found.windows).collect())
    }

    /// Looks at all packets: remembers what has gone since the last look, tells of windows that will close with messages
    /// unsent when that is first seen, and when it is over. Call it every tick. Answers the packets that have such windows.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`] unless a worker asks; [`ServiceError::Store`].
    pub async fn look(&self, scope: &PlatformScope) -> Result<Vec<PacketForecast>, ServiceError> {
        scope.require_worker()?;
        let now = self.ports.clock.now();
        let crowds = self.crowds(now).await?;
        self.observe(&crowds, now).await?;
        let mut found = self.evaluate(&crowds, now, 1.0);
        let doubted = if self.board().is_calm() { found.clone() } else { self.evaluate(&crowds, now, DOUBT) };
        found.retain(|packet| packet.windows.iter().any(|window| window.unsent > 0));
        self.tell(&found, &doubted);
        Ok(found)
    }

    /// What waits, by what it waits for.
    async fn crowds(&self, now: DateTime<Utc>) -> Result<BTreeMap<Pool, Crowd>, ServiceError> {
        let mut crowds: BTreeMap<Pool, Crowd> = BTreeMap::new();
        let mut active: HashMap<CampaignId, bool> = HashMap::new();
        let mut after = None;
        loop {
            let page = self.ports.store.open_packets_across_companies(after, PACKETS_PER_PAGE).await?;
            let sending =
                |packet: &&Packet| packet.stage == PacketStage::Queued && packet.draining == Draining::Off;
            for packet in page.items.iter().filter(sending) {
                // What is paused takes nothing from the others, and whoever paused it knows what waits.
                if !self.is_active(packet, &mut active).await? {
                    continue;
                }
                let (store, until) = (&self.ports.store, now + HORIZON);
                let windows =
                    store.waiting_windows(packet.company, packet.id, now, until, WINDOWS_OF_A_PACKET).await?;
                let mut by_method: BTreeMap<_, Vec<WaitingWindow>> = BTreeMap::new();
                // What has closed already is the feeder's to plan again.
                for window in windows.into_iter().filter(|window| window.closes_at > now) {
                    by_method.entry(window.method).or_default().push(window);
                }
                for windows in by_method.into_values() {
                    self.join(packet, windows, &mut crowds).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        for crowd in crowds.values_mut() {
            let closes = |load: &Load| load.windows.iter().map(|window| window.closes_at).min();
            crowd.loads.sort_by_key(closes);
            let mut windows = 0;
            crowd.loads.retain(|load| {
                windows += load.windows.len();
                windows <= WINDOWS_OF_A_POOL
            });
        }
        Ok(crowds)
    }

    async fn is_active(
        &self,
        packet: &Packet,
        known: &mut HashMap<CampaignId, bool>,
    ) -> Result<bool, ServiceError> {
        if let Some(active) = known.get(&packet.campaign) {
            return Ok(*active);
        }
        let campaign = self.ports.store.campaign(packet.company, packet.campaign).await?;
        let active = campaign.is_some_and(|campaign| campaign.state == CampaignState::Active);
        known.insert(packet.campaign, active);
        Ok(active)
    }

    async fn join(
        &self,
        packet: &Packet,
        windows: Vec<WaitingWindow>,
        crowds: &mut BTreeMap<Pool, Crowd>,
    ) -> Result<(), ServiceError> {
        let Some(method) = windows.first().map(|window| window.method) else { return Ok(()) };
        let Some(provider) = self.ports.providers.route(packet.company, method) else { return Ok(()) };
        let (limits, sharing) = (provider.limits(), &self.settings.sharing);
        let shared = limits.rates.first().map(|limit| limit.of.clone());
        let name = shared.is_none().then(|| provider.name());
        let campaign = self.campaigns.usable(packet).await?;
        let per_minute = campaign.and_then(|campaign| campaign.definition().limits.per_minute);
        let limits = limits_of(&limits, packet.company, (packet.campaign, per_minute), sharing);
        let slowest = |of: &dyn Fn(&LimitOf) -> bool| {
            let rates = limits.iter().filter(|limit| of(&limit.of)).map(Limit::per_second);
            rates.min_by(f64::total_cmp)
        };
        let is_shared =
            |of: &LimitOf| matches!(of, LimitOf::Provider(scope) if Some(scope) == shared.as_ref());
        let crowd_rate = slowest(&is_shared);
        // Another limit of the provider's is taken for the campaign's: who else is slowed down by it is not known here.
        let own = slowest(&|of| !is_shared(of) && !matches!(of, LimitOf::Company(_)));
        let company_rate = slowest(&|of| matches!(of, LimitOf::Company(_)));
        let crowd = crowds.entry((shared.clone(), name)).or_default();
        crowd.capacity = crowd_rate;
        crowd.loads.push(Load {
            company: packet.company,
            weight: sharing.weight(packet.company),
            company_rate: company_rate.unwrap_or(f64::INFINITY),
            campaign: packet.campaign,
            campaign_rate: own.unwrap_or(f64::INFINITY),
            packet: packet.id,
            windows,
        });
        Ok(())
    }

    /// Notes for every pool how many messages have gone since the last look, if some waited all the time.
    async fn observe(&self, crowds: &BTreeMap<Pool, Crowd>, now: DateTime<Utc>) -> Result<(), ServiceError> {
        let mut gone = BTreeMap::new();
        for load in crowds.values().flat_map(|crowd| &crowd.loads) {
            let counts = self.ports.store.packet_counts(load.company, load.packet).await?;
            gone.insert(load.packet, board::gone(&counts));
        }
        let mut board = self.board();
        for (pool, crowd) in crowds {
            let waits = |load: &Load| load.windows.iter().any(|window| window.opens_at <= now);
            let waiting = crowd.loads.iter().filter(|load| waits(load));
            let packets: Vec<_> =
                waiting.filter_map(|load| Some((load.packet, *gone.get(&load.packet)?))).collect();
            board.note(pool.clone(), now, &packets);
        }
        board.forget_all_but(crowds.keys());
        Ok(())
    }

    fn evaluate(
        &self,
        crowds: &BTreeMap<Pool, Crowd>,
        now: DateTime<Utc>,
        confidence: f64,
    ) -> Vec<PacketForecast> {
        let mut found = Vec::new();
        for (pool, crowd) in crowds {
            let observed = self.board().rate(pool);
            let capacity = crowd.capacity.into_iter().chain(observed).min_by(f64::total_cmp);
            // Limits of their own are known even if nothing is known of the provider.
            let capacity = capacity.unwrap_or(f64::INFINITY) * confidence;
            let limited = |load: &&Load| load.company_rate.min(load.campaign_rate).is_finite();
            let known: Vec<Load> = if capacity.is_finite() {
                crowd.loads.clone()
            } else {
                crowd.loads.iter().filter(limited).cloned().collect()
            };
            let windows = forecast(now, capacity, &known);
            found.extend(known.iter().zip(windows).map(|(load, windows)| PacketForecast {
                company: load.company,
                packet: load.packet,
                windows,
            }));
        }
        found
    }

    fn tell(&self, found: &[PacketForecast], doubted: &[PacketForecast]) {
        let unsent: u64 = found.iter().flat_map(|packet| &packet.windows).map(|window| window.unsent).sum();
        gauge!("reminderly_window_unsent_forecast").set(as_gauge(unsent));
        for change in self.board().raise(found, doubted) {
            match change {
                Change::Raised { packet, window } => warn!(
                    company.id = %packet.0,
                    packet.id = %packet.1,
                    method = %window.method,
                    closes_at = %window.closes_at,
                    waiting = window.waiting,
                    rate = window.rate,
                    unsent = window.unsent,
                    "window closes with messages unsent"
                ),
                Change::TakenBack { packet, closes_at } => info!(
                    company.id = %packet.0,
                    packet.id = %packet.1,
                    closes_at = %closes_at,
                    "messages go before their window closes after all"
                ),
            }
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and 2^53 messages are none of our worries"
)]
fn as_gauge(count: u64) -> f64 {
    count as f64
}
