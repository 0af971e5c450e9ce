//! Who may do what: every service is asked by everybody who may not.

mod shown;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::executor::block_on;
use futures::future::BoxFuture;
use reminderly_core::domain::access::{Action, Actor, Company, CompanyScope, Denied, Role, User};
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::contact_method::ContactMethod;
use reminderly_core::domain::contact_point::{ContactPoint, PhoneNumber};
use reminderly_core::domain::disposition::{AttemptReport, Disposition};
use reminderly_core::domain::envelope::Slice;
use reminderly_core::domain::incoming::Incoming;
use reminderly_core::domain::restore::RestoreEpoch;
use reminderly_core::ids::{AttemptId, CompanyId, IdSourceExt as _, MessageId, PacketId};
use reminderly_core::ports::poller::{PollerError, PollerHost, PollerSpec};
use reminderly_core::ports::queue::QueueName;
use reminderly_core::ports::source::SourceFile;
use reminderly_core::ports::store::{
    CampaignStore as _, DispositionOutcome, IncomingStore as _, LocatedDisposition, MessageStore as _,
    UnsubscribeStore as _,
};
use reminderly_core::services::sweep::{OverdueClaims, StalledPackets, StrayQueues, UnknownOutcomes};
use reminderly_core::services::{
    Access, CompiledCampaigns, Dispatch, Dispositions, Enqueue, Fleet, Forecasts, IncomingMessages, Ingest,
    Mapping, OnDemand, RestoreFence, ServiceError,
};
use reminderly_core::sources::MemorySource;
use reminderly_tests::material;
use reminderly_tests::world::callers::line;
use reminderly_tests::world::{Setup, World, instant};

/// What takes no scope, and why: nobody outside is served by it.
const WITHOUT_SCOPE: [&str; 17] = [
    "access::authorize", // gives the scopes
    "callbacks::accept", // admitted by the signature
    "callbacks::ensure_queues",
    "dispatch::poll", // loops of workers, which get a scope for each slice
    "dispatch::run",
    "dispositions::run",
    "incoming::run",
    "pollers::stop_all",
    "shutdown::wait",
    "worker::round",
    "worker::run",
    "worker::run_intake",
    "worker::run_sending",
    "worker::run_sweeps",
    "worker::intake_round",
    "worker::sending_round",
    "worker::sweep_round",
];

struct Victim {
    world: World,
    campaign: Campaign,
    packet: PacketId,
    message: MessageId,
    attempt: AttemptId,
    call: PacketId,
    source: MemorySource,
}

impl Victim {
    fn new() -> Self {
        let mut world = World::new(&Setup::default());
        let company = world.company();
        let campaign = world.campaign(company, &material::document());
        let packet = world.load(company, campaign.id, &material::csv(2, "2026-03-04 14:00"));
        world.start_worker();
        world.run_until(instant("2026-03-04T18:00:02Z"));
        let message = world.messages(company, packet)[0].message.id;
        let attempt = block_on(world.store.attempts(company, packet, message)).unwrap()[0].id;
        let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&world.ports.store)));
        let on_demand = OnDemand::new(&world.ports, &world.settings, compiled, Arc::new(NoPollers));
        let orders = world.campaign(company, &material::on_demand());
        let scope = world.scope(company, Action::SendOnDemand);
        let call = block_on(on_demand.send(&scope, orders.id, &line(8))).unwrap().packet;
        let source = MemorySource::new().with_file("more.csv", material::csv(3, "2026-03-04 15:00"));
        Self { world, campaign, packet, message, attempt, call, source }
    }

    /// Everything that anybody could have changed.
    fn state(&self) -> String {
        let (store, company) = (&self.world.store, self.campaign.company);
        let campaigns = block_on(store.campaigns(company, None, 100)).unwrap();
        let events = block_on(store.unsubscribe_events(company, &contact().refusal_key())).unwrap();
        let incoming = block_on(store.incoming(company, None, 100)).unwrap();
        let packets = self.world.packets(&self.campaign);
        let messages = self.world.messages(company, self.packet);
        let attempts = block_on(store.attempts(company, self.packet, self.message)).unwrap();
        format!("{campaigns:?} {events:?} {incoming:?} {packets:?} {messages:?} {attempts:?}")
    }
}

fn contact() -> ContactPoint {
    ContactPoint::Sms(PhoneNumber::parse(&material::number(0), None).unwrap())
}

/// Answers whether anything was done or told.
type Call<'a> = BoxFuture<'a, Result<bool, ServiceError>>;

struct Walked<'a> {
    name: &'static str,
    actions: &'static [Action],
    call: Call<'a>,
}

fn walked<'a>(
    name: &'static str,
    actions: &'static [Action],
    call: impl Future<Output = Result<bool, ServiceError>> + Send + 'a,
) -> Walked<'a> {
    Walked { name, actions, call: call.boxed() }
}

fn confirmation(world: &World, company: CompanyId) -> Incoming {
    Incoming {
        provider: "sandbox-sms".into(),
        account: world.sandbox.account(company),
        event: "walk".into(),
        from: contact(),
        text: "1".into(),
        at: world.now(),
    }
}

/// What takes data in and sends.
fn machine_room<'a>(victim: &'a Victim, scope: &'a CompanyScope) -> Vec<Walked<'a>> {
    use Action::{Ingest as Upload, Operate, RunCampaign};
    let Victim { world, campaign, packet, message, attempt, source, .. } = victim;
    let (ports, settings) = (&world.ports, &world.settings);
    let (id, packet, message) = (campaign.id, *packet, *message);
    let ingest = Ingest::new(ports, settings);
    let (prepare, found, load, resume) = (ingest.clone(), ingest.clone(), ingest.clone(), ingest.clone());
    let file = SourceFile { name: "more.csv".to_owned(), size: 0, modified: None };
    let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
    let mapping = Mapping::new(ports, settings, Arc::clone(&compiled));
    let enqueue = Enqueue::new(ports, settings, Arc::clone(&compiled));
    let next_due = enqueue.clone();
    let dispatch = Dispatch::new(ports, settings);
    let company = campaign.company;
    let slice = Slice {
        company,
        campaign: id,
        packet,
        method: ContactMethod::Sms,
        closes_at: None,
        messages: vec![message],
    };
    let incoming = confirmation(world, company);
    let disposition = Disposition {
        provider: "sandbox-sms".into(),
        event: "walk".into(),
        attempt: *attempt,
        reference: None,
        report: AttemptReport::Complained,
        at: world.now(),
    };
    let located = LocatedDisposition { packet, message, disposition };
    let dispositions = Dispositions::new(ports, settings, Arc::clone(&compiled));
    let messages = IncomingMessages::new(ports, settings, compiled);
    vec![
        walked("ingest::discover", &[Upload, Operate], async move {
            ingest.discover(scope, id, source).await.map(|_| true)
        }),
        walked("ingest::prepare", &[Upload, Operate], async move {
            prepare.prepare(scope, id, source, "more.csv").await.map(|_| true)
        }),
        walked("ingest::prepare_found", &[Upload, Operate], async move {
            found.prepare_found(scope, id, source, &file).await.map(|_| true)
        }),
        walked("ingest::load", &[Upload, Operate], async move {
            load.load(scope, packet, source, &mut |_| {}).await.map(|_| true)
        }),
        walked("ingest::resume", &[Upload, RunCampaign], async move {
            resume.resume(scope, packet).await.map(|_| true)
        }),
        walked("mapping::map", &[Operate], async move {
            mapping.map(scope, packet, &mut |_| {}).await.map(|_| true)
        }),
        walked("enqueue::feed", &[Operate], async move { enqueue.feed(scope, packet).await.map(|_| true) }),
        walked("enqueue::next_due", &[Operate], async move {
            Ok(next_due.next_due(scope, packet).await?.is_some())
        }),
        walked("dispatch::dispatch_slice", &[Operate], async move {
            dispatch.dispatch_slice(scope, &slice).await.map(|_| true)
        }),
        walked("dispositions::record", &[Operate], async move {
            Ok(dispositions.record(scope, &[located]).await? != [DispositionOutcome::Missing])
        }),
        // What it takes in is the caller's own.
        walked("incoming::receive", &[Operate], async move {
            messages.receive(scope, &incoming).await.map(|_| false)
        }),
    ]
}

fn every_call<'a>(victim: &'a Victim, scope: &'a CompanyScope) -> Vec<Walked<'a>> {
    let office = shown::office(victim, scope).into_iter().chain(shown::recipients(victim, scope));
    let inside = shown::listings(victim, scope).into_iter().chain(machine_room(victim, scope));
    let inside = inside.chain(shown::logs(victim, scope));
    office.chain(inside).chain(shown::callers(victim, scope)).collect()
}

#[test]
fn a_scope_for_another_action_opens_nothing() {
    let victim = Victim::new();
    let before = victim.state();
    let mut refused = 0;
    for action in Action::ALL {
        let scope = victim.world.scope(victim.campaign.company, action);
        for Walked { name, actions, call } in every_call(&victim, &scope) {
            if actions.contains(&action) {
                continue;
            }
            let answer = block_on(call);
            assert!(
                matches!(answer, Err(ServiceError::Denied(Denied))),
                "{name} with {action:?}: {answer:?}"
            );
            refused += 1;
        }
    }
    assert_eq!(victim.state(), before);
    println!("{refused} refusals");
    assert!(refused > 150, "{refused}");
}

#[test]
fn a_scope_for_another_company_finds_nothing() {
    let victim = Victim::new();
    let stranger = victim.world.company();
    let before = victim.state();
    for action in Action::ALL {
        let scope = victim.world.scope(stranger, action);
        for Walked { name, actions, call } in every_call(&victim, &scope) {
            if !actions.contains(&action) {
                continue;
            }
            match block_on(call) {
                Ok(told) => assert!(!told, "{name} told a stranger something"),
                Err(ServiceError::Denied(_) | ServiceError::NotFound { .. }) => {}
                Err(other) => panic!("{name} tells more than that nothing is there: {other:?}"),
            }
        }
    }
    assert_eq!(victim.state(), before);
}

/// Nobody would run what it starts.
#[derive(Debug)]
struct NoPollers;

#[async_trait::async_trait]
impl PollerHost for NoPollers {
    async fn ensure(&self, _: &PollerSpec) -> Result<(), PollerError> {
        Ok(())
    }

    async fn stop(&self, _: &QueueName) -> Result<(), PollerError> {
        Ok(())
    }
}

fn walked_sweeps(victim: &Victim, actor: Actor) -> Vec<(&'static str, bool)> {
    let Victim { world, campaign, packet, .. } = victim;
    let access = Access::new(&world.ports);
    let scope = access.authorize_platform(actor).unwrap();
    let (ports, settings) = (&world.ports, &world.settings);
    let compiled = Arc::new(CompiledCampaigns::new(Arc::clone(&ports.store)));
    let forecast = Arc::clone(&compiled);
    let pollers = Arc::new(NoPollers);
    let fence = RestoreFence::new(ports);
    let at = world.now();
    let company = Company { id: ports.ids.next(at), name: String::new(), server_name: String::new() };
    let role = Role { id: ports.ids.next(at), name: String::new(), actions: [].into(), companies: [].into() };
    let user = User { id: ports.ids.next(at), name: String::new(), roles: [].into(), suspended: false };
    block_on(async {
        vec![
            ("fleet::tend", Fleet::new(ports, settings, pollers).tend(&scope).await.is_ok()),
            ("sweep/overdue_claims::sweep", OverdueClaims::new(ports, settings).sweep(&scope).await.is_ok()),
            ("sweep/stalled_packets::sweep", StalledPackets::new(ports).sweep(&scope).await.is_ok()),
            ("sweep/stray_queues::sweep", StrayQueues::new(ports).sweep(&scope).await.is_ok()),
            (
                "sweep/unknown_outcomes::sweep",
                UnknownOutcomes::new(ports, settings, compiled).sweep(&scope).await.is_ok(),
            ),
            ("forecasts::look", Forecasts::new(ports, settings, forecast).look(&scope).await.is_ok()),
            ("restore_fence::last", fence.last(&scope).await.is_ok()),
            ("restore_fence::raise", fence.raise(&scope, RestoreEpoch::default()).await.is_ok()),
            ("restore_fence::fenced", fence.fenced(&scope, None, 10).await.is_ok()),
            ("restore_fence::release", fence.release(&scope, campaign.company, *packet).await.is_ok()),
            ("restore_fence::release_all", fence.release_all(&scope).await.is_ok()),
            ("access::save_company", access.save_company(&scope, &company).await.is_ok()),
            ("access::save_role", access.save_role(&scope, &role).await.is_ok()),
            ("access::save_user", access.save_user(&scope, &user).await.is_ok()),
        ]
    })
}

#[test]
fn sweeps_are_for_workers_and_companies_for_the_operator() {
    let victim = Victim::new();
    let world = &victim.world;
    let is_operators = |name: &str| name.starts_with("access") || name.starts_with("restore_fence");
    for (name, done) in walked_sweeps(&victim, Actor::Worker) {
        assert_eq!(done, !is_operators(name), "{name} by a worker");
    }
    for (name, done) in walked_sweeps(&victim, Actor::Operator) {
        assert_eq!(done, is_operators(name), "{name} by the operator");
    }
    let access = Access::new(&world.ports);
    for actor in [Actor::Gateway, Actor::User(world.ports.ids.next(world.now()))] {
        assert_eq!(
            access.authorize_platform(actor).unwrap_err().to_string(),
            ServiceError::from(Denied).to_string()
        );
    }
}

/// `file::name` of every public function below `folder` that does something.
fn public_calls(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "tests" {
            public_calls(&path, &format!("{prefix}{name}/"), found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text.lines().filter_map(|line| line.trim_start().strip_prefix("pub async fn ")) {
                let function = line.split(['(', '<']).next().unwrap();
                found.insert(format!("{prefix}{name}::{function}"));
            }
            // What answers piece by piece.
            for (before, _) in text.match_indices("-> impl Stream").map(|(end, _)| text.split_at(end)) {
                let function = before.rsplit("pub fn ").next().unwrap().split(['(', '<']).next().unwrap();
                found.insert(format!("{prefix}{name}::{function}"));
            }
        }
    }
}

#[test]
fn every_public_call_of_the_services_is_walked() {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reminderly-core/src/services");
    let mut found = BTreeSet::new();
    public_calls(&services, "", &mut found);
    // Loading is a file of its own.
    assert!(found.remove("ingest/load::load") && found.insert("ingest::load".to_owned()));
    let outcome = "on_demand/outcome::outcome";
    assert!(found.remove(outcome) && found.insert("on_demand::outcome".to_owned()));

    let victim = Victim::new();
    let scope = victim.world.scope(victim.campaign.company, Action::ViewReports);
    let mut walked: BTreeSet<String> =
        every_call(&victim, &scope).iter().map(|walked| walked.name.to_owned()).collect();
    walked.extend(walked_sweeps(&victim, Actor::Worker).into_iter().map(|(name, _)| name.to_owned()));
    walked.extend(WITHOUT_SCOPE.map(str::to_owned));
    assert_eq!(found, walked);
}
