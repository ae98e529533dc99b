//! What one customer has been given: counted by day and by opening for limits, and in lots that expire for what can
//! be spent (points, chances). Days are those of the bank.

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::symbols::Sym;
use super::wire;
use crate::program::value::Period;

/// Days that are kept one by one: the longest stretch a limit counts.
const MAX_DAYS: usize = 366;
/// Lots of different end that are kept; the two that end last become one.
const MAX_LOTS: usize = 400;

/// Points or chances that end together: until when, and how many.
pub type Lot = (Option<Timestamp>, i64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Account {
    pub what: Sym,
    /// Pieces and amount, ever.
    pub total: (u32, i64),
    /// The same by day, oldest first, where there was any. At most [`MAX_DAYS`].
    pub days: Vec<(Date, u32, i64)>,
    /// The same in the newest opening, which began then.
    #[serde(with = "wire")]
    pub opening: Option<(Timestamp, u32, i64)>,
    /// What can be spent, by its end. At most [`MAX_LOTS`].
    #[serde(with = "wire")]
    pub lots: Vec<Lot>,
}

/// One gift as the account counts it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub day: Date,
    #[serde(with = "wire")]
    pub opening: Option<Timestamp>,
    pub amount: i64,
}

impl Account {
    #[must_use]
    pub fn new(what: Sym) -> Self {
        Self { what, total: (0, 0), days: Vec::new(), opening: None, lots: Vec::new() }
    }

    /// Pieces and amount in the period that `now` (a gift of no amount) would fall into.
    #[must_use]
    pub fn used(&self, period: Period, now: &Entry) -> (u32, i64) {
        let Some(from) = first_day(period, now.day) else {
            return match (period, self.opening) {
                (Period::Opening, Some((began, pieces, amount))) if Some(began) == now.opening => {
                    (pieces, amount)
                }
                (Period::Opening, _) => (0, 0),
                _ => self.total,
            };
        };
        let days = self.days.iter().filter(|(day, ..)| (from..=now.day).contains(day));
        days.fold((0, 0), |(pieces, amount), (_, more, of)| (pieces + more, amount.saturating_add(*of)))
    }

    /// Counts a gift.
    pub fn add(&mut self, entry: &Entry) {
        self.total = (self.total.0.saturating_add(1), self.total.1.saturating_add(entry.amount));
        if let Some((_, pieces, amount)) = self.days.iter_mut().find(|(day, ..)| *day == entry.day) {
            (*pieces, *amount) = (pieces.saturating_add(1), amount.saturating_add(entry.amount));
        } else {
            let at = self.days.partition_point(|(day, ..)| *day < entry.day);
            self.days.insert(at, (entry.day, 1, entry.amount));
            if self.days.len() > MAX_DAYS {
                self.days.remove(0);
            }
        }
        let Some(began) = entry.opening else { return };
        match &mut self.opening {
            Some((known, pieces, amount)) if *known == began => {
                (*pieces, *amount) = (pieces.saturating_add(1), amount.saturating_add(entry.amount));
            }
            Some((known, ..)) if *known > began => {}
            _ => self.opening = Some((began, 1, entry.amount)),
        }
    }

    /// Adds what another subject was given, which is the same as this one: limits count both.
    pub fn fold(&mut self, other: Self, now: Timestamp) {
        self.total = (self.total.0.saturating_add(other.total.0), self.total.1.saturating_add(other.total.1));
        for (day, pieces, amount) in other.days {
            match self.days.iter_mut().find(|(known, ..)| *known == day) {
                Some((_, known, of)) => {
                    (*known, *of) = (known.saturating_add(pieces), of.saturating_add(amount));
                }
                None => self.days.push((day, pieces, amount)),
            }
        }
        self.days.sort_by_key(|(day, ..)| *day);
        let over = self.days.len().saturating_sub(MAX_DAYS);
        self.days.drain(..over);
        self.opening = match (self.opening, other.opening) {
            (Some((one, a, b)), Some((same, c, d))) if one == same => {
                Some((one, a.saturating_add(c), b.saturating_add(d)))
            }
            (one, same) => one.max(same),
        };
        other.lots.into_iter().for_each(|lot| self.put(lot, now));
    }

    /// Takes a gift back that came to nothing.
    pub fn remove(&mut self, entry: &Entry) {
        let less = |pieces: &mut u32, amount: &mut i64| {
            (*pieces, *amount) = (pieces.saturating_sub(1), amount.saturating_sub(entry.amount));
        };
        less(&mut self.total.0, &mut self.total.1);
        if let Some((_, pieces, amount)) = self.days.iter_mut().find(|(day, ..)| *day == entry.day) {
            less(pieces, amount);
        }
        if let Some((began, pieces, amount)) = &mut self.opening
            && Some(*began) == entry.opening
        {
            less(pieces, amount);
        }
    }

    /// What can be spent at `now`.
    #[must_use]
    pub fn balance(&self, now: Timestamp) -> i64 {
        self.lots.iter().filter(|lot| is_good(lot, now)).map(|(_, count)| count).sum()
    }

    /// Adds to what can be spent.
    pub fn put(&mut self, (until, count): Lot, now: Timestamp) {
        self.lots.retain(|lot| is_good(lot, now));
        let end = |until: Option<Timestamp>| until.unwrap_or(Timestamp::MAX);
        let at = self.lots.partition_point(|(known, _)| end(*known) < end(until));
        match self.lots.get_mut(at).filter(|(known, _)| *known == until) {
            Some((_, known)) => *known = known.saturating_add(count),
            None => self.lots.insert(at, (until, count)),
        }
        if self.lots.len() > MAX_LOTS
            && let Some((_, count)) = self.lots.pop()
            && let Some((_, last)) = self.lots.last_mut()
        {
            *last = last.saturating_add(count);
        }
    }

    /// Takes `count` of what can be spent, what ends first first; `None` if there are not so many.
    pub fn take(&mut self, count: i64, now: Timestamp) -> Option<Vec<Lot>> {
        if count <= 0 || self.balance(now) < count {
            return None;
        }
        let mut left = count;
        let mut taken = Vec::new();
        for lot in self.lots.iter_mut().filter(|lot| is_good(lot, now)) {
            let from_this = lot.1.min(left);
            if from_this > 0 {
                lot.1 -= from_this;
                left -= from_this;
                taken.push((lot.0, from_this));
            }
        }
        self.lots.retain(|(_, count)| *count > 0);
        Some(taken)
    }
}

fn is_good((until, _): &Lot, now: Timestamp) -> bool {
    until.is_none_or(|until| now < until)
}

/// The first day of a period of days that holds `today`.
fn first_day(period: Period, today: Date) -> Option<Date> {
    Some(match period {
        Period::Ever | Period::Opening => return None,
        Period::Day => today,
        Period::Week => {
            let since_monday = i64::from(today.weekday().to_monday_zero_offset());
            today.saturating_sub(Span::new().days(since_monday))
        }
        Period::Month => today.first_of_month(),
        Period::Year => today.first_of_year(),
        Period::Rolling(days) => today.saturating_sub(Span::new().days(i64::from(days.max(1)) - 1)),
    })
}

/// The period as part of the name of a shared account: its first day, or its opening.
pub(super) fn period_key(period: Period, now: &Entry) -> String {
    match (period, first_day(period, now.day), now.opening) {
        (_, Some(day), _) => format!("/{day}"),
        (Period::Opening, _, Some(began)) => format!("/{began}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn entry(day: Date, amount: i64) -> Entry {
        Entry { day, opening: None, amount }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn limits_count_calendar_time() {
        let mut account = Account::new(Sym(0));
        // A Monday, the day before it, and the last day of the month before.
        for day in [date(2026, 11, 30), date(2026, 12, 6), date(2026, 12, 7)] {
            account.add(&entry(day, 5));
        }
        let now = entry(date(2026, 12, 7), 0);
        assert_eq!(account.used(Period::Day, &now), (1, 5));
        assert_eq!(account.used(Period::Week, &now), (1, 5));
        assert_eq!(account.used(Period::Month, &now), (2, 10));
        assert_eq!(account.used(Period::Rolling(2), &now), (2, 10));
        assert_eq!(account.used(Period::Ever, &now), (3, 15));
        account.remove(&entry(date(2026, 12, 7), 5));
        assert_eq!(account.used(Period::Day, &now), (0, 0));
        assert_eq!(account.used(Period::Ever, &now), (2, 10));
    }

    #[test]
    fn an_opening_counts_by_itself() {
        let mut account = Account::new(Sym(0));
        let first = Entry { opening: Some(at(100)), ..entry(date(2026, 12, 4), 1) };
        let second = Entry { opening: Some(at(900)), ..first };
        account.add(&first);
        assert_eq!(account.used(Period::Opening, &first), (1, 1));
        assert_eq!(account.used(Period::Opening, &second), (0, 0));
        account.add(&second);
        assert_eq!(account.used(Period::Opening, &second), (1, 1));
    }

    #[test]
    fn what_ends_first_is_spent_first_and_what_has_ended_is_not_there() {
        let mut account = Account::new(Sym(0));
        account.put((None, 10), at(0));
        account.put((Some(at(50)), 5), at(0));
        account.put((Some(at(20)), 3), at(0));
        account.put((Some(at(50)), 1), at(0));
        assert_eq!(account.balance(at(0)), 19);
        assert_eq!(account.balance(at(20)), 16);
        assert_eq!(account.take(20, at(0)), None);
        assert_eq!(account.take(8, at(10)), Some(vec![(Some(at(20)), 3), (Some(at(50)), 5)]));
        assert_eq!(account.lots, [(Some(at(50)), 1), (None, 10)]);
        assert_eq!(account.balance(at(60)), 10);
    }
}
