//! PRIV: who gets to see what is personal.

pub(super) mod leak;
pub(super) mod others;
pub(super) mod sensitive;

use std::collections::BTreeSet;

use crate::expr::{Expr, Function};
use crate::model::Field;
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::reads::{self, Read};
use crate::rules::said::Said;

/// A personal attribute that a hole prints.
struct Printed<'a> {
    entity: Name,
    field: &'a Field,
}

impl Printed<'_> {
    fn class(&self) -> &'static str {
        let class = self.field.class.map_or("", Name::as_str);
        class.split('.').next().unwrap_or_default()
    }
}

/// The attributes with a class of data that the holes of a copy print unmasked; also what journeys hand over as
/// arguments.
fn printed<'a>(context: &'a Context, said: &Said) -> Vec<Printed<'a>> {
    let content = said.content;
    let mut found = BTreeSet::new();
    let subject = content.reads.or_else(|| context.users(content.name).map(|one| one.journey.root).next());
    for hole in said.holes() {
        let mut open = Vec::new();
        shown(hole, &mut open);
        for part in open {
            if let Some(subject) = subject {
                found.extend(attribute(context, subject, &content.uses, part));
            }
            if let Expr::Param(name) = part {
                for message in context.users(content.name) {
                    let given = message.args.iter().filter(|(known, _)| known == name);
                    for (_, value) in given {
                        let mut open = Vec::new();
                        shown(value, &mut open);
                        let journey = message.journey;
                        found.extend(
                            open.into_iter()
                                .filter_map(|part| attribute(context, journey.subject, &journey.uses, part)),
                        );
                    }
                }
            }
        }
    }
    let fields = found.into_iter().filter_map(|(entity, name)| {
        let field = reads::field(context.model, entity, name)?;
        field.class.is_some().then_some(Printed { entity, field })
    });
    fields.collect()
}

fn attribute(
    context: &Context,
    subject: Name,
    uses: &crate::model::Uses,
    part: &Expr,
) -> Option<(Name, Name)> {
    if !matches!(part, Expr::Attr(..) | Expr::Reference { .. }) {
        return None;
    }
    match reads::of(context.model, subject, uses, part).into_iter().next() {
        Some(Read::Attribute(entity, name)) => Some((entity, name)),
        _ => None,
    }
}

/// The parts of an expression whose value is printed; what is masked is not.
fn shown<'e>(expr: &'e Expr, open: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Call(Function::Mask, _) => {}
        Expr::Call(_, args) => args.iter().for_each(|arg| shown(arg, open)),
        Expr::Otherwise(value, other) => {
            shown(value, open);
            shown(other, open);
        }
        other => open.push(other),
    }
}
