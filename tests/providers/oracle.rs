//! Presets against what the vendors' own SDKs send (`scripts/provider-oracle`): the same requests to the same places, and
//! one verifier, written from the vendors' documentation, for their signatures and for ours.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use ring::{digest, hmac};
use serde::Deserialize;
use serde_json::{Value, json};

use super::peer::{Peer, Seen, json as answer};
use super::{BODY, channel, delivery, folder, id, word};

/// The idempotency key in the fixtures.
const ID: &str = "msg_0123456789abcdef0123456789abcdef";

#[derive(Deserialize)]
struct Fixture {
    requests: Vec<Seen>,
}

fn fixture(name: &str) -> Vec<Seen> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str::<Fixture>(&text).unwrap().requests
}

fn everything_is_well(seen: &Seen) -> super::peer::Answer {
    let body = match seen.path.as_str() {
        "/cgi-bin/token" | "/cgi-bin/gettoken" | "/oauth" => {
            json!({"access_token": "ACCESS-TOKEN", "expires_in": 7200})
        }
        "/v3/push/cid" => {
            json!({"cidlist": ["7d431e42dfa6a6d693ac2d04-128eeb45-471c-49f3-b442-a05c20c9ed56"]})
        }
        _ => json!({"Code": "OK", "errcode": 0, "Response": {"SendStatusSet": [{"Code": "Ok"}]},
            "sid": "SM1", "name": "projects/p/messages/1", "msg_id": "1"}),
    };
    answer(200, &body.to_string())
}

/// What we send, twice: the second time by the same key.
async fn ours(settings: &str, address: &str, parts: &[(&str, &str)]) -> (Vec<Seen>, Vec<Seen>) {
    let peer = Peer::start(everything_is_well).await;
    let account = format!("{}/account.json", std::env::temp_dir().display());
    if settings.contains("account_file") {
        let text = std::fs::read_to_string(folder().join("service_account.json")).unwrap();
        std::fs::write(&account, text.replace("TOKEN_URI", &format!("{}/oauth", peer.url))).unwrap();
    }
    let head = format!("[channels.it]\nurl = \"{}\"\nallow_private = true\n", peer.url);
    let channel = channel(&(head + &settings.replace("ACCOUNT", &account)));
    let delivery = delivery("remind.sms", address, parts);
    let mut both = Vec::new();
    for _ in 0..2 {
        let result = channel.send(&delivery).await;
        assert_eq!(word(&result), "accepted", "{result:?}");
        both.push(peer.seen());
    }
    let second = both.pop().unwrap();
    (both.pop().unwrap(), second)
}

fn decoded(text: &str) -> BTreeMap<String, String> {
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The same request as if it were for the message of the fixtures; JSON within a form in one order.
fn named(seen: &Seen) -> Seen {
    let ours = id(&delivery("remind.sms", "", &[]).message);
    let named = |text: &str| {
        let text = text.replace(&ours, ID).replace(ours.trim_start_matches("msg_"), "SHORT");
        // Where there is room for it, the whole key goes.
        text.replace(&percent("due/C-17/C-17/remind.sms"), ID)
    };
    Seen { query: named(&seen.query), body: named(&seen.body), ..seen.clone() }
}

fn fields(text: &str) -> BTreeMap<String, String> {
    let mut fields = decoded(text);
    for value in fields.values_mut() {
        if let Ok(json @ Value::Object(_)) = serde_json::from_str::<Value>(value) {
            *value = json.to_string();
        }
    }
    fields
}

/// Whether both ask for the same thing.
fn assert_same(ours: &Seen, theirs: &Seen, headers: &[&str]) {
    let ours = &named(ours);
    assert_eq!((&ours.method, &ours.path), (&theirs.method, &theirs.path));
    assert_eq!(fields(&ours.query), fields(&theirs.query));
    for header in headers {
        assert_eq!(ours.header(header), theirs.header(header), "{header}");
    }
    if theirs.header("content-type").contains("form") {
        assert_eq!(fields(&ours.body), fields(&theirs.body));
    } else if !theirs.body.is_empty() {
        assert_eq!(ours.json(), theirs.json());
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The headers of these names, as both signatures of this kind write them.
fn canonical(names: &str, seen: &Seen) -> String {
    let line = |name: &str| format!("{name}:{}\n", seen.header(name).trim());
    names.split(';').map(line).collect::<Vec<_>>().concat()
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// `Name=value` of an `Authorization` header.
fn piece<'a>(authorization: &'a str, name: &str) -> &'a str {
    let (_, rest) = authorization.split_once(&format!("{name}=")).unwrap();
    rest.split(',').next().unwrap().trim()
}

/// help.aliyun.com, "V3 request signature".
fn verify_acs3(seen: &Seen, secret: &str) {
    let authorization = seen.header("authorization");
    let query: Vec<String> = decoded(&seen.query)
        .iter()
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
        .collect();
    let names = piece(authorization, "SignedHeaders");
    let headers = canonical(names, seen);
    assert_eq!(seen.header("x-acs-content-sha256"), sha256(&seen.body));
    assert!(names.split(';').is_sorted() && names.contains("host") && names.contains("x-acs-date"));
    let canonical = format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{}",
        seen.method,
        seen.path,
        query.join("&"),
        sha256(&seen.body)
    );
    let signature = hex(&hmac(secret.as_bytes(), &format!("ACS3-HMAC-SHA256\n{}", sha256(&canonical))));
    assert_eq!(piece(authorization, "Signature"), signature);
}

/// cloud.tencent.com, "signature method v3".
fn verify_tc3(seen: &Seen, secret: &str) {
    let authorization = seen.header("authorization");
    let names = piece(authorization, "SignedHeaders");
    let headers = canonical(names, seen);
    let canonical = format!("{}\n/\n\n{headers}\n{names}\n{}", seen.method, sha256(&seen.body));
    let (_, scope) = piece(authorization, "Credential").split_once('/').unwrap();
    let text = format!("TC3-HMAC-SHA256\n{}\n{scope}\n{}", seen.header("x-tc-timestamp"), sha256(&canonical));
    let key = scope.split('/').fold(format!("TC3{secret}").into_bytes(), |key, step| hmac(&key, step));
    assert_eq!(piece(authorization, "Signature"), hex(&hmac(&key, &text)));
}

const SMS: &str = r#"
[channels.it.templates.due]
code = "TEMPLATE"
text = "TEXT"
"#;

#[tokio::test]
async fn aliyun_gets_what_its_own_sdk_sends() {
    let settings = r#"provider = "aliyun_sms"
key_id = "LTAI5tTestKey"
secret_file = "SECRETS/aliyun"
sign_name = "示例银行"
"#;
    let text = SMS.replace("TEMPLATE", "SMS_154950909").replace("TEXT", "您的${product}将于${date}到期");
    let (first, second) = ours(&format!("{settings}{text}"), "+8613800138000", &[("body", BODY)]).await;
    let theirs = fixture("aliyun_sms");
    assert_same(
        &first[0],
        &theirs[0],
        &["x-acs-action", "x-acs-version", "x-acs-date", "x-acs-content-sha256"],
    );
    for seen in first.iter().chain(&second).chain(&theirs) {
        verify_acs3(seen, "aliyun-test-secret");
    }
    // The key goes with both; a nonce never twice.
    assert_eq!(first[0].query, second[0].query);
    assert_ne!(first[0].header("x-acs-signature-nonce"), second[0].header("x-acs-signature-nonce"));
}

#[tokio::test]
async fn tencent_gets_what_its_own_sdk_sends() {
    let settings = r#"provider = "tencent_sms"
key_id = "AKIDtestkey"
secret_file = "SECRETS/tencent"
app_id = "1400006666"
sign_name = "示例银行"
"#;
    let text = SMS.replace("TEMPLATE", "449739").replace("TEXT", "您的{1}将于{2}到期");
    let (first, second) = ours(&format!("{settings}{text}"), "+8613800138000", &[("body", BODY)]).await;
    let theirs = fixture("tencent_sms");
    let headers = ["x-tc-action", "x-tc-version", "x-tc-region", "x-tc-timestamp", "content-type"];
    assert_same(&first[0], &theirs[0], &headers);
    for seen in first.iter().chain(&second).chain(&theirs) {
        verify_tc3(seen, "tencent-test-secret");
    }
    assert_eq!(first[0].body, second[0].body);
}

#[tokio::test]
async fn twilio_gets_what_its_own_sdk_sends() {
    let settings = r#"provider = "twilio"
account = "AC00000000000000000000000000000001"
secret_file = "SECRETS/twilio"
from = "+12025550123"
callback = "https://bank.example/v1/receipts/twilio"
"#;
    let body = format!("{BODY} & more+");
    let (first, second) = ours(settings, "+8613800138000", &[("body", &body)]).await;
    // Ours reports with the message's key in its address.
    let mut first = first;
    let theirs = fixture("twilio");
    let (url, key) = (decoded(&theirs[0].body)["StatusCallback"].clone(), "due/C-17/C-17/remind.sms");
    assert_eq!(decoded(&first[0].body)["StatusCallback"], format!("{url}?message={}", percent(key)));
    let sent = first[0].body.clone();
    first[0].body = sent.replace(&percent(&format!("?message={}", percent(key))), "");
    assert_same(&first[0], &theirs[0], &["authorization", "content-type", "accept"]);
    first[0].body = sent;
    assert_eq!(first[0].body, second[0].body);
}

/// Header and claims of a JWT whose signature is that of the test account.
fn verify_jwt(seen: &Seen) -> (Value, Value) {
    let body = decoded(&seen.body);
    assert_eq!(body["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (text, signature) = body["assertion"].rsplit_once('.').unwrap();
    let account: Value =
        serde_json::from_str(&std::fs::read_to_string(folder().join("service_account.json")).unwrap())
            .unwrap();
    let pem = account["private_key"].as_str().unwrap();
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let key: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    key.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).unwrap();
    let (header, claims) = text.split_once('.').unwrap();
    let read = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (read(header), read(claims))
}

#[tokio::test]
async fn fcm_gets_what_its_own_sdk_sends() {
    let settings = "provider = \"fcm\"\naccount_file = \"ACCOUNT\"\n";
    let parts = [("title", "到期提醒"), ("body", BODY), ("link", "app://holding")];
    let (first, second) = ours(settings, "device-token-1", &parts).await;
    let theirs = fixture("fcm");
    let ((header, mut claims), (their_header, mut their_claims)) =
        (verify_jwt(&first[0]), verify_jwt(&theirs[0]));
    assert_eq!(header, their_header);
    // The SDK asks for all that Firebase can do, we for what we need.
    assert_eq!(claims["scope"].take(), "https://www.googleapis.com/auth/firebase.messaging");
    their_claims["scope"].take();
    assert_eq!(claims, their_claims);
    assert_same(&first[1], &theirs[1], &["authorization", "content-type"]);
    assert_eq!(second.len(), 1, "the token is kept");
    assert_eq!(second[0].body, first[1].body);
}

#[tokio::test]
async fn jpush_gets_what_its_own_sdk_sends() {
    let settings =
        "provider = \"jpush\"\nkey_id = \"7d431e42dfa6a6d693ac2d04\"\nsecret_file = \"SECRETS/jpush\"\n";
    let parts = [("title", "到期提醒"), ("body", BODY), ("link", "app://holding")];
    let (first, second) = ours(settings, "1507bfd3f7c466c2e1b", &parts).await;
    let theirs = fixture("jpush");
    assert_same(&first[0], &theirs[0], &["authorization"]);
    assert_same(&first[1], &theirs[1], &["authorization"]);
    // A second attempt goes under the same `cid`: JPush pushes once.
    assert_eq!((second.len(), &second[0].body), (1, &first[1].body));
}

#[tokio::test]
async fn wechat_gets_what_an_sdk_sends() {
    let settings =
        "provider = \"wechat_template\"\napp_id = \"wx0000000000000001\"\nsecret_file = \"SECRETS/wechat\"\n";
    let text =
        SMS.replace("TEMPLATE", "TEMPLATE-1").replace("TEXT", "您的{{thing1.DATA}}将于{{time2.DATA}}到期");
    let parts = [("body", BODY), ("link", "https://bank.example/h")];
    let (mut first, second) = ours(&format!("{settings}{text}"), "oOpenId1", &parts).await;
    let theirs = fixture("wechat_template");
    assert_same(&first[0], &theirs[0], &[]);
    assert_eq!(
        (second.len(), &second[0].body),
        (1, &first[1].body),
        "the token is kept, the key is the same"
    );
    // WeChat's documentation has a key against repetition, the SDK does not know it.
    let mut body = named(&first[1]).json();
    assert_eq!(body["client_msg_id"], "SHORT");
    body.as_object_mut().unwrap().remove("client_msg_id");
    first[1].body = body.to_string();
    assert_same(&first[1], &theirs[1], &[]);
}

#[tokio::test]
async fn wecom_gets_what_an_sdk_sends() {
    let settings = "provider = \"wecom_customer\"\ncorp_id = \"ww0000000000000001\"\nsecret_file = \"SECRETS/wecom\"\nsender = \"zhangsan\"\n";
    let parts = [("title", "到期提醒"), ("body", BODY), ("link", "https://bank.example/h")];
    let (first, second) = ours(settings, "woExternal1", &parts).await;
    let theirs = fixture("wecom_customer");
    assert_same(&first[0], &theirs[0], &[]);
    assert_same(&first[1], &theirs[1], &[]);
    assert_eq!(second.len(), 1, "the token is kept");
}

/// Nobody's SDK knows it: only its documentation says so.
#[tokio::test]
async fn a_group_robot_is_told_by_the_key_in_its_url() {
    let settings = "provider = \"wecom_robot\"\nkey_file = \"SECRETS/robot\"\nformat = \"markdown\"\n";
    let (first, _) = ours(settings, "", &[("title", "日报"), ("body", "今日到期 12 笔")]).await;
    assert_eq!(
        (first[0].path.as_str(), first[0].query.as_str()),
        ("/cgi-bin/webhook/send", "key=robot-test-secret")
    );
    assert_eq!(
        first[0].json(),
        json!({"msgtype": "markdown", "markdown": {"content": "**日报**\n今日到期 12 笔"}})
    );
}

#[tokio::test]
async fn a_token_that_is_refused_is_had_anew() {
    let settings = "provider = \"wechat_template\"\napp_id = \"wx1\"\nsecret_file = \"SECRETS/wechat\"\n";
    let text = SMS.replace("TEMPLATE", "T").replace("TEXT", "{{a.DATA}}");
    let tokens = std::sync::atomic::AtomicU32::new(0);
    let peer = Peer::start(move |seen| {
        let token = json!({"access_token": tokens.fetch_add(1, std::sync::atomic::Ordering::SeqCst).to_string(), "expires_in": 7200});
        match (seen.path.as_str(), seen.query.as_str()) {
            ("/cgi-bin/token", _) => answer(200, &token.to_string()),
            (_, "access_token=0") => answer(200, r#"{"errcode":40001}"#),
            _ => answer(200, r#"{"errcode":0,"msgid":1}"#),
        }
    })
    .await;
    let head = format!("[channels.it]\nurl = \"{}\"\nallow_private = true\n", peer.url);
    let channel = channel(&format!("{head}{settings}{text}"));
    assert_eq!(word(&channel.send(&delivery("a", "o1", &[("body", BODY)])).await), "accepted");
    assert_eq!(peer.seen().len(), 4);
    assert_eq!(word(&channel.send(&delivery("b", "o1", &[("body", BODY)])).await), "accepted");
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn copy_that_does_not_fit_its_template_is_not_sent() {
    let settings = r#"provider = "aliyun_sms"
key_id = "LTAI5tTestKey"
secret_file = "SECRETS/aliyun"
sign_name = "示例银行"
allow_private = true
"#;
    let peer = Peer::start(everything_is_well).await;
    let text = SMS.replace("TEMPLATE", "SMS_1").replace("TEXT", "您的${product}将于${date}到期");
    let channel = channel(&format!("[channels.it]\nurl = \"{}\"\n{settings}{text}", peer.url));
    let result = channel.send(&delivery("a", "1", &[("body", "您的理财到期了")])).await;
    assert_eq!(
        format!("{result:?}"),
        r#"Rejected { detail: "the copy of `due` does not fit its registered template" }"#
    );
    assert_eq!(peer.seen(), []);
}
