//! The words and phrases of all languages, read once from the tables in `words/`.
//!
//! Nobody says in which language they answer, so all are looked for at once; what negates a phrase is of its own language:
//! "no" makes nothing of an English "no, stop", but an opposite of a Spanish "no cancelar".

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::normal::normalise;

/// The tables by language.
const TABLES: [&str; 3] =
    [include_str!("words/en.txt"), include_str!("words/es.txt"), include_str!("words/fr.txt")];

static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::read);

/// What an entry of the tables is good for: the name of its section there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Section {
    Courtesy,
    Filler,
    Emphasis,
    OptOutNegators,
    Negators,
    NegatorsAfter,
    OptOutWhole,
    Everyday,
    Mistaken,
    OwnAppointment,
    OptOut,
    Stop,
    OtherStop,
    Everything,
    OptInWhole,
    HelpWhole,
    Yes,
    Agreement,
    Confirm,
    Cancel,
    CancelWhole,
    CannotCome,
    Reschedule,
    Undoing,
    Done,
    Either,
    Condition,
    PoliteCondition,
    Doubt,
    QuestionFirst,
    PastQuestionFirst,
    Quantity,
    LeadIn,
    Title,
    Slippery,
    SlipperyOptOut,
    OwnWords,
    Signature,
}

impl Section {
    const NAMES: [(&'static str, Self); 38] = [
        ("courtesy", Self::Courtesy),
        ("filler", Self::Filler),
        ("emphasis", Self::Emphasis),
        ("opt_out_negators", Self::OptOutNegators),
        ("negators", Self::Negators),
        ("negators_after", Self::NegatorsAfter),
        ("opt_out_whole", Self::OptOutWhole),
        ("everyday", Self::Everyday),
        ("mistaken", Self::Mistaken),
        ("own_appointment", Self::OwnAppointment),
        ("opt_out", Self::OptOut),
        ("stop", Self::Stop),
        ("other_stop", Self::OtherStop),
        ("everything", Self::Everything),
        ("opt_in_whole", Self::OptInWhole),
        ("help_whole", Self::HelpWhole),
        ("yes", Self::Yes),
        ("agreement", Self::Agreement),
        ("confirm", Self::Confirm),
        ("cancel", Self::Cancel),
        ("cancel_whole", Self::CancelWhole),
        ("cannot_come", Self::CannotCome),
        ("reschedule", Self::Reschedule),
        ("undoing", Self::Undoing),
        ("done", Self::Done),
        ("either", Self::Either),
        ("condition", Self::Condition),
        ("polite_condition", Self::PoliteCondition),
        ("doubt", Self::Doubt),
        ("question_first", Self::QuestionFirst),
        ("past_question_first", Self::PastQuestionFirst),
        ("quantity", Self::Quantity),
        ("lead_in", Self::LeadIn),
        ("title", Self::Title),
        ("slippery", Self::Slippery),
        ("slippery_opt_out", Self::SlipperyOptOut),
        ("own_words", Self::OwnWords),
        ("signature", Self::Signature),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, section)| *section)
    }

    /// Whether its entries are looked for inside clauses; those of the others are compared as they are.
    const fn is_of_phrases(self) -> bool {
        matches!(
            self,
            Self::Courtesy
                | Self::OwnAppointment
                | Self::OptOut
                | Self::Stop
                | Self::OtherStop
                | Self::Everything
                | Self::Agreement
                | Self::Confirm
                | Self::Cancel
                | Self::CannotCome
                | Self::Reschedule
                | Self::Undoing
                | Self::Done
                | Self::Condition
                | Self::PoliteCondition
                | Self::Doubt
                | Self::Signature
        )
    }

    /// The section of the words that turn a phrase of this one into its opposite.
    const fn negators(self) -> Option<Self> {
        match self {
            Self::OptOut | Self::Stop => Some(Self::OptOutNegators),
            Self::Confirm | Self::Cancel | Self::Reschedule | Self::Undoing => Some(Self::Negators),
            _ => None,
        }
    }
}

/// A phrase that stands in a reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) section: Section,
    /// As the table has it, normalised.
    pub(super) phrase: &'static str,
    /// The clause, and where in it.
    pub(super) clause: usize,
    pub(super) at: usize,
    pub(super) len: usize,
    /// Whether a negation turns it into its opposite.
    pub(super) negated: bool,
}

impl Hit {
    /// Whether it means what it says.
    pub(super) fn says(&self, section: Section) -> bool {
        self.section == section && !self.negated
    }

    /// Whether another hit covers all of it.
    pub(super) fn lies_in(&self, other: &Self) -> bool {
        self.clause == other.clause && other.at <= self.at && self.at + self.len <= other.at + other.len
    }
}

/// The tables, indexed.
pub(super) struct Lexicon {
    /// Phrases by their first word.
    phrases: HashMap<String, Vec<Phrase>>,
    /// Entries that are compared whole, by section and language.
    entries: HashMap<Section, [HashSet<String>; TABLES.len()]>,
    /// Every word of every entry: none of them is a slip of another.
    known: HashSet<String>,
}

struct Phrase {
    section: Section,
    language: usize,
    words: Vec<String>,
    text: String,
    /// Whether it means what it says at the end of a clause only.
    ends_clause: bool,
    /// Whether it means what it says at the beginning of a clause only.
    starts_clause: bool,
}

impl Phrase {
    fn stands_at(&self, at: usize, words: &[String]) -> bool {
        words.starts_with(&self.words)
            && (!self.starts_clause || at == 0)
            && (!self.ends_clause || words.len() == self.words.len())
    }
}

impl Lexicon {
    /// The one there is.
    pub(super) fn get() -> &'static Self {
        &LEXICON
    }

    fn read() -> Self {
        let mut lexicon = Self { phrases: HashMap::new(), entries: HashMap::new(), known: HashSet::new() };
        // Emphasis first: it is left out of what follows.
        for only_emphasis in [true, false] {
            for (language, table) in TABLES.into_iter().enumerate() {
                let wanted = entries(table).filter(|(of, _)| (*of == Section::Emphasis) == only_emphasis);
                for (section, entry) in wanted {
                    for text in alternatives(entry) {
                        lexicon.add(section, language, text, (entry.starts_with('.'), entry.ends_with('.')));
                    }
                }
            }
        }
        lexicon
    }

    fn add(
        &mut self,
        section: Section,
        language: usize,
        text: String,
        (starts_clause, ends_clause): (bool, bool),
    ) {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        self.known.extend(words.iter().cloned());
        let words = if section == Section::Courtesy { words } else { self.without_emphasis(&words) };
        if let Some(set) = self.entries.entry(section).or_default().get_mut(language) {
            set.insert(text.clone());
        }
        if let (true, Some(first)) = (section.is_of_phrases(), words.first()) {
            let phrases = self.phrases.entry(first.clone()).or_default();
            phrases.push(Phrase { section, language, words, text, ends_clause, starts_clause });
        }
    }

    /// Whether an entry of a section reads like this, in any language.
    pub(super) fn has(&self, section: Section, text: &str) -> bool {
        self.entry(section, text).is_some()
    }

    /// The entry of a section that reads like this, in any language.
    pub(super) fn entry(&self, section: Section, text: &str) -> Option<&str> {
        self.of(section).find_map(|set| set.get(text)).map(String::as_str)
    }

    /// The entries of a section, in no order.
    pub(super) fn entries(&self, section: Section) -> impl Iterator<Item = &str> {
        self.of(section).flatten().map(String::as_str)
    }

    /// Whether a word is part of any entry.
    pub(super) fn knows(&self, word: &str) -> bool {
        self.known.contains(word)
    }

    /// The words that phrases are made of: all but those of mere emphasis.
    pub(super) fn without_emphasis(&self, words: &[String]) -> Vec<String> {
        words.iter().filter(|word| !self.has(Section::Emphasis, word)).cloned().collect()
    }

    /// Every phrase that stands in the clauses, overlapping ones included.
    pub(super) fn scan(&'static self, clauses: &[Vec<String>]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (number, clause) in clauses.iter().enumerate() {
            for (at, word) in clause.iter().enumerate() {
                let rest = clause.get(at..).unwrap_or_default();
                let starting = self.phrases.get(word).into_iter().flatten();
                hits.extend(starting.filter(|phrase| phrase.stands_at(at, rest)).map(|phrase| Hit {
                    section: phrase.section,
                    phrase: phrase.text.as_str(),
                    clause: number,
                    at,
                    len: phrase.words.len(),
                    negated: self.is_negated(phrase, clause, at),
                }));
            }
        }
        hits
    }

    /// Whether a negation of the phrase's language stands before it, with nothing but fillers between, or right behind it. A
    /// phrase that holds a negation means what it says.
    fn is_negated(&self, phrase: &Phrase, clause: &[String], at: usize) -> bool {
        let is = |section: Section, word: &String| {
            self.entries
                .get(&section)
                .and_then(|sets| sets.get(phrase.language))
                .is_some_and(|set| set.contains(word))
        };
        let Some(negators) = phrase.section.negators() else { return false };
        let own = [Section::OptOutNegators, Section::Negators];
        if phrase.words.iter().any(|word| own.into_iter().any(|section| is(section, word))) {
            return false;
        }
        // Up to the first word that is neither.
        let mut before = clause.iter().take(at).rev().map_while(|word| {
            if is(negators, word) { Some(true) } else { is(Section::Filler, word).then_some(false) }
        });
        let behind = clause.get(at + phrase.words.len());
        before.any(|negates| negates) || behind.is_some_and(|word| is(Section::NegatorsAfter, word))
    }

    fn of(&self, section: Section) -> impl Iterator<Item = &HashSet<String>> {
        self.entries.get(&section).into_iter().flatten()
    }
}

/// The entries of a table with their sections.
fn entries(table: &'static str) -> impl Iterator<Item = (Section, &'static str)> {
    let mut section = None;
    table
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(move |line| match line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(name) => {
                section = Section::named(name);
                None
            }
            None => section.map(|section| line.split('|').map(move |entry| (section, entry.trim()))),
        })
        .flatten()
}

/// The phrases that an entry stands for, normalised: `stop/end texting` is two.
fn alternatives(entry: &str) -> Vec<String> {
    let mut phrases = vec![String::new()];
    for word in entry.split_whitespace() {
        let choices: Vec<String> = word.split('/').map(normalise).collect();
        phrases = phrases
            .iter()
            .flat_map(|phrase| choices.iter().map(move |choice| format!("{phrase} {choice}")))
            .collect();
    }
    phrases.iter().map(|phrase| phrase.trim().to_owned()).filter(|phrase| !phrase.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_every_table_stands_in_a_section_that_is_known() {
        for table in TABLES {
            let mut in_section = false;
            for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                if let Some(name) = line.strip_prefix('[') {
                    let name = name.strip_suffix(']').unwrap();
                    assert!(Section::named(name).is_some(), "[{name}]");
                    in_section = true;
                } else {
                    assert!(in_section, "{line}");
                    assert!(line.split('|').all(|entry| !entry.trim().is_empty()), "{line}");
                    assert!(line.chars().count() <= 130, "{line}");
                }
            }
        }
    }

    #[test]
    fn every_language_has_what_every_kind_needs() {
        use Section::{
            Cancel, CannotCome, Condition, Confirm, Courtesy, Doubt, Everything, HelpWhole, Negators,
            OptInWhole, OptOut, OptOutWhole, QuestionFirst, Reschedule, Slippery, Yes,
        };
        let lexicon = Lexicon::get();
        for section in [
            Cancel,
            CannotCome,
            Condition,
            Confirm,
            Courtesy,
            Doubt,
            Everything,
            HelpWhole,
            Negators,
            OptInWhole,
            OptOut,
            OptOutWhole,
            QuestionFirst,
            Reschedule,
            Slippery,
            Yes,
        ] {
            for set in lexicon.entries.get(&section).unwrap() {
                assert!(!set.is_empty(), "{section:?}");
            }
        }
    }

    #[test]
    fn an_entry_with_alternatives_is_several_phrases() {
        assert_eq!(
            alternatives("Arrêtez/cessez de m’écrire/crier"),
            ["arretez de mecrire", "arretez de crier", "cessez de mecrire", "cessez de crier"]
        );
    }

    #[test]
    fn negations_reach_over_fillers_of_their_language() {
        let says = |text: &str| {
            let clause: Vec<String> = normalise(text).split(' ').map(str::to_owned).collect();
            let hits = Lexicon::get().scan(&[clause]);
            hits.iter().any(|hit| hit.says(Section::Cancel) || hit.says(Section::Stop))
        };
        assert!(
            says("please cancel it") && says("no stop") && says("cancelar la cita") && says("annulez svp")
        );
        for negated in
            ["do not ever cancel", "dont stop", "no quiero cancelar", "ne pas annuler", "annule pas"]
        {
            assert!(!says(negated), "{negated}");
        }
    }
}
