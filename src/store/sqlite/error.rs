//! What SQLite says, in the store's words.

use crate::store::StoreError;

type Typed = fn(String) -> StoreError;

/// Primary result codes of SQLite (the low byte of an extended code).
const CODES: &[(i64, Typed)] = &[
    (3, StoreError::Disk),
    (8, StoreError::Disk),
    (10, StoreError::Disk),
    (13, StoreError::Disk),
    (14, StoreError::Disk),
    (11, StoreError::Damaged),
    (26, StoreError::Damaged),
    (19, |_| StoreError::Conflict),
];

/// By the code that SQLite gave, which may be an extended one.
pub(in crate::store) fn from_code(code: Option<&str>, message: &str) -> StoreError {
    let primary = code.and_then(|code| code.parse::<i64>().ok()).map(|code| code & 0xff);
    let known = CODES.iter().find(|(code, _)| Some(*code) == primary);
    known.map_or_else(|| StoreError::Database(message.to_owned()), |(_, make)| make(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_codes_are_typed_by_their_primary_code() {
        let disk = |message: &str| StoreError::Disk(message.to_owned());
        assert_eq!(from_code(Some("13"), "full"), disk("full"));
        assert_eq!(from_code(Some("1034"), "fsync"), disk("fsync"));
        assert_eq!(from_code(Some("1555"), "primary key"), StoreError::Conflict);
        assert_eq!(from_code(Some("26"), "not a db"), StoreError::Damaged("not a db".to_owned()));
        assert_eq!(from_code(None, "odd"), StoreError::Database("odd".to_owned()));
    }
}
