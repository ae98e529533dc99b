//! Every prefix and every single-token deletion of every journey of the repository gives a result, without panic and
//! in linear time. The suite takes a share of them that is spread evenly; `scripts/torture` takes all.

use std::sync::Arc;

use wayfare::compile::{File, Input, Session};
use wayfare::syntax::parse;
use wayfare::text::FileId;

use crate::support::{library, looks, repository};

/// Set for all of them.
const ALL: &str = "WAYFARE_TORTURE";
/// How many texts of one kind the suite reads, unless [`ALL`] is set.
const READ: usize = 12_000;
/// How many it checks: each of them is a project to compile again.
const CHECKED: usize = 600;

/// Every how manyth of `count` is taken, so that `share` or a few more are.
fn stride(count: usize, share: usize) -> usize {
    if std::env::var_os(ALL).is_some() { 1 } else { (count / share).max(1) }
}

/// Says which text it was, should the compiler stop.
struct Subject(String);

impl Drop for Subject {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- it was {}", self.0);
        }
    }
}

/// Reads `text`, and gives how often the grammar looked at a token for each one that there is.
fn read(of: &str, text: &str) -> f64 {
    let subject = Subject(of.to_owned());
    let parsed = parse(FileId(0), text);
    assert_eq!(parsed.tokens.last().map_or(0, |token| token.end as usize), text.len(), "{of}");
    looks::are_few(&parsed, text, || subject.0.clone());
    let size = u32::try_from(looks::size(&parsed, text)).unwrap();
    if size < 20 { 0.0 } else { f64::from(u32::try_from(parsed.looks).unwrap()) / f64::from(size) }
}

#[test]
fn every_prefix_is_read() {
    let files = repository::journeys();
    let ends: Vec<(usize, usize)> = files
        .iter()
        .enumerate()
        .flat_map(|(file, (_, text))| text.char_indices().map(move |(end, _)| (file, end)))
        .collect();
    let (mut most, mut count) = (0.0_f64, 0);
    for (file, end) in ends.iter().step_by(stride(ends.len(), READ)) {
        let (path, text) = &files[*file];
        most = most.max(read(&format!("{path}, the first {end} bytes"), &text[..*end]));
        count += 1;
    }
    println!("{count} prefixes of {} files, at most {most:.1} looks for each token", files.len());
}

/// A file without one of its tokens.
struct Deletion {
    file: usize,
    start: usize,
    end: usize,
}

impl Deletion {
    fn of(&self, files: &[(String, String)]) -> (String, String) {
        let (path, text) = &files[self.file];
        let broken = [&text[..self.start], &text[self.end..]].concat();
        (format!("{path} without `{}` at byte {}", &text[self.start..self.end], self.start), broken)
    }
}

/// Every deletion, in the order of the files.
fn deletions(files: &[(String, String)]) -> Vec<Deletion> {
    let of_file = |(file, (_, text)): (usize, &(String, String))| {
        let tokens = parse(FileId(0), text).tokens.into_iter().filter(|token| !token.kind.is_trivia());
        let deletion = |(start, end): (u32, u32)| Deletion { file, start: start as usize, end: end as usize };
        tokens.map(|token| deletion((token.start, token.end))).collect::<Vec<_>>()
    };
    files.iter().enumerate().flat_map(of_file).collect()
}

#[test]
fn every_deletion_is_read() {
    let files = repository::journeys();
    let all = deletions(&files);
    let (mut most, mut count) = (0.0_f64, 0);
    for deletion in all.iter().step_by(stride(all.len(), READ)) {
        let (of, text) = deletion.of(&files);
        most = most.max(read(&of, &text));
        count += 1;
    }
    println!("{count} deletions of {}, at most {most:.1} looks for each token", all.len());
}

#[test]
fn every_deletion_is_checked() {
    let files = repository::journeys();
    let all = deletions(&files);
    let (mut count, mut refused) = (0, 0);
    let mut open: Option<(usize, Input, usize, Session)> = None;
    for deletion in all.iter().step_by(stride(all.len(), CHECKED)) {
        let (of, text) = deletion.of(&files);
        let _subject = Subject(of);
        if open.as_ref().is_none_or(|(file, ..)| *file != deletion.file) {
            let (input, place) = project(&files[deletion.file]);
            let session = Session::open(&input);
            open = Some((deletion.file, input, place, session));
        }
        let Some((_, input, place, session)) = &mut open else { continue };
        let whole = std::mem::replace(&mut input.files[*place].text, Arc::from(text));
        session.update(input);
        assert_eq!(
            session.bundle().is_none(),
            session.has_errors(),
            "a bundle exactly where nothing is wrong"
        );
        refused += usize::from(session.has_errors());
        input.files[*place].text = whole;
        count += 1;
    }
    println!("{count} deletions of {} checked, {refused} refused", all.len());
    assert!(refused * 10 > count * 7, "hardly any token can be left out: {refused} of {count}");
}

/// The project that a file is part of, and which of its files it is: the example project, a scaffold, or, for what
/// stands alone, the model of the example project and what is imported.
fn project((path, text): &(String, String)) -> (Input, usize) {
    let (folder, _) = path.rsplit_once('/').unwrap();
    let is_project = folder == "journeys" || folder.starts_with("src/cli/command/init");
    let (input, name) = if is_project {
        (wayfare::project::load(&[folder.into()]).unwrap().input, path.as_str())
    } else if let Some(name) = path.strip_prefix("stdlib/") {
        let mut input = wayfare::project::load(&["journeys".into()]).unwrap().input;
        let name = format!("std/{name}");
        let place = input.files.iter().position(|file| *file.path == *name).expect("the examples import it");
        input.files[place].text = text.as_str().into();
        return (input, place);
    } else {
        let model = std::fs::read_to_string("journeys/model.journey").unwrap();
        (library::project(&[("model.journey", &model), ("page.journey", text)]), "page.journey")
    };
    let place = input.files.iter().position(|file: &File| *file.path == *name);
    let place = place.unwrap_or_else(|| panic!("{name} is not in its project"));
    (input, place)
}
