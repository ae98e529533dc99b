//! What answers of providers mean.

use std::collections::BTreeMap;

use super::*;
use crate::config::Secret;
use crate::config::provider::{AliyunSms, JPush, TencentSms, Twilio, Wechat, WecomCustomer, WecomRobot};

fn url() -> String {
    "https://provider.example".to_owned()
}

fn secret() -> Secret {
    Secret::new("not a secret at all")
}

/// `taken`, `later`, `never`, `unclear` or `stale`.
fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Stale(_) => "stale",
        Verdict::Over(SendResult::Accepted { .. }) => "taken",
        Verdict::Over(SendResult::Retry { .. }) => "later",
        Verdict::Over(SendResult::Rejected { .. }) => "never",
        Verdict::Over(SendResult::Ambiguous { .. } | SendResult::Closed { .. }) => "unclear",
    }
}

fn check(preset: &dyn Preset, cases: &[(u16, &str, &str)]) {
    for (status, body, expected) in cases {
        let verdict = preset.verdict(&Reply::of(*status, body));
        assert_eq!(word(&verdict), *expected, "{status} {body}: {verdict:?}");
    }
    // Whoever answers with garbage may have taken it; nothing stops us from asking a second provider after a 503.
    for (status, expected) in [(200, "unclear"), (502, "unclear"), (503, "later"), (429, "later")] {
        let verdict = preset.verdict(&Reply::of(status, "<html>sorry</html>"));
        assert_eq!(word(&verdict), expected, "{status}: {verdict:?}");
    }
}

#[test]
fn aliyun_says_what_it_means_in_a_code() {
    let templates = BTreeMap::new();
    let settings = AliyunSms {
        url: url(),
        key_id: "k".into(),
        secret: secret(),
        sign_name: "示例银行".into(),
        templates,
        callback: None,
    };
    let cases = [
        (200, r#"{"Code":"OK","BizId":"9006197469364984400^0","Message":"OK"}"#, "taken"),
        (200, r#"{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":"触发小时级流控Permits:5"}"#, "later"),
        (200, r#"{"Code":"isv.AMOUNT_NOT_ENOUGH"}"#, "later"),
        (200, r#"{"Code":"isv.MOBILE_NUMBER_ILLEGAL","Message":"13800138000"}"#, "never"),
        (200, r#"{"Code":"isv.BLACK_KEY_CONTROL_LIMIT"}"#, "never"),
        (400, r#"{"Code":"SignatureDoesNotMatch"}"#, "later"),
        (400, r#"{"Code":"Throttling.User"}"#, "later"),
    ];
    check(&aliyun::Sms(settings.clone()), &cases);
    let Verdict::Over(SendResult::Accepted { detail }) =
        aliyun::Sms(settings).verdict(&Reply::of(200, cases[0].1))
    else {
        panic!("it was taken")
    };
    assert_eq!(&*detail, "HTTP 200: 9006197469364984400^0");
}

#[test]
fn tencent_says_what_it_means_in_one_of_two_places() {
    let settings = TencentSms {
        url: url(),
        key_id: "k".into(),
        secret: secret(),
        app_id: "1".into(),
        sign_name: "示例银行".into(),
        region: "ap-guangzhou".into(),
        templates: BTreeMap::new(),
    };
    check(
        &tencent::Sms(settings),
        &[
            (200, r#"{"Response":{"SendStatusSet":[{"Code":"Ok","SerialNo":"2019:538"}]}}"#, "taken"),
            (
                200,
                r#"{"Response":{"SendStatusSet":[{"Code":"FailedOperation.PhoneNumberInBlacklist"}]}}"#,
                "never",
            ),
            (
                200,
                r#"{"Response":{"SendStatusSet":[{"Code":"LimitExceeded.PhoneNumberDailyLimit"}]}}"#,
                "later",
            ),
            (200, r#"{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure"}}}"#, "later"),
            (
                200,
                r#"{"Response":{"Error":{"Code":"InvalidParameterValue.TemplateParameterFormatError"}}}"#,
                "never",
            ),
            (200, r#"{"Response":{}}"#, "unclear"),
        ],
    );
}

#[test]
fn twilio_says_what_it_means_by_status_and_code() {
    let settings =
        Twilio { url: url(), account: "AC1".into(), secret: secret(), from: "MG1".into(), callback: None };
    check(
        &twilio::Twilio(settings),
        &[
            (201, r#"{"sid":"SM1","status":"queued"}"#, "taken"),
            (400, r#"{"code":21211,"message":"invalid 'To'"}"#, "never"),
            (400, r#"{"code":21610}"#, "never"),
            (401, r#"{"code":20003}"#, "later"),
            (429, r#"{"code":20429}"#, "later"),
            (500, r#"{"code":20500}"#, "unclear"),
        ],
    );
}

#[test]
fn jpush_says_what_it_means_in_a_number() {
    let settings = JPush {
        url: url(),
        key_id: "k".into(),
        secret: secret(),
        audience: "alias".into(),
        production: true,
    };
    check(
        &jpush::JPush(settings),
        &[
            (200, r#"{"sendno":"0","msg_id":"18100287008051894"}"#, "taken"),
            (200, r#"{"sendno":0,"msg_id":18100287008051894}"#, "taken"),
            (400, r#"{"error":{"code":1011,"message":"cannot find user by this audience"}}"#, "never"),
            (401, r#"{"error":{"code":1004}}"#, "later"),
            (429, r#"{"error":{"code":2002}}"#, "later"),
        ],
    );
}

#[test]
fn wechat_and_wecom_say_what_they_mean_in_a_number() {
    let settings = Wechat { url: url(), app_id: "wx1".into(), secret: secret(), templates: BTreeMap::new() };
    check(
        &wechat::Template(settings),
        &[
            (200, r#"{"errcode":0,"errmsg":"ok","msgid":200228332}"#, "taken"),
            (200, r#"{"errcode":40001,"errmsg":"invalid credential"}"#, "stale"),
            (200, r#"{"errcode":42001}"#, "stale"),
            (200, r#"{"errcode":43004,"errmsg":"require subscribe"}"#, "never"),
            (200, r#"{"errcode":-1,"errmsg":"system busy"}"#, "later"),
        ],
    );
    let robot = WecomRobot { url: url(), key: secret(), markdown: false };
    check(
        &wecom::Robot(robot),
        &[
            (200, r#"{"errcode":0,"errmsg":"ok"}"#, "taken"),
            (200, r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, "later"),
            (200, r#"{"errcode":40058}"#, "never"),
        ],
    );
    let customer = WecomCustomer { url: url(), corp_id: "ww1".into(), secret: secret(), sender: None };
    check(
        &wecom::Customer(customer),
        &[
            (200, r#"{"errcode":0,"msgid":"msgGCAAAXtWyujaWJHDDGi0mAAAA","fail_list":[]}"#, "taken"),
            (
                200,
                r#"{"errcode":0,"msgid":"m","fail_list":["woAJ2GCAAAd1asdasdjO4wKmE8AabjBBBBB"]}"#,
                "never",
            ),
            (200, r#"{"errcode":42001}"#, "stale"),
        ],
    );
}
