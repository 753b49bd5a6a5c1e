//! Where two folded texts are equal: the runs of one that stand in the other, found by shingles.
//!
//! A text is looked through once, whatever it holds: a shingle that is frequent in the other text is tried at a few of
//! its places only, and the search goes on behind the longest run.

use std::collections::HashMap;

/// Places of one shingle that are tried.
const MAX_SAME: usize = 4;
/// Base of the rolling hash: odd, without a pattern of its own.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// A run that both texts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// Where it begins in the text that is looked through, in letters.
    pub(super) start: usize,
    /// Where it begins in the needle, in letters.
    pub(super) needle: usize,
    /// Its length in letters.
    pub(super) len: usize,
}

/// The text that is looked for.
#[derive(Debug)]
pub(super) struct Needle<'a> {
    pub(super) letters: &'a [char],
    shingle: usize,
    /// The base to the power of the shingle's length.
    top: u64,
    places: HashMap<u64, Vec<u32>>,
    /// A bit for each hash, cut short: most shingles are told to be absent by one look.
    seen: Vec<u64>,
}

impl<'a> Needle<'a> {
    /// A needle that is looked for by shingles of `shingle` letters, at least 1.
    pub(super) fn new(letters: &'a [char], shingle: usize) -> Self {
        let shingle = shingle.max(1);
        let bits = (letters.len() * 16).next_power_of_two().max(64);
        let top = (0..shingle).fold(1_u64, |power, _| power.wrapping_mul(BASE));
        let mut needle = Self { letters, shingle, top, places: HashMap::new(), seen: vec![0; bits / 64] };
        let mut at = 0;
        while let Some(window) = letters.get(at..at + shingle) {
            // The needle is short, so that each window may be hashed anew.
            let hash = hash(window);
            let places = needle.places.entry(hash).or_default();
            if places.len() < MAX_SAME {
                places.push(u32::try_from(at).unwrap_or(u32::MAX));
            }
            let (word, bit) = needle.bit(hash);
            needle.seen[word] |= bit;
            at += 1;
        }
        needle
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
    fn bit(&self, hash: u64) -> (usize, u64) {
        let mixed = hash ^ (hash >> 32);
        ((mixed >> 6) as usize & (self.seen.len() - 1), 1 << (mixed & 63))
    }

    /// The runs of a text that stand in the needle, in the text's order; they do not overlap.
    pub(super) fn runs(&self, text: &[char]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let mut at = 0;
        while let Some(window) = text.get(at..at + self.shingle) {
            let mut rolled = hash(window);
            let found = loop {
                if let Some(run) = self.longest(text, at, rolled) {
                    break Some(run);
                }
                let Some(next) = text.get(at + self.shingle) else { break None };
                rolled = rolled
                    .wrapping_mul(BASE)
                    .wrapping_add(u64::from(*next) + 1)
                    .wrapping_sub(self.top.wrapping_mul(u64::from(text[at]) + 1));
                at += 1;
            };
            let Some(run) = found else { break };
            at = run.start + run.len;
            runs.push(run);
        }
        runs
    }

    fn longest(&self, text: &[char], at: usize, hash: u64) -> Option<Run> {
        let (word, bit) = self.bit(hash);
        if self.seen[word] & bit == 0 {
            return None;
        }
        let length = |needle: usize| text[at..].iter().zip(&self.letters[needle..]).take_while(|(a, b)| a == b).count();
        let places = self.places.get(&hash)?.iter().map(|place| *place as usize);
        let runs = places.map(|needle| Run { start: at, needle, len: length(needle) });
        runs.filter(|run| run.len >= self.shingle).max_by_key(|run| run.len)
    }
}

fn hash(window: &[char]) -> u64 {
    window.iter().fold(0, |hash: u64, letter| hash.wrapping_mul(BASE).wrapping_add(u64::from(*letter) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn runs_are_found_in_order_and_do_not_overlap() {
        let needle = letters("refundstakefivedaystheyarefree");
        let found = Needle::new(&needle, 5).runs(&letters("xxrefundstakesixdaystheyarefreeyy"));
        let said: Vec<(usize, usize, usize)> = found.iter().map(|run| (run.start, run.needle, run.len)).collect();
        assert_eq!(said, [(2, 0, 11), (16, 15, 15)]);
    }

    #[test]
    fn short_and_monotonous_texts_are_no_trouble() {
        assert!(Needle::new(&[], 5).runs(&letters("abcdef")).is_empty());
        assert!(Needle::new(&letters("abc"), 5).runs(&letters("abc")).is_empty());
        let same = vec!['a'; 100_000];
        assert_eq!(Needle::new(&same, 12).runs(&same), [Run { start: 0, needle: 0, len: 100_000 }]);
    }

    proptest::proptest! {
        /// Every shingle that both have is in some run, and every run is one that both have.
        #[test]
        fn every_common_shingle_is_in_a_run(needle in "[ab]{0,12}[a-e]{0,12}", text in "[a-e]{0,40}") {
            let (needle, text) = (letters(&needle), letters(&text));
            let runs = Needle::new(&needle, 4).runs(&text);
            for run in &runs {
                proptest::prop_assert_eq!(&text[run.start..run.start + run.len], &needle[run.needle..run.needle + run.len]);
            }
            if !runs.is_empty() { return Ok(()); }
            for window in text.windows(4) {
                proptest::prop_assert!(!needle.windows(4).any(|other| other == window));
            }
        }
    }
}
