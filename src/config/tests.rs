//! What people see when their settings are wrong, and what holds when they are right.

use super::*;
use crate::diagnostic::render::human;

fn read(path: &str) -> Result<String, String> {
    match path {
        "/run/secrets/wayfare" => Ok("0123456789abcdef0123\n".to_owned()),
        _ => Err("there is no such file".to_owned()),
    }
}

fn parse(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let inputs = Inputs { path: FILE, text, env: &env, read: &read };
    let mut sources = Sources::default();
    Config::parse(&inputs, &mut sources).map_err(|findings| {
        let mut out = Vec::new();
        human::render(&findings, &sources, human::Color::Off, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    })
}

fn refused(text: &str, env: &[(&str, &str)]) -> String {
    parse(text, env).expect_err("these settings are wrong")
}

#[test]
fn without_a_file_the_defaults_hold() {
    let config = parse("", &[]).unwrap();
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    assert_eq!(config.zone.iana_name(), Some("Asia/Shanghai"));
    assert!(config.server.listen.ip().is_loopback());
}

#[test]
fn everything_can_be_set() {
    let text = r#"
zone = "Europe/Berlin"

[store]
url = "sqlite:data/wayfare.db"

[server]
listen = "0.0.0.0:8080"
token_file = "/run/secrets/wayfare"
max_body = 1_048_576

[channels.push]
kind = "webhook"
url = "http://127.0.0.1:9000/push"
secret = "a secret that must not show"
timeout = "3 seconds"
allow_private = true

[channels."短信"]
kind = "file"
path = "sms.jsonl"

[channels.log]
kind = "console"

[sources]
core = "https://bank.example/core"

[intake]
park = "30 days"

[lotteries]
secret_file = "/run/secrets/wayfare"

[dev]
speed = 3600
"#;
    let config = parse(text, &[]).unwrap();
    insta::assert_snapshot!(format!("{config:#?}"));
    assert_eq!(
        config.server.token.unwrap().expose(),
        "0123456789abcdef0123",
        "the line break is not a part of it"
    );
}

#[test]
fn the_environment_lies_over_the_file() {
    let env = [
        ("WAYFARE__SERVER__LISTEN", "127.0.0.1:9999"),
        ("WAYFARE__DEV__SPEED", "60"),
        ("WAYFARE__CHANNELS__PUSH__ALLOW_PRIVATE", "true"),
        ("WAYFARE_UNPRIVILEGED_UID", "of no concern"),
    ];
    let text =
        "[server]\nlisten = \"127.0.0.1:1\"\n[channels.push]\nkind = \"webhook\"\nurl = \"http://10.0.0.1/\"";
    let config = parse(text, &env).unwrap();
    assert_eq!(config.server.listen.port(), 9999);
    assert_eq!(config.dev.speed, 60);
    let push = config.channels.get(&Name::new("push"));
    assert!(matches!(push, Some(Channel::Webhook(webhook)) if webhook.allow_private));
}

#[test]
fn many_mistakes_are_told_in_one_run() {
    let text = r#"zone = "Asia/Peking"
zoned = 1

[server]
listn = "127.0.0.1:80"
listen = "localhost:80"
max_body = "8 MiB"

[stores]
url = "x"

[channels]
log = "console"

[channels.push]
kind = "webhok"

[channels."短信"]
kind = "webhook"
url = "example.com/短信"
timeout = 10

[channels.mail]
path = "x"

[dev]
speed = 0.5
"#;
    insta::assert_snapshot!(refused(text, &[]));
}

#[test]
fn an_open_door_needs_a_token() {
    insta::assert_snapshot!(refused("[server]\nlisten = \"0.0.0.0:7171\"\n", &[]));
    let finding = refused("[server]\nlisten = \"[::]:7171\"\ntoken = \"\"\n", &[]);
    assert!(
        !finding.contains("E0515") && finding.contains("E0512"),
        "a bad token is reported once:\n{finding}"
    );
    assert!(parse("[server]\nlisten = \"[::1]:7171\"\n", &[]).is_ok());
}

#[test]
fn private_addresses_are_meant_or_refused() {
    let text = "[channels.a]\nkind = \"webhook\"\nurl = \"https://169.254.169.254/latest\"\n\
                [channels.b]\nkind = \"webhook\"\nurl = \"http://example.com/\"\n";
    insta::assert_snapshot!(refused(text, &[]));
}

#[test]
fn secrets_come_from_one_place_and_are_never_shown() {
    let text = "[server]\ntoken = \"hunter2hunter2hunter2\"\ntoken_file = \"/run/secrets/wayfare\"\n\
                [channels.push]\nkind = \"webhook\"\nurl = \"https://example.com\"\nsecret = \"短而密\"\n\
                [channels.sms]\nkind = \"webhook\"\nurl = \"https://example.com\"\nsecret_file = \"lost\"\n";
    let shown = refused(text, &[("WAYFARE__CHANNELS__PUSH__SECRET", "hunter3")]);
    assert!(!shown.contains("hunter"));
    insta::assert_snapshot!(shown);
    assert!(!refused(text, &[]).contains("短而密"));
}

#[test]
fn a_server_keeps_the_store_and_its_password_stays_hidden() {
    let url = "[store]\nurl = \"postgres://wayfare@db.bank.example/wayfare?sslmode=verify-full\"\n";
    let config =
        parse(url, &[("WAYFARE__STORE__PASSWORD", "p@ss/短"), ("WAYFARE__STORE__WORKER", "a")]).unwrap();
    let Store::Postgres { url: joined, worker } = &config.store else { panic!("{:?}", config.store) };
    let expected = "postgres://wayfare:p%40ss%2F%E7%9F%AD@db.bank.example/wayfare?sslmode=verify-full";
    assert_eq!((joined.expose(), worker.as_deref()), (expected, Some("a")));
    assert!(!format!("{config:?}").contains("%40"));

    let whole = "postgres://wayfare:hunter2@db/wayfare";
    let config = parse("", &[("WAYFARE__STORE__URL", whole)]).unwrap();
    assert!(matches!(&config.store, Store::Postgres { url, .. } if url.expose() == whole));

    let twice = format!("[store]\nurl = \"{whole}\"\npassword_file = \"/run/secrets/wayfare\"\n");
    let file = "[store]\nurl = \"sqlite:a.db\"\nworker = \"a\"\n";
    let wrong = "[store]\nurl = \"mysql://wayfare:hunter2@db/wayfare\"\n";
    let shown: Vec<String> = [&*twice, file, wrong].into_iter().map(|text| refused(text, &[])).collect();
    assert!(!shown.concat().contains("hunter"));
    insta::assert_snapshot!(shown.join("\n"));
    assert!(!refused("", &[("WAYFARE__STORE__URL", "mysql://wayfare:hunter2@db/x")]).contains("hunter"));
}

#[test]
fn a_source_has_one_name() {
    let text = "[sources]\ncore = \"https://bank.example/core\"\nkern = \"https://bank.example/core\"\nempty = \"\"\n";
    insta::assert_snapshot!(refused(text, &[]));
}

#[test]
fn the_environment_is_checked_as_the_file_is() {
    let env = [
        ("WAYFARE__SERVER", "127.0.0.1"),
        ("WAYFARE__SERVER__LISTN", "127.0.0.1:80"),
        ("WAYFARE__SERVER__MAX_BODY", "much"),
        ("WAYFARE__ZONE__NAME", "Asia/Shanghai"),
    ];
    insta::assert_snapshot!(refused("zone = \"Asia/Shanghai\"\n[server]\n", &env));
}

#[test]
fn what_is_not_toml_is_told_with_its_place() {
    insta::assert_snapshot!(refused(
        "zone = Asia/Shanghai\n[server\nlisten = \"127.0.0.1:80\"\n[server]\n",
        &[]
    ));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(?s)[\\[\\]a-z.=\"'0-9\n短 _#]{0,60}") {
        let _ = parse(&text, &[("WAYFARE__SERVER__TOKEN", &text), ("WAYFARE__", ""), ("WAYFARE____", "x")]);
    }
}
