//! YAML that people write, read within a bound of nesting.
//!
//! The parser bounds aliases by itself, and whoever reads a file bounds its size. What is left is text that opens one
//! list after another: the time for it grows with the square of their number, half a minute for 200 KB.

use serde::de::{DeserializeOwned, Error as _};

/// Lists and maps in brackets that may be open at once; who writes by hand has ten.
const MAX_OPEN: usize = 500;

/// The value of a text. Brackets in texts and comments count too: none has so many.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, serde_yaml::Error> {
    if is_deep(text) {
        return Err(serde_yaml::Error::custom(format!("more than {MAX_OPEN} brackets are open at once")));
    }
    serde_yaml::from_str(text)
}

fn is_deep(text: &str) -> bool {
    let mut open = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_OPEN
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    use super::*;

    type Lists = BTreeMap<String, Vec<String>>;

    /// C8: neither nesting nor aliases cost more than their text is worth.
    #[test]
    fn c8_a_text_made_to_cost_time_or_memory_is_refused() {
        let aliases = ('b'..='j').fold("a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, name| {
            let before = char::from(u8::try_from(name).unwrap() - 1);
            format!("{text}{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", "))
        });
        for text in ["[".repeat(200_000), "a: {".repeat(200_000), aliases] {
            let begun = Instant::now();
            assert!(from_str::<serde_json::Value>(&text).is_err());
            assert!(begun.elapsed() < Duration::from_secs(5), "{} bytes took {:?}", text.len(), begun.elapsed());
        }
    }

    #[test]
    fn what_people_write_is_read() {
        let text = format!("a: [\"{}\", '}}']  # [[\nb: {:?}\n", "]".repeat(600), [["[a](b)"; 300].join(" ")]);
        assert_eq!(from_str::<Lists>(&text).unwrap()["a"].len(), 2);
    }
}
