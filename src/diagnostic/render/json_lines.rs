//! One JSON object per line and finding, for programs that read as it comes: the findings of [`super::json`], which
//! says what the fields mean, without the envelope.

use std::io::{self, Write};

use super::json::Finding;
use crate::diagnostic::Diagnostic;
use crate::text::Sources;

pub fn render(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn Write) -> io::Result<()> {
    for finding in diagnostics {
        serde_json::to_writer(&mut *out, &Finding::new(finding, sources))?;
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_object_per_line() {
        let (findings, sources) = super::super::samples::all();
        let mut out = Vec::new();
        super::render(&findings, &sources, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let objects = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        assert_eq!(objects.filter(serde_json::Value::is_object).count(), findings.len());
        insta::assert_snapshot!(out);
    }
}
