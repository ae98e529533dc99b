//! Lists of words that a policy forbids: a phrase a line, `!` before what is allowed though a phrase is in it, `#` before a remark.

use std::sync::Arc;

use super::world::{Sink, World};
use crate::diagnostic::{Diagnostic, code};
use crate::model::govern::Forbidden;
use crate::syntax::ast::Text;
use crate::text::FileId;

/// The list of a file; `None`: what is wrong with it is told.
pub(super) fn forbidden(world: &World, file: FileId, path: &Text, sink: &mut Sink) -> Option<Forbidden> {
    let text = world.beside(file, path, code::PHRASES, sink)?;
    let (phrases, allowed) = parse(text);
    if phrases.is_empty() {
        sink.report(
            Diagnostic::new(code::PHRASES, path.span, format!("the file `{}` forbids nothing", path.value))
                .label("no word in it")
                .help("write a word or phrase on each line; `#` begins a remark, and `!` what is allowed"),
        );
        return None;
    }
    Some(Forbidden { phrases, allowed, span: path.span })
}

/// The phrases, and what is allowed.
fn parse(text: &str) -> (Vec<Arc<str>>, Vec<Arc<str>>) {
    let (mut phrases, mut allowed) = (Vec::new(), Vec::new());
    // Editors of other systems put a mark before the first line.
    for line in text.trim_start_matches('\u{FEFF}').lines().map(str::trim) {
        match line.strip_prefix('!').map(str::trim) {
            Some(fine) if !fine.is_empty() => allowed.push(fine.into()),
            None if !line.is_empty() && !line.starts_with('#') => phrases.push(line.into()),
            _ => {}
        }
    }
    (phrases, allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_phrases_exceptions_and_remarks() {
        let (phrases, allowed) = parse("\u{FEFF}# 群内禁语\r\n内部渠道\r\n\n  包过 \n! 第一次\n第一\n!\n");
        assert_eq!(phrases, ["内部渠道", "包过", "第一"].map(Arc::from));
        assert_eq!(allowed, ["第一次"].map(Arc::from));
    }
}
