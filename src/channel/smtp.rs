//! `smtp`: each message as a mail of its own, by a mail server's submission port.
//!
//! The mail's `Message-ID` is made of the message's key, so that a mail that comes twice is one to whoever looks. The
//! protocol has no other idempotency: a connection that is lost after the mail was written is ambiguous, and final.
//! Before that nothing was taken: 4xx may be tried again, 5xx is a refusal. While we connect and log in, either is about
//! us, and may be tried again.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lettre::address::Envelope;
use lettre::message::{Mailbox, MessageBuilder, SinglePart};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::{Address, Message};
use tokio::time::timeout;

use super::wire::address::{Lookup, resolve};
use super::wire::digest::id;
use super::wire::{Wall, install_tls};
use super::{Channel, SendResult};
use crate::config::provider::{self, Line, Tls};
use crate::step::Delivery;

/// Connections kept open for the next mail.
const MOST_KEPT: usize = 8;
const GOODBYE: Duration = Duration::from_secs(1);

pub(super) struct Smtp {
    settings: provider::Smtp,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    tls: Option<TlsParameters>,
    hello: ClientId,
    timeout: Duration,
    allow_private: bool,
    sends: usize,
    wall: Wall,
    kept: Mutex<Vec<AsyncSmtpConnection>>,
}

/// Why a mail was not begun.
enum Stopped {
    /// The connection broke: another one may do.
    Broken,
    Said(SendResult),
}

impl Smtp {
    /// # Errors
    /// A reason for people.
    pub(super) fn new(settings: &provider::Smtp, line: &Line, wall: Wall) -> Result<Self, String> {
        install_tls();
        let mailbox = |text: &str| {
            text.parse::<Mailbox>().map_err(|error| format!("`{text}` is not a mail address: {error}"))
        };
        let tls = match settings.tls {
            Tls::Off => None,
            Tls::StartTls | Tls::Implicit => Some(parameters(&settings.host, line.ca.as_deref())?),
        };
        let from = mailbox(&settings.from)?;
        Ok(Self {
            hello: ClientId::Domain(from.email.domain().to_owned()),
            from,
            reply_to: settings.reply_to.as_deref().map(mailbox).transpose()?,
            tls,
            timeout: line.timeout,
            allow_private: line.allow_private,
            sends: line.sends,
            wall,
            kept: Mutex::default(),
            settings: settings.clone(),
        })
    }

    async fn hand_over(&self, delivery: &Delivery) -> SendResult {
        let mail = match self.mail(delivery) {
            Ok(mail) => mail,
            Err(reason) => return SendResult::Rejected { detail: reason.into() },
        };
        // One that was kept may have been closed meanwhile.
        if let Some(mut kept) = self.keep(None) {
            match self.begin(&mut kept, mail.envelope()).await {
                Ok(()) => return self.finish(kept, &mail.formatted()).await,
                Err(Stopped::Said(result)) => return result,
                Err(Stopped::Broken) => {}
            }
        }
        let begun = match timeout(self.timeout, self.connect()).await {
            Ok(Ok(mut new)) => self.begin(&mut new, mail.envelope()).await.map(|()| new),
            Ok(Err(result)) => Err(Stopped::Said(result)),
            Err(_) => Err(Stopped::Said(later("no connection in time"))),
        };
        match begun {
            Ok(new) => self.finish(new, &mail.formatted()).await,
            Err(Stopped::Said(result)) => result,
            Err(Stopped::Broken) => later("the connection broke"),
        }
    }

    /// The mail, with what keeps it the same mail at every attempt.
    fn mail(&self, delivery: &Delivery) -> Result<Message, String> {
        let part = |wanted: &str| {
            delivery.parts.iter().find(|(name, _)| name.as_str() == wanted).map(|(_, text)| text.to_string())
        };
        let to: Address = delivery.address.parse().map_err(|_| "this is not a mail address".to_owned())?;
        let body = part("body").or_else(|| part("message"));
        let mut body =
            body.ok_or_else(|| format!("content `{}` has neither a body nor a message", delivery.content))?;
        if let Some(link) = part("link").filter(|_| !self.settings.html) {
            body = format!("{body}\n\n{link}");
        }
        let body = if self.settings.html { SinglePart::html(body) } else { SinglePart::plain(body) };
        let now = Duration::try_from((self.wall)().duration_since(jiff::Timestamp::UNIX_EPOCH));
        let message_id = format!("<{}@{}>", id(&delivery.message), self.from.email.domain());
        let head = MessageBuilder::new()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(part("title").unwrap_or_default())
            .date(SystemTime::UNIX_EPOCH + now.unwrap_or_default())
            .message_id(Some(message_id));
        let head = match &self.reply_to {
            Some(reply_to) => head.reply_to(reply_to.clone()),
            None => head,
        };
        head.singlepart(body).map_err(|error| format!("the mail cannot be written: {error}"))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendResult> {
        let about_us = |error: Error| later(&said("no connection", &error));
        let addresses: Vec<SocketAddr> =
            match resolve(&self.settings.host, self.settings.port, self.allow_private).await {
                Ok(addresses) => addresses,
                Err(Lookup::Forbidden) => {
                    return Err(SendResult::Rejected {
                        detail: "the name leads to a private address".into(),
                    });
                }
                Err(Lookup::Failed) => return Err(later("the server's name is not known")),
            };
        let implicit = self.tls.clone().filter(|_| self.settings.tls == Tls::Implicit);
        let addresses = addresses.as_slice();
        let connected =
            AsyncSmtpConnection::connect_tokio1(addresses, Some(self.timeout), &self.hello, implicit, None);
        let mut connection = connected.await.map_err(about_us)?;
        if let Some(tls) = self.tls.clone().filter(|_| self.settings.tls == Tls::StartTls) {
            connection.starttls(tls, &self.hello).await.map_err(about_us)?;
        }
        if let Some((user, password)) = &self.settings.user {
            let credentials = Credentials::new(user.clone(), password.expose().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(about_us)?;
        }
        Ok(connection)
    }

    /// Everything up to the mail itself: whatever goes wrong here, it was not taken.
    async fn begin(&self, connection: &mut AsyncSmtpConnection, envelope: &Envelope) -> Result<(), Stopped> {
        let mut options = Vec::new();
        if envelope
            .to()
            .iter()
            .chain(envelope.from())
            .any(|address| !AsRef::<str>::as_ref(address).is_ascii())
        {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let detail = "the server takes no addresses of this script".into();
                return Err(Stopped::Said(SendResult::Rejected { detail }));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        let conversation = async {
            connection.command(Mail::new(envelope.from().cloned(), options)).await?;
            for to in envelope.to() {
                connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
            }
            connection.command(Data).await
        };
        match timeout(self.timeout, conversation).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let _ = timeout(GOODBYE, connection.quit()).await;
                Err(answer(&error).map_or(Stopped::Broken, Stopped::Said))
            }
            Err(_) => Err(Stopped::Said(later("no answer in time"))),
        }
    }

    /// The mail itself: from now on only an answer says whether it was taken.
    async fn finish(&self, mut connection: AsyncSmtpConnection, mail: &[u8]) -> SendResult {
        match timeout(self.timeout, connection.message(mail)).await {
            Ok(Ok(response)) => {
                self.keep(Some(connection));
                SendResult::Accepted { detail: format!("SMTP {}", response.code()).into() }
            }
            Ok(Err(error)) => answer(&error)
                .unwrap_or_else(|| SendResult::Ambiguous { detail: "the connection broke".into() }),
            Err(_) => SendResult::Ambiguous { detail: "no answer in time".into() },
        }
    }

    /// Puts a connection aside, or takes one.
    fn keep(&self, connection: Option<AsyncSmtpConnection>) -> Option<AsyncSmtpConnection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match connection {
            None => kept.pop(),
            Some(connection) => {
                if kept.len() < MOST_KEPT {
                    kept.push(connection);
                }
                None
            }
        }
    }
}

impl Channel for Smtp {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        self.hand_over(delivery).boxed()
    }

    fn concurrency(&self) -> usize {
        self.sends
    }
}

fn parameters(host: &str, ca: Option<&str>) -> Result<TlsParameters, String> {
    let wrong = |error: Error| format!("TLS cannot be set up: {error}");
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(ca) = ca {
        builder = builder.add_root_certificate(Certificate::from_pem(ca.as_bytes()).map_err(wrong)?);
    }
    builder.build().map_err(wrong)
}

/// What the server said; `None` where the connection broke.
fn answer(error: &Error) -> Option<SendResult> {
    let code = error.status()?;
    let detail = format!("SMTP {code}").into();
    Some(if error.is_permanent() {
        SendResult::Rejected { detail }
    } else {
        SendResult::Retry { after: None, detail }
    })
}

/// A server's own words may quote the address; its codes do not.
fn said(what: &str, error: &Error) -> String {
    match error.status() {
        Some(code) => format!("{what}: SMTP {code}"),
        None if error.is_tls() => format!("{what}: TLS failed"),
        None => what.to_owned(),
    }
}

fn later(detail: &str) -> SendResult {
    SendResult::Retry { after: None, detail: detail.into() }
}
