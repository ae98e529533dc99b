//! Replies: whether each rule is ever the first that fits, and whether something is said about all the rest.

use crate::diagnostic::{Diagnostic, code};
use crate::expr::{BinaryOp, Expr, Pattern, Source};
use crate::logic::{Formula, Test, Trust};
use crate::meaning::read::{Reader, Term};
use crate::model::Journey;
use crate::model::journey::Rules;
use crate::program::Enter;
use crate::text::Span;
use crate::value::Value;

pub(super) fn check(reader: &mut Reader, journey: &Journey, rules: &Rules) -> Vec<Diagnostic> {
    let Enter::Event(patterns) = &journey.enter else { return Vec::new() };
    let mut sources: Vec<&Source> = Vec::new();
    for pattern in patterns {
        if !sources.contains(&&pattern.source) {
            sources.push(&pattern.source);
        }
    }
    let mut found = Vec::new();
    let mut gaps = Vec::new();
    let mut idle_else = 0;
    for source in &sources {
        let mut on = reader.on(source);
        let own: Vec<Way> = patterns
            .iter()
            .zip(&rules.spans)
            .filter(|(pattern, _)| pattern.source == **source)
            .map(|(pattern, span)| Way::new(&mut on, journey, pattern, *span))
            .collect();
        let known = inside(&on);
        for (at, way) in own.iter().enumerate() {
            let above = own.get(..at).unwrap_or_default();
            let is_else = rules.otherwise == Some(way.span);
            if !on.is_never(&all(&known, above, &way.truth), Trust::Types) {
                found.extend(keywords(&on, &known, above, way));
            } else if is_else {
                idle_else += 1;
            } else if !on.is_never(&[&way.truth], Trust::Nothing) {
                found.push(not_reached(&on, above, way));
            }
        }
        if !on.is_never(&all(&known, &own, &Formula::Const(true)), Trust::Types) {
            gaps.push(*source);
        }
    }
    match rules.otherwise {
        Some(span) if idle_else == sources.len() && idle_else > 0 => found.push(nobody_for_else(span)),
        None if !gaps.is_empty() => found.push(gap(journey, &gaps)),
        _ => {}
    }
    found
}

/// One rule over the event it listens to.
struct Way {
    truth: Formula,
    /// Of a `has` with several words: each of them, and where it holds.
    words: Vec<(Value, Formula)>,
    /// What it leaves to the rules below.
    rest: Formula,
    span: Span,
}

impl Way {
    fn new(on: &mut Reader, journey: &Journey, pattern: &Pattern, span: Span) -> Self {
        // With `first`, all others go on.
        let rest = |truth: &Formula| {
            if pattern.first { Formula::Const(true) } else { truth.clone().negated() }
        };
        let Some(filter) = on.scope.filter(pattern, &journey.uses) else {
            let truth = Formula::Const(true);
            return Self { rest: rest(&truth), truth, words: Vec::new(), span };
        };
        let words = match &filter {
            Expr::Binary(BinaryOp::Has, text, words) => texts(words)
                .into_iter()
                .map(|word| {
                    let holds = on.truth(&has(text, &word));
                    (word, holds)
                })
                .collect(),
            _ => Vec::new(),
        };
        let truth = on.truth(&apart(&filter));
        Self { rest: rest(&truth), truth, words, span }
    }
}

/// `text has ["a", "b"]` as `text has "a" or text has "b"`.
fn apart(expr: &Expr) -> Expr {
    if let Expr::Binary(BinaryOp::Has, text, words) = expr {
        let each = texts(words).into_iter().map(|word| has(text, &word));
        let either = |left, right| Expr::Binary(BinaryOp::Or, Box::new(left), Box::new(right));
        return each.reduce(either).unwrap_or_else(|| expr.clone());
    }
    let mut written = expr.clone();
    for part in written.parts_mut() {
        *part = apart(part);
    }
    written
}

fn has(text: &Expr, word: &Value) -> Expr {
    Expr::Binary(BinaryOp::Has, Box::new(text.clone()), Box::new(Expr::Const(word.clone())))
}

/// The words of a list of texts; none if it is no such list.
fn texts(words: &Expr) -> Vec<Value> {
    let values: Vec<Value> = match words {
        Expr::List(items) => items
            .iter()
            .filter_map(|item| match item {
                Expr::Const(value) => Some(value.clone()),
                _ => None,
            })
            .collect(),
        Expr::Const(Value::List(values)) => values.clone(),
        _ => return Vec::new(),
    };
    if values.iter().all(|value| matches!(value, Value::Text(_))) { values } else { Vec::new() }
}

/// What has a longer word has the shorter one inside it too.
fn inside(on: &Reader) -> Vec<Formula> {
    let words: Vec<_> = on
        .space
        .vars()
        .zip(&on.terms)
        .filter_map(|(var, term)| match term {
            Term::Value(Expr::Binary(BinaryOp::Has, text, word)) => match &**word {
                Expr::Const(Value::Text(word)) => Some((var, text, word)),
                _ => None,
            },
            _ => None,
        })
        .collect();
    let yes = |var| Formula::Is(var, Test::OneOf(vec![Value::Bool(true)]));
    let mut found = Vec::new();
    for (long, text, word) in &words {
        for (short, other, part) in &words {
            if long != short && text == other && word.contains(&***part) {
                found.push(yes(*long).negated().or(yes(*short)));
            }
        }
    }
    found
}

/// What must hold together for `truth` to get past all of `above`.
fn all<'f>(known: &'f [Formula], above: &'f [Way], truth: &'f Formula) -> Vec<&'f Formula> {
    let mut formulas: Vec<&Formula> = known.iter().collect();
    formulas.push(truth);
    formulas.extend(above.iter().map(|way| &way.rest));
    formulas
}

/// Words of a rule that rules above it take.
fn keywords(on: &Reader, known: &[Formula], above: &[Way], way: &Way) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (word, holds) in &way.words {
        if !on.is_never(&all(known, above, holds), Trust::Types) {
            continue;
        }
        let Value::Text(word) = word else { continue };
        let headline = format!("`{word}` never gets to this rule");
        let finding = Diagnostic::new(code::REPLY_KEYWORD, way.span, headline)
            .label("a rule above takes what has this word");
        found.push(taken_by(on, above, holds, finding).help("take it out here, or there"));
    }
    found
}

fn not_reached(on: &Reader, above: &[Way], way: &Way) -> Diagnostic {
    let finding = Diagnostic::new(code::REPLY_NOT_REACHED, way.span, "this rule never answers")
        .label("the rules above take everything that it fits");
    taken_by(on, above, &way.truth, finding)
        .help("rules are read from the top: move it up if it is the exception, or take it out")
}

/// Points at rules that take what `truth` says, each of them by itself if there are such.
fn taken_by(on: &Reader, above: &[Way], truth: &Formula, finding: Diagnostic) -> Diagnostic {
    let known = inside(on);
    let alone = |way: &&Way| {
        let mut formulas: Vec<&Formula> = known.iter().collect();
        formulas.extend([truth, &way.rest]);
        on.is_never(&formulas, Trust::Types)
    };
    let takes: Vec<&Way> = above.iter().filter(alone).take(1).collect();
    let takes = if takes.is_empty() { above.iter().take(3).collect() } else { takes };
    takes.into_iter().fold(finding, |finding, way| finding.also(way.span, "takes it before"))
}

fn nobody_for_else(span: Span) -> Diagnostic {
    Diagnostic::new(code::REPLY_NOT_REACHED, span, "nothing is left for this `else`")
        .label("never done")
        .help("remove the `else`: the rules above it take everything")
}

fn gap(journey: &Journey, sources: &[&Source]) -> Diagnostic {
    let events: Vec<String> = sources.iter().map(|source| format!("`{source}`")).collect();
    let headline = format!("`{}` does not say what becomes of the rest", journey.name);
    Diagnostic::new(code::REPLY_GAP, journey.span, headline)
        .label(format!("no rule fits every {}", events.join(" or ")))
        .help("write `else { assign … }` for somebody to look at it, or `else continue` for no answer")
}
