//! Opt-outs by "any reasonable means" ([47 CFR 64.1200(a)(10)](https://www.ecfr.gov/current/title-47/section-64.1200)).

use super::found::Found;
use super::keyword::PROVIDER_OPT_OUT_WORDS;
use super::lexicon::{Hit, Lexicon, Section};
use super::normal::is_emoji;
use super::text::{Reply, SPACED_LETTERS_MIN, without_courtesy};
use super::typo::is_slip_of;
use super::{OptOutScope, ReplyKind, ReplyReason, ReplyWords};

/// The words that revoke consent by themselves, by the same rule. What it demands and from when is the rule pack `us_revocation`;
/// they opt out with and without it.
pub const REVOCATION_WORDS: [&str; 7] = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"];

/// The shortest word of the tables of which a slip is told; providers' words are told by themselves.
const SLIP_LETTERS_MIN: usize = 6;

/// Whether the reply asks for no more contact, in whatever words.
pub(super) fn find(reply: &Reply, words: &ReplyWords) -> Option<Found> {
    let core = without_emoji(&reply.core);
    let (reason, matched) = bare_word(&core)
        .or_else(|| by_phrase(reply))
        .or_else(|| own_clause(reply))
        .or_else(|| beside_answer(&core, words))
        .or_else(|| by_mistyped_phrase(reply))?;
    let everything = reply.said(Section::Everything).next();
    let scope = if everything.is_some() { OptOutScope::Person } else { OptOutScope::ContactPoint };
    let matched = std::iter::once(matched).chain(everything.map(|hit| hit.phrase.to_owned())).collect();
    Some(Found::new(ReplyKind::OptOut(scope), reason, matched))
}

/// Whether a clause is an opt-out by itself: one keyword.
pub(super) fn is_bare(clause: &[String]) -> bool {
    bare_word(&without_courtesy(clause)).is_some()
}

/// Whether words of an opt-out stand in the reply, even if it turns them into their opposite, or a slip of one. Not "cancel",
/// which may be said of the appointment: "don't cancel, I'll be there".
pub(super) fn is_touched(reply: &Reply) -> bool {
    let touches =
        |word: &str| (is_other_word(word) && !is_everyday(word)) || keyword_meant_by(word).is_some();
    let speaks =
        |reply: &Reply| reply.hits.iter().any(|hit| matches!(hit.section, Section::OptOut | Section::Stop));
    speaks(reply)
        || reply.words.iter().any(|word| touches(word))
        || reply.words.windows(2).any(touches_as_pair)
        || reply.clauses.iter().any(|clause| is_other_word(&clause_core(clause).concat()))
        || spells_keyword(&reply.words)
        || corrected(reply).is_some_and(|corrected| speaks(&corrected))
}

/// "Opt out", but not "para los", which is no "páralos" in the middle of other words.
fn touches_as_pair(pair: &[String]) -> bool {
    is_other_word(&pair.concat()) && !is_everyday(&pair.join(" "))
}

/// Whether single letters in a row spell a keyword, with other letters around it: "I, S.T.O.P."
fn spells_keyword(words: &[String]) -> bool {
    let runs = words.chunk_by(|one, other| one.len() == 1 && other.len() == 1);
    runs.filter(|run| run.len() >= SPACED_LETTERS_MIN).any(|run| {
        let letters = run.concat();
        PROVIDER_OPT_OUT_WORDS
            .into_iter()
            .any(|word| word.len() >= SPACED_LETTERS_MIN && letters.contains(word))
    })
}

type Told = (ReplyReason, String);

/// A reply that is one keyword. Bare "cancel" is one: carriers have blocked the sender by the time we read it.
fn bare_word(core: &[String]) -> Option<Told> {
    // Repeated for emphasis: "stop stop stop".
    let (word, rest) = core.split_first()?;
    let joined = core.concat();
    if is_opt_out_word(&joined) {
        return Some(told(&joined));
    }
    if is_opt_out_word(word) && rest.iter().all(|other| other == word) {
        return Some(told(word));
    }
    if !rest.is_empty() {
        return None;
    }
    let own = Lexicon::get().entries(Section::OptOutWhole).filter(|known| known.len() >= SLIP_LETTERS_MIN);
    let meant = PROVIDER_OPT_OUT_WORDS.into_iter().chain(own).filter(|known| is_slip_of(word, known)).min();
    meant.map(mistyped)
}

/// The provider's keyword that a word in the middle of others is a slip of.
fn keyword_meant_by(word: &str) -> Option<&'static str> {
    PROVIDER_OPT_OUT_WORDS.into_iter().filter(|known| *known != "cancel" && is_slip_of(word, known)).min()
}

/// A phrase with slips in it: "stpo texting me", "wrong nmber".
fn by_mistyped_phrase(reply: &Reply) -> Option<Told> {
    corrected(reply)?.said(Section::OptOut).max_by_key(|hit| hit.len).map(|hit| mistyped(hit.phrase))
}

/// The reply with slips in the words of opt-outs put right, if there were any.
fn corrected(reply: &Reply) -> Option<Reply> {
    let own = || Lexicon::get().entries(Section::SlipperyOptOut);
    reply.corrected(|word| {
        own().filter(|known| is_slip_of(word, known)).min().or_else(|| keyword_meant_by(word))
    })
}

fn by_phrase(reply: &Reply) -> Option<Told> {
    let phrase = reply.said(Section::OptOut).max_by_key(|hit| hit.len);
    let stop = || (0..reply.clauses.len()).find_map(|clause| stop_in(reply, clause));
    phrase.or_else(stop).map(|hit| (ReplyReason::OptOutPhrase, hit.phrase.to_owned()))
}

/// "Stop" in a clause, unless it is another stop: "I will stop by", "should I stop eating", "the bus stop".
fn stop_in(reply: &Reply, clause: usize) -> Option<&Hit> {
    let of = |section| reply.hits.iter().filter(move |hit| hit.clause == clause && hit.section == section);
    // Several stops in one clause: none of them may be explained away by another.
    let other = of(Section::Stop).count() == 1 && of(Section::OtherStop).next().is_some();
    of(Section::Stop).find(|hit| !hit.negated && !other)
}

/// A keyword as a clause of its own: "STOP. Ann Lee", "I told you already: end". Not "cancel", which may be said of the
/// appointment; nor an everyday word beside a confirmation ("Confirmo. Fin"); nor that somebody is mistaken beside an
/// appointment of the person's own ("Se equivocó, mi cita es a las 3").
fn own_clause(reply: &Reply) -> Option<Told> {
    let confirms = reply.says(Section::Confirm);
    let has_appointment = reply.says(Section::OwnAppointment);
    let says_otherwise = |word: &str| {
        (confirms && is_everyday(word)) || (has_appointment && Lexicon::get().has(Section::Mistaken, word))
    };
    reply.clauses.iter().find_map(|clause| {
        let core = clause_core(clause);
        let joined = core.concat();
        let meant = if let [only] = core.as_slice() { keyword_meant_by(only) } else { None };
        if is_other_word(&joined) && !says_otherwise(&joined) {
            Some(told(&joined))
        } else {
            meant.map(mistyped)
        }
    })
}

/// The words of a clause that tell.
fn clause_core(clause: &[String]) -> Vec<String> {
    without_emoji(&without_courtesy(clause))
}

/// The words without emoji that say nothing of it, such as a face beside "end".
fn without_emoji(words: &[String]) -> Vec<String> {
    words.iter().filter(|word| !word.starts_with(is_emoji) || is_opt_out_word(word)).cloned().collect()
}

/// A campaign word and then an opt-out, or an opt-out and then digits. "2 cancel" only says twice what 2 means.
fn beside_answer(core: &[String], words: &ReplyWords) -> Option<Told> {
    let (first, rest) = core.split_first()?;
    if let ([word], true) = (rest, words.kind_of(first).is_some())
        && is_other_word(word)
    {
        return Some(told(word));
    }
    let digits = rest.iter().all(|word| word.bytes().all(|b| b.is_ascii_digit()));
    (digits && is_other_word(first)).then(|| told(first))
}

fn mistyped(meant: &str) -> Told {
    (ReplyReason::Typo, meant.to_owned())
}

fn told(word: &str) -> Told {
    let is_keyword = PROVIDER_OPT_OUT_WORDS.contains(&word);
    (if is_keyword { ReplyReason::ProviderKeyword } else { ReplyReason::OptOutPhrase }, word.to_owned())
}

fn is_opt_out_word(word: &str) -> bool {
    PROVIDER_OPT_OUT_WORDS.contains(&word) || Lexicon::get().has(Section::OptOutWhole, word)
}

/// Whether a word opts out by itself, and says something else in the middle of other words.
fn is_everyday(word: &str) -> bool {
    Lexicon::get().has(Section::Everyday, word)
}

fn is_other_word(word: &str) -> bool {
    word != "cancel" && is_opt_out_word(word)
}

#[cfg(test)]
mod tests {
    use super::super::classify;
    use super::*;

    #[test]
    fn each_word_of_the_rule_opts_out_by_itself() {
        for word in REVOCATION_WORDS {
            let kind = classify(word, &ReplyWords::default()).kind;
            assert!(matches!(kind, ReplyKind::OptOut(_)), "{word}: {kind:?}");
        }
    }
}
