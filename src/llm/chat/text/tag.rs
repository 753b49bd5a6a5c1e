//! What stands at a `<`: HTML, an address in angle brackets, or nothing of the kind.

/// No tag is looked at further than this, in bytes; a longer one is judged by its beginning.
const MAX_BYTES: usize = 512;

/// The elements of HTML that a page or a reader of Markdown may act on without any attribute.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "address",
    "applet",
    "area",
    "article",
    "aside",
    "audio",
    "b",
    "base",
    "blink",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "center",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "isindex",
    "label",
    "legend",
    "li",
    "link",
    "main",
    "map",
    "mark",
    "marquee",
    "math",
    "meta",
    "nav",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "picture",
    "plaintext",
    "portal",
    "pre",
    "s",
    "script",
    "section",
    "select",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "track",
    "tt",
    "u",
    "ul",
    "video",
    "xmp",
];

/// What stands at a `<`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// A sign, a placeholder, a type's parameter.
    None,
    /// `<https://…>` or any other scheme: what stands between.
    Address(&'a str),
    /// `<br>`, of so many bytes.
    Break(usize),
    /// HTML.
    Markup,
    /// More text decides.
    Unknown,
}

/// Reads at the start of `text`, which begins with `<`.
pub(super) fn read(text: &str, is_end: bool) -> Tag<'_> {
    let inner = &text[1..];
    match inner.chars().next() {
        None if !is_end => return Tag::Unknown,
        Some(c) if c.is_ascii_alphabetic() || "/!?".contains(c) => {}
        _ => return Tag::None,
    }
    let end = inner.char_indices().find(|(at, c)| *at >= MAX_BYTES || matches!(c, '<' | '>'));
    match end {
        None if !is_end => Tag::Unknown,
        Some((at, '>')) if is_address(&inner[..at]) => Tag::Address(&inner[..at]),
        Some((at, '>')) if is_break(&inner[..at]) => Tag::Break(at + 2),
        end => {
            let end = end.map_or(inner.len(), |(at, _)| at);
            if is_markup(&inner[..end]) { Tag::Markup } else { Tag::None }
        }
    }
}

/// `scheme:` and no space (CommonMark, autolinks).
fn is_address(inner: &str) -> bool {
    let scheme = inner.split(':').next().unwrap_or_default();
    let is_scheme = scheme.len() < inner.len()
        && scheme.len() >= 2
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    is_scheme && !inner.contains(char::is_whitespace)
}

fn is_break(inner: &str) -> bool {
    inner.trim_end_matches(['/', ' ']).eq_ignore_ascii_case("br")
}

/// By its name, by an attribute, or because it holds what is rewritten: that may leave another name.
fn is_markup(inner: &str) -> bool {
    let inner = inner.to_ascii_lowercase();
    let name = inner.strip_prefix('/').unwrap_or(&inner);
    let name: String = name.chars().take_while(char::is_ascii_alphanumeric).collect();
    inner.starts_with(['!', '?'])
        || inner.contains(['=', ':', '[', ']'])
        || inner.contains("www.")
        || ELEMENTS.contains(&name.as_str())
}
