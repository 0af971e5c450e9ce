//! The text of a reply, cut into what carries meaning.

use super::lexicon::{Hit, Lexicon, Section};
use super::normal::{CHARS_MAX, normalise};
use super::opt_out;
use super::quoted::own_text;

/// What agreements such as "no problem" are read as.
const AGREED: &str = "ok";

/// So many single letters in a row, among other words, are one word.
pub(super) const SPACED_LETTERS_MIN: usize = 4;

/// A reply cut into words and clauses.
pub(super) struct Reply {
    /// The words of each clause; no clause is empty.
    pub clauses: Vec<Vec<String>>,
    /// All words in order.
    pub words: Vec<String>,
    /// The words without greetings, thanks and pleases.
    pub core: Vec<String>,
    /// Whether a question mark stands anywhere.
    pub asks: bool,
    /// The known phrases in the clauses, counted without the words of mere emphasis.
    pub hits: Vec<Hit>,
}

impl Reply {
    pub(super) fn read(text: &str) -> Self {
        let capped: String = text.chars().take(CHARS_MAX).collect();
        let own = own_text(&capped).replace(" - ", "\n");
        let clauses = own
            .split(is_clause_end)
            .map(words_of)
            .filter(|words| !words.is_empty())
            .map(|words| agreements_as_ok(&words))
            .collect();
        Self::of(without_signature(unspaced(clauses)), own.contains(['?', '？', '؟']))
    }

    /// The reply of these clauses.
    pub(super) fn of(clauses: Vec<Vec<String>>, asks: bool) -> Self {
        let lexicon = Lexicon::get();
        let plain: Vec<_> = clauses.iter().map(|clause| lexicon.without_emphasis(clause)).collect();
        let hits = lexicon.scan(&plain);
        let words = clauses.concat();
        let core = without_courtesy(&words);
        Self { clauses, words, core, asks, hits }
    }

    /// The reply with words put right, if there are any for which something else was meant.
    pub(super) fn corrected<'w>(&self, meant: impl Fn(&str) -> Option<&'w str>) -> Option<Self> {
        let mut slipped = false;
        let mut correct = |word: &String| {
            let meant = meant(word);
            slipped |= meant.is_some();
            meant.map_or_else(|| word.clone(), str::to_owned)
        };
        let clauses = self.clauses.iter().map(|clause| clause.iter().map(&mut correct).collect()).collect();
        slipped.then(|| Self::of(clauses, self.asks))
    }

    /// The words without courtesies, as one text.
    pub(super) fn core_text(&self) -> String {
        self.core.join(" ")
    }

    /// The phrases of a section that mean what they say.
    pub(super) fn said(&self, section: Section) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(move |hit| hit.says(section))
    }

    /// Whether a phrase of a section stands anywhere and means what it says.
    pub(super) fn says(&self, section: Section) -> bool {
        self.said(section).next().is_some()
    }

    /// Whether a phrase of a section stands anywhere, outside the phrases of `covers`.
    pub(super) fn says_outside(&self, section: Section, covers: &[Section]) -> bool {
        let covered = |hit: &Hit| {
            self.hits
                .iter()
                .any(|other| covers.contains(&other.section) && !other.negated && hit.lies_in(other))
        };
        self.said(section).any(|hit| !covered(hit))
    }
}

/// The words of a clause that is not normalised.
fn words_of(clause: &str) -> Vec<String> {
    normalise(clause).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The words that mean something.
pub(super) fn without_courtesy(words: &[String]) -> Vec<String> {
    without(words, Section::Courtesy, None)
}

fn agreements_as_ok(words: &[String]) -> Vec<String> {
    without(words, Section::Agreement, Some(AGREED))
}

/// The words with the phrases of a section left out, or put another way; of overlapping ones the longest.
fn without(words: &[String], section: Section, instead: Option<&str>) -> Vec<String> {
    let hits = Lexicon::get().scan(std::slice::from_ref(&words.to_vec()));
    let mut left = Vec::with_capacity(words.len());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let here = hits.iter().filter(|hit| hit.section == section && hit.at == at);
        if let Some(len) = here.map(|hit| hit.len).max() {
            left.extend(instead.map(str::to_owned));
            at += len;
        } else {
            left.push(word.clone());
            at += 1;
        }
    }
    left
}

/// `s t o p` and `S.T.O.P.` are `stop`, as a clause of its own: some write it so to be sure that it is read. Among other words
/// it takes four letters: "c u" is something else.
fn unspaced(clauses: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let is_letter = |word: &String| word.len() == 1 && word.bytes().all(|b| b.is_ascii_lowercase());
    let words = clauses.concat();
    if words.len() >= 3 && words.iter().all(is_letter) {
        return vec![vec![words.concat()]];
    }
    if !words.windows(SPACED_LETTERS_MIN).any(|run| run.iter().all(is_letter)) {
        return clauses;
    }
    // Letters run on over the ends of clauses; words do not.
    let placed: Vec<(usize, String)> = clauses
        .into_iter()
        .enumerate()
        .flat_map(|(clause, words)| words.into_iter().map(move |word| (clause, word)))
        .collect();
    let runs = placed.chunk_by(|(clause, one), (other_clause, other)| {
        is_letter(one) == is_letter(other) && (is_letter(one) || clause == other_clause)
    });
    runs.map(|run| {
        let run: Vec<String> = run.iter().map(|(_, word)| word.clone()).collect();
        let is_spaced = run.len() >= SPACED_LETTERS_MIN && run.first().is_some_and(is_letter);
        if is_spaced && Lexicon::get().knows(&run.concat()) { vec![run.concat()] } else { run }
    })
    .collect()
}

/// The clauses up to what a device adds: "Sent from my phone". No device adds a bare opt-out; what it quotes has other words with it.
fn without_signature(mut clauses: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let hits = Lexicon::get().scan(&clauses);
    let signature =
        hits.iter().find(|hit| hit.section == Section::Signature && hit.at == 0 && hit.clause > 0);
    if let Some(hit) = signature {
        let added = clauses.split_off(hit.clause);
        if added.iter().any(|clause| opt_out::is_bare(clause)) {
            clauses.extend(added);
        }
    }
    clauses
}

fn is_clause_end(c: char) -> bool {
    matches!(
        c,
        '.' | ','
            | ';'
            | ':'
            | '!'
            | '?'
            | '\n'
            | '\r'
            | '–'
            | '—'
            | '…'
            | '。'
            | '，'
            | '！'
            | '？'
            | '、'
            | '؟'
            | '¡'
            | '¿'
    )
}
