//! Text that many share, as it is read from bytes: copied once. Used as `#[serde(deserialize_with = "shared::text")]`; what serde
//! does by itself copies it twice.

use std::fmt;
use std::sync::Arc;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// # Errors
/// If it is not a text.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    deserializer.deserialize_str(Shared)
}

struct Shared;

impl Visitor<'_> for Shared {
    type Value = Arc<str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Arc<str>, E> {
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Own {
        #[serde(deserialize_with = "text")]
        text: Arc<str>,
    }

    #[test]
    fn bytes_and_json_are_read_as_serde_reads_them() {
        let bytes = postcard::to_stdvec("退订").unwrap();
        assert_eq!(&*postcard::from_bytes::<Own>(&bytes).unwrap().text, "退订");
        let own: Own = serde_json::from_str(r#"{"text": "a\nb"}"#).unwrap();
        assert_eq!(&*own.text, "a\nb");
        assert!(serde_json::from_str::<Own>(r#"{"text": 1}"#).is_err());
    }
}
