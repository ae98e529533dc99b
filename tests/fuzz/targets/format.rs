//! A text without syntax errors has one canonical form, with the same meaning and the same comments.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

#[path = "../../support/hold.rs"]
mod hold;

fuzz_target!(|text: &str| -> Corpus {
    if text.len() > 16_384 {
        return Corpus::Reject;
    }
    hold::format(text);
    Corpus::Keep
});
