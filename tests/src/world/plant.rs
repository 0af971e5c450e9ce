//! Messages that nobody had to load and map.

use std::sync::Arc;

use chrono::TimeDelta;
use futures::executor::block_on;
use reminderly_core::domain::appointment::Appointment;
use reminderly_core::domain::appointment_key::AppointmentKey;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::caps::Caps;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::content::Content;
use reminderly_core::domain::file_arrival::FileArrival;
use reminderly_core::domain::message::PlannedMessage;
use reminderly_core::domain::packet::{Digest, IngestProgress, PacketOrigin, PacketStage};
use reminderly_core::domain::person::PersonKey;
use reminderly_core::domain::row::RowNumber;
use reminderly_core::domain::window::LegalInterval;
use reminderly_core::ids::{IdSourceExt as _, PacketId};
use reminderly_core::ports::store::{MessageStore as _, NewPacket, PacketStore as _, PlanBatch, StageChange};
use reminderly_core::testing::PlannedText;

use super::World;

/// Messages per batch of planning.
const BATCH: usize = 1_000;

impl World {
    /// A mapped packet of so many text messages to people of their own; `legal` says when each may go. `number` tells the
    /// company's packets apart.
    pub fn plant(
        &self,
        campaign: &Campaign,
        number: usize,
        messages: usize,
        legal: impl Fn(usize) -> LegalInterval,
    ) -> PacketId {
        self.plant_by(ContactMethod::Sms, campaign, (number, messages), legal)
    }

    /// The same by phone.
    pub fn plant_calls(
        &self,
        campaign: &Campaign,
        number: usize,
        messages: usize,
        legal: impl Fn(usize) -> LegalInterval,
    ) -> PacketId {
        self.plant_by(ContactMethod::Phone, campaign, (number, messages), legal)
    }

    fn plant_by(
        &self,
        method: ContactMethod,
        campaign: &Campaign,
        (number, messages): (usize, usize),
        legal: impl Fn(usize) -> LegalInterval,
    ) -> PacketId {
        let (company, now) = (campaign.company, self.now());
        // Packets of files count in the order of their ids.
        let nth = i64::try_from(number).expect("few packets");
        let packet: PacketId = self.ports.ids.next(now + TimeDelta::milliseconds(nth));
        let mut digest = Digest([0; 32]);
        digest.0.iter_mut().zip(number.to_be_bytes()).for_each(|(byte, of_number)| *byte = of_number);
        let new = NewPacket {
            id: packet,
            campaign: campaign.id,
            campaign_version: 1,
            origin: PacketOrigin::File { name: "planted.csv".into(), digest, arrival: FileArrival::HandedIn },
            created_at: now,
        };
        block_on(async {
            self.store.create_packet(company, new).await.expect("created");
            let _ =
                self.store.open_ingest(company, packet, IngestProgress::default(), now).await.expect("open");
            self.raise(campaign, packet, PacketStage::Ingested, PacketStage::Loaded).await;
            for after in (0..messages).step_by(BATCH) {
                let through = messages.min(after + BATCH);
                let of = |index| self.planted(method, campaign, packet, (number, index), legal(index));
                let row = |row: usize| RowNumber(row as u64);
                let (after, through, messages) =
                    (row(after), row(through), (after..through).map(of).collect());
                let batch = PlanBatch {
                    after,
                    through,
                    messages,
                    appointments: Vec::new(),
                    expected: Vec::new(),
                    failed: Vec::new(),
                    named: Vec::new(),
                    caps: Caps::default(),
                    at: now,
                };
                let _ = self.store.plan(company, packet, batch).await.expect("planned");
            }
            self.raise(campaign, packet, PacketStage::Loaded, PacketStage::Mapped).await;
        });
        packet
    }

    async fn raise(&self, campaign: &Campaign, packet: PacketId, from: PacketStage, to: PacketStage) {
        let change = StageChange { packet, from, to, failure: None, at: self.now() };
        let _ = self.store.change_stage(campaign.company, change).await.expect("changed");
    }

    fn planted(
        &self,
        method: ContactMethod,
        campaign: &Campaign,
        packet: PacketId,
        (number, index): (usize, usize),
        legal: LegalInterval,
    ) -> PlannedMessage {
        let digits = number as u64 * 10_000_000 + index as u64;
        let phone = PhoneNumber::parse_stored(&format!("+1{digits:012}")).expect("a number");
        let appointment = (legal.until + TimeDelta::days(1)).naive_utc();
        let text = PlannedText {
            id: self.ports.ids.next(self.now()),
            packet,
            campaign: campaign.id,
            row: RowNumber(index as u64 + 1),
            key: AppointmentKey::new(&format!("P-{number}-{index}")).expect("a key"),
            number: phone.clone(),
            appointment: Appointment::new(appointment, chrono_tz::America::Phoenix),
            text: "Clinic: see you. STOP to opt out.".to_owned(),
            legal,
            created_at: self.now(),
        };
        let mut planned = text.planned();
        if method == ContactMethod::Phone {
            let script = Arc::from("Clinic: see you. Press 9 to opt out.");
            let contact = ContactPoint::Phone(phone);
            planned.message.method = method;
            planned.message.person = Some(PersonKey::from(&contact));
            planned.message.contact = Some(contact);
            planned.message.content = Some(Content::Phone { script, voicemail: None, keys: Arc::default() });
        }
        planned
    }
}
