//! `wayfare content preview`: what each channel would show, before anybody gets it.

use std::process::{Command, Stdio};

const BANK: &str = r#"
channel sms { kind push; segments 3 }
channel mail { kind push }
channel push { kind push }
channel chat { kind group }
entity customer { key id : Id; name : Text?; locale : Text?; consent : [channel] }
content due "到期提醒" {
  takes what : Text
  takes worth : Money(CNY)
  via sms """【示例银行】您的{{ what }}{{ money(worth) }}即将到期，详见 {{ link("https://m.bank.example/due") }} 。详询95588。"""
  via mail {
    title "产品到期"
    locale zh """{{ name otherwise "尊敬的客户" }}，
您的{{ what }}即将到期。"""
    locale en """Dear {{ name otherwise "customer" }},
your {{ what }} of {{ money(worth) }} is due."""
  }
  via push { locale zh """{{ what }}即将到期。""" }
  via chat { message """早上好"""; message """{{ what }}"""; gap 20s }
}
"#;

fn preview(folder: &std::path::Path, more: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command.args(["content", "preview"]).args(more).arg("bank.journey").current_dir(folder);
    let output = command.env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn each_channel_shows_what_it_would_say() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bank.journey"), BANK).unwrap();
    let li = r#"{"name": "李雷", "locale": "en", "what": "一年期定存", "worth": "50000 CNY"}"#;
    std::fs::write(folder.path().join("li.json"), li).unwrap();
    let (code, shown, said) = preview(folder.path(), &["due", "--customer", "li.json"]);
    assert_eq!(code, Some(0), "{said}");
    insta::assert_snapshot!("preview_of_all", shown);
    let (_, shown, _) =
        preview(folder.path(), &["due", "--customer", "li.json", "--channel", "mail", "--locale", "zh"]);
    assert!(shown.contains("李雷，") && !shown.contains("Dear") && !shown.contains("sms"), "{shown}");
    // What nobody says is made up.
    let (code, shown, _) = preview(folder.path(), &["due", "--channel", "sms"]);
    assert!(code == Some(0) && shown.contains("12,345.67"), "{shown}");
}

#[test]
fn what_is_not_there_is_helped_with() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bank.journey"), BANK).unwrap();
    std::fs::write(folder.path().join("bad.json"), r#"{"worth": "much"}"#).unwrap();
    for (line, words) in [
        (&["deu"][..], "did you mean `due`?"),
        (&["due", "--channel", "wechat"], "it has sms, mail, push, chat"),
        (&["due", "--customer", "bad.json"], "`worth`: expected"),
        (&["due", "--customer", "none.json"], "none.json"),
    ] {
        let (code, _, said) = preview(folder.path(), line);
        assert!(code == Some(2) && said.contains(words), "{line:?}: {code:?} {said}");
    }
}

const POSTER: &str = r#"
channel banner { kind slot; surface owned }
content spring "新春" { via banner { image "img/spring.png"; link "app://spring" } }
"#;

fn wayfare(folder: &std::path::Path, line: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command.args(line).current_dir(folder).env("NO_COLOR", "1").stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), said.concat())
}

#[test]
fn a_picture_is_part_of_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("bank.journey"), format!("{BANK}{POSTER}")).unwrap();
    let built = || wayfare(path, &["build", "-o", "out.json", "bank.journey"]);
    let (code, _) = built();
    assert_eq!(code, Some(0), "no folder `img`: the app knows the picture");

    std::fs::create_dir(path.join("img")).unwrap();
    std::fs::write(path.join("img/sprnig.png"), "GIF89a").unwrap();
    let (code, said) = wayfare(path, &["check", "bank.journey"]);
    assert!(code == Some(1) && said.contains("E0521"), "{code:?} {said}");
    assert!(!said.contains("can be fixed"), "nobody knows whether it is that picture: {said}");
    for words in ["the file `img/spring.png` is not there", "did you mean `sprnig.png`?"] {
        assert!(said.contains(words), "{words}: {said}");
    }

    std::fs::rename(path.join("img/sprnig.png"), path.join("img/spring.png")).unwrap();
    let (code, first) = built();
    assert_eq!(code, Some(0), "{first}");
    let (_, shown, said) = preview(path, &["spring"]);
    // printf GIF89a | sha256sum
    let line = "`img/spring.png` is here, SHA-256 610f5ae4d76e3326…";
    assert!(shown.contains(line), "{shown} {said}");
    assert_eq!(built().1, first, "the same picture is the same bundle");
    std::fs::write(path.join("img/spring.png"), "GIF89a, another").unwrap();
    let (code, second) = built();
    assert!(code == Some(0) && second != first, "another picture is another bundle: {second}");

    let large = [&b"GIF89a"[..], &vec![0; 1024 * 1024]].concat();
    for (bytes, words) in [
        (&b"<svg><script>alert(1)</script></svg>"[..], "`img/spring.png` is no picture that is served"),
        (&large, "`img/spring.png` is larger than 1024 KiB"),
    ] {
        std::fs::write(path.join("img/spring.png"), bytes).unwrap();
        let (code, said) = wayfare(path, &["check", "bank.journey"]);
        assert!(code == Some(1) && said.contains("E0521") && said.contains(words), "{code:?} {said}");
    }
}
