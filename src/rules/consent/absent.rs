//! CONSENT-001: no marketing to people of whom the journey itself knows that they have not agreed.

use crate::expr::Expr;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::flows::{Case, consent_has, consents};
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, Mend, rule};

rule! {
    CONSENT_001 = "CONSENT-001", Error, "marketing where nobody has agreed";
    packs: &[
        In::error(Pack::Core),
        In::error(Pack::Cn),
        In::error(Pack::Hk),
        In::error(Pack::Eu),
        In::error(Pack::Uk),
        In::error(Pack::Au),
        In::error(Pack::In),
        In::error(Pack::Us),
    ],
    basis: &[
        Basis::new(Mark::Primary, "广告法第43条"),
        Basis::new(Mark::Secondary, "通信短信息服务管理规定（2026-05-01 起施行）"),
        Basis::new(Mark::Primary, "个人信息保护法第13、14条"),
        Basis::new(Mark::Secondary, "PECR reg. 22; Spam Act 2003; 47 CFR 64.1200(a)(2)"),
    ],
    firm: true,
    purposes: &["marketing"],
    mend: Mend::Nobody,
    reads: "the conditions on every way to a message, against the attribute `consent`: told where they prove that whoever comes there has no \
            consent for its channel. Where they say nothing the gate asks at run time, always, and nothing can switch that off",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for looked in context.marketing(Case::asks_consent) {
        let flow = &looked.flow;
        let Some(owner) = consents(context, flow.journey) else { continue };
        let mut mind = looked.facts.mind.clone();
        for (at, message) in flow.messages() {
            let known = looked.facts.now(at);
            let agreed = consent_has(owner, message.channel);
            let not = Expr::Not(Box::new(agreed));
            if known.is_empty() || !mind.implies(&known, &not) {
                continue;
            }
            let Some(node) = flow.node(at) else { continue };
            let mut finding = out
                .at(node.span, format!("nobody who comes here has agreed to `{}`", message.channel))
                .label("the gate refuses all of it")
                .help("ask through a channel that they agreed to, or leave them alone");
            for (words, span) in known.iter().filter_map(|fact| looked.facts.mind.told(*fact)).take(3) {
                finding = finding.also(span, format!("from here on, {words}"));
            }
            out.push_of([flow.journey.name], [node.id], None, finding);
        }
    }
}
