//! Makes a model's Markdown harmless (M4): no picture, no tag, and no link but to an address that stands literally in
//! what was retrieved. The words stay.
//!
//! It holds in code too: what one reader of Markdown takes for code is live text to another. Where something is taken
//! out, a space keeps its two sides from joining to something new.

use crate::llm::chat::text::Piece;
use crate::llm::chat::text::address::{self, Beginning, Known};
use crate::llm::chat::text::tag::{self, Tag};

/// A link's text is not longer, in bytes; a longer one keeps its brackets.
const MAX_LABEL_BYTES: usize = 300;

/// Makes text harmless that comes in pieces.
#[derive(Debug)]
pub(super) struct Safe {
    known: Known,
    held: String,
    told: String,
    /// The last character told.
    last: Option<char>,
}

/// What to do with the start of what is held.
enum Step {
    /// So many bytes may be told as they are.
    Tell(usize),
    /// So many bytes become this.
    Become(usize, &'static str),
    /// So many bytes become this, never join what stands before, and are read again.
    Reread(usize, String),
    /// More text decides.
    Wait,
}

/// What stands behind a label.
enum Target<'a> {
    /// An address, and how many bytes it takes with its parentheses.
    Address(&'a str, usize),
    None,
    Unknown,
}

impl Safe {
    /// Keeps links to these addresses.
    pub(super) fn new(known: Known) -> Self {
        Self { known, held: String::new(), told: String::new(), last: None }
    }

    /// Keeps links to addresses of this text, too.
    pub(super) fn allow(&mut self, text: &str) {
        self.known.add(text);
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: Piece, out: &mut Vec<Piece>) {
        match piece {
            Piece::Text(text) => {
                self.held.push_str(&text);
                self.read(false);
                self.flush(out);
            }
            // Markers leave their two sides apart, so nothing reaches across one.
            other => {
                self.finish(out);
                out.push(other);
            }
        }
    }

    /// Takes the end of the text.
    pub(super) fn finish(&mut self, out: &mut Vec<Piece>) {
        self.read(true);
        self.flush(out);
    }

    fn flush(&mut self, out: &mut Vec<Piece>) {
        if !self.told.is_empty() {
            out.push(Piece::Text(std::mem::take(&mut self.told)));
        }
    }

    fn read(&mut self, is_end: bool) {
        let mut held = std::mem::take(&mut self.held);
        let mut at = 0;
        while let Some(c) = held[at..].chars().next() {
            match self.step(c, &held[at..], is_end) {
                Step::Wait => break,
                Step::Tell(length) => {
                    self.tell(&held[at..at + length]);
                    at += length;
                }
                Step::Become(length, text) => {
                    self.tell(text);
                    at += length;
                }
                Step::Reread(length, text) => {
                    self.keep_apart();
                    // What is put back is shorter than what was taken, so this ends.
                    held = text + &held[at + length..];
                    at = 0;
                }
            }
        }
        self.held = held.split_off(at);
    }

    fn step(&self, c: char, rest: &str, is_end: bool) -> Step {
        match c {
            '!' => picture(rest, is_end),
            '[' => self.label(rest, is_end),
            ']' => self.label_end(rest, is_end),
            '<' => self.tag(rest, is_end),
            'h' | 'H' | 'f' | 'F' | 'w' | 'W' => self.address(c, rest, is_end),
            c => Step::Tell(c.len_utf8()),
        }
    }

    fn tell(&mut self, text: &str) {
        self.told.push_str(text);
        self.last = text.chars().last().or(self.last);
    }

    /// A space, where what follows could become one thing with what was told.
    fn keep_apart(&mut self) {
        let joins = |last: char| last.is_ascii_alphanumeric() || ":/.<[]!&@#%=\\-_+".contains(last);
        if self.last.is_some_and(joins) {
            self.tell(" ");
        }
    }

    /// `[label](address)` stays if the address is known; else the label does.
    fn label(&self, rest: &str, is_end: bool) -> Step {
        match split_link(rest, is_end) {
            (_, Target::Unknown) => Step::Wait,
            (label, Target::Address(address, length)) if !self.known.holds(address) => {
                Step::Reread(1 + label.len() + 1 + length, label.to_owned())
            }
            _ => Step::Tell(1),
        }
    }

    /// The end of a label that was no simple one, or the end of a known link's label.
    fn label_end(&self, rest: &str, is_end: bool) -> Step {
        match rest[1..].chars().next() {
            None if !is_end => Step::Wait,
            Some('(') => match target(&rest[1..], is_end) {
                Target::Unknown => Step::Wait,
                Target::Address(address, length) if self.known.holds(address) => Step::Tell(1 + length),
                Target::Address(_, length) => Step::Become(1 + length, "] "),
                Target::None => Step::Become(1, "] "),
            },
            // The definition of a link that something else refers to.
            Some(':') => Step::Become(1, "] "),
            _ => Step::Tell(1),
        }
    }

    fn tag(&self, rest: &str, is_end: bool) -> Step {
        match tag::read(rest, is_end) {
            Tag::Unknown => Step::Wait,
            Tag::None => Step::Tell(1),
            Tag::Address(inner) if self.known.holds(inner) => Step::Tell(inner.len() + 2),
            Tag::Address(inner) => Step::Reread(inner.len() + 2, inner.to_owned()),
            Tag::Break(length) => Step::Become(length, " "),
            // The words stay, and no reader takes it for a tag.
            Tag::Markup => Step::Become(1, "< "),
        }
    }

    /// A bare address: a page would make a link of it. Without its beginning it is words.
    fn address(&self, c: char, rest: &str, is_end: bool) -> Step {
        match address::beginning(rest, is_end) {
            Beginning::None => Step::Tell(c.len_utf8()),
            Beginning::Unknown => Step::Wait,
            Beginning::Of(beginning) => {
                let length = address::length(rest);
                let goes_on = rest[length..].trim_start_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_', '~']);
                if goes_on.is_empty() && !is_end && rest.len() <= address::MAX_BYTES {
                    return Step::Wait;
                }
                if self.known.holds(&rest[..length]) {
                    return Step::Tell(length);
                }
                Step::Reread(beginning, String::new())
            }
        }
    }
}

/// A picture is at most a link.
fn picture(rest: &str, is_end: bool) -> Step {
    match rest[1..].chars().next() {
        None if !is_end => Step::Wait,
        Some('[') => match split_link(&rest[1..], is_end) {
            (_, Target::Unknown) => Step::Wait,
            (_, Target::None) => Step::Tell(1),
            (_, Target::Address(..)) => Step::Reread(1, String::new()),
        },
        _ => Step::Tell(1),
    }
}

/// The label of a link, which begins `rest`, and what stands behind it.
fn split_link(rest: &str, is_end: bool) -> (&str, Target<'_>) {
    let inner = &rest[1..];
    for (at, c) in inner.char_indices() {
        if at > MAX_LABEL_BYTES || c == '[' || inner[at..].starts_with("\n\n") {
            return (inner, Target::None);
        }
        if c == ']' {
            return (&inner[..at], target(&inner[at + 1..], is_end));
        }
    }
    (inner, if is_end { Target::None } else { Target::Unknown })
}

/// The target of a link at the start of `rest`: parentheses, balanced, around an address with or without a title.
fn target(rest: &str, is_end: bool) -> Target<'_> {
    if rest.is_empty() && !is_end {
        return Target::Unknown;
    }
    let Some(inner) = rest.strip_prefix('(') else {
        return Target::None;
    };
    let mut depth = 0_u32;
    for (at, c) in inner.char_indices() {
        match c {
            _ if at > address::MAX_BYTES => return Target::None,
            '(' => depth += 1,
            ')' if depth == 0 => return addressed(&inner[..at], at + 2),
            ')' => depth -= 1,
            _ => {}
        }
    }
    if is_end { Target::None } else { Target::Unknown }
}

fn addressed(inner: &str, length: usize) -> Target<'_> {
    let mut words = inner.split_whitespace();
    let address = words.next().unwrap_or_default();
    let address = address.strip_prefix('<').and_then(|address| address.strip_suffix('>')).unwrap_or(address);
    match words.next() {
        Some(word) if !word.starts_with(['"', '\'', '(']) && !inner.trim_start().starts_with('<') => Target::None,
        _ => Target::Address(address, length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::tests::hit;

    fn read(text: &str) -> String {
        let mut safe = Safe::new(Known::of(&[hit("Write to https://help.example.com/form or call.")]));
        let mut out = Vec::new();
        safe.take(Piece::Text(text.to_owned()), &mut out);
        safe.finish(&mut out);
        let text = |piece: Piece| match piece {
            Piece::Text(text) => text,
            other => panic!("{other:?}"),
        };
        out.into_iter().map(text).collect()
    }

    /// M4: no picture, link or embed to an address that no document holds; the words stay.
    #[test]
    fn links_and_pictures_lose_their_targets() {
        assert_eq!(read("See [the form](https://evil.example/?q=1), now."), "See the form, now.");
        assert_eq!(read("![a chart](https://evil.example/x.png) shows"), "a chart shows");
        assert_eq!(read("[x](javascript:alert(1)) [y](/admin) [z](<https://e.example> \"t\")"), "x y z");
        assert_eq!(
            read("at https://evil.example/a?b. Or <http://evil.example>, www.evil.example"),
            "at evil.example/a?b. Or evil.example, evil.example"
        );
        assert_eq!(read("[id]: //evil.example/x"), "[id] : //evil.example/x");
        assert_eq!(read("[a [b]](https://evil.example)!"), "[a [b]] !");
        assert_eq!(read("`![x](https://evil.example)`"), "`x`");
    }

    #[test]
    fn known_addresses_and_plain_brackets_stay() {
        for text in [
            "Use [the form](https://help.example.com/form) or https://help.example.com/form.",
            "Or <https://help.example.com/form>!",
            "a[0] and [ ] and [x] (see page 4) and 3 < 4 <your name> Vec<u8> hot water, few words! www. ok",
            "an open [bracket and an open (parenthesis",
        ] {
            assert_eq!(read(text), text);
        }
        assert_eq!(read("![x](https://help.example.com/form)"), "[x](https://help.example.com/form)");
    }

    /// M4: no raw HTML, whatever its spelling.
    #[test]
    fn tags_are_words() {
        assert_eq!(read("a<br>b<BR/>c"), "a b c");
        assert_eq!(read("<img src=x onerror=alert(1)>"), "< img src=x onerror=alert(1)>");
        assert_eq!(
            read("<sCript>x</script><!-- y --><zz onclick=1>"),
            "< sCript>x< /script>< !-- y -->< zz onclick=1>"
        );
        assert_eq!(read("<svg/onload=1"), "< svg/onload=1");
    }

    /// M4: what is left after one thing was taken out is no other.
    #[test]
    fn nothing_is_made_by_taking_out() {
        for text in [
            "ht[t](x)ps://evil.example",
            "hthttps://tps://evil.example",
            "[a]<br>(https://evil.example)",
            "[a [x]](b)(https://evil.example)",
            "!<br>[a](https://evil.example)",
            "<<b>img src=x>",
            "[[a](x)](https://evil.example)",
            "[https://evil.example](https://evil.example)",
            "<[x](y)img src=z>",
            "<<http://evil.example>script>",
            "h<http://a>ttps://evil.example",
            "[a]![b](c)(https://evil.example)",
            "\\`![x](https://evil.example)`",
            "https://https://evil.example",
        ] {
            assert_harmless(&read(text));
        }
    }

    fn assert_harmless(text: &str) {
        let live = r"(?i)\]\(|\]:|\b(?:https?|ftp)://\w|www\.\w|</?(?:a|img|script|br?)(?:[\s/>]|$)|<[a-z][^<>]*=";
        assert!(!regex::Regex::new(live).unwrap().is_match(text), "{text:?}");
    }

    proptest::proptest! {
        /// M4: the same of anything made of the parts that links and tags are made of.
        #[test]
        fn nothing_gets_through(parts in proptest::collection::vec(proptest::sample::select(vec![
            "[", "]", "(", ")", "!", "<", ">", "https://", "http", "s://", "h", "t", "tp", ":", "//", "/", "evil.example",
            "www", ".", "img", " src=x", "script", "br", "b", "a", " ", "\n", "`", "\\", "x", "\"",
        ]), 0..24)) {
            let text: String = parts.concat();
            assert_harmless(&read(&text));
        }
    }
}
