//! Reads what comes back when it is no success: who refuses what, and whether and when to try again.
//!
//! Nothing is taken for granted: the body may be JSON of several makes, a page of HTML from something on the way, or
//! nothing. What is told of it is bounded, on one line, and without keys.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::openai::ErrorKind;

/// How much of the service's words is told, in characters.
const MAX_MESSAGE_CHARS: usize = 300;
/// How long a code, a parameter's name or a request id may be, in characters.
const MAX_NAME_CHARS: usize = 128;
/// Codes and types that mean that the account is spent: 429 says so too, and waiting changes nothing.
const SPENT: [&str; 3] = ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"];

/// What a service complains about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) message: Option<String>,
    pub(super) code: Option<String>,
    pub(super) param: Option<String>,
    /// The error's `type`.
    pub(super) family: Option<String>,
}

impl Complaint {
    /// Reads the body of a refusal.
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(json) = serde_json::from_slice::<Value>(body) else { return Self::of_text(body) };
        match (&json["error"], &json["errors"], &json["detail"]) {
            (error @ Value::Object(_), _, _) => Self::of_object(error),
            (Value::String(message), _, _) => Self { message: message_of(message), ..Self::of_object(&json) },
            // What OGX answers, and what FastAPI does.
            (_, Value::Array(list), _) | (_, _, Value::Array(list)) => Self::of_list(list),
            (_, _, Value::String(message)) => Self { message: message_of(message), ..Self::default() },
            _ => Self::of_object(&json),
        }
    }

    fn of_object(error: &Value) -> Self {
        let name = |field: &str| match &error[field] {
            Value::String(text) => name_of(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let message = error["message"].as_str().and_then(message_of);
        Self { message, code: name("code"), param: name("param"), family: name("type") }
    }

    fn of_list(list: &[Value]) -> Self {
        let text =
            |error: &Value| ["msg", "message"].iter().find_map(|field| error[*field].as_str().map(str::to_owned));
        let messages: Vec<String> = list.iter().filter_map(text).collect();
        let place = list.first().and_then(|error| error["loc"].as_array()).map(|place| {
            let parts = place.iter().map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned));
            parts.collect::<Vec<_>>().join(".")
        });
        Self {
            message: message_of(&messages.join("; ")),
            code: list.first().and_then(|error| error["type"].as_str()).and_then(name_of),
            param: place.as_deref().and_then(name_of),
            family: None,
        }
    }

    fn of_text(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let is_page = text.trim_start().starts_with('<');
        let message = if is_page {
            Some("a page of HTML came instead of an answer, from something on the way".to_owned())
        } else {
            message_of(&text)
        };
        Self { message, ..Self::default() }
    }
}

/// What kind of failure a status means, with what the body says.
pub(super) fn kind_of(status: u16, complaint: &Complaint) -> ErrorKind {
    let is_spent = [&complaint.code, &complaint.family].iter().any(|word| word.as_deref().is_some_and(is_spent));
    match status {
        402 | 403 | 429 if is_spent => ErrorKind::NoQuota,
        401 => ErrorKind::WrongKey,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        408 => ErrorKind::TimedOut,
        409 => ErrorKind::Conflict,
        429 => ErrorKind::RateLimited,
        500.. => ErrorKind::Server,
        _ => ErrorKind::Refused,
    }
}

fn is_spent(word: &str) -> bool {
    SPENT.contains(&word)
}

/// How long the service asks to be left alone: `retry-after-ms`, else `Retry-After` in seconds or as a date (RFC 9110,
/// 10.2.3). A date that is past is no time at all.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Some(ms) = text(headers, "retry-after-ms").and_then(|ms| ms.trim().parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1000.0).ok();
    }
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = httpdate::parse_http_date(value).ok().and_then(|date| Timestamp::try_from(date).ok())?;
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// The service's own word on trying again.
pub(super) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    match text(headers, "x-should-retry")? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The id under which the service's support finds the request.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-request-id", "apim-request-id"].iter().find_map(|name| text(headers, name).and_then(name_of))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn message_of(text: &str) -> Option<String> {
    one_line(text, MAX_MESSAGE_CHARS)
}

fn name_of(text: &str) -> Option<String> {
    one_line(text, MAX_NAME_CHARS)
}

/// At most so many characters on one line; nothing when there are none.
fn one_line(text: &str, max_chars: usize) -> Option<String> {
    let spaced = text.trim().chars().map(|char| if char.is_control() || is_override(char) { ' ' } else { char });
    let line: String = spaced.take(max_chars).collect();
    (!line.is_empty()).then_some(line)
}

/// Overrides of direction: on a terminal they would show a text as another.
fn is_override(char: char) -> bool {
    matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(message: &str, code: Option<&str>, param: Option<&str>, family: Option<&str>) -> Complaint {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Complaint { message: Some(message.to_owned()), code: owned(code), param: owned(param), family: owned(family) }
    }

    #[test]
    fn refusals_of_every_make_are_read() {
        let told = |body: &str| Complaint::read(body.as_bytes());
        let openai =
            r#"{"error":{"message":"No.","type":"invalid_request_error","param":"x","code":"unknown_parameter"}}"#;
        let expected = complaint("No.", Some("unknown_parameter"), Some("x"), Some("invalid_request_error"));
        assert_eq!(told(openai), expected);
        let llama = r#"{"error":{"message":"No.","type":"not_supported_error","code":501}}"#;
        assert_eq!(told(llama), complaint("No.", Some("501"), None, Some("not_supported_error")));
        assert_eq!(told(r#"{"error":"No."}"#), complaint("No.", None, None, None));
        let ogx = r#"{"errors":[{"loc":["body","x",0],"msg":"No.","type":"missing"}]}"#;
        assert_eq!(told(ogx), complaint("No.", Some("missing"), Some("body.x.0"), None));
        assert_eq!(told(r#"{"detail":"No."}"#), complaint("No.", None, None, None));
        assert_eq!(told(r#"{"message":"No."}"#), complaint("No.", None, None, None));
        assert_eq!(told("No."), complaint("No.", None, None, None));
        assert!(told("<!doctype html><h1>502</h1>").message.unwrap().starts_with("a page of HTML"));
        for nothing in ["", "null", "[]", "7", "{}", r#"{"error":null}"#, r#"{"error":{"message":7}}"#] {
            assert_eq!(told(nothing).code, None, "{nothing}");
        }
    }

    /// C1: words of a service are bounded and move no cursor.
    #[test]
    fn what_is_told_is_short_and_on_one_line() {
        let long = format!(r#"{{"error":{{"message":"a\nb\u001b[31m\u202e{}","code":"x"}}}}"#, "é".repeat(5000));
        let message = Complaint::read(long.as_bytes()).message.unwrap();
        assert_eq!(message.chars().count(), MAX_MESSAGE_CHARS);
        assert!(!message.chars().any(|char| char.is_control() || is_override(char)), "{message:?}");
    }

    #[test]
    fn an_account_without_quota_is_told_from_a_rate() {
        let spent = |code: Option<&str>, family: Option<&str>| kind_of(429, &complaint("", code, None, family));
        assert_eq!(spent(Some("insufficient_quota"), None), ErrorKind::NoQuota);
        assert_eq!(spent(None, Some("insufficient_quota")), ErrorKind::NoQuota);
        assert_eq!(spent(Some("rate_limit_exceeded"), Some("requests")), ErrorKind::RateLimited);
        assert_eq!(spent(None, None), ErrorKind::RateLimited);
    }

    #[test]
    fn the_time_to_wait_is_read_in_all_its_forms() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let wait = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            retry_after(&headers, now)
        };
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(wait(&[("retry-after", "2")]), ms(2000));
        assert_eq!(wait(&[("retry-after-ms", "120"), ("retry-after", "9")]), ms(120));
        assert_eq!(wait(&[("retry-after", "Tue, 24 Nov 2026 12:00:05 GMT")]), ms(5000));
        assert_eq!(wait(&[("retry-after", "Tue, 24 Nov 2026 11:00:00 GMT")]), ms(0));
        for odd in ["-1", "soon", "", "NaN", "inf", "1e300"] {
            assert_eq!(wait(&[("retry-after", odd)]), None, "{odd}");
        }
        assert_eq!(wait(&[]), None);
    }
}
