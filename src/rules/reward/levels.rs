//! REWARD-005: invitations pay for one level, are bounded, and nobody invites himself.

use crate::expr::Source;
use crate::model::Referral;
use crate::name::Name;
use crate::program::value::GRANTED;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};

rule! {
    REWARD_005 = "REWARD-005", Error, "invitations that pay down a chain";
    packs: &[In::error(Pack::Cn), In::error(Pack::Core)],
    basis: &[Basis::new(Mark::Primary, "禁止传销条例第2、7条")],
    firm: true,
    reads: "a `referral`: that what counts is something the invited customer does, and not something he is given for inviting others in turn; \
            a `limit` for each inviter; `refuse self`. Whether joining costs a fee is not said anywhere",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for (name, referral) in &context.model.referrals {
        let place = context.declared_at(*name);
        if pays_for_paying(referral) {
            let finding = out
                .at(place, format!("`{name}` pays for what invited customers are paid"))
                .label("a reward of a reward: a second level")
                .help("count what the invited customer does himself: a first payment, an account opened");
            out.push([*name], finding);
        }
        if referral.limits.is_empty() && referral.inviter.is_some() {
            let finding = out
                .warn(place, format!("`{name}` pays one inviter without end"))
                .label("no limit for each inviter")
                .help("write `limit 10 per inviter per month`");
            out.push([*name], finding);
        }
        if !referral.refuse.contains(&Name::new("self")) {
            let finding = out
                .warn(place, format!("with `{name}` somebody may invite himself"))
                .label("`self` is not refused")
                .help("write `refuse self, cycle`");
            out.push([*name], finding);
        }
    }
}

/// Whether giving counts as what the invited customer has done.
fn pays_for_paying(referral: &Referral) -> bool {
    referral
        .qualify
        .iter()
        .any(|pattern| matches!(&pattern.source, Source::Event(event) if event.as_str() == GRANTED))
}
