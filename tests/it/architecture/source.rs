//! A simple reader of Rust source: it blanks comments and literals, then looks for words.
//!
//! It must not grow into a parser. Blanking keeps every line where it is, so that findings name lines.

/// The source with comments, strings and character literals blanked; lines stay where they are.
pub(crate) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        let in_word = code.ends_with(is_word);
        let skipped = literal_or_comment(rest, in_word);
        let taken = skipped.unwrap_or(letter.len_utf8());
        let (piece, after) = rest.split_at(taken);
        if skipped.is_some() {
            code.extend(piece.chars().map(blanked));
        } else {
            code.push_str(piece);
        }
        rest = after;
    }
    code
}

fn blanked(letter: char) -> char {
    if letter == '\n' { '\n' } else { ' ' }
}

/// How many bytes of comment or literal `rest` begins with. `in_word`: whether a word ends just before it.
fn literal_or_comment(rest: &str, in_word: bool) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if rest.starts_with('"') {
        return Some(quoted(rest));
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).filter(|_| !in_word)?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let body = raw[hashes..].strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let end = body.find(&closing).map_or(body.len(), |at| at + closing.len());
    Some(rest.len() - body.len() + end)
}

/// Length of the block comment (they nest) that `text` begins with.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Length of the string literal that `text` begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of the character literal that `text` begins with; nothing when it is a lifetime.
fn character(text: &str) -> Option<usize> {
    let mut letters = text.char_indices().skip(1);
    let (_, first) = letters.next()?;
    if first == '\\' {
        letters.next()?;
        return letters.find(|(_, letter)| *letter == '\'').map(|(at, _)| at + 1);
    }
    letters.next().filter(|(_, letter)| *letter == '\'').map(|(at, _)| at + 1)
}

/// The modules that `crate::` paths of some code name, with their lines. `code` is free of comments and literals.
pub(crate) fn references(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, path) in occurrences(code, "crate::").map(|at| (at, &code[at + "crate::".len()..])) {
        let line = line_of(code, at);
        let names = path.trim_start().strip_prefix('{').map_or_else(|| vec![identifier(path)], group_heads);
        found.extend(names.into_iter().filter(|name| !name.is_empty()).map(|name| (line, name.to_owned())));
    }
    found
}

/// The first identifiers of the members of `{a::x, b::{c, d}}`, the opening brace already taken.
fn group_heads(group: &str) -> Vec<&str> {
    let mut heads = Vec::new();
    let mut depth = 1;
    let mut expects_head = true;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => expects_head = true,
            _ if depth == 1 && expects_head && is_word(letter) => {
                heads.push(identifier(&group[at..]));
                expects_head = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

fn identifier(text: &str) -> &str {
    text.split(|letter| !is_word(letter)).next().unwrap_or("")
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Byte offsets of `needle` where no longer word ends in it.
pub(crate) fn occurrences<'a>(code: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(needle).map(|(at, _)| at).filter(|&at| !code[..at].ends_with(is_word))
}

/// The line, from 1, of a byte offset.
pub(crate) fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// Blanks the items under `#[cfg(test)]`.
pub(crate) fn without_tests(code: &str) -> String {
    let mut result = code.to_owned();
    let mut from = 0;
    while let Some(start) = result[from..].find("#[cfg(test)]").map(|at| from + at) {
        let end = item_end(&result, start + "#[cfg(test)]".len());
        let blank: String = result[start..end].chars().map(blanked).collect();
        from = start + blank.len();
        result.replace_range(start..end, &blank);
    }
    result
}

/// Where the item that begins at `from` ends: after its body, or after its semicolon.
fn item_end(code: &str, from: usize) -> usize {
    let mut braces = 0_usize;
    let mut brackets = 0_usize;
    for (at, letter) in code[from..].char_indices() {
        match letter {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            '{' => braces += 1,
            '}' if braces <= 1 => return from + at + 1,
            '}' => braces -= 1,
            ';' if braces == 0 && brackets == 0 => return from + at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Line, name and length in lines of every function in the code.
pub(crate) fn functions(code: &str) -> Vec<(usize, String, usize)> {
    occurrences(code, "fn ")
        .filter_map(|at| {
            let name = identifier(&code[at + "fn ".len()..]);
            let end = item_end(code, at);
            let lines = code[at..end].lines().count();
            (!name.is_empty()).then(|| (line_of(code, at), name.to_owned(), lines))
        })
        .collect()
}

fn targets(source: &str) -> Vec<String> {
    references(&code_only(source)).into_iter().map(|(_, target)| target).collect()
}

#[test]
fn imports_and_paths_are_found() {
    assert_eq!(targets("use crate::model::Hit;\nlet x = crate::exit::Exit::Good;"), ["model", "exit"]);
    assert_eq!(targets("pub use crate::{docs::{a, b}, index, llm::c as d};"), ["docs", "index", "llm"]);
    assert_eq!(references("\n\nuse crate::ui;"), [(3, "ui".to_owned())]);
}

#[test]
fn comments_and_literals_are_not_code() {
    for source in [
        "// use crate::ui::Out;",
        "/// See [`crate::ui::Out`].",
        "/* use crate::ui; /* nested */ use crate::ui; */",
        "let x = \"a \\\" crate::ui\";",
        "let x = r#\"say \"crate::ui\" \"#;",
        "let x = b\"crate::ui\";",
        "let my_crate = 1; my_crate::ui();",
    ] {
        assert_eq!(targets(source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn quotes_as_characters_and_lifetimes_do_not_confuse() {
    for source in
        ["let q = '\"'; use crate::ui;", "let q = '\\''; use crate::ui;", "fn f<'a>(x: &'a str) { crate::ui::g(x) }"]
    {
        assert_eq!(targets(source), ["ui"], "{source}");
    }
}

#[test]
fn code_after_a_test_module_counts() {
    assert_eq!(without_tests("#[cfg(test)]\nmod t { a { } }\nb").trim(), "b");
}

#[test]
fn functions_are_measured() {
    let code = "fn a(x: [u8; 2]) -> u8 {\n  0\n}\ntrait T {\n  fn b();\n}";
    assert_eq!(functions(code), [(1, "a".to_owned(), 3), (5, "b".to_owned(), 1)]);
}
