//! Files of customers or other entities, of consents and of lists: each row becomes an event, or a refusal with its line.
//!
//! One row is in memory at a time. A bad row never ends the reading; a bad header does, before anything is read.

mod delimited;
mod lines;
mod what;

use std::io::BufRead;

use serde_json::{Map, Value as Json};

use super::{Envelope, Refusal, did_you_mean, quote};
use crate::diagnostic::code;
use crate::name::Name;
use crate::program::{Entity, Schema};

pub use what::What;

/// The line of a row, and its fields.
type Numbered = (u64, Result<Map<String, Json>, Refusal>);

/// How a file of rows is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The first line names the columns; lists as `push|sms`; an empty cell is a missing value.
    Csv,
    /// A JSON object of fields per line.
    Ndjson,
}

/// What an import is.
#[derive(Clone, Debug)]
pub struct Import<'a> {
    pub what: What,
    pub schema: &'a Schema,
    pub entity: Name,
    pub format: Format,
    /// The file only updates some fields: required ones need no column.
    pub partial: bool,
    /// `source` of the events.
    pub source: String,
    /// What their ids begin with. The same file imported again must get the same, a changed one another.
    pub batch: String,
}

/// A row as it was read.
#[derive(Debug)]
pub struct Row {
    /// From 1, where the row begins.
    pub line: u64,
    pub event: Result<Envelope, Refusal>,
}

/// The rows of one file, in order.
pub struct Rows<'a, R> {
    reader: Reader<R>,
    shape: Shape<'a>,
}

enum Reader<R> {
    Csv(delimited::Reader<R>),
    Ndjson(lines::Lines<R>),
}

/// What rows turn into.
struct Shape<'a> {
    import: Import<'a>,
    /// With the columns that such a file has.
    entity: Entity,
}

impl<'a, R: BufRead> Rows<'a, R> {
    /// Reads the header, if the format has one. The second result is talk: columns that are not fields and are skipped.
    pub fn new(reader: R, import: Import<'a>) -> Result<(Self, Vec<String>), Refusal> {
        let entity = import.schema.entities.get(&import.entity).ok_or_else(|| {
            let near =
                did_you_mean(import.entity.as_str(), import.schema.entities.keys().map(|name| name.as_str()));
            Refusal::new(code::UNKNOWN_ENTITY, format!("no entity `{}` is declared{near}", import.entity))
        })?;
        let entity = import.what.columns(entity);
        let shape = Shape { import, entity };
        let mut skipped = Vec::new();
        let reader = match shape.import.format {
            Format::Csv => {
                let reader = delimited::Reader::new(reader)?;
                skipped = shape.check_header(reader.columns())?;
                Reader::Csv(reader)
            }
            Format::Ndjson => Reader::Ndjson(lines::Lines::new(reader)),
        };
        Ok((Self { reader, shape }, skipped))
    }
}

impl<R: BufRead> Iterator for Rows<'_, R> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let (line, fields) = match &mut self.reader {
            Reader::Csv(reader) => reader.next_row(&self.shape.entity)?,
            Reader::Ndjson(lines) => lines.next_object()?,
        };
        Some(Row { line, event: fields.and_then(|fields| self.shape.envelope(line, fields)) })
    }
}

impl Shape<'_> {
    fn check_header(&self, columns: &[String]) -> Result<Vec<String>, Refusal> {
        let bad = |reason: String| Refusal::new(code::BAD_HEADER, reason);
        let has = |name: Name| columns.iter().any(|column| column == name.as_str());
        for key in [Some(self.entity.key), self.parent_key()].into_iter().flatten() {
            if !has(key) {
                return Err(bad(format!(
                    "the column `{key}` is missing: the key of a `{}`",
                    self.owner(key)
                )));
            }
        }
        let repeated = |(at, name): &(usize, &String)| columns.iter().take(*at).any(|other| other == *name);
        if let Some((_, twice)) = columns.iter().enumerate().find(repeated) {
            return Err(bad(format!("the column {} is there twice", quote(twice))));
        }
        let required =
            self.entity.fields.iter().filter(|field| field.value.is_none() && !field.ty.is_optional());
        let missing: Vec<&str> =
            required.map(|field| field.name).filter(|name| !has(*name)).map(Name::as_str).collect();
        if !missing.is_empty() && !self.import.partial {
            return Err(bad(format!("columns of required fields are missing: `{}`", missing.join("`, `"))));
        }
        Ok(columns.iter().filter(|column| !self.is_known(column)).cloned().collect())
    }

    fn is_known(&self, column: &str) -> bool {
        let field = self.entity.fields.iter().any(|field| field.name.as_str() == column);
        let keys = [Some(self.entity.key), self.parent_key()];
        field || keys.into_iter().flatten().any(|key| key.as_str() == column)
    }

    fn owner(&self, key: Name) -> Name {
        if key == self.entity.key {
            self.import.entity
        } else {
            self.entity.parent.unwrap_or(self.import.entity)
        }
    }

    /// The column that names the parent: the parent entity's own name (`customer`), for its key may be called the same
    /// as the child's.
    fn parent_key(&self) -> Option<Name> {
        self.entity.parent
    }

    fn envelope(&self, line: u64, mut fields: Map<String, Json>) -> Result<Envelope, Refusal> {
        let subject = take_key(&mut fields, self.entity.key)?;
        let parent = self.parent_key().map(|key| take_key(&mut fields, key)).transpose()?;
        if !self.import.partial {
            self.complete(&fields)?;
        }
        let import = &self.import;
        let (time, id) = import.what.told(&subject, &mut fields)?;
        Ok(Envelope {
            source: import.source.clone(),
            id: id.unwrap_or_else(|| format!("{}-{line}", import.batch)),
            kind: import.what.kind().to_owned(),
            subject: Some(subject),
            parent,
            entity: Some(import.entity.to_string()),
            time,
            import: false,
            data: fields,
        })
    }

    fn complete(&self, fields: &Map<String, Json>) -> Result<(), Refusal> {
        let required =
            self.entity.fields.iter().filter(|field| field.value.is_none() && !field.ty.is_optional());
        for field in required.filter(|field| field.name != self.entity.key) {
            if fields.get(field.name.as_str()).is_none_or(Json::is_null) {
                let reason = format!("`{}` ({}) is missing", field.name, field.ty);
                return Err(Refusal::new(code::MISSING_FIELD, reason));
            }
        }
        Ok(())
    }
}

fn take_key(fields: &mut Map<String, Json>, key: Name) -> Result<String, Refusal> {
    match fields.remove(key.as_str()) {
        Some(Json::String(text)) if !text.is_empty() => Ok(text),
        Some(Json::Number(number)) if !number.is_f64() => Ok(number.to_string()),
        _ => Err(Refusal::new(code::BAD_ROW, format!("the key `{key}` is missing"))),
    }
}
