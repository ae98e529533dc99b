//! What the findings have in common: conditions taken apart and quoted.

use super::read::Reader;
use super::scope::Scope;
use crate::expr::show::{self, Names};
use crate::expr::{Aggregate, BinaryOp, Expr};
use crate::logic::{Absence, Formula, Trust};
use crate::model::Uses;
use crate::name::Name;

/// Characters of an explanation that people still read.
const READABLE: usize = 110;

/// What is said of a condition. Something missing is neither true nor false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    True,
    False,
    NotTrue,
}

/// Something of which one thing is said, which cannot be taken apart further.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) expr: Expr,
    pub(super) said: Said,
}

impl Part {
    pub(super) fn formula(&self, reader: &mut Reader) -> Formula {
        match self.said {
            Said::True => reader.truth(&self.expr),
            Said::False => reader.falsehood(&self.expr),
            Said::NotTrue => reader.truth(&self.expr).negated(),
        }
    }

    /// In the language's words, in backticks.
    pub(super) fn words(&self, reader: &Reader) -> String {
        let said = match self.said {
            Said::True => self.expr.clone(),
            Said::False | Said::NotTrue => opposite(&self.expr, reader),
        };
        format!("`{}`", show::expr(&said, &reader.scope))
    }
}

/// Things that all hold where `expr` is what is `said`. In the order written.
pub(super) fn parts(expr: &Expr, said: Said, into: &mut Vec<Part>) {
    match (expr, said) {
        (Expr::Not(inner), Said::True) => parts(inner, Said::False, into),
        (Expr::Not(inner), Said::False) => parts(inner, Said::True, into),
        (Expr::Not(inner), Said::NotTrue) if is_definite(inner) => parts(inner, Said::True, into),
        (Expr::Binary(BinaryOp::And, left, right), Said::True) => {
            parts(left, Said::True, into);
            parts(right, Said::True, into);
        }
        (Expr::Binary(BinaryOp::Or, left, right), Said::False | Said::NotTrue) => {
            parts(left, Said::NotTrue, into);
            parts(right, Said::NotTrue, into);
        }
        (other, said) => into.push(Part { expr: other.clone(), said }),
    }
}

/// Whether the expression is true or false and never missing.
fn is_definite(expr: &Expr) -> bool {
    match expr {
        Expr::Not(inner) => is_definite(inner),
        Expr::Binary(op, ..) => !matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div),
        Expr::Known(..) | Expr::Tag(..) => true,
        _ => false,
    }
}

/// The opposite as people say it, where nothing is missing.
fn opposite(expr: &Expr, reader: &Reader) -> Expr {
    let turned = match expr {
        Expr::Binary(op, left, _)
            if reader.scope.absence(left, reader.element.as_ref()) != Absence::Possible =>
        {
            let op = match op {
                BinaryOp::Is => Some(BinaryOp::IsNot),
                BinaryOp::IsNot => Some(BinaryOp::Is),
                BinaryOp::Less => Some(BinaryOp::GreaterEq),
                BinaryOp::LessEq => Some(BinaryOp::Greater),
                BinaryOp::Greater => Some(BinaryOp::LessEq),
                BinaryOp::GreaterEq => Some(BinaryOp::Less),
                _ => None,
            };
            op.zip(match expr {
                Expr::Binary(_, left, right) => Some((left.clone(), right.clone())),
                _ => None,
            })
            .map(|(op, (left, right))| Expr::Binary(op, left, right))
        }
        Expr::Known(inner, known) => Some(Expr::Known(inner.clone(), !known)),
        Expr::Not(inner) => Some((**inner).clone()),
        _ => None,
    };
    turned.unwrap_or_else(|| Expr::Not(Box::new(expr.clone())))
}

/// A definition as its author wrote it: the names of audiences, metrics and stages stay names.
pub(super) struct Written<'a> {
    pub(super) expr: &'a Expr,
    pub(super) uses: &'a Uses,
}

impl Names for (&Uses, &Scope<'_>) {
    fn local(&self, slot: u16) -> Option<Name> {
        self.1.local(slot)
    }

    fn def(&self, index: u16) -> Option<Name> {
        self.0.defs.get(usize::from(index)).copied()
    }

    fn feature(&self, index: u16) -> Option<&Aggregate> {
        self.0.features.get(usize::from(index))
    }

    fn parent(&self) -> Option<Name> {
        self.1.parent()
    }
}

impl Written<'_> {
    pub(super) fn words(&self, reader: &Reader) -> String {
        show::expr(self.expr, &(self.uses, &reader.scope))
    }

    /// Those of its parts that exclude each other, where it never holds.
    fn core(&self, reader: &mut Reader) -> Vec<Part> {
        let mut all = Vec::new();
        parts(self.expr, Said::True, &mut all);
        let formulas: Vec<Formula> = all
            .iter()
            .map(|part| {
                let expr = reader.scope.expand(&part.expr, self.uses);
                Part { expr, said: part.said }.formula(reader)
            })
            .collect();
        let formulas: Vec<&Formula> = formulas.iter().collect();
        let needed = reader.needed(&formulas, &Formula::Const(true), Trust::Nothing);
        needed.into_iter().filter_map(|at| all.get(at).cloned()).collect()
    }

    /// The one name whose own definition never holds, where that is the whole reason: told where it is defined.
    pub(super) fn blames(&self, reader: &mut Reader) -> Option<Name> {
        match self.core(reader).as_slice() {
            [Part { expr: Expr::Def(_, index), said: Said::True }] => {
                self.uses.defs.get(usize::from(*index)).copied()
            }
            _ => None,
        }
    }

    /// Why it never holds.
    pub(super) fn why_never(&self, reader: &mut Reader) -> String {
        let core = self.core(reader);
        let expanded = reader.scope.expand(self.expr, self.uses);
        let in_full = why_never(reader, &expanded);
        if core.len() < 2 {
            return in_full;
        }
        let quoted: Vec<String> = core
            .iter()
            .map(|part| {
                let expr = match part.said {
                    Said::True => part.expr.clone(),
                    Said::False | Said::NotTrue => Expr::Not(Box::new(part.expr.clone())),
                };
                format!("`{}`", Written { expr: &expr, uses: self.uses }.words(reader))
            })
            .collect();
        let as_written = exclude(&quoted);
        // What stands behind the names helps where it can be taken in at a glance: a stage's conditions cannot.
        if as_written == in_full || in_full.chars().count() > READABLE {
            return as_written;
        }
        format!("{as_written} ({})", in_full.trim_end_matches(" exclude each other"))
    }
}

/// Why `expr`, which never holds, never does: the parts of it that exclude each other.
pub(super) fn why_never(reader: &mut Reader, expr: &Expr) -> String {
    let mut all = Vec::new();
    parts(expr, Said::True, &mut all);
    let formulas: Vec<Formula> = all.iter().map(|part| part.formula(reader)).collect();
    let formulas: Vec<&Formula> = formulas.iter().collect();
    let needed = reader.needed(&formulas, &Formula::Const(true), Trust::Nothing);
    let quoted: Vec<String> =
        needed.into_iter().filter_map(|at| all.get(at)).map(|part| part.words(reader)).collect();
    exclude(&quoted)
}

fn exclude(quoted: &[String]) -> String {
    match quoted {
        [only] => format!("{only} is never true"),
        [first, second] => format!("{first} and {second} exclude each other"),
        several => format!("these exclude each other: {}", several.join(", ")),
    }
}
