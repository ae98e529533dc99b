//! A bank's project of any size, the same on every machine: packages of forty journeys over a shared model.

use std::fmt::Write;
use std::sync::Arc;

use crate::compile::{File, Input};

/// Journeys in one folder, which is one package.
pub(super) const FOLDER: u32 = 40;

const SHARED: &str = r#"// What every journey of the bank knows.

choice level "客户等级" {
  basic "普通"
  gold "金卡"
  private "私行"
}

entity customer "客户" {
  key id : Id
  name "姓名" : Text? class identity
  consent "同意接收的渠道" : [channel]
  level "等级" : level
  aum "管理资产" : Money(CNY)? class financial
  credit_limit "授信额度" : Money(CNY)? class financial
  birthday "生日" : Date? class identity
}

channel push "App 推送" {
  kind push
  rate 2_000 per second
  receipt within 10min
  outcomes delivered, failed, opened, clicked
}
channel sms "短信" {
  kind push
  rate 500 per second
  receipt within 2h
  outcomes delivered, failed, clicked
}

/// Nights are quiet.
policy bank_wide "全行规则" {
  owner "compliance@bank.example"
  quiet 22:00..08:00
}
"#;

/// The project of `journeys` journeys.
pub(super) fn project(journeys: u32) -> Input {
    let mut files = vec![file("bank/model.journey".to_owned(), "bank", SHARED.to_owned())];
    for folder in 0..journeys.div_ceil(FOLDER) {
        let package = format!("line{folder:03}");
        let inside = folder * FOLDER..journeys.min((folder + 1) * FOLDER);
        files.extend(
            inside.map(|nth| file(format!("{package}/j{nth:05}.journey"), &package, journey(folder, nth))),
        );
        files.push(file(format!("{package}/model.journey"), &package, model(folder)));
    }
    Input { files, ..Input::default() }
}

fn file(path: String, package: &str, text: String) -> File {
    File { path: path.into(), package: Arc::from(package), text: text.into() }
}

/// The lines of all files.
pub(super) fn lines(input: &Input) -> usize {
    input.files.iter().map(|file| file.text.lines().count()).sum()
}

/// What the journeys of one folder share.
pub(super) fn model(folder: u32) -> String {
    let mut text =
        format!("// What business line {folder} counts and listens to.\n\nimport bank {{ customer }}\n\n");
    for nth in 0..4 {
        let _ = write!(
            text,
            "event paid{folder:03}_{nth} \"支付\" of customer {{\n  amount \"金额\" : Money(CNY)\n  shop \"商户\" : Text?\n  source core_banking\n}}\n\n"
        );
    }
    for nth in 0..8 {
        let _ = write!(
            text,
            "/// How often lately.\nmetric often{folder:03}_{nth} \"近期次数\" of customer =\n  count(paid{folder:03}_{} during last {} days)\n\n",
            nth % 4,
            30 + nth
        );
    }
    for nth in 0..4 {
        let _ = write!(
            text,
            "audience keen{folder:03}_{nth} \"活跃客户\" of customer =\n  often{folder:03}_{} > {}\n  and often{folder:03}_{} < 100\n\n",
            nth * 2,
            nth + 2,
            nth * 2 + 1
        );
        let _ = write!(text, "tag told{folder:03}_{nth} \"已触达\" of customer {{ keep 90 days }}\n\n");
    }
    text
}

fn journey(folder: u32, nth: u32) -> String {
    let (line, one) = (format!("{folder:03}"), nth % 4);
    let enter = match nth % 3 {
        0 => format!("enter on paid{line}_{one} where amount > {} CNY", 100 + nth % 50),
        1 => format!("enter when keen{line}_{one} every day at 10:00\n  existing include"),
        _ => format!("enter on paid{line}_{one}"),
    };
    let amount = if nth.is_multiple_of(3) { "event.amount" } else { "credit_limit otherwise 0 CNY" };
    let mut text = format!(
        r#"// Journey {nth} of business line {folder}: an offer, a reminder, and who answers nothing is left alone.

import bank {{ customer, push, sms }}

/// Owned by the team of line {folder}.
journey offer{nth:05} "权益提醒" of customer {{
  purpose marketing
  owner "line{line}@bank.example"
  {enter}
  reenter after {} days
  exit on paid{line}_{} as converted
  goal used "首次使用" on paid{line}_{} within 30 days from first sent

  send gift{nth:05}({amount}) via push as first
  wait within {} days {{
    on opened(first) {{
      tag told{line}_{one}
      wait 2 days
    }}
    on timeout continue
  }}
  if often{line}_{} > {} and (aum otherwise 0 CNY) > 10_000 CNY {{
    send again{nth:05} via push
    wait 1 day
    end reminded
  }} else {{
    send again{nth:05} via sms as last
  }}
  end told
}}

content gift{nth:05} "权益" {{
  takes amount : Money(CNY)
  via push {{
    title "您的专属权益"
    body """{{{{ name otherwise "尊敬的客户" }}}}，您有 {{{{ money(amount) }}}} 权益待领取，第 {nth} 期活动以页面公示为准。"""
    link "app://gift/{nth}"
  }}
}}

content again{nth:05} "再次提醒" {{
  via push {{ title "权益还在"; body """{{{{ name otherwise "尊敬的客户" }}}}，您的权益即将到期。""" }}
  via sms """【示例银行】您的权益即将到期，详见 App。拒收请回复R"""
}}
"#,
        30 + nth % 60,
        (one + 1) % 4,
        (one + 2) % 4,
        1 + nth % 5,
        nth % 8,
        1 + nth % 9,
    );
    if nth.is_multiple_of(4) {
        let happen = match nth % 3 {
            1 => String::new(),
            _ => format!("  happen paid{line}_{one}(amount = 500 CNY)\n"),
        };
        let _ = write!(
            text,
            "\ntest \"whoever answers nothing is told once more\" of offer{nth:05} {{\n  given customer li {{ consent = [push, sms]; level = gold }}\n  clock 2026-12-01 at 10:00\n{happen}  advance 30 days\n  expect no sent(first) during last 1 day\n}}\n"
        );
    }
    text
}
