//! `// allow(W0450) reason`: a warning that is known and meant.
//!
//! Such a comment excuses warnings that begin on its line, or, if it has a line of its own, on the next line that is
//! neither blank nor a comment. It must give a reason, and it must excuse something. Errors cannot be excused.

use super::suggest::did_you_mean;
use super::{Code, Diagnostic, Fix, Severity, code};
use crate::text::{SourceFile, Sources, Span};

/// Takes out the warnings that one of `comments` excuses, and adds what is wrong with these comments themselves.
pub fn suppress(sources: &Sources, comments: &[Span], diagnostics: &mut Vec<Diagnostic>) {
    let allows: Vec<Allow> = comments.iter().filter_map(|span| read(sources, *span)).collect();
    let mut told = Vec::new();
    for allow in &allows {
        if allow.reason.is_empty() {
            told.push(without_reason(allow));
        }
        let before = diagnostics.len();
        let unused: Vec<&str> =
            allow.codes.iter().copied().filter(|code| !excuse(sources, allow, code, diagnostics)).collect();
        let alone = before == diagnostics.len();
        told.extend(unused.iter().map(|code| excuses_nothing(allow, code, alone)));
    }
    diagnostics.extend(told);
}

/// A comment that wants to excuse.
struct Allow<'a> {
    span: Span,
    codes: Vec<&'a str>,
    reason: &'a str,
    /// The line that it is about.
    line: u32,
}

fn read(sources: &Sources, span: Span) -> Option<Allow<'_>> {
    let file = sources.get(span.file)?;
    let text = sources.slice(span).strip_prefix("//")?.trim_start();
    let (codes, reason) = text.strip_prefix("allow(")?.split_once(')')?;
    let codes = codes.split(',').map(str::trim).collect();
    let reason = reason.trim_matches(|c: char| c.is_whitespace() || "-:–—：".contains(c));
    Some(Allow { span, codes, reason, line: line_meant(file, span) })
}

fn line_meant(file: &SourceFile, span: Span) -> u32 {
    let own = file.line(span.start);
    if !file.line_text(own).trim_start().starts_with("//") {
        return own;
    }
    let below = file.text.lines().enumerate().skip(own as usize);
    let mut code = below.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with("//"));
    code.next().map_or(own, |(at, _)| u32::try_from(at + 1).unwrap_or(u32::MAX))
}

/// Takes out what `allow` excuses under `code`, and whether there was any.
fn excuse(sources: &Sources, allow: &Allow, code: &str, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let before = diagnostics.len();
    diagnostics.retain(|finding| {
        let span = finding.primary.span;
        let here = span.file == allow.span.file
            && sources.get(span.file).is_some_and(|file| file.line(span.start) == allow.line);
        !(here && finding.code.as_str() == code && is_excusable(finding.code))
    });
    diagnostics.len() < before
}

fn is_excusable(code: Code) -> bool {
    code.severity() == Severity::Warning
}

/// `CLAIM-001`
fn is_rule(code: &str) -> bool {
    let parts = code.split_once('-');
    parts.is_some_and(|(word, number)| {
        word.len() > 2
            && word.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() == 3
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn without_reason(allow: &Allow) -> Diagnostic {
    let codes = allow.codes.join(", ");
    Diagnostic::new(code::NO_REASON, allow.span, format!("`allow({codes})` does not say why"))
        .label("no reason")
        .help(format!("write why it is meant so: `// allow({codes}) agreed with the branch`"))
}

fn excuses_nothing(allow: &Allow, code: &str, alone: bool) -> Diagnostic {
    let told = |headline: String| Diagnostic::new(code::EXCUSES_NOTHING, allow.span, headline);
    let finding = match Code::find(code) {
        Some(known) if known.as_str() != code => {
            told(format!("`{code}` is written `{known}`")).help(format!("write `{known}`"))
        }
        Some(known) if !is_excusable(known) => told(format!("`{code}` is an error and cannot be excused"))
            .label("only warnings can be")
            .help("mend what it is about, and take this comment out"),
        Some(_) => told(format!("`allow({code})` excuses nothing"))
            .label("there is no such warning here")
            .help("take it out: the next one would be excused without anybody looking"),
        None if is_rule(code) => told(format!("`{code}` is a rule of compliance"))
            .label("excuses nothing")
            .help("a `waiver` in compliance's own file excuses it, and says who agreed"),
        None => {
            let known = code::ALL.iter().filter(|code| is_excusable(**code));
            let help = did_you_mean(code, known.map(|code| code.as_str()));
            told(format!("there is no code `{code}`"))
                .label("excuses nothing")
                .help(help.unwrap_or_else(|| "codes of warnings look like `W0450`".to_owned()))
        }
    };
    if alone && allow.codes.len() == 1 {
        return finding.with_fix(Fix::safe("take the comment out").remove(allow.span));
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left when every `wait` and `end` of `text` was warned of, and the comments were heard.
    fn left(text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add("a.journey", text);
        let span = |(at, part): (usize, &str)| Span::new(file, at, at + part.len());
        let comments: Vec<Span> =
            text.match_indices("//").map(|(at, _)| span((at, text[at..].lines().next().unwrap()))).collect();
        let mut found: Vec<Diagnostic> = text
            .match_indices("wait")
            .map(|it| Diagnostic::new(code::DEAD_WAIT, span(it), "never"))
            .chain(text.match_indices("end").map(|it| Diagnostic::new(code::NO_END, span(it), "error")))
            .collect();
        suppress(&sources, &comments, &mut found);
        super::super::sort(&mut found);
        let line = |finding: &Diagnostic| sources.place(finding.primary.span).1;
        found.iter().map(|finding| format!("{} {}", line(finding), finding.code)).collect()
    }

    #[test]
    fn a_reason_excuses_the_line_or_the_next() {
        assert!(left("wait // allow(W0450) 合同要求\n").is_empty());
        assert!(left("// allow(W0450): asked for by law\n// more\n\n  wait\n").is_empty());
        assert_eq!(left("// allow(W0450) asked for\nwait\nwait"), ["3 W0450"]);
        assert!(left("// allow(W0450, W0201) asked for\n").len() == 2, "both excuse nothing");
    }

    #[test]
    fn without_a_reason_it_is_excused_and_told() {
        assert_eq!(left("wait // allow(W0450)\n"), ["1 W0101"]);
        assert_eq!(left("wait // allow(W0450) -\n"), ["1 W0101"]);
    }

    #[test]
    fn nothing_is_excused_ahead_and_no_error_ever() {
        assert_eq!(left("// allow(W0450) asked for\ntag\nwait"), ["1 W0102", "3 W0450"]);
        assert_eq!(left("end // allow(E0451) asked for"), ["1 E0451", "1 W0102"]);
        assert_eq!(left("wait // allow(W0540) asked for"), ["1 W0450", "1 W0102"]);
        assert_eq!(left("wait // we allow(W0450) this\n"), ["1 W0450"], "a sentence about it");
    }
}
