//! "Did you mean": the known word nearest to one that is not known.

/// What of `among` was probably meant by `word`: nothing, one, or two that are equally near. Case is ignored; the
/// same words give the same answer whatever their order.
#[must_use]
pub fn candidates<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = word.to_lowercase();
    let near = among.into_iter().filter(|known| *known != word);
    let mut near: Vec<(Distance, &str)> =
        near.filter_map(|known| Some((distance(&wanted, &known.to_lowercase())?, known))).collect();
    near.sort_unstable();
    near.dedup();
    let Some(&(least, _)) = near.first() else { return Vec::new() };
    near.into_iter().take_while(|(distance, _)| *distance == least).map(|(_, known)| known).take(2).collect()
}

/// The nearest of `among` to `word`, if any is near enough to be worth saying.
#[must_use]
pub fn nearest<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates(word, among).into_iter().next()
}

/// Help that names the nearest word or the two nearest ones, ready for [`super::Diagnostic::help`].
#[must_use]
pub fn did_you_mean<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<String> {
    match candidates(word, among).as_slice() {
        [] => None,
        [first, second, ..] => Some(format!("did you mean `{first}` or `{second}`?")),
        [only] => Some(format!("did you mean `{only}`?")),
    }
}

/// How many letters are wrong, then whether the first one is: who writes `snd` means `send` rather than `end`.
type Distance = (usize, bool);

/// `None` if nobody would take the one for the other. Both are lower-case.
fn distance(word: &str, known: &str) -> Option<Distance> {
    let letters = word.chars().count();
    let wrong = strsim::osa_distance(word, known);
    let other_start = word.chars().next() != known.chars().next();
    // More than one mistake is believed of a longer word, and of none that begins or looks otherwise.
    let alike = || !other_start && strsim::jaro_winkler(word, known) >= 0.8;
    let is_near = match wrong {
        0 => true,
        1 => letters > 1,
        // In Chinese every sign says much, and what is forgotten is often the first ones: `余额` is `账户余额`.
        2 if !word.is_ascii() && letters > 1 && known.ends_with(word) => true,
        2 => letters >= 5 && alike(),
        _ => wrong <= letters / 3 && alike(),
    };
    is_near.then_some((wrong, other_start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_offered_and_far_ones_are_not() {
        assert_eq!(nearest("jurney", ["event", "journey"]), Some("journey"));
        assert_eq!(nearest("Chanel", ["channel"]), Some("channel"));
        assert_eq!(nearest("banana", ["event", "journey"]), None);
        assert_eq!(nearest("x", ["y"]), None, "one letter is no word");
        assert_eq!(nearest("push", ["push"]), None, "nobody is told to write what stands there");
    }

    #[test]
    fn two_mistakes_are_forgiven_in_longer_words() {
        assert_eq!(nearest("payed", ["loan", "paid"]), Some("paid"));
        assert_eq!(nearest("loan_limti", ["loan_limit"]), Some("loan_limit"));
        assert_eq!(nearest("custmoer", ["customer", "custom"]), Some("customer"));
        assert_eq!(nearest("offer", ["owner"]), None, "only its ends are alike");
        assert_eq!(nearest("tags", ["bags", "tabs"]), Some("tabs"), "the first letter decides");
        assert_eq!(nearest("sms", ["ems_2"]), None);
    }

    #[test]
    fn chinese_names_are_short_and_still_found() {
        assert_eq!(nearest("问侯", ["问候", "你好"]), Some("问候"));
        assert_eq!(nearest("余额", ["账户余额", "手机号"]), Some("账户余额"));
        assert_eq!(nearest("签约时间", ["签约日期"]), None, "half of it is something else");
        assert_eq!(nearest("月均资产", ["月日均资产", "资产"]), Some("月日均资产"));
    }

    #[test]
    fn equally_near_words_are_both_named() {
        assert_eq!(candidates("ab", ["bb", "ac"]), ["ac"], "the first letter decides");
        assert_eq!(candidates("opene", ["opens", "opened", "closed"]), ["opened", "opens"]);
        assert_eq!(did_you_mean("opene", ["opens", "opened"]).unwrap(), "did you mean `opened` or `opens`?");
        assert_eq!(candidates("opene", ["opened", "opened"]), ["opened"], "said twice is one");
    }
}
