//! The texts of a campaign, compiled for each of their languages.

use minijinja::Environment;

use crate::domain::campaign::definition::{CampaignDefinition, FollowUpTrigger, LocalizedText};
use crate::domain::contact_method::ContactMethod;
use crate::domain::language::Language;
use crate::domain::template::calendar_names::CalendarNames;
use crate::domain::template::environment;

pub(super) const SMS_TEXT: &str = "sms.text";
pub(super) const EMAIL_SUBJECT: &str = "email.subject";
pub(super) const EMAIL_TEXT: &str = "email.text";
pub(super) const EMAIL_HTML: &str = "email.html";
pub(super) const PHONE_SCRIPT: &str = "phone.script";
pub(super) const PHONE_VOICEMAIL: &str = "phone.voicemail";

/// A text of a campaign: the name is its path below `messages` or `responses`.
pub(in crate::domain) struct Part<'d> {
    pub(super) name: String,
    pub(in crate::domain) text: &'d LocalizedText,
    /// What it is sent with.
    group: Group,
}

/// Texts that are sent together, and so are in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) enum Group {
    /// What the campaign says first.
    Message(ContactMethod),
    /// What it answers.
    FollowUp(FollowUpTrigger, ContactMethod),
}

impl Part<'_> {
    /// How it reaches people.
    pub(in crate::domain) const fn method(&self) -> ContactMethod {
        match self.group {
            Group::Message(method) | Group::FollowUp(_, method) => method,
        }
    }

    /// Whether a message with this part would keep silent about an appointment that the part does not name: subjects and what a
    /// machine is told may.
    pub(super) fn must_name_household(&self) -> bool {
        [SMS_TEXT, EMAIL_TEXT, EMAIL_HTML, PHONE_SCRIPT].contains(&self.name.as_str())
    }

    /// Where it stands in the document.
    pub(in crate::domain) fn path(&self) -> String {
        match self.group {
            Group::Message(_) => format!("$.messages.{}", self.name),
            Group::FollowUp(..) => format!("$.responses.{}", self.name),
        }
    }
}

/// Every text of a campaign.
pub(in crate::domain) fn parts(definition: &CampaignDefinition) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut add = |name: &str, group, text| parts.push(Part { name: name.to_owned(), text, group });
    if let Some(sms) = &definition.messages.sms {
        add(SMS_TEXT, Group::Message(ContactMethod::Sms), &sms.text);
    }
    if let Some(email) = &definition.messages.email {
        let group = Group::Message(ContactMethod::Email);
        add(EMAIL_SUBJECT, group, &email.subject);
        add(EMAIL_TEXT, group, &email.text);
        if let Some(html) = &email.html {
            add(EMAIL_HTML, group, html);
        }
    }
    if let Some(phone) = &definition.messages.phone {
        let group = Group::Message(ContactMethod::Phone);
        add(PHONE_SCRIPT, group, &phone.script);
        if let Some(voicemail) = &phone.voicemail {
            add(PHONE_VOICEMAIL, group, voicemail);
        }
    }
    for (trigger, texts) in &definition.responses.follow_up {
        for (method, text) in texts {
            add(&follow_up_part(*trigger, *method), Group::FollowUp(*trigger, *method), text);
        }
    }
    parts
}

pub(super) fn follow_up_part(trigger: FollowUpTrigger, method: ContactMethod) -> String {
    let trigger = match trigger {
        FollowUpTrigger::Confirm => "confirm",
        FollowUpTrigger::Cancel => "cancel",
        FollowUpTrigger::Reschedule => "reschedule",
        FollowUpTrigger::Unclear => "unclear",
        FollowUpTrigger::Help => "help",
    };
    format!("follow_up.{trigger}.{method}")
}

/// A language of a campaign, by its position in [`Texts`]. The campaign's own is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct LanguageIndex(usize);

/// The languages of a campaign, each with its texts, and which of them a reader of each gets.
#[derive(Debug)]
pub(super) struct Texts {
    /// The campaign's own language stands first.
    languages: Vec<(Language, Environment<'static>)>,
    /// By group: for each of the languages the one in which the group is sent.
    choices: Vec<(Group, Vec<LanguageIndex>)>,
    /// By language: whether every message is sent in it, whatever the region.
    spoken: Vec<bool>,
}

impl Texts {
    /// The languages of the parts, with no text in them yet.
    pub(super) fn new(campaigns: &Language, parts: &[Part<'_>]) -> Self {
        let mut languages = vec![campaigns.clone()];
        for language in parts.iter().flat_map(|part| part.text.languages()) {
            if !languages.contains(language) {
                languages.push(language.clone());
            }
        }
        let mut choices: Vec<(Group, Vec<LanguageIndex>)> = Vec::new();
        for Part { group, .. } in parts {
            if choices.iter().any(|(known, _)| known == group) {
                continue;
            }
            let told_apart: Vec<&Language> = parts
                .iter()
                .filter(|part| part.group == *group)
                .flat_map(|part| part.text.languages())
                .collect();
            let index = |wanted: &Language| {
                let found = told_apart.iter().find(|language| **language == wanted);
                let found =
                    found.or_else(|| told_apart.iter().find(|other| other.as_str() == wanted.primary()));
                let position = found.and_then(|found| languages.iter().position(|known| known == *found));
                LanguageIndex(position.unwrap_or_default())
            };
            choices.push((*group, languages.iter().map(index).collect()));
        }
        let messages = || choices.iter().filter(|(group, _)| matches!(group, Group::Message(_)));
        let is_spoken = |(position, language): (usize, &Language)| {
            messages().all(|(_, by_language)| {
                let chosen = by_language.get(position).and_then(|index| languages.get(index.0));
                chosen.is_some_and(|chosen| chosen.primary() == language.primary())
            })
        };
        let spoken = languages.iter().enumerate().map(is_spoken).collect();
        let environments =
            languages.into_iter().map(|tag| (tag.clone(), environment(CalendarNames::of(&tag))));
        Self { languages: environments.collect(), choices, spoken }
    }

    /// Every language with its environment, to be filled.
    pub(super) fn languages_mut(&mut self) -> impl Iterator<Item = (&Language, &mut Environment<'static>)> {
        self.languages.iter_mut().map(|(language, environment)| (&*language, environment))
    }

    /// The language that a row names: exactly, else without its region, else the campaign's.
    pub(super) fn find(&self, named: &str) -> LanguageIndex {
        let known = |tag: &str| self.languages.iter().position(|(language, _)| language.as_str() == tag);
        // Nearly every row names it as the campaign does.
        let position = known(named).or_else(|| {
            let language: Language = named.parse().ok()?;
            known(language.as_str()).or_else(|| known(language.primary()))
        });
        LanguageIndex(position.unwrap_or_default())
    }

    /// The language in which a reader of `index` gets a group.
    pub(super) fn choice(&self, group: Group, index: LanguageIndex) -> LanguageIndex {
        let choices = self.choices.iter().find(|(known, _)| *known == group);
        choices.and_then(|(_, by_language)| by_language.get(index.0)).copied().unwrap_or_default()
    }

    /// The language itself, and its texts.
    pub(super) fn get(&self, index: LanguageIndex) -> Option<(&Language, &Environment<'static>)> {
        self.languages.get(index.0).map(|(language, environment)| (language, environment))
    }

    /// Whether every message has a text in the language that a row names and that `index` was found for, whatever its region.
    pub(super) fn speak(&self, named: &str, index: LanguageIndex) -> bool {
        let Some((language, _)) = self.get(index) else { return false };
        let spoken = self.spoken.get(index.0).copied().unwrap_or_default();
        let same = || named.parse().is_ok_and(|named: Language| named.primary() == language.primary());
        spoken && (language.as_str() == named || same())
    }
}
