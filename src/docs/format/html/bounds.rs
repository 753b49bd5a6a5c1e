//! Looks at a page before the tokenizer does: no element may have too many attributes.
//!
//! The tokenizer compares each attribute with all those before it, so that one element could take minutes.

use crate::docs::format::FormatError;
use crate::docs::format::html::token::{raw_kind, starts_tag};

/// No person and no program writes more into one element.
const MAX_ATTRIBUTES: usize = 1_000;

/// Whether every element has a bearable number of attributes. Comments, scripts and styles are passed over; where this
/// is not as exact as the tokenizer, reading only takes longer.
pub fn check(text: &str) -> Result<(), FormatError> {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        rest = if rest.starts_with("!--") {
            // The end of an empty comment, `<!-->`, overlaps with its beginning.
            rest.find("-->").map_or("", |end| &rest[end + 3..])
        } else if starts_tag(rest) {
            after_element(rest)?
        } else {
            rest
        };
    }
    Ok(())
}

/// What follows a tag, and where its contents are no tags, its contents.
fn after_element(tag: &str) -> Result<&str, FormatError> {
    let name = tag.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(tag.len());
    let (name, attributes) = tag.split_at(name);
    let rest = after_attributes(attributes)?;
    let name = name.to_ascii_lowercase();
    Ok(if raw_kind(&name).is_some() { from_end_of(&name, rest) } else { rest })
}

/// Where a scan of attributes is.
enum At {
    Between,
    Name,
    Equals,
    Value,
    Quoted(u8),
}

/// What follows the `>` that ends the attributes.
fn after_attributes(attributes: &str) -> Result<&str, FormatError> {
    let (mut at, mut count) = (At::Between, 0);
    for (index, byte) in attributes.bytes().enumerate() {
        at = match (at, byte) {
            (At::Quoted(quote), byte) if byte != quote => At::Quoted(quote),
            (_, b'>') => return Ok(&attributes[index + 1..]),
            (At::Equals, b'"' | b'\'') => At::Quoted(byte),
            (At::Equals, byte) if byte.is_ascii_whitespace() => At::Equals,
            (At::Between | At::Name, b'=') => At::Equals,
            (At::Quoted(_), _) | (At::Between | At::Name, b'/') => At::Between,
            (_, byte) if byte.is_ascii_whitespace() => At::Between,
            (At::Between, _) => {
                count += 1;
                At::Name
            }
            (At::Name, _) => At::Name,
            (At::Equals | At::Value, _) => At::Value,
        };
        if count > MAX_ATTRIBUTES {
            return Err(FormatError::Malformed(format!("one of its tags has more than {MAX_ATTRIBUTES} attributes")));
        }
    }
    Ok("")
}

/// The rest from `</name` on.
fn from_end_of<'a>(name: &str, rest: &'a str) -> &'a str {
    let is_end = |at: &usize| {
        let found = rest.as_bytes().get(at + 2..at + 2 + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    };
    rest.match_indices("</").map(|(at, _)| at).find(is_end).map_or("", |at| &rest[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(count: usize) -> String {
        (0..count).map(|number| format!(" a{number}='>' ")).collect::<Vec<_>>().concat()
    }

    #[test]
    fn many_attributes_are_refused() {
        let refused = Err(FormatError::Malformed("one of its tags has more than 1000 attributes".to_owned()));
        for before in ["", "x < y ", "<!-->", "<!-- <a> -->", "<script>'<a'</SCRIPT>", "<p title=\"<\">"] {
            assert_eq!(check(&format!("{before}<a{}>", attributes(1_000))), Ok(()), "{before}");
            assert_eq!(check(&format!("{before}<a{}>", attributes(1_001))), refused, "{before}");
            assert_eq!(check(&format!("{before}<a{}", attributes(1_001))), refused, "{before}");
        }
    }

    #[test]
    fn what_is_no_attribute_does_not_count() {
        let words = "word ".repeat(2_000);
        for text in [
            format!("<script>if (a<b) {words}</script><p>x"),
            format!("<!-- <a {words} --><p>x"),
            format!("<p title='{words}'>{words}<p>x"),
            format!("1 < 2 {words}"),
        ] {
            assert_eq!(check(&text), Ok(()), "{text:.40}");
        }
    }
}
