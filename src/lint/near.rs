//! Which documents are nearly the same, by signatures that are small whatever the size of the documents.
//!
//! A signature is the smallest hashes of a document's runs of words (bottom-k MinHash, Broder 1997): the share of
//! them that two documents have in common estimates the share of runs that they have in common (Jaccard).

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::docs::format::Parsed;
use crate::text::words::words;

/// Words of a run.
const RUN_WORDS: usize = 4;
/// Hashes kept of a document. The estimate is off by some four points of a hundred.
const KEPT: usize = 128;
/// Shorter documents are alike by chance.
const MIN_RUNS: usize = 24;
/// Documents that share as much are told.
const MIN_ALIKE: f64 = 0.8;

/// The smallest hashes of a document's runs of words, sorted. Empty for a short document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature(Vec<u64>);

/// Two documents that are nearly the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Index of the first one.
    pub first: usize,
    /// Index of the second one, larger.
    pub second: usize,
    /// How alike they are, 0 to 1.
    pub alike: f64,
}

/// The signature of a document.
pub fn signature(parsed: &Parsed) -> Signature {
    let words: Vec<String> = parsed.blocks.iter().flat_map(|block| words(&block.text)).collect();
    let mut hashes: Vec<u64> = words.windows(RUN_WORDS).map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    if hashes.len() < MIN_RUNS {
        return Signature::default();
    }
    hashes.truncate(KEPT);
    hashes.shrink_to_fit();
    Signature(hashes)
}

/// The pairs that are nearly the same, each once, in the order of the documents.
///
/// Of the documents that share a hash only the first and the neighbour are compared, so that a thousand equal ones
/// give a thousand pairs and not a million.
pub fn pairs(signatures: &[&Signature]) -> Vec<Pair> {
    let mut holders: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (document, signature) in signatures.iter().enumerate() {
        for hash in &signature.0 {
            holders.entry(*hash).or_default().push(document);
        }
    }
    let mut candidates: BTreeSet<(usize, usize)> = BTreeSet::new();
    for documents in holders.values() {
        for neighbours in documents.windows(2) {
            candidates.insert((neighbours[0], neighbours[1]));
            candidates.insert((documents[0], neighbours[1]));
        }
    }
    let pair = |(first, second): (usize, usize)| {
        let alike = alike(signatures[first], signatures[second]);
        (alike >= MIN_ALIKE).then_some(Pair { first, second, alike })
    };
    candidates.into_iter().filter(|(first, second)| first != second).filter_map(pair).collect()
}

/// The share of common hashes among the smallest of both.
fn alike(a: &Signature, b: &Signature) -> f64 {
    let union: BTreeSet<u64> = a.0.iter().chain(&b.0).copied().collect();
    let size = union.len().min(KEPT);
    let both =
        union.iter().take(size).filter(|hash| a.0.binary_search(hash).is_ok() && b.0.binary_search(hash).is_ok());
    if size == 0 { 0.0 } else { both.count() as f64 / size as f64 }
}

fn hash(run: &[String]) -> u64 {
    // `new` has fixed keys: the same run has the same hash in every document. No hash outlives the process.
    let mut hasher = DefaultHasher::new();
    run.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Block, BlockKind, Locator};

    fn of(text: &str) -> Signature {
        let block = Block { kind: BlockKind::Paragraph, text: text.to_owned(), locator: Locator::default() };
        signature(&Parsed { blocks: vec![block], ..Parsed::default() })
    }

    fn text(numbers: std::ops::Range<u32>) -> String {
        numbers.map(|number| format!("word{}", number * 7919 % 10007)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn nearly_equal_texts_are_a_pair_once() {
        let base = text(0..400);
        let edited = format!("{base} and one more sentence at the end");
        let other = text(5000..5400);
        let signatures = [of(&base), of(&other), of(&edited), of(&base.to_uppercase())];
        let found = pairs(&signatures.iter().collect::<Vec<_>>());
        let indices: Vec<(usize, usize)> = found.iter().map(|pair| (pair.first, pair.second)).collect();
        assert_eq!(indices, [(0, 2), (0, 3), (2, 3)]);
        assert!(found[0].alike > 0.9, "{found:?}");
        assert!((found[1].alike - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn half_the_words_is_not_nearly_equal() {
        let signatures = [of(&text(0..400)), of(&text(200..600))];
        assert!(pairs(&signatures.iter().collect::<Vec<_>>()).is_empty());
    }

    #[test]
    fn short_texts_have_no_signature() {
        assert_eq!(of("the shop opens at nine"), Signature::default());
        assert!(pairs(&[&Signature::default(), &Signature::default()]).is_empty());
    }

    #[test]
    fn many_equal_documents_cost_little() {
        let signature = of(&text(0..200));
        let found = pairs(&vec![&signature; 500]);
        assert!(found.len() < 1_000, "{}", found.len());
    }
}
