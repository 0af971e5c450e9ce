//! The run of a campaign: the world outside the library. Files arrive, the provider calls back, time passes.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reminderly_core::domain::access::Action;
use reminderly_core::domain::campaign::lifecycle::Campaign;
use reminderly_core::domain::packet::PacketStage;
use reminderly_core::services::{Callbacks, Reports, ServiceError, ShutdownTrigger, shutdown};

use crate::failure::Failure;
use crate::host::Host;
use crate::intake::{Intake, TakenIn};
use crate::office::Office;
use crate::outcome::{Outcome, TakenFile};
use crate::progress::Days;
use crate::results::{ResultFiles, Totals};
use crate::scenario::{DataFile, Mode, Scenario};
use crate::simulation::Simulation;

/// When a provider calls again whose callback was not taken.
const CALL_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// The run of a campaign.
#[derive(Debug)]
pub(crate) struct CampaignRun {
    mode: Mode,
    until: Option<DateTime<Utc>>,
    simulation: Simulation,
    host: Host,
    office: Office,
    intake: Intake,
    callbacks: Callbacks,
    reports: Reports,
    /// What has not arrived yet, by time.
    to_come: VecDeque<DataFile>,
    files: Vec<TakenFile>,
}

impl CampaignRun {
    /// Wires everything and creates the campaign, if its document is usable.
    pub(crate) fn new(scenario: &Scenario) -> Result<Self, Failure> {
        let mut simulation = Simulation::new(scenario.start);
        let host = Host::new(scenario, simulation.clock())?;
        let office = simulation.complete(Office::open(&host.ports, &scenario.campaign))?;
        Ok(Self {
            mode: scenario.mode,
            until: scenario.until,
            intake: Intake::new(&host),
            callbacks: Callbacks::new(&host.ports, &host.settings),
            reports: Reports::new(&host.ports),
            to_come: scenario.data.iter().cloned().collect(),
            files: Vec::new(),
            simulation,
            host,
            office,
        })
    }

    /// Lets the days pass until there is nothing left to do.
    pub(crate) fn carry_out(&mut self) -> Result<Outcome, Failure> {
        let worker = match self.mode {
            Mode::Run => Some(self.start_worker()?),
            Mode::Plan => None,
        };
        let mut days = Days::begin();
        loop {
            self.take_files_in()?;
            self.deliver_callbacks()?;
            self.simulation.settle()?;
            if self.is_done()? {
                break;
            }
            let next = self.next_event().filter(|next| self.until.is_none_or(|until| *next <= until));
            let Some(next) = next else {
                // Cut off: what is under way stays as it is at that instant.
                self.until.into_iter().for_each(|until| self.simulation.advance_to(until));
                break;
            };
            self.simulation.advance_to(next);
            if days.step() {
                self.show(&days)?;
            }
        }
        days.end();
        let gathered = Outcome::gather(&self.host, &self.office, std::mem::take(&mut self.files));
        let outcome = self.simulation.complete(gathered)?;
        if let Some(trigger) = worker {
            trigger.fire();
            self.simulation.settle()?;
        }
        Ok(outcome)
    }

    pub(crate) const fn campaign(&self) -> &Campaign {
        &self.office.campaign
    }

    /// Writes the results.
    pub(crate) fn write(&mut self, files: &ResultFiles, outcome: &Outcome) -> Result<Totals, Failure> {
        self.simulation.complete(files.write(&self.host, &self.office, outcome))
    }

    /// Activates the campaign and starts the worker; it runs until the trigger fires.
    fn start_worker(&mut self) -> Result<ShutdownTrigger, Failure> {
        self.simulation.complete(self.office.activate())?;
        let worker = self.host.worker(self.simulation.spawner());
        let (trigger, shutdown) = shutdown();
        let spawn = self.simulation.spawner();
        spawn(Box::pin(async move {
            if let Err(error) = worker.run(&shutdown).await {
                eprintln!("error: worker ended: {error}");
            }
        }));
        Ok(trigger)
    }

    fn take_files_in(&mut self) -> Result<(), Failure> {
        let now = self.simulation.now();
        while let Some(file) = self.to_come.pop_front_if(|file| file.arrives <= now) {
            let taken = self.intake.take_in(&self.office, &file);
            let (packet, fault) = match self.simulation.complete(taken)? {
                TakenIn::Packet(packet) => (Some(packet), None),
                TakenIn::Unusable(packet, reason) => (packet, Some(reason)),
                TakenIn::SameAs(packet) => {
                    let known = self.files.iter().find(|known| known.packet == Some(packet));
                    let known = known.map_or("an earlier file", |known| &known.name);
                    eprintln!("note: data file {} has the content of {known}: not loaded again", file.label);
                    continue;
                }
            };
            if let Some(reason) = &fault {
                eprintln!("error: data file {}: {reason}", file.label);
            }
            self.files.push(TakenFile { name: file.label, packet, fault });
        }
        Ok(())
    }

    /// Hands what the sandbox calls back to where a host's HTTP endpoint would hand it.
    fn deliver_callbacks(&mut self) -> Result<(), Failure> {
        let now = self.simulation.now();
        for callback in self.host.sandbox.take_callbacks(now) {
            let accepted = self.callbacks.accept(&callback.provider, &callback.request);
            match self.simulation.complete(accepted) {
                Ok(_) => {}
                Err(error) if error.is_transient() => {
                    self.host.sandbox.put_back(callback, now + CALL_AGAIN_AFTER);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// When something happens next, inside or outside.
    fn next_event(&self) -> Option<DateTime<Utc>> {
        let arrival = self.to_come.front().map(|file| file.arrives);
        let events = [self.simulation.next_wake(), arrival, self.host.sandbox.next_callback_at()];
        events.into_iter().flatten().min()
    }

    /// Whether nothing is to come, in hand or open.
    fn is_done(&mut self) -> Result<bool, Failure> {
        if !self.to_come.is_empty() || self.host.sandbox.next_callback_at().is_some() {
            return Ok(false);
        }
        if self.mode == Mode::Plan {
            return Ok(true);
        }
        let open = async {
            let names = &self.host.settings.queues;
            for queue in [&names.dispositions, &names.incoming] {
                let depth = self.host.ports.queues.depth(queue).await.map_err(ServiceError::from)?;
                if depth.is_some_and(|depth| depth.total() > 0) {
                    return Ok(true);
                }
            }
            let scope = self.office.scope(Action::ViewReports).await?;
            let report = self.reports.campaign(&scope, self.office.campaign.id).await?;
            Ok::<_, ServiceError>(report.packets.iter().any(|packet| is_open(packet.stage)))
        };
        Ok(!self.simulation.complete(open)?)
    }

    fn show(&mut self, days: &Days) -> Result<(), Failure> {
        let counts = async {
            let scope = self.office.scope(Action::ViewReports).await?;
            let report = self.reports.campaign(&scope, self.office.campaign.id).await?;
            Ok::<_, ServiceError>((report.counts, self.reports.incoming(&scope).await?))
        };
        let (counts, incoming) = self.simulation.complete(counts)?;
        days.show(self.simulation.now(), &self.office.campaign, &counts, incoming.total());
        Ok(())
    }
}

fn is_open(stage: PacketStage) -> bool {
    !stage.is_closed() && stage != PacketStage::Failed
}
