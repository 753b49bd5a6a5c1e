//! Whether a place of a Markdown text stands in code: there a bracket is a bracket.
//!
//! It is followed as far as that needs: inline code ends with its line at the latest, since a stray backtick must not
//! hide the markers of all that follows.

/// Follows a text character by character.
#[derive(Debug)]
pub(super) struct Code {
    state: State,
    /// Nothing but spaces since the last line break.
    at_line_start: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    /// Opened by so many backticks.
    Inline(usize),
    /// A block opened by so many.
    Block(usize),
}

/// Backticks that open a block.
const MIN_FENCE: usize = 3;

impl Default for Code {
    fn default() -> Self {
        Self { state: State::Outside, at_line_start: true }
    }
}

impl Code {
    /// Whether the text so far ends in code.
    pub(super) fn is_inside(&self) -> bool {
        self.state != State::Outside
    }

    /// A run of backticks, whole.
    pub(super) fn ticks(&mut self, count: usize) {
        self.state = match self.state {
            State::Outside if self.at_line_start && count >= MIN_FENCE => State::Block(count),
            State::Outside => State::Inline(count),
            State::Inline(open) if open == count => State::Outside,
            State::Block(open) if self.at_line_start && count >= open => State::Outside,
            state => state,
        };
        self.at_line_start = false;
    }

    /// A character that is no backtick.
    pub(super) fn character(&mut self, c: char) {
        if c == '\n' {
            self.at_line_start = true;
            if matches!(self.state, State::Inline(_)) {
                self.state = State::Outside;
            }
        } else if !c.is_whitespace() && c != '`' {
            self.at_line_start = false;
        }
    }
}
