//! What sending costs.

use std::collections::BTreeMap;
use std::str::FromStr;

use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::services::Volume;

/// The price of a text message segment, an e-mail or a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Price {
    method: ContactMethod,
    amount: f64,
}

impl FromStr for Price {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected METHOD=AMOUNT, such as sms=0.0083";
        let (method, amount) = text.split_once('=').ok_or(expected)?;
        let method = method.trim().parse().map_err(|error| format!("{error}; {expected}"))?;
        let amount: f64 = amount.trim().parse().map_err(|_| expected)?;
        if !(0.0..=1_000.0).contains(&amount) {
            return Err("expected an amount from 0 to 1000".to_owned());
        }
        Ok(Self { method, amount })
    }
}

/// What sending costs, by method.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Prices(BTreeMap<ContactMethod, f64>);

impl Default for Prices {
    /// Of the order of what US providers list: a cent for a segment with carrier fees, a hundredth of that for an e-mail, a
    /// minute of voice. An estimate needs some figure; a host gives its own.
    fn default() -> Self {
        Self(BTreeMap::from([
            (ContactMethod::Sms, 0.01),
            (ContactMethod::Email, 0.0001),
            (ContactMethod::Phone, 0.014),
        ]))
    }
}

impl Prices {
    /// The same with another price.
    pub(crate) fn with(mut self, price: Price) -> Self {
        self.0.insert(price.method, price.amount);
        self
    }

    /// The price of a segment, an e-mail or a call.
    pub(crate) fn of(&self, method: ContactMethod) -> f64 {
        self.0.get(&method).copied().unwrap_or_default()
    }

    /// What a volume costs.
    pub(crate) fn cost(&self, method: ContactMethod, volume: Volume) -> f64 {
        self.of(method) * as_float(units(method, volume))
    }
}

/// What is charged for: segments of text messages, otherwise messages.
pub(crate) const fn units(method: ContactMethod, volume: Volume) -> u64 {
    match method {
        ContactMethod::Sms => volume.segments,
        ContactMethod::Email | ContactMethod::Phone => volume.messages,
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate of far less than 2^53 messages")]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_and_applied() {
        let prices = Prices::default().with("sms=0.5".parse().unwrap());
        let volume = Volume { messages: 2, segments: 3 };
        assert!((prices.cost(ContactMethod::Sms, volume) - 1.5).abs() < 1e-9);
        assert!((prices.cost(ContactMethod::Email, volume) - 0.0002).abs() < 1e-9);
        for wrong in ["sms", "fax=1", "sms=free", "sms=-1", "sms=NaN", "sms=inf"] {
            assert!(wrong.parse::<Price>().is_err(), "{wrong}");
        }
    }
}
