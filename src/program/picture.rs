//! Pictures of the project, as they are deployed: by the hash of what is in them, so that an address never changes its
//! meaning.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The most bytes of a picture: a page of the app waits for it.
pub const MOST: usize = 1024 * 1024;

/// What the bytes say that they are, whatever the file is called. Nothing among these runs in a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Png,
    Jpeg,
    Gif,
    WebP,
}

impl Kind {
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }

    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }
}

/// A picture that may be served: of a known kind, and not too large. As text it is base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Picture {
    kind: Kind,
    bytes: Arc<[u8]>,
}

impl Picture {
    /// `None` for what is no picture, or too large.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        let kind = Kind::of(&bytes).filter(|_| bytes.len() <= MOST)?;
        Some(Self { kind, bytes: bytes.into() })
    }

    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        Self::new(STANDARD.decode(text).ok()?)
    }

    #[must_use]
    pub fn to_text(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl TryFrom<String> for Picture {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::of_text(&text).ok_or("this is no picture in base64")
    }
}

impl From<Picture> for String {
    fn from(picture: Picture) -> Self {
        picture.to_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_what_its_bytes_say() {
        for (bytes, kind) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], Some(Kind::Png)),
            (b"\xff\xd8\xff\xe0", Some(Kind::Jpeg)),
            (b"GIF87a", Some(Kind::Gif)),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some(Kind::WebP)),
            (b"RIFF\x01\x02\x03\x04WAVE", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", None),
            (b"GIF", None),
            (b"", None),
        ] {
            assert_eq!(Kind::of(bytes), kind, "{bytes:?}");
            let again = Picture::new(bytes.to_vec()).map(|it| Picture::of_text(&it.to_text()).unwrap());
            assert_eq!(again.map(|it| it.bytes().to_vec()), kind.map(|_| bytes.to_vec()));
        }
        let mut large = b"GIF89a".to_vec();
        large.resize(MOST, 0);
        assert!(Picture::new(large.clone()).is_some());
        large.push(0);
        assert!(Picture::new(large).is_none());
    }
}
