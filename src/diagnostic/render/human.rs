//! For a person at a terminal: the source with arrows (drawn by ariadne), then help, notes and where to read more.
//!
//! Ariadne draws the excerpt only; headline, help and notes are ours, so that a finding of no file looks the same.

use std::io::{self, Write};
use std::ops::Range;

use ariadne::{Config, LabelAttach, Report, ReportKind, Source};

use super::{clamp, word};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::text::{FileId, SourceFile, Sources};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    On,
    Off,
}

/// Writes every finding, and at the end how to read about their codes.
pub fn render(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    color: Color,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut files = Files { sources, drawn: sources.iter().map(|_| None).collect() };
    for finding in diagnostics {
        headline(finding, color, out)?;
        excerpt(finding, &mut files, color, out)?;
        advice(finding, color, out)?;
        writeln!(out)?;
    }
    more(diagnostics, out)
}

fn headline(finding: &Diagnostic, color: Color, out: &mut dyn Write) -> io::Result<()> {
    let tag = format!("{}[{}]", word(finding.severity), finding.code);
    writeln!(out, "{}: {}", paint(&tag, finding.severity, color), finding.headline)
}

/// The lines around the labels. Nothing where no label is of a known file.
fn excerpt(finding: &Diagnostic, files: &mut Files, color: Color, out: &mut dyn Write) -> io::Result<()> {
    let mut labels: Vec<&Label> = std::iter::once(&finding.primary).chain(&finding.secondary).collect();
    labels.retain(|label| files.sources.get(label.span.file).is_some());
    let Some(first) = labels.first().copied() else { return Ok(()) };
    // Ariadne opens a new frame whenever a label is above the one before it: the first file's labels come in
    // reading order, then the other files.
    labels.sort_by_key(|label| (label.span.file != first.span.file, label.span));
    let place = (first.span.file, files.chars(first));
    let config = Config::new().with_color(color == Color::On).with_label_attach(LabelAttach::Start);
    let mut report = Report::build(ReportKind::Error, place).with_config(config);
    for label in labels {
        let shade = if std::ptr::eq(label, &raw const finding.primary) {
            shade(finding.severity)
        } else {
            ariadne::Color::Blue
        };
        // Ariadne underlines nothing that has no message.
        let text = if label.text.is_empty() { "here" } else { &label.text };
        let span = (label.span.file, files.chars(label));
        report = report.with_label(ariadne::Label::new(span).with_color(shade).with_message(text));
    }
    let mut drawn = Vec::new();
    report.finish().write(files, &mut drawn)?;
    // The first line is ariadne's own headline.
    for line in String::from_utf8_lossy(&drawn).lines().skip(1) {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn advice(finding: &Diagnostic, color: Color, out: &mut dyn Write) -> io::Result<()> {
    let help = finding.help.iter().map(|text| ("help", text));
    let fix = finding.fix.iter().filter(|fix| !is_said(finding, &fix.title)).map(|fix| ("fix", &fix.title));
    let notes = finding.notes.iter().map(|text| ("note", text));
    for (word, text) in help.chain(fix).chain(notes) {
        let word = paint(word, Severity::Info, color);
        writeln!(out, "  {word}: {}", text.replace('\n', "\n        "))?;
    }
    Ok(())
}

/// Whether the help already shows what the fix would write: the text in backticks of its title.
fn is_said(finding: &Diagnostic, title: &str) -> bool {
    let text = title.split_once('`').and_then(|(_, rest)| rest.rsplit_once('`'));
    let says = |help: &String, text: &str| {
        help.contains(&format!("`{text}`")) || text.contains(' ') && help.contains(text)
    };
    text.is_some_and(|(text, _)| finding.help.iter().any(|help| says(help, text)))
}

fn more(diagnostics: &[Diagnostic], out: &mut dyn Write) -> io::Result<()> {
    let mut codes: Vec<&str> = diagnostics.iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    if codes.is_empty() {
        return Ok(());
    }
    writeln!(out, "to read more: wayfare explain {}", codes.join(" "))
}

fn paint(text: &str, severity: Severity, color: Color) -> String {
    let escape = match severity {
        Severity::Error => "\x1b[1;31m",
        Severity::Warning => "\x1b[1;33m",
        Severity::Info => "\x1b[36m",
    };
    if color == Color::On { format!("{escape}{text}\x1b[0m") } else { text.to_owned() }
}

fn shade(severity: Severity) -> ariadne::Color {
    match severity {
        Severity::Error => ariadne::Color::Red,
        Severity::Warning => ariadne::Color::Yellow,
        Severity::Info => ariadne::Color::Cyan,
    }
}

/// The sources as ariadne wants them; a file is prepared when it is first drawn.
struct Files<'a> {
    sources: &'a Sources,
    drawn: Vec<Option<Source<String>>>,
}

impl Files<'_> {
    /// The characters of a label. Ariadne could count in bytes as well, but then it places the labels of a second
    /// file wrongly and slices inside characters there.
    fn chars(&self, label: &Label) -> Range<usize> {
        let Some(file) = self.sources.get(label.span.file) else { return 0..0 };
        let bytes = clamp(file, label.span);
        let count = |range: Range<usize>| file.text.get(range).map_or(0, |text| text.chars().count());
        let start = count(0..bytes.start);
        start..start + count(bytes)
    }
}

impl ariadne::Cache<FileId> for &mut Files<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &FileId) -> Result<&Source<String>, impl std::fmt::Debug> {
        let Files { sources, drawn } = &mut **self;
        let file = sources.get(*id).ok_or("no such file")?;
        let slot = drawn.get_mut(id.0 as usize).ok_or("no such file")?;
        Ok::<_, &str>(slot.get_or_insert_with(|| Source::from(drawable(file))))
    }

    fn display<'b>(&self, id: &'b FileId) -> Option<impl std::fmt::Display + 'b> {
        self.sources.get(*id).map(|file| file.path.to_string())
    }
}

/// The text with the same characters at the same places, but safe to show: what would break a line where we count
/// none, move the cursor or turn the reading direction becomes a mark. A space at the end gives the end of the
/// file a place of its own.
fn drawable(file: &SourceFile) -> String {
    let shown = |c| match c {
        '\n' | '\t' => c,
        '\r' => ' ',
        '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
        c if c.is_control() => '\u{FFFD}',
        c => c,
    };
    file.text.chars().map(shown).chain([' ']).collect()
}

#[cfg(test)]
mod columns;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::code;
    use crate::text::Span;

    fn text(diagnostics: &[Diagnostic], sources: &Sources, color: Color) -> String {
        let mut out = Vec::new();
        render(diagnostics, sources, color, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn excerpts_help_and_notes() {
        let (findings, sources) = super::super::samples::all();
        insta::assert_snapshot!(text(&findings, &sources, Color::Off));
    }

    #[test]
    fn colour_is_only_an_addition() {
        let (findings, sources) = super::super::samples::all();
        let colored = text(&findings, &sources, Color::On);
        assert!(colored.contains("\x1b[1;31merror[E0101]\x1b[0m"));
        let mut bare = anstream::StripStream::new(Vec::new());
        bare.write_all(colored.as_bytes()).unwrap();
        let bare = String::from_utf8(bare.into_inner()).unwrap();
        let trimmed: Vec<&str> = bare.lines().map(str::trim_end).collect();
        let plain = text(&findings, &sources, Color::Off);
        assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
        assert!(!plain.contains('\x1b'));
    }

    #[test]
    fn a_file_cannot_steer_the_terminal() {
        let mut sources = Sources::default();
        let source = "a\x1b[2Jb\u{202E}c\u{2028}d\r\nsend";
        let file = sources.add("evil.journey", source);
        let span = Span::new(file, source.len() - 4, source.len());
        let finding = Diagnostic::new(code::UNEXPECTED, span, "no").also(Span::new(file, 0, 1), "line one");
        let shown = text(&[finding], &sources, Color::Off);
        assert!(!shown.contains(['\x1b', '\u{202E}', '\u{2028}']));
        assert!(shown.contains("evil.journey:2:1"), "{shown}");
    }

    proptest::proptest! {
        #[test]
        fn no_span_of_any_text_panics(source in "(?s).{0,40}", start in 0usize..150, length in 0usize..150, other in 0usize..150) {
            let mut sources = Sources::default();
            let file = sources.add("a", &source);
            let second = sources.add("b", &source);
            let finding = Diagnostic::new(code::UNEXPECTED, Span::new(file, start, start + length), "x")
                .also(Span::new(second, other, other + length), "y")
                .also(Span::new(file, other, start), "z");
            proptest::prop_assert!(text(&[finding], &sources, Color::Off).contains("a:"));
        }
    }
}
