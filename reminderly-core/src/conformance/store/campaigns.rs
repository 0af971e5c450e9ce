//! Campaigns.

use std::collections::BTreeSet;

use super::bench::{Answered as _, Bench};
use super::values::definition;
use crate::domain::campaign::lifecycle::{Campaign, CampaignState};
use crate::ids::{CampaignId, CompanyId};
use crate::ports::store::{CampaignChange, NewCampaign, StoreError};

/// What a campaign is when it is new.
pub async fn a_new_campaign_is_a_draft_of_version_one(bench: &Bench) {
    let id = bench.id();
    let made = bench.new_campaign(id).await;
    let expected = Campaign {
        id,
        company: bench.company,
        number: made.number,
        state: CampaignState::Draft,
        version: 1,
        definition: definition("Reminders"),
        created_at: bench.now,
    };
    assert_eq!(made, expected);
    assert_eq!(bench.store.campaign(bench.company, id).await.answered(), Some(expected));
}

/// The second call answers the first's campaign, whatever it says.
pub async fn a_campaign_is_created_once(bench: &Bench) {
    let id = bench.id();
    let first = bench.new_campaign(id).await;
    let other = NewCampaign { id, definition: definition("Other"), created_at: bench.at(1) };
    assert_eq!(bench.store.create_campaign(bench.company, other).await.answered(), first);
    assert_eq!(bench.store.campaign(bench.company, id).await.answered(), Some(first));
}

/// No two campaigns of the installation share a number.
pub async fn campaign_numbers_are_unique(bench: &Bench) {
    let beside = bench.beside().await;
    let mut numbers = BTreeSet::new();
    for _ in 0..3 {
        numbers.insert(bench.new_campaign(bench.id()).await.number);
        numbers.insert(beside.new_campaign(bench.id()).await.number);
    }
    assert_eq!(numbers.len(), 6);
}

/// A campaign is a company's.
pub async fn a_campaign_needs_its_company(bench: &Bench) {
    let campaign = NewCampaign { id: bench.id(), definition: definition("Lost"), created_at: bench.now };
    let outcome = bench.store.create_campaign(bench.id::<CompanyId>(), campaign).await;
    assert!(matches!(outcome, Err(StoreError::Missing { .. })), "{outcome:?}");
}

/// A new version is the newest, and the older ones stay.
pub async fn every_version_of_a_definition_is_kept(bench: &Bench) {
    let (company, id) = (bench.company, bench.campaign);
    let change = bench.store.save_definition(company, id, 1, definition("Second")).await.answered();
    let CampaignChange::Changed(campaign) = change else { panic!("not changed: {change:?}") };
    assert_eq!((campaign.version, &campaign.definition), (2, &definition("Second")));
    assert_eq!(campaign.state, CampaignState::Active);
    assert_eq!(bench.store.campaign(company, id).await.answered(), Some(campaign));
    let versions = [(0, None), (1, Some("Reminders")), (2, Some("Second")), (3, None)];
    for (version, name) in versions {
        let found = bench.store.definition(company, id, version).await.answered();
        assert_eq!(found, name.map(definition), "version {version}");
    }
}

/// Who has not read the newest version does not write the next.
pub async fn a_definition_on_an_old_version_conflicts(bench: &Bench) {
    let (company, id) = (bench.company, bench.campaign);
    bench.store.save_definition(company, id, 1, definition("Second")).await.answered();
    let before = bench.store.campaign(company, id).await.answered();
    for expected in [0, 1, 3] {
        let change = bench.store.save_definition(company, id, expected, definition("Late")).await.answered();
        assert!(
            matches!(&change, CampaignChange::Conflict(now) if Some(now) == before.as_ref()),
            "{change:?}"
        );
    }
    assert_eq!(bench.store.campaign(company, id).await.answered(), before);
    assert_eq!(bench.store.definition(company, id, 3).await.answered(), None);
}

/// All pairs of states, with the right and with a wrong expectation.
pub async fn a_campaign_changes_state_by_its_table_only(bench: &Bench) {
    for from in CampaignState::ALL {
        for to in CampaignState::ALL {
            let id = campaign_in(bench, from).await;
            let before = bench.store.campaign(bench.company, id).await.answered().expect("exists");
            for wrong in CampaignState::ALL.into_iter().filter(|state| *state != from) {
                let change = bench.store.change_campaign_state(bench.company, id, wrong, to).await.answered();
                assert_eq!(change, CampaignChange::Conflict(before.clone()), "{wrong} to {to} in {from}");
            }
            let change = bench.store.change_campaign_state(bench.company, id, from, to).await.answered();
            let expected = if from.may_become(to) {
                CampaignChange::Changed(Campaign { state: to, ..before })
            } else {
                CampaignChange::Conflict(before)
            };
            assert_eq!(change, expected, "{from} to {to}");
        }
    }
}

/// Writes to a campaign that does not exist say so; reads find nothing.
pub async fn a_missing_campaign_is_missing(bench: &Bench) {
    let (company, id) = (bench.company, bench.id::<CampaignId>());
    assert_eq!(bench.store.campaign(company, id).await.answered(), None);
    assert_eq!(bench.store.definition(company, id, 1).await.answered(), None);
    let saved = bench.store.save_definition(company, id, 1, definition("Lost")).await;
    assert!(matches!(saved, Err(StoreError::Missing { .. })), "{saved:?}");
    let (from, to) = (CampaignState::Draft, CampaignState::Active);
    let changed = bench.store.change_campaign_state(company, id, from, to).await;
    assert!(matches!(changed, Err(StoreError::Missing { .. })), "{changed:?}");
}

/// Pages by id: full, full, rest.
pub async fn campaigns_are_paged(bench: &Bench) {
    let mut ids = BTreeSet::from([bench.campaign]);
    for _ in 0..4 {
        ids.insert(bench.new_campaign(bench.id()).await.id);
    }
    let (mut found, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = bench.store.campaigns(bench.company, after, 2).await.answered();
        sizes.push(page.items.len());
        found.extend(page.items.iter().map(|campaign| campaign.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, ids.into_iter().collect::<Vec<_>>());
    assert_eq!(sizes, [2, 2, 1]);
    let exact = bench.store.campaigns(bench.company, None, 5).await.answered();
    assert_eq!((exact.items.len(), exact.next), (5, None), "nothing follows a last page that is full");
}

/// A campaign that was brought to a state.
async fn campaign_in(bench: &Bench, state: CampaignState) -> CampaignId {
    use CampaignState as S;
    let id = bench.new_campaign(bench.id()).await.id;
    if matches!(state, S::Active | S::Paused) {
        bench.change_state(id, S::Draft, S::Active).await;
    }
    match state {
        S::Draft | S::Active => {}
        S::Paused => bench.change_state(id, S::Active, S::Paused).await,
        S::Archived => bench.change_state(id, S::Draft, S::Archived).await,
    }
    id
}
