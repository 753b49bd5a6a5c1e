//! Reads a JSON body within limits.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::StreamExt as _;

use crate::serve::error::ApiError;

/// Bytes of a body at the most.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Bytes of a body too large that are still read, so that the client gets to see the refusal.
const MAX_DRAINED_BYTES: usize = 8 * MAX_BYTES;
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a body that was refused by its length is still read.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The body of a request that says it is plain JSON.
pub async fn read_json(request: Request) -> Result<Bytes, ApiError> {
    check_headers(request.headers())?;
    if declared_length(request.headers()).is_some_and(|bytes| bytes > MAX_BYTES as u64) {
        // Answered at once; what is on its way is still read for a moment, so that the client sees the answer.
        tokio::spawn(tokio::time::timeout(DRAIN_TIMEOUT, collect(request.into_body())));
        return Err(too_large());
    }
    tokio::time::timeout(TIMEOUT, collect(request.into_body())).await.map_err(|_| {
        let message = "the body took too long";
        ApiError::new(StatusCode::REQUEST_TIMEOUT, "timeout", message)
    })?
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large() -> ApiError {
    let message = format!("the body is larger than {MAX_BYTES} bytes");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

/// A form or plain text could come from any page without a preflight; JSON cannot.
fn check_headers(headers: &HeaderMap) -> Result<(), ApiError> {
    let refuse = |message: &str| {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Err(ApiError::new(status, "unsupported_media_type", message))
    };
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = match (types.next(), types.next()) {
        (Some(only), None) => only.to_str().is_ok_and(is_plain_json),
        _ => false,
    };
    if !is_json {
        return refuse("the content type must be application/json");
    }
    let is_encoded = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_encoded { refuse("the body must not be encoded") } else { Ok(()) }
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

/// All frames up to the limit. What is beyond is read and dropped for a while: a connection that is closed on
/// unread bytes is reset, and the refusal with it.
async fn collect(body: Body) -> Result<Bytes, ApiError> {
    let mut frames = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut seen = 0;
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(|_| ApiError::bad_request("the body is broken off"))?;
        seen += frame.len();
        if seen <= MAX_BYTES {
            bytes.extend_from_slice(&frame);
        } else if seen > MAX_DRAINED_BYTES {
            break;
        }
    }
    if seen > MAX_BYTES {
        return Err(too_large());
    }
    Ok(bytes.into())
}
