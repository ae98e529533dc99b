//! What a step looks things up in: built once per deployment, the same for every customer.
//!
//! A step must not walk all journeys for every event. Here stands which programs an event can enter, which history
//! conditions it feeds, and for each program what its instances listen for.

mod tracked;

pub(super) use tracked::Tracked;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::enter::Needs;
use super::facets::Facets;
use super::features::Reach;
use super::symbols::{Sym, Symbols};
use super::world::ProgramNo;
use crate::expr::{Aggregate, Anchor, Expr, MessageEvent, Pattern, Source};
use crate::name::Name;
use crate::program::{
    Bundle, Channel, Content, Enter, Entity, Event, ExitOn, Field, Hash, Hashed, NodeId, NodeKind, Program,
};
use crate::value::{Length, Type};

/// What a pattern listens for, without its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Trigger {
    Event(Name),
    Message(MessageEvent),
    /// Any change of this attribute; the verb is told apart by the pattern.
    Change(Name),
    /// The data of a period are complete.
    Close(Name),
}

#[derive(Debug, Default)]
pub(super) struct Index {
    /// By [`ProgramNo`].
    programs: Vec<Option<Arc<Loaded>>>,
    by_journey: HashMap<Name, Arc<Loaded>>,
    entries: HashMap<Trigger, Vec<Arc<Loaded>>>,
    absences: HashMap<Trigger, Vec<Arc<Loaded>>>,
    features: HashMap<Trigger, Vec<Arc<Kept>>>,
    firsts: HashMap<Trigger, Vec<Arc<First>>>,
    heard: HashSet<Trigger>,
    /// Live programs entered by a condition without a clock, and what it hangs on where that is not everything.
    watchers: Vec<(Arc<Loaded>, Option<Needs>)>,
    /// Live programs entered by a condition, whenever it is looked at.
    conditional: Vec<Arc<Loaded>>,
    /// Live programs entered on a date.
    dated: Vec<Arc<Loaded>>,
    /// Text of each symbol.
    texts: Vec<Arc<str>>,
    pub entities: HashMap<Name, Entity>,
    pub events: HashMap<Name, Event>,
    pub tags: HashMap<Name, crate::program::Tag>,
    pub channels: HashMap<Name, Channel>,
    pub contents: HashMap<Name, Hashed<Content>>,
    /// What somebody can be asked to do, and its results.
    pub tasks: HashMap<Name, Vec<Name>>,
    /// Derived values whose changes are noticed: as the live programs define them, else as older ones do.
    tracked: Vec<Tracked>,
    /// Whether a live program is entered on a date of another root.
    refers: bool,
    /// How far back each daily attribute is asked for.
    daily: HashMap<Name, Reach>,
    /// Expressions of derived fields, by entity and field.
    derived: HashMap<(Name, Name), Expr>,
    /// The place of each journey that runs in a lane.
    berths: HashMap<Name, Berth>,
    /// What databases may sift rows by.
    pub facets: Facets,
    /// By event: the roots of another kind that it names and that hear of it, and the field that names one.
    told: HashMap<Name, Vec<(Name, Name)>>,
    /// Order of each case within its choice.
    choices: HashMap<Name, Vec<(Name, usize)>>,
}

/// The place of a journey in its lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Berth {
    pub lane: Name,
    /// 0 goes first.
    pub place: usize,
    pub wait: Option<Length>,
}

/// A program with what is worked out about it beforehand.
#[derive(Debug)]
pub(super) struct Loaded {
    pub no: ProgramNo,
    pub program: Arc<Program>,
    pub hash: Hash,
    pub journey: Sym,
    /// Whether the subject is a child entity of the root.
    pub of_child: bool,
    /// Whatever an exit, goal or await listens for.
    hears: HashSet<Trigger>,
    /// Whether an exit or goal has a condition that must be looked at on every input.
    pub watches_state: bool,
    /// By node: awaits that lie ahead and may be met before they are reached.
    ahead: Vec<Vec<u16>>,
    /// By step of a `reach` or `show`: the steps of its rungs or slots.
    families: HashMap<Name, Vec<Name>>,
    /// Names of messages in rounds, and the steps they are of.
    in_rounds: HashMap<Name, Name>,
}

/// A history condition that some program asks for.
#[derive(Debug)]
pub(super) struct Kept {
    pub id: Sym,
    pub loaded: Arc<Loaded>,
    pub aggregate: Aggregate,
}

/// A pattern with `first`.
#[derive(Debug)]
pub(super) struct First {
    pub digest: u64,
    pub loaded: Arc<Loaded>,
    pub pattern: Pattern,
}

impl Trigger {
    pub(super) fn of(source: &Source) -> Option<Self> {
        match source {
            Source::Event(name) => Some(Self::Event(*name)),
            Source::Message { kind, .. } => Some(Self::Message(*kind)),
            Source::Change { attribute, .. } => Some(Self::Change(*attribute)),
            Source::Close(attribute) => Some(Self::Close(*attribute)),
            Source::Children(_) | Source::Daily { .. } => None,
        }
    }
}

impl Index {
    pub(super) fn new(
        bundle: &Bundle,
        programs: &BTreeMap<ProgramNo, Hashed<Program>>,
        live: &BTreeMap<Name, ProgramNo>,
        symbols: &Symbols,
        zone: &TimeZone,
    ) -> Self {
        let mut index = Self {
            texts: symbols.names().iter().map(|name| name.as_str().into()).collect(),
            entities: bundle.schema.entities.iter().map(|(name, entity)| (*name, entity.clone())).collect(),
            events: bundle.schema.events.iter().map(|(name, event)| (*name, event.clone())).collect(),
            tags: bundle.schema.tags.iter().map(|(name, tag)| (*name, tag.clone())).collect(),
            channels: bundle.channels.iter().map(|(name, channel)| (*name, channel.clone())).collect(),
            contents: bundle.contents.iter().map(|(name, content)| (*name, content.clone())).collect(),
            ..Self::default()
        };
        index.add_schema(bundle);
        index.add_lanes(bundle);
        for (no, hashed) in programs {
            index.add_program(*no, hashed, live.get(&hashed.body.journey) == Some(no), symbols);
        }
        index.sort_by_lane();
        index.sort_tracked();
        index.ask_tracked(bundle, symbols);
        for (loaded, needs) in &mut index.watchers {
            *needs = Needs::of(&loaded.program, bundle, symbols);
        }
        index.facets = Facets::new(index.by_journey.values(), bundle, zone);
        index
    }

    pub(super) fn program(&self, no: ProgramNo) -> Option<&Arc<Loaded>> {
        self.programs.get(no.0 as usize)?.as_ref()
    }

    /// The live version of a journey.
    pub(super) fn journey(&self, name: Name) -> Option<&Arc<Loaded>> {
        self.by_journey.get(&name)
    }

    /// Live programs that this may enter.
    pub(super) fn entries(&self, trigger: Trigger) -> &[Arc<Loaded>] {
        self.entries.get(&trigger).map_or(&[], Vec::as_slice)
    }

    /// Live programs that this keeps from being entered: the B of `A without B`.
    pub(super) fn absences(&self, trigger: Trigger) -> &[Arc<Loaded>] {
        self.absences.get(&trigger).map_or(&[], Vec::as_slice)
    }

    pub(super) fn features(&self, trigger: Trigger) -> &[Arc<Kept>] {
        self.features.get(&trigger).map_or(&[], Vec::as_slice)
    }

    /// The history condition of this number, as some program asks for it.
    pub(super) fn kept(&self, id: Sym) -> Option<&Arc<Kept>> {
        // Of one number there is one aggregate, so the order of the map does not show.
        self.features.values().flatten().find(|kept| kept.id == id)
    }

    pub(super) fn firsts(&self, trigger: Trigger) -> &[Arc<First>] {
        self.firsts.get(&trigger).map_or(&[], Vec::as_slice)
    }

    /// Derived values whose changes are noticed, each behind those whose changes it looks back on.
    pub(super) fn tracked(&self) -> impl Iterator<Item = &Tracked> {
        self.tracked.iter()
    }

    /// Whether time alone, or another root, can change one of them or a date that somebody enters on.
    pub(super) fn looks_daily(&self) -> bool {
        self.refers || self.tracked.iter().any(Tracked::is_timed)
    }

    /// How far back the days of an attribute are kept; `None` of one that is not daily.
    pub(super) fn reach(&self, subject: Name, attribute: Name) -> Option<Reach> {
        let fields = &self.entities.get(&subject)?.fields;
        let daily = fields.iter().any(|field| field.name == attribute && field.daily);
        daily.then(|| self.daily.get(&attribute).copied().unwrap_or_default())
    }

    /// Whether anything at all listens for this.
    pub(super) fn is_heard(&self, trigger: Trigger) -> bool {
        self.heard.contains(&trigger)
    }

    pub(super) fn watchers(&self) -> &[(Arc<Loaded>, Option<Needs>)] {
        &self.watchers
    }

    pub(super) fn conditional(&self) -> &[Arc<Loaded>] {
        &self.conditional
    }

    pub(super) fn dated(&self) -> &[Arc<Loaded>] {
        &self.dated
    }

    pub(super) fn text(&self, sym: Sym) -> Arc<str> {
        self.texts.get(sym.0 as usize).cloned().unwrap_or_else(|| "".into())
    }

    pub(super) fn derived(&self, entity: Name, field: Name) -> Option<&Expr> {
        if self.derived.is_empty() { None } else { self.derived.get(&(entity, field)) }
    }

    /// How two cases of one choice compare.
    pub(super) fn choice_order(&self, left: Name, right: Name) -> Option<std::cmp::Ordering> {
        let of = |case| self.choices.get(&case).into_iter().flatten();
        of(left).find_map(|(choice, at)| {
            let (_, other) = of(right).find(|(other, _)| other == choice)?;
            Some(at.cmp(other))
        })
    }

    /// Where the journey stands in its lane, if it has one.
    pub(super) fn berth(&self, journey: Name) -> Option<&Berth> {
        if self.berths.is_empty() { None } else { self.berths.get(&journey) }
    }

    fn add_schema(&mut self, bundle: &Bundle) {
        for (name, entity) in &bundle.schema.entities {
            for field in &entity.fields {
                if let Some(value) = &field.value {
                    self.derived.insert((*name, field.name), value.clone());
                }
            }
        }
        for (choice, cases) in &bundle.schema.choices {
            for (at, case) in cases.iter().enumerate() {
                self.choices.entry(*case).or_default().push((*choice, at));
            }
        }
    }

    fn add_lanes(&mut self, bundle: &Bundle) {
        for (name, lane) in &bundle.lanes {
            for (place, journey) in lane.journeys.iter().enumerate() {
                self.berths.insert(*journey, Berth { lane: *name, place, wait: lane.wait });
            }
        }
    }

    /// Where one thing makes several journeys enter, those of a lane are asked in its order.
    fn sort_by_lane(&mut self) {
        if self.berths.is_empty() {
            return;
        }
        let berths = &self.berths;
        let place = |loaded: &Arc<Loaded>| {
            let berth = berths.get(&loaded.program.journey);
            (berth.map_or(0, |berth| berth.place), loaded.program.journey)
        };
        for all in self.entries.values_mut().chain([&mut self.dated]) {
            all.sort_by_key(place);
        }
        self.watchers.sort_by_key(|(loaded, _)| place(loaded));
    }

    fn add_program(&mut self, no: ProgramNo, hashed: &Hashed<Program>, is_live: bool, symbols: &Symbols) {
        let Some(loaded) = Loaded::new(no, hashed, symbols) else { return };
        let loaded = Arc::new(loaded);
        let at = no.0 as usize;
        if self.programs.len() <= at {
            self.programs.resize(at + 1, None);
        }
        if let Some(slot) = self.programs.get_mut(at) {
            *slot = Some(Arc::clone(&loaded));
        }
        for node in &loaded.program.nodes {
            if let NodeKind::Assign(assign) = &node.kind {
                self.tasks.insert(assign.task, assign.known.clone());
            }
        }
        self.heard.extend(loaded.hears.iter().copied());
        self.add_features(&loaded, symbols);
        self.add_firsts(&loaded);
        self.add_tracked(&loaded, is_live);
        if is_live {
            self.add_entry(&loaded);
            self.add_look(&loaded);
            self.by_journey.insert(loaded.program.journey, loaded);
        }
    }

    /// Whoever of another kind the event names, if its replies listen to it.
    fn add_told(&mut self, loaded: &Loaded, source: &Source) {
        let Source::Event(name) = source else { return };
        let Some(event) = self.events.get(name) else { return };
        let root = loaded.program.root;
        if self.root_of(event.subject) == root {
            return;
        }
        let names_it = |field: &&Field| *field.ty.known() == Type::Entity(root);
        let Some(field) = event.fields.iter().find(names_it).map(|field| field.name) else { return };
        let told = self.told.entry(*name).or_default();
        if !told.contains(&(root, field)) {
            told.push((root, field));
        }
    }

    /// The entity whose row holds what is of `entity`.
    pub(super) fn root_of(&self, entity: Name) -> Name {
        self.entities.get(&entity).and_then(|known| known.parent).unwrap_or(entity)
    }

    /// Roots of another kind that an event names and that hear of it: their kind, and the field with the id.
    pub(super) fn told(&self, event: Name) -> &[(Name, Name)] {
        self.told.get(&event).map_or(&[], Vec::as_slice)
    }

    fn add_look(&mut self, loaded: &Arc<Loaded>) {
        self.refers |= match &loaded.program.enter {
            Enter::Anchor { of, .. } => of.is_some(),
            Enter::Date { moment, .. } => reads_others(moment),
            _ => false,
        };
        if matches!(loaded.program.enter, Enter::When { .. }) {
            self.conditional.push(Arc::clone(loaded));
        }
        match loaded.program.enter {
            Enter::When { schedule: None, .. } => self.watchers.push((Arc::clone(loaded), None)),
            Enter::Date { .. } | Enter::Anchor { .. } => self.dated.push(Arc::clone(loaded)),
            _ => {}
        }
    }

    fn add_entry(&mut self, loaded: &Arc<Loaded>) {
        let patterns = match &loaded.program.enter {
            Enter::Event(patterns) => patterns.iter().collect(),
            Enter::Without { trigger, absent, .. } => {
                if let Some(absent) = Trigger::of(&absent.source) {
                    self.heard.insert(absent);
                    self.absences.entry(absent).or_default().push(Arc::clone(loaded));
                }
                vec![trigger]
            }
            _ => Vec::new(),
        };
        for pattern in patterns {
            let Some(trigger) = Trigger::of(&pattern.source) else { continue };
            self.add_told(loaded, &pattern.source);
            self.heard.insert(trigger);
            let entered = self.entries.entry(trigger).or_default();
            if entered.iter().all(|known| known.no != loaded.no) {
                entered.push(Arc::clone(loaded));
            }
        }
    }

    fn add_features(&mut self, loaded: &Arc<Loaded>, symbols: &Symbols) {
        for feature in &loaded.program.features {
            if let Source::Daily { attribute, .. } = feature.aggregate.source {
                self.daily.entry(attribute).or_default().cover(&feature.aggregate);
            }
            let (Some(trigger), Some(id)) = (Trigger::of(&feature.aggregate.source), symbols.sym(feature.id))
            else {
                continue;
            };
            self.add_told(loaded, &feature.aggregate.source);
            self.heard.insert(trigger);
            let kept = self.features.entry(trigger).or_default();
            if kept.iter().all(|known| known.id != id || known.loaded.of_child != loaded.of_child) {
                let aggregate = feature.aggregate.clone();
                kept.push(Arc::new(Kept { id, loaded: Arc::clone(loaded), aggregate }));
            }
        }
    }

    fn add_firsts(&mut self, loaded: &Arc<Loaded>) {
        let patterns = loaded.program.patterns().filter(|pattern| pattern.first);
        for pattern in patterns {
            let Some(trigger) = Trigger::of(&pattern.source) else { continue };
            let digest = digest(pattern);
            let firsts = self.firsts.entry(trigger).or_default();
            if firsts.iter().all(|known| known.digest != digest) {
                firsts.push(Arc::new(First { digest, loaded: Arc::clone(loaded), pattern: pattern.clone() }));
            }
        }
    }
}

impl Loaded {
    fn new(no: ProgramNo, hashed: &Hashed<Program>, symbols: &Symbols) -> Option<Self> {
        let program = Arc::clone(&hashed.body);
        let exits = program.exits.iter().map(|exit| &exit.on);
        let rules: Vec<&ExitOn> = exits.chain(program.goals.iter().map(|goal| &goal.on)).collect();
        Some(Self {
            no,
            hash: Arc::clone(&hashed.hash),
            journey: symbols.sym(program.journey)?,
            of_child: program.subject != program.root,
            watches_state: rules.iter().any(|on| matches!(on, ExitOn::When(_))),
            hears: program.heard().filter_map(|pattern| Trigger::of(&pattern.source)).collect(),
            ahead: ahead(&program),
            families: families(&program),
            in_rounds: super::rounds::names(&program).into_iter().map(|(step, name)| (name, step)).collect(),
            program,
        })
    }

    pub(super) fn hears(&self, trigger: Trigger) -> bool {
        self.hears.contains(&trigger)
    }

    /// Awaits beyond `node` that count from an anchor that may be known before they are reached.
    pub(super) fn ahead(&self, node: NodeId) -> &[u16] {
        self.ahead.get(usize::from(node)).map_or(&[], Vec::as_slice)
    }

    /// Whether `step` is `wanted`, a rung of the `reach` called `wanted`, or a slot of that `show`.
    pub(super) fn is_step(&self, step: Name, wanted: Name) -> bool {
        let step = self.in_rounds.get(&step).copied().unwrap_or(step);
        step == wanted || self.families.get(&wanted).is_some_and(|rungs| rungs.contains(&step))
    }
}

/// Identity of a pattern across versions: FNV-1a over its serialised form.
pub(super) fn digest(pattern: &Pattern) -> u64 {
    let bytes = postcard::to_stdvec(pattern).unwrap_or_default();
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Whether the date is, or hangs on, that of another root.
fn reads_others(expr: &Expr) -> bool {
    matches!(expr, Expr::Reference { .. } | Expr::Anchored { of: Some(_), .. })
        || expr.parts().into_iter().any(reads_others)
}

fn families(program: &Program) -> HashMap<Name, Vec<Name>> {
    let reaches = program.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Reach { rungs, .. } => Some((node.step, rungs.iter().map(|rung| rung.step).collect())),
        NodeKind::Show(show) => Some((node.step, show.slots.iter().map(|slot| slot.step).collect())),
        _ => None,
    });
    reaches.collect()
}

/// For each node the awaits of `wait`s that can still come, where something may count before the wait is reached.
fn ahead(program: &Program) -> Vec<Vec<u16>> {
    let looks_back = |number: &u16| {
        program.awaits.get(usize::from(*number)).is_some_and(|awaited| awaited.from != Anchor::Here)
    };
    let own: Vec<Vec<u16>> = program
        .nodes
        .iter()
        .map(|node| match &node.kind {
            NodeKind::Events { arms, .. } => {
                arms.iter().map(|(number, _)| *number).filter(looks_back).collect()
            }
            _ => Vec::new(),
        })
        .collect();
    if own.iter().all(Vec::is_empty) {
        return Vec::new();
    }
    (0..program.nodes.len()).map(|from| ahead_of(program, &own, from)).collect()
}

fn ahead_of(program: &Program, own: &[Vec<u16>], from: usize) -> Vec<u16> {
    let mut seen = vec![false; program.nodes.len()];
    let mut open = vec![from];
    let mut found = Vec::new();
    while let Some(at) = open.pop() {
        for next in program.nodes.get(at).map(|node| node.kind.successors()).unwrap_or_default() {
            let next = usize::from(next);
            if seen.get(next) != Some(&false) {
                continue;
            }
            if let Some(mark) = seen.get_mut(next) {
                *mark = true;
            }
            found.extend(own.get(next).into_iter().flatten().copied());
            open.push(next);
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}
