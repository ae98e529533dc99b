//! Any text is read: the tokens cover it, every span lies in it, every finding can be shown.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

#[path = "../../support/hold.rs"]
mod hold;

fuzz_target!(|text: &str| -> Corpus {
    if text.len() > 16_384 {
        return Corpus::Reject;
    }
    hold::parse(text);
    Corpus::Keep
});
