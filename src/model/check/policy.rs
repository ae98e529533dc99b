//! Policies: rules of the bank for all journeys. A journey may repeat `cap` and `quiet`, and only more tightly.

use super::expr::{Checker, Place};

use super::world::{Declared, Kind, Sink, World};
use super::{content, length, phrases, schema};
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::model::Uses;
use crate::model::govern::{Approving, Cap, Lane, Never, Policy, Quiet};
use crate::name::Name;
use crate::program::Rate;
use crate::program::policy::{Over, PURPOSES};
use crate::syntax::ast::{
    self, BinaryOp, ClauseKind, DeclKind, DerivedItem, ExprKind, Ident, Loser, Path, PolicyItem, RateUnit,
};
use crate::text::Span;
use crate::value::{CivilUnit, Length};

/// A cap keeps a line for each message that it counts.
const MOST_COUNTED: u32 = 256;

/// Whether the clause names the lane, or means it: that it is misspelt is told where it stands.
fn is_of_lane(clause: &ast::Clause, lane: Name) -> bool {
    let ClauseKind::Lane(path) = &clause.kind else { return false };
    let means = |name: Name| name == lane || suggest::nearest(name.as_str(), [lane.as_str()]).is_some();
    path.parts.last().is_some_and(|part| means(part.name))
}

pub(super) fn policies(world: &mut World, sink: &mut Sink) {
    for declared in world.due_of(|kind| kind == Kind::Policy) {
        if let DeclKind::Policy(items) = &declared.decl.kind
            && let Some(policy) = policy(world, &declared, items, sink)
        {
            world.model.policies.insert(declared.name, policy);
        }
    }
}

/// The priorities of audiences, held against the policies.
pub(super) fn priorities(world: &World, sink: &mut Sink) {
    for declared in &world.due_of(|kind| kind == Kind::Audience) {
        let DeclKind::Audience(body) = &declared.decl.kind else { continue };
        let words = body.items.iter().filter_map(|item| match item {
            DerivedItem::Priority(word) => Some(*word),
            _ => None,
        });
        let unknown = words.filter_map(|word| unknown_priority(world, word));
        sink.about(declared, |sink| unknown.for_each(|finding| sink.report(finding)));
    }
}

/// What is wrong with a priority that no policy puts in order, where any does.
fn unknown_priority(world: &World, word: Ident) -> Option<Diagnostic> {
    let orders = world.model.policies.values().flat_map(|policy| policy.order.iter().copied());
    let known: Vec<Name> = orders.collect();
    if known.is_empty() || known.contains(&word.name) {
        return None;
    }
    let headline = format!("`{}` is not in the `order` of any policy", word.name);
    let finding = Diagnostic::new(code::PRIORITY, word.span, headline).label("before or behind what?");
    let among: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
    Some(finding.suggest(word.name.as_str(), among.clone(), || {
        format!("priorities are, highest first, `{}`", among.join("`, `"))
    }))
}

fn policy(world: &World, declared: &Declared, items: &[PolicyItem], sink: &mut Sink) -> Option<Policy> {
    let subject = content::person(world);
    let mut checker = Checker::new(world, declared.file, Place::Derived, subject);
    let mut owner = None;
    let mut policy = Policy {
        name: declared.name,
        label: schema::label(declared.decl),
        owner: "".into(),
        pack: None,
        consent: Vec::new(),
        suppress: Vec::new(),
        quiet: None,
        caps: Vec::new(),
        order: Vec::new(),
        lanes: Vec::new(),
        never: Vec::new(),
        review: None,
        approving: Vec::new(),
        forbidden: Vec::new(),
        uses: Uses::default(),
        span: declared.span,
    };
    for item in items {
        match item {
            PolicyItem::Owner(text) => owner = Some(text.value.clone()),
            PolicyItem::Pack(text) => policy.pack = Some(text.value.clone()),
            PolicyItem::Consent { purpose, per } => {
                self::purpose(*purpose, &mut checker.sink);
                if per.name.as_str() != "channel" {
                    checker.misstated(
                        per.span,
                        format!("a consent is per channel, not per `{}`", per.name),
                        "write `per channel`",
                    );
                }
                policy.consent.push(purpose.name);
            }
            PolicyItem::Suppress { purpose, condition } => {
                if let Some(purpose) = purpose {
                    self::purpose(*purpose, &mut checker.sink);
                }
                if subject.is_some() {
                    let condition = checker.condition(condition);
                    policy.suppress.push((purpose.map(|purpose| purpose.name), condition));
                }
            }
            PolicyItem::Quiet(quiet) => policy.quiet = checker.quiet(quiet),
            PolicyItem::Cap(cap) => policy.caps.extend(checker.cap(cap)),
            PolicyItem::Order(order) => {
                for priority in order {
                    if policy.order.contains(&priority.name) {
                        checker.report(super::types::twice(*priority));
                    } else {
                        policy.order.push(priority.name);
                    }
                }
            }
            PolicyItem::Lane { name, journeys, loser, .. } => {
                policy.lanes.push(checker.lane(*name, journeys, *loser));
            }
            PolicyItem::Never { what, after, until } => {
                policy.never.extend(checker.never(*what, after, until));
            }
            PolicyItem::Review(dur) => {
                policy.review = Some((length::positive(*dur, &mut checker.sink), dur.span));
            }
            PolicyItem::Approve { what, by } => {
                if what.name.as_str() == "content" {
                    let by = by.iter().map(|role| role.name).collect();
                    policy.approving.push(Approving { by, span: what.span });
                } else {
                    let headline = format!("`{}` is not approved by itself", what.name);
                    checker.misstated(
                        what.span,
                        headline,
                        "write `approve content by …`: what a journey says",
                    );
                }
            }
            PolicyItem::ForbidWords(path) => {
                let found = phrases::forbidden(world, declared.file, path, &mut checker.sink);
                policy.forbidden.extend(found);
            }
            PolicyItem::Error(_) => {}
        }
    }
    if owner.is_none() && !items.iter().any(|item| matches!(item, PolicyItem::Error(_))) {
        checker.misstated(
            declared.span,
            format!("policy `{}` has no owner", declared.name),
            "write `owner \"compliance@bank.example\"`: who is asked before it changes",
        );
    }
    sink.findings.append(&mut checker.sink.findings);
    sink.used_too(std::mem::take(&mut checker.sink.used));
    policy.owner = owner?;
    policy.uses = checker.uses;
    Some(policy)
}

/// One of [`PURPOSES`].
pub(super) fn purpose(word: Ident, sink: &mut Sink) -> Name {
    if !PURPOSES.contains(&word.name.as_str()) {
        let headline = format!("`{}` is not a purpose", word.name);
        let finding = Diagnostic::new(code::PURPOSE, word.span, headline).label("not known");
        sink.report(
            finding.suggest(word.name.as_str(), PURPOSES, || {
                format!("purposes are `{}`", PURPOSES.join("`, `"))
            }),
        );
    }
    word.name
}

impl Checker<'_, '_> {
    fn misstated(&mut self, span: Span, headline: String, help: &str) {
        self.report(Diagnostic::new(code::POLICY_ITEM, span, headline).label("here").help(help));
    }

    pub(super) fn quiet(&mut self, quiet: &ast::Quiet) -> Option<Quiet> {
        let span = quiet.range.span;
        if let ExprKind::Binary { op: BinaryOp::Range, left, right, .. } = &quiet.range.kind
            && let (ExprKind::Time(from), ExprKind::Time(to)) = (&left.kind, &right.kind)
        {
            let defer = quiet.defer.map(|defer| length::positive(defer, &mut self.sink));
            let release = quiet.release.as_ref().and_then(|release| self.release(release));
            return Some(Quiet { from: *from, to: *to, defer, release, span });
        }
        if !matches!(quiet.range.kind, ExprKind::Error) {
            self.misstated(
                span,
                "quiet lies between two times of the day".into(),
                "write `quiet 21:30..08:30`",
            );
        }
        None
    }

    /// `never marketing after complaint until settled`
    fn never(&mut self, what: Ident, after: &[Path], until: &[Path]) -> Option<Never> {
        if !PURPOSES.contains(&what.name.as_str()) {
            self.world.expect(&mut self.sink, self.file, what, Kind::Channel)?;
        }
        let mut events = |paths: &[Path]| -> Vec<Name> {
            let found = paths
                .iter()
                .filter_map(|path| self.world.expect_path(&mut self.sink, self.file, path, Kind::Event));
            found.map(|event| event.name).collect()
        };
        let (after, until) = (events(after), events(until));
        (!after.is_empty()).then_some(Never { what: what.name, after, until, span: what.span })
    }

    /// `sms 2 per customer per rolling 7 days`
    pub(super) fn cap(&mut self, cap: &ast::Cap) -> Option<Cap> {
        let name = cap.name;
        let is_purpose = PURPOSES.contains(&name.name.as_str());
        if !is_purpose {
            self.world.expect(&mut self.sink, self.file, name, Kind::Channel)?;
        }
        let count = match cap.rate.count.kind {
            ExprKind::Int(count @ 1..) => u32::try_from(count).unwrap_or(u32::MAX),
            ExprKind::Error => return None,
            _ => {
                let span = cap.rate.count.span;
                self.misstated(
                    span,
                    "a cap is a whole number of messages, one or more".into(),
                    "write `cap sms 2 per customer per day`",
                );
                return None;
            }
        };
        let (mut whom, mut window, mut rolling) = (None, None, false);
        for unit in &cap.rate.per {
            match unit {
                RateUnit::Rolling(dur) => {
                    rolling = true;
                    window = Some(length::positive(*dur, &mut self.sink));
                }
                RateUnit::Path(path) => {
                    if let Some(length) = calendar(path) {
                        window = Some(length);
                    } else {
                        let entity = self.world.expect_path(&mut self.sink, self.file, path, Kind::Entity)?;
                        whom = Some(entity.name);
                    }
                }
            }
        }
        let (Some(whom), Some(window)) = (whom, window) else {
            let span = cap.rate.span;
            self.misstated(
                span,
                "for whom, and in which time, is not said".into(),
                "write `per customer per day`, or `per customer per rolling 7 days`",
            );
            return None;
        };
        if count > MOST_COUNTED {
            let help = format!("write a number up to {MOST_COUNTED}");
            self.misstated(cap.rate.span, "a cap counts every message one by one".into(), &help);
            return None;
        }
        let over = match cap.over {
            Some(ast::Over::Defer(dur)) => Over::Defer(length::positive(dur, &mut self.sink)),
            Some(ast::Over::NextChannel) => Over::NextChannel,
            Some(ast::Over::Skip) | None => Over::Skip,
        };
        Some(Cap { name: name.name, count, whom, window, rolling, over, span: cap.rate.span })
    }

    /// `release 500 per minute`
    fn release(&mut self, rate: &ast::Rate) -> Option<Rate> {
        let per_ms = match rate.per.as_slice() {
            [RateUnit::Path(path)] => match calendar(path) {
                Some(Length::Elapsed(ms)) => u32::try_from(ms).ok(),
                _ => None,
            },
            _ => None,
        };
        let count = match rate.count.kind {
            ExprKind::Int(count @ 1..) => u32::try_from(count).ok(),
            ExprKind::Error => return None,
            _ => None,
        };
        let release = count.zip(per_ms).map(|(count, per_ms)| Rate { count, per_ms });
        if release.is_none() {
            self.misstated(
                rate.span,
                "messages leave so many in a minute or an hour".into(),
                "write `release 500 per minute`",
            );
        }
        release
    }

    fn lane(&mut self, name: Ident, journeys: &[Path], loser: Option<Loser>) -> Lane {
        let mut listed = Vec::new();
        for path in journeys {
            let Some(journey) = self.world.expect_path(&mut self.sink, self.file, path, Kind::Journey) else {
                continue;
            };
            if let DeclKind::Journey(written) = &journey.decl.kind
                && !written.clauses.iter().any(|clause| is_of_lane(clause, name.name))
            {
                let headline =
                    format!("journey `{}` does not say that it runs in lane `{}`", journey.name, name.name);
                let finding = Diagnostic::new(code::LANE, path.span, headline).label("does not know of it");
                let help = format!("write `lane {}` in the journey", name.name);
                self.report(finding.also(journey.span, "declared here").help(help));
            }
            listed.push(journey.name);
        }
        let wait = match loser {
            Some(Loser::Wait(dur)) => Some(length::positive(dur, &mut self.sink)),
            Some(Loser::Skip) | None => None,
        };
        Lane { name: name.name, journeys: listed, wait, span: name.span }
    }

    /// A journey's own cap: at most what every policy allows.
    pub(super) fn narrow_cap(&mut self, cap: &ast::Cap) -> Option<Cap> {
        let own = self.cap(cap)?;
        let caps = self.world.model.policies.values().flat_map(|policy| &policy.caps);
        let same = |theirs: &&Cap| theirs.name == own.name && theirs.whom == own.whom;
        let wider =
            |theirs: &&Cap| own.count > theirs.count || own.window.at_most_ms() < theirs.window.at_most_ms();
        if let Some(theirs) = caps.filter(same).find(wider).cloned() {
            self.wider(
                cap.rate.span,
                "cap",
                theirs.span,
                &format!("at most {} in {}", theirs.count, theirs.window),
            );
        }
        Some(own)
    }

    /// A journey's own quiet time: at least that of every policy.
    pub(super) fn narrow_quiet(&mut self, quiet: &ast::Quiet) -> Option<Quiet> {
        let own = self.quiet(quiet)?;
        if let Some(release) = &quiet.release {
            let headline = "a journey cannot say how fast messages leave when the quiet time is over";
            let finding = Diagnostic::new(code::POLICY_ITEM, release.span, headline).label("of one journey");
            self.report(finding.help("write `release` in the policy: all journeys leave together"));
        }
        let theirs = self.world.model.policies.values().filter_map(|policy| policy.quiet);
        if let Some(theirs) = theirs.into_iter().find(|theirs| !own.covers(theirs)) {
            let said = format!("{}..{}", theirs.from.strftime("%H:%M"), theirs.to.strftime("%H:%M"));
            self.wider(quiet.range.span, "quiet", theirs.span, &format!("quiet from {said}"));
        }
        Some(own)
    }

    fn wider(&mut self, span: Span, word: &str, theirs: Span, said: &str) {
        self.report(
            Diagnostic::new(code::NOT_NARROWER, span, format!("`{word}` of a journey may only be tighter"))
                .label("allows more than the policy does")
                .also(theirs, format!("the policy says: {said}"))
                .help("make it tighter, or leave it out: the policy holds in any case"),
        );
    }

    pub(super) fn lane_of(&mut self, path: &Path, journey: Name) -> Option<Name> {
        let name = path.parts.last()?.name;
        let mut lanes = self.world.model.policies.values().flat_map(|policy| &policy.lanes);
        let Some(lane) = lanes.find(|lane| lane.name == name) else {
            let known = self.world.model.policies.values().flat_map(|policy| &policy.lanes);
            let known: Vec<&str> = known.map(|lane| lane.name.as_str()).collect();
            let finding = Diagnostic::new(code::LANE, path.span, format!("no policy has a lane `{name}`"))
                .label("no such lane");
            self.report(finding.suggest(name.as_str(), known, || {
                format!("write `lane {name} {{ {journey} }}` in the policy")
            }));
            return None;
        };
        if !lane.journeys.contains(&journey) {
            let at = lane.span;
            self.report(
                Diagnostic::new(code::LANE, path.span, format!("lane `{name}` does not list `{journey}`"))
                    .label("not in this lane")
                    .also(at, "its journeys stand here, in order")
                    .help(format!("add `{journey}` to the lane: its place there says who goes first")),
            );
        }
        Some(name)
    }

    /// A priority is one of a policy's `order`, where there is one.
    pub(super) fn priority(&mut self, word: Ident) {
        if let Some(finding) = unknown_priority(self.world, word) {
            self.report(finding);
        }
    }
}

/// `day`, `week`, `month`: a stretch of the calendar.
pub(super) fn calendar(path: &Path) -> Option<Length> {
    let [only] = path.parts.as_slice() else { return None };
    let (count, unit) = match only.name.as_str() {
        "minute" => return Some(Length::Elapsed(60_000)),
        "hour" => return Some(Length::Elapsed(3_600_000)),
        "day" => (1, CivilUnit::Day),
        "week" => (1, CivilUnit::Week),
        "month" => (1, CivilUnit::Month),
        "year" => (1, CivilUnit::Year),
        _ => return None,
    };
    Some(Length::Civil { count, unit })
}
