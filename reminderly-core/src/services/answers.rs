//! Answers: who is likely to answer, and how well that was foreseen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::domain::access::{Action, CompanyScope};
use crate::domain::answers::{
    AnswersModel, AnswersModelBuilder, Calibration, CalibrationReport, ContactOutcome, Estimate, Goal,
};
use crate::domain::contact_method::ContactMethod;
use crate::domain::person::PersonKey;
use crate::give_way::give_way;
use crate::ids::CompanyId;
use crate::services::{Ports, ServiceError};

/// Contact outcomes per page.
const PAGE: usize = 1_000;

/// What is older has decayed to less than a sixteenth, and is not read.
const LOOK_BACK: TimeDelta = TimeDelta::days(365);

/// Who was contacted within this time may still answer: held-out data ends before it.
const TIME_TO_ANSWER: TimeDelta = TimeDelta::hours(24);

/// For so long a model is used again: habits change slowly, and history is long to read.
const KEPT_FOR: TimeDelta = TimeDelta::hours(6);

/// Of how many companies models are kept.
const COMPANIES_KEPT: usize = 16;

/// The most persons of one report.
const PERSONS_MAX: usize = 1_000;

/// A person, and how likely they answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LikelyResponder {
    /// The person; personal data.
    pub person: PersonKey,
    /// The method by which the goal is likeliest, of those by which the person was contacted.
    pub method: ContactMethod,
    /// How likely the person answers a message by that method.
    pub answer: Estimate,
    /// How likely the answer is positive, of all messages.
    pub positive: Estimate,
}

/// Builds answers models and reports what they say.
#[derive(Debug, Clone)]
pub struct Answers {
    ports: Ports,
    kept: Arc<Mutex<BTreeMap<CompanyId, Arc<AnswersModel>>>>,
}

impl Answers {
    /// The service over these ports.
    pub fn new(ports: &Ports) -> Self {
        Self { ports: ports.clone(), kept: Arc::default() }
    }

    /// The persons of a company who were contacted in the last year, those who are likeliest to reach the goal first: of the same
    /// expectation those who are surer, then by key. At most `limit` and 1,000. Takes as long as the company's year is.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn likely_responders(
        &self,
        scope: &CompanyScope,
        goal: Goal,
        limit: usize,
    ) -> Result<Vec<LikelyResponder>, ServiceError> {
        let company = scope.require(Action::ViewMessages)?;
        let model = self.train(company, self.ports.clock.now()).await?;
        let mut ranked: Vec<(f64, &PersonKey, ContactMethod)> = Vec::new();
        for person in model.persons() {
            let by = |method| (model.expect(goal, person, method, None), person, method);
            let methods = model.methods_of(person).into_iter().map(by);
            ranked.extend(methods.max_by(|one, other| one.0.total_cmp(&other.0)));
        }
        ranked.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
        ranked.truncate(limit.min(PERSONS_MAX));
        let responder = |(_, person, method): (f64, &PersonKey, ContactMethod)| LikelyResponder {
            person: person.clone(),
            method,
            answer: model.estimate(Goal::Answer, person, method, None),
            positive: model.estimate(Goal::PositiveAnswer, person, method, None),
        };
        Ok(ranked.into_iter().map(responder).collect())
    }

    /// How well a model of what was known at `split` foresaw what came after it. What was sent in the last 24 hours is left out:
    /// it may still be answered.
    ///
    /// # Errors
    ///
    /// [`ServiceError::Denied`], [`ServiceError::Store`].
    pub async fn calibration(
        &self,
        scope: &CompanyScope,
        goal: Goal,
        split: DateTime<Utc>,
    ) -> Result<CalibrationReport, ServiceError> {
        let company = scope.require(Action::ViewReports)?;
        let model = self.train(company, split).await?;
        let mut calibration = Calibration::new(&model, goal);
        let until = self.ports.clock.now() - TIME_TO_ANSWER;
        let mut compare = |outcome: &ContactOutcome| {
            if outcome.sent_at < until {
                calibration.add(outcome);
            }
        };
        self.each(company, split, &mut compare).await?;
        Ok(calibration.report())
    }

    /// The model of a company as of now, or of some hours ago.
    pub(super) async fn model(&self, company: CompanyId) -> Result<Arc<AnswersModel>, ServiceError> {
        let now = self.ports.clock.now();
        let is_fresh = |model: &AnswersModel| now - model.as_of() < KEPT_FOR;
        let known = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&company).cloned();
        if let Some(model) = known.filter(|model| is_fresh(model)) {
            return Ok(model);
        }
        let model = Arc::new(self.train(company, now).await?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= COMPANIES_KEPT {
            kept.clear();
        }
        kept.insert(company, Arc::clone(&model));
        Ok(model)
    }

    async fn train(&self, company: CompanyId, as_of: DateTime<Utc>) -> Result<AnswersModel, ServiceError> {
        let mut builder = AnswersModelBuilder::new(as_of);
        self.each(company, as_of - LOOK_BACK, &mut |outcome| builder.observe(outcome)).await?;
        Ok(builder.build())
    }

    /// Reads the outcomes from `since` on, page by page.
    async fn each(
        &self,
        company: CompanyId,
        since: DateTime<Utc>,
        take: &mut (dyn FnMut(&ContactOutcome) + Send),
    ) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.ports.store.contact_outcomes(company, since, after, PAGE).await?;
            page.items.iter().for_each(&mut *take);
            give_way().await;
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
