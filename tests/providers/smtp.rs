//! Mail, by a real SMTP server in a process of its own (`scripts/smtp`). Without one the tests say so and pass.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use wayfare::channel::SendResult;

use super::{channel, delivery, folder, id, word};

struct Server {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Server {
    /// `None`, said aloud for `test`, where there is no Python with aiosmtpd.
    fn start(test: &str, mode: &str, certificate: &str, password: &str) -> Option<Self> {
        let Some(python) = std::env::var_os("WAYFARE_SMTP_PYTHON") else {
            // Not through `eprintln!`, which is shown only when a test fails.
            let _ = writeln!(std::io::stderr(), "suite: SMTP is not here, skipped: {test}");
            return None;
        };
        let tls = folder().join("tls");
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/smtp_server.py"))
            .arg(mode)
            .arg(tls.join(format!("{certificate}.pem")))
            .arg(tls.join(format!("{certificate}.key")))
            .arg(password)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        Some(Self { child, lines, port })
    }

    fn settings(&self, rest: &str) -> String {
        format!(
            "[channels.it]\nprovider = \"smtp\"\nhost = \"localhost\"\nport = {}\nallow_private = true\n\
             from = \"示例银行 <service@bank.example>\"\ntimeout = \"1 second\"\n{rest}",
            self.port
        )
    }

    /// The next mail it took.
    fn mail(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let Some(mut server) = Server::start("a_mail_arrives_as_it_was_written", "plain", "server", "") else {
        return;
    };
    let mail = channel(&server.settings("tls = \"off\"\nreply_to = \"care@bank.example\"\n"));
    let parts = [
        ("title", "到期提醒：稳健理财 90天\r\nBcc: x@evil.example"),
        ("body", "王芳，您好\n.\n明天到期"),
        ("link", "https://bank.example/h"),
    ];
    let message = delivery("remind.mail", "wang@customer.example", &parts);
    // The second goes through the same connection.
    for _ in 0..2 {
        assert_eq!(mail.send(&message).await, SendResult::Accepted { detail: "SMTP 250".into() });
        let taken = server.mail();
        assert_eq!(
            (taken["from"].as_str(), taken["to"][0].as_str()),
            (Some("service@bank.example"), Some("wang@customer.example"))
        );
        assert_eq!(taken["to"].as_array().unwrap().len(), 1);
        let text = taken["mail"].as_str().unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Message-ID: <{}@bank.example>", id(&message.message))), "{head}");
        assert!(
            head.contains("Reply-To: care@bank.example") && head.contains("To: wang@customer.example"),
            "{head}"
        );
        assert!(head.contains("Date: Sun, 22 Nov 2026 02:00:00 +0000"), "{head}");
        // What is written into a subject makes no header.
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Content-Transfer-Encoding: base64"), "{head}");
        let body: String = body.split_whitespace().collect();
        let body = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
        let body = String::from_utf8(body).unwrap().replace("\r\n", "\n");
        assert_eq!(body.trim_end(), "王芳，您好\n.\n明天到期\n\nhttps://bank.example/h");
    }
}

#[tokio::test]
async fn every_answer_has_its_class() {
    let Some(mut server) = Server::start("every_answer_has_its_class", "plain", "server", "") else { return };
    let mail = channel(&server.settings("tls = \"off\"\n"));
    for (to, expected) in [
        ("busy", "Retry { after: None, detail: \"SMTP 451\" }"),
        ("nobody", "Rejected { detail: \"SMTP 550\" }"),
        ("full", "Retry { after: None, detail: \"SMTP 452\" }"),
        ("spam", "Rejected { detail: \"SMTP 554\" }"),
        // It may have taken the mail, and did.
        ("lost", "Ambiguous { detail: \"the connection broke\" }"),
        ("slow", "Ambiguous { detail: \"no answer in time\" }"),
        ("ok", "Accepted { detail: \"SMTP 250\" }"),
    ] {
        let message = delivery(to, &format!("{to}@customer.example"), &[("title", "t"), ("body", "b")]);
        assert_eq!(format!("{:?}", mail.send(&message).await), expected, "{to}");
        if matches!(to, "lost" | "slow" | "ok") {
            assert_eq!(server.mail()["to"][0], format!("{to}@customer.example"));
        }
    }
    let none = delivery("x", "not an address", &[("title", "t"), ("body", "b")]);
    assert_eq!(word(&mail.send(&none).await), "rejected");
    // A connection that was kept while the server went away is worth another try, and no more.
    drop(server);
    let message = delivery("later", "ok@customer.example", &[("title", "t"), ("body", "b")]);
    assert_eq!(word(&mail.send(&message).await), "retry");
}

#[tokio::test]
async fn nothing_is_said_before_it_is_encrypted() {
    for (mode, tls) in [("starttls", "starttls"), ("implicit", "implicit")] {
        let Some(mut server) =
            Server::start("nothing_is_said_before_it_is_encrypted", mode, "server", "mail-test-secret")
        else {
            return;
        };
        let rest = format!(
            "tls = \"{tls}\"\nuser = \"wayfare\"\npassword_file = \"SECRETS/mail\"\nca_file = \"tls/ca.pem\"\n"
        );
        let message = delivery("a", "wang@customer.example", &[("title", "t"), ("body", "b")]);
        let result = channel(&server.settings(&rest)).send(&message).await;
        assert_eq!(word(&result), "accepted", "{mode}: {result:?}");
        let taken = server.mail();
        assert_eq!((&taken["tls"], &taken["user"]), (&Value::from(true), &Value::from("wayfare")));
        // A wrong password is about us: the mail may go later.
        let result = channel(&server.settings(&rest.replace("/mail", "/other"))).send(&message).await;
        assert_eq!(format!("{result:?}"), "Retry { after: None, detail: \"no connection: SMTP 535\" }");
        // Nobody we trust vouches for the server.
        let result =
            channel(&server.settings(&rest.replace("ca_file = \"tls/ca.pem\"\n", ""))).send(&message).await;
        assert_eq!(word(&result), "retry", "{result:?}");
    }
    let Some(server) = Server::start("nothing_is_said_before_it_is_encrypted", "starttls", "expired", "")
    else {
        return;
    };
    let message = delivery("a", "wang@customer.example", &[("title", "t"), ("body", "b")]);
    let result = channel(&server.settings("ca_file = \"tls/ca.pem\"\n")).send(&message).await;
    assert_eq!(word(&result), "retry", "{result:?}");
    // A server that cannot encrypt hears nothing.
    let Some(server) = Server::start("nothing_is_said_before_it_is_encrypted", "plain", "server", "") else {
        return;
    };
    let result = channel(&server.settings("tls = \"starttls\"\n")).send(&message).await;
    assert_eq!(word(&result), "retry", "{result:?}");
}
