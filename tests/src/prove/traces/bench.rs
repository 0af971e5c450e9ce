//! A store with one message that is planned, to begin a trace with.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use reminderly_core::domain::access::Company;
use reminderly_core::domain::appointment_key::AppointmentKey;
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::domain::caps::Caps;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::content::Content;
use reminderly_core::domain::file_arrival::FileArrival;
use reminderly_core::domain::message::{Message, Origin, PlanVerdict, PlannedMessage};
use reminderly_core::domain::packet::{Digest, IngestProgress, PacketOrigin, PacketStage};
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::row::{Row, RowNumber};
use reminderly_core::domain::unsubscribe::RefusalKey;
use reminderly_core::domain::window::LegalInterval;
use reminderly_core::ids::{CampaignId, CompanyId, IdSourceExt as _, MessageId, PacketId, SeededIds};
use reminderly_core::memory::MemoryStore;
use reminderly_core::ports::store::{
    AccessStore as _, CampaignStore as _, MessageStore as _, NewCampaign, NewPacket, PacketStore as _,
    PlanBatch, RowBatch, StageChange,
};

use super::terms::{DUE_AT, LEGAL_FOR};
use crate::example::{Methods, definition};
use crate::prove::Failure;
use crate::world::instant;

/// A store with a company, an active campaign, a packet that sends, and one message.
pub(super) struct Bench {
    pub(super) store: MemoryStore,
    /// When a trace begins.
    pub(super) start: DateTime<Utc>,
    pub(super) company: CompanyId,
    pub(super) campaign: CampaignId,
    pub(super) packet: PacketId,
    pub(super) message: MessageId,
    /// What the person would refuse.
    pub(super) refusal: RefusalKey,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").finish_non_exhaustive()
    }
}

impl Bench {
    /// A store of its own.
    pub(super) async fn new() -> Result<Self, Failure> {
        let (store, ids, start) = (MemoryStore::new(), SeededIds::new(1), instant("2026-03-04T18:00:00Z"));
        let (company, campaign, packet) = (ids.next(start), ids.next(start), ids.next(start));
        let new = Company { id: company, name: "Clinic".to_owned(), server_name: "memory".to_owned() };
        store.save_company_across_companies(&new).await?;
        let definition = definition(Methods::FirstAvailable)?;
        store.create_campaign(company, NewCampaign { id: campaign, definition, created_at: start }).await?;
        let (from, to) = (CampaignState::Draft, CampaignState::Active);
        store.change_campaign_state(company, campaign, from, to).await?;
        let new = NewPacket {
            id: packet,
            campaign,
            campaign_version: 1,
            origin: PacketOrigin::File {
                name: "trace.csv".into(),
                digest: Digest([0; 32]),
                arrival: FileArrival::HandedIn,
            },
            created_at: start,
        };
        store.create_packet(company, new).await?;
        store.open_ingest(company, packet, IngestProgress::default(), start).await.map(drop)?;
        let change = |from, to| StageChange { packet, from, to, failure: None, at: start };
        store.append_rows(company, packet, rows()).await.map(drop)?;
        store.change_stage(company, change(PacketStage::Ingested, PacketStage::Loaded)).await.map(drop)?;
        let contact = ContactPoint::Sms(PhoneNumber::parse_stored("+15205550101")?);
        let refusal = contact.refusal_key();
        let message: MessageId = ids.next(start);
        let planned = planned(Places { campaign, packet, message }, contact, start)?;
        store.plan(company, packet, batch(planned, start)).await.map(drop)?;
        for (from, to) in
            [(PacketStage::Loaded, PacketStage::Mapped), (PacketStage::Mapped, PacketStage::Queued)]
        {
            store.change_stage(company, change(from, to)).await.map(drop)?;
        }
        Ok(Self { store, start, company, campaign, packet, message, refusal })
    }
}

#[derive(Clone, Copy)]
struct Places {
    campaign: CampaignId,
    packet: PacketId,
    message: MessageId,
}

fn planned(places: Places, contact: ContactPoint, start: DateTime<Utc>) -> Result<PlannedMessage, Failure> {
    let at = start + TimeDelta::seconds(DUE_AT);
    let message = Message {
        id: places.message,
        packet: places.packet,
        campaign: places.campaign,
        origin: Origin::Row { row: RowNumber(1), entry: 0 },
        key: AppointmentKey::new("A-1").ok_or("a key")?,
        person: Some(PersonKey::from(&contact)),
        method: ContactMethod::Sms,
        contact: Some(contact),
        appointment: None,
        contact_zone: chrono_tz::America::Phoenix,
        language: None,
        content: Some(Content::Sms { text: "See you.".into(), segments: 1 }),
        ladder: None,
        trace: None,
        created_at: start,
    };
    let legal = LegalInterval { from: at, until: at + TimeDelta::seconds(LEGAL_FOR) };
    Ok(PlannedMessage { message, verdict: PlanVerdict::Send { at, legal } })
}

/// The row of the message.
fn rows() -> RowBatch {
    let number = RowNumber(1);
    let progress = IngestProgress { through: number, ..IngestProgress::default() };
    RowBatch { after: RowNumber(0), progress, rows: vec![Row::new(number, 2, ["A-1"])], rejected: Vec::new() }
}

fn batch(planned: PlannedMessage, at: DateTime<Utc>) -> PlanBatch {
    PlanBatch {
        after: RowNumber(0),
        through: RowNumber(1),
        messages: vec![planned],
        appointments: Vec::new(),
        expected: Vec::new(),
        failed: Vec::new(),
        named: Vec::new(),
        caps: Caps::default(),
        at,
    }
}
