//! What is known of an instance on the way to a step.

use crate::expr::Expr;
use crate::logic::{Formula, Trust, Var};
use crate::meaning::read::Reader;
use crate::meaning::scope::{any, is_frozen};
use crate::meaning::tell::{Part, Said, parts};
use crate::text::Span;

/// Everything that was ever learned in a journey; what is known at a step are some of these.
#[derive(Debug, Default)]
pub(super) struct Facts {
    all: Vec<Fact>,
    /// Hold at every step, whatever passes.
    always: Vec<usize>,
}

#[derive(Debug)]
struct Fact {
    part: Part,
    formula: Formula,
    vars: Vec<Var>,
    /// Where it was decided.
    span: Span,
    /// Whether it stays true while time passes.
    stays: bool,
    /// Whether giving or taking a tag may change it.
    on_tags: bool,
}

/// Numbers of facts, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known(Vec<usize>);

impl Known {
    /// What is known either way.
    pub(super) fn met(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|fact| other.0.contains(fact)).copied().collect())
    }
}

impl Facts {
    pub(super) fn always(&mut self, reader: &mut Reader, expr: &Expr, span: Span) {
        let mut known = Known::default();
        self.learn(&mut known, reader, expr, Said::NotTrue, span);
        self.always.extend(known.0);
    }

    pub(super) fn at_first(&self) -> Known {
        Known(self.always.clone())
    }

    pub(super) fn learn(
        &mut self,
        known: &mut Known,
        reader: &mut Reader,
        expr: &Expr,
        said: Said,
        span: Span,
    ) {
        let mut all = Vec::new();
        parts(expr, said, &mut all);
        for part in all {
            let formula = part.formula(reader);
            let on_tags = any(&part.expr, &|expr| matches!(expr, Expr::Tag(..) | Expr::Def(..)));
            let stays = is_frozen(&part.expr);
            known.0.push(self.all.len());
            let vars = formula.vars();
            self.all.push(Fact { part, formula, vars, span, stays, on_tags });
        }
    }

    pub(super) fn time_passes(&self, known: &mut Known) {
        self.keep(known, |fact| fact.stays);
    }

    /// Time passes, and values are remembered anew.
    pub(super) fn rounds_pass(&self, known: &mut Known) {
        let local = |expr: &Expr| matches!(expr, Expr::Local(_));
        self.keep(known, |fact| fact.stays && !any(&fact.part.expr, &local));
    }

    pub(super) fn tags_change(&self, known: &mut Known) {
        self.keep(known, |fact| !fact.on_tags);
    }

    pub(super) fn is_set(&self, known: &mut Known, slot: u16) {
        self.keep(known, |fact| !any(&fact.part.expr, &|expr| *expr == Expr::Local(slot)));
    }

    fn keep(&self, known: &mut Known, keep: impl Fn(&Fact) -> bool) {
        known.0.retain(|at| self.always.contains(at) || self.all.get(*at).is_some_and(&keep));
    }

    /// Those of the facts that have to do with `condition`: others, which hold together, say nothing about it.
    fn about(&self, known: &Known, reader: &Reader, condition: &Formula) -> Known {
        if reader.is_related() {
            return known.clone();
        }
        let mut vars = condition.vars();
        let mut rest: Vec<usize> = known.0.clone();
        loop {
            let fact = |at: &usize| self.all.get(*at);
            let near =
                |at: &usize| fact(at).is_some_and(|fact| fact.vars.iter().any(|var| vars.contains(var)));
            let (new, far): (Vec<usize>, Vec<usize>) = rest.iter().partition(|at| near(at));
            if new.is_empty() {
                return Known(known.0.iter().filter(|at| !far.contains(at)).copied().collect());
            }
            vars.extend(new.iter().filter_map(fact).flat_map(|fact| &fact.vars).copied());
            rest = far;
        }
    }

    fn formulas(&self, known: &Known) -> Vec<&Formula> {
        known.0.iter().filter_map(|at| self.all.get(*at)).map(|fact| &fact.formula).collect()
    }

    /// Whether nobody can be as is known.
    pub(super) fn contradict(&self, known: &Known, reader: &Reader) -> bool {
        !known.0.is_empty() && reader.is_never(&self.formulas(known), Trust::Types)
    }

    /// If what is known rules `condition` out: the facts that do.
    pub(super) fn exclude(&self, known: &Known, reader: &Reader, condition: &Formula) -> Option<Known> {
        let known = &self.about(known, reader, condition);
        let formulas = self.formulas(known);
        let all: Vec<&Formula> = formulas.iter().copied().chain([condition]).collect();
        if !reader.is_never(&all, Trust::Types) {
            return None;
        }
        let needed = reader.needed(&formulas, condition, Trust::Types);
        Some(Known(needed.into_iter().filter_map(|at| known.0.get(at)).copied().collect()))
    }

    /// Each of these facts in words and with its place, unless that is `besides`.
    pub(super) fn told(&self, because: &Known, reader: &Reader, besides: Span) -> Vec<(Span, String)> {
        let facts = because.0.iter().filter_map(|at| self.all.get(*at));
        let told = facts.map(|fact| {
            let words = fact.part.words(reader);
            (fact.span, format!("from here on, {words}"))
        });
        told.filter(|(span, _)| *span != besides).collect()
    }

    /// Each of these facts in words.
    pub(super) fn words(&self, because: &Known, reader: &Reader) -> Vec<String> {
        let facts = because.0.iter().filter_map(|at| self.all.get(*at));
        facts.map(|fact| fact.part.words(reader)).collect()
    }
}
