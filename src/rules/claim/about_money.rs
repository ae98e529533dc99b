//! Numbers in copy: rates and amounts, as people write them.

use std::ops::Range;

/// Products that are owed to the customer.
pub(super) const DEPOSITS: &[&str] = &["deposit"];

/// The first rate: `4.5%`, `３％` folded.
pub(super) fn per_cent(text: &str) -> Option<Range<usize>> {
    let mut signs = text.char_indices().filter(|(_, sign)| matches!(sign, '%' | '％'));
    signs.find_map(|(at, sign)| {
        let number = number_before(text, at)?;
        Some(number.start..at + sign.len_utf8())
    })
}

/// The amounts in yuan: `30 元`, `1,000元`.
pub(super) fn yuan(text: &str) -> Vec<(Range<usize>, u64)> {
    let places = text.match_indices('元').filter_map(|(at, _)| {
        let number = number_before(text, at)?;
        let digits: String = text.get(number.clone())?.chars().filter(|sign| *sign != ',').collect();
        Some((number, digits.parse().ok()?))
    });
    places.collect()
}

/// The number that ends before `at`, blanks between them left out.
fn number_before(text: &str, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?.trim_end();
    let is_part = |sign: char| sign.is_ascii_digit() || matches!(sign, '.' | ',');
    let number = before.trim_end_matches(is_part);
    (number.len() < before.len()).then_some(number.len()..before.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_before_their_unit() {
        assert_eq!(per_cent("年化 4.5% 起"), Some(7..11));
        assert_eq!(per_cent("百分之 % 没有数"), None);
        assert_eq!(
            yuan("满 1,000 元减30元，美元除外").into_iter().map(|(_, much)| much).collect::<Vec<_>>(),
            [1000, 30]
        );
    }
}
