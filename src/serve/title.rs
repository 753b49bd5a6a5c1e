//! A thread's automatic title: the beginning of its first question.

/// Characters of an automatic title at the most, the ellipsis not counted.
const MAX_CHARS: usize = 60;

/// The first words of a question, on one line; `None` if nothing of it can be shown.
pub fn automatic_title(question: &str) -> Option<String> {
    let line: String = question.chars().map(|each| if each.is_control() { ' ' } else { each }).collect();
    let line = line.trim();
    if line.is_empty() {
        return None;
    }
    let Some((end, _)) = line.char_indices().nth(MAX_CHARS) else {
        return Some(line.to_owned());
    };
    let (head, rest) = line.split_at(end);
    // A word that ends exactly here stays whole; a cut word goes, unless it is all there is (or nearly so).
    let whole = match head.rfind(char::is_whitespace) {
        Some(space) if !rest.starts_with(char::is_whitespace) && space >= head.len() / 2 => &head[..space],
        _ => head,
    };
    Some(format!("{}…", whole.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::automatic_title;

    #[test]
    fn short_questions_are_their_own_title() {
        assert_eq!(automatic_title(" a\nb ").as_deref(), Some("a b"));
        assert_eq!(automatic_title("\n\u{0}"), None);
    }

    #[test]
    fn long_questions_end_on_a_word() {
        let title = automatic_title(&"refund ".repeat(20)).unwrap();
        assert!(title.ends_with("refund…"), "{title}");
        assert!(title.chars().count() <= 61);
    }

    #[test]
    fn words_without_spaces_are_cut_by_characters() {
        let title = automatic_title(&"返".repeat(100)).unwrap();
        assert_eq!(title.chars().count(), 61);
    }
}
