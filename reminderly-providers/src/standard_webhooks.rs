//! Signed HTTP calls by the [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md)
//! specification, symmetric scheme `v1`: HMAC-SHA256 over `id.timestamp.body`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac};
use reminderly_core::ports::callback::{CallbackError, CallbackRequest};
use sha2::Sha256;

/// The header with the id of the event: the same id is the same event, however often it is sent.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the time of signing, in Unix seconds.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";
/// How far the time of signing may lie from now, either way.
pub const TOLERANCE: Duration = Duration::from_mins(5);
/// How many signatures of one call are looked at: more than any rotation of keys needs.
pub const MAX_SIGNATURES: usize = 16;
/// The fewest bytes of a key, by the specification.
pub const MIN_KEY_BYTES: usize = 24;
/// The most bytes of a key, by the specification.
pub const MAX_KEY_BYTES: usize = 64;

const KEY_PREFIX: &str = "whsec_";
const SIGNATURE_PREFIX: &str = "v1,";

/// A symmetric signing key. `Debug` shows nothing of it.
///
/// ```
/// use reminderly_providers::standard_webhooks::WebhookKey;
///
/// let key: WebhookKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse()?;
/// assert_eq!(format!("{key:?}"), "WebhookKey(redacted)");
/// # Ok::<(), reminderly_providers::standard_webhooks::InvalidWebhookKey>(())
/// ```
#[derive(Clone)]
pub struct WebhookKey(Hmac<Sha256>);

/// A signing key must be 24 to 64 bytes in base64, with or without `whsec_` in front. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a signing key: expected {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, as text in base64 after `whsec_`"
)]
pub struct InvalidWebhookKey;

impl WebhookKey {
    /// A key of these bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidWebhookKey`] if they are fewer than 24 or more than 64.
    pub fn new(bytes: &[u8]) -> Result<Self, InvalidWebhookKey> {
        if !(MIN_KEY_BYTES..=MAX_KEY_BYTES).contains(&bytes.len()) {
            return Err(InvalidWebhookKey);
        }
        Hmac::new_from_slice(bytes).map(Self).map_err(|_| InvalidWebhookKey)
    }

    /// The headers of a call that is signed at `at`, to be sent along with exactly this body.
    ///
    /// The id should have no full stop: it separates the parts that are signed.
    pub fn sign(&self, id: &str, at: DateTime<Utc>, body: &[u8]) -> Vec<(String, String)> {
        let timestamp = at.timestamp().to_string();
        let signature = self.mac(id, &timestamp, body).finalize().into_bytes();
        vec![
            (ID_HEADER.to_owned(), id.to_owned()),
            (SIGNATURE_HEADER.to_owned(), format!("{SIGNATURE_PREFIX}{}", STANDARD.encode(signature))),
            (TIMESTAMP_HEADER.to_owned(), timestamp),
        ]
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].iter().fold(self.0.clone(), Mac::chain_update)
    }
}

impl FromStr for WebhookKey {
    type Err = InvalidWebhookKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let encoded = text.strip_prefix(KEY_PREFIX).unwrap_or(text);
        Self::new(&STANDARD.decode(encoded).map_err(|_| InvalidWebhookKey)?)
    }
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(redacted)")
    }
}

/// Tells genuine calls from forged ones.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Vec<WebhookKey>,
}

impl Verifier {
    /// Accepts calls signed with any of the keys: during a rotation two are live. Without a key it refuses everything.
    pub fn new(keys: Vec<WebhookKey>) -> Self {
        Self { keys }
    }

    /// Checks the time of signing, then the signatures over the raw body, each in constant time. Reads nothing of the body.
    ///
    /// # Errors
    ///
    /// [`CallbackError::NotGenuine`] if there is no key, a header is missing or unreadable, the time of signing lies more than
    /// [`TOLERANCE`] from `now`, or none of the first [`MAX_SIGNATURES`] signatures is right.
    pub fn verify(&self, request: &CallbackRequest, now: DateTime<Utc>) -> Result<(), CallbackError> {
        if self.keys.is_empty() {
            return Err(not_genuine("no key is configured"));
        }
        let id = header(request, ID_HEADER)?;
        let timestamp = header(request, TIMESTAMP_HEADER)?;
        let signatures = header(request, SIGNATURE_HEADER)?;
        let signed_at: i64 = timestamp.parse().map_err(|_| not_genuine("time of signing is unreadable"))?;
        if now.timestamp().abs_diff(signed_at) > TOLERANCE.as_secs() {
            return Err(not_genuine("time of signing is too far from now"));
        }
        let genuine = signatures
            .split(' ')
            .take(MAX_SIGNATURES)
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix(SIGNATURE_PREFIX)?).ok())
            .any(|signature| self.matches(id, timestamp, &request.body, &signature));
        if genuine { Ok(()) } else { Err(not_genuine("no signature is right")) }
    }

    fn matches(&self, id: &str, timestamp: &str, body: &[u8], signature: &[u8]) -> bool {
        self.keys.iter().any(|key| key.mac(id, timestamp, body).verify_slice(signature).is_ok())
    }
}

fn header<'a>(request: &'a CallbackRequest, name: &str) -> Result<&'a str, CallbackError> {
    request.header(name).ok_or(not_genuine("a signature header is missing"))
}

const fn not_genuine(reason: &'static str) -> CallbackError {
    CallbackError::NotGenuine { reason }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    /// The published vector of the specification's reference libraries.
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn signed_at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_614_265_330, 0).unwrap()
    }

    fn key() -> WebhookKey {
        KEY.parse().unwrap()
    }

    fn other_key() -> WebhookKey {
        WebhookKey::new(&[7; 32]).unwrap()
    }

    fn request() -> CallbackRequest {
        let url = "https://host.example/callbacks".to_owned();
        CallbackRequest { url, headers: key().sign(ID, signed_at(), BODY), body: BODY.to_vec() }
    }

    fn set(request: &mut CallbackRequest, name: &str, value: &str) {
        let (_, old) = request.headers.iter_mut().find(|(key, _)| key == name).unwrap();
        value.clone_into(old);
    }

    fn accepts(keys: Vec<WebhookKey>, request: &CallbackRequest, now: DateTime<Utc>) -> bool {
        Verifier::new(keys).verify(request, now).is_ok()
    }

    #[test]
    fn the_published_vector_is_signed_and_accepted() {
        assert_eq!(request().header(SIGNATURE_HEADER), Some(SIGNATURE));
        assert!(accepts(vec![key()], &request(), signed_at()));
        assert!(accepts(vec![format!("whsec_{KEY}").parse().unwrap()], &request(), signed_at()));
    }

    #[test]
    fn without_a_key_everything_is_refused() {
        assert!(!accepts(Vec::new(), &request(), signed_at()));
    }

    #[test]
    fn keys_and_signatures_of_a_rotation_overlap() {
        assert!(accepts(vec![other_key(), key()], &request(), signed_at()));
        assert!(!accepts(vec![other_key()], &request(), signed_at()));
        let mut rotated = request();
        set(&mut rotated, SIGNATURE_HEADER, &format!("v1a,bm90IG91cnM= v1,AAAA {SIGNATURE}"));
        assert!(accepts(vec![key()], &rotated, signed_at()));
    }

    #[test]
    fn only_so_many_signatures_are_looked_at() {
        let mut many = request();
        set(&mut many, SIGNATURE_HEADER, &format!("{}{SIGNATURE}", "v1,AAAA ".repeat(MAX_SIGNATURES)));
        assert!(!accepts(vec![key()], &many, signed_at()));
    }

    #[test]
    fn the_time_of_signing_may_lie_five_minutes_away() {
        for (seconds, genuine) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
            let now = signed_at() + TimeDelta::seconds(seconds);
            assert_eq!(accepts(vec![key()], &request(), now), genuine, "{seconds} s");
        }
        for timestamp in
            ["", "soon", "1e9", "-9223372036854775808", "9223372036854775807", "99999999999999999999"]
        {
            let mut odd = request();
            set(&mut odd, TIMESTAMP_HEADER, timestamp);
            assert!(!accepts(vec![key()], &odd, signed_at()), "{timestamp}");
        }
    }

    #[test]
    fn a_missing_header_is_refused_and_the_case_of_names_is_not_looked_at() {
        for position in 0..3 {
            let mut without = request();
            without.headers.remove(position);
            assert!(!accepts(vec![key()], &without, signed_at()));
        }
        let mut shouting = request();
        shouting.headers.iter_mut().for_each(|(name, _)| name.make_ascii_uppercase());
        assert!(accepts(vec![key()], &shouting, signed_at()));
    }

    #[test]
    fn every_flipped_bit_of_the_body_is_refused() {
        for bit in 0..BODY.len() * 8 {
            let mut forged = request();
            forged.body[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepts(vec![key()], &forged, signed_at()), "bit {bit}");
        }
    }

    #[test]
    fn every_flipped_bit_of_a_header_value_is_refused() {
        for position in 0..3 {
            let value = request().headers[position].1.clone();
            for bit in 0..value.len() * 8 {
                let mut bytes = value.clone().into_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                // A value that is no text never reaches us: headers are strings.
                let Ok(text) = String::from_utf8(bytes) else { continue };
                let mut forged = request();
                forged.headers[position].1 = text;
                assert!(!accepts(vec![key()], &forged, signed_at()), "header {position}, bit {bit}");
            }
        }
    }

    #[test]
    fn moved_borders_between_the_signed_parts_are_refused() {
        let mut forged = request();
        set(&mut forged, ID_HEADER, &format!("{ID}.1614265330"));
        assert!(!accepts(vec![key()], &forged, signed_at()));
        let mut longer = request();
        longer.body.push(b' ');
        assert!(!accepts(vec![key()], &longer, signed_at()));
    }

    #[test]
    fn keys_of_other_lengths_are_refused() {
        for (bytes, valid) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
            assert_eq!(WebhookKey::new(&vec![1; bytes]).is_ok(), valid, "{bytes} bytes");
        }
        assert_eq!("whsec_???".parse::<WebhookKey>().unwrap_err(), InvalidWebhookKey);
    }
}
