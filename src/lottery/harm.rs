//! What a change of published terms takes from whoever takes part: fewer or smaller prizes, worse odds, less time.

use super::Terms;
use crate::program::Opening;
use crate::program::value::{Limit, Prize};
use crate::value::Length;

/// The first thing that is worse in the new terms, in words; `None`: everybody is at least as well off as before.
#[must_use]
pub fn harm(old: &Terms, new: &Terms) -> Option<String> {
    if old.subject != new.subject {
        return Some(format!("it is of `{}`, not of `{}`", new.subject, old.subject));
    }
    if !is_open_as_long(old.open.as_ref(), new.open.as_ref()) {
        return Some("it is not open whenever it was to be".to_owned());
    }
    if is_shorter(new.keep, old.keep) {
        return Some("chances end earlier".to_owned());
    }
    let allows = |limit: &Limit| old.limits.iter().any(|known| is_as_tight(known, limit));
    if !new.limits.iter().all(allows) {
        return Some("somebody may have fewer chances".to_owned());
    }
    old.prizes.iter().find_map(|prize| {
        let worse = match new.prize(prize.name.as_str()) {
            None => "is gone".to_owned(),
            Some(now) => worse(prize, now)?.to_owned(),
        };
        Some(format!("`{}` {worse}", prize.name))
    })
}

fn worse(old: &Prize, new: &Prize) -> Option<&'static str> {
    let share = |prize: &Prize, other: &Prize| u64::from(prize.odds.0) * u64::from(other.odds.1);
    if share(new, old) < share(old, new) {
        return Some("is won less often");
    }
    let fewer = match (old.count, new.count) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(old), Some(new)) => new < old,
    };
    if fewer {
        return Some("can be won fewer times");
    }
    let smaller = match (old.value, new.value) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old), Some(new)) => old.currency != new.currency || new.minor < old.minor,
    };
    if smaller {
        return Some("is worth less, or something else");
    }
    if old.gives != new.gives {
        return Some("gives something else");
    }
    let pays = |prize: &Prize| prize.tax.is_some_and(|tax| tax.as_str() == "paid");
    (pays(old) && !pays(new)).then_some("is taxed")
}

fn is_open_as_long(old: Option<&Opening>, new: Option<&Opening>) -> bool {
    match (old, new) {
        (_, None) => true,
        (Some(Opening::Days(first, last)), Some(Opening::Days(from, to))) => from <= first && to >= last,
        (Some(old), Some(new)) => old == new,
        (None, Some(_)) => false,
    }
}

/// What has no length has no end. Lengths that cannot be told apart by their longest are taken to be as they are written.
fn is_shorter(new: Option<Length>, old: Option<Length>) -> bool {
    match (new, old) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(new), Some(old)) => new != old && new.at_most_ms() <= old.at_most_ms(),
    }
}

/// Whether `known` leaves nobody more than `limit` does.
fn is_as_tight(known: &Limit, limit: &Limit) -> bool {
    (known.period, known.of_amount) == (limit.period, limit.of_amount) && known.most <= limit.most
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::name::Name;
    use crate::program::value::Period;
    use crate::value::{Currency, Money};

    fn prize(name: &str, odds: (u32, u32)) -> Prize {
        let value = Some(Money { minor: 500, currency: Currency::parse("CNY").unwrap() });
        Prize { name: Name::new(name), label: None, value, count: Some(50), odds, gives: None, tax: None }
    }

    fn terms() -> Terms {
        Terms {
            lottery: Name::new("weekly"),
            subject: Name::new("customer"),
            open: Some(Opening::Days(date(2027, 1, 1), date(2027, 3, 31))),
            keep: Some(Length::Elapsed(1_000)),
            limits: vec![Limit { most: 1, of_amount: false, period: Period::Week, partial: false }],
            rules: None,
            prizes: vec![prize("coupon", (1, 5)), prize("box", (1, 200))],
        }
    }

    fn told(change: impl Fn(&mut Terms)) -> Option<String> {
        let mut new = terms();
        change(&mut new);
        harm(&terms(), &new)
    }

    #[test]
    fn what_takes_from_somebody_is_named() {
        assert_eq!(told(|new| new.prizes[1].odds = (1, 201)).unwrap(), "`box` is won less often");
        assert_eq!(told(|new| new.prizes[0].count = Some(49)).unwrap(), "`coupon` can be won fewer times");
        assert_eq!(
            told(|new| new.prizes[0].value = None).unwrap(),
            "`coupon` is worth less, or something else"
        );
        assert_eq!(told(|new| _ = new.prizes.remove(0)).unwrap(), "`coupon` is gone");
        assert_eq!(
            told(|new| new.limits.push(Limit { period: Period::Ever, ..new.limits[0] })).unwrap(),
            "somebody may have fewer chances"
        );
        assert_eq!(told(|new| new.keep = Some(Length::Elapsed(999))).unwrap(), "chances end earlier");
        let shorter = Some(Opening::Days(date(2027, 1, 1), date(2027, 3, 30)));
        assert!(told(|new| new.open.clone_from(&shorter)).unwrap().starts_with("it is not open"));
        assert!(told(|new| new.subject = Name::new("branch")).unwrap().contains("`branch`"));
    }

    #[test]
    fn what_gives_more_or_only_moves_words_harms_nobody() {
        assert_eq!(told(|_| ()), None);
        assert_eq!(told(|new| new.prizes.push(prize("car", (1, 100_000)))), None);
        assert_eq!(told(|new| new.prizes[1].odds = (2, 400)), None);
        assert_eq!(told(|new| new.prizes[1].odds = (1, 100)), None);
        assert_eq!(told(|new| new.prizes[0].count = None), None);
        assert_eq!(told(|new| new.open = None), None);
        assert_eq!(told(|new| (new.keep, new.limits) = (None, Vec::new())), None);
        let longer = Some(Opening::Days(date(2026, 12, 1), date(2027, 4, 30)));
        assert_eq!(told(|new| new.open.clone_from(&longer)), None);
    }
}
