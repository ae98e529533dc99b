//! Reports as `JUnit` XML, which build servers read.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::report::{Report, Verdict};
use crate::diagnostic::render::junit::escape;

/// One `testsuite` per journey, in the order of the reports.
pub fn write(reports: &[Report], out: &mut dyn Write) -> io::Result<()> {
    let failed = reports.iter().filter(|report| !report.passed()).count();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="wayfare" tests="{}" failures="{failed}">"#, reports.len())?;
    for group in reports.chunk_by(|left, right| left.journey == right.journey) {
        let Some(first) = group.first() else { continue };
        let failed = group.iter().filter(|report| !report.passed()).count();
        let name = escape(first.journey.as_str());
        writeln!(out, r#"  <testsuite name="{name}" tests="{}" failures="{failed}">"#, group.len())?;
        group.iter().try_for_each(|report| case(report, out))?;
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn case(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let (name, class) = (escape(&report.title), escape(report.journey.as_str()));
    write!(
        out,
        r#"    <testcase name="{name}" classname="{class}" file="{}" line="{}""#,
        escape(&report.path),
        report.line
    )?;
    let Verdict::Failed(failure) = &report.verdict else { return writeln!(out, "/>") };
    writeln!(out, ">")?;
    let mut text = format!("{}:{}\n{}\nbut {}\n", failure.path, failure.line, failure.expected, failure.was);
    for line in failure.counterexample.iter().chain(&report.story) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{line}");
    }
    writeln!(out, r#"      <failure message="{}">{}</failure>"#, escape(&failure.was), escape(&text))?;
    writeln!(out, "    </testcase>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_controls_do_not_break_the_document() {
        assert_eq!(escape("a < b & \"c\" > 首贷\u{1}\n"), "a &lt; b &amp; &quot;c&quot; &gt; 首贷\u{fffd}\n");
    }
}
