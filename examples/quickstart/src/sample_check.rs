//! The check of a campaign and a sample: the campaign stays a draft, so that nothing can be sent.

use std::sync::Arc;

use reminderly_core::domain::access::Action;
use reminderly_core::services::{Check, CheckReport, CompiledCampaigns};

use crate::failure::Failure;
use crate::host::Host;
use crate::intake::{Intake, TakenIn};
use crate::office::Office;
use crate::scenario::Scenario;
use crate::simulation::Simulation;

/// Loads, maps and plans the sample as a run would, and says what people should know of it.
pub(crate) fn carry_out(scenario: &Scenario) -> Result<CheckReport, Failure> {
    let mut simulation = Simulation::new(scenario.start);
    let host = Host::new(scenario, simulation.clock())?;
    let office = simulation.complete(Office::open(&host.ports, &scenario.campaign))?;
    let (intake, campaigns) = (Intake::new(&host), CompiledCampaigns::new(Arc::clone(&host.ports.store)));
    let check = Check::new(&host.ports, Arc::new(campaigns));
    let checked = async {
        let Some(file) = scenario.data.first() else { return Err(Failure::usage("--data is missing")) };
        let packet = match intake.take_in(&office, file).await? {
            TakenIn::Packet(packet) | TakenIn::SameAs(packet) => packet,
            TakenIn::Unusable(_, reason) => {
                return Err(Failure::work(format!("data file {}: {reason}", file.name)));
            }
        };
        let scope = office.scope(Action::ViewMessages).await?;
        Ok(check.packet(&scope, packet).await?)
    };
    simulation.complete(checked)
}
