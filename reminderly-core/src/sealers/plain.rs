//! No secrecy, for payloads that never leave the process.

use sha2::{Digest as _, Sha256};

use crate::domain::sealed::Sealed;
use crate::ports::sealer::{SealError, Sealer};

const KEY: &str = "plain";

/// Keeps nothing secret: for queues in memory, tests and examples only.
///
/// The text is the payload in hexadecimal behind its SHA-256 digest. The digest notices damage and another purpose, as the
/// port demands, but anybody can make one: through a real queue, payloads travel in an `AeadSealer`.
///
/// ```
/// use reminderly_core::ports::sealer::Sealer as _;
/// use reminderly_core::sealers::PlainSealer;
///
/// let sealed = PlainSealer.seal("incoming", b"STOP")?;
/// assert_eq!(PlainSealer.open("incoming", &sealed)?, b"STOP");
/// assert!(PlainSealer.open("disposition", &sealed).is_err());
/// # Ok::<(), reminderly_core::ports::sealer::SealError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainSealer;

impl Sealer for PlainSealer {
    fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        let digest = digest(purpose, plain);
        let mut text = String::with_capacity(2 * (digest.len() + plain.len()));
        push_hex(&mut text, &digest);
        push_hex(&mut text, plain);
        Ok(Sealed { key: KEY.to_owned(), text })
    }

    fn open(&self, purpose: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        if sealed.key != KEY {
            return Err(SealError::UnknownKey { key: sealed.key.clone() });
        }
        let (found, plain) = sealed.text.as_bytes().split_first_chunk::<64>().ok_or(SealError::Failed)?;
        let (found, plain) = (unhex(found)?, unhex(plain)?);
        if found != digest(purpose, &plain) {
            return Err(SealError::Failed);
        }
        Ok(plain)
    }
}

fn digest(purpose: &str, plain: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    // The length keeps the end of a purpose apart from the start of a payload.
    hasher.update(purpose.len().to_be_bytes());
    hasher.update(purpose);
    hasher.update(plain);
    hasher.finalize().into()
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' - 10 + value });
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
}

fn unhex(text: &[u8]) -> Result<Vec<u8>, SealError> {
    let (pairs, []) = text.as_chunks::<2>() else { return Err(SealError::Failed) };
    let mut bytes = Vec::with_capacity(pairs.len());
    for [high, low] in pairs {
        bytes.push(nibble(*high)? << 4 | nibble(*low)?);
    }
    Ok(bytes)
}

/// Lower case only: each payload has one text.
const fn nibble(digit: u8) -> Result<u8, SealError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(SealError::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_back() {
        for plain in [&b""[..], b"\0", b"STOP", &(0..=255).collect::<Vec<u8>>()] {
            let sealed = PlainSealer.seal("incoming", plain).unwrap();
            assert_eq!(PlainSealer.open("incoming", &sealed).unwrap(), plain);
        }
    }

    #[test]
    fn another_purpose_does_not_open() {
        let sealed = PlainSealer.seal("incoming", b"x").unwrap();
        assert_eq!(PlainSealer.open("incomin", &sealed), Err(SealError::Failed));
    }

    #[test]
    fn every_change_of_the_text_is_noticed() {
        let sealed = PlainSealer.seal("incoming", b"payload").unwrap();
        for position in 0..sealed.text.len() {
            let mut bytes = sealed.text.clone().into_bytes();
            bytes[position] ^= 1;
            let changed = Sealed { text: String::from_utf8(bytes).unwrap(), ..sealed.clone() };
            assert_eq!(PlainSealer.open("incoming", &changed), Err(SealError::Failed), "{position}");
            let short = Sealed { text: sealed.text.chars().take(position).collect(), ..sealed.clone() };
            assert_eq!(PlainSealer.open("incoming", &short), Err(SealError::Failed), "cut to {position}");
        }
    }

    #[test]
    fn an_unknown_key_is_named() {
        let sealed = Sealed { key: "2026".to_owned(), text: String::new() };
        let error = PlainSealer.open("incoming", &sealed);
        assert_eq!(error, Err(SealError::UnknownKey { key: "2026".to_owned() }));
    }
}
