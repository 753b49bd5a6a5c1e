//! Takes characters out of a model's text that nobody sees but a terminal, a page or a log obeys (M4).
//!
//! Line breaks and tabs stay; so do joiners where scripts and emoji need them.

/// Cleans text that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// The last character that was kept.
    last: Option<char>,
}

impl Hidden {
    /// What may be shown of the next piece.
    pub(super) fn clean(&mut self, piece: &str) -> String {
        let mut kept = String::with_capacity(piece.len());
        for c in piece.chars() {
            let c = match c {
                '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
                c => c,
            };
            if is_kept(c, self.last) {
                self.last = Some(c);
                kept.push(c);
            }
        }
        kept
    }
}

fn is_kept(c: char, last: Option<char>) -> bool {
    match c {
        '\n' | '\t' => true,
        // Joiners hold words of many scripts and many emoji together; behind ASCII they only hide.
        '\u{200c}' | '\u{200d}' => {
            last.is_some_and(|last| !last.is_ascii() && !last.is_whitespace() && !is_joiner(last))
        }
        // The two selectors of emoji; the others carry hidden bytes.
        '\u{fe0e}' | '\u{fe0f}' => last.is_some_and(|last| !is_joiner(last)),
        c => !c.is_control() && !is_invisible(c),
    }
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

/// Format characters of Unicode, blank fillers, selectors, tags, and characters of private use.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
        | '\u{fe00}'..='\u{fe0d}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// M4: no control or hidden character reaches a page, a terminal or a log.
    #[test]
    fn hidden_characters_go_and_joined_ones_stay() {
        let clean = |text: &str| Hidden::default().clean(text);
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{200b}d\u{e0041}e\u{0}\r\nf\tg"), "a[31mbcde\nf\tg");
        assert_eq!(
            clean("می\u{200c}خواهم 👩\u{200d}💻 ❤\u{fe0f} 1\u{fe0f}\u{20e3}"),
            "می\u{200c}خواهم 👩\u{200d}💻 ❤\u{fe0f} 1\u{fe0f}\u{20e3}"
        );
        assert_eq!(clean("ht\u{200d}tps \u{200d}x\u{2028}y \u{e200}"), "https x\ny ");
    }
}
