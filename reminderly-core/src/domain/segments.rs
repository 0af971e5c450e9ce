//! How many parts a text message takes.
//!
//! Alphabets: [3GPP TS 23.038 §6.2.1](https://www.3gpp.org/dynareport/23038.htm). Sizes of parts:
//! [3GPP TS 23.040 §9.2.3.24.1](https://www.3gpp.org/dynareport/23040.htm), with an 8-bit reference as providers use.

/// Septets of a message that fits into one part: 140 octets.
const GSM7_SINGLE: u32 = 160;
/// Septets of each part of a longer message: 140 octets less a header of 6.
const GSM7_PART: u32 = 153;
/// UTF-16 units of a message that fits into one part.
const UCS2_SINGLE: u32 = 70;
/// UTF-16 units of each part of a longer message.
const UCS2_PART: u32 = 67;

/// How the characters of a text message are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsEncoding {
    /// Septets of the GSM default alphabet and its extension table.
    Gsm7,
    /// UTF-16 units; one character outside the GSM alphabet is enough.
    Ucs2,
}

/// The size of a text message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Segments {
    /// How it is coded.
    pub encoding: SmsEncoding,
    /// Its length: septets of GSM-7 (a character of the extension table takes two), or UTF-16 units.
    pub units: u32,
    /// How many parts are sent and paid for; 0 for an empty text.
    pub count: u32,
}

/// Counts the parts of a text message.
///
/// Counts the text as it is: a provider that replaces typographic quotes and the like may send fewer parts.
///
/// ```
/// use reminderly_core::domain::segments::{SmsEncoding, count_segments};
///
/// let plain = count_segments("See you on Monday. Reply 1 to confirm.");
/// assert_eq!((plain.encoding, plain.units, plain.count), (SmsEncoding::Gsm7, 38, 1));
/// assert_eq!(count_segments("Ça va, garçon").encoding, SmsEncoding::Ucs2);
/// ```
pub fn count_segments(text: &str) -> Segments {
    // Most texts: as long as they look.
    if text.bytes().all(takes_one_septet) {
        let units = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let count = if units <= GSM7_SINGLE { units.min(1) } else { units.div_ceil(GSM7_PART) };
        return Segments { encoding: SmsEncoding::Gsm7, units, count };
    }
    if let Some((units, count)) = pack(text.chars().map(septets), GSM7_SINGLE, GSM7_PART) {
        return Segments { encoding: SmsEncoding::Gsm7, units, count };
    }
    let widths = text.chars().map(|c| Some(if u32::from(c) > 0xffff { 2 } else { 1 }));
    let (units, count) = pack(widths, UCS2_SINGLE, UCS2_PART).unwrap_or_default();
    Segments { encoding: SmsEncoding::Ucs2, units, count }
}

/// The characters that force a message into UCS-2, each with its offset in bytes.
///
/// ```
/// use reminderly_core::domain::segments::non_gsm_characters;
///
/// assert_eq!(non_gsm_characters("it’s 5 €").collect::<Vec<_>>(), [(2, '’')]);
/// ```
pub fn non_gsm_characters(text: &str) -> impl Iterator<Item = (usize, char)> {
    text.char_indices().filter(|(_, c)| septets(*c).is_none())
}

/// Total width and number of parts; `None` as soon as a character has no width. No character is split across parts:
/// neither the escape of an extension from its letter, nor a surrogate from its pair.
fn pack(widths: impl Iterator<Item = Option<u32>>, single: u32, part: u32) -> Option<(u32, u32)> {
    let (mut units, mut count, mut filled) = (0_u32, 0_u32, part);
    for width in widths {
        let width = width?;
        units = units.saturating_add(width);
        filled = filled.saturating_add(width);
        if filled > part {
            count = count.saturating_add(1);
            filled = width;
        }
    }
    Some((units, if units <= single { count.min(1) } else { count }))
}

/// Whether a byte is a character of ASCII that the default alphabet has; not all of those that do, see [`septets`].
const fn takes_one_septet(byte: u8) -> bool {
    matches!(byte, b' '..=b'Z' | b'_' | b'a'..=b'z' | b'\n' | b'\r')
}

/// The septets of a character: 1 in the default alphabet, 2 in the extension table, `None` outside both.
fn septets(c: char) -> Option<u32> {
    match c {
        '[' | '\\' | ']' | '^' | '{' | '|' | '}' | '~' | '\u{c}' | '€' => Some(2),
        '`' => None,
        ' '..='~' | '\n' | '\r'
        // Ç has a place and ç has none; the Greek capitals that look Latin are coded as Latin.
        | '£' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' | 'Δ' | 'Φ' | 'Γ' | 'Λ'
        | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' | 'Æ' | 'æ' | 'ß' | 'É' | '¤' | '¡' | 'Ä' | 'Ö' | 'Ñ' | 'Ü'
        | '§' | '¿' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::SmsEncoding::{Gsm7, Ucs2};
    use super::*;

    #[rstest]
    #[case::empty(String::new(), Gsm7, 0, 0)]
    #[case::full_single("a".repeat(160), Gsm7, 160, 1)]
    #[case::one_too_many("a".repeat(161), Gsm7, 161, 2)]
    #[case::two_full_parts("a".repeat(306), Gsm7, 306, 2)]
    #[case::three_parts("a".repeat(307), Gsm7, 307, 3)]
    #[case::provider_maximum("a".repeat(918), Gsm7, 918, 6)]
    #[case::extensions_fill_a_single("€".repeat(80), Gsm7, 160, 1)]
    #[case::extensions_spill("€".repeat(81), Gsm7, 162, 2)]
    #[case::extension_at_a_boundary(format!("{}€{}", "a".repeat(152), "a".repeat(152)), Gsm7, 306, 3)]
    #[case::extension_before_a_boundary(format!("{}€{}", "a".repeat(151), "a".repeat(153)), Gsm7, 306, 2)]
    #[case::ucs2_single("ç".repeat(70), Ucs2, 70, 1)]
    #[case::ucs2_spills("ç".repeat(71), Ucs2, 71, 2)]
    #[case::ucs2_two_parts("ç".repeat(134), Ucs2, 134, 2)]
    #[case::ucs2_three_parts("ç".repeat(135), Ucs2, 135, 3)]
    #[case::one_emoji(format!("{}😀", "a".repeat(68)), Ucs2, 70, 1)]
    #[case::emoji_too_long(format!("{}😀", "a".repeat(69)), Ucs2, 71, 2)]
    #[case::emoji_at_a_boundary(format!("{}😀{}", "a".repeat(66), "a".repeat(66)), Ucs2, 134, 3)]
    #[case::joined_emoji("👨‍👩‍👧".to_owned(), Ucs2, 8, 1)]
    #[case::line_breaks("a\r\nb".to_owned(), Gsm7, 4, 1)]
    #[case::form_feed("\u{c}".to_owned(), Gsm7, 2, 1)]
    fn counts(#[case] text: String, #[case] encoding: SmsEncoding, #[case] units: u32, #[case] count: u32) {
        assert_eq!(count_segments(&text), Segments { encoding, units, count });
    }

    #[test]
    fn the_alphabet_has_its_127_characters_and_ten_extensions() {
        let of = |width| (char::MIN..=char::MAX).filter(|c| septets(*c) == Some(width)).count();
        // 128 places less the escape.
        assert_eq!((of(1), of(2)), (127, 10));
    }

    #[test]
    fn what_takes_one_septet_does() {
        let plain = (0..=u8::MAX).filter(|byte| takes_one_septet(*byte));
        assert!(plain.map(char::from).all(|c| c.is_ascii() && septets(c) == Some(1)));
    }

    #[test]
    fn names_each_foreign_character() {
        assert_eq!(non_gsm_characters("`ça Ç").collect::<Vec<_>>(), [(0, '`'), (1, 'ç')]);
    }
}
