//! What a first message should say beside its matter.

/// What tells people how to hear no more, in the languages of the reply grammar. The
/// [CTIA guidelines](https://www.ctia.org/the-wireless-industry/industry-commitments/messaging-interoperability-sms-mms) ask for
/// opt-out instructions in the first message.
const OPT_OUT_HINTS: &[&str] = &[
    "stop",
    "opt out",
    "opt-out",
    "optout",
    "unsubscribe",
    "unsubscribing", // English
    "alto",
    "baja",
    "parar",
    "cancelar suscripción",
    "cancelar la suscripción",
    "anular la suscripción",
    "desuscribirse", // Spanish
    "arrêt",
    "arret",
    "désabonner",
    "désabonnement",
    "désinscrire",
    "désinscription", // French
];

/// Whether a text tells how to opt out.
pub(super) fn tells_how_to_opt_out(text: &str) -> bool {
    let text = text.to_lowercase();
    OPT_OUT_HINTS.iter().any(|hint| holds_words(&text, hint))
}

/// Whether a text names the sender, whatever the case.
pub(super) fn names_sender(text: &str, sender: &str) -> bool {
    holds_words(&text.to_lowercase(), &sender.to_lowercase())
}

/// Whether `words` stand in the text with nothing of a word before or behind them.
fn holds_words(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(start, found)| {
        let before = text.get(..start).and_then(|text| text.chars().next_back());
        let behind = text.get(start + found.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !behind.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_count() {
        for text in [
            "Reply STOP to opt out.",
            "Para darse de baja responda ALTO",
            "Répondez ARRÊT.",
            "stop",
            "Unsubscribe: https://c.example/u",
        ] {
            assert!(tells_how_to_opt_out(text), "{text}");
        }
        for text in ["See you at the bus stops", "Nonstop to Rome", ""] {
            assert!(!tells_how_to_opt_out(text), "{text}");
        }
        assert!(names_sender("SMITH CLINIC: see you", "Smith Clinic"));
        assert!(!names_sender("Goldsmith Clinic: see you", "Smith Clinic"));
    }
}
