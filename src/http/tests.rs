//! The door with a real listener and requests as they are on the wire, before an engine that only remembers.

use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fake::{MAX_BODY, Running, start, start_with};
use crate::engine::SubmitError;
use crate::intake::fixture;
use crate::name::Name;

/// The requests on the pages of `explain`: a bad one gives the code of its page, a good one is taken. What is written as
/// text there (a hundred megabytes, a busy daemon) cannot be asked for here.
#[tokio::test]
async fn requests_on_the_pages_are_answered_as_they_say() {
    let token = "0123456789abcdef";
    for code in crate::diagnostic::code::ALL.iter().filter(|code| code.as_str().starts_with("R02")) {
        let door = if code.as_str() == "R0202" {
            start_with(Some(token), MAX_BODY, Vec::new()).await
        } else {
            start().await
        };
        for (kind, text) in requests(code.page()) {
            let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
            let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
            let headers = headers.lines().fold(String::new(), |all, header| all + header + "\r\n");
            let line = line.strip_suffix(" HTTP/1.1").unwrap_or(line);
            let answer = door.request(line, &headers, body.as_bytes()).await;
            match kind {
                "bad" => assert_eq!(answer.code().1, code.as_str(), "{code}: {answer:?}"),
                _ => assert!(answer.status < 300, "{code}: {answer:?}"),
            }
        }
    }
}

/// Which kind each request of a page is, and its text.
fn requests(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("```http ").skip(1).filter_map(|rest| rest.split_once("```")?.0.split_once('\n'))
}

/// An answer: status, head and body.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    fn code(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

impl Running {
    /// Sends `text` as it is, says that nothing more comes, and reads what comes back.
    async fn raw(&self, text: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The other side may answer and hang up before it has read everything.
        let _ = stream.write_all(text).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        // A picture is no text.
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    async fn request(&self, line: &str, headers: &str, body: &[u8]) -> Answer {
        let address = self.address;
        let mut text = format!(
            "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        text.extend_from_slice(body);
        self.raw(&text).await
    }

    async fn post(&self, media: &str, body: impl AsRef<[u8]>) -> Answer {
        self.request("POST /v1/events", &format!("content-type: {media}\r\n"), body.as_ref()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path}"), "", b"").await
    }
}

const ONE: &str = "application/cloudevents+json; charset=utf-8";
const BATCH: &str = "application/cloudevents-batch+json";
const LINES: &str = "application/x-ndjson";

fn payment(id: &str, amount: i64) -> Json {
    json!({
        "specversion": "1.0", "source": "urn:bank:core", "id": id, "type": "payment", "subject": "C-17",
        "data": {"amount": amount},
    })
}

#[tokio::test]
async fn one_event_is_answered_by_its_status() {
    let door = start().await;
    let send = |event: Json| door.post(ONE, event.to_string());
    assert_eq!(send(payment("a", 1)).await.status, 202);
    assert_eq!(send(payment("a", 1)).await.status, 200, "the same again is known");
    assert_eq!(send(payment("a", 2)).await.code(), (409, "R0108".to_owned()));
    assert_eq!(door.post(ONE, "{").await.code(), (400, "R0101".to_owned()));
    assert_eq!(door.post(ONE, "[".repeat(100_000)).await.code(), (400, "R0101".to_owned()));
    let change = |name: &str, value: Json| {
        let mut event = payment("b", 1);
        event[name] = value;
        event
    };
    assert_eq!(send(change("type", json!("paymnet"))).await.code(), (422, "R0102".to_owned()));
    assert_eq!(send(change("type", json!("matured"))).await.code(), (422, "R0103".to_owned()));
    assert_eq!(send(change("data", json!({"amount": "x"}))).await.code(), (422, "R0104".to_owned()));
    assert_eq!(send(change("data", json!({}))).await.code(), (422, "R0105".to_owned()));
    let large = json!({"amount": 1, "note": "x".repeat(crate::intake::MAX_EVENT)});
    assert_eq!(send(change("data", large)).await.code(), (413, "R0111".to_owned()));
    // Late is not wrong: what it still means is for the journeys to say.
    assert_eq!(send(change("time", json!("2020-01-01T00:00:00Z"))).await.status, 202);
    assert!(door.memory.set_aside.lock().unwrap().is_empty());
    let ahead = send(change("time", json!("2026-11-21T03:00:00Z"))).await;
    assert_eq!(ahead.code(), (422, "R0107".to_owned()));
    assert!(ahead.head.contains("content-type: application/problem+json"), "{ahead:?}");
    let set_aside = door.memory.set_aside.lock().unwrap();
    let [record] = set_aside.as_slice() else { panic!("{set_aside:?}") };
    let kept: Json = serde_json::from_slice(&record.body).unwrap();
    assert_eq!(
        (record.code.as_str(), &kept["id"], &kept["data"]),
        ("R0107", &json!("b"), &json!({"amount": 1}))
    );
    assert_eq!(door.memory.ids(), ["a", "b"]);
}

#[tokio::test]
async fn binary_mode_reads_attributes_from_headers() {
    let door = start().await;
    let headers = "ce-specversion: 1.0\r\nce-source: urn:bank:%E6%A0%B8%E5%BF%83\r\nce-id: \"a 1\"\r\nce-type: payment\r\n\
                   ce-subject: C-17\r\nce-time: 2026-11-21T10:00:00%2B08:00\r\nce-region: unknown extension\r\n";
    let send = |extra: &'static str, body: &'static str| {
        let headers = format!("{headers}{extra}");
        async { door.request("POST /v1/events", &{ headers }, body.as_bytes()).await }
    };
    assert_eq!(send("content-type: application/json\r\n", "{\"amount\": 5}").await.status, 202);
    assert_eq!(send("", "{\"amount\": 5}").await.status, 200);
    assert_eq!(
        send("content-type: application/vnd.bank+json\r\n", "").await.code(),
        (422, "R0105".to_owned())
    );
    assert_eq!(send("ce-id: b\r\n", "{}").await.code(), (400, "R0101".to_owned()), "two ids are none");
    assert_eq!(send("content-type: text/plain\r\n", "{}").await.code(), (415, "R0205".to_owned()));
    let kept = door.memory.kept.lock().unwrap();
    let ((source, id), _) = kept.iter().next().unwrap();
    assert_eq!((source.as_str(), id.as_str()), ("urn:bank:核心", "a 1"));
}

/// Ten thousand events with bad ones in between: an answer for each bad one, and every good one kept.
#[tokio::test]
async fn a_batch_keeps_the_good_ones() {
    let door = start().await;
    let mut events: Vec<Json> = (0..10_000).map(|number| payment(&format!("e{number:05}"), number)).collect();
    events[5_000] = json!(["not an event"]);
    events[5_001]["type"] = json!("unheard_of");
    events[5_002]["id"] = json!("e00000");
    events[5_003] = payment("e00001", 1);
    events[9_999]["data"]["amount"] = json!("lots");
    let text = Json::Array(events).to_string();
    let answer = door.post(BATCH, &text).await;
    assert_eq!(answer.status, 207);
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer.json()).unwrap());
    assert_eq!(door.memory.ids().len(), 9_995);
    let again = door.post(BATCH, &text).await.json();
    assert_eq!((again["accepted"].as_u64(), again["duplicates"].as_u64()), (Some(0), Some(9_996)));
    assert_eq!(door.post(BATCH, "[]").await.status, 200);
    assert_eq!(door.post(BATCH, "{}").await.code(), (400, "R0201".to_owned()));
}

#[tokio::test]
async fn lines_are_taken_as_they_come_and_numbered() {
    let door = start().await;
    let mut text = String::new();
    for number in 0..2_500 {
        text.push_str(&payment(&format!("e{number:04}"), number).to_string());
        text.push('\n');
        if number == 1_200 {
            let unknown = payment("wrong", 0).to_string().replace("payment", "pay");
            let large = json!({ "note": "x".repeat(crate::intake::MAX_EVENT) }).to_string();
            text.push_str(&["\n{\"id\": \"broken", &unknown, &large, ""].join("\n"));
        }
    }
    let answer = door.post(LINES, text.trim_end()).await;
    assert_eq!(answer.status, 207);
    insta::assert_snapshot!(serde_json::to_string_pretty(&answer.json()).unwrap());
    assert_eq!(door.memory.ids().len(), 2_500);
}

#[tokio::test]
async fn a_chunked_body_without_end_says_what_was_kept() {
    let door = start().await;
    let lines: String = (0..5_500)
        .flat_map(|number| [payment(&format!("{number:04}"), 1).to_string(), "\n".to_owned()])
        .collect();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {LINES}\r\ntransfer-encoding: chunked\r\n\r\n",
        door.address
    );
    let torn = format!("{head}{:x}\r\n{lines}\r\n5\r\nab", lines.len());
    let answer = door.raw(torn.as_bytes()).await;
    // What was complete in memory when the connection broke may or may not be kept; what is said is what was.
    let kept = door.memory.ids().len();
    if answer.status != 0 {
        assert_eq!(answer.code(), (400, "R0201".to_owned()));
        assert_eq!(answer.json()["accepted"].as_u64(), u64::try_from(kept).ok());
    }
    assert!(kept == 5_500 || kept >= 4_000, "{kept}");
    let whole = format!("{head}{:x}\r\n{lines}\r\n0\r\n\r\n", lines.len());
    let answer = door.raw(whole.as_bytes()).await.json();
    assert_eq!(answer["accepted"].as_u64().unwrap() + answer["duplicates"].as_u64().unwrap(), 5_500);
}

#[tokio::test]
async fn what_is_too_large_or_torn_is_refused_whole() {
    let door = start_with(None, 5_000, Vec::new()).await;
    let batch = Json::Array((0..100).map(|number| payment(&number.to_string(), 1)).collect()).to_string();
    let refused = door.post(BATCH, &batch).await;
    assert_eq!(refused.code(), (413, "R0204".to_owned()));
    let head = |rest: &str| {
        format!(
            "POST /v1/events HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {BATCH}\r\n{rest}\r\n",
            door.address
        )
    };
    let chunked =
        head("transfer-encoding: chunked\r\n") + &format!("{:x}\r\n{batch}\r\n0\r\n\r\n", batch.len());
    assert_eq!(door.raw(chunked.as_bytes()).await.code(), (413, "R0204".to_owned()));
    let torn = head("content-length: 4000\r\n") + "[{\"id\":";
    let answer = door.raw(torn.as_bytes()).await;
    assert!(answer.status == 0 || answer.code() == (400, "R0201".to_owned()), "{answer:?}");
    let huge = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(100_000));
    assert_eq!(door.raw(huge.as_bytes()).await.status, 431);
    assert!(door.memory.ids().is_empty());
    // NDJSON has no largest size.
    let lines: String =
        (0..100).flat_map(|number| [payment(&number.to_string(), 1).to_string(), "\n".to_owned()]).collect();
    assert_eq!(door.post(LINES, lines).await.json()["accepted"], 100);
}

#[tokio::test]
async fn a_full_engine_asks_for_patience_and_a_broken_one_keeps_nothing() {
    let door = start_with(None, MAX_BODY, vec![SubmitError::Busy]).await;
    let event = payment("a", 1).to_string();
    let busy = door.post(ONE, &event).await;
    assert_eq!(busy.code(), (429, "R0206".to_owned()));
    assert!(busy.head.contains("retry-after: 1"), "{busy:?}");
    assert_eq!(door.post(ONE, &event).await.status, 202);
    *door.memory.trouble.lock().unwrap() = vec![SubmitError::Store("disk full".into())];
    let broken = door.post(ONE, payment("b", 1).to_string()).await;
    assert_eq!(broken.code(), (503, "R0209".to_owned()));
    assert!(broken.body.contains("disk full"), "{broken:?}");
    *door.memory.trouble.lock().unwrap() = vec![SubmitError::Busy, SubmitError::Busy];
    let lines = format!("{}\n{}\n", payment("c", 1), payment("d", 1));
    assert_eq!(door.post(LINES, lines).await.json()["accepted"], 2, "a stream waits instead");
    *door.memory.trouble.lock().unwrap() = vec![SubmitError::Stopped];
    assert_eq!(door.get("/readyz").await.status, 503);
    assert_eq!(door.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn web_pages_and_names_that_are_not_ours_stay_outside() {
    let door = start().await;
    let event = payment("a", 1).to_string();
    let port = door.address.port();
    let send = |host: String, extra: &'static str| {
        let text = format!(
            "POST /v1/events HTTP/1.1\r\n{host}connection: close\r\ncontent-type: {ONE}\r\n{extra}content-length: {}\r\n\r\n{event}",
            event.len()
        );
        async { door.raw(&text.into_bytes()).await.status }
    };
    let ours = format!("host: localhost:{port}\r\n");
    assert_eq!(send("host: evil.example\r\n".to_owned(), "").await, 403);
    assert_eq!(send("host: 127.0.0.1.evil.example\r\n".to_owned(), "").await, 403);
    assert_eq!(send(format!("host: 10.0.0.1:{port}\r\n"), "").await, 403);
    assert_eq!(send(String::new(), "").await, 403);
    assert_eq!(send(ours.clone(), "origin: https://evil.example\r\n").await, 403);
    assert_eq!(send(ours.clone(), "origin: null\r\n").await, 403);
    assert_eq!(send(ours.clone(), "sec-fetch-site: cross-site\r\n").await, 403);
    assert!(door.memory.ids().is_empty());
    // A form of another site cannot set our content types, with or without a header that gives it away.
    for media in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json"]
    {
        assert_eq!(door.post(media, &event).await.code(), (415, "R0205".to_owned()));
    }
    assert_eq!(send(format!("host: [::1]:{port}\r\n"), "").await, 202);
    assert_eq!(send(ours, "sec-fetch-site: none\r\n").await, 200);
}

#[tokio::test]
async fn a_token_is_asked_of_everything_but_health() {
    let door = start_with(Some("0123456789abcdef"), MAX_BODY, Vec::new()).await;
    let event = payment("a", 1).to_string();
    let send = |token: &'static str| {
        let headers = format!("content-type: {ONE}\r\n{token}");
        let (door, event) = (&door, &event);
        async move { door.request("POST /v1/events", &headers, event.as_bytes()).await }
    };
    for wrong in
        ["", "authorization: Bearer 0123456789abcdeg\r\n", "authorization: Basic 0123456789abcdef\r\n"]
    {
        let answer = send(wrong).await;
        assert_eq!(answer.code(), (401, "R0202".to_owned()));
        assert!(answer.head.contains("www-authenticate: bearer"), "{answer:?}");
    }
    for path in ["/v1/stats", "/v1/kill", "/v1/schema", "/v1/audiences/everybody"] {
        assert_eq!(door.get(path).await.status, 401, "{path}");
    }
    assert!(door.memory.ids().is_empty());
    assert_eq!(send("authorization: bearer 0123456789abcdef\r\n").await.status, 202);
    assert_eq!((door.get("/livez").await.status, door.get("/readyz").await.status), (200, 200));
}

#[tokio::test]
async fn an_audience_is_counted_and_an_unknown_one_is_not_there() {
    let door = start().await;
    // As a bundle that asks it would have.
    let _ = Name::new("everybody");
    let counted = json!({
        "audience": "everybody", "of": "customer", "known": 7, "members": 7, "unreadable": 0, "short": [],
        "conditions": [{"condition": "name is known", "alone": 7, "so_far": 7}],
    });
    assert_eq!(door.get("/v1/audiences/everybody").await.json(), counted);
    let unknown = door.get("/v1/audiences/nobody").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("no live journey asks an audience `nobody`"), "{unknown:?}");
}

#[tokio::test]
async fn switches_change_only_what_is_named_and_refuse_unknown_names() {
    let door = start().await;
    let send = |body: Json| {
        let body = body.to_string();
        let door = &door;
        async move { door.request("POST /v1/kill", "content-type: application/json\r\n", body.as_bytes()).await }
    };
    let first = send(json!({"channels": {"push": true}, "journeys": {"offer": true}})).await;
    assert_eq!(first.json(), json!({"all": false, "channels": ["push"], "journeys": ["offer"]}));
    let unknown = send(json!({"all": true, "channels": {"pusch": true}})).await;
    assert_eq!(unknown.code(), (422, "R0210".to_owned()));
    assert!(unknown.body.contains("did you mean `push`"), "{unknown:?}");
    assert_eq!(send(json!({"everything": true})).await.code(), (400, "R0201".to_owned()));
    let second = send(json!({"all": true, "channels": {"push": false}})).await;
    assert_eq!(second.json(), json!({"all": true, "channels": [], "journeys": ["offer"]}));
    assert_eq!(door.get("/v1/kill").await.json(), second.json());
    assert_eq!(door.request("POST /v1/kill", "content-type: text/plain\r\n", b"{}").await.status, 415);
    assert!(door.memory.kill.lock().unwrap().journeys.contains(&Name::new("offer")));
}

#[tokio::test]
async fn everything_else_is_a_clear_answer() {
    let door = start().await;
    assert_eq!(door.get("/").await.code(), (404, "R0207".to_owned()));
    assert_eq!(door.get("/v1/events").await.code(), (405, "R0207".to_owned()));
    assert_eq!(door.get("/v1/stats").await.json()["accepted"], 7);
    assert!(door.get("/livez").await.head.contains("cache-control: no-store"));
    let schema: crate::program::Schema = serde_json::from_str(&door.get("/v1/schema").await.body).unwrap();
    assert_eq!(schema, fixture::schema());
    assert_eq!(door.raw(b"nonsense\r\n\r\n").await.status, 400);
}

#[tokio::test]
async fn stopping_lets_a_request_end() {
    let door = start().await;
    let event = payment("a", 1).to_string();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: {}\r\ncontent-type: {ONE}\r\ncontent-length: {}\r\n\r\n",
        door.address,
        event.len()
    );
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    door.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(event.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    door.task.await.unwrap();
    assert!(TcpStream::connect(door.address).await.is_err());
}

/// The examples of `docs/http.md`: each `sh` block is sent as it stands, and answered as the block after it says.
#[tokio::test]
async fn the_documented_examples_are_answered_as_documented() {
    let door = start().await;
    let blocks: Vec<&str> = include_str!("../../docs/http.md").split("```").skip(1).step_by(2).collect();
    let mut examples = 0;
    for pair in blocks.windows(2) {
        let (Some(command), Some(expected)) = (pair[0].strip_prefix("sh\n"), pair[1].strip_prefix("text\n"))
        else {
            continue;
        };
        let answer = curl(&door, command).await;
        assert_eq!(format!("{} {}", answer.status, answer.body.trim_end()), expected.trim_end(), "{command}");
        examples += 1;
    }
    assert!(examples >= 8, "{examples} examples");
}

/// Sends what `curl` would. Understands `-H`, `-X`, `-d` and `--data-binary`, single quotes and continued lines.
async fn curl(door: &Running, command: &str) -> Answer {
    let mut words = Vec::new();
    for (index, part) in command.replace("\\\n", " ").split('\'').enumerate() {
        if index % 2 == 0 {
            words.extend(part.split_whitespace().map(str::to_owned));
        } else {
            words.push(part.to_owned());
        }
    }
    let (mut headers, mut body, mut path, mut method) = (String::new(), String::new(), String::new(), "GET");
    let mut words = words.into_iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-H" => headers += &(words.next().unwrap() + "\r\n"),
            "-d" | "--data-binary" => {
                body = words.next().unwrap();
                method = "POST";
            }
            url => {
                path =
                    url.strip_prefix("http://127.0.0.1:7171").unwrap_or_else(|| panic!("{url}")).to_owned();
            }
        }
    }
    door.request(&format!("{method} {path}"), &headers, body.as_bytes()).await
}

/// The example of Twilio's own SDK (9.13.0, `RequestValidator`): this URL, these fields, this secret.
#[tokio::test]
async fn a_provider_reports_with_its_own_proof() {
    let door = start().await;
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let signed = format!("{form}x-twilio-signature: 5k1oZV8PPVWXqHNNo00k7WCfqV8=\r\n");
    let line = "POST /v1/receipts/sms?message=offer%2FC-17%2FC-17%2Fgreeting.push";
    let body = b"MessageSid=SM1&MessageStatus=delivered&To=%2B8613800138000";
    let taken = door.request(line, &signed, body).await;
    assert_eq!(
        (taken.status, door.memory.ids()),
        (200, vec!["SM1/delivered/offer/C-17/C-17/greeting.push".to_owned()])
    );
    // Another message, another status, no signature, another provider: none is proved.
    let refused = [
        (line.replace("C-17", "C-18"), signed.clone(), body.to_vec()),
        (
            line.to_owned(),
            signed.clone(),
            body.to_vec().iter().map(|byte| if *byte == b'1' { b'2' } else { *byte }).collect(),
        ),
        (line.to_owned(), form.to_owned(), body.to_vec()),
        ("POST /v1/receipts/ali?secret=wrong".to_owned(), signed.clone(), b"[]".to_vec()),
    ];
    for (line, headers, body) in refused {
        assert_eq!(door.request(&line, &headers, &body).await.code(), (403, "R0231".to_owned()), "{line}");
    }
    assert_eq!(door.request("POST /v1/receipts/nobody", form, b"").await.status, 404);
    assert_eq!(door.memory.ids().len(), 1);
    // Aliyun's are a list; they are answered as it wants.
    let line = "POST /v1/receipts/ali?secret=aliyun-callback-secret";
    let report = json!([{"phone_number": "13800138000", "success": false, "err_code": "MOBILE_NOT_ON_SERVICE",
        "biz_id": "932702304080415357^0", "out_id": "offer/C-17/C-17/greeting.push"}]);
    let taken = door.request(line, "content-type: application/json\r\n", report.to_string().as_bytes()).await;
    assert_eq!((taken.status, taken.json()["code"].clone()), (200, json!(0)));
    let kinds: Vec<String> =
        door.memory.kept.lock().unwrap().values().map(|(_, event)| format!("{:?}", event.kind)).collect();
    assert!(
        kinds.iter().any(|kind| kind.contains("Failed"))
            && kinds.iter().any(|kind| kind.contains("Delivered")),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_tracked_link_leads_to_what_the_journey_wrote() {
    let door = start().await;
    let tracks = super::fake::tracks();
    let key = "offer/C-17/C-17/greeting.push";
    let path = |url: Option<String>| url.unwrap().strip_prefix("https://go.bank.example").unwrap().to_owned();
    let link = path(tracks.link(key, "https://bank.example/offer?x=1"));
    // From a page of another site.
    let browser = "sec-fetch-site: cross-site\r\n";
    for _ in 0..2 {
        let answer = door.request(&format!("GET {link}"), browser, b"").await;
        assert_eq!(answer.status, 302);
        assert!(answer.head.contains("location: https://bank.example/offer?x=1\r\n"), "{}", answer.head);
    }
    // A scanner that asks for the head alone follows nothing.
    let head = path(tracks.link(key, "app://offer"));
    assert_eq!(door.request(&format!("HEAD {head}"), browser, b"").await.status, 302);
    let picture = door.request(&format!("GET {}", path(tracks.pixel(key))), browser, b"").await;
    assert!(picture.head.contains("content-type: image/gif"), "{}", picture.head);
    assert_eq!(door.memory.ids().len(), 2, "clicked once, opened once");
    // Nobody makes a link of theirs.
    for forged in
        ["/l/aHR0cHM6Ly9ldmlsLmV4YW1wbGU", "/l/https:%2F%2Fevil.example", &link.replace("/l/", "/o/")]
    {
        assert_eq!(door.request(&format!("GET {forged}"), browser, b"").await.status, 404, "{forged}");
    }
    assert_eq!(door.memory.ids().len(), 2);
}

#[tokio::test]
async fn a_short_link_is_the_click_of_its_message() {
    let door = start().await;
    let name = super::fake::tracks().name(7, ("offer/C-17/C-17/sms", "https://bank.example/offer?x=1"), 0);
    for _ in 0..2 {
        let answer = door.request(&format!("GET /s/{name}"), "sec-fetch-site: cross-site\r\n", b"").await;
        assert_eq!(answer.status, 302);
        assert!(answer.head.contains("location: https://bank.example/offer?x=1\r\n"), "{}", answer.head);
    }
    assert_eq!(door.request(&format!("HEAD /s/{name}"), "", b"").await.status, 302);
    let kinds: Vec<String> =
        door.memory.kept.lock().unwrap().values().map(|(_, event)| format!("{:?}", event.kind)).collect();
    assert_eq!(kinds.len(), 1, "once, however often: {kinds:?}");
    assert!(kinds[0].contains("Clicked") && kinds[0].contains("sms"), "{kinds:?}");
    for other in ["00000000", "zzzzzzzz", "x", &name.to_lowercase()] {
        assert_eq!(door.request(&format!("GET /s/{other}"), "", b"").await.status, 404, "{other}");
    }
}

#[tokio::test]
async fn a_query_that_asks_for_nothing_known_is_told_what_there_is() {
    let door = start().await;
    for (path, words) in [
        ("/v1/tasks?asignee=s-1", ["`asignee`", "`assignee`, `unit`, `task`"]),
        ("/v1/tasks?limit=many", ["limit", "`due_before`"]),
        ("/v1/tasks/changes?since=1", ["`since`", "`after`, `limit`"]),
        ("/v1/tasks/summary?form=2026-01-01", ["`form`", "`from`, `to`"]),
        ("/v1/slots/banner?subject=C-17&slot=x", ["`slot`", "`subject`, `entity`, `slots`"]),
    ] {
        let answer = door.request(&format!("GET {path}"), "", b"").await;
        assert_eq!(answer.status, 400, "{path}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(words.iter().all(|word| detail.contains(word)), "{path}: {detail}");
        assert!(!detail.contains("deserialize") && !detail.contains("unknown field"), "{detail}");
    }
}
