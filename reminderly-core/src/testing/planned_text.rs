use chrono::{DateTime, Utc};

use crate::domain::appointment::Appointment;
use crate::domain::appointment_key::AppointmentKey;
use crate::domain::contact_method::ContactMethod;
use crate::domain::contact_point::{ContactPoint, PhoneNumber};
use crate::domain::content::Content;
use crate::domain::message::{Message, Origin, PlanVerdict, PlannedMessage};
use crate::domain::person::PersonKey;
use crate::domain::row::RowNumber;
use crate::domain::window::LegalInterval;
use crate::ids::{CampaignId, MessageId, PacketId};

/// What a planned text message is made of, where nobody maps and plans. The person is the number, and is where the appointment is.
#[derive(Debug, Clone)]
pub struct PlannedText {
    /// The message.
    pub id: MessageId,
    /// Its packet.
    pub packet: PacketId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// The row that it is made from, as of the first entry.
    pub row: RowNumber,
    /// The identity of the appointment.
    pub key: AppointmentKey,
    /// To whom it goes.
    pub number: PhoneNumber,
    /// What it reminds of.
    pub appointment: Appointment,
    /// What it says, in one segment.
    pub text: String,
    /// From when on it goes, and until when it may.
    pub legal: LegalInterval,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl PlannedText {
    /// The message, as planning would store it.
    pub fn planned(self) -> PlannedMessage {
        let contact = ContactPoint::Sms(self.number);
        let message = Message {
            id: self.id,
            packet: self.packet,
            campaign: self.campaign,
            origin: Origin::Row { row: self.row, entry: 0 },
            key: self.key,
            person: Some(PersonKey::from(&contact)),
            method: ContactMethod::Sms,
            contact: Some(contact),
            appointment: Some(self.appointment),
            contact_zone: self.appointment.zone,
            language: None,
            content: Some(Content::Sms { text: self.text.into(), segments: 1 }),
            ladder: None,
            trace: None,
            created_at: self.created_at,
        };
        PlannedMessage { message, verdict: PlanVerdict::Send { at: self.legal.from, legal: self.legal } }
    }
}
