//! What comes from queues, providers and scripts.

use chrono::{DateTime, Utc};
use reminderly_core::domain::envelope::Envelope;
use reminderly_core::domain::sealed::Sealed;
use reminderly_core::ports::callback::{CallbackDecoder as _, CallbackError, CallbackRequest};
use reminderly_core::ports::sealer::Sealer as _;
use reminderly_core::sealers::{AeadSealer, SealingKey};
use reminderly_providers::sandbox::{SandboxDecoder, SandboxScript};
use reminderly_providers::standard_webhooks::{Verifier, WebhookKey};

use super::text;

/// The largest body that the sandbox's decoder reads.
const BODY_MAX: usize = 64 << 10;

/// What is decoded is encoded to what decodes to it.
pub(super) fn envelope(bytes: &[u8]) {
    let Ok(envelope) = Envelope::decode(&text(bytes)) else { return };
    let body = envelope.encode().expect("an envelope can be written");
    assert_eq!(Envelope::decode(&body).as_ref(), Ok(&envelope));
}

/// What is sealed opens to itself; changed in any byte, or for another purpose, it does not open; what nobody sealed neither.
pub(super) fn sealed(bytes: &[u8]) {
    let sealer = AeadSealer::new(SealingKey::new("a", &[7; 32]), []).expect("one key");
    let forged = Sealed { key: "a".to_owned(), text: text(bytes).into_owned() };
    assert!(sealer.open("incoming", &forged).is_err(), "nobody sealed it");
    let closed = sealer.seal("incoming", bytes).expect("sealed");
    assert_eq!(sealer.open("incoming", &closed).as_deref(), Ok(bytes));
    assert!(sealer.open("disposition", &closed).is_err());
    let place = bytes.first().map_or(0, |byte| usize::from(*byte)) % closed.text.len();
    let mut letters = closed.text.clone().into_bytes();
    letters[place] = if letters[place] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(letters).expect("base64 is ASCII");
    assert!(sealer.open("incoming", &Sealed { text: changed, ..closed }).is_err(), "changed at {place}");
}

fn key() -> WebhookKey {
    WebhookKey::new(&[9; 32]).expect("long enough")
}

const fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_323_200, 0).expect("an instant")
}

/// Nothing passes that was not signed with the key, and what was signed passes as it is only.
pub(super) fn webhook(bytes: &[u8]) {
    let text = text(bytes);
    let verifier = Verifier::new(vec![key()]);
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default().to_owned();
    let headers =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| (name.to_owned(), next()));
    let forged = CallbackRequest { url: next(), headers: headers.to_vec(), body: next().into_bytes() };
    assert!(verifier.verify(&forged, now()).is_err(), "nobody signed it");

    let headers = key().sign("msg_1", now(), bytes);
    let mut request = CallbackRequest { url: String::new(), headers, body: bytes.to_vec() };
    assert_eq!(verifier.verify(&request, now()), Ok(()));
    request.body.push(b'x');
    assert!(verifier.verify(&request, now()).is_err(), "a byte more");
}

/// A genuine body is read the same twice, or told where it makes no sense; an overlong one is not read.
pub(super) fn callback(bytes: &[u8]) {
    let decoder = SandboxDecoder::new(vec![key()]);
    let headers = key().sign("msg_1", now(), bytes);
    let request = CallbackRequest { url: String::new(), headers, body: bytes.to_vec() };
    let events = decoder.decode(&request, now());
    assert_eq!(decoder.decode(&request, now()), events);
    match events {
        Ok(events) => assert!(!events.is_empty() && bytes.len() <= BODY_MAX),
        Err(CallbackError::TooLarge { .. }) => assert!(bytes.len() > BODY_MAX),
        Err(error) => assert!(matches!(error, CallbackError::Malformed { .. }), "{error:?}"),
    }
}

/// A script is read, or told why it is none.
pub(super) fn script(bytes: &[u8]) {
    if let Err(error) = SandboxScript::parse(&text(bytes)) {
        assert!(!error.to_string().is_empty());
    }
}
