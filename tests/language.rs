//! `docs/language.md` is true: every block of it compiles, and what it calls bad gives the codes it names.
//!
//! The fence says how a block is read. A block marked `journey` is a project of its own. Blocks with `world=NAME` are
//! one file, in the order they stand. A block with `bad=E0301,W0201` gives exactly these codes, on top of its world
//! if it names one; for the others it is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use wayfare::compile::{Compilation, compile};
use wayfare::format::format;
use wayfare::text::FileId;

use crate::support::library::project;

const DOCUMENT: &str = "docs/language.md";

/// A fenced block.
struct Block {
    /// Of the fence; the first is 1.
    line: usize,
    world: Option<String>,
    bad: Option<BTreeSet<String>>,
    text: String,
}

#[test]
fn every_example_compiles_or_gives_the_codes_it_names() {
    let blocks = blocks();
    let mut worlds: BTreeMap<&str, Vec<&Block>> = BTreeMap::new();
    for block in blocks.iter().filter(|block| block.bad.is_none()) {
        let world = block.world.as_deref();
        world.into_iter().for_each(|world| worlds.entry(world).or_default().push(block));
    }
    let mut wrong = String::new();
    for members in worlds.values() {
        tell(&mut wrong, members, &BTreeSet::new());
    }
    for block in blocks.iter().filter(|block| block.bad.is_some() || block.world.is_none()) {
        let mut members = block.world.as_deref().map(|world| worlds[world].clone()).unwrap_or_default();
        members.push(block);
        tell(&mut wrong, &members, block.bad.as_ref().unwrap_or(&BTreeSet::new()));
    }
    assert_eq!(wrong, "");
    assert!(blocks.len() > 40, "{} blocks", blocks.len());
    assert!(blocks.iter().filter(|block| block.bad.is_some()).count() > 5);
}

#[test]
fn every_example_is_in_canonical_form() {
    let mut wrong = String::new();
    for block in blocks().iter().filter(|block| block.bad.is_none()) {
        let formatted = format(FileId(0), &block.text).unwrap_or_default();
        if formatted != block.text {
            writeln!(wrong, "{DOCUMENT}:{}\n{formatted}", block.line).unwrap();
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn readers_see_what_is_wrong() {
    let text = std::fs::read_to_string(DOCUMENT).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for block in blocks() {
        let above = lines[..block.line - 1].iter().rev().find(|line| !line.is_empty()).unwrap();
        for code in block.bad.iter().flatten() {
            assert!(
                above.contains(code.as_str()),
                "{DOCUMENT}:{}: say above that this is {code}",
                block.line
            );
        }
    }
}

/// Adds what was found and not foretold.
fn tell(wrong: &mut String, members: &[&Block], codes: &BTreeSet<String>) {
    let compilation = compiled(members);
    let found: BTreeSet<String> =
        compilation.diagnostics.iter().map(|finding| finding.code.as_str().to_owned()).collect();
    if found == *codes {
        return;
    }
    let last = members.last().map_or(0, |block| block.line);
    writeln!(wrong, "the block at line {last} should give {codes:?} and gives {found:?}").unwrap();
    for finding in &compilation.diagnostics {
        let (path, line) = compilation.sources.place(finding.primary.span);
        writeln!(wrong, "  {path}:{line}: {} {} {:?}", finding.code, finding.headline, finding.help).unwrap();
    }
}

/// The blocks as one file, each on its lines of the document, beside what everybody can import.
fn compiled(blocks: &[&Block]) -> Compilation {
    let mut text = String::new();
    let mut blocks = blocks.to_vec();
    blocks.sort_by_key(|block| block.line);
    for block in blocks {
        let above = block.line - text.matches('\n').count();
        text.push_str(&"\n".repeat(above));
        text.push_str(&block.text);
    }
    compile(&project(&[(DOCUMENT, &text)]))
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let text = std::fs::read_to_string(DOCUMENT).unwrap();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(attributes) = line.strip_prefix("```journey") else { continue };
        let attribute = |name: &str| {
            let mut words = attributes.split_whitespace();
            words.find_map(|word| word.strip_prefix(name)?.strip_prefix('=')).map(ToOwned::to_owned)
        };
        let (world, bad) = (attribute("world"), attribute("bad"));
        let bad = bad.map(|codes| codes.split(',').map(ToOwned::to_owned).collect());
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let text = inside.fold(String::new(), |text, line| text + line + "\n");
        blocks.push(Block { line: number + 1, world, bad, text });
    }
    blocks
}
