//! From a checked journey to its graph.
//!
//! A block is built with the *loose ends* that lead into it and hands back the loose ends behind it: edges whose
//! source is known and whose target is the next step, whatever that will be. No loose end in front of a step means
//! that nothing reaches it.

mod assign;
mod branch;
mod outreach;
mod repeat;
mod show;
mod wait;

use petgraph::graph::{DiGraph, NodeIndex};

use super::{Edge, JourneyGraph, Point, PointKind, Unreached, words};
use crate::model::Journey;
use crate::model::journey::{Exit, Step, StepKind};
use crate::name::Name;
use crate::text::Span;

/// The graph of `journey`.
#[must_use]
pub fn build(journey: &Journey) -> JourneyGraph {
    with_steps(journey, &journey.steps, Telling::Words)
}

/// The same without words, for those who only look at its shape.
#[must_use]
pub(crate) fn plain(journey: &Journey) -> JourneyGraph {
    with_steps(journey, &journey.steps, Telling::Nothing)
}

/// Whether places and ways get their words. Most shapes have nothing wrong with them, and then nobody reads any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    Words,
    Nothing,
}

/// The graph of `steps` as those of `journey`.
pub(super) fn with_steps(journey: &Journey, steps: &[Step], telling: Telling) -> JourneyGraph {
    let mut builder = Builder { journey, telling, graph: DiGraph::new(), unreached: Vec::new() };
    let entered = builder.say(words::enter);
    let entry = builder.place(PointKind::Enter, "enter", entered, journey.span);
    let flow = builder.block(steps, vec![(entry, Edge::then())]);
    let behind = flow.all();
    if !behind.is_empty() {
        let stops = builder.say(|_| "it stops".to_owned());
        let fall = builder.place(PointKind::Fall, "fall", stops, journey.close);
        builder.connect(behind, fall);
    }
    let exits = journey.exits.iter().map(|exit| builder.exit(exit)).collect();
    JourneyGraph {
        journey: journey.name,
        label: journey.label.clone(),
        graph: builder.graph,
        entry,
        exits,
        unreached: builder.unreached,
    }
}

/// Edges that still look for their target.
type Loose = Vec<(NodeIndex, Edge)>;

/// What comes out of a block.
#[derive(Default)]
struct Flow {
    /// Behind its last step.
    through: Loose,
    /// From `continue`: behind the step whose arm the block is.
    continued: Loose,
}

impl Flow {
    /// As an arm of a step: both ways go on behind that step.
    fn all(self) -> Loose {
        self.through.into_iter().chain(self.continued).collect()
    }
}

struct Builder<'a> {
    journey: &'a Journey,
    telling: Telling,
    graph: DiGraph<Point, Edge>,
    unreached: Vec<Unreached>,
}

impl Builder<'_> {
    /// The words of a place or way, if there are to be any.
    fn say(&self, words: impl FnOnce(&Journey) -> String) -> String {
        match self.telling {
            Telling::Words => words(self.journey),
            Telling::Nothing => String::new(),
        }
    }

    fn place(&mut self, kind: PointKind, id: &str, text: String, span: Span) -> NodeIndex {
        self.graph.add_node(Point { kind, id: Name::new(id), label: None, text, span })
    }

    fn point(&mut self, step: &Step, kind: PointKind, text: String) -> NodeIndex {
        self.graph.add_node(Point { kind, id: step.id, label: step.label.clone(), text, span: step.span })
    }

    fn connect(&mut self, loose: Loose, to: NodeIndex) {
        for (from, edge) in loose {
            self.graph.add_edge(from, to, edge);
        }
    }

    /// A point with all `loose` ends leading to it.
    fn reached(&mut self, step: &Step, kind: PointKind, text: String, loose: Loose) -> NodeIndex {
        let point = self.point(step, kind, text);
        self.connect(loose, point);
        point
    }

    fn block(&mut self, steps: &[Step], entry: Loose) -> Flow {
        let mut flow = Flow { through: entry, continued: Vec::new() };
        let mut behind = None;
        let mut open = !flow.through.is_empty();
        for step in steps {
            let first = NodeIndex::new(self.graph.node_count());
            let dead = open && flow.through.is_empty();
            let through = std::mem::take(&mut flow.through);
            let out = self.step(step, through);
            // `continue` and an empty `phase` are no points, so there may be nothing to point at.
            if dead && first.index() < self.graph.node_count() {
                self.unreached.push(Unreached { point: first, behind });
                open = false;
            }
            flow.through = out.through;
            flow.continued.extend(out.continued);
            behind = Some(step.span);
        }
        flow
    }

    /// An arm of a step: its loose ends go on behind that step.
    fn arm(&mut self, steps: &[Step], from: NodeIndex, edge: Edge) -> Loose {
        self.block(steps, vec![(from, edge)]).all()
    }

    fn step(&mut self, step: &Step, loose: Loose) -> Flow {
        let through = match &step.kind {
            StepKind::Phase { steps, .. } => return self.block(steps, loose),
            StepKind::Continue => return Flow { through: Vec::new(), continued: loose },
            StepKind::Send(send, tail) => self.send(step, send, tail, loose),
            StepKind::Give(giving, tail) => self.give(step, giving, tail, loose),
            StepKind::Reach { content, prefer, rungs, not_sent, otherwise } => {
                let reach = outreach::Reach { content, prefer: prefer.as_ref(), rungs, not_sent, otherwise };
                self.reach(step, &reach, loose)
            }
            StepKind::Pause(_)
            | StepKind::UntilMoment(_)
            | StepKind::UntilState { .. }
            | StepKind::Events { .. } => self.wait(step, loose),
            StepKind::If { arms, otherwise } => self.decide(step, arms, otherwise, loose),
            StepKind::Match { subjects, cases, otherwise } => {
                self.select(step, subjects, cases, otherwise.as_deref(), loose)
            }
            StepKind::Tag { tag, .. } => self.act(step, PointKind::Tag(*tag), loose),
            StepKind::Untag { tag } => self.act(step, PointKind::Untag(*tag), loose),
            StepKind::Start { journey, .. } => self.act(step, PointKind::Start(*journey), loose),
            StepKind::Assign(assign) => self.assign(step, assign, loose),
            StepKind::Remember { .. } => self.act(step, PointKind::Remember, loose),
            StepKind::Show(show) => self.show(step, show, loose),
            StepKind::Hide { .. } => self.act(step, PointKind::Hide, loose),
            StepKind::Repeat(repeat) => self.repeat(step, repeat, loose),
            StepKind::Split { experiment, arms, .. } => self.split(step, *experiment, arms, loose),
            StepKind::End { name } => {
                let text = self.say(|_| format!("end {name}"));
                self.reached(step, PointKind::End, text, loose);
                Vec::new()
            }
        };
        Flow { through, continued: Vec::new() }
    }

    /// A step that takes no time.
    fn act(&mut self, step: &Step, kind: PointKind, loose: Loose) -> Loose {
        let text = self.say(|names| words::act(&step.kind, names));
        let point = self.reached(step, kind, text, loose);
        vec![(point, Edge::then())]
    }

    /// An exit rule and its block, which ends as the exit says.
    fn exit(&mut self, exit: &Exit) -> NodeIndex {
        let text = self.say(|names| format!("exit {}", words::trigger(&exit.trigger, names)));
        let start = self.place(PointKind::Exit, "exit", text, exit.span);
        let behind = self.block(&exit.block, vec![(start, Edge::then())]).all();
        if !behind.is_empty() {
            let end = Point {
                kind: PointKind::End,
                id: exit.end,
                label: exit.label.clone(),
                text: self.say(|_| format!("end {}", exit.end)),
                span: exit.span,
            };
            let end = self.graph.add_node(end);
            self.connect(behind, end);
        }
        start
    }
}
