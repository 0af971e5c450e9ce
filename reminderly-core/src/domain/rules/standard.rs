//! The packs that come with the library: one file of data each.

use std::sync::{Arc, LazyLock};

use super::RulePack;

/// The data of each pack.
const PACKS: [&str; 4] = [
    include_str!("packs/us_federal_hours.json"),
    include_str!("packs/us_state_hours.json"),
    include_str!("packs/us_care_message.json"),
    include_str!("packs/us_revocation.json"),
];

/// A pack that cannot be read is not there, and a campaign that names it is refused; a test reads them all.
static READ: LazyLock<Vec<Arc<RulePack>>> =
    LazyLock::new(|| PACKS.iter().filter_map(|json| serde_json::from_str(json).ok()).map(Arc::new).collect());

pub(super) fn packs() -> &'static [Arc<RulePack>] {
    &READ
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pack_can_be_read_and_names_its_sources() {
        for json in PACKS {
            let pack: RulePack = serde_json::from_str(json).unwrap();
            for rule in pack.rules() {
                assert!(rule.source.contains("read 2026-"), "{}/{}", pack.name(), rule.id);
                assert!(rule.says.ends_with('.'), "{}/{}", pack.name(), rule.id);
            }
        }
        assert_eq!(packs().len(), PACKS.len());
    }
}
