//! Joins what words found with what meaning found: min-max fusion.
//!
//! Both scores are stretched to 0..1 over the candidates of one search and added by weight. Pure.

/// A chunk that words, meaning or both found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The score of the words, when they found it.
    pub lexical: Option<f32>,
    /// The cosine to the question, when the chunk has a vector that counts.
    pub cosine: Option<f32>,
}

/// The fused score of each candidate, in order. A candidate without a vector is judged by words alone.
pub fn fuse(candidates: &[Candidate], weight: f32) -> Vec<f32> {
    let lexical = Scale::over(candidates.iter().filter_map(|candidate| candidate.lexical));
    let cosine = Scale::over(candidates.iter().filter_map(|candidate| candidate.cosine));
    let fused = |candidate: &Candidate| {
        let words = candidate.lexical.map_or(0.0, |score| lexical.stretch(score));
        match candidate.cosine {
            Some(score) => (1.0 - weight) * words + weight * cosine.stretch(score),
            None => words,
        }
    };
    candidates.iter().map(fused).collect()
}

/// The range of some scores.
struct Scale {
    min: f32,
    max: f32,
}

impl Scale {
    fn over(scores: impl Iterator<Item = f32>) -> Self {
        scores.fold(Self { min: f32::INFINITY, max: f32::NEG_INFINITY }, |scale, score| Self {
            min: scale.min.min(score),
            max: scale.max.max(score),
        })
    }

    /// 0 for the least, 1 for the best; a lone score is the best.
    fn stretch(&self, score: f32) -> f32 {
        let range = self.max - self.min;
        if range > f32::EPSILON { (score - self.min) / range } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(lexical: Option<f32>, cosine: Option<f32>) -> Candidate {
        Candidate { lexical, cosine }
    }

    #[test]
    fn both_count_by_weight() {
        let found = [candidate(Some(10.0), Some(0.2)), candidate(Some(5.0), Some(0.9)), candidate(None, Some(0.8))];
        assert_eq!(fuse(&found, 0.0), [1.0, 0.0, 0.0]);
        assert_eq!(fuse(&found, 1.0)[..2], [0.0, 1.0]);
        let half = fuse(&found, 0.5);
        assert_eq!(half[..2], [0.5, 0.5]);
    }

    #[test]
    fn without_a_vector_words_alone_count() {
        let found = [candidate(Some(3.0), None), candidate(Some(1.0), None)];
        assert_eq!(fuse(&found, 0.7), [1.0, 0.0]);
        assert_eq!(fuse(&[candidate(Some(3.0), None)], 0.7), [1.0]);
        assert!(fuse(&[], 0.5).is_empty());
    }

    proptest! {
        #[test]
        fn scores_stay_within_bounds(
            found in proptest::collection::vec((proptest::option::of(0.0_f32..50.0), proptest::option::of(-1.0_f32..1.0)), 0..20),
            weight in 0.0_f32..=1.0,
        ) {
            let found: Vec<Candidate> = found.into_iter().map(|(lexical, cosine)| candidate(lexical, cosine)).collect();
            let fused = fuse(&found, weight);
            prop_assert!(fused.iter().all(|score| (-0.001..=1.001).contains(score)), "{:?}", fused);
        }
    }
}
