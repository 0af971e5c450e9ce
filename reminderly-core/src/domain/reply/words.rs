//! Words without meaning and the words of opt-outs, normalised. Data only: what they do is said where they are used.

/// Whether a word is courtesy, which changes no meaning.
pub(super) fn is_courtesy(word: &str) -> bool {
    matches!(
        word,
        "please"
            | "pls"
            | "plz"
            | "plse"
            | "pleas"
            | "kindly"
            | "thanks"
            | "thank"
            | "thx"
            | "thnx"
            | "tks"
            | "ty"
            | "tnx"
            | "hi"
            | "hello"
            | "hey"
            | "dear"
            | "sir"
            | "madam"
            | "maam"
            | "now"
            | "immediately"
            | "asap"
            | "🙏"
            | "😊"
            | "🙂"
            | "❤"
            | "😀"
    )
}

/// Whether a word may stand between a negation and what it negates: "do not **ever** stop", "don't **want to** cancel".
pub(super) fn is_filler(word: &str) -> bool {
    matches!(
        word,
        "want"
            | "wish"
            | "need"
            | "like"
            | "have"
            | "mean"
            | "intend"
            | "going"
            | "to"
            | "you"
            | "u"
            | "ever"
            | "please"
            | "pls"
            | "be"
            | "been"
            | "able"
            | "yet"
            | "actually"
            | "really"
            | "just"
            | "going2"
            | "me"
            | "them"
            | "it"
            | "even"
    )
}

/// What turns an opt-out into its opposite: "don't stop". Not "no": "no, stop" is an opt-out.
pub(super) const OPT_OUT_NEGATORS: &[&str] =
    &["dont", "not", "never", "didnt", "doesnt", "wont", "cannot", "cant"];

/// Whole replies that opt out, beyond the providers' words. With spaces taken out.
pub(super) const OPT_OUT_WORDS: &[&str] = &[
    "stopit",
    "stopnow",
    "stopplease",
    "stoptexting",
    "stoptexts",
    "stopmessages",
    "stopsms",
    "stopcalling",
    "stopalerts",
    "optmeout",
    "unsub",
    "unsubscribeme",
    "unsubscribeall",
    "removeme",
    "endall",
    "quitall",
    "cancelall",
    "nomore",
    "enough",
    "deleteme",
    "alto",
    "parar",
    "pare",
    "basta",
    "baja",
    "cancelarsuscripcion",
    "arrete",
    "arreter",
    "desabonner",
    "halt",
    "cease",
    "desist",
    "🛑",
    "🚫",
    "donotcontact",
    "donottext",
    "dnc",
    "goaway",
    "fuckoff",
    "leavemealone",
];

/// Phrases that opt out wherever they stand. "Stop" has a rule of its own.
pub(super) const OPT_OUT_PHRASES: &[&str] = &[
    "stop these",
    "stop the messages",
    "stop the texts",
    "stop texting",
    "stop messaging",
    "stop messages",
    "stop texts",
    "stop sending",
    "stop contacting",
    "stop calling",
    "stop emailing",
    "stop bothering",
    "wont you stop",
    "cant you stop",
    "dont you stop",
    "end these",
    "unsubscribe",
    "unsuscribe",
    "unsubscribed",
    "opt out",
    "opt me out",
    "opting out",
    "optout",
    "stopall",
    "unsub",
    "no more texts",
    "no more text",
    "no more messages",
    "no more sms",
    "no more calls",
    "no more emails",
    "no more reminders",
    "no more of these",
    "no more contact",
    "no more notifications",
    "no longer wish to receive",
    "no longer want to receive",
    "no longer want these",
    "no longer want to be contacted",
    "no longer wish to be contacted",
    "dont text me",
    "dont text",
    "do not text",
    "dont message me",
    "do not message",
    "dont call me",
    "do not call",
    "dont contact me",
    "dont contact",
    "do not contact",
    "dont email me",
    "do not email",
    "never contact",
    "never text",
    "never call me",
    "never message",
    "dont send me",
    "do not send",
    "dont send any more",
    "dont send anymore",
    "quit texting",
    "quit calling",
    "quit messaging",
    "quit sending",
    "quit contacting",
    "quit bothering",
    "end texts",
    "end messages",
    "end these messages",
    "end all",
    "cease",
    "cease and desist",
    "take me off",
    "take my number off",
    "take this number off",
    "take us off",
    "remove me",
    "remove my number",
    "remove this number",
    "remove us",
    "remove my name",
    "delete me",
    "delete my number",
    "delete this number",
    "lose my number",
    "lose this number",
    "leave me alone",
    "leave us alone",
    "cancel texts",
    "cancel the texts",
    "cancel these texts",
    "cancel messages",
    "cancel the messages",
    "cancel these messages",
    "cancel text messages",
    "cancel all messages",
    "cancel all texts",
    "cancel reminders",
    "cancel the reminders",
    "cancel these reminders",
    "cancel my reminders",
    "cancel all reminders",
    "cancel my subscription",
    "cancel subscription",
    "cancel notifications",
    "cancel alerts",
    "revoke my consent",
    "revoke consent",
    "i revoke",
    "withdraw my consent",
    "withdraw consent",
    "wrong number",
    "wrong person",
    "wrong email",
    "you have the wrong",
    "u have the wrong",
    "dont want these",
    "dont want your",
    "dont want any more",
    "dont want texts",
    "dont want messages",
    "dont want reminders",
    "dont want to receive",
    "dont want to be contacted",
    "dont want to get these",
    "do not want these",
    "do not want your",
    "do not want any more",
    "do not want to receive",
    "do not want texts",
    "do not want messages",
    "do not want reminders",
    "do not want to be contacted",
    "not interested in receiving",
    "put me on your do not call",
    "no mas mensajes",
    "no mas",
    "dar de baja",
    "report you as spam",
    "this is spam",
    "go away",
    "fuck off",
    "block this number",
];

/// Before "stop": another stop.
pub(super) const BEFORE_OTHER_STOP: &[&str] = &[
    "ill",
    "i will",
    "should i",
    "do i",
    "do i need to",
    "must i",
    "can i",
    "could i",
    "may i",
    "when i",
    "did i",
    "bus",
    "train",
    "subway",
    "metro",
    "tram",
    "short",
    "pit",
    "rest",
    "next",
    "first",
    "last",
    "one",
    "we will",
    "well",
    "when do i",
    "when should i",
    "how do i",
    "non",
    "truck",
    "i had to",
    "i have to",
    "i need to",
];

/// After "stop": another stop.
pub(super) const AFTER_OTHER_STOP: &[&str] = &[
    "by",
    "over",
    "in at",
    "in on",
    "at",
    "sign",
    "light",
    "there",
    "taking",
    "eating",
    "drinking",
    "smoking",
    "using",
    "bleeding",
    "my medication",
    "my medications",
    "my meds",
    "my medicine",
    "the medication",
    "the meds",
    "the bleeding",
];

/// Words that widen an opt-out to the person.
pub(super) const ALL_WORDS: &[&str] = &[
    "stopall",
    "everything",
    "entirely",
    "altogether",
    "completely",
    "endall",
    "quitall",
    "cancelall",
    "unsubscribeall",
    "anything",
    "totally",
];

/// Before "all": widens an opt-out to the person.
pub(super) const ALL_BEFORE: &[&str] = &[
    "stop",
    "cancel",
    "end",
    "quit",
    "unsubscribe",
    "unsubscribe me from",
    "from",
    "of",
    "out of",
    "me from",
    "off",
];

/// After "all": widens an opt-out to the person.
pub(super) const ALL_AFTER: &[&str] = &[
    "messages",
    "texts",
    "text",
    "emails",
    "email",
    "calls",
    "communication",
    "communications",
    "contact",
    "contacts",
    "reminders",
    "notifications",
    "contacting",
    "lists",
    "alerts",
    "future",
    "further",
    "sms",
    "correspondence",
];
