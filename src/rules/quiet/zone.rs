//! QUIET-002: quiet times go by the clock of whom they protect.

use crate::expr::{Expr, Owner};
use crate::name::Name;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::freq::disturbs;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, Mend, rule};

/// The attribute by which the gate finds a customer's clock.
const ZONE: &str = "zone";

rule! {
    QUIET_002 = "QUIET-002", Error, "quiet by a clock that is not the customer's";
    packs: &[In::error(Pack::Us), In::error(Pack::Au), In::warning(Pack::Eu), In::warning(Pack::Uk)],
    basis: &[
        Basis::new(Mark::Secondary, "47 CFR 64.1200(c)(1): local time at the called party's location"),
        Basis::new(Mark::Known, "Australia: the recipient's own time, by state"),
    ],
    purposes: &["marketing"],
    mend: Mend::Words,
    reads: "whether whoever marketing disturbs (text messages, calls, pushes) has an attribute `zone`: without one, and where it is not known, the \
            gate takes the bank's own. Where it may be missing, a condition `zone is known` on every way to the message. Countries with one \
            clock (cn, sg, hk, in) are not asked",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for looked in context.marketing(|case| context.sends_by(case, disturbs)) {
        let (flow, journey) = (&looked.flow, looked.flow.journey);
        let Some(entity) = context.model.entities.get(&journey.root) else { continue };
        let zone = entity.field(Name::new(ZONE));
        let is_sure = zone.is_some_and(|zone| !zone.ty.is_optional());
        let owner = if journey.root == journey.subject { Owner::Subject } else { Owner::Parent };
        let known = Expr::Known(Box::new(Expr::Attr(owner, Name::new(ZONE))), true);
        let mut mind = looked.facts.mind.clone();
        let mut found = flow.messages().filter(|(at, message)| {
            let disturbs = context.channel(message.channel).is_some_and(disturbs);
            let mut proved = |at| zone.is_some() && mind.implies(&looked.facts.now(at), &known);
            disturbs && !is_sure && !proved(*at)
        });
        let Some(node) = found.next().and_then(|(at, _)| flow.node(at)) else { continue };
        let finding = out
            .at(node.span, format!("`{}` keeps quiet by the bank's clock", journey.name))
            .label("where it is night for the customer, it may be day for the bank")
            .also(entity.span, if zone.is_some() { "`zone` may be missing" } else { "has no `zone`" });
        let finding = if zone.is_some() {
            finding.help("write `if zone is known { … }` around it, or `zone : Text` without the `?`")
        } else {
            finding
                .help("add `zone : Text` to it, such as `America/Chicago`, and hand it in with the customer")
        };
        out.push([journey.name], finding);
    }
}
