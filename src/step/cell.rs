//! Cells: every subject falls into one of 10,000, by a salt of its own for each experiment and holdout, so that
//! experiments do not depend on each other.

/// The cell of `unit`: 0 to 9,999. Stable for ever: FNV-1a over salt, a zero byte and the unit, then mixed, so that
/// ids in a row do not fall into cells in a row.
pub(super) fn cell(salt: &str, unit: &str) -> u16 {
    let bytes = salt.bytes().chain([0]).chain(unit.bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^= hash >> 33;
    u16::try_from(hash % 10_000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_even_and_salts_are_independent() {
        let ids: Vec<String> = (0..20_000).map(|id| format!("c{id:08}")).collect();
        let low = |salt: &str| ids.iter().filter(|id| cell(salt, id) < 5_000).count();
        assert!((9_700..10_300).contains(&low("etc_copy")), "{}", low("etc_copy"));
        let both = ids.iter().filter(|id| cell("etc_copy", id) < 5_000 && cell("holdout/care", id) < 5_000);
        let both = both.count();
        assert!((4_700..5_300).contains(&both), "{both}");
    }

    #[test]
    fn a_cell_never_changes() {
        assert_eq!(cell("etc_copy", "c00000001"), cell("etc_copy", "c00000001"));
        assert_ne!(cell("etc_copy", "c00000001"), cell("other", "c00000001"));
    }
}
