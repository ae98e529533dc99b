//! CSV (RFC 4180): quoted cells, line breaks in them, a byte order mark before the header.

use std::io::BufRead;

use csv::{ByteRecord, ReaderBuilder, Terminator};
use serde_json::{Map, Value as Json};

use super::super::{MAX_EVENT, Refusal, cell, quote};
use crate::diagnostic::code;
use crate::program::Entity;
use crate::value::Type;

/// The carriage return of CRLF stays at the end of the last cell, where trimming takes it: were it a terminator, the
/// reader would number the lines of a CRLF file wrongly, and line numbers make the ids of the events.
const LINE_FEED: Terminator = Terminator::Any(b'\n');

pub(super) struct Reader<R> {
    rows: csv::Reader<R>,
    columns: Vec<String>,
    record: ByteRecord,
    failed: bool,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(from: R) -> Result<Self, Refusal> {
        let mut reader = ReaderBuilder::new().flexible(true).terminator(LINE_FEED).from_reader(from);
        let header = reader.byte_headers().map_err(|error| bad_header(error.to_string()))?;
        let columns: Option<Vec<String>> = header
            .iter()
            .map(|cell| std::str::from_utf8(cell).ok().map(|cell| cell.trim().to_owned()))
            .collect();
        let columns = columns.ok_or_else(|| bad_header("the file is not UTF-8 text".to_owned()))?;
        if columns.is_empty() {
            return Err(bad_header(
                "the file is empty, a CSV file begins with a line that names its columns".to_owned(),
            ));
        }
        Ok(Self { rows: reader, columns, record: ByteRecord::new(), failed: false })
    }

    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next row's line and fields; columns that are no fields are left out.
    pub(super) fn next_row(&mut self, entity: &Entity) -> Option<super::Numbered> {
        if self.failed {
            return None;
        }
        match self.rows.read_byte_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) if self.record.as_slice() == b"\r" => self.next_row(entity),
            Ok(true) => {
                let line = self.record.position().map_or(0, csv::Position::line);
                Some((line, self.fields(entity)))
            }
            Err(error) => {
                self.failed = true;
                let reason = format!("the rest of the file cannot be read: {error}");
                Some((self.rows.position().line(), Err(Refusal::new(code::BAD_ROW, reason))))
            }
        }
    }

    fn fields(&self, entity: &Entity) -> Result<Map<String, Json>, Refusal> {
        let bad = |reason: String| Refusal::new(code::BAD_ROW, reason);
        if self.record.as_slice().len() > MAX_EVENT {
            return Err(bad(format!("the row has more than {MAX_EVENT} bytes, is a quote left open?")));
        }
        if self.record.len() != self.columns.len() {
            let (found, wanted) = (self.record.len(), self.columns.len());
            return Err(bad(format!("the row has {found} cells, the header has {wanted}")));
        }
        let mut fields = Map::new();
        for (column, bytes) in self.columns.iter().zip(self.record.iter()) {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| bad(format!("the cell of {} is not UTF-8 text", quote(column))))?;
            if let Some(ty) = type_of(entity, column) {
                fields.insert(column.clone(), cell::json(text, ty));
            }
        }
        Ok(fields)
    }
}

/// The type of a column: of the field, or an id for the keys.
fn type_of<'a>(entity: &'a Entity, column: &str) -> Option<&'a Type> {
    let is_key =
        entity.key.as_str() == column || entity.parent.is_some_and(|parent| parent.as_str() == column);
    if is_key {
        return Some(&Type::Id);
    }
    entity.fields.iter().find(|field| field.name.as_str() == column).map(|field| &field.ty)
}

fn bad_header(reason: String) -> Refusal {
    Refusal::new(code::BAD_HEADER, reason)
}
