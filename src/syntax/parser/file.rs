//! A file: imports and declarations. A declaration that cannot be read costs itself and no other.

use nom::Parser;
use nom::combinator::map;

use super::decl;
use super::heading::{Heads, heading};
use super::input::In;
use super::primitive::{P, ident, item, missing_of, optional, optional_kind, path, series};
use super::report;
use crate::syntax::ast::{Decl, File, Import};
use crate::syntax::token::TokenKind;
use crate::syntax::words;

const HEADS: Heads = Heads { what: "a declaration", words: &[words::DECLARATIONS] };

/// All declarations of the file.
pub(super) fn file(mut i: In<'_>) -> File {
    let mut file = File::default();
    while i.kind() != TokenKind::Eof {
        let rest = match i.kind() {
            TokenKind::Sep => i.next(),
            _ => top_level(i, &mut file),
        };
        i = if rest.position() > i.position() { rest } else { i.next() };
    }
    file.decls.shrink_to_fit();
    file
}

fn top_level<'a>(i: In<'a>, file: &mut File) -> In<'a> {
    match heading(i, &HEADS) {
        Ok((_, "import")) => {
            let (rest, import) = item(i, map(import, Some), |_| None);
            file.imports.extend(import);
            rest
        }
        Ok((_, word)) => declaration(i, word, file),
        Err(_) => to_next_declaration(i.next()),
    }
}

fn declaration<'a>(i: In<'a>, word: &'a str, file: &mut File) -> In<'a> {
    let (rest, decl): (In<'_>, Option<Decl>) = item(i, map(|i| decl::declaration(i, word), Some), |_| None);
    file.decls.extend(decl);
    rest
}

/// What cannot be a declaration is skipped to the next line that begins one.
fn to_next_declaration(start: In<'_>) -> In<'_> {
    let mut i = start;
    while i.kind() != TokenKind::Eof && !(words::is_declaration(i.word()) && i.begins_line()) {
        i = i.next();
    }
    start.lose(i);
    i
}

/// `import std.cn.bank { push, sms } as b`
fn import(start: In<'_>) -> P<'_, Import> {
    let (i, path) = path("a package")(start.next())?;
    let (i, names) = optional_kind(TokenKind::LBrace, names).parse(i)?;
    let (i, alias) = optional("as", ident("a name")).parse(i)?;
    Ok((i, Import { path, names: names.unwrap_or_default(), alias, span: i.since(start.span()) }))
}

/// `{ push, sms }`
fn names(i: In<'_>) -> P<'_, Vec<crate::syntax::ast::Ident>> {
    series(i.next(), ident("a name"), TokenKind::RBrace, "`}`").or_else(|failure| {
        if let Some(missed) = missing_of(failure) {
            report::missed(i.cx, &missed);
        }
        let rest = skip_to_brace(i);
        Ok((if rest.kind() == TokenKind::RBrace { rest.next() } else { rest }, Vec::new()))
    })
}

fn skip_to_brace(mut i: In<'_>) -> In<'_> {
    while !matches!(i.kind(), TokenKind::RBrace | TokenKind::Sep | TokenKind::Eof) {
        i = i.next();
    }
    i
}
