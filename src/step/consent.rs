//! What somebody says of being written to, by whatever way: kept in the ledger of the row, and heeded at once. What waits
//! and may not leave any more is refused in the same step.

use std::sync::Arc;

use super::gate::person;
use super::input::{Event, EventKind};
use super::message;
use super::occurrence::identity;
use super::run::{Run, whole_ms};
use super::scene::ROOT;
use super::state::{Agreement, Listed, MAX_AGREEMENTS, MAX_LISTED};
use super::trace::Decision;
use crate::name::Name;
use crate::program::policy::{MARKETING, PURPOSES};
use crate::value::Value;

/// Alone in a message these say that no more is wanted.
const WORDS: [&str; 19] = [
    "T",
    "TD",
    "R",
    "N",
    "0000",
    "退",
    "退订",
    "拒收",
    "取消",
    "停止",
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "QUIT",
    "END",
    "CANCEL",
    "REVOKE",
    "OPTOUT",
    "REMOVE",
];
/// So do these anywhere in it, unless a word before them denies it.
const PHRASES: [&str; 20] = [
    "退订",
    "拒收",
    "取消订阅",
    "不要再发",
    "别再发",
    "不要给我发",
    "不要再给我发",
    "不要发了",
    "不要发短信",
    "别给我发",
    "别再给我发",
    "别发了",
    "请勿再发",
    "停止发送",
    "拒绝接收",
    "不再接收",
    "UNSUBSCRIBE",
    "OPT OUT",
    "STOP SENDING",
    "DO NOT CONTACT",
];
const DENIALS: [&str; 5] = ["不", "别", "勿", "NOT ", "N'T "];

/// `wayfare.consent`
pub(super) fn take(
    run: &mut Run,
    event: &Event,
    about: (Option<Name>, Option<Name>),
    given: bool,
    wording: &Arc<str>,
) {
    note(run, event, about, given, (&event.source, wording));
}

/// Somebody wrote to us; of a message that it answers, the purpose.
pub(super) fn hear(run: &mut Run, event: &Event, (channel, purpose): (Name, Option<Name>), text: &str) {
    let Some(word) = stop_word(text) else { return };
    // Who answers to what needs no consent wants no marketing.
    let purpose = purpose.filter(|purpose| person::needs_consent(run, *purpose));
    let about = (Some(channel), Some(purpose.unwrap_or_else(|| Name::new(MARKETING))));
    note(run, event, about, false, (&word, &Arc::from("")));
}

fn note(
    run: &mut Run,
    event: &Event,
    (channel, purpose): (Option<Name>, Option<Name>),
    given: bool,
    (how, wording): (&Arc<str>, &Arc<str>),
) {
    let said = Agreement {
        channel: channel.map(|channel| run.sym(channel)),
        purpose: purpose.map(|purpose| run.sym(purpose)),
        given,
        at: whole_ms(event.time).min(run.now),
        how: how.clone(),
        wording: wording.clone(),
        event: identity(event),
    };
    run.trace_root(Decision::Consent {
        channel: said.channel,
        purpose: said.purpose,
        given,
        how: how.clone(),
    });
    let agreements = &mut run.state.agreements;
    let same = |known: &Agreement| known.channel == said.channel && known.purpose == said.purpose;
    match agreements.iter_mut().find(|known| same(known)) {
        // What was said later counts, whatever arrives first; of two at once the refusal.
        Some(known) if (known.at, !known.given) > (said.at, !said.given) => return,
        Some(known) => *known = said,
        None => {
            if agreements.len() >= MAX_AGREEMENTS {
                agreements.remove(0);
            }
            agreements.push(said);
        }
    }
    show(run, channel, purpose, given);
    message::stop(run);
}

/// Journeys see it in the attribute.
fn show(run: &mut Run, channel: Option<Name>, purpose: Option<Name>, given: bool) {
    let fields = run.world.index().entities.get(&run.root.entity).map(|entity| entity.fields.as_slice());
    let fields: Vec<Name> = fields.unwrap_or_default().iter().map(|field| field.name).collect();
    for known in
        PURPOSES.into_iter().map(Name::new).filter(|known| purpose.is_none_or(|purpose| purpose == *known))
    {
        let attribute = person::attribute(known);
        if !fields.contains(&attribute) {
            continue;
        }
        let sym = run.sym(attribute);
        let mut agreed = match run.state.attribute(&ROOT, sym) {
            Some(Value::List(channels)) => channels.clone(),
            _ => Vec::new(),
        };
        match (channel, given) {
            (Some(channel), true) if !agreed.contains(&Value::Choice(channel)) => {
                agreed.push(Value::Choice(channel));
            }
            (Some(channel), false) => agreed.retain(|known| *known != Value::Choice(channel)),
            (None, false) => agreed.clear(),
            _ => {}
        }
        run.state.set_attribute(&ROOT, sym, Value::List(agreed));
        (run.attributes_changed, run.moved) = (true, true);
    }
}

/// `wayfare.listed`
pub(super) fn list(run: &mut Run, event: &Event) {
    let EventKind::Listed { list, channel, purpose, on, until } = &event.kind else { return };
    let entry = Listed {
        list: list.clone(),
        channel: channel.map(|channel| run.sym(channel)),
        purpose: purpose.map(|purpose| run.sym(purpose)),
        at: whole_ms(event.time),
        until: until.map(whole_ms),
    };
    run.trace_root(Decision::Listed { list: list.clone(), on: *on, until: entry.until });
    let now = run.now;
    let listed = &mut run.state.listed;
    listed.retain(|known| {
        let same =
            known.list == entry.list && known.channel == entry.channel && known.purpose == entry.purpose;
        !same && known.until.is_none_or(|until| now < until)
    });
    if *on {
        if listed.len() >= MAX_LISTED {
            listed.remove(0);
        }
        listed.push(entry);
        message::stop(run);
    }
}

/// The word that says that no more is wanted.
fn stop_word(text: &str) -> Option<Arc<str>> {
    // Full-width letters are what some keyboards write.
    let narrow = |c: char| match u32::from(c) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        0x3000 => ' ',
        _ => c,
    };
    let text: String = text.chars().map(narrow).collect::<String>().to_uppercase();
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
    let bare = bare.strip_prefix("回复").unwrap_or(bare);
    if let Some(word) = WORDS.into_iter().find(|word| *word == bare) {
        return Some(word.into());
    }
    let found = PHRASES.into_iter().find(|phrase| {
        text.find(phrase).is_some_and(|at| {
            let before = text.get(..at).unwrap_or_default();
            !DENIALS.into_iter().any(|denial| before.ends_with(denial))
        })
    });
    found.map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::stop_word;

    #[test]
    fn no_more_is_understood_in_either_language_and_only_where_it_is_said() {
        for text in [
            "TD",
            "td",
            "ＴＤ",
            " 退订 ",
            "回复TD",
            "拒收",
            "请帮我退订短信",
            "你们别发了",
            "不要再给我发短信了！",
            "请停止发送",
            "本人拒绝接收此类信息",
            "Stop",
            "STOP!",
            "unsubscribe me",
        ] {
            assert!(stop_word(text).is_some(), "{text}");
        }
        for text in [
            "",
            "好的",
            "T恤有货吗",
            "我不退订",
            "短信别停止发送",
            "明天停止营业吗",
            "Weekend",
            "endless",
            "谢谢",
            "don't unsubscribe me",
        ] {
            assert!(stop_word(text).is_none(), "{text}");
        }
    }
}
