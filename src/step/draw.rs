//! Chance that can be repeated: a number from a seed and a key, the same whenever it is asked for again.

use ring::hmac;

use crate::program::value::Prize;

/// The prize that `key` draws, if any. HMAC-SHA-256 of the key under the seed; its first eight bytes are a number
/// that is equally often anywhere, and each prize owns a stretch as long as its odds.
pub(super) fn prize<'p>(seed: &[u8; 32], key: &str, prizes: &'p [Prize]) -> Option<&'p Prize> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, seed), key.as_bytes());
    let bytes: [u8; 8] = tag.as_ref().get(..8)?.try_into().ok()?;
    let drawn = u128::from(u64::from_be_bytes(bytes));
    let mut end = 0u128;
    prizes.iter().find(|prize| {
        let (wins, of) = prize.odds;
        end += (u128::from(wins) << 64) / u128::from(of.max(1));
        drawn < end
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    fn prize_of(name: &str, odds: (u32, u32)) -> Prize {
        Prize { name: Name::new(name), label: None, value: None, count: None, odds, gives: None, tax: None }
    }

    #[test]
    fn each_prize_is_won_about_as_often_as_its_odds_say() {
        let prizes = [prize_of("often", (1, 4)), prize_of("seldom", (1, 50))];
        let won = |name: &str| {
            let of = |key: &u32| {
                prize(&[7; 32], &key.to_string(), &prizes).map(|prize| prize.name.as_str()) == Some(name)
            };
            (0..10_000u32).filter(of).count()
        };
        // Five standard deviations.
        assert!((2_283..=2_717).contains(&won("often")), "{}", won("often"));
        assert!((130..=270).contains(&won("seldom")), "{}", won("seldom"));
    }

    #[test]
    fn the_same_key_always_draws_the_same_and_another_seed_draws_anew() {
        let prizes = [prize_of("half", (1, 2))];
        let drawn = |seed: u8| {
            (0..64).map(|key| prize(&[seed; 32], &key.to_string(), &prizes).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn a_certain_prize_is_always_won() {
        let prizes = [prize_of("sure", (1, 1))];
        assert!((0..100).all(|key| prize(&[0; 32], &key.to_string(), &prizes).is_some()));
    }
}
