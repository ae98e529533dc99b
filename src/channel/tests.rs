//! Channels against real files and a real receiver.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::hmac;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::{self, Secret};
use crate::step::{MessageKey, RootKey};

fn delivery(step: &str) -> Delivery {
    Delivery {
        message: MessageKey {
            journey: "offer".into(),
            root: "客户/17".into(),
            child: None,
            entry: "C-17".into(),
            step: step.into(),
        },
        channel: Name::new("push"),
        addressee: RootKey { entity: Name::new("customer"), id: "客户/17".into() },
        address: "C-17".into(),
        purpose: Name::new("marketing"),
        content: Name::new("年终"),
        parts: vec![
            (Name::new("title"), "年终好礼\u{1b}[31m".into()),
            (Name::new("body"), "王芳,您好\n请查收".into()),
        ],
        links: vec![],
        program_hash: "p1".into(),
        content_hash: "c1".into(),
        policy_hash: None,
    }
}

fn wall() -> Timestamp {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn settings(url: String) -> config::Webhook {
    config::Webhook {
        url,
        secret: Some(Secret::new(SECRET)),
        timeout: Duration::from_millis(500),
        allow_private: true,
    }
}

/// One request as the receiver saw it.
#[derive(Debug)]
struct Seen {
    head: String,
    headers: BTreeMap<String, String>,
    body: String,
}

async fn request(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut head = String::new();
    stream.read_line(&mut head).await.ok().filter(|read| *read > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { head: head.trim_end().to_owned(), headers, body: String::from_utf8(body).ok()? })
}

/// A receiver that answers each connection's request with the next of `answers`, and then hangs up; an empty answer
/// is silence.
async fn receiver(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/messages?x=1", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut seen = Vec::new();
        for answer in answers {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            seen.extend(request(&mut stream).await);
            if answer.is_empty() {
                tokio::time::sleep(Duration::from_millis(700)).await;
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        seen
    });
    (url, task)
}

fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn the_receiver_can_check_who_sent_what() {
    let (url, task) = receiver(vec![status("202 Accepted"), status("202 Accepted")]).await;
    let webhook = Webhook::new(&settings(url), wall).unwrap();
    let accepted = SendResult::Accepted { detail: "HTTP 202".into() };
    assert_eq!(webhook.send(&delivery("greeting.push")).await, accepted);
    assert_eq!(webhook.send(&delivery("greeting.push")).await, accepted);
    let seen = task.await.unwrap();
    let [first, second] = seen.as_slice() else { panic!("{seen:?}") };
    let header = |name: &str| first.headers[name].as_str();
    assert_eq!(first.head, "POST /messages?x=1 HTTP/1.1");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("idempotency-key"), header("webhook-id"));
    assert_eq!(header("webhook-timestamp"), wall().as_second().to_string());
    let signature = STANDARD.decode(header("webhook-signature").strip_prefix("v1,").unwrap()).unwrap();
    let key =
        hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap());
    let signed = format!("{}.{}.{}", header("webhook-id"), header("webhook-timestamp"), first.body);
    hmac::verify(&key, signed.as_bytes(), &signature).unwrap();
    assert_eq!((&second.body, &second.headers["webhook-id"]), (&first.body, &first.headers["webhook-id"]));
    let body: serde_json::Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(
        MessageKey::parse(body["message"].as_str().unwrap()).unwrap(),
        delivery("greeting.push").message
    );
    assert_eq!(body["parts"]["body"], "王芳,您好\n请查收");
}

#[tokio::test]
async fn every_answer_means_what_the_trait_says() {
    let accepted = |detail: &str| SendResult::Accepted { detail: detail.into() };
    let retry = |after, detail: &str| SendResult::Retry { after, detail: detail.into() };
    let rejected = |detail: &str| SendResult::Rejected { detail: detail.into() };
    let ambiguous = |detail: &str| SendResult::Ambiguous { detail: detail.into() };
    let later = "429 Too Many Requests\r\nretry-after: 7";
    let cases = vec![
        (status("204 No Content"), accepted("HTTP 204")),
        (status("408 Request Timeout"), retry(None, "HTTP 408")),
        (status("425 Too Early"), retry(None, "HTTP 425")),
        (status(later), retry(Some(Duration::from_secs(7)), "HTTP 429")),
        (status("503 Service Unavailable\r\nretry-after: soon"), retry(None, "HTTP 503")),
        (status("400 Bad Request"), rejected("HTTP 400")),
        (status("302 Found\r\nlocation: http://127.0.0.1:1/"), rejected("HTTP 302")),
        (String::new(), ambiguous("no answer in time")),
        ("HTTP/1.1 20".to_owned(), ambiguous("the connection broke")),
        // Accepted, and then an answer that breaks off: the status stands.
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned(), accepted("HTTP 200")),
    ];
    for (answer, expected) in cases {
        let (url, task) = receiver(vec![answer.clone()]).await;
        let webhook = Webhook::new(&settings(url), wall).unwrap();
        assert_eq!(webhook.send(&delivery("x")).await, expected, "{answer}");
        assert_eq!(task.await.unwrap().len(), 1, "{answer}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let endless = "HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n".to_owned() + &"x".repeat(200_000);
    let (url, task) = receiver(vec![endless]).await;
    let webhook = Webhook::new(&settings(url), wall).unwrap();
    let sent = tokio::time::timeout(Duration::from_millis(400), webhook.send(&delivery("x"))).await;
    assert_eq!(sent.unwrap(), SendResult::Accepted { detail: "HTTP 200".into() });
    // The receiver may find the connection closed under its hands.
    let _ = task.await;
}

#[tokio::test]
async fn nobody_there_is_worth_another_try() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let webhook = Webhook::new(&settings(url), wall).unwrap();
    assert_eq!(
        webhook.send(&delivery("x")).await,
        SendResult::Retry { after: None, detail: "no connection".into() }
    );
}

#[tokio::test]
async fn a_public_name_does_not_lead_inside() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let closed = |url: String| config::Webhook { allow_private: false, ..settings(url) };
    for url in [format!("http://127.0.0.1:{port}/"), format!("http://[::ffff:127.0.0.1]:{port}/")] {
        assert!(Webhook::new(&closed(url), wall).is_err());
    }
    // A name is only known to be private once it is resolved.
    let webhook = Webhook::new(&closed(format!("http://localhost:{port}/")), wall).unwrap();
    let detail = "the name leads to a private address".into();
    assert_eq!(webhook.send(&delivery("x")).await, SendResult::Rejected { detail });
    assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err());
}

#[tokio::test]
async fn the_console_shows_one_line_that_cannot_move_the_cursor() {
    let lines = Arc::new(std::sync::Mutex::new(Vec::new()));
    let print = {
        let lines = Arc::clone(&lines);
        Arc::new(move |line: &str| lines.lock().unwrap().push(line.to_owned()))
    };
    Console::new(print).send(&delivery("greeting.push")).await;
    assert_eq!(*lines.lock().unwrap(), ["push → C-17  年终好礼 [31m | 王芳,您好 请查收  (greeting.push)"]);
}

#[tokio::test]
async fn the_file_has_every_message_once_it_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out/messages.jsonl");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "{\"torn\": ").unwrap();
    let file = Arc::new(File::open(&path).unwrap());
    let sends = (0..50).map(|number| {
        let file = Arc::clone(&file);
        tokio::spawn(async move { file.send(&delivery(&format!("s{number}"))).await })
    });
    for send in sends.collect::<Vec<_>>() {
        assert_eq!(send.await.unwrap(), SendResult::Accepted { detail: "written".into() });
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let mut steps: Vec<Arc<str>> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .map(|line| MessageKey::parse(line["message"].as_str().unwrap()).unwrap().step)
        .collect();
    steps.sort_unstable();
    steps.dedup();
    assert_eq!((steps.len(), text.lines().count()), (50, 51));
}

#[tokio::test]
async fn a_channel_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let means = Means { root: folder.path(), print: Arc::new(|_: &str| {}), wall };
    let mut config = config::Config::default();
    config.channels.insert(Name::new("push"), config::Channel::Console);
    config.channels.insert(Name::new("mail"), config::Channel::File { path: "out/mail.jsonl".into() });
    let channels = Channels::open(&config, &means).unwrap();
    assert_eq!(channels.names().collect::<Vec<_>>(), [Name::new("mail"), Name::new("push")]);
    config.channels.insert(Name::new("sms"), config::Channel::File { path: "out".into() });
    let (name, reason) = Channels::open(&config, &means).err().unwrap();
    assert!(name == Name::new("sms") && reason.starts_with("cannot open"), "{reason}");
}
