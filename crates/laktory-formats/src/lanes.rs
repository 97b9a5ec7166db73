//! Texts by 64 bytes at once: where a byte is, as a mask of bits. Processors that have wide vectors are asked for them when
//! a text is looked at, so that one program runs on all of them.
//!
//! A look at every byte of a file must cost next to nothing beside its parser: without vectors it costs three times as much.

/// Bytes of a block, for each of which a mask has a bit.
pub(crate) const BLOCK: usize = 64;

/// Finds bytes in blocks.
pub(crate) trait Lanes: Copy {
    /// A block in the lanes.
    type Block: Copy;

    /// What blocks have, taken together.
    type Any: Copy + Default;

    /// Loads a block.
    fn load(self, block: &[u8; BLOCK]) -> Self::Block;

    /// Where a byte is in a block: the first byte has the lowest bit.
    fn find(self, block: Self::Block, byte: u8) -> u64;

    /// Adds whether a block has one of two bytes, or one that is not ASCII.
    fn add(self, any: Self::Any, block: Self::Block, bytes: [u8; 2]) -> Self::Any;

    /// Whether one of the blocks has one.
    fn has(self, any: Self::Any) -> bool;

    /// For each bit, whether an odd number of bits is set up to it.
    #[inline(always)]
    fn parity(self, mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }

    /// The bits of `mask` that `of` has, which holds all of them, one beside the other: the lowest bit tells of the lowest
    /// one that `of` has.
    #[inline(always)]
    fn gather(self, mut mask: u64, of: u64) -> u64 {
        let mut gathered = 0;
        while mask != 0 {
            let before = (mask & mask.wrapping_neg()) - 1;
            gathered |= 1 << (of & before).count_ones();
            mask &= mask - 1;
        }
        gathered
    }
}

/// What is done with the lanes of the processor. Implementations of `run` and of what it calls are `#[inline(always)]`, so
/// that they are compiled for each kind of lanes.
pub(crate) trait Work {
    /// What it gives.
    type Out;

    /// Does it.
    fn run<L: Lanes>(self, lanes: L) -> Self::Out;
}

/// Does the work with the widest lanes that the processor has.
#[inline]
pub(crate) fn run<W: Work>(work: W) -> W::Out {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = wide::Wide::detect() {
        return lanes.run(work);
    }
    work.run(Plain)
}

/// Lanes that every processor has.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl Lanes for Plain {
    type Block = [u8; BLOCK];
    type Any = u8;

    #[inline(always)]
    fn add(self, any: u8, block: [u8; BLOCK], bytes: [u8; 2]) -> u8 {
        block.iter().fold(any, |any, found| {
            let is_one = u8::from(*found == bytes[0] || *found == bytes[1]);
            any | is_one << 7 | *found
        })
    }

    #[inline(always)]
    fn has(self, any: u8) -> bool {
        any >> 7 == 1
    }

    #[inline(always)]
    fn load(self, block: &[u8; BLOCK]) -> [u8; BLOCK] {
        *block
    }

    /// Written so that the comparison is one of vectors, whose bytes a product gathers.
    #[inline(always)]
    fn find(self, block: [u8; BLOCK], byte: u8) -> u64 {
        let mut equal = [0_u8; BLOCK];
        for (equal, found) in equal.iter_mut().zip(block) {
            *equal = u8::from(found == byte);
        }
        let mut mask = 0;
        for (at, eight) in equal.as_chunks::<8>().0.iter().enumerate() {
            let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            mask |= bits << (8 * at);
        }
        mask
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(
    unsafe_code,
    reason = "functions for a kind of processor are called once it is known to be there"
)]
mod wide {
    use std::arch::x86_64::{
        __m256i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8,
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8, _pext_u64,
    };

    use super::{BLOCK, Lanes, Work};

    /// Lanes of AVX2. There is one only where the processor has them.
    #[derive(Clone, Copy)]
    pub(super) struct Wide(());

    /// The highest bits of bytes.
    #[derive(Clone, Copy)]
    pub(super) struct Any(__m256i);

    impl Default for Any {
        #[inline(always)]
        fn default() -> Self {
            // SAFETY: all bits may be 0.
            Self(unsafe { std::mem::zeroed() })
        }
    }

    impl Wide {
        /// The lanes, if the processor has them.
        #[inline]
        pub(super) fn detect() -> Option<Self> {
            let there = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("pclmulqdq")
                && is_x86_feature_detected!("popcnt");
            there.then_some(Self(()))
        }

        /// Does the work, compiled for this kind of processor.
        #[inline]
        pub(super) fn run<W: Work>(self, work: W) -> W::Out {
            // SAFETY: `detect` found all features that the function is compiled for.
            unsafe { compiled(self, work) }
        }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,pclmulqdq,popcnt")]
    fn compiled<W: Work>(lanes: Wide, work: W) -> W::Out {
        work.run(lanes)
    }

    impl Lanes for Wide {
        type Block = [__m256i; 2];
        type Any = Any;

        #[inline(always)]
        fn add(self, any: Any, block: [__m256i; 2], bytes: [u8; 2]) -> Any {
            // SAFETY: `detect` found the features that these functions take.
            unsafe {
                let first = _mm256_set1_epi8(bytes[0].cast_signed());
                let second = _mm256_set1_epi8(bytes[1].cast_signed());
                let low = _mm256_or_si256(
                    _mm256_cmpeq_epi8(block[0], first),
                    _mm256_cmpeq_epi8(block[0], second),
                );
                let high = _mm256_or_si256(
                    _mm256_cmpeq_epi8(block[1], first),
                    _mm256_cmpeq_epi8(block[1], second),
                );
                // The highest bit of each byte is that of what is no ASCII as well.
                let low = _mm256_or_si256(low, block[0]);
                let high = _mm256_or_si256(high, block[1]);
                Any(_mm256_or_si256(any.0, _mm256_or_si256(low, high)))
            }
        }

        #[inline(always)]
        fn has(self, any: Any) -> bool {
            // SAFETY: `detect` found the feature that this function takes.
            unsafe { _mm256_movemask_epi8(any.0) != 0 }
        }

        #[inline(always)]
        fn load(self, block: &[u8; BLOCK]) -> [__m256i; 2] {
            let (low, high) = block.split_at(BLOCK / 2);
            // SAFETY: both halves have the 32 bytes that are loaded; `detect` found the feature.
            unsafe {
                [
                    _mm256_loadu_si256(low.as_ptr().cast()),
                    _mm256_loadu_si256(high.as_ptr().cast()),
                ]
            }
        }

        #[inline(always)]
        fn parity(self, bits: u64) -> u64 {
            // SAFETY: `detect` found the features that these functions take.
            unsafe {
                let bits = _mm_cvtsi64_si128(bits.cast_signed());
                let product = _mm_clmulepi64_si128::<0>(bits, _mm_set1_epi8(-1));
                _mm_cvtsi128_si64(product).cast_unsigned()
            }
        }

        #[inline(always)]
        fn gather(self, mask: u64, of: u64) -> u64 {
            // SAFETY: `detect` found the feature that this function takes.
            unsafe { _pext_u64(mask, of) }
        }

        #[inline(always)]
        fn find(self, block: [__m256i; 2], byte: u8) -> u64 {
            // SAFETY: `detect` found the features that these functions take.
            unsafe {
                let wanted = _mm256_set1_epi8(byte.cast_signed());
                let low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(block[0], wanted));
                let high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(block[1], wanted));
                u64::from(low.cast_unsigned()) | u64::from(high.cast_unsigned()) << 32
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Find<'a>(&'a [u8; BLOCK], u8);

    impl Work for Find<'_> {
        type Out = u64;

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> u64 {
            lanes.find(lanes.load(self.0), self.1)
        }
    }

    proptest! {
        #[test]
        fn bytes_are_found_where_they_are(block in proptest::array::uniform32(0_u8..4), byte in 0_u8..5) {
            let block: [u8; BLOCK] = std::array::from_fn(|at| block[at % 32] ^ u8::from(at > 40));
            let wanted = (0..BLOCK).fold(0, |mask, at| mask | u64::from(block[at] == byte) << at);
            prop_assert_eq!(run(Find(&block, byte)), wanted);
            prop_assert_eq!(Plain.find(block, byte), wanted);
        }
    }

    struct Has<'a>(&'a [u8; BLOCK], [u8; 2]);

    impl Work for Has<'_> {
        type Out = bool;

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> bool {
            let any = lanes.add(L::Any::default(), lanes.load(self.0), self.1);
            lanes.has(lanes.add(any, lanes.load(&[b'a'; BLOCK]), self.1))
        }
    }

    proptest! {
        #[test]
        fn bytes_and_what_is_no_ascii_are_seen(at in 0..BLOCK, byte in any::<u8>()) {
            let mut block = [b'x'; BLOCK];
            block[at] = byte;
            let wanted = byte == b'"' || byte == b'\r' || byte >= 0x80;
            prop_assert_eq!(run(Has(&block, *b"\"\r")), wanted);
            prop_assert_eq!(Has(&block, *b"\"\r").run(Plain), wanted);
        }
    }

    struct Gather(u64, u64);

    impl Work for Gather {
        type Out = u64;

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> u64 {
            lanes.gather(self.0, self.1)
        }
    }

    proptest! {
        #[test]
        fn bits_are_gathered_in_their_order(of in any::<u64>(), some in any::<u64>()) {
            let mask = of & some;
            let (mut wanted, mut place) = (0, 0);
            for bit in (0..64).map(|at| 1_u64 << at).filter(|bit| of & bit != 0) {
                wanted |= u64::from(mask & bit != 0) << place;
                place += 1;
            }
            prop_assert_eq!(run(Gather(mask, of)), wanted);
            prop_assert_eq!(Plain.gather(mask, of), wanted);
        }
    }

    struct Parity(u64);

    impl Work for Parity {
        type Out = u64;

        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> u64 {
            lanes.parity(self.0)
        }
    }

    proptest! {
        #[test]
        fn parity_counts_the_bits_up_to_each(bits in any::<u64>()) {
            let wanted = (0..64).fold(0, |mask, at| {
                let odd = (bits << (63 - at)).count_ones() % 2 == 1;
                mask | u64::from(odd) << at
            });
            prop_assert_eq!(run(Parity(bits)), wanted);
            prop_assert_eq!(Plain.parity(bits), wanted);
        }
    }
}
