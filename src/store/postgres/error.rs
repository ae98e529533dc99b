//! What a PostgreSQL server says, in the store's words, by its SQLSTATE.

use crate::store::StoreError;

type Typed = fn(String) -> StoreError;

/// By the beginning of the state; the first that fits.
const STATES: &[(&str, Typed)] = &[
    ("23505", |_| StoreError::Conflict),
    ("25006", |_| StoreError::ReadOnly),
    // Connections that broke or were ended, a server that stops, starts or has no connection left.
    ("25P03", StoreError::Unreachable),
    ("08", StoreError::Unreachable),
    ("57P", StoreError::Unreachable),
    ("53300", StoreError::Unreachable),
    // Disk full, input and output errors.
    ("53100", StoreError::Disk),
    ("58", StoreError::Disk),
    ("XX001", StoreError::Damaged),
    ("XX002", StoreError::Damaged),
    // A table that is not there.
    ("42P01", StoreError::Damaged),
];

pub(in crate::store) fn from_state(state: &str, message: &str) -> StoreError {
    let known = STATES.iter().find(|(begin, _)| state.starts_with(begin));
    known.map_or_else(|| StoreError::Database(message.to_owned()), |(_, make)| make(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_typed_by_what_can_be_done_about_them() {
        let said = "said".to_owned();
        for (state, expected) in [
            ("23505", StoreError::Conflict),
            ("25006", StoreError::ReadOnly),
            ("57P01", StoreError::Unreachable(said.clone())),
            ("08006", StoreError::Unreachable(said.clone())),
            ("25P03", StoreError::Unreachable(said.clone())),
            ("53100", StoreError::Disk(said.clone())),
            ("58030", StoreError::Disk(said.clone())),
            ("XX001", StoreError::Damaged(said.clone())),
            ("40P01", StoreError::Database(said.clone())),
            ("23502", StoreError::Database(said.clone())),
        ] {
            assert_eq!(from_state(state, "said"), expected, "{state}");
        }
    }
}
