//! What a row says, as a digest.

use chrono::NaiveDateTime;
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
        let mut digest = Fingerprinter(Vec::with_capacity(USUAL_BYTES));
        match &self.appointment {
            Some(appointment) => {
                digest.local(appointment.local);
                digest.text(appointment.zone.name());
                // What the zone's rules make of it: they change between releases.
                digest.0.extend(appointment.at.timestamp().to_be_bytes());
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

/// More than the values of most rows take.
const USUAL_BYTES: usize = 512;

/// Writes values so that no two lists of them read the same: each with its kind, and a text with its length, before it.
struct Fingerprinter(Vec<u8>);

impl Fingerprinter {
    fn text(&mut self, text: &str) {
        self.0.push(1);
        self.0.extend((text.len() as u64).to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn absent(&mut self) {
        self.0.push(0);
    }

    fn local(&mut self, local: NaiveDateTime) {
        let at = local.and_utc();
        self.0.push(2);
        self.0.extend(at.timestamp().to_be_bytes());
        self.0.extend(at.timestamp_subsec_nanos().to_be_bytes());
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
                Datum::DateTime(local) => self.local(local),
                datum => self.text(&datum.into_text()),
            }
        }
    }

    fn finish(self) -> RowFingerprint {
        let digest: [u8; 32] = Sha256::digest(&self.0).into();
        let mut fingerprint = [0; 16];
        fingerprint.iter_mut().zip(digest).for_each(|(byte, of_digest)| *byte = of_digest);
        RowFingerprint(fingerprint)
    }
}
