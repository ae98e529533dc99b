//! Underlines sit under the words they mean, in columns of a terminal: a Chinese character takes two, a combining
//! mark none.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Color, render};
use crate::diagnostic::{Diagnostic, code};
use crate::text::{Sources, Span};

/// One finding about the first `part` of `text`, with labels for the first of each `more`, as it is drawn.
fn drawn(text: &str, part: &str, more: &[&str]) -> String {
    let mut sources = Sources::default();
    let file = sources.add("签约.journey", text);
    let span = |part: &str| {
        let start = text.find(part).unwrap();
        Span::new(file, start, start + part.len())
    };
    let first = Diagnostic::new(code::UNEXPECTED, span(part), "about this").label("here");
    let finding = more.iter().fold(first, |finding, part| finding.also(span(part), "and here"));
    let mut out = Vec::new();
    render(&[finding], &sources, Color::Off, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What stands above each underline.
fn underlined(drawn: &str) -> Vec<String> {
    let lines: Vec<&str> = drawn.lines().collect();
    let below = lines.windows(2).filter(|pair| pair[1].contains('┬'));
    below.flat_map(|pair| runs(pair[1]).into_iter().map(|(from, to)| slice(pair[0], from, to))).collect()
}

/// The columns of each underline in a line.
fn runs(line: &str) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, sign) in line.char_indices().filter(|(_, sign)| matches!(sign, '┬' | '─')) {
        let column = line[..at].width();
        match runs.last_mut() {
            // Each begins with its `┬`.
            Some(run) if run.1 == column && sign == '─' => run.1 += 1,
            _ => runs.push((column, column + 1)),
        }
    }
    runs
}

/// The text of `line` in these columns.
fn slice(line: &str, from: usize, to: usize) -> String {
    let mut column = 0;
    let mut inside = String::new();
    for c in line.chars() {
        let width = c.width().unwrap_or(0);
        // A mark without a width belongs to the character before it.
        let begin = if width == 0 { column.max(1) - 1 } else { column };
        if (from..to).contains(&begin) {
            inside.push(c);
        }
        column += width;
    }
    inside
}

#[track_caller]
fn check(text: &str, part: &str, more: &[&str]) {
    let drawn = drawn(text, part, more);
    let mut wanted: Vec<&str> = more.iter().copied().chain([part]).collect();
    wanted.sort_by_key(|part| text.find(part));
    assert_eq!(underlined(&drawn), wanted, "\n{drawn}");
}

#[test]
fn wide_characters_before_and_inside() {
    check("send 问候（新客） via push\n", "via", &[]);
    check("send 问候（新客） via push\n", "问候（新客）", &[]);
    check("  // 说明：Ａｂ\n  if 客户余额 > 5_0000 { }\n", "余额 > 5", &[]);
}

#[test]
fn tabs_emoji_and_marks() {
    check("\tif\tvip and 余额 > 5 { }\n", "余额", &[]);
    check("title \"🎉 恭喜\" \"e\u{301}te\u{301}\" end\n", "end", &[]);
    check("title \"🎉 恭喜\" end\n", "恭喜", &[]);
    check("name cafe\u{301} is x\n", "cafe\u{301}", &[]);
}

#[test]
fn several_labels_on_one_line() {
    check("send 问候 via 短信 within 2h as 首次问候\n", "短信", &["问候", "首次问候"]);
    check("if 余额 > 限额 and 余额 < 上限 { }\n", "限额", &["余额", "上限"]);
}

#[test]
fn many_lines_and_files_of_windows() {
    check("journey 一 {\r\n  send 问候 via push\r\n}\r\n", "问候", &[]);
    let text = "content 问候 {\n  via push {\n    title \"您好，王女士\"\n    body \"\"\"祝您🎉\n      顺利\"\"\"\n  }\n}\n";
    insta::assert_snapshot!(drawn(
        text,
        "via push {\n    title \"您好，王女士\"",
        &["祝您🎉\n      顺利", "问候"]
    ));
}
