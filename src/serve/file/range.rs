//! One range of bytes, by RFC 9110 §14.
//!
//! Only a single range is given: several could add up to more than the file, and the RFC lets a server answer them
//! with the whole.

use std::ops::Range;

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing this server gives parts for: the whole file is the answer.
    Whole,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Bytes beyond the end.
    Unsatisfiable,
}

/// Reads the header's value for a file of `size` bytes.
pub fn parse(value: &str, size: u64) -> Asked {
    let Some((unit, ranges)) = value.split_once('=') else { return Asked::Whole };
    let Some((first, last)) = ranges.trim().split_once('-') else { return Asked::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Asked::Whole;
    }
    match (position(first), position(last)) {
        (Position::Absent, Position::At(0)) => Asked::Unsatisfiable,
        (Position::Absent, Position::At(length)) => part(size.saturating_sub(length), size, size),
        (Position::At(first), Position::Absent) => part(first, size, size),
        (Position::At(first), Position::At(last)) if first <= last => part(first, last.saturating_add(1), size),
        // Among them several ranges: a comma is no digit.
        _ => Asked::Whole,
    }
}

fn part(start: u64, end: u64, size: u64) -> Asked {
    if start < size { Asked::Part(start..end.min(size)) } else { Asked::Unsatisfiable }
}

enum Position {
    Absent,
    At(u64),
    Malformed,
}

fn position(text: &str) -> Position {
    let text = text.trim();
    if text.is_empty() {
        Position::Absent
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are beyond every file.
        Position::At(text.parse().unwrap_or(u64::MAX))
    } else {
        Position::Malformed
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, parse};

    #[test]
    fn single_ranges_are_given() {
        for (value, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-", 0..10),
            ("Bytes = 2-4", 2..5),
            ("bytes=8-99999999999999999999999", 8..10),
            ("bytes=-3", 7..10),
            ("bytes=-99999999999999999999999", 0..10),
        ] {
            assert_eq!(parse(value, 10), Asked::Part(expected), "{value}");
        }
    }

    #[test]
    fn what_lies_beyond_the_end_is_unsatisfiable() {
        for value in ["bytes=10-", "bytes=10-11", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(parse(value, 10), Asked::Unsatisfiable, "{value}");
        }
        assert_eq!(parse("bytes=0-", 0), Asked::Unsatisfiable);
        assert_eq!(parse("bytes=-1", 0), Asked::Unsatisfiable);
    }

    #[test]
    fn several_and_malformed_ranges_are_the_whole() {
        for value in
            ["bytes=0-1,0-1", "bytes=0-,-1", "bytes=-", "bytes=5-4", "bytes=+1-2", "lines=0-1", "bytes", "", "bytes=0"]
        {
            assert_eq!(parse(value, 10), Asked::Whole, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_part_is_never_more_than_the_file(value in "(bytes=)?[-0-9, =a]{0,12}", size in 0_u64..100) {
            if let Asked::Part(range) = parse(&value, size) {
                proptest::prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
