//! Chance with a seed that is printed, so that a failure can be looked at again.

/// A generator of the `SplitMix64` kind.
pub(crate) struct Chance(u64);

impl Chance {
    /// From the environment variable `name`; a new seed every time where that is not set.
    pub(crate) fn new(name: &str) -> Self {
        let given = std::env::var(name).ok().and_then(|seed| seed.parse().ok());
        let now = wayfare::engine::clock::wall().as_nanosecond();
        let seed = given.unwrap_or_else(|| u64::try_from(now % i128::from(u64::MAX)).unwrap());
        println!("{name}={seed}");
        Self(seed)
    }

    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

impl Chance {
    /// True `times` times of a hundred.
    pub(crate) fn percent(&mut self, times: u64) -> bool {
        self.below(100) < times
    }

    /// A place in something of `length`, which is not empty.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.place(of.len())]
    }
}
