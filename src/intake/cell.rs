//! One cell of a CSV file as JSON, as the type of its column wants it; the values themselves are judged in
//! [`super::value`], by the same rules as everything else.

use serde_json::{Number, Value as Json};

use crate::value::Type;

/// Between the elements of a list in one cell.
pub const SEPARATOR: char = '|';

/// The JSON of a cell. An empty cell is `null`, or a list without elements. What does not look like its type stays a
/// text, for the judge to name.
#[must_use]
pub fn json(cell: &str, ty: &Type) -> Json {
    let cell = cell.trim();
    match ty.known() {
        Type::List(_) if cell.is_empty() => Json::Array(Vec::new()),
        Type::List(element) => Json::Array(cell.split(SEPARATOR).map(|part| json(part, element)).collect()),
        _ if cell.is_empty() => Json::Null,
        Type::Bool => truth(cell).map_or_else(|| cell.into(), Json::Bool),
        Type::Int => cell.parse::<Number>().map_or_else(|_| cell.into(), Json::Number),
        Type::Range(end) => match cell.split_once("..") {
            Some((from, to)) => serde_json::json!({"from": json(from, end), "to": json(to, end)}),
            None => cell.into(),
        },
        _ => cell.into(),
    }
}

fn truth(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "是" => Some(true),
        "false" | "no" | "0" | "否" => Some(false),
        _ => None,
    }
}
