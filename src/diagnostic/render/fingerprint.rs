//! What a finding is recognised by from run to run, so that services can tell old findings from new ones.

use std::collections::HashMap;
use std::fmt::Write;

use ring::digest::{SHA256, digest};

use super::positions;
use crate::diagnostic::Diagnostic;
use crate::text::Sources;

/// One per finding, in their order, and all different: 32 hexadecimal digits of the code, the path, the text of the
/// line and the how-manieth such finding it is. Lines that come or go elsewhere, and blanks, change nothing.
pub fn fingerprints(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let prints = diagnostics.iter().map(|finding| {
        let of = subject(finding, sources);
        let nth = seen.entry(of.clone()).or_default();
        *nth += 1;
        hex(&format!("{of}\0{nth}"))
    });
    prints.collect()
}

fn subject(finding: &Diagnostic, sources: &Sources) -> String {
    let Some(file) = sources.get(finding.primary.span.file) else {
        return format!("{}\0\0{}", finding.code, finding.headline);
    };
    let line = file.line_text(positions(file, finding.primary.span).0.line);
    let words: Vec<&str> = line.split_whitespace().collect();
    format!("{}\0{}\0{}", finding.code, file.path, words.join(" "))
}

fn hex(text: &str) -> String {
    let bytes = digest(&SHA256, text.as_bytes());
    let mut hex = String::new();
    for byte in bytes.as_ref().iter().take(16) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::diagnostic::code;
    use crate::text::Span;

    fn prints(text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add("a.journey", text);
        let found: Vec<Diagnostic> = text
            .match_indices("问候")
            .map(|(at, part)| {
                Diagnostic::new(code::UNKNOWN_NAME, Span::new(file, at, at + part.len()), format!("at {at}"))
            })
            .collect();
        fingerprints(&found, &sources)
    }

    #[test]
    fn lines_above_and_blanks_change_nothing() {
        let before = prints("send 问候 via push\nsend 问候 via sms\n");
        assert_eq!(
            before,
            prints(
                "// new\n\n\tsend  问候 via push\n  tag x\nsend 问候 via sms // \n"
                    .replace(" // ", "")
                    .as_str()
            )
        );
    }

    #[test]
    fn each_is_its_own() {
        let many = prints("send 问候 via push\nsend 问候 via push\nsend 问候 to 问候\n");
        assert_eq!(many.len(), 4);
        assert_eq!(many.iter().collect::<BTreeSet<_>>().len(), 4, "{many:?}");
        assert_ne!(many, prints("tag 问候\ntag 问候\ntag 问候 to 问候\n"));
    }
}
