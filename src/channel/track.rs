//! Links that say when they are followed, and a picture that says when a mail is opened: under the bank's own address.
//!
//! A token holds the message's key and where the journey wrote that the link leads, sealed under a key of ours: nobody reads it,
//! and nobody makes one, so the address redirects to nothing else. The same message has the same tokens at every attempt.

pub mod short;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;

use super::wire::digest::hmac_sha256;
use super::{Attempt, Channel, SendResult};
use crate::config::Links;
use crate::program::Rate;
use crate::step::Delivery;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// The key of the message, and where the link leads.
    Link {
        message: String,
        to: String,
    },
    Opened {
        message: String,
    },
}

/// Makes tokens and reads them.
#[derive(Clone)]
pub struct Tracks {
    /// Without a slash at its end.
    url: Arc<str>,
    seal: Arc<LessSafeKey>,
    nonce: hmac::Key,
    names: hmac::Key,
}

impl Tracks {
    /// # Errors
    /// A reason for people.
    pub fn new(settings: &Links) -> Result<Self, String> {
        let secret = settings.secret.expose().as_bytes();
        let key = hmac_sha256(secret, "wayfare links: seal");
        let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| "the secret cannot be used".to_owned())?;
        Ok(Self {
            url: settings.url.as_str().into(),
            seal: Arc::new(LessSafeKey::new(key)),
            nonce: hmac::Key::new(hmac::HMAC_SHA256, &hmac_sha256(secret, "wayfare links: nonce")),
            names: hmac::Key::new(hmac::HMAC_SHA256, &hmac_sha256(secret, "wayfare links: names")),
        })
    }

    /// The address that leads to `to`, and says so.
    #[must_use]
    pub fn link(&self, message: &str, to: &str) -> Option<String> {
        Some(format!("{}/l/{}", self.url, self.token(&format!("{message}\n{to}"))?))
    }

    /// The address of the picture.
    #[must_use]
    pub fn pixel(&self, message: &str) -> Option<String> {
        Some(format!("{}/o/{}", self.url, self.token(message)?))
    }

    /// What a token says that we made; `None` for any other.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<Followed> {
        self.open(URL_SAFE_NO_PAD.decode(token).ok()?)
    }

    fn open(&self, mut bytes: Vec<u8>) -> Option<Followed> {
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.seal.open_in_place(nonce, Aad::empty(), sealed).ok()?;
        let text = std::str::from_utf8(text).ok()?;
        Some(match text.split_once('\n') {
            Some((message, to)) => Followed::Link { message: message.to_owned(), to: to.to_owned() },
            None => Followed::Opened { message: text.to_owned() },
        })
    }

    fn token(&self, text: &str) -> Option<String> {
        Some(URL_SAFE_NO_PAD.encode(self.seal(text)?))
    }

    /// The nonce is made of the text: the same text has the same token, and no two texts share a nonce.
    fn seal(&self, text: &str) -> Option<Vec<u8>> {
        let tag = hmac::sign(&self.nonce, text.as_bytes());
        let start = tag.as_ref().get(..NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(start).ok()?;
        let mut sealed = text.as_bytes().to_vec();
        self.seal.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).ok()?;
        Some([start, &sealed].concat())
    }

    /// The text with its links led through others, but for what was put in before.
    fn replaced(&self, text: &str, links: &[Arc<str>], through: &dyn Fn(&str) -> Option<String>) -> String {
        let foreign = links.iter().filter(|link| !link.starts_with(&*self.url));
        foreign.fold(text.to_owned(), |text, link| match through(link) {
            Some(through) => text.replace(&**link, &through),
            None => text,
        })
    }

    /// The message with its links led through us.
    fn tracked(&self, delivery: &Delivery) -> Delivery {
        let key = delivery.message.to_string();
        let links = links(delivery);
        let mut tracked = delivery.clone();
        for (name, text) in &mut tracked.parts {
            let replaced = self.replaced(text, &links, &|link| self.link(&key, link));
            *text = match self.pixel(&key) {
                Some(pixel) if name.as_str() == "body" && replaced.trim_start().starts_with('<') => {
                    with_picture(&replaced, &pixel)
                }
                _ => replaced,
            }
            .into();
        }
        tracked
    }
}

/// Where a message leads, each once; the longest first, since one may begin with another.
#[must_use]
pub fn links(delivery: &Delivery) -> Vec<Arc<str>> {
    let mut links: Vec<Arc<str>> = delivery.links.clone();
    let parts = delivery.parts.iter().filter(|(name, _)| name.as_str() == "link");
    links.extend(parts.map(|(_, text)| Arc::clone(text)));
    links.retain(|link| !link.is_empty());
    links.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    links.dedup();
    links
}

/// A mail in HTML: the picture is its last element.
fn with_picture(html: &str, url: &str) -> String {
    let picture = format!("<img src=\"{url}\" width=\"1\" height=\"1\" alt=\"\">");
    match html.rfind("</body>") {
        Some(at) => format!("{}{picture}{}", &html[..at], &html[at..]),
        None => format!("{html}{picture}"),
    }
}

/// A channel whose messages are tracked.
pub(super) struct Tracked {
    pub(super) inner: Arc<dyn Channel>,
    pub(super) tracks: Tracks,
}

impl Channel for Tracked {
    fn send<'a>(&'a self, delivery: &'a Delivery) -> BoxFuture<'a, SendResult> {
        async move { self.inner.send(&self.tracks.tracked(delivery)).await }.boxed()
    }

    fn send_again<'a>(&'a self, delivery: &'a Delivery, earlier: Option<&'a str>) -> BoxFuture<'a, Attempt> {
        async move { self.inner.send_again(&self.tracks.tracked(delivery), earlier).await }.boxed()
    }

    fn max_attempts(&self) -> u32 {
        self.inner.max_attempts()
    }

    fn concurrency(&self) -> usize {
        self.inner.concurrency()
    }

    fn idempotent(&self) -> bool {
        self.inner.idempotent()
    }

    fn repeats(&self) -> bool {
        self.inner.repeats()
    }

    fn rate(&self) -> Option<Rate> {
        self.inner.rate()
    }

    fn is_record(&self) -> bool {
        self.inner.is_record()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    pub(super) fn tracks(secret: &str) -> Tracks {
        Tracks::new(&Links {
            url: "https://go.bank.example".into(),
            secret: Secret::new(secret),
            channels: vec![],
            short: vec![],
        })
        .unwrap()
    }

    #[test]
    fn only_what_we_wrote_can_be_followed() {
        let ours = tracks("a secret of sixteen");
        let link = ours.link("due/C-17/C-17/mail", "app://holding?x=1").unwrap();
        assert_eq!(link, ours.link("due/C-17/C-17/mail", "app://holding?x=1").unwrap());
        let token = link.strip_prefix("https://go.bank.example/l/").unwrap();
        let read = ours.read(token).unwrap();
        let to = "app://holding?x=1".to_owned();
        assert_eq!(read, Followed::Link { message: "due/C-17/C-17/mail".into(), to });
        assert!(!token.contains("C-17"));
        // Any letter of it that is another makes it somebody else's.
        for at in 0..token.len() {
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut forged = token.to_owned();
            forged.replace_range(at..=at, other);
            assert_eq!(ours.read(&forged), None, "{at}");
        }
        assert_eq!(tracks("another secret").read(token), None);
        for garbage in ["", "AAAA", "https://evil.example", "==="] {
            assert_eq!(ours.read(garbage), None);
        }
        let pixel = ours.pixel("due/C-17/C-17/mail").unwrap();
        let token = pixel.strip_prefix("https://go.bank.example/o/").unwrap();
        assert_eq!(ours.read(token), Some(Followed::Opened { message: "due/C-17/C-17/mail".into() }));
    }

    #[test]
    fn a_picture_is_the_last_thing_in_a_mail() {
        let picture = "<img src=\"u\" width=\"1\" height=\"1\" alt=\"\">";
        assert_eq!(with_picture("<p>a</p></body></html>", "u"), format!("<p>a</p>{picture}</body></html>"));
        assert_eq!(with_picture("<p>a</p>", "u"), format!("<p>a</p>{picture}"));
    }
}
