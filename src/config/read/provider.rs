//! `[providers.NAME]`, and channels with `provider = "…"`: whom messages go to.

mod http;
mod preset;

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Entry, Given, Inputs, Section, Set, Target, Value, check_url, required, secret, timeout};
use crate::config::pattern::{Braces, Pattern};
use crate::config::provider::{Kind, Line, Provider, Rate, Smtp, Template, Templates, Tls};
use crate::config::{Channel, Secret};
use crate::diagnostic::{Diagnostic, code, suggest};
use crate::name::Name;

/// The shortest key worth having.
const KEY_LENGTH: usize = 8;

const KINDS: [&str; 11] = [
    "smtp",
    "http",
    "aliyun_sms",
    "tencent_sms",
    "twilio",
    "fcm",
    "jpush",
    "wechat_template",
    "wecom_robot",
    "wecom_customer",
    "outbound_call",
];

/// The providers that channels share, by name; `None`: something is wrong with it, and has been reported.
pub(super) type Known = BTreeMap<String, Option<Provider>>;

pub(super) fn providers(mut section: Section, inputs: &Inputs) -> Known {
    let mut known = Known::new();
    for (name, entry) in section.entries() {
        let path = section.name(&name);
        let Value::Table(settings) = entry.value else {
            let headline = format!("a section `[{path}]` is needed here");
            section
                .report(Diagnostic::new(code::SETTING_VALUE, entry.span, headline).label("this is a value"));
            continue;
        };
        let mut inner = Section::new(path, settings, entry.key, &mut *section.findings);
        let provider = provider(&mut inner, &name, inputs).map(|it| Provider { shared: true, ..it });
        inner.finish();
        known.insert(name, provider);
    }
    known
}

/// The channel names none.
pub(super) struct NoProvider;

/// A channel's own provider, or its list of them; `None` where something is wrong with it, and has been reported.
pub(super) fn channel(
    section: &mut Section,
    name: &str,
    inputs: &Inputs,
    known: &Known,
) -> Result<Option<Channel>, NoProvider> {
    if section.has("providers") {
        let list = section.text("providers");
        return Ok(list.and_then(|list| ordered(section, &list, known)));
    }
    if !section.has("provider") {
        return Err(NoProvider);
    }
    Ok(provider(section, name, inputs).map(|provider| Channel::Providers(vec![provider])))
}

/// `"a, b"`: in this order.
fn ordered(section: &mut Section, list: &Set<String>, known: &Known) -> Option<Channel> {
    let (mut found, mut whole) = (Vec::<Provider>::new(), true);
    for name in list.value.split(',').map(str::trim) {
        match known.get(name) {
            Some(Some(provider)) if !found.iter().any(|other| other.name == name) => {
                found.push(provider.clone());
            }
            Some(Some(_)) => {
                section.bad_value::<()>("providers", list.span, "each provider once");
                whole = false;
            }
            Some(None) => whole = false,
            None => {
                let headline = format!("there is no provider `{name}`");
                let help = suggest::did_you_mean(name, known.keys().map(String::as_str))
                    .unwrap_or_else(|| format!("write a section `[providers.{name}]`"));
                section.report(Diagnostic::new(code::SETTING_VALUE, list.span, headline).help(help));
                whole = false;
            }
        }
    }
    whole.then_some(Channel::Providers(found))
}

fn provider(section: &mut Section, name: &str, inputs: &Inputs) -> Option<Provider> {
    let wanted = required(section, "provider", "provider = \"smtp\"");
    let line = line(section, inputs);
    let wanted = wanted?;
    let kind = match wanted.value.as_str() {
        "smtp" => smtp(section, inputs, line.allow_private).map(Kind::Smtp),
        "http" => http::http(section, inputs, line.allow_private).map(|http| Kind::Http(Box::new(http))),
        "outbound_call" => {
            http::outbound_call(section, inputs, line.allow_private).map(|http| Kind::Http(Box::new(http)))
        }
        other => {
            preset::preset(section, other, inputs, line.allow_private).unwrap_or_else(|preset::Unknown| {
                let known = || format!("known providers: {}", KINDS.join(", "));
                let help = suggest::did_you_mean(other, KINDS).unwrap_or_else(known);
                let headline = format!("there is no provider `{other}`");
                section.report(Diagnostic::new(code::SETTING_VALUE, wanted.span, headline).help(help));
                // What else is set cannot be judged.
                section.entries();
                None
            })
        }
    };
    kind.map(|kind| Provider { name: name.to_owned(), line, kind, shared: false })
}

fn line(section: &mut Section, inputs: &Inputs) -> Line {
    let timeout =
        section.parsed("timeout", "a time from 1 second to 5 minutes, such as `10 seconds`", timeout);
    let allow_private = section.flag("allow_private").unwrap_or(false);
    let ca = section.text("ca_file").and_then(|file| super::from_file(section, &file, inputs));
    let rate = section.parsed("rate", "a rate, such as `100 per second`", rate);
    let sends = section.integer("sends", 1, 10_000).and_then(|sends| usize::try_from(sends).ok());
    Line {
        timeout: timeout.map_or(Duration::from_secs(10), |timeout| timeout.value),
        allow_private,
        ca: ca.map(|ca| ca.value),
        rate: rate.map(|rate| rate.value),
        sends: sends.unwrap_or(64),
    }
}

/// `100 per second`, also `minute`, `hour`, `day`.
fn rate(text: &str) -> Option<Rate> {
    let (count, unit) = text.split_once(" per ")?;
    let per_ms = match unit {
        "second" => 1_000,
        "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => 86_400_000,
        _ => return None,
    };
    let count = count.parse().ok().filter(|count| *count > 0)?;
    Some(Rate { count, per_ms })
}

fn smtp(section: &mut Section, inputs: &Inputs, allow_private: bool) -> Option<Smtp> {
    let host = required(section, "host", "host = \"smtp.example.com\"");
    let modes = "`starttls`, `implicit`, or `off` with `allow_private`";
    let tls = section.parsed("tls", modes, |tls| match tls {
        "starttls" => Some(Tls::StartTls),
        "implicit" => Some(Tls::Implicit),
        "off" if allow_private => Some(Tls::Off),
        _ => None,
    });
    let tls = tls.map_or(Tls::StartTls, |tls| tls.value);
    let port = section.integer("port", 1, 65_535).and_then(|port| u16::try_from(port).ok());
    let user = section.text("user");
    let password = match &user {
        Some(_) => sealed(section, ["password", "password_file"], 1, inputs).map(Some),
        None => Some(None),
    };
    let from = required(section, "from", "from = \"示例银行 <service@bank.example>\"");
    let reply_to = section.text("reply_to");
    let format = section.parsed("format", "`text` or `html`", |format| match format {
        "text" => Some(false),
        "html" => Some(true),
        _ => None,
    });
    let host = host?;
    let target = format!("https://{}", host.value);
    match Target::parse(&target) {
        Some(target) if allow_private || !target.is_private() => {}
        Some(_) => {
            let finding = Diagnostic::new(code::URL_PRIVATE, host.span, "the host is at a private address");
            section.report(finding.help("set `allow_private = true` if this is meant"));
            return None;
        }
        None => return section.bad_value("host", host.span, "the name of a host"),
    }
    Some(Smtp {
        host: host.value,
        port: port.unwrap_or(match tls {
            Tls::StartTls => 587,
            Tls::Implicit => 465,
            Tls::Off => 25,
        }),
        tls,
        user: user.map(|user| user.value).zip(password?),
        from: from?.value,
        reply_to: reply_to.map(|reply_to| reply_to.value),
        html: format.is_some_and(|format| format.value),
    })
}

/// A secret that must be set, but not in the file itself: in a file of its own, or in the environment.
fn sealed(section: &mut Section, keys: [&'static str; 2], length: usize, inputs: &Inputs) -> Option<Secret> {
    let [key, file_key] = keys;
    if let Some(span) = section.written(key) {
        section.text(key);
        let headline = format!("`{}` is written into the settings", section.name(key));
        let variable = format!("WAYFARE__{}", section.name(key).replace('.', "__").to_uppercase());
        section.report(
            Diagnostic::new(code::SETTING_VALUE, span, headline)
                .help(format!("set `{file_key}`, or `{variable}` in the environment")),
        );
        return None;
    }
    match secret(section, keys, length, inputs) {
        Given::Secret(secret) => Some(secret),
        Given::Bad => None,
        Given::Not => {
            let name = section.name(file_key);
            let finding =
                Diagnostic::new(code::SETTING_MISSING, section.span, format!("`{name}` is missing"));
            section.report(finding.help(format!("write `{file_key} = \"/run/secrets/…\"`")));
            None
        }
    }
}

/// Where a provider is, if not at its usual place.
fn url(section: &mut Section, usual: &str, allow_private: bool) -> Option<String> {
    match section.text("url") {
        Some(url) => check_url(section, url, allow_private).map(|url| url.trim_end_matches('/').to_owned()),
        None => Some(usual.to_owned()),
    }
}

/// `[channels.sms.templates.CONTENT]` with `code` and `text`.
fn templates(section: &mut Section, braces: Braces) -> Option<Templates> {
    let (mut templates, before) = (Templates::new(), section.findings.len());
    let mut inner = section.section("templates");
    for (content, Entry { key, value, span }) in inner.entries() {
        let path = inner.name(&content);
        let Value::Table(settings) = value else {
            inner.bad_value::<()>(&content, span, "a section with `code` and `text`");
            continue;
        };
        let mut one = Section::new(path, settings, key, &mut *inner.findings);
        let code = required(&mut one, "code", "code = \"SMS_154950909\"");
        let text = required(&mut one, "text", "text = \"您的${product}将于${date}到期\"");
        let text = text.and_then(|text| match Pattern::parse(&text.value, braces) {
            Ok(pattern) => Some(pattern),
            Err(reason) => one.bad_value("text", text.span, &format!("a registered template: {reason}")),
        });
        one.finish();
        if let (Some(code), Some(text)) = (code, text) {
            templates.insert(Name::new(&content), Template { code: code.value, text });
        }
    }
    inner.finish();
    (section.findings.len() == before).then_some(templates)
}
