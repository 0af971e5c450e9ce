//! Campaigns and the versions of their documents.

use futures::future::join_all;
use reminderly_core::domain::access::Company;
use reminderly_core::domain::campaign::lifecycle::CampaignState;
use reminderly_core::ids::CampaignId;
use reminderly_core::ports::store::{AccessStore as _, CampaignChange, CampaignStore as _, StoreError};
use reminderly_mysql::{MySqlStore, ServerKind};
use rstest::rstest;

use crate::database::{Database, block_on, database, migrated};
use crate::values::{campaign, company, definition, id};

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_campaign_is_made_once_for_its_company(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let (store, owner) = with_company(&database).await;
        let new = campaign("Visits");
        let made = store.create_campaign(owner.id, new.clone()).await.expect("made");
        assert_eq!((made.id, made.company, made.version), (new.id, owner.id, 1));
        assert_eq!((made.state, made.created_at), (CampaignState::Draft, new.created_at));
        assert_eq!(made.definition, new.definition);
        assert_eq!(store.create_campaign(owner.id, new.clone()).await.expect("again"), made);
        assert_eq!(store.campaign(owner.id, new.id).await.expect("read"), Some(made));
        let stranger = company();
        assert_eq!(store.campaign(stranger.id, new.id).await.expect("read"), None);
        let nobody = store.create_campaign(stranger.id, campaign("Lost")).await;
        assert!(matches!(nobody, Err(StoreError::Missing { what: "company" })), "{nobody:?}");
        store.save_company_across_companies(&stranger).await.expect("saved");
        let taken = store.create_campaign(stranger.id, new).await;
        assert!(matches!(taken, Err(StoreError::Missing { what: "campaign" })), "{taken:?}");
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn numbers_are_unique_whoever_makes_campaigns_at_the_same_time(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let (store, owner) = with_company(&database).await;
        let same = campaign("Same");
        let made = (0..20).map(|position| {
            let new = if position % 2 == 0 { campaign("Own") } else { same.clone() };
            store.create_campaign(owner.id, new)
        });
        let made = join_all(made).await.into_iter().map(|made| made.expect("made"));
        let mut numbers: Vec<(CampaignId, u32)> = made.map(|made| (made.id, made.number)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 11, "ten of their own and one for the others");
        numbers.sort_unstable_by_key(|(_, number)| *number);
        numbers.dedup_by_key(|(_, number)| *number);
        assert_eq!(numbers.len(), 11, "no number twice");
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn every_version_is_kept_and_only_the_newest_is_followed(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let (store, owner) = with_company(&database).await;
        let made = store.create_campaign(owner.id, campaign("One")).await.expect("made");
        let saves = ["Two", "Zwei"].map(|name| store.save_definition(owner.id, made.id, 1, definition(name)));
        let outcomes = join_all(saves).await.into_iter().map(|outcome| outcome.expect("an answer"));
        let changed: Vec<_> =
            outcomes.filter(|outcome| matches!(outcome, CampaignChange::Changed(_))).collect();
        let [CampaignChange::Changed(now)] = &*changed else { panic!("one of them: {changed:?}") };
        assert_eq!(now.version, 2);
        assert_eq!(store.campaign(owner.id, made.id).await.expect("read").as_ref(), Some(now));
        for (version, expected) in [(0, None), (1, Some("One")), (2, Some(&*now.definition.name)), (3, None)]
        {
            let found = store.definition(owner.id, made.id, version).await.expect("read");
            assert_eq!(found.as_ref().map(|found| &*found.name), expected, "{version}");
        }
        assert_eq!(store.definition(id(), made.id, 1).await.expect("read"), None);
        let missing = store.save_definition(owner.id, id(), 1, definition("Lost")).await;
        assert!(matches!(missing, Err(StoreError::Missing { what: "campaign" })), "{missing:?}");
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn of_all_who_change_a_state_one_does(#[case] kind: ServerKind) {
    use CampaignState::{Active, Archived, Draft, Paused};
    let Some(database) = database(kind) else { return };
    block_on(async {
        let (store, owner) = with_company(&database).await;
        let made = store.create_campaign(owner.id, campaign("Visits")).await.expect("made");
        for (from, to, times) in
            [(Draft, Active, 1), (Draft, Active, 0), (Active, Paused, 1), (Paused, Draft, 0)]
        {
            let changes = (0..6).map(|_| store.change_campaign_state(owner.id, made.id, from, to));
            let outcomes = join_all(changes).await.into_iter().map(|outcome| outcome.expect("an answer"));
            let changed = outcomes.filter(|outcome| matches!(outcome, CampaignChange::Changed(_))).count();
            assert_eq!(changed, times, "{from} to {to}");
        }
        let found = store.campaign(owner.id, made.id).await.expect("read").expect("there");
        assert_eq!(found.state, Paused);
        let stranger = store.change_campaign_state(id(), made.id, Paused, Archived).await;
        assert!(matches!(stranger, Err(StoreError::Missing { .. })), "{stranger:?}");
    });
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn campaigns_are_paged_in_the_order_of_their_ids(#[case] kind: ServerKind) {
    let Some(database) = database(kind) else { return };
    block_on(async {
        let (store, owner) = with_company(&database).await;
        let mut expected = Vec::new();
        for _ in 0..5 {
            expected.push(store.create_campaign(owner.id, campaign("Visits")).await.expect("made"));
        }
        expected.sort_by_key(|campaign| campaign.id);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.campaigns(owner.id, after, 2).await.expect("a page");
            assert!(page.items.len() <= 2);
            found.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, expected);
        assert_eq!(store.campaigns(id(), None, 2).await.expect("a page").items, []);
    });
}

async fn with_company(database: &Database) -> (MySqlStore, Company) {
    let (store, owner) = (migrated(database).await, company());
    store.save_company_across_companies(&owner).await.expect("saved");
    (store, owner)
}
