//! Random walks: customers drawn as for a property, on their way through all journeys of a bundle, with attributes that
//! change under way. What happened is handed out line by line, for whoever claims to know what cannot happen.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::cast;
use super::super::random::Random;
use super::super::record::What;
use super::super::script::Script;
use super::draw;
use super::plan::Plan;
use super::{REST, Suite};
use crate::model::Test;
use crate::model::Uses;
use crate::model::test::{Given, TestItem, TestKind};
use crate::name::Name;
use crate::program::Outcome;
use crate::step::state::SubjectRef;
use crate::step::{Decision, Event, EventKind, Trace, World};
use crate::text::{FileId, Span};
use crate::value::Value;

/// Changes of attributes in one walk, at most.
const MOST_CHANGES: u64 = 6;

/// One line of a walk.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Timestamp,
    /// Row and child it is about: who it is.
    pub who: (usize, SubjectRef),
    pub what: Deed,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Attributes of a root subject came in.
    Told(Vec<(Name, Value)>),
    Entered(Run),
    Ended(Run),
    /// The gate agreed to a message of this step.
    Decided(Run, Name),
    /// A provider took it.
    Sent(Run, Name),
    /// It turned out not to have arrived.
    Failed(Run, Name),
    Granted(Run, Name, Value),
}

/// A run of a journey: its name and the key of its entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    pub journey: Name,
    pub key: Option<Arc<str>>,
}

/// Walks of the subject of one journey.
pub struct Walker<'a> {
    suite: Suite<'a>,
    world: Arc<World>,
    test: Test,
}

/// A test of a journey with anybody as its subject, and no expectation; `None`: there is no such journey.
pub(super) fn of_anybody(suite: Suite<'_>, journey: Name) -> Option<Test> {
    let entity = suite.bundle.programs.get(&journey)?.body.subject;
    let span = Span::new(FileId(0), 0, 0);
    let given = TestKind::Given {
        entity,
        who: Given::Any,
        filter: None,
        fields: Vec::new(),
        days: Vec::new(),
        parent: None,
    };
    let items = vec![TestItem { kind: given, span }];
    Some(Test { title: journey.as_str().into(), journey, items, uses: Uses::default(), span })
}

impl<'a> Walker<'a> {
    /// `None`: there is no such journey.
    #[must_use]
    pub fn new(suite: Suite<'a>, journey: Name) -> Option<Self> {
        let test = of_anybody(suite, journey)?;
        let world = Arc::new(World::of_bundle(Arc::clone(suite.bundle), suite.zone.clone()));
        Some(Self { suite, world, test })
    }

    /// The walk of this number; the same seed and number give the same walk. In the order in which it happened, and
    /// behind it the instant at which it was left.
    #[must_use]
    pub fn walk(&self, seed: u64, number: u64) -> Option<(Vec<Seen>, Timestamp)> {
        let plan = Plan::new(self.suite, &self.world, &self.test)?;
        let mut random = Random::stream(seed, number);
        let case = draw::case(&plan, &mut random);
        let changes = draw::changes(&plan, &mut random, case.start, MOST_CHANGES);
        let mut script = Script::new(self.suite, &self.world, &self.test, case.start);
        for role in &case.roles {
            script.cast(None, role.clone());
        }
        let (_, actor) = script.cast.first().cloned()?;
        for (after, fields) in changes {
            let event = cast::event(&mut script.stage, EventKind::Attributes, &actor, fields);
            let at = case.start.saturating_add(after).unwrap_or(case.start);
            script.stage.happen(actor.row, Event { time: at, ..event });
        }
        let at = |after: SignedDuration| case.start.saturating_add(after).unwrap_or(Timestamp::MAX);
        script.lay(case.acts.iter().map(|(after, act)| (at(*after), act.clone())), REST);
        // There is no expectation that could be broken.
        let _ = script.run();
        Some((self.seen(&script), script.stage.now))
    }

    fn seen(&self, script: &Script<'_>) -> Vec<Seen> {
        let mut lines: Vec<(u64, Seen)> = Vec::new();
        for (row, of) in script.stage.rows.iter().enumerate() {
            for line in &of.record.lines {
                let found = match &line.what {
                    What::Event(event)
                        if matches!(event.kind, EventKind::Attributes) && event.child.is_none() =>
                    {
                        Some((SubjectRef(None), Deed::Told(event.fields.clone())))
                    }
                    What::Trace(trace) => self.deed(trace).map(|deed| (trace.subject.clone(), deed)),
                    _ => None,
                };
                lines.extend(
                    found.map(|(who, what)| (line.serial, Seen { at: line.at, who: (row, who), what })),
                );
            }
        }
        lines.sort_by_key(|(serial, _)| *serial);
        lines.into_iter().map(|(_, seen)| seen).collect()
    }

    fn deed(&self, trace: &Trace) -> Option<Deed> {
        let name = |sym| self.world.symbols.name(sym);
        let run = Run { journey: name(trace.journey?)?, key: trace.entry.clone() };
        Some(match &trace.what {
            Decision::Entered { .. } => Deed::Entered(run),
            Decision::Ended { .. } | Decision::Exited { .. } => Deed::Ended(run),
            Decision::Decided { step, .. } => Deed::Decided(run, name(*step)?),
            Decision::Answered { step, outcome: Outcome::Sent, .. } => Deed::Sent(run, name(*step)?),
            Decision::Answered { step, outcome: Outcome::Failed, .. } => Deed::Failed(run, name(*step)?),
            Decision::Receipt { step, kind: crate::expr::MessageEvent::Failed, .. } => {
                Deed::Failed(run, name(*step)?)
            }
            Decision::Granted { what, amount } => Deed::Granted(run, name(*what)?, amount.clone()),
            _ => return None,
        })
    }
}
