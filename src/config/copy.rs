//! Copy in settings: text with holes for what a message says of itself, as in `{{ address }}`.
//!
//! Strict, as copy in journeys is: a hole that nothing is known of is a finding, and a message that has no such part is
//! refused rather than sent with a gap.

use crate::name::Name;

/// What a hole stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hole {
    /// The message's key.
    Message,
    /// A short digest of it, of letters that every provider takes: the idempotency key.
    Id,
    Address,
    Channel,
    Purpose,
    Content,
    /// Entity and id of who gets it.
    Addressee,
    /// A part of the content: `title`, `body`, `link`, …
    Part(Name),
}

/// A part of the content that a hole may name; what a content can have is the language's.
const PARTS: [&str; 7] = ["title", "body", "link", "image", "page", "message", "file"];
const FACTS: [(&str, Hole); 7] = [
    ("key", Hole::Message),
    ("id", Hole::Id),
    ("address", Hole::Address),
    ("channel", Hole::Channel),
    ("purpose", Hole::Purpose),
    ("content", Hole::Content),
    ("addressee", Hole::Addressee),
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Hole(Hole),
}

/// Text with holes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copy(Vec<Piece>);

impl Copy {
    /// # Errors
    /// A reason for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("{{") {
            let (inside, after) = after.split_once("}}").ok_or("a hole `{{` is not closed by `}}`")?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Hole(hole(inside.trim())?));
            rest = after;
        }
        if rest.contains("}}") {
            return Err("`}}` closes nothing".to_owned());
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// Nothing but one hole.
    #[must_use]
    pub fn of(hole: Hole) -> Self {
        Self(vec![Piece::Hole(hole)])
    }

    /// The text with its holes filled; `Err` is the first hole that `fill` knows nothing of.
    pub fn fill(&self, fill: &dyn Fn(Hole) -> Option<String>) -> Result<String, Hole> {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Hole(hole) => out.push_str(&fill(*hole).ok_or(*hole)?),
            }
        }
        Ok(out)
    }

    /// How the text begins, up to the first hole.
    #[must_use]
    pub fn opening(&self) -> &str {
        match self.0.first() {
            Some(Piece::Text(text)) => text,
            _ => "",
        }
    }
}

impl Hole {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Part(name) => name.as_str(),
            _ => FACTS.iter().find(|(_, hole)| *hole == self).map_or("", |(word, _)| *word),
        }
    }
}

fn hole(word: &str) -> Result<Hole, String> {
    if let Some((_, hole)) = FACTS.iter().find(|(known, _)| *known == word) {
        return Ok(*hole);
    }
    if PARTS.contains(&word) {
        return Ok(Hole::Part(Name::new(word)));
    }
    let known = FACTS.iter().map(|(known, _)| *known).chain(PARTS).collect::<Vec<_>>().join(", ");
    Err(format!("a hole cannot be filled with `{word}`; known are {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_nothing_else() {
        let copy = Copy::parse("https://x/{{ id }}?to={{address}}&x={1}").unwrap();
        assert_eq!(copy.opening(), "https://x/");
        let filled = copy.fill(&|hole| Some(format!("<{}>", hole.word())));
        assert_eq!(filled.unwrap(), "https://x/<id>?to=<address>&x={1}");
        let title = Copy::parse("{{ title }}").unwrap();
        assert_eq!(title.fill(&|_| None), Err(Hole::Part(Name::new("title"))));
        // What a hole is filled with is not looked at again.
        assert_eq!(title.fill(&|_| Some("{{ body }}".to_owned())).unwrap(), "{{ body }}");
        for bad in ["{{ titel }}", "{{ title", "title }}", "{{ a.b }}"] {
            assert!(Copy::parse(bad).is_err(), "{bad}");
        }
    }
}
