//! Opt-outs by "any reasonable means" ([47 CFR 64.1200(a)(10)](https://www.ecfr.gov/current/title-47/section-64.1200)).

use super::keyword::PROVIDER_OPT_OUT_WORDS;
use super::text::{Reply, says};
use super::typo::is_slip_of;
use super::words::{
    AFTER_OTHER_STOP, ALL_AFTER, ALL_BEFORE, ALL_WORDS, BEFORE_OTHER_STOP, OPT_OUT_NEGATORS, OPT_OUT_PHRASES,
    OPT_OUT_WORDS,
};
use super::{Classification, OptOutScope, ReplyKind, ReplyReason, ReplyWords};

/// Whether the reply asks for no more contact, in whatever words.
pub(super) fn find(reply: &Reply, words: &ReplyWords) -> Option<Classification> {
    let reason = reason(reply, words)?;
    Some(Classification { kind: ReplyKind::OptOut(scope(reply)), reason })
}

fn reason(reply: &Reply, words: &ReplyWords) -> Option<ReplyReason> {
    let core: Vec<&str> = reply.core.iter().map(String::as_str).collect();
    if let Some(reason) = bare_word(&core) {
        return Some(reason);
    }
    if reply.says_any(OPT_OUT_PHRASES, OPT_OUT_NEGATORS)
        || reply.clauses.iter().any(|clause| says_stop(clause))
    {
        return Some(ReplyReason::OptOutPhrase);
    }
    // A campaign word and then an opt-out, or an opt-out and then digits. "2 cancel" only says twice what 2 means.
    let (first, rest) = core.split_first()?;
    let is_other = |word: &&str| is_opt_out_word(word) && *word != "cancel";
    let after_answer = words.kind_of(first).is_some() && matches!(rest, [word] if is_other(word));
    let before_digits = is_other(first) && rest.iter().all(|word| word.bytes().all(|b| b.is_ascii_digit()));
    (after_answer || before_digits).then_some(ReplyReason::ProviderKeyword)
}

/// A reply that is one keyword. Bare "cancel" is one: carriers have blocked the sender by the time we read it.
fn bare_word(core: &[&str]) -> Option<ReplyReason> {
    // Repeated for emphasis: "stop stop stop".
    let (word, rest) = core.split_first()?;
    let joined = core.concat();
    if is_opt_out_word(&joined) || (is_opt_out_word(word) && rest.iter().all(|other| other == word)) {
        let provider =
            PROVIDER_OPT_OUT_WORDS.contains(word) || PROVIDER_OPT_OUT_WORDS.contains(&joined.as_str());
        return Some(if provider { ReplyReason::ProviderKeyword } else { ReplyReason::OptOutPhrase });
    }
    let typo = rest.is_empty() && PROVIDER_OPT_OUT_WORDS.iter().any(|known| is_slip_of(word, known));
    typo.then_some(ReplyReason::Typo)
}

fn is_opt_out_word(word: &str) -> bool {
    PROVIDER_OPT_OUT_WORDS.contains(&word) || OPT_OUT_WORDS.contains(&word)
}

/// "Stop" in a sentence, unless it is another stop: "I will stop by", "should I stop eating", "the bus stop".
fn says_stop(clause: &[String]) -> bool {
    let is_stop = |word: &String| word == "stop" || word == "🛑";
    let other_before = BEFORE_OTHER_STOP.iter().any(|before| says(clause, &format!("{before} stop"), &[]));
    let other_after = AFTER_OTHER_STOP.iter().any(|after| says(clause, &format!("stop {after}"), &[]));
    // Several stops in one clause: none of them may be explained away by another.
    let stops = clause.iter().filter(|word| is_stop(word)).count();
    let negated = !["stop", "🛑"].iter().any(|stop| says(clause, stop, OPT_OUT_NEGATORS));
    stops > 0 && !negated && (stops > 1 || !(other_before || other_after))
}

fn scope(reply: &Reply) -> OptOutScope {
    let all = reply.words.iter().any(|word| ALL_WORDS.contains(&word.as_str()))
        || ALL_BEFORE.iter().any(|before| reply.says(&format!("{before} all"), &[]))
        || ALL_AFTER.iter().any(|after| reply.says(&format!("all {after}"), &[]))
        || reply.says_any(
            &["any way", "all the messages", "all your messages", "all the texts", "all of your"],
            &[],
        );
    if all { OptOutScope::Person } else { OptOutScope::ContactPoint }
}
