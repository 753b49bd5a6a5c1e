//! Where a place of the service's text is in what is told of it.
//!
//! What is told differs: marks are taken out, links lose their addresses, white space at the ends goes. Both grow
//! together, so it is enough to note where both stood now and then.

/// Where both texts stood, in characters.
#[derive(Debug, Default)]
pub(super) struct Positions {
    /// Characters written and told, both growing.
    notes: Vec<(usize, usize)>,
}

impl Positions {
    /// Characters written so far.
    pub(super) fn written(&self) -> usize {
        self.notes.last().map_or(0, |(written, _)| *written)
    }

    /// So many more were written, and so many are told in all.
    pub(super) fn add(&mut self, chars: usize, told: usize) {
        self.notes.push((self.written() + chars, told));
    }

    /// What was told when this many were written: up to the end of the word in which that is.
    pub(super) fn told_at(&self, written: usize) -> usize {
        if written == 0 {
            return 0;
        }
        let place = self.notes.partition_point(|(noted, _)| *noted < written);
        self.notes.get(place).or(self.notes.last()).map_or(0, |(_, told)| *told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_at_the_ends_of_words() {
        let mut positions = Positions::default();
        assert_eq!(positions.told_at(9), 0);
        // "Five " (its space is held), "days.", a mark that is left out.
        positions.add(5, 4);
        positions.add(5, 10);
        positions.add(12, 10);
        assert_eq!(positions.written(), 22);
        let told: Vec<usize> = [0, 1, 5, 6, 10, 15, 22, 99].map(|at| positions.told_at(at)).to_vec();
        assert_eq!(told, [0, 4, 4, 10, 10, 10, 10, 10]);
    }
}
