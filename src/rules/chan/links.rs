//! CHAN-004: links lead to the bank, and no message asks for what a bank never asks for.

use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, rule};
use crate::rules::words::{HOLE, List};

rule! {
    CHAN_004 = "CHAN-004", Error, "a link away from the bank, or a request for secrets";
    packs: &[In::error(Pack::Core), In::error(Pack::Cn), In::error(Pack::Sg)],
    basis: &[
        Basis::new(Mark::Secondary, "金融产品网络营销管理办法（2026-09-30 起施行）：在自有平台办理"),
        Basis::new(Mark::Primary, "反电信网络诈骗法 第30条"),
        Basis::new(Mark::Known, "MAS and ABS (Singapore): no clickable links in bank messages"),
    ],
    reads: "addresses in every copy: public shorteners and `http://` always, other hosts where `[rules] domains` of wayfare.toml \
            names the bank's own. Phrases that ask for passwords or codes, unless denied",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let domains = &context.chosen.domains;
    for said in &context.said {
        for arm in &said.arms {
            for (range, host) in addresses(&arm.text) {
                let plain = arm.text.get(range.clone()).is_some_and(|text| text.starts_with("http://"));
                let short = arm.text.get(range.clone()).unwrap_or_default();
                let is_short = crate::rules::words::has(short, List::Shortener);
                let own = domains.is_empty()
                    || domains.iter().any(|own| host == *own || host.ends_with(&format!(".{own}")));
                let (headline, help) = if is_short {
                    (
                        format!("`{host}` shortens links for anybody"),
                        "use the bank's own address: customers learn to trust nothing else",
                    )
                } else if !own {
                    (
                        format!("`{host}` is not the bank"),
                        "link to a page of the bank, or name the host in `domains` of `[rules]`",
                    )
                } else if plain {
                    (format!("`{host}` is called without encryption"), "write `https://`")
                } else {
                    continue;
                };
                let finding = out
                    .at(said.place(context.sources, arm, &range), headline)
                    .label("customers are led here")
                    .help(help);
                out.push(context.about(said.content), finding);
            }
        }
        for (arm, hit) in said.says(List::AsksSecret) {
            let finding = out
                .at(
                    said.place(context.sources, arm, &hit.range),
                    format!("`{}` asks for what a bank never asks for", hit.entry),
                )
                .label("as frauds do")
                .help("lead to the app, where the customer proves who he is");
            out.push(context.about(said.content), finding);
        }
    }
}

/// Addresses in a text with their hosts, lower-case.
fn addresses(text: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let mut found = Vec::new();
    for scheme in ["https://", "http://"] {
        for (at, _) in text.match_indices(scheme) {
            let rest = text.get(at..).unwrap_or_default();
            let is_end =
                |c: char| c.is_whitespace() || c == HOLE || !c.is_ascii() || matches!(c, '"' | ')' | ',');
            let end = rest.find(is_end).unwrap_or(rest.len());
            let host = rest.get(scheme.len()..end).unwrap_or_default();
            let host = host.split(['/', '?', '#', ':']).next().unwrap_or_default().to_lowercase();
            if !host.is_empty() {
                found.push((at..at + end, host));
            }
        }
    }
    found
}
