//! How much of a prompt fits, without the model's own tokenizer.

/// Bytes that make a token at the least. English has four to five, German and Russian about four and three, Chinese
/// and Japanese a token for a character of three: the estimate is too high rather than too low.
const BYTES_PER_TOKEN: usize = 3;
/// What a text takes beside its words: role, separators.
const TOKENS_PER_TEXT: usize = 6;

/// How many tokens a text takes, at the most in ordinary writing.
pub(super) fn tokens(text: &str) -> usize {
    text.len().div_ceil(BYTES_PER_TOKEN) + TOKENS_PER_TEXT
}

/// Tokens that are left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room(usize);

impl Room {
    /// What is left of `all` beside what must be there; none when that alone is too much.
    pub(super) fn of(all: usize, fixed: usize) -> Option<Self> {
        all.checked_sub(fixed).map(Self)
    }

    /// The tokens.
    pub(super) fn left(self) -> usize {
        self.0
    }

    /// Bytes of text that surely fit.
    pub(super) fn bytes(self) -> usize {
        self.0.saturating_sub(TOKENS_PER_TEXT) * BYTES_PER_TOKEN
    }

    /// One of so many equal parts.
    pub(super) fn share(self, parts: usize) -> Self {
        Self(self.0 / parts)
    }

    /// This without so many tokens.
    pub(super) fn without(self, tokens: usize) -> Self {
        Self(self.0.saturating_sub(tokens))
    }

    /// Takes so many tokens.
    pub(super) fn take(&mut self, tokens: usize) {
        *self = self.without(tokens);
    }

    /// The last of `all` that fit together, in their order.
    pub(super) fn newest<T>(self, all: &[T], cost: impl Fn(&T) -> usize) -> &[T] {
        let mut left = self;
        let mut first = all.len();
        while let Some(before) = first.checked_sub(1) {
            let cost = cost(&all[before]);
            if cost > left.0 {
                break;
            }
            left.take(cost);
            first = before;
        }
        &all[first..]
    }
}
