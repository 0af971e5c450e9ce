//! Confirm, cancel and reschedule: by the campaign's words, else in plain ones.

use super::answer_words::{
    CANCEL_PHRASES, CANNOT_COME_PHRASES, CONFIRM_PHRASES, DOUBTS, LEAD_INS, NEGATORS, QUANTITIES,
    QUESTION_WORDS, RESCHEDULE_PHRASES, SLIPPERY_WORDS, YES_WORDS,
};
use super::text::Reply;
use super::typo::is_slip_of;
use super::{Classification, ReplyKind, ReplyReason, ReplyWords};

/// The answer that the reply gives, or why it gives none.
pub(super) fn find(reply: &Reply, words: &ReplyWords) -> Classification {
    let core: Vec<&str> = reply.core.iter().map(String::as_str).collect();
    let core = strip_lead_in(&core);
    let by_phrase = by_phrase(reply);
    if let Some(found) = by_campaign_word(reply, core, words, by_phrase) {
        return found;
    }
    match by_phrase {
        Phrases::None if core.iter().any(|word| YES_WORDS.contains(word)) => yes(reply, core, words),
        Phrases::None => unclear(ReplyReason::NotUnderstood),
        Phrases::Several => unclear(ReplyReason::ConflictingAnswers),
        Phrases::One(kind, reason) => doubt(reply, kind).unwrap_or(Classification { kind, reason }),
    }
}

/// What the plain words of a reply say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phrases {
    None,
    One(ReplyKind, ReplyReason),
    Several,
}

fn by_phrase(reply: &Reply) -> Phrases {
    let (corrected, reason) = corrected(reply);
    let reply = corrected.as_ref().unwrap_or(reply);
    let confirms = reply.says_any(CONFIRM_PHRASES, NEGATORS);
    let cancels = reply.says_any(CANCEL_PHRASES, NEGATORS);
    let moves = reply.says_any(RESCHEDULE_PHRASES, NEGATORS);
    let cannot_come = reply.says_any(CANNOT_COME_PHRASES, &[]);
    // "Cancel my cancellation" undoes an answer.
    if reply.words.iter().any(|word| word == "cancellation" || word == "cancelation") {
        return Phrases::Several;
    }
    match (confirms, cancels, moves, cannot_come) {
        (false, false, false, false) => Phrases::None,
        (true, false, false, false) => Phrases::One(ReplyKind::Confirm, reason),
        (false, true, false, _) | (false, false, false, true) => Phrases::One(ReplyKind::Cancel, reason),
        // Who cannot come and wants another time does not want to be cancelled.
        (false, false, true, _) => Phrases::One(ReplyKind::Reschedule, reason),
        _ => Phrases::Several,
    }
}

/// The reply with slips in the words of answers put right, if there were any.
fn corrected(reply: &Reply) -> (Option<Reply>, ReplyReason) {
    let mut slipped = false;
    let mut correct = |words: &[String]| -> Vec<String> {
        words
            .iter()
            .map(|word| {
                let meant = (!SLIPPERY_WORDS.contains(&word.as_str()))
                    .then(|| SLIPPERY_WORDS.iter().find(|known| is_slip_of(word, known)))
                    .flatten();
                slipped |= meant.is_some();
                meant.map_or_else(|| word.clone(), |known| (*known).to_owned())
            })
            .collect()
    };
    let clauses = reply.clauses.iter().map(|clause| correct(clause)).collect();
    let (words, core) = (correct(&reply.words), correct(&reply.core));
    if slipped {
        (Some(Reply { clauses, words, core, asks: reply.asks }), ReplyReason::Typo)
    } else {
        (None, ReplyReason::Phrase)
    }
}

/// The whole reply is a campaign word, or one leads it: "1 thanks", "1, see you then", "#1".
fn by_campaign_word(
    reply: &Reply,
    core: &[&str],
    words: &ReplyWords,
    by_phrase: Phrases,
) -> Option<Classification> {
    let whole = words.kind_of(&core.join(" ")).or_else(|| words.kind_of(&reply.words.join(" ")));
    let given = |kind| Classification { kind, reason: ReplyReason::CampaignWord };
    if let Some(kind) = whole {
        return Some(if reply.asks { unclear(ReplyReason::Question) } else { given(kind) });
    }
    let (first, rest) = core.split_first()?;
    let kind = words.kind_of(first)?;
    let is_number = first.bytes().all(|b| b.is_ascii_digit());
    let own_clause =
        reply.clauses.first().is_some_and(|clause| matches!(clause.as_slice(), [only] if only == first));
    // "c u then", "r u open": a letter leads a reply by chance. "2 of us", "1 pm": so does a number that counts something.
    if !own_clause && !is_number && first.chars().count() < 2 {
        return None;
    }
    let other_answer = rest.iter().any(|word| words.kind_of(word).is_some_and(|other| other != kind));
    let other_phrase = match by_phrase {
        Phrases::None => false,
        Phrases::One(phrase, _) => phrase != kind,
        Phrases::Several => true,
    };
    if other_answer || other_phrase {
        return Some(unclear(ReplyReason::ConflictingAnswers));
    }
    let counts = rest
        .first()
        .is_some_and(|next| QUANTITIES.contains(next) || next.bytes().all(|b| b.is_ascii_digit()));
    if counts && !own_clause {
        return Some(unclear(ReplyReason::NotUnderstood));
    }
    // A yes or no behind the word may contradict it; a question may be about it.
    let contradicts = kind != ReplyKind::Confirm && rest.iter().any(|word| YES_WORDS.contains(word));
    let negates = rest.iter().any(|word| NEGATORS.contains(word)) && by_phrase == Phrases::None;
    Some(match doubt(reply, kind) {
        _ if contradicts || negates => unclear(ReplyReason::ConflictingAnswers),
        Some(doubt) => doubt,
        None => given(kind),
    })
}

/// A reply of nothing but yes-words, or of those and the campaign's word for yes: a weak answer, good for nothing else.
fn yes(reply: &Reply, core: &[&str], words: &ReplyWords) -> Classification {
    let left: Vec<&str> = core.iter().copied().filter(|word| !YES_WORDS.contains(word)).collect();
    let same = left.iter().all(|word| words.kind_of(word) == Some(ReplyKind::Confirm));
    if same {
        let given = Classification { kind: ReplyKind::Confirm, reason: ReplyReason::Phrase };
        return doubt(reply, ReplyKind::Confirm).unwrap_or(given);
    }
    let other = left.iter().any(|word| words.kind_of(word).is_some());
    unclear(if other { ReplyReason::ConflictingAnswers } else { ReplyReason::NotUnderstood })
}

/// Why an answer of this kind is not to be taken at its word.
fn doubt(reply: &Reply, kind: ReplyKind) -> Option<Classification> {
    let first = reply.core.first().map_or("", String::as_str);
    let asked = match kind {
        ReplyKind::Confirm => reply.asks,
        ReplyKind::Cancel => reply.asks && QUESTION_WORDS.contains(&first),
        // "Do you have another time?" is how people ask for one.
        _ => {
            reply.asks && matches!(first, "did" | "was" | "were" | "have" | "has" | "why" | "who" | "should")
        }
    };
    if asked {
        return Some(unclear(ReplyReason::Question));
    }
    let conditional = reply
        .says_any(&["if", "unless", "maybe", "might", "not sure", "unsure", "perhaps"], &[])
        && !reply.says_any(&["if possible", "if you can", "if thats ok", "if i may"], &[]);
    let doubted = conditional || (kind == ReplyKind::Confirm && reply.says_any(DOUBTS, &[]));
    doubted.then(|| unclear(ReplyReason::Hedged))
}

fn strip_lead_in<'a, 'b>(core: &'a [&'b str]) -> &'a [&'b str] {
    match core {
        [first, second, rest @ ..]
            if LEAD_INS.contains(first) && second.bytes().all(|b| b.is_ascii_digit()) =>
        {
            core.get(core.len() - rest.len() - 1..).unwrap_or(core)
        }
        _ => core,
    }
}

const fn unclear(reason: ReplyReason) -> Classification {
    Classification { kind: ReplyKind::Unclear, reason }
}
