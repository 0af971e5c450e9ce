//! Authenticated encryption.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::TryRng as _;
use rand::rngs::SysRng;

use crate::domain::sealed::Sealed;
use crate::ports::sealer::{SealError, Sealer};

/// Bytes of a nonce. Long enough to be drawn at random: 2⁸⁰ payloads under one key repeat one with a chance of 2⁻³³.
const NONCE: usize = 24;

/// A secret key and its name. The key is wiped from memory when it is dropped, and never shown.
pub struct SealingKey {
    name: String,
    cipher: XChaCha20Poly1305,
}

impl SealingKey {
    /// A key of 32 bytes from a cryptographic source. The name travels beside each payload in clear.
    pub fn new(name: impl Into<String>, key: &[u8; 32]) -> Self {
        Self { name: name.into(), cipher: XChaCha20Poly1305::new(key.into()) }
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Two keys have the same name, so that a payload would not say which one opens it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two sealing keys are named {name:?}")]
pub struct DuplicateKey {
    /// The name.
    pub name: String,
}

/// Seals with XChaCha20-Poly1305
/// ([draft-irtf-cfrg-xchacha](https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-xchacha-03)).
///
/// The purpose is associated data. The text is nonce, ciphertext and tag in URL-safe base64 without padding; each nonce
/// comes from the operating system, never from a seed.
///
/// To change keys: add the new one to the older keys of every process that opens, then make it the newest of every process
/// that seals, and remove the old one when no queue holds its payloads any more.
///
/// ```
/// use reminderly_core::ports::sealer::Sealer as _;
/// use reminderly_core::sealers::{AeadSealer, SealingKey};
///
/// let old = SealingKey::new("2026-01", &[1; 32]);
/// let sealed = AeadSealer::new(old, [])?.seal("incoming", b"STOP")?;
///
/// let newest = SealingKey::new("2026-02", &[2; 32]);
/// let sealer = AeadSealer::new(newest, [SealingKey::new("2026-01", &[1; 32])])?;
/// assert_eq!(sealer.open("incoming", &sealed)?, b"STOP");
/// assert_eq!(sealer.seal("incoming", b"STOP")?.key, "2026-02");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AeadSealer {
    newest: SealingKey,
    older: Vec<SealingKey>,
}

impl AeadSealer {
    /// Seals with `newest`; opens with it and with `older`.
    ///
    /// # Errors
    ///
    /// [`DuplicateKey`] if two keys have the same name.
    pub fn new(
        newest: SealingKey,
        older: impl IntoIterator<Item = SealingKey>,
    ) -> Result<Self, DuplicateKey> {
        let mut sealer = Self { newest, older: Vec::new() };
        for key in older {
            if sealer.key(&key.name).is_some() {
                return Err(DuplicateKey { name: key.name });
            }
            sealer.older.push(key);
        }
        Ok(sealer)
    }

    fn key(&self, name: &str) -> Option<&SealingKey> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.name == name)
    }
}

impl Sealer for AeadSealer {
    fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        let mut bytes = [0; NONCE];
        SysRng.try_fill_bytes(&mut bytes).map_err(|_| SealError::Failed)?;
        let payload = Payload { msg: plain, aad: purpose.as_bytes() };
        let closed =
            self.newest.cipher.encrypt(&XNonce::from(bytes), payload).map_err(|_| SealError::Failed)?;
        let text = URL_SAFE_NO_PAD.encode([&bytes[..], &closed].concat());
        Ok(Sealed { key: self.newest.name.clone(), text })
    }

    fn open(&self, purpose: &str, sealed: &Sealed) -> Result<Vec<u8>, SealError> {
        let Some(key) = self.key(&sealed.key) else {
            return Err(SealError::UnknownKey { key: sealed.key.clone() });
        };
        let bytes = URL_SAFE_NO_PAD.decode(&sealed.text).map_err(|_| SealError::Failed)?;
        let (nonce, closed) = bytes.split_first_chunk::<NONCE>().ok_or(SealError::Failed)?;
        let payload = Payload { msg: closed, aad: purpose.as_bytes() };
        key.cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"{\"from\":\"+15550100\",\"text\":\"STOP\"}";

    fn sealer(name: &str, byte: u8) -> AeadSealer {
        AeadSealer::new(SealingKey::new(name, &[byte; 32]), []).unwrap()
    }

    #[test]
    fn any_bytes_come_back() {
        let sealer = sealer("a", 1);
        for plain in [&b""[..], b"\0", PLAIN, &vec![7; 100_000]] {
            let closed = sealer.seal("incoming", plain).unwrap();
            assert_eq!(sealer.open("incoming", &closed).unwrap(), plain);
        }
    }

    #[test]
    fn the_same_payload_never_looks_the_same() {
        let sealer = sealer("a", 1);
        assert_ne!(sealer.seal("incoming", PLAIN).unwrap(), sealer.seal("incoming", PLAIN).unwrap());
    }

    #[test]
    fn another_purpose_does_not_open() {
        let sealer = sealer("a", 1);
        let closed = sealer.seal("incoming", PLAIN).unwrap();
        assert_eq!(sealer.open("disposition", &closed), Err(SealError::Failed));
        assert_eq!(sealer.open("", &closed), Err(SealError::Failed));
    }

    #[test]
    fn another_key_of_the_same_name_does_not_open() {
        let closed = sealer("a", 1).seal("incoming", PLAIN).unwrap();
        assert_eq!(sealer("a", 2).open("incoming", &closed), Err(SealError::Failed));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let closed = sealer("old", 1).seal("incoming", PLAIN).unwrap();
        let error = sealer("new", 1).open("incoming", &closed);
        assert_eq!(error, Err(SealError::UnknownKey { key: "old".to_owned() }));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let sealer = sealer("a", 1);
        let closed = sealer.seal("incoming", PLAIN).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&closed.text).unwrap();
        assert_eq!(bytes.len(), NONCE + PLAIN.len() + 16);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let changed = Sealed { text: URL_SAFE_NO_PAD.encode(flipped), ..closed.clone() };
            assert_eq!(sealer.open("incoming", &changed), Err(SealError::Failed), "bit {bit}");
        }
    }

    #[test]
    fn every_changed_or_missing_letter_is_noticed() {
        let sealer = sealer("a", 1);
        let closed = sealer.seal("incoming", PLAIN).unwrap();
        for position in 0..closed.text.len() {
            let mut letters = closed.text.clone().into_bytes();
            letters[position] = if letters[position] == b'A' { b'B' } else { b'A' };
            let changed = Sealed { text: String::from_utf8(letters).unwrap(), ..closed.clone() };
            assert_eq!(sealer.open("incoming", &changed), Err(SealError::Failed), "letter {position}");
            let short = Sealed { text: closed.text.chars().take(position).collect(), ..closed.clone() };
            assert_eq!(sealer.open("incoming", &short), Err(SealError::Failed), "cut to {position}");
        }
    }

    #[test]
    fn every_live_key_opens_and_the_newest_seals() {
        let [old, mid] =
            [("old", 1), ("mid", 2)].map(|(name, byte)| sealer(name, byte).seal("incoming", PLAIN).unwrap());
        let older = [SealingKey::new("mid", &[2; 32]), SealingKey::new("old", &[1; 32])];
        let sealer = AeadSealer::new(SealingKey::new("new", &[3; 32]), older).unwrap();
        assert_eq!(sealer.open("incoming", &old).unwrap(), PLAIN);
        assert_eq!(sealer.open("incoming", &mid).unwrap(), PLAIN);
        assert_eq!(sealer.seal("incoming", PLAIN).unwrap().key, "new");
    }

    #[test]
    fn two_keys_of_one_name_are_refused() {
        let older = [SealingKey::new("b", &[2; 32]), SealingKey::new("a", &[3; 32])];
        let error = AeadSealer::new(SealingKey::new("a", &[1; 32]), older).unwrap_err();
        assert_eq!(error, DuplicateKey { name: "a".to_owned() });
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", sealer("a", 0xab));
        assert_eq!(shown, "AeadSealer { newest: SealingKey { name: \"a\", .. }, older: [] }");
    }
}
