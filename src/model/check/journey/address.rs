//! Whom a message, a reward or a started journey concerns, where it is not plainly the subject: said, never guessed.

use crate::diagnostic::{Diagnostic, code};
use crate::expr::Expr;
use crate::model::Channel;
use crate::model::check::content::person;
use crate::model::check::expr::{Checker, Typed};
use crate::model::check::words;
use crate::model::check::world::Declared;
use crate::model::journey::{Step, StepKind};
use crate::name::Name;
use crate::program::{Addressee, Among, Each};
use crate::syntax::ast::{self, Ident};
use crate::text::Span;
use crate::value::Type;

/// Those who have it are asked before anything goes to them.
const CONSENT: &str = "consent";

impl Checker<'_, '_> {
    /// The kind of subject that a channel reaches: as it says, else the person whom the bank speaks to. `None`: nobody
    /// has said, and there is no one such person.
    pub(super) fn reaches(&mut self, via: &Channel) -> Option<Name> {
        let world = self.world;
        let said = via.reaches(|name| world.entity(name).is_some());
        if let Some(said) = said {
            world.find(&mut self.sink, self.file, said);
        }
        said.or_else(|| person(world))
    }

    /// Whether the journey's subject, or its parent, is somebody whom the channel reaches.
    pub(super) fn reaches_subject(&mut self, channel: Ident, via: &Channel) -> Option<Name> {
        let subject = self.subject?;
        let root = self.world.root(subject);
        let reached = self.reaches(via).unwrap_or(root);
        if reached == subject || reached == root {
            return Some(reached);
        }
        let headline =
            format!("`{}` reaches a `{reached}`, and this journey is about a `{subject}`", channel.name);
        let finding = Diagnostic::new(code::NO_ADDRESSEE, channel.span, headline).label("to whom?");
        let finding = match self.leads_to(subject, reached) {
            (Some(one), _) => finding.help(format!("write `to {one}` behind it")),
            (None, Some(list)) => finding
                .help(format!("a journey of each of them writes best: `start … each {list}`"))
                .help(format!("or write `to` and one `{reached}` behind it")),
            (None, None) => finding.help(format!("write `to` and one `{reached}` behind it")),
        };
        let also = format!("write `party {subject}` in it if it reaches a `{subject}`");
        self.report(finding.also(via.span, "declared here").help(also));
        None
    }

    /// Attributes of `subject` that name one, and several, of a kind.
    fn leads_to(&self, subject: Name, kind: Name) -> (Option<Name>, Option<Name>) {
        let fields = self.world.entity(subject).map(|entity| entity.fields.as_slice()).unwrap_or_default();
        let one = fields.iter().find(|field| field.ty == Type::Entity(kind));
        let list = Type::List(Box::new(Type::Entity(kind)));
        let several = fields.iter().find(|field| *field.ty.known() == list);
        (one.map(|field| field.name), several.map(|field| field.name))
    }

    /// Who gets a message: one of the kind that its channel reaches.
    pub(super) fn recipient(&mut self, to: &ast::Expr, via: &Channel) -> Option<Addressee> {
        let wanted = self.reaches(via);
        let found = self.somebody(to, wanted)?;
        let entity = found.entity;
        let Some(wanted) = wanted else {
            let headline = format!("whom `{}` reaches is not said", via.name);
            let finding = Diagnostic::new(code::ADDRESSEE, to.span, headline).label(format!("a `{entity}`"));
            self.report(
                finding
                    .also(via.span, "declared here")
                    .help(format!("write `party {entity}` in the channel if it reaches a `{entity}`")),
            );
            return None;
        };
        if wanted != entity {
            let said = words::quote(to);
            let headline = format!("`{}` reaches a `{wanted}`, and {said} is one `{entity}`", via.name);
            let finding = Diagnostic::new(code::ADDRESSEE, to.span, headline).label(format!("a `{entity}`"));
            self.report(
                finding
                    .also(via.span, "declared here")
                    .help(format!("name a `{wanted}` behind `to`"))
                    .help(format!("or send through a channel of theirs: `channel … {{ party {entity} }}`")),
            );
            return None;
        }
        Some(found)
    }

    /// Who gets a reward, points or a chance. `owner`: whose points or chances they are.
    pub(super) fn gifted(&mut self, to: &ast::Expr, owner: Option<Name>) -> Option<Addressee> {
        let wanted = owner.or_else(|| person(self.world));
        let found = self.somebody(to, wanted)?;
        match wanted {
            Some(wanted) if wanted != found.entity => {
                let (said, entity) = (words::quote(to), found.entity);
                let headline = format!("this is given to a `{wanted}`, and {said} is one `{entity}`");
                let finding =
                    Diagnostic::new(code::ADDRESSEE, to.span, headline).label(format!("a `{entity}`"));
                self.report(finding.help(format!("name a `{wanted}` behind `to`")));
                None
            }
            _ => Some(found),
        }
    }

    /// A reward goes to a person; in the journey of anything else it is said to whom.
    pub(super) fn person_gets(&mut self, span: Span) {
        let Some((subject, wanted)) = self.subject.zip(person(self.world)) else { return };
        if self.world.root(subject) == wanted {
            return;
        }
        let headline = format!("a reward goes to a `{wanted}`, and this journey is about a `{subject}`");
        let finding = Diagnostic::new(code::NO_ADDRESSEE, span, headline).label("to whom?");
        self.report(finding.help(format!("write `to` and one `{wanted}` behind it")));
    }

    /// One root, who is never missing.
    fn somebody(&mut self, to: &ast::Expr, wanted: Option<Name>) -> Option<Addressee> {
        let typed = self.expr(to, wanted.map(Type::Entity).as_ref());
        let typed = self.present(to, typed);
        let (entity, help) = match &typed.ty {
            Type::Error => return None,
            Type::Entity(entity) if self.world.root(*entity) == *entity => (*entity, None),
            Type::Entity(child) => {
                let parent = self.world.root(*child);
                (*child, Some(format!("name the `{parent}` that it belongs to")))
            }
            Type::List(_) => {
                let list = words::short(to).unwrap_or_else(|| "members".into());
                (Name::new("list"), Some(format!("let each have a journey: `start … each {list}`")))
            }
            _ => (Name::new("value"), Some("name one subject, such as `manager` or `event.group`".into())),
        };
        if let Some(help) = help {
            let headline =
                format!("{} is {}, not somebody to send to", words::quote(to), words::of_type(&typed.ty));
            let finding = Diagnostic::new(code::ADDRESSEE, to.span, headline).label("nobody in particular");
            self.report(finding.help(help));
            return None;
        }
        let consent = self.world.entity(entity).and_then(|entity| entity.field(Name::new(CONSENT)));
        Some(Addressee { entity, id: typed.expr, person: consent.is_some() })
    }

    /// What tells two messages or gifts of one step apart.
    pub(super) fn key(&mut self, key: &ast::Expr) -> Option<Expr> {
        let typed = self.expr(key, None);
        let typed = self.present(key, typed);
        let fits = matches!(
            typed.ty,
            Type::Id
                | Type::Text
                | Type::Int
                | Type::Date
                | Type::Choice(_)
                | Type::OneOf(_)
                | Type::Entity(_)
                | Type::Content
                | Type::Channel
                | Type::Reward
        );
        if typed.ty == Type::Error {
            return None;
        }
        if !fits {
            let headline = format!("{} is {}: no key", words::quote(key), words::of_type(&typed.ty));
            let finding = Diagnostic::new(code::KEY, key.span, headline).label(typed.ty.to_string());
            self.report(finding.help("a key is an id, a text, a whole number, a day or one of a choice"));
            return None;
        }
        if matches!(typed.expr, Expr::Const(_)) {
            let headline = format!("{} is always the same", words::quote(key));
            let finding = Diagnostic::new(code::KEY, key.span, headline).label("tells nothing apart");
            self.report(finding.help("leave `key …` out, or name what differs: `key event.txn`"));
            return None;
        }
        Some(typed.expr)
    }

    /// `each members where …`: for whom, and the kind of each.
    pub(super) fn each(&mut self, each: &ast::Each) -> Option<(Each, Name)> {
        let (among, entity) = self.among(&each.path)?;
        let filter = each.filter.as_ref().map(|filter| self.of_element(filter, entity));
        Some((Each { among, filter }, entity))
    }

    fn among(&mut self, path: &ast::Path) -> Option<(Among, Name)> {
        if let ([only], Some(subject)) = (path.parts.as_slice(), self.subject) {
            let children = self.world.children.get(&subject);
            if children.is_some_and(|children| children.contains(&only.name)) {
                self.world.find(&mut self.sink, self.file, only.name);
                return Some((Among::Children(only.name), only.name));
            }
        }
        let typed = self.path(path, None);
        let whole = ast::Expr { kind: ast::ExprKind::Path(path.clone()), span: path.span };
        let typed = self.present(&whole, typed);
        if typed.ty == Type::Error {
            return None;
        }
        if let Type::List(inner) = &typed.ty
            && let Type::Entity(entity) = inner.known()
            && self.world.root(*entity) == *entity
        {
            return Some((Among::Roots(*entity, typed.expr), *entity));
        }
        let headline =
            format!("`{}` is {}: there is nobody to go through", path.text(), words::of_type(&typed.ty));
        let finding = Diagnostic::new(code::EACH, path.span, headline).label("not several subjects");
        let children =
            self.subject.and_then(|subject| self.world.children.get(&subject)).into_iter().flatten();
        let children: Vec<String> = children.map(|child| format!("`{child}`")).collect();
        let finding = finding.help("name a list of subjects: `members : [customer]`");
        self.report(match children.as_slice() {
            [] => finding,
            _ => finding.help(format!("or the kind of its children: {}", children.join(", "))),
        });
        None
    }

    /// A condition on one of several: it is the subject there. What this journey remembers, `entered` and `event` are
    /// known, and by its name what is known of the subject of this journey.
    fn of_element(&mut self, filter: &ast::Expr, entity: Name) -> Expr {
        let subject = self.subject.replace(entity);
        let messages = self.messages;
        let facts = std::mem::take(&mut self.facts);
        self.caller = subject.filter(|caller| *caller != entity).map(|caller| (caller, facts.clone()));
        let filter = self.condition(filter);
        self.caller = None;
        self.facts = facts;
        self.messages = messages;
        self.subject = subject;
        filter
    }

    /// `group.owner` where somebody of another kind is looked at: the condition is asked in that one's row, so the value
    /// is remembered in front of the step.
    pub(in crate::model::check) fn of_caller(&mut self, path: &ast::Path) -> Option<Typed> {
        let [first, _, ..] = path.parts.as_slice() else { return None };
        let caller = self.caller.as_ref().filter(|(caller, _)| *caller == first.name)?.clone();
        if self.owner_of(first.name).is_some() || self.means_something(first.name) {
            return None;
        }
        let (entity, facts) = caller;
        let subject = self.subject.replace(entity);
        let facts = std::mem::replace(&mut self.facts, facts);
        let around = self.caller.take();
        let typed = self.path(path, None);
        self.caller = around;
        self.facts = facts;
        self.subject = subject;
        if typed.ty == Type::Error || matches!(typed.expr, Expr::Const(_)) {
            return Some(typed);
        }
        let known = self.before.iter().find_map(|step| match &step.kind {
            StepKind::Remember { slot, value } if *value == typed.expr => Some(*slot),
            _ => None,
        });
        let slot = match known {
            Some(slot) => slot,
            None => self.remembered_before(path, &typed)?,
        };
        Some(Typed::new(Expr::Local(slot), typed.ty))
    }

    fn remembered_before(&mut self, path: &ast::Path, typed: &Typed) -> Option<u16> {
        let hidden = Ident { name: Name::new(&path.text()), span: path.span };
        let slot = self.new_slot(hidden, typed.ty.clone(), None)?;
        self.assigned.insert(slot);
        let id = Name::new(&format!("remember_{}", path.text()));
        let kind = StepKind::Remember { slot, value: typed.expr.clone() };
        self.before.push(Step { id, was: None, label: None, kind, span: path.span });
        Some(slot)
    }

    /// Whether the journey that `start` names is of the kind that it is started for: `kind`, or without `each` the
    /// subject or its parent.
    pub(super) fn fits_start(&mut self, path: &ast::Path, journey: &Declared, of: Name, kind: Option<Name>) {
        let fits = match kind {
            Some(kind) => kind == of,
            None => self.owner_of(of).is_some(),
        };
        if fits {
            return;
        }
        let headline = format!("journey `{}` is of `{of}`", journey.name);
        let finding = Diagnostic::new(code::OTHER_SUBJECT, path.span, headline)
            .label("another kind of subject")
            .also(journey.span, "declared here");
        let subject = self.subject;
        let several = subject.and_then(|subject| self.leads_to(subject, of).1);
        self.report(match (kind, several) {
            (Some(kind), _) => {
                finding.help(format!("start a journey of `{kind}`: that is what each of them is"))
            }
            (None, Some(list)) => {
                finding.help(format!("start one for each of them: `start {} each {list}`", journey.name))
            }
            (None, None) => finding.help("start a journey of this subject, or of its parent"),
        });
    }
}
