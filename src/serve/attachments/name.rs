//! A caller's name for a file, made fit to be shown: a label and never a path (D4, D9).

use crate::docs::text::clean_line;
use crate::serve::file::treatment::is_deceitful;

/// Characters of a name at the most.
const MAX_CHARS: usize = 120;
/// Characters of what follows the last dot, where it is short enough to be an extension.
const MAX_EXTENSION_CHARS: usize = 10;
/// For a file whose name had nothing to show.
const NAMELESS: &str = "attachment";

/// The name without folders, control characters, quotes and marks that turn text round; bounded, with its extension.
pub fn label(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let shown: String = last.chars().map(|each| if each.is_whitespace() { ' ' } else { each }).collect();
    let shown: String = shown.chars().filter(|each| !is_deceitful(*each)).collect();
    let cleaned = clean_line(&shown);
    let (stem, extension) = match cleaned.rsplit_once('.') {
        Some((stem, extension)) if is_extension(extension) => (stem, extension.to_owned()),
        _ => (cleaned.as_str(), String::new()),
    };
    let stem = stem.trim_matches(['.', ' ']);
    let stem: String = stem.chars().take(MAX_CHARS - MAX_EXTENSION_CHARS - 1).collect();
    let stem = stem.trim_end_matches(['.', ' ']);
    let stem = if stem.is_empty() { NAMELESS } else { stem };
    if extension.is_empty() { stem.to_owned() } else { format!("{stem}.{extension}") }
}

fn is_extension(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_EXTENSION_CHARS && text.chars().all(|each| each.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::label;

    /// D4, D9: what could end a header, lead to another folder or deceive the eye never passes.
    #[test]
    fn a_name_is_a_label() {
        for (name, expected) in [
            ("Invoice 3.pdf", "Invoice 3.pdf"),
            ("Größe.PDF", "Größe.PDF"),
            ("../../etc/passwd", "passwd"),
            ("C:\\fakepath\\a.txt", "a.txt"),
            ("a\r\nSet-Cookie: x.md", "a Set-Cookie: x.md"),
            ("say \"hi\" it's.md", "say hi its.md"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("\u{feff}\u{200b}\0.md", "attachment.md"),
            ("", "attachment"),
            ("...", "attachment"),
            ("/", "attachment"),
            ("a. b . c", "a. b . c"),
            ("no_extension.verylongextension", "no_extension.verylongextension"),
        ] {
            assert_eq!(label(name), expected, "{name:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_name_becomes_a_bounded_one(name in "\\PC{0,300}|[\\x00-\\x7f\u{202a}-\u{202e}]{0,300}") {
            let made = label(&name);
            proptest::prop_assert!(!made.is_empty() && made.chars().count() <= super::MAX_CHARS);
            let is_bad = |each: char| each.is_control() || ['/', '\\', '"', '\'', '\u{202e}'].contains(&each);
            proptest::prop_assert!(!made.chars().any(is_bad));
            proptest::prop_assert_eq!(label(&made), made);
        }
    }
}
