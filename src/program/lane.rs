//! Lanes: journeys of which one runs at a time for each customer. A rule of the bank, so always the live one, whatever
//! version of a journey somebody stands in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::value::Length;

/// One of these journeys at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// The first goes before the others where several want to begin at once.
    pub journeys: Vec<Name>,
    /// How long whoever finds it taken waits for a turn; `None`: does not enter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Length>,
}

/// All lanes of a bundle, by name.
pub type Lanes = BTreeMap<Name, Lane>;
