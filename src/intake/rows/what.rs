//! What the rows of a file tell: attributes, what customers agreed to, or whom nobody may write to. The last two have
//! columns of their own, whatever the subject is.

use serde_json::{Map, Value as Json};

use super::super::Refusal;
use super::super::event::{ATTRIBUTES, CONSENT, LISTED};
use crate::diagnostic::code;
use crate::name::Name;
use crate::program::{Entity, Field};
use crate::value::Type;

/// What rows become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Attributes,
    /// `given` and `time` are required, `channel`, `purpose` and `wording` narrow it.
    Consents,
    /// `list` is required; `channel`, `purpose`, `on`, `until` and `time` may be there.
    Lists,
}

impl What {
    /// The type of the event that a row becomes.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Attributes => ATTRIBUTES,
            Self::Consents => CONSENT,
            Self::Lists => LISTED,
        }
    }

    /// The columns of such a file about subjects of `entity`.
    pub(super) fn columns(self, entity: &Entity) -> Entity {
        let columns: &[(&str, Type, bool)] = match self {
            Self::Attributes => return entity.clone(),
            Self::Consents => &[
                ("given", Type::Bool, true),
                ("time", Type::Text, true),
                ("channel", Type::Text, false),
                ("purpose", Type::Text, false),
                ("wording", Type::Text, false),
            ],
            Self::Lists => &[
                ("list", Type::Text, true),
                ("channel", Type::Text, false),
                ("purpose", Type::Text, false),
                ("on", Type::Bool, false),
                ("until", Type::Text, false),
                ("time", Type::Text, false),
            ],
        };
        let field = |(name, ty, required): &(&str, Type, bool)| Field {
            name: Name::new(name),
            ty: if *required { ty.clone() } else { Type::Optional(Box::new(ty.clone())) },
            class: None,
            value: None,
            daily: false,
        };
        Entity { fields: columns.iter().map(field).collect(), anchors: Vec::new(), ..entity.clone() }
    }

    /// When it was said, and what identifies it: the same row of another file is the same. `None`: only its place does.
    ///
    /// # Errors
    /// If a cell that says when holds no text.
    pub(super) fn told(
        self,
        subject: &str,
        fields: &mut Map<String, Json>,
    ) -> Result<(Option<String>, Option<String>), Refusal> {
        if self == Self::Attributes {
            return Ok((None, None));
        }
        // What is missing is said by leaving it out.
        fields.retain(|_, value| !value.is_null());
        let time = match fields.remove("time") {
            None => return Ok((None, None)),
            Some(Json::String(time)) => time,
            Some(_) => {
                let reason = "`time` must be a text such as \"2026-12-01T10:00:00+08:00\"";
                return Err(Refusal::new(code::BAD_ROW, reason.to_owned()));
            }
        };
        let said = ["list", "channel", "purpose", "given", "on"].map(|field| match fields.get(field) {
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        });
        let id = format!("{subject}/{}/{time}", said.join("/"));
        Ok((Some(time), Some(id)))
    }
}
