//! Replies, refusals and faults as HTTP answers.

use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::api::{Checked, Refusal, Reply};
use crate::fault::{Act, ErrorBody, Hint};
use crate::server::{Shared, sse};
use crate::world::Remaining;

/// The answer of those faults that do nothing but answer.
pub(crate) fn instead(acts: &[Act]) -> Option<Response> {
    acts.iter().find_map(|act| match act {
        Act::Status { code, body, hints } => Some(status(*code, *body, hints)),
        Act::RateLimited { retry_after } => Some(refused(&Refusal::rate_limited(retry_after.map(Duration::from_secs)))),
        Act::NoQuota => Some(refused(&Refusal::no_quota())),
        Act::WrongKey => Some(refused(&Refusal::wrong_key())),
        _ => None,
    })
}

/// What a handler said, as the faults let it through.
pub(crate) fn render(shared: &Shared, result: Checked<Reply>, acts: &[Act], cut: &CancellationToken) -> Response {
    let (last, gap, headers) = {
        let mut world = shared.world();
        (world.rates.last.take(), world.rules.event_gap, world.rules.rate_headers)
    };
    let mut response = match result {
        Ok(Reply::Json(value)) => json(StatusCode::OK, &struck(value, acts), acts),
        Ok(Reply::Bytes(bytes)) => with_body(StatusCode::OK, "application/octet-stream", cut_body(bytes, acts)),
        Ok(Reply::Events { events, named }) => sse::response(sse::frames(&events, named, acts), gap, cut),
        Err(refusal) => refused(&refusal),
    };
    if let Some(remaining) = last.filter(|_| headers) {
        rate_headers(&mut response, remaining);
    }
    response
}

/// An answer with a body of this type.
pub(crate) fn with_body(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A refusal in the documented form.
pub(crate) fn refused(refusal: &Refusal) -> Response {
    let code = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(code, &refusal.body(), &[]);
    if let Some(seconds) = refusal.retry_after {
        set(&mut response, RETRY_AFTER, &seconds.to_string());
    }
    response
}

fn json(status: StatusCode, value: &Value, acts: &[Act]) -> Response {
    let mut text = value.to_string();
    if acts.contains(&Act::GarbledJson) {
        // Brackets that do not close what they opened.
        text = text.replace('}', "]");
    }
    let whole = text.len();
    let mut response = with_body(status, "application/json", cut_body(text.into_bytes(), acts));
    set(&mut response, CONTENT_LENGTH, &whole.to_string());
    response
}

/// The body, or half of it and then the end of the connection.
fn cut_body(bytes: Vec<u8>, acts: &[Act]) -> Body {
    if !acts.contains(&Act::TruncatedBody) {
        return Body::from(bytes);
    }
    let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    Body::from_stream(stream::iter([Ok(half), Err(broken)]))
}

/// Answers that are right in form and wrong in content.
fn struck(mut value: Value, acts: &[Act]) -> Value {
    let is_batch = value["object"] == "vector_store.files_batch";
    if is_batch && acts.contains(&Act::BatchIdOfStore) {
        value["id"] = value["vector_store_id"].clone();
    }
    value
}

fn status(code: u16, body: ErrorBody, hints: &[Hint]) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match body {
        ErrorBody::Json => json(status, &Refusal::server(code).body(), &[]),
        ErrorBody::Html => {
            let page = "<html><head><title>Bad gateway</title></head><body><h1>Error</h1></body></html>";
            with_body(status, "text/html; charset=UTF-8", Body::from(page))
        }
        ErrorBody::Plain => with_body(status, "text/plain", Body::from("upstream connect error")),
        ErrorBody::Empty => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = status;
            response
        }
    };
    for hint in hints {
        let (name, value) = hinted(hint);
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            set(&mut response, name, &value);
        }
    }
    response
}

fn hinted(hint: &Hint) -> (String, String) {
    let (name, value) = match hint {
        Hint::RetryAfter(seconds) => ("retry-after", seconds.to_string()),
        Hint::RetryAfterDate(seconds) => {
            ("retry-after", httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(*seconds)))
        }
        Hint::RetryAfterMs(ms) => ("retry-after-ms", ms.to_string()),
        Hint::ShouldRetry(retry) => ("x-should-retry", retry.to_string()),
        Hint::Header(name, value) => return (name.clone(), value.clone()),
    };
    (name.to_owned(), value)
}

fn rate_headers(response: &mut Response, remaining: Remaining) {
    let reset = format!("{}ms", remaining.reset.as_millis());
    set(response, HeaderName::from_static("x-ratelimit-limit-requests"), &remaining.limit.to_string());
    set(response, HeaderName::from_static("x-ratelimit-remaining-requests"), &remaining.left.to_string());
    set(response, HeaderName::from_static("x-ratelimit-reset-requests"), &reset);
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
