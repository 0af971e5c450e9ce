//! The campaign of the figures: seven columns, two send entries, a text message or an e-mail.

use std::sync::Arc;

use reminderly_core::domain::campaign::definition::CampaignDefinition;
use reminderly_core::domain::campaign::document;
use reminderly_core::domain::campaign::problem::InvalidCampaign;

/// The columns of the data file.
pub const HEADER: &str = "Appt ID,First Name,Date,Time,Cell,E-mail,Lang";

/// Which methods a row gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Methods {
    /// The first that reaches the person: two messages a row.
    FirstAvailable,
    /// All of them: four messages a row.
    All,
}

impl Methods {
    /// The word in the document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstAvailable => "first_available",
            Self::All => "all",
        }
    }
}

/// The campaign document.
pub fn document(methods: Methods) -> String {
    DOCUMENT.replace("METHODS", methods.as_str())
}

/// The definition that [`document()`] gives.
///
/// # Errors
///
/// [`InvalidCampaign`] if the document is not what this release understands.
pub fn definition(methods: Methods) -> Result<Arc<CampaignDefinition>, InvalidCampaign> {
    document::parse(&document(methods)).map(Arc::new)
}

const DOCUMENT: &str = r#"{
    "name": "Dr Smith, two days out",
    "time_zone": "America/Phoenix",
    "purpose": "care_reminder",
    "source": { "file": "doctor_smith_*.csv" },
    "constants": { "location": { "name": "Main St", "phone": "+15205550100" } },
    "mapping": {
        "key": "row['Appt ID']",
        "fields": {
            "first_name": "row['First Name'] | name",
            "appointment_at": "(row['Date'] ~ ' ' ~ row['Time']) | datetime('%m/%d/%Y %I:%M %p')",
            "language": "row['Lang'] | default('en')",
            "sms": "row['Cell'] | phone('US')",
            "email": "row['E-mail']"
        }
    },
    "messages": {
        "sms": { "text": "Smith Clinic: {{ first_name }}, you have an appointment {{ appointment_at | date('%a %b %-d, %-I:%M %p') }} at {{ location.name }}. Reply 1 to confirm, 2 to cancel, STOP to opt out." },
        "email": {
            "subject": "Your appointment on {{ appointment_at | date('%A, %B %-d') }}",
            "text": "Dear {{ first_name }},\n\nyou have an appointment with Dr Smith on {{ appointment_at | date('%A, %B %-d, %-I:%M %p') }} at {{ location.name }}. Call {{ location.phone }} if you cannot come."
        }
    },
    "schedule": {
        "send": [{ "days_before": 2, "at": "10:00" }, { "hours_before": 3 }],
        "windows": { "default": { "days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "16:30" } },
        "closed_dates": ["2026-12-25"],
        "when_closed": "later",
        "min_notice": "1h",
        "max_lateness": "4h"
    },
    "methods": { "order": ["sms", "email"], "use": "METHODS" }
}"#;
