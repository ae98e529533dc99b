//! A channel's rate, exactly: never more than `count` dispatches in any window of `per_ms` of domain time.
//!
//! Kept as the instants of the newest dispatches with how many there were, and written with each batch, so that a
//! restart does not begin a fresh window.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::program::Rate;

/// Instants kept apart; more are merged into the later one, which errs on the slow side.
const MOST_MARKS: usize = 256;
/// So long dispatches are kept that count no more: another worker may look with an older clock.
pub(super) const KEPT_MS: i64 = 60_000;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// (millisecond, dispatches), oldest first.
    marks: VecDeque<(i64, u32)>,
    /// The first so many count no more, as of the last look; and how many the others are.
    over: usize,
    used: u32,
}

impl Window {
    /// How many may go now.
    pub(super) fn room(&mut self, rate: Rate, now: Timestamp) -> u32 {
        self.look(rate, now.as_millisecond());
        rate.count.saturating_sub(self.used)
    }

    /// Counts dispatches that happen now.
    pub(super) fn take(&mut self, count: u32, now: Timestamp) {
        let now = now.as_millisecond();
        self.used = self.used.saturating_add(count);
        match self.marks.back_mut() {
            Some((at, n)) if *at >= now => *n = n.saturating_add(count),
            _ => self.marks.push_back((now, count)),
        }
        if self.marks.len() > MOST_MARKS {
            self.merge();
        }
    }

    /// When there is room again; `None` if there is room now.
    pub(super) fn next_room(&self, rate: Rate) -> Option<Timestamp> {
        if self.used < rate.count {
            return None;
        }
        let (oldest, _) = self.marks.get(self.over)?;
        Timestamp::from_millisecond(oldest.saturating_add(i64::from(rate.per_ms))).ok()
    }

    /// As kept in the store: `millisecond:count …`
    pub(super) fn to_text(&self) -> String {
        let marks: Vec<String> = self.marks.iter().map(|(at, count)| format!("{at}:{count}")).collect();
        marks.join(" ")
    }

    /// The inverse of [`Window::to_text`]; what cannot be read is left out.
    pub(super) fn parse(text: &str) -> Self {
        let mark = |mark: &str| {
            let (at, count) = mark.split_once(':')?;
            Some((at.parse().ok()?, count.parse().ok()?))
        };
        let marks: VecDeque<(i64, u32)> = text.split(' ').filter_map(mark).collect();
        let used = marks.iter().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
        Self { marks, over: 0, used }
    }

    /// A dispatch at `t` leaves the window that begins just after it: at `t + per_ms` it counts no more.
    fn look(&mut self, rate: Rate, now: i64) {
        let kept = if self.marks.len() > MOST_MARKS / 2 { 0 } else { KEPT_MS };
        let is_over = |at: i64, now: i64| at.saturating_add(i64::from(rate.per_ms)) <= now;
        let gone = self.marks.iter().take_while(|(at, _)| is_over(*at, now.saturating_sub(kept))).count();
        self.marks.drain(..gone);
        self.over = self.marks.iter().take_while(|(at, _)| is_over(*at, now)).count();
        self.used = self.marks.iter().skip(self.over).fold(0, |sum, (_, count)| sum.saturating_add(*count));
    }

    fn merge(&mut self) {
        let marks: Vec<(i64, u32)> = self.marks.iter().copied().collect();
        let merged = marks.chunks(2).filter_map(|pair| {
            let (at, _) = pair.last()?;
            Some((*at, pair.iter().map(|(_, count)| count).sum()))
        });
        self.marks = merged.collect();
        // Until the next look all of them count.
        self.over = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Who stood still between looking at the clock and asking would find the window emptied by those who went on.
    #[test]
    fn who_looks_with_an_older_clock_finds_what_counted_then() {
        let rate = Rate { count: 2, per_ms: 60_000 };
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut window = Window::default();
        window.take(2, at(100));
        let mut of_another = Window::parse(&window.to_text());
        assert_eq!(of_another.room(rate, at(161)), 2);
        of_another.take(1, at(161));
        let mut own = Window::parse(&of_another.to_text());
        assert_eq!(own.room(rate, at(131)), 0);
        assert_eq!(own.next_room(rate), Some(at(160)));
        assert_eq!(own.room(rate, at(300)), 2);
        assert_eq!(own.to_text(), "", "what nobody asks for is forgotten");
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_rate(
            count in 1_u32..20,
            per_ms in 1_u32..5_000,
            tries in prop::collection::vec((0_i64..2_000, 1_u32..30, any::<bool>()), 1..400),
        ) {
            let rate = Rate { count, per_ms };
            let (mut window, mut now, mut sent) = (Window::default(), 0_i64, Vec::new());
            for (pause, wanted, restart) in tries {
                now += pause;
                let at = Timestamp::from_millisecond(now).unwrap();
                if restart {
                    window = Window::parse(&window.to_text());
                }
                let going = wanted.min(window.room(rate, at));
                if going > 0 {
                    window.take(going, at);
                    sent.extend(std::iter::repeat_n(now, going as usize));
                } else {
                    let next = window.next_room(rate).unwrap().as_millisecond();
                    prop_assert!(next > now && next <= now + i64::from(per_ms));
                }
            }
            for (index, first) in sent.iter().enumerate() {
                let inside = sent[index..].iter().take_while(|at| **at < first + i64::from(per_ms));
                prop_assert!(inside.count() <= count as usize);
            }
        }
    }
}
