//! One wrong letter is one finding, on its line: every word of the example journeys is misspelt in turn.
//!
//! The words are chosen by a seed that never changes; `WAYFARE_TORTURE` takes all of them and lists what is noisy.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare::compile::{Input, Session};
use wayfare::diagnostic::{Diagnostic, Severity};
use wayfare::syntax::parse;
use wayfare::syntax::token::{Token, TokenKind};
use wayfare::text::FileId;

/// Set for all words.
const ALL: &str = "WAYFARE_TORTURE";
/// How many the suite takes.
const TAKEN: usize = 500;

/// The same for everybody, always.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// `word` with a letter dropped, doubled or swapped with its neighbour; `None` if that changes nothing.
fn misspelt(word: &str, dice: &mut Dice) -> Option<String> {
    let mut letters: Vec<char> = word.chars().collect();
    let at = dice.below(letters.len());
    match dice.below(3) {
        0 if letters.len() > 1 => _ = letters.remove(at),
        1 => letters.insert(at, letters[at]),
        _ if at + 1 < letters.len() => letters.swap(at, at + 1),
        _ => return None,
    }
    let wrong: String = letters.into_iter().collect();
    (wrong != word).then_some(wrong)
}

/// One word of one file, misspelt.
struct Typo {
    file: usize,
    token: Token,
    wrong: String,
}

fn typos(input: &Input) -> Vec<Typo> {
    let mut dice = Dice(20_261_122);
    let mut typos = Vec::new();
    for (file, text) in input.files.iter().enumerate().filter(|(_, file)| file.path.starts_with("journeys")) {
        let text = &text.text;
        for token in parse(FileId(0), text).tokens {
            let written = token.text(text);
            if !matches!(token.kind, TokenKind::Name | TokenKind::QuotedName | TokenKind::Glued) {
                continue;
            }
            let word = written.trim_matches('`').trim_start_matches(|sign: char| sign.is_ascii_digit());
            if word.chars().count() < 2 {
                continue;
            }
            if let Some(wrong) = misspelt(word, &mut dice) {
                typos.push(Typo { file, token, wrong: written.replacen(word, &wrong, 1) });
            }
        }
    }
    typos
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    /// The project is still right: a name that nothing else mentions, or another word that fits.
    Fits,
    /// One error, on the line.
    Once,
    /// Errors elsewhere only in places that use what is declared on the line.
    Declared,
    More,
    /// None of the errors is on the line.
    Elsewhere,
}

#[test]
fn one_wrong_letter_is_one_finding_on_its_line() {
    let mut input = wayfare::project::load(&["journeys".into()]).unwrap().input;
    let mut session = Session::open(&input);
    assert!(!session.has_errors());
    let typos = typos(&input);
    let all = std::env::var_os(ALL).is_some();
    let stride = if all { 1 } else { (typos.len() / TAKEN).max(1) };
    let mut told: BTreeMap<Told, usize> = BTreeMap::new();
    let mut noisy = Vec::new();
    for typo in typos.iter().step_by(stride) {
        let whole = input.files[typo.file].text.clone();
        let wrong =
            [&whole[..typo.token.start as usize], &typo.wrong, &whole[typo.token.end as usize..]].concat();
        input.files[typo.file].text = Arc::from(wrong);
        session.update(&input);
        let (kind, said) = look(&session, &input, typo);
        *told.entry(kind).or_default() += 1;
        if matches!(kind, Told::More | Told::Elsewhere) {
            let line = whole[..typo.token.start as usize].matches('\n').count() + 1;
            let (path, text) =
                (&input.files[typo.file].path, whole.lines().nth(line - 1).unwrap_or_default());
            noisy.push(format!(
                "{kind:?} {path}:{line} `{}` -> `{}` in `{}`\n{said}",
                typo.token.text(&whole),
                typo.wrong,
                text.trim()
            ));
        }
        input.files[typo.file].text = whole;
    }
    let count = |kind| told.get(&kind).copied().unwrap_or_default();
    let wrong = count(Told::Once) + count(Told::More) + count(Told::Elsewhere);
    println!("{told:?}\n{}", noisy.join("\n"));
    assert!(wrong > 300, "{told:?}");
    assert!(count(Told::Once) * 1000 >= wrong * ONCE, "{told:?}");
}

/// In a thousand typos that are told, so many are told once and on their line: 964 when this was written.
const ONCE: usize = 950;

fn look(session: &Session, input: &Input, typo: &Typo) -> (Told, String) {
    let path = &input.files[typo.file].path;
    let text = &input.files[typo.file].text;
    let line = text[..typo.token.start as usize].matches('\n').count() + 1;
    let place = |finding: &Diagnostic| {
        let (path, line) = session.sources().place(finding.primary.span);
        (path, line as usize)
    };
    let errors: Vec<&Diagnostic> =
        session.diagnostics().iter().filter(|finding| finding.severity == Severity::Error).collect();
    let here = |finding: &&&Diagnostic| place(finding) == (path.clone(), line);
    let said: Vec<String> = errors
        .iter()
        .take(6)
        .map(|finding| {
            let (path, line) = place(finding);
            format!("    {} {path}:{line} {}", finding.code, finding.headline)
        })
        .collect();
    let said = said.join("\n");
    let kind = match (errors.len(), errors.iter().filter(here).count()) {
        (0, _) => Told::Fits,
        (1, 1) => Told::Once,
        (_, 0) if is_declared(text, typo) => Told::Declared,
        (_, 0) => Told::Elsewhere,
        _ => Told::More,
    };
    (kind, said)
}

/// Whether the word names something that is declared there, so that nothing is wrong but those who use it.
fn is_declared(text: &str, typo: &Typo) -> bool {
    let before = text[..typo.token.start as usize].trim_end();
    let after = text[typo.token.start as usize + typo.wrong.len()..].trim_start();
    let word = before.rsplit(|sign: char| sign.is_whitespace()).next().unwrap_or_default();
    wayfare::syntax::words::is_declaration(word)
        || matches!(word, "as" | "end" | "phase")
        || after.starts_with([':', '"'])
}
