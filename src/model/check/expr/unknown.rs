//! What is said of a name that means nothing here, something else, or two things.

use super::names::Meaning;
use super::{Checker, Place};
use crate::diagnostic::{Diagnostic, code};
use crate::model::check::collect::BUILT_IN;
use crate::model::check::words;
use crate::model::check::world::{Declared, Kind};
use crate::name::Name;
use crate::syntax::ast::{Ident, Path};
use crate::value::Type;

impl Checker<'_, '_> {
    pub(super) fn ambiguous(&mut self, ident: Ident, meanings: &[Meaning]) {
        let mut finding =
            Diagnostic::new(code::AMBIGUOUS, ident.span, format!("`{}` means two things here", ident.name))
                .label("which one?");
        for meaning in meanings {
            finding = finding.help(meaning.instead.help());
        }
        self.report(finding);
    }

    pub(super) fn nothing_called(&mut self, ident: Ident, want: Option<&Type>) {
        if let Some(declared) = self.world.find(&mut self.sink, self.file, ident.name) {
            return self.not_a_value(ident, &declared);
        }
        if let Some(want) = want.map(inner)
            && self.unknown_case(ident, want)
        {
            return;
        }
        let mut among = self.in_sight();
        if let Some(want) = want {
            among.extend(words::cases(&self.world.model, want).iter().map(|case| case.as_str()));
        }
        let finding = self.world.unknown(self.file, ident, "a name", &among);
        let finding = if finding.code == code::UNKNOWN_NAME {
            let headline = format!("nothing here is called `{}`", ident.name);
            let known = Diagnostic::new(code::UNKNOWN_NAME, ident.span, headline).label("not known");
            known.suggest(ident.name.as_str(), among, || self.declare_it(ident.name))
        } else {
            finding
        };
        self.sink.unknown(ident.name.as_str(), finding);
    }

    fn declare_it(&self, name: Name) -> String {
        match self.subject {
            Some(subject) => {
                format!("declare it, for example `extend {subject} {{ {name} : Text }}`, or import it")
            }
            None if self.place == Place::Content => format!(
                "write `takes {name} : Text` and pass it, or say whose attribute it is: `content … of customer`"
            ),
            None => "declare it, or import it".into(),
        }
    }

    fn unknown_case(&mut self, ident: Ident, want: &Type) -> bool {
        let cases: Vec<&'static str> = match want {
            Type::Choice(_) | Type::OneOf(_) => {
                words::cases(&self.world.model, want).iter().map(|case| case.as_str()).collect()
            }
            Type::Channel => self.world.visible_of(self.file, &[Kind::Channel]),
            Type::Content => self.world.visible_of(self.file, &[Kind::Content]),
            Type::Reward => self.world.visible_of(self.file, &[Kind::Reward]),
            _ => return false,
        };
        let elsewhere = matches!(want, Type::Channel | Type::Content | Type::Reward);
        let kind = match want {
            Type::Channel => Kind::Channel,
            Type::Reward => Kind::Reward,
            _ => Kind::Content,
        };
        if elsewhere {
            let finding = self.world.unknown(self.file, ident, kind.words(), &cases);
            self.sink.unknown(ident.name.as_str(), finding);
            return true;
        }
        let headline = match want {
            Type::Choice(name) => format!("`{name}` has no case `{}`", ident.name),
            _ => format!("`{}` is not one of the cases", ident.name),
        };
        let finding = Diagnostic::new(code::UNKNOWN_CASE, ident.span, headline).label("not a case");
        let finding = finding.suggest(ident.name.as_str(), cases.iter().copied(), || {
            format!("its cases are `{}`", cases.join("`, `"))
        });
        self.sink.unknown(ident.name.as_str(), finding);
        true
    }

    fn not_a_value(&mut self, ident: Ident, declared: &Declared) {
        let name = ident.name;
        if matches!(declared.kind, Kind::Tag | Kind::Metric | Kind::Audience | Kind::Stages) {
            return self.of_another_subject(ident, declared);
        }
        let help = match declared.kind {
            Kind::Event => format!("ask whether it happened: `any {name} during last 30 days`"),
            Kind::Entity => format!("ask about them: `any {name} where …`"),
            Kind::Channel => format!("ask whether it may be used: `consent has {name}`"),
            Kind::Choice => "write one of its cases".to_owned(),
            _ => "write a value or a condition".to_owned(),
        };
        let headline = format!("`{name}` is {}, not a value", declared.kind.words());
        self.report(
            Diagnostic::new(code::NOT_A_VALUE, ident.span, headline)
                .label(declared.kind.words())
                .also(declared.span, "declared here")
                .help(help),
        );
    }

    fn of_another_subject(&mut self, ident: Ident, declared: &Declared) {
        let of = declared.decl.subject.as_ref().map(Path::text).unwrap_or_default();
        let here = self.subject.map_or_else(|| "nobody".into(), |subject| format!("`{subject}`"));
        let headline = format!("`{}` is about `{of}`, and this is about {here}", ident.name);
        self.report(
            Diagnostic::new(code::OTHER_SUBJECT, ident.span, headline)
                .label(format!("of `{of}`"))
                .also(declared.span, "declared here")
                .help(format!("declare one of {here}, or say this where the subject is a `{of}`")),
        );
    }

    fn in_sight(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = BUILT_IN[..5].to_vec();
        if let Some(element) = self.elements.last() {
            names.extend(element.shape.fields(self.world));
        }
        names.extend(self.params.iter().map(|(name, _)| name.as_str()));
        names.extend(self.locals.iter().map(|local| local.name.as_str()));
        match self.subject {
            Some(subject) => names.extend(self.attributes(subject)),
            None => {
                names.extend(
                    self.world
                        .visible_of(self.file, &[Kind::Tag, Kind::Metric, Kind::Audience, Kind::Stages]),
                );
            }
        }
        names
    }
}

fn inner(ty: &Type) -> &Type {
    match ty.known() {
        Type::List(inner) | Type::Range(inner) => inner.known(),
        other => other,
    }
}
