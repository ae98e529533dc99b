//! `show X via a, b` and `hide X via a, b`: in slots only, and never without an end.

use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use crate::model::check::expr::Checker;
use crate::model::check::world::Kind;
use crate::model::check::{length, words};
use crate::model::journey::StepKind;
use crate::model::show::{Show, ShowTail};
use crate::model::{Channel, Content};
use crate::name::Name;
use crate::program::{ContentCall, ShowEnd, ShowOutcome, Slot};
use crate::syntax::ast::{self, Call, Ident};
use crate::value::Type;

impl<'w> Checker<'w, '_> {
    pub(super) fn show(&mut self, written: &ast::Show) -> Option<StepKind> {
        let ast::Show { content, channels, rank, caps, keep, until, id: _, tail } = written;
        let call = self.content_call(content);
        let slots = self.slots(content, call.as_ref(), channels);
        let rank = rank.as_ref().map(|rank| self.expect(rank, &Type::Int));
        let caps = self.sight_caps(caps, channels);
        let end = match (keep, until) {
            (Some(keep), None) => Some(ShowEnd::Keep(length::positive(*keep, &mut self.sink))),
            (None, Some(until)) => self.end_of_show(until).map(ShowEnd::Until),
            (Some(keep), Some(until)) => {
                self.two_ends(*keep, until);
                None
            }
            (None, None) => {
                self.closes_by_itself(content, call.as_ref());
                None
            }
        };
        let tail = self.show_tail(tail);
        Some(StepKind::Show(Box::new(Show { content: call?, slots: slots?, rank, caps, end, tail })))
    }

    pub(super) fn hide(&mut self, content: &Call, channels: &[Ident]) -> Option<StepKind> {
        let contents = self.contents_meant(content);
        let mut slots = Vec::new();
        for channel in channels {
            let slot = self.slot_called(*channel, "hide");
            if slots.contains(&channel.name) {
                let headline = format!("`{}` is said twice", channel.name);
                let finding = Diagnostic::new(code::HIDE, channel.span, headline).label("again here");
                self.report(finding.help("name each slot once"));
            }
            if slot.is_some() {
                for one in contents.iter().flatten() {
                    self.speaks_on(content, *one, *channel);
                }
            }
            slots.push(channel.name);
        }
        Some(StepKind::Hide { contents: contents?, slots })
    }

    /// The channel of a `send` or a rung, which must carry messages.
    pub(super) fn carrier(&mut self, channel: Ident) -> Option<&'w Channel> {
        let via = self.channel_for(channel)?;
        if !is_slot(via) {
            return Some(via);
        }
        let headline = format!("nothing is sent via `{}`: content stands in it", channel.name);
        self.report(
            Diagnostic::new(code::WRONG_VERB, channel.span, headline)
                .label(format!("its kind is `{}`", via.kind))
                .also(via.span, "declared here")
                .help(format!("write `show … via {} until …`", channel.name)),
        );
        None
    }

    /// A channel in which content can stand.
    fn slot_called(&mut self, channel: Ident, verb: &str) -> Option<&'w Channel> {
        let via = self.channel_for(channel)?;
        if is_slot(via) {
            return Some(via);
        }
        let headline = format!("nothing stands in `{}`: it carries messages", channel.name);
        let finding = Diagnostic::new(code::WRONG_VERB, channel.span, headline)
            .label(format!("its kind is `{}`", via.kind))
            .also(via.span, "declared here");
        self.report(if verb == "show" {
            finding.help(format!("write a step of its own for it: `send … via {}`", channel.name))
        } else {
            finding.help("what was sent cannot be taken back: leave it out")
        });
        None
    }

    fn slots(&mut self, said: &Call, call: Option<&ContentCall>, channels: &[Ident]) -> Option<Vec<Slot>> {
        let mut slots = Some(Vec::new());
        for channel in channels {
            let ids = self.messages.and_then(|journey| self.world.steps.get(&journey));
            let step = ids.map_or(channel.name, |ids| ids.at(self.scope, channel.span));
            if self.slot_called(*channel, "show").is_none() {
                slots = None;
                continue;
            }
            if let Some(call) = call {
                self.all_speak_on(said, call, *channel);
            }
            if let Some(slots) = &mut slots {
                slots.push(Slot { step, channel: channel.name });
            }
        }
        slots
    }

    /// The moment behind `until`. A day alone would leave open whether it is the last one.
    fn end_of_show(&mut self, until: &ast::Expr) -> Option<Expr> {
        let typed = self.expr(until, None);
        let typed = self.present(until, typed);
        match typed.ty {
            Type::Moment => Some(typed.expr),
            Type::Error => None,
            Type::Date => {
                let headline = format!("{} does not say at what time", words::quote(until));
                let finding = Diagnostic::new(code::NOT_A_DATE, until.span, headline)
                    .label("does it still stand on that day?");
                self.report(finding.help("write for example `at 23:59` behind it"));
                None
            }
            other => {
                let headline = format!("{} is {}, not a moment", words::quote(until), words::of_type(&other));
                let finding =
                    Diagnostic::new(code::TYPE_MISMATCH, until.span, headline).label(other.to_string());
                self.report(finding.help("write a moment, such as `2027-02-20 at 23:59`, or `keep 3 days`"));
                None
            }
        }
    }

    fn two_ends(&mut self, keep: ast::Dur, until: &ast::Expr) {
        self.report(
            Diagnostic::new(code::SHOW_END, until.span, "this placement has two ends")
                .label("one end")
                .also(keep.span, "the other")
                .help("keep one: `keep 3 days` counts from now, `until 2027-02-20 at 23:59` is the same for all"),
        );
    }

    /// Without `keep` and `until` a placement stands as long as its content is open.
    fn closes_by_itself(&mut self, said: &Call, call: Option<&ContentCall>) {
        let world = self.world;
        for name in call.map(contents_of).unwrap_or_default() {
            let Some(content) = world.model.contents.get(&name) else { continue };
            if content.open.is_none() {
                return self.stands_for_ever(said, content);
            }
        }
    }

    fn stands_for_ever(&mut self, said: &Call, content: &Content) {
        self.report(
            Diagnostic::new(code::SHOW_END, said.span, "until when this stands is not said")
                .label("would stand for ever")
                .also(content.span, "the content has no last day either")
                .help("write how long: `keep 3 days`, or `until 2027-02-20 at 23:59`")
                .help(format!("or give content `{}` its days: `open 2027-01-20..2027-02-20`", content.name)),
        );
    }

    /// Every content that may be meant. How it was filled does not matter any more.
    fn contents_meant(&mut self, call: &Call) -> Option<Vec<Name>> {
        if let Some(given) = self.given_content(call) {
            return given.map(|call| contents_of(&call));
        }
        if let Some(first) = call.args.first() {
            let headline = format!("`hide` takes down whatever stands of `{}`", call.path.text());
            let finding = Diagnostic::new(code::HIDE, first.value.span, headline).label("is not looked at");
            self.report(finding.help(format!("write `hide {}` without the parentheses", call.path.text())));
        }
        if let Some(table) = self.table_named(&call.path) {
            return Some(self.possible(table.name));
        }
        let declared = self.world.expect_path(&mut self.sink, self.file, &call.path, Kind::Content)?;
        Some(vec![declared.name])
    }

    fn show_tail(&mut self, tail: &ast::Tail) -> ShowTail {
        let base = self.flow();
        let mut ways = vec![base.clone()];
        let mut seen: Vec<ShowOutcome> = Vec::new();
        let mut arms = Vec::new();
        for arm in &tail.outcomes {
            let mut outcomes = Vec::new();
            for word in &arm.outcomes {
                let Some(outcome) = self.show_outcome(*word) else { continue };
                if seen.contains(&outcome) {
                    let headline = format!("`{}` is said twice", word.name);
                    let finding = Diagnostic::new(code::OUTCOME, word.span, headline);
                    self.report(finding.label("again here").help("keep one of them"));
                    continue;
                }
                seen.push(outcome);
                outcomes.push(outcome);
            }
            self.set_flow(base.clone());
            let steps = self.body(&arm.body);
            ways.push(self.flow());
            arms.push((outcomes, steps));
        }
        let otherwise = tail.otherwise.as_ref().map(|body| {
            self.set_flow(base.clone());
            let steps = self.body(body);
            ways.push(self.flow());
            steps
        });
        self.meet(ways);
        ShowTail { arms, otherwise }
    }

    fn show_outcome(&mut self, word: Ident) -> Option<ShowOutcome> {
        let name = word.name.as_str();
        let known = ShowOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == name);
        if known.is_some() {
            return known;
        }
        let finding = Diagnostic::new(code::OUTCOME, word.span, format!("`{name}` is no outcome of a show"))
            .label("not an outcome");
        let all = ShowOutcome::ALL.map(ShowOutcome::as_str);
        self.report(match name {
            "shown" | "clicked" | "opened" => finding
                .help("people see it later: write `wait for shown(x) within 3 days else …` behind the show"),
            "sent" => finding.help("write `placed`: nothing is sent, it stands there for whoever comes"),
            _ => finding.suggest(name, all, || format!("outcomes are `{}`", all.join("`, `"))),
        });
        None
    }
}

fn is_slot(channel: &Channel) -> bool {
    matches!(channel.kind.as_str(), "slot" | "ads")
}

fn contents_of(call: &ContentCall) -> Vec<Name> {
    match &call.chosen {
        Some(chosen) => chosen.among.clone(),
        None => vec![call.content],
    }
}
