//! Reads bodies within bounds: one way for every route, whether a length is declared, chunked or neither.
//!
//! Headers are judged before a byte of the body is asked for, so whoever waits for `100 Continue` is refused without
//! having been invited. A body that is too much is not read to its end: the connection drains what is on its way and
//! closes. Nothing is unpacked here, so packed bodies are refused.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::{Stream, StreamExt as _};
use tokio::time::Instant;

use crate::serve::error::ApiError;

/// Bytes of a JSON body at the most.
pub const MAX_BYTES: u64 = 1024 * 1024;
/// For JSON: a message, not a file.
const JSON: BodyBounds = BodyBounds { max_bytes: MAX_BYTES, within: Duration::from_secs(30) };

/// What a body may take.
#[derive(Debug, Clone, Copy)]
pub struct BodyBounds {
    /// Its bytes.
    pub max_bytes: u64,
    /// The time from the first look at it to its last byte.
    pub within: Duration,
}

/// Why a body is not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is too large.
    #[error("the body is larger than {0} bytes")]
    TooLarge(u64),
    /// It did not come in time.
    #[error("the body took too long")]
    TooSlow,
    /// It is malformed, or the caller went away.
    #[error("the body is broken off")]
    Broken,
    /// It is packed.
    #[error("the body must not be encoded")]
    Encoded,
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        let (status, code) = match error {
            BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            BodyError::Broken => (StatusCode::BAD_REQUEST, "invalid_request"),
            BodyError::Encoded => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
        };
        Self::new(status, code, error.to_string())
    }
}

/// A body as a stream of its bytes, within bounds. After an error it ends.
pub struct Bounded {
    frames: BodyDataStream,
    bounds: BodyBounds,
    seen: u64,
    late: Pin<Box<tokio::time::Sleep>>,
    is_over: bool,
}

impl Bounded {
    /// Refuses what the headers say is packed or too large (RFC 9110, section 15.5.14); reads nothing yet.
    pub fn new(headers: &HeaderMap, body: Body, bounds: BodyBounds) -> Result<Self, BodyError> {
        let is_encoded = headers
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
        if is_encoded {
            return Err(BodyError::Encoded);
        }
        if declared_length(headers).is_some_and(|bytes| bytes > bounds.max_bytes) {
            return Err(BodyError::TooLarge(bounds.max_bytes));
        }
        let late = Box::pin(tokio::time::sleep_until(Instant::now() + bounds.within));
        Ok(Self { frames: body.into_data_stream(), bounds, seen: 0, late, is_over: false })
    }

    /// The whole body.
    pub async fn collect(mut self) -> Result<Bytes, BodyError> {
        let mut bytes = Vec::new();
        while let Some(frame) = self.next().await {
            bytes.extend_from_slice(&frame?);
        }
        Ok(bytes.into())
    }

    fn take(&mut self, frame: Result<Bytes, axum::Error>) -> Result<Bytes, BodyError> {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        self.seen = self.seen.saturating_add(frame.len() as u64);
        if self.seen > self.bounds.max_bytes { Err(BodyError::TooLarge(self.bounds.max_bytes)) } else { Ok(frame) }
    }
}

impl Stream for Bounded {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        // The deadline first: a body that always has one more byte must not outrun it.
        let next = match this.late.as_mut().poll(context) {
            Poll::Ready(()) => Some(Err(BodyError::TooSlow)),
            Poll::Pending => ready!(this.frames.poll_next_unpin(context)).map(|frame| this.take(frame)),
        };
        this.is_over = !matches!(next, Some(Ok(_)));
        Poll::Ready(next)
    }
}

/// The body of a request that says it is plain JSON.
pub async fn read_json(request: Request) -> Result<Bytes, ApiError> {
    let (head, body) = request.into_parts();
    if !is_json(&head.headers) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::new(status, "unsupported_media_type", "the content type must be application/json"));
    }
    Ok(Bounded::new(&head.headers, body, JSON)?.collect().await?)
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A form or plain text could come from any page without a preflight; JSON cannot.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().is_ok_and(is_plain_json),
        _ => false,
    }
}

fn is_plain_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.filter(|part| !part.is_empty()).all(|parameter| {
            let parameter = parameter.to_ascii_lowercase();
            matches!(parameter.as_str(), "charset=utf-8" | "charset=\"utf-8\"")
        })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use futures_util::stream;

    use super::*;

    const SMALL: BodyBounds = BodyBounds { max_bytes: 10, within: Duration::from_mins(1) };

    fn body(frames: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(frames.iter().map(|frame| Ok::<_, std::io::Error>(*frame))))
    }

    /// H1: one bound, however the body comes.
    #[tokio::test]
    async fn h1_a_body_is_bounded_however_it_comes() {
        for (frames, expected) in [
            (&["12345", "67890"][..], Ok("1234567890".into())),
            (&["12345", "678901"], Err(BodyError::TooLarge(10))),
            (&["12345678901"], Err(BodyError::TooLarge(10))),
            (&[], Ok(Bytes::new())),
        ] {
            let bounded = Bounded::new(&HeaderMap::new(), body(frames), SMALL).unwrap();
            assert_eq!(bounded.collect().await, expected, "{frames:?}");
        }
    }

    /// H1, H2, H3: what the headers already say is refused before a byte is read.
    #[tokio::test]
    async fn h2_h3_headers_are_enough_for_a_refusal() {
        let never = || Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        for (name, value, expected) in [
            ("content-length", "11", Some(BodyError::TooLarge(10))),
            ("content-length", "10", None),
            ("content-encoding", "gzip", Some(BodyError::Encoded)),
            ("content-encoding", "Identity", None),
        ] {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]);
            assert_eq!(Bounded::new(&headers, never(), SMALL).err(), expected, "{name}: {value}");
        }
    }

    /// H8: a body that never ends, and one that never comes, meet the deadline.
    #[tokio::test]
    async fn h8_a_body_has_a_deadline() {
        let short = BodyBounds { within: Duration::from_millis(100), ..SMALL };
        let never = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let always = Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>("")).then(|frame| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            frame
        }));
        for body in [never, always] {
            let collected = Bounded::new(&HeaderMap::new(), body, short).unwrap().collect();
            let outcome = tokio::time::timeout(Duration::from_secs(10), collected).await;
            assert_eq!(outcome, Ok(Err(BodyError::TooSlow)));
        }
    }
}
