//! What a line may hold: one event, of bounded length, in which nothing steers a terminal or hides.
//!
//! This is done to the finished line, so no field of any event can be forgotten.

use std::fmt::Write as _;

use crate::ui::term::is_hostile;

/// Bytes of a line at the most.
pub const MAX_BYTES: usize = 16 * 1024;
/// Bytes that are kept of a longer one.
const KEPT_BYTES: usize = 4 * 1024;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One document a line.
    Json,
    /// For people.
    Text,
}

/// An event as formatted, made into exactly one line.
pub fn tidy(raw: &[u8], shape: Shape) -> Vec<u8> {
    let text = String::from_utf8_lossy(raw);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let mut line = if text.contains(steers) { visible(text, shape) } else { text.to_owned() };
    if line.len() >= MAX_BYTES {
        line = cut(&line, shape);
    }
    line.push('\n');
    line.into_bytes()
}

/// What an operator is told when lines were lost before this one.
pub fn lost(count: u64, shape: Shape) -> Vec<u8> {
    let what = "log lines were lost: they could not be written in time, or at all";
    match shape {
        Shape::Json => {
            let now = jiff::Timestamp::now();
            format!("{{\"timestamp\":\"{now}\",\"level\":\"WARN\",\"message\":\"{what}\",\"lost\":{count}}}\n")
        }
        Shape::Text => format!("{} WARN {what} lost={count}\n", jiff::Timestamp::now()),
    }
    .into_bytes()
}

/// Whether a character must not stand in a line: a line break within an event would begin a forged one.
pub fn steers(each: char) -> bool {
    each == '\n' || is_hostile(each)
}

/// The text with such characters written out. In JSON they can stand in strings only, and there the escape means the
/// same character.
fn visible(text: &str, shape: Shape) -> String {
    let mut line = String::with_capacity(text.len() + 64);
    for each in text.chars() {
        match shape {
            _ if !steers(each) => line.push(each),
            Shape::Json => {
                for unit in each.encode_utf16(&mut [0; 2]) {
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
            Shape::Text => line.extend(each.escape_default()),
        }
    }
    line
}

/// The beginning of a line that is too long. JSON stays JSON: the beginning becomes a string in it.
fn cut(line: &str, shape: Shape) -> String {
    let kept = &line[..line.floor_char_boundary(KEPT_BYTES)];
    match shape {
        Shape::Text => format!("{kept}… (cut)"),
        Shape::Json => {
            let beginning = serde_json::Value::from(kept);
            let now = jiff::Timestamp::now();
            let what = "a log line was too long and is cut";
            format!("{{\"timestamp\":\"{now}\",\"level\":\"WARN\",\"message\":\"{what}\",\"beginning\":{beginning}}}")
        }
    }
}
