//! Which addresses a message may go to. Checked where the connection is made, after the name was resolved, so that a
//! name cannot lead elsewhere later than it was looked at.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use futures_util::FutureExt;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::config::is_private;

/// Resolves names, and drops private addresses unless they are allowed.
#[derive(Clone, Copy, Debug)]
pub(in crate::channel) struct Guard {
    pub(in crate::channel) allow_private: bool,
}

/// A name that leads to private addresses only.
#[derive(Debug)]
struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to a private address")
    }
}

impl Error for Forbidden {}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed = permitted(found, allow_private)?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        }
        .boxed()
    }
}

/// Why a name leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::channel) enum Lookup {
    Forbidden,
    Failed,
}

/// Where `host` is, for what is not HTTP; private addresses are dropped unless they are allowed.
pub(in crate::channel) async fn resolve(
    host: &str,
    port: u16,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, Lookup> {
    let found = tokio::net::lookup_host((host, port)).await.map_err(|_| Lookup::Failed)?.collect();
    permitted(found, allow_private).map_err(|Forbidden| Lookup::Forbidden)
}

fn permitted(found: Vec<SocketAddr>, allow_private: bool) -> Result<Vec<SocketAddr>, Forbidden> {
    let nothing_found = found.is_empty();
    let allowed: Vec<SocketAddr> =
        found.into_iter().filter(|address| allow_private || !is_private(address.ip())).collect();
    if allowed.is_empty() && !nothing_found { Err(Forbidden) } else { Ok(allowed) }
}

/// Addresses written in the URL are never resolved, so they are looked at here.
pub(in crate::channel) fn is_literal_private(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.parse::<IpAddr>().is_ok_and(is_private)
}

/// Whether the address was what stopped a request.
pub(in crate::channel) fn is_forbidden(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<Forbidden>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_dropped_and_nothing_else() {
        let addresses =
            |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let mixed = addresses(&["10.0.0.1:0", "1.1.1.1:0", "[::1]:0", "[::ffff:127.0.0.1]:0"]);
        assert_eq!(permitted(mixed.clone(), false).unwrap(), addresses(&["1.1.1.1:0"]));
        assert_eq!(permitted(mixed.clone(), true).unwrap(), mixed);
        assert!(permitted(addresses(&["169.254.169.254:0"]), false).is_err());
        assert!(permitted(Vec::new(), false).unwrap().is_empty());
    }

    #[test]
    fn an_address_in_the_url_is_seen_however_it_is_written() {
        for url in [
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://[::ffff:7f00:1]/",
            "http://[::1]/",
        ] {
            assert!(is_literal_private(&Url::parse(url).unwrap()), "{url}");
        }
        assert!(!is_literal_private(&Url::parse("https://1.1.1.1/").unwrap()));
    }
}
