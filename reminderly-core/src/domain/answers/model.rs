//! From contact outcomes to expectations.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::estimate::{Estimate, Own};
use super::outcome::{ContactOutcome, Goal};
use super::pools::{Pools, Unit, strength};
use super::tally::{Cell, Counts, Tally};
use crate::domain::contact_method::ContactMethod;
use crate::domain::person::PersonKey;

/// After so long a contact weighs half. People change their habits and their phones; 90 days keep about four months of data
/// in force. A choice of ours: nothing in the literature sets it.
pub const HALF_LIFE: TimeDelta = TimeDelta::days(90);

/// Contacts weigh nothing until the person has had so long to answer; else the latest would look like refusals.
const TIME_TO_ANSWER: TimeDelta = TimeDelta::hours(24);

/// How many persons are looked at to find out how much persons differ.
const SAMPLE: usize = 10_000;

/// Takes contact outcomes in, one after the other, in any order. Keeps counts only: its size goes with the number of persons.
#[derive(Clone)]
pub struct AnswersModelBuilder {
    as_of: DateTime<Utc>,
    half_life: TimeDelta,
    tallies: BTreeMap<Cell, Tally>,
    persons: BTreeMap<PersonKey, Vec<(Cell, Tally)>>,
}

/// What is expected of persons who were contacted before, and of others. Holds keys of persons: `Debug` shows how many.
#[derive(Clone)]
pub struct AnswersModel {
    as_of: DateTime<Utc>,
    persons: BTreeMap<PersonKey, Vec<(Cell, Tally)>>,
    answer: GoalModel,
    positive: GoalModel,
}

#[derive(Debug, Clone)]
struct GoalModel {
    pools: Pools,
    person_strength: f64,
}

impl AnswersModelBuilder {
    /// A model of what is known at `as_of`, with the usual [`HALF_LIFE`].
    pub fn new(as_of: DateTime<Utc>) -> Self {
        Self::with_half_life(as_of, HALF_LIFE)
    }

    /// The same with another half-life; one that is not positive lets nothing decay.
    pub fn with_half_life(as_of: DateTime<Utc>, half_life: TimeDelta) -> Self {
        Self { as_of, half_life, tallies: BTreeMap::new(), persons: BTreeMap::new() }
    }

    /// Takes an outcome in. One that is younger than a day at `as_of`, or lies after it, is left out.
    pub fn observe(&mut self, outcome: &ContactOutcome) {
        let age = self.as_of - outcome.sent_at;
        if age < TIME_TO_ANSWER {
            return;
        }
        let weight = self.weight(age);
        let cell = Cell::of(outcome.method, outcome.hour());
        self.tallies.entry(cell).or_default().add(outcome, weight);
        let own = self.persons.entry(outcome.person.clone()).or_default();
        if let Some((_, tally)) = own.iter_mut().find(|(known, _)| *known == cell) {
            tally.add(outcome, weight);
        } else {
            let mut tally = Tally::default();
            tally.add(outcome, weight);
            own.push((cell, tally));
        }
    }

    /// The model of what was taken in; of nothing, too.
    pub fn build(self) -> AnswersModel {
        let goal_model = |goal| {
            let pools = Pools::of(&self.tallies, goal);
            let step = self.persons.len() / SAMPLE + 1;
            let sample = self.persons.values().step_by(step);
            let units: Vec<Unit> = sample.flat_map(|cells| units(cells, &pools, goal)).collect();
            GoalModel { person_strength: strength(&units), pools }
        };
        let (answer, positive) = (goal_model(Goal::Answer), goal_model(Goal::PositiveAnswer));
        AnswersModel { as_of: self.as_of, persons: self.persons, answer, positive }
    }

    #[expect(clippy::cast_precision_loss, reason = "ages in seconds are far below 2^53")]
    fn weight(&self, age: TimeDelta) -> f64 {
        let half_life = self.half_life.num_seconds();
        if half_life <= 0 {
            return 1.0;
        }
        (-(age.num_seconds() as f64) / half_life as f64).exp2()
    }
}

impl AnswersModel {
    /// The instant whose knowledge it holds.
    pub fn as_of(&self) -> DateTime<Utc> {
        self.as_of
    }

    /// The persons who were contacted, in the order of their keys.
    pub fn persons(&self) -> impl Iterator<Item = &PersonKey> {
        self.persons.keys()
    }

    /// The methods by which a person was contacted, each once, in their order.
    pub fn methods_of(&self, person: &PersonKey) -> Vec<ContactMethod> {
        let cells = self.persons.get(person).into_iter().flatten();
        let mut methods: Vec<ContactMethod> = cells.map(|(cell, _)| cell.method).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }

    /// How likely a contact reaches the goal: of this person, by this method, at this hour of the person's clock (0 to 23), or
    /// at any. Of a person who was never contacted by the method it is everybody's, with a wide interval.
    ///
    /// ```
    /// use chrono::{DateTime, TimeDelta};
    /// use reminderly_core::domain::answers::{AnswersModelBuilder, ContactOutcome, Goal};
    /// use reminderly_core::domain::contact_method::ContactMethod;
    /// use reminderly_core::domain::person::PersonKey;
    /// use reminderly_core::domain::response::ResponseKind;
    ///
    /// let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    /// let mut builder = AnswersModelBuilder::new(now);
    /// for (key, response) in [("anna", Some(ResponseKind::Confirmed)), ("ben", None)] {
    ///     for days in 2..12 {
    ///         builder.observe(&ContactOutcome {
    ///             person: PersonKey::new(key).unwrap(),
    ///             method: ContactMethod::Sms,
    ///             sent_at: now - TimeDelta::days(days),
    ///             contact_zone: chrono_tz::UTC,
    ///             response,
    ///         });
    ///     }
    /// }
    /// let model = builder.build();
    /// let of = |key| model.estimate(Goal::Answer, &PersonKey::new(key).unwrap(), ContactMethod::Sms, None);
    /// assert!(of("anna").mean > of("new").mean && of("new").mean > of("ben").mean);
    /// assert!(of("new").high - of("new").low > of("anna").high - of("anna").low);
    /// ```
    pub fn estimate(
        &self,
        goal: Goal,
        person: &PersonKey,
        method: ContactMethod,
        hour: Option<u8>,
    ) -> Estimate {
        let (own, pool) = self.own(goal, person, method, hour);
        own.posterior(pool, self.of(goal).person_strength)
    }

    /// The mean of [`estimate`](Self::estimate), at a thousandth of its cost: for comparing many.
    pub fn expect(&self, goal: Goal, person: &PersonKey, method: ContactMethod, hour: Option<u8>) -> f64 {
        let (own, pool) = self.own(goal, person, method, hour);
        own.mean(pool, self.of(goal).person_strength)
    }

    /// Whether anybody was contacted by the method at this hour of the clock (0 to 23), or at those that share a rate with it.
    /// Where nobody was, nothing is known but the rate of other hours.
    pub fn knows(&self, method: ContactMethod, hour: u8) -> bool {
        self.answer.pools.knows(Cell::of(method, hour))
    }

    /// What the person did by the method, and the rate of everybody then.
    fn own(&self, goal: Goal, person: &PersonKey, method: ContactMethod, hour: Option<u8>) -> (Own, f64) {
        let pools = &self.of(goal).pools;
        let pool = match hour {
            Some(hour) => pools.cell(Cell::of(method, hour)),
            None => pools.method(method),
        };
        let own = self.persons.get(person).map(|cells| own(cells, |tally| &tally.aged, method, pools, goal));
        (own.unwrap_or_default(), pool)
    }

    /// The rate of the whole company: what a model without persons, methods and hours would expect of everybody.
    pub fn base_rate(&self, goal: Goal) -> f64 {
        self.of(goal).pools.company
    }

    const fn of(&self, goal: Goal) -> &GoalModel {
        match goal {
            Goal::Answer => &self.answer,
            Goal::PositiveAnswer => &self.positive,
        }
    }
}

impl fmt::Debug for AnswersModelBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let persons = self.persons.len();
        f.debug_struct("AnswersModelBuilder").field("persons", &persons).finish_non_exhaustive()
    }
}

impl fmt::Debug for AnswersModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let persons = self.persons.len();
        f.debug_struct("AnswersModel").field("persons", &persons).finish_non_exhaustive()
    }
}

/// What a person did by one method.
fn own(
    cells: &[(Cell, Tally)],
    counts: fn(&Tally) -> &Counts,
    method: ContactMethod,
    pools: &Pools,
    goal: Goal,
) -> Own {
    let mut own = Own::default();
    for (cell, tally) in cells.iter().filter(|(cell, _)| cell.method == method) {
        let counts = counts(tally);
        own.contacts += counts.contacts;
        own.hits += counts.hits(goal);
        own.expected += counts.contacts * pools.cell(*cell);
    }
    own
}

/// A person by each method, beside what is expected of everybody at the same hours.
fn units(cells: &[(Cell, Tally)], pools: &Pools, goal: Goal) -> impl Iterator<Item = Unit> {
    ContactMethod::ALL.into_iter().filter_map(move |method| {
        let own = own(cells, |tally| &tally.whole, method, pools, goal);
        let unit = Unit { contacts: own.contacts, hits: own.hits, above: own.expected / own.contacts };
        (own.contacts > 0.0).then_some(unit)
    })
}
