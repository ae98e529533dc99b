//! `send X via C`: the content must speak on the channel, and only outcomes that can happen may be named.

use crate::diagnostic::{Diagnostic, code};
use crate::model::check::expr::{Block, Checker};
use crate::model::check::world::Kind;
use crate::model::check::{length, words};
use crate::model::journey::{Send, StepKind, Tail};
use crate::model::{Channel, Content};
use crate::name::Name;
use crate::program::{ContentCall, Manner, Outcome, Variant};
use crate::syntax::ast::{self, Arg, Call, Dur, Ident};
use crate::value::Length;

impl<'w> Checker<'w, '_> {
    pub(super) fn send(&mut self, said: &ast::Send) -> Option<StepKind> {
        let (content, channel) = (&said.content, said.channel);
        let via = match said.to {
            None => self.carrier(channel),
            Some(_) => self.known_channel(channel),
        };
        let to = said.to.as_ref().map(|to| via.and_then(|via| self.recipient(to, via)));
        if let (Some(Some(to)), Some(via)) = (&to, via) {
            self.has_address(channel, via, to.entity);
        }
        self.addressed = to.as_ref().and_then(|to| to.as_ref()).map(|to| (to.entity, to.person));
        let call = self.content_call(content);
        self.addressed = None;
        if let (Some(call), Some(_)) = (&call, via) {
            self.all_speak_on(content, call, channel);
        }
        let key = said.key.as_ref().map(|key| self.key(key));
        let gap = said.gap.map(|gap| length::positive(gap, &mut self.sink));
        let (is_list, spread_ms) =
            call.as_ref().map_or((false, 0), |call| self.spread(call, channel.name, said.gap, gap));
        let within = said.within.map(|within| length::positive(within, &mut self.sink));
        let receipt = within.or_else(|| via?.receipt);
        self.time_passes();
        let tail = self.tail(&said.tail, via, receipt.is_some());
        let call = call?;
        let manner = Manner { to: to.flatten(), key: key.flatten(), gap };
        let send = Send { content: call, channel: channel.name, within, receipt, manner, spread_ms, is_list };
        Some(StepKind::Send(Box::new(send), tail))
    }

    /// The channel, which must have where to send to, and reach the subject.
    pub(super) fn channel_for(&mut self, channel: Ident) -> Option<&'w Channel> {
        let via = self.known_channel(channel)?;
        if let Some(reached) = self.reaches_subject(channel, via) {
            self.has_address(channel, via, reached);
        }
        Some(via)
    }

    fn known_channel(&mut self, channel: Ident) -> Option<&'w Channel> {
        self.world.expect(&mut self.sink, self.file, channel, Kind::Channel)?;
        let world = self.world;
        world.model.channels.get(&channel.name)
    }

    fn has_address(&mut self, channel: Ident, via: &Channel, reached: Name) {
        if let Some(address) = via.address
            && self.world.entity(reached).is_some_and(|entity| entity.field(address).is_none())
        {
            let headline = format!("`{}` goes to `{address}`, which `{reached}` does not have", channel.name);
            self.report(
                Diagnostic::new(code::NO_ADDRESS, channel.span, headline)
                    .label("no address")
                    .also(via.span, "addresses declared here")
                    .help(format!("write `{address} : Text?` in entity `{reached}`")),
            );
        }
    }

    /// Whether it is an ordered list, and how long that takes from its first message to its last; a `gap` without a list
    /// is told.
    fn spread(
        &mut self,
        call: &ContentCall,
        channel: Name,
        said: Option<Dur>,
        gap: Option<Length>,
    ) -> (bool, i64) {
        let world = self.world;
        let contents = call.names().filter_map(|name| world.model.contents.get(&name));
        let variants: Vec<_> = contents
            .flat_map(|content| content.variants.iter().filter(|variant| variant.channel == channel))
            .collect();
        if let Some(said) = said
            && !variants.is_empty()
            && variants.iter().all(|variant| variant.messages.len() < 2)
        {
            let headline =
                format!("`{}` is one message on `{channel}`: there is nothing between", call.content);
            let finding = Diagnostic::new(code::SEND_GAP, said.span, headline).label("a gap between what?");
            self.report(
                finding
                    .help("leave `gap …` out")
                    .help("or write several in the content: `message \"\"\"…\"\"\"` for each"),
            );
        }
        let spread = |variant: &&Variant| -> i64 {
            let between = i64::try_from(variant.messages.len().saturating_sub(1)).unwrap_or(0);
            gap.or(variant.gap).map_or(0, |gap| gap.at_most_ms().saturating_mul(between))
        };
        let is_list = variants.iter().any(|variant| variant.messages.len() > 1);
        (is_list, variants.iter().map(spread).max().unwrap_or(0))
    }

    /// The content and its arguments, complete and typed.
    pub(super) fn content_call(&mut self, call: &Call) -> Option<ContentCall> {
        if let Some(given) = self.given_content(call) {
            return given;
        }
        if let Some(table) = self.table_named(&call.path) {
            return self.chosen_content(call, &table);
        }
        let declared = self.world.expect_path(&mut self.sink, self.file, &call.path, Kind::Content)?;
        self.content_named(declared.name, call)
    }

    /// A call of this content.
    pub(super) fn content_named(&mut self, name: Name, call: &Call) -> Option<ContentCall> {
        let world = self.world;
        let content = world.model.contents.get(&name)?;
        self.addressee(content, call);
        for reward in &content.offers {
            self.may_give(*reward, call.path.span);
        }
        let mut args: Vec<(Name, crate::expr::Expr)> = Vec::new();
        let mut free: Vec<&(Name, crate::value::Type)> = content.takes.iter().collect();
        for arg in &call.args {
            let Some(at) = self.parameter(arg, &free, content) else { continue };
            let (name, ty) = free.remove(at);
            args.push((*name, self.expect(&arg.value, ty)));
        }
        if !free.is_empty() && call.args.len() < content.takes.len() {
            self.arguments_missing(call, content, &free);
        }
        Some(ContentCall { content: name, args, chosen: None })
    }

    /// Copy that uses attributes of one kind of subject cannot go to another.
    pub(super) fn addressee(&mut self, content: &Content, call: &Call) {
        let root = self.subject.map(|subject| self.world.root(subject));
        let root = self.addressed.map(|(entity, _)| entity).or(root);
        if let (Some(reads), Some((entity, false))) = (content.reads, self.addressed)
            && reads == entity
        {
            let headline = format!("what is known of another `{entity}` is not at hand in this journey");
            self.report(
                Diagnostic::new(code::OTHER_SUBJECT, call.path.span, headline)
                    .label(format!("uses attributes of the `{entity}`"))
                    .also(content.span, "declared here")
                    .help("let the content take what it needs: `takes name : Text`"),
            );
            return;
        }
        if let (Some(reads), Some(root)) = (content.reads, root)
            && reads != root
        {
            let headline = format!("`{}` speaks of a `{reads}`, and this goes to a `{root}`", content.name);
            self.report(
                Diagnostic::new(code::OTHER_SUBJECT, call.path.span, headline)
                    .label("uses attributes of another subject")
                    .also(content.span, "declared here")
                    .help("let the content take what it needs: `takes name : Text`"),
            );
        }
    }

    /// Which of the parameters still free this argument is for.
    fn parameter(
        &mut self,
        arg: &Arg,
        free: &[&(Name, crate::value::Type)],
        content: &Content,
    ) -> Option<usize> {
        let Some(name) = arg.name else {
            if free.is_empty() {
                let headline = format!("`{}` takes {}", content.name, count(content.takes.len()));
                let finding = Diagnostic::new(code::WRONG_ARGUMENTS, arg.value.span, headline);
                self.report(
                    finding.label("one too many").help("leave it out, or add `takes` to the content"),
                );
                return None;
            }
            return Some(0);
        };
        let at = free.iter().position(|(param, _)| *param == name.name);
        if at.is_none() {
            let headline = format!("`{}` takes no `{}`", content.name, name.name);
            let finding = Diagnostic::new(code::WRONG_ARGUMENTS, name.span, headline)
                .label("not taken, or given already");
            let names = content.takes.iter().map(|(param, _)| param.as_str());
            self.report(finding.suggest(name.name.as_str(), names, || {
                format!("write `takes {} : …` in the content", name.name)
            }));
        }
        at
    }

    fn arguments_missing(&mut self, call: &Call, content: &Content, free: &[&(Name, crate::value::Type)]) {
        let missing: Vec<String> = free.iter().map(|(name, _)| format!("`{name}`")).collect();
        // Dots, not the names: those are the content's own and mean nothing in the journey.
        let wanted = vec!["…"; content.takes.len()];
        let mut finding = Diagnostic::new(
            code::WRONG_ARGUMENTS,
            call.span,
            format!("`{}` is not given {}", content.name, missing.join(" and ")),
        )
        .label("something is missing")
        .also(content.span, "takes them")
        .help(format!(
            "write a value for each in the brackets: `{}({})`",
            content.name,
            wanted.join(", ")
        ));
        for (name, ty) in free {
            finding = finding.note(format!("`{name}` stands for {}", words::of_type(ty)));
        }
        self.report(finding);
    }

    /// Whether the content has a text for the channel.
    pub(super) fn speaks_on(&mut self, call: &Call, content: Name, channel: Ident) {
        let Some(known) = self.world.model.contents.get(&content) else { return };
        if known.variants.is_empty() || known.variants.iter().any(|variant| variant.channel == channel.name) {
            return;
        }
        // A text for a channel that is not known, or could not be read, may be just this one.
        let is_known = |name: &Name| self.world.decls.contains_key(name);
        if self.sink.lost.contains(&channel.name) || !known.variants.iter().all(|it| is_known(&it.channel)) {
            return;
        }
        let others: Vec<&str> = known.variants.iter().map(|variant| variant.channel.as_str()).collect();
        let headline = format!("`{}` has no text for `{}`", call.path.text(), channel.name);
        let at = known.span;
        self.report(
            Diagnostic::new(code::NO_VARIANT, channel.span, headline)
                .label("nothing to say here")
                .also(at, format!("speaks on `{}`", others.join("`, `")))
                .help(format!(
                    "write `via {} …` in content `{content}`, or send by one of those channels",
                    channel.name
                )),
        );
    }

    fn tail(&mut self, tail: &ast::Tail, channel: Option<&Channel>, receipt: bool) -> Tail {
        let base = self.flow();
        let mut ways = vec![base.clone()];
        let mut seen: Vec<Outcome> = Vec::new();
        let mut arms = Vec::new();
        for arm in &tail.outcomes {
            let mut outcomes = Vec::new();
            for word in &arm.outcomes {
                let Some(outcome) = self.outcome(*word, channel, receipt) else { continue };
                if seen.contains(&outcome) {
                    let finding =
                        Diagnostic::new(code::OUTCOME, word.span, format!("`{}` is said twice", word.name));
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
        Tail { arms, otherwise }
    }

    fn outcome(&mut self, word: Ident, channel: Option<&Channel>, receipt: bool) -> Option<Outcome> {
        let Some(outcome) = Outcome::ALL.into_iter().find(|known| known.as_str() == word.name.as_str())
        else {
            self.unknown_outcome(word);
            return None;
        };
        let Some(channel) = channel else { return Some(outcome) };
        if outcome == Outcome::Delivered && !channel.outcomes.contains(&crate::expr::MessageEvent::Delivered)
        {
            self.report(
                Diagnostic::new(
                    code::OUTCOME,
                    word.span,
                    format!("`{}` never reports `delivered`", channel.name),
                )
                .label("cannot happen")
                .also(channel.span, "declared here")
                .help("write `outcomes delivered` in the channel if its provider does report it"),
            );
            return None;
        }
        if outcome.is_by_hand() && !channel.outcomes.contains(&crate::expr::MessageEvent::Confirmed) {
            let headline = format!("nobody sends what goes by `{}` on by hand", channel.name);
            self.report(
                Diagnostic::new(code::OUTCOME, word.span, headline)
                    .label("cannot happen")
                    .also(channel.span, "declared here")
                    .help(
                        "write `outcomes confirmed, refused` in the channel if people of the bank confirm it",
                    ),
            );
            return None;
        }
        if outcome.is_receipt() && self.block == Block::Answer {
            self.waits_in_reply(word.span);
        } else if outcome.is_receipt() && !receipt {
            let headline = format!("how long to wait for `{}` is not said", word.name);
            self.report(
                Diagnostic::new(code::OUTCOME, word.span, headline)
                    .label("comes later than the send")
                    .help("write `within 10min` behind the channel")
                    .help(format!("or `receipt within 10min` in channel `{}`", channel.name)),
            );
        }
        Some(outcome)
    }

    fn unknown_outcome(&mut self, word: Ident) {
        let name = word.name.as_str();
        let finding = Diagnostic::new(code::OUTCOME, word.span, format!("`{name}` is no outcome of a send"))
            .label("not an outcome");
        let known = Outcome::ALL.map(Outcome::as_str);
        self.report(match name {
            "opened" | "clicked" | "replied" => finding.help(format!(
                "people do that later: write `wait for {name}(x) within 2 days else …` behind the send"
            )),
            "timeout" => finding.help("a send has no timeout; `failed` and the refusals are its outcomes"),
            _ => finding.suggest(name, known, || format!("outcomes are `{}`", known.join("`, `"))),
        });
    }
}

fn count(number: usize) -> String {
    match number {
        0 => "nothing".into(),
        1 => "one value".into(),
        _ => format!("{number} values"),
    }
}
