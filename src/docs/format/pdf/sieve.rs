//! Takes the instructions that matter to text out of a page's content, piece by piece.
//!
//! A drawing of many megabytes passes through without being kept: memory is bounded by the longest instruction of
//! text. What is no instruction is dropped, and the next one is read as if it had not been there.

use pdf_extract::content::{Content, Operation};

/// Every instruction that shows text, or tells where and how.
const KEPT: [&[u8]; 21] = [
    b"q", b"Q", b"cm", b"BT", b"ET", b"Tf", b"Tj", b"TJ", b"'", b"\"", b"Tm", b"Td", b"TD", b"T*", b"TL", b"Tc", b"Tw",
    b"Tz", b"Ts", b"Do", b"EMC",
];
/// Those that open a mark; kept, too, because of what they may enclose.
const MARKS: [&[u8]; 2] = [b"BMC", b"BDC"];

/// An instruction is longer than the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// Where in the content the sieve is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Between,
    Number,
    Word,
    Name,
    String {
        depth: usize,
        is_escaped: bool,
    },
    /// After `<`, which begins a dictionary or a string.
    Angle,
    Hex,
    Comment,
    /// In the bytes of a picture; how much of its end mark was seen.
    Picture {
        seen: usize,
    },
}

/// The sieve.
#[derive(Debug)]
pub struct Sieve {
    place: Place,
    /// The instruction so far: its operands, and its operator as far as it was seen.
    pending: Vec<u8>,
    /// Where in it the present word begins.
    word: usize,
    max_bytes: usize,
}

impl Sieve {
    /// A sieve for instructions of no more than so many bytes.
    pub fn new(max_bytes: usize) -> Self {
        Self { place: Place::Between, pending: Vec::new(), word: 0, max_bytes }
    }

    /// Reads a piece; gives back what is whole.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Operation>, TooLong> {
        let mut whole = Vec::new();
        for byte in piece {
            if matches!(self.place, Place::Number | Place::Word) && self.is_end(*byte) {
                whole.extend(self.end_word());
            }
            self.step(*byte);
            if self.pending.len() > self.max_bytes {
                return Err(TooLong);
            }
        }
        Ok(whole)
    }

    /// Reads the end of the content.
    pub fn finish(&mut self) -> Result<Vec<Operation>, TooLong> {
        self.push(b"\n")
    }

    /// Whether a byte is no part of the number or word before it. A number ends where letters begin, and a word
    /// where a number begins, also when nobody wrote a space.
    fn is_end(&self, byte: u8) -> bool {
        let is_numeric = is_numeric(byte);
        is_space(byte) || is_delimiter(byte) || is_numeric != (self.place == Place::Number)
    }

    fn end_word(&mut self) -> Option<Operation> {
        let is_number = self.place == Place::Number;
        self.place = Place::Between;
        let word = &self.pending[self.word..];
        if is_number || matches!(word, b"true" | b"false" | b"null") {
            return None;
        }
        if word == b"ID" {
            self.place = Place::Picture { seen: 0 };
        }
        let is_kept = KEPT.contains(&word) || MARKS.contains(&word);
        let operation = if is_kept { parse_instruction(&self.pending) } else { None };
        self.pending.clear();
        operation
    }

    fn step(&mut self, byte: u8) {
        let is_line_end = matches!(byte, b'\n' | b'\r');
        match self.place {
            Place::Picture { seen } => return self.place = picture(seen, byte),
            Place::Comment if is_line_end => self.place = Place::Between,
            Place::Comment => return,
            Place::String { depth, is_escaped } => self.place = string(depth, is_escaped, byte),
            Place::Hex if byte == b'>' => self.place = Place::Between,
            Place::Angle if byte == b'<' => self.place = Place::Between,
            Place::Angle => self.place = if byte == b'>' { Place::Between } else { Place::Hex },
            Place::Name if !is_space(byte) && !is_delimiter(byte) => {}
            Place::Hex | Place::Number | Place::Word => {}
            Place::Name | Place::Between => return self.begin(byte),
        }
        self.pending.push(byte);
    }

    fn begin(&mut self, byte: u8) {
        self.word = self.pending.len();
        self.place = match byte {
            b'%' => return self.place = Place::Comment,
            b'(' => Place::String { depth: 1, is_escaped: false },
            b'<' => Place::Angle,
            b'/' => Place::Name,
            byte if is_numeric(byte) => Place::Number,
            byte if is_space(byte) || is_delimiter(byte) => Place::Between,
            _ => Place::Word,
        };
        // One space is as good as many.
        if !(is_space(byte) && self.pending.last().is_none_or(|last| is_space(*last))) {
            self.pending.push(byte);
        }
    }
}

fn string(depth: usize, is_escaped: bool, byte: u8) -> Place {
    match byte {
        _ if is_escaped => Place::String { depth, is_escaped: false },
        b'\\' => Place::String { depth, is_escaped: true },
        b'(' => Place::String { depth: depth + 1, is_escaped },
        b')' if depth == 1 => Place::Between,
        b')' => Place::String { depth: depth - 1, is_escaped },
        _ => Place::String { depth, is_escaped },
    }
}

/// A picture ends with `EI` between spaces.
fn picture(seen: usize, byte: u8) -> Place {
    match (seen, byte) {
        (1, b'E') => Place::Picture { seen: 2 },
        (2, b'I') => Place::Picture { seen: 3 },
        (3, byte) if is_space(byte) => Place::Between,
        (_, byte) => Place::Picture { seen: usize::from(is_space(byte)) },
    }
}

/// One instruction; `None` when its operands are none.
fn parse_instruction(bytes: &[u8]) -> Option<Operation> {
    let mut operations = Content::decode(bytes).ok()?.operations;
    operations.pop().filter(|_| operations.is_empty())
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'\0' | 0x0c)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

fn is_numeric(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sieved(content: &[u8], piece_bytes: usize) -> String {
        let mut sieve = Sieve::new(1_000);
        let mut operations = Vec::new();
        for piece in content.chunks(piece_bytes) {
            operations.extend(sieve.push(piece).unwrap());
        }
        operations.extend(sieve.finish().unwrap());
        String::from_utf8(Content { operations }.encode().unwrap()).unwrap().replace('\n', " ")
    }

    #[test]
    fn pieces_of_any_size_give_the_instructions_of_text() {
        let content = b"q1 0 0 1 .5 -2cm 0 0 9 9 re f%(no) Tj\n/P<</A(\\)>>) /B<4142>/C true>>BDC BT/F1 9 Tf\
            (a (b) \\( c)Tj[(d)-20<65>]TJ T*(e)' ET EMC BI /W 1 ID \x00( EIEI\xff\x00 EI Q /D Do";
        let expected = sieved(content, content.len());
        let text = "BT /F1 9 Tf (a (b) \\( c) Tj [(d) -20<65>] TJ T* (e) ' ET EMC Q /D Do";
        assert!(expected.starts_with("q 1 0 0 1 0.5 -2 cm /P <<") && expected.ends_with(text), "{expected}");
        for piece_bytes in 1..9 {
            assert_eq!(sieved(content, piece_bytes), expected);
        }
    }

    #[test]
    fn what_is_no_instruction_costs_only_itself() {
        assert_eq!(sieved(b"BT [ (a) Tj ] (b) Tj > \x80\xff (c) Tj", 7), "BT (c) Tj");
    }

    #[test]
    fn an_endless_instruction_is_refused() {
        assert_eq!(Sieve::new(100).push(&[b'['; 101]).unwrap_err(), TooLong);
        assert_eq!(Sieve::new(100).push(&b"0 0 m 9 9 l ".repeat(100)).unwrap().len(), 0);
    }
}
