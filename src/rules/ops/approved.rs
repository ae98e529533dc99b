//! OPS-001: what marketing sends is what was approved, to the letter.

use jiff::ToSpan;

use crate::diagnostic::{Diagnostic, Fix};
use crate::model::Content;
use crate::model::govern::{Approval, Approving};
use crate::name::Name;
use crate::rules::bound;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

const DAY_MS: i64 = 86_400_000;

rule! {
    OPS_001 = "OPS-001", Error, "something that is sent and was not approved";
    packs: &[In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法第16条：营销宣传内容事前审核并留痕"),
        Basis::new(Mark::Primary, "个人信息保护法第55、56条（个人信息保护影响评估）"),
        Basis::new(Mark::Known, "FCA COBS 4: sign-off of promotions"),
    ],
    firm: true,
    purposes: &["marketing"],
    reads: "where a policy says `approve content by ROLE, …`: every content that marketing sends says of each role who has `approved` it and \
            when, and `binds` the digest of what stood there. Comments, blanks and the approvals themselves do not count, any other sign \
            does. An approval is good for as long as the policy's `review every …`, without one for ever; nobody approves what he owns",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let policies = context.model.policies.values().filter(|policy| !policy.approving.is_empty());
    for policy in policies {
        let days = policy.review.map(|(every, _)| every.at_most_ms() / DAY_MS);
        for content in context.contents().filter(|content| context.is_marketing(content.name)) {
            let Some(now) =
                context.decl(content.name).map(|decl| bound::of_content(context.sources, decl, content))
            else {
                continue;
            };
            for approving in &policy.approving {
                for role in &approving.by {
                    if let Some(finding) = lacking(context, content, (*role, days), &now, out) {
                        out.push(context.about(content), asked(finding, approving));
                    }
                }
            }
        }
    }
}

fn asked(finding: Diagnostic, approving: &Approving) -> Diagnostic {
    finding.also(approving.span, "a policy asks for it")
}

/// What is wrong with how this role has approved the content; of several approvals the last one counts.
fn lacking(
    context: &Context,
    content: &Content,
    (role, days): (Name, Option<i64>),
    now: &str,
    out: &Out,
) -> Option<Diagnostic> {
    let name = content.name;
    let of_role = |one: &&Approval| {
        one.by
            .split_once(':')
            .is_some_and(|(by, person)| by.trim() == role.as_str() && !person.trim().is_empty())
    };
    let Some(last) = content.approvals.iter().filter(of_role).max_by_key(|one| one.on) else {
        let headline = format!("`{name}` is sent, and nobody of `{role}` has approved it");
        let finding = out.at(context.declared_at(name), headline).label("not approved");
        return Some(finding.help(format!(
            "let `{role}` read it, and then write `approved by \"{role}:…\" on {} binds \"{now}\"`",
            context.chosen.as_of
        )));
    };
    let by = &last.by;
    if let Some((_, span)) = last.binds.as_ref().filter(|(binds, _)| **binds != *now) {
        let headline = format!("`{name}` is not any more what `{by}` approved on {}", last.on);
        let finding =
            out.at(*span, headline).label("the digest of something else").note(format!("it is `{now}` now"));
        return Some(finding.help(format!(
            "let `{by}` read it again, and then write the day of that and `binds \"{now}\"`"
        )));
    }
    if last.binds.is_none() {
        let finding = out
            .at(last.span, format!("nobody knows what of `{name}` was approved"))
            .label("says who and when, and not what");
        let line = format!(" binds \"{now}\"");
        let end = crate::text::Span { start: last.span.end, ..last.span };
        return Some(
            finding
                .help(format!("write `binds \"{now}\"` behind it"))
                .with_fix(Fix::suggested("bind it to what stands there today").replace(end, line)),
        );
    }
    if context.chosen.as_of < last.on {
        return Some(
            out.at(last.span, format!("`{name}` is to be approved on {} only", last.on))
                .label("a day that has not come")
                .help("write the day on which it was approved"),
        );
    }
    let until = days.map(|days| last.on.saturating_add(days.days()));
    if let Some(until) = until.filter(|until| *until < context.chosen.as_of) {
        let finding = out
            .at(last.span, format!("the approval of `{name}` has run out on {until}"))
            .label(format!("by `{by}` on {}", last.on));
        return Some(finding.help(format!("let `{role}` read it again, and write the day of that")));
    }
    let person = by.split_once(':').map_or("", |(_, person)| person.trim());
    let own = context.users(name).find(|message| message.journey.owner.split('@').next() == Some(person))?;
    let finding = out
        .at(last.span, format!("`{by}` approves what goes out in his own name"))
        .label("owner and approver are one");
    Some(
        finding
            .also(own.journey.span, format!("owned by `{}`", own.journey.owner))
            .help("let somebody else read it"),
    )
}
