//! Which addresses are private, and what a URL in the settings leads to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is this machine, a private network, or otherwise nothing that a public host name should lead
/// to (link-local with its cloud metadata services, multicast, carrier-grade NAT, documentation, unspecified).
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_private_v4(inner),
            None => is_private_v6(address),
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || (a & 0xffc0) == 0xfec0
        || (a == 0x2001 && b == 0xdb8)
}

/// The IPv4 address that a mapped, compatible, translated (NAT64) or tunnelled (6to4) address really means.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let [_, second, third, .., high, low] = segments;
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(join(high, low)),
        [0, 0, 0, 0, 0, 0, ..] if high > 0 => Some(join(high, low)),
        [0x2002, ..] => Some(join(second, third)),
        _ => None,
    }
}

/// What matters of an absolute URL.
pub(super) struct Target<'a> {
    pub(super) secure: bool,
    /// Without brackets.
    host: &'a str,
}

impl<'a> Target<'a> {
    /// `None` where the URL is not `http://` or `https://` with a host, or holds a user name or spaces.
    pub(super) fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#', '\\']).next()?;
        let host = host(authority)?;
        let clean = !url.contains(|c: char| c.is_whitespace() || c.is_control()) && !authority.contains('@');
        (clean && !host.is_empty()).then_some(Self { secure, host })
    }

    /// Whether the host is written as a private address or as this machine. Other names are looked at again when
    /// they are resolved.
    pub(super) fn is_private(&self) -> bool {
        let name = self.host.trim_end_matches('.').to_ascii_lowercase();
        let this_machine = name == "localhost" || name.ends_with(".localhost");
        this_machine || name.parse().is_ok_and(is_private)
    }
}

fn host(authority: &str) -> Option<&str> {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split_once(']').map(|(host, _)| host);
    }
    authority.split(':').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_is_what_a_public_name_must_not_lead_to() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "::127.0.0.1",
            "ff02::1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_url_leads_where_its_host_says() {
        let private = |url| Target::parse(url).map(|target| target.is_private());
        assert_eq!(private("https://example.com/x"), Some(false));
        assert_eq!(private("http://localhost:80/"), Some(true));
        assert_eq!(private("http://api.LOCALHOST./"), Some(true));
        assert_eq!(private("http://[::1]:8080/x"), Some(true));
        assert_eq!(private("https://10.0.0.1?x"), Some(true));
        for bad in [
            "ftp://x",
            "https://",
            "example.com",
            "https://user:pw@example.com",
            "https://a b/",
            "http://[::1",
        ] {
            assert!(Target::parse(bad).is_none(), "{bad}");
        }
    }
}
