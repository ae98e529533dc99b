//! The decision: tests narrow the regions of their variables, what must follow is followed, and where nothing must,
//! one alternative after the other is tried, within a bound.

use super::held::Example;
use super::region::{Mask, Regions};
use super::{Formula, Space, Test, Var};

/// Alternatives that are tried before giving up.
const MOST_TRIES: u32 = 2_000;
/// Parts that formulas may have in sum.
const MOST_PARTS: usize = 5_000;

/// Whether values that their type says are always there may be missing all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The types are right.
    Types,
    /// Data may be missing that never came in: what is proved now holds whatever comes.
    Nothing,
}

#[derive(Clone, Debug)]
pub enum Answer {
    /// Proved: there are no values that make all of it true.
    Never,
    Example(Example),
    /// Too large to be decided within the bound.
    Unknown,
}

impl Answer {
    #[must_use]
    pub fn is_never(&self) -> bool {
        matches!(self, Self::Never)
    }

    #[must_use]
    pub fn example(self) -> Option<Example> {
        match self {
            Self::Example(example) => Some(example),
            Self::Never | Self::Unknown => None,
        }
    }
}

/// What the search leaves of the regions of each variable.
enum Found {
    Never,
    Masks { regions: Vec<Option<Regions>>, whole: Vec<Mask>, masks: Vec<Mask> },
    Unknown,
}

impl Space {
    /// Values for which all the formulas are true. The same formulas give the same answer.
    #[must_use]
    pub fn solve<'f>(&self, formulas: impl IntoIterator<Item = &'f Formula>, trust: Trust) -> Answer {
        match self.find(formulas, trust) {
            Found::Masks { regions, whole, masks } => Answer::Example(Example::new(regions, &whole, &masks)),
            Found::Never => Answer::Never,
            Found::Unknown => Answer::Unknown,
        }
    }

    /// Whether it is proved that there are none; no example is made.
    #[must_use]
    pub fn is_never<'f>(&self, formulas: impl IntoIterator<Item = &'f Formula>, trust: Trust) -> bool {
        matches!(self.find(formulas, trust), Found::Never)
    }

    fn find<'f>(&self, formulas: impl IntoIterator<Item = &'f Formula>, trust: Trust) -> Found {
        let formulas: Vec<&Formula> = formulas.into_iter().collect();
        let Some(regions) = self.regions(&formulas) else { return Found::Unknown };
        let whole: Vec<Mask> = self
            .vars
            .iter()
            .zip(&regions)
            .map(|((domain, absence), regions)| match regions {
                Some(regions) => regions.whole(domain, *absence, trust),
                None => Mask::ALL,
            })
            .collect();
        let nodes: Vec<Node> = formulas.iter().map(|formula| node(formula, true, &regions)).collect();
        let mut search = Search { tries: 0 };
        match search.from(whole.clone(), nodes.iter().collect(), Vec::new()) {
            Ok(Some(masks)) => Found::Masks { regions, whole, masks },
            Ok(None) => Found::Never,
            Err(GaveUp) => Found::Unknown,
        }
    }

    /// Whether whoever makes `all` true makes `then` true.
    #[must_use]
    pub fn implies(&self, all: &[&Formula], then: &Formula, trust: Trust) -> bool {
        let not = then.clone().negated();
        self.is_never(all.iter().copied().chain([&not]), trust)
    }

    /// Of the variables that are asked. `None` where the formulas are too large.
    fn regions(&self, formulas: &[&Formula]) -> Option<Vec<Option<Regions>>> {
        let mut tests: Vec<(Var, &Test)> = Vec::new();
        for formula in formulas {
            collect(formula, &mut tests);
            if tests.len() > MOST_PARTS {
                return None;
            }
        }
        let mut by_var: Vec<Vec<&Test>> = vec![Vec::new(); self.vars.len()];
        for (var, test) in tests {
            by_var.get_mut(var.0)?.push(test);
        }
        let regions = self.vars.iter().zip(&by_var).map(|((domain, _), tests)| match tests.as_slice() {
            [] => Some(None),
            tests => Regions::new(domain, tests).map(Some),
        });
        regions.collect()
    }
}

fn collect<'f>(formula: &'f Formula, into: &mut Vec<(Var, &'f Test)>) {
    match formula {
        Formula::Const(_) => {}
        Formula::Is(var, test) => into.push((*var, test)),
        Formula::Not(inner) => collect(inner, into),
        Formula::And(parts) | Formula::Or(parts) => parts.iter().for_each(|part| collect(part, into)),
    }
}

/// A formula whose negations stand at the tests only, as sets of regions.
enum Node {
    Const(bool),
    In(usize, Mask),
    And(Vec<Node>),
    Or(Vec<Node>),
}

fn node(formula: &Formula, positive: bool, regions: &[Option<Regions>]) -> Node {
    let all = |parts: &[Formula]| parts.iter().map(|part| node(part, positive, regions)).collect();
    match formula {
        Formula::Const(value) => Node::Const(*value == positive),
        Formula::Is(var, test) => {
            let regions = regions.get(var.0).and_then(Option::as_ref);
            let mask = regions.map_or(Mask::NONE, |regions| regions.mask(test));
            Node::In(var.0, if positive { mask } else { Mask::ALL.without(mask) })
        }
        Formula::Not(inner) => node(inner, !positive, regions),
        Formula::And(parts) if positive => Node::And(all(parts)),
        Formula::Or(parts) if !positive => Node::And(all(parts)),
        Formula::And(parts) | Formula::Or(parts) => Node::Or(all(parts)),
    }
}

impl Node {
    /// Whether the regions that are left decide it.
    fn decided(&self, masks: &[Mask]) -> Option<bool> {
        match self {
            Self::Const(value) => Some(*value),
            Self::In(var, mask) => {
                let left = masks.get(*var).copied().unwrap_or(Mask::NONE);
                if left.is_in(*mask) {
                    return Some(true);
                }
                left.and(*mask).is_empty().then_some(false)
            }
            Self::And(parts) => all_of(parts, masks, true),
            Self::Or(parts) => all_of(parts, masks, false),
        }
    }
}

/// `and` with `whole` true, `or` with it false: one part of the other value decides.
fn all_of(parts: &[Node], masks: &[Mask], whole: bool) -> Option<bool> {
    let mut open = false;
    for part in parts {
        match part.decided(masks) {
            Some(value) if value == whole => {}
            Some(_) => return Some(!whole),
            None => open = true,
        }
    }
    (!open).then_some(whole)
}

struct GaveUp;

struct Search {
    tries: u32,
}

impl Search {
    fn from<'n>(
        &mut self,
        mut masks: Vec<Mask>,
        mut todo: Vec<&'n Node>,
        mut ors: Vec<&'n [Node]>,
    ) -> Result<Option<Vec<Mask>>, GaveUp> {
        if masks.iter().any(Mask::is_empty) {
            return Ok(None);
        }
        let open = loop {
            if !narrow(&mut masks, &mut todo, &mut ors) {
                return Ok(None);
            }
            match follow(&masks, &ors) {
                Follow::Never => return Ok(None),
                Follow::Must { nodes, rest } if !nodes.is_empty() => (todo, ors) = (nodes, rest),
                Follow::Must { rest, .. } => break rest,
            }
        };
        let fewest = open.iter().enumerate().min_by_key(|(at, parts)| (undecided(parts, &masks), *at));
        let Some((at, parts)) = fewest.map(|(at, parts)| (at, *parts)) else { return Ok(Some(masks)) };
        let rest: Vec<&[Node]> =
            open.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, ors)| *ors).collect();
        for part in parts.iter().filter(|part| part.decided(&masks).is_none()).collect::<Vec<_>>() {
            self.tries += 1;
            if self.tries > MOST_TRIES {
                return Err(GaveUp);
            }
            if let Some(found) = self.from(masks.clone(), vec![part], rest.clone())? {
                return Ok(Some(found));
            }
            // It leads nowhere, so it is false from here on.
            if let Node::In(var, mask) = part
                && let Some(left) = masks.get_mut(*var)
            {
                *left = left.without(*mask);
                if left.is_empty() {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }
}

/// Takes in what must be true; `false` if a variable has no region left.
fn narrow<'n>(masks: &mut [Mask], todo: &mut Vec<&'n Node>, ors: &mut Vec<&'n [Node]>) -> bool {
    while let Some(node) = todo.pop() {
        match node {
            Node::Const(true) => {}
            Node::Const(false) => return false,
            Node::In(var, mask) => {
                let Some(left) = masks.get_mut(*var) else { return false };
                *left = left.and(*mask);
                if left.is_empty() {
                    return false;
                }
            }
            Node::And(parts) => todo.extend(parts.iter().rev()),
            Node::Or(parts) => ors.push(parts),
        }
    }
    true
}

enum Follow<'n> {
    Never,
    /// The last alternatives of some, and those that still have several.
    Must {
        nodes: Vec<&'n Node>,
        rest: Vec<&'n [Node]>,
    },
}

fn follow<'n>(masks: &[Mask], ors: &[&'n [Node]]) -> Follow<'n> {
    let (mut nodes, mut rest) = (Vec::new(), Vec::new());
    for parts in ors {
        let mut open = None;
        let mut several = false;
        let mut holds = false;
        for part in *parts {
            match part.decided(masks) {
                Some(true) => holds = true,
                Some(false) => {}
                None => several |= open.replace(part).is_some(),
            }
        }
        match open {
            _ if holds => {}
            None => return Follow::Never,
            Some(only) if !several => nodes.push(only),
            Some(_) => rest.push(*parts),
        }
    }
    Follow::Must { nodes, rest }
}

fn undecided(parts: &[Node], masks: &[Mask]) -> usize {
    parts.iter().filter(|part| part.decided(masks).is_none()).count()
}
