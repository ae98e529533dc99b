//! The sharding key: which of 4096 buckets a root subject belongs to. Never changed, never computed in SQL.
//!
//! The hash is that of Kafka's default partitioner before its modulo, so a topic keyed by customer with 2^k
//! partitions lines up with buckets. Nothing may rely on it.

/// How many buckets there are.
pub const COUNT: u16 = 4096;

/// The bucket of a root subject. Customers hash by their id alone; other entities by `entity:id`.
#[must_use]
pub fn of(entity: &str, id: &str) -> u16 {
    let hash = if entity == "customer" {
        murmur2(id.as_bytes())
    } else {
        murmur2(format!("{entity}:{id}").as_bytes())
    };
    u16::try_from((hash & 0x7fff_ffff) % u32::from(COUNT)).unwrap_or_default()
}

/// 32-bit murmur2 as Kafka computes it (its seed; little-endian words).
#[must_use]
pub fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut h = SEED ^ length;
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        h = h.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |word: u32, &byte| (word << 8) | u32::from(byte));
        h = (h ^ tail).wrapping_mul(M);
    }
    h = (h ^ (h >> 13)).wrapping_mul(M);
    h ^ (h >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_is_kafkas() {
        // The vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2.
        let vectors: [(&str, i32); 7] = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
            ("", 275_646_681),
        ];
        for (text, expected) in vectors {
            assert_eq!(murmur2(text.as_bytes()), expected.cast_unsigned(), "{text:?}");
        }
    }

    #[test]
    fn other_entities_hash_with_their_kind() {
        assert!(of("customer", "c1") < COUNT);
        assert_ne!(of("customer", "c1"), of("branch", "c1"));
        assert_eq!(of("branch", "c1"), of("customer", "branch:c1"));
    }

    #[test]
    fn buckets_are_used_evenly() {
        let mut counts = vec![0_u32; usize::from(COUNT)];
        for n in 0..409_600 {
            counts[usize::from(of("customer", &format!("c{n}")))] += 1;
        }
        assert!(counts.iter().all(|&count| (50..160).contains(&count)), "{:?}", counts.iter().max());
    }
}
