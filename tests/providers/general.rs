//! A provider in general: what it is asked, what its answers mean, and that nothing in them does harm.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::hmac;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use wayfare::channel::SendResult;
use wayfare::channel::webhook::install_tls;

use super::peer::{Answer, Peer, json as answer, status};
use super::{BODY, channel, channels, delivery, folder, id, wall, word};

const LETTERS: &str = r#"
method = "PUT"
body = '{"to": "{{ address }}", "text": "{{ body }}", "copies": 1, "tags": ["{{ purpose }}", true]}'
auth = "hmac"
secret_file = "SECRETS/letters"
idempotent = true
[channels.it.headers]
Idempotency-Key = "{{ id }}"
[channels.it.answer]
id = "/data/id"
field = "/code"
accepted = "0"
retry = "busy, later"
retry_status = "409"
"#;

fn settings(url: &str, rest: &str) -> String {
    format!(
        "[channels.it]\nprovider = \"http\"\nurl = \"{url}\"\nallow_private = true\ntimeout = \"1 second\"\n{rest}"
    )
}

#[tokio::test]
async fn a_request_is_what_the_settings_say() {
    let peer = Peer::start(|_| answer(200, r#"{"code": 0, "data": {"id": "L-1"}}"#)).await;
    let channel = channel(&settings(&format!("{}/letters/{{{{ address }}}}?x=1", peer.url), LETTERS));
    let quoted = "他说\"好\"\n{{ title }}";
    let letter = delivery("a", "王/芳", &[("body", quoted)]);
    let result = channel.send(&letter).await;
    assert_eq!(result, SendResult::Accepted { detail: "HTTP 200: L-1".into() });
    let seen = peer.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].query.as_str()), ("PUT", "x=1"));
    assert_eq!(seen[0].path, "/letters/%E7%8E%8B%2F%E8%8A%B3");
    assert_eq!(seen[0].header("idempotency-key"), id(&letter.message));
    // Text of a message stays text: it neither ends a string nor opens a hole.
    let expected = json!({"to": "王/芳", "text": quoted, "copies": 1, "tags": ["service", true]});
    assert_eq!(seen[0].json(), expected);
    let signed = format!("{}.{}", wall().as_second(), seen[0].body);
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"letters-test-secret");
    let signature = super::oracle::hex(hmac::sign(&key, signed.as_bytes()).as_ref());
    assert_eq!(seen[0].header("x-signature"), signature);
    assert_eq!(seen[0].header("x-timestamp"), wall().as_second().to_string());
}

#[tokio::test]
async fn forms_and_text_are_as_strict() {
    let peer = Peer::start(|_| status(200)).await;
    let form = "auth = \"basic\"\nuser = \"wayfare\"\nsecret_file = \"SECRETS/form\"\n[channels.it.form]\nto = \"{{ address }}\"\ntext = \"{{ body }}&x=1\"\n";
    let post = channel(&settings(&peer.url, form));
    assert_eq!(word(&post.send(&delivery("a", "1", &[("body", "a=b c")])).await), "accepted");
    let seen = peer.seen();
    assert_eq!(seen[0].body, "text=a%3Db+c%26x%3D1&to=1");
    assert_eq!(seen[0].header("authorization"), "Basic d2F5ZmFyZTpmb3JtLXRlc3Qtc2VjcmV0");
    let text = channel(&settings(&peer.url, "format = \"text\"\nbody = \"{{ title }}: {{ body }}\"\n"));
    assert_eq!(
        word(&text.send(&delivery("a", "1", &[("title", "到期"), ("body", "明天")])).await),
        "accepted"
    );
    assert_eq!(peer.seen()[0].body, "到期: 明天");
    let result = text.send(&delivery("a", "1", &[("body", "明天")])).await;
    assert_eq!(result, SendResult::Rejected { detail: "content `due` has no title".into() });
    assert_eq!(peer.seen(), []);
}

#[tokio::test]
async fn every_answer_means_what_the_settings_say() {
    let cases = [
        (200, r#"{"code": 0}"#, "accepted"),
        (200, r#"{"code": "busy"}"#, "retry"),
        (500, r#"{"code": "later"}"#, "retry"),
        (200, r#"{"code": 17}"#, "rejected"),
        (400, r#"{"code": 0}"#, "rejected"),
        (409, "", "retry"),
        (429, "", "retry"),
        (503, "", "retry"),
        // A gateway says so after it passed the request on.
        (502, "", "ambiguous"),
        (302, "", "rejected"),
        // It says yes and nothing we understand.
        (200, "<html>", "ambiguous"),
        (200, "{}", "ambiguous"),
    ];
    for (code, body, expected) in cases {
        let peer = Peer::start(move |_| answer(code, body)).await;
        let result =
            channel(&settings(&peer.url, LETTERS)).send(&delivery("a", "1", &[("body", BODY)])).await;
        assert_eq!(word(&result), expected, "{code} {body}: {result:?}");
    }
}

#[tokio::test]
async fn garbage_of_ten_megabytes_is_not_read() {
    let garbage = "x".repeat(10 << 20);
    let peer = Peer::start(move |_| answer(200, &garbage)).await;
    let general = channel(&settings(&peer.url, LETTERS));
    let message = delivery("a", "1", &[("body", BODY)]);
    let sent = tokio::time::timeout(Duration::from_millis(900), general.send(&message)).await.unwrap();
    assert_eq!(word(&sent), "ambiguous", "{sent:?}");
}

#[tokio::test]
async fn a_redirect_leads_nowhere() {
    let inside = Peer::start(|_| status(200)).await;
    let to = inside.url.clone();
    let redirect = move |_: &_| -> Answer {
        axum::http::Response::builder()
            .status(307)
            .header("location", &to)
            .body(axum::body::Body::empty())
            .unwrap()
    };
    let peer = Peer::start(redirect).await;
    let result = channel(&settings(&peer.url, "")).send(&delivery("a", "1", &[("body", BODY)])).await;
    assert_eq!(result, SendResult::Rejected { detail: "HTTP 307".into() });
    assert_eq!(inside.seen(), []);
}

#[tokio::test]
async fn a_name_does_not_lead_inside() {
    let peer = Peer::start(|_| status(200)).await;
    let port = peer.url.rsplit(':').next().unwrap().to_owned();
    // `localtest.me`-like names are only known to be private when they are resolved; here one of our own machine is.
    let inside = format!("[channels.it]\nprovider = \"http\"\nurl = \"https://localhost:{port}/\"\n");
    let reason = channels(&inside).err().unwrap();
    assert!(reason.contains("private address"), "{reason}");
    let hole = format!("[channels.it]\nprovider = \"http\"\nurl = \"https://{{{{ address }}}}:{port}/\"\n");
    let reason = channels(&hole).err().unwrap();
    assert!(reason.contains("only after the host"), "{reason}");
    assert_eq!(peer.seen(), []);
}

/// An HTTPS server with this certificate of the test CA; it takes everything.
async fn secure(name: &str) -> (String, Arc<Mutex<u32>>) {
    install_tls();
    let tls = folder().join("tls");
    let chain: Vec<CertificateDer> =
        CertificateDer::pem_file_iter(tls.join(format!("{name}.pem"))).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(tls.join(format!("{name}.key"))).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let taken = Arc::new(Mutex::new(0));
    let count = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = [0; 16_384];
            let _ = stream.read(&mut bytes).await;
            *count.lock().unwrap() += 1;
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    (url, taken)
}

#[tokio::test]
async fn an_expired_certificate_is_no_connection() {
    for (name, ca, expected, takes) in [
        ("server", "ca_file = \"tls/ca.pem\"\n", "accepted", 1),
        ("expired", "ca_file = \"tls/ca.pem\"\n", "retry", 0),
        // Nobody vouches for it.
        ("server", "", "retry", 0),
    ] {
        let (url, taken) = secure(name).await;
        let result = channel(&settings(&url, ca)).send(&delivery("a", "1", &[("body", BODY)])).await;
        assert_eq!((word(&result), *taken.lock().unwrap()), (expected, takes), "{name} {ca}: {result:?}");
    }
}

#[tokio::test]
async fn a_call_task_is_taken_once_by_its_key() {
    let peer = Peer::start(|_| status(202)).await;
    let text = format!(
        "[channels.it]\nprovider = \"outbound_call\"\nurl = \"{}/tasks\"\nallow_private = true\nauth = \"bearer\"\nsecret_file = \"SECRETS/calls\"\n",
        peer.url
    );
    let calls = channel(&text);
    assert!(calls.idempotent());
    let call = delivery("a", "+8613800138000", &[("body", "您好,我是示例银行")]);
    assert_eq!(word(&calls.send(&call).await), "accepted");
    let seen = peer.seen();
    assert_eq!(seen[0].header("authorization"), "Bearer calls-test-secret");
    assert_eq!(seen[0].header("idempotency-key"), seen[0].json()["task_id"]);
    let expected = json!({"task_id": id(&call.message), "phone": "+8613800138000", "customer": "customer/C-17",
        "purpose": "service", "content": "due", "script": "您好,我是示例银行"});
    assert_eq!(seen[0].json(), expected);
}

#[test]
fn settings_are_as_strict_as_journeys() {
    let refused = |text: &str, reason: &str| {
        let said = channels(text).err().unwrap();
        assert!(said.contains(reason), "{said}");
    };
    let url = "[channels.it]\nprovider = \"http\"\nurl = \"https://x.example/\"\n";
    refused(&format!("{url}body = '{{\"to\": \"{{{{ adress }}}}\"}}'\n"), "cannot be filled with `adress`");
    refused(&format!("{url}body = '{{to}}'\n"), "JSON with copy");
    refused(&format!("{url}auth = \"bearer\"\nsecret = \"in the open\"\n"), "is written into the settings");
    refused(&format!("{url}auth = \"bearer\"\n"), "`channels.it.secret_file` is missing");
    refused(&format!("{url}metod = \"POST\"\n"), "no setting `metod`");
    refused("[channels.it]\nprovider = \"aliyun_sm\"\n", "did you mean `aliyun_sms`?");
    refused(
        "[channels.it]\nproviders = \"a, b\"\n[providers.b]\nprovider = \"smtp\"\nhost = \"m.example\"\nfrom = \"a@b.example\"\n",
        "no provider `a`",
    );
    refused(
        "[channels.it]\nprovider = \"smtp\"\nhost = \"127.0.0.1\"\nfrom = \"a@b.example\"\n",
        "private address",
    );
    refused(
        "[channels.it]\nprovider = \"smtp\"\nhost = \"m.example\"\nfrom = \"a@b.example\"\ntls = \"off\"\n",
        "`off` with `allow_private`",
    );
}
