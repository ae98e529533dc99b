//! Settings of the providers whose wire formats we know.

use super::super::SECRET_LENGTH;
use super::{Braces, Inputs, KEY_LENGTH, Kind, Section, required, sealed, templates, url};
use crate::config::provider::{AliyunSms, Fcm, JPush, TencentSms, Twilio, Wechat, WecomCustomer, WecomRobot};

/// There is no provider of this name.
pub(super) struct Unknown;

/// `None` where its settings are wrong, which has been reported.
pub(super) fn preset(
    section: &mut Section,
    kind: &str,
    inputs: &Inputs,
    private: bool,
) -> Result<Option<Kind>, Unknown> {
    Ok(match kind {
        "aliyun_sms" => aliyun(section, inputs, private).map(Kind::AliyunSms),
        "tencent_sms" => tencent(section, inputs, private).map(Kind::TencentSms),
        "twilio" => twilio(section, inputs, private).map(Kind::Twilio),
        "fcm" => fcm(section, inputs, private).map(Kind::Fcm),
        "jpush" => jpush(section, inputs, private).map(Kind::JPush),
        "wechat_template" => wechat(section, inputs, private).map(Kind::WechatTemplate),
        "wecom_robot" => robot(section, inputs, private).map(Kind::WecomRobot),
        "wecom_customer" => customer(section, inputs, private).map(Kind::WecomCustomer),
        _ => return Err(Unknown),
    })
}

const SECRET: [&str; 2] = ["secret", "secret_file"];

fn aliyun(section: &mut Section, inputs: &Inputs, private: bool) -> Option<AliyunSms> {
    let url = url(section, "https://dysmsapi.aliyuncs.com", private);
    let key_id = required(section, "key_id", "key_id = \"LTAI…\"");
    let secret = sealed(section, SECRET, KEY_LENGTH, inputs);
    let sign_name = required(section, "sign_name", "sign_name = \"示例银行\"");
    let templates = templates(section, Braces::Dollar);
    let reports = ["callback_secret", "callback_secret_file"];
    let callback = if section.has(reports[0]) || section.has(reports[1]) {
        Some(sealed(section, reports, SECRET_LENGTH, inputs)?)
    } else {
        None
    };
    Some(AliyunSms {
        url: url?,
        key_id: key_id?.value,
        secret: secret?,
        sign_name: sign_name?.value,
        templates: templates?,
        callback,
    })
}

fn tencent(section: &mut Section, inputs: &Inputs, private: bool) -> Option<TencentSms> {
    let url = url(section, "https://sms.tencentcloudapi.com", private);
    let key_id = required(section, "key_id", "key_id = \"AKID…\"");
    let secret = sealed(section, SECRET, KEY_LENGTH, inputs);
    let app_id = required(section, "app_id", "app_id = \"1400000000\"");
    let sign_name = required(section, "sign_name", "sign_name = \"示例银行\"");
    let region = section.text("region");
    let templates = templates(section, Braces::Number);
    Some(TencentSms {
        url: url?,
        key_id: key_id?.value,
        secret: secret?,
        app_id: app_id?.value,
        sign_name: sign_name?.value,
        region: region.map_or_else(|| "ap-guangzhou".to_owned(), |region| region.value),
        templates: templates?,
    })
}

fn twilio(section: &mut Section, inputs: &Inputs, private: bool) -> Option<Twilio> {
    let url = url(section, "https://api.twilio.com", private);
    let account = required(section, "account", "account = \"AC…\"");
    let secret = sealed(section, SECRET, KEY_LENGTH, inputs);
    let from = required(section, "from", "from = \"+12025550123\"");
    let callback = section.text("callback");
    Some(Twilio {
        url: url?,
        account: account?.value,
        secret: secret?,
        from: from?.value,
        callback: callback.map(|callback| callback.value),
    })
}

fn fcm(section: &mut Section, inputs: &Inputs, private: bool) -> Option<Fcm> {
    let url = url(section, "https://fcm.googleapis.com", private);
    let account = sealed(section, ["account_key", "account_file"], KEY_LENGTH, inputs);
    Some(Fcm { url: url?, account: account? })
}

fn jpush(section: &mut Section, inputs: &Inputs, private: bool) -> Option<JPush> {
    let url = url(section, "https://api.jpush.cn", private);
    let key_id = required(section, "key_id", "key_id = \"7d431e42dfa6a6d693ac2d04\"");
    let secret = sealed(section, SECRET, KEY_LENGTH, inputs);
    let kinds = "`registration_id` or `alias`";
    let audience = section.parsed("audience", kinds, |audience| {
        matches!(audience, "registration_id" | "alias").then(|| audience.to_owned())
    });
    let production = section.flag("production").unwrap_or(true);
    Some(JPush {
        url: url?,
        key_id: key_id?.value,
        secret: secret?,
        audience: audience.map_or_else(|| "registration_id".to_owned(), |audience| audience.value),
        production,
    })
}

fn wechat(section: &mut Section, inputs: &Inputs, private: bool) -> Option<Wechat> {
    let url = url(section, "https://api.weixin.qq.com", private);
    let app_id = required(section, "app_id", "app_id = \"wx…\"");
    let secret = sealed(section, SECRET, KEY_LENGTH, inputs);
    let templates = templates(section, Braces::Data);
    Some(Wechat { url: url?, app_id: app_id?.value, secret: secret?, templates: templates? })
}

fn robot(section: &mut Section, inputs: &Inputs, private: bool) -> Option<WecomRobot> {
    let url = url(section, "https://qyapi.weixin.qq.com", private);
    let key = sealed(section, ["key", "key_file"], KEY_LENGTH, inputs);
    let format = section.parsed("format", "`text` or `markdown`", |format| match format {
        "text" => Some(false),
        "markdown" => Some(true),
        _ => None,
    });
    Some(WecomRobot { url: url?, key: key?, markdown: format.is_some_and(|format| format.value) })
}

fn customer(section: &mut Section, inputs: &Inputs, private: bool) -> Option<WecomCustomer> {
    let url = url(section, "https://qyapi.weixin.qq.com", private);
    let corp_id = required(section, "corp_id", "corp_id = \"ww…\"");
    let secret = sealed(section, SECRET, KEY_LENGTH, inputs);
    let sender = section.text("sender");
    Some(WecomCustomer {
        url: url?,
        corp_id: corp_id?.value,
        secret: secret?,
        sender: sender.map(|sender| sender.value),
    })
}
