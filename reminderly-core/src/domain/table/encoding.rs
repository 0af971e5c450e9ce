//! Encodings of files: from their bytes to UTF-8, chunk by chunk, and back to the place of a byte.

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::{Deserialize, Serialize};

/// The encoding in which a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum TextEncoding {
    /// UTF-8.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, the low byte of each unit first: what Windows calls "Unicode text".
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, the high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// [Windows-1252](https://encoding.spec.whatwg.org/#windows-1252), of which Latin-1 is a part. The five bytes that it leaves
    /// open (`81`, `8D`, `8F`, `90`, `9D`) are faults.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// Stands in decoded text for two bytes that mean nothing: half a surrogate pair. No UTF-8 has this byte.
const BAD_UNIT: u8 = 0xff;
/// Stands for one byte that means nothing.
const BAD_BYTE: u8 = 0xfe;

impl TextEncoding {
    /// Every encoding.
    pub const ALL: [Self; 4] = [Self::Utf8, Self::Utf16Le, Self::Utf16Be, Self::Windows1252];

    /// The name in documents, reports and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// How many bytes of the file have become these decoded ones.
    pub(super) fn source_len(self, decoded: &[u8]) -> u64 {
        match self {
            Self::Utf8 => decoded.len() as u64,
            Self::Utf16Le | Self::Utf16Be => decoded.iter().map(|byte| u64::from(utf_16_len(*byte))).sum(),
            Self::Windows1252 => decoded.iter().filter(|byte| !is_continuation(**byte)).count() as u64,
        }
    }

    /// Decodes the first bytes of a file; `whole` says that there are no more.
    pub(super) fn decode_start(self, bytes: &[u8], whole: bool) -> Cow<'_, [u8]> {
        if self == Self::Utf8 {
            return Cow::Borrowed(bytes);
        }
        let mut decoded = Vec::new();
        let mut decoding = Decoding::new(self);
        decoding.decode(bytes, &mut decoded);
        if whole {
            decoding.finish(&mut decoded);
        }
        Cow::Owned(decoded)
    }
}

impl fmt::Display for TextEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

const fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xbf)
}

/// The bytes in UTF-16 of the character that begins with this byte in UTF-8; 0 for the bytes that go on with it.
const fn utf_16_len(byte: u8) -> u8 {
    match byte {
        0x80..=0xbf => 0,
        0xf0..=0xf7 => 4,
        BAD_BYTE => 1,
        _ => 2,
    }
}

/// Whether Windows-1252 leaves the byte open.
const fn is_open(byte: u8) -> bool {
    matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)
}

/// Decodes a file as its chunks come in. What cannot be decoded becomes bytes that are no UTF-8, so that whoever reads the text
/// finds the fault at its place, and the record around it is the only one that is lost.
pub(super) struct Decoding {
    encoding: TextEncoding,
    /// `None` for UTF-8, and once the file has ended.
    decoder: Option<Decoder>,
}

impl Decoding {
    pub(super) fn new(encoding: TextEncoding) -> Self {
        let encoder = match encoding {
            TextEncoding::Utf8 => None,
            TextEncoding::Utf16Le => Some(UTF_16LE),
            TextEncoding::Utf16Be => Some(UTF_16BE),
            TextEncoding::Windows1252 => Some(WINDOWS_1252),
        };
        // A byte order mark in the middle of a file is a character.
        Self { encoding, decoder: encoder.map(encoding_rs::Encoding::new_decoder_without_bom_handling) }
    }

    /// Appends what the bytes mean. A character that is not whole yet is kept back.
    pub(super) fn decode(&mut self, bytes: &[u8], text: &mut Vec<u8>) {
        let Some(decoder) = &mut self.decoder else {
            text.extend_from_slice(bytes);
            return;
        };
        if self.encoding != TextEncoding::Windows1252 {
            return decode(decoder, bytes, false, text);
        }
        let mut pieces = bytes.split(|byte| is_open(*byte)).peekable();
        while let Some(piece) = pieces.next() {
            decode(decoder, piece, false, text);
            if pieces.peek().is_some() {
                text.push(BAD_BYTE);
            }
        }
    }

    /// Appends what is left when the file has ended: a character that is cut.
    pub(super) fn finish(&mut self, text: &mut Vec<u8>) {
        if let Some(mut decoder) = self.decoder.take() {
            decode(&mut decoder, &[], true, text);
        }
    }
}

impl fmt::Debug for Decoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoding").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

fn decode(decoder: &mut Decoder, mut bytes: &[u8], last: bool, text: &mut Vec<u8>) {
    let mut end = text.len();
    // Room for all of it at once, faults included: one of them takes less than a character.
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 3);
    text.resize(end + room, 0);
    loop {
        let to = text.get_mut(end..).unwrap_or_default();
        let (result, read, written) = decoder.decode_to_utf8_without_replacement(bytes, to, last);
        bytes = bytes.get(read..).unwrap_or_default();
        end += written;
        match result {
            DecoderResult::InputEmpty => break,
            DecoderResult::OutputFull => text.resize(end + bytes.len() * 3 + 16, 0),
            DecoderResult::Malformed(bad, _) => {
                let marks: &[u8] = match bad {
                    1 => &[BAD_BYTE],
                    2 => &[BAD_UNIT],
                    _ => &[BAD_UNIT, BAD_BYTE],
                };
                for mark in marks {
                    match text.get_mut(end) {
                        Some(place) => *place = *mark,
                        None => text.push(*mark),
                    }
                    end += 1;
                }
            }
        }
    }
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utf_16(text: &str, encoding: TextEncoding) -> Vec<u8> {
        let bytes = |unit: u16| match encoding {
            TextEncoding::Utf16Be => unit.to_be_bytes(),
            _ => unit.to_le_bytes(),
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn decoded(encoding: TextEncoding, chunks: &[&[u8]]) -> Vec<u8> {
        let (mut text, mut decoding) = (Vec::new(), Decoding::new(encoding));
        for chunk in chunks {
            decoding.decode(chunk, &mut text);
        }
        decoding.finish(&mut text);
        text
    }

    #[test]
    fn windows_1252_is_decoded_but_for_its_open_bytes() {
        let text = decoded(TextEncoding::Windows1252, &[b"M\xfcller \x80\x93", b"\x81x"]);
        assert_eq!(text, ["Müller €“".as_bytes(), &[BAD_BYTE], b"x"].concat());
        assert_eq!(TextEncoding::Windows1252.source_len(&text), 11);
        for byte in 0..=u8::MAX {
            let text = decoded(TextEncoding::Windows1252, &[&[byte]]);
            assert_eq!(str::from_utf8(&text).is_err(), is_open(byte), "{byte:x}");
        }
    }

    #[test]
    fn half_characters_are_marked_and_their_neighbours_stay() {
        for (bytes, text) in [
            (&b"a\0\x3d\xd8b\0"[..], &[b'a', BAD_UNIT, b'b'][..]),
            (b"a\0\x3d\xd8\x3d\xd8\x00\xde", &[b'a', BAD_UNIT, 0xf0, 0x9f, 0x98, 0x80]),
            (b"\x00\xdea\0", &[BAD_UNIT, b'a']),
            (b"a\0b", &[b'a', BAD_BYTE]),
            (b"a\0\x3d\xd8", &[b'a', BAD_UNIT]),
            (b"a\0\x3d\xd8\x00", &[b'a', BAD_UNIT, BAD_BYTE]),
        ] {
            assert_eq!(decoded(TextEncoding::Utf16Le, &[bytes]), text);
            assert_eq!(TextEncoding::Utf16Le.source_len(text), bytes.len() as u64);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_wherever_it_is_cut(text in ".{0,60}", cut in 0usize..120) {
            for encoding in [TextEncoding::Utf16Le, TextEncoding::Utf16Be] {
                let bytes = utf_16(&text, encoding);
                let (front, back) = bytes.split_at(cut.min(bytes.len()));
                prop_assert_eq!(&decoded(encoding, &[front, back]), text.as_bytes());
                prop_assert_eq!(encoding.source_len(text.as_bytes()), bytes.len() as u64);
            }
        }

        #[test]
        fn any_bytes_are_measured_wherever_they_are_cut(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 0usize..60) {
            for encoding in TextEncoding::ALL {
                let whole = decoded(encoding, &[&bytes]);
                prop_assert_eq!(encoding.source_len(&whole), bytes.len() as u64);
                let (front, back) = bytes.split_at(cut.min(bytes.len()));
                prop_assert_eq!(decoded(encoding, &[front, back]), whole);
            }
        }
    }
}
