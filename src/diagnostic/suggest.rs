//! "Did you mean": the known word nearest to one that is not known.

/// The nearest of `among` to `word`, if any is near enough to be worth saying. Case is ignored; the same words
/// give the same answer whatever their order.
#[must_use]
pub fn nearest<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    let distance = |known: &str| strsim::osa_distance(&wanted, &known.to_lowercase());
    let limit = (word.chars().count() / 3).max(1);
    let scored = among.into_iter().map(|known| (distance(known), known));
    scored.filter(|&(distance, _)| distance <= limit).min().map(|(_, known)| known)
}

/// Help that names the nearest word, ready for [`super::Diagnostic::help`].
#[must_use]
pub fn did_you_mean<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, among).map(|known| format!("did you mean `{known}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_offered_and_far_ones_are_not() {
        assert_eq!(nearest("jurney", ["event", "journey"]), Some("journey"));
        assert_eq!(nearest("Chanel", ["channel"]), Some("channel"));
        assert_eq!(nearest("问侯", ["问候", "你好"]), Some("问候"));
        assert_eq!(nearest("banana", ["event", "journey"]), None);
        assert_eq!(nearest("ab", ["ac", "bb"]), Some("ac"), "ties go to the alphabet");
        assert_eq!(nearest("ab", ["bb", "ac"]), Some("ac"));
    }
}
