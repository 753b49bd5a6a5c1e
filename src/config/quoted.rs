//! Quoted values of a `.env` file, both ways.

/// A place in the text, in bytes, and what is wrong there.
type Fault = (usize, &'static str);

/// Reads a quoted value from its opening quote on: its content, and how many bytes it takes with both quotes.
///
/// Within double quotes `\n`, `\r`, `\t`, `\\`, `\"` and `\$` are escapes; within single quotes `\'` and `\\` are, and
/// any other backslash stands for itself.
pub(super) fn unquote(text: &str, quote: char) -> Result<(String, usize), Fault> {
    let mut content = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Ok((content, at + 1));
        }
        if c != '\\' {
            content.push(c);
            continue;
        }
        let Some((_, escaped)) = chars.next() else {
            break;
        };
        match (quote, escaped) {
            ('\'', '\'' | '\\') | ('"', '"' | '\\' | '$') => content.push(escaped),
            ('\'', other) => content.extend(['\\', other]),
            (_, 'n') => content.push('\n'),
            (_, 'r') => content.push('\r'),
            (_, 't') => content.push('\t'),
            _ => {
                return Err((at, "is no known escape; write \\\\ for a backslash, or use single quotes"));
            }
        }
    }
    Err((0, "opens a quote that is not closed on this line; within double quotes write a line break as \\n"))
}

/// A value in the plainest form that reads back as itself.
pub(super) fn quote(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,@%+=*?&~".contains(c);
    if value.chars().all(is_plain) {
        return value.to_owned();
    }
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for c in value.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
