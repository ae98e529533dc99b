//! The tree of an organisation from a CSV file: a row for each unit, with what it is called and what it is below.
//!
//! The first line names the columns: `unit` and `parent`, and `label` if there are labels. Other columns are left out, so
//! that an export of another system will do. Parents may stand below their children; an empty parent is the top.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};

use crate::diagnostic::suggest;
use crate::name::Name;

/// More units than any bank has.
const MOST_UNITS: usize = 20_000;
/// Mistakes that are told one by one.
const MOST_TOLD: usize = 20;

/// One unit of the file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) unit: Name,
    /// `None`: at the top of the file's tree.
    pub(super) parent: Option<Name>,
    pub(super) label: Option<Arc<str>>,
    /// The first is 1.
    pub(super) line: u64,
}

/// What is wrong in a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mistake {
    pub(super) line: u64,
    /// Empty: the whole line.
    pub(super) column: &'static str,
    pub(super) what: String,
    pub(super) help: String,
}

/// The units of `text`, parents before their children, and what is wrong with it. `known` are the units of the
/// organisation so far, below which they may hang.
pub(super) fn read(text: &str, known: &HashSet<Name>) -> (Vec<Row>, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let rows = rows(text, &mut mistakes);
    let rows = unique(rows, known, &mut mistakes);
    let rows = rooted(rows, known, &mut mistakes);
    let ordered = in_order(&rows, known, &mut mistakes);
    mistakes.sort_by_key(|mistake| mistake.line);
    let more = mistakes.len().saturating_sub(MOST_TOLD);
    mistakes.truncate(MOST_TOLD);
    if let Some(last) = mistakes.last_mut().filter(|_| more > 0) {
        last.help = format!("{}; there are {more} more mistakes behind it", last.help);
    }
    (ordered, mistakes)
}

fn mistake(line: u64, column: &'static str, what: String, help: &str) -> Mistake {
    Mistake { line, column, what, help: help.to_owned() }
}

fn rows(text: &str, mistakes: &mut Vec<Mistake>) -> Vec<Row> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    let names: Vec<&str> = header.iter().map(str::trim).collect();
    let at = |wanted: &str| names.iter().position(|name| *name == wanted);
    let (Some(unit), Some(parent)) = (at("unit"), at("parent")) else {
        let lacking = if at("unit").is_none() { "unit" } else { "parent" };
        let help = suggest::did_you_mean(lacking, names.iter().copied().filter(|name| !name.is_empty()));
        let help = help.map(|_| format!("call the column `{lacking}`"));
        let help = help.unwrap_or_else(|| "begin the file with the line `unit,parent,label`".to_owned());
        mistakes.push(mistake(1, "", format!("there is no column `{lacking}`"), &help));
        return Vec::new();
    };
    let columns = Columns { unit, parent, label: at("label"), count: names.len() };
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                mistakes.push(mistake(
                    line,
                    "",
                    "the line cannot be read".to_owned(),
                    "write the file as UTF-8 text",
                ));
                break;
            }
        }
        let line = record.position().map_or(1, csv::Position::line);
        if rows.len() == MOST_UNITS {
            let what = format!("an organisation has at most {MOST_UNITS} units");
            mistakes.push(mistake(line, "", what, "leave units out that no journey and no branch names"));
            break;
        }
        rows.extend(columns.row(&record, line, mistakes));
    }
    if rows.is_empty() && mistakes.is_empty() {
        mistakes.push(mistake(
            1,
            "",
            "there is no unit in the file".to_owned(),
            "write one line for each unit",
        ));
    }
    rows
}

/// Where the columns are.
struct Columns {
    unit: usize,
    parent: usize,
    label: Option<usize>,
    count: usize,
}

impl Columns {
    fn row(&self, record: &StringRecord, line: u64, mistakes: &mut Vec<Mistake>) -> Option<Row> {
        if record.len() != self.count {
            let (found, wanted) = (record.len(), self.count);
            let what = format!("the line has {found} cells, and the header has {wanted}");
            mistakes.push(mistake(line, "", what, "put a text with a comma between quotes"));
            return None;
        }
        let cell = |at: usize| record.get(at).map(str::trim).filter(|cell| !cell.is_empty());
        let Some(unit) = cell(self.unit) else {
            mistakes.push(mistake(
                line,
                "unit",
                "the unit has no name".to_owned(),
                "write its name or number",
            ));
            return None;
        };
        let label = self.label.and_then(cell).map(Arc::from);
        Some(Row { unit: Name::new(unit), parent: cell(self.parent).map(Name::new), label, line })
    }
}

/// The first of each name.
fn unique(rows: Vec<Row>, known: &HashSet<Name>, mistakes: &mut Vec<Mistake>) -> Vec<Row> {
    let mut seen: HashMap<Name, u64> = HashMap::with_capacity(rows.len());
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let unit = row.unit;
        let help = "a unit is called by its name alone: give one of them another";
        if let Some(first) = seen.get(&unit) {
            let what = format!("unit `{unit}` is there twice, first in line {first}");
            mistakes.push(mistake(row.line, "unit", what, help));
        } else if known.contains(&unit) {
            let what = format!("unit `{unit}` is declared above the file already");
            mistakes.push(mistake(row.line, "unit", what, help));
        } else {
            seen.insert(unit, row.line);
            kept.push(row);
        }
    }
    kept
}

/// With parents that are not there left out, which is told.
fn rooted(mut rows: Vec<Row>, known: &HashSet<Name>, mistakes: &mut Vec<Mistake>) -> Vec<Row> {
    let units: HashSet<Name> = rows.iter().map(|row| row.unit).collect();
    let names: Vec<&str> = rows.iter().map(|row| row.unit.as_str()).collect();
    let mut told = 0;
    let mut lost = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let Some(parent) = row.parent.filter(|parent| !units.contains(parent) && !known.contains(parent))
        else {
            continue;
        };
        lost.push(at);
        told += 1;
        // Looking for a near name among thousands takes its time.
        let near = if told <= MOST_TOLD {
            suggest::did_you_mean(parent.as_str(), names.iter().copied())
        } else {
            None
        };
        let help = near.unwrap_or_else(|| "write a unit of this file, or nothing for the top".to_owned());
        mistakes.push(mistake(row.line, "parent", format!("no unit is called `{parent}`"), &help));
    }
    for at in lost {
        if let Some(row) = rows.get_mut(at) {
            row.parent = None;
        }
    }
    rows
}

/// Parents before their children, else as written. Whoever is below itself is left out and told, once for each ring.
fn in_order(rows: &[Row], known: &HashSet<Name>, mistakes: &mut Vec<Mistake>) -> Vec<Row> {
    let by_name: HashMap<Name, usize> = rows.iter().enumerate().map(|(at, row)| (row.unit, at)).collect();
    let mut children: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        let above = row.parent.filter(|parent| !known.contains(parent));
        children.entry(above.and_then(|parent| by_name.get(&parent).copied())).or_default().push(at);
    }
    let mut placed = vec![false; rows.len()];
    let mut order = Vec::with_capacity(rows.len());
    let mut open: Vec<usize> = children.get(&None).into_iter().flatten().rev().copied().collect();
    while let Some(at) = open.pop() {
        order.push(at);
        if let Some(done) = placed.get_mut(at) {
            *done = true;
        }
        open.extend(children.get(&Some(at)).into_iter().flatten().rev().copied());
    }
    for ring in rings(rows, &by_name, placed) {
        let Some(first) = ring.first().and_then(|at| rows.get(*at)) else { continue };
        let names: Vec<&str> =
            ring.iter().filter_map(|at| rows.get(*at)).map(|row| row.unit.as_str()).collect();
        let what = format!("unit `{}` is below itself: `{}`", first.unit, names.join("` below `"));
        mistakes.push(mistake(
            first.line,
            "parent",
            what,
            "let one of them have a parent outside of the others",
        ));
    }
    order.into_iter().filter_map(|at| rows.get(at).cloned()).collect()
}

/// Of what has no way to the top, what goes round: each ring once, beginning with its first line.
fn rings(rows: &[Row], by_name: &HashMap<Name, usize>, mut seen: Vec<bool>) -> Vec<Vec<usize>> {
    let mut rings = Vec::new();
    for start in 0..rows.len() {
        let mut path: Vec<usize> = Vec::new();
        let mut at = start;
        while seen.get(at) == Some(&false) {
            if let Some(seen) = seen.get_mut(at) {
                *seen = true;
            }
            path.push(at);
            let parent = rows.get(at).and_then(|row| row.parent);
            let Some(above) = parent.and_then(|parent| by_name.get(&parent)) else { break };
            at = *above;
        }
        if let Some(from) = path.iter().position(|known| *known == at)
            && let Some(ring) = path.get(from..)
        {
            let mut ring = ring.to_vec();
            let first = ring.iter().enumerate().min_by_key(|(_, at)| **at).map_or(0, |(nth, _)| nth);
            ring.rotate_left(first);
            ring.push(*ring.first().unwrap_or(&at));
            rings.push(ring);
        }
    }
    rings
}
