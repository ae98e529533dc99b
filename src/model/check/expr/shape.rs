//! What fields a record has: an event, a message event, a change of an attribute, a child entity.

use crate::expr::MessageEvent;
use crate::model::check::world::World;
use crate::name::Name;
use crate::value::Type;

#[derive(Clone, Debug, PartialEq)]
pub(in crate::model::check) enum Shape {
    Event(Name),
    /// An event of somebody else that names the subject; `of` is whose row it came to.
    Told {
        event: Name,
        of: Name,
    },
    /// `opened`, `clicked`, …
    Message(MessageEvent),
    /// `change of x`: the type of `x`.
    Change {
        attribute: Name,
        ty: Type,
        verb: Name,
        /// Worked out, not sent: it is only missing where its type says so.
        derived: bool,
    },
    /// `close of x`
    Close(Name),
    Child(Name),
    /// `granted(x)`: the type of the amount, where it is known.
    Granted(Option<Type>),
    /// The merchant of a reward that may be used in some places only.
    Merchant,
    /// Any of these: only what they share.
    AnyOf(Vec<Shape>),
}

impl Shape {
    /// In messages: what the record is called.
    pub(in crate::model::check) fn words(&self) -> String {
        match self {
            Self::Event(name) | Self::Told { event: name, .. } | Self::Child(name) => format!("`{name}`"),
            Self::Message(event) => format!("`{}`", event.as_str()),
            Self::Close(attribute) => format!("`close of {attribute}`"),
            Self::Granted(_) => "`granted`".to_owned(),
            Self::Merchant => "a merchant".to_owned(),
            Self::Change { attribute, verb, .. } => format!("`{verb} of {attribute}`"),
            Self::AnyOf(shapes) => shapes.iter().map(Self::words).collect::<Vec<_>>().join(" or "),
        }
    }

    /// The type of one field; `None` if there is no such field.
    pub(in crate::model::check) fn field(&self, world: &World, field: Name) -> Option<Type> {
        let text = field.as_str();
        match self {
            Self::Event(name) => {
                let declared = world.model.events.get(name)?.field(field).map(|field| field.ty.clone());
                declared.or_else(|| of_every_event(text))
            }
            Self::Told { event, of } => {
                let teller = || (field == *of).then_some(Type::Entity(*of));
                Self::Event(*event).field(world, field).or_else(teller)
            }
            Self::Message(_) => match text {
                "channel" => Some(Type::Channel),
                "content" => Some(Type::Content),
                "journey" | "step" => Some(Type::Text),
                _ => of_every_event(text),
            },
            Self::Change { ty, derived: true, .. } if matches!(text, "old" | "new") => Some(ty.clone()),
            Self::Change { ty, verb, .. } => match text {
                "old" | "new" if verb.as_str() == "change" => Some(ty.known().clone().optional()),
                "old" | "new" => Some(ty.known().clone()),
                _ => of_every_event(text),
            },
            Self::Close(_) => match text {
                "period" => Some(Type::Range(Box::new(Type::Date))),
                _ => of_every_event(text),
            },
            Self::Child(name) => world.entity(*name)?.field(field).map(|field| field.ty.clone()),
            Self::Granted(amount) => match text {
                "amount" => amount.clone(),
                "reward" => Some(Type::Reward),
                _ => of_every_event(text),
            },
            Self::Merchant => MERCHANT.contains(&text).then_some(Type::Text),
            Self::AnyOf(shapes) => {
                let mut types = shapes.iter().map(|shape| shape.field(world, field));
                let first = types.next()??;
                types.all(|ty| ty.as_ref() == Some(&first)).then_some(first)
            }
        }
    }

    /// Every field, for "did you mean".
    pub(in crate::model::check) fn fields(&self, world: &World) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = match self {
            Self::Event(name) => {
                let event = world.model.events.get(name);
                event
                    .map(|event| event.fields.iter().map(|field| field.name.as_str()).collect())
                    .unwrap_or_default()
            }
            Self::Told { event, of } => {
                let mut names = Self::Event(*event).fields(world);
                if !names.contains(&of.as_str()) {
                    names.push(of.as_str());
                }
                return names;
            }
            Self::Message(_) => vec!["channel", "content", "journey", "step"],
            Self::Change { .. } => vec!["old", "new"],
            Self::Close(_) => vec!["period"],
            Self::Granted(_) => vec!["amount", "reward"],
            Self::Merchant => return MERCHANT.to_vec(),
            Self::Child(name) => {
                let entity = world.entity(*name);
                return entity
                    .map(|one| one.fields.iter().map(|field| field.name.as_str()).collect())
                    .unwrap_or_default();
            }
            Self::AnyOf(shapes) => {
                let Some(first) = shapes.first() else { return Vec::new() };
                let shared = |field: &&str| self.field(world, Name::new(field)).is_some();
                return first.fields(world).into_iter().filter(shared).collect();
            }
        };
        names.extend(["id", "time"]);
        names
    }
}

/// What is known of a merchant: its category code, its place, itself.
const MERCHANT: [&str; 4] = ["city", "id", "mcc", "name"];

/// What every event has without being declared.
fn of_every_event(field: &str) -> Option<Type> {
    match field {
        "id" => Some(Type::Id),
        "time" => Some(Type::Moment),
        _ => None,
    }
}
