//! Markers of numbered list items: figures, letters, Roman numbers.

/// How the items of a list are marked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// With a sign, written `-`.
    #[default]
    Bullet,
    /// 1, 2, 3.
    Figures,
    /// a, b, c.
    LowerLetters,
    /// A, B, C.
    UpperLetters,
    /// i, ii, iii.
    LowerRoman,
    /// I, II, III.
    UpperRoman,
}

impl Numbering {
    /// The marker of the item that is counted `count`.
    pub fn marker(self, count: u64) -> String {
        match self {
            Self::Bullet => "-".to_owned(),
            Self::Figures => format!("{count}."),
            Self::LowerLetters => format!("{}.", letters(count).to_lowercase()),
            Self::UpperLetters => format!("{}.", letters(count)),
            Self::LowerRoman => format!("{}.", roman(count).to_lowercase()),
            Self::UpperRoman => format!("{}.", roman(count)),
        }
    }
}

/// A to Z, then AA, BB and so on, as office programs count.
fn letters(count: u64) -> String {
    const MOST: u64 = 26 * 4;
    if count == 0 || count > MOST {
        return count.to_string();
    }
    let letter = char::from_u32(u32::from(b'A') + u32::try_from((count - 1) % 26).unwrap_or(0)).unwrap_or('A');
    let times = usize::try_from((count - 1) / 26 + 1).unwrap_or(1);
    letter.to_string().repeat(times)
}

fn roman(count: u64) -> String {
    const SIGNS: [(u64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if count == 0 || count > 3999 {
        return count.to_string();
    }
    let mut rest = count;
    let mut text = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            text.push_str(sign);
            rest -= value;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers() {
        let markers = |numbering: Numbering| [1, 4, 28, 4000].map(|count| numbering.marker(count));
        assert_eq!(markers(Numbering::UpperRoman), ["I.", "IV.", "XXVIII.", "4000."]);
        assert_eq!(markers(Numbering::LowerLetters), ["a.", "d.", "bb.", "4000."]);
        assert_eq!(markers(Numbering::Figures), ["1.", "4.", "28.", "4000."]);
        assert_eq!(Numbering::Bullet.marker(u64::MAX), "-");
    }
}
