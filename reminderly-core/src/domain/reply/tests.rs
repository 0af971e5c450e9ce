use proptest::prelude::*;

use super::*;

const STOP: ReplyKind = ReplyKind::OptOut(OptOutScope::ContactPoint);
const STOP_ALL: ReplyKind = ReplyKind::OptOut(OptOutScope::Person);

/// Replies by meaning, one a line; the campaign asks for 1/c, 2/x and 3/r.
const LABELLED: &[(ReplyKind, &str)] = &[
    (
        STOP,
        "STOP|stop|Stop.|STOP!!|\"stop\"|(stop)|S T O P|s.t.o.p|stop stop stop|stop pls|STOP PLEASE|please stop|Stop, thanks|\
         STOP 12345|2 stop|1 STOP|2 quit|stop 2|quit|QUIT 5|end|End.|revoke|remove|td|optout|OPT OUT|opt-out|Opt me out|\
         cancel|CANCEL|Cancel.|please cancel|cancel pls|unsubscribe|UNSUBSCRIBE ME|unsub|stop texting me|please stop texting me|\
         Stop calling this number|can you stop texting me?|no, stop|No. Stop!|I said stop|just stop already|stop it|no more|\
         No more texts please|take me off your list|Remove me from your list|leave me alone|do not contact me|\
         Don't text me again|DON’T CONTACT ME|Do not call|lose my number|wrong number|Sorry, wrong number|\
         you have the wrong person|I revoke my consent|I no longer wish to receive these|cancel texts|\
         cancel these messages|cancel my subscription|arrêt|ARRET|arrete|alto|Alto!|basta|🛑|stop 🛑|stpo|sotp|stopp|STPO!|\
         unsuscribe|unsubcribe|unsubscibe|qiut|ｓｔｏｐ|ＳＴＯＰ|st\u{200b}op|yes stop|ok stop|1 but stop texting me|\
         confirm. stop|I don't want these. Stop|I dont want these messages|this is spam|quit texting me|stop the messages|\
         please don't stop. actually stop|cancle|sto|please stoppp|STOOOOP|how do I stop these messages|can I stop these texts?|\
         why won't you stop|why can't you stop texting me|how do I opt out?|don't forget to stop texting me|end these texts|\
         I already confirmed. please stop|Do NOT text this number again|stop yes|START STOP",
    ),
    (
        STOP_ALL,
        "STOPALL|stop all|Stop-All|STOP ALL!|stop all messages|stop contacting me entirely|remove me from everything|\
         stop everything|unsubscribe from all|unsubscribe me from all lists|opt out of all|opt out of everything|\
         never contact me about anything|cancel all messages|cancel all|stop sending me all reminders|\
         stop all texts and calls|do not contact me in any way|end all|I opt out of all future messages",
    ),
    (ReplyKind::OptIn, "START|start|Start.|UNSTOP|unstop please|opt in|opt-in|resubscribe"),
    (ReplyKind::Help, "HELP|help|Help!|info|INFO|help me|help please|hlep"),
    (
        ReplyKind::Confirm,
        "1|1.|#1|(1)|1!|1️⃣|①|１|١|1 thanks|1 thank you|1 - confirm|1, see you then|1 yes|yes 1|ok 1|1 I will be there|press 1|\
         option 1|reply 1|c|C|C.|yes|YES|Yes!|y|yep|yeah|ok|OK 👍|👍|👍🏽|👍👍|sure|sounds good|confirm|Confirmed|CONFIRM!|\
         I confirm|confirrm|confrim|I'll be there|I’ll be there|Ill be there|yes I will be there|see you then|\
         See you tomorrow!|ok see you then|will be there|be there|I can make it|on my way|looking forward to it|\
         please don't cancel, I'll be there|hi, yes thanks|1 = confirm|I already confirmed|Yes. See you Monday at 9|works for me|yes please",
    ),
    (
        ReplyKind::Cancel,
        "2|2.|#2|x|X|2 sorry|2 - cancel|2 cancel|2, cannot come|cancel my appointment|please cancel the appointment|\
         Cancel appt|I need to cancel|can you cancel it?|can I cancel?|please cancel my appt|cancle my appointment|\
         I can't make it|cant make it sorry|I won't be there|I will not be there|not coming|I have to miss it|\
         yes please cancel my appointment|cancel all my appointments|no longer need the appointment|2 my son is sick|I moved, please cancel|never mind, cancel|\
         Do not stop my messages. Cancel my appointment",
    ),
    (
        ReplyKind::Reschedule,
        "3|3.|r|R|reschedule|Reschedule please|can we reschedule?|can we move it|another time|need a different day|\
         can't make it, can we reschedule|reshedule|I need to change my appointment|do you have another time?|\
         is there another day?|postpone|what about another day?|yes, reschedule|reschedule if possible|3 please",
    ),
    (
        ReplyKind::Unclear,
        "|   |!!!|...|no|nope|maybe|1 or 2?|1 or 2|1 and 2|1,2|1 2|1?|12|21|11|2 of us will come|1 question|1 pm works?|\
         2 weeks|yes 2|2 yes|1 not 2|1 cancel|confirm or cancel|cancel and confirm|cancel my cancellation|uncancel|\
         don't stop|please don't stop the reminders|do not stop|never stop|Don't ever stop|don't unsubscribe me|\
         I dont want to stop|don't cancel|do not cancel my appointment|did you cancel my appointment?|\
         what happens if I cancel?|cancel and reschedule|I might need to reschedule|not sure if I can make it|\
         who is this|who is this?|what time is it?|is this confirmed?|do I need to confirm?|ok?|can't confirm|\
         I'll be there late|running late|yes but can I bring my dog|I will be there if it doesn't rain|\
         I'll stop by at 3|should I stop eating?|Should I stop taking my meds before?|bus stop|nonstop|top|shop|step|slop|\
         spot|stoop|quite|quiet|thanks|thank you|hello|c u|r u open|Ann Lee|4|9|0|my number is +1 520 555 0100|cancer|\
         restart|when does it start|asdf|comfirm no|😀|the end|weekend|I need to know when it will end",
    ),
];

fn words() -> ReplyWords {
    ReplyWords::new(["1", "C"], ["2", "x"], ["3", "r"])
}

#[test]
fn labelled_replies_are_understood() {
    let words = words();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (kind, texts) in LABELLED {
        for text in texts.split('|') {
            count += 1;
            let found = classify(text, &words);
            if found.kind != *kind {
                wrong.push(format!("{text:?}: wanted {kind:?}, found {found:?}"));
            }
        }
    }
    assert!(count >= 150, "{count}");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn reasons_say_what_told() {
    let reason = |text| classify(text, &words()).reason;
    assert_eq!(reason("1"), ReplyReason::CampaignWord);
    assert_eq!(reason("STOP"), ReplyReason::ProviderKeyword);
    assert_eq!(reason("leave me alone"), ReplyReason::OptOutPhrase);
    assert_eq!(reason("stpo"), ReplyReason::Typo);
    assert_eq!(reason("confrim"), ReplyReason::Typo);
    assert_eq!(reason("I'll be there"), ReplyReason::Phrase);
    assert_eq!(reason("1,2"), ReplyReason::ConflictingAnswers);
    assert_eq!(reason("ok?"), ReplyReason::Question);
    assert_eq!(reason("I might reschedule"), ReplyReason::Hedged);
    assert_eq!(reason("  "), ReplyReason::Empty);
    assert_eq!(reason("purple"), ReplyReason::NotUnderstood);
}

#[test]
fn words_that_providers_act_on_collide() {
    for word in ["CANCEL", "End", "quit", "STOP", "opt-out", "Opt Out", "arrêt"] {
        assert_eq!(keyword_collision(word), Some(KeywordCollision::OptOut), "{word}");
    }
    assert_eq!(keyword_collision("START"), Some(KeywordCollision::OptIn));
    assert_eq!(keyword_collision("Info"), Some(KeywordCollision::Help));
    for word in ["1", "c", "confirm", "no", "ok", ""] {
        assert_eq!(keyword_collision(word), None, "{word}");
    }
}

#[test]
fn kinds_and_words_have_stable_json() {
    assert_eq!(serde_json::to_value(ReplyKind::Confirm).unwrap(), "confirm");
    assert_eq!(serde_json::to_value(STOP_ALL).unwrap(), serde_json::json!({"opt_out": "person"}));
    let words: ReplyWords = serde_json::from_str(r#"{"confirm": ["1"]}"#).unwrap();
    assert_eq!(words.kind_of("1"), Some(ReplyKind::Confirm));
    assert_eq!(words.kind_of("2"), None);
}

proptest! {
    #[test]
    fn normalising_twice_changes_nothing(text in "\\PC{0,40}") {
        let once = normalise(&text);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn a_keyword_opts_out_whatever_surrounds_it(
        word in prop::sample::select(PROVIDER_OPT_OUT_WORDS.to_vec()),
        before in "[ .!\"(*\u{200b}]{0,4}",
        after in "[ .!\")*\u{fe0f}]{0,4}",
        upper in any::<bool>(),
    ) {
        let word = if upper { word.to_uppercase() } else { word.to_owned() };
        let kind = classify(&format!("{before}{word}{after}"), &words()).kind;
        prop_assert!(matches!(kind, ReplyKind::OptOut(_)), "{:?}", kind);
    }

    #[test]
    fn any_text_is_classified(text in "\\PC{0,80}") {
        let _ = classify(&text, &words());
    }
}
