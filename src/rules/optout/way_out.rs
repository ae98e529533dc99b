//! OPTOUT-001: a text message or mail of marketing says who sends it and how to make it stop.

use crate::diagnostic::Fix;
use crate::rules::context::{Context, is_mail, is_sms};
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, Mend, rule};
use crate::rules::said::Said;
use crate::rules::words::{List, is_han};

rule! {
    OPTOUT_001 = "OPTOUT-001", Error, "marketing without a sender or a way out";
    packs: &[In::error(Pack::Core)],
    basis: &[
        Basis::new(Mark::Primary, "广告法（2021）第43条第2款"),
        Basis::new(Mark::Secondary, "CAN-SPAM Act"),
        Basis::new(Mark::Secondary, "Spam Act 2003 (Australia)"),
        Basis::new(Mark::Known, "UEMO Cap. 593 (Hong Kong)"),
    ],
    purposes: &["marketing"],
    mend: Mend::Edit,
    reads: "copies for text messages (`segments`, or a channel called `sms`) and mail; apps and WeChat bring a switch of their own. \
            A postal address in mail (us) is not looked for",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    for said in context.said.iter().filter(|said| said.part.as_str() == "body") {
        let Some(channel) = context.channel(said.channel) else { continue };
        let (sms, mail) = (is_sms(channel), is_mail(channel));
        let by_it = |message: &&crate::rules::context::Message| message.channel.name == said.channel;
        let mut sends = context.users(said.content.name).filter(by_it);
        let Some(send) = sends.find(|one| one.journey.purpose.as_str() == "marketing") else { continue };
        if !sms && !mail {
            continue;
        }
        let chinese = said.arms.iter().any(|arm| arm.text.chars().any(is_han));
        let example = if chinese { "拒收请回复R" } else { "Reply STOP to opt out" };
        if said.arms.iter().any(|arm| !arm.has(List::OptOut)) {
            let headline = format!("`{}` does not say how to make it stop", said.content.name);
            let mut finding = out
                .at(said.span, headline)
                .label(format!("no way out in what goes by `{}`", said.channel))
                .also(send.span, format!("marketing of `{}`", send.journey.name))
                .help(format!("write `{example}` at its end"));
            if sms && let Some(end) = end(context, said) {
                finding = finding.with_fix(Fix::suggested(format!("add `{example}`")).replace(end, example));
            }
            out.push_of(context.about(said.content), [send.step], None, finding);
        }
        if sms && chinese && said.arms.iter().any(|arm| !(arm.text.contains('【') && arm.text.contains('】')))
        {
            let headline = format!("`{}` does not say who sends it", said.content.name);
            let finding = out
                .at(said.span, headline)
                .label("no signature in 【】")
                .also(send.span, format!("marketing of `{}`", send.journey.name))
                .help("begin with the name of the bank: `【示例银行】`");
            out.push_of(context.about(said.content), [send.step], None, finding);
        }
    }
}

/// The place before the quotes that end a copy of one line.
fn end(context: &Context, said: &Said) -> Option<crate::text::Span> {
    let text = context.sources.slice(said.span);
    let quotes = if text.ends_with("\"\"\"") { 3 } else { 1 };
    let one_line = !text.contains('\n') && text.ends_with('"');
    let end = said.span.range().end.checked_sub(quotes)?;
    one_line.then(|| crate::text::Span::new(said.span.file, end, end))
}
