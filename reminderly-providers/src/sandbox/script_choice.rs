//! One persona, or one of several by weight.

use std::collections::BTreeMap;
use std::sync::Arc;

use reminderly_core::domain::contact_point::ContactPoint;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::named::NamedPersona;
use super::persona::Persona;

/// Which persona a contact point gets.
#[derive(Debug, Clone)]
pub(super) enum Choice {
    /// This one.
    One(Arc<Persona>),
    /// One of several.
    Mix(Mix),
}

/// Personas with their weights, in the order of their declaration, whatever the order in the script.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "BTreeMap<NamedPersona, u32>")]
pub(super) struct Mix {
    personas: Vec<(u64, Arc<Persona>)>,
    total: u64,
    last: Arc<Persona>,
}

impl Default for Choice {
    fn default() -> Self {
        Self::One(Arc::new(NamedPersona::Delivers.into()))
    }
}

impl Choice {
    /// The persona of a contact point: a function of its arguments alone.
    pub(super) fn pick(&self, seed: u64, contact: &ContactPoint) -> Arc<Persona> {
        match self {
            Self::One(persona) => Arc::clone(persona),
            Self::Mix(mix) => mix.pick(stable_hash(seed, contact)),
        }
    }
}

impl Mix {
    fn pick(&self, hash: u64) -> Arc<Persona> {
        let mut left = hash % self.total;
        for (weight, persona) in &self.personas {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return Arc::clone(persona),
            }
        }
        Arc::clone(&self.last)
    }
}

impl TryFrom<BTreeMap<NamedPersona, u32>> for Mix {
    type Error = &'static str;

    fn try_from(weights: BTreeMap<NamedPersona, u32>) -> Result<Self, Self::Error> {
        let personas: Vec<_> = weights
            .into_iter()
            .filter(|(_, weight)| *weight > 0)
            .map(|(name, weight)| (u64::from(weight), Arc::new(Persona::from(name))))
            .collect();
        let total = personas.iter().map(|(weight, _)| weight).sum();
        let (_, last) = personas.last().ok_or("a mix needs a persona with a weight above 0")?;
        let last = Arc::clone(last);
        Ok(Self { personas, total, last })
    }
}

/// Stable across runs, versions and machines, unlike the hashes of the standard library.
fn stable_hash(seed: u64, contact: &ContactPoint) -> u64 {
    let digest = Sha256::new()
        .chain_update(seed.to_be_bytes())
        .chain_update(contact.method().as_str())
        .chain_update(contact.address())
        .finalize();
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}
