//! Answers: by the campaign's words, else in plain ones.

use super::found::Found;
use super::lexicon::{Lexicon, Section};
use super::text::Reply;
use super::typo::{is_slip_of, without_held_letter};
use super::{ReplyKind, ReplyReason, ReplyWords};

/// The answer that the reply gives, or why it gives none.
pub(super) fn find(reply: &Reply, words: &ReplyWords) -> Found {
    let core: Vec<&str> = reply.core.iter().map(String::as_str).collect();
    let core = strip_lead_in(&core);
    let by_phrase = by_phrase(reply);
    if let Some(found) = by_campaign_word(reply, core, words, &by_phrase) {
        return found;
    }
    match by_phrase {
        Phrases::None if core.iter().any(|word| is_yes(word)) => yes(reply, core, words),
        Phrases::None => Found::unclear(ReplyReason::NotUnderstood, Vec::new()),
        Phrases::Several(matched) => Found::unclear(ReplyReason::ConflictingAnswers, matched),
        Phrases::One(kind, reason, matched) => match doubt(reply, kind) {
            Some(reason) => Found::unclear(reason, matched),
            None => Found::new(kind, reason, matched),
        },
    }
}

/// What the plain words of a reply say, and which.
#[derive(Debug, PartialEq, Eq)]
enum Phrases {
    None,
    One(ReplyKind, ReplyReason, Vec<String>),
    Several(Vec<String>),
}

fn by_phrase(reply: &Reply) -> Phrases {
    use Section::{Cancel, CannotCome, Confirm, Either, Reschedule, Undoing};

    let corrected = corrected(reply);
    let reason = if corrected.is_some() { ReplyReason::Typo } else { ReplyReason::Phrase };
    let reply = corrected.as_ref().unwrap_or(reply);
    let whole = reply.core_text();
    if let Some(entry) = Lexicon::get().entry(Section::CancelWhole, &whole) {
        return Phrases::One(ReplyKind::Cancel, reason, vec![entry.to_owned()]);
    }
    let said = |section| reply.says(section);
    let told = |sections: &[Section]| -> Vec<String> {
        let mut told: Vec<String> = sections
            .iter()
            .flat_map(|section| reply.said(*section))
            .map(|hit| hit.phrase.to_owned())
            .collect();
        told.sort_unstable_by_key(|phrase| std::cmp::Reverse(phrase.len()));
        told.dedup();
        told
    };
    // "Cancel my cancellation" undoes an answer.
    if said(Undoing) {
        return Phrases::Several(told(&[Undoing, Cancel]));
    }
    let either = reply.words.iter().any(|word| is(Either, word));
    match (said(Confirm), said(Cancel), said(Reschedule), said(CannotCome)) {
        (false, false, false, false) => Phrases::None,
        (true, false, false, false) => Phrases::One(ReplyKind::Confirm, reason, told(&[Confirm])),
        (false, true, false, _) | (false, false, false, true) => {
            Phrases::One(ReplyKind::Cancel, reason, told(&[Cancel, CannotCome]))
        }
        // Who cannot come and wants another time does not want to be cancelled, nor who cancels and wants another time.
        (false, false | true, true, _) if !(said(Cancel) && either) => {
            Phrases::One(ReplyKind::Reschedule, reason, told(&[Reschedule]))
        }
        _ => Phrases::Several(told(&[Confirm, Cancel, Reschedule, CannotCome])),
    }
}

/// The reply with slips in the words of answers put right, if there were any.
fn corrected(reply: &Reply) -> Option<Reply> {
    reply.corrected(|word| {
        Lexicon::get().entries(Section::Slippery).filter(|known| is_slip_of(word, known)).min()
    })
}

/// The whole reply is a campaign word, or one leads it: "1 thanks", "1, see you then", "#1".
fn by_campaign_word(reply: &Reply, core: &[&str], words: &ReplyWords, by_phrase: &Phrases) -> Option<Found> {
    let texts = [core.join(" "), reply.words.join(" ")];
    let whole = texts.into_iter().find_map(|text| Some((words.kind_of(&text)?, text)));
    if let Some((kind, word)) = whole {
        return Some(if reply.asks {
            Found::unclear(ReplyReason::Question, vec![word])
        } else {
            Found::new(kind, ReplyReason::CampaignWord, vec![word])
        });
    }
    let (first, rest) = core.split_first()?;
    let kind = words.kind_of(first)?;
    let rest = strip_scale(kind, rest);
    let matched = vec![(*first).to_owned()];
    let own_clause =
        reply.clauses.first().is_some_and(|clause| matches!(clause.as_slice(), [only] if only == first));
    // "c u then", "r u open": a letter leads a reply by chance. "2 of us", "1 pm": so does a number that counts something.
    if !own_clause && !is_number(first) && first.chars().count() < 2 {
        return None;
    }
    if is_contradicted(kind, rest, words, by_phrase) {
        return Some(Found::unclear(ReplyReason::ConflictingAnswers, matched));
    }
    let counts = rest.first().is_some_and(|next| is(Section::Quantity, next) || is_number(next));
    if counts && !own_clause {
        return Some(Found::unclear(ReplyReason::NotUnderstood, matched));
    }
    Some(match doubt(reply, kind) {
        Some(reason) => Found::unclear(reason, matched),
        None => Found::new(kind, ReplyReason::CampaignWord, matched),
    })
}

/// Whether what stands behind a leading campaign word gives another answer.
fn is_contradicted(kind: ReplyKind, rest: &[&str], words: &ReplyWords, by_phrase: &Phrases) -> bool {
    let other_answer = rest.iter().any(|word| words.kind_of(word).is_some_and(|other| other != kind));
    let other_phrase = match by_phrase {
        Phrases::None => false,
        // Who rates the last visit may look forward to the next.
        Phrases::One(phrase, ..) => {
            *phrase != kind && !(matches!(kind, ReplyKind::Answer(_)) && *phrase == ReplyKind::Confirm)
        }
        Phrases::Several(_) => true,
    };
    // A yes or no behind the word may contradict it; a question may be about it.
    let contradicts = matches!(kind, ReplyKind::Cancel | ReplyKind::Reschedule)
        && rest.iter().any(|word| is(Section::Yes, word));
    let negates = *by_phrase == Phrases::None && rest.iter().any(|word| is(Section::Negators, word));
    other_answer || other_phrase || contradicts || negates
}

/// A reply of nothing but yes-words, or of those and the campaign's word for yes: a weak answer, good for nothing else.
fn yes(reply: &Reply, core: &[&str], words: &ReplyWords) -> Found {
    let (said, left): (Vec<&str>, Vec<&str>) = core.iter().partition(|word| is_yes(word));
    let said: Vec<String> = said.into_iter().map(|word| yes_of(word).unwrap_or(word).to_owned()).collect();
    let same = left.iter().all(|word| words.kind_of(word) == Some(ReplyKind::Confirm)) || is_address(&left);
    if same {
        return match doubt(reply, ReplyKind::Confirm) {
            Some(reason) => Found::unclear(reason, said),
            None => Found::new(ReplyKind::Confirm, ReplyReason::Phrase, said),
        };
    }
    let other = left.iter().any(|word| words.kind_of(word).is_some());
    Found::unclear(if other { ReplyReason::ConflictingAnswers } else { ReplyReason::NotUnderstood }, said)
}

/// "Dr. Smith", said to whoever is answered.
fn is_address(words: &[&str]) -> bool {
    matches!(words, [title, name] if is(Section::Title, title) && !Lexicon::get().knows(name) && !is_number(name))
}

fn is_yes(word: &str) -> bool {
    yes_of(word).is_some()
}

/// The yes that a word is, with its last letter held down or not.
fn yes_of(word: &str) -> Option<&str> {
    let yes = |word| is(Section::Yes, word);
    if yes(word) { Some(word) } else { without_held_letter(word).filter(|word| yes(word)) }
}

/// Why an answer of this kind is not to be taken at its word.
fn doubt(reply: &Reply, kind: ReplyKind) -> Option<ReplyReason> {
    let first = reply.core.first().map_or("", String::as_str);
    let asked = reply.asks
        && match kind {
            ReplyKind::Cancel => is(Section::QuestionFirst, first),
            // "Do you have another time?" is how people ask for one.
            ReplyKind::Reschedule => is(Section::PastQuestionFirst, first),
            _ => true,
        };
    if asked {
        return Some(ReplyReason::Question);
    }
    // "I already cancelled" tells what was, and asks for nothing.
    if matches!(kind, ReplyKind::Cancel | ReplyKind::Reschedule) && reply.says(Section::Done) {
        return Some(ReplyReason::Hedged);
    }
    let conditional = reply.says_outside(Section::Condition, &[Section::PoliteCondition]);
    let covers = [Section::Confirm, Section::PoliteCondition];
    let doubted = conditional || (kind == ReplyKind::Confirm && reply.says_outside(Section::Doubt, &covers));
    doubted.then_some(ReplyReason::Hedged)
}

fn strip_lead_in<'a, 'b>(core: &'a [&'b str]) -> &'a [&'b str] {
    match core {
        [first, second, ..] if is_number(second) && is_lead_in(first) => core.get(1..).unwrap_or(core),
        _ => core,
    }
}

/// "5 out of 5", "4 sur 5": the rest behind the scale of a rating.
fn strip_scale<'a, 'b>(kind: ReplyKind, rest: &'a [&'b str]) -> &'a [&'b str] {
    match (kind, rest) {
        (
            ReplyKind::Answer(_),
            ["out", "of", most, behind @ ..] | ["of" | "sur" | "de", most, behind @ ..],
        ) if is_number(most) => behind,
        _ => rest,
    }
}

fn is_lead_in(word: &str) -> bool {
    is(Section::LeadIn, word)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

fn is(section: Section, word: &str) -> bool {
    Lexicon::get().has(section, word)
}
