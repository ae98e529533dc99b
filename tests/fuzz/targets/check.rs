//! Any text compiles or is refused with findings that can be shown, beside the model of the example project.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

#[path = "../../support/hold.rs"]
mod hold;

fuzz_target!(|text: &str| -> Corpus {
    if text.len() > 16_384 {
        return Corpus::Reject;
    }
    hold::check(text);
    Corpus::Keep
});
