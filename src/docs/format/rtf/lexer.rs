//! Cuts RTF into tokens. Any bytes are some tokens; nothing is copied.

/// The longest control word that is looked at. The standard allows 32 letters.
const MAX_WORD_BYTES: usize = 64;

/// A piece of RTF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token<'a> {
    /// `{`
    Open,
    /// `}`
    Close,
    /// `\*`
    Optional,
    /// A control word and its number. Binary data after `\bin` is passed over.
    Word(&'a str, Option<i32>),
    /// A backslash and something that is no letter.
    Symbol(u8),
    /// A byte written as `\'hh`.
    Hex(u8),
    /// Bytes of text.
    Text(&'a [u8]),
}

/// Iterates over the tokens.
pub struct Lexer<'a> {
    rest: &'a [u8],
}

impl<'a> Lexer<'a> {
    /// The tokens of a file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn control(&mut self) -> Option<Token<'a>> {
        self.take(1);
        let first = *self.rest.first()?;
        if first.is_ascii_alphabetic() {
            return Some(self.word());
        }
        self.take(1);
        match first {
            b'*' => Some(Token::Optional),
            b'\'' => {
                let digits = std::str::from_utf8(self.rest.get(..2)?).ok();
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                if byte.is_some() {
                    self.take(2);
                }
                Some(byte.map_or(Token::Symbol(b'\''), Token::Hex))
            }
            symbol => Some(Token::Symbol(symbol)),
        }
    }

    fn word(&mut self) -> Token<'a> {
        let letters = self.rest.iter().take(MAX_WORD_BYTES).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = std::str::from_utf8(self.take(letters)).unwrap_or_default();
        let sign = usize::from(self.rest.first() == Some(&b'-'));
        let digits = self.rest.iter().skip(sign).take(10).take_while(|byte| byte.is_ascii_digit()).count();
        let mut number = None;
        if digits > 0 {
            let written = std::str::from_utf8(self.take(sign + digits)).unwrap_or_default();
            number = written.parse().ok();
        }
        // One space belongs to the word.
        if self.rest.first() == Some(&b' ') {
            self.take(1);
        }
        if word == "bin" {
            self.take(number.and_then(|number: i32| usize::try_from(number).ok()).unwrap_or(0));
        }
        Token::Word(word, number)
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let ignored = self.rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n' | 0)).count();
        self.take(ignored);
        match self.rest.first()? {
            b'{' => self.take(1).first().map(|_| Token::Open),
            b'}' => self.take(1).first().map(|_| Token::Close),
            b'\\' => self.control(),
            _ => {
                let ends = |byte: &u8| matches!(byte, b'{' | b'}' | b'\\' | b'\r' | b'\n' | 0);
                let length = self.rest.iter().position(ends).unwrap_or(self.rest.len());
                Some(Token::Text(self.take(length)))
            }
        }
    }
}
