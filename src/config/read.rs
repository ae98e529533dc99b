//! From the tree to [`Config`], section by section. Everything wrong is reported, not only the first.

mod provider;
mod store;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::address::Target;
use super::section::{Section, Set};
use super::tree::{self, Entry, Value};
use super::{Channel, Config, Dev, Inputs, Intake, Links, Rules, Secret, Server, Upkeep, Webhook};
use crate::diagnostic::{Diagnostic, Severity, code, sort, suggest};
use crate::name::Name;
use crate::text::{Sources, Span};

/// The shortest token or key worth having. How long the password of a database is, is decided elsewhere.
const SECRET_LENGTH: usize = 16;
const PASSWORD_LENGTH: usize = 1;

const KINDS: [&str; 4] = ["console", "file", "webhook", "record"];

pub(super) fn config(inputs: &Inputs, sources: &mut Sources) -> Result<Config, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let (tree, file) = tree::build(inputs, sources, &mut findings);
    let mut top = Section::new(String::new(), tree, Span::new(file, 0, 0), &mut findings);
    let default = Config::default();
    let zone = top
        .parsed("zone", "the name of a time zone, such as `Asia/Shanghai`", |name| TimeZone::get(name).ok());
    let known = provider::providers(top.section("providers"), inputs);
    let config = Config {
        zone: zone.map_or(default.zone, |zone| zone.value),
        store: store::store(top.section("store"), inputs, default.store),
        server: server(top.section("server"), inputs, &default.server),
        channels: channels(top.section("channels"), inputs, &known),
        sources: event_sources(top.section("sources")),
        intake: intake(top.section("intake")),
        links: links(top.section("links"), inputs),
        lotteries: lotteries(top.section("lotteries"), inputs),
        upkeep: upkeep(top.section("upkeep")),
        dev: dev(top.section("dev")),
        rules: compliance(top.section("rules")),
    };
    top.finish();
    sort(&mut findings);
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        Err(findings)
    } else {
        Ok(config)
    }
}

pub(super) fn rules(inputs: &Inputs, sources: &mut Sources) -> Result<Rules, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let (tree, file) = tree::build(inputs, sources, &mut findings);
    // What else is wrong with the settings is told by those who need them.
    findings.clear();
    let mut top = Section::new(String::new(), tree, Span::new(file, 0, 0), &mut findings);
    let rules = compliance(top.section("rules"));
    if findings.is_empty() { Ok(rules) } else { Err(findings) }
}

fn compliance(mut section: Section) -> Rules {
    let list = |set: Set<String>| {
        let words = set.value.split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(|word| (word.to_owned(), set.span)).collect::<Vec<_>>()
    };
    let packs = section.text("packs").map(list);
    let domains = section.text("domains").map(list).unwrap_or_default();
    section.finish();
    Rules { packs, domains: domains.into_iter().map(|(host, _)| host.to_lowercase()).collect() }
}

fn server(mut section: Section, inputs: &Inputs, default: &Server) -> Server {
    let listen: Option<Set<SocketAddr>> =
        section.parsed("listen", "an address and a port, such as `127.0.0.1:7171`", |text| text.parse().ok());
    let token = secret(&mut section, ["token", "token_file"], SECRET_LENGTH, inputs);
    let max_body = section.integer("max_body", 1024, 1 << 30).and_then(|bytes| u64::try_from(bytes).ok());
    if let Some(listen) = listen.as_ref().filter(|listen| !listen.value.ip().is_loopback())
        && matches!(token, Given::Not)
    {
        section.report(
            Diagnostic::new(code::SERVER_OPEN, listen.span, "the daemon would be open to the network")
                .label("anybody who can reach this address could change state")
                .help("set `token_file` in `[server]`, or listen on `127.0.0.1`"),
        );
    }
    section.finish();
    Server {
        listen: listen.map_or(default.listen, |listen| listen.value),
        token: token.secret(),
        max_body: max_body.unwrap_or(default.max_body),
    }
}

fn intake(mut section: Section) -> Intake {
    let park = section.parsed("park", "a time from 1 minute to 400 days, such as `7 days`", park);
    section.finish();
    park.map_or_else(Intake::default, |park| Intake { park: park.value })
}

/// Days are 24 hours.
fn park(text: &str) -> Option<SignedDuration> {
    let span = text.parse::<jiff::Span>().ok()?;
    let time = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    (SignedDuration::from_mins(1)..=SignedDuration::from_hours(400 * 24)).contains(&time).then_some(time)
}

fn links(mut section: Section, inputs: &Inputs) -> Option<Links> {
    let is_set = ["url", "secret", "secret_file", "channels", "short"].iter().any(|key| section.has(key));
    let url = if is_set { required(&mut section, "url", "url = \"https://go.bank.example\"") } else { None };
    let url = url.and_then(|url| check_url(&mut section, url, true));
    let secret = secret(&mut section, ["secret", "secret_file"], SECRET_LENGTH, inputs);
    let mut names = |key| {
        let list = section.text(key).map(|list| list.value).unwrap_or_default();
        list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Name::new).collect::<Vec<_>>()
    };
    let short = names("short");
    let mut channels = names("channels");
    // A short link says all that a long one does.
    channels.retain(|name| !short.contains(name));
    if is_set && matches!(secret, Given::Not) {
        required(&mut section, "secret_file", "secret_file = \"/run/secrets/links\"");
    }
    section.finish();
    let url = url?.trim_end_matches('/').to_owned();
    Some(Links { url, secret: secret.secret()?, channels, short })
}

fn lotteries(mut section: Section, inputs: &Inputs) -> Option<Secret> {
    let given = secret(&mut section, ["secret", "secret_file"], SECRET_LENGTH, inputs);
    section.finish();
    given.secret()
}

fn upkeep(mut section: Section) -> Upkeep {
    let mut number = |key, high| section.integer(key, 1, high).and_then(|number| u32::try_from(number).ok());
    let upkeep = Upkeep {
        rows_per_second: number("rows_per_second", 100_000_000),
        keep_days: number("keep_days", 36_500),
    };
    section.finish();
    upkeep
}

fn dev(mut section: Section) -> Dev {
    let speed = section.integer("speed", 1, 1_000_000).and_then(|speed| u32::try_from(speed).ok());
    section.finish();
    Dev { speed: speed.unwrap_or(1) }
}

fn channels(mut section: Section, inputs: &Inputs, known: &provider::Known) -> BTreeMap<Name, Channel> {
    let mut channels = BTreeMap::new();
    for (name, entry) in section.entries() {
        let path = section.name(&name);
        let Value::Table(settings) = entry.value else {
            let headline = format!("a section `[{path}]` is needed here");
            section
                .report(Diagnostic::new(code::SETTING_VALUE, entry.span, headline).label("this is a value"));
            continue;
        };
        let inner = Section::new(path, settings, entry.key, &mut *section.findings);
        if let Some(channel) = channel(inner, &name, inputs, known) {
            channels.insert(Name::new(&name), channel);
        }
    }
    channels
}

fn channel(mut section: Section, name: &str, inputs: &Inputs, known: &provider::Known) -> Option<Channel> {
    if let Ok(channel) = provider::channel(&mut section, name, inputs, known) {
        section.finish();
        return channel;
    }
    let kind = required(&mut section, "kind", "kind = \"webhook\"");
    let channel = match kind.as_ref().map(|kind| kind.value.as_str()) {
        Some("console") => Some(Channel::Console),
        Some("record") => Some(Channel::Record),
        Some("file") => {
            let path = required(&mut section, "path", "path = \"messages.jsonl\"");
            path.map(|path| Channel::File { path: PathBuf::from(path.value) })
        }
        Some("webhook") => webhook(&mut section, inputs).map(Channel::Webhook),
        Some(other) => {
            let span = kind.as_ref().map_or(section.span, |kind| kind.span);
            let known = || format!("known kinds: {}", KINDS.join(", "));
            let help = suggest::did_you_mean(other, KINDS).unwrap_or_else(known);
            let headline = format!("there is no kind of channel `{other}`");
            section.report(Diagnostic::new(code::SETTING_VALUE, span, headline).help(help));
            None
        }
        None => None,
    };
    // The settings of an unknown kind are not known either.
    if channel.is_some() || kind.is_some_and(|kind| KINDS.contains(&kind.value.as_str())) {
        section.finish();
    }
    channel
}

fn webhook(section: &mut Section, inputs: &Inputs) -> Option<Webhook> {
    let url = required(section, "url", "url = \"https://example.com/messages\"");
    let secret = secret(section, ["secret", "secret_file"], SECRET_LENGTH, inputs).secret();
    let timeout =
        section.parsed("timeout", "a time from 1 second to 5 minutes, such as `10 seconds`", timeout);
    let allow_private = section.flag("allow_private").unwrap_or(false);
    let url = url.and_then(|url| check_url(section, url, allow_private))?;
    let timeout = timeout.map_or(Duration::from_secs(10), |timeout| timeout.value);
    Some(Webhook { url, secret, timeout, allow_private })
}

fn timeout(text: &str) -> Option<Duration> {
    let time = text.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok())?;
    (Duration::from_secs(1)..=Duration::from_mins(5)).contains(&time).then_some(time)
}

fn check_url(section: &mut Section, url: Set<String>, allow_private: bool) -> Option<String> {
    let Some(target) = Target::parse(&url.value) else {
        return section.bad_value("url", url.span, "an absolute `https://` URL without a user name");
    };
    let reason = match (allow_private, target.is_private(), target.secure) {
        (false, true, _) => "the URL leads to a private address",
        (false, false, false) => "the URL is not encrypted",
        _ => return Some(url.value),
    };
    let finding = Diagnostic::new(code::URL_PRIVATE, url.span, reason);
    section.report(finding.help("set `allow_private = true` if this is meant"));
    None
}

fn event_sources(mut section: Section) -> BTreeMap<Name, String> {
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    let mut sources = BTreeMap::new();
    for (name, Entry { value, span, .. }) in section.entries() {
        let uri = match value {
            Value::Text(uri) | Value::Raw(uri) if !uri.is_empty() && !uri.contains(char::is_whitespace) => {
                uri
            }
            _ => {
                section.bad_value::<()>(&name, span, "the URI of an event source, in quotes");
                continue;
            }
        };
        if let Some(&first) = seen.get(&uri) {
            let finding = Diagnostic::new(code::SETTING_CONFLICT, span, format!("`{uri}` has two names"));
            section.report(finding.also(first, "first here"));
        }
        seen.insert(uri.clone(), span);
        sources.insert(Name::new(&name), uri);
    }
    sources
}

fn required(section: &mut Section, key: &'static str, example: &str) -> Option<Set<String>> {
    let (before, name) = (section.findings.len(), section.name(key));
    let value = section.text(key).filter(|value| !value.value.is_empty());
    if value.is_none() && section.findings.len() == before {
        let finding = Diagnostic::new(code::SETTING_MISSING, section.span, format!("`{name}` is missing"));
        section.report(finding.help(format!("write `{example}`, for instance")));
    }
    value
}

/// A secret as it was set; one that is bad has been reported.
enum Given {
    Not,
    Bad,
    Secret(Secret),
}

impl Given {
    fn secret(self) -> Option<Secret> {
        if let Self::Secret(secret) = self { Some(secret) } else { None }
    }
}

/// A secret of at least `length` characters, either written out or in a file of its own: the names of both settings.
fn secret(section: &mut Section, keys: [&'static str; 2], length: usize, inputs: &Inputs) -> Given {
    let [key, file_key] = keys;
    let before = section.findings.len();
    let (inline, file) = (section.text(key), section.text(file_key));
    let text = match (inline, file) {
        (Some(inline), Some(file)) => {
            let (one, other) = (section.name(key), section.name(file_key));
            let headline = format!("`{one}` and `{other}` are both set");
            let finding =
                Diagnostic::new(code::SETTING_CONFLICT, file.span, headline).also(inline.span, "and here");
            section.report(finding.help(format!("keep `{file_key}`: files are easier to protect")));
            return Given::Bad;
        }
        (Some(inline), None) => Some(inline),
        (None, Some(file)) => from_file(section, &file, inputs),
        (None, None) if section.findings.len() == before => return Given::Not,
        (None, None) => None,
    };
    let Some(text) = text else { return Given::Bad };
    if text.value.chars().count() < length {
        let wanted = format!("a secret of at least {length} characters");
        section.bad_value::<()>(key, text.span, &wanted);
        return Given::Bad;
    }
    Given::Secret(Secret::new(text.value))
}

fn from_file(section: &mut Section, file: &Set<String>, inputs: &Inputs) -> Option<Set<String>> {
    match (inputs.read)(&file.value) {
        Ok(text) => Some(Set { value: text.trim_end_matches(['\r', '\n']).to_owned(), span: file.span }),
        Err(reason) => {
            let headline = format!("the secret in `{}` cannot be read", file.value);
            section.report(Diagnostic::new(code::SECRET_UNREADABLE, file.span, headline).label(reason));
            None
        }
    }
}
