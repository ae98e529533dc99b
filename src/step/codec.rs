//! A state as bytes: one version byte, then postcard.

mod v4;

use std::fmt;

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state::State;

/// The version that is written. A row of a version that this build does not know is refused, never guessed at.
const VERSION: u8 = 5;
/// Bytes that most rows have room in.
const ROOM: usize = 512;

/// Why bytes are not a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodecError {
    Empty,
    UnknownVersion(u8),
    Corrupt(String),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the state row is empty"),
            Self::UnknownVersion(version) => {
                write!(f, "the state row is of version {version}, this build knows {VERSION}")
            }
            Self::Corrupt(reason) => write!(f, "the state row cannot be read: {reason}"),
        }
    }
}

impl std::error::Error for CodecError {}

/// # Errors
/// Only if a value cannot be serialised, which no value of ours does.
pub fn encode(state: &State) -> Result<Vec<u8>, CodecError> {
    versioned(VERSION, state).map_err(|error| CodecError::Corrupt(error.to_string()))
}

/// A version, and `value` behind it.
///
/// # Errors
/// Only if a value cannot be serialised, which no value of ours does.
pub fn versioned<T: Serialize + ?Sized>(version: u8, value: &T) -> postcard::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(ROOM);
    bytes.push(version);
    postcard::serialize_with_flavor(value, Bytes(bytes))
}

/// What `postcard` brings for this extends its bytes one at a time.
struct Bytes(Vec<u8>);

impl Flavor for Bytes {
    type Output = Vec<u8>;

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// # Errors
/// If the version is not known or the rest is not a state, to the last byte.
pub fn decode(bytes: &[u8]) -> Result<State, CodecError> {
    let (version, rest) = bytes.split_first().ok_or(CodecError::Empty)?;
    match *version {
        VERSION => whole(rest),
        4 => whole::<v4::State>(rest).map(State::from),
        version => Err(CodecError::UnknownVersion(version)),
    }
}

fn whole<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let (state, left) =
        postcard::take_from_bytes(bytes).map_err(|error| CodecError::Corrupt(error.to_string()))?;
    if left.is_empty() { Ok(state) } else { Err(CodecError::Corrupt("bytes behind its end".to_owned())) }
}

#[cfg(test)]
mod tests;
