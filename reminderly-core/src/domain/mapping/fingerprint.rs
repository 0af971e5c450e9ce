//! What a row says, as a digest.

use minijinja::Value;
use sha2::{Digest as _, Sha256};

use super::mapped_row::{ContactField, MappedRow};
use super::names::RowValues;
use crate::domain::held_appointment::RowFingerprint;
use crate::domain::person::PersonKey;
use crate::domain::template::function::Datum;

impl MappedRow {
    /// A digest of all that was mapped: appointment, zones, person, language, methods, contact points and fields. Not of the
    /// row's position, and not of columns that no expression reads; in whatever order the columns stand.
    ///
    /// ```
    /// use reminderly_core::domain::mapping::check;
    /// use reminderly_core::domain::row::{Header, Row, RowNumber};
    ///
    /// let campaign = check(r#"{
    ///     "name": "Two days out",
    ///     "time_zone": "America/Phoenix",
    ///     "mapping": {
    ///         "key": "row['Id']",
    ///         "fields": {
    ///             "appointment_at": "row['When'] | datetime('%Y-%m-%d %H:%M')",
    ///             "sms": "row['Cell'] | phone('US')"
    ///         }
    ///     },
    ///     "messages": { "sms": { "text": "See you {{ appointment_at | date('%b %-d') }}." } },
    ///     "schedule": {
    ///         "send": [{ "days_before": 2 }],
    ///         "windows": { "default": { "days": ["mon"], "from": "08:00", "to": "17:00" } }
    ///     }
    /// }"#)?;
    /// let monday = Header(["Id", "When", "Cell"].map(str::to_owned).to_vec());
    /// let tuesday = Header(["Cell", "Id", "When"].map(str::to_owned).to_vec());
    /// let first = Row::new(RowNumber(1), 2, ["A-1", "2026-03-09 09:15", "(520) 555-0100"]);
    /// let again = Row::new(RowNumber(7), 8, ["+15205550100", "A-1", "2026-03-09 09:15"]);
    /// let moved = Row::new(RowNumber(7), 8, ["+15205550100", "A-1", "2026-03-09 10:15"]);
    /// let of = |header, row| Ok::<_, Box<dyn std::error::Error>>(
    ///     campaign.mapper(header)?.map(row).map_err(|fault| fault.detail)?.fingerprint(),
    /// );
    ///
    /// assert_eq!(of(&monday, &first)?, of(&tuesday, &again)?);
    /// assert_ne!(of(&monday, &first)?, of(&tuesday, &moved)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fingerprint(&self) -> RowFingerprint {
        let mut digest = Fingerprinter(Sha256::new());
        match &self.appointment {
            Some(appointment) => {
                digest.text(&appointment.local.to_string());
                digest.text(appointment.zone.name());
                // What the zone's rules make of it: they change between releases.
                digest.0.update(appointment.at.timestamp().to_be_bytes());
            }
            None => digest.absent(),
        }
        digest.text(self.contact_zone.name());
        digest.optional(self.person.as_ref().map(PersonKey::as_str));
        digest.optional(self.language.as_deref());
        match &self.methods {
            Some(methods) => methods.iter().for_each(|method| digest.text(method.as_str())),
            None => digest.absent(),
        }
        for (method, contact) in &self.contacts {
            digest.text(method.as_str());
            match contact {
                ContactField::Absent => digest.absent(),
                ContactField::Invalid(invalid) => digest.text(&invalid.to_string()),
                ContactField::Valid(contact) => digest.text(contact.address()),
            }
        }
        if let Some(fields) = self.fields.downcast_object_ref::<RowValues>() {
            digest.values(&fields.values);
        }
        digest.finish()
    }
}

/// Hashes values so that no two lists of them read the same: each with its length before it.
struct Fingerprinter(Sha256);

impl Fingerprinter {
    fn text(&mut self, text: &str) {
        self.0.update([1]);
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }

    fn absent(&mut self) {
        self.0.update([0]);
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.absent(),
        }
    }

    /// The values of fields, which stand in the order of their names.
    fn values(&mut self, values: &[Value]) {
        for value in values {
            match Datum::from_value(value) {
                Datum::Empty => self.absent(),
                datum => self.text(&datum.into_text()),
            }
        }
    }

    fn finish(self) -> RowFingerprint {
        let digest: [u8; 32] = self.0.finalize().into();
        let mut fingerprint = [0; 16];
        fingerprint.iter_mut().zip(digest).for_each(|(byte, of_digest)| *byte = of_digest);
        RowFingerprint(fingerprint)
    }
}
