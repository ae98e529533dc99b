//! Lines of JSON, each of bounded length; blank ones are passed over.

use std::io::{BufRead, Read};

use serde_json::{Map, Value as Json};

use super::super::envelope::not_json;
use super::super::value::described;
use super::super::{MAX_EVENT, Refusal};
use crate::diagnostic::code;

pub(super) struct Lines<R> {
    reader: R,
    line: u64,
    buffer: Vec<u8>,
    failed: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: 0, buffer: Vec::new(), failed: false }
    }

    pub(super) fn next_object(&mut self) -> Option<super::Numbered> {
        loop {
            let read = self.next_line()?;
            let line = self.line;
            if let Err(refusal) = read {
                return Some((line, Err(refusal)));
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Some((line, object(&self.buffer)));
            }
        }
    }

    fn next_line(&mut self) -> Option<Result<(), Refusal>> {
        if self.failed {
            return None;
        }
        self.line += 1;
        self.buffer.clear();
        let most = MAX_EVENT as u64 + 1;
        match (&mut self.reader).take(most).read_until(b'\n', &mut self.buffer) {
            Ok(0) => None,
            Ok(_) if self.buffer.len() > MAX_EVENT => Some(self.skip_rest()),
            Ok(_) => Some(Ok(())),
            Err(error) => Some(self.fail(&error)),
        }
    }

    fn skip_rest(&mut self) -> Result<(), Refusal> {
        if self.buffer.last() != Some(&b'\n')
            && let Err(error) = self.reader.skip_until(b'\n')
        {
            return self.fail(&error);
        }
        Err(Refusal::new(code::EVENT_TOO_LARGE, format!("the line has more than {MAX_EVENT} bytes")))
    }

    fn fail(&mut self, error: &std::io::Error) -> Result<(), Refusal> {
        self.failed = true;
        Err(Refusal::new(code::BAD_ROW, format!("the rest of the file cannot be read: {error}")))
    }
}

fn object(line: &[u8]) -> Result<Map<String, Json>, Refusal> {
    match serde_json::from_slice(line.trim_ascii_end()) {
        Ok(Json::Object(fields)) => Ok(fields),
        Ok(other) => {
            let reason = format!("expected an object of fields, found {}", described(&other));
            Err(Refusal::new(code::BAD_ROW, reason))
        }
        Err(error) => Err(Refusal { code: code::BAD_ROW, ..not_json(&error) }),
    }
}
