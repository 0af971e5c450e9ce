//! The question which of several appointments a person means.

use std::sync::Arc;

use chrono::NaiveDateTime;

use crate::domain::language::Language;
use crate::domain::template::calendar_names::CalendarNames;
use crate::domain::template::format::{FormatKind, apply_once};
use crate::domain::template::function::Datum;

/// The question as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NumberedQuestion {
    /// The language that it is in.
    pub(crate) language: Language,
    /// The subject of an e-mail.
    pub(crate) subject: Arc<str>,
    /// The text.
    pub(crate) text: Arc<str>,
}

/// The parts of the question in one language.
struct Wording {
    subject: &'static str,
    before: &'static str,
    /// Stands between a number and its appointment.
    link: &'static str,
    format: &'static str,
}

const ENGLISH: Wording = Wording {
    subject: "Which appointment do you mean?",
    before: "You have more than one appointment. Which one do you mean? Reply",
    link: "for",
    format: "%a %b %-d, %-I:%M %p",
};

const SPANISH: Wording = Wording {
    subject: "¿A qué cita se refiere?",
    before: "Tiene varias citas. ¿A cuál se refiere? Responda",
    link: "para",
    format: "%a %-d %b, %-I:%M %p",
};

const FRENCH: Wording = Wording {
    subject: "De quel rendez-vous parlez-vous ?",
    before: "Vous avez plusieurs rendez-vous. Duquel parlez-vous ? Répondez",
    link: "pour",
    format: "%a %-d %b, %-H:%M",
};

impl NumberedQuestion {
    /// The question in this language, or in English where it has no words of ours. Dates and times only: the person knows what
    /// they have appointments for, and a shared phone should not. `None` if a date cannot be written.
    pub(crate) fn new(language: &Language, appointments: &[NaiveDateTime]) -> Option<Self> {
        let (wording, language) = match language.primary() {
            "en" => (&ENGLISH, language.clone()),
            "es" => (&SPANISH, language.clone()),
            "fr" => (&FRENCH, language.clone()),
            _ => (&ENGLISH, Language::default()),
        };
        let names = CalendarNames::of(&language);
        let option = |(number, local): (usize, &NaiveDateTime)| {
            let when = apply_once(FormatKind::DateTime, Datum::DateTime(*local), wording.format, &names);
            Some(format!("{number} {} {}", wording.link, when.ok()?.into_text()))
        };
        let options: Vec<String> = (1..).zip(appointments).map(option).collect::<Option<_>>()?;
        let text = format!("{} {}.", wording.before, options.join(", ")).into();
        Some(Self { language, subject: wording.subject.into(), text })
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "en",
        "en",
        "You have more than one appointment. Which one do you mean? Reply 1 for Wed Mar 4, 2:00 PM, 2 for Sat Mar 7, 9:30 AM."
    )]
    #[case(
        "es-MX",
        "es-MX",
        "Tiene varias citas. ¿A cuál se refiere? Responda 1 para mié 4 mar, 2:00 PM, 2 para sáb 7 mar, 9:30 AM."
    )]
    #[case(
        "fr",
        "fr",
        "Vous avez plusieurs rendez-vous. Duquel parlez-vous ? Répondez 1 pour mer. 4 mars, 14:00, 2 pour sam. 7 mars, 9:30."
    )]
    #[case(
        "de",
        "en",
        "You have more than one appointment. Which one do you mean? Reply 1 for Wed Mar 4, 2:00 PM, 2 for Sat Mar 7, 9:30 AM."
    )]
    fn it_is_asked_in_the_language_of_the_row(#[case] asked: &str, #[case] tag: &str, #[case] text: &str) {
        let at = |day, hour, minute| {
            NaiveDate::from_ymd_opt(2026, 3, day).unwrap().and_hms_opt(hour, minute, 0).unwrap()
        };
        let language: Language = asked.parse().unwrap();
        let question = NumberedQuestion::new(&language, &[at(4, 14, 0), at(7, 9, 30)]).unwrap();
        assert_eq!((question.language.as_str(), &*question.text), (tag, text));
    }
}
