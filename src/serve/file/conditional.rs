//! Which answer a conditional request gets, in the order of RFC 9110 §13.2.2.

use std::ops::Range;
use std::time::SystemTime;

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, Method};

use crate::docs::walk::{inode, modified_ns};
use crate::model::DocumentRecord;
use crate::serve::file::opened::Opened;
use crate::serve::file::range::{self, Asked};

/// A file written this shortly before it was indexed may have been changed again within the same tick of the clock.
const RACY_NS: i128 = 2_000_000_000;

/// What tells one version of a file from another.
#[derive(Debug, Clone)]
pub struct Validators {
    /// `ETag`: strong when the bytes are known by their hash, weak when only what the system says of the file is.
    pub etag: String,
    /// `Last-Modified`: not in the future, for the RFC forbids that.
    pub modified: Option<SystemTime>,
}

/// What to answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// 200 and all of it.
    Whole,
    /// 206 and these bytes.
    Part(Range<u64>),
    /// 304: the caller has it.
    NotModified,
    /// 412: it is not the version that the caller means.
    PreconditionFailed,
    /// 416: there are no such bytes.
    Unsatisfiable,
}

/// The validators of an opened file. Its hash counts only while it is the version that was indexed.
pub fn validators(record: &DocumentRecord, opened: &Opened, now: SystemTime) -> Validators {
    let etag = if is_indexed_version(record, opened) {
        format!("\"{}\"", record.sha256)
    } else {
        let (changed, number) = inode(&opened.metadata);
        let times = [modified_ns(&opened.metadata), changed].map(Option::unwrap_or_default);
        let (bytes, number) = (opened.metadata.len(), number.unwrap_or_default());
        format!("W/\"{bytes:x}-{:x}-{:x}-{number:x}\"", times[0], times[1])
    };
    Validators { etag, modified: opened.metadata.modified().ok().filter(|at| *at <= now) }
}

/// Size and modification time can be those of other bytes: whoever writes a file may set its time back. Nobody sets
/// back the time of its inode's change, and a file that takes the place of another has an inode of its own.
fn is_indexed_version(record: &DocumentRecord, opened: &Opened) -> bool {
    let modified = modified_ns(&opened.metadata);
    let (changed, number) = inode(&opened.metadata);
    let is_long_before = |at: i64| i128::from(at) + RACY_NS < record.indexed_at.as_nanosecond();
    !record.sha256.is_empty()
        && opened.metadata.len() == record.bytes
        && modified == record.modified_ns
        && (changed, number) == (record.ctime_ns, record.inode)
        && modified.is_some_and(is_long_before)
        && changed.is_none_or(is_long_before)
}

/// Decides by the headers of a GET or HEAD request for a file of `size` bytes.
pub fn judge(method: &Method, headers: &HeaderMap, validators: &Validators, size: u64) -> Verdict {
    if !is_meant(headers, validators) {
        Verdict::PreconditionFailed
    } else if is_known(headers, validators) {
        Verdict::NotModified
    } else {
        part(method, headers, validators, size)
    }
}

/// `If-Match`, or without it `If-Unmodified-Since`.
fn is_meant(headers: &HeaderMap, validators: &Validators) -> bool {
    if headers.contains_key(header::IF_MATCH) {
        return tags(headers, &header::IF_MATCH)
            .any(|tag| tag == "*" || (tag == validators.etag && !tag.starts_with("W/")));
    }
    match (date(headers, &header::IF_UNMODIFIED_SINCE), validators.modified) {
        (Some(since), Some(modified)) => seconds(modified) <= seconds(since),
        _ => true,
    }
}

/// `If-None-Match`, or without it `If-Modified-Since`.
fn is_known(headers: &HeaderMap, validators: &Validators) -> bool {
    let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
    if headers.contains_key(header::IF_NONE_MATCH) {
        let own = opaque(&validators.etag);
        return tags(headers, &header::IF_NONE_MATCH).any(|tag| tag == "*" || opaque(tag) == own);
    }
    match (date(headers, &header::IF_MODIFIED_SINCE), validators.modified) {
        (Some(since), Some(modified)) => seconds(modified) <= seconds(since),
        _ => false,
    }
}

fn part(method: &Method, headers: &HeaderMap, validators: &Validators, size: u64) -> Verdict {
    let mut ranges = headers.get_all(header::RANGE).iter();
    let (Some(asked), None) = (ranges.next(), ranges.next()) else { return Verdict::Whole };
    // The RFC defines ranges for GET alone.
    if method != Method::GET || !is_same_version(headers, validators) {
        return Verdict::Whole;
    }
    match range::parse(asked.to_str().unwrap_or_default(), size) {
        Asked::Whole => Verdict::Whole,
        Asked::Part(bytes) => Verdict::Part(bytes),
        Asked::Unsatisfiable => Verdict::Unsatisfiable,
    }
}

/// `If-Range`: only a strong tag proves that bytes fit together. A date of whole seconds never does.
fn is_same_version(headers: &HeaderMap, validators: &Validators) -> bool {
    match headers.get(header::IF_RANGE) {
        None => true,
        Some(tag) => !validators.etag.starts_with("W/") && tag.as_bytes() == validators.etag.as_bytes(),
    }
}

/// The tags of a list. Ours hold no comma, so a tag with one is cut into pieces that are none of ours.
fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

/// The dates of HTTP have no fractions.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};

    use super::{Validators, Verdict, judge};

    const TAG: &str = "\"abc\"";
    const BEFORE: &str = "Thu, 01 Jan 1970 00:00:09 GMT";
    const SAME: &str = "Thu, 01 Jan 1970 00:00:10 GMT";

    fn decide(etag: &str, given: &[(&'static str, &str)]) -> Verdict {
        let modified = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(10_400));
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        judge(&Method::GET, &headers, &Validators { etag: etag.to_owned(), modified }, 10)
    }

    #[test]
    fn known_versions_are_not_sent_again() {
        for tag in [TAG, "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert_eq!(decide(TAG, &[("if-none-match", tag)]), Verdict::NotModified, "{tag}");
        }
        assert_eq!(decide(TAG, &[("if-none-match", "\"x\"")]), Verdict::Whole);
        assert_eq!(decide(TAG, &[("if-none-match", "\"x\""), ("if-none-match", TAG)]), Verdict::NotModified);
        assert_eq!(decide(TAG, &[("if-modified-since", SAME)]), Verdict::NotModified);
        assert_eq!(decide(TAG, &[("if-modified-since", BEFORE)]), Verdict::Whole);
        assert_eq!(decide(TAG, &[("if-modified-since", "yesterday")]), Verdict::Whole);
        // A tag says more than a time.
        assert_eq!(decide(TAG, &[("if-none-match", "\"x\""), ("if-modified-since", SAME)]), Verdict::Whole);
    }

    #[test]
    fn another_version_than_meant_is_refused() {
        assert_eq!(decide(TAG, &[("if-match", TAG)]), Verdict::Whole);
        assert_eq!(decide(TAG, &[("if-match", "*")]), Verdict::Whole);
        assert_eq!(decide(TAG, &[("if-match", "\"x\"")]), Verdict::PreconditionFailed);
        assert_eq!(decide("W/\"abc\"", &[("if-match", "W/\"abc\"")]), Verdict::PreconditionFailed);
        assert_eq!(decide(TAG, &[("if-unmodified-since", SAME)]), Verdict::Whole);
        assert_eq!(decide(TAG, &[("if-unmodified-since", BEFORE)]), Verdict::PreconditionFailed);
    }

    #[test]
    fn parts_belong_to_one_version() {
        let range = ("range", "bytes=1-2");
        assert_eq!(decide(TAG, &[range]), Verdict::Part(1..3));
        assert_eq!(decide(TAG, &[range, ("if-range", TAG)]), Verdict::Part(1..3));
        assert_eq!(decide(TAG, &[range, ("if-range", "\"x\"")]), Verdict::Whole);
        assert_eq!(decide("W/\"abc\"", &[range, ("if-range", "W/\"abc\"")]), Verdict::Whole);
        assert_eq!(decide(TAG, &[range, ("if-range", SAME)]), Verdict::Whole);
        assert_eq!(decide(TAG, &[range, range]), Verdict::Whole);
        assert_eq!(decide(TAG, &[("range", "bytes=10-")]), Verdict::Unsatisfiable);
        assert_eq!(decide(TAG, &[("range", "bytes=10-"), ("if-none-match", TAG)]), Verdict::NotModified);
    }
}
