//! Good files, made messy: line breaks, blanks and comments where the language allows them.

use std::path::Path;

use proptest::prelude::*;
use wayfare::syntax::token::{Token, TokenKind};
use wayfare::syntax::{parse, significant};
use wayfare::text::FileId;

use super::{files, formatted};

fn good_texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["tests/suite/parse/good", "tests/suite/check/good", "tests/suite/format", "journeys"];
    let found = folders.iter().flat_map(|folder| files(&root.join(folder)));
    let texts: Vec<String> = found.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(texts.len() > 15);
    texts
}

#[test]
fn good_files_stay_good() {
    for text in good_texts() {
        let once = formatted(&text);
        assert_eq!(formatted(&once), once);
        let long: Vec<&str> = once.lines().filter(|line| line.trim_end() != *line).collect();
        assert_eq!(long, [""; 0], "blanks at the end of a line");
    }
}

/// Whatever is read without a finding is formatted, sensible or not.
#[test]
fn mutilated_files_that_still_parse_are_formatted() {
    let mut formatted_ones = 0;
    for text in good_texts() {
        let tokens = parse(FileId(0), &text).tokens;
        // Some of them, other ones in each file: all of them would take minutes.
        let some = tokens.iter().filter(|token| !token.kind.is_trivia()).skip(text.len() % 30).step_by(30);
        for token in some {
            let (start, end) = (token.start as usize, token.end as usize);
            for instead in ["", " // c\n", " day ", " -"] {
                let broken = format!("{}{instead}{}", &text[..start], &text[end..]);
                if parse(FileId(0), &broken).diagnostics.is_empty() {
                    formatted(&broken);
                    formatted_ones += 1;
                }
            }
        }
    }
    assert!(formatted_ones > 30, "{formatted_ones}");
}

/// What is put between two tokens. No line begins at the left edge, where a word like `event` would begin a declaration.
#[derive(Clone, Copy, Debug)]
enum Mess {
    Nothing,
    Blanks,
    Break,
    EmptyLines,
    Behind,
    Above,
    BehindAndAbove,
}

const MESSES: [Mess; 7] = [
    Mess::Nothing,
    Mess::Blanks,
    Mess::Break,
    Mess::EmptyLines,
    Mess::Behind,
    Mess::Above,
    Mess::BehindAndAbove,
];

impl Mess {
    fn text(self, number: usize) -> String {
        match self {
            Self::Nothing => " ".to_owned(),
            Self::Blanks => " \t  ".to_owned(),
            Self::Break => "\n      ".to_owned(),
            Self::EmptyLines => "\r\n\n  \n\n ".to_owned(),
            Self::Behind => format!(" // 第 {number} 条 \n "),
            Self::Above => format!("\n\n   // above {number}\n "),
            Self::BehindAndAbove => {
                format!("// behind {number}\n/// doc {number}\n\n    // above {number}\n\n ")
            }
        }
    }
}

/// The tokens of `text` with what `messes` says between them, wherever a line may end there.
fn messed(text: &str, messes: &[Mess]) -> String {
    let tokens: Vec<Token> =
        parse(FileId(0), text).tokens.into_iter().filter(|token| !token.kind.is_trivia()).collect();
    let grammar = significant(text, &parse(FileId(0), text).tokens);
    let separated = |at: u32| grammar.iter().any(|token| token.kind == TokenKind::Sep && token.start == at);
    let mut out = String::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        let [token, next] = pair else { continue };
        out.push_str(token.text(text));
        let mess = messes[index % messes.len()].text(index);
        if separated(token.end) {
            out.push_str(if mess.contains('\n') { mess.trim_end_matches(' ') } else { "\n" });
        } else if may_end_a_line(token, next, text) || !mess.contains('\n') {
            out.push_str(&mess);
        } else {
            out.push_str(&text[token.end as usize..next.start as usize]);
        }
    }
    out + tokens.last().map_or("", |token| token.text(text)) + &messes[0].text(0)
}

/// Whether a newline between the two tokens ends no item.
fn may_end_a_line(token: &Token, next: &Token, text: &str) -> bool {
    let pair = format!("{}\n {}", token.text(text), next.text(text));
    let tokens = parse(FileId(0), &pair).tokens;
    !significant(&pair, &tokens).iter().any(|token| token.kind == TokenKind::Sep)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_mess_loses_anything(
        file in 0usize..1_000,
        messes in proptest::collection::vec(proptest::sample::select(MESSES.to_vec()), 1..40),
    ) {
        let texts = good_texts();
        let text = &texts[file % texts.len()];
        let messy = messed(text, &messes);
        let findings = parse(FileId(0), &messy).diagnostics;
        // A line may end behind most tokens, but what stands between two of them is not always known from the two.
        prop_assume!(findings.is_empty());
        // That meaning and comments stay, and that it stays so the second time, `format` proves itself.
        let once = formatted(&messy);
        let comments = |text: &str| text.matches("//").count();
        prop_assert_eq!(comments(&once), comments(&messy));
        prop_assert_eq!(&formatted(&once), &once);
    }

    #[test]
    fn blanks_alone_do_not_matter(
        file in 0usize..1_000,
        messes in proptest::collection::vec(proptest::sample::select(vec![Mess::Nothing, Mess::Blanks]), 1..40),
    ) {
        let texts = good_texts();
        let text = formatted(&texts[file % texts.len()]);
        if !text.contains("//") {
            let once = formatted(&messed(&text, &messes));
            prop_assert_eq!(layout_free(&once), layout_free(&text));
        }
    }
}

/// A text without empty lines.
fn layout_free(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}
