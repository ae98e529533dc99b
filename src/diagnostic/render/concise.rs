//! One line per finding, `path:line:col: error[E0101]: headline`, as editors and grep like it.

use std::io::{self, Write};

use super::{positions, word};
use crate::diagnostic::Diagnostic;
use crate::text::Sources;

/// A finding of no known file has no place in front.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    for finding in diagnostics {
        if let Some(file) = sources.get(finding.primary.span.file) {
            let (start, _) = positions(file, finding.primary.span);
            write!(out, "{}:{}:{}: ", file.path, start.line, start.column)?;
        }
        writeln!(out, "{}[{}]: {}", word(finding.severity), finding.code, finding.headline)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_line_each() {
        let (findings, sources) = super::super::samples::all();
        let mut out = Vec::new();
        super::render(&findings, &sources, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}
