//! What rules look at: the model, what it says, and who says what to whom. Made once for all rules.

use std::collections::BTreeSet;
use std::ops::Range;

use super::flows::Case;
use super::memory::Scope;
use super::pack::Chosen;
use super::said::{Said, copies};
use super::trees::Trees;
use super::words::List;
use crate::expr::Expr;
use crate::graph::{self, JourneyGraph};
use crate::model::govern::Product;
use crate::model::journey::{Step, StepKind};
use crate::model::{Channel, Content, Journey, Model};
use crate::name::{Name, NameMap, NumberSet};
use crate::program::ContentCall;
use crate::program::policy::MARKETING;
use crate::syntax::ast;
use crate::text::{FileId, SourceFile, Sources, Span};

/// Classes of products that can lose money.
pub const INVESTMENTS: &[&str] = &["wmp", "fund", "insurance"];
/// Classes of products that are owed.
pub const CREDITS: &[&str] = &["consumer_loan", "card", "mortgage"];

/// A content that a step of a journey sends or shows.
#[derive(Debug)]
pub struct Message<'a> {
    pub journey: &'a Journey,
    /// Full identity.
    pub step: Name,
    pub content: &'a Content,
    pub channel: &'a Channel,
    /// What the content is given, by the names of its parameters.
    pub args: &'a [(Name, Expr)],
    pub span: Span,
}

pub struct Context<'a> {
    pub model: &'a Model,
    pub sources: &'a Sources,
    pub chosen: &'a Chosen,
    /// In the order of journeys, then of writing.
    pub messages: Vec<Message<'a>>,
    /// In the order of contents, then of writing.
    pub said: Vec<Said<'a>>,
    /// Places in `messages`, by journey; they stand together.
    sent: NameMap<Range<usize>>,
    /// Places in `messages`, by content.
    users: NameMap<Vec<usize>>,
    /// Contents that journeys with the purpose of marketing send.
    marketed: NumberSet<Name>,
    /// Places in `said`, by content; they stand together.
    copies: NameMap<Range<usize>>,
    written: Written<'a>,
    /// The journeys to look at, by name.
    pub cases: Vec<Case<'a>>,
    scope: Option<&'a Scope>,
}

/// Why a content is held to be about a class of products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// It, or a journey that sends it, names a product of this class.
    Product { product: Name, class: Name, span: Span },
    /// It says this word.
    Word(&'static str),
}

impl<'a> Context<'a> {
    #[must_use]
    pub fn new(
        model: &'a Model,
        sources: &'a Sources,
        trees: Trees<'_, 'a>,
        chosen: &'a Chosen,
        scope: Option<&'a Scope>,
    ) -> Self {
        let (mut messages, mut sent) = (Vec::new(), NameMap::default());
        for journey in journeys(model, scope.map(|scope| &scope.senders)) {
            let from = messages.len();
            walk(journey, &mut |step| add(model, journey, step, &mut messages));
            sent.insert(journey.name, from..messages.len());
        }
        let (mut users, mut marketed) = (NameMap::<Vec<usize>>::default(), NumberSet::default());
        for (at, message) in messages.iter().enumerate() {
            users.entry(message.content.name).or_default().push(at);
            if message.journey.purpose.as_str() == MARKETING {
                marketed.insert(message.content.name);
            }
        }
        let written = declarations(model, trees, scope);
        let (mut said, mut places) = (Vec::new(), NameMap::default());
        for content in contents(model, scope) {
            let from = said.len();
            said.extend(copies(content, written.get(&content.name).copied()));
            places.insert(content.name, from..said.len());
        }
        let journeys = journeys(model, scope.map(|scope| &scope.journeys));
        let cases = journeys.map(|journey| Case::new(model, journey)).collect();
        let copies = places;
        Self { model, sources, chosen, messages, said, sent, users, marketed, copies, written, cases, scope }
    }

    /// The journeys to look at.
    pub fn journeys(&self) -> impl Iterator<Item = &'a Journey> {
        self.cases.iter().map(|case| case.journey)
    }

    /// What `journey` sends or shows, in the order of writing.
    #[must_use]
    pub fn messages_of(&self, journey: Name) -> &[Message<'a>] {
        let places = self.sent.get(&journey).cloned().unwrap_or_default();
        self.messages.get(places).unwrap_or_default()
    }

    /// The products that a journey and what it sends are about.
    pub fn products_of(&self, journey: &Journey) -> impl Iterator<Item = &'a Product> {
        let sent = self.messages_of(journey.name).iter().map(|message| message.content.product);
        std::iter::once(journey.product)
            .chain(sent)
            .flatten()
            .filter_map(|name| self.model.products.get(&name))
    }

    /// The contents to look at.
    pub fn contents(&self) -> impl Iterator<Item = &'a Content> {
        contents(self.model, self.scope)
    }

    /// The files to look at.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &'a SourceFile)> {
        let scope = self.scope;
        self.sources.iter().filter(move |(file, _)| scope.is_none_or(|scope| scope.files.contains(file)))
    }

    /// The graph of a journey, with its words. Made anew each time.
    #[must_use]
    pub fn graph(&self, journey: &Journey) -> JourneyGraph {
        graph::build(journey)
    }

    /// Who sends or shows `content`.
    pub fn users(&self, content: Name) -> impl Iterator<Item = &Message<'a>> {
        let places = self.users.get(&content).into_iter().flatten();
        places.filter_map(|at| self.messages.get(*at))
    }

    /// Whether a journey with the purpose of marketing sends it.
    #[must_use]
    pub fn is_marketing(&self, content: Name) -> bool {
        self.marketed.contains(&content)
    }

    /// The journeys that send it, each once.
    #[must_use]
    pub fn journeys_of(&self, content: Name) -> BTreeSet<Name> {
        self.users(content).map(|message| message.journey.name).collect()
    }

    /// What a finding on a content is about: itself and the journeys that send it.
    #[must_use]
    pub fn about(&self, content: &Content) -> Vec<Name> {
        std::iter::once(content.name).chain(self.journeys_of(content.name)).collect()
    }

    /// The declared product of one of `classes` that a content is about.
    #[must_use]
    pub fn declared(&self, content: &Content, classes: &[&str]) -> Option<About> {
        let journeys = self.users(content.name).map(|message| message.journey.product);
        let products = std::iter::once(content.product).chain(journeys).flatten();
        let mut products = products.filter_map(|name| self.model.products.get(&name));
        products.find_map(|product| {
            let class = product.class.filter(|class| classes.contains(&class.as_str()))?;
            Some(About::Product { product: product.name, class, span: product.span })
        })
    }

    /// Whether any product is declared for it.
    #[must_use]
    pub fn has_product(&self, content: &Content) -> bool {
        content.product.is_some() || self.users(content.name).any(|message| message.journey.product.is_some())
    }

    /// The same, or the word that gives it away where nobody declares a product. `cue` is what such contents say.
    #[must_use]
    pub fn subject(&self, content: &Content, classes: &[&str], cue: List) -> Option<About> {
        if self.has_product(content) {
            return self.declared(content, classes);
        }
        let copies = self.copies(content.name);
        copies.filter(|said| said.is_read()).find_map(|said| {
            let (_, hit) = said.says(cue).next()?;
            Some(About::Word(hit.entry))
        })
    }

    /// The copies of one content.
    pub fn copies(&self, content: Name) -> impl Iterator<Item = &Said<'a>> {
        let places = self.copies.get(&content).cloned().unwrap_or_default();
        self.said.get(places).unwrap_or_default().iter()
    }

    /// How `name` is written.
    #[must_use]
    pub fn decl(&self, name: Name) -> Option<&'a ast::Decl> {
        self.written.get(&name).copied()
    }

    /// Where `name` is declared: the name itself.
    #[must_use]
    pub fn declared_at(&self, name: Name) -> Span {
        let decl = self.written.get(&name);
        decl.and_then(|decl| decl.name).map(|name| name.span).unwrap_or_default()
    }

    /// Where `word` stands first in the declaration of `name`, behind the name; the name itself where it does not.
    #[must_use]
    pub fn word_in(&self, name: Name, word: &str) -> Span {
        let at = self.declared_at(name);
        let Some(decl) = self.written.get(&name) else { return at };
        let body = Span { start: at.end, ..decl.span };
        let text = self.sources.slice(body);
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let alone = |at: &usize| {
            let behind = text.get(*at + word.len()..).unwrap_or_default();
            let before = text.get(..*at).unwrap_or_default();
            !is_part(before.chars().next_back()) && !is_part(behind.chars().next())
        };
        let mut places = text.match_indices(word).map(|(at, _)| at);
        places.find(alone).map_or(at, |found| {
            let start = body.start as usize + found;
            Span::new(body.file, start, start + word.len())
        })
    }

    #[must_use]
    pub fn channel(&self, name: Name) -> Option<&'a Channel> {
        self.model.channels.get(&name)
    }
}

impl About {
    /// For findings.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Product { product, class, .. } => {
                format!("it is about `{product}`, of the class `{class}`")
            }
            Self::Word(word) => format!("no product is named, and it speaks of `{word}`"),
        }
    }

    #[must_use]
    pub fn is_declared(&self) -> bool {
        matches!(self, Self::Product { .. })
    }
}

/// Whether messages by this channel are text messages of a carrier.
#[must_use]
pub fn is_sms(channel: &Channel) -> bool {
    let name = channel.name.as_str();
    channel.segments.is_some() || name == "sms" || name.ends_with("_sms") || name.starts_with("sms_")
}

/// Whether it is mail.
#[must_use]
pub fn is_mail(channel: &Channel) -> bool {
    let name = channel.name.as_str();
    name.contains("mail") && !name.contains("mailbox")
}

/// Calls `look` with every step of a journey, exits included, an outer step before the inner ones.
pub fn walk<'a>(journey: &'a Journey, look: &mut impl FnMut(&'a Step)) {
    steps(&journey.steps, look);
    journey.exits.iter().for_each(|exit| steps(&exit.block, look));
}

fn steps<'a>(all: &'a [Step], look: &mut impl FnMut(&'a Step)) {
    for step in all {
        look(step);
        step.kind.blocks().into_iter().for_each(|block| steps(block, look));
    }
}

fn add<'a>(model: &'a Model, journey: &'a Journey, step: &'a Step, messages: &mut Vec<Message<'a>>) {
    let mut say = |id: Name, call: &'a ContentCall, channel: Name, span: Span| {
        let Some(channel) = model.channels.get(&channel) else { return };
        let among: &[Name] = call.chosen.as_ref().map_or(std::slice::from_ref(&call.content), |it| &it.among);
        for content in among.iter().filter_map(|name| model.contents.get(name)) {
            messages.push(Message { journey, step: id, content, channel, args: &call.args, span });
        }
    };
    match &step.kind {
        StepKind::Send(send, _) => say(step.id, &send.content, send.channel, step.span),
        StepKind::Reach { rungs, .. } => {
            rungs.iter().for_each(|rung| say(rung.id, &rung.content, rung.channel, rung.span));
        }
        StepKind::Show(show) => {
            show.slots.iter().for_each(|slot| say(step.id, &show.content, slot.channel, step.span));
        }
        _ => {}
    }
}

type Written<'a> = NameMap<&'a ast::Decl>;

/// Every declaration by its name; what `extend` adds is not one. Within a scope only those of the files that rules
/// point into.
fn declarations<'a>(model: &Model, trees: Trees<'_, 'a>, scope: Option<&Scope>) -> Written<'a> {
    let mut written = Written::default();
    let few = scope.filter(|_| model.values.lotteries.is_empty()).map(|scope| {
        let contents = scope.contents.iter().filter_map(|name| Some(model.contents.get(name)?.span.file));
        contents.collect::<BTreeSet<FileId>>()
    });
    let trees: Vec<&ast::File> = match few {
        Some(files) => files.into_iter().filter_map(|file| trees.get(file)).collect(),
        None => trees.iter().collect(),
    };
    for decl in trees.into_iter().flat_map(|tree| &tree.decls) {
        if let Some(name) = decl.name.filter(|_| !matches!(decl.kind, ast::DeclKind::Extend(_))) {
            written.insert(name.name, decl);
        }
    }
    written
}

fn journeys<'a>(
    model: &'a Model,
    names: Option<&'a BTreeSet<Name>>,
) -> Box<dyn Iterator<Item = &'a Journey> + 'a> {
    match names {
        None => Box::new(model.journeys.values().map(|journey| &**journey)),
        Some(names) => {
            Box::new(names.iter().filter_map(|name| model.journeys.get(name)).map(|journey| &**journey))
        }
    }
}

fn contents<'a>(model: &'a Model, scope: Option<&'a Scope>) -> Box<dyn Iterator<Item = &'a Content> + 'a> {
    match scope {
        None => Box::new(model.contents.values()),
        Some(scope) => Box::new(scope.contents.iter().filter_map(|name| model.contents.get(name))),
    }
}

/// The contents that a journey sends or shows.
pub(super) fn sent(model: &Model, journey: &Journey) -> Vec<Name> {
    let mut messages = Vec::new();
    walk(journey, &mut |step| add(model, journey, step, &mut messages));
    messages.into_iter().map(|message| message.content.name).collect()
}
