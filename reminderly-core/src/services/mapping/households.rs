//! One message for the appointments of a day that one contact point is told of.

use metrics::counter;

use super::{Mapping, stale};
use crate::domain::campaign::definition::HouseholdUse;
use crate::domain::household::{Candidate, HouseholdKey};
use crate::domain::mapping::{CompiledCampaign, MappedRow, RowMapper};
use crate::domain::message::{Message, Origin, PlanVerdict, PlannedMessage};
use crate::domain::packet::{Draining, Packet, PacketStage};
use crate::domain::plan::deliver_until;
use crate::domain::window::LegalInterval;
use crate::give_way::give_way;
use crate::ids::{IdSource, IdSourceExt as _};
use crate::ports::store::WriteOutcome;
use crate::services::ServiceError;

/// How many households are looked at together: each has several messages with their rows and texts.
const HOUSEHOLDS_PER_PAGE: usize = 200;

/// How often a page is looked at again, because a later packet had spoken for members of its households meanwhile: the others of
/// them are a household too.
const LOOKS_AGAIN_MAX: usize = 5;

/// Messages per transaction that ends those from before a restore.
const EXPIRE_BATCH: usize = 1_000;

impl Mapping {
    /// Makes one message of those that one contact point would get for a day, once all are planned and before they take slots.
    /// Those that cannot be told at once go by themselves. Repeated, it finds the members taken.
    pub(super) async fn plan_households(
        &self,
        packet: &Packet,
        campaign: &CompiledCampaign,
    ) -> Result<(), ServiceError> {
        if campaign.definition().methods.household == HouseholdUse::Off {
            return Ok(());
        }
        self.expire_before_restore(packet).await?;
        let (store, company) = (&self.ports.store, packet.company);
        let (mut after, mut looks_again): (Option<HouseholdKey>, _) = (None, 0);
        loop {
            let page =
                store.household_candidates(company, packet.id, after.clone(), HOUSEHOLDS_PER_PAGE).await?;
            let now = self.ports.clock.now();
            let household = Households { packet, campaign, ids: &*self.ports.ids, now };
            let messages = household.of(&page.items);
            let methods: Vec<_> = messages.iter().map(|planned| planned.message.method).collect();
            let outcomes = store.plan_households(company, packet.id, messages, now).await?;
            let mut is_overtaken = false;
            for (method, outcome) in methods.iter().zip(outcomes) {
                match outcome {
                    WriteOutcome::Applied => {
                        counter!("reminderly_messages_planned_total", "method" => method.as_str())
                            .increment(1);
                    }
                    WriteOutcome::Stale => is_overtaken = true,
                }
            }
            give_way().await;
            if is_overtaken && looks_again < LOOKS_AGAIN_MAX {
                looks_again += 1;
                continue;
            }
            looks_again = 0;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let packet = self.packet(company, packet.id).await?;
        let is_ours = packet.stage == PacketStage::Loaded && packet.draining == Draining::Off;
        if is_ours { Ok(()) } else { Err(stale()) }
    }

    /// Ends what may have gone before a restore with rows that were mapped then, and of which the store knows nothing any more.
    async fn expire_before_restore(&self, packet: &Packet) -> Result<(), ServiceError> {
        let (store, company) = (&self.ports.store, packet.company);
        if !store.restore_across_companies().await?.is_before(packet.created_at) {
            return Ok(());
        }
        loop {
            let now = self.ports.clock.now();
            let closed =
                store.expire_households_before_restore(company, packet.id, now, EXPIRE_BATCH).await?;
            if closed < EXPIRE_BATCH {
                return Ok(());
            }
            give_way().await;
        }
    }
}

/// What the messages of households are made from.
struct Households<'a> {
    packet: &'a Packet,
    campaign: &'a CompiledCampaign,
    ids: &'a dyn IdSource,
    now: chrono::DateTime<chrono::Utc>,
}

impl Households<'_> {
    /// The messages of those households that can be told at once.
    fn of(&self, households: &[Vec<Candidate>]) -> Vec<PlannedMessage> {
        let Ok(mapper) = self.campaign.mapper_of(self.packet) else { return Vec::new() };
        households.iter().filter_map(|members| self.message(&mapper, members)).collect()
    }

    /// One message for all; `None` if it would be too long, or not legal when the first of them is to go.
    fn message(&self, mapper: &RowMapper<'_>, candidates: &[Candidate]) -> Option<PlannedMessage> {
        let rows: Vec<MappedRow> =
            candidates.iter().filter_map(|candidate| mapper.map(&candidate.row).ok()).collect();
        let (row, others) = rows.split_first().filter(|_| rows.len() == candidates.len())?;
        let first = &candidates.first()?.record.message;
        let others: Vec<&MappedRow> = others.iter().collect();
        let content = self.campaign.render_household(first.method, row, &others).ok()?;
        let definition = self.campaign.definition();
        if definition.limits.sms_segments.is_some_and(|limit| content.segments() > limit) {
            return None;
        }
        let earliest = candidates.iter().min_by_key(|candidate| candidate.record.state.planned_at)?;
        let at = earliest.record.state.planned_at?;
        // How late it may be counts from the rules' instant, which is not the one that answers chose.
        let by_rule = |candidate: &&Candidate| candidate.record.message.trace.as_ref()?.planned_at;
        let strictest = candidates.iter().min_by_key(by_rule)?;
        let ends = candidates.iter().map(|candidate| candidate.record.state.legal_until);
        // Rules may depend on the length of the text, so they are asked again.
        let terms = self.campaign.terms(first.contact.as_ref()?, first.contact_zone, Some(&content));
        let (zones, rules, appointment) = (&terms.zones, &terms.rules, first.appointment.as_ref());
        let legal = deliver_until(&definition.schedule, first.method, appointment, zones, rules, at)?;
        let until = ends.chain([Some(legal)]).min()??;
        if until <= at {
            return None;
        }
        let members = candidates.iter().map(Candidate::member).collect::<Option<_>>()?;
        let origin = first.origin.clone();
        let Origin::Row { entry, .. } = origin else { return None };
        let message = Message {
            id: self.ids.next(self.now),
            origin: Origin::Household { entry, members },
            content: Some(content),
            trace: strictest.record.message.trace.clone(),
            created_at: self.now,
            ..first.clone()
        };
        let legal = LegalInterval { from: at, until };
        Some(PlannedMessage { message, verdict: PlanVerdict::Send { at, legal } })
    }
}
