//! The drill of `docs/operations.md` on real servers: a server is lost, another one gets the dump of the first, and the deployment goes on to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::executor::block_on as wait;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_point::ContactPoint;
use reminderly_core::memory::MemoryStore;
use reminderly_core::services::{RestoreFence, RestoreRelease, Settings};
use reminderly_core::sources::MemorySource;
use reminderly_core::testing::{RunToEnd, TwinStore};
use reminderly_mysql::ServerKind;
use reminderly_tests::world::{Setup, World};
use reminderly_tests::{judge, material};
use rstest::rstest;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::database::{fresh_url, migrated_at, own_database};
use crate::proxy::Proxy;

/// Everything that goes wrong at a provider, and people who answer.
fn setup() -> Setup {
    let script = json!({ "default": { "mix": {
        "delivers": 3, "confirms": 2, "cancels": 1, "time_out": 3, "lost_answer": 1, "throttled": 2, "server_error_accepted": 1
    } } });
    let tune = |settings: &mut Settings| settings.tick = Duration::from_mins(2);
    Setup { seed: 7, store: MemoryStore::yielding, script, tune, ..Setup::default() }
}

/// Some go in five minutes, some in two hours, the others in four and more.
fn appointments() -> String {
    let mut text = material::HEADER.to_owned();
    let times = ["2026-03-04 14:00", "2026-03-04 16:00", "2026-03-04 18:00", "2026-03-04 18:30"];
    for (index, time) in (0..16).zip(times.into_iter().cycle()) {
        text.push_str(&material::line(index, &material::number(index), time));
    }
    text
}

/// A deployment whose store is in memory and on a server, and both answer the same.
struct Site {
    world: World,
    twin: Arc<TwinStore>,
    campaign: Campaign,
}

impl Site {
    fn new(url: &str, runtime: &Arc<Runtime>) -> Self {
        let server = Arc::new(runtime.block_on(migrated_at(url)));
        let mut world = World::new(&setup());
        let on = Arc::clone(runtime);
        let run: RunToEnd = Arc::new(move |call| on.block_on(call));
        let twin = Arc::new(TwinStore::new(Arc::<MemoryStore>::clone(&world.store), server, run));
        world.ports.store = Arc::<TwinStore>::clone(&twin);
        let company = world.company();
        let campaign = world.campaign(company, &material::document());
        let source = MemorySource::new().with_file("today.csv", appointments());
        world.with_inbox(company, campaign.id, Arc::new(source));
        world.start_worker();
        Self { world, twin, campaign }
    }

    fn after(&mut self, seconds: i64) {
        let instant: DateTime<Utc> = setup().start + TimeDelta::seconds(seconds);
        self.world.run_until(instant);
    }

    fn raise(&self) {
        let (fence, scope) = (RestoreFence::new(&self.world.ports), self.world.operator_scope());
        wait(async {
            let last = fence.last(&scope).await.expect("a restore");
            fence.raise(&scope, last.epoch).await.expect("raised");
        });
    }

    fn release(&self) -> RestoreRelease {
        let (fence, scope) = (RestoreFence::new(&self.world.ports), self.world.operator_scope());
        wait(fence.release_all(&scope)).expect("released")
    }

    /// How often each text reached each contact point.
    fn times_told(&self) -> BTreeMap<(ContactPoint, String), usize> {
        let mut times = BTreeMap::new();
        for request in self.world.sandbox.accepted() {
            *times.entry((request.contact, request.content.text().to_owned())).or_default() += 1;
        }
        times
    }
}

#[rstest]
#[case::mariadb(ServerKind::MariaDb)]
#[case::mysql(ServerKind::MySql)]
fn a_server_that_is_lost_is_replaced_by_its_dump(#[case] kind: ServerKind) {
    let Some(first) = own_database(kind) else { return };
    let Some(second) = own_database(kind) else { return };
    let runtime = Arc::new(Runtime::new().expect("a runtime"));
    let proxy = Proxy::new(first.address());
    let url = fresh_url(&first);
    let name = url.rsplit('/').next().and_then(|rest| rest.split('?').next()).expect("a database");
    let mut site = Site::new(&proxy.in_front_of(&url), &runtime);
    site.after(240);
    let (backup, dump) = (site.world.store.back_up(), first.dump(kind, name));
    site.after(420);
    let sent = site.world.sandbox.accepted().len();
    assert!(sent > 2, "something was sent after the backup: {sent}");

    for process in site.world.workers() {
        site.world.kill(process);
    }
    site.world.store.restore(&backup);
    drop(first);
    second.load(kind, &dump);
    proxy.lead_to(second.address());
    proxy.cut_all();
    site.raise();
    site.world.start_worker();
    site.world.run_for(Duration::from_mins(50));
    assert_eq!(site.world.sandbox.accepted().len(), sent, "nothing of what the backup holds goes");

    let release = site.release();
    assert_eq!((release.failed, &release.discrepant), (0, &Vec::new()));
    assert!(release.expired > 0, "what may have gone does not go again");
    for _ in 0..100 {
        if site.world.open_packets().is_empty() {
            break;
        }
        site.world.run_for(Duration::from_mins(30));
    }
    let told = site.times_told();
    let twice: Vec<_> = told.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(told.len() > sent, "the rest goes");
    judge::everything_ended(&site.world, &site.campaign);
    judge::accounted_for(&site.world, &site.campaign);
    judge::inside_windows(&site.world, &site.campaign);
    assert_eq!(site.twin.differences(), [""; 0], "the server has what memory has, to the end");
}
