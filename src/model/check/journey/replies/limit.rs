//! How often replies answer, and when they are silent.

use super::Ways;
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::expr::{Expr, Source};
use crate::model::check::expr::{Checker, Shape};
use crate::model::check::world::{Declared, Kind};
use crate::model::check::{length, words};
use crate::name::Name;
use crate::program::{AnswerLimit, Within};
use crate::syntax::ast::{self, ExprKind, OccurrenceKind, Path, Rate, RateUnit, RepliesItem};
use crate::text::Span;
use crate::value::{Length, Type};

/// Answers are counted one by one.
const MOST: i64 = 100;
const MINUTE_MS: i64 = 60_000;

impl Checker<'_, '_> {
    /// All limits, and whose answers they count.
    pub(super) fn limits(
        &mut self,
        declared: &Declared,
        items: &[RepliesItem],
        ways: &Ways,
    ) -> (Vec<AnswerLimit>, Option<Expr>) {
        let mut limits = Vec::new();
        let mut counted: Option<(Option<Expr>, Span)> = None;
        let rates = items.iter().filter_map(|item| match item {
            RepliesItem::Limit(rate) => Some(rate),
            _ => None,
        });
        for rate in rates {
            let Some((limit, whose)) = self.answer_limit(declared, rate, ways) else { continue };
            limits.push(limit);
            match &counted {
                Some((known, first)) if *known != whose => {
                    let finding =
                        Diagnostic::new(code::REPLIES_LIMIT, rate.span, "two limits of two kinds of people");
                    let finding = finding.label("counts by others").also(*first, "than this one");
                    self.report(finding.help("count by the same in all limits of these replies"));
                }
                Some(_) => {}
                None => counted = Some((whose, rate.span)),
            }
        }
        (limits, counted.and_then(|(whose, _)| whose))
    }

    fn answer_limit(
        &mut self,
        declared: &Declared,
        rate: &Rate,
        ways: &Ways,
    ) -> Option<(AnswerLimit, Option<Expr>)> {
        let most = match rate.count.kind {
            ExprKind::Int(most) if (1..=MOST).contains(&most) => u16::try_from(most).ok()?,
            ExprKind::Error => return None,
            _ => {
                let headline =
                    format!("{} is no number of answers from 1 to {MOST}", words::quote(&rate.count));
                return self.refuse_limit(
                    rate.count.span,
                    &headline,
                    "how many?",
                    "write for example `1 per customer per rolling 10min`",
                );
            }
        };
        if rate.partial || rate.ever {
            return self.refuse_limit(
                rate.span,
                "answers are counted for a while, and whole",
                if rate.ever { "`ever`" } else { "`partial`" },
                "write for example `1 per customer per day`",
            );
        }
        let mut whose: Option<Option<Expr>> = None;
        let mut within = None;
        for unit in &rate.per {
            match self.unit_of_limit(declared, unit, rate, ways)? {
                Unit::Whose(found) => whose = whose.or(Some(found)),
                Unit::Within(found) if within.is_none() => within = Some(found),
                Unit::Within(_) => {
                    return self.refuse_limit(
                        rate.span,
                        "only one stretch of time can be counted",
                        "several stretches",
                        "write a second `limit` for the other",
                    );
                }
            }
        }
        let of = self.subject.map(|subject| subject.to_string()).unwrap_or_default();
        let (Some(whose), Some(within)) = (whose, within) else {
            let help = format!("write for example `{most} per {of} per rolling 10min`");
            return self.refuse_limit(
                rate.span,
                "this limit does not say for whom, or in which time",
                "a part is missing",
                &help,
            );
        };
        Some((AnswerLimit { most, within }, whose))
    }

    fn unit_of_limit(
        &mut self,
        declared: &Declared,
        unit: &RateUnit,
        rate: &Rate,
        ways: &Ways,
    ) -> Option<Unit> {
        let path = match unit {
            RateUnit::Rolling(dur) => {
                return Some(Unit::Within(Within::Last(length::positive(*dur, &mut self.sink))));
            }
            RateUnit::Path(path) => path,
        };
        match path.text().as_str() {
            "minute" => return Some(Unit::Within(Within::Last(Length::Elapsed(MINUTE_MS)))),
            "day" => return Some(Unit::Within(Within::Day)),
            "week" => return Some(Unit::Within(Within::Week)),
            "month" => return Some(Unit::Within(Within::Month)),
            _ => {}
        }
        if path.parts.first().is_some_and(|part| part.name.as_str() == "event") {
            return Some(Unit::Whose(Some(self.path(path, None).expr)));
        }
        let name = path.parts.first()?.name;
        if Some(name) == self.subject {
            return Some(Unit::Whose(None));
        }
        self.named_by_events(declared, path, rate, ways)
    }

    /// `per customer` in a group: the customer that every event names.
    fn named_by_events(
        &mut self,
        declared: &Declared,
        path: &Path,
        rate: &Rate,
        ways: &Ways,
    ) -> Option<Unit> {
        let name = path.parts.first()?.name;
        let shape = ways.entry()?;
        if self.world.entity(name).is_none() {
            let subject = self.subject.map(|subject| subject.to_string()).unwrap_or_default();
            let headline = format!("`{}` is nothing that answers can be counted by", path.text());
            let units = [subject.as_str(), "minute", "day", "week", "month"];
            let help = suggest::did_you_mean(&path.text(), units).unwrap_or_else(|| {
                format!("write `per {subject}` and `per minute`, `day`, `week`, `month` or `rolling 10min`")
            });
            return self.refuse_limit(path.span, &headline, "not a unit here", &help);
        }
        match self.fields_of(&shape, name).as_slice() {
            [field] => Some(Unit::Whose(Some(Expr::Field(Box::new(Expr::Entry), *field)))),
            [] => {
                let lacks = |(_, shape): &(Source, Shape)| self.fields_of(shape, name).is_empty();
                let events = ways.heard().into_iter().filter(lacks);
                let events: Vec<String> = events.map(|(source, _)| format!("`{source}`")).collect();
                let headline = format!("what `{}` answers does not say which `{name}` wrote", declared.name);
                let (label, help) = if events.is_empty() {
                    let label = format!("no field of type `{name}` is in all of the events");
                    (label, format!("call it the same in all of them: `writer : {name}`"))
                } else {
                    let label = format!("no `{name}` in {}", events.join(" and "));
                    (label, format!("write `writer : {name}` in {}", events.join(" and ")))
                };
                self.refuse_limit(rate.span, &headline, &label, &help)
            }
            [first, ..] => {
                let headline = format!("the events name a `{name}` more than once");
                let help = format!("say which: `per event.{first}`");
                self.refuse_limit(path.span, &headline, "which one?", &help)
            }
        }
    }

    /// The fields of a record that refer to an `entity`.
    fn fields_of(&self, shape: &Shape, entity: Name) -> Vec<Name> {
        let names = shape.fields(self.world).into_iter().map(Name::new);
        let refers = |field: &Name| {
            shape.field(self.world, *field).is_some_and(|ty| *ty.known() == Type::Entity(entity))
        };
        names.filter(refers).collect()
    }

    fn refuse_limit<T>(&mut self, span: Span, headline: &str, label: &str, help: &str) -> Option<T> {
        self.report(Diagnostic::new(code::REPLIES_LIMIT, span, headline).label(label).help(help));
        None
    }

    /// `quiet_for 2h after staff`, as a condition on what happened.
    pub(super) fn silence(&mut self, items: &[RepliesItem], ways: &Ways) -> Option<Expr> {
        let (dur, after) = items.iter().find_map(|item| match item {
            RepliesItem::QuietFor { length, after } => Some((*length, after)),
            _ => None,
        })?;
        let patterns = match self.people(after) {
            Some(entity) => self.written_by(entity, after, ways)?,
            None => vec![(**after).clone()],
        };
        let any = |pattern: ast::Pattern| {
            let window = Some(ast::Window::Last(dur));
            let quantifier = ast::Quantifier::Any;
            let kind = ExprKind::Quantified { quantifier, pattern: Box::new(pattern), window };
            ast::Expr { kind, span: after.span }
        };
        let conditions: Vec<Expr> = patterns.into_iter().map(|one| self.condition(&any(one))).collect();
        conditions
            .into_iter()
            .reduce(|left, right| Expr::Binary(crate::expr::BinaryOp::Or, Box::new(left), Box::new(right)))
    }

    /// The kind of people that is named.
    fn people(&mut self, after: &ast::Pattern) -> Option<Name> {
        let OccurrenceKind::Expr(expr) = &after.occurrence.kind else { return None };
        let ExprKind::Path(path) = &expr.kind else { return None };
        let (declared, parts) = self.world.find_path(&mut self.sink, self.file, &path.parts)?;
        (declared.kind == Kind::Entity && parts == path.parts.len()).then_some(declared.name)
    }

    /// The events of the rules, where one of those people wrote them.
    fn written_by(&mut self, entity: Name, after: &ast::Pattern, ways: &Ways) -> Option<Vec<ast::Pattern>> {
        let mut patterns = Vec::new();
        for (source, shape) in ways.heard() {
            let Source::Event(event) = source else { continue };
            let optional = |field: &Name| shape.field(self.world, *field).is_some_and(|ty| ty.is_optional());
            let fields = self.fields_of(&shape, entity);
            if let Some(field) = fields.into_iter().find(optional) {
                patterns.push(known(event, field, after));
            }
        }
        if patterns.is_empty() && !ways.patterns.is_empty() {
            let headline = format!("nobody can tell when a `{entity}` wrote");
            let events: Vec<String> = ways.heard().iter().map(|(source, _)| format!("`{source}`")).collect();
            let always = ways.entry().is_some_and(|shape| !self.fields_of(&shape, entity).is_empty());
            let label = if always {
                format!("the events name a `{entity}` that is never missing")
            } else {
                format!("no event of the rules says which `{entity}` it is by")
            };
            let help = format!(
                "give {} a field `by : {entity}?`, or name the event: `quiet_for 2h after {entity}_wrote`",
                events.join(" and ")
            );
            self.report(Diagnostic::new(code::REPLIES_QUIET, after.span, headline).label(label).help(help));
            return None;
        }
        Some(patterns)
    }
}

/// What a limit counts by.
enum Unit {
    /// `None`: by the subject.
    Whose(Option<Expr>),
    Within(Within),
}

/// `EVENT where FIELD is known`
fn known(event: Name, field: Name, after: &ast::Pattern) -> ast::Pattern {
    let path = |name: Name| {
        let parts = vec![ast::Ident { name, span: after.span }];
        ast::Expr { kind: ExprKind::Path(Path { parts, span: after.span }), span: after.span }
    };
    let occurrence =
        ast::Occurrence { first: false, kind: OccurrenceKind::Expr(path(event)), span: after.span };
    let kind = ExprKind::Known { value: Box::new(path(field)), known: true };
    let filter = Some(Box::new(ast::Expr { kind, span: after.span }));
    ast::Pattern { occurrence, alias: None, filter, without: None, span: after.span }
}
