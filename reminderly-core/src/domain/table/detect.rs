//! Which encoding a file is in: what its first bytes prove, and what the campaign declares.

use super::encoding::TextEncoding;
use super::fault::TableFault;
use crate::domain::campaign::definition::Encoding;

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16_LE_MARK: &[u8] = b"\xff\xfe";
const UTF_16_BE_MARK: &[u8] = b"\xfe\xff";
const UTF_32_LE_MARK: &[u8] = b"\xff\xfe\0\0";
/// How many bytes tell whether there is a mark.
const MARK_BYTES: usize = 4;
/// How many bytes are looked at for UTF-16 without a mark.
const SAMPLE_BYTES: usize = 64 << 10;

/// The encoding of a file and the bytes of its byte order mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Detected {
    pub(super) encoding: TextEncoding,
    pub(super) mark: usize,
}

/// Finds the encoding from the first bytes of a file; `whole` says that there are no more. `None` asks for more.
///
/// A byte order mark decides. Without one, zero bytes show UTF-16: every comma and line break of it has one, at odd places if
/// the low byte comes first. Anything else is what is declared, and UTF-8 if nothing is.
pub(super) fn detect(
    declared: Encoding,
    bytes: &[u8],
    whole: bool,
    max_bytes: usize,
) -> Result<Option<Detected>, TableFault> {
    if bytes.len() < MARK_BYTES && !whole {
        return Ok(None);
    }
    if bytes.starts_with(UTF_32_LE_MARK) {
        return Err(TableFault::NotText { offset: 2 });
    }
    for (mark, encoding) in [
        (UTF_8_MARK, TextEncoding::Utf8),
        (UTF_16_LE_MARK, TextEncoding::Utf16Le),
        (UTF_16_BE_MARK, TextEncoding::Utf16Be),
    ] {
        if bytes.starts_with(mark) {
            return if agree(declared, encoding) {
                Ok(Some(Detected { encoding, mark: mark.len() }))
            } else {
                Err(TableFault::NotAsDeclared { declared, found: Some(encoding), offset: 0 })
            };
        }
    }
    let Some((found, offset)) = by_zero_bytes(bytes, whole, max_bytes)? else { return Ok(None) };
    let encoding = match (found, declared) {
        (found, Encoding::Auto) => found.unwrap_or_default(),
        (None, Encoding::Utf8) => TextEncoding::Utf8,
        (None, Encoding::Windows1252) => TextEncoding::Windows1252,
        (Some(found), declared) if agree(declared, found) => found,
        (found, declared) => return Err(TableFault::NotAsDeclared { declared, found, offset }),
    };
    Ok(Some(Detected { encoding, mark: 0 }))
}

/// Whether a file in the encoding is what is declared.
const fn agree(declared: Encoding, found: TextEncoding) -> bool {
    match declared {
        Encoding::Auto => true,
        Encoding::Utf8 => matches!(found, TextEncoding::Utf8),
        Encoding::Utf16 => matches!(found, TextEncoding::Utf16Le | TextEncoding::Utf16Be),
        Encoding::Utf16Le => matches!(found, TextEncoding::Utf16Le),
        Encoding::Utf16Be => matches!(found, TextEncoding::Utf16Be),
        Encoding::Windows1252 => matches!(found, TextEncoding::Windows1252),
    }
}

/// UTF-16, if the bytes show it, and where; the outer `None` asks for more bytes.
///
/// A line break in UTF-16 has a zero byte at its side. A header without line break shows zero bytes of one half only.
fn by_zero_bytes(
    bytes: &[u8],
    whole: bool,
    max_bytes: usize,
) -> Result<Option<(Option<TextEncoding>, u64)>, TableFault> {
    // A header in UTF-16 has up to twice the bytes.
    let enough = SAMPLE_BYTES.min(max_bytes.saturating_mul(2));
    if bytes.len() < enough && !whole {
        return Ok(None);
    }
    let sample = bytes.get(..enough).unwrap_or(bytes);
    let Some(first) = sample.iter().position(|byte| *byte == 0) else { return Ok(Some((None, 0))) };
    for (encoding, ends) in
        [(TextEncoding::Utf16Le, [*b"\n\0", *b"\r\0"]), (TextEncoding::Utf16Be, [*b"\0\n", *b"\0\r"])]
    {
        let (units, _) = sample.as_chunks::<2>();
        let mut until = units.iter().take_while(|unit| **unit != [0, 0]);
        if until.any(|unit| ends.contains(unit)) {
            return Ok(Some((Some(encoding), first as u64)));
        }
    }
    let line = sample.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(sample.len());
    let zero = |parity: usize| {
        let places = sample.iter().take(line).enumerate().skip(parity).step_by(2);
        places.filter(|(_, byte)| **byte == 0).map(|(place, _)| place as u64).next()
    };
    match (zero(0), zero(1)) {
        (None, None) => Ok(Some((None, 0))),
        (None, Some(offset)) => Ok(Some((Some(TextEncoding::Utf16Le), offset))),
        (Some(offset), None) => Ok(Some((Some(TextEncoding::Utf16Be), offset))),
        (Some(even), Some(odd)) => Err(TableFault::NotText { offset: even.min(odd) }),
    }
}
