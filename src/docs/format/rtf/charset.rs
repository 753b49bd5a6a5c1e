//! Encodings, as RTF names them: by code page and by the character set of a font.

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GBK, IBM866, MACINTOSH, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1250, WINDOWS_1251,
    WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
};

/// How the bytes of a run of text are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// As letters of an encoding.
    Letters(&'static Encoding),
    /// As pictures of a font.
    Symbols,
}

impl Default for Charset {
    fn default() -> Self {
        Self::Letters(WINDOWS_1252)
    }
}

impl Charset {
    /// The text that bytes stand for.
    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Letters(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Self::Symbols => bytes.iter().map(|byte| symbol(*byte)).collect(),
        }
    }
}

/// Fonts of symbols are kept by programs in the private area of Unicode; their bullets are known there.
fn symbol(byte: u8) -> char {
    if byte.is_ascii() { char::from(byte) } else { char::from_u32(0xf000 + u32::from(byte)).unwrap_or('•') }
}

/// The encoding of a Windows code page (`\ansicpg`, `\cpg`).
pub fn code_page(number: i32) -> Option<Charset> {
    let encoding = match number {
        866 => IBM866,
        874 => WINDOWS_874,
        932 => SHIFT_JIS,
        936 => GBK,
        949 => EUC_KR,
        950 => BIG5,
        1250 => WINDOWS_1250,
        1251 => WINDOWS_1251,
        1252 => WINDOWS_1252,
        1253 => WINDOWS_1253,
        1254 => WINDOWS_1254,
        1255 => WINDOWS_1255,
        1256 => WINDOWS_1256,
        1257 => WINDOWS_1257,
        1258 => WINDOWS_1258,
        10000 => MACINTOSH,
        65001 => UTF_8,
        _ => return None,
    };
    Some(Charset::Letters(encoding))
}

/// The encoding of a font (`\fcharset`). Zero and one stand for that of the document.
pub fn font_charset(number: i32) -> Option<Charset> {
    let page = match number {
        2 => return Some(Charset::Symbols),
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    };
    code_page(page)
}
