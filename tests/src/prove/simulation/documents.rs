//! Campaign documents and files that are drawn. Every text tells the judge, who reads only what the provider accepted, from
//! which campaign it comes, about which row, about whom and for when.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::schedule::{CampaignDraft, Caps, Methods};

/// The header of every file.
pub(super) const HEADER: &str = "Key,Name,Cell,Email,At,Person\n";

/// How appointments are written in texts.
const SHOWN: &str = "%Y-%m-%dT%H:%M";

/// The name of a campaign's file.
pub(super) fn file_name(campaign: usize, number: usize) -> String {
    format!("c{campaign}-{number:02}.csv")
}

/// What a text says, as the judge reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    /// The position of the campaign in the schedule.
    pub(super) campaign: usize,
    pub(super) key: String,
    pub(super) person: String,
    /// The local time of the appointment; `None` on demand.
    pub(super) at: Option<NaiveDateTime>,
}

/// What is read back from a text about each appointment; nothing of an answer to a person.
pub(super) fn read_back(text: &str) -> Vec<Said> {
    let Some((_, told)) = text.split_once('#') else { return Vec::new() };
    let mut parts = told.split('[');
    let Some(campaign) = parts.next().and_then(|part| part.trim().parse().ok()) else { return Vec::new() };
    let said = |part: &str| {
        let mut words = part.split_ascii_whitespace();
        let (key, person) = (words.next()?.to_owned(), words.next()?.to_owned());
        let at = words.next().and_then(|word| NaiveDateTime::parse_from_str(word, SHOWN).ok());
        Some(Said { campaign, key, person, at })
    };
    parts.filter_map(said).collect()
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowDraft {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) cell: String,
    pub(super) email: String,
    pub(super) person: String,
    /// When its appointment is.
    pub(super) at: DateTime<Utc>,
}

/// A file of these rows.
pub(super) fn file(rows: &[RowDraft], zone: Tz) -> String {
    let mut text = HEADER.to_owned();
    for RowDraft { key, name, cell, email, person, at } in rows {
        let at = at.with_timezone(&zone).format("%Y-%m-%d %H:%M");
        writeln!(text, "{key},{name},{cell},{email},{at},{person}")
            .expect("writing to a string does not fail");
    }
    text
}

/// The document of a campaign.
pub(super) fn document(index: usize, draft: &CampaignDraft, zone: Tz) -> Value {
    let by_phone = draft.methods == Methods::Phone;
    let text = text(index, draft);
    let mut fields = json!({
        "first_name": "row['Name']", "ref": "row['Key']", "who": "row['Person']",
        "sms": "row['Cell'] | phone('US')", "email": "row['Email']", "person": "row['Person']",
    });
    let mut messages = json!({ "sms": { "text": text }, "email": { "subject": "Visit", "text": text } });
    if by_phone {
        fields["phone"] = json!("row['Cell'] | phone('US')");
        messages["phone"] = json!({ "script": text, "voicemail": text, "retry": {
            "busy": { "times": REDIALS, "after": "5m" }, "no_answer": { "times": REDIALS, "after": "5m" } } });
    }
    let (order, used) = match draft.methods {
        Methods::FirstAvailable => (json!(["sms", "email"]), "first_available"),
        Methods::All => (json!(["sms", "email"]), "all"),
        Methods::Ladder => (json!(["sms", "email"]), "ladder"),
        Methods::Phone => (json!(["phone"]), "first_available"),
    };
    let mut methods = json!({ "order": order, "use": used });
    if draft.is_household {
        methods["household"] = json!("same_day");
    }
    if draft.methods == Methods::Ladder {
        methods["ladder_wait"] = json!("10m");
    }
    if !draft.is_on_demand {
        fields["appointment_at"] = json!("row['At'] | datetime('%Y-%m-%d %H:%M')");
    }
    let mut limits = json!({});
    if let Some(Caps { per_day, per_week }) = draft.caps {
        limits = json!({ "per_person_per_day": per_day, "per_person_per_week": per_week });
    }
    if let Some(per_minute) = draft.per_minute {
        limits["per_minute"] = json!(per_minute);
    }
    let mut document = json!({
        "name": format!("Campaign {index}"),
        "time_zone": zone.name(),
        "source": { "file": format!("c{index}-*.csv") },
        "mapping": { "key": "row['Key']", "vanished": draft.vanished.as_str(), "fields": fields },
        "messages": messages,
        "schedule": schedule(draft),
        "methods": methods,
        "responses": {
            "sms": { "confirm": ["1"], "cancel": ["2"], "reschedule": ["3"] },
            "follow_up": { "confirm": { "sms": "Thank you." }, "cancel": { "sms": "It is cancelled." } },
        },
        "limits": limits,
        "unknown_outcome": draft.policy.as_str(),
    });
    if by_phone {
        document["responses"]["phone"] = json!({ "confirm": ["1"], "cancel": ["9"], "opt_out": ["8"] });
    }
    if draft.is_on_demand {
        document["mapping"]["vanished"] = json!("keep");
    }
    document
}

/// A text that names each appointment in brackets.
fn text(index: usize, draft: &CampaignDraft) -> String {
    let at =
        |of: &str| format!("{{{{ {of}appointment_at | date('{SHOWN}') }}}} for {{{{ {of}first_name }}}}");
    if draft.is_on_demand {
        return format!("Clinic #{index} [{{{{ ref }}}} {{{{ who }}}} now]");
    }
    if draft.is_household {
        let one = format!("[{{{{ one.ref }}}} {{{{ one.who }}}} {}]", at("one."));
        return format!("Clinic #{index} {{% for one in household %}}{one}{{% endfor %}}");
    }
    format!("Clinic #{index} [{{{{ ref }}}} {{{{ who }}}} {}]", at(""))
}

/// How often a call that reached nobody is made again.
pub(super) const REDIALS: usize = 1;

/// How long before an appointment its reminder goes.
pub(super) const AHEAD: TimeDelta = TimeDelta::hours(3);

fn schedule(draft: &CampaignDraft) -> Value {
    let time = |time: NaiveTime| time.format("%H:%M").to_string();
    let days = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    let window = json!({ "days": days, "from": time(draft.window.from), "to": time(draft.window.to) });
    let mut schedule = json!({ "windows": { "default": window }, "max_lateness": "4h", "min_notice": "1h" });
    schedule["send"] =
        if draft.is_on_demand { json!("now") } else { json!([{ "hours_before": AHEAD.num_hours() }]) };
    if draft.is_on_demand {
        schedule["min_notice"] = json!("0s");
    }
    if draft.area_code_zones {
        schedule["area_code_zones"] = json!(true);
    }
    schedule
}
