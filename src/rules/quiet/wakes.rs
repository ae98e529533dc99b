//! QUIET-001: marketing wakes nobody.

use crate::analysis::clock::{minute, times};
use crate::diagnostic::Fix;
use crate::model::govern::Quiet;
use crate::rules::context::Context;
use crate::rules::finding::Out;
use crate::rules::freq::disturbs;
use crate::rules::pack::Pack;
use crate::rules::rule::{Basis, In, Mark, Mend, rule};

/// Minutes of the day, from and to; of several packs the widest.
const QUIET: (i64, i64) = (22 * 60, 8 * 60);
const QUIET_STRICT: (i64, i64) = (21 * 60, 8 * 60);

rule! {
    QUIET_001 = "QUIET-001", Error, "marketing that may come at night";
    packs: &[
        In::warning(Pack::Cn),
        In::error(Pack::Us),
        In::warning(Pack::Eu),
        In::warning(Pack::Uk),
        In::error(Pack::In),
        In::warning(Pack::Sg),
        In::warning(Pack::Hk),
        In::error(Pack::Au),
    ],
    basis: &[
        Basis::new(Mark::Primary, "民法典第1033条（私人生活安宁）；中国没有查到法定的短信时段，08:00–22:00 为内部口径"),
        Basis::new(Mark::Practice, "carriers in China: 8:00 to 20:00 or 21:00"),
        Basis::new(Mark::Secondary, "47 CFR 64.1200(c)(1): 8:00 to 21:00 local time"),
        Basis::new(Mark::Secondary, "ACMA: calls Monday to Friday 9-20, Saturday 9-17"),
        Basis::new(Mark::Known, "India: promotional 10:00 to 21:00"),
    ],
    purposes: &["marketing"],
    mend: Mend::Words,
    reads: "the analysis of times of the day: a schedule is at its own time, an event at any. `quiet` of any policy, or of the journey, \
            that covers the night keeps it at run time, and then nothing is told; one that does not hold until its end (`defer`) does not. Days of the week and public holidays are not looked at",
    check: check,
}

fn check(context: &Context, out: &mut Out) {
    let strict = [Pack::Us, Pack::Au, Pack::In].iter().any(|pack| context.chosen.packs.contains(pack));
    let (from, to) = if strict { QUIET_STRICT } else { QUIET };
    if context.model.policies.values().filter_map(|policy| policy.quiet).any(|quiet| keeps(&quiet, from, to))
    {
        return;
    }
    for looked in context.marketing(|case| context.sends_by(case, disturbs)) {
        let (flow, journey) = (&looked.flow, looked.flow.journey);
        if journey.quiet.is_some_and(|quiet| keeps(&quiet, from, to)) {
            continue;
        }
        let times = times(flow);
        let mut found = flow.messages().filter_map(|(at, message)| {
            context.channel(message.channel).filter(|channel| disturbs(channel))?;
            let times = times.get(at.index())?;
            Some((flow.node(at)?, message, times.first_within(from, to)?, times.is_any()))
        });
        let Some((node, message, first, any)) = found.next() else { continue };
        let at = if any { "at any time of the day".to_owned() } else { format!("at {}", minute(first)) };
        let mut finding = out
            .at(node.span, format!("`{}` may wake somebody", journey.name))
            .label(format!("may leave via `{}` {at}", message.channel))
            .help(format!(
                "write `quiet {}..{}` into a policy, or into the journey",
                minute(from),
                minute(to)
            ));
        for (node, ..) in found.take(3) {
            finding = finding.also(node.span, "and this one");
        }
        let line = format!("quiet {}..{}\n  ", minute(from), minute(to));
        let purpose = context.word_in(journey.name, "purpose");
        let start = crate::text::Span { end: purpose.start, ..purpose };
        finding = finding.with_fix(Fix::suggested("hold it over the night").replace(start, line));
        out.push_of([journey.name], [node.id], None, finding);
    }
}

/// Whether it is quiet from and to these minutes of the day at least.
fn keeps(quiet: &Quiet, from: i64, to: i64) -> bool {
    const DAY: i64 = 24 * 60;
    let minute = |time: jiff::civil::Time| i64::from(time.hour()) * 60 + i64::from(time.minute());
    let (start, end) = (minute(quiet.from), minute(quiet.to));
    let behind = (from - start).rem_euclid(DAY);
    quiet.defer.is_none() && behind + (to - from).rem_euclid(DAY) <= (end - start).rem_euclid(DAY)
}
