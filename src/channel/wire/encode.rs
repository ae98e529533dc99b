//! Text in URLs and forms.

use std::fmt::Write as _;

/// RFC 3986: everything but letters, digits and `-_.~`.
pub(in crate::channel) fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// `application/x-www-form-urlencoded`, in the order given.
pub(in crate::channel) fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let plus = |text: &str| percent(text).replace("%20", "+");
    let pairs = fields.into_iter().map(|(name, value)| format!("{}={}", plus(name), plus(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A query in the order given, `%20` for spaces.
pub(in crate::channel) fn query<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = fields.into_iter().map(|(name, value)| format!("{}={}", percent(name), percent(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The inverse of both; `None` where it is no text.
pub(in crate::channel) fn decode(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_any_script_survives() {
        assert_eq!(percent("a b+王~"), "a%20b%2B%E7%8E%8B~");
        assert_eq!(form([("a b", "1&2"), ("x", "+")]), "a+b=1%262&x=%2B");
        assert_eq!(query([("a b", "1&2")]), "a%20b=1%262");
        assert_eq!(decode("a%20b%2B%E7%8E%8B~+"), Some("a b+王~ ".to_owned()));
        assert_eq!((decode("%E7"), decode("%4"), decode("%zz")), (None, None, None));
    }
}
